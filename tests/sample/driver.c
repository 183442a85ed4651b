/* SPDX-License-Identifier: Apache-2.0 */
/* driver.c: an exchange of the sample family, whole and as a stream, through
 * the library that was built with it. Run by tests/families.sh. */
#include "core/family.h"
#include "../unit/exchange.h"
#include "tap.h"

#define ASKED "begin\n\tWALL 1000000\n\tT_READ 10\n\tFAMILY sample\n\tTARGET /v1/questions\n" \
	"\tBYTES {\"model\":\"m\",\"question\":\"Why?\"}\nsend\n\tATTEMPT 1\n\tT 20\n" \
	"head\n\tATTEMPT 1\n\tT 30\n\tSTATUS 200\n\tHEADERS content-type: "
#define PART "\npart\n\tATTEMPT 1\n\tT 40\n\tBYTES "
#define ANSWER "{\"answer\":\"So.\",\"model\":\"m-1\",\"usage\":{\"prompt_tokens\":2,\"completion_tokens\":3}}"
#define END "\nend\n\tT 50\n\tT_LAST 50\n\tREASON 0\n"

static void
asked(const char *text, bool stream)
{
	static const struct build_options options = { .user_as_customer = true };
	struct exchange *x = ex_parse(text);
	const struct span *s;
	struct ex_fed fed;

	ex_feed(&fed, x, &options, EX_AS_IS);
	s = build_finish(fed.build);
	ok(slice_eq(s->log_type, SLICE("sampled")));
	ok(slice_eq(s->input, SLICE("\"Why?\"")) && slice_eq(s->output, SLICE("\"So.\"")));
	ok(slice_eq(s->model, SLICE("m-1")) && s->prompt_tokens.v == 2 && s->completion_tokens.v == 3);
	ok(slice_eq(s->status, SLICE("success")) && s->stream.v == stream);
	ex_fed_free(&fed);
	ex_free(x);
}

int
main(void)
{
	ok(family_of(SLICE("POST"), SLICE("/v1/questions")) == FAMILY_SAMPLE);
	ok(family_of(SLICE("POST"), SLICE("/v1/chat/completions")) == FAMILY_CHAT);
	asked(ASKED "application/json" PART ANSWER END, false);
	asked(ASKED "text/event-stream" PART "data: " ANSWER "\\n\\n" END, true);
	return done();
}
