/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pyjson: JSON as Python's json.dumps prints it: who gets it, reads it and prints
 * it again has the same bytes, which is how receivers of webhooks check
 * signatures. Called by the kind of sink that sends webhooks.
 */
#ifndef CORE_PYJSON_H
#define CORE_PYJSON_H

#include "core/buf.h"
#include "core/jscan.h"

/*
 * Appends the value, which a scan has found good, in that form: ", " and ": "
 * between, ASCII alone, numbers as Python's int and float print them; of a name
 * that is there twice the last value, where the first one stood. What Python
 * would not give back is a string of its text: numbers past what a double or an
 * int of 300 digits holds, objects of more than 256 members.
 */
void	pyjson(struct jvalue, struct buf *);

/* The characters as such a string. */
void	pyjson_string(struct slice, struct buf *);

#endif
