/* SPDX-License-Identifier: Apache-2.0 */
/* jscan: the grammar by tables of good and bad texts, the walker against the
 * whole check, and what values say. */
#include <float.h>
#include <inttypes.h>

#include "core/jscan.h"
#include "core/limits.h"
#include "exact.h"
#include "tap.h"

static const struct slice good[] = {
	SLICE("{}"), SLICE("[]"), SLICE(" \t\r\n{ \t\r\n} \t\r\n"), SLICE("null"), SLICE("true"),
	SLICE("false"), SLICE("0"), SLICE("-0"), SLICE("12"), SLICE("-1.5"), SLICE("1e5"),
	SLICE("1E+05"), SLICE("0.0e-0"), SLICE("123456789012345678901234567890"),
	SLICE("\"\""), SLICE("\"a\""), SLICE("[1,2 , 3]"), SLICE("[[],{},[{}]]"),
	SLICE("{\"a\":1}"), SLICE("{\"\":\"\"}"), SLICE("{ \"a\" : 1 , \"b\" : [ null ] }"),
	SLICE("{\"a\":1,\"a\":2}"), SLICE("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\""),
	SLICE("\"\\ud800\""), SLICE("\"\\udc00\\ud800\""), SLICE("\"\\u0000\""),
	SLICE("\"\x7f\""), SLICE("\"\xc2\x80\""), SLICE("\"\xdf\xbf\""), SLICE("\"\xe0\xa0\x80\""),
	SLICE("\"\xed\x9f\xbf\""), SLICE("\"\xee\x80\x80\""), SLICE("\"\xef\xbf\xbf\""),
	SLICE("\"\xf0\x90\x80\x80\""), SLICE("\"\xf4\x8f\xbf\xbf\""),
	SLICE("\"0123456789abcde\""), SLICE("\"0123456789abcdef\""),
	SLICE("\"0123456789abcdef0\\n23456789abcdef\xc3\xa9xxxxxxxxxxxxxxxxxxxx\""),
	SLICE("{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"stream\":true}"),
};

