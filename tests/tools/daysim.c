#include "tests/tools/daysim.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "libcore/rrs.h"
#include "tests/tools/daysim_int.h"

#define START_NS    (UINT64_C(1790035200) * SECOND) /* a midnight, UTC     */
#define HISTORY_NS  (120 * SECOND)
#define LIST_NS	    (120 * SECOND) /* participants come before the start  */
#define STRIKE_NS   (20 * SECOND)  /* until the venue says its strike     */
#define RESOLVE_NS  (12 * SECOND)
#define LAG_NS	    (1200 * MS) /* of the settlement feed               */
#define PARTICIPANT USD(INT64_C(100000000) * E6)
#define OURS	    USD(INT64_C(10000) * E6)
#define HL_BOOK_NS  (500 * MS)
#define RTT_US	    25000u
#define PX_START    84000
#define VOL	    0.45
#define OVER_NS	    (3600 * SECOND)

static const uint32_t series_s[SERIES] = {60, 300, 900};

/* ---- ticks ---- */

static void
feed(struct day *d, enum venue v, struct tick *t, const struct instr *in)
{
	struct late_tick *l = &d->late[d->late_tail++ % LATE_N];

	CHECK(d->late_tail - d->late_head <= LATE_N);
	memset(l, 0, sizeof(*l));
	l->due_ns = d->now_ns + (day_is_spike(d) ? SPIKE_NS : 0);
	if (l->due_ns < d->late_due_ns)
		l->due_ns = d->late_due_ns;
	d->late_due_ns = l->due_ns;
	l->venue = v;
	t->hdr.recv_ns = l->due_ns;
	t->hdr.venue_ns = (int64_t)d->now_ns;
	l->tick = *t;
	if (in != NULL)
		l->in = *in;
}

static void
feed_due(struct day *d)
{
	while (d->late_head != d->late_tail) {
		struct late_tick *l = &d->late[d->late_head % LATE_N];
		bool is_instr = l->tick.hdr.kind == TICK_INSTR;

		if (l->due_ns > d->now_ns)
			return;
		d->late_head++;
		if (l->tick.hdr.kind == TICK_BBO)
			day_mid(d, l->tick.hdr.instr, &l->tick.u.bbo);
		engine_tick(d->engine, l->venue, &l->tick,
		    is_instr ? &l->in : NULL, d->now_ns);
	}
}

static void
feed_instr(struct day *d, uint16_t idx, const struct instr *in)
{
	struct tick t = {.hdr = {.kind = TICK_INSTR, .instr = idx}};

	t.u.instr.epoch = in->epoch;
	t.u.instr.state = in->state;
	t.u.instr.cls = in->cls;
	feed(d, (enum venue)in->venue, &t, in);
}

static void
feed_bbo(struct day *d, enum venue v, uint16_t idx, const struct match *m)
{
	struct tick t = {
	    .hdr = {.kind = TICK_BBO, .instr = idx, .flags = SLOT_BATCH_END}};
	const struct match_level *bid = match_level(m, SIDE_BID, 0);
	const struct match_level *ask = match_level(m, SIDE_ASK, 0);

	if (bid != NULL) {
		t.u.bbo.bid_px = bid->px;
		t.u.bbo.bid_qty = bid->qty;
	}
	if (ask != NULL) {
		t.u.bbo.ask_px = ask->px;
		t.u.bbo.ask_qty = ask->qty;
	}
	feed(d, v, &t, NULL);
}

static void
feed_snap(struct day *d, enum venue v, uint16_t idx, uint16_t epoch,
    const struct match *m)
{
	struct tick t = {.hdr = {.kind = TICK_SNAP_BEGIN, .instr = idx}};

	t.u.snap.epoch = epoch;
	feed(d, v, &t, NULL);
	for (enum side s = SIDE_BID; s < SIDE_N; s++)
		for (uint32_t i = 0; i < BOOK_N; i++) {
			const struct match_level *l = match_level(m, s, i);
			struct tick k = {.hdr = {.kind = TICK_LEVEL,
					     .instr = idx,
					     .flags = SLOT_SNAP}};

			if (l == NULL)
				break;
			k.u.level.px = l->px;
			k.u.level.qty = l->qty;
			k.u.level.side = (uint8_t)s;
			k.u.level.epoch = epoch;
			feed(d, v, &k, NULL);
		}
	t.hdr.kind = TICK_SNAP_END;
	feed(d, v, &t, NULL);
}

