/* SPDX-License-Identifier: Apache-2.0 */
/*
 * respan: the kind of sink that speaks the Respan API: spans as JSON to
 * /api/v1/traces/ingest, which another spangate takes as well. Each span names
 * its trace and itself, so that one that is sent again is the same row there; a
 * span without a trace is one by its own id.
 */
#include "export/kind.h"

#include <stdlib.h>

#include "base/base.h"
#include "core/jscan.h"
#include "core/limits.h"
#include "span/given.h"
#include "store/store.h"

#define REFUSED_FIELDS 16	/* of one span that the target could not read: left out, one after the other */

/* What is this store's own, or says nothing elsewhere. */
static const int kept_back[] = {
	SPAN_F_id, SPAN_F_unique_id, SPAN_F_log_method, SPAN_F_organization_key_id, SPAN_F_cost_details,
	SPAN_F_request_headers, SPAN_F_response_headers, SPAN_F_is_pinned,
	SPAN_F_relayed_by,	/* with this gateway added */
};

/* The span being written. */
struct writer {
	struct span	 span;		/* with what is not to be sent taken out */
	bool		 left_out[SPAN_FIELDS];
	struct slice	 extra;
	const char	*instance;
};

static void
begin(struct export_request *r)
{
	r->path = "/api/v1/traces/ingest";
	r->content_type = "application/json";
	buf_byte(&r->body, '[');
}

static void
prepare(struct writer *w, const struct sink_config *c, const struct export_item *item)
{
	struct span *s = &w->span;

	*s = *item->span;
	w->extra = s->extra;
	for (size_t i = 0; i < sizeof(kept_back) / sizeof(kept_back[0]); i++)
		w->left_out[kept_back[i]] = true;
	for (int i = 0; i < SPAN_FIELDS; i++)
		w->left_out[i] |= c->bodies == SINK_BODIES_NONE && store_body_field(i);
	if (c->bodies == SINK_BODIES_NONE)
		w->extra = SLICE_NONE;
	if (c->bodies != SINK_BODIES_FULL)
		w->left_out[SPAN_F_full_request] = w->left_out[SPAN_F_full_response] = true;
	if (s->trace_unique_id.len == 0)
		s->trace_unique_id = s->id;
	if (s->span_unique_id.len == 0 || item->doubled)
		s->span_unique_id = s->id;
}

/* Members that are no fields, as they came. */
static void
put_extra(struct slice extra, struct buf *out)
{
	struct jvalue v;
	struct jiter it;
	struct jmember m;

	if (!extra.ptr || jscan_check(extra, &v, NULL) != JSCAN_END)
		return;
	for (jiter_init(&it, v); jiter_next(&it, &m);) {
		buf_byte(out, ',');
		buf_slice(out, m.key_text);
		buf_byte(out, ':');
		buf_slice(out, m.value.text);
	}
}

/* Has this gateway sent it on before? Two that send to each other would do so for ever. */
static bool
came_back(const struct export_request *r, struct slice relayed_by)
{
	struct jvalue v;
	struct jiter it;
	struct jmember m;

	if (!relayed_by.ptr || r->instance == NULL || jscan_check(relayed_by, &v, NULL) != JSCAN_END || v.kind != JARRAY)
		return false;
	for (jiter_init(&it, v); jiter_next(&it, &m);)
		if (jstring_is(m.value, slice_str(r->instance)))
			return true;
	return false;
}

/* Those that sent it on, and this one. */
static void
put_relayed_by(const char *instance, struct slice before, struct buf *out)
{
	struct slice list = SLICE_NONE;
	struct jvalue v;

	if (before.ptr && jscan_check(before, &v, NULL) == JSCAN_END && v.kind == JARRAY && !jempty(v))
		list = slice_make(v.text.ptr + 1, v.text.len - 2);
	buf_str(out, ",\"relayed_by\":[");
	buf_slice(out, list);
	buf_printf(out, "%s\"%s\"]", list.len ? "," : "", instance);
}

static void
write_span(const struct writer *w, struct buf *out)
{
	char before = '{';

	for (int i = 0; i < SPAN_FIELDS; i++) {
		if (w->left_out[i] || span_is_null(&w->span, i))
			continue;
		buf_byte(out, before);
		buf_printf(out, "\"%s\":", span_fields[i].name);
		span_value_json(&w->span, i, out);
		before = ',';
	}
	put_extra(w->extra, out);
	if (w->instance != NULL)
		put_relayed_by(w->instance, w->span.relayed_by, out);
	buf_byte(out, '}');
}

