/* links: riskd libshm libcore */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libshm/ctl.h"
#include "tests/unit/riskkit.h"

static struct kit k;

static int
open_kit(void **state)
{
	(void)state;
	kit_open(&k);
	return 0;
}

static int
close_kit(void **state)
{
	(void)state;
	kit_close(&k);
	return 0;
}

static void
test_starts_frozen(void **state)
{
	struct kit b;

	(void)state;
	memset(&b, 0, sizeof(b));
	cfg_defaults(&b.cfg);
	b.r = calloc(1, sizeof(*b.r));
	b.now = MS(1000);
	b.id = QEPOCH;
	risk_init(b.r, &b.cfg, 1);
	assert_int_equal(b.r->freeze_all, FREEZE_STARTUP);
	assert_int_equal(b.r->freeze[VENUE_POLYMARKET], FREEZE_STARTUP);
	assert_false(b.r->lease_ok);
	kit_instr(&b, PM, CLASS_UPDOWN, "up", INSTR_NORMAL);
	kit_bbo(&b, PM, CENT(48), CENT(52));
	kit_link(&b, PM, 20, LINK_READY);
	assert_int_equal(
	    kit_intent(&b, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_FROZEN);
	kit_link(&b, BN, 20, LINK_READY);
	assert_true(b.r->lease_ok);
	assert_int_equal(
	    kit_intent(&b, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_OK);
	assert_int_equal(b.r->freeze[VENUE_HYPERLIQUID], FREEZE_STARTUP);
	free(b.r);
}

static void
test_latency_freezes_venue_or_all(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		k.now += MS(1000);
		kit_link(&k, PM, 800, LINK_READY);
		kit_link(&k, HL, 20, LINK_READY);
		kit_link(&k, BN, 20, LINK_READY);
	}
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], FREEZE_LATENCY);
	assert_int_equal(k.r->freeze_all, 0);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_FROZEN);
	assert_int_equal(
	    kit_intent(&k, HL, SIDE_BID, CENT(9998), QTY(E8 / 10)), REASON_OK);
	/* The reference feeds every strategy. */
	for (int i = 0; i < 3; i++) {
		k.now += MS(1000);
		kit_link(&k, BN, 800, LINK_READY);
		kit_link(&k, HL, 20, LINK_READY);
	}
	assert_int_equal(k.r->freeze_all, FREEZE_LATENCY);
	assert_false(k.r->lease_ok);
	assert_int_equal(kit_intent(&k, HL, SIDE_BID, CENT(9998), QTY(E8 / 10)),
	    REASON_FROZEN);
}

/* A freeze wakes execd, which looks at the freeze words. */
static void
test_freeze_wakes_execd(void **state)
{
	bool woken[2] = {false, false};

	(void)state;
	kit_link(&k, BN, 20, LINK_STALE);
	for (uint32_t i = 0; i < k.out.n; i++) {
		woken[0] |= k.out.msg[i].ring == RG_CANCEL_PM;
		woken[1] |= k.out.msg[i].ring == RG_CANCEL_HL;
	}
	assert_true(woken[0] && woken[1]);
}

static void
test_silent_feed_is_stale(void **state)
{
	(void)state;
	assert_int_equal(k.out.wake_ns, k.now + MS(3000) + 1);
	kit_wait(&k, MS(2000));
	kit_link(&k, BN, 20, LINK_READY);
	kit_link(&k, HL, 20, LINK_READY);
	kit_wait(&k, MS(1000));
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], 0);
	kit_wait(&k, 1);
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], FREEZE_FEED_STALE);
	assert_int_equal(k.r->freeze[VENUE_HYPERLIQUID], 0);
	assert_true(k.out.wake_ns > k.now); /* no busy timer */
	kit_link(&k, PM, 20, LINK_READY);
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], 0);
	kit_link(&k, PM, 20, LINK_STALE);
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], FREEZE_FEED_STALE);
}

