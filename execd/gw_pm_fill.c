/*
 * Trades to fills, and positions on two axes.
 */
#include <string.h>

#include "execd/gw_pm_int.h"
#include "libcore/check.h"
#include "libcore/fees.h"
#include "libcore/hash.h"
#include "libsign/hex.h"
#include "libsign/pm_amount.h"
#include "libvenue/text.h"

#define SAY_MAX 256u

/* An order of ours in a trade: what it is, and how it is told. */
struct part {
	const struct pm_user_trade *t;
	const struct pm_hash *hash;
	struct gwpm_order *o; /* NULL: not known */
	uint16_t market;
	uint8_t role;
	uint8_t deal;
	bool is_maker;
};

uint64_t
gwpm_fill_id(uint64_t trade_key, const struct pm_hash *order, uint32_t leg)
{
	uint64_t key = hash_bytes(trade_key, order->b, sizeof(order->b));

	if (leg > 0)
		key = hash_u64(key, leg);
	return key != 0 ? key : 1;
}

int64_t
gwpm_sellable(struct gwpm_book *b, uint16_t market, uint8_t role)
{
	const struct gwpm_token *t = gwpm_token_at(b, market, role);

	return (t->has_base ? t->base_e8 : 0) + t->final_e8 - t->out_e8 -
	       t->offered_e8;
}

/* ---- one fill ---- */

static int64_t
cash_of(const struct gwpm_fill *f)
{
	return f->deal == SIDE_BID ? -f->usd.e6 : f->usd.e6;
}

static int64_t
shares_of(const struct gwpm_fill *f)
{
	return f->deal == SIDE_BID ? f->qty.e8 : -f->qty.e8;
}

static void
tell_fill(struct gwpm *g, const struct gwpm_fill *f, enum port_ev what)
{
	bool is_yes = f->role == ROLE_YES;
	const struct gwpm_order *o = gwpm_order_by_id(g->book, f->order_id);
	struct port_event ev = {.what = what,
	    .slot = f->slot,
	    .id = f->order_id,
	    .instr = f->instr,
	    .side = (f->deal == SIDE_BID) == is_yes ? SIDE_BID : SIDE_ASK,
	    .is_maker = f->is_maker,
	    .reason = REASON_OK,
	    .px = is_yes ? f->px : px_complement(f->px),
	    .qty = f->qty,
	    .usd = f->fee,
	    .fill_id = f->key,
	    .venue_ns = (int64_t)f->match_s * NS_PER_S,
	    .sent_ns = o == NULL ? 0 : g->wire_ns[o - g->book->order]};

	g->sink->event(g->sink->user, &ev);
}

static void
book_fill(struct gwpm *g, struct gwpm_fill *f)
{
	struct gwpm_token *t = gwpm_token_at(g->book, f->market, f->role);

	f->state = GWPM_FILL_PENDING;
	t->net_e8 += shares_of(f);
	t->pending_n++;
	if (f->deal == SIDE_ASK)
		t->out_e8 += f->qty.e8;
	g->book->cash.net_e6 += cash_of(f);
	g->book->cash.pending_n++;
	g->book->fill_seq++;
	gwpm_hold_moved(g, f->market, f->role);
	g->stat.fills++;
	tell_fill(g, f, PORT_FILLED);
}

static void
settle_fill(struct gwpm *g, struct gwpm_fill *f, bool is_final)
{
	struct gwpm_token *t = gwpm_token_at(g->book, f->market, f->role);

	if (f->state != GWPM_FILL_PENDING)
		return;
	CHECK(t->pending_n > 0);
	CHECK(g->book->cash.pending_n > 0);
	f->state = is_final ? GWPM_FILL_FINAL : GWPM_FILL_FAILED;
	t->pending_n--;
	g->book->cash.pending_n--;
	g->book->fill_seq++;
	gwpm_hold_moved(g, f->market, f->role);
	if (f->deal == SIDE_ASK)
		t->out_e8 -= f->qty.e8;
	if (is_final) {
		t->final_e8 += shares_of(f);
		g->book->cash.final_e6 += cash_of(f);
	} else {
		t->net_e8 -= shares_of(f);
		g->book->cash.net_e6 -= cash_of(f);
		g->stat.reversals++;
	}
	tell_fill(g, f, is_final ? PORT_CONFIRMED : PORT_REVERSED);
}

/* Dollars of a leg: the resting side has its price times shares, cut; the
 * other side of a mint or merge the rest of a dollar a share. */
