/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config: the settings, read from YAML and flags under one table of options
 * (options.tbl.h), which also gives --help and the sample in conf/. Immutable
 * once loaded and shared by reference: an exchange keeps the one it began with.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/keyring.h"
#include "core/buf.h"
#include "core/limits.h"
#include "core/slice.h"
#include "span/build.h"

enum provider_api { PROVIDER_OPENAI, PROVIDER_ANTHROPIC };
enum provider_auth { AUTH_BEARER, AUTH_X_API_KEY, AUTH_API_KEY }; /* Authorization: Bearer, x-api-key, api-key */
enum usage_mode { USAGE_LEAVE, USAGE_ASK };

struct provider_config {
	char		*id;		/* [a-z0-9_-]+, none of our own path names */
	enum provider_api api;
	char		*base_url;	/* as given, less a last slash */
	bool		 tls;
	char		*host;		/* no brackets around IPv6 */
	uint16_t	 port;
	char		*host_header;	/* host[:port] as it goes into Host */
	char		*path;		/* of base_url, "" or "/v1" or "/openai/deployments/x": a request's path comes after it */
	char		*api_key;	/* NULL: the client's own goes through */
	enum provider_auth auth;
	char		*api_version;	/* Azure: ?api-version=, put in when the request has none; or NULL */
	char		*unix_path;	/* base_url "unix:/path": connect there; or NULL */
	enum usage_mode	 usage;
	bool		 is_default;
	char		*ca_file;	/* own CA instead of the system's; or NULL */
	uint64_t	 connect_timeout_us, first_byte_timeout_us, idle_timeout_us;
	unsigned	 index;		/* place in config.providers */
};

struct route_config {
	char		*model;		/* a pattern: '*' is any run of characters */
	unsigned	 provider;	/* index */
};

struct listen_config {
	char		*text;		/* "127.0.0.1:8787", "[::1]:8787", "unix:/run/x.sock" */
	char		*host;		/* NULL for a unix socket */
	uint16_t	 port;
	char		*unix_path;
	bool		 loopback;	/* a unix socket counts */
};

struct text_list {
	char		**list;
	size_t		 n;
};

enum sink_kind { SINK_RESPAN, SINK_OTLP, SINK_WEBHOOK, SINK_KINDS };
/* What a webhook tells of, by these names in `events`. */
#define SINK_EVENTS(X) X(LOGS, "logs") X(ERRORS, "errors") X(FEEDBACK, "feedback") X(BUDGETS, "budgets")
enum sink_event {
#define X(symbol, name) SINK_EVENT_##symbol,
	SINK_EVENTS(X)
#undef X
	SINK_EVENT_KINDS
};
enum sink_encoding { SINK_PROTOBUF, SINK_JSON };
enum sink_generation { SINK_GENAI_1_41, SINK_GENAI_NEXT };
enum sink_coding { SINK_PLAIN, SINK_GZIP, SINK_ZSTD };
enum sink_bodies { SINK_BODIES_NONE, SINK_BODIES_TEXTS, SINK_BODIES_FULL };

/* Another system that spans are sent to. */
struct sink_config {
	char		*id;		/* [a-z0-9_-]+: also a directory's name */
	enum sink_kind	 kind;
	char		*url;		/* http or https, less a last slash */
	char		*host;		/* of it, for people: without user or path */
	char		*api_key;	/* or NULL */
	struct text_list headers;	/* "Name: value" */
	enum sink_coding compression;
	unsigned	 batch_spans;
	uint64_t	 batch_bytes;	/* before compression */
	uint64_t	 timeout_us, connect_timeout_us;
	uint64_t	 retry_min_us, retry_max_us;
	struct text_list environments;	/* of spans that are sent; none: all */
	unsigned	 sample;	/* of a million */
	enum sink_bodies bodies;
	bool		 from_start;	/* a new target gets what is stored already */
	bool		 changes;	/* what changes once it was sent is sent again */
	char		*ca_file;	/* or NULL */
	/* of OTLP */
	enum sink_encoding encoding;
	enum sink_generation generation;
	char		*service_name;
	/* of webhooks */
	char		*secret;
	struct text_list events, budget_thresholds;	/* as given; what they amount to: */
	unsigned	 tells;		/* bits: 1 << enum sink_event */
	unsigned	 thresholds[LIMIT_SINK_THRESHOLDS], nthresholds;	/* percent, rising */
};

