/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mock: a provider for measuring. One thread, epoll, keep-alive; answers as
 * fast as it can, or paced to the tenth of a millisecond. Run by contrib/bench
 * and by the long tests; prints its port and serves until its standard input
 * ends. It trusts its clients: nothing here is a parser for the open world.
 *
 * How a request is answered is said by its header `x-mock: key=value,...`:
 *   sse=N      a stream of N content events instead of a plain answer
 *   burst=1    all of them in one write
 *   role=MS first=MS gap=MS    when the role chunk, the first content and each
 *              further one go out, from the end of the request (fractions allowed)
 *   reason=N   so many events of reasoning before the content, at the same pace
 *   usage=1    a usage chunk at the end (always), before [DONE]
 *   hold=1     after the role chunk nothing more comes
 *   size=N     a plain answer of N bytes
 * Each event of a paced stream holds "t": microseconds since the request's end.
 * GET /stats: requests and events so far, as JSON.
 */
#define _GNU_SOURCE
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define IN_MAX	(256 * 1024)
#define HEADS	"date: Thu, 19 Nov 2026 10:00:00 GMT\r\n" \
	"openai-organization: org-benchmark\r\nopenai-processing-ms: 42\r\nopenai-version: 2020-10-01\r\n" \
	"x-ratelimit-limit-requests: 10000\r\nx-ratelimit-limit-tokens: 200000\r\n" \
	"x-ratelimit-remaining-requests: 9999\r\nx-ratelimit-remaining-tokens: 199900\r\n" \
	"x-ratelimit-reset-requests: 6ms\r\nx-ratelimit-reset-tokens: 30ms\r\n" \
	"x-request-id: req_0123456789abcdef0123456789abcdef\r\nserver: cloudflare\r\ncf-cache-status: DYNAMIC\r\n"

struct plan {
	int	 sse, burst, usage, hold, reason;
	double	 role, first, gap;
	long	 size;
};

struct conn {
	int	 fd;
	char	*in;
	size_t	 len;			/* bytes in `in` */
	size_t	 skip;			/* body bytes still to come and drop */
	bool	 body;			/* reading a body */
	struct plan plan;
	uint64_t t0;			/* end of the request, ns */
	int	 step;			/* next event of a paced stream */
	uint64_t due;			/* when it goes out; 0: none */
	size_t	 heap;			/* place in the heap */
	char	*out;
	size_t	 outlen, outpos, outcap;
};

static const char *const tokens[] = {
	" the", " gateway", " measures", " each", " token", " as", " it", " comes,", " keeps", " count,",
	" and", " moves", " on;", " harbour", " lights", " blink", " over", " grey", " water", " tonight.",
};

static int		 ep;
static struct conn	*heap[65536];
static size_t		 nheap;
static uint64_t		 requests, events;

static uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void
heap_set(size_t i, struct conn *c)
{
	heap[i] = c;
	c->heap = i;
}

static void
heap_fix(size_t i)
{
	struct conn *c = heap[i];

	while (i > 0 && heap[(i - 1) / 2]->due > c->due) {
		heap_set(i, heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	for (;;) {
		size_t k = 2 * i + 1;

		if (k >= nheap)
			break;
		if (k + 1 < nheap && heap[k + 1]->due < heap[k]->due)
			k++;
		if (heap[k]->due >= c->due)
			break;
		heap_set(i, heap[k]);
		i = k;
	}
	heap_set(i, c);
}

static void
heap_remove(struct conn *c)
{
	size_t i = c->heap;

	if (c->due == 0)
		return;
	c->due = 0;
	if (--nheap == i)
		return;
	heap_set(i, heap[nheap]);
	heap_fix(i);
}

static void
heap_put(struct conn *c, uint64_t due)
{
	heap_remove(c);
	c->due = due;
	heap_set(nheap++, c);
	heap_fix(c->heap);
}

static void
conn_free(struct conn *c)
{
	heap_remove(c);
	close(c->fd);
	free(c->in);
	free(c->out);
	free(c);
}

static bool
conn_flush(struct conn *c)
{
	while (c->outpos < c->outlen) {
		ssize_t n = send(c->fd, c->out + c->outpos, c->outlen - c->outpos, MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT, .data.ptr = c };
			return epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &ev) == 0;
		}
		if (n <= 0)
			return false;
		c->outpos += (size_t)n;
	}
	c->outpos = c->outlen = 0;
	return true;
}

