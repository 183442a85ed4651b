/* SPDX-License-Identifier: Apache-2.0 */
/* reader: a series that grows byte by byte is never taken for a damaged one;
 * a damaged one is told and passed by; long chains over many segments. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "base/base.h"
#include "journal/segment.h"
#include "journal/series.h"
#include "journal_util.h"
#include "tap.h"

#define SERIES "1700000000000-00"

static char root[512], path[700], err[512];
static uint32_t salt;		/* of the segments that are made */

/* Segments are made by hand here: records back to back behind a head. */
struct built {
	struct buf	 b;
	uint32_t	 number;
	uint64_t	 ends[64];	/* offset behind each record */
	unsigned	 n;
};

static void
built_start(struct built *s, uint32_t number, const struct tally *t)
{
	*s = (struct built){ .number = number };
	buf_init(&s->b, 8 * MIB);
	segment_head(buf_reserve(&s->b, SEGMENT_HEAD), SERIES, number, salt, 0);
	s->b.len += SEGMENT_HEAD;
	tally_write(t, salt, &s->b);
	s->ends[s->n++] = s->b.len;
}

static uint64_t
built_add(struct built *s, enum record_type type, uint64_t id, uint64_t prev, size_t bytes)
{
	uint64_t position = position_make(s->number, s->b.len);
	uint8_t uuid[16];
	struct buf fields;
	char *p = xcalloc(1, bytes + 1);

	id_make(uuid, id);
	buf_init(&fields, LIMIT_RECORD);
	record_put_u64(&fields, TAG_T, id);
	record_put(&fields, TAG_BYTES, slice_make(p, bytes));
	record_append(&s->b, type, salt, uuid, prev, buf_view(&fields));
	s->ends[s->n++ % 64] = s->b.len;
	buf_free(&fields);
	free(p);
	return position;
}

static int
segment_file(uint32_t number)
{
	char name[800];

	(void)snprintf(name, sizeof(name), "%s/%08u.seg", path, number);
	return open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
}

static void
built_lay(const struct built *s)
{
	int fd = segment_file(s->number);

	if (write(fd, s->b.ptr, s->b.len) != (ssize_t)s->b.len)
		abort();
	(void)close(fd);
}

static void
series_fresh(void)
{
	scratch_remove(path);
	if (mkdir(path, 0700) < 0)
		abort();
}

static struct reader *
open_reader(uint64_t from)
{
	return reader_open(root, SERIES, from, err, sizeof(err));
}

/* Each record comes when its last byte has, and not before. */
static void
test_growing(void)
{
	struct tally t = { 0 };
	struct built s;
	struct reader *r;
	struct record rec;
	uint64_t at, prev;
	unsigned given = 0, early = 0, i;
	size_t len;
	int fd, lock, result;

	series_fresh();
	lock = series_lock(path);
	built_start(&s, 1, &t);
	prev = built_add(&s, RECORD_BEGIN, 1, 0, 10);
	prev = built_add(&s, RECORD_PART, 1, prev, 300);
	(void)built_add(&s, RECORD_END, 1, prev, 0);
	fd = segment_file(1);
	r = open_reader(0);
	for (len = 0; len < s.b.len; len++) {
		if (write(fd, s.b.ptr + len, 1) != 1)
			abort();
		while ((result = reader_next(r, &rec, &at)) == READER_RECORD)
			given++;
		for (i = 0; i < s.n && s.ends[i] <= len + 1; i++)
			;
		early += given != i || result != READER_NONE || reader_finished(r);
	}
	ok(early == 0);
	ok(given == 4);
	ok(reader_position(r) == position_make(1, s.b.len));
	(void)close(fd);
	(void)close(lock);
	ok(reader_finished(r));
	reader_close(r);
	buf_free(&s.b);
}

/* The same over what a former life has left, with the same lengths: nothing of
 * that is ever given or taken for damage, and it is no lag. */
