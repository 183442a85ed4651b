/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_name: the names under which a model's price may stand: its own, then
 * those that are left without what says where, when or how it is served. Never
 * any other beginning of it.
 */
#ifndef SPAN_MODEL_NAME_H
#define SPAN_MODEL_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/slice.h"

#define MODEL_NAMES 24
#define MODEL_NAME_MAX 200	/* bytes; longer ones have no names here */

struct model_names {
	size_t	n;
	struct { char text[MODEL_NAME_MAX]; size_t len; } list[MODEL_NAMES];	/* in lower case */
	bool	free;		/* an OpenRouter variant that costs nothing */
};

/* The names, the nearest first; none of an empty or overlong one. */
void	model_names(struct slice model, struct model_names *out);
/* Are they one but for case, and for dots and dashes between digits? */
bool	model_name_alike(struct slice a, struct slice b);
/* The name as it is compared, of the same length: equal for those that are alike. */
void	model_name_fold(struct slice name, char *to);
/* Equal for names that are alike. */
uint32_t model_name_hash(struct slice name);

#endif
