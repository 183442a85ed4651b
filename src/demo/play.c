/* SPDX-License-Identifier: Apache-2.0 */
/*
 * play: see play.h. Called by the answers (answer_*.c), which fill it, and by
 * the event loop's timer. It never looks into what it sends.
 */
#include <config.h>

#include <event2/buffer.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/log.h"
#include "core/buf.h"
#include "demo/play.h"

#define PLAY_BYTES ((size_t)32 * 1024 * 1024) /* of one answer */
#define WHOLE_PAUSE_MS 80	/* before an answer that is no stream */

struct piece {
	unsigned	pause_ms;
	size_t		end;		/* in bytes */
};

struct play {
	struct evhttp_request *req;
	struct event	*timer;
	struct buf	 bytes;
	struct piece	*pieces;
	size_t		 npieces, room;
	size_t		 next;		/* piece to be sent */
	int		 status;
	bool		 stream;
};

static void
play_free(struct play *p)
{
	event_free(p->timer);
	buf_free(&p->bytes);
	free(p->pieces);
	free(p);
}

/* The client left. The request dies with its connection, unless the library has
 * taken the two apart because the answer was under way. */
static void
play_left(struct evhttp_connection *conn, void *arg)
{
	struct play	*p = arg;

	(void)conn;
	if (evhttp_request_get_connection(p->req) == NULL)
		evhttp_request_free(p->req);
	play_free(p);
}

/* After this the connection may carry another request. */
static void
play_end(struct play *p, struct evbuffer *body)
{
	evhttp_connection_set_closecb(evhttp_request_get_connection(p->req), NULL, NULL);
	if (p->stream)
		evhttp_send_reply_end(p->req);
	else
		evhttp_send_reply(p->req, p->status, NULL, body);
	play_free(p);
}

static void
play_wait(struct play *p)
{
	unsigned	ms = p->pieces[p->next].pause_ms;
	struct timeval	pause = { ms / 1000, (suseconds_t)(ms % 1000) * 1000 };

	event_add(p->timer, &pause);
}

/* The pause before a piece is over. */
static void
play_step(evutil_socket_t fd, short what, void *arg)
{
	struct play	*p = arg;
	size_t		 start = p->next > 0 ? p->pieces[p->next - 1].end : 0;
	struct evbuffer	*bytes = evbuffer_new();

	(void)fd;
	(void)what;
	if (bytes == NULL || evbuffer_add(bytes, p->bytes.ptr + start, p->pieces[p->next].end - start) != 0)
		bug("no memory for a piece");
	p->next++;
	if (p->stream)
		evhttp_send_reply_chunk(p->req, bytes);
	if (p->next == p->npieces)
		play_end(p, bytes);
	else
		play_wait(p);
	evbuffer_free(bytes);
}

struct play *
play_new(struct event_base *base, struct evhttp_request *req)
{
	struct play	*p = xcalloc(1, sizeof(*p));

	p->req = req;
	p->timer = evtimer_new(base, play_step, p);
	if (p->timer == NULL)
		bug("no memory for a timer");
	buf_init(&p->bytes, PLAY_BYTES);
	evhttp_connection_set_closecb(evhttp_request_get_connection(req), play_left, p);
	return p;
}

void
play_header(struct play *p, const char *name, const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(p->req), name, value);
}

void
play_piece(struct play *p, unsigned pause_ms, struct slice bytes)
{
	if (p->npieces == p->room) {
		p->room = p->room > 0 ? 2 * p->room : 64;
		p->pieces = xrealloc(p->pieces, p->room * sizeof(*p->pieces));
	}
	buf_slice(&p->bytes, bytes);
	p->pieces[p->npieces++] = (struct piece){ pause_ms, p->bytes.len };
}

void
play_body(struct play *p, int status, const char *type, struct slice body)
{
	p->status = status;
	play_header(p, "Content-Type", type);
	play_piece(p, WHOLE_PAUSE_MS, body);
}

void
play_json(struct play *p, int status, json_t *json)
{
	char	*text = json_dumps(json, JSON_COMPACT);

	play_body(p, status, "application/json", slice_str(text != NULL ? text : ""));
	free(text);
	json_decref(json);
}

void
play_stream(struct play *p, const char *type)
{
	p->stream = true;
	p->status = HTTP_OK;
	play_header(p, "Content-Type", type);
}

void
play_event(struct play *p, unsigned pause_ms, const char *name, json_t *json)
{
	char	*text = json_dumps(json, JSON_COMPACT), *event;

	event = xasprintf("%s%s%sdata: %s\n\n", name ? "event: " : "", name ? name : "", name ? "\n" : "",
	    text != NULL ? text : "{}");
	play_piece(p, pause_ms, slice_str(event));
	free(event);
	free(text);
	json_decref(json);
}

void
play_start(struct play *p)
{
	if (p->stream)
		evhttp_send_reply_start(p->req, p->status, NULL);
	play_wait(p);
}
