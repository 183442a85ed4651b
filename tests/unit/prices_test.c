/* SPDX-License-Identifier: Apache-2.0 */
/* Price files in our own format: every member read, every mistake told with its place, and printed as it was read. */
#include "prices_util.h"
#include "span/prices_table.h"

/* The first entry's printed form. */
static bool
prints_as(const struct price_table *t, const char *want)
{
	struct slice text = quoted(want);
	struct buf out;
	bool same;

	buf_init(&out, MIB);
	if (t != NULL)
		price_print(price_table_at(t, 0), &out);
	same = slice_eq(buf_view(&out), text);
	if (!same)
		printf("# it is %.*s\n", (int)out.len, out.ptr ? out.ptr : "");
	buf_free(&out);
	exact_free(text);
	return same;
}

static const char whole[] =
    "{'provider': 'openai', 'match': ['gpt-x', 'gpt-x-*'], 'aliases': ['x'], 'from': '2026-01-01', "
    "'until': '2026-12-31', 'hours': ['16:30', '00:30'], 'per_million_tokens': {'input': 2.5, "
    "'cache_read': 1.25, 'cache_write': 3, 'cache_write_1h': 6, 'audio_in': 40, 'image_in': 5, 'output': 10, "
    "'reasoning': 11, 'audio_out': 80, 'image_out': 40}, 'per_million_characters': {'input': 15, 'output': 16}, "
    "'per_second': {'audio_in': 0.0001, 'audio_out': 0.000000000000001}, 'per_image': {'input': 0.01, "
    "'output': 0.04, '1024x1792': 0.08, 'hd/1024x1792': 0.12}, 'per_thousand_calls': {'request': 5, "
    "'web_search': 10, 'query': 2, 'page': 1, 'code_interpreter': 30, 'file_search': 2.5, 'request:high': 12}, "
    "'tiers': [{'prompt_over': 200000, 'per_million_tokens': {'input': 5}}, {'prompt_from': 272000, "
    "'per_million_tokens': {'input': 6}}], 'service_tiers': {'priority': {'per_million_tokens': {'input': 4.25}, "
    "'tiers': [{'prompt_over': 200000, 'per_million_tokens': {'input': 8.5}}]}, "
    "'flex': {'per_million_tokens': {'input': 1.25}}, 'batch': {'per_million_tokens': {'input': 1.2}}}, "
    "'multipliers': {'inference_geo:us': 1.1, 'speed:fast': 6}, 'min_seconds': 10, "
    "'note': 'for \\\\u0022people\\\\u0022'}";

static void
every_member(void)
{
	struct price_table *t;
	const struct price *p;
	bool missing = false;
	char text[sizeof(whole)], *note;

	snprintf(text, sizeof(text), "%s", whole);
	if ((note = strstr(text, "for \\\\")) != NULL)
		snprintf(note, 40, "for \\u0022people\\u0022'}");
	t = table_of(text);
	if (!ok(t != NULL && price_table_size(t) == 1))
		return;
	p = price_table_at(t, 0);
	ok(slice_eq(price_table_name(t), SLICE("test 2026-11-20")));
	ok(slice_eq(p->vendor, SLICE("openai")) && p->nnames == 3 && p->nmatch == 2 && p->line == 2);
	ok(p->from == at_time(20454, 0, 0) && p->until == at_time(20818, 0, 0));
	ok(p->hour_from == 16 * 60 + 30 && p->hour_until == 30 && p->min_seconds == 10);
	ok(slice_eq(p->note, SLICE("for \"people\"")));
	ok(p->nmultipliers == 2 && p->multipliers[0].micro == 1100000);
	ok(price_rate(p, RATE_INPUT, TIER_STANDARD, 1000, SLICE_NONE, &missing) == 2500000000);
	ok(price_rate(p, RATE_SECONDS_OUT, TIER_STANDARD, 0, SLICE_NONE, &missing) == 1);
	ok(price_rate(p, RATE_IMAGES_OUT, TIER_STANDARD, 0, SLICE("hd/1024x1792"), &missing) ==
	    INT64_C(120000000000000));
	ok(price_rate(p, RATE_FILE_SEARCHES, TIER_STANDARD, 0, SLICE_NONE, &missing) == INT64_C(2500000000000));
	ok(price_rate(p, RATE_INPUT, TIER_PRIORITY, 200001, SLICE_NONE, &missing) == 8500000000 && !missing);
	ok(table_prints(t));
	price_table_free(t);
	t = table_of("{'match': ['x'], 'per_million_tokens': {'output': '2.50', 'input': 1e0}, 'provider': 'GEMINI'}");
	ok(prints_as(t, "{'provider': 'google', 'match': ['x'], 'per_million_tokens': {'output': 2.5, 'input': 1}}"));
	price_table_free(t);
	t = table_of("{'match': ['x'], 'from': '1970-01-01', 'until': '9999-12-31'}");
	ok(prints_as(t, "{'match': ['x'], 'from': '1970-01-01', 'until': '9999-12-31'}"));
	price_table_free(t);
	t = table_of("{'match': ['x'], 'from': '2024-02-29', 'until': '2400-02-29'}");
	ok(prints_as(t, "{'match': ['x'], 'from': '2024-02-29', 'until': '2400-02-29'}"));
	price_table_free(t);
}

