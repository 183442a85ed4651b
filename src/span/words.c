/* SPDX-License-Identifier: Apache-2.0 */
/* words: see words.h. Called by store/search.c for what is stored and for what is asked. */
#include "span/words.h"

#include <stdlib.h>

#include "core/limits.h"
#include "core/utf8.h"

#define RUN 200			/* bytes of encoded data in one go: no text has such words */

struct words {
	unsigned	 count, limit;
	uint32_t	 mask;		/* of slots, a power of two less one */
	uint32_t	 era;		/* slots of another one are empty */
	struct slot {
		uint32_t	 era, hash;
		uint32_t	 at, len;
	} *slots;
	struct buf	 list;
	char		 word[LIMIT_SEARCH_WORD + 1];
	size_t		 len;
	char		 prefix;
};

/* What a byte is: a letter or digit of ASCII as the word has it, 0 for what
 * parts words; 1: a longer character begins. */
static char
ascii_of(unsigned char c)
{
	if (c >= 0x80)
		return 1;
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
		return (char)c;
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : 0;
}

enum sort { PART, LETTER, ALONE };

/* Scripts without blanks, and pictures; of the rest what is no letter. */
static enum sort
sort_of(uint32_t c)
{
	if (c < 0xc0 ? c != 0xaa && c != 0xb5 && c != 0xba : c == 0xd7 || c == 0xf7)
		return PART;
	if ((c >= 0x2000 && c <= 0x20cf) || (c >= 0x2190 && c <= 0x2bff) || (c >= 0x3000 && c <= 0x3004) ||
	    (c >= 0x3007 && c <= 0x3030) || (c >= 0xfe10 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff0f) ||
	    (c >= 0xff1a && c <= 0xff20) ||
	    (c >= 0xff3b && c <= 0xff40) || (c >= 0xff5b && c <= 0xff65) || c == 0xfeff || c == 0xfffd)
		return PART;
	if ((c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
	    (c >= 0x1f000 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3ffff))
		return ALONE;
	return LETTER;
}

/* Lower case of Latin, Greek and Cyrillic; fullwidth Latin as ASCII. */
static uint32_t
fold(uint32_t c)
{
	if (c == 0x3a2)		/* is no letter */
		return c;
	if ((c >= 0xc0 && c <= 0xde) || (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
		return c + 0x20;
	if (c >= 0x400 && c <= 0x40f)
		return c + 0x50;
	if ((c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177) || (c >= 0x460 && c <= 0x4ff) ||
	    (c >= 0x1e00 && c <= 0x1eff))
		return c | 1;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
		return c + (c & 1);
	if (c >= 0xff10 && c <= 0xff19)
		return c - 0xff10 + '0';
	if ((c >= 0xff21 && c <= 0xff3a) || (c >= 0xff41 && c <= 0xff5a))
		return ((c - 0xff21) & 0x1f) + 'a';
	return c == 0x3c2 ? 0x3c3 : c;	/* final sigma */
}

struct words *
words_new(unsigned limit)
{
	struct words *w = calloc(1, sizeof(*w));
	uint32_t slots = 64;

	if (!w)
		return NULL;
	while (slots < limit * 2)
		slots *= 2;
	w->slots = calloc(slots, sizeof(*w->slots));
	if (!w->slots) {
		free(w);
		return NULL;
	}
	w->mask = slots - 1;
	w->limit = limit;
	w->era = 1;
	buf_init(&w->list, (size_t)limit * (sizeof(w->word) + 2) + 1);
	return w;
}

void
words_free(struct words *w)
{
	if (!w)
		return;
	buf_free(&w->list);
	free(w->slots);
	free(w);
}

void
words_clear(struct words *w)
{
	buf_clear(&w->list);
	w->count = 0;
	w->len = 0;
	if (++w->era == 0) {
		memset(w->slots, 0, (w->mask + 1) * sizeof(*w->slots));
		w->era = 1;
	}
}

/* The word that was gathered is at its end. */
static void
word_end(struct words *w)
{
	uint32_t hash = 2166136261u;
	struct slot *slot;

	if (w->len <= 1) {
		w->len = 0;
		return;
	}
	for (size_t i = 0; i < w->len; i++)
		hash = (hash ^ (unsigned char)w->word[i]) * 16777619u;
	for (uint32_t i = hash ^ hash >> 15;; i++) {
		slot = &w->slots[i & w->mask];
		if (slot->era != w->era)
			break;
		if (slot->hash == hash && slot->len == w->len && memcmp(w->list.ptr + slot->at, w->word, w->len) == 0) {
			w->len = 0;
			return;
		}
	}
	if (w->count < w->limit) {
		*slot = (struct slot){ w->era, hash, (uint32_t)w->list.len, (uint32_t)w->len };
		w->count++;
		buf_append(&w->list, w->word, w->len);
		buf_byte(&w->list, ' ');
	}
	w->len = 0;
}

/* What is too long for a word is left out at its end, whole characters. */
static void
word_add(struct words *w, const char *bytes, size_t n)
{
	if (w->len == 0)
		w->word[w->len++] = w->prefix;
	if (w->len + n > sizeof(w->word))
		return;
	memcpy(w->word + w->len, bytes, n);
	w->len += n;
}

static void
take_code(struct words *w, uint32_t c)
{
	char bytes[4];
	enum sort sort;

	if (c < 0x80) {
		char a = ascii_of((unsigned char)c);

		if (a)
			word_add(w, &a, 1);
		else
			word_end(w);
		return;
	}
	sort = sort_of(c);
	if (sort != LETTER)
		word_end(w);
	if (sort == PART)
		return;
	word_add(w, bytes, utf8_put(bytes, fold(c)));
	if (sort == ALONE)
		word_end(w);
}

/* A character of several bytes at p: how many, at least 1. */
static size_t
take_long(struct words *w, const char *p, size_t left)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t n = utf8_length(p, left);

	if (n == 2)
		take_code(w, (uint32_t)(u[0] & 0x1f) << 6 | (u[1] & 0x3f));
	else if (n == 3)
		take_code(w, (uint32_t)(u[0] & 0xf) << 12 | (uint32_t)(u[1] & 0x3f) << 6 | (u[2] & 0x3f));
	else if (n == 4)
		take_code(w, (uint32_t)(u[0] & 7) << 18 | (uint32_t)(u[1] & 0x3f) << 12 |
		    (uint32_t)(u[2] & 0x3f) << 6 | (u[3] & 0x3f));
	else
		word_end(w);
	return n ? n : 1;
}

static bool
is_encoded(char c)
{
	return ascii_of((unsigned char)c) > 1 || c == '+' || c == '/' || c == '=' || c == '-' || c == '_';
}

/* Bytes of encoded data that begin here; 0: too few to be that. */
static size_t
run_of(struct slice s)
{
	size_t n = 0;

	while (n < s.len && is_encoded(s.ptr[n]))
		n++;
	return n >= RUN ? n : 0;
}

/* The number of an escape \uXXXX. */
static bool
hex4(const char *p, uint32_t *out)
{
	*out = 0;
	for (int i = 0; i < 4; i++) {
		char c = p[i], low = (char)(c | 0x20);

		if (c >= '0' && c <= '9')
			*out = *out << 4 | (uint32_t)(c - '0');
		else if (low >= 'a' && low <= 'f')
			*out = *out << 4 | (uint32_t)(low - 'a' + 10);
		else
			return false;
	}
	return true;
}

/* An escape at the start of s: how many bytes. All but \u part words. */
static size_t
take_escape(struct words *w, struct slice s)
{
	uint32_t c, low;

	if (s.len < 6 || s.ptr[1] != 'u' || !hex4(s.ptr + 2, &c)) {
		word_end(w);
		return s.len < 2 ? s.len : 2;
	}
	if (c >= 0xd800 && c < 0xdc00 && s.len >= 12 && s.ptr[6] == '\\' && s.ptr[7] == 'u' && hex4(s.ptr + 8, &low) &&
	    low >= 0xdc00 && low < 0xe000) {
		take_code(w, 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00));
		return 12;
	}
	if (c >= 0xd800 && c < 0xe000)
		word_end(w);
	else
		take_code(w, c);
	return 6;
}

static void
take_text(struct words *w, struct slice text, bool escaped)
{
	size_t i = 0, run;
	bool fresh = true;		/* a run may begin here */

	while (i < text.len) {
		char c = text.ptr[i], a = ascii_of((unsigned char)c);

		if (fresh && a > 1 && (run = run_of(slice_from(text, i))) > 0) {
			i += run;
			continue;
		}
		fresh = !is_encoded(c);
		if (a > 1) {
			word_add(w, &a, 1);
			i++;
		} else if (a == 1)
			i += take_long(w, text.ptr + i, text.len - i);
		else if (c == '\\' && escaped)
			i += take_escape(w, slice_from(text, i));
		else {
			word_end(w);
			i++;
		}
	}
	word_end(w);
}

void
words_text(struct words *w, char prefix, struct slice text)
{
	w->prefix = prefix;
	take_text(w, text, false);
}

void
words_json(struct words *w, char prefix, struct slice json, size_t bytes)
{
	const char *p = json.ptr, *end = p + (json.len < bytes ? json.len : bytes), *start, *after;

	w->prefix = prefix;
	while (p < end && (p = memchr(p, '"', (size_t)(end - p)))) {
		start = ++p;
		while (p < end && *p != '"')
			p += *p == '\\' && end - p > 1 ? 2 : 1;
		for (after = p < end ? p + 1 : p; after < end && (*after == ' ' || *after == '\n' || *after == '\t' ||
		    *after == '\r'); after++)
			;
		if (after >= end || *after != ':')	/* else it is a member's name */
			take_text(w, slice_make(start, (size_t)(p - start)), true);
		p = p < end ? p + 1 : p;
	}
}

unsigned
words_count(const struct words *w)
{
	return w->count;
}

struct slice
words_list(const struct words *w)
{
	return buf_view(&w->list);
}
