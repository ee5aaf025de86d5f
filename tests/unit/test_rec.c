/* links: recorderd libsys libshm libcore */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "recorderd/rec.h"

#define ROWS   8u
#define HOUR   (INT64_C(3600) * NS_PER_S)
#define WALL   (INT64_C(490000) * HOUR + HOUR / 2) /* half past */
#define BTC    4096
#define PMKT   16
#define TAP_BN 0
#define TAP_EX 1

struct fixture {
	struct rec rec;
	void *mem;
	struct rec_out out;
	struct journal_head head;
	uint64_t seq[2];
	unsigned closed;
	unsigned groups;
};

static void
carry(struct fixture *f)
{
	for (unsigned i = 0; i < f->out.n; i++) {
		f->groups += f->out.act[i].action == REC_GROUP;
		rec_written(&f->rec, f->out.act[i].part);
		if (f->out.act[i].action == REC_CLOSE) {
			rec_closed(&f->rec, f->out.act[i].part);
			f->closed++;
		}
	}
}

static void
block_at(struct fixture *f, uint16_t tap, int64_t wall)
{
	struct rec_event ev = {.kind = REC_EV_BLOCK, .head = &f->head};

	f->head = (struct journal_head){.kind = JOURNAL_SLOTS,
	    .tap = tap,
	    .mono_ns = 1000000,
	    .wall_ns = wall};
	rec_step(&f->rec, &ev, &f->out);
	carry(f);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct journal_open open = {.host = "host",
	    .tap_n = 2,
	    .tap = {{.name = "tap.feedd.bn"}, {.name = "tap.execd.pm"}}};
	struct journal_instr in[2] = {
	    {.instr = BTC, .venue = VENUE_BINANCE, .symbol = "BTCUSDT"},
	    {.instr = PMKT, .venue = VENUE_POLYMARKET, .symbol = "will-it"}};
	struct journal_head head = {.count = 2};
	struct rec_event ev = {.kind = REC_EV_OPEN, .u.open = &open};

	f->mem = calloc(1, rec_mem_sz(ROWS));
	rec_init(&f->rec, ROWS, f->mem);
	rec_step(&f->rec, &ev, &f->out);
	ev.kind = REC_EV_INSTR;
	ev.u.instr = in;
	ev.head = &head;
	rec_step(&f->rec, &ev, &f->out);
	block_at(f, TAP_BN, WALL);
	f->seq[0] = f->seq[1] = 1;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	free(f->mem);
	free(f);
	return 0;
}

static union tap
slot(struct fixture *f, uint16_t tap, uint8_t kind, uint16_t instr)
{
	union tap s;

	memset(&s, 0, sizeof(s));
	s.hdr = (struct slot_hdr){.seq = f->seq[tap]++,
	    .kind = kind,
	    .instr = instr,
	    .pub_delta = 250,
	    .venue_ns = 77,
	    .recv_ns = 999990};
	return s;
}

static void
feed(struct fixture *f, uint16_t tap, const union tap *s)
{
	struct rec_event ev = {
	    .kind = REC_EV_SLOT, .head = &f->head, .u.slot = s};

	f->head.tap = tap;
	rec_step(&f->rec, &ev, &f->out);
}

static unsigned
part_of(enum rec_table t, unsigned venue, int64_t hour)
{
	return ((unsigned)t * VENUE_N + venue) * 2 + (unsigned)(hour & 1);
}

/* Value of a column in a row of a part. */
static int64_t
value(const struct fixture *f, unsigned part, const char *name, uint32_t row)
{
	const struct rec_schema *s = &rec_schemas[rec_part_table(part)];
	struct pq_values val[PQ_COLS_MAX];
	unsigned n = rec_columns(&f->rec, part, val);

	assert_true(row < f->rec.part[part].rows);
	for (unsigned c = 0; c < n; c++)
		if (strcmp(s->col[c].name, name) == 0)
			return val[c].v[row];
	fail_msg("no column %s", name);
	return 0;
}

