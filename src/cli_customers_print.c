/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_customers_print: one table of columns gives the four forms. JSON and CSV
 * have them all; a table on a terminal those that have a title, as many as
 * there is room for.
 */
#include "cli_customers_print.h"

#include "cli_text.h"
#include "core/csv.h"
#include "core/limits.h"
#include "span/span.h"

#define DAY_US (INT64_C(86400) * 1000000)
#define LINE_LIMIT (64 * KIB)

enum column { CUSTOMER, ENVIRONMENT, EMAIL, NAME, PART, REQUESTS, ERRORS, PROMPT, COMPLETION, TOKENS, CACHED,
    CACHE_CREATION, REASONING, COST, UNPRICED, LATENCY, LATENCY_P50, LATENCY_P95, TTFT, TTFT_P95, FIRST_SEEN,
    LAST_SEEN, ACTIVE_DAYS, COLUMNS };

/* NUMBER: not quoted in JSON. */
enum form { TEXT, NUMBER };

static const struct {
	const char	*name;
	const char	*title;		/* in a table; NULL: not there */
	unsigned	 width;
	enum form	 form;
	unsigned	 rank;		/* in a narrow table those of a high one are left out first */
} columns[COLUMNS] = {
	[CUSTOMER] = { "customer_identifier", "CUSTOMER", 20, TEXT, 0 },
	[ENVIRONMENT] = { "environment", "ENV", 6, TEXT, 5 },
	[EMAIL] = { "email", NULL, 0, TEXT, 0 },
	[NAME] = { "name", NULL, 0, TEXT, 0 },
	[PART] = { "part", "PART", 20, TEXT, 0 },	/* by its own name, and where it is asked for */
	[REQUESTS] = { "requests", "REQUESTS", 8, NUMBER, 0 },
	[ERRORS] = { "errors", "ERRORS", 6, NUMBER, 3 },
	[PROMPT] = { "prompt_tokens", NULL, 0, NUMBER, 0 },
	[COMPLETION] = { "completion_tokens", NULL, 0, NUMBER, 0 },
	[TOKENS] = { "total_tokens", "TOKENS", 11, NUMBER, 1 },
	[CACHED] = { "prompt_cache_hit_tokens", NULL, 0, NUMBER, 0 },
	[CACHE_CREATION] = { "prompt_cache_creation_tokens", NULL, 0, NUMBER, 0 },
	[REASONING] = { "reasoning_tokens", NULL, 0, NUMBER, 0 },
	[COST] = { "cost", "COST USD", 20, NUMBER, 0 },
	[UNPRICED] = { "unpriced", "UNPRICED", 8, NUMBER, 4 },
	[LATENCY] = { "average_latency", "LATENCY", 8, NUMBER, 2 },
	[LATENCY_P50] = { "latency_p50", "P50", 8, NUMBER, 8 },
	[LATENCY_P95] = { "latency_p95", "P95", 8, NUMBER, 6 },
	[TTFT] = { "average_ttft", "TTFT", 8, NUMBER, 7 },
	[TTFT_P95] = { "ttft_p95", "P95", 8, NUMBER, 9 },
	[FIRST_SEEN] = { "first_seen", "FIRST SEEN", 10, TEXT, 10 },
	[LAST_SEEN] = { "last_seen", "LAST SEEN", 10, TEXT, 3 },
	[ACTIVE_DAYS] = { "active_days", NULL, 0, NUMBER, 0 },
};

/* The names that a part goes by. */
static const struct { const char *name, *title; } parts[CUSTOMERS_BYS] = {
	[CUSTOMERS_BY_DAY] = { "day", "DAY" },
	[CUSTOMERS_BY_MONTH] = { "month", "MONTH" },
	[CUSTOMERS_BY_MODEL] = { "model", "MODEL" },
	[CUSTOMERS_BY_PROVIDER] = { "provider_id", "PROVIDER" },
	[CUSTOMERS_BY_KEY] = { "organization_key_id", "KEY" },
};

static void
number(int64_t v, struct buf *out)
{
	buf_printf(out, "%lld", (long long)v);
}

