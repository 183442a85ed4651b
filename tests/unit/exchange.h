/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange: an exchange described in lines, for the tests of the span builder.
 *
 *	begin
 *		WALL 1763665501000000
 *		HEADERS content-type: application/json
 *		BYTES {"model":"m"}
 *
 * A record's type stands alone; its fields are indented by a tab, named as in
 * core/record.tbl.h. \n \r \t \\ \xHH are understood in values; of several
 * HEADERS lines each is one header line, of several BYTES lines the bytes are
 * joined. OFFSET, BODY_LENGTH and ANSWER_LENGTH are made where they are not
 * given. '#' starts a comment line.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "core/record.h"
#include "span/build.h"

#define EX_RECORDS 512
#define EX_ROOM (64u * MIB)

struct ex_record {
	enum record_type type;
	struct buf	payload;	/* all fields but BYTES */
	struct buf	headers, bytes;
	bool		has_headers, has_bytes, placed;	/* placed: its own OFFSET */
};

struct exchange {
	struct ex_record list[EX_RECORDS];
	size_t		 n;
	bool		 plain;		/* gaps or lengths were given: not to be cut anew */
};

enum ex_cut { EX_AS_IS, EX_BYTES, EX_RANDOM, EX_GZIP, EX_GZIP_BYTES, EX_CUTS };

/* What was fed: the records, whose payloads the build borrows. */
struct ex_fed {
	struct record	 *list;
	size_t		  n, cap;
	uint64_t	  offset[2];
	struct build	 *build;
};

static const struct { const char *name; unsigned tag; bool text; } ex_tags[] = {
#define u64 false
#define text true
#define json true
#define bytes true
#define TAG(symbol, value, type, records, sentence) { #symbol, value, type },
#include "core/record.tbl.h"
#undef TAG
#undef bytes
#undef json
#undef text
#undef u64
};

static inline void
ex_unescape(const char *s, size_t len, struct buf *out)
{
	unsigned byte;
	size_t i;

	for (i = 0; i < len; i++) {
		if (s[i] != '\\' || i + 1 == len) {
			buf_byte(out, s[i]);
			continue;
		}
		switch (s[++i]) {
		case 'n': buf_byte(out, '\n'); break;
		case 'r': buf_byte(out, '\r'); break;
		case 't': buf_byte(out, '\t'); break;
		case 'x':
			assert(i + 2 < len && sscanf(s + i + 1, "%2x", &byte) == 1);
			buf_byte(out, (char)byte);
			i += 2;
			break;
		case '\\': buf_byte(out, '\\'); break;
		default: buf_byte(out, '\\'); buf_byte(out, s[i]);
		}
	}
}

static inline void
ex_field(struct exchange *x, const char *name, size_t n, const char *value, size_t len)
{
	struct ex_record *r = &x->list[x->n - 1];
	struct buf v;
	size_t i;

	for (i = 0; i < sizeof(ex_tags) / sizeof(*ex_tags); i++)
		if (strlen(ex_tags[i].name) == n && memcmp(ex_tags[i].name, name, n) == 0)
			break;
	assert(i < sizeof(ex_tags) / sizeof(*ex_tags));
	buf_init(&v, EX_ROOM);
	ex_unescape(value, len, &v);
	if (ex_tags[i].tag == TAG_BYTES) {
		r->has_bytes = true;
		buf_slice(&r->bytes, buf_view(&v));
	} else if (ex_tags[i].tag == TAG_HEADERS) {
		r->has_headers = true;
		buf_slice(&r->headers, buf_view(&v));
		buf_str(&r->headers, "\r\n");
	} else if (ex_tags[i].text)
		record_put(&r->payload, (enum record_tag)ex_tags[i].tag, buf_view(&v));
	else
		record_put_u64(&r->payload, (enum record_tag)ex_tags[i].tag,
		    strtoull(v.len ? value : "0", NULL, 10));
	if (ex_tags[i].tag == TAG_OFFSET || ex_tags[i].tag == TAG_ANSWER_LENGTH ||
	    ex_tags[i].tag == TAG_BODY_LENGTH)
		x->plain = r->placed = true;
	buf_free(&v);
}

