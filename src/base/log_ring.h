/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log_ring: the way of log lines from threads that must not wait to the one
 * that writes them. Lines that do not fit are counted and told of later.
 */
#ifndef BASE_LOG_RING_H
#define BASE_LOG_RING_H

#include <stdbool.h>
#include <stddef.h>

/* True: the ring has taken the line (or counted it as lost); false: no ring
 * is running, write it yourself. */
bool	log_ring_put(const char *line, size_t len);

#endif
