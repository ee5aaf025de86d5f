#define _GNU_SOURCE
#include "backtest/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backtest/progress.h"
#include "libcore/check.h"
#include "libsys/clock.h"

#define TAIL_NS	      ((uint64_t)NS_PER_S) /* for what is still on its way */
#define SILENCE_NS    (UINT64_C(3600) * (uint64_t)NS_PER_S)
#define NO_LINK_NS    (UINT64_C(15) * (uint64_t)NS_PER_S)
#define LINK_NS	      ((uint64_t)NS_PER_S)
#define LINK_RTT_US   20000u
#define LOOK_EVENTS   8192u
#define DEFAULT_OUT   "backtest.out"
#define SEED_FEED     UINT64_C(0x66656564)
#define SEED_ORDER    UINT64_C(0x6f726465)
#define SEED_RESPONSE UINT64_C(0x72657370)

struct running {
	struct run *r;
	const struct run_args *a;
	struct engine *engine;
	struct latency lat[3];
	struct source *source;
	/* of data that says nothing of connections */
	uint64_t first_ns[VENUE_N];
	uint64_t link_ns[VENUE_N];
	bool has_link[VENUE_N];
	uint32_t msgs;
};

static void
on_msg(void *user, enum ring_id ring, const struct order *o, uint64_t now_ns)
{
	struct running *x = user;
	uint8_t writer = topo_rings[ring].writer;

	/* Time never passes inside a step. */
	if (now_ns > x->r->ledger->now_ns)
		ledger_time(x->r->ledger, now_ns);
	if (topo_rings[ring].reader == ST_QUOTED || writer == ST_QUOTED)
		return;
	ledger_msg(x->r->ledger, o);
}

static void
on_settled(void *user, const struct ledger_fill *f)
{
	struct running *x = user;

	if (x->a->trades != NULL)
		run_trades_row(x->a->trades, x->r->ledger, f);
}

/* One value a line. */
static bool
read_samples(struct latency *l, const char *path)
{
	char line[64];
	FILE *f = fopen(path, "re");
	bool ok = f != NULL;

	while (ok && fgets(line, sizeof(line), f) != NULL) {
		size_t n = strcspn(line, "\r\n#");

		if (n > 0)
			ok = latency_sample(l, line, n);
	}
	if (f != NULL)
		fclose(f);
	return ok && l->sample_n > 0;
}

static struct latency *
latency_of(struct running *x, unsigned i, const char *text, uint64_t salt)
{
	struct latency *l = &x->lat[i];

	if (text == NULL)
		return NULL;
	latency_init(l, x->a->o->seed ^ salt);
	if (text[0] == '@' ? read_samples(l, text + 1) : latency_parse(l, text))
		return l;
	snprintf(x->r->why, sizeof(x->r->why),
	    "%s: no latency; 20ms, 20ms~5ms, @FILE or recorded", text);
	return NULL;
}

/* Everything up to a moment, in order. */
static void
pass(struct running *x, uint64_t to_ns)
{
	for (;;) {
		uint64_t t = engine_next_ns(x->engine);

		if (t == 0 || t > to_ns)
			break;
		if (t > x->r->ledger->now_ns)
			ledger_time(x->r->ledger, t);
		engine_run(x->engine,
		    t > x->r->ledger->now_ns ? t : x->r->ledger->now_ns);
	}
	if (to_ns > x->r->ledger->now_ns)
		ledger_time(x->r->ledger, to_ns);
}

/* Imported data has no connections: where none was told of for a while, one
 * that is well is made up, every second. */
static void
make_links(struct running *x, uint64_t now_ns)
{
	for (int v = 1; v < VENUE_N; v++) {
		struct tick t = {.hdr = {.kind = TICK_LINK, .recv_ns = now_ns}};

		if (x->has_link[v] || x->first_ns[v] == 0 ||
		    now_ns < x->first_ns[v] + NO_LINK_NS ||
		    now_ns < x->link_ns[v] + LINK_NS)
			continue;
		x->link_ns[v] = now_ns;
		t.u.link = (struct tick_link){.rtt_us = LINK_RTT_US,
		    .rtt_ema_us = LINK_RTT_US,
		    .msgs = ++x->msgs,
		    .venue = (uint8_t)v,
		    .state = LINK_READY};
		engine_tick(x->engine, (enum venue)v, &t, NULL, now_ns);
	}
}

