/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn: a non-blocking socket with its TLS, its output chain and one deadline.
 * It knows bytes only; what they mean is its owner's business, told by
 * conn_ops. Writing is deferred to the end of the turn.
 */
#ifndef GATE_CONN_H
#define GATE_CONN_H

#include <event2/event_struct.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "core/slice.h"
#include "gate/chain.h"

struct gate_thread;
struct conn;

/* Called on the loop. The conn may be closed inside any of them: it is freed
 * only at the end of the turn. */
struct conn_ops {
	bool	(*wants)(struct conn *);	/* may bytes be read now? false pauses; NULL: always */
	void	(*data)(struct conn *, char *ptr, size_t len);	/* bytes in the thread's scratch: writable, until return */
	void	(*eof)(struct conn *, bool clean);	/* the peer ended; clean: by FIN, over TLS by close_notify */
	void	(*error)(struct conn *, const char *what);	/* read or write failed */
	void	(*ready)(struct conn *);	/* TLS handshake done */
	void	(*drained)(struct conn *);	/* the chain has become shorter: look at out.len */
	void	(*timeout)(struct conn *);	/* the deadline has passed (it is cleared) */
	void	(*free)(struct conn *);		/* give the owner's memory back, the conn in it */
};

struct conn {
	struct gate_thread	*thread;
	const struct conn_ops	*ops;
	int			 fd;		/* -1: closed, or not yet connected */
	SSL			*ssl;
	struct event		 read, write;
	struct chain		 out;
	uint64_t		 deadline;	/* µs; 0: none */
	bool			 registered;	/* events are assigned */
	bool			 paused;	/* bytes are not to be read; a close is seen all the same */
	bool			 handshaking;
	bool			 dirty, dead;
	unsigned		 dirty_round;	/* thread's round in which it became dirty */
	bool			 eof_seen;
	bool			 write_blocked;
	bool			 write_dead;	/* the peer takes nothing any more */
	TAILQ_ENTRY(conn)	 all, link;	/* link: dirty or dead */
};

/* Begins an embedded conn; the fd may come later. */
void	conn_init(struct conn *, struct gate_thread *, const struct conn_ops *);
/* Gives it a connected socket and arms reading. Takes the fd. */
void	conn_attach(struct conn *, int fd);
/* Starts a TLS handshake as the client. Takes the SSL. */
void	conn_tls(struct conn *, SSL *);

/* Appends to what is to be sent at the end of this turn. */
void	conn_copy(struct conn *, struct slice);
void	conn_chunk(struct conn *, struct slice);	/* as one chunk of the chunked coding */
void	conn_lend(struct conn *, struct slice);

/* Has it looked at at the end of the turn, also with nothing to send. */
void	conn_touch(struct conn *);

void	conn_pause(struct conn *);
void	conn_resume(struct conn *);
void	conn_deadline(struct conn *, uint64_t us_from_now);	/* 0: none */

/* Writes now what can be written (the end of the turn calls it). */
void	conn_flush(struct conn *);
/* No more writes: FIN to the peer, reading goes on. */
void	conn_shutdown(struct conn *);
/* Ends it: the socket is closed, unsent bytes are dropped, memory goes at the
 * end of the turn. abort: RST, so that the peer sees that it was cut. Again on
 * a closed one: nothing. */
void	conn_close(struct conn *, bool abort);

/* TCP_NODELAY and keep-alive probes at 60 s; nothing on a unix socket. */
void	conn_socket_options(int fd);

#endif
