/* links: recorderd libsys libshm libcore */
/*
 * Markouts that the recorder notes: once a fill, in its time, or missed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recorderd/mark.h"

#define SEC UINT64_C(1000000000)

static struct mark *m;
static struct tick out[MARK_OUT_MAX];

static uint32_t
fill(uint16_t instr, uint64_t id, enum side side, uint64_t s, uint8_t flags)
{
	union tap t = {
	    .order = {
		.hdr = {.kind = MSG_FILL, .instr = instr, .recv_ns = s * SEC},
		.exec_px = PX(40000000),
		.exec_qty = QTY(E8),
		.fill_id = id,
		.venue = VENUE_POLYMARKET,
		.strategy = STRATEGY_EDGE,
		.side = (uint8_t)side,
		.oflags = flags}};

	return mark_step(m, &t, out);
}

static uint32_t
book(uint16_t instr, int64_t bid, int64_t ask, uint64_t s)
{
	union tap t = {
	    .tick = {
		.hdr = {.kind = TICK_BBO, .instr = instr, .recv_ns = s * SEC}}};

	t.tick.u.bbo = (struct tick_bbo){
	    PX(bid * 1000000), QTY(1), PX(ask * 1000000), QTY(1)};
	return mark_step(m, &t, out);
}

static int
setup(void **state)
{
	static struct cfg cfg;

	(void)state;
	cfg_defaults(&cfg);
	mark_init(m, &cfg);
	return 0;
}

static void
three_times(void **state)
{
	(void)state;
	assert_int_equal(fill(20, 7, SIDE_BID, 100, ORDER_MAKER), 0);
	assert_int_equal(fill(20, 7, SIDE_BID, 101, ORDER_MAKER), 0);
	assert_int_equal(book(20, 44, 46, 120), 0);
	assert_int_equal(book(21, 10, 12, 135), 0);
	assert_int_equal(book(20, 44, 46, 135), 1);
	assert_int_equal(out[0].hdr.kind, TAP_MARKOUT);
	assert_int_equal(out[0].hdr.instr, 20);
	assert_int_equal(out[0].u.markout.fill_id, 7);
	assert_int_equal(out[0].u.markout.mid.e8, 45000000);
	assert_int_equal(out[0].u.markout.horizon_s, 30);
	assert_int_equal(out[0].u.markout.maker, 1);
	assert_int_equal(out[0].u.markout.strategy, STRATEGY_EDGE);
	assert_int_equal(book(20, 44, 46, 225), 1);
	assert_int_equal(out[0].u.markout.horizon_s, 120);
	/* Crossed, one-sided: no mid. Then too late. */
	assert_int_equal(book(20, 46, 44, 705), 0);
	assert_int_equal(book(20, 0, 44, 706), 0);
	assert_int_equal(book(20, 44, 46, 760), 0);
	assert_int_equal(m->m[0].missed_n, 1);
}

static void
not_these(void **state)
{
	(void)state;
	fill(20, 1, SIDE_BID, 1, ORDER_REVERSED);
	fill(20, 2, 0, 1, 0);
	fill(INSTR_N, 3, SIDE_BID, 1, 0);
	assert_int_equal(m->fill_n, 0);
	for (uint16_t i = 0; i < MARK_INSTRS + 5; i++)
		fill((uint16_t)(16 + i), 100u + i, SIDE_ASK, 2, 0);
	assert_int_equal(m->full_n, 5);
	assert_int_equal(m->used_n, MARK_INSTRS);
	assert_int_equal(book(16, 44, 46, 40), 1);
	assert_int_equal(book(16 + MARK_INSTRS, 44, 46, 41), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(three_times, setup),
	    cmocka_unit_test_setup(not_these, setup)};

	m = malloc(sizeof(*m));
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	free(m);
	return rc;
}
