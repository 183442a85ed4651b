/* SPDX-License-Identifier: Apache-2.0 */
/*
 * messages_stream.c: the events of a Messages stream and the message that they
 * add up to. Called by the family's table. Of what is sent twice the last
 * counts: a block begun anew takes the place of the one with its index, so that
 * a stream with two message_start gives one message.
 */
#include <stdlib.h>

#include "span/json.h"
#include "span/messages.h"
#include "span/rest.h"

#define BLOCKS_MAX 1024		/* of one message; long runs of server tools make some hundred */

/* The members of blocks that deltas build up, and the block's type. */
enum block_part { TEXT, THINKING, SIGNATURE, INPUT, CITATIONS, CONTENT, PARTS, TYPE = PARTS, MEMBERS };

static const struct {
	struct slice	delta, from;	/* its type, and the member that carries the piece */
	struct slice	type;		/* a block's that was never begun */
	bool		shows;		/* its pieces are what a client waits for */
} parts[PARTS] = {
	[TEXT] = { SLICE("text_delta"), SLICE("text"), SLICE("text"), true },
	[THINKING] = { SLICE("thinking_delta"), SLICE("thinking"), SLICE("thinking"), true },
	[SIGNATURE] = { SLICE("signature_delta"), SLICE("signature"), SLICE("thinking"), false },
	[INPUT] = { SLICE("input_json_delta"), SLICE("partial_json"), SLICE("tool_use"), true },
	[CITATIONS] = { SLICE("citations_delta"), SLICE("citation"), SLICE("text"), false },
	[CONTENT] = { SLICE("compaction_delta"), SLICE("content"), SLICE("compaction"), true },
};

static const struct slice members[MEMBERS] = {
	[TEXT] = SLICE("text"), [THINKING] = SLICE("thinking"), [SIGNATURE] = SLICE("signature"),
	[INPUT] = SLICE("input"), [CITATIONS] = SLICE("citations"), [CONTENT] = SLICE("content"),
	[TYPE] = SLICE("type"),
};

struct block {
	int64_t		index;
	struct slice	type;		/* JSON string, or SLICE_NONE */
	struct slice	whole[PARTS];	/* as it came with the block's start */
	struct buf	pieces[PARTS];	/* insides of strings; of citations: elements */
	bool		has[PARTS];	/* pieces count instead of whole */
	struct rest	rest;
};

/* Objects of usage that may come in portions themselves. */
static const struct slice nested_names[] = {
	SLICE("cache_creation"), SLICE("server_tool_use"), SLICE("output_tokens_details"),
};
#define NESTED (sizeof(nested_names) / sizeof(*nested_names))

struct messages_stream {
	bool		started;	/* message_start or a block came */
	bool		output_told;	/* output_tokens came from elsewhere than a message's start */
	struct slice	role, stop_reason, stop_sequence;	/* JSON texts, or SLICE_NONE */
	struct block	*blocks;
	size_t		 n, cap;
	size_t		 recent;	/* the block of the last event */
	struct rest	 usage, nested[NESTED];
	struct rest	 rest;		/* the message's further members */
};

static struct messages_stream *
messages_state(struct build *b)
{
	(void)build_state(b, sizeof(struct messages_stream));
	return b->family_state;
}

static void
block_free(struct block *block)
{
	size_t i;

	for (i = 0; i < PARTS; i++)
		buf_free(&block->pieces[i]);
	rest_free(&block->rest);
}

void
messages_free(struct build *b)
{
	struct messages_stream *ms = b->family_state;
	size_t i;

	if (ms == NULL)
		return;
	for (i = 0; i < ms->n; i++)
		block_free(&ms->blocks[i]);
	for (i = 0; i < NESTED; i++)
		rest_free(&ms->nested[i]);
	rest_free(&ms->usage);
	rest_free(&ms->rest);
	free(ms->blocks);
	free(ms);
	b->family_state = NULL;
}

static void
block_init(struct block *block, int64_t index)
{
	size_t i;

	*block = (struct block){ .index = index };
	for (i = 0; i < PARTS; i++)
		buf_init(&block->pieces[i], LIMIT_EXPANDED);
}

