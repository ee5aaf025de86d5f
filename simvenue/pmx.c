#include "simvenue/pmx.h"

#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "simvenue/pmx_int.h"

#define MAP_N (2u * PMX_ORDERS)

void
pmx_init(struct pmx *x, const struct pmx_sink *sink, uint64_t seed)
{
	CHECK(sink->order != NULL && sink->trade != NULL);
	CHECK(sink->level != NULL && sink->print != NULL);
	CHECK(sink->batch != NULL && sink->market != NULL);
	x->sink = sink;
	x->mode = PMX_MODE_NORMAL;
	x->settle = (struct pmx_settle){.mine_ms = 2000, .confirm_ms = 4000};
	x->rng = hash_u64(HASH_SEED, seed);
}

/* ---- accounts ---- */

static struct pmx_account *
account_at(struct pmx *x, uint32_t account)
{
	CHECK(account < PMX_ACCOUNTS);
	CHECK(x->account[account].used);
	return &x->account[account];
}

static const struct pmx_account *
account_of(const struct pmx *x, uint32_t account)
{
	CHECK(account < PMX_ACCOUNTS);
	CHECK(x->account[account].used);
	return &x->account[account];
}

struct pmx_hold *
pmx_token(struct pmx *x, uint32_t account, uint16_t market, enum token_role r)
{
	CHECK(market < PMX_MARKETS);
	CHECK(r == ROLE_YES || r == ROLE_NO);
	return &account_at(x, account)->token[market][r - ROLE_YES];
}

uint32_t
pmx_account_open(struct pmx *x)
{
	for (uint32_t i = 0; i < PMX_ACCOUNTS; i++)
		if (!x->account[i].used) {
			x->account[i].used = true;
			return i;
		}
	return PMX_NONE;
}

static int64_t
free_of(const struct pmx_hold *h)
{
	return h->own - h->out - h->locked;
}

int64_t
pmx_free_usd(const struct pmx *x, uint32_t account)
{
	return free_of(&account_of(x, account)->usd);
}

int64_t
pmx_free_token(
    const struct pmx *x, uint32_t account, uint16_t market, enum token_role r)
{
	CHECK(market < PMX_MARKETS);
	CHECK(r == ROLE_YES || r == ROLE_NO);
	return free_of(&account_of(x, account)->token[market][r - ROLE_YES]);
}

bool
pmx_deposit(struct pmx *x, uint32_t account, usd_t usd)
{
	if (usd.e6 < 0 && pmx_free_usd(x, account) < -usd.e6)
		return false;
	account_at(x, account)->usd.own += usd.e6;
	x->deposits.e6 += usd.e6;
	return true;
}

static bool
exchange_pair(struct pmx *x, uint32_t account, uint32_t market, int64_t q_e8)
{
	CHECK(market < PMX_MARKETS);
	CHECK(x->market[market].phase != 0);
	CHECK(q_e8 % 100 == 0);
	account_at(x, account)->usd.own -= q_e8 / 100;
	pmx_token(x, account, (uint16_t)market, ROLE_YES)->own += q_e8;
	pmx_token(x, account, (uint16_t)market, ROLE_NO)->own += q_e8;
	x->market[market].pair_e8 += q_e8;
	return true;
}

bool
pmx_split(struct pmx *x, uint32_t account, uint32_t market, qty_t q)
{
	if (q.e8 <= 0 || pmx_free_usd(x, account) < q.e8 / 100)
		return false;
	return exchange_pair(x, account, market, q.e8);
}

bool
pmx_merge(struct pmx *x, uint32_t account, uint32_t market, qty_t q)
{
	uint16_t m = (uint16_t)market;

	if (q.e8 <= 0 || pmx_free_token(x, account, m, ROLE_YES) < q.e8 ||
	    pmx_free_token(x, account, m, ROLE_NO) < q.e8)
		return false;
	return exchange_pair(x, account, market, -q.e8);
}

void
pmx_relock(struct pmx *x, struct pmx_order *o, int64_t lock)
{
	struct pmx_hold *h =
	    o->side == SIDE_BID
		? &account_at(x, o->account)->usd
		: pmx_token(x, o->account, o->market, (enum token_role)o->role);

	CHECK(lock >= 0);
	h->locked += lock - o->lock;
	CHECK(h->locked >= 0);
	o->lock = lock;
}

