/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo: `spangate demo`. Starts the pretend provider and a gateway before it,
 * sends the samples through, shows their spans, and serves on until it is
 * ended. All of it is loopback, and everything it prints about answers says
 * that they are pretend.
 */
#include <config.h>

#include <curl/curl.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/base.h"
#include "base/log.h"
#include "demo/pretend.h"
#include "demo/samples.h"
#include "gate/gate.h"
#include "serve.h"
#include "store/store.h"

#define SPANS_WAIT_US (15 * (uint64_t)1000000)	/* for the last span to be in the store */
#define SPANS_LOOK_MS 20
#define SIGNALS_NOW 0
#define ERR_BYTES 300

enum { FLAG_ONCE, FLAG_KEEP };

static const struct cli_flag flags[] = {
	[FLAG_ONCE] = { "once", NULL, "End after the table; exit status 0 only if each sample got its span." },
	[FLAG_KEEP] = { "keep", NULL, "Leave the temporary data directory at the end." },
};

static const struct cli_usage usage = {
	"demo", "",
	"Shows the gateway at work without a key: a pretend provider on loopback that\n"
	"makes its answers up, sample requests of every family through the gateway to\n"
	"it, and their spans. Then it serves until Ctrl-C. The data directory is a\n"
	"temporary one unless --data-dir names another. Its providers are its own: it\n"
	"takes neither -c nor --upstream.\n",
	flags, sizeof(flags) / sizeof(flags[0]), true
};

struct demo {
	struct daemon	 daemon;
	struct pretend	*pretend;
	char		*directory;	/* made by us, to be removed; NULL: another was named */
	int		 settings;	/* file of settings in memory; -1: not made */
	char		*file;		/* its name */
	bool		 keep;
	bool		 interrupted;	/* a signal that ends the program came */
	struct sample_result *results;	/* samples_count() of them */
	size_t		 sent;
	size_t		 unexpected;	/* of them, answers that were not as they must be */
	uint64_t	 started_us;
};

/* The value of a setting that was given on the command line; NULL: it was not. */
static const char *
setting_given(const struct cli_args *a, const char *name)
{
	size_t	i, len = strlen(name);

	for (i = a->nsettings; i-- > 0; )
		if (strncmp(a->settings[i], name, len) == 0 && a->settings[i][len] == '=')
			return a->settings[i] + len + 1;
	return NULL;
}

/* Sets it unless it was given. */
static bool
setting_default(struct cli_args *a, const char *name, const char *value)
{
	if (setting_given(a, name) != NULL)
		return true;
	if (a->nsettings == CLI_SETTINGS_MAX)
		return false;
	a->settings[a->nsettings++] = xasprintf("%s=%s", name, value);
	return true;
}

static bool
directory_choose(struct demo *m)
{
	const char	*tmp = getenv("TMPDIR");

	if (setting_given(&m->daemon.args, "data-dir") != NULL)
		return true;
	m->directory = xasprintf("%s/spangate-demo-XXXXXX", tmp != NULL && *tmp == '/' ? tmp : P_tmpdir);
	if (mkdtemp(m->directory) != NULL)
		return setting_default(&m->daemon.args, "data-dir", m->directory);
	cli_fail("%s: %s", m->directory, strerror(errno));
	free(m->directory);
	m->directory = NULL;
	return false;
}

static int
entry_remove(const char *path, const struct stat *st, int type, struct FTW *place)
{
	(void)st;
	(void)type;
	(void)place;
	return remove(path);
}

static void
directory_remove(struct demo *m)
{
	if (m->directory == NULL)
		return;
	if (m->keep)
		printf("the data stays in %s\n", m->directory);
	else if (nftw(m->directory, entry_remove, 16, FTW_DEPTH | FTW_PHYS) != 0)
		cli_fail("%s could not be removed: %s", m->directory, strerror(errno));
	free(m->directory);
}

/* A file of settings that names the pretend provider under both APIs. It is in
 * memory only: it means nothing once this process has ended. */
static bool
settings_write(struct demo *m)
{
	unsigned	port = pretend_port(m->pretend);

	m->settings = memfd_create("spangate-demo.yaml", MFD_CLOEXEC);
	if (m->settings < 0 || dprintf(m->settings,
	    "providers:\n"
	    "  pretend: { api: openai, base_url: \"http://127.0.0.1:%u/v1\", usage: ask }\n"
	    "  pretend-anthropic: { api: anthropic, base_url: \"http://127.0.0.1:%u\" }\n", port, port) < 0) {
		cli_fail("the settings of the demo cannot be written: %s", strerror(errno));
		return false;
	}
	m->daemon.args.file = m->file = xasprintf("/proc/self/fd/%d", m->settings);
	return true;
}

