/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scores: what evaluators and people say of spans, over HTTP. A span has one
 * score for each evaluator and scorer; a second one takes the first one's place
 * under its id. Written as an EDIT of the span, and answered as it is stored.
 */
#include "api/scores.h"

#include <math.h>
#include <stdlib.h>

#include "api/answer.h"
#include "api/ask.h"
#include "api/change.h"
#include "api/print.h"
#include "api/reading.h"
#include "api/writing.h"
#include "base/base.h"
#include "core/jscan.h"
#include "core/limits.h"
#include "core/uuid.h"
#include "store/value.h"

#define PAGE_SIZE 100
#define PAGE_SIZE_MAX 100
#define SCORE_MOST (LIMIT_RECORD / 4)	/* bytes of one, so that its EDIT is one record */

enum kind { TEXT, NUMBER, SWITCH, TEXTS, TEXT_OR_NUMBER, TIME };

/* What a score holds besides whose it is; null is as good as absent. The values
 * come first, in the order in which one gives the score its type of value. */
static const struct { const char *name; enum kind kind; const char *value_type; } members[] = {
	{ "numerical_value", NUMBER, "numerical" }, { "boolean_value", SWITCH, "boolean" },
	{ "categorical_value", TEXTS, "categorical" }, { "string_value", TEXT, "string" },
	{ "json_value", TEXT, "json" },
	{ "type", TEXT, NULL }, { "is_passed", SWITCH, NULL }, { "cost", NUMBER, NULL }, { "status", TEXT, NULL },
	{ "error_message", TEXT, NULL }, { "prompt_id", TEXT, NULL },
	{ "prompt_version_number", TEXT_OR_NUMBER, NULL }, { "dataset_id", TEXT, NULL },
	{ "automation_id", TEXT, NULL }, { "timestamp", TIME, NULL },
};
enum { MEMBERS = sizeof(members) / sizeof(members[0]), VALUES = 5 };

/* A request: the ids of its path, and, once found, the score that it means. */
struct score {
	struct local_job *job;
	const struct local_request *request;
	bool		 have_log, have_id;
	bool		 later;		/* the span may come yet */
	uint8_t		 log[16], id[16];
	struct jvalue	 body;
	struct buf	 evaluator, slug, name, scorer;	/* decoded */
	struct buf	 details;	/* of the one that is stored */
	struct buf	 edit;
	int64_t		 created;	/* 0: now; once edit is made, what that says */
};

static void
score_init(struct score *s, struct local_job *job, const struct local_request *request)
{
	*s = (struct score){ .job = job, .request = request };
	buf_init(&s->evaluator, SCORE_MOST);
	buf_init(&s->slug, SCORE_MOST);
	buf_init(&s->name, SCORE_MOST);
	buf_init(&s->scorer, SCORE_MOST);
	buf_init(&s->details, SCORE_MOST);
	buf_init(&s->edit, LIMIT_RECORD);
}

static void
score_free(struct score *s)
{
	buf_free(&s->evaluator);
	buf_free(&s->slug);
	buf_free(&s->name);
	buf_free(&s->scorer);
	buf_free(&s->details);
	buf_free(&s->edit);
}

/* A row as JSON into a buf, after a comma where there is something. */
static void
put_member(struct buf *out, const char *name, struct jvalue v, const char *otherwise)
{
	buf_printf(out, "\"%s\":", name);
	if (v.kind == JNONE || v.kind == JNULL)
		buf_str(out, otherwise);
	else
		buf_slice(out, v.text);
	buf_byte(out, ',');
}

static void
put_row(void *arg, const struct score_row *row)
{
	struct buf *out = arg;
	struct jvalue details = { .kind = JNONE };
	char id[33], log[33];

	if (row->details.ptr && jscan_check(row->details, &details, NULL) != JSCAN_END)
		details.kind = JNONE;
	hex_encode(row->id, 16, id);
	hex_encode(row->log, 16, log);
	buf_str(out, out->len ? ",{" : "{");
	print_text(out, "id", slice_make(id, 32));
	print_text(out, "log_id", slice_make(log, 32));
	print_time(out, "created_at", row->created);
	print_time(out, "updated_at", row->updated);
	print_text(out, "environment", row->environment);
	print_text(out, "evaluator_id", row->evaluator_id);
	print_text(out, "evaluator_slug", row->evaluator_slug);
	print_text(out, "evaluator_name", row->evaluator_name);
	print_text(out, "scorer", row->scorer.len > 0 ? row->scorer : SLICE_NONE);
	for (size_t i = 0; i < MEMBERS; i++)
		put_member(out, members[i].name, jget(details, slice_str(members[i].name)),
		    strcmp(members[i].name, "type") == 0 ? "\"custom\"" :
		    strcmp(members[i].name, "status") == 0 ? "\"success\"" : "null");
	out->ptr[out->len - 1] = '}';	/* in place of the last comma */
}

