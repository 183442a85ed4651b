/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jscan: a scanner over JSON bytes (RFC 8259) that allocates nothing and hands
 * out slices. It checks the whole grammar, UTF-8 included, and LIMIT_JSON_DEPTH.
 * A slice of a value is its text as it stands in the input: numbers keep every
 * digit, strings their quotes and escapes.
 */
#ifndef CORE_JSCAN_H
#define CORE_JSCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/slice.h"

enum jkind { JNONE, JNULL, JFALSE, JTRUE, JNUMBER, JSTRING, JOBJECT, JARRAY };

struct jvalue {
	enum jkind	kind;		/* JNONE: absent */
	struct slice	text;		/* as it stands, quotes and brackets too */
};

struct jmember {
	struct slice	key;		/* between the quotes, escapes as they stand */
	struct slice	key_text;	/* with its quotes */
	struct jvalue	value;
	bool		key_plain;	/* the key is all ASCII without escapes */
};

enum jscan_result {
	JSCAN_END = 0,
	JSCAN_ITEM = 1,
	JSCAN_E_SYNTAX = -1,
	JSCAN_E_DEPTH = -2,
	JSCAN_E_UTF8 = -3,
};

/*
 * Checks one whole JSON text, blanks around it allowed. On success *out is its
 * value (out may be NULL). *at: where the error is, in bytes (may be NULL).
 * Returns JSCAN_END (good) or an error.
 */
int	jscan_check(struct slice text, struct jvalue *out, size_t *at);

/*
 * Walks a JSON text whose value is an object, checking as it goes (one pass,
 * for the hot path): every jscan_next gives a top-level member, after the last
 * one JSCAN_END tells that the whole text was good. A text whose value is no
 * object is checked whole by the first call; then kind tells what it was.
 */
struct jscan {
	const char	*pos, *end, *start;
	int		 state;
	enum jkind	 kind;		/* of the text's value, after the first call */
	size_t		 close;		/* offset of the object's '}' once JSCAN_END was given */
};

void	jscan_init(struct jscan *, struct slice text);
/* JSCAN_ITEM, JSCAN_END or an error; after an error or the end, the same. */
int	jscan_next(struct jscan *, struct jmember *);
/* Offset in bytes of where the scanner stands (of the error, after one). */
size_t	jscan_at(const struct jscan *);

/*
 * The rest is for values that a scan has found good; nothing is checked again.
 */

/* Members of an object or elements of an array (key is then SLICE_NONE). Any
 * other kind has none. */
struct jiter {
	const char	*pos, *end;
	bool		 object;
};
void	jiter_init(struct jiter *, struct jvalue);
bool	jiter_next(struct jiter *, struct jmember *);

/* Is the member's key this name? Escapes in the key are understood. */
bool	jkey_is(const struct jmember *, struct slice name);

/* The key's characters: the key itself, or, where it is not plain, a copy in
 * scratch, SLICE_NONE if that takes more than room bytes. */
struct slice jkey_plain(const struct jmember *m, char *scratch, size_t room);

/* The member of that name; of several the last one. JNONE if there is none or
 * obj is no object. */
struct jvalue jget(struct jvalue obj, struct slice name);

/* Appends the string's characters as UTF-8 (escapes undone, a lone surrogate
 * becomes U+FFFD). False if v is no string or the buf failed. */
bool	jstring(struct jvalue v, struct buf *out);
/* The characters where the string has no escape (no copy); SLICE_NONE if v is
 * no string or has one. */
struct slice jstring_plain(struct jvalue v);
/* A string's characters, appended to text where it has an escape (they stand
 * until text grows or is freed), SLICE_NONE if text failed; of any other kind
 * what is written. */
struct slice jscalar(struct jvalue v, struct buf *text);
/* Is it a string with exactly these characters? Escapes are understood. */
bool	jstring_is(struct jvalue v, struct slice s);
/* A string or array or object with nothing in it, or null or absent. */
bool	jempty(struct jvalue v);

/* Whole number within int64 (1.0 and 1e3 count, 1.5 does not). */
bool	jint(struct jvalue v, int64_t *out);
bool	jnumber(struct jvalue v, double *out);
bool	jbool(struct jvalue v, bool *out);

#endif
