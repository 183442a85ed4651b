/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rollup: see rollup.h. Called by put, expire and remove for each row that they
 * change, by the commit and the rollback of sqlite.c, and by rollup_fill.c.
 * Four tables of cells are handled alike; what tells them apart stands in
 * `tables`. Never looks at other tables, but for the row that it is told of.
 */
#include "store/rollup.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "core/limits.h"
#include "core/uuid.h"
#include "store/db.h"
#include "store/hist.h"
#include "store/tick.h"
#include "store/value.h"

#define KEYS 8			/* columns of a primary key, at most */
#define SLOTS 131072
#define CELLS 131072		/* in memory, some 400 bytes each; then those that rest go */
#define DAY_US (INT64_C(86400) * 1000000)

enum kind { CELL, MODEL, DAY, MONTH, CUSTOMER, KINDS };
enum { LATENCY, TTFT, HISTS };
enum { GET, PUT, DROP, STATEMENTS_EACH };

#define SUM(name) #name,
const char *const rollup_sums[ROLLUP_SUMS] = {
#include "store/rollup.tbl.h"
};
#undef SUM

#define SUM(name) " " #name " INTEGER NOT NULL,"
#define HIST_COLUMNS " latency_hist BLOB NOT NULL, ttft_hist BLOB NOT NULL,"
const char rollup_schema_sql[] =
    "CREATE TABLE rollup(tenant TEXT NOT NULL, day INTEGER NOT NULL, environment TEXT NOT NULL,"
    " customer TEXT NOT NULL, model TEXT NOT NULL, provider TEXT NOT NULL, key_id TEXT NOT NULL,"
    " expired INTEGER NOT NULL,"
#include "store/rollup.tbl.h"
    HIST_COLUMNS
    " PRIMARY KEY(day, tenant, environment, customer, model, provider, key_id, expired)) WITHOUT ROWID;"
    "CREATE TABLE rollup_model(tenant TEXT NOT NULL, day INTEGER NOT NULL, environment TEXT NOT NULL,"
    " model TEXT NOT NULL, provider TEXT NOT NULL, key_id TEXT NOT NULL, expired INTEGER NOT NULL,"
#include "store/rollup.tbl.h"
    HIST_COLUMNS
    " PRIMARY KEY(day, tenant, environment, model, provider, key_id, expired)) WITHOUT ROWID;"
    "CREATE TABLE rollup_customer(grain TEXT NOT NULL, start INTEGER NOT NULL, tenant TEXT NOT NULL,"
    " environment TEXT NOT NULL, customer TEXT NOT NULL,"
#include "store/rollup.tbl.h"
    HIST_COLUMNS
    " PRIMARY KEY(grain, start, tenant, environment, customer)) WITHOUT ROWID;"
    "CREATE TABLE customer(tenant TEXT NOT NULL, environment TEXT NOT NULL, customer TEXT NOT NULL,"
#include "store/rollup.tbl.h"
    HIST_COLUMNS
    " email TEXT NOT NULL, name TEXT NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL,"
    " active_days INTEGER NOT NULL, PRIMARY KEY(tenant, environment, customer)) WITHOUT ROWID;";
#undef SUM

const char rollup_row_sql[] =
    "s.tenant, s.environment, s.customer_identifier, s.model, s.provider_id, s.key_id, s.customer_email,"
    " s.customer_name, s.timestamp, coalesce(s.counts, CASE WHEN s.billable IS 0 THEN 0 ELSE 3 END),"
    " s.status IS 'error', s.prompt_tokens, s.completion_tokens, s.total_request_tokens,"
    " s.prompt_cache_hit_tokens, s.prompt_cache_creation_tokens, s.reasoning_tokens, s.cost_pico,"
    " s.latency_us, s.ttft_us";