static const struct {
	struct slice	text;
	int		error;
	size_t		at;
} bad[] = {
	{ SLICE(""), JSCAN_E_SYNTAX, 0 }, { SLICE("  "), JSCAN_E_SYNTAX, 2 },
	{ SLICE("{"), JSCAN_E_SYNTAX, 1 }, { SLICE("}"), JSCAN_E_SYNTAX, 0 },
	{ SLICE("["), JSCAN_E_SYNTAX, 1 }, { SLICE("]"), JSCAN_E_SYNTAX, 0 },
	{ SLICE("[}"), JSCAN_E_SYNTAX, 1 }, { SLICE("{]"), JSCAN_E_SYNTAX, 1 },
	{ SLICE("[1,]"), JSCAN_E_SYNTAX, 3 }, { SLICE("[,1]"), JSCAN_E_SYNTAX, 1 },
	{ SLICE("[1 2]"), JSCAN_E_SYNTAX, 3 }, { SLICE("[1]]"), JSCAN_E_SYNTAX, 3 },
	{ SLICE("[[1}]"), JSCAN_E_SYNTAX, 3 }, { SLICE("{\"a\":[1}]"), JSCAN_E_SYNTAX, 7 },
	{ SLICE("{\"a\"}"), JSCAN_E_SYNTAX, 4 }, { SLICE("{\"a\":}"), JSCAN_E_SYNTAX, 5 },
	{ SLICE("{\"a\" 1}"), JSCAN_E_SYNTAX, 5 }, { SLICE("{a:1}"), JSCAN_E_SYNTAX, 1 },
	{ SLICE("{1:1}"), JSCAN_E_SYNTAX, 1 }, { SLICE("{\"a\":1,}"), JSCAN_E_SYNTAX, 7 },
	{ SLICE("{\"a\":1 \"b\":2}"), JSCAN_E_SYNTAX, 7 }, { SLICE("{,}"), JSCAN_E_SYNTAX, 1 },
	{ SLICE("{\"a\":1}x"), JSCAN_E_SYNTAX, 7 }, { SLICE("{} {}"), JSCAN_E_SYNTAX, 3 },
	{ SLICE("{\"a\":1,,\"b\":2}"), JSCAN_E_SYNTAX, 7 }, { SLICE("{\"a\"::1}"), JSCAN_E_SYNTAX, 5 },
	{ SLICE("nul"), JSCAN_E_SYNTAX, 3 }, { SLICE("nulL"), JSCAN_E_SYNTAX, 3 },
	{ SLICE("truee"), JSCAN_E_SYNTAX, 4 }, { SLICE("True"), JSCAN_E_SYNTAX, 0 },
	{ SLICE("NaN"), JSCAN_E_SYNTAX, 0 }, { SLICE("-Infinity"), JSCAN_E_SYNTAX, 1 },
	{ SLICE("+1"), JSCAN_E_SYNTAX, 0 }, { SLICE("01"), JSCAN_E_SYNTAX, 1 },
	{ SLICE("-"), JSCAN_E_SYNTAX, 1 }, { SLICE("-a"), JSCAN_E_SYNTAX, 1 },
	{ SLICE(".5"), JSCAN_E_SYNTAX, 0 }, { SLICE("1."), JSCAN_E_SYNTAX, 2 },
	{ SLICE("1.e5"), JSCAN_E_SYNTAX, 2 }, { SLICE("1e"), JSCAN_E_SYNTAX, 2 },
	{ SLICE("1e+"), JSCAN_E_SYNTAX, 3 }, { SLICE("0x10"), JSCAN_E_SYNTAX, 1 },
	{ SLICE("\""), JSCAN_E_SYNTAX, 1 }, { SLICE("\"a"), JSCAN_E_SYNTAX, 2 },
	{ SLICE("\"\\"), JSCAN_E_SYNTAX, 2 }, { SLICE("\"\\\""), JSCAN_E_SYNTAX, 3 },
	{ SLICE("\"\\a\""), JSCAN_E_SYNTAX, 2 }, { SLICE("\"\\u12\""), JSCAN_E_SYNTAX, 5 },
	{ SLICE("\"\\u12g4\""), JSCAN_E_SYNTAX, 5 }, { SLICE("\"\\u123"), JSCAN_E_SYNTAX, 6 },
	{ SLICE("\"\\U0041\""), JSCAN_E_SYNTAX, 2 }, { SLICE("'a'"), JSCAN_E_SYNTAX, 0 },
	{ SLICE("\"\n\""), JSCAN_E_SYNTAX, 1 }, { SLICE("\"\0\""), JSCAN_E_SYNTAX, 1 },
	{ SLICE("\"0123456789abcdef\t\""), JSCAN_E_SYNTAX, 17 },
	{ SLICE("[1]\0"), JSCAN_E_SYNTAX, 3 }, { SLICE("\f[1]"), JSCAN_E_SYNTAX, 0 },
	{ SLICE("[1]//x"), JSCAN_E_SYNTAX, 3 }, { SLICE("\xef\xbb\xbf{}"), JSCAN_E_SYNTAX, 0 },
	{ SLICE("\xc2\xa0{}"), JSCAN_E_SYNTAX, 0 },
	{ SLICE("\"\x80\""), JSCAN_E_UTF8, 1 }, { SLICE("\"\xc0\x80\""), JSCAN_E_UTF8, 1 },
	{ SLICE("\"\xc1\xbf\""), JSCAN_E_UTF8, 1 }, { SLICE("\"\xc3\""), JSCAN_E_UTF8, 1 },
	{ SLICE("\"\xc3"), JSCAN_E_UTF8, 1 }, { SLICE("\"\xe0\x9f\xbf\""), JSCAN_E_UTF8, 1 },
	{ SLICE("\"\xed\xa0\x80\""), JSCAN_E_UTF8, 1 }, { SLICE("\"\xe2\x82\""), JSCAN_E_UTF8, 1 },
	{ SLICE("\"\xf0\x8f\xbf\xbf\""), JSCAN_E_UTF8, 1 },
	{ SLICE("\"\xf4\x90\x80\x80\""), JSCAN_E_UTF8, 1 },
	{ SLICE("\"\xf5\x80\x80\x80\""), JSCAN_E_UTF8, 1 }, { SLICE("\"\xff\""), JSCAN_E_UTF8, 1 },
	{ SLICE("{\"\xff\":1}"), JSCAN_E_UTF8, 2 },
};

