/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_attribute.c: lists of attributes as OTLP has them, as plain JSON by
 * name, and dotted names as the objects and lists that they stand for.
 */
#include <stdlib.h>

#include "core/limits.h"
#include "span/json.h"
#include "span/otlp_inner.h"

#define NEST_DEPTH 16		/* dotted names within names: those further in are one name */

static const struct jvalue none = { .kind = JNONE };

bool
otlp_absent(struct jvalue v)
{
	return v.kind == JNONE || v.kind == JNULL;
}

/* Appends an AnyValue as plain JSON. As deep as the JSON may be, a third of LIMIT_JSON_DEPTH. */
static void
put_any(struct jvalue any, struct buf *out)
{
	struct jvalue list = jget(any, SLICE("arrayValue")), pairs = jget(any, SLICE("kvlistValue")), v;
	struct jmember m;
	struct jiter it;
	bool first = true;

	if (list.kind == JOBJECT) {
		buf_byte(out, '[');
		jiter_init(&it, jget(list, SLICE("values")));
		for (; jiter_next(&it, &m); first = false) {
			buf_str(out, first ? "" : ",");
			put_any(m.value, out);
		}
		buf_byte(out, ']');
	} else if (pairs.kind == JOBJECT) {
		buf_byte(out, '{');
		jiter_init(&it, jget(pairs, SLICE("values")));
		while (jiter_next(&it, &m)) {
			if (jget(m.value, SLICE("key")).kind != JSTRING)
				continue;
			buf_str(out, first ? "" : ",");
			buf_slice(out, jget(m.value, SLICE("key")).text);
			buf_byte(out, ':');
			put_any(jget(m.value, SLICE("value")), out);
			first = false;
		}
		buf_byte(out, '}');
	} else {
		v = otlp_value(NULL, any);
		buf_slice(out, v.kind == JNONE ? SLICE("null") : v.text);
	}
}

static struct jvalue
json_of(struct arena *arena, struct buf *text)
{
	struct jvalue v = none;

	(void)jscan_check(arena_take(arena, text), &v, NULL);
	return v;
}

/* A whole number that may stand in a string. */
static struct jvalue
number_of(struct jvalue v)
{
	struct slice digits = jstring_plain(v);
	struct jvalue number;

	if (v.kind == JSTRING && jscan_check(digits, &number, NULL) == JSCAN_END && number.kind == JNUMBER)
		return number;
	return v;
}

enum { INT, STRING, BOOL, DOUBLE, BYTES, ARRAY, KVLIST, KINDS };
static const struct slice kinds[KINDS] = { SLICE("intValue"), SLICE("stringValue"), SLICE("boolValue"),
    SLICE("doubleValue"), SLICE("bytesValue"), SLICE("arrayValue"), SLICE("kvlistValue") };

struct jvalue
otlp_value(struct arena *arena, struct jvalue any)
{
	struct jvalue v[KINDS];
	struct buf text;

	json_pick(any, kinds, v, KINDS);
	if (v[INT].kind != JNONE)
		return number_of(v[INT]);
	for (int i = STRING; i <= BYTES; i++)
		if (v[i].kind != JNONE)
			return v[i];
	if (arena == NULL || (v[ARRAY].kind != JOBJECT && v[KVLIST].kind != JOBJECT))
		return none;
	buf_init(&text, OTLP_SPAN_TEXT);
	put_any(any, &text);
	return json_of(arena, &text);
}

static bool
is_digits(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
	return s.len > 0 && s.len < 10;
}

/* Takes a name up to the next dot off the front. */
static struct slice
take_part(struct slice *rest)
{
	const char *dot = rest->len ? memchr(rest->ptr, '.', rest->len) : NULL;
	struct slice part = slice_make(rest->ptr, dot ? (size_t)(dot - rest->ptr) : rest->len);

	*rest = slice_from(*rest, part.len + (dot != NULL));
	return part;
}

