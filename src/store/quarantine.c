/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quarantine: the note of what is being built, and the files of what could not
 * be. Used by the sink thread alone. The note is one pwrite into the page
 * cache: it outlives the process, and need not outlive the machine.
 */
#include "store/quarantine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"

struct note {
	char		magic[8];
	char		series[32];
	uint64_t	position;	/* 0: nothing */
	uint64_t	deaths;		/* starts before this one that ended over it */
};

static const char note_magic[8] = "building";

struct quarantine {
	char		*dir;
	int		 fd;		/* -1: cannot be noted */
	struct note	 note;		/* as in the file */
	struct note	 suspect;	/* as it was found at the start */
};

struct quarantine *
quarantine_open(const char *data_dir)
{
	struct quarantine *q = xcalloc(1, sizeof(*q));
	char *path = xasprintf("%s/building", data_dir);

	q->dir = xasprintf("%s/quarantine", data_dir);
	q->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (q->fd == -1)
		log_warn("%s: %s", path, strerror(errno));
	else if (pread(q->fd, &q->suspect, sizeof(q->suspect), 0) != sizeof(q->suspect) ||
	    memcmp(q->suspect.magic, note_magic, sizeof(note_magic)) != 0)
		memset(&q->suspect, 0, sizeof(q->suspect));
	else if (q->suspect.position != 0)
		q->suspect.deaths++;
	q->suspect.series[sizeof(q->suspect.series) - 1] = '\0';
	memcpy(q->note.magic, note_magic, sizeof(note_magic));
	free(path);
	return q;
}

void
quarantine_close(struct quarantine *q)
{
	if (!q)
		return;
	quarantine_clear(q);
	if (q->fd != -1)
		close(q->fd);
	free(q->dir);
	free(q);
}

static void
write_note(struct quarantine *q)
{
	if (q->fd != -1 && pwrite(q->fd, &q->note, sizeof(q->note), 0) != sizeof(q->note))
		log_debug("building: %s", strerror(errno));
}

unsigned
quarantine_note(struct quarantine *q, const char *series, uint64_t position)
{
	bool known = q->suspect.position == position && strcmp(q->suspect.series, series) == 0;

	snprintf(q->note.series, sizeof(q->note.series), "%s", series);
	q->note.position = position;
	q->note.deaths = known ? q->suspect.deaths : 0;
	write_note(q);
	return (unsigned)q->note.deaths;
}

void
quarantine_clear(struct quarantine *q)
{
	if (q->note.position == 0)
		return;
	q->note.position = 0;
	write_note(q);
}

bool
quarantine_keep(struct quarantine *q, const uint8_t id[16], struct slice bytes)
{
	char name[33], *path;
	bool good = false;
	int fd;

	hex_encode(id, 16, name);
	path = xasprintf("%s/%s", q->dir, name);
	(void)mkdir(q->dir, 0700);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd != -1) {
		good = write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len;
		if (close(fd) != 0)
			good = false;
	}
	if (!good)
		log_error("%s: %s", path, strerror(errno));
	free(path);
	return good;
}