/* A new block, or NULL: too many, or out of memory. */
static struct block *
block_new(struct build *b, struct messages_stream *ms, int64_t index)
{
	size_t cap = ms->cap ? ms->cap * 2 : 4;
	struct block *list;

	if (ms->n == BLOCKS_MAX) {
		warn_add(&b->warnings, WARN_TOO_MANY_CHOICES, SLICE_NONE);
		return NULL;
	}
	if (ms->n == ms->cap) {
		list = realloc(ms->blocks, cap * sizeof(*list));
		if (list == NULL) {
			b->arena.failed = true;
			return NULL;
		}
		ms->blocks = list;
		ms->cap = cap;
	}
	ms->started = true;
	ms->recent = ms->n++;
	block_init(&ms->blocks[ms->recent], index);
	return &ms->blocks[ms->recent];
}

/* The block of that index, made where it is new; NULL as above. */
static struct block *
block_of(struct build *b, struct messages_stream *ms, int64_t index)
{
	size_t i;

	if (ms->recent < ms->n && ms->blocks[ms->recent].index == index)
		return &ms->blocks[ms->recent];
	for (i = 0; i < ms->n; i++)
		if (ms->blocks[i].index == index) {
			ms->recent = i;
			return &ms->blocks[i];
		}
	return block_new(b, ms, index);
}

/* A piece joins its part; in the form in which the block's start has it too. */
static void
part_add(struct block *block, enum block_part part, struct jvalue v)
{
	struct buf *pieces = &block->pieces[part];

	if (part == CITATIONS) {
		buf_str(pieces, pieces->len ? "," : "");
		buf_slice(pieces, v.text);
	} else if (v.kind == JSTRING) {
		if (part == SIGNATURE)		/* comes whole */
			buf_clear(pieces);
		buf_slice(pieces, json_inner(v));
	} else
		return;
	block->has[part] = true;
}

/* A member of a block's start: what pieces can be added to becomes the first
 * of them. */
static void
part_begin(struct build *b, struct block *block, enum block_part part, struct jvalue v)
{
	if (part == CITATIONS && v.kind == JARRAY) {
		buf_slice(&block->pieces[part], json_elements(v));
		block->has[part] = true;
	} else if (part != INPUT && part != CITATIONS && v.kind == JSTRING)
		part_add(block, part, v);
	else if (v.kind != JNULL && v.kind != JNONE)
		block->whole[part] = arena_copy(&b->arena, v.text);
}

/* A block begins, or one that a message began with. True: it carries content. */
static bool
block_begin(struct build *b, struct messages_stream *ms, int64_t index, struct jvalue start)
{
	struct block *block = block_of(b, ms, index);
	struct jvalue v[MEMBERS];
	bool shows = false;
	size_t i;

	if (block == NULL)
		return false;
	block_free(block);
	block_init(block, index);
	rest_pick(&block->rest, start, members, v, MEMBERS);
	if (v[TYPE].kind == JSTRING)
		block->type = arena_copy(&b->arena, v[TYPE].text);
	for (i = 0; i < PARTS; i++) {
		part_begin(b, block, (enum block_part)i, v[i]);
		/* a tool's results are no content of the model's */
		shows |= parts[i].shows && !jempty(v[i]) &&
		    v[i].kind == (i == INPUT ? JOBJECT : JSTRING);
	}
	return shows;
}

static int64_t
index_of(struct jvalue json, int64_t otherwise)
{
	struct jvalue v = jget(json, SLICE("index"));
	int64_t index;

	return v.kind == JNUMBER && jint(v, &index) ? index : otherwise;
}

static bool
block_start(struct build *b, struct messages_stream *ms, struct jvalue json)
{
	return block_begin(b, ms, index_of(json, (int64_t)ms->n),
	    jget(json, SLICE("content_block")));
}