static void
test_former_life(void)
{
	struct tally t = { 0 };
	struct built s, old;
	struct reader *r;
	struct record rec;
	uint64_t at, prev;
	unsigned given = 0, bad = 0, i;
	size_t len, whole;
	int fd, lock, result;

	series_fresh();
	lock = series_lock(path);
	for (i = 0; i < 2; i++) {
		salt = 0x1000 + i;
		built_start(i ? &s : &old, 1, &t);
		prev = built_add(i ? &s : &old, RECORD_BEGIN, 1, 0, 10);
		prev = built_add(i ? &s : &old, RECORD_PART, 1, prev, 300);
		prev = built_add(i ? &s : &old, RECORD_PART, 1, prev, 20000);
		(void)built_add(i ? &s : &old, RECORD_END, 1, prev, 0);
	}
	segment_head(old.b.ptr, "1700000000000-01", 1, salt - 1, 0);
	fd = segment_file(1);
	if (write(fd, old.b.ptr, old.b.len) != (ssize_t)old.b.len ||
	    write(fd, old.b.ptr + SEGMENT_HEAD, 4000) != 4000)
		abort();
	r = open_reader(0);
	bad += reader_next(r, &rec, &at) != READER_NONE || reader_lag(r) != 0;
	if (pwrite(fd, s.b.ptr, SEGMENT_HEAD, 0) != SEGMENT_HEAD)
		abort();
	for (len = SEGMENT_HEAD; len < s.b.len; len++) {
		if (pwrite(fd, s.b.ptr + len, 1, (off_t)len) != 1)
			abort();
		while ((result = reader_next(r, &rec, &at)) == READER_RECORD)
			given++;
		/* Where both are the same it has been written as it were. */
		for (whole = len + 1; whole < s.b.len && s.b.ptr[whole] == old.b.ptr[whole]; whole++)
			;
		for (i = 0; i < s.n && s.ends[i] <= whole; i++)
			;
		bad += given != i || result != READER_NONE || reader_finished(r);
	}
	ok(bad == 0);
	ok(given == 5 && reader_lag(r) == 0);
	reader_close(r);
	r = open_reader(0);
	ok(reader_lag(r) == s.b.len);
	reader_close(r);
	(void)close(fd);
	(void)close(lock);
	buf_free(&s.b);
	buf_free(&old.b);
	salt = 0;
}

/* A segment that was left but not cut yet ends where its successor says; one
 * whose file is put to a new use while it is read is passed over. */
static void
test_left(void)
{
	struct tally t = { 0 };
	struct built one, two;
	struct reader *r;
	struct record rec;
	char from[800], to[800];
	uint64_t at;
	int fd, i;

	for (i = 0; i < 2; i++) {
		series_fresh();
		built_start(&one, 1, &t);
		(void)built_add(&one, RECORD_BEGIN, 1, 0, 10);
		built_lay(&one);
		fd = open((segment_path(from, sizeof(from), path, 1), from), O_WRONLY);
		if (pwrite(fd, "of a former life", 16, (off_t)one.b.len) != 16)
			abort();
		(void)close(fd);
		built_start(&two, 2, &t);
		segment_head(two.b.ptr, SERIES, 2, 0, i == 0 ? (uint32_t)one.b.len : 0);
		built_lay(&two);
		r = open_reader(position_make(1, one.ends[0]));
		ok(reader_next(r, &rec, &at) == READER_RECORD && at >> 32 == 1);
		ok(reader_next(r, &rec, &at) == (i == 0 ? READER_RECORD : READER_E_CORRUPT));
		reader_close(r);
		buf_free(&one.b);
		buf_free(&two.b);
	}
	series_fresh();
	built_start(&one, 1, &t);
	for (i = 0; i < 30; i++)
		(void)built_add(&one, RECORD_BEGIN, (uint64_t)i, 0, 10000);
	built_lay(&one);
	salt = 77;
	built_start(&two, 3, &t);
	built_lay(&two);
	r = open_reader(0);
	ok(reader_next(r, &rec, &at) == READER_RECORD && reader_next(r, &rec, &at) == READER_RECORD);
	segment_path(from, sizeof(from), path, 1);
	segment_path(to, sizeof(to), path, 4);
	ok(rename(from, to) == 0);
	two.number = 4;
	for (i = 0; i < 30; i++)
		(void)built_add(&two, RECORD_PART, 99, 0, 10000);
	segment_head(two.b.ptr, SERIES, 4, salt, 0);
	fd = open(to, O_WRONLY);
	if (write(fd, two.b.ptr, two.b.len) != (ssize_t)two.b.len)
		abort();
	(void)close(fd);
	while ((i = reader_next(r, &rec, &at)) == READER_RECORD && at >> 32 == 1)
		;
	ok(i == READER_RECORD && at == position_make(3, SEGMENT_HEAD));
	for (i = 0; reader_next(r, &rec, &at) == READER_RECORD; i++)
		;
	ok(i == 31 && at >> 32 == 4);
	reader_close(r);
	buf_free(&one.b);
	buf_free(&two.b);
	salt = 0;
}

