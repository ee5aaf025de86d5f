/* links: feedd libvenue libshm libcore */
/* When requests over HTTP may leave again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "feedd/resthold.h"
#include "libcore/fixed.h"

#define S    ((uint64_t)NS_PER_S)
#define NOW  (1000 * S)
#define WALL (INT64_C(1800000000) * NS_PER_S) /* a minute begins */

static uint32_t
left_s(struct resthold *h, struct resthold_answer a)
{
	a.now_ns = NOW;
	if (a.wall_ns == 0)
		a.wall_ns = WALL;
	resthold_take(h, &a);
	return resthold_left_s(h, NOW);
}

static void
answers_hold_for(void **state)
{
	static const struct {
		struct resthold_answer a;
		uint32_t left_s;
	} rows[] = {
	    {{.status = 200}, 0},
	    {{.status = 0}, 0},
	    {{.status = 404}, 0},
	    {{.status = 503}, 0},
	    {{.status = 425}, 0},
	    {{.status = 418}, 60},
	    {{.status = 429}, 60},
	    {{.status = 429, .retry_after_s = 7}, 7},
	    {{.status = 418, .retry_after_s = 259200}, 259200},
	    {{.status = 425, .retry_after_s = 3}, 3},
	    {{.status = 503, .retry_after_s = 9}, 9},
	    {{.status = 200, .used_weight = 4799}, 0},
	    {{.status = 200, .used_weight = 4800}, 60},
	    {{.status = 200,
		 .used_weight = 5999,
		 .wall_ns = WALL + 59 * NS_PER_S},
		1},
	    {{.status = 429, .retry_after_s = 2, .used_weight = 6000}, 60},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct resthold h = {0};

		assert_int_equal(left_s(&h, rows[i].a), rows[i].left_s);
	}
}

static void
shorter_word_cuts_nothing(void **state)
{
	struct resthold h = {0};

	(void)state;
	left_s(
	    &h, (struct resthold_answer){.status = 418, .retry_after_s = 100});
	assert_int_equal(left_s(&h, (struct resthold_answer){.status = 429,
					.retry_after_s = 5}),
	    100);
	assert_int_equal(
	    left_s(&h, (struct resthold_answer){.status = 200}), 100);
	assert_int_equal(resthold_left_s(&h, NOW + 99 * S + 1), 1);
	assert_int_equal(resthold_left_s(&h, NOW + 100 * S), 0);
	assert_int_equal(resthold_left_s(&h, NOW + 200 * S), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers_hold_for),
	    cmocka_unit_test(shorter_word_cuts_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
