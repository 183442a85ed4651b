/* SPDX-License-Identifier: Apache-2.0 */
/* keys_file: see keys_file.h. Never holds a key's text longer than it takes to hash it. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "base/base.h"
#include "base/keys_file.h"
#include "core/jscan.h"
#include "core/limits.h"

bool
key_name_plain(struct slice s)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.@";

	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '\0' || strchr(plain, s.ptr[i]) == NULL)
			return false;
	return s.len > 0 && s.len <= 64;
}

void
key_rights_json(unsigned rights, struct buf *out)
{
	const char *comma = "";

	buf_str(out, "[");
	for (unsigned i = 0; i < RIGHTS; i++)
		if (rights & 1u << i) {
			buf_printf(out, "%s\"%s\"", comma, key_right_name(i));
			comma = ",";
		}
	buf_str(out, "]");
}

/* ---- a line ---- */

static char *
text_of(struct jvalue v)
{
	struct buf b;
	char *text = NULL;

	if (v.kind != JSTRING)
		return NULL;
	buf_init(&b, LIMIT_KEY_LINE);
	if (jstring(v, &b))
		text = xstrndup(b.ptr ? b.ptr : "", b.len);
	buf_free(&b);
	return text;
}

static uint64_t
time_of(struct jvalue v)
{
	int64_t n;

	return jint(v, &n) && n > 0 ? (uint64_t)n : 0;
}

static unsigned
rights_of(struct jvalue v)
{
	struct jiter it;
	struct jmember m;
	unsigned rights = 0;

	if (v.kind != JARRAY)
		return RIGHTS_DEFAULT;
	jiter_init(&it, v);
	while (jiter_next(&it, &m))
		rights |= key_right(jstring_plain(m.value));
	return rights;
}

/* Names that are printed and sent on: a file that somebody wrote by hand is no reason to trust them. */
static bool
line_names(const struct key_config *k)
{
	return k->id && k->environment && k->tenant && key_name_plain(slice_str(k->id)) &&
	    key_name_plain(slice_str(k->environment)) && key_name_plain(slice_str(k->tenant));
}

static bool
line_read(struct slice line, struct key_config *k)
{
	struct slice prefix;
	struct jvalue v;
	int64_t rate;

	memset(k, 0, sizeof(*k));
	if (jscan_check(line, &v, NULL) != JSCAN_END || v.kind != JOBJECT)
		return false;
	prefix = jstring_plain(jget(v, SLICE("prefix")));
	k->id = text_of(jget(v, SLICE("id")));
	k->name = text_of(jget(v, SLICE("name")));
	k->environment = text_of(jget(v, SLICE("environment")));
	k->tenant = text_of(jget(v, SLICE("tenant")));
	(void)jbool(jget(v, SLICE("environment_free")), &k->environment_free);
	k->rights = rights_of(jget(v, SLICE("rights")));
	if (jint(jget(v, SLICE("rate")), &rate) && rate > 0 && rate <= LIMIT_KEY_RATE)
		k->rate = (unsigned)rate;
	k->created_us = time_of(jget(v, SLICE("created")));
	k->expires_us = time_of(jget(v, SLICE("expires")));
	k->revoked_us = time_of(jget(v, SLICE("revoked")));
	if (prefix.len == KEY_PREFIX)
		memcpy(k->prefix, prefix.ptr, KEY_PREFIX);
	return prefix.len == KEY_PREFIX && key_name_plain(prefix) && line_names(k) &&
	    hex_decode(jstring_plain(jget(v, SLICE("salt"))), k->salt, KEY_SALT) == 0 &&
	    hex_decode(jstring_plain(jget(v, SLICE("hash"))), k->hash, sizeof(k->hash)) == 0;
}

static void
put_time(struct buf *out, const char *name, uint64_t us)
{
	buf_printf(out, ",\"%s\":", name);
	if (us > 0)
		buf_u64(out, us);
	else
		buf_str(out, "null");
}