static void
conn_put(struct conn *c, const char *data, size_t len)
{
	if (c->outlen + len > c->outcap) {
		c->outcap = (c->outlen + len) * 2;
		if ((c->out = realloc(c->out, c->outcap)) == NULL)
			err(1, "realloc");
	}
	memcpy(c->out + c->outlen, data, len);
	c->outlen += len;
}

static void
conn_puts(struct conn *c, const char *text)
{
	conn_put(c, text, strlen(text));
}

static void
conn_chunk(struct conn *c, const char *data, size_t len)
{
	char line[32];

	snprintf(line, sizeof line, "%zx\r\n", len);
	conn_puts(c, line);
	conn_put(c, data, len);
	conn_puts(c, "\r\n");
}

#define ENVELOPE "data: {\"id\":\"chatcmpl-BENCH0123456789abcdefghij\",\"object\":\"chat.completion.chunk\"," \
	"\"created\":1795000000,\"model\":\"gpt-bench-2026-08-01\",\"service_tier\":\"default\"," \
	"\"system_fingerprint\":\"fp_0123456789\","

/* Writes event `step` of the stream into buf: 0 is the role, then reasoning and content, then
 * the finish, the usage and [DONE]. 0 bytes: the stream has ended. */
static size_t
event_text(const struct conn *c, int step, char *buf, size_t cap)
{
	const struct plan *p = &c->plan;
	int last = 1 + p->reason + p->sse;
	uint64_t t = (now_ns() - c->t0) / 1000;

	if (step == 0)
		return (size_t)snprintf(buf, cap, ENVELOPE "\"t\":%llu,\"choices\":[{\"index\":0,\"delta\":{\"role\":"
		    "\"assistant\",\"content\":\"\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":null}]}\n\n",
		    (unsigned long long)t);
	if (step < last)
		return (size_t)snprintf(buf, cap, ENVELOPE "\"t\":%llu,\"choices\":[{\"index\":0,\"delta\":{\"%s\":"
		    "\"%s\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n", (unsigned long long)t,
		    step <= p->reason ? "reasoning_content" : "content",
		    tokens[(size_t)step % (sizeof tokens / sizeof *tokens)]);
	if (step == last)
		return (size_t)snprintf(buf, cap, ENVELOPE "\"t\":%llu,\"choices\":[{\"index\":0,\"delta\":{},"
		    "\"logprobs\":null,\"finish_reason\":\"stop\"}]}\n\n", (unsigned long long)t);
	if (step == last + 1 && p->usage)
		return (size_t)snprintf(buf, cap, ENVELOPE "\"choices\":[],\"usage\":{\"prompt_tokens\":17,"
		    "\"completion_tokens\":%d,\"total_tokens\":%d}}\n\n", p->sse + p->reason, 17 + p->sse + p->reason);
	if (step == last + 1 + p->usage)
		return (size_t)snprintf(buf, cap, "data: [DONE]\n\n");
	return 0;
}

static void
stream_event(struct conn *c)
{
	char buf[1024];
	size_t n = event_text(c, c->step, buf, sizeof buf);

	if (n == 0) {
		conn_puts(c, "0\r\n\r\n");
		heap_remove(c);
		return;
	}
	conn_chunk(c, buf, n);
	c->step++;
	events++;
}

/* When event `step` is due, in ms after the request; negative: at once. */
static double
event_time(const struct plan *p, int step)
{
	if (step == 0)
		return p->role;
	if (step <= p->reason + p->sse)
		return p->first + p->gap * (step - 1);
	return -1;
}

static void
stream_run(struct conn *c)
{
	int end = 1 + c->plan.reason + c->plan.sse + 2 + c->plan.usage;

	for (;;) {
		double ms = c->step < end ? event_time(&c->plan, c->step) : -1;
		uint64_t due = ms < 0 ? 0 : c->t0 + (uint64_t)(ms * 1e6);

		if (due > now_ns()) {
			heap_put(c, due);
			return;
		}
		stream_event(c);
		if (c->plan.hold) {
			heap_remove(c);
			return;
		}
		if (c->step >= end) {
			conn_puts(c, "0\r\n\r\n");
			heap_remove(c);
			return;
		}
	}
}

