/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prices_table.c: puts a table together, entry by entry, and makes its index.
 * What stands twice is found here. Called by the readers of price files.
 */
#include "span/prices_table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/glob.h"
#include "core/limits.h"
#include "core/record.h"
#include "span/model_name.h"
#include "span/vendor.h"

#define NOTES_MAX 20	/* lines kept of what was left out */

bool
price_fail(struct price_reader *r, struct slice where, const char *fmt, ...)
{
	const char *p;
	va_list ap;

	if (r->failed)
		return false;
	r->failed = true;
	if (where.ptr == NULL)
		where = r->where;	/* what is not there is missing in the entry */
	r->err->line = 0;
	if (where.ptr >= r->text.ptr && where.ptr <= r->text.ptr + r->text.len)
		for (r->err->line = 1, p = r->text.ptr; p < where.ptr; p++)
			r->err->line += *p == '\n';
	va_start(ap, fmt);
	vsnprintf(r->err->text, sizeof(r->err->text), fmt, ap);
	va_end(ap);
	r->err->entry = r->price.line > 0 ? (long)r->table->n + 1 : 0;
	if (r->price.nnames > 0)
		snprintf(r->err->model, sizeof(r->err->model), "%.*s", (int)r->names[0].len, r->names[0].ptr);
	return false;
}

