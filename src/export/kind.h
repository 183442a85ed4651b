/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind: what a kind of sink has to know: how spans become a request, and what
 * the answer to one means. All else (reading the store, when to send, pauses,
 * compression, connections, dead letters, what is told) is the target's
 * (target.c), the same for all kinds.
 *
 * A kind is one file with one `const struct export_kind`, a row in kinds.c and
 * a name in enum sink_kind and in the option `kind` (base). Its functions run on
 * the target's thread (but for open and close), one request at a time; they keep
 * nothing between calls but what hangs on the request's `own` and `state`.
 */
#ifndef EXPORT_KIND_H
#define EXPORT_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "core/buf.h"
#include "span/span.h"

/* A span that is to be sent. */
struct export_item {
	const struct span *span;	/* whole, with its bodies; lives until `add` returns */
	bool		 again;		/* a change of one that was there before, or a dead letter */
	bool		 letter;	/* a dead letter that is sent again */
	bool		 doubled;	/* an older span has its trace and span id */
	struct slice	 scores;	/* a JSON object of them, by evaluator; {} */
};

/* A request while it is put together. */
struct export_request {
	const struct sink_config *config;
	const char	*path;		/* behind the sink's url; set by begin */
	const char	*content_type;	/* set by begin */
	struct buf	 headers;	/* further ones: "Name: value", each with \n */
	struct buf	 body;		/* before compression; its length is what batches are bounded by */
	size_t		 items;		/* that were added; the target counts them */
	const char	*instance;	/* of this gateway: random hex; NULL: it has none */
	void		*own;		/* the kind's; the target only carries it from begin to finish */
	/* For kinds that have a state, or several requests for a row. */
	void		*state;		/* what `open` gave */
	struct store	*store;		/* to be read; a selection of rows goes on on it */
	int		 day_offset;	/* of the store's days, in minutes */
	uint64_t	 look;		/* rows that came with one look have the same */
	unsigned	 part;		/* of the row that is asked or added: how many of its requests were taken */
	bool		 more;		/* set by add: the row has a further part; only where `most` is 1 */
	bool		 none;		/* set by add: there is nothing to send of this row */
};

/* What came back. */
struct export_answer {
	unsigned	 status;	/* of HTTP; 0: there was none */
	struct slice	 body;		/* its first LIMIT_SINK_ANSWER bytes */
};

enum export_outcome {
	EXPORT_TAKEN,		/* all of it, but for what is listed as refused */
	EXPORT_AGAIN,		/* not now: the same once more, later */
	EXPORT_SPLIT,		/* too large: in halves */
	EXPORT_REFUSED,		/* nothing was taken. Because of what is listed, where something is: the others
				 * go once more without it; else the culprit is looked for by halves */
	EXPORT_HOLD,		/* nothing can be right until somebody mends the settings: tried again later */
};

struct export_refusal {
	size_t		 index;		/* of the item in the request */
	char		 text[160];	/* why, for people */
};

struct export_verdict {
	enum export_outcome outcome;
	char		 text[200];	/* what was wrong, for people; "" if nothing was */
	struct export_refusal *refused;
	size_t		 nrefused, room;
};

struct export_kind {
	const char	*name;
	size_t		 most;		/* items of one request, whatever the settings say; 0: no ceiling */
	/* Is this span for it? NULL: all are. Bodies are not read for it: span has
	 * what its row holds, and scores are not there. */
	bool		(*wants)(const struct export_request *, const struct export_item *);
	/* Begins a request: sets path and content_type; body, headers are empty. */
	void		(*begin)(struct export_request *);
	/* Adds one; false: it cannot be sent, which makes it a dead letter. */
	bool		(*add)(struct export_request *, const struct export_item *);
	/* Ends the request and frees `own`; called once for each begin, also where
	 * the request is dropped. */
	void		(*finish)(struct export_request *);
	/* The request was taken, but for what was listed; NULL: nobody cares. */
	void		(*taken)(struct export_request *);
	/* What it keeps from request to request, in files of the sink's directory if
	 * it likes. NULL: nothing. */
	void		*(*open)(const char *dir);
	void		(*close)(void *);
	/* What the answer means. The verdict comes as export_judge makes it of the
	 * status; NULL: that is all there is to it. Of the request config and items
	 * are there. A text beside TAKEN is logged and told as its last error. */
	void		(*judge)(const struct export_request *, const struct export_answer *, struct export_verdict *);
};

/* The kinds by enum sink_kind. */
extern const struct export_kind *const export_kinds[SINK_KINDS];

/* What a status means anywhere: 2xx TAKEN; none, 408, 425, 429, 5xx AGAIN; 413
 * SPLIT; 3xx, 401, 403, 404, 405, 407, 415 HOLD; other 4xx REFUSED. text: the status
 * and the beginning of the body. */
void	export_judge(const struct export_answer *, struct export_verdict *);
/* Lists an item as refused; text is cut. */
void	export_refuse(struct export_verdict *, size_t index, struct slice text);
void	export_verdict_free(struct export_verdict *);

extern const struct export_kind export_respan, export_otlp, export_webhook;

#endif
