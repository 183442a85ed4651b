/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Responses API beside its golden spans: what is charged, rows only, the
 * ceilings of a stream, and that its cost grows with the length and no faster.
 */
#include <time.h>

#include "core/jscan.h"
#include "exchange.h"
#include "span/prices.h"
#include "span/tokens.h"
#include "tap.h"

static const struct build_options options = { .user_as_customer = true };
static const struct build_options row = { .row_only = true };

#define BEGIN(method, path) "begin\n\tWALL 1000000\n\tT_READ 10\n\tFAMILY response\n\tMETHOD " method \
	"\n\tTARGET " path "\n\tBYTES {\"model\":\"m\",\"input\":\"x\",\"note\":\"n\"}\nsend\n\tATTEMPT 1\n\tT 20\n"
#define POST BEGIN("POST", "/v1/responses")
#define GET "begin\n\tWALL 1000000\n\tT_READ 10\n\tFAMILY response\n\tMETHOD GET\n\tTARGET /v1/responses/r" \
	"\nsend\n\tATTEMPT 1\n\tT 20\n"
#define HEAD "head\n\tATTEMPT 1\n\tT 30\n\tSTATUS 200\n\tHEADERS content-type: application/json\n" \
	"part\n\tATTEMPT 1\n\tT 40\n"
#define STREAM "head\n\tATTEMPT 1\n\tT 30\n\tSTATUS 200\n\tHEADERS content-type: text/event-stream\n"
#define END "end\n\tT 50\n\tT_LAST 50\n\tREASON 0\n"
#define USAGE "\"usage\":{\"input_tokens\":3,\"output_tokens\":2}"
#define MESSAGE "\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"a\"}]}]"
#define ANSWER(id, status, more) \
	"\tBYTES {\"id\":\"" id "\",\"status\":\"" status "\"," more "}\n"

static const struct span *
built(struct ex_fed *fed, const char *text, const struct build_options *o)
{
	struct exchange *x = ex_parse(text);

	ex_feed(fed, x, o, EX_AS_IS);
	ex_free(x);
	return build_finish(fed->build);
}

static bool
is(struct slice got, const char *want)
{
	if (slice_eq(got, slice_str(want)) && (got.ptr == NULL) == (want == NULL))
		return true;
	printf("# got %.*s\n", (int)got.len, got.ptr ? got.ptr : "");
	return false;
}

static bool
slice_has(struct slice s, const char *text)
{
	if (s.len > 0 && memmem(s.ptr, s.len, text, strlen(text)) != NULL)
		return true;
	printf("# got %.*s\n", (int)s.len, s.ptr ? s.ptr : "");
	return false;
}

/* What is charged by which id, and what counts as a request. */
static void
charges(void)
{
	static const struct {
		const char	*exchange, *id;
		bool		 billable;
	} tries[] = {
		{ POST HEAD ANSWER("r", "completed", USAGE) END, "r", true },
		{ POST HEAD ANSWER("r", "incomplete", USAGE) END, "r", true },
		{ POST HEAD ANSWER("r", "failed", USAGE) END, "r", true },
		{ POST HEAD ANSWER("r", "failed", "\"usage\":null") END, NULL, true },
		{ POST HEAD ANSWER("r", "queued", "\"usage\":null") END, NULL, true },
		{ POST HEAD ANSWER("r", "in_progress", USAGE) END, NULL, true },
		{ POST HEAD ANSWER("", "completed", USAGE) END, NULL, true },
		{ GET HEAD ANSWER("r", "completed", USAGE) END, "r", true },
		{ GET HEAD ANSWER("r", "cancelled", USAGE) END, "r", true },
		{ GET HEAD ANSWER("r", "in_progress", "\"usage\":null") END, NULL, false },
		{ GET HEAD ANSWER("r", "completed", "\"usage\":null") END, NULL, false },
		{ BEGIN("POST", "/v1/responses/r/cancel") HEAD ANSWER("r", "cancelled", "\"usage\":null") END, NULL, false },
		{ BEGIN("POST", "/v1/responses/compact") HEAD "\tBYTES {\"id\":\"r\"," USAGE "}\n" END, NULL, true },
	};
	const struct span *s;
	struct ex_fed fed;
	size_t i, o;

	for (i = 0; i < sizeof(tries) / sizeof(*tries); i++)
		for (o = 0; o < 2; o++) {
			s = built(&fed, tries[i].exchange, o ? &row : &options);
			printf("# %zu\n", i);
			ok(is(s->charge_id, tries[i].id) && s->billable.v == tries[i].billable);
			ex_fed_free(&fed);
		}
}

