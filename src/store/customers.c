/* SPDX-License-Identifier: Apache-2.0 */
/*
 * customers: a list of customers as one SELECT over the rollups. A period is
 * put together from whole months and the days before and after them, so that a
 * year of 10,000 customers is not read day by day. Called by the command line
 * and the API; only reads.
 */
#include "store/customers.h"

#include <stdlib.h>

#include "base/base.h"
#include "core/limits.h"
#include "store/db.h"
#include "store/value.h"

#define PAGE_MAX 2000		/* rows; more are faster in one go */

/* Columns of the SELECT. */
enum { AT_TENANT, AT_ENVIRONMENT, AT_CUSTOMER, AT_PART, AT_SUMS, AT_LATENCY = AT_SUMS + ROLLUP_SUMS, AT_TTFT, AT_EMAIL,
    AT_NAME, AT_FIRST_SEEN, AT_LAST_SEEN, AT_ACTIVE_DAYS, AT_DETAILS };

enum value_type { TEXT, NUMBER, MONEY, SECONDS, TIME };

#define BIT(sum) (1u << ROLLUP_##sum)
#define ALL_SUMS ((1u << ROLLUP_SUMS) - 1)
#define KNOWN (1u << ROLLUP_SUMS)	/* what table customer knows besides sums */

static const struct {
	const char	*name, *sql;
	enum value_type	 type;
	unsigned	 sums;		/* that it is made of */
} fields[CUSTOMERS_FIELDS] = {
	[CUSTOMERS_CUSTOMER] = { "customer", "customer", TEXT, 0 },
	[CUSTOMERS_ENVIRONMENT] = { "environment", "environment", TEXT, 0 },
	[CUSTOMERS_EMAIL] = { "email", "email", TEXT, KNOWN },
	[CUSTOMERS_NAME] = { "name", "name", TEXT, KNOWN },
	[CUSTOMERS_PART] = { "part", "part", TEXT, 0 },
	[CUSTOMERS_REQUESTS] = { "requests", "requests", NUMBER, BIT(requests) },
	[CUSTOMERS_ERRORS] = { "errors", "errors", NUMBER, BIT(errors) },
	[CUSTOMERS_TOKENS] = { "tokens", "total_tokens", NUMBER, BIT(total_tokens) },
	[CUSTOMERS_COST] = { "cost", "cost_pico", MONEY, BIT(cost_pico) },
	[CUSTOMERS_UNPRICED] = { "unpriced", "unpriced", NUMBER, BIT(unpriced) },
	[CUSTOMERS_LATENCY] = { "latency", "latency_us / nullif(latency_count, 0)", SECONDS,
	    BIT(latency_us) | BIT(latency_count) },
	[CUSTOMERS_TTFT] = { "ttft", "ttft_us / nullif(ttft_count, 0)", SECONDS, BIT(ttft_us) | BIT(ttft_count) },
	[CUSTOMERS_FIRST_SEEN] = { "first_seen", "first_seen", TIME, KNOWN },
	[CUSTOMERS_LAST_SEEN] = { "last_seen", "last_seen", TIME, KNOWN },
	[CUSTOMERS_ACTIVE_DAYS] = { "active_days", "active_days", NUMBER, KNOWN },
};

static const struct {
	const char	*name, *sql;	/* its column of the table that it is read from */
} parts[CUSTOMERS_BYS] = {
	[CUSTOMERS_BY_NOTHING] = { "", "NULL" },
	[CUSTOMERS_BY_DAY] = { "day", "start" },
	[CUSTOMERS_BY_MONTH] = { "month", "rollup_month(start)" },
	[CUSTOMERS_BY_MODEL] = { "model", "model" },
	[CUSTOMERS_BY_PROVIDER] = { "provider", "provider" },
	[CUSTOMERS_BY_KEY] = { "key", "key_id" },
};

struct customers {
	struct store	*store;
	sqlite3_stmt	*st;
	struct customers_row row;
};

/* The text and its values in order. */
struct select {
	struct buf	 sql;
	struct bind {
		struct slice	 text;	/* ptr NULL: the number */
		int64_t		 number;
	} *binds;
	size_t		 nbinds;
	bool		 edited;	/* people changed some */
	unsigned	 periods;	/* that the time asked for is put together from */
};

