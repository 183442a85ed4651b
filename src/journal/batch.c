/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch: the writer's buffer and its one system call. Used by a writer on its
 * own thread.
 */
#include <config.h>

#include "journal/batch.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/base.h"

#define BATCH_FIRST (64 * 1024)		/* a busy turn of small records */
#define BATCH_KEEP (1024 * 1024)	/* a larger buffer is given back once it is empty */
#define BATCH_IOV (2 * BATCH_TAILS + 1)

void
batch_init(struct batch *b)
{
	*b = (struct batch){ .cap = BATCH_FIRST };
	b->data = xmalloc(b->cap);
	b->tails = xmalloc(BATCH_TAILS * sizeof(*b->tails));
}

void
batch_free(struct batch *b)
{
	free(b->data);
	free(b->tails);
	*b = (struct batch){ 0 };
}

void
batch_grow(struct batch *b, size_t n)
{
	while (n > b->cap - b->len)
		b->cap *= 2;
	b->data = xrealloc(b->data, b->cap);
}

void
batch_borrow(struct batch *b, struct slice bytes)
{
	assert(b->ntails < BATCH_TAILS);
	b->tails[b->ntails++] = (struct batch_tail){ b->len, bytes };
	b->bytes += bytes.len;
}

/* Data and tails in the order in which they go out. */
static int
batch_pieces(const struct batch *b, struct iovec *iov)
{
	size_t done = 0, i;
	int n = 0;

	for (i = 0; i < b->ntails; i++) {
		if (b->tails[i].after > done)
			iov[n++] = (struct iovec){ b->data + done, b->tails[i].after - done };
		done = b->tails[i].after;
		iov[n++] = (struct iovec){ (void *)(uintptr_t)b->tails[i].bytes.ptr,
		    b->tails[i].bytes.len };
	}
	if (b->len > done)
		iov[n++] = (struct iovec){ b->data + done, b->len - done };
	return n;
}

static void
batch_clear(struct batch *b)
{
	if (b->cap > BATCH_KEEP) {
		free(b->data);
		b->cap = BATCH_FIRST;
		b->data = xmalloc(b->cap);
	}
	b->len = b->ntails = 0;
	b->bytes = 0;
}

/* Leaves out the first `skip` bytes and copies all the rest into data, as what
 * was borrowed will be gone. */
static void
batch_keep(struct batch *b, size_t skip)
{
	struct iovec iov[BATCH_IOV];
	size_t left = b->bytes - skip, cap = BATCH_FIRST, at = 0, part;
	int n = batch_pieces(b, iov), i;
	char *data;

	while (cap < left)
		cap *= 2;
	data = xmalloc(cap);
	for (i = 0; i < n; i++) {
		part = skip < iov[i].iov_len ? skip : iov[i].iov_len;
		memcpy(data + at, (char *)iov[i].iov_base + part, iov[i].iov_len - part);
		at += iov[i].iov_len - part;
		skip -= part;
	}
	assert(at == left);
	free(b->data);
	b->data = data;
	b->cap = cap;
	b->len = b->bytes = left;
	b->ntails = 0;
}

int
batch_write(struct batch *b, int fd, uint64_t *offset)
{
	struct iovec iov[BATCH_IOV];
	ssize_t r;
	int n;

	while (b->bytes > 0) {
		n = batch_pieces(b, iov);
		r = pwritev(fd, iov, n, (off_t)*offset);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0) {
			int error = r < 0 ? errno : ENOSPC;

			if (b->ntails > 0)
				batch_keep(b, 0);
			return error;
		}
		*offset += (uint64_t)r;
		if ((uint64_t)r == b->bytes)
			batch_clear(b);
		else
			batch_keep(b, (size_t)r);
	}
	return 0;
}
