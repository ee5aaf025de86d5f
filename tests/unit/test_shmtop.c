/* links: shmtop libsys libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "libcore/reasons.h"
#include "shmtop/check.h"
#include "shmtop/decode.h"
#include "shmtop/pane.h"
#include "shmtop/text.h"
#include "tests/unit/shmdir.h"

/* Far too large for the stack. */
static struct canvas canvas;
static struct snap snap;
static struct track track;
static struct check_list found;

static const char *
line(int row)
{
	static char buf[CANVAS_COLS_MAX * 4 + 1];

	canvas_line(&canvas, row, buf);
	return buf;
}

/* Any row that holds the text. */
static bool
shows(const char *text)
{
	for (int r = 0; r < canvas.rows; r++)
		if (strstr(line(r), text) != NULL)
			return true;
	return false;
}

/* ---- text ---- */

static void
figures(void **unused)
{
	static const struct {
		uint64_t ns;
		const char *want;
	} dur[] = {
	    {0, "0ns"},
	    {999, "999ns"},
	    {1500, "1.5us"},
	    {73700, "74us"},
	    {8200000, "8.2ms"},
	    {590000000, "590ms"},
	    {9500000000, "9.5s"},
	    {59999999999, "59s"},
	    {185000000000, "3m05s"},
	    {7440000000000, "2h04m"},
	    {442800000000000, "5d03h"},
	};
	static const struct {
		double v;
		const char *want;
	} count[] = {
	    {0, "0"},
	    {7, "7"},
	    {2.5, "2.5"},
	    {950, "950"},
	    {1234, "1.2k"},
	    {34000000, "34M"},
	};
	static const struct {
		int64_t e6;
		const char *want;
	} usd[] = {
	    {0, "0.00"},
	    {9999, "0.00"},
	    {-9999, "0.00"},
	    {120000, "+0.12"},
	    {-1990000, "-1.99"},
	    {INT64_MIN, "-9223372036854.77"},
	};
	char buf[TEXT_SZ];

	(void)unused;
	for (size_t i = 0; i < sizeof(dur) / sizeof(dur[0]); i++)
		assert_string_equal(text_dur(dur[i].ns, buf), dur[i].want);
	for (size_t i = 0; i < sizeof(count) / sizeof(count[0]); i++)
		assert_string_equal(text_count(count[i].v, buf), count[i].want);
	for (size_t i = 0; i < sizeof(usd) / sizeof(usd[0]); i++)
		assert_string_equal(text_usd(usd[i].e6, buf), usd[i].want);
	assert_string_equal(text_bytes(2048, buf), "2.0KiB");
	assert_string_equal(text_px(PX(51000000), buf), "0.51");
	assert_string_equal(text_px(PX(0), buf), "-");
	assert_string_equal(text_qty(QTY(123456789), 2, buf), "1.23");
	assert_string_equal(text_qty(QTY(-123456789), 2, buf), "-1.23");
}

/* ---- canvas ---- */

static void
drawing_is_clipped(void **unused)
{
	(void)unused;
	canvas_init(&canvas, 10, 2, false);
	canvas_put(&canvas, 0, 7, COL_PLAIN, "abcdef");
	canvas_put(&canvas, 5, 0, COL_PLAIN, "below");
	canvas_put(&canvas, -1, 0, COL_PLAIN, "above");
	canvas_put(&canvas, 1, -2, COL_PLAIN, "left");
	assert_string_equal(line(0), "       abc");
	assert_string_equal(line(1), "ft");
	canvas_init(&canvas, 100000, -5, false);
	assert_int_equal(canvas.cols, CANVAS_COLS_MAX);
	assert_int_equal(canvas.rows, 1);
}

static void
utf8_is_one_column(void **unused)
{
	(void)unused;
	canvas_init(&canvas, 20, 1, false);
	assert_int_equal(canvas_put(&canvas, 0, 0, COL_PLAIN, "a\u2588b"), 3);
	assert_string_equal(line(0), "a\u2588b");
	/* Bytes that are no UTF-8, and control bytes, do no harm. */
	canvas_init(&canvas, 20, 1, false);
	canvas_put(&canvas, 0, 0, COL_PLAIN, "x\xff\x1b[2Jy");
	assert_string_equal(line(0), "x??[2Jy");
	canvas_init(&canvas, 20, 1, true);
	canvas_put(&canvas, 0, 0, COL_PLAIN, "a\u2588b");
	assert_string_equal(line(0), "a?b");
}