/* Is there such a span? One that may come yet can be given a score. */
static bool
find_log(struct score *s, struct slice id)
{
	bool create = slice_eq(s->request->method, SLICE("POST"));

	return id.ptr && value_id(id, s->log) && change_possible(s->request, s->log, &s->later) && (create || !s->later);
}

/* The ids in /logs/LOG/scores[/ID] and /scores/ID. False: 404, which is answered. */
static bool
read_path(struct score *s)
{
	struct slice path = s->request->path, log = SLICE_NONE, id;
	const char *slash;

	if (slice_starts(path, SLICE("/logs/"))) {
		path = slice_from(path, sizeof("/logs/") - 1);
		slash = memchr(path.ptr, '/', path.len);
		log = slice_make(path.ptr, slash ? (size_t)(slash - path.ptr) : path.len);
		path = slice_from(path, log.len);
		s->have_log = true;
	}
	id = slice_from(path, sizeof("/scores") - 1);
	if (s->have_log && !find_log(s, log)) {
		api_error(s->job, 404, NULL, "Log not found");
		return false;
	}
	if (id.len > 1 && !slice_eq(id, SLICE("/list"))) {
		s->have_id = true;
		if (value_id(slice_from(id, 1), s->id))
			return true;
		api_error(s->job, 404, NULL, "Score not found");
		return false;
	}
	return true;
}

static bool
read_body(struct score *s)
{
	if (jscan_check(s->request->body, &s->body, NULL) == JSCAN_END && s->body.kind == JOBJECT)
		return true;
	api_error(s->job, 400, NULL, "Invalid request format: the body is not a JSON object");
	return false;
}

/* What a value has to be; NULL: it is. */
static const char *
misfit(enum kind kind, struct jvalue v)
{
	struct slice time = jstring_plain(v);
	struct jiter it;
	struct jmember m;
	double number;
	int64_t us;

	if (v.kind == JNONE || v.kind == JNULL)
		return NULL;
	switch (kind) {
	case TEXT:
		return v.kind == JSTRING ? NULL : "must be a string";
	case NUMBER:
		return jnumber(v, &number) && isfinite(number) ? NULL : "must be a number";
	case SWITCH:
		return v.kind == JTRUE || v.kind == JFALSE ? NULL : "must be true or false";
	case TEXT_OR_NUMBER:
		return v.kind == JNUMBER || v.kind == JSTRING ? NULL : "must be a number";
	case TIME:
		return time.ptr && value_time(time, &us) ? NULL : "must be a time as in RFC 3339";
	case TEXTS:
		jiter_init(&it, v);
		while (v.kind == JARRAY && jiter_next(&it, &m))
			if (m.value.kind != JSTRING)
				return "must be a list of strings";
		return v.kind == JARRAY ? NULL : "must be a list of strings";
	}
	return NULL;
}

/* Every member that is there has its type. False: it has answered which has not. */
static bool
check_body(struct score *s)
{
	static const char *const texts[] = { "evaluator_id", "evaluator_slug", "evaluator_name", "scorer", "environment",
	    "log_id" };
	const char *name, *must;

	for (size_t i = 0; i < MEMBERS + sizeof(texts) / sizeof(texts[0]); i++) {
		name = i < MEMBERS ? members[i].name : texts[i - MEMBERS];
		must = misfit(i < MEMBERS ? members[i].kind : TEXT, jget(s->body, slice_str(name)));
		if (must) {
			api_error(s->job, 400, NULL, "%s: %s", name, must);
			return false;
		}
	}
	return true;
}

/* The member of the body, or, where that does not name it and `keep`, of what is stored. */
static struct jvalue
chosen(struct jvalue body, struct jvalue stored, const char *name, bool keep)
{
	struct jvalue v = jget(body, slice_str(name));

	return v.kind == JNONE && keep ? jget(stored, slice_str(name)) : v;
}

