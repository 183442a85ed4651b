/* SPDX-License-Identifier: Apache-2.0 */
/* proto: see proto.h. Called by otlp_request.c; knows no message by name. */
#include "span/proto.h"

#include <stdio.h>

#include "core/base64.h"
#include "span/span.h"

enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

/* One field as it stands in a message. */
struct field {
	uint32_t	 id;
	enum wire	 wire;
	uint64_t	 number;	/* of the others than BYTES */
	struct slice	 bytes;
};

static bool
take_varint(struct slice *in, uint64_t *out)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 70 && in->len > 0; shift += 7) {
		unsigned char c = (unsigned char)*in->ptr;

		*in = slice_from(*in, 1);
		v |= shift < 64 ? (uint64_t)(c & 0x7f) << shift : 0;
		if (c < 0x80) {
			*out = v;
			return true;
		}
	}
	return false;
}

/* n bytes, the lowest first. */
static bool
take_fixed(struct slice *in, size_t n, uint64_t *out)
{
	*out = 0;
	if (in->len < n)
		return false;
	for (size_t i = n; i-- > 0;)
		*out = *out << 8 | (unsigned char)in->ptr[i];
	*in = slice_from(*in, n);
	return true;
}

static bool
take_bytes(struct slice *in, struct slice *out)
{
	uint64_t n;

	if (!take_varint(in, &n) || n > in->len)
		return false;
	*out = slice_make(in->ptr, (size_t)n);
	*in = slice_from(*in, (size_t)n);
	return true;
}

/* Takes one field off the front. False: it is none. */
static bool
take_field(struct slice *in, struct field *f)
{
	uint64_t key;

	f->bytes = SLICE_NONE;
	f->number = 0;
	if (!take_varint(in, &key) || key >> 3 == 0 || key >> 3 > UINT32_MAX)
		return false;
	f->id = (uint32_t)(key >> 3);
	f->wire = (enum wire)(key & 7);
	switch (f->wire) {
	case VARINT:
		return take_varint(in, &f->number);
	case FIXED64:
		return take_fixed(in, 8, &f->number);
	case FIXED32:
		return take_fixed(in, 4, &f->number);
	case BYTES:
		return take_bytes(in, &f->bytes);
	}
	return false;
}

static enum wire
wire_of(const ProtobufCFieldDescriptor *d)
{
	switch (d->type) {
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return FIXED32;
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return FIXED64;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return BYTES;
	default:
		return VARINT;
	}
}

static const ProtobufCFieldDescriptor *
find(const ProtobufCMessageDescriptor *type, uint32_t id)
{
	for (unsigned i = 0; i < type->n_fields; i++)
		if (type->fields[i].id == id)
			return &type->fields[i];
	return NULL;
}

static int
check(const ProtobufCMessageDescriptor *type, struct slice message, unsigned depth, const char **where)
{
	const ProtobufCFieldDescriptor *d;
	struct field f;
	int rc;

	if (depth > PROTO_DEPTH)
		return PROTO_E_DEPTH;
	while (message.len > 0) {
		*where = message.ptr;
		if (!take_field(&message, &f))
			return PROTO_E_DATA;
		d = find(type, f.id);
		if (d == NULL)
			continue;
		if (wire_of(d) != f.wire)
			return PROTO_E_DATA;
		if (d->type != PROTOBUF_C_TYPE_MESSAGE)
			continue;
		rc = check(d->descriptor, f.bytes, depth + 1, where);
		if (rc != PROTO_OK)
			return rc;
	}
	return PROTO_OK;
}

int
proto_check(const ProtobufCMessageDescriptor *type, struct slice message, size_t *at)
{
	const char *where = message.ptr;
	int rc = check(type, message, 1, &where);

	if (at != NULL)
		*at = message.ptr != NULL ? (size_t)(where - message.ptr) : 0;
	return rc;
}

/* "some_name" as "someName" with a colon. */
static void
put_name(const char *name, struct buf *out)
{
	buf_byte(out, '"');
	for (; *name != '\0'; name++) {
		if (*name == '_' && name[1] >= 'a' && name[1] <= 'z')
			buf_byte(out, (char)(*++name - 'a' + 'A'));
		else
			buf_byte(out, *name);
	}
	buf_str(out, "\":");
}

