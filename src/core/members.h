/* SPDX-License-Identifier: Apache-2.0 */
/* members: looking up the gateway's own members by name. For rewrite.c. */
#ifndef CORE_MEMBERS_H
#define CORE_MEMBERS_H

#include "core/jscan.h"

/* Room for the characters of the longest name of the table. */
#define MEMBER_NAME_MAX 32

struct member {
	const char	*name;
	unsigned char	 len;
	unsigned char	 flags;		/* MEMBER_* */
};

/* NULL: not ours. name has no escapes (jkey_plain). */
const struct member *member_find(struct slice name);
/* The same by the key as it stands. */
const struct member *member_of(const struct jmember *);

/* Overwrites the member's value if it is SECRET, else the values of SECRET
 * members inside it where it is one to look into. `text` is the writable twin
 * of the bytes from base on, which hold the value. */
void	member_blank(const struct member *, struct jvalue value, const char *base, char *text);
/* The same for all members of an object. */
void	members_blank(struct jvalue object, const char *base, char *text);

#endif
