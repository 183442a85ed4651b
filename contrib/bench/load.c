/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load: a driver for measuring. One thread, epoll, keep-alive connections.
 *
 *   load -p PORT -b BODIES [-m X-MOCK] [-c CONNECTIONS] [-n REQUESTS] [-r RATE] [-H HEADER] [-k]
 *
 * BODIES holds one JSON body a line; they are sent in turn. Without -r each
 * connection sends its next request when the answer is whole (closed loop);
 * with -r requests start at that rate whatever the answers do (open loop), and
 * latency counts from the time at which a request was due, so that waiting for
 * a free connection is in it. -k: answers are streams that stay open; prints
 * "open" when the first byte of each has come, waits for the end of standard
 * input, and ends.
 * Prints one JSON line.
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
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum state { IDLE, WRITING, HEAD, SIZED, CHUNK_LINE, CHUNK, CHUNK_END, TRAILER, HELD };

struct conn {
	int	 fd;
	enum state state;
	uint64_t due, first;		/* ns */
	char	 head[65536];
	size_t	 headlen;
	size_t	 left;			/* body or chunk bytes to come */
	char	 line[64];
	size_t	 linelen;
	const char *req;		/* request text being written */
	size_t	 reqlen, reqpos;
	bool	 last;			/* last chunk seen */
};

static int		 ep, nconns = 1;
static struct conn	*conns;
static unsigned long	 total = 1000, started, done, failed, bytes;
static double		 rate;
static bool		 keep_open;
static char		**texts;	/* whole requests, head and body */
static size_t		*lengths, ntexts;
static uint32_t		*latency, *ttfb; /* µs */
static unsigned long	 nheld;

static uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void
texts_load(const char *file, int port, const char *mock, const char *header)
{
	FILE *f = fopen(file, "r");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (f == NULL)
		err(1, "%s", file);
	while ((n = getline(&line, &cap, f)) > 0) {
		char head[1024];
		int h;

		while (n > 0 && line[n - 1] == '\n')
			n--;
		h = snprintf(head, sizeof head, "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
		    "Accept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\nAccept: application/json\r\n"
		    "Content-Type: application/json\r\nUser-Agent: OpenAI/Python 2.54.0\r\n"
		    "X-Stainless-Lang: python\r\nX-Stainless-Package-Version: 2.54.0\r\nX-Stainless-OS: Linux\r\n"
		    "X-Stainless-Arch: x64\r\nX-Stainless-Runtime: CPython\r\nX-Stainless-Runtime-Version: 3.11.2\r\n"
		    "Authorization: Bearer sk-bench-0123456789abcdef0123456789\r\nX-Stainless-Async: false\r\n"
		    "x-stainless-retry-count: 0\r\nx-stainless-read-timeout: 600\r\n%s%s%s%s%sContent-Length: %zd\r\n\r\n",
		    port, mock != NULL ? "x-mock: " : "", mock != NULL ? mock : "", mock != NULL ? "\r\n" : "",
		    header != NULL ? header : "", header != NULL ? "\r\n" : "", n);
		texts = realloc(texts, (ntexts + 1) * sizeof *texts);
		lengths = realloc(lengths, (ntexts + 1) * sizeof *lengths);
		if (texts == NULL || lengths == NULL || (texts[ntexts] = malloc((size_t)h + (size_t)n)) == NULL)
			err(1, "malloc");
		memcpy(texts[ntexts], head, (size_t)h);
		memcpy(texts[ntexts] + h, line, (size_t)n);
		lengths[ntexts++] = (size_t)h + (size_t)n;
	}
	if (ntexts == 0)
		errx(1, "%s: empty", file);
	free(line);
	fclose(f);
}

static void
conn_open(struct conn *c, int port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	    .sin_port = htons((uint16_t)port) };
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&sin, sizeof sin) != 0)
		err(1, "connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev) != 0)
		err(1, "epoll_ctl");
	c->state = IDLE;
}

