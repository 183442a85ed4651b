/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_print: the help of the flags and the sample file, both from the table
 * of options, so that neither can forget one. Called by the command line only.
 */
#include <config.h>

#include <string.h>

#include "base/config.h"
#include "base/config_int.h"

#define LINE_COLUMNS 79
#define HELP_COLUMN 24
#define HELP_INDENT "                        "

static const char sample_head[] =
"# spangate's settings. A line that is commented out shows the default, or an\n"
"# example where there is none. ${NAME} in a text is taken from the environment,\n"
"# ${NAME:-text} has a default. `spangate check-config -c FILE` checks a file.\n";

static const char sample_providers[] =
"# Where requests go, by name. Without `providers` there are openai and anthropic\n"
"# at their public addresses, each called with the client's own key. A provider\n"
"# is reached at /v1/... by its API, and by name at /NAME/v1/...\n"
"#\n"
"#providers:\n"
"#  openai:    { base_url: \"https://api.openai.com/v1\", api_key: \"${OPENAI_API_KEY}\" }\n"
"#  anthropic: { api: anthropic, base_url: \"https://api.anthropic.com\", api_key: \"${ANTHROPIC_API_KEY}\" }\n"
"#\n"
"#  # Azure OpenAI: one deployment, or .../openai/v1 for its newer interface.\n"
"#  azure:\n"
"#    base_url: https://NAME.openai.azure.com/openai/deployments/DEPLOYMENT\n"
"#    api_key: \"${AZURE_OPENAI_API_KEY}\"\n"
"#    auth: api-key\n"
"#    api_version: \"2024-10-21\"\n"
"#\n"
"#  # Gemini by its OpenAI path.\n"
"#  gemini:\n"
"#    base_url: https://generativelanguage.googleapis.com/v1beta/openai\n"
"#    api_key: \"${GEMINI_API_KEY}\"\n"
"#\n"
"#  openrouter: { base_url: \"https://openrouter.ai/api/v1\", api_key: \"${OPENROUTER_API_KEY}\" }\n"
"#  groq:       { base_url: \"https://api.groq.com/openai/v1\", api_key: \"${GROQ_API_KEY}\" }\n"
"#  vllm:       { base_url: \"http://127.0.0.1:8000/v1\" }\n"
"#  ollama:     { base_url: \"http://127.0.0.1:11434/v1\" }\n"
"#\n"
"# Members of a provider:\n";

static const char sample_routes[] =
"# Which model goes to which provider, whatever the request's path; the first\n"
"# pattern that matches counts. Three lines send all of Claude elsewhere:\n"
"#\n"
"#routes:\n"
"#  - model: \"claude-*\"\n"
"#    provider: openrouter\n"
"#\n"
"# Members of a route:\n";

static const char sample_sinks[] =
"# Other systems that spans are sent to, by name. Each is served by itself: what one\n"
"# does not take waits in the store. `spangate sinks` shows how far each has come.\n"
"#\n"
"#sinks:\n"
"#  respan: { kind: respan, url: \"https://api.respan.ai\", api_key: \"${RESPAN_API_KEY}\" }\n"
"#\n"
"# Members of a sink:\n";

static const char sample_keys[] =
"# Keys of the gateway's own, made by `spangate key`. Without any it is open, and\n"
"# listens on loopback only. A client sends one as its API key; providers then\n"
"# need an api_key of their own.\n"
"#\n"
"#keys:\n"
"#  - id: app1\n"
"#    environment: prod\n"
"#    sha256: (as `spangate key` prints it)\n"
"#\n"
"# Members of a key:\n";

static const char *
option_shown(const struct option *o)
{
	if (o->deflt != NULL)
		return o->deflt;
	return o->hint != NULL ? o->hint : "";
}

/* Bytes of text that go on a line with that much room. */
static size_t
line_length(const char *text, size_t room)
{
	size_t	n = room;

	if (strlen(text) <= room)
		return strlen(text);
	while (n > 0 && text[n] != ' ')
		n--;
	return n > 0 ? n : room;
}

