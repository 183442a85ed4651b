/* SPDX-License-Identifier: Apache-2.0 */
/*
 * down: the client's side: one connection from a client and the exchanges on
 * it, one after the other.
 */
#ifndef GATE_DOWN_H
#define GATE_DOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/http1.h"
#include "gate/reply.h"
#include "gate/conn.h"

struct exchange;
struct gate_thread;

enum down_state {
	DOWN_IDLE,		/* between requests */
	DOWN_HEAD,		/* a head has begun */
	DOWN_BODY,		/* the exchange takes the body */
	DOWN_ANSWER,		/* the body is complete; the answer goes out */
	DOWN_LINGER,		/* our last bytes are out or going; what comes is thrown away */
};

/* How an exchange leaves its client's connection. */
enum finish {
	FINISH_KEEP,		/* another request may follow */
	FINISH_CLOSE,
	FINISH_CUT,		/* the answer is not whole: close without its end */
	FINISH_RESET,		/* the same where only RST tells it from a whole one */
};

struct down {
	struct conn		 conn;		/* first */
	struct exchange		*x;		/* NULL: none */
	enum down_state		 state;
	bool			 loopback;	/* came by a TCP listener on loopback */
	bool			 keep;		/* another request may follow */
	enum finish		 finish;
	bool			 ending;	/* the exchange is over: finish when drained */
	bool			 ready;		/* in thread's ready list */
	bool			 starved;	/* in thread's starved list */
	TAILQ_ENTRY(down)	 link;		/* ready or starved */
	struct buf		 in;		/* a head not yet whole, or what follows the request */
	size_t			 scan;
	uint64_t		 t_first;	/* first byte of the request */
	uint64_t		 thrown;	/* bytes read while lingering */
	struct http1_body	 body;
	char			 peer[64];	/* address in words */
};

/* A client connection that the acceptor has handed over. Takes the fd. */
void	down_new(struct gate_thread *, int fd, bool loopback, const char *peer);
/* The exchange on a connection that is a client's; NULL. */
struct exchange *down_exchange(struct conn *);
const char *down_peer(const struct down *);

/* For the exchange: bytes to the client, sent at the end of the turn. */
void	down_write(struct down *, struct slice);
void	down_write_chunk(struct down *, struct slice);	/* in the chunked coding */
/* 100 Continue, if the client waits for it. */
void	down_continue(struct down *);
/* Stops reading the request's body, or goes on. */
void	down_hold(struct down *, bool hold);
/* The exchange is over and its last bytes have been written: the connection
 * goes on when they are out, or ends. */
void	down_finish(struct down *, enum finish);
/* Answers without an exchange and goes on or closes. */
void	down_refuse(struct down *, enum reply_format, struct reply_error, bool body_follows);
void	down_text(struct down *, const struct http1_head *, unsigned status,
	    const char *content_type, struct slice body);

/* For the thread: heads that wait, bodies that wait for memory, the end. */
void	down_next_heads(struct gate_thread *);
void	down_feed_starved(struct gate_thread *);
void	down_close_idle(struct gate_thread *);
void	down_close_all(struct gate_thread *);

#endif
