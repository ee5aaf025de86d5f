#define _GNU_SOURCE
#include "simvenue/args_io.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcore/fixed.h"
#include "libsys/version.h"

#define PORT_BASE      18801
#define PACE_MAX_E3    100000000
#define USD_MAX_E6     (INT64_C(1000000000) * E6)
#define SLUG_START_MAX 12 /* "-1790000000" */
#define LINE_MAX_SZ    1024

static const char usage[] =
    "usage: simvenue [options]\n"
    "\n"
    "Serves Polymarket, Binance and Hyperliquid over the venues' own "
    "WebSocket\n"
    "and REST paths, on this machine: recorded market data, or with --live\n"
    "exchanges with participants, accounts and money.\n"
    "\n"
    "  --capture [VENUE:]PATH  file or directory to serve; may be repeated.\n"
    "                    Default: the recordings below $RM_DATA when that is\n"
    "                    set, else the captures shipped with simvenue\n"
    "  --pace 1|N|max    recorded pace (default), N times as fast (0.001 to\n"
    "                    100000), or as fast as clients take the frames\n"
    "  --sync            all venues start together, on one clock\n"
    "  --once            stop at the end instead of beginning again\n"
    "  --host ADDRESS    address to listen on (127.0.0.1)\n"
    "  --port-base PORT  Polymarket here (18801), Binance and Hyperliquid on\n"
    "                    the next two; 0: any free ports, see the ready line\n"
    "  --tls             speak TLS on these ports, with certificates of an\n"
    "                    authority made at the first start; the ready line\n"
    "                    names its file, for tls.ca_file\n"
    "  --tls-port-base PORT  TLS there, and plain on --port-base\n"
    "  --tls-dir DIR     certificates and keys\n"
    "                    ($XDG_STATE_HOME/ringmaker/simvenue)\n"
    "  --live            exchanges with participants, on the clock of now\n"
    "  --rate X          how busy these are; 1: as recorded (0.01 to 100)\n"
    "  --vol X           volatility of the price, annualised (0.45)\n"
    "  --series NAME:SECONDS[:KIND]  up/down windows to list; may be repeated\n"
    "                    (btc-updown-5m:300, btc-updown-15m:900)\n"
    "  --quiet NAME[:KIND]  a quiet market more; KIND: v1, v3, neg-risk\n"
    "  --limits          rates and budgets are enforced, not only counted\n"
    "  --accounts FILE   who has money there: JSON lines of address or key,\n"
    "                    usd, signature_type, funder, agents; default: the\n"
    "                    ten public development keys, 10000 dollars each\n"
    "  --grant USD       to whoever signs in for the first time (1000)\n"
    "  --faults FILE     faults by the clock: JSON lines with at_ms\n"
    "  --seed N          of the live world, and of faults that come by chance "
    "(1)\n"
    "  --list-faults     what can go wrong, as text or with --json\n"
    "  --requests FILE   write every request as a JSON line\n"
    "  --stats FILE      at the end, write what was sent as JSON\n"
    "  --json            only JSON lines: one when ready, one at the end\n"
    "  --help, --version\n"
    "\n"
    "A JSON line on standard output says when it listens. Exit status: 0\n"
    "asked to stop, 100 bad usage or captures, 111 try again (port in use).\n";

/* ---- arguments ---- */

static int
wrong(const char *what, const char *value, const char *want)
{
	(void)fprintf(stderr, "simvenue: %s '%s': %s; see simvenue --help\n",
	    what, value, want);
	return EXIT_PERMANENT;
}

static int
parse_pace(struct args *a, const char *text)
{
	int64_t v;
	a->pace = text;
	a->speed_e3 = 0;
	if (strcmp(text, "max") == 0)
		return 0;
	if (!fixed_parse(text, strlen(text), 3, false, PACE_MAX_E3, &v) ||
	    v == 0)
		return wrong("--pace", text,
		    "a number from 0.001 to 100000, "
		    "or max");
	a->speed_e3 = (uint64_t)v;
	return 0;
}

static int
parse_port(const char *option, const char *text, uint16_t *out)
{
	int64_t v;
	if (!fixed_parse(text, strlen(text), 0, false, 65533, &v))
		return wrong(option, text, "a number from 0 to 65533");
	*out = (uint16_t)v;
	return 0;
}

static int
parse_seed(struct args *a, const char *text)
{
	int64_t v;
	if (!fixed_parse(text, strlen(text), 0, false, INT64_MAX, &v))
		return wrong("--seed", text, "a whole number");
	a->seed = (uint64_t)v;
	return 0;
}

