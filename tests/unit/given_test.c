/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What spans that are given over the API come to: each case is a span as it was
 * sent and the fields that it must have, as JSON; and what is refused.
 */
#include <stdlib.h>
#include <string.h>

#include "core/jscan.h"
#include "core/record.h"
#include "span/build.h"
#include "span/given.h"
#include "tap.h"

#define ROOM (4u << 20)
#define ARRIVAL UINT64_C(1764000000000000)	/* 2025-11-24T16:00:00Z */

static struct buf payload;

static struct build *
built(struct slice json, bool row_only)
{
	const struct build_options options = { .user_as_customer = true, .row_only = row_only };
	struct build *b = build_new(&options);
	struct record r = { .type = RECORD_SPAN, .id = { 1, 2, 3 } };

	buf_init(&payload, ROOM);
	record_put_u64(&payload, TAG_WALL, ARRIVAL);
	record_put(&payload, TAG_LOG_METHOD, SLICE("logging_api"));
	record_put(&payload, TAG_BYTES, json);
	r.payload = buf_view(&payload);
	build_feed(b, &r);
	(void)build_finish(b);
	return b;
}

static void
done_with(struct build *b)
{
	build_free(b);
	buf_free(&payload);
}

/* Has the span of `sent` each member of the object `want`, as it is written there? */
static void
becomes(const char *what, const char *sent, const char *want)
{
	struct build *b = built(slice_str(sent), false);
	const struct span *s = build_finish(b);
	struct jvalue members;
	struct jmember m;
	struct jiter it;
	struct buf value;
	bool good = jscan_check(slice_str(want), &members, NULL) == JSCAN_END;

	buf_init(&value, ROOM);
	for (jiter_init(&it, members); good && jiter_next(&it, &m);) {
		int field = span_field_by_name(m.key);

		buf_clear(&value);
		if (field >= 0)
			span_value_json(s, field, &value);
		if (field < 0 || !slice_eq(buf_view(&value), m.value.text)) {
			printf("# %.*s is %.*s\n", (int)m.key.len, m.key.ptr, (int)value.len, value.ptr ? value.ptr : "");
			good = false;
		}
	}
	tap_ok(good, __FILE__, __LINE__, what);
	buf_free(&value);
	done_with(b);
}

static void
test_texts(void)
{
	becomes("messages in and out", "{\"input\":[{\"role\":\"user\",\"content\":\"q\"}],\"output\":{\"role\":\"assistant\",\"content\":\"a\"}}",
	    "{\"log_type\":\"chat\",\"log_method\":\"logging_api\",\"prompt_messages\":[{\"role\":\"user\",\"content\":\"q\"}],"
	    "\"completion_message\":{\"role\":\"assistant\",\"content\":\"a\"}}");
	becomes("bare texts", "{\"input\":\"q\",\"output\":\"a\"}", "{\"input\":\"q\",\"output\":\"a\","
	    "\"prompt_messages\":[{\"role\":\"user\",\"content\":\"q\"}],\"completion_message\":{\"role\":\"assistant\",\"content\":\"a\"}}");
	becomes("JSON in strings is read, and kept as sent",
	    "{\"input\":\"[{\\\"role\\\":\\\"user\\\",\\\"content\\\":\\\"q\\\"}]\",\"output\":\"{\\\"role\\\":\\\"assistant\\\"}\"}",
	    "{\"input\":\"[{\\\"role\\\":\\\"user\\\",\\\"content\\\":\\\"q\\\"}]\",\"prompt_messages\":[{\"role\":\"user\",\"content\":\"q\"}],"
	    "\"completion_message\":{\"role\":\"assistant\"}}");
	becomes("older names", "{\"prompt_messages\":[{\"role\":\"user\"}],\"completion_message\":{\"role\":\"assistant\"}}",
	    "{\"input\":[{\"role\":\"user\"}],\"output\":{\"role\":\"assistant\"}}");
	becomes("messages", "{\"messages\":[{\"role\":\"user\"}]}", "{\"input\":[{\"role\":\"user\"}],\"prompt_messages\":[{\"role\":\"user\"}]}");
	becomes("elements of three kinds", "{\"prompt_messages\":[{\"a\":1},\"b\",\"{\\\"c\\\":2}\"]}",
	    "{\"prompt_messages\":[{\"a\":1},{\"role\":\"user\",\"content\":\"b\"},{\"c\":2}]}");
	becomes("out of the provider's own bodies", "{\"full_request\":{\"messages\":[{\"role\":\"user\"}],\"tools\":[1],\"model\":\"m\"},"
	    "\"full_response\":{\"choices\":[{\"message\":{\"role\":\"assistant\",\"tool_calls\":[2]}}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}}",
	    "{\"input\":[{\"role\":\"user\"}],\"output\":{\"role\":\"assistant\",\"tool_calls\":[2]},\"tools\":[1],\"tool_calls\":[2],\"model\":\"m\","
	    "\"prompt_tokens\":3,\"completion_tokens\":4,\"total_request_tokens\":7}");
	becomes("null is absent", "{\"input\":null,\"messages\":[{\"a\":1}],\"output\":null,\"model\":null}",
	    "{\"input\":[{\"a\":1}],\"output\":null,\"model\":null}");
	becomes("of a tool no messages are made", "{\"log_type\":\"tool\",\"input\":{\"x\":1},\"output\":\"y\"}",
	    "{\"input\":{\"x\":1},\"output\":\"y\",\"prompt_messages\":null,\"completion_message\":null}");
	becomes("every digit", "{\"log_type\":\"embedding\",\"input\":\"x\",\"output\":[-4.547132266452536e-05,1.50,123456789012345678901]}",
	    "{\"output\":[-4.547132266452536e-05,1.50,123456789012345678901]}");
	becomes("no texts with disable_log", "{\"input\":\"q\",\"output\":\"a\",\"disable_log\":true,\"prompt_tokens\":4,\"metadata\":{\"k\":\"v\"}}",
	    "{\"input\":null,\"output\":null,\"prompt_messages\":null,\"completion_message\":null,\"prompt_tokens\":4,\"metadata\":{\"k\":\"v\"}}");
}

