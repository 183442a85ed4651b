/* SPDX-License-Identifier: Apache-2.0 */
/* resend: see resend.h. */
#include "export/resend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/file.h"
#include "base/log.h"
#include "core/limits.h"

#define ASKED "resend"
#define ANSWERED "resend.done"
#define SEND "send\n"
#define DROP "drop\n"		/* as long as SEND */
#define ALL "all\n"
#define LINE 33			/* an id and a line end */
#define TEXT ((size_t)LIMIT_SINK_DEAD * LINE + 64)

static bool
is_asked(const char *dir)
{
	char *path = xasprintf("%s/" ASKED, dir);
	bool there = access(path, F_OK) == 0;

	free(path);
	return there;
}

bool
resend_ask(const char *dir, const struct resend *r)
{
	char line[LINE + 1];
	struct buf text;
	bool good;

	if (is_asked(dir)) {
		errno = EEXIST;
		return false;
	}
	file_remove(dir, ANSWERED);
	buf_init(&text, TEXT);
	buf_str(&text, r->drop ? DROP : SEND);
	if (r->all)
		buf_str(&text, ALL);
	for (size_t i = 0; i < r->n; i++) {
		hex_encode(r->ids[i], 16, line);
		buf_printf(&text, "%s\n", line);
	}
	errno = E2BIG;
	good = !text.failed && file_put(dir, ASKED, buf_view(&text));
	buf_free(&text);
	return good;
}

bool
resend_look(const char *dir, struct resend *r)
{
	struct slice rest;
	struct buf text;
	bool good;

	*r = (struct resend){ .n = 0 };
	if (!is_asked(dir))
		return false;
	buf_init(&text, TEXT);
	good = file_get(dir, ASKED, &text);
	rest = buf_view(&text);
	r->drop = slice_starts(rest, SLICE(DROP));
	good = good && (r->drop || slice_starts(rest, SLICE(SEND)));
	if (good)
		rest = slice_from(rest, sizeof(SEND) - 1);
	r->all = good && slice_eq(rest, SLICE(ALL));
	if (good && !r->all) {
		r->ids = xmalloc((rest.len / LINE + 1) * sizeof(*r->ids));
		for (; good && rest.len >= LINE; rest = slice_from(rest, LINE))
			good = rest.ptr[LINE - 1] == '\n' && hex_decode(slice_make(rest.ptr, 32), r->ids[r->n++], 16) == 0;
		good = good && rest.len == 0;
	}
	buf_free(&text);
	if (good)
		return true;
	resend_free(r);
	resend_answer(dir, "the question cannot be read");
	return false;
}

void
resend_free(struct resend *r)
{
	free(r->ids);
	*r = (struct resend){ .n = 0 };
}

void
resend_answer(const char *dir, const char *text)
{
	if (!file_put(dir, ANSWERED, slice_str(text)))
		log_warn("%s/" ANSWERED ": %s", dir, strerror(errno));
	file_remove(dir, ASKED);
}

bool
resend_answered(const char *dir, char *text)
{
	struct buf answer;
	bool good;

	buf_init(&answer, KIB);
	good = !is_asked(dir) && file_get(dir, ANSWERED, &answer);
	if (good)
		snprintf(text, 200, "%.*s", (int)answer.len, answer.ptr ? answer.ptr : "");
	buf_free(&answer);
	if (good)
		file_remove(dir, ANSWERED);
	return good;
}

void
resend_take_back(const char *dir)
{
	file_remove(dir, ASKED);
}
