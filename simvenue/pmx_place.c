/*
 * An order arrives: amounts to price and size, the checks, the match.
 */
#include <string.h>

#include "libcore/fees.h"
#include "libsign/pm_amount.h"
#include "simvenue/pmx_int.h"

#define MAP_N	      (2u * PMX_ORDERS)
#define AMOUNT_MAX_E6 INT64_C(100000000000000) /* 1e8 dollars or shares */
#define GTD_AHEAD_NS  UINT64_C(180000000000)
#define GTD_EARLY_NS  UINT64_C(60000000000)
#define DOLLAR_E6     INT64_C(1000000)
/* What rounding of price and fee may cost the taker a leg. */
#define LEG_ROUNDING_E6 INT64_C(12)

/* What the amounts of an order mean. */
struct wish {
	tok_px_t px;
	qty_t qty;
	int64_t budget_e6;
};

static bool
is_now(enum pmx_type type)
{
	return type == PMX_FOK || type == PMX_FAK;
}

static uint32_t
tick_e4(const struct pmx_terms *t)
{
	return (uint32_t)(t->tick.tok_e8 / (E8 / 10000));
}

/* What is wrong with amounts, in this exchange's words. */
static enum pmx_error
error_of(enum pm_amounts_fault f, enum pmx_type type)
{
	switch (f) {
	case PM_AMOUNTS_OK: return PMX_OK;
	case PM_AMOUNTS_DECIMALS:
		return is_now(type) ? PMX_ERR_AMOUNTS_NOW : PMX_ERR_AMOUNTS;
	case PM_AMOUNTS_TICK: return PMX_ERR_TICK;
	case PM_AMOUNTS_N: break;
	}
	CHECK(false);
	return PMX_ERR_AMOUNTS;
}

/* A limit order's price is exactly dollars over shares. */
static void
read_limit(int64_t usd, int64_t shares, struct wish *w)
{
	w->px = TOK_PX(i64_mul_div(usd, E8, shares));
	w->qty = QTY(shares * 100);
}

/* An immediate order's limit is the grid price that its amounts reach. */
static enum pmx_error
read_now(const struct pmx_terms *t, const struct pmx_new *n, int64_t usd,
    int64_t shares, struct wish *w)
{
	int64_t tick = t->tick.tok_e8;
	i128_t num = (i128_t)usd * E8;
	i128_t den = (i128_t)shares * tick;

	if (n->side == SIDE_BID)
		num += den - 1;
	if (num / den > E8 / tick)
		return PMX_ERR_TICK;
	w->px = TOK_PX((int64_t)(num / den) * tick);
	w->qty = QTY(shares * 100);
	w->budget_e6 = n->side == SIDE_BID ? usd : 0;
	return pm_px_ok((uint32_t)(w->px.tok_e8 / (E8 / 10000)), tick_e4(t))
		   ? PMX_OK
		   : PMX_ERR_TICK;
}

static enum pmx_error
read_amounts(const struct pmx_terms *t, const struct pmx_new *n, struct wish *w)
{
	int64_t usd = n->side == SIDE_BID ? n->give_e6 : n->get_e6;
	int64_t shares = n->side == SIDE_BID ? n->get_e6 : n->give_e6;

	const struct pm_amounts amounts = {
	    (uint64_t)n->give_e6, (uint64_t)n->get_e6};
	enum pmx_error err;

	memset(w, 0, sizeof(*w));
	if (usd <= 0 || shares <= 0 || usd > AMOUNT_MAX_E6 ||
	    shares > AMOUNT_MAX_E6)
		return error_of(PM_AMOUNTS_DECIMALS, n->type);
	err = error_of(pm_amounts_check(
			   (enum pm_tif)n->type, n->side, tick_e4(t), &amounts),
	    n->type);
	if (err != PMX_OK)
		return err;
	if (is_now(n->type))
		return read_now(t, n, usd, shares, w);
	read_limit(usd, shares, w);
	return PMX_OK;
}

/* What a budget buys of what rests, and what it then costs. */
static qty_t
affordable(const struct match *m, const struct pmx_order *o, int64_t *cost)
{
	enum side other = side_opposite(pmx_yes_side(o));
	int64_t left = o->budget_e6;
	qty_t sum = QTY(0);

	for (uint32_t i = 0; i < match_level_n(m, other); i++) {
		const struct match_level *l = match_level(m, other, i);
		int64_t p =
		    frame_tok_px(l->px, (enum token_role)o->role).tok_e8;
		bool whole = usd_notional_ceil(PX(p), l->qty).e6 <= left;
		int64_t q = l->qty.e8;

		if (p > o->px.tok_e8)
			break;
		if (!whole)
			q = i64_mul_div(left, E8, p) * 100;
		sum.e8 += q;
		left -= usd_notional(PX(p), QTY(q)).e6;
		if (!whole)
			break;
	}
	*cost = o->budget_e6 - left;
	return sum;
}

