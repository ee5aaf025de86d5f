/* links: execd libshm libcore */
/*
 * Order management against a venue at its worst. The port below keeps the
 * truth of every order and speaks any legal order of events: answers late,
 * twice, or lost and answered by UNKNOWN; fills before the ACK, after the
 * CANCELLED, told again; fills taken back; acts that never arrive; cancels and
 * reduces refused; execd dead at any step, with what it had not committed.
 * After each step:
 *   1 no two orders of one slot are alive at the venue, and no id is placed
 *     twice
 *   2 nothing is placed while the gate is closed or the mode forbids it
 *   3 nothing is placed in a slot whose last order is not proven over
 * and when the port has become calm:
 *   4 every ORDER got exactly one DONE or REJECT, or is what rests, told by
 *     its ACK
 *   5 fills reported, each fill_id once, are the venue's to the last unit,
 *     those taken back undone once
 *   6 what rests is what was wanted last, of the size that the venue has, and
 *     nothing else
 *   SEED=n N=n repeats one run, or makes longer ones.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "execd/exec.h"
#include "libcore/check.h"
#include "libcore/hash.h"
#include "libshm/ctl.h"

#define MARKETS 2
#define LEVELS	2
#define ORDERS	16384
#define QUEUE	65536
#define MS	UINT64_C(1000000)
#define PM	INSTR_PM_BASE

/* The venue's truth of one order. */
struct truth {
	struct port_act act;
	bool arrived; /* the bytes came */
	bool lost;    /* they never will */
	bool dead;
	int64_t filled;
	int64_t told; /* of it, to execd, once each */
	uint64_t told_mask;
	uint32_t fills;
};

/* An event on its way to execd. */
struct mail {
	struct port_event ev;
	uint64_t at_ns;
	bool gone;
};

struct sim {
	struct cfg cfg;
	struct exec *e;
	uint8_t (*rec)[EXEC_REC_SZ];
	struct core_out out;
	uint64_t now;
	uint64_t rng;
	uint64_t id;
	uint64_t gate;
	bool calm;
	struct truth order[ORDERS];
	uint32_t order_n;
	struct mail mail[QUEUE];
	uint32_t mail_head;
	uint32_t mail_n;
	/* by ORDER, counted from the first id */
	uint8_t ends[ORDERS];
	uint8_t acks[ORDERS];
	uint32_t sent;
	uint64_t newest[MARKETS][SIDE_N][LEVELS]; /* 0: nothing is wanted */
	int64_t pos[MARKETS];			  /* as reported */
	int64_t true_pos[MARKETS];		  /* as traded   */
	uint64_t seen[QUEUE];
	uint32_t seen_n;
	uint32_t crashes, unknowns, reversals, late;
	uint64_t told_wrong;
};

static struct sim s;

static uint32_t
rnd(uint32_t n)
{
	s.rng ^= s.rng << 13;
	s.rng ^= s.rng >> 7;
	s.rng ^= s.rng << 17;
	return (uint32_t)(s.rng >> 33) % n;
}

static bool
odds(uint32_t pct)
{
	return !s.calm && rnd(100) < pct;
}

static int64_t
signed_qty(uint8_t side, qty_t q)
{
	return side == SIDE_BID ? q.e8 : -q.e8;
}

/* ---- the port ---- */

static struct port_event *
mail(const struct truth *t, enum port_ev what)
{
	struct mail *m;

	CHECK(s.mail_n < QUEUE);
	m = &s.mail[s.mail_n++];
	memset(m, 0, sizeof(*m));
	m->at_ns = s.now + (s.calm ? 1 : rnd(400)) * MS;
	m->ev.what = what;
	m->ev.slot = t->act.slot;
	m->ev.id = t->act.id;
	m->ev.instr = t->act.instr;
	m->ev.side = t->act.side;
	m->ev.px = t->act.px;
	m->ev.reason = REASON_VENUE;
	return &m->ev;
}

static void
trade(struct truth *t, int64_t qty)
{
	struct port_event *ev = mail(t, PORT_FILLED);

	CHECK(qty > 0);
	CHECK(qty <= t->act.qty.e8 - t->filled);
	t->filled += qty;
	t->fills++;
	t->dead |= t->filled == t->act.qty.e8;
	ev->qty = QTY(qty);
	ev->usd = USD(10);
	ev->venue_ns = t->fills;
	ev->fill_id = hash_u64(t->act.id, t->fills);
	s.true_pos[t->act.instr - PM] += signed_qty(t->act.side, QTY(qty));
	if (odds(20)) { /* told again, and later */
		struct port_event again = *ev;

		*mail(t, PORT_FILLED) = again;
	}
	if (odds(8)) {
		uint64_t id = ev->fill_id;

		mail(t, PORT_REVERSED)->fill_id = id;
		if (odds(50))
			mail(t, PORT_REVERSED)->fill_id = id;
		s.true_pos[t->act.instr - PM] -=
		    signed_qty(t->act.side, QTY(qty));
		s.reversals++;
	}
}

