#include "simvenue/hlx.h"

#include <string.h>

#include "libcore/check.h"
#include "libcore/fees.h"
#include "libcore/hash.h"
#include "simvenue/hlx_int.h"

#define MAP_N	     (2u * HLX_ORDERS)
#define ADDRESS_MAP  (2u * HLX_ACCOUNTS)
#define CANCEL_EXTRA 100000u
#define E12	     INT64_C(1000000000000)
#define NS_PER_DAY   (86400 * NS_PER_S)

void
hlx_init(struct hlx *x, const struct hlx_sink *sink)
{
	CHECK(sink->order != NULL && sink->fill != NULL);
	CHECK(sink->print != NULL && sink->book != NULL);
	x->sink = sink;
}

/* ---- accounts and coins ---- */

static struct hlx_account *
account_at(struct hlx *x, uint32_t account)
{
	CHECK(account < HLX_ACCOUNTS);
	CHECK(x->account[account].used);
	return &x->account[account];
}

static const struct hlx_account *
account_of(const struct hlx *x, uint32_t account)
{
	CHECK(account < HLX_ACCOUNTS);
	CHECK(x->account[account].used);
	return &x->account[account];
}

static uint32_t
address_bucket(const uint8_t address[20])
{
	return (uint32_t)(hash_bytes(HASH_SEED, address, 20) % ADDRESS_MAP);
}

uint32_t
hlx_account_find(const struct hlx *x, const uint8_t address[20])
{
	uint32_t at = address_bucket(address);

	for (; x->by_address[at] != 0; at = (at + 1) % ADDRESS_MAP)
		if (memcmp(x->account[x->by_address[at] - 1].address, address,
			20) == 0)
			return x->by_address[at] - 1;
	return HLX_NONE;
}

uint32_t
hlx_account_open(struct hlx *x, const uint8_t address[20])
{
	struct hlx_account *a = &x->account[x->account_n];
	uint32_t at = address_bucket(address);

	if (x->account_n == HLX_ACCOUNTS)
		return HLX_NONE;
	a->used = true;
	memcpy(a->address, address, 20);
	while (x->by_address[at] != 0)
		at = (at + 1) % ADDRESS_MAP;
	x->by_address[at] = ++x->account_n;
	return x->account_n - 1;
}

void
hlx_deposit(struct hlx *x, uint32_t account, usd_t usd)
{
	account_at(x, account)->deposit.e6 += usd.e6;
	x->deposits.e6 += usd.e6;
}

uint32_t
hlx_coin_add(struct hlx *x, const struct hlx_terms *t, px_t px)
{
	CHECK(t->sz_decimals <= 6);
	CHECK(t->leverage >= 1);
	CHECK(px.e8 > 0);
	for (uint32_t i = 0; i < HLX_COINS; i++) {
		struct hlx_coin *c = &x->coin[i];
		struct match_mem mem = {
		    c->order, HLX_REST, c->level[0], c->level[1], HLX_LEVELS};

		if (c->used)
			continue;
		c->used = true;
		c->terms = *t;
		c->first = px;
		c->mark = px;
		c->oracle = px;
		match_init(&c->match, &mem);
		return i;
	}
	return HLX_NONE;
}

uint32_t
hlx_coin_find(const struct hlx *x, uint32_t index)
{
	for (uint32_t i = 0; i < HLX_COINS; i++)
		if (x->coin[i].used && x->coin[i].terms.index == index)
			return i;
	return HLX_NONE;
}

void
hlx_set_prices(
    struct hlx *x, uint32_t coin, px_t mark, px_t oracle, int64_t funding_e12)
{
	CHECK(coin < HLX_COINS);
	CHECK(x->coin[coin].used);
	CHECK(mark.e8 > 0 && oracle.e8 > 0);
	x->coin[coin].mark = mark;
	x->coin[coin].oracle = oracle;
	x->coin[coin].funding_e12 = funding_e12;
}

