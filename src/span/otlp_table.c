/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_table.c: what otlp.tbl.h says of attributes: which member each one is,
 * what kind of span they make, and that all others are metadata.
 */
#include <stdlib.h>

#include "core/limits.h"
#include "span/otlp_inner.h"

enum kind { TEXT, INT, NUM, BOOL, JSON, WORDS, TOKENS, MS };

static const struct { const char *attribute, *member; enum kind kind; } members[] = {
#define ATTR(attribute, member, kind) { attribute, member, kind },
#define BELOW(prefix)
#define TYPE(attribute, value, type)
#include "span/otlp.tbl.h"
#undef ATTR
#undef BELOW
#undef TYPE
};

static const struct slice below[] = {
#define ATTR(attribute, member, kind)
#define BELOW(prefix) { prefix, sizeof(prefix) - 1 },
#define TYPE(attribute, value, type)
#include "span/otlp.tbl.h"
#undef ATTR
#undef BELOW
#undef TYPE
};

static const struct { const char *attribute, *value, *type; } types[] = {
#define ATTR(attribute, member, kind)
#define BELOW(prefix)
#define TYPE(attribute, value, type) { attribute, value, type },
#include "span/otlp.tbl.h"
#undef ATTR
#undef BELOW
#undef TYPE
};

static const struct jvalue none = { .kind = JNONE };

/* The names of log types, which is what a span's type is kept as. */
static const char *
type_name(struct slice text)
{
	static const char *const known[] = { "chat", "completion", "text", "response", "embedding", "transcription",
	    "speech", "generation", "reranker", "llm", "model" };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (slice_caseeq(text, slice_str(known[i])))
			return known[i];
	return NULL;
}

static void
type_put(struct otlp *o, struct slice text)
{
	o->type = type_name(text);
	o->model_call = o->type != NULL;
	if (otlp_member(o, "log_type"))
		buf_json_string(o->out, text);
}

void
otlp_type(struct otlp *o)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		struct otlp_attr *a = otlp_attr_find(&o->attrs, types[i].attribute);
		struct slice value = a ? jstring_plain(a->value) : SLICE_NONE;
		bool same = *types[i].value == '=';

		if (a == NULL || value.len == 0)
			continue;
		if (!same && *types[i].value != '*' && !slice_caseeq(value, slice_str(types[i].value)))
			continue;
		/* what is any value says something else besides */
		a->used |= same || *types[i].value != '*';
		type_put(o, same ? value : slice_str(types[i].type));
		return;
	}
	type_put(o, SLICE("span"));
}

/* A number, also one in a string; INT: a whole one. */
static struct jvalue
number_of(struct jvalue v, bool whole)
{
	struct jvalue number = v;
	int64_t i;
	double d;

	if (v.kind == JSTRING && jscan_check(jstring_plain(v), &number, NULL) != JSCAN_END)
		return none;
	if (number.kind != JNUMBER || !jnumber(number, &d) || d < -1e300 || d > 1e300 || (whole && !jint(number, &i)))
		return none;
	return number;
}

static struct jvalue
bool_of(struct jvalue v)
{
	if (v.kind == JTRUE || jstring_is(v, SLICE("true")) || jstring_is(v, SLICE("True")))
		return (struct jvalue){ JTRUE, SLICE("true") };
	if (v.kind == JFALSE || jstring_is(v, SLICE("false")) || jstring_is(v, SLICE("False")))
		return (struct jvalue){ JFALSE, SLICE("false") };
	return none;
}

static struct jvalue
first_word(struct arena *arena, struct jvalue v)
{
	struct jmember m;
	struct jiter it;

	v = otlp_parse_nested(arena, v);
	jiter_init(&it, v);
	if (v.kind == JARRAY)
		v = jiter_next(&it, &m) ? m.value : none;
	return v.kind == JSTRING && v.text.len > 2 ? v : none;
}

