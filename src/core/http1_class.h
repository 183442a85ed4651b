/* SPDX-License-Identifier: Apache-2.0 */
/* http1_class: the classes of bytes that the HTTP/1.1 readers tell apart. */
#ifndef CORE_HTTP1_CLASS_H
#define CORE_HTTP1_CLASS_H

#include <stdbool.h>
#include <stdint.h>

enum http1_class {
	CLASS_TOKEN = 1,	/* RFC 9110 5.6.2 */
	CLASS_TARGET = 2,	/* visible ASCII but '#', which no target may hold */
	CLASS_HOST = 4,		/* of a host's name */
	CLASS_HEX = 8,
};

extern const uint8_t http1_classes[256];

static inline bool
class_is(char c, enum http1_class class)
{
	return http1_classes[(unsigned char)c] & class;
}

static inline bool
class_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* May it stand in a field's value: no control byte but TAB. */
static inline bool
class_is_text(char c)
{
	return ((unsigned char)c >= 0x20 && c != 0x7f) || c == '\t';
}

#endif
