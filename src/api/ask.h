/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask: what a request for a list or for figures says, from its body and its
 * URL: paging, order, window, environment, and conditions by name. Which names
 * there are is for whoever asked to know. The URL wins over the body.
 *
 * Conditions: {"filters": {"NAME": {"operator", "value"}}}, a list of such
 * objects under one name, bare values, or {"filters": [{"field", "operator",
 * "value"}]}; in the URL ?NAME=value, ?NAME[operator]=op&NAME[value]=value.
 */
#ifndef API_ASK_H
#define API_ASK_H

#include "core/buf.h"
#include "core/slice.h"
#include "store/traces.h"

#define ASK_CONDITIONS 64
#define ASK_VALUES 1000
#define ASK_OTHERS 16

struct ask_condition {
	struct slice	 name;
	enum traces_op	 op;
	struct slice	*values;
	size_t		 nvalues;
	bool		 url;		/* of the URL, where an unknown name is a metadata key */
};

struct ask {
	uint64_t	 page, page_size;	/* at most 1000 */
	struct slice	 sort;		/* without its sign; empty: not said */
	bool		 ascending;
	bool		 have_from, have_to;
	int64_t		 from_us, to_us;
	struct slice	 environment;	/* empty: any */
	struct ask_condition conditions[ASK_CONDITIONS];
	size_t		 nconditions;
	struct slice	 values[ASK_VALUES];
	size_t		 nvalues;
	/* Members that the caller knows, as given: names in `known`, NULL at its end. */
	const char *const *known;
	struct { struct slice name, value; } others[ASK_OTHERS];
	size_t		 nothers;

	bool		 all_envs;
	struct slice	 is_test;
	struct buf	 arena;		/* decoded texts */
	char		 error[300];	/* why it is refused, for people */
};

/* page_size: where none is given. known: may be NULL. False: error. ask_free
 * either way. */
bool	ask_read(struct ask *, struct slice url_query, struct slice body, uint64_t page_size, const char *const *known);
void	ask_free(struct ask *);
/* A member of `known` that was given; SLICE_NONE: it was not. */
struct slice ask_other(const struct ask *, const char *name);
/* Writes the error; false. */
bool	ask_refuse(struct ask *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* How much of a text is shown in an error: for "%.*s". */
#define ASK_SHOWN(s) (int)((s).len > 60 ? 60 : (s).len), (s).ptr ? (s).ptr : ""

#endif
