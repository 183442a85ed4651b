/* SPDX-License-Identifier: Apache-2.0 */
/* option and url: values as text, ranges, printing back, patterns, addresses. */
#include <stdlib.h>

#include "core/option.h"
#include "core/glob.h"
#include "core/url.h"
#include "tap.h"

static const struct option duration = { "d", NULL, OPTION_DURATION, 1000, 86400000000, "30s", NULL, 0, "", 0, 0, 0 };
static const struct option size = { "s", NULL, OPTION_SIZE, 1, (uint64_t)1 << 50, "10GiB",
    NULL, OPTION_OFF, "", 0, 0, 0 };
static const struct option percent = { "p", NULL, OPTION_PERCENT, 1, 100, "80", NULL, 0, "", 0, 0, 0 };
static const struct option count = { "c", NULL, OPTION_COUNT, 0, 64, "0", NULL, 0, "", 0, 0, 0 };
static const struct option word = { "e", NULL, OPTION_ENUM, 0, 2, NULL, "red|green|blue", 0, "", 0, 0, 0 };
static const struct option offset = { "o", NULL, OPTION_OFFSET, 0, 0, "+00:00", NULL, 0, "", 0, 0, 0 };
static const struct option flag = { "b", NULL, OPTION_BOOL, 0, 1, NULL, NULL, 0, "", 0, 0, 0 };

#define BAD UINT64_MAX

static const struct {
	const struct option *o;
	const char	*text;
	uint64_t	 value;		/* BAD: a wrong form, BAD - 1: out of range */
	const char	*printed;
} values[] = {
	{ &duration, "1ms", 1000, "1ms" }, { &duration, "30s", 30000000, "30s" },
	{ &duration, "90m", 5400000000, "90m" }, { &duration, "1d", 86400000000, "1d" },
	{ &duration, " 2 h ", 7200000000, "2h" }, { &duration, "1500us", 1500, "1500us" },
	{ &duration, "30", BAD, NULL }, { &duration, "s", BAD, NULL }, { &duration, "", BAD, NULL },
	{ &duration, "-1s", BAD, NULL }, { &duration, "1.5s", BAD, NULL }, { &duration, "1sec", BAD, NULL },
	{ &duration, "999us", BAD - 1, NULL }, { &duration, "2d", BAD - 1, NULL },
	{ &duration, "99999999999999999999s", BAD - 1, NULL },
	{ &duration, "999999999999999999d", BAD - 1, NULL }, { &duration, "off", BAD, NULL },
	{ &size, "10GiB", (uint64_t)10 << 30, "10GiB" }, { &size, "64KiB", 65536, "64KiB" },
	{ &size, "1000", 1000, "1kB" }, { &size, "5MB", 5000000, "5MB" }, { &size, "7B", 7, "7B" },
	{ &size, "off", 0, "off" }, { &size, "0", BAD - 1, NULL }, { &size, "1G", BAD, NULL },
	{ &percent, "80%", 80, "80" }, { &percent, "1", 1, "1" }, { &percent, "101", BAD - 1, NULL },
	{ &count, "64", 64, "64" }, { &count, "0", 0, "0" }, { &count, "65", BAD - 1, NULL },
	{ &count, "6x", BAD, NULL },
	{ &word, "green", 1, "green" }, { &word, "blue", 2, "blue" }, { &word, "re", BAD, NULL },
	{ &word, "red|green", BAD, NULL }, { &word, "", BAD, NULL },
	{ &flag, "true", 1, "true" }, { &flag, "off", 0, "false" }, { &flag, "yes", 1, "true" },
	{ &flag, "1", BAD, NULL },
	{ &offset, "+00:00", 0, "+00:00" }, { &offset, "+05:30", 330, "+05:30" }, { &offset, "+14:00", 840, "+14:00" },
	{ &offset, "-03:45", (uint64_t)-225, "-03:45" }, { &offset, "-12:00", (uint64_t)-720, "-12:00" },
	{ &offset, "+14:01", BAD - 1, NULL }, { &offset, "-12:30", BAD - 1, NULL }, { &offset, "+1:00", BAD, NULL },
	{ &offset, "02:00", BAD, NULL }, { &offset, "+02:60", BAD, NULL }, { &offset, "UTC", BAD, NULL },
	{ &offset, "", BAD, NULL }, { &offset, "+0a:00", BAD, NULL },
};

static void
test_values(void)
{
	size_t	i;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		uint64_t	v = 0;
		int		got = option_parse(values[i].o, slice_str(values[i].text), &v);
		struct buf	b;

		if (values[i].value >= BAD - 1) {
			if (!ok(got == (values[i].value == BAD ? OPTION_E_FORM : OPTION_E_RANGE)))
				printf("# value %s gave %d\n", values[i].text, got);
			continue;
		}
		ok(got == OPTION_OK && v == values[i].value);
		buf_init(&b, 100);
		option_print(values[i].o, v, &b);
		if (!ok(slice_eq(buf_view(&b), slice_str(values[i].printed))))
			printf("# value %s printed %.*s\n", values[i].text, (int)b.len, b.ptr);
		buf_free(&b);
	}
}

