/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pretend: see pretend.h. Owns the thread, its event loop and the HTTP server;
 * finds the answer to a path. Started and stopped by demo.c. It never listens
 * beyond loopback.
 */
#include <config.h>

#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "demo/answer.h"
#include "demo/pretend.h"

#define BODY_BYTES (64L * 1024 * 1024)
#define HEAD_BYTES (64L * 1024)

struct pretend {
	struct event_base *base;
	struct evhttp	*http;
	struct event	*stop;
	int		 stop_fd;	/* written to: the loop ends */
	uint16_t	 port;
	unsigned	 requests;
	pthread_t	 thread;
	bool		 running;
};

/* By the end of the path; the first that fits. */
static const struct {
	const char	*tail;
	answer_fn	*answer;
} answers[] = {
	{ "/chat/completions", answer_chat },
	{ "/completions", answer_completion },
	{ "/responses", answer_response },
	{ "/embeddings", answer_embeddings },
	{ "/audio/speech", answer_speech },
	{ "/audio/transcriptions", answer_transcription },
	{ "/audio/translations", answer_translation },
	{ "/messages", answer_messages },
	{ "/messages/count_tokens", answer_count_tokens },
	{ "/images/generations", answer_image },
	{ "/moderations", answer_moderation },
	{ "/rerank", answer_rerank },
	{ "/models", answer_models },
};

static answer_fn *
answer_find(const char *path)
{
	size_t	i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (slice_ends(slice_str(path), slice_str(answers[i].tail)))
			return answers[i].answer;
	return answer_unknown;
}

/* All that it says of itself with every answer. */
static void
headers_add(const struct ask *a)
{
	json_t	*id = answer_id(a, "req_");

	play_header(a->play, "Server", "spangate-pretend");
	play_header(a->play, "x-pretend", "yes");
	play_header(a->play, strstr(a->path, "/messages") ? "request-id" : "x-request-id", json_string_value(id));
	json_decref(id);
}

/* The text parts of a multipart form as members; files are passed over. */
static void
form_read(struct slice raw, json_t *members)
{
	static const struct slice mark = SLICE("form-data; name=\""), gap = SLICE("\"\r\n\r\n"), end = SLICE("\r\n--");
	const char	*name, *text, *last;

	while ((name = memmem(raw.ptr, raw.len, mark.ptr, mark.len)) != NULL) {
		raw = slice_from(raw, (size_t)(name - raw.ptr) + mark.len);
		text = memchr(raw.ptr, '"', raw.len);
		if (text == NULL || !slice_starts(slice_from(raw, (size_t)(text - raw.ptr)), gap))
			continue;
		name = raw.ptr;
		raw = slice_from(raw, (size_t)(text - raw.ptr) + gap.len);
		last = memmem(raw.ptr, raw.len, end.ptr, end.len);
		if (last == NULL)
			return;
		json_object_setn_new(members, name, (size_t)(text - name),
		    json_stringn(raw.ptr, (size_t)(last - raw.ptr)));
		raw = slice_from(raw, (size_t)(last - raw.ptr));
	}
}

/* The request's members, however it sends them. */
static json_t *
members_read(struct evhttp_request *req, struct slice raw)
{
	const char	*type = evhttp_find_header(evhttp_request_get_input_headers(req), "Content-Type");
	json_t		*members;

	if (raw.len > 0 && type != NULL && slice_starts(slice_str(type), SLICE("multipart/"))) {
		members = json_object();
		form_read(raw, members);
		return members;
	}
	members = raw.len > 0 ? json_loadb(raw.ptr, raw.len, 0, NULL) : NULL;
	if (json_is_object(members))
		return members;
	json_decref(members);
	return json_object();
}

static bool
stream_asked(const struct ask *a)
{
	const char	*text = answer_member(a, "stream");

	return json_is_true(json_object_get(a->body, "stream")) ||
	    (text != NULL && slice_eq(slice_str(text), SLICE("true")));
}

/* The model that was asked for, as a pretend one. */
static void
model_set(struct ask *a)
{
	const char	*model = answer_member(a, "model");

	if (model == NULL)
		model = "model";
	snprintf(a->model, sizeof(a->model), "%s%.64s", strncmp(model, "pretend-", 8) == 0 ? "" : "pretend-", model);
}

static void
request_take(struct evhttp_request *req, void *arg)
{
	struct pretend	*p = arg;
	struct evbuffer	*body = evhttp_request_get_input_buffer(req);
	const char	*path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(req));
	struct ask	 a = {
		.play = play_new(p->base, req), .path = path != NULL ? path : "", .number = ++p->requests,
		.raw = slice_make(evbuffer_pullup(body, -1), evbuffer_get_length(body)), .created = time(NULL),
	};

	a.body = members_read(req, a.raw);
	a.stream = stream_asked(&a);
	a.prompt_tokens = 3 + (int64_t)(a.raw.len / 5);
	model_set(&a);
	headers_add(&a);
	if (!answer_refused(&a))
		answer_find(a.path)(&a);
	play_start(a.play);
	json_decref(a.body);
}

static void
stop_take(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(arg);
}

static void *
pretend_run(void *arg)
{
	struct pretend	*p = arg;

	thread_name("pretend");
	event_base_dispatch(p->base);
	return NULL;
}

/* On a free port of 127.0.0.1. */
static bool
server_bind(struct pretend *p)
{
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(p->http, "127.0.0.1", 0);
	struct sockaddr_in sin;
	socklen_t	 len = sizeof(sin);

	if (bound == NULL || getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&sin, &len) != 0)
		return false;
	p->port = ntohs(sin.sin_port);
	return true;
}

static bool
server_make(struct pretend *p)
{
	p->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	p->base = event_base_new();
	if (p->stop_fd < 0 || p->base == NULL || (p->http = evhttp_new(p->base)) == NULL)
		return false;
	p->stop = event_new(p->base, p->stop_fd, EV_READ, stop_take, p->base);
	evhttp_set_max_body_size(p->http, BODY_BYTES);
	evhttp_set_max_headers_size(p->http, HEAD_BYTES);
	evhttp_set_gencb(p->http, request_take, p);
	return p->stop != NULL && event_add(p->stop, NULL) == 0 && server_bind(p);
}

/* Signals are for the main thread. */
static bool
thread_start(struct pretend *p)
{
	sigset_t	all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	p->running = pthread_create(&p->thread, NULL, pretend_run, p) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return p->running;
}

struct pretend *
pretend_start(char *err, size_t errlen)
{
	struct pretend	*p = xcalloc(1, sizeof(*p));

	if (server_make(p) && thread_start(p))
		return p;
	snprintf(err, errlen, "the pretend provider did not start: %s", strerror(errno));
	pretend_stop(p);
	return NULL;
}

uint16_t
pretend_port(const struct pretend *p)
{
	return p->port;
}

void
pretend_stop(struct pretend *p)
{
	if (p == NULL)
		return;
	if (p->running) {
		(void)eventfd_write(p->stop_fd, 1);
		pthread_join(p->thread, NULL);
	}
	if (p->stop != NULL)
		event_free(p->stop);
	if (p->http != NULL)
		evhttp_free(p->http);
	if (p->base != NULL)
		event_base_free(p->base);
	if (p->stop_fd >= 0)
		close(p->stop_fd);
	free(p);
}