/* What an entry's mistake is called; it stands in line 3, as the second entry. */
static const struct { const char *entry, *model, *text; } entry_errors[] = {
	{ "'match': ['m'], 'per_token': {}", "m", "unknown member \"per_token\" of an entry" },
	{ "'match': ['m'], 'per_million_tokens': {'thinking': 1}", "m",
	    "unknown member \"thinking\" of per_million_tokens" },
	{ "'match': ['m'], 'per_second': {'input': 1}", "m", "unknown member \"input\" of per_second" },
	{ "'match': ['m'], 'per_image': {'big': 1}", "m", "unknown member \"big\" of per_image" },
	{ "'match': ['m'], 'per_image': {'medium/axb': 1}", "m",
	    "unknown member \"medium/axb\" of per_image" },
	{ "'match': ['m'], 'per_image': {'/1x1': 1}", "m", "unknown member \"/1x1\" of per_image" },
	{ "'match': ['m'], 'per_image': {'1x': 1}", "m", "unknown member \"1x\" of per_image" },
	{ "'match': ['m'], 'per_image': {'x1': 1}", "m", "unknown member \"x1\" of per_image" },
	{ "'match': ['m'], 'per_image': {'1x1 ': 1}", "m", "unknown member \"1x1 \" of per_image" },
	{ "'match': ['m'], 'per_thousand_calls': {'search': 1}", "m",
	    "unknown member \"search\" of per_thousand_calls" },
	{ "'match': ['m'], 'per_thousand_calls': {'request:': 1}", "m",
	    "unknown member \"request:\" of per_thousand_calls" },
	{ "'match': ['m'], 'per_million_tokens': {'input:high': 1}", "m",
	    "unknown member \"input:high\" of per_million_tokens" },
	{ "'match': ['m'], 'tiers': [{'prompt_over': 1, 'below': 1}]", "m", "unknown member \"below\" of a tier" },
	{ "'match': ['m'], 'service_tiers': {'scale': {}}", "m", "unknown service tier \"scale\"" },
	{ "'match': ['m'], 'service_tiers': {'flex': {'hours': []}}", "m",
	    "unknown member \"hours\" of a service tier" },
	{ "'match': ['m'], 'per_million_tokens': {'input': -1}", "m", "-1 is negative" },
	{ "'match': ['m'], 'per_million_tokens': {'input': '-0.1'}", "m", "\"-0.1\" is negative" },
	{ "'match': ['m'], 'per_million_tokens': {'input': 1000001}", "m", "the rate of input is absurd" },
	{ "'match': ['m'], 'per_million_tokens': {'input': 1e300}", "m", "1e300 is not a decimal number" },
	{ "'match': ['m'], 'per_image': {'output': 5001}", "m", "the rate of output is absurd" },
	{ "'match': ['m'], 'per_million_tokens': {'input': 'NaN'}", "m", "\"NaN\" is not a decimal number" },
	{ "'match': ['m'], 'per_million_tokens': {'input': ''}", "m", "\"\" is not a decimal number" },
	{ "'match': ['m'], 'per_million_tokens': {'input': null}", "m", "null is not a decimal number" },
	{ "'match': ['m'], 'per_million_tokens': {'input': [1]}", "m", "[1] is not a decimal number" },
	{ "'match': ['m'], 'per_million_tokens': [1]", "m", "per_million_tokens is not an object" },
	{ "'match': ['m'], 'per_million_tokens': {'input': 1, 'input': 1}", "m", "the rate of input twice" },
	{ "'match': ['m', 'M']", "m", "the name M twice" },
	{ "'match': ['m'], 'aliases': ['m']", "m", "the name m twice" },
	{ "'match': ['m'], 'aliases': ['n*']", "m", "an alias is an exact name" },
	{ "'match': ['m'], 'aliases': 'n'", "m", "aliases is not a list" },
	{ "'match': 'm'", "", "match is not a list" },
	{ "'match': []", "", "an entry needs match, a list of names" },
	{ "'match': ['']", "", "a name is not a text" },
	{ "'match': [1]", "", "a name is not a text" },
	{ "'provider': 'openai'", "", "an entry needs match, a list of names" },
	{ "'match': ['m'], 'provider': 1", "m", "provider is not a text" },
	{ "'match': ['m'], 'note': null", "m", "note is not a text" },
	{ "'match': ['m'], 'from': '2026-13-01'", "m", "\"2026-13-01\" is not a day YYYY-MM-DD" },
	{ "'match': ['m'], 'from': '2026-04-31'", "m", "\"2026-04-31\" is not a day YYYY-MM-DD" },
	{ "'match': ['m'], 'from': '2026-01-00'", "m", "\"2026-01-00\" is not a day YYYY-MM-DD" },
	{ "'match': ['m'], 'from': '2026-02-29'", "m", "\"2026-02-29\" is not a day YYYY-MM-DD" },
	{ "'match': ['m'], 'from': '2100-02-29'", "m", "\"2100-02-29\" is not a day YYYY-MM-DD" },
	{ "'match': ['m'], 'from': '1969-12-31'", "m", "\"1969-12-31\" is not a day YYYY-MM-DD" },
	{ "'match': ['m'], 'from': '20260101'", "m", "\"20260101\" is not a day YYYY-MM-DD" },
	{ "'match': ['m'], 'from': 20260101", "m", "20260101 is not a day YYYY-MM-DD" },
	{ "'match': ['m'], 'until': '2026-1-1'", "m", "\"2026-1-1\" is not a day YYYY-MM-DD" },
	{ "'match': ['m'], 'from': '2026-01-02', 'until': '2026-01-02'", "m", "until is not after from" },
	{ "'match': ['m'], 'from': '2026-01-02', 'until': '2025-01-02'", "m", "until is not after from" },
	{ "'match': ['m'], 'hours': ['24:00', '01:00']", "m", "\"24:00\" is not a time of day HH:MM" },
	{ "'match': ['m'], 'hours': ['1:00', '02:00']", "m", "\"1:00\" is not a time of day HH:MM" },
	{ "'match': ['m'], 'hours': ['01:60', '02:00']", "m", "\"01:60\" is not a time of day HH:MM" },
	{ "'match': ['m'], 'hours': ['01:00']", "m", "hours are two different times of day" },
	{ "'match': ['m'], 'hours': ['01:00', '01:00']", "m", "hours are two different times of day" },
	{ "'match': ['m'], 'hours': ['01:00', '02:00', '03:00']", "m", "hours are two times of day" },
	{ "'match': ['m'], 'tiers': [{'per_million_tokens': {'input': 1}}]", "m",
	    "a tier needs prompt_over or prompt_from" },
	{ "'match': ['m'], 'tiers': [{'prompt_over': 1.5}]", "m", "prompt_over is not a whole number" },
	{ "'match': ['m'], 'tiers': [{'prompt_over': '1'}]", "m", "prompt_over is not a whole number" },
	{ "'match': ['m'], 'tiers': [{'prompt_from': -1}]", "m", "prompt_from is not a whole number" },
	{ "'match': ['m'], 'tiers': [{'prompt_from': 1000000000001}]", "m", "prompt_from is not a whole number" },
	{ "'match': ['m'], 'tiers': [{'prompt_over': 1}, {'prompt_from': 2}]", "m", "two tiers with the same bound" },
	{ "'match': ['m'], 'tiers': [{'prompt_over': 1, 'prompt_from': 5}]", "m", "a tier has one bound" },
	{ "'match': ['m'], 'tiers': [{'prompt_from': 5, 'prompt_over': 0}]", "m", "a tier has one bound" },
	{ "'match': ['m'], 'tiers': [], 'tiers': []", "m", "the member \"tiers\" of an entry twice" },
	{ "'match': ['m'], 'per_second': {}, 'per_second': {}", "m",
	    "the member \"per_second\" of an entry twice" },
	{ "'match': ['m'], 'tiers': {}", "m", "tiers is not a list" },
	{ "'match': ['m'], 'tiers': [1]", "m", "a tier is not an object" },
	{ "'match': ['m'], 'service_tiers': []", "m", "service_tiers is not an object" },
	{ "'match': ['m'], 'service_tiers': {'flex': 1}", "m", "a service tier is not an object" },
	{ "'match': ['m'], 'multipliers': {'fast': 1}", "m", "a multiplier is called name:value" },
	{ "'match': ['m'], 'multipliers': {'speed:fast': -1}", "m", "-1 is negative" },
	{ "'match': ['m'], 'multipliers': {'speed:fast': 1000.1}", "m", "a factor of over 1000" },
	{ "'match': ['m'], 'multipliers': []", "m", "multipliers is not an object" },
	{ "'match': ['m'], 'min_seconds': 0.5", "m", "min_seconds is not a whole number from 0 to 86400" },
	{ "'match': ['m'], 'min_seconds': 86401", "m", "min_seconds is not a whole number from 0 to 86400" },
};

