/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment: the files themselves. Called by the helper thread, recovery and
 * readers, never by a thread of the gate.
 */
#include <config.h>

#include "journal/segment.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "core/record.h"
#include "journal/series.h"

#define SEGMENT_MAGIC "SPANJRNL"
#define SEGMENT_ORDER 0x01020304u
#define SEGMENT_SALT_AT 32
#define SEGMENT_BEFORE_AT 36
#define SEGMENT_THREAD_AT 40
#define SEGMENT_CRC_AT 60

static void
put_u32(char *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, 4);
}

static uint32_t
get_u32(const char *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return le32toh(v);
}

/* series/00000001.seg */
void
segment_path(char *out, size_t len, const char *series_path, uint32_t number)
{
	(void)snprintf(out, len, "%s/%08u.seg", series_path, number);
}

void
segment_head(char out[SEGMENT_HEAD], const char *series, uint32_t number, uint32_t salt,
    uint32_t before)
{
	uint64_t start_ms = series_start_ms(series);

	memset(out, 0, SEGMENT_HEAD);
	memcpy(out, SEGMENT_MAGIC, 8);
	put_u32(out + 8, JOURNAL_VERSION);
	put_u32(out + 12, SEGMENT_ORDER);
	put_u32(out + 16, (uint32_t)start_ms);
	put_u32(out + 20, (uint32_t)(start_ms >> 32));
	put_u32(out + 24, number);
	put_u32(out + 28, SEGMENT_HEAD);
	put_u32(out + SEGMENT_SALT_AT, salt);
	put_u32(out + SEGMENT_BEFORE_AT, before);
	put_u32(out + SEGMENT_THREAD_AT, series_thread(series));
	put_u32(out + SEGMENT_CRC_AT, crc32c(0, out, SEGMENT_CRC_AT));
}

/* Does a head that is well name this segment? In version 1 it named no thread. */
static bool
segment_named(const char *head, uint32_t version, const char *series_path, uint32_t number)
{
	const char *series = strrchr(series_path, '/');
	uint64_t start_ms;

	series = series != NULL ? series + 1 : series_path;
	start_ms = get_u32(head + 16) | (uint64_t)get_u32(head + 20) << 32;
	return get_u32(head + 24) == number && start_ms == series_start_ms(series) &&
	    (version < 2 || get_u32(head + SEGMENT_THREAD_AT) == series_thread(series));
}

/* The version is looked at before the CRC: a newer head may be another. */
int
segment_check(int fd, const char *series_path, uint32_t number, struct segment_info *info)
{
	char head[SEGMENT_HEAD];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	if (n < 0)
		return SEGMENT_E_IO;
	if (n < SEGMENT_HEAD)
		return SEGMENT_EMPTY;
	if (memcmp(head, SEGMENT_MAGIC, 8) != 0)
		return SEGMENT_E_HEAD;
	info->version = get_u32(head + 8);
	if (info->version > JOURNAL_VERSION && get_u32(head + 12) == SEGMENT_ORDER)
		return SEGMENT_E_VERSION;
	if (get_u32(head + SEGMENT_CRC_AT) != crc32c(0, head, SEGMENT_CRC_AT) ||
	    get_u32(head + 28) != SEGMENT_HEAD)
		return SEGMENT_E_HEAD;
	if (!segment_named(head, info->version, series_path, number))
		return SEGMENT_EMPTY;
	info->salt = get_u32(head + SEGMENT_SALT_AT);
	info->before = get_u32(head + SEGMENT_BEFORE_AT);
	return SEGMENT_OK;
}

bool
segment_begun(const char *series_path, uint32_t number, uint32_t *before)
{
	int fd = segment_open(series_path, number), result;
	struct segment_info info = { 0 };

	if (fd < 0)
		return false;
	result = segment_check(fd, series_path, number, &info);
	(void)close(fd);
	*before = info.before;
	return result != SEGMENT_EMPTY && result != SEGMENT_E_IO;
}

