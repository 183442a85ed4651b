/* SPDX-License-Identifier: Apache-2.0 */
/*
 * warn.c: the table of warnings at work. Called by all parts of the builder.
 */
#include "span/warn.h"

static const struct {
	const char *code, *sentence;
} table[WARN_COUNT] = {
#define WARNING(symbol, code, sentence) { code, sentence },
#include "span/warnings.tbl.h"
#undef WARNING
};

void
warn_add(struct warnings *w, enum warning code, struct slice detail)
{
	if (w->set[code])
		return;
	w->set[code] = true;
	w->detail[code] = detail;
	w->from[code] = w->source;
}

const char *
warn_code(enum warning code)
{
	return table[code].code;
}

static void
warn_note(struct warnings *w, struct slice line)
{
	const char *colon = memchr(line.ptr, ':', line.len);
	struct slice code = line, detail = SLICE_NONE;
	size_t i;

	if (colon != NULL) {
		code.len = (size_t)(colon - line.ptr);
		detail = slice_trim(slice_from(line, code.len + 1));
	}
	for (i = 0; i < WARN_COUNT; i++)
		if (slice_eq(code, slice_str(table[i].code))) {
			warn_add(w, (enum warning)i, detail);
			return;
		}
	for (i = 0; i < w->nforeign; i++)
		if (slice_eq(code, w->foreign[i]))
			return;
	if (w->nforeign < WARN_FOREIGN && code.len > 0 && code.len <= 64)
		w->foreign[w->nforeign++] = code;
}

void
warn_notes(struct warnings *w, struct slice lines)
{
	const char *lf;
	size_t n;

	while (lines.len > 0) {
		lf = memchr(lines.ptr, '\n', lines.len);
		n = lf ? (size_t)(lf - lines.ptr) : lines.len;
		warn_note(w, slice_trim(slice_make(lines.ptr, n)));
		lines = slice_from(lines, lf ? n + 1 : n);
	}
}

void
warn_put(const struct warnings *w, enum warn_source source, struct buf *out)
{
	size_t i;

	for (i = 0; i < WARN_COUNT; i++) {
		if (!w->set[i] || (w->from[i] != WARN_OF_RECORDS && w->from[i] != source))
			continue;
		buf_str(out, table[i].code);
		if (w->detail[i].len > 0) {
			buf_str(out, ": ");
			buf_slice(out, w->detail[i]);
		}
		buf_byte(out, '\n');
	}
}

static void
warn_one(struct buf *out, struct slice code, const char *sentence, struct slice detail)
{
	struct buf text;

	buf_init(&text, 64 * 1024);
	buf_str(&text, sentence);
	if (detail.len > 0) {
		buf_str(&text, ": ");
		buf_slice(&text, detail);
	}
	buf_byte(out, ',');
	buf_json_string(out, code);
	buf_byte(out, ':');
	buf_json_string(out, buf_view(&text));
	buf_free(&text);
}

bool
warn_json(const struct warnings *w, struct buf *out)
{
	size_t start = out->len, i;

	for (i = 0; i < WARN_COUNT; i++)
		if (w->set[i])
			warn_one(out, slice_str(table[i].code), table[i].sentence,
			    w->detail[i]);
	for (i = 0; i < w->nforeign; i++)
		warn_one(out, w->foreign[i], "noted by the gateway", SLICE_NONE);
	if (out->len == start || out->failed)
		return false;
	out->ptr[start] = '{';
	return buf_byte(out, '}');
}
