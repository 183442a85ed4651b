/* SPDX-License-Identifier: Apache-2.0 */
/* file: see file.h. A new file is made beside the old one and renamed over it. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

static bool
write_all(int fd, struct slice text)
{
	ssize_t	n;

	for (; text.len > 0; text = slice_from(text, (size_t)n))
		if ((n = write(fd, text.ptr, text.len)) <= 0)
			return false;
	return true;
}

bool
file_put(const char *dir, const char *name, struct slice text)
{
	char	*path = xasprintf("%s/%s", dir, name), *fresh = xasprintf("%s/%s.new", dir, name);
	int	 fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), error;
	bool	 good = fd >= 0 && write_all(fd, text) && fdatasync(fd) == 0;

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

bool
file_get(const char *dir, const char *name, struct buf *out)
{
	char	*path = xasprintf("%s/%s", dir, name), *to;
	int	 fd = open(path, O_RDONLY | O_CLOEXEC), error = errno;
	struct stat st;
	ssize_t	 n = -1;

	free(path);
	if (fd < 0) {
		errno = error;
		return false;
	}
	if (fstat(fd, &st) == 0 && (to = buf_reserve(out, (size_t)st.st_size + 1)) != NULL) {
		n = read(fd, to, (size_t)st.st_size);
		out->len += n > 0 ? (size_t)n : 0;
	}
	error = out->failed ? EFBIG : errno;
	close(fd);
	errno = error;
	return n >= 0;
}

void
file_remove(const char *dir, const char *name)
{
	char	*path = xasprintf("%s/%s", dir, name);

	unlink(path);
	free(path);
}