/* A second segment that is ready but empty is none; once begun it is entered. */
static void
test_segments(void)
{
	struct tally t = { 0 };
	struct built one, two;
	struct reader *r;
	struct record rec;
	uint64_t at;
	int i;

	series_fresh();
	built_start(&one, 1, &t);
	(void)built_add(&one, RECORD_BEGIN, 1, 0, 10);
	built_start(&two, 2, &t);
	built_lay(&one);
	(void)close(segment_file(2));
	r = open_reader(0);
	for (i = 0; i < 2; i++)
		ok(reader_next(r, &rec, &at) == READER_RECORD);
	ok(reader_next(r, &rec, &at) == READER_NONE);
	ok(reader_position(r) == position_make(1, one.b.len));
	built_lay(&two);
	ok(reader_lag(r) == two.b.len);
	ok(!reader_finished(r));
	ok(reader_next(r, &rec, &at) == READER_RECORD && at == position_make(2, SEGMENT_HEAD));
	ok(reader_next(r, &rec, &at) == READER_NONE && reader_finished(r));
	reader_close(r);
	/* A cursor in a segment that has been deleted goes on in the next. */
	(void)segment_delete(path, 1);
	r = open_reader(position_make(1, 80));
	ok(reader_next(r, &rec, &at) == READER_RECORD && at == position_make(2, SEGMENT_HEAD));
	reader_close(r);
	r = open_reader(position_make(3, 80));
	ok(reader_next(r, &rec, &at) == READER_NONE);
	reader_close(r);
	ok(reader_open(root, "1700000000000-01", 0, err, sizeof(err)) == NULL && err[0] != '\0');
	buf_free(&one.b);
	buf_free(&two.b);
}

/* Damage in the middle: told, passed by, and the rest is read. */
static void
test_damage(void)
{
	struct tally t = { 0 };
	struct built one, two;
	struct reader *r;
	struct record rec;
	uint64_t at, prev;

	series_fresh();
	built_start(&one, 1, &t);
	prev = built_add(&one, RECORD_BEGIN, 1, 0, 10);
	prev = built_add(&one, RECORD_PART, 1, prev, 300);
	(void)built_add(&one, RECORD_END, 1, prev, 0);
	one.b.ptr[one.ends[1] + 60] ^= 1;	/* inside the PART */
	built_lay(&one);
	r = open_reader(position_make(1, one.ends[1]));
	ok(reader_next(r, &rec, &at) == READER_E_CORRUPT);
	ok(reader_position(r) == position_make(1, one.ends[1]));
	ok(reader_next(r, &rec, &at) == READER_E_CORRUPT);
	reader_skip(r);
	ok(reader_next(r, &rec, &at) == READER_RECORD && rec.type == RECORD_END);
	ok(reader_next(r, &rec, &at) == READER_NONE);
	reader_close(r);
	/* Its length damaged, nothing behind it can be trusted: no more for now; */
	one.b.ptr[one.ends[1] + 60] ^= 1;
	one.b.ptr[one.ends[1] + 3] ^= 0x40;
	built_lay(&one);
	r = open_reader(position_make(1, one.ends[1]));
	ok(reader_next(r, &rec, &at) == READER_NONE);
	/* but with a segment behind it is damage. */
	built_start(&two, 2, &t);
	built_lay(&two);
	ok(reader_next(r, &rec, &at) == READER_E_CORRUPT);
	reader_skip(r);
	ok(reader_next(r, &rec, &at) == READER_RECORD && at >> 32 == 2);
	reader_close(r);
	/* A damaged head. */
	one.b.ptr[one.ends[1] + 3] ^= 0x40;
	one.b.ptr[20] ^= 1;
	built_lay(&one);
	r = open_reader(0);
	ok(reader_next(r, &rec, &at) == READER_E_CORRUPT);
	reader_skip(r);
	ok(reader_next(r, &rec, &at) == READER_RECORD && at >> 32 == 2);
	reader_close(r);
	/* A newer version. */
	two.b.ptr[8] = 9;
	built_lay(&two);
	r = open_reader(position_make(2, 0));
	ok(reader_next(r, &rec, &at) == READER_E_VERSION);
	reader_close(r);
	buf_free(&one.b);
	buf_free(&two.b);
}

/* 20,000 links over three segments, beside those of other exchanges, once near
 * each other and once far apart. */
