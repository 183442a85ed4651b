/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bpe.c: byte-pair merging. Words merge by looking for the best pair again and
 * again. Long pieces keep each pair in a list of its rank and find the lowest
 * rank by a tree of bits, so that time grows with their length alone. Called
 * by tokens.c.
 */
#include "span/bpe.h"

#include <stdlib.h>

#define SHORT 96		/* bytes up to which looking again is faster */
#define MEMO 4096		/* pairs whose rank is remembered */
#define NOBODY UINT32_MAX

/* ---- short pieces ---- */

static uint32_t
short_rank(const struct ranks *r, const char *p, const uint8_t *start, size_t i, size_t n)
{
	return i + 2 <= n ? ranks_find(r, p + start[i], (size_t)(start[i + 2] - start[i])) : RANK_NONE;
}

static int64_t
short_count(const struct ranks *r, struct slice piece)
{
	uint8_t start[SHORT + 1];	/* of each part; [n]: end */
	uint32_t rank[SHORT];		/* of the pair that begins there */
	size_t n = piece.len, i, best;

	for (i = 0; i <= n; i++)
		start[i] = (uint8_t)i;
	for (i = 0; i < n; i++)
		rank[i] = short_rank(r, piece.ptr, start, i, n);
	while (n > 1) {
		for (best = 0, i = 1; i + 1 < n; i++)
			if (rank[i] < rank[best])
				best = i;
		if (rank[best] == RANK_NONE)
			break;
		memmove(&start[best + 1], &start[best + 2], n - best - 1);
		memmove(&rank[best + 1], &rank[best + 2], (n - best - 2) * sizeof(*rank));
		n--;
		rank[best] = short_rank(r, piece.ptr, start, best, n);
		if (best > 0)
			rank[best - 1] = short_rank(r, piece.ptr, start, best - 1, n);
	}
	return (int64_t)n;
}

/* ---- long pieces ---- */

/* The lowest member of a set of ranks: three levels of bits. */
struct rank_set {
	uint64_t	low[4096], mid[64], high;	/* 2^18 ranks */
};

static void
set_add(struct rank_set *s, uint32_t rank)
{
	s->low[rank >> 6] |= UINT64_C(1) << (rank & 63);
	s->mid[rank >> 12] |= UINT64_C(1) << (rank >> 6 & 63);
	s->high |= UINT64_C(1) << (rank >> 12);
}

static void
set_remove(struct rank_set *s, uint32_t rank)
{
	s->low[rank >> 6] &= ~(UINT64_C(1) << (rank & 63));
	if (s->low[rank >> 6] != 0)
		return;
	s->mid[rank >> 12] &= ~(UINT64_C(1) << (rank >> 6 & 63));
	if (s->mid[rank >> 12] == 0)
		s->high &= ~(UINT64_C(1) << (rank >> 12));
}

static uint32_t
set_lowest(const struct rank_set *s)
{
	uint32_t a, b;

	if (s->high == 0)
		return RANK_NONE;
	a = (uint32_t)__builtin_ctzll(s->high);
	b = a << 6 | (uint32_t)__builtin_ctzll(s->mid[a]);
	return b << 6 | (uint32_t)__builtin_ctzll(s->low[b]);
}

/* One part of the piece, at the place of its first byte. */
struct part {
	uint32_t	token;		/* its own rank, RANK_NONE where a byte is no token */
	uint32_t	prev, next;	/* parts beside it */
	uint32_t	pair;		/* rank of it and the next one together */
	uint32_t	before, after;	/* pairs of that rank */
};

struct bpe_long {
	const struct ranks *ranks;
	const char	*text;
	uint32_t	 n;			/* bytes, and so the place of the end */
	struct part	*parts;
	size_t		 cap;
	uint32_t	*first, *last;		/* pairs of each rank */
	bool		*sorted;		/* they stand from left to right */
	uint32_t	*order;			/* scratch for sorting */
	size_t		 order_cap;
	struct rank_set	 set;
	uint32_t	 bytes[256];		/* rank of each byte alone */
	struct { uint64_t pair; uint32_t rank; } memo[MEMO];
};

static void
pair_unlink(struct bpe_long *b, uint32_t i)
{
	struct part *p = &b->parts[i];

	if (p->pair == RANK_NONE)
		return;
	if (p->before != NOBODY)
		b->parts[p->before].after = p->after;
	else
		b->first[p->pair] = p->after;
	if (p->after != NOBODY)
		b->parts[p->after].before = p->before;
	else
		b->last[p->pair] = p->before;
	if (b->first[p->pair] == NOBODY)
		set_remove(&b->set, p->pair);
	p->pair = RANK_NONE;
}

static void
pair_link(struct bpe_long *b, uint32_t i, uint32_t rank)
{
	struct part *p = &b->parts[i];

	p->pair = rank;
	if (rank == RANK_NONE)
		return;
	p->before = b->last[rank];
	p->after = NOBODY;
	if (p->before != NOBODY) {
		b->parts[p->before].after = i;
		b->sorted[rank] = b->sorted[rank] && p->before < i;
	} else {
		b->first[rank] = i;
		b->sorted[rank] = true;
		set_add(&b->set, rank);
	}
	b->last[rank] = i;
}

/* The rank of the part and the next one together. */
static uint32_t
pair_rank(struct bpe_long *b, uint32_t i)
{
	const struct part *p = &b->parts[i], *q;
	uint64_t key;
	uint32_t end;
	size_t slot;

	if (p->next == b->n)
		return RANK_NONE;
	q = &b->parts[p->next];
	end = q->next;
	if (p->token == RANK_NONE || q->token == RANK_NONE)
		return ranks_find(b->ranks, b->text + i, end - i);
	key = ((uint64_t)p->token << 32 | q->token) + 1;
	slot = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 52);
	if (b->memo[slot].pair != key) {
		b->memo[slot].pair = key;
		b->memo[slot].rank = ranks_find(b->ranks, b->text + i, end - i);
	}
	return b->memo[slot].rank;
}