/* Is the second entry's mistake told so? */
static bool
entry_fails(const char *entry, const char *model, const char *want)
{
	char text[2000];
	struct price_error err;
	struct price_table *t;

	snprintf(text, sizeof(text), "{'format': 1, 'name': 'n', 'prices': [\n{'match': ['first']},\n{%s}\n]}", entry);
	t = table_read(text, &err);
	if (t == NULL && err.line == 3 && err.entry == 2 && strcmp(err.model, model) == 0 &&
	    strstr(err.text, want) == err.text)
		return true;
	printf("# {%s}: %s, line %u, entry %ld, model %s: %s\n", entry, t ? "good" : "bad", err.line, err.entry,
	    err.model, err.text);
	price_table_free(t);
	return false;
}

static void
mistakes_of_entries(void)
{
	char name[400], entry[1000];

	for (size_t i = 0; i < sizeof(entry_errors) / sizeof(*entry_errors); i++)
		ok(entry_fails(entry_errors[i].entry, entry_errors[i].model, entry_errors[i].text));
	memset(name, 'a', sizeof(name));
	snprintf(entry, sizeof(entry), "'match': ['m', '%.201s']", name);
	ok(entry_fails(entry, "m", "a name of more than 200 bytes"));
}

/* Mistakes of the file as a whole, and on which line. */
static void
mistakes_of_files(void)
{
	static const struct { const char *file; unsigned line; const char *text; } cases[] = {
		{ "", 1, "not valid JSON" },
		{ "[1]", 1, "a provider is not an object" },
		{ "7", 1, "no price file" },
		{ "{}", 1, "no price file" },
		{ "{'name': 'n', 'prices': []}", 1, "no price file" },
		{ "{'format': 2, 'name': 'n', 'prices': []}", 1, "format 2 is not known, only 1" },
		{ "{'format': '1', 'name': 'n', 'prices': []}", 1, "format \"1\" is not known, only 1" },
		{ "{'format': 1, 'prices': []}", 1, "a price file needs name and prices" },
		{ "{'format': 1, 'name': 'n'}", 1, "a price file needs name and prices" },
		{ "{'format': 1,\n'name': '', 'prices': []}", 2, "name is not a text" },
		{ "{'format': 1,\n\n'title': 'n', 'prices': []}", 3, "unknown member \"title\" of the file" },
		{ "{'format': 1, 'name': 'n', 'prices': [],\n'prices': []}", 2,
		    "the member \"prices\" of the file twice" },
		{ "{'format': 1, 'name': 'n', 'prices': {}}", 1, "prices is not a list" },
		{ "{'format': 1, 'name': 'n', 'prices': [7]}", 1, "an entry is not an object" },
		{ "{'format': 1, 'name': 'n',\n'updated': 'today', 'prices': []}", 2, "\"today\" is not a day" },
		{ "{'format': 1, 'name': 'n', 'sources': 'x', 'prices': []}", 1, "sources is not a list" },
		{ "{'format': 1, 'name': 'n', 'sources': [1], 'prices': []}", 1, "a source is not a text" },
		{ "{'format': 1,\n'name': 'n', 'prices': [\n{'match': ['m'],\n'per_image': {'output': NaN}}]}", 4,
		    "not valid JSON" },
		{ "{'format': 1, 'name': 'n', 'prices': []}\nx", 2, "not valid JSON" },
		{ "{'format': 1, 'name': 'n',\n'prices': [{'match': ['m\xff']}]}", 2, "not UTF-8" },
		{ "{'format': 1, 'name': 'n',\n'prices': [{'match': ['m']}, {'match': ['M']}]}", 2,
		    "M stands in the entry of line 2 already" },
	};
	struct price_error err;
	struct price_table *t;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		t = table_read(cases[i].file, &err);
		printf("# %s: line %u, %s\n", cases[i].text, err.line, err.text);
		ok(t == NULL && err.line == cases[i].line && strstr(err.text, cases[i].text) == err.text);
		price_table_free(t);
	}
}

