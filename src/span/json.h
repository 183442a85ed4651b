/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json: what the builder's parts share in reading checked JSON: picking
 * members in one pass, and texts between the quotes, which are put together as
 * they stand.
 */
#ifndef SPAN_JSON_H
#define SPAN_JSON_H

#include "core/jscan.h"

/* Which of the n names the member has, or n. */
size_t	json_index(const struct jmember *, const struct slice *names, size_t n);
/* The members of these n names in one pass, JNONE where absent; of several
 * the last one. Any other kind than an object has none. */
void	json_pick(struct jvalue object, const struct slice *names,
	    struct jvalue *out, size_t n);
/* A string's characters as they stand between its quotes; SLICE_NONE if v is
 * no string. */
struct slice json_inner(struct jvalue v);
/* The elements of an array as they stand between its brackets, trimmed. */
struct slice json_elements(struct jvalue array);
/* Appends elements to those of a list, with a comma where some are there. */
void	json_list_add(struct buf *list, struct slice elements);
/* Appends a list of these elements as a member, ,"name":[…], if there are any. */
void	json_list_member(const char *name, const struct buf *elements, struct buf *out);
/* Neither absent, null, false, zero nor empty. */
bool	json_truthy(struct jvalue v);
/* Appends a checked JSON text without its white space, each comma and colon
 * followed by `gap`. */
void	json_respace(struct slice text, const char *gap, struct buf *out);
/* Appends the inside of a JSON string that holds these characters. */
void	json_escape(struct slice characters, struct buf *out);
/* Appends the bytes with U+FFFD in place of those that are not UTF-8. */
void	json_repair(struct slice, struct buf *out);
/* White space (line ends too) off both ends. */
struct slice json_trim(struct slice);
/* Is it well-formed UTF-8 without NUL? */
bool	json_is_text(struct slice);

#endif