static void
test_disabled_venue_freezes_nothing(void **state)
{
	(void)state;
	k.cfg.binance_enabled = false;
	kit_step(&k, EV_CFG, RG_INTENT, 0, 0);
	kit_link(&k, BN, 20, LINK_STALE);
	assert_int_equal(k.r->freeze_all, 0);
}

static void
test_world(void **state)
{
	struct risk_world w = k.r->world;

	(void)state;
	w.ext[VENUE_POLYMARKET] = FREEZE_MANUAL;
	w.ext[VENUE_HYPERLIQUID] = FREEZE_MANUAL;
	risk_world_set(k.r, &w, k.now, &k.out);
	assert_int_equal(kit_said(&k, MSG_STATE, 0)->status, TRADING_FROZEN);
	assert_int_equal(kit_said(&k, MSG_STATE, 0)->reason, REASON_MANUAL);
	assert_int_equal(k.r->freeze_all, 0); /* not riskd's own word */
	assert_true(k.r->lease_ok);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_FROZEN);
	memset(w.ext, 0, sizeof(w.ext));
	w.supervisor_dead = true;
	risk_world_set(k.r, &w, k.now, &k.out);
	assert_int_equal(k.r->freeze_all, FREEZE_SUPERVISOR_DEAD);
	w.supervisor_dead = false;
	w.room[VENUE_POLYMARKET] = false;
	risk_world_set(k.r, &w, k.now, &k.out);
	assert_int_equal(kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)),
	    REASON_BACKPRESSURE);
	assert_int_equal(
	    kit_intent(&k, HL, SIDE_BID, CENT(9998), QTY(E8 / 10)), REASON_OK);
	w.room[VENUE_POLYMARKET] = true;
	w.cancel_full[VENUE_POLYMARKET] = true;
	risk_world_set(k.r, &w, k.now, &k.out);
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], FREEZE_REPORT_BACKLOG);
}

static void
feed_restart(uint16_t any)
{
	struct tick t;

	memset(&t, 0, sizeof(t));
	t.hdr.kind = TICK_RESTART;
	kit_tick(&k, kit_md(any), &t);
}

/* A feed starts anew: its link is to be measured, its books are awaited. */
static void
test_feed_restart(void **state)
{
	(void)state;
	feed_restart(PM);
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], FREEZE_STARTUP);
	assert_int_equal(k.r->freeze[VENUE_HYPERLIQUID], 0);
	assert_int_equal(k.r->freeze_all, 0);
	k.now += MS(1000);
	kit_links_good(&k);
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], 0);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_NO_MARK);
	assert_int_equal(
	    kit_intent(&k, HL, SIDE_BID, CENT(9998), QTY(E8 / 10)), REASON_OK);
	kit_bbo(&k, PM, CENT(48), CENT(52));
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_OK);
}

/* Probes until the venue is free; how many it took. */
static uint32_t
probes_to_resume(uint16_t any, enum venue v, uint32_t rtt_ms)
{
	uint32_t n = 0;

	while (n < 1000) {
		uint64_t mask =
		    v == VENUE_BINANCE ? k.r->freeze_all : k.r->freeze[v];

		if ((mask & (FREEZE_LATENCY | FREEZE_STARTUP)) == 0)
			break;
		k.now += MS(1000);
		kit_link(&k, any, rtt_ms, LINK_READY);
		n++;
	}
	return n;
}

/* T-47: no restart of the feed lifts a kill switch that is tripped. */
static void
T_47_feed_restart_lifts_nothing(void **state)
{
	static const struct {
		uint16_t any;
		enum venue v;
	} feeds[] = {{PM, VENUE_POLYMARKET}, {BN, VENUE_BINANCE},
	    {HL, VENUE_HYPERLIQUID}};

	(void)state;
	for (int f = 0; f < 3; f++) {
		const struct kill *kill = &k.r->link[feeds[f].v].kill;

		for (int i = 0; i < 3; i++) {
			k.now += MS(1000);
			kit_link(&k, feeds[f].any, 2000, LINK_READY);
		}
		assert_int_equal(kill->state, KILL_TRIPPED);
		feed_restart(feeds[f].any);
		assert_int_equal(kill->state, KILL_TRIPPED);
		k.now += MS(1000);
		kit_link(&k, feeds[f].any, 20, LINK_READY);
		assert_int_equal(kill->state, KILL_TRIPPED);
		/* That one counts. */
		assert_true(
		    probes_to_resume(feeds[f].any, feeds[f].v, 20) + 1 >=
		    (uint32_t)k.cfg.latency_resume_n);
		assert_int_equal(kill->state, KILL_GOOD);
	}
}