static void
nesting(void)
{
	struct price_error err;
	struct buf deep;

	buf_init(&deep, MIB);
	buf_str(&deep, "{\"format\": 1, \"name\": \"n\", \"prices\":\n");
	for (int i = 0; i < LIMIT_JSON_DEPTH + 10; i++)
		buf_byte(&deep, '[');
	ok(price_table_read(buf_view(&deep), SLICE("f"), &err) == NULL && err.line == 2);
	ok(strcmp(err.text, "nested too deeply") == 0);
	buf_free(&deep);
}

/* Two entries that would be chosen as well: or not, as their times do not meet. */
static void
twice(void)
{
	static const struct { const char *a, *b; bool good; } cases[] = {
		{ "", "", false }, { "'provider': 'openai', ", "", true },
		{ "'provider': 'openai', ", "'provider': 'OpenAI', ", false },
		{ "'provider': 'google', ", "'provider': 'gemini', ", false },
		{ "'until': '2026-01-01', ", "'from': '2026-01-01', ", true },
		{ "'from': '2026-01-01', ", "'from': '2026-01-01', ", false },
		{ "'from': '2026-01-01', ", "'from': '2026-01-02', ", true },
		{ "'hours': ['01:00', '02:00'], ", "", true },
		{ "'hours': ['01:00', '02:00'], ", "'hours': ['02:00', '01:00'], ", true },
		{ "'hours': ['01:00', '02:01'], ", "'hours': ['02:00', '03:00'], ", false },
		{ "'hours': ['23:00', '00:01'], ", "'hours': ['00:00', '01:00'], ", false },
	};
	struct price_error err;
	struct price_table *t;
	char text[500];

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(text, sizeof(text), "{'format': 1, 'name': 'n', 'prices': [\n{%s'match': ['m']},\n"
		    "{%s'match': ['n', 'm']}]}", cases[i].a, cases[i].b);
		t = table_read(text, &err);
		printf("# {%s} and {%s}\n", cases[i].a, cases[i].b);
		ok((t != NULL) == cases[i].good);
		ok(t != NULL || (err.line == 3 && err.entry == 2 && strcmp(err.model, "m") == 0 &&
		    strcmp(err.text, "m stands in the entry of line 2 already") == 0));
		price_table_free(t);
	}
}

