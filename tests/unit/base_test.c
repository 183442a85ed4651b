/* SPDX-License-Identifier: Apache-2.0 */
/* base and log: hex, clocks, randomness; what a log line looks like and that
 * bytes from outside cannot forge one. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"
#include "tap.h"

/* Runs say() with standard error in a pipe; the text it wrote. */
static const char *
captured(void (*say)(void))
{
	static char	text[20000];
	int		fds[2], saved = dup(STDERR_FILENO);
	size_t		n = 0;
	ssize_t		got;

	if (saved < 0 || pipe(fds) != 0)
		abort();
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	say();
	dup2(saved, STDERR_FILENO);
	close(saved);
	while ((got = read(fds[0], text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	close(fds[0]);
	text[n] = '\0';
	return text;
}

static void
say_forged(void)
{
	log_info("model %s", "a\nb\x1b[31m\xff\xc2\x9b ü");
}

static void
say_exchange(void)
{
	const uint8_t	id[16] = { 0x01, 0x93, 0xab };

	xlog(LOG_LEVEL_WARN, id, "complete %d", 200);
}

static void
say_long(void)
{
	static char	text[6000];

	memset(text, '\n', sizeof(text) - 1);
	log_error("%s", text);
}

static void
say_debug(void)
{
	log_debug("quiet");
}

static void
test_log(void)
{
	const char	*line = captured(say_forged);

	ok(strlen(line) > 25 && line[10] == 'T' && line[23] == 'Z');
	ok(strcmp(line + 24, " info  model a\\x0ab\\x1b[31m\\xff\\xc2\\x9b ü\n") == 0);
	line = captured(say_exchange);
	ok(strcmp(line + 24, " warn  exchange 0193ab00000000000000000000000000: complete 200\n") == 0);
	line = captured(say_long);
	ok(strchr(line, '\n') == line + strlen(line) - 1);
	ok(strcmp(line + strlen(line) - 8, "\\x0a...\n") == 0);
	ok(captured(say_debug)[0] == '\0');
	log_set_level(LOG_LEVEL_DEBUG);
	ok(captured(say_debug)[0] != '\0');
	errno = ENOSPC;
	captured(say_exchange);
	errno = ENOSPC;
	log_debug("errno survives");
	ok(errno == ENOSPC);
}

static void
test_hex(void)
{
	uint8_t	bytes[3] = { 0x00, 0xaf, 0x10 };
	char	text[7];

	hex_encode(bytes, 3, text);
	ok(strcmp(text, "00af10") == 0);
	ok(hex_decode(SLICE("FF0a7E"), bytes, 3) == 0);
	ok(bytes[0] == 0xff && bytes[1] == 0x0a && bytes[2] == 0x7e);
	ok(hex_decode(SLICE("ff0a7"), bytes, 3) == -1);
	ok(hex_decode(SLICE("ff0a7g"), bytes, 3) == -1);
	ok(hex_decode(SLICE("ff0a7e00"), bytes, 3) == -1);
}

static void
test_rest(void)
{
	uint64_t	a = clock_mono_us(), b = clock_mono_us();
	uint8_t		one[32], two[32];
	char		*s = xasprintf("%d-%s", 7, "x");

	ok(b >= a);
	ok(clock_wall_us() > 1700000000000000u);
	random_bytes(one, sizeof(one));
	random_bytes(two, sizeof(two));
	ok(memcmp(one, two, sizeof(one)) != 0);
	ok(strcmp(s, "7-x") == 0);
	free(s);
	s = xstrndup("abcdef", 3);
	ok(strcmp(s, "abc") == 0);
	free(s);
}

int
main(void)
{
	test_hex();
	test_rest();
	test_log();
	return done();
}
