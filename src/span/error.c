/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.c: error bodies in their shapes: {"error":{"message"}}, {"error":"text"},
 * {"object":"error","message"}, {"detail":[...]}, [{"error":...}], flat error
 * events, plain text, HTML, nothing. Called by the builder and the families.
 */
#include "span/error.h"

#include "span/inner.h"
#include "span/json.h"

#define ERROR_TEXT 1024		/* bytes kept of a body that is not JSON */
#define ERROR_JSON (64 * KIB)	/* bytes kept of an error that is a JSON value */

/* Cuts to n bytes, not inside a character. */
static struct slice
text_cut(struct slice s, size_t n)
{
	if (s.len <= n)
		return s;
	while (n > 0 && ((unsigned char)s.ptr[n] & 0xc0) == 0x80)
		n--;
	s.len = n;
	return s;
}

/* A string's characters, or any other value as JSON on one line. */
static bool
error_value(struct build *b, struct jvalue v)
{
	struct buf text;

	if (v.kind == JSTRING) {
		build_error(b, build_text(b, v));
		return true;
	}
	buf_init(&text, 2 * LIMIT_EVENT);
	json_respace(text_cut(v.text, ERROR_JSON), " ", &text);
	build_error(b, arena_take(&b->arena, &text));
	return true;
}

/* The first of the members that says something. */
static bool
error_member(struct build *b, struct jvalue v, const struct slice *names, size_t n)
{
	struct jvalue found[8];
	size_t i;

	json_pick(v, names, found, n);
	for (i = 0; i < n; i++)
		if (json_truthy(found[i]) &&
		    !(found[i].kind == JOBJECT && jget(found[i], SLICE("role")).kind != JNONE))
			return error_value(b, found[i]);
	return false;
}

bool
error_of(struct build *b, struct jvalue v)
{
	static const struct slice inside[] = {
		SLICE("message"), SLICE("msg"), SLICE("detail"), SLICE("code"), SLICE("type"),
	};
	static const struct slice outside[] = {
		SLICE("message"), SLICE("detail"), SLICE("msg"), SLICE("Message"),
	};
	struct jmember first;
	struct jvalue error;
	struct jiter it;

	if (v.kind == JARRAY) {
		jiter_init(&it, v);
		if (!jiter_next(&it, &first))
			return false;
		v = first.value;
	}
	if (v.kind != JOBJECT)
		return false;
	error = jget(v, SLICE("error"));
	if (error.kind == JOBJECT)
		return error_member(b, error, inside, sizeof(inside) / sizeof(*inside)) ||
		    error_value(b, error);
	if (error.kind == JSTRING && !jempty(error))
		return error_value(b, error);
	return error_member(b, v, outside, sizeof(outside) / sizeof(*outside));
}

void
error_of_text(struct build *b, struct slice body)
{
	struct buf text;

	buf_init(&text, 4 * ERROR_TEXT);
	body = text_cut(json_trim(body), ERROR_TEXT);
	if (body.len > 0)
		json_repair(body, &text);
	else
		buf_printf(&text, "HTTP %lld with an empty body", (long long)b->status);
	build_error(b, arena_take(&b->arena, &text));
}
