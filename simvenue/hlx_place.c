/*
 * An order arrives at Hyperliquid: the checks, the match, the rest; modify.
 */
#include <string.h>

#include "libsign/hl_num.h"
#include "simvenue/hlx_int.h"

/* More than 95 % from the mark. */
static bool
is_far(const struct hlx_coin *c, px_t px)
{
	return px.e8 * 20 < c->mark.e8 || px.e8 > c->mark.e8 / 20 * 39;
}

static bool
has_margin(struct hlx *x, const struct hlx_new *n, uint32_t coin)
{
	usd_t before = hlx_margin(x, n->account);
	usd_t after;

	hlx_open_qty(x, n->account, (uint16_t)coin, n->side, n->qty.e8);
	after = hlx_margin(x, n->account);
	hlx_open_qty(x, n->account, (uint16_t)coin, n->side, -n->qty.e8);
	return after.e6 <= before.e6 || after.e6 <= hlx_value(x, n->account).e6;
}

static enum hlx_error
check_order(struct hlx *x, const struct hlx_new *n, uint32_t coin)
{
	struct hlx_coin *c = &x->coin[coin];
	struct hl_grid grid = {.sz_decimals = (uint8_t)c->terms.sz_decimals};
	bool crosses;

	if (n->qty.e8 == 0)
		return HLX_ERR_ZERO_SIZE;
	if (!hl_qty_ok(&grid, n->qty))
		return HLX_ERR_SIZE;
	if (n->px.e8 <= 0)
		return HLX_ERR_PRICE;
	if (!hl_px_ok(&grid, n->px))
		return HLX_ERR_TICK;
	if (!hl_value_ok(n->px, n->qty) && !n->reduce_only)
		return HLX_ERR_NOTIONAL;
	if (is_far(c, n->px))
		return HLX_ERR_FAR;
	if (n->reduce_only &&
	    hlx_reducible(x, n->account, coin, n->side) < n->qty.e8)
		return HLX_ERR_REDUCE_ONLY;
	crosses = match_crosses(&c->match, n->side, n->px);
	if (n->tif == HLX_ALO && crosses)
		return HLX_ERR_POST_ONLY;
	if (!n->reduce_only && !has_margin(x, n, coin))
		return HLX_ERR_MARGIN;
	if (n->tif != HLX_IOC && x->account[n->account].open_n >= HLX_OPEN_MAX)
		return HLX_ERR_OPEN_ORDERS;
	if (n->tif == HLX_IOC && !crosses)
		return HLX_ERR_IOC;
	return HLX_OK;
}

static void
touch(const struct hlx_coin *c, struct hlx_result *r)
{
	const struct match_level *bid = match_level(&c->match, SIDE_BID, 0);
	const struct match_level *ask = match_level(&c->match, SIDE_ASK, 0);

	r->bid = bid == NULL ? PX(0) : bid->px;
	r->ask = ask == NULL ? PX(0) : ask->px;
}

/* The resting side of a match. */
static void
maker_hit(struct hlx *x, struct hlx_order *m, const struct match_hit *h)
{
	struct hlx_side s = {
	    m->account, m, m->coin, (enum side)m->side, h->px, h->qty, false};

	m->left = h->left;
	hlx_open_qty(x, m->account, m->coin, (enum side)m->side, -h->qty.e8);
	hlx_book_fill(x, &s);
	if (h->left.e8 > 0)
		return;
	m->handle = MATCH_NONE;
	hlx_rests(x, m, false);
	hlx_end(x, m, HLX_FILLED);
}