static bool
block_delta(struct build *b, struct messages_stream *ms, struct jvalue json)
{
	struct jvalue delta = jget(json, SLICE("delta")), type = jget(delta, SLICE("type")), v[2];
	struct slice names[2] = { SLICE("type") };
	struct block *block;
	enum block_part part;

	for (part = 0; part < PARTS && !jstring_is(type, parts[part].delta); part++)
		;
	if (part == PARTS) {
		warn_add(&b->warnings, WARN_DELTA_UNKNOWN, build_text(b, type));
		return false;
	}
	block = block_of(b, ms, index_of(json, ms->n ? ms->blocks[ms->recent].index : 0));
	if (block == NULL)
		return false;
	if (block->type.ptr == NULL)
		block->type = build_quoted(b, parts[part].type);
	names[1] = parts[part].from;
	rest_pick(&block->rest, delta, names, v, 2);
	if (v[1].kind != JNONE && v[1].kind != JNULL)
		part_add(block, part, v[1]);
	return parts[part].shows && v[1].kind == JSTRING && !jempty(v[1]);
}

/* Usage is cumulative, and told in portions: of each member the last one that
 * is not null counts. */
static void
usage_add(struct messages_stream *ms, struct jvalue usage)
{
	struct jvalue v[NESTED];
	size_t i;

	rest_pick(&ms->usage, usage, nested_names, v, NESTED);
	for (i = 0; i < NESTED; i++)
		rest_pick(&ms->nested[i], v[i], NULL, NULL, 0);
}

static void
stop_add(struct build *b, struct messages_stream *ms, struct jvalue reason, struct jvalue sequence)
{
	if (reason.kind == JSTRING)
		ms->stop_reason = arena_copy(&b->arena, reason.text);
	if (sequence.kind == JSTRING)
		ms->stop_sequence = arena_copy(&b->arena, sequence.text);
}

static bool
message_start(struct build *b, struct messages_stream *ms, struct jvalue json)
{
	enum { ID, KIND, ROLE, MODEL, BLOCKS, STOP, SEQUENCE, USAGE, COUNT };
	static const struct slice names[COUNT] = {
		[ID] = SLICE("id"), [KIND] = SLICE("type"), [ROLE] = SLICE("role"),
		[MODEL] = SLICE("model"), [BLOCKS] = SLICE("content"),
		[STOP] = SLICE("stop_reason"), [SEQUENCE] = SLICE("stop_sequence"),
		[USAGE] = SLICE("usage"),
	};
	struct jvalue v[COUNT];
	struct jmember block;
	struct jiter it;
	int64_t index = 0;
	bool got = false;

	rest_pick(&ms->rest, jget(json, SLICE("message")), names, v, COUNT);
	ms->started = true;
	if (b->span.response_id.ptr == NULL && !jempty(v[ID]))
		b->span.response_id = build_text(b, v[ID]);
	build_model(b, v[MODEL]);
	if (v[ROLE].kind == JSTRING)
		ms->role = arena_copy(&b->arena, v[ROLE].text);
	stop_add(b, ms, v[STOP], v[SEQUENCE]);
	ms->output_told = v[STOP].kind == JSTRING;
	usage_add(ms, v[USAGE]);
	jiter_init(&it, v[BLOCKS]);
	while (v[BLOCKS].kind == JARRAY && jiter_next(&it, &block))
		got |= block_begin(b, ms, index++, block.value);
	return got;
}

static bool
message_delta(struct build *b, struct messages_stream *ms, struct jvalue json)
{
	enum { KIND, DELTA, USAGE, COUNT };
	static const struct slice names[COUNT] = {
		[KIND] = SLICE("type"), [DELTA] = SLICE("delta"), [USAGE] = SLICE("usage"),
	};
	static const struct slice stop_names[] = {
		SLICE("stop_reason"), SLICE("stop_sequence"),
	};
	struct jvalue v[COUNT], stop[2];

	rest_pick(&ms->rest, json, names, v, COUNT);
	rest_pick(&ms->rest, v[DELTA], stop_names, stop, 2);
	stop_add(b, ms, stop[0], stop[1]);
	usage_add(ms, v[USAGE]);
	if (jget(v[USAGE], SLICE("output_tokens")).kind == JNUMBER)
		ms->output_told = true;
	return false;
}

