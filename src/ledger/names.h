/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names: the values of a label, at most so many; what comes later is "other".
 * For the files of this room, under their locks.
 */
#ifndef LEDGER_NAMES_H
#define LEDGER_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "core/limits.h"
#include "core/slice.h"

#define NAME_BYTES 96		/* of a model or provider name in a label */
#define NAMES_MAX (LIMIT_METRIC_MODELS + 1)

/* A few names, found by walking: there are at most some hundred. */
struct names {
	char		 text[NAMES_MAX][NAME_BYTES];
	uint32_t	 hash[NAMES_MAX];
	size_t		 count, most;	/* most: below NAMES_MAX */
};

/* FNV-1a. */
uint32_t names_hash(const void *, size_t len);
/* Copies a label value, cut at a character's edge; what is not UTF-8 becomes
 * '?', as the text format is UTF-8. Its length. */
size_t	 name_copy(char out[NAME_BYTES], struct slice text);
/* The number of a copied name; the last number, "other", when the table is full. */
size_t	 name_intern(struct names *, const char *text, size_t len);
const char *name_text(const struct names *, size_t number);

#endif
