/* SPDX-License-Identifier: Apache-2.0 */
/* Decimals as they are written, to whole numbers and back. */
#include "core/decimal.h"
#include "tap.h"

static void
reading(void)
{
	static const struct { const char *text; int places; int64_t value; } good[] = {
		{ "0", 12, 0 }, { "1", 12, 1000000000000 }, { "0.000000000001", 12, 1 },
		{ "0.0000000000014", 12, 1 }, { "0.0000000000015", 12, 2 }, { "0.0000000000004999", 12, 0 },
		{ "2.5e-06", 12, 2500000 }, { "1E+2", 12, 100000000000000 },
		{ "0.1234567890123456789", 12, 123456789012 }, { "0e99999999", 12, 0 },
		{ "1e-99999999", 12, 0 }, { "123456.789", 12, 123456789000000000 },
		{ "2.9999900000000002e-06", 15, 2999990000 }, { "1.9999999999999999", 15, 2000000000000000 },
		{ "12345678901234567890e-19", 0, 1 }, { "9.99", 0, 10 }, { "0.5", 0, 1 }, { "0.49", 0, 0 },
		{ "00012", 0, 12 }, { ".5", 1, 5 }, { "5.", 1, 50 },
		{ "9223372036854775807", 0, INT64_MAX }, { "9.223372036854775807", 18, INT64_MAX },
		{ "1234567890123456789", 0, 1234567890123456789 },
		{ "1.2345678901234567895", 18, 1234567890123456790 },
		{ "4999.999999999999999", 15, 4999999999999999999 },
		{ "9223372036854775806.5", 0, INT64_MAX },
		{ "9223372036854775807.4999999", 0, INT64_MAX },
	};
	static const char *const bad[] = {
		"-1", "1e30", "9223372036854775808", "9223372036854775807.5",
		"99999999999999999999", "", ".", "e5", "1e", "1e+", "1.2.3", "0x10", " 1", "1 ",
		"NaN", "Infinity", "1e1.5", "--1",
	};
	int64_t v;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(*good); i++) {
		v = -1;
		printf("# %s to %d places\n", good[i].text, good[i].places);
		ok(decimal_read(slice_str(good[i].text), good[i].places, &v) && v == good[i].value);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		v = 77;
		printf("# \"%s\"\n", bad[i]);
		ok(!decimal_read(slice_str(bad[i]), 12, &v) && v == 77);
	}
	ok(!decimal_read(SLICE_NONE, 12, &v));
}

static void
printing(void)
{
	static const struct { int64_t v; int places; const char *text; } cases[] = {
		{ 0, 12, "0" }, { 1, 12, "0.000000000001" }, { 2500000, 6, "2.5" }, { -3, 0, "-3" },
		{ -1500, 3, "-1.5" }, { 1000, 3, "1" }, { INT64_MAX, 0, "9223372036854775807" },
		{ INT64_MIN, 12, "-9223372.036854775808" }, { INT64_MAX, 18, "9.223372036854775807" },
	};
	struct buf out;
	size_t i;

	buf_init(&out, 100);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		buf_clear(&out);
		decimal_print(cases[i].v, cases[i].places, &out);
		printf("# %s\n", cases[i].text);
		ok(slice_eq(buf_view(&out), slice_str(cases[i].text)));
	}
	buf_free(&out);
}

int
main(void)
{
	reading();
	printing();
	return done();
}
