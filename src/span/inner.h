/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inner: the state of one build, shared by the files of the builder and by
 * nobody else.
 */
#ifndef SPAN_INNER_H
#define SPAN_INNER_H

#include "core/family.h"
#include "core/jscan.h"
#include "core/sse.h"
#include "span/arena.h"
#include "span/build.h"
#include "span/family.h"
#include "span/gaps.h"
#include "span/times.h"
#include "span/usage.h"
#include "span/warn.h"

/* One SEND with its HEAD; either may be missing. */
struct attempt {
	uint64_t	number;
	bool		has_send, has_head;
	struct slice	send, head;	/* payloads */
};

/* Body bytes of one record. */
struct part {
	uint64_t	attempt;
	uint64_t	offset;		/* in the body on the wire */
	int64_t		t, held;
	struct slice	bytes;
	size_t		end;		/* of what it became in the joined body */
	bool		gap;		/* bytes before it were left out */
};

struct parts {
	struct part	*list;
	size_t		 n, cap;
};

/* A body put together and decoded. */
struct body {
	struct slice	text;		/* up to the first gap */
	struct slice	tail;		/* behind the last gap, SLICE_NONE without one */
	struct slice	type;		/* Content-Type, or SLICE_NONE */
	bool		cut;		/* not all of it is there */
	bool		opaque;		/* its coding cannot be undone */
	bool		form;		/* multipart: json is the object of its fields */
	uint64_t	length;		/* on the wire */
	struct jvalue	json;		/* JNONE when it is none */
	int64_t		t_last;		/* of its last part */
	int64_t		held;		/* sum over its parts */
};

struct build {
	struct build_options options;
	struct span	 span;
	struct arena	 arena;
	struct warnings	 warnings;
	bool		 finished;
	bool		 headless;	/* records came before a BEGIN */
	struct slice	 given;		/* payload of a SPAN; it stands for begin as well */
	struct slice	 warnings_given;	/* as they were given: text or object */
	struct span_int	 cost_given;
	struct jmember	*members;	/* of a span that was given, in its order */
	size_t		 nmembers;
	/* records */
	bool		 has_begin, has_end;
	struct slice	 begin, end;	/* payloads */
	struct attempt	*attempts;
	size_t		 nattempts, cap_attempts;
	struct parts	 request_parts, answer_parts;
	/* what they amount to */
	const struct attempt *last;	/* the attempt whose answer counts, or NULL */
	enum family	 family;
	const struct family_ops *ops;	/* never NULL */
	void		*family_state;	/* of ops */
	struct body	 request, answer;
	/* by enum record_direction: what was read of a body whose bytes need not
	 * be stored, as a JSON object; given by a FACTS record or made here */
	struct slice	 facts[2];
	struct slice	 told[2];	/* payload of that record, SLICE_NONE: the bytes are here */
	struct buf	 audio;		/* with keep_audio: its bytes */
	int64_t		 status;	/* the provider's, 0: none */
	bool		 stream;	/* the answer is an event stream */
	bool		 timed;		/* its first content is a time of its own: streams, sound */
	bool		 hidden;	/* disable_log: texts stay out of the span */
	/* what the family found in the answer */
	bool		 finish_seen;	/* it came to its end: a finish reason, a whole document */
	bool		 done_seen;	/* [DONE] */
	struct slice	 error;		/* message of an error in the answer */
	bool		 tier_told, model_told;
	struct usage	 usage;
	bool		 has_usage;
	bool		 usage_early;	/* told before the end: cumulative */
	bool		 usage_estimated;
	bool		 completion_open;	/* the completion count told is no more than a beginning */
	bool		 unfinished;	/* the answer is to be fetched later: nothing is said yet */
	struct span_int	 said_duration;	/* µs of sound, by the answer beside its usage */
	struct slice	 image_size;	/* of pictures made: "1024x1024", "hd/1024x1792" */
	struct buf	 usage_text;	/* the last usage object as it came */
	int64_t		 t_content;	/* first event with content */
	struct gaps	 gaps;
};

