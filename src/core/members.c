/* SPDX-License-Identifier: Apache-2.0 */
/*
 * members.c: the table of the gateway's own members at work: finding a name,
 * gathering the values from all places they may be given in, blanking the
 * secret ones. Called by rewrite.c on the gate and by the span builder.
 */
#include "core/members.h"

#include "core/base64.h"
#include "core/rewrite.h"

/* The flags as the table writes them. */
enum {
	CUT = MEMBER_CUT, SECRET = MEMBER_SECRET, WORKS = MEMBER_WORKS,
	NEST = MEMBER_NEST, RULE = MEMBER_RULE,
};

static const struct member table[] = {
#define MEMBER(name, flags) { name, sizeof(name) - 1, flags },
#include "core/members.tbl.h"
#undef MEMBER
};

/* Where a value may come from, strongest first; params take two ranks each. */
enum {
	RANK_TOP = 0, RANK_PARAMS = 1, RANK_METADATA = 3, RANK_EXTRA = 5, RANK_HEADER = 8,
};

/* NEST members are looked into this deep: extra_body.respan_params is. */
#define NEST_DEPTH 3

const struct member *
member_find(struct slice name)
{
	size_t low = 0, high = MEMBER_COUNT, mid;
	int order;

	if (name.len > MEMBER_NAME_MAX)
		return NULL;
	while (low < high) {
		mid = (low + high) / 2;
		order = (int)table[mid].len - (int)name.len;
		if (order == 0)
			order = memcmp(table[mid].name, name.ptr, name.len);
		if (order == 0)
			return &table[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct member *
member_of(const struct jmember *m)
{
	char scratch[MEMBER_NAME_MAX];

	return member_find(jkey_plain(m, scratch, sizeof(scratch)));
}

/* A JSON value of the same length that says nothing. */
static void
blank_value(char *p, size_t len)
{
	if (len == 1) {
		*p = '0';
		return;
	}
	memset(p, '*', len);
	p[0] = p[len - 1] = '"';
}

static void blank_object(struct jvalue, const char *, char *, int);

static void
blank_member(const struct member *own, struct jvalue v, const char *base, char *text, int depth)
{
	if (own->flags & MEMBER_SECRET)
		blank_value(text + (v.text.ptr - base), v.text.len);
	else if (depth > 0 && (own->flags & MEMBER_NEST || strcmp(own->name, "metadata") == 0))
		blank_object(v, base, text, depth - 1);
}

static void
blank_object(struct jvalue object, const char *base, char *text, int depth)
{
	const struct member *own;
	struct jmember m;
	struct jiter it;

	if (object.kind != JOBJECT)
		return;
	jiter_init(&it, object);
	while (jiter_next(&it, &m))
		if ((own = member_of(&m)) != NULL)
			blank_member(own, m.value, base, text, depth);
}

void
member_blank(const struct member *own, struct jvalue v, const char *base, char *text)
{
	blank_member(own, v, base, text, NEST_DEPTH);
}

void
members_blank(struct jvalue object, const char *base, char *text)
{
	blank_object(object, base, text, NEST_DEPTH);
}

/* The objects to look into which a place held. */
struct nests {
	struct jvalue	respan, keywordsai, extra, metadata;
};

static struct jvalue *
nest_of(struct nests *n, const char *name)
{
	if (strcmp(name, "respan_params") == 0)
		return &n->respan;
	if (strcmp(name, "keywordsai_params") == 0)
		return &n->keywordsai;
	return strcmp(name, "extra_body") == 0 ? &n->extra : &n->metadata;
}

/* Is it a value of ours? A completion's prompt is not. */
static bool
value_counts(const struct member *own, struct jvalue v)
{
	if (v.kind == JNULL || own->flags & MEMBER_NEST)
		return false;
	return strcmp(own->name, "prompt") != 0 || jget(v, SLICE("prompt_id")).kind != JNONE;
}

/* Takes what object holds and no stronger place (lower rank) has given. */
static void
place_take(struct own_iter *o, struct jvalue object, unsigned rank, struct nests *nests)
{
	const struct member *own;
	struct jmember m;
	struct jiter it;
	size_t i;

	*nests = (struct nests){ .extra = { JNONE, SLICE_NONE } };
	jiter_init(&it, object);
	while (object.kind == JOBJECT && jiter_next(&it, &m)) {
		own = member_of(&m);
		if (own == NULL)
			continue;
		if (own->flags & MEMBER_NEST || strcmp(own->name, "metadata") == 0)
			*nest_of(nests, own->name) = m.value;
		i = (size_t)(own - table);
		if (!value_counts(own, m.value) ||
		    (o->values[i].kind != JNONE && o->rank[i] < rank))
			continue;
		o->values[i] = m.value;
		o->rank[i] = (unsigned char)rank;
	}
}

static void
params_take(struct own_iter *o, struct jvalue respan, struct jvalue keywordsai, unsigned rank)
{
	struct nests inner;

	place_take(o, keywordsai, rank + 1, &inner);
	place_take(o, respan, rank, &inner);
}

/* Params inside Anthropic's metadata; a metadata among them is the one that
 * was meant for us. */
static void
metadata_take(struct own_iter *o, struct jvalue metadata)
{
	struct jvalue respan = jget(metadata, SLICE("respan_params"));
	struct jvalue keywordsai = jget(metadata, SLICE("keywordsai_params"));
	size_t i = (size_t)(member_find(SLICE("metadata")) - table);

	if (jget(respan, SLICE("metadata")).kind == JOBJECT ||
	    jget(keywordsai, SLICE("metadata")).kind == JOBJECT)
		o->values[i].kind = JNONE;
	params_take(o, respan, keywordsai, RANK_METADATA);
}

void
own_iter_init(struct own_iter *o, struct jvalue body, struct jvalue header)
{
	struct nests top, inner;

	*o = (struct own_iter){ .next = 0 };
	place_take(o, body, RANK_TOP, &top);
	metadata_take(o, top.metadata);
	params_take(o, top.respan, top.keywordsai, RANK_PARAMS);
	place_take(o, top.extra, RANK_EXTRA, &inner);
	params_take(o, inner.respan, inner.keywordsai, RANK_EXTRA + 1);
	place_take(o, header, RANK_HEADER, &inner);
	params_take(o, inner.respan, inner.keywordsai, RANK_HEADER + 1);
}

bool
own_iter_next(struct own_iter *o, struct own_member *out)
{
	size_t i;

	while (o->next < MEMBER_COUNT) {
		i = o->next++;
		if (o->values[i].kind == JNONE)
			continue;
		*out = (struct own_member){ table[i].name, table[i].flags, o->values[i] };
		return true;
	}
	return false;
}

/* Appends the header's text: JSON as it is, else what its base64 stands for. */
static bool
header_text(struct slice value, struct buf *json)
{
	value = slice_trim(value);
	if (value.len > 0 && *value.ptr == '{')
		return buf_slice(json, value);
	return base64_decode(value, json);
}

bool
rewrite_header_params(struct slice value, struct buf *json)
{
	size_t start = json->len;
	struct jvalue v;
	char *text;

	if (!header_text(value, json) || json->len == start)
		return false;
	text = json->ptr + start;
	if (jscan_check(slice_make(text, json->len - start), &v, NULL) != JSCAN_END ||
	    v.kind != JOBJECT) {
		json->len = start;
		return false;
	}
	members_blank(v, text, text);
	return true;
}
