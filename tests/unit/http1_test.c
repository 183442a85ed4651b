/* SPDX-License-Identifier: Apache-2.0 */
/* http1: what is read, what is refused, and that cuts do not matter. */
#include "core/http1.h"

#include <stdio.h>

#include "http1_text.h"
#include "tap.h"

#define CUTS 12		/* modes of exact_cut */
#define GET "GET / HTTP/1.1\r\nHost: h\r\n"
#define POST "POST /v1/x HTTP/1.1\r\nHost: h\r\n"
#define OK "HTTP/1.1 200 OK\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"

/* One input and what must come of it; the literal may hold NUL bytes. */
struct try {
	const char	*name;
	struct slice	 in;
	int		 want;
};
#define TRY(want, in) { #in, { in, sizeof(in) - 1 }, want }

static struct http1_head head;

static int
result_of(enum message_kind kind, struct slice in, int mode)
{
	struct slice held;
	size_t used;
	int r = read_head(&head, kind, in, mode, &used, &held);

	exact_free(held);
	return r;
}

/* Each input gives its result however it is cut, and the same text. */
static void
try_all(enum message_kind kind, const struct try *list, size_t n)
{
	struct buf whole, cut;
	size_t i;
	int mode, bad;

	buf_init(&whole, 1 << 20);
	buf_init(&cut, 1 << 20);
	for (i = 0; i < n; i++) {
		bad = 0;
		buf_clear(&whole);
		text_message(&whole, kind, list[i].in, 0);
		for (mode = 0; mode < CUTS; mode++) {
			buf_clear(&cut);
			text_message(&cut, kind, list[i].in, mode);
			if (result_of(kind, list[i].in, mode) != list[i].want ||
			    !slice_eq(buf_view(&whole), buf_view(&cut)))
				bad++;
		}
		if (bad > 0)
			printf("# %d cuts wrong, %d: %s\n", bad, list[i].want,
			    list[i].name);
		tap_ok(bad == 0, __FILE__, __LINE__, list[i].name);
	}
	buf_free(&whole);
	buf_free(&cut);
}

