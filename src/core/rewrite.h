/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rewrite: reads a request body once and says what the gateway must know of
 * it, then makes the edit list: the gateway's own members out (by
 * members.tbl.h), usage asked for, variables filled in (fill.c). Where the body is not one JSON object it
 * finds nothing and edits nothing. Pure; used on the gate for the edits and in
 * the builder for the members' values.
 */
#ifndef CORE_REWRITE_H
#define CORE_REWRITE_H

#include "core/edit.h"
#include "core/family.h"
#include "core/jscan.h"

/* One of the gateway's own members found in a body or a header. */
struct own_member {
	const char	*name;		/* from the table: compare by strcmp or by pointer */
	unsigned	 flags;		/* MEMBER_* */
	struct jvalue	 value;
};

enum member_flags {
	MEMBER_CUT = 1, MEMBER_SECRET = 2, MEMBER_WORKS = 4, MEMBER_NEST = 8,
	MEMBER_RULE = 16,
};

/* How many names the table has. */
enum {
	MEMBER_COUNT = 0
#define MEMBER(name, flags) + 1
#include "core/members.tbl.h"
#undef MEMBER
};

/* What rewrite_finish does beside cutting. */
enum rewrite_flags {
	REWRITE_ASK_USAGE = 1,
	REWRITE_FILL = 2,		/* {{name}} in texts by the request's variables */
};

struct rewrite {
	struct slice	 body;
	bool		 is_object;	/* one well-formed JSON object */
	bool		 is_form;	/* a form that came to its end */
	struct slice	 form_model;	/* of a form: its model, else empty */
	bool		 stream;	/* "stream": true */
	bool		 usage_asked;	/* the client's stream_options.include_usage is true */
	bool		 usage_added;	/* by rewrite_finish */
	struct jvalue	 model;		/* JNONE when absent */
	struct edits	 edits;		/* after rewrite_finish; owned, and so are replacements
					 * that are no piece of body */
	const char	*note;		/* by rewrite_finish: code of a warning and LF, or NULL */
	/* private */
	enum family	 family;
	bool		 form;		/* scanned as one */
	bool		 store;		/* "store": true */
	bool		 full;		/* more own members than marks may be */
	struct jvalue	 stream_options;
	struct slice	 object;	/* the body less the blanks around it */
	size_t		 last_end;	/* offset where the last member's value ends */
	char		*fill_text;	/* replacements that are no piece of the body */
	size_t		 count, cap;	/* of marks */
	struct rewrite_mark *marks;	/* own members found, by offset */
};

/* Scans. The body is lent until rewrite_free. Returns 0; -1: memory. A body
 * that is no JSON object is not an error. Allocates only where it finds a
 * member of the table. */
int	rewrite_scan(struct rewrite *, struct slice body, enum family);
/* The same of a multipart form with that boundary (multipart_boundary): its
 * parts by the names of members are cut whole, with their delimiter lines. */
int	rewrite_scan_form(struct rewrite *, struct slice body, struct slice boundary, enum family);
/* Makes edits. REWRITE_ASK_USAGE: put stream_options.include_usage in where the
 * family is chat (or completion), the request streams and did not ask. Inside
 * an empty or null stream_options, include_usage:false or beside its other
 * members; as the last member when absent. REWRITE_FILL: fill variables in
 * where that keeps to its limits, else none, and `note` says why. May be called
 * again, for another attempt. Returns 0; -1: memory, or own members repeated so
 * often that LIMIT_EDITS is met. */
int	rewrite_finish(struct rewrite *, unsigned flags);
void	rewrite_free(struct rewrite *);

/* Is that switch of the gateway's own members on? From its strongest place of
 * all those that own_iter knows; header: as there. Of a form: false. */
bool	rewrite_switch(const struct rewrite *, struct jvalue header, const char *name);

/* Overwrites the values of SECRET members in `body` (the same bytes as were
 * scanned, writable), at top level and in NEST members, by a JSON string or
 * number of the same length. Offsets stay. In a text that broke off, those
 * before the break. */
void	rewrite_blank(const struct rewrite *, char *body);

/*
 * The gateway's own members of an object with all their ways in, strongest
 * first: top level, respan_params / keywordsai_params (also inside metadata,
 * as Anthropic clients send them), extra_body, header. body and header are
 * checked JSON values or JNONE. Pull, in the table's order; each name comes
 * once, from its strongest place; of several there the last one. A null counts
 * as absent, NEST members are only looked into, and `prompt` is ours only with
 * a prompt_id inside. False at the end.
 */
struct own_iter {
	struct jvalue	values[MEMBER_COUNT];
	unsigned char	rank[MEMBER_COUNT];	/* of the place the value is from */
	size_t		next;
};
void	own_iter_init(struct own_iter *, struct jvalue body, struct jvalue header);
bool	own_iter_next(struct own_iter *, struct own_member *);

/* The value of an X-Data-Respan-Params header: base64 of JSON, or JSON.
 * Appends the JSON text of the object with SECRET members blanked. False: it
 * is neither (nothing appended). */
bool	rewrite_header_params(struct slice value, struct buf *json);

#endif
