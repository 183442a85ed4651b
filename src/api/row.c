/* SPDX-License-Identifier: Apache-2.0 */
/* row: see row.h. Called by the handlers that list, read and export spans. */
#include "api/row.h"

#include "core/jscan.h"
#include "core/limits.h"

#define TEXT_LIMIT (256 * MIB)

void
row_writer_init(struct row_writer *w, struct store *store)
{
	*w = (struct row_writer){ .store = store };
	buf_init(&w->text, TEXT_LIMIT);
}

void
row_writer_free(struct row_writer *w)
{
	buf_free(&w->text);
}

bool
row_needs_full(int field)
{
	return field == SPAN_F_metadata || !query_sort_ok(field);
}

/* Clients of this API take `input` and `output` as strings: what is no string
 * is its JSON text in one. */
static struct slice
as_string(struct row_writer *w, struct slice json)
{
	size_t start = w->text.len;

	if (!json.ptr || json.len == 0 || *json.ptr == '"' || !buf_json_string(&w->text, json))
		return json;
	return slice_make(w->text.ptr + start, w->text.len - start);
}

static void
put_text(struct buf *out, const char *name, struct slice text)
{
	buf_printf(out, ",\"%s\":", name);
	if (text.ptr)
		buf_json_string(out, text);
	else
		buf_str(out, "null");
}

static size_t
count_items(struct slice json)
{
	struct jvalue value;
	struct jiter it;
	struct jmember m;
	size_t n = 0;

	if (!json.ptr || jscan_check(json, &value, NULL) != JSCAN_END || value.kind != JARRAY)
		return 0;
	jiter_init(&it, value);
	while (jiter_next(&it, &m))
		n++;
	return n;
}

/* Characters and words of a text that stands in a JSON string. */
static void
put_sizes(struct buf *out, const char *name, struct slice json)
{
	size_t chars = 0, words = 0;
	bool in_word = false, space;

	for (size_t i = 1; i + 1 < json.len; i++) {
		unsigned char c = (unsigned char)json.ptr[i];

		if (c == '\\' && i + 2 < json.len) {
			c = (unsigned char)json.ptr[++i];
			space = c == 'n' || c == 't' || c == 'r';
			i += c == 'u' && i + 5 < json.len ? 4 : 0;
			chars++;
		} else {
			space = c == ' ';
			chars += (c & 0xc0) != 0x80;
		}
		words += !space && !in_word;
		in_word = !space;
	}
	buf_printf(out, ",\"%s_chars\":%zu,\"%s_words\":%zu", name, chars, name, words);
}

/* Names that rows of the API have besides the span's own. */
static void
put_others(const struct span *s, struct buf *out)
{
	bool hit = s->prompt_cache_hit_tokens.set && s->prompt_cache_hit_tokens.v > 0;

	put_text(out, "full_unique_id", s->id);
	put_text(out, "organization_id", s->tenant);
	put_text(out, "unique_organization_id", s->tenant);
	put_text(out, "organization", s->tenant);
	put_text(out, "organization_key_name", s->organization_key_id);
	put_text(out, "organization_key__name", s->organization_key_id);
	put_text(out, "foundation_model", s->model);
	put_text(out, "deployment_name", s->model);
	put_text(out, "session_identifier", s->thread_identifier);
	buf_str(out, ",\"end_time\":");
	span_value_json(s, SPAN_F_timestamp, out);
	buf_printf(out, ",\"failed\":%s,\"is_example\":false,\"used_custom_credential\":false,\"cache_bit\":%d,"
	    "\"cache_miss_bit\":%d,\"category\":null,\"user\":null,\"user_email\":null,\"storage_object_key\":\"\","
	    "\"period_start\":null,\"period_end\":null,\"prompt_version_number\":null,\"status_in_eval_set\":null",
	    slice_eq(s->status, SLICE("error")) ? "true" : "false", hit, !hit);
}

/* What is counted of the bodies. */
static void
put_counts(const struct span *s, struct buf *out)
{
	size_t answers = count_items(s->completion_messages);

	buf_printf(out, ",\"has_tool_calls\":%s,\"prompt_message_count\":%zu,\"completion_message_count\":%zu",
	    s->tool_calls.len > 2 ? "true" : "false", count_items(s->prompt_messages),
	    answers ? answers : (size_t)(s->completion_message.ptr != NULL));
	put_sizes(out, "input", s->input);
	put_sizes(out, "output", s->output);
	buf_str(out, ",\"thread_message_pairs\":[]");
}

/* Is it one of the names that put_others, put_counts and row_json write? */
static bool
is_taken(const struct jmember *m)
{
	static const char *const names[] = {
		"full_unique_id", "organization_id", "unique_organization_id", "organization", "organization_key_name",
		"organization_key__name", "foundation_model", "deployment_name", "session_identifier", "end_time", "failed",
		"is_example", "used_custom_credential", "cache_bit", "cache_miss_bit", "category", "user", "user_email",
		"storage_object_key", "period_start", "period_end", "prompt_version_number", "status_in_eval_set",
		"has_tool_calls", "prompt_message_count", "completion_message_count", "input_chars", "input_words",
		"output_chars", "output_words", "thread_message_pairs", "scores", "limit_info",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (jkey_is(m, slice_str(names[i])))
			return true;
	return false;
}

/* Members that only whoever sent the span knows. */
static void
put_extra(const struct span *s, struct buf *out)
{
	struct jvalue extra;
	struct jiter it;
	struct jmember m;

	if (!s->extra.ptr || jscan_check(s->extra, &extra, NULL) != JSCAN_END)
		return;
	jiter_init(&it, extra);
	while (jiter_next(&it, &m)) {
		if (is_taken(&m))
			continue;
		buf_byte(out, ',');
		buf_slice(out, m.key_text);
		buf_byte(out, ':');
		span_json_line(m.value.text, out);
	}
}

static bool
wanted(const struct row_writer *w, int field)
{
	if (w->fields)
		return w->fields[field] || !row_needs_full(field);
	return w->full || (field != SPAN_F_full_request && field != SPAN_F_full_response);
}

static void
put_fields(struct row_writer *w, const struct span *row, struct buf *out)
{
	char before = '{';

	for (int i = 0; i < SPAN_FIELDS; i++) {
		if (!wanted(w, i))
			continue;
		buf_byte(out, before);
		before = ',';
		buf_printf(out, "\"%s\":", span_fields[i].name);
		if (i == SPAN_F_error_message && span_is_null(row, i))
			buf_str(out, "\"\"");
		else
			span_value_json(row, (enum span_field)i, out);
	}
}

void
row_json(struct row_writer *w, const struct span *span, struct buf *out)
{
	struct span row = *span;

	buf_clear(&w->text);
	/* Escaping may make six of a byte; room first, so that nothing moves. */
	if (buf_reserve(&w->text, (row.input.len + row.output.len) * 6 + 8)) {
		row.input = as_string(w, row.input);
		row.output = as_string(w, row.output);
	}
	put_fields(w, &row, out);
	put_others(&row, out);
	if (!w->fields) {
		put_counts(&row, out);
		put_extra(&row, out);
	}
	buf_str(out, ",\"scores\":");
	if (!w->store || store_sqlite.scores(w->store, row.id16, out) != STORE_OK)
		buf_str(out, "{}");
	buf_str(out, w->one ? ",\"limit_info\":null}" : "}");
	if (w->text.cap > 4 * MIB)
		buf_free(&w->text);
}
