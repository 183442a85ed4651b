/* SPDX-License-Identifier: Apache-2.0 */
/* breakdown: what is added to an answer, made of records as they stand in a copy. */
#include "core/jscan.h"
#include "core/limits.h"
#include "span/breakdown.h"
#include "tap.h"

static const struct build_options options = { .user_as_customer = true };
static struct buf records, fields, out;

#define CHAT_REQUEST "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]," \
	"\"metadata\":{\"a\":1},\"prompt_unit_price\":1}"
#define CHAT_ANSWER "{\"model\":\"m-1\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\"," \
	"\"content\":\"yes\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}"

static void
add(enum record_type type)
{
	static const uint8_t id[16] = { 1 };
	char head[RECORD_HEAD];

	record_head(head, type, 0, id, 0, buf_view(&fields), SLICE_NONE);
	buf_append(&records, head, sizeof(head));
	buf_slice(&records, buf_view(&fields));
	buf_clear(&fields);
}

/* The records of an exchange; answer in pieces of at most n bytes. */
static void
exchange(const char *family, const char *request, const char *type, const char *answer, size_t n)
{
	struct slice rest = slice_str(answer);
	uint64_t at = 0;

	buf_clear(&records);
	record_put_u64(&fields, TAG_WALL, 1763665501000000);
	record_put_u64(&fields, TAG_T_READ, 1000);
	record_put(&fields, TAG_FAMILY, slice_str(family));
	record_put(&fields, TAG_METHOD, SLICE("POST"));
	record_put(&fields, TAG_TARGET, SLICE("/v1/x"));
	record_put_u64(&fields, TAG_BODY_LENGTH, strlen(request));
	record_put(&fields, TAG_BYTES, slice_str(request));
	add(RECORD_BEGIN);
	record_put_u64(&fields, TAG_T, 1500);
	record_put_u64(&fields, TAG_ATTEMPT, 1);
	add(RECORD_SEND);
	record_put_u64(&fields, TAG_T, 2000);
	record_put_u64(&fields, TAG_ATTEMPT, 1);
	record_put_u64(&fields, TAG_STATUS, 200);
	buf_str(&out, "content-type: ");
	buf_str(&out, type);
	buf_str(&out, "\r\n");
	record_put(&fields, TAG_HEADERS, buf_view(&out));
	buf_clear(&out);
	add(RECORD_HEAD_IN);
	while (rest.len > 0) {
		n = n < rest.len ? n : rest.len;
		record_put_u64(&fields, TAG_T, 3000);
		record_put_u64(&fields, TAG_OFFSET, at);
		record_put(&fields, TAG_BYTES, slice_make(rest.ptr, n));
		add(RECORD_PART);
		rest = slice_from(rest, n);
		at += n;
	}
	record_put_u64(&fields, TAG_REASON, 0);
	record_put_u64(&fields, TAG_T_LAST, 251000);
	record_put_u64(&fields, TAG_ANSWER_LENGTH, at);
	add(RECORD_END);
}

static enum breakdown_result
made(bool events)
{
	buf_clear(&out);
	return breakdown_make(buf_view(&records), &options, events, &out);
}

static bool
text_is(const char *want)
{
	if (slice_eq(buf_view(&out), slice_str(want)))
		return true;
	printf("# got %.*s\n", (int)out.len, out.ptr);
	return false;
}

#define OBJECT(tokens, stream, message, model) "{" tokens ",\"cost\":null," \
	"\"prompt_messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"completion_message\":" message \
	",\"model\":\"" model "\",\"cached\":false,\"timestamp\":\"2025-11-20T19:05:01.251000Z\"," \
	"\"status_code\":200,\"stream\":" stream ",\"latency\":0.25,\"scores\":{},\"category\":null," \
	"\"metadata\":{\"a\":\"1\"},\"routing_time\":0.0005,\"full_request\":" CHAT_REQUEST "," \
	"\"sentiment_score\":0}"