static void
put_details(struct score *s, struct jvalue stored, bool keep, struct buf *out)
{
	struct jvalue v;

	buf_byte(out, '{');
	for (size_t i = 0; i < MEMBERS; i++) {
		v = chosen(s->body, stored, members[i].name, keep);
		if (v.kind == JNONE || v.kind == JNULL)
			continue;
		buf_printf(out, "%s\"%s\":", out->ptr[out->len - 1] == '{' ? "" : ",", members[i].name);
		buf_slice(out, v.text);
	}
	buf_byte(out, '}');
}

/* By what filters, orders and sums go: the number, or true as 1; the text. */
static void
put_columns(struct buf *out, struct jvalue details)
{
	struct jvalue number = jget(details, SLICE("numerical_value")), flag = jget(details, SLICE("boolean_value"));
	struct jvalue text = jget(details, SLICE("string_value")), passed = jget(details, SLICE("is_passed"));
	int64_t pico;

	for (size_t i = 0; i < VALUES; i++)
		if (jget(details, slice_str(members[i].name)).kind != JNONE) {
			buf_printf(out, ",\"kind\":\"%s\"", members[i].value_type);
			break;
		}
	if (number.kind == JNUMBER)
		buf_printf(out, ",\"value\":%.*s", (int)number.text.len, number.text.ptr);
	else if (flag.kind != JNONE)
		buf_printf(out, ",\"value\":%d", flag.kind == JTRUE);
	if (text.kind == JNONE)
		text = jget(details, SLICE("categorical_value"));
	if (text.kind == JSTRING) {
		buf_str(out, ",\"text\":");
		buf_slice(out, text.text);
	} else if (text.kind == JARRAY) {	/* as its JSON */
		buf_str(out, ",\"text\":");
		buf_json_string(out, text.text);
	}
	text = jget(details, SLICE("json_value"));
	if (text.kind == JSTRING) {
		buf_str(out, ",\"json\":");
		buf_slice(out, text.text);
	}
	if (passed.kind != JNONE)
		buf_printf(out, ",\"is_passed\":%s", passed.kind == JTRUE ? "true" : "false");
	if (value_decimal(jget(details, SLICE("cost")).text, 12, &pico))
		buf_printf(out, ",\"cost_pico\":%lld", (long long)pico);
}

static void
put_name(struct buf *out, const char *name, const struct buf *text)
{
	if (text->len == 0 && strcmp(name, "scorer") != 0)
		return;
	buf_printf(out, ",\"%s\":", name);
	buf_json_string(out, text->len > 0 ? buf_view(text) : SLICE(""));
}

/* s->edit: the score as it is to be. False: it has answered why that is none. */
static bool
make_edit(struct score *s, bool keep)
{
	struct jvalue stored = { .kind = JNONE }, details;
	struct slice time = jstring_plain(jget(s->body, SLICE("timestamp")));
	int64_t now = (int64_t)clock_wall_us(), created = s->created ? s->created : now;
	bool any = false;
	char id[33];
	struct buf text;

	if (s->details.len > 0)
		(void)jscan_check(buf_view(&s->details), &stored, NULL);
	if (time.ptr)
		(void)value_time(time, &created);
	buf_init(&text, SCORE_MOST);
	put_details(s, stored, keep, &text);
	(void)jscan_check(buf_view(&text), &details, NULL);
	for (size_t i = 0; i < VALUES && !text.failed; i++)
		any = any || jget(details, slice_str(members[i].name)).kind != JNONE;
	s->created = created;
	hex_encode(s->id, 16, id);
	buf_byte(&s->edit, '{');
	writing_by(s->request, &s->edit);
	buf_printf(&s->edit, "\"score\":{\"id\":\"%s\",\"created\":%lld,\"changed\":%lld", id, (long long)created,
	    (long long)now);
	put_name(&s->edit, "evaluator_id", &s->evaluator);
	put_name(&s->edit, "evaluator_slug", &s->slug);
	put_name(&s->edit, "evaluator_name", &s->name);
	put_name(&s->edit, "scorer", &s->scorer);
	if (any)
		put_columns(&s->edit, details);
	buf_str(&s->edit, ",\"details\":");
	buf_slice(&s->edit, buf_view(&text));
	buf_str(&s->edit, "}}");
	buf_clear(&s->details);
	buf_slice(&s->details, buf_view(&text));
	if (text.failed || s->edit.failed || s->edit.len > LIMIT_RECORD - 8 * KIB)
		api_error(s->job, 400, NULL, "the score is too large: %d KB are stored of one", (int)(SCORE_MOST / KIB));
	else if (!any)
		api_error(s->job, 400, NULL, "numerical_value: a score has one of numerical_value, boolean_value,"
		    " string_value, categorical_value, json_value");
	buf_free(&text);
	return any && !text.failed && !s->edit.failed && s->edit.len <= LIMIT_RECORD - 8 * KIB;
}

