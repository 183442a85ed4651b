/* SPDX-License-Identifier: Apache-2.0 */
/*
 * head: what the gateway knows of header fields. One table by name answers for
 * both directions, for the journal and for the log; called for every field of
 * every head, so a name costs a look at those of its length. A field that is
 * not known may pass between client and provider, but is kept nowhere.
 */
#include "core/head.h"

#include "core/fold.h"
#include "core/percent.h"

struct known {
	const char	*name;		/* letters, digits and dashes; lower case */
	unsigned	 flags;
};

/* An entry that stands under a wrong length does not compile. */
#define KNOWN(n, name, flags) \
	{ (name), (flags) + 0 * sizeof(char[sizeof(name) == (n) + 1 ? 1 : -1]) }
#define BY_LENGTH(n) \
	[n] = { length_##n, sizeof(length_##n) / sizeof(length_##n[0]) }

static const struct known length_2[] = {
	KNOWN(2, "te", HEAD_HOP),
};

static const struct known length_3[] = {
	KNOWN(3, "age", HEAD_KEEP),
	KNOWN(3, "via", HEAD_KEEP),
};

static const struct known length_4[] = {
	KNOWN(4, "date", HEAD_KEEP),
	KNOWN(4, "dpop", HEAD_SECRET),
	KNOWN(4, "etag", HEAD_KEEP),
	KNOWN(4, "host", HEAD_HOP),
	KNOWN(4, "vary", HEAD_KEEP),
};

static const struct known length_6[] = {
	KNOWN(6, "accept", HEAD_KEEP),
	KNOWN(6, "cf-ray", HEAD_KEEP),
	KNOWN(6, "cookie", HEAD_SECRET),
	KNOWN(6, "expect", HEAD_HOP),
	KNOWN(6, "server", HEAD_KEEP),
};

static const struct known length_7[] = {
	KNOWN(7, "alt-svc", HEAD_ORIGIN),
	KNOWN(7, "api-key", HEAD_SECRET | HEAD_CREDENTIAL),
	KNOWN(7, "cookie2", HEAD_SECRET),
	KNOWN(7, "trailer", HEAD_HOP),
	KNOWN(7, "upgrade", HEAD_HOP),
	KNOWN(7, "warning", HEAD_KEEP),
	KNOWN(7, "x-bf-vk", HEAD_SECRET),
	KNOWN(7, "x-title", HEAD_KEEP),
};

static const struct known length_9[] = {
	KNOWN(9, "x-api-key", HEAD_SECRET | HEAD_CREDENTIAL),
};

static const struct known length_10[] = {
	KNOWN(10, "connection", HEAD_HOP),
	KNOWN(10, "keep-alive", HEAD_HOP),
	KNOWN(10, "request-id", HEAD_KEEP),
	KNOWN(10, "set-cookie", HEAD_SECRET),
	KNOWN(10, "tracestate", HEAD_KEEP),
	KNOWN(10, "user-agent", HEAD_KEEP),
	KNOWN(10, "xi-api-key", HEAD_SECRET),
};

static const struct known length_11[] = {
	KNOWN(11, "openai-beta", HEAD_KEEP),
	KNOWN(11, "retry-after", HEAD_KEEP),
	KNOWN(11, "set-cookie2", HEAD_SECRET),
	KNOWN(11, "traceparent", HEAD_KEEP),
	KNOWN(11, "x-ms-region", HEAD_KEEP),
};

static const struct known length_12[] = {
	KNOWN(12, "content-type", HEAD_KEEP),
	KNOWN(12, "x-auth-token", HEAD_SECRET),
	KNOWN(12, "x-request-id", HEAD_KEEP),
};

static const struct known length_13[] = {
	KNOWN(13, "authorization", HEAD_SECRET | HEAD_CREDENTIAL),
	KNOWN(13, "cache-control", HEAD_KEEP),
	KNOWN(13, "helicone-auth", HEAD_SECRET),
	KNOWN(13, "x-groq-region", HEAD_KEEP),
};

static const struct known length_14[] = {
	KNOWN(14, "anthropic-beta", HEAD_KEEP),
	KNOWN(14, "content-length", HEAD_HOP | HEAD_KEEP),
	KNOWN(14, "http2-settings", HEAD_HOP),
	KNOWN(14, "openai-project", HEAD_KEEP),
	KNOWN(14, "openai-version", HEAD_KEEP),
	KNOWN(14, "retry-after-ms", HEAD_KEEP),
	KNOWN(14, "x-access-token", HEAD_SECRET),
	KNOWN(14, "x-goog-api-key", HEAD_SECRET | HEAD_CREDENTIAL),
	KNOWN(14, "x-should-retry", HEAD_KEEP),
	KNOWN(14, "x-spangate-key", HEAD_OURS | HEAD_SECRET),
	KNOWN(14, "x-stainless-os", HEAD_KEEP),
};

static const struct known length_15[] = {
	KNOWN(15, "accept-encoding", HEAD_KEEP),
	KNOWN(15, "accept-language", HEAD_KEEP),
	KNOWN(15, "apim-request-id", HEAD_KEEP),
	KNOWN(15, "cf-cache-status", HEAD_KEEP),
	KNOWN(15, "idempotency-key", HEAD_KEEP),
	KNOWN(15, "x-authorization", HEAD_SECRET),
	KNOWN(15, "x-generation-id", HEAD_KEEP),
	KNOWN(15, "x-ms-request-id", HEAD_KEEP),
};

static const struct known length_16[] = {
	KNOWN(16, "content-encoding", HEAD_KEEP),
	KNOWN(16, "content-language", HEAD_KEEP),
	KNOWN(16, "proxy-connection", HEAD_HOP),
	KNOWN(16, "www-authenticate", HEAD_KEEP),
	KNOWN(16, "x-amzn-requestid", HEAD_KEEP),
	KNOWN(16, "x-ms-rai-invoked", HEAD_KEEP),
	KNOWN(16, "x-stainless-arch", HEAD_KEEP),
	KNOWN(16, "x-stainless-lang", HEAD_KEEP),
};

static const struct known length_17[] = {
	KNOWN(17, "anthropic-api-key", HEAD_SECRET),
	KNOWN(17, "anthropic-version", HEAD_KEEP),
	KNOWN(17, "transfer-encoding", HEAD_HOP),
	KNOWN(17, "x-idempotency-key", HEAD_KEEP),
	KNOWN(17, "x-portkey-api-key", HEAD_SECRET),
	KNOWN(17, "x-stainless-async", HEAD_KEEP),
};

static const struct known length_18[] = {
	KNOWN(18, "proxy-authenticate", HEAD_HOP),
};

static const struct known length_19[] = {
	KNOWN(19, "authentication-info", HEAD_SECRET),
	KNOWN(19, "openai-organization", HEAD_KEEP),
	KNOWN(19, "proxy-authorization", HEAD_HOP | HEAD_SECRET),
	KNOWN(19, "x-client-request-id", HEAD_KEEP),
	KNOWN(19, "x-stainless-runtime", HEAD_KEEP),
	KNOWN(19, "x-stainless-timeout", HEAD_KEEP),
};

static const struct known length_20[] = {
	KNOWN(20, "cf-aig-authorization", HEAD_SECRET),
	KNOWN(20, "openai-processing-ms", HEAD_KEEP),
	KNOWN(20, "x-amz-security-token", HEAD_SECRET),
	KNOWN(20, "x-assemblyai-api-key", HEAD_SECRET),
	KNOWN(20, "x-ms-deployment-name", HEAD_KEEP),
};

static const struct known length_21[] = {
	KNOWN(21, "azureml-model-session", HEAD_KEEP),
};

static const struct known length_22[] = {
	KNOWN(22, "x-ms-client-request-id", HEAD_KEEP),
};

static const struct known length_23[] = {
	KNOWN(23, "cf-access-jwt-assertion", HEAD_SECRET),
	KNOWN(23, "x-forwarded-client-cert", HEAD_SECRET),
	KNOWN(23, "x-stainless-retry-count", HEAD_KEEP),
};

static const struct known length_24[] = {
	KNOWN(24, "x-ratelimit-limit-tokens", HEAD_KEEP),
	KNOWN(24, "x-ratelimit-reset-tokens", HEAD_KEEP),
	KNOWN(24, "x-stainless-read-timeout", HEAD_KEEP),
};

static const struct known length_25[] = {
	KNOWN(25, "anthropic-organization-id", HEAD_KEEP),
	KNOWN(25, "ocp-apim-subscription-key", HEAD_SECRET),
	KNOWN(25, "proxy-authentication-info", HEAD_HOP | HEAD_SECRET),
	KNOWN(25, "strict-transport-security", HEAD_ORIGIN),
	KNOWN(25, "x-stainless-helper-method", HEAD_KEEP),
};

static const struct known length_26[] = {
	KNOWN(26, "x-ratelimit-limit-requests", HEAD_KEEP),
	KNOWN(26, "x-ratelimit-reset-requests", HEAD_KEEP),
};

static const struct known length_27[] = {
	KNOWN(27, "x-stainless-package-version", HEAD_KEEP),
	KNOWN(27, "x-stainless-runtime-version", HEAD_KEEP),
};

static const struct known length_28[] = {
	KNOWN(28, "x-ratelimit-remaining-tokens", HEAD_KEEP),
};

static const struct known length_29[] = {
	KNOWN(29, "x-envoy-upstream-service-time", HEAD_KEEP),
};

static const struct known length_30[] = {
	KNOWN(30, "x-ratelimit-remaining-requests", HEAD_KEEP),
};

static const struct {
	const struct known *list;
	size_t		 count;
} by_length[] = {
	BY_LENGTH(2),
	BY_LENGTH(3),
	BY_LENGTH(4),
	BY_LENGTH(6),
	BY_LENGTH(7),
	BY_LENGTH(9),
	BY_LENGTH(10),
	BY_LENGTH(11),
	BY_LENGTH(12),
	BY_LENGTH(13),
	BY_LENGTH(14),
	BY_LENGTH(15),
	BY_LENGTH(16),
	BY_LENGTH(17),
	BY_LENGTH(18),
	BY_LENGTH(19),
	BY_LENGTH(20),
	BY_LENGTH(21),
	BY_LENGTH(22),
	BY_LENGTH(23),
	BY_LENGTH(24),
	BY_LENGTH(25),
	BY_LENGTH(26),
	BY_LENGTH(27),
	BY_LENGTH(28),
	BY_LENGTH(29),
	BY_LENGTH(30),
};

/* For names that are not in the table. The first match counts. */
static const struct known prefixes[] = {
	{ "x-stainless-", HEAD_KEEP },
	{ "x-ratelimit-", HEAD_KEEP },
	{ "openai-", HEAD_KEEP },
	{ "anthropic-ratelimit-", HEAD_KEEP },
	{ "ratelimit-", HEAD_KEEP },
	{ "x-spangate-", HEAD_OURS },
	{ "x-respan-", HEAD_OURS | HEAD_PARAMS },
	{ "x-keywordsai-", HEAD_OURS },
};

/* A name that ends so and is not in the table is taken for a credential, of a
 * field and of a query member. */
static const char *const secret_endings[] = {
	"key", "token", "secret", "password", "passwd", "auth",
	"authorization", "credential", "credentials", "signature", "cookie",
	"jwt",
};

/* Query members that are credentials, besides those that end so. */
static const char *const secret_members[] = { "sig", "code", "pwd", "pass" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool
name_starts(struct slice name, const char *prefix)
{
	size_t n = strlen(prefix);

	return name.len > n && fold_eq(name.ptr, prefix, n);
}

static bool
name_ends(struct slice name, const char *suffix)
{
	size_t n = strlen(suffix);

	return name.len >= n && fold_eq(name.ptr + name.len - n, suffix, n);
}

static bool
name_ends_secret(struct slice name)
{
	size_t i;

	for (i = 0; i < COUNT(secret_endings); i++)
		if (name_ends(name, secret_endings[i]))
			return true;
	return false;
}

/* Flags of a name that is not in the table. */
static unsigned
flags_guess(struct slice name)
{
	unsigned flags = name_ends_secret(name) ? HEAD_SECRET : 0;
	size_t i;

	if (name.len > 14 && name_starts(name, "x-data-") &&
	    name_ends(name, "-params"))
		return flags | HEAD_OURS | HEAD_PARAMS;
	for (i = 0; i < COUNT(prefixes); i++)
		if (name_starts(name, prefixes[i].name))
			flags |= prefixes[i].flags;
	return flags & HEAD_SECRET ? flags & ~(unsigned)HEAD_KEEP : flags;
}

unsigned
head_flags(struct slice name)
{
	const struct known *k;
	size_t i, count;
	char last;

	if (name.len == 0)
		return 0;
	if (name.len < COUNT(by_length)) {
		k = by_length[name.len].list;
		count = by_length[name.len].count;
		last = name.ptr[name.len - 1] | 0x20;	/* few share it */
		for (i = 0; i < count; i++, k++)
			if (k->name[name.len - 1] == last &&
			    fold_eq(name.ptr, k->name, name.len))
				return k->flags;
	}
	return flags_guess(name);
}

bool
head_is_hop(const struct http1_head *h, size_t i)
{
	return (h->fields[i].flags & HEAD_HOP) ||
	    (h->nominates && http1_connection_names(h, h->fields[i].name));
}

/* Writes ": value\r\n" at p. */
static void
line_finish(char *p, struct slice value)
{
	memcpy(p, ": ", 2);
	if (value.len > 0)
		memcpy(p + 2, value.ptr, value.len);
	memcpy(p + 2 + value.len, "\r\n", 2);
}

void
head_put(struct buf *b, struct slice name, struct slice value)
{
	size_t len = name.len + value.len + 4;
	char *p = buf_reserve(b, len);

	if (p == NULL)
		return;
	memcpy(p, name.ptr, name.len);
	line_finish(p + name.len, value);
	b->len += len;
}

/* Copies eight bytes with 'A' to 'Z' in lower case: the high bit of each byte
 * tells in turn whether it is ASCII, from 'A' on, and beyond 'Z'. */
static inline void
word_lower(char *out, const char *p)
{
	const uint64_t each = 0x0101010101010101u;
	uint64_t w, low, upper;

	memcpy(&w, p, sizeof(w));
	low = w & 0x7f * each;
	upper = (low + (0x80 - 'A') * each) ^ (low + (0x7f - 'Z') * each);
	w |= (upper & ~w & 0x80 * each) >> 2;
	memcpy(out, &w, sizeof(w));
}

static void
lower_copy(char *out, const char *p, size_t n)
{
	size_t i;

	if (n < 8) {
		for (i = 0; i < n; i++)
			out[i] = p[i] >= 'A' && p[i] <= 'Z' ? p[i] | 0x20 : p[i];
		return;
	}
	for (i = 0; i + 8 < n; i += 8)
		word_lower(out + i, p + i);
	word_lower(out + n - 8, p + n - 8);
}

void
head_keep_field(const struct http1_field *f, struct buf *b)
{
	size_t len = f->name.len + f->value.len + 4;
	char *p = buf_reserve(b, len);

	if (p == NULL)
		return;
	lower_copy(p, f->name.ptr, f->name.len);
	line_finish(p + f->name.len, f->value);
	b->len += len;
}

void
head_keep(const struct http1_head *h, struct buf *b)
{
	size_t i;

	for (i = 0; i < h->nfields; i++)
		if (h->fields[i].flags & HEAD_KEEP)
			head_keep_field(&h->fields[i], b);
}

bool
head_line_next(struct slice *block, struct http1_field *f)
{
	const char *end, *colon;

	if (block->len == 0 ||
	    (end = memchr(block->ptr, '\n', block->len)) == NULL ||
	    (colon = memchr(block->ptr, ':', (size_t)(end - block->ptr))) == NULL)
		return false;
	f->name = slice_make(block->ptr, (size_t)(colon - block->ptr));
	*block = slice_from(*block, (size_t)(end + 1 - block->ptr));
	if (end > colon + 1 && end[-1] == '\r')
		end--;
	f->value = slice_trim(slice_make(colon + 1, (size_t)(end - colon - 1)));
	return true;
}

/* Puts the last bytes of a query member's name, percent-decoded, into out. */
static struct slice
member_decode(struct slice name, char *out, size_t size)
{
	size_t i, n = 0;
	int byte;

	if (name.len > 3 * size)
		name = slice_from(name, name.len - 3 * size);
	for (i = 0; i < name.len; i++) {
		if (n == size)
			memmove(out, out + 1, --n);
		byte = percent_byte(name.ptr + i, name.ptr + name.len);
		out[n++] = byte < 0 ? name.ptr[i] : (char)byte;
		i += byte < 0 ? 0 : 2;
	}
	return slice_make(out, n);
}

static bool
member_is_secret(struct slice name)
{
	char decoded[32];
	struct slice s = member_decode(name, decoded, sizeof(decoded));
	size_t i;

	for (i = 0; i < COUNT(secret_members); i++)
		if (slice_caseeq(s, slice_str(secret_members[i])))
			return true;
	return name_ends_secret(s);
}

/* Appends what stands between two '&'. Some read ';' like '&', so a name may
 * start behind it; a value is masked up to the '&' all the same. */
static void
part_mask(struct slice part, struct buf *b)
{
	size_t i, start = 0;

	for (i = 0; i < part.len; i++) {
		if (part.ptr[i] == ';')
			start = i + 1;
		else if (part.ptr[i] == '=' && member_is_secret(
		    slice_make(part.ptr + start, i - start))) {
			buf_append(b, part.ptr, i + 1);
			buf_append(b, "***", 3);
			return;
		}
	}
	buf_slice(b, part);
}

void
head_mask_target(struct slice target, struct buf *b)
{
	const char *q = target.len ? memchr(target.ptr, '?', target.len) : NULL;
	const char *amp;
	struct slice rest, part;

	if (q == NULL) {
		buf_slice(b, target);
		return;
	}
	buf_append(b, target.ptr, (size_t)(q + 1 - target.ptr));
	rest = slice_from(target, (size_t)(q + 1 - target.ptr));
	while (rest.len > 0) {
		amp = memchr(rest.ptr, '&', rest.len);
		part = amp ? slice_make(rest.ptr, (size_t)(amp - rest.ptr)) : rest;
		part_mask(part, b);
		rest = slice_from(rest, part.len);
		if (amp != NULL) {
			buf_byte(b, '&');
			rest = slice_from(rest, 1);
		}
	}
}