static void
stream_burst(struct conn *c)
{
	char *all = malloc(65536 + 400 * (size_t)(c->plan.sse + 4)), buf[1024];
	size_t len = 0, n;

	if (all == NULL)
		err(1, "malloc");
	for (int i = 0; (n = event_text(c, i, buf, sizeof buf)) > 0; i++) {
		memcpy(all + len, buf, n);
		len += n;
		events++;
	}
	conn_chunk(c, all, len);
	conn_puts(c, "0\r\n\r\n");
	free(all);
}

static void
plain(struct conn *c)
{
	static const char head[] = "{\n  \"id\": \"chatcmpl-BENCH0123456789\",\n  \"object\": \"chat.completion\",\n"
	    "  \"created\": 1795000000,\n  \"model\": \"gpt-bench-2026-08-01\",\n  \"choices\": [\n    {\n"
	    "      \"index\": 0,\n      \"message\": {\n        \"role\": \"assistant\",\n        \"content\": \"";
	static const char tail[] = "\",\n        \"refusal\": null,\n        \"annotations\": []\n      },\n"
	    "      \"logprobs\": null,\n      \"finish_reason\": \"stop\"\n    }\n  ],\n  \"usage\": {\n"
	    "    \"prompt_tokens\": 170,\n    \"completion_tokens\": 64,\n    \"total_tokens\": 234,\n"
	    "    \"prompt_tokens_details\": {\"cached_tokens\": 0, \"audio_tokens\": 0},\n"
	    "    \"completion_tokens_details\": {\"reasoning_tokens\": 0, \"audio_tokens\": 0}\n  },\n"
	    "  \"service_tier\": \"default\",\n  \"system_fingerprint\": \"fp_0123456789\"\n}\n";
	size_t want = c->plan.size > 0 ? (size_t)c->plan.size : 1100, fixed = sizeof head + sizeof tail - 2;
	size_t text = want > fixed ? want - fixed : 0;
	char line[160];

	snprintf(line, sizeof line, "HTTP/1.1 200 OK\r\n" "content-type: application/json\r\ncontent-length: %zu\r\n",
	    fixed + text);
	conn_puts(c, line);
	conn_puts(c, HEADS "\r\n");
	conn_puts(c, head);
	for (size_t i = requests; text > 0; i++) {
		const char *w = tokens[(i * 7 + i / 5) % (sizeof tokens / sizeof *tokens)];
		size_t n = strlen(w) < text ? strlen(w) : text;

		conn_put(c, w, n);
		text -= n;
	}
	conn_puts(c, tail);
}

static void
stats(struct conn *c)
{
	char body[128], head[160];

	snprintf(body, sizeof body, "{\"requests\":%llu,\"events\":%llu}\n", (unsigned long long)requests,
	    (unsigned long long)events);
	snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n",
	    strlen(body));
	conn_puts(c, head);
	conn_puts(c, body);
}

static void
answer(struct conn *c)
{
	if (c->plan.size == -1) {
		stats(c);
		return;
	}
	requests++;
	c->t0 = now_ns();
	c->step = 0;
	if (c->plan.sse == 0 && !c->plan.hold) {
		plain(c);
		return;
	}
	conn_puts(c, "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
	    "transfer-encoding: chunked\r\ncache-control: no-cache\r\n" HEADS "\r\n");
	if (c->plan.burst)
		stream_burst(c);
	else
		stream_run(c);
}

static double
number(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *p = text; (p = strstr(p, key)) != NULL; p += n)
		if ((p == text || p[-1] == ',' || p[-1] == ' ') && p[n] == '=')
			return atof(p + n + 1);
	return 0;
}

static void
plan_read(struct plan *p, char *head)
{
	char *line = strcasestr(head, "\r\nx-mock:"), *end;

	memset(p, 0, sizeof *p);
	if (strncmp(head, "GET /stats", 10) == 0)
		p->size = -1;
	if (line == NULL)
		return;
	line += 9;
	end = strstr(line, "\r\n");
	*end = '\0';
	p->sse = (int)number(line, "sse");
	p->burst = (int)number(line, "burst");
	p->usage = (int)number(line, "usage");
	p->hold = (int)number(line, "hold");
	p->reason = (int)number(line, "reason");
	p->role = number(line, "role");
	p->first = number(line, "first");
	p->gap = number(line, "gap");
	p->size = (long)number(line, "size");
	*end = '\r';
}

