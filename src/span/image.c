/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image.c: POST /v1/images/generations, edits and variations. Request and
 * answer stand in the span as objects; a stream is put together into the
 * document that an unstreamed answer would have been. What becomes of the
 * pictures themselves is media.c's business.
 */
#include <stdlib.h>

#include "span/error.h"
#include "span/inner.h"
#include "span/json.h"
#include "span/rest.h"

struct image_stream {
	struct buf	data;		/* elements of the document's `data` */
	struct slice	created;	/* a number's text */
	unsigned	partials;	/* pictures that came before they were done */
	struct rest	rest;		/* of the events of whole pictures */
};

static void
image_request(struct build *b, struct jvalue body)
{
	b->span.input = body.kind != JNONE ? body.text : SLICE_NONE;
}

static void
image_plain(struct build *b, struct jvalue body)
{
	b->span.output = body.text;
	build_model(b, jget(body, SLICE("model")));
	build_usage(b, jget(body, SLICE("usage")), false);
	if (json_truthy(jget(body, SLICE("error"))))
		error_of(b, body);
}

static struct image_stream *
image_state(struct build *b)
{
	bool made = build_state(b, sizeof(struct image_stream));
	struct image_stream *is = b->family_state;

	if (made)
		buf_init(&is->data, LIMIT_EXPANDED);
	return is;
}

static void
image_free(struct build *b)
{
	struct image_stream *is = b->family_state;

	if (is == NULL)
		return;
	buf_free(&is->data);
	rest_free(&is->rest);
	free(is);
	b->family_state = NULL;
}

/* Names end alike: image_generation.completed, image_edit.completed. */
static bool
type_ends(struct jvalue type, struct slice event, struct slice tail)
{
	return slice_ends(type.kind == JSTRING ? json_inner(type) : event, tail);
}

static bool
image_event(struct build *b, const struct sse_event *e, struct jvalue json)
{
	enum { TYPE, PICTURE, URL, CREATED, USAGE, INDEX, MEMBERS };
	static const struct slice names[MEMBERS] = {
		[TYPE] = SLICE("type"), [PICTURE] = SLICE("b64_json"), [URL] = SLICE("url"),
		[CREATED] = SLICE("created_at"), [USAGE] = SLICE("usage"),
		[INDEX] = SLICE("partial_image_index"),
	};
	struct image_stream *is = image_state(b);
	struct jvalue v[MEMBERS], picture;

	if (is == NULL)
		return false;
	json_pick(json, names, v, MEMBERS);
	picture = v[PICTURE].kind == JSTRING ? v[PICTURE] : v[URL];
	if (type_ends(v[TYPE], e->type, SLICE(".partial_image"))) {
		is->partials += picture.kind == JSTRING;
		return picture.kind == JSTRING;
	}
	if (picture.kind != JSTRING && !type_ends(v[TYPE], e->type, SLICE(".completed")))
		return false;
	rest_pick(&is->rest, json, names, v, MEMBERS);
	if (is->created.ptr == NULL && v[CREATED].kind == JNUMBER)
		is->created = arena_copy(&b->arena, v[CREATED].text);
	build_usage(b, v[USAGE], false);
	b->finish_seen = true;
	if (picture.kind != JSTRING)
		return false;
	buf_str(&is->data, is->data.len ? "," : "");
	buf_str(&is->data, v[PICTURE].kind == JSTRING ? "{\"b64_json\":" : "{\"url\":");
	buf_slice(&is->data, picture.text);
	buf_byte(&is->data, '}');
	return true;
}

static void
image_finish(struct build *b)
{
	struct image_stream *is = b->family_state;
	struct buf out;

	if (is == NULL || (is->data.len == 0 && is->partials == 0 && !b->finish_seen))
		return;
	buf_init(&out, LIMIT_EXPANDED);
	buf_str(&out, "{\"created\":");
	buf_slice(&out, is->created.ptr ? is->created : SLICE("null"));
	buf_str(&out, ",\"data\":[");
	buf_slice(&out, buf_view(&is->data));
	buf_byte(&out, ']');
	rest_json(&is->rest, &out);
	if (is->partials > 0)
		buf_printf(&out, ",\"partial_images\":%u", is->partials);
	buf_str(&out, ",\"usage\":");
	buf_slice(&out, b->has_usage ? buf_view(&b->usage_text) : SLICE("null"));
	buf_byte(&out, '}');
	b->span.output = b->span.full_response = build_take(b, &out);
}

#define SIZE_DEFAULT SLICE("1024x1024")	/* of this API */

/* As price files write it: the quality, if one is known, and the size. */
static struct slice
image_size(struct build *b, struct jvalue answer, struct jvalue request)
{
	struct jvalue size = jget(answer, SLICE("size")), quality = jget(answer, SLICE("quality"));
	struct buf out;

	if (size.kind != JSTRING)
		size = jget(request, SLICE("size"));
	if (quality.kind != JSTRING)
		quality = jget(request, SLICE("quality"));
	buf_init(&out, MIB);
	if (quality.kind == JSTRING) {
		buf_slice(&out, build_text(b, quality));
		buf_byte(&out, '/');
	}
	buf_slice(&out, size.kind == JSTRING ? build_text(b, size) : SIZE_DEFAULT);
	return build_take(b, &out);
}

static void
image_measure(struct build *b)
{
	struct jvalue answer = build_json(b, b->span.output), data = jget(answer, SLICE("data"));
	struct jiter it;
	struct jmember m;

	if (data.kind != JARRAY)
		return;
	if (!b->usage.images.set) {
		b->usage.images = (struct span_int){ true, 0 };
		for (jiter_init(&it, data); jiter_next(&it, &m);)
			b->usage.images.v++;
	}
	b->image_size = image_size(b, answer, build_json(b, b->span.input));
}

const struct family_ops family_image = {
	.output = OUTPUT_IMAGE,
	.measure = image_measure,
	.stream_ends = true,
	.request = image_request,
	.plain = image_plain,
	.event = image_event,
	.finish = image_finish,
	.free = image_free,
};
