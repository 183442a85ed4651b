/* SPDX-License-Identifier: Apache-2.0 */
/* post: see post.h. The multi interface, as it can be woken. */
#include "export/post.h"

#include <config.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/log.h"
#include "core/limits.h"
#include "export/pack.h"

#define POLL_MS 1000

struct post {
	CURLM		*multi;
	CURL		*easy;
	struct buf	 answer, packed;
	char		 error[CURL_ERROR_SIZE];
	atomic_ullong	 deadline;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
library_start(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		bug("libcurl does not start");
}

struct post *
post_new(void)
{
	struct post *p = xcalloc(1, sizeof(*p));

	pthread_once(&once, library_start);
	p->multi = curl_multi_init();
	p->easy = curl_easy_init();
	if (p->multi == NULL || p->easy == NULL)
		bug("out of memory");
	atomic_init(&p->deadline, UINT64_MAX);
	buf_init(&p->answer, LIMIT_SINK_ANSWER);
	buf_init(&p->packed, LIMIT_SINK_BODY);
	return p;
}

void
post_free(struct post *p)
{
	if (p == NULL)
		return;
	curl_easy_cleanup(p->easy);
	curl_multi_cleanup(p->multi);
	buf_free(&p->answer);
	buf_free(&p->packed);
	free(p);
}

void
post_hurry(struct post *p, uint64_t deadline_us)
{
	atomic_store(&p->deadline, deadline_us);
	curl_multi_wakeup(p->multi);
}

/* Takes what has room, and passes over the rest. */
static size_t
answer_take(char *bytes, size_t size, size_t n, void *arg)
{
	struct buf *out = arg;
	size_t len = size * n, room = out->limit - out->len;

	buf_append(out, bytes, len < room ? len : room);
	return len;
}

static struct curl_slist *
header_add(struct curl_slist *list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(list, line);

	if (longer == NULL)
		bug("out of memory");
	return longer;
}

static struct curl_slist *
headers_make(const struct sink_config *c, const struct export_request *r, const char *coding)
{
	struct curl_slist *list = header_add(NULL, "Expect:");
	struct slice rest = buf_view(&r->headers);
	const char *end;
	char *line;

	line = xasprintf("Content-Type: %s", r->content_type);
	list = header_add(list, line);
	free(line);
	if (coding != NULL) {
		line = xasprintf("Content-Encoding: %s", coding);
		list = header_add(list, line);
		free(line);
	}
	if (c->api_key != NULL) {
		line = xasprintf("Authorization: Bearer %s", c->api_key);
		list = header_add(list, line);
		free(line);
	}
	while (rest.len > 0 && (end = memchr(rest.ptr, '\n', rest.len)) != NULL) {
		line = xstrndup(rest.ptr, (size_t)(end - rest.ptr));
		rest = slice_from(rest, (size_t)(end - rest.ptr) + 1);
		list = header_add(list, line);
		free(line);
	}
	for (size_t i = 0; i < c->headers.n; i++)
		list = header_add(list, c->headers.list[i]);
	return list;
}

static void
set_up(struct post *p, const struct sink_config *c, const char *url, struct curl_slist *headers, struct slice body)
{
	CURL *e = p->easy;

	curl_easy_reset(e);	/* connections stay */
	curl_easy_setopt(e, CURLOPT_URL, url);
	curl_easy_setopt(e, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(e, CURLOPT_POST, 1L);
	curl_easy_setopt(e, CURLOPT_POSTFIELDS, body.ptr ? body.ptr : "");
	curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "spangate/" PACKAGE_VERSION);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(c->timeout_us / 1000));
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)(c->connect_timeout_us / 1000));
	curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, answer_take);
	curl_easy_setopt(e, CURLOPT_WRITEDATA, &p->answer);
	curl_easy_setopt(e, CURLOPT_ERRORBUFFER, p->error);
	if (c->ca_file != NULL)
		curl_easy_setopt(e, CURLOPT_CAINFO, c->ca_file);
}

/* Until it is done or time is up. CURLE_ABORTED_BY_CALLBACK: that was so. */
static CURLcode
run(struct post *p)
{
	uint64_t now, deadline;
	CURLMsg *m;
	int left, running = 1;

	for (;;) {
		if (curl_multi_perform(p->multi, &running) != CURLM_OK)
			return CURLE_FAILED_INIT;
		while ((m = curl_multi_info_read(p->multi, &left)) != NULL)
			if (m->msg == CURLMSG_DONE)
				return m->data.result;
		now = clock_mono_us();
		deadline = atomic_load(&p->deadline);
		if (now >= deadline)
			return CURLE_ABORTED_BY_CALLBACK;
		curl_multi_poll(p->multi, NULL, 0, deadline - now < POLL_MS * 1000 ? (int)((deadline - now) / 1000) + 1 :
		    POLL_MS, NULL);
	}
}

static void
result_take(struct post *p, CURLcode code, struct post_result *r)
{
	curl_off_t after = 0;
	long status = 0;

	*r = (struct post_result){ .stopped = code == CURLE_ABORTED_BY_CALLBACK };
	if (code != CURLE_OK) {
		snprintf(r->error, sizeof(r->error), "%.199s", *p->error ? p->error : curl_easy_strerror(code));
		return;
	}
	curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(p->easy, CURLINFO_RETRY_AFTER, &after);
	r->answer.status = (unsigned)status;
	r->answer.body = buf_view(&p->answer);
	r->retry_after_us = after > 0 ? (after < 1000000 ? (uint64_t)after : 1000000) * 1000000 : 0;
}

void
post_send(struct post *p, const struct sink_config *c, const struct export_request *request, struct post_result *r)
{
	const char *coding = pack(c->compression, buf_view(&request->body), &p->packed);
	struct curl_slist *headers = headers_make(c, request, coding);
	char *url = xasprintf("%s%s", c->url, request->path);
	CURLcode code;

	buf_clear(&p->answer);
	p->error[0] = '\0';
	set_up(p, c, url, headers, coding != NULL ? buf_view(&p->packed) : buf_view(&request->body));
	if (curl_multi_add_handle(p->multi, p->easy) != CURLM_OK)
		bug("libcurl takes no request");
	code = run(p);
	result_take(p, code, r);
	curl_multi_remove_handle(p->multi, p->easy);
	curl_slist_free_all(headers);
	free(url);
	buf_clear(&p->packed);
	if (p->packed.cap > 4 * MIB)
		buf_free(&p->packed);
}
