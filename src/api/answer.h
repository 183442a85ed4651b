/* SPDX-License-Identifier: Apache-2.0 */
/* answer: what every handler of the API says in the same way. */
#ifndef API_ANSWER_H
#define API_ANSWER_H

#include "core/buf.h"
#include "gate/local.h"

#define API_JSON "application/json"

/* {"error": text, "detail": text}. headers as in local_head. */
void	api_error(struct local_job *, unsigned status, const char *headers, const char *fmt, ...)
	    __attribute__((format(printf, 4, 5)));

/* {"message": text}. */
void	api_say(struct local_job *, unsigned status, const char *text);

/* Hands the buf's content over and empties it; false: stop, the client left. */
bool	api_flush(struct local_job *, struct buf *);

#endif
