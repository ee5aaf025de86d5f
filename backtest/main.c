/*
 * backtest - the pipeline's cores on recorded market data, in virtual time.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "backtest/run.h"
#include "libsys/version.h"

static const char usage_text[] =
    "usage: backtest COMMAND [OPTION]...\n"
    "\n"
    "  run CAPTURE...         the strategies on recorded market data\n"
    "  replay CAPTURE         a recorded production run, step by step: equal?\n"
    "  sweep CAPTURE...       many settings: grid, random, walk-forward\n"
    "  verify RESULT          a result against a table of targets\n"
    "  report CAPTURE DAY     the truth of a recorded day, from its records\n"
    "  queue PROBE            queue models against recorded books\n"
    "\n"
    "backtest COMMAND --help says more. Exit codes: 0 done, 1 not equal or a\n"
    "target missed, 64 usage, 65 a capture that cannot be read, 73 cannot\n"
    "write, 78 configuration.\n";

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
    {"run", cmd_run},
    {"replay", cmd_replay},
    {"sweep", cmd_sweep},
    {"verify", cmd_verify},
    {"report", cmd_report},
    {"queue", cmd_queue},
};

int
main(int argc, char **argv)
{
	if (argc > 1 &&
	    (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(usage_text, stdout);
		return 0;
	}
	if (argc > 1 &&
	    (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
		puts("backtest " RINGMAKER_VERSION);
		return 0;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (argc > 1 && strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	fputs(usage_text, stderr);
	return EXIT_USAGE;
}
