/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spans of OTLP as the create API takes them: each tests/data/otlp/NAME.json
 * gives the lines of NAME.given, and so does NAME.pb, the same as protobuf. With
 * --write the lines are written anew, to be read before they are believed. And
 * what is malformed.
 */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"
#include "span/given.h"
#include "span/otlp.h"
#include "span/otlp.pb-c.h"
#include "span/proto_write.h"
#include "tap.h"

static void
file_read(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "rb");
	char piece[8192];
	size_t n;

	buf_init(out, 16 * MIB);
	while (f && (n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_append(out, piece, n);
	if (f)
		fclose(f);
}

/* A line for each span: what is given, or why it cannot be taken. False: the request is malformed. */
static bool
lines_of(struct slice body, bool protobuf, struct buf *out)
{
	const struct otlp_span *span;
	struct otlp_request r;
	struct given_error e;
	struct jvalue given;
	struct buf one;
	char err[300];
	bool good = otlp_request_init(&r, body, protobuf, err, sizeof(err));

	buf_init(out, 64 * MIB);
	buf_init(&one, 64 * MIB);
	if (!good)
		buf_printf(out, "%s\n", err);
	while (good && (span = otlp_request_next(&r)) != NULL) {
		buf_clear(&one);
		if (!otlp_given(span, &one, &e))
			buf_printf(out, "%s: %s\n", e.member, e.text);
		else if (jscan_check(buf_view(&one), &given, NULL) != JSCAN_END)
			buf_printf(out, "not JSON: %.*s\n", (int)one.len, one.ptr);
		else if (!given_check(given, true, &e))
			buf_printf(out, "not taken: %s %s: %.*s\n", e.member, e.text, (int)one.len, one.ptr);
		else
			buf_printf(out, "%.*s\n", (int)one.len, one.ptr);
	}
	buf_free(&one);
	otlp_request_free(&r);
	return good;
}

static void
lines_diff(struct slice want, struct slice got)
{
	while (want.len > 0 || got.len > 0) {
		const char *w = want.len ? memchr(want.ptr, '\n', want.len) : NULL;
		const char *g = got.len ? memchr(got.ptr, '\n', got.len) : NULL;
		struct slice a = slice_make(want.ptr, w ? (size_t)(w - want.ptr) : want.len);
		struct slice b = slice_make(got.ptr, g ? (size_t)(g - got.ptr) : got.len);

		if (!slice_eq(a, b))
			printf("# want %.*s\n# got  %.*s\n", (int)a.len, a.ptr, (int)b.len, b.ptr);
		want = slice_from(want, a.len + (w != NULL));
		got = slice_from(got, b.len + (g != NULL));
	}
}

/* Protobuf → JSON → protobuf → JSON is that JSON. */
static bool
written_back(struct slice message)
{
	const ProtobufCMessageDescriptor *type = &otlp__traces_request__descriptor;
	struct buf json, proto, again;
	struct jvalue v;
	bool same;

	buf_init(&json, 64 * MIB);
	buf_init(&proto, 64 * MIB);
	buf_init(&again, 64 * MIB);
	proto_json(type, message, &json);
	same = jscan_check(buf_view(&json), &v, NULL) == JSCAN_END && proto_write(type, v, &proto);
	if (same) {
		proto_json(type, buf_view(&proto), &again);
		same = slice_eq(buf_view(&json), buf_view(&again));
	}
	buf_free(&json);
	buf_free(&proto);
	buf_free(&again);
	return same;
}

/* These bytes; NULL: it is refused. */
static void
writes(const char *json, const void *bytes, size_t len)
{
	struct jvalue v;
	struct buf out;
	bool good;

	buf_init(&out, MIB);
	good = jscan_check(slice_str(json), &v, NULL) == JSCAN_END && proto_write(&otlp__span__descriptor, v, &out);
	if (!tap_ok(bytes ? good && slice_eq(buf_view(&out), slice_make(bytes, len)) : !good, __FILE__, __LINE__, json))
		for (size_t i = 0; i < out.len; i++)
			printf("%s%02x%s", i ? " " : "# ", (unsigned char)out.ptr[i], i + 1 == out.len ? "\n" : "");
	buf_free(&out);
}
#define WRITES(json, bytes) writes(json, bytes, sizeof(bytes) - 1)

static void
writing(void)
{
	char deep[4096];
	int n;

	WRITES("{}", "");
	WRITES("{\"traceId\":\"0aFF\",\"nobodyKnows\":{\"a\":[1]}}", "\x0a\x02\x0a\xff");
	WRITES("{\"name\":\"\\u00fc\",\"kind\":3,\"parentSpanId\":null}", "\x2a\x02\xc3\xbc\x30\x03");
	WRITES("{\"endTimeUnixNano\":\"258\",\"startTimeUnixNano\":1}",
	    "\x41\x02\x01\x00\x00\x00\x00\x00\x00\x39\x01\x00\x00\x00\x00\x00\x00\x00");
	WRITES("{\"startTimeUnixNano\":\"18446744073709551615\"}", "\x39\xff\xff\xff\xff\xff\xff\xff\xff");
	WRITES("{\"flags\":257,\"status\":{}}", "\x85\x01\x01\x01\x00\x00\x7a\x00");
	WRITES("{\"attributes\":[{\"value\":{\"intValue\":\"-1\"}},{\"value\":{\"doubleValue\":\"-Infinity\"}}]}",
	    "\x4a\x0d\x12\x0b\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
	    "\x4a\x0b\x12\x09\x21\x00\x00\x00\x00\x00\x00\xf0\xff");
	WRITES("{\"attributes\":[{\"value\":{\"bytesValue\":\"AP8=\"}},{\"value\":{\"boolValue\":false}}]}",
	    "\x4a\x06\x12\x04\x3a\x02\x00\xff\x4a\x04\x12\x02\x10\x00");
	writes("{\"traceId\":\"0g\"}", NULL, 0);
	writes("{\"traceId\":\"000\"}", NULL, 0);
	writes("{\"traceId\":5}", NULL, 0);
	writes("{\"name\":5}", NULL, 0);
	writes("{\"kind\":1.5}", NULL, 0);
	writes("{\"startTimeUnixNano\":\"18446744073709551616\"}", NULL, 0);
	writes("{\"startTimeUnixNano\":\"\"}", NULL, 0);
	writes("{\"attributes\":{}}", NULL, 0);
	writes("{\"attributes\":[5]}", NULL, 0);
	writes("{\"attributes\":[{\"value\":{\"boolValue\":1}}]}", NULL, 0);
	writes("{\"attributes\":[{\"value\":{\"doubleValue\":\"1\"}}]}", NULL, 0);
	writes("{\"attributes\":[{\"value\":{\"bytesValue\":\"*\"}}]}", NULL, 0);
	n = snprintf(deep, sizeof(deep), "{\"attributes\":[{\"value\":");
	for (int i = 0; i < 60; i++)
		n += snprintf(deep + n, sizeof(deep) - (size_t)n, "{\"arrayValue\":{\"values\":[");
	for (int i = 0; i < 60; i++)
		n += snprintf(deep + n, sizeof(deep) - (size_t)n, "]}}");
	snprintf(deep + n, sizeof(deep) - (size_t)n, "}]}");
	writes(deep, NULL, 0);
	writes("[]", NULL, 0);
}

static void
golden(const char *dir, const char *name, bool write)
{
	struct buf json, pb, want, got, same;
	char path[4096];
	FILE *f;

	printf("# %s\n", name);
	snprintf(path, sizeof(path), "%s/%s.json", dir, name);
	file_read(path, &json);
	snprintf(path, sizeof(path), "%s/%s.pb", dir, name);
	file_read(path, &pb);
	snprintf(path, sizeof(path), "%s/%s.given", dir, name);
	ok(json.len > 0 && pb.len > 0);
	ok(lines_of(buf_view(&json), false, &got));
	if (write && (f = fopen(path, "wb")) != NULL) {
		fwrite(got.ptr, 1, got.len, f);
		fclose(f);
	}
	file_read(path, &want);
	if (!ok(slice_eq(buf_view(&want), buf_view(&got))))
		lines_diff(buf_view(&want), buf_view(&got));
	ok(lines_of(buf_view(&pb), true, &same));
	if (!ok(slice_eq(buf_view(&want), buf_view(&same))))
		lines_diff(buf_view(&want), buf_view(&same));
	ok(written_back(buf_view(&pb)));
	/* cut anywhere it is malformed, or ends between two fields of the whole */
	for (size_t n = 1; n < pb.len; n += n < 200 ? 1 : 37) {
		struct buf cut;
		char *copy = malloc(n);

		memcpy(copy, pb.ptr, n);
		if (lines_of(slice_make(copy, n), true, &cut))
			ok(false);
		buf_free(&cut);
		free(copy);
	}
	buf_free(&json);
	buf_free(&pb);
	buf_free(&want);
	buf_free(&got);
	buf_free(&same);
}

static void
goldens(bool write)
{
	const char *top = getenv("TOP_SRCDIR");
	struct dirent *entry;
	char dir[2048], name[256];
	int n = 0;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/tests/data/otlp", top ? top : ".");
	d = opendir(dir);
	while (d != NULL && (entry = readdir(d)) != NULL) {
		size_t len = strlen(entry->d_name);

		if (len < 6 || strcmp(entry->d_name + len - 5, ".json") != 0)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(len - 5), entry->d_name);
		golden(dir, name, write);
		n++;
	}
	if (d != NULL)
		closedir(d);
	ok(n > 5);
}

