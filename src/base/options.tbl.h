/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every setting: OPTION(scope, path, flag, TYPE, field, min, max, default,
 * hint, flags, sentence), see core/option.h. It gives the parser, the defaults,
 * --help, conf/spangate.yaml and what a reload can change.
 */
#define US_MS ((uint64_t)1000)
#define US_S ((uint64_t)1000000)
#define US_H (3600 * US_S)
#define US_D (24 * US_H)

OPTION(TOP, "listen", "listen", LISTEN, listens, 0, 0, "127.0.0.1:8787", NULL, OPTION_RESTART,
    "Where to listen: host:port, [::1]:port or unix:/path, or a list of these.")
OPTION(TOP, "threads", "threads", COUNT, threads, 0, 64, "0", NULL, OPTION_RESTART,
    "Gate threads; 0 is one for each core.")
OPTION(TOP, "data_dir", "data-dir", TEXT, data_dir, 0, 0, NULL, "/var/lib/spangate", OPTION_RESTART,
    "Directory of the journal and the store; without it $XDG_DATA_HOME/spangate.")
OPTION(TOP, "allow_open", "allow-open", BOOL, allow_open, 0, 1, "false", NULL, OPTION_RESTART,
    "Listen beyond loopback although there are no keys: anybody who reaches the port can use it.")
OPTION(TOP, "log_level", "log-level", ENUM, log_level, 0, 3, "info", "error|warn|info|debug", 0,
    "Lines on standard error: error, warn, info or debug.")
OPTION(TOP, "log_bodies", NULL, BOOL, log_bodies, 0, 1, "true", NULL, 0,
    "Keep prompts and answers in spans; false keeps times, counts and names only.")
OPTION(TOP, "user_as_customer", NULL, BOOL, spans.user_as_customer, 0, 1, "true", NULL, 0,
    "A request's user member serves as customer_identifier where it has none.")
OPTION(TOP, "fill_variables", NULL, BOOL, fill_variables, 0, 1, "true", NULL, 0,
    "Fill {{name}} in a request's texts in from its variables.")
OPTION(TOP, "forward_traceparent", NULL, BOOL, forward_traceparent, 0, 1, "true", NULL, 0,
    "A request's traceparent and tracestate go on to the provider.")
OPTION(TOP, "spans.request_media", NULL, ENUM, spans.request_media, 0, 2, "keep", "keep|cut|digest", 0,
    "Images, audio and files in requests (data: URLs, base64): kept in spans, cut out, or a SHA-256 instead.")
OPTION(TOP, "spans.answer_media", NULL, ENUM, spans.answer_media, 0, 2, "cut", "keep|cut|digest", 0,
    "The same of images and audio in answers.")
OPTION(TOP, "spans.vectors", NULL, ENUM, spans.vectors, 0, 2, "keep", "keep|first|none", 0,
    "Vectors of embeddings in spans: whole, their first numbers, or none.")
OPTION(TOP, "spans.vectors_first", NULL, COUNT, spans.vectors_first, 1, 65536, "8", NULL, 0,
    "How many numbers of each vector stay with vectors: first.")
OPTION(TOP, "spans.keep_audio", NULL, BOOL, spans.keep_audio, 0, 1, "false", NULL, OPTION_RESTART,
    "Keep what is spoken and transcribed as files, served under /api/audio/ID.")
OPTION(TOP, "prices", "prices", TEXTS, price_files, 0, 0, NULL, "[ /etc/spangate/prices.json ]", 0,
    "Price files over the built-in one, a file or a list, later ones first; LiteLLM's and genai-prices' do as well.")
OPTION(TOP, "on_disconnect", NULL, ENUM, drain_on_disconnect, 0, 1, "cancel", "cancel|drain", 0,
    "When a client leaves: cancel the provider's answer, or drain it into the span.")
OPTION(TOP, "drain_timeout", NULL, DURATION, drain_timeout_us, 0, US_D, "30s", NULL, 0,
    "After SIGTERM: how long open answers may take to end.")
OPTION(TOP, "api_threads", NULL, COUNT, api_threads, 1, 64, "2", NULL, OPTION_RESTART,
    "Threads that answer the span API.")