/* Leaves out what makes the text unfit; false: that is not to be had. */
static bool
mend(struct writer *w, const struct given_error *e, size_t size)
{
	int field = span_field_by_name(slice_str(e->member));

	if (size > LIMIT_SPAN) {	/* the largest first, which stand in it twice */
		if (!w->left_out[SPAN_F_full_request] || !w->left_out[SPAN_F_full_response]) {
			w->left_out[SPAN_F_full_request] = w->left_out[SPAN_F_full_response] = true;
			return true;
		}
		if (w->left_out[SPAN_F_input] && w->left_out[SPAN_F_output])
			return false;
		for (int i = 0; i < SPAN_FIELDS; i++)
			w->left_out[i] |= store_body_field(i);
		w->extra = SLICE_NONE;
		return true;
	}
	if (field < 0 || w->left_out[field]) {
		if (!w->extra.ptr)
			return false;
		w->extra = SLICE_NONE;
		return true;
	}
	w->left_out[field] = true;
	return true;
}

/* Requests that a provider refused may hold what is no span's: a temperature
 * that is a text. The rest of such a span goes without it. */
static bool
add(struct export_request *r, const struct export_item *item)
{
	size_t start, at = r->body.len;
	struct writer w = { .extra = SLICE_NONE };
	struct given_error e = { .member = "" };
	struct slice text;
	struct jvalue v;

	if (came_back(r, item->span->relayed_by)) {
		r->none = true;
		return true;
	}
	prepare(&w, r->config, item);
	w.instance = r->instance;
	if (r->items > 0)
		buf_str(&r->body, ",\n");
	start = r->body.len;
	for (int i = 0; i < REFUSED_FIELDS && !r->body.failed; i++) {
		write_span(&w, &r->body);
		text = slice_make(r->body.ptr + start, r->body.len - start);
		if (!r->body.failed && text.len <= LIMIT_SPAN && jscan_check(text, &v, NULL) == JSCAN_END &&
		    given_check(v, true, &e))
			return true;
		r->body.len = start;
		if (!mend(&w, &e, text.len))
			break;
	}
	r->body.len = at;
	return false;
}

static void
finish(struct export_request *r)
{
	buf_byte(&r->body, ']');
}

/* "member: what is wrong" of an element of `errors`. */
static void
error_text(struct jvalue error, struct buf *out)
{
	size_t before = out->len;

	if (jstring(jget(error, SLICE("member")), out) && out->len > before)
		buf_str(out, ": ");
	if (!jstring(jget(error, SLICE("message")), out))
		buf_str(out, "refused");
}

/* Where the answer tells of single spans, those are what was refused: `errors`
 * says why, and `results` has them all. */
static void
judge(const struct export_request *r, const struct export_answer *a, struct export_verdict *v)
{
	struct jvalue body, errors, results;
	struct jmember m;
	struct jiter it;
	struct buf text;
	int64_t index;
	size_t n = 0;

	(void)r;
	if ((v->outcome != EXPORT_TAKEN && v->outcome != EXPORT_REFUSED) || jscan_check(a->body, &body, NULL) != JSCAN_END)
		return;
	errors = jget(body, SLICE("errors"));
	results = jget(body, SLICE("results"));
	buf_init(&text, 64 * KIB);
	for (jiter_init(&it, errors); errors.kind == JARRAY && jiter_next(&it, &m);) {
		if (!jint(jget(m.value, SLICE("index")), &index) || index < 0)
			continue;
		buf_clear(&text);
		error_text(m.value, &text);
		export_refuse(v, (size_t)index, buf_view(&text));
	}
	for (jiter_init(&it, results); results.kind == JARRAY && jiter_next(&it, &m); n++)
		if (jstring_is(jget(m.value, SLICE("status")), SLICE("error")))
			export_refuse(v, n, SLICE("refused"));
	buf_free(&text);
}

const struct export_kind export_respan = {
	.name = "respan", .begin = begin, .add = add, .finish = finish, .judge = judge,
};