/* The tables by kind, and their key columns in the order of struct key. */
static const struct {
	const char	*name;
	size_t		 nkeys;
	const char	*keys[KEYS];
} tables[KINDS] = {
	[CELL] = { "rollup", 8, { "day", "tenant", "environment", "customer", "model", "provider", "key_id",
	    "expired" } },
	[MODEL] = { "rollup_model", 7, { "day", "tenant", "environment", "model", "provider", "key_id", "expired" } },
	[DAY] = { "rollup_customer", 5, { "grain", "start", "tenant", "environment", "customer" } },
	[MONTH] = { "rollup_customer", 5, { "grain", "start", "tenant", "environment", "customer" } },
	[CUSTOMER] = { "customer", 3, { "tenant", "environment", "customer" } },
};

/* One column of a key: a text, or where that is NULL a number. */
struct key {
	struct slice	 text;
	int64_t		 number;
};

struct cell {
	struct cell	*next;			/* of its slot */
	struct cell	*next_dirty;
	enum kind	 kind;
	struct key	*keys;			/* they and their texts in `bytes` */
	int64_t		 sums[ROLLUP_SUMS];
	struct buf	 hists[HISTS];
	bool		 dirty;			/* not as its table has it */
	bool		 used;			/* since it was last passed over */
	bool		 active;		/* DAY: counted in its customer's active_days */
	struct cell	*customer;		/* DAY: that customer's */
	char		*email, *name;		/* CUSTOMER, as is */
	int64_t		 first_seen, last_seen, active_days;
	_Alignas(struct key) char bytes[];
};

struct rollup {
	struct cell	*slots[SLOTS];
	size_t		 count;
	struct cell	*dirty;
	size_t		 ndirty;
	size_t		 emptied;		/* cells that were written as nothing */
	sqlite3_stmt	*statements[KINDS][STATEMENTS_EACH];
};

/* What a row adds to every cell that it is in. */
struct part {
	int64_t		 sums[ROLLUP_SUMS];
	struct span_int	 times[HISTS];
};

unsigned
rollup_counts(const struct span *span, bool first)
{
	bool billable = !(span->billable.set && !span->billable.v);

	return (billable && !(span->uncounted & SPAN_NO_REQUEST) ? ROLLUP_REQUEST : 0) |
	    (billable && first && !(span->uncounted & SPAN_NO_TOKENS) ? ROLLUP_TOKENS : 0);
}

static struct slice
text_of(struct slice s)
{
	return s.ptr ? value_cut(s, LIMIT_ROW_TEXT) : SLICE("");
}

void
rollup_of_span(struct rollup_row *row, const struct span *span, unsigned counts)
{
	*row = (struct rollup_row){
		.tenant = span->tenant.ptr ? text_of(span->tenant) : SLICE("default"),
		.environment = text_of(span->environment), .customer = text_of(span->customer_identifier),
		.model = text_of(span->model), .provider = text_of(span->provider_id),
		.key = text_of(span->organization_key_id), .email = text_of(span->customer_email),
		.name = text_of(span->customer_name), .counts = counts,
		.timestamp = span->timestamp.set ? span->timestamp.v : (int64_t)uuid7_ms(span->id16) * 1000,
		.error = slice_eq(span->status, SLICE("error")), .prompt = span->prompt_tokens,
		.completion = span->completion_tokens, .total = span->total_request_tokens,
		.cached = span->prompt_cache_hit_tokens, .cache_creation = span->prompt_cache_creation_tokens,
		.reasoning = span->reasoning_tokens, .cost = span->cost, .latency = span->latency,
		.ttft = span->time_to_first_token,
	};
}

static struct slice
column_text(sqlite3_stmt *st, int i)
{
	const void *p = sqlite3_column_text(st, i);

	return p ? slice_make(p, (size_t)sqlite3_column_bytes(st, i)) : SLICE("");
}

static struct span_int
column_int(sqlite3_stmt *st, int i)
{
	return (struct span_int){ sqlite3_column_type(st, i) != SQLITE_NULL, sqlite3_column_int64(st, i) };
}