static void
is_text(const struct fixture *f, unsigned part, const char *name, uint32_t row,
    const char *want)
{
	int64_t v = value(f, part, name, row);

	assert_int_not_equal(v, PQ_NULL);
	assert_true(v >= 0 && v < f->rec.text_n);
	assert_string_equal(f->rec.text[v].s, want);
}

static void
ticks(void **state)
{
	struct fixture *f = *state;
	unsigned p = part_of(REC_PRICE, VENUE_BINANCE, 490000);
	union tap s = slot(f, TAP_BN, TICK_TRADE, BTC);

	s.tick.u.trade = (struct tick_trade){.px = PX(6168599000000),
	    .qty = QTY(120000),
	    .trade_id = 42,
	    .side = SIDE_ASK};
	feed(f, TAP_BN, &s);
	s = slot(f, TAP_BN, TICK_BBO, BTC);
	s.tick.u.bbo.bid_px = PX(5);
	s.tick.u.bbo.bid_qty = QTY(6);
	feed(f, TAP_BN, &s);
	s = slot(f, TAP_BN, TICK_REF, BTC);
	s.tick.u.ref.px = PX(9);
	s.tick.u.ref.source = REF_TWAP;
	feed(f, TAP_BN, &s);
	assert_int_equal(f->rec.part[p].rows, 3);
	assert_int_equal(f->rec.part[p].hour, 490000);
	assert_int_equal(value(f, p, "ts", 0), WALL - 10);
	assert_int_equal(value(f, p, "venue_ts", 0), 77);
	assert_int_equal(value(f, p, "seq", 0), 1);
	assert_int_equal(value(f, p, "px", 0), 6168599000000);
	assert_int_equal(value(f, p, "qty", 0), 120000);
	assert_int_equal(value(f, p, "trade_id", 0), 42);
	assert_int_equal(value(f, p, "publish_ns", 0), 250);
	is_text(f, p, "side", 0, "ask");
	is_text(f, p, "event", 0, "trade");
	is_text(f, p, "symbol", 0, "BTCUSDT");
	is_text(f, p, "source", 0, "feedd.binance");
	assert_int_equal(value(f, p, "bid_px", 0), PQ_NULL);
	is_text(f, p, "event", 1, "bbo");
	assert_int_equal(value(f, p, "bid_px", 1), 5);
	assert_int_equal(value(f, p, "bid_qty", 1), 6);
	assert_int_equal(value(f, p, "ask_px", 1), PQ_NULL);
	assert_int_equal(value(f, p, "px", 1), PQ_NULL);
	assert_int_equal(value(f, p, "side", 1), PQ_NULL);
	assert_int_equal(value(f, p, "px", 2), 9);
	is_text(f, p, "ref_source", 2, "twap");
	assert_int_equal(f->rec.rows_n, 3);
}

static void
books(void **state)
{
	struct fixture *f = *state;
	unsigned p = part_of(REC_BOOK, VENUE_POLYMARKET, 490000);
	union tap s = slot(f, TAP_BN, TICK_SNAP_BEGIN, PMKT);

	s.tick.u.snap = (struct tick_snap){
	    .venue_seq = 5, .bid_n = 1, .ask_n = 2, .epoch = 3, .conn = 4};
	feed(f, TAP_BN, &s);
	s = slot(f, TAP_BN, TICK_LEVEL, PMKT);
	s.hdr.flags = SLOT_SNAP;
	s.tick.u.level = (struct tick_level){.px = PX(48000000),
	    .qty = QTY(0),
	    .venue_seq = 6,
	    .side = SIDE_BID};
	feed(f, TAP_BN, &s);
	assert_int_equal(f->rec.part[p].rows, 2);
	is_text(f, p, "event", 0, "snap_begin");
	assert_int_equal(value(f, p, "px", 0), PQ_NULL);
	assert_int_equal(value(f, p, "bid_n", 0), 1);
	assert_int_equal(value(f, p, "ask_n", 0), 2);
	assert_int_equal(value(f, p, "epoch", 0), 3);
	assert_int_equal(value(f, p, "px", 1), 48000000);
	assert_int_equal(value(f, p, "qty", 1), 0);
	assert_int_equal(value(f, p, "bid_n", 1), PQ_NULL);
	assert_int_equal(value(f, p, "venue_seq", 1), 6);
	assert_int_equal(value(f, p, "flags", 1), SLOT_SNAP);
	is_text(f, p, "side", 1, "bid");
}