static void
bars(void **unused)
{
	(void)unused;
	canvas_init(&canvas, 20, 1, true);
	canvas_bar(&canvas, 0, 0, 8, 0.5, 1.0);
	assert_string_equal(line(0), "####...|");
	/* Something is never shown as nothing. */
	canvas_init(&canvas, 20, 1, true);
	canvas_bar(&canvas, 0, 0, 8, 0.0001, 0);
	assert_string_equal(line(0), "#.......");
	canvas_init(&canvas, 20, 1, false);
	canvas_bar(&canvas, 0, 0, 4, 7.5, -1);
	assert_string_equal(line(0), "\u2588\u2588\u2588\u2588");
}

/* ---- tracker ---- */

static void
order_slot(union tap *t, uint8_t kind, uint64_t id, int64_t px, int64_t qty)
{
	memset(t, 0, sizeof(*t));
	t->hdr.kind = kind;
	t->hdr.instr = 20;
	t->order.id = id;
	t->order.px = PX(px);
	t->order.qty = QTY(qty);
	t->order.side = SIDE_BID;
}

static void
order_life(void **unused)
{
	const struct track_side *b = &track.market[20].our[SIDE_BID];
	union tap t;

	(void)unused;
	track_init(&track);
	order_slot(&t, MSG_INTENT, 1, 48, 100);
	track_slot(&track, RG_INTENT, &t);
	assert_int_equal(b->want_px.e8, 48);
	assert_int_equal(b->qty.e8, 0);
	order_slot(&t, MSG_ACK, 1, 48, 100);
	track_slot(&track, RG_REPORT_PM_R, &t);
	assert_int_equal(b->px.e8, 48);
	assert_int_equal(b->qty.e8, 100);
	order_slot(&t, MSG_FILL, 1, 48, 100);
	t.order.cum_qty = QTY(40);
	track_slot(&track, RG_REPORT_PM_R, &t);
	assert_int_equal(b->qty.e8, 60);
	assert_int_equal(track.fill_n, 1);
	/* The end of another order is not the end of this one. */
	order_slot(&t, MSG_DONE, 2, 48, 100);
	track_slot(&track, RG_REPORT_PM_R, &t);
	assert_int_equal(b->qty.e8, 60);
	order_slot(&t, MSG_DONE, 1, 48, 100);
	track_slot(&track, RG_REPORT_PM_R, &t);
	assert_int_equal(b->qty.e8, 0);
	assert_int_equal(b->px.e8, 0);
	order_slot(&t, MSG_INTENT, 3, 48, 0);
	track_slot(&track, RG_INTENT, &t);
	assert_int_equal(b->want_px.e8, 0);
}

static void
riskd_tells(void **unused)
{
	union tap t;

	(void)unused;
	track_init(&track);
	order_slot(&t, MSG_VERDICT, 1, 48, 100);
	t.order.reason = REASON_SELF_CROSS;
	track_slot(&track, RG_VERDICT, &t);
	assert_int_equal(track.market[20].refused, REASON_SELF_CROSS);
	assert_int_equal(track.market[20].refused_n, 1);
	t.order.reason = REASON_OK;
	track_slot(&track, RG_VERDICT, &t);
	assert_int_equal(track.market[20].refused_n, 1);
	order_slot(&t, MSG_STATE, 0, 47, -300);
	t.order.status = TRADING_REDUCE;
	t.order.usd = USD(-5);
	track_slot(&track, RG_VERDICT, &t);
	assert_int_equal(track.market[20].pos.e8, -300);
	assert_int_equal(track.trading, TRADING_REDUCE);
	assert_int_equal(track.pnl.e6, -5);
}

static void
foreign_slots_do_no_harm(void **unused)
{
	union tap t;
	uint64_t x = 88172645463325252u;

	(void)unused;
	track_init(&track);
	for (int i = 0; i < 20000; i++) {
		for (size_t w = 0; w < sizeof(t) / 8; w++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			memcpy((char *)&t + w * 8, &x, 8);
		}
		char buf[128];

		t.hdr.kind = (uint8_t)(i % 48);
		track_slot(&track, (enum ring_id)(i % RG_N), &t);
		decode_slot(&t, NULL, buf, sizeof(buf));
		assert_true(strlen(buf) < sizeof(buf));
	}
}