static void
sentence_print(FILE *f, const char *indent, const char *text)
{
	size_t	n;

	for (; *text != '\0'; text += n + (text[n] == ' ')) {
		n = line_length(text, LINE_COLUMNS - strlen(indent));
		fprintf(f, "%s%.*s\n", indent, (int)n, text);
	}
}

void
config_print_help_line(FILE *f, const char *typed, const char *sentence)
{
	size_t	n = line_length(sentence, LINE_COLUMNS - HELP_COLUMN);

	fprintf(f, "  %-*s%.*s\n", HELP_COLUMN - 2, typed, (int)n, sentence);
	if (sentence[n] != '\0')
		sentence_print(f, HELP_INDENT, sentence + n + 1);
}

/* The options of the top scope; a group's name stands before its first one. */
static void
sample_top(FILE *f)
{
	char	group[32] = "";
	size_t	i;

	for (i = 0; i < config_options_count; i++) {
		const struct option *o = &config_options[i];
		const char	*dot = strchr(o->path, '.');
		size_t		 len = dot ? (size_t)(dot - o->path) : 0;

		if (o->scope != SCOPE_TOP)
			continue;
		if (dot == NULL) {
			fputc('\n', f);
			sentence_print(f, "# ", o->sentence);
			fprintf(f, "#%s: %s\n", o->path, option_shown(o));
			continue;
		}
		if (strncmp(group, o->path, len) != 0 || group[len] != '\0') {
			snprintf(group, sizeof(group), "%.*s", (int)len, o->path);
			fprintf(f, "\n#%s:\n", group);
		}
		sentence_print(f, "#  # ", o->sentence);
		fprintf(f, "#  %s: %s\n", dot + 1, option_shown(o));
	}
}

static void
sample_scope(FILE *f, unsigned scope, const char *text)
{
	size_t	i;

	fprintf(f, "\n%s", text);
	for (i = 0; i < config_options_count; i++) {
		const struct option *o = &config_options[i];

		if (o->scope != scope)
			continue;
		fprintf(f, "#   %s: %s\n", o->path, o->type == OPTION_ENUM &&
		    o->deflt == NULL ? o->hint : option_shown(o));
		sentence_print(f, "#       ", o->sentence);
	}
}

void
config_print_sample(FILE *f)
{
	fputs(sample_head, f);
	sample_top(f);
	sample_scope(f, SCOPE_PROVIDER, sample_providers);
	sample_scope(f, SCOPE_ROUTE, sample_routes);
	sample_scope(f, SCOPE_SINK, sample_sinks);
	sample_scope(f, SCOPE_KEY, sample_keys);
}

static const char *
value_name(const struct option *o)
{
	switch (o->type) {
	case OPTION_LISTEN:
		return " ADDRESS";
	case OPTION_COUNT:
		return " N";
	case OPTION_ENUM:
		return " LEVEL";
	case OPTION_BOOL:
		return "";
	case OPTION_TEXTS:
		return " FILE";
	default:
		return " DIR";
	}
}

void
config_print_help(FILE *f, const char *only)
{
	char	typed[64], sentence[256];
	size_t	i;

	for (i = 0; i < config_options_count; i++) {
		const struct option *o = &config_options[i];
		bool shown = o->deflt != NULL && o->type != OPTION_BOOL;

		if (o->flag == NULL || (only != NULL && strcmp(only, o->flag) != 0))
			continue;
		snprintf(typed, sizeof(typed), "--%s%s", o->flag, value_name(o));
		snprintf(sentence, sizeof(sentence), "%s%s%s%s", o->sentence,
		    shown ? " Default: " : "", shown ? o->deflt : "", shown ? "." : "");
		config_print_help_line(f, typed, sentence);
		if (o->type == OPTION_LISTEN)
			config_print_help_line(f, "--upstream URL", "Base URL of the provider "
			    "openai. Default: https://api.openai.com/v1.");
	}
}