/* Does the body give this line (NULL: none)? */
static void
gives(const char *what, struct slice body, bool protobuf, const char *line)
{
	struct buf got;

	(void)lines_of(body, protobuf, &got);
	if (!tap_ok(line ? got.len == strlen(line) + 1 && memcmp(got.ptr, line, strlen(line)) == 0 : got.len == 0,
	    __FILE__, __LINE__, what))
		printf("# got %.*s\n", (int)got.len, got.ptr ? got.ptr : "");
	buf_free(&got);
}

#define SPANS(spans) "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[" spans "]}]}]}"
#define TRACE "\"traceId\":\"5b8efff798038103d269b633813fc60c\""
#define IDS TRACE ",\"spanId\":\"00000000000000aa\""
#define JSON(text) SLICE(text), false
#define SHAPE "resourceSpans must be a list of objects whose scopeSpans are a list of objects whose spans are a list"

static void
malformed(void)
{
	gives("no JSON", JSON("{\"resourceSpans\":["), "the body is not valid JSON at byte 18");
	gives("a list", JSON("[]"), "the body must be an object with resourceSpans");
	gives("no list", JSON("{\"resourceSpans\":{}}"), SHAPE);
	gives("a list of numbers", JSON("{\"resourceSpans\":[1]}"), SHAPE);
	gives("scopes", JSON("{\"resourceSpans\":[{\"scopeSpans\":\"x\"}]}"), SHAPE);
	gives("spans", JSON("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":7}]}]}"), SHAPE);
	gives("a span that is none", JSON(SPANS("5")), ": a span must be an object, of a size that can be taken");
	gives("no trace id", JSON(SPANS("{}")), "traceId: must be 32 hex digits, not all of them 0");
	gives("a short one", JSON(SPANS("{\"traceId\":\"5b8e\",\"spanId\":\"00000000000000aa\"}")),
	    "traceId: must be 32 hex digits, not all of them 0");
	gives("one of zeros", JSON(SPANS("{\"traceId\":\"00000000000000000000000000000000\"}")),
	    "traceId: must be 32 hex digits, not all of them 0");
	gives("base64", JSON(SPANS("{\"traceId\":\"W47/95gDgQPSabYzgT/GDA==\"}")),
	    "traceId: must be 32 hex digits, not all of them 0");
	gives("a number", JSON(SPANS("{" TRACE ",\"spanId\":12}")), "spanId: must be 16 hex digits, not all of them 0");
	gives("a parent", JSON(SPANS("{" IDS ",\"parentSpanId\":\"xyz\"}")), "parentSpanId: must be 16 hex digits, or empty");
	gives("a time", JSON(SPANS("{" IDS ",\"startTimeUnixNano\":\"soon\"}")),
	    "startTimeUnixNano: must be nanoseconds since 1970");
	gives("a time past all", JSON(SPANS("{" IDS ",\"endTimeUnixNano\":\"99999999999999999999\"}")),
	    "endTimeUnixNano: must be nanoseconds since 1970");
	gives("lists that are none", JSON(SPANS("{" IDS ",\"attributes\":{},\"events\":\"x\",\"links\":5,\"status\":[]}")),
	    "{\"trace_unique_id\":\"5b8efff798038103d269b633813fc60c\",\"span_unique_id\":\"00000000000000aa\","
	    "\"log_type\":\"span\",\"status\":\"success\",\"status_code\":200}");
	gives("elements that are none", JSON(SPANS("{" IDS ",\"attributes\":[1,{},{\"key\":5},{\"key\":\"a\",\"value\":7},"
	    "{\"key\":\"b\",\"value\":{\"arrayValue\":{\"values\":5}}}],\"events\":[1,{}],\"links\":[[]]}")),
	    "{\"trace_unique_id\":\"5b8efff798038103d269b633813fc60c\",\"span_unique_id\":\"00000000000000aa\","
	    "\"span_events\":[{\"name\":\"\",\"attributes\":{}}],\"log_type\":\"span\",\"status\":\"success\","
	    "\"status_code\":200,\"metadata\":{\"b\":[]}}");
	gives("protobuf: nothing", SLICE_NONE, true, NULL);
	gives("no resource", JSON("{}"), NULL);
	gives("protobuf: cut off", SLICE("\x0a\x05\x12"), true,
	    "the body is no ExportTraceServiceRequest: malformed at byte 0");
	gives("protobuf: a wire type", SLICE("\x08\x01"), true,
	    "the body is no ExportTraceServiceRequest: malformed at byte 0");
	gives("protobuf: a group", SLICE("\x9b\x06\x9c\x06"), true,
	    "the body is no ExportTraceServiceRequest: malformed at byte 0");
	gives("protobuf: an id's length", SLICE("\x0a\x09\x12\x07\x12\x05\x0a\x03" "abc"), true,
	    "traceId: must be 32 hex digits, not all of them 0");
}

