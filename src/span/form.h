/* SPDX-License-Identifier: Apache-2.0 */
/*
 * form: a multipart form read into one JSON object, so that whatever reads a
 * JSON request reads a form as well. Brackets in names nest. The bytes of files
 * are handed out as they come by, to be looked at and let go; what stands for a
 * file in the object is the caller's to say.
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
	FORM_E = -1,		/* malformed from here on, or over a limit */
};

struct form_node;

struct form {
	struct multipart multipart;
	struct arena	*arena;		/* borrowed; texts live in it */
	struct form_node *nodes;	/* a tree; the first one is its root */
	size_t		 n, cap;
	size_t		 target;	/* the part's node */
	bool		 is_file;
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
void	form_feed(struct form *, struct slice);
int	form_next(struct form *, struct form_item *);
/* At FORM_FILE_END, or when the form broke off inside a file: its value, a JSON
 * text that lives as long as the arena. Without it the file is null. */
void	form_file(struct form *, struct slice value);
/* Appends the object of what has been read. */
void	form_json(const struct form *, struct buf *);

#endif
