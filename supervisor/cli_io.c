#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libshm/instance.h"
#include "libshm/topo.h"
#include "libsys/version.h"
#include "supervisor/envkey_io.h"
#include "supervisor/opts.h"

extern char **environ;

static const char usage_text[] =
    "usage: supervisor [OPTION]... COMMAND [all|STAGE]...\n"
    "\n"
    "Start, watch, restart and freeze the pipeline.\n"
    "\n"
    "  start [STAGE]...    start; returns when they are ready\n"
    "  stop [STAGE]...     stop in order; without names everything\n"
    "  restart [STAGE]...  stop and start\n"
    "  status              what runs, what freezes trading\n"
    "  freeze [TEXT]       cancel everything and send nothing, until thaw\n"
    "  thaw --reason TEXT  lift latched freezes\n"
    "  reload [--restart]  read the configuration again, all or nothing\n"
    "  config [KEY|GROUP]  every setting, its value and where it came from\n"
    "  check               try configuration and machine, start nothing\n"
    "  doctor [STAGE]...   would orders be taken? keys, clocks, accounts\n"
    "  ledger              positions: riskd, execd and the venue compared\n"
    "  why [MARKET]        every filter between a market and an order; --json\n"
    "  logs [-f] [STAGE]...  logs for people; --json as they are\n"
    "\n"
    "  -i, --instance NAME  which pipeline (main)\n"
    "  -c, --config FILE    configuration; again for one on top of it\n"
    "  -s, --set KEY=VALUE  one setting, over files and environment\n"
    "  -j, --json           machine-readable output\n"
    "      --foreground     start: stay, log to stderr (systemd, containers)\n"
    "      --keep           stop: leave the shared memory for a look\n"
    "      --restart        reload: restart the stages if a key needs it\n"
    "      --wait SECONDS   ledger: for figures to be fresh; 0: one look\n"
    "  -r, --reason TEXT    thaw, freeze: why\n"
    "  -f, --follow         logs: wait for more\n"
    "  -n, --lines N        logs: last N lines of each (20)\n"
    "  -V, --version   -h, --help\n"
    "\n"
    "A STAGE is a stage (feedd.binance), a program (feedd) or all.\n"
    "Exit codes: 0 done, 1 degraded, 2 orders may still rest (ledger: not "
    "all\ncould be compared), 64 usage, 69 not running, 70 internal, 75 not "
    "ready in\ntime, 77 no permission, 78 bad configuration, 100 gave up, 111 "
    "temporary.\n";

enum long_opt {
	OPT_FOREGROUND = 256,
	OPT_KEEP,
	OPT_RESTART,
	OPT_WAIT,
};

static const struct option longs[] = {
    {"instance", required_argument, NULL, 'i'},
    {"config", required_argument, NULL, 'c'},
    {"set", required_argument, NULL, 's'},
    {"json", no_argument, NULL, 'j'},
    {"reason", required_argument, NULL, 'r'},
    {"follow", no_argument, NULL, 'f'},
    {"lines", required_argument, NULL, 'n'},
    {"foreground", no_argument, NULL, OPT_FOREGROUND},
    {"keep", no_argument, NULL, OPT_KEEP},
    {"restart", no_argument, NULL, OPT_RESTART},
    {"wait", required_argument, NULL, OPT_WAIT},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int
bad(const char *what, const char *text, const char *advice)
{
	fprintf(stderr, "supervisor: %s \"%s\"%s; see supervisor --help\n",
	    what, text, advice);
	return SUP_USAGE;
}

static int
add(const char **list, size_t *n, size_t max, const char *value)
{
	if (*n == max)
		return bad("too many: no room for", value, "");
	list[(*n)++] = value;
	return 0;
}

static int
lines(struct sup_opts *o, const char *text)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || v > 100000)
		return bad("--lines", text, ": use 0 to 100000");
	o->lines = (unsigned)v;
	return 0;
}

static int
wait_for(struct sup_opts *o, const char *text)
{
	char *end;
	long v = strtol(text, &end, 10);

	if (end == text || *end != '\0' || v < 0 || v > 3600)
		return bad("--wait", text, ": use 0 to 3600 seconds");
	o->wait_s = (int)v;
	return 0;
}

static int
option(struct sup_opts *o, int c)
{
	switch (c) {
	case 'i':
		o->instance = optarg;
		return instance_name_ok(optarg)
			   ? 0
			   : bad("instance", optarg,
				 ": use 1 to 31 letters, digits, - or _");
	case 'c': return add(o->config, &o->config_n, CFGFILE_N_MAX, optarg);
	case 's': return add(o->set, &o->set_n, 32, optarg);
	case 'j': o->json = true; return 0;
	case 'r': o->reason = optarg; return 0;
	case 'f': o->follow = true; return 0;
	case 'n': return lines(o, optarg);
	case OPT_FOREGROUND: o->foreground = true; return 0;
	case OPT_KEEP: o->keep = true; return 0;
	case OPT_RESTART: o->restart = true; return 0;
	case OPT_WAIT: return wait_for(o, optarg);
	default: return SUP_USAGE;
	}
}

