/* SPDX-License-Identifier: Apache-2.0 */
/* export: see export.h. The targets by the settings, all on the main thread. */
#include "export/export.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "core/limits.h"
#include "export/target.h"

struct exports {
	struct target	*list[LIMIT_SINKS];
	size_t		 n;
	char		*data_dir;
};

struct exports *
exports_open(struct config *c)
{
	struct exports *x = xcalloc(1, sizeof(*x));

	x->data_dir = xstrdup(c->data_dir);
	for (size_t i = 0; i < c->nsinks; i++)
		x->list[x->n++] = target_open(c, x->data_dir, c->sinks[i].id);
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
		if (find(x, c->sinks[i].id) == NULL) {
			x->list[x->n] = target_open(c, x->data_dir, c->sinks[i].id);
			target_start(x->list[x->n++]);
		}
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
	free(x);
}
