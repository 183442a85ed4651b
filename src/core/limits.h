/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits: every ceiling of the program, with the reason for it. Nothing grows
 * without one of these names.
 */
#ifndef CORE_LIMITS_H
#define CORE_LIMITS_H

#define KIB 1024u
#define MIB (1024u * 1024u)

/* HTTP/1.1 */
#define LIMIT_HEAD (64 * KIB)		/* a head: cookies and traces are large, more is an attack */
#define LIMIT_FIELDS 256		/* fields of a head: Cloudflare and OpenAI send about 35 */
#define LIMIT_CHUNK_LINE (4 * KIB)	/* a chunk-size line with its extensions */
#define LIMIT_TRAILERS (16 * KIB)	/* a trailer section, which is dropped */

/* Bodies */
#define LIMIT_BODY (64 * MIB)		/* a held request body on the gateway */
#define LIMIT_SPAN (20 * MIB)		/* one span given over the API */
#define LIMIT_THREAD_BODIES (512u * MIB) /* sum of held request bodies on one gate thread (setting) */
#define LIMIT_API_BODY (100 * MIB)	/* an ingest request */
#define LIMIT_OTLP_INFLATED (64 * MIB)	/* one by OTLP that came compressed: exporters send some MB at once */

/* Forms */
#define LIMIT_BOUNDARY 70		/* RFC 2046 5.1.1 */
#define LIMIT_PART_HEAD (8 * KIB)	/* head of one part: a name, a file's name, a type */
#define LIMIT_PARTS (LIMIT_EDITS - 1)	/* parts of a form: each may be cut by an edit */
#define LIMIT_FORM_TEXT (8 * MIB)	/* the fields of a form without its files, as JSON */
#define LIMIT_FORM_DEPTH 16		/* brackets in a field's name */

/* Streams */
#define LIMIT_HELD_EVENT (64 * KIB)	/* an event held back by the usage filter, then let go as it is */
#define LIMIT_ERROR_HELD (64 * KIB)	/* of an error answer held while another attempt is possible */
#define LIMIT_HELD_END (64 * KIB)	/* of an answer's end that waits for its breakdown: [DONE], blanks */
#define LIMIT_BREAKDOWN (4 * MIB)	/* records of an exchange copied for its breakdown: built in some 20 ms */
#define LIMIT_BREAKDOWN_TEXT (16 * MIB)	/* the breakdown: messages, request and answer stand in it more than once */
#define LIMIT_BREAKDOWN_US 1000000	/* how long an answer's end waits for it: more is worse than none */
#define LIMIT_EVENT (32 * MIB)		/* one event that the span builder puts together */
#define LIMIT_EXPANDED (64 * MIB)	/* a body that the span builder has decoded or put together */
#define LIMIT_BUILD (512u * MIB)	/* all memory of one build: a few texts of LIMIT_EXPANDED */
#define LIMIT_OUT_HIGH (512 * KIB)	/* unsent bytes for a slow reader: pause its provider */
#define LIMIT_OUT_LOW (128 * KIB)	/* resume below */

/* JSON */
#define LIMIT_JSON_DEPTH 512		/* nesting: our recursion-free scanner keeps one bit a level */
#define LIMIT_EDITS 1024		/* entries of an edit list */
#define LIMIT_VARIABLES 1024		/* variables of a request that are filled in */
#define LIMIT_VARIABLE_NAME 256		/* bytes of such a variable's name */
#define LIMIT_FILLED (64 * MIB)		/* a body with its variables filled in */
#define LIMIT_FILL_TEXT (512 * KIB)	/* of that, objects and lists as text: it stands in SEND */

/* Estimates */
#define LIMIT_COUNTED (4 * MIB)		/* of a text whose tokens are counted: about a second; the rest is like it */

/* Prices */
#define LIMIT_PRICE_FILE (64 * MIB)	/* a price file: the largest known has 1.6 MB */

/* Journal */
#define LIMIT_RECORD (1 * MIB)		/* a record, head included */
#define LIMIT_KEEP_FIRST (32 * MIB)	/* of each direction, the first bytes kept */
#define LIMIT_KEEP_LAST (256 * KIB)	/* and the last ones: usage stands at the end */
#define LIMIT_SEGMENT (64 * MIB)	/* a segment file */
#define LIMIT_SEGMENT_FIRST (8 * MIB)	/* the first of a series: an idle thread reserves no more */
#define LIMIT_SEGMENT_LEAST (256 * KIB)	/* with a tiny max_bytes, or on a disk that is nearly full */
#define LIMIT_END (1 * KIB)		/* room kept for the END of an open exchange */
#define LIMIT_BATCH (4 * MIB)		/* records of a turn: more are written within it */
#define LIMIT_BACKLOG_PARTS (6 * MIB)	/* while writing fails: records kept in memory, then PARTs are refused */
#define LIMIT_BACKLOG_BEGINS (8 * MIB)	/* then BEGINs as well: ENDs of what is open stay below twice this */
#define LIMIT_CHAIN (160 * MIB)		/* of one exchange read back: twice what the gate keeps of both directions */

