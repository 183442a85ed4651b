/* SPDX-License-Identifier: Apache-2.0 */
/* otlp_inner: what the files of otlp share. See otlp.h. */
#ifndef SPAN_OTLP_INNER_H
#define SPAN_OTLP_INNER_H

#include "span/arena.h"
#include "span/otlp.h"

/* An attribute: its name (keywordsai.* as respan.*) and its value as plain JSON. */
struct otlp_attr {
	struct slice	 key;
	struct jvalue	 value;
	size_t		 place;		/* in the list as it came */
	bool		 used;		/* it stands in the span; what does not goes into metadata */
};

/* By name; each name once. */
struct otlp_attrs {
	struct otlp_attr *list;
	size_t		 n;
};

#define OTLP_MERGED 8		/* events whose attributes are the span's: each sorts them all again */
#define OTLP_SET 100		/* members that may be written: more than given.tbl.h has */

/* The members of a span that are read. */
enum otlp_of { OTLP_TRACE, OTLP_ID, OTLP_PARENT, OTLP_STATE, OTLP_NAME, OTLP_KIND, OTLP_START, OTLP_END,
    OTLP_ATTRIBUTES, OTLP_EVENTS, OTLP_LINKS, OTLP_STATUS, OTLP_MEMBERS };

/* One span being mapped. */
struct otlp {
	struct jvalue	 v[OTLP_MEMBERS];	/* of the span */
	struct otlp_attrs attrs;		/* of the span, and of events that are attributes */
	struct otlp_attrs resource;
	struct arena	 arena;
	struct buf	*out;
	const char	*set[OTLP_SET];		/* members that were written */
	size_t		 nset;
	unsigned	 merged;		/* events whose attributes were added */
	const char	*type;			/* its log_type */
	bool		 model_call;		/* of a model, by that type */
	bool		 failed;		/* by its status */
	struct slice	 exception;		/* message of the exception that it ended with */
	struct slice	 finish_reason;
	int64_t		 start_ns, end_ns, first_ns;	/* 0: not told; first: when the first piece of the answer came */
};

/* otlp_attribute.c */
/* An AnyValue as plain JSON. */
struct jvalue otlp_value(struct arena *, struct jvalue any);
/* A list of attributes. */
void	otlp_attrs_read(struct arena *, struct jvalue list, struct otlp_attrs *);
/* The same and those that are there: which count where both have one. */
void	otlp_attrs_add(struct arena *, struct otlp_attrs *, const struct otlp_attrs *more);
struct otlp_attr *otlp_attr_find(const struct otlp_attrs *, const char *key);
/* Its value, JNONE where it is not there or null; marks it as used. */
struct jvalue otlp_take(const struct otlp_attrs *, const char *key);
/* Marks the attribute as used, and those that stand below it in a list ("name.N"). */
void	otlp_spend(const struct otlp_attrs *, const char *name);
/* The list that stands below `prefix` ("a.b.", then numbers), its dotted names
 * as objects and numbers as lists, as JSON; used. JNONE: there is none. */
struct jvalue otlp_nest(struct arena *, const struct otlp_attrs *, const char *prefix);
/* The JSON in a string, or the value itself. */
struct jvalue otlp_parse(struct arena *, struct jvalue);
/* The JSON object or list in a string, or the value itself. */
struct jvalue otlp_parse_nested(struct arena *, struct jvalue);
/* Attributes as a JSON object. */
void	otlp_attrs_json(const struct otlp_attrs *, struct buf *);

/* otlp.c */
/* Begins a member unless it was written before: then false. */
bool	otlp_member(struct otlp *, const char *name);
bool	otlp_is_set(const struct otlp *, const char *name);
/* A member with that value, unless it is absent or was written before. */
void	otlp_put(struct otlp *, const char *name, struct jvalue);
bool	otlp_absent(struct jvalue);

/* otlp_message.c: input, output, tools and what of them are messages. */
void	otlp_texts(struct otlp *);
/* Appends a message of any dialect in chat's form, several where its parts are. */
void	otlp_message(struct otlp *, struct jvalue message, const char *role, struct buf *list);

/* otlp_table.c: what the tables of otlp.tbl.h say. */
void	otlp_type(struct otlp *);
void	otlp_members(struct otlp *);
void	otlp_metadata(struct otlp *);

#endif
