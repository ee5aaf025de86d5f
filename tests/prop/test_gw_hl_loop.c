/* links: simvenue execd libvenue libsign libsys libshm libcore */
/*
 * The Hyperliquid port against the exchange itself (simvenue's desk), in
 * virtual time: random acts, others who trade, answers and words that are
 * late, lost or in another order, sockets that die, HTTP that fails, nonces
 * that were used, a budget that runs out, liquidations, restarts of the port.
 * At every moment
 *   1 no slot has two live orders at the venue
 *   2 no id is executed under more than its oids, no fill is told twice
 *   3 every PLACE is answered at most once
 *   4 each reconcile finds the position that the fills told so far make
 * and at the end, when all is quiet: fills, position and open orders are the
 * venue's to the last unit, and every PLACE was answered.
 *   SEED=n N=steps repeats one run, or makes longer ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/prop/gwhl_venue.h"

/* ---- what the port gives out ---- */

static enum reason
on_ws(void *user, const char *text, size_t n, bool places)
{
	bool order = strstr(text, "{\"type\":\"order\"") != NULL ||
		     strstr(text, "{\"type\":\"batchModify\"") != NULL;

	(void)user;
	assert_true(s.up);
	assert_int_equal(places, order);
	if (places && fault(20)) {
		s.held++;
		return REASON_FROZEN;
	}
	if (fault(200))
		return REASON_BACKPRESSURE;
	wire(WAY_WS_OUT, text, n, (struct wire){0});
	return REASON_OK;
}

static void
on_http(void *user, const struct gwhl_http *h)
{
	(void)user;
	wire(WAY_HTTP_OUT, h->body, h->body_n,
	    (struct wire){
		.tag = h->tag, .is_info = strcmp(h->path, "/info") == 0});
}

static void
socket_down(void)
{
	struct gwhl_now t = now();

	s.drop = false;
	if (!s.up)
		return;
	s.up = false;
	s.conn++;
	s.streams = 0;
	s.connect_ns = s.now + (100 + rnd(2000)) * MS;
	gwhl_down(s.g, &t);
}

static void
on_drop(void *user)
{
	(void)user;
	s.drop = true;
}

static struct mine *
mine_of(uint64_t id)
{
	for (uint32_t i = s.mine_n; i > 0; i--)
		if (s.mine[i - 1].id == id)
			return &s.mine[i - 1];
	return NULL;
}

static void
answer_place(struct mine *m)
{
	assert_false(m->answered); /* 3 */
	m->answered = true;
}

/* False: an earlier life has told it. */
static bool
told_fill(const struct port_event *ev)
{
	assert_true(s.told_n < TOLD);
	for (uint32_t i = 0; i < s.life_n; i++)
		if (s.fill_id[i] == ev->fill_id)
			return false;
	for (uint32_t i = s.life_n; i < s.told_n; i++)
		assert_true(s.fill_id[i] != ev->fill_id); /* 2 */
	s.fill_id[s.told_n++] = ev->fill_id;
	s.position.e8 += ev->side == SIDE_BID ? ev->qty.e8 : -ev->qty.e8;
	s.fees.e6 += ev->usd.e6;
	if (ev->slot == PORT_NO_SLOT)
		s.foreign++;
	return true;
}

static void
ended(struct mine *m)
{
	assert_false(m->ended);
	m->ended = true;
	m->busy = false;
	m->rests = false;
	if (m->slot < SLOTS && s.of_slot[m->slot] == (uint32_t)(m - s.mine) + 1)
		s.of_slot[m->slot] = 0;
}