/* Walks the text to its end; the result of the last call. */
static int
walk(struct slice text, struct jscan *s, size_t *members)
{
	struct jmember m;
	int r;

	jscan_init(s, text);
	for (*members = 0; (r = jscan_next(s, &m)) == JSCAN_ITEM; (*members)++)
		continue;
	return jscan_next(s, &m) == r ? r : JSCAN_ITEM;
}

static void
grammar_test(void)
{
	struct slice text;
	struct jscan s;
	struct jvalue v;
	size_t i, at, members;

	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		text = exact_copy(good[i]);
		ok(jscan_check(text, &v, &at) == JSCAN_END && v.kind != JNONE && at == text.len);
		ok(walk(text, &s, &members) == JSCAN_END && s.kind == v.kind);
		exact_free(text);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		text = exact_copy(bad[i].text);
		ok(jscan_check(text, NULL, &at) == bad[i].error && at == bad[i].at);
		ok(walk(text, &s, &members) == bad[i].error && jscan_at(&s) == bad[i].at);
		exact_free(text);
	}
	ok(jscan_check(SLICE_NONE, NULL, NULL) == JSCAN_E_SYNTAX);
	ok(walk(SLICE_NONE, &s, &members) == JSCAN_E_SYNTAX && s.kind == JNONE);
}

/* No prefix of an object is good, and none is read past its end. */
static void
prefix_test(void)
{
	static const struct slice whole = SLICE("{\"model\":\"gpt-4o\",\"n\":-1.5e+10,"
	    "\"messages\":[{\"role\":\"user\",\"content\":\"caf\xc3\xa9 \\u00e9\\ud83d\\ude00 "
	    "and a longer run of plain text\"},{}],\"x\":[true,false,null,[]]}");
	struct slice text;
	struct jscan s;
	size_t n, members, failed = 0;

	for (n = 0; n < whole.len; n++) {
		text = exact_copy(slice_make(whole.ptr, n));
		failed += jscan_check(text, NULL, NULL) < 0 && walk(text, &s, &members) < 0;
		exact_free(text);
	}
	ok(failed == whole.len);
	ok(walk(whole, &s, &members) == JSCAN_END && members == 4 && s.close == whole.len - 1);
}

static int
nested(unsigned depth, bool object)
{
	char *p = malloc(6 * (size_t)depth + 2), *q = p;
	struct jscan s;
	size_t members;
	unsigned i;
	int r;

	for (i = 0; i < depth; i++) {
		memcpy(q, object ? "{\"a\":" : "[", object ? 5 : 1);
		q += object ? 5 : 1;
	}
	*q++ = '1';
	for (i = 0; i < depth; i++)
		*q++ = object ? '}' : ']';
	r = jscan_check(slice_make(p, (size_t)(q - p)), NULL, NULL);
	if (walk(slice_make(p, (size_t)(q - p)), &s, &members) != r)
		r = JSCAN_ITEM;
	free(p);
	return r;
}

static void
depth_test(void)
{
	ok(nested(LIMIT_JSON_DEPTH, false) == JSCAN_END);
	ok(nested(LIMIT_JSON_DEPTH, true) == JSCAN_END);
	ok(nested(LIMIT_JSON_DEPTH + 1, false) == JSCAN_E_DEPTH);
	ok(nested(LIMIT_JSON_DEPTH + 1, true) == JSCAN_E_DEPTH);
	ok(nested(100000, false) == JSCAN_E_DEPTH);
	ok(nested(65, true) == JSCAN_END && nested(64, false) == JSCAN_END);
}

static struct jvalue
value(const char *text)
{
	struct jvalue v = { JNONE, SLICE_NONE };

	if (jscan_check(slice_str(text), &v, NULL) != JSCAN_END)
		abort();
	return v;
}

