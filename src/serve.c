/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve: the daemon. Starts everything in order (settings, data directory and
 * its lock, journal, gate, sink), waits for signals, and stops in the opposite
 * order. Only this thread takes signals; all others have them blocked.
 */
#include <config.h>

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/api.h"
#include "base/base.h"
#include "base/log.h"
#include "gate/gate.h"
#include "journal/journal.h"
#include "ledger/ledger.h"
#include "serve.h"
#include "store/sink.h"
#include "store/store.h"

#define SINK_STOP_US (5 * (uint64_t)1000000) /* what the store has not taken by then stays in the journal */
#define ERR_BYTES 1024

static const struct cli_usage usage = {
	"serve", "",
	"Runs the gateway in the foreground until SIGTERM or SIGINT; open answers may end\n"
	"within drain_timeout, a second signal ends them at once. SIGHUP reads the file\n"
	"of settings again.\n",
	NULL, 0, true
};

/* Makes dir and what is above it, 0700. */
static bool
directory_make(const char *dir)
{
	char	*path = xstrdup(dir), *slash = path;
	bool	 good = true;

	while (good && (slash = strchr(slash + 1, '/')) != NULL) {
		*slash = '\0';
		good = mkdir(path, 0700) == 0 || errno == EEXIST;
		*slash = '/';
	}
	good = good && (mkdir(path, 0700) == 0 || errno == EEXIST);
	free(path);
	return good;
}

/* -1: a line was printed. */
static int
directory_lock(const char *dir)
{
	char	pid[32];
	int	fd = cli_lock(dir, pid);

	if (fd < 0 && *pid != '\0')
		cli_fail("data directory %s is in use by process %s", dir, pid);
	else if (fd < 0)
		cli_fail("%s/lock: %s", dir, strerror(errno));
	return fd;
}

static void
descriptors_raise(void)
{
	struct rlimit	r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur == r.rlim_max)
		return;
	r.rlim_cur = r.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &r) != 0)
		log_warn("file descriptors stay at their soft limit: %s", strerror(errno));
}

/* Large bodies come from the kernel and go back to it when they are freed: left
 * to itself, glibc raises that threshold with each of them and keeps the memory
 * of the largest for ever. */
static void
memory_tune(void)
{
	mallopt(M_MMAP_THRESHOLD, 256 * 1024);
	mallopt(M_TRIM_THRESHOLD, 256 * 1024);
}

/* Before any thread is started: SIGPIPE ignored, ours blocked everywhere. */
static void
signals_block(struct daemon *d)
{
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&d->signals);
	sigaddset(&d->signals, SIGTERM);
	sigaddset(&d->signals, SIGINT);
	sigaddset(&d->signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &d->signals, NULL);
}

static bool
journal_start(struct daemon *d, char *err)
{
	char	*dir = xasprintf("%s/journal", d->config->data_dir);
	struct journal_config jc = {
		.dir = dir, .max_bytes = d->config->journal.max_bytes,
		.sync_us = d->config->journal.sync_us, .writers = d->config->threads + d->config->api_threads,
	};

	d->journal = journal_open(&jc, err, ERR_BYTES);
	free(dir);
	return d->journal != NULL;
}

/* For a person at a terminal, and for tests that want the port. */
static void
greet(const struct daemon *d)
{
	const char	*address, *first = NULL;
	size_t		 i;

	for (i = 0; (address = gate_address(d->gate, i)) != NULL; i++) {
		log_info("spangate %s listening on %s, data in %s", PACKAGE_VERSION, address,
		    d->config->data_dir);
		if (first == NULL && strncmp(address, "http", 4) == 0)
			first = address;
	}
	if (first != NULL)
		log_info("ready: set base_url to %s/v1", first);
}

