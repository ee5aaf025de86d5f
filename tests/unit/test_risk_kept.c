/* links: riskd libshm libcore */
/* The day and the positions through an image into the next run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "libshm/ctl.h"
#include "tests/unit/riskkit.h"

static struct kit k;
static struct kit next;
static struct risk_image img;

/* A second core, which has seen nothing of the run before. */
static int
open_kits(void **state)
{
	(void)state;
	kit_open(&k);
	memset(&next, 0, sizeof(next));
	next.cfg = k.cfg;
	next.now = MS(5);
	next.wall = k.wall;
	next.id = QEPOCH;
	next.r = calloc(1, sizeof(*next.r));
	risk_init(next.r, &next.cfg, 1);
	return 0;
}

static int
close_kits(void **state)
{
	(void)state;
	free(next.r);
	kit_close(&k);
	return 0;
}

static void
restart(void)
{
	memset(&img, 0xa5, sizeof(img));
	assert_int_equal(risk_image_take(k.r, &img), 0);
	assert_true(risk_image_load(next.r, &img));
	next.r->dirty_n = 0;
}

/* Names of the kit at other indices. */
static void
come_back(void)
{
	kit_instr(
	    &next, HL + 7, CLASS_PERP, k.r->instr[HL].symbol, INSTR_NORMAL);
	kit_instr(
	    &next, PM + 9, CLASS_UPDOWN, k.r->instr[PM].symbol, INSTR_NORMAL);
}

/* A long binary, a short perpetual with fees, something realised. */
static void
trade(void)
{
	struct order o;

	kit_fill(&k, PM, SIDE_BID, 77, CENT(50), UNIT(20), UNIT(20));
	kit_fill(&k, PM, SIDE_ASK, 78, CENT(53), UNIT(7), UNIT(7));
	memset(&o, 0, sizeof(o));
	o.hdr.kind = MSG_FILL;
	o.hdr.instr = HL;
	o.side = SIDE_ASK;
	o.id = 79;
	o.fill_id = 1234;
	o.exec_px = PX(INT64_C(333333333));
	o.exec_qty = o.cum_qty = QTY(INT64_C(777777777));
	o.usd = USD(3333);
	kit_order(&k, RG_REPORT_HL_R, &o);
	/* At an average price that is no whole number. */
	o.fill_id++;
	o.exec_px.e8 += 7;
	o.exec_qty = QTY(10);
	o.cum_qty.e8 += 10;
	kit_order(&k, RG_REPORT_HL_R, &o);
	assert_int_equal(k.r->instr[HL].pos.qty.e8, -777777787);
	kit_bbo(&k, PM, CENT(41), CENT(44));
	kit_bbo(&k, HL, CENT(391), CENT(393));
}

/* P&L, exposure and worst outcome are those of the run before: at once, and
 * when every instrument has come back. */
static void
T_23_positions_survive_the_run(void **state)
{
	const struct risk_instr *in;

	(void)state;
	trade();
	restart();
	assert_int_equal(next.r->kept_n, 2);
	for (int placed = 0; placed < 2; placed++) {
		assert_int_equal(risk_pnl(next.r).e6, risk_pnl(k.r).e6);
		assert_int_equal(next.r->unrealised.e6, k.r->unrealised.e6);
		assert_int_equal(next.r->exposure.e6, k.r->exposure.e6);
		assert_int_equal(next.r->worst.e6, k.r->worst.e6);
		assert_memory_equal(
		    &next.r->loss, &k.r->loss, sizeof(k.r->loss));
		come_back();
	}
	assert_int_equal(next.r->kept_n, 0);
	in = &next.r->instr[PM + 9];
	assert_memory_equal(
	    &in->pos, &k.r->instr[PM].pos, sizeof(struct position));
	assert_int_equal(in->mark.e8, k.r->instr[PM].mark.e8);
	assert_memory_equal(&next.r->instr[HL + 7].pos, &k.r->instr[HL].pos,
	    sizeof(struct position));
	/* An old mark values a position; it does not price an order. */
	kit_links_good(&next);
	risk_thaw(next.r, next.now, &next.out);
	assert_int_equal(kit_intent(&next, PM + 9, SIDE_ASK, CENT(43), UNIT(5)),
	    REASON_NO_MARK);
	/* The next run of the next run holds the same. */
	assert_int_equal(risk_image_take(next.r, &img), 0);
	assert_int_equal(img.n, 2);
}