static int
parse_dir(struct args *a, const char *text)
{
	a->tls = true;
	int n = snprintf(a->tls_dir, sizeof(a->tls_dir), "%s", text);
	if (n <= 0 || (size_t)n >= sizeof(a->tls_dir))
		return wrong("--tls-dir", text, "a path");
	return 0;
}

static int
parse_real(const char *option, const char *text, double *out)
{
	int64_t v;
	if (!fixed_parse(text, strlen(text), 2, false, 10000, &v) || v == 0)
		return wrong(option, text, "a number from 0.01 to 100");
	*out = (double)v / 100;
	return 0;
}

static int
parse_usd(const char *text, usd_t *out)
{
	int64_t v;
	if (!fixed_parse(text, strlen(text), 6, false, USD_MAX_E6, &v))
		return wrong("--grant", text, "dollars, 0 to 1000000000");
	*out = USD(v);
	return 0;
}

/* What follows the last colon, when it names a kind of market; *n is the
 * length of what is before it. */
static enum world_kind
kind_of(const char *text, size_t *n)
{
	const char *colon = strrchr(text, ':');
	enum world_kind k =
	    colon != NULL ? world_kind_find(colon + 1) : WORLD_KIND_N;
	*n = k != WORLD_KIND_N ? (size_t)(colon - text) : strlen(text);
	return k != WORLD_KIND_N ? k : WORLD_V2;
}

static int
parse_quiet(struct args *a, const char *text)
{
	struct world_series *s = &a->quiet[a->quiet_n];
	size_t n;
	if (a->quiet_n == WORLD_SERIES)
		return wrong("--quiet", text, "more than 4");
	s->kind = kind_of(text, &n);
	if (n == 0 || n >= sizeof(s->name))
		return wrong(
		    "--quiet", text, "NAME or NAME:v1, NAME:v3, NAME:neg-risk");
	memcpy(s->name, text, n);
	a->quiet_n++;
	return 0;
}

static int
parse_series(struct args *a, const char *text)
{
	const char *colon = strchr(text, ':');
	size_t n;
	enum world_kind kind = kind_of(text, &n);
	int64_t v;
	if (a->series_n == WORLD_SERIES)
		return wrong("--series", text, "more than 4");
	struct world_series *s = &a->series[a->series_n];
	if (colon == NULL || colon == text || colon + 1 > text + n ||
	    (size_t)(colon - text) >= sizeof(s->name) - SLUG_START_MAX ||
	    !fixed_parse(colon + 1, n - (size_t)(colon + 1 - text), 0, false,
		86400, &v) ||
	    v < 10)
		return wrong("--series", text,
		    "NAME:SECONDS, 10 to 86400 seconds, such as "
		    "btc-updown-5m:300, and :v1, :v3 or :neg-risk after it");
	s->kind = kind;
	memcpy(s->name, text, (size_t)(colon - text));
	s->window_s = (uint32_t)v;
	a->series_n++;
	return 0;
}

static int
parse_live(struct args *a, int opt)
{
	switch (opt) {
	case 'L': a->live = true; return 0;
	case 'R': return parse_real("--rate", optarg, &a->rate);
	case 'V': return parse_real("--vol", optarg, &a->vol);
	case 'W': return parse_series(a, optarg);
	case 'Q': return parse_quiet(a, optarg);
	case 'K': a->limits = true; return 0;
	case 'A': a->accounts_path = optarg; return 0;
	case 'G': return parse_usd(optarg, &a->grant);
	default:
		(void)fputs("see simvenue --help\n", stderr);
		return EXIT_PERMANENT;
	}
}

static int
parse_option(struct args *a, int opt)
{
	switch (opt) {
	case 'c':
		if (a->spec_n == ARGS_SPECS_MAX)
			return wrong("--capture", optarg, "more than 64");
		a->specs[a->spec_n++] = optarg;
		return 0;
	case 'p': return parse_pace(a, optarg);
	case 'b': return parse_port("--port-base", optarg, &a->port_base);
	case 'T':
		a->tls = true;
		a->tls_apart = true;
		return parse_port("--tls-port-base", optarg, &a->tls_port_base);
	case 't': a->tls = true; return 0;
	case 'd': return parse_dir(a, optarg);
	case 'S': return parse_seed(a, optarg);
	case 'f': a->faults_path = optarg; return 0;
	case 'l': a->list_faults = true; return 0;
	case 'r': a->requests_path = optarg; return 0;
	case 'H': a->host = optarg; return 0;
	case 's': a->stats_path = optarg; return 0;
	case 'y': a->sync = true; return 0;
	case 'o': a->once = true; return 0;
	case 'j': a->json = true; return 0;
	default: return parse_live(a, opt);
	}
}

