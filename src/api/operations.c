/* SPDX-License-Identifier: Apache-2.0 */
/* operations: see operations.h. Called for each request, before its handler. */
#include "api/operations.h"

#include "api/listing.h"

/* The members of `right`. */
#define NEEDS_OPEN .open = true
#define NEEDS_NOTHING .right = 0
#define NEEDS_READ .right = RIGHT_READ
#define NEEDS_WRITE .right = RIGHT_WRITE
#define NEEDS_ADMIN .right = RIGHT_ADMIN
#define NEEDS_CREATE .right = RIGHT_WRITE, .may_list = true

const struct operation operations[] = {
#define OPERATION(the_method, the_path, needs, set, asks, gives, code, text) \
	{ .method = the_method, .path = the_path, NEEDS_##needs, .parameters = PARAMETERS_##set, .request = asks, \
	    .answer = gives, .status = code, .sentence = text },
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
