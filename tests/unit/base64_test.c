/* SPDX-License-Identifier: Apache-2.0 */
/* base64: the vectors of RFC 4648, both alphabets, with and without padding;
 * then texts in pieces. */
#include "core/base64.h"
#include "exact.h"
#include "tap.h"

static bool
gives(struct slice text, struct slice want)
{
	struct slice copy = exact_copy(text);
	struct buf b;
	bool same;

	buf_init(&b, 100);
	buf_str(&b, "x");
	same = base64_decode(copy, &b) && slice_eq(slice_from(buf_view(&b), 1), want);
	buf_free(&b);
	exact_free(copy);
	return same;
}

static bool
refused(struct slice text)
{
	struct slice copy = exact_copy(text);
	struct buf b;
	bool refused;

	buf_init(&b, 100);
	buf_str(&b, "x");
	refused = !base64_decode(copy, &b) && b.len == 1;
	buf_free(&b);
	exact_free(copy);
	return refused;
}

/* Fed in every cut: the same bytes, or refused. */
static bool
pieces_give(struct slice text, struct slice want, bool good)
{
	struct base64 d;
	struct slice copy;
	struct buf b;
	uint64_t seed;
	size_t i, n;
	bool same = true, fine;
	int mode;

	for (mode = 0; mode < 6; mode++) {
		base64_init(&d);
		buf_init(&b, 1000);
		seed = (uint64_t)mode;
		fine = true;
		for (i = 0; i < text.len; i += n) {
			n = exact_cut(mode, &seed, text.len - i);
			copy = exact_copy(slice_make(text.ptr + i, n));
			fine = base64_feed(&d, copy, &b);
			exact_free(copy);
		}
		fine = base64_end(&d) && fine;
		same = same && fine == good && slice_eq(buf_view(&b), want);
		buf_free(&b);
	}
	return same;
}

static void
pieces_test(void)
{
	struct base64 d;
	struct buf b;

	ok(pieces_give(SLICE(""), SLICE(""), true) && pieces_give(SLICE("Zg=="), SLICE("f"), true));
	ok(pieces_give(SLICE("Zm8="), SLICE("fo"), true) && pieces_give(SLICE("Zm8"), SLICE("fo"), true));
	ok(pieces_give(SLICE("Zm9vYmFy"), SLICE("foobar"), true));
	ok(pieces_give(SLICE("Zm9vYmE=Zm9vYg==Zm9v"), SLICE("foobafoobfoo"), true));
	ok(pieces_give(SLICE(" Zm\r\n9v\tYg = =\n"), SLICE("foob"), true));
	ok(pieces_give(SLICE("\\/+\\/-\\u002f\\u002B\\u003D\\u003d"), SLICE("\xff\xef\xfe\xff"), true));
	ok(pieces_give(SLICE("Zm9v\\n\\r\\tYg=="), SLICE("foob"), true));
	ok(pieces_give(SLICE("Zm9vY"), SLICE("foo"), false) && pieces_give(SLICE("Zg="), SLICE("f"), false));
	ok(pieces_give(SLICE("Zm9v="), SLICE("foo"), false) && pieces_give(SLICE("Z==="), SLICE(""), false));
	ok(pieces_give(SLICE("Zg=Zg"), SLICE("f"), false) && pieces_give(SLICE("Zg==="), SLICE("f"), false));
	ok(pieces_give(SLICE("Zm9v\xc3\xa9Zm9v"), SLICE("foo"), false));
	ok(pieces_give(SLICE("Zm9v\\bZm9v"), SLICE("foo"), false) && pieces_give(SLICE("Zm9v\\"), SLICE("foo"), false));
	ok(pieces_give(SLICE("Zm9v\\u00g0"), SLICE("foo"), false));
	ok(pieces_give(SLICE("Zm9v\\u0141Zm9v"), SLICE("foo"), false));
	ok(pieces_give(SLICE("Zm9v\\u004"), SLICE("foo"), false));

	/* without padding each text has its end; after a bad one none is read */
	base64_init(&d);
	buf_init(&b, 5);
	ok(base64_feed(&d, SLICE("Zg"), &b) && base64_end(&d) && base64_feed(&d, SLICE("Zm8"), &b) && base64_end(&d));
	ok(slice_eq(buf_view(&b), SLICE("ffo")));
	ok(!base64_feed(&d, SLICE("Zm9v"), &b) && b.failed && !base64_end(&d) && !base64_feed(&d, SLICE("Zg"), &b));
	buf_free(&b);
}

int
main(void)
{
	struct buf b;

	ok(gives(SLICE(""), SLICE("")));
	ok(gives(SLICE("Zg=="), SLICE("f")) && gives(SLICE("Zg"), SLICE("f")));
	ok(gives(SLICE("Zm8="), SLICE("fo")) && gives(SLICE("Zm8"), SLICE("fo")));
	ok(gives(SLICE("Zm9v"), SLICE("foo")) && gives(SLICE("Zm9vYg=="), SLICE("foob")));
	ok(gives(SLICE("Zm9vYmE="), SLICE("fooba")) && gives(SLICE("Zm9vYmFy"), SLICE("foobar")));
	ok(gives(SLICE("AP/+fw=="), SLICE("\0\xff\xfe\x7f")));
	ok(gives(SLICE("AP_-fw"), SLICE("\0\xff\xfe\x7f")));
	ok(gives(SLICE("eyJhIjoxfQ=="), SLICE("{\"a\":1}")));
	ok(refused(SLICE("Z")) && refused(SLICE("Zm9vY")) && refused(SLICE("=")));
	ok(refused(SLICE("Zg=")) && refused(SLICE("Zg===")) && refused(SLICE("Z===")));
	ok(refused(SLICE("Zm9v====")) && refused(SLICE("Zm9v=")) && refused(SLICE("Zg==Zg==")));
	ok(refused(SLICE("Zm 9v")) && refused(SLICE("Zm9v\n")) && refused(SLICE("Zm\xc3\xa9")));

	buf_init(&b, 4);
	ok(!base64_decode(SLICE("Zm9vYmFy"), &b) && b.len == 0 && b.failed);
	buf_free(&b);
	pieces_test();
	return done();
}