static void
fund_one(struct hlx *x, uint32_t account, uint32_t coin, usd_t usd)
{
	struct hlx_account *a = &x->account[account];
	struct hlx_funding *f;

	if (a->pos[coin].qty.e8 == 0)
		return;
	f = &x->fundings[x->funding_n++ % HLX_FUNDINGS];
	*f = (struct hlx_funding){.account = account,
	    .coin = (uint16_t)coin,
	    .usd = usd,
	    .qty = a->pos[coin].qty,
	    .rate_e12 = x->coin[coin].funding_e12,
	    .ns = x->now_ns};
	a->funding.e6 += usd.e6;
	a->funded[coin].ever.e6 += usd.e6;
	a->funded[coin].since_open.e6 += usd.e6;
	a->funded[coin].since_change.e6 += usd.e6;
	if (x->sink->funding != NULL)
		x->sink->funding(x->sink->user, x, f);
}

void
hlx_fund(struct hlx *x)
{
	for (uint32_t a = 0; a < x->account_n; a++) {
		struct hlx_account *acc = &x->account[a];

		for (uint32_t i = 0; acc->used && i < HLX_COINS; i++) {
			const struct hlx_coin *c = &x->coin[i];
			i128_t usd_e16 =
			    e16_product(c->oracle, acc->pos[i].qty);

			fund_one(x, a, i,
			    USD(-(int64_t)(usd_e16 * c->funding_e12 / E12 /
					   (E8 * 100))));
		}
	}
}

bool
hlx_set_leverage(
    struct hlx *x, uint32_t account, uint32_t coin, uint32_t leverage)
{
	CHECK(coin < HLX_COINS && x->coin[coin].used);
	if (leverage == 0 || leverage > x->coin[coin].terms.leverage)
		return false;
	account_at(x, account)->leverage[coin] = (uint8_t)leverage;
	return true;
}

uint32_t
hlx_leverage(const struct hlx *x, uint32_t account, uint32_t coin)
{
	uint32_t v = account_of(x, account)->leverage[coin];

	return v != 0 ? v : x->coin[coin].terms.leverage;
}

usd_t
hlx_value(const struct hlx *x, uint32_t account)
{
	const struct hlx_account *a = account_of(x, account);
	usd_t v = USD(a->deposit.e6 - a->fees.e6 + a->funding.e6);

	for (uint32_t i = 0; i < HLX_COINS; i++)
		v.e6 += e16_to_usd(a->pos[i].realised_e16).e6 +
			position_unrealised(&a->pos[i], x->coin[i].mark).e6;
	return v;
}

qty_t
hlx_open_interest(const struct hlx *x, uint32_t coin)
{
	qty_t sum = QTY(0);

	for (uint32_t a = 0; a < x->account_n; a++)
		sum.e8 += i64_max(x->account[a].pos[coin].qty.e8, 0);
	return sum;
}

usd_t
hlx_margin(const struct hlx *x, uint32_t account)
{
	const struct hlx_account *a = account_of(x, account);
	usd_t sum = USD(0);

	for (uint32_t i = 0; i < HLX_COINS; i++) {
		const struct hlx_coin *c = &x->coin[i];
		int64_t up = a->pos[i].qty.e8 + a->open_qty[i][0].e8;
		int64_t down = a->open_qty[i][1].e8 - a->pos[i].qty.e8;

		if (c->used)
			sum.e6 +=
			    usd_notional_ceil(c->mark, QTY(i64_max(up, down)))
				.e6 /
			    hlx_leverage(x, account, i);
	}
	return sum;
}

/* ---- the budget ---- */

uint64_t
hlx_budget(const struct hlx *x, uint32_t account, bool is_cancel)
{
	uint64_t cap =
	    HLX_BUDGET + (uint64_t)account_of(x, account)->volume.e6 / E6;

	if (!is_cancel)
		return cap;
	return cap + CANCEL_EXTRA < 2 * cap ? cap + CANCEL_EXTRA : 2 * cap;
}

bool
hlx_spend(struct hlx *x, uint32_t account, uint32_t n, bool is_cancel)
{
	struct hlx_account *a = account_at(x, account);

	if (a->actions + n > hlx_budget(x, account, is_cancel)) {
		if (a->spare_ns == 0) /* the wait begins */
			a->spare_ns = x->now_ns;
		if (n > 1 || x->now_ns < a->spare_ns + HLX_SPARE_NS)
			return false;
		a->spare_ns = x->now_ns;
	}
	a->actions += n;
	return true;
}

