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

/* The part being read. */
struct form_part {
	const struct member *own;	/* NULL: not one of ours */
	bool		secret;
	bool		model, stream;
};

/* metadata[feature] is a value of metadata. */
static struct slice
base_name(struct slice name)
{
	const char *bracket = name.len ? memchr(name.ptr, '[', name.len) : NULL;

	return bracket ? slice_make(name.ptr, (size_t)(bracket - name.ptr)) : name;
}

/* Is one of the names in brackets, or the first one, a credential's? */
static bool
name_is_secret(struct slice name)
{
	const struct member *own;
	struct slice one;
	size_t n;

	while (name.len > 0) {
		for (n = 0; n < name.len && name.ptr[n] != '[' && name.ptr[n] != ']'; n++)
			;
		one = slice_make(name.ptr, n);
		own = member_find(one);
		if (own != NULL && own->flags & MEMBER_SECRET)
			return true;
		name = slice_from(name, n < name.len ? n + 1 : n);
	}
	return false;
}

static void
part_open(struct form_part *part, const struct multipart_item *item)
{
	*part = (struct form_part){ .own = NULL };
	if (item->filename.ptr != NULL || item->name.len == 0)
		return;
	part->own = member_find(base_name(item->name));
	part->secret = part->own != NULL && name_is_secret(item->name);
	part->model = slice_eq(item->name, SLICE("model"));
	part->stream = slice_eq(item->name, SLICE("stream"));
}

/* False: no memory. */
static bool
part_close(struct rewrite *rw, const struct form_part *part, const struct multipart_item *item)
{
	struct slice text = slice_make(rw->body.ptr + item->from, (size_t)(item->to - item->from));
	struct rewrite_mark *mark;

	if (part->model)
		rw->form_model = text;
	if (part->stream)
		rw->stream = slice_eq(text, SLICE("true"));
	if (part->own == NULL)
		return true;
	mark = rewrite_mark_new(rw);
	if (mark == NULL)
		return rw->full;
	*mark = (struct rewrite_mark){
		.own = part->own, .value = { JSTRING, text },
		.start = (size_t)item->start, .end = (size_t)item->end, .next = (size_t)item->end,
		.secret = part->secret,
	};
	return true;
}

int
rewrite_scan_form(struct rewrite *rw, struct slice body, struct slice boundary, enum family family)
{
	struct form_part part = { .own = NULL };
	struct multipart_item item;
	struct multipart *m;
	bool good = true;
	int r = MULTIPART_MORE;

	*rw = (struct rewrite){ .body = body, .family = family, .form = true };
	m = malloc(sizeof(*m));
	if (m == NULL)
		return -1;
	multipart_init(m, boundary);
	multipart_feed(m, body);
	while (good && (r = multipart_next(m, &item)) > 0 && r != MULTIPART_END) {
		if (r == MULTIPART_PART)
			part_open(&part, &item);
		else if (r == MULTIPART_PART_END)
			good = part_close(rw, &part, &item);
	}
	/* what broke off inside a value is one to be blanked all the same */
	if (good && r == MULTIPART_MORE && m->opened) {
		item = (struct multipart_item){ .start = m->start, .end = body.len,
		    .from = m->from, .to = body.len };
		good = part_close(rw, &part, &item);
	}
	rw->is_form = good && r == MULTIPART_END;
	free(m);
	if (!good)
		rewrite_free(rw);
	return good ? 0 : -1;
}