/* A book at -99 of a limit of -100 has one dollar left after a restart. */
static void
T_23_no_clean_allowance(void **state)
{
	(void)state;
	k.cfg.mm_global_daily_loss_limit = USD(100 * E6);
	next.cfg = k.cfg;
	risk_init(next.r, &next.cfg, 1);
	kit_step(&k, EV_CFG, RG_INTENT, 0, 0);
	kit_fill(&k, PM, SIDE_BID, 77, CENT(60), UNIT(180), UNIT(180));
	kit_bbo(&k, PM, CENT(4), CENT(6));
	assert_int_equal(risk_pnl(k.r).e6, -99 * E6);
	restart();
	kit_wait(&next, 1);
	assert_int_equal(risk_pnl(next.r).e6, -99 * E6);
	assert_int_equal(next.r->loss.latched, 0);
	come_back();
	kit_bbo(&next, PM + 9, CENT(3), CENT(4));
	assert_int_equal(next.r->loss.latched, FREEZE_DAILY_LOSS);
}

/* What waits is in the store, for riskd may die alone; and in the hash. */
static void
test_unplaced_in_records(void **state)
{
	static uint8_t rec[RISK_REC_N][RISK_REC_SZ];
	struct risk *b = calloc(1, sizeof(*b));

	(void)state;
	trade();
	restart();
	for (uint32_t i = 0; i < RISK_REC_N; i++)
		risk_save(next.r, i, rec[i]);
	risk_init(b, &next.cfg, 1);
	for (uint32_t i = 0; i < RISK_REC_N; i++)
		assert_true(risk_load(b, i, rec[i]));
	risk_loaded(b);
	assert_int_equal(risk_pnl(b).e6, risk_pnl(k.r).e6);
	assert_int_equal(b->worst.e6, k.r->worst.e6);
	assert_true(risk_hash(b) == risk_hash(next.r));
	b->kept[1].pos.qty.e8++;
	assert_true(risk_hash(b) != risk_hash(next.r));
	rec[RISK_REC_KEPT][0] = '\0'; /* no symbol */
	assert_false(risk_load(b, RISK_REC_KEPT, rec[RISK_REC_KEPT]));
	free(b);
}

/* A placement says which records it changed. */
static void
test_placement_is_dirty(void **state)
{
	struct instr in = {.symbol = "x",
	    .cls = CLASS_PERP,
	    .state = INSTR_NORMAL,
	    .tick_px = CENT(1)};
	uint32_t seen = 0;

	(void)state;
	trade();
	restart();
	memcpy(in.symbol, k.r->instr[HL].symbol, sizeof(in.symbol));
	/* A name of another venue is another instrument. */
	risk_instr_set(next.r, PM + 1, &in);
	assert_int_equal(next.r->kept_n, 2);
	next.r->dirty_n = 0;
	risk_instr_set(next.r, HL + 7, &in);
	assert_int_equal(next.r->kept_n, 1);
	for (uint32_t d = 0; d < next.r->dirty_n; d++) {
		seen |= next.r->dirty[d] == 0 ? 1u : 0;
		seen |= next.r->dirty[d] == RISK_REC_INSTR + HL + 7 ? 2u : 0;
		seen |= next.r->dirty[d] >= RISK_REC_KEPT ? 4u : 0;
	}
	assert_int_equal(seen, 7);
}

/* A fill came before the instrument: nothing of either is lost. */
static void
test_merges_to_the_last_unit(void **state)
{
	static const struct {
		enum side side;
		int units;
	} fills[] = {{SIDE_BID, 3}, {SIDE_ASK, 3}, {SIDE_BID, 9}};

	(void)state;
	for (int f = 0; f < 3; f++) {
		const struct position *a;
		const struct position *b;
		qty_t q = UNIT(fills[f].units);
		i128_t cash;
		i128_t day;

		close_kits(0);
		open_kits(0);
		a = &k.r->instr[HL].pos;
		b = &next.r->instr[HL + 7].pos;
		trade();
		restart();
		kit_fill(&next, HL + 7, fills[f].side, 5, CENT(391), q, q);
		cash = a->realised_e16 - a->cost_e16 + b->realised_e16 -
		       b->cost_e16;
		day = next.r->loss.realised_e16 - b->realised_e16;
		come_back();
		assert_int_equal(b->qty.e8,
		    -777777787 + (fills[f].side == SIDE_BID ? q.e8 : -q.e8));
		assert_true(b->realised_e16 - b->cost_e16 == cash);
		/* The day got what closing against each other realised. */
		assert_true(next.r->loss.realised_e16 - b->realised_e16 ==
			    day - a->realised_e16);
	}
}

