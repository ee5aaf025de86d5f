/*
 * Settlement: what a match does to the accounts, now and when it is mined,
 * or undone.
 */
#include "libcore/hash.h"
#include "simvenue/pmx_int.h"

#define PPM 1000000u

/* What one side of a leg gives and gets. */
struct share {
	uint32_t account;
	uint16_t market;
	enum token_role role;
	enum side side;
	qty_t qty;
	int64_t usd; /* without the fee */
	int64_t fee;
};

enum step {
	STEP_BOOK = 1, /* pending from now on */
	STEP_MINE,     /* pending becomes settled */
	STEP_UNDO,     /* pending is taken back */
};

static void
move(struct pmx_hold *h, int64_t out, int64_t in, enum step step)
{
	int64_t sign = step == STEP_BOOK ? 1 : -1;

	h->out += sign * out;
	h->in += sign * in;
	CHECK(h->out >= 0);
	CHECK(h->in >= 0);
	if (step == STEP_MINE)
		h->own += in - out;
}

static void
apply(struct pmx *x, const struct share *s, enum step step)
{
	struct pmx_hold *usd = &x->account[s->account].usd;
	struct pmx_hold *tok = pmx_token(x, s->account, s->market, s->role);

	if (s->side == SIDE_BID) {
		move(usd, s->usd + s->fee, 0, step);
		move(tok, 0, s->qty.e8, step);
	} else {
		move(usd, 0, s->usd - s->fee, step);
		move(tok, s->qty.e8, 0, step);
	}
}

static void
both(struct pmx *x, const struct pmx_order *taker,
    const struct pmx_order *maker, const struct pmx_leg *l, enum step step)
{
	struct share t = {taker->account, taker->market,
	    (enum token_role)taker->role, (enum side)taker->side, l->qty,
	    l->other.e6, l->fee.e6};
	struct share m = {maker->account, maker->market,
	    (enum token_role)maker->role, (enum side)maker->side, l->qty,
	    l->usd.e6, 0};
	int64_t sign = step == STEP_BOOK ? 1 : -1;

	apply(x, &t, step);
	apply(x, &m, step);
	x->fees_pending.e6 += sign * l->fee.e6;
	if (step != STEP_MINE)
		return;
	x->fees.e6 += l->fee.e6;
	if (t.role != m.role)
		x->market[t.market].pair_e8 +=
		    t.side == SIDE_BID ? l->qty.e8 : -l->qty.e8;
}

void
pmx_book(struct pmx *x, const struct pmx_order *taker,
    const struct pmx_order *maker, const struct pmx_leg *l)
{
	both(x, taker, maker, l, STEP_BOOK);
}

static void
all_legs(struct pmx *x, const struct pmx_trade *t, enum step step)
{
	for (uint32_t i = 0; i < t->leg_n; i++)
		both(x, &x->order[t->taker], &x->order[t->leg[i].order],
		    &t->leg[i], step);
}

static void
enter(struct pmx *x, struct pmx_trade *t, enum pmx_status status)
{
	t->status = status;
	t->update_ns = x->now_ns;
	if (status == PMX_TRADE_CONFIRMED || status == PMX_TRADE_FAILED) {
		x->order[t->taker].pending_n--;
		for (uint32_t i = 0; i < t->leg_n; i++)
			x->order[t->leg[i].order].pending_n--;
	}
	x->sink->trade(x->sink->user, x, (uint32_t)(t - x->trade));
}

static bool
happens(struct pmx *x, uint32_t ppm)
{
	x->rng = hash_u64(x->rng, 1);
	return x->rng % PPM < ppm;
}

static void
mine(struct pmx *x, struct pmx_trade *t)
{
	all_legs(x, t, STEP_MINE);
	enter(x, t, PMX_TRADE_MINED);
}

static void
again_in(struct pmx *x, const struct pmx_trade *t, uint32_t ms)
{
	pmx_wait(x, x->now_ns + ms * (uint64_t)NS_PER_MS,
	    (uint32_t)(t - x->trade), true);
}

void
pmx_advance(struct pmx *x, uint32_t trade)
{
	struct pmx_trade *t = &x->trade[trade];

	switch (t->status) {
	case PMX_TRADE_MATCHED:
		if (t->tries == 0 && happens(x, x->settle.retry_ppm)) {
			t->tries++;
			enter(x, t, PMX_TRADE_RETRYING);
			again_in(x, t, x->settle.retry_ms);
			return;
		}
		mine(x, t);
		again_in(x, t, x->settle.confirm_ms);
		return;
	case PMX_TRADE_RETRYING:
		if (happens(x, x->settle.fail_ppm)) {
			all_legs(x, t, STEP_UNDO);
			enter(x, t, PMX_TRADE_FAILED);
			return;
		}
		mine(x, t);
		again_in(x, t, x->settle.confirm_ms);
		return;
	case PMX_TRADE_MINED: enter(x, t, PMX_TRADE_CONFIRMED); return;
	case PMX_TRADE_CONFIRMED:
	case PMX_TRADE_FAILED: return;
	case PMX_STATUS_N: break;
	}
	CHECK(t->status >= PMX_TRADE_MATCHED && t->status < PMX_STATUS_N);
}

void
pmx_settle_now(struct pmx *x, uint32_t trade)
{
	struct pmx_trade *t = &x->trade[trade];

	if (t->status == PMX_TRADE_MATCHED || t->status == PMX_TRADE_RETRYING)
		mine(x, t);
	if (t->status == PMX_TRADE_MINED)
		enter(x, t, PMX_TRADE_CONFIRMED);
}
