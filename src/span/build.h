/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build: journal records of one exchange in, a span out. Pure: the sink, the
 * store's readers, replay, the golden tests and the fuzzers call the same.
 * Whatever the bytes are, a span comes out; trouble is a warning on it.
 */
#ifndef SPAN_BUILD_H
#define SPAN_BUILD_H

#include <stddef.h>

#include "core/record.h"
#include "core/slice.h"
#include "span/span.h"

struct build;
struct tokens;
struct prices;

/* What becomes of encoded images, audio and files inside JSON. */
enum media_kept { MEDIA_KEEP, MEDIA_CUT, MEDIA_DIGEST };
enum vectors_kept { VECTORS_KEEP, VECTORS_FIRST, VECTORS_NONE };

struct build_options {
	bool	user_as_customer;	/* `user`, `safety_identifier`, metadata.user_id serve as customer_identifier */
	enum media_kept request_media, answer_media;
	enum vectors_kept vectors;	/* of embeddings, in output and full_response */
	unsigned vectors_first;		/* with VECTORS_FIRST: numbers kept of each */
	/* SHA-256, for MEDIA_DIGEST; NULL: it is cut instead */
	void	(*digest)(struct slice bytes, uint8_t out[32]);
	bool	row_only;		/* the sink: skip full_request, full_response and other texts that no row has */
	bool	texts;			/* with row_only: input and output all the same, for the index of words */
	bool	estimated;		/* a reader: the row's counts are estimates, the answer's none or a part */
	struct tokens *tokens;		/* counts where no usage was told; NULL: nothing is estimated */
	const struct prices *prices;	/* the sink: what there is to price by; NULL: no cost is found */
	struct slice bill;		/* a reader: cost_details as they were stored, or SLICE_NONE */
	bool	keep_audio;		/* audio is kept as a file: the span has an audio_url, build_audio its bytes */
};

/* NULL: out of memory. */
struct build	*build_new(const struct build_options *);
void		 build_free(struct build *);

/*
 * Takes the exchange's next record, BEGIN first, as they stand in the journal.
 * The bytes are lent until build_free. Records out of place, of unknown type
 * or malformed are noted in the span's warnings and passed over.
 */
void		 build_feed(struct build *, const struct record *);

/* Makes the span, which lives until build_free. Without an END it is as if
 * interrupted. Never NULL. */
const struct span *build_finish(struct build *);

/* After build_finish: what was read of the body of that direction, as a JSON
 * object, when its bytes need not be stored: a FACTS record stands for them.
 * SLICE_NONE: they are needed. */
struct slice	 build_facts(const struct build *, enum record_direction);
/* Appends the fields of that record, where there are facts: a span built with it
 * is the one that was built with the bytes. */
void		 build_facts_put(const struct build *, enum record_direction, struct buf *);
/* After build_finish: the times between a stream's chunks in µs, in rising order. */
const uint32_t	*build_gaps(const struct build *, size_t *n);
/* After build_finish with keep_audio: the exchange's audio. SLICE_NONE: none. */
struct slice	 build_audio(const struct build *);

/* The minimal span of a chain that could not be built (quarantine): sizes,
 * times, status, warning `build_failed`. */
const struct span *build_finish_raw(struct build *);

#endif
