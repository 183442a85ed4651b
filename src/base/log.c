/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log: see log.h. Every thread calls it; a line is made on the stack and goes
 * into the ring of the log thread, or out in one write where none runs. Lines
 * over LINE_MAX_TEXT bytes are cut and end in "...".
 */
#include <config.h>

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"
#include "base/log_ring.h"
#include "core/utf8.h"

#define LINE_MAX_TEXT 2000

static const char *const level_names[] = { "error", "warn ", "info ", "debug" };

static atomic_int log_level = LOG_LEVEL_INFO;

static void	log_line(enum log_level, const char *, const char *, va_list)
		    __attribute__((format(printf, 3, 0)));

void
log_set_level(enum log_level level)
{
	atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
}

bool
log_enabled(enum log_level level)
{
	return (int)level <=
	    atomic_load_explicit(&log_level, memory_order_relaxed);
}

/* The time as 2026-11-20T19:05:01.123Z; out has room for 32 bytes. */
static size_t
put_time(char *out)
{
	uint64_t	us = clock_wall_us();
	time_t		seconds = (time_t)(us / 1000000);
	struct tm	tm;
	size_t		n;

	gmtime_r(&seconds, &tm);
	n = strftime(out, 24, "%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(out + n, 32 - n, ".%03uZ ",
	    (unsigned)(us / 1000 % 1000));
	return n;
}

/* Copies text with control bytes and what is not UTF-8 as \xNN, so that
 * nothing from outside can forge a line or steer a terminal. out has room for
 * four times the length. */
static size_t
put_escaped(char *out, const char *text, size_t len)
{
	size_t	i, n = 0, k;

	for (i = 0; i < len; i += k) {
		unsigned char c = (unsigned char)text[i];

		k = utf8_length(text + i, len - i);
		if (k == 0 || c < 0x20 || c == 0x7f ||
		    (c == 0xc2 && (unsigned char)text[i + 1] < 0xa0)) {
			k = 1;
			n += (size_t)snprintf(out + n, 5, "\\x%02x", c);
		} else {
			memcpy(out + n, text + i, k);
			n += k;
		}
	}
	return n;
}

/* prefix: trusted text without control bytes. */
static void
log_line(enum log_level level, const char *prefix, const char *fmt, va_list ap)
{
	char	text[LINE_MAX_TEXT + 1], line[4 * LINE_MAX_TEXT + 160];
	int	saved = errno, len;
	size_t	n;
	ssize_t	w;

	len = vsnprintf(text, sizeof(text), fmt, ap);
	if (len < 0)
		len = 0;
	n = put_time(line);
	n += (size_t)snprintf(line + n, 112, "%s %s", level_names[level], prefix);
	if (len > LINE_MAX_TEXT) {
		n += put_escaped(line + n, text, LINE_MAX_TEXT);
		memcpy(line + n, "...", 3);
		n += 3;
	} else
		n += put_escaped(line + n, text, (size_t)len);
	line[n++] = '\n';
	if (!log_ring_put(line, n))
		do
			w = write(STDERR_FILENO, line, n);
		while (w < 0 && errno == EINTR);
	errno = saved;
}

#define LOG_FUNCTION(name, level)		\
void						\
name(const char *fmt, ...)			\
{						\
	va_list	ap;				\
						\
	if (!log_enabled(level))		\
		return;				\
	va_start(ap, fmt);			\
	log_line(level, "", fmt, ap);		\
	va_end(ap);				\
}

LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)

void
xlog(enum log_level level, const uint8_t id[16], const char *fmt, ...)
{
	char	prefix[64] = "exchange ";
	va_list	ap;

	if (!log_enabled(level))
		return;
	hex_encode(id, 16, prefix + 9);
	memcpy(prefix + 9 + 32, ": ", 3);
	va_start(ap, fmt);
	log_line(level, prefix, fmt, ap);
	va_end(ap);
}

void
log_bug(const char *file, int line, const char *fmt, ...)
{
	char	prefix[96];
	va_list	ap;

	snprintf(prefix, sizeof(prefix), "bug at %s:%d: ", file, line);
	va_start(ap, fmt);
	log_line(LOG_LEVEL_ERROR, prefix, fmt, ap);
	va_end(ap);
	log_stop();
	abort();
}
