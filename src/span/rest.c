/* SPDX-License-Identifier: Apache-2.0 */
/* rest.c: see rest.h. Called by the families for each event of a stream. */
#include "span/rest.h"

#include <stdlib.h>

#include "core/limits.h"
#include "span/json.h"

void
rest_free(struct rest *r)
{
	while (r->n > 0) {
		r->n--;
		buf_free(&r->list[r->n].name);
		buf_free(&r->list[r->n].value);
	}
	free(r->list);
	r->list = NULL;
}

static struct rest_member *
rest_find(struct rest *r, struct slice name)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (slice_eq(buf_view(&r->list[i].name), name))
			return &r->list[i];
	if (r->n == REST_MEMBERS)
		return NULL;
	if (r->list == NULL && (r->list = calloc(REST_MEMBERS, sizeof(*r->list))) == NULL) {
		r->failed = true;
		return NULL;
	}
	buf_init(&r->list[r->n].name, LIMIT_EVENT);
	buf_init(&r->list[r->n].value, LIMIT_EVENT);
	buf_slice(&r->list[r->n].name, name);
	return &r->list[r->n++];
}

/* Does the object say anything under that name? */
static bool
object_says(struct jvalue object, struct slice key_text)
{
	struct jmember m;
	struct jiter it;

	jiter_init(&it, object);
	while (jiter_next(&it, &m))
		if (slice_eq(m.key_text, key_text) && m.value.kind != JNULL)
			return true;
	return false;
}

/* Appends the object's members that say something, less those that the other
 * object has as well. */
static void
members_add(struct jvalue object, struct jvalue other, struct buf *out)
{
	struct jmember m;
	struct jiter it;

	jiter_init(&it, object);
	while (jiter_next(&it, &m)) {
		if (m.value.kind == JNULL || object_says(other, m.key_text))
			continue;
		buf_str(out, out->len > 1 ? "," : "");
		buf_slice(out, m.key_text);
		buf_byte(out, ':');
		buf_slice(out, m.value.text);
	}
}

/* Two objects of one name in one. */
static void
rest_merge(struct buf *value, struct jvalue later)
{
	const struct jvalue earlier = { JOBJECT, buf_view(value) }, none = { .kind = JNONE };
	struct buf out;

	buf_init(&out, LIMIT_EVENT);
	buf_byte(&out, '{');
	members_add(earlier, later, &out);
	members_add(later, none, &out);
	buf_byte(&out, '}');
	buf_free(value);
	*value = out;
}

static void
rest_keep(struct rest *r, const struct jmember *m)
{
	struct rest_member *member;
	struct buf *value;

	if (m->value.kind == JNULL || (member = rest_find(r, m->key_text)) == NULL)
		return;
	value = &member->value;
	if (m->value.kind == JOBJECT && value->len > 0 && *value->ptr == '{' &&
	    value->len + m->value.text.len <= REST_MERGE &&
	    !slice_eq(buf_view(value), m->value.text))
		rest_merge(value, m->value);
	else {
		buf_clear(value);
		buf_slice(value, m->value.text);
	}
	r->failed |= value->failed || member->name.failed;
}

void
rest_pick(struct rest *r, struct jvalue object, const struct slice *names, struct jvalue *out,
    size_t n)
{
	struct jmember m;
	struct jiter it;
	size_t i;

	for (i = 0; i < n; i++)
		out[i] = (struct jvalue){ .kind = JNONE };
	if (object.kind != JOBJECT)
		return;
	jiter_init(&it, object);
	while (jiter_next(&it, &m)) {
		i = json_index(&m, names, n);
		if (i < n)
			out[i] = m.value;
		else
			rest_keep(r, &m);
	}
}

void
rest_json(const struct rest *r, struct buf *out)
{
	size_t i;

	out->failed |= r->failed;
	for (i = 0; i < r->n; i++) {
		buf_byte(out, ',');
		buf_slice(out, buf_view(&r->list[i].name));
		buf_byte(out, ':');
		buf_slice(out, buf_view(&r->list[i].value));
	}
}