/* The bytes of a PLACE arrive; true: it rests. */
static bool
place_arrives(struct truth *t)
{
	t->arrived = true;
	for (uint32_t i = 0; i < s.order_n; i++) /* 1 */
		assert_false(&s.order[i] != t && s.order[i].arrived &&
			     !s.order[i].dead &&
			     s.order[i].act.slot == t->act.slot);
	if (odds(10)) {
		t->dead = true;
		return false;
	}
	if (odds(25))
		trade(t, odds(20) ? t->act.qty.e8 : t->act.qty.e8 / 4);
	return true;
}

static void
do_place(const struct port_act *a)
{
	struct truth *t;

	assert_true(s.gate == 0); /* 2 */
	assert_true(s.e->mode == PORT_NORMAL ||
		    (s.e->mode == PORT_POST_ONLY &&
			(a->oflags & ORDER_POST_ONLY) != 0));
	for (uint32_t i = 0; i < s.order_n; i++) {
		assert_true(s.order[i].act.id != a->id);      /* 1 */
		assert_true(s.order[i].act.slot != a->slot || /* 3 */
			    s.order[i].dead || s.order[i].lost);
	}
	CHECK(s.order_n < ORDERS);
	t = &s.order[s.order_n++];
	memset(t, 0, sizeof(*t));
	t->act = *a;
	if (odds(6)) {
		t->lost = true;
		mail(t, PORT_UNKNOWN);
		return;
	}
	if (!place_arrives(t)) {
		mail(t, odds(15) ? PORT_UNKNOWN : PORT_REJECTED)->reason =
		    odds(50) ? REASON_POST_ONLY : REASON_VENUE;
		return;
	}
	if (odds(12)) {
		mail(t, PORT_UNKNOWN);
	} else if (odds(12)) {
		mail(t, PORT_DELAYED);
		if (odds(70))
			mail(t, PORT_ACKED);
	} else if (!odds(6)) { /* or no answer at all */
		mail(t, PORT_ACKED);
	}
}

static struct truth *
find(uint64_t id)
{
	for (uint32_t i = s.order_n; i > 0; i--)
		if (s.order[i - 1].act.id == id)
			return &s.order[i - 1];
	return 0;
}

static void
do_cancel(struct truth *t)
{
	if (odds(10)) /* never arrives */
		return;
	if (t->lost) {
		mail(t, PORT_GONE);
	} else if (t->dead || odds(15)) {
		mail(t, PORT_NOT_CANCELLED);
	} else {
		if (odds(20) && t->act.qty.e8 - t->filled >= 4)
			trade(t, (t->act.qty.e8 - t->filled) / 4);
		t->dead = true;
		if (!odds(10))
			mail(t, PORT_CANCELLED);
	}
}

static void
do_reduce(struct truth *t, qty_t left)
{
	if (odds(10))
		return;
	if (t->dead || t->filled > 0 || odds(20)) {
		mail(t, PORT_NOT_CANCELLED);
		return;
	}
	t->act.qty = left;
	if (odds(10))
		return;
	mail(t, PORT_REDUCED)->qty = t->act.qty;
}

static void
do_ask(struct truth *t)
{
	if (odds(25))
		return;
	if (odds(10)) {
		mail(t, PORT_UNKNOWN);
		return;
	}
	if (t->lost) {
		mail(t, PORT_GONE);
	} else if (!t->dead) {
		mail(t, PORT_ACKED);
	} else {
		/* All that it traded first, then its end. */
		s.unknowns++;
		mail(t, PORT_CANCELLED);
	}
}

static void
perform(const struct port_act *a)
{
	struct truth *t = find(a->id);

	if (a->what == PORT_PLACE) {
		do_place(a);
		return;
	}
	if (t == 0) { /* a PLACE that died with execd */
		struct truth ghost = {.act = *a, .lost = true};

		mail(&ghost, PORT_GONE);
		return;
	}
	if (a->what == PORT_CANCEL)
		do_cancel(t);
	else if (a->what == PORT_REDUCE)
		do_reduce(t, a->qty);
	else
		do_ask(t);
}