/* A feed that made a slow connection again trades after resume_n good round
 * trips of the new one. */
static void
T_47_a_new_connection_resumes_soon(void **state)
{
	struct tick t;

	(void)state;
	for (int i = 0; i < 20; i++) {
		k.now += MS(1000);
		kit_link(&k, PM, 2000, LINK_READY);
	}
	memset(&t, 0, sizeof(t));
	t.hdr.kind = TICK_LINK;
	t.u.link.state = LINK_READY;
	t.u.link.reconnects = 1;
	kit_tick(&k, kit_md(PM), &t);
	for (int i = 0; i < k.cfg.latency_resume_n; i++) {
		assert_int_equal(k.r->freeze[VENUE_POLYMARKET], FREEZE_LATENCY);
		k.now += MS(1000);
		t.u.link.rtt_us = 800;
		kit_tick(&k, kit_md(PM), &t);
	}
	assert_int_equal(k.r->freeze[VENUE_POLYMARKET], 0);
}

/* Nor does a new riskd, which finds its own freeze word. */
static void
T_47_new_life_starts_tripped(void **state)
{
	uint32_t need = (uint32_t)k.cfg.latency_resume_n;

	(void)state;
	risk_init(k.r, &k.cfg, 2);
	risk_tripped(k.r, VENUE_POLYMARKET);
	risk_tripped(k.r, VENUE_BINANCE);
	assert_int_equal(
	    k.r->freeze[VENUE_POLYMARKET] & FREEZE_LATENCY, FREEZE_LATENCY);
	assert_int_equal(k.r->freeze_all & FREEZE_LATENCY, FREEZE_LATENCY);
	assert_int_equal(k.r->freeze[VENUE_HYPERLIQUID], FREEZE_STARTUP);
	assert_false(k.r->lease_ok);
	assert_true(need > 1);
	assert_int_equal(probes_to_resume(BN, VENUE_BINANCE, 20), need);
	assert_int_equal(probes_to_resume(PM, VENUE_POLYMARKET, 20), need);
	assert_int_equal(probes_to_resume(HL, VENUE_HYPERLIQUID, 20), 1);
}

/* T-23: the latch holds until a person thaws. */
static void
T_23_daily_loss_latches(void **state)
{
	(void)state;
	k.cfg.mm_global_daily_loss_limit = USD(5 * E6);
	kit_fill(&k, PM, SIDE_BID, 77, CENT(50), UNIT(20), UNIT(20));
	kit_step(&k, EV_CFG, RG_INTENT, 0, 0);
	risk_thaw(k.r, k.now, &k.out);
	kit_bbo(&k, PM, CENT(24), CENT(26)); /* minus 5.00: not below */
	assert_int_equal(k.r->freeze_all, 0);
	kit_bbo(&k, PM, CENT(23), CENT(26));
	assert_int_equal(k.r->freeze_all, FREEZE_DAILY_LOSS);
	assert_int_equal(kit_said(&k, MSG_STATE, 0)->status, TRADING_FROZEN);
	assert_int_equal(kit_said(&k, MSG_STATE, 0)->reason, REASON_DAILY_LOSS);
	kit_bbo(&k, PM, CENT(60), CENT(62)); /* a recovery does not thaw */
	assert_int_equal(k.r->freeze_all, FREEZE_DAILY_LOSS);
	kit_wait(&k, MS(86400000)); /* nor does a new day */
	assert_int_equal(
	    k.r->freeze_all & FREEZE_DAILY_LOSS, FREEZE_DAILY_LOSS);
	kit_links_good(&k);
	kit_bbo(&k, PM, CENT(23), CENT(26));
	risk_thaw(k.r, k.now, &k.out);
	assert_int_equal(k.r->freeze_all, 0);
	/* The same loss does not latch again, a further one does. */
	kit_bbo(&k, PM, CENT(23), CENT(26));
	assert_int_equal(k.r->freeze_all, 0);
	kit_bbo(&k, PM, CENT(1), CENT(3));
	kit_bbo(&k, PM, CENT(1), CENT(2));
	assert_int_equal(k.r->freeze_all, 0);
	kit_fill(&k, PM, SIDE_BID, 78, CENT(50), UNIT(10), UNIT(10));
	assert_int_equal(k.r->freeze_all, FREEZE_DAILY_LOSS);
}

