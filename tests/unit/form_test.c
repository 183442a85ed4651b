/* SPDX-License-Identifier: Apache-2.0 */
/* form: what object a form comes to, however it is cut; files pass by; limits. */
#include "core/jscan.h"
#include "exact.h"
#include "span/form.h"
#include "tap.h"

#define MODES 20

#define PART(name, value) \
	"--B\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
#define FILE_PART(name, file, value) "--B\r\nContent-Disposition: form-data; name=\"" name \
	"\"; filename=\"" file "\"\r\nContent-Type: audio/wav\r\n\r\n" value "\r\n"
#define END "--B--\r\n"

/* One reading of a form. */
struct reading {
	struct form	form;
	struct arena	arena;
	struct buf	files;		/* bytes of all files */
	struct buf	json;
	size_t		bytes;		/* of the file that goes by */
	struct slice	filename, type;
	int		end;		/* as form_next said last */
};

/* The object for the file, as the builder makes it. */
static struct slice
file_value(struct reading *r)
{
	struct buf b;

	buf_init(&b, MIB);
	buf_str(&b, "{\"filename\":");
	buf_json_string(&b, r->filename);
	buf_str(&b, ",\"content_type\":");
	buf_json_string(&b, r->type);
	buf_printf(&b, ",\"bytes\":%zu}", r->bytes);
	return arena_take(&r->arena, &b);
}

static void
items_take(struct reading *r)
{
	struct form_item item;

	while ((r->end = form_next(&r->form, &item)) > 0 && r->end != FORM_END) {
		if (r->end == FORM_FILE) {
			r->filename = item.filename;
			r->type = item.type.ptr ? item.type : SLICE("");
			r->bytes = 0;
		} else if (r->end == FORM_BYTES) {
			buf_slice(&r->files, item.bytes);
			r->bytes += item.bytes.len;
		} else
			form_file(&r->form, file_value(r));
	}
}

static void
reading_init(struct reading *r)
{
	memset(&r->arena, 0, sizeof(r->arena));
	buf_init(&r->files, 16 * MIB);
	buf_init(&r->json, 64 * MIB);
	r->end = FORM_MORE;
	form_init(&r->form, SLICE("B"), &r->arena);
}

static void
reading_end(struct reading *r)
{
	if (r->form.in_file)
		form_file(&r->form, file_value(r));
	form_json(&r->form, &r->json);
	form_free(&r->form);
}

static void
reading_free(struct reading *r)
{
	buf_free(&r->files);
	buf_free(&r->json);
	arena_free(&r->arena);
}

static void
form_read(struct reading *r, struct slice form, int mode)
{
	uint64_t seed = (uint64_t)mode + 3;
	struct slice part;
	size_t at, n;

	reading_init(r);
	for (at = 0; at < form.len && r->end == FORM_MORE; at += n) {
		n = exact_cut(mode, &seed, form.len - at);
		part = exact_copy(slice_make(form.ptr + at, n));
		form_feed(&r->form, part);
		items_take(r);
		exact_free(part);
	}
	reading_end(r);
}

static struct reading reading;

/* Does the form end so and come to this object, and its files to these bytes? */
static bool
gives(struct slice form, int end, struct slice want, struct slice files)
{
	struct reading *r = &reading;
	bool same = true;
	int mode;

	for (mode = 0; mode < MODES && same; mode++) {
		form_read(r, form, mode);
		same = r->end == end && slice_eq(buf_view(&r->json), want) &&
		    slice_eq(buf_view(&r->files), files) &&
		    jscan_check(buf_view(&r->json), NULL, NULL) == JSCAN_END;
		if (!same)
			printf("# mode %d end %d: %.300s\n", mode, r->end, r->json.ptr);
		reading_free(r);
	}
	return same;
}

#define IS(form, want) ok(gives(SLICE(form END), FORM_END, SLICE(want), SLICE("")))

