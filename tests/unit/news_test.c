/* SPDX-License-Identifier: Apache-2.0 */
/* What is new in the store for who follows it: new rows, changes, numbers that are taken anew,
 * a store that went back. */
#include "store/news.h"

#include "store_test.h"

static const struct store_ops *ops = &store_sqlite;
static struct store *writer, *reader;
static struct store_new list[16];
static struct store_place place;
static struct store_news news;

static void
put(unsigned n)
{
	struct span span = test_span(n);

	ok(ops->begin(writer) == STORE_OK && ops->put(writer, &span, SLICE_NONE) == STORE_OK &&
	    ops->commit(writer) == STORE_OK);
}

static void
put_named(unsigned n, const char *span_id)
{
	struct span span = test_span(n);

	span.trace_unique_id = SLICE("T");
	span.span_unique_id = slice_str(span_id);
	ok(ops->begin(writer) == STORE_OK && ops->put(writer, &span, SLICE_NONE) == STORE_OK &&
	    ops->commit(writer) == STORE_OK);
}

static void
edit(unsigned n, const char *json)
{
	struct span span = test_span(n);

	ok(ops->begin(writer) == STORE_OK && ops->edit(writer, span.id16, slice_str(json)) == STORE_OK &&
	    ops->commit(writer) == STORE_OK);
}

/* A look with so much room; what it finds as text: numbers, changes with a *, doubles with a ". */
static const char *
look(size_t room)
{
	static char text[200];
	size_t len = 0;

	news = (struct store_news){ .list = list, .room = room };
	text[0] = '\0';
	if (ops->news(reader, &place, &news) != STORE_OK)
		return "error";
	for (size_t i = 0; i < news.count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%lld%s%s", i ? " " : "", (long long)list[i].n,
		    list[i].rev ? "*" : "", list[i].doubled ? "\"" : "");
	return text;
}

/* The same, and all of it is dealt with. */
static const char *
take(size_t room)
{
	const char *text = look(room);

	place = news.place;
	return text;
}
#define IS(text, want) ok(strcmp(text, want) == 0)

static void
test_rows(void)
{
	ok(ops->news_from(reader, true, &place) == STORE_OK && place.n == 0);
	IS(take(16), "");
	for (unsigned i = 1; i <= 5; i++)
		put(i);
	IS(look(0), "");
	ok(news.ahead == 5);
	IS(look(3), "1 2 3");
	place = news.start;
	store_place_pass(&place, &list[0]);	/* one of them, then a restart */
	IS(take(16), "2 3 4 5");
	IS(take(16), "");
	ok(news.ahead == 0 && news.gone == 0);
	ok(ops->news_from(reader, true, &place) == STORE_OK && place.n == 0);
	ok(ops->news_from(reader, false, &place) == STORE_OK && place.n == 5);
	IS(take(16), "");
}

/* Without a follower changes are not noted; with one they are, each row once. */
static void
test_changes(void)
{
	edit(2, "{\"patch\":{\"note\":\"unnoticed\"}}");
	IS(take(16), "");
	ok(ops->follow(writer, true, 0) == STORE_OK);
	edit(2, "{\"patch\":{\"note\":\"a\"}}");
	edit(4, "{\"patch\":{\"note\":\"b\"}}");
	edit(2, "{\"patch\":{\"note\":\"c\"}}");
	put(6);
	edit(6, "{\"patch\":{\"note\":\"d\"}}");
	IS(look(16), "4* 2* 6");	/* what is new is no change */
	place = news.start;
	store_place_pass(&place, &list[0]);
	IS(look(16), "2* 6");
	place = news.start;
	IS(take(2), "2* 6");		/* half of the room is for changes: the first two of them */
	IS(take(16), "6*");
	IS(take(16), "");
	ok(ops->follow(writer, true, place.rev) == STORE_OK);
	place.rev = 0;
	IS(look(16), "");	/* they are forgotten */
	place = news.place;
	edit(3, "{\"patch\":{\"note\":\"x\"}}");
	ok(ops->follow(writer, false, 0) == STORE_OK);
	IS(take(16), "");	/* nobody follows any more */
	ok(ops->follow(writer, true, 0) == STORE_OK);
}

/* The number of the last row is taken anew once it is deleted. */
static void
test_numbers(void)
{
	IS(take(16), "");
	edit(6, "{\"delete\":true}");
	edit(5, "{\"delete\":true}");
	IS(look(16), "");	/* the place is above the last row */
	put(7);
	put(8);
	put(9);
	edit(8, "{\"patch\":{\"note\":\"y\"}}");
	edit(4, "{\"patch\":{\"note\":\"z\"}}");	/* an older one that only changed */
	IS(take(16), "4* 5 6 7");
	IS(take(16), "");
	edit(9, "{\"delete\":true}");
	put(10);
	put(11);
	IS(take(16), "7 8");
}

static void
test_gone(void)
{
	put(12);
	put(13);
	put(14);
	edit(12, "{\"delete\":true}");
	edit(13, "{\"delete\":true}");
	IS(take(16), "11");
	ok(news.gone == 2);
}

static void
test_doubled(void)
{
	struct store_new one;
	struct span span = test_span(22);

	put_named(20, "A");
	put_named(21, "B");
	put_named(22, "A");
	IS(take(16), "12 13 14\"");
	ok(ops->news_of(reader, span.id16, &one) == STORE_OK && one.n == 14 && one.doubled && one.rev == 0);
	span = test_span(99);
	ok(ops->news_of(reader, span.id16, &one) == STORE_NOT_FOUND);
}

/* A store that is older than the follower's place. */
static void
test_back(void)
{
	place.seen += 100;
	place.n += 50;
	place.rev += 100;
	IS(take(16), "");
	ok(news.back && place.n == 14);
	put(30);
	IS(take(16), "15");
	ok(!news.back);
}

/* Rows past retention that nobody had looked at. */
static void
test_expired(void)
{
	put(40);
	put(41);
	ok(ops->expire(writer, BASE_US + 41 * INT64_C(1000000), 0, 1000) > 0);
	IS(take(16), "17");
	ok(news.gone == 1);
}

static void
test_board(void)
{
	int a = news_join(), b = news_join();
	uint64_t heard = news_wait(0, 0);

	ok(a >= 0 && b >= 0 && a != b);
	news_needed(a, 7);
	ok(news_needless() == 0);
	news_needed(b, 5);
	ok(news_needless() == 5);
	news_leave(b);
	ok(news_needless() == 7);
	news_leave(a);
	ok(news_needless() == 0);
	ok(news_wait(heard, 0) == heard);
	news_tell();
	ok(news_wait(heard, UINT64_MAX) == heard + 1);
}

int
main(void)
{
	char err[300];

	test_dir_make();
	writer = ops->open(test_dir, true, err, sizeof(err));
	reader = ops->open(test_dir, false, err, sizeof(err));
	ok(writer != NULL && reader != NULL);
	test_rows();
	test_changes();
	test_numbers();
	test_gone();
	test_doubled();
	test_back();
	test_expired();
	test_board();
	ops->close(reader);
	ops->close(writer);
	test_dir_remove();
	return done();
}
