/* SPDX-License-Identifier: Apache-2.0 */
/* dead: see dead.h. */
#include "export/dead.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"
#include "core/jscan.h"
#include "core/limits.h"

#define FILE_NAME "dead"
#define LINE_BYTES KIB		/* of one letter, by far */

static void
line_print(const struct dead_letter *d, struct buf *out)
{
	char id[33];

	hex_encode(d->id, 16, id);
	buf_printf(out, "{\"id\":\"%s\",\"time\":%lld,\"status\":%u,\"tries\":%u,\"text\":", id, (long long)d->time_us,
	    d->status, d->tries);
	buf_json_string(out, slice_str(d->text));
	buf_str(out, "}\n");
}

static bool
line_read(struct slice line, struct dead_letter *d)
{
	int64_t status, tries;
	struct jvalue v;
	struct buf text;
	bool good;

	memset(d, 0, sizeof(*d));
	if (jscan_check(line, &v, NULL) != JSCAN_END || hex_decode(jstring_plain(jget(v, SLICE("id"))), d->id, 16) != 0 ||
	    !jint(jget(v, SLICE("time")), &d->time_us) || !jint(jget(v, SLICE("status")), &status) ||
	    !jint(jget(v, SLICE("tries")), &tries) || status < 0 || status > 999 || tries < 0 || tries > 1000000000)
		return false;
	d->status = (unsigned)status;
	d->tries = (unsigned)tries;
	buf_init(&text, LINE_BYTES);
	good = jstring(jget(v, SLICE("text")), &text);
	if (good)
		snprintf(d->text, sizeof(d->text), "%.*s", (int)text.len, text.ptr ? text.ptr : "");
	buf_free(&text);
	return good;
}

static struct dead_letter *
find(const struct dead *d, const uint8_t id[16])
{
	for (size_t i = 0; i < d->n; i++)
		if (memcmp(d->list[i].id, id, 16) == 0)
			return &d->list[i];
	return NULL;
}

const struct dead_letter *
dead_find(const struct dead *d, const uint8_t id[16])
{
	return find(d, id);
}

/* In place of an earlier word on the same span, or at the end. */
static void
list_put(struct dead *d, const struct dead_letter *letter)
{
	struct dead_letter *at = find(d, letter->id);

	if (at == NULL && d->n == d->room) {
		d->room = d->room ? d->room * 2 : 16;
		d->list = xrealloc(d->list, d->room * sizeof(*d->list));
	}
	if (at == NULL)
		at = &d->list[d->n++];
	*at = *letter;
}

void
dead_parse(struct dead *d, struct slice text)
{
	struct dead_letter letter;
	const char *end;

	while (d->n < LIMIT_SINK_DEAD && text.len > 0 && (end = memchr(text.ptr, '\n', text.len)) != NULL) {
		size_t len = (size_t)(end - text.ptr);

		if (line_read(slice_make(text.ptr, len), &letter))
			list_put(d, &letter);
		text = slice_from(text, len + 1);
	}
}

bool
dead_open(struct dead *d, const char *dir)
{
	struct buf text;
	bool good;

	*d = (struct dead){ .dir = xstrdup(dir) };
	buf_init(&text, 2 * LIMIT_SINK_DEAD * LINE_BYTES);
	good = file_get(dir, FILE_NAME, &text) || errno == ENOENT;
	if (good)
		dead_parse(d, buf_view(&text));
	buf_free(&text);
	return good;
}

void
dead_close(struct dead *d)
{
	free(d->list);
	free(d->dir);
	*d = (struct dead){ .dir = NULL };
}

bool
dead_room(const struct dead *d, size_t n)
{
	return d->n + n <= LIMIT_SINK_DEAD;
}

/* One line at the end of the file; a line that was torn before ends first. */
static bool
file_append(const char *dir, struct slice line)
{
	char *path = xasprintf("%s/" FILE_NAME, dir), last = '\n';
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), error;
	off_t size = fd >= 0 ? lseek(fd, 0, SEEK_END) : -1;
	bool good = size >= 0;

	free(path);
	if (good && size > 0)
		good = pread(fd, &last, 1, size - 1) == 1;
	if (good && last != '\n')
		good = write(fd, "\n", 1) == 1;
	good = good && write(fd, line.ptr, line.len) == (ssize_t)line.len && fdatasync(fd) == 0;
	error = errno;
	if (fd >= 0)
		close(fd);
	errno = error;
	return good;
}

static bool
file_rewrite(const struct dead *d)
{
	struct buf text;
	bool good;

	buf_init(&text, LIMIT_SINK_DEAD * LINE_BYTES);
	for (size_t i = 0; i < d->n; i++)
		line_print(&d->list[i], &text);
	good = file_put(d->dir, FILE_NAME, buf_view(&text));
	buf_free(&text);
	return good;
}

bool
dead_add(struct dead *d, const struct dead_letter *letter)
{
	const struct dead_letter *before = find(d, letter->id);
	struct dead_letter now = *letter;
	struct buf line;
	bool good;

	now.tries = before ? before->tries + 1 : 1;
	buf_init(&line, LINE_BYTES);
	line_print(&now, &line);
	good = file_append(d->dir, buf_view(&line));
	buf_free(&line);
	if (good)
		list_put(d, &now);
	return good;
}

int
dead_remove(struct dead *d, bool (*gone)(const struct dead_letter *, void *), void *arg)
{
	struct dead left = { .dir = d->dir, .list = xmalloc((d->n + 1) * sizeof(*d->list)), .room = d->n + 1 };
	int removed;

	for (size_t i = 0; i < d->n; i++)
		if (!gone(&d->list[i], arg))
			left.list[left.n++] = d->list[i];
	removed = (int)(d->n - left.n);
	if (removed > 0 && !file_rewrite(&left)) {
		free(left.list);
		return -1;
	}
	free(d->list);
	*d = left;
	return removed;
}
