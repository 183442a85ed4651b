/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_test: what the store's tests share: a directory of their own that goes
 * away again, and spans made from a number.
 */
#ifndef STORE_TEST_H
#define STORE_TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "span/span.h"
#include "store/store.h"
#include "tap.h"

#define BASE_US INT64_C(1700000000000000)	/* 2023-11-14T22:13:20Z */

/* A store of this version as version 4 had it, but for user_version. */
#define VERSION_5_UNDONE "DROP TABLE trace_public;"

/* The same as version 3 had it. */
#define VERSION_4_UNDONE VERSION_5_UNDONE \
	"DROP INDEX span_response; DROP INDEX span_response_given; DROP INDEX span_gateway; DROP INDEX span_unnamed;" \
	"ALTER TABLE span DROP COLUMN span_path; ALTER TABLE span DROP COLUMN response_id;"

/* The same as version 2 had it. */
#define VERSION_3_UNDONE VERSION_4_UNDONE \
	"DROP TABLE span_tick; DROP TABLE score; DROP TABLE customer_edit; DROP INDEX edit_custom; DROP INDEX span_thread;" \
	"CREATE INDEX span_thread ON span(thread_identifier) WHERE thread_identifier IS NOT NULL;" \
	"DROP TABLE bill; DROP TABLE rollup; DROP TABLE rollup_customer; DROP TABLE customer;" \
	"DROP TABLE rollup_model; DROP TABLE trace;" \
	"ALTER TABLE span DROP COLUMN counts;"

static char test_dir[64];

static inline void
test_dir_remove(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf '%s'", test_dir);
	if (system(command) != 0)
		perror(command);
}

static inline void
test_dir_make(void)
{
	snprintf(test_dir, sizeof(test_dir), "/tmp/spangate-test-XXXXXX");
	if (!mkdtemp(test_dir))
		abort();
}

/* A span by number: one a second, ids in the same order. */
static inline struct span
test_span(unsigned n)
{
	struct span span = { .tenant = SLICE("default"), .family = SLICE("chat") };
	uint64_t ms = (uint64_t)BASE_US / 1000 + n * 1000ull;

	for (int i = 0; i < 6; i++)
		span.id16[i] = (uint8_t)(ms >> (40 - 8 * i));
	span.id16[6] = 0x70;
	span.id16[8] = 0x80;
	memcpy(span.id16 + 12, &n, sizeof(n));
	span.timestamp = (span_TIME){ true, BASE_US + n * INT64_C(1000000) };
	span.model = SLICE("gpt-4o");
	span.log_type = SLICE("chat");
	span.status = SLICE("success");
	span.status_code = (span_INT){ true, 200 };
	span.latency = (span_SECS){ true, 1000 * n };
	return span;
}

#endif
