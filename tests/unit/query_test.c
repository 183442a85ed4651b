/* SPDX-License-Identifier: Apache-2.0 */
/* Values read from text, and the WHERE clause of a query. */
#include <string.h>

#include "span/span.h"
#include "store/query.h"
#include "store/value.h"
#include "tap.h"

static int64_t
time_of(const char *s)
{
	int64_t us = -1;

	return value_time(slice_str(s), &us) ? us : INT64_MIN;
}

static void
test_times(void)
{
	ok(time_of("1970-01-01T00:00:00Z") == 0);
	ok(time_of("2026-11-20T19:05:01.123456Z") == INT64_C(1795201501123456));
	ok(time_of("2026-11-20T19:05:01.123456789Z") == INT64_C(1795201501123456));
	ok(time_of("2026-11-20T20:05:01.5+01:00") == INT64_C(1795201501500000));
	ok(time_of("2026-11-20T14:05:01-0500") == INT64_C(1795201501000000));
	ok(time_of("2026-11-20 19:05") == INT64_C(1795201500000000));
	ok(time_of("2026-11-20") == INT64_C(1795132800000000));
	ok(time_of("2000-02-29T00:00:00Z") == INT64_C(951782400000000));
	ok(time_of("1969-12-31T23:59:59Z") == -1000000);
	ok(time_of("1900-02-29T00:00:00Z") == INT64_MIN);
	ok(time_of("2026-13-01") == INT64_MIN && time_of("2026-11-20T25:00") == INT64_MIN);
	ok(time_of("2026-11-20T19:05:01.Z") == INT64_MIN && time_of("yesterday") == INT64_MIN);
	ok(time_of("") == INT64_MIN && time_of("2026-11-20T19:05:01Zx") == INT64_MIN);
}

static int64_t
pico(const char *s)
{
	int64_t v = -1;

	return value_decimal(slice_str(s), 12, &v) ? v : INT64_MIN;
}

static void
test_decimals(void)
{
	ok(pico("0.00125") == 1250000000 && pico("1") == 1000000000000);
	ok(pico("1.25e-3") == 1250000000 && pico("-0.5") == -500000000000);
	ok(pico("0.0000000000004") == 0 && pico("0.0000000000005") == 1);
	ok(pico("0.123456789012345678901234567890") == 123456789012);
	ok(pico("9223372") == INT64_C(9223372000000000000) && pico("9223373") == INT64_MIN);
	ok(pico("") == INT64_MIN && pico("1.2.3") == INT64_MIN && pico("1e") == INT64_MIN);
	ok(pico("0e999999999999") == 0 && pico("1e-999999999999") == 0 && pico("1e999") == INT64_MIN);
}

static void
test_values(void)
{
	uint8_t id[16];
	int64_t i;
	double d;
	bool b;

	ok(value_int(SLICE("-7"), &i) && i == -7 && !value_int(SLICE("7.0"), &i) && !value_int(SLICE(""), &i));
	ok(!value_int(SLICE("99999999999999999999"), &i));
	ok(value_num(SLICE("1e3"), &d) && d > 999 && d < 1001 && !value_num(SLICE("nan"), &d));
	ok(!value_num(SLICE("0x10"), &d) && !value_num(SLICE("inf"), &d));
	ok(value_bool(SLICE("True"), &b) && b && value_bool(SLICE("0"), &b) && !b && !value_bool(SLICE("yes"), &b));
	ok(value_id(SLICE("0123456789abcdefABCDEF0123456789"), id) && id[0] == 1 && id[15] == 0x89);
	ok(value_id(SLICE("01234567-89ab-cdef-ABCD-EF0123456789"), id) && id[8] == 0xab);
	ok(!value_id(SLICE("0123"), id) && !value_id(SLICE("0123456789abcdefABCDEF01234567890"), id));
	ok(value_cut(SLICE("a\xc3\xa9"), 2).len == 1 && value_cut(SLICE("a\xc3\xa9"), 3).len == 3);
}

static char text[2000], err[200];

/* The clause of one filter; NULL and err when it is refused. */
static const char *
clause(int field, enum query_op op, struct slice *values, size_t n)
{
	struct query_filter f = { .field = field, .op = op, .values = values, .nvalues = n };
	struct query q = { .tenant = SLICE_NONE, .filters = &f, .nfilters = 1 };
	struct query_sql sql;
	bool good = query_where(&q, NULL, false, &sql, err, sizeof(err));

	snprintf(text, sizeof(text), "%.*s", (int)sql.text.len, sql.text.ptr);
	query_sql_free(&sql);
	return good ? text : NULL;
}

static bool
is(const char *got, const char *want)
{
	if (got && strcmp(got, want) == 0)
		return true;
	printf("# got %s\n", got ? got : err);
	return false;
}

static void
test_clauses(void)
{
	struct slice two[] = { SLICE("200"), SLICE("404") }, name[] = { SLICE("x' OR 1=1 --") },
	    bad[] = { SLICE("many") }, type[] = { SLICE("text") }, id[] = { SLICE("01ab") };

	ok(is(clause(SPAN_F_status_code, QUERY_IN, two, 2), " WHERE (((s.status_code IN (?,?))))"));
	ok(is(clause(SPAN_F_status_code, QUERY_LT, two, 1), " WHERE (((s.status_code < ?)))"));
	ok(is(clause(SPAN_F_model, QUERY_EQ, name, 1), " WHERE (((s.model IN (?))))"));
	ok(is(clause(SPAN_F_model, QUERY_NOT, name, 1), " WHERE (NOT coalesce((s.model IN (?)), 0))"));
	ok(is(clause(SPAN_F_model, QUERY_CONTAINS, name, 1), " WHERE (((span_match(0, ?, s.model))))"));
	ok(is(clause(SPAN_F_cost, QUERY_ISNULL, NULL, 0), " WHERE (((s.cost_pico IS NULL)))"));
	ok(is(clause(SPAN_F_log_type, QUERY_EQ, type, 1), " WHERE (((s.log_type COLLATE NOCASE IN (?,?))))"));
	ok(is(clause(SPAN_F_id, QUERY_GTE, id, 1), " WHERE (((s.id >= ?)))"));
	ok(!clause(SPAN_F_id, QUERY_EQ, id, 1) && strstr(err, "32 hex"));
	ok(!clause(SPAN_F_status_code, QUERY_EQ, bad, 1) && strstr(err, "'many' is not a whole number"));
	ok(!clause(SPAN_F_timestamp, QUERY_GT, bad, 1) && strstr(err, "time"));
	ok(!clause(SPAN_F_cost, QUERY_GT, bad, 1) && !clause(SPAN_F_stream, QUERY_EQ, bad, 1));
	ok(!clause(SPAN_F_cost, QUERY_CONTAINS, two, 1) && strstr(err, "contains is for texts"));
	ok(!clause(SPAN_F_model, QUERY_REGEX, (struct slice[]){ SLICE("a(") }, 1) && strstr(err, "at byte 2"));
	ok(!clause(SPAN_F_model, QUERY_HAS_KEY, name, 1) && !clause(QUERY_FIELDS, QUERY_EQ, name, 1));
	ok(!clause(SPAN_F_model, QUERY_EQ, NULL, 0) && strstr(err, "no value"));
}

int
main(void)
{
	test_times();
	test_decimals();
	test_values();
	test_clauses();
	return done();
}