/* ---- execd and its reader ---- */

static void
told(const struct order *o)
{
	uint64_t k = o->id - (UINT64_C(1) << 40);
	int m = o->hdr.instr - PM;

	if (o->hdr.kind == MSG_FILL) {
		for (uint32_t i = 0; i < s.seen_n; i++)
			if (s.seen[i] == o->fill_id) {
				s.told_wrong++;
				return;
			}
		CHECK(s.seen_n < QUEUE);
		s.seen[s.seen_n++] = o->fill_id;
		s.pos[m] += signed_qty(o->side, o->exec_qty);
		return;
	}
	CHECK(k > 0 && k <= s.sent);
	if (o->hdr.kind == MSG_ACK)
		s.acks[k]++;
	else
		s.ends[k]++;
}

/* Commit, speak, act. A crash comes between any two of them: the reports of
 * a commit are repeated after it, its acts are lost. */
static void
flush(void)
{
	struct port_act act[EXEC_ACTS];
	uint32_t n = s.e->act_n;

	for (uint32_t i = 0; i < s.e->dirty_n; i++)
		exec_save(s.e, s.e->dirty[i], s.rec[s.e->dirty[i]]);
	s.e->dirty_n = 0;
	for (uint32_t i = 0; i < s.out.n; i++)
		if (s.out.msg[i].ring == RG_REPORT_PM_R)
			told(&s.out.msg[i].order);
	core_out_reset(&s.out);
	memcpy(act, s.e->act, sizeof(act));
	s.e->act_n = 0;
	for (uint32_t i = 0; i < n; i++)
		perform(&act[i]);
}

static void
step(enum event_kind kind, const union tap *slot, const struct instr *in)
{
	struct event ev = {.kind = EV_TIMER,
	    .ring = RG_ORDER_PM,
	    .now_ns = s.now,
	    .slot = slot,
	    .instr = in,
	    .cfg = &s.cfg};

	while (exec_due(s.e, s.now)) {
		exec_step(s.e, &ev, &s.out);
		flush();
	}
	ev.kind = kind;
	exec_step(s.e, &ev, &s.out);
	flush();
}

static void
gate(uint64_t mask)
{
	s.gate = mask;
	exec_freeze(s.e, mask, s.now, &s.out);
	flush();
	while (exec_more(s.e)) {
		exec_sweep(s.e, s.now, &s.out);
		flush();
	}
	if (mask != 0)
		memset(s.newest, 0, sizeof(s.newest));
}

static void
markets(void)
{
	union tap t;
	struct instr in;

	memset(&in, 0, sizeof(in));
	in.cls = CLASS_BINARY;
	in.state = INSTR_NORMAL;
	in.epoch = 1;
	in.tick_px = PX(E8 / 100);
	in.lot_qty = QTY(E8 / 100);
	in.min_qty = QTY(5 * E8);
	for (int m = 0; m < MARKETS; m++) {
		memset(&t, 0, sizeof(t));
		t.hdr.kind = TICK_INSTR;
		t.hdr.instr = (uint16_t)(PM + m);
		step(EV_SLOT, &t, &in);
	}
}

/* kill -9: the records are left, and acts that were not sent are lost. The
 * port asks the venue for trades and tells all of them again. */
static void
crash(void)
{
	s.crashes++;
	memset(s.e, 0, sizeof(*s.e));
	exec_init(s.e, &s.cfg, VENUE_POLYMARKET, 1);
	for (uint32_t i = 0; i < EXEC_REC_N; i++)
		assert_true(exec_load(s.e, i, s.rec[i]));
	exec_loaded(s.e);
	exec_resume(s.e, s.now);
	exec_port_mode(s.e, PORT_NORMAL);
	exec_freeze(s.e, s.gate, s.now, &s.out);
	flush();
	markets();
}

/* A step whose commit never came: what it took is delivered again. */
static void
crash_before_commit(const struct port_event *ev)
{
	exec_port_event(s.e, ev, s.now, &s.out);
	core_out_reset(&s.out);
	s.e->act_n = 0;
	crash();
}

