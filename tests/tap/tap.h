/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole test harness of the C units: ok(condition) prints one TAP line
 * with the source line in it, done() prints the plan and gives the exit code.
 */
#ifndef TAP_H
#define TAP_H

#include <stdio.h>

static int tap_count, tap_failed;

#define ok(cond) tap_ok((cond) ? 1 : 0, __FILE__, __LINE__, #cond)

static inline int
tap_ok(int good, const char *file, int line, const char *what)
{
	tap_count++;
	if (!good)
		tap_failed++;
	printf("%sok %d - %s:%d %s\n", good ? "" : "not ", tap_count, file,
	    line, what);
	fflush(stdout);
	return good;
}

static inline int
done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif
