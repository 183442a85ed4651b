/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audio: serves what the sink has kept as a file, whole or one range of it, as
 * players ask for. Its type is what the span says.
 */
#include "api/audio.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/answer.h"
#include "api/reading.h"
#include "core/jscan.h"
#include "core/limits.h"
#include "store/audio.h"
#include "store/value.h"

#define BLOCK (64 * KIB)

/* The part of the file that was asked for, [from, to). */
struct part {
	int64_t	from, to, size;
	bool	ranged;
};

/* A single range "bytes=A-B", "bytes=A-" or "bytes=-N" (RFC 9110 14.1.2).
 * Others are passed over: the whole is sent. False: it lies outside. */
static bool
part_read(struct slice range, struct part *p)
{
	static const struct slice unit = SLICE("bytes=");
	const char *dash;
	struct slice first, last;
	int64_t a = 0, b = 0;

	if (!slice_starts(range, unit) || memchr(range.ptr, ',', range.len) != NULL)
		return true;
	range = slice_from(range, unit.len);
	dash = range.len ? memchr(range.ptr, '-', range.len) : NULL;
	if (dash == NULL)
		return true;
	first = slice_make(range.ptr, (size_t)(dash - range.ptr));
	last = slice_from(range, first.len + 1);
	if ((first.len > 0 && (!value_int(first, &a) || a < 0)) ||
	    (last.len > 0 && (!value_int(last, &b) || b < 0)) || first.len + last.len == 0)
		return true;
	if (first.len == 0) {
		p->from = b < p->size ? p->size - b : 0;
	} else {
		p->from = a;
		p->to = last.len > 0 && b < p->size ? b + 1 : p->size;
	}
	p->ranged = true;
	return p->from < p->to;
}

/* The type that the span says its audio is of, as a header may have it. */
static const char *
audio_type(const struct span *span, char *out, size_t room)
{
	bool speech = slice_eq(span->log_type, SLICE("speech"));
	struct slice type = SLICE_NONE;
	struct jvalue v;

	if (jscan_check(speech ? span->output : span->input, &v, NULL) == JSCAN_END)
		type = jstring_plain(jget(v, SLICE("content_type")));
	if (!slice_starts(type, SLICE("audio/")) || type.len >= room)
		return "application/octet-stream";
	snprintf(out, room, "%.*s", (int)type.len, type.ptr);
	return out;
}

static void
send_part(struct local_job *job, int fd, const struct part *p)
{
	char block[BLOCK];
	int64_t at = p->from;
	ssize_t n = 1;

	for (; at < p->to && n > 0; at += n) {
		n = pread(fd, block, p->to - at < BLOCK ? (size_t)(p->to - at) : BLOCK, (off_t)at);
		if (n > 0 && !local_write(job, block, (size_t)n))
			return;
	}
}

static void
answer_file(struct reading *r, const struct span *row, int fd)
{
	char headers[200], type[100];
	struct part p = { .from = 0 };
	struct stat st;

	if (fstat(fd, &st) != 0) {
		api_error(r->job, 500, NULL, "the audio cannot be read");
		return;
	}
	p.to = p.size = st.st_size;
	if (!part_read(r->request->range, &p)) {
		snprintf(headers, sizeof(headers), "content-range: bytes */%lld\r\n", (long long)p.size);
		api_error(r->job, 416, headers, "the range lies outside of the audio");
		return;
	}
	snprintf(headers, sizeof(headers), "accept-ranges: bytes\r\nx-content-type-options: nosniff\r\n");
	if (p.ranged)
		snprintf(headers, sizeof(headers), "accept-ranges: bytes\r\n"
		    "content-range: bytes %lld-%lld/%lld\r\n", (long long)p.from,
		    (long long)p.to - 1, (long long)p.size);
	local_head(r->job, p.ranged ? 206 : 200,
	    audio_type(full_span(r->full, row), type, sizeof(type)), headers);
	send_part(r->job, fd, &p);
}

static void
answer_audio(struct reading *r, const struct span *row)
{
	char path[AUDIO_PATH];
	int fd;

	audio_path(r->request->config->data_dir, row->id16, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		api_error(r->job, 404, NULL, "no audio was kept of this span (setting spans.keep_audio)");
		return;
	}
	answer_file(r, row, fd);
	close(fd);
}

void
audio_get(struct local_job *job, const struct local_request *request, void *arg)
{
	(void)arg;
	reading_one(job, request, slice_from(request->path, sizeof("/audio/") - 1), answer_audio);
}
