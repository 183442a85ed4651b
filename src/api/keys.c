/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys: lists, makes, changes and revokes the keys of the data directory, over
 * HTTP, for keys with the right `admin`. Each sees those of its own tenant, and
 * none can make one that reaches further than itself.
 */
#include "api/keys.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/answer.h"
#include "api/params.h"
#include "api/reading.h"
#include "base/base.h"
#include "base/keys_file.h"
#include "core/jscan.h"
#include "core/limits.h"
#include "span/span.h"
#include "store/value.h"

#define PAGE_SIZE 100
#define PAGE_SIZE_MAX 1000

/* One request's work on the file. */
struct work {
	struct local_job *job;
	const struct local_request *request;
	struct keys_file file;
	char		 err[300];
};

/* What a body asks for; absent members leave what is there. */
struct wish {
	char		*name, *environment;
	bool		 have_name, have_expires, have_rate, have_rights, revoked;
	uint64_t	 expires_us;
	unsigned	 rate, rights;
};

static struct slice
tenant_of(const struct local_request *request)
{
	return request->key ? slice_str(request->key->tenant) : SLICE("default");
}

static bool
work_open(struct work *w, struct local_job *job, const struct local_request *request)
{
	*w = (struct work){ .job = job, .request = request };
	if (keys_file_open(&w->file, request->config->data_dir, w->err, sizeof(w->err)))
		return true;
	api_error(job, 503, "retry-after: 1\r\n", "the keys cannot be read now: %s", w->err);
	return false;
}

static bool
work_save(struct work *w)
{
	if (keys_file_save(&w->file, w->err, sizeof(w->err)))
		return true;
	api_error(w->job, 503, "retry-after: 1\r\n", "the keys cannot be written now: %s", w->err);
	return false;
}

/* The key that the path names, if it is of the tenant; else 404. */
static struct key_config *
work_find(struct work *w)
{
	struct slice id = slice_from(w->request->path, sizeof("/temporary-keys/") - 1);
	struct key_config *k = keys_file_find(&w->file, id);

	if (k != NULL && slice_eq(slice_str(k->tenant), tenant_of(w->request)))
		return k;
	api_error(w->job, 404, NULL, "Key not found");
	return NULL;
}

static void
put_time(struct buf *out, const char *name, uint64_t us)
{
	buf_printf(out, ",\"%s\":", name);
	if (us == 0) {
		buf_str(out, "null");
		return;
	}
	buf_str(out, "\"");
	span_time_text((int64_t)us, out);
	buf_str(out, "\"");
}

/* text: the key itself, this once; or NULL. */
static void
put_key(struct buf *out, const struct key_config *k, const char *text)
{
	buf_printf(out, "{\"id\":\"%s\",\"name\":", k->id);
	if (k->name)
		buf_json_string(out, slice_str(k->name));
	else
		buf_str(out, "null");
	buf_printf(out, ",\"prefix\":\"%s\",\"environment\":\"%s\",\"is_test\":%s,\"rights\":", k->prefix, k->environment,
	    strcmp(k->environment, "test") == 0 ? "true" : "false");
	key_rights_json(k->rights, out);
	buf_str(out, ",\"rate_limit\":");
	if (k->rate)
		buf_u64(out, k->rate);
	else
		buf_str(out, "null");
	put_time(out, "created_at", k->created_us);
	put_time(out, "expiry_date", k->expires_us);
	buf_printf(out, ",\"is_temporary\":%s,\"revoked\":%s,\"max_usage\":-1,\"key_usage\":null,\"spending_limit\":null,"
	    "\"spending_in_period\":null", k->expires_us ? "true" : "false", k->revoked_us ? "true" : "false");
	if (text)
		buf_printf(out, ",\"api_key\":\"%s\"", text);
	buf_str(out, "}");
}

static void
answer_key(struct work *w, unsigned status, const struct key_config *k, const char *text)
{
	struct buf out;

	buf_init(&out, 64 * KIB);
	put_key(&out, k, text);
	local_head(w->job, status, API_JSON, text ? "cache-control: no-store\r\n" : NULL);
	(void)api_flush(w->job, &out);
	if (out.ptr)
		OPENSSL_cleanse(out.ptr, out.cap);
	buf_free(&out);
}

