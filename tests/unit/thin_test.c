/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thinned chains: the span that is read of one is, in all its fields, the one
 * that its bytes gave. Over all golden exchanges however they are cut, and over
 * broken ones.
 */
#include <dirent.h>
#include <string.h>

#include "core/family.h"
#include "exchange.h"
#include "store/thin.h"
#include "tap.h"

static const struct build_options sink = { .row_only = true, .user_as_customer = true };
static const struct build_options reader = { .user_as_customer = true, .answer_media = MEDIA_CUT };

/* What differs is printed. */
static bool
spans_equal(const struct span *want, const struct span *got)
{
	struct buf a, b;
	bool same = true, equal;
	int i;

	for (i = 0; i < SPAN_FIELDS; i++) {
		buf_init(&a, EX_ROOM);
		buf_init(&b, EX_ROOM);
		span_value_json(want, (enum span_field)i, &a);
		span_value_json(got, (enum span_field)i, &b);
		equal = slice_eq(buf_view(&a), buf_view(&b));
		if (!equal)
			printf("# %s\n# want: %.*s\n# got:  %.*s\n", span_fields[i].name,
			    (int)(a.len < 400 ? a.len : 400), a.ptr, (int)(b.len < 400 ? b.len : 400), b.ptr);
		same = same && equal;
		buf_free(&a);
		buf_free(&b);
	}
	return same;
}

/* Are the bytes gone that facts tell of? */
static bool
is_thin(const struct chain *chain, const struct build *build)
{
	bool request = build_facts(build, DIRECTION_REQUEST).ptr != NULL;
	bool answer = build_facts(build, DIRECTION_ANSWER).ptr != NULL;
	size_t i, told = 0;

	for (i = 0; i < chain->count; i++) {
		struct slice fields = chain->records[i].payload;

		told += chain->records[i].type == RECORD_FACTS;
		if (record_get(fields, TAG_BYTES).ptr == NULL)
			continue;
		if (chain->records[i].type == RECORD_BEGIN ? request :
		    record_get_u64(fields, TAG_DIRECTION, 1) == 0 ? request : answer)
			return false;
	}
	return told == (size_t)request + answer;
}

/* Thins what the sink built and reads it: nothing changes. */
static bool
thinned_reads(const struct exchange *x, enum ex_cut cut, size_t *thinned, struct buf *warnings)
{
	struct ex_fed stored, whole;
	struct chain chain = { 0 }, thin = { 0 };
	const struct span *want;
	struct build *build;
	struct buf bytes;
	bool good = true;
	size_t i;

	ex_feed(&stored, x, &sink, cut);
	ex_feed(&whole, x, &reader, cut);
	(void)build_finish(stored.build);
	want = build_finish(whole.build);
	buf_init(&bytes, LIMIT_CHAIN);
	chain.records = stored.list;
	chain.count = stored.n;
	if (thin_chain(&chain, stored.build, &bytes)) {
		++*thinned;
		good = chain_parse(buf_view(&bytes), &thin) >= 0 && is_thin(&thin, stored.build);
		build = build_new(&reader);
		for (i = 0; i < thin.count; i++)
			build_feed(build, &thin.records[i]);
		good = spans_equal(want, build_finish(build)) && good;
		build_free(build);
		chain_free(&thin);
	}
	if (warnings != NULL)
		buf_slice(warnings, want->warnings);
	buf_free(&bytes);
	ex_fed_free(&stored);
	ex_fed_free(&whole);
	return good;
}

static void
golden(const char *path, const char *name, size_t *thinned)
{
	static char text[1 << 20];
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	struct exchange *x;
	int cut;

	if (f != NULL)
		fclose(f);
	ok(n > 0 && n < sizeof(text) - 1);
	text[n] = '\0';
	x = ex_parse(text);
	for (cut = EX_AS_IS; cut < (x->plain ? EX_BYTES : EX_CUTS); cut++) {
		printf("# %s, cut %d\n", name, cut);
		ok(thinned_reads(x, (enum ex_cut)cut, thinned, NULL));
	}
	ex_free(x);
}