static void
walker_test(void)
{
	struct jmember m;
	struct jscan s;

	jscan_init(&s, SLICE(" { \"a\" : [ 1 ] , \"b\\u0063\":\"x\" } "));
	ok(jscan_next(&s, &m) == JSCAN_ITEM && s.kind == JOBJECT);
	ok(slice_eq(m.key, SLICE("a")) && slice_eq(m.key_text, SLICE("\"a\"")));
	ok(m.value.kind == JARRAY && slice_eq(m.value.text, SLICE("[ 1 ]")));
	ok(jscan_next(&s, &m) == JSCAN_ITEM && slice_eq(m.key, SLICE("b\\u0063")));
	ok(jkey_is(&m, SLICE("bc")) && !jkey_is(&m, SLICE("b\\u0063")));
	ok(jscan_next(&s, &m) == JSCAN_END && s.close == 31);
	jscan_init(&s, SLICE("{\"a\":1,\"b\":}"));
	ok(jscan_next(&s, &m) == JSCAN_ITEM && jscan_next(&s, &m) == JSCAN_E_SYNTAX);
	ok(jscan_next(&s, &m) == JSCAN_E_SYNTAX && jscan_at(&s) == 11);
}

static void
iter_test(void)
{
	struct jmember m;
	struct jiter it;

	jiter_init(&it, value(" [ 1 , \"a\",{ \"b\":[2]} ] "));
	ok(jiter_next(&it, &m) && m.key.ptr == NULL && slice_eq(m.value.text, SLICE("1")));
	ok(jiter_next(&it, &m) && m.value.kind == JSTRING);
	ok(jiter_next(&it, &m) && slice_eq(m.value.text, SLICE("{ \"b\":[2]}")));
	ok(!jiter_next(&it, &m) && !jiter_next(&it, &m));
	jiter_init(&it, value("{\"x\":\"y\" , \"z\":null}"));
	ok(jiter_next(&it, &m) && slice_eq(m.key, SLICE("x")) && m.value.kind == JSTRING);
	ok(jiter_next(&it, &m) && slice_eq(m.key_text, SLICE("\"z\"")) && m.value.kind == JNULL);
	ok(!jiter_next(&it, &m));
	jiter_init(&it, value("12"));
	ok(!jiter_next(&it, &m));
	jiter_init(&it, (struct jvalue){ JNONE, SLICE_NONE });
	ok(!jiter_next(&it, &m));

	ok(slice_eq(jget(value("{\"a\":1,\"b\":2,\"\\u0061\":3}"), SLICE("a")).text, SLICE("3")));
	ok(jget(value("{\"a\":1}"), SLICE("b")).kind == JNONE);
	ok(jget(value("[\"a\"]"), SLICE("a")).kind == JNONE);
}

static bool
characters(const char *json, struct slice want)
{
	struct buf b;
	bool same;

	buf_init(&b, 1000);
	same = jstring(value(json), &b) && slice_eq(buf_view(&b), want) &&
	    jstring_is(value(json), want) && !jstring_is(value(json), SLICE("other"));
	buf_free(&b);
	return same;
}