bool
daemon_start(struct daemon *d)
{
	const struct config *c = d->config = cli_config(&d->args);
	char	err[ERR_BYTES] = "";

	if (c == NULL)
		return false;
	if (!config_prices(d->config, err, sizeof(err))) {
		cli_fail("%s", err);
		return false;
	}
	config_publish(config_ref(d->config));
	umask(077);
	if (!directory_make(c->data_dir)) {
		cli_fail("data directory %s cannot be made: %s", c->data_dir, strerror(errno));
		return false;
	}
	if ((d->lock = directory_lock(c->data_dir)) < 0)
		return false;
	if (store_check(c->data_dir, err, sizeof(err)) == STORE_E_VERSION) {
		cli_fail("%s", err);
		return false;
	}
	descriptors_raise();
	memory_tune();
	signals_block(d);
	log_start();
	ledger_start(clock_wall_us());
	ledger_condition(CONDITION_STARTING, "the journal is being recovered");
	if (!journal_start(d, err) || (d->gate = gate_start(d->config, d->journal,
	    api_handle, NULL, err, sizeof(err))) == NULL) {
		cli_fail("%s", err);
		return false;
	}
	d->sink = sink_start(d->journal, d->config);
	ledger_condition(CONDITION_STARTING, NULL);
	greet(d);
	return true;
}

/* SIGHUP: the file again. A broken one changes nothing. */
static void
daemon_reload(struct daemon *d)
{
	char		 err[ERR_BYTES];
	struct config	*c;
	struct buf	 names;

	c = config_load(d->args.file, d->args.settings, d->args.nsettings, err, sizeof(err));
	if (c == NULL || !config_prices(c, err, sizeof(err))) {
		log_error("reload: %s: the settings stay as they were", err);
		config_unref(c);
		return;
	}
	buf_init(&names, 4096);
	if (config_restart_needed(d->config, c, &names) > 0)
		log_warn("reload: these take effect at the next start only: %.*s",
		    (int)names.len, names.ptr);
	buf_free(&names);
	if (!gate_reload(d->gate, c, err, sizeof(err))) {
		log_error("reload: %s: the settings stay as they were", err);
		config_unref(c);
		return;
	}
	log_set_level((enum log_level)c->log_level);
	config_publish(c);
	log_info("reload: new settings are in use");
}

/* Waits for a second signal while the gate drains; cancelled when it is done. */
static void *
hurry_run(void *arg)
{
	struct daemon	*d = arg;
	int		 sig;

	thread_name("signals");
	for (;;) {
		if (sigwait(&d->signals, &sig) != 0 || sig == SIGHUP)
			continue;
		log_warn("second signal: open exchanges end now");
		atomic_store(&d->hurried, true);
		gate_hurry(d->gate);
	}
	return NULL;
}

void
daemon_stop(struct daemon *d)
{
	pthread_t	 thread;
	struct config	*c = config_current();
	uint64_t	 timeout = c->drain_timeout_us, now = clock_mono_us();
	bool		 watching;

	config_unref(c);
	log_info("stopping: open exchanges may end within %.1f s", (double)timeout / 1e6);
	ledger_condition(CONDITION_DRAINING, "the gateway is being stopped");
	watching = pthread_create(&thread, NULL, hurry_run, d) == 0;
	gate_drain(d->gate, now + timeout);
	if (watching) {
		pthread_cancel(thread);
		pthread_join(thread, NULL);
	}
	if (!sink_stop(d->sink, clock_mono_us() + (atomic_load(&d->hurried) ? 0 : SINK_STOP_US)))
		log_warn("the store has not taken everything; the rest is in the journal for the next start");
	d->sink = NULL;
	log_info("stopped");
}

void
daemon_free(struct daemon *d)
{
	if (d->gate != NULL)
		gate_free(d->gate);
	if (d->journal != NULL)
		journal_close(d->journal);
	if (d->lock >= 0)
		close(d->lock);
	cli_args_free(&d->args);
	config_publish(NULL);
	log_stop();
	config_unref(d->config);
}

int
cli_serve(int argc, char **argv)
{
	struct daemon	d = { .lock = -1 };
	int		code, sig = 0;

	if (!cli_parse(&usage, argc, argv, &d.args, &code))
		return code;
	code = CLI_BAD;
	if (daemon_start(&d)) {
		while (sigwait(&d.signals, &sig) != 0 || sig == SIGHUP)
			if (sig == SIGHUP)
				daemon_reload(&d);
		daemon_stop(&d);
		code = CLI_GOOD;
	}
	daemon_free(&d);
	return code;
}
