/* SPDX-License-Identifier: Apache-2.0 */
/* cli_journal: what cli_journal.c shares with its printing of records. */
#ifndef CLI_JOURNAL_H
#define CLI_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/record.h"

/* Prints a record in one line; bodies: the whole of long fields. */
void	journal_print_record(FILE *, const struct record *, uint64_t position, bool bodies);

#endif
