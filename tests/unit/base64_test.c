/* SPDX-License-Identifier: Apache-2.0 */
/* base64: the vectors of RFC 4648, both alphabets, with and without padding. */
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
	return done();
}