void
rollup_of_statement(struct rollup_row *row, sqlite3_stmt *st)
{
	*row = (struct rollup_row){
		.tenant = column_text(st, 0), .environment = column_text(st, 1), .customer = column_text(st, 2),
		.model = column_text(st, 3), .provider = column_text(st, 4), .key = column_text(st, 5),
		.email = column_text(st, 6), .name = column_text(st, 7), .timestamp = sqlite3_column_int64(st, 8),
		.counts = (unsigned)sqlite3_column_int(st, 9), .error = sqlite3_column_int(st, 10) != 0,
		.prompt = column_int(st, 11), .completion = column_int(st, 12), .total = column_int(st, 13),
		.cached = column_int(st, 14), .cache_creation = column_int(st, 15), .reasoning = column_int(st, 16),
		.cost = column_int(st, 17), .latency = column_int(st, 18), .ttft = column_int(st, 19),
	};
}

/* Rounds down, also before 1970. */
int64_t
rollup_day(const struct store *store, int64_t us)
{
	int64_t day;

	if (__builtin_add_overflow(us, store->numbers[NUMBER_DAY_OFFSET] * INT64_C(60000000), &us))
		us = us < 0 ? INT64_MIN : INT64_MAX;
	day = us / DAY_US;
	return us % DAY_US < 0 ? day - 1 : day;
}

/* In years that begin with March, months have 153 days to five, from the first
 * on, and leap days come last. */
int64_t
rollup_month(int64_t day)
{
	int64_t era, in_era, year, in_year, month;

	day += 719468;		/* since the first of March of the year 0 */
	era = (day >= 0 ? day : day - 146096) / 146097;
	in_era = day - era * 146097;
	year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	in_year = in_era - (365 * year + year / 4 - year / 100);
	month = (5 * in_year + 2) / 153;
	return day - in_year + (153 * month + 2) / 5 - 719468;
}

static int64_t
known(struct span_int v)
{
	return v.set ? v.v : 0;
}

/* Billed, but nobody knows what it costs. An error that used nothing costs nothing. */
static bool
is_unpriced(const struct rollup_row *row)
{
	return !row->cost.set && !(row->error && known(row->prompt) == 0 && known(row->completion) == 0);
}

static void
part_time(struct part *part, struct span_int time, int hist, enum rollup_sum us, enum rollup_sum count)
{
	if (!time.set)
		return;
	part->sums[us] = time.v;
	part->sums[count] = 1;
	part->times[hist] = time;
}

static void
part_of(struct part *part, const struct rollup_row *row)
{
	memset(part, 0, sizeof(*part));
	if (row->counts & ROLLUP_REQUEST) {
		part->sums[ROLLUP_requests] = 1;
		part->sums[ROLLUP_errors] = row->error;
		part_time(part, row->latency, LATENCY, ROLLUP_latency_us, ROLLUP_latency_count);
		part_time(part, row->ttft, TTFT, ROLLUP_ttft_us, ROLLUP_ttft_count);
	}
	if (row->counts & ROLLUP_TOKENS) {
		part->sums[ROLLUP_prompt_tokens] = known(row->prompt);
		part->sums[ROLLUP_completion_tokens] = known(row->completion);
		part->sums[ROLLUP_total_tokens] = known(row->total);
		part->sums[ROLLUP_cached_tokens] = known(row->cached);
		part->sums[ROLLUP_cache_creation_tokens] = known(row->cache_creation);
		part->sums[ROLLUP_reasoning_tokens] = known(row->reasoning);
		part->sums[ROLLUP_cost_pico] = known(row->cost);
		part->sums[ROLLUP_unpriced] = is_unpriced(row);
	}
}

enum store_billed
rollup_billed(const struct rollup_row *row)
{
	if (!(row->counts & ROLLUP_TOKENS))
		return STORE_UNBILLED;
	return is_unpriced(row) ? STORE_UNPRICED : STORE_BILLED;
}