void
hlx_note_spent(struct hlx *x, uint32_t account, uint32_t n)
{
	account_at(x, account)->actions += n;
}

/* ---- orders ---- */

static uint32_t
oid_bucket(uint64_t oid)
{
	return (uint32_t)(hash_u64(HASH_SEED, oid) % MAP_N);
}

static uint32_t
cloid_bucket(uint32_t account, const uint8_t cloid[16])
{
	return (uint32_t)(hash_bytes(account, cloid, 16) % MAP_N);
}

uint32_t
hlx_find_oid(const struct hlx *x, uint64_t oid)
{
	uint32_t i = x->by_oid[oid_bucket(oid)];

	while (i != 0 && x->order[i - 1].oid != oid)
		i = x->order[i - 1].next_oid;
	return i == 0 ? HLX_NONE : i - 1;
}

uint32_t
hlx_find_cloid(const struct hlx *x, uint32_t account, const uint8_t cloid[16])
{
	uint32_t i = x->by_cloid[cloid_bucket(account, cloid)];

	for (; i != 0; i = x->order[i - 1].next_cloid) {
		const struct hlx_order *o = &x->order[i - 1];

		if (o->account == account && memcmp(o->cloid, cloid, 16) == 0)
			return i - 1;
	}
	return HLX_NONE;
}

static void
unchain(uint32_t *at, struct hlx *x, uint32_t order, bool by_oid)
{
	while (*at != order + 1) {
		CHECK(*at != 0);
		at = by_oid ? &x->order[*at - 1].next_oid
			    : &x->order[*at - 1].next_cloid;
	}
	*at = by_oid ? x->order[order].next_oid : x->order[order].next_cloid;
}

static void
forget(struct hlx *x, uint32_t order)
{
	struct hlx_order *o = &x->order[order];

	unchain(&x->by_oid[oid_bucket(o->oid)], x, order, true);
	if (o->has_cloid)
		unchain(&x->by_cloid[cloid_bucket(o->account, o->cloid)], x,
		    order, false);
	o->oid = 0;
}

static struct hlx_order *
entry(struct hlx *x)
{
	/* Twice around: at last also what somebody may still ask for. */
	for (uint32_t k = 0; k < 2 * HLX_ORDERS; k++) {
		uint32_t i = (x->order_at + k) % HLX_ORDERS;
		const struct hlx_order *o = &x->order[i];

		if (o->oid != 0 &&
		    (o->status == HLX_OPEN ||
			(k < HLX_ORDERS && x->account[o->account].keeps &&
			    o->status_ns + HLX_KEEP_NS > x->now_ns)))
			continue;
		if (x->order[i].oid != 0)
			forget(x, i);
		x->order_at = (i + 1) % HLX_ORDERS;
		return &x->order[i];
	}
	return NULL;
}

struct hlx_order *
hlx_order_new(struct hlx *x, const struct hlx_new *n, uint16_t coin)
{
	struct hlx_order *o = entry(x);
	uint32_t *at;

	if (o == NULL)
		return NULL;
	*o = (struct hlx_order){.oid = ++x->oid,
	    .status = HLX_OPEN,
	    .account = n->account,
	    .coin = coin,
	    .side = (uint8_t)n->side,
	    .tif = (uint8_t)n->tif,
	    .reduce_only = n->reduce_only,
	    .has_cloid = n->has_cloid,
	    .px = n->px,
	    .qty = n->qty,
	    .left = n->qty,
	    .created_ns = x->now_ns,
	    .status_ns = x->now_ns,
	    .handle = MATCH_NONE};
	at = &x->by_oid[oid_bucket(o->oid)];
	o->next_oid = *at;
	*at = (uint32_t)(o - x->order) + 1;
	if (!n->has_cloid)
		return o;
	memcpy(o->cloid, n->cloid, sizeof(o->cloid));
	at = &x->by_cloid[cloid_bucket(o->account, o->cloid)];
	o->next_cloid = *at;
	*at = (uint32_t)(o - x->order) + 1;
	return o;
}

