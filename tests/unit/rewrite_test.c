/* SPDX-License-Identifier: Apache-2.0 */
/* rewrite: what is cut for which family, how usage is asked for, what is
 * blanked, and from which place an own member's value comes. */
#include "core/limits.h"
#include "core/rewrite.h"
#include "exact.h"
#include "tap.h"

static struct buf out;

/* The body after its edits, in `out`. */
static struct slice
edited(struct slice body, enum family family, bool ask)
{
	struct slice copy = exact_copy(body);
	struct rewrite rw;
	struct edit_iter it;
	struct slice piece;

	buf_clear(&out);
	if (rewrite_scan(&rw, copy, family) != 0 || rewrite_finish(&rw, ask ? REWRITE_ASK_USAGE : 0) != 0)
		buf_str(&out, "failed");
	edit_iter_init(&it, &rw.edits, copy);
	while (edit_iter_next(&it, &piece))
		buf_slice(&out, piece);
	if (out.len != edits_length(&rw.edits, copy.len))
		buf_str(&out, "length");
	rewrite_free(&rw);
	exact_free(copy);
	return buf_view(&out);
}

static bool
gives(struct slice body, enum family family, bool ask, struct slice want)
{
	bool same = slice_eq(edited(body, family, ask), want);

	if (!same)
		printf("# %.*s\n", (int)out.len, out.ptr);
	return same;
}

