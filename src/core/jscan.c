/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jscan.c: the grammar of RFC 8259. Every *_skip takes where it stands and
 * gives where the thing it read ends, or NULL with the reason in struct fault.
 * Nesting is one bit a level, so hostile depth costs
 * no stack. Called from the gate for each request body and from the span
 * builder for everything. Never allocates. What values mean is in jvalue.c.
 */
#include "core/jscan.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "core/utf8.h"

struct fault {
	int		 error;
	const char	*at;
};

/* The containers that a position is inside of, one bit a level. */
struct nesting {
	uint64_t	objects[LIMIT_JSON_DEPTH / 64];	/* object or array */
	unsigned	depth;
	bool		object;		/* the innermost one is */
};

/* States of struct jscan; an error is its own (negative) state. */
enum { STATE_START, STATE_FIRST, STATE_NEXT, STATE_END };

/* What a value is by its first byte; JNONE: no value begins so. */
static const unsigned char kinds[256] = {
	['{'] = JOBJECT, ['['] = JARRAY, ['"'] = JSTRING, ['n'] = JNULL, ['t'] = JTRUE,
	['f'] = JFALSE, ['-'] = JNUMBER, ['0'] = JNUMBER, ['1'] = JNUMBER, ['2'] = JNUMBER,
	['3'] = JNUMBER, ['4'] = JNUMBER, ['5'] = JNUMBER, ['6'] = JNUMBER, ['7'] = JNUMBER,
	['8'] = JNUMBER, ['9'] = JNUMBER,
};

static const char *
fault_set(struct fault *f, int error, const char *at)
{
	f->error = error;
	f->at = at;
	return NULL;
}

static inline bool
is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* Most often there is nothing to skip, which one comparison tells. */
static inline const char *
blank_skip(const char *p, const char *end)
{
	while (p < end && (unsigned char)*p <= ' ' && is_blank(*p))
		p++;
	return p;
}

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* p stands on the backslash. Surrogates need not be in pairs: RFC 8259 lets
 * any four digits be. */
static const char *
escape_skip(const char *p, const char *end, struct fault *f)
{
	int i;

	if (end - p < 2)
		return fault_set(f, JSCAN_E_SYNTAX, end);
	switch (p[1]) {
	case '"': case '\\': case '/':
	case 'b': case 'f': case 'n': case 'r': case 't':
		return p + 2;
	case 'u':
		break;
	default:
		return fault_set(f, JSCAN_E_SYNTAX, p + 1);
	}
	for (i = 2; i < 6; i++)
		if (p + i == end || !is_hex(p[i]))
			return fault_set(f, JSCAN_E_SYNTAX, p + i);
	return p + 6;
}

/* p stands on a byte from 0x80 up: goes over all that follow it. */
static const char *
utf8_skip(const char *p, const char *end, struct fault *f)
{
	size_t n;

	do {
		n = utf8_length(p, (size_t)(end - p));
		if (n == 0)
			return fault_set(f, JSCAN_E_UTF8, p);
		p += n;
	} while (p < end && (signed char)*p < 0);
	return p;
}

/* p stands on the opening quote. */
static const char *
string_skip(const char *p, const char *end, struct fault *f)
{
	p++;
	while (p != NULL && (p = bytes_json_plain(p, end)) < end) {
		if (*p == '"')
			return p + 1;
		if (*p == '\\')
			p = escape_skip(p, end, f);
		else if ((signed char)*p < 0)
			p = utf8_skip(p, end, f);
		else
			return fault_set(f, JSCAN_E_SYNTAX, p);
	}
	return p == NULL ? NULL : fault_set(f, JSCAN_E_SYNTAX, end);
}

/* At least one digit. */
static const char *
digits_skip(const char *p, const char *end, struct fault *f)
{
	if (p == end || !is_digit(*p))
		return fault_set(f, JSCAN_E_SYNTAX, p);
	while (p < end && is_digit(*p))
		p++;
	return p;
}

static const char *
number_skip(const char *p, const char *end, struct fault *f)
{
	if (*p == '-')
		p++;
	if (p < end && *p == '0')
		p++;
	else
		p = digits_skip(p, end, f);
	if (p != NULL && p < end && *p == '.')
		p = digits_skip(p + 1, end, f);
	if (p != NULL && p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		p = digits_skip(p, end, f);
	}
	return p;
}

static inline const char *
word_skip(const char *p, const char *end, struct slice word, struct fault *f)
{
	size_t i;

	if ((size_t)(end - p) >= word.len && memcmp(p, word.ptr, word.len) == 0)
		return p + word.len;
	for (i = 0; i < word.len; i++)
		if (p + i == end || p[i] != word.ptr[i])
			break;
	return fault_set(f, JSCAN_E_SYNTAX, p + i);
}