/* ---- what a body asks for ---- */

static bool
refuse(struct work *w, const char *text)
{
	snprintf(w->err, sizeof(w->err), "%s", text);
	return false;
}

static char *
text_of(struct jvalue v, size_t most)
{
	struct buf b;
	char *text = NULL;

	buf_init(&b, most);
	if (v.kind == JSTRING && jstring(v, &b) && !(b.len > 0 && memchr(b.ptr, '\0', b.len)))
		text = xstrndup(b.ptr ? b.ptr : "", b.len);
	buf_free(&b);
	return text;
}

static bool
read_rights(struct work *w, struct wish *wish, struct jvalue v)
{
	struct jiter it;
	struct jmember m;
	unsigned right;

	if (v.kind != JARRAY)
		return refuse(w, "rights: a list of gateway, read, write, admin is expected");
	jiter_init(&it, v);
	while (jiter_next(&it, &m)) {
		right = key_right(jstring_plain(m.value));
		if (right == 0)
			return refuse(w, "rights: there are gateway, read, write and admin");
		wish->rights |= right;
	}
	wish->have_rights = true;
	return wish->rights != 0 || refuse(w, "rights: at least one is needed");
}

static bool
read_expiry(struct work *w, struct wish *wish, struct jvalue v)
{
	int64_t us = 0;

	wish->have_expires = true;
	if (v.kind == JNULL)
		return true;
	if (!value_time(jstring_plain(v), &us) || us <= (int64_t)clock_wall_us())
		return refuse(w, "expiry_date: a time (ISO 8601) that is still to come is expected");
	wish->expires_us = (uint64_t)us;
	return true;
}

static bool
read_rate(struct work *w, struct wish *wish, struct jvalue v)
{
	int64_t n = 0;

	if (v.kind != JNULL && (v.kind != JNUMBER || !jint(v, &n) || n < 1 || n > LIMIT_KEY_RATE))
		return refuse(w, "rate_limit: requests a minute, a whole number from 1 on, or null is expected");
	wish->rate = (unsigned)n;
	wish->have_rate = true;
	return true;
}

static bool
read_name(struct work *w, struct wish *wish, struct jvalue v)
{
	size_t characters = 0;

	free(wish->name);
	wish->name = text_of(v, 4 * LIMIT_KEY_NAME);
	wish->have_name = true;
	for (const char *p = wish->name ? wish->name : ""; *p; p++)
		characters += ((unsigned char)*p & 0xc0) != 0x80;
	return (wish->name != NULL && characters <= LIMIT_KEY_NAME) || v.kind == JNULL ||
	    refuse(w, "name: a text of at most 128 characters is expected");
}

static bool
read_environment(struct work *w, struct wish *wish, struct jvalue v)
{
	free(wish->environment);
	wish->environment = text_of(v, 64);
	return (wish->environment && key_name_plain(slice_str(wish->environment))) || v.kind == JNULL ||
	    refuse(w, "environment: 1 to 64 characters of a-z, A-Z, 0-9, _ - . @ are expected");
}

static bool
read_is_test(struct work *w, struct wish *wish, struct jvalue v)
{
	bool test = false;

	if (v.kind != JNULL && !jbool(v, &test))
		return refuse(w, "is_test: true or false is expected");
	if (test && wish->environment == NULL)
		wish->environment = xstrdup("test");
	return true;
}

/* A limit that nothing would keep to must not be taken. */
static bool
read_max_usage(struct work *w, struct wish *wish, struct jvalue v)
{
	int64_t n;

	(void)wish;
	return v.kind == JNULL || (jint(v, &n) && n == -1) ||
	    refuse(w, "max_usage: this version of spangate limits requests by rate_limit only; -1 is expected");
}

static bool
read_spending(struct work *w, struct wish *wish, struct jvalue v)
{
	(void)wish;
	return v.kind == JNULL || refuse(w, "spending_limit: this version of spangate does not limit spending of a key");
}

static bool
read_revoked(struct work *w, struct wish *wish, struct jvalue v)
{
	if (v.kind != JNULL && !jbool(v, &wish->revoked))
		return refuse(w, "revoked: true or false is expected");
	return true;
}

