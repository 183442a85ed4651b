/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text of two, three and four byte characters in a stream, a character an
 * event, escaped or not, surrogate pairs in two events: however the stream's
 * bytes are cut, the span has the text that was sent.
 */
#include "core/jscan.h"
#include "exchange.h"
#include "tap.h"

/* A family's stream: what precedes the text, an event for each piece of it (~
 * in its place), what follows, and the member of output that has the text. */
static const struct {
	const char	*family, *before, *piece, *after, *member;
} rows[] = {
	{ "chat", "", "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"~\"}}]}\n\n",
	    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n", "content" },
	{ "chat", "", "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning_content\":\"~\"}}]}\r\n\r\n",
	    "data: [DONE]\r\n\r\n", "reasoning_content" },
	{ "chat", "", "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":[{\"type\":\"text\",\"text\":\"~\"}]}}]}\n\n",
	    "data: [DONE]\n\n", "content" },
	{ "completion", "", "data: {\"choices\":[{\"index\":0,\"text\":\"~\"}]}\n\n", "data: [DONE]\n\n", NULL },
	{ "transcription", "", "data: {\"type\":\"transcript.text.delta\",\"delta\":\"~\"}\n\n", "", NULL },
	{ "messages", "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"content\":[]}}\n\n"
	    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,"
	    "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
	    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,"
	    "\"delta\":{\"type\":\"text_delta\",\"text\":\"~\"}}\n\n",
	    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n", "content" },
	{ "transcription", "", "data: {\"type\":\"transcript.text.segment\",\"id\":\"s\",\"text\":\"~\"}\n\n", "", NULL },
};

static const char sent[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x88\xc2\xa0\xef\xbf\xbd\xf4\x8f\xbf\xbf\"\\\n";
/* The same in pieces, each the inside of a JSON string. */
static const char *const plain[] = {
	"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\x88", "\xc2\xa0", "\xef\xbf\xbd", "\xf4\x8f\xbf\xbf", "\\\"",
	"\\\\", "\\n", NULL,
};
static const char *const escaped[] = {
	"\\u0061\\u00e9", "\\u20AC\\uD83d", "\\uDC08", "\\u00A0\\ufffd\\udbff", "\\udfff\\u0022\\u005c\\u000a", NULL,
};

static void
put_piece(const char *piece, const char *text, struct buf *out)
{
	for (; *piece != '\0'; piece++)
		if (*piece == '~')
			buf_str(out, text);
		else
			buf_byte(out, *piece);
}

/* The bytes as a value of an exchange's description. */
static void
put_value(struct slice bytes, struct buf *out)
{
	size_t i;

	buf_str(out, "part\n\tATTEMPT 1\n\tT 40\n\tBYTES ");
	for (i = 0; i < bytes.len; i++)
		if (bytes.ptr[i] == '\n' || bytes.ptr[i] == '\r' || bytes.ptr[i] == '\\')
			buf_printf(out, "\\x%02x", (unsigned char)bytes.ptr[i]);
		else
			buf_byte(out, bytes.ptr[i]);
	buf_byte(out, '\n');
}

static struct exchange *
exchange_cut(const char *family, struct slice stream, size_t at)
{
	struct exchange *x;
	struct buf text;

	buf_init(&text, MIB);
	buf_printf(&text, "begin\n\tWALL 1000000\n\tT_READ 10\n\tFAMILY %s\n\tBYTES {\"stream\":true}\n"
	    "send\n\tATTEMPT 1\n\tT 20\nhead\n\tATTEMPT 1\n\tT 30\n\tSTATUS 200\n"
	    "\tHEADERS content-type: text/event-stream\n", family);
	put_value(slice_make(stream.ptr, at), &text);
	put_value(slice_from(stream, at), &text);
	buf_str(&text, "end\n\tT 50\n\tT_LAST 50\n\tREASON 0\n");
	buf_byte(&text, '\0');
	assert(!text.failed);
	x = ex_parse(text.ptr);
	buf_free(&text);
	return x;
}

/* Is the text that was sent the span's? */
static bool
arrives(size_t row, struct slice stream, size_t at, enum ex_cut cut)
{
	static const struct build_options options = { .user_as_customer = true };
	struct exchange *x = exchange_cut(rows[row].family, stream, at);
	struct jvalue output = { .kind = JNONE };
	struct ex_fed fed;
	struct buf text;
	bool same;

	ex_feed(&fed, x, &options, cut);
	buf_init(&text, MIB);
	(void)jscan_check(build_finish(fed.build)->output, &output, NULL);
	if (rows[row].member != NULL)
		output = jget(output, slice_str(rows[row].member));
	same = jstring(output, &text) && slice_eq(buf_view(&text), slice_str(sent));
	if (!same)
		printf("# row %zu, cut at %zu: %.*s\n", row, at, (int)text.len, text.len ? text.ptr : "");
	buf_free(&text);
	ex_fed_free(&fed);
	ex_free(x);
	return same;
}

static void
row_check(size_t row, const char *const *pieces)
{
	struct buf stream;
	bool all = true;
	size_t at;

	buf_init(&stream, MIB);
	buf_str(&stream, rows[row].before);
	for (; *pieces != NULL; pieces++)
		put_piece(rows[row].piece, *pieces, &stream);
	buf_str(&stream, rows[row].after);
	for (at = 0; at <= stream.len; at++)
		all &= arrives(row, buf_view(&stream), at, EX_AS_IS);
	ok(all && at > 200);
	ok(arrives(row, buf_view(&stream), 0, EX_BYTES));
	ok(arrives(row, buf_view(&stream), 0, EX_GZIP_BYTES));
	buf_free(&stream);
}

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		row_check(i, plain);
		row_check(i, escaped);
	}
	return done();
}