static void
test_names(void)
{
	becomes("customer_params", "{\"customer_params\":{\"customer_identifier\":\"c\",\"name\":\"N\",\"email\":\"e@x\"}}",
	    "{\"customer_identifier\":\"c\",\"customer_name\":\"N\",\"customer_email\":\"e@x\"}");
	becomes("the top level is stronger", "{\"customer_identifier\":\"top\",\"customer_params\":{\"customer_identifier\":\"c\"}}",
	    "{\"customer_identifier\":\"top\"}");
	becomes("nested params", "{\"respan_params\":{\"thread_identifier\":\"r\",\"custom_identifier\":\"r\"},\"keywordsai_params\":{\"custom_identifier\":\"k\","
	    "\"group_identifier\":\"k\"},\"extra_body\":{\"environment\":\"dev\",\"group_identifier\":\"x\"}}",
	    "{\"thread_identifier\":\"r\",\"custom_identifier\":\"r\",\"group_identifier\":\"k\",\"environment\":\"dev\"}");
	becomes("numbers where texts are meant", "{\"custom_identifier\":12.50,\"thread_identifier\":7}",
	    "{\"custom_identifier\":\"12.50\",\"thread_identifier\":\"7\"}");
	becomes("metadata becomes text, properties stay", "{\"metadata\":{\"n\":1.50,\"t\":true,\"z\":null,\"l\":[1, 2],\"s\":\"x\"},\"properties\":{\"n\":1.50,\"t\":true}}",
	    "{\"metadata\":{\"n\":\"1.50\",\"t\":\"true\",\"l\":\"[1,2]\",\"s\":\"x\"},\"properties\":{\"n\":1.50,\"t\":true}}");
	becomes("a trace", "{\"trace_unique_id\":\"t\",\"span_unique_id\":\"s\",\"span_parent_id\":\"p\",\"span_name\":\"n\",\"span_workflow_name\":\"w\",\"span_path\":\"a.b\"}",
	    "{\"trace_unique_id\":\"t\",\"span_unique_id\":\"s\",\"span_parent_id\":\"p\",\"span_name\":\"n\",\"span_workflow_name\":\"w\",\"span_path\":\"a.b\"}");
	becomes("what the request said", "{\"temperature\":0.70,\"top_p\":1,\"max_tokens\":5,\"stop\":\"x\",\"tool_choice\":\"auto\",\"stream\":true,"
	    "\"variables\":{\"a\":1},\"prompt_id\":\"p\",\"response_format\":{\"type\":\"json_object\"}}",
	    "{\"temperature\":0.70,\"top_p\":1,\"max_tokens\":5,\"stop\":[\"x\"],\"tool_choice\":\"auto\",\"stream\":true,\"variables\":{\"a\":1},"
	    "\"prompt_id\":\"p\",\"response_format\":{\"type\":\"json_object\"}}");
	becomes("what people say of it", "{\"positive_feedback\":true,\"note\":\"n\",\"is_pinned\":true,\"blurred\":false}",
	    "{\"positive_feedback\":true,\"note\":\"n\",\"is_pinned\":true,\"blurred\":false}");
	becomes("switches in strings", "{\"stream\":\"true\",\"blurred\":\"False\"}", "{\"stream\":true,\"blurred\":false}");
	becomes("no environment", "{}", "{\"environment\":\"prod\"}");
}

