/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chain: the output queue of a connection. Owns its chunks; never touches a
 * socket. Called by conn (to send) and by everybody who has bytes for it.
 */
#include "gate/chain.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

#define CHUNK_DATA (16 * 1024 - 64)	/* bytes of a pooled chunk */
#define CHUNK_KEEP 64			/* free chunks a thread keeps: 1 MiB */
#define BARE_KEEP 256

struct chunk {
	struct chunk	*next;
	const char	*ptr;		/* what is left to send */
	size_t		 len;
	bool		 owned;		/* ptr points into data */
	char		 data[];
};

static struct chunk *
chunk_get(struct chunk **list, size_t *n, size_t room)
{
	struct chunk *c = *list;

	if (c != NULL) {
		*list = c->next;
		(*n)--;
	} else
		c = xmalloc(sizeof(*c) + room);
	c->next = NULL;
	c->ptr = c->data;
	c->len = 0;
	c->owned = room > 0;
	return c;
}

static void
chunk_put(struct chunk_pool *p, struct chunk *c)
{
	struct chunk **list = c->owned ? &p->free : &p->bare;
	size_t *n = c->owned ? &p->nfree : &p->nbare;

	if (*n >= (c->owned ? CHUNK_KEEP : BARE_KEEP)) {
		free(c);
		return;
	}
	c->next = *list;
	*list = c;
	(*n)++;
}

static void
chunk_list_free(struct chunk *c)
{
	struct chunk *next;

	for (; c != NULL; c = next) {
		next = c->next;
		free(c);
	}
}

void
chunk_pool_free(struct chunk_pool *p)
{
	chunk_list_free(p->free);
	chunk_list_free(p->bare);
	memset(p, 0, sizeof(*p));
}

static void
chain_push(struct chain *ch, struct chunk *c)
{
	if (ch->last != NULL)
		ch->last->next = c;
	else
		ch->first = c;
	ch->last = c;
}

/* Bytes that still fit behind the last chunk's content. */
static size_t
chunk_room(const struct chunk *c)
{
	if (c == NULL || !c->owned)
		return 0;
	return CHUNK_DATA - (size_t)(c->ptr + c->len - c->data);
}

void
chain_copy(struct chain *ch, struct chunk_pool *p, struct slice s)
{
	size_t n;

	ch->len += s.len;
	while (s.len > 0) {
		if (chunk_room(ch->last) == 0)
			chain_push(ch, chunk_get(&p->free, &p->nfree, CHUNK_DATA));
		n = chunk_room(ch->last);
		if (n > s.len)
			n = s.len;
		memcpy(ch->last->data + (ch->last->ptr - ch->last->data) + ch->last->len, s.ptr, n);
		ch->last->len += n;
		s = slice_from(s, n);
	}
}

/* Writes len in hex and CR LF before `end`: where it begins. */
static char *
chunk_size_line(char *end, size_t len)
{
	*--end = '\n';
	*--end = '\r';
	do
		*--end = "0123456789abcdef"[len % 16];
	while ((len /= 16) != 0);
	return end;
}

void
chain_copy_chunk(struct chain *ch, struct chunk_pool *p, struct slice s)
{
	char line[20], *start = chunk_size_line(line + sizeof(line), s.len);
	size_t n = (size_t)(line + sizeof(line) - start);
	struct chunk *c;
	char *to;

	if (s.len > CHUNK_DATA / 2) {
		chain_copy(ch, p, slice_make(start, n));
		chain_copy(ch, p, s);
		chain_copy(ch, p, SLICE("\r\n"));
		return;
	}
	/* The common event: in one piece. */
	if (chunk_room(ch->last) < n + s.len + 2)
		chain_push(ch, chunk_get(&p->free, &p->nfree, CHUNK_DATA));
	c = ch->last;
	to = c->data + (c->ptr - c->data) + c->len;
	memcpy(to, start, n);
	memcpy(to + n, s.ptr, s.len);
	memcpy(to + n + s.len, "\r\n", 2);
	c->len += n + s.len + 2;
	ch->len += n + s.len + 2;
}

void
chain_lend(struct chain *ch, struct chunk_pool *p, struct slice s)
{
	struct chunk *c;

	if (s.len == 0)
		return;
	c = chunk_get(&p->bare, &p->nbare, 0);
	c->ptr = s.ptr;
	c->len = s.len;
	ch->len += s.len;
	chain_push(ch, c);
}

int
chain_iovec(const struct chain *ch, struct iovec *iov, int max)
{
	const struct chunk *c;
	int n = 0;

	for (c = ch->first; c != NULL && n < max; c = c->next) {
		iov[n].iov_base = (void *)(uintptr_t)c->ptr;
		iov[n++].iov_len = c->len;
	}
	return n;
}

void
chain_drop(struct chain *ch, struct chunk_pool *p, size_t n)
{
	struct chunk *c;

	assert(n <= ch->len);
	ch->len -= n;
	while ((c = ch->first) != NULL && n >= c->len) {
		n -= c->len;
		ch->first = c->next;
		chunk_put(p, c);
	}
	if (c == NULL)
		ch->last = NULL;
	else {
		c->ptr += n;
		c->len -= n;
	}
}

void
chain_clear(struct chain *ch, struct chunk_pool *p)
{
	chain_drop(ch, p, ch->len);
}