/* Shorthands over the arena. */
struct slice	build_text(struct build *, struct jvalue);	/* a string's characters */
struct slice	build_scalar(struct build *, struct jvalue);	/* so, or a number's text */
struct slice	build_quoted(struct build *, struct slice text);	/* text as a JSON string */
struct slice	build_take(struct build *, struct buf *);	/* its content, null when empty */

/* Makes the family's state, size zeroed bytes. True: there was none before, so
 * that its parts are still to be set up. Without memory it stays NULL. */
bool		build_state(struct build *, size_t size);

/* The value of a JSON text, JNONE if it is none; bytes that are not UTF-8 are
 * mended in a copy. */
struct jvalue	build_json(struct build *, struct slice text);

/* Notes an error message, the first one counts. */
void		 build_error(struct build *, struct slice message);
/* Notes a usage object if it is one and counts something. overlay: it may be
 * a portion of what was told before. */
void		 build_usage(struct build *, struct jvalue, bool overlay);

/* The answer's model, unless it is empty or one was told before. */
void		 build_model(struct build *, struct jvalue);
/* The answer's service tier, the first one told, in place of the request's. */
void		 build_tier(struct build *, struct jvalue);

struct audio;
/* sound.c: with keep_audio, remembers bytes of the exchange's audio. */
void		 build_keep_audio(struct build *, struct slice bytes);
/* Appends "audio_url" (if it is kept), "filename", "content_type" (null if
 * empty), "bytes" and "duration" as members, the first without a comma. */
void		 build_audio_members(struct build *, const struct audio *, struct slice filename,
		    struct slice type, struct buf *);

/* body.c: what the parts of one attempt (request: attempt 0) amount to: their
 * order and gaps, length and times; join: their bytes decoded besides. */
void		 body_survey(struct build *, struct parts *, uint64_t attempt, struct body *,
		    bool answer);
void		 body_join(struct build *, struct parts *, uint64_t attempt,
		    struct slice codings, struct body *, bool answer);

/* facts.c: takes a FACTS record in. False: it is malformed, or there was one. */
bool		 facts_feed(struct build *, struct slice payload);
/* What the body that is told by facts gave besides them: its warnings; when and
 * how an answer came and ended. */
void		 facts_replay(struct build *, enum record_direction);

/* Appends "filename", "content_type" (null if empty) and "bytes" (null for
 * UINT64_MAX). */
void		 build_file_members(struct slice filename, struct slice type, uint64_t bytes,
		    struct buf *);
/* request_form.c: reads a request that is a form; json becomes its object. */
void		 request_form(struct build *, struct slice boundary);
/* request.c */
void		 request_build(struct build *);
/* The members of a span given over the API that a request has as well. */
void		 request_given(struct build *, struct jvalue span);
/* given.c: the span of a SPAN record, before its usage is known and after */
void		 given_build(struct build *);
void		 given_finish(struct build *);
/* The member of that name, without going over the whole span for it. */
struct jvalue	 given_get(const struct build *, struct slice name);
/* given_text.c: its texts and messages */
void		 given_texts(struct build *);
/* times.c: tokens over the time in which they came */
void		 times_speed(struct build *);
/* A request's JSON object less the gateway's own members; the text itself where
 * it has none. SLICE_NONE of JNONE. */
struct slice	 request_stripped(struct build *, struct jvalue);
/* answer.c */
void		 answer_build(struct build *);
/* cost.c: after usage and status; the texts are still there */
void		 cost_build(struct build *);
/* µs of a decimal number of seconds, unset if it is none. */
struct span_int	 build_seconds(struct jvalue);
/* Sets the usage's duration from the first that is known: billed, told, or
 * measured, as "duration" in the text that says what the sound was. */
void		 build_duration(struct build *, struct slice text);
/* status.c: after the answer */
void		 status_build(struct build *);
/* meta.c: ids, attempts, headers */
void		 meta_build(struct build *);
/* trace.c: the ids of trace, span and parent, after request.c has the members. */
void		 trace_build(struct build *);
/* Reads a traceparent of any version: its trace and parent id. False: invalid. */
bool		 traceparent_read(struct slice value, struct slice *trace, struct slice *parent);
/* The value of a kept header line, SLICE_NONE if none. */
struct slice	 meta_header(struct slice lines, struct slice name);

#endif