int
customers_field_by_name(struct slice name)
{
	for (int i = 0; i < CUSTOMERS_FIELDS; i++)
		if (slice_eq(slice_str(fields[i].name), name))
			return i;
	return -1;
}

int
customers_by_name(struct slice name)
{
	for (int i = 0; i < CUSTOMERS_BYS; i++)
		if (slice_eq(slice_str(parts[i].name), name))
			return i;
	return -1;
}

static void
add_bind(struct select *s, struct slice text, int64_t number)
{
	s->binds = xrealloc(s->binds, (s->nbinds + 1) * sizeof(*s->binds));
	s->binds[s->nbinds++] = (struct bind){ text, number };
}

/* Appends the words and binds the text that they have a `?` for. */
static void
add_text(struct select *s, const char *words, struct slice text)
{
	buf_str(&s->sql, words);
	add_bind(s, text.ptr ? text : SLICE(""), 0);
}

static void
add_range(struct select *s, const char *words, int64_t from, int64_t to)
{
	buf_str(&s->sql, words);
	add_bind(s, SLICE_NONE, from);
	add_bind(s, SLICE_NONE, to);
}

/* Who is asked for. */
static void
add_who(struct select *s, const struct customers_query *q)
{
	if (q->tenant.ptr)
		add_text(s, " AND tenant = ?", q->tenant);
	if (q->environment.ptr)
		add_text(s, " AND environment = ?", q->environment);
	if (q->customer.ptr)
		add_text(s, " AND customer = ?", q->customer);
	else if (!q->nameless)
		buf_str(&s->sql, " AND customer <> ''");
}

/* Sums under their names: of several cells each, or of one as they are. */
static void
add_sums(struct select *s, unsigned sums, bool several)
{
	for (int i = 0; i < ROLLUP_SUMS; i++)
		if (sums & 1u << i)
			buf_printf(&s->sql, several ? ", sum(%s) AS %s" : ", %s", rollup_sums[i], rollup_sums[i]);
	if ((sums & ALL_SUMS) == ALL_SUMS)
		buf_str(&s->sql, several ? ", hist_sum(latency_hist) AS latency_hist, hist_sum(ttft_hist) AS ttft_hist" :
		    ", latency_hist, ttft_hist");
}

/* Table customer with what people changed of it; one that was deleted is there
 * again once it asks again. Few are edited, so that is looked for first. */
static void
add_known(struct select *s)
{
	if (!s->edited) {
		buf_str(&s->sql, "(SELECT *, NULL AS details FROM customer)");
		return;
	}
	buf_str(&s->sql, "(SELECT k.tenant, k.environment, k.customer");
	for (int i = 0; i < ROLLUP_SUMS; i++)
		buf_printf(&s->sql, ", k.%s", rollup_sums[i]);
	buf_str(&s->sql, ", k.latency_hist, k.ttft_hist, coalesce(e.email, k.email) AS email,"
	    " coalesce(e.name, k.name) AS name, k.first_seen, k.last_seen, k.active_days, e.details"
	    " FROM customer k LEFT JOIN customer_edit e"
	    " ON e.tenant = k.tenant AND e.environment = k.environment AND e.customer = k.customer"
	    " WHERE e.gone IS NULL OR e.gone < k.last_seen)");
}

/* The first day of the month after. */
static int64_t
next_month(int64_t day)
{
	return rollup_month(rollup_month(day) + 31);
}

static bool
is_all_time(const struct customers_query *q)
{
	return q->by == CUSTOMERS_BY_NOTHING && !q->have_from && !q->have_to;
}

/* A number that SQL gives; `none` where it gives NULL. */
static int64_t
number_of(struct store *store, const char *sql, int64_t none)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(store->db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW &&
	    sqlite3_column_type(st, 0) != SQLITE_NULL)
		none = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return none;
}

static void
add_period(struct select *s, const char *grain, int64_t start)
{
	buf_printf(&s->sql, "%s('%s', %lld)", s->periods++ ? "," : "", grain, (long long)start);
}

