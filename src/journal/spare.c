/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spare: the stock of files to be written again. Used by the helper thread and
 * by whoever opens and closes the journal, under its lock.
 *
 * A file is changed only while it has the name of a segment that is written, so
 * who finds one by its name finds that segment or, by its head, another's. A
 * name is never used twice.
 */
#include <config.h>

#include "journal/spare.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "journal/segment.h"

#define SPARE_SUFFIX ".spare"

static void
spare_free(struct spare *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	free(s->path);
	free(s);
}

/* The name is that of the series and the number, so it is nobody else's. */
bool
spares_keep(struct spares *stock, const char *dir, const char *series_path, uint32_t number)
{
	struct spare *s = xcalloc(1, sizeof(*s));
	char path[PATH_MAX];
	struct stat st;

	s->path = xasprintf("%s%s.%08u" SPARE_SUFFIX, dir, strrchr(series_path, '/'), number);
	segment_path(path, sizeof(path), series_path, number);
	s->fd = open(path, O_RDWR | O_CLOEXEC);
	if (s->fd < 0 || fstat(s->fd, &st) < 0 || rename(path, s->path) < 0) {
		spare_free(s);
		return false;
	}
	s->bytes = (uint64_t)st.st_size;
	s->next = stock->first;
	stock->first = s;
	stock->bytes += s->bytes;
	return true;
}

int
spares_take(struct spares *stock, const char *series_path, uint32_t number, uint64_t *bytes)
{
	struct spare *s = stock->first;
	char path[PATH_MAX];
	int fd = -1;

	*bytes = 0;
	if (s == NULL)
		return -1;
	stock->first = s->next;
	stock->bytes -= s->bytes;
	*bytes = s->bytes;
	segment_path(path, sizeof(path), series_path, number);
	if (rename(s->path, path) == 0) {
		fd = s->fd;
		s->fd = -1;
	}
	spare_free(s);
	return fd;
}

void
spares_free(struct spares *stock)
{
	struct spare *s;

	while ((s = stock->first) != NULL) {
		stock->first = s->next;
		(void)unlink(s->path);
		spare_free(s);
	}
	stock->bytes = 0;
}

void
spares_remove_rests(const char *dir)
{
	size_t suffix = strlen(SPARE_SUFFIX), len;
	struct dirent *e;
	DIR *d = opendir(dir);

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		len = strlen(e->d_name);
		if (len > suffix && strcmp(e->d_name + len - suffix, SPARE_SUFFIX) == 0)
			(void)unlinkat(dirfd(d), e->d_name, 0);
	}
	(void)closedir(d);
}