static void
names_test(void)
{
	IS("", "{}");
	IS(PART("model", "whisper-1"), "{\"model\":\"whisper-1\"}");
	IS(PART("b", "1") PART("a", "") PART("", "x") PART("c", "\"\\\r\n\xff"),
	    "{\"b\":\"1\",\"a\":\"\",\"c\":\"\\\"\\\\\\r\\n\xef\xbf\xbd\"}");
	IS(PART("metadata[feature]", "x") PART("m", "y") PART("metadata[deep][a]", "1") PART("metadata[deep][b]", "2"),
	    "{\"metadata\":{\"feature\":\"x\",\"deep\":{\"a\":\"1\",\"b\":\"2\"}},\"m\":\"y\"}");
	IS(PART("a[]", "1") PART("b", "x") PART("a[]", "2"), "{\"a\":[\"1\",\"2\"],\"b\":\"x\"}");
	IS(PART("a[]", "1"), "{\"a\":[\"1\"]}");
	IS(PART("a", "1") PART("b", "2") PART("a", "3") PART("a", "4"), "{\"a\":[\"1\",\"3\",\"4\"],\"b\":\"2\"}");
	IS(PART("a", "1") PART("a[]", "2"), "{\"a\":[\"2\"]}");
	IS(PART("a[]", "1") PART("a", "2"), "{\"a\":[\"1\",\"2\"]}");
	IS(PART("a[][k]", "1") PART("a[][l]", "2") PART("a[][k]", "3"), "{\"a\":[{\"k\":\"1\",\"l\":\"2\"},{\"k\":\"3\"}]}");
	IS(PART("a[][]", "1") PART("a[][]", "2"), "{\"a\":[[\"1\",\"2\"]]}");
	IS(PART("a[b]", "1") PART("a[b]", "2"), "{\"a\":{\"b\":[\"1\",\"2\"]}}");
	IS(PART("a[b]", "1") PART("a[]", "2") PART("a[]", "3"), "{\"a\":{\"b\":\"1\",\"\":[\"2\",\"3\"]}}");
	IS(PART("a", "1") PART("a[b]", "2"), "{\"a\":{\"b\":\"2\"}}");
	IS(PART("a[0][x]", "1") PART("a[1][x]", "2"), "{\"a\":{\"0\":{\"x\":\"1\"},\"1\":{\"x\":\"2\"}}}");
}

/* Names whose brackets are none, or too many. */
static void
odd_names_test(void)
{
	IS(PART("[a]", "1") PART("a[", "2") PART("a]", "3") PART("a[b", "4") PART("a[b]c", "5"),
	    "{\"[a]\":\"1\",\"a[\":\"2\",\"a]\":\"3\",\"a[b\":\"4\",\"a[b]c\":\"5\"}");
	IS(PART("a[b]c[d]", "1"), "{\"a\":{\"[b]c[d]\":\"1\"}}");
	IS(PART("a[[b]]", "1"), "{\"a\":{\"[[b]]\":\"1\"}}");
	IS(PART("a[1][2][3][4][5][6][7][8][9][10][11][12][13][14][15][16][17]", "x"),
	    "{\"a\":{\"1\":{\"2\":{\"3\":{\"4\":{\"5\":{\"6\":{\"7\":{\"8\":{\"9\":{\"10\":{\"11\":{\"12\":{\"13\":"
	    "{\"14\":{\"15\":{\"[16][17]\":\"x\"}}}}}}}}}}}}}}}}}");
}

static void
kinds_test(void)
{
	IS(PART("temperature", "0.20") PART("n", " 2 ") PART("seed", "12345678901234567890"),
	    "{\"temperature\":0.20,\"n\":2,\"seed\":12345678901234567890}");
	IS(PART("temperature", "warm") PART("n", "") PART("speed", "01"),
	    "{\"temperature\":\"warm\",\"n\":\"\",\"speed\":\"01\"}");
	IS(PART("stream", "true") PART("disable_log", "false") PART("is_pinned", "True"),
	    "{\"stream\":true,\"disable_log\":false,\"is_pinned\":\"True\"}");
	IS(PART("prompt_unit_price", "1e-7") PART("completion_unit_price", "0.5"),
	    "{\"prompt_unit_price\":1e-7,\"completion_unit_price\":0.5}");
	IS(PART("metadata", "{\"feature\": \"x\"}") PART("properties", " {\"a\":1}\n") PART("note", "{\"a\":1}"),
	    "{\"metadata\":{\"feature\": \"x\"},\"properties\":{\"a\":1},\"note\":\"{\\\"a\\\":1}\"}");
	IS(PART("metadata", "\"x\"") PART("variables", "{\"a\":}"),
	    "{\"metadata\":\"\\\"x\\\"\",\"variables\":\"{\\\"a\\\":}\"}");
	IS(PART("prompt", "{\"prompt_id\":1}") PART("language", "1") PART("x[temperature]", "1"),
	    "{\"prompt\":\"{\\\"prompt_id\\\":1}\",\"language\":\"1\",\"x\":{\"temperature\":\"1\"}}");
	/* ours, wherever they may stand */
	IS(PART("respan_params[disable_log]", "true") PART("respan_params[metadata]", "{\"a\":1}")
	    PART("extra_body[respan_params][prompt_unit_price]", "2") PART("metadata[n]", "3"),
	    "{\"respan_params\":{\"disable_log\":true,\"metadata\":{\"a\":1}},"
	    "\"extra_body\":{\"respan_params\":{\"prompt_unit_price\":2}},\"metadata\":{\"n\":\"3\"}}");
	IS(PART("seed", "1") PART("seed", "2"), "{\"seed\":[1,2]}");
	IS(FILE_PART("metadata", "m.json", "{\"a\":1}"), "{\"metadata\":{\"a\":1}}");
}