/* Events of which only further members matter: an error, or what gateways say
 * with the last one. */
static bool
message_aside(struct build *b, struct messages_stream *ms, struct jvalue json)
{
	static const struct slice names[] = { SLICE("type") };
	struct jvalue type;

	rest_pick(&ms->rest, json, names, &type, 1);
	b->finish_seen |= jstring_is(type, SLICE("message_stop"));
	return false;
}

bool
messages_event(struct build *b, const struct sse_event *e, struct jvalue json)
{
	static const struct {
		struct slice type;
		bool (*read)(struct build *, struct messages_stream *, struct jvalue);
	} events[] = {
		{ SLICE("content_block_delta"), block_delta },
		{ SLICE("content_block_start"), block_start },
		{ SLICE("message_start"), message_start },
		{ SLICE("message_delta"), message_delta },
		{ SLICE("message_stop"), message_aside },
		{ SLICE("error"), message_aside },
	};
	struct messages_stream *ms = messages_state(b);
	struct jvalue type = jget(json, SLICE("type"));
	size_t i;

	for (i = 0; ms != NULL && i < sizeof(events) / sizeof(*events); i++)
		if (type.kind == JSTRING ? jstring_is(type, events[i].type) :
		    slice_eq(e->type, events[i].type))
			return events[i].read(b, ms, json);
	return false;
}

/* Ends an object that was written from `start` on as ,"name":value… */
static void
object_close(struct buf *out, size_t start)
{
	if (out->failed)
		return;
	if (out->len == start)
		buf_byte(out, '{');
	else
		out->ptr[start] = '{';
	buf_byte(out, '}');
}

static void
member_json(struct buf *out, struct slice name)
{
	buf_str(out, ",\"");
	buf_slice(out, name);
	buf_str(out, "\":");
}

static void
quoted_json(struct buf *out, struct slice inside)
{
	buf_byte(out, '"');
	buf_slice(out, inside);
	buf_byte(out, '"');
}

/* A tool's input: the pieces are the text of a JSON value. One that is none, as
 * of an answer cut short, stays a text. */
static void
input_json(struct build *b, const struct block *block, struct buf *out)
{
	struct slice none = block->whole[INPUT].ptr ? block->whole[INPUT] : SLICE("{}");
	struct buf string, text;
	struct jvalue v;
	int r;

	buf_init(&string, LIMIT_EXPANDED);
	buf_init(&text, LIMIT_EXPANDED);
	quoted_json(&string, buf_view(&block->pieces[INPUT]));
	jstring((struct jvalue){ JSTRING, buf_view(&string) }, &text);
	r = jscan_check(buf_view(&text), &v, NULL);
	if (json_trim(buf_view(&text)).len == 0)
		buf_slice(out, none);
	else if (r == JSCAN_END)
		buf_slice(out, v.text);
	else {
		warn_add(&b->warnings, WARN_INPUT_NOT_JSON, SLICE_NONE);
		buf_slice(out, buf_view(&string));
	}
	out->failed |= string.failed || text.failed;
	buf_free(&string);
	buf_free(&text);
}

static void
part_json(struct build *b, const struct block *block, enum block_part part, struct buf *out)
{
	struct slice pieces = buf_view(&block->pieces[part]);

	if (!block->has[part] && block->whole[part].ptr == NULL)
		return;
	member_json(out, members[part]);
	if (!block->has[part])
		buf_slice(out, block->whole[part]);
	else if (part == INPUT)
		input_json(b, block, out);
	else if (part == CITATIONS) {
		buf_byte(out, '[');
		buf_slice(out, pieces);
		buf_byte(out, ']');
	} else
		quoted_json(out, pieces);
	out->failed |= block->pieces[part].failed;
}