/* Everything before the gateway's own start. False: a line was printed. */
static bool
demo_prepare(struct demo *m)
{
	char	err[ERR_BYTES];

	curl_global_init(CURL_GLOBAL_DEFAULT);
	if (!directory_choose(m) || !setting_default(&m->daemon.args, "log-level", "warn"))
		return false;
	m->pretend = pretend_start(err, sizeof(err));
	if (m->pretend == NULL) {
		cli_fail("%s", err);
		return false;
	}
	return settings_write(m);
}

static const char *
demo_address(const struct demo *m)
{
	return gate_address(m->daemon.gate, 0);
}

static void
intro_print(const struct demo *m)
{
	printf("Everything here is pretend: a provider inside this program makes all answers up.\n"
	    "No model is asked, no key is needed, nothing leaves this machine.\n\n"
	    "gateway   %s\n"
	    "provider  http://127.0.0.1:%u (pretend)\n"
	    "data      %s%s\n\n", demo_address(m), pretend_port(m->pretend), m->daemon.config->data_dir,
	    m->directory != NULL && !m->keep ? " (removed at the end; --keep leaves it)" : "");
	fflush(stdout);
}

/* Did a signal come that ends the program? Waits so long for one. */
static bool
demo_interrupted(struct demo *m, unsigned ms)
{
	struct timespec	t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	m->interrupted = m->interrupted || sigtimedwait(&m->daemon.signals, NULL, &t) > 0;
	return m->interrupted;
}

/* False: a signal came. */
static bool
samples_send(struct demo *m)
{
	size_t	n = samples_count();

	printf("%zu sample requests of every family, with pretend answers:\n\n", n);
	for (; m->sent < n; m->sent++) {
		struct sample_result *r = &m->results[m->sent];

		if (demo_interrupted(m, SIGNALS_NOW))
			return false;
		sample_run(m->sent, demo_address(m), r);
		m->unexpected += !r->expected;
		printf("%3zu/%zu  %-36s %3ld  first byte %4.0f ms, end %4.0f ms%s%s\n", m->sent + 1, n,
		    samples_what(m->sent), r->status, r->first_ms, r->whole_ms,
		    r->expected ? "" : "  NOT AS EXPECTED ", r->error);
		fflush(stdout);
	}
	return true;
}

/* How many of the answers' spans the store has; it may not be there yet. */
static size_t
spans_stored(const struct demo *m)
{
	struct slice	*ids = xcalloc(m->sent, sizeof(*ids));
	struct query_filter filter = { .field = SPAN_F_id, .op = QUERY_IN, .values = ids };
	struct query	 q = { .tenant = SLICE_NONE, .filters = &filter, .nfilters = 1, .sort = -1 };
	char		 err[ERR_BYTES];
	struct store	*store = store_sqlite.open(m->daemon.config->data_dir, false, err, sizeof(err));
	uint64_t	 n = 0;
	size_t		 i;

	for (i = 0; i < m->sent; i++)
		if (m->results[i].span_id[0] != '\0')
			ids[filter.nvalues++] = slice_str(m->results[i].span_id);
	if (store != NULL && store_sqlite.count(store, &q, &n) != STORE_OK)
		n = 0;
	store_sqlite.close(store);
	free(ids);
	return (size_t)n;
}

/* Every sample's span, or so many as come in time. */
static size_t
spans_await(struct demo *m)
{
	uint64_t	end = clock_mono_us() + SPANS_WAIT_US;
	size_t		n;

	while ((n = spans_stored(m)) < m->sent && clock_mono_us() < end)
		if (demo_interrupted(m, SPANS_LOOK_MS))
			break;
	return n;
}

/* As `spangate spans list` prints them; it reads settings of its own, so the log level is set again. */
static void
table_print(const struct demo *m)
{
	const struct config *c = m->daemon.config;
	uint64_t seconds = (clock_mono_us() - m->started_us) / 1000000 + 1;
	char	*data = xasprintf("--data-dir=%s", c->data_dir), *from = xasprintf("--from=%llus", (unsigned long long)seconds);
	char	*limit = xasprintf("--limit=%zu", m->sent);
	const char *argv[] = { "spans", "list", "-c", m->file, data, from, limit, "--sort=timestamp",
	    "--log-level=warn", NULL };

	(void)cli_spans(sizeof(argv) / sizeof(argv[0]) - 1, (char **)argv);
	log_set_level((enum log_level)c->log_level);
	free(data);
	free(from);
	free(limit);
}

