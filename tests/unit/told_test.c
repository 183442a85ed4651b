/* SPDX-License-Identifier: Apache-2.0 */
/* told: remembers over a restart and a torn line, and forgets the oldest only. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/limits.h"
#include "export/told.h"
#include "tap.h"

/* Numbers that meet in the table as well as ones that do not. */
static uint64_t
number(uint64_t i)
{
	return i % 3 ? i * UINT64_C(0x9e3779b97f4a7c15) + 1 : i << 40;
}

static bool
all(const struct told *t, uint64_t from, uint64_t to, bool want)
{
	for (uint64_t i = from; i < to; i++)
		if (told_has(t, number(i)) != want) {
			printf("# %llu\n", (unsigned long long)i);
			return false;
		}
	return true;
}

int
main(void)
{
	const uint64_t n = LIMIT_SINK_TOLD;
	char dir[] = "/tmp/told_test.XXXXXX", path[64];
	struct told *t;
	struct stat st;
	bool good = true;
	int fd;

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/told", dir);
	t = told_open(dir, "told");
	ok(!told_has(t, number(1)));
	for (uint64_t i = 1; i <= 100; i++)
		good &= told_add(t, number(i)) && told_add(t, number(i));
	ok(good);
	ok(stat(path, &st) == 0 && st.st_size == 1700 && (st.st_mode & 0777) == 0600);
	told_close(t);
	fd = open(path, O_WRONLY | O_APPEND);
	ok(write(fd, "0123", 4) == 4);
	close(fd);
	t = told_open(dir, "told");
	ok(all(t, 1, 101, true) && all(t, 101, 300, false));
	for (uint64_t i = 101; i <= 3 * n; i++)
		good &= told_add(t, number(i));
	ok(good && all(t, 1, 2 * n + 1, false));
	ok(all(t, 2 * n + 1, 3 * n + 1, true) && all(t, 3 * n + 1, 4 * n, false));
	told_close(t);
	ok(stat(path, &st) == 0 && (uint64_t)st.st_size <= 2 * 17 * n);
	t = told_open(dir, "told");
	ok(all(t, 1, 2 * n + 1, false) && all(t, 2 * n + 1, 3 * n + 1, true));
	told_close(t);
	unlink(path);
	rmdir(dir);
	return done();
}