static void
test_types(void)
{
	static const char *const same[] = { "chat", "completion", "text", "response", "embedding", "transcription", "speech", "workflow",
	    "agent", "task", "tool", "function", "generation", "handoff", "guardrail", "custom", "CHAT", "Task" };
	char sent[80], want[80];

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		snprintf(sent, sizeof(sent), "{\"log_type\":\"%s\"}", same[i]);
		snprintf(want, sizeof(want), "{\"log_type\":\"%s\",\"warnings\":null}", same[i]);
		becomes(same[i], sent, want);
	}
	becomes("trace", "{\"log_type\":\"trace\"}", "{\"log_type\":\"workflow\"}");
	becomes("step", "{\"log_type\":\"step\"}", "{\"log_type\":\"task\"}");
	becomes("llm", "{\"log_type\":\"llm\"}", "{\"log_type\":\"generation\"}");
	becomes("model", "{\"log_type\":\"model\"}", "{\"log_type\":\"generation\"}");
	becomes("none", "{\"log_type\":\"\"}", "{\"log_type\":\"chat\"}");
	becomes("not a model's work", "{\"log_type\":\"task\"}", "{\"billable\":false,\"cost\":null}");
	becomes("but for what it used", "{\"log_type\":\"task\",\"prompt_tokens\":1}", "{\"billable\":true}");
	becomes("or cost", "{\"log_type\":\"task\",\"cost\":0.000000000001}", "{\"billable\":true,\"cost\":0.000000000001,\"cost_source\":\"given\"}");
	becomes("cost 0 is 0", "{\"cost\":0}", "{\"cost\":0,\"cost_source\":\"given\"}");
}

static void
test_usage(void)
{
	becomes("usage", "{\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":5,\"total_tokens\":15,\"prompt_tokens_details\":{\"cached_tokens\":4}}}",
	    "{\"prompt_tokens\":10,\"completion_tokens\":5,\"total_request_tokens\":15,\"prompt_cache_hit_tokens\":4}");
	becomes("of another API", "{\"usage\":{\"input_tokens\":10,\"output_tokens\":5,\"cache_read_input_tokens\":3,\"cache_creation_input_tokens\":2}}",
	    "{\"completion_tokens\":5,\"prompt_cache_hit_tokens\":3,\"prompt_cache_creation_tokens\":2}");
	becomes("by themselves", "{\"prompt_tokens\":\"7\",\"completion_tokens\":1,\"prompt_cache_hit_tokens\":2,\"reasoning_tokens\":1}",
	    "{\"prompt_tokens\":7,\"completion_tokens\":1,\"total_request_tokens\":8,\"prompt_cache_hit_tokens\":2,\"reasoning_tokens\":1}");
	becomes("they are stronger", "{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2},\"prompt_tokens\":9}",
	    "{\"prompt_tokens\":9,\"completion_tokens\":2}");
	becomes("below nothing is nothing", "{\"prompt_tokens\":-1}", "{\"prompt_tokens\":null}");
	becomes("none", "{}", "{\"prompt_tokens\":null,\"usage\":null,\"cost\":null}");
}

