/* links: riskd libshm libcore */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "riskd/killswitch.h"

#define MS(x) ((int64_t)(x)*NS_PER_MS)

static const struct kill_cfg cfg = {
    .limit_ns = MS(500),
    .resume_ns = MS(200),
    .age_ns = MS(5000),
    .weight_e8 = E8 / 10,
    .raw_trips = 3,
    .resume_n = 3,
};

static bool
ping(struct kill *k, int64_t ms)
{
	return kill_probe(k, &cfg, &(struct kill_sample){.rtt_ns = MS(ms)});
}

static void
good_at_50(struct kill *k)
{
	kill_init(k);
	for (int i = 0; i < 50; i++)
		ping(k, 50);
	assert_int_equal(k->state, KILL_GOOD);
}

static void
test_starts_frozen_until_measured(void **state)
{
	struct kill k;

	(void)state;
	kill_init(&k);
	assert_int_equal(k.state, KILL_STARTUP);
	/* Not measured, or not good: stays. */
	assert_false(kill_probe(&k, &cfg, &(struct kill_sample){.age_ns = 1}));
	assert_false(ping(&k, 300));
	assert_int_equal(k.state, KILL_STARTUP);
	kill_init(&k);
	assert_true(ping(&k, 199));
	assert_int_equal(k.state, KILL_GOOD);
}

/* T-47: from 50 ms, pings of 2,000 ms smooth to 245, 420.5, 578.45. */
static void
T_47_smoothed_values(void **state)
{
	static const int64_t us[] = {245000, 420500, 578450};
	struct kill k;

	(void)state;
	good_at_50(&k);
	for (int i = 0; i < 3; i++) {
		bool changed = ping(&k, 2000);

		assert_int_equal(k.ema_ns / 1000, us[i]);
		assert_int_equal(changed, i == 2);
	}
	assert_int_equal(k.state, KILL_TRIPPED);
	assert_int_equal(k.cause, KILL_BY_EMA);
	assert_int_equal(k.value_ns / 1000, 578450);
	assert_int_equal(k.limit_ns, MS(500));
}

/* T-47: 800 ms pings would need nine by the smoothed value alone. */
static void
T_47_raw_trips_first(void **state)
{
	struct kill k;
	struct kill_cfg alone = cfg;
	int n = 0;

	(void)state;
	good_at_50(&k);
	assert_false(ping(&k, 800));
	assert_false(ping(&k, 800));
	assert_true(ping(&k, 800));
	assert_int_equal(k.cause, KILL_BY_RAW);
	assert_int_equal(k.value_ns, MS(800));
	assert_true(k.ema_ns < MS(500));
	alone.raw_trips = 1000;
	good_at_50(&k);
	while (k.state == KILL_GOOD && n < 100) {
		n++;
		kill_probe(
		    &k, &alone, &(struct kill_sample){.rtt_ns = MS(800)});
	}
	assert_int_equal(n, 9);
}

static void
test_one_slow_ping_is_not_enough(void **state)
{
	struct kill k;

	(void)state;
	good_at_50(&k);
	for (int i = 0; i < 100; i++) {
		assert_false(ping(&k, 800));
		assert_false(ping(&k, 50));
		assert_false(ping(&k, 50));
	}
}

/* T-47: a missing pong adds no sample at all; its absence trips. */
static void
T_47_overdue_pong(void **state)
{
	struct kill k;

	(void)state;
	good_at_50(&k);
	assert_true(kill_probe(&k, &cfg,
	    &(struct kill_sample){.rtt_ns = MS(2000), .overdue = true}));
	assert_int_equal(k.cause, KILL_BY_OVERDUE);
}

/* T-46: a round trip of 20 ms says nothing about a book 10 s old. */
static void
T_46_data_age(void **state)
{
	struct kill k;
	struct kill_sample s = {.rtt_ns = MS(20), .age_ns = MS(10000)};

	(void)state;
	good_at_50(&k);
	assert_true(kill_probe(&k, &cfg, &s));
	assert_int_equal(k.cause, KILL_BY_DATA_AGE);
	assert_int_equal(k.value_ns, MS(10000));
	assert_int_equal(k.limit_ns, MS(5000));
	/* Exactly at the limit, and clocks that run ahead, are fine. */
	good_at_50(&k);
	s.age_ns = MS(5000);
	assert_false(kill_probe(&k, &cfg, &s));
	s.age_ns = -MS(10000);
	assert_false(kill_probe(&k, &cfg, &s));
}