static void
line_put(const struct key_config *k, struct buf *out)
{
	char hex[65];

	buf_printf(out, "{\"id\":\"%s\",\"name\":", k->id);
	if (k->name)
		buf_json_string(out, slice_str(k->name));
	else
		buf_str(out, "null");
	hex_encode(k->salt, KEY_SALT, hex);
	buf_printf(out, ",\"prefix\":\"%s\",\"salt\":\"%s\"", k->prefix, hex);
	hex_encode(k->hash, sizeof(k->hash), hex);
	buf_printf(out, ",\"hash\":\"%s\",\"environment\":\"%s\",\"environment_free\":%s,\"tenant\":\"%s\",\"rights\":",
	    hex, k->environment, k->environment_free ? "true" : "false", k->tenant);
	key_rights_json(k->rights, out);
	buf_printf(out, ",\"rate\":%u", k->rate);
	put_time(out, "created", k->created_us);
	put_time(out, "expires", k->expires_us);
	put_time(out, "revoked", k->revoked_us);
	buf_str(out, "}\n");
}

/* ---- the file ---- */

static void
list_free(struct key_config *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		key_clear(&list[i]);
	free(list);
}

/* All of the file; -1 and errno: it cannot be read. */
static int
bytes_read(const char *path, struct buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;
	char *at;

	if (fd < 0)
		return -1;
	while (n > 0) {
		at = buf_reserve(out, 64 * KIB);
		n = at ? read(fd, at, 64 * KIB) : -1;
		if (at == NULL)
			errno = EFBIG;
		if (n > 0)
			out->len += (size_t)n;
	}
	close(fd);
	return n < 0 ? -1 : 0;
}

/* The lines of a file into a list. False: err. */
static bool
lines_read(const char *path, struct slice text, struct key_config **list, size_t *n, char *err, size_t errlen)
{
	const char *end;
	struct slice line;
	size_t number = 1;

	*list = NULL;
	*n = 0;
	for (; text.len > 0; number++) {
		end = memchr(text.ptr, '\n', text.len);
		line = slice_make(text.ptr, end ? (size_t)(end - text.ptr) : text.len);
		text = slice_from(text, line.len + (end != NULL));
		if (slice_trim(line).len == 0)
			continue;
		if (*n % 64 == 0)
			*list = xrealloc(*list, (*n + 64) * sizeof(**list));
		if (!line_read(line, &(*list)[(*n)++])) {
			snprintf(err, errlen, "%s:%zu: this line is no key", path, number);
			list_free(*list, *n);
			return false;
		}
	}
	return true;
}

static bool
list_read(const char *data_dir, struct key_config **list, size_t *n, bool *there, char *err, size_t errlen)
{
	char *path = xasprintf("%s/" KEYS_FILE, data_dir);
	struct buf text;
	bool good;

	*list = NULL;
	*n = 0;
	buf_init(&text, LIMIT_KEYS_FILE);
	good = bytes_read(path, &text) == 0;
	*there = good || errno != ENOENT;
	if (good)
		good = lines_read(path, buf_view(&text), list, n, err, errlen);
	else if (*there)
		snprintf(err, errlen, "%s: %s", path, strerror(errno));
	else
		good = true;
	buf_free(&text);
	free(path);
	return good;
}

struct keyring *
keys_file_read(const char *data_dir, char *err, size_t errlen)
{
	struct key_config *list;
	bool there;
	size_t n;

	if (!list_read(data_dir, &list, &n, &there, err, errlen))
		return NULL;
	return keyring_new(list, n, there);
}

bool
keys_file_open(struct keys_file *f, const char *data_dir, char *err, size_t errlen)
{
	char *path = xasprintf("%s/" KEYS_FILE ".lock", data_dir);
	bool there;

	memset(f, 0, sizeof(*f));
	f->lock = directory_make(data_dir) ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (f->lock < 0 || flock(f->lock, LOCK_EX) != 0) {
		snprintf(err, errlen, "%s: %s", path, strerror(errno));
		if (f->lock >= 0)
			close(f->lock);
		free(path);
		return false;
	}
	free(path);
	f->data_dir = xstrdup(data_dir);
	if (list_read(data_dir, &f->list, &f->n, &there, err, errlen))
		return true;
	f->list = NULL;
	f->n = 0;
	keys_file_close(f);
	return false;
}

void
keys_file_close(struct keys_file *f)
{
	list_free(f->list, f->n);
	free(f->data_dir);
	close(f->lock);
}

