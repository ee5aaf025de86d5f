/*
 * Trades to fills, positions on two axes, and comparing them with balances.
 */
#include <string.h>

#include "execd/gw_pm_int.h"
#include "libcore/check.h"
#include "libcore/fees.h"
#include "libcore/hash.h"
#include "libcore/json.h"
#include "libsign/hex.h"
#include "libvenue/text.h"

#define STEP_NS	   UINT64_C(500000000)
#define ROUND_NS   UINT64_C(10000000000)
#define DRIFT_E6   INT64_C(10000) /* a hundredth: rounding of settlement */
#define TARGET_MAX 256u

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
	    .venue_ns = (int64_t)f->match_s * NS_PER_S};

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

/* ---- balances ---- */

static void
ask_balance(struct gwpm *g, uint32_t what, const struct gwpm_now *now)
{
	char token[PM_TOKEN_TEXT_MAX];
	char query[TARGET_MAX];
	char number[24];
	struct gwpm_out out = {GWPM_BALANCE, GWPM_ROLE_QUERIES, "GET",
	    "/balance-allowance", query, 0, false};
	struct gwpm_call *c = gwpm_call_new(g, GWPM_BALANCE);
	struct text t;

	if (c == NULL || !bucket_take(&g->queries, now->ns, 1, false))
		return;
	text_init(&t, query, sizeof(query));
	if (what == GWPM_NONE) {
		text_lit(&t, "asset_type=COLLATERAL");
	} else {
		const struct gwpm_market *m = &g->book->market[what / 2];

		text_lit(&t, m->generation == PM_EXCHANGE_V3
				 ? "asset_type=CONDITIONAL-V2&token_id="
				 : "asset_type=CONDITIONAL&token_id=");
		pm_token_format(&m->token[what % 2].id, token);
		text_lit(&t, token);
	}
	*dec_put(number, g->set.account.sig_type) = '\0';
	text_lit(&t, "&signature_type=");
	text_lit(&t, number);
	CHECK(text_end(&t) > 0);
	c->fill_seq = g->book->fill_seq;
	c->item[0] = what;
	gwpm_call_send(g, c, &out, now);
}

/* Cash first, then each token that matters; then a pause. */
void
gwpm_balance_due(struct gwpm *g, const struct gwpm_now *now)
{
	if (now->ns < g->balance_ns)
		return;
	g->balance_ns = now->ns + STEP_NS;
	if (g->balance_at == 0) {
		g->balance_at = 1;
		ask_balance(g, GWPM_NONE, now);
		return;
	}
	while (g->balance_at <= 2 * GWPM_MARKETS) {
		uint32_t what = g->balance_at++ - 1;
		const struct gwpm_market *m = &g->book->market[what / 2];

		if (!m->used || (m->instr == 0 && m->open_n == 0 &&
				    m->token[what % 2].pending_n == 0))
			continue;
		ask_balance(g, what, now);
		return;
	}
	g->balance_at = 0;
	g->balance_ns = now->ns + (g->set.reconcile_ns > 0 ? g->set.reconcile_ns
							   : ROUND_NS);
}

static bool
read_balance(const struct gwpm_answer *a, uint64_t *units)
{
	struct json_str key;
	bool has = false;
	struct json j;

	json_init(&j, a->body, a->n);
	if (json_object(&j))
		while (json_key(&j, &key)) {
			if (json_is(key, "balance"))
				has = json_u64(&j, units);
			else
				json_skip(&j);
		}
	return json_end(&j) && has && *units <= (uint64_t)QTY_E8_MAX / 100;
}

/* What would have to have been there at the beginning: true when two reads
 * agree. */
static bool
agrees(struct gwpm *g, struct gwpm_twice *r, int64_t base)
{
	bool is_same = r->seq == g->book->fill_seq + 1 && r->value == base;

	r->seq = g->book->fill_seq + 1;
	r->value = base;
	return is_same;
}

/* Small drift is taken over; more is told, once. diff in 1e-6. */
static int64_t
judge_diff(struct gwpm *g, bool *is_off, int64_t diff)
{
	bool is_small = diff <= DRIFT_E6 && diff >= -DRIFT_E6;
	bool was_off = *is_off;

	*is_off = !is_small;
	if (diff == 0 || was_off)
		return 0;
	g->stat.differences++;
	g->sink->log(g->sink->user, GWPM_LOG_DIFFERENCE, diff, "", 0);
	return is_small ? diff : 0;
}

static void
cash_read(struct gwpm *g, int64_t e6)
{
	struct gwpm_cash *c = &g->book->cash;

	if (c->pending_n > 0 || !agrees(g, &c->read, e6 - c->final_e6))
		return;
	if (!c->has_base)
		c->base_e6 = c->read.value;
	c->has_base = true;
	c->base_e6 += judge_diff(g, &c->is_off, c->read.value - c->base_e6);
}

static void
token_read(struct gwpm *g, struct gwpm_token *t, int64_t e8)
{
	if (t->pending_n > 0 || !agrees(g, &t->read, e8 - t->final_e8))
		return;
	if (!t->has_base)
		t->base_e8 = t->read.value;
	t->has_base = true;
	t->base_e8 +=
	    judge_diff(g, &t->is_off, (t->read.value - t->base_e8) / 100) * 100;
}

void
gwpm_balance_answer(
    struct gwpm *g, struct gwpm_call *c, const struct gwpm_answer *a)
{
	uint32_t what = c->item[0];
	uint64_t units;

	if (a->status != 200 || !read_balance(a, &units) ||
	    c->fill_seq != g->book->fill_seq)
		return;
	if (what == GWPM_NONE)
		cash_read(g, (int64_t)units);
	else
		token_read(g, &g->book->market[what / 2].token[what % 2],
		    (int64_t)units * 100);
}

/* What the venue says is there now, as far as it was read twice. */
static int64_t
venue_e8(const struct gwpm_token *t)
{
	return (t->is_off ? t->read.value : t->base_e8) + t->net_e8;
}

bool
gwpm_balances(const struct gwpm *g, uint16_t instr, struct gwpm_balance *out)
{
	const struct gwpm_market *m = gwpm_market_of(g->book, instr);
	const struct gwpm_cash *cash = &g->book->cash;
	const struct gwpm_token *t;

	if (m == NULL)
		return false;
	t = m->token;
	*out = (struct gwpm_balance){.yes_e8 = t[0].base_e8 + t[0].net_e8,
	    .no_e8 = t[1].base_e8 + t[1].net_e8,
	    .yes_final_e8 = t[0].base_e8 + t[0].final_e8 - t[0].out_e8,
	    .no_final_e8 = t[1].base_e8 + t[1].final_e8 - t[1].out_e8,
	    .yes_net_e8 = t[0].net_e8,
	    .no_net_e8 = t[1].net_e8,
	    .yes_venue_e8 = venue_e8(&t[0]),
	    .no_venue_e8 = venue_e8(&t[1]),
	    .usd_e6 = cash->base_e6 + cash->net_e6,
	    .is_known = t[0].has_base && t[1].has_base,
	    .is_usd_known = cash->has_base,
	    .is_off = t[0].is_off || t[1].is_off || cash->is_off};
	return true;
}