/* Store */
#define LIMIT_ROW_TEXT 1024		/* bytes of a text in a row's column; the whole stands in the body */
#define LIMIT_ROW_ERROR 500		/* of an error message there */
#define LIMIT_META_KEYS 128		/* metadata keys of a span that lists can be filtered by */
#define LIMIT_META_VALUE 1024		/* bytes of a metadata key or value there */
#define LIMIT_ROW_JSON (64 * MIB)	/* a span kept as JSON for want of its records */
#define LIMIT_ROW_BODY (168 * MIB)	/* the compressed records of an exchange: somewhat over LIMIT_CHAIN */
#define LIMIT_SEARCH_WORD 40		/* bytes of a word that is found by search; of longer ones the first */
#define LIMIT_SEARCH_WORDS 4096		/* distinct words of a span that it is found by: some 30 KB of prose */
#define LIMIT_SEARCH_TEXT (256 * KIB)	/* of an input or output that is read for words: about 1 ms */
#define LIMIT_SEARCH_ASKED 64		/* words of one search */
#define LIMIT_QUERY_SQL (256 * KIB)	/* SQL of one list: 1,000 conditions of 200 bytes */
#define LIMIT_QUERY_US 30000000		/* a list of the API takes no longer: then its filters are too wide */
#define LIMIT_COUNTED_ROWS 100000	/* rows of a list that are counted to the last one */
#define LIMIT_FILTERS 256		/* conditions of a list, all bundles together */
#define LIMIT_FILTER_VALUES 1000	/* their values */
#define LIMIT_FILTER_DEPTH 8		/* bundles in bundles */
#define LIMIT_FILTER_PATTERN 1000	/* bytes of a text that is looked for, or of a regular expression */
#define LIMIT_FILTER_STEPS 100000	/* of a regular expression in one text: a millisecond or two */
#define LIMIT_FILTER_HEAP 1024		/* KiB that it may take */

/* Sinks */
#define LIMIT_SINKS 32u			/* other systems that spans are sent to: a thread each */
#define LIMIT_SINK_LOOK 5000		/* rows that are looked at together */
#define LIMIT_SINK_BODY (128 * MIB)	/* a request to one: the largest batch and one span over it */
#define LIMIT_SINK_ANSWER (1 * MIB)	/* of its answer; the rest is passed over */
#define LIMIT_SINK_DEAD 10000u		/* dead letters of one; then it waits for somebody to look at them */
#define LIMIT_SINK_TOLD 65536u		/* events that a webhook remembers to have told, of each sort: 0.5 MB and its file */
#define LIMIT_SINK_THRESHOLDS 16	/* shares of a budget that a webhook tells of */
#define LIMIT_SINK_CHANGES 2000000	/* changes that are kept for the slowest one: some 50 MB */

/* Traces */
#define LIMIT_TRACE_SPANS 50000		/* spans of one trace that are shown as a tree: some 10 MB besides their texts */

/* API jobs */
#define LIMIT_LOCAL_BLOCKS (256 * KIB)	/* answer bytes of a job that wait for the client */
#define LIMIT_LOCAL_JOBS 256		/* jobs that wait for a pool thread; then 503 */

/* Keys */
#define LIMIT_KEYS 20000u		/* keys made at run time: their file is written whole */
#define LIMIT_KEY_LINE (4 * KIB)	/* one of them as JSON */
#define LIMIT_KEYS_FILE (80 * MIB)	/* all of them */
#define LIMIT_KEY_NAME 128		/* characters of the name that a person gave one */
#define LIMIT_KEY_RATE 1000000		/* requests a minute that a key's rate can be set to */

/* Names */
#define LIMIT_CUSTOMER_ID 254		/* code points of customer_identifier */
#define LIMIT_METRIC_PROVIDERS 100	/* provider label values in /metrics; later ones are "other" */
#define LIMIT_METRIC_SERIES 8192	/* combinations of labels of a request in /metrics, then one sum */
#define LIMIT_METRIC_GENAI 256u		/* combinations of labels in the gen_ai metrics, seven histograms each; then one */
#define LIMIT_METRIC_MODELS 200		/* model label values in /metrics; later ones are "other" */

#endif
