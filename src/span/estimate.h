/* SPDX-License-Identifier: Apache-2.0 */
/* estimate: token counts where the provider told none. */
#ifndef SPAN_ESTIMATE_H
#define SPAN_ESTIMATE_H

struct build;

/* After the answer was read and its status is known: counts what of usage is
 * missing, where the family's texts are the model's and options.tokens is there.
 * The span says usage_source `estimated`. */
void	estimate_usage(struct build *);

#endif
