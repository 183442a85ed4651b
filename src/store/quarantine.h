/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quarantine: keeps one record from stopping all others. The sink notes what
 * it is about to build in DATA_DIR/building; a record that is found there at
 * two starts has crashed the process twice and is not built again. The bytes
 * of records that could not be stored go to DATA_DIR/quarantine/ID.
 */
#ifndef STORE_QUARANTINE_H
#define STORE_QUARANTINE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/slice.h"

struct quarantine;

/* Reads what the former process left noted. A directory that cannot be
 * written costs the protection, nothing else. */
struct quarantine *quarantine_open(const char *data_dir);
void	 quarantine_close(struct quarantine *);

/* Notes a record; gives how many processes have died over it. */
unsigned quarantine_note(struct quarantine *, const char *series, uint64_t position);
/* Nothing is being built. */
void	 quarantine_clear(struct quarantine *);

/* Sets the bytes of an exchange aside (mode 0600); false: they could not be. */
bool	 quarantine_keep(struct quarantine *, const uint8_t id[16], struct slice bytes);

#endif
