#include "simvenue/pm_flow.h"

#include <math.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/fair.h"
#include "libcore/hash.h"

#define QUOTE_S	     0.35 /* mean time between two quotes of a maker */
#define LOOK_S	     0.2  /* between two looks of the informed */
#define LATE_NS	     UINT64_C(150000000)
#define BURST_NS     UINT64_C(5000000000)
#define BURST_FACTOR 12.0
#define NOISE_USD    85.0 /* median of a take */
#define INFORMED_USD 40.0
#define CERTAIN	     0.996
#define STOP_NS	     UINT64_C(2000000000) /* before the end */
#define SECONDS(ns)  ((double)(ns)*1e-9)
#define YEAR_S	     (365.0 * 86400.0)
#define FINE_BELOW   0.04
#define FINE_LEAVE   0.06 /* the grid is coarse again inside this */

struct pm_flow_cfg
pm_flow_cfg_default(uint64_t seed)
{
	return (struct pm_flow_cfg){.seed = seed,
	    .rate = 1,
	    .noise_per_s = 1.6,
	    .informed_s = 1.0,
	    .informed_edge = 0.03,
	    .burst_per_hour = 6,
	    .lookback_s = 60};
}

void
pm_flow_init(struct pm_flow *f, const struct pm_flow_cfg *cfg, struct pmx *x,
    struct path *path, const uint32_t *accounts)
{
	CHECK(cfg->rate > 0);
	CHECK(cfg->lookback_s > 0);
	memset(f, 0, sizeof(*f));
	f->cfg = *cfg;
	f->x = x;
	f->path = path;
	f->rng = hash_u64(HASH_SEED, cfg->seed);
	memcpy(f->maker, accounts, sizeof(f->maker));
	f->noise = accounts[FLOW_MAKERS];
	f->informed = accounts[FLOW_MAKERS + 1];
}

static uint64_t
wait_ns(struct pm_flow *f, double mean_s)
{
	double s = -mean_s * log(1.0 - path_uniform(&f->rng));

	return (uint64_t)(s / f->cfg.rate * 1e9) + 1;
}

void
pm_flow_open(
    struct pm_flow *f, uint16_t market, uint64_t start_ns, uint64_t end_ns)
{
	struct pm_flow_market *m = &f->market[market];

	CHECK(market < PMX_MARKETS);
	CHECK(start_ns < end_ns);
	memset(m, 0, sizeof(*m));
	m->used = true;
	m->market = market;
	m->start_ns = start_ns;
	m->end_ns = end_ns;
	for (uint32_t k = 0; k < FLOW_MAKERS; k++) {
		m->quote_ns[k] = f->now_ns + wait_ns(f, QUOTE_S);
		for (uint32_t i = 0; i < 2 * FLOW_LEVELS; i++)
			m->order[k][i / FLOW_LEVELS][i % FLOW_LEVELS] =
			    PMX_NONE;
	}
	m->noise_ns = f->now_ns + wait_ns(f, 1.0);
	m->look_ns = f->now_ns + wait_ns(f, LOOK_S);
}

/* ---- fair value ---- */

double
pm_flow_strike(const struct pm_flow *f, uint16_t market)
{
	return f->market[market].strike;
}

static double
mean_before(const struct pm_flow *f, uint64_t ns)
{
	uint64_t back = f->cfg.lookback_s * UINT64_C(1000000000);

	return path_mean(f->path, ns - back, ns);
}

bool
pm_flow_yes(const struct pm_flow *f, uint16_t market)
{
	const struct pm_flow_market *m = &f->market[market];

	return mean_before(f, m->end_ns) >= m->strike;
}

