/*
 * protections - the maker with its protections against the same maker with
 * each of them switched off, one at a time, over simulated days.
 *
 *   protections [--days N] [--hours N] [--seed N] [--rows A-B] [--calm]
 *               [--json] [KEY=VALUE]...
 *
 * --rows runs some rows of the table, 0 the first, and those with everything
 * on that they are compared with. --calm leaves out what needs trouble.
 * KEY=VALUE is a setting of every variant, before what it switches off.
 *
 * A day is daysim.h: windows of 1, 5 and 15 minutes and the perpetual, on the
 * simulated exchanges with their participants, the settings of the capital
 * stage of 500 dollars (etc/capital-500.yaml). Every variant sees the same
 * price path of a seed; participants draw again once orders of ours have
 * changed what they meet.
 * Figures  The difference is that of the profit and loss of each hour, with
 *          and without, at the venues; its standard error that of the mean
 *          over all hours of all days, times the hours of a day. A day of
 *          fewer hours is counted as such.
 * Limits   The most of each limit that was in use when an order passed (cap of
 *          a market, of all) and at any step (fall of the day), added up
 *          without riskd's sums (daysim_limits.c).
 * Exit   : 0; 1 when the maker with all protections passed a limit, or the
 *          venues' books and riskd's differ by more than a cent a fill.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcore/check.h"
#include "tests/tools/daysim.h"

#define DAYS_MAX 32u
#define KEYS	 6u
#define SETS	 8u

enum trouble {
	CALM = 0,
	SPIKES,
	OUTAGES,
	TROUBLE_N
};

struct set {
	const char *key; /* group.name */
	const char *value;
};

struct variant {
	const char *name;
	enum trouble trouble;
	struct set set[KEYS];
};

static const struct set stage[] = {
    {"capital.usd", "500"},
    {"mm.global_daily_loss_limit", "100"},
    {"mm.inventory_limit_qty", "200"},
    {"perp.order_usd", "30"},
    {"perp.inventory_limit_usd", "90"},
    {"risk.max_order_usd", "100"},
};

/* The first of each kind of trouble has everything on. */
static const struct variant variants[] = {
    {"everything on", CALM, {{0}}},
    {"price-jump filter", CALM, {{"micro_price.divergence_threshold", "1"}}},
    {"gapped market", CALM, {{"mm.max_spread", "1"}}},
    {"inventory skew", CALM,
	{{"mm.max_skew_ticks", "0"}, {"perp.max_skew_bps", "0"},
	    {"perp.skew_mult", "1"}}},
    {"risk aversion by volatility", CALM, {{"mm.gamma_cap_mult", "1"}}},
    {"toxic-flow breaker", CALM,
	{{"toxic_flow.gamma_mult", "1"}, {"toxic_flow.size_mult", "1"}}},
    {"markout veto", CALM, {{"markout.toxic_loss", "1"}}},
    {"losing fills", CALM,
	{{"losing_fills.spread_mult", "1"}, {"losing_fills.size_mult", "1"},
	    {"losing_fills.pause_n", "100"}}},
    {"stop before the end", CALM,
	{{"updown.stop_quote_s", "0"}, {"updown.min_time_to_expiry", "0"}}},
    {"strike guard", CALM, {{"updown.strike_guard_sigma", "0"}}},
    {"position stop", CALM, {{"mm.max_loss_per_position", "1000000"}}},
    {"position age", CALM,
	{{"position.max_age", "8760h"}, {"position.max_age_window_frac", "1"}}},
    {"adverse move", CALM, {{"position.adverse_move_frac", "1"}}},
    {"exposure caps", CALM,
	{{"risk.market_exposure_frac", "10"},
	    {"risk.cluster_exposure_frac", "10"},
	    {"risk.total_exposure_frac", "10"}}},
    {"daily loss", CALM, {{"mm.global_daily_loss_limit", "10000000"}}},
    {"exit-depth cap", CALM, {{"sizing.exit_ticks", "1000"}}},
    {"sizing by worst case", CALM, {{"sizing.mode", "notional"}}},
    {"maker ratio", CALM, {{"maker_ratio.pause_frac", "1"}}},
    {"ladder: adverse capture, imbalance", CALM,
	{{"perp.adverse_mult", "1"}, {"perp.imbalance_mult", "1"}}},
    {"ladder: one-sided", CALM, {{"perp.skew_one_sided_frac", "1"}}},
    {"everything on", SPIKES, {{0}}},
    {"latency kill switch", SPIKES,
	{{"latency.kill_switch_ms", "60s"},
	    {"latency.kill_switch_polymarket_ms", "60s"},
	    {"latency.kill_switch_binance_ms", "60s"},
	    {"latency.kill_switch_hyperliquid_ms", "60s"},
	    {"latency.data_age_ms", "10m"}}},
    {"everything on", OUTAGES, {{0}}},
    {"wider on old settlement prices", OUTAGES, {{"updown.stale_widen", "1"}}},
};
#define VARIANTS (sizeof(variants) / sizeof(variants[0]))

static const char *const trouble_name[TROUBLE_N] = {"",
    "hourly latency of 1.8 s for 30 s", "hourly silence of settlement, 50 s"};