static const struct try requests[] = {
	TRY(HTTP1_DONE, GET "\r\n"),
	TRY(HTTP1_DONE, "\r\n" GET "\r\n"),
	TRY(HTTP1_MORE, ""),
	TRY(HTTP1_MORE, "\r\n"),
	TRY(HTTP1_MORE, GET),
	TRY(HTTP1_MORE, GET "\r"),
	TRY(HTTP1_E_SYNTAX, "\r\n\r\n" GET "\r\n"),
	TRY(HTTP1_DONE, "GET / HTTP/1.0\r\n\r\n"),
	/* the start line */
	TRY(HTTP1_E_VERSION, "GET / HTTP/2.0\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_VERSION, "GET / HTTP/1.2\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_VERSION, "GET / HTTP/0.9\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_VERSION, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, "GET / HTTP/1.1 \r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, "GET / HTTP/1.10\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, "GET / http/1.1\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, "GET  / HTTP/1.1\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, "GET /  HTTP/1.1\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, "GET /\tHTTP/1.1\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, "GET /\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, "GET\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, " GET / HTTP/1.1\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, "G(T / HTTP/1.1\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, "\026\003\001\002\001"),
	TRY(HTTP1_E_TARGET, "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_TARGET, "GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_TARGET, "GET x HTTP/1.1\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_TARGET, "GET * HTTP/1.1\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_DONE, "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_TARGET, "GET ftp://h/ HTTP/1.1\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_TARGET, "GET http:/// HTTP/1.1\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_TARGET, "GET http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_TARGET, "GET http:// HTTP/1.1\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_DONE, "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"),
	TRY(HTTP1_DONE, "CONNECT [::1]:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"),
	TRY(HTTP1_E_TARGET, "CONNECT h HTTP/1.1\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_TARGET, "CONNECT h: HTTP/1.1\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_TARGET, "CONNECT [::1] HTTP/1.1\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_TARGET, "CONNECT /x HTTP/1.1\r\nHost: h\r\n\r\n"),
	TRY(HTTP1_E_TARGET, "GET h:443 HTTP/1.1\r\nHost: h\r\n\r\n"),
	/* Host */
	TRY(HTTP1_E_HOST, "GET / HTTP/1.1\r\n\r\n"),
	TRY(HTTP1_E_HOST, "GET http://h/ HTTP/1.1\r\n\r\n"),
	TRY(HTTP1_E_HOST, GET "Host: h\r\n\r\n"),
	TRY(HTTP1_E_HOST, "GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n"),
	TRY(HTTP1_E_HOST, "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
	TRY(HTTP1_E_HOST, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
	TRY(HTTP1_E_HOST, "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n"),
	TRY(HTTP1_E_HOST, "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"),
	TRY(HTTP1_E_HOST, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
	TRY(HTTP1_E_HOST, "GET / HTTP/1.1\r\nHost: a:70000\r\n\r\n"),
	TRY(HTTP1_E_HOST, "GET / HTTP/1.1\r\nHost: a:8o\r\n\r\n"),
	TRY(HTTP1_E_HOST, "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"),
	TRY(HTTP1_E_HOST, "GET / HTTP/1.1\r\nHost: []\r\n\r\n"),
	TRY(HTTP1_E_HOST, "GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n"),
	TRY(HTTP1_E_HOST, "GET / HTTP/1.1\r\nHost: \xe4\r\n\r\n"),
	TRY(HTTP1_DONE, "GET / HTTP/1.1\r\nHost: [::1]:8787\r\n\r\n"),
	TRY(HTTP1_DONE, "GET / HTTP/1.1\r\nHost: a_b-c.d:1\r\n\r\n"),
	/* fields */
	TRY(HTTP1_DONE, GET "A:\r\nB: \t x \t\r\nC:y\r\n\r\n"),
	TRY(HTTP1_DONE, GET "A: caf\xe9 \xff\r\n\r\n"),
	TRY(HTTP1_DONE, GET "A: b\tc:d\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, GET "A : b\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, GET ": b\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, GET "A\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, GET "A b: c\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, GET "A\xe9: c\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, GET "A: b\r\n c\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, GET "A: b\r\n\tc\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, GET "A: b\r\n \r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, "GET / HTTP/1.1\r\n Host: h\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, GET "A: b\n\r\n"),
	TRY(HTTP1_E_SYNTAX, GET "A: b\rc\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, GET "A: b\r\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, GET "A: b\r\n\n"),
	TRY(HTTP1_E_SYNTAX, GET "A: b\0c\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, GET "A: b\033c\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, GET "A: b\177\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, "GET / HTTP/1.1\nHost: h\n\n"),
	/* lengths and codings */
	TRY(HTTP1_DONE, POST "Content-Length: 5\r\n\r\nhelloGET /"),
	TRY(HTTP1_DONE, POST "Content-Length: 0\r\n\r\n"),
	TRY(HTTP1_DONE, POST "Content-Length: 9223372036854775807\r\n\r\nx"),
	TRY(HTTP1_E_LENGTH, POST "Content-Length: 9223372036854775808\r\n\r\n"),
	TRY(HTTP1_E_LENGTH, POST "Content-Length: 18446744073709551621\r\n\r\n"),
	TRY(HTTP1_E_LENGTH, POST "Content-Length:\r\n\r\n"),
	TRY(HTTP1_E_LENGTH, POST "Content-Length: -1\r\n\r\n"),
	TRY(HTTP1_E_LENGTH, POST "Content-Length: +1\r\n\r\n"),
	TRY(HTTP1_E_LENGTH, POST "Content-Length: 0x5\r\n\r\n"),
	TRY(HTTP1_E_LENGTH, POST "Content-Length: 5 5\r\n\r\n"),
	TRY(HTTP1_E_LENGTH, POST "Content-Length: 5, 5\r\n\r\n"),
	TRY(HTTP1_E_LENGTH, POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n"),
	TRY(HTTP1_E_LENGTH, POST "Content-Length: 5\r\ncontent-length: 6\r\n\r\n"),
	TRY(HTTP1_E_LENGTH, POST "Content-Length: 5\r\n" CHUNKED "\r\n"),
	TRY(HTTP1_E_LENGTH, POST CHUNKED "Content-Length: 5\r\n\r\n"),
	TRY(HTTP1_DONE, POST CHUNKED "\r\n5\r\nhello\r\n0\r\n\r\nGET"),
	TRY(HTTP1_DONE, POST "transfer-encoding:\tCHUNKED \r\n\r\n0\r\n\r\n"),
	TRY(HTTP1_E_LENGTH, "POST / HTTP/1.0\r\n" CHUNKED "\r\n0\r\n\r\n"),
	TRY(HTTP1_E_CODING, POST "Transfer-Encoding: identity\r\n\r\n"),
	TRY(HTTP1_E_CODING, POST "Transfer-Encoding: gzip, chunked\r\n\r\n"),
	TRY(HTTP1_E_CODING, POST "Transfer-Encoding: chunked, gzip\r\n\r\n"),
	TRY(HTTP1_E_CODING, POST "Transfer-Encoding: chunked, chunked\r\n\r\n"),
	TRY(HTTP1_E_CODING, POST "Transfer-Encoding: xchunked\r\n\r\n"),
	TRY(HTTP1_E_CODING, POST "Transfer-Encoding: \"chunked\"\r\n\r\n"),
	TRY(HTTP1_E_CODING, POST "Transfer-Encoding: chunked;q=1\r\n\r\n"),
	TRY(HTTP1_E_CODING, POST "Transfer-Encoding:\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, POST "Transfer-Encoding: \013chunked\r\n\r\n"),
	TRY(HTTP1_E_CODING, POST CHUNKED CHUNKED "\r\n"),
};

static const struct try responses[] = {
	TRY(HTTP1_DONE, OK "\r\nuntil close"),
	TRY(HTTP1_DONE, OK "Content-Length: 3\r\n\r\nabcdef"),
	TRY(HTTP1_DONE, OK CHUNKED "\r\n3\r\nabc\r\n0\r\n\r\nHTTP/1.1"),
	TRY(HTTP1_DONE, OK CHUNKED "\r\n3;a=b\r\nabc\r\n00;c\r\nT: r\r\n\r\n"),
	TRY(HTTP1_DONE, "HTTP/1.1 200 \r\n\r\n"),
	TRY(HTTP1_DONE, "HTTP/1.1 200\r\n\r\n"),
	TRY(HTTP1_DONE, "HTTP/1.0 200 OK\r\n\r\n"),
	TRY(HTTP1_DONE, "HTTP/1.1 404 Pas trouv\xc3\xa9\tici\r\n\r\n"),
	TRY(HTTP1_DONE, "HTTP/1.1 100 Continue\r\n\r\n"),
	TRY(HTTP1_DONE, "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200"),
	TRY(HTTP1_DONE, "HTTP/1.1 204 No\r\nContent-Length: 7\r\n\r\n"),
	TRY(HTTP1_DONE, "HTTP/1.1 304 No\r\nContent-Length: 7\r\n\r\n"),
	TRY(HTTP1_DONE, "HTTP/1.1 599 x\r\n\r\n"),
	TRY(HTTP1_DONE, OK "Content-Length: 3, 3\r\n\r\nabc"),
	TRY(HTTP1_DONE, OK "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"),
	TRY(HTTP1_E_LENGTH, OK "Content-Length: 3\r\nContent-Length: 4\r\n\r\n"),
	TRY(HTTP1_E_LENGTH, OK "Content-Length: 3, 4\r\n\r\n"),
	TRY(HTTP1_E_LENGTH, OK "Content-Length: 3,\r\n\r\n"),
	TRY(HTTP1_E_LENGTH, OK "Content-Length: 3\r\n" CHUNKED "\r\n"),
	TRY(HTTP1_E_LENGTH, "HTTP/1.0 200 OK\r\n" CHUNKED "\r\n"),
	TRY(HTTP1_E_CODING, OK "Transfer-Encoding: gzip, chunked\r\n\r\n"),
	TRY(HTTP1_E_CODING, OK "Transfer-Encoding: identity\r\n\r\n"),
	TRY(HTTP1_E_STATUS, "HTTP/1.1 600 x\r\n\r\n"),
	TRY(HTTP1_E_STATUS, "HTTP/1.1 099 x\r\n\r\n"),
	TRY(HTTP1_E_STATUS, "HTTP/1.1 2000 x\r\n\r\n"),
	TRY(HTTP1_E_STATUS, "HTTP/1.1 20 x\r\n\r\n"),
	TRY(HTTP1_E_STATUS, "HTTP/1.1 2x0 x\r\n\r\n"),
	TRY(HTTP1_E_STATUS, "HTTP/1.1  200 x\r\n\r\n"),
	TRY(HTTP1_E_STATUS, "HTTP/1.1 \r\n\r\n"),
	TRY(HTTP1_E_VERSION, "HTTP/2.0 200 OK\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, "HTTP/1.1\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, "HTTP/1 200 OK\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, "HTTX/1.1 200 OK\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, "\r\nHTTP/1.1 200 OK\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, "SSH-2.0-x"),
	TRY(HTTP1_E_SYNTAX, "HTTP/1.1 200 OK\n\n"),
	TRY(HTTP1_E_SYNTAX, "HTTP/1.1 200 O\0K\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, OK "A: b\r\n c\r\n\r\n"),
	TRY(HTTP1_DONE, OK "A \t: b\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, OK "A b: c\r\n\r\n"),
	TRY(HTTP1_E_SYNTAX, OK " : c\r\n\r\n"),
	TRY(HTTP1_MORE, "HTTP"),
	TRY(HTTP1_MORE, ""),
};

static const struct try chunked[] = {
	TRY(HTTP1_DONE, "0\r\n\r\n"),
	TRY(HTTP1_DONE, "5\r\nhello\r\n0\r\n\r\nrest"),
	TRY(HTTP1_DONE, "a\r\n0123456789\r\nF\r\n0123456789abcde\r\n0\r\n\r\n"),
	TRY(HTTP1_DONE, "0005;x=\"y z\";q\r\nhello\r\n000;z\r\n\r\n"),
	TRY(HTTP1_DONE, "0\r\nA: b\r\nC:\r\n\r\nx"),
	TRY(HTTP1_MORE, "5\r\nhello\r\n0\r\n\r"),
	TRY(HTTP1_MORE, "5\r\nhel"),
	TRY(HTTP1_MORE, "7fffffffffffffff\r\nx"),
	TRY(HTTP1_MORE, ""),
	TRY(HTTP1_E_CHUNK, "8000000000000000\r\nx"),
	TRY(HTTP1_E_CHUNK, "10000000000000000\r\nx"),
	TRY(HTTP1_E_CHUNK, "10000000000000005\r\nhello"),
	TRY(HTTP1_E_CHUNK, "\r\n"),
	TRY(HTTP1_E_CHUNK, ";a\r\n"),
	TRY(HTTP1_E_CHUNK, " 5\r\nhello"),
	TRY(HTTP1_E_CHUNK, "5 \r\nhello"),
	TRY(HTTP1_E_CHUNK, "5 ;a\r\nhello"),
	TRY(HTTP1_E_CHUNK, "0x5\r\nhello"),
	TRY(HTTP1_E_CHUNK, "-5\r\nhello"),
	TRY(HTTP1_E_CHUNK, "5g\r\nhello"),
	TRY(HTTP1_E_CHUNK, "5\nhello"),
	TRY(HTTP1_E_CHUNK, "5\rhello"),
	TRY(HTTP1_E_CHUNK, "5;a\nhello"),
	TRY(HTTP1_E_CHUNK, "5;a\0\r\nhello"),
	TRY(HTTP1_E_CHUNK, "5\r\nhello0\r\n\r\n"),
	TRY(HTTP1_E_CHUNK, "5\r\nhello\n0\r\n\r\n"),
	TRY(HTTP1_E_CHUNK, "5\r\nhello\rx"),
	TRY(HTTP1_E_CHUNK, "5\r\nhello\r\n\r\n"),
	TRY(HTTP1_E_CHUNK, "5\r\nhello\r\n5\r\nhello\r\nx"),
	TRY(HTTP1_E_CHUNK, "0\r\nA b: c\r\n\r\n"),
	TRY(HTTP1_E_CHUNK, "0\r\n: c\r\n\r\n"),
	TRY(HTTP1_E_CHUNK, "0\r\nA: b\r\n c\r\n\r\n"),
	TRY(HTTP1_E_CHUNK, "0\r\nA: b\n\r\n"),
	TRY(HTTP1_E_CHUNK, "0\r\nA: \001\r\n\r\n"),
	TRY(HTTP1_E_CHUNK, "0\r\n\n"),
	TRY(HTTP1_E_CHUNK, "0\r\n\rx"),
};

static void
chunked_bodies(void)
{
	struct http1_body body;
	struct buf whole, cut;
	size_t i, used, all;
	int mode, bad, r;

	buf_init(&whole, 1 << 16);
	buf_init(&cut, 1 << 16);
	for (i = 0; i < sizeof(chunked) / sizeof(chunked[0]); i++) {
		buf_clear(&whole);
		http1_body_init(&body, HTTP1_CHUNKED, 0);
		r = read_body(&body, chunked[i].in, 0, &all, &whole);
		bad = r != chunked[i].want;
		for (mode = 1; mode < CUTS; mode++) {
			buf_clear(&cut);
			http1_body_init(&body, HTTP1_CHUNKED, 0);
			r = read_body(&body, chunked[i].in, mode, &used, &cut);
			bad += r != chunked[i].want || used != all ||
			    !slice_eq(buf_view(&whole), buf_view(&cut));
		}
		tap_ok(bad == 0, __FILE__, __LINE__, chunked[i].name);
	}
	buf_free(&whole);
	buf_free(&cut);
}

static int
parse(enum message_kind kind, struct slice in, size_t *used)
{
	size_t scan = 0;

	*used = 0;
	return kind == REQUEST ?
	    http1_request(&head, in.ptr, in.len, &scan, used) :
	    http1_response(&head, in.ptr, in.len, kind == RESPONSE_TO_HEAD,
	    &scan, used);
}

static void
request_values(void)
{
	struct slice in = SLICE("\r\nPOST /v1/chat?a=1?b HTTP/1.1\r\n"
	    "Host:  h:1 \r\nConnection: X-Drop, Upgrade\r\nUpgrade: websocket\r\n"
	    "X-Drop: 1\r\nExpect: 100-Continue\r\nContent-Length: 12\r\n"
	    "x-empty:\r\n\r\nhello world!");
	size_t used;

	ok(parse(REQUEST, in, &used) == HTTP1_DONE);
	ok(used == in.len - 12);
	ok(slice_eq(head.method, SLICE("POST")));
	ok(slice_eq(head.target, SLICE("/v1/chat?a=1?b")));
	ok(slice_eq(head.path, SLICE("/v1/chat")));
	ok(slice_eq(head.query, SLICE("a=1?b")));
	ok(slice_eq(head.host, SLICE("h:1")));
	ok(head.expect_continue && !head.expect_other);
	ok(head.upgrade && head.nominates && head.keep_alive);
	ok(head.minor == 1 && head.nfields == 7);
	ok(head.framing == HTTP1_SIZED && head.length == 12);
	ok(slice_eq(http1_field(&head, SLICE("X-DROP")), SLICE("1")));
	ok(http1_field(&head, SLICE("x-empty")).ptr != NULL);
	ok(http1_field(&head, SLICE("x-empty")).len == 0);
	ok(http1_field(&head, SLICE("x-other")).ptr == NULL);
	ok(http1_connection_names(&head, SLICE("x-drop")));
	ok(!http1_connection_names(&head, SLICE("x-empty")));
}

static void
request_forms(void)
{
	size_t used;

	parse(REQUEST, SLICE("GET HTTP://a.b:80/c?d HTTP/1.1\r\nHost: x\r\n\r\n"),
	    &used);
	ok(slice_eq(head.host, SLICE("a.b:80")));
	ok(slice_eq(head.path, SLICE("/c")) && slice_eq(head.query, SLICE("d")));
	parse(REQUEST, SLICE("GET https://a HTTP/1.1\r\nHost: x\r\n\r\n"), &used);
	ok(slice_eq(head.path, SLICE("/")) && head.query.ptr == NULL);
	parse(REQUEST, SLICE("GET http://a?q HTTP/1.1\r\nHost: x\r\n\r\n"), &used);
	ok(slice_eq(head.path, SLICE("/")) && slice_eq(head.query, SLICE("q")));
	parse(REQUEST, SLICE("OPTIONS http://a HTTP/1.1\r\nHost: x\r\n\r\n"), &used);
	ok(slice_eq(head.path, SLICE("*")));
	parse(REQUEST, SLICE("GET /? HTTP/1.1\r\nHost: x\r\n\r\n"), &used);
	ok(head.query.ptr != NULL && head.query.len == 0);
	parse(REQUEST, SLICE("CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n"), &used);
	ok(slice_eq(head.path, SLICE("a:1")));
	parse(REQUEST, SLICE("GET / HTTP/1.0\r\n\r\n"), &used);
	ok(head.host.ptr == NULL && !head.keep_alive && head.minor == 0);
	ok(head.framing == HTTP1_NO_BODY && head.query.ptr == NULL);
}

static void
connection_values(void)
{
	size_t used;

	parse(REQUEST, SLICE("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n"),
	    &used);
	ok(head.keep_alive && !head.nominates);
	parse(REQUEST, SLICE(GET "Connection: a, CLOSE,\r\n\r\n"), &used);
	ok(!head.keep_alive && head.nominates);
	parse(REQUEST, SLICE(GET "Connection: keep-alive\r\nConnection: close\r\n"
	    "\r\n"), &used);
	ok(!head.keep_alive && !head.nominates);
	parse(REQUEST, SLICE(GET "Upgrade: h2c\r\n\r\n"), &used);
	ok(!head.upgrade);
	parse(REQUEST, SLICE(GET "Expect: x\r\n\r\n"), &used);
	ok(head.expect_other && !head.expect_continue);
	parse(REQUEST, SLICE("GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"),
	    &used);
	ok(!head.expect_other && !head.expect_continue);
}

static void
response_values(void)
{
	size_t used;

	parse(RESPONSE, SLICE("HTTP/1.1 429 Too Many\r\nContent-Length: 7\r\n\r\n"),
	    &used);
	ok(head.status == 429 && slice_eq(head.reason, SLICE("Too Many")));
	ok(head.framing == HTTP1_SIZED && head.length == 7 && head.keep_alive);
	parse(RESPONSE, SLICE(OK "Content-Length : 7\r\n\r\n"), &used);
	ok(head.framing == HTTP1_SIZED && head.length == 7);
	parse(RESPONSE_TO_HEAD, SLICE(OK "Content-Length: 7\r\n\r\n"), &used);
	ok(head.framing == HTTP1_NO_BODY && head.length == 0);
	parse(RESPONSE, SLICE("HTTP/1.1 304 N\r\nContent-Length: 7\r\n\r\n"),
	    &used);
	ok(head.framing == HTTP1_NO_BODY && head.length == 0);
	parse(RESPONSE, SLICE(OK "\r\n"), &used);
	ok(head.framing == HTTP1_UNTIL_CLOSE && !head.keep_alive);
	parse(RESPONSE, SLICE("HTTP/1.1 200\r\n" CHUNKED "\r\n"), &used);
	ok(head.framing == HTTP1_CHUNKED && head.keep_alive);
	ok(head.reason.len == 0 && head.reason.ptr != NULL);
	parse(RESPONSE, SLICE("HTTP/1.1 101 Up\r\nUpgrade: x\r\n\r\n"), &used);
	ok(head.status == 101 && head.framing == HTTP1_NO_BODY);
}

/* A head of just the limit passes, one byte more does not. */
static void
head_limit(void)
{
	static char p[LIMIT_HEAD + 8];
	size_t n, pad, used, scan;
	int i;

	for (i = 0; i < 2; i++) {
		n = (size_t)snprintf(p, sizeof(p), GET "A: ");
		pad = LIMIT_HEAD - 4 - n + (size_t)i;
		memset(p + n, 'x', pad);
		memcpy(p + n + pad, "\r\n\r\n", 4);
		ok(parse(REQUEST, slice_make(p, n + pad + 4), &used) ==
		    (i == 0 ? HTTP1_DONE : HTTP1_E_HEAD_SIZE));
	}
	scan = 0;
	ok(http1_request(&head, p, LIMIT_HEAD - 1, &scan, &used) == HTTP1_MORE);
	ok(http1_request(&head, p, LIMIT_HEAD, &scan, &used) == HTTP1_E_HEAD_SIZE);
}

static void
fields_limit(void)
{
	struct buf b;
	size_t used;
	int i;

	buf_init(&b, LIMIT_HEAD);
	buf_str(&b, GET);
	for (i = 1; i < LIMIT_FIELDS; i++)
		buf_printf(&b, "A%d: b\r\n", i);
	buf_str(&b, "\r\n");
	ok(parse(REQUEST, buf_view(&b), &used) == HTTP1_DONE);
	ok(head.nfields == LIMIT_FIELDS);
	b.len -= 2;
	buf_str(&b, "B: c\r\n\r\n");
	ok(parse(REQUEST, buf_view(&b), &used) == HTTP1_E_HEAD_SIZE);
	buf_free(&b);
}

/* A head that comes byte by byte is scanned once. */
static void
scan_is_kept(void)
{
	struct slice in = SLICE(GET "Accept: */*\r\n\r\n");
	size_t scan = 0, used, i;
	int r = HTTP1_MORE, steps = 0;

	for (i = 1; i <= in.len && r == HTTP1_MORE; i++) {
		r = http1_request(&head, in.ptr, i, &scan, &used);
		steps += r == HTTP1_MORE && scan + 1 >= i;
	}
	ok(r == HTTP1_DONE && used == in.len);
	ok(steps == (int)in.len - 1);
}

static int
limit_body(const char *start, size_t pad, const char *end)
{
	struct http1_body body;
	struct buf b, payload;
	size_t used;
	int r;

	buf_init(&b, 1 << 16);
	buf_init(&payload, 1 << 16);
	buf_str(&b, start);
	while (pad-- > 0)
		buf_byte(&b, 'x');
	buf_str(&b, end);
	http1_body_init(&body, HTTP1_CHUNKED, 0);
	r = read_body(&body, buf_view(&b), 5, &used, &payload);
	buf_free(&b);
	buf_free(&payload);
	return r;
}

static void
chunk_limits(void)
{
	ok(limit_body("1;", LIMIT_CHUNK_LINE - 4, "\r\nx\r\n0\r\n\r\n") ==
	    HTTP1_DONE);
	ok(limit_body("1;", LIMIT_CHUNK_LINE - 3, "\r\nx\r\n0\r\n\r\n") ==
	    HTTP1_E_CHUNK);
	/* each line is counted by itself */
	ok(limit_body("1;", LIMIT_CHUNK_LINE - 4, "\r\nx\r\n1;yy\r\nx\r\n0;z\r\n"
	    "\r\n") == HTTP1_DONE);
	ok(limit_body("0\r\nA:", LIMIT_TRAILERS - 6, "\r\n\r\n") == HTTP1_DONE);
	ok(limit_body("0\r\nA:", LIMIT_TRAILERS - 5, "\r\n\r\n") == HTTP1_E_CHUNK);
}

static void
other_bodies(void)
{
	struct http1_body body;
	struct slice data;
	size_t used;

	http1_body_init(&body, HTTP1_NO_BODY, 0);
	ok(http1_body_next(&body, "x", 1, &used, &data) == HTTP1_DONE);
	ok(used == 0 && data.len == 0 && !http1_body_may_close(&body));
	http1_body_init(&body, HTTP1_SIZED, 0);
	ok(http1_body_next(&body, NULL, 0, &used, &data) == HTTP1_DONE);
	http1_body_init(&body, HTTP1_SIZED, 3);
	ok(http1_body_next(&body, "ab", 2, &used, &data) == HTTP1_MORE);
	ok(used == 2 && data.len == 2);
	ok(http1_body_next(&body, "cd", 2, &used, &data) == HTTP1_DONE);
	ok(used == 1 && data.len == 1 && data.ptr[0] == 'c');
	http1_body_init(&body, HTTP1_UNTIL_CLOSE, 0);
	ok(http1_body_next(&body, "ab", 2, &used, &data) == HTTP1_MORE);
	ok(used == 2 && data.len == 2 && http1_body_may_close(&body));
	http1_body_init(&body, HTTP1_CHUNKED, 0);
	ok(http1_body_next(&body, "2\r\nab\r\n0\r\n\r\n!", 13, &used, &data) ==
	    HTTP1_DONE);
	ok(used == 12 && slice_eq(data, SLICE("ab")));
	ok(http1_body_next(&body, "x", 1, &used, &data) == HTTP1_DONE);
	ok(used == 0);
}

static void
error_words(void)
{
	ok(http1_error_status(HTTP1_E_SYNTAX) == 400);
	ok(http1_error_status(HTTP1_E_HEAD_SIZE) == 431);
	ok(http1_error_status(HTTP1_E_VERSION) == 505);
	ok(http1_error_status(HTTP1_E_CODING) == 501);
	ok(http1_error_status(HTTP1_E_CHUNK) == 400);
	ok(http1_error_status(-1000) == 400 && http1_error_status(1) == 400);
	ok(strlen(http1_error_text(HTTP1_E_HOST)) > 0);
	ok(strlen(http1_error_text(-1000)) > 0);
}

int
main(void)
{
	try_all(REQUEST, requests, sizeof(requests) / sizeof(requests[0]));
	try_all(RESPONSE, responses, sizeof(responses) / sizeof(responses[0]));
	chunked_bodies();
	request_values();
	request_forms();
	connection_values();
	response_values();
	head_limit();
	fields_limit();
	scan_is_kept();
	chunk_limits();
	other_bodies();
	error_words();
	return done();
}
