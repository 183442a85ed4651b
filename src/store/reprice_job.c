/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reprice_job.c: the two files. Called by the command line and by the sink.
 */
#include "store/reprice_job.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"
#include "core/jscan.h"
#include "store/db.h"

#define ASKED "reprice"
#define ANSWERED "reprice.done"
#define TEXT 2000		/* of either file */
#define STEP_ROWS 500
#define STEP_US 10000

/* Puts the text under that name, whole or not at all. */
static bool
file_put(const char *dir, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", dir, name), *fresh = xasprintf("%s/%s.new", dir, name);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), error;
	size_t len = strlen(text);
	bool good = fd >= 0 && write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;

	error = errno;
	if (fd >= 0)
		close(fd);
	if (good && rename(fresh, path) != 0) {
		error = errno;
		good = false;
	}
	if (!good)
		unlink(fresh);
	free(path);
	free(fresh);
	errno = error;
	return good;
}

static bool
file_get(const char *dir, const char *name, char text[TEXT + 1])
{
	char *path = xasprintf("%s/%s", dir, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, TEXT) : -1;

	if (fd >= 0)
		close(fd);
	free(path);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static void
file_remove(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);

	unlink(path);
	free(path);
}

bool
reprice_ask(const char *data_dir, const struct reprice *what, uint32_t tables)
{
	char *path = xasprintf("%s/%s", data_dir, ASKED);
	bool there = access(path, F_OK) == 0, good = false;
	struct buf text;

	free(path);
	if (there) {
		errno = EEXIST;
		return false;
	}
	file_remove(data_dir, ANSWERED);
	buf_init(&text, TEXT);
	buf_printf(&text, "{\"tables\":%u,\"from\":%lld,\"to\":%lld,\"unknown\":%s,\"model\":", tables,
	    (long long)what->from_us, (long long)what->to_us, what->unknown ? "true" : "false");
	buf_json_string(&text, slice_str(what->model));
	buf_str(&text, "}\n");
	buf_byte(&text, '\0');
	if (text.failed)
		errno = E2BIG;
	else
		good = file_put(data_dir, ASKED, text.ptr);
	buf_free(&text);
	return good;
}

void
reprice_take_back(const char *data_dir)
{
	file_remove(data_dir, ASKED);
}

bool
reprice_answered(const char *data_dir, char *answer, bool *good)
{
	char text[TEXT + 1];

	if (!file_get(data_dir, ANSWERED, text))
		return false;
	*good = strncmp(text, "good: ", 6) == 0;
	snprintf(answer, 200, "%.*s", (int)strcspn(text, "\n"), *good ? text + 6 : text);
	file_remove(data_dir, ANSWERED);
	return true;
}

static void
finish(struct reprice_job *job, const char *data_dir, const char *answer)
{
	job->active = false;
	log_info("reprice: %s", answer);
	if (!file_put(data_dir, ANSWERED, answer))
		log_warn("reprice: %s/%s: %s", data_dir, ANSWERED, strerror(errno));
	file_remove(data_dir, ASKED);
}

/* NULL, or why it cannot be done. */
static const char *
question_read(struct reprice_job *job, const char *text, const struct prices *prices)
{
	struct jvalue v, model;
	int64_t tables;
	struct buf pattern;

	if (jscan_check(slice_str(text), &v, NULL) != JSCAN_END || !jint(jget(v, SLICE("tables")), &tables) ||
	    !jint(jget(v, SLICE("from")), &job->what.from_us) || !jint(jget(v, SLICE("to")), &job->what.to_us) ||
	    !jbool(jget(v, SLICE("unknown")), &job->what.unknown))
		return "the question cannot be read";
	model = jget(v, SLICE("model"));
	buf_init(&pattern, REPRICE_PATTERN + 1);
	if (!jstring(model, &pattern) || !buf_byte(&pattern, '\0')) {
		buf_free(&pattern);
		return "the question cannot be read";
	}
	memcpy(job->what.model, pattern.ptr, pattern.len);
	buf_free(&pattern);
	if (prices == NULL || (uint32_t)tables != prices_id(prices))
		return "the running gateway has other price tables: reload it first (SIGHUP)";
	return NULL;
}

static bool
position_forget(struct store *store)
{
	if (store->numbers[NUMBER_REPRICE_AT] == 0)
		return true;
	if (store_sqlite.begin(store) == STORE_OK) {
		store->numbers[NUMBER_REPRICE_AT] = 0;
		if (store_sqlite.commit(store) == STORE_OK)
			return true;
	}
	store_sqlite.rollback(store);
	return false;
}

bool
reprice_job_look(struct reprice_job *job, const char *data_dir, struct store *store, const struct prices *prices)
{
	char text[TEXT + 1];
	const char *wrong;

	if (job->active)
		return true;
	if (!file_get(data_dir, ASKED, text)) {
		store->numbers[NUMBER_REPRICE_AT] = 0;
		return false;
	}
	wrong = question_read(job, text, prices);
	if (wrong != NULL) {
		/* how far an earlier start came with it is not where the next one begins */
		if (position_forget(store))
			finish(job, data_dir, wrong);
		return false;
	}
	job->run = (struct reprice_run){ .what = &job->what, .at = store->numbers[NUMBER_REPRICE_AT] };
	job->active = true;
	log_info("reprice: begins%s", job->run.at > 0 ? " where it was broken off" : "");
	return true;
}

/* The step between begin and commit; where it was the last, the position goes
 * back to none. */
static int
step(struct reprice_job *job, struct store *store)
{
	int rc = store_sqlite.begin(store), done;

	if (rc != STORE_OK)
		return rc;
	done = reprice_step(&job->run, STEP_ROWS, STEP_US);
	if (done < 0)
		return done;
	store->numbers[NUMBER_REPRICE_AT] = done == STORE_ROW ? job->run.at : 0;
	rc = store_sqlite.commit(store);
	return rc != STORE_OK ? rc : done;
}

int
reprice_job_step(struct reprice_job *job, const char *data_dir, struct store *store, const struct prices *prices)
{
	char answer[200];
	int rc;

	job->run.store = store;
	job->run.prices = prices;
	rc = step(job, store);
	if (rc < 0) {
		job->active = false;
		return rc;
	}
	if (rc == STORE_OK) {
		snprintf(answer, sizeof(answer), "good: %llu spans priced again, %llu of them changed",
		    (unsigned long long)job->run.seen, (unsigned long long)job->run.nchanged);
		finish(job, data_dir, answer);
	}
	return STORE_OK;
}