static void
T_46_ack_latency(void **state)
{
	struct kill k;

	(void)state;
	good_at_50(&k);
	assert_false(kill_ack(&k, &cfg, MS(500), false));
	assert_true(kill_ack(&k, &cfg, MS(501), false));
	assert_int_equal(k.cause, KILL_BY_ACK);
	/* Tripped already: no second trip. */
	assert_false(kill_ack(&k, &cfg, MS(900), false));
	assert_int_equal(k.trips_n, 1);
	kill_init(&k);
	assert_false(kill_ack(&k, &cfg, MS(900), false));
}

/* Resume: smoothed below 200 and the last three raw below 200. */
static void
test_hysteresis(void **state)
{
	struct kill k;
	int n = 0;

	(void)state;
	good_at_50(&k);
	for (int i = 0; i < 3; i++)
		ping(&k, 800);
	assert_int_equal(k.state, KILL_TRIPPED);
	/* Between resume and limit nothing changes. */
	for (int i = 0; i < 20; i++)
		assert_false(ping(&k, 300));
	while (k.state == KILL_TRIPPED && n < 100) {
		n++;
		if (ping(&k, 20)) {
			assert_true(k.ema_ns < MS(200));
			assert_true(n >= 3);
		}
	}
	assert_int_equal(k.state, KILL_GOOD);
	/* Smoothed long below, but one raw above in the last three. */
	for (int i = 0; i < 3; i++)
		ping(&k, 501);
	assert_int_equal(k.state, KILL_TRIPPED);
	for (int i = 0; i < 60; i++)
		assert_false(ping(&k, i % 3 == 2 ? 250 : 10));
	assert_true(k.ema_ns < MS(200));
	assert_false(ping(&k, 10));
	assert_false(ping(&k, 10));
	assert_true(ping(&k, 10));
}

static void
test_no_resume_while_cause_lasts(void **state)
{
	struct kill k;
	struct kill_sample old = {.rtt_ns = MS(20), .age_ns = MS(6000)};

	(void)state;
	good_at_50(&k);
	kill_probe(&k, &cfg, &old);
	for (int i = 0; i < 100; i++)
		assert_false(kill_probe(&k, &cfg, &old));
	assert_int_equal(k.state, KILL_TRIPPED);
	assert_int_equal(k.cause, KILL_BY_DATA_AGE);
	assert_false(ping(&k, 20));
	assert_false(ping(&k, 20));
	assert_true(ping(&k, 20));
}

/* Whatever comes: while not tripped, the smoothed value is within the limit
 * and fewer than three raw ones in a row are above. */
static void
T_47_property(void **state)
{
	struct kill k;
	uint64_t x = 42;
	uint32_t bad = 0;

	(void)state;
	kill_init(&k);
	for (int i = 0; i < 200000; i++) {
		int64_t ms;

		x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
		ms = (int64_t)(x >> 33) % (i % 1000 < 700 ? 300 : 3000) + 1;
		ping(&k, ms);
		bad = ms > 500 ? bad + 1 : 0;
		if (k.state != KILL_GOOD)
			continue;
		assert_true(k.ema_ns <= cfg.limit_ns);
		assert_true(bad < cfg.raw_trips);
	}
	assert_true(k.trips_n > 10);
}

/* Each venue has its own numbers (Hyperliquid acknowledges in 0.4-1 s). */
static void
test_limits_per_venue(void **state)
{
	struct cfg *c = malloc(sizeof(*c));
	struct kill_cfg k;

	(void)state;
	cfg_defaults(c);
	kill_cfg_from(&k, c, VENUE_POLYMARKET);
	assert_int_equal(k.limit_ns, MS(500));
	assert_int_equal(k.resume_ns, MS(200));
	kill_cfg_from(&k, c, VENUE_HYPERLIQUID);
	assert_int_equal(k.limit_ns, MS(1500));
	assert_int_equal(k.resume_ns, MS(800));
	assert_int_equal(k.raw_trips, 3);
	assert_int_equal(k.age_ns, MS(5000));
	free(c);
}

