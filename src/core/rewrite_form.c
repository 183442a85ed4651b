/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rewrite_form.c: the scan of a multipart form: the parts that are members of
 * ours, by the name before their first bracket, are marked like members of a
 * JSON body, from their delimiter line to the next one. Called by the exchange;
 * rewrite.c makes the edits.
 */
#include <stdlib.h>

#include "core/multipart.h"
#include "core/rewrite_mark.h"
#include "core/utf8.h"

/* The part being read. */
struct form_part {
	const struct member *own;	/* NULL: not one of ours */
	bool		open;
	bool		secret, model, stream;
	uint64_t	start, from;
};

/* Is one of the names in brackets, or the first one, a credential's? */
static bool
name_is_secret(struct slice name)
{
	const struct member *own;
	size_t n;

	while (name.len > 0) {
		for (n = 0; n < name.len && name.ptr[n] != '[' && name.ptr[n] != ']'; n++)
			;
		own = member_find(slice_make(name.ptr, n));
		if (own != NULL && own->flags & MEMBER_SECRET)
			return true;
		name = slice_from(name, n < name.len ? n + 1 : n);
	}
	return false;
}

/* A member of ours is one also when it comes as a file. */
static void
part_open(struct form_part *part, const struct multipart_item *item)
{
	*part = (struct form_part){ .open = true, .start = item->start, .from = item->from };
	if (item->name.ptr == NULL)
		return;
	part->own = member_find(multipart_base(item->name));
	part->secret = part->own != NULL && name_is_secret(item->name);
	part->model = slice_eq(item->name, SLICE("model"));
	part->stream = slice_eq(item->name, SLICE("stream"));
}

/* The model as the counters can have it: text. */
static struct slice
model_text(struct slice s)
{
	size_t i = 0, n;

	while (i < s.len) {
		n = utf8_length(s.ptr + i, s.len - i);
		if (n == 0 || (unsigned char)s.ptr[i] < ' ')
			return SLICE("");
		i += n;
	}
	return s;
}

/* False: no memory. */
static bool
part_close(struct rewrite *rw, struct form_part *part, uint64_t to, uint64_t end)
{
	struct slice text = slice_make(rw->body.ptr + part->from, (size_t)(to - part->from));
	struct rewrite_mark *mark;

	part->open = false;
	if (part->model)
		rw->form_model = model_text(text);
	if (part->stream)
		rw->stream = slice_eq(text, SLICE("true"));
	if (part->own == NULL)
		return true;
	mark = rewrite_mark_new(rw);
	if (mark == NULL)
		return rw->full;
	*mark = (struct rewrite_mark){
		.own = part->own, .value = { JSTRING, text }, .secret = part->secret,
		.start = (size_t)part->start, .end = (size_t)end, .next = (size_t)end,
	};
	return true;
}

/* Marks what the form holds. *end: how it ended, as multipart_next says. False:
 * no memory. */
static bool
form_walk(struct rewrite *rw, struct multipart *m, int *end)
{
	struct form_part part = { .open = false };
	struct multipart_item item;
	bool good = true;
	int r;

	while (good && (r = multipart_next(m, &item)) > 0 && r != MULTIPART_END)
		if (r == MULTIPART_PART)
			part_open(&part, &item);
		else if (r == MULTIPART_PART_END)
			good = part_close(rw, &part, item.to, item.end);
	*end = r;
	/* the value that it broke off in is one to be blanked all the same */
	if (good && part.open)
		good = part_close(rw, &part, rw->body.len, rw->body.len);
	return good;
}

int
rewrite_scan_form(struct rewrite *rw, struct slice body, struct slice boundary, enum family family)
{
	struct multipart *m = malloc(sizeof(*m));
	bool good;
	int end;

	*rw = (struct rewrite){ .body = body, .family = family, .form = true };
	if (m == NULL)
		return -1;
	multipart_init(m, boundary);
	multipart_feed(m, body);
	good = form_walk(rw, m, &end);
	rw->is_form = good && end == MULTIPART_END;
	free(m);
	if (!good)
		rewrite_free(rw);
	return good ? 0 : -1;
}