/* Time passes from one event to the next, in steps where links are made. */
static void
wait_for(struct running *x, uint64_t last_ns, uint64_t to_ns)
{
	bool made = false;

	for (int v = 1; v < VENUE_N; v++)
		made = made || (x->first_ns[v] != 0 && !x->has_link[v]);
	if (last_ns == 0 || to_ns <= last_ns + SILENCE_NS)
		while (made && last_ns != 0 && to_ns > last_ns + LINK_NS) {
			last_ns += LINK_NS;
			pass(x, last_ns);
			make_links(x, last_ns);
		}
	/* Nobody is awake through a hole of days. */
	pass(x, last_ns != 0 && to_ns > last_ns + SILENCE_NS
		    ? last_ns + SILENCE_NS
		    : to_ns);
	ledger_time(x->r->ledger, to_ns);
	make_links(x, to_ns);
}

static int
loop(struct running *x)
{
	struct progress p;
	struct source_event ev;
	uint64_t last_ns = 0;
	int rc;

	progress_init(&p, x->a->progress);
	while ((rc = source_next(x->source, &ev)) == 1) {
		if (ev.t_ns > last_ns) {
			wait_for(x, last_ns, ev.t_ns);
			last_ns = ev.t_ns;
		}
		x->has_link[ev.venue] |= ev.tick.hdr.kind == TICK_LINK;
		if (x->first_ns[ev.venue] == 0)
			x->first_ns[ev.venue] = last_ns;
		engine_tick(x->engine, ev.venue, &ev.tick, ev.instr, last_ns);
		ledger_tick(x->r->ledger, ev.venue, &ev.tick, ev.instr);
		if (++x->r->events % LOOK_EVENTS == 0 && x->a->progress) {
			uint64_t all;
			uint64_t done = source_done(x->source, &all);

			progress_show(&p, x->r->events, done, all,
			    last_ns - x->r->ledger->start_ns);
		}
	}
	progress_end(&p);
	if (rc < 0) {
		memcpy(x->r->why, x->source->why, sizeof(x->r->why));
		return EXIT_DATA;
	}
	if (x->r->events == 0) {
		snprintf(x->r->why, sizeof(x->r->why),
		    "no market data in these captures and times");
		return EXIT_DATA;
	}
	pass(x, last_ns + TAIL_NS);
	return 0;
}

static int
prepare(struct running *x, const struct source_args *sa)
{
	const struct opts *o = x->a->o;
	const struct ledger_args la = {.capital = x->a->cfg->capital_usd,
	    .bar_ns = o->bar_ns,
	    .rebate_share_ppm = o->rebate_ppm};
	struct engine_args ea = {.cfg = x->a->cfg, .hooks = {x, on_msg, NULL}};

	ea.feed = latency_of(x, 0, o->feed, SEED_FEED);
	ea.order = latency_of(x, 1, o->order, SEED_ORDER);
	ea.response = latency_of(x, 2, o->response, SEED_RESPONSE);
	if (x->r->why[0] != '\0')
		return EXIT_USAGE;
	x->source = source_open(sa, x->r->why);
	if (x->source == NULL)
		return EXIT_DATA;
	x->r->ledger = ledger_new(&la);
	x->engine = engine_new(&ea);
	CHECK(x->r->ledger != NULL);
	CHECK(x->engine != NULL);
	x->r->ledger->user = x;
	x->r->ledger->settled = on_settled;
	return 0;
}

int
run_once(struct run *r, const struct run_args *a)
{
	struct running *x = calloc(1, sizeof(*x));
	const struct source_args sa = {.cfg = a->cfg,
	    .path = a->o->path,
	    .path_n = a->o->path_n,
	    .from_ns = a->from_ns,
	    .to_ns = a->to_ns};
	uint64_t from = clock_mono_ns();
	int rc;

	CHECK(x != NULL);
	memset(r, 0, sizeof(*r));
	x->r = r;
	x->a = a;
	rc = prepare(x, &sa);
	if (rc == 0)
		rc = loop(x);
	if (rc == 0) {
		ledger_end(r->ledger);
		figures_of(r->ledger, &r->figures);
		r->n = *engine_count(x->engine);
		r->hash = engine_hash(x->engine);
		r->quote_hash = engine_quote_hash(x->engine);
		r->risk_hash = engine_risk_hash(x->engine);
		r->risk_pnl = risk_pnl(engine_risk(x->engine));
		r->wall_ns = clock_mono_ns() - from;
	}
	if (x->engine != NULL)
		engine_free(x->engine);
	if (x->source != NULL)
		source_close(x->source);
	free(x);
	return rc;
}

