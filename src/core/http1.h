/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http1: a strict HTTP/1.1 reader for both sides (RFC 9110, RFC 9112). Pure:
 * bytes in, values out. It never repairs what is ambiguous: that is an error,
 * and an error on a connection ends it.
 *
 * A head is parsed from contiguous bytes; while it is incomplete the caller
 * keeps the bytes and calls again with more. Slices point into those bytes.
 */
#ifndef CORE_HTTP1_H
#define CORE_HTTP1_H

#include <stdbool.h>
#include <stdint.h>

#include "core/limits.h"
#include "core/slice.h"

/* Results. Errors are negative; http1_error_* tell what to answer. */
enum http1_result {
	HTTP1_MORE = 0,			/* not enough bytes yet */
	HTTP1_DONE = 1,
	HTTP1_E_SYNTAX = -1,		/* start line, field name or value, bare CR or LF, obs-fold, space before colon: 400 */
	HTTP1_E_HEAD_SIZE = -2,		/* over LIMIT_HEAD or LIMIT_FIELDS: 431 */
	HTTP1_E_VERSION = -3,		/* not HTTP/1.0 or 1.1: 505 */
	HTTP1_E_LENGTH = -4,		/* both lengths, differing or malformed Content-Length: 400 */
	HTTP1_E_CODING = -5,		/* a transfer coding other than chunked, or chunked not last or twice: 501 */
	HTTP1_E_HOST = -6,		/* Host missing (1.1), twice, or malformed: 400 */
	HTTP1_E_TARGET = -7,		/* request target of no known form: 400 */
	HTTP1_E_CHUNK = -8,		/* chunk size or chunk framing: 400 */
	HTTP1_E_STATUS = -9,		/* status not 100..599 (responses) */
};

struct http1_field {
	struct slice	name;		/* as sent; compare with slice_caseeq */
	struct slice	value;		/* trimmed */
	unsigned	flags;		/* head_flags(name) */
};

enum http1_framing {
	HTTP1_NO_BODY,
	HTTP1_SIZED,			/* `length` bytes */
	HTTP1_CHUNKED,
	HTTP1_UNTIL_CLOSE,		/* responses only */
};

/* A parsed head. Large (fields[]): one a thread serves, as nothing in it
 * outlives the bytes anyway. */
struct http1_head {
	/* requests */
	struct slice	method;
	struct slice	target;		/* as sent */
	struct slice	path;		/* of the target, origin or absolute form; "*" for OPTIONS *; authority for CONNECT */
	struct slice	query;		/* after '?', SLICE_NONE when there is no '?' */
	struct slice	host;		/* of absolute-form if so, else of Host; SLICE_NONE in 1.0 without one */
	bool		expect_continue; /* "100-continue", case does not count */
	bool		expect_other;	/* any other expectation: 417 */
	bool		upgrade;	/* Upgrade is there and Connection names it */
	/* responses */
	unsigned	status;
	struct slice	reason;
	/* both */
	unsigned	minor;		/* HTTP/1.minor: 0 or 1 */
	bool		keep_alive;	/* by version and Connection */
	bool		nominates;	/* Connection names more than close and keep-alive */
	enum http1_framing framing;
	uint64_t	length;		/* of HTTP1_SIZED */
	size_t		nfields;
	struct http1_field fields[LIMIT_FIELDS];
};

/*
 * Parses a request head from the len bytes at p. *used: the head's bytes with
 * its blank line, when HTTP1_DONE. One leading CRLF is skipped (RFC 9112 2.2)
 * and counted in *used.
 * scan: 0 at first; the function keeps there how far it has looked, so that a
 * head that comes byte by byte costs linear time.
 * Returns HTTP1_DONE, HTTP1_MORE, or an error above except CHUNK and STATUS.
 * An error in the bytes so far may be told before the head is complete.
 */
int	http1_request(struct http1_head *, const char *p, size_t len,
	    size_t *scan, size_t *used);

/*
 * The same for a response head. `head_request`: the answer to HEAD, which has
 * no body. Both lengths or differing lengths are HTTP1_E_LENGTH here too.
 * 1xx gives HTTP1_DONE with that status and HTTP1_NO_BODY. Laxer than for a
 * request in three things: the reason may be missing, with the blank before
 * it; blanks before a colon are taken off (RFC 9112 5.1); the same length may
 * be told twice (RFC 9110 8.6).
 */
int	http1_response(struct http1_head *, const char *p, size_t len,
	    bool head_request, size_t *scan, size_t *used);

/* The first field of that name (case does not count), SLICE_NONE if none. */
struct slice http1_field(const struct http1_head *, struct slice name);
/* Does Connection (any of its fields) name this one? */
bool	http1_connection_names(const struct http1_head *, struct slice name);

/* Status to answer for a request error (400, 431, 501, 505) and a sentence. */
unsigned	 http1_error_status(int error);
const char	*http1_error_text(int error);

/* A body being read. */
struct http1_body {
	enum http1_framing framing;
	uint64_t	 left;		/* of the body, or of the chunk */
	int		 state;
	uint32_t	 line;		/* bytes of the line or trailers being read */
};

void	http1_body_init(struct http1_body *, enum http1_framing, uint64_t length);

/*
 * Takes from the len bytes at p. *used: how many were consumed (always some
 * when len > 0 and HTTP1_MORE); *data: payload among them, borrowed, may be
 * empty. Call until *used bytes add up to what there is or it is done.
 * Returns HTTP1_MORE, HTTP1_DONE (the last payload may come with it; bytes
 * after it are not consumed), HTTP1_E_CHUNK. Trailers are checked and dropped.
 * HTTP1_UNTIL_CLOSE never is done. HTTP1_NO_BODY is done at once.
 */
int	http1_body_next(struct http1_body *, const char *p, size_t len,
	    size_t *used, struct slice *data);

/* May a body in this state end by the connection's close? (UNTIL_CLOSE) */
bool	http1_body_may_close(const struct http1_body *);

#endif
