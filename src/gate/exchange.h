/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange: one request of one client and its answer. Two sides meet here:
 * `down` (the client's connection) and `up` (a provider, or a job of our own).
 * What happens on either is an event; exchange_step with its table of states
 * is the program.
 *
 *   BODY ─► WAIT ─► RELAY ─► DONE        HOLD: an error answer that may yet
 *    │      ▲ └─► HOLD ─┘└► ADD ─┘       be tried again; ADD: a breakdown is
 *    └► UPLOAD ──┘                       being made; exchange_end from anywhere
 */
#ifndef GATE_EXCHANGE_H
#define GATE_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/family.h"
#include "core/hide.h"
#include "core/http1.h"
#include "core/reason.h"
#include "core/rewrite.h"
#include "gate/auth.h"
#include "gate/route.h"
#include "gate/settings.h"
#include "gate/tape.h"

struct breakdown;
struct down;
struct exchange;
struct gate_thread;

enum exchange_state {
	EXCHANGE_BODY,		/* the request's body comes */
	EXCHANGE_UPLOAD,	/* a body too large to be held goes through as it comes */
	EXCHANGE_WAIT,		/* for the answer's head */
	EXCHANGE_HOLD,		/* an error answer is held back */
	EXCHANGE_RELAY,		/* the answer's body goes through */
	EXCHANGE_ADD,		/* the answer is complete; its end waits for the breakdown */
	EXCHANGE_DONE,		/* ended; the client's side drains */
	EXCHANGE_STATES
};

enum exchange_event {
	EVENT_BODY,		/* x->in: bytes of the request body */
	EVENT_BODY_END,
	EVENT_UP_ROOM,		/* the provider has taken bytes of an upload, or all that is to be sent */
	EVENT_UP_HEAD,		/* x->answer: the answer's head */
	EVENT_UP_DATA,		/* x->in: bytes of the answer's body */
	EVENT_UP_END,
	EVENT_UP_FAILED,	/* x->why, x->detail */
	EVENT_DOWN_GONE,	/* the client has left */
	EVENT_DOWN_TIMEOUT,	/* the client's body or reading took too long */
	EVENT_DOWN_ROOM,	/* the client has taken bytes */
	EVENT_BREAKDOWN,	/* it was made, or took too long */
	EXCHANGE_EVENTS
};

/* The up side: a provider (provider.c) or a job (local.c). */
struct up_ops {
	void	(*start)(struct exchange *);	/* the request is complete: send it */
	void	(*body)(struct exchange *);	/* x->in: more of an upload */
	void	(*pause)(struct exchange *);	/* the client is slow: stop reading */
	void	(*resume)(struct exchange *);
	void	(*cancel)(struct exchange *);	/* stop; x->up is let go; no event comes after it */
};

/* A copy of the request head: one allocation with fields and text in it. */
struct request_head {
	struct slice	 method, path, query, target, host;
	unsigned	 minor;
	bool		 keep_alive, nominates;
	unsigned	 flags;		/* of all fields together */
	size_t		 nfields;
	struct http1_field *fields;
};

struct exchange {
	struct gate_thread	*thread;
	struct exchange		*next_dead;
	enum exchange_state	 state;
	uint8_t			 id[16];
	struct settings		*settings;
	struct down		*down;		/* NULL: the client has gone */
	const struct up_ops	*ops;
	void			*up;		/* the up side's own; NULL: none under way */

	/* the request */
	struct request_head	*head;		/* freed when no attempt is possible any more */
	struct auth		 auth;
	struct route		 route;
	enum family		 family;
	struct provider		*provider;	/* chosen; NULL before, and for local ones */
	char			*body;		/* freed when no attempt needs it any more */
	size_t			 body_len, body_cap;
	char			*kept;		/* broken JSON with credentials: the journal's copy, less them */
	size_t			 body_hint;	/* bytes to begin with */
	size_t			 body_most;	/* no more room than this: a sized body's length */
	bool			 uploading;	/* the body is not held: it goes through */
	uint64_t		 upload_len, uploaded; /* bytes of it in all, and so far */
	struct rewrite		 rewrite;
	char			*model;		/* decoded, for routing and metrics; NULL */
	unsigned		 attempt;

	/* of the event being handled */
	struct slice		 in;
	const struct http1_head	*answer;
	enum reason		 why;
	const char		*detail;

	/* the answer */
	unsigned		 status;	/* 0: none yet */
	bool			 has_body;	/* the client framed one, maybe empty */
	bool			 head_method;	/* HEAD: no body */
	bool			 answer_keep;	/* the client's connection stays */
	bool			 chunked;	/* towards the client */
	bool			 head_sent;	/* to the client */
	bool			 up_paused;
	bool			 hiding;	/* usage is to be hidden */
	bool			 hide_made;	/* hide holds memory */
	bool			 until_close;	/* towards the client: only the connection's end ends the body */
	bool			 retried;	/* one retry was spent */
	bool			 unasked;	/* sent again without stream_options */
	bool			 refused;	/* the gateway itself answered */
	uint64_t		 answer_len;	/* bytes of its body that came */
	uint64_t		 sent_len;	/* given to the client's connection */
	struct hide		 hide;
	struct buf		 held;		/* HOLD: the answer's head for the client, then its body */
	size_t			 held_head;	/* bytes of that head */
	struct tape		 tape;
	struct breakdown	*breakdown;	/* NULL: not asked for */
	bool			 adding;	/* the answer's end is held for it */

	/* times, µs on the monotonic clock; 0: not yet */
	uint64_t		 wall, wall_mono;	/* the wall clock at wall_mono */
	uint64_t		 t0, t_read, t_sent, t_head, t_last;
	uint64_t		 t_out, t_head_out;	/* first request byte to the provider, first answer byte to the client */
	uint64_t		 t_start;	/* of the attempt */
	uint64_t		 t_resolved, t_connected, t_tls;
	uint64_t		 paused_at, held_us;
};

/* A request head has come on this client: begins its exchange, which may end
 * at once with a refusal. t0: when its first byte was read. */
void	exchange_new(struct down *, const struct http1_head *, uint64_t t0);
void	exchange_step(struct exchange *, enum exchange_event);
/* The one way out. detail may be NULL. */
void	exchange_end(struct exchange *, enum reason, const char *detail);
/* Bytes of the answer's body to the client, if there still is one. */
void	exchange_emit(struct exchange *, struct slice);
/* The client's connection has let go of it (it drained or died). */
void	exchange_release(struct exchange *);
/* Frees what has ended: once a turn. */
void	exchange_reap(struct gate_thread *);
/* Most bytes its request body may have. */
uint64_t exchange_body_limit(const struct exchange *);

/* The first request field of that name; SLICE_NONE. */
struct slice exchange_field(const struct exchange *, struct slice name);
/* The span's id as 32 hex digits in out[33]; gives out. */
const char *exchange_id_text(const struct exchange *, char *out);

#endif