static void
put_double(double v, struct buf *out)
{
	if (v != v)
		buf_str(out, "\"NaN\"");
	else if (v - v != 0)
		buf_str(out, v > 0 ? "\"Infinity\"" : "\"-Infinity\"");
	else
		span_number_text(v, out);
}

static void
put_bytes(const char *name, struct slice bytes, struct buf *out)
{
	static const char digits[] = "0123456789abcdef";

	buf_byte(out, '"');
	if (slice_ends(slice_str(name), SLICE("_id")))
		for (size_t i = 0; i < bytes.len; i++) {
			buf_byte(out, digits[(unsigned char)bytes.ptr[i] >> 4]);
			buf_byte(out, digits[(unsigned char)bytes.ptr[i] & 15]);
		}
	else
		base64_encode(bytes, out);
	buf_byte(out, '"');
}

static int64_t
zigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static void
put_value(const ProtobufCFieldDescriptor *d, const struct field *f, struct buf *out)
{
	float single;
	double number;
	uint32_t half = (uint32_t)f->number;

	switch (d->type) {
	case PROTOBUF_C_TYPE_STRING:
		buf_json_string(out, f->bytes);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		put_bytes(d->name, f->bytes, out);
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		proto_json(d->descriptor, f->bytes, out);
		break;
	case PROTOBUF_C_TYPE_BOOL:
		buf_str(out, f->number != 0 ? "true" : "false");
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		memcpy(&number, &f->number, sizeof(number));
		put_double(number, out);
		break;
	case PROTOBUF_C_TYPE_FLOAT:
		memcpy(&single, &half, sizeof(single));
		put_double((double)single, out);
		break;
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		buf_u64(out, half);
		break;
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_FIXED64:
		buf_printf(out, "\"%llu\"", (unsigned long long)f->number);
		break;
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SFIXED64:
		buf_printf(out, "\"%lld\"", (long long)(int64_t)f->number);
		break;
	case PROTOBUF_C_TYPE_SINT64:
		buf_printf(out, "\"%lld\"", (long long)zigzag(f->number));
		break;
	case PROTOBUF_C_TYPE_SINT32:
		buf_printf(out, "%lld", (long long)zigzag(half));
		break;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_ENUM:
		buf_printf(out, "%ld", (long)(int32_t)half);
		break;
	}
}

/* All values of one field, as a member of an object; `comma` where one goes before. */
static bool
put_field(const ProtobufCFieldDescriptor *d, struct slice message, bool comma, struct buf *out)
{
	bool list = d->label == PROTOBUF_C_LABEL_REPEATED;
	struct field f, last = { .id = 0 };
	size_t n = 0;

	while (message.len > 0 && take_field(&message, &f)) {
		if (f.id != d->id)
			continue;
		last = f;
		if (n++ == 0) {
			buf_str(out, comma ? "," : "");
			put_name(d->name, out);
			buf_str(out, list ? "[" : "");
		} else if (list)
			buf_byte(out, ',');
		if (list)
			put_value(d, &f, out);
	}
	if (n > 0 && !list)
		put_value(d, &last, out);
	if (n > 0 && list)
		buf_byte(out, ']');
	return n > 0;
}

void
proto_json(const ProtobufCMessageDescriptor *type, struct slice message, struct buf *out)
{
	bool any = false;

	buf_byte(out, '{');
	for (unsigned i = 0; i < type->n_fields && !out->failed; i++)
		any |= put_field(&type->fields[i], message, any, out);
	buf_byte(out, '}');
}

void
proto_iter_init(struct proto_iter *it, struct slice message, uint32_t id)
{
	*it = (struct proto_iter){ .rest = message, .id = id };
}

bool
proto_iter_next(struct proto_iter *it, struct slice *value)
{
	struct field f;

	while (it->rest.len > 0 && take_field(&it->rest, &f))
		if (f.id == it->id && f.wire == BYTES) {
			*value = f.bytes;
			return true;
		}
	return false;
}
