/* SPDX-License-Identifier: Apache-2.0 */
/* kinds: see kind.h: their table, and what they share in reading answers. */
#include "export/kind.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"

const struct export_kind *const export_kinds[SINK_KINDS] = {
	[SINK_RESPAN] = &export_respan,
	[SINK_OTLP] = &export_otlp,
	[SINK_WEBHOOK] = &export_webhook,
};

static enum export_outcome
outcome_of(unsigned status)
{
	switch (status) {
	case 0: case 408: case 425: case 429:
		return EXPORT_AGAIN;
	case 401: case 403: case 404: case 405: case 407: case 415:
		return EXPORT_HOLD;
	case 413:
		return EXPORT_SPLIT;
	}
	if (status >= 200 && status < 300)
		return EXPORT_TAKEN;
	if (status >= 500)
		return EXPORT_AGAIN;
	return status >= 400 ? EXPORT_REFUSED : EXPORT_HOLD;
}

/* The text on one line. */
static void
text_put(char *to, size_t room, struct slice text)
{
	size_t	n = 0;

	for (size_t i = 0; i < text.len && n + 1 < room; i++)
		to[n++] = (unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f ? ' ' : text.ptr[i];
	while (n > 0 && n + 1 == room && ((unsigned char)to[n - 1] & 0xc0) == 0x80)
		n--;	/* not in the middle of a character */
	if (n > 0 && (unsigned char)to[n - 1] >= 0xc0)
		n--;
	to[n] = '\0';
}

void
export_judge(const struct export_answer *a, struct export_verdict *v)
{
	int	n;

	v->outcome = outcome_of(a->status);
	v->nrefused = 0;
	v->text[0] = '\0';
	if (v->outcome == EXPORT_TAKEN)
		return;
	n = snprintf(v->text, sizeof(v->text), a->status ? "HTTP %u%s" : "no answer", a->status,
	    a->body.len > 0 ? ": " : "");
	text_put(v->text + n, sizeof(v->text) - (size_t)n, a->body);
}

void
export_refuse(struct export_verdict *v, size_t index, struct slice text)
{
	if (v->nrefused == v->room) {
		v->room = v->room ? v->room * 2 : 16;
		v->refused = xrealloc(v->refused, v->room * sizeof(*v->refused));
	}
	v->refused[v->nrefused].index = index;
	text_put(v->refused[v->nrefused].text, sizeof(v->refused->text), text);
	v->nrefused++;
}

void
export_verdict_free(struct export_verdict *v)
{
	free(v->refused);
	v->refused = NULL;
	v->nrefused = v->room = 0;
}
