/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf: growable bytes with a ceiling and a sticky error. Append many times,
 * look at `failed` once. Owns its memory; buf_free or buf_take ends that.
 */
#ifndef CORE_BUF_H
#define CORE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/slice.h"

struct buf {
	char	*ptr;
	size_t	 len;
	size_t	 cap;
	size_t	 limit;		/* bytes; an append past it sets failed */
	bool	 failed;	/* the limit was met or memory ran out */
};

/* limit: most bytes it may ever hold, at least 1. Allocates nothing yet. */
void	buf_init(struct buf *, size_t limit);

/* Gives the memory back; the buf may be used again as after buf_init. */
void	buf_free(struct buf *);

/* Forgets content and error, keeps the memory. */
void	buf_clear(struct buf *);

/* For buf_reserve: the way that allocates or fails. */
char	*buf_reserve_slow(struct buf *, size_t n);

/* Makes room for n more bytes: where to write them, or NULL (failed is set).
 * The caller adds what it wrote to len itself. */
static inline char *
buf_reserve(struct buf *b, size_t n)
{
	if (b->failed || n > b->cap - b->len || b->ptr == NULL)
		return buf_reserve_slow(b, n);
	return b->ptr + b->len;
}

/* All appenders do nothing once failed is set. False: failed is set. */
static inline bool
buf_append(struct buf *b, const void *ptr, size_t len)
{
	char *p;

	if (len == 0)
		return !b->failed;
	if ((p = buf_reserve(b, len)) == NULL)
		return false;
	memcpy(p, ptr, len);
	b->len += len;
	return true;
}
bool	buf_byte(struct buf *, char c);
static inline bool
buf_slice(struct buf *b, struct slice s)
{
	return buf_append(b, s.ptr, s.len);
}

bool	buf_str(struct buf *, const char *s);
bool	buf_u64(struct buf *, uint64_t v);	/* decimal */
bool	buf_printf(struct buf *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));

/* A JSON string: quotes around s, escapes inside; bytes that are not UTF-8
 * become U+FFFD. */
bool	buf_json_string(struct buf *, struct slice s);

/* The content; it dies at the next append. */
static inline struct slice
buf_view(const struct buf *b)
{
	return slice_make(b->ptr, b->len);
}

/* Gives the memory to the caller, who frees it with free(); the buf is as
 * after buf_init. *len gets the length. NULL if nothing was ever appended. */
char	*buf_take(struct buf *, size_t *len);

#endif
