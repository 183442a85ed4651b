/* SPDX-License-Identifier: Apache-2.0 */
/*
 * option: see option.h. Used by the settings and the command line; knows
 * nothing of files, flags or where a value is put.
 */
#include "core/option.h"

#include "core/decimal.h"

#define OFFSET_MIN (-12 * 60)
#define OFFSET_MAX (14 * 60)

struct unit {
	const char	*name;
	uint64_t	 factor;
};

static const struct unit durations[] = {	/* largest first, for printing */
	{ "d", 86400000000 }, { "h", 3600000000 }, { "m", 60000000 },
	{ "s", 1000000 }, { "ms", 1000 }, { "us", 1 }, { NULL, 0 }
};
static const struct unit sizes[] = {
	{ "TiB", (uint64_t)1 << 40 }, { "GiB", 1 << 30 }, { "MiB", 1 << 20 },
	{ "KiB", 1 << 10 }, { "TB", 1000000000000 }, { "GB", 1000000000 },
	{ "MB", 1000000 }, { "kB", 1000 }, { "B", 1 }, { "", 1 }, { NULL, 0 }
};
static const struct unit percents[] = { { "%", 1 }, { "", 1 }, { NULL, 0 } };
static const struct unit counts[] = { { "", 1 }, { NULL, 0 } };

static const struct unit *
units_of(enum option_type type)
{
	switch (type) {
	case OPTION_DURATION:
		return durations;
	case OPTION_SIZE:
		return sizes;
	case OPTION_PERCENT:
		return percents;
	default:
		return counts;
	}
}

/* Digits and a unit; no sign, no fraction, a blank before the unit at most. */
static int
number_parse(const struct unit *units, struct slice text, uint64_t *value)
{
	uint64_t	v = 0;
	size_t		i;

	for (i = 0; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(text.ptr[i] - '0'), &v))
			return OPTION_E_RANGE;
	if (i == 0)
		return OPTION_E_FORM;
	text = slice_trim(slice_from(text, i));
	for (; units->name != NULL; units++)
		if (slice_eq(text, slice_str(units->name)))
			return __builtin_mul_overflow(v, units->factor, value) ?
			    OPTION_E_RANGE : OPTION_OK;
	return OPTION_E_FORM;
}

static int
bool_parse(struct slice text, uint64_t *value)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on" };
	size_t	i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (slice_eq(text, slice_str(words[i]))) {
			*value = i & 1;
			return OPTION_OK;
		}
	return OPTION_E_FORM;
}

/* The next name of "a|b|c"; false at the end. */
static bool
name_next(struct slice *names, struct slice *name)
{
	const char	*bar;

	if (names->ptr == NULL)
		return false;
	bar = memchr(names->ptr, '|', names->len);
	if (bar == NULL) {
		*name = *names;
		*names = SLICE_NONE;
	} else {
		*name = slice_make(names->ptr, (size_t)(bar - names->ptr));
		*names = slice_from(*names, name->len + 1);
	}
	return true;
}

static int
enum_parse(const char *hint, struct slice text, uint64_t *value)
{
	struct slice	names = slice_str(hint), name;
	uint64_t	i;

	for (i = 0; name_next(&names, &name); i++)
		if (slice_eq(name, text)) {
			*value = i;
			return OPTION_OK;
		}
	return OPTION_E_FORM;
}

static int
share_parse(struct slice text, uint64_t *value)
{
	int64_t	millionths;

	if (!decimal_read(text, 6, &millionths))
		return OPTION_E_FORM;
	if (millionths < 0 || millionths > 1000000)
		return OPTION_E_RANGE;
	*value = (uint64_t)millionths;
	return OPTION_OK;
}

/* Of a time zone. */
static int
offset_parse(struct slice text, uint64_t *value)
{
	int	minutes = 0, i;

	if (text.len != 6 || (*text.ptr != '+' && *text.ptr != '-') || text.ptr[3] != ':')
		return OPTION_E_FORM;
	for (i = 1; i < 6; i++) {
		if (i == 3)
			continue;
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return OPTION_E_FORM;
		minutes = minutes * (i == 4 ? 6 : 10) + text.ptr[i] - '0';
	}
	if (text.ptr[4] > '5')
		return OPTION_E_FORM;
	minutes = *text.ptr == '-' ? -minutes : minutes;
	if (minutes < OFFSET_MIN || minutes > OFFSET_MAX)
		return OPTION_E_RANGE;
	*value = (uint64_t)(int64_t)minutes;
	return OPTION_OK;
}

