/* links: supervisor libsys libshm libcore */
/* Orders outlive execd: when a sweep is owed, and when it is paid. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/supervise.h"

#define MS(x) ((uint64_t)(x)*UINT64_C(1000000))
#define T0    MS(1000000)
#define EX    ST_EXECD_PM

static const struct supervise_cfg cfg = {
    .stale_ns = MS(2000),
    .abort_grace_ns = MS(1000),
    .crash_loop_window_ns = MS(60000),
    .park_retry_ns = MS(300000),
    .backoff_min_ns = MS(100),
    .backoff_max_ns = MS(10000),
    .ready_timeout_ns = MS(10000),
    .stop_timeout_ns = MS(5000),
    .sweep_ns = MS(15000),
    .crash_loop_n = 2,
    .sweep_mask = UINT32_C(1) << EX,
};

static struct supervise s;
static struct sup_out out;
static uint64_t now;

static bool
did(enum sup_effect effect)
{
	for (uint32_t i = 0; i < out.n; i++)
		if (out.item[i].effect == effect)
			return true;
	return false;
}

static void
ask(enum stage_id id, enum sup_event what)
{
	out.n = 0;
	supervise_ask(&s, &cfg, id, what, now, &out);
}

static void
look(enum stage_id id, bool ready)
{
	struct sup_look looks[ST_N];

	memset(looks, 0, sizeof(looks));
	looks[id].ready = ready;
	looks[id].heartbeat_ns = ready ? now : 0;
	out.n = 0;
	supervise_look(&s, &cfg, looks, now, &out);
}

static void
ends(enum stage_id id, uint32_t status)
{
	const struct sup_exit x = {.status = status};

	out.n = 0;
	supervise_exit(&s, &cfg, id, &x, now, &out);
}

static enum sup_state
state(void)
{
	return s.stage[EX].state;
}

static void
begin(enum stage_id id)
{
	now = T0;
	supervise_init(&s);
	ask(id, SUP_EV_START);
	look(id, true);
	now += MS(5); /* what a person's start forgives is before */
}

#define EXIT(n) ((uint32_t)(n) << 8)

/* Twice dead: parked, frozen, swept before anything else. */
static void
park(enum stage_id id)
{
	begin(id);
	ends(id, 9);
	assert_false(did(SUP_DO_SWEEP)); /* restarted, it adopts */
	assert_true(did(SUP_DO_START));
	look(id, true);
	now += MS(10);
	ends(id, 9);
	assert_true(did(SUP_DO_PARK));
	assert_true(did(SUP_DO_FREEZE));
}

static void
T_43_parked_is_swept_first(void **unused)
{
	(void)unused;
	park(EX);
	assert_true(did(SUP_DO_SWEEP));
	assert_int_equal(state(), SUP_SWEEPING);
	ends(EX, EXIT(0));
	assert_int_equal(state(), SUP_PARKED);
	assert_int_equal(s.stage[EX].owes, 0);
	/* The slow retry is counted from the end of the sweep. */
	now += cfg.park_retry_ns;
	look(EX, false);
	assert_true(did(SUP_DO_START));
}

static void
a_stage_without_orders_is_not_swept(void **unused)
{
	(void)unused;
	park(ST_RISKD);
	assert_false(did(SUP_DO_SWEEP));
	assert_int_equal(s.stage[ST_RISKD].state, SUP_PARKED);
}

static void
never_ready_owes_nothing(void **unused)
{
	(void)unused;
	now = T0;
	supervise_init(&s);
	ask(EX, SUP_EV_START);
	now += MS(5);
	ends(EX, EXIT(100));
	assert_int_equal(state(), SUP_PARKED);
	assert_false(did(SUP_DO_SWEEP));
	/* But what an earlier life left stays owed by one that never was. */
	begin(EX);
	ends(EX, 9);
	now += MS(1);
	ends(EX, EXIT(111));
	assert_int_equal(state(), SUP_SWEEPING);
}

static void
permanent_after_work_is_swept(void **unused)
{
	(void)unused;
	begin(EX);
	ends(EX, EXIT(100));
	assert_true(did(SUP_DO_FREEZE));
	assert_int_equal(state(), SUP_SWEEPING);
	ends(EX, EXIT(0));
	assert_int_equal(state(), SUP_PARKED);
	assert_int_equal(s.stage[EX].deadline_ns, 0); /* never by itself */
}

static void
a_sweep_that_fails_stays_owed(void **unused)
{
	(void)unused;
	park(EX);
	ends(EX, EXIT(111));
	assert_int_equal(state(), SUP_PARKED);
	assert_int_equal(s.stage[EX].owes, 1);
	/* Stopped, it is tried once more, and then it is the end. */
	ask(EX, SUP_EV_STOP);
	assert_true(did(SUP_DO_SWEEP));
	ends(EX, EXIT(111));
	assert_int_equal(state(), SUP_DOWN);
	assert_int_equal(s.stage[EX].owes, 1);
	/* A life that is READY has taken them over. */
	ask(EX, SUP_EV_START);
	look(EX, true);
	assert_int_equal(s.stage[EX].owes, 0);
}

