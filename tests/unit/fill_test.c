/* SPDX-License-Identifier: Apache-2.0 */
/* fill: which places are filled in, from which variables, how they look in the
 * text, and the limits. */
#include <stdlib.h>

#include "core/limits.h"
#include "core/rewrite.h"
#include "exact.h"
#include "tap.h"

static struct buf out;
static const char *note;

/* The body after its edits, in `out`. */
static struct slice
filled(struct slice body, enum family family, unsigned flags)
{
	struct slice copy = exact_copy(body), piece;
	struct edit_iter it;
	struct rewrite rw;

	buf_clear(&out);
	if (rewrite_scan(&rw, copy, family) != 0 || rewrite_finish(&rw, flags) != 0)
		buf_str(&out, "failed");
	edit_iter_init(&it, &rw.edits, copy);
	while (edit_iter_next(&it, &piece))
		buf_slice(&out, piece);
	if (out.len != edits_length(&rw.edits, copy.len))
		buf_str(&out, "length");
	note = rw.note;
	rewrite_free(&rw);
	exact_free(copy);
	return buf_view(&out);
}

static bool
gives(struct slice body, enum family family, unsigned flags, struct slice want)
{
	bool same = slice_eq(filled(body, family, flags), want) && note == NULL;

	if (!same)
		printf("# %.*s\n", (int)out.len, out.ptr);
	return same;
}

