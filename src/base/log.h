/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log: lines on standard error. Bytes that came from outside are escaped;
 * errno survives every call. Thread-safe: a line is one write.
 *
 *   2026-11-20T19:05:01.123Z info  exchange 0193...: complete 200 chat openai 412 ms
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* From here on a thread of its own writes the lines, so that no caller waits
 * for standard error; what does not fit its buffer is counted and told. */
void	log_start(void);
/* Writes out what waits; then lines are written by their callers again. */
void	log_stop(void);

void	log_set_level(enum log_level);
bool	log_enabled(enum log_level);

void	log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void	log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A line about one exchange: its id stands before the text. */
void	xlog(enum log_level, const uint8_t id[16], const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

/* A bug: file, line, text, abort(). */
#define bug(...) log_bug(__FILE__, __LINE__, __VA_ARGS__)
void	log_bug(const char *file, int line, const char *fmt, ...)
	    __attribute__((noreturn, format(printf, 3, 4)));

#endif