struct price_book;

struct config {
	char		*file;		/* NULL: none was read */
	struct listen_config *listens;	size_t nlistens;
	unsigned	 threads;	/* 0 was given: number of cores; here at least 1 */
	char		*data_dir;
	bool		 allow_open;
	bool		 log_bodies;
	bool		 fill_variables;
	bool		 forward_traceparent;
	struct build_options spans;	/* as readers of spans build them; row_only is false */
	struct text_list price_files;
	struct price_book *book;	/* what they hold, and spans.prices points into, after config_prices */
	bool		 drain_on_disconnect;	/* on_disconnect: cancel | drain */
	uint64_t	 drain_timeout_us;
	uint64_t	 head_timeout_us, body_timeout_us, keepalive_timeout_us, write_timeout_us; /* client side */
	uint64_t	 max_body;		/* bytes */
	uint64_t	 thread_bodies;		/* bytes */
	unsigned	 max_connections;	/* over all threads */
	unsigned	 api_threads;
	struct provider_config *providers; size_t nproviders;
	struct route_config *routes;	size_t nroutes;
	struct sink_config *sinks;	size_t nsinks;
	struct key_config *keys;	size_t nkeys;
	unsigned	*keys_by_hash;	/* their places, in order of their hashes */
	struct keyring	*ring;		/* those of DATA/keys when the settings were read */
	struct { uint64_t max_bytes; uint64_t sync_us; /* 0: off */ } journal;
	struct { uint64_t retention_us, body_retention_us; /* 0: for ever */
	    unsigned max_disk_percent; uint64_t max_bytes; /* 0: none */
	    int day_offset; /* minutes */
	    bool search; } store;
	int		 log_level;
	atomic_uint	 references;	/* config_ref, config_unref */
};

/*
 * Reads the file (NULL: defaults only) and lays the flags over it. flags:
 * "name=value" strings as main.c takes them from argv ("listen=…",
 * "upstream=…", "data-dir=…", "threads=…"). On error NULL, and err holds one
 * line "file:line:column: member: what is wrong" for people.
 */
struct config	*config_load(const char *file, char *const *flags, size_t nflags,
		    char *err, size_t errlen);
/* Reads the price files and lays them over the built-in table (prices.h), for
 * who prices: before the settings are shared. False: as for config_load. */
bool		 config_prices(struct config *, char *err, size_t errlen);
struct config	*config_ref(struct config *);
void		 config_unref(struct config *);

/* The current settings, for the thread that asks: takes a reference. Set by
 * config_publish (start and SIGHUP). Lock-free for readers is not needed: once
 * a connection, not once a request. */
struct config	*config_current(void);
void		 config_publish(struct config *);	/* takes the caller's reference */

/* The provider of that id, NULL if there is none. */
const struct provider_config *config_provider(const struct config *, struct slice id);
/* The sink of that id, NULL if there is none. */
const struct sink_config *config_sink(const struct config *, struct slice id);
/* The provider for a path without a provider's name and this model (may be
 * SLICE_NONE): first matching route, else the default of that API. */
const struct provider_config *config_route(const struct config *, enum provider_api, struct slice model);
/* Finds a key of the settings by its text; NULL: none. Of the place among the
 * hashes time may tell, of the key nothing. */
const struct key_config *config_key(const struct config *, struct slice text);
/* SHA-256, as spans.digest. */
void	config_digest(struct slice bytes, uint8_t out[32]);
/* What keys have used of their rates goes over from the settings and the ring before, if there are any. */
void	config_adopt_rates(struct config *, const struct config *before, const struct keyring *);

/* Appends the names of settings that differ and cannot change at run time,
 * with commas between; how many. */
size_t	config_restart_needed(const struct config *, const struct config *, struct buf *names);

/* Is there a flag of that name ("data-dir")? *is_switch: it needs no value. */
bool	config_flag(struct slice name, bool *is_switch);

/* Writes the sample file / the help of all options. */
void	config_print_sample(FILE *);
/* only: that flag alone; NULL: all. */
void	config_print_help(FILE *, const char *only);
/* One line of help: what is typed, and in the next column what it does. */
void	config_print_help_line(FILE *, const char *typed, const char *sentence);

#endif