/* The keys of the row's cell of a kind. */
static void
keys_of(const struct store *store, const struct rollup_row *row, enum kind kind, struct key keys[KEYS])
{
	int64_t day = rollup_day(store, row->timestamp);

	memset(keys, 0, KEYS * sizeof(*keys));
	if (kind == CELL || kind == MODEL) {
		*keys++ = (struct key){ .number = day };
		*keys++ = (struct key){ .text = row->tenant };
		*keys++ = (struct key){ .text = row->environment };
		if (kind == CELL)
			*keys++ = (struct key){ .text = row->customer };
		*keys++ = (struct key){ .text = row->model };
		*keys++ = (struct key){ .text = row->provider };
		*keys++ = (struct key){ .text = row->key };
		*keys = (struct key){ .number = row->expired };
		return;
	}
	if (kind != CUSTOMER) {
		*keys++ = (struct key){ .text = kind == DAY ? SLICE("day") : SLICE("month") };
		*keys++ = (struct key){ .number = kind == DAY ? day : rollup_month(day) };
	}
	*keys++ = (struct key){ .text = row->tenant };
	*keys++ = (struct key){ .text = row->environment };
	*keys++ = (struct key){ .text = row->customer };
}

static uint64_t
mix(uint64_t hash, const void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hash = (hash ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static size_t
slot_of(enum kind kind, const struct key keys[KEYS])
{
	uint64_t hash = mix(UINT64_C(0xcbf29ce484222325), &kind, sizeof(kind));

	for (size_t i = 0; i < tables[kind].nkeys; i++) {
		hash = mix(hash, &keys[i].number, sizeof(keys[i].number));
		hash = mix(hash, keys[i].text.ptr, keys[i].text.len);
	}
	return (hash ^ hash >> 32) % SLOTS;
}

static bool
keys_equal(enum kind kind, const struct key a[KEYS], const struct key b[KEYS])
{
	for (size_t i = 0; i < tables[kind].nkeys; i++)
		if (a[i].number != b[i].number || !slice_eq(a[i].text, b[i].text))
			return false;
	return true;
}

/* The columns of a table after its keys, in the order of GET and PUT. */
static void
put_columns(enum kind kind, struct buf *sql)
{
	for (int i = 0; i < ROLLUP_SUMS; i++)
		buf_printf(sql, ", %s", rollup_sums[i]);
	buf_str(sql, ", latency_hist, ttft_hist");
	if (kind == CUSTOMER)
		buf_str(sql, ", email, name, first_seen, last_seen, active_days");
}

static void
statement_sql(enum kind kind, int which, struct buf *sql)
{
	static const char *const starts[STATEMENTS_EACH] = { "SELECT 0", "INSERT OR REPLACE INTO", "DELETE" };
	size_t nkeys = tables[kind].nkeys, values = nkeys + ROLLUP_SUMS + HISTS + (kind == CUSTOMER ? 5 : 0);

	buf_str(sql, starts[which]);
	if (which == GET)
		put_columns(kind, sql);
	if (which == PUT) {
		buf_printf(sql, " %s(", tables[kind].name);
		for (size_t i = 0; i < nkeys; i++)
			buf_printf(sql, "%s%s", i ? ", " : "", tables[kind].keys[i]);
		put_columns(kind, sql);
		buf_str(sql, ") VALUES(?");
		for (size_t i = 1; i < values; i++)
			buf_str(sql, ",?");
		buf_str(sql, ")");
		return;
	}
	buf_printf(sql, " FROM %s WHERE ", tables[kind].name);
	for (size_t i = 0; i < nkeys; i++)
		buf_printf(sql, "%s%s = ?", i ? " AND " : "", tables[kind].keys[i]);
}

static struct rollup *
rollup_of(struct store *store)
{
	if (!store->rollup)
		store->rollup = xcalloc(1, sizeof(*store->rollup));
	return store->rollup;
}

static int
bind_text(sqlite3_stmt *st, int at, struct slice s)
{
	return sqlite3_bind_text(st, at, s.ptr ? s.ptr : "", (int)s.len, SQLITE_STATIC);
}

/* The statement, reset, with the cell's keys bound; NULL: see sqlite3_errcode. */
static sqlite3_stmt *
statement(struct store *store, const struct cell *cell, int which)
{
	sqlite3_stmt **st = &rollup_of(store)->statements[cell->kind][which];
	struct buf sql;

	if (*st)
		sqlite3_reset(*st);
	else {
		buf_init(&sql, 4096);
		statement_sql(cell->kind, which, &sql);
		sqlite3_prepare_v3(store->db, sql.ptr, (int)sql.len, SQLITE_PREPARE_PERSISTENT, st, NULL);
		buf_free(&sql);
	}
	for (size_t i = 0; *st && i < tables[cell->kind].nkeys; i++)
		if (cell->keys[i].text.ptr)
			bind_text(*st, (int)i + 1, cell->keys[i].text);
		else
			sqlite3_bind_int64(*st, (int)i + 1, cell->keys[i].number);
	return *st;
}

static void
cell_free(struct cell *cell)
{
	for (int i = 0; i < HISTS; i++)
		buf_free(&cell->hists[i]);
	free(cell->email);
	free(cell->name);
	free(cell);
}

static struct cell *
cell_new(enum kind kind, const struct key keys[KEYS])
{
	size_t size = tables[kind].nkeys * sizeof(*keys);
	struct cell *cell;
	char *to;

	for (size_t i = 0; i < tables[kind].nkeys; i++)
		size += keys[i].text.len;
	cell = xmalloc(sizeof(*cell) + size + 1);
	memset(cell, 0, sizeof(*cell));
	cell->kind = kind;
	cell->keys = (struct key *)(void *)cell->bytes;
	to = cell->bytes + tables[kind].nkeys * sizeof(*keys);
	for (size_t i = 0; i < tables[kind].nkeys; i++) {
		cell->keys[i] = keys[i];
		if (!keys[i].text.ptr)
			continue;
		memcpy(to, keys[i].text.ptr, keys[i].text.len);
		cell->keys[i].text.ptr = to;
		to += keys[i].text.len;
	}
	for (int i = 0; i < HISTS; i++)
		buf_init(&cell->hists[i], HIST_LIMIT);
	return cell;
}

static char *
column_copy(sqlite3_stmt *st, int i)
{
	struct slice s = column_text(st, i);

	return xstrndup(s.ptr, s.len);
}

/* What the table says of the cell. */
static void
cell_read(struct cell *cell, sqlite3_stmt *st)
{
	int at = 1;

	for (int i = 0; i < ROLLUP_SUMS; i++)
		cell->sums[i] = sqlite3_column_int64(st, at++);
	for (int i = 0; i < HISTS; i++, at++)
		buf_append(&cell->hists[i], sqlite3_column_blob(st, at), (size_t)sqlite3_column_bytes(st, at));
	cell->active = cell->kind == DAY;
	if (cell->kind != CUSTOMER)
		return;
	cell->email = column_copy(st, at++);
	cell->name = column_copy(st, at++);
	cell->first_seen = sqlite3_column_int64(st, at++);
	cell->last_seen = sqlite3_column_int64(st, at++);
	cell->active_days = sqlite3_column_int64(st, at);
}

/* Finds the cell in memory, else in its table, else makes an empty one. */
static int
cell_find(struct store *store, enum kind kind, const struct key keys[KEYS], struct cell **out)
{
	struct rollup *rollup = rollup_of(store);
	struct cell **slot = &rollup->slots[slot_of(kind, keys)];
	sqlite3_stmt *st;
	int rc;

	for (*out = *slot; *out; *out = (*out)->next)
		if ((*out)->kind == kind && keys_equal(kind, (*out)->keys, keys)) {
			(*out)->used = true;
			return STORE_OK;
		}
	*out = cell_new(kind, keys);
	st = statement(store, *out, GET);
	rc = st ? sqlite3_step(st) : sqlite3_errcode(store->db);
	if (rc == SQLITE_ROW)
		cell_read(*out, st);
	if (st)
		sqlite3_reset(st);
	if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
		cell_free(*out);
		*out = NULL;
		return store_code(rc);
	}
	(*out)->used = true;
	(*out)->next = *slot;
	*slot = *out;
	rollup->count++;
	return STORE_OK;
}

/* The cells of all kinds of one row. */
static int
cells_find(struct store *store, const struct rollup_row *row, struct cell *cells[KINDS])
{
	struct key keys[KEYS];
	int rc = STORE_OK;

	for (enum kind kind = 0; kind < KINDS && rc == STORE_OK; kind++) {
		keys_of(store, row, kind, keys);
		rc = cell_find(store, kind, keys, &cells[kind]);
	}
	if (rc == STORE_OK)
		cells[DAY]->customer = cells[CUSTOMER];
	return rc;
}

/* Would each sum hold what is added, and may it be taken off again? */
static bool
cell_holds(const struct cell *cell, const struct part *part, int sign)
{
	int64_t sum;

	for (int i = 0; i < ROLLUP_SUMS; i++)
		if (sign > 0 ? __builtin_add_overflow(cell->sums[i], part->sums[i], &sum) :
		    __builtin_sub_overflow(cell->sums[i], part->sums[i], &sum))
			return false;
	return true;
}

static void
cell_touch(struct store *store, struct cell *cell)
{
	struct rollup *rollup = store->rollup;

	if (cell->dirty)
		return;
	cell->dirty = true;
	cell->next_dirty = rollup->dirty;
	rollup->dirty = cell;
	rollup->ndirty++;
}

static void
cell_add(struct store *store, struct cell *cell, const struct part *part, int sign)
{
	for (int i = 0; i < ROLLUP_SUMS; i++)
		cell->sums[i] += sign * part->sums[i];
	for (int i = 0; i < HISTS; i++)
		if (part->times[i].set)
			hist_change(&cell->hists[i], part->times[i].v, sign);
	cell_touch(store, cell);
}

static void
replace_text(char **to, struct slice text)
{
	if (text.len == 0)
		return;
	free(*to);
	*to = xstrndup(text.ptr, text.len);
}

/* What the row tells of its customer; what the latest one says holds. */
static void
customer_add(struct cell *cell, const struct rollup_row *row)
{
	bool fresh = !cell->email;

	if (fresh) {
		cell->email = xstrdup("");
		cell->name = xstrdup("");
	}
	if (fresh || row->timestamp >= cell->last_seen) {
		replace_text(&cell->email, row->email);
		replace_text(&cell->name, row->name);
		cell->last_seen = row->timestamp;
	}
	if (fresh || row->timestamp < cell->first_seen)
		cell->first_seen = row->timestamp;
}

static bool
is_nothing(const struct part *part)
{
	static const struct part nothing;

	return memcmp(part->sums, nothing.sums, sizeof(part->sums)) == 0;
}

/* Adds or takes off one row, in all cells or in none. */
static int
add_row(struct store *store, const struct rollup_row *row, int sign)
{
	struct cell *cells[KINDS];
	struct part part;
	int rc;

	part_of(&part, row);
	if (is_nothing(&part))
		return STORE_OK;
	rc = cells_find(store, row, cells);
	for (int i = 0; i < KINDS && rc == STORE_OK; i++)
		if (!cell_holds(cells[i], &part, sign))
			rc = STORE_E_ROW;
	if (rc != STORE_OK)
		return rc;
	for (int i = 0; i < KINDS; i++)
		cell_add(store, cells[i], &part, sign);
	if (sign > 0)
		customer_add(cells[CUSTOMER], row);
	return STORE_OK;
}

/* A row passes retention: it moves from one cell to another, and stays what it
 * was to the customer. */
static int
move_row(struct store *store, const struct rollup_row *old, const struct rollup_row *new)
{
	static const enum kind kinds[] = { CELL, MODEL };
	enum { N = sizeof(kinds) / sizeof(kinds[0]) };
	struct cell *from[N], *to[N];
	struct key keys[KEYS];
	struct part part;
	int rc = STORE_OK;

	part_of(&part, old);
	if (is_nothing(&part))
		return STORE_OK;
	for (int i = 0; i < N && rc == STORE_OK; i++) {
		keys_of(store, old, kinds[i], keys);
		rc = cell_find(store, kinds[i], keys, &from[i]);
		keys_of(store, new, kinds[i], keys);
		if (rc == STORE_OK)
			rc = cell_find(store, kinds[i], keys, &to[i]);
		if (rc == STORE_OK && (!cell_holds(from[i], &part, -1) || !cell_holds(to[i], &part, 1)))
			rc = STORE_E_ROW;
	}
	for (int i = 0; i < N && rc == STORE_OK; i++) {
		cell_add(store, from[i], &part, -1);
		cell_add(store, to[i], &part, 1);
	}
	return rc;
}

static bool
is_move(const struct rollup_row *old, const struct rollup_row *new)
{
	struct rollup_row moved = *old;

	moved.expired = new->expired;
	return old->expired != new->expired && memcmp(&moved, new, sizeof(moved)) == 0;
}

static int
change(struct store *store, const struct rollup_row *old, const struct rollup_row *new)
{
	int rc = STORE_OK;

	if (rollup_of(store)->count >= CELLS) {
		rc = rollup_write(store);
		if (rc != STORE_OK)
			return rc;
		rollup_rest(store);
	}
	if (old && new && is_move(old, new))
		return move_row(store, old, new);
	if (old)
		rc = add_row(store, old, -1);
	if (rc == STORE_OK && new) {
		rc = add_row(store, new, 1);
		if (rc == STORE_E_ROW && old)	/* it held that before */
			(void)add_row(store, old, 1);
	}
	return rc;
}

int
rollup_change(struct store *store, const struct rollup_row *old, const struct rollup_row *new)
{
	int rc = change(store, old, new);

	if (rc == STORE_OK && old && !old->expired)
		rc = tick_add(store, old, -1);
	if (rc == STORE_OK && new && !new->expired)
		rc = tick_add(store, new, 1);
	return rc;
}

/* The change that row n makes, coming or going. */
static int
change_by_number(struct store *store, int64_t n, bool comes)
{
	sqlite3_stmt *st = store_statement(store, STATEMENT_ROLLUP_ROW);
	struct rollup_row row;
	int rc = traces_touch(store, n);

	if (!st)
		return store_code(sqlite3_errcode(store->db));
	if (rc != STORE_OK)
		return rc;
	sqlite3_bind_int64(st, 1, n);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		rollup_of_statement(&row, st);
		rc = rollup_change(store, comes ? NULL : &row, comes ? &row : NULL);
	} else
		rc = rc == SQLITE_DONE ? STORE_NOT_FOUND : store_code(rc);
	sqlite3_reset(st);
	return rc;
}

