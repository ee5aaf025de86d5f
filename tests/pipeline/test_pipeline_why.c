/* links: libsys libshm libcore */
/* `supervisor why` on a pipeline of real processes: every market that is
 * traded is there, its figures add up, and they outlive quoted. */
#define _GNU_SOURCE
#include <jansson.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "libshm/why.h"
#include "tests/pipeline/proc.h"
#include "tests/pipeline/rig.h"

static struct rig rig;

static int
setup(void **state)
{
	(void)state;
	rig_init(&rig, "why");
	rig_quick(&rig);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rig_free(&rig);
	return 0;
}

static int
part_of(const char *label)
{
	for (unsigned i = 0; i < WHY_N; i++)
		if (strcmp(why_def((enum why_id)i)->label, label) == 0)
			return why_def((enum why_id)i)->part;
	fail_msg("no filter %s", label);
	return 0;
}

static int64_t
whole(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	assert_true(json_is_integer(v));
	return json_integer_value(v);
}

/* Looks of a side, after holding them against its filters. */
static int64_t
side(const json_t *s)
{
	const json_t *filters = json_object_get(s, "filters");
	int64_t refused = 0;
	int64_t untaken = 0;
	size_t i;
	json_t *f;

	json_array_foreach(filters, i, f)
	{
		const char *label =
		    json_string_value(json_object_get(f, "filter"));

		if (part_of(label) == WHY_PART_TAKE)
			untaken += whole(f, "refusals");
		else
			refused += whole(f, "refusals");
	}
	assert_int_equal(whole(s, "looks"), whole(s, "quoted") + refused);
	assert_int_equal(whole(s, "signals"), whole(s, "taken") + untaken);
	return whole(s, "looks");
}

/* Looks at what is traded; how many of these are found goes to *n. */
static int64_t
ask(unsigned *n)
{
	int64_t looks = 0;

	*n = 0;
	for (uint32_t i = 1; i < INSTR_N && *n < 8; i++) {
		struct instr in;
		json_t *o;

		if (!instr_read(rig.table, (uint16_t)i, &in) ||
		    in.cls == CLASS_SPOT || in.cls == CLASS_INDEX ||
		    rig_sup(&rig, "--json", "why", in.symbol, NULL) != 0)
			continue;
		o = json_loads(rig.out, JSON_DISABLE_EOF_CHECK, NULL);
		if (o == NULL)
			fail_msg("no JSON: %.300s", rig.out);
		assert_string_equal(
		    json_string_value(json_object_get(o, "market")), in.symbol);
		looks += side(json_object_get(o, "bid"));
		side(json_object_get(o, "ask"));
		json_decref(o);
		(*n)++;
	}
	return looks;
}

static void
it_is_told_why_and_adds_up(void **state)
{
	const char *const options[] = {
	    "--capture", "simvenue/captures", "--pace", "20", NULL};
	int64_t before;
	uint64_t pid;
	unsigned n;

	(void)state;
	if (!rig_venue(&rig, options))
		fail_msg("%s", rig.out);
	RIG_EXPECT(&rig, rig_sup(&rig, "start", "all", NULL), 0);
	assert_true(rig_attach(&rig));
	RIG_TRADES(&rig);
	before = ask(&n);
	assert_true(n >= 2);
	assert_true(before > 0);
	pid = rig_pid(&rig, ST_QUOTED);
	kill((pid_t)pid, SIGKILL);
	RIG_UNTIL(&rig,
	    rig_pid(&rig, ST_QUOTED) != pid && rig_ready(&rig, ST_QUOTED));
	assert_true(ask(&n) >= before);
	RIG_EXPECT(&rig, rig_sup(&rig, "why", NULL), 0);
	assert_non_null(strstr(rig.out, "bid "));
	RIG_EXPECT(&rig, rig_sup(&rig, "why", "no-such-market", NULL), 1);
	RIG_EXPECT(&rig, rig_sup(&rig, "stop", "all", NULL), 0);
	RIG_EXPECT(&rig, rig_sup(&rig, "why", NULL), 69);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		it_is_told_why_and_adds_up, setup, teardown),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
