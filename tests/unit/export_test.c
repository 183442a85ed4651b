/* SPDX-License-Identifier: Apache-2.0 */
/* What sinks keep in files, how long they wait, and how they read answers. */
#include <errno.h>
#include <fcntl.h>

#include "base/base.h"
#include "base/file.h"
#include "core/jscan.h"
#include "export/backoff.h"
#include "export/dead.h"
#include "export/kind.h"
#include "export/pack.h"
#include "export/resend.h"
#include "export/state.h"
#include "span/inflate.h"
#include "store_test.h"

static void
test_backoff(void)
{
	uint64_t most = 0, sum = 0;

	for (uint64_t r = 0; r < 10000; r++) {
		uint64_t p = backoff_pause(3, 1000, 60000, 0, r * 7919);

		most = p > most ? p : most;
		sum += p;
	}
	ok(most <= 4000 && most > 3900);		/* 1000 * 2^2, all of it at random */
	ok(sum / 10000 > 1800 && sum / 10000 < 2200);
	ok(backoff_pause(1, 1000, 60000, 0, 1000) == 1000 && backoff_pause(1, 1000, 60000, 0, 1001) == 0);
	ok(backoff_pause(4000000000u, 1000, 60000, 0, 60000) == 60000);
	ok(backoff_pause(64, UINT64_C(1) << 40, UINT64_C(1) << 41, 0, UINT64_MAX) <= UINT64_C(1) << 41);
	ok(backoff_pause(1, 1000, 60000, 5000000, 12345) >= 5000000);
	ok(backoff_pause(1, 1000, 60000, 5000000, 12345) <= 5000250);
	ok(backoff_pause(1, 1000, 60000, UINT64_MAX, 0) == BACKOFF_ASKED_MOST);
}

static void
test_state(void)
{
	struct export_state s = { .place = { 5, 7, 9 }, .sent = 11, .gone = 2, .sent_at = 1700000000000000,
	    .error = "HTTP 500: \"\\\x01\n", .problem = "none" }, t;

	ok(!state_read(test_dir, &t) && errno == ENOENT);
	ok(state_write(test_dir, &s) && state_read(test_dir, &t));
	ok(memcmp(&s.place, &t.place, sizeof(s.place)) == 0 && t.sent == 11 && t.gone == 2 && t.sent_at == s.sent_at);
	ok(strcmp(t.error, s.error) == 0 && strcmp(t.problem, "none") == 0);
	ok(file_put(test_dir, "state", SLICE("{\"n\":5")) && !state_read(test_dir, &t) && errno == EILSEQ);
	ok(file_put(test_dir, "state", SLICE("")) && !state_read(test_dir, &t) && errno == EILSEQ);
	ok(!state_parse(SLICE("{\"n\":-1}"), &t));
}

static struct dead_letter
letter(uint8_t n)
{
	struct dead_letter d = { .time_us = 1700000000000000 + n, .status = 422, .text = "why \"not\"" };

	memset(d.id, n, 16);
	return d;
}

static bool
is_odd(const struct dead_letter *d, void *arg)
{
	(void)arg;
	return d->id[0] & 1;
}