static void
every_ring_of_interest(void **unused)
{
	(void)unused;
	assert_true(track_wanted(RG_MD_PM_Q));
	assert_false(track_wanted(RG_MD_PM_R));
	assert_true(track_wanted(RG_REPORT_HL_R));
	assert_false(track_wanted(RG_REPORT_HL_Q));
	assert_true(track_wanted(RG_INTENT));
	assert_false(track_wanted(RG_TAP_PM));
}

static void
slots_as_text(void **unused)
{
	union tap t;
	char buf[200];

	(void)unused;
	memset(&t, 0, sizeof(t));
	t.hdr.seq = 7;
	t.hdr.kind = TICK_BBO;
	t.hdr.instr = 20;
	t.tick.u.bbo.bid_px = PX(48000000);
	t.tick.u.bbo.bid_qty = QTY(100 * E8);
	t.tick.u.bbo.ask_px = PX(51000000);
	t.tick.u.bbo.ask_qty = QTY(5 * E8);
	decode_slot(&t, "btc", buf, sizeof(buf));
	assert_non_null(strstr(buf, "0.48 x 100 / 0.51 x 5"));
	assert_non_null(strstr(buf, "btc"));
	decode_slot(&t, NULL, buf, sizeof(buf));
	assert_non_null(strstr(buf, "#20"));
	t.hdr.kind = 200;
	decode_slot(&t, NULL, buf, sizeof(buf));
	assert_non_null(strstr(buf, "not known"));
}

/* ---- a healthy instance ---- */

static void
healthy(void)
{
	memset(&snap, 0, sizeof(snap));
	snprintf(snap.instance, sizeof(snap.instance), "main");
	snprintf(snap.host, sizeof(snap.host), "host");
	snap.found = true;
	snap.sup_alive = true;
	snap.sup_pid = 1;
	snap.mode = MODE_SIM;
	snap.now_ns = UINT64_C(100000000000);
	snap.lease_ns = 180000000;
	for (int i = 0; i < ST_N; i++) {
		snap.stage[i].alive = true;
		snap.stage[i].state = STAGE_READY;
		snap.stage[i].pid = 100 + (uint64_t)i;
	}
	for (int i = 0; i < RG_N; i++) {
		snap.ring[i].ok = true;
		snap.ring[i].st.depth = topo_rings[i].depth;
		snap.ring[i].st.prod_held = true;
		snap.ring[i].st.cons_held = true;
	}
	snap.market_n = 2;
	snap.market[0].idx = 20;
	snprintf(snap.market[0].in.symbol, 48, "btc-updown-15m-1777514400");
	snap.market[0].in.cls = CLASS_UPDOWN;
	snap.market[0].in.state = INSTR_NORMAL;
	snap.market[0].t.bbo.bid_px = PX(48000000);
	snap.market[0].t.bbo.ask_px = PX(51000000);
	snap.market[0].t.bbo_ns = snap.now_ns - 5000000;
	snap.market[1].idx = 21;
	snprintf(snap.market[1].in.symbol, 48, "AAA");
	snap.market[1].in.state = INSTR_NORMAL;
	snap.market[1].in.cls = CLASS_PERP;
	snap.market[1].t.our[SIDE_BID].px = PX(47 * E8);
	snap.market[1].t.our[SIDE_BID].qty = QTY(E8);
	snap.market[1].t.our[SIDE_ASK].want_px = PX(49 * E8);
}

static void
draw(int cols, int rows, enum pane pane)
{
	struct pane_view v = {
	    .pane = pane, .sort = SORT_ACTIVE, .tap_ring = -1, .hz = 5};

	canvas_init(&canvas, cols, rows, false);
	pane_draw(&canvas, &snap, &v);
}

