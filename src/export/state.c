/* SPDX-License-Identifier: Apache-2.0 */
/* state: see state.h. */
#include "export/state.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "core/jscan.h"
#include "core/limits.h"

#define FILE_NAME "state"

static const struct { const char *name; size_t offset; } numbers[] = {
#define NUMBER(name, member) { name, offsetof(struct export_state, member) },
	NUMBER("n", place.n) NUMBER("rev", place.rev) NUMBER("seen", place.seen)
	NUMBER("sent", sent) NUMBER("dead", dead) NUMBER("skipped", skipped) NUMBER("gone", gone)
	NUMBER("requests", requests) NUMBER("failures", failures)
	NUMBER("sent_at", sent_at) NUMBER("failed_at", failed_at)
#undef NUMBER
};

char *
export_dir(const char *data_dir, const char *name)
{
	return xasprintf("%s/export/%s", data_dir, name);
}

static void
text_get(struct jvalue v, char *to, size_t room)
{
	struct buf text;

	buf_init(&text, 64 * KIB);
	to[0] = '\0';
	if (jstring(v, &text))
		snprintf(to, room, "%.*s", (int)text.len, text.ptr ? text.ptr : "");
	buf_free(&text);
}

bool
state_parse(struct slice text, struct export_state *s)
{
	struct jvalue v;

	memset(s, 0, sizeof(*s));
	if (jscan_check(text, &v, NULL) != JSCAN_END || v.kind != JOBJECT)
		return false;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		int64_t n = 0;

		if (!jint(jget(v, slice_str(numbers[i].name)), &n) || n < 0)
			return false;
		memcpy((char *)s + numbers[i].offset, &n, sizeof(n));
	}
	text_get(jget(v, SLICE("error")), s->error, sizeof(s->error));
	text_get(jget(v, SLICE("problem")), s->problem, sizeof(s->problem));
	return true;
}

bool
state_read(const char *dir, struct export_state *s)
{
	struct buf text;
	bool good;

	memset(s, 0, sizeof(*s));
	buf_init(&text, 64 * KIB);
	good = file_get(dir, FILE_NAME, &text);
	if (good && !state_parse(buf_view(&text), s)) {
		errno = EILSEQ;
		good = false;
	}
	buf_free(&text);
	return good;
}

bool
state_write(const char *dir, const struct export_state *s)
{
	struct buf text;
	int64_t n;
	bool good;

	buf_init(&text, 64 * KIB);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		memcpy(&n, (const char *)s + numbers[i].offset, sizeof(n));
		buf_printf(&text, "%s\"%s\":%lld", i ? "," : "{", numbers[i].name, (long long)n);
	}
	buf_str(&text, ",\"error\":");
	buf_json_string(&text, slice_str(s->error));
	buf_str(&text, ",\"problem\":");
	buf_json_string(&text, slice_str(s->problem));
	buf_str(&text, "}\n");
	good = file_put(dir, FILE_NAME, buf_view(&text));
	buf_free(&text);
	return good;
}
