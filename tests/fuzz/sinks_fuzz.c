/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a sink reads: its target's answer of any bytes, and its own files after a
 * crash. The first byte says which; refusals are whole texts.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "export/dead.h"
#include "export/kind.h"
#include "export/resend.h"
#include "export/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define CHECK(cond) do { if (!(cond)) abort(); } while (0)

static void
answer(unsigned status, struct slice body)
{
	struct export_answer a = { status, body };
	struct export_verdict v = { .room = 0 };

	export_judge(&a, &v);
	CHECK(memchr(v.text, '\0', sizeof(v.text)) != NULL && (v.outcome == EXPORT_TAKEN) == (*v.text == '\0'));
	export_respan.judge(NULL, &a, &v);
	for (size_t i = 0; i < v.nrefused; i++)
		CHECK(memchr(v.refused[i].text, '\0', sizeof(v.refused[i].text)) != NULL &&
		    strpbrk(v.refused[i].text, "\r\n") == NULL);
	export_verdict_free(&v);
}

static void
letters(struct slice text)
{
	struct dead d = { .dir = NULL };

	dead_parse(&d, text);
	for (size_t i = 0; i < d.n; i++)
		CHECK(dead_find(&d, d.list[i].id) == &d.list[i]);	/* none twice */
	dead_close(&d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned statuses[] = { 0, 200, 207, 302, 400, 401, 413, 422, 429, 500 };
	struct slice text = slice_make(data, size);
	struct export_state state;
	struct resend resend;

	if (size == 0)
		return 0;
	text = slice_from(text, 1);
	switch (data[0] % 4) {
	case 0:
		if (state_parse(text, &state))
			CHECK(state.place.n >= 0 && state.place.rev >= 0);
		break;
	case 1:
		letters(text);
		break;
	case 2:
		if (resend_parse(text, &resend)) {
			CHECK(resend.n <= size);
			resend_free(&resend);
		}
		break;
	default:
		answer(statuses[data[0] / 4 % 10], text);
	}
	return 0;
}
