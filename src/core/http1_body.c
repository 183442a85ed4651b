/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1_body: the reader of message bodies (RFC 9112 6 and 7), a byte machine
 * whose whole memory is struct http1_body. It hands payload out where it
 * lies, copies nothing, and drops chunk extensions and trailers.
 */
#include "core/http1.h"
#include "core/http1_class.h"

#define TOKEN (CLASS_TOKEN | CLASS_TARGET)
#define NAME (TOKEN | CLASS_HOST)

const uint8_t http1_classes[256] = {
	['0' ... '9'] = NAME | CLASS_HEX,
	['a' ... 'f'] = NAME | CLASS_HEX, ['A' ... 'F'] = NAME | CLASS_HEX,
	['g' ... 'z'] = NAME, ['G' ... 'Z'] = NAME,
	['-'] = NAME, ['.'] = NAME, ['_'] = NAME, ['~'] = NAME, ['%'] = NAME,
	['!'] = TOKEN, ['$'] = TOKEN, ['&'] = TOKEN, ['\''] = TOKEN,
	['*'] = TOKEN, ['+'] = TOKEN, ['^'] = TOKEN, ['`'] = TOKEN,
	['|'] = TOKEN, ['#'] = CLASS_TOKEN,
	['"'] = CLASS_TARGET, ['('] = CLASS_TARGET, [')'] = CLASS_TARGET,
	[','] = CLASS_TARGET, ['/'] = CLASS_TARGET, [':'] = CLASS_TARGET,
	[';'] = CLASS_TARGET, ['<'] = CLASS_TARGET, ['='] = CLASS_TARGET,
	['>'] = CLASS_TARGET, ['?'] = CLASS_TARGET, ['@'] = CLASS_TARGET,
	['['] = CLASS_TARGET, ['\\'] = CLASS_TARGET, [']'] = CLASS_TARGET,
	['{'] = CLASS_TARGET, ['}'] = CLASS_TARGET,
};

/* What the next byte of a chunked body belongs to. */
enum chunk_state {
	CHUNK_SIZE_FIRST,	/* the size's first digit */
	CHUNK_SIZE,		/* a further digit, or what ends the size */
	CHUNK_EXTENSION,
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	CHUNK_TRAILER_FIRST,	/* a trailer's first byte, or the last CR */
	CHUNK_TRAILER_NAME,
	CHUNK_TRAILER_VALUE,
	CHUNK_TRAILER_LF,
	CHUNK_LAST_LF,
	CHUNK_END,
	CHUNK_BAD,
};

void
http1_body_init(struct http1_body *b, enum http1_framing framing,
    uint64_t length)
{
	*b = (struct http1_body){
		.framing = framing,
		.left = framing == HTTP1_SIZED ? length : 0,
		.state = CHUNK_SIZE_FIRST,
	};
}

/* Of a byte that is CLASS_HEX. */
static inline unsigned
hex_value(char c)
{
	return ((unsigned)c & 0xf) + ((unsigned)c >> 6) * 9;
}

static enum chunk_state
size_digit(struct http1_body *b, char c)
{
	if (b->left > (uint64_t)INT64_MAX >> 4)
		return CHUNK_BAD;
	b->left = b->left << 4 | hex_value(c);
	return CHUNK_SIZE;
}

/* After the line of a chunk's size; the next line or trailers count anew. */
static enum chunk_state
size_end(struct http1_body *b)
{
	b->line = 0;
	return b->left > 0 ? CHUNK_DATA : CHUNK_TRAILER_FIRST;
}

/* A byte of a chunk-size line; extensions are passed over (RFC 9112 7.1.1). */
static enum chunk_state
size_step(struct http1_body *b, char c)
{
	if (++b->line > LIMIT_CHUNK_LINE)
		return CHUNK_BAD;
	switch ((enum chunk_state)b->state) {
	case CHUNK_SIZE:
		if (c == ';')
			return CHUNK_EXTENSION;
		if (c == '\r')
			return CHUNK_SIZE_LF;
		/* FALLTHROUGH */
	case CHUNK_SIZE_FIRST:
		return class_is(c, CLASS_HEX) ? size_digit(b, c) : CHUNK_BAD;
	case CHUNK_EXTENSION:
		if (c == '\r')
			return CHUNK_SIZE_LF;
		return class_is_text(c) ? CHUNK_EXTENSION : CHUNK_BAD;
	default:
		return c == '\n' ? size_end(b) : CHUNK_BAD;
	}
}

