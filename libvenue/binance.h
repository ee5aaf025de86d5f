/*
 * binance.h - Binance market data (JSON streams and REST depth).
 *
 * What   : frames of a combined or raw stream, spot and futures, and bodies
 *          of GET depth, decoded into one event each.
 * Units  : px_t, qty_t, ns since 1970 (the venue's ms or us told apart by
 *          magnitude). Past PX_E8_MAX and QTY_E8_MAX: BAD_NUMBER.
 * Side   : of a trade is the aggressor's: m:true, the buyer was the maker,
 *          gives SIDE_ASK.
 * Pure   : yes. O(n). Keys in any order, unknown keys skipped.
 */
#ifndef LIBVENUE_BINANCE_H
#define LIBVENUE_BINANCE_H

#include "libcore/fixed.h"
#include "libcore/json.h"
#include "libcore/types.h"

#define BN_LEVELS_MAX 2048 /* a side */

enum bn_kind {
	BN_ERR = 1,	/* refused: reason, err_off */
	BN_TRADE,	/* trade */
	BN_AGG_TRADE,	/* aggTrade */
	BN_BOOK_TICKER, /* bookTicker */
	BN_DEPTH,	/* depthUpdate: new totals, zero removes */
	BN_PARTIAL,	/* depthN stream: the whole top of the book */
	BN_SNAPSHOT,	/* GET depth: the whole book; has no stream name */
	BN_SHUTDOWN,	/* serverShutdown: connect elsewhere now */
	BN_ANSWER,	/* {"result":...,"id":...} to a request */
	BN_REFUSAL,	/* {"code":...,"msg":...} */
	BN_UNKNOWN,	/* well-formed, not used: UNSUPPORTED when its name is
			   in the venue's list, else UNKNOWN_EVENT */
	BN_KIND_N
};

struct bn_level {
	px_t px;
	qty_t qty;
};

/*
 * Fields by kind; texts point into the frame:
 *   BN_TRADE        symbol, trade_id, px, qty, side, venue_ns, event_ns
 *   BN_AGG_TRADE    the same, first_id, last_id
 *   BN_BOOK_TICKER  symbol, last_id (u), bid, ask; spot sends no time (0)
 *   BN_DEPTH        symbol, first_id (U), last_id (u), prev_id (pu) when
 *                   has_prev (futures), bids, asks, venue_ns, event_ns
 *   BN_PARTIAL      stream, last_id, bids, asks
 *   BN_SNAPSHOT     last_id, bids, asks, best first; times on futures only
 *   BN_ANSWER       body          BN_REFUSAL  code, msg
 * stream has n == 0 when the frame was not in the combined envelope.
 * venue_ns is when it happened (T), event_ns when it was sent (E); one of
 * them missing takes the value of the other.
 */
struct bn_event {
	enum bn_kind kind;
	enum reason reason; /* of BN_ERR and BN_UNKNOWN */
	uint32_t err_off;
	struct json_str stream;
	struct json_str symbol;
	struct json_str type; /* "e", for the log */
	int64_t venue_ns;
	int64_t event_ns;

	uint64_t trade_id;
	uint64_t first_id;
	uint64_t last_id;
	uint64_t prev_id;
	bool has_prev;
	enum side side;
	px_t px;
	qty_t qty;
	struct bn_level bid; /* zero quantity: side empty */
	struct bn_level ask;

	int64_t code;
	struct json_str msg;
	struct json_str body;

	uint32_t bids_n;
	uint32_t asks_n;
	struct bn_level bids[BN_LEVELS_MAX];
	struct bn_level asks[BN_LEVELS_MAX];
};

/*
 * bn_decode - one frame or REST body.
 * Refused as libvenue/polymarket.h numbers it: not JSON; BAD_TYPE and
 * BAD_NUMBER; OVERLONG (more than BN_LEVELS_MAX levels); MISSING_FIELD.
 * Nothing of *ev but kind, reason and err_off is meant on BN_ERR.
 */
enum bn_kind bn_decode(struct bn_event *ev, const char *text, size_t n);

/*
 * bn_stream_path - request path of a combined stream in microseconds:
 *   /stream?streams=btcusdt@trade/btcusdt@bookTicker&timeUnit=MICROSECOND
 * symbols in any case, n_symbols x n_kinds streams, kinds such as "trade",
 * "bookTicker", "depth@100ms", "depth20@100ms".
 * is_binary: the streams of bn_sbe.h instead, which have names of their own,
 * one pace, and always microseconds; a kind without one is left out.
 * Returns : length without NUL, 0 when it does not fit, when nothing is
 *           asked for, or when a name holds anything but [A-Za-z0-9_@].
 */
struct bn_streams {
	const char *const *symbols;
	size_t symbols_n;
	const char *const *kinds;
	size_t kinds_n;
	bool is_binary;
};
size_t bn_stream_path(const struct bn_streams *want, char *buf, size_t cap);

#endif