/* A list of n parts, each printed with its number. */
static void
many(struct buf *out, const char *head, const char *part, int n, const char *tail)
{
	buf_clear(out);
	buf_str(out, "{'format': 1, 'name': 'n', 'prices': [{'match': ['m'], ");
	buf_str(out, head);
	for (int i = 0; i < n; i++) {
		char text[200];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(text, sizeof(text), part, i + 1);
#pragma GCC diagnostic pop
		buf_printf(out, "%s%s", i ? "," : "", text);
	}
	buf_str(out, tail);
	buf_byte(out, '\0');
}

static void
too_many(void)
{
	static const struct { const char *head, *part, *tail; int most; const char *text; } cases[] = {
		{ "'aliases': [", "'n%d'", "]}]}", PRICE_NAMES - 1, "more than 4096 names" },
		{ "'tiers': [", "{'prompt_from': %d}", "]}]}", PRICE_SETS - 1, "more than 64 tiers" },
		{ "'per_image': {", "'%dx1': 1", "}}]}", PRICE_RATES, "more than 256 rates" },
		{ "'multipliers': {", "'a:%d': 1", "}}]}", PRICE_MULTIPLIERS, "more than 32 multipliers" },
	};
	struct price_error err;
	struct price_table *t;
	struct buf text;

	buf_init(&text, 4 * MIB);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		many(&text, cases[i].head, cases[i].part, cases[i].most, cases[i].tail);
		t = table_read(text.ptr, &err);
		ok(t != NULL && table_prints(t));
		price_table_free(t);
		many(&text, cases[i].head, cases[i].part, cases[i].most + 1, cases[i].tail);
		t = table_read(text.ptr, &err);
		printf("# %s\n", err.text);
		ok(t == NULL && strcmp(err.text, cases[i].text) == 0 && err.entry == 1);
		price_table_free(t);
	}
	buf_free(&text);
}