#define LEFT(more) POST STREAM "part\n\tATTEMPT 1\n\tT 40\n" \
	"\tBYTES data: {\"type\":\"response.created\",\"response\":{\"id\":\"r\"," \
	"\"status\":\"in_progress\"" more "}}\\n\\n\n" \
	"\tBYTES data: {\"type\":\"response.output_text.delta\",\"delta\":\"a word\"}\\n\\n\n" END

/* A stream that was left is estimated, and then charged as if it had been
 * told, so that no GET adds to it; but not one that goes on without a client. */
static void
estimates(void)
{
	struct build_options counting = { .row_only = true, .tokens = tokens_new() };
	const struct span *s;
	struct ex_fed fed;

	s = built(&fed, LEFT(""), &counting);
	ok(is(s->charge_id, "r") && is(s->usage_source, "estimated") && s->completion_tokens.v == 2);
	ok(s->prompt_tokens.v == 1 + 3);
	ex_fed_free(&fed);
	s = built(&fed, LEFT(",\"background\":true"), &counting);
	ok(is(s->charge_id, NULL) && !s->usage_source.ptr && s->billable.v);
	ex_fed_free(&fed);
	s = built(&fed, POST HEAD ANSWER("r", "queued", "\"usage\":null") END, &counting);
	ok(is(s->charge_id, NULL) && !s->prompt_tokens.set);
	ex_fed_free(&fed);
	s = built(&fed, POST HEAD ANSWER("r", "completed", MESSAGE) END, &counting);
	ok(is(s->charge_id, "r") && s->completion_tokens.v == 1);
	ex_fed_free(&fed);
	s = built(&fed, GET HEAD ANSWER("r", "completed", MESSAGE) END, &counting);
	ok(is(s->charge_id, NULL) && !s->billable.v && !s->prompt_tokens.set);
	ex_fed_free(&fed);
	tokens_free(counting.tokens);
}

/* Texts that no row holds are left out, unless tokens have to be estimated. */
static void
rows(void)
{
	const char *object = "{\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"status\":\"completed\",";
	struct ex_fed fed;
	char text[2048];
	const struct span *s;

	s = built(&fed, POST HEAD ANSWER("r", "completed", MESSAGE "," USAGE) END, &row);
	ok(is(s->finish_reason, "completed") && s->completion_message.ptr == NULL && s->full_response.ptr == NULL);
	ex_fed_free(&fed);
	s = built(&fed, POST HEAD ANSWER("r", "completed", MESSAGE) END, &row);
	ok(is(s->completion_message, "{\"role\":\"assistant\",\"content\":\"a\"}"));
	ex_fed_free(&fed);
	snprintf(text, sizeof(text), "%spart\n\tATTEMPT 1\n\tT 40\n\tBYTES data: %s%s}}\\n\\n\n%s", POST STREAM,
	    object, MESSAGE "," USAGE, END);
	s = built(&fed, text, &row);
	ok(is(s->finish_reason, "completed") && is(s->status, "success") && s->output.ptr == NULL);
	ex_fed_free(&fed);
	s = built(&fed, text, &options);
	ok(is(s->completion_message, "{\"role\":\"assistant\",\"content\":\"a\"}"));
	ok(is(s->input, "{\"model\":\"m\",\"input\":\"x\"}") && is(s->note, "n"));
	ok(s->output.ptr != NULL && s->output.ptr == s->full_response.ptr);	/* one copy */
	ex_fed_free(&fed);
}