static void
orders_and_fills(void **state)
{
	struct fixture *f = *state;
	unsigned po = part_of(REC_ORDER, VENUE_POLYMARKET, 490000);
	unsigned pf = part_of(REC_FILL, VENUE_POLYMARKET, 490000);
	union tap s = slot(f, TAP_EX, MSG_VERDICT, PMKT);

	s.order.id = UINT64_C(3) << 40 | 7;
	s.order.venue = VENUE_POLYMARKET;
	s.order.side = SIDE_BID;
	s.order.px = PX(48000000);
	s.order.qty = QTY(500000000);
	s.order.strategy = STRATEGY_MAKER;
	s.order.tif = TIF_GTD;
	s.order.reason = REASON_OFF_TICK;
	s.order.risk_delta = 900;
	feed(f, TAP_EX, &s);
	s = slot(f, TAP_EX, MSG_FILL, PMKT);
	s.order.id = 8;
	s.order.fill_id = UINT64_MAX;
	s.order.venue = VENUE_POLYMARKET;
	s.order.side = SIDE_ASK;
	s.order.exec_px = PX(47000000);
	s.order.exec_qty = QTY(100);
	s.order.usd = USD(-12);
	s.order.oflags = ORDER_MAKER;
	s.order.status = ORDER_PARTIAL;
	feed(f, TAP_EX, &s);
	s = slot(f, TAP_EX, MSG_STATE, 0);
	s.order.status = TRADING_FROZEN;
	s.order.reason = REASON_LATENCY;
	feed(f, TAP_EX, &s);
	assert_int_equal(f->rec.part[po].rows, 2);
	assert_int_equal(f->rec.part[pf].rows, 1);
	is_text(f, po, "event", 0, "verdict");
	is_text(f, po, "reason", 0, "off_tick");
	is_text(f, po, "strategy", 0, "maker");
	is_text(f, po, "tif", 0, "gtd");
	is_text(f, po, "source", 0, "execd.polymarket");
	assert_int_equal(value(f, po, "status", 0), PQ_NULL);
	assert_int_equal(value(f, po, "risk_ns", 0), 900);
	assert_int_equal(value(f, po, "id", 0), INT64_C(3) << 40 | 7);
	is_text(f, po, "status", 1, "frozen");
	is_text(f, po, "symbol", 1, "?");
	assert_int_equal(value(f, pf, "fill_id", 0), -1);
	assert_int_equal(value(f, pf, "maker", 0), 1);
	assert_int_equal(value(f, pf, "fee_usd", 0), -12);
	assert_int_equal(value(f, pf, "exec_px", 0), 47000000);
	is_text(f, pf, "status", 0, "partial");
}

