/* SPDX-License-Identifier: Apache-2.0 */
/* multipart: each form fed whole, byte by byte and at random cuts; what its
 * heads may look like; what is no delimiter; the limits. */
#include "core/buf.h"
#include "core/multipart.h"
#include "exact.h"
#include "tap.h"

#define MODES 30

/* One reading of a form. */
struct reading {
	struct slice	 form, boundary;
	struct multipart parser;
	struct buf	 text;		/* what came out, readable */
	struct buf	 bytes;		/* of the part */
	bool		 good;		/* the offsets fit */
	int		 end;		/* as multipart_next said last */
};

static void
value_note(struct buf *text, const char *name, struct slice s)
{
	if (s.ptr != NULL)
		buf_printf(text, "%s=%.*s ", name, (int)s.len, s.ptr);
}

/* Does a delimiter's line begin there? */
static bool
delimiter_at(const struct reading *r, uint64_t at)
{
	return at + 2 <= r->form.len && r->form.ptr[at] == '-' && r->form.ptr[at + 1] == '-' &&
	    slice_starts(slice_from(r->form, at + 2), r->boundary) &&
	    (at == 0 || r->form.ptr[at - 1] == '\n');
}

/* Are the part's bytes those at its offsets? */
static bool
part_fits(const struct reading *r, const struct multipart_item *i)
{
	return delimiter_at(r, i->start) && delimiter_at(r, i->end) && i->start < i->from &&
	    i->to <= i->end && i->end - i->to == (i->to == i->from && i->end == i->from ? 0 : 2) &&
	    slice_eq(slice_make(r->form.ptr + i->from, i->to - i->from), buf_view(&r->bytes));
}

/* Takes all that there is. */
static void
items_take(struct reading *r)
{
	struct multipart_item i;

	while ((r->end = multipart_next(&r->parser, &i)) > 0 && r->end != MULTIPART_END) {
		if (r->end == MULTIPART_PART) {
			value_note(&r->text, "name", i.name);
			value_note(&r->text, "file", i.filename);
			value_note(&r->text, "type", i.type);
			buf_byte(&r->text, '<');
			buf_clear(&r->bytes);
		} else if (r->end == MULTIPART_BYTES) {
			r->good &= i.bytes.len > 0;
			buf_slice(&r->text, i.bytes);
			buf_slice(&r->bytes, i.bytes);
		} else {
			buf_byte(&r->text, '>');
			r->good &= part_fits(r, &i);
		}
	}
	if (r->end == MULTIPART_END)
		buf_byte(&r->text, '.');
	else if (r->end < 0)
		buf_printf(&r->text, "error %d", r->end);
}

/* Reads the form cut by `mode`. */
static void
form_read(struct reading *r, int mode)
{
	uint64_t seed = (uint64_t)mode + 7;
	struct slice part;
	size_t at, n;

	buf_clear(&r->text);
	buf_clear(&r->bytes);
	multipart_init(&r->parser, r->boundary);
	r->end = MULTIPART_MORE;
	for (at = 0; at < r->form.len && r->end == MULTIPART_MORE; at += n) {
		n = exact_cut(mode, &seed, r->form.len - at);
		part = exact_copy(slice_make(r->form.ptr + at, n));
		multipart_feed(&r->parser, part);
		items_take(r);
		exact_free(part);
	}
}

static bool
gives(struct slice form, struct slice boundary, const char *want)
{
	struct reading r = { .form = form, .boundary = boundary, .good = true };
	bool same = true;
	int mode;

	buf_init(&r.text, 4 * MIB);
	buf_init(&r.bytes, 4 * MIB);
	for (mode = 0; mode < MODES && same; mode++) {
		form_read(&r, mode);
		same = r.good && slice_eq(buf_view(&r.text), slice_str(want));
		if (!same)
			printf("# mode %d: %.200s\n# wanted  %.200s\n", mode, r.text.ptr, want);
	}
	buf_free(&r.text);
	buf_free(&r.bytes);
	return same;
}