static void
test_day_rolls_at_midnight_of_the_zone(void **state)
{
	int64_t midnight;

	(void)state;
	kit_fill(&k, PM, SIDE_BID, 77, CENT(50), UNIT(10), UNIT(10));
	kit_fill(&k, PM, SIDE_ASK, 78, CENT(55), UNIT(10), UNIT(10));
	assert_int_equal(loss_realised(&k.r->loss).e6, 500000);
	midnight = (loss_day(k.wall, 0) + 1) * INT64_C(86400) * NS_PER_S;
	kit_wait(&k, (uint64_t)(midnight - 1 - k.wall));
	assert_int_equal(loss_realised(&k.r->loss).e6, 500000);
	kit_wait(&k, 1);
	assert_int_equal(loss_realised(&k.r->loss).e6, 0);
	assert_int_equal(k.r->loss.carried.e6, 500000);
	/* The clock steps back over midnight: the day does not. */
	k.wall = midnight - NS_PER_S;
	kit_step(&k, EV_TIMER, RG_INTENT, 0, 0);
	assert_int_equal(loss_day(k.wall, 0) + 1, k.r->loss.day);
	assert_int_equal(k.r->loss.carried.e6, 500000);
	/* Two hours east the day ends at 22:00 UTC. */
	assert_int_equal(loss_day(midnight - INT64_C(7200) * NS_PER_S, 7200),
	    loss_day(midnight, 0));
	assert_int_equal(
	    loss_day(midnight - INT64_C(7200) * NS_PER_S - 1, 7200),
	    loss_day(midnight, 0) - 1);
}

/* A new quoted knows nothing: what rests is withdrawn, all is told. */
static void
test_new_quoted(void **state)
{
	struct order o;
	uint32_t cancels = 0;
	uint32_t tells = 0;

	(void)state;
	kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(10));
	kit_fill(&k, PM, SIDE_BID, k.id, CENT(47), UNIT(4), UNIT(4));
	kit_intent(&k, PM + 1, SIDE_BID, CENT(47), UNIT(10));
	memset(&o, 0, sizeof(o));
	o.hdr.kind = MSG_RESTART;
	o.id = UINT64_C(2) << 40;
	kit_order(&k, RG_INTENT, &o);
	for (int i = 0; i < 5; i++) {
		cancels += kit_count(&k, MSG_CANCEL);
		tells += kit_count(&k, MSG_STATE);
		kit_wait(&k, 1);
	}
	assert_int_equal(cancels, 2);
	assert_int_equal(tells, 2); /* the global state, one position */
	/* An intent of the old life comes late. */
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_DUPLICATE);
	k.id = (UINT64_C(2) << 40) + 1;
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_OK);
}

static void
test_refusal_withdraws_what_rests(void **state)
{
	const struct order *c;

	(void)state;
	kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(10));
	kit_bbo(&k, PM, CENT(40), CENT(60));
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(46), UNIT(10)), REASON_GAPPED);
	c = kit_said(&k, MSG_CANCEL, 0);
	assert_non_null(c);
	assert_int_equal(c->id, k.id);
	assert_int_equal(c->side, SIDE_BID);
	assert_int_equal(c->hdr.instr, PM);
}

