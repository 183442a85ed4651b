/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openapi: the API in OpenAPI 3.1, made of the tables that it works by:
 * operations, schemas, a span's fields. Called once for each request for it.
 */
#include <config.h>

#include <stdio.h>

#include "api/answer.h"
#include "api/operations.h"
#include "core/limits.h"
#include "span/span.h"

/* "" is as if it were not there. */
#define MOMENT "{\"type\":\"string\",\"anyOf\":[{\"format\":\"date-time\"},{\"maxLength\":0}]}"
#define WINDOW "\"start_time\":" MOMENT, "\"end_time\":" MOMENT, \
	"\"environment\":{\"type\":\"string\"}", "\"all_envs\":{\"type\":\"string\"}"
#define PAGES(size) \
	"\"page\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":2147483647,\"default\":1}", \
	"\"page_size\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":2147483647,\"default\":" size "}"

/* The query parameters of each set: "name":schema. */
static const char *const parameters[PARAMETERS_SETS][16] = {
	[PARAMETERS_LIST] = { PAGES("100"), WINDOW, "\"sort_by\":{\"type\":\"string\",\"default\":\"-id\",\"pattern\":"
	    "\"^(-?(id|timestamp|cost|latency|time_to_first_token|tokens_per_second|prompt_tokens|completion_tokens|"
	    "total_request_tokens|all_tokens))?$\"}",
	    "\"log_type\":{\"type\":\"string\"}", "\"include_fields\":{\"type\":\"string\"}",
	    "\"is_test\":{\"type\":\"string\",\"pattern\":"
	    "\"^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|0|1)?$\"}",
	    "\"fetch_filters\":{\"type\":\"string\"}",
	    "\"operator\":{\"type\":\"string\"}" },
	[PARAMETERS_WINDOW] = { WINDOW },
	[PARAMETERS_PAGE] = { PAGES("100"), "\"environment\":{\"type\":\"string\"}", "\"all_envs\":{\"type\":\"string\"}" },
	[PARAMETERS_USERS] = { PAGES("50"), "\"environment\":{\"type\":\"string\"}", "\"all_envs\":{\"type\":\"string\"}",
	    "\"sort_by\":{\"type\":\"string\",\"default\":\"-first_seen\",\"pattern\":\"^(-?(customer_identifier|environment|"
	    "email|name|number_of_requests|total_tokens|total_cost|average_latency|average_ttft|first_seen|last_seen|"
	    "active_days))?$\"}" },
	[PARAMETERS_ONE] = { "\"environment\":{\"type\":\"string\"}", "\"all_envs\":{\"type\":\"string\"}" },
	[PARAMETERS_METRICS] = { WINDOW, "\"summary_type\":{\"type\":\"string\"}", "\"date\":{\"type\":\"string\"}",
	    "\"time_tick\":{\"type\":\"string\"}", "\"timezone_offset\":{\"type\":\"string\"}" },
};

static const struct { const char *name, *json; } schemas[] = {
#define SCHEMA(name, json) { name, json },
#include "api/schemas.tbl.h"
#undef SCHEMA
};

/* Bodies that are not, or not only, JSON by a schema: their media types. */
static const struct { const char *name, *content; } contents[] = {
	{ "Export", "{\"application/x-ndjson\":{},\"" API_JSON "\":{},\"text/csv\":{}}" },
	{ "Traces", "{\"" API_JSON "\":{\"schema\":{\"type\":\"object\"}},\"application/x-protobuf\":{}}" },
	{ "Audio", "{\"audio/*\":{},\"application/octet-stream\":{}}" },
};

