/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta.c: what the records say of the exchange beside its bodies: ids, who
 * sent it, where it went, the kept header lines. Called by build.c.
 */
#include "core/head.h"
#include "span/inner.h"

struct slice
meta_header(struct slice lines, struct slice name)
{
	struct http1_field field;

	while (head_line_next(&lines, &field))
		if (slice_caseeq(field.name, name))
			return field.value;
	return SLICE_NONE;
}

/* Has a line of that name come before this one? */
static bool
header_repeats(struct slice lines, const struct http1_field *field)
{
	struct http1_field other;

	while (head_line_next(&lines, &other)) {
		if (other.name.ptr == field->name.ptr)
			return false;
		if (slice_caseeq(other.name, field->name))
			return true;
	}
	return false;
}

/* All values of that name, joined as RFC 9110 5.3 says. */
static void
header_values(struct slice lines, struct slice name, struct buf *out)
{
	struct http1_field field;

	while (head_line_next(&lines, &field))
		if (slice_caseeq(field.name, name)) {
			buf_str(out, out->len ? ", " : "");
			buf_slice(out, field.value);
		}
}

static struct slice
headers_json(struct build *b, struct slice lines)
{
	struct slice rest = lines;
	struct http1_field field;
	struct buf out, values;

	if (lines.ptr == NULL)
		return SLICE_NONE;
	buf_init(&out, MIB);
	buf_init(&values, MIB);
	while (head_line_next(&rest, &field)) {
		if (header_repeats(lines, &field))
			continue;
		buf_clear(&values);
		header_values(lines, field.name, &values);
		buf_byte(&out, out.len ? ',' : '{');
		buf_json_string(&out, field.name);
		buf_byte(&out, ':');
		buf_json_string(&out, buf_view(&values));
	}
	buf_str(&out, out.len ? "}" : "{}");
	buf_free(&values);
	return build_take(b, &out);
}

static void
attempt_text(struct buf *out, const char *name, struct slice text)
{
	buf_printf(out, ",\"%s\":", name);
	if (text.ptr != NULL)
		buf_json_string(out, text);
	else
		buf_str(out, "null");
}

static void
attempt_secs(struct buf *out, const char *name, int64_t us)
{
	buf_printf(out, ",\"%s\":", name);
	if (us != TIME_NONE)
		time_secs_text(us, out);
	else
		buf_str(out, "null");
}

/* error: why it failed, which the next SEND tells, or END. */
static void
attempt_json(const struct attempt *a, struct slice error, struct buf *out)
{
	buf_printf(out, "{\"attempt\":%llu", (unsigned long long)a->number);
	attempt_text(out, "provider", record_get(a->send, TAG_PROVIDER));
	attempt_text(out, "url", record_get(a->send, TAG_URL));
	if (a->has_head)
		buf_printf(out, ",\"status\":%llu",
		    (unsigned long long)record_get_u64(a->head, TAG_STATUS, 0));
	else
		buf_str(out, ",\"status\":null");
	attempt_secs(out, "start", time_get(a->send, TAG_T));
	attempt_secs(out, "first_byte", a->has_head ? time_get(a->head, TAG_T) : TIME_NONE);
	buf_str(out, ",\"reused\":");
	buf_str(out, record_get_u64(a->send, TAG_REUSED, 0) ? "true" : "false");
	attempt_text(out, "error", error);
	buf_byte(out, '}');
}

static void
attempts_set(struct build *b)
{
	struct slice error;
	struct buf out;
	size_t i;

	if (b->nattempts == 0)
		return;
	buf_init(&out, 4 * MIB);
	for (i = 0; i < b->nattempts; i++) {
		error = record_get(i + 1 < b->nattempts ? b->attempts[i + 1].send : b->end,
		    TAG_DETAIL);
		buf_byte(&out, i ? ',' : '[');
		attempt_json(&b->attempts[i], error, &out);
	}
	buf_byte(&out, ']');
	b->span.attempts = build_take(b, &out);
}

static void
id_set(struct build *b)
{
	static const char hex[] = "0123456789abcdef";
	char *text = arena_alloc(&b->arena, 32);
	size_t i;

	for (i = 0; text != NULL && i < 16; i++) {
		text[2 * i] = hex[b->span.id16[i] >> 4];
		text[2 * i + 1] = hex[b->span.id16[i] & 15];
	}
	if (text != NULL)
		b->span.id = b->span.unique_id = slice_make(text, 32);
}

/* The target's path, without its query. */
static struct slice
target_path(struct slice target)
{
	const char *query = target.len ? memchr(target.ptr, '?', target.len) : NULL;

	if (query != NULL)
		target.len = (size_t)(query - target.ptr);
	return target;
}

/* Is it a call of a model? Others are spans too, but no figure of requests,
 * tokens or cost counts them. */
static bool
is_model_call(const struct build *b, struct slice path)
{
	static const struct slice tails[] = {
		SLICE("/count_tokens"), SLICE("/input_tokens"), SLICE("/cancel"), SLICE("/files"),
		SLICE("/uploads"), SLICE("/batches"), SLICE("/models"),
	};
	size_t i;

	if (!slice_eq(record_get(b->begin, TAG_METHOD), SLICE("POST")))
		return false;
	if (path.len > 1 && path.ptr[path.len - 1] == '/')
		path.len--;
	for (i = 0; i < sizeof(tails) / sizeof(*tails); i++)
		if (slice_ends(path, tails[i]))
			return false;
	return true;
}

void
meta_build(struct build *b)
{
	struct slice lines = b->last ? record_get(b->last->head, TAG_HEADERS) : SLICE_NONE;
	struct slice provider = b->nattempts ?
	    record_get(b->attempts[b->nattempts - 1].send, TAG_PROVIDER) : SLICE_NONE;
	struct span *s = &b->span;

	id_set(b);
	s->tenant = record_get(b->begin, TAG_TENANT);
	s->family = slice_str(family_name(b->family));
	s->log_type = slice_str(family_log_type(b->family));
	s->log_method = SLICE("inference");
	s->provider_id = provider.ptr ? provider : record_get(b->begin, TAG_PROVIDER);
	s->organization_key_id = record_get(b->begin, TAG_KEY_ID);
	s->request_url_path = target_path(record_get(b->begin, TAG_TARGET));
	s->billable = (struct span_bool){ true, is_model_call(b, s->request_url_path) };
	s->uncounted |= s->billable.v ? 0 : SPAN_NO_REQUEST;
	s->request_id = meta_header(lines, SLICE("x-request-id"));
	if (s->request_id.ptr == NULL)
		s->request_id = meta_header(lines, SLICE("request-id"));
	attempts_set(b);
	if (b->options.row_only)
		return;
	s->request_headers = headers_json(b, record_get(b->begin, TAG_HEADERS));
	s->response_headers = headers_json(b, lines);
}