/* Takes what is whole out of the input and answers it. */
static void
conn_parse(struct conn *c)
{
	for (;;) {
		char *end, *cl;
		size_t n;

		if (c->body) {
			n = c->skip < c->len ? c->skip : c->len;
			memmove(c->in, c->in + n, c->len - n);
			c->len -= n;
			c->skip -= n;
			if (c->skip > 0)
				return;
			c->body = false;
			answer(c);
			continue;
		}
		c->in[c->len] = '\0';
		if ((end = strstr(c->in, "\r\n\r\n")) == NULL)
			return;
		end[2] = '\0';
		plan_read(&c->plan, c->in);
		cl = strcasestr(c->in, "\r\ncontent-length:");
		c->skip = cl != NULL ? strtoul(cl + 17, NULL, 10) : 0;
		c->body = true;
		n = (size_t)(end + 4 - c->in);
		memmove(c->in, c->in + n, c->len - n);
		c->len -= n;
	}
}

static bool
conn_read(struct conn *c)
{
	for (;;) {
		ssize_t n = recv(c->fd, c->in + c->len, IN_MAX - 1 - c->len, 0);

		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return true;
		if (n <= 0)
			return false;
		c->len += (size_t)n;
		if (c->body && c->skip > c->len) {	/* a large body: no parse, no copy */
			c->skip -= c->len;
			c->len = 0;
			continue;
		}
		conn_parse(c);
		if (!conn_flush(c))
			return false;
		if ((size_t)n < IN_MAX / 4)
			return true;
	}
}

static void
accept_all(int listener)
{
	int fd, one = 1;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		struct conn *c = calloc(1, sizeof *c);
		struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };

		if (c == NULL || (c->in = malloc(IN_MAX)) == NULL)
			err(1, "malloc");
		c->fd = fd;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) != 0)
			err(1, "epoll_ctl");
	}
}

static void
run_timers(void)
{
	while (nheap > 0 && heap[0]->due <= now_ns()) {
		struct conn *c = heap[0];

		stream_run(c);
		if (!conn_flush(c))
			conn_free(c);
	}
}

static void
loop(int listener)
{
	struct epoll_event evs[256];

	for (;;) {
		struct timespec ts, *wait = NULL;
		int n;

		if (nheap > 0) {
			uint64_t t = now_ns(), d = heap[0]->due > t ? heap[0]->due - t : 0;

			ts = (struct timespec){ .tv_sec = (time_t)(d / 1000000000u), .tv_nsec = (long)(d % 1000000000u) };
			wait = &ts;
		}
		n = epoll_pwait2(ep, evs, 256, wait, NULL);
		for (int i = 0; i < n; i++) {
			struct conn *c = evs[i].data.ptr;

			if (c == NULL)
				accept_all(listener);
			else if (c == (void *)&ep) {
				char b;

				if (read(0, &b, 1) <= 0)
					exit(0);
			} else {
				bool good = true;

				if (evs[i].events & EPOLLOUT)
					good = conn_flush(c);
				if (good && (evs[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
					good = conn_read(c);
				if (!good)
					conn_free(c);
			}
		}
		run_timers();
	}
}

int
main(void)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = NULL };
	struct rlimit rl;
	socklen_t len = sizeof sin;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	getrlimit(RLIMIT_NOFILE, &rl);
	rl.rlim_cur = rl.rlim_max;
	setrlimit(RLIMIT_NOFILE, &rl);
	ep = epoll_create1(0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sin, sizeof sin) != 0 || listen(fd, 4096) != 0 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) != 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) != 0)
		err(1, "listen");
	ev.data.ptr = &ep;
	epoll_ctl(ep, EPOLL_CTL_ADD, 0, &ev);	/* fails for a plain file: then it is ended by a signal */
	printf("%d\n", ntohs(sin.sin_port));
	fflush(stdout);
	loop(fd);
	return 0;
}
