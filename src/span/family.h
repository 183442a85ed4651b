/* SPDX-License-Identifier: Apache-2.0 */
/*
 * family: what one family of API knows about its requests and answers. One
 * family is one file and one row of core/family.tbl.h; which one a request is
 * of is told on the gate (core/family.h) and stands in BEGIN.
 */
#ifndef SPAN_FAMILY_H
#define SPAN_FAMILY_H

#include "core/family.h"
#include "core/jscan.h"
#include "core/sse.h"
#include "span/usage.h"

struct build;

enum { ESTIMATE_PROMPT = 1, ESTIMATE_COMPLETION = 2 };

/* Members may be NULL where it is not said otherwise. */
struct family_ops {
	bool	json_only;	/* whole answers are JSON */
	unsigned estimates;	/* ESTIMATE_*: what can be counted where no usage was told */
	bool	stream_ends;	/* streams tell their end: without it they were cut */
	/* Takes the request's fields into the span; body.kind JNONE: no JSON. A
	 * form comes as the object of its fields (span/form.h). Never NULL. */
	void	(*request)(struct build *, struct jvalue body);
	/* A whole answer that is JSON, and lives as long as the build. Never NULL. */
	void	(*plain)(struct build *, struct jvalue body);
	/* A whole answer that is other text; NULL: it is the span's output. */
	void	(*text)(struct build *, struct slice body);
	/* The next bytes of an answer that is no text (audio), with its coding
	 * undone. True: it carries content. NULL: such an answer is not looked at. */
	bool	(*bytes)(struct build *, struct slice piece);
	/* One event of a stream. json.kind is JOBJECT; what is to stay of it must
	 * be copied. True: it carries content (a token), so that its time counts.
	 * Never NULL. */
	bool	(*event)(struct build *, const struct sse_event *, struct jvalue json);
	/* After the last event or piece, also of an answer that broke off: sets
	 * output and what belongs to it. Never NULL. */
	void	(*finish)(struct build *);
	/* What output tokens are where the usage does not tell. */
	enum usage_output output;
	/* Sets in b->usage what is billed and no token: characters, seconds, images,
	 * calls; and b->image_size. After finish, where the cost is wanted. */
	void	(*measure)(struct build *);
	/* Gives back family_state. May be called at any time, or never made. */
	void	(*free)(struct build *);
};

/* The families' own: each is in the file of its name. */
#define FAMILY(symbol, name, log_type, ops, ...) extern const struct family_ops family_##ops;
#include "core/family.tbl.h"
#undef FAMILY

/* The ops of a family, never NULL. */
const struct family_ops *family_ops(enum family);

#endif