static bool
bytes_write(int fd, struct slice s)
{
	ssize_t n;

	while (s.len > 0) {
		n = write(fd, s.ptr, s.len);
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			s = slice_from(s, (size_t)n);
	}
	return fsync(fd) == 0;
}

/* The rename itself must be on disk, or a revoked key is back after a power cut. */
static bool
directory_sync(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return good;
}

bool
keys_file_save(struct keys_file *f, char *err, size_t errlen)
{
	char *path = xasprintf("%s/" KEYS_FILE, f->data_dir), *new = xasprintf("%s.new", path);
	struct buf text;
	bool good;
	int fd;

	buf_init(&text, LIMIT_KEYS_FILE);
	for (size_t i = 0; i < f->n; i++)
		line_put(&f->list[i], &text);
	if (text.failed)
		errno = EFBIG;
	fd = text.failed ? -1 : open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	good = fd >= 0 && bytes_write(fd, buf_view(&text));
	if (fd >= 0)
		close(fd);
	good = good && rename(new, path) == 0 && directory_sync(f->data_dir);
	if (!good)
		snprintf(err, errlen, "%s: %s", path, strerror(errno));
	buf_free(&text);
	free(path);
	free(new);
	return good;
}

struct key_config *
keys_file_find(struct keys_file *f, struct slice id)
{
	for (size_t i = 0; i < f->n; i++)
		if (slice_eq(slice_str(f->list[i].id), id) || slice_eq(slice_str(f->list[i].prefix), id))
			return &f->list[i];
	return NULL;
}

void
keys_file_remove(struct keys_file *f, struct key_config *k)
{
	size_t at = (size_t)(k - f->list);

	key_clear(k);
	memmove(k, k + 1, (--f->n - at) * sizeof(*k));
}

/* Keys that count no more make room when the file is full. */
static void
list_prune(struct keys_file *f)
{
	uint64_t now = clock_wall_us();
	size_t kept = 0;

	for (size_t i = 0; i < f->n; i++) {
		if (key_counts(&f->list[i], now))
			f->list[kept++] = f->list[i];
		else
			key_clear(&f->list[i]);
	}
	f->n = kept;
}

/* A prefix that no other key has, the text and its hash. */
static void
key_make(struct keys_file *f, struct key_config *k, char *text)
{
	uint8_t bits[32];
	char hex[2 * sizeof(bits) + 1];

	do {
		random_bytes(bits, KEY_PREFIX / 2);
		hex_encode(bits, KEY_PREFIX / 2, k->prefix);
	} while (keys_file_find(f, slice_str(k->prefix)) != NULL);
	random_bytes(k->salt, KEY_SALT);
	random_bytes(bits, sizeof(bits));
	hex_encode(bits, sizeof(bits), hex);
	snprintf(text, KEY_TEXT + 1, "sg-%s.%s", k->prefix, hex);
	OPENSSL_cleanse(hex, sizeof(hex));
	OPENSSL_cleanse(bits, sizeof(bits));
	key_hash_salted(slice_str(text), k->salt, k->hash);
}

bool
keys_file_add(struct keys_file *f, struct key_config *k, char *text, char *err, size_t errlen)
{
	if (k->id != NULL && keys_file_find(f, slice_str(k->id)) != NULL) {
		snprintf(err, errlen, "there is a key called %s already", k->id);
		return false;
	}
	if (f->n >= LIMIT_KEYS)
		list_prune(f);
	if (f->n >= LIMIT_KEYS) {
		snprintf(err, errlen, "there are %u keys already, and no more are kept", LIMIT_KEYS);
		return false;
	}
	key_make(f, k, text);
	if (k->id == NULL)
		k->id = xstrdup(k->prefix);
	k->created_us = clock_wall_us();
	f->list = xrealloc(f->list, (f->n / 64 + 1) * 64 * sizeof(*f->list));
	f->list[f->n++] = *k;
	return true;
}

static struct {
	void	(*changed)(void *);
	void	*arg;
} watcher;

void
keys_file_watch(void (*changed)(void *), void *arg)
{
	watcher.changed = changed;
	watcher.arg = arg;
}

void
keys_file_changed(void)
{
	if (watcher.changed != NULL)
		watcher.changed(watcher.arg);
}
