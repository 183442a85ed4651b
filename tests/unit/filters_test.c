/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters as clients write them, over a store of random spans: what the store
 * finds is what an evaluator of its own, below, finds in memory. And counts and
 * pages of plain lists, against the rows themselves.
 */
#include <sqlite3.h>

#include "api/filters.h"
#include "api/listing.h"
#include "core/limits.h"
#include "store_test.h"

#define ROWS 300
#define TICK_US INT64_C(600000000)

static const struct store_ops *ops = &store_sqlite;
static struct store *store;

static uint32_t
next_random(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

static uint32_t
below(uint32_t n)
{
	return next_random() % n;
}

/* The kinds of fields, and what the test knows of a span in one. */
enum kind { TEXT, NUMBER, FLAG, LOOSE, TYPE };
struct value {
	const char	*text;		/* TEXT, LOOSE, TYPE; NULL: null */
	bool		 set;		/* NUMBER, FLAG */
	double		 number;
};

static const char *const models[] = { NULL, "gpt-4o", "GPT-4o-mini", "claude 3 opus", "", "o3", "a%b_c", "x\xc3\xa9" };
static const char *const people[] = { NULL, "ann", "Bob", "ann-2", "carl", "" };
static const char *const types[] = { "text", "completion", "chat", "WORKFLOW", "trace", "llm", NULL };
static const char *const teams[] = { NULL, "red", "Blue", "7", "7.0", "12", "" };
static const char *const numbers[] = { "0", "0.5", "1", "2.25", "3", "10", "200", "404" };
static const char *const flags[] = { "true", "false", "1", "0" };
static const char *const texts[] = { "gpt", "4O", "", "ann", "b", "e", "an", "opus claude", "\xc3\xa9",
    "X\xc3\x89", "2", "red" };

#define LIST(a) a, sizeof(a) / sizeof(a[0])
static const struct field {
	const char	*name;
	enum kind	 kind;
	const char *const *values;
	size_t		 nvalues;
} fields[] = {
	{ "model", TEXT, LIST(models) }, { "customer_identifier", TEXT, LIST(people) },
	{ "custom_identifier", TEXT, LIST(people) }, { "log_type", TYPE, LIST(types) },
	{ "cost", NUMBER, LIST(numbers) }, { "latency", NUMBER, LIST(numbers) },
	{ "status_code", NUMBER, LIST(numbers) }, { "total_tokens", NUMBER, LIST(numbers) },
	{ "tokens_per_second", NUMBER, LIST(numbers) }, { "stream", FLAG, LIST(flags) }, { "failed", FLAG, LIST(flags) },
	{ "is_root_span", FLAG, LIST(flags) }, { "cache_hit", FLAG, LIST(flags) },
	{ "metadata__team", LOOSE, LIST(teams) }, { "temperature", LOOSE, LIST(numbers) },
	{ "scores__good", NUMBER, LIST(numbers) },
};
#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static struct value rows[ROWS][FIELDS];

static struct value
random_value(const struct field *f)
{
	struct value v = { .text = NULL };
	const char *text = f->values[below((uint32_t)f->nvalues)];

	if (f->kind == NUMBER && below(4) > 0)
		v = (struct value){ .set = true, .number = strtod(text, NULL) };
	else if (f->kind == FLAG)
		v = (struct value){ .set = true, .number = text[0] == 't' || text[0] == '1' };
	else if (f->kind != NUMBER)
		v.text = text;
	return v;
}

static struct slice
text_of(const char *s)
{
	return s ? slice_str(s) : SLICE_NONE;
}

static void
exec(const char *sql)
{
	char path[100];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/spans.db", test_dir);
	if (!ok(sqlite3_open(path, &db) == SQLITE_OK && sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK))
		printf("# %s: %s\n", sql, sqlite3_errmsg(db));
	sqlite3_close(db);
}

static struct span
make_span(unsigned n, struct value v[FIELDS], char meta[60])
{
	struct span s = test_span(n);

	for (size_t i = 0; i < FIELDS; i++)
		v[i] = random_value(&fields[i]);
	v[6].number = (double)(int)v[6].number;		/* whole ones */
	v[7].number = (double)(int)v[7].number;
	s.model = text_of(v[0].text);
	s.customer_identifier = text_of(v[1].text);
	s.custom_identifier = text_of(v[2].text);
	s.log_type = text_of(v[3].text);
	s.cost = (span_COST){ v[4].set, (int64_t)(v[4].number * 1e12) };
	s.latency = (span_SECS){ v[5].set, (int64_t)(v[5].number * 1e6) };
	s.status_code = (span_INT){ v[6].set, (int64_t)v[6].number };
	s.total_request_tokens = (span_INT){ v[7].set, (int64_t)v[7].number };
	s.tokens_per_second = (span_NUM){ v[8].set, v[8].number };
	v[9].set = below(3) > 0;
	s.stream = (span_BOOL){ v[9].set, v[9].number > 0 };
	s.status = v[10].number > 0 ? SLICE("error") : below(2) ? SLICE("success") : SLICE_NONE;
	s.trace_unique_id = SLICE("t1");
	s.span_parent_id = v[11].number > 0 ? (below(2) ? SLICE("t1") : SLICE("")) : SLICE("p");
	s.prompt_cache_hit_tokens = (span_INT){ v[12].number > 0, 5 };
	if (v[13].text) {
		snprintf(meta, 60, "{\"other\":1,\"team\":\"%s\"}", v[13].text);
		s.metadata = slice_str(meta);
	}
	s.temperature = text_of(v[14].text);
	return s;
}

static void
fill(void)
{
	char err[300], meta[60];
	struct buf sql;

	buf_init(&sql, 1 << 20);
	buf_str(&sql, "BEGIN;");
	store = ops->open(test_dir, true, err, sizeof(err));
	ok(store && ops->begin(store) == STORE_OK);
	for (unsigned n = 0; n < ROWS; n++) {
		struct span span = make_span(n, rows[n], meta);

		if (ops->put(store, &span, SLICE_NONE) != STORE_OK)
			ok(false);
	}
	ok(ops->commit(store) == STORE_OK);
	for (unsigned n = 0; n < ROWS; n++) {
		if (rows[n][15].set)
			buf_printf(&sql, "INSERT INTO score(id, span, evaluator_id, evaluator_slug, evaluator_name, kind, value, created)"
			    " VALUES(randomblob(16), %u, 'e1', 'good', 'Good', 'numerical', %.17g, 1);", n + 1, rows[n][15].number);
		if (n % 3 == 0)
			buf_printf(&sql, "INSERT INTO score(id, span, evaluator_id, scorer, kind, value, text, created)"
			    " VALUES(randomblob(16), %u, 'e2', 'me', 'boolean', %u, 'fine', 1);", n + 1, n % 2);
		if (n % 10)
			continue;
		rows[n][2].text = "edited";
		buf_printf(&sql, "INSERT INTO span_edit(span, custom_identifier) VALUES(%u, 'edited');", n + 1);
	}
	buf_append(&sql, "COMMIT", 7);
	exec(sql.ptr);
	buf_free(&sql);
}

/* --- the evaluator ------------------------------------------------------- */

static bool
number_of(const char *text, double *d)
{
	char *end;

	*d = text && *text ? strtod(text, &end) : 0;
	return text && *text && *end == '\0';
}

/* Lower case of ASCII and of what the test has besides. */
static const char *
lower(const char *s, char out[100])
{
	size_t n = 0;

	for (; s[n] && n < 99; n++) {
		out[n] = s[n] >= 'A' && s[n] <= 'Z' ? (char)(s[n] + 32) : s[n];
		if (n > 0 && out[n - 1] == '\xc3' && s[n] == '\x89')
			out[n] = '\xa9';
	}
	out[n] = '\0';
	return out;
}

/* LIKE, by hand. */
static bool
like(const char *pattern, const char *text)
{
	for (; *pattern; pattern++) {
		if (*pattern == '%') {
			for (const char *t = text;; t++) {
				if (like(pattern + 1, t))
					return true;
				if (!*t)
					return false;
			}
		}
		if (!*text || (*pattern != '_' && *pattern != *text))
			return false;
		if (*pattern == '_' && (*text & 0xc0) == 0xc0)
			while ((text[1] & 0xc0) == 0x80)
				text++;
		text++;
	}
	return *text == '\0';
}

static bool
words_in(const char *words, const char *text)
{
	char word[100];
	size_t n;

	while (*words) {
		n = strcspn(words, " ");
		snprintf(word, sizeof(word), "%.*s", (int)n, words);
		if (n > 0 && !strstr(text, word))
			return false;
		words += n + (words[n] == ' ');
	}
	return true;
}

static bool
text_op(const char *op, const char *text, const char *want)
{
	char a[100], b[100];

	if (strcmp(op, "contains") == 0)
		return strstr(text, want) != NULL;
	if (strcmp(op, "startswith") == 0)
		return strncmp(text, want, strlen(want)) == 0;
	if (strcmp(op, "endswith") == 0)
		return strlen(text) >= strlen(want) && strcmp(text + strlen(text) - strlen(want), want) == 0;
	lower(text, a);
	lower(want, b);
	if (strcmp(op, "iexact") == 0)
		return strcmp(a, b) == 0;
	if (strcmp(op, "ilike") == 0)
		return like(b, a);
	if (strcmp(op, "full_text_search") == 0)
		return words_in(b, a);
	return strstr(a, b) != NULL;	/* icontains, trigram_word_similar */
}

static bool
same_type(const char *a, const char *b)
{
	static const char *const groups[] = { "|text|completion|", "|workflow|trace|", "|task|step|",
	    "|generation|llm|model|" };
	char x[100], y[100], p[110], q[110];

	snprintf(p, sizeof(p), "|%s|", lower(a, x));
	snprintf(q, sizeof(q), "|%s|", lower(b, y));
	for (size_t g = 0; g < 4; g++)
		if (strstr(groups[g], p) && strstr(groups[g], q))
			return true;
	return strcmp(x, y) == 0;
}

static bool
equal(const struct field *f, const struct value *v, const char *want)
{
	double a, b;

	if (f->kind == FLAG)
		return v->set && (v->number > 0) == (want[0] == 't' || want[0] == '1');
	if (f->kind == NUMBER)
		return v->set && v->number >= strtod(want, NULL) && v->number <= strtod(want, NULL);
	if (!*want)
		return !v->text || !*v->text;
	if (!v->text)
		return false;
	if (f->kind == TYPE)
		return same_type(v->text, want);
	return strcmp(v->text, want) == 0 ||
	    (f->kind == LOOSE && number_of(v->text, &a) && number_of(want, &b) && a >= b && a <= b);
}

static bool
compare(const struct field *f, const struct value *v, const char *op, const char *want)
{
	double a, b;
	int sign;

	if (f->kind == NUMBER || (f->kind == LOOSE && number_of(want, &b))) {
		a = v->number;
		b = strtod(want, NULL);
		if (f->kind == NUMBER ? !v->set : !number_of(v->text, &a))
			return false;
		sign = a < b ? -1 : a > b;
	} else if (!v->text)
		return false;
	else
		sign = strcmp(v->text, want);
	if (op[0] == 'l')
		return sign < 0 || (op[2] == 'e' && sign == 0);
	return sign > 0 || (op[2] == 'e' && sign == 0);
}

static bool
holds(const struct field *f, const struct value *v, const char *op, const char *want)
{
	bool null = f->kind == NUMBER || f->kind == FLAG ? !v->set : !v->text, yes = want[0] != 'f';

	if (strcmp(op, "isnull") == 0)
		return null == yes;
	if (strcmp(op, "empty") == 0)
		return (null || (f->kind != NUMBER && f->kind != FLAG && !*v->text)) == yes;
	if (strcmp(op, "") == 0 || strcmp(op, "in") == 0)
		return equal(f, v, want);
	if (op[0] == 'l' || op[0] == 'g')
		return compare(f, v, op, want);
	return v->text && text_op(op, v->text, want);
}

static const struct field *
field_of(struct slice name)
{
	for (size_t i = 0; i < FIELDS; i++)
		if (slice_eq(slice_str(fields[i].name), name))
			return &fields[i];
	abort();
}

static const char *
plain(struct jvalue v, char out[100])
{
	struct buf text;

	buf_init(&text, 100);
	if (v.kind == JSTRING)
		(void)jstring(v, &text);
	else
		buf_slice(&text, v.text);
	snprintf(out, 100, "%.*s", (int)text.len, text.ptr ? text.ptr : "");
	buf_free(&text);
	return out;
}

static bool
condition_holds(const struct value row[FIELDS], struct slice name, struct jvalue c)
{
	const struct field *f = field_of(name);
	const struct value *v = &row[f - fields];
	struct jvalue value = jget(c, SLICE("value"));
	char op[100], want[100];
	bool not, any = false;
	struct jiter it;
	struct jmember m;

	plain(jget(c, SLICE("operator")), op);
	not = strncmp(op, "not", 3) == 0;
	if (not)
		memmove(op, op + (op[3] == '_' ? 4 : 3), strlen(op + 3) + 1);
	if (value.kind != JARRAY)
		any = holds(f, v, op, plain(value, want));
	jiter_init(&it, value);
	while (value.kind == JARRAY && jiter_next(&it, &m))
		any = holds(f, v, op, plain(m.value, want)) || any;
	return any != not;
}

static bool
group_holds(const struct value row[FIELDS], struct jvalue group, struct slice name, bool either)
{
	bool result = true, first = true, second_too = false, this, joined, said;
	struct jiter it;
	struct jmember m;
	size_t n = 0;

	jiter_init(&it, group);
	for (; jiter_next(&it, &m); n++) {
		struct jvalue params = jget(m.value, SLICE("filter_params")), connector = jget(m.value, SLICE("connector"));
		bool or = jstring_is(connector, SLICE("OR")), bundle = params.kind != JNONE;
		struct slice key = group.kind == JOBJECT ? m.key : name;

		said = !bundle && connector.kind != JNONE;
		joined = said ? or : either || (n == 1 && second_too);
		if (n == 0)
			second_too = said && or;
		if (bundle)
			this = group_holds(row, params, SLICE_NONE, or);
		else if (m.value.kind == JARRAY)
			this = group_holds(row, m.value, key, false);
		else
			this = condition_holds(row, key, m.value);
		result = first ? this : joined ? result || this : result && this;
		first = false;
	}
	return result;
}

/* --- random filters ------------------------------------------------------ */

static void
put_value(struct buf *out, const struct field *f, const char *op)
{
	const char *text = f->values[below((uint32_t)f->nvalues)];
	bool whole = strcmp(f->name, "status_code") == 0 || strcmp(f->name, "total_tokens") == 0;

	if (strcmp(op, "isnull") == 0 || strstr(op, "empty")) {
		buf_str(out, below(2) ? "true" : "false");
		return;
	}
	while (whole && strchr(text, '.'))
		text = f->values[below((uint32_t)f->nvalues)];
	if (strlen(op) > 3 && (f->kind == TEXT || f->kind == TYPE || f->kind == LOOSE) && below(2))
		text = texts[below(sizeof(texts) / sizeof(texts[0]))];
	if (strcmp(op, "ilike") == 0 && below(2))
		text = below(2) ? "%4O%" : "G_T%";
	if ((f->kind == NUMBER || f->kind == FLAG) && below(2))
		buf_str(out, text);
	else
		buf_json_string(out, slice_str(text ? text : ""));
}

static const char *
random_op(const struct field *f)
{
	static const char *const common[] = { "", "not", "in", "isnull", "not_in", "empty", "not_empty" },
	    *const order[] = { "lt", "lte", "gt", "gte" }, *const looks[] = { "iexact", "contains", "icontains", "startswith",
	    "endswith", "ilike", "trigram_word_similar", "full_text_search", "not_contains", "not_startswith" };

	if (f->kind == FLAG || below(3) == 0)
		return common[below(sizeof(common) / sizeof(common[0]))];
	if (f->kind == NUMBER || (f->kind != TYPE && below(3) == 0))
		return order[below(4)];
	return looks[below(sizeof(looks) / sizeof(looks[0]))];
}

static void
put_condition(struct buf *out, const struct field *f)
{
	const char *op = random_op(f);
	unsigned n = 1 + below(3);
	bool one = strcmp(op, "isnull") == 0 || strstr(op, "empty") != NULL;

	buf_printf(out, "{\"operator\":\"%s\",", op);
	if (below(3) == 0)
		buf_printf(out, "\"connector\":\"%s\",", below(2) ? "OR" : "AND");
	buf_str(out, "\"value\":");
	if (below(3) == 0 || one)
		put_value(out, f, op);
	else {
		for (unsigned i = 0; i < n; i++) {
			buf_str(out, i ? "," : "[");
			put_value(out, f, op);
		}
		buf_byte(out, ']');
	}
	buf_byte(out, '}');
}

static void
put_group(struct buf *out, unsigned depth)
{
	unsigned n = 1 + below(4), first = below(FIELDS);

	buf_byte(out, '{');
	for (unsigned i = 0; i < n; i++) {
		const struct field *f = &fields[(first + i) % FIELDS];

		buf_str(out, i ? "," : "");
		if (depth < 4 && below(4) == 0) {
			buf_printf(out, "\"bundle%u\":{", i);
			if (below(2))
				buf_printf(out, "\"connector\":\"%s\",", below(2) ? "OR" : "AND");
			buf_str(out, "\"filter_params\":");
			put_group(out, depth + 1);
			buf_byte(out, '}');
			continue;
		}
		buf_printf(out, "\"%s\":", f->name);
		if (below(5) == 0) {
			buf_byte(out, '[');
			put_condition(out, f);
			buf_byte(out, ',');
			put_condition(out, f);
			buf_byte(out, ']');
		} else
			put_condition(out, f);
	}
	buf_byte(out, '}');
}

/* Which rows the store finds. */
static bool
find(const struct query *q, bool found[ROWS], uint64_t *count)
{
	struct store_rows *list;
	const struct span *span;
	uint32_t n;
	int rc;

	memset(found, 0, ROWS * sizeof(found[0]));
	if (ops->select(store, q, &list) != STORE_OK)
		return false;
	while ((rc = ops->next(list, &span)) == STORE_ROW) {
		memcpy(&n, span->id16 + 12, sizeof(n));
		found[n % ROWS] = true;
	}
	ops->done(list);
	return rc == STORE_OK && ops->count(store, q, count) == STORE_OK;
}

static bool
check_filter(struct slice json)
{
	struct query q = { .tenant = SLICE("default"), .sort = -1 };
	bool found[ROWS], good = false;
	struct filters f;
	struct jvalue value;
	uint64_t count = 0, expected = 0;

	if (!filters_init(&f, json.len) || jscan_check(json, &value, NULL) != JSCAN_END || !filters_json(&f, value, false))
		printf("# %s\n", f.error);
	else {
		q.filters = f.list;
		q.nfilters = f.n;
		good = filters_check(&f) && find(&q, found, &count);
		if (!good)
			printf("# %s\n", f.error);
		for (unsigned n = 0; n < ROWS && good; n++) {
			bool want = group_holds(rows[n], value, SLICE_NONE, false);

			expected += want;
			good = want == found[n];
			if (!good)
				printf("# row %u: %d\n", n, want);
		}
		good = good && count == expected;
	}
	filters_free(&f);
	if (!good)
		printf("# %.*s\n", (int)json.len, json.ptr);
	return good;
}

static void
test_random(void)
{
	struct buf json;
	unsigned bad = 0;

	buf_init(&json, 1 << 16);
	for (int i = 0; i < 900 && bad < 5; i++) {
		buf_clear(&json);
		put_group(&json, 0);
		bad += !check_filter(buf_view(&json));
	}
	ok(bad == 0);
	buf_free(&json);
}

/* --- the language -------------------------------------------------------- */

static char error[300];

/* How many rows a filter finds; -1: it is refused, error says why. */
static int
found_by(const char *json)
{
	struct query q = { .tenant = SLICE_NONE, .sort = -1 };
	struct filters f;
	struct jvalue value;
	uint64_t n = 0;
	int result = -1;

	*error = '\0';
	if (filters_init(&f, strlen(json)) && jscan_check(slice_str(json), &value, NULL) == JSCAN_END &&
	    filters_json(&f, value, false) && filters_check(&f)) {
		q.filters = f.list;
		q.nfilters = f.n;
		result = ops->count(store, &q, &n) == STORE_OK ? (int)n : -2;
	}
	snprintf(error, sizeof(error), "%s", f.error);
	filters_free(&f);
	return result;
}

static bool
refused(const char *json, const char *words)
{
	if (found_by(json) == -1 && strstr(error, words))
		return true;
	printf("# %s: %s\n", json, error);
	return false;
}

static void
test_forms(void)
{
	int all = found_by("{\"model\":{\"operator\":\"regex\",\"value\":\"^(gpt|GPT)-4o\"}}");

	ok(all > 20 && found_by("{\"model\":{\"operator\":\"startswith\",\"value\":[\"gpt\",\"GPT\"]}}") == all);
	ok(found_by("[{\"field\":\"model\",\"operator\":\"istartswith\",\"value\":\"x\"}]") == -1);
	ok(found_by("[{\"field\":\"model\",\"operator\":\"startswith\",\"value\":[\"gpt\",\"GPT\"]}]") == all);
	ok(found_by("[{\"model\":{\"operator\":\"regex\",\"value\":\"(?i)^gpt\"}}]") == all);
	ok(found_by("{\"connector\":\"OR\",\"filter_params\":{\"model\":\"gpt-4o\","
	    "\"deployment_name\":[\"GPT-4o-mini\"]}}") == all);
	ok(found_by("{\"model\":[\"gpt-4o\",\"GPT-4o-mini\"]}") == all);
	ok(found_by("{\"metadata\":{\"operator_function\":\"mapContainsKey\",\"operator_args\":[\"team\"]}}") ==
	    found_by("{\"metadata__other\":{\"operator\":\"isnull\",\"value\":[false]}}"));
	ok(found_by("{\"metadata\":{\"operator\":\"contains\",\"value\":\"\\\"team\\\":\\\"red\\\"\"}}") ==
	    found_by("{\"metadata__team\":\"red\"}"));
	ok(found_by("{\"unique_id\":{\"operator\":\"startswith\",\"value\":\"018b\"}}") == ROWS);
	ok(found_by("{\"status_code\":{\"operator\":\"startswith\",\"value\":\"4\"}}") ==
	    found_by("{\"status_code\":{\"operator\":\"==\",\"value\":404}}"));
	ok(found_by("{\"cost\":{\"operator\":\"\",\"value\":null}}") == found_by("{\"cost\":{\"operator\":\"isnull\"}}"));
	ok(found_by("{\"model\":{\"operator\":\"IN\",\"value\":[]}}") == 0);
	ok(found_by("{}") == ROWS && found_by("[]") == ROWS);
	ok(found_by("{\"cache_key\":{\"operator\":\"isnull\",\"value\":[true]}}") == ROWS);
	ok(found_by("{\"evaluator_id\":\"e2\"}") == 100 && found_by("{\"scores__e2\":true}") == 50);
	ok(found_by("{\"evaluator_id\":{\"operator\":\"not\",\"value\":\"e2\"}}") == 200);
	ok(found_by("{\"scores__e2\":{\"operator\":\"isnull\",\"value\":[true]}}") == 200);
	ok(found_by("{\"scores__e2\":{\"operator\":\"not\",\"value\":[1]}}") == 250);
	ok(found_by("{\"scores__e2\":\"fine\"}") == 100);
	ok(found_by("{\"scores__e2\":{\"operator\":\"lt\",\"value\":1}}") == 50);
	ok(found_by("{\"organization_id\":\"default\"}") == ROWS);
}

static void
test_refusals(void)
{
	struct buf deep;

	ok(refused("{\"shoe\":{\"operator\":\"\",\"value\":1}}", "'shoe'"));
	ok(refused("{\"model\":{\"operator\":\"like\",\"value\":1}}", "'like'"));
	ok(refused("{\"cost\":{\"operator\":\"gt\",\"value\":\"much\"}}", "'much' is not an amount in USD"));
	ok(refused("{\"cost\":{\"operator\":\"contains\",\"value\":\"1\"}}", "contains is for texts"));
	ok(refused("{\"stream\":{\"operator\":\"\",\"value\":[\"maybe\"]}}", "true or false"));
	ok(refused("{\"model\":{\"operator\":\"isnull\",\"value\":[\"perhaps\"]}}", "true or false"));
	ok(refused("{\"model\":{\"operator\":\"gt\",\"value\":[]}}", "no value"));
	ok(refused("{\"model\":{\"operator\":\"gt\",\"value\":[null]}}", "null"));
	ok(refused("{\"model\":{\"operator\":\"\",\"value\":[[1]]}}", "a value is"));
	ok(refused("{\"model\":{\"operator\":\"regex\",\"value\":\"(\"}}", "filter model"));
	ok(refused("{\"model\":{\"operator\":\"\",\"value\":1,\"connector\":\"XOR\"}}", "'XOR'"));
	ok(refused("{\"model\":{\"opertor\":1}}", "expected"));
	ok(refused("{\"model\":{\"operator_function\":\"sleep\",\"value\":1}}", "'sleep'"));
	ok(refused("{\"model\":{\"operator_function\":\"mapContainsKey\",\"value\":1}}", "metadata"));
	ok(refused("{\"scores__\":{\"operator\":\"\",\"value\":1}}", "evaluator"));
	ok(refused("3", "object") && refused("[1]", "objects"));
	buf_init(&deep, 1 << 20);
	for (int i = 0; i < 9; i++)
		buf_str(&deep, "{\"a\":{\"filter_params\":");
	buf_str(&deep, "{\"model\":1}");
	for (int i = 0; i < 9; i++)
		buf_str(&deep, "}}");
	buf_append(&deep, "", 1);
	ok(refused(deep.ptr, "deeper than 8"));
	buf_clear(&deep);
	buf_str(&deep, "{\"model\":[0");
	for (int i = 0; i < LIMIT_FILTER_VALUES; i++)
		buf_str(&deep, ",1");
	buf_str(&deep, "]}");
	buf_append(&deep, "", 1);
	ok(refused(deep.ptr, "values"));
	buf_free(&deep);
}

/* --- counts and pages by time -------------------------------------------- */

#define SPREAD 2000

static int64_t stamps[SPREAD];
static bool of_test[SPREAD];

static int
by_stamp(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Spans of another tenant, some of them before 1970, many at one time. */
static void
spread(void)
{
	ok(ops->begin(store) == STORE_OK);
	for (unsigned n = 0; n < SPREAD; n++) {
		struct span s = test_span(ROWS + n);

		s.timestamp.v = ((int64_t)below(400) - 60) * (TICK_US / 3) + (below(4) ? (int64_t)below(1000) : 0);
		of_test[n] = below(3) == 0;
		s.environment = of_test[n] ? SLICE("test") : SLICE_NONE;
		s.tenant = SLICE("spread");
		stamps[n] = s.timestamp.v;
		if (ops->put(store, &s, SLICE_NONE) != STORE_OK)
			ok(false);
	}
	ok(ops->commit(store) == STORE_OK);
}

static bool
check_page(const struct query *q, bool only_test)
{
	static int64_t want[SPREAD];
	struct store_rows *list;
	const struct span *span;
	uint64_t count = 0, n = 0, given = 0;
	int rc;

	for (unsigned i = 0; i < SPREAD; i++)
		if ((!only_test || of_test[i]) && (!q->have_from || stamps[i] >= q->from_us) &&
		    (!q->have_to || stamps[i] < q->to_us))
			want[n++] = stamps[i];
	qsort(want, n, sizeof(want[0]), by_stamp);
	if (ops->count(store, q, &count) != STORE_OK || count != n || ops->select(store, q, &list) != STORE_OK)
		return false;
	while ((rc = ops->next(list, &span)) == STORE_ROW) {
		uint64_t at = q->offset + given++;

		if (at >= n || span->timestamp.v != want[q->ascending ? at : n - 1 - at])
			break;
	}
	ops->done(list);
	return rc == STORE_OK && given == (q->offset >= n ? 0 : n - q->offset < q->limit ? n - q->offset : q->limit);
}

static void
test_pages(void)
{
	unsigned bad = 0;

	spread();
	for (int i = 0; i < 900 && bad < 5; i++) {
		bool only_test = below(3) == 0;
		struct query q = { .tenant = SLICE("spread"), .environment = only_test ? SLICE("test") : SLICE_NONE, .sort = -1,
		    .have_from = below(2), .have_to = below(2), .ascending = below(2), .offset = below(3) ? below(SPREAD) : 0,
		    .limit = 1 + below(below(2) ? 10 : 600) };

		q.from_us = ((int64_t)below(420) - 70) * (TICK_US / 3) + (below(2) ? (int64_t)below(1000) : 0);
		q.to_us = ((int64_t)below(420) - 70) * (TICK_US / 3) + (below(2) ? (int64_t)below(1000) : 0);
		if (check_page(&q, only_test))
			continue;
		bad++;
		printf("# from %d %lld to %d %lld, %d, offset %llu, limit %llu\n", q.have_from, (long long)q.from_us, q.have_to,
		    (long long)q.to_us, q.ascending, (unsigned long long)q.offset, (unsigned long long)q.limit);
	}
	ok(bad == 0);
}

/* The kept sums are those of the rows, after rows went and changed. */
static void
test_ticks(void)
{
	struct query all = { .tenant = SLICE_NONE, .sort = -1 };
	struct query_filter any = { .field = QUERY_NOTHING, .op = QUERY_ISNULL };
	struct summary kept, added;
	struct span span;
	struct buf lines;
	uint64_t cells;

	ok(ops->begin(store) == STORE_OK);
	for (unsigned n = 0; n < ROWS + SPREAD; n += 3) {
		span = test_span(n);
		if (ops->remove(store, span.id16) != STORE_OK)
			ok(false);
	}
	ok(ops->commit(store) == STORE_OK);
	ok(ops->expire(store, BASE_US + INT64_C(3600000000), 0, 300) == 300);
	buf_init(&lines, 1 << 16);
	exec("UPDATE span_tick SET rows = rows + 1 WHERE tick = (SELECT max(tick) FROM span_tick)");
	ok(ops->check_rollups(store, &lines, &cells) == STORE_OK && lines.ptr && memmem(lines.ptr, lines.len, "span_tick", 9));
	exec("UPDATE span_tick SET rows = rows - 1 WHERE tick = (SELECT max(tick) FROM span_tick)");
	buf_clear(&lines);
	ok(ops->check_rollups(store, &lines, &cells) == STORE_OK && !memmem(lines.ptr, lines.len, "span_tick", 9));
	buf_free(&lines);
	for (int i = 0; i < 3; i++) {
		all.have_from = i > 0;
		all.from_us = i == 1 ? BASE_US + 7000000 : TICK_US * 5 + 100;
		all.nfilters = 0;
		ok(ops->summary(store, &all, &kept) == STORE_OK);
		all.filters = &any;
		all.nfilters = 1;
		ok(ops->summary(store, &all, &added) == STORE_OK);
		ok(kept.requests > 0 && kept.rows == added.rows && kept.requests == added.requests);
		ok(kept.cost_pico == added.cost_pico && kept.total_tokens == added.total_tokens);
		ok(kept.prompt_tokens == added.prompt_tokens && kept.latency_us == added.latency_us);
		ok(kept.latency_count == added.latency_count && kept.ttft_count == added.ttft_count);
		buf_free(&kept.scores);
		buf_free(&added.scores);
	}
}

/* Every ten thousandth id or so: the same ones, and about as many as asked for. */
static void
test_sample(void)
{
	struct query q = { .tenant = SLICE_NONE, .sort = -1, .sample = 100000 };
	uint64_t few = 0, all = 0, again = 0;

	ok(ops->count(store, &q, &few) == STORE_OK && ops->count(store, &q, &again) == STORE_OK && few == again);
	q.sample = 0;
	ok(ops->count(store, &q, &all) == STORE_OK && few > all / 20 && few < all / 5);
	q.sample = 1000000;
	ok(ops->count(store, &q, &again) == STORE_OK && again == all);
}

int
main(void)
{
	test_dir_make();
	fill();
	test_random();
	test_forms();
	test_refusals();
	test_pages();
	test_ticks();
	test_sample();
	ops->close(store);
	test_dir_remove();
	return done();
}
