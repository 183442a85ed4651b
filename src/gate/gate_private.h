/* SPDX-License-Identifier: Apache-2.0 */
/* gate_private: what gate.c owns and its threads use. */
#ifndef GATE_PRIVATE_H
#define GATE_PRIVATE_H

#include "gate/gate.h"
#include "gate/local.h"

struct resolver;
struct local_pool;

struct resolver		*gate_resolver(const struct gate *);
struct local_pool	*gate_local_pool(const struct gate *);
/* A draining thread's last exchange has gone. From that thread. */
void			 gate_thread_empty(struct gate *);

#endif
