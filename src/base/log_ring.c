/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_ring: a bounded buffer and the thread "log" that empties it on standard
 * error, which may be a pipe that nobody reads. Owns both. Between log_start
 * and log_stop every log line goes through here.
 */
#include <config.h>

#include "base/log_ring.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"

#define RING_SIZE (256 * 1024)	/* bytes of lines that wait */

static struct {
	pthread_mutex_t	 lock;
	pthread_cond_t	 work;
	pthread_t	 thread;
	bool		 running, stopping;
	unsigned long	 lost;
	size_t		 len;
	char		 lines[RING_SIZE];
} ring = { .lock = PTHREAD_MUTEX_INITIALIZER, .work = PTHREAD_COND_INITIALIZER };

static void
ring_write(const char *p, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(STDERR_FILENO, p, len);
		if (n < 0 && errno != EINTR)
			return;
		if (n > 0) {
			p += n;
			len -= (size_t)n;
		}
	}
}

/* Writes what has collected, the lock released meanwhile. */
static void
ring_empty(char *copy)
{
	unsigned long lost = ring.lost;
	size_t len = ring.len;
	char text[64];

	memcpy(copy, ring.lines, len);
	ring.len = 0;
	ring.lost = 0;
	pthread_mutex_unlock(&ring.lock);
	ring_write(copy, len);
	if (lost > 0)
		ring_write(text, (size_t)snprintf(text, sizeof(text), "%lu log lines were lost\n", lost));
	pthread_mutex_lock(&ring.lock);
}

static void *
ring_main(void *arg)
{
	static char copy[RING_SIZE];

	(void)arg;
	thread_name("log");
	pthread_mutex_lock(&ring.lock);
	while (!ring.stopping || ring.len > 0) {
		if (ring.len > 0)
			ring_empty(copy);
		else
			pthread_cond_wait(&ring.work, &ring.lock);
	}
	pthread_mutex_unlock(&ring.lock);
	return NULL;
}

bool
log_ring_put(const char *line, size_t len)
{
	bool running, wake;

	pthread_mutex_lock(&ring.lock);
	running = ring.running;
	wake = running && ring.len == 0;
	if (running && len > RING_SIZE - ring.len)
		ring.lost++;
	else if (running) {
		memcpy(ring.lines + ring.len, line, len);
		ring.len += len;
	}
	pthread_mutex_unlock(&ring.lock);
	if (wake)
		pthread_cond_signal(&ring.work);
	return running;
}

void
log_start(void)
{
	pthread_mutex_lock(&ring.lock);
	ring.stopping = false;
	ring.running = pthread_create(&ring.thread, NULL, ring_main, NULL) == 0;
	pthread_mutex_unlock(&ring.lock);
}

void
log_stop(void)
{
	bool running;

	pthread_mutex_lock(&ring.lock);
	running = ring.running;
	ring.running = false;
	ring.stopping = true;
	pthread_mutex_unlock(&ring.lock);
	pthread_cond_signal(&ring.work);
	if (running)
		pthread_join(ring.thread, NULL);
}