static struct slice
known(const struct buf *text)
{
	return text->len > 0 ? buf_view(text) : SLICE_NONE;
}

/* 202 with the score as it will be once its span is there. */
static void
answer_later(struct score *s, struct buf *out)
{
	struct score_row row = { .evaluator_id = known(&s->evaluator), .evaluator_slug = known(&s->slug),
	    .evaluator_name = known(&s->name), .scorer = known(&s->scorer), .details = buf_view(&s->details),
	    .created = s->created, .updated = s->created };

	memcpy(row.id, s->id, 16);
	memcpy(row.log, s->log, 16);
	put_row(out, &row);
	local_head(s->job, 202, API_JSON, NULL);
	(void)api_flush(s->job, out);
}

/* What put_row made of the only row that a query finds; 404 where there is none. */
static void
answer_row(struct score *s, const struct score_query *q, unsigned status)
{
	struct reading r;
	int rc;

	if (!reading_open(&r, s->job, s->request))
		return;
	rc = store_sqlite.scores_list(r.store, q, put_row, &r.out);
	if (rc != STORE_OK)
		reading_failed(&r, rc);
	else if (r.out.len == 0 && s->later)
		answer_later(s, &r.out);
	else if (r.out.len == 0)
		api_error(s->job, 404, NULL, "Score not found");
	else {
		local_head(s->job, status, API_JSON, NULL);
		(void)api_flush(s->job, &r.out);
	}
	reading_close(&r);
}

/* Writes an EDIT of the span s->log; false: it was answered. */
static bool
write_edit(struct score *s, struct slice edit)
{
	struct writing w;

	if (!writing_open(&w, s->job, s->request))
		return false;
	if (!writing_edit(&w, s->log, edit)) {
		writing_full(&w);
		return false;
	}
	if (!writing_flush(&w))
		return false;
	if (writing_await(&w))
		return true;
	api_say(s->job, 202, "the change is kept until the store takes it");
	return false;
}

static bool
read_name(struct score *s, const char *name, struct buf *out)
{
	struct jvalue v = jget(s->body, slice_str(name));

	(void)jstring(v, out);
	if (value_cut(buf_view(out), LIMIT_ROW_TEXT).len == out->len && !out->failed)
		return true;
	api_error(s->job, 400, NULL, "%s: must be no longer than %d bytes", name, LIMIT_ROW_TEXT);
	return false;
}

/* An evaluator that has a slug only goes by that. False: it was answered. */
static bool
read_names(struct score *s)
{
	if (!read_name(s, "evaluator_id", &s->evaluator) || !read_name(s, "evaluator_slug", &s->slug) ||
	    !read_name(s, "evaluator_name", &s->name) || !read_name(s, "scorer", &s->scorer))
		return false;
	if (s->evaluator.len == 0)
		buf_slice(&s->evaluator, buf_view(&s->slug));
	if (s->evaluator.len > 0)
		return true;
	api_error(s->job, 400, NULL, "evaluator_id: evaluator_id or evaluator_slug is required");
	return false;
}

/* The span of the path, or of log_id. False: it was answered. */
static bool
read_log(struct score *s)
{
	struct slice log = jstring_plain(jget(s->body, SLICE("log_id")));

	if (s->have_log)
		return true;
	if (jget(s->body, SLICE("log_id")).kind != JSTRING)
		api_error(s->job, 400, NULL, "log_id: is required");
	else if (!find_log(s, log))
		api_error(s->job, 404, NULL, "Log not found");
	else
		return true;
	return false;
}

