/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_load: the YAML tree and the flags into a struct config, member by
 * member as options.tbl.h says. Called at start, by check-config and on
 * SIGHUP; changes nothing but the object it makes. The first error ends it and
 * names file, line, column and member.
 */
#include <config.h>

#include <arpa/inet.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/config.h"
#include "base/sink_check.h"
#include "base/config_int.h"
#include "base/keys_file.h"
#include "base/log.h"
#include "core/limits.h"
#include "core/url.h"

#define ENVIRONMENT_MAX (64 * 1024)	/* bytes of one text after ${NAME} */
#define THREADS_MAX 64

/* The names that paths begin with otherwise: no provider may have one. */
static const char *const reserved[] = {
#define OWN(name) name,
#define OPENAI(name) name,
#define PLAIN(name) name,
#include "core/paths.tbl.h"
#undef OWN
#undef OPENAI
#undef PLAIN
};

/* Hosts that send usage in streams unasked, some of which refuse to be asked. */
static const char *const usage_unasked[] = {
	"mistral.ai", "openrouter.ai", "deepseek.com", "perplexity.ai", "groq.com"
};

static const char *const azure_hosts[] = {
	"openai.azure.com", "cognitiveservices.azure.com", "services.ai.azure.com"
};

struct loader {
	struct config	*c;
	const char	*file;		/* or NULL: flags and defaults */
	const char	*upstream;	/* --upstream: base_url of the provider openai; or NULL */
	char		*err;
	size_t		 errlen;
};

