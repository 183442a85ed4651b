/* SPDX-License-Identifier: Apache-2.0 */
/* rewrite_form: which parts of a form are cut for which family, that all else
 * stays byte for byte, what is blanked, and what is read of a form. */
#include "core/limits.h"
#include "core/rewrite.h"
#include "exact.h"
#include "tap.h"

#define PART(name, value) \
	"--B\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
#define FILE_PART(name, value) "--B\r\nContent-Type: a/b\r\n" \
	"Content-Disposition: form-data; name=\"" name "\"; filename=\"x\"\r\n\r\n" value "\r\n"
#define END "--B--\r\n"
#define WAV FILE_PART("file", "RIFF\0\r\n--Bx\r\n")

static struct buf out;

/* The form after its edits, in `out`. */
static bool
cuts(struct slice form, enum family family, struct slice want)
{
	struct slice copy = exact_copy(form), piece;
	struct rewrite rw;
	struct edit_iter it;
	bool same;

	buf_clear(&out);
	if (rewrite_scan_form(&rw, copy, SLICE("B"), family) != 0 || rewrite_finish(&rw, REWRITE_ASK_USAGE) != 0)
		buf_str(&out, "failed");
	edit_iter_init(&it, &rw.edits, copy);
	while (edit_iter_next(&it, &piece))
		buf_slice(&out, piece);
	same = slice_eq(buf_view(&out), want) && out.len == edits_length(&rw.edits, copy.len);
	if (!same)
		printf("# %.*s\n", (int)out.len, out.ptr);
	rewrite_free(&rw);
	exact_free(copy);
	return same;
}

#define CUT(family, form, want) ok(cuts(SLICE(form), FAMILY_##family, SLICE(want)))
#define SAME(family, form) CUT(family, form, form)

static void
cut_test(void)
{
	SAME(TRANSCRIPTION, PART("model", "whisper-1") WAV END);
	CUT(TRANSCRIPTION, PART("model", "m") PART("customer_identifier", "u1") WAV END,
	    PART("model", "m") WAV END);
	CUT(TRANSCRIPTION, PART("customer_identifier", "u1") WAV PART("model", "m") PART("note", "n") END,
	    WAV PART("model", "m") END);
	CUT(TRANSCRIPTION, PART("note", "a") PART("metadata[feature]", "x") PART("metadata[deep][a]", "1")
	    WAV PART("metadata", "{}") PART("timestamp_granularities[]", "word") PART("span_name", "s") END,
	    WAV PART("timestamp_granularities[]", "word") END);
	CUT(IMAGE, PART("respan_params", "{\"note\":1}") PART("respan_params[a][b]", "1")
	    PART("keywordsai_params[]", "") PART("extra_body", "x") PART("size", "1") END,
	    PART("size", "1") END);
	CUT(OTHER, PART("note", "1") PART("note[", "2") PART("note]", "3") PART("notes", "4") PART("[note]", "5")
	    END, PART("note]", "3") PART("notes", "4") PART("[note]", "5") END);
	/* a member is ours also when it comes as a file */
	CUT(TRANSCRIPTION, WAV FILE_PART("metadata", "{\"a\":1}") END, WAV END);
	CUT(TRANSCRIPTION, "pre\r\n" PART("note", "1") END "post", "pre\r\n" END "post");
	CUT(TRANSCRIPTION, PART("note", "1") PART("note", "2") "--B--", "--B--");
	CUT(TRANSCRIPTION, PART("model", "m") "--B \t\r\nContent-Disposition:form-data;name=note\r\n\r\n--B--",
	    PART("model", "m") "--B--");
}

static void
rule_test(void)
{
	CUT(TRANSCRIPTION, PART("metadata", "{}") PART("model", "m") END, PART("model", "m") END);
	SAME(OTHER, PART("metadata[a]", "1") PART("metadata", "{}") PART("model", "m") END);
	SAME(RESPONSE, PART("metadata[a]", "1") END);
	SAME(TRANSCRIPTION, PART("prompt", "a hint") PART("prompt", "{\"prompt_id\":\"p\"}")
	    PART("prompt[prompt_id]", "p") PART("model", "m") END);
	SAME(IMAGE, PART("prompt", "a cat") END);
	CUT(IMAGE, PART("variables[a]", "1") PART("model", "m") END, PART("model", "m") END);
	SAME(IMAGE, PART("variables[a]", "1") PART("size", "1") END);
	SAME(TRANSCRIPTION, PART("stream", "true") PART("model", "m") END);
	SAME(CHAT, PART("stream", "true") PART("model", "m") END);
}

/* What is no whole form goes on untouched. */
static void
broken_test(void)
{
	SAME(TRANSCRIPTION, "");
	SAME(TRANSCRIPTION, PART("note", "1"));
	SAME(TRANSCRIPTION, PART("note", "1") "--B\r\n");
	SAME(TRANSCRIPTION, PART("note", "1") "--B-");
	SAME(TRANSCRIPTION, "--C\r\nContent-Disposition: form-data; name=note\r\n\r\n1\r\n--C--");
	SAME(TRANSCRIPTION, "{\"note\":1}");
	SAME(TRANSCRIPTION, END);
}