static void
test_chain(size_t between)
{
	struct tally t = { 0 };
	uint64_t prev = 0, links = 0, i;
	struct built s = { 0 };
	struct reader *r;
	struct chain c, d;
	uint32_t number;

	series_fresh();
	for (number = 1; number <= 3; number++) {
		built_start(&s, number, &t);
		for (i = 0; i < 20000 / 3 && s.b.len < 7 * MIB; i++) {
			prev = built_add(&s, prev == 0 ? RECORD_BEGIN : RECORD_PART, 7, prev, 100);
			links++;
			(void)built_add(&s, RECORD_PART, 8, 0, between);
		}
		if (number == 3)
			prev = built_add(&s, RECORD_END, 7, prev, 0);
		built_lay(&s);
		buf_free(&s.b);
	}
	r = open_reader(0);
	ok(chain_read(r, prev, &c) == READER_RECORD && c.complete && c.count == links + 1);
	ok(c.records[0].type == RECORD_BEGIN && c.records[c.count - 1].type == RECORD_END);
	ok(chain_parse(slice_make(c.bytes, c.size), &d) == READER_RECORD && d.complete);
	ok(d.count == c.count && d.bytes == NULL);
	chain_free(&d);
	ok(chain_parse(slice_make(c.bytes, c.size - 1), &d) == READER_RECORD && !d.complete);
	chain_free(&d);
	ok(chain_parse(slice_make(c.bytes, 10), &d) == READER_E_CORRUPT);
	chain_free(&d);
	chain_free(&c);
	(void)segment_delete(path, 1);
	ok(chain_read(r, prev, &c) == READER_RECORD && !c.complete && c.count > 10);
	chain_free(&c);
	ok(chain_read(r, position_make(9, 64), &c) == READER_E_CORRUPT);
	reader_close(r);
}

/* Links that lead in a circle, forwards, or to another's record. */
static void
test_bad_links(void)
{
	struct tally t = { 0 };
	uint64_t begin, self, forward, other;
	struct reader *r;
	struct built s;
	struct chain c;

	series_fresh();
	built_start(&s, 1, &t);
	begin = built_add(&s, RECORD_BEGIN, 1, 0, 10);
	self = position_make(1, s.b.len);
	(void)built_add(&s, RECORD_END, 1, self, 0);
	forward = built_add(&s, RECORD_END, 1, self + 100000, 0);
	other = built_add(&s, RECORD_END, 2, begin, 0);
	built_lay(&s);
	r = open_reader(0);
	ok(chain_read(r, self, &c) == READER_E_CORRUPT && c.count == 0);
	ok(chain_read(r, forward, &c) == READER_E_CORRUPT);
	ok(chain_read(r, other, &c) == READER_RECORD && !c.complete && c.count == 1);
	chain_free(&c);
	ok(chain_read(r, begin, &c) == READER_RECORD && c.complete);
	chain_free(&c);
	reader_close(r);
	buf_free(&s.b);
}

#define MADE 500

/* The path of a series of that number. */
static char *
numbered(int n)
{
	char name[SERIES_NAME];

	(void)snprintf(name, sizeof(name), "%013d-01", n);
	return series_path(root, name);
}

/* Makes series and keeps their locks. */
static void *
make_series(void *arg)
{
	int *locks = arg;

	for (int i = 0; i < MADE; i++) {
		char *name = numbered(i);

		locks[i] = series_make(name);
		free(name);
	}
	return NULL;
}

static bool
is_unlocked(const char *series)
{
	char *name = series_path(root, series);
	bool locked = series_locked(name);

	free(name);
	return !locked && strcmp(series, SERIES) != 0;
}

/* Whoever sees a series finds it locked, from the first moment on. */
static void
test_made_locked(void)
{
	static int locks[MADE];
	unsigned seen = 0, unlocked = 0, failed = 0;
	pthread_t maker;
	char *name, **list;

	ok(pthread_create(&maker, NULL, make_series, locks) == 0);
	while (seen < MADE) {
		list = series_list(root);
		for (seen = 0; list[seen] != NULL; seen++)
			unlocked += is_unlocked(list[seen]);
		series_free(list);
	}
	ok(unlocked == 0);
	(void)pthread_join(maker, NULL);
	name = numbered(0);
	ok(series_make(name) == -1 && errno == EEXIST);
	free(name);
	for (int i = 0; i < MADE; i++) {
		failed += locks[i] < 0;
		(void)close(locks[i]);
	}
	ok(failed == 0);
}

int
main(void)
{
	scratch_make(root, sizeof(root), true);
	(void)snprintf(path, sizeof(path), "%s/%s", root, SERIES);
	test_growing();
	test_former_life();
	test_left();
	test_segments();
	test_damage();
	test_chain(100);
	test_chain(2000);
	test_bad_links();
	test_made_locked();
	scratch_remove(root);
	return done();
}
