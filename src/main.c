/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main: finds the subcommand and runs it. Each stands in a file of its own
 * (serve.c, check.c, cli_*.c, demo/demo.c) and in the one table here.
 */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "cli.h"

static const struct {
	const char	*name;
	int		(*run)(int argc, char **argv);
	const char	*sentence;
} commands[] = {
	{ "serve", cli_serve, "Run the gateway; also what happens without a subcommand." },
	{ "check-config", cli_check_config, "Check the settings; with --probe each provider too." },
	{ "spans", cli_spans, "List, show and export the stored spans." },
	{ "customers", cli_customers, "What each customer asked and spent." },
	{ "journal", cli_journal, "List, check and print the journal." },
	{ "verify", cli_verify, "Check that the journal and the store agree." },
	{ "sinks", cli_sinks, "How far spans are sent on to other systems; dead letters." },
	{ "prices", cli_prices, "Show, check and import prices; price usage and stored spans." },
	{ "demo", cli_demo, "Show it at work without a key, with a pretend provider." },
	{ "key", cli_key, "Make a key for clients of the gateway." },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int
help_print(void)
{
	size_t	i;

	puts("usage: spangate [serve] [options]\n"
	    "       spangate SUBCOMMAND [options]\n\n"
	    "A gateway for LLM APIs that keeps a span of every request. Without any option\n"
	    "it listens on 127.0.0.1:8787 and sends to the public OpenAI and Anthropic APIs\n"
	    "with the client's own key: set a client's base_url to http://127.0.0.1:8787/v1.\n");
	for (i = 0; i < COMMANDS; i++)
		config_print_help_line(stdout, commands[i].name, commands[i].sentence);
	printf("\nOptions of serve:\n");
	config_print_help(stdout, NULL);
	config_print_help_line(stdout, "-c, --config FILE", "File of settings.");
	config_print_help_line(stdout, "-h, --help",
	    "This text; spangate SUBCOMMAND --help tells more.");
	config_print_help_line(stdout, "--version", "The version.");
	puts("\nSettings in full: spangate check-config --sample, and the manual page spangate(1).");
	return CLI_GOOD;
}

int
main(int argc, char **argv)
{
	size_t	i;

	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0))
		return help_print();
	if (argc > 1 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
		puts("spangate " PACKAGE_VERSION);
		return CLI_GOOD;
	}
	if (argc < 2 || argv[1][0] == '-')
		return cli_serve(argc, argv);
	for (i = 0; i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "spangate: no such subcommand: %s (see spangate --help)\n", argv[1]);
	return CLI_USAGE;
}
