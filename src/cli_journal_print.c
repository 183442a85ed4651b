/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli_journal_print: a journal record as a line of text, its fields by the one
 * table of them. What came from outside is escaped.
 */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/base.h"
#include "cli_journal.h"
#include "core/reason.h"
#include "journal/segment.h"

#define PRINT_SHORT 80	/* bytes shown of a long field */

enum field_type { FIELD_u64, FIELD_text, FIELD_json, FIELD_bytes };

static const struct {
	const char	*name;
	enum field_type	 type;
} fields[256] = {
#define TAG(symbol, value, type, records, sentence) [value] = { #symbol, FIELD_##type },
#include "core/record.tbl.h"
#undef TAG
};

static const char *const types[] = {
	[RECORD_BEGIN] = "BEGIN", [RECORD_SEND] = "SEND", [RECORD_HEAD_IN] = "HEAD",
	[RECORD_PART] = "PART", [RECORD_END] = "END", [RECORD_SPAN] = "SPAN",
	[RECORD_EDIT] = "EDIT", [RECORD_CHECKPOINT] = "CHECKPOINT", [RECORD_FACTS] = "FACTS",
};

static void
print_escaped(FILE *out, struct slice s)
{
	size_t i;

	fputc('"', out);
	for (i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c == '\n')
			fputs("\\n", out);
		else if (c == '\r')
			fputs("\\r", out);
		else if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

/* Lower case, and "?" and the number for what a later version may write. */
static void
print_name(FILE *out, unsigned tag)
{
	const char *p = fields[tag & 255].name;

	if (p == NULL)
		fprintf(out, " ?%u", tag);
	else
		for (fputc(' ', out); *p != '\0'; p++)
			fputc(*p >= 'A' && *p <= 'Z' ? *p + 32 : *p, out);
}

static void
print_wall(FILE *out, uint64_t us)
{
	time_t t = (time_t)(us / 1000000);
	struct tm tm;
	char text[40];

	(void)gmtime_r(&t, &tm);
	(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(out, "=%s.%06uZ", text, (unsigned)(us % 1000000));
}

static void
print_number(FILE *out, unsigned tag, uint64_t v)
{
	switch (tag) {
	case TAG_WALL:
		print_wall(out, v);
		break;
	case TAG_REASON:
		fprintf(out, "=%s", reason_info(v < REASON_COUNT ? (unsigned)v : REASON_COUNT)->name);
		break;
	case TAG_DIRECTION:
		fprintf(out, "=%s", v == DIRECTION_REQUEST ? "request" : "answer");
		break;
	default:
		fprintf(out, "=%" PRIu64, v);
	}
}

static void
print_field(FILE *out, const struct record_field *f, bool bodies)
{
	struct slice s = f->bytes;
	char hex[33];

	print_name(out, f->tag);
	if (fields[f->tag & 255].type == FIELD_u64 && s.len == 8) {
		print_number(out, f->tag, record_u64(s));
		return;
	}
	if (f->tag == TAG_TARGET_ID && s.len == 16) {
		hex_encode(s.ptr, 16, hex);
		fprintf(out, "=%s", hex);
		return;
	}
	if (f->tag == TAG_OPEN || f->tag == TAG_FIRST) {
		fprintf(out, "[%zu]", s.len / (f->tag == TAG_OPEN ? 24 : 8));
		return;
	}
	if (s.len > PRINT_SHORT && !bodies) {
		fprintf(out, "[%zu]", s.len);
		s.len = PRINT_SHORT;
	}
	fputc('=', out);
	print_escaped(out, s);
	if (s.len < f->bytes.len)
		fputs("...", out);
}

void
journal_print_record(FILE *out, const struct record *r, uint64_t position, bool bodies)
{
	struct slice payload = r->payload;
	struct record_field f;
	char hex[33];

	fprintf(out, "%" PRIu32 ":%" PRIu32 " ", position_segment(position), position_offset(position));
	if (r->type < sizeof(types) / sizeof(types[0]) && types[r->type] != NULL)
		fputs(types[r->type], out);
	else
		fprintf(out, "type%u", (unsigned)r->type);
	if (r->type != RECORD_CHECKPOINT) {
		hex_encode(r->id, 16, hex);
		fprintf(out, " %s", hex);
	}
	if (r->prev != 0)
		fprintf(out, " prev=%" PRIu32 ":%" PRIu32, position_segment(r->prev),
		    position_offset(r->prev));
	while (record_next(&payload, &f))
		print_field(out, &f, bodies);
	if (payload.ptr == NULL)
		fputs(" (malformed)", out);
	fputc('\n', out);
}
