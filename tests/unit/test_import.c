/* links: recorderd libvenue libsys libshm libcore */
/*
 * Frames of each format in, slots out; whatever a line may be, no crash.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libcore/hash.h"
#include "recorderd/import.h"

#define MAX 256u

static struct import *im;
static union tap got[MAX];
static unsigned got_n;
static unsigned instr_n;
static unsigned at;

static void
on_slot(void *ctx, const struct import_instr *in, const union tap *s)
{
	(void)ctx;
	assert_int_equal(s->hdr.instr, in->idx);
	if (got_n < MAX)
		got[got_n++] = *s;
}

static uint16_t
on_instr(void *ctx, const struct instr *in, int64_t recv_ns)
{
	(void)ctx;
	assert_true(in->symbol[0] != '\0');
	assert_true(recv_ns > 0);
	return (uint16_t)(100 + instr_n++);
}

static void
begin(enum import_format format)
{
	const struct import_sink sink = {on_slot, on_instr, NULL};

	got_n = instr_n = at = 0;
	import_init(im, format, "BTCUSDT", &sink);
	import_file(im);
}

static void
line(const char *text)
{
	char copy[2048];

	snprintf(copy, sizeof(copy), "%s", text);
	import_line(im, copy, strlen(copy));
}

static const struct tick *
next(uint8_t kind)
{
	assert_true(at < got_n);
	assert_string_equal(
	    slot_kind_name(got[at].hdr.kind), slot_kind_name(kind));
	return &got[at++].tick;
}

static void
is_trade(int64_t recv, int64_t px, int64_t qty, uint8_t side, uint64_t id)
{
	const struct tick *t = next(TICK_TRADE);

	assert_int_equal(t->hdr.recv_ns, recv);
	assert_int_equal(t->u.trade.px.e8, px);
	assert_int_equal(t->u.trade.qty.e8, qty);
	assert_int_equal(t->u.trade.side, side);
	assert_int_equal(t->u.trade.trade_id, id);
}

static void
is_level(uint8_t side, int64_t px, int64_t qty, bool last)
{
	const struct tick *t = next(TICK_LEVEL);

	assert_int_equal(t->u.level.side, side);
	assert_int_equal(t->u.level.px.e8, px);
	assert_int_equal(t->u.level.qty.e8, qty);
	assert_int_equal((t->hdr.flags & SLOT_BATCH_END) != 0, last);
}

static void
is_bbo(int64_t bid, int64_t ask)
{
	const struct tick *t = next(TICK_BBO);

	assert_int_equal(t->u.bbo.bid_px.e8, bid);
	assert_int_equal(t->u.bbo.ask_px.e8, ask);
}

static void
over(void)
{
	import_end(im);
	assert_int_equal(at, got_n);
	assert_int_equal(im->bad_n, 0);
}

static void
binance_dumps(void **state)
{
	(void)state;
	begin(IMPORT_BN_CSV);
	/* Spot, us from 2025 on; ms before. */
	line("4411223344,93548.80000000,0.00012000,11.22585600,"
	     "1735689600123456,True,True");
	line("4411223345,93548.81,0.5,46774.405,1735600000123,False,True\r");
	is_trade(INT64_C(1735689600123456000), INT64_C(9354880000000), 12000,
	    SIDE_ASK, 4411223344);
	is_trade(INT64_C(1735600000123000000), INT64_C(9354881000000), 50000000,
	    SIDE_BID, 4411223345);
	/* aggTrades */
	import_file(im);
	line("7,1.5,2,10,12,1735689600123456,false,true");
	is_trade(
	    INT64_C(1735689600123456000), 150000000, 200000000, SIDE_BID, 7);
	/* Futures with a header. */
	import_file(im);
	line("id,price,qty,quote_qty,time,is_buyer_maker");
	line("9,100.5,0.25,25.125,1700000000123,true");
	is_trade(
	    INT64_C(1700000000123000000), 10050000000, 25000000, SIDE_ASK, 9);
	/* Book ticker and depth, without one. */
	import_file(im);
	line("55,99.5,1,100.5,2,1700000000124,1700000000125");
	is_bbo(9950000000, 10050000000);
	over();
}

