/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check: `spangate check-config` loads the settings and says what they mean.
 * --probe calls each provider as the gateway would (name, TCP, TLS, key) and
 * says in words what is wrong. It touches no data.
 */
#include <config.h>

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/price_book.h"
#include "cli.h"
#include "core/buf.h"

#define ANSWER_KEPT 2000	/* bytes of an answer looked at for its message */
#define PROBE_TIMEOUT_MS 20000L

enum { FLAG_PROBE, FLAG_SAMPLE };

static const struct cli_flag flags[] = {
	[FLAG_PROBE] = { "probe", NULL, "Call each provider: name, TCP, TLS and key." },
	[FLAG_SAMPLE] = { "sample", NULL, "Print a sample file of settings with all there are, and end." },
};

static const struct cli_usage usage = {
	"check-config", "",
	"Checks the file of settings and the options, and says what they come to. The\n"
	"exit code is 0 if they are good and, with --probe, every provider answers.\n",
	flags, sizeof(flags) / sizeof(flags[0]), true
};

struct probe {
	const struct provider_config *p;
	CURL		*curl;
	struct curl_slist *headers;
	struct buf	 answer;
	char		 error[CURL_ERROR_SIZE];
};

static size_t
answer_take(char *bytes, size_t size, size_t n, void *arg)
{
	struct buf	*b = arg;
	size_t		 room = ANSWER_KEPT - b->len;

	buf_append(b, bytes, n < room ? n : room);
	return size * n;
}

static void
header_add(struct probe *pr, char *line)
{
	pr->headers = curl_slist_append(pr->headers, line);
	OPENSSL_cleanse(line, strlen(line));
	free(line);
}

/* The URL of the list of models, as the gateway would make it. */
static char *
models_url(const struct provider_config *p)
{
	return xasprintf("%s://%s%s%s/models%s%s", p->tls ? "https" : "http", p->host_header,
	    p->path, p->api == PROVIDER_ANTHROPIC ? "/v1" : "",
	    p->api_version ? "?api-version=" : "", p->api_version ? p->api_version : "");
}

