/* SPDX-License-Identifier: Apache-2.0 */
/*
 * response: the Responses API. Its answers are response objects, whole or at
 * the end of a stream; where a stream broke off, or its last object has no
 * items, they are put together from the items and deltas that came. Texts are
 * kept as they stand between the quotes of their JSON strings.
 */
#ifndef SPAN_RESPONSE_H
#define SPAN_RESPONSE_H

#include "span/inner.h"

#define RESPONSE_ITEMS 1024	/* of one answer; also the highest output_index + 1 */
#define RESPONSE_PARTS 256	/* of one item: contents, summaries, texts */

/* Where in an item a text belongs: a member of the item itself, or an element
 * of one of its lists. */
enum response_place { PLACE_ITEM, PLACE_CONTENT, PLACE_SUMMARY };

/* A member that deltas are joined to. */
struct response_text {
	struct slice	name;		/* ptr NULL: none yet */
	struct buf	text;		/* inside of a JSON string */
};

struct response_part {
	enum response_place place;
	int64_t		index;		/* in its list; of PLACE_ITEM 0 */
	struct slice	type;		/* of a list's element */
	struct response_text texts[2];	/* the second: the transcript of sound */
	struct buf	annotations, logprobs;	/* elements with commas between */
	struct buf	whole;		/* JSON text, once it was told to be done */
};

struct response_item {
	struct buf	text;		/* JSON text as it was added or done */
	bool		done;		/* it is whole: its parts do not count */
	struct slice	id, type;	/* by its deltas, where it was never added */
	struct response_part *parts;
	size_t		 n, cap, recent;
};

struct response_stream {
	struct buf	object;		/* JSON text of the last response object */
	bool		ended;		/* that one came with the last event */
	struct response_item *items;	/* by output_index */
	size_t		 n, cap, recent;
};

/* response_stream.c */
bool	response_event(struct build *, const struct sse_event *, struct jvalue);
/* NULL: no event came, or no memory. */
struct response_stream *response_state(const struct build *);
void	response_free(struct build *);
/* The sum of a stream: its last response object (or JNONE) as it was told where
 * it has items, else with those that came. JNONE: nothing did. */
struct jvalue response_document(struct build *, struct response_stream *, struct jvalue object);

/* response_item.c */
void	response_item_free(struct response_item *);
/* The event response.STEM.delta: adds its text. */
void	response_item_delta(struct build *, struct response_item *, struct slice stem, struct jvalue event);
/* The events response.STEM.done and .added. */
void	response_item_done(struct build *, struct response_item *, struct slice stem, struct jvalue event);
void	response_item_added(struct build *, struct response_item *, struct slice stem, struct jvalue event);
/* Appends the item as far as it came; false: there is nothing of it. */
bool	response_item_json(struct build *, struct response_item *, struct buf *out);

/* response_message.c: sets completion_message and tool_calls, in chat's form,
 * from the list of an answer's items. */
void	response_message(struct build *, struct jvalue output);

#endif