static void
value_fill(const struct gwpm *g, struct gwpm_fill *f, px_t maker_px, bool same)
{
	const struct gwpm_market *m = &g->book->market[f->market];

	f->usd = usd_notional(maker_px, f->qty);
	if (!same)
		f->usd.e6 = f->qty.e8 / 100 - f->usd.e6;
	if (f->is_maker)
		return;
	f->fee = fee_binary(f->px, f->qty, m->fee_ppm);
	f->usd.e6 += f->deal == SIDE_BID ? f->fee.e6 : -f->fee.e6;
}

static void
matched(struct gwpm *g, struct gwpm_order *o, qty_t qty)
{
	int64_t left = gwpm_left(o).e8;

	o->matched.e8 += qty.e8;
	if (o->state != GWPM_DONE)
		gwpm_offered(g->book, o, gwpm_left(o).e8 - left);
}

/* A leg: how much, at which price of the resting side's token. */
static void
apply_leg(struct gwpm *g, const struct part *p, uint32_t at,
    const struct pm_user_leg *l)
{
	bool same =
	    p->is_maker || pm_token_eq(&l->asset,
			       &gwpm_token_at(g->book, p->market, p->role)->id);
	struct gwpm_fill *f =
	    gwpm_fill_new(g->book, gwpm_fill_id(p->t->key, p->hash, at));

	if (f == NULL) {
		g->stat.bad++;
		return;
	}
	f->order_id = p->o != NULL ? p->o->id : 0;
	f->slot = p->o != NULL ? p->o->slot : PORT_NO_SLOT;
	f->market = p->market;
	f->instr =
	    p->o != NULL ? p->o->instr : g->book->market[p->market].instr;
	f->role = p->role;
	f->deal = p->deal;
	f->is_maker = p->is_maker;
	f->px = same ? l->px : px_complement(l->px);
	f->qty = l->qty;
	f->match_s = p->t->match_s;
	value_fill(g, f, l->px, same);
	book_fill(g, f);
	if (p->o != NULL) {
		p->o->filled.e8 += l->qty.e8;
		matched(g, p->o, l->qty);
	}
}

/* Which legs of the trade are this part's? A taker has them all. */
static bool
is_of(const struct part *p, uint32_t i)
{
	return !p->is_maker ||
	       memcmp(&p->t->leg[i].order, p->hash, sizeof(*p->hash)) == 0;
}

static void
apply_new(struct gwpm *g, const struct part *p)
{
	struct pm_user_leg whole = {
	    .asset = p->t->asset, .px = p->t->px, .qty = p->t->qty};
	struct gwpm_fill *head;
	uint16_t n = 0;

	for (uint32_t i = 0; i < p->t->leg_n; i++)
		if (is_of(p, i))
			apply_leg(g, p, n++, &p->t->leg[i]);
	if (n == 0)
		apply_leg(g, p, n++, &whole);
	head = gwpm_fill_by_key(g->book, gwpm_fill_id(p->t->key, p->hash, 0));
	if (head != NULL)
		head->leg_n = n;
}

/* ---- what our signature cannot have given ---- */

#define PX_SLACK_E8 INT64_C(5000) /* half of the finest price step */
#define UNIT_E8	    INT64_C(100)  /* shares and dollars have six decimals */

/* What an order in a trade comes to, and what was wrong with a leg. */
struct sum {
	int64_t qty_e8;
	int64_t usd_e6; /* fees left out */
	px_t bad_px;	/* 0 none */
};

static void
sum_leg(struct sum *s, const struct part *p, const struct gwpm_token *t,
    const struct pm_user_leg *l)
{
	px_t own = p->o->role == ROLE_YES ? p->o->px : px_complement(p->o->px);
	bool same = p->is_maker || pm_token_eq(&l->asset, &t->id);
	px_t px = same ? l->px : px_complement(l->px);
	int64_t worse = p->deal == SIDE_BID ? px.e8 - own.e8 : own.e8 - px.e8;

	/* Who rests has its own price. */
	if (worse > PX_SLACK_E8 || (p->is_maker && worse < -PX_SLACK_E8))
		s->bad_px = px.e8 > 0 ? px : PX(1);
	s->qty_e8 += l->qty.e8;
	s->usd_e6 += usd_notional(px, l->qty).e6;
}