static void
feed_ref(struct day *d, enum venue v, uint16_t idx, enum ref_source s,
    double px, int64_t funding_e12)
{
	struct tick t = {.hdr = {.kind = TICK_REF, .instr = idx}};

	t.u.ref.px = PX(llround(px * 1e4) * 10000);
	t.u.ref.oracle_px = s == REF_MARK ? t.u.ref.px : PX(0);
	t.u.ref.funding_e12 = funding_e12;
	t.u.ref.source = s;
	feed(d, v, &t, NULL);
}

static void
feed_trade(
    struct day *d, enum venue v, const struct tick_trade *k, uint16_t idx)
{
	struct tick t = {.hdr = {.kind = TICK_TRADE, .instr = idx}};

	t.u.trade = *k;
	t.u.trade.trade_id = ++d->prints;
	feed(d, v, &t, NULL);
}

/* ---- Polymarket's sink ---- */

static void
on_pm_level(void *user, uint16_t market, enum side side, px_t px, qty_t qty)
{
	struct day *d = user;
	struct window *w = &d->window[market];

	(void)qty;
	w->changed = true;
	for (uint32_t i = 0; i < w->dirty_n; i++)
		if (w->dirty[i].px.e8 == px.e8 && w->dirty[i].side == side)
			return;
	if (w->dirty_n < DIRTY_N)
		w->dirty[w->dirty_n++] = (struct dirty){px, side};
	else
		w->is_lost = true;
}

static void
on_pm_print(void *user, uint16_t market, enum token_role role, enum side side,
    tok_px_t px, qty_t qty)
{
	struct day *d = user;
	struct tick_trade k = {.px = frame_px(px, role),
	    .qty = qty,
	    .side = (uint8_t)frame_side(side, role),
	    .epoch = d->window[market].in.epoch};

	feed_trade(d, VENUE_POLYMARKET, &k, day_pm_idx(market));
}

static void
on_pm_batch(void *user, uint16_t market, bool has_traded)
{
	(void)user;
	(void)market;
	(void)has_traded;
}

static void
on_pm_market(void *user, uint16_t market)
{
	(void)user;
	(void)market;
}

/* Everything of a book that is another since the last step. */
static void
tell_book(struct day *d, uint16_t market)
{
	struct window *w = &d->window[market];
	const struct match *m = &d->pmx->market[market].match;
	uint16_t idx = day_pm_idx(market);

	if (!w->changed)
		return;
	if (w->is_lost)
		feed_snap(d, VENUE_POLYMARKET, idx, w->in.epoch, m);
	for (uint32_t i = 0; i < w->dirty_n && !w->is_lost; i++) {
		struct tick t = {.hdr = {.kind = TICK_LEVEL, .instr = idx}};

		t.u.level.px = w->dirty[i].px;
		t.u.level.side = (uint8_t)w->dirty[i].side;
		t.u.level.epoch = w->in.epoch;
		t.u.level.qty =
		    match_qty_at(m, w->dirty[i].side, w->dirty[i].px);
		feed(d, VENUE_POLYMARKET, &t, NULL);
	}
	w->dirty_n = 0;
	w->is_lost = false;
	w->changed = false;
	feed_bbo(d, VENUE_POLYMARKET, idx, m);
}

/* ---- windows ---- */