/* A string, number or word; p is before end. */
static inline const char *
scalar_skip(const char *p, const char *end, struct fault *f)
{
	switch (kinds[(unsigned char)*p]) {
	case JSTRING:
		return string_skip(p, end, f);
	case JNUMBER:
		return number_skip(p, end, f);
	case JNULL:
		return word_skip(p, end, SLICE("null"), f);
	case JTRUE:
		return word_skip(p, end, SLICE("true"), f);
	case JFALSE:
		return word_skip(p, end, SLICE("false"), f);
	default:
		return fault_set(f, JSCAN_E_SYNTAX, p);
	}
}

/* A member's name. *plain: it has no escapes. */
static inline const char *
name_skip(const char *p, const char *end, bool *plain, struct fault *f)
{
	const char *q;

	if (p == end || *p != '"')
		return fault_set(f, JSCAN_E_SYNTAX, p);
	q = bytes_json_plain(p + 1, end);
	*plain = q < end && *q == '"';
	return *plain ? q + 1 : string_skip(p, end, f);
}

/* Over the colon, up to where the value begins. */
static inline const char *
colon_skip(const char *p, const char *end, struct fault *f)
{
	p = blank_skip(p, end);
	if (p == end || *p != ':')
		return fault_set(f, JSCAN_E_SYNTAX, p);
	return blank_skip(p + 1, end);
}

static inline const char *
key_skip(const char *p, const char *end, struct fault *f)
{
	bool plain;

	p = name_skip(p, end, &plain, f);
	return p == NULL ? NULL : colon_skip(p, end, f);
}

static inline void
nesting_enter(struct nesting *n, bool object)
{
	uint64_t bit = (uint64_t)1 << n->depth % 64;

	if (object)
		n->objects[n->depth / 64] |= bit;
	else
		n->objects[n->depth / 64] &= ~bit;
	n->depth++;
	n->object = object;
}

static inline void
nesting_leave(struct nesting *n)
{
	n->depth--;
	if (n->depth > 0)
		n->object = n->objects[(n->depth - 1) / 64] >> (n->depth - 1) % 64 & 1;
}

/* A value has ended before p: leaves the containers that end here too. Gives
 * where the next value begins, or the end of all when depth became 0. */
static inline const char *
nesting_go_on(struct nesting *n, const char *p, const char *end, struct fault *f)
{
	while (n->depth > 0) {
		p = blank_skip(p, end);
		if (p < end && *p == ',') {
			p = blank_skip(p + 1, end);
			return n->object ? key_skip(p, end, f) : p;
		}
		if (p == end || *p != (n->object ? '}' : ']'))
			return fault_set(f, JSCAN_E_SYNTAX, p);
		p++;
		nesting_leave(n);
	}
	return p;
}

/* An object or array, p on its bracket; at most room levels deep. */
static const char *
container_skip(const char *p, const char *end, unsigned room, struct fault *f)
{
	struct nesting n = { .depth = 0 };

	do {
		if (p == end)
			return fault_set(f, JSCAN_E_SYNTAX, p);
		if (*p != '{' && *p != '[') {
			p = scalar_skip(p, end, f);
		} else if (n.depth == room) {
			return fault_set(f, JSCAN_E_DEPTH, p);
		} else {
			nesting_enter(&n, *p == '{');
			p = blank_skip(p + 1, end);
			if (p == end || *p != (n.object ? '}' : ']')) {
				if (n.object)
					p = key_skip(p, end, f);
				continue;
			}
			p++;
			nesting_leave(&n);
		}
		if (p != NULL)
			p = nesting_go_on(&n, p, end, f);
	} while (p != NULL && n.depth > 0);
	return p;
}

/* One value, p on its first byte; at most room levels deep. */
static inline const char *
value_skip(const char *p, const char *end, unsigned room, struct fault *f)
{
	if (p < end && (*p == '{' || *p == '['))
		return container_skip(p, end, room, f);
	return p < end ? scalar_skip(p, end, f) : fault_set(f, JSCAN_E_SYNTAX, p);
}

static struct jvalue
value_make(const char *p, const char *end)
{
	return (struct jvalue){ kinds[(unsigned char)*p], slice_make(p, (size_t)(end - p)) };
}

/* A text that is not there is an empty one. */
static inline struct slice
text_there(struct slice text)
{
	return text.ptr == NULL ? SLICE("") : text;
}

int
jscan_check(struct slice text, struct jvalue *out, size_t *at)
{
	struct fault f = { JSCAN_END, NULL };
	const char *p, *after, *end;

	text = text_there(text);
	end = text.ptr + text.len;
	p = blank_skip(text.ptr, end);
	after = value_skip(p, end, LIMIT_JSON_DEPTH, &f);
	if (after != NULL) {
		if (out != NULL)
			*out = value_make(p, after);
		after = blank_skip(after, end);
		if (after < end)
			fault_set(&f, JSCAN_E_SYNTAX, after);
	}
	if (at != NULL)
		*at = f.error == JSCAN_END ? text.len : (size_t)(f.at - text.ptr);
	return f.error;
}