static inline void
ex_record(struct exchange *x, const char *name, size_t n)
{
	static const char *const names[] = { "begin", "send", "head", "part", "end" };
	size_t i;

	for (i = 0; i < 5; i++)
		if (strlen(names[i]) == n && memcmp(names[i], name, n) == 0)
			break;
	assert(i < 5 && x->n < EX_RECORDS);
	x->list[x->n] = (struct ex_record){ .type = (enum record_type)(RECORD_BEGIN + i) };
	buf_init(&x->list[x->n].payload, EX_ROOM);
	buf_init(&x->list[x->n].headers, EX_ROOM);
	buf_init(&x->list[x->n].bytes, EX_ROOM);
	x->n++;
}

/* Reads a description. To be freed by ex_free. */
static inline struct exchange *
ex_parse(const char *s)
{
	struct exchange *x = calloc(1, sizeof(*x));
	const char *lf, *gap;
	size_t n;

	assert(x != NULL);
	for (; *s != '\0'; s = *lf ? lf + 1 : lf) {
		for (lf = s; *lf != '\0' && *lf != '\n'; lf++)
			;
		n = (size_t)(lf - s);
		if (n == 0 || *s == '#')
			continue;
		if (*s != '\t') {
			ex_record(x, s, n);
			continue;
		}
		gap = memchr(s, ' ', n);
		gap = gap ? gap : lf;
		ex_field(x, s + 1, (size_t)(gap - s) - 1, gap + (gap < lf),
		    (size_t)(lf - gap) - (gap < lf));
	}
	return x;
}

static inline void
ex_free(struct exchange *x)
{
	while (x->n > 0) {
		x->n--;
		buf_free(&x->list[x->n].payload);
		buf_free(&x->list[x->n].headers);
		buf_free(&x->list[x->n].bytes);
	}
	free(x);
}

/* Hands one record to the build; the payload's memory goes to *fed. */
static inline void
ex_give(struct ex_fed *fed, enum record_type type, struct buf *payload)
{
	struct record r = { .type = type };
	size_t i, len;
	char *p = buf_take(payload, &len);

	if (p == NULL)
		p = calloc(1, 1);
	assert(p != NULL);
	for (i = 0; i < 16; i++)
		r.id[i] = (uint8_t)(i * 17);
	if (fed->n == fed->cap) {
		fed->cap = fed->cap ? fed->cap * 2 : 64;
		fed->list = realloc(fed->list, fed->cap * sizeof(*fed->list));
		assert(fed->list != NULL);
	}
	r.payload = slice_make(p, len);
	fed->list[fed->n++] = r;
	build_feed(fed->build, &r);
}

static inline void
ex_give_part(struct ex_fed *fed, const struct ex_record *r, struct slice piece, bool first)
{
	bool request = record_get_u64(buf_view(&r->payload), TAG_DIRECTION, 1) == 0;
	uint64_t *offset = &fed->offset[request ? 0 : 1];
	struct slice fields = buf_view(&r->payload);
	struct record_field f;
	struct buf payload;

	buf_init(&payload, EX_ROOM);
	while (record_next(&fields, &f))
		if (f.tag != TAG_HELD || first)
			record_put(&payload, (enum record_tag)f.tag, f.bytes);
	if (!r->placed)
		record_put_u64(&payload, TAG_OFFSET, *offset);
	record_put(&payload, TAG_BYTES, piece);
	*offset += piece.len;
	ex_give(fed, r->type, &payload);
}

