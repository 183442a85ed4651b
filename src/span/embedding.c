/* SPDX-License-Identifier: Apache-2.0 */
/*
 * embedding.c: POST /v1/embeddings. Clients ask for vectors as base64 of
 * little-endian float32 and decode it themselves; the span holds numbers, the
 * same ones in either encoding. How many of them is a setting.
 */
#include <string.h>

#include "core/base64.h"
#include "span/error.h"
#include "span/inner.h"
#include "span/json.h"

static void
embedding_request(struct build *b, struct jvalue body)
{
	b->span.input = jget(body, SLICE("input")).text;
}

/* How many numbers of a vector stay. */
static size_t
numbers_kept(const struct build *b)
{
	switch (b->options.vectors) {
	case VECTORS_FIRST:
		return b->options.vectors_first;
	case VECTORS_NONE:
		return 0;
	case VECTORS_KEEP:
		break;
	}
	return SIZE_MAX;
}

/* Little-endian float32 as decimals with commas between. */
static void
floats_json(struct slice bytes, size_t most, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)bytes.ptr;
	size_t i, n = bytes.len / 4 < most ? bytes.len / 4 : most;
	uint32_t bits;
	float v;

	for (i = 0; i < n; i++, p += 4) {
		bits = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
		    (uint32_t)p[3] << 24;
		memcpy(&v, &bits, sizeof(v));
		buf_str(out, i ? "," : "");
		span_number_text((double)v, out);
	}
}

/* The first elements of a list as they stand. */
static void
elements_json(struct jvalue list, size_t most, struct buf *out)
{
	struct jmember m;
	struct jiter it;
	size_t i;

	jiter_init(&it, list);
	for (i = 0; i < most && jiter_next(&it, &m); i++) {
		buf_str(out, i ? "," : "");
		buf_slice(out, m.value.text);
	}
}

/* Appends one vector as a list of its kept numbers; what is none is null. */
static void
vector_json(struct build *b, struct jvalue v, struct buf *out)
{
	size_t most = numbers_kept(b);
	struct buf bytes;

	if (v.kind == JARRAY && most == SIZE_MAX) {
		buf_slice(out, v.text);
		return;
	}
	buf_init(&bytes, LIMIT_EXPANDED);
	if (v.kind == JARRAY) {
		buf_byte(out, '[');
		elements_json(v, most, out);
		buf_byte(out, ']');
	} else if (v.kind == JSTRING && base64_decode(build_text(b, v), &bytes) &&
	    bytes.len % 4 == 0) {
		buf_byte(out, '[');
		floats_json(buf_view(&bytes), most, out);
		buf_byte(out, ']');
	} else {
		warn_add(&b->warnings, WARN_VECTOR_UNREADABLE, SLICE_NONE);
		buf_str(out, "null");
	}
	buf_free(&bytes);
}

/* One flat vector for one input, a list of vectors for several. */
static void
vectors_output(struct build *b, struct jvalue data)
{
	struct jmember m;
	struct buf out;
	struct jiter it;
	size_t n = 0;

	buf_init(&out, 2 * LIMIT_EXPANDED);
	jiter_init(&it, data);
	while (jiter_next(&it, &m)) {
		buf_byte(&out, n++ ? ',' : '[');
		vector_json(b, jget(m.value, SLICE("embedding")), &out);
	}
	buf_str(&out, n ? "]" : "[]");
	b->span.output = build_take(b, &out);
	if (n == 1 && b->span.output.len > 2)
		b->span.output = slice_make(b->span.output.ptr + 1, b->span.output.len - 2);
}

/* The body with its vectors cut to what is kept of them. */
static void
vectors_cut(struct build *b, struct jvalue body, struct jvalue data)
{
	const char *at = body.text.ptr, *end = at + body.text.len;
	struct jvalue vector;
	struct jmember m;
	struct buf out;
	struct jiter it;

	buf_init(&out, 2 * LIMIT_EXPANDED);
	jiter_init(&it, data);
	while (jiter_next(&it, &m)) {
		vector = jget(m.value, SLICE("embedding"));
		if (vector.kind == JNONE)
			continue;
		buf_append(&out, at, (size_t)(vector.text.ptr - at));
		vector_json(b, vector, &out);
		at = vector.text.ptr + vector.text.len;
	}
	buf_append(&out, at, (size_t)(end - at));
	b->span.full_response = build_take(b, &out);
}

static void
embedding_plain(struct build *b, struct jvalue body)
{
	struct jvalue data = jget(body, SLICE("data"));

	build_model(b, jget(body, SLICE("model")));
	b->span.response_id = build_text(b, jget(body, SLICE("id")));
	build_usage(b, jget(body, SLICE("usage")), false);
	if (json_truthy(jget(body, SLICE("error"))))
		error_of(b, body);
	if (data.kind != JARRAY || b->options.row_only || b->hidden)
		return;
	vectors_output(b, data);
	if (b->options.vectors != VECTORS_KEEP)
		vectors_cut(b, body, data);
}

/* No provider streams vectors: what comes as a stream is an error, which the
 * builder has seen. */
static bool
embedding_event(struct build *b, const struct sse_event *e, struct jvalue json)
{
	(void)b, (void)e, (void)json;
	return false;
}

static void
embedding_finish(struct build *b)
{
	(void)b;
}

const struct family_ops family_embedding = {
	.estimates = ESTIMATE_PROMPT,
	.json_only = true,
	.request = embedding_request,
	.plain = embedding_plain,
	.event = embedding_event,
	.finish = embedding_finish,
};
