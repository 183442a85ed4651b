/* SPDX-License-Identifier: Apache-2.0 */
/*
 * multipart and rewrite_form on any bytes: the parts do not depend on the cuts
 * and lie where their offsets say; the edited form holds the same parts less
 * ours, byte for byte; blanking changes nothing but values of ours. The first
 * byte is family and boundary, the second the seed of the cuts.
 */
#include "core/limits.h"
#include "core/members.h"
#include "core/multipart.h"
#include "core/rewrite.h"
#include "cuts.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)

/* What came of the part being read. */
struct part {
	struct multipart_item	head;
	uint64_t		bytes, last;	/* of it; offset where the part before it ended */
	bool			open;
};

static void
slice_note(struct buf *seen, struct slice s)
{
	buf_printf(seen, s.ptr == NULL ? "- " : "%zu:", s.len);
	buf_slice(seen, s);
}

static void
item_note(struct part *part, int r, const struct multipart_item *i, struct buf *seen)
{
	switch (r) {
	case MULTIPART_PART:
		CHECK(!part->open && i->start >= part->last && i->from > i->start);
		*part = (struct part){ .head = *i, .open = true };
		slice_note(seen, i->name);
		slice_note(seen, i->filename);
		slice_note(seen, i->type);
		break;
	case MULTIPART_BYTES:
		CHECK(part->open && i->bytes.len > 0);
		part->bytes += i->bytes.len;
		buf_slice(seen, i->bytes);
		return;	/* they may come in any pieces */
	case MULTIPART_PART_END:
		CHECK(part->open && i->start == part->head.start && i->from == part->head.from);
		CHECK(i->to == i->from + part->bytes && i->end >= i->to && i->end <= i->to + 2);
		*part = (struct part){ .last = i->end };
		break;
	}
	buf_printf(seen, "(%d %llu %llu)", r, (unsigned long long)i->start, (unsigned long long)i->end);
}

static void
items_take(struct multipart *m, struct part *part, struct buf *seen)
{
	struct multipart_item i;
	int r;

	while ((r = multipart_next(m, &i)) > 0 && r != MULTIPART_END)
		item_note(part, r, &i, seen);
	CHECK(r == MULTIPART_MORE || multipart_next(m, &i) == r);
}

static void
parts(struct slice form, struct slice boundary, uint64_t seed, struct buf *seen)
{
	struct part part = { .open = false };
	struct multipart_item i;
	struct multipart m;
	struct slice piece;
	struct cuts cuts;

	buf_init(seen, 16 * MIB);
	multipart_init(&m, boundary);
	cuts_init(&cuts, form, seed);
	while (cuts_next(&cuts, &piece)) {
		multipart_feed(&m, piece);
		items_take(&m, &part, seen);
	}
	multipart_feed(&m, SLICE(""));
	buf_printf(seen, "%d", multipart_next(&m, &i));
}

static void
split_check(struct slice form, struct slice boundary, unsigned seed)
{
	struct buf whole, bytes, cut;

	parts(form, boundary, 0, &whole);
	parts(form, boundary, 1, &bytes);
	parts(form, boundary, 2u + seed, &cut);
	CHECK(!whole.failed && slice_eq(buf_view(&whole), buf_view(&bytes)));
	CHECK(slice_eq(buf_view(&whole), buf_view(&cut)));
	buf_free(&whole);
	buf_free(&bytes);
	buf_free(&cut);
}

/* The form's next part. False: none is left. */
static bool
part_next(struct multipart *m, struct slice *name, struct slice *body, struct slice form)
{
	struct multipart_item i;
	int r;

	*name = SLICE_NONE;
	while ((r = multipart_next(m, &i)) != MULTIPART_END) {
		CHECK(r > 0);
		if (r == MULTIPART_PART)
			*name = i.name;
		if (r != MULTIPART_PART_END)
			continue;
		*body = slice_make(form.ptr + i.start, (size_t)(i.end - i.start));
		return true;
	}
	return false;
}

/* Walks form and edited form side by side. Parts are the same with their
 * delimiter lines; name lives in the parser's memory until its next call. */
static void
cut_check(struct slice form, struct slice edited, struct slice boundary)
{
	static struct multipart was, is;
	struct slice name, body, other_name, other = SLICE_NONE;
	const struct member *own;
	bool more;

	multipart_init(&was, boundary);
	multipart_feed(&was, form);
	multipart_init(&is, boundary);
	multipart_feed(&is, edited);
	more = part_next(&is, &other_name, &other, edited);
	while (part_next(&was, &name, &body, form)) {
		own = name.ptr ? member_find(multipart_base(name)) : NULL;
		if (own != NULL && !(own->flags & MEMBER_RULE))
			continue;
		if (!more || !slice_eq(body, other)) {
			CHECK(own != NULL);
			continue;
		}
		more = part_next(&is, &other_name, &other, edited);
	}
	CHECK(!more);
	CHECK(slice_eq(slice_from(form, was.at), slice_from(edited, is.at)));
}

static void
edited(const struct rewrite *rw, struct slice boundary)
{
	struct edit_iter it;
	struct slice piece;
	struct buf out;

	buf_init(&out, 16 * MIB);
	edit_iter_init(&it, &rw->edits, rw->body);
	while (edit_iter_next(&it, &piece))
		buf_slice(&out, piece);
	CHECK(!out.failed && out.len == edits_length(&rw->edits, rw->body.len));
	if (rw->is_form)
		cut_check(rw->body, buf_view(&out), boundary);
	else
		CHECK(rw->edits.count == 0);
	buf_free(&out);
}

static void
blank_check(const struct rewrite *rw, struct slice boundary)
{
	size_t len = rw->body.len;
	char *copy = malloc(len + 1);
	struct rewrite again;

	CHECK(copy != NULL);
	memcpy(copy, rw->body.ptr, len);
	rewrite_blank(rw, copy);
	CHECK(rewrite_scan_form(&again, slice_make(copy, len), boundary, rw->family) == 0);
	CHECK(again.count == rw->count && again.is_form == rw->is_form);
	rewrite_free(&again);
	free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct slice boundaries[] = {
		SLICE("B"), SLICE("----formdata-undici-012345678901"), SLICE("--"), SLICE("a b"),
	};
	struct slice form, boundary;
	struct rewrite rw;

	if (size < 2)
		return 0;
	boundary = boundaries[data[0] >> 6];
	form = slice_make(data + 2, size - 2);
	split_check(form, boundary, data[1]);
	CHECK(rewrite_scan_form(&rw, form, boundary, (data[0] & 0x3f) % FAMILY_COUNT) == 0);
	CHECK(rewrite_finish(&rw, data[1] & 1) == 0 && !rw.usage_added);
	edited(&rw, boundary);
	blank_check(&rw, boundary);
	rewrite_free(&rw);
	(void)multipart_boundary(form);
	return 0;
}