uint64_t
segment_end(const char *series_path, uint32_t number, uint64_t offset)
{
	int fd = segment_open(series_path, number);
	struct segment_info info;
	char head[RECORD_HEAD];
	uint32_t length;

	if (fd < 0)
		return offset;
	if (segment_check(fd, series_path, number, &info) == SEGMENT_OK)
		while (pread(fd, head, sizeof(head), (off_t)offset) == RECORD_HEAD &&
		    record_salted(head, sizeof(head), info.salt) &&
		    (length = get_u32(head)) >= RECORD_HEAD && length <= LIMIT_RECORD)
			offset += length;
	(void)close(fd);
	return offset;
}

int
segment_open(const char *series_path, uint32_t number)
{
	char path[PATH_MAX];

	segment_path(path, sizeof(path), series_path, number);
	return open(path, O_RDONLY | O_CLOEXEC);
}

bool
segment_delete(const char *series_path, uint32_t number)
{
	char path[PATH_MAX];

	segment_path(path, sizeof(path), series_path, number);
	return unlink(path) == 0;
}

int64_t
segment_size(const char *series_path, uint32_t number)
{
	char path[PATH_MAX];
	struct stat st;

	segment_path(path, sizeof(path), series_path, number);
	return stat(path, &st) < 0 ? -1 : (int64_t)st.st_size;
}

int
segment_reserve(int fd, uint64_t bytes)
{
	while (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes) < 0) {
		if (errno == EOPNOTSUPP || errno == ENOSYS)
			return 0;
		if (errno != EINTR)
			return -1;
	}
	return 1;
}

int
segment_create(const char *series_path, uint32_t number, uint64_t bytes, bool *reserved)
{
	char path[PATH_MAX];
	int fd, got, saved;

	segment_path(path, sizeof(path), series_path, number);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	got = segment_reserve(fd, bytes);
	if (got < 0) {
		saved = errno;
		(void)unlink(path);
		(void)close(fd);
		errno = saved;
		return -1;
	}
	*reserved = got == 1;
	return fd;
}

/* Cutting a file at its own length is what frees the blocks behind it. */
void
segment_trim(int fd, uint64_t size)
{
	int r;

	do
		r = ftruncate(fd, (off_t)size);
	while (r < 0 && errno == EINTR);
}

/* The number in "00000012.seg", 0 for any other name. */
static uint32_t
segment_number(const char *name)
{
	unsigned long v;
	char *end;

	if (strspn(name, "0123456789") < 8)
		return 0;
	v = strtoul(name, &end, 10);
	return strcmp(end, ".seg") == 0 && v <= UINT32_MAX ? (uint32_t)v : 0;
}

static int
number_compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int
segment_list(const char *series_path, uint32_t **list, size_t *n)
{
	size_t cap = 8;
	struct dirent *e;
	uint32_t number;
	DIR *d;

	*n = 0;
	*list = NULL;
	if ((d = opendir(series_path)) == NULL)
		return -1;
	*list = xmalloc(cap * sizeof(**list));
	while ((e = readdir(d)) != NULL) {
		if ((number = segment_number(e->d_name)) == 0)
			continue;
		if (*n == cap)
			*list = xrealloc(*list, (cap *= 2) * sizeof(**list));
		(*list)[(*n)++] = number;
	}
	(void)closedir(d);
	qsort(*list, *n, sizeof(**list), number_compare);
	return 0;
}

uint64_t
segment_total(const char *series_path)
{
	uint64_t bytes = 0;
	uint32_t *list;
	int64_t size;
	size_t n, i;

	if (segment_list(series_path, &list, &n) < 0)
		return 0;
	for (i = 0; i < n; i++)
		if ((size = segment_size(series_path, list[i])) > 0)
			bytes += (uint64_t)size;
	free(list);
	return bytes;
}