#define IS(form, want) ok(gives(SLICE(form), SLICE("B"), want))

/* A head of one field, and a part with that head and no bytes. */
#define HEAD(rest) "Content-Disposition: form-data" rest "\r\n"
#define FIELD(name) HEAD("; name=\"" name "\"") "\r\n"

static void
parts_test(void)
{
	IS("", "");
	IS("--B--", ".");
	IS("--B--\r\n", ".");
	IS("--B\r\n" FIELD("a") "x\r\n--B--\r\n", "name=a <x>.");
	IS("--B\r\n" FIELD("a") "\r\n--B--\r\n", "name=a <>.");
	IS("--B\r\n" FIELD("a") "--B--\r\n", "name=a <>.");
	IS("--B\r\n" FIELD("a") "\r\n\r\n\r\n--B--", "name=a <\r\n\r\n>.");
	IS("--B\r\n" FIELD("a") "x\r\n--B\r\n" FIELD("b") "y z\r\n--B--\r\n",
	    "name=a <x>name=b <y z>.");
	IS("--B\r\n\r\nx\r\n--B--", "<x>.");
	IS("--B\r\n" FIELD("a") "x", "name=a <x");
	IS("--B\r\n" HEAD("; name=a"), "");
	IS("no form", "");
}

static void
around_test(void)
{
	IS("preamble\r\nof --B lines\r\n--B\r\n" FIELD("a") "x\r\n--B--\r\nepilogue\r\n--B\r\n\r\n",
	    "name=a <x>.");
	IS("\r\n--B\r\n" FIELD("a") "x\r\n--B--", "name=a <x>.");
	IS("--BB\r\n--B \t \r\n" FIELD("a") "x\r\n--B \r\n" FIELD("b") "\r\n--B--",
	    "name=a <x>name=b <>.");
	IS("--B\n" "Content-Disposition: form-data; name=\"a\"\nContent-Type: t/x\n\nx\r\n--B\n\ny\r\n--B--",
	    "name=a type=t/x <x><y>.");
	IS("--B \n\nx\r\n--B--", "<x>.");
}

/* What only looks like a delimiter is body. */
static void
near_test(void)
{
#define NEAR(body) IS("--B\r\n\r\n" body "\r\n--B--", "<" body ">.")
	NEAR("\r\n--");
	NEAR("\r\r\r\r");
	NEAR("--B-");
	NEAR("--Bx");
	NEAR("\n--B");
	NEAR("\r\n--Bx");
	NEAR("\r\n--B-");
	NEAR("\r\n--B\r");
	NEAR("\r\n--b\r");
	NEAR("-\r\n--\r");
	NEAR("\r\n--B \rxyz");
	NEAR("\r\n--B- xyz");
	NEAR("\r\n--B\t -yz");
	NEAR("\r\r\n\r\n--Bxy");
	NEAR("\r\n--\r\n--\r\n");
	NEAR("\r\n--\r\n--BB");
	NEAR("\r\n--Bx\r\n--B x\r\n--B-");
	NEAR("\r\n--B                                                                 ");
	ok(gives(SLICE("--a-\r\n\r\n\r\n--a\r\n--a--\r\n--a---"), SLICE("a-"),
	    "<\r\n--a\r\n--a-->."));
	ok(gives(SLICE("--a-\r\n\r\n\r\n--a\r\n--a-x\r\n--a---"), SLICE("a-"),
	    "<\r\n--a\r\n--a-x>."));
}