double
pm_flow_fair(const struct pm_flow *f, uint16_t market, uint64_t seen_ns)
{
	static const struct fair_cfg cfg = {.model = FAIR_TWAP,
	    .spot_age_max_s = 1e9,
	    .settle_age_max_s = 1e9,
	    .provisional = 1,
	    .samples_full = 1};
	const struct pm_flow_market *m = &f->market[market];
	double vol = path_vol(f->path);
	struct fair_in in = {.spot = path_px(f->path, seen_ns),
	    .strike = m->strike,
	    .var_s = vol * vol / YEAR_S,
	    .lookback_s = f->cfg.lookback_s,
	    .tie_yes = true,
	    .samples = 1};
	struct fair_out out;
	uint64_t look_ns = m->end_ns - f->cfg.lookback_s * UINT64_C(1000000000);

	if (m->strike == 0) /* not open yet: as good as even */
		return 0.5;
	in.left_s = seen_ns < m->end_ns ? SECONDS(m->end_ns - seen_ns) : 0.0;
	if (seen_ns > look_ns) {
		in.seen_s = SECONDS(seen_ns - look_ns);
		in.seen_px = path_mean(f->path, look_ns, seen_ns);
	}
	fair_value(&in, &cfg, &out);
	return out.yes;
}

tok_px_t
pm_flow_tick(const struct pm_flow *f, uint16_t market)
{
	tok_px_t now = f->x->market[market].terms.tick;
	double fair = pm_flow_fair(f, market, f->now_ns);
	double edge = fair < 0.5 ? fair : 1.0 - fair;

	if (edge < FINE_BELOW)
		return TOK_PX(E8 / 1000);
	return edge > FINE_LEAVE ? TOK_PX(E8 / 100) : now;
}

/* ---- orders ---- */

static struct pmx_id
next_id(struct pm_flow *f)
{
	struct pmx_id id;
	uint64_t h = ++f->ids;

	for (size_t i = 0; i < sizeof(id.b); i += sizeof(h)) {
		h = hash_u64(h, i + f->cfg.seed);
		memcpy(id.b + i, &h, sizeof(h));
	}
	return id;
}

static double
size_around(struct pm_flow *f, double median)
{
	return median * exp(0.9 * path_normal(&f->rng));
}

/* One step of a maker's ladder. */
struct rung {
	int64_t p4;  /* dollars, 1e-4 */
	uint32_t at; /* 0 the best */
};

/* A resting BUY of a token. */
static uint32_t
rest(struct pm_flow *f, uint32_t account, uint16_t market, enum token_role role,
    struct rung rung, struct pmx_id *id)
{
	/* Medians; the touch is thin, what is behind it is not. */
	static const double shares[FLOW_LEVELS] = {
	    40, 220, 1000, 1900, 2500, 2900};
	int64_t s2 = (int64_t)(size_around(f, shares[rung.at]) * 100.0);
	int64_t min2 = f->x->market[market].terms.min_qty.e8 / (E8 / 100);
	struct pmx_new n = {.account = account,
	    .market = market,
	    .role = role,
	    .side = SIDE_BID,
	    .type = PMX_GTC,
	    .post_only = true};
	uint32_t order;

	s2 = i64_clamp(s2, min2, 2000000);
	n.id = next_id(f);
	n.give_e6 = s2 * rung.p4;
	n.get_e6 = s2 * 10000;
	*id = n.id;
	(void)pmx_place(f->x, &n, f->now_ns, &order);
	return order;
}

/* A FAK BUY of a token for some dollars, at p4 or better. */
static void
take(struct pm_flow *f, uint32_t account, uint16_t market, enum token_role role,
    int64_t p4, double usd)
{
	int64_t cents = (int64_t)(usd * 100.0);
	struct pmx_new n = {.account = account,
	    .market = market,
	    .role = role,
	    .side = SIDE_BID,
	    .type = PMX_FAK};
	uint32_t order;

	cents = i64_clamp(cents, 100, 100000);
	n.id = next_id(f);
	n.give_e6 = cents * 10000;
	n.get_e6 = (n.give_e6 * 10000 + p4 * 100 - 1) / (p4 * 100) * 100;
	(void)pmx_place(f->x, &n, f->now_ns, &order);
}

/* Take a maker's order out, if it is still that one; another may have the
 * entry by now. */
