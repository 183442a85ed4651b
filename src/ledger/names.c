/* SPDX-License-Identifier: Apache-2.0 */
/* names: see names.h. */
#include "ledger/names.h"

#include <string.h>

#include "core/utf8.h"

uint32_t
names_hash(const void *p, size_t len)
{
	const uint8_t	*b = p;
	uint32_t	 h = 2166136261u;

	while (len-- > 0)
		h = (h ^ *b++) * 16777619u;
	return h;
}

size_t
name_copy(char out[NAME_BYTES], struct slice text)
{
	size_t	n = 0, i, k;

	for (i = 0; i < text.len; i += k) {
		k = utf8_length(text.ptr + i, text.len - i);
		if (n + (k ? k : 1) >= NAME_BYTES)
			break;
		if (k == 0) {
			out[n++] = '?';
			k = 1;
		} else {
			memcpy(out + n, text.ptr + i, k);
			n += k;
		}
	}
	out[n] = '\0';
	return n;
}

size_t
name_intern(struct names *names, const char *text, size_t len)
{
	uint32_t	h = names_hash(text, len);
	size_t		i;

	for (i = 0; i < names->count; i++)
		if (names->hash[i] == h && strcmp(names->text[i], text) == 0)
			return i;
	if (names->count == names->most)
		return names->most;
	memcpy(names->text[i], text, len + 1);
	names->hash[i] = h;
	names->count++;
	return i;
}

const char *
name_text(const struct names *names, size_t i)
{
	return i == names->most ? "other" : names->text[i];
}
