/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace: one trace over HTTP, with the tree of its spans. Only ids and parents
 * are read for the tree; then each span in its order, so that memory does not
 * grow with what they hold. Depth costs no stack.
 */
#include "api/trace.h"

#include <stdlib.h>

#include "api/answer.h"
#include "api/ask.h"
#include "api/print.h"
#include "api/reading.h"
#include "api/traces.h"
#include "base/base.h"
#include "core/jscan.h"
#include "core/limits.h"
#include "span/tree.h"

#define BLOCK (64 * KIB)		/* of an answer, before it is handed over */
#define ROOM (4 * MIB)			/* memory of one large span that is not kept for the next */

struct traces_row *
trace_copy(const struct traces_row *from)
{
	enum { TEXTS = 7 };
	const struct slice texts[TEXTS] = { from->tenant, from->trace, from->environment, from->customer, from->workflow,
	    from->model, from->name };
	struct traces_row *row;
	size_t size = 0;
	char *to;

	for (int i = 0; i < TEXTS; i++)
		size += texts[i].len;
	row = xmalloc(sizeof(*row) + size + 1);
	*row = *from;
	to = (char *)(row + 1);
	for (int i = 0; i < TEXTS; i++) {
		struct slice *all[TEXTS] = { &row->tenant, &row->trace, &row->environment, &row->customer, &row->workflow,
		    &row->model, &row->name };

		if (!texts[i].ptr)
			continue;
		memcpy(to, texts[i].ptr, texts[i].len);
		all[i]->ptr = to;
		to += texts[i].len;
	}
	return row;
}

/* What its makers send as the session is one of these. */
static struct slice
session(const struct span *s)
{
	return s->trace_group_identifier.ptr ? s->trace_group_identifier : s->thread_identifier;
}

/* What is the root's. */
static void
put_root(struct buf *out, const struct span *root)
{
	static const struct span nothing;
	const struct span *s = root ? root : &nothing;

	print_text(out, "root_span_unique_id", s->span_unique_id.len > 0 ? s->span_unique_id : s->id);
	print_text(out, "organization_key_id", s->organization_key_id);
	print_string(out, "input", s->input);
	print_string(out, "output", s->output);
	print_text(out, "trace_group_identifier", s->trace_group_identifier);
	print_text(out, "session_identifier", session(s));
	print_text(out, "thread_identifier", s->thread_identifier);
	buf_str(out, "\"metadata\":");
	buf_slice(out, s->metadata.ptr ? s->metadata : SLICE("{}"));
	buf_str(out, ",");
}

void
trace_print(struct buf *out, const struct traces_row *row, const struct span *root)
{
	struct slice model = root && root->model.ptr ? root->model : row->model;

	print_text(out, "id", row->trace);
	print_text(out, "trace_unique_id", row->trace);
	print_text(out, "unique_organization_id", row->tenant);
	print_text(out, "organization_id", row->tenant);
	print_text(out, "organization_name", row->tenant);
	print_text(out, "environment", row->environment);
	print_text(out, "customer_identifier", row->customer);
	print_time(out, "start_time", row->started);
	print_time(out, "end_time", row->ended);
	print_time(out, "timestamp", row->ended);
	print_seconds(out, "duration", row->ended - row->started);
	print_int(out, "span_count", row->spans);
	print_int(out, "llm_call_count", row->llm_calls);
	print_int(out, "error_count", row->errors);
	print_cost(out, "total_cost", row->cost);
	print_int(out, "total_prompt_tokens", row->prompt);
	print_int(out, "total_completion_tokens", row->completion);
	print_int(out, "total_tokens", row->total);
	print_text(out, "name", row->name.ptr ? row->name : row->workflow);
	print_text(out, "workflow_name", row->workflow);
	print_text(out, "span_workflow_name", row->workflow);
	print_text(out, "model", model);
	print_text(out, "storage_object_key", SLICE(""));
	buf_printf(out, "\"is_public\":%s,", row->public ? "true" : "false");
	put_root(out, root);
}