static const struct {
	const char	*name;
	bool		(*read)(struct work *, struct wish *, struct jvalue);
} members[] = {
	{ "name", read_name }, { "expiry_date", read_expiry }, { "rate_limit", read_rate }, { "rights", read_rights },
	{ "environment", read_environment }, { "is_test", read_is_test }, { "max_usage", read_max_usage },
	{ "spending_limit", read_spending }, { "revoked", read_revoked },
};

static void
wish_free(struct wish *wish)
{
	free(wish->name);
	free(wish->environment);
}

/* None may give what it does not have. */
static bool
wish_reaches(struct work *w, const struct wish *wish)
{
	const struct key_config *own = w->request->key;
	struct slice bound = reading_bound(w->request);

	if (own == NULL)
		return true;
	if (wish->rights & ~own->rights)
		api_error(w->job, 403, NULL, "rights: this key cannot give a right that it does not have");
	else if (bound.ptr && wish->environment && !slice_eq(bound, slice_str(wish->environment)))
		api_error(w->job, 403, NULL, "environment: this key reaches its own environment (%s) only", own->environment);
	else
		return true;
	return false;
}

/* False: it was answered. */
static bool
wish_read(struct work *w, struct wish *wish)
{
	struct slice body = w->request->body;
	struct jvalue v;
	struct jmember m;
	struct jiter it;
	bool good = true;

	memset(wish, 0, sizeof(*wish));
	if (jscan_check(body, &v, NULL) != JSCAN_END || v.kind != JOBJECT) {
		api_error(w->job, 400, NULL, "Invalid request format: the body is not a JSON object");
		return false;
	}
	jiter_init(&it, v);
	while (good && jiter_next(&it, &m))
		for (size_t i = 0; good && i < sizeof(members) / sizeof(members[0]); i++)
			if (jkey_is(&m, slice_str(members[i].name)))
				good = members[i].read(w, wish, m.value);
	if (!good)
		api_error(w->job, 400, NULL, "%s", w->err);
	return good && wish_reaches(w, wish);
}

/* ---- handlers ---- */

static void
make(struct work *w, struct wish *wish)
{
	const struct key_config *own = w->request->key;
	struct slice tenant = tenant_of(w->request);
	struct key_config k = { .name = wish->name, .expires_us = wish->expires_us, .rate = wish->rate };
	char text[KEY_TEXT + 1];
	bool saved;

	k.rights = wish->have_rights ? wish->rights : own ? RIGHTS_DEFAULT & own->rights : RIGHTS_DEFAULT;
	k.environment = wish->environment ? wish->environment : xstrdup(own ? own->environment : "prod");
	k.tenant = xstrndup(tenant.ptr, tenant.len);
	wish->name = wish->environment = NULL;
	if (!keys_file_add(&w->file, &k, text, w->err, sizeof(w->err))) {
		api_error(w->job, 409, NULL, "%s", w->err);
		key_clear(&k);
		return;
	}
	saved = work_save(w);
	if (saved) {
		keys_file_changed();
		answer_key(w, 201, &w->file.list[w->file.n - 1], text);
	}
	OPENSSL_cleanse(text, sizeof(text));
}

void
keys_create(struct local_job *job, const struct local_request *request, void *arg)
{
	struct wish wish;
	struct work w;

	(void)arg;
	if (!work_open(&w, job, request))
		return;
	if (wish_read(&w, &wish))
		make(&w, &wish);
	wish_free(&wish);
	keys_file_close(&w.file);
}

/* What the body says over what is there. */
static void
change(struct key_config *k, struct wish *wish)
{
	if (wish->have_name) {
		free(k->name);
		k->name = wish->name;
		wish->name = NULL;
	}
	if (wish->have_expires)
		k->expires_us = wish->expires_us;
	if (wish->have_rate)
		k->rate = wish->rate;
	if (wish->have_rights)
		k->rights = wish->rights;
	if (wish->revoked && k->revoked_us == 0)
		k->revoked_us = clock_wall_us();
}

/* Who reaches less than the key cannot make it reach further, nor take it over. */
static bool
may_change(struct work *w, const struct key_config *k)
{
	struct slice bound = reading_bound(w->request);

	if (!bound.ptr || slice_eq(bound, slice_str(k->environment)))
		return true;
	api_error(w->job, 403, NULL, "this key reaches its own environment (%s) only", w->request->key->environment);
	return false;
}

