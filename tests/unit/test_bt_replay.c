/* links: backtest recorderd quoted riskd execd libsys libshm libcore */
/*
 * The replay of a recording made by hand: a core of riskd is stepped as its
 * stage would, and what a stage writes into its tap is given to the replay,
 * as it is, and with one thing wrong at a time.
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

#include "backtest/replay.h"
#include "libcore/hash.h"

#define T0    UINT64_C(1000000000000)
#define STEPS 8u

enum wrong {
	RIGHT,
	OTHER_MESSAGE, /* one byte of one message                         */
	LOST_MESSAGE,
	ONE_MORE,
	OTHER_HASH,
	NO_INTENT, /* the tap of quoted is not there                      */
	OTHER_TIME,
	HOLE
};

static struct cfg cfg;
static struct risk *core;
static struct catalog *cat;
static struct replay *r;
static bool ok;

static int
setup(void **state)
{
	struct reader_event ev = {.kind = READER_CONFIG,
	    .source = ST_RECORDERD,
	    .cfg_epoch = 1,
	    .cfg_key = "capital.usd",
	    .cfg_value = "500"};

	(void)state;
	cfg_defaults(&cfg);
	cfg.capital_usd.e6 = 500 * E6;
	core = calloc(1, sizeof(*core));
	cat = catalog_new();
	r = replay_new(cat);
	catalog_see(cat, &ev);
	ok = true;
	return core == NULL || r == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	replay_free(r);
	catalog_free(cat);
	free(core);
	return 0;
}

static void
tell(enum stage_id source, const union tap *slot)
{
	const struct reader_event ev = {
	    .kind = READER_SLOT, .source = (uint8_t)source, .slot = slot};

	ok = ok && replay_see(r, &ev);
}

static union tap
trace(uint16_t ring, uint64_t seq, uint64_t now_ns)
{
	union tap t;

	memset(&t, 0, sizeof(t));
	t.hdr.kind = TICK_TRACE;
	t.hdr.recv_ns = now_ns;
	t.hdr.venue_ns = (int64_t)now_ns;
	t.tick.u.trace.ring = ring;
	t.tick.u.trace.ring_seq = seq;
	t.tick.u.trace.now_ns = now_ns;
	return t;
}

/* A wish for an instrument that riskd does not know: a verdict, refused. */
static union tap
intent(uint64_t n, uint64_t now_ns)
{
	union tap s;

	memset(&s, 0, sizeof(s));
	s.hdr.kind = MSG_INTENT;
	s.hdr.instr = INSTR_PM_BASE;
	s.hdr.recv_ns = now_ns - 1000;
	s.order.id = UINT64_C(1) << 40 | n;
	s.order.px = PX(50000000);
	s.order.qty = QTY(5 * E8);
	s.order.venue = VENUE_POLYMARKET;
	s.order.side = SIDE_BID;
	s.order.strategy = STRATEGY_MAKER;
	return s;
}

static void
put_out(const struct core_out *out, uint64_t now_ns, bool spoil, bool drop)
{
	for (uint32_t i = 0; i < out->n; i++) {
		const struct order *o = &out->msg[i].order;
		const struct order *p = &out->msg[i > 0 ? i - 1 : 0].order;
		union tap s;

		/* What goes to two readers is in the tap once. */
		if (i > 0 && o->id == p->id && o->hdr.kind == p->hdr.kind &&
		    o->fill_id == p->fill_id &&
		    out->msg[i].ring != out->msg[i - 1].ring)
			continue;
		s.order = *o;
		s.hdr.seq = 77 + i;
		s.hdr.pub_delta = slot_delta(s.hdr.recv_ns, now_ns);
		if (spoil && i == 0)
			s.order.reason ^= 1;
		if (!drop || i > 0)
			tell(ST_RISKD, &s);
	}
}

static void
begin(void)
{
	struct risk_trace_begin b = {.begun = RISK_BEGUN_FRESH};
	union tap t;

	memset(&t, 0, sizeof(t));
	t.hdr.kind = TICK_RESTART;
	t.tick.u.restart.epoch = 3;
	tell(ST_RISKD, &t);
	risk_init(core, &cfg, 3);
	b.hash = risk_hash(core);
	t = trace(TRACE_OWN + RISK_TRACE_BEGIN, 0, T0);
	memcpy(&t.step.in, &b, sizeof(b));
	tell(ST_RISKD, &t);
}

/* The recording of STEPS steps, with one thing wrong at the last but one. */
static void
record(enum wrong wrong)
{
	const struct reader_event hole = {.kind = READER_GAP,
	    .source = ST_RISKD,
	    .gap = {.first_seq = 5, .lost_n = 3}};
	struct core_out out;
	union tap t;

