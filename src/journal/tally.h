/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally: the books of a series: how many exchanges began, ended and were not
 * taken, and which are open. Writers keep one as they write; recovery, counts
 * and checks keep one as they read. A CHECKPOINT is a tally on disk.
 *
 * CHECKPOINT with BEGUN: the whole state; its open exchanges may go on in
 * CHECKPOINTs without BEGUN right behind it. One without BEGUN in the middle
 * of a segment only tells DROPPED.
 */
#ifndef JOURNAL_TALLY_H
#define JOURNAL_TALLY_H

#include <stdint.h>

#include "core/buf.h"
#include "core/record.h"
#include "journal/opens.h"

struct tally {
	uint64_t	begun, ended, dropped;
	struct opens	opens;
};

void	tally_free(struct tally *);
/* Takes in one record that stands at `position`. */
void	tally_apply(struct tally *, const struct record *, uint64_t position);

/* Bytes of the CHECKPOINTs of a tally. */
uint64_t tally_size(const struct tally *);
/* Appends the whole state as CHECKPOINT records, as they stand on disk in a
 * segment of this salt. */
void	tally_write(const struct tally *, uint32_t salt, struct buf *);
/* Appends the record that tells DROPPED alone: TALLY_DROPPED_SIZE bytes. */
#define TALLY_DROPPED_SIZE (RECORD_HEAD + RECORD_FIELD_HEAD + 8)
void	tally_write_dropped(const struct tally *, uint32_t salt, struct buf *);

/* Appends a whole record. */
void	record_append(struct buf *, enum record_type, uint32_t salt, const uint8_t id[16],
	    uint64_t prev, struct slice payload);

#endif