void
keys_change(struct local_job *job, const struct local_request *request, void *arg)
{
	struct key_config *k;
	struct wish wish;
	struct work w;

	(void)arg;
	if (!work_open(&w, job, request))
		return;
	k = work_find(&w);
	if (k != NULL && may_change(&w, k)) {
		if (wish_read(&w, &wish)) {
			change(k, &wish);
			if (work_save(&w)) {
				keys_file_changed();
				answer_key(&w, 200, k, NULL);
			}
		}
		wish_free(&wish);
	}
	keys_file_close(&w.file);
}

void
keys_delete(struct local_job *job, const struct local_request *request, void *arg)
{
	struct key_config *k;
	struct work w;

	(void)arg;
	if (!work_open(&w, job, request))
		return;
	k = work_find(&w);
	if (k != NULL && may_change(&w, k)) {
		keys_file_remove(&w.file, k);
		if (work_save(&w)) {
			keys_file_changed();
			local_head(job, 204, NULL, NULL);
		}
	}
	keys_file_close(&w.file);
}

void
keys_get(struct local_job *job, const struct local_request *request, void *arg)
{
	const struct key_config *k;
	struct work w;

	(void)arg;
	if (!work_open(&w, job, request))
		return;
	k = work_find(&w);
	if (k != NULL)
		answer_key(&w, 200, k, NULL);
	keys_file_close(&w.file);
}

/* page and page_size of the query. */
static bool
read_page(const struct local_request *request, uint64_t *page, uint64_t *size)
{
	struct slice query = request->query;
	struct buf arena;
	struct param p;
	int64_t v;
	bool good = true;

	*page = 1;
	*size = PAGE_SIZE;
	buf_init(&arena, 2 * LIMIT_HEAD);
	(void)params_room(query, &arena);
	while (good && params_next(&query, &p, &arena)) {
		if (!slice_eq(p.name, SLICE("page")) && !slice_eq(p.name, SLICE("page_size")))
			continue;
		good = value_int(p.value, &v) && v >= 1 && v <= INT32_MAX;
		if (good)
			*(p.name.len == 4 ? page : size) = (uint64_t)v;
	}
	buf_free(&arena);
	if (*size > PAGE_SIZE_MAX)
		*size = PAGE_SIZE_MAX;
	return good;
}

/* The newest first. */
static void
put_page(struct reading *r, const struct keys_file *f, uint64_t page, uint64_t size)
{
	uint64_t skip = (page - 1) * size, n = 0;
	const char *comma = "";

	for (size_t i = f->n; i > 0 && n < skip + size; i--) {
		if (!slice_eq(slice_str(f->list[i - 1].tenant), tenant_of(r->request)) || n++ < skip)
			continue;
		buf_str(&r->out, comma);
		put_key(&r->out, &f->list[i - 1], NULL);
		comma = ",";
	}
}

static void
answer_list(struct work *w, uint64_t page, uint64_t size)
{
	struct reading r = { .job = w->job, .request = w->request };
	uint64_t count = 0;

	buf_init(&r.out, LIMIT_KEYS_FILE);
	for (size_t i = 0; i < w->file.n; i++)
		count += slice_eq(slice_str(w->file.list[i].tenant), tenant_of(w->request));
	buf_printf(&r.out, "{\"count\":%llu,", (unsigned long long)count);
	reading_link(&r, "next", page * size < count, page + 1);
	buf_str(&r.out, ",");
	reading_link(&r, "previous", page > 1, page - 1);
	buf_str(&r.out, ",\"results\":[");
	put_page(&r, &w->file, page, size);
	buf_str(&r.out, "]}");
	local_head(w->job, 200, API_JSON, NULL);
	(void)api_flush(w->job, &r.out);
	buf_free(&r.out);
}

void
keys_list(struct local_job *job, const struct local_request *request, void *arg)
{
	uint64_t page, size;
	struct work w;

	(void)arg;
	if (!read_page(request, &page, &size)) {
		api_error(job, 400, NULL, "page and page_size are numbers from 1 on");
		return;
	}
	if (!work_open(&w, job, request))
		return;
	answer_list(&w, page, size);
	keys_file_close(&w.file);
}