	begin();
	for (uint64_t k = 1; k <= STEPS; k++) {
		uint64_t now = T0 + k * (uint64_t)NS_PER_MS;
		bool here = k == STEPS - 1;
		union tap in = intent(k, now);
		struct event ev = {.kind = EV_SLOT,
		    .ring = RG_INTENT,
		    .now_ns = now,
		    .wall_ns = (int64_t)now,
		    .slot = &in};

		in.hdr.seq = 10 + k; /* of the tap */
		if (wrong != NO_INTENT || !here)
			tell(ST_QUOTED, &in);
		in.hdr.seq = k; /* of the ring */
		core_out_reset(&out);
		risk_step(core, &ev, &out);
		core->dirty_n = 0;
		assert_true(out.n > 0);
		put_out(&out, now, here && wrong == OTHER_MESSAGE,
		    here && wrong == LOST_MESSAGE);
		if (here && wrong == ONE_MORE)
			put_out(&out, now, false, false);
		if (here && wrong == HOLE)
			ok = ok && replay_see(r, &hole);
		t = trace(
		    RG_INTENT, k, here && wrong == OTHER_TIME ? now + 1 : now);
		memcpy(&t.step.in, &in, sizeof(t.step.in));
		tell(ST_RISKD, &t);
	}
	t = trace(TRACE_HASH, 0, T0 + NS_PER_S);
	t.tick.u.trace.state_hash = risk_hash(core) ^ (wrong == OTHER_HASH);
	tell(ST_RISKD, &t);
	ok = ok && replay_end(r);
}

static void
as_it_was(void **state)
{
	(void)state;
	record(RIGHT);
	assert_true(ok);
	assert_int_equal(r->riskd.steps, STEPS);
	assert_true(r->riskd.messages >= STEPS);
	assert_int_equal(r->riskd.hashes, 2);
	assert_true(r->riskd.live);
	assert_false(r->riskd.off);
}

static void
what_is_wrong_is_found(void **state)
{
	static const struct {
		enum wrong wrong;
		enum replay_what what;
	} all[] = {
	    {OTHER_MESSAGE, REPLAY_DIFFERS},
	    {LOST_MESSAGE, REPLAY_SURPLUS},
	    {ONE_MORE, REPLAY_MISSING},
	    {OTHER_HASH, REPLAY_STATE},
	    {NO_INTENT, REPLAY_NO_INPUT},
	    {OTHER_TIME, REPLAY_DIFFERS},
	    {HOLE, REPLAY_GAP},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (i > 0) {
			teardown(state);
			setup(state);
		}
		record(all[i].wrong);
		if (ok || r->diff.what != all[i].what)
			fail_msg("wrong %u: %s", all[i].wrong,
			    replay_what_name(r->diff.what));
		assert_int_equal(r->diff.stage, ST_RISKD);
		if (all[i].what != REPLAY_STATE && all[i].what != REPLAY_GAP)
			assert_int_equal(r->diff.step, STEPS - 1);
	}
}

/* A message that was delivered again changes nothing: riskd's store knows. */
static void
what_was_handled_is_not_handled_again(void **state)
{
	union tap in = intent(2, T0 + 2 * NS_PER_MS);
	union tap t = trace(RG_INTENT, 2, T0 + 2 * NS_PER_S);

	(void)state;
	record(RIGHT);
	in.hdr.seq = 2;
	memcpy(&t.step.in, &in, sizeof(t.step.in));
	t.hdr.flags = SLOT_REPLAY;
	tell(ST_RISKD, &t);
	assert_true(ok);
	assert_true(replay_end(r));
}

/* A new life from the store goes on; one from a file cannot be followed. */
static void
lives(void **state)
{
	struct risk_trace_begin b = {.begun = RISK_BEGUN_STORE};
	union tap t;

	(void)state;
	record(RIGHT);
	memset(&t, 0, sizeof(t));
	t.hdr.kind = TICK_RESTART;
	t.tick.u.restart.epoch = 4;
	tell(ST_RISKD, &t);
	t = trace(TRACE_OWN + RISK_TRACE_BEGIN, 0, T0 + 3 * NS_PER_S);
	b.hash = 1; /* not what it had */
	memcpy(&t.step.in, &b, sizeof(b));
	tell(ST_RISKD, &t);
	assert_true(ok);
	assert_true(r->riskd.off);
	assert_false(replay_whole(r));
	assert_int_equal(r->riskd.lives, 2);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(as_it_was),
	    T(what_is_wrong_is_found),
	    T(what_was_handled_is_not_handled_again),
	    T(lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
