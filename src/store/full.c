/* SPDX-License-Identifier: Apache-2.0 */
/*
 * full: a stored row with its body, as one span. Called by the REST API and the
 * command line; the builder is the sink's own, so both see the same.
 */
#include "store/full.h"

#include <stdlib.h>

#include "base/base.h"
#include "core/jscan.h"
#include "core/limits.h"
#include "journal/reader.h"
#include "span/build.h"
#include "span/usage.h"
#include "store/value.h"

struct full {
	const struct store_ops *ops;
	struct store	*store;
	struct build_options options;
	struct build	*build;
	struct chain	 chain;
	char		*bytes;
	struct buf	 text, bill, metadata;
	struct span	 span;
	bool		 held;		/* a snapshot is open */
};

struct full *
full_new(const struct store_ops *ops, struct store *store, const struct build_options *options)
{
	struct full *f = xcalloc(1, sizeof(*f));

	f->ops = ops;
	f->store = store;
	f->options = *options;
	f->options.prices = NULL;	/* costs are those of then */
	buf_init(&f->text, LIMIT_ROW_JSON);
	buf_init(&f->bill, LIMIT_ROW_JSON);
	buf_init(&f->metadata, LIMIT_ROW_JSON);
	return f;
}

static void
full_clear(struct full *f)
{
	build_free(f->build);
	f->build = NULL;
	if (f->chain.records)
		chain_free(&f->chain);
	memset(&f->chain, 0, sizeof(f->chain));
	free(f->bytes);
	f->bytes = NULL;
}

void
full_free(struct full *f)
{
	if (!f)
		return;
	full_rest(f);
	full_clear(f);
	buf_free(&f->text);
	buf_free(&f->bill);
	buf_free(&f->metadata);
	free(f);
}

void
full_hold(struct full *f)
{
	if (!f->held)
		f->held = f->ops->begin(f->store) == STORE_OK;
}

void
full_rest(struct full *f)
{
	if (f->held)
		f->ops->rollback(f->store);
	f->held = false;
}

/* The characters of a JSON string, where possible without a copy. */
static struct slice
parse_text(struct jvalue v, struct buf *text)
{
	return v.kind == JSTRING ? jscalar(v, text) : SLICE_NONE;
}

/* Sets a number, time or amount; what does not fit stays null. */
static void
parse_number(void *p, enum span_type type, struct jvalue v)
{
	struct span_int *i = p;
	struct span_num *d = p;

	switch (type) {
	case SPAN_NUM:
		d->set = jnumber(v, &d->v);
		break;
	case SPAN_SECS:
		i->set = v.kind == JNUMBER && value_decimal(v.text, 6, &i->v);
		break;
	case SPAN_COST:
		i->set = v.kind == JNUMBER && value_decimal(v.text, 12, &i->v);
		break;
	case SPAN_TIME:
		i->set = value_time(jstring_plain(v), &i->v);
		break;
	default:
		i->set = jint(v, &i->v);
	}
}

static void
parse_member(struct span *span, const struct jmember *m, struct buf *text)
{
	int field = span_field_by_name(m->key);
	char *p;

	if (field < 0 || m->value.kind == JNULL)
		return;
	p = (char *)span + span_fields[field].offset;
	switch (span_fields[field].type) {
	case SPAN_TEXT:
		*(struct slice *)p = parse_text(m->value, text);
		break;
	case SPAN_JSON:
		*(struct slice *)p = m->value.text;
		break;
	case SPAN_BOOL:
		((struct span_bool *)p)->set = jbool(m->value, &((struct span_bool *)p)->v);
		break;
	default:
		parse_number(p, span_fields[field].type, m->value);
	}
}

bool
full_parse(struct slice json, struct span *span, struct buf *text)
{
	struct jvalue value;
	struct jiter it;
	struct jmember m;

	memset(span, 0, sizeof(*span));
	/* Room for all, so that nothing moves once a slice points at it. */
	if (jscan_check(json, &value, NULL) != JSCAN_END || value.kind != JOBJECT ||
	    !buf_reserve(text, json.len + 1))
		return false;
	jiter_init(&it, value);
	while (jiter_next(&it, &m))
		parse_member(span, &m, text);
	return true;
}

/* Builds f->span from the stored records. */
static bool
full_build(struct full *f, struct slice bytes)
{
	if (chain_parse(bytes, &f->chain) < 0)
		return false;
	f->build = build_new(&f->options);
	if (!f->build)
		return false;
	for (size_t i = 0; i < f->chain.count; i++)
		build_feed(f->build, &f->chain.records[i]);
	f->span = *build_finish(f->build);
	return true;
}