static void
test_stopping_refuses(void **state)
{
	(void)state;
	kit_step(&k, EV_STOP, RG_INTENT, 0, 0);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(5)), REASON_FROZEN);
	assert_false(k.r->lease_ok);
	assert_int_equal(
	    kit_intent(&k, PM, SIDE_BID, PX(0), QTY(0)), REASON_OK);
}

/* Through records and back: the same state, the same hash. */
static void
test_records_hold_everything(void **state)
{
	static uint8_t rec[RISK_REC_N][RISK_REC_SZ];
	struct kit b;

	(void)state;
	kit_intent(&k, PM, SIDE_BID, CENT(47), UNIT(10));
	kit_fill(&k, PM, SIDE_BID, k.id, CENT(47), UNIT(4), UNIT(4));
	kit_intent(&k, HL, SIDE_ASK, CENT(10002), QTY(E8 / 10));
	kit_fill(&k, PM + 1, SIDE_BID, 9, CENT(47), UNIT(4), UNIT(4));
	for (uint32_t i = 0; i < RISK_REC_N; i++)
		risk_save(k.r, i, rec[i]);
	memset(&b, 0, sizeof(b));
	b.cfg = k.cfg;
	b.r = calloc(1, sizeof(*b.r));
	risk_init(b.r, &b.cfg, 2);
	for (uint32_t i = 0; i < RISK_REC_N; i++)
		assert_true(risk_load(b.r, i, rec[i]));
	risk_loaded(b.r);
	assert_int_equal(b.r->open_n, k.r->open_n);
	assert_int_equal(b.r->exposure.e6, k.r->exposure.e6);
	assert_int_equal(b.r->worst.e6, k.r->worst.e6);
	assert_int_equal(risk_pnl(b.r).e6, risk_pnl(k.r).e6);
	assert_true(b.r->reduce);
	/* The rest comes again from the feeds. */
	b.now = k.now;
	b.wall = k.wall;
	memcpy(b.r->link, k.r->link, sizeof(b.r->link));
	kit_bbo(&b, PM, CENT(48), CENT(52));
	kit_bbo(&b, PM + 1, CENT(48), CENT(52));
	kit_bbo(&b, HL, CENT(9999), CENT(10001));
	b.r->rate_n = k.r->rate_n;
	assert_int_equal(risk_hash(b.r), risk_hash(k.r));
	/* Repeats of what the old life booked change nothing. */
	kit_fill(&b, PM + 1, SIDE_BID, 9, CENT(47), UNIT(4), UNIT(4));
	kit_fill(&b, PM, SIDE_BID, QEPOCH + 1, CENT(47), UNIT(4), UNIT(4));
	assert_int_equal(b.r->stat.fill_dups, 2);
	assert_int_equal(risk_hash(b.r), risk_hash(k.r));
	memset(rec[RISK_REC_SLOT] + 4, 0xff, 4);
	assert_false(risk_load(b.r, RISK_REC_SLOT, rec[RISK_REC_SLOT]));
	free(b.r);
}

#define T(f) cmocka_unit_test_setup_teardown(f, open_kit, close_kit)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_starts_frozen),
	    T(test_latency_freezes_venue_or_all),
	    T(test_freeze_wakes_execd),
	    T(test_silent_feed_is_stale),
	    T(test_disabled_venue_freezes_nothing),
	    T(test_world),
	    T(test_feed_restart),
	    T(T_47_feed_restart_lifts_nothing),
	    T(T_47_a_new_connection_resumes_soon),
	    T(T_47_new_life_starts_tripped),
	    T(T_23_daily_loss_latches),
	    T(test_day_rolls_at_midnight_of_the_zone),
	    T(test_new_quoted),
	    T(test_refusal_withdraws_what_rests),
	    T(test_stopping_refuses),
	    T(test_records_hold_everything),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