/* The links of a span that has some. */
static struct slice
links_of(const struct span *s)
{
	struct jvalue extra;

	if (!s->extra.ptr || jscan_check(s->extra, &extra, NULL) != JSCAN_END)
		return SLICE_NONE;
	return jget(extra, SLICE("span_links")).text;
}

/* The members of a span in the tree but its children, each with a comma after it. */
static void
print_span(struct buf *out, const struct span *s)
{
	static const int fields[] = {
		SPAN_F_id, SPAN_F_unique_id, SPAN_F_span_name, SPAN_F_span_parent_id, SPAN_F_trace_unique_id,
		SPAN_F_customer_identifier, SPAN_F_thread_identifier, SPAN_F_organization_key_id, SPAN_F_environment,
		SPAN_F_log_type, SPAN_F_timestamp, SPAN_F_start_time, SPAN_F_prompt_tokens, SPAN_F_completion_tokens,
		SPAN_F_total_request_tokens, SPAN_F_cost, SPAN_F_model, SPAN_F_provider_id, SPAN_F_latency,
		SPAN_F_time_to_first_token, SPAN_F_status_code, SPAN_F_status, SPAN_F_span_workflow_name, SPAN_F_span_path,
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		buf_printf(out, "\"%s\":", span_fields[fields[i]].name);
		span_value_json(s, (enum span_field)fields[i], out);
		buf_str(out, ",");
	}
	print_text(out, "span_unique_id", s->span_unique_id.len > 0 ? s->span_unique_id : s->id);
	print_text(out, "session_identifier", session(s));
	print_text(out, "organization_id", s->tenant);
	print_text(out, "error_message", s->error_message.ptr ? s->error_message : SLICE(""));
	print_string(out, "input", s->input);
	print_string(out, "output", s->output);
	buf_str(out, "\"end_time\":");
	span_value_json(s, SPAN_F_timestamp, out);
	buf_str(out, ",\"metadata\":");
	buf_slice(out, s->metadata.ptr ? s->metadata : SLICE("{}"));
	buf_byte(out, ',');
	print_string(out, "span_links", links_of(s));
	print_text(out, "storage_object_key", SLICE(""));
}

/* A trace that is being printed. */
struct printing {
	struct reading	*r;
	struct traces_span *spans;	/* by start */
	size_t		 n;
	bool		 stranger;	/* it is for somebody without a key */
	struct buf	 texts;
	struct tree_node *nodes;
	struct tree	 tree;
	int64_t		*order;		/* numbers of spans as the tree is walked */
	uint32_t	*open;		/* depths of the spans whose children come now */
	size_t		 nopen;
};

static bool
printing_build(struct printing *p)
{
	size_t i = 0;

	p->nodes = xcalloc(p->n, sizeof(*p->nodes));
	p->order = xcalloc(p->n, sizeof(*p->order));
	p->open = xcalloc(p->n, sizeof(*p->open));
	for (i = 0; i < p->n; i++) {
		const struct traces_span *span = &p->spans[i];

		p->nodes[i] = (struct tree_node){ .id = span->id, .parent = span->parent, .path = span->path,
		    .name = span->name, .type = span->type, .start = span->start, .end = span->end };
	}
	if (!tree_build(&p->tree, p->nodes, (uint32_t)p->n))
		return false;
	i = 0;
	for (uint32_t at = p->tree.root; at != TREE_NONE; at = tree_next(&p->tree, at))
		p->order[i++] = p->spans[at].n;
	return true;
}

static void
printing_free(struct printing *p)
{
	free(p->spans);
	free(p->nodes);
	free(p->order);
	free(p->open);
	buf_free(&p->texts);
}

/* Ends the spans that are not above one of this depth. */
static void
close_down(struct printing *p, uint32_t depth)
{
	while (p->nopen > 0 && p->open[p->nopen - 1] >= depth) {
		buf_str(&p->r->out, "]}");
		p->nopen--;
	}
}