OPTION(TOP, "journal.max_bytes", NULL, SIZE, journal.max_bytes, MIB, (uint64_t)1 << 50, "10GiB", NULL, OPTION_RESTART,
    "Most bytes of the journal; what does not fit while the store is down is counted as dropped.")
OPTION(TOP, "journal.sync", NULL, DURATION, journal.sync_us, US_MS, US_H, "1s", NULL, OPTION_OFF | OPTION_RESTART,
    "How often the journal is synced to the disk; off leaves it to the kernel.")
OPTION(TOP, "store.sqlite", NULL, EMPTY, store, 0, 0, NULL, "{}", OPTION_RESTART,
    "The embedded store; it has no settings of its own.")
OPTION(TOP, "store.retention", NULL, DURATION, store.retention_us, US_S, 36500 * US_D, "90d", NULL, OPTION_OFF,
    "How long spans are kept; off keeps them for ever.")
OPTION(TOP, "store.body_retention", NULL, DURATION, store.body_retention_us, US_S, 36500 * US_D, "off", NULL,
    OPTION_OFF,
    "How long what was asked and answered is kept; after it the span stays with all its figures, less its texts. "
    "off keeps them as long as the span.")
OPTION(TOP, "store.max_disk_percent", NULL, PERCENT, store.max_disk_percent, 1, 100, "80", NULL, 0,
    "Above this use of the file system the oldest spans go.")
OPTION(TOP, "store.max_bytes", NULL, SIZE, store.max_bytes, MIB, (uint64_t)1 << 50, "off", NULL, OPTION_OFF,
    "Most bytes of the store; above it the oldest spans go.")
OPTION(TOP, "store.day_offset", NULL, OFFSET, store.day_offset, 0, 0, "+00:00", NULL, OPTION_RESTART,
    "Where days begin that costs are summed up by: at midnight of this offset from UTC. A new one has all "
    "stored spans counted anew at the start.")
OPTION(TOP, "store.search", NULL, BOOL, store.search, 0, 1, "false", NULL, OPTION_RESTART,
    "Spans can be searched by the words of their inputs and outputs, those that come from then on. It "
    "costs the sink about a microsecond for each distinct word. Off again: the index goes.")

OPTION(TOP, "limits.max_body", NULL, SIZE, max_body, KIB, 1024 * MIB, "64MiB", NULL, 0,
    "Largest request body that is held and read; larger ones are refused with 413.")
OPTION(TOP, "limits.thread_bodies", NULL, SIZE, thread_bodies, MIB, (uint64_t)1 << 40, "512MiB", NULL, 0,
    "Most bytes of request bodies that one gate thread holds; then reading pauses.")
OPTION(TOP, "limits.max_connections", NULL, COUNT, max_connections, 1, 1000000, "10000", NULL, OPTION_RESTART,
    "Most client connections at once.")

OPTION(TOP, "timeouts.head", NULL, DURATION, head_timeout_us, US_MS, US_D, "30s", NULL, 0,
    "A client must send a request's head within this time.")
OPTION(TOP, "timeouts.body", NULL, DURATION, body_timeout_us, US_MS, US_D, "60s", NULL, 0,
    "Longest pause between two pieces of a request's body.")
OPTION(TOP, "timeouts.keepalive", NULL, DURATION, keepalive_timeout_us, US_MS, US_D, "75s", NULL, 0,
    "How long an idle client connection is kept.")
OPTION(TOP, "timeouts.write", NULL, DURATION, write_timeout_us, US_MS, US_D, "300s", NULL, 0,
    "How long a client may take none of the answer that waits for it.")

OPTION(PROVIDER, "api", NULL, ENUM, api, 0, 1, NULL, "openai|anthropic", 0,
    "Whose API it speaks; openai, but for the provider called anthropic.")
OPTION(PROVIDER, "base_url", NULL, TEXT, base_url, 0, 0, NULL, "https://api.openai.com/v1", 0,
    "What the provider's own client takes, or unix:/path; openai and anthropic have their public addresses.")
OPTION(PROVIDER, "api_key", NULL, TEXT, api_key, 0, 0, NULL, "${OPENAI_API_KEY}", OPTION_SECRET,
    "The key that goes to the provider; without it the client's own does.")
