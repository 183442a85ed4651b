/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request.c: the request's body and what it says of the span: the members that
 * providers define, and the gateway's own from all their ways in. Called by
 * build.c before the answer is read.
 */
#include <stdlib.h>

#include "core/multipart.h"
#include "core/rewrite.h"
#include "core/utf8.h"
#include "span/inner.h"
#include "span/json.h"

#define METADATA_ROOM (4 * LIMIT_EXPANDED)	/* a text within a text is escaped twice */

/* stop may be one string: the span has a list. */
static struct slice
stop_list(struct build *b, struct jvalue stop)
{
	struct buf text;

	if (stop.kind != JSTRING)
		return stop.kind == JNULL ? SLICE_NONE : stop.text;
	buf_init(&text, LIMIT_EVENT);
	buf_byte(&text, '[');
	buf_slice(&text, stop.text);
	buf_byte(&text, ']');
	return arena_take(&b->arena, &text);
}

/* The first of the n values that is a number. */
static struct slice
number_first(const struct jvalue *v, size_t n)
{
	for (; n > 0; n--, v++)
		if (v->kind == JNUMBER)
			return v->text;
	return SLICE_NONE;
}

/* Members that several families have and that go into the span as they stand. */
static void
request_common(struct build *b, struct jvalue body)
{
	enum {
		MODEL, STREAM, CHOICE, PARALLEL, FORMAT, TEMPERATURE, TOP_P, FREQUENCY,
		PRESENCE, N, SEED, LOGPROBS, EFFORT, ENCODING, DIMENSIONS, MAX, MAX_COMPLETION,
		MAX_OUTPUT, STOP, TIER, TOP_K, THINKING, RESPAN, KEYWORDSAI, MEMBERS
	};
	static const struct slice names[MEMBERS] = {
		[MODEL] = SLICE("model"), [STREAM] = SLICE("stream"),
		[CHOICE] = SLICE("tool_choice"), [PARALLEL] = SLICE("parallel_tool_calls"),
		[FORMAT] = SLICE("response_format"), [TEMPERATURE] = SLICE("temperature"),
		[TOP_P] = SLICE("top_p"), [FREQUENCY] = SLICE("frequency_penalty"),
		[PRESENCE] = SLICE("presence_penalty"), [N] = SLICE("n"), [SEED] = SLICE("seed"),
		[LOGPROBS] = SLICE("logprobs"), [EFFORT] = SLICE("reasoning_effort"),
		[ENCODING] = SLICE("encoding_format"), [DIMENSIONS] = SLICE("dimensions"),
		/* in the order of number_first */
		[MAX] = SLICE("max_tokens"), [MAX_COMPLETION] = SLICE("max_completion_tokens"),
		[MAX_OUTPUT] = SLICE("max_output_tokens"), [STOP] = SLICE("stop"),
		[TIER] = SLICE("service_tier"), [TOP_K] = SLICE("top_k"),
		[THINKING] = SLICE("thinking"),
		[RESPAN] = SLICE("respan_params"), [KEYWORDSAI] = SLICE("keywordsai_params"),
	};
	struct jvalue v[MEMBERS];
	struct span *s = &b->span;

	json_pick(body, names, v, MEMBERS);
	s->max_tokens = number_first(&v[MAX], 3);
	s->stop = stop_list(b, v[STOP]);
	s->service_tier = build_text(b, v[TIER]);
	if (v[MODEL].kind == JSTRING && !jempty(v[MODEL]))
		s->model = build_text(b, v[MODEL]);
	s->stream = (struct span_bool){ true, v[STREAM].kind == JTRUE };
	s->tool_choice = v[CHOICE].text;
	s->parallel_tool_calls = v[PARALLEL].text;
	s->response_format = v[FORMAT].text;
	s->temperature = v[TEMPERATURE].text;
	s->top_p = v[TOP_P].text;
	s->top_k = v[TOP_K].text;
	s->frequency_penalty = v[FREQUENCY].text;
	s->presence_penalty = v[PRESENCE].text;
	s->n = v[N].text;
	s->seed = v[SEED].text;
	s->encoding_format = v[ENCODING].text;
	s->dimensions = v[DIMENSIONS].text;
	s->logprobs = v[LOGPROBS].text;
	s->reasoning_effort = v[EFFORT].text;
	s->thinking = v[THINKING].text;
	s->respan_params = v[RESPAN].kind == JOBJECT ? v[RESPAN].text :
	    v[KEYWORDSAI].kind == JOBJECT ? v[KEYWORDSAI].text : SLICE_NONE;
}

