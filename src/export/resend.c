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
resend_parse(struct slice text, struct resend *r)
{
	bool good = true;

	*r = (struct resend){ .drop = slice_starts(text, SLICE(DROP)) };
	if (!r->drop && !slice_starts(text, SLICE(SEND)))
		return false;
	text = slice_from(text, sizeof(SEND) - 1);
	r->all = slice_eq(text, SLICE(ALL));
	if (r->all)
		return true;
	r->ids = xmalloc((text.len / LINE + 1) * sizeof(*r->ids));
	for (; good && text.len >= LINE; text = slice_from(text, LINE))
		good = text.ptr[LINE - 1] == '\n' && hex_decode(slice_make(text.ptr, 32), r->ids[r->n++], 16) == 0;
	if (good && text.len == 0)
		return true;
	resend_free(r);
	return false;
}

bool
resend_look(const char *dir, struct resend *r)
{
	struct buf text;
	bool good;

	*r = (struct resend){ .n = 0 };
	if (!is_asked(dir))
		return false;
	buf_init(&text, TEXT);
	good = file_get(dir, ASKED, &text) && resend_parse(buf_view(&text), r);
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