/* WITH p: the days asked for, as whole months and the days around them. */
static void
add_periods(struct store *store, struct select *s, const struct customers_query *q)
{
	int64_t from = number_of(store, "SELECT min(start) FROM rollup_customer WHERE grain = 'day'", 0);
	int64_t to = number_of(store, "SELECT max(start) + 1 FROM rollup_customer WHERE grain = 'day'", 0), day;

	from = q->have_from && q->from_day > from ? q->from_day : from;
	to = q->have_to && q->to_day < to ? q->to_day : to;
	buf_str(&s->sql, "WITH p(grain, start) AS (VALUES ");
	for (day = from; day < to;)
		if (day == rollup_month(day) && next_month(day) <= to) {
			add_period(s, "month", day);
			day = next_month(day);
		} else
			add_period(s, "day", day++);
	if (s->periods == 0)
		add_period(s, "none", 0);
	buf_str(&s->sql, ")");
}

/* SELECT: sums of the period by customer. of_page: of those alone that are on
 * the page, each cell found by its whole key. */
static void
add_period_sums(struct select *s, const struct customers_query *q, unsigned sums, bool of_page)
{
	buf_str(&s->sql, "SELECT tenant, environment, customer, NULL AS part");
	add_sums(s, sums, s->periods > 1);
	buf_str(&s->sql, of_page ? " FROM page CROSS JOIN p CROSS JOIN rollup_customer"
	    " USING(grain, start, tenant, environment, customer) WHERE 1" :
	    " FROM p CROSS JOIN rollup_customer USING(grain, start) WHERE 1");
	if (!of_page)
		add_who(s, q);
	if (s->periods > 1)	/* what differs most comes first: it sorts faster */
		buf_str(&s->sql, " GROUP BY customer, environment, tenant");
}

/* SELECT: sums by customer and part. */
static void
add_part_sums(struct select *s, const struct customers_query *q, unsigned sums)
{
	buf_printf(&s->sql, "SELECT tenant, environment, customer, %s AS part", parts[q->by].sql);
	add_sums(s, sums, true);
	add_range(s, q->by >= CUSTOMERS_BY_MODEL ? " FROM rollup WHERE day >= ? AND day < ?" :
	    " FROM rollup_customer WHERE grain = 'day' AND start >= ? AND start < ?",
	    q->have_from ? q->from_day : INT64_MIN, q->have_to ? q->to_day : INT64_MAX);
	add_who(s, q);
	buf_str(&s->sql, " GROUP BY customer, environment, tenant, part");
}

/* A filter's value as its field's column holds it. */
static bool
add_value(struct select *s, const struct customers_filter *f, struct slice value)
{
	int64_t number = 0;
	bool good = true;

	switch (f->op == QUERY_CONTAINS ? TEXT : fields[f->field].type) {
	case TEXT:
		add_bind(s, value.ptr ? value : SLICE(""), 0);
		return true;
	case NUMBER:
		good = value_int(value, &number);
		break;
	case MONEY:
		good = value_decimal(value, 12, &number);
		break;
	case SECONDS:
		good = value_decimal(value, 6, &number);
		break;
	case TIME:
		good = value_time(value, &number);
		break;
	}
	add_bind(s, SLICE_NONE, number);
	return good;
}

static bool
add_filter(struct select *s, const struct customers_filter *f)
{
	static const char *const signs[] = { [QUERY_LT] = "<", [QUERY_LTE] = "<=", [QUERY_GT] = ">", [QUERY_GTE] = ">=" };
	const char *sql = fields[f->field].sql;

	if (f->nvalues == 0 || f->op == QUERY_ISNULL)
		return false;
	buf_str(&s->sql, " AND ");
	if (f->op == QUERY_CONTAINS)
		buf_printf(&s->sql, "instr(%s, ?) > 0", sql);
	else if (f->op != QUERY_EQ && f->op != QUERY_IN && f->op != QUERY_NOT)
		buf_printf(&s->sql, "%s %s ?", sql, signs[f->op]);
	else {
		buf_printf(&s->sql, "%s %s (", sql, f->op == QUERY_NOT ? "NOT IN" : "IN");
		for (size_t i = 0; i < f->nvalues; i++) {
			buf_str(&s->sql, i ? ",?" : "?");
			if (!add_value(s, f, f->values[i]))
				return false;
		}
		return buf_str(&s->sql, ")");
	}
	return add_value(s, f, f->values[0]);
}

/* The rows in parentheses, with those sums and, where asked for, what else is
 * known of their customers. */
