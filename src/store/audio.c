/* SPDX-License-Identifier: Apache-2.0 */
/* audio: see audio.h. Called by the sink, retention, and the API for paths. */
#include "store/audio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

void
audio_path(const char *data_dir, const uint8_t id[16], char *out)
{
	char hex[33];

	hex_encode(id, 16, hex);
	snprintf(out, AUDIO_PATH, "%s/audio/%s", data_dir, hex);
}

static bool
write_all(int fd, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes = slice_from(bytes, (size_t)n);
	}
	return true;
}

bool
audio_keep(const char *data_dir, const uint8_t id[16], struct slice bytes)
{
	char path[AUDIO_PATH], made[AUDIO_PATH + 8];
	bool good;
	int fd;

	snprintf(path, sizeof(path), "%s/audio", data_dir);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return false;
	audio_path(data_dir, id, path);
	snprintf(made, sizeof(made), "%s.new", path);
	fd = open(made, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	/* the journal lets its bytes go once the span is on disk: so must they be */
	good = write_all(fd, bytes) && fdatasync(fd) == 0;
	good = close(fd) == 0 && good;
	good = good && rename(made, path) == 0;
	if (!good)
		(void)unlink(made);
	return good;
}

void
audio_remove(const char *data_dir, const uint8_t id[16])
{
	char path[AUDIO_PATH];

	audio_path(data_dir, id, path);
	(void)unlink(path);
}