static void
on_hit(void *user, const struct match_hit *h)
{
	struct hlx *x = user;
	struct hlx_order *m = &x->order[h->user];
	struct hlx_order *t = &x->order[x->taker];
	struct hlx_side s = {
	    t->account, t, t->coin, (enum side)t->side, h->px, h->qty, true};

	if (h->qty.e8 == 0) { /* our own: the resting one goes */
		m->handle = MATCH_NONE;
		hlx_rests(x, m, false);
		hlx_end(x, m, HLX_SELF_TRADE_CANCELED);
		return;
	}
	x->tid++;
	t->left.e8 -= h->qty.e8;
	x->taken_e16 += e16_product(h->px, h->qty);
	x->coin[t->coin].traded.e8 += h->qty.e8;
	x->coin[t->coin].traded_usd.e6 += usd_notional(h->px, h->qty).e6;
	hlx_book_fill(x, &s);
	maker_hit(x, m, h);
	x->sink->print(
	    x->sink->user, x, t->coin, s.side, h->px, h->qty, x->tid);
}

static bool
rest(struct hlx *x, struct hlx_order *o)
{
	struct match_new n = {.side = (enum side)o->side,
	    .px = o->px,
	    .qty = o->left,
	    .account = o->account,
	    .user = (uint64_t)(o - x->order)};

	o->handle = match_rest(&x->coin[o->coin].match, &n);
	if (o->handle == MATCH_NONE)
		return false;
	hlx_rests(x, o, true);
	return true;
}

static void
execute(struct hlx *x, struct hlx_order *o, struct hlx_result *r)
{
	struct match_take t = {.side = (enum side)o->side,
	    .limit = o->px,
	    .qty = o->qty,
	    .account = o->account,
	    .self = MATCH_SELF_CANCELS,
	    .hit = on_hit,
	    .user = x};

	x->taker = r->order;
	x->taken_e16 = 0;
	x->sink->order(x->sink->user, x, r->order); /* open */
	match_take(&x->coin[o->coin].match, &t);
	r->filled = QTY(o->qty.e8 - o->left.e8);
	if (r->filled.e8 > 0)
		r->avg_px = PX((int64_t)(x->taken_e16 / r->filled.e8));
	if (o->left.e8 == 0) {
		hlx_end(x, o, HLX_FILLED);
	} else if (o->tif == HLX_IOC && r->filled.e8 == 0) {
		/* It met only orders of its own account. */
		r->error = HLX_ERR_IOC;
		o->why = r->error;
		hlx_end(x, o, HLX_REJECTED);
	} else if (o->tif == HLX_IOC || !rest(x, o)) {
		hlx_end(x, o, HLX_CANCELED);
	} else {
		r->rests = true;
	}
	x->sink->book(x->sink->user, x, o->coin);
	hlx_cancel_reduce_only(x);
}

static void
place(struct hlx *x, const struct hlx_new *n, struct hlx_result *r)
{
	uint32_t coin = hlx_coin_find(x, n->index);
	struct hlx_order *o;

	memset(r, 0, sizeof(*r));
	r->order = HLX_NONE;
	if (coin == HLX_NONE) {
		r->error = HLX_ERR_ASSET;
		return;
	}
	r->error = check_order(x, n, coin);
	if ((o = hlx_order_new(x, n, (uint16_t)coin)) == NULL) {
		r->error = HLX_ERR_FULL;
		return;
	}
	r->order = (uint32_t)(o - x->order);
	if (r->error == HLX_OK) {
		execute(x, o, r);
		return;
	}
	touch(&x->coin[coin], r);
	o->why = r->error;
	hlx_end(x, o, HLX_REJECTED);
}

void
hlx_place(struct hlx *x, const struct hlx_new *n, uint64_t now_ns,
    struct hlx_result *r)
{
	CHECK(n->account < HLX_ACCOUNTS);
	CHECK(x->account[n->account].used);
	CHECK(now_ns >= x->now_ns);
	x->now_ns = now_ns;
	place(x, n, r);
}

