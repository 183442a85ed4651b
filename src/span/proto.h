/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto: protobuf messages by the descriptors that protoc-c generates, to
 * protobuf's JSON form. Read where they stand, without an object for each
 * message: nothing is allocated but the text. Names become lowerCamelCase,
 * 64-bit numbers are strings, enums numbers, doubles that JSON has not are
 * "NaN", "Infinity" and "-Infinity"; of bytes those whose name ends in `_id`
 * are hex, as OTLP has it, others base64.
 *
 * What the descriptor does not know is passed over. Of a field that is there
 * more than once and should not be the last one counts.
 */
#ifndef SPAN_PROTO_H
#define SPAN_PROTO_H

#include <protobuf-c/protobuf-c.h>

#include "core/buf.h"
#include "core/slice.h"

#define PROTO_DEPTH 100		/* messages in each other, as other readers allow */

enum proto_result {
	PROTO_OK = 0,
	PROTO_E_DATA = -1,	/* cut off, a wire type that does not fit the field, a group, field number 0 */
	PROTO_E_DEPTH = -2,
};

/* Checks a whole message. *at: where the error is, in bytes (may be NULL). */
int	proto_check(const ProtobufCMessageDescriptor *, struct slice message, size_t *at);

/*
 * The rest is for messages that were found good.
 */

/* Appends the message as a JSON object. */
void	proto_json(const ProtobufCMessageDescriptor *, struct slice message, struct buf *);

/* The values of the length-delimited field `id` in a message, one by one. */
struct proto_iter {
	struct slice	 rest;
	uint32_t	 id;
};
void	proto_iter_init(struct proto_iter *, struct slice message, uint32_t id);
bool	proto_iter_next(struct proto_iter *, struct slice *value);

#endif