/* The part's bytes as gzip, flushed so that they can be read at once. */
static inline void
ex_gzip(z_stream *z, struct slice in, bool last, struct buf *out)
{
	z->next_in = (Bytef *)(uintptr_t)in.ptr;
	z->avail_in = (uInt)in.len;
	do {
		z->next_out = (Bytef *)buf_reserve(out, 4096);
		z->avail_out = 4096;
		deflate(z, last ? Z_FINISH : Z_SYNC_FLUSH);
		out->len += 4096 - z->avail_out;
	} while (z->avail_out == 0);
}

/* Cuts one part as asked and gives the pieces. */
static inline void
ex_cut_part(struct ex_fed *fed, const struct ex_record *r, struct slice all, enum ex_cut cut,
    unsigned *seed)
{
	bool first = true;
	size_t n;

	do {
		n = all.len;
		if (cut == EX_BYTES || cut == EX_GZIP_BYTES)
			n = 1;
		else if (cut == EX_RANDOM) {
			*seed = *seed * 1103515245u + 12345u;
			n = 1 + (*seed >> 16) % 40;
		}
		n = n < all.len ? n : all.len;
		ex_give_part(fed, r, slice_make(all.ptr, n), first);
		all = slice_from(all, n);
		first = false;
	} while (all.len > 0);
}

static inline size_t
ex_last_part(const struct exchange *x)
{
	size_t i = x->n;

	while (i > 0 && x->list[i - 1].type != RECORD_PART)
		i--;
	return i ? i - 1 : SIZE_MAX;
}

static inline void
ex_feed_record(struct ex_fed *fed, const struct exchange *x, size_t i, enum ex_cut cut,
    z_stream *z, unsigned *seed)
{
	bool gzip = cut == EX_GZIP || cut == EX_GZIP_BYTES;
	const struct ex_record *r = &x->list[i];
	struct buf payload, coded;

	if (r->type == RECORD_PART) {
		buf_init(&coded, EX_ROOM);
		if (gzip)
			ex_gzip(z, buf_view(&r->bytes), i == ex_last_part(x), &coded);
		ex_cut_part(fed, r, gzip ? buf_view(&coded) : buf_view(&r->bytes), cut, seed);
		buf_free(&coded);
		return;
	}
	if (r->type == RECORD_HEAD_IN) {
		fed->offset[1] = 0;
		deflateReset(z);
	}
	buf_init(&payload, EX_ROOM);
	buf_slice(&payload, buf_view(&r->payload));
	if (r->has_headers || (gzip && r->type == RECORD_HEAD_IN)) {
		buf_init(&coded, EX_ROOM);
		buf_slice(&coded, buf_view(&r->headers));
		if (gzip && r->type == RECORD_HEAD_IN)
			buf_str(&coded, "content-encoding: gzip\r\n");
		record_put(&payload, TAG_HEADERS, buf_view(&coded));
		buf_free(&coded);
	}
	if (r->type == RECORD_BEGIN && !r->placed)
		record_put_u64(&payload, TAG_BODY_LENGTH, r->bytes.len);
	if (r->type == RECORD_END && !r->placed)
		record_put_u64(&payload, TAG_ANSWER_LENGTH, fed->offset[1]);
	if (r->has_bytes)
		record_put(&payload, TAG_BYTES, buf_view(&r->bytes));
	ex_give(fed, r->type, &payload);
}

/* Feeds the exchange into a new build, cut as asked. */
static inline void
ex_feed(struct ex_fed *fed, const struct exchange *x, const struct build_options *options,
    enum ex_cut cut)
{
	z_stream z = { .next_in = NULL };
	unsigned seed = 1;
	size_t i;

	*fed = (struct ex_fed){ .build = build_new(options) };
	assert(fed->build != NULL);
	assert(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK);
	for (i = 0; i < x->n; i++)
		ex_feed_record(fed, x, i, cut, &z, &seed);
	deflateEnd(&z);
}

static inline void
ex_fed_free(struct ex_fed *fed)
{
	build_free(fed->build);
	while (fed->n > 0)
		free((char *)(uintptr_t)fed->list[--fed->n].payload.ptr);
	free(fed->list);
}

#endif
