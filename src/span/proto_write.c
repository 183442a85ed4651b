/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto_write: see proto_write.h. What has a length is written first and its
 * length put before it, which moves it once for each message around it.
 */
#include "span/proto_write.h"

#include <math.h>

#include "core/base64.h"
#include "span/proto.h"

enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

static void
put_varint(uint64_t v, struct buf *out)
{
	for (; v >= 0x80; v >>= 7)
		buf_byte(out, (char)(v | 0x80));
	buf_byte(out, (char)v);
}

static void
put_key(const ProtobufCFieldDescriptor *d, enum wire wire, struct buf *out)
{
	put_varint((uint64_t)d->id << 3 | wire, out);
}

static void
put_fixed(uint64_t v, size_t n, struct buf *out)
{
	for (; n > 0; n--, v >>= 8)
		buf_byte(out, (char)(v & 0xff));
}

/* Puts the length of what was appended from `start` on before it. */
static void
length_insert(size_t start, struct buf *out)
{
	size_t len = out->len - start, room = 1;

	for (size_t v = len; v >= 0x80; v >>= 7)
		room++;
	if (out->failed || buf_reserve(out, room) == NULL)
		return;
	memmove(out->ptr + start + room, out->ptr + start, len);
	out->len = start;
	put_varint(len, out);
	out->len += len;
}

/* "someName" for some_name? */
static bool
is_name(struct slice key, const char *name)
{
	size_t i = 0;

	for (; *name != '\0' && i < key.len; name++, i++) {
		char c = *name;

		if (c == '_' && name[1] >= 'a' && name[1] <= 'z')
			c = (char)(*++name - 'a' + 'A');
		if (key.ptr[i] != c)
			return false;
	}
	return *name == '\0' && i == key.len;
}

static const ProtobufCFieldDescriptor *
find(const ProtobufCMessageDescriptor *type, struct slice key)
{
	for (unsigned i = 0; i < type->n_fields; i++)
		if (is_name(key, type->fields[i].name))
			return &type->fields[i];
	return NULL;
}

/* A whole number, also in a string; up to 2^64 - 1. */
static bool
whole_read(struct jvalue v, uint64_t *out)
{
	struct slice s = v.kind == JSTRING ? jstring_plain(v) : v.text;
	bool minus = s.len > 0 && *s.ptr == '-';
	uint64_t n = 0;

	s = slice_from(s, minus);
	if (s.len == 0 || (v.kind != JSTRING && v.kind != JNUMBER))
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < '0' || s.ptr[i] > '9' || __builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(s.ptr[i] - '0'), &n))
			return false;
	*out = minus ? 0 - n : n;
	return !minus || n <= (uint64_t)1 << 63;
}

static bool
double_read(struct jvalue v, double *out)
{
	if (jstring_is(v, SLICE("NaN")))
		*out = (double)NAN;
	else if (jstring_is(v, SLICE("Infinity")))
		*out = (double)INFINITY;
	else if (jstring_is(v, SLICE("-Infinity")))
		*out = -(double)INFINITY;
	else
		return v.kind == JNUMBER && jnumber(v, out);
	return true;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
put_hex(struct slice hex, struct buf *out)
{
	for (size_t i = 0; i + 1 < hex.len; i += 2) {
		int high = hex_digit(hex.ptr[i]), low = hex_digit(hex.ptr[i + 1]);

		if (high < 0 || low < 0)
			return false;
		buf_byte(out, (char)(high << 4 | low));
	}
	return hex.len % 2 == 0;
}

static bool put_message(const ProtobufCMessageDescriptor *, struct jvalue, unsigned depth, struct buf *);

static bool
put_lengthy(const ProtobufCFieldDescriptor *d, struct jvalue v, unsigned depth, struct buf *out)
{
	size_t start;
	bool good;

	put_key(d, BYTES, out);
	start = out->len;
	if (d->type == PROTOBUF_C_TYPE_MESSAGE)
		good = put_message(d->descriptor, v, depth + 1, out);
	else if (d->type == PROTOBUF_C_TYPE_STRING)
		good = jstring(v, out);
	else if (slice_ends(slice_str(d->name), SLICE("_id")))
		good = v.kind == JSTRING && put_hex(jstring_plain(v), out);
	else
		good = v.kind == JSTRING && base64_decode(jstring_plain(v), out);
	length_insert(start, out);
	return good;
}

static bool
put_number(const ProtobufCFieldDescriptor *d, struct jvalue v, struct buf *out)
{
	uint64_t n = 0;
	int64_t i;

	if (!whole_read(v, &n))
		return false;
	i = (int64_t)n;
	switch (d->type) {
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_SFIXED32:
		put_key(d, FIXED32, out);
		put_fixed(n, 4, out);
		return (i >= INT32_MIN && i <= UINT32_MAX);
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_SFIXED64:
		put_key(d, FIXED64, out);
		put_fixed(n, 8, out);
		return true;
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_SINT64:
		n = (uint64_t)i << 1 ^ (uint64_t)(i >> 63);
		break;
	default:
		break;
	}
	put_key(d, VARINT, out);
	put_varint(n, out);
	return true;
}

static bool
put_value(const ProtobufCFieldDescriptor *d, struct jvalue v, unsigned depth, struct buf *out)
{
	double number;
	uint64_t bits;
	float single;
	uint32_t half;
	bool flag;

	switch (d->type) {
	case PROTOBUF_C_TYPE_MESSAGE:
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
		return put_lengthy(d, v, depth, out);
	case PROTOBUF_C_TYPE_BOOL:
		put_key(d, VARINT, out);
		return jbool(v, &flag) && buf_byte(out, flag ? 1 : 0);
	case PROTOBUF_C_TYPE_DOUBLE:
		if (!double_read(v, &number))
			return false;
		memcpy(&bits, &number, sizeof(bits));
		put_key(d, FIXED64, out);
		put_fixed(bits, 8, out);
		return true;
	case PROTOBUF_C_TYPE_FLOAT:
		if (!double_read(v, &number))
			return false;
		single = (float)number;
		memcpy(&half, &single, sizeof(half));
		put_key(d, FIXED32, out);
		put_fixed(half, 4, out);
		return true;
	default:
		return put_number(d, v, out);
	}
}

/* Values of the own types of a field's; an empty list is no field. */
static bool
put_field(const ProtobufCFieldDescriptor *d, struct jvalue v, unsigned depth, struct buf *out)
{
	struct jmember m;
	struct jiter it;

	if (v.kind == JNULL)
		return true;
	if (d->label != PROTOBUF_C_LABEL_REPEATED)
		return put_value(d, v, depth, out);
	if (v.kind != JARRAY)
		return false;
	for (jiter_init(&it, v); jiter_next(&it, &m);)
		if (!put_value(d, m.value, depth, out))
			return false;
	return true;
}

static bool
put_message(const ProtobufCMessageDescriptor *type, struct jvalue v, unsigned depth, struct buf *out)
{
	const ProtobufCFieldDescriptor *d;
	struct jmember m;
	struct jiter it;

	if (depth > PROTO_DEPTH || v.kind != JOBJECT)
		return false;
	for (jiter_init(&it, v); jiter_next(&it, &m);) {
		d = find(type, m.key);
		if (d != NULL && !put_field(d, m.value, depth, out))
			return false;
	}
	return !out->failed;
}

bool
proto_write(const ProtobufCMessageDescriptor *type, struct jvalue v, struct buf *out)
{
	return put_message(type, v, 1, out);
}