static void
list_window(struct day *d, uint32_t k, uint64_t start_ns)
{
	struct pmx_terms t = {.tick = TOK_PX(E8 / 100),
	    .min_qty = QTY(5 * E8),
	    .fee_ppm = 70000,
	    .delay_ms = 250,
	    .is_updown = true};
	uint32_t market;
	struct window *w;

	t.cond.n = 32;
	memcpy(t.cond.b, &start_ns, sizeof(start_ns));
	memcpy(t.cond.b + 8, &k, sizeof(k));
	for (uint64_t i = 0; i < 2; i++)
		t.token[i].w[0] = hash_u64(start_ns, 10 * k + i);
	market = pmx_market_open(d->pmx, &t);
	CHECK(market != PMX_NONE);
	w = &d->window[market];
	memset(w, 0, sizeof(*w));
	w->phase = OPEN;
	w->start_ns = start_ns;
	w->end_ns = start_ns + series_s[k] * SECOND;
	w->in = (struct instr){.venue = VENUE_POLYMARKET,
	    .cls = CLASS_UPDOWN,
	    .state = INSTR_NORMAL,
	    .epoch = ++d->epoch[market],
	    .underlying = INSTR_BN_BASE,
	    .tick_px = PX(E8 / 100),
	    .lot_qty = QTY(E8 / 100),
	    .min_qty = QTY(5 * E8),
	    .fee_ppm = 70000,
	    .fee_exponent = 1,
	    .start_wall_ns = (int64_t)start_ns,
	    .end_wall_ns = (int64_t)w->end_ns,
	    .settle_source = REF_TWAP,
	    .settle_lookback_s = 60,
	    .settle_index = INSTR_PM_BASE,
	    .tie_yes = 1,
	    .taker_delayed = 1,
	    .cluster = 77,
	    .rules = RRS_SEEN};
	snprintf(w->in.symbol, sizeof(w->in.symbol), "btc-updown-%um-%llu",
	    series_s[k] / 60, (unsigned long long)(start_ns / SECOND));
	pm_flow_open(&d->pm_flow, (uint16_t)market, start_ns, w->end_ns);
	feed_instr(d, day_pm_idx((uint16_t)market), &w->in);
	feed_snap(d, VENUE_POLYMARKET, day_pm_idx((uint16_t)market),
	    w->in.epoch, &d->pmx->market[market].match);
}

static void
take_strike(struct day *d, uint16_t market, enum strike_source s)
{
	struct window *w = &d->window[market];
	double px = pm_flow_strike(&d->pm_flow, market);

	if (px <= 0)
		return;
	w->in.strike_px = PX(llround(px * 1e4) * 10000);
	w->in.strike_source = s;
	feed_instr(d, day_pm_idx(market), &w->in);
}

static void
fit_grid(struct day *d, uint16_t market)
{
	struct window *w = &d->window[market];
	tok_px_t tick = pm_flow_tick(&d->pm_flow, market);

	if (tick.tok_e8 == w->in.tick_px.e8)
		return;
	pmx_set_tick(d->pmx, market, tick);
	w->in.tick_px = PX(tick.tok_e8);
	feed_instr(d, day_pm_idx(market), &w->in);
}

static void
step_window(struct day *d, uint16_t market)
{
	struct window *w = &d->window[market];
	uint32_t source = w->in.strike_source;

	if (w->phase == OPEN && d->now_ns >= w->end_ns) {
		bool yes = pm_flow_yes(&d->pm_flow, market);

		w->in.outcome = yes ? OUTCOME_YES : OUTCOME_NO;
		pm_flow_close(&d->pm_flow, market);
		pmx_halt(d->pmx, market, true);
		w->phase = ENDED;
	} else if (w->phase == OPEN) {
		if (source == 0 && d->now_ns >= w->start_ns + LAG_NS)
			take_strike(d, market, STRIKE_PROVISIONAL);
		else if (source == STRIKE_PROVISIONAL &&
			 d->now_ns >= w->start_ns + STRIKE_NS)
			take_strike(d, market, STRIKE_OFFICIAL);
		if (d->now_ns % (5 * SECOND) == 0)
			fit_grid(d, market);
	} else if (w->phase == ENDED && d->now_ns >= w->end_ns + RESOLVE_NS) {
		w->in.state = INSTR_RESOLVED;
		pmx_resolve(
		    d->pmx, market, PX(w->in.outcome == OUTCOME_YES ? E8 : 0));
		feed_instr(d, day_pm_idx(market), &w->in);
		w->phase = RESOLVED;
		day_settled(d, day_pm_idx(market));
	}
}

