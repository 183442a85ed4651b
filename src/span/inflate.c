/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inflate.c: the stack of content codings, each stage's bytes going to the
 * next. Called by the builder for bodies that a provider or client compressed;
 * the bytes on their way are never recoded. Knows no library: each has a file
 * of its own behind inflate_coding.h.
 */
#include "span/inflate.h"

#include <stdlib.h>

#include "core/limits.h"
#include "span/inflate_coding.h"

#define WINDOW (16 * KIB)	/* output taken at a time */
#define PIECE (1 * KIB)		/* input given at a time: where it is damaged, br and zstd
				 * may drop what the piece gave until then */

enum stage_state { STAGE_MEMBER, STAGE_BETWEEN, STAGE_REST };

struct inflate_stage {
	const struct coding *coding;
	void		*state;		/* of the coding */
	enum stage_state at;		/* REST: what still comes is padding */
	bool		 ended;		/* a member came to its end */
	char		 window[WINDOW];
};

/* Splits the last coding off the list: what was done last is undone first. */
static struct slice
coding_last(struct slice *codings)
{
	struct slice all = *codings, one;
	size_t i = all.len;

	while (i > 0 && all.ptr[i - 1] != ',')
		i--;
	one = slice_trim(slice_from(all, i));
	codings->len = i ? i - 1 : 0;
	return one;
}

static const struct coding *
coding_find(struct slice name)
{
	static const struct {
		struct slice name;
		const struct coding *coding;
	} known[] = {
		{ SLICE("gzip"), &coding_gzip }, { SLICE("x-gzip"), &coding_gzip },
		{ SLICE("deflate"), &coding_deflate }, { SLICE("br"), &coding_br },
		{ SLICE("zstd"), &coding_zstd },
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (slice_caseeq(name, known[i].name))
			return known[i].coding;
	return NULL;
}

static int
stage_add(struct inflate *f, const struct coding *coding)
{
	struct inflate_stage *s;

	if (coding == NULL || f->n == INFLATE_STAGES)
		return INFLATE_E_CODING;
	s = malloc(sizeof(*s));
	if (s == NULL)
		return INFLATE_E_MEMORY;
	memset(s, 0, offsetof(struct inflate_stage, window));
	s->coding = coding;
	s->state = coding->make();
	f->stages[f->n++] = s;
	return s->state != NULL ? INFLATE_OK : INFLATE_E_MEMORY;
}

int
inflate_init(struct inflate *f, struct slice codings)
{
	struct slice one;
	int r = INFLATE_OK;

	*f = (struct inflate){ .n = 0 };
	while (codings.len > 0 && r == INFLATE_OK) {
		one = coding_last(&codings);
		if (one.len > 0 && !slice_caseeq(one, SLICE("identity")))
			r = stage_add(f, coding_find(one));
	}
	return r;
}

void
inflate_free(struct inflate *f)
{
	while (f->n > 0) {
		struct inflate_stage *s = f->stages[--f->n];

		if (s->state != NULL)
			s->coding->free(s->state);
		free(s);
	}
}

static int stage_feed(struct inflate *, size_t, struct slice, struct buf *);

/* What a stage put out goes to the next one, after the last to the buf. */
static int
stage_out(struct inflate *f, size_t i, struct slice bytes, struct buf *out)
{
	if (bytes.len == 0)
		return INFLATE_OK;
	if (i + 1 < f->n)
		return stage_feed(f, i + 1, bytes, out);
	if (bytes.len > out->limit - out->len) {
		buf_append(out, bytes.ptr, out->limit - out->len);
		return INFLATE_E_LIMIT;
	}
	return buf_slice(out, bytes) ? INFLATE_OK : INFLATE_E_MEMORY;
}

/* Something follows a whole member: another one, unless it starts with a zero,
 * as padding does. */
static int
stage_again(struct inflate_stage *s, char first)
{
	s->at = STAGE_REST;
	if (s->coding->again == NULL || first == '\0')
		return INFLATE_OK;
	if (!s->coding->again(s->state))
		return INFLATE_E_MEMORY;
	s->at = STAGE_MEMBER;
	return INFLATE_OK;
}

static int
stage_result(struct inflate_stage *s, enum coding_result result)
{
	switch (result) {
	case CODING_MORE:
		return INFLATE_OK;
	case CODING_END:
		s->at = STAGE_BETWEEN;
		s->ended = true;
		return INFLATE_OK;
	case CODING_NONE:
		s->at = STAGE_REST;
		return s->ended ? INFLATE_OK : INFLATE_E_DATA;
	case CODING_BAD:
		return INFLATE_E_DATA;
	default:
		return INFLATE_E_MEMORY;
	}
}

/* Runs the coding until the bytes are used up and all that they give is out. */
static int
stage_feed(struct inflate *f, size_t i, struct slice in, struct buf *out)
{
	struct inflate_stage *s = f->stages[i];
	enum coding_result result;
	struct slice piece;
	bool full = false;
	size_t made, n;
	int r = INFLATE_OK;

	while (r == INFLATE_OK && s->at != STAGE_REST && (in.len > 0 || full)) {
		if (s->at == STAGE_BETWEEN) {
			r = stage_again(s, *in.ptr);
			continue;
		}
		n = in.len < PIECE ? in.len : PIECE;
		piece = slice_make(in.ptr, n);
		result = s->coding->step(s->state, &piece, s->window, sizeof(s->window), &made);
		in = slice_from(in, n - piece.len);
		full = result == CODING_MORE && made == sizeof(s->window);
		r = stage_out(f, i, slice_make(s->window, made), out);
		if (r == INFLATE_OK)
			r = stage_result(s, result);
	}
	return r;
}

int
inflate_feed(struct inflate *f, struct slice in, struct buf *out)
{
	if (in.len == 0)
		return INFLATE_OK;
	if (f->n == 0)
		return buf_slice(out, in) ? INFLATE_OK : INFLATE_E_LIMIT;
	return stage_feed(f, 0, in, out);
}

bool
inflate_complete(const struct inflate *f)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (!f->stages[i]->ended || f->stages[i]->at == STAGE_MEMBER)
			return false;
	return true;
}
