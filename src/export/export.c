/* SPDX-License-Identifier: Apache-2.0 */
/* export: see export.h. The targets by the settings, all on the main thread. */
#include "export/export.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/file.h"
#include "base/log.h"
#include "core/limits.h"
#include "export/target.h"

struct exports {
	struct target	*list[LIMIT_SINKS];
	size_t		 n;
	char		*data_dir;
	char		*instance;	/* NULL: none yet */
};

/* What spans that this gateway has sent on are known by: made once, DATA/export/id. */
static char *
instance_read(const char *data_dir)
{
	char *dir = xasprintf("%s/export", data_dir), *id = NULL, hex[33];
	uint8_t random[16], old[16];
	struct buf text;

	buf_init(&text, KIB);
	if (file_get(dir, "id", &text) && text.len == 33 && hex_decode(slice_make(text.ptr, 32), old, 16) == 0)
		id = xstrndup(text.ptr, 32);
	else if (directory_make(dir)) {
		random_bytes(random, sizeof(random));
		hex_encode(random, sizeof(random), hex);
		buf_clear(&text);
		buf_printf(&text, "%s\n", hex);
		if (file_put(dir, "id", buf_view(&text)))
			id = xstrdup(hex);
		else
			log_error("sinks: %s/id: %s", dir, strerror(errno));
	}
	buf_free(&text);
	free(dir);
	return id;
}

/* The sink of these settings, at the end of the list. */
static struct target *
add(struct exports *x, struct config *c, const char *id)
{
	if (x->instance == NULL)
		x->instance = instance_read(x->data_dir);
	x->list[x->n] = target_open(c, x->data_dir, id, x->instance);
	return x->list[x->n++];
}

struct exports *
exports_open(struct config *c)
{
	struct exports *x = xcalloc(1, sizeof(*x));

	x->data_dir = xstrdup(c->data_dir);
	for (size_t i = 0; i < c->nsinks; i++)
		(void)add(x, c, c->sinks[i].id);
	return x;
}

void
exports_start(struct exports *x)
{
	for (size_t i = 0; i < x->n; i++)
		target_start(x->list[i]);
}

static struct target *
find(const struct exports *x, const char *id)
{
	for (size_t i = 0; i < x->n; i++)
		if (strcmp(target_id(x->list[i]), id) == 0)
			return x->list[i];
	return NULL;
}

void
exports_reload(struct exports *x, struct config *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < x->n; i++) {
		struct target *t = x->list[i];

		if (config_sink(c, slice_str(target_id(t))) != NULL) {
			target_reload(t, c);
			x->list[kept++] = t;
		} else {
			target_hurry(t, 0);
			target_free(t);
		}
	}
	x->n = kept;
	for (size_t i = 0; i < c->nsinks; i++)
		if (find(x, c->sinks[i].id) == NULL)
			target_start(add(x, c, c->sinks[i].id));
}

void
exports_stop(struct exports *x, uint64_t deadline_us)
{
	if (x == NULL)
		return;
	for (size_t i = 0; i < x->n; i++)
		target_hurry(x->list[i], deadline_us);
	for (size_t i = 0; i < x->n; i++)
		target_free(x->list[i]);
	free(x->data_dir);
	free(x->instance);
	free(x);
}