/* Returns -1 to go on, or an exit status. */
static int
parse_args(struct args *a, int argc, char **argv)
{
	static const struct option options[] = {
	    {"capture", required_argument, NULL, 'c'},
	    {"pace", required_argument, NULL, 'p'},
	    {"port-base", required_argument, NULL, 'b'},
	    {"host", required_argument, NULL, 'H'},
	    {"tls", no_argument, NULL, 't'},
	    {"tls-port-base", required_argument, NULL, 'T'},
	    {"tls-dir", required_argument, NULL, 'd'},
	    {"faults", required_argument, NULL, 'f'},
	    {"seed", required_argument, NULL, 'S'},
	    {"list-faults", no_argument, NULL, 'l'},
	    {"live", no_argument, NULL, 'L'},
	    {"rate", required_argument, NULL, 'R'},
	    {"vol", required_argument, NULL, 'V'},
	    {"series", required_argument, NULL, 'W'},
	    {"quiet", required_argument, NULL, 'Q'},
	    {"limits", no_argument, NULL, 'K'},
	    {"accounts", required_argument, NULL, 'A'},
	    {"grant", required_argument, NULL, 'G'},
	    {"requests", required_argument, NULL, 'r'},
	    {"stats", required_argument, NULL, 's'},
	    {"sync", no_argument, NULL, 'y'},
	    {"once", no_argument, NULL, 'o'},
	    {"json", no_argument, NULL, 'j'},
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'v'},
	    {NULL, 0, NULL, 0},
	};
	int opt;
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (opt == 'h') {
			(void)fputs(usage, stdout);
			return 0;
		}
		if (opt == 'v') {
			(void)printf("simvenue %s\n", RINGMAKER_VERSION);
			return 0;
		}
		int rc = parse_option(a, opt);
		if (rc != 0)
			return rc;
	}
	if (optind < argc)
		return wrong("argument", argv[optind], "not expected");
	return -1;
}

/* ---- which captures, when none is named ---- */

static void
add_found(struct args *a, const char *venue, const char *dir, const char *file)
{
	char *spec = a->found[a->spec_n];
	int n = snprintf(spec, ARGS_PATH_SZ, "%s%s%s", venue, dir, file);
	if (n > 0 && n < ARGS_PATH_SZ &&
	    access(spec + strlen(venue), R_OK) == 0)
		a->specs[a->spec_n++] = spec;
}

/* Captures of one venue each: their days differ, so that the Binance trades
 * inside the Polymarket capture would be another market's prices. */
static void
find_recordings(struct args *a, const char *dir)
{
	add_found(a, "polymarket:", dir,
	    "/aligned/updown15m_captures/cap_20260429T0210.jsonl.gz");
	add_found(a, "polymarket:", dir,
	    "/aligned/updown15m_captures/cap_20260429T0210.markets.jsonl");
	add_found(a, "binance:", dir,
	    "/binance/raw_streams/spot_btcusdt_20240808.gz");
	add_found(a, "hyperliquid:", dir, "/hyperliquid/capture_20250903");
}

static void
find_shipped(struct args *a)
{
	static const char *const places[] = {
	    "/../share/ringmaker/captures",
	    "/../../../simvenue/captures",
	};
	char exe[ARGS_PATH_SZ / 2];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	exe[n > 0 ? n : 0] = '\0';
	char *slash = strrchr(exe, '/');
	if (slash != NULL)
		*slash = '\0';
	for (size_t i = 0; i < 2 && a->spec_n == 0; i++)
		add_found(a, "", exe, places[i]);
	if (a->spec_n == 0)
		add_found(a, "", "simvenue", "/captures");
}

static int
find_captures(struct args *a)
{
	const char *data = getenv("RM_DATA");
	if (a->spec_n == 0 && data != NULL)
		find_recordings(a, data);
	if (a->spec_n == 0)
		find_shipped(a);
	if (a->spec_n > 0)
		return -1;
	(void)fputs("simvenue: no captures found; name some with "
		    "--capture PATH or set RM_DATA\n",
	    stderr);
	return EXIT_PERMANENT;
}

/* ---- faults ---- */

static int
by_time(const void *a, const void *b)
{
	const struct fault_rule *x = a;
	const struct fault_rule *y = b;
	return x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;
}