static void
add_rows(struct select *s, const struct customers_query *q, unsigned sums, bool of_page)
{
	buf_str(&s->sql, sums & KNOWN ?
	    "(SELECT g.*, c.email, c.name, c.first_seen, c.last_seen, c.active_days, c.details FROM (" : "(");
	if (is_all_time(q)) {
		buf_str(&s->sql, "SELECT *, NULL AS part FROM ");
		add_known(s);
		buf_str(&s->sql, " WHERE 1");
		add_who(s, q);
	} else if (q->by == CUSTOMERS_BY_NOTHING)
		add_period_sums(s, q, sums, of_page);
	else
		add_part_sums(s, q, sums);
	buf_str(&s->sql, sums & KNOWN ? ") AS g CROSS JOIN " : ")");
	if (sums & KNOWN) {
		add_known(s);
		buf_str(&s->sql, " AS c USING(tenant, environment, customer))");
	}
}

/* FROM and WHERE; sums: which of them are needed. */
static bool
add_from(struct select *s, const struct customers_query *q, unsigned sums)
{
	bool good = true;

	buf_str(&s->sql, " FROM ");
	/* All of it stands in one table then. */
	add_rows(s, q, is_all_time(q) ? sums & ~KNOWN : s->edited ? sums | KNOWN : sums, false);
	buf_str(&s->sql, " WHERE 1");
	for (size_t i = 0; i < q->nfilters && good; i++)
		good = add_filter(s, &q->filters[i]);
	return good;
}

static void
add_order(struct select *s, const struct customers_query *q)
{
	const char *direction = q->ascending ? "" : " DESC";

	buf_printf(&s->sql, " ORDER BY %s%s NULLS LAST, customer%s, environment%s, tenant%s, part", fields[q->sort].sql,
	    direction, direction, direction, direction);
}

static void
add_limit(struct select *s, const struct customers_query *q)
{
	buf_printf(&s->sql, " LIMIT %lld OFFSET %llu", q->limit ? (long long)q->limit : -1,
	    (unsigned long long)q->offset);
}

/* The sums that order and filters look at. */
static unsigned
sums_looked_at(const struct customers_query *q)
{
	unsigned sums = fields[q->sort].sums;

	for (size_t i = 0; i < q->nfilters; i++)
		sums |= fields[q->filters[i].field].sums;
	return sums;
}

static void
add_columns(struct select *s)
{
	buf_str(&s->sql, " SELECT tenant, environment, customer, part");
	for (int i = 0; i < ROLLUP_SUMS; i++)
		buf_printf(&s->sql, ", %s", rollup_sums[i]);
	buf_str(&s->sql, ", latency_hist, ttft_hist, email, name, first_seen, last_seen, active_days, details");
}

/* A page of a period: who is on it by the sums that tell, then all sums of
 * those, which is several times faster than adding up everything of all. */
static bool
add_page(struct select *s, const struct customers_query *q)
{
	buf_str(&s->sql, ", page AS MATERIALIZED (SELECT tenant, environment, customer");
	if (!add_from(s, q, sums_looked_at(q)))
		return false;
	add_order(s, q);
	add_limit(s, q);
	buf_str(&s->sql, ") ");
	add_columns(s);
	buf_str(&s->sql, " FROM ");
	add_rows(s, q, ALL_SUMS | KNOWN, true);
	add_order(s, q);
	return true;
}

static bool
add_list(struct store *store, struct select *s, const struct customers_query *q)
{
	if (q->by == CUSTOMERS_BY_NOTHING && !is_all_time(q)) {
		add_periods(store, s, q);
		if (q->limit > 0 && q->limit <= PAGE_MAX)
			return add_page(s, q);
	}
	add_columns(s);
	if (!add_from(s, q, ALL_SUMS | KNOWN))
		return false;
	add_order(s, q);
	add_limit(s, q);
	return true;
}

static int
prepare(struct store *store, struct select *s, sqlite3_stmt **st)
{
	int rc = s->sql.failed ? SQLITE_NOMEM :
	    sqlite3_prepare_v2(store->db, s->sql.ptr, (int)s->sql.len, st, NULL);

	for (size_t i = 0; i < s->nbinds && rc == SQLITE_OK; i++)
		rc = s->binds[i].text.ptr ? sqlite3_bind_text(*st, (int)i + 1, s->binds[i].text.ptr,
		    (int)s->binds[i].text.len, SQLITE_TRANSIENT) : sqlite3_bind_int64(*st, (int)i + 1, s->binds[i].number);
	return store_code(rc);
}