static void
the_rest(void **state)
{
	struct fixture *f = *state;
	unsigned pl = part_of(REC_LATENCY, VENUE_HYPERLIQUID, 490000);
	unsigned pe = part_of(REC_EVENT, VENUE_BINANCE, 490000);
	unsigned pt = part_of(REC_TRACE, VENUE_BINANCE, 490000);
	union tap s = slot(f, TAP_BN, TICK_LINK, 0);

	s.tick.u.link = (struct tick_link){.rtt_us = UINT32_MAX,
	    .age_us = -5,
	    .venue = VENUE_HYPERLIQUID,
	    .state = LINK_STALE};
	feed(f, TAP_BN, &s);
	s = slot(f, TAP_BN, TICK_CONN, 0);
	s.tick.u.conn = (struct tick_conn){.venue = VENUE_BINANCE,
	    .conn = 2,
	    .state = LINK_DOWN,
	    .reason = REASON_SEQ_GAP,
	    .code = 1006};
	feed(f, TAP_BN, &s);
	s = slot(f, TAP_BN, TICK_RESTART, 0);
	s.tick.u.restart.epoch = 9;
	feed(f, TAP_BN, &s);
	s = slot(f, TAP_BN, TICK_INSTR, BTC);
	s.tick.u.instr.epoch = 2;
	s.tick.u.instr.state = INSTR_HALTED;
	feed(f, TAP_BN, &s);
	s = slot(f, TAP_BN, MSG_RESTART, 0);
	s.order.id = UINT64_C(12) << 40;
	feed(f, TAP_BN, &s);
	for (unsigned i = 0; i < 4; i++) {
		static const uint16_t ring[] = {
		    RG_INTENT, 0xffff, 0xfffe, RG_N};

		s = slot(f, TAP_BN, TICK_TRACE, 0);
		s.tick.u.trace.ring = ring[i];
		s.tick.u.trace.now_ns = 5;
		feed(f, TAP_BN, &s);
	}
	assert_int_equal(value(f, pl, "rtt_us", 0), UINT32_MAX);
	assert_int_equal(value(f, pl, "age_us", 0), -5);
	is_text(f, pl, "state", 0, "stale");
	assert_int_equal(f->rec.part[pe].rows, 4);
	assert_int_equal(value(f, pe, "epoch", 3), 12);
	is_text(f, pe, "state", 0, "down");
	is_text(f, pe, "reason", 0, "seq_gap");
	assert_int_equal(value(f, pe, "code", 0), 1006);
	assert_int_equal(value(f, pe, "symbol", 0), PQ_NULL);
	assert_int_equal(value(f, pe, "epoch", 1), 9);
	is_text(f, pe, "event", 1, "restart");
	assert_int_equal(value(f, pe, "symbol", 1), PQ_NULL);
	is_text(f, pe, "symbol", 2, "BTCUSDT");
	is_text(f, pe, "state", 2, "halted");
	is_text(f, pt, "ring", 0, "intent");
	is_text(f, pt, "ring", 1, "timer");
	is_text(f, pt, "ring", 2, "config");
	is_text(f, pt, "ring", 3, "?");
}

static void
gaps(void **state)
{
	struct fixture *f = *state;
	unsigned p = part_of(REC_GAP, VENUE_BINANCE, 490000);
	union tap s = slot(f, TAP_BN, TICK_TRADE, BTC);
	struct journal_gap g = {.first_seq = 2,
	    .lost_n = 10,
	    .from_ns = 999990,
	    .cause = JOURNAL_LOST_FILE,
	    .err = 28};
	struct rec_event ev = {
	    .kind = REC_EV_GAP, .head = &f->head, .u.gap = &g};

	feed(f, TAP_BN, &s);		 /* 1 */
	rec_step(&f->rec, &ev, &f->out); /* 2..11 lost by the file */
	rec_step(&f->rec, &ev, &f->out); /* and once more: nothing */
	f->seq[0] = 15;
	s = slot(f, TAP_BN, TICK_TRADE, BTC);
	feed(f, TAP_BN, &s); /* 12..14 damaged */
	feed(f, TAP_BN, &s); /* again */
	s = slot(f, TAP_BN, TICK_GAP, 0);
	s.tick.u.gap =
	    (struct tick_gap){.lost_n = 100, .scope = 3, .since_ns = 5};
	feed(f, TAP_BN, &s);
	s = slot(f, TAP_BN, TICK_GAP, BTC);
	s.tick.u.gap = (struct tick_gap){
	    .lost_n = 7, .scope = 1, .reason = REASON_SEQ_GAP};
	feed(f, TAP_BN, &s);
	assert_int_equal(f->rec.part[p].rows, 4);
	assert_int_equal(f->rec.gap_n, 4);
	assert_int_equal(f->rec.lost_n, 10 + 3 + 100);
	assert_int_equal(f->rec.dup_n, 1);
	assert_int_equal(value(f, p, "first_seq", 0), 2);
	assert_int_equal(value(f, p, "lost_n", 0), 10);
	assert_int_equal(value(f, p, "err", 0), 28);
	assert_int_equal(value(f, p, "from_ts", 0), WALL - 10);
	assert_int_equal(value(f, p, "to_ts", 0), PQ_NULL);
	is_text(f, p, "cause", 0, "file");
	is_text(f, p, "scope", 0, "ring");
	is_text(f, p, "cause", 1, "damaged");
	assert_int_equal(value(f, p, "first_seq", 1), 12);
	assert_int_equal(value(f, p, "lost_n", 1), 3);
	is_text(f, p, "cause", 2, "tap_full");
	is_text(f, p, "cause", 3, "seq_gap");
	is_text(f, p, "scope", 3, "instrument");
	is_text(f, p, "symbol", 3, "BTCUSDT");
	assert_string_equal(f->rec.gaps,
	    "feedd.binance:2+10 file; feedd.binance:12+3 damaged; "
	    "feedd.binance:0+100 tap_full");
}