static int
script_line(struct args *a, char *line, size_t line_no)
{
	char err[FAULT_ERROR_MAX];
	size_t n = strcspn(line, "\n");
	if (n == 0 || line[0] == '#')
		return -1;
	if (a->script_n == ARGS_SCRIPT_MAX)
		(void)snprintf(err, sizeof(err), "more than 256 faults");
	else if (fault_parse(line, n, &a->script[a->script_n], err)) {
		a->script_n++;
		return -1;
	}
	(void)fprintf(
	    stderr, "simvenue: %s:%zu: %s\n", a->faults_path, line_no, err);
	return EXIT_PERMANENT;
}

static int
read_script(struct args *a)
{
	char line[1024];
	int rc = -1;
	if (a->faults_path == NULL)
		return -1;
	FILE *f = fopen(a->faults_path, "r");
	if (f == NULL) {
		(void)fprintf(stderr, "simvenue: --faults %s: %s\n",
		    a->faults_path, strerror(errno));
		return EXIT_PERMANENT;
	}
	for (size_t i = 1; rc == -1 && fgets(line, sizeof(line), f) != NULL;
	     i++)
		rc = script_line(a, line, i);
	(void)fclose(f);
	qsort(a->script, a->script_n, sizeof(a->script[0]), by_time);
	return rc;
}

static int
list_faults(const struct args *a)
{
	static char buf[32768];
	struct text t;
	if (a->json) {
		text_init(&t, buf, sizeof(buf));
		fault_put_table(&t);
		(void)text_end(&t);
		(void)puts(buf);
		return 0;
	}
	for (int f = 1; f < FAULT_N; f++) {
		const struct fault_info *i = fault_info((enum fault)f);
		(void)printf("%-24s %-10s %s", i->label,
		    fault_scope_name(i->scope), i->text);
		if (i->value != 0)
			(void)printf(" (value %lld)", (long long)i->value);
		(void)putchar('\n');
	}
	return 0;
}

/* ---- accounts ---- */

static int
account_line(
    struct args *a, const struct secp *c, const char *line, size_t line_no)
{
	const char *why = "more than 1024 accounts";
	size_t n = strcspn(line, "\n");
	if (n == 0 || line[0] == '#')
		return -1;
	if (a->account_n < LIVE_ACCOUNTS_MAX)
		why =
		    live_account_parse(c, line, n, &a->accounts[a->account_n]);
	if (why == NULL) {
		a->account_n++;
		return -1;
	}
	(void)fprintf(
	    stderr, "simvenue: %s:%zu: %s\n", a->accounts_path, line_no, why);
	return EXIT_PERMANENT;
}

static int
read_accounts(struct args *a)
{
	static struct secp secp; /* must not move */
	static const uint8_t blind[32] = {1};
	char line[LINE_MAX_SZ];
	int rc = -1;
	if (a->accounts_path == NULL) {
		a->account_n = live_dev_accounts(a->accounts);
		return -1;
	}
	FILE *f = fopen(a->accounts_path, "r");
	if (f == NULL) {
		(void)fprintf(stderr, "simvenue: --accounts %s: %s\n",
		    a->accounts_path, strerror(errno));
		return EXIT_PERMANENT;
	}
	secp_init(&secp, blind);
	for (size_t i = 1; rc == -1 && fgets(line, sizeof(line), f) != NULL;
	     i++)
		rc = account_line(a, &secp, line, i);
	secp_close(&secp);
	(void)fclose(f);
	return rc;
}

/* ---- the whole of it ---- */

static int
default_dir(struct args *a)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	int n;
	if (!a->tls || a->tls_dir[0] != '\0')
		return -1;
	if (state != NULL && state[0] == '/')
		n = snprintf(a->tls_dir, sizeof(a->tls_dir),
		    "%s/ringmaker/simvenue", state);
	else
		n = snprintf(a->tls_dir, sizeof(a->tls_dir),
		    "%s/.local/state/ringmaker/simvenue",
		    home != NULL ? home : "/tmp");
	return n > 0 && (size_t)n < sizeof(a->tls_dir)
		   ? -1
		   : wrong("HOME", home, "too long");
}

int
args_read(struct args *a, int argc, char **argv)
{
	a->host = "127.0.0.1";
	a->port_base = PORT_BASE;
	a->speed_e3 = 1000;
	a->seed = 1;
	a->pace = "1";
	a->rate = 1;
	a->vol = 0.45;
	a->grant = USD(1000 * E6);
	int rc = parse_args(a, argc, argv);
	if (rc == -1 && a->list_faults)
		return list_faults(a);
	if (rc == -1)
		rc = default_dir(a);
	if (rc == -1)
		rc = read_script(a);
	if (rc == -1 && a->live)
		return a->spec_n == 0 ? read_accounts(a)
				      : wrong("--capture", a->specs[0],
					    "not together with --live");
	return rc == -1 ? find_captures(a) : rc;
}
