/* SPDX-License-Identifier: Apache-2.0 */
/*
 * series: the directories of a journal, one for each process start and writing
 * thread, and the lock by which its writer says that it lives.
 */
#ifndef JOURNAL_SERIES_H
#define JOURNAL_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#define SERIES_NAME 32	/* a name with its NUL */

/* dir/series; free it. */
char	*series_path(const char *dir, const char *series);
bool	 series_name_valid(const char *name);
/* The process start in a name. */
uint64_t series_start_ms(const char *name);
/* The thread in a name. */
uint32_t series_thread(const char *name);

/* Makes a series' directory with its lock held: whoever sees it finds it locked,
 * so that no reader takes it for one that has ended. The lock's descriptor, or
 * -1 with errno; EEXIST: the name is taken. */
int	 series_make(const char *path);
/* Takes the lock until the descriptor is closed; -1 and errno, EAGAIN: another
 * has it. */
int	 series_lock(const char *path);
/* Does somebody hold the lock? Looks without taking it, so that looking never
 * stands in the way of a recovery. */
bool	 series_locked(const char *path);
/* Removes a series with all that is in it. It goes out of sight at once, so
 * that nobody counts what is half removed. */
bool	 series_remove(const char *path);
/* Removes what a crash left of such series. */
void	 series_remove_rests(const char *dir);

#endif
