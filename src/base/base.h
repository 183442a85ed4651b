/* SPDX-License-Identifier: Apache-2.0 */
/* base: memory that cannot fail, clocks, hex, and thread names. */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/slice.h"

/* Out of memory is fatal: a message and abort(). size may not be 0. */
void	*xmalloc(size_t size);
void	*xcalloc(size_t n, size_t size);
void	*xrealloc(void *, size_t size);
char	*xstrdup(const char *);
char	*xstrndup(const char *, size_t);
char	*xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

uint64_t clock_mono_us(void);	/* CLOCK_MONOTONIC */
uint64_t clock_wall_us(void);	/* since 1970 UTC */

/* Random bytes from the kernel; never fails (fatal). */
void	random_bytes(void *, size_t);

/* Lower-case hex of n bytes with a final NUL: out has 2n+1 bytes. */
void	hex_encode(const void *p, size_t n, char *out);
/* n bytes from 2n hex digits (either case); 0 or -1. */
int	hex_decode(struct slice, void *out, size_t n);

/* Makes a directory and what is above it, 0700. */
bool	directory_make(const char *);

/* Names the calling thread for ps and top; at most 15 characters. */
void	thread_name(const char *);
/* Names the calling thread and puts it behind those that serve clients: it gets the share of a
 * niceness of THREAD_BEHIND when all cores are busy. */
#define THREAD_BEHIND 5
void	thread_background(const char *);

#endif