/* ---- markets ---- */

static struct pmx_market *
market_at(struct pmx *x, uint32_t market)
{
	CHECK(market < PMX_MARKETS);
	CHECK(x->market[market].phase != 0);
	return &x->market[market];
}

/* Finished orders and trades of the market that had the entry before. */
static void
forget_market(struct pmx *x, uint32_t market)
{
	for (uint32_t i = 0; i < PMX_ORDERS; i++)
		if (x->order[i].state != 0 && x->order[i].market == market)
			pmx_forget(x, i);
	for (uint32_t i = 0; i < PMX_TRADES; i++)
		if (x->trade[i].status != 0 && x->trade[i].market == market)
			x->trade[i].status = 0;
}

uint32_t
pmx_market_open(struct pmx *x, const struct pmx_terms *t)
{
	CHECK(t->tick.tok_e8 > 0);
	for (uint32_t k = 1; k <= PMX_MARKETS; k++) {
		uint32_t i = (x->market_at + k) % PMX_MARKETS;
		struct pmx_market *m = &x->market[i];
		struct match_mem mem = {
		    m->order, PMX_REST, m->level[0], m->level[1], PMX_LEVELS};

		if (m->phase != 0)
			continue;
		forget_market(x, i);
		x->market_at = (uint16_t)i;
		m->phase = PMX_OPEN;
		m->terms = *t;
		m->pair_e8 = 0;
		match_init(&m->match, &mem);
		x->sink->market(x->sink->user, (uint16_t)i);
		return i;
	}
	return PMX_NONE;
}

uint32_t
pmx_market_find(
    const struct pmx *x, const struct pm_token *t, enum token_role *role)
{
	for (uint32_t i = 0; i < PMX_MARKETS; i++)
		for (int r = 0; r < 2; r++)
			if (x->market[i].phase != 0 &&
			    pm_token_eq(&x->market[i].terms.token[r], t)) {
				*role = ROLE_YES + (enum token_role)r;
				return i;
			}
	return PMX_NONE;
}

void
pmx_set_tick(struct pmx *x, uint32_t market, tok_px_t tick)
{
	CHECK(tick.tok_e8 > 0);
	market_at(x, market)->terms.tick = tick;
	x->sink->market(x->sink->user, (uint16_t)market);
}

void
pmx_halt(struct pmx *x, uint32_t market, bool halted)
{
	market_at(x, market)->phase = halted ? PMX_HALTED : PMX_OPEN;
	x->sink->market(x->sink->user, (uint16_t)market);
}

static void
pay_out(struct pmx *x, uint32_t market, px_t yes_px)
{
	struct pmx_market *m = market_at(x, market);
	int64_t paid = 0;

	for (uint32_t a = 0; a < PMX_ACCOUNTS; a++) {
		struct pmx_account *acc = &x->account[a];
		struct pmx_hold *tok = acc->token[market];
		int64_t usd;

		if (!acc->used)
			continue;
		usd = usd_notional(yes_px, QTY(tok[0].own)).e6 +
		      usd_notional(px_complement(yes_px), QTY(tok[1].own)).e6;
		acc->usd.own += usd;
		paid += usd;
		memset(tok, 0, sizeof(acc->token[market]));
	}
	/* Halves of a millionth stay with the venue. */
	CHECK(paid <= m->pair_e8 / 100);
	x->fees.e6 += m->pair_e8 / 100 - paid;
	m->pair_e8 = 0;
}

void
pmx_resolve(struct pmx *x, uint32_t market, px_t yes_px)
{
	struct pmx_market *m = market_at(x, market);

	CHECK(yes_px.e8 >= 0 && yes_px.e8 <= E8);
	m->phase = PMX_CLOSED;
	for (uint32_t i = 0; i < PMX_ORDERS; i++)
		if (pmx_is_open(&x->order[i]) && x->order[i].market == market)
			pmx_finish(x, i, PMX_RESOLVED);
	for (uint32_t i = 0; i < PMX_TRADES; i++)
		if (x->trade[i].status != 0 && x->trade[i].market == market)
			pmx_settle_now(x, i);
	pay_out(x, market, yes_px);
	x->sink->market(x->sink->user, (uint16_t)market);
	m->phase = 0;
}