#define CUT(family, body, want) \
	ok(gives(SLICE(body), FAMILY_##family, false, SLICE(want)))
#define SAME(family, body) CUT(family, body, body)
#define ASK(family, body, want) \
	ok(gives(SLICE(body), FAMILY_##family, true, SLICE(want)))

static void
comma_test(void)
{
	CUT(CHAT, "{\"note\":1}", "{}");
	CUT(CHAT, "{ \"note\" : 1 }", "{  }");
	CUT(CHAT, " { \"note\":1 ,\n \"is_pinned\":2\n} ", " { \n} ");
	CUT(CHAT, "{\"note\":1,\"a\":2}", "{\"a\":2}");
	CUT(CHAT, "{ \"note\":1 , \"a\":2 }", "{ \"a\":2 }");
	CUT(CHAT, "{\"a\":2,\"note\":1}", "{\"a\":2}");
	CUT(CHAT, "{ \"a\":2 , \"note\":1 }", "{ \"a\":2 }");
	CUT(CHAT, "{\"a\":1,\"note\":1,\"b\":2}", "{\"a\":1,\"b\":2}");
	CUT(CHAT, "{\"a\":1 , \"note\":1,\n\"is_pinned\" :[ 1 ] ,\t\"b\":2}", "{\"a\":1 , \"b\":2}");
	CUT(CHAT, "{\"note\":0,\"a\":1,\"note\":1,\"b\":2,\"note\":3,\"note\":4}",
	    "{\"a\":1,\"b\":2}");
	CUT(CHAT, "{\"note\":0,\"a\":1,\"note\":1}", "{\"a\":1}");
}

static void
names_test(void)
{
	CUT(OTHER, "{\"customer_identifier\":\"u\",\"span_name\":\"s\",\"model\":\"m\"}",
	    "{\"model\":\"m\"}");
	CUT(CHAT, "{\"customer\\u005fidentifier\":\"u\",\"a\":1}", "{\"a\":1}");
	CUT(CHAT, "{\"\\u0063\\u0075\\u0073tomer_params\":{},\"a\":1}", "{\"a\":1}");
	CUT(CHAT, "{\"respan_params\":{\"a\":1},\"keywordsai_params\":{},\"extra_body\":{},\"a\":1}",
	    "{\"a\":1}");
	CUT(MESSAGES, "{\"customer_credentials\":{\"openai\":{\"api_key\":\"k\"}},\"a\":1}",
	    "{\"a\":1}");
	SAME(CHAT, "{\"thinking\":{\"type\":\"enabled\"},\"models\":[\"a\"],\"weight\":1,"
	    "\"retries\":2,\"user\":\"u\",\"span_\":1,\"span_other\":2,\"Note\":3,\"notes\":4}");
	SAME(CHAT, "{\"a\":{\"note\":1},\"b\":[{\"customer_identifier\":1}]}");
	SAME(CHAT, "{\"note\\u0000\":1,\"customer\\u005fidentifier_that_is_too_long_to_be_ours\":2}");
	SAME(CHAT, "{\"big\":12345678901234567890.1200e+00, \"s\":\"\\u00e9\\/\" ,\"d\":1,\"d\":2}");
	SAME(CHAT, "{}");
}

static void
not_ours_test(void)
{
	SAME(CHAT, "");
	SAME(CHAT, "[{\"note\":1}]");
	SAME(CHAT, "\"note\"");
	SAME(CHAT, "{\"note\":1");
	SAME(CHAT, "{\"note\":1}x");
	SAME(CHAT, "{\"note\":1,\"stream\":true,}");
	SAME(CHAT, "{\"note\":\"\xff\"}");
	ASK(CHAT, "{\"stream\":true", "{\"stream\":true");
	ASK(CHAT, "[1]", "[1]");
}

static void
metadata_test(void)
{
	CUT(CHAT, "{\"metadata\":{\"a\":\"b\"},\"model\":\"m\"}", "{\"model\":\"m\"}");
	CUT(CHAT, "{\"metadata\":{},\"store\":false}", "{\"store\":false}");
	CUT(CHAT, "{\"store\":true,\"metadata\":{},\"store\":false}",
	    "{\"store\":true,\"store\":false}");
	SAME(CHAT, "{\"metadata\":{\"a\":\"b\"},\"store\":true}");
	SAME(RESPONSE, "{\"metadata\":{\"a\":\"b\"},\"model\":\"m\"}");
	SAME(OTHER, "{\"metadata\":{\"a\":\"b\"},\"model\":\"m\"}");
	CUT(COMPLETION, "{\"metadata\":{},\"store\":true}", "{\"store\":true}");
	CUT(EMBEDDING, "{\"metadata\":{},\"a\":1}", "{\"a\":1}");
	CUT(SPEECH, "{\"metadata\":{},\"a\":1}", "{\"a\":1}");
	CUT(TRANSCRIPTION, "{\"metadata\":{},\"a\":1}", "{\"a\":1}");
	CUT(IMAGE, "{\"metadata\":{},\"a\":1}", "{\"a\":1}");
	SAME(MESSAGES, "{\"metadata\":{\"user_id\":\"u\",\"note\":1,\"extra_body\":{}},\"a\":1}");
	CUT(MESSAGES, "{\"metadata\":{\"respan_params\":{\"a\":1}, \"user_id\":\"u\"},\"a\":1}",
	    "{\"metadata\":{\"user_id\":\"u\"},\"a\":1}");
	CUT(MESSAGES, "{\"metadata\":{\"user_id\":\"u\" , \"keywordsai_params\":{}, "
	    "\"respan_params\":1 },\"note\":2}", "{\"metadata\":{\"user_id\":\"u\" }}");
	CUT(MESSAGES, "{\"note\":1,\"metadata\":{\"respan_params\":1},\"note\":2,\"a\":3}",
	    "{\"metadata\":{},\"a\":3}");
	CUT(MESSAGES, "{\"metadata\":{\"respan_params\":1},\"metadata\":{\"x\":0,\"respan_params\":1}}",
	    "{\"metadata\":{},\"metadata\":{\"x\":0}}");
	SAME(MESSAGES, "{\"metadata\":[\"respan_params\"]}");
}

static void
prompt_test(void)
{
	CUT(CHAT, "{\"prompt\":{\"prompt_id\":\"p\"},\"a\":1}", "{\"a\":1}");
	SAME(CHAT, "{\"prompt\":{\"id\":\"p\"},\"a\":1}");
	SAME(CHAT, "{\"prompt\":\"prompt_id\",\"a\":1}");
	SAME(COMPLETION, "{\"prompt\":{\"prompt_id\":\"p\"},\"a\":1}");
	SAME(RESPONSE, "{\"prompt\":{\"id\":\"p\",\"prompt_id\":1},\"a\":1}");
}

#define USAGE "\"include_usage\":true"
#define OPTIONS "\"stream_options\":{" USAGE "}"

static void
ask_test(void)
{
	ASK(CHAT, "{\"model\":\"m\",\"stream\":true}", "{\"model\":\"m\",\"stream\":true," OPTIONS "}");
	ASK(COMPLETION, "{\"stream\":true }\n", "{\"stream\":true," OPTIONS " }\n");
	ASK(CHAT, "{\"stream\":true,\"note\":1 }", "{\"stream\":true," OPTIONS " }");
	ASK(CHAT, "{\"note\":1,\"stream\":true , \"a\":2}", "{\"stream\":true , \"a\":2," OPTIONS "}");
	ASK(CHAT, "{\"stream\":true,\"stream_options\":null}", "{\"stream\":true," OPTIONS "}");
	ASK(CHAT, "{\"stream_options\":{},\"stream\":true}", "{" OPTIONS ",\"stream\":true}");
	ASK(CHAT, "{\"stream_options\":{ },\"stream\":true}",
	    "{\"stream_options\":{" USAGE " },\"stream\":true}");
	ASK(CHAT, "{\"stream_options\":{\"include_usage\": false },\"stream\":true}",
	    "{\"stream_options\":{\"include_usage\": true },\"stream\":true}");
	ASK(CHAT, "{\"stream_options\":{\"include_usage\":null},\"stream\":true}",
	    "{" OPTIONS ",\"stream\":true}");
	ASK(CHAT, "{\"stream\":true,\"stream_options\":{\"include_obfuscation\":false}}",
	    "{\"stream\":true,\"stream_options\":{" USAGE ",\"include_obfuscation\":false}}");
	ASK(CHAT, "{\"note\":1,\"stream_options\":{},\"note\":2,\"stream\":true,\"note\":3}",
	    "{" OPTIONS ",\"stream\":true}");
	ASK(CHAT, "{\"stream\":true,\"stream_options\":null,\"stream_options\":{}}",
	    "{\"stream\":true,\"stream_options\":null," OPTIONS "}");
	ASK(CHAT, "{\"str\\u0065am\":true}", "{\"str\\u0065am\":true," OPTIONS "}");
}

static void
ask_not_test(void)
{
	static const struct slice left[] = {
		SLICE("{\"stream\":false}"), SLICE("{\"model\":\"m\"}"), SLICE("{\"stream\":1}"),
		SLICE("{\"stream\":true,\"stream\":false}"),
		SLICE("{\"stream\":true,\"stream_options\":{\"include_usage\":true}}"),
		SLICE("{\"stream\":true,\"stream_options\":{\"include_usage\":\"no\"}}"),
		SLICE("{\"stream\":true,\"stream_options\":[]}"),
		SLICE("{\"stream\":true,\"stream_options\":\"x\"}"),
	};
	struct rewrite rw;
	size_t i;

	for (i = 0; i < sizeof(left) / sizeof(*left); i++)
		ok(gives(left[i], FAMILY_CHAT, true, left[i]));
	SAME(CHAT, "{\"stream\":true}");
	ASK(RESPONSE, "{\"stream\":true}", "{\"stream\":true}");
	ASK(MESSAGES, "{\"stream\":true}", "{\"stream\":true}");

	ok(rewrite_scan(&rw, left[4], FAMILY_CHAT) == 0 && rw.stream && rw.usage_asked);
	ok(rewrite_finish(&rw, REWRITE_ASK_USAGE) == 0 && !rw.usage_added && rw.edits.count == 0);
	rewrite_free(&rw);
	ok(rewrite_scan(&rw, SLICE("{\"stream\":true,\"model\":\"a\",\"model\":\"b\"}"),
	    FAMILY_CHAT) == 0 && rw.is_object);
	ok(rewrite_finish(&rw, REWRITE_ASK_USAGE) == 0 && rw.usage_added && !rw.usage_asked);
	ok(slice_eq(rw.model.text, SLICE("\"b\"")));
	rewrite_free(&rw);
	rewrite_free(&rw);
	ok(rewrite_scan(&rw, SLICE("{\"model\":\"a\",\"stream\":true"), FAMILY_CHAT) == 0);
	ok(!rw.is_object && !rw.stream && rw.model.kind == JNONE);
	rewrite_free(&rw);
}

/* Own members over and over are refused before they fill memory; all secrets
 * among them are blanked. */
static void
limit_test(void)
{
	struct rewrite rw;
	struct buf b;
	size_t i;

	buf_init(&b, MIB);
	buf_str(&b, "{\"stream\":true");
	for (i = 0; i < LIMIT_EDITS - 1; i++)
		buf_str(&b, ",\"note\":1,\"a\":1");
	buf_str(&b, "}");
	ok(rewrite_scan(&rw, buf_view(&b), FAMILY_CHAT) == 0 && rewrite_finish(&rw, REWRITE_ASK_USAGE) == 0);
	ok(rw.edits.count == LIMIT_EDITS && rw.usage_added);
	rewrite_free(&rw);
	b.len--;
	buf_str(&b, ",\"customer_api_keys\":123}");
	ok(rewrite_scan(&rw, buf_view(&b), FAMILY_CHAT) == 0 && rw.is_object);
	ok(rewrite_finish(&rw, REWRITE_ASK_USAGE) == -1 && rw.edits.count == 0);
	rewrite_blank(&rw, b.ptr);
	ok(slice_ends(buf_view(&b), SLICE("\"customer_api_keys\":\"*\"}")));
	rewrite_free(&rw);
	buf_free(&b);
}

static void
again_test(void)
{
	struct rewrite rw;

	ok(rewrite_scan(&rw, SLICE("{\"stream\":true,\"note\":1}"), FAMILY_CHAT) == 0);
	ok(rewrite_finish(&rw, REWRITE_ASK_USAGE) == 0 && rw.usage_added && rw.edits.count == 1);
	ok(rw.edits.list[0].replacement.len > 0);
	ok(rewrite_finish(&rw, 0) == 0 && !rw.usage_added && rw.edits.count == 1);
	ok(rw.edits.list[0].replacement.len == 0);
	rewrite_free(&rw);
}

static bool
blanks(struct slice body, enum family family, struct slice want)
{
	struct slice copy = exact_copy(body);
	struct rewrite rw;
	bool same;

	rewrite_scan(&rw, copy, family);
	rewrite_blank(&rw, (char *)(uintptr_t)copy.ptr);
	same = slice_eq(copy, want);
	if (!same)
		printf("# %.*s\n", (int)copy.len, copy.ptr);
	rewrite_free(&rw);
	exact_free(copy);
	return same;
}

static void
blank_test(void)
{
	ok(blanks(SLICE("{\"customer_credentials\":{\"k\":1},\"a\":1}"), FAMILY_CHAT,
	    SLICE("{\"customer_credentials\":\"*****\",\"a\":1}")));
	ok(blanks(SLICE("{\"credential_override\":\"k\",\"customer_api_keys\":7,\"a\":1}"),
	    FAMILY_OTHER, SLICE("{\"credential_override\":\"*\",\"customer_api_keys\":0,\"a\":1}")));
	ok(blanks(SLICE("{\"customer\\u005fapi_keys\":[]}"), FAMILY_CHAT,
	    SLICE("{\"customer\\u005fapi_keys\":\"\"}")));
	ok(blanks(SLICE("{\"respan_params\":{\"customer_api_keys\":\"abc\",\"note\":\"n\"}}"),
	    FAMILY_CHAT, SLICE("{\"respan_params\":{\"customer_api_keys\":\"***\",\"note\":\"n\"}}")));
	ok(blanks(SLICE("{\"extra_body\":{\"keywordsai_params\":{\"customer_api_keys\":123}}}"),
	    FAMILY_CHAT, SLICE("{\"extra_body\":{\"keywordsai_params\":{\"customer_api_keys\":\"*\"}}}")));
	ok(blanks(SLICE("{\"metadata\":{\"respan_params\":{\"customer_api_keys\":\"k\"}}}"),
	    FAMILY_MESSAGES, SLICE("{\"metadata\":{\"respan_params\":{\"customer_api_keys\":\"*\"}}}")));
	ok(blanks(SLICE("{\"load_balance_models\":[{\"credentials\":1}],\"note\":1}"), FAMILY_CHAT,
	    SLICE("{\"load_balance_models\":\"*****************\",\"note\":1}")));
	/* a text that broke off behind the secret */
	ok(blanks(SLICE("{\"customer_api_keys\":\"key\",\"a\":"), FAMILY_CHAT,
	    SLICE("{\"customer_api_keys\":\"***\",\"a\":")));
	ok(blanks(SLICE("{\"a\":{\"customer_api_keys\":\"key\"}}"), FAMILY_CHAT,
	    SLICE("{\"a\":{\"customer_api_keys\":\"key\"}}")));
}

static struct jvalue
value(struct slice text)
{
	struct jvalue v = { JNONE, SLICE_NONE };

	if (text.len > 0 && jscan_check(text, &v, NULL) != JSCAN_END)
		abort();
	return v;
}

/* All own members as "name=value;" in the table's order. */
static bool
owns(struct slice body, struct slice header, const char *want)
{
	struct own_member m;
	struct own_iter it;
	bool same;

	buf_clear(&out);
	own_iter_init(&it, value(body), value(header));
	while (own_iter_next(&it, &m))
		buf_printf(&out, "%s=%.*s;", m.name, (int)m.value.text.len, m.value.text.ptr);
	same = slice_eq(buf_view(&out), slice_str(want));
	if (!same)
		printf("# %.*s\n", (int)out.len, out.ptr);
	return same && !own_iter_next(&it, &m);
}

static void
own_test(void)
{
	struct own_member m;
	struct own_iter it;

	ok(owns(SLICE_NONE, SLICE_NONE, ""));
	ok(owns(SLICE("[1]"), SLICE("{}"), ""));
	ok(owns(SLICE("{\"note\":1,\"a\":2,\"metadata\":{\"x\":1}}"), SLICE("{\"note\":2,\"is_pinned\":3}"),
	    "note=1;metadata={\"x\":1};is_pinned=3;"));
	ok(owns(SLICE("{\"note\":1,\"no\\u0074e\":2}"), SLICE_NONE, "note=2;"));
	ok(owns(SLICE("{\"extra_body\":{\"note\":5,\"is_pinned\":5,\"cache_ttl\":5,\"respan_params\":"
	    "{\"span_name\":6,\"cache_ttl\":6}},\"keywordsai_params\":{\"note\":4,\"is_pinned\":4},"
	    "\"respan_params\":{\"note\":3}}"), SLICE("{\"span_name\":7,\"span_path\":8}"),
	    "note=3;cache_ttl=5;is_pinned=4;span_name=6;span_path=8;"));
	ok(owns(SLICE("{\"note\":null,\"respan_params\":{\"note\":1}}"), SLICE_NONE, "note=1;"));
	ok(owns(SLICE("{\"prompt\":\"hello\"}"), SLICE_NONE, ""));
	ok(owns(SLICE("{\"prompt\":{\"prompt_id\":1}}"), SLICE_NONE, "prompt={\"prompt_id\":1};"));
	ok(owns(SLICE("{\"metadata\":{\"note\":9,\"respan_params\":{\"note\":1,\"metadata\":{\"a\":1}}}}"),
	    SLICE("{\"note\":3}"), "note=1;metadata={\"a\":1};"));
	ok(owns(SLICE("{\"respan_params\":7,\"extra_body\":[1],\"metadata\":\"x\"}"), SLICE_NONE,
	    "metadata=\"x\";"));
	own_iter_init(&it, value(SLICE("{\"cache_ttl\":1,\"note\":2}")), value(SLICE_NONE));
	ok(own_iter_next(&it, &m) && strcmp(m.name, "note") == 0);
	ok(m.flags == (MEMBER_CUT | MEMBER_WORKS));
	ok(own_iter_next(&it, &m) && strcmp(m.name, "cache_ttl") == 0 && m.flags == MEMBER_CUT);
}

static bool
on(const char *body, enum family family, const char *header)
{
	struct slice copy = exact_copy(slice_str(body));
	struct rewrite rw;
	bool is;

	if (rewrite_scan(&rw, copy, family) != 0)
		return false;
	is = rewrite_switch(&rw, value(slice_str(header)), "request_breakdown");
	rewrite_free(&rw);
	exact_free(copy);
	return is;
}

static void
switch_test(void)
{
	ok(on("{\"request_breakdown\":true}", FAMILY_CHAT, NULL));
	ok(on("{\"a\":{\"request_breakdown\":false},\"re\\u0071uest_breakdown\":true}", FAMILY_CHAT, NULL));
	ok(!on("{\"request_breakdown\":false}", FAMILY_CHAT, "{\"request_breakdown\":true}"));
	ok(!on("{\"request_breakdown\":\"true\"}", FAMILY_CHAT, NULL));
	ok(!on("{\"request_breakdown\":1,\"model\":\"m\"}", FAMILY_CHAT, NULL));
	ok(on("{\"request_breakdown\":null,\"extra_body\":{\"request_breakdown\":true}}", FAMILY_CHAT, NULL));
	ok(on("{\"note\":1,\"respan_params\":{\"request_breakdown\":true},\"metadata\":{\"b\":2}}", FAMILY_CHAT, NULL));
	ok(!on("{\"respan_params\":{\"request_breakdown\":false},\"keywordsai_params\":{\"request_breakdown\":true}}",
	    FAMILY_CHAT, NULL));
	ok(on("{\"extra_body\":{\"respan_params\":{\"request_breakdown\":true}}}", FAMILY_RESPONSE, NULL));
	ok(on("{\"metadata\":{\"user_id\":\"u\",\"respan_params\":{\"request_breakdown\":true}}}", FAMILY_MESSAGES, NULL));
	ok(!on("{\"metadata\":{\"request_breakdown\":true}}", FAMILY_CHAT, NULL));
	ok(on("{\"model\":\"m\"}", FAMILY_CHAT, "{\"request_breakdown\":true}"));
	ok(!on("{\"messages\":[{\"request_breakdown\":true}]}", FAMILY_CHAT, NULL));
	ok(!on("{\"request_breakdown\":true", FAMILY_CHAT, NULL) && !on("", FAMILY_CHAT, NULL));
	ok(on("[1]", FAMILY_CHAT, "{\"respan_params\":{\"request_breakdown\":true}}"));
}

static bool
header(const char *text, const char *want)
{
	bool read;

	buf_clear(&out);
	buf_str(&out, "x");
	read = rewrite_header_params(slice_str(text), &out);
	if (want == NULL)
		return !read && out.len == 1;
	return read && slice_eq(slice_from(buf_view(&out), 1), slice_str(want));
}

static void
header_test(void)
{
	ok(header("{\"a\":1}", "{\"a\":1}") && header(" {\"a\": 1} ", "{\"a\": 1}"));
	ok(header("eyJhIjoxfQ==", "{\"a\":1}") && header("eyJhIjoxfQ", "{\"a\":1}"));
	ok(header("{\"customer_api_keys\":\"abc\"}", "{\"customer_api_keys\":\"***\"}"));
	ok(header("{\"respan_params\":{\"customer_api_keys\":\"abc\"}}",
	    "{\"respan_params\":{\"customer_api_keys\":\"***\"}}"));
	ok(header("", NULL) && header("{\"a\":1", NULL) && header("[1]", NULL));
	ok(header("%%", NULL));
	ok(header("WzFd", NULL) && header("eyJhIjoxf", NULL) && header("user-123", NULL));
}

/* member_find searches by length, then bytes. */
static void
table_test(void)
{
	static const char *const names[] = {
#define MEMBER(name, flags) name,
#include "core/members.tbl.h"
#undef MEMBER
	};
	size_t i, a, b;
	char body[100];

	for (i = 0; i + 1 < MEMBER_COUNT; i++) {
		a = strlen(names[i]);
		b = strlen(names[i + 1]);
		ok(a < b || (a == b && strcmp(names[i], names[i + 1]) < 0));
	}
	/* A stored prompt's call: no model, and variables of the provider's own. */
	ok(slice_eq(edited(SLICE("{\"variables\":{}}"), FAMILY_COMPLETION, false),
	    SLICE("{\"variables\":{}}")));
	ok(slice_eq(edited(SLICE("{\"model\":\"m\",\"variables\":{}}"), FAMILY_COMPLETION, false),
	    SLICE("{\"model\":\"m\"}")));
	for (i = 0; i < MEMBER_COUNT; i++) {
		if (strcmp(names[i], "prompt") == 0)
			continue;
		snprintf(body, sizeof(body), "{\"%s\":1}", names[i]);
		ok(slice_eq(edited(slice_str(body), FAMILY_CHAT, false), SLICE("{}")));
	}
}

int
main(void)
{
	buf_init(&out, MIB);
	comma_test();
	names_test();
	not_ours_test();
	metadata_test();
	prompt_test();
	ask_test();
	ask_not_test();
	limit_test();
	again_test();
	blank_test();
	own_test();
	switch_test();
	header_test();
	table_test();
	buf_free(&out);
	return done();
}