OPTION(PROVIDER, "auth", NULL, ENUM, auth, 0, 2, NULL, "bearer|x-api-key|api-key", 0,
    "How the key goes; bearer, but x-api-key for api: anthropic and api-key for Azure's hosts.")
OPTION(PROVIDER, "api_version", NULL, TEXT, api_version, 0, 0, NULL, "2024-10-21", 0,
    "Azure: put into the query as api-version where a request has none.")
OPTION(PROVIDER, "usage", NULL, ENUM, usage, 0, 1, NULL, "leave|ask", 0,
    "ask puts stream_options.include_usage into streams; leave where the provider sends usage unasked.")
OPTION(PROVIDER, "default", NULL, BOOL, is_default, 0, 1, "false", NULL, 0,
    "Takes the requests of its API that no route and no path names; else the first one does.")
OPTION(PROVIDER, "ca_file", NULL, TEXT, ca_file, 0, 0, NULL, "/etc/ssl/own-ca.pem", 0,
    "Certificates to trust for this provider in place of the system's.")
OPTION(PROVIDER, "connect_timeout", NULL, DURATION, connect_timeout_us, US_MS, US_H, "10s", NULL, 0,
    "For name, TCP and TLS together.")
OPTION(PROVIDER, "first_byte_timeout", NULL, DURATION, first_byte_timeout_us, US_MS, US_D, "660s", NULL, 0,
    "From the request sent to the answer's head; beyond the clients' own 600 s.")
OPTION(PROVIDER, "idle_timeout", NULL, DURATION, idle_timeout_us, US_MS, US_D, "660s", NULL, 0,
    "Longest pause between two pieces of an answer.")

OPTION(ROUTE, "model", NULL, TEXT, model, 0, 0, NULL, "claude-*", OPTION_NEEDED,
    "Pattern of a request's model; * is any run of characters.")
OPTION(ROUTE, "provider", NULL, TEXT, provider_id, 0, 0, NULL, "anthropic", OPTION_NEEDED,
    "The provider that takes it.")

OPTION(SINK, "kind", NULL, ENUM, kind, 0, 2, NULL, "respan|otlp|webhook", OPTION_NEEDED,
    "What it speaks: respan is the Respan API, of the public service or another spangate; otlp is OpenTelemetry's "
    "traces over HTTP; webhook tells of single events.")
OPTION(SINK, "url", NULL, TEXT, url, 0, 0, NULL, "https://api.respan.ai", OPTION_NEEDED,
    "Where it is: for respan the address that /api/v1/traces/ingest comes after, for otlp the one that /v1/traces "
    "does, or with it; for a webhook the whole.")
OPTION(SINK, "api_key", NULL, TEXT, api_key, 0, 0, NULL, "${RESPAN_API_KEY}", OPTION_SECRET,
    "Its key, sent as Authorization: Bearer.")
OPTION(SINK, "headers", NULL, TEXTS, headers, 0, 0, NULL, "[ \"X-Team: search\" ]", OPTION_SECRET,
    "Header lines that are sent besides.")
OPTION(SINK, "compression", NULL, ENUM, compression, 0, 2, "none", "none|gzip|zstd", 0,
    "How bodies are compressed; the target must be able to read it.")
OPTION(SINK, "batch_spans", NULL, COUNT, batch_spans, 1, 5000, "200", NULL, 0,
    "Most spans of one request.")
OPTION(SINK, "batch_bytes", NULL, SIZE, batch_bytes, KIB, 100 * MIB, "4MiB", NULL, 0,
    "Most bytes of one request before compression; a larger span goes alone.")
OPTION(SINK, "timeout", NULL, DURATION, timeout_us, US_MS, US_H, "60s", NULL, 0,
    "For a request with its answer; then it is sent again.")
OPTION(SINK, "connect_timeout", NULL, DURATION, connect_timeout_us, US_MS, US_H, "10s", NULL, 0,
    "For name, TCP and TLS together.")
OPTION(SINK, "retry_min", NULL, DURATION, retry_min_us, US_MS, US_H, "1s", NULL, 0,
    "Longest pause before the second try; it doubles with each, and a random part of it is waited.")