static void
on_event(void *user, const struct port_event *ev)
{
	struct mine *m = mine_of(ev->id);

	(void)user;
	if (getenv("TRACE") != NULL)
		print_message("%llu ev %d id %llu slot %u qty %lld why %d\n",
		    (unsigned long long)((s.now - START_NS) / MS), ev->what,
		    (unsigned long long)ev->id, ev->slot, (long long)ev->qty.e8,
		    ev->reason);
	if (ev->what == PORT_FILLED && !told_fill(ev))
		return;
	if (m == NULL) {
		assert_true(ev->what == PORT_FILLED);
		return;
	}
	/* Of an order that its fills have ended: no more is heard. */
	if (m->ended && m->left.e8 <= 0 && ev->what != PORT_FILLED)
		return;
	switch (ev->what) {
	case PORT_ACKED:
		assert_false(m->ended);
		m->answered = true;
		m->rests = true;
		m->busy = false;
		m->px = ev->px;
		m->left = ev->qty;
		return;
	case PORT_REJECTED:
		s.rejects++;
		answer_place(m);
		ended(m);
		return;
	case PORT_UNKNOWN:
		assert_false(m->ended);
		assert_false(m->answered);
		s.unknowns++;
		return;
	case PORT_FILLED:
		m->left.e8 -= ev->qty.e8;
		if (!m->ended && m->answered && m->left.e8 <= 0 && m->rests)
			m->busy = false;
		return;
	case PORT_CANCELLED: ended(m); return;
	case PORT_GONE:
		s.gone++;
		m->answered = true;
		ended(m);
		return;
	case PORT_NOT_CANCELLED: m->busy = false; return;
	case PORT_REDUCED:
		s.reduced++;
		assert_false(m->ended);
		m->busy = false;
		m->px = ev->px;
		m->left = ev->qty;
		return;
	case PORT_DELAYED:
	case PORT_REVERSED:
	case PORT_CONFIRMED:
	case PORT_EV_N: fail_msg("not of this venue");
	}
}

static void
on_mode(void *user, enum port_mode m, const char *text)
{
	(void)user;
	s.mode = m;
	if (m == PORT_BLOCKED)
		fail_msg("blocked: %s", text);
}

static void
on_log(
    void *user, enum gwhl_log what, int64_t value, const char *text, size_t n)
{
	(void)user;
	if (getenv("TRACE") != NULL)
		print_message("%llu log %d %lld %.*s\n",
		    (unsigned long long)((s.now - START_NS) / MS), what,
		    (long long)value, (int)n, text);
	assert_int_not_equal(what, GWHL_LOG_OUR_BUG);
	assert_int_not_equal(what, GWHL_LOG_UNKNOWN_TEXT);
}

static void
on_clock(void *user, int64_t offset)
{
	(void)user;
	assert_true(
	    offset < 2000 * (int64_t)MS && offset > -2000 * (int64_t)MS);
}

static void
on_position(void *user, const struct gwhl_position *p)
{
	(void)user;
	assert_int_equal(p->instr, INSTR);
	assert_int_equal(p->venue.e8, p->ours.e8); /* 4 */
	s.looks++;
}

static void
on_account(void *user, usd_t usd)
{
	(void)user;
	assert_true(usd.e6 > 0);
}

static void
on_answered(void *user, uint64_t ns)
{
	(void)user;
	assert_true(ns < 2 * GWHL_CALL_NS);
}

static void
on_touch(void *user, uint16_t instr, px_t bid, px_t ask)
{
	(void)user;
	assert_int_equal(instr, INSTR);
	assert_true(ask.e8 == 0 || bid.e8 < ask.e8);
}

/* ---- time ---- */

static bool
deliver_due(void)
{
	for (uint32_t i = 0; i < s.wire_n; i++) {
		struct wire w = s.wire[i];

		if (w.at_ns > s.now)
			continue;
		s.wire[i] = s.wire[--s.wire_n];
		deliver(&w);
		return true;
	}
	return false;
}

static void
check_slots(void)
{
	uint32_t live[SLOTS] = {0};

	for (uint32_t i = 0; i < HLX_ORDERS; i++) {
		const struct hlx_order *o = &s.x->order[i];
		uint64_t id;
		struct mine *m;

		if (o->oid == 0)
			break; /* entries are taken in order */
		if (o->status != HLX_OPEN || o->account != s.account)
			continue;
		id = o->has_cloid ? gwhl_id_of(o->cloid) : 0;
		m = mine_of(id);
		assert_non_null(m);
		/* but one that is too much and being withdrawn */
		if (m->ended && m->left.e8 <= 0)
			continue;
		assert_int_equal(++live[m->slot], 1); /* 1 */
	}
}

static void
advance(uint64_t ns)
{
	uint64_t until = s.now + ns;

	while (s.now < until) {
		struct gwhl_now t;

		s.now += 5 * MS;
		hlx_step(s.x, s.now);
		while (deliver_due())
			;
		t = now();
		if (!s.up && s.now >= s.connect_ns) {
			s.up = true;
			gwhl_up(s.g, &t);
		}
		gwhl_timer(s.g, &t);
		if (s.drop)
			socket_down();
	}
	check_slots();
}