int
rollup_take(struct store *store, int64_t n)
{
	return change_by_number(store, n, false);
}

int
rollup_give(struct store *store, int64_t n)
{
	return change_by_number(store, n, true);
}

static bool
is_empty(const struct cell *cell)
{
	for (int i = 0; i < ROLLUP_SUMS; i++)
		if (cell->sums[i] != 0)
			return false;
	return true;
}

static void
bind_values(const struct cell *cell, sqlite3_stmt *st)
{
	int at = (int)tables[cell->kind].nkeys + 1;

	for (int i = 0; i < ROLLUP_SUMS; i++)
		sqlite3_bind_int64(st, at++, cell->sums[i]);
	for (int i = 0; i < HISTS; i++)
		sqlite3_bind_blob(st, at++, cell->hists[i].len ? cell->hists[i].ptr : "", (int)cell->hists[i].len,
		    SQLITE_STATIC);
	if (cell->kind != CUSTOMER)
		return;
	bind_text(st, at++, slice_str(cell->email));
	bind_text(st, at++, slice_str(cell->name));
	sqlite3_bind_int64(st, at++, cell->first_seen);
	sqlite3_bind_int64(st, at++, cell->last_seen);
	sqlite3_bind_int64(st, at, cell->active_days);
}

static int
cell_write(struct store *store, const struct cell *cell)
{
	bool empty = is_empty(cell);
	sqlite3_stmt *st = statement(store, cell, empty ? DROP : PUT);
	int rc;

	if (!st)
		return store_code(sqlite3_errcode(store->db));
	if (!empty)
		bind_values(cell, st);
	store->rollup->emptied += empty;
	rc = sqlite3_step(st);
	sqlite3_reset(st);
	return store_code(rc);
}

