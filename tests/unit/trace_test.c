/* SPDX-License-Identifier: Apache-2.0 */
/* traceparent: what is one and what is none. */
#include "span/inner.h"
#include "tap.h"

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define PARENT "b7ad6b7169203331"
#define ZEROS "00000000000000000000000000000000"

static bool
reads(struct slice value)
{
	struct slice trace, parent;

	return traceparent_read(value, &trace, &parent) && slice_eq(trace, SLICE(TRACE)) &&
	    slice_eq(parent, SLICE(PARENT));
}

static void
good(void)
{
	ok(reads(SLICE("00-" TRACE "-" PARENT "-01")));
	ok(reads(SLICE("00-" TRACE "-" PARENT "-00")));
	ok(reads(SLICE("00-" TRACE "-" PARENT "-ff")));
	/* of later versions the first four fields */
	ok(reads(SLICE("01-" TRACE "-" PARENT "-01")));
	ok(reads(SLICE("01-" TRACE "-" PARENT "-01-")));
	ok(reads(SLICE("fe-" TRACE "-" PARENT "-01-more-of it")));
}

static void
bad(void)
{
	struct slice whole = SLICE("00-" TRACE "-" PARENT "-01");
	struct slice trace, parent;
	char text[64];
	size_t i;

	for (i = 0; i < whole.len; i++)
		if (traceparent_read(slice_make(whole.ptr, i), &trace, &parent))
			break;
	ok(i == whole.len);
	for (i = 0; i < whole.len; i++) {
		memcpy(text, whole.ptr, whole.len);
		text[i] = i % 2 ? 'G' : '\0';
		if (traceparent_read(slice_make(text, whole.len), &trace, &parent))
			break;
	}
	ok(i == whole.len);
	ok(!reads(SLICE_NONE));
	ok(!reads(SLICE("00-" TRACE "-" PARENT "-01-")));
	ok(!reads(SLICE("00-" TRACE "-" PARENT "-012")));
	ok(!reads(SLICE("01-" TRACE "-" PARENT "-012")));
	ok(!reads(SLICE("ff-" TRACE "-" PARENT "-01")));
	ok(!reads(SLICE("00-0AF7651916CD43DD8448EB211C80319C-" PARENT "-01")));
	ok(!traceparent_read(SLICE("00-" ZEROS "-" PARENT "-01"), &trace, &parent));
	ok(!traceparent_read(SLICE("00-" TRACE "-0000000000000000-01"), &trace, &parent));
}

int
main(void)
{
	good();
	bad();
	return done();
}