void
run_free(struct run *r)
{
	if (r->ledger != NULL)
		ledger_free(r->ledger);
	r->ledger = NULL;
}

/* ---- the command ---- */

static const char usage_run[] =
    "usage: backtest run [OPTION]... CAPTURE...\n"
    "\n"
    "Replay captures (a directory of recorderd's, or the raw captures that\n"
    "simvenue plays) through the strategies in virtual time.\n"
    "\n"
    "  -c, --config FILE         configuration; again for one on top of it\n"
    "  -s, --set KEY=VALUE       one setting, over files and environment\n"
    "  -o, --out DIR             result.json, trades.csv, report.html go "
    "there\n"
    "                            (backtest.out)\n"
    "  -j, --json                the result on standard output\n"
    "      --feed-latency L      from the venue to quoted and riskd (0)\n"
    "      --order-latency L     from execd to the venue "
    "(exec.paper_latency)\n"
    "      --response-latency L  from the venue back (0)\n"
    "                            L: 20ms, 20ms~5ms, @FILE or recorded\n"
    "      --seed N              of everything that is drawn (1)\n"
    "      --bar TIME            equity is looked at this often (60s)\n"
    "      --rebate-share N      percent of the most that makers can get back "
    "(0)\n"
    "      --from T, --to T      2026-04-29, 2026-04-29T02:10, or seconds, "
    "UTC\n"
    "      --no-page             no report.html\n"
    "  -q, --quiet               no progress, no summary\n"
    "  -h, --help   -V, --version\n";

static FILE *
open_in(const char *dir, const char *name)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	if (f == NULL)
		fprintf(stderr, "backtest: %s: %s\n", path, strerror(errno));
	return f;
}

static int
shut(FILE *f, int rc)
{
	if (f != NULL && fclose(f) != 0 && rc == 0) {
		fprintf(stderr, "backtest: %s\n", strerror(errno));
		return EXIT_WRITE;
	}
	return f == NULL ? EXIT_WRITE : rc;
}

static int
write_all(const struct run *r, const struct run_args *a, const char *dir)
{
	FILE *f = open_in(dir, "result.json");
	int rc;

	if (f == NULL)
		return EXIT_WRITE;
	out_json(f, r, a, false);
	rc = shut(f, 0);
	if (rc != 0 || a->o->no_page)
		return rc;
	f = open_in(dir, "report.html");
	if (f == NULL)
		return EXIT_WRITE;
	out_page(f, r, a);
	return shut(f, 0);
}

int
cmd_run(int argc, char **argv)
{
	static struct opts o;
	static struct cfg cfg;
	static struct run r;
	struct run_args a = {.o = &o, .cfg = &cfg};
	const char *dir;
	int rc = opts_read(&o, argc, argv, usage_run);

	if (rc != -1)
		return rc;
	if (o.path_n == 0) {
		fputs("backtest run: no capture named; see --help\n", stderr);
		return EXIT_USAGE;
	}
	rc = opts_cfg(&o, NULL, 0, &cfg);
	if (rc != 0)
		return rc;
	dir = o.out != NULL ? o.out : DEFAULT_OUT;
	if (mkdir(dir, 0777) < 0 && errno != EEXIST) {
		fprintf(stderr, "backtest: %s: %s\n", dir, strerror(errno));
		return EXIT_WRITE;
	}
	a.from_ns = o.from_ns;
	a.to_ns = o.to_ns;
	a.progress = !o.quiet && isatty(STDERR_FILENO);
	a.trades = open_in(dir, "trades.csv");
	if (a.trades == NULL)
		return EXIT_WRITE;
	run_trades_head(a.trades);
	rc = run_once(&r, &a);
	rc = shut(a.trades, rc);
	if (rc == 0)
		rc = write_all(&r, &a, dir);
	else
		fprintf(stderr, "backtest: %s\n", r.why);
	if (rc == 0 && o.json)
		out_json(stdout, &r, &a, false);
	else if (rc == 0 && !o.quiet)
		out_text(stdout, &r);
	run_free(&r);
	return rc;
}