/* What may go wrong, with any operation. 429 tells when to come back. */
static const struct { unsigned status; const char *sentence; } errors[] = {
	{ 400, "What is asked for is not understood; the text names the member" },
	{ 401, "No valid key" },
	{ 403, "The key's rights do not reach so far" },
	{ 404, "There is no such thing, or the key does not see it" },
	{ 413, "The body is too large" },
	{ 415, "A body of that type or coding is not taken" },
	{ 429, "The key's rate is passed, or there is no room for more; retry-after says when" },
	{ 500, "A fault of the gateway; its error_id stands in the log" },
	{ 503, "The store cannot be read now; retry-after says when" },
};

static const char *
field_type(enum span_type type)
{
	switch (type) {
	case SPAN_TEXT:
		return "{\"type\":[\"string\",\"null\"]}";
	case SPAN_TIME:
		return "{\"type\":[\"string\",\"null\"],\"format\":\"date-time\"}";
	case SPAN_INT:
		return "{\"type\":[\"integer\",\"null\"]}";
	case SPAN_BOOL:
		return "{\"type\":[\"boolean\",\"null\"]}";
	case SPAN_JSON:
		return "{}";
	default:
		return "{\"type\":[\"number\",\"null\"]}";
	}
}

static void
put_schemas(struct buf *out)
{
	buf_str(out, "\"schemas\":{\"Span\":{\"type\":\"object\",\"properties\":{");
	for (int i = 0; i < SPAN_FIELDS; i++)
		buf_printf(out, "%s\"%s\":%s", i ? "," : "", span_fields[i].name, field_type(span_fields[i].type));
	buf_str(out, "}}");
	for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++)
		buf_printf(out, ",\"%s\":%s", schemas[i].name, schemas[i].json);
	buf_str(out, "}");
}

/* {name} of the path, then the set of the query. */
static void
put_parameters(struct buf *out, const struct operation *o)
{
	const char *at = o->path, *end, *comma = "";

	buf_str(out, "\"parameters\":[");
	for (; (at = strchr(at, '{')) != NULL; at = end) {
		end = strchr(at, '}');
		buf_printf(out, "%s{\"name\":\"%.*s\",\"in\":\"path\",\"required\":true,\"schema\":{\"type\":\"string\",%s}}",
		    comma, (int)(end - at) - 1, at + 1, slice_starts(slice_str(at), SLICE("{span_id}")) ?
		    "\"pattern\":\"^[0-9a-f]{32}$\"" : "\"minLength\":1");
		comma = ",";
	}
	for (size_t i = 0; parameters[o->parameters][i] != NULL; i++) {
		at = parameters[o->parameters][i];
		end = strchr(at, ':');
		buf_printf(out, "%s{\"name\":%.*s,\"in\":\"query\",\"schema\":%s}", comma, (int)(end - at), at, end + 1);
		comma = ",";
	}
	buf_str(out, "]");
}

/* "content":{...} of what has that name. */
static void
put_content(struct buf *out, const char *name)
{
	buf_str(out, "\"content\":");
	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++)
		if (strcmp(contents[i].name, name) == 0) {
			buf_str(out, contents[i].content);
			return;
		}
	buf_printf(out, "{\"" API_JSON "\":{\"schema\":{\"$ref\":\"#/components/schemas/%s\"}}}", name);
}

static void
put_answer(struct buf *out, unsigned status, const char *sentence, const char *body)
{
	buf_printf(out, "\"%u\":{\"description\":\"%s\"", status, sentence);
	if (status == 429 || status == 503)
		buf_str(out, ",\"headers\":{\"retry-after\":{\"schema\":{\"type\":\"integer\"}}}");
	if (*body) {
		buf_str(out, ",");
		put_content(out, body);
	}
	buf_str(out, "}");
}

