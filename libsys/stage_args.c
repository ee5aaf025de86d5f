#define _GNU_SOURCE
#include "libsys/stage_int.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libsys/version.h"

static void
help(const struct stage_ops *ops)
{
	printf("usage: %s [--instance NAME] [--stage STAGE]\n\n%s\n\n"
	       "  --instance NAME  pipeline to join (default: main)\n"
	       "  --stage STAGE    which of:",
	    ops->program, ops->about);
	for (int i = 0; i < ST_N; i++)
		if (strcmp(topo_stages[i].program, ops->program) == 0)
			printf(" %s", topo_stages[i].name);
	printf("\n  --version        print the version\n"
	       "  --help           this text\n\n"
	       "Started by `supervisor start`; it needs the instance's shared\n"
	       "memory, which the supervisor makes. Exit codes: 0 asked to\n"
	       "stop, 100 permanent, 111 temporary.\n");
}

static int
only_stage(const char *program)
{
	int found = -1;

	for (int i = 0; i < ST_N; i++) {
		if (strcmp(topo_stages[i].program, program) != 0)
			continue;
		if (found >= 0)
			return -1;
		found = i;
	}
	return found;
}

static int
choose(struct stage_args *a, const struct stage_ops *ops, const char *name)
{
	int id = name ? topo_stage_find(name) : only_stage(ops->program);

	if (id < 0 && name == 0) {
		fprintf(stderr, "%s: say which with --stage; see --help\n",
		    ops->program);
		return -1;
	}
	if (id < 0 || strcmp(topo_stages[id].program, ops->program) != 0) {
		fprintf(stderr, "%s: no stage \"%s\" of this program\n",
		    ops->program, name);
		return -1;
	}
	a->id = (enum stage_id)id;
	return 0;
}

int
stage_args_parse(struct stage_args *a, const struct stage_ops *ops, int argc,
    char **argv, int *code)
{
	static const struct option longs[] = {
	    {"instance", required_argument, 0, 'i'},
	    {"stage", required_argument, 0, 's'},
	    {"version", no_argument, 0, 'V'},
	    {"help", no_argument, 0, 'h'},
	    {0, 0, 0, 0},
	};
	const char *stage = 0;
	int c;

	a->instance = "main";
	*code = EXIT_PERMANENT;
	optind = 1;
	while ((c = getopt_long(argc, argv, "i:s:Vh", longs, 0)) != -1) {
		switch (c) {
		case 'i': a->instance = optarg; break;
		case 's': stage = optarg; break;
		case 'V':
			printf("%s %s\n", ops->program, RINGMAKER_VERSION);
			*code = 0;
			return -1;
		case 'h':
			help(ops);
			*code = 0;
			return -1;
		default: return -1;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "%s: unexpected argument \"%s\"; see --help\n",
		    ops->program, argv[optind]);
		return -1;
	}
	if (!instance_name_ok(a->instance)) {
		fprintf(stderr,
		    "%s: instance \"%s\": use 1 to 31 letters, digits, - or "
		    "_\n",
		    ops->program, a->instance);
		return -1;
	}
	return choose(a, ops, stage);
}
