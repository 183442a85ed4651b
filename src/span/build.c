/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build.c: takes an exchange's records in and leads the parts of the builder
 * over them. Called by the sink, the readers of the store, replay, tests and
 * fuzzers. It interprets nothing itself.
 */
#include "span/build.h"

#include <assert.h>
#include <stdlib.h>

#include "span/estimate.h"
#include "span/inner.h"
#include "span/json.h"
#include "span/media.h"

#define ATTEMPTS 64	/* SENDs that are kept of one exchange */

struct build *
build_new(const struct build_options *options)
{
	struct build *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->options = *options;
	b->t_content = TIME_NONE;
	b->ops = family_ops(FAMILY_OTHER);
	b->request.json.kind = b->answer.json.kind = JNONE;
	b->answer.t_last = TIME_NONE;
	buf_init(&b->usage_text, LIMIT_EVENT);
	buf_init(&b->audio, LIMIT_EXPANDED);
	gaps_init(&b->gaps);
	return b;
}

void
build_free(struct build *b)
{
	if (b == NULL)
		return;
	if (b->ops->free != NULL)
		b->ops->free(b);
	gaps_free(&b->gaps);
	buf_free(&b->usage_text);
	buf_free(&b->audio);
	free(b->attempts);
	free(b->request_parts.list);
	free(b->answer_parts.list);
	arena_free(&b->arena);
	free(b);
}

bool
build_state(struct build *b, size_t size)
{
	if (b->family_state != NULL)
		return false;
	b->family_state = calloc(1, size);
	if (b->family_state == NULL)
		b->arena.failed = true;
	return b->family_state != NULL;
}

struct slice
build_text(struct build *b, struct jvalue v)
{
	struct slice plain = jstring_plain(v);
	struct buf text;

	if (v.kind != JSTRING)
		return SLICE_NONE;
	if (plain.ptr != NULL)
		return arena_copy(&b->arena, plain);
	buf_init(&text, LIMIT_EXPANDED);
	jstring(v, &text);
	return arena_take(&b->arena, &text);
}

struct slice
build_scalar(struct build *b, struct jvalue v)
{
	return v.kind == JNUMBER ? v.text : build_text(b, v);
}

struct slice
build_quoted(struct build *b, struct slice text)
{
	struct buf out;

	buf_init(&out, 4 * LIMIT_EXPANDED);
	buf_json_string(&out, text);
	return arena_take(&b->arena, &out);
}

struct slice
build_take(struct build *b, struct buf *out)
{
	if (out->len == 0 && !out->failed) {
		buf_free(out);
		return SLICE_NONE;
	}
	return arena_take(&b->arena, out);
}

struct jvalue
build_json(struct build *b, struct slice text)
{
	const struct jvalue none = { .kind = JNONE };
	struct jvalue v;
	struct buf out;
	int r;

	text = json_trim(text);
	if (text.len == 0 || strchr("{[\"", *text.ptr) == NULL || *text.ptr == '\0')
		return none;
	r = jscan_check(text, &v, NULL);
	if (r == JSCAN_E_UTF8) {
		buf_init(&out, 3 * LIMIT_EXPANDED);
		json_repair(text, &out);
		warn_add(&b->warnings, WARN_BAD_UTF8, SLICE_NONE);
		r = jscan_check(arena_take(&b->arena, &out), &v, NULL);
	}
	return r == JSCAN_END ? v : none;
}

void
build_error(struct build *b, struct slice message)
{
	if (b->error.ptr == NULL && message.len > 0)
		b->error = message;
}

void
build_usage(struct build *b, struct jvalue v, bool overlay)
{
	struct usage usage;

	if (!usage_read(&usage, v)) {
		/* of pictures some tell nothing but what they cost */
		if (usage.provider_cost.set)
			b->usage.provider_cost = usage.provider_cost;
		return;
	}
	if (overlay && b->has_usage)
		usage_overlay(&b->usage, &usage);
	else
		b->usage = usage;
	b->has_usage = true;
	buf_clear(&b->usage_text);
	buf_slice(&b->usage_text, v.text);
}

void
build_model(struct build *b, struct jvalue v)
{
	if (b->model_told || v.kind != JSTRING || jempty(v))
		return;
	b->span.request_model = b->span.model.ptr != NULL ? b->span.model : SLICE("");
	b->span.model = build_text(b, v);
	b->model_told = true;
}