static void
pair_renew(struct bpe_long *b, uint32_t i)
{
	pair_unlink(b, i);
	pair_link(b, i, pair_rank(b, i));
}

/* The part takes the next one in. */
static void
pair_merge(struct bpe_long *b, uint32_t i)
{
	struct part *p = &b->parts[i];
	uint32_t gone = p->next, token = p->pair;

	pair_unlink(b, i);
	pair_unlink(b, gone);
	p->token = token;
	p->next = b->parts[gone].next;
	if (p->next != b->n)
		b->parts[p->next].prev = i;
	pair_link(b, i, pair_rank(b, i));
	if (p->prev != NOBODY)
		pair_renew(b, p->prev);
}

static int
place_order(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return (a > b) - (a < b);
}

/* Puts the pairs of a rank in order from left to right. False: no memory. */
static bool
rank_sort(struct bpe_long *b, uint32_t rank)
{
	size_t n = 0, k, cap;
	uint32_t i, *order;

	for (i = b->first[rank]; i != NOBODY; i = b->parts[i].after) {
		if (n == b->order_cap) {
			cap = b->order_cap ? b->order_cap * 2 : 1024;
			order = realloc(b->order, cap * sizeof(*order));
			if (order == NULL)
				return false;
			b->order = order;
			b->order_cap = cap;
		}
		b->order[n++] = i;
	}
	qsort(b->order, n, sizeof(*b->order), place_order);
	b->first[rank] = b->last[rank] = NOBODY;
	for (k = 0; k < n; k++)
		pair_link(b, b->order[k], rank);
	return true;
}

static bool
long_room(struct bpe_long *b, const struct ranks *r, size_t n)
{
	struct part *parts;
	size_t i;

	if (n > b->cap) {
		parts = realloc(b->parts, n * sizeof(*parts));
		if (parts == NULL)
			return false;
		b->parts = parts;
		b->cap = n;
	}
	if (b->first == NULL) {
		b->first = malloc((size_t)r->count * sizeof(*b->first));
		b->last = malloc((size_t)r->count * sizeof(*b->last));
		b->sorted = malloc((size_t)r->count * sizeof(*b->sorted));
		if (b->first == NULL || b->last == NULL || b->sorted == NULL)
			return false;
		for (i = 0; i < r->count; i++)
			b->first[i] = b->last[i] = NOBODY;
	}
	return true;
}

static void
long_begin(struct bpe_long *b, struct slice piece)
{
	uint32_t i;

	b->text = piece.ptr;
	b->n = (uint32_t)piece.len;
	for (i = 0; i < b->n; i++)
		b->parts[i] = (struct part){
			.token = b->bytes[(unsigned char)piece.ptr[i]], .pair = RANK_NONE,
			.prev = i ? i - 1 : NOBODY, .next = i + 1,
		};
	for (i = 0; i < b->n; i++)
		pair_link(b, i, pair_rank(b, i));
}

static void
long_free(struct bpe_long *b)
{
	if (b == NULL)
		return;
	free(b->parts);
	free(b->first);
	free(b->last);
	free(b->sorted);
	free(b->order);
	free(b);
}

void
bpe_free(struct bpe *bpe)
{
	long_free(bpe->longs);
	bpe->longs = NULL;
}

/* Lists and bits are empty again when no pair is left. */
static int64_t
long_count(struct bpe_long *b, struct slice piece)
{
	int64_t count = (int64_t)piece.len;
	uint32_t rank;

	long_begin(b, piece);
	while ((rank = set_lowest(&b->set)) != RANK_NONE) {
		if (!b->sorted[rank] && !rank_sort(b, rank))
			return -1;
		pair_merge(b, b->first[rank]);
		count--;
	}
	return count;
}

static struct bpe_long *
long_for(struct bpe *bpe, const struct ranks *r, size_t n)
{
	struct bpe_long *b = bpe->longs;
	unsigned i;

	if (b != NULL && b->ranks != r) {
		bpe_free(bpe);
		b = NULL;
	}
	if (b == NULL) {
		bpe->longs = b = calloc(1, sizeof(*b));
		if (b == NULL)
			return NULL;
		b->ranks = r;
		for (i = 0; i < 256; i++)
			b->bytes[i] = ranks_find(r, &(char){ (char)i }, 1);
	}
	return r->count <= sizeof(b->set.low) * 8 && long_room(b, r, n) ? b : NULL;
}

int64_t
bpe_count(struct bpe *bpe, const struct ranks *r, struct slice piece)
{
	struct slice one, last = SLICE_NONE;
	struct bpe_long *b;
	int64_t sum = 0, n = 0;

	if (ranks_find(r, piece.ptr, piece.len) != RANK_NONE)
		return 1;
	if (piece.len <= SHORT)
		return short_count(r, piece);
	while (piece.len > 0) {
		one = slice_make(piece.ptr, piece.len < BPE_PIECE ? piece.len : BPE_PIECE);
		piece = slice_from(piece, one.len);
		/* what is very long is often one thing again and again */
		if (!slice_eq(one, last)) {
			b = long_for(bpe, r, one.len);
			n = b ? long_count(b, one) : -1;
		}
		if (n < 0) {
			bpe_free(bpe);
			return -1;
		}
		sum += n;
		last = one;
	}
	return sum;
}
