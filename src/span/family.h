/* SPDX-License-Identifier: Apache-2.0 */
/*
 * family: what one family of API knows about its requests and answers. One
 * family is one file; which one a request is of is told on the gate
 * (core/family.h) and stands in BEGIN.
 */
#ifndef SPAN_FAMILY_H
#define SPAN_FAMILY_H

#include "core/jscan.h"
#include "core/sse.h"

struct build;

struct family_ops {
	const char *name;
	bool	json_only;	/* answers are JSON or streams that tell their end */
	/* Takes the request's fields into the span; body.kind JNONE: no JSON. */
	void	(*request)(struct build *, struct jvalue body);
	/* A whole answer that is JSON. */
	void	(*plain)(struct build *, struct jvalue body);
	/* One event of a stream. json.kind is JOBJECT. True: it carries content
	 * (a token), so that its time counts. */
	bool	(*event)(struct build *, const struct sse_event *, struct jvalue json);
	/* After the last event: sets output and what belongs to it. */
	void	(*finish)(struct build *);
	/* Gives back family_state. May be called at any time, or never made. */
	void	(*free)(struct build *);
};

extern const struct family_ops family_chat;
extern const struct family_ops family_other;

#endif
