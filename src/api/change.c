/* SPDX-License-Identifier: Apache-2.0 */
/*
 * change: what may be changed of a stored span: feedback, note, pin, metadata,
 * custom_identifier, blurred. Everything else is immutable. A change is an
 * EDIT in the journal with absolute values; the answer comes when it is applied,
 * or says 202 if that takes too long.
 */
#include "api/change.h"

#include <stdio.h>
#include <string.h>

#include "api/answer.h"
#include "api/logs.h"
#include "api/reading.h"
#include "api/writing.h"
#include "base/base.h"
#include "core/limits.h"
#include "core/uuid.h"
#include "store/value.h"

#define OPEN_US (24 * (uint64_t)3600 * 1000000)	/* so long an exchange may still be open */
#define LOGS 1000				/* changed at once */

enum kind { TEXT, SWITCH, SWITCH_OR_NULL, OBJECT };

static const struct { const char *name; enum kind kind; const char *must; } members[] = {
	{ "note", TEXT, "must be a string or null" },
	{ "custom_identifier", TEXT, "must be a string or null" },
	{ "positive_feedback", SWITCH_OR_NULL, "must be true, false or null" },
	{ "is_pinned", SWITCH, "must be true or false" },
	{ "blurred", SWITCH, "must be true or false" },
	{ "metadata", OBJECT, "must be an object" },
};
enum { MEMBERS = sizeof(members) / sizeof(members[0]) };

static bool
fits(enum kind kind, struct jvalue v)
{
	bool flag = v.kind == JTRUE || v.kind == JFALSE;

	switch (kind) {
	case TEXT:
		return v.kind == JSTRING || v.kind == JNULL;
	case SWITCH:
		return flag;
	case SWITCH_OR_NULL:
		return flag || v.kind == JNULL;
	case OBJECT:
		return v.kind == JOBJECT;
	}
	return false;
}

/* Values of metadata are strings, as on the way in; null takes a key away. */
static void
put_metadata(struct buf *out, struct jvalue metadata)
{
	struct jiter it;
	struct jmember m;
	const char *comma = "{";

	jiter_init(&it, metadata);
	while (jiter_next(&it, &m)) {
		buf_str(out, comma);
		buf_slice(out, m.key_text);
		buf_byte(out, ':');
		if (m.value.kind == JSTRING || m.value.kind == JNULL)
			buf_slice(out, m.value.text);
		else
			buf_json_string(out, m.value.text);
		comma = ",";
	}
	buf_str(out, *comma == '{' ? "{}" : "}");
}

/* The EDIT of what a body says. NULL, or what is wrong with it. */
static const char *
edit_make(const struct local_request *request, struct jvalue body, struct buf *out, const char **member)
{
	const char *comma = "";

	*member = "";
	if (body.kind != JOBJECT)
		return "the body must be an object";
	buf_clear(out);
	buf_byte(out, '{');
	writing_by(request, out);
	buf_str(out, "\"patch\":{");
	for (size_t i = 0; i < MEMBERS; i++) {
		struct jvalue v = jget(body, slice_str(members[i].name));

		if (v.kind == JNONE)
			continue;
		*member = members[i].name;
		if (!fits(members[i].kind, v))
			return members[i].must;
		buf_printf(out, "%s\"%s\":", comma, members[i].name);
		if (members[i].kind == OBJECT)
			put_metadata(out, v);
		else if (v.kind == JNULL && strcmp(members[i].name, "custom_identifier") == 0)
			buf_str(out, "\"\"");	/* unset, what was sent with the span would show again */
		else
			buf_slice(out, v.text);
		comma = ",";
	}
	buf_str(out, "}}");
	*member = "";
	return *comma == ',' ? NULL : "nothing that can be changed: note, positive_feedback, is_pinned, metadata,"
	    " custom_identifier, blurred";
}

static void
refuse(struct local_job *job, const char *member, const char *text)
{
	api_error(job, 400, NULL, "%s%s%s", member, *member ? ": " : "", text);
}

bool
change_possible(const struct local_request *request, uint8_t id[16], bool *later)
{
	uint64_t made = uuid7_ms(id) * 1000, now = clock_wall_us();
	struct local_request anybody = *request;
	bool there = reading_exists(request, id);

	/* One that is there, but not for this key to see, does not come later. */
	anybody.key = NULL;
	*later = !there && made <= now + 60000000 && now - made < OPEN_US && !reading_exists(&anybody, id);
	return there || *later;
}

static struct slice
id_of(const struct local_request *request)
{
	return slice_from(request->path, sizeof("/request-logs/") - 1);
}

