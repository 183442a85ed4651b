/* SPDX-License-Identifier: Apache-2.0 */
/*
 * play: an answer of the pretend provider that is put together at once and
 * sent with pauses, so that streams look alive. Used in the provider's thread
 * only.
 */
#ifndef DEMO_PLAY_H
#define DEMO_PLAY_H

#include <event2/event.h>
#include <event2/http.h>
#include <jansson.h>

#include "core/slice.h"

struct play;

/* The request belongs to the answer from here on. */
struct play	*play_new(struct event_base *, struct evhttp_request *);
void	play_header(struct play *, const char *name, const char *value);

/* What is not a stream: one body. json is taken; NULL is an empty body. */
void	play_json(struct play *, int status, json_t *json);
void	play_body(struct play *, int status, const char *type, struct slice body);

/* A stream of pieces, each pause_ms after the one before it. */
void	play_stream(struct play *, const char *type);
void	play_piece(struct play *, unsigned pause_ms, struct slice bytes);
/* An event of a stream: "event: NAME" unless name is NULL, and its data; json is taken. */
void	play_event(struct play *, unsigned pause_ms, const char *name, json_t *json);

/* Begins to send. The answer frees itself: at its end, or when its client leaves. */
void	play_start(struct play *);

#endif
