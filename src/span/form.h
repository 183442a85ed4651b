/* SPDX-License-Identifier: Apache-2.0 */
/*
 * form: a multipart form read into one JSON object, so that whatever reads a
 * JSON request reads a form as well. Brackets in names nest; a name that comes
 * again makes a list; members stand in the order of their parts. The bytes of
 * files are handed out as they come by, to be looked at and let go; what stands
 * for a file in the object is the caller's to say. Members of ours are fields
 * even where they come as files.
 */
#ifndef SPAN_FORM_H
#define SPAN_FORM_H

#include "core/multipart.h"
#include "span/arena.h"

enum form_result {
	FORM_MORE = 0,		/* feed more; when there is none, the form broke off */
	FORM_FILE,		/* a file begins */
	FORM_BYTES,		/* bytes of it */
	FORM_FILE_END,
	FORM_END,
	FORM_E = -1,		/* malformed from here on, over a limit, or no memory */
};

struct form_node;

struct form {
	struct multipart multipart;
	struct arena	*arena;		/* borrowed; texts live in it */
	struct form_node *nodes;	/* a tree; the first one is its root */
	size_t		 n, cap;
	size_t		 target;	/* the part's node */
	bool		 is_file;	/* the part */
	bool		 in_file;	/* FORM_FILE was given, and no FORM_FILE_END yet */
	bool		 cut;		/* fields over LIMIT_FORM_TEXT were left out: they are null */
	bool		 failed;
	struct buf	 value;		/* of the field being read */
	size_t		 texts;		/* bytes of all fields so far */
};

/* What FORM_FILE and FORM_BYTES give. */
struct form_item {
	struct slice	filename, type;	/* live as long as the arena */
	struct slice	bytes;
};

/* The arena is lent until form_free. */
void	form_init(struct form *, struct slice boundary, struct arena *);
void	form_free(struct form *);
/* The next bytes; lent until form_next says FORM_MORE. */
void	form_feed(struct form *, struct slice);
/* What comes next; after FORM_END and FORM_E the same again. */
int	form_next(struct form *, struct form_item *);
/* At FORM_FILE_END, or when the form broke off in_file: the file's value, a JSON
 * text that lives as long as the arena. Without it the file is null. */
void	form_file(struct form *, struct slice value);
/* Appends the object of what has been read. */
void	form_json(const struct form *, struct buf *);

#endif