void
build_tier(struct build *b, struct jvalue v)
{
	if (b->tier_told || v.kind != JSTRING)
		return;
	b->span.service_tier = build_text(b, v);
	b->tier_told = true;
}

static void
records_odd(struct build *b)
{
	warn_add(&b->warnings, WARN_RECORDS_ODD, SLICE_NONE);
}

static void
part_add(struct build *b, struct parts *parts, const struct part *part)
{
	size_t cap = parts->cap ? parts->cap * 2 : 16;
	struct part *list;

	if (part->bytes.len == 0)
		return;
	if (parts->n == parts->cap) {
		list = realloc(parts->list, cap * sizeof(*list));
		if (list == NULL) {
			b->arena.failed = true;
			return;
		}
		parts->list = list;
		parts->cap = cap;
	}
	parts->list[parts->n++] = *part;
}

/* The attempt of that number, made if it is new; NULL: too many. */
static struct attempt *
attempt_of(struct build *b, uint64_t number)
{
	size_t cap = b->cap_attempts ? b->cap_attempts * 2 : 2;
	struct attempt *list;
	size_t i;

	for (i = b->nattempts; i > 0; i--)
		if (b->attempts[i - 1].number == number)
			return &b->attempts[i - 1];
	if (b->nattempts == ATTEMPTS)
		return NULL;
	if (b->nattempts == b->cap_attempts) {
		list = realloc(b->attempts, cap * sizeof(*list));
		if (list == NULL)
			return NULL;
		b->attempts = list;
		b->cap_attempts = cap;
	}
	b->attempts[b->nattempts] = (struct attempt){ .number = number };
	return &b->attempts[b->nattempts++];
}

static void
feed_begin(struct build *b, const struct record *r)
{
	struct part part = { .t = TIME_NONE, .bytes = record_get(r->payload, TAG_BYTES) };

	if (b->has_begin) {
		records_odd(b);
		return;
	}
	b->has_begin = true;
	b->begin = r->payload;
	memcpy(b->span.id16, r->id, sizeof(b->span.id16));
	b->family = family_by_name(record_get(r->payload, TAG_FAMILY));
	b->ops = family_ops(b->family);
	part_add(b, &b->request_parts, &part);
}

static void
feed_attempt(struct build *b, const struct record *r)
{
	struct attempt *a = attempt_of(b, record_get_u64(r->payload, TAG_ATTEMPT, 1));
	bool head = r->type == RECORD_HEAD_IN;

	if (a == NULL || (head ? a->has_head : a->has_send)) {
		records_odd(b);
		return;
	}
	*(head ? &a->has_head : &a->has_send) = true;
	*(head ? &a->head : &a->send) = r->payload;
}

static void
feed_part(struct build *b, const struct record *r)
{
	int64_t held = time_get(r->payload, TAG_HELD);
	struct part part = {
		.offset = record_get_u64(r->payload, TAG_OFFSET, 0),
		.t = time_get(r->payload, TAG_T),
		.held = held != TIME_NONE ? held : 0,
		.bytes = record_get(r->payload, TAG_BYTES),
	};

	if (part.offset > (uint64_t)TIME_MAX) {
		records_odd(b);
		return;
	}
	if (record_get_u64(r->payload, TAG_DIRECTION, DIRECTION_ANSWER) == DIRECTION_REQUEST) {
		part_add(b, &b->request_parts, &part);
		return;
	}
	part.attempt = record_get_u64(r->payload, TAG_ATTEMPT, 1);
	part_add(b, &b->answer_parts, &part);
}

/* Its own bytes come after those of the PARTs before it. */
static void
feed_span(struct build *b, const struct record *r)
{
	struct part part = { .t = TIME_NONE, .bytes = record_get(r->payload, TAG_BYTES) };

	if (b->has_begin || b->given.ptr != NULL) {
		records_odd(b);
		return;
	}
	b->given = b->begin = r->payload;
	part.offset = record_get_u64(r->payload, TAG_OFFSET, 0);
	part_add(b, &b->request_parts, &part);
}