static void
gap_at(struct fixture *f, const struct journal_gap *g)
{
	struct rec_event ev = {
	    .kind = REC_EV_GAP, .head = &f->head, .u.gap = g};

	rec_step(&f->rec, &ev, &f->out);
}

/* Gaps with no times, gaps behind gaps, and what a tap had at its opening. */
static void
gaps_meet(void **state)
{
	struct fixture *f = *state;
	unsigned p = part_of(REC_GAP, VENUE_BINANCE, 490000);
	struct journal_gap g = {
	    .first_seq = 5, .lost_n = 2, .cause = JOURNAL_LOST_FILE};
	struct journal_open open = {
	    .tap_n = 1, .tap = {{.name = "tap.feedd.bn", .next_seq = 20}}};
	struct rec_event ev = {.kind = REC_EV_OPEN, .u.open = &open};
	union tap s = slot(f, TAP_BN, TICK_TRADE, BTC);

	feed(f, TAP_BN, &s); /* 1 */
	gap_at(f, &g);	     /* 2..4 damaged, 5 and 6 lost by the file */
	is_text(f, p, "cause", 0, "damaged");
	assert_int_equal(value(f, p, "first_seq", 0), 2);
	assert_int_equal(value(f, p, "lost_n", 0), 3);
	assert_int_equal(value(f, p, "from_ts", 0), PQ_NULL);
	assert_int_equal(value(f, p, "to_ts", 0), PQ_NULL);
	assert_int_equal(value(f, p, "ts", 0), WALL);
	is_text(f, p, "cause", 1, "file");
	assert_int_equal(value(f, p, "first_seq", 1), 5);
	/* A gap that reaches over what is known already is told once more
	 * only as far as it is new: not at all. */
	g = (struct journal_gap){.first_seq = 3, .lost_n = 4};
	gap_at(f, &g);
	assert_int_equal(f->rec.part[p].rows, 2);
	f->seq[0] = 9;
	s = slot(f, TAP_BN, TICK_TRADE, BTC);
	feed(f, TAP_BN, &s); /* 7 and 8 damaged, until it came */
	assert_int_equal(value(f, p, "first_seq", 2), 7);
	assert_int_equal(value(f, p, "to_ts", 2), WALL - 10);
	assert_int_equal(f->rec.lost_n, 3 + 2 + 2);
	/* Another journal: from 20 on. */
	rec_step(&f->rec, &ev, &f->out);
	f->seq[0] = 19;
	s = slot(f, TAP_BN, TICK_TRADE, BTC);
	feed(f, TAP_BN, &s);
	assert_int_equal(f->rec.dup_n, 1);
	f->seq[0] = 22;
	s = slot(f, TAP_BN, TICK_TRADE, BTC);
	feed(f, TAP_BN, &s);
	assert_int_equal(value(f, p, "first_seq", 3), 20);
	assert_int_equal(value(f, p, "lost_n", 3), 2);
}

/* The row that fills a part may come with a gap: there is room for both. */
static void
a_gap_leaves_room_for_another(void **state)
{
	struct fixture *f = *state;
	unsigned p = part_of(REC_GAP, VENUE_BINANCE, 490000);

	for (uint64_t i = 0; f->out.n == 0; i++) {
		struct journal_gap g = {
		    .first_seq = 1 + i, .lost_n = 1, .cause = 1};

		assert_true(i < ROWS);
		gap_at(f, &g);
	}
	assert_int_equal(f->out.act[0].part, p);
	assert_int_equal(f->rec.part[p].rows, ROWS - 1);
}