/* False: a sample has no span, or not the answer that it must have. */
static bool
spans_show(struct demo *m)
{
	size_t	stored = spans_await(m);

	printf("\nTheir spans, as `%s spans list` prints them:\n\n", program_invocation_short_name);
	fflush(stdout);
	table_print(m);
	printf("\n%zu samples, %zu spans", m->sent, stored);
	if (m->unexpected > 0)
		printf(", %zu answers that were not as expected", m->unexpected);
	puts("");
	fflush(stdout);
	return stored == m->sent && m->unexpected == 0;
}

/* What to type in another terminal. */
static void
next_print(const struct demo *m)
{
	const char	*address = demo_address(m), *program = program_invocation_name;
	const char	*data = m->daemon.config->data_dir, *span = m->results[0].span_id;
	bool		 local = strncmp(address, "unix:", 5) == 0;
	char		*base = local ? xasprintf("--unix-socket %s http://localhost", address + 5) : xstrdup(address);

	printf("\nTo try next, in another terminal:\n\n"
	    "  curl -N %s/v1/chat/completions -H 'Content-Type: application/json' \\\n"
	    "    -d '{\"model\": \"pretend-chat-1\", \"stream\": true, \"customer_identifier\": \"me\",\n"
	    "         \"messages\": [{\"role\": \"user\", \"content\": \"Say hello.\"}]}'\n\n"
	    "  curl %s/v1/messages -H 'Content-Type: application/json' -H 'anthropic-version: 2023-06-01' \\\n"
	    "    -d '{\"model\": \"pretend-messages-4\", \"max_tokens\": 100,\n"
	    "         \"messages\": [{\"role\": \"user\", \"content\": \"Say hello.\"}]}'\n\n"
	    "  %s spans list --data-dir %s\n"
	    "  %s spans get %.32s --data-dir %s\n"
	    "  curl %s/api/request-logs/\n"
	    "  curl %s/metrics\n\n"
	    "The pretend gateway and provider run until Ctrl-C.\n", base, base, program, data, program, span, data,
	    base, base);
	fflush(stdout);
	free(base);
}

/* Serves until a signal comes. */
static void
demo_wait(const struct demo *m)
{
	int	sig;

	while (!m->interrupted && sigwait(&m->daemon.signals, &sig) != 0)
		;
}

/* With the gateway running: the exit code. */
static int
demo_show(struct demo *m, bool once)
{
	bool	good;

	m->started_us = clock_mono_us();
	intro_print(m);
	if (!samples_send(m))
		return CLI_BAD;
	good = spans_show(m);
	if (!once) {
		next_print(m);
		demo_wait(m);
	}
	return good ? CLI_GOOD : CLI_BAD;
}

static int
demo_run(struct demo *m, bool once)
{
	int	code = CLI_BAD;

	if (!demo_prepare(m))
		return CLI_BAD;
	if (daemon_start(&m->daemon)) {
		code = demo_show(m, once);
		daemon_stop(&m->daemon);
	} else if (m->daemon.journal != NULL && m->daemon.gate == NULL)
		cli_fail("the demo can listen elsewhere: --listen 127.0.0.1:0 takes a free port");
	return code;
}

static void
demo_free(struct demo *m)
{
	daemon_free(&m->daemon);
	free(m->file);
	if (m->settings >= 0)
		close(m->settings);
	pretend_stop(m->pretend);
	directory_remove(m);
	free(m->results);
}

int
cli_demo(int argc, char **argv)
{
	struct demo	m = { .daemon.lock = -1, .settings = -1 };
	bool		once;
	int		code;

	if (!cli_parse(&usage, argc, argv, &m.daemon.args, &code))
		return code;
	if (m.daemon.args.file_given || setting_given(&m.daemon.args, "upstream") != NULL) {
		cli_fail("the demo's providers are its own: it takes neither -c nor --upstream");
		cli_args_free(&m.daemon.args);
		return CLI_USAGE;
	}
	once = m.daemon.args.values[FLAG_ONCE] != NULL;
	m.keep = m.daemon.args.values[FLAG_KEEP] != NULL;
	m.results = xcalloc(samples_count(), sizeof(*m.results));
	code = demo_run(&m, once);
	demo_free(&m);
	return code;
}
