/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What spans that are given over the API come to: the cases of
 * tests/data/given/cases.txt, warnings and what is no field; and what is refused.
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

static bool
next_line(FILE *f, char *line, size_t size)
{
	do
		if (!fgets(line, (int)size, f))
			return false;
	while (*line == '#' || *line == '\n');
	line[strcspn(line, "\n")] = '\0';
	return true;
}

static void
test_cases(void)
{
	static char title[1000], sent[10000], want[10000];
	const char *top = getenv("TOP_SRCDIR");
	char path[1000];
	unsigned n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/tests/data/given/cases.txt", top ? top : ".");
	f = fopen(path, "r");
	while (f && next_line(f, title, sizeof(title)) && next_line(f, sent, sizeof(sent)) &&
	    next_line(f, want, sizeof(want))) {
		becomes(title, sent, want);
		n++;
	}
	ok(f && n > 50);
	if (f)
		fclose(f);
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
		{ "timestamp", { "\"2026-11-20T12:00:00Z\"", "\"2026-11-20T12:00:00.123456789+02:00\"", NULL },
		    { "\"now\"", "1764000000", NULL } },
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
	check("{\"metadata\":{\"a\":1,\"b\":2,\"a\":3}}", false, "metadata.a");
	check("{\"properties\":{\"a\":1,\"\\u0061\":2}}", false, "properties.\\u0061");
	check("{\"usage\":{\"prompt_tokens\":1,\"prompt_tokens\":2}}", false, "usage.prompt_tokens");
	check("{\"metadata\":{\"a\":{\"b\":1},\"b\":{\"b\":1}}}", false, NULL);
	check("{\"properties\":{\"a\":[{\"b\":1},{\"b\":2,\"c\":{},\"b\":3}]}}", false, "properties.b");
	check("{\"respan_params\":{\"metadata\":{\"a\":1,\"a\":1}}}", false, "respan_params.a");
	check("{\"variables\":{\"\\u0061b\":1,\"a\\u0062\":2}}", false, "variables.a\\u0062");
	check("{\"customer_params\":{\"\\u0061\":1,\"a\":2}}", false, "customer_params.a");
	check("{\"\\u0061\":1,\"metadata\":{\"a\":1},\"a\":2}", false, "a");
	check("{\"\\u0061\":{\"b\":1,\"b\":2},\"\\u0062\":2}", false, NULL);	/* of what nobody knows only the name */
	check("{\"metadata\":{\"\xc3\xa4\":1,\"\\u00e4\":2}}", false, "metadata.\\u00e4");
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
	test_cases();
	test_rest();
	test_line();
	test_same();
	test_check();
	return done();
}
