/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pretend: a provider on a loopback port of its own, in a thread of its own,
 * that speaks the OpenAI and the Anthropic API and makes everything up. It
 * says so in its texts, its model ids and its headers.
 */
#ifndef DEMO_PRETEND_H
#define DEMO_PRETEND_H

#include <stddef.h>
#include <stdint.h>

struct pretend;

/* NULL: err holds a line for people. */
struct pretend	*pretend_start(char *err, size_t errlen);
uint16_t	 pretend_port(const struct pretend *);
/* Ends what it is sending. NULL is fine. */
void		 pretend_stop(struct pretend *);

#endif