struct command {
	const char *name;
	int (*run)(const struct sup_opts *o);
};

static const struct command commands[] = {
    {"start", cmd_start},
    {"stop", cmd_ask},
    {"restart", cmd_ask},
    {"status", cmd_status},
    {"freeze", cmd_freeze},
    {"thaw", cmd_ask},
    {"reload", cmd_ask},
    {"config", cmd_config},
    {"check", cmd_check},
    {"logs", cmd_logs},
    {"why", cmd_why},
    {"doctor", cmd_doctor},
    {"ledger", cmd_ledger},
};

static int
run(const struct sup_opts *o)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, o->command) == 0)
			return commands[i].run(o);
	return bad("no command", o->command, "");
}

/* Where the configuration is when nobody says. */
static void
default_config(struct sup_opts *o)
{
	static const char *const usual[] = {
	    "etc/ringmaker.yaml", "/etc/ringmaker/ringmaker.yaml"};
	const char *env = getenv("RINGMAKER_CONFIG");

	if (o->config_n > 0)
		return;
	if (env != NULL && env[0] != '\0') {
		o->config[o->config_n++] = env;
		return;
	}
	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		if (access(usual[i], R_OK) != 0)
			continue;
		o->config[o->config_n++] = usual[i];
		return;
	}
}

int
cli_run(int argc, char **argv)
{
	struct sup_opts o = {.instance = "main", .lines = 20, .wait_s = -1};
	int rc = envkey_take();
	int c;

	if (rc < 0) {
		fprintf(stderr,
		    "supervisor: a private key of the environment cannot be "
		    "kept: %s; name its file instead, or raise ulimit -l\n",
		    strerror(-rc));
		return SUP_TEMPORARY;
	}
	optind = 1;
	while ((c = getopt_long(argc, argv, "i:c:s:jr:fn:Vh", longs, NULL)) !=
	       -1) {
		if (c == 'h') {
			fputs(usage_text, stdout);
			return 0;
		}
		if (c == 'V') {
			printf("supervisor %s\n", RINGMAKER_VERSION);
			return 0;
		}
		rc = option(&o, c);
		if (rc != 0)
			return rc;
	}
	if (optind >= argc) {
		fputs(usage_text, stderr);
		return SUP_USAGE;
	}
	o.command = argv[optind++];
	for (; optind < argc; optind++) {
		rc = add(o.word, &o.word_n, SUP_WORDS_MAX, argv[optind]);
		if (rc != 0)
			return rc;
	}
	default_config(&o);
	return run(&o);
}

int
opts_config(const struct sup_opts *o, struct cfg_load *l)
{
	const struct cfgfile_args a = {.paths = o->config,
	    .path_n = o->config_n,
	    .envp = environ,
	    .args = o->set,
	    .arg_n = o->set_n};

	if (cfgfile_load(l, &a) == 0) {
		if (l->warning_n > 0)
			cfgfile_errors(l, stderr);
		return 0;
	}
	cfgfile_errors(l, stderr);
	fprintf(stderr, "supervisor: configuration refused\n");
	return SUP_CONFIG;
}

int
opts_state_dir(
    const struct sup_opts *o, const struct cfg *c, char *buf, size_t n)
{
	size_t len;
	int rc = cfgfile_state_dir(c, buf, n);

	if (rc < 0)
		return rc;
	len = strlen(buf);
	if (len + strlen(o->instance) + 2 > n)
		return -ENAMETOOLONG;
	snprintf(buf + len, n - len, "/%s", o->instance);
	return 0;
}

uint32_t
opts_stages(const char *const *word, size_t word_n, uint32_t all)
{
	uint32_t mask = word_n == 0 ? all : 0;

	for (size_t w = 0; w < word_n; w++) {
		uint32_t one = 0;

		for (int i = 0; i < ST_N; i++)
			if (topo_stage_match((enum stage_id)i, word[w]))
				one |= UINT32_C(1) << i;
		if (strcmp(word[w], "all") == 0)
			one = all;
		if (one == 0)
			return 0;
		mask |= one;
	}
	return mask;
}

static bool
venue_enabled(const struct cfg *c, uint8_t venue)
{
	switch (venue) {
	case VENUE_POLYMARKET: return c->polymarket_enabled;
	case VENUE_BINANCE: return c->binance_enabled;
	case VENUE_HYPERLIQUID: return c->hyperliquid_enabled;
	default: return true;
	}
}

uint32_t
opts_wanted(const struct cfg *c)
{
	uint32_t mask = 0;

	for (int i = 0; i < ST_N; i++) {
		const struct stage_def *d = &topo_stages[i];
		bool captures = strcmp(d->program, "feedd") == 0 ||
				strcmp(d->program, "recorderd") == 0;

		if (!venue_enabled(c, d->venue) ||
		    (c->system_mode == MODE_CAPTURE && !captures))
			continue;
		mask |= UINT32_C(1) << i;
	}
	return mask;
}