int
customers_select(struct store *store, const struct customers_query *q, struct customers **out)
{
	struct select s = { .edited = number_of(store, "SELECT 1 FROM customer_edit LIMIT 1", 0) };
	int rc = STORE_E_ROW;

	*out = xcalloc(1, sizeof(**out));
	(*out)->store = store;
	buf_init(&s.sql, LIMIT_QUERY_SQL);
	if (add_list(store, &s, q))
		rc = prepare(store, &s, &(*out)->st);
	buf_free(&s.sql);
	free(s.binds);
	return rc;
}

static struct slice
column_text(sqlite3_stmt *st, int i)
{
	const void *p = sqlite3_column_text(st, i);

	return p ? slice_make(p, (size_t)sqlite3_column_bytes(st, i)) : SLICE("");
}

static struct slice
column_blob(sqlite3_stmt *st, int i)
{
	const void *p = sqlite3_column_blob(st, i);

	return slice_make(p, (size_t)sqlite3_column_bytes(st, i));
}

int
customers_next(struct customers *customers, const struct customers_row **out)
{
	struct customers_row *row = &customers->row;
	sqlite3_stmt *st = customers->st;
	int rc = sqlite3_step(st);

	if (rc != SQLITE_ROW)
		return store_code(rc);
	row->tenant = column_text(st, AT_TENANT);
	row->environment = column_text(st, AT_ENVIRONMENT);
	row->customer = column_text(st, AT_CUSTOMER);
	row->day = 0;
	row->part = SLICE("");
	if (sqlite3_column_type(st, AT_PART) == SQLITE_INTEGER)
		row->day = sqlite3_column_int64(st, AT_PART);
	else
		row->part = column_text(st, AT_PART);
	for (int i = 0; i < ROLLUP_SUMS; i++)
		row->sums[i] = sqlite3_column_int64(st, AT_SUMS + i);
	row->latency = column_blob(st, AT_LATENCY);
	row->ttft = column_blob(st, AT_TTFT);
	row->email = column_text(st, AT_EMAIL);
	row->name = column_text(st, AT_NAME);
	row->first_seen = sqlite3_column_int64(st, AT_FIRST_SEEN);
	row->last_seen = sqlite3_column_int64(st, AT_LAST_SEEN);
	row->active_days = sqlite3_column_int64(st, AT_ACTIVE_DAYS);
	row->details = column_text(st, AT_DETAILS);
	*out = row;
	return STORE_ROW;
}

void
customers_done(struct customers *customers)
{
	if (!customers)
		return;
	sqlite3_finalize(customers->st);
	free(customers);
}

int
customers_count(struct store *store, const struct customers_query *q, uint64_t *out)
{
	struct select s = { .edited = number_of(store, "SELECT 1 FROM customer_edit LIMIT 1", 0) };
	sqlite3_stmt *st = NULL;
	int rc = STORE_E_ROW;

	buf_init(&s.sql, LIMIT_QUERY_SQL);
	if (q->by == CUSTOMERS_BY_NOTHING && !is_all_time(q))
		add_periods(store, &s, q);
	buf_str(&s.sql, " SELECT count(*)");
	if (add_from(&s, q, sums_looked_at(q)))
		rc = prepare(store, &s, &st);
	if (rc == STORE_OK) {
		rc = store_code(sqlite3_step(st));
		*out = rc == STORE_ROW ? (uint64_t)sqlite3_column_int64(st, 0) : 0;
		rc = rc == STORE_ROW ? STORE_OK : rc;
	}
	sqlite3_finalize(st);
	buf_free(&s.sql);
	free(s.binds);
	return rc;
}

int
customers_details(struct store *store, struct slice tenant, struct slice environment, struct slice customer,
    struct buf *out)
{
	sqlite3_stmt *st = store_statement(store, STATEMENT_CUSTOMER_DETAILS);
	const struct slice values[] = { tenant, environment, customer };
	int rc;

	if (!st)
		return store_code(sqlite3_errcode(store->db));
	for (int i = 0; i < 3; i++)
		sqlite3_bind_text(st, i + 1, values[i].ptr ? values[i].ptr : "", (int)values[i].len, SQLITE_STATIC);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		buf_append(out, sqlite3_column_text(st, 0), (size_t)sqlite3_column_bytes(st, 0));
		rc = STORE_OK;
	} else
		rc = rc == SQLITE_DONE ? STORE_NOT_FOUND : store_code(rc);
	sqlite3_reset(st);
	return rc;
}
