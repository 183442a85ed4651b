/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trace.c: where the span stands in a trace: the request's own members, else
 * its traceparent (W3C Trace Context). Called by request.c once the members
 * are read.
 */
#include "core/head.h"
#include "span/inner.h"

#define VERSION_LEN 2
#define TRACE_LEN 32
#define PARENT_LEN 16
#define FLAGS_LEN 2
/* 00-TRACE-PARENT-FLAGS, which versions to come may go on behind */
#define FIELDS_LEN (VERSION_LEN + 1 + TRACE_LEN + 1 + PARENT_LEN + 1 + FLAGS_LEN)

/* Takes n lower-case hex digits off the front. */
static bool
hex_take(struct slice *s, size_t n, struct slice *digits)
{
	size_t i;

	if (s->len < n)
		return false;
	for (i = 0; i < n; i++)
		if (s->ptr[i] == '\0' || strchr("0123456789abcdef", s->ptr[i]) == NULL)
			return false;
	*digits = slice_make(s->ptr, n);
	*s = slice_from(*s, n);
	return true;
}

static bool
dash_take(struct slice *s)
{
	if (s->len == 0 || *s->ptr != '-')
		return false;
	*s = slice_from(*s, 1);
	return true;
}

static bool
is_zero(struct slice digits)
{
	size_t i;

	for (i = 0; i < digits.len && digits.ptr[i] == '0'; i++)
		;
	return i == digits.len;
}

bool
traceparent_read(struct slice value, struct slice *trace, struct slice *parent)
{
	struct slice rest = value, version, flags;

	if (!hex_take(&rest, VERSION_LEN, &version) || slice_eq(version, SLICE("ff")) ||
	    !dash_take(&rest) || !hex_take(&rest, TRACE_LEN, trace) || is_zero(*trace) ||
	    !dash_take(&rest) || !hex_take(&rest, PARENT_LEN, parent) || is_zero(*parent) ||
	    !dash_take(&rest) || !hex_take(&rest, FLAGS_LEN, &flags))
		return false;
	return rest.len == 0 || (!slice_eq(version, SLICE("00")) && *rest.ptr == '-');
}

/* The one traceparent among the header lines; of several none counts. */
static struct slice
traceparent_find(struct slice lines)
{
	struct slice found = SLICE_NONE;
	struct http1_field field;

	while (head_line_next(&lines, &field))
		if (slice_caseeq(field.name, SLICE("traceparent"))) {
			if (found.ptr != NULL)
				return SLICE_NONE;
			found = field.value;
		}
	return found;
}

void
trace_build(struct build *b)
{
	struct slice header = traceparent_find(record_get(b->begin, TAG_HEADERS)), trace, parent;
	struct span *s = &b->span;

	/* a parent in the header is none in another trace */
	if (s->trace_unique_id.len == 0 && traceparent_read(header, &trace, &parent)) {
		s->trace_unique_id = trace;
		if (s->span_parent_id.len == 0)
			s->span_parent_id = parent;
	}
	if (s->trace_unique_id.len > 0 && s->span_unique_id.len == 0)
		s->span_unique_id = s->id;
}
