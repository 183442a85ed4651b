/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of a stream's objects: the last value, small objects merged, and
 * no more names than there is room for. */
#include <stdio.h>
#include <string.h>

#include "core/limits.h"
#include "span/rest.h"
#include "tap.h"

static const struct slice known[] = { SLICE("id"), SLICE("p\"q") };

/* Gives the object; out: the values of the known names. */
static void
give(struct rest *r, const char *object, struct jvalue out[2])
{
	struct jvalue v = { .kind = JNONE };

	if (jscan_check(slice_str(object), &v, NULL) != JSCAN_END)
		printf("# no JSON: %s\n", object);
	rest_pick(r, v, known, out, 2);
}

static bool
is(const struct rest *r, const char *want)
{
	struct buf out;
	bool same;

	buf_init(&out, MIB);
	rest_json(r, &out);
	same = slice_eq(buf_view(&out), slice_str(want)) && !out.failed;
	if (!same)
		printf("# got %.*s\n", (int)out.len, out.len ? out.ptr : "");
	buf_free(&out);
	return same;
}

/* What is left of these objects, up to a NULL. */
static bool
leaves(const char *want, const char *const *objects)
{
	struct rest r = { .n = 0 };
	struct jvalue out[2];
	bool same;

	for (; *objects != NULL; objects++)
		give(&r, *objects, out);
	same = is(&r, want);
	rest_free(&r);
	return same;
}

#define LEAVES(want, ...) ok(leaves(want, (const char *const[]){ __VA_ARGS__, NULL }))

static void
values(void)
{
	LEAVES("", "{}", "{\"id\":1}", "[1]", "\"x\"");
	LEAVES(",\"a\":2", "{\"a\":1}", "{\"a\":2,\"id\":3}");
	LEAVES(",\"a\":2", "{\"a\":1,\"a\":2}");
	LEAVES(",\"a\":1,\"b\":[]", "{\"a\":null}", "{\"a\":1}", "{\"a\":null,\"b\":[]}");
	/* a name is what stands between the quotes */
	LEAVES(",\"\\u0061\":1,\"\":2", "{\"\\u0061\":1,\"\":2}");
	LEAVES("", "{\"p\\u0022q\":1}");
}

static void
merged(void)
{
	char large[REST_MERGE + 64], want[REST_MERGE + 64];

	LEAVES(",\"x\":{\"id\":\"r\",\"seed\":1,\"usage\":{}}", "{\"x\":{\"seed\":1,\"id\":\"q\"}}",
	    "{\"x\":{}}", "{\"x\":{\"id\":\"r\",\"seed\":null}}", "{\"x\":{\"id\":\"r\"}}",
	    "{\"x\":{\"id\":\"r\",\"seed\":1,\"usage\":{}}}");
	LEAVES(",\"x\":{\"b\":[1],\"a\":{\"c\":2}}", "{\"x\":{\"a\":{\"d\":1},\"b\":[1]}}",
	    "{\"x\":{\"a\":{\"c\":2}}}");
	LEAVES(",\"x\":{\"a\":1,\"b\":2}", "{\"x\":{\"a\":1,\"n\":null}}", "{\"x\":{\"b\":2,\"n\":null}}");
	/* another kind replaces */
	LEAVES(",\"x\":{\"a\":1}", "{\"x\":[1]}", "{\"x\":{\"a\":1}}");
	LEAVES(",\"x\":[1]", "{\"x\":{\"a\":1}}", "{\"x\":[1]}");
	/* large ones are not merged */
	snprintf(large, sizeof(large), "{\"x\":{\"b\":\"%0*d\"}}", (int)REST_MERGE, 0);
	snprintf(want, sizeof(want), ",\"x\":{\"b\":\"%0*d\"}", (int)REST_MERGE, 0);
	LEAVES(want, "{\"x\":{\"a\":1}}", large);
	LEAVES(",\"x\":{\"a\":1}", large, "{\"x\":{\"a\":1}}");
}

static void
picked(void)
{
	struct rest r = { .n = 0 };
	struct jvalue out[2];

	give(&r, "{\"id\":1,\"id\":null,\"p\\\"q\":[2],\"z\":3}", out);
	ok(out[0].kind == JNULL && slice_eq(out[1].text, SLICE("[2]")));
	give(&r, "7", out);
	ok(out[0].kind == JNONE && out[1].kind == JNONE && is(&r, ",\"z\":3"));
	rest_free(&r);
	ok(is(&r, ""));
}

static void
many(void)
{
	struct rest r = { .n = 0 };
	struct jvalue out[2];
	char object[64];
	struct buf text;
	size_t i;

	for (i = 0; i < 3 * REST_MEMBERS; i++) {
		snprintf(object, sizeof(object), "{\"n%zu\":%zu}", i, i);
		give(&r, object, out);
	}
	ok(r.n == REST_MEMBERS && !r.failed);
	give(&r, "{\"n0\":\"new\",\"n1000\":1,\"id\":5}", out);
	ok(r.n == REST_MEMBERS && slice_eq(out[0].text, SLICE("5")));
	buf_init(&text, MIB);
	rest_json(&r, &text);
	ok(slice_starts(buf_view(&text), SLICE(",\"n0\":\"new\",\"n1\":1,")));
	ok(slice_ends(buf_view(&text), SLICE(",\"n63\":63")));
	buf_free(&text);
	r.failed = true;
	buf_init(&text, MIB);
	rest_json(&r, &text);
	ok(text.failed);
	buf_free(&text);
	rest_free(&r);
}

int
main(void)
{
	values();
	merged();
	picked();
	many();
	return done();
}
