/* SPDX-License-Identifier: Apache-2.0 */
/*
 * samples: see samples.h. The requests stand in demo.tbl.h; this sends them
 * with libcurl in the calling thread. It keeps nothing of the answers' bodies.
 */
#include <config.h>

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "demo/samples.h"
#include "demo/sound.h"

#define SAMPLE_TIMEOUT_MS 20000L
#define UPLOAD_MS 1000		/* of sound */
#define UPLOAD_BYTES ((size_t)1024 * 1024)

enum sample_kind { KIND_GET, KIND_POST, KIND_FORM };

static const struct sample {
	const char	*what;
	enum sample_kind kind;
	const char	*path;
	long		 status;
	const char	*body;		/* JSON; of a form: its fields as an object of texts */
} samples[] = {
#define SAMPLE(what, kind, path, status, ...) { what, KIND_##kind, path, status, #__VA_ARGS__ },
#include "demo/demo.tbl.h"
};

/* A request on its way. */
struct sending {
	const struct sample *sample;
	struct sample_result *result;
	CURL		*curl;
	struct curl_slist *headers;
	curl_mime	*form;
	uint64_t	 started_us;
};

size_t
samples_count(void)
{
	return sizeof(samples) / sizeof(samples[0]);
}

const char *
samples_what(size_t n)
{
	return samples[n].what;
}

static double
ms_since(uint64_t us)
{
	return (double)(clock_mono_us() - us) / 1e3;
}

static size_t
body_pass(char *bytes, size_t size, size_t n, void *arg)
{
	struct sending	*s = arg;

	(void)bytes;
	if (s->result->first_ms == 0)
		s->result->first_ms = ms_since(s->started_us);
	return size * n;
}

/* The answer names its span. */
static size_t
header_take(char *bytes, size_t size, size_t n, void *arg)
{
	static const struct slice name = SLICE("x-spangate-span-id:");
	struct sample_result *r = arg;
	struct slice	 line = slice_make(bytes, size * n);

	if (line.len > name.len && slice_caseeq(slice_make(line.ptr, name.len), name)) {
		line = slice_trim(slice_from(line, name.len));
		snprintf(r->span_id, sizeof(r->span_id), "%.*s", (int)strcspn(line.ptr, "\r\n"), line.ptr);
	}
	return size * n;
}

static void
header_add(struct sending *s, const char *line)
{
	s->headers = curl_slist_append(s->headers, line);
}

/* The keys are as pretended as the rest. */
static void
headers_add(struct sending *s)
{
	if (strncmp(s->sample->path, "/v1/messages", 12) == 0) {
		header_add(s, "x-api-key: pretend-key");
		header_add(s, "anthropic-version: 2023-06-01");
	} else
		header_add(s, "Authorization: Bearer pretend-key");
	if (s->sample->kind == KIND_POST)
		header_add(s, "Content-Type: application/json");
	curl_easy_setopt(s->curl, CURLOPT_HTTPHEADER, s->headers);
}

static void
form_make(struct sending *s)
{
	json_t		*fields = json_loads(s->sample->body, 0, NULL), *value;
	curl_mimepart	*part;
	struct buf	 sound;
	const char	*name;

	s->form = curl_mime_init(s->curl);
	json_object_foreach(fields, name, value) {
		part = curl_mime_addpart(s->form);
		curl_mime_name(part, name);
		curl_mime_data(part, json_string_value(value), CURL_ZERO_TERMINATED);
	}
	json_decref(fields);
	buf_init(&sound, UPLOAD_BYTES);
	sound_wav(&sound, UPLOAD_MS);
	part = curl_mime_addpart(s->form);
	curl_mime_name(part, "file");
	curl_mime_filename(part, "pretend.wav");
	curl_mime_type(part, "audio/wav");
	curl_mime_data(part, sound.ptr, sound.len);
	buf_free(&sound);
	curl_easy_setopt(s->curl, CURLOPT_MIMEPOST, s->form);
}

static void
address_set(struct sending *s, const char *address)
{
	bool	 local = strncmp(address, "unix:", 5) == 0;
	char	*url = xasprintf("%s%s", local ? "http://localhost" : address, s->sample->path);

	if (local)
		curl_easy_setopt(s->curl, CURLOPT_UNIX_SOCKET_PATH, address + 5);
	curl_easy_setopt(s->curl, CURLOPT_URL, url);
	free(url);
}

static void
sending_prepare(struct sending *s, const char *address)
{
	address_set(s, address);
	curl_easy_setopt(s->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(s->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(s->curl, CURLOPT_TIMEOUT_MS, SAMPLE_TIMEOUT_MS);
	curl_easy_setopt(s->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(s->curl, CURLOPT_USERAGENT, "spangate-demo/" PACKAGE_VERSION);
	curl_easy_setopt(s->curl, CURLOPT_ERRORBUFFER, s->result->error);
	curl_easy_setopt(s->curl, CURLOPT_WRITEFUNCTION, body_pass);
	curl_easy_setopt(s->curl, CURLOPT_WRITEDATA, s);
	curl_easy_setopt(s->curl, CURLOPT_HEADERFUNCTION, header_take);
	curl_easy_setopt(s->curl, CURLOPT_HEADERDATA, s->result);
	headers_add(s);
	if (s->sample->kind == KIND_POST)
		curl_easy_setopt(s->curl, CURLOPT_POSTFIELDS, s->sample->body);
	else if (s->sample->kind == KIND_FORM)
		form_make(s);
}

void
sample_run(size_t n, const char *address, struct sample_result *r)
{
	struct sending	s = { .sample = &samples[n], .result = r, .curl = curl_easy_init() };
	CURLcode	code;

	memset(r, 0, sizeof(*r));
	if (s.curl == NULL)
		return;
	sending_prepare(&s, address);
	s.started_us = clock_mono_us();
	code = curl_easy_perform(s.curl);
	r->whole_ms = ms_since(s.started_us);
	curl_easy_getinfo(s.curl, CURLINFO_RESPONSE_CODE, &r->status);
	r->expected = code == CURLE_OK && r->status == s.sample->status;
	if (code != CURLE_OK && r->error[0] == '\0')
		snprintf(r->error, sizeof(r->error), "%s", curl_easy_strerror(code));
	curl_mime_free(s.form);
	curl_slist_free_all(s.headers);
	curl_easy_cleanup(s.curl);
}
