/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.c: small readings of checked JSON. Called by the builder's parts; it
 * builds no documents.
 */
#include "span/json.h"

#include "core/utf8.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct slice
json_trim(struct slice s)
{
	while (s.len > 0 && is_blank(s.ptr[0]))
		s = slice_from(s, 1);
	while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

size_t
json_index(const struct jmember *m, const struct slice *names, size_t n)
{
	bool plain = m->key.len == 0 ||
	    memchr(m->key.ptr, '\\', m->key.len) == NULL;
	size_t i;

	for (i = 0; i < n; i++)
		if (plain ? slice_eq(m->key, names[i]) : jkey_is(m, names[i]))
			break;
	return i;
}

void
json_pick(struct jvalue object, const struct slice *names, struct jvalue *out, size_t n)
{
	struct jmember m;
	struct jiter it;
	size_t i;

	for (i = 0; i < n; i++)
		out[i] = (struct jvalue){ .kind = JNONE };
	if (object.kind != JOBJECT)
		return;
	jiter_init(&it, object);
	while (jiter_next(&it, &m))
		if ((i = json_index(&m, names, n)) < n)
			out[i] = m.value;
}

struct slice
json_inner(struct jvalue v)
{
	if (v.kind != JSTRING)
		return SLICE_NONE;
	return slice_make(v.text.ptr + 1, v.text.len - 2);
}

struct slice
json_elements(struct jvalue array)
{
	if (array.kind != JARRAY)
		return SLICE_NONE;
	return json_trim(slice_make(array.text.ptr + 1, array.text.len - 2));
}

void
json_list_add(struct buf *list, struct slice elements)
{
	if (elements.len == 0)
		return;
	buf_str(list, list->len ? "," : "");
	buf_slice(list, elements);
}

void
json_list_member(const char *name, const struct buf *elements, struct buf *out)
{
	if (elements->len == 0)
		return;
	buf_printf(out, ",\"%s\":[", name);
	buf_slice(out, buf_view(elements));
	buf_byte(out, ']');
}

bool
json_truthy(struct jvalue v)
{
	double number;

	if (v.kind == JNUMBER)
		return !jnumber(v, &number) || number < 0 || number > 0;
	return v.kind == JTRUE ||
	    ((v.kind == JSTRING || v.kind == JOBJECT || v.kind == JARRAY) && !jempty(v));
}

void
json_respace(struct slice text, const char *gap, struct buf *out)
{
	bool quoted = false;
	size_t i, start = 0;

	if (text.len == 0)
		return;
	for (i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
		} else if (c == '"')
			quoted = true;
		else if (c == ',' || c == ':' || is_blank(c)) {
			buf_append(out, text.ptr + start, i - start);
			start = i + 1;
			if (!is_blank(c)) {
				buf_byte(out, c);
				buf_str(out, gap);
			}
		}
	}
	buf_append(out, text.ptr + start, text.len - start);
}

void
json_escape(struct slice characters, struct buf *out)
{
	size_t start = out->len;

	/* the quotes go again: first by moving down, last by length */
	if (!buf_json_string(out, characters))
		return;
	memmove(out->ptr + start, out->ptr + start + 1, out->len - start - 2);
	out->len -= 2;
}

void
json_repair(struct slice s, struct buf *out)
{
	size_t i = 0, start = 0, n;

	if (s.len == 0)
		return;
	while (i < s.len) {
		n = utf8_length(s.ptr + i, s.len - i);
		if (n == 0) {
			buf_append(out, s.ptr + start, i - start);
			buf_str(out, "\xef\xbf\xbd");
			start = i + 1;
		}
		i += n ? n : 1;
	}
	buf_append(out, s.ptr + start, s.len - start);
}

bool
json_is_text(struct slice s)
{
	size_t i = 0, n;

	while (i < s.len) {
		if (s.ptr[i] == '\0' || (n = utf8_length(s.ptr + i, s.len - i)) == 0)
			return false;
		i += n;
	}
	return true;
}
