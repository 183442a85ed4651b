/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_spans_print: the four forms in which `spangate spans` prints. A span is
 * put together as one line and written once, so that what another program
 * reads ends between spans when it is cut.
 */
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "cli_spans_print.h"
#include "cli_text.h"
#include "store/value.h"

#define LINE_LIMIT (256 * MIB)		/* of one span as JSON, every body in it */
#define CELL_MAX 40			/* of a field that was asked for by name */
#define CELL_MIN 12
#define WIDE 100			/* columns from which there is room for the date and the customer */

static const char *const format_names[] = {
	[FORMAT_TABLE] = "table", [FORMAT_JSON] = "json", [FORMAT_JSONL] = "jsonl", [FORMAT_CSV] = "csv",
};

bool
spans_format_by_name(const char *name, enum spans_format *out)
{
	for (size_t i = 0; i < sizeof(format_names) / sizeof(format_names[0]); i++)
		if (strcmp(format_names[i], name) == 0) {
			*out = (enum spans_format)i;
			return true;
		}
	return false;
}

bool
spans_print_needs_full(const struct spans_print *p)
{
	struct export x = { .fields = p->fields, .nfields = p->nfields };

	return (p->format != FORMAT_TABLE || p->fields) && export_needs_full(&x);
}

enum cell { CELL_TIME, CELL_MODEL, CELL_STATUS, CELL_LATENCY, CELL_TTFT, CELL_TOKENS, CELL_CUSTOMER, CELL_ID, CELLS };

static const struct {
	const char	*title;
	unsigned	 width;		/* 0: a share of what is left */
	bool		 right;
} cells[CELLS] = {
	[CELL_TIME] = { "TIME (UTC)", 14, false },
	[CELL_MODEL] = { "MODEL", 0, false },
	[CELL_STATUS] = { "STATUS", 6, false },
	[CELL_LATENCY] = { "LATENCY", 8, true },
	[CELL_TTFT] = { "TTFT", 8, true },
	[CELL_TOKENS] = { "TOKENS", 12, true },
	[CELL_CUSTOMER] = { "CUSTOMER", 0, false },
	[CELL_ID] = { "ID", 16, false },
};

/* How wide a cell is on this terminal; 0: it has no place. */
static size_t
cell_width(const struct spans_print *p, enum cell cell)
{
	size_t fixed = CELLS, left;

	if (cell == CELL_TIME)
		return p->width < WIDE ? 14 : 19;
	if (cells[cell].width)
		return cells[cell].width;
	for (int i = 0; i < CELLS; i++)
		fixed += i == CELL_TIME ? (p->width < WIDE ? 14 : 19) : cells[i].width;
	left = p->width > fixed + 8 ? p->width - fixed : 8;
	if (p->width < WIDE)
		return cell == CELL_MODEL ? left + 1 : 0;
	left = left > 72 ? 72 : left;
	return cell == CELL_MODEL ? left - left * 2 / 5 : left * 2 / 5;
}

static void
seconds_text(struct span_int us, struct buf *out)
{
	if (us.set && us.v < 10000000)
		buf_printf(out, "%.0f ms", (double)us.v / 1000);
	else if (us.set)
		buf_printf(out, "%.1f s", (double)us.v / 1000000);
	else
		buf_str(out, "-");
}

static void
tokens_text(const struct span *span, struct buf *out)
{
	if (!span->prompt_tokens.set && !span->completion_tokens.set) {
		buf_str(out, "-");
		return;
	}
	if (span->prompt_tokens.set)
		buf_printf(out, "%lld", (long long)span->prompt_tokens.v);
	buf_str(out, ">");
	if (span->completion_tokens.set)
		buf_printf(out, "%lld", (long long)span->completion_tokens.v);
}

static void
status_text(const struct span *span, struct buf *out)
{
	if (span->status_code.set)
		buf_printf(out, "%lld%s", (long long)span->status_code.v,
		    slice_eq(span->status, SLICE("error")) && span->status_code.v < 400 ? " err" : "");
	else
		buf_slice(out, span->status);
}

static void
cell_text(const struct spans_print *p, const struct span *span, enum cell cell, struct buf *out)
{
	switch (cell) {
	case CELL_TIME:
		span_time_text(span->timestamp.v, out);
		if (out->len < 19)
			return;
		out->ptr[10] = ' ';
		out->len = 19;
		if (p->width < WIDE) {	/* without the year */
			memmove(out->ptr, out->ptr + 5, 14);
			out->len = 14;
		}
		return;
	case CELL_MODEL:
		buf_slice(out, span->model.ptr ? span->model : SLICE("-"));
		return;
	case CELL_STATUS:
		status_text(span, out);
		return;
	case CELL_LATENCY:
		seconds_text(span->latency, out);
		return;
	case CELL_TTFT:
		seconds_text(span->time_to_first_token, out);
		return;
	case CELL_TOKENS:
		tokens_text(span, out);
		return;
	case CELL_CUSTOMER:
		buf_slice(out, span->customer_identifier.ptr ? span->customer_identifier : SLICE("-"));
		return;
	default:
		buf_slice(out, span->id);
	}
}

