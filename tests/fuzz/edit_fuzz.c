/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rewrite and edit on any bytes: the edited body is as good a JSON text as the
 * body was, nothing of ours is left in it, all else is there byte for byte and
 * in order; the list survives the journal; blanking keeps length and validity.
 * The first byte is family and whether usage is asked for.
 */
#include <stdint.h>
#include <stdlib.h>

#include "core/limits.h"
#include "core/members.h"
#include "core/rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)

static void
apply(const struct edits *edits, struct slice body, struct buf *out)
{
	struct edit_iter it;
	struct slice piece;

	buf_init(out, 16 * MIB);
	edit_iter_init(&it, edits, body);
	while (edit_iter_next(&it, &piece)) {
		CHECK(piece.len > 0);
		buf_slice(out, piece);
	}
	CHECK(!out->failed);
}

static void
codec_check(const struct edits *edits, struct slice body)
{
	struct edits again;
	struct buf b;
	size_t i;

	buf_init(&b, 16 * MIB);
	edits_encode(edits, body, &b);
	CHECK(edits_decode(buf_view(&b), body, &again) == 0 && again.count == edits->count);
	for (i = 0; i < edits->count; i++) {
		CHECK(again.list[i].offset == edits->list[i].offset);
		CHECK(again.list[i].length == edits->list[i].length);
		CHECK(slice_eq(again.list[i].replacement, edits->list[i].replacement));
	}
	free(again.list);
	buf_free(&b);
	/* any bytes may stand in a journal */
	if (edits_decode(body, body, &again) == 0) {
		apply(&again, SLICE_NONE, &b);
		free(again.list);
		buf_free(&b);
	}
}

/* Is the member cut whatever the family is? */
static bool
always_cut(const struct jmember *m)
{
	const struct member *own = member_of(m);

	return own != NULL && !(own->flags & MEMBER_RULE);
}

/* May the value differ: options that were asked in, metadata less our params? */
static bool
may_differ(const struct rewrite *rw, const struct jmember *m)
{
	if (rw->usage_added && jkey_is(m, SLICE("stream_options")))
		return true;
	return rw->family == FAMILY_MESSAGES && jkey_is(m, SLICE("metadata"));
}

/* Walks body and edited body side by side. */
static void
members_check(const struct rewrite *rw, struct slice edited)
{
	struct jmember was, is;
	struct jscan a, b;
	const struct member *own;
	int ra, rb;

	jscan_init(&a, rw->body);
	jscan_init(&b, edited);
	rb = jscan_next(&b, &is);
	while ((ra = jscan_next(&a, &was)) == JSCAN_ITEM) {
		own = member_of(&was);
		if (rb != JSCAN_ITEM || !slice_eq(was.key_text, is.key_text) || always_cut(&was)) {
			CHECK(own != NULL);
			continue;
		}
		if (!slice_eq(was.value.text, is.value.text)) {
			/* a duplicate that was cut before one that stays */
			if (own != NULL && own->flags & MEMBER_RULE && rw->family != FAMILY_MESSAGES)
				continue;
			CHECK(may_differ(rw, &was));
		}
		CHECK(!always_cut(&is));
		rb = jscan_next(&b, &is);
	}
	CHECK(ra == JSCAN_END);
	if (rb == JSCAN_ITEM) {
		CHECK(rw->usage_added && jkey_is(&is, SLICE("stream_options")));
		rb = jscan_next(&b, &is);
	}
	CHECK(rb == JSCAN_END && b.kind == JOBJECT);
}

static void
usage_check(struct slice edited)
{
	struct jvalue v;

	CHECK(jscan_check(edited, &v, NULL) == JSCAN_END);
	v = jget(jget(v, SLICE("stream_options")), SLICE("include_usage"));
	CHECK(v.kind == JTRUE);
}

static void
blank_check(const struct rewrite *rw)
{
	size_t len = rw->body.len;
	char *copy = malloc(len ? len : 1);

	if (copy == NULL)
		abort();
	if (len > 0)
		memcpy(copy, rw->body.ptr, len);
	rewrite_blank(rw, copy);
	CHECK(jscan_check(slice_make(copy, len), NULL, NULL) == jscan_check(rw->body, NULL, NULL));
	free(copy);
}

static void
own_check(struct slice body)
{
	struct jvalue v, header = { JNONE, SLICE_NONE };
	struct own_member m;
	struct own_iter it;
	struct buf b;
	size_t n = 0;

	buf_init(&b, MIB);
	if (rewrite_header_params(body, &b))
		CHECK(jscan_check(buf_view(&b), &header, NULL) == JSCAN_END);
	else
		CHECK(b.len == 0);
	if (jscan_check(body, &v, NULL) != JSCAN_END)
		v.kind = JNONE;
	own_iter_init(&it, v, header);
	while (own_iter_next(&it, &m))
		CHECK(m.value.kind > JNULL && ++n <= MEMBER_COUNT);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rewrite rw;
	struct slice body;
	struct buf out;

	if (size < 1)
		return 0;
	body = slice_make(data + 1, size - 1);
	CHECK(rewrite_scan(&rw, body, data[0] % FAMILY_COUNT) == 0);
	CHECK(!rw.is_object || jscan_check(body, NULL, NULL) == JSCAN_END);
	if (rewrite_finish(&rw, data[0] & 0x80 ? REWRITE_ASK_USAGE : 0) != 0)
		CHECK(size > LIMIT_EDITS * strlen("\"note\":1,"));
	apply(&rw.edits, body, &out);
	CHECK(out.len == edits_length(&rw.edits, body.len));
	CHECK(rw.edits.count <= LIMIT_EDITS);
	if (rw.is_object && !rw.full)
		members_check(&rw, buf_view(&out));
	else if (!rw.is_object)
		CHECK(rw.edits.count == 0 && !rw.usage_added);
	if (rw.usage_added)
		usage_check(buf_view(&out));
	codec_check(&rw.edits, body);
	buf_free(&out);
	blank_check(&rw);
	own_check(body);
	rewrite_free(&rw);
	return 0;
}
