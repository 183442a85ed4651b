/* SPDX-License-Identifier: Apache-2.0 */
/* otlp_out_inner: what the files of otlp_out share. */
#ifndef SPAN_OTLP_OUT_INNER_H
#define SPAN_OTLP_OUT_INNER_H

#include "core/jscan.h"
#include "span/otlp_out.h"

struct otlp_out {
	const struct span *s;
	const struct otlp_out_options *options;
	struct buf	*out;
	struct buf	 text;		/* to put texts together in */
	bool		 any;		/* an attribute was written */
};

/* Begins an attribute and an AnyValue in it; otlp_out_end ends both. */
void	otlp_out_begin(struct otlp_out *, struct slice key);
void	otlp_out_end(struct otlp_out *);
/* An attribute that is a text; none where it is empty. */
void	otlp_out_text(struct otlp_out *, const char *key, struct slice);

/* otlp_out_message.c: attributes of what was asked and answered. */
void	otlp_out_messages(struct otlp_out *);

#endif
