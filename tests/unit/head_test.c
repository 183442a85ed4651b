/* SPDX-License-Identifier: Apache-2.0 */
/* head: flags by name, what is passed on, what is kept, what is masked. */
#include "core/head.h"

#include <stdio.h>

#include "exact.h"
#include "tap.h"

static struct http1_head head;

struct flags_try {
	const char	*name;
	unsigned	 want;
};

static const struct flags_try tries[] = {
	{ "Connection", HEAD_HOP }, { "keep-alive", HEAD_HOP },
	{ "Proxy-Connection", HEAD_HOP }, { "TE", HEAD_HOP },
	{ "Trailer", HEAD_HOP }, { "Transfer-Encoding", HEAD_HOP },
	{ "Upgrade", HEAD_HOP }, { "Host", HEAD_HOP }, { "Expect", HEAD_HOP },
	{ "Proxy-Authenticate", HEAD_HOP },
	{ "Proxy-Authorization", HEAD_HOP | HEAD_SECRET },
	{ "Content-Length", HEAD_HOP | HEAD_KEEP },
	{ "Alt-Svc", HEAD_ORIGIN }, { "Strict-Transport-Security", HEAD_ORIGIN },
	/* credentials */
	{ "AUTHORIZATION", HEAD_SECRET | HEAD_CREDENTIAL },
	{ "X-Api-Key", HEAD_SECRET | HEAD_CREDENTIAL },
	{ "api-key", HEAD_SECRET | HEAD_CREDENTIAL },
	{ "X-Goog-Api-Key", HEAD_SECRET | HEAD_CREDENTIAL },
	{ "Cookie", HEAD_SECRET }, { "Set-Cookie", HEAD_SECRET },
	{ "X-Amz-Security-Token", HEAD_SECRET },
	{ "x-assemblyai-api-key", HEAD_SECRET },
	{ "x-portkey-api-key", HEAD_SECRET },
	{ "Anthropic-Api-Key", HEAD_SECRET }, { "X-Auth-Token", HEAD_SECRET },
	{ "X-Access-Token", HEAD_SECRET },
	{ "Ocp-Apim-Subscription-Key", HEAD_SECRET },
	{ "X-Spangate-Key", HEAD_SECRET | HEAD_OURS },
	{ "helicone-auth", HEAD_SECRET },
	/* not known, but they look like it */
	{ "X-Litellm-Api-Key", HEAD_SECRET }, { "Private-Token", HEAD_SECRET },
	{ "X-Client-Secret", HEAD_SECRET }, { "my-password", HEAD_SECRET },
	{ "apikey", HEAD_SECRET }, { "OpenAI-Api-Key", HEAD_SECRET },
	{ "x-stainless-token", HEAD_SECRET }, { "x-user-jwt", HEAD_SECRET },
	{ "x-respan-key", HEAD_SECRET | HEAD_OURS | HEAD_PARAMS },
	/* kept */
	{ "Accept", HEAD_KEEP }, { "content-type", HEAD_KEEP },
	{ "User-Agent", HEAD_KEEP }, { "Idempotency-Key", HEAD_KEEP },
	{ "OpenAI-Organization", HEAD_KEEP }, { "openai-new-thing", HEAD_KEEP },
	{ "Anthropic-Version", HEAD_KEEP }, { "anthropic-beta", HEAD_KEEP },
	{ "anthropic-ratelimit-tokens-reset", HEAD_KEEP },
	{ "X-RateLimit-Remaining-Tokens", HEAD_KEEP },
	{ "x-ratelimit-reset-images", HEAD_KEEP },
	{ "X-Stainless-Lang", HEAD_KEEP }, { "X-Stainless-New", HEAD_KEEP },
	{ "Request-Id", HEAD_KEEP }, { "x-request-id", HEAD_KEEP },
	{ "Retry-After", HEAD_KEEP }, { "retry-after-ms", HEAD_KEEP },
	{ "x-should-retry", HEAD_KEEP }, { "traceparent", HEAD_KEEP },
	{ "apim-request-id", HEAD_KEEP }, { "CF-Ray", HEAD_KEEP },
	/* ours */
	{ "X-Data-Respan-Params", HEAD_OURS | HEAD_PARAMS },
	{ "x-data-keywordsai-params", HEAD_OURS | HEAD_PARAMS },
	{ "X-Respan-Customer-Identifier", HEAD_OURS | HEAD_PARAMS },
	{ "X-Keywordsai-Foo", HEAD_OURS }, { "X-Spangate-Span-Id", HEAD_OURS },
	/* not known */
	{ "", 0 }, { "x", 0 }, { "X-Other", 0 }, { "accepts", 0 },
	{ "hos", 0 }, { "hostt", 0 }, { "x-stainless-", 0 }, { "openai", 0 },
	{ "x-data-params", 0 }, { "X-Forwarded-For", 0 },
	{ "a-name-that-is-longer-than-any-name-of-the-table-by-far", 0 },
};

static void
flags(void)
{
	struct slice s;
	size_t i;

	for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		s = exact_copy(slice_str(tries[i].name));
		if (!tap_ok(head_flags(s) == tries[i].want, __FILE__, __LINE__,
		    tries[i].name))
			printf("# got %u\n", head_flags(s));
		exact_free(s);
	}
}