void
price_note(struct price_reader *r, const char *fmt, ...)
{
	struct buf *notes = &r->table->notes;
	char line[200];
	size_t lines = 0;
	va_list ap;

	for (size_t i = 0; i < notes->len; i++)
		lines += notes->ptr[i] == '\n';
	if (lines >= NOTES_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	buf_str(notes, lines == NOTES_MAX - 1 ? "and more" : line);
	buf_byte(notes, '\n');
}

static bool
out_of_memory(struct price_reader *r)
{
	return price_fail(r, SLICE_NONE, "out of memory");
}

bool
price_text(struct price_reader *r, struct jvalue v, const char *what, struct slice *out)
{
	struct slice plain = jstring_plain(v);
	struct buf text;

	if (v.kind != JSTRING || jempty(v))
		return price_fail(r, v.text, "%s is not a text", what);
	if (plain.ptr != NULL)
		*out = arena_copy(&r->table->arena, plain);
	else {
		buf_init(&text, MIB);
		jstring(v, &text);
		*out = arena_take(&r->table->arena, &text);
	}
	return out->ptr != NULL || out_of_memory(r);
}

void
price_begin(struct price_reader *r, struct slice where)
{
	const char *lf;

	/* counted on from the entry before it */
	while ((lf = memchr(r->counted, '\n', (size_t)(where.ptr - r->counted))) != NULL) {
		r->line++;
		r->counted = lf + 1;
	}
	r->counted = where.ptr;
	r->where = where;
	r->price = (struct price){
		.from = INT64_MIN, .until = INT64_MAX, .hour_from = -1, .hour_until = -1, .line = r->line,
	};
}

bool
price_name(struct price_reader *r, struct slice name, struct slice where)
{
	if (name.len > MODEL_NAME_MAX)
		return price_fail(r, where, "a name of more than %d bytes", MODEL_NAME_MAX);
	for (size_t i = 0; i < r->price.nnames; i++)
		if (slice_caseeq(r->names[i], name))
			return price_fail(r, where, "the name %.*s twice", (int)name.len, name.ptr);
	if (r->price.nnames == PRICE_NAMES)
		return price_fail(r, where, "more than %d names", PRICE_NAMES);
	r->names[r->price.nnames++] = name;
	return true;
}

void
price_set_begin(struct price_reader *r, enum service_tier tier, int64_t prompt_from)
{
	r->set = (struct rate_set){ .tier = tier, .prompt_from = prompt_from };
	r->nrates = 0;
}

bool
price_set_rate(struct price_reader *r, enum rate_kind kind, int64_t femto, struct slice size, struct slice where)
{
	const struct rate_info *info = &rate_infos[kind];
	bool token = info->group == RATE_TOKENS || info->group == RATE_CHARS;

	if (femto > (token ? RATE_TOKEN_MAX : RATE_OTHER_MAX))
		return price_fail(r, where, "the rate of %.*s is absurd", (int)info->name.len, info->name.ptr);
	for (size_t i = 0; i < r->nrates; i++)
		if (r->rates[i].kind == kind && slice_caseeq(r->rates[i].size, size))
			return price_fail(r, where, "the rate of %.*s twice", (int)info->name.len, info->name.ptr);
	if (r->nrates == PRICE_RATES)
		return price_fail(r, where, "more than %d rates", PRICE_RATES);
	r->rates[r->nrates++] = (struct rate){ .femto = femto, .size = size, .kind = (uint8_t)kind };
	return true;
}

bool
price_set_has(const struct price_reader *r, enum rate_kind kind)
{
	for (size_t i = 0; i < r->nrates; i++)
		if (r->rates[i].kind == kind)
			return true;
	return false;
}

static void *
copy_of(struct price_reader *r, const void *from, size_t n, size_t size)
{
	void *to;

	if (n == 0)
		return NULL;
	to = arena_alloc(&r->table->arena, n * size);
	if (to != NULL)
		memcpy(to, from, n * size);
	else
		out_of_memory(r);
	return to;
}

bool
price_set_end(struct price_reader *r)
{
	for (size_t i = 0; i < r->price.nsets; i++)
		if (r->sets[i].tier == r->set.tier && r->sets[i].prompt_from == r->set.prompt_from)
			return price_fail(r, r->where, "two tiers with the same bound");
	if (r->price.nsets == PRICE_SETS)
		return price_fail(r, r->where, "more than %d tiers", PRICE_SETS);
	r->set.rates = copy_of(r, r->rates, r->nrates, sizeof(r->rates[0]));
	r->set.n = r->nrates;
	r->sets[r->price.nsets++] = r->set;
	return !r->failed;
}

bool
price_multiplier(struct price_reader *r, struct slice name, int64_t micro, struct slice where)
{
	if (r->price.nmultipliers == PRICE_MULTIPLIERS)
		return price_fail(r, where, "more than %d multipliers", PRICE_MULTIPLIERS);
	if (micro > 1000 * INT64_C(1000000))
		return price_fail(r, where, "a factor of over 1000");
	r->multipliers[r->price.nmultipliers++] = (struct multiplier){ name, micro };
	return true;
}

static bool
table_grow(struct price_reader *r)
{
	struct price_table *t = r->table;
	size_t cap = t->cap ? t->cap * 2 : 64;
	struct price *list;

	if (t->n >= PRICE_ENTRIES)
		return price_fail(r, r->where, "more than %d entries", PRICE_ENTRIES);
	if (t->n < t->cap)
		return true;
	list = realloc(t->list, cap * sizeof(*list));
	if (list == NULL)
		return out_of_memory(r);
	t->list = list;
	t->cap = cap;
	return true;
}

bool
price_end(struct price_reader *r)
{
	struct price *p = &r->price;

	if (r->failed || !table_grow(r))
		return false;
	if (p->nnames == 0)
		return price_fail(r, r->where, "an entry without a name");
	p->names = copy_of(r, r->names, p->nnames, sizeof(r->names[0]));
	p->sets = copy_of(r, r->sets, p->nsets, sizeof(r->sets[0]));
	p->multipliers = copy_of(r, r->multipliers, p->nmultipliers, sizeof(r->multipliers[0]));
	if (!r->failed)
		r->table->list[r->table->n++] = *p;
	return !r->failed;
}

/* Do both hold at one time of the day? */
static bool
hours_meet(const struct price *a, const struct price *b)
{
	if (a->hour_from < 0 || b->hour_from < 0)
		return a->hour_from == b->hour_from;
	for (int minute = 0; minute < 24 * 60; minute++) {
		int from_a = (minute - a->hour_from + 1440) % 1440, from_b = (minute - b->hour_from + 1440) % 1440;

		if (from_a < (a->hour_until - a->hour_from + 1440) % 1440 &&
		    from_b < (b->hour_until - b->hour_from + 1440) % 1440)
			return true;
	}
	return false;
}

/* The entry that has the key's name already, and would be chosen as well; NULL: none. */
static const struct price *
twin(const struct price_table *t, const struct price_key *key, uint32_t head)
{
	const struct price *p = &t->list[key->entry], *q;

	for (uint32_t at = head; at != 0; at = t->keys[at - 1].next) {
		const struct price_key *other = &t->keys[at - 1];

		q = &t->list[other->entry];
		if (q != p && slice_caseeq(other->name, key->name) && slice_eq(q->vendor, p->vendor) &&
		    q->from == p->from && hours_meet(p, q))
			return q;
	}
	return NULL;
}

/* A name of the entry into the index. *twice: it stands in one before, which counts. */
static bool
key_add(struct price_reader *r, uint32_t entry, struct slice name, bool *twice)
{
	struct price_table *t = r->table;
	struct price_key *key = &t->keys[t->nkeys];
	uint32_t *head = &t->heads[model_name_hash(name) & (t->nheads - 1)];
	const struct price *other;

	*key = (struct price_key){ .entry = entry, .next = *head, .name = name };
	other = twin(t, key, *head);
	*twice = other != NULL;
	if (other != NULL && r->lenient) {
		price_note(r, "line %u: %.*s stands in line %u already", t->list[entry].line, (int)name.len, name.ptr,
		    other->line);
		return true;
	}
	if (other != NULL) {
		r->price = t->list[entry];
		r->names[0] = name;
		r->price.nnames = 1;
		price_fail(r, SLICE_NONE, "%.*s stands in the entry of line %u already", (int)name.len, name.ptr,
		    other->line);
		r->err->line = t->list[entry].line;
		r->err->entry = (long)entry + 1;
		return false;
	}
	*head = (uint32_t)++t->nkeys;
	if (glob_is_pattern(name))
		t->patterns[t->npatterns++] = (uint32_t)t->nkeys - 1;
	return true;
}

/* All names of an entry; those that stand twice leave it. */
static bool
keys_add(struct price_reader *r, uint32_t entry)
{
	struct price *p = &r->table->list[entry];
	size_t kept = 0, matches = 0;
	bool twice;

	for (size_t k = 0; k < p->nnames; k++) {
		if (!key_add(r, entry, p->names[k], &twice))
			return false;
		if (twice)
			continue;
		matches += k < p->nmatch;
		p->names[kept++] = p->names[k];
	}
	p->nnames = kept;
	p->nmatch = matches;
	return true;
}

/* The index of all names. */
static bool
seal(struct price_reader *r)
{
	struct price_table *t = r->table;
	size_t n = 0, i;

	for (i = 0; i < t->n; i++)
		n += t->list[i].nnames;
	for (t->nheads = 64; t->nheads < n; t->nheads *= 2)
		;
	t->keys = calloc(n + 1, sizeof(*t->keys));
	t->patterns = calloc(n + 1, sizeof(*t->patterns));
	t->heads = calloc(t->nheads, sizeof(*t->heads));
	if (t->keys == NULL || t->patterns == NULL || t->heads == NULL)
		return out_of_memory(r);
	for (i = 0; i < t->n; i++)
		if (!keys_add(r, (uint32_t)i))
			return false;
	return true;
}

/* Which format it is: ours says so, genai-prices' is a list, LiteLLM's an
 * object of objects. */
static bool
read_any(struct price_reader *r, struct jvalue file)
{
	struct jmember first = { .value = { .kind = JNONE } };
	struct jiter it;

	if (file.kind == JARRAY)
		return prices_read_genai(r, file);
	if (file.kind == JOBJECT && jget(file, SLICE("format")).kind != JNONE)
		return prices_read_own(r, file);
	if (file.kind == JOBJECT && jget(file, SLICE("providers")).kind == JARRAY)
		return prices_read_genai(r, jget(file, SLICE("providers")));
	jiter_init(&it, file);
	if (file.kind == JOBJECT && jiter_next(&it, &first) && first.value.kind == JOBJECT)
		return prices_read_litellm(r, file);
	return price_fail(r, file.text, "no price file: it has no \"format\", and is neither LiteLLM's nor genai-prices'");
}

static bool
read_text(struct price_reader *r)
{
	struct jvalue file;
	size_t at = 0;
	int rc = jscan_check(r->text, &file, &at);

	if (rc != JSCAN_END) {
		at = at < r->text.len ? at : r->text.len;
		return price_fail(r, slice_from(r->text, at), "%s", rc == JSCAN_E_UTF8 ? "not UTF-8" :
		    rc == JSCAN_E_DEPTH ? "nested too deeply" : "not valid JSON");
	}
	return read_any(r, file) && seal(r);
}

struct price_table *
price_table_read(struct slice text, struct slice name, struct price_error *err)
{
	struct price_table *t = calloc(1, sizeof(*t));
	struct price_reader *r = calloc(1, sizeof(*r));

	*err = (struct price_error){ .line = 0 };
	if (t == NULL || r == NULL) {
		snprintf(err->text, sizeof(err->text), "out of memory");
		free(t);
		free(r);
		return NULL;
	}
	buf_init(&t->notes, MIB);
	t->name = arena_copy(&t->arena, name);
	t->id = crc32c(0, text.ptr, text.len);
	r->table = t;
	r->text = text;
	r->counted = text.ptr;
	r->line = 1;
	r->err = err;
	if (!read_text(r)) {
		price_table_free(t);
		t = NULL;
	}
	free(r);
	return t;
}

void
price_table_free(struct price_table *t)
{
	if (t == NULL)
		return;
	arena_free(&t->arena);
	buf_free(&t->notes);
	free(t->list);
	free(t->keys);
	free(t->patterns);
	free(t->heads);
	free(t);
}

struct slice
price_table_name(const struct price_table *t)
{
	return t->name;
}

size_t
price_table_size(const struct price_table *t)
{
	return t->n;
}

const struct price *
price_table_at(const struct price_table *t, size_t i)
{
	return i < t->n ? &t->list[i] : NULL;
}

struct slice
price_table_notes(const struct price_table *t)
{
	return buf_view(&t->notes);
}
