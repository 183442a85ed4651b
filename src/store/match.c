/* SPDX-License-Identifier: Apache-2.0 */
/*
 * match: see match.h. Called by the store's SQL functions for each row, and by
 * query.c once, to refuse a bad pattern early.
 */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "store/match.h"

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "core/buf.h"
#include "core/limits.h"

struct match {
	enum match_mode	 mode;
	struct slice	 pattern;	/* in `text` */
	pcre2_code	*code;
	pcre2_match_data *data;
	pcre2_match_context *context;
	char		 text[];
};

/* A pattern of LIKE as a regular expression: % is any text, _ any character,
 * a backslash takes the meaning from the next one. */
static void
like_regex(struct slice like, struct buf *out)
{
	for (size_t i = 0; i < like.len; i++) {
		char c = like.ptr[i];

		if (c == '%')
			buf_str(out, ".*");
		else if (c == '_')
			buf_byte(out, '.');
		else {
			if (c == '\\' && i + 1 < like.len)
				c = like.ptr[++i];
			if (strchr("\\^$.[]|()?*+{}", c) && c != '\0')
				buf_byte(out, '\\');
			buf_byte(out, c);
		}
	}
}

static bool
compile(struct match *m, char *err, size_t errlen)
{
	uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF;
	struct slice pattern = m->pattern;
	PCRE2_SIZE at;
	struct buf like;
	int code;

	buf_init(&like, 3 * LIMIT_FILTER_PATTERN);
	options |= m->mode == MATCH_REGEX ? PCRE2_NEVER_BACKSLASH_C : PCRE2_CASELESS;
	if (m->mode == MATCH_IEXACT || m->mode == MATCH_ILIKE)
		options |= PCRE2_ANCHORED | PCRE2_ENDANCHORED;
	if (m->mode == MATCH_IEXACT || m->mode == MATCH_ICONTAINS)
		options |= PCRE2_LITERAL;
	if (m->mode == MATCH_ILIKE) {
		options |= PCRE2_DOTALL;
		like_regex(pattern, &like);
		pattern = buf_view(&like);
	}
	m->code = pcre2_compile((PCRE2_SPTR)(pattern.ptr ? pattern.ptr : ""), pattern.len, options, &code, &at, NULL);
	buf_free(&like);
	if (!m->code) {
		char what[120];

		pcre2_get_error_message(code, (PCRE2_UCHAR *)what, sizeof(what));
		snprintf(err, errlen, "%s at byte %zu", what, (size_t)at);
		return false;
	}
	m->data = pcre2_match_data_create_from_pattern(m->code, NULL);
	m->context = pcre2_match_context_create(NULL);
	if (!m->data || !m->context)
		return false;
	pcre2_set_match_limit(m->context, LIMIT_FILTER_STEPS);
	pcre2_set_heap_limit(m->context, LIMIT_FILTER_HEAP);
	return true;
}

struct match *
match_new(enum match_mode mode, struct slice pattern, char *err, size_t errlen)
{
	struct match *m;

	snprintf(err, errlen, "no memory");
	if (pattern.len > LIMIT_FILTER_PATTERN) {
		snprintf(err, errlen, "it is longer than %u bytes", LIMIT_FILTER_PATTERN);
		return NULL;
	}
	m = xcalloc(1, sizeof(*m) + pattern.len + 1);
	m->mode = mode;
	if (pattern.len > 0)
		memcpy(m->text, pattern.ptr, pattern.len);
	m->pattern = slice_make(m->text, pattern.len);
	if (mode > MATCH_ENDS && !compile(m, err, errlen)) {
		match_free(m);
		return NULL;
	}
	return m;
}

void
match_free(struct match *m)
{
	if (!m)
		return;
	pcre2_match_context_free(m->context);
	pcre2_match_data_free(m->data);
	pcre2_code_free(m->code);
	free(m);
}

bool
match_text(const struct match *m, struct slice text)
{
	switch (m->mode) {
	case MATCH_CONTAINS:
		return m->pattern.len == 0 || (text.len > 0 &&
		    memmem(text.ptr, text.len, m->pattern.ptr, m->pattern.len));
	case MATCH_STARTS:
		return slice_starts(text, m->pattern);
	case MATCH_ENDS:
		return slice_ends(text, m->pattern);
	default:
		return pcre2_match(m->code, (PCRE2_SPTR)(text.ptr ? text.ptr : ""), text.len, 0, 0, m->data,
		    m->context) >= 0;
	}
}