/* Resting orders that an order could meet. */
static uint32_t
meets(const struct match *m, const struct pmx_order *o)
{
	enum side other = side_opposite(pmx_yes_side(o));
	uint32_t n = 0;

	for (uint32_t i = 0; i < match_level_n(m, other); i++) {
		const struct match_level *l = match_level(m, other, i);

		if (frame_tok_px(l->px, (enum token_role)o->role).tok_e8 >
		    o->px.tok_e8)
			break;
		n += l->order_n;
	}
	return n;
}

/* Most that an order can cost: dollars with fee, or shares. */
static int64_t
need(const struct pmx_market *m, const struct pmx_order *o)
{
	uint32_t ppm = m->terms.fee_ppm;
	uint32_t n;
	usd_t usd;

	if (o->side == SIDE_ASK)
		return pmx_left(o).e8;
	usd = o->budget_e6 > 0
		  ? USD(o->budget_e6)
		  : usd_notional_ceil(PX(o->px.tok_e8), pmx_left(o));
	n = meets(&m->match, o);
	if (n == 0)
		return usd.e6;
	/* rate p (1 - p) a share, the most at or below the limit; of a budget,
	 * whose shares cost p each, never more than the rate. */
	if (o->budget_e6 > 0)
		usd.e6 += i64_mul_div(o->budget_e6, ppm, E6);
	else
		usd.e6 +=
		    fee_binary(PX(i64_min(o->px.tok_e8, E8 / 2)), o->qty, ppm)
			.e6;
	return usd.e6 + n * LEG_ROUNDING_E6;
}

static bool
can_pay(const struct pmx *x, const struct pmx_order *o, int64_t amount)
{
	int64_t has = o->side == SIDE_BID
			  ? pmx_free_usd(x, o->account)
			  : pmx_free_token(x, o->account, o->market,
				(enum token_role)o->role);

	return amount <= has;
}

static enum pmx_error
check_mode(const struct pmx *x, const struct pmx_new *n)
{
	if (x->mode == PMX_MODE_CANCEL_ONLY || x->mode == PMX_MODE_DISABLED ||
	    (x->mode == PMX_MODE_POST_ONLY && !n->post_only))
		return PMX_ERR_MODE;
	if (n->market >= PMX_MARKETS || x->market[n->market].phase != PMX_OPEN)
		return PMX_ERR_NOT_READY;
	if (pmx_find(x, &n->id) != PMX_NONE)
		return PMX_ERR_DUPLICATE;
	return PMX_OK;
}

static enum pmx_error
check_terms(const struct pmx *x, const struct pmx_new *n, const struct wish *w)
{
	const struct pmx_terms *t = &x->market[n->market].terms;

	if (!is_now(n->type) && w->qty.e8 < t->min_qty.e8)
		return PMX_ERR_SIZE;
	if (w->budget_e6 > 0 && w->budget_e6 < DOLLAR_E6)
		return PMX_ERR_NOTIONAL;
	if (n->type == PMX_GTD &&
	    n->expiration_s * (uint64_t)NS_PER_S < x->now_ns + GTD_AHEAD_NS)
		return PMX_ERR_EXPIRATION;
	if (n->post_only && is_now(n->type))
		return PMX_ERR_POST_ONLY_TYPE;
	return PMX_OK;
}

/* The checks that look at the book. */
static enum pmx_error
check_book(struct pmx *x, struct pmx_order *o)
{
	struct match *m = &x->market[o->market].match;
	enum side side = pmx_yes_side(o);
	px_t px = pmx_yes_px(o);
	bool takes = match_crosses(m, side, px);
	int64_t cost;

	if (!can_pay(x, o, need(&x->market[o->market], o)))
		return PMX_ERR_BALANCE;
	if (takes && o->post_only)
		return PMX_ERR_CROSSES;
	if (takes && o->side == SIDE_BID && o->budget_e6 == 0 &&
	    usd_notional(PX(o->px.tok_e8), o->qty).e6 < DOLLAR_E6)
		return PMX_ERR_NOTIONAL;
	if (o->type == PMX_FAK && !takes)
		return PMX_ERR_FAK;
	if (o->type != PMX_FOK)
		return PMX_OK;
	if (o->budget_e6 == 0)
		return match_takeable(m, side, px).e8 >= o->qty.e8
			   ? PMX_OK
			   : PMX_ERR_FOK;
	/* A budget is spent when less than one more millionth share fits. */
	affordable(m, o, &cost);
	return cost + 1 >= o->budget_e6 ? PMX_OK : PMX_ERR_FOK;
}