struct opts {
	uint32_t days;
	uint32_t hours;
	uint64_t seed;
	uint32_t first;
	uint32_t last;
	bool json;
	bool calm;
	uint32_t set_n;
	struct set set[SETS]; /* for every variant */
	char key[SETS][64];
};

struct total {
	struct daysim_result day[DAYS_MAX];
};

static void
apply(struct cfg *cfg, const struct set *s)
{
	char group[64];
	char why[CFG_WHY_SZ];
	const char *dot = strchr(s->key, '.');
	int key;

	CHECK(dot != NULL);
	snprintf(group, sizeof(group), "%.*s", (int)(dot - s->key), s->key);
	key = cfg_key_find(group, dot + 1);
	if (key < 0 || !cfg_set(cfg, (size_t)key, s->value, why)) {
		fprintf(stderr, "protections: %s: %s\n", s->key,
		    key < 0 ? "no such key" : why);
		exit(1);
	}
}

static const char *running;

static void
progress(uint32_t hour)
{
	fprintf(stderr, "\r%-40s hour %2u ", running, hour);
}

static void
run(const struct opts *o, const struct variant *v, struct total *t)
{
	struct daysim_args a = {.hours = o->hours,
	    .spikes = v->trouble == SPIKES,
	    .outages = v->trouble == OUTAGES};
	struct cfg cfg;

	cfg_defaults(&cfg);
	for (size_t i = 0; i < sizeof(stage) / sizeof(stage[0]); i++)
		apply(&cfg, &stage[i]);
	for (uint32_t i = 0; i < o->set_n; i++)
		apply(&cfg, &o->set[i]);
	for (uint32_t i = 0; i < KEYS && v->set[i].key != NULL; i++)
		apply(&cfg, &v->set[i]);
	a.cfg = &cfg;
	running = v->name;
	for (uint32_t k = 0; k < o->days; k++) {
		a.seed = o->seed + k;
		daysim_run(&a, progress, &t->day[k]);
	}
}

/* Mean of `on` less `off` a day, and its standard error, dollars. */
static void
compare(const struct opts *o, const struct total *on, const struct total *off,
    double *mean, double *se)
{
	double n = (double)o->days * o->hours;
	double sum = 0;
	double sq = 0;

	for (uint32_t k = 0; k < o->days; k++)
		for (uint32_t h = 0; h < o->hours; h++) {
			const int64_t *a = on->day[k].equity_e6;
			const int64_t *b = off->day[k].equity_e6;
			double x = (double)(a[h] - b[h]) / 1e6;

			if (h > 0)
				x -= (double)(a[h - 1] - b[h - 1]) / 1e6;
			sum += x;
			sq += x * x;
		}
	*mean = sum / o->days;
	*se = n < 2 ? 0 : sqrt((sq - sum * sum / n) / (n - 1) / n) * o->hours;
}

static double
a_day(const struct opts *o, const struct total *t, size_t field)
{
	double sum = 0;

	for (uint32_t k = 0; k < o->days; k++) {
		int64_t v;

		memcpy(&v, (const char *)&t->day[k] + field, sizeof(v));
		sum += (double)v;
	}
	return sum / o->days;
}

static int64_t
most(const struct opts *o, const struct total *t, size_t field)
{
	int64_t out = INT64_MIN;

	for (uint32_t k = 0; k < o->days; k++) {
		int64_t v;

		memcpy(&v, (const char *)&t->day[k] + field, sizeof(v));
		out = v > out ? v : out;
	}
	return out;
}

#define A_DAY(f) a_day(o, t, offsetof(struct daysim_result, f))
#define MOST(f)	 most(o, t, offsetof(struct daysim_result, f))

static void
print(const struct opts *o, const struct variant *v, const struct total *on,
    const struct total *t)
{
	double mean = 0;
	double se = 0;

	if (on != t)
		compare(o, on, t, &mean, &se);
	if (o->json) {
		printf("{\"off\":\"%s\",\"trouble\":\"%s\",\"pnl_usd\":%.4f,"
		       "\"pm_usd\":%.4f,\"gain_usd\":%.4f,\"error_usd\":%.4f,"
		       "\"fills\":%.1f,\"taken\":%.1f,\"volume_usd\":%.2f,"
		       "\"freezes\":%.1f,\"market_cap_frac\":%.6f,"
		       "\"total_cap_frac\":%.6f,\"day_loss_frac\":%.6f,"
		       "\"breaches\":%" PRId64 "}\n",
		    v->name, trouble_name[v->trouble], A_DAY(pnl_e6) / 1e6,
		    A_DAY(pm_e6) / 1e6, mean, se, A_DAY(fills), A_DAY(taken),
		    A_DAY(volume_e6) / 1e6, A_DAY(freezes),
		    (double)MOST(market_ppm) / 1e6,
		    (double)MOST(total_ppm) / 1e6, (double)MOST(loss_ppm) / 1e6,
		    MOST(breaches));
		fflush(stdout);
		return;
	}
	if (on == t)
		printf("| **%s**%s%s | %.2f | | %.0f | %.0f | %.0f | %.2f %.2f "
		       "%.2f |\n",
		    v->name, v->trouble != CALM ? ", " : "",
		    trouble_name[v->trouble], A_DAY(pnl_e6) / 1e6, A_DAY(fills),
		    A_DAY(taken), A_DAY(volume_e6) / 1e6,
		    (double)MOST(market_ppm) / 1e6,
		    (double)MOST(total_ppm) / 1e6,
		    (double)MOST(loss_ppm) / 1e6);
	else
		printf(
		    "| %s | %.2f | %+.2f +- %.2f | %.0f | %.0f | %.0f | %.2f "
		    "%.2f %.2f |\n",
		    v->name, A_DAY(pnl_e6) / 1e6, mean, se, A_DAY(fills),
		    A_DAY(taken), A_DAY(volume_e6) / 1e6,
		    (double)MOST(market_ppm) / 1e6,
		    (double)MOST(total_ppm) / 1e6,
		    (double)MOST(loss_ppm) / 1e6);
	fflush(stdout);
}

