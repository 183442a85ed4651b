/* SPDX-License-Identifier: Apache-2.0 */
/* export: see export.h. Writes into the caller's buf and knows no store. */
#include "api/export.h"

#include "api/row.h"
#include "core/csv.h"
#include "core/limits.h"

#define CELL_LIMIT (256 * MIB)		/* one body as a cell */

/* What a CSV file holds unless fields are named. */
static const int csv_fields[] = {
	SPAN_F_id, SPAN_F_timestamp, SPAN_F_start_time, SPAN_F_log_type, SPAN_F_model, SPAN_F_provider_id,
	SPAN_F_status, SPAN_F_status_code, SPAN_F_end_reason, SPAN_F_finish_reason, SPAN_F_error_message,
	SPAN_F_latency, SPAN_F_time_to_first_token, SPAN_F_tokens_per_second, SPAN_F_stream,
	SPAN_F_prompt_tokens, SPAN_F_completion_tokens, SPAN_F_total_request_tokens,
	SPAN_F_prompt_cache_hit_tokens, SPAN_F_prompt_cache_creation_tokens, SPAN_F_reasoning_tokens,
	SPAN_F_usage_source, SPAN_F_cost, SPAN_F_cost_source, SPAN_F_customer_identifier,
	SPAN_F_thread_identifier, SPAN_F_custom_identifier, SPAN_F_group_identifier, SPAN_F_environment,
	SPAN_F_trace_unique_id, SPAN_F_span_unique_id, SPAN_F_span_parent_id, SPAN_F_span_name,
	SPAN_F_metadata, SPAN_F_input, SPAN_F_output,
};

bool
export_format_by_name(struct slice name, enum export_format *format)
{
	static const char *const names[] = { [EXPORT_JSONL] = "jsonl", [EXPORT_JSON] = "json", [EXPORT_CSV] = "csv" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_caseeq(slice_str(names[i]), name)) {
			*format = (enum export_format)i;
			return true;
		}
	return false;
}

bool
export_fields(struct export *x, int *list, struct slice names, struct slice *bad)
{
	x->nfields = 0;
	while (names.len > 0) {
		const char *comma = memchr(names.ptr, ',', names.len);
		struct slice name = slice_make(names.ptr, comma ? (size_t)(comma - names.ptr) : names.len);
		int field;

		names = slice_from(names, name.len + (comma != NULL));
		*bad = name = slice_trim(name);
		field = span_field_by_name(name);
		if (field < 0 || x->nfields == SPAN_FIELDS)
			return false;
		list[x->nfields++] = field;
	}
	x->fields = x->nfields ? list : NULL;
	return true;
}

bool
export_needs_full(const struct export *x)
{
	for (size_t i = 0; i < x->nfields; i++)
		if (row_needs_full(x->fields[i]))
			return true;
	return x->fields == NULL;
}

void
export_value(const struct span *span, int field, struct buf *out)
{
	const char *at = (const char *)span + span_fields[field].offset;

	if (span_is_null(span, field))
		return;
	if (span_fields[field].type == SPAN_TEXT)
		buf_slice(out, *(const struct slice *)at);
	else if (span_fields[field].type == SPAN_TIME)
		span_time_text(((const struct span_int *)at)->v, out);
	else
		span_value_json(span, field, out);
}

static void
csv_line(struct export *x, const struct span *span, struct buf *out)
{
	const int *fields = x->fields ? x->fields : csv_fields;
	size_t n = x->fields ? x->nfields : sizeof(csv_fields) / sizeof(csv_fields[0]);

	for (size_t i = 0; i < n; i++) {
		enum span_type type = span_fields[fields[i]].type;

		buf_clear(&x->cell);
		if (span)
			export_value(span, fields[i], &x->cell);
		else
			buf_str(&x->cell, span_fields[fields[i]].name);
		if (i > 0)
			buf_byte(out, ',');
		/* Numbers are ours, and may begin with a minus. */
		if (type == SPAN_TEXT || type == SPAN_JSON)
			csv_cell_safe(out, buf_view(&x->cell));
		else
			csv_cell(out, buf_view(&x->cell));
	}
	buf_str(out, "\r\n");
	if (x->cell.cap > 4 * MIB)
		buf_free(&x->cell);
}

static void
json_line(struct export *x, const struct span *span, struct buf *out)
{
	struct span copy;

	if (x->fields) {
		for (size_t i = 0; i < x->nfields; i++) {
			buf_printf(out, "%s\"%s\":", i ? "," : "{", span_fields[x->fields[i]].name);
			span_value_json(span, x->fields[i], out);
		}
		buf_byte(out, '}');
		return;
	}
	copy = *span;
	if (!x->full)
		copy.full_request = copy.full_response = SLICE_NONE;
	span_json(&copy, true, out);
}

void
export_start(struct export *x, struct buf *out)
{
	x->rows = 0;
	buf_init(&x->cell, CELL_LIMIT);
	if (x->format == EXPORT_CSV)
		csv_line(x, NULL, out);
	else if (x->format == EXPORT_JSON)
		buf_byte(out, '[');
}

void
export_row(struct export *x, const struct span *span, struct buf *out)
{
	if (x->format == EXPORT_CSV)
		csv_line(x, span, out);
	else {
		if (x->format == EXPORT_JSON)
			buf_str(out, x->rows ? ",\n" : "\n");
		json_line(x, span, out);
		if (x->format == EXPORT_JSONL)
			buf_byte(out, '\n');
	}
	x->rows++;
}

void
export_end(struct export *x, struct buf *out)
{
	if (x->format == EXPORT_JSON)
		buf_str(out, "\n]\n");
	buf_free(&x->cell);
}
