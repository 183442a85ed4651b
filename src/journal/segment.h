/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment: one file of a series. 64 bytes of head, then records back to back,
 * the first of them a CHECKPOINT. A segment that is ready but unused is an
 * empty file; it is written from its head on, never changed, never appended to
 * after its series has ended.
 *
 *   0  magic[8]  "SPANJRNL"
 *   8  u32 version, u32 byte order mark 0x01020304
 *  16  u64 start of the series, unix ms
 *  24  u32 number, u32 length of the head, zeros
 *  60  u32 CRC-32C of the 60 bytes before it
 */
#ifndef JOURNAL_SEGMENT_H
#define JOURNAL_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_VERSION 1
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
	SEGMENT_EMPTY = -1,	/* no head, or not the whole of one */
	SEGMENT_E_HEAD = -2,	/* damaged, or not a segment */
	SEGMENT_E_VERSION = -3,	/* a newer format, or another byte order */
	SEGMENT_E_IO = -4,	/* errno */
};

void	segment_head(char out[SEGMENT_HEAD], uint32_t number, uint64_t start_ms);
/* Looks at the head of an open segment. *version is set with E_VERSION. */
int	segment_check(int fd, uint32_t number, uint32_t *version);

/* Opens for reading: a descriptor, or -1 and errno. */
int	segment_open(const char *series_path, uint32_t number);
bool	segment_delete(const char *series_path, uint32_t number);
/* The file's length; -1 and errno. */
int64_t	segment_size(const char *series_path, uint32_t number);

/* What all segments of a series take. */
uint64_t segment_total(const char *series_path);

/* Makes an empty segment and reserves `bytes` of disk. *reserved: the file
 * system can do that. A descriptor, or -1 and errno, and no file is left. */
int	segment_create(const char *series_path, uint32_t number, uint64_t bytes, bool *reserved);
/* Gives back what was reserved behind `size`. */
void	segment_trim(int fd, uint64_t size);

/* Numbers of a series' segments, sorted; free(*list). 0, or -1 and errno. */
int	segment_list(const char *series_path, uint32_t **list, size_t *n);

#endif
