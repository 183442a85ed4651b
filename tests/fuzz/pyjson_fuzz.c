/* SPDX-License-Identifier: Apache-2.0 */
/* pyjson: what it prints of any JSON is ASCII JSON, and printed again stays as it is. */
#include <stdlib.h>

#include "core/limits.h"
#include "core/pyjson.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out, again;
	struct jvalue v;

	if (jscan_check(slice_make(data, size), &v, NULL) != JSCAN_END)
		return 0;
	buf_init(&out, 64 * MIB);
	buf_init(&again, 64 * MIB);
	pyjson(v, &out);
	for (size_t i = 0; i < out.len; i++)
		CHECK(out.ptr[i] >= ' ' && out.ptr[i] < 0x7f);
	CHECK(jscan_check(buf_view(&out), &v, NULL) == JSCAN_END);
	pyjson(v, &again);
	CHECK(slice_eq(buf_view(&out), buf_view(&again)));
	buf_free(&out);
	buf_free(&again);
	return 0;
}
