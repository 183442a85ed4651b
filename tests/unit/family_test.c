/* SPDX-License-Identifier: Apache-2.0 */
/* family: paths of each API, and that the names find their way back. */
#include "core/family.h"

#include "tap.h"

static const struct {
	const char	*path;
	enum family	 want;
} tries[] = {
	{ "/v1/chat/completions", FAMILY_CHAT },
	{ "/v1/chat/completions/", FAMILY_CHAT },
	{ "/chat/completions", FAMILY_CHAT },
	{ "/openai/deployments/x/chat/completions", FAMILY_CHAT },
	{ "/models/x/chat/completions", FAMILY_CHAT },
	{ "/api/v1/chat/completions", FAMILY_CHAT },
	{ "/v1beta/openai/chat/completions", FAMILY_CHAT },
	{ "/v1/completions", FAMILY_COMPLETION },
	{ "/openai/deployments/chat/completions", FAMILY_CHAT },
	{ "/v1/xchat/completions", FAMILY_COMPLETION },
	{ "/v1/responses", FAMILY_RESPONSE },
	{ "/v1/responses/resp_1", FAMILY_OTHER },
	{ "/v1/responses/resp_1/cancel", FAMILY_RESPONSE },
	{ "/v1/responses/compact", FAMILY_RESPONSE },
	{ "/v1/responses/input_tokens", FAMILY_OTHER },
	{ "/v1/rerank", FAMILY_RERANK },
	{ "/v1/responses//cancel", FAMILY_OTHER },
	{ "/v1/embeddings", FAMILY_EMBEDDING },
	{ "/v1/audio/speech", FAMILY_SPEECH },
	{ "/v1/audio/transcriptions", FAMILY_TRANSCRIPTION },
	{ "/v1/audio/transcription", FAMILY_TRANSCRIPTION },
	{ "/v1/audio/translations", FAMILY_TRANSCRIPTION },
	{ "/v1/messages", FAMILY_MESSAGES },
	{ "/v1/messages/", FAMILY_MESSAGES },
	{ "/v1/messages/count_tokens", FAMILY_OTHER },
	{ "/v1/messages/batches", FAMILY_OTHER },
	{ "/v1/threads/t/messages", FAMILY_OTHER },
	{ "/v1/images/generations", FAMILY_IMAGE },
	{ "/v1/images/edits", FAMILY_IMAGE },
	{ "/v1/images/variations", FAMILY_IMAGE },
	{ "/v1/models", FAMILY_OTHER },
	{ "/v1/chat/completions/chatcmpl-1", FAMILY_OTHER },
	{ "/v1/chat/completions//", FAMILY_OTHER },
	{ "/v1/Chat/Completions", FAMILY_OTHER },
	{ "/v1/mycompletions", FAMILY_OTHER },
	{ "completions", FAMILY_OTHER },
	{ "/", FAMILY_OTHER },
	{ "", FAMILY_OTHER },
	{ "*", FAMILY_OTHER },
};

static void
paths(void)
{
	size_t i;

	for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		tap_ok(family_of(SLICE("POST"), slice_str(tries[i].path)) ==
		    tries[i].want, __FILE__, __LINE__, tries[i].path);
	}
	ok(family_of(SLICE("GET"), SLICE("/v1/chat/completions")) == FAMILY_OTHER);
	ok(family_of(SLICE("post"), SLICE("/v1/chat/completions")) == FAMILY_OTHER);
	ok(family_of(SLICE("DELETE"), SLICE("/v1/responses")) == FAMILY_OTHER);
	ok(family_of(SLICE("GET"), SLICE("/v1/responses/resp_1")) == FAMILY_RESPONSE);
	ok(family_of(SLICE("DELETE"), SLICE("/v1/responses/resp_1")) == FAMILY_OTHER);
	ok(family_of(SLICE("GET"), SLICE("/v1/responses/resp_1/input_items")) == FAMILY_OTHER);
}

static void
names(void)
{
	unsigned i;

	for (i = 0; i < FAMILY_COUNT; i++)
		ok(family_by_name(slice_str(family_name((enum family)i))) == i);
	ok(family_by_name(SLICE("nonsense")) == FAMILY_OTHER);
	ok(family_by_name(SLICE_NONE) == FAMILY_OTHER);
	ok(slice_eq(slice_str(family_log_type(FAMILY_MESSAGES)), SLICE("chat")));
	ok(slice_eq(slice_str(family_name((enum family)99)), SLICE("other")));
	ok(slice_eq(slice_str(family_log_type((enum family)99)), SLICE("other")));
	ok(family_has_breakdown(FAMILY_CHAT) && family_has_breakdown(FAMILY_EMBEDDING));
	ok(!family_has_breakdown(FAMILY_SPEECH) && !family_has_breakdown(FAMILY_OTHER));
}

int
main(void)
{
	paths();
	names();
	return done();
}