static void
offset_print(uint64_t value, struct buf *out)
{
	int	minutes = (int)(int32_t)value, of = minutes < 0 ? -minutes : minutes;

	buf_printf(out, "%c%02d:%02d", minutes < 0 ? '-' : '+', of / 60, of % 60);
}

int
option_parse(const struct option *o, struct slice text, uint64_t *value)
{
	int	result;

	text = slice_trim(text);
	if (o->type == OPTION_BOOL)
		return bool_parse(text, value);
	if (o->type == OPTION_ENUM)
		return enum_parse(o->hint, text, value);
	if (o->type == OPTION_OFFSET)
		return offset_parse(text, value);
	if (o->type == OPTION_SHARE)
		return share_parse(text, value);
	if ((o->flags & OPTION_OFF) && slice_eq(text, SLICE("off"))) {
		*value = 0;
		return OPTION_OK;
	}
	result = number_parse(units_of(o->type), text, value);
	if (result == OPTION_OK && (*value < o->min || *value > o->max))
		return OPTION_E_RANGE;
	return result;
}

void
option_print(const struct option *o, uint64_t value, struct buf *out)
{
	struct slice		 names = slice_str(o->hint), name = SLICE_NONE;
	const struct unit	*units = units_of(o->type);

	if (o->type == OPTION_BOOL) {
		buf_str(out, value ? "true" : "false");
		return;
	}
	if (o->type == OPTION_ENUM) {
		while (name_next(&names, &name) && value-- > 0)
			;
		buf_slice(out, name);
		return;
	}
	if (o->type == OPTION_OFFSET) {
		offset_print(value, out);
		return;
	}
	if (o->type == OPTION_SHARE) {
		decimal_print((int64_t)value, 6, out);
		return;
	}
	if (value == 0 && (o->flags & OPTION_OFF)) {
		buf_str(out, "off");
		return;
	}
	while (units->factor > 1 && (value == 0 || value % units->factor != 0))
		units++;
	buf_u64(out, value / units->factor);
	if (o->type != OPTION_PERCENT)
		buf_str(out, units->name);
}

static void
expect_range(const struct option *o, const char *what, struct buf *out)
{
	buf_str(out, what);
	buf_str(out, " from ");
	option_print(o, o->min, out);
	buf_str(out, " to ");
	option_print(o, o->max, out);
	if (o->flags & OPTION_OFF)
		buf_str(out, ", or off");
	if (o->deflt != NULL && o->type != OPTION_COUNT) {
		buf_str(out, ", such as ");
		buf_str(out, o->deflt);
	}
}

void
option_expect(const struct option *o, struct buf *out)
{
	struct slice	names = slice_str(o->hint), name;
	const char	*between = "one of ";

	switch (o->type) {
	case OPTION_BOOL:
		buf_str(out, "true or false");
		break;
	case OPTION_COUNT:
		expect_range(o, "a whole number", out);
		break;
	case OPTION_PERCENT:
		expect_range(o, "a percentage", out);
		break;
	case OPTION_SHARE:
		buf_str(out, "a share from 0 to 1, such as 0.1");
		break;
	case OPTION_DURATION:
		expect_range(o, "a duration", out);
		break;
	case OPTION_SIZE:
		expect_range(o, "a size", out);
		break;
	case OPTION_ENUM:
		while (name_next(&names, &name)) {
			buf_str(out, between);
			buf_slice(out, name);
			between = ", ";
		}
		break;
	case OPTION_OFFSET:
		buf_str(out, "an offset from UTC from -12:00 to +14:00, such as +01:00");
		break;
	case OPTION_TEXT:
		buf_str(out, "a text");
		break;
	case OPTION_HASH:
		buf_str(out, "64 hex digits, as `spangate key` prints them");
		break;
	case OPTION_LISTEN:
		buf_str(out, "host:port, [::1]:port or unix:/path, or a list of these");
		break;
	case OPTION_TEXTS:
		buf_str(out, "a text or a list of texts");
		break;
	case OPTION_EMPTY:
		buf_str(out, "an empty mapping, {}");
		break;
	}
}