static void
step_windows(struct day *d)
{
	for (uint32_t k = 0; k < SERIES; k++) {
		uint64_t len = series_s[k] * SECOND;

		while (d->listed_ns[k] <= d->now_ns + LIST_NS) {
			list_window(d, k, d->listed_ns[k]);
			d->listed_ns[k] += len;
		}
	}
	for (uint16_t i = 0; i < PMX_MARKETS; i++)
		if (d->window[i].phase == OPEN || d->window[i].phase == ENDED)
			step_window(d, i);
}

/* ---- Hyperliquid's sink ---- */

static void
on_hl_print(void *user, const struct hlx *x, uint16_t coin, enum side side,
    px_t px, qty_t qty, uint64_t tid)
{
	struct day *d = user;
	struct tick_trade k = {
	    .px = px, .qty = qty, .side = (uint8_t)side, .epoch = 1};

	(void)x;
	(void)coin;
	(void)tid;
	feed_trade(d, VENUE_HYPERLIQUID, &k, INSTR_HL_BASE);
}

static void
on_hl_book(void *user, const struct hlx *x, uint16_t coin)
{
	struct day *d = user;

	(void)x;
	(void)coin;
	d->hl_changed = true;
}

/* ---- what comes by time ---- */

static void
tell_link(struct day *d, enum venue v)
{
	uint32_t rtt = RTT_US + (day_is_spike(d) ? 2 * SPIKE_NS / 1000 : 0);
	struct tick t = {.hdr = {.kind = TICK_LINK}};

	t.u.link = (struct tick_link){.rtt_us = rtt,
	    .rtt_ema_us = rtt,
	    .age_us = (int32_t)(day_is_spike(d) ? SPIKE_NS / 1000 : 0),
	    .msgs = ++d->links,
	    .venue = (uint8_t)v,
	    .state = LINK_READY};
	feed(d, v, &t, NULL);
}

static void
tell_second(struct day *d)
{
	uint64_t at = (d->now_ns - LAG_NS) / SECOND * SECOND;
	const struct hlx_coin *c = &d->hlx->coin[0];

	for (enum venue v = VENUE_POLYMARKET; v < VENUE_N; v++)
		tell_link(d, v);
	if (!day_is_outage(d)) {
		feed_ref(d, VENUE_POLYMARKET, INSTR_PM_BASE, REF_SPOT,
		    path_px(&d->path, at), 0);
		feed_ref(d, VENUE_POLYMARKET, INSTR_PM_BASE, REF_TWAP,
		    path_mean(&d->path, at - 60 * SECOND, at), 0);
	}
	feed_ref(d, VENUE_HYPERLIQUID, INSTR_HL_BASE, REF_MARK,
	    (double)c->mark.e8 / 1e8, c->funding_e12);
}

static void
tell_time(struct day *d)
{
	if (d->now_ns % PATH_STEP_NS == 0) {
		int64_t cents = llround(path_px(&d->path, d->now_ns) * 100);
		struct tick t = {.hdr = {.kind = TICK_BBO,
				     .instr = INSTR_BN_BASE,
				     .flags = SLOT_BATCH_END}};

		t.u.bbo = (struct tick_bbo){PX(cents * (E8 / 100)), QTY(E8),
		    PX((cents + 1) * (E8 / 100)), QTY(E8)};
		feed(d, VENUE_BINANCE, &t, NULL);
	}
	if (d->hl_changed)
		feed_bbo(d, VENUE_HYPERLIQUID, INSTR_HL_BASE,
		    &d->hlx->coin[0].match);
	d->hl_changed = false;
	if (d->now_ns % HL_BOOK_NS == 0 && d->a.cfg->perp_enabled)
		feed_snap(d, VENUE_HYPERLIQUID, INSTR_HL_BASE, 1,
		    &d->hlx->coin[0].match);
	if (d->now_ns % SECOND == 0)
		tell_second(d);
}

