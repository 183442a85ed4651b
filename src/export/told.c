/* SPDX-License-Identifier: Apache-2.0 */
/*
 * told: see told.h. A ring of numbers and a table that finds them; the file is
 * appended to and written anew once it has twice as many as are kept.
 */
#include "export/told.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"
#include "base/log.h"
#include "core/limits.h"

#define LINE 17			/* 16 hex digits and a line end */
#define SLOTS (4 * LIMIT_SINK_TOLD)	/* a power of two; a quarter full at most */

struct told {
	char		*dir;
	const char	*name;
	int		 fd;		/* -1: it could not be opened */
	size_t		 lines;		/* of the file */
	size_t		 n;		/* that were ever added: the next has the place n % LIMIT_SINK_TOLD */
	uint64_t	 ring[LIMIT_SINK_TOLD];
	uint32_t	 slots[SLOTS];	/* place + 1 in the ring */
};

static size_t
home(uint64_t v)
{
	return (size_t)((v * UINT64_C(0x9e3779b97f4a7c15)) >> 40) % SLOTS;
}

/* The slot that holds it, or the free one where it would be. */
static size_t
slot_find(const struct told *t, uint64_t v)
{
	size_t i = home(v);

	while (t->slots[i] != 0 && t->ring[t->slots[i] - 1] != v)
		i = (i + 1) % SLOTS;
	return i;
}

/* Frees a slot; what stands behind it moves up, so that it is still found. */
static void
slot_clear(struct told *t, size_t at)
{
	size_t i = at, k;

	for (;;) {
		t->slots[at] = 0;
		do {
			i = (i + 1) % SLOTS;
			if (t->slots[i] == 0)
				return;
			k = home(t->ring[t->slots[i] - 1]);
		} while (at <= i ? at < k && k <= i : at < k || k <= i);
		t->slots[at] = t->slots[i];
		at = i;
	}
}

static void
remember(struct told *t, uint64_t v)
{
	size_t place = t->n % LIMIT_SINK_TOLD;

	if (t->n >= LIMIT_SINK_TOLD)
		slot_clear(t, slot_find(t, t->ring[place]));
	t->ring[place] = v;
	t->slots[slot_find(t, v)] = (uint32_t)place + 1;
	t->n++;
}

bool
told_has(const struct told *t, uint64_t v)
{
	return t->slots[slot_find(t, v)] != 0;
}

/* Each whole line that is a number. */
static void
load(struct told *t, struct slice text)
{
	uint8_t bytes[8];
	uint64_t v;

	for (; text.len >= LINE; text = slice_from(text, LINE)) {
		t->lines++;
		if (hex_decode(slice_make(text.ptr, 16), bytes, 8) != 0)
			continue;
		memcpy(&v, bytes, sizeof(v));
		if (!told_has(t, v))
			remember(t, v);
	}
}

static void
line_put(uint64_t v, struct buf *out)
{
	char hex[17];

	hex_encode(&v, sizeof(v), hex);
	buf_append(out, hex, 16);
	buf_byte(out, '\n');
}

/* The whole file anew, with what is kept. */
static bool
rewrite(struct told *t)
{
	size_t kept = t->n < LIMIT_SINK_TOLD ? t->n : LIMIT_SINK_TOLD;
	struct buf out;
	char *path;
	bool good;

	buf_init(&out, (kept + 1) * LINE);
	for (size_t i = t->n - kept; i < t->n; i++)
		line_put(t->ring[i % LIMIT_SINK_TOLD], &out);
	good = file_put(t->dir, t->name, buf_view(&out));
	buf_free(&out);
	if (t->fd >= 0)
		close(t->fd);
	path = xasprintf("%s/%s", t->dir, t->name);
	t->fd = good ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
	free(path);
	t->lines = kept;
	return t->fd >= 0;
}

struct told *
told_open(const char *dir, const char *name)
{
	struct told *t = xcalloc(1, sizeof(*t));
	struct buf text;

	t->dir = xstrdup(dir);
	t->name = name;
	t->fd = -1;
	buf_init(&text, 4 * LIMIT_SINK_TOLD * LINE);
	if (file_get(dir, name, &text))
		load(t, buf_view(&text));
	else if (errno != ENOENT)
		log_error("%s/%s: %s: events may be told once more", dir, name, strerror(errno));
	buf_free(&text);
	if (!rewrite(t))
		log_error("%s/%s: %s", dir, name, strerror(errno));
	return t;
}

void
told_close(struct told *t)
{
	if (t == NULL)
		return;
	if (t->fd >= 0)
		close(t->fd);
	free(t->dir);
	free(t);
}

bool
told_add(struct told *t, uint64_t v)
{
	struct buf line;
	bool good;

	if (told_has(t, v))
		return true;
	remember(t, v);
	if (t->fd < 0 || t->lines >= 2 * LIMIT_SINK_TOLD)
		return rewrite(t);
	buf_init(&line, 2 * LINE);
	line_put(v, &line);
	good = write(t->fd, line.ptr, line.len) == (ssize_t)line.len;
	buf_free(&line);
	t->lines++;
	return good;
}
