/* SPDX-License-Identifier: Apache-2.0 */
/*
 * export: spans sent on to other systems. A thread for each sink of the
 * settings reads the store by its own handle and sends what is new; one that is
 * slow or dead holds up no other, nor anything else: what it does not take
 * waits in the store. How far a sink has come stands in
 * DATA/export/NAME/ (state.h), which is written after each acknowledgement, so
 * every span is sent at least once; spans carry ids of their own, by which the
 * target knows those that it has.
 */
#ifndef EXPORT_EXPORT_H
#define EXPORT_EXPORT_H

#include <stdbool.h>
#include <stdint.h>

struct config;
struct exports;

/* Notes how far each sink has come, before the store is written to: call it
 * ahead of sink_start. Never NULL. */
struct exports	*exports_open(struct config *);
/* Starts the threads. */
void		 exports_start(struct exports *);
/* Works by these settings from now on: sinks that are new begin, those that are
 * gone end. */
void		 exports_reload(struct exports *, struct config *);
/* Lets them send what is stored until the deadline (clock_mono_us), ends their
 * threads and frees it. Those whose target is failing end at once. */
void		 exports_stop(struct exports *, uint64_t deadline_us);

#endif
