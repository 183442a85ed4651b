/* SPDX-License-Identifier: Apache-2.0 */
/*
 * messages: what the two files of Anthropic's Messages API share: streams are
 * put together to the content that an unstreamed answer would have had, and
 * both become the span's message in one place.
 */
#ifndef SPAN_MESSAGES_H
#define SPAN_MESSAGES_H

#include "span/inner.h"

/* messages.c: sets output, completion_message and tool_calls from a message's
 * role (a string, or none: assistant) and content (a list of blocks, or a
 * string). */
void	messages_output(struct build *, struct jvalue role, struct jvalue content);

/* messages_stream.c */
bool	messages_event(struct build *, const struct sse_event *, struct jvalue);
void	messages_finish(struct build *);
void	messages_free(struct build *);

#endif