/* Where the tap's venue and the message's own differ, its own counts. */
static void
messages_name_their_venue(void **state)
{
	struct fixture *f = *state;
	union tap s = slot(f, TAP_BN, TICK_CONN, 0);

	s.tick.u.conn.venue = VENUE_HYPERLIQUID;
	s.tick.u.conn.state = LINK_DOWN;
	feed(f, TAP_BN, &s);
	assert_int_equal(
	    f->rec.part[part_of(REC_EVENT, VENUE_HYPERLIQUID, 490000)].rows, 1);
	s = slot(f, TAP_EX, MSG_ACK, 0);
	s.order.venue = VENUE_HYPERLIQUID;
	s.order.side = SIDE_BID;
	s.order.status = ORDER_LIVE;
	s.order.id = 1;
	feed(f, TAP_EX, &s);
	assert_int_equal(f->rec.bad_n, 0);
	assert_int_equal(
	    f->rec.part[part_of(REC_ORDER, VENUE_HYPERLIQUID, 490000)].rows, 1);
}

/* What a journal says of itself is not believed beyond its bounds. */
static void
headers_out_of_bounds(void **state)
{
	struct fixture *f = *state;
	struct journal_instr in = {.instr = BTC, .venue = 200, .symbol = "x"};
	struct journal_open open = {.tap_n = JOURNAL_TAPS_MAX + 1};
	struct journal_head head = {
	    .kind = JOURNAL_OPEN, .count = 1, .wall_ns = WALL + 5 * HOUR};
	struct rec_event ev = {
	    .kind = REC_EV_INSTR, .head = &head, .u.instr = &in};
	union tap s;

	rec_step(&f->rec, &ev, &f->out);
	s = slot(f, TAP_BN, TICK_TRADE, BTC);
	feed(f, TAP_BN, &s); /* of the tap's venue */
	assert_int_equal(
	    f->rec.part[part_of(REC_PRICE, VENUE_BINANCE, 490000)].rows, 1);
	/* The block that opens a file has no say in what hour it is. */
	ev.kind = REC_EV_BLOCK;
	rec_step(&f->rec, &ev, &f->out);
	assert_int_equal(f->rec.hour, 490000);
	assert_int_equal(f->out.n, 0);
	ev.kind = REC_EV_OPEN;
	ev.u.open = &open;
	rec_step(&f->rec, &ev, &f->out);
	assert_int_equal(f->rec.open.tap_n, JOURNAL_TAPS_MAX);
}

/* The footers' text of gaps ends where its room does, at a whole gap. */
static void
more_gaps_than_a_footer_holds(void **state)
{
	struct fixture *f = *state;
	uint64_t n = 2 * sizeof(f->rec.gaps) / 20;

	for (uint64_t i = 0; i < n; i++) {
		struct journal_gap g = {.first_seq = 1 + i,
		    .lost_n = 1,
		    .cause = JOURNAL_LOST_FILE};

		gap_at(f, &g);
		carry(f);
	}
	assert_int_equal(f->rec.gap_n, n);
	assert_true(f->rec.gaps_len < sizeof(f->rec.gaps));
	assert_int_equal(strlen(f->rec.gaps), f->rec.gaps_len);
	assert_string_equal(
	    f->rec.gaps + f->rec.gaps_len - strlen("+1 file"), "+1 file");
}