static void
tell_instruments(struct day *d)
{
	struct instr index = {.venue = VENUE_POLYMARKET,
	    .cls = CLASS_INDEX,
	    .state = INSTR_NORMAL,
	    .epoch = 1,
	    .tick_px = PX(1),
	    .lot_qty = QTY(1),
	    .symbol = "btc/usd"};
	struct instr spot = {.venue = VENUE_BINANCE,
	    .cls = CLASS_SPOT,
	    .state = INSTR_NORMAL,
	    .epoch = 1,
	    .tick_px = PX(E8 / 100),
	    .lot_qty = QTY(1000),
	    .symbol = "BTCUSDT"};
	struct instr perp = {.venue = VENUE_HYPERLIQUID,
	    .cls = CLASS_PERP,
	    .state = INSTR_NORMAL,
	    .epoch = 1,
	    .tick_px = PX(E8 / 10),
	    .lot_qty = QTY(1000),
	    .min_qty = QTY(1000),
	    .min_usd = USD(10 * E6),
	    .fee_ppm = 450,
	    .maker_ppm = 150,
	    .px_sig = 5,
	    .symbol = "BTC"};

	feed_instr(d, INSTR_PM_BASE, &index);
	feed_instr(d, INSTR_BN_BASE, &spot);
	feed_instr(d, INSTR_HL_BASE, &perp);
}

/* ---- life ---- */

static void
init_polymarket(struct day *d)
{
	struct pm_flow_cfg flow = pm_flow_cfg_default(d->a.seed + 1);
	uint32_t accounts[FLOW_MAKERS + 2];

	d->pmx_sink = (struct pmx_sink){d, day_pm_order, day_pm_trade,
	    on_pm_level, on_pm_print, on_pm_batch, on_pm_market};
	pmx_init(d->pmx, &d->pmx_sink, d->a.seed);
	for (uint32_t i = 0; i < FLOW_MAKERS + 2; i++) {
		accounts[i] = pmx_account_open(d->pmx);
		CHECK(pmx_deposit(d->pmx, accounts[i], PARTICIPANT));
	}
	d->pm_me = pmx_account_open(d->pmx);
	CHECK(pmx_deposit(d->pmx, d->pm_me, OURS));
	d->pm_put_e6 = OURS.e6;
	pm_flow_init(&d->pm_flow, &flow, d->pmx, &d->path, accounts);
	pm_flow_step(&d->pm_flow, d->now_ns);
}

static void
init_hyperliquid(struct day *d)
{
	struct hl_flow_cfg flow = hl_flow_cfg_default(d->a.seed + 2);
	struct hlx_terms btc = {"BTC", 0, 5, 40, 450, 150};
	uint32_t accounts[HL_FLOW_MAKERS + 2];
	uint8_t me[20] = {[0] = 1};

	d->hlx_sink = (struct hlx_sink){
	    d, day_hl_order, day_hl_fill, on_hl_print, on_hl_book, NULL};
	hlx_init(d->hlx, &d->hlx_sink);
	for (uint8_t i = 0; i < HL_FLOW_MAKERS + 2; i++) {
		uint8_t address[20] = {[0] = 0x5e, [19] = i};

		accounts[i] = hlx_account_open(d->hlx, address);
		hlx_deposit(d->hlx, accounts[i], PARTICIPANT);
	}
	d->hl_me = hlx_account_open(d->hlx, me);
	hlx_deposit(d->hlx, d->hl_me, OURS);
	d->hl_put_e6 = OURS.e6;
	CHECK(hlx_coin_add(d->hlx, &btc, PX(PX_START * E8)) == 0);
	hl_flow_init(&d->hl_flow, &flow, d->hlx, &d->path, accounts);
	hl_flow_start(&d->hl_flow, 0, d->now_ns);
}