void
jscan_init(struct jscan *s, struct slice text)
{
	text = text_there(text);
	*s = (struct jscan){
		.pos = text.ptr, .start = text.ptr, .end = text.ptr + text.len,
		.state = STATE_START, .kind = JNONE,
	};
}

static int
jscan_fail(struct jscan *s, const struct fault *f)
{
	s->pos = f->at;
	s->state = f->error;
	return f->error;
}

/* Only blanks may be left. */
static int
jscan_finish(struct jscan *s, const char *p)
{
	struct fault f;

	s->pos = blank_skip(p, s->end);
	if (s->pos < s->end) {
		fault_set(&f, JSCAN_E_SYNTAX, s->pos);
		return jscan_fail(s, &f);
	}
	s->state = STATE_END;
	return JSCAN_END;
}

/* The first call: into the object, or over a text that is something else. */
static int
jscan_begin(struct jscan *s)
{
	struct fault f = { JSCAN_END, NULL };
	const char *p = blank_skip(s->pos, s->end), *after;

	if (p < s->end && *p == '{') {
		s->kind = JOBJECT;
		s->pos = blank_skip(p + 1, s->end);
		s->state = STATE_FIRST;
		return JSCAN_ITEM;
	}
	after = value_skip(p, s->end, LIMIT_JSON_DEPTH, &f);
	if (after == NULL)
		return jscan_fail(s, &f);
	s->kind = kinds[(unsigned char)*p];
	return jscan_finish(s, after);
}

static int
jscan_member(struct jscan *s, struct jmember *m)
{
	struct fault f = { JSCAN_END, NULL };
	const char *key = s->pos, *after;
	const char *p = name_skip(key, s->end, &m->key_plain, &f);

	if (p == NULL)
		return jscan_fail(s, &f);
	m->key_text = slice_make(key, (size_t)(p - key));
	m->key = slice_make(key + 1, (size_t)(p - key) - 2);
	p = colon_skip(p, s->end, &f);
	after = p == NULL ? NULL : value_skip(p, s->end, LIMIT_JSON_DEPTH - 1, &f);
	if (after == NULL)
		return jscan_fail(s, &f);
	m->value = value_make(p, after);
	s->pos = after;
	s->state = STATE_NEXT;
	return JSCAN_ITEM;
}

int
jscan_next(struct jscan *s, struct jmember *m)
{
	struct fault f;

	if (s->state == STATE_START && jscan_begin(s) != JSCAN_ITEM)
		return s->state == STATE_END ? JSCAN_END : s->state;
	if (s->state == STATE_END)
		return JSCAN_END;
	if (s->state < 0)
		return s->state;
	s->pos = blank_skip(s->pos, s->end);
	if (s->pos < s->end && *s->pos == '}') {
		s->close = (size_t)(s->pos - s->start);
		return jscan_finish(s, s->pos + 1);
	}
	if (s->state == STATE_NEXT) {
		if (s->pos == s->end || *s->pos != ',') {
			fault_set(&f, JSCAN_E_SYNTAX, s->pos);
			return jscan_fail(s, &f);
		}
		s->pos = blank_skip(s->pos + 1, s->end);
	}
	return jscan_member(s, m);
}

size_t
jscan_at(const struct jscan *s)
{
	return (size_t)(s->pos - s->start);
}

void
jiter_init(struct jiter *it, struct jvalue v)
{
	*it = (struct jiter){ NULL, NULL, v.kind == JOBJECT };
	if (v.kind != JOBJECT && v.kind != JARRAY)
		return;
	it->pos = v.text.ptr + 1;
	it->end = v.text.ptr + v.text.len - 1;
}

/* The values are known to be good; that the checking scanner goes over them
 * again costs less than a second scanner would. */
bool
jiter_next(struct jiter *it, struct jmember *m)
{
	struct jscan s = { .pos = it->pos, .end = it->end, .start = it->pos };
	struct fault f = { JSCAN_END, NULL };
	const char *p, *after;

	p = blank_skip(it->pos, it->end);
	if (p < it->end && *p == ',')
		p = blank_skip(p + 1, it->end);
	if (p == it->end)
		return false;
	if (it->object) {
		s.pos = p;
		if (jscan_member(&s, m) != JSCAN_ITEM)
			return false;
		it->pos = s.pos;
		return true;
	}
	after = value_skip(p, it->end, LIMIT_JSON_DEPTH, &f);
	if (after == NULL)
		return false;
	*m = (struct jmember){ .value = value_make(p, after) };
	it->pos = after;
	return true;
}
