/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve: the daemon. Starts everything in order (settings, data directory and
 * its lock, journal, gate, sink), waits for signals, and stops in the opposite
 * order. Only this thread takes signals; all others have them blocked.
 */
#include <config.h>

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/api.h"
#include "base/base.h"
#include "base/keys_file.h"
#include "base/log.h"
#include "export/export.h"
#include "gate/gate.h"
#include "journal/journal.h"
#include "ledger/ledger.h"
#include "serve.h"
#include "store/sink.h"
#include "store/store.h"

#define SINK_STOP_US (5 * (uint64_t)1000000) /* what the store has not taken by then stays in the journal */
#define EXPORT_STOP_US (5 * (uint64_t)1000000) /* what a sink has not sent by then waits in the store */
#define ERR_BYTES 1024

static const struct cli_usage usage = {
	"serve", "",
	"Runs the gateway in the foreground until SIGTERM or SIGINT; open answers may end\n"
	"within drain_timeout, a second signal ends them at once. SIGHUP reads the file\n"
	"of settings again.\n",
	NULL, 0, true
};

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

/* The keys of DATA/keys as they are now; a broken file changes nothing. */
static void
keys_take(void *arg)
{
	struct daemon	*d = arg;
	struct keyring	*ring;
	char		 err[ERR_BYTES];

	pthread_mutex_lock(&d->keys_lock);
	ring = keys_file_read(d->config->data_dir, err, sizeof(err));
	if (ring == NULL)
		log_error("keys: %s: the keys stay as they were", err);
	else {
		keys_adopt_rates(ring->list, ring->n, d->ring->list, d->ring->n);
		gate_rekey(d->gate, ring);
		if (d->ring->closed && !ring->closed && d->config->nkeys == 0)
			log_warn("keys: %s/" KEYS_FILE " is gone: no key is needed any more", d->config->data_dir);
		keyring_unref(d->ring);
		d->ring = ring;
	}
	pthread_mutex_unlock(&d->keys_lock);
}

/* Others change the file by putting a new one in its place. Without the watch
 * SIGHUP does as well. */
static void
keys_watch(struct daemon *d)
{
	pthread_mutex_init(&d->keys_lock, NULL);
	d->ring = keyring_ref(d->config->ring);
	d->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (d->watch < 0 || inotify_add_watch(d->watch, d->config->data_dir, IN_MOVED_TO | IN_DELETE | IN_ONLYDIR) < 0)
		log_warn("keys: changes are seen at SIGHUP only: %s", strerror(errno));
	keys_take(d);	/* what changed since the settings were read */
	keys_file_watch(keys_take, d);
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
	keys_watch(d);
	d->exports = exports_open(d->config);
	d->sink = sink_start(d->journal, d->config);
	exports_start(d->exports);
	ledger_condition(CONDITION_STARTING, NULL);
	greet(d);
	return true;
}

/* Was one of the files that changed the one of keys? */
static bool
watch_read(struct daemon *d)
{
	char		 bytes[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t		 n;
	bool		 keys = false;

	while ((n = read(d->watch, bytes, sizeof(bytes))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const struct inotify_event *)(bytes + at);

			keys |= (e->mask & IN_Q_OVERFLOW) || (e->len > 0 && strcmp(e->name, KEYS_FILE) == 0);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	return keys;
}

/* The next signal; changes of keys are seen to meanwhile. */
static int
daemon_wait(struct daemon *d, int signals)
{
	struct pollfd		p[2] = { { .fd = signals, .events = POLLIN }, { .fd = d->watch, .events = POLLIN } };
	struct signalfd_siginfo	info;

	for (;;) {
		if (poll(p, 2, -1) < 0)
			continue;
		if ((p[1].revents & POLLIN) && watch_read(d))
			keys_take(d);
		if ((p[0].revents & POLLIN) && read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
			return (int)info.ssi_signo;
	}
}

/* SIGHUP: the file again. A broken one changes nothing. */
static void
daemon_reload(struct daemon *d)
{
	char		 err[ERR_BYTES];
	struct config	*c, *before;
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
	before = config_current();
	pthread_mutex_lock(&d->keys_lock);
	config_adopt_rates(c, before, d->ring);
	config_unref(before);
	if (!gate_reload(d->gate, c, err, sizeof(err))) {
		pthread_mutex_unlock(&d->keys_lock);
		log_error("reload: %s: the settings stay as they were", err);
		config_unref(c);
		return;
	}
	keyring_unref(d->ring);
	d->ring = keyring_ref(c->ring);
	pthread_mutex_unlock(&d->keys_lock);
	log_set_level((enum log_level)c->log_level);
	config_publish(config_ref(c));
	exports_reload(d->exports, c);
	config_unref(c);
	keys_take(d);	/* it may have changed since it was read with the settings */
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
	exports_stop(d->exports, clock_mono_us() + (atomic_load(&d->hurried) ? 0 : EXPORT_STOP_US));
	d->exports = NULL;
	log_info("stopped");
}

void
daemon_free(struct daemon *d)
{
	keys_file_watch(NULL, NULL);
	if (d->gate != NULL)
		gate_free(d->gate);
	if (d->watch > 0)
		close(d->watch);
	keyring_unref(d->ring);
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
	int		code, signals;

	if (!cli_parse(&usage, argc, argv, &d.args, &code))
		return code;
	code = CLI_BAD;
	if (daemon_start(&d)) {
		signals = signalfd(-1, &d.signals, SFD_CLOEXEC);
		while (signals >= 0 && daemon_wait(&d, signals) == SIGHUP)
			daemon_reload(&d);
		if (signals >= 0)
			close(signals);
		daemon_stop(&d);
		code = CLI_GOOD;
	}
	daemon_free(&d);
	return code;
}