static void
probe_prepare(struct probe *pr)
{
	const struct provider_config *p = pr->p;
	static const char *const auth[] = {
		[AUTH_BEARER] = "Authorization: Bearer ", [AUTH_X_API_KEY] = "x-api-key: ",
		[AUTH_API_KEY] = "api-key: ",
	};
	char	*url = models_url(p);

	curl_easy_setopt(pr->curl, CURLOPT_URL, url);
	free(url);
	curl_easy_setopt(pr->curl, CURLOPT_PROXY, "");	/* the gateway uses none */
	curl_easy_setopt(pr->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(pr->curl, CURLOPT_TIMEOUT_MS, PROBE_TIMEOUT_MS);
	curl_easy_setopt(pr->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(p->connect_timeout_us / 1000));
	curl_easy_setopt(pr->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(pr->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(pr->curl, CURLOPT_ERRORBUFFER, pr->error);
	curl_easy_setopt(pr->curl, CURLOPT_WRITEFUNCTION, answer_take);
	curl_easy_setopt(pr->curl, CURLOPT_WRITEDATA, &pr->answer);
	curl_easy_setopt(pr->curl, CURLOPT_USERAGENT, "spangate/" PACKAGE_VERSION);
	if (p->unix_path != NULL)
		curl_easy_setopt(pr->curl, CURLOPT_UNIX_SOCKET_PATH, p->unix_path);
	if (p->ca_file != NULL)
		curl_easy_setopt(pr->curl, CURLOPT_CAINFO, p->ca_file);
	if (p->api_key != NULL)
		header_add(pr, xasprintf("%s%s", auth[p->auth], p->api_key));
	if (p->api == PROVIDER_ANTHROPIC)
		header_add(pr, xstrdup("anthropic-version: 2023-06-01"));
	curl_easy_setopt(pr->curl, CURLOPT_HTTPHEADER, pr->headers);
}

/* µs from the start until that step was done; 0: it was not. */
static uint64_t
step_us(CURL *curl, CURLINFO info)
{
	curl_off_t	us = 0;

	curl_easy_getinfo(curl, info, &us);
	return us > 0 ? (uint64_t)us : 0;
}

static void
step_print(const char *step, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void
step_print(const char *step, const char *fmt, ...)
{
	va_list	ap;

	printf("  %-5s ", step);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* What failed before there was an answer. */
static void
failure_print(struct probe *pr, CURLcode code)
{
	const struct provider_config *p = pr->p;
	const char	*detail = pr->error[0] ? pr->error : curl_easy_strerror(code);
	bool		 resolved = step_us(pr->curl, CURLINFO_NAMELOOKUP_TIME_T) > 0;
	bool		 connected = step_us(pr->curl, CURLINFO_CONNECT_TIME_T) > 0;
	bool		 secured = step_us(pr->curl, CURLINFO_APPCONNECT_TIME_T) > 0;

	if (code == CURLE_COULDNT_RESOLVE_HOST || !resolved)
		step_print("name", "FAILED: %s could not be looked up: %s", p->host, detail);
	else if (code == CURLE_COULDNT_CONNECT || !connected)
		step_print("tcp", "FAILED: port %u of %s cannot be reached: %s", p->port, p->host, detail);
	else if (code == CURLE_SSL_CACERT_BADFILE)
		step_print("tls", "FAILED: ca_file %s cannot be read", p->ca_file ? p->ca_file : "");
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		step_print("tls", "FAILED: the certificate is not trusted: %s", detail);
	else if (p->tls && !secured)
		step_print("tls", "FAILED: no TLS connection came about: %s", detail);
	else
		step_print("http", "FAILED: connected, but no HTTP answer came: %s", detail);
}

static void
steps_print(struct probe *pr)
{
	char	*ip = NULL;
	uint64_t name = step_us(pr->curl, CURLINFO_NAMELOOKUP_TIME_T);
	uint64_t tcp = step_us(pr->curl, CURLINFO_CONNECT_TIME_T);
	uint64_t tls = step_us(pr->curl, CURLINFO_APPCONNECT_TIME_T);

	curl_easy_getinfo(pr->curl, CURLINFO_PRIMARY_IP, &ip);
	if (pr->p->unix_path == NULL)
		step_print("name", "%s is %s (%.1f ms)", pr->p->host, ip ? ip : "?", (double)name / 1e3);
	step_print("tcp", "connected (%.1f ms)", (double)(tcp > name ? tcp - name : 0) / 1e3);
	if (pr->p->tls)
		step_print("tls", "certificate is good (%.1f ms)", (double)(tls > tcp ? tls - tcp : 0) / 1e3);
}

/* What the answer's status says about key and address. */
static bool
status_print(struct probe *pr)
{
	const struct provider_config *p = pr->p;
	long	status = 0;
	int	len = (int)strcspn(pr->answer.ptr ? pr->answer.ptr : "", "\r\n");

	curl_easy_getinfo(pr->curl, CURLINFO_RESPONSE_CODE, &status);
	if (status >= 200 && status < 300) {
		step_print("key", p->api_key ? "accepted (%ld)" : "none is needed (%ld)", status);
		return true;
	}
	if ((status == 401 || status == 403) && p->api_key == NULL) {
		step_print("key", "none is set: each client's own goes through (%ld without one, as it should be)", status);
		return true;
	}
	if (status == 401 || status == 403)
		step_print("key", "FAILED: the provider refuses it (%ld): %.*s", status, len, pr->answer.ptr);
	else if (status == 404)
		step_print("http", "reached, but it has no list of models (404): is the path of base_url right?");
	else
		step_print("http", "FAILED: the provider answers %ld: %.*s", status, len, pr->answer.ptr);
	return status == 404;
}

static bool
provider_probe(const struct provider_config *p)
{
	struct probe	pr = { .p = p, .curl = curl_easy_init() };
	CURLcode	code;
	bool		good = false;

	if (pr.curl == NULL)
		return false;
	buf_init(&pr.answer, ANSWER_KEPT + 1);
	probe_prepare(&pr);
	code = curl_easy_perform(pr.curl);
	buf_byte(&pr.answer, '\0');
	if (code != CURLE_OK)
		failure_print(&pr, code);
	else {
		steps_print(&pr);
		good = status_print(&pr);
	}
	curl_slist_free_all(pr.headers);
	curl_easy_cleanup(pr.curl);
	buf_free(&pr.answer);
	return good;
}

static bool
providers_print(const struct config *c, bool probe)
{
	bool	good = true;
	size_t	i;

	for (i = 0; i < c->nproviders; i++) {
		const struct provider_config *p = &c->providers[i];

		printf("provider %s: %s, %s\n", p->id, p->base_url, p->api_key ?
		    "with a key of its own" : "with the client's key");
		if (p->ca_file != NULL && access(p->ca_file, R_OK) != 0) {
			step_print("tls", "FAILED: ca_file %s cannot be read", p->ca_file);
			good = false;
		} else if (probe)
			good = provider_probe(p) && good;
	}
	return good;
}

/* The price files, which are read as at a start. */
static bool
prices_print(struct config *c)
{
	char err[400];
	size_t i;

	if (!config_prices(c, err, sizeof(err))) {
		cli_fail("%s", err);
		return false;
	}
	for (i = 0; i < c->book->prices.n; i++) {
		const struct price_table *t = c->book->prices.tables[i];

		printf("prices: %.*s, %zu entries\n", (int)price_table_name(t).len, price_table_name(t).ptr,
		    price_table_size(t));
	}
	return true;
}

int
cli_check_config(int argc, char **argv)
{
	struct cli_args	 a;
	struct config	*c;
	bool		 probe, good;
	size_t		 i;
	int		 code;

	if (!cli_parse(&usage, argc, argv, &a, &code))
		return code;
	if (a.values[FLAG_SAMPLE] != NULL) {
		config_print_sample(stdout);
		cli_args_free(&a);
		return CLI_GOOD;
	}
	probe = a.values[FLAG_PROBE] != NULL;
	c = cli_config(&a);
	cli_args_free(&a);
	if (c == NULL)
		return CLI_BAD;
	printf("settings: %s\n", c->file ? c->file : "none, the defaults");
	for (i = 0; i < c->nlistens; i++)
		printf("listen: %s\n", c->listens[i].text);
	for (i = 0; i < c->nsinks; i++)
		printf("sink %s: %s\n", c->sinks[i].id, c->sinks[i].url);
	printf("data: %s\nkeys: %zu%s\n", c->data_dir, c->nkeys + c->ring->n,
	    c->nkeys > 0 || c->ring->closed ? "" : ", open to who reaches it");
	good = prices_print(c);
	good &= providers_print(c, probe);
	config_unref(c);
	puts(good ? "good" : "not good");
	return good ? CLI_GOOD : CLI_BAD;
}
