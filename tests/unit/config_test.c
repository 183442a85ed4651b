/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config: files and flags into settings; every wrong member is an error that
 * names file, line and column; the sample is complete and loads.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/config.h"
#include "base/log.h"
#include "tap.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static char	err[1024];
static char	path[] = "/tmp/spangate-config-XXXXXX";

/* Loads a text as a file, with at most two flags. */
static struct config *
load(const char *text, const char *flag, const char *flag2)
{
	char	*flags[2] = { (char *)(uintptr_t)flag, (char *)(uintptr_t)flag2 };
	FILE	*f = fopen(path, "w");

	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
	err[0] = '\0';
	return config_load(path, flags, flag2 ? 2 : flag ? 1 : 0, err, sizeof(err));
}

/* Is this text refused with `where: rest of the error`? */
static bool
refused(const char *text, const char *error)
{
	struct config	*c = load(text, NULL, NULL);
	bool		 good = c == NULL && strncmp(err, path, strlen(path)) == 0 &&
			     strstr(err + strlen(path), error) == err + strlen(path);

	if (!good)
		printf("# got %s\n# expected %s\n", c ? "settings" : err, error);
	config_unref(c);
	return good;
}

static void
test_defaults(void)
{
	struct config	*c;
	char		*flags[] = { (char *)(uintptr_t)"upstream=http://127.0.0.1:9/v1" };

	setenv("XDG_DATA_HOME", "/xdg", 1);
	c = config_load(NULL, NULL, 0, err, sizeof(err));
	ok(c != NULL && c->file == NULL);
	ok(c->nlistens == 1 && strcmp(c->listens[0].host, "127.0.0.1") == 0);
	ok(c->listens[0].port == 8787 && c->listens[0].loopback);
	ok(strcmp(c->data_dir, "/xdg/spangate") == 0);
	ok(c->threads >= 1 && c->api_threads == 2 && !c->allow_open && c->log_bodies);
	ok(c->spans.user_as_customer && !c->drain_on_disconnect);
	ok(c->log_level == LOG_LEVEL_INFO && c->drain_timeout_us == 30000000);
	ok(c->journal.max_bytes == (uint64_t)10 << 30 && c->journal.sync_us == 1000000);
	ok(c->store.retention_us == 90 * (uint64_t)86400000000 && c->store.max_bytes == 0);
	ok(c->store.max_disk_percent == 80);
	ok(c->max_body == 64 << 20 && c->thread_bodies == 512 << 20);
	ok(c->nproviders == 2 && c->nkeys == 0 && c->nroutes == 0);
	ok(strcmp(c->providers[0].host, "api.openai.com") == 0 && c->providers[0].tls);
	ok(strcmp(c->providers[0].path, "/v1") == 0 && c->providers[0].port == 443);
	ok(c->providers[0].usage == USAGE_ASK && c->providers[0].auth == AUTH_BEARER);
	ok(c->providers[0].first_byte_timeout_us == 660000000);
	ok(c->providers[1].api == PROVIDER_ANTHROPIC && c->providers[1].auth == AUTH_X_API_KEY);
	ok(strcmp(c->providers[1].path, "") == 0 && c->providers[1].usage == USAGE_LEAVE);
	config_unref(c);
	unsetenv("XDG_DATA_HOME");
	setenv("HOME", "/home/x", 1);
	c = config_load(NULL, flags, 1, err, sizeof(err));
	ok(c != NULL && strcmp(c->data_dir, "/home/x/.local/share/spangate") == 0);
	ok(strcmp(c->providers[0].host_header, "127.0.0.1:9") == 0 && !c->providers[0].tls);
	config_unref(c);
}

static const char full[] =
"listen: [\"127.0.0.1:0\", \"[::1]:99\", unix:/tmp/x.sock]\n"
"threads: 3\n"
"data_dir: ${TEST_DIR}/d\n"
"log_level: debug\n"
"on_disconnect: drain\n"
"drain_timeout: 0s\n"
"providers:\n"
"  main: { base_url: \"https://llm.example.com/api/v1/\", api_key: \"${TEST_KEY}\", default: true }\n"
"  first: { base_url: \"http://first.example.com\" }\n"
"  az:\n"
"    base_url: https://n.openai.azure.com/openai/deployments/d\n"
"    api_version: 2024-10-21\n"
"    api_key: ${TEST_NONE:-fallback}\n"
"  or: { base_url: \"https://openrouter.ai/api/v1\" }\n"
"  sock: { base_url: \"unix:/run/llm.sock\", usage: leave, connect_timeout: 500ms }\n"
"  claude: { api: anthropic, base_url: \"https://llm.example.com\", auth: bearer }\n"
"routes:\n"
"  - { model: \"claude-*\", provider: or }\n"
"  - { model: \"*\", provider: main }\n"
"keys:\n"
"  - { id: one, sha256: \"" HASH "\" }\n"
"  - { id: two, environment: dev, environment_free: yes, tenant: t2,\n"
"      sha256: ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff }\n"
"journal: { max_bytes: 64MiB, sync: off }\n"
"store: { sqlite: {}, retention: off }\n"
"limits:\n"
"  max_body: 1MiB\n"
"timeouts: { head: 1s }\n";