/* More positions than there is room: counted, and positions go first. */
static void
test_full(void **state)
{
	char symbol[16];

	(void)state;
	kit_fill(&k, HL, SIDE_BID, 5, CENT(100), UNIT(3), UNIT(3));
	kit_fill(&k, HL, SIDE_ASK, 6, CENT(101), UNIT(3), UNIT(3));
	for (uint16_t i = 0; i < RISK_KEPT; i++) {
		snprintf(symbol, sizeof(symbol), "m%u", i);
		kit_instr(
		    &k, (uint16_t)(PM + i), CLASS_UPDOWN, symbol, INSTR_NORMAL);
		kit_fill(&k, (uint16_t)(PM + i), SIDE_BID, 100u + i, CENT(50),
		    UNIT(1), UNIT(1));
	}
	assert_int_equal(risk_image_take(k.r, &img), 1);
	assert_int_equal(img.n, RISK_KEPT);
	for (uint32_t n = 0; n < img.n; n++)
		assert_true(img.kept[n].pos.qty.e8 != 0);
	assert_true(risk_image_load(next.r, &img));
	assert_int_equal(next.r->kept_n, RISK_KEPT);
}

/* A file is never believed in what cannot be. */
static void
test_nonsense_is_refused(void **state)
{
	(void)state;
	trade();
	for (int bad = 0; bad < 6; bad++) {
		struct risk_kept *e = &img.kept[1];

		assert_int_equal(risk_image_take(k.r, &img), 0);
		assert_int_equal(img.n, 2);
		switch (bad) {
		case 0: img.n = RISK_KEPT + 1; break;
		case 1: e->symbol[0] = '\0'; break;
		case 2: e->venue = VENUE_N; break;
		case 3: e->mark.e8 = -1; break;
		case 4: e->pos.qty.e8 = QTY_E8_MAX + 1; break;
		case 5: e->pos.cost_e16 = -e->pos.cost_e16; break;
		}
		assert_false(risk_image_load(next.r, &img));
		assert_int_equal(next.r->kept_n, 0);
		assert_int_equal(next.r->loss.fees.e6, 0);
	}
}

/* A window that ended meanwhile waits for its outcome, however long. */
static void
test_window_that_is_over(void **state)
{
	usd_t pnl;

	(void)state;
	k.r->instr[PM].end_wall_ns = k.wall + 1;
	trade();
	restart();
	pnl = risk_pnl(next.r);
	kit_wait(&next, 1);
	kit_wait(&next, UINT64_C(3600000000000));
	kit_wait(&next, 1);
	assert_int_equal(next.r->kept_n, 2);
	assert_int_equal(risk_pnl(next.r).e6, pnl.e6);
	assert_int_equal(next.r->stat.settled, 0);
}

/* What is flat is carried for one run, the day's sum for all of the day. */
static void
test_flat_entries_end(void **state)
{
	(void)state;
	kit_fill(&k, HL, SIDE_BID, 5, CENT(100), UNIT(3), UNIT(3));
	kit_fill(&k, HL, SIDE_ASK, 6, CENT(101), UNIT(3), UNIT(3));
	restart();
	assert_int_equal(next.r->kept_n, 1);
	assert_int_equal(risk_image_take(next.r, &img), 0);
	risk_init(next.r, &next.cfg, 1);
	assert_true(risk_image_load(next.r, &img));
	assert_int_equal(next.r->kept_n, 0);
	assert_int_equal(risk_pnl(next.r).e6, risk_pnl(k.r).e6);
}

#define T(f) cmocka_unit_test_setup_teardown(f, open_kits, close_kits)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(T_23_positions_survive_the_run),
	    T(T_23_no_clean_allowance),
	    T(test_unplaced_in_records),
	    T(test_placement_is_dirty),
	    T(test_merges_to_the_last_unit),
	    T(test_full),
	    T(test_nonsense_is_refused),
	    T(test_window_that_is_over),
	    T(test_flat_entries_end),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