OPTION(SINK, "retry_max", NULL, DURATION, retry_max_us, US_MS, US_D, "60s", NULL, 0,
    "Up to this. What cannot be delivered is tried for ever; it waits in the store.")
OPTION(SINK, "environments", NULL, TEXTS, environments, 0, 0, NULL, "[ prod ]", 0,
    "Only spans of these environments; all, unless some are named.")
OPTION(SINK, "sample", NULL, SHARE, sample, 0, 0, "1", NULL, 0,
    "Share of the spans that is sent, always the same ones for an id (as sample= of lists).")
OPTION(SINK, "bodies", NULL, ENUM, bodies, 0, 2, "texts", "none|texts|full", 0,
    "none sends no texts; texts sends messages, input and output; full sends the whole request and answer too. For "
    "otlp and webhook none, unless it is set.")
OPTION(SINK, "from", NULL, ENUM, from_start, 0, 1, "now", "now|start", 0,
    "A new sink gets the spans from now on, or from the first one that is stored.")
OPTION(SINK, "changes", NULL, BOOL, changes, 0, 1, "true", NULL, 0,
    "Spans that change later (prices, notes, feedback, sent anew) are sent again; the target must replace them. For "
    "otlp false, unless it is set.")
OPTION(SINK, "ca_file", NULL, TEXT, ca_file, 0, 0, NULL, "/etc/ssl/own-ca.pem", 0,
    "Certificates to trust for this sink in place of the system's.")
OPTION(SINK, "encoding", NULL, ENUM, encoding, 0, 1, "protobuf", "protobuf|json", 0,
    "otlp: how requests are written.")
OPTION(SINK, "generation", NULL, ENUM, generation, 0, 1, "1.41", "1.41|next", 0,
    "otlp: by which GenAI conventions attributes are named: 1.41, or what has come after it.")
OPTION(SINK, "secret", NULL, TEXT, secret, 0, 0, NULL, "${WEBHOOK_SECRET}", OPTION_SECRET,
    "webhook: what bodies are signed with, in X-Respan-Signature.")
OPTION(SINK, "events", NULL, TEXTS, events, 0, 0, NULL, "[ errors, feedback, budgets ]", 0,
    "webhook: what is told of: logs (each span), errors, feedback (with notes and scores), budgets. All but logs, "
    "unless some are named.")
OPTION(SINK, "budget_thresholds", NULL, TEXTS, budget_thresholds, 0, 0, NULL, "[ 80, 100 ]", 0,
    "webhook: percent of a customer's budget that are told of once a period; 80 and 100, unless some are named.")
OPTION(SINK, "service_name", NULL, TEXT, service_name, 0, 0, "spangate", NULL, 0,
    "otlp: service.name of the resource.")

OPTION(KEY, "id", NULL, TEXT, key.id, 0, 0, NULL, "app1", OPTION_NEEDED,
    "Name of the key, shown on spans.")
OPTION(KEY, "sha256", NULL, HASH, key.hash, 0, 0, NULL, "(as `spangate key` prints it)", OPTION_NEEDED,
    "HMAC-SHA-256 of the key, as `spangate key` prints it.")
OPTION(KEY, "environment", NULL, TEXT, key.environment, 0, 0, "prod", NULL, 0,
    "Environment of the spans made with it.")
OPTION(KEY, "environment_free", NULL, BOOL, key.environment_free, 0, 1, "false", NULL, 0,
    "A request may name another environment.")
OPTION(KEY, "tenant", NULL, TEXT, key.tenant, 0, 0, "default", NULL, 0,
    "Whose spans they are.")
OPTION(KEY, "rights", NULL, TEXTS, rights, 0, 0, NULL, "[gateway, read, write]", 0,
    "What it may do: gateway calls providers, read and write are for spans over the API, admin makes and revokes "
    "keys. All but admin, unless some are named.")
OPTION(KEY, "rate", NULL, COUNT, key.rate, 0, 1000000, "0", NULL, 0,
    "Most requests a minute, gateway and API together; 0 sets no limit.")

#undef US_MS
#undef US_S
#undef US_H
#undef US_D
