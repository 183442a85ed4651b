/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span: what is known of one exchange. A plain value: every field may be null,
 * and unknown is null. Text and JSON are slices into the build (or row) that
 * made it and die with it.
 */
#ifndef SPAN_SPAN_H
#define SPAN_SPAN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/slice.h"

struct span_int { bool set; int64_t v; };
struct span_num { bool set; double v; };
struct span_bool { bool set; bool v; };

enum span_type { SPAN_TEXT, SPAN_JSON, SPAN_INT, SPAN_NUM, SPAN_BOOL, SPAN_TIME, SPAN_SECS, SPAN_COST };

typedef struct slice span_TEXT, span_JSON;	/* ptr NULL: null */
typedef struct span_int span_INT, span_TIME, span_SECS, span_COST;
typedef struct span_num span_NUM;
typedef struct span_bool span_BOOL;

/* It asks no model, or only fetches an answer; its tokens are told elsewhere. */
enum { SPAN_NO_REQUEST = 1, SPAN_NO_TOKENS = 2 };

struct span {
	uint8_t		id16[16];
	struct slice	tenant;
	struct slice	family;
	struct slice	charge_id;	/* its tokens count once for each tenant and id; SLICE_NONE: anyway */
	struct slice	same_id;	/* spans with the same are one, the last counts; it holds the environment; SLICE_NONE: none is */
	struct slice	request_model;	/* what was asked for, "" for none, where an answer named `model`;
					 * SLICE_NONE: none did */
	struct slice	extra;		/* members that are no fields, as a JSON object */
	bool		given;		/* it came over the API */
	unsigned	uncounted;	/* SPAN_NO_...: what figures leave out of it */
#define FIELD(symbol, name, type) span_##type symbol;
#include "span/span.tbl.h"
#undef FIELD
};

enum span_field {
#define FIELD(symbol, name, type) SPAN_F_##symbol,
#include "span/span.tbl.h"
#undef FIELD
	SPAN_FIELDS
};

struct span_field_info {
	const char	*name;
	enum span_type	 type;
	size_t		 offset;	/* in struct span */
	size_t		 length;	/* of the name */
	const char	*null;		/* as a member of JSON that is null, with a comma before it */
};
extern const struct span_field_info span_fields[SPAN_FIELDS];

/* -1 for a name that is none. */
int	span_field_by_name(struct slice name);
bool	span_is_null(const struct span *, enum span_field);

/* Appends one field's value as JSON, null included. */
void	span_value_json(const struct span *, enum span_field, struct buf *);
/* Appends JSON text on one line. */
void	span_json_line(struct slice, struct buf *);
/* Appends the whole span as a JSON object. Null fields are printed as null
 * where `nulls`, else left out; error_message is "" instead of null. */
void	span_json(const struct span *, bool nulls, struct buf *);
/* Appends an RFC 3339 time in UTC with microseconds: 2026-11-20T19:05:01.123456Z. */
void	span_time_text(int64_t us, struct buf *);
/* The shortest decimal that reads back as the same double; null if it is none. */
void	span_number_text(double, struct buf *);
/* 10^-12 USD as a decimal without needless zeros. */
void	span_cost_text(int64_t pico_usd, struct buf *);

#endif
