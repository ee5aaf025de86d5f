/* links: riskd libshm libcore */
/*
 * How a market ends: by its outcome, once, and by nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/riskkit.h"

static struct kit k;

static int
open_kit(void **state)
{
	(void)state;
	kit_open(&k);
	kit_instr(&k, PM, CLASS_UPDOWN, "up", INSTR_NORMAL);
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
resolve(uint16_t i, const char *symbol, enum outcome o)
{
	kit_ended(&k, i, CLASS_UPDOWN, symbol, INSTR_RESOLVED, o);
}

static void
test_outcome_pays(void **state)
{
	static const struct {
		enum side side;
		enum outcome outcome;
		int64_t gain_e6;
	} cases[] = {
	    {SIDE_BID, OUTCOME_YES, 4000000},
	    {SIDE_BID, OUTCOME_NO, -6000000},
	    {SIDE_BID, OUTCOME_VOID, -1000000}, /* T-06 */
	    {SIDE_ASK, OUTCOME_YES, -4000000},
	    {SIDE_ASK, OUTCOME_NO, 6000000},
	    {SIDE_ASK, OUTCOME_VOID, 1000000},
	};

	for (size_t c = 0; c < sizeof(cases) / sizeof(*cases); c++) {
		usd_t fees;

		close_kit(state);
		open_kit(state);
		/* No stop comes between. */
		k.cfg.mm_max_loss_per_position = USD(100 * E6);
		kit_step(&k, EV_CFG, RG_INTENT, 0, 0);
		kit_fill(
		    &k, PM, cases[c].side, 77, CENT(60), UNIT(10), UNIT(10));
		kit_bbo(&k, PM, CENT(20), CENT(22)); /* the mark is far off */
		fees = k.r->loss.fees;
		resolve(PM, "up", cases[c].outcome);
		assert_int_equal(k.r->instr[PM].pos.qty.e8, 0);
		assert_int_equal(
		    loss_realised(&k.r->loss).e6, cases[c].gain_e6 - fees.e6);
		assert_int_equal(k.r->loss.fees.e6, fees.e6);
		assert_int_equal(k.r->unrealised.e6, 0);
		assert_int_equal(k.r->worst.e6, 0);
		assert_int_equal(k.r->stat.settled, 1);
		/* quoted hears that it holds nothing. */
		assert_int_equal(kit_said(&k, MSG_STATE, 0)->hdr.instr, PM);
		assert_int_equal(kit_said(&k, MSG_STATE, 0)->qty.e8, 0);
	}
}

static void
test_no_outcome_no_settlement(void **state)
{
	static const enum instr_state states[] = {INSTR_CLOSED, INSTR_HALTED,
	    INSTR_DISPUTED, INSTR_CLOSE_WINDOW, INSTR_RESOLVED};

	(void)state;
	kit_fill(&k, PM, SIDE_BID, 77, CENT(60), UNIT(10), UNIT(10));
	for (size_t s = 0; s < sizeof(states) / sizeof(*states); s++) {
		kit_instr(&k, PM, CLASS_UPDOWN, "up", states[s]);
		assert_int_equal(k.r->instr[PM].pos.qty.e8, UNIT(10).e8);
		assert_int_equal(k.r->worst.e6, -6000000);
	}
	/* An outcome of a market that is not resolved is not one yet. */
	kit_ended(&k, PM, CLASS_UPDOWN, "up", INSTR_DISPUTED, OUTCOME_YES);
	assert_int_equal(k.r->instr[PM].pos.qty.e8, UNIT(10).e8);
	assert_int_equal(k.r->stat.settled, 0);
}

static void
test_settles_once(void **state)
{
	usd_t pnl;

	(void)state;
	kit_fill(&k, PM, SIDE_BID, 77, CENT(60), UNIT(10), UNIT(10));
	resolve(PM, "up", OUTCOME_YES);
	pnl = risk_pnl(k.r);
	for (int n = 0; n < 3; n++)
		resolve(PM, "up", OUTCOME_YES);
	kit_fill(
	    &k, PM, SIDE_BID, 77, CENT(60), UNIT(10), UNIT(10)); /* again */
	assert_int_equal(risk_pnl(k.r).e6, pnl.e6);
	assert_int_equal(k.r->stat.settled, 1);
	/* The next market of the slot starts with nothing. */
	kit_instr(&k, PM, CLASS_UPDOWN, "up-next", INSTR_NORMAL);
	assert_int_equal(k.r->kept_n, 0);
	assert_int_equal(risk_pnl(k.r).e6, pnl.e6);
}

/* Its report was on the way when the market resolved. */
static void
test_fill_after_the_outcome(void **state)
{
	(void)state;
	resolve(PM, "up", OUTCOME_YES);
	kit_fill(&k, PM, SIDE_BID, 78, CENT(90), UNIT(10), UNIT(10));
	assert_int_equal(k.r->instr[PM].pos.qty.e8, 0);
	assert_int_equal(loss_realised(&k.r->loss).e6 + k.r->loss.fees.e6,
	    1000000 + k.r->loss.fees.e6);
	assert_int_equal(k.r->stat.settled, 1);
}

