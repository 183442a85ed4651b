/* SPDX-License-Identifier: Apache-2.0 */
/*
 * given.c: the span of a SPAN record: its members as they were sent, under
 * whichever of their names, and what follows from them: times from each other,
 * status from its code, messages from input and output and the other way
 * round. Called by build.c; given_check also by who takes spans in.
 */
#include "span/given.h"

#include <stdio.h>

#include "core/decimal.h"
#include "core/when.h"
#include "span/inner.h"
#include "span/json.h"

enum kind { TEXT, ANY, LIST, OBJ, LISTS, WORDS, INT, NUM, BOOL, TIME };

static const struct { struct slice name; enum kind kind; } members[] = {
#define GIVEN(name, kind) { { name, sizeof(name) - 1 }, kind },
#include "span/given.tbl.h"
#undef GIVEN
};
enum { MEMBERS = sizeof(members) / sizeof(*members), OTHERS = 400 };

/* Names of one thing, the strongest first. */
struct names {
	const char *name[4];
};

/* A number, also one in a string: its text. */
static struct slice
number_text(struct jvalue v)
{
	return v.kind == JNUMBER ? v.text : v.kind == JSTRING ? slice_trim(jstring_plain(v)) : SLICE_NONE;
}

static bool
is_number(struct jvalue v, bool whole)
{
	struct jvalue n;
	int64_t i;
	double d;

	if (jscan_check(number_text(v), &n, NULL) != JSCAN_END || n.kind != JNUMBER)
		return false;
	if (whole)
		return jint(n, &i);
	return jnumber(n, &d) && d > -1e300 && d < 1e300;
}

static bool
bool_read(struct jvalue v, bool *out)
{
	if (jbool(v, out))
		return true;
	*out = jstring_is(v, SLICE("true")) || jstring_is(v, SLICE("True"));
	return *out || jstring_is(v, SLICE("false")) || jstring_is(v, SLICE("False"));
}

/* What a value of the kind must be; NULL: it is. */
static const char *
misfit(enum kind kind, struct jvalue v)
{
	int64_t us;
	bool flag;

	switch (kind) {
	case TEXT:
		return v.kind == JSTRING || v.kind == JNUMBER ? NULL : "must be a string";
	case LIST:
		return v.kind == JARRAY ? NULL : "must be a list";
	case OBJ:
		return v.kind == JOBJECT ? NULL : "must be an object";
	case LISTS:
		return v.kind == JARRAY || v.kind == JOBJECT || v.kind == JSTRING ? NULL : "must be a list";
	case WORDS:
		return v.kind == JARRAY || v.kind == JOBJECT || v.kind == JSTRING ? NULL : "must be an object or a string";
	case INT:
		return is_number(v, true) ? NULL : "must be a whole number";
	case NUM:
		return is_number(v, false) ? NULL : "must be a number";
	case BOOL:
		return bool_read(v, &flag) ? NULL : "must be true or false";
	case TIME:
		return v.kind == JSTRING && when_read(jstring_plain(v), &us) ? NULL :
		    "must be an ISO 8601 time such as 2026-11-20T19:05:01.123Z";
	case ANY:
		break;
	}
	return NULL;
}

static bool
refuse(struct given_error *e, struct slice member, const char *text)
{
	snprintf(e->member, sizeof(e->member), "%.*s", (int)member.len, member.ptr ? member.ptr : "");
	snprintf(e->text, sizeof(e->text), "%s", text);
	return false;
}

/* Is it the member's name? Most are plain, which one comparison tells. */
static bool
is_named(const struct jmember *m, struct slice name)
{
	return m->key_plain ? slice_eq(m->key, name) : jkey_is(m, name);
}

/* Which of `members` it is, or MEMBERS. */
static size_t
member_index(const struct jmember *m)
{
	size_t i;

	for (i = 0; i < MEMBERS && !is_named(m, members[i].name); i++)
		;
	return i;
}

/* Names that were there before, each with its object's others behind one another;
 * of a great many the later ones are taken on trust. */
struct seen {
	bool		known[MEMBERS];		/* of the span's own */
	struct jmember	others[OTHERS];
	size_t		n;
};