static void
drop(struct pm_flow *f, struct pm_flow_market *m, uint32_t k, uint32_t s,
    uint32_t i)
{
	uint32_t o = m->order[k][s][i];

	m->order[k][s][i] = PMX_NONE;
	if (o != PMX_NONE && pmx_find(f->x, &m->id[k][s][i]) == o)
		(void)pmx_cancel(f->x, f->maker[k], o, f->now_ns);
}

static void
withdraw(struct pm_flow *f, struct pm_flow_market *m, uint32_t k)
{
	for (uint32_t i = 0; i < 2 * FLOW_LEVELS; i++)
		drop(f, m, k, i / FLOW_LEVELS, i % FLOW_LEVELS);
}

/* Does the maker have this order, unfilled, at this price? */
static bool
stands(const struct pm_flow *f, const struct pm_flow_market *m, uint32_t k,
    uint32_t s, uint32_t i, int64_t p4)
{
	uint32_t o = m->order[k][s][i];

	return o != PMX_NONE && pmx_find(f->x, &m->id[k][s][i]) == o &&
	       f->x->order[o].state == PMX_LIVE &&
	       f->x->order[o].px.tok_e8 == p4 * 10000;
}

/* Pairs are merged, so that money comes back. */
static void
merge(struct pm_flow *f, uint32_t account, uint16_t market)
{
	int64_t yes = pmx_free_token(f->x, account, market, ROLE_YES);
	int64_t no = pmx_free_token(f->x, account, market, ROLE_NO);
	int64_t q = i64_min(yes, no) / 100 * 100;

	if (q >= E8)
		(void)pmx_merge(f->x, account, market, QTY(q));
}

/* A ladder of bids from a price downwards; 0: none. A price has its own slot,
 * so that orders stay where they are while the ladder moves by a tick. */
static void
quote_side(struct pm_flow *f, struct pm_flow_market *m, uint32_t k,
    enum token_role role, int64_t top4)
{
	int64_t t4 = f->x->market[m->market].terms.tick.tok_e8 / 10000;
	uint32_t s = role - ROLE_YES;
	bool keeps[FLOW_LEVELS] = {false};
	int64_t p4 = i64_min(top4, 10000 - t4) / t4 * t4;

	for (uint32_t i = 0; i < FLOW_LEVELS && p4 >= t4; i++, p4 -= t4) {
		uint32_t at = (uint32_t)(p4 / t4 % FLOW_LEVELS);

		keeps[at] = true;
		if (stands(f, m, k, s, at, p4))
			continue;
		drop(f, m, k, s, at);
		m->order[k][s][at] = rest(f, f->maker[k], m->market, role,
		    (struct rung){p4, i}, &m->id[k][s][at]);
	}
	for (uint32_t at = 0; at < FLOW_LEVELS; at++)
		if (!keeps[at])
			drop(f, m, k, s, at);
}

static void
quote(struct pm_flow *f, struct pm_flow_market *m, uint32_t k)
{
	int64_t t4 = f->x->market[m->market].terms.tick.tok_e8 / 10000;
	double fair = pm_flow_fair(f, m->market, f->now_ns - LATE_NS) +
		      0.001 * path_normal(&f->rng);
	int64_t f4 = (int64_t)(fair * 10000.0);
	int64_t half = t4 * ((int64_t)k / 2); /* two join the touch */

	merge(f, f->maker[k], m->market);
	if (f->now_ns + STOP_NS > m->end_ns) {
		withdraw(f, m, k);
		return;
	}
	quote_side(f, m, k, ROLE_YES, fair > 1.0 - CERTAIN ? f4 - half : 0);
	quote_side(f, m, k, ROLE_NO, fair < CERTAIN ? 10000 - f4 - half : 0);
}

/* The best price at which a token is sold, in 1e-4; 0 when nobody does. */
static int64_t
offered(const struct pm_flow *f, uint16_t market, enum token_role role)
{
	enum side side = frame_side(SIDE_ASK, role);
	const struct match_level *l =
	    match_level(&f->x->market[market].match, side, 0);

	return l == NULL ? 0 : frame_tok_px(l->px, role).tok_e8 / 10000;
}