/* ---- the match ---- */

/* An old trade makes room: its orders may be forgotten as far as it goes. */
static void
let_go(struct pmx *x, const struct pmx_trade *t)
{
	CHECK(x->order[t->taker].told_n > 0);
	x->order[t->taker].told_n--;
	for (uint32_t i = 0; i < t->leg_n; i++) {
		CHECK(x->order[t->leg[i].order].told_n > 0);
		x->order[t->leg[i].order].told_n--;
	}
}

static struct pmx_trade *
trade_begin(struct pmx *x, struct pmx_order *taker)
{
	struct pmx_trade *t = NULL;

	for (uint32_t k = 0; k < PMX_TRADES && t == NULL; k++) {
		struct pmx_trade *c = &x->trade[(x->trade_at + k) % PMX_TRADES];

		if (c->status == 0 || c->status == PMX_TRADE_CONFIRMED ||
		    c->status == PMX_TRADE_FAILED)
			t = c;
	}
	CHECK(t != NULL);
	if (t->status != 0)
		let_go(x, t);
	x->trade_at = (uint32_t)(t - x->trade + 1) % PMX_TRADES;
	memset(t, 0, offsetof(struct pmx_trade, leg));
	t->status = PMX_TRADE_MATCHED;
	t->id = ++x->trade_id;
	t->taker = x->taker;
	t->market = taker->market;
	t->bucket = x->buckets++;
	t->match_ns = x->now_ns;
	t->update_ns = x->now_ns;
	taker->pending_n++;
	taker->told_n++;
	return t;
}

static void
remember(struct pmx_order *o, uint32_t trade)
{
	if (o->trade_n > 0 && o->trade[(o->trade_n - 1) % PMX_OWN] == trade)
		return;
	o->trade[o->trade_n++ % PMX_OWN] = trade;
}

/* The resting side's order after a hit. */
static void
maker_hit(struct pmx *x, uint32_t order, const struct match_hit *h)
{
	struct pmx_order *o = &x->order[order];
	int64_t lock =
	    o->side == SIDE_ASK
		? pmx_left(o).e8
		: usd_notional_ceil(PX(o->px.tok_e8), pmx_left(o)).e6;

	pmx_relock(x, o, h->left.e8 > 0 ? lock : 0);
	if (h->left.e8 == 0) {
		o->handle = MATCH_NONE;
		o->state = PMX_MATCHED;
		o->ended_ns = x->now_ns;
		x->open_n--;
	}
	x->sink->order(x->sink->user, x, order, PMX_UPDATE);
}

struct taking {
	struct pmx *x;
	struct pmx_order *taker;
	px_t px;   /* of the level at hand, YES frame */
	qty_t qty; /* taken there */
};

/* The level at hand is done with: its print, and what is left of it. */
static void
level_over(struct taking *k)
{
	enum token_role role = (enum token_role)k->taker->role;

	if (k->qty.e8 == 0)
		return;
	k->x->sink->print(k->x->sink->user, k->taker->market, role,
	    (enum side)k->taker->side, frame_tok_px(k->px, role), k->qty);
	pmx_tell_level(k->x, k->taker->market,
	    side_opposite(pmx_yes_side(k->taker)), k->px);
	k->qty = QTY(0);
}

static void
on_hit(void *user, const struct match_hit *h)
{
	struct taking *k = user;
	struct pmx *x = k->x;
	uint32_t maker = (uint32_t)h->user;
	struct pmx_order *m = &x->order[maker];
	struct pmx_trade *t;
	struct pmx_leg *l;

	if (h->px.e8 != k->px.e8) {
		level_over(k);
		k->px = h->px;
	}
	k->qty.e8 += h->qty.e8;
	if (x->trade_now == PMX_NONE ||
	    x->trade[x->trade_now].leg_n == PMX_LEGS)
		x->trade_now = (uint32_t)(trade_begin(x, k->taker) - x->trade);
	t = &x->trade[x->trade_now];
	l = &t->leg[t->leg_n++];
	l->order = maker;
	l->qty = h->qty;
	l->px = m->px;
	l->usd = usd_notional(PX(m->px.tok_e8), h->qty);
	l->other = m->role == k->taker->role ? l->usd
					     : USD(h->qty.e8 / 100 - l->usd.e6);
	l->fee = fee_binary(
	    PX(m->px.tok_e8), h->qty, x->market[m->market].terms.fee_ppm);
	if (k->taker->side == SIDE_ASK) /* the fee is taken from what it gets */
		l->fee.e6 = i64_min(l->fee.e6, l->other.e6);
	m->matched.e8 += h->qty.e8;
	m->value.e6 += l->usd.e6;
	k->taker->value.e6 += l->other.e6;
	k->taker->matched.e8 += h->qty.e8;
	m->pending_n++;
	m->told_n++;
	remember(m, x->trade_now);
	remember(k->taker, x->trade_now);
	pmx_book(x, k->taker, m, l);
	maker_hit(x, maker, h);
}