static void
test_times(void)
{
	becomes("end and latency", "{\"timestamp\":\"2026-11-20T12:00:01.500Z\",\"latency\":1.5}",
	    "{\"start_time\":\"2026-11-20T12:00:00.000000Z\",\"timestamp\":\"2026-11-20T12:00:01.500000Z\",\"latency\":1.5}");
	becomes("start and latency", "{\"start_time\":\"2026-11-20T12:00:00Z\",\"generation_time\":\"0.25\"}",
	    "{\"timestamp\":\"2026-11-20T12:00:00.250000Z\",\"latency\":0.25}");
	becomes("start and end", "{\"start_time\":\"2026-11-20T14:00:00+02:00\",\"timestamp\":\"2026-11-20T12:00:02\"}",
	    "{\"start_time\":\"2026-11-20T12:00:00.000000Z\",\"latency\":2}");
	becomes("none: as it came", "{}", "{\"start_time\":\"2025-11-24T16:00:00.000000Z\",\"timestamp\":\"2025-11-24T16:00:00.000000Z\",\"latency\":null}");
	becomes("first token", "{\"ttft\":0.5,\"latency\":1.5,\"completion_tokens\":10}", "{\"time_to_first_token\":0.5,\"tokens_per_second\":10}");
	becomes("a speed that was told", "{\"tokens_per_second\":12.25,\"latency\":1,\"completion_tokens\":10}", "{\"tokens_per_second\":12.25}");
}

static void
test_status(void)
{
	becomes("none", "{}", "{\"status_code\":200,\"status\":\"success\",\"error_message\":null}");
	becomes("from the code", "{\"status_code\":429,\"error_message\":\"slow\"}", "{\"status_code\":429,\"status\":\"error\",\"error_message\":\"slow\"}");
	becomes("the code from it", "{\"status\":\"error\"}", "{\"status_code\":500,\"status\":\"error\"}");
	becomes("a code that is none", "{\"status_code\":7}", "{\"status_code\":400,\"status\":\"error\"}");
	becomes("both stay where they differ", "{\"status_code\":200,\"status\":\"error\"}", "{\"status_code\":200,\"status\":\"error\"}");
	becomes("warnings that were sent", "{\"warnings\":\"w\"}", "{\"warnings\":\"w\"}");
	becomes("of an object too", "{\"warnings\":{\"a\":\"b\"}}", "{\"warnings\":{\"a\":\"b\"}}");
}

static bool
warns(const char *sent, const char *code)
{
	struct build *b = built(slice_str(sent), false);
	struct slice w = build_finish(b)->warnings;
	bool found = w.ptr && memmem(w.ptr, w.len, code, strlen(code)) != NULL;

	done_with(b);
	return found;
}

static bool
extra_is(const char *sent, const char *extra)
{
	struct build *b = built(slice_str(sent), false);
	bool equal = slice_eq(build_finish(b)->extra, slice_str(extra));

	done_with(b);
	return equal;
}

static void
test_rest(void)
{
	char long_id[400], sent[480];

	ok(warns("{\"status_code\":200,\"status\":\"error\"}", "status_differs"));
	ok(warns("{\"status_code\":1000}", "status_code_odd"));
	ok(warns("{\"log_type\":\"nonsense\"}", "log_type_unknown"));
	ok(warns("{\"start_time\":\"2026-11-20T12:00:02Z\",\"timestamp\":\"2026-11-20T12:00:00Z\"}", "start_after_end"));
	ok(!warns("{\"model\":\"m\",\"cache_enabled\":true}", "member_ignored"));
	memset(long_id, 'x', 300);
	long_id[300] = '\0';
	snprintf(sent, sizeof(sent), "{\"customer_identifier\":\"%s\"}", long_id);
	ok(warns(sent, "customer_identifier_cut"));
	ok(extra_is("{\"model\":\"m\",\"of_mine\":{\"a\":[1.50]},\"usage\":{},\"nothing\":null,\"too\":\"x\"}",
	    "{\"of_mine\":{\"a\":[1.50]},\"too\":\"x\"}"));
	ok(extra_is("{\"digest\":1,\"\\u0066inish_reason\":\"x\",\"usage_so\\u0075rce\":\"y\"}", "{\"digest\":1}"));
	ok(extra_is("{\"model\":\"m\"}", "") || extra_is("{\"model\":\"m\"}", "null"));
}

/* On one line, whatever line ends were sent between its values. */
static void
test_line(void)
{
	struct build *b = built(SLICE("{\n\"mine\":{\n  \"a\":\r\n1},\"input\":[\n1]\n}"), false);
	struct buf out;

	buf_init(&out, ROOM);
	span_json(build_finish(b), false, &out);
	ok(!memchr(out.ptr, '\n', out.len) && memmem(out.ptr, out.len, "\"mine\":{\"a\":1}", 14));
	buf_free(&out);
	done_with(b);
}