static void
binance_depth(void **state)
{
	(void)state;
	begin(IMPORT_BN_CSV);
	line("ETHUSDT,1700000000000,1,2,b,snap,10.0,1,0");
	line("ETHUSDT,1700000000000,1,2,a,snap,11.0,3,0");
	line("ETHUSDT,1700000000100,3,4,b,set,10.5,2,2");
	line("ETHUSDT,1700000000100,3,4,a,set,11.0,0,2");
	next(TICK_SNAP_BEGIN);
	is_level(SIDE_BID, 1000000000, 100000000, false);
	is_level(SIDE_ASK, 1100000000, 300000000, true);
	assert_int_equal(next(TICK_SNAP_END)->u.snap.ask_n, 1);
	is_bbo(1000000000, 1100000000);
	import_end(im);
	is_level(SIDE_BID, 1050000000, 200000000, false);
	is_level(SIDE_ASK, 1100000000, 0, true);
	is_bbo(1050000000, 0);
	over();
}

static void
tardis(void **state)
{
	(void)state;
	begin(IMPORT_TARDIS);
	line("exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,"
	     "amount");
	line("binance,ETHUSDT,1585699200245000,1585699200355684,true,ask,"
	     "6421.5,18640");
	line("binance,ETHUSDT,1585699200245000,1585699200355684,true,bid,"
	     "6421,1e-5");
	line("binance,ETHUSDT,1585699200300000,1585699200400000,false,bid,"
	     "6421.25,7");
	next(TICK_SNAP_BEGIN);
	is_level(
	    SIDE_ASK, INT64_C(642150000000), INT64_C(1864000000000), false);
	is_level(SIDE_BID, INT64_C(642100000000), 1000, true);
	next(TICK_SNAP_END);
	is_bbo(INT64_C(642100000000), INT64_C(642150000000));
	import_end(im);
	is_level(SIDE_BID, INT64_C(642125000000), 700000000, true);
	assert_int_equal(got[at - 1].hdr.recv_ns, 1585699200400000000);
	assert_int_equal(got[at - 1].hdr.venue_ns, 1585699200300000000);
	is_bbo(INT64_C(642125000000), INT64_C(642150000000));
	import_file(im);
	line("exchange,symbol,timestamp,local_timestamp,id,side,price,amount");
	line("bitmex,XBTUSD,1583020803145000,1583020803307160,"
	     "ccc3c1fa-212c,sell,8531.5,2152");
	line("binance,XBTUSD,1583020803145000,1583020803307161,,unknown,1,2");
	is_trade(INT64_C(1583020803307160000), INT64_C(853150000000),
	    INT64_C(215200000000), SIDE_ASK,
	    hash_bytes(HASH_SEED, "ccc3c1fa-212c", 13));
	is_trade(INT64_C(1583020803307161000), 100000000, 200000000, 0, 0);
	import_file(im);
	/* ask_amount first: columns go by name. */
	line("exchange,symbol,timestamp,local_timestamp,ask_amount,ask_price,"
	     "bid_price,bid_amount");
	line("huobi,BTC-USD,1588291201099000,1588291201234268,5494,8629.3,"
	     "8629.2,806");
	is_bbo(INT64_C(862920000000), INT64_C(862930000000));
	over();
}

static void
tardis_snapshots(void **state)
{
	(void)state;
	begin(IMPORT_TARDIS);
	line("exchange,symbol,timestamp,local_timestamp,asks[0].price,"
	     "asks[0].amount,bids[0].price,bids[0].amount,asks[1].price,"
	     "asks[1].amount,bids[1].price,bids[1].amount");
	line("binance-futures,BTCUSDT,1598918403696000,1598918403810979,11657,"
	     "1.5,11656,10,11658,5.4,,");
	next(TICK_SNAP_BEGIN);
	is_level(SIDE_BID, INT64_C(1165600000000), 1000000000, false);
	is_level(SIDE_ASK, INT64_C(1165800000000), 540000000, false);
	is_level(SIDE_ASK, INT64_C(1165700000000), 150000000, true);
	next(TICK_SNAP_END);
	is_bbo(INT64_C(1165600000000), INT64_C(1165700000000));
	over();
}

static void
binance_frames(void **state)
{
	(void)state;
	begin(IMPORT_BN_RAW);
	line("1723161255088176367 {\"stream\":\"btcusdt@trade\",\"data\":{"
	     "\"e\":\"trade\",\"E\":1723161256322,\"T\":1723161256322,\"s\":"
	     "\"BTCUSDT\",\"t\":5266583935,\"p\":\"61800.30\",\"q\":\"0.006\","
	     "\"X\":\"MARKET\",\"m\":false}}");
	is_trade(INT64_C(1723161255088176367), INT64_C(6180030000000), 600000,
	    SIDE_BID, 5266583935);
	line("1723161255088225167 {\"stream\":\"btcusdt@bookTicker\",\"data\":"
	     "{\"e\":\"bookTicker\",\"u\":512,\"s\":\"BTCUSDT\",\"b\":"
	     "\"61800.20\",\"B\":\"2.634\",\"a\":\"61800.30\",\"A\":\"2.305\","
	     "\"T\":1723161256344,\"E\":1723161256344}}");
	is_bbo(INT64_C(6180020000000), INT64_C(6180030000000));
	over();
}

