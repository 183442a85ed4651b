/* SPDX-License-Identifier: Apache-2.0 */
/* error: the message for people in an error body or error event. */
#ifndef SPAN_ERROR_H
#define SPAN_ERROR_H

#include "core/jscan.h"

struct build;

/* Finds the message in any of the providers' shapes and hands it to
 * build_error. False: there is none. */
bool	error_of(struct build *, struct jvalue);
/* The same of a body that is no JSON: its text, cut; else of the status. */
void	error_of_text(struct build *, struct slice body);

#endif