static struct day *
new_day(const struct daysim_args *a)
{
	struct path_cfg path = {.seed = a->seed,
	    .start_ns = START_NS - HISTORY_NS,
	    .start_px = PX_START,
	    .vol = VOL,
	    .vol_of_vol = 0.5,
	    .jumps_per_hour = 2,
	    .jump_bps = 8};
	struct day *d = calloc(1, sizeof(*d));
	struct engine_args ea = {.cfg = a->cfg};

	CHECK(d != NULL);
	d->a = *a;
	d->now_ns = START_NS;
	d->fill_ns = START_NS;
	d->start_ns = START_NS;
	d->pmx = calloc(1, sizeof(*d->pmx));
	d->hlx = calloc(1, sizeof(*d->hlx));
	CHECK(d->pmx != NULL);
	CHECK(d->hlx != NULL);
	path_init(&d->path, &path);
	path_to(&d->path, d->now_ns);
	init_polymarket(d);
	init_hyperliquid(d);
	for (uint32_t k = 0; k < SERIES; k++)
		d->listed_ns[k] = START_NS;
	ea.venue = (struct engine_venue){d, day_act};
	ea.hooks = (struct engine_hooks){d, day_msg, day_risk};
	d->engine = engine_new(&ea);
	CHECK(d->engine != NULL);
	tell_instruments(d);
	return d;
}

static void
free_day(struct day *d)
{
	engine_free(d->engine);
	free(d->pmx);
	free(d->hlx);
	free(d);
}

/* All that is due within the engine until the clock says `now`. */
static void
run_engine(struct day *d)
{
	uint64_t ns = engine_next_ns(d->engine);

	while (ns != 0 && ns < d->now_ns && ns >= d->engine_ns) {
		engine_run(d->engine, ns);
		d->engine_ns = ns;
		ns = engine_next_ns(d->engine);
		if (ns <= d->engine_ns)
			ns = d->engine_ns + MS;
	}
	engine_run(d->engine, d->now_ns);
	d->engine_ns = d->now_ns;
}

static void
step(struct day *d)
{
	d->now_ns += DAYSIM_STEP_NS;
	path_to(&d->path, d->now_ns);
	pmx_step(d->pmx, d->now_ns);
	hlx_step(d->hlx, d->now_ns);
	day_arrive(d);
	pm_flow_step(&d->pm_flow, d->now_ns);
	step_windows(d);
	if (d->a.cfg->perp_enabled)
		hl_flow_step(&d->hl_flow, d->now_ns);
	for (uint16_t i = 0; i < PMX_MARKETS; i++)
		if (d->window[i].phase == OPEN)
			tell_book(d, i);
	tell_time(d);
	run_engine(d);
	day_answer(d);
	feed_due(d);
}

void
daysim_run(const struct daysim_args *a, void (*progress)(uint32_t hour),
    struct daysim_result *out)
{
	struct day *d = new_day(a);

	CHECK(a->hours <= DAYSIM_HOURS);
	for (uint32_t h = 0; h < a->hours; h++) {
		while (d->r.over_h == 0 &&
		       d->now_ns < START_NS + (h + 1) * 3600 * SECOND)
			step(d);
		d->r.equity_e6[h] = day_equity(d, &d->r.pm_e6);
		if (day_holds(d))
			d->fill_ns = d->now_ns;
		if (d->now_ns > d->fill_ns + OVER_NS && d->r.over_h == 0)
			d->r.over_h = h + 1;
		if (progress != NULL)
			progress(h + 1);
	}
	d->r.pnl_e6 = d->r.equity_e6[a->hours - 1];
	d->r.orders = engine_count(d->engine)->orders;
	d->r.freezes = engine_count(d->engine)->freezes;
	d->r.hash = engine_hash(d->engine);
	CHECK(pmx_is_conserved(d->pmx));
	CHECK(hlx_is_conserved(d->hlx));
	*out = d->r;
	free_day(d);
}