static void
conn_want(struct conn *c, uint32_t what)
{
	struct epoll_event ev = { .events = what, .data.ptr = c };

	epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &ev);
}

static void
conn_write(struct conn *c)
{
	while (c->reqpos < c->reqlen) {
		ssize_t n = send(c->fd, c->req + c->reqpos, c->reqlen - c->reqpos, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0) {
			if (errno != EAGAIN)
				errx(1, "the server closed while a request was written");
			conn_want(c, EPOLLIN | EPOLLOUT);
			return;
		}
		c->reqpos += (size_t)n;
		if (c->reqpos == c->reqlen && c->state == WRITING) {
			c->state = HEAD;
			conn_want(c, EPOLLIN);
		}
	}
}

static void
conn_start(struct conn *c, uint64_t due)
{
	size_t i = started++ % ntexts;

	c->due = due;
	c->first = 0;
	c->headlen = 0;
	c->last = false;
	c->req = texts[i];
	c->reqlen = lengths[i];
	c->reqpos = 0;
	c->state = HEAD;
	conn_write(c);
}

static void
conn_done(struct conn *c)
{
	uint64_t t = now_ns();

	latency[done] = (uint32_t)((t - c->due) / 1000);
	ttfb[done++] = (uint32_t)((c->first - c->due) / 1000);
	c->state = IDLE;
	if (rate == 0 && started < total)
		conn_start(c, now_ns());
}

/* The head is whole: finds out the body's framing. */
static void
conn_head(struct conn *c)
{
	char *p;

	c->head[c->headlen] = '\0';
	if (strncmp(c->head, "HTTP/1.1 200", 12) != 0) {
		if (failed++ == 0)
			warnx("answer: %.300s", c->head);
	}
	if ((p = strcasestr(c->head, "\r\ncontent-length:")) != NULL) {
		c->left = strtoul(p + 17, NULL, 10);
		c->state = SIZED;
	} else {
		c->linelen = 0;
		c->state = CHUNK_LINE;
	}
	if (keep_open) {
		c->state = HELD;
		nheld++;
	}
}

/* Walks over what has come; returns false when the answer is whole. */
static void
conn_bytes(struct conn *c, const char *p, size_t n)
{
	while (n > 0) {
		size_t k;

		switch (c->state) {
		case HEAD:
			c->head[c->headlen++] = *p++;
			n--;
			if (c->headlen >= 4 && memcmp(c->head + c->headlen - 4, "\r\n\r\n", 4) == 0)
				conn_head(c);
			if (c->headlen == sizeof c->head - 1)
				errx(1, "answer head too long");
			break;
		case SIZED:
		case CHUNK:
			k = n < c->left ? n : c->left;
			p += k;
			n -= k;
			bytes += k;
			c->left -= k;
			if (c->left == 0 && c->state == SIZED) {
				conn_done(c);
				return;
			}
			if (c->left == 0)
				c->state = CHUNK_END, c->left = 2;
			break;
		case CHUNK_LINE:
			if (c->linelen == sizeof c->line - 1)
				errx(1, "chunk line too long");
			c->line[c->linelen++] = *p++;
			n--;
			if (p[-1] == '\n') {
				c->left = strtoul(c->line, NULL, 16);
				c->linelen = 0;
				c->state = CHUNK;
				if (c->left == 0)
					c->state = CHUNK_END, c->left = 2, c->last = true;
			}
			break;
		case CHUNK_END:
			p++;
			n--;
			if (--c->left == 0) {
				if (c->last) {
					conn_done(c);
					return;
				}
				c->state = CHUNK_LINE;
			}
			break;
		default:
			return;
		}
	}
}

