#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "libcore/check.h"
#include "libsys/version.h"
#include "simvenue/capture_io.h"
#include "simvenue/server_io.h"

#define EXIT_PERMANENT 100
#define EXIT_TEMPORARY 111
#define PORT_BASE      18801
#define PACE_MAX_E3    100000000
#define SPECS_MAX      64
#define PATH_SZ	       4096

static const char usage[] =
    "usage: simvenue [options]\n"
    "\n"
    "Serves recorded market data of Polymarket, Binance and Hyperliquid over\n"
    "the venues' own WebSocket and REST paths, on this machine.\n"
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
    "  --stats FILE      at the end, write what was sent as JSON\n"
    "  --json            only JSON lines: one when ready, one at the end\n"
    "  --help, --version\n"
    "\n"
    "A JSON line on standard output says when it listens. Exit status: 0\n"
    "asked to stop, 100 bad usage or captures, 111 try again (port in use).\n";

struct args {
	const char *specs[SPECS_MAX];
	unsigned spec_n;
	char found[4][PATH_SZ]; /* default captures */
	const char *host;
	uint16_t port_base;
	uint64_t speed_e3;
	const char *pace;
	const char *stats_path;
	bool once;
	bool sync;
	bool json;
};

struct sim {
	uv_loop_t loop;
	uv_signal_t signals[2];
	struct sim_server *server;
	bool is_stopping;
};

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
parse_port(struct args *a, const char *text)
{
	int64_t v;
	if (!fixed_parse(text, strlen(text), 0, false, 65533, &v))
		return wrong("--port-base", text, "a number from 0 to 65533");
	a->port_base = (uint16_t)v;
	return 0;
}