/* The first n code points. */
static struct slice
points_cut(struct slice s, size_t n)
{
	size_t i = 0, step;

	while (i < s.len && n-- > 0) {
		step = utf8_length(s.ptr + i, s.len - i);
		i += step ? step : 1;
	}
	return slice_make(s.ptr, i);
}

static void
customer_set(struct build *b, struct slice id)
{
	struct slice cut;

	if (id.len == 0 || b->span.customer_identifier.ptr != NULL)
		return;
	cut = points_cut(id, LIMIT_CUSTOMER_ID);
	if (cut.len < id.len)
		warn_add(&b->warnings, WARN_CUSTOMER_CUT, SLICE_NONE);
	b->span.customer_identifier = cut;
}

/* Adds a name to a list of words. */
static void
word_add(struct buf *list, const char *word)
{
	buf_str(list, list->len ? ", " : "");
	buf_str(list, word);
}

/* One value of metadata as a string: numbers as written, structures as compact
 * text. */
static void
metadata_value(struct jvalue v, struct buf *out)
{
	struct buf compact;

	if (v.kind == JSTRING) {
		buf_slice(out, v.text);
		return;
	}
	buf_init(&compact, LIMIT_EXPANDED);
	json_respace(v.text, "", &compact);
	buf_json_string(out, buf_view(&compact));
	if (compact.failed)
		out->failed = true;
	buf_free(&compact);
}

static void
metadata_set(struct build *b, struct jvalue metadata)
{
	struct jmember m;
	struct buf out;
	struct jiter it;

	if (metadata.kind != JOBJECT) {
		warn_add(&b->warnings, WARN_METADATA_NOT_OBJECT, SLICE_NONE);
		return;
	}
	buf_init(&out, METADATA_ROOM);
	jiter_init(&it, metadata);
	while (jiter_next(&it, &m)) {
		if (m.value.kind == JNULL || jkey_is(&m, SLICE("respan_params")) ||
		    jkey_is(&m, SLICE("keywordsai_params")))
			continue;
		buf_byte(&out, out.len ? ',' : '{');
		buf_slice(&out, m.key_text);
		buf_byte(&out, ':');
		metadata_value(m.value, &out);
	}
	buf_str(&out, out.len ? "}" : "{}");
	b->span.metadata = build_take(b, &out);
}

/* The members that are a field of the same name, and those that are none. */
static const enum span_field own_fields[] = {
	SPAN_F_customer_email, SPAN_F_customer_name, SPAN_F_thread_identifier,
	SPAN_F_custom_identifier, SPAN_F_group_identifier, SPAN_F_evaluation_identifier,
	SPAN_F_environment, SPAN_F_properties, SPAN_F_trace_unique_id,
	SPAN_F_trace_group_identifier, SPAN_F_span_unique_id, SPAN_F_span_parent_id,
	SPAN_F_span_name, SPAN_F_span_workflow_name, SPAN_F_span_path, SPAN_F_span_tools,
	SPAN_F_span_handoffs, SPAN_F_variables,
	SPAN_F_prompt_id, SPAN_F_prompt_name, SPAN_F_is_custom_prompt,
	SPAN_F_prompt_unit_price, SPAN_F_completion_unit_price, SPAN_F_positive_feedback,
	SPAN_F_note, SPAN_F_is_pinned, SPAN_F_disable_log, SPAN_F_disable_fallback,
};

/* Sets a field; false: the value is of the wrong type. */
static bool
own_field_set(struct build *b, enum span_field f, struct jvalue v)
{
	void *field = (char *)&b->span + span_fields[f].offset;
	struct span_bool *flag = field;

	switch (span_fields[f].type) {
	case SPAN_TEXT:
		*(struct slice *)field = build_scalar(b, v);
		return v.kind == JSTRING || v.kind == JNUMBER;
	case SPAN_BOOL:
		flag->set = jbool(v, &flag->v);
		return flag->set;
	default:
		*(struct slice *)field = v.text;
		return true;
	}
}

/* A member that is a span field. False: it is not one of them. */
static bool
own_field(struct build *b, const struct own_member *m, struct buf *mistyped)
{
	size_t i;

	for (i = 0; i < sizeof(own_fields) / sizeof(*own_fields); i++) {
		if (strcmp(m->name, span_fields[own_fields[i]].name) != 0)
			continue;
		if (!own_field_set(b, own_fields[i], m->value))
			word_add(mistyped, m->name);
		return true;
	}
	return false;
}

