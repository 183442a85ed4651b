/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chat: one choice of a chat answer as it is put together from deltas. Texts
 * are kept as they stand between the quotes of their JSON strings: joined they
 * are the inside of one JSON string, and nothing is decoded.
 */
#ifndef SPAN_CHAT_H
#define SPAN_CHAT_H

#include "span/inner.h"
#include "span/rest.h"

#define CHAT_CHOICES 256	/* n is at most 128 with OpenAI */
#define CHAT_CALLS 1024		/* tool calls of one choice */

struct chat_call {
	int64_t		 key;		/* its index, or its place */
	struct slice	 id, type;	/* inside of JSON strings; ptr NULL: none yet */
	struct buf	 name, arguments;
	bool		 custom;	/* {"custom":{name,input}} */
	struct rest	 rest;
};

/* Arrays that come in pieces and are joined: of the message, then of the
 * choice's logprobs. */
enum chat_array {
	CHAT_ANNOTATIONS, CHAT_REASONING_DETAILS, CHAT_IMAGES,
	CHAT_CONTENT_PARTS,	/* of a content that is a list: neither text nor thinking */
	CHAT_MESSAGE_ARRAYS,
	CHAT_LOGPROBS_CONTENT = CHAT_MESSAGE_ARRAYS, CHAT_LOGPROBS_REFUSAL, CHAT_ARRAYS
};

struct chat_choice {
	int64_t		 index;
	struct slice	 role, finish_reason;	/* insides */
	bool		 has_content, has_call, has_audio;
	bool		 block_open;		/* the last thinking block waits for more */
	struct buf	 content, reasoning, refusal, blocks;
	struct buf	 call_name, call_arguments;	/* function_call */
	struct slice	 audio_id;
	struct buf	 transcript, sound;	/* of audio; sound: base64 pieces behind each other */
	struct rest	 message_rest, audio_rest, rest;	/* of deltas, their audio, and the choice */
	struct buf	 arrays[CHAT_ARRAYS];
	struct chat_call *calls;
	size_t		 ncalls, cap_calls;
};

struct chat_stream {
	struct chat_choice **choices;
	size_t		 n, cap;
	size_t		 recent;	/* the choice of the last delta */
	struct slice	 created;	/* a number's text */
	struct rest	 rest;		/* of the chunks */
};

/* chat_merge.c */
void	chat_choice_init(struct chat_choice *);
void	chat_choice_free(struct chat_choice *);
/* Adds a delta. True: it carries content. */
bool	chat_choice_add(struct build *, struct chat_choice *, struct jvalue delta);
/* Adds text of the completions' shape. */
bool	chat_choice_text(struct chat_choice *, struct jvalue text);
/* Appends the message as one JSON object; of its tool calls alone. */
void	chat_choice_message(struct chat_choice *, struct buf *);
void	chat_choice_calls(const struct chat_choice *, struct buf *);
/* Adds a choice's logprobs; appends them all as ,"logprobs":… */
void	chat_choice_logprobs(struct chat_choice *, struct jvalue logprobs);
void	chat_choice_logprobs_json(const struct chat_choice *, struct buf *);

/* chat_stream.c */
bool	chat_event(struct build *, const struct sse_event *, struct jvalue);
void	chat_finish(struct build *);
void	chat_free(struct build *);

#endif