static void
block_json(struct build *b, const struct block *block, struct buf *out)
{
	size_t start = out->len, i;

	if (block->type.ptr != NULL) {
		member_json(out, members[TYPE]);
		buf_slice(out, block->type);
	}
	rest_json(&block->rest, out);
	for (i = 0; i < PARTS; i++)
		part_json(b, block, (enum block_part)i, out);
	object_close(out, start);
}

static int
block_order(const void *a, const void *b)
{
	const struct block *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

/* The content as an unstreamed answer has it. */
static struct slice
content_json(struct build *b, struct messages_stream *ms)
{
	struct buf out;
	size_t i;

	if (ms->n > 0)
		qsort(ms->blocks, ms->n, sizeof(*ms->blocks), block_order);
	buf_init(&out, 2 * LIMIT_EXPANDED);
	buf_byte(&out, '[');
	for (i = 0; i < ms->n; i++) {
		buf_str(&out, i ? "," : "");
		block_json(b, &ms->blocks[i], &out);
	}
	buf_byte(&out, ']');
	return build_take(b, &out);
}

/* Takes what was told of usage. An answer that broke off has told but a first
 * guess of its output: that is no count. */
static void
usage_take(struct build *b, const struct messages_stream *ms)
{
	struct jvalue usage;
	struct buf out;
	size_t i, at;

	buf_init(&out, LIMIT_EXPANDED);
	rest_json(&ms->usage, &out);
	for (i = 0; i < NESTED; i++) {
		if (ms->nested[i].n == 0)
			continue;
		member_json(&out, nested_names[i]);
		at = out.len;
		rest_json(&ms->nested[i], &out);
		object_close(&out, at);
	}
	object_close(&out, 0);
	usage = build_json(b, arena_take(&b->arena, &out));
	build_tier(b, jget(usage, SLICE("service_tier")));
	build_usage(b, usage, false);
	if (!b->has_usage || ms->output_told)
		return;
	b->completion_open = true;
	b->usage.completion.set = false;
	b->usage_early |= !b->finish_seen;
}

static void
text_json(struct buf *out, struct slice name, struct slice text)
{
	member_json(out, name);
	if (text.ptr != NULL)
		buf_json_string(out, text);
	else
		buf_str(out, "null");
}

/* The document that an unstreamed answer would have been. */
static struct slice
message_json(struct build *b, const struct messages_stream *ms, struct slice content)
{
	const struct span *s = &b->span;
	struct buf out;

	buf_init(&out, 2 * LIMIT_EXPANDED);
	text_json(&out, SLICE("id"), s->response_id);
	text_json(&out, SLICE("type"), SLICE("message"));
	member_json(&out, SLICE("role"));
	buf_slice(&out, ms->role.ptr ? ms->role : SLICE("\"assistant\""));
	text_json(&out, SLICE("model"), b->model_told ? s->model : SLICE_NONE);
	member_json(&out, SLICE("content"));
	buf_slice(&out, content);
	text_json(&out, SLICE("stop_reason"), s->finish_reason);
	member_json(&out, SLICE("stop_sequence"));
	buf_slice(&out, ms->stop_sequence.ptr ? ms->stop_sequence : SLICE("null"));
	rest_json(&ms->rest, &out);
	if (b->has_usage) {
		member_json(&out, SLICE("usage"));
		buf_slice(&out, buf_view(&b->usage_text));
	}
	object_close(&out, 0);
	return build_take(b, &out);
}

static struct jvalue
json_string(struct slice text)
{
	return (struct jvalue){ text.ptr ? JSTRING : JNONE, text };
}

void
messages_finish(struct build *b)
{
	struct messages_stream *ms = b->family_state;
	struct slice content;

	if (ms == NULL)
		return;
	b->finish_seen |= ms->stop_reason.ptr != NULL;
	b->span.finish_reason = build_text(b, json_string(ms->stop_reason));
	usage_take(b, ms);
	if (!ms->started)
		return;
	content = content_json(b, ms);
	if (content.ptr == NULL)
		return;
	messages_output(b, json_string(ms->role), (struct jvalue){ JARRAY, content });
	if (!b->options.row_only && !b->hidden)
		b->span.full_response = message_json(b, ms, content);
}
