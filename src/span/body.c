/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body.c: joins the pieces of a body and undoes its content coding. Called
 * once for the request and once for the answer. Where bytes were left out in
 * the middle, what stands before and after the gap is kept apart.
 */
#include "core/head.h"
#include "span/inflate.h"
#include "span/inner.h"
#include "span/json.h"

/* Marks the gaps and says how many parts of that attempt there are; *only: the
 * last of them. */
static size_t
parts_survey(struct build *b, struct parts *parts, uint64_t attempt, struct body *body,
    struct part **only)
{
	uint64_t at = 0;
	size_t i, n = 0;

	for (i = 0; i < parts->n; i++) {
		struct part *p = &parts->list[i];

		if (p->attempt != attempt)
			continue;
		if (p->offset < at) {
			warn_add(&b->warnings, WARN_RECORDS_ODD, SLICE_NONE);
			p->attempt = ~attempt;
			continue;
		}
		p->gap = p->offset > at;
		body->cut |= p->gap;
		at = p->offset + p->bytes.len;
		if (p->t != TIME_NONE)
			body->t_last = p->t;
		body->held += p->held;
		*only = p;
		n++;
	}
	if (body->length < at)
		body->length = at;
	body->cut |= at < body->length;
	return n;
}

static void
coding_warn(struct build *b, int r, bool answer)
{
	enum warning code = WARN_CODING_BROKEN;

	if (r == INFLATE_E_LIMIT)
		code = WARN_EXPANDED_LIMIT;
	else if (r == INFLATE_E_MEMORY)
		code = WARN_BUILD_MEMORY;
	else if (r == INFLATE_E_CODING)
		code = answer ? WARN_CODING_UNKNOWN : WARN_REQUEST_CODING;
	warn_add(&b->warnings, code, SLICE_NONE);
}

/* Joins behind each other; tells where the first and last gap are. A gap in a
 * compressed body ends it. */
static int
parts_join(struct parts *parts, uint64_t attempt, struct inflate *f, struct buf *out,
    size_t *first_gap, size_t *last_gap)
{
	int r = INFLATE_OK;
	size_t i;

	for (i = 0; i < parts->n; i++) {
		struct part *p = &parts->list[i];

		if (p->attempt != attempt) {
			p->end = out->len;
			continue;
		}
		if (p->gap) {
			*last_gap = out->len;
			if (*first_gap == SIZE_MAX)
				*first_gap = out->len;
		}
		if (r == INFLATE_OK && !(p->gap && f->n > 0))
			r = inflate_feed(f, p->bytes, out);
		else if (r == INFLATE_OK)
			r = INFLATE_E_DATA;
		p->end = out->len;
	}
	return r;
}

static void
body_gap_note(struct build *b, const struct body *body, size_t kept, bool answer)
{
	struct buf text;

	buf_init(&text, 256);
	buf_printf(&text, "%zu of %llu bytes were kept", kept, (unsigned long long)body->length);
	warn_add(&b->warnings, answer ? WARN_BODY_TRUNCATED : WARN_REQUEST_TRUNCATED,
	    arena_take(&b->arena, &text));
}

static size_t
parts_kept(const struct parts *parts, uint64_t attempt)
{
	size_t i, kept = 0;

	for (i = 0; i < parts->n; i++)
		if (parts->list[i].attempt == attempt)
			kept += parts->list[i].bytes.len;
	return kept;
}

/* Joins into one text of the arena and splits it at the gaps. */
static void
body_fill(struct build *b, struct parts *parts, uint64_t attempt, struct inflate *f,
    struct body *body, bool answer)
{
	size_t first = SIZE_MAX, last = SIZE_MAX;
	struct slice all;
	struct buf out;
	int r;

	buf_init(&out, LIMIT_EXPANDED);
	r = parts_join(parts, attempt, f, &out, &first, &last);
	if (r == INFLATE_OK && !body->cut && f->n > 0 && !inflate_complete(f))
		r = INFLATE_E_DATA;
	if (r != INFLATE_OK) {
		coding_warn(b, r, answer);
		body->cut = true;
	}
	out.failed = false;
	all = arena_take(&b->arena, &out);
	body->text = all;
	if (all.ptr != NULL && first != SIZE_MAX && first <= all.len) {
		body->text.len = first;
		body->tail = slice_from(all, last);
	}
}

/* As body_survey. */
static size_t
body_parts(struct build *b, struct parts *parts, uint64_t attempt, struct body *body,
    bool answer, struct part **only)
{
	size_t n;

	body->json.kind = JNONE;
	body->t_last = TIME_NONE;
	n = parts_survey(b, parts, attempt, body, only);
	if (body->cut)
		body_gap_note(b, body, parts_kept(parts, attempt), answer);
	return n;
}

void
body_survey(struct build *b, struct parts *parts, uint64_t attempt, struct body *body, bool answer)
{
	struct part *only;

	(void)body_parts(b, parts, attempt, body, answer, &only);
}

void
body_join(struct build *b, struct parts *parts, uint64_t attempt, struct slice codings,
    struct body *body, bool answer)
{
	struct part *only = NULL;
	struct inflate f;
	size_t n;
	int r;

	n = body_parts(b, parts, attempt, body, answer, &only);
	if (n == 0)
		return;
	r = inflate_init(&f, codings);
	if (r != INFLATE_OK) {
		coding_warn(b, r, answer);
		body->opaque = true;
	} else if (n == 1 && f.n == 0 && !only->gap) {
		body->text = only->bytes;
		for (; only < parts->list + parts->n; only++)
			only->end = body->text.len;
	} else
		body_fill(b, parts, attempt, &f, body, answer);
	inflate_free(&f);
	if (!body->cut && !body->opaque)
		body->json = build_json(b, body->text);
}