static const char *const market =
    "{\"slug\":\"btc-updown-15m-1\",\"condition_id\":\"0x00000000000000000000"
    "000000000000000000000000000000000000000000ab\",\"outcomes\":[{\"token_id\""
    ":\"11\",\"outcome\":\"Up\"},{\"token_id\":\"22\",\"outcome\":\"Down\"}],"
    "\"start_ts\":1777514400000,\"end_ts\":1777515300000,\"tick_size\":0.01}";

static void
polymarket(void **state)
{
	(void)state;
	begin(IMPORT_PM_JSONL);
	assert_true(import_market(im, market, strlen(market)));
	line("{\"source\":\"polymarket_clob\",\"recv_wall_ts\":1777428651842,"
	     "\"recv_mono_ns\":1777428651842487001,\"ingest_seq\":1,\"payload\""
	     ":\"{\\\"market\\\":\\\"0x0000000000000000000000000000000000000000"
	     "0000000000000000000000ab\\\",\\\"asset_id\\\":\\\"11\\\","
	     "\\\"timestamp\\\":\\\"1777428651000\\\",\\\"hash\\\":\\\"\\\","
	     "\\\"bids\\\":[{\\\"price\\\":\\\"0.4\\\",\\\"size\\\":"
	     "\\\"10\\\"}],\\\"asks\\\":[{\\\"price\\\":\\\"0.6\\\","
	     "\\\"size\\\":\\\"5\\\"}]}\"}");
	next(TICK_SNAP_BEGIN);
	assert_int_equal(got[0].hdr.recv_ns, 1777428651842487001);
	is_level(SIDE_BID, 40000000, 1000000000, false);
	is_level(SIDE_ASK, 60000000, 500000000, true);
	next(TICK_SNAP_END);
	is_bbo(40000000, 60000000);
	/* A change comes for both tokens: that of YES counts. */
	line("{\"source\":\"polymarket_clob\",\"recv_wall_ts\":1777428652000,"
	     "\"payload\":\"{\\\"event_type\\\":\\\"price_change\\\","
	     "\\\"market\\\":\\\"0x00000000000000000000000000000000000000000000"
	     "000000000000000000ab\\\",\\\"timestamp\\\":\\\"1777428652000\\\","
	     "\\\"price_changes\\\":[{\\\"asset_id\\\":\\\"22\\\",\\\"price\\\""
	     ":\\\"0.55\\\",\\\"size\\\":\\\"3\\\",\\\"side\\\":\\\"SELL\\\"},"
	     "{\\\"asset_id\\\":\\\"11\\\",\\\"price\\\":\\\"0.45\\\","
	     "\\\"size\\\":\\\"3\\\",\\\"side\\\":\\\"BUY\\\"}]}\"}");
	is_level(SIDE_BID, 45000000, 300000000, true);
	is_bbo(45000000, 60000000);
	/* A trade of NO is turned. */
	line("{\"source\":\"polymarket_clob\",\"recv_wall_ts\":1777428653000,"
	     "\"payload\":\"{\\\"event_type\\\":\\\"last_trade_price\\\","
	     "\\\"market\\\":\\\"0x00000000000000000000000000000000000000000000"
	     "000000000000000000ab\\\",\\\"asset_id\\\":\\\"22\\\","
	     "\\\"timestamp\\\":\\\"1777428653000\\\",\\\"price\\\":"
	     "\\\"0.4\\\",\\\"size\\\":\\\"2\\\",\\\"side\\\":\\\"BUY\\\"}\"}");
	is_trade(
	    INT64_C(1777428653000000000), 60000000, 200000000, SIDE_ASK, 0);
	over();
}