static void
torn_append(const char *text)
{
	char path[100];
	int fd;

	snprintf(path, sizeof(path), "%s/dead", test_dir);
	fd = open(path, O_WRONLY | O_APPEND);
	ok(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void
test_dead(void)
{
	struct dead_letter d;
	struct dead dead;

	ok(dead_open(&dead, test_dir) && dead.n == 0);
	for (uint8_t i = 1; i <= 5; i++) {
		d = letter(i);
		ok(dead_add(&dead, &d));
	}
	d = letter(3);
	snprintf(d.text, sizeof(d.text), "again");
	ok(dead_add(&dead, &d) && dead.n == 5);
	dead_close(&dead);
	torn_append("{\"id\":\"0404");			/* a crash while one was written */
	ok(dead_open(&dead, test_dir) && dead.n == 5);
	ok(dead_find(&dead, letter(3).id)->tries == 2 && strcmp(dead_find(&dead, letter(3).id)->text, "again") == 0);
	ok(strcmp(dead_find(&dead, letter(2).id)->text, "why \"not\"") == 0 && dead_find(&dead, letter(2).id)->status == 422);
	d = letter(6);
	ok(dead_add(&dead, &d));			/* does not become part of the torn line */
	dead_close(&dead);
	ok(dead_open(&dead, test_dir) && dead.n == 6);
	ok(dead_remove(&dead, is_odd, NULL) == 3 && dead.n == 3);
	ok(dead_remove(&dead, is_odd, NULL) == 0);
	dead_close(&dead);
	ok(dead_open(&dead, test_dir) && dead.n == 3 && dead.list[0].id[0] == 2 && dead.list[2].id[0] == 6);
	ok(dead_room(&dead, 9997) && !dead_room(&dead, 9998));
	dead_close(&dead);
}

static void
test_resend(void)
{
	uint8_t ids[2][16] = { { 1 }, { 2 } };
	struct resend r = { .ids = ids, .n = 2 }, got;
	char answer[200];

	ok(!resend_look(test_dir, &got));
	ok(resend_ask(test_dir, &r) && !resend_ask(test_dir, &r) && errno == EEXIST);
	ok(resend_look(test_dir, &got) && got.n == 2 && !got.all && !got.drop && memcmp(got.ids, ids, sizeof(ids)) == 0);
	resend_free(&got);
	ok(!resend_answered(test_dir, answer));
	resend_answer(test_dir, "2 sent");
	ok(!resend_look(test_dir, &got));
	ok(resend_answered(test_dir, answer) && strcmp(answer, "2 sent") == 0 && !resend_answered(test_dir, answer));
	ok(resend_ask(test_dir, &(struct resend){ .all = true, .drop = true }));
	ok(resend_look(test_dir, &got) && got.all && got.drop);
	resend_take_back(test_dir);
	ok(file_put(test_dir, "resend", SLICE("send\n0102\n")) && !resend_look(test_dir, &got));
	ok(resend_answered(test_dir, answer));		/* who asked is told */
}

static enum export_outcome
judged(unsigned status, const char *body, struct export_verdict *v)
{
	struct export_answer a = { status, slice_str(body) };

	export_judge(&a, v);
	export_respan.judge(NULL, &a, v);
	return v->outcome;
}

static void
test_judge(void)
{
	static const struct { unsigned status; enum export_outcome outcome; } table[] = {
		{ 0, EXPORT_AGAIN }, { 200, EXPORT_TAKEN }, { 204, EXPORT_TAKEN }, { 301, EXPORT_HOLD },
		{ 400, EXPORT_REFUSED }, { 401, EXPORT_HOLD }, { 403, EXPORT_HOLD }, { 404, EXPORT_HOLD },
		{ 408, EXPORT_AGAIN }, { 413, EXPORT_SPLIT }, { 422, EXPORT_REFUSED }, { 429, EXPORT_AGAIN },
		{ 500, EXPORT_AGAIN }, { 503, EXPORT_AGAIN }, { 599, EXPORT_AGAIN },
	};
	struct export_verdict v = { .room = 0 };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		ok(judged(table[i].status, "", &v) == table[i].outcome);
	ok(judged(422, "{\"detail\":\"a\n b\"}", &v) == EXPORT_REFUSED && strstr(v.text, "HTTP 422: {\"detail\":\"a  b\"}"));
	ok(judged(200, "{\"errors\":[{\"index\":3,\"member\":\"cost\",\"message\":\"must be a number\"},"
	    "{\"index\":-1},7]}", &v) ==
	    EXPORT_TAKEN && v.nrefused == 1 && v.refused[0].index == 3);
	ok(strcmp(v.refused[0].text, "cost: must be a number") == 0);
	ok(judged(200, "{\"results\":[{\"status\":\"success\"},{\"status\":\"error\"}]}", &v) == EXPORT_TAKEN &&
	    v.nrefused == 1 && v.refused[0].index == 1);
	ok(judged(200, "{\"errors\":\"many\",\"results\":7}", &v) == EXPORT_TAKEN && v.nrefused == 0);
	ok(judged(200, "not JSON", &v) == EXPORT_TAKEN && v.nrefused == 0 && *v.text == '\0');
	ok(judged(500, "{\"errors\":[{\"index\":0}]}", &v) == EXPORT_AGAIN && v.nrefused == 0);
	export_verdict_free(&v);
}

static void
request_of(const struct export_item *item, enum sink_bodies bodies, struct buf *body)
{
	struct sink_config c = { .bodies = bodies };
	struct export_request r = { .config = &c };

	buf_init(&r.headers, 1000);
	buf_init(&r.body, 1 << 26);
	export_respan.begin(&r);
	ok(export_respan.add(&r, item));
	r.items++;
	ok(export_respan.add(&r, item));
	export_respan.finish(&r);
	*body = r.body;
}

static bool
has(const struct buf *b, const char *text)
{
	return memmem(b->ptr, b->len, text, strlen(text)) != NULL;
}

static void
test_respan(void)
{
	struct span s = test_span(1);
	struct export_item item = { .span = &s, .scores = SLICE("{}") };
	struct jvalue v;
	struct buf body;

	s.id = SLICE("00000000000000000000000000000001");
	s.input = SLICE("\"q\"");
	s.full_request = SLICE("{\"model\":\"m\"}");
	s.temperature = SLICE("\"hot\"");
	s.top_p = SLICE("0.5");
	s.cost = (span_COST){ true, 1234567 };
	s.extra = SLICE("{\"own\":[1]}");
	request_of(&item, SINK_BODIES_FULL, &body);
	ok(jscan_check(buf_view(&body), &v, NULL) == JSCAN_END && v.kind == JARRAY);
	ok(has(&body, "\"cost\":0.000001234567,") && has(&body, "\"own\":[1]") &&
	    has(&body, "\"full_request\":{\"model\":\"m\"}"));
	ok(has(&body, "\"trace_unique_id\":\"00000000000000000000000000000001\"") &&
	    has(&body, "\"span_unique_id\":\"00000000000000000000000000000001\"") && !has(&body, "\"id\""));
	ok(!has(&body, "hot") && has(&body, "\"top_p\":0.5"));	/* what it would be refused for is left out */
	buf_free(&body);
	request_of(&item, SINK_BODIES_TEXTS, &body);
	ok(has(&body, "\"input\":\"q\"") && !has(&body, "full_request"));
	buf_free(&body);
	s.trace_unique_id = SLICE("T");
	s.span_unique_id = SLICE("S");
	request_of(&item, SINK_BODIES_NONE, &body);
	ok(!has(&body, "\"input\"") && !has(&body, "own") && has(&body, "\"trace_unique_id\":\"T\",\"span_unique_id\":\"S\""));
	buf_free(&body);
	item.doubled = true;
	request_of(&item, SINK_BODIES_NONE, &body);
	ok(has(&body, "\"trace_unique_id\":\"T\",\"span_unique_id\":\"00000000000000000000000000000001\""));
	buf_free(&body);
}

/* A span above what the target takes goes without its bodies. */
static void
test_respan_large(void)
{
	size_t size = 21 << 20;
	char *text = xmalloc(size);
	struct span s = test_span(1);
	struct export_item item = { .span = &s, .scores = SLICE("{}") };
	struct buf body;

	memset(text, 'x', size);
	text[0] = text[size - 1] = '"';
	s.id = SLICE("00000000000000000000000000000001");
	s.full_request = slice_make(text, size);
	s.input = SLICE("\"q\"");
	request_of(&item, SINK_BODIES_FULL, &body);
	ok(body.len < 10000 && has(&body, "\"input\":\"q\""));
	buf_free(&body);
	s.input = slice_make(text, size);
	request_of(&item, SINK_BODIES_FULL, &body);
	ok(body.len < 10000 && !has(&body, "\"input\"") && has(&body, "\"model\":\"gpt-4o\""));
	buf_free(&body);
	free(text);
}

static bool
unpack(const char *coding, struct slice bytes, struct buf *out)
{
	struct inflate in;
	bool good = inflate_init(&in, slice_str(coding)) == INFLATE_OK && inflate_feed(&in, bytes, out) == INFLATE_OK &&
	    inflate_complete(&in);

	inflate_free(&in);
	return good;
}

static void
test_pack(void)
{
	static const struct { enum sink_coding coding; const char *name; } table[] = {
		{ SINK_GZIP, "gzip" }, { SINK_ZSTD, "zstd" },
	};
	struct buf out, back;
	char text[5000];

	memset(text, 'a', sizeof(text));
	buf_init(&out, 1 << 20);
	buf_init(&back, 1 << 20);
	ok(pack(SINK_PLAIN, slice_make(text, sizeof(text)), &out) == NULL);
	for (size_t i = 0; i < 2; i++) {
		const char *name = pack(table[i].coding, slice_make(text, sizeof(text)), &out);

		buf_clear(&back);
		ok(name != NULL && strcmp(name, table[i].name) == 0 && out.len < 200);
		ok(unpack(name, buf_view(&out), &back) && back.len == sizeof(text) &&
		    memcmp(back.ptr, text, back.len) == 0);
	}
	buf_free(&out);
	buf_free(&back);
}

int
main(void)
{
	test_dir_make();
	test_backoff();
	test_state();
	test_dead();
	test_resend();
	test_judge();
	test_respan();
	test_respan_large();
	test_pack();
	test_dir_remove();
	return done();
}