static size_t
field_width(int field)
{
	size_t n = strlen(span_fields[field].name);

	if (field == SPAN_F_id || field == SPAN_F_unique_id)
		return 32;
	if (span_fields[field].type == SPAN_TIME)
		return 27;
	return n < CELL_MIN ? CELL_MIN : n > CELL_MAX ? CELL_MAX : n;
}

static void
table_row(struct spans_print *p, const struct span *span)
{
	struct buf cell;

	buf_init(&cell, LINE_LIMIT);
	for (size_t i = 0; p->fields && i < p->nfields; i++) {
		buf_clear(&cell);
		if (span)
			export_value(span, p->fields[i], &cell);
		else
			buf_str(&cell, span_fields[p->fields[i]].name);
		text_cell(&p->line, buf_view(&cell), i + 1 == p->nfields ? CELL_MAX * 2 : field_width(p->fields[i]),
		    false);
	}
	for (int i = 0; !p->fields && i < CELLS; i++) {
		size_t width = cell_width(p, i);

		buf_clear(&cell);
		if (span)
			cell_text(p, span, i, &cell);
		else
			buf_str(&cell, cells[i].title);
		/* The id's start is enough for `spans get`, so it is cut without a sign. */
		if (width > 0)
			text_cell(&p->line, i == CELL_ID ? text_cut(buf_view(&cell), width) : buf_view(&cell),
			    width, cells[i].right);
	}
	while (p->line.len > 0 && p->line.ptr[p->line.len - 1] == ' ')
		p->line.len--;
	buf_byte(&p->line, '\n');
	buf_free(&cell);
}

bool
spans_print_flush(struct spans_print *p)
{
	bool good = !p->line.failed && (p->line.len == 0 ||
	    fwrite(p->line.ptr, 1, p->line.len, p->out) == p->line.len);

	if (p->line.cap > 4 * MIB)
		buf_free(&p->line);
	buf_clear(&p->line);
	return good;
}

void
spans_print_start(struct spans_print *p)
{
	static const enum export_format formats[] = { [FORMAT_JSON] = EXPORT_JSON, [FORMAT_JSONL] = EXPORT_JSONL,
	    [FORMAT_CSV] = EXPORT_CSV };

	p->printed = 0;
	buf_init(&p->line, LINE_LIMIT);
	if (p->format == FORMAT_TABLE) {
		table_row(p, NULL);
		return;
	}
	p->export = (struct export){ .format = formats[p->format], .fields = p->fields, .nfields = p->nfields,
	    .full = p->full };
	export_start(&p->export, &p->line);
}

bool
spans_print(struct spans_print *p, const struct span *span)
{
	if (p->format == FORMAT_TABLE)
		table_row(p, span);
	else
		export_row(&p->export, span, &p->line);
	p->printed++;
	return !p->line.failed;
}

bool
spans_print_end(struct spans_print *p)
{
	bool good;

	if (p->format != FORMAT_TABLE)
		export_end(&p->export, &p->line);
	good = spans_print_flush(p) && fflush(p->out) == 0;
	buf_free(&p->line);
	return good;
}

static void
new_line(struct buf *out, unsigned depth)
{
	buf_printf(out, "\n%*s", (int)(depth * 2), "");
}

/* Indents a JSON text that is known to be good. */
static void
indent(struct slice json, struct buf *out)
{
	unsigned depth = 0;
	bool string = false;

	for (size_t i = 0; i < json.len; i++) {
		char c = json.ptr[i], next = i + 1 < json.len ? json.ptr[i + 1] : '\0';

		if (string) {
			buf_byte(out, c);
			if (c == '\\')
				buf_byte(out, json.ptr[++i]);
			string = c != '"';
			continue;
		}
		if (strchr(" \t\r\n", c))
			continue;
		if ((c == '}' || c == ']') && depth > 0)
			new_line(out, --depth);
		buf_byte(out, c);
		string = c == '"';
		if ((c == '{' && next == '}') || (c == '[' && next == ']')) {
			buf_byte(out, next);
			i++;
		} else if (c == '{' || c == '[')
			new_line(out, ++depth);
		else if (c == ',')
			new_line(out, depth);
		else if (c == ':')
			buf_byte(out, ' ');
	}
	buf_byte(out, '\n');
}

bool
spans_print_one(struct spans_print *p, const struct span *span)
{
	struct buf json;
	bool good;

	buf_init(&p->line, LINE_LIMIT);
	buf_init(&json, LINE_LIMIT);
	span_json(span, false, &json);
	indent(buf_view(&json), &p->line);
	good = !json.failed && spans_print_flush(p) && fflush(p->out) == 0;
	buf_free(&json);
	buf_free(&p->line);
	return good;
}