static int
part_order(struct slice a, struct slice b)
{
	bool a_number = is_digits(a), b_number = is_digits(b);
	int order;

	if (a_number != b_number)
		return a_number ? -1 : 1;
	if (a_number && a.len != b.len)
		return a.len < b.len ? -1 : 1;
	order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
	return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int
key_order(struct slice a, struct slice b)
{
	int order = 0;

	while (order == 0 && a.len > 0 && b.len > 0)
		order = part_order(take_part(&a), take_part(&b));
	return order ? order : (a.len > 0) - (b.len > 0);
}

static int
name_order(struct slice a, struct slice b)
{
	int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);

	return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int
attr_order(const void *va, const void *vb)
{
	const struct otlp_attr *a = va, *b = vb;
	int order = name_order(a->key, b->key);

	return order ? order : (a->place > b->place) - (a->place < b->place);
}

/* By dotted parts; names that differ in nothing but a dot at their end by their length. */
static int
nest_order(const void *va, const void *vb)
{
	const struct otlp_attr *a = *(struct otlp_attr *const *)va, *b = *(struct otlp_attr *const *)vb;
	int order = key_order(a->key, b->key);

	return order ? order : (a->key.len > b->key.len) - (a->key.len < b->key.len);
}

/* Sorted; of each name the last one. */
static void
attrs_sort(struct otlp_attrs *attrs)
{
	size_t n = 0;

	if (attrs->n > 1)
		qsort(attrs->list, attrs->n, sizeof(*attrs->list), attr_order);
	for (size_t i = 0; i < attrs->n; i++)
		if (i + 1 == attrs->n || !slice_eq(attrs->list[i].key, attrs->list[i + 1].key))
			attrs->list[n++] = attrs->list[i];
	attrs->n = n;
}

/* Its characters; the older names of Respan's as the newer ones. */
static struct slice
key_of(struct arena *arena, struct jvalue key)
{
	static const struct slice old = SLICE("keywordsai.");
	struct slice s = jstring_plain(key);
	struct buf text;

	if (!s.ptr || slice_starts(s, old)) {
		buf_init(&text, OTLP_SPAN_TEXT);
		buf_str(&text, s.ptr ? "respan." : "");
		if (s.ptr)
			buf_slice(&text, slice_from(s, old.len));
		else
			(void)jstring(key, &text);
		s = arena_take(arena, &text);
	}
	return s;
}

/* Room for one more. False: no memory. */
static bool
attrs_grow(struct arena *arena, struct otlp_attrs *attrs, size_t *room)
{
	struct otlp_attr *list;

	if (attrs->n < *room)
		return true;
	*room = *room ? *room * 2 : 32;
	list = arena_alloc(arena, *room * sizeof(*list));
	if (list != NULL && attrs->n > 0)
		memcpy(list, attrs->list, attrs->n * sizeof(*list));
	attrs->list = list;
	return list != NULL;
}

void
otlp_attrs_read(struct arena *arena, struct jvalue list, struct otlp_attrs *attrs)
{
	static const struct slice names[] = { SLICE("key"), SLICE("value") };
	struct jvalue v[2];
	struct jmember m;
	struct jiter it;
	size_t room = 0;

	*attrs = (struct otlp_attrs){ NULL, 0 };
	if (list.kind != JARRAY)
		return;
	jiter_init(&it, list);
	while (jiter_next(&it, &m)) {
		if (!attrs_grow(arena, attrs, &room)) {
			attrs->n = 0;
			return;
		}
		json_pick(m.value, names, v, 2);
		attrs->list[attrs->n] = (struct otlp_attr){ .value = otlp_value(arena, v[1]), .place = attrs->n };
		if (v[0].kind == JSTRING && !otlp_absent(attrs->list[attrs->n].value) &&
		    (attrs->list[attrs->n].key = key_of(arena, v[0])).len > 0)
			attrs->n++;
	}
	attrs_sort(attrs);
}

void
otlp_attrs_add(struct arena *arena, struct otlp_attrs *attrs, const struct otlp_attrs *more)
{
	struct otlp_attr *list = arena_alloc(arena, (attrs->n + more->n + 1) * sizeof(*list));

	if (list == NULL)
		return;
	for (size_t i = 0; i < more->n; i++) {
		list[i] = more->list[i];
		list[i].place = i;
	}
	for (size_t i = 0; i < attrs->n; i++) {
		list[more->n + i] = attrs->list[i];
		list[more->n + i].place = more->n + i;
	}
	*attrs = (struct otlp_attrs){ list, attrs->n + more->n };
	attrs_sort(attrs);
}

/* Is the part of its name from there on a number? */
static bool
is_numbered(const struct otlp_attr *a, size_t from)
{
	struct slice rest = slice_from(a->key, from);

	return is_digits(take_part(&rest));
}

/* The first attribute whose name is not before this one. */
static size_t
first_at(const struct otlp_attrs *attrs, struct slice name)
{
	size_t low = 0, high = attrs->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (name_order(attrs->list[middle].key, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct jvalue
otlp_take(const struct otlp_attrs *attrs, const char *key)
{
	struct otlp_attr *a = otlp_attr_find(attrs, key);

	if (a == NULL)
		return none;
	a->used = true;
	return a->value;
}

void
otlp_spend(const struct otlp_attrs *attrs, const char *key)
{
	struct slice name = slice_str(key);

	for (size_t i = first_at(attrs, name); i < attrs->n && slice_starts(attrs->list[i].key, name); i++) {
		struct otlp_attr *a = &attrs->list[i];

		a->used |= a->key.len == name.len || (a->key.ptr[name.len] == '.' && is_numbered(a, name.len + 1));
	}
}

struct jvalue
otlp_parse(struct arena *arena, struct jvalue v)
{
	struct jvalue inner;
	struct slice text = jstring_plain(v);
	struct buf plain;

	if (v.kind != JSTRING)
		return v;
	if (!text.ptr) {
		buf_init(&plain, OTLP_SPAN_TEXT);
		(void)jstring(v, &plain);
		text = arena_take(arena, &plain);
	}
	return text.ptr && jscan_check(text, &inner, NULL) == JSCAN_END ? inner : v;
}

struct jvalue
otlp_parse_nested(struct arena *arena, struct jvalue v)
{
	struct slice text = v.text;
	struct jvalue inner;

	if (v.kind != JSTRING)
		return v;
	for (text = slice_from(text, 1); text.len > 0 && (*text.ptr == ' ' || *text.ptr == '\t'); text = slice_from(text, 1))
		;
	if (text.len == 0 || (*text.ptr != '{' && *text.ptr != '[' && *text.ptr != '\\'))
		return v;
	inner = otlp_parse(arena, v);
	return inner.kind == JOBJECT || inner.kind == JARRAY ? inner : v;
}

/* Attributes whose names begin alike: [from, to), and how much of them that is. */
struct nest {
	struct otlp_attr **from, **to;
	size_t		 skip;
};

/* The part of a's name at this depth; *more: there is a name behind it. */
static struct slice
nest_part(const struct otlp_attr *a, size_t skip, bool whole, bool *more)
{
	struct slice rest = slice_from(a->key, skip), part = rest;

	if (!whole)
		part = take_part(&rest);
	*more = !whole && rest.len > 0;
	return part;
}

static void	put_nest(struct nest, unsigned depth, struct buf *);

/* Those with the same part at n.skip, and their value: what is below it before
 * what it has itself. Gives where they end. */
static struct otlp_attr **
put_group(struct nest n, bool named, unsigned depth, struct buf *out)
{
	bool whole = depth == NEST_DEPTH, more, deeper = false;
	struct slice part = nest_part(*n.from, n.skip, whole, &more), other;
	struct otlp_attr **end = n.from, **below = n.from;

	while (end < n.to) {
		other = nest_part(*end, n.skip, whole, &more);
		if (!slice_eq(other, part))
			break;
		deeper |= more;
		end++;
	}
	if (named) {
		buf_json_string(out, part);
		buf_byte(out, ':');
	}
	while (deeper && below < end && (*below)->key.len <= n.skip + part.len + 1)
		below++;
	if (deeper)
		put_nest((struct nest){ below, end, n.skip + part.len + 1 }, depth + 1, out);
	else {
		buf_slice(out, (*n.from)->value.text);
		(*n.from)->used = true;
	}
	return end;
}

static void
put_nest(struct nest n, unsigned depth, struct buf *out)
{
	bool list = true, more, first = true;

	for (struct otlp_attr **a = n.from; a < n.to && list; a++)
		list = is_digits(nest_part(*a, n.skip, depth == NEST_DEPTH, &more));
	buf_byte(out, list ? '[' : '{');
	while (n.from < n.to && !out->failed) {
		buf_str(out, first ? "" : ",");
		n.from = put_group(n, !list, depth, out);
		first = false;
	}
	buf_byte(out, list ? ']' : '}');
}

struct otlp_attr *
otlp_attr_find(const struct otlp_attrs *attrs, const char *key)
{
	struct slice name = slice_str(key);
	size_t at = first_at(attrs, name);

	return at < attrs->n && slice_eq(attrs->list[at].key, name) ? &attrs->list[at] : NULL;
}

struct jvalue
otlp_nest(struct arena *arena, const struct otlp_attrs *attrs, const char *prefix)
{
	struct slice name = slice_str(prefix);
	size_t from = first_at(attrs, name), to, n = 0;
	struct otlp_attr **list;
	struct buf text;

	from += from < attrs->n && slice_eq(attrs->list[from].key, name);
	for (to = from; to < attrs->n && slice_starts(attrs->list[to].key, name); to++)
		;
	if (to == from || (list = arena_alloc(arena, (to - from) * sizeof(*list))) == NULL)
		return none;
	for (size_t i = from; i < to; i++)
		if (is_numbered(&attrs->list[i], name.len))
			list[n++] = &attrs->list[i];
	if (n == 0)
		return none;
	qsort(list, n, sizeof(*list), nest_order);
	buf_init(&text, OTLP_SPAN_TEXT);
	put_nest((struct nest){ list, list + n, name.len }, 0, &text);
	return json_of(arena, &text);
}

void
otlp_attrs_json(const struct otlp_attrs *attrs, struct buf *out)
{
	buf_byte(out, '{');
	for (size_t i = 0; i < attrs->n; i++) {
		buf_str(out, i ? "," : "");
		buf_json_string(out, attrs->list[i].key);
		buf_byte(out, ':');
		buf_slice(out, attrs->list[i].value.text);
	}
	buf_byte(out, '}');
}