/* What customer_params says stands behind members of its own. */
static void
customer_params(struct build *b, struct jvalue params)
{
	struct span *s = &b->span;

	customer_set(b, build_scalar(b, jget(params, SLICE("customer_identifier"))));
	if (s->customer_name.ptr == NULL)
		s->customer_name = build_scalar(b, jget(params, SLICE("name")));
	if (s->customer_email.ptr == NULL)
		s->customer_email = build_scalar(b, jget(params, SLICE("email")));
	if (s->group_identifier.ptr == NULL)
		s->group_identifier = build_scalar(b, jget(params, SLICE("group_identifier")));
}

/* A prompt that is the gateway's names its template. */
static void
prompt_member(struct build *b, struct jvalue prompt)
{
	if (b->span.prompt_id.ptr == NULL)
		b->span.prompt_id = build_scalar(b, jget(prompt, SLICE("prompt_id")));
	if (b->span.variables.ptr == NULL)
		b->span.variables = jget(prompt, SLICE("variables")).text;
}

/* Whether a breakdown was added the gate tells; where it never is, is known here. */
static void
breakdown_member(struct build *b, struct jvalue v, struct buf *mistyped)
{
	if (v.kind != JTRUE && v.kind != JFALSE)
		word_add(mistyped, "request_breakdown");
	if (v.kind == JTRUE && !family_has_breakdown(b->family))
		warn_add(&b->warnings, WARN_BREAKDOWN_NOT_HERE, SLICE_NONE);
}

/* Walks the gateway's own members. On a span that was given, nothing is expected
 * of those that have no effect. */
static void
own_members(struct build *b, struct jvalue body, struct jvalue header)
{
	struct jvalue params = { .kind = JNONE }, prompt = { .kind = JNONE };
	struct buf mistyped, ignored;
	struct own_member m;
	struct own_iter it;

	buf_init(&mistyped, 4 * KIB);
	buf_init(&ignored, 4 * KIB);
	own_iter_init(&it, body, header);
	while (own_iter_next(&it, &m)) {
		if (strcmp(m.name, "customer_identifier") == 0)
			customer_set(b, build_scalar(b, m.value));
		else if (strcmp(m.name, "customer_params") == 0)
			params = m.value;
		else if (strcmp(m.name, "metadata") == 0)
			metadata_set(b, m.value);
		else if (strcmp(m.name, "prompt") == 0)
			prompt = m.value;
		else if (strcmp(m.name, "request_breakdown") == 0)
			breakdown_member(b, m.value, &mistyped);
		else if (!own_field(b, &m, &mistyped) && (m.flags & MEMBER_WORKS))
			continue;
		if (!(m.flags & MEMBER_WORKS))
			word_add(&ignored, m.name);
	}
	customer_params(b, params);
	prompt_member(b, prompt);
	if (mistyped.len > 0)
		warn_add(&b->warnings, WARN_MEMBER_TYPE, arena_take(&b->arena, &mistyped));
	if (ignored.len > 0 && b->given.ptr == NULL)
		warn_add(&b->warnings, WARN_MEMBER_IGNORED, arena_take(&b->arena, &ignored));
	buf_free(&mistyped);
	buf_free(&ignored);
}

/* Who the customer is where no member of ours says so. */
static void
customer_otherwise(struct build *b, struct jvalue body)
{
	static const struct slice names[] = {
		SLICE("user"), SLICE("safety_identifier"), SLICE("metadata"),
	};
	struct slice header = record_get(b->begin, TAG_CUSTOMER);
	struct jvalue v[3];

	customer_set(b, header);
	if (!b->options.user_as_customer)
		return;
	json_pick(body, names, v, 3);
	customer_set(b, build_text(b, v[0]));
	customer_set(b, build_text(b, v[1]));
	if (b->family == FAMILY_MESSAGES)
		customer_set(b, build_text(b, jget(v[2], SLICE("user_id"))));
}

/* The key's environment, unless it leaves the choice to the request; without
 * a key's the request's, else prod. */
static void
environment_set(struct build *b)
{
	struct slice own = b->span.environment, key = record_get(b->begin, TAG_ENVIRONMENT);
	bool free_choice = record_get_u64(b->begin, TAG_ENVIRONMENT_FREE, 0) != 0;

	if (own.len > 0 && key.len > 0 && !slice_eq(own, key))
		warn_add(&b->warnings, WARN_ENVIRONMENT_DIFFERS, SLICE_NONE);
	if (own.len == 0 || (key.len > 0 && !free_choice))
		own = key;
	b->span.environment = own.len ? own : SLICE("prod");
}