/* T-47: a restart forgets what was measured, never that it is tripped. */
static void
T_47_restart(void **state)
{
	struct kill k;
	uint32_t n = 0;

	(void)state;
	good_at_50(&k);
	kill_restart(&k);
	assert_int_equal(k.state, KILL_STARTUP);
	assert_int_equal(k.samples_n, 0);
	good_at_50(&k);
	for (int i = 0; i < 3; i++)
		ping(&k, 2000);
	assert_int_equal(k.state, KILL_TRIPPED);
	/* Two good ones of the former life do not count. */
	while (k.ema_ns >= MS(190))
		kill_probe(&k, &cfg,
		    &(struct kill_sample){.rtt_ns = 1, .overdue = true});
	ping(&k, 50);
	ping(&k, 50);
	kill_restart(&k);
	assert_int_equal(k.state, KILL_TRIPPED);
	assert_int_equal(k.cause, KILL_BY_EMA);
	while (!ping(&k, 50))
		n++;
	assert_int_equal(n, 2);
	assert_int_equal(k.state, KILL_GOOD);
}

/* What the connection before was like is not smoothed into the next: good
 * again after resume_n good round trips, not after twenty. */
static void
T_47_a_new_connection_smooths_afresh(void **state)
{
	struct kill k;
	int n = 1;

	(void)state;
	good_at_50(&k);
	while (k.ema_ns < MS(1500))
		ping(&k, 2000);
	assert_int_equal(k.state, KILL_TRIPPED);
	kill_reconnect(&k);
	assert_int_equal(k.state, KILL_TRIPPED);
	assert_int_equal(k.cause, KILL_BY_EMA);
	/* Nothing measured lifts nothing. */
	assert_false(kill_probe(&k, &cfg, &(struct kill_sample){.age_ns = 1}));
	while (!ping(&k, 1))
		n++;
	assert_int_equal(n, 3);
	assert_int_equal(k.ema_ns, MS(1));
	/* Good ones of two connections are not three in a row. */
	kill_start_tripped(&k);
	ping(&k, 50);
	ping(&k, 50);
	kill_reconnect(&k);
	assert_false(ping(&k, 50));
	good_at_50(&k);
	kill_reconnect(&k);
	assert_int_equal(k.state, KILL_GOOD);
}

/* A new riskd: EMA below resume and resume_n in a row, not just the one
 * that ends STARTUP. */
static void
T_47_starts_tripped(void **state)
{
	struct kill k;

	(void)state;
	kill_start_tripped(&k);
	assert_int_equal(k.state, KILL_TRIPPED);
	assert_string_equal(
	    kill_cause_name((enum kill_cause)k.cause), "former_life");
	assert_false(ping(&k, 50));
	assert_false(ping(&k, 50));
	assert_false(ping(&k, 300)); /* not in a row */
	assert_false(ping(&k, 50));
	assert_false(ping(&k, 50));
	assert_true(ping(&k, 50));
	assert_int_equal(k.state, KILL_GOOD);
	/* The smoothed value counts too. */
	kill_start_tripped(&k);
	assert_false(ping(&k, 2000));
	for (int i = 0; i < 5; i++)
		assert_false(ping(&k, 50));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_starts_frozen_until_measured),
	    cmocka_unit_test(T_47_smoothed_values),
	    cmocka_unit_test(T_47_raw_trips_first),
	    cmocka_unit_test(test_one_slow_ping_is_not_enough),
	    cmocka_unit_test(T_47_overdue_pong),
	    cmocka_unit_test(T_46_data_age),
	    cmocka_unit_test(T_46_ack_latency),
	    cmocka_unit_test(test_hysteresis),
	    cmocka_unit_test(test_no_resume_while_cause_lasts),
	    cmocka_unit_test(T_47_property),
	    cmocka_unit_test(test_limits_per_venue),
	    cmocka_unit_test(T_47_restart),
	    cmocka_unit_test(T_47_starts_tripped),
	    cmocka_unit_test(T_47_a_new_connection_smooths_afresh),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