static void
string_test(void)
{
	struct buf b;

	ok(characters("\"\"", SLICE("")));
	ok(characters("\"plain \xc3\xa9\"", SLICE("plain \xc3\xa9")));
	ok(characters("\"\\\"\\\\\\/\\b\\f\\n\\r\\tz\"", SLICE("\"\\/\b\f\n\r\tz")));
	ok(characters("\"a\\u0041\\u00e9\\u20AC\\u0000b\"",
	    SLICE("aA\xc3\xa9\xe2\x82\xac\0b")));
	ok(characters("\"\\ud83d\\uDE00!\"", SLICE("\xf0\x9f\x98\x80!")));
	ok(characters("\"\\ud800\"", SLICE("\xef\xbf\xbd")));
	ok(characters("\"\\ud800x\\udc00\"", SLICE("\xef\xbf\xbdx\xef\xbf\xbd")));
	ok(characters("\"\\ud800\\ud83d\\ude00\"", SLICE("\xef\xbf\xbd\xf0\x9f\x98\x80")));
	ok(characters("\"\\ud83d\\n\"", SLICE("\xef\xbf\xbd\n")));
	ok(!jstring_is(value("\"a\\nb\""), SLICE("a\nbc")));
	ok(!jstring_is(value("\"a\\nb\""), SLICE("a\n")));
	ok(!jstring_is(value("1"), SLICE("1")));

	buf_init(&b, 3);
	ok(!jstring(value("12"), &b) && b.len == 0);
	ok(!jstring(value("\"abcd\""), &b) && b.failed);
	buf_free(&b);
	ok(slice_eq(jstring_plain(value("\"ab\"")), SLICE("ab")));
	ok(jstring_plain(value("\"\"")).ptr != NULL);
	ok(jstring_plain(value("\"a\\n\"")).ptr == NULL && jstring_plain(value("1")).ptr == NULL);

	ok(jempty(value("\"\"")) && jempty(value("[ ]")) && jempty(value("{ }")));
	ok(jempty(value("null")) && jempty((struct jvalue){ JNONE, SLICE_NONE }));
	ok(!jempty(value("\" \"")) && !jempty(value("[0]")) && !jempty(value("0")));
	ok(!jempty(value("false")) && !jempty(value("{\"a\":null}")));
}

static bool
whole(const char *text, int64_t want)
{
	int64_t got;

	return jint(value(text), &got) && got == want;
}

static bool
not_whole(const char *text)
{
	int64_t got;

	return !jint(value(text), &got);
}

static void
int_test(void)
{
	ok(whole("0", 0) && whole("-0", 0) && whole("0.000", 0) && whole("0e99999999999", 0));
	ok(whole("17", 17) && whole("-17", -17) && whole("1.0", 1) && whole("1e3", 1000));
	ok(whole("1.50e1", 15) && whole("15000e-3", 15) && whole("0.00012e5", 12));
	ok(whole("9223372036854775807", INT64_MAX) && whole("-9223372036854775808", INT64_MIN));
	ok(whole("922337203685477580.7e1", INT64_MAX) && whole("1E+18", INT64_C(1000000000000000000)));
	ok(whole("10000000000000000000000e-20", 100));
	ok(not_whole("9223372036854775808") && not_whole("-9223372036854775809"));
	ok(not_whole("1e19") && not_whole("18446744073709551616") && not_whole("1e999999999999999999"));
	ok(not_whole("1.5") && not_whole("1e-1") && not_whole("-0.5") && not_whole("1e-99999999999999"));
	ok(not_whole("\"1\"") && not_whole("null") && not_whole("true"));
}

static bool
number(const char *text, double want)
{
	double got;

	return jnumber(value(text), &got) && got == want;
}

static void
number_test(void)
{
	char text[2000];
	double got;
	bool flag;

	ok(number("0", 0) && number("-1.5", -1.5) && number("1e3", 1000) && number("0.1", 0.1));
	ok(number("-4.547132266452536e-05", -4.547132266452536e-05));
	ok(number("1.7976931348623157e308", DBL_MAX) && number("4.9e-324", 4.9e-324));
	ok(number("1e-999", 0) && number("0e999", 0) && number("2.2250738585072014E-308", DBL_MIN));
	ok(!jnumber(value("1e999"), &got) && !jnumber(value("\"1\""), &got));
	/* half way between two doubles, and a digit far below that decides */
	ok(number("9007199254740993", 9007199254740992));
	snprintf(text, sizeof(text), "9007199254740993.%01200d1", 0);
	ok(number(text, 9007199254740994));
	snprintf(text, sizeof(text), "1%01000d", 0);
	ok(!jnumber(value(text), &got));
	snprintf(text, sizeof(text), "1%01000de-1000", 0);
	ok(number(text, 1));
	ok(jbool(value("true"), &flag) && flag && jbool(value("false"), &flag) && !flag);
	ok(!jbool(value("1"), &flag) && !jbool(value("null"), &flag));
}

int
main(void)
{
	grammar_test();
	prefix_test();
	depth_test();
	walker_test();
	iter_test();
	string_test();
	int_test();
	number_test();
	return done();
}