/* ---- orders ---- */

uint32_t
pmx_find(const struct pmx *x, const struct pmx_id *id)
{
	uint32_t b;
	uint32_t i;

	memcpy(&b, id->b, sizeof(b));
	for (i = x->map[b % MAP_N]; i != 0; i = x->order[i - 1].next)
		if (memcmp(&x->order[i - 1].id, id, sizeof(*id)) == 0)
			return i - 1;
	return PMX_NONE;
}

void
pmx_forget(struct pmx *x, uint32_t order)
{
	struct pmx_order *o = &x->order[order];
	uint32_t b;
	uint32_t *at;

	CHECK(!pmx_is_open(o));
	CHECK(o->pending_n == 0);
	memcpy(&b, o->id.b, sizeof(b));
	for (at = &x->map[b % MAP_N]; *at != order + 1;
	     at = &x->order[*at - 1].next)
		CHECK(*at != 0);
	*at = o->next;
	o->state = 0;
}

void
pmx_tell_level(struct pmx *x, uint16_t market, enum side side, px_t px)
{
	x->sink->level(x->sink->user, market, side, px,
	    match_qty_at(&x->market[market].match, side, px));
}

void
pmx_finish(struct pmx *x, uint32_t order, enum pmx_state state)
{
	struct pmx_order *o = &x->order[order];
	bool rested = o->handle != MATCH_NONE;

	CHECK(pmx_is_open(o));
	if (rested) {
		match_cancel(&x->market[o->market].match, o->handle);
		o->handle = MATCH_NONE;
		pmx_tell_level(x, o->market, pmx_yes_side(o), pmx_yes_px(o));
	}
	pmx_relock(x, o, 0);
	o->state = state;
	o->ended_ns = x->now_ns;
	x->open_n--;
	x->sink->order(x->sink->user, x, order,
	    state == PMX_MATCHED ? PMX_UPDATE : PMX_CANCELLATION);
	if (rested)
		x->sink->batch(x->sink->user, o->market, false);
}

enum pmx_cancel
pmx_cancel(struct pmx *x, uint32_t account, uint32_t order, uint64_t now_ns)
{
	CHECK(now_ns >= x->now_ns);
	x->now_ns = now_ns;
	if (order >= PMX_ORDERS || x->order[order].state == 0 ||
	    x->order[order].account != account)
		return PMX_CANCEL_UNKNOWN;
	if (x->order[order].state == PMX_DELAYED)
		return PMX_CANCEL_DELAYED;
	if (x->order[order].state != PMX_LIVE)
		return PMX_CANCEL_DONE;
	pmx_finish(x, order, PMX_CANCELED);
	return PMX_CANCEL_OK;
}

/* ---- time ---- */

static bool
is_stale(const struct pmx *x, const struct pmx_due *d)
{
	if (d->is_trade)
		return x->trade[d->what].status == 0 ||
		       (uint32_t)x->trade[d->what].id != d->age;
	return !pmx_is_open(&x->order[d->what]) ||
	       x->order[d->what].age != d->age;
}

static void
sift_down(struct pmx *x, uint32_t i)
{
	for (;;) {
		uint32_t least = i;

		for (uint32_t c = 2 * i + 1; c <= 2 * i + 2; c++)
			if (c < x->due_n && x->due[c].ns < x->due[least].ns)
				least = c;
		if (least == i)
			return;
		struct pmx_due d = x->due[i];

		x->due[i] = x->due[least];
		x->due[least] = d;
		i = least;
	}
}

/* Timers of what is over are dropped when the heap is full. */
static void
compact(struct pmx *x)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < x->due_n; i++)
		if (!is_stale(x, &x->due[i]))
			x->due[n++] = x->due[i];
	x->due_n = n;
	for (uint32_t i = n / 2; i > 0; i--)
		sift_down(x, i - 1);
}

