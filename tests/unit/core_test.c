/* SPDX-License-Identifier: Apache-2.0 */
/* The small ones of core: buf, reason, uuid. */
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/reason.h"
#include "core/uuid.h"
#include "tap.h"

static void
reasons(void)
{
	unsigned i;
	int bad = 0;

	for (i = 0; i < REASON_COUNT; i++) {
		const struct reason_info *r = reason_info(i);

		bad += strspn(r->name, "abcdefghijklmnopqrstuvwxyz_") !=
		    strlen(r->name) || r->sentence[0] == '\0' ||
		    (r->is_error && r->status_code < 400);
	}
	ok(bad == 0);
	ok(!reason_info(REASON_COMPLETE)->is_error);
	ok(reason_info(REASON_CLIENT_DISCONNECTED)->status_code == 499);
	ok(strcmp(reason_info(REASON_COUNT)->name, "unknown") == 0);
	ok(reason_info(~0u)->is_error && reason_info(~0u)->status_code == 502);
}

/* The wire values in END records must not move. */
static void
reason_values(void)
{
	ok(REASON_COMPLETE == 0 && REASON_INTERRUPTED == 1);
	ok(REASON_UPSTREAM_CUT == 8 && REASON_CLIENT_TIMEOUT == 17);
}

static void
uuid_form(void)
{
	struct uuid7 u = { .random = { 1, 2 } };
	uint8_t id[16];

	uuid7_next(&u, 0x0123456789abu, id);
	ok(memcmp(id, "\x01\x23\x45\x67\x89\xab", 6) == 0);
	ok(id[6] >> 4 == 7 && id[8] >> 6 == 2);
	ok(uuid7_ms(id) == 0x0123456789abu);
}

/* They rise within a millisecond, past 4096 of them, and when the clock steps
 * back. */
static void
uuid_rises(void)
{
	struct uuid7 u = { .random = { 3, 4 } };
	uint8_t last[16], id[16];
	int i, bad = 0;

	uuid7_next(&u, 1000000, last);
	for (i = 0; i < 20000; i++) {
		uuid7_next(&u, 1000000 - (uint64_t)i % 500, id);
		bad += memcmp(last, id, 16) >= 0;
		bad += id[6] >> 4 != 7 || id[8] >> 6 != 2;
		memcpy(last, id, 16);
	}
	ok(bad == 0);
	ok(uuid7_ms(id) == 1000004);
	uuid7_next(&u, 2000000, id);
	ok(memcmp(last, id, 16) < 0 && uuid7_ms(id) == 2000000);
}

static void
uuid_differs(void)
{
	struct uuid7 a = { .random = { 0x6a09e667f3bcc908u, 0xbb67ae8584caa73bu } };
	struct uuid7 b = { .random = { 0x3c6ef372fe94f82bu, 0xa54ff53a5f1d36f1u } };
	uint8_t ida[16], idb[16];

	uuid7_next(&a, 1, ida);
	uuid7_next(&b, 1, idb);
	ok(memcmp(ida, idb, 16) != 0);
	ok(memcmp(ida, idb, 8) == 0);
}

static void
buf_ceiling(void)
{
	struct buf b;
	char *p;
	size_t len;

	buf_init(&b, 10);
	ok(buf_take(&b, &len) == NULL && len == 0);
	ok(buf_str(&b, "0123456789") && b.len == 10 && !b.failed);
	ok(!buf_byte(&b, 'x') && b.failed && b.len == 10);
	ok(!buf_str(&b, "") && buf_reserve(&b, 0) == NULL);
	buf_clear(&b);
	ok(buf_u64(&b, 0) && buf_u64(&b, 123456789) && b.len == 10);
	p = buf_take(&b, &len);
	ok(len == 10 && memcmp(p, "0123456789", 10) == 0);
	free(p);
	ok(buf_reserve(&b, (size_t)-1) == NULL && b.failed);
	buf_free(&b);
	ok(!b.failed && b.limit == 10);
}

static void
buf_json(void)
{
	struct buf b;

	buf_init(&b, 1000);
	buf_json_string(&b, SLICE("a\"\\\n\001\x7f\xc3\xa9\xff\xed\xa0\x80z"));
	ok(slice_eq(buf_view(&b), SLICE("\"a\\\"\\\\\\n\\u0001\x7f\xc3\xa9"
	    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\"")));
	buf_clear(&b);
	ok(buf_printf(&b, "%d-%s", 42, "x"));
	ok(slice_eq(buf_view(&b), SLICE("42-x")));
	buf_free(&b);
}

int
main(void)
{
	reasons();
	reason_values();
	uuid_form();
	uuid_rises();
	uuid_differs();
	buf_ceiling();
	buf_json();
	return done();
}
