/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden spans: each tests/data/FAMILY/NAME.txt describes an exchange and
 * NAME.json holds its span, one field a line. The same span must come out
 * however the answer's bytes are cut, and when they are compressed.
 * `golden_test --write` writes the spans anew, to be looked at.
 */
#include <dirent.h>

#include "core/family.h"
#include "exchange.h"
#include "tap.h"

static struct slice
file_read(const char *path, struct buf *out)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	buf_init(out, EX_ROOM);
	while (f != NULL && (n = fread(buf_reserve(out, 65536), 1, 65536, f)) > 0)
		out->len += n;
	if (f != NULL)
		fclose(f);
	buf_byte(out, '\0');
	return slice_make(out->ptr, out->len - 1);
}

/* The span, one field a line; of a compressed answer less what differs. */
static void
span_lines(const struct span *s, bool compressed, struct buf *out)
{
	const char *before = "{";
	int i;

	for (i = 0; i < SPAN_FIELDS; i++) {
		if (span_is_null(s, (enum span_field)i) ||
		    (compressed && i == SPAN_F_response_headers))
			continue;
		buf_printf(out, "%s\n\"%s\": ", before, span_fields[i].name);
		span_value_json(s, (enum span_field)i, out);
		before = ",";
	}
	buf_str(out, "\n}\n");
}

static void
build_lines(const struct exchange *x, enum ex_cut cut, bool compare_all, struct buf *out)
{
	static const struct build_options options = {
		.user_as_customer = true, .answer_media = MEDIA_CUT,
	};
	struct ex_fed fed;

	buf_init(out, EX_ROOM);
	ex_feed(&fed, x, &options, cut);
	span_lines(build_finish(fed.build), !compare_all, out);
	ex_fed_free(&fed);
}

/* What differs, for people. */
static void
lines_diff(struct slice want, struct slice got)
{
	size_t i = 0, line = 0;

	while (i < want.len && i < got.len && want.ptr[i] == got.ptr[i])
		if (want.ptr[i++] == '\n')
			line = i;
	printf("# want: %.200s\n", want.ptr + line);
	printf("# got:  %.*s\n", (int)(got.len - line < 200 ? got.len - line : 200),
	    got.ptr + line);
}

static void
golden_cuts(const struct exchange *x, const char *name)
{
	struct buf whole, other;
	int cut;

	for (cut = EX_BYTES; cut < EX_CUTS && !x->plain; cut++) {
		build_lines(x, EX_AS_IS, cut < EX_GZIP, &whole);
		build_lines(x, (enum ex_cut)cut, cut < EX_GZIP, &other);
		printf("# %s, cut %d\n", name, cut);
		if (!ok(slice_eq(buf_view(&whole), buf_view(&other))))
			lines_diff(buf_view(&whole), buf_view(&other));
		buf_free(&whole);
		buf_free(&other);
	}
}

static void
golden(const char *dir, const char *name, bool write)
{
	struct buf text, want, got;
	struct exchange *x;
	char path[4096];
	struct slice w;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file_read(path, &text);
	memcpy(path + strlen(path) - 3, "json", 5);
	x = ex_parse(text.ptr);
	build_lines(x, EX_AS_IS, true, &got);
	if (write && (f = fopen(path, "wb")) != NULL) {
		fwrite(got.ptr, 1, got.len, f);
		fclose(f);
	}
	w = file_read(path, &want);
	printf("# %s\n", name);
	if (!ok(slice_eq(w, buf_view(&got))))
		lines_diff(w, buf_view(&got));
	golden_cuts(x, name);
	buf_free(&text);
	buf_free(&want);
	buf_free(&got);
	ex_free(x);
}

/* All of one family; not every one has them. */
static void
golden_family(const char *name, bool write)
{
	const char *top = getenv("TOP_SRCDIR");
	struct dirent *entry;
	char dir[2048];
	size_t n;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/tests/data/%s", top ? top : ".", name);
	d = opendir(dir);
	while (d != NULL && (entry = readdir(d)) != NULL) {
		n = strlen(entry->d_name);
		if (n > 4 && strcmp(entry->d_name + n - 4, ".txt") == 0)
			golden(dir, entry->d_name, write);
	}
	if (d != NULL)
		closedir(d);
}

int
main(int argc, char **argv)
{
	unsigned f;

	for (f = 0; f < FAMILY_COUNT; f++)
		golden_family(family_name((enum family)f), argc > 1 && strcmp(argv[1], "--write") == 0);
	ok(tap_count > 20);
	return done();
}