static void
take(struct pmx *x, uint32_t order)
{
	struct pmx_order *o = &x->order[order];
	struct match *m = &x->market[o->market].match;
	struct taking k = {.x = x, .taker = o};
	struct match_take t = {.side = pmx_yes_side(o),
	    .limit = pmx_yes_px(o),
	    .qty = o->qty,
	    .account = o->account,
	    .self = MATCH_SELF_TRADES,
	    .hit = on_hit,
	    .user = &k};
	uint64_t first = x->trade_id + 1;
	int64_t cost;

	if (o->budget_e6 > 0) {
		t.qty = affordable(m, o, &cost);
		o->qty.e8 = i64_max(o->qty.e8, t.qty.e8);
	}
	x->taker = order;
	x->trade_now = PMX_NONE;
	x->buckets = 0;
	if (t.qty.e8 == 0 || !match_crosses(m, t.side, t.limit))
		return;
	match_take(m, &t);
	level_over(&k);
	for (uint32_t i = 0; i < PMX_TRADES && first <= x->trade_id; i++) {
		uint32_t at = (x->trade_at + PMX_TRADES - 1 - i) % PMX_TRADES;

		if (x->trade[at].id < first || x->trade[at].taker != order)
			continue;
		x->sink->trade(x->sink->user, x, at);
		pmx_wait(x, x->now_ns + x->settle.mine_ms * (uint64_t)NS_PER_MS,
		    at, true);
		if (x->trade[at].id == first)
			return;
	}
}

static void
rest(struct pmx *x, uint32_t order)
{
	struct pmx_order *o = &x->order[order];
	struct match_new n = {.side = pmx_yes_side(o),
	    .px = pmx_yes_px(o),
	    .qty = pmx_left(o),
	    .account = o->account,
	    .user = order};

	o->handle = match_rest(&x->market[o->market].match, &n);
	if (o->handle == MATCH_NONE) {
		pmx_finish(x, order, PMX_CANCELED);
		return;
	}
	pmx_relock(x, o,
	    o->side == SIDE_ASK
		? pmx_left(o).e8
		: usd_notional_ceil(PX(o->px.tok_e8), pmx_left(o)).e6);
	o->state = PMX_LIVE;
	x->sink->order(x->sink->user, x, order, PMX_PLACEMENT);
	pmx_tell_level(x, o->market, n.side, n.px);
	if (o->expires_ns != 0)
		pmx_wait(x, o->expires_ns, order, false);
}

void
pmx_execute(struct pmx *x, uint32_t order)
{
	struct pmx_order *o = &x->order[order];
	bool was_delayed = o->state == PMX_DELAYED;

	pmx_relock(x, o, 0);
	take(x, order);
	if (pmx_left(o).e8 == 0)
		pmx_finish(x, order, PMX_MATCHED);
	else if (!is_now((enum pmx_type)o->type))
		rest(x, order);
	else if (o->matched.e8 > 0 && o->budget_e6 > 0)
		pmx_finish(x, order, PMX_MATCHED); /* the budget is spent */
	else
		pmx_finish(x, order,
		    was_delayed && o->matched.e8 == 0 ? PMX_KILLED
						      : PMX_CANCELED);
	x->sink->batch(x->sink->user, o->market, x->trade_now != PMX_NONE);
}

