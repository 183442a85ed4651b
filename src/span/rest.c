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

static void
rest_keep(struct rest *r, const struct jmember *m)
{
	struct rest_member *member;

	if (m->value.kind == JNULL || (member = rest_find(r, m->key_text)) == NULL)
		return;
	buf_clear(&member->value);
	buf_slice(&member->value, m->value.text);
	r->failed |= member->value.failed || member->name.failed;
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

	for (i = 0; i < r->n; i++) {
		buf_byte(out, ',');
		buf_slice(out, buf_view(&r->list[i].name));
		buf_byte(out, ':');
		buf_slice(out, buf_view(&r->list[i].value));
	}
}