void
hlx_rests(struct hlx *x, const struct hlx_order *o, bool rests)
{
	struct hlx_account *a = &x->account[o->account];
	int64_t sign = rests ? 1 : -1;

	hlx_open_qty(
	    x, o->account, o->coin, (enum side)o->side, sign * o->left.e8);
	a->open_n += (uint32_t)sign;
	if (o->reduce_only)
		a->reduce_n += (uint32_t)sign;
}

void
hlx_open_qty(
    struct hlx *x, uint32_t account, uint16_t coin, enum side side, int64_t d)
{
	qty_t *q = &x->account[account].open_qty[coin][side - SIDE_BID];

	q->e8 += d;
	CHECK(q->e8 >= 0);
}

void
hlx_end(struct hlx *x, struct hlx_order *o, enum hlx_status status)
{
	CHECK(o->status == HLX_OPEN);
	CHECK(o->handle == MATCH_NONE);
	o->status = status;
	o->status_ns = x->now_ns;
	x->sink->order(x->sink->user, x, (uint32_t)(o - x->order));
}

void
hlx_take_out(struct hlx *x, uint32_t order, enum hlx_status status)
{
	struct hlx_order *o = &x->order[order];

	CHECK(o->handle != MATCH_NONE);
	match_cancel(&x->coin[o->coin].match, o->handle);
	o->handle = MATCH_NONE;
	hlx_rests(x, o, false);
	hlx_end(x, o, status);
	x->sink->book(x->sink->user, x, o->coin);
}

enum hlx_error
hlx_cancel(struct hlx *x, uint32_t account, uint32_t order, uint64_t now_ns)
{
	CHECK(now_ns >= x->now_ns);
	x->now_ns = now_ns;
	if (order >= HLX_ORDERS || x->order[order].oid == 0 ||
	    x->order[order].account != account ||
	    x->order[order].status != HLX_OPEN)
		return HLX_ERR_NO_ORDER;
	hlx_take_out(x, order, HLX_CANCELED);
	return HLX_OK;
}

static void
cancel_all(struct hlx *x, uint32_t account, enum hlx_status status)
{
	for (uint32_t i = 0; i < HLX_ORDERS; i++)
		if (x->order[i].oid != 0 && x->order[i].status == HLX_OPEN &&
		    x->order[i].account == account)
			hlx_take_out(x, i, status);
}

/* ---- fills ---- */

void
hlx_book_fill(struct hlx *x, const struct hlx_side *s)
{
	struct hlx_account *a = account_at(x, s->account);
	const struct hlx_terms *t = &x->coin[s->coin].terms;
	struct hlx_fill *f = &x->fill[x->fill_n++ % HLX_FILLS];
	struct position *p = &a->pos[s->coin];

	*f = (struct hlx_fill){.tid = x->tid,
	    .account = s->account,
	    .coin = s->coin,
	    .side = (uint8_t)s->side,
	    .crossed = s->crossed,
	    .liquidated = s->liquidated,
	    .px = s->px,
	    .qty = s->qty,
	    .start = p->qty,
	    .ns = x->now_ns};
	f->fee = fee_notional(
	    s->px, s->qty, s->crossed ? t->taker_ppm : t->maker_ppm);
	f->closed = e16_to_usd(position_fill(p, s->side, s->px, s->qty));
	a->funded[s->coin].since_change = USD(0);
	if (f->start.e8 == 0 || (f->start.e8 > 0) != (p->qty.e8 > 0))
		a->funded[s->coin].since_open = USD(0);
	x->reduce_due = x->reduce_due || a->reduce_n > 0;
	a->fees.e6 += f->fee.e6;
	a->volume.e6 += usd_notional(s->px, s->qty).e6;
	if (s->order != NULL) {
		f->oid = s->order->oid;
		f->has_cloid = s->order->has_cloid;
		memcpy(f->cloid, s->order->cloid, sizeof(f->cloid));
	}
	x->sink->fill(x->sink->user, x, f);
}

int64_t
hlx_reducible(
    const struct hlx *x, uint32_t account, uint32_t coin, enum side side)
{
	int64_t q = x->account[account].pos[coin].qty.e8;

	return side == SIDE_BID ? i64_max(-q, 0) : i64_max(q, 0);
}

