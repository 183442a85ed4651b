/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jscan against a small recursive parser that was written from RFC 8259 only,
 * and the readers of values against each other.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/jscan.h"
#include "core/limits.h"
#include "core/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)

/* The other parser: gives the rest of the text behind the value, or NULL. */
struct text {
	const char	*p, *end;
};

static bool value_parse(struct text *, unsigned);

static void
blanks(struct text *t)
{
	while (t->p < t->end && strchr(" \t\r\n", *t->p) != NULL && *t->p != '\0')
		t->p++;
}

static bool
eat(struct text *t, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(t->end - t->p) < n || memcmp(t->p, word, n) != 0)
		return false;
	t->p += n;
	return true;
}

static bool
digits(struct text *t)
{
	const char *start = t->p;

	while (t->p < t->end && *t->p >= '0' && *t->p <= '9')
		t->p++;
	return t->p > start;
}

static bool
number_parse(struct text *t)
{
	(void)eat(t, "-");
	if (!eat(t, "0") && !digits(t))
		return false;
	if (eat(t, ".") && !digits(t))
		return false;
	if (!eat(t, "e") && !eat(t, "E"))
		return true;
	if (!eat(t, "+"))
		(void)eat(t, "-");
	return digits(t);
}

static bool
escape_parse(struct text *t)
{
	int i;

	if (t->p == t->end)
		return false;
	if (*t->p != 'u')
		return *t->p != '\0' && strchr("\"\\/bfnrt", *t->p++) != NULL;
	t->p++;
	for (i = 0; i < 4; i++, t->p++)
		if (t->p == t->end || *t->p == '\0' || strchr("0123456789abcdefABCDEF", *t->p) == NULL)
			return false;
	return true;
}

static bool
string_parse(struct text *t)
{
	size_t n;

	if (!eat(t, "\""))
		return false;
	while (!eat(t, "\"")) {
		if (eat(t, "\\")) {
			if (!escape_parse(t))
				return false;
			continue;
		}
		n = utf8_length(t->p, (size_t)(t->end - t->p));
		if (n == 0 || (unsigned char)*t->p < 0x20)
			return false;
		t->p += n;
	}
	return true;
}

static bool
member_parse(struct text *t, bool object, unsigned depth)
{
	if (object) {
		if (!string_parse(t))
			return false;
		blanks(t);
		if (!eat(t, ":"))
			return false;
	}
	return value_parse(t, depth);
}

static bool
container_parse(struct text *t, bool object, unsigned depth)
{
	const char *close = object ? "}" : "]";

	if (depth == LIMIT_JSON_DEPTH)
		return false;
	blanks(t);
	if (eat(t, close))
		return true;
	do {
		blanks(t);
		if (!member_parse(t, object, depth + 1))
			return false;
	} while (eat(t, ","));
	return eat(t, close);
}

static bool
value_parse(struct text *t, unsigned depth)
{
	bool good;

	blanks(t);
	if (eat(t, "{"))
		good = container_parse(t, true, depth);
	else if (eat(t, "["))
		good = container_parse(t, false, depth);
	else if (t->p < t->end && *t->p == '"')
		good = string_parse(t);
	else
		good = eat(t, "null") || eat(t, "true") || eat(t, "false") || number_parse(t);
	blanks(t);
	return good;
}

static void
string_look(struct jvalue v)
{
	struct slice plain = jstring_plain(v), got;
	struct buf b;
	size_t at, n;

	buf_init(&b, MIB);
	CHECK(jstring(v, &b));
	got = buf_view(&b);
	for (at = 0; at < got.len; at += n) {
		n = utf8_length(got.ptr + at, got.len - at);
		CHECK(n > 0);
	}
	CHECK(jstring_is(v, got));
	CHECK(plain.ptr == NULL || slice_eq(plain, got));
	CHECK(jempty(v) == (got.len == 0));
	buf_free(&b);
}

static void
number_look(struct jvalue v)
{
	double d, whole;
	int64_t i;
	bool finite = jnumber(v, &d);

	if (!jint(v, &i))
		return;
	CHECK(finite && d == (double)i);
	CHECK(modf(d, &whole) == 0);
}

/* All that can be asked of a value, and of what is in it down to a depth. */
static void
value_look(struct jvalue v, int depth)
{
	char scratch[64];
	struct slice name;
	struct jmember m;
	struct jiter it;

	CHECK(v.text.len > 0);
	if (v.kind == JSTRING)
		string_look(v);
	if (v.kind == JNUMBER)
		number_look(v);
	if (depth == 0)
		return;
	jiter_init(&it, v);
	while (jiter_next(&it, &m)) {
		CHECK((v.kind == JOBJECT) == (m.key.ptr != NULL));
		name = m.key.ptr != NULL ? jkey_plain(&m, scratch, sizeof(scratch)) : SLICE_NONE;
		if (name.ptr != NULL) {
			CHECK(jkey_is(&m, name));
			if (depth == 4)
				CHECK(jget(v, name).kind != JNONE);
		}
		value_look(m.value, depth - 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make(data, size);
	struct text other = { text.ptr, text.ptr + text.len };
	struct jvalue v = { JNONE, SLICE_NONE };
	struct jmember m;
	struct jiter it;
	struct jmember twin;
	struct jscan s;
	size_t at;
	int r, w;

	r = jscan_check(text, &v, &at);
	CHECK(at <= text.len);
	CHECK((r == JSCAN_END) == (value_parse(&other, 0) && other.p == other.end));
	jiter_init(&it, r == JSCAN_END ? v : (struct jvalue){ JNONE, SLICE_NONE });
	jscan_init(&s, text);
	while ((w = jscan_next(&s, &m)) == JSCAN_ITEM)
		if (r == JSCAN_END) {
			CHECK(jiter_next(&it, &twin) && slice_eq(twin.key_text, m.key_text));
			CHECK(twin.value.text.ptr == m.value.text.ptr);
		}
	CHECK(w == r);
	CHECK(r == JSCAN_END ? s.kind == v.kind : jscan_at(&s) == at);
	if (r == JSCAN_END) {
		CHECK(s.kind != JOBJECT || text.ptr[s.close] == '}');
		value_look(v, 4);
	}
	return 0;
}
