/*
 * Orders signed ahead: while there is nothing else to do, the likely next
 * orders of what rests. What an order says of its life is not signed, so an
 * entry serves good-till-cancelled and dated orders alike.
 */
#include <string.h>

#include "execd/gw_pm_int.h"
#include "libcore/check.h"

#define SCAN_MAX   16u /* resting orders looked at in one call */
#define STEPS	   4u  /* prices of one */
#define FRESH_NS   (GWPM_AHEAD_NS / 2)
#define PAUSE_NS   UINT64_C(500000000)
#define ID_COUNT   40 /* bits of the counter in our ids; see port.h */
#define EPOCH_MASK UINT64_C(0x1fff)

/* ---- entries ---- */

/* Below what is wanted by no more than the tolerance. */
static bool
size_fits(const struct gwpm *g, qty_t have, qty_t want)
{
	return have.e8 <= want.e8 &&
	       have.e8 >= want.e8 - i64_mul_div(want.e8,
					g->set.presign_tolerance.e8, E8);
}

static bool
is_young(const struct gwpm_ahead *a, uint64_t age_ns, uint64_t now_ns)
{
	return a->is_used && now_ns < a->made_ns + age_ns;
}

static bool
is_same(const struct gwpm_ahead *a, const struct gwpm_order *o)
{
	return a->market == o->market && a->role == o->role &&
	       a->deal == o->deal && a->px.e8 == o->px.e8;
}

/* All that the signature says, against the market as it is now. */
static bool
still_true(const struct gwpm *g, const struct gwpm_ahead *a)
{
	const struct gwpm_market *m = &g->book->market[a->market];
	px_t px = a->role == ROLE_YES ? a->px : px_complement(a->px);
	struct pm_amounts now;
	uint32_t e4;

	return a->epoch == m->epoch && a->generation == m->generation &&
	       a->neg_risk == m->neg_risk && a->qty.e8 >= m->min_qty.e8 &&
	       pm_px_to_e4(px, m->tick_e4, (enum side)a->deal, &e4) &&
	       px.e8 == (int64_t)e4 * 10000 &&
	       pm_limit_amounts(
		   (enum side)a->deal, e4, pm_qty_to_e2(a->qty), &now) &&
	       now.maker == a->amounts.maker && now.taker == a->amounts.taker;
}

/* ---- use ---- */

bool
gwpm_ahead_take(struct gwpm *g, struct gwpm_order *o,
    const struct gwpm_now *now, struct pm_order *w, struct pm_signed *s)
{
	if (!g->set.has_presign || o->tif != TIF_GTC)
		return false;
	for (uint32_t i = 0; i < GWPM_AHEADS; i++) {
		struct gwpm_ahead *a = &g->ahead[i];

		if (!is_young(a, GWPM_AHEAD_NS, now->ns) || !is_same(a, o) ||
		    !size_fits(g, a->qty, o->qty) || !still_true(g, a))
			continue;
		a->is_used = false; /* never twice */
		w->salt = a->salt;
		w->timestamp_ms = a->timestamp_ms;
		w->amounts = a->amounts;
		*s = a->s;
		gwpm_offered(g->book, o, a->qty.e8 - o->qty.e8);
		o->is_short = a->qty.e8 < o->qty.e8;
		o->qty = a->qty;
		g->stat.ahead_hits++;
		return true;
	}
	g->stat.ahead_misses++;
	return false;
}

/* ---- signing ---- */

/* The number of a salt that no id of ours has, of this life or another: the
 * counters of ids stay far below the bit that is set here. */
static uint64_t
ahead_number(struct gwpm *g)
{
	return (g->set.epoch & EPOCH_MASK) << ID_COUNT |
	       UINT64_C(1) << (ID_COUNT - 1) | ++g->ahead_n;
}

/* Where the size was a share of capital, a dearer price buys less. */
static qty_t
size_at(const struct gwpm *g, const struct gwpm_order *o, px_t px)
{
	bool is_bid = o->side == SIDE_BID;
	int64_t was = is_bid ? o->px.e8 : E8 - o->px.e8;
	int64_t is = is_bid ? px.e8 : E8 - px.e8;
	int64_t q = o->qty.e8;

	if (is > was)
		q = i64_mul_div(q, was, is);
	q -= i64_mul_div(q, g->set.presign_tolerance.e8 / 4, E8);
	return QTY((int64_t)(pm_qty_to_e2(QTY(q)) * 1000000u));
}