void
change_one(struct local_job *job, const struct local_request *request, void *arg)
{
	const char *wrong, *member;
	struct jvalue body;
	struct writing w;
	struct buf edit;
	uint8_t id[16];
	bool later;

	(void)arg;
	buf_init(&edit, LIMIT_RECORD);
	if (jscan_check(request->body, &body, NULL) != JSCAN_END)
		refuse(job, "", "the body is not valid JSON");
	else if ((wrong = edit_make(request, body, &edit, &member)) != NULL)
		refuse(job, member, wrong);
	else if (!value_id(id_of(request), id) || !change_possible(request, id, &later))
		api_error(job, 404, NULL, "Log not found");
	else if (writing_open(&w, job, request)) {
		if (!writing_edit(&w, id, buf_view(&edit)))
			writing_full(&w);
		else if (writing_flush(&w)) {
			if (writing_await(&w) && !later)
				reading_one(job, request, id_of(request), logs_answer_one);
			else
				api_say(job, 202, "the change is kept until the span is there");
		}
	}
	buf_free(&edit);
}

/* Can all elements of a batch be changed so? False: it was answered. */
static bool
check_elements(struct local_job *job, const struct local_request *request, struct jvalue logs, struct buf *edit)
{
	const char *wrong, *member;
	struct jiter it;
	struct jmember m;
	size_t n = 0;

	if (logs.kind != JARRAY) {
		refuse(job, "logs", "must be a list of objects");
		return false;
	}
	for (jiter_init(&it, logs); jiter_next(&it, &m); n++) {
		if (n == LOGS) {
			refuse(job, "logs", "has more than 1000 elements");
			return false;
		}
		wrong = edit_make(request, m.value, edit, &member);
		if (wrong != NULL) {
			api_error(job, 400, NULL, "logs[%zu]%s%s: %s", n, *member ? "." : "", member, wrong);
			return false;
		}
	}
	return true;
}

/* One element of a batch that was checked; false: it was answered. */
static bool
change_element(struct writing *w, struct jvalue element, struct buf *edit, size_t *changed, struct buf *missing)
{
	const char *member;
	struct slice text = jstring_plain(jget(element, SLICE("unique_id")));
	uint8_t id[16];
	bool later;

	if (!text.ptr)
		text = jstring_plain(jget(element, SLICE("id")));
	(void)edit_make(w->request, element, edit, &member);
	if (!value_id(text, id) || !change_possible(w->request, id, &later)) {
		buf_str(missing, missing->len ? "," : "");
		buf_json_string(missing, text.ptr ? text : SLICE(""));
		return true;
	}
	if (!writing_edit(w, id, buf_view(edit))) {
		writing_full(w);
		return false;
	}
	journal_flush(w->writer);	/* the edit's text is borrowed until then */
	++*changed;
	return true;
}

void
change_many(struct local_job *job, const struct local_request *request, void *arg)
{
	struct buf edit, missing, out;
	struct jvalue body, logs;
	struct writing w;
	struct jiter it;
	struct jmember m;
	size_t changed = 0;
	bool good = false;

	(void)arg;
	buf_init(&edit, LIMIT_RECORD);
	buf_init(&missing, MIB);
	if (jscan_check(request->body, &body, NULL) != JSCAN_END)
		refuse(job, "", "the body is not valid JSON");
	else if (check_elements(job, request, logs = jget(body, SLICE("logs")), &edit) && writing_open(&w, job, request)) {
		good = true;
		for (jiter_init(&it, logs); good && jiter_next(&it, &m);)
			good = change_element(&w, m.value, &edit, &changed, &missing);
		good = good && writing_flush(&w);
	}
	if (good) {
		(void)writing_await(&w);
		buf_init(&out, 2 * MIB);
		buf_printf(&out, "{\"message\":\"%zu logs updated\",\"updated\":%zu,\"not_found\":[%.*s]}", changed, changed,
		    (int)missing.len, missing.ptr ? missing.ptr : "");
		local_head(job, 200, API_JSON, NULL);
		(void)api_flush(job, &out);
		buf_free(&out);
	}
	buf_free(&edit);
	buf_free(&missing);
}

void
change_delete(struct local_job *job, const struct local_request *request, void *arg)
{
	struct writing w;
	uint8_t id[16];

	(void)arg;
	if (!value_id(id_of(request), id) || !reading_exists(request, id)) {
		api_error(job, 404, NULL, "Log not found");
		return;
	}
	if (!writing_open(&w, job, request))
		return;
	if (!writing_edit(&w, id, SLICE("{\"delete\":true}")))
		writing_full(&w);
	else if (writing_flush(&w)) {
		(void)writing_await(&w);
		local_head(job, 204, NULL, NULL);
	}
}