static int
parse_option(struct args *a, int opt)
{
	switch (opt) {
	case 'c':
		if (a->spec_n == SPECS_MAX)
			return wrong("--capture", optarg, "more than 64");
		a->specs[a->spec_n++] = optarg;
		return 0;
	case 'p': return parse_pace(a, optarg);
	case 'b': return parse_port(a, optarg);
	case 'H': a->host = optarg; return 0;
	case 's': a->stats_path = optarg; return 0;
	case 'y': a->sync = true; return 0;
	case 'o': a->once = true; return 0;
	case 'j': a->json = true; return 0;
	default:
		(void)fputs("see simvenue --help\n", stderr);
		return EXIT_PERMANENT;
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
	int n = snprintf(spec, PATH_SZ, "%s%s%s", venue, dir, file);
	if (n > 0 && n < PATH_SZ && access(spec + strlen(venue), R_OK) == 0)
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
	char exe[PATH_SZ / 2];
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
load(struct args *a, struct captures *c)
{
	char err[CAPTURES_ERROR_MAX];
	const char *data = getenv("RM_DATA");
	if (a->spec_n == 0 && data != NULL)
		find_recordings(a, data);
	if (a->spec_n == 0)
		find_shipped(a);
	if (a->spec_n == 0) {
		(void)fputs("simvenue: no captures found; name some with "
			    "--capture PATH or set RM_DATA\n",
		    stderr);
		return EXIT_PERMANENT;
	}
	captures_init(c);
	int rc = 0;
	for (unsigned i = 0; i < a->spec_n && rc == 0; i++)
		rc = captures_add(c, a->specs[i], err);
	if (rc == 0)
		rc = captures_done(c, err);
	if (rc != 0) {
		(void)fprintf(stderr, "simvenue: %s\n", err);
		return EXIT_PERMANENT;
	}
	if (c->bad_line_n > 0)
		(void)fprintf(stderr,
		    "simvenue: %llu lines left out, the first is %s\n",
		    (unsigned long long)c->bad_line_n, c->first_bad);
	return 0;
}

/* ---- what is said ---- */

static double
span_s(const struct sim_timeline *t)
{
	int64_t ns = 0;
	for (size_t i = 0; i < t->segment_n; i++)
		ns += sim_timeline_span_ns(t, i);
	return (double)ns / (double)NS_PER_S;
}

static void
say_ready(
    const struct args *a, const struct captures *c, const struct sim_server *s)
{
	(void)printf("{\"ev\":\"ready\",\"host\":\"%s\",\"pace\":\"%s\","
		     "\"files\":%u,\"lines\":%llu,\"bad_lines\":%llu,"
		     "\"markets\":%zu,\"venues\":[",
	    a->host, a->pace, c->file_n, (unsigned long long)c->line_n,
	    (unsigned long long)c->bad_line_n, c->market_n);
	for (int v = 1; v < VENUE_N; v++) {
		const struct sim_timeline *t = &c->timelines[v];
		(void)printf("%s{\"venue\":\"%s\",\"port\":%u,\"frames\":%zu,"
			     "\"segments\":%zu,\"span_s\":%.3f}",
		    v > 1 ? "," : "", venue_name((enum venue)v),
		    (unsigned)sim_server_port(s, (enum venue)v), t->n,
		    t->segment_n, span_s(t));
	}
	(void)printf("]}\n");
	(void)fflush(stdout);
	for (int v = 1; v < VENUE_N && !a->json; v++)
		(void)fprintf(stderr,
		    "simvenue: %-11s %s:%u  %zu frames, %.0f s, pace %s\n",
		    venue_name((enum venue)v), a->host,
		    (unsigned)sim_server_port(s, (enum venue)v),
		    c->timelines[v].n, span_s(&c->timelines[v]), a->pace);
}

static void
put_stats(FILE *f, const struct sim_server *s)
{
	(void)fprintf(f, "{\"ev\":\"end\",\"venues\":[");
	for (int v = 1; v < VENUE_N; v++) {
		const struct sim_stats *st = sim_server_stats(s, (enum venue)v);
		(void)fprintf(f,
		    "%s{\"venue\":\"%s\",\"frames\":%llu,\"sent_msgs\":%llu,"
		    "\"sent_bytes\":%llu,\"recv_msgs\":%llu,"
		    "\"requests\":%llu,\"connections\":%llu,"
		    "\"dropped\":%llu,\"ends\":%llu}",
		    v > 1 ? "," : "", venue_name((enum venue)v),
		    (unsigned long long)st->frames,
		    (unsigned long long)st->sent_msgs,
		    (unsigned long long)st->sent_bytes,
		    (unsigned long long)st->recv_msgs,
		    (unsigned long long)st->requests,
		    (unsigned long long)st->connections,
		    (unsigned long long)st->dropped,
		    (unsigned long long)st->ends);
	}
	(void)fprintf(f, "]}\n");
}

static int
say_end(const struct args *a, const struct sim_server *s)
{
	if (a->json)
		put_stats(stdout, s);
	for (int v = 1; v < VENUE_N && !a->json; v++) {
		const struct sim_stats *st = sim_server_stats(s, (enum venue)v);
		(void)fprintf(stderr, "simvenue: %-11s %llu frames sent\n",
		    venue_name((enum venue)v),
		    (unsigned long long)st->sent_msgs);
	}
	if (a->stats_path == NULL)
		return 0;
	FILE *f = fopen(a->stats_path, "w");
	if (f == NULL) {
		(void)fprintf(stderr, "simvenue: --stats %s: %s\n",
		    a->stats_path, strerror(errno));
		return EXIT_TEMPORARY;
	}
	put_stats(f, s);
	if (fclose(f) == 0)
		return 0;
	(void)fprintf(stderr, "simvenue: --stats %s: %s\n", a->stats_path,
	    strerror(errno));
	return EXIT_TEMPORARY;
}

/* ---- the run ---- */

static void
stop(struct sim *sim)
{
	sim->is_stopping = true;
	uv_stop(&sim->loop);
}

static void
on_signal(uv_signal_t *handle, int signum)
{
	(void)signum;
	stop(handle->data);
}

static void
on_done(void *user)
{
	stop(user);
}

static int
cannot_listen(const struct args *a, int err, uint16_t port)
{
	if (err == -EADDRINUSE) {
		(void)fprintf(stderr,
		    "simvenue: %s:%u is in use (another simvenue?); stop that "
		    "one or choose other ports with --port-base\n",
		    a->host, (unsigned)port);
		return EXIT_TEMPORARY;
	}
	(void)fprintf(stderr, "simvenue: cannot listen on %s:%u: %s\n", a->host,
	    (unsigned)port, strerror(-err));
	return err == -EACCES || err == -EINVAL || err == -EADDRNOTAVAIL
		   ? EXIT_PERMANENT
		   : EXIT_TEMPORARY;
}

static int
serve(struct sim *sim, const struct args *a, const struct captures *c)
{
	static const int signums[2] = {SIGINT, SIGTERM};
	int err;
	uint16_t port;
	struct sim_server_cfg cfg = {
	    .loop = &sim->loop,
	    .host = a->host,
	    .port_base = a->port_base,
	    .speed_e3 = a->speed_e3,
	    .once = a->once,
	    .sync = a->sync,
	    .captures = c,
	    .on_done = on_done,
	    .user = sim,
	};
	sim->server = sim_server_create(&cfg, &err, &port);
	if (sim->server == NULL) {
		(void)uv_run(&sim->loop, UV_RUN_DEFAULT);
		return cannot_listen(a, err, port);
	}
	for (int i = 0; i < 2; i++) {
		CHECK(uv_signal_init(&sim->loop, &sim->signals[i]) == 0);
		sim->signals[i].data = sim;
		CHECK(uv_signal_start(
			  &sim->signals[i], on_signal, signums[i]) == 0);
	}
	say_ready(a, c, sim->server);
	while (!sim->is_stopping)
		(void)uv_run(&sim->loop, UV_RUN_DEFAULT);
	int rc = say_end(a, sim->server);
	for (int i = 0; i < 2; i++)
		uv_close((uv_handle_t *)&sim->signals[i], NULL);
	sim_server_destroy(sim->server);
	(void)uv_run(&sim->loop, UV_RUN_DEFAULT);
	return rc;
}

int
main(int argc, char **argv)
{
	static struct args args = {
	    .host = "127.0.0.1",
	    .port_base = PORT_BASE,
	    .speed_e3 = 1000,
	    .pace = "1",
	};
	static struct captures captures;
	static struct sim sim;
	int rc = parse_args(&args, argc, argv);
	if (rc >= 0)
		return rc;
	(void)signal(SIGPIPE, SIG_IGN);
	rc = load(&args, &captures);
	if (rc == 0) {
		CHECK(uv_loop_init(&sim.loop) == 0);
		rc = serve(&sim, &args, &captures);
		CHECK(uv_loop_close(&sim.loop) == 0);
	}
	captures_free(&captures);
	return rc;
}
