/* links: libcore */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "libcore/queue.h"

#define T0 UINT64_C(1000000000000)

static void
test_join(void **state)
{
	struct queue q;

	(void)state;
	queue_join(&q, QUEUE_BACK, QTY(100));
	assert_int_equal(q.ahead.e8, 100);
	queue_join(&q, QUEUE_FRONT, QTY(100));
	assert_int_equal(q.ahead.e8, 0);
}

static void
test_only_trades_advance(void **state)
{
	struct queue q;

	(void)state;
	queue_join(&q, QUEUE_BACK, QTY(100));
	queue_level(&q, QTY(250), T0); /* others join behind us */
	assert_int_equal(q.ahead.e8, 100);
	queue_level(&q, QTY(150), T0); /* a cancel: may be behind us */
	assert_int_equal(q.ahead.e8, 100);
	assert_int_equal(queue_trade(&q, QTY(60), T0).e8, 0);
	assert_int_equal(q.ahead.e8, 40);
	assert_int_equal(queue_trade(&q, QTY(70), T0).e8, 30);
	assert_int_equal(q.ahead.e8, 0);
	assert_int_equal(queue_trade(&q, QTY(5), T0).e8, 5);
}

static void
test_no_more_ahead_than_displayed(void **state)
{
	struct queue q;

	(void)state;
	queue_join(&q, QUEUE_BACK, QTY(100));
	queue_level(&q, QTY(30), T0);
	assert_int_equal(q.ahead.e8, 30);
	queue_resnap(&q, QTY(80)); /* a gap never makes it better ... */
	assert_int_equal(q.ahead.e8, 30);
	queue_resnap(&q, QTY(10)); /* ... than the display allows */
	assert_int_equal(q.ahead.e8, 10);
}

/* The level shrinks, then the print arrives that shrank it. */
static void
test_print_after_level_counts_once(void **state)
{
	struct queue q;

	(void)state;
	queue_join(&q, QUEUE_BACK, QTY(10));
	queue_level(&q, QTY(0), T0);
	assert_int_equal(queue_trade(&q, QTY(10), T0 + 1000).e8, 0);
	assert_int_equal(queue_trade(&q, QTY(7), T0 + 2000).e8, 7);
}

static void
test_print_before_level_counts_once(void **state)
{
	struct queue q;

	(void)state;
	queue_join(&q, QUEUE_BACK, QTY(10));
	assert_int_equal(queue_trade(&q, QTY(4), T0).e8, 0);
	queue_level(&q, QTY(6), T0 + 1000);
	assert_int_equal(q.ahead.e8, 6);
	assert_int_equal(queue_trade(&q, QTY(8), T0 + 2000).e8, 2);
}

/* A cancel ahead of us is not for ever taken for a trade. */
static void
test_echo_fades(void **state)
{
	struct queue q;

	(void)state;
	queue_join(&q, QUEUE_BACK, QTY(10));
	queue_level(&q, QTY(0), T0);
	assert_int_equal(queue_trade(&q, QTY(3), T0 + QUEUE_ECHO_NS + 1).e8, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_join),
	    cmocka_unit_test(test_only_trades_advance),
	    cmocka_unit_test(test_no_more_ahead_than_displayed),
	    cmocka_unit_test(test_print_after_level_counts_once),
	    cmocka_unit_test(test_print_before_level_counts_once),
	    cmocka_unit_test(test_echo_fades),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
