/*
 * bn_rest.h - Binance's REST bodies of public data, but for the book.
 *
 * What   : exchangeInfo, time, ticker/bookTicker, trades, aggTrades and
 *          klines, given item by item; the error body {"code","msg"}; what
 *          an error code means. The book (GET depth) is bn_decode's.
 * Units  : px_t, qty_t, ns since 1970 (ms or us told apart by magnitude).
 * Pure   : yes. O(n). Keys in any order, unknown keys and filters skipped.
 */
#ifndef LIBVENUE_BN_REST_H
#define LIBVENUE_BN_REST_H

#include "libvenue/binance.h"

/* What was asked for: bodies do not say what they are. */
enum bn_ask {
	BN_ASK_INFO = 1,   /* /api/v3/exchangeInfo */
	BN_ASK_TIME,	   /* /api/v3/time */
	BN_ASK_TICKER,	   /* /api/v3/ticker/bookTicker, of one or many */
	BN_ASK_TRADES,	   /* /api/v3/trades */
	BN_ASK_AGG_TRADES, /* /api/v3/aggTrades */
	BN_ASK_KLINES,	   /* /api/v3/klines */
	BN_ASK_N
};

enum bn_item_kind {
	BN_ITEM_END = 1,   /* nothing more */
	BN_ITEM_ERR,	   /* refused: reason, err_off; nothing follows */
	BN_ITEM_REFUSAL,   /* the venue's error: code, msg; nothing follows */
	BN_ITEM_TIME,	   /* venue_ns; also of an exchangeInfo */
	BN_ITEM_LIMIT,	   /* limit, limit_per_s, limit_n */
	BN_ITEM_SYMBOL,	   /* symbol, status, tick, lot, min_notional_e8 */
	BN_ITEM_TICKER,	   /* symbol, bid, ask */
	BN_ITEM_TRADE,	   /* id, px, qty, side, venue_ns */
	BN_ITEM_AGG_TRADE, /* the same, first_id, last_id */
	BN_ITEM_KLINE,	   /* venue_ns, end_ns, open, high, low, close, qty,
			      trades_n */
	BN_ITEM_KIND_N
};

/* Quote only while BN_TRADING. */
enum bn_status {
	BN_TRADING = 1,
	BN_HALT,
	BN_BREAK,
	BN_CANCEL_ONLY,
	BN_STATUS_OTHER, /* END_OF_DAY and whatever comes next */
	BN_STATUS_N
};

enum bn_limit {
	BN_LIMIT_WEIGHT = 1, /* request weight */
	BN_LIMIT_ORDERS,
	BN_LIMIT_RAW, /* requests of any weight */
	BN_LIMIT_OTHER,
	BN_LIMIT_N
};

/* Filters that a symbol does not have are zero. Texts point into the body. */
struct bn_item {
	enum bn_item_kind kind;
	enum reason reason;
	uint32_t err_off;
	struct json_str symbol;
	enum bn_status status;
	px_t tick;
	qty_t lot;
	int64_t min_notional_e8; /* of the quote currency */

	enum bn_limit limit;
	uint64_t limit_per_s; /* window */
	uint64_t limit_n;

	int64_t venue_ns;
	int64_t end_ns;
	uint64_t id;
	uint64_t first_id;
	uint64_t last_id;
	uint64_t trades_n;
	enum side side; /* aggressor */
	px_t px;
	qty_t qty;
	struct bn_level bid;
	struct bn_level ask;
	px_t open;
	px_t high;
	px_t low;
	px_t close;

	int64_t code;
	struct json_str msg;
};

struct bn_rest {
	struct json j;
	enum bn_ask ask;
	int state;
	uint32_t seen; /* of the outer object */
	int64_t code;
	struct json_str msg;
};

/* bn_rest_init - start at a body; the text stays while it is read. */
void bn_rest_init(
    struct bn_rest *r, enum bn_ask ask, const char *text, size_t n);

/*
 * bn_rest_next - the next item. After END, ERR and REFUSAL only END comes.
 * Items before an ERR are sound each for itself; callers that want all or
 * nothing read to the END first.
 */
enum bn_item_kind bn_rest_next(struct bn_rest *r, struct bn_item *out);

/* What an error code asks for. Codes 0 to 3 answer requests on a stream. */
enum bn_cause {
	BN_CAUSE_PROPERTY = 1, /* 0: unknown property */
	BN_CAUSE_VALUE,	       /* 1: property of the wrong type */
	BN_CAUSE_REQUEST,      /* 2: invalid request */
	BN_CAUSE_JSON,	       /* 3: not JSON */
	BN_CAUSE_RETRY,	       /* -1000 -1001 -1007 -1008 -1016: later */
	BN_CAUSE_LIMIT,	       /* -1003: too many requests */
	BN_CAUSE_CLOCK,	       /* -1021: timestamp */
	BN_CAUSE_MALFORMED,    /* -1100 to -1130: our mistake */
	BN_CAUSE_SYMBOL,       /* -1121 */
	BN_CAUSE_STATUS,       /* -1220: not in this state of the symbol */
	BN_CAUSE_NO_REFERENCE, /* -2043 */
	BN_CAUSE_OTHER,
	BN_CAUSE_N
};
enum bn_cause bn_cause_of(int64_t code);

#endif