static void
conn_read(struct conn *c)
{
	static char buf[262144];
	ssize_t n = recv(c->fd, buf, sizeof buf, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		errx(1, "the server closed a connection in state %d after %lu answers", (int)c->state, done);
	if (c->first == 0)
		c->first = now_ns();
	conn_bytes(c, buf, (size_t)n);
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void
print_quantiles(const char *name, uint32_t *v)
{
	qsort(v, done, sizeof *v, compare);
	printf(", \"%s_p50\": %u, \"%s_p99\": %u, \"%s_max\": %u", name, v[done / 2], name, v[done * 99 / 100], name,
	    v[done - 1]);
}

/* One round of the loop; waits at most so many ns for something to happen. */
static void
turn(uint64_t wait)
{
	struct timespec ts = { .tv_sec = (time_t)(wait / 1000000000u), .tv_nsec = (long)(wait % 1000000000u) };
	struct epoll_event evs[256];
	int n = epoll_pwait2(ep, evs, 256, &ts, NULL);

	for (int i = 0; i < n; i++) {
		struct conn *c = evs[i].data.ptr;

		if (evs[i].events & EPOLLOUT) {
			conn_write(c);
			if (c->reqpos == c->reqlen)
				conn_want(c, EPOLLIN);
		}
		if (evs[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			conn_read(c);
	}
}

static struct conn *
conn_idle(void)
{
	static int at;

	for (int i = 0; i < nconns; i++)
		if (conns[at = (at + 1) % nconns].state == IDLE)
			return &conns[at];
	return NULL;
}

static void
run_open(void)
{
	uint64_t t0 = now_ns();

	while (done < total) {
		uint64_t t = now_ns(), due;
		struct conn *c;

		while (started < total && (due = t0 + (uint64_t)((double)started * 1e9 / rate)) <= t &&
		    (c = conn_idle()) != NULL)
			conn_start(c, due);
		due = t0 + (uint64_t)((double)started * 1e9 / rate);
		t = now_ns();
		turn(started == total || conn_idle() == NULL ? 100000000 : due > t ? due - t : 0);
	}
}

int
main(int argc, char **argv)
{
	const char *file = NULL, *mock = NULL, *header = NULL;
	int port = 0, opt;
	uint64_t t0;
	double took;

	while ((opt = getopt(argc, argv, "p:b:m:c:n:r:H:k")) != -1) {
		switch (opt) {
		case 'p': port = atoi(optarg); break;
		case 'b': file = optarg; break;
		case 'm': mock = optarg; break;
		case 'c': nconns = atoi(optarg); break;
		case 'n': total = strtoul(optarg, NULL, 10); break;
		case 'r': rate = atof(optarg); break;
		case 'H': header = optarg; break;
		case 'k': keep_open = true; break;
		default: errx(2, "usage: load -p PORT -b BODIES [-m MOCK] [-c N] [-n N] [-r RATE] [-H HEADER] [-k]");
		}
	}
	if (port == 0 || file == NULL || nconns < 1 || total < 1)
		errx(2, "-p and -b are needed");
	texts_load(file, port, mock, header);
	ep = epoll_create1(0);
	conns = calloc((size_t)nconns, sizeof *conns);
	latency = calloc(total, sizeof *latency);
	ttfb = calloc(total, sizeof *ttfb);
	if (ep < 0 || conns == NULL || latency == NULL || ttfb == NULL)
		err(1, "start");
	for (int i = 0; i < nconns; i++)
		conn_open(&conns[i], port);
	t0 = now_ns();
	if (rate > 0)
		run_open();
	else {
		for (int i = 0; i < nconns && started < total; i++)
			conn_start(&conns[i], now_ns());
		while (done < total && !(keep_open && nheld == (unsigned long)nconns))
			turn(1000000000);
	}
	if (keep_open) {
		char b;

		printf("open\n");
		fflush(stdout);
		return read(0, &b, 1) < 0;
	}
	took = (double)(now_ns() - t0) / 1e9;
	printf("{\"requests\": %lu, \"failed\": %lu, \"seconds\": %.6f, \"bytes\": %lu", done, failed, took, bytes);
	print_quantiles("us", latency);
	print_quantiles("ttfb", ttfb);
	printf("}\n");
	return failed > 0;
}
