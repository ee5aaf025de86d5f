/*
 * What the world does to clients when it is told to: takers that come at the
 * wrong moment, liquidations, inventory that changes without a trade, grids
 * that change.
 */
#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "simvenue/world_int.h"

#define CENT_SHARES INT64_C(1000000) /* 0.01 share, 1e-8 */
#define E6_PER_QTY  100		     /* 1e-8 shares in a 1e-6 share */

static struct pmx_id
next_id(struct world *w)
{
	struct pmx_id id = {{0}};

	w->acts++;
	for (size_t i = 0; i < sizeof(id.b); i += sizeof(uint64_t)) {
		uint64_t h = hash_u64(hash_u64(w->cfg.seed, w->acts), i);

		memcpy(id.b + i, &h, sizeof(h));
	}
	return id;
}

static enum token_role
other_of(enum token_role role)
{
	return role == ROLE_YES ? ROLE_NO : ROLE_YES;
}

/* ---- somebody takes an order ---- */

/* Shares that come before an order's, and what is to be taken of itself. */
static int64_t
wanted_e8(const struct match *m, enum side side, uint32_t handle, int64_t part)
{
	const struct match_order *o = match_at(m, handle);
	int64_t sum = match_ahead(m, handle).e8 + part;

	for (uint32_t i = 0; i < match_level_n(m, side); i++) {
		const struct match_level *l = match_level(m, side, i);

		if (l->px.e8 == o->px.e8)
			break;
		sum += l->qty.e8;
	}
	return sum;
}

void
world_hit_pm(void *user, uint32_t order, bool half)
{
	struct world *w = user;
	const struct pmx_order *o = &w->pmx.order[order];
	enum token_role role = (enum token_role)o->role;
	bool buys = o->side == SIDE_BID;
	int64_t part = pmx_left(o).e8 / (half ? 2 : 1);
	struct pmx_new n = {.id = next_id(w),
	    .account = w->pm_flow.noise,
	    .market = o->market,
	    .role = buys ? other_of(role) : role,
	    .side = SIDE_BID,
	    .type = PMX_GTC,
	    .at_once = true};
	int64_t px = buys ? E8 - o->px.tok_e8 : o->px.tok_e8;
	int64_t e8;
	uint32_t taker;

	if (o->handle == MATCH_NONE)
		return;
	e8 = wanted_e8(&w->pmx.market[o->market].match,
	    frame_side((enum side)o->side, role), o->handle, part);
	e8 = i64_max((e8 + CENT_SHARES - 1) / CENT_SHARES * CENT_SHARES,
	    w->pmx.market[o->market].terms.min_qty.e8);
	n.get_e6 = e8 / E6_PER_QTY;
	n.give_e6 = i64_mul_div(n.get_e6, px, E8);
	if (pmx_place(&w->pmx, &n, w->now_ns, &taker) == PMX_OK &&
	    pmx_is_open(&w->pmx.order[taker]))
		(void)pmx_cancel(&w->pmx, n.account, taker, w->now_ns);
}

void
world_hit_hl(void *user, uint32_t order, bool half)
{
	struct world *w = user;
	const struct hlx_order *o = &w->hlx.order[order];
	struct hlx_new n = {.account = w->hl_flow.noise,
	    .index = w->hlx.coin[o->coin].terms.index,
	    .side = side_opposite((enum side)o->side),
	    .px = o->px,
	    .tif = HLX_IOC};
	struct hl_grid grid = {
	    .sz_decimals = (uint8_t)w->hlx.coin[o->coin].terms.sz_decimals};
	int64_t part = o->left.e8 / (half ? 2 : 1);
	struct hlx_result r;

	if (o->handle == MATCH_NONE)
		return;
	part = i64_max(hl_qty_floor(&grid, QTY(part)).e8, 0);
	n.qty = QTY(wanted_e8(&w->hlx.coin[o->coin].match, (enum side)o->side,
	    o->handle, part > 0 ? part : o->left.e8));
	hlx_place(&w->hlx, &n, w->now_ns, &r);
}