static bool
is_same_name(const struct jmember *a, const struct jmember *b)
{
	char scratch[400];
	struct slice name;

	if (a->key_plain || b->key_plain)
		return a->key_plain ? is_named(b, a->key) : is_named(a, b->key);
	name = jkey_plain(a, scratch, sizeof(scratch));
	return name.ptr ? jkey_is(b, name) : slice_eq(a->key, b->key);
}

/* Is the name there among those from `first` on? Then it is one of them. */
static bool
is_repeated(struct seen *seen, size_t first, const struct jmember *m)
{
	for (size_t i = first; i < seen->n; i++)
		if (is_same_name(&seen->others[i], m))
			return true;
	if (seen->n < OTHERS)
		seen->others[seen->n++] = *m;
	return false;
}

/* Has the span had the name? index: of the known ones, or MEMBERS. */
static bool
is_doubled(struct seen *seen, const struct jmember *m, size_t index)
{
	bool was;

	if (index == MEMBERS)
		return is_repeated(seen, 0, m);
	was = seen->known[index];
	seen->known[index] = true;
	return was;
}

/* Is no name twice in an object, as deep as it goes? */
static bool
names_check(struct seen *seen, struct jvalue v, const struct jmember *of, struct given_error *e)
{
	size_t first = seen->n;
	struct jmember m;
	struct jiter it;

	if (v.kind != JOBJECT && v.kind != JARRAY)
		return true;
	jiter_init(&it, v);
	while (jiter_next(&it, &m)) {
		if (v.kind == JOBJECT && is_repeated(seen, first, &m)) {
			snprintf(e->member, sizeof(e->member), "%.*s.%.*s", (int)of->key.len, of->key.ptr,
			    (int)(m.key.len < 60 ? m.key.len : 60), m.key.ptr);
			snprintf(e->text, sizeof(e->text), "is there twice");
			return false;
		}
		if (!names_check(seen, m.value, of, e))
			return false;
	}
	seen->n = first;
	return true;
}

static bool
member_check(struct seen *seen, const struct jmember *m, struct given_error *e)
{
	size_t i = member_index(m);
	const char *wrong;

	if (is_doubled(seen, m, i))
		return refuse(e, m->key, "is there twice");
	if (i == MEMBERS || m->value.kind == JNULL)
		return true;
	wrong = misfit(members[i].kind, m->value);
	if (wrong != NULL)
		return refuse(e, members[i].name, wrong);
	return members[i].kind != OBJ || names_check(seen, m->value, m, e);
}

bool
given_check(struct jvalue span, bool trace, struct given_error *e)
{
	static const struct slice needed[] = { SLICE("trace_unique_id"), SLICE("span_unique_id") };
	struct seen seen;
	struct jiter it;
	struct jmember m;

	*e = (struct given_error){ .member = "" };
	memset(seen.known, 0, sizeof(seen.known));
	seen.n = 0;
	if (span.kind != JOBJECT)
		return refuse(e, SLICE_NONE, "a span must be an object");
	jiter_init(&it, span);
	while (jiter_next(&it, &m))
		if (!member_check(&seen, &m, e))
			return false;
	for (size_t i = 0; trace && i < 2; i++)
		if (jempty(jget(span, needed[i])))
			return refuse(e, needed[i], "this field is required");
	return true;
}