void
build_feed(struct build *b, const struct record *r)
{
	assert(!b->finished);
	if (!b->has_begin && r->type != RECORD_BEGIN) {
		memcpy(b->span.id16, r->id, sizeof(b->span.id16));
		b->headless = true;	/* as it should be before a SPAN */
	}
	switch (r->type) {
	case RECORD_BEGIN:
		feed_begin(b, r);
		break;
	case RECORD_SEND:
	case RECORD_HEAD_IN:
		feed_attempt(b, r);
		break;
	case RECORD_PART:
		feed_part(b, r);
		break;
	case RECORD_END:
		if (b->has_end)
			records_odd(b);
		else
			b->end = r->payload;
		b->has_end = true;
		break;
	case RECORD_FACTS:
		if (!facts_feed(b, r->payload))
			records_odd(b);
		break;
	case RECORD_SPAN:
		feed_span(b, r);
		break;
	case RECORD_EDIT:
	case RECORD_CHECKPOINT:
		records_odd(b);
		break;
	}
}

/* The attempt whose answer went to the client: the last one, if it has one. */
static void
answer_find(struct build *b)
{
	const struct attempt *a = b->nattempts ? &b->attempts[b->nattempts - 1] : NULL;
	uint64_t status;

	if (a == NULL || !a->has_head)
		return;
	status = record_get_u64(a->head, TAG_STATUS, 0);
	b->status = status <= 999 ? (int64_t)status : 0;
	b->last = a;
}

static void
usage_finish(struct build *b)
{
	struct span *s = &b->span;
	const struct usage *u = &b->usage;

	if (!b->has_usage)
		s->charge_id = SLICE_NONE;
	if (b->options.estimated)
		s->usage_source = SLICE("estimated");
	if (!b->has_usage || b->options.estimated)
		return;
	if (b->usage_estimated)
		usage_print(u, &b->usage_text);
	s->usage = build_take(b, &b->usage_text);
	s->usage_source = b->usage_estimated ? SLICE("estimated") :
	    b->usage_early ? SLICE("partial") : SLICE("provider");
	if (b->usage_early && !b->usage_estimated)
		warn_add(&b->warnings, WARN_USAGE_PARTIAL, SLICE_NONE);
	s->prompt_tokens = u->prompt;
	s->completion_tokens = u->completion;
	s->total_request_tokens = u->total;
	if (!u->total.set && u->prompt.set && u->completion.set &&
	    !__builtin_add_overflow(u->prompt.v, u->completion.v, &s->total_request_tokens.v))
		s->total_request_tokens.set = true;
	s->prompt_cache_hit_tokens = u->cached;
	s->prompt_cache_creation_tokens = u->cache_creation;
	s->reasoning_tokens = u->reasoning;
}

/* disable_log: the texts go, the measures stay. */
static void
texts_hide(struct build *b)
{
	static const enum span_field texts[] = {
		SPAN_F_input, SPAN_F_output, SPAN_F_prompt_messages, SPAN_F_completion_message,
		SPAN_F_completion_messages, SPAN_F_tools, SPAN_F_tool_calls, SPAN_F_span_tools,
		SPAN_F_span_handoffs, SPAN_F_variables,
		SPAN_F_respan_params, SPAN_F_full_request, SPAN_F_full_response,
	};
	size_t i;

	for (i = 0; b->hidden && i < sizeof(texts) / sizeof(*texts); i++)
		*(struct slice *)(void *)((char *)&b->span + span_fields[texts[i]].offset) =
		    SLICE_NONE;
}

/* Encoded media in the texts, as the settings say. The sink's rows have none
 * of these. */
static void
media_finish(struct build *b)
{
	static const struct { enum span_field field; bool request; } texts[] = {
		{ SPAN_F_input, true }, { SPAN_F_prompt_messages, true },
		{ SPAN_F_full_request, true }, { SPAN_F_output, false },
		{ SPAN_F_completion_message, false }, { SPAN_F_completion_messages, false },
		{ SPAN_F_full_response, false },
	};
	enum { TEXTS = sizeof(texts) / sizeof(*texts) };
	const struct build_options *o = &b->options;
	struct slice *fields[TEXTS], whole[TEXTS];
	size_t i, same;

	for (i = 0; !o->row_only && i < TEXTS; i++) {
		fields[i] = (struct slice *)(void *)((char *)&b->span +
		    span_fields[texts[i].field].offset);
		whole[i] = *fields[i];
		/* some are one text under two names */
		for (same = 0; whole[same].ptr != whole[i].ptr || whole[same].len != whole[i].len; same++)
			;
		*fields[i] = same < i ? *fields[same] : media_show(whole[i],
		    texts[i].request ? o->request_media : o->answer_media, o->digest, &b->arena);
	}
}

