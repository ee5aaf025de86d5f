/* links: feedd libvenue libshm libcore */
/*
 * A line at most once a minute and cause, with how often it would have been.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "feedd/said.h"

#define SEC UINT64_C(1000000000)

static void
once_a_minute_with_a_count(void **state)
{
	struct said s = {0};
	uint32_t n = 0;
	uint32_t lines = 0;
	uint32_t sum = 0;

	(void)state;
	for (uint64_t i = 0; i < 300; i++)
		if (said_again(&s, 7, SEC + i * SEC, &n)) {
			lines++;
			sum += n;
			assert_int_equal(n, i == 0 ? 1 : 60);
		}
	assert_int_equal(lines, 5);
	assert_int_equal(sum, 241);
}

static void
another_cause_is_told_at_once(void **state)
{
	struct said s = {0};
	uint32_t n = 0;

	(void)state;
	assert_true(said_again(&s, 1, SEC, &n));
	assert_false(said_again(&s, 1, 2 * SEC, &n));
	assert_true(said_again(&s, 2, 2 * SEC, &n));
	assert_int_equal(n, 1);
}

static void
each_cause_has_its_record(void **state)
{
	struct said list[SAID_CAUSES] = {0};
	uint32_t n;

	(void)state;
	for (uint32_t k = 1; k <= SAID_CAUSES; k++)
		assert_true(said_again(said_of(list, k), k, k * SEC, &n));
	for (uint32_t k = 1; k <= SAID_CAUSES; k++)
		assert_false(said_again(said_of(list, k), k, 20 * SEC, &n));
	/* No room: the oldest goes. */
	assert_true(said_again(said_of(list, 99), 99, 21 * SEC, &n));
	assert_false(said_again(said_of(list, 2), 2, 22 * SEC, &n));
	assert_true(said_again(said_of(list, 1), 1, 23 * SEC, &n));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(once_a_minute_with_a_count),
	    cmocka_unit_test(another_cause_is_told_at_once),
	    cmocka_unit_test(each_cause_has_its_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