/* No name both is a credential and is kept, whatever its case. */
static void
never_both(void)
{
	static const char *const starts[] = {
		"openai-", "x-stainless-", "x-ratelimit-", "anthropic-ratelimit-",
		"", "x-",
	};
	static const char *const ends[] = {
		"api-key", "API_KEY", "token", "Secret", "authorization", "auth",
	};
	char name[64];
	size_t i, j;
	unsigned f;
	int bad = 0;

	for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		for (j = 0; j < sizeof(ends) / sizeof(ends[0]); j++) {
			snprintf(name, sizeof(name), "%s%s", starts[i], ends[j]);
			f = head_flags(slice_str(name));
			bad += (f & HEAD_KEEP) || !(f & HEAD_SECRET);
		}
	ok(bad == 0);
}

static void
parse(const char *text)
{
	size_t scan = 0, used;

	ok(http1_request(&head, text, strlen(text), &scan, &used) == HTTP1_DONE);
}

static void
hops(void)
{
	static const char want[] = "1110100";
	size_t i;

	parse("GET / HTTP/1.1\r\nHost: h\r\nConnection: close, X-Mine\r\n"
	    "x-mine: 1\r\nAccept: a\r\nTE: trailers\r\nX-Yours: 1\r\n"
	    "Authorization: b\r\n\r\n");
	for (i = 0; i < head.nfields; i++)
		ok(head_is_hop(&head, i) == (want[i] == '1'));
}

static void
keep(void)
{
	struct slice block;
	struct http1_field f;
	struct buf b;

	buf_init(&b, 1000);
	parse("GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: a/1: b \r\n"
	    "Authorization: Bearer canary\r\nX-Other: canary\r\nCookie: canary\r\n"
	    "X-Stainless-OS:Linux\r\nAccept:\r\n\r\n");
	head_keep(&head, &b);
	ok(slice_eq(buf_view(&b), SLICE("user-agent: a/1: b\r\n"
	    "x-stainless-os: Linux\r\naccept: \r\n")));
	block = buf_view(&b);
	ok(head_line_next(&block, &f) && slice_eq(f.name, SLICE("user-agent")) &&
	    slice_eq(f.value, SLICE("a/1: b")));
	ok(head_line_next(&block, &f) && slice_eq(f.value, SLICE("Linux")));
	ok(head_line_next(&block, &f) && slice_eq(f.name, SLICE("accept")) &&
	    f.value.len == 0);
	ok(!head_line_next(&block, &f));
	block = SLICE("no line end: x");
	ok(!head_line_next(&block, &f));
	block = SLICE("no colon\r\n");
	ok(!head_line_next(&block, &f));
	buf_free(&b);
}

static void
keep_at_the_ceiling(void)
{
	struct buf b;

	buf_init(&b, 16);
	parse("GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: 0123456789\r\n\r\n");
	head_keep(&head, &b);
	ok(b.failed && b.len == 0);
	buf_free(&b);
}

/* Only the letters A to Z have a lower case, in a short and in a long name. */
static void
lower_case(void)
{
	const struct http1_field f[] = {
		{ SLICE("@AZ[_"), SLICE("V"), 0 },
		{ SLICE("AZ@[`az{-_09^\xc3\x80\xffZ\xff@ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
		    SLICE("W"), 0 },
	};
	struct buf b;

	buf_init(&b, 1000);
	head_keep_field(&f[0], &b);
	head_keep_field(&f[1], &b);
	ok(slice_eq(buf_view(&b), SLICE("@az[_: V\r\naz@[`az{-_09^\xc3\x80\xffz\xff@"
	    "abcdefghijklmnopqrstuvwxyz: W\r\n")));
	buf_free(&b);
}

static void
mask(const char *in, const char *want)
{
	struct slice s = exact_copy(slice_str(in));
	struct buf b;

	buf_init(&b, 1000);
	head_mask_target(s, &b);
	if (!tap_ok(slice_eq(buf_view(&b), slice_str(want)), __FILE__, __LINE__,
	    in))
		printf("# got %.*s\n", (int)b.len, b.ptr);
	buf_free(&b);
	exact_free(s);
}

static void
masks(void)
{
	mask("", "");
	mask("/v1/models", "/v1/models");
	mask("/v1/models?", "/v1/models?");
	mask("/x?key=AIza", "/x?key=***");
	mask("/x?a=1&KEY=b=c&d=2", "/x?a=1&KEY=***&d=2");
	mask("/x?key=", "/x?key=***");
	mask("/x?key", "/x?key");
	mask("/x?&&key=1&", "/x?&&key=***&");
	mask("/x?api-version=1&api-key=2", "/x?api-version=1&api-key=***");
	mask("/x?api_key=2&access_token=3", "/x?api_key=***&access_token=***");
	mask("/x?token=a&sig=b&signature=c&code=d",
	    "/x?token=***&sig=***&signature=***&code=***");
	mask("/x?subscription-key=a", "/x?subscription-key=***");
	mask("/x?X-Amz-Signature=a&X-Amz-Security-Token=b",
	    "/x?X-Amz-Signature=***&X-Amz-Security-Token=***");
	mask("/x?%6bey=a&api%2Dke%79=b", "/x?%6bey=***&api%2Dke%79=***");
	mask("/x?a=1;key=2;b=3&c=4", "/x?a=1;key=***&c=4");
	mask("/x?a=1;sig=2", "/x?a=1;sig=***");
	mask("/x?a=1;key=2;key=3", "/x?a=1;key=***");
	mask("/x?q=key&limit=%k&%=1", "/x?q=key&limit=%k&%=1");
	mask("/x?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_token=1",
	    "/x?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_token=***");
	mask("https://h/x?key=a?key=b", "https://h/x?key=***");
	mask("/a=1;key=2", "/a=1;key=2");
}

int
main(void)
{
	flags();
	never_both();
	hops();
	keep();
	keep_at_the_ceiling();
	lower_case();
	masks();
	return done();
}