#define FILL(family, body, want) \
	ok(gives(SLICE(body), FAMILY_##family, REWRITE_FILL, SLICE(want)))

/* A chat whose one message is the text, with these variables. */
#define TEXT(text, variables, want) \
	FILL(CHAT, "{\"variables\":{" variables "},\"messages\":[{\"content\":\"" text "\"}]}", \
	    "{\"messages\":[{\"content\":\"" want "\"}]}")

static void
names(void)
{
	TEXT("Hi {{who}}!", "\"who\":\"Ann\"", "Hi Ann!");
	TEXT("{{who}}", "\"who\":\"Ann\"", "Ann");
	TEXT("{{ who }}{{\\twho}}", "\"who\":\"Ann\"", "Ann{{\\twho}}");
	TEXT("{{who}} {{Who}} {{wh}} {{who's}}", "\"who\":\"Ann\"", "Ann {{Who}} {{wh}} {{who's}}");
	TEXT("{{a b}}", "\"a b\":1", "1");
	TEXT("{{a.b}} {{a-b}}", "\"a.b\":1,\"a-b\":2", "1 2");
	TEXT("{{\\u0061}} {{b}} {{\xc3\xa9}} {{\\u00e9}}", "\"a\":1,\"\\u0062\":2,\"\xc3\xa9\":3", "1 2 3 3");
	TEXT("{{\\ud83d\\ude00}} {{\xf0\x9f\x98\x80}} {{\\\"}}", "\"\\ud83d\\ude00\":1,\"\\\"\":2", "1 1 2");
	TEXT("{{a}}", "\"a\":1,\"b\":2,\"a\":3", "3");
	TEXT("{{a}}", "\"a\":1,\"a\":null", "{{a}}");
	TEXT("{{}}{{ }}{{a", "\"a\":1", "{{}}{{ }}{{a");
	TEXT("{{{a}}} {{{{a}}}} {{a}}}", "\"a\":1", "{1} {{1}} 1}");
	TEXT("{{a{{b}} {{a}b}} {a}} {{a} } {{a}", "\"a\":1,\"b\":2", "{{a2 {{a}b}} {a}} {{a} } {{a}");
	TEXT("\\\\{{a}}\\\\", "\"a\":1", "\\\\1\\\\");
	TEXT("", "\"a\":1", "");
}

static void
values(void)
{
	TEXT("{{a}}", "\"a\":\"\"", "");
	TEXT("{{a}}", "\"a\":\"x\\n\\\"\\u00e9\xc3\xa9\\/\"", "x\\n\\\"\\u00e9\xc3\xa9\\/");
	TEXT("{{a}}", "\"a\":\"{{b}}\",\"b\":1", "{{b}}");
	TEXT("{{a}} {{b}} {{c}}", "\"a\":1.50,\"b\":-4.547132266452536e-05,\"c\":12345678901234567890123",
	    "1.50 -4.547132266452536e-05 12345678901234567890123");
	TEXT("{{a}} {{b}} {{c}}", "\"a\":true,\"b\":false,\"c\":null", "true false {{c}}");
	TEXT("{{a}}{{b}}", "\"a\":{},\"b\":[ ]", "{}[]");
	TEXT("{{a}} {{a}}", "\"a\": { \"k\" : [ 1,\n\t\"x y\" ] , \"b\":null }",
	    "{\\\"k\\\":[1,\\\"x y\\\"],\\\"b\\\":null} {\\\"k\\\":[1,\\\"x y\\\"],\\\"b\\\":null}");
	TEXT("{{a}}", "\"a\":[\"\\\"\\\\\\n\\u0022\xc3\xa9\"]",
	    "[\\\"\\\\\\\"\\\\\\\\\\\\n\\\\u0022\xc3\xa9\\\"]");
}

static void
places(void)
{
	/* texts in all their forms, and what stands beside them */
	FILL(CHAT, "{\"variables\":{\"a\":1},\"model\":\"{{a}}\",\"messages\":[{\"role\":\"{{a}}\","
	    "\"name\":\"{{a}}\",\"content\":\"{{a}}\"},{\"content\":[{\"type\":\"text\",\"text\":\"{{a}}\"},"
	    "{\"type\":\"image_url\",\"image_url\":{\"url\":\"{{a}}\"}},\"{{a}}\"],\"tool_calls\":"
	    "[{\"function\":{\"arguments\":\"{{a}}\"}}]},\"{{a}}\",{\"content\":null},{\"content\":{\"text\":\"{{a}}\"}}],"
	    "\"tools\":[{\"description\":\"{{a}}\"}],\"prompt\":\"{{a}}\",\"input\":\"{{a}}\"}",
	    "{\"model\":\"{{a}}\",\"messages\":[{\"role\":\"{{a}}\","
	    "\"name\":\"{{a}}\",\"content\":\"1\"},{\"content\":[{\"type\":\"text\",\"text\":\"1\"},"
	    "{\"type\":\"image_url\",\"image_url\":{\"url\":\"{{a}}\"}},\"{{a}}\"],\"tool_calls\":"
	    "[{\"function\":{\"arguments\":\"{{a}}\"}}]},\"{{a}}\",{\"content\":null},{\"content\":{\"text\":\"{{a}}\"}}],"
	    "\"tools\":[{\"description\":\"{{a}}\"}],\"prompt\":\"{{a}}\",\"input\":\"{{a}}\"}");
	FILL(COMPLETION, "{\"model\":\"m\",\"prompt\":\"{{a}}\",\"suffix\":\"{{a}}\",\"variables\":{\"a\":1}}",
	    "{\"model\":\"m\",\"prompt\":\"1\",\"suffix\":\"{{a}}\"}");
	FILL(COMPLETION, "{\"model\":\"m\",\"prompt\":[\"{{a}}\",1,[2],\"x\",\"{{a}}\"],\"variables\":{\"a\":1}}",
	    "{\"model\":\"m\",\"prompt\":[\"1\",1,[2],\"x\",\"1\"]}");
	FILL(RESPONSE, "{\"model\":\"m\",\"instructions\":\"{{a}}\",\"input\":\"{{a}}\",\"variables\":{\"a\":1}}",
	    "{\"model\":\"m\",\"instructions\":\"1\",\"input\":\"1\"}");
	FILL(RESPONSE, "{\"model\":\"m\",\"variables\":{\"a\":1},\"input\":[{\"role\":\"user\",\"content\":\"{{a}}\"},"
	    "{\"content\":[{\"type\":\"input_text\",\"text\":\"{{a}}\"},{\"image_url\":\"{{a}}\"}]},"
	    "{\"type\":\"function_call\",\"arguments\":\"{{a}}\"},{\"output\":\"{{a}}\"}]}",
	    "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":\"1\"},"
	    "{\"content\":[{\"type\":\"input_text\",\"text\":\"1\"},{\"image_url\":\"{{a}}\"}]},"
	    "{\"type\":\"function_call\",\"arguments\":\"{{a}}\"},{\"output\":\"{{a}}\"}]}");
	FILL(MESSAGES, "{\"model\":\"m\",\"system\":\"{{a}}\",\"messages\":[{\"content\":\"{{a}}\"}],\"variables\":{\"a\":1}}",
	    "{\"model\":\"m\",\"system\":\"1\",\"messages\":[{\"content\":\"1\"}]}");
	FILL(MESSAGES, "{\"model\":\"m\",\"system\":[{\"type\":\"text\",\"text\":\"{{a}}\",\"cache_control\":{}}],"
	    "\"messages\":[{\"content\":[{\"type\":\"text\",\"text\":\"{{a}}\"},{\"type\":\"tool_use\",\"input\":"
	    "{\"text\":\"{{a}}\"}},{\"type\":\"tool_result\",\"content\":\"{{a}}\"}]}],\"variables\":{\"a\":1}}",
	    "{\"model\":\"m\",\"system\":[{\"type\":\"text\",\"text\":\"1\",\"cache_control\":{}}],"
	    "\"messages\":[{\"content\":[{\"type\":\"text\",\"text\":\"1\"},{\"type\":\"tool_use\",\"input\":"
	    "{\"text\":\"{{a}}\"}},{\"type\":\"tool_result\",\"content\":\"{{a}}\"}]}]}");
	FILL(EMBEDDING, "{\"model\":\"m\",\"input\":\"{{a}}\",\"variables\":{\"a\":1}}",
	    "{\"model\":\"m\",\"input\":\"{{a}}\"}");
}

#define CALL(more, want) FILL(CHAT, "{\"messages\":[{\"content\":\"{{a}}\"}]" more "}", \
	"{\"messages\":[{\"content\":\"" want "\"}]}")

/* Whose variables they are. */
static void
sources(void)
{
	CALL(",\"respan_params\":{\"variables\":{\"a\":1}}", "1");
	CALL(",\"extra_body\":{\"variables\":{\"a\":1}}", "1");
	CALL(",\"extra_body\":{\"respan_params\":{\"variables\":{\"a\":1}}}", "1");
	CALL(",\"variables\":{\"a\":1},\"respan_params\":{\"variables\":{\"a\":2}}", "1");
	CALL(",\"variables\":null,\"respan_params\":{\"variables\":{\"a\":2}}", "2");
	CALL(",\"variables\":[{\"a\":1}]", "{{a}}");
	CALL(",\"variables\":\"a\"", "{{a}}");
	CALL(",\"variables\":{}", "{{a}}");
	CALL(",\"respan_params\":{}", "{{a}}");
	CALL("", "{{a}}");
	FILL(MESSAGES, "{\"system\":\"{{a}}\",\"metadata\":{\"respan_params\":{\"variables\":{\"a\":1}},\"x\":1}}",
	    "{\"system\":\"1\",\"metadata\":{\"x\":1}}");
	/* a prompt stored at the provider has variables of its own */
	FILL(RESPONSE, "{\"input\":\"{{a}}\",\"variables\":{\"a\":1},\"prompt\":{\"id\":\"p\"}}",
	    "{\"input\":\"{{a}}\",\"variables\":{\"a\":1},\"prompt\":{\"id\":\"p\"}}");
	FILL(CHAT, " \n{\"messages\":[{\"content\":\"{{a}}\"}],\"variables\":{\"a\":1}} \r\n",
	    " \n{\"messages\":[{\"content\":\"1\"}]} \r\n");
	FILL(CHAT, "{\"messages\":[{\"content\":\"{{a}}\"}],\"variables\":{\"a\":1}",
	    "{\"messages\":[{\"content\":\"{{a}}\"}],\"variables\":{\"a\":1}");
	ok(gives(SLICE("{\"variables\":{\"a\":1},\"messages\":[{\"content\":\"{{a}}\"}]}"), FAMILY_CHAT, 0,
	    SLICE("{\"messages\":[{\"content\":\"{{a}}\"}]}")));
}

/* Beside other edits, before and behind them, and for another attempt. */
static void
together(void)
{
	struct slice body = SLICE("{\"note\":1,\"messages\":[{\"content\":\"{{a}}{{b}}\"}],\"stream\":true,"
	    "\"variables\":{\"a\":[1],\"b\":2},\"stream_options\":{},\"prompt_id\":1,\"messages\":[{\"content\":\"{{a}}\"}]}");
	struct rewrite rw;
	size_t i;

	ok(gives(body, FAMILY_CHAT, REWRITE_FILL | REWRITE_ASK_USAGE,
	    SLICE("{\"messages\":[{\"content\":\"[1]2\"}],\"stream\":true,"
	    "\"stream_options\":{\"include_usage\":true},\"messages\":[{\"content\":\"[1]\"}]}")));
	ok(gives(SLICE("{\"stream\":true,\"variables\":{\"a\":1},\"messages\":[{\"content\":\"{{a}}\"}]}"), FAMILY_CHAT,
	    REWRITE_FILL | REWRITE_ASK_USAGE, SLICE("{\"stream\":true,\"messages\":[{\"content\":\"1\"}],"
	    "\"stream_options\":{\"include_usage\":true}}")));
	ok(rewrite_scan(&rw, body, FAMILY_CHAT) == 0);
	for (i = 0; i < 3; i++) {
		ok(rewrite_finish(&rw, REWRITE_FILL) == 0 && rw.edits.count == 6);
		ok(slice_eq(rw.edits.list[1].replacement, SLICE("[1]")));
		ok(rewrite_finish(&rw, 0) == 0 && rw.edits.count == 3);
	}
	rewrite_free(&rw);
}

/* So many places and variables. Each place takes `piece`. */
static bool
count_is(size_t places_n, size_t variables_n, const char *piece, bool good, const char *why)
{
	struct rewrite rw;
	struct buf b;
	size_t i;
	bool same;

	buf_init(&b, 4 * MIB);
	buf_str(&b, "{\"messages\":[{\"content\":\"");
	for (i = 0; i < places_n; i++)
		buf_str(&b, "{{0}}");
	buf_str(&b, "\"}],\"variables\":{");
	for (i = 0; i < variables_n; i++)
		buf_printf(&b, "%s\"%zu\":%s", i ? "," : "", i, piece);
	buf_str(&b, "}}");
	ok(rewrite_scan(&rw, buf_view(&b), FAMILY_CHAT) == 0 && rewrite_finish(&rw, REWRITE_FILL) == 0);
	same = rw.edits.count == (good ? places_n + 1 : 1) && (why == NULL ? rw.note == NULL :
	    rw.note != NULL && strcmp(rw.note, why) == 0);
	rewrite_free(&rw);
	buf_free(&b);
	return same;
}

static void
limits(void)
{
	static const char many[] = "variables_too_many\n", large[] = "variables_too_large\n";
	char *text = malloc(200000);
	char name[LIMIT_VARIABLE_NAME + 2];
	size_t head;
	struct buf b;
	int over;

	ok(count_is(LIMIT_EDITS - 1, 2, "1", true, NULL));
	ok(count_is(LIMIT_EDITS, 2, "1", false, many));
	ok(count_is(5, LIMIT_VARIABLES, "1", true, NULL));
	ok(count_is(5, LIMIT_VARIABLES + 1, "1", false, many));
	/* a text of 100,000 bytes, so often that the body is too large */
	memset(text, 'x', 100002);
	text[0] = text[100001] = '"';
	text[100002] = '\0';
	ok(count_is(600, 1, text, true, NULL));
	ok(count_is(700, 1, text, false, large));
	/* a list, which has to stand in the record */
	memset(text, '1', 100002);
	text[0] = '[';
	text[100001] = ']';
	ok(count_is(5, 1, text, true, NULL));
	ok(count_is(6, 1, text, false, large));
	free(text);
	for (over = 0; over < 2; over++) {
		memset(name, 'n', sizeof(name));
		name[LIMIT_VARIABLE_NAME + over] = '\0';
		buf_init(&b, MIB);
		buf_printf(&b, "{\"variables\":{\"%s\":1},\"messages\":[{\"content\":\"{{%s}}\"}]}", name, name);
		filled(buf_view(&b), FAMILY_CHAT, REWRITE_FILL);
		ok(slice_eq(buf_view(&out), SLICE("{\"messages\":[{\"content\":\"1\"}]}")) == !over);
		buf_free(&b);
	}
	/* one that is too long to be read is not the empty one */
	buf_init(&b, MIB);
	buf_printf(&b, "{\"messages\":[{\"content\":\"{{\\u006e%s}}\"}]", name);
	head = b.len;
	buf_str(&b, ",\"variables\":{\"\":1}}");
	filled(buf_view(&b), FAMILY_CHAT, REWRITE_FILL);
	ok(out.len == head + 1 && memcmp(out.ptr, b.ptr, head) == 0);
	buf_free(&b);
}

/* What would take long if it were not linear: both are at their limits, and a
 * text of nothing but braces. */
static void
worst(void)
{
	struct buf b;
	size_t i;

	buf_init(&b, 64 * MIB);
	buf_str(&b, "{\"variables\":{");
	for (i = 0; i < LIMIT_VARIABLES; i++)
		buf_printf(&b, "%s\"%0256zu\":1", i ? "," : "", i);
	buf_str(&b, "},\"messages\":[{\"content\":\"");
	for (i = 0; i < 100000; i++)
		buf_printf(&b, "{{%0256zu}}", (size_t)LIMIT_VARIABLES + i);
	for (i = 0; i < 4 * MIB; i++)
		buf_byte(&b, '{');
	buf_str(&b, "\"}]}");
	filled(buf_view(&b), FAMILY_CHAT, REWRITE_FILL);
	ok(note == NULL && out.len > 4 * MIB && out.len < b.len);
	buf_free(&b);
}

int
main(void)
{
	buf_init(&out, 128 * MIB);
	names();
	values();
	places();
	sources();
	together();
	limits();
	worst();
	buf_free(&out);
	return done();
}