/* Groups when full; hours: at most two open, the older closed in time. */
static void
groups_and_hours(void **state)
{
	struct fixture *f = *state;
	union tap s;

	for (unsigned i = 0; i < ROWS; i++) {
		s = slot(f, TAP_BN, TICK_TRADE, BTC);
		assert_int_equal(f->out.n, 0);
		feed(f, TAP_BN, &s);
	}
	assert_int_equal(f->out.n, 1);
	assert_int_equal(f->out.act[0].action, REC_GROUP);
	assert_int_equal(
	    f->out.act[0].part, part_of(REC_PRICE, VENUE_BINANCE, 490000));
	carry(f);
	/* The next hour begins; rows of both hours may come. */
	block_at(f, TAP_BN, WALL + HOUR);
	assert_int_equal(f->closed, 0);
	s = slot(f, TAP_BN, TICK_TRADE, BTC);
	feed(f, TAP_BN, &s);
	s = slot(f, TAP_BN, TICK_TRADE, BTC);
	s.hdr.recv_ns -= (uint64_t)HOUR; /* received in the hour before */
	feed(f, TAP_BN, &s);
	assert_int_equal(
	    f->rec.part[part_of(REC_PRICE, VENUE_BINANCE, 490000)].rows, 1);
	assert_int_equal(
	    f->rec.part[part_of(REC_PRICE, VENUE_BINANCE, 490001)].rows, 1);
	/* A clock that steps back changes nothing, an absurd receive time
	 * goes into the nearest open hour. */
	block_at(f, TAP_BN, WALL - 5 * HOUR);
	s = slot(f, TAP_BN, TICK_TRADE, BTC);
	feed(f, TAP_BN, &s);
	s = slot(f, TAP_BN, TICK_TRADE, BTC);
	s.hdr.recv_ns += (uint64_t)(20 * HOUR);
	feed(f, TAP_BN, &s);
	assert_int_equal(
	    f->rec.part[part_of(REC_PRICE, VENUE_BINANCE, 490000)].rows, 2);
	assert_int_equal(
	    f->rec.part[part_of(REC_PRICE, VENUE_BINANCE, 490001)].rows, 2);
	block_at(f, TAP_BN, WALL + 2 * HOUR);
	assert_int_equal(f->closed, 1);
	block_at(f, TAP_BN, WALL + 9 * HOUR);
	assert_int_equal(f->closed, 2);
	for (unsigned i = 0; i < REC_PARTS; i++)
		assert_false(f->rec.part[i].is_open);
}

static void
end_closes_all(void **state)
{
	struct fixture *f = *state;
	struct rec_event ev = {.kind = REC_EV_END};
	union tap s = slot(f, TAP_BN, TICK_TRADE, BTC);

	feed(f, TAP_BN, &s);
	s = slot(f, TAP_BN, TICK_LEVEL, PMKT);
	feed(f, TAP_BN, &s);
	rec_step(&f->rec, &ev, &f->out);
	assert_int_equal(f->out.n, 2);
	carry(f);
	assert_int_equal(f->closed, 2);
	rec_step(&f->rec, &ev, &f->out);
	assert_int_equal(f->out.n, 0);
}

/* Absurd slots make no row and are counted, whatever is wrong with them. */
static void
bad_slots(void **state)
{
	struct fixture *f = *state;
	union tap s;
	unsigned bad = 0;

	for (unsigned kind = 0; kind < 256; kind++) {
		s = slot(f, TAP_BN, (uint8_t)kind, BTC);
		memset((uint8_t *)&s + sizeof(s.hdr), 0xff,
		    sizeof(s) - sizeof(s.hdr));
		if (kind == TICK_SNAP_BEGIN || kind == TICK_SNAP_END ||
		    kind == TICK_RESTART || kind == TICK_TRACE ||
		    kind == MSG_RESTART)
			continue;
		if (kind == TICK_BBO) /* -1 is within a decimal's range */
			s.tick.u.bbo.bid_px = PX(INT64_MAX);
		feed(f, TAP_BN, &s);
		bad++;
		assert_int_equal(f->out.n, 0);
	}
	assert_int_equal(f->rec.bad_n, bad);
	/* The five left out are missing in the sequence, hence gaps. */
	assert_int_equal(f->rec.rows_n, f->rec.gap_n);
	s = slot(f, TAP_BN, TICK_TRADE, BTC);
	s.tick.u.trade.qty = QTY(INT64_C(1000000000000000000));
	feed(f, TAP_BN, &s);
	assert_int_equal(f->rec.bad_n, bad + 1);
}

