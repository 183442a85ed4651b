/* SPDX-License-Identifier: Apache-2.0 */
/*
 * post: one HTTP connection of a sink: a request out, its answer back, by
 * libcurl. Redirects are not followed, as they would take the key along. One
 * thread uses it; post_hurry may be called by another.
 */
#ifndef EXPORT_POST_H
#define EXPORT_POST_H

#include "export/kind.h"

struct post;

/* What an answer came with besides. */
struct post_result {
	struct export_answer answer;	/* lives until the next post */
	uint64_t	 retry_after_us;	/* what it asked for; 0: nothing */
	char		 error[200];	/* without an answer: why */
	bool		 stopped;	/* post_hurry ended it */
};

struct post	*post_new(void);
void		 post_free(struct post *);
/* Sends the request's body, packed as the settings say, and waits for the
 * answer, at most timeout. */
void		 post_send(struct post *, const struct sink_config *, const struct export_request *,
		    struct post_result *);
/* From now on nothing lasts beyond that time (clock_mono_us). */
void		 post_hurry(struct post *, uint64_t deadline_us);

#endif