static void
take_noise(struct pm_flow *f, struct pm_flow_market *m)
{
	enum token_role role = path_uniform(&f->rng) < 0.5 ? ROLE_YES : ROLE_NO;
	int64_t t4 = f->x->market[m->market].terms.tick.tok_e8 / 10000;
	int64_t p4 = offered(f, m->market, role);

	merge(f, f->noise, m->market);
	if (p4 == 0)
		return;
	take(f, f->noise, m->market, role, i64_min(p4 + t4, 10000 - t4),
	    size_around(f, NOISE_USD));
}

static void
take_informed(struct pm_flow *f, struct pm_flow_market *m)
{
	uint64_t seen = f->now_ns + (uint64_t)(f->cfg.informed_s * 1e9);
	double fair = pm_flow_fair(f, m->market, seen);

	merge(f, f->informed, m->market);
	for (enum token_role r = ROLE_YES; r < ROLE_N; r++) {
		double worth = r == ROLE_YES ? fair : 1.0 - fair;
		int64_t p4 = offered(f, m->market, r);

		if (p4 == 0 || worth - (double)p4 * 1e-4 < f->cfg.informed_edge)
			continue;
		take(f, f->informed, m->market, r, p4,
		    size_around(f, INFORMED_USD));
	}
}

/* ---- time ---- */

static void
step_market(struct pm_flow *f, struct pm_flow_market *m)
{
	double noise = f->cfg.noise_per_s;

	if (m->strike == 0 && f->now_ns >= m->start_ns)
		m->strike = mean_before(f, m->start_ns);
	for (uint32_t k = 0; k < FLOW_MAKERS; k++)
		if (f->now_ns >= m->quote_ns[k]) {
			quote(f, m, k);
			m->quote_ns[k] = f->now_ns + wait_ns(f, QUOTE_S);
		}
	if (f->now_ns + STOP_NS > m->end_ns) {
		m->noise_ns = UINT64_MAX;
		m->look_ns = UINT64_MAX;
		return;
	}
	if (f->now_ns < m->burst_ns)
		noise *= BURST_FACTOR;
	if (f->now_ns >= m->noise_ns) {
		take_noise(f, m);
		m->noise_ns = f->now_ns + wait_ns(f, 1.0 / noise);
	}
	if (f->now_ns >= m->look_ns && m->strike != 0) {
		take_informed(f, m);
		m->look_ns = f->now_ns + wait_ns(f, LOOK_S);
		if (path_uniform(&f->rng) <
		    f->cfg.burst_per_hour * LOOK_S / 3600.0)
			m->burst_ns = f->now_ns + BURST_NS;
	}
}

void
pm_flow_step(struct pm_flow *f, uint64_t now_ns)
{
	CHECK(now_ns >= f->now_ns);
	f->now_ns = now_ns;
	for (uint32_t i = 0; i < PMX_MARKETS; i++)
		if (f->market[i].used)
			step_market(f, &f->market[i]);
}

uint64_t
pm_flow_wake(const struct pm_flow *f)
{
	uint64_t ns = 0;

	for (uint32_t i = 0; i < PMX_MARKETS; i++) {
		const struct pm_flow_market *m = &f->market[i];
		uint64_t at =
		    m->noise_ns < m->look_ns ? m->noise_ns : m->look_ns;

		if (!m->used)
			continue;
		for (uint32_t k = 0; k < FLOW_MAKERS; k++)
			if (m->quote_ns[k] < at)
				at = m->quote_ns[k];
		if (ns == 0 || at < ns)
			ns = at;
	}
	return ns;
}

void
pm_flow_close(struct pm_flow *f, uint16_t market)
{
	struct pm_flow_market *m = &f->market[market];

	CHECK(m->used);
	for (uint32_t k = 0; k < FLOW_MAKERS; k++)
		withdraw(f, m, k);
	m->used = false;
}