/* Seconds with their microseconds, as spans print them. */
static void
seconds(int64_t us, struct buf *out)
{
	struct span span = { .latency = { true, us } };

	span_value_json(&span, SPAN_F_latency, out);
}

static void
average(int64_t sum, int64_t count, struct buf *out)
{
	if (count > 0)
		seconds(sum / count, out);
}

static void
quantile(struct slice bytes, double q, struct buf *out)
{
	struct hist hist = { { 0 } };

	(void)hist_add(&hist, bytes, 1);
	if (hist_count(&hist) > 0)
		seconds(hist_quantile(&hist, q), out);
}

/* The first `len` characters of a time. */
static void
put_time(int64_t us, size_t len, struct buf *out)
{
	span_time_text(us, out);
	if (out->len > len)
		out->len = len;
}

static void
put_part(const struct customers_print *p, const struct customers_row *row, struct buf *out)
{
	if (p->by == CUSTOMERS_BY_DAY)
		put_time(row->day * DAY_US, 10, out);
	else if (p->by == CUSTOMERS_BY_MONTH)
		put_time(row->day * DAY_US, 7, out);
	else
		buf_slice(out, row->part);
}

static void
put_sum(const struct customers_row *row, enum column column, struct buf *out)
{
	static const enum rollup_sum sums[COLUMNS] = {
		[REQUESTS] = ROLLUP_requests, [ERRORS] = ROLLUP_errors, [PROMPT] = ROLLUP_prompt_tokens,
		[COMPLETION] = ROLLUP_completion_tokens, [TOKENS] = ROLLUP_total_tokens, [CACHED] = ROLLUP_cached_tokens,
		[CACHE_CREATION] = ROLLUP_cache_creation_tokens, [REASONING] = ROLLUP_reasoning_tokens,
		[UNPRICED] = ROLLUP_unpriced,
	};

	number(row->sums[sums[column]], out);
}

/* One value; nothing where it is not known. */
static void
put_value(const struct customers_print *p, const struct customers_row *row, enum column column, struct buf *out)
{
	switch (column) {
	case CUSTOMER:
		buf_slice(out, row->customer);
		break;
	case ENVIRONMENT:
		buf_slice(out, row->environment);
		break;
	case EMAIL:
		buf_slice(out, row->email);
		break;
	case NAME:
		buf_slice(out, row->name);
		break;
	case PART:
		put_part(p, row, out);
		break;
	case COST:
		span_cost_text(row->sums[ROLLUP_cost_pico], out);
		break;
	case LATENCY:
		average(row->sums[ROLLUP_latency_us], row->sums[ROLLUP_latency_count], out);
		break;
	case LATENCY_P50:
		quantile(row->latency, 0.5, out);
		break;
	case LATENCY_P95:
		quantile(row->latency, 0.95, out);
		break;
	case TTFT:
		average(row->sums[ROLLUP_ttft_us], row->sums[ROLLUP_ttft_count], out);
		break;
	case TTFT_P95:
		quantile(row->ttft, 0.95, out);
		break;
	case FIRST_SEEN:
		span_time_text(row->first_seen, out);
		break;
	case LAST_SEEN:
		span_time_text(row->last_seen, out);
		break;
	case ACTIVE_DAYS:
		number(row->active_days, out);
		break;
	default:
		put_sum(row, column, out);
	}
}

static const char *
name_of(const struct customers_print *p, enum column column)
{
	return column == PART ? parts[p->by].name : columns[column].name;
}

static bool
is_there(const struct customers_print *p, enum column column)
{
	return column != PART || p->by != CUSTOMERS_BY_NOTHING;
}

/* Does a table of this width hold the column? Those of lower ranks come first. */
static bool
fits(const struct customers_print *p, enum column column)
{
	size_t width = 0;

	for (int i = 0; i < COLUMNS; i++)
		if (columns[i].title && is_there(p, i) && (columns[i].rank < columns[column].rank ||
		    (columns[i].rank == columns[column].rank && i <= (int)column)))
			width += columns[i].width + 1;
	return columns[column].title && is_there(p, column) && (width <= p->width || columns[column].rank == 0);
}