/* Spans of one (trace, span) are one. */
static void
test_same(void)
{
	struct build *b = built(SLICE("{\"trace_unique_id\":\"a\",\"span_unique_id\":\"bc\"}"), true);
	struct slice id = build_finish(b)->same_id;
	char first[100];

	snprintf(first, sizeof(first), "%.*s", (int)id.len, id.ptr ? id.ptr : "");
	done_with(b);
	b = built(SLICE("{\"trace_unique_id\":\"ab\",\"span_unique_id\":\"c\"}"), true);
	ok(*first && build_finish(b)->same_id.len > 0 && !slice_eq(build_finish(b)->same_id, slice_str(first)));
	done_with(b);
	b = built(SLICE("{\"trace_unique_id\":\"a\"}"), true);
	ok(build_finish(b)->same_id.len == 0 && slice_eq(build_finish(b)->span_unique_id, build_finish(b)->id));
	done_with(b);
}

/* member NULL: it is taken. */
static void
check(const char *text, bool trace, const char *member)
{
	struct given_error e = { .member = "" };
	struct jvalue v;
	bool good = jscan_check(slice_str(text), &v, NULL) == JSCAN_END && given_check(v, trace, &e);

	tap_ok(member ? !good && strcmp(e.member, member) == 0 && *e.text : good, __FILE__, __LINE__, text);
}

static void
test_check(void)
{
	static const struct { const char *kind, *good[4], *bad[4]; } kinds[] = {
		{ "model", { "\"m\"", "7", "null", NULL }, { "true", "[]", "{}", NULL } },
		{ "latency", { "1.5", "\"1.5\"", "-1", NULL }, { "\"x\"", "true", "1e301", NULL } },
		{ "prompt_tokens", { "1", "\"2\"", "1e3", NULL }, { "1.5", "\"x\"", "[]", NULL } },
		{ "metadata", { "{}", "null", NULL }, { "[]", "\"x\"", "1", NULL } },
		{ "stream", { "true", "\"false\"", "\"True\"", NULL }, { "1", "\"yes\"", NULL } },
		{ "timestamp", { "\"2026-11-20T12:00:00Z\"", "\"2026-11-20T12:00:00.123456789+02:00\"", NULL }, { "\"now\"", "1764000000", NULL } },
		{ "completion_messages", { "[]", NULL }, { "{}", "\"x\"", NULL } },
		{ "prompt_messages", { "[]", "{}", "\"x\"", NULL }, { "1", "true", NULL } },
		{ "warnings", { "\"w\"", "{}", "[]", NULL }, { "1", NULL } },
		{ "input", { "1", "true", "[]", "{}" }, { NULL } },
	};
	char text[200];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		for (int k = 0; k < 4; k++) {
			if (kinds[i].good[k]) {
				snprintf(text, sizeof(text), "{\"%s\":%s}", kinds[i].kind, kinds[i].good[k]);
				check(text, false, NULL);
			}
			if (kinds[i].bad[k]) {
				snprintf(text, sizeof(text), "{\"%s\":%s}", kinds[i].kind, kinds[i].bad[k]);
				check(text, false, kinds[i].kind);
			}
		}
	check("{\"model\":\"a\",\"x\":1,\"model\":\"b\"}", false, "model");
	check("{\"mine\":1,\"mine\":2}", false, "mine");
	check("{\"model\":\"a\",\"m\\u006fdel\":\"b\"}", false, "m\\u006fdel");
	check("[]", false, "");
	check("\"x\"", false, "");
	check("{\"trace_unique_id\":\"t\",\"span_unique_id\":\"s\"}", true, NULL);
	check("{\"trace_unique_id\":\"t\"}", true, "span_unique_id");
	check("{\"trace_unique_id\":\"\",\"span_unique_id\":\"s\"}", true, "trace_unique_id");
	ok(jscan_check(SLICE("{\"cost\":NaN}"), NULL, NULL) != JSCAN_END);
	ok(jscan_check(SLICE("{\"cost\":Infinity}"), NULL, NULL) != JSCAN_END);
}

int
main(void)
{
	test_texts();
	test_names();
	test_types();
	test_usage();
	test_times();
	test_status();
	test_rest();
	test_line();
	test_same();
	test_check();
	return done();
}