/* A day on which the customer asked for the first time, or no longer did. */
static void
count_day(struct store *store, struct cell *day)
{
	bool active = !is_empty(day);

	if (active != day->active) {
		day->customer->active_days += active ? 1 : -1;
		cell_touch(store, day->customer);
	}
	day->active = active;
}

/* By kind and keys: cells of one page are written one after the other. */
static int
cell_order(const void *va, const void *vb)
{
	const struct cell *a = *(struct cell *const *)va, *b = *(struct cell *const *)vb;
	int order = (a->kind > b->kind) - (a->kind < b->kind);

	for (size_t i = 0; order == 0 && i < tables[a->kind].nkeys; i++) {
		struct slice x = a->keys[i].text, y = b->keys[i].text;

		order = (a->keys[i].number > b->keys[i].number) - (a->keys[i].number < b->keys[i].number);
		if (order == 0 && x.len > 0 && y.len > 0)
			order = memcmp(x.ptr, y.ptr, x.len < y.len ? x.len : y.len);
		if (order == 0)
			order = (x.len > y.len) - (x.len < y.len);
	}
	return order;
}

int
rollup_write(struct store *store)
{
	struct rollup *rollup = store->rollup;
	struct cell **list, *cell;
	int rc = tick_write(store);
	size_t n = 0;

	if (!rollup || rollup->ndirty == 0)
		return rc;
	/* customers that this adds come before the one that it stands at */
	for (cell = rollup->dirty; cell; cell = cell->next_dirty)
		if (cell->kind == DAY)
			count_day(store, cell);
	list = xmalloc(rollup->ndirty * sizeof(*list));
	for (cell = rollup->dirty; cell; cell = cell->next_dirty)
		list[n++] = cell;
	qsort(list, n, sizeof(*list), cell_order);
	for (size_t i = 0; i < n && rc == STORE_OK; i++)
		rc = cell_write(store, list[i]);
	for (size_t i = 0; i < n && rc == STORE_OK; i++)
		list[i]->dirty = false;
	if (rc == STORE_OK) {
		rollup->dirty = NULL;
		rollup->ndirty = 0;
	}
	free(list);
	return rc;
}