/* Nothing that is no response makes trouble. */
static void
odd_answers(void)
{
	static const char *const answers[] = {
		"[]", "{}", "{\"output\":{}}", "{\"output\":[null,1,\"x\",[],{}]}", "{\"status\":7,\"id\":[],\"usage\":[]}",
		"{\"output\":[{\"type\":\"message\",\"content\":[null,{\"type\":\"output_text\",\"text\":1}]},"
		"{\"type\":\"reasoning\",\"summary\":[1],\"content\":\"x\"},{\"type\":\"function_call\"}]}",
	};
	static const char *const events[] = {
		"{}", "{\"type\":\"response.\"}", "{\"type\":7}", "{\"type\":\"response.output_text.delta\",\"delta\":{}}",
		"{\"type\":\"response.output_item.done\",\"output_index\":-1,\"item\":7}",
		"{\"type\":\"response.output_item.added\",\"output_index\":99999999999,\"item\":{}}",
		"{\"type\":\"response.output_text.delta\",\"output_index\":1e99,\"content_index\":\"x\",\"delta\":\"a\"}",
		"{\"type\":\"response.content_part.done\",\"part\":{}}", "{\"type\":\"response.x.delta\",\"delta\":\"\"}",
		"{\"type\":\"response.completed\",\"response\":[]}", "{\"type\":\"response.output_text.delta\",\"delta\":\"tardy\"}",
	};
	char text[16384];
	const struct span *s;
	struct ex_fed fed;
	struct buf json;
	size_t i, n = 0;

	for (i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		snprintf(text, sizeof(text), "%s\tBYTES %s\n%s", POST HEAD, answers[i], END);
		s = built(&fed, text, &options);
		ok(is(s->status, "success") && is(s->output, answers[i]));
		ex_fed_free(&fed);
	}
	n = (size_t)snprintf(text, sizeof(text), "%spart\n\tATTEMPT 1\n\tT 40\n", POST STREAM);
	for (i = 0; i < sizeof(events) / sizeof(*events); i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "\tBYTES data: %s\\n\\n\n", events[i]);
	snprintf(text + n, sizeof(text) - n, "%s", END);
	s = built(&fed, text, &options);
	buf_init(&json, EX_ROOM);
	span_json(s, true, &json);
	ok(jscan_check(buf_view(&json), NULL, NULL) == JSCAN_END && is(s->status, "success"));
	ok(memmem(json.ptr, json.len, "too_many", 8) != NULL && memmem(json.ptr, json.len, "tardy", 5) == NULL);
	buf_free(&json);
	ex_fed_free(&fed);
}

/* An item that was added with no member of its own, or with none that its
 * parts do not tell; an object that has its output several times. */