static void
json_test(void)
{
	size_t cuts[] = { 1, 7, 4096 }, i;

	for (i = 0; i < 3; i++) {
		exchange("chat", CHAT_REQUEST, "application/json", CHAT_ANSWER, cuts[i]);
		ok(made(false) == BREAKDOWN_MADE);
		ok(text_is(",\"request_breakdown\":" OBJECT("\"prompt_tokens\":3,\"completion_tokens\":2",
		    "false", "{\"role\":\"assistant\",\"content\":\"yes\"}", "m-1")));
	}
	/* an empty object wants no comma; unknown is null */
	exchange("embedding", "{\"model\":\"m\",\"input\":\"x\"}", "application/json", " { } ", 4096);
	ok(made(false) == BREAKDOWN_MADE);
	ok(text_is("\"request_breakdown\":{\"prompt_tokens\":null,\"completion_tokens\":null,\"cost\":null,"
	    "\"prompt_messages\":null,\"completion_message\":null,\"model\":\"m\",\"cached\":false,"
	    "\"timestamp\":\"2025-11-20T19:05:01.251000Z\",\"status_code\":200,\"stream\":false,"
	    "\"latency\":0.25,\"scores\":{},\"category\":null,\"metadata\":{},\"routing_time\":0.0005,"
	    "\"full_request\":{\"model\":\"m\",\"input\":\"x\"},\"sentiment_score\":0}"));
}

static void
not_json_test(void)
{
	static const char *const answers[] = {
		"[{}]", "\"{}\"", "{\"a\":1", "{\"a\":1}}", "", "data: {}\n\n", "{} {}",
	};
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		exchange("chat", CHAT_REQUEST, "application/json", answers[i], 4096);
		ok(made(false) == BREAKDOWN_NOT_JSON && out.len == 0);
	}
}

static void
event_test(void)
{
	struct jvalue v, choice = { .kind = JNONE };
	struct jmember m;
	struct jiter it;

	exchange("chat", CHAT_REQUEST, "text/event-stream",
	    "data: {\"model\":\"m-2\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"yes\"}}]}\n\n"
	    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n"
	    "data: [DONE]", 9);
	ok(made(true) == BREAKDOWN_MADE);
	ok(text_is("data: {\"id\":\"request_breakdown\",\"choices\":[{\"delta\":{\"content\":null,\"role\":\"assistant\"},"
	    "\"finish_reason\":\"stop\",\"request_breakdown\":"
	    OBJECT("\"prompt_tokens\":3,\"completion_tokens\":2", "true", "{\"role\":\"assistant\",\"content\":\"yes\"}",
	    "m-2") ",\"index\":0,\"message\":{\"content\":null,\"role\":\"assistant\"}}],\"created\":1763665501,"
	    "\"model\":\"extra_parameter\",\"object\":\"chat.completion.chunk\",\"system_fingerprint\":null,"
	    "\"usage\":{}}\n\n"));
	ok(jscan_check(slice_make(out.ptr + 6, out.len - 8), &v, NULL) == JSCAN_END);
	jiter_init(&it, jget(v, SLICE("choices")));
	if (jiter_next(&it, &m))
		choice = m.value;
	ok(jget(choice, SLICE("request_breakdown")).kind == JOBJECT);
	ok(memchr(out.ptr, '\n', out.len) == out.ptr + out.len - 2);
}

static void
limit_test(void)
{
	struct buf small;

	exchange("chat", CHAT_REQUEST, "application/json", CHAT_ANSWER, 4096);
	buf_init(&small, 200);
	ok(breakdown_make(buf_view(&records), &options, false, &small) == BREAKDOWN_FAILED);
	buf_free(&small);
	/* records that break off, or none at all, are no reason to fall over */
	ok(breakdown_make(slice_make(records.ptr, records.len / 2), &options, false, &out) == BREAKDOWN_NOT_JSON);
	buf_clear(&out);
	ok(breakdown_make(SLICE(""), &options, true, &out) == BREAKDOWN_MADE);
}

int
main(void)
{
	buf_init(&records, MIB);
	buf_init(&fields, MIB);
	buf_init(&out, MIB);
	json_test();
	not_json_test();
	event_test();
	limit_test();
	buf_free(&records);
	buf_free(&fields);
	buf_free(&out);
	return done();
}
