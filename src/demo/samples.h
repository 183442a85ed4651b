/* SPDX-License-Identifier: Apache-2.0 */
/*
 * samples: the demo's requests of every family, sent through the gateway one
 * after the other as any client would. Used by demo.c.
 */
#ifndef DEMO_SAMPLES_H
#define DEMO_SAMPLES_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#define SAMPLE_ID_BYTES 33

struct sample_result {
	long		 status;	/* 0: no answer came */
	bool		 expected;	/* whole, and with the status that it must have */
	char		 span_id[SAMPLE_ID_BYTES]; /* "": the answer named none */
	double		 first_ms, whole_ms; /* from the start to the body's first byte and to its end */
	char		 error[CURL_ERROR_SIZE];	/* for people, where no whole answer came */
};

size_t		 samples_count(void);
const char	*samples_what(size_t n);

/* Sends request n and reads the whole answer. address is the gateway's:
 * "http://127.0.0.1:8787" or "unix:/path". */
void	sample_run(size_t n, const char *address, struct sample_result *);

#endif