/* ---- people ---- */

static void
other_trades(void)
{
	int64_t mid = 84000 + (int64_t)rnd(40) - 20;
	struct hlx_new n = {.account = s.other,
	    .side = rnd(2) ? SIDE_BID : SIDE_ASK,
	    .qty = QTY((20 + (int64_t)rnd(60)) * 1000),
	    .tif = rnd(2) ? HLX_IOC : HLX_ALO};
	struct hlx_result r;

	n.px = PX((mid + (n.side == SIDE_BID ? 8 : -8) *
			     (n.tif == HLX_IOC ? 1 : -1)) *
		  E8);
	hlx_place(s.x, &n, s.now, &r);
}

static void
act(enum port_do what, struct mine *m, px_t px, qty_t qty, uint8_t tif,
    uint8_t side)
{
	struct port_act a = {.what = what,
	    .slot = m->slot,
	    .id = m->id,
	    .instr = INSTR,
	    .side = side,
	    .tif = tif,
	    .oflags = tif == TIF_GTC ? ORDER_POST_ONLY : 0,
	    .px = px,
	    .qty = qty};
	struct gwhl_now t = now();

	m->busy = true;
	m->changes += what == PORT_REDUCE;
	if (getenv("TRACE") != NULL)
		print_message("%llu act %d id %llu slot %u\n",
		    (unsigned long long)((s.now - START_NS) / MS), what,
		    (unsigned long long)m->id, m->slot);
	gwhl_act(s.g, &a, &t);
}

static void
act_on(uint32_t slot)
{
	struct mine *m = s.of_slot[slot] ? &s.mine[s.of_slot[slot] - 1] : NULL;
	uint8_t side = slot % 2 ? SIDE_ASK : SIDE_BID;
	int64_t off = (int64_t)rnd(20) - 4;
	px_t px = PX((84000 + (side == SIDE_BID ? -off : off)) * E8);
	qty_t qty = QTY((20 + (int64_t)rnd(40)) * 1000);

	if (m == NULL && s.mode != PORT_NORMAL && rnd(20) != 0)
		return;
	if (m == NULL) {
		m = &s.mine[s.mine_n];
		assert_true(s.mine_n < ORDERS);
		*m = (struct mine){
		    .id = UINT64_C(7) << 40 | ++s.id_n, .slot = slot};
		m->px = px;
		m->left = qty;
		s.mine_n++;
		s.of_slot[slot] = s.mine_n;
		s.places++;
		act(PORT_PLACE, m, px, qty, rnd(8) ? TIF_GTC : TIF_IOC, side);
		return;
	}
	if (m->busy && rnd(6) != 0)
		return;
	if (m->busy || rnd(3) == 0)
		act(PORT_CANCEL, m, m->px, m->left, TIF_GTC, side);
	else if (rnd(4) == 0)
		act(PORT_ASK, m, m->px, m->left, TIF_GTC, side);
	else if (m->left.e8 > 26000)
		act(PORT_REDUCE, m, rnd(2) ? m->px : px,
		    QTY(m->left.e8 / 2000 * 1000 + 12000), TIF_GTC, side);
}

static void
restart(void)
{
	struct gwhl_now t;

	s.now += 50 * MS;
	t = now();
	if (s.up) {
		s.up = false;
		s.conn++;
		s.streams = 0;
	}
	s.connect_ns = s.now + 200 * MS;
	/* What was answered to the old process is lost. */
	for (uint32_t i = 0; i < s.wire_n;)
		if (s.wire[i].way == WAY_HTTP_IN) {
			free(s.wire[i].body);
			s.wire[i] = s.wire[--s.wire_n];
		} else {
			i++;
		}
	s.life_n = s.told_n;
	assert_true(gwhl_init(s.g, &s.set, s.book, &s.sink));
	{
		struct instr in = {.symbol = "BTC",
		    .venue = VENUE_HYPERLIQUID,
		    .cls = CLASS_PERP,
		    .lot_qty = QTY(1000)};

		assert_true(gwhl_market(s.g, INSTR, &in));
	}
	gwhl_start(s.g, &t);
}

/* ---- a run ---- */

