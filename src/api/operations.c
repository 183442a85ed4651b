/* SPDX-License-Identifier: Apache-2.0 */
/* operations: see operations.h. Called for each request, before its handler. */
#include "api/operations.h"

#include "api/listing.h"

#define RIGHT_NOTHING 0
#define RIGHT_CREATE RIGHT_WRITE
#define MAY_LIST_NOTHING false
#define MAY_LIST_READ false
#define MAY_LIST_WRITE false
#define MAY_LIST_ADMIN false
#define MAY_LIST_CREATE true

const struct operation operations[] = {
#define OPERATION(method, path, right, parameters, request, answer, status, sentence) \
	{ method, path, RIGHT_##right, MAY_LIST_##right, PARAMETERS_##parameters, request, answer, status, sentence },
#include "api/operations.tbl.h"
#undef OPERATION
};
const size_t operations_count = sizeof(operations) / sizeof(operations[0]);

/* The next segment of a path, less its slash; SLICE_NONE at the end. */
static struct slice
take_segment(struct slice *path)
{
	const char *slash;
	struct slice segment;

	if (path->len == 0 || *path->ptr != '/')
		return SLICE_NONE;
	*path = slice_from(*path, 1);
	slash = memchr(path->ptr, '/', path->len);
	segment = slice_make(path->ptr, slash ? (size_t)(slash - path->ptr) : path->len);
	*path = slice_from(*path, segment.len);
	return segment;
}

static bool
path_matches(struct slice pattern, struct slice path)
{
	struct slice want, got;

	while ((want = take_segment(&pattern)).ptr) {
		got = take_segment(&path);
		if (!got.ptr || (*want.ptr == '{' ? got.len == 0 : !slice_eq(want, got)))
			return false;
	}
	return path.len == 0;
}

/* The path's own description, the first that matches: "/logs/list" is not "/logs/{id}". */
static const char *
path_of(struct slice path)
{
	for (size_t i = 0; i < operations_count; i++)
		if (path_matches(slice_str(operations[i].path), path))
			return operations[i].path;
	return NULL;
}

bool
operation_path(struct slice path)
{
	return path_of(path) != NULL;
}

const struct operation *
operation_find(struct slice method, struct slice path)
{
	const char *own = path_of(path);

	for (size_t i = 0; own != NULL && i < operations_count; i++)
		if (slice_eq(slice_str(operations[i].method), method) && strcmp(operations[i].path, own) == 0)
			return &operations[i];
	return NULL;
}

unsigned
operation_right(const struct local_request *r)
{
	const struct operation *o = operation_find(r->method, r->path);

	/* Whatever is served without being described needs the most. */
	if (o == NULL)
		return RIGHT_ADMIN;
	return o->may_list && listing_is_list(r->body) ? RIGHT_READ : o->right;
}