#define TYPE(type) [SPAN_##type] = sizeof(span_##type)
static const size_t type_sizes[] = {
	TYPE(TEXT), TYPE(JSON), TYPE(INT), TYPE(NUM), TYPE(BOOL), TYPE(TIME), TYPE(SECS), TYPE(COST),
};
#undef TYPE

/* Lays the row over the span that was built from its body. */
static void
overlay(struct span *span, const struct span *row)
{
	struct slice custom = row->custom_identifier;

	for (int i = 0; i < SPAN_FIELDS; i++) {
		enum span_type type = span_fields[i].type;
		bool whole = (type == SPAN_TEXT || type == SPAN_JSON) && i != SPAN_F_note;

		if (!span_is_null(row, i) && (!whole || span_is_null(span, i)))
			memcpy((char *)span + span_fields[i].offset,
			    (const char *)row + span_fields[i].offset, type_sizes[type]);
	}
	/* what the row has of it otherwise is the beginning of what was built */
	if (custom.ptr && !slice_eq(custom, value_cut(span->custom_identifier, LIMIT_ROW_TEXT)))
		span->custom_identifier = custom.len > 0 ? custom : SLICE_NONE;	/* empty: somebody took it away */
	memcpy(span->id16, row->id16, sizeof(span->id16));
	span->id = row->id;
	span->unique_id = row->unique_id;
	span->tenant = row->tenant;
	span->family = row->family;
}

/* Metadata with what people changed of it; null takes a key away. */
static void
put_metadata(struct full *f, struct slice changes)
{
	struct jvalue base, over;
	struct jiter it;
	struct jmember m;
	struct buf *out = &f->metadata;

	buf_clear(out);
	if (!changes.ptr || jscan_check(changes, &over, NULL) != JSCAN_END)
		return;
	buf_byte(out, '{');
	if (f->span.metadata.ptr && jscan_check(f->span.metadata, &base, NULL) == JSCAN_END)
		for (jiter_init(&it, base); jiter_next(&it, &m);)
			if (!m.key.ptr || jget(over, m.key).kind == JNONE)
				buf_printf(out, "%s%.*s:%.*s", out->len > 1 ? "," : "", (int)m.key_text.len,
				    m.key_text.ptr, (int)m.value.text.len, m.value.text.ptr);
	for (jiter_init(&it, over); jiter_next(&it, &m);)
		if (m.value.kind != JNULL)
			buf_printf(out, "%s%.*s:%.*s", out->len > 1 ? "," : "", (int)m.key_text.len, m.key_text.ptr,
			    (int)m.value.text.len, m.value.text.ptr);
	buf_byte(out, '}');
	if (!out->failed)
		f->span.metadata = buf_view(out);
}

/* What is not to be shown any more, whether or not it is still there. */
static void
blur(struct span *span)
{
	for (int i = 0; i < SPAN_FIELDS; i++)
		if (store_body_field(i))
			*(struct slice *)((char *)span + span_fields[i].offset) = SLICE_NONE;
	span->extra = SLICE_NONE;
}

/* The usage object of counts that only the row has. */
static void
put_estimate(struct full *f)
{
	const struct span *s = &f->span;
	struct usage u = { .prompt = s->prompt_tokens, .completion = s->completion_tokens };

	buf_clear(&f->text);
	usage_print(&u, &f->text);
	f->span.usage = buf_view(&f->text);
}

const struct span *
full_span(struct full *f, const struct span *row)
{
	bool json = false, good;
	size_t len = 0;

	full_clear(f);
	buf_clear(&f->text);
	buf_clear(&f->bill);
	if (f->ops->chain(f->store, row->id16, &f->bytes, &len, &json, &f->bill) != STORE_OK)
		return row;
	f->options.bill = f->bill.len > 0 ? buf_view(&f->bill) : SLICE_NONE;
	f->options.estimated = slice_eq(row->usage_source, SLICE("estimated"));
	good = json ? full_parse(slice_make(f->bytes, len), &f->span, &f->text)
	    : full_build(f, slice_make(f->bytes, len));
	if (!good)
		return row;
	overlay(&f->span, row);
	if (row->blurred.set && row->blurred.v)
		blur(&f->span);
	f->span.cost_details = f->options.bill;
	put_metadata(f, row->metadata);
	if (f->options.estimated && f->span.usage.ptr == NULL)
		put_estimate(f);
	return &f->span;
}
