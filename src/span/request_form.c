/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request_form.c: a request that is a form: feeds its pieces through, so that
 * no file is ever held, and says of each file what it is. Called by request.c.
 */
#include "span/audio.h"
#include "span/form.h"
#include "span/inner.h"
#include "span/json.h"

/* The file that goes by. */
struct passing {
	struct slice	filename, type;
	struct audio	audio;
	bool		kept;		/* its bytes are in b->audio */
};

static void
file_begin(struct build *b, struct passing *p, const struct form_item *item)
{
	p->filename = item->filename;
	p->type = item->type;
	p->kept = b->audio.len == 0;
	audio_init(&p->audio, p->type, p->filename);
}

static void
file_bytes(struct build *b, struct passing *p, struct slice bytes)
{
	audio_feed(&p->audio, bytes);
	if (p->kept)
		build_keep_audio(b, bytes);
}

/* The file's type as its sender says, else by its bytes. */
static struct slice
file_type(const struct passing *p)
{
	const char *seen = audio_content_type(&p->audio);

	if (seen != NULL && (p->type.len == 0 || slice_eq(p->type, SLICE("application/octet-stream"))))
		return slice_str(seen);
	return p->type;
}

static bool
file_is_sound(const struct passing *p)
{
	return audio_content_type(&p->audio) != NULL || slice_starts(p->type, SLICE("audio/"));
}

/* The object that stands for it. */
static struct slice
file_end(struct build *b, struct passing *p, bool whole)
{
	struct slice type;
	struct buf out;

	audio_finish(&p->audio, whole);
	type = file_type(p);
	buf_init(&out, LIMIT_EVENT);
	buf_byte(&out, '{');
	if (file_is_sound(p) && !b->request.cut)
		build_audio_members(b, &p->audio, p->filename, type, &out);
	else {
		if (p->kept)
			buf_clear(&b->audio);
		build_file_members(p->filename, type,
		    b->request.cut ? UINT64_MAX : audio_bytes(&p->audio), &out);
	}
	buf_byte(&out, '}');
	return build_take(b, &out);
}

/* Everything that the fed bytes tell. False: the rest is none. */
static bool
form_pull(struct build *b, struct form *f, struct passing *p)
{
	struct form_item item;
	int r;

	while ((r = form_next(f, &item)) > 0 && r != FORM_END) {
		if (r == FORM_FILE)
			file_begin(b, p, &item);
		else if (r == FORM_BYTES)
			file_bytes(b, p, item.bytes);
		else
			form_file(f, file_end(b, p, !b->request.cut));
	}
	return r == FORM_MORE;
}

/* Feeds the parts of the body as they stand in the journal. */
static void
form_parts(struct build *b, struct form *f, struct passing *p)
{
	size_t i;

	for (i = 0; i < b->request_parts.n; i++) {
		if (b->request_parts.list[i].attempt != 0)
			continue;
		form_feed(f, b->request_parts.list[i].bytes);
		if (!form_pull(b, f, p))
			return;
	}
}

void
request_form(struct build *b, struct slice boundary)
{
	struct body *body = &b->request;
	struct form_item item;
	struct passing p;
	struct form *f = arena_alloc(&b->arena, sizeof(*f));
	struct buf out;
	bool whole;

	body->form = true;
	if (f == NULL)
		return;
	body_survey(b, &b->request_parts, 0, body, false);
	form_init(f, boundary, &b->arena);
	form_parts(b, f, &p);
	form_feed(f, SLICE(""));
	whole = form_next(f, &item) == FORM_END;
	if (f->in_file)
		form_file(f, file_end(b, &p, false));
	if (!whole || f->cut)
		warn_add(&b->warnings, WARN_REQUEST_FORM, SLICE_NONE);
	buf_init(&out, 2 * LIMIT_EXPANDED);
	form_json(f, &out);
	form_free(f);
	b->facts[DIRECTION_REQUEST] = build_take(b, &out);
	body->json = build_json(b, b->facts[DIRECTION_REQUEST]);
}