static struct gwpm_ahead *
entry_for(struct gwpm *g, uint64_t now_ns)
{
	struct gwpm_ahead *oldest = &g->ahead[0];

	for (uint32_t i = 0; i < GWPM_AHEADS; i++) {
		struct gwpm_ahead *a = &g->ahead[i];

		if (!is_young(a, GWPM_AHEAD_NS, now_ns))
			return a;
		if (a->made_ns < oldest->made_ns)
			oldest = a;
	}
	return oldest;
}

static bool
has_one(const struct gwpm *g, const struct gwpm_order *like, uint64_t now_ns)
{
	for (uint32_t i = 0; i < GWPM_AHEADS; i++) {
		const struct gwpm_ahead *a = &g->ahead[i];

		if (is_young(a, FRESH_NS, now_ns) && is_same(a, like) &&
		    size_fits(g, a->qty, like->qty) && still_true(g, a))
			return true;
	}
	return false;
}

static bool
sign_one(struct gwpm *g, const struct gwpm_order *like, qty_t qty,
    const struct gwpm_now *now)
{
	const struct gwpm_market *m = &g->book->market[like->market];
	px_t px = like->role == ROLE_YES ? like->px : px_complement(like->px);
	struct gwpm_ahead a = {.market = like->market,
	    .epoch = m->epoch,
	    .generation = m->generation,
	    .neg_risk = m->neg_risk,
	    .role = like->role,
	    .deal = like->deal,
	    .px = like->px,
	    .qty = qty,
	    .made_ns = now->ns,
	    .timestamp_ms = (uint64_t)((now->wall_ns + g->skew_ns) / NS_PER_MS),
	    .salt = pm_salt(ahead_number(g))};
	struct pm_order w = {.salt = a.salt,
	    .asset = &m->token[like->role - ROLE_YES].asset,
	    .side = (enum side)like->deal,
	    .tif = PM_GTC,
	    .timestamp_ms = a.timestamp_ms};
	uint32_t e4;

	if (qty.e8 < m->min_qty.e8 ||
	    !pm_px_to_e4(px, m->tick_e4, (enum side)like->deal, &e4) ||
	    px.e8 != (int64_t)e4 * 10000 ||
	    !pm_limit_amounts(w.side, e4, pm_qty_to_e2(qty), &w.amounts) ||
	    !pm_order_ok(&w) ||
	    !pm_order_sign(
		gwpm_template(g, m), g->set.secp, g->set.key, &w, &a.s))
		return false;
	a.amounts = w.amounts;
	a.is_used = true;
	*entry_for(g, now->ns) = a;
	return true;
}

/* One signature at most: returns true when it was made. */
static bool
around(struct gwpm *g, const struct gwpm_order *o, const struct gwpm_now *now)
{
	static const int64_t steps[STEPS] = {-1, 1, -2, 2};
	const struct gwpm_market *m = &g->book->market[o->market];

	if (m->instr == 0 || m->refused || o->tif != TIF_GTC ||
	    (o->state != GWPM_LIVE && o->state != GWPM_SENT))
		return false;
	for (uint32_t i = 0; i < STEPS; i++) {
		struct gwpm_order like = *o;
		qty_t qty;

		like.px.e8 += steps[i] * (int64_t)m->tick_e4 * 10000;
		if (like.px.e8 <= 0 || like.px.e8 >= E8)
			continue;
		qty = size_at(g, o, like.px);
		like.qty = qty;
		gwpm_choose(g, &like, now);
		if (!has_one(g, &like, now->ns) && sign_one(g, &like, qty, now))
			return true;
	}
	return false;
}

void
gwpm_ahead_due(struct gwpm *g, const struct gwpm_now *now)
{
	bool is_idle = g->post.n + g->cancel.n == 0 && g->posts_out == 0;

	if (!g->set.has_presign || now->ns < g->ahead_ns || !is_idle ||
	    gwpm_mode(g) != PORT_NORMAL)
		return;
	for (uint32_t i = 0; i < SCAN_MAX; i++) {
		if (g->ahead_at >= g->book->active_n) {
			g->ahead_at = 0;
			g->ahead_ns = now->ns + PAUSE_NS;
			return;
		}
		if (around(
			g, &g->book->order[g->book->active[g->ahead_at]], now))
			return; /* that was enough for one turn */
		g->ahead_at++;
	}
}
