/* SPDX-License-Identifier: Apache-2.0 */
/* writing: see writing.h. Called by the handlers that take spans and changes. */
#include "api/writing.h"

#include "api/answer.h"
#include "api/reading.h"
#include "base/base.h"
#include "core/limits.h"

#define PIECE (512 * KIB)		/* of a span that takes several records */

bool
writing_begin(struct writing *w, struct local_job *job, const struct local_request *request, char *err, size_t errlen)
{
	*w = (struct writing){ .job = job, .request = request, .wall_us = clock_wall_us() };
	w->writer = local_writer(job, &w->uuid, err, errlen);
	return w->writer != NULL;
}

bool
writing_open(struct writing *w, struct local_job *job, const struct local_request *request)
{
	char err[300];

	if (writing_begin(w, job, request, err, sizeof(err)))
		return true;
	api_error(job, 503, "retry-after: 1\r\n", "the journal cannot be written now: %s", err);
	return false;
}

/* Who sent it, as in BEGIN. */
static void
put_sender(struct writing *w, struct buf *fields)
{
	const struct key_config *key = w->request->key;

	record_put_u64(fields, TAG_WALL, w->wall_us);
	record_put(fields, TAG_TENANT, key ? slice_str(key->tenant) : SLICE("default"));
	if (key) {
		record_put(fields, TAG_KEY_ID, slice_str(key->id));
		record_put(fields, TAG_ENVIRONMENT, slice_str(key->environment));
		record_put_u64(fields, TAG_ENVIRONMENT_FREE, key->environment_free);
	}
	if (!w->request->config->log_bodies)
		record_put_u64(fields, TAG_LOG_BODIES, 0);
}

static bool
add(struct writing *w, enum record_type type, const uint8_t id[16], uint64_t *prev, const struct buf *fields,
    struct slice tail)
{
	uint64_t at = fields->failed ? 0 : journal_add(w->writer, type, id, *prev, buf_view(fields), tail);

	if (at == 0)
		return false;
	*prev = w->last = at;
	return true;
}

/* What stands before the last piece, as PARTs. */
static bool
add_pieces(struct writing *w, const uint8_t id[16], struct slice json, size_t *done, uint64_t *prev,
    struct buf *fields)
{
	while (json.len - *done > PIECE) {
		buf_clear(fields);
		record_put_u64(fields, TAG_DIRECTION, DIRECTION_REQUEST);
		record_put_u64(fields, TAG_OFFSET, *done);
		record_put_head(fields, TAG_BYTES, PIECE);
		if (!add(w, RECORD_PART, id, prev, fields, slice_make(json.ptr + *done, PIECE)))
			return false;
		*done += PIECE;
		journal_flush(w->writer);
	}
	return true;
}

bool
writing_span(struct writing *w, struct slice json, struct slice key, struct slice method, uint8_t id[16])
{
	uint64_t prev = 0;
	size_t done = 0;
	struct buf fields;
	bool good;

	uuid7_next(w->uuid, w->wall_us / 1000, id);
	buf_init(&fields, 64 * KIB);
	good = add_pieces(w, id, json, &done, &prev, &fields);
	if (good) {
		buf_clear(&fields);
		put_sender(w, &fields);
		record_put(&fields, TAG_LOG_METHOD, method);
		if (key.len > 0)
			record_put(&fields, TAG_IDEMPOTENCY, key);
		record_put_u64(&fields, TAG_OFFSET, done);
		record_put_head(&fields, TAG_BYTES, json.len - done);
		good = add(w, RECORD_SPAN, id, &prev, &fields, slice_from(json, done));
	}
	buf_free(&fields);
	return good;
}

bool
writing_edit(struct writing *w, const uint8_t target[16], struct slice edit)
{
	uint64_t prev = 0;
	uint8_t id[16];
	struct buf fields;
	bool good;

	uuid7_next(w->uuid, w->wall_us / 1000, id);
	buf_init(&fields, 64 * KIB);
	put_sender(w, &fields);
	record_put(&fields, TAG_TARGET_ID, slice_make(target, 16));
	record_put_head(&fields, TAG_BYTES, edit.len);
	good = edit.len < LIMIT_RECORD - 4 * KIB && add(w, RECORD_EDIT, id, &prev, &fields, edit);
	buf_free(&fields);
	return good;
}

void
writing_by(const struct local_request *request, struct buf *edit)
{
	struct slice tenant = reading_tenant(request), environment = reading_bound(request);

	if (!tenant.ptr)
		return;
	buf_str(edit, "\"by\":{\"tenant\":");
	buf_json_string(edit, tenant);
	if (environment.ptr) {
		buf_str(edit, ",\"environment\":");
		buf_json_string(edit, environment);
	}
	buf_str(edit, "},");
}

bool
writing_save(struct writing *w)
{
	journal_flush(w->writer);
	return journal_written(w->writer);
}

bool
writing_flush(struct writing *w)
{
	if (writing_save(w))
		return true;
	api_error(w->job, 503, "retry-after: 1\r\n", "the journal cannot be written now");
	return false;
}

bool
writing_await(struct writing *w)
{
	return w->last == 0 || journal_await(w->writer, w->last, WRITING_WAIT_US);
}

void
writing_full(struct writing *w)
{
	journal_flush(w->writer);
	api_error(w->job, 429, "retry-after: 1\r\n",
	    "Rate limit exceeded: the journal is full until the store has taken some");
}