static struct jvalue
seconds_of(struct arena *arena, struct jvalue v)
{
	struct buf text;
	double ms;

	if (!jnumber(number_of(v, false), &ms))
		return none;
	buf_init(&text, 64);
	buf_printf(&text, "%.6f", ms / 1000);
	v = (struct jvalue){ JNUMBER, arena_take(arena, &text) };
	return v.text.ptr ? v : none;
}

static struct jvalue
text_of(struct arena *arena, struct jvalue v)
{
	struct buf text;

	if (v.kind == JSTRING)
		return v.text.len > 2 ? v : none;
	if (v.kind != JNUMBER)
		return none;
	buf_init(&text, OTLP_SPAN_TEXT);
	buf_json_string(&text, v.text);
	v = (struct jvalue){ JSTRING, arena_take(arena, &text) };
	return v.text.ptr ? v : none;
}

/* The value as the member takes it; JNONE: it is not of its kind. */
static struct jvalue
value_of(struct otlp *o, enum kind kind, struct jvalue v)
{
	switch (kind) {
	case TEXT:
		return text_of(&o->arena, v);
	case TOKENS:
	case INT:
		return number_of(v, true);
	case NUM:
		return number_of(v, false);
	case BOOL:
		return bool_of(v);
	case JSON:
		return otlp_parse(&o->arena, v);
	case WORDS:
		return first_word(&o->arena, v);
	case MS:
		return seconds_of(&o->arena, v);
	}
	return none;
}

/* These are objects, or they are not taken (given.tbl.h). */
static bool
fits(const char *member, struct jvalue v)
{
	static const char *const objects[] = { "properties", "variables" };

	for (size_t i = 0; i < sizeof(objects) / sizeof(*objects); i++)
		if (strcmp(member, objects[i]) == 0)
			return v.kind == JOBJECT;
	return v.kind != JNONE;
}

/* The number that would give the member; false: there is none. */
static bool
number_told(struct otlp *o, const char *member, int64_t *out)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		struct otlp_attr *a = otlp_attr_find(&o->attrs, members[i].attribute);

		if (a != NULL && strcmp(members[i].member, member) == 0 && (members[i].kind != TOKENS || o->model_call) &&
		    jint(number_of(a->value, true), out))
			return *out >= 0 && *out < INT64_MAX / 8;
	}
	return false;
}

/* By the conventions input tokens hold those of the cache, but some SDKs pass
 * on counts of providers that do not: they tell more from the cache than there
 * is, or a total that holds both. */
static void
prompt_put(struct otlp *o)
{
	int64_t prompt = 0, cached = 0, written = 0, completion = 0, total = 0;
	bool apart;

	if (!number_told(o, "prompt_tokens", &prompt))
		return;
	(void)number_told(o, "prompt_cache_hit_tokens", &cached);
	(void)number_told(o, "prompt_cache_creation_tokens", &written);
	(void)number_told(o, "completion_tokens", &completion);
	apart = cached + written > prompt || (cached + written > 0 && number_told(o, "total_request_tokens", &total) &&
	    total == prompt + cached + written + completion);
	if (apart && otlp_member(o, "prompt_tokens"))
		buf_printf(o->out, "%lld", (long long)(prompt + cached + written));
}

void
otlp_members(struct otlp *o)
{
	prompt_put(o);
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		struct otlp_attr *a = otlp_attr_find(&o->attrs, members[i].attribute);
		struct jvalue v;

		if (a == NULL || otlp_is_set(o, members[i].member) || (members[i].kind == TOKENS && !o->model_call))
			continue;
		v = value_of(o, members[i].kind, a->value);
		if (!fits(members[i].member, v))
			continue;
		a->used = true;
		otlp_put(o, members[i].member, v);
	}
}

/* One of the metadata, from an attribute or from an object that was one. */
struct datum {
	struct slice	 key;		/* characters */
	struct jvalue	 value;
	size_t		 place;		/* of those with one key the first counts */
};

