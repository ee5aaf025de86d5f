/* links: libsys libshm libcore */
/*
 * T-48 over real sockets: a venue whose Date is five seconds ahead freezes
 * that venue alone, by name and with the figure; it thaws by itself.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "libcore/fixed.h"
#include "tests/pipeline/proc.h"
#include "tests/pipeline/rig.h"

static struct rig rig;

static int
setup(void **state)
{
	FILE *f;

	(void)state;
	rig_init(&rig, "skew");
	f = fopen(rig_path(&rig, "faults"), "w");
	if (f == NULL)
		return -1;
	fputs("{\"name\":\"date_skew\",\"venue\":\"polymarket\",\"value\":5,"
	      "\"for_ms\":12000,\"at_ms\":0}\n",
	    f);
	return fclose(f);
}

static int
teardown(void **state)
{
	(void)state;
	rig_free(&rig);
	return 0;
}

static uint64_t
gate(enum venue v)
{
	return ctl_gate_told(rig.ctl, v, proc_now_ns(), true);
}

static int64_t
skew_ms(enum stage_id st)
{
	return metrics_link(rig.metrics[st], 0, LF_SKEW_MS);
}

static void
T_48_skew_freezes_its_venue(void **state)
{
	const char *venue[] = {"--capture", "simvenue/captures", "--pace", "5",
	    "--faults", rig_path(&rig, "faults"), NULL};

	(void)state;
	/* Each look at the list of markets brings a Date. */
	rig_set(&rig, "discovery.poll=1s");
	if (!rig_venue(&rig, venue))
		fail_msg("%s", rig.out);
	RIG_EXPECT(&rig, rig_sup(&rig, "start", "all", NULL), 0);
	assert_true(rig_attach(&rig));
	RIG_UNTIL(&rig, (gate(VENUE_POLYMARKET) & FREEZE_CLOCK) != 0);
	assert_true(skew_ms(ST_FEEDD_PM) > 3500);
	assert_true(skew_ms(ST_FEEDD_PM) <= 5100);
	assert_int_equal(gate(VENUE_HYPERLIQUID) & FREEZE_CLOCK, 0);
	assert_int_equal(skew_ms(ST_FEEDD_HL), 0);
	RIG_UNTIL(&rig, (gate(VENUE_POLYMARKET) & FREEZE_CLOCK) == 0);
	assert_int_equal(skew_ms(ST_FEEDD_PM), 0);
	RIG_EXPECT(&rig, rig_sup(&rig, "logs", "-n", "200", "riskd", NULL), 0);
	assert_non_null(strstr(rig.out, "clock_frozen"));
	assert_non_null(strstr(rig.out, "cause=skew"));
	assert_non_null(strstr(rig.out, "venue=polymarket"));
	assert_non_null(strstr(rig.out, "clock_good"));
	RIG_EXPECT(&rig, rig_sup(&rig, "stop", "all", NULL), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		T_48_skew_freezes_its_venue, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