static void
test_full(void)
{
	struct config	*c;
	const struct provider_config *p;

	setenv("TEST_DIR", "/data", 1);
	setenv("TEST_KEY", "secret", 1);
	unsetenv("TEST_NONE");
	c = load(full, NULL, NULL);
	if (!ok(c != NULL)) {
		printf("# %s\n", err);
		return;
	}
	ok(c->nlistens == 3 && c->listens[0].port == 0 && c->listens[1].loopback);
	ok(strcmp(c->listens[2].unix_path, "/tmp/x.sock") == 0 && c->listens[2].host == NULL);
	ok(c->threads == 3 && strcmp(c->data_dir, "/data/d") == 0);
	ok(c->drain_on_disconnect && c->drain_timeout_us == 0 && c->log_level == LOG_LEVEL_DEBUG);
	ok(c->journal.sync_us == 0 && c->journal.max_bytes == 64 << 20);
	ok(c->store.retention_us == 0 && c->max_body == 1 << 20 && c->head_timeout_us == 1000000);
	ok(c->nproviders == 6);
	p = &c->providers[0];
	ok(strcmp(p->base_url, "https://llm.example.com/api/v1") == 0);
	ok(strcmp(p->path, "/api/v1") == 0 && strcmp(p->api_key, "secret") == 0);
	ok(strcmp(c->providers[1].path, "/v1") == 0);
	p = config_provider(c, SLICE("az"));
	ok(p->auth == AUTH_API_KEY && strcmp(p->api_key, "fallback") == 0);
	ok(p->usage == USAGE_ASK && strcmp(p->api_version, "2024-10-21") == 0);
	ok(config_provider(c, SLICE("or"))->usage == USAGE_LEAVE);
	p = config_provider(c, SLICE("sock"));
	ok(strcmp(p->unix_path, "/run/llm.sock") == 0 && strcmp(p->path, "/v1") == 0);
	ok(p->usage == USAGE_LEAVE && p->connect_timeout_us == 500000);
	ok(config_provider(c, SLICE("claude"))->auth == AUTH_BEARER);
	ok(config_provider(c, SLICE("none")) == NULL);
	ok(config_route(c, PROVIDER_OPENAI, SLICE("claude-3")) == config_provider(c, SLICE("or")));
	ok(config_route(c, PROVIDER_ANTHROPIC, SLICE("gpt")) == config_provider(c, SLICE("main")));
	ok(config_route(c, PROVIDER_ANTHROPIC, SLICE_NONE) == config_provider(c, SLICE("claude")));
	ok(config_route(c, PROVIDER_OPENAI, SLICE_NONE) == config_provider(c, SLICE("main")));
	ok(strcmp(c->keys[0].environment, "prod") == 0 && strcmp(c->keys[0].tenant, "default") == 0);
	ok(c->keys[1].environment_free && strcmp(c->keys[1].tenant, "t2") == 0);
	config_unref(c);
}

static void
test_keys(void)
{
	uint8_t	hash[32];
	char	hex[65], *text;
	struct config *c;

	key_hash(SLICE("sg-test"), hash);
	hex_encode(hash, 32, hex);
	/* printf sg-test | openssl dgst -sha256 -hmac spangate-key */
	ok(strcmp(hex, "9dbeffe689e4783ab73dc1c5146433f5428477e010c68e130818aa973d13710c") == 0);
	text = xasprintf("listen: 0.0.0.0:1\nkeys:\n  - {id: a, sha256: \"%s\"}\n  - {id: b, sha256: \"" HASH "\"}\n", hex);
	c = load(text, NULL, NULL);
	ok(c != NULL);
	ok(config_key(c, SLICE("sg-test")) == &c->keys[0]);
	ok(c->keys[0].rights == RIGHTS_DEFAULT && c->keys[0].rate == 0);
	ok(config_key(c, SLICE("sg-tesT")) == NULL);
	ok(config_key(c, SLICE("")) == NULL);
	ok(config_key(c, SLICE_NONE) == NULL);
	config_unref(c);
	free(text);
}