struct data {
	struct datum	*list;
	size_t		 n, room;
};

static void
data_add(struct data *d, struct slice key, struct jvalue value)
{
	if (d->n < d->room && key.len > 0 && !otlp_absent(value)) {
		d->list[d->n] = (struct datum){ key, value, d->n };
		d->n++;
	}
}

static void
data_add_object(struct arena *arena, struct data *d, struct jvalue object)
{
	struct jmember m;
	struct jiter it;
	struct buf text;

	jiter_init(&it, object);
	while (d->n < d->room && jiter_next(&it, &m)) {
		if (!m.key_plain) {
			buf_init(&text, OTLP_SPAN_TEXT);
			(void)jstring((struct jvalue){ JSTRING, m.key_text }, &text);
			m.key = arena_take(arena, &text);
		}
		data_add(d, m.key, m.value);
	}
}

static int
datum_order(const void *va, const void *vb)
{
	const struct datum *a = va, *b = vb;
	size_t n = a->key.len < b->key.len ? a->key.len : b->key.len;
	int order = memcmp(a->key.ptr, b->key.ptr, n);

	if (order == 0 && a->key.len != b->key.len)
		return a->key.len < b->key.len ? -1 : 1;
	return order ? order : (a->place > b->place) - (a->place < b->place);
}

static size_t
count_members(struct jvalue object)
{
	struct jmember m;
	struct jiter it;
	size_t n = 0;

	for (jiter_init(&it, object); jiter_next(&it, &m);)
		n++;
	return n;
}

/* What is left of the attributes under the names that they have as metadata. */
static void
data_collect(struct otlp *o, struct data *d)
{
	for (size_t i = 0; i < o->attrs.n; i++) {
		const struct otlp_attr *a = &o->attrs.list[i];
		struct slice key = a->key;
		bool cut = false;

		if (a->used)
			continue;
		for (size_t k = 0; k < sizeof(below) / sizeof(*below) && !cut; k++)
			if ((cut = slice_starts(key, below[k]) && key.len > below[k].len))
				key = slice_from(key, below[k].len);
		/* SDKs write each of these values as JSON */
		data_add(d, key, cut ? otlp_parse(&o->arena, a->value) : a->value);
	}
}

void
otlp_metadata(struct otlp *o)
{
	static const char *const services[] = { "service.name", "service.namespace", "service.version" };
	struct jvalue own = otlp_parse(&o->arena, otlp_take(&o->attrs, "respan.metadata"));
	struct jvalue other = otlp_parse(&o->arena, otlp_take(&o->attrs, "metadata"));
	struct data d = { .room = o->attrs.n + count_members(own) + count_members(other) + 4 };
	bool any = false;

	d.list = arena_alloc(&o->arena, d.room * sizeof(*d.list));
	if (d.list == NULL)
		return;
	data_collect(o, &d);
	if (own.kind == JOBJECT)
		data_add_object(&o->arena, &d, own);
	else
		data_add(&d, SLICE("respan.metadata"), own);
	if (other.kind == JOBJECT)
		data_add_object(&o->arena, &d, other);
	else
		data_add(&d, SLICE("metadata"), other);
	for (size_t i = 0; i < sizeof(services) / sizeof(*services); i++)
		data_add(&d, slice_str(services[i]), otlp_take(&o->resource, services[i]));
	qsort(d.list, d.n, sizeof(*d.list), datum_order);
	if (d.n == 0 || !otlp_member(o, "metadata"))
		return;
	buf_byte(o->out, '{');
	for (size_t i = 0; i < d.n; i++) {
		if (i > 0 && slice_eq(d.list[i].key, d.list[i - 1].key))
			continue;
		buf_str(o->out, any ? "," : "");
		buf_json_string(o->out, d.list[i].key);
		buf_byte(o->out, ':');
		buf_slice(o->out, d.list[i].value.text);
		any = true;
	}
	buf_byte(o->out, '}');
}