/* A FAK BUY of a token for some dollars, at any price. */
static void
sweep(struct world *w, uint16_t market, enum token_role role, int64_t usd)
{
	int64_t tick = w->pmx.market[market].terms.tick.tok_e8;
	struct pmx_new n = {.id = next_id(w),
	    .account = w->pm_flow.informed,
	    .market = market,
	    .role = role,
	    .side = SIDE_BID,
	    .type = PMX_FAK,
	    .give_e6 = usd * E6,
	    .at_once = true};
	uint32_t order;

	n.get_e6 =
	    (n.give_e6 * (E8 / 10000) / ((E8 - tick) / 10000) + 99) / 100 * 100;
	(void)pmx_place(&w->pmx, &n, w->now_ns, &order);
}

void
world_sweep(struct world *w, int64_t usd)
{
	bool due[PMX_MARKETS][2] = {{false}};

	for (uint32_t i = 0; i < PMX_ORDERS; i++) {
		const struct pmx_order *o = &w->pmx.order[i];
		enum token_role role = (enum token_role)o->role;

		if (o->state != PMX_LIVE ||
		    desk_login_of(&w->pm_desk, o->account) == DESK_LOGINS)
			continue;
		if (o->side == SIDE_BID)
			role = other_of(role);
		due[o->market][role - ROLE_YES] = true;
	}
	for (uint16_t m = 0; m < PMX_MARKETS; m++)
		for (enum token_role r = ROLE_YES; r < ROLE_N; r++)
			if (due[m][r - ROLE_YES])
				sweep(w, m, r, usd);
}

/* ---- what happens to accounts ---- */

void
world_liquidate(struct world *w)
{
	for (uint32_t i = 0; i < w->hl_desk.signer_n; i++) {
		const struct hl_signatory *s = &w->hl_desk.signer[i];

		if (!s->is_agent && w->hlx.account[s->account].used)
			hlx_liquidate(&w->hlx, s->account, 0, w->hl_flow.noise,
			    w->now_ns);
	}
}

/* The market that is on trade and ends first; PMX_NONE. */
static uint32_t
market_on_trade(const struct world *w)
{
	const struct world_window *best = NULL;

	for (uint32_t i = 0; i < WORLD_WINDOWS; i++) {
		const struct world_window *v = &w->window[i];

		if (v->phase != WORLD_TRADING || v->end_ns == 0)
			continue;
		if (best == NULL || v->end_ns < best->end_ns)
			best = v;
	}
	return best == NULL ? PMX_NONE : best->market;
}

void
world_external(struct world *w, int64_t usd)
{
	uint32_t market = market_on_trade(w);
	qty_t q = QTY(usd * E8);

	for (uint32_t i = 0; i < PMX_ACCOUNTS && market != PMX_NONE; i++) {
		if (!w->pm_desk.owner[i].used ||
		    desk_login_of(&w->pm_desk, i) == DESK_LOGINS)
			continue;
		if (!pmx_merge(&w->pmx, i, market, q))
			(void)pmx_split(&w->pmx, i, market, q);
	}
}

/* ---- grids ---- */

static void
cancel_off_grid(struct world *w, uint16_t market, bool all)
{
	int64_t tick = w->pmx.market[market].terms.tick.tok_e8;

	for (uint32_t i = 0; i < PMX_ORDERS; i++) {
		const struct pmx_order *o = &w->pmx.order[i];

		if (o->state == PMX_LIVE && o->market == market &&
		    (all || o->px.tok_e8 % tick != 0))
			(void)pmx_cancel(&w->pmx, o->account, i, w->now_ns);
	}
}

void
world_change_ticks(struct world *w, bool all)
{
	for (uint32_t i = 0; i < WORLD_WINDOWS; i++) {
		struct world_window *v = &w->window[i];
		tok_px_t old;

		if (v->phase != WORLD_TRADING)
			continue;
		old = w->pmx.market[v->market].terms.tick;
		pmx_set_tick(&w->pmx, v->market,
		    TOK_PX(old.tok_e8 == E8 / 1000 ? E8 / 100 : E8 / 1000));
		v->is_pinned = true;
		tape_tick(&w->tape, v->market, old);
		cancel_off_grid(w, v->market, all);
	}
}
