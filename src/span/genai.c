/* SPDX-License-Identifier: Apache-2.0 */
/* genai: see genai.h. */
#include "span/genai.h"

#include <stdio.h>

#include "span/vendor.h"

struct word {
	struct slice	 ours, theirs;
};

static const struct word operations[] = {
#define OPERATION(ours, theirs) { { ours, sizeof(ours) - 1 }, { theirs, sizeof(theirs) - 1 } },
#define PROVIDER(ours, theirs)
#include "span/genai.tbl.h"
#undef OPERATION
#undef PROVIDER
};

static const struct word providers[] = {
#define OPERATION(ours, theirs)
#define PROVIDER(ours, theirs) { { ours, sizeof(ours) - 1 }, { theirs, sizeof(theirs) - 1 } },
#include "span/genai.tbl.h"
#undef OPERATION
#undef PROVIDER
};

/* SLICE_NONE: it is not in the table. */
static struct slice
find(const struct word *words, size_t n, struct slice ours)
{
	for (size_t i = 0; i < n; i++)
		if (slice_caseeq(words[i].ours, ours))
			return words[i].theirs;
	return SLICE_NONE;
}

struct slice
genai_operation(const struct span *s)
{
	struct slice type = s->log_type, theirs;

	/* a call of an API that has no type of its own: images */
	if (!s->given && s->family.len > 0 && (type.len == 0 || slice_eq(type, SLICE("other"))))
		type = s->family;
	if (type.len == 0)
		return SLICE("chat");	/* as spans that are given */
	theirs = find(operations, sizeof(operations) / sizeof(*operations), type);
	return theirs.ptr != NULL ? theirs : type;
}

struct slice
genai_provider(struct slice id)
{
	const struct vendor *v = vendor_named(id);
	struct slice name = v != NULL ? v->name : id, theirs;

	theirs = find(providers, sizeof(providers) / sizeof(*providers), name);
	return theirs.ptr != NULL ? theirs : name;
}

struct slice
genai_asked(const struct span *s)
{
	return s->request_model.ptr != NULL ? s->request_model : s->model;
}

/* Where no answer was read the model is the request's. */
struct slice
genai_answered(const struct span *s)
{
	return s->request_model.ptr != NULL || s->given ? s->model : SLICE_NONE;
}

const char *
genai_error(const struct span *s, char text[GENAI_ERROR_BYTES])
{
	*text = '\0';
	if (!slice_eq(s->status, SLICE("error")))
		return text;
	if (s->end_reason.len > 0 && !slice_eq(s->end_reason, SLICE("complete")))
		snprintf(text, GENAI_ERROR_BYTES, "%.*s", (int)s->end_reason.len, s->end_reason.ptr);
	else if (s->status_code.set && s->status_code.v >= 400 && s->status_code.v <= 599)
		snprintf(text, GENAI_ERROR_BYTES, "%d", (int)s->status_code.v);
	else
		snprintf(text, GENAI_ERROR_BYTES, "_OTHER");
	return text;
}
