#include "simvenue/hl_flow.h"

#include <math.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "libsign/hl_num.h"

#define QUOTE_S	     0.3
#define LOOK_S	     0.3
#define LATE_NS	     UINT64_C(250000000) /* makers see the path so late */
#define MARK_NS	     UINT64_C(1000000000)
#define HOUR_NS	     UINT64_C(3600000000000)
#define MAKER_USD    10000.0 /* median of a level */
#define NOISE_USD    1500.0
#define INFORMED_USD 15000.0
#define FUNDING_E12  INT64_C(12500000)

struct hl_flow_cfg
hl_flow_cfg_default(uint64_t seed)
{
	return (struct hl_flow_cfg){.seed = seed,
	    .rate = 1,
	    .size_sigma = 2.1,
	    .noise_per_s = 4.2,
	    .informed_s = 1.0,
	    .informed_bps = 1.5};
}

void
hl_flow_init(struct hl_flow *f, const struct hl_flow_cfg *cfg, struct hlx *x,
    struct path *path, const uint32_t *accounts)
{
	CHECK(cfg->rate > 0);
	memset(f, 0, sizeof(*f));
	f->cfg = *cfg;
	f->x = x;
	f->path = path;
	f->rng = hash_u64(HASH_SEED, cfg->seed);
	memcpy(f->maker, accounts, sizeof(f->maker));
	f->noise = accounts[HL_FLOW_MAKERS];
	f->informed = accounts[HL_FLOW_MAKERS + 1];
}

static uint64_t
wait_ns(struct hl_flow *f, double mean_s)
{
	double s = -mean_s * log(1.0 - path_uniform(&f->rng));

	return (uint64_t)(s / f->cfg.rate * 1e9) + 1;
}

void
hl_flow_start(struct hl_flow *f, uint32_t coin, uint64_t now_ns)
{
	CHECK(coin < HLX_COINS);
	f->coin = coin;
	f->now_ns = now_ns;
	for (uint32_t k = 0; k < HL_FLOW_MAKERS; k++)
		f->quote_ns[k] = now_ns;
	f->noise_ns = now_ns + wait_ns(f, 1.0);
	f->look_ns = now_ns + wait_ns(f, LOOK_S);
	f->mark_ns = now_ns;
	f->fund_ns = (now_ns / HOUR_NS + 1) * HOUR_NS;
}

static double
perp_px(const struct hl_flow *f, uint64_t ns)
{
	return path_px(f->path, ns) * (1.0 + f->cfg.basis_bps * 1e-4);
}

static px_t
to_px(double px)
{
	return PX((int64_t)(px * (double)E8));
}

static struct hl_grid
grid_of(const struct hl_flow *f)
{
	const struct hlx_terms *t = &f->x->coin[f->coin].terms;

	return (struct hl_grid){.sz_decimals = (uint8_t)t->sz_decimals};
}

/* A size worth some dollars, one lot more than rounded down. */
static qty_t
worth(struct hl_flow *f, double median_usd, double px)
{
	struct hl_grid grid = grid_of(f);
	double usd = median_usd * exp(f->cfg.size_sigma * path_normal(&f->rng));
	int64_t lot = E8;

	for (uint32_t d = grid.sz_decimals; d > 0; d--)
		lot /= 10;
	if (usd < 15)
		usd = 15;
	return hl_qty_floor(&grid, QTY((int64_t)(usd / px * (double)E8) + lot));
}

static uint64_t
place(struct hl_flow *f, uint32_t account, enum side side, double px,
    double usd, enum hlx_tif tif)
{
	struct hlx_new n = {.account = account,
	    .index = f->x->coin[f->coin].terms.index,
	    .side = side,
	    .tif = tif};
	struct hl_grid grid = grid_of(f);
	struct hlx_result r;

	if (!hl_px_round(&grid, to_px(px), side, &n.px))
		return 0;
	n.qty = worth(f, usd, px);
	hlx_place(f->x, &n, f->now_ns, &r);
	return r.error == HLX_OK && r.rests ? f->x->order[r.order].oid : 0;
}