/* The span as it is shown: a stranger is not told whose key it came by. */
static const struct span *
shown(struct printing *p, const struct span *row, struct span *copy)
{
	const struct span *span = full_span(p->r->full, row);

	if (!p->stranger)
		return span;
	*copy = *span;
	copy->organization_key_id = SLICE_NONE;
	return copy;
}

/* One span with its children to follow. */
static bool
put_span(struct printing *p, const struct span *span, uint32_t depth)
{
	struct buf *out = &p->r->out;
	bool follows = p->nopen > 0 && p->open[p->nopen - 1] >= depth;
	struct span copy;

	close_down(p, depth);
	buf_str(out, follows ? ",{" : "{");
	print_span(out, shown(p, span, &copy));
	buf_str(out, "\"children\":[");
	p->open[p->nopen++] = depth;
	if (out->failed || (out->len >= BLOCK && !api_flush(p->r->job, out)))
		return false;
	if (out->cap > ROOM)
		buf_free(out);
	return true;
}

/* All spans; one that has gone meanwhile leaves its children to its parent. */
static void
put_tree(struct printing *p)
{
	const struct span *span;
	struct store_rows *rows = NULL;
	uint32_t at = p->tree.root;
	bool going = true;
	int rc;

	rc = store_sqlite.select_numbers(p->r->store, p->order, p->n, &rows);
	while (going && rc >= 0 && (rc = store_sqlite.next(rows, &span)) == STORE_ROW) {
		while (at != TREE_NONE && memcmp(p->spans[at].id16, span->id16, sizeof(span->id16)) != 0)
			at = tree_next(&p->tree, at);
		if (at == TREE_NONE)
			break;
		going = put_span(p, span, p->nodes[at].depth);
		at = tree_next(&p->tree, at);
	}
	store_sqlite.done(rows);
	close_down(p, 0);
}

static void
put_one(struct printing *p, const struct traces_row *row, const struct span *root)
{
	struct buf *out = &p->r->out;

	buf_str(out, "{");
	trace_print(out, row, root);
	if ((uint64_t)row->spans > p->n)
		print_int(out, "spans_left_out", row->spans - (int64_t)p->n);
	buf_str(out, "\"span_tree\":[");
	local_head(p->r->job, 200, API_JSON, NULL);
	put_tree(p);
	buf_str(out, "]}");
	(void)api_flush(p->r->job, out);
}

/* What its root says, and the tree. */
static void
answer_found(struct reading *r, const struct traces_row *row, bool stranger)
{
	struct printing p = { .r = r, .stranger = stranger };
	struct span copy;
	struct store_rows *rows = NULL;
	const struct span *root = NULL;
	int rc;

	buf_init(&p.texts, LIMIT_TRACE_SPANS * 5 * LIMIT_ROW_TEXT);
	rc = store_sqlite.traces_spans(r->store, row->tenant, row->trace, LIMIT_TRACE_SPANS, &p.spans, &p.n, &p.texts);
	if (rc == STORE_OK && !printing_build(&p))
		rc = STORE_BUSY;
	if (rc == STORE_OK)
		rc = store_sqlite.select_numbers(r->store, &row->root, 1, &rows);
	if (rc == STORE_OK)
		rc = store_sqlite.next(rows, &root);
	if (rc >= 0)
		put_one(&p, row, rc == STORE_ROW ? shown(&p, root, &copy) : NULL);
	else if (rc == STORE_NOT_FOUND)
		api_error(r->job, 404, NULL, "Trace not found");
	else
		reading_failed(r, rc);
	store_sqlite.done(rows);
	printing_free(&p);
}

/* Appends a segment of a path, its escapes undone. */
static void
put_segment(struct slice text, struct buf *out)
{
	char c;

	for (; text.len > 0; text = slice_from(text, 1)) {
		c = *text.ptr;
		if (c == '%' && text.len > 2 && hex_decode(slice_make(text.ptr + 1, 2), &c, 1) == 0)
			text = slice_from(text, 2);
		buf_byte(out, c);
	}
}