static void
set_up(uint64_t seed)
{
	static const uint8_t key_me[32] = {[31] = 0x11};
	static const uint8_t key_agent[32] = {[31] = 0x22};
	static uint8_t blind[32] = {1};
	struct hlx_terms terms = {"BTC", 0, 5, 40, 450, 150};
	struct address other = {{9}};
	struct address agent;

	memset(&s, 0, sizeof(s));
	s.rng = seed * 2654435761u + 1;
	s.now = START_NS;
	s.x = calloc(1, sizeof(*s.x));
	s.desk = calloc(1, sizeof(*s.desk));
	s.g = calloc(1, sizeof(*s.g));
	s.book = calloc(1, sizeof(*s.book));
	s.answer = malloc(ANSWER);
	assert_true(s.x && s.desk && s.g && s.book && s.answer);
	s.xs = (struct hlx_sink){NULL, x_order, x_fill, x_print, x_book};
	hlx_init(s.x, &s.xs);
	hl_desk_init(s.desk, s.x, blind);
	secp_init(&s.secp, blind);
	assert_int_equal(hlx_coin_add(s.x, &terms, PX(84000 * E8)), 0);
	assert_true(secp_address(&s.secp, key_me, &s.me));
	assert_true(secp_address(&s.secp, key_agent, &agent));
	s.account = hl_desk_account(s.desk, &s.me, USD(100000 * E6));
	s.other = hl_desk_account(s.desk, &other, USD(100000 * E6));
	assert_true(hl_desk_agent(s.desk, &agent, s.account));
	s.desk->has_limits = true;
	s.sink = (struct gwhl_sink){NULL, on_ws, on_http, on_drop, on_event,
	    on_mode, on_log, on_clock, on_position, on_account, on_answered,
	    on_touch};
	s.set = (struct gwhl_setup){.secp = &s.secp,
	    .key = key_agent,
	    .mainnet = true,
	    .has_master = true,
	    .master = s.me,
	    .has_schedule = true,
	    .fill_poll_ns = UINT64_C(1000000000),
	    .check_ns = UINT64_C(10000000000),
	    .budget_reserve = seed % 3 == 1 ? 0 : 30,
	    .seed = seed};
	s.now -= 50 * MS;
	s.calm = true;
	if (seed % 3 != 2)
		s.x->account[s.account].actions = HLX_BUDGET - 300;
	restart();
	advance(5000 * MS);
	s.calm = false;
}

static void
tear_down(void)
{
	for (uint32_t i = 0; i < s.wire_n; i++)
		free(s.wire[i].body);
	secp_close(&s.secp);
	secp_close(&s.desk->secp);
	free(s.x);
	free(s.desk);
	free(s.g);
	free(s.book);
	free(s.answer);
}

/* Orders that ever carried its cloid. */
static uint32_t
made(const struct mine *m)
{
	uint8_t cloid[HL_CLOID_SZ];
	uint32_t n = 0;

	gwhl_cloid(m->id, cloid);
	for (uint32_t i = 0; i < HLX_ORDERS && s.x->order[i].oid != 0; i++)
		n += s.x->order[i].account == s.account &&
		     memcmp(s.x->order[i].cloid, cloid, HL_CLOID_SZ) == 0;
	return n;
}

