/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment: one file of a series. 64 bytes of head, then records back to back,
 * the first of them a CHECKPOINT. A segment that is ready but unused has no
 * head of its own: it is an empty file, or a spare one (spare.h) with the head of another
 * segment. It is written from its head on, never changed, never appended to
 * after its series has ended.
 *
 * What a spare holds from its former life stands behind what has been written
 * until the segment is left and cut to its length: a record counts only if it
 * bears the segment's salt. So the data of a segment end where no such record
 * stands, and of one that has a successor where that one's head says.
 *
 *   0  magic[8]  "SPANJRNL"
 *   8  u32 version, u32 byte order mark 0x01020304
 *  16  u64 start of the series, unix ms
 *  24  u32 number, u32 length of the head
 *  32  u32 salt of its records, u32 length of the segment before it (0: that
 *      file has no more than its data), u32 thread in the series' name, zeros
 *  60  u32 CRC-32C of the 60 bytes before it
 */
#ifndef JOURNAL_SEGMENT_H
#define JOURNAL_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_VERSION 2	/* version 1 had zeros for the salts: it is read as it is */
#define SEGMENT_HEAD 64

static inline uint64_t
position_make(uint32_t number, uint64_t offset)
{
	return (uint64_t)number << 32 | (uint32_t)offset;
}

static inline uint32_t
position_segment(uint64_t position)
{
	return (uint32_t)(position >> 32);
}

static inline uint32_t
position_offset(uint64_t position)
{
	return (uint32_t)position;
}

enum segment_result {
	SEGMENT_OK = 0,
	SEGMENT_EMPTY = -1,	/* no head, not the whole of one, or another segment's */
	SEGMENT_E_HEAD = -2,	/* damaged, or not a segment */
	SEGMENT_E_VERSION = -3,	/* a newer format, or another byte order */
	SEGMENT_E_IO = -4,	/* errno */
};

struct segment_info {
	uint32_t	version;
	uint32_t	salt;
	uint32_t	before;		/* length of the segment before it; 0: not told */
};

void	segment_head(char out[SEGMENT_HEAD], const char *series, uint32_t number,
	    uint32_t salt, uint32_t before);
/* Looks at the head of an open segment. The version is set with E_VERSION. */
int	segment_check(int fd, const char *series_path, uint32_t number, struct segment_info *);
/* Has it a head, if only a damaged one? The length before it is set if so. */
bool	segment_begun(const char *series_path, uint32_t number, uint32_t *before);
/* Where the data of a segment that is being written end, found by going from
 * record to record from `offset` on. */
uint64_t segment_end(const char *series_path, uint32_t number, uint64_t offset);

/* Opens for reading: a descriptor, or -1 and errno. */
int	segment_open(const char *series_path, uint32_t number);
bool	segment_delete(const char *series_path, uint32_t number);
/* The file's length; -1 and errno. */
int64_t	segment_size(const char *series_path, uint32_t number);

/* What all segments of a series take. */
uint64_t segment_total(const char *series_path);

/* The name of its file. */
void	segment_path(char *out, size_t len, const char *series_path, uint32_t number);
/* Reserves that much of a file. 1: done, 0: this file system cannot, -1 and
 * errno: no room. */
int	segment_reserve(int fd, uint64_t bytes);
/* Makes an empty segment and reserves `bytes` of disk. *reserved: the file
 * system can do that. A descriptor, or -1 and errno, and no file is left. */
int	segment_create(const char *series_path, uint32_t number, uint64_t bytes, bool *reserved);
/* Gives back what was reserved behind `size`. */
void	segment_trim(int fd, uint64_t size);

/* Numbers of a series' segments, sorted; free(*list). 0, or -1 and errno. */
int	segment_list(const char *series_path, uint32_t **list, size_t *n);

#endif
