/* links: libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "libshm/instr.h"
#include "tests/unit/shmdir.h"

static struct shmdir dir;
static struct instr_table *table;
static struct err err;

static int
setup(void **state)
{
	(void)state;
	shmdir_open(&dir);
	assert_int_equal(instr_create(dir.fd, 5, &err), 0);
	assert_int_equal(instr_attach(&table, dir.fd, true, &err), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	instr_detach(table);
	shmdir_close(&dir);
	return 0;
}

static void
test_regions(void **state)
{
	uint16_t base;
	uint16_t n;

	(void)state;
	instr_region(VENUE_HYPERLIQUID, &base, &n);
	assert_int_equal(base, INSTR_HL_BASE);
	assert_int_equal(n, INSTR_HL_N);
	assert_int_equal(instr_venue(0), 0);
	assert_int_equal(instr_venue(INSTR_PM_BASE - 1), 0);
	assert_int_equal(instr_venue(INSTR_PM_BASE), VENUE_POLYMARKET);
	assert_int_equal(instr_venue(INSTR_BN_BASE - 1), VENUE_POLYMARKET);
	assert_int_equal(instr_venue(INSTR_BN_BASE), VENUE_BINANCE);
	assert_int_equal(instr_venue(INSTR_HL_BASE - 1), VENUE_BINANCE);
	assert_int_equal(instr_venue(INSTR_N - 1), VENUE_HYPERLIQUID);
	assert_int_equal(instr_venue(INSTR_N), 0);
	assert_int_equal(instr_venue(UINT16_MAX), 0);
}

static void
test_write_read(void **state)
{
	struct instr in = {.symbol = "BTC",
	    .venue = VENUE_HYPERLIQUID,
	    .cls = CLASS_PERP,
	    .state = INSTR_NORMAL,
	    .epoch = 3,
	    .tick_px = PX(E8),
	    .asset_idx = 7};
	struct instr out;
	const uint16_t idx = INSTR_HL_BASE + 5;

	(void)state;
	memset(in.token_no, 0xab, sizeof(in.token_no));
	assert_false(instr_read(table, idx, &out));
	assert_false(instr_read(table, INSTR_N, &out));
	instr_write(table, idx, &in);
	assert_true(instr_read(table, idx, &out));
	assert_memory_equal(&in, &out, sizeof(in));
	assert_false(instr_read(table, idx + 1, &out));
	assert_int_equal(table->changes[VENUE_HYPERLIQUID][0], 1);
	assert_int_equal(table->changes[VENUE_BINANCE][0], 0);
	in.state = 0;
	instr_write(table, idx, &in);
	assert_false(instr_read(table, idx, &out));
	assert_int_equal(table->changes[VENUE_HYPERLIQUID][0], 2);
}

/* A writer that died in the middle: unreadable until written again. */
static void
test_writer_dies(void **state)
{
	struct instr in = {.venue = VENUE_BINANCE, .state = INSTR_NORMAL};
	struct instr out;

	(void)state;
	instr_write(table, INSTR_BN_BASE, &in);
	table->entry[INSTR_BN_BASE].lock++;
	assert_false(instr_read(table, INSTR_BN_BASE, &out));
	instr_write(table, INSTR_BN_BASE, &in);
	assert_true(instr_read(table, INSTR_BN_BASE, &out));
	assert_int_equal(table->entry[INSTR_BN_BASE].lock & 1, 0);
}

static void
test_contracts(void **state)
{
	struct instr in = {.venue = VENUE_BINANCE, .state = INSTR_NORMAL};
	uint16_t base;
	uint16_t n;

	(void)state;
	assert_check_fails(instr_write(table, 0, &in));
	assert_check_fails(instr_write(table, INSTR_HL_BASE, &in));
	assert_check_fails(instr_region(VENUE_N, &base, &n));
	assert_check_fails(instr_region((enum venue)0, &base, &n));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(test_regions),
	    T(test_write_read),
	    T(test_writer_dies),
	    T(test_contracts),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