static void
overview_fits(void **unused)
{
	static const int size[][2] = {
	    {80, 24}, {120, 40}, {60, 12}, {20, 5}, {1, 1}, {240, 200}};

	(void)unused;
	healthy();
	for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++)
		for (int p = PANE_OVERVIEW; p < PANE_N; p++)
			draw(size[i][0], size[i][1], (enum pane)p);
	draw(80, 24, PANE_OVERVIEW);
	assert_true(shows("ringmaker main"));
	assert_true(shows("TRADING"));
	assert_true(shows("execd.hyperliquid ready"));
	assert_true(shows("47*"));
	assert_true(shows("49?"));
	assert_true(shows("btc-updow~514400"));
	assert_true(shows("q quit"));
	snap.market[1].t.pos = QTY(-280000);
	draw(80, 24, PANE_OVERVIEW);
	assert_true(shows("-0.0028"));
}

static void
trouble_is_seen(void **unused)
{
	(void)unused;
	healthy();
	snap.gate[VENUE_POLYMARKET] = FREEZE_LATENCY;
	snap.stage[ST_QUOTED].state = STAGE_PARKED;
	snap.stage[ST_RISKD].stale = true;
	snap.stage[ST_FEEDD_BN].alive = false;
	draw(80, 24, PANE_OVERVIEW);
	assert_true(shows("FROZEN latency"));
	assert_true(shows("PARKED"));
	assert_true(shows("HUNG"));
	assert_true(shows("DEAD"));
	snap.sup_alive = false;
	draw(80, 24, PANE_OVERVIEW);
	assert_true(shows("SUPERVISOR DEAD"));
}

static void
markets_are_sorted_and_filtered(void **unused)
{
	struct pane_view v = {
	    .pane = PANE_MARKETS, .sort = SORT_ACTIVE, .tap_ring = -1};

	(void)unused;
	healthy();
	/* Ours first; by name, AAA first too; by spread the one with a touch.
	 */
	canvas_init(&canvas, 120, 20, false);
	pane_markets(&canvas, &snap, &v, 0, 10);
	assert_non_null(strstr(line(1), "AAA"));
	v.sort = SORT_SPREAD;
	canvas_init(&canvas, 120, 20, false);
	pane_markets(&canvas, &snap, &v, 0, 10);
	assert_non_null(strstr(line(1), "btc-updown"));
	snprintf(v.filter, sizeof(v.filter), "AAA");
	canvas_init(&canvas, 120, 20, false);
	assert_int_equal(pane_markets(&canvas, &snap, &v, 0, 10), 2);
	assert_non_null(strstr(line(1), "AAA"));
}

static void
contracts(void **unused)
{
	char buf[TEXT_SZ];

	(void)unused;
	assert_check_fails(canvas_put(&canvas, 0, 0, COL_N, "x"));
	assert_check_fails(canvas_line(&canvas, CANVAS_ROWS_MAX, buf));
	assert_check_fails(text_qty(QTY(1), 9, buf));
	assert_check_fails(track_wanted(RG_N));
}

/* ---- --check ---- */

static void
nothing_to_find(void **unused)
{
	(void)unused;
	healthy();
	check_snap(&snap, &found);
	assert_int_equal(found.n, 0);
}

struct finding {
	void (*spoil)(void);
	const char *says;
};

static void
spoil_stale(void)
{
	snap.stage[ST_RISKD].stale = true;
}
static void
spoil_dead(void)
{
	snap.stage[ST_RISKD].alive = false;
}
static void
spoil_parked(void)
{
	snap.stage[ST_RISKD].alive = false;
	snap.stage[ST_RISKD].state = STAGE_PARKED;
}
static void
spoil_owner(void)
{
	snap.ring[RG_INTENT].st.cons_held = false;
}
static void
spoil_full(void)
{
	snap.ring[RG_INTENT].st.published = topo_rings[RG_INTENT].depth;
}
static void
spoil_dropped(void)
{
	snap.ring[RG_TAP_PM].st.dropped = 3;
}
static void
spoil_gap(void)
{
	snap.feed[VENUE_BINANCE].gaps = 1;
	snap.feed[VENUE_BINANCE].gap_ns = CHECK_GAP_NS;
}
static void
spoil_rec_gap(void)
{
	snap.rec.gaps = 4;
	snap.rec.gap_ns = 2 * UINT64_C(1000000000);
}
static void
spoil_layout(void)
{
	snap.note_n = 1;
	snprintf(snap.note[0], sizeof(snap.note[0]), "ctl: layout 1, not 2");
}
static void
spoil_supervisor(void)
{
	snap.sup_alive = false;
}

