/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window: reading records out of a segment file. Used by readers, chains,
 * recovery and the helper; never writes.
 */
#include <config.h>

#include "journal/window.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "journal/segment.h"

void
window_init(struct window *w)
{
	*w = (struct window){ .fd = -1 };
}

void
window_close(struct window *w)
{
	if (w->fd >= 0)
		(void)close(w->fd);
	w->fd = -1;
	w->len = 0;
}

void
window_free(struct window *w)
{
	window_close(w);
	free(w->data);
	window_init(w);
}

/* Looks for the file once more when its head has been read: it may have been
 * given another name and use in between. */
int
window_open(struct window *w, const char *series_path, uint32_t number)
{
	int fd = segment_open(series_path, number), result;
	struct segment_info info;

	window_close(w);
	if (fd < 0)
		return SEGMENT_E_IO;
	result = segment_check(fd, series_path, number, &info);
	if (segment_size(series_path, number) < 0)
		result = SEGMENT_E_IO;
	if (result != SEGMENT_OK) {
		(void)close(fd);
		return result;
	}
	w->fd = fd;
	w->number = number;
	w->salt = info.salt;
	return SEGMENT_OK;
}

/* Fills the window from start on with up to `bytes`; 0 or -1 and errno. */
static int
window_fill(struct window *w, uint64_t start, size_t bytes)
{
	ssize_t n;

	if (bytes > w->cap) {
		free(w->data);
		w->cap = bytes > WINDOW_BYTES ? bytes : WINDOW_BYTES;
		w->data = xmalloc(w->cap);
	}
	w->start = start;
	w->len = 0;
	while (w->len < bytes) {
		n = pread(w->fd, w->data + w->len, bytes - w->len, (off_t)(start + w->len));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		w->len += (size_t)n;
	}
	return 0;
}

/* What the window holds from offset on. */
static struct slice
window_from(const struct window *w, uint64_t offset)
{
	if (offset < w->start || offset >= w->start + w->len)
		return slice_make(w->data, 0);
	return slice_make(w->data + (offset - w->start), w->len - (offset - w->start));
}

/* What another life has left is no record. */
static int
window_read(const struct window *w, struct slice bytes, struct record *r, size_t *used)
{
	if (!record_salted(bytes.ptr, bytes.len, w->salt))
		return RECORD_E_CRC;
	return record_read(r, bytes.ptr, bytes.len, used);
}

/* The length that a record's first bytes tell, if it can be one. */
static size_t
window_record_length(const struct window *w, struct slice bytes)
{
	const unsigned char *p = (const unsigned char *)bytes.ptr;
	size_t length;

	if (bytes.len < 4 || !record_salted(bytes.ptr, bytes.len, w->salt))
		return 0;
	length = (size_t)p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
	return length <= LIMIT_RECORD ? length : 0;
}

bool
window_peek(const struct window *w, uint64_t offset, struct record *r, size_t *used)
{
	struct slice bytes = window_from(w, offset);

	return window_read(w, bytes, r, used) == RECORD_OK;
}

int
window_record(struct window *w, uint64_t offset, size_t before, size_t ahead,
    struct record *r, size_t *used, size_t *have)
{
	struct slice bytes = window_from(w, offset);
	int result, rounds;
	size_t length;

	result = window_read(w, bytes, r, used);
	for (rounds = 0; result != RECORD_OK && rounds < 2; rounds++) {
		length = window_record_length(w, bytes);
		if (rounds > 0 && length <= bytes.len)
			break;
		if (length > ahead)
			ahead = length;
		if (before > offset)
			before = (size_t)offset;
		if (window_fill(w, offset - before, before + ahead) < 0)
			return WINDOW_E_IO;
		bytes = window_from(w, offset);
		result = window_read(w, bytes, r, used);
	}
	*have = bytes.len;
	return result;
}
