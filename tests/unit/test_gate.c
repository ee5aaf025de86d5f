/* links: execd libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "execd/gate.h"
#include "tests/unit/shmdir.h"

static struct ctl ctl;

static int
clear(void **state)
{
	(void)state;
	memset(&ctl, 0, sizeof(ctl));
	ctl_lease_extend(&ctl, 1000);
	return 0;
}

static void
test_open_while_leased(void **state)
{
	(void)state;
	assert_int_equal(exec_gate(&ctl, VENUE_POLYMARKET, 999), 0);
	assert_int_equal(exec_gate(&ctl, VENUE_HYPERLIQUID, 0), 0);
}

/* A riskd that is dead, stopped or hung says nothing; that is enough. */
static void
test_expired_lease_shuts(void **state)
{
	(void)state;
	assert_int_equal(
	    exec_gate(&ctl, VENUE_POLYMARKET, 1000), FREEZE_RISKD_DEAD);
	ctl_lease_extend(&ctl, 2000);
	assert_int_equal(exec_gate(&ctl, VENUE_POLYMARKET, 1000), 0);
	ctl_lease_drop(&ctl);
	assert_int_equal(
	    exec_gate(&ctl, VENUE_POLYMARKET, 1000), FREEZE_RISKD_DEAD);
}

static const struct {
	enum freeze_word word;
	bool pm;
	bool hl;
} words[] = {
    {FW_SUPERVISOR, true, true},
    {FW_RISKD, true, true},
    {FW_RISKD_PM, true, false},
    {FW_RISKD_HL, false, true},
    {FW_EXECD_PM, true, false},
    {FW_EXECD_HL, false, true},
};

static void
test_words_cover_their_venues(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		ctl_freeze_set(&ctl, words[i].word, FREEZE_LATENCY, true, 1);
		assert_int_equal(exec_gate(&ctl, VENUE_POLYMARKET, 5),
		    words[i].pm ? FREEZE_LATENCY : 0);
		assert_int_equal(exec_gate(&ctl, VENUE_HYPERLIQUID, 5),
		    words[i].hl ? FREEZE_LATENCY : 0);
		ctl_freeze_set(&ctl, words[i].word, FREEZE_LATENCY, false, 1);
		assert_int_equal(exec_gate(&ctl, VENUE_POLYMARKET, 5), 0);
	}
}

static void
test_reason(void **state)
{
	(void)state;
	assert_int_equal(gate_reason(0), REASON_FROZEN);
	assert_int_equal(gate_reason(FREEZE_RISKD_DEAD), REASON_RISKD_DEAD);
	/* The cause, not the lease that was dropped for it. */
	assert_int_equal(gate_reason(FREEZE_DAILY_LOSS | FREEZE_RISKD_DEAD),
	    REASON_DAILY_LOSS);
	for (int b = 0; b < FREEZE_BITS_N; b++)
		assert_int_not_equal(
		    gate_reason(UINT64_C(1) << b), REASON_NONE);
}

static void
test_contract(void **state)
{
	(void)state;
	assert_check_fails(exec_gate(&ctl, VENUE_BINANCE, 1));
}

#define T(f) cmocka_unit_test_setup(f, clear)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(test_open_while_leased),
	    T(test_expired_lease_shuts),
	    T(test_words_cover_their_venues),
	    T(test_reason),
	    T(test_contract),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