void
hlx_cancel_reduce_only(struct hlx *x)
{
	if (!x->reduce_due)
		return;
	x->reduce_due = false;
	for (uint32_t i = 0; i < HLX_ORDERS; i++) {
		const struct hlx_order *o = &x->order[i];

		if (o->oid != 0 && o->status == HLX_OPEN && o->reduce_only &&
		    hlx_reducible(x, o->account, o->coin, (enum side)o->side) <
			o->left.e8)
			hlx_take_out(x, i, HLX_REDUCE_ONLY_CANCELED);
	}
}

void
hlx_liquidate(struct hlx *x, uint32_t account, uint32_t coin, uint32_t against,
    uint64_t now_ns)
{
	struct hlx_side s = {
	    .account = account, .coin = (uint16_t)coin, .liquidated = account};
	int64_t q = account_at(x, account)->pos[coin].qty.e8;

	CHECK(now_ns >= x->now_ns);
	CHECK(account != against);
	x->now_ns = now_ns;
	for (uint32_t i = 0; i < HLX_ORDERS; i++)
		if (x->order[i].oid != 0 && x->order[i].status == HLX_OPEN &&
		    x->order[i].account == account && x->order[i].coin == coin)
			hlx_take_out(x, i, HLX_LIQUIDATED_CANCELED);
	if (q == 0)
		return;
	x->tid++;
	s.side = q > 0 ? SIDE_ASK : SIDE_BID;
	s.qty = QTY(q > 0 ? q : -q);
	s.px = x->coin[coin].mark;
	s.crossed = true;
	hlx_book_fill(x, &s);
	s.account = against;
	s.side = side_opposite(s.side);
	s.crossed = false;
	hlx_book_fill(x, &s);
	hlx_cancel_reduce_only(x);
}

/* ---- time ---- */

bool
hlx_schedule(struct hlx *x, uint32_t account, uint64_t at_ns, uint64_t now_ns)
{
	struct hlx_account *a = account_at(x, account);

	if (at_ns != 0 && at_ns < now_ns + HLX_SCHEDULE_MIN_NS)
		return false;
	if (at_ns != 0 && a->sched_day == (int64_t)now_ns / NS_PER_DAY &&
	    a->sched_n >= HLX_SCHEDULE_DAILY)
		return false;
	a->sched_ns = at_ns;
	return true;
}

void
hlx_step(struct hlx *x, uint64_t now_ns)
{
	CHECK(now_ns >= x->now_ns);
	x->now_ns = now_ns;
	for (uint32_t i = 0; i < x->account_n; i++) {
		struct hlx_account *a = &x->account[i];
		int64_t day = (int64_t)now_ns / NS_PER_DAY;

		if (a->sched_ns == 0 || now_ns < a->sched_ns)
			continue;
		a->sched_ns = 0;
		a->sched_n = a->sched_day == day ? a->sched_n + 1 : 1;
		a->sched_day = day;
		cancel_all(x, i, HLX_SCHEDULED_CANCEL);
	}
}

uint64_t
hlx_wake(const struct hlx *x)
{
	uint64_t ns = 0;

	for (uint32_t i = 0; i < x->account_n; i++) {
		uint64_t at = x->account[i].sched_ns;

		if (at != 0 && (ns == 0 || at < ns))
			ns = at;
	}
	return ns;
}

/* ---- invariants ---- */

static bool
coin_is_conserved(const struct hlx *x, uint32_t coin)
{
	i128_t cash = 0;
	int64_t qty = 0;

	for (uint32_t a = 0; a < HLX_ACCOUNTS; a++) {
		const struct position *p = &x->account[a].pos[coin];

		qty += p->qty.e8;
		cash += p->realised_e16 - p->cost_e16;
	}
	return qty == 0 && cash == 0;
}

bool
hlx_is_conserved(const struct hlx *x)
{
	int64_t deposits = 0;

	for (uint32_t i = 0; i < HLX_COINS; i++)
		if (x->coin[i].used && (!coin_is_conserved(x, i) ||
					   !match_is_sound(&x->coin[i].match)))
			return false;
	for (uint32_t a = 0; a < HLX_ACCOUNTS; a++)
		deposits += x->account[a].deposit.e6;
	return deposits == x->deposits.e6;
}