static void
send(enum slot_kind kind, int m, uint8_t side, uint8_t level)
{
	union tap t;
	struct order *o = &t.order;

	memset(&t, 0, sizeof(t));
	o->hdr.kind = (uint8_t)kind;
	o->hdr.instr = (uint16_t)(PM + m);
	o->hdr.recv_ns = s.now;
	o->side = side;
	o->level = level;
	o->id = s.id;
	o->epoch = 1;
	o->px =
	    PX((int64_t)(50 + (side == SIDE_BID ? -1 : 1) * (int)(1 + rnd(3))) *
		E8 / 100);
	o->qty = QTY((int64_t)(10 + rnd(40)) * E8);
	o->tif = TIF_GTC;
	o->oflags = (uint8_t)(rnd(4) == 0 ? 0u : ORDER_POST_ONLY);
	o->strategy = STRATEGY_MAKER;
	for (uint32_t k = 0; k < s.e->slot_n; k++)
		if (s.e->slot[k].instr == PM + m && s.e->slot[k].side == side &&
		    s.e->slot[k].level == level)
			o->cum_qty = s.e->slot[k].cum;
	if (kind == MSG_ORDER) {
		o->id = ++s.id;
		s.sent++;
		CHECK(s.sent < ORDERS);
		s.newest[m][side][level] = s.gate == 0 ? o->id : 0;
		if (rnd(12) == 0) {
			o->oflags |= ORDER_IMPERATIVE;
			o->life_ms = 100 + rnd(2000);
		}
	} else {
		s.newest[m][side][level] = 0;
	}
	step(EV_SLOT, &t, 0);
	if (rnd(20) == 0)
		step(EV_SLOT, &t, 0); /* a repeat */
}

/* Once for each fill, however often it is told. */
static void
note_told(const struct port_event *ev)
{
	struct truth *t = find(ev->id);
	uint64_t bit = UINT64_C(1) << (ev->venue_ns % 64);

	if ((t->told_mask & bit) == 0)
		t->told += ev->qty.e8;
	t->told_mask |= bit;
}

/* Any mail that is due, in any order. */
static void
deliver(void)
{
	uint32_t tries = s.calm ? s.mail_n : 40;

	while (s.mail_head < s.mail_n && s.mail[s.mail_head].gone)
		s.mail_head++;
	for (uint32_t k = 0; k < tries; k++) {
		uint32_t span = s.mail_n - s.mail_head;
		struct mail *m;
		struct port_event ev;

		if (span == 0)
			return;
		m = &s.mail[s.mail_head + (s.calm ? k % span : rnd(span))];
		if (m->gone || m->at_ns > s.now)
			continue;
		ev = m->ev;
		if (ev.what == PORT_REDUCED)
			ev.qty.e8 -= find(ev.id)->told;
		if (odds(3)) {
			crash_before_commit(&ev);
			continue; /* comes again */
		}
		m->gone = true;
		if (ev.what == PORT_FILLED)
			note_told(&ev);
		exec_port_event(s.e, &ev, s.now, &s.out);
		flush();
		if (odds(10)) {
			exec_port_event(s.e, &ev, s.now, &s.out);
			flush();
		}
		if (!s.calm)
			return;
	}
}

static void
random_trade(void)
{
	struct truth *t;

	if (s.order_n == 0)
		return;
	t = &s.order[s.order_n - 1 - rnd(s.order_n < 8 ? s.order_n : 8)];
	if (!t->arrived || t->dead)
		return;
	if (t->act.qty.e8 - t->filled < E8)
		trade(t, t->act.qty.e8 - t->filled);
	else
		trade(
		    t, (int64_t)(1 + rnd(5)) * (t->act.qty.e8 - t->filled) / 5);
}

static void
step_once(void)
{
	uint32_t what = rnd(100);
	int m = (int)rnd(MARKETS);
	uint8_t side = rnd(2) == 0 ? SIDE_BID : SIDE_ASK;
	uint8_t level = (uint8_t)rnd(LEVELS);

	s.now += rnd(80) * MS;
	if (s.gate != 0 && rnd(10) == 0)
		gate(0);
	if (s.e->mode != PORT_NORMAL && rnd(20) == 0)
		exec_port_mode(s.e, PORT_NORMAL);
	if (what < 25)
		send(MSG_ORDER, m, side, level);
	else if (what < 32)
		send(MSG_CANCEL, m, side, level);
	else if (what < 80)
		deliver();
	else if (what < 90)
		random_trade();
	else if (what < 96)
		step(EV_TIMER, 0, 0);
	else if (what == 96)
		crash();
	else if (what == 97)
		gate(FREEZE_LATENCY);
	else if (what == 98)
		exec_port_mode(s.e, rnd(3) == 0	  ? PORT_POST_ONLY
				    : rnd(3) == 0 ? PORT_CANCEL_ONLY
						  : PORT_NORMAL);
}

