/* SPDX-License-Identifier: Apache-2.0 */
/* sink_check: what is different in the settings of a sink for each kind. Called
 * by config_load.c once its members are read. */
#ifndef BASE_SINK_CHECK_H
#define BASE_SINK_CHECK_H

#include "base/config.h"

/* Sets members that were not given where their default is another for its kind. */
void	sink_defaults(struct sink_config *, bool no_bodies, bool no_changes);
/* Checks what belongs to its kind, and sets what lists amount to. What is wrong,
 * for people, and the member that it is about; NULL: nothing. */
const char *sink_check(struct sink_config *, const char **member);

#endif