/* What went upstream: the body with the edits of the attempt that counts. */
static void
full_request(struct build *b)
{
	const struct attempt *sent = b->nattempts ? &b->attempts[b->nattempts - 1] : NULL;
	struct slice body = b->request.text, piece;
	struct edits edits = { .count = 0 };
	struct edit_iter it;
	struct buf out;
	int r = -1;

	if (sent != NULL)
		r = edits_decode(record_get(sent->send, TAG_EDITS), body, &edits);
	if (r == 0 && edits.count > 0 && b->request.json.kind != JNONE) {
		buf_init(&out, LIMIT_EXPANDED);
		edit_iter_init(&it, &edits, body);
		while (edit_iter_next(&it, &piece))
			buf_slice(&out, piece);
		body = build_take(b, &out);
	}
	if (r == 0)
		free(edits.list);
	if (body.len > 0 && b->request.json.kind != JNONE)
		b->span.full_request = build_json(b, body).text;
	if (body.len > 0 && b->span.full_request.ptr == NULL && json_is_text(body))
		b->span.full_request = build_quoted(b, body);
}

struct slice
request_stripped(struct build *b, struct jvalue body)
{
	struct slice json = body.text, piece;
	struct rewrite rw;
	struct edit_iter it;
	struct buf out;

	if (body.kind == JNONE || rewrite_scan(&rw, json, b->family) < 0)
		return SLICE_NONE;
	buf_init(&out, LIMIT_EXPANDED);
	if (rewrite_finish(&rw, 0) == 0 && rw.edits.count > 0) {
		edit_iter_init(&it, &rw.edits, json);
		while (edit_iter_next(&it, &piece))
			buf_slice(&out, piece);
		json = build_take(b, &out);
	}
	rewrite_free(&rw);
	return json;
}

/* Joins the body, or reads it as the form that it is. */
static void
request_read(struct build *b, struct slice headers)
{
	struct slice codings = meta_header(headers, SLICE("content-encoding"));
	struct slice boundary = multipart_boundary(b->request.type);
	struct body *body = &b->request;

	if (b->told[DIRECTION_REQUEST].ptr != NULL) {
		facts_replay(b, DIRECTION_REQUEST);
		body->form = true;
		body->json = build_json(b, b->facts[DIRECTION_REQUEST]);
	} else if (boundary.ptr != NULL && codings.len == 0 && b->request_parts.n > 0)
		request_form(b, boundary);
	else
		body_join(b, &b->request_parts, 0, codings, body, false);
}

static void
request_text_warn(struct build *b)
{
	const struct body *body = &b->request;

	if (body->form || body->opaque || body->cut || body->text.len == 0 || body->json.kind != JNONE)
		return;
	if (!json_is_text(body->text))
		warn_add(&b->warnings, WARN_REQUEST_BINARY, body->type);
	else if (b->ops->json_only)
		warn_add(&b->warnings, WARN_REQUEST_NOT_JSON, SLICE_NONE);
}

void
request_given(struct build *b, struct jvalue span)
{
	const struct jvalue none = { .kind = JNONE };

	request_common(b, span);
	own_members(b, span, none);
	customer_otherwise(b, span);
	environment_set(b);
	b->hidden = (b->span.disable_log.set && b->span.disable_log.v) ||
	    record_get_u64(b->begin, TAG_LOG_BODIES, 1) == 0;
}

void
request_build(struct build *b)
{
	struct slice headers = record_get(b->begin, TAG_HEADERS);
	struct jvalue header = build_json(b, record_get(b->begin, TAG_PARAMS));
	struct body *body = &b->request;
	bool off;

	body->type = meta_header(headers, SLICE("content-type"));
	body->length = record_get_u64(b->begin, TAG_BODY_LENGTH, 0);
	b->warnings.source = WARN_OF_REQUEST;
	request_read(b, headers);
	b->warnings.source = WARN_OF_REST;
	request_text_warn(b);
	request_common(b, body->json);
	b->ops->request(b, body->json);
	own_members(b, body->json, header);
	trace_build(b);
	customer_otherwise(b, body->json);
	environment_set(b);
	off = b->span.disable_log.set && b->span.disable_log.v;
	b->hidden = off || record_get_u64(b->begin, TAG_LOG_BODIES, 1) == 0;
	if (b->hidden || b->options.row_only)
		return;
	if (b->request.form)
		/* what went upstream of a form: its object less the members that were cut */
		b->span.full_request = request_stripped(b, b->request.json);
	else
		full_request(b);
}