static void
name_test(void)
{
#define NAME(params, want) \
	ok(gives(SLICE("--B\r\n" HEAD(params) "\r\n\r\n--B--"), SLICE("B"), want))
	NAME("; name=abc", "name=abc <>.");
	NAME(";name=\"a b\";filename=c.wav", "name=a b file=c.wav <>.");
	NAME("; NAME = \"a;b\" ; FileName = x ; y", "name=a;b file=x <>.");
	NAME("; filename=\"\"; name=\"\"", "name= file= <>.");
	NAME("; name=\"a\\\"b\\\\c\\d\"", "name=a\"b\\c\\d <>.");
	NAME("; name=\"a%22%0d%0A%41%2\"", "name=a\"\r\n%41%2 <>.");
	NAME("; filename*=UTF-8'en'%e2%82%ac%20x.wav; filename=\"e.wav\"; name=f",
	    "name=f file=\xe2\x82\xac x.wav <>.");
	NAME("; filename=\"e.wav\"; filename*=x%41", "file=xA <>.");
	NAME("; name", "<>.");
	NAME("; name=\"open", "name=open <>.");
	NAME("; ; =x; =; name=y;", "name=y <>.");
	NAME(";\r\n name=\"a\";\r\n\tfilename=b", "name=a file=b <>.");
	IS("--B\r\ncontent-TYPE :audio/wav \r\nX-Other: y\r\nno colon\r\ncontent-disposition:form-data;name=a"
	    "\r\n\r\n\r\n--B--", "name=a type=audio/wav <>.");
	ok(slice_eq(multipart_base(SLICE("metadata[a][b]")), SLICE("metadata")));
	ok(slice_eq(multipart_base(SLICE("model")), SLICE("model")));
	ok(multipart_base(SLICE("[a]")).len == 0 && multipart_base(SLICE("")).len == 0);
}

static bool
boundary_is(const char *type, const char *want)
{
	struct slice text = exact_copy(slice_str(type));
	struct slice got = multipart_boundary(text);
	bool same = want ? slice_eq(got, slice_str(want)) : got.ptr == NULL;

	exact_free(text);
	return same;
}

static void
boundary_test(void)
{
	char long_type[200];

	ok(boundary_is("multipart/form-data; boundary=abc", "abc"));
	ok(boundary_is("Multipart/Form-Data ;BOUNDARY=\"a b:c\"; charset=utf-8", "a b:c"));
	ok(boundary_is("multipart/form-data; charset=utf-8; boundary=----formdata-undici-1 ; x=y",
	    "----formdata-undici-1"));
	ok(boundary_is(" multipart/form-data;;boundary=a", "a"));
	ok(boundary_is("multipart/form-data; x=\"; boundary=no\"; boundary=yes", "yes"));
	ok(boundary_is("multipart/form-data", NULL));
	ok(boundary_is("multipart/form-data;", NULL));
	ok(boundary_is("multipart/form-data; boundary", NULL));
	ok(boundary_is("multipart/form-data; boundary=", NULL));
	ok(boundary_is("multipart/form-data; boundary=\"\"", NULL));
	ok(boundary_is("multipart/form-data; boundary=\"a\\\"b\"", NULL));
	ok(boundary_is("multipart/form-data; boundary=\"a \"", NULL));
	ok(boundary_is("multipart/form-data; boundary=\xc3\xa9", NULL));
	ok(boundary_is("multipart/form-datax; boundary=a", NULL));
	ok(boundary_is("multipart/mixed; boundary=a", NULL));
	ok(boundary_is("application/json", NULL));
	ok(boundary_is("", NULL));
	ok(multipart_boundary(SLICE_NONE).ptr == NULL);
	snprintf(long_type, sizeof(long_type), "multipart/form-data; boundary=%070d", 1);
	ok(multipart_boundary(slice_str(long_type)).len == LIMIT_BOUNDARY);
	snprintf(long_type, sizeof(long_type), "multipart/form-data; boundary=%071d", 1);
	ok(multipart_boundary(slice_str(long_type)).ptr == NULL);
}