/* To the last unit. */
static void
agree(void)
{
	const struct hlx_account *a = &s.x->account[s.account];
	uint32_t fills = 0;
	uint32_t open = 0;

	for (uint32_t i = 0; i < s.x->fill_n; i++) {
		const struct hlx_fill *f = &s.x->fill[i];
		uint64_t id =
		    gwhl_fill_id(f->oid, f->tid, (int64_t)(f->ns / MS * MS));
		bool has = false;

		if (f->account != s.account)
			continue;
		fills++;
		for (uint32_t k = 0; k < s.told_n && !has; k++)
			has = s.fill_id[k] == id;
		assert_true(has);
	}
	assert_int_equal(fills, s.told_n);
	assert_int_equal(a->pos[0].qty.e8, s.position.e8);
	assert_int_equal(a->fees.e6, s.fees.e6);
	for (uint32_t i = 0; i < s.mine_n; i++) {
		struct mine *m = &s.mine[i];
		uint8_t cloid[HL_CLOID_SZ];
		uint32_t o;

		assert_true(m->answered);
		assert_in_range(made(m), 0, 1 + m->changes); /* 2 */
		gwhl_cloid(m->id, cloid);
		o = hlx_find_cloid(s.x, s.account, cloid);
		if (o == HLX_NONE || s.x->order[o].status != HLX_OPEN) {
			assert_true(m->ended || m->left.e8 == 0);
			continue;
		}
		open++;
		assert_false(m->ended);
		assert_int_equal(m->left.e8, s.x->order[o].left.e8);
		assert_int_equal(m->px.e8, s.x->order[o].px.e8);
	}
	assert_int_equal(open, a->open_n);
	for (uint32_t i = 0; i < s.book->active_n && getenv("TRACE"); i++) {
		struct gwhl_order *o = &s.book->order[s.book->active[i]];

		print_message("active %llu state %d left %lld ended %d "
			      "changing %d cancel %d ask %d\n",
		    (unsigned long long)o->id, o->state,
		    (long long)(o->qty.e8 - o->done.e8), o->is_ended,
		    o->is_changing, o->has_cancel, o->is_asking);
	}
	assert_int_equal(open, s.book->active_n);
}

static void
free_filled(void)
{
	for (uint32_t i = 0; i < SLOTS; i++) {
		struct mine *m =
		    s.of_slot[i] ? &s.mine[s.of_slot[i] - 1] : NULL;

		if (m != NULL && m->answered && m->left.e8 <= 0)
			ended(m);
	}
}

static void
step(void)
{
	struct gwhl_now t;

	for (uint32_t k = rnd(4); k > 0; k--)
		act_on(rnd(SLOTS));
	t = now();
	gwhl_flush(s.g, &t);
	other_trades();
	if (rnd(3) == 0)
		other_trades();
	if (rnd(2) == 0)
		gwhl_lease(s.g, s.now + 1000 * MS);
	if (fault(400))
		socket_down();
	if (fault(700))
		restart();
	if (fault(300)) {
		t = now();
		gwhl_cancel_all(s.g, &t);
	}
	if (fault(400))
		hlx_liquidate(s.x, s.account, 0, s.other, s.now);
	advance((5 + rnd(60)) * MS);
	free_filled();
}

static void
run(uint64_t seed, uint32_t steps)
{
	struct gwhl_now t;

	set_up(seed);
	assert_int_equal(s.mode, PORT_NORMAL);
	for (uint32_t i = 0; i < steps; i++)
		step();
	s.calm = true;
	advance(UINT64_C(40000) * MS);
	advance(UINT64_C(50000) * MS);
	free_filled();
	assert_true(s.up);
	agree();
	for (uint32_t k = 0; k < 5 && !gwhl_flat(s.g); k++) {
		t = now();
		gwhl_cancel_all(s.g, &t);
		advance(UINT64_C(15000) * MS);
	}
	assert_true(gwhl_flat(s.g));
	assert_int_equal(s.x->account[s.account].open_n, 0);
	free_filled();
	agree();
	assert_true(hlx_is_conserved(s.x));
	print_message("SEED=%llu places %llu fills %u foreign %llu unknown "
		      "%llu rejected %llu gone %llu reduced %llu asks %llu "
		      "resyncs %llu repeats %llu stale %llu\n",
	    (unsigned long long)seed, (unsigned long long)s.places, s.told_n,
	    (unsigned long long)s.foreign, (unsigned long long)s.unknowns,
	    (unsigned long long)s.rejects, (unsigned long long)s.gone,
	    (unsigned long long)s.reduced, (unsigned long long)s.g->stat.asks,
	    (unsigned long long)s.g->stat.resyncs,
	    (unsigned long long)s.g->stat.repeats,
	    (unsigned long long)s.g->stat.stale);
	tear_down();
}

static void
our_orders_are_the_venues_after_any_faults(void **state)
{
	const char *seed = getenv("SEED");
	const char *n = getenv("N");
	uint32_t steps = n != NULL ? (uint32_t)strtoul(n, NULL, 10) : 3000;

	(void)state;
	if (seed != NULL) {
		run(strtoull(seed, NULL, 10), steps);
		return;
	}
	for (uint64_t k = 1; k <= 6; k++) {
		print_message("SEED=%llu\n", (unsigned long long)k);
		run(k, steps);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(our_orders_are_the_venues_after_any_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
