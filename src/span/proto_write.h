/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto_write: protobuf's JSON form to protobuf, by the descriptors that
 * protoc-c generates: proto.h backwards. Called by the kind of sink that speaks
 * OTLP. What the descriptor does not know is passed over; null is absent; 64-bit
 * numbers may be strings; bytes are hex where the name ends in `_id`, else
 * base64. Pure.
 */
#ifndef SPAN_PROTO_WRITE_H
#define SPAN_PROTO_WRITE_H

#include <protobuf-c/protobuf-c.h>

#include "core/buf.h"
#include "core/jscan.h"

/* Appends the message of an object that a scan found good. False: a value does
 * not fit its field, messages are nested deeper than PROTO_DEPTH, or the buf
 * failed; what was appended is to be thrown away. */
bool	proto_write(const ProtobufCMessageDescriptor *, struct jvalue, struct buf *);

#endif
