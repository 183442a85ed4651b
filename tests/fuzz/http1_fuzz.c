/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1 and head: a message read whole must give what it gives when it comes
 * in pieces. Byte 0 chooses request, response or response to HEAD, byte 1 how
 * it is cut; the rest is the message.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/family.h"
#include "core/head.h"
#include "core/http1.h"

#define MESSAGE_MAX (80 * 1024)		/* longer than any head */

enum kind { REQUEST, RESPONSE, RESPONSE_TO_HEAD, KINDS };

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check(int good)
{
	if (!good)
		abort();
}

static int
head_parse(struct http1_head *h, enum kind kind, const char *p, size_t len,
    size_t *scan, size_t *used)
{
	return kind == REQUEST ? http1_request(h, p, len, scan, used) :
	    http1_response(h, p, len, kind == RESPONSE_TO_HEAD, scan, used);
}

/* Bytes in the next piece: 1, or up to 1 + cut at random. */
static size_t
piece(uint32_t *seed, unsigned cut, size_t left)
{
	size_t n;

	*seed = *seed * 1103515245u + 12345u;
	n = 1 + (*seed >> 16) % (cut + 1);
	return n < left ? n : left;
}

/* Two slices of the same text, or of none, at the same place of two copies. */
static void
same(struct slice a, const char *ap, struct slice b, const char *bp, size_t len)
{
	check((a.ptr == NULL) == (b.ptr == NULL) && slice_eq(a, b));
	if (a.ptr >= ap && a.ptr < ap + len)
		check(a.ptr - ap == b.ptr - bp && a.len <= len - (size_t)(a.ptr - ap));
}

static void
same_heads(const struct http1_head *a, const char *ap,
    const struct http1_head *b, const char *bp, size_t len)
{
	size_t i;

	same(a->method, ap, b->method, bp, len);
	same(a->target, ap, b->target, bp, len);
	same(a->path, ap, b->path, bp, len);
	same(a->query, ap, b->query, bp, len);
	same(a->host, ap, b->host, bp, len);
	same(a->reason, ap, b->reason, bp, len);
	check(a->status == b->status && a->minor == b->minor &&
	    a->keep_alive == b->keep_alive && a->framing == b->framing &&
	    a->length == b->length && a->nfields == b->nfields &&
	    a->expect_continue == b->expect_continue &&
	    a->expect_other == b->expect_other && a->upgrade == b->upgrade &&
	    a->nominates == b->nominates);
	for (i = 0; i < a->nfields; i++) {
		same(a->fields[i].name, ap, b->fields[i].name, bp, len);
		same(a->fields[i].value, ap, b->fields[i].value, bp, len);
	}
}

/* What every good head must be like, and what is asked of it. */
static void
head_check(const struct http1_head *h)
{
	struct http1_field f;
	struct slice block;
	struct buf b;
	size_t i, j, kept = 0;

	buf_init(&b, 4 * LIMIT_HEAD);
	for (i = 0; i < h->nfields; i++) {
		const struct slice v = h->fields[i].value;

		for (j = 0; j < v.len; j++)
			check(v.ptr[j] == '\t' || ((unsigned char)v.ptr[j] >= 32 &&
			    v.ptr[j] != 127));
		check(h->fields[i].name.len > 0);
		check(http1_field(h, h->fields[i].name).ptr != NULL);
		kept += (head_flags(h->fields[i].name) & HEAD_KEEP) != 0;
		head_is_hop(h, i);
	}
	head_keep(h, &b);
	block = buf_view(&b);
	while (head_line_next(&block, &f))
		kept--;
	check(!b.failed && kept == 0 && block.len == 0);
	if (h->target.ptr != NULL)
		head_mask_target(h->target, &b);
	check(!b.failed);
	check(family_of(h->method, h->path) < FAMILY_COUNT);
	buf_free(&b);
}

/* Reads the body in pieces; the payload goes to out, which is large enough. */
static int
body_read(const struct http1_head *h, const char *p, size_t len, uint32_t seed,
    unsigned cut, char *out, size_t *outlen, size_t *taken)
{
	struct http1_body body;
	struct slice data;
	size_t have = 0, at = 0, used;
	int r = HTTP1_MORE;

	*outlen = 0;
	http1_body_init(&body, h->framing, h->length);
	do {
		have = cut > 255 ? len : have + piece(&seed, cut, len - have);
		do {
			r = http1_body_next(&body, p + at, have - at, &used, &data);
			check(used <= have - at && data.len <= used);
			check(r != HTTP1_MORE || used > 0 || have == at);
			if (data.len > 0)
				memcpy(out + *outlen, data.ptr, data.len);
			*outlen += data.len;
			at += used;
		} while (r == HTTP1_MORE && at < have);
	} while (r == HTTP1_MORE && at < len);
	*taken = at;
	return r;
}

static void
body_check(const struct http1_head *h, const char *p, size_t len,
    unsigned cut, char *out)
{
	size_t n, m, whole_taken, cut_taken;
	int whole, pieces;

	whole = body_read(h, p, len, 0, 256, out, &n, &whole_taken);
	pieces = body_read(h, p, len, cut + 1, cut, out + len, &m, &cut_taken);
	check(whole == pieces && n == m && whole_taken == cut_taken);
	check(n == 0 || memcmp(out, out + len, n) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct http1_head whole, cuts;
	enum kind kind;
	unsigned cut;
	const char *p = (const char *)bytes + 2;
	size_t len, have = 0, scan = 0, used = 0, cut_used = 0;
	uint32_t seed;
	char *arrived;
	int r, cut_r = HTTP1_MORE;

	if (size < 2 || size > MESSAGE_MAX)
		return 0;
	kind = bytes[0] % KINDS;
	cut = bytes[1];
	seed = cut;
	len = size - 2;
	r = head_parse(&whole, kind, p, len, &scan, &used);
	check(r <= HTTP1_DONE && used <= len);
	/* What has not arrived yet is something else. */
	arrived = malloc(2 * len + 1);
	check(arrived != NULL);
	memset(arrived, '\r', len);
	scan = 0;
	do {
		size_t n = piece(&seed, cut, len - have);

		memcpy(arrived + have, p + have, n);
		have += n;
		cut_r = head_parse(&cuts, kind, arrived, have, &scan, &cut_used);
	} while (cut_r == HTTP1_MORE && have < len);
	check(r == cut_r && used == cut_used);
	if (r == HTTP1_DONE) {
		same_heads(&whole, p, &cuts, arrived, used);
		head_check(&whole);
		body_check(&whole, p + used, len - used, cut, arrived);
	}
	free(arrived);
	return 0;
}