static void
too_many_entries(void)
{
	struct price_error err;
	struct price_table *t;
	struct buf text;

	buf_init(&text, 64 * MIB);
	buf_str(&text, "{\"format\": 1, \"name\": \"n\", \"prices\": [\n");
	for (int i = 0; i < PRICE_ENTRIES; i++)
		buf_printf(&text, "%s{\"match\": [\"n%d\"]}", i ? ",\n" : "", i);
	buf_str(&text, "]}");
	t = price_table_read(buf_view(&text), SLICE("f"), &err);
	ok(t != NULL && price_table_size(t) == PRICE_ENTRIES);
	price_table_free(t);
	text.len -= 2;
	buf_str(&text, ",\n{\"match\": [\"last\"]}]}");
	t = price_table_read(buf_view(&text), SLICE("f"), &err);
	ok(t == NULL && err.line == PRICE_ENTRIES + 2 && strcmp(err.text, "more than 200000 entries") == 0);
	price_table_free(t);
	buf_free(&text);
}

/* Cut anywhere, a file is a mistake: never half a table. */
static void
cuts(void)
{
	char text[sizeof(whole) + 200];
	struct price_error err;
	struct slice file, cut;
	size_t good = 0, silent = 0;

	snprintf(text, sizeof(text), "{'format': 1, 'name': 'n', 'updated': '2026-11-20', 'sources': ['s'],\n"
	    "'prices': [%s]}", whole);
	file = quoted(text);
	for (size_t n = 0; n < file.len; n++) {
		struct price_table *t;

		cut = exact_copy(slice_make(file.ptr, n));
		t = price_table_read(cut, SLICE("cut"), &err);
		good += t != NULL;
		silent += t == NULL && (err.text[0] == '\0' || err.line == 0);
		price_table_free(t);
		exact_free(cut);
	}
	ok(good == 0);
	ok(silent == 0);
	exact_free(file);
}

static struct buf
file_of(const char *name)
{
	const char *top = getenv("TOP_SRCDIR");
	struct buf text;
	char path[1000];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", top ? top : ".", name);
	buf_init(&text, 64 * MIB);
	if ((f = fopen(path, "r")) == NULL)
		return text;
	while (buf_reserve(&text, 64 * KIB) != NULL && (n = fread(text.ptr + text.len, 1, 64 * KIB, f)) > 0)
		text.len += n;
	fclose(f);
	return text;
}

/* What is printed of whole tables is read as the same: ours and, where they
 * stand beside the checkout, those that it was made of. */
static void
whole_tables(void)
{
	static const char *const files[] = { "pricing/prices.json",
		"../shared/data/litellm-model_prices_and_context_window.json",
		"../shared/data/genai-prices-0.1.8-data.json" };

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct buf text = file_of(files[i]);
		struct price_error err;
		struct price_table *t;

		if (text.len == 0) {
			printf("# %s is not there\n", files[i]);
			continue;
		}
		t = price_table_read(buf_view(&text), SLICE("file"), &err);
		printf("# %s: %zu entries, %s\n", files[i], t ? price_table_size(t) : 0, err.text);
		ok(t != NULL && price_table_size(t) > 500 && table_prints(t));
		price_table_free(t);
		buf_free(&text);
	}
}

int
main(void)
{
	every_member();
	mistakes_of_entries();
	mistakes_of_files();
	nesting();
	twice();
	too_many();
	too_many_entries();
	cuts();
	whole_tables();
	return done();
}