/* JSON null in a request means absent. */
static void
nulls_drop(struct span *s)
{
	int i;

	for (i = 0; i < SPAN_FIELDS; i++) {
		struct slice *field = (struct slice *)(void *)((char *)s + span_fields[i].offset);

		if (span_fields[i].type == SPAN_JSON && slice_eq(*field, SLICE("null")))
			*field = SLICE_NONE;
	}
}

static void
warnings_finish(struct build *b)
{
	struct buf out;

	warn_notes(&b->warnings, record_get(b->begin, TAG_NOTES));
	warn_notes(&b->warnings, record_get(b->end, TAG_NOTES));
	if (!b->has_end && b->given.ptr == NULL)
		warn_add(&b->warnings, WARN_END_MISSING, SLICE_NONE);
	if (record_get_u64(b->end, TAG_LOST, 0) > 0)
		warn_add(&b->warnings, WARN_PARTS_LOST, SLICE_NONE);
	if (b->arena.failed)
		warn_add(&b->warnings, WARN_BUILD_MEMORY, SLICE_NONE);
	buf_init(&out, MIB);
	warn_json(&b->warnings, &out);
	if (b->warnings_given.ptr == NULL || out.len > 0)
		b->span.warnings = build_take(b, &out);
	else {
		b->span.warnings = b->warnings_given;
		buf_free(&out);
	}
}

const struct span *
build_finish(struct build *b)
{
	if (b->finished)
		return &b->span;
	b->finished = true;
	b->warnings.source = WARN_OF_REST;
	if (b->headless && b->given.ptr == NULL)
		records_odd(b);
	answer_find(b);
	meta_build(b);
	if (b->given.ptr != NULL)
		given_build(b);
	else
		request_build(b);
	if (b->last != NULL) {
		b->warnings.source = WARN_OF_ANSWER;
		answer_build(b);
		b->warnings.source = WARN_OF_REST;
		if (b->stream)
			b->span.stream = (struct span_bool){ true, true };
	}
	if (b->given.ptr == NULL)
		status_build(b);
	estimate_usage(b);
	usage_finish(b);
	if (b->given.ptr == NULL)
		times_finish(b);
	else
		given_finish(b);
	cost_build(b);
	texts_hide(b);
	media_finish(b);
	nulls_drop(&b->span);
	warnings_finish(b);
	return &b->span;
}

const uint32_t *
build_gaps(const struct build *b, size_t *n)
{
	*n = b->gaps.list.len / sizeof(uint32_t);
	return (const uint32_t *)(const void *)b->gaps.list.ptr;
}

struct slice
build_audio(const struct build *b)
{
	return buf_view(&b->audio);
}

/* How many bytes of the bodies there are. */
static struct slice
raw_sizes(struct build *b)
{
	size_t request = 0, answer = 0, i;
	struct buf text;

	for (i = 0; i < b->request_parts.n; i++)
		request += b->request_parts.list[i].bytes.len;
	for (i = 0; i < b->answer_parts.n; i++)
		answer += b->answer_parts.list[i].bytes.len;
	buf_init(&text, 256);
	buf_printf(&text, "%zu bytes of request, %zu of answer", request, answer);
	return arena_take(&b->arena, &text);
}

const struct span *
build_finish_raw(struct build *b)
{
	if (b->finished)
		return &b->span;
	b->finished = true;
	b->options.row_only = true;
	answer_find(b);
	meta_build(b);
	b->span.environment = record_get(b->begin, TAG_ENVIRONMENT);
	b->finish_seen = b->status > 0 && b->status < 400;
	status_build(b);
	times_finish(b);
	warn_add(&b->warnings, WARN_BUILD_FAILED, raw_sizes(b));
	warnings_finish(b);
	return &b->span;
}