static struct sum
sum_of(const struct gwpm *g, const struct part *p)
{
	const struct gwpm_token *t = gwpm_token_at(g->book, p->market, p->role);
	struct pm_user_leg whole = {
	    .asset = p->t->asset, .px = p->t->px, .qty = p->t->qty};
	struct sum s = {0};
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->t->leg_n; i++)
		if (is_of(p, i)) {
			sum_leg(&s, p, t, &p->t->leg[i]);
			n++;
		}
	if (n == 0)
		sum_leg(&s, p, t, &whole);
	return s;
}

/* An order that buys at once is signed for dollars; every other for shares,
 * of which what failed is gone, too. */
static bool
is_within(const struct gwpm_order *o, const struct sum *s)
{
	px_t own = o->role == ROLE_YES ? o->px : px_complement(o->px);

	if (o->deal == SIDE_BID && (o->tif == TIF_IOC || o->tif == TIF_FOK))
		return o->spent.e6 + s->usd_e6 <=
		       (int64_t)pm_market_budget(
			   (uint32_t)(own.e8 / 10000), pm_qty_to_e2(o->qty)) *
			   10000;
	return o->matched.e8 + s->qty_e8 < o->qty.e8 + UNIT_E8;
}

static void
say_figure(struct text *t, const char *name, int64_t e8)
{
	char digits[24];

	text_lit(t, name);
	*dec_put(digits, (uint64_t)i64_max(0, e8 / E8)) = '\0';
	text_lit(t, digits);
	*dec_put(digits, (uint64_t)(E8 + i64_max(0, e8 % E8))) = '\0';
	digits[0] = '.';
	text_lit(t, digits);
}

/* Never booked; the trade is known from now on, and says nothing more. */
static void
refuse_part(struct gwpm *g, const struct part *p, const struct sum *s)
{
	struct gwpm_fill *head =
	    gwpm_fill_new(g->book, gwpm_fill_id(p->t->key, p->hash, 0));
	const struct gwpm_order *o = p->o;
	char line[SAY_MAX];
	struct text t;

	if (head != NULL)
		head->state = GWPM_FILL_FAILED;
	text_init(&t, line, sizeof(line));
	text_lit(&t, p->deal == SIDE_BID ? "bought " : "sold ");
	say_figure(&t, "", s->qty_e8);
	if (s->bad_px.e8 != 0)
		say_figure(&t, " at ", s->bad_px.e8);
	say_figure(&t, "; the order: ", o->qty.e8);
	say_figure(&t, " at ",
	    o->role == ROLE_YES ? o->px.e8 : px_complement(o->px).e8);
	say_figure(&t, ", traded ", o->matched.e8);
	text_lit(&t, "; trade ");
	text_lit(&t, p->t->id);
	g->stat.impossible++;
	g->sink->log(g->sink->user, GWPM_LOG_IMPOSSIBLE,
	    o->matched.e8 + s->qty_e8 - o->qty.e8, line, text_end(&t));
	gwpm_block(g, "a trade that our signature does not allow was not "
		      "booked: compare positions with the venue");
}

/* Heard of only when it had failed: never a fill, but that much of the order
 * is gone. */
static void
apply_failed(struct gwpm *g, const struct part *p, uint64_t key)
{
	struct gwpm_fill *head = gwpm_fill_new(g->book, key);

	if (head == NULL)
		return;
	head->state = GWPM_FILL_FAILED;
	for (uint32_t i = 0; p->o != NULL && i < p->t->leg_n; i++)
		if (is_of(p, i))
			matched(g, p->o, p->t->leg[i].qty);
}

static void
apply(struct gwpm *g, const struct part *p, const struct gwpm_now *now)
{
	uint64_t key = gwpm_fill_id(p->t->key, p->hash, 0);
	struct gwpm_fill *head = gwpm_fill_by_key(g->book, key);
	enum pm_trade_status s = p->t->status;
	bool was_there = head != NULL;

	if (!was_there && p->o != NULL) {
		struct sum sum = sum_of(g, p);

		if (sum.bad_px.e8 != 0 || !is_within(p->o, &sum)) {
			refuse_part(g, p, &sum);
			return;
		}
		p->o->spent.e6 += sum.usd_e6;
	}
	if (!was_there && s == PM_TRADE_FAILED) {
		apply_failed(g, p, key);
		if (p->o != NULL)
			gwpm_filled_up(g, p->o, now);
		return;
	}
	if (!was_there) {
		apply_new(g, p);
		head = gwpm_fill_by_key(g->book, key);
	} else {
		g->stat.repeats++;
	}
	if (s == PM_TRADE_CONFIRMED || s == PM_TRADE_FAILED)
		for (uint32_t k = 0; head != NULL && k < head->leg_n; k++) {
			struct gwpm_fill *f = gwpm_fill_by_key(
			    g->book, gwpm_fill_id(p->t->key, p->hash, k));

			if (f != NULL)
				settle_fill(g, f, s == PM_TRADE_CONFIRMED);
		}
	if (p->o != NULL)
		gwpm_filled_up(g, p->o, now);
}