static bool
expects(const struct option *o, const char *text)
{
	struct buf	b;
	bool		same;

	buf_init(&b, 200);
	option_expect(o, &b);
	same = slice_eq(buf_view(&b), slice_str(text));
	if (!same)
		printf("# %.*s\n", (int)b.len, b.ptr);
	buf_free(&b);
	return same;
}

static void
test_patterns(void)
{
	ok(glob_match(SLICE("claude-*"), SLICE("claude-sonnet-4-5")));
	ok(glob_match(SLICE("claude-*"), SLICE("claude-")));
	ok(!glob_match(SLICE("claude-*"), SLICE("anthropic/claude-3")));
	ok(glob_match(SLICE("*claude*"), SLICE("anthropic/claude-3")));
	ok(glob_match(SLICE("*"), SLICE("")));
	ok(!glob_match(SLICE(""), SLICE("a")));
	ok(glob_match(SLICE("a*b*c"), SLICE("a-bb-b-cc")));
	ok(!glob_match(SLICE("a*b*c"), SLICE("a-bb-b-cd")));
	ok(!glob_match(SLICE("gpt-4o"), SLICE("gpt-4o-mini")));
}

static const struct {
	const char	*text, *host, *authority, *path;	/* host NULL: wrong */
	unsigned	 port;
} urls[] = {
	{ "https://api.openai.com/v1", "api.openai.com", "api.openai.com", "/v1", 443 },
	{ "https://api.openai.com/v1//", "api.openai.com", "api.openai.com", "/v1", 443 },
	{ "http://localhost:11434", "localhost", "localhost:11434", "", 11434 },
	{ "http://[::1]:80/", "::1", "[::1]:80", "", 80 },
	{ "http://[fe80::1]", "fe80::1", "[fe80::1]", "", 80 },
	{ "ftp://x", NULL, NULL, NULL, 0 }, { "api.openai.com", NULL, NULL, NULL, 0 },
	{ "http://", NULL, NULL, NULL, 0 }, { "http:///v1", NULL, NULL, NULL, 0 },
	{ "http://a:b", NULL, NULL, NULL, 0 }, { "http://a:0", NULL, NULL, NULL, 0 },
	{ "http://a:65536", NULL, NULL, NULL, 0 }, { "http://u:p@a/", NULL, NULL, NULL, 0 },
	{ "http://a/v1?x=1", NULL, NULL, NULL, 0 }, { "http://a/#f", NULL, NULL, NULL, 0 },
	{ "http://a b/", NULL, NULL, NULL, 0 }, { "http://[::1", NULL, NULL, NULL, 0 },
	{ "http://[::1]x", NULL, NULL, NULL, 0 }, { "http://a/v1\r\nx: y", NULL, NULL, NULL, 0 },
	{ "http://::1/", NULL, NULL, NULL, 0 },
};

static void
test_urls(void)
{
	struct slice	host;
	struct url	u;
	uint16_t	port;
	size_t		i;

	for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		const char *wrong = url_parse(slice_str(urls[i].text), &u);

		if (urls[i].host == NULL) {
			if (!ok(wrong != NULL))
				printf("# %s was taken\n", urls[i].text);
			continue;
		}
		ok(wrong == NULL && slice_eq(u.host, slice_str(urls[i].host)) &&
		    slice_eq(u.authority, slice_str(urls[i].authority)) &&
		    slice_eq(u.path, slice_str(urls[i].path)) && u.port == urls[i].port &&
		    u.tls == (urls[i].text[4] == 's'));
	}
	ok(hostport_parse(SLICE("127.0.0.1:0"), &host, &port) == NULL && port == 0);
	ok(hostport_parse(SLICE("[::]:8787"), &host, &port) == NULL &&
	    slice_eq(host, SLICE("::")) && port == 8787);
	ok(hostport_parse(SLICE("127.0.0.1"), &host, &port) != NULL);
	ok(hostport_parse(SLICE(":8787"), &host, &port) != NULL);
	ok(hostport_parse(SLICE("8787"), &host, &port) != NULL);
	ok(hostport_parse(SLICE("127.0.0.1:"), &host, &port) != NULL);
	ok(hostport_parse(SLICE(""), &host, &port) != NULL);
}

int
main(void)
{
	test_values();
	ok(expects(&duration, "a duration from 1ms to 1d, such as 30s"));
	ok(expects(&word, "one of red, green, blue"));
	ok(expects(&count, "a whole number from 0 to 64"));
	test_patterns();
	test_urls();
	return done();
}