static size_t
npy(uint8_t *p)
{
	static const char head[] =
	    "{'descr': [('ev', '<u8'), ('exch_ts', '<i8'), ('local_ts', "
	    "'<i8'), ('px', '<f8'), ('qty', '<f8'), ('order_id', '<u8'), "
	    "('ival', '<i8'), ('fval', '<f8')], 'fortran_order': False, "
	    "'shape': (5,), }\n";

	memcpy(p, "\x93NUMPY\x01\0", 8);
	p[8] = sizeof(head) - 1;
	p[9] = 0;
	memcpy(p + 10, head, sizeof(head) - 1);
	return 10 + sizeof(head) - 1;
}

static void
npy_row(uint8_t *p, uint64_t ev, int64_t local, double px, double qty)
{
	int64_t exch = local - 7;

	memset(p, 0, 64);
	memcpy(p, &ev, 8);
	memcpy(p + 8, &exch, 8);
	memcpy(p + 16, &local, 8);
	memcpy(p + 24, &px, 8);
	memcpy(p + 32, &qty, 8);
}

static void
hftbacktest(void **state)
{
	uint8_t buf[2048];
	uint8_t rows[6 * 64];
	int64_t t = INT64_C(1700000000000000000);

	(void)state;
	begin(IMPORT_NPZ);
	size_t head = npy(buf);

	assert_int_equal(import_npy_head(im, buf, 9), 0);
	assert_int_equal(import_npy_head(im, buf, head - 1), 0);
	assert_int_equal(import_npy_head(im, buf, head), head);
	buf[1] = 'X';
	assert_true(import_npy_head(im, buf, head) == SIZE_MAX);
	npy_row(rows, UINT64_C(0xE0000004), t, 100.1, 2);
	npy_row(rows + 64, UINT64_C(0xD0000004), t, 100.2, 3);
	npy_row(rows + 128, UINT64_C(0xD0000002), t + 1, 100.1, 0.5);
	npy_row(rows + 192, UINT64_C(0xA0000001), t + 2, 99, 1); /* exchange */
	npy_row(rows + 256, UINT64_C(0xE0000001), t + 2, 100.15, 1);
	npy_row(rows + 320, UINT64_C(0xE0000003), t + 3, 100.15, 0);
	import_npy_rows(im, rows, 6);
	next(TICK_SNAP_BEGIN);
	is_level(SIDE_BID, 10010000000, 200000000, false);
	is_level(SIDE_ASK, 10020000000, 300000000, true);
	is_trade(t + 1, 10010000000, 50000000, SIDE_ASK, 0);
	next(TICK_SNAP_END);
	is_bbo(10010000000, 10020000000);
	import_end(im);
	is_level(SIDE_BID, 10015000000, 100000000, true);
	is_bbo(10015000000, 10020000000);
	/* Cleared down to the bound, not further. */
	is_level(SIDE_BID, 10015000000, 0, true);
	is_bbo(10010000000, 10020000000);
	over();
	assert_int_equal(im->skipped_n, 1);
}

/* Broken lines of every format are counted, and nothing else happens. */
static void
broken(void **state)
{
	static const char *const text[] = {"x", ",", ",,,,,,,,,", "{}", "{",
	    "1 ", "1723161255088176367 {", "1,2,3,4,5,True,True",
	    "1,abc,1,1,1735689600123456,True,True",
	    "1,1e999,1,1,1735689600123456,True,True",
	    "{\"source\":\"binance\",\"recv_wall_ts\":1,\"payload\":\"\"}",
	    "{\"source\":\"binance\",\"recv_wall_ts\":1777428652000,"
	    "\"payload\":\"{}\\u\"}"};
	uint64_t seed = 5;

	(void)state;
	for (unsigned f = IMPORT_PM_JSONL; f < IMPORT_NPZ; f++) {
		for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++) {
			begin((enum import_format)f);
			line(text[i]);
			import_end(im);
			assert_int_equal(got_n, 0);
		}
		begin((enum import_format)f);
		for (unsigned i = 0; i < 5000; i++) {
			char t[64];
			size_t n = 1 + hash_u64(seed, i) % 60;

			for (size_t k = 0; k < n; k++) {
				seed = hash_u64(seed, k);
				t[k] = "0123456789.,{}\":a true"[seed % 22];
			}
			import_line(im, t, n);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(binance_dumps),
	    cmocka_unit_test(binance_depth), cmocka_unit_test(tardis),
	    cmocka_unit_test(tardis_snapshots),
	    cmocka_unit_test(binance_frames), cmocka_unit_test(polymarket),
	    cmocka_unit_test(hftbacktest), cmocka_unit_test(broken)};

	im = calloc(1, sizeof(*im));
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	free(im);
	return rc;
}