/* A head one byte under the limit, at it, over it. */
static void
head_limit_test(void)
{
	char *form = malloc(2 * LIMIT_PART_HEAD), want[80];
	int more, n;

	for (more = -1; more <= 1; more++) {
		n = snprintf(form, 2 * LIMIT_PART_HEAD, "--B\r\n\r\n1\r\n--B\r\nX: %0*d\r\n\r\n2\r\n--B--",
		    (int)LIMIT_PART_HEAD - 7 + more, 1);
		snprintf(want, sizeof(want), more < 1 ? "<1><2>." : "<1>error %d", MULTIPART_E_HEAD);
		ok(gives(slice_make(form, (size_t)n), SLICE("B"), want));
	}
	free(form);
}

static void
parts_limit_test(void)
{
	struct buf form, want;
	unsigned i;

	buf_init(&form, MIB);
	buf_init(&want, MIB);
	for (i = 0; i < LIMIT_PARTS; i++) {
		buf_str(&form, "--B\r\n\r\n.\r\n");
		buf_str(&want, "<.>");
	}
	buf_str(&form, "--B--");
	buf_append(&want, ".", 2);
	ok(gives(buf_view(&form), SLICE("B"), want.ptr));
	form.len -= 2;
	want.len -= 2;
	buf_str(&form, "\r\n\r\n.\r\n--B--");
	buf_printf(&want, "error %d", MULTIPART_E_PARTS);
	buf_byte(&want, '\0');
	ok(gives(buf_view(&form), SLICE("B"), want.ptr));
	buf_free(&form);
	buf_free(&want);
}

/* After an error and after the end: the same again. */
static void
sticky_test(void)
{
	struct multipart_item i;
	struct multipart m;

	multipart_init(&m, SLICE("B"));
	multipart_feed(&m, SLICE("--B--"));
	ok(multipart_next(&m, &i) == MULTIPART_END);
	multipart_feed(&m, SLICE("--B\r\n\r\nx\r\n--B--"));
	ok(multipart_next(&m, &i) == MULTIPART_END && multipart_next(&m, &i) == MULTIPART_END);
	multipart_init(&m, SLICE("B"));
	multipart_feed(&m, SLICE_NONE);
	ok(multipart_next(&m, &i) == MULTIPART_MORE && multipart_next(&m, &i) == MULTIPART_MORE);
}

/* A large part of bytes that are all but a delimiter: comes out as it went in,
 * in pieces that lie in what was fed or in the parser itself. */
static void
large_test(void)
{
	size_t len = 3 * MIB, at, n, got = 0, next = 0;
	uint64_t seed = 5;
	char *file = malloc(len);
	struct multipart_item i;
	struct multipart m;
	bool same = true;
	int r;

	for (at = 0; at < len; at++) {
		/* runs of the delimiter's text that go on with x or break off */
		next = next != 9 && exact_random(&seed) % 16 == 0 ? exact_random(&seed) % 12 : next % 12;
		file[at] = "\r\n--Boundx\r-"[next++];
	}
	multipart_init(&m, SLICE("Bound"));
	multipart_feed(&m, SLICE("--Bound\r\n\r\n"));
	r = multipart_next(&m, &i);
	same = r == MULTIPART_PART && multipart_next(&m, &i) == MULTIPART_MORE;
	for (at = 0; at <= len && same; at += n) {
		n = at < len ? exact_cut(4, &seed, len - at) : 1;
		multipart_feed(&m, at < len ? slice_make(file + at, n) : SLICE("\r\n--Bound--"));
		while ((r = multipart_next(&m, &i)) == MULTIPART_BYTES && same) {
			same = got + i.bytes.len <= len && memcmp(file + got, i.bytes.ptr, i.bytes.len) == 0;
			got += i.bytes.len;
		}
	}
	ok(same && r == MULTIPART_PART_END && got == len && i.to - i.from == len);
	ok(multipart_next(&m, &i) == MULTIPART_END);
	free(file);
}

int
main(void)
{
	parts_test();
	around_test();
	near_test();
	name_test();
	boundary_test();
	head_limit_test();
	parts_limit_test();
	sticky_test();
	large_test();
	return done();
}