static void
golden_family(const char *family, size_t *thinned)
{
	const char *top = getenv("TOP_SRCDIR");
	struct dirent *entry;
	char dir[2048], path[4096];
	size_t n;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/tests/data/%s", top ? top : ".", family);
	d = opendir(dir);
	while (d != NULL && (entry = readdir(d)) != NULL) {
		n = strlen(entry->d_name);
		if (n < 4 || strcmp(entry->d_name + n - 4, ".txt") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		golden(path, entry->d_name, thinned);
	}
	if (d != NULL)
		closedir(d);
}

static void
all_golden(void)
{
	size_t thinned, sum = 0;
	unsigned f;

	for (f = 0; f < FAMILY_COUNT; f++) {
		thinned = 0;
		golden_family(family_name((enum family)f), &thinned);
		printf("# %s: %zu thinned\n", family_name((enum family)f), thinned);
		/* the families of audio, and of forms with pictures */
		if (f == FAMILY_SPEECH || f == FAMILY_TRANSCRIPTION || f == FAMILY_IMAGE)
			ok(thinned > 0);
		sum += thinned;
	}
	ok(sum > 40);
}

#define BEGIN(family) "begin\n\tWALL 1763665501000000\n\tT_READ 2000\n\tFAMILY " family "\n\tTARGET /v1/x\n"
#define FORM BEGIN("transcription") "\tHEADERS content-type: multipart/form-data; boundary=B\n"
#define FILE_PART "\tBYTES --B\\r\\n" \
	"Content-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\\r\\n\\r\\nsound\\r\\n\n"
#define SEND "send\n\tATTEMPT 1\n\tT 2500\n"
#define HEAD(status, type) "head\n\tATTEMPT 1\n\tT 50000\n\tSTATUS " status "\n\tHEADERS content-type: " type "\n"
#define PART(t) "part\n\tATTEMPT 1\n\tT " t "\n"
#define TEXT HEAD("200", "application/json") PART("60000") "\tBYTES {\"text\":\"x\"}\n"
#define DELTA "\tBYTES data: {\"type\":\"speech.audio.delta\",\"audio\":\"AAEA\"}\\n\\n\n"
#define DONE "\tBYTES data: {\"type\":\"speech.audio.done\"}\\n\\n\n"
#define SPEECH BEGIN("speech") "\tHEADERS content-type: application/json\n\tBYTES {\"input\":\"x\"}\n" SEND
#define SSE SPEECH HEAD("200", "text/event-stream") PART("52000") DELTA PART("139000") "\tHELD 7000\n" DELTA
#define END "end\n\tT 159000\n\tREASON 0\n"

/* That warning (if any) is told, by the thinned chain too. */
static void
broken(const char *text, const char *warning, size_t thin)
{
	struct exchange *x = ex_parse(text);
	struct buf warnings;
	size_t thinned = 0;

	buf_init(&warnings, MIB);
	printf("# %s\n", warning);
	ok(thinned_reads(x, EX_AS_IS, &thinned, &warnings) && thinned == thin);
	buf_byte(&warnings, '\0');
	ok(strstr(warnings.ptr, warning) != NULL);
	buf_free(&warnings);
	ex_free(x);
}

static void
broken_requests(void)
{
	broken(FORM FILE_PART SEND TEXT END, "request_form_broken", 1);
	broken(FORM "\tBODY_LENGTH 9000\n" FILE_PART SEND TEXT END, "request_truncated", 1);
	broken(FORM "\tBODY_LENGTH 9000\n" FILE_PART SEND TEXT END, " of 9000 bytes were kept", 1);
	broken(FORM FILE_PART "part\n\tDIRECTION 0\n\tOFFSET 18000000000000000000\n\tBYTES x\n" SEND TEXT END,
	    "records_odd", 1);
}

static void
broken_answers(void)
{
	broken(SSE "\tBYTES data: nonsense\\n\\n\n" DONE END, "event_not_json", 1);
	broken(SSE END, "stream_truncated", 1);
	broken(SSE "\tBYTES data: [DONE]\\n\\n\n" END, "no_finish_reason", 1);
	broken(SSE PART("141000") "\tOFFSET 7000\n" DONE "end\n\tT 159000\n\tANSWER_LENGTH 9000\n\tREASON 0\n",
	    "body_truncated", 1);
	broken(SSE PART("141000") "\tOFFSET 0\n" DONE END, "records_odd", 1);
	broken(SPEECH HEAD("200", "audio/mpeg") "\tHEADERS content-encoding: gzip\n" PART("52000") "\tBYTES xyz\n" END,
	    "coding_broken", 1);
	broken(BEGIN("other") SEND HEAD("200", "image/png") "\tHEADERS content-encoding: gzip\n" PART("52000")
	    "\tBYTES xyz\n" END, "coding_broken", 1);
	broken(BEGIN("other") SEND HEAD("200", "image/png") "\tHEADERS content-encoding: dcb\n" PART("52000")
	    "\tBYTES xyz\n" END, "coding_unknown", 1);
}

/* Events under another type than theirs, and of an answer that is an error. */
static void
odd_streams(void)
{
	broken(SPEECH HEAD("200", "application/json") PART("52000") DELTA PART("139000") DELTA DONE END, "", 1);
	broken(SPEECH HEAD("200", "Text/Event-Stream") PART("52000") DELTA PART("139000") DELTA DONE END, "", 1);
	broken(SPEECH HEAD("500", "text/event-stream") PART("52000") DELTA DONE END, "", 0);
	broken(SSE DONE "end\n\tT 159000\n\tHELD 9000\n\tT_LAST 150000\n\tREASON 0\n", "", 1);
}

int
main(void)
{
	all_golden();
	broken_requests();
	broken_answers();
	odd_streams();
	return done();
}
