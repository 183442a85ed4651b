/* SPDX-License-Identifier: Apache-2.0 */
/* print: members of a JSON object, each "name":value and a comma. */
#ifndef API_PRINT_H
#define API_PRINT_H

#include <stdint.h>

#include "core/buf.h"
#include "core/slice.h"

/* ptr NULL: null. */
void	print_text(struct buf *, const char *name, struct slice text);
/* JSON as the text of it in a string, strings as they are; nothing: "". */
void	print_string(struct buf *, const char *name, struct slice json);
void	print_int(struct buf *, const char *name, int64_t);
void	print_cost(struct buf *, const char *name, int64_t pico);
void	print_time(struct buf *, const char *name, int64_t us);
void	print_seconds(struct buf *, const char *name, int64_t us);
/* sum / n, 0 where there is nothing. */
void	print_mean(struct buf *, const char *name, int64_t sum, int64_t n);

#endif