/* ---- at the end ---- */

static void
calm_down(void)
{
	s.calm = true;
	if (s.gate != 0)
		gate(0);
	exec_port_mode(s.e, PORT_NORMAL);
	for (int i = 0; i < 60; i++) {
		s.now += 1000 * MS;
		step(EV_TIMER, 0, 0);
		deliver();
	}
}

static void
check_end(void)
{
	uint32_t alive = 0;
	uint32_t rest = 0;

	for (uint32_t i = 0; i < s.order_n; i++)
		alive += s.order[i].arrived && !s.order[i].dead;
	for (uint32_t k = 0; k < s.e->slot_n; k++) {
		const struct exec_slot *x = &s.e->slot[k];

		assert_int_equal(x->want.id, 0);
		if (x->status == 0)
			continue;
		assert_true(oms_rests(x->status));
		assert_int_equal(x->op, OP_NONE);
		rest++;
		assert_int_equal(x->order.id, /* 6 */
		    s.newest[x->instr - PM][x->side][x->level]);
		s.ends[x->order.id - (UINT64_C(1) << 40)]++;
		assert_int_equal(s.acks[x->order.id - (UINT64_C(1) << 40)], 1);
		assert_non_null(find(x->ref));
		assert_false(find(x->ref)->dead);
		assert_int_equal(x->order.qty.e8 - x->filled.e8,
		    find(x->ref)->act.qty.e8 - find(x->ref)->filled);
	}
	assert_int_equal(alive, rest);
	for (uint32_t k = 1; k <= s.sent; k++) { /* 4 */
		if (s.ends[k] != 1)
			print_message("order %u: %u ends\n", k, s.ends[k]);
		assert_int_equal(s.ends[k], 1);
		assert_true(s.acks[k] <= 1);
	}
	for (int m = 0; m < MARKETS; m++) /* 5 */
		assert_int_equal(s.pos[m], s.true_pos[m]);
	assert_int_equal(s.told_wrong, 0);
}

static void
run(uint64_t seed, uint32_t n)
{
	struct cfg cfg = s.cfg;
	struct exec *e = s.e;
	uint8_t(*rec)[EXEC_REC_SZ] = s.rec;

	memset(&s, 0, sizeof(s));
	s.cfg = cfg;
	s.e = e;
	s.rec = rec;
	memset(s.rec, 0, EXEC_REC_N * sizeof(*s.rec));
	memset(s.e, 0, sizeof(*s.e));
	s.rng = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	s.now = 1000 * MS;
	s.id = UINT64_C(1) << 40;
	exec_init(s.e, &s.cfg, VENUE_POLYMARKET, 1);
	exec_port_mode(s.e, PORT_NORMAL);
	gate(0);
	markets();
	for (uint32_t i = 0; i < n; i++)
		step_once();
	calm_down();
	check_end();
}

static void
test_worst_venue(void **state)
{
	const char *seed = getenv("SEED");
	const char *n = getenv("N");
	uint32_t steps = n != 0 ? (uint32_t)strtoul(n, 0, 10) : 1500;
	uint64_t first = seed != 0 ? strtoull(seed, 0, 10) : 1;
	uint64_t last = seed != 0 ? first : 40;
	uint64_t unknown = 0;
	uint64_t reversed = 0;
	uint64_t late = 0;
	uint64_t placed = 0;

	(void)state;
	for (uint64_t k = first; k <= last; k++) {
		print_message("SEED=%llu N=%u\n", (unsigned long long)k, steps);
		run(k, steps);
		unknown += s.e->stat.unknown;
		reversed += s.e->stat.reversed;
		late += s.e->stat.late;
		placed += s.order_n;
	}
	print_message("%llu placed, %llu unknown, %llu reversed, %llu late\n",
	    (unsigned long long)placed, (unsigned long long)unknown,
	    (unsigned long long)reversed, (unsigned long long)late);
	assert_true(unknown > 0);
	assert_true(reversed > 0);
	assert_true(late > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_worst_venue),
	};
	int rc;

	cfg_defaults(&s.cfg);
	s.e = calloc(1, sizeof(*s.e));
	s.rec = calloc(EXEC_REC_N, sizeof(*s.rec));
	s.cfg.exec_order_timeout.ns = 800 * 1000000;
	rc = cmocka_run_group_tests(tests, 0, 0);
	free(s.e);
	free(s.rec);
	return rc;
}
