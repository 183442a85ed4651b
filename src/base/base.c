/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base: see base.h. Every room above span uses it. Nothing here keeps state;
 * what cannot go on (no memory, no randomness) ends the process with a line.
 */
#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"

static void *
check(void *p, size_t size)
{
	if (p == NULL)
		bug("out of memory: %zu bytes", size);
	return p;
}

void *
xmalloc(size_t size)
{
	if (size == 0)
		bug("xmalloc of nothing");
	return check(malloc(size), size);
}

void *
xcalloc(size_t n, size_t size)
{
	if (n == 0 || size == 0)
		bug("xcalloc of nothing");
	return check(calloc(n, size), size);
}

void *
xrealloc(void *p, size_t size)
{
	if (size == 0)
		bug("xrealloc to nothing");
	return check(realloc(p, size), size);
}

char *
xstrdup(const char *s)
{
	return check(strdup(s), strlen(s) + 1);
}

char *
xstrndup(const char *s, size_t n)
{
	return check(strndup(s, n), n + 1);
}

char *
xasprintf(const char *fmt, ...)
{
	va_list	ap;
	char	*s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		bug("out of memory: formatting");
	va_end(ap);
	return s;
}

static uint64_t
clock_us(clockid_t id)
{
	struct timespec	ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

uint64_t
clock_mono_us(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

uint64_t
clock_wall_us(void)
{
	return clock_us(CLOCK_REALTIME);
}

void
random_bytes(void *out, size_t n)
{
	char	*p = out;

	while (n > 0) {
		ssize_t	got = getrandom(p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			bug("getrandom: %s", strerror(errno));
		p += got;
		n -= (size_t)got;
	}
}

void
hex_encode(const void *bytes, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t	*p = bytes;
	size_t		 i;

	for (i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * n] = '\0';
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
hex_decode(struct slice text, void *out, size_t n)
{
	uint8_t	*p = out;
	size_t	 i;

	if (text.len != 2 * n)
		return -1;
	for (i = 0; i < n; i++) {
		int	high = hex_value(text.ptr[2 * i]);
		int	low = hex_value(text.ptr[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		p[i] = (uint8_t)(high << 4 | low);
	}
	return 0;
}

void
thread_name(const char *name)
{
	char	text[16];

	snprintf(text, sizeof(text), "%s", name);
	pthread_setname_np(pthread_self(), text);
}

void
thread_background(const char *name)
{
	thread_name(name);
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), THREAD_BEHIND);	/* of the thread alone, on Linux */
}

bool
directory_make(const char *dir)
{
	char	*path = xstrdup(dir), *slash = path;
	bool	 good = true;

	while (good && (slash = strchr(slash + 1, '/')) != NULL) {
		*slash = '\0';
		good = mkdir(path, 0700) == 0 || errno == EEXIST;
		*slash = '/';
	}
	good = good && (mkdir(path, 0700) == 0 || errno == EEXIST);
	free(path);
	return good;
}