static void
bare_items(void)
{
	static const struct { const char *added, *object, *output; } tries[] = {
		{ "{}", "{\"id\":\"r\",\"output\":[]}", "{\"id\":\"r\",\"output\":["
		    "{\"content\":[{\"type\":\"output_text\",\"text\":\"a\"}]}]}" },
		{ "{\"content\":[]}", "{\"output\":[]}", "{\"output\":["
		    "{\"content\":[{\"type\":\"output_text\",\"text\":\"a\"}]}]}" },
		{ "{\"x\":1}", "{\"output\":[1],\"output\":null,\"id\":\"r\",\"output\":[]}", "{\"output\":["
		    "{\"x\":1,\"content\":[{\"type\":\"output_text\",\"text\":\"a\"}]}],\"id\":\"r\"}" },
	};
	const struct span *s;
	struct ex_fed fed;
	char text[2048];
	size_t i;

	for (i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
		snprintf(text, sizeof(text), "%spart\n\tATTEMPT 1\n\tT 40\n"
		    "\tBYTES data: {\"type\":\"response.output_item.added\",\"item\":%s}\\n\\n\n"
		    "\tBYTES data: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\\n\\n\n"
		    "\tBYTES data: {\"type\":\"response.completed\",\"response\":%s}\\n\\n\n%s",
		    POST STREAM, tries[i].added, tries[i].object, END);
		s = built(&fed, text, &options);
		ok(is(s->output, tries[i].output));
		ex_fed_free(&fed);
	}
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A stream that breaks off after n deltas, whose places are (i / places)th of
 * so many, back and forth; gives how long its span took. */
static const struct span *
long_stream(struct ex_fed *fed, size_t n, const char *where, size_t places, double *took)
{
	struct exchange *x = ex_parse(POST STREAM);
	const struct span *s;
	struct buf payload, event;
	uint64_t offset = 0;
	double start;
	size_t i;

	ex_feed(fed, x, &options, EX_AS_IS);
	ex_free(x);
	buf_init(&payload, MIB);
	buf_init(&event, MIB);
	for (i = 0; i < n; i++) {
		buf_clear(&event);
		buf_printf(&event, "data: {\"type\":\"response.output_text.delta\",\"%s\":%zu,\"delta\":\"token\"}\n\n",
		    where, i * 7919 % places);
		record_put_u64(&payload, TAG_ATTEMPT, 1);
		record_put_u64(&payload, TAG_T, 100 + i);
		record_put_u64(&payload, TAG_OFFSET, offset);
		record_put(&payload, TAG_BYTES, buf_view(&event));
		offset += event.len;
		ex_give(fed, RECORD_PART, &payload);
	}
	buf_free(&event);
	start = seconds();
	s = build_finish(fed->build);
	*took = seconds() - start;
	return s;
}

/* The texts of all places, and no more than are allowed. */
static void
ceilings(void)
{
	const struct span *s;
	struct ex_fed fed;
	double took;

	s = long_stream(&fed, 5000, "output_index", 1024, &took);
	ok(s->warnings.ptr && !memmem(s->warnings.ptr, s->warnings.len, "too_many", 8));
	ok(s->completion_message.len == strlen("{\"role\":\"assistant\",\"content\":\"\"}") + 5000 * 5);
	ex_fed_free(&fed);
	s = long_stream(&fed, 5000, "output_index", 5000, &took);
	ok(memmem(s->warnings.ptr, s->warnings.len, "too_many", 8) != NULL);
	ok(s->completion_message.len == strlen("{\"role\":\"assistant\",\"content\":\"\"}") + 1024 * 5);
	ex_fed_free(&fed);
	s = long_stream(&fed, 5000, "content_index", 5000, &took);
	ok(memmem(s->warnings.ptr, s->warnings.len, "too_many", 8) != NULL);
	ok(s->completion_message.len == strlen("{\"role\":\"assistant\",\"content\":\"\"}") + 256 * 5);
	ex_fed_free(&fed);
}

static void
linear(void)
{
	struct ex_fed fed;
	double small, large;

	long_stream(&fed, 10000, "output_index", 100, &small);
	ex_fed_free(&fed);
	long_stream(&fed, 100000, "output_index", 100, &large);
	ex_fed_free(&fed);
	printf("# 10,000 events %.3f s, 100,000 events %.3f s\n", small, large);
	/* a quadratic part would make it a hundred times as long */
	ok(large < 40 * small + 0.2);
}

/* Calls of tools are counted in the output, but where the usage tells them. */
static void
tool_calls(void)
{
#define CALLS "\"output\":[{\"type\":\"web_search_call\"},{\"type\":\"web_search_call\"}]"
	static const struct prices none = { .n = 0 };
	struct build_options priced = options;
	struct ex_fed fed;
	const struct span *s;

	priced.prices = &none;
	s = built(&fed, POST HEAD ANSWER("r", "completed", USAGE "," CALLS) END, &priced);
	ok(slice_has(s->cost_details, "{\"kind\":\"web_search\",\"unit\":\"call\",\"units\":2"));
	ex_fed_free(&fed);
	s = built(&fed, POST HEAD ANSWER("r", "completed", CALLS ",\"usage\":{\"input_tokens\":3,\"output_tokens\":2,"
	    "\"server_side_tool_usage_details\":{\"web_search_calls\":1,\"x_search_calls\":0}}") END, &priced);
	ok(slice_has(s->cost_details, "{\"kind\":\"web_search\",\"unit\":\"call\",\"units\":1"));
	ex_fed_free(&fed);
}

int
main(void)
{
	tool_calls();
	charges();
	estimates();
	rows();
	odd_answers();
	bare_items();
	ceilings();
	linear();
	return done();
}
