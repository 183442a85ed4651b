/* SPDX-License-Identifier: Apache-2.0 */
/* pyjson: what json.dumps(json.loads(text)) of Python prints; printed again it stays. */
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "core/pyjson.h"
#include "tap.h"

static void
prints(const char *json, const char *python)
{
	struct jvalue v, w;
	struct buf out, again;
	bool good;

	buf_init(&out, MIB);
	buf_init(&again, MIB);
	good = jscan_check(slice_str(json), &v, NULL) == JSCAN_END;
	if (good)
		pyjson(v, &out);
	good = good && slice_eq(buf_view(&out), slice_str(python)) && jscan_check(buf_view(&out), &w, NULL) == JSCAN_END;
	if (good) {
		pyjson(w, &again);
		good = slice_eq(buf_view(&out), buf_view(&again));
	}
	if (!tap_ok(good, __FILE__, __LINE__, json))
		printf("# %.*s\n", (int)out.len, out.ptr ? out.ptr : "");
	buf_free(&out);
	buf_free(&again);
}

/* An object of n members, and an integer of n digits. */
static void
large(size_t n, bool kept)
{
	struct buf json, out;
	struct jvalue v;

	buf_init(&json, MIB);
	buf_init(&out, MIB);
	for (size_t i = 0; i < n; i++)
		buf_printf(&json, "%c\"k%zu\":1", i ? ',' : '{', i);
	buf_byte(&json, '}');
	ok(jscan_check(buf_view(&json), &v, NULL) == JSCAN_END);
	pyjson(v, &out);
	ok((*out.ptr == '{') == kept && (*out.ptr == '"') == !kept);
	buf_free(&json);
	buf_free(&out);
}

int
main(void)
{
	char digits[400], text[420];

	prints(" { } ", "{}");
	prints("[ ]", "[]");
	prints("[1,2 , {\"a\":null,\"b\":[true,false]}]", "[1, 2, {\"a\": null, \"b\": [true, false]}]");
	prints("\"\\u00fc\xc3\xbc\\/\\b\\f\\n\\r\\t\\\"\\\\\\u0000\\u001f\\u007f\xf0\x9f\x8f\x94\xe2\x80\xa8\"",
	    "\"\\u00fc\\u00fc/\\b\\f\\n\\r\\t\\\"\\\\\\u0000\\u001f\\u007f\\ud83c\\udfd4\\u2028\"");
	prints("\"\\ud83c\\udfd4 \\ud800\"", "\"\\ud83c\\udfd4 \\ufffd\"");
	prints("{\"\\u00fc\":1}", "{\"\\u00fc\": 1}");
	/* the last value of a name, where it first stood */
	prints("{\"a\":1,\"b\":2,\"a\":3}", "{\"a\": 3, \"b\": 2}");
	prints("{\"a\":1,\"\\u0061\":{\"x\":1,\"x\":2},\"b\":2}", "{\"a\": {\"x\": 2}, \"b\": 2}");
	prints("[0,-0,-1,123456789012345678901234567890]", "[0, 0, -1, 123456789012345678901234567890]");
	prints("[0.0,-0.0,1.0,1e0,1E2,0.1,-2.50,1e-5,0.0001,0.00012,0.00001234]",
	    "[0.0, -0.0, 1.0, 1.0, 100.0, 0.1, -2.5, 1e-05, 0.0001, 0.00012, 1.234e-05]");
	prints("[1e15,1e16,123456789012345680.0,1.5e300,1e-300,5e-324,9007199254740993.0,1e22,1e23]",
	    "[1000000000000000.0, 1e+16, 1.2345678901234568e+17, 1.5e+300, 1e-300, 5e-324, 9007199254740992.0, 1e+22, 1e+23]");
	prints("[0.30000000000000004,3.141592653589793,1234567890123456.7,1e100]",
	    "[0.30000000000000004, 3.141592653589793, 1234567890123456.8, 1e+100]");
	prints("[1e400,-1e400]", "[\"1e400\", \"-1e400\"]");
	memset(digits, '7', 300);
	digits[300] = '\0';
	prints(digits, digits);
	memset(digits, '7', 301);
	digits[301] = '\0';
	snprintf(text, sizeof(text), "\"%s\"", digits);
	prints(digits, text);
	large(256, true);
	large(257, false);
	return done();
}