#define WAV "RIFF\0\r\n--Bx\r\n--"

static void
files_test(void)
{
	ok(gives(SLICE(PART("model", "m") FILE_PART("file", "a %22b\xc3\xa9%22.wav", WAV) PART("n", "1") END), FORM_END,
	    SLICE("{\"model\":\"m\",\"file\":{\"filename\":\"a \\\"b\xc3\xa9\\\".wav\",\"content_type\":\"audio/wav\","
	    "\"bytes\":15},\"n\":1}"), SLICE(WAV)));
	ok(gives(SLICE(FILE_PART("image[]", "1", "x") FILE_PART("image[]", "2", "") FILE_PART("", "3", "y") END), FORM_END,
	    SLICE("{\"image\":[{\"filename\":\"1\",\"content_type\":\"audio/wav\",\"bytes\":1},"
	    "{\"filename\":\"2\",\"content_type\":\"audio/wav\",\"bytes\":0}]}"), SLICE("xy")));
	ok(gives(SLICE("--B\r\nContent-Disposition: form-data; name=f; filename=\"\"\r\n\r\nx\r\n" END), FORM_END,
	    SLICE("{\"f\":{\"filename\":\"\",\"content_type\":\"\",\"bytes\":1}}"), SLICE("x")));
}

/* What came before the break is there. */
static void
broken_test(void)
{
	ok(gives(SLICE(""), FORM_MORE, SLICE("{}"), SLICE("")));
	ok(gives(SLICE(PART("a", "1") "--B\r\nContent-Disposition: form-data; name=b\r\n\r\nx"), FORM_MORE,
	    SLICE("{\"a\":\"1\",\"b\":null}"), SLICE("")));
	ok(gives(SLICE(PART("a", "1") "--B\r\nContent-Disposition: form-data; name=b; filename=c\r\n\r\nxy"), FORM_MORE,
	    SLICE("{\"a\":\"1\",\"b\":{\"filename\":\"c\",\"content_type\":\"\",\"bytes\":2}}"), SLICE("xy")));
	ok(gives(SLICE(FILE_PART("a", "f", "1")), FORM_MORE,
	    SLICE("{\"a\":{\"filename\":\"f\",\"content_type\":\"audio/wav\",\"bytes\":1}}"), SLICE("1")));
}

/* Fields over the ceiling are null, later ones that have room are not. */
static void
limit_test(void)
{
	static const char head[] = "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n";
	struct slice large = { malloc(LIMIT_FORM_TEXT), LIMIT_FORM_TEXT };
	struct reading *r = &reading;
	size_t i;

	memset((char *)(uintptr_t)large.ptr, 'x', large.len);
	reading_init(r);
	form_feed(&r->form, slice_str(head));
	items_take(r);
	for (i = 0; i < 2; i++) {
		form_feed(&r->form, slice_make(large.ptr, LIMIT_FORM_TEXT - i));
		items_take(r);
		form_feed(&r->form, i == 0 ? SLICE("y\r\n" PART("b", "1") "--B\r\n\r\n") : SLICE("\r\n" END));
		items_take(r);
	}
	ok(r->end == FORM_END && r->form.cut && form_next(&r->form, &(struct form_item){ .bytes = SLICE_NONE }) == FORM_END);
	reading_end(r);
	ok(slice_eq(buf_view(&r->json), SLICE("{\"a\":null,\"b\":\"1\"}")));
	reading_free(r);
	exact_free(large);
	ok(gives(SLICE(PART("a", "1") "--B\r\nX: "), FORM_MORE, SLICE("{\"a\":\"1\"}"), SLICE("")));
}

/* As many parts as there may be, each as deep as it may be. */
static void
nodes_test(void)
{
	struct reading *r = &reading;
	unsigned i, depth;
	struct buf b;

	buf_init(&b, 4 * MIB);
	for (i = 0; i <= LIMIT_PARTS; i++) {
		buf_printf(&b, "--B\r\nContent-Disposition: form-data; name=a%u", i);
		for (depth = 0; depth < 20; depth++)
			buf_str(&b, "[]");
		buf_str(&b, "\r\n\r\nx\r\n");
	}
	form_read(r, buf_view(&b), 0);
	ok(r->end == FORM_E && jscan_check(buf_view(&r->json), NULL, NULL) == JSCAN_END);
	ok(slice_ends(buf_view(&r->json), SLICE("{\"[][][][][]\":\"x\"}]]]]]]]]]]]]]]]}")));
	reading_free(r);
	buf_free(&b);
}

int
main(void)
{
	names_test();
	odd_names_test();
	kinds_test();
	files_test();
	broken_test();
	limit_test();
	nodes_test();
	return done();
}