static void
stop_flat_or_swept(void **unused)
{
	(void)unused;
	begin(EX);
	ask(EX, SUP_EV_STOP);
	ends(EX, EXIT(0));
	assert_int_equal(state(), SUP_DOWN);
	begin(EX);
	ask(EX, SUP_EV_STOP);
	ends(EX, EXIT(111));
	assert_int_equal(state(), SUP_SWEEPING);
	ends(EX, EXIT(0));
	assert_int_equal(state(), SUP_DOWN);
	/* Never READY, and not able to find out whether it is flat. */
	now = T0;
	supervise_init(&s);
	ask(EX, SUP_EV_START);
	ask(EX, SUP_EV_STOP);
	ends(EX, EXIT(111));
	assert_int_equal(state(), SUP_SWEEPING);
	supervise_init(&s);
	ask(EX, SUP_EV_START);
	ask(EX, SUP_EV_STOP);
	ends(EX, 15);
	assert_int_equal(state(), SUP_DOWN);
	/* Of one that was adopted nobody knows how it ended. */
	begin(EX);
	ask(EX, SUP_EV_STOP);
	ends(EX, SUP_STATUS_UNKNOWN);
	assert_int_equal(state(), SUP_SWEEPING);
	/* One that starts again adopts by itself. */
	begin(EX);
	ask(EX, SUP_EV_RESTART);
	ends(EX, EXIT(111));
	assert_true(did(SUP_DO_START));
	assert_false(did(SUP_DO_SWEEP));
}

/* Everything stops while it waits for its restart: its orders do not wait. */
static void
stop_all_sweeps_the_dead(void **unused)
{
	struct supervise_cfg patient = cfg;
	const struct sup_exit killed = {.status = 9};

	(void)unused;
	patient.crash_loop_n = 9;
	begin(EX);
	for (int i = 0; i < 3; i++) {
		out.n = 0;
		supervise_exit(&s, &patient, EX, &killed, now, &out);
		now += MS(1);
	}
	assert_int_equal(state(), SUP_BACKOFF);
	supervise_stop_all(&s);
	look(EX, false);
	assert_int_equal(state(), SUP_SWEEPING);
	assert_false(supervise_all_down(&s));
	look(EX, false);
	assert_false(did(SUP_DO_SWEEP)); /* once */
	ends(EX, EXIT(0));
	assert_true(supervise_all_down(&s));
	assert_int_equal(s.stage[EX].owes, 0);
}

static void
stop_all_does_not_take_a_sweep_for_the_stage(void **unused)
{
	(void)unused;
	park(EX);
	supervise_stop_all(&s);
	look(EX, false);
	assert_int_equal(state(), SUP_SWEEPING);
	ends(EX, 9); /* somebody killed the sweep */
	assert_int_equal(state(), SUP_DOWN);
	assert_int_equal(s.stage[EX].owes, 1);
}

static void
found_dead_by_a_new_supervisor(void **unused)
{
	(void)unused;
	now = T0;
	supervise_init(&s);
	supervise_found_dead(&s, EX);
	now += 1000 * cfg.park_retry_ns;
	look(EX, false);
	assert_int_equal(out.n, 0); /* nobody starts it by the clock */
	supervise_stop_all(&s);
	look(EX, false);
	assert_true(did(SUP_DO_SWEEP));
	ends(EX, EXIT(111));
	look(EX, false);
	assert_int_equal(out.n, 0); /* once */
	assert_true(supervise_all_down(&s));
	assert_int_equal(s.stage[EX].owes, 1);
	/* Started, it takes its orders over. */
	supervise_init(&s);
	supervise_found_dead(&s, EX);
	ask(EX, SUP_EV_START);
	assert_true(did(SUP_DO_START));
	assert_false(did(SUP_DO_SWEEP));
}

static void
a_slow_sweep_is_killed(void **unused)
{
	(void)unused;
	park(EX);
	now += cfg.sweep_ns - 1;
	look(EX, false);
	assert_false(did(SUP_DO_KILL));
	now += 1;
	look(EX, false);
	assert_true(did(SUP_DO_KILL));
	assert_int_equal(state(), SUP_SWEEPING);
	ends(EX, 9);
	assert_int_equal(state(), SUP_PARKED);
	assert_int_equal(s.stage[EX].owes, 1);
}

static void
asked_meanwhile_it_starts_afterwards(void **unused)
{
	(void)unused;
	park(EX);
	ask(EX, SUP_EV_START);
	assert_false(did(SUP_DO_START));
	ends(EX, EXIT(0));
	assert_true(did(SUP_DO_START));
	assert_int_equal(state(), SUP_STARTING);
	/* And not when a stop came in between. */
	park(EX);
	ask(EX, SUP_EV_START);
	ask(EX, SUP_EV_STOP);
	ends(EX, EXIT(0));
	assert_int_equal(state(), SUP_DOWN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(T_43_parked_is_swept_first),
	    cmocka_unit_test(a_stage_without_orders_is_not_swept),
	    cmocka_unit_test(never_ready_owes_nothing),
	    cmocka_unit_test(permanent_after_work_is_swept),
	    cmocka_unit_test(a_sweep_that_fails_stays_owed),
	    cmocka_unit_test(stop_flat_or_swept),
	    cmocka_unit_test(stop_all_sweeps_the_dead),
	    cmocka_unit_test(stop_all_does_not_take_a_sweep_for_the_stage),
	    cmocka_unit_test(found_dead_by_a_new_supervisor),
	    cmocka_unit_test(a_slow_sweep_is_killed),
	    cmocka_unit_test(asked_meanwhile_it_starts_afterwards),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
