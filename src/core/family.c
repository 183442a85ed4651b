/* SPDX-License-Identifier: Apache-2.0 */
/*
 * family: tells the API family of a request from its method and the tail of
 * its path, so that Azure's deployment paths and providers with another root
 * are understood as well. Called once a request by the gate, and by the
 * builder for the names.
 */
#include "core/family.h"

static const struct {
	const char	*name;
	const char	*log_type;
} families[FAMILY_COUNT] = {
#define FAMILY(symbol, name, log_type) [FAMILY_##symbol] = { name, log_type },
#include "core/family.tbl.h"
#undef FAMILY
};

#define TAIL(text, family) { { text, sizeof(text) - 1 }, family }

/* The first tail that matches counts: "chat/completions" also ends in
 * "completions". */
static const struct {
	struct slice	tail;
	enum family	family;
} tails[] = {
	TAIL("/chat/completions", FAMILY_CHAT),
	TAIL("/completions", FAMILY_COMPLETION),
	TAIL("/responses", FAMILY_RESPONSE),
	TAIL("/embeddings", FAMILY_EMBEDDING),
	TAIL("/audio/speech", FAMILY_SPEECH),
	TAIL("/audio/transcriptions", FAMILY_TRANSCRIPTION),
	TAIL("/audio/transcription", FAMILY_TRANSCRIPTION),
	TAIL("/audio/translations", FAMILY_TRANSCRIPTION),
	TAIL("/v1/messages", FAMILY_MESSAGES),
	TAIL("/images/generations", FAMILY_IMAGE),
	TAIL("/images/edits", FAMILY_IMAGE),
	TAIL("/images/variations", FAMILY_IMAGE),
};

enum family
family_of(struct slice method, struct slice path)
{
	size_t i;

	if (!slice_eq(method, SLICE("POST")))
		return FAMILY_OTHER;
	if (path.len > 1 && path.ptr[path.len - 1] == '/')
		path.len--;
	for (i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
		if (slice_ends(path, tails[i].tail))
			return tails[i].family;
	return FAMILY_OTHER;
}

const char *
family_name(enum family f)
{
	return families[f < FAMILY_COUNT ? f : FAMILY_OTHER].name;
}

const char *
family_log_type(enum family f)
{
	return families[f < FAMILY_COUNT ? f : FAMILY_OTHER].log_type;
}

enum family
family_by_name(struct slice name)
{
	unsigned i;

	for (i = 0; i < FAMILY_COUNT; i++)
		if (slice_eq(name, slice_str(families[i].name)))
			return (enum family)i;
	return FAMILY_OTHER;
}
