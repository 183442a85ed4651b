/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config: the settings once they are loaded: who holds them, and what is asked
 * of them (a provider, a route, a key). Reading files is config_load.c.
 */
#include <config.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/config.h"
#include "base/price_book.h"
#include "core/glob.h"
#include "base/config_int.h"
#include "base/log.h"
#include "core/limits.h"

#define STRUCT_TOP struct config
#define STRUCT_PROVIDER struct provider_config
#define STRUCT_ROUTE struct route_text
#define STRUCT_SINK struct sink_config
#define STRUCT_KEY struct key_text

const struct option config_options[] = {
#define OPTION(scope, path, flag, type, field, min, max, deflt, hint, flags, sentence)	\
	{ path, flag, OPTION_##type, min, max, deflt, hint, flags, sentence,		\
	  SCOPE_##scope, offsetof(STRUCT_##scope, field),				\
	  sizeof(((STRUCT_##scope *)0)->field) },
#include "base/options.tbl.h"
#undef OPTION
};
const size_t config_options_count = sizeof(config_options) / sizeof(config_options[0]);

static pthread_mutex_t	 current_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct config	*current;

struct config *
config_ref(struct config *c)
{
	atomic_fetch_add_explicit(&c->references, 1, memory_order_relaxed);
	return c;
}

static void
provider_clear(struct provider_config *p)
{
	free(p->id);
	free(p->base_url);
	free(p->host);
	free(p->host_header);
	free(p->path);
	if (p->api_key != NULL)
		OPENSSL_cleanse(p->api_key, strlen(p->api_key));
	free(p->api_key);
	free(p->api_version);
	free(p->unix_path);
	free(p->ca_file);
}

static void
texts_free(struct text_list *t)
{
	size_t	i;

	for (i = 0; i < t->n; i++) {
		OPENSSL_cleanse(t->list[i], strlen(t->list[i]));
		free(t->list[i]);
	}
	free(t->list);
}

static void
sink_clear(struct sink_config *s)
{
	if (s->api_key != NULL)
		OPENSSL_cleanse(s->api_key, strlen(s->api_key));
	free(s->id);
	free(s->url);
	free(s->host);
	free(s->api_key);
	free(s->ca_file);
	free(s->service_name);
	if (s->secret != NULL)
		OPENSSL_cleanse(s->secret, strlen(s->secret));
	free(s->secret);
	texts_free(&s->events);
	texts_free(&s->budget_thresholds);
	texts_free(&s->headers);
	texts_free(&s->environments);
}

static void
config_free(struct config *c)
{
	size_t	i;

	for (i = 0; i < c->nlistens; i++) {
		free(c->listens[i].text);
		free(c->listens[i].host);
		free(c->listens[i].unix_path);
	}
	for (i = 0; i < c->nproviders; i++)
		provider_clear(&c->providers[i]);
	for (i = 0; i < c->nroutes; i++)
		free(c->routes[i].model);
	for (i = 0; i < c->nsinks; i++)
		sink_clear(&c->sinks[i]);
	for (i = 0; i < c->nkeys; i++)
		key_clear(&c->keys[i]);
	texts_free(&c->price_files);
	price_book_free(c->book);
	free(c->listens);
	free(c->providers);
	free(c->routes);
	free(c->sinks);
	free(c->keys);
	free(c->keys_by_hash);
	keyring_unref(c->ring);
	free(c->data_dir);
	free(c->file);
	free(c);
}

void
config_unref(struct config *c)
{
	if (c != NULL && atomic_fetch_sub_explicit(&c->references, 1,
	    memory_order_acq_rel) == 1)
		config_free(c);
}

bool
config_prices(struct config *c, char *err, size_t errlen)
{
	c->book = price_book_read(c->price_files.list, c->price_files.n, err, errlen);
	c->spans.prices = c->book != NULL ? &c->book->prices : NULL;
	return c->book != NULL;
}

struct config *
config_current(void)
{
	struct config	*c;

	pthread_mutex_lock(&current_mutex);
	if (current == NULL)
		bug("no settings are published");
	c = config_ref(current);
	pthread_mutex_unlock(&current_mutex);
	return c;
}

void
config_publish(struct config *c)
{
	struct config	*old;

	pthread_mutex_lock(&current_mutex);
	old = current;
	current = c;
	pthread_mutex_unlock(&current_mutex);
	config_unref(old);
}

const struct provider_config *
config_provider(const struct config *c, struct slice id)
{
	size_t	i;

	for (i = 0; i < c->nproviders; i++)
		if (slice_eq(slice_str(c->providers[i].id), id))
			return &c->providers[i];
	return NULL;
}

const struct sink_config *
config_sink(const struct config *c, struct slice id)
{
	size_t	i;

	for (i = 0; i < c->nsinks; i++)
		if (slice_eq(slice_str(c->sinks[i].id), id))
			return &c->sinks[i];
	return NULL;
}

const struct provider_config *
config_route(const struct config *c, enum provider_api api, struct slice model)
{
	const struct provider_config *first = NULL;
	size_t	i;

	for (i = 0; model.ptr != NULL && i < c->nroutes; i++)
		if (glob_match(slice_str(c->routes[i].model), model))
			return &c->providers[c->routes[i].provider];
	for (i = 0; i < c->nproviders; i++) {
		const struct provider_config *p = &c->providers[i];

		if (p->api != api)
			continue;
		if (p->is_default)
			return p;
		if (first == NULL)
			first = p;
	}
	return first;
}

void
config_digest(struct slice bytes, uint8_t out[32])
{
	unsigned	len = 32;

	if (EVP_Digest(bytes.ptr, bytes.len, out, &len, EVP_sha256(), NULL) != 1)
		bug("SHA-256 is not there");
}

const struct key_config *
config_key(const struct config *c, struct slice text)
{
	const struct key_config *k;
	uint8_t	hash[32];
	size_t	low = 0, high = c->nkeys, middle;

	if (text.ptr == NULL || c->nkeys == 0)
		return NULL;
	key_hash(text, hash);
	while (low < high) {
		middle = low + (high - low) / 2;
		if (memcmp(c->keys[c->keys_by_hash[middle]].hash, hash, sizeof(hash)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == c->nkeys)
		return NULL;
	k = &c->keys[c->keys_by_hash[low]];
	return CRYPTO_memcmp(k->hash, hash, sizeof(hash)) == 0 ? k : NULL;
}

void
config_adopt_rates(struct config *c, const struct config *before, const struct keyring *ring)
{
	keys_adopt_rates(c->keys, c->nkeys, before ? before->keys : NULL, before ? before->nkeys : 0);
	keys_adopt_rates(c->ring->list, c->ring->n, ring ? ring->list : NULL, ring ? ring->n : 0);
}

bool
config_flag(struct slice name, bool *is_switch)
{
	size_t	i;

	*is_switch = false;
	if (slice_eq(name, SLICE("upstream")))
		return true;
	for (i = 0; i < config_options_count; i++)
		if (slice_eq(slice_str(config_options[i].flag), name)) {
			*is_switch = config_options[i].type == OPTION_BOOL;
			return name.len > 0;
		}
	return false;
}

static uint64_t
value_get(const struct config *c, const struct option *o)
{
	const char	*at = (const char *)c + o->offset;
	uint64_t	 v = 0;

	memcpy(&v, at, o->size);	/* little-endian or equal widths: only compared */
	return v;
}

static bool
listens_eq(const struct config *a, const struct config *b)
{
	size_t	i;

	if (a->nlistens != b->nlistens)
		return false;
	for (i = 0; i < a->nlistens; i++)
		if (strcmp(a->listens[i].text, b->listens[i].text) != 0)
			return false;
	return true;
}

static bool
option_same(const struct option *o, const struct config *a, const struct config *b)
{
	const char	*x, *y;

	switch (o->type) {
	case OPTION_LISTEN:
		return listens_eq(a, b);
	case OPTION_TEXTS:	/* none of them needs a restart */
	case OPTION_EMPTY:
		return true;
	case OPTION_TEXT:
		memcpy(&x, (const char *)a + o->offset, sizeof(x));
		memcpy(&y, (const char *)b + o->offset, sizeof(y));
		return strcmp(x, y) == 0;
	default:
		return value_get(a, o) == value_get(b, o);
	}
}

size_t
config_restart_needed(const struct config *a, const struct config *b, struct buf *names)
{
	size_t	i, n = 0;

	for (i = 0; i < config_options_count; i++) {
		const struct option *o = &config_options[i];

		if (o->scope != SCOPE_TOP || !(o->flags & OPTION_RESTART) ||
		    option_same(o, a, b))
			continue;
		buf_str(names, n++ > 0 ? ", " : "");
		buf_str(names, o->path);
	}
	return n;
}
