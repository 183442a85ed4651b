/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors: what came as base64 and what came as numbers is the same to the bit,
 * and as many numbers of each stay as the settings say. */
#include <math.h>

#include "core/base64.h"
#include "core/jscan.h"
#include "exchange.h"
#include "tap.h"

#define VECTORS 1000
#define LENGTH 8

static uint32_t seed = 1;

/* Any float32 but those that are no number. */
static float
random_float(void)
{
	uint32_t bits;
	float v;

	do {
		seed = seed * 1664525u + 1013904223u;
		bits = seed;
		seed = seed * 1664525u + 1013904223u;
		bits = bits >> 16 | (seed & 0xffff0000u);
		memcpy(&v, &bits, sizeof(v));
	} while (!isfinite(v));
	return v;
}

static void
base64_put(const unsigned char *p, size_t n, struct buf *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t i;
	uint32_t v;

	for (i = 0; i < n; i += 3) {
		v = (uint32_t)p[i] << 16 | (i + 1 < n ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < n ? p[i + 2] : 0u);
		buf_byte(out, digits[v >> 18]);
		buf_byte(out, digits[v >> 12 & 63]);
		buf_byte(out, i + 1 < n ? digits[v >> 6 & 63] : '=');
		buf_byte(out, i + 2 < n ? digits[v & 63] : '=');
	}
}

/* A vector as a client of this API reads it from base64. */
static void
vector_put(const float *v, bool base64, struct buf *out)
{
	unsigned char bytes[LENGTH * 4];
	uint32_t bits;
	size_t i;

	for (i = 0; i < LENGTH; i++) {
		memcpy(&bits, &v[i], sizeof(bits));
		bytes[4 * i] = (unsigned char)bits;
		bytes[4 * i + 1] = (unsigned char)(bits >> 8);
		bytes[4 * i + 2] = (unsigned char)(bits >> 16);
		bytes[4 * i + 3] = (unsigned char)(bits >> 24);
	}
	buf_byte(out, base64 ? '"' : '[');
	if (base64)
		base64_put(bytes, sizeof(bytes), out);
	for (i = 0; i < LENGTH && !base64; i++)
		buf_printf(out, "%s%.17g", i ? "," : "", (double)v[i]);
	buf_byte(out, base64 ? '"' : ']');
}

static const struct span *
built(struct ex_fed *fed, struct slice answer, const struct build_options *options)
{
	struct exchange *x;
	struct buf text;

	buf_init(&text, EX_ROOM);
	buf_str(&text, "begin\n\tWALL 1000000\n\tT_READ 10\n\tFAMILY embedding\n\tBYTES {\"input\":[]}\n"
	    "send\n\tATTEMPT 1\n\tT 20\nhead\n\tATTEMPT 1\n\tT 30\n\tSTATUS 200\n"
	    "\tHEADERS content-type: application/json\npart\n\tATTEMPT 1\n\tT 40\n\tBYTES ");
	buf_slice(&text, answer);
	buf_str(&text, "\nend\n\tT 50\n\tT_LAST 50\n\tREASON 0\n");
	buf_byte(&text, '\0');
	assert(!text.failed);
	x = ex_parse(text.ptr);
	buf_free(&text);
	ex_feed(fed, x, options, EX_AS_IS);
	ex_free(x);
	return build_finish(fed->build);
}

/* Are the numbers of the span's vectors these, in order? */
static bool
same_numbers(struct slice output, const float *v)
{
	struct jmember vector, number;
	struct jiter outer, inner;
	struct jvalue list;
	size_t n = 0;
	double want;

	if (jscan_check(output, &list, NULL) != JSCAN_END || list.kind != JARRAY)
		return false;
	jiter_init(&outer, list);
	while (jiter_next(&outer, &vector)) {
		jiter_init(&inner, vector.value);
		while (jiter_next(&inner, &number)) {
			double got = strtod(number.value.text.ptr, NULL);

			want = (double)v[n++];
			if (memcmp(&got, &want, sizeof(got)) != 0) {
				printf("# %.*s is not %.17g\n", (int)number.value.text.len,
				    number.value.text.ptr, want);
				return false;
			}
		}
	}
	return n == VECTORS * LENGTH;
}

static void
to_the_bit(bool base64)
{
	static const struct build_options options = { .vectors = VECTORS_KEEP };
	static float v[VECTORS * LENGTH];
	struct ex_fed fed;
	struct buf answer;
	size_t i;

	v[0] = -0.0f;
	v[1] = 1.401298464e-45f;
	v[2] = 3.402823466e+38f;
	v[3] = 0.1f;
	for (i = 4; i < VECTORS * LENGTH; i++)
		v[i] = random_float();
	buf_init(&answer, EX_ROOM);
	for (i = 0; i < VECTORS; i++) {
		buf_str(&answer, i ? ",{\"embedding\":" : "{\"data\":[{\"embedding\":");
		vector_put(v + i * LENGTH, base64, &answer);
		buf_byte(&answer, '}');
	}
	buf_str(&answer, "]}");
	ok(same_numbers(built(&fed, buf_view(&answer), &options)->output, v));
	buf_free(&answer);
	ex_fed_free(&fed);
}

static void
shown(const char *answer, const struct build_options *options, const char *output, const char *full)
{
	struct ex_fed fed;
	const struct span *s = built(&fed, slice_str(answer), options);

	printf("# %.*s\n", (int)s->output.len, s->output.ptr ? s->output.ptr : "");
	ok(slice_eq(s->output, slice_str(output)));
	ok(slice_eq(s->full_response, slice_str(full ? full : answer)));
	ex_fed_free(&fed);
}

#define BOTH "{\"data\":[{\"embedding\":[1,2.50,3]},{\"embedding\":\"AACAPwAAAEAAAEBA\",\"index\":1}],\"x\":1}"

static void
settings(void)
{
	static const struct build_options keep = { .vectors = VECTORS_KEEP }, none = { .vectors = VECTORS_NONE },
	    first = { .vectors = VECTORS_FIRST, .vectors_first = 2 };

	shown(BOTH, &keep, "[[1,2.50,3],[1,2,3]]", NULL);
	shown(BOTH, &first, "[[1,2.50],[1,2]]",
	    "{\"data\":[{\"embedding\":[1,2.50]},{\"embedding\":[1,2],\"index\":1}],\"x\":1}");
	shown(BOTH, &none, "[[],[]]", "{\"data\":[{\"embedding\":[]},{\"embedding\":[],\"index\":1}],\"x\":1}");
	shown("{\"data\":[{\"embedding\":\"AACAP\\u0077AAAEA=\"}]}", &keep, "[1,2]", NULL);
	shown("{\"data\":[{\"embedding\":\"AACAPwA=\"},{\"embedding\":\"AACA.wAAAEA=\"}]}", &keep, "[null,null]", NULL);
	shown("{\"data\":[{\"embedding\":\"AACA\\u0050wAAAEA\\u003D\"}]}", &keep, "[1,2]", NULL);
	/* not a number: JSON has none */
	shown("{\"data\":[{\"embedding\":\"AADAfwAAgH8=\"}]}", &keep, "[null,null]", NULL);
	shown("{\"data\":[]}", &keep, "[]", NULL);
	shown("{\"data\":[{\"embedding\":\"\"},{}]}", &keep, "[[],null]", NULL);
}

int
main(void)
{
	to_the_bit(true);
	to_the_bit(false);
	settings();
	return done();
}