static void
put_answers(struct buf *out, const struct operation *o)
{
	bool audio = strcmp(o->answer, "Audio") == 0;
	/* Errors of OTLP come in the request's type. */
	const char *error = audio ? "" : strcmp(o->answer, "Traces") == 0 ? "Traces" : "Error";

	buf_str(out, "\"responses\":{");
	if (!operation_works(o))
		put_answer(out, 501, "This version of spangate does not do that yet", "Error");
	else
		put_answer(out, o->status, audio ? "The file" : o->sentence, o->answer);
	if (audio) {
		buf_str(out, ",");
		put_answer(out, 206, "The part that was asked for", o->answer);
		buf_str(out, ",");
		put_answer(out, 416, "The range lies outside of it", "");
	}
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		buf_str(out, ",");
		put_answer(out, errors[i].status, errors[i].sentence, error);
	}
	buf_str(out, "}");
}

static const char *
right_name(const struct operation *o)
{
	for (unsigned i = 0; i < RIGHTS; i++)
		if (o->right == 1u << i)
			return key_right_name(i);
	return "any";
}

/* "get", of "GET". */
static void
put_lower(struct buf *out, const char *text)
{
	for (; *text; text++)
		buf_byte(out, (char)(*text | 0x20));
}

/* A name that stands for itself in whatever is generated: get_request_logs_id. */
static void
put_id(struct buf *out, const struct operation *o)
{
	bool gap = true;

	put_lower(out, o->method);
	for (const char *p = o->path; *p; p++) {
		bool word = (*p | 0x20) >= 'a' && (*p | 0x20) <= 'z';

		word |= *p >= '0' && *p <= '9';
		if (word && gap)
			buf_byte(out, '_');
		if (word)
			buf_byte(out, *p);
		gap = !word;
	}
}

static void
put_operation(struct buf *out, const struct operation *o)
{
	buf_str(out, "\"");
	put_lower(out, o->method);
	buf_printf(out, "\":{\"summary\":\"%s\",\"operationId\":\"", o->sentence);
	put_id(out, o);
	if (o->open)
		buf_str(out, "\",\"description\":\"Needs no key.\",\"security\":[],");
	else
		buf_printf(out, "\",\"description\":\"Needs the right `%s`%s.\",", right_name(o), o->may_list ?
		    ", or `read` where it lists" : "");
	put_parameters(out, o);
	if (*o->request) {
		buf_str(out, ",\"requestBody\":{");
		put_content(out, o->request);
		buf_str(out, "}");
	}
	buf_str(out, ",");
	put_answers(out, o);
	buf_str(out, "}");
}

/* All methods of the path of operation n, unless an earlier one has it. */
static void
put_path(struct buf *out, size_t n)
{
	const char *path = operations[n].path, *comma = "";

	for (size_t i = 0; i < n; i++)
		if (strcmp(operations[i].path, path) == 0)
			return;
	buf_printf(out, "%s\"%s\":{", n ? "," : "", path);
	for (size_t i = n; i < operations_count; i++)
		if (strcmp(operations[i].path, path) == 0) {
			buf_str(out, comma);
			put_operation(out, &operations[i]);
			comma = ",";
		}
	buf_str(out, "}");
}

void
openapi_get(struct local_job *job, const struct local_request *request, void *arg)
{
	struct buf out;

	(void)arg;
	buf_init(&out, 4 * MIB);
	buf_str(&out, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"spangate\",\"version\":\"" PACKAGE_VERSION "\","
	    "\"description\":\"Spans of what went through the gateway, with the paths and shapes of the Respan API. "
	    "Paths are also taken without /api, and with a slash at the end.\"},\"servers\":[{\"url\":\"/api\"}],"
	    "\"security\":[{\"bearer\":[]},{\"key\":[]}");
	buf_str(&out, request->key ? "],\"paths\":{" : ",{}],\"paths\":{");	/* without keys none is needed */
	for (size_t i = 0; i < operations_count; i++)
		put_path(&out, i);
	buf_str(&out, "},\"components\":{\"securitySchemes\":{\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
	    "\"key\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"X-Api-Key\"}},");
	put_schemas(&out);
	buf_str(&out, "}}");
	local_head(job, 200, API_JSON, NULL);
	(void)api_flush(job, &out);
	buf_free(&out);
}