void
scores_create(struct local_job *job, const struct local_request *request, void *arg)
{
	struct slice names[2];
	struct score_filter filters[] = {
		{ .field = SCORE_EVALUATOR, .op = TRACES_EQ, .values = &names[0], .nvalues = 1 },
		{ .field = SCORE_SCORER, .op = TRACES_EQ, .values = &names[1], .nvalues = 1 },
	};
	struct score_query q = { .filters = filters, .nfilters = 2, .limit = 1 };
	struct score s;

	(void)arg;
	score_init(&s, job, request);
	if (read_path(&s) && read_body(&s) && check_body(&s) && read_names(&s) && read_log(&s)) {
		random_bytes(s.id, sizeof(s.id));
		if (make_edit(&s, false) && write_edit(&s, buf_view(&s.edit))) {
			names[0] = buf_view(&s.evaluator);
			names[1] = buf_view(&s.scorer);
			q.log = s.log;
			answer_row(&s, &q, 201);
		}
	}
	score_free(&s);
}

static struct score_query
query_one(const struct score *s)
{
	return (struct score_query){ .id = s->id, .log = s->have_log ? s->log : NULL, .limit = 1 };
}

void
scores_get(struct local_job *job, const struct local_request *request, void *arg)
{
	struct score_query q;
	struct score s;

	(void)arg;
	score_init(&s, job, request);
	if (read_path(&s)) {
		q = query_one(&s);
		answer_row(&s, &q, 200);
	}
	score_free(&s);
}

static void
take_row(void *arg, const struct score_row *row)
{
	struct score *s = arg;

	memcpy(s->log, row->log, 16);
	s->have_log = true;
	s->created = row->created;
	buf_slice(&s->evaluator, row->evaluator_id);
	buf_slice(&s->slug, row->evaluator_slug);
	buf_slice(&s->name, row->evaluator_name);
	buf_slice(&s->scorer, row->scorer);
	buf_slice(&s->details, row->details);
}

/* The score of the path, as it is stored. False: it was answered. */
static bool
find(struct score *s)
{
	struct score_query q;
	struct reading r;
	int rc;

	if (!read_path(s) || !reading_open(&r, s->job, s->request))
		return false;
	q = query_one(s);
	rc = store_sqlite.scores_list(r.store, &q, take_row, s);
	if (rc != STORE_OK)
		reading_failed(&r, rc);
	else if (s->evaluator.len == 0)
		api_error(s->job, 404, NULL, "Score not found");
	reading_close(&r);
	return rc == STORE_OK && s->evaluator.len > 0;
}

/* Whose score of what it is stays. False: it was answered. */
static bool
check_same(struct score *s)
{
	const struct { const char *name; const struct buf *is; } fixed[] = {
		{ "evaluator_id", &s->evaluator }, { "scorer", &s->scorer },
	};
	struct jvalue v;

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		v = jget(s->body, slice_str(fixed[i].name));
		if (v.kind == JSTRING && !jstring_is(v, fixed[i].is->len ? buf_view(fixed[i].is) : SLICE(""))) {
			api_error(s->job, 400, NULL, "%s: cannot be changed", fixed[i].name);
			return false;
		}
	}
	return true;
}

/* PUT gives it new values, PATCH only those that are named. */
void
scores_change(struct local_job *job, const struct local_request *request, void *arg)
{
	struct score_query q;
	struct score s;

	(void)arg;
	score_init(&s, job, request);
	if (find(&s) && read_body(&s) && check_body(&s) && check_same(&s)) {
		if (jget(s.body, SLICE("evaluator_slug")).kind == JSTRING)
			buf_clear(&s.slug);
		if (jget(s.body, SLICE("evaluator_name")).kind == JSTRING)
			buf_clear(&s.name);
		if (read_name(&s, "evaluator_slug", &s.slug) && read_name(&s, "evaluator_name", &s.name) &&
		    make_edit(&s, slice_eq(request->method, SLICE("PATCH"))) && write_edit(&s, buf_view(&s.edit))) {
			q = query_one(&s);
			answer_row(&s, &q, 200);
		}
	}
	score_free(&s);
}

void
scores_delete(struct local_job *job, const struct local_request *request, void *arg)
{
	struct score s;
	char id[33];

	(void)arg;
	score_init(&s, job, request);
	if (find(&s)) {
		hex_encode(s.id, 16, id);
		buf_byte(&s.edit, '{');
		writing_by(request, &s.edit);
		buf_printf(&s.edit, "\"score_delete\":\"%s\"}", id);
		if (write_edit(&s, buf_view(&s.edit)))
			local_head(job, 204, NULL, NULL);
	}
	score_free(&s);
}