void
hlx_modify(struct hlx *x, uint32_t order, const struct hlx_new *n, bool always,
    uint64_t now_ns, struct hlx_result *r)
{
	uint32_t coin = hlx_coin_find(x, n->index);
	bool gone = order >= HLX_ORDERS || x->order[order].oid == 0 ||
		    x->order[order].account != n->account ||
		    x->order[order].status != HLX_OPEN;

	CHECK(now_ns >= x->now_ns);
	x->now_ns = now_ns;
	memset(r, 0, sizeof(*r));
	r->order = HLX_NONE;
	if (gone && !always) {
		r->error = HLX_ERR_MODIFY_GONE;
		return;
	}
	if (!always &&
	    (n->tif == HLX_IOC || coin == HLX_NONE ||
		match_crosses(&x->coin[coin].match, n->side, n->px))) {
		r->error = HLX_ERR_MODIFY_NEW;
		return;
	}
	if (!gone)
		hlx_take_out(x, order, HLX_CANCELED);
	place(x, n, r);
}

const char *
hlx_text(enum hlx_error e)
{
	static const char *const texts[HLX_ERROR_N] = {
	    [HLX_OK] = "",
	    [HLX_ERR_ASSET] = "Order has invalid asset.",
	    [HLX_ERR_ZERO_SIZE] = "Order has zero size.",
	    [HLX_ERR_SIZE] = "Order has invalid size.",
	    [HLX_ERR_PRICE] = "Order has invalid price.",
	    [HLX_ERR_TICK] = "Price must be divisible by tick size.",
	    [HLX_ERR_NOTIONAL] = "Order must have minimum value of $10.",
	    [HLX_ERR_FAR] = "Order price cannot be more than 95% away from "
			    "the reference price",
	    [HLX_ERR_REDUCE_ONLY] =
		"Reduce only order would increase position.",
	    [HLX_ERR_POST_ONLY] =
		"Post only order would have immediately matched",
	    [HLX_ERR_MARGIN] = "Insufficient margin to place order.",
	    [HLX_ERR_OPEN_ORDERS] = "Too many open orders.",
	    [HLX_ERR_IOC] = "Order could not immediately match against any "
			    "resting orders.",
	    [HLX_ERR_NO_ORDER] =
		"Order was never placed, already canceled, or filled.",
	    [HLX_ERR_MODIFY_GONE] = "Cannot modify canceled or filled order",
	    [HLX_ERR_MODIFY_NEW] = "Attempted to modify to invalid new order",
	    [HLX_ERR_FULL] = "Internal error: the simulator is full.",
	};

	CHECK(e >= HLX_OK && e < HLX_ERROR_N);
	return texts[e];
}

static const char *
reject_text(enum hlx_error e)
{
	static const char *const texts[HLX_ERROR_N] = {
	    [HLX_ERR_TICK] = "tickRejected",
	    [HLX_ERR_NOTIONAL] = "minTradeNtlRejected",
	    [HLX_ERR_FAR] = "oracleRejected",
	    [HLX_ERR_REDUCE_ONLY] = "reduceOnlyRejected",
	    [HLX_ERR_POST_ONLY] = "badAloPxRejected",
	    [HLX_ERR_MARGIN] = "perpMarginRejected",
	    [HLX_ERR_OPEN_ORDERS] = "tooManyOpenOrdersRejected",
	    [HLX_ERR_IOC] = "iocCancelRejected",
	};

	return texts[e] == NULL ? "rejected" : texts[e];
}

const char *
hlx_status_text(const struct hlx_order *o)
{
	static const char *const texts[HLX_STATUS_N] = {
	    [HLX_OPEN] = "open",
	    [HLX_FILLED] = "filled",
	    [HLX_CANCELED] = "canceled",
	    [HLX_SCHEDULED_CANCEL] = "scheduledCancel",
	    [HLX_SELF_TRADE_CANCELED] = "selfTradeCanceled",
	    [HLX_REDUCE_ONLY_CANCELED] = "reduceOnlyCanceled",
	    [HLX_LIQUIDATED_CANCELED] = "liquidatedCanceled",
	};

	CHECK(o->status >= HLX_OPEN && o->status < HLX_STATUS_N);
	return o->status == HLX_REJECTED ? reject_text(o->why)
					 : texts[o->status];
}
