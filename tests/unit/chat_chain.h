/* SPDX-License-Identifier: Apache-2.0 */
/* chat_chain: the records of a chat of which a test gives the words, as the store keeps them. */
#ifndef CHAT_CHAIN_H
#define CHAT_CHAIN_H

#include "exchange.h"

static inline void
chat_chain_put(struct buf *out, const struct record *r)
{
	char *head = buf_reserve(out, RECORD_HEAD);

	assert(head != NULL);
	record_head(head, r->type, 0, r->id, r->prev, r->payload, SLICE_NONE);
	out->len += RECORD_HEAD;
	buf_slice(out, r->payload);
}

/* Appends the chain and has its span (in `fed`, to be freed) as the sink builds
 * it. The texts stand in JSON strings as they are. */
static inline const struct span *
chat_chain(const char *asked, const char *said, struct ex_fed *fed, struct buf *out)
{
	static const struct build_options options = { .row_only = true, .texts = true };
	struct exchange *x;
	struct buf text;

	buf_init(&text, EX_ROOM);
	buf_printf(&text, "begin\n\tWALL 1763665501000000\n\tTENANT default\n\tFAMILY chat\n\tMETHOD POST\n"
	    "\tTARGET /v1/chat/completions\n\tPROVIDER openai\n\tT_READ 2000\n\tHEADERS content-type: application/json\n"
	    "\tBYTES {\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"%s\"}]}\n"
	    "send\n\tT 2500\n\tATTEMPT 1\n\tPROVIDER openai\n\tURL https://api.openai.com/v1/chat/completions\n"
	    "head\n\tT 50000\n\tATTEMPT 1\n\tSTATUS 200\n\tHEADERS content-type: application/json\n"
	    "part\n\tT 52000\n\tATTEMPT 1\n\tBYTES {\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":"
	    "{\"role\":\"assistant\",\"content\":\"%s\"},\"finish_reason\":\"stop\"}],"
	    "\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4,\"total_tokens\":7}}\n"
	    "end\n\tREASON 1\n\tT 60000\n", asked, said);
	buf_append(&text, "", 1);
	x = ex_parse(text.ptr);
	assert(x != NULL);
	ex_feed(fed, x, &options, EX_AS_IS);
	for (size_t i = 0; i < fed->n; i++)
		chat_chain_put(out, &fed->list[i]);
	ex_free(x);
	buf_free(&text);
	return build_finish(fed->build);
}

#endif