static void
read_test(void)
{
	struct rewrite rw;

	ok(rewrite_scan_form(&rw, SLICE(PART("model", "a") WAV PART("model", "whisper-1")
	    PART("stream", "true") END), SLICE("B"), FAMILY_TRANSCRIPTION) == 0);
	ok(rw.is_form && !rw.is_object && rw.stream && slice_eq(rw.form_model, SLICE("whisper-1")));
	rewrite_free(&rw);
	ok(rewrite_scan_form(&rw, SLICE(PART("stream", "True") PART("model", "a\nb") END), SLICE("B"),
	    FAMILY_TRANSCRIPTION) == 0);
	ok(rw.is_form && !rw.stream && rw.form_model.len == 0);
	rewrite_free(&rw);
	ok(rewrite_scan_form(&rw, SLICE(PART("model", "a\xff") END), SLICE("B"), FAMILY_IMAGE) == 0);
	ok(rw.is_form && rw.form_model.len == 0);
	rewrite_free(&rw);
	ok(rewrite_scan_form(&rw, SLICE(PART("model", "m") "--B"), SLICE("B"), FAMILY_IMAGE) == 0);
	ok(!rw.is_form && rw.count == 0);
	rewrite_free(&rw);
}

static bool
blanks(struct slice form, struct slice want)
{
	struct slice copy = exact_copy(form);
	struct rewrite rw;
	bool same;

	same = rewrite_scan_form(&rw, copy, SLICE("B"), FAMILY_TRANSCRIPTION) == 0;
	rewrite_blank(&rw, (char *)(uintptr_t)copy.ptr);
	same = same && slice_eq(copy, want);
	if (!same)
		printf("# %.*s\n", (int)copy.len, copy.ptr);
	rewrite_free(&rw);
	exact_free(copy);
	return same;
}

#define BLANK(form, want) ok(blanks(SLICE(form), SLICE(want)))

static void
blank_test(void)
{
	BLANK(PART("customer_credentials", "{\"k\":1}") PART("model", "m") END,
	    PART("customer_credentials", "*******") PART("model", "m") END);
	BLANK(PART("customer_credentials[openai][api_key]", "sk-1") PART("note", "n") END,
	    PART("customer_credentials[openai][api_key]", "****") PART("note", "n") END);
	BLANK(PART("respan_params[customer_api_keys][a]", "k") PART("respan_params[note]", "n") END,
	    PART("respan_params[customer_api_keys][a]", "*") PART("respan_params[note]", "n") END);
	BLANK(PART("metadata[respan_params][credential_override]", "k") END,
	    PART("metadata[respan_params][credential_override]", "*") END);
	BLANK(PART("respan_params", "{\"customer_api_keys\":\"abc\",\"note\":\"n\"}") END,
	    PART("respan_params", "{\"customer_api_keys\":\"***\",\"note\":\"n\"}") END);
	BLANK(PART("metadata", "{\"respan_params\":{\"credential_override\":1}}") END,
	    PART("metadata", "{\"respan_params\":{\"credential_override\":0}}") END);
	BLANK(PART("extra_body[respan_params]", "{\"credential_override\":1}") END,
	    PART("extra_body[respan_params]", "{\"credential_override\":0}") END);
	BLANK(FILE_PART("customer_credentials", "\0\r\n\r") END, FILE_PART("customer_credentials", "****") END);
	BLANK(PART("customer_credentials", "") END, PART("customer_credentials", "") END);
	/* JSON that broke off may have done so in a secret */
	BLANK(PART("respan_params", "{\"customer_api_keys\":{") PART("respan_params[note]", "n") END,
	    PART("respan_params", "**********************") PART("respan_params[note]", "n") END);
	/* and so may the form */
	BLANK(PART("credential_override", "a") "--B\r\n", PART("credential_override", "*") "--B\r\n");
	BLANK(PART("model", "m") "--B\r\nContent-Disposition: form-data; name=credential_override\r\n\r\nsk-12\r\n--",
	    PART("model", "m") "--B\r\nContent-Disposition: form-data; name=credential_override\r\n\r\n*********");
	BLANK(PART("file[customer_credentials]", "a") END, PART("file[customer_credentials]", "a") END);
}

/* As many parts of ours as parts may be; one more is no form. */
static void
limit_test(void)
{
	struct rewrite rw;
	struct buf b;
	size_t i;

	buf_init(&b, MIB);
	for (i = 0; i < LIMIT_PARTS; i += 2)
		buf_str(&b, i + 1 < LIMIT_PARTS ? PART("note", "1") PART("a", "1") : PART("note", "1"));
	buf_str(&b, END);
	ok(rewrite_scan_form(&rw, buf_view(&b), SLICE("B"), FAMILY_IMAGE) == 0 && rw.is_form);
	ok(rewrite_finish(&rw, REWRITE_ASK_USAGE) == 0 && rw.edits.count == (LIMIT_PARTS + 1) / 2);
	rewrite_free(&rw);
	b.len -= sizeof(END) - 1;
	buf_str(&b, PART("note", "1") END);
	ok(rewrite_scan_form(&rw, buf_view(&b), SLICE("B"), FAMILY_IMAGE) == 0 && !rw.is_form);
	ok(rewrite_finish(&rw, REWRITE_ASK_USAGE) == 0 && rw.edits.count == 0);
	rewrite_free(&rw);
	buf_free(&b);
}

int
main(void)
{
	buf_init(&out, MIB);
	cut_test();
	rule_test();
	broken_test();
	read_test();
	blank_test();
	limit_test();
	buf_free(&out);
	return done();
}
