/* links: recorderd libcore */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "recorderd/thrift.h"

/* Bytes worked out by hand from the compact protocol's description. */
static void
fields_and_lists(void **state)
{
	uint8_t buf[64];
	struct thrift t;
	static const uint8_t want[] = {
	    0x15,
	    0x02, /* 1: i32 1                           */
	    0x26,
	    0x01, /* 3: i64 -1                          */
	    0x05,
	    0x28,
	    0xac,
	    0x02, /* 20: i32 150, id in full            */
	    0x11, /* 21: true                           */
	    0x18,
	    0x02,
	    'h',
	    'i', /* 22: binary                         */
	    0x19,
	    0x25,
	    0x02,
	    0x04, /* 23: list of two i32                */
	    0x1c,
	    0x15,
	    0x00,
	    0x00, /* 24: struct { 1: i32 0 }            */
	    0x22, /* 26: false                          */
	    0x00,
	};

	(void)state;
	thrift_init(&t, buf, sizeof(buf));
	thrift_i32(&t, 1, 1);
	thrift_i64(&t, 3, -1);
	thrift_i32(&t, 20, 150);
	thrift_bool(&t, 21, true);
	thrift_binary(&t, 22, "hi", 2);
	thrift_list(&t, 23, THRIFT_I32, 2);
	thrift_elem_i32(&t, 1);
	thrift_elem_i32(&t, 2);
	thrift_struct(&t, 24);
	thrift_i32(&t, 1, 0);
	thrift_end(&t);
	thrift_bool(&t, 26, false);
	thrift_end(&t);
	assert_false(t.full);
	assert_int_equal(t.depth, 0);
	assert_int_equal(t.len, sizeof(want));
	assert_memory_equal(buf, want, sizeof(want));
}

static void
long_list(void **state)
{
	uint8_t buf[64];
	struct thrift t;

	(void)state;
	thrift_init(&t, buf, sizeof(buf));
	thrift_list(&t, 1, THRIFT_STRUCT, 300);
	assert_int_equal(t.len, 4);
	assert_int_equal(buf[1], 0xfc);
	assert_int_equal(buf[2], 0xac);
	assert_int_equal(buf[3], 0x02);
}

static void
uvarint_edges(void **state)
{
	uint8_t p[10];

	(void)state;
	assert_int_equal(thrift_uvarint(p, 0), 1);
	assert_int_equal(thrift_uvarint(p, 127), 1);
	assert_int_equal(thrift_uvarint(p, 128), 2);
	assert_int_equal(thrift_uvarint(p, UINT64_MAX), 10);
	assert_int_equal(p[9], 1);
	assert_int_equal(thrift_zigzag(INT64_MIN), UINT64_MAX);
	assert_int_equal(thrift_zigzag(-1), 1);
}

/* Every buffer one byte too small is noticed, and nothing is written past
 * its end. */
static void
full_is_sticky(void **state)
{
	(void)state;
	for (size_t cap = 0; cap < 9; cap++) {
		uint8_t buf[16];
		struct thrift t;

		memset(buf, 0xee, sizeof(buf));
		thrift_init(&t, buf, cap);
		thrift_binary(&t, 1, "seven77", 7);
		assert_true(t.full);
		thrift_i32(&t, 2, 1);
		assert_true(t.full);
		assert_true(t.len <= cap);
		for (size_t i = cap; i < sizeof(buf); i++)
			assert_int_equal(buf[i], 0xee);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_and_lists),
	    cmocka_unit_test(long_list),
	    cmocka_unit_test(uvarint_edges),
	    cmocka_unit_test(full_is_sticky),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