/* What must be true of every run with everything on. */
static bool
is_sound(const struct opts *o, const struct total *t)
{
	bool ok = true;

	for (uint32_t k = 0; k < o->days; k++) {
		const struct daysim_result *r = &t->day[k];
		int64_t off = r->pnl_e6 - r->risk_e6;

		if (r->breaches > 0 || r->loss_ppm > 1000000) {
			fprintf(stderr,
			    "a limit was passed: seed %" PRIu64
			    " breaches %" PRIu64 "\n",
			    o->seed + k, r->breaches);
			ok = false;
		}
		if (llabs(off) > 10000 * (int64_t)(r->fills + 1)) {
			fprintf(stderr,
			    "books differ: seed %" PRIu64
			    " venues %.4f riskd %.4f\n",
			    o->seed + k, (double)r->pnl_e6 / 1e6,
			    (double)r->risk_e6 / 1e6);
			ok = false;
		}
	}
	return ok;
}

static bool
is_picked(const struct opts *o, size_t row)
{
	return row >= o->first && row <= o->last &&
	       (!o->calm || variants[row].trouble == CALM);
}

/* ... or the row that one of those is compared with. */
static bool
is_wanted(const struct opts *o, size_t row)
{
	bool any = is_picked(o, row);

	if (variants[row].set[0].key != NULL)
		return any;
	for (size_t k = row + 1;
	     k < VARIANTS && variants[k].trouble == variants[row].trouble; k++)
		any = any || is_picked(o, k);
	return any;
}

static bool
parse_set(const char *arg, struct opts *o)
{
	const char *eq = strchr(arg, '=');
	char *key = o->key[o->set_n];

	if (eq == NULL || (size_t)(eq - arg) >= sizeof(o->key[0]) ||
	    o->set_n == SETS - 1)
		return false;
	memcpy(key, arg, (size_t)(eq - arg));
	o->set[o->set_n++] = (struct set){key, eq + 1};
	return true;
}

static bool
parse(int argc, char **argv, struct opts *o)
{
	for (int i = 1; i < argc; i++) {
		bool more = i + 1 < argc;

		if (strcmp(argv[i], "--json") == 0)
			o->json = true;
		else if (strcmp(argv[i], "--calm") == 0)
			o->calm = true;
		else if (more && strcmp(argv[i], "--days") == 0)
			o->days = (uint32_t)strtoul(argv[++i], NULL, 10);
		else if (more && strcmp(argv[i], "--hours") == 0)
			o->hours = (uint32_t)strtoul(argv[++i], NULL, 10);
		else if (more && strcmp(argv[i], "--seed") == 0)
			o->seed = strtoull(argv[++i], NULL, 10);
		else if (more && strcmp(argv[i], "--rows") == 0)
			(void)sscanf(argv[++i], "%u-%u", &o->first, &o->last);
		else if (!parse_set(argv[i], o))
			return false;
	}
	return o->days >= 1 && o->days <= DAYS_MAX && o->hours >= 1 &&
	       o->hours <= DAYSIM_HOURS;
}

int
main(int argc, char **argv)
{
	static struct opts o = {
	    .days = 5, .hours = 24, .seed = 1, .last = VARIANTS - 1};
	static struct total on;
	static struct total off;
	bool ok = true;

	if (!parse(argc, argv, &o)) {
		fprintf(stderr, "usage: protections [--days N] [--hours N] "
				"[--seed N] [--rows A-B] [--calm] [--json] "
				"[KEY=VALUE]...\n");
		return 64;
	}
	if (!o.json)
		printf("| switched off | P&L, $ a day | on less off | fills | "
		       "taken | volume, $ | most of a cap, of all, of the "
		       "day's loss |\n|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < VARIANTS; i++) {
		const struct variant *v = &variants[i];
		bool is_on = v->set[0].key == NULL;

		if (!is_wanted(&o, i))
			continue;
		run(&o, v, is_on ? &on : &off);
		fprintf(stderr, "\r%60s\r", "");
		print(&o, v, &on, is_on ? &on : &off);
		ok = ok && (!is_on || is_sound(&o, &on));
	}
	return ok ? 0 : 1;
}