static void
withdraw(struct hl_flow *f, uint32_t k)
{
	for (uint32_t s = 0; s < 2; s++)
		for (uint32_t i = 0; i < HL_FLOW_LEVELS; i++) {
			uint32_t o;

			if (f->oid[k][s][i] == 0)
				continue;
			o = hlx_find_oid(f->x, f->oid[k][s][i]);
			f->oid[k][s][i] = 0;
			if (o != HLX_NONE)
				(void)hlx_cancel(
				    f->x, f->maker[k], o, f->now_ns);
		}
}

static void
quote(struct hl_flow *f, uint32_t k)
{
	double mid = perp_px(f, f->now_ns - LATE_NS);
	double half = mid * 1e-4 * 0.2 * path_uniform(&f->rng);
	double step = mid * 1e-4 * 0.12;

	withdraw(f, k);
	for (uint32_t i = 0; i < HL_FLOW_LEVELS; i++) {
		double far = half + step * (double)i;

		f->oid[k][0][i] = place(
		    f, f->maker[k], SIDE_BID, mid - far, MAKER_USD, HLX_ALO);
		f->oid[k][1][i] = place(
		    f, f->maker[k], SIDE_ASK, mid + far, MAKER_USD, HLX_ALO);
	}
}

static void
take_noise(struct hl_flow *f)
{
	enum side side = path_uniform(&f->rng) < 0.5 ? SIDE_BID : SIDE_ASK;
	double px = perp_px(f, f->now_ns);

	(void)place(f, f->noise, side,
	    side == SIDE_BID ? px * 1.001 : px * 0.999, NOISE_USD, HLX_IOC);
}

static void
take_informed(struct hl_flow *f)
{
	const struct match *m = &f->x->coin[f->coin].match;
	double then =
	    perp_px(f, f->now_ns + (uint64_t)(f->cfg.informed_s * 1e9));
	double edge = f->cfg.informed_bps * 1e-4;
	const struct match_level *ask = match_level(m, SIDE_ASK, 0);
	const struct match_level *bid = match_level(m, SIDE_BID, 0);

	if (ask != NULL && then * (1.0 - edge) > (double)ask->px.e8 / E8)
		(void)place(f, f->informed, SIDE_BID, then * (1.0 - edge),
		    INFORMED_USD, HLX_IOC);
	else if (bid != NULL && then * (1.0 + edge) < (double)bid->px.e8 / E8)
		(void)place(f, f->informed, SIDE_ASK, then * (1.0 + edge),
		    INFORMED_USD, HLX_IOC);
}

static void
mark(struct hl_flow *f)
{
	hlx_set_prices(f->x, f->coin, to_px(perp_px(f, f->now_ns)),
	    to_px(path_px(f->path, f->now_ns)), FUNDING_E12);
	f->mark_ns = f->now_ns + MARK_NS;
	if (f->now_ns < f->fund_ns)
		return;
	hlx_fund(f->x);
	f->fund_ns += HOUR_NS;
}

void
hl_flow_step(struct hl_flow *f, uint64_t now_ns)
{
	CHECK(now_ns >= f->now_ns);
	f->now_ns = now_ns;
	if (now_ns >= f->mark_ns)
		mark(f);
	for (uint32_t k = 0; k < HL_FLOW_MAKERS; k++)
		if (now_ns >= f->quote_ns[k]) {
			quote(f, k);
			f->quote_ns[k] = now_ns + wait_ns(f, QUOTE_S);
		}
	if (now_ns >= f->noise_ns) {
		take_noise(f);
		f->noise_ns = now_ns + wait_ns(f, 1.0 / f->cfg.noise_per_s);
	}
	if (now_ns >= f->look_ns) {
		take_informed(f);
		f->look_ns = now_ns + wait_ns(f, LOOK_S);
	}
}

uint64_t
hl_flow_wake(const struct hl_flow *f)
{
	uint64_t ns = f->noise_ns < f->look_ns ? f->noise_ns : f->look_ns;

	if (f->mark_ns < ns)
		ns = f->mark_ns;
	for (uint32_t k = 0; k < HL_FLOW_MAKERS; k++)
		if (f->quote_ns[k] < ns)
			ns = f->quote_ns[k];
	return ns;
}