static void
spoil_ready(void)
{
	snap.stage[ST_FEEDD_BN].state = STAGE_ATTACHED;
}
static void
spoil_gate(void)
{
	snap.trades[VENUE_POLYMARKET] = true;
	snap.gate[VENUE_POLYMARKET] = FREEZE_LATENCY;
	snap.gate[VENUE_HYPERLIQUID] = FREEZE_LATENCY;
	snprintf(snap.gate_why[VENUE_POLYMARKET], LINKWHY_SZ, "a connection");
}
static void
spoil_lost(void)
{
	snap.rec.lost = 5;
}
static void
spoil_disk(void)
{
	snap.rec.disk_errors = 2;
}

static void
each_finding(void **unused)
{
	static const struct finding t[] = {
	    {spoil_stale, "riskd: heartbeat"},
	    {spoil_dead, "riskd is dead"},
	    {spoil_parked, "riskd is parked"},
	    {spoil_owner, "intent: nobody holds the reader's role"},
	    {spoil_full, "intent is full"},
	    {spoil_dropped, "tap.feedd.pm: 3 dropped"},
	    {spoil_gap,
		"binance: gap in the data 5m00s ago (1 since the start): "
		"books are made anew by themselves; why: supervisor logs "
		"feedd.binance"},
	    {spoil_rec_gap, "recorder: gap in the recording 2.0s ago (4 since"},
	    {spoil_layout, "ctl: layout 1, not 2"},
	    {spoil_supervisor, "supervisor's heartbeat"},
	    {spoil_ready, "feedd.binance is not ready: attached"},
	    {spoil_gate, "polymarket is frozen: latency: a connection"},
	    {spoil_lost, "5 records lost"},
	    {spoil_disk, "the disk refused 2 writes"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		healthy();
		t[i].spoil();
		check_snap(&snap, &found);
		assert_int_equal(found.n, 1);
		if (strstr(found.text[0], t[i].says) == NULL)
			fail_msg("\"%s\" does not say \"%s\"", found.text[0],
			    t[i].says);
	}
}

static void
old_gaps_are_history(void **unused)
{
	(void)unused;
	healthy();
	spoil_gap();
	spoil_rec_gap();
	snap.feed[VENUE_BINANCE].gap_ns = CHECK_GAP_NS + 1;
	snap.rec.gap_ns = CHECK_GAP_NS + 1;
	check_snap(&snap, &found);
	assert_int_equal(found.n, 0);
}

/* In mode capture nobody reads what is for quoted. */
static void
a_ring_that_has_no_reader_may_fill(void **unused)
{
	(void)unused;
	healthy();
	snap.stage[ST_RISKD].alive = false;
	snap.stage[ST_RISKD].state = STAGE_DEAD;
	snap.stage[ST_RISKD].pid = 0;
	spoil_full();
	snap.ring[RG_INTENT].st.dropped = 7;
	check_snap(&snap, &found);
	assert_int_equal(found.n, 0);
	/* It lived once: then it matters. */
	snap.ring[RG_INTENT].st.cons_epoch = 1;
	check_snap(&snap, &found);
	assert_int_equal(found.n, 2);
}

static void
part_of_a_name(void **unused)
{
	(void)unused;
	assert_true(text_has("BTC-updown", "btc"));
	assert_true(text_has("btc", "BTC"));
	assert_true(text_has("xbTc", "BtC"));
	assert_true(text_has("btc", ""));
	assert_false(text_has("bt", "btc"));
	assert_false(text_has("", "b"));
	assert_false(text_has("@btc", "`"));
}

/* The last price, its age and source; a strike with its provenance. */
static void
prices_and_strikes(void **unused)
{
	struct pane_view v = {
	    .pane = PANE_MARKETS, .sort = SORT_NAME, .tap_ring = -1};
	union tap slot;

	(void)unused;
	healthy();
	snap.market_n = 1;
	snprintf(snap.market[0].in.symbol, 48, "btc/usd");
	snap.market[0].in.cls = CLASS_INDEX;
	memset(&snap.market[0].t, 0, sizeof(snap.market[0].t));
	canvas_init(&canvas, 120, 5, false);
	pane_markets(&canvas, &snap, &v, 0, 5);
	assert_non_null(strstr(line(1), "price, none yet"));
	track_init(&track);
	memset(&slot, 0, sizeof(slot));
	slot.hdr.kind = TICK_REF;
	slot.hdr.instr = 20;
	slot.hdr.recv_ns = snap.now_ns - 2000000000;
	slot.tick.u.ref.px = PX(INT64_C(7712345000000));
	slot.tick.u.ref.source = REF_SPOT;
	track_slot(&track, RG_MD_PM_Q, &slot);
	snap.market[0].t = track.market[20];
	canvas_init(&canvas, 120, 5, false);
	pane_markets(&canvas, &snap, &v, 0, 5);
	assert_non_null(strstr(line(1), "77123.45"));
	assert_non_null(strstr(line(1), "2.0s"));
	assert_non_null(strstr(line(1), "price, spot"));
	snap.market[0].in.cls = CLASS_UPDOWN;
	snap.market[0].in.strike_px = PX(INT64_C(7712300000000));
	snap.market[0].in.strike_source = STRIKE_CONFLICT;
	snap.market[0].in.outcome = OUTCOME_NO;
	canvas_init(&canvas, CANVAS_COLS_MAX, 5, false);
	pane_markets(&canvas, &snap, &v, 0, 5);
	assert_non_null(strstr(line(1), "strike 77123 conflict, outcome no"));
}

/* A gateway that sends orders has a row; on paper there is none. */
static void
gateways_are_shown(void **unused)
{
	struct snap_exec *x = &snap.exec[VENUE_POLYMARKET];

	(void)unused;
	healthy();
	snap.trades[VENUE_POLYMARKET] = true;
	snap.trades[VENUE_HYPERLIQUID] = true;
	snap.mode = MODE_PAPER;
	draw(120, 40, PANE_OVERVIEW);
	assert_false(shows("ACK50/99"));
	snap.mode = MODE_SIM;
	x->mode = GATE_NORMAL;
	x->resting = 7;
	x->ack_ns[0] = 2300000;
	x->ack_ns[1] = 4000000;
	x->ack_ns[2] = 9000000;
	x->budget_left = 54321;
	snap.exec[VENUE_HYPERLIQUID].mode = GATE_BLOCKED;
	for (int wide = 0; wide < 2; wide++) {
		draw(wide ? 140 : 80, 40, PANE_OVERVIEW);
		assert_true(shows("polymarket  normal         7"));
		assert_true(shows("2.3ms/4.0ms"));
		assert_true(shows("hyperliquid BLOCKED"));
		assert_true(shows("54k"));
		assert_int_equal(shows("LAPS"), wide);
	}
	check_snap(&snap, &found);
	assert_int_equal(found.n, 1);
	assert_non_null(strstr(
	    found.text[0], "hyperliquid: the venue stands BLOCKED for orders"));
	snap.exec[VENUE_HYPERLIQUID].mode = GATE_NORMAL;
	x->differences = 2;
	snap.stage[ST_EXECD_PM].sweep = CTL_SWEEP_FAILED;
	check_snap(&snap, &found);
	assert_int_equal(found.n, 2);
	assert_non_null(strstr(found.text[0], "2 times"));
	assert_non_null(strstr(found.text[1], "its sweep failed"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(gateways_are_shown),
	    cmocka_unit_test(figures),
	    cmocka_unit_test(drawing_is_clipped),
	    cmocka_unit_test(utf8_is_one_column),
	    cmocka_unit_test(bars),
	    cmocka_unit_test(order_life),
	    cmocka_unit_test(riskd_tells),
	    cmocka_unit_test(foreign_slots_do_no_harm),
	    cmocka_unit_test(every_ring_of_interest),
	    cmocka_unit_test(slots_as_text),
	    cmocka_unit_test(overview_fits),
	    cmocka_unit_test(trouble_is_seen),
	    cmocka_unit_test(markets_are_sorted_and_filtered),
	    cmocka_unit_test(contracts),
	    cmocka_unit_test(nothing_to_find),
	    cmocka_unit_test(each_finding),
	    cmocka_unit_test(old_gaps_are_history),
	    cmocka_unit_test(a_ring_that_has_no_reader_may_fill),
	    cmocka_unit_test(part_of_a_name),
	    cmocka_unit_test(prices_and_strikes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
