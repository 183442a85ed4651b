/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span.c: the table of fields, and how their values are printed as JSON.
 * Called by whoever shows or sends a span. It never looks at what they mean.
 */
#include "span/span.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/decimal.h"
#include "span/times.h"

const struct span_field_info span_fields[SPAN_FIELDS] = {
#define FIELD(symbol, name, type) \
	{ name, SPAN_##type, offsetof(struct span, symbol), sizeof(name) - 1, ",\"" name "\":null" },
#include "span/span.tbl.h"
#undef FIELD
};

int
span_field_by_name(struct slice name)
{
	int i;

	for (i = 0; i < SPAN_FIELDS; i++)
		if (span_fields[i].length == name.len && memcmp(name.ptr, span_fields[i].name, name.len) == 0)
			return i;
	return -1;
}

static const void *
field_value(const struct span *s, enum span_field f)
{
	return (const char *)s + span_fields[f].offset;
}

bool
span_is_null(const struct span *s, enum span_field f)
{
	const void *v = field_value(s, f);

	switch (span_fields[f].type) {
	case SPAN_TEXT:
	case SPAN_JSON:
		return ((const struct slice *)v)->ptr == NULL;
	case SPAN_NUM:
		return !((const struct span_num *)v)->set;
	case SPAN_BOOL:
		return !((const struct span_bool *)v)->set;
	case SPAN_INT:
	case SPAN_TIME:
	case SPAN_SECS:
	case SPAN_COST:
		break;
	}
	return !((const struct span_int *)v)->set;
}

/* The date of a day counted from 1970-01-01 (proleptic Gregorian; years are
 * counted from March, in eras of 400). */
static void
day_date(int64_t day, int *year, unsigned *month, unsigned *mday)
{
	int64_t z = day + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
	unsigned doe = (unsigned)(z - era * 146097);
	unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	unsigned mp = (5 * doy + 2) / 153;

	*mday = doy - (153 * mp + 2) / 5 + 1;
	*month = mp < 10 ? mp + 3 : mp - 9;
	*year = (int)(yoe + era * 400) + (*month <= 2);
}

#define TIME_FIRST INT64_C(-62135596800000000)	/* 0001-01-01 */
#define TIME_LAST INT64_C(253402300799999999)	/* 9999-12-31, the last µs */

/* With leading zeros, and what comes behind. Printing times by printf is a tenth of an export. */
static void
put_digits(unsigned n, size_t digits, char after, struct buf *out)
{
	char text[12];

	text[digits] = after;
	for (size_t i = digits; i-- > 0; n /= 10)
		text[i] = (char)('0' + n % 10);
	buf_append(out, text, digits + 1);
}

void
span_time_text(int64_t us, struct buf *out)
{
	const int64_t day_us = INT64_C(86400000000);
	unsigned month, mday, s;
	int64_t day, rest;
	int year;

	us = us < TIME_FIRST ? TIME_FIRST : us > TIME_LAST ? TIME_LAST : us;
	day = us / day_us - (us % day_us < 0);
	rest = us - day * day_us;
	s = (unsigned)(rest / 1000000);
	day_date(day, &year, &month, &mday);
	put_digits((unsigned)year, 4, '-', out);
	put_digits(month, 2, '-', out);
	put_digits(mday, 2, 'T', out);
	put_digits(s / 3600, 2, ':', out);
	put_digits(s / 60 % 60, 2, ':', out);
	put_digits(s % 60, 2, '.', out);
	put_digits((unsigned)(rest % 1000000), 6, 'Z', out);
}

void
time_secs_text(int64_t us, struct buf *out)
{
	decimal_print(us, 6, out);
}

void
span_cost_text(int64_t pico_usd, struct buf *out)
{
	decimal_print(pico_usd, 12, out);
}

void
span_number_text(double v, struct buf *out)
{
	char text[32];
	double back;
	int digits;

	if (!isfinite(v)) {
		buf_str(out, "null");
		return;
	}
	for (digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, v);
		if (digits == 17)	/* which always does */
			break;
		back = strtod(text, NULL);
		if (!(back < v) && !(back > v))
			break;
	}
	buf_str(out, text);
}

/* In JSON text line ends are white space between tokens, and so is the
 * indentation behind them. */
void
span_json_line(struct slice text, struct buf *out)
{
	const char *p = text.ptr, *end = text.ptr + text.len, *q;

	if (text.len > 0 && !memchr(p, '\n', text.len) && !memchr(p, '\r', text.len)) {
		buf_slice(out, text);
		return;
	}
	while (p < end) {
		for (q = p; q < end && *q != '\n' && *q != '\r'; q++)
			;
		buf_append(out, p, (size_t)(q - p));
		while (q < end && (*q == '\n' || *q == '\r' || *q == ' ' || *q == '\t'))
			q++;
		p = q;
	}
}

void
span_value_json(const struct span *s, enum span_field f, struct buf *out)
{
	const void *v = field_value(s, f);

	if (span_is_null(s, f)) {
		buf_str(out, "null");
		return;
	}
	switch (span_fields[f].type) {
	case SPAN_TEXT:
		buf_json_string(out, *(const struct slice *)v);
		break;
	case SPAN_JSON:
		span_json_line(*(const struct slice *)v, out);
		break;
	case SPAN_INT:
		decimal_print(((const struct span_int *)v)->v, 0, out);
		break;
	case SPAN_NUM:
		span_number_text(((const struct span_num *)v)->v, out);
		break;
	case SPAN_BOOL:
		buf_str(out, ((const struct span_bool *)v)->v ? "true" : "false");
		break;
	case SPAN_TIME:
		buf_byte(out, '"');
		span_time_text(((const struct span_int *)v)->v, out);
		buf_byte(out, '"');
		break;
	case SPAN_SECS:
		time_secs_text(((const struct span_int *)v)->v, out);
		break;
	case SPAN_COST:
		span_cost_text(((const struct span_int *)v)->v, out);
		break;
	}
}

void
span_json(const struct span *s, bool nulls, struct buf *out)
{
	size_t comma = 1;	/* not before the first one */
	int i;

	buf_byte(out, '{');
	for (i = 0; i < SPAN_FIELDS; i++) {
		const struct span_field_info *f = &span_fields[i];
		bool null = span_is_null(s, (enum span_field)i);

		if (null && !nulls)
			continue;
		buf_append(out, f->null + comma, f->length + sizeof(",\"\":") - 1 - comma +
		    (null && i != SPAN_F_error_message ? sizeof("null") - 1 : 0));
		comma = 0;
		if (null && i == SPAN_F_error_message)
			buf_str(out, "\"\"");
		else if (!null)
			span_value_json(s, (enum span_field)i, out);
	}
	if (s->extra.len > 2) {		/* what is between its braces */
		buf_str(out, comma ? "" : ",");
		span_json_line(slice_make(s->extra.ptr + 1, s->extra.len - 2), out);
	}
	buf_byte(out, '}');
}
