/* SPDX-License-Identifier: Apache-2.0 */
/*
 * family: tells the API family of a request from its method and the tail of
 * its path, so that Azure's deployment paths and providers with another root
 * are understood as well. Called once a request by the gate, and by the
 * builder for the names.
 */
#include "core/family.h"

#define PATHS 4		/* of one family */

struct family_row {
	const char	*name, *log_type;
	struct { const char *method, *tail; } paths[PATHS];
};

static const struct family_row families[FAMILY_COUNT] = {
#define PATH(method, tail) { method, tail }
#define FAMILY(symbol, name, log_type, ops, ...) \
	[FAMILY_##symbol] = { name, log_type, { __VA_ARGS__ } },
#include "core/family.tbl.h"
#undef FAMILY
#undef PATH
};

/* Takes the last member off a path or tail, with its slash: false when there
 * is none left. */
static bool
member_last(struct slice *path, struct slice *member)
{
	const char *slash = path->len ? memrchr(path->ptr, '/', path->len) : NULL;
	struct slice all = *path;

	if (slash == NULL)
		return false;
	path->len = (size_t)(slash - path->ptr);
	*member = slice_from(all, path->len + 1);
	return true;
}

static bool
tail_matches(struct slice tail, struct slice path)
{
	struct slice want, got;

	while (member_last(&tail, &want))
		if (!member_last(&path, &got) || got.len == 0 ||
		    (!slice_eq(want, SLICE("*")) && !slice_eq(want, got)))
			return false;
	return true;
}

enum family
family_of(struct slice method, struct slice path)
{
	const struct family_row *row;
	size_t i, n;

	if (path.len > 1 && path.ptr[path.len - 1] == '/')
		path.len--;
	for (i = 0; i < FAMILY_OTHER; i++) {
		row = &families[i];
		for (n = 0; n < PATHS && row->paths[n].tail != NULL; n++)
			if (tail_matches(slice_str(row->paths[n].tail), path) &&
			    slice_eq(method, slice_str(row->paths[n].method)))
				return (enum family)i;
	}
	return FAMILY_OTHER;
}

bool
family_has_breakdown(enum family f)
{
	switch (f) {
	case FAMILY_CHAT:
	case FAMILY_COMPLETION:
	case FAMILY_EMBEDDING:
	case FAMILY_RESPONSE:
	case FAMILY_MESSAGES:
		return true;
	default:
		return false;
	}
}

const char *
family_name(enum family f)
{
	return families[f < FAMILY_COUNT ? f : FAMILY_OTHER].name;
}

const char *
family_log_type(enum family f)
{
	return families[f < FAMILY_COUNT ? f : FAMILY_OTHER].log_type;
}

enum family
family_by_name(struct slice name)
{
	unsigned i;

	for (i = 0; i < FAMILY_COUNT; i++)
		if (slice_eq(name, slice_str(families[i].name)))
			return (enum family)i;
	return FAMILY_OTHER;
}