/* Times of a table are days, spans of time have three digits after the point. */
static void
shorten(enum column column, struct buf *cell)
{
	struct slice text = buf_view(cell);
	const char *point;

	if (column == FIRST_SEEN || column == LAST_SEEN)
		cell->len = cell->len > 10 ? 10 : cell->len;
	else if (column >= LATENCY && column <= TTFT_P95 && text.len > 0) {
		point = memchr(text.ptr, '.', text.len);
		if (point && text.len > (size_t)(point - text.ptr) + 4)
			cell->len = (size_t)(point - text.ptr) + 4;
		buf_str(cell, " s");
	} else if (cell->len == 0)
		buf_str(cell, "-");
}

static void
table_row(struct customers_print *p, const struct customers_row *row)
{
	for (int i = 0; i < COLUMNS; i++) {
		if (!fits(p, i))
			continue;
		buf_clear(&p->cell);
		if (row) {
			put_value(p, row, i, &p->cell);
			shorten(i, &p->cell);
		} else
			buf_str(&p->cell, i == PART ? parts[p->by].title : columns[i].title);
		text_cell(&p->line, buf_view(&p->cell), columns[i].width, columns[i].form == NUMBER);
	}
	while (p->line.len > 0 && p->line.ptr[p->line.len - 1] == ' ')
		p->line.len--;
	buf_byte(&p->line, '\n');
}

static void
csv_row(struct customers_print *p, const struct customers_row *row)
{
	const char *comma = "";

	for (int i = 0; i < COLUMNS; i++) {
		if (!is_there(p, i))
			continue;
		buf_clear(&p->cell);
		if (row)
			put_value(p, row, i, &p->cell);
		else
			buf_str(&p->cell, name_of(p, i));
		buf_str(&p->line, comma);
		if (columns[i].form == TEXT)
			csv_cell_safe(&p->line, buf_view(&p->cell));
		else
			csv_cell(&p->line, buf_view(&p->cell));
		comma = ",";
	}
	buf_str(&p->line, "\r\n");
}

static void
json_row(struct customers_print *p, const struct customers_row *row)
{
	char mark = '{';

	for (int i = 0; i < COLUMNS; i++) {
		if (!is_there(p, i))
			continue;
		buf_clear(&p->cell);
		put_value(p, row, i, &p->cell);
		buf_printf(&p->line, "%c\"%s\":", mark, name_of(p, i));
		if (p->cell.len == 0 && i != CUSTOMER)
			buf_str(&p->line, "null");
		else if (columns[i].form == TEXT)
			buf_json_string(&p->line, buf_view(&p->cell));
		else
			buf_slice(&p->line, buf_view(&p->cell));
		mark = ',';
	}
	buf_byte(&p->line, '}');
}

static bool
flush_line(struct customers_print *p)
{
	bool good = !p->line.failed && fwrite(p->line.ptr ? p->line.ptr : "", 1, p->line.len, p->out) == p->line.len;

	buf_clear(&p->line);
	return good;
}

void
customers_print_start(struct customers_print *p)
{
	p->printed = 0;
	buf_init(&p->line, LINE_LIMIT);
	buf_init(&p->cell, LINE_LIMIT);
	if (p->format == FORMAT_TABLE)
		table_row(p, NULL);
	else if (p->format == FORMAT_CSV)
		csv_row(p, NULL);
	else if (p->format == FORMAT_JSON)
		buf_byte(&p->line, '[');
}

bool
customers_print(struct customers_print *p, const struct customers_row *row)
{
	if (p->format == FORMAT_TABLE)
		table_row(p, row);
	else if (p->format == FORMAT_CSV)
		csv_row(p, row);
	else {
		if (p->format == FORMAT_JSON)
			buf_str(&p->line, p->printed ? ",\n" : "\n");
		json_row(p, row);
		if (p->format == FORMAT_JSONL)
			buf_byte(&p->line, '\n');
	}
	p->printed++;
	return flush_line(p);
}

bool
customers_print_end(struct customers_print *p)
{
	bool good;

	if (p->format == FORMAT_JSON)
		buf_str(&p->line, "\n]\n");
	good = flush_line(p) && fflush(p->out) == 0;
	buf_free(&p->line);
	buf_free(&p->cell);
	return good;
}