void
pmx_delay_over(struct pmx *x, uint32_t order)
{
	struct pmx_order *o = &x->order[order];
	int64_t lock = o->lock;

	if (x->market[o->market].phase != PMX_OPEN) {
		pmx_finish(x, order, PMX_KILLED);
		return;
	}
	/* The same questions again: the book has moved on. */
	pmx_relock(x, o, 0);
	switch (check_book(x, o)) {
	case PMX_OK: pmx_execute(x, order); return;
	case PMX_ERR_BALANCE:
		pmx_relock(x, o, lock);
		pmx_finish(x, order, PMX_INVALID);
		return;
	case PMX_ERR_MODE:
	case PMX_ERR_NOT_READY:
	case PMX_ERR_DUPLICATE:
	case PMX_ERR_AMOUNTS:
	case PMX_ERR_AMOUNTS_NOW:
	case PMX_ERR_TICK:
	case PMX_ERR_SIZE:
	case PMX_ERR_NOTIONAL:
	case PMX_ERR_EXPIRATION:
	case PMX_ERR_POST_ONLY_TYPE:
	case PMX_ERR_CROSSES:
	case PMX_ERR_FOK:
	case PMX_ERR_FAK:
	case PMX_ERR_FULL: pmx_finish(x, order, PMX_KILLED); return;
	case PMX_ERROR_N: break;
	}
	CHECK(o->state == 0);
}

/* ---- arrival ---- */

static uint32_t
entry(struct pmx *x)
{
	/* Twice around: at last also what somebody may still ask for. */
	for (uint32_t k = 0; k < 2 * PMX_ORDERS; k++) {
		uint32_t i = (x->order_at + k) % PMX_ORDERS;
		const struct pmx_order *o = &x->order[i];

		if (pmx_is_open(o) || o->pending_n > 0 || o->told_n > 0 ||
		    (k < PMX_ORDERS && o->state != 0 &&
			x->account[o->account].keeps &&
			o->ended_ns + PMX_KEEP_NS > x->now_ns))
			continue;
		x->order_at = (i + 1) % PMX_ORDERS;
		if (o->state != 0)
			pmx_forget(x, i);
		return i;
	}
	return PMX_NONE;
}

static struct pmx_order
make_order(const struct pmx *x, const struct pmx_new *n, const struct wish *w)
{
	struct pmx_order o = {.id = n->id,
	    .account = n->account,
	    .market = n->market,
	    .role = (uint8_t)n->role,
	    .side = (uint8_t)n->side,
	    .type = (uint8_t)n->type,
	    .post_only = n->post_only,
	    .px = w->px,
	    .qty = w->qty,
	    .budget_e6 = w->budget_e6,
	    .created_ns = x->now_ns,
	    .expiration_s = n->expiration_s,
	    .handle = MATCH_NONE};

	if (n->type == PMX_GTD)
		o.expires_ns =
		    n->expiration_s * (uint64_t)NS_PER_S - GTD_EARLY_NS;
	return o;
}

static bool
is_delayed(const struct pmx *x, const struct pmx_order *o)
{
	const struct pmx_market *m = &x->market[o->market];

	return m->terms.delay_ms > 0 && !o->post_only &&
	       match_crosses(&m->match, pmx_yes_side(o), pmx_yes_px(o));
}

static void
accept(struct pmx *x, uint32_t i, const struct pmx_order *o)
{
	struct pmx_order *at = &x->order[i];
	uint32_t age = at->age + 1;
	uint32_t b;

	*at = *o;
	at->age = age;
	at->state = PMX_DELAYED;
	memcpy(&b, o->id.b, sizeof(b));
	at->next = x->map[b % MAP_N];
	x->map[b % MAP_N] = i + 1;
	x->open_n++;
}

enum pmx_error
pmx_place(
    struct pmx *x, const struct pmx_new *n, uint64_t now_ns, uint32_t *order)
{
	enum pmx_error err;
	struct pmx_order o;
	struct wish w;
	uint32_t i;

	CHECK(now_ns >= x->now_ns);
	x->now_ns = now_ns;
	*order = PMX_NONE;
	if ((err = check_mode(x, n)) != PMX_OK)
		return err;
	err = read_amounts(&x->market[n->market].terms, n, &w);
	if (err != PMX_OK || (err = check_terms(x, n, &w)) != PMX_OK)
		return err;
	o = make_order(x, n, &w);
	if ((err = check_book(x, &o)) != PMX_OK)
		return err;
	if ((i = entry(x)) == PMX_NONE)
		return PMX_ERR_FULL;
	accept(x, i, &o);
	*order = i;
	if (n->hold_ms > 0 || (!n->at_once && is_delayed(x, &o))) {
		struct pmx_market *m = &x->market[o.market];
		uint64_t ms = n->hold_ms > 0 ? n->hold_ms : m->terms.delay_ms;

		pmx_relock(x, &x->order[i], need(m, &o));
		pmx_wait(x, now_ns + ms * (uint64_t)NS_PER_MS, i, false);
		return PMX_OK;
	}
	pmx_execute(x, i);
	return PMX_OK;
}