bool
given_log_type(struct slice type)
{
	static const char *const known[] = {
		"chat", "completion", "text", "response", "embedding", "transcription", "speech", "workflow", "agent",
		"task", "tool", "function", "generation", "handoff", "guardrail", "custom", "reranker", "other",
		"unknown", "score", "batch", "span", "trace", "step", "llm", "model",
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (slice_caseeq(type, slice_str(known[i])))
			return true;
	return false;
}

/* The first of the names that has a value. */
static struct jvalue
first_of(const struct build *b, struct names names)
{
	struct jvalue v = { .kind = JNONE };

	for (size_t i = 0; i < 4 && names.name[i] != NULL && (v.kind == JNONE || v.kind == JNULL); i++)
		v = given_get(b, slice_str(names.name[i]));
	return v.kind == JNULL ? (struct jvalue){ .kind = JNONE } : v;
}
#define FIRST(b, ...) first_of(b, (struct names){ { __VA_ARGS__ } })

static struct span_int
int_of(struct jvalue v)
{
	struct span_int n = { .set = false };
	struct jvalue number;

	n.set = jscan_check(number_text(v), &number, NULL) == JSCAN_END && jint(number, &n.v);
	return n;
}

static struct span_int
decimal_of(struct jvalue v, int places)
{
	struct span_int n = { .set = false };

	n.set = decimal_read(number_text(v), places, &n.v);
	return n;
}

static struct span_int
time_of(struct jvalue v)
{
	struct span_int us = { .set = false };

	us.set = v.kind == JSTRING && when_read(jstring_plain(v), &us.v);
	return us;
}

static void
text_set(struct build *b, struct slice *to, struct jvalue v)
{
	if (v.kind == JSTRING || v.kind == JNUMBER)
		*to = build_scalar(b, v);
}

/* What a log type of the SDKs is called here; else as it was sent. */
static struct slice
log_type_of(struct slice sent)
{
	static const struct { struct slice sent, type; } others[] = {
		{ SLICE("trace"), SLICE("workflow") }, { SLICE("step"), SLICE("task") },
		{ SLICE("llm"), SLICE("generation") }, { SLICE("model"), SLICE("generation") },
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (slice_caseeq(sent, others[i].sent))
			return others[i].type;
	return sent;
}

/* Which family's answers it is like; *model_call: a model was at work. */
static enum family
family_like(struct slice type, bool *model_call)
{
	static const struct { struct slice type; enum family family; } types[] = {
		{ SLICE("chat"), FAMILY_CHAT }, { SLICE("text"), FAMILY_CHAT }, { SLICE("generation"), FAMILY_CHAT },
		{ SLICE("completion"), FAMILY_COMPLETION }, { SLICE("response"), FAMILY_RESPONSE },
		{ SLICE("embedding"), FAMILY_EMBEDDING }, { SLICE("speech"), FAMILY_SPEECH },
		{ SLICE("transcription"), FAMILY_TRANSCRIPTION }, { SLICE("reranker"), FAMILY_RERANK },
	};

	*model_call = true;
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (slice_caseeq(type, types[i].type))
			return types[i].family;
	*model_call = false;
	return FAMILY_OTHER;
}

static void
type_set(struct build *b)
{
	struct span *s = &b->span;
	bool model_call;

	s->log_type = SLICE("chat");
	text_set(b, &s->log_type, FIRST(b, "log_type"));
	if (s->log_type.len == 0)
		s->log_type = SLICE("chat");
	if (!given_log_type(s->log_type))
		warn_add(&b->warnings, WARN_LOG_TYPE_UNKNOWN, s->log_type);
	s->log_type = log_type_of(s->log_type);
	b->family = family_like(s->log_type, &model_call);
	b->ops = family_ops(b->family);
	s->family = slice_str(family_name(b->family));
	s->log_method = record_get(b->given, TAG_LOG_METHOD);
	s->billable = (struct span_bool){ true, model_call };
}

/* Counts of the usage object, then those that stand by themselves. */
static void
usage_set(struct build *b)
{
	struct usage *u = &b->usage;
	const struct { struct span_int *to; struct jvalue v; } counts[] = {
		{ &u->prompt, FIRST(b, "prompt_tokens") }, { &u->completion, FIRST(b, "completion_tokens") },
		{ &u->total, FIRST(b, "total_request_tokens", "total_tokens") },
		{ &u->cached, FIRST(b, "prompt_cache_hit_tokens") },
		{ &u->cache_creation, FIRST(b, "prompt_cache_creation_tokens") },
		{ &u->reasoning, FIRST(b, "reasoning_tokens") },
	};
	struct jvalue told = given_get(b, SLICE("usage"));

	if (told.kind != JOBJECT)
		told = jget(given_get(b, SLICE("full_response")), SLICE("usage"));
	build_usage(b, told, false);
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		struct span_int n = int_of(counts[i].v);

		if (!n.set || n.v < 0)
			continue;
		*counts[i].to = n;
		b->has_usage = true;
	}
	if (b->has_usage && b->usage_text.len == 0)
		usage_print(u, &b->usage_text);
	if (b->has_usage)
		b->span.billable.v = true;
}

static void
status_set(struct build *b)
{
	struct span_int code = int_of(FIRST(b, "status_code"));
	struct span *s = &b->span;
	bool good;

	text_set(b, &s->error_message, FIRST(b, "error_message"));
	text_set(b, &s->status, FIRST(b, "status"));
	if (code.set && (code.v < 100 || code.v > 599)) {
		warn_add(&b->warnings, WARN_STATUS_CODE_ODD, SLICE_NONE);
		code.v = 400;
	}
	if (!code.set)
		code = (struct span_int){ true, slice_caseeq(s->status, SLICE("error")) ? 500 : 200 };
	s->status_code = code;
	b->status = code.v;
	good = code.v < 400;
	if (s->status.len == 0)
		s->status = good ? SLICE("success") : SLICE("error");
	else if (slice_caseeq(s->status, SLICE("success")) != good)
		warn_add(&b->warnings, WARN_STATUS_DIFFERS, SLICE_NONE);
}

/* Of start, end and latency two give the third; an end that nobody told is when
 * it arrived. */
static void
times_set(struct build *b)
{
	struct span *s = &b->span;
	int64_t arrival = (int64_t)record_get_u64(b->given, TAG_WALL, 0);

	s->start_time = time_of(FIRST(b, "start_time"));
	s->timestamp = time_of(FIRST(b, "timestamp", "end_time"));
	s->latency = decimal_of(FIRST(b, "latency", "generation_time"), 6);
	s->time_to_first_token = decimal_of(FIRST(b, "time_to_first_token", "ttft"), 6);
	s->routing_time = decimal_of(FIRST(b, "routing_time"), 6);
	if (!s->timestamp.set)
		s->timestamp = (struct span_int){ true, s->start_time.set && s->latency.set &&
		    s->latency.v < INT64_MAX / 2 && s->start_time.v < INT64_MAX / 2 ?
		    s->start_time.v + s->latency.v : arrival };
	if (!s->start_time.set && s->latency.set && s->latency.v < s->timestamp.v)
		s->start_time = (struct span_int){ true, s->timestamp.v - s->latency.v };
	if (!s->start_time.set)
		s->start_time = s->timestamp;
	else if (!s->latency.set && s->timestamp.v >= s->start_time.v)
		s->latency = (struct span_int){ true, s->timestamp.v - s->start_time.v };
	if (s->start_time.v > s->timestamp.v)
		warn_add(&b->warnings, WARN_START_AFTER_END, SLICE_NONE);
}

/* Begins what makes spans of one environment the same: no other's key can take their place. */
static void
same_begin(const struct build *b, char kind, struct buf *out)
{
	buf_byte(out, kind);
	buf_u64(out, b->span.environment.len);
	buf_byte(out, ' ');
	buf_slice(out, b->span.environment);
}

/* Spans with the same of these are one. */
static void
same_set(struct build *b)
{
	struct slice key = record_get(b->given, TAG_IDEMPOTENCY);
	struct span *s = &b->span;
	struct buf out;

	buf_init(&out, 64 * KIB);
	if (key.len > 0) {
		same_begin(b, 'i', &out);
		buf_slice(&out, key);
	} else if (s->trace_unique_id.len > 0 && s->span_unique_id.len > 0) {
		same_begin(b, 't', &out);
		buf_u64(&out, s->trace_unique_id.len);
		buf_byte(&out, ' ');
		buf_slice(&out, s->trace_unique_id);
		buf_slice(&out, s->span_unique_id);
	}
	s->same_id = build_take(b, &out);
}

/* Members that are neither fields nor read otherwise, as they came. */
static void
extra_set(struct build *b)
{
	char name[128];		/* longer than any field's */
	struct buf out;

	buf_init(&out, LIMIT_EXPANDED);
	for (size_t i = 0; i < b->nmembers; i++) {
		const struct jmember *m = &b->members[i];

		if (m->value.kind == JNULL || member_index(m) < MEMBERS ||
		    span_field_by_name(jkey_plain(m, name, sizeof(name))) >= 0)
			continue;
		buf_byte(&out, out.len ? ',' : '{');
		buf_slice(&out, m->key_text);
		buf_byte(&out, ':');
		buf_slice(&out, m->value.text);
	}
	if (out.len > 0)
		buf_byte(&out, '}');
	b->span.extra = build_take(b, &out);
}

/* What a gateway knows of a call, of one that passes its spans on. */
static void
gateway_set(struct build *b)
{
	struct span *s = &b->span;
	const struct { struct slice *to; struct jvalue v; } wholes[] = {
		{ &s->breakdown, FIRST(b, "breakdown") }, { &s->inter_token, FIRST(b, "inter_token") },
		{ &s->attempts, FIRST(b, "attempts") }, { &s->relayed_by, FIRST(b, "relayed_by") },
	};

	text_set(b, &s->end_reason, FIRST(b, "end_reason"));
	text_set(b, &s->request_id, FIRST(b, "request_id"));
	text_set(b, &s->request_url_path, FIRST(b, "request_url_path"));
	s->overhead = decimal_of(FIRST(b, "overhead"), 6);
	for (size_t i = 0; i < sizeof(wholes) / sizeof(*wholes); i++)
		if (!jempty(wholes[i].v))
			*wholes[i].to = wholes[i].v.text;
	b->usage_estimated = b->has_usage && jstring_is(FIRST(b, "usage_source"), SLICE("estimated"));
}

/* Everything but the texts. */
static void
rest_set(struct build *b)
{
	struct jvalue warnings = FIRST(b, "warnings"), speed = FIRST(b, "tokens_per_second");
	struct span *s = &b->span;
	struct jvalue number;
	bool flag;

	text_set(b, &s->provider_id, FIRST(b, "provider_id"));
	text_set(b, &s->finish_reason, FIRST(b, "finish_reason"));
	text_set(b, &s->response_id, FIRST(b, "response_id"));
	gateway_set(b);
	if (bool_read(FIRST(b, "blurred"), &flag))
		s->blurred = (struct span_bool){ true, flag };
	if (bool_read(FIRST(b, "stream"), &flag))
		s->stream = (struct span_bool){ true, flag };
	if (!jempty(warnings))
		b->warnings_given = warnings.text;
	if (jscan_check(number_text(speed), &number, NULL) == JSCAN_END)
		s->tokens_per_second.set = jnumber(number, &s->tokens_per_second.v);
	b->cost_given = decimal_of(FIRST(b, "cost"), 12);
	if (b->cost_given.set)
		s->billable.v = true;
	if (bool_read(FIRST(b, "billable"), &flag) && !flag)	/* told and paid by another span */
		s->billable.v = false;
	if (s->model.ptr == NULL)
		text_set(b, &s->model, jget(given_get(b, SLICE("full_request")), SLICE("model")));
}

/* Lists the members, which are asked for by name one after the other. */
static void
members_list(struct build *b, struct jvalue span)
{
	struct jmember m;
	struct jiter it;
	size_t n = 0;

	if (span.kind != JOBJECT)
		return;
	for (jiter_init(&it, span); jiter_next(&it, &m);)
		n++;
	b->members = n > 0 ? arena_alloc(&b->arena, n * sizeof(m)) : NULL;
	jiter_init(&it, span);
	while (b->members != NULL && b->nmembers < n && jiter_next(&it, &b->members[b->nmembers]))
		b->nmembers++;
}

struct jvalue
given_get(const struct build *b, struct slice name)
{
	size_t i = b->nmembers;

	while (i-- > 0)
		if (is_named(&b->members[i], name))
			return b->members[i].value;
	return (struct jvalue){ .kind = JNONE };
}

/* A row has no texts: there they serve to count what nobody told. */
static bool
is_row_told(const struct build *b)
{
	return b->options.row_only && !b->options.texts && b->has_usage && b->ops->measure == NULL;
}

void
given_build(struct build *b)
{
	struct jvalue span;

	body_join(b, &b->request_parts, 0, SLICE_NONE, &b->request, false);
	span = b->request.json;
	members_list(b, span);
	b->span.given = true;
	b->span.uncounted = 0;	/* that was of an exchange */
	type_set(b);
	usage_set(b);
	request_given(b, span);
	if (!is_row_told(b))
		given_texts(b);
	rest_set(b);
	status_set(b);
	times_set(b);
	if (b->span.trace_unique_id.len > 0 && b->span.span_unique_id.len == 0)
		b->span.span_unique_id = b->span.id;
	else
		same_set(b);
	/* where its record is not kept, it is stored as it is built */
	if (!b->options.row_only || b->hidden)
		extra_set(b);
}

void
given_finish(struct build *b)
{
	b->timed = b->span.time_to_first_token.set;
	if (!b->span.tokens_per_second.set)
		times_speed(b);
	/* counted where it was a model's work, or says what it cost */
	b->span.uncounted |= b->span.billable.v ? 0 : SPAN_NO_REQUEST;
}