/* An attribute's value in itself so many times, as protobuf. */
static void
deep(unsigned levels, bool good)
{
	struct buf body, next, got;

	buf_init(&body, MIB);
	buf_init(&next, MIB);
	for (unsigned i = 0; i < levels; i++) {	/* ArrayValue in AnyValue; then what holds the value */
		static const char keys[] = { 0x0a, 0x2a, 0x12, 0x4a, 0x12, 0x12, 0x0a };
		char key = i + 5 < levels ? keys[i % 2] : keys[i + 7 - levels];

		buf_clear(&next);
		buf_byte(&next, key);
		for (size_t len = body.len;; len >>= 7) {
			buf_byte(&next, (char)(len > 127 ? (len & 127) | 128 : len));
			if (len <= 127)
				break;
		}
		buf_slice(&next, buf_view(&body));
		buf_clear(&body);
		buf_slice(&body, buf_view(&next));
	}
	ok(lines_of(buf_view(&body), true, &got) == good);
	ok(good || (got.len > 34 && memcmp(got.ptr, "the body is nested too deeply at b", 34) == 0));
	buf_free(&body);
	buf_free(&next);
	buf_free(&got);
}

/* Ten thousand attributes: all of them are kept. */
static void
many(void)
{
	struct buf body, got;
	size_t found = 0;

	buf_init(&body, 4 * MIB);
	buf_str(&body, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{" IDS ",\"attributes\":[");
	for (int i = 0; i < 10000; i++)
		buf_printf(&body, "%s{\"key\":\"k.%d\",\"value\":{\"intValue\":\"%d\"}}", i ? "," : "", 9999 - i, i);
	buf_str(&body, "]}]}]}]}");
	ok(lines_of(buf_view(&body), false, &got));
	for (const char *p = got.ptr; p < got.ptr + got.len && (p = strstr(p, "\"k.")) != NULL; p++)
		found++;
	ok(found == 10000);
	buf_free(&body);
	buf_free(&got);
}

int
main(int argc, char **argv)
{
	goldens(argc > 1 && strcmp(argv[1], "--write") == 0);
	writing();
	malformed();
	deep(91, true);
	deep(121, false);
	many();
	return done();
}