/* One line for people; where: NULL for what has no place in the file. */
static bool
fail(struct loader *l, const struct yaml_node *where, const char *member, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static bool
fail(struct loader *l, const struct yaml_node *where, const char *member, const char *fmt, ...)
{
	va_list	ap;
	int	n;

	if (where != NULL)
		n = snprintf(l->err, l->errlen, "%s:%zu:%zu: %s: ", l->file,
		    where->line, where->column, member);
	else
		n = snprintf(l->err, l->errlen, "%s: ", member);
	if (n < 0 || (size_t)n >= l->errlen)
		return false;
	va_start(ap, fmt);
	vsnprintf(l->err + n, l->errlen - (size_t)n, fmt, ap);
	va_end(ap);
	return false;
}

static bool
fail_expected(struct loader *l, const struct yaml_node *where, const char *member,
    const struct option *o)
{
	struct buf	words;

	buf_init(&words, 1024);
	option_expect(o, &words);
	fail(l, where, member, "expected %.*s", (int)words.len, words.ptr);
	buf_free(&words);
	return false;
}

/*
 * Text with ${NAME} and ${NAME:-otherwise} replaced, into out; "$${" is a
 * literal "${".
 */
static bool
expand(struct loader *l, const struct yaml_node *where, const char *member,
    const char *text, struct buf *out)
{
	const char	*end, *otherwise, *value;
	char		*name;

	for (; *text != '\0'; text = end + 1) {
		if (strncmp(text, "$${", 3) == 0) {
			buf_str(out, "${");
			end = text + 2;
			continue;
		}
		if (strncmp(text, "${", 2) != 0) {
			buf_byte(out, *text);
			end = text;
			continue;
		}
		end = strchr(text, '}');
		if (end == NULL)
			return fail(l, where, member, "\"${\" without \"}\"");
		name = xstrndup(text + 2, (size_t)(end - text) - 2);
		otherwise = strstr(name, ":-");
		if (otherwise != NULL)
			name[otherwise - name] = '\0';
		value = getenv(name);
		if ((value == NULL || *value == '\0') && otherwise != NULL)
			value = otherwise + 2;
		if (value == NULL) {
			fail(l, where, member, "the environment has no %s (${%s:-text} gives a default)",
			    name, name);
			free(name);
			return false;
		}
		buf_str(out, value);
		free(name);
	}
	if (out->failed)
		return fail(l, where, member, "too long");
	return true;
}

static void
value_put(void *at, size_t size, uint64_t v)
{
	switch (size) {
	case sizeof(uint64_t):
		memcpy(at, &v, size);
		break;
	case sizeof(uint32_t):
		memcpy(at, &(uint32_t){ (uint32_t)v }, size);
		break;
	case sizeof(bool):
		memcpy(at, &(bool){ v != 0 }, size);
		break;
	default:
		bug("a setting of %zu bytes", size);
	}
}

static bool
is_loopback(const char *host)
{
	struct in_addr	v4;
	struct in6_addr	v6;

	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, host, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6) ||
		    (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
	return false;
}

static const char *
listen_fill(struct listen_config *a, const char *text)
{
	struct slice	 host;
	const char	*wrong;
	uint8_t		 address[16];

	a->text = xstrdup(text);
	if (strncmp(text, "unix:", 5) == 0) {
		if (text[5] != '/')
			return "unix: needs a full path, as in unix:/run/spangate.sock";
		if (strlen(text + 5) > 107)
			return "the path of a unix socket may have 107 bytes";
		a->unix_path = xstrdup(text + 5);
		a->loopback = true;
		return NULL;
	}
	wrong = hostport_parse(slice_str(text), &host, &a->port);
	if (wrong != NULL)
		return wrong;
	a->host = slice_eq(host, SLICE("localhost")) ? xstrdup("127.0.0.1") :
	    xstrndup(host.ptr, host.len);
	if (inet_pton(AF_INET, a->host, address) != 1 &&
	    inet_pton(AF_INET6, a->host, address) != 1)
		return "the host must be an IP address (0.0.0.0 or [::] for all)";
	a->loopback = is_loopback(a->host);
	return NULL;
}

static bool
listen_add(struct loader *l, const struct yaml_node *where, const char *member, const char *text)
{
	struct config	*c = l->c;
	const char	*wrong;

	c->listens = xrealloc(c->listens, (c->nlistens + 1) * sizeof(*c->listens));
	memset(&c->listens[c->nlistens], 0, sizeof(*c->listens));
	wrong = listen_fill(&c->listens[c->nlistens++], text);
	if (wrong != NULL)
		return fail(l, where, member, "\"%s\": %s", text, wrong);
	return true;
}

static void
listens_clear(struct config *c)
{
	while (c->nlistens > 0) {
		struct listen_config *a = &c->listens[--c->nlistens];

		free(a->text);
		free(a->host);
		free(a->unix_path);
	}
}

static void
texts_clear(struct text_list *t)
{
	while (t->n > 0)
		free(t->list[--t->n]);
}

static bool
text_add(struct loader *l, const struct option *o, void *at, const struct yaml_node *where, const char *member,
    const char *text)
{
	struct text_list *t = at;

	if (*text == '\0')
		return fail_expected(l, where, member, o);
	t->list = xrealloc(t->list, (t->n + 1) * sizeof(*t->list));
	t->list[t->n++] = xstrdup(text);
	return true;
}

/* Puts one value, given as expanded text, where the option says. */
static bool
option_set(struct loader *l, const struct option *o, void *base,
    const struct yaml_node *where, const char *member, const char *text)
{
	char		*at = (char *)base + o->offset, *copy;
	uint64_t	 v;

	switch (o->type) {
	case OPTION_LISTEN:
		return listen_add(l, where, member, text);
	case OPTION_TEXTS:
		return text_add(l, o, at, where, member, text);
	case OPTION_TEXT:
		memcpy(&copy, at, sizeof(copy));
		free(copy);
		copy = *text != '\0' ? xstrdup(text) : NULL;
		memcpy(at, &copy, sizeof(copy));
		if (copy == NULL && (o->flags & OPTION_NEEDED))
			return fail(l, where, member, "is empty");
		return true;
	case OPTION_HASH:
		if (hex_decode(slice_str(text), at, o->size) != 0)
			return fail_expected(l, where, member, o);
		return true;
	case OPTION_EMPTY:
		return fail_expected(l, where, member, o);
	default:
		if (option_parse(o, slice_str(text), &v) != OPTION_OK)
			return fail_expected(l, where, member, o);
		value_put(at, o->size, v);
		return true;
	}
}

static bool
option_text(struct loader *l, const struct option *o, void *base, const char *member,
    const struct yaml_node *n)
{
	struct buf	text;
	bool		good;

	buf_init(&text, ENVIRONMENT_MAX);
	good = expand(l, n, member, n->text, &text) && buf_byte(&text, '\0') &&
	    option_set(l, o, base, n, member, text.ptr);
	buf_free(&text);
	return good;
}

/* A member's value as it stands in the tree. null is as if it were not there. */
static bool
option_node(struct loader *l, const struct option *o, void *base, const char *member,
    const struct yaml_node *n)
{
	size_t	i;

	if (n->kind == YAML_TEXT && n->null)
		return true;
	if (o->type == OPTION_LISTEN)
		listens_clear(l->c);
	if (o->type == OPTION_TEXTS)
		texts_clear((struct text_list *)(void *)((char *)base + o->offset));
	if (o->type == OPTION_EMPTY && n->kind == YAML_MAPPING && n->count == 0)
		return true;
	if ((o->type == OPTION_LISTEN || o->type == OPTION_TEXTS) && n->kind == YAML_LIST) {
		for (i = 0; i < n->count; i++)
			if (n->items[i].kind != YAML_TEXT)
				return fail_expected(l, &n->items[i], member, o);
			else if (!option_text(l, o, base, member, &n->items[i]))
				return false;
		return n->count > 0 || o->type == OPTION_TEXTS || fail_expected(l, n, member, o);
	}
	if (n->kind != YAML_TEXT)
		return fail_expected(l, n, member, o);
	return option_text(l, o, base, member, n);
}

static const struct option *
option_find(unsigned scope, const char *path)
{
	size_t	i;

	for (i = 0; i < config_options_count; i++)
		if (config_options[i].scope == scope &&
		    strcmp(config_options[i].path, path) == 0)
			return &config_options[i];
	return NULL;
}

static bool
group_exists(unsigned scope, const char *path)
{
	size_t	i, n = strlen(path);

	for (i = 0; i < config_options_count; i++)
		if (config_options[i].scope == scope &&
		    strncmp(config_options[i].path, path, n) == 0 &&
		    config_options[i].path[n] == '.')
			return true;
	return false;
}

static bool
defaults_set(struct loader *l, unsigned scope, void *base)
{
	size_t	i;

	for (i = 0; i < config_options_count; i++) {
		const struct option *o = &config_options[i];

		if (o->scope == scope && o->deflt != NULL &&
		    !option_set(l, o, base, NULL, o->path, o->deflt))
			return false;
	}
	return true;
}

/*
 * The members of one mapping into the struct of its scope. prefix: path within
 * the scope, "" or "journal."; shown: what errors put before a member's name.
 */
static bool
mapping_load(struct loader *l, unsigned scope, void *base, const char *prefix,
    const char *shown, const struct yaml_node *map)
{
	size_t	i;
	bool	good = true;

	if (map->kind == YAML_TEXT && map->null)
		return true;
	if (map->kind != YAML_MAPPING)
		return fail(l, map, *shown ? shown : "settings", "a mapping (name: value) is expected");
	for (i = 0; good && i < map->count; i += 2) {
		const struct yaml_node *key = &map->items[i], *value = &map->items[i + 1];
		char	*path = xasprintf("%s%s", prefix, key->text);
		char	*member = xasprintf("%s%s%s", shown, *shown ? "." : "", key->text);
		const struct option *o = option_find(scope, path);

		if (o != NULL)
			good = option_node(l, o, base, member, value);
		else if (group_exists(scope, path)) {
			char *inner = xasprintf("%s.", path);

			good = mapping_load(l, scope, base, inner, member, value);
			free(inner);
		} else if (scope != SCOPE_TOP || *prefix != '\0' ||
		    (strcmp(path, "providers") != 0 && strcmp(path, "routes") != 0 &&
		    strcmp(path, "sinks") != 0 && strcmp(path, "keys") != 0))
			good = fail(l, key, member, "no such setting");
		free(path);
		free(member);
	}
	return good;
}

/* Is host one of the names, or below one? */
static bool
host_in(const char *host, const char *const *names, size_t n)
{
	size_t	i;

	for (i = 0; i < n; i++) {
		struct slice h = slice_str(host), name = slice_str(names[i]);

		if (h.len < name.len)
			continue;
		if (slice_caseeq(slice_from(h, h.len - name.len), name) &&
		    (h.len == name.len || h.ptr[h.len - name.len - 1] == '.'))
			return true;
	}
	return false;
}
#define HOST_IN(host, names) host_in(host, names, sizeof(names) / sizeof(names[0]))

/* base_url into host, port and path. NULL, or what is wrong. */
static const char *
provider_url(struct provider_config *p)
{
	struct url	 u;
	const char	*wrong;
	size_t		 len = strlen(p->base_url);

	while (len > 0 && p->base_url[len - 1] == '/')
		p->base_url[--len] = '\0';
	if (strncmp(p->base_url, "unix:/", 6) == 0) {
		p->unix_path = xstrdup(p->base_url + 5);
		p->host = xstrdup("localhost");
		p->host_header = xstrdup("localhost");
		p->port = 80;
		p->path = xstrdup(p->api == PROVIDER_OPENAI ? "/v1" : "");
		return len > 5 + 107 ? "the path of a unix socket may have 107 bytes" : NULL;
	}
	wrong = url_parse(slice_str(p->base_url), &u);
	if (wrong != NULL)
		return wrong;
	p->tls = u.tls;
	p->port = u.port;
	p->host = xstrndup(u.host.ptr, u.host.len);
	p->host_header = xstrndup(u.authority.ptr, u.authority.len);
	if (p->api == PROVIDER_OPENAI && u.path.len == 0) {
		p->path = xstrdup("/v1");
		log_info("provider %s: base_url %s has no path: /v1 is put behind it",
		    p->id, p->base_url);
	} else
		p->path = u.path.len > 0 ? xstrndup(u.path.ptr, u.path.len) : xstrdup("");
	return NULL;
}

/* Names that serve as parts of paths. */
static const char *
name_wrong(const char *id)
{
	size_t	i;

	if (*id == '\0' || strlen(id) > 64)
		return "a name has 1 to 64 characters";
	for (i = 0; id[i] != '\0'; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_-", id[i]))
			return "a name is made of a-z, 0-9, _ and -";
	return NULL;
}

/* An id is a path segment of ours, so it is plain and no name of our own. */
static const char *
provider_id_wrong(const char *id)
{
	const char	*wrong = name_wrong(id);
	size_t		 i;

	if (wrong != NULL)
		return wrong;
	for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (strcmp(id, reserved[i]) == 0)
			return "this name is taken by a path of the gateway";
	return NULL;
}

static struct provider_config *
provider_new(struct config *c, const char *id)
{
	struct provider_config *p;

	c->providers = xrealloc(c->providers, (c->nproviders + 1) * sizeof(*p));
	p = &c->providers[c->nproviders];
	memset(p, 0, sizeof(*p));
	p->index = (unsigned)c->nproviders++;
	p->id = xstrdup(id);
	if (strcmp(id, "anthropic") == 0)
		p->api = PROVIDER_ANTHROPIC;
	return p;
}

/* base_url with what follows from it. */
static bool
provider_address(struct loader *l, struct provider_config *p, const struct yaml_node *where)
{
	bool		 openai = strcmp(p->id, "openai") == 0;
	const char	*wrong;
	char		*member;

	if (openai && l->upstream != NULL) {
		free(p->base_url);
		p->base_url = xstrdup(l->upstream);
	} else if (p->base_url == NULL && openai)
		p->base_url = xstrdup("https://api.openai.com/v1");
	else if (p->base_url == NULL && strcmp(p->id, "anthropic") == 0)
		p->base_url = xstrdup("https://api.anthropic.com");
	wrong = p->base_url == NULL ? "is missing" : provider_url(p);
	if (wrong == NULL)
		return true;
	if (openai && l->upstream != NULL)
		return fail(l, NULL, "--upstream", "\"%s\": %s", l->upstream, wrong);
	member = xasprintf("providers.%s.base_url", p->id);
	if (p->base_url == NULL)
		fail(l, where, member, "%s", wrong);
	else
		fail(l, where, member, "\"%s\": %s", p->base_url, wrong);
	free(member);
	return false;
}

/* What depends on other members of the provider; `map` says which were given. */
static bool
provider_finish(struct loader *l, struct provider_config *p, const struct yaml_node *where,
    const struct yaml_node *map)
{
	if (p->api != PROVIDER_ANTHROPIC && strcmp(p->id, "anthropic") == 0)
		return fail(l, where, "providers.anthropic",
		    "this name is for a provider with api: anthropic");
	if (!provider_address(l, p, where))
		return false;
	if (map == NULL || yaml_tree_get(map, "usage") == NULL)
		p->usage = p->api == PROVIDER_OPENAI && !HOST_IN(p->host, usage_unasked) ?
		    USAGE_ASK : USAGE_LEAVE;
	if (map == NULL || yaml_tree_get(map, "auth") == NULL)
		p->auth = p->api == PROVIDER_ANTHROPIC ? AUTH_X_API_KEY :
		    HOST_IN(p->host, azure_hosts) ? AUTH_API_KEY : AUTH_BEARER;
	return true;
}

/* Two defaults of one API would make the second one dead. */
static bool
provider_default_check(struct loader *l, const struct provider_config *p,
    const struct yaml_node *where)
{
	unsigned	i;

	for (i = 0; p->is_default && i < p->index; i++)
		if (l->c->providers[i].is_default && l->c->providers[i].api == p->api)
			return fail(l, where, "providers", "%s and %s are both the default of their API",
			    l->c->providers[i].id, p->id);
	return true;
}

static bool
provider_load(struct loader *l, const struct yaml_node *key, const struct yaml_node *map)
{
	char		*member = xasprintf("providers.%s", key->text);
	const char	*wrong = provider_id_wrong(key->text);
	struct provider_config *p;
	bool		 good;

	if (wrong != NULL)
		good = fail(l, key, member, "%s", wrong);
	else {
		p = provider_new(l->c, key->text);
		good = defaults_set(l, SCOPE_PROVIDER, p) &&
		    mapping_load(l, SCOPE_PROVIDER, p, "", member, map) &&
		    provider_finish(l, p, key, map) &&
		    provider_default_check(l, p, key);
	}
	free(member);
	return good;
}

static bool
providers_load(struct loader *l, const struct yaml_node *map)
{
	size_t	i;

	if (map->kind != YAML_MAPPING || map->count == 0)
		return fail(l, map, "providers", "a mapping of names to providers is expected");
	for (i = 0; i < map->count; i += 2)
		if (!provider_load(l, &map->items[i], &map->items[i + 1]))
			return false;
	return true;
}

/* The providers of a file without `providers`, and of no file. */
static bool
providers_default(struct loader *l)
{
	static const char *const ids[] = { "openai", "anthropic" };
	size_t	i;

	for (i = 0; i < 2; i++) {
		struct provider_config *p = provider_new(l->c, ids[i]);

		if (!defaults_set(l, SCOPE_PROVIDER, p) ||
		    !provider_finish(l, p, NULL, NULL))
			return false;
	}
	return true;
}

/* Members of a list's element that must be there. */
static bool
needed_check(struct loader *l, unsigned scope, const char *member, const struct yaml_node *map)
{
	const struct yaml_node *n;
	size_t	i;

	for (i = 0; i < config_options_count; i++) {
		const struct option *o = &config_options[i];

		if (o->scope != scope || !(o->flags & OPTION_NEEDED))
			continue;
		n = yaml_tree_get(map, o->path);
		if (n == NULL || (n->kind == YAML_TEXT && n->null))
			return fail(l, map, member, "%s is missing", o->path);
	}
	return true;
}

static bool
route_load(struct loader *l, const struct yaml_node *map)
{
	struct config	*c = l->c;
	struct route_text text = { 0 };
	const struct provider_config *p;
	bool		 good;

	good = mapping_load(l, SCOPE_ROUTE, &text, "", "routes", map) &&
	    needed_check(l, SCOPE_ROUTE, "routes", map);
	if (good) {
		p = config_provider(c, slice_str(text.provider_id));
		if (p == NULL)
			good = fail(l, yaml_tree_get(map, "provider"), "routes.provider",
			    "there is no provider %s", text.provider_id);
		else {
			c->routes = xrealloc(c->routes, (c->nroutes + 1) * sizeof(*c->routes));
			c->routes[c->nroutes].model = text.model;
			c->routes[c->nroutes++].provider = p->index;
			text.model = NULL;
		}
	}
	free(text.model);
	free(text.provider_id);
	return good;
}

/* What depends on other members of the sink. */
static bool
sink_finish(struct loader *l, struct sink_config *s, const char *member, const struct yaml_node *map)
{
	struct url	 u;
	const char	*wrong = url_parse(slice_str(s->url), &u), *colon, *of;
	size_t		 i, len = strlen(s->url);

	if (wrong != NULL)
		return fail(l, yaml_tree_get(map, "url"), member, "url \"%s\": %s", s->url, wrong);
	s->host = xstrndup(u.authority.ptr, u.authority.len);
	while (len > 0 && s->url[len - 1] == '/')
		s->url[--len] = '\0';
	for (i = 0; i < s->headers.n; i++) {
		colon = strchr(s->headers.list[i], ':');
		if (colon == NULL || colon == s->headers.list[i] || strpbrk(s->headers.list[i], "\r\n") != NULL)
			return fail(l, yaml_tree_get(map, "headers"), member, "headers: each is a line \"Name: value\"");
	}
	if (s->api_key != NULL && strpbrk(s->api_key, "\r\n") != NULL)
		return fail(l, yaml_tree_get(map, "api_key"), member, "api_key has a line end in it");
	sink_defaults(s, yaml_tree_get(map, "bodies") == NULL, yaml_tree_get(map, "changes") == NULL);
	wrong = sink_check(s, &of);
	if (wrong != NULL)
		return fail(l, yaml_tree_get(map, of), member, "%s: %s", of, wrong);
	if (s->retry_max_us < s->retry_min_us)
		return fail(l, yaml_tree_get(map, "retry_max"), member, "retry_max is less than retry_min");
	return true;
}

static bool
sink_load(struct loader *l, const struct yaml_node *key, const struct yaml_node *map)
{
	struct config	*c = l->c;
	char		*member = xasprintf("sinks.%s", key->text);
	const char	*wrong = name_wrong(key->text);
	struct sink_config *s;
	bool		 good;

	if (wrong != NULL)
		good = fail(l, key, member, "%s", wrong);
	else if (c->nsinks == LIMIT_SINKS)
		good = fail(l, key, member, "there are more than %u sinks", LIMIT_SINKS);
	else {
		c->sinks = xrealloc(c->sinks, (c->nsinks + 1) * sizeof(*s));
		s = &c->sinks[c->nsinks++];
		memset(s, 0, sizeof(*s));
		s->id = xstrdup(key->text);
		good = defaults_set(l, SCOPE_SINK, s) && mapping_load(l, SCOPE_SINK, s, "", member, map) &&
		    needed_check(l, SCOPE_SINK, member, map) && sink_finish(l, s, member, map);
	}
	free(member);
	return good;
}

static bool
sinks_load(struct loader *l, const struct yaml_node *root)
{
	const struct yaml_node *map = yaml_tree_get(root, "sinks");
	size_t	i;

	if (map == NULL || (map->kind == YAML_TEXT && map->null))
		return true;
	if (map->kind != YAML_MAPPING)
		return fail(l, map, "sinks", "a mapping of names to sinks is expected");
	for (i = 0; i < map->count; i += 2)
		if (!sink_load(l, &map->items[i], &map->items[i + 1]))
			return false;
	return true;
}

/* The names of rights as bits. */
static bool
rights_load(struct loader *l, const struct yaml_node *map, struct key_text *text)
{
	unsigned	right;
	size_t		i;

	for (i = 0; i < text->rights.n; i++) {
		right = key_right(slice_str(text->rights.list[i]));
		if (right == 0)
			return fail(l, yaml_tree_get(map, "rights"), "keys.rights",
			    "\"%s\" is none of gateway, read, write, admin", text->rights.list[i]);
		text->key.rights |= right;
	}
	if (text->rights.n == 0)
		text->key.rights = RIGHTS_DEFAULT;
	return true;
}

static bool
key_load(struct loader *l, const struct yaml_node *map)
{
	struct config		*c = l->c;
	struct key_text		 text = { 0 };
	struct key_config	*k;
	bool			 good;
	size_t			 i;

	good = defaults_set(l, SCOPE_KEY, &text) &&
	    mapping_load(l, SCOPE_KEY, &text, "", "keys", map) &&
	    needed_check(l, SCOPE_KEY, "keys", map) && rights_load(l, map, &text);
	texts_clear(&text.rights);
	free(text.rights.list);
	c->keys = xrealloc(c->keys, (c->nkeys + 1) * sizeof(*c->keys));
	k = &c->keys[c->nkeys++];
	*k = text.key;
	if (!good)
		return false;
	for (i = 0; i + 1 < c->nkeys; i++)
		if (strcmp(c->keys[i].id, k->id) == 0)
			return fail(l, map, "keys", "two keys are called %s", k->id);
	if (k->environment == NULL)
		k->environment = xstrdup("prod");
	if (k->tenant == NULL)
		k->tenant = xstrdup("default");
	return true;
}

static int
by_hash(const void *a, const void *b, void *keys)
{
	const struct key_config *list = keys;

	return memcmp(list[*(const unsigned *)a].hash, list[*(const unsigned *)b].hash, sizeof(list->hash));
}

/* The keys in the order that they are looked up in, and those of the data directory. */
static bool
keys_finish(struct loader *l)
{
	struct config	*c = l->c;
	size_t		 i;

	c->keys_by_hash = xcalloc(c->nkeys + 1, sizeof(*c->keys_by_hash));
	for (i = 0; i < c->nkeys; i++)
		c->keys_by_hash[i] = (unsigned)i;
	qsort_r(c->keys_by_hash, c->nkeys, sizeof(*c->keys_by_hash), by_hash, c->keys);
	c->ring = keys_file_read(c->data_dir, l->err, l->errlen);
	if (c->ring == NULL)
		return false;
	config_adopt_rates(c, NULL, NULL);
	return true;
}

static bool
list_load(struct loader *l, const struct yaml_node *root, const char *name,
    bool (*load)(struct loader *, const struct yaml_node *))
{
	const struct yaml_node *list = yaml_tree_get(root, name);
	size_t	i;

	if (list == NULL || (list->kind == YAML_TEXT && list->null))
		return true;
	if (list->kind != YAML_LIST)
		return fail(l, list, name, "a list is expected");
	for (i = 0; i < list->count; i++) {
		if (list->items[i].kind != YAML_MAPPING)
			return fail(l, &list->items[i], name, "each element is a mapping");
		if (!load(l, &list->items[i]))
			return false;
	}
	return true;
}

static bool
file_load(struct loader *l, const struct yaml_node *root)
{
	const struct yaml_node *providers = yaml_tree_get(root, "providers");

	if (!mapping_load(l, SCOPE_TOP, l->c, "", "", root))
		return false;
	if (providers == NULL || (providers->kind == YAML_TEXT && providers->null)) {
		if (!providers_default(l))
			return false;
	} else if (!providers_load(l, providers))
		return false;
	return sinks_load(l, root) && list_load(l, root, "routes", route_load) &&
	    list_load(l, root, "keys", key_load);
}

static bool
flag_set(struct loader *l, const char *flag)
{
	const char	*equals = strchr(flag, '=');
	struct slice	 name;
	size_t		 i;

	if (equals == NULL)
		bug("flag without value: %s", flag);
	name = slice_make(flag, (size_t)(equals - flag));
	if (slice_eq(name, SLICE("upstream")))
		return config_provider(l->c, SLICE("openai")) != NULL || fail(l, NULL,
		    "--upstream", "the file has no provider openai for it");
	for (i = 0; i < config_options_count; i++) {
		const struct option *o = &config_options[i];
		char	*member;
		bool	 good;

		if (o->flag == NULL || !slice_eq(slice_str(o->flag), name))
			continue;
		if (o->type == OPTION_LISTEN)
			listens_clear(l->c);
		member = xasprintf("--%s", o->flag);
		good = option_set(l, o, l->c, NULL, member, equals + 1);
		free(member);
		return good;
	}
	return fail(l, NULL, flag, "no such option");
}

static unsigned
cores(void)
{
	cpu_set_t	set;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	return (unsigned)CPU_COUNT(&set);
}

/* Where data goes when nobody said: the user's data directory. */
static char *
data_dir_default(void)
{
	const char	*xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	if (xdg != NULL && *xdg == '/')
		return xasprintf("%s/spangate", xdg);
	if (home != NULL && *home == '/')
		return xasprintf("%s/.local/share/spangate", home);
	return NULL;
}

/* What holds over all members together. */
static bool
config_finish(struct loader *l)
{
	struct config	*c = l->c;
	size_t		 i;

	if (c->threads == 0)
		c->threads = cores() < THREADS_MAX ? cores() : THREADS_MAX;
	if (c->data_dir == NULL && (c->data_dir = data_dir_default()) == NULL)
		return fail(l, NULL, "data_dir", "is not set, and neither XDG_DATA_HOME nor HOME is");
	if (!keys_finish(l))
		return false;
	for (i = 0; i < c->nlistens; i++)
		if (!c->listens[i].loopback && c->nkeys == 0 && !c->ring->closed && !c->allow_open)
			return fail(l, NULL, "listen", "%s is reachable from other machines and there "
			    "are no keys: add keys (`spangate key add` makes one) or set allow_open: true",
			    c->listens[i].text);
	return true;
}

struct config *
config_load(const char *file, char *const *flags, size_t nflags, char *err, size_t errlen)
{
	struct loader	 l = { .file = file, .err = err, .errlen = errlen };
	struct yaml_node *root = NULL;
	bool		 good;
	size_t		 i;

	if (file != NULL && (root = yaml_tree_read(file, err, errlen)) == NULL)
		return NULL;
	for (i = 0; i < nflags; i++)
		if (strncmp(flags[i], "upstream=", 9) == 0)
			l.upstream = flags[i] + 9;
	l.c = xcalloc(1, sizeof(*l.c));
	l.c->spans.digest = config_digest;
	atomic_init(&l.c->references, 1);
	l.c->file = file ? xstrdup(file) : NULL;
	good = defaults_set(&l, SCOPE_TOP, l.c) &&
	    (root != NULL ? file_load(&l, root) : providers_default(&l));
	for (i = 0; good && i < nflags; i++)
		good = flag_set(&l, flags[i]);
	good = good && config_finish(&l);
	yaml_tree_free(root);
	if (!good) {
		config_unref(l.c);
		return NULL;
	}
	return l.c;
}