static void
symbols(void **state)
{
	struct fixture *f = *state;
	unsigned p = part_of(REC_PRICE, VENUE_BINANCE, 490000);
	struct journal_instr in = {.instr = BTC, .venue = VENUE_BINANCE};
	struct journal_head head = {.count = 1};
	struct rec_event ev = {
	    .kind = REC_EV_INSTR, .head = &head, .u.instr = &in};
	union tap s = slot(f, TAP_BN, TICK_TRADE, BTC);

	feed(f, TAP_BN, &s);
	memset(in.symbol, 'x', sizeof(in.symbol)); /* no NUL */
	rec_step(&f->rec, &ev, &f->out);
	s = slot(f, TAP_BN, TICK_TRADE, BTC);
	feed(f, TAP_BN, &s);
	s = slot(f, TAP_BN, TICK_TRADE, BTC + 1); /* never named */
	feed(f, TAP_BN, &s);
	is_text(f, p, "symbol", 0, "BTCUSDT");
	assert_int_equal(
	    f->rec.text[value(f, p, "symbol", 1)].len, sizeof(in.symbol));
	is_text(f, p, "symbol", 2, "?");
	/* The table of texts has an end. */
	for (unsigned i = 0; i < PQ_TEXTS_MAX; i++) {
		memset(in.symbol, 0, sizeof(in.symbol));
		for (unsigned k = 0; k < 5; k++)
			in.symbol[k] = (char)('a' + (i >> (k * 4) & 15));
		rec_step(&f->rec, &ev, &f->out);
	}
	assert_true(f->rec.text_full_n > 0);
	assert_int_equal(f->rec.text_n, PQ_TEXTS_MAX);
	s = slot(f, TAP_BN, TICK_TRADE, BTC);
	feed(f, TAP_BN, &s);
	is_text(f, p, "symbol", 3, "?");
}

static void
same_input_same_hash(void **state)
{
	struct fixture *f = *state;
	struct fixture *g;
	void *other;

	setup(&other);
	g = other;
	assert_int_equal(rec_hash(&f->rec), rec_hash(&g->rec));
	union tap s = slot(f, TAP_BN, TICK_TRADE, BTC);

	feed(f, TAP_BN, &s);
	assert_int_not_equal(rec_hash(&f->rec), rec_hash(&g->rec));
	feed(g, TAP_BN, &s);
	assert_int_equal(rec_hash(&f->rec), rec_hash(&g->rec));
	s.hdr.seq++;
	s.tick.u.trade.px.e8 = 1;
	feed(f, TAP_BN, &s);
	s.tick.u.trade.px.e8 = 2;
	feed(g, TAP_BN, &s);
	assert_int_not_equal(rec_hash(&f->rec), rec_hash(&g->rec));
	teardown(&other);
}

static void
dies(void (*fn)(struct fixture *), struct fixture *f)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		fn(f);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void
bad_event(struct fixture *f)
{
	struct rec_event ev = {.kind = REC_EV_N};

	rec_step(&f->rec, &ev, &f->out);
}

static void
too_many_rows(struct fixture *f)
{
	for (unsigned i = 0; i <= ROWS; i++) {
		union tap s = slot(f, TAP_BN, TICK_TRADE, BTC);

		feed(f, TAP_BN, &s);
	}
}

static void
slot_before_block(struct fixture *f)
{
	union tap s = slot(f, TAP_BN, TICK_TRADE, BTC);

	rec_init(&f->rec, ROWS, f->mem);
	feed(f, TAP_BN, &s);
}

static void
close_with_rows(struct fixture *f)
{
	union tap s = slot(f, TAP_BN, TICK_TRADE, BTC);

	feed(f, TAP_BN, &s);
	rec_closed(&f->rec, part_of(REC_PRICE, VENUE_BINANCE, 490000));
}

static void
few_rows(struct fixture *f)
{
	rec_init(&f->rec, 3, f->mem);
}

static void
contracts(void **state)
{
	dies(bad_event, *state);
	dies(too_many_rows, *state);
	dies(slot_before_block, *state);
	dies(close_with_rows, *state);
	dies(few_rows, *state);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(ticks),
	    T(books),
	    T(orders_and_fills),
	    T(the_rest),
	    T(gaps),
	    T(gaps_meet),
	    T(a_gap_leaves_room_for_another),
	    T(messages_name_their_venue),
	    T(headers_out_of_bounds),
	    T(more_gaps_than_a_footer_holds),
	    T(groups_and_hours),
	    T(end_closes_all),
	    T(bad_slots),
	    T(symbols),
	    T(same_input_same_hash),
	    T(contracts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