static int
field_by_name(struct slice name)
{
	static const struct { const char *name; enum score_field field; } names[] = {
		{ "id", SCORE_ID }, { "log_id", SCORE_LOG }, { "evaluator_id", SCORE_EVALUATOR },
		{ "evaluator_slug", SCORE_SLUG }, { "evaluator_name", SCORE_NAME }, { "scorer", SCORE_SCORER },
		{ "environment", SCORE_ENVIRONMENT }, { "score_value_type", SCORE_KIND },
		{ "numerical_value", SCORE_VALUE }, { "boolean_value", SCORE_VALUE }, { "score_value", SCORE_VALUE },
		{ "string_value", SCORE_TEXT },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (slice_eq(slice_str(names[i].name), name))
			return (int)names[i].field;
	return -1;
}

/* One condition. True and false are numbers here. */
static bool
take_condition(struct ask *ask, const struct ask_condition *c, struct score_filter *f)
{
	int field = field_by_name(c->name);
	bool flag;

	if (field < 0)
		return ask_refuse(ask, "filters: scores cannot be filtered by '%.*s'", ASK_SHOWN(c->name));
	for (size_t i = 0; i < c->nvalues && field == SCORE_VALUE; i++)
		if (value_bool(c->values[i], &flag))
			c->values[i] = flag ? SLICE("1") : SLICE("0");
	*f = (struct score_filter){ .field = (enum score_field)field, .op = c->op, .values = c->values,
	    .nvalues = c->nvalues };
	return true;
}

/* The rows of one page; one more is read, which tells whether there is another. */
struct page {
	struct buf	 rows;
	uint64_t	 n, most;
};

static void
take_page(void *arg, const struct score_row *row)
{
	struct page *page = arg;

	if (page->n++ < page->most)
		put_row(&page->rows, row);
}

static void
answer_list(struct reading *r, const struct ask *ask, const struct score_query *q)
{
	struct page page = { .most = q->limit - 1 };
	int rc;

	buf_init(&page.rows, PAGE_SIZE_MAX * 8 * (uint64_t)SCORE_MOST);
	rc = store_sqlite.scores_list(r->store, q, take_page, &page);
	if (rc == STORE_E_ROW)
		api_error(r->job, 400, NULL, "filters: an operator or a value does not fit its field");
	else if (rc != STORE_OK)
		reading_failed(r, rc);
	else {
		buf_printf(&r->out, "{\"count\":%llu,", (unsigned long long)(page.n > page.most ? page.most : page.n));
		reading_link(r, "next", page.n > page.most, ask->page + 1);
		buf_byte(&r->out, ',');
		reading_link(r, "previous", ask->page > 1, ask->page - 1);
		buf_str(&r->out, ",\"current_filters\":{},\"results\":[");
		local_head(r->job, 200, API_JSON, NULL);
		(void)(api_flush(r->job, &r->out) && api_flush(r->job, &page.rows) && local_write(r->job, "]}", 2));
	}
	buf_free(&page.rows);
}

void
scores_list(struct local_job *job, const struct local_request *request, void *arg)
{
	struct ask *ask = xmalloc(sizeof(*ask));
	struct score_filter filters[ASK_CONDITIONS];
	struct score_query q = { .filters = filters };
	struct reading r;
	struct score s;
	bool good;

	(void)arg;
	score_init(&s, job, request);
	good = ask_read(ask, request->query, request->body, PAGE_SIZE, NULL);
	for (size_t i = 0; good && i < ask->nconditions; i++)
		good = take_condition(ask, &ask->conditions[i], &filters[q.nfilters++]);
	if (!good)
		api_error(job, 400, NULL, "%s", ask->error);
	else if (read_path(&s) && reading_open(&r, job, request)) {
		q.limit = (ask->page_size > PAGE_SIZE_MAX ? PAGE_SIZE_MAX : ask->page_size) + 1;
		q.offset = (ask->page - 1) * (q.limit - 1);
		q.have_from = ask->have_from;
		q.have_to = ask->have_to;
		q.from_us = ask->from_us;
		q.to_us = ask->to_us;
		q.log = s.have_log ? s.log : NULL;
		if (!s.have_log)
			q.environment = reading_environment(request, ask->environment, ask->all_envs);
		answer_list(&r, ask, &q);
		reading_close(&r);
	}
	score_free(&s);
	ask_free(ask);
	free(ask);
}