/* A byte of the trailer section. */
static enum chunk_state
trailer_step(struct http1_body *b, char c)
{
	if (++b->line > LIMIT_TRAILERS)
		return CHUNK_BAD;
	switch ((enum chunk_state)b->state) {
	case CHUNK_TRAILER_FIRST:
		if (c == '\r')
			return CHUNK_LAST_LF;
		return class_is(c, CLASS_TOKEN) ? CHUNK_TRAILER_NAME : CHUNK_BAD;
	case CHUNK_TRAILER_NAME:
		if (c == ':')
			return CHUNK_TRAILER_VALUE;
		return class_is(c, CLASS_TOKEN) ? CHUNK_TRAILER_NAME : CHUNK_BAD;
	case CHUNK_TRAILER_VALUE:
		if (c == '\r')
			return CHUNK_TRAILER_LF;
		return class_is_text(c) ? CHUNK_TRAILER_VALUE : CHUNK_BAD;
	case CHUNK_TRAILER_LF:
		return c == '\n' ? CHUNK_TRAILER_FIRST : CHUNK_BAD;
	default:
		return c == '\n' ? CHUNK_END : CHUNK_BAD;
	}
}

/* The state after a byte that is no payload. */
static enum chunk_state
chunk_step(struct http1_body *b, char c)
{
	if (b->state == CHUNK_DATA_CR)
		return c == '\r' ? CHUNK_DATA_LF : CHUNK_BAD;
	if (b->state == CHUNK_DATA_LF)
		return c == '\n' ? CHUNK_SIZE_FIRST : CHUNK_BAD;
	return b->state < CHUNK_DATA ? size_step(b, c) : trailer_step(b, c);
}

/* Reads the chunk-size line at p where it is short, bare and whole, as nearly
 * all are: its length. Else 0, and nothing has changed. */
static size_t
size_line_read(struct http1_body *b, const char *p, size_t len)
{
	size_t i, most = len < 8 ? len : 8;
	uint64_t size = 0;

	for (i = 0; i < most && class_is(p[i], CLASS_HEX); i++)
		size = size << 4 | hex_value(p[i]);
	if (i == 0 || len - i < 2 || p[i] != '\r' || p[i + 1] != '\n')
		return 0;
	b->left = size;
	b->state = (int)size_end(b);
	return i + 2;
}

/* Takes payload: at most what is there and what is left. */
static void
take(struct http1_body *b, const char *p, size_t len, struct slice *data)
{
	*data = slice_make(p, len < b->left ? len : (size_t)b->left);
	b->left -= data->len;
}

/*
 * Goes on until the bytes are read or the next payload would start. An error
 * behind payload is told by the next call, so that the payload before it is
 * the same however the bytes were cut.
 */
static int
chunked_next(struct http1_body *b, const char *p, size_t len, size_t *used,
    struct slice *data)
{
	size_t i = 0, n;

	while (i < len && b->state < CHUNK_END) {
		if (b->state == CHUNK_SIZE_FIRST &&
		    (n = size_line_read(b, p + i, len - i)) > 0) {
			i += n;
			continue;
		}
		if (b->state != CHUNK_DATA) {
			b->state = (int)chunk_step(b, p[i]);
			i += b->state != CHUNK_BAD;
			continue;
		}
		if (data->len > 0)
			break;
		take(b, p + i, len - i, data);
		i += data->len;
		if (b->left == 0)
			b->state = CHUNK_DATA_CR;
	}
	*used = i;
	if (b->state == CHUNK_BAD && data->len == 0)
		return HTTP1_E_CHUNK;
	return b->state == CHUNK_END ? HTTP1_DONE : HTTP1_MORE;
}

int
http1_body_next(struct http1_body *b, const char *p, size_t len, size_t *used,
    struct slice *data)
{
	*used = 0;
	*data = slice_make(p, 0);
	switch (b->framing) {
	case HTTP1_CHUNKED:
		return chunked_next(b, p, len, used, data);
	case HTTP1_UNTIL_CLOSE:
		data->len = *used = len;
		return HTTP1_MORE;
	case HTTP1_SIZED:
		take(b, p, len, data);
		*used = data->len;
		return b->left == 0 ? HTTP1_DONE : HTTP1_MORE;
	default:
		return HTTP1_DONE;
	}
}

bool
http1_body_may_close(const struct http1_body *b)
{
	return b->framing == HTTP1_UNTIL_CLOSE;
}