static void
apply_whole(struct gwpm *g, const struct part *p, const struct gwpm_now *now)
{
	struct gwpm_undo u = {.market = p->market,
	    .role = p->role,
	    .trade_key = p->t->key,
	    .hash = *p->hash};

	if (p->o != NULL)
		u.order = (uint32_t)(p->o - g->book->order) + 1;
	gwpm_undo_begin(g->book, &u);
	apply(g, p, now);
	gwpm_undo_end(g->book);
}

/* ---- whose ---- */

/* What is ours by order is told by our order; what is only ours by owner, by
 * the message. Returns false when it cannot be placed anywhere. */
static bool
place_part(struct gwpm *g, struct part *p, const struct pm_token *asset,
    enum side side)
{
	struct gwpm_market *m;

	p->o = gwpm_order_by_hash(g->book, p->hash);
	if (p->o != NULL) {
		p->market = p->o->market;
		p->role = p->o->role;
		p->deal = p->o->deal;
		return true;
	}
	if (p->t->match_s != 0 && p->t->match_s < g->book->birth_s)
		return false;
	g->sink->log(g->sink->user, GWPM_LOG_FOREIGN_FILL, 0, p->t->id,
	    strlen(p->t->id));
	if ((m = gwpm_token_find(g->book, asset, &p->role)) == NULL)
		return false;
	p->market = (uint16_t)(m - g->book->market);
	p->deal = (uint8_t)side;
	return true;
}

static enum side
leg_side(const struct pm_user_trade *t, const struct pm_user_leg *l)
{
	if (l->side != 0)
		return l->side;
	if (!pm_token_eq(&l->asset, &t->asset))
		return t->side;
	return t->side == SIDE_BID ? SIDE_ASK : SIDE_BID;
}

static bool
seen_before(const struct pm_user_trade *t, uint32_t i)
{
	for (uint32_t k = 0; k < i; k++)
		if (memcmp(&t->leg[k].order, &t->leg[i].order,
			sizeof(t->leg[i].order)) == 0)
			return true;
	return false;
}

void
gwpm_trade(
    struct gwpm *g, const struct pm_user_trade *t, const struct gwpm_now *now)
{
	for (uint32_t i = 0; i < t->leg_n; i++) {
		const struct pm_user_leg *l = &t->leg[i];
		struct part p = {.t = t, .hash = &l->order, .is_maker = true};

		if (seen_before(t, i) ||
		    (!l->is_mine &&
			gwpm_order_by_hash(g->book, &l->order) == NULL))
			continue;
		if (place_part(g, &p, &l->asset, leg_side(t, l)))
			apply_whole(g, &p, now);
	}
	if (gwpm_order_by_hash(g->book, &t->taker) != NULL ||
	    (t->is_taker_mine && t->trader != 'M')) {
		struct part p = {.t = t, .hash = &t->taker};

		if (place_part(g, &p, &t->asset, t->side))
			apply_whole(g, &p, now);
	}
}

/* ---- telling again ---- */

void
gwpm_retell(struct gwpm *g)
{
	for (uint32_t k = 0; k < GWPM_FILLS; k++) {
		const struct gwpm_fill *f =
		    &g->book->fill[(g->book->fill_at + k) % GWPM_FILLS];

		if (f->key == 0 || f->qty.e8 == 0)
			continue;
		tell_fill(g, f, PORT_FILLED);
		if (f->state == GWPM_FILL_FINAL)
			tell_fill(g, f, PORT_CONFIRMED);
		else if (f->state == GWPM_FILL_FAILED)
			tell_fill(g, f, PORT_REVERSED);
	}
	for (uint32_t i = 0; i < GWPM_ORDERS; i++) {
		const struct gwpm_order *o = &g->book->order[i];

		if (o->id != 0 && o->state == GWPM_DONE)
			gwpm_tell(g, o, PORT_CANCELLED, REASON_OK);
		else if (o->id != 0 && o->state == GWPM_UNKNOWN)
			gwpm_tell(g, o, PORT_UNKNOWN, REASON_STARTUP);
	}
}