static void
test_refusals(void)
{
	ok(refused("lisen: x\n", ":1:1: lisen: no such setting"));
	ok(refused("journal:\n  max_byts: 1\n", ":2:3: journal.max_byts: no such setting"));
	ok(refused("journal: 7\n", ":1:10: journal: a mapping (name: value) is expected"));
	ok(refused("threads: many\n", ":1:10: threads: expected a whole number from 0 to 64"));
	ok(refused("threads: [1]\n", ":1:10: threads: expected a whole number"));
	ok(refused("drain_timeout: 30\n", ":1:16: drain_timeout: expected a duration from"));
	ok(refused("allow_open: maybe\n", ":1:13: allow_open: expected true or false"));
	ok(refused("threads: 1\nthreads: 2\n", ":2:1: threads: given twice, first on line 1"));
	ok(refused("listen: 8787\n", ":1:9: listen: \"8787\": the port is missing"));
	ok(refused("listen: example.com:1\n", ":1:9: listen: \"example.com:1\": the host must be an IP"));
	ok(refused("listen: []\n", ":1:9: listen: expected host:port"));
	ok(refused("data_dir: ${NOT_SET_HERE}\n", ":1:11: data_dir: the environment has no NOT_SET_HERE"));
	ok(refused("data_dir: ${X\n", ":1:11: data_dir: \"${\" without \"}\""));
	ok(refused("store: { sqlite: { x: 1 } }\n", ":1:18: store.sqlite: expected an empty mapping"));
	ok(refused("providers: {}\n", ":1:12: providers: a mapping of names"));
	ok(refused("providers:\n  x: { api: openai }\n", ":2:3: providers.x.base_url: is missing"));
	ok(refused("providers:\n  x: { base_url: foo }\n", ":2:3: providers.x.base_url: \"foo\": it must begin"));
	ok(refused("providers:\n  v1: { base_url: \"http://x\" }\n", ":2:3: providers.v1: this name is taken"));
	ok(refused("providers:\n  request-logs: { base_url: \"http://x\" }\n", ":2:3: providers.request-logs: this"));
	ok(refused("providers:\n  anthropic: { api: openai }\n", ":2:3: providers.anthropic: this name is for"));
	ok(refused("providers:\n  A: { base_url: \"http://x\" }\n", ":2:3: providers.A: a name is made of"));
	ok(refused("providers:\n  a: { base_url: \"http://x\", api: gpt }\n",
	    ":2:35: providers.a.api: expected one of openai, anthropic"));
	ok(refused("providers:\n  a: { base_url: \"http://x/\", default: true }\n"
	    "  b: { base_url: \"http://x/\", default: true }\n", ":3:3: providers: a and b are both"));
	ok(refused("routes:\n  - model: x\n", ":2:5: routes: provider is missing"));
	ok(refused("routes:\n  - { model: x, provider: y }\n", ":2:27: routes.provider: there is no provider y"));
	ok(refused("routes: { model: x }\n", ":1:9: routes: a list is expected"));
	ok(refused("keys:\n  - { id: a, sha256: abc }\n", ":2:22: keys.sha256: expected 64 hex digits"));
	ok(refused("keys:\n  - { id: a, sha256: \"" HASH "\", rights: [read, fly] }\n",
	    ":2:98: keys.rights: \"fly\" is none of gateway, read, write, admin"));
	ok(refused("keys:\n  - { id: a }\n", ":2:5: keys: sha256 is missing"));
	ok(refused("sinks: [ a ]\n", ":1:8: sinks: a mapping of names"));
	ok(refused("sinks:\n  A: { kind: respan, url: \"http://x\" }\n", ":2:3: sinks.A: a name is made of"));
	ok(refused("sinks:\n  a: { kind: respan }\n", ":2:6: sinks.a: url is missing"));
	ok(refused("sinks:\n  a: { url: \"http://x\" }\n", ":2:6: sinks.a: kind is missing"));
	ok(refused("sinks:\n  a: { kind: kafka, url: \"http://x\" }\n", ":2:14: sinks.a.kind: expected one of respan"));
	ok(refused("sinks:\n  a: { kind: respan, url: x }\n", ":2:27: sinks.a: url \"x\": it must begin"));
	ok(refused("sinks:\n  a: { kind: respan, url: \"http://x\", sample: 1.5 }\n",
	    ":2:47: sinks.a.sample: expected a share from 0 to 1"));
	ok(refused("sinks:\n  a: { kind: respan, url: \"http://x\", headers: [ x ] }\n",
	    ":2:48: sinks.a: headers: each is a line"));
	ok(refused("sinks:\n  a: { kind: respan, url: \"http://x\", api_key: \"a\\n\" }\n",
	    ":2:48: sinks.a: api_key has a line end"));
	ok(refused("sinks:\n  a: { kind: respan, url: \"http://x\", retry_min: 9s, retry_max: 1s }\n",
	    ":2:65: sinks.a: retry_max is less"));
	ok(refused("keys:\n  - { id: \"\", sha256: \"" HASH "\" }\n", ":2:11: keys.id: is empty"));
	ok(refused("keys:\n  - { id: a, sha256: \"" HASH "\" }\n  - { id: a, sha256: \"" HASH "\" }\n",
	    ":3:5: keys: two keys are called a"));
	ok(refused("a: &x 1\nb: *x\n", ":1:4: anchors and tags are not used here"));
	ok(refused("listen: [1\n", ":2:1:"));
	ok(refused("- 1\n", ":1:1: settings: a mapping"));
	ok(refused("a: [[[[[[[[[[1]]]]]]]]]]\n", ":1:12: too deep"));
	ok(refused("? [a]\n: 1\n", ":1:3: a member's name is expected"));
}