void
trace_path_id(struct slice path, struct buf *id)
{
	put_segment(slice_from(path, sizeof("/traces/") - 1), id);
}

/* The window serves others to find a trace faster; here its id is enough. */
static void
answer_one(struct reading *r, struct slice tenant, struct slice environment, struct slice id, bool stranger)
{
	struct traces_filter filters[] = {
		{ .field = TRACES_ID, .values = &id, .nvalues = 1 },
		{ .field = TRACES_ENVIRONMENT, .values = &environment, .nvalues = 1 },
	};
	struct traces_query q = { .tenant = tenant, .filters = filters, .nfilters = environment.len > 0 ? 2 : 1,
	    .sort = TRACES_ENDED, .limit = 1 };
	struct traces_row *copy = NULL;
	const struct traces_row *row;
	struct traces *traces = NULL;
	int rc;

	rc = store_sqlite.traces(r->store, &q, &traces);
	if (rc == STORE_OK)
		rc = store_sqlite.traces_next(traces, &row);
	if (rc == STORE_ROW)
		copy = trace_copy(row);
	store_sqlite.traces_done(traces);	/* who takes the answer slowly holds no snapshot */
	if (copy)
		answer_found(r, copy, stranger);
	else if (rc == STORE_OK)
		api_error(r->job, 404, NULL, "Trace not found");
	else
		reading_failed(r, rc);
	free(copy);
}

void
traces_get(struct local_job *job, const struct local_request *request, void *arg)
{
	static const char *const known[] = { "timestamp", NULL };
	struct ask *ask = xmalloc(sizeof(*ask));
	struct reading r;
	struct buf id;

	(void)arg;
	buf_init(&id, LIMIT_HEAD);
	trace_path_id(request->path, &id);
	if (!ask_read(ask, request->query, request->body, 1, known))
		api_error(job, 400, NULL, "%s", ask->error);
	else if (reading_open(&r, job, request)) {
		answer_one(&r, reading_tenant(request), ask->environment, buf_view(&id), false);
		reading_close(&r);
	}
	buf_free(&id);
	ask_free(ask);
	free(ask);
}

/* Somebody without a key sees what whoever made the trace public could see of it. */
static void
answer_stranger(struct reading *r, struct slice tenant, struct slice id)
{
	struct buf environment;
	int rc;

	buf_init(&environment, LIMIT_RECORD);
	rc = store_sqlite.trace_public(r->store, tenant, id, &environment);
	if (rc == STORE_OK)
		rc = store_sqlite.scope(r->store, tenant, environment.len > 0 ? buf_view(&environment) : SLICE_NONE);
	if (rc == STORE_OK)
		answer_one(r, tenant, SLICE_NONE, id, true);
	else if (rc == STORE_NOT_FOUND)
		api_error(r->job, 404, NULL, "Trace not found");
	else
		reading_failed(r, rc);
	buf_free(&environment);
}

/* /ORGANIZATION/traces/ID, of anybody. */
void
traces_public(struct local_job *job, const struct local_request *request, void *arg)
{
	struct local_request stranger = *request;
	struct slice path = slice_from(request->path, 1);
	size_t end = (size_t)((const char *)memchr(path.ptr, '/', path.len) - path.ptr);
	struct reading r;
	struct buf tenant, id;

	(void)arg;
	stranger.key = NULL;
	buf_init(&tenant, LIMIT_HEAD);
	buf_init(&id, LIMIT_HEAD);
	put_segment(slice_make(path.ptr, end), &tenant);
	trace_path_id(slice_from(path, end), &id);
	if (reading_open(&r, job, &stranger)) {
		answer_stranger(&r, buf_view(&tenant), buf_view(&id));
		reading_close(&r);
	}
	buf_free(&tenant);
	buf_free(&id);
}
