/* SPDX-License-Identifier: Apache-2.0 */
/*
 * series: names, listing and locks. Called by the journal, its helper and
 * readers; knows nothing of what segments hold.
 */
#include <config.h>

#include "journal/series.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "journal/reader.h"

#define DIGITS "0123456789"
#define SERIES_GONE ".gone"	/* ends the name of a directory that is being removed, */
#define SERIES_NEW ".new"	/* of one that is being made */

char *
series_path(const char *dir, const char *series)
{
	return xasprintf("%s/%s", dir, series);
}

/* 1763665732123-07: 13 digits, a dash, at least 2 digits. */
bool
series_name_valid(const char *name)
{
	size_t digits;

	if (strspn(name, DIGITS) != 13 || name[13] != '-')
		return false;
	digits = strspn(name + 14, DIGITS);
	return digits >= 2 && name[14 + digits] == '\0' && 14 + digits < SERIES_NAME;
}

uint64_t
series_start_ms(const char *name)
{
	return strtoull(name, NULL, 10);
}

uint32_t
series_thread(const char *name)
{
	const char *dash = strchr(name, '-');

	return dash != NULL ? (uint32_t)strtoul(dash + 1, NULL, 10) : 0;
}

static int
name_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char **
series_list(const char *dir)
{
	size_t n = 0, cap = 16;
	struct dirent *e;
	char **list;
	DIR *d;

	if ((d = opendir(dir)) == NULL)
		return NULL;
	list = xmalloc(cap * sizeof(*list));
	while ((e = readdir(d)) != NULL) {
		if (!series_name_valid(e->d_name))
			continue;
		if (n + 1 == cap)
			list = xrealloc(list, (cap *= 2) * sizeof(*list));
		list[n++] = xstrdup(e->d_name);
	}
	(void)closedir(d);
	list[n] = NULL;
	qsort(list, n, sizeof(*list), name_compare);
	return list;
}

void
series_free(char **list)
{
	size_t i;

	if (list == NULL)
		return;
	for (i = 0; list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

static int
lock_file_open(const char *path, int flags)
{
	char name[PATH_MAX];

	(void)snprintf(name, sizeof(name), "%s/lock", path);
	return open(name, flags | O_CLOEXEC, 0600);
}

/* A lock of the open file, as by flock, which can also be asked about. */
int
series_lock(const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = lock_file_open(path, O_RDWR | O_CREAT), saved;

	if (fd < 0)
		return -1;
	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return fd;
	saved = errno == EACCES ? EAGAIN : errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

bool
series_locked(const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = lock_file_open(path, O_RDONLY);
	bool locked;

	if (fd < 0)
		return false;
	locked = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	(void)close(fd);
	return locked;
}

/* Deletes a directory of files. */
static bool
directory_delete(const char *path)
{
	struct dirent *e;
	DIR *d = opendir(path);

	if (d == NULL)
		return false;
	while ((e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			(void)unlinkat(dirfd(d), e->d_name, 0);
	(void)closedir(d);
	return rmdir(path) == 0;
}

bool
series_remove(const char *path)
{
	char name[PATH_MAX];

	(void)snprintf(name, sizeof(name), "%s" SERIES_GONE, path);
	return rename(path, name) == 0 && directory_delete(name);
}

int
series_make(const char *path)
{
	char name[PATH_MAX];
	int fd, saved;

	if (access(path, F_OK) == 0) {
		errno = EEXIST;
		return -1;
	}
	(void)snprintf(name, sizeof(name), "%s" SERIES_NEW, path);
	if (mkdir(name, 0700) < 0)
		return -1;
	fd = series_lock(name);
	if (fd >= 0 && rename(name, path) == 0)
		return fd;
	saved = errno;
	if (fd >= 0)
		(void)close(fd);
	(void)directory_delete(name);
	errno = saved;
	return -1;
}

static bool
ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), n = strlen(end);

	return len > n && strcmp(name + len - n, end) == 0;
}

void
series_remove_rests(const char *dir)
{
	char name[PATH_MAX];
	struct dirent *e;
	DIR *d = opendir(dir);

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL) {
		if (!ends_with(e->d_name, SERIES_GONE) && !ends_with(e->d_name, SERIES_NEW))
			continue;
		(void)snprintf(name, sizeof(name), "%s/%s", dir, e->d_name);
		(void)directory_delete(name);
	}
	(void)closedir(d);
}