static void
test_open(void)
{
	struct config	*c = load("listen: 0.0.0.0:1\n", NULL, NULL);

	ok(c == NULL && strstr(err, "0.0.0.0:1 is reachable from other machines") != NULL);
	c = load("listen: \"[::]:1\"\n", NULL, NULL);
	ok(c == NULL);
	c = load("listen: 0.0.0.0:1\n", "allow-open=true", NULL);
	ok(c != NULL && !c->listens[0].loopback);
	config_unref(c);
	c = load("threads: 5\nlisten: 127.0.0.1:1\n", "threads=7", "listen=127.8.0.1:2");
	ok(c != NULL && c->threads == 7 && c->nlistens == 1 && c->listens[0].port == 2);
	config_unref(c);
	c = load("", "threads=x", NULL);
	ok(c == NULL && strncmp(err, "--threads: expected a whole number", 34) == 0);
	c = load("", "upstream=x", NULL);
	ok(c == NULL && strncmp(err, "--upstream: \"x\": it must begin", 30) == 0);
	c = load("providers: {x: {base_url: \"http://x/v1\"}}", "upstream=http://y", NULL);
	ok(c == NULL && strncmp(err, "--upstream: ", 12) == 0);
	c = load("providers: {openai: {usage: leave}}", "upstream=http://y/v1", NULL);
	ok(c != NULL && c->providers[0].usage == USAGE_LEAVE);
	config_unref(c);
	c = config_load("/nonexistent/x.yaml", NULL, 0, err, sizeof(err));
	ok(c == NULL && strcmp(err, "/nonexistent/x.yaml: No such file or directory") == 0);
}

static void
test_reload(void)
{
	struct config	*a = load("threads: 1\n", NULL, NULL);
	struct config	*b = load("threads: 2\nlisten: 127.0.0.1:9\nlog_level: debug\n", NULL, NULL);
	struct config	*c;
	struct buf	 names;

	buf_init(&names, 1000);
	ok(config_restart_needed(a, a, &names) == 0 && names.len == 0);
	ok(config_restart_needed(a, b, &names) == 2);
	ok(slice_eq(buf_view(&names), SLICE("listen, threads")));
	buf_free(&names);
	config_publish(a);
	c = config_current();
	ok(c == a);
	config_publish(b);
	ok(c->threads == 1);
	config_unref(c);
	c = config_current();
	ok(c == b);
	config_unref(c);
	config_publish(NULL);
}

/* The sample loads as it is, and with each setting that has a default taken in. */
static void
test_sample(void)
{
	char	*text = NULL, *line, *plain, *next;
	size_t	 len = 0;
	FILE	*f = open_memstream(&text, &len);
	struct config *c;
	struct buf b;

	config_print_sample(f);
	fclose(f);
	c = load(text, NULL, NULL);
	ok(c != NULL);
	config_unref(c);
	buf_init(&b, 100000);
	plain = xstrdup(text);
	*strstr(plain, "# Where requests go") = '\0';
	for (line = plain; *line != '\0'; line = next) {
		next = strchr(line, '\n') + 1;
		if (line[0] == '#' && line[1] != ' ')
			buf_append(&b, line + 1, (size_t)(next - line) - 1);
		else if (strncmp(line, "#  ", 3) == 0 && line[3] != '#')
			buf_append(&b, line + 1, (size_t)(next - line) - 1);
	}
	buf_byte(&b, '\0');
	c = load(b.ptr, NULL, NULL);
	if (!ok(c != NULL))
		printf("# %s\n", err);
	ok(c != NULL && strcmp(c->data_dir, "/var/lib/spangate") == 0 && c->store.max_disk_percent == 80);
	config_unref(c);
	buf_free(&b);
	free(plain);
	free(text);
}

int
main(void)
{
	close(mkstemp(path));
	log_set_level(LOG_LEVEL_ERROR);
	test_defaults();
	test_full();
	test_keys();
	test_refusals();
	test_open();
	test_reload();
	test_sample();
	unlink(path);
	return done();
}