void
pmx_wait(struct pmx *x, uint64_t ns, uint32_t what, bool is_trade)
{
	uint32_t i;

	if (x->due_n == PMX_ORDERS + PMX_TRADES)
		compact(x);
	CHECK(x->due_n < PMX_ORDERS + PMX_TRADES);
	i = x->due_n++;
	x->due[i] = (struct pmx_due){ns, what,
	    is_trade ? (uint32_t)x->trade[what].id : x->order[what].age,
	    is_trade};
	while (i > 0 && x->due[(i - 1) / 2].ns > x->due[i].ns) {
		struct pmx_due d = x->due[i];

		x->due[i] = x->due[(i - 1) / 2];
		x->due[(i - 1) / 2] = d;
		i = (i - 1) / 2;
	}
}

/* The venue looks every PMX_CHECK_NS, on its own clock. */
static uint64_t
beat_check_ns(const struct pmx_account *a)
{
	uint64_t ns = a->beat_ns + PMX_BEAT_NS;

	return (ns + PMX_CHECK_NS - 1) / PMX_CHECK_NS * PMX_CHECK_NS;
}

void
pmx_beat(struct pmx *x, uint32_t account, uint64_t now_ns)
{
	struct pmx_account *a = account_at(x, account);

	a->has_beat = true;
	a->beat_ns = now_ns;
}

void
pmx_lapse(struct pmx *x)
{
	for (uint32_t a = 0; a < PMX_ACCOUNTS; a++)
		x->account[a].beat_ns = 0;
}

static void
check_beats(struct pmx *x, uint64_t now_ns)
{
	for (uint32_t a = 0; a < PMX_ACCOUNTS; a++) {
		struct pmx_account *acc = &x->account[a];

		if (!acc->has_beat || now_ns < beat_check_ns(acc))
			continue;
		acc->has_beat = false;
		for (uint32_t i = 0; i < PMX_ORDERS; i++)
			if (x->order[i].state == PMX_LIVE &&
			    x->order[i].account == a)
				pmx_finish(x, i, PMX_CANCELED);
	}
}

void
pmx_step(struct pmx *x, uint64_t now_ns)
{
	CHECK(now_ns >= x->now_ns);
	while (x->due_n > 0 && x->due[0].ns <= now_ns) {
		struct pmx_due d = x->due[0];

		x->due[0] = x->due[--x->due_n];
		sift_down(x, 0);
		if (is_stale(x, &d))
			continue;
		if (d.ns > x->now_ns)
			x->now_ns = d.ns;
		if (d.is_trade)
			pmx_advance(x, d.what);
		else if (x->order[d.what].state == PMX_DELAYED)
			pmx_delay_over(x, d.what);
		else
			pmx_finish(x, d.what, PMX_EXPIRED);
	}
	x->now_ns = now_ns;
	check_beats(x, now_ns);
}

uint64_t
pmx_wake(const struct pmx *x)
{
	uint64_t ns = x->due_n > 0 ? x->due[0].ns : 0;

	for (uint32_t a = 0; a < PMX_ACCOUNTS; a++) {
		uint64_t at = beat_check_ns(&x->account[a]);

		if (x->account[a].has_beat && (ns == 0 || at < ns))
			ns = at;
	}
	return ns;
}

/* ---- invariants ---- */

static bool
market_is_conserved(const struct pmx *x, uint32_t market)
{
	int64_t sum[2] = {0, 0};

	for (uint32_t a = 0; a < PMX_ACCOUNTS; a++)
		for (int r = 0; r < 2; r++) {
			const struct pmx_hold *h =
			    &x->account[a].token[market][r];

			if (h->own < 0 || free_of(h) < 0)
				return false;
			sum[r] += h->own;
		}
	return sum[0] == sum[1] && sum[0] == x->market[market].pair_e8;
}

bool
pmx_is_conserved(const struct pmx *x)
{
	int64_t sum = x->fees.e6;

	for (uint32_t m = 0; m < PMX_MARKETS; m++) {
		if (x->market[m].phase == 0)
			continue;
		if (!market_is_conserved(x, m) ||
		    !match_is_sound(&x->market[m].match))
			return false;
		sum += x->market[m].pair_e8 / 100;
	}
	for (uint32_t a = 0; a < PMX_ACCOUNTS; a++) {
		if (x->account[a].usd.own < 0 ||
		    free_of(&x->account[a].usd) < 0)
			return false;
		sum += x->account[a].usd.own;
	}
	return sum == x->deposits.e6;
}