/* The slot goes to the next window before the outcome is known. */
static void
test_replaced_slot_awaits_its_outcome(void **state)
{
	(void)state;
	kit_fill(&k, PM, SIDE_BID, 77, CENT(50), UNIT(10), UNIT(10));
	kit_bbo(&k, PM, CENT(97), CENT(99));
	kit_instr(&k, PM, CLASS_UPDOWN, "up-next", INSTR_NORMAL);
	assert_int_equal(k.r->instr[PM].pos.qty.e8, 0);
	assert_int_equal(k.r->instr[PM].mark.e8, 0);
	assert_int_equal(k.r->kept_n, 1);
	assert_int_equal(k.r->stat.settled, 0);
	assert_int_equal(k.r->stat.awaiting, 1);
	assert_int_equal(loss_realised(&k.r->loss).e6, 0);
	assert_int_equal(k.r->unrealised.e6, 4800000);
	assert_int_equal(k.r->worst.e6, -5000000);
	assert_int_equal(kit_said(&k, MSG_STATE, 0)->qty.e8, 0);
	/* It comes back, in another slot, resolved. */
	resolve(PM + 5, "up", OUTCOME_NO);
	assert_int_equal(k.r->kept_n, 0);
	assert_int_equal(k.r->stat.settled, 1);
	assert_int_equal(loss_realised(&k.r->loss).e6, -5000000);
	assert_int_equal(k.r->worst.e6, 0);
}

/* A feed that starts anew numbers its markets anew. */
static void
test_replaced_slot_finds_its_twin(void **state)
{
	(void)state;
	kit_fill(&k, PM, SIDE_BID, 77, CENT(50), UNIT(10), UNIT(10));
	kit_instr(&k, PM + 5, CLASS_UPDOWN, "up", INSTR_NORMAL);
	kit_instr(&k, PM, CLASS_UPDOWN, "up-next", INSTR_NORMAL);
	assert_int_equal(k.r->kept_n, 0);
	assert_int_equal(k.r->instr[PM].pos.qty.e8, 0);
	assert_int_equal(k.r->instr[PM + 5].pos.qty.e8, UNIT(10).e8);
	resolve(PM + 5, "up", OUTCOME_YES);
	assert_int_equal(loss_realised(&k.r->loss).e6, 5000000);
}

/* Nobody would remember it: the worst is booked, a person must look. */
static void
test_no_room_to_wait(void **state)
{
	(void)state;
	kit_fill(&k, PM, SIDE_BID, 77, CENT(50), UNIT(10), UNIT(10));
	k.r->reduce = false;
	k.r->kept_n = RISK_KEPT;
	kit_instr(&k, PM, CLASS_UPDOWN, "up-next", INSTR_NORMAL);
	assert_true(k.r->reduce);
	assert_int_equal(k.r->instr[PM].pos.qty.e8, 0);
	assert_int_equal(loss_realised(&k.r->loss).e6, -5000000);
}

/* Killed at any moment, told everything again: once. */
static void
test_settled_in_records(void **state)
{
	static uint8_t rec[RISK_REC_N][RISK_REC_SZ];
	usd_t pnl;

	(void)state;
	kit_fill(&k, PM, SIDE_BID, 77, CENT(60), UNIT(10), UNIT(10));
	resolve(PM, "up", OUTCOME_VOID);
	kit_fill(&k, PM + 1, SIDE_BID, 78, CENT(50), UNIT(10), UNIT(10));
	kit_instr(&k, PM + 1, CLASS_UPDOWN, "other", INSTR_NORMAL);
	pnl = risk_pnl(k.r);
	for (uint32_t i = 0; i < RISK_REC_N; i++)
		risk_save(k.r, i, rec[i]);
	risk_init(k.r, &k.cfg, 2);
	for (uint32_t i = 0; i < RISK_REC_N; i++)
		assert_true(risk_load(k.r, i, rec[i]));
	risk_loaded(k.r);
	assert_int_equal(k.r->instr[PM].outcome, OUTCOME_VOID);
	resolve(PM, "up", OUTCOME_VOID);
	assert_int_equal(risk_pnl(k.r).e6, pnl.e6);
	assert_int_equal(k.r->stat.settled, 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, open_kit, close_kit)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_outcome_pays),
	    T(test_no_outcome_no_settlement),
	    T(test_settles_once),
	    T(test_fill_after_the_outcome),
	    T(test_replaced_slot_awaits_its_outcome),
	    T(test_replaced_slot_finds_its_twin),
	    T(test_no_room_to_wait),
	    T(test_settled_in_records),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