/* Takes cells out that are as their tables have them: the empty ones, as these
 * have no row, and, with `idle`, those that were not used since the last time. */
static void
cells_drop(struct rollup *rollup, bool idle)
{
	struct cell **at, *cell;

	for (size_t i = 0; i < SLOTS; i++)
		for (at = &rollup->slots[i]; (cell = *at) != NULL;) {
			if (!cell->dirty && (is_empty(cell) || (idle && !cell->used))) {
				*at = cell->next;
				rollup->count--;
				cell_free(cell);
				continue;
			}
			if (idle)
				cell->used = false;
			at = &cell->next;
		}
}

void
rollup_rest(struct store *store)
{
	struct rollup *rollup = store->rollup;

	tick_forget(store);
	if (!rollup)
		return;
	if (rollup->emptied)
		cells_drop(rollup, false);
	rollup->emptied = 0;
	if (rollup->count >= CELLS)
		cells_drop(rollup, true);
	if (rollup->count >= CELLS / 4 * 3)
		rollup_forget(store);
}

void
rollup_forget(struct store *store)
{
	struct rollup *rollup = store->rollup;
	struct cell *cell;

	tick_forget(store);
	for (size_t i = 0; rollup && rollup->count > 0 && i < SLOTS; i++)
		while ((cell = rollup->slots[i])) {
			rollup->slots[i] = cell->next;
			rollup->count--;
			cell_free(cell);
		}
	if (rollup) {
		rollup->dirty = NULL;
		rollup->ndirty = rollup->emptied = 0;
	}
}

void
rollup_free(struct store *store)
{
	rollup_forget(store);
	tick_free(store);
	for (int i = 0; store->rollup && i < KINDS; i++)
		for (int k = 0; k < STATEMENTS_EACH; k++)
			sqlite3_finalize(store->rollup->statements[i][k]);
	free(store->rollup);
	store->rollup = NULL;
}
