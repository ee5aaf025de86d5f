/*
 * hyperliquid.h - Hyperliquid market data.
 *
 * What   : frames of the WebSocket, and bodies of the `meta` and `l2Book`
 *          requests, decoded into one event each; texts to subscribe and
 *          keep alive.
 * Units  : px_t, qty_t, ns since 1970 (block time). Prices and sizes past
 *          PX_E8_MAX and QTY_E8_MAX are BAD_NUMBER; open_interest may be
 *          larger, up to 8e10 coins.
 * Side   : of a trade is the aggressor's: "B" gives SIDE_BID.
 * Pure   : yes. O(n). Key order is not stable at this venue; unknown keys
 *          are skipped.
 */
#ifndef LIBVENUE_HYPERLIQUID_H
#define LIBVENUE_HYPERLIQUID_H

#include "libcore/fixed.h"
#include "libcore/json.h"
#include "libcore/types.h"

#define HL_LEVELS_MAX 256 /* a side; the venue sends 5 or 20 */
#define HL_TRADES_MAX 512 /* in one frame */
#define HL_COINS_MAX  1024
#define HL_COIN_MAX   23 /* characters of a coin's name */

#define HL_PING "{\"method\":\"ping\"}" /* answered by HL_PONG */

enum hl_kind {
	HL_ERR = 1, /* refused: reason, err_off */
	HL_BBO,
	HL_BOOK, /* complete snapshot: replaces */
	HL_TRADES,
	HL_CTX, /* activeAssetCtx */
	HL_SUBSCRIBED,
	HL_PONG,
	HL_REFUSAL, /* channel "error": msg, refusal */
	HL_META,    /* coins */
	HL_UNKNOWN, /* well-formed, not used: UNSUPPORTED when the channel is
		       in the venue's list, else UNKNOWN_EVENT */
	HL_KIND_N
};

/* What an error text says, told by how it begins. */
enum hl_refusal {
	HL_REFUSED_PARSE = 1,	 /* not JSON, or a malformed post */
	HL_REFUSED_SUBSCRIPTION, /* unknown type or bad arguments */
	HL_REFUSED_ALREADY,	 /* (un)subscribed twice: harmless */
	HL_REFUSED_USERS,	 /* too many users followed */
	HL_REFUSED_CHANNELS,	 /* too many subscriptions */
	HL_REFUSED_MESSAGES,	 /* too many messages a minute */
	HL_REFUSED_CONNECTIONS,	 /* too many sockets: reason of a close 1008 */
	HL_REFUSED_POSTS,	 /* too many unanswered posts */
	HL_REFUSED_OTHER,
	HL_REFUSED_N
};

struct hl_level {
	px_t px;
	qty_t qty;
	uint32_t orders_n; /* 0 when not sent */
};

struct hl_trade {
	px_t px;
	qty_t qty;
	int64_t venue_ns;
	uint64_t trade_id;
	enum side side;
};

struct hl_coin {
	struct json_str name;
	uint32_t size_decimals;
	bool is_delisted;
};

/*
 * Fields by kind; texts point into the frame:
 *   HL_BBO         coin, venue_ns, bids and asks of 0 or 1 level
 *   HL_BOOK        coin, venue_ns, bids, asks best first, is_fast
 *   HL_TRADES      coin, trades (all of one coin; none: coin.n == 0)
 *   HL_CTX         coin, mark, oracle, funding_e12 (hourly, signed), mid when
 *                  has_mid, open_interest
 *   HL_SUBSCRIBED  method, channel (type asked for), coin, is_fast
 *   HL_REFUSAL     msg, refusal
 *   HL_META        coins in the order that gives the asset index
 */
struct hl_event {
	enum hl_kind kind;
	enum reason reason; /* of HL_ERR and HL_UNKNOWN */
	uint32_t err_off;
	struct json_str channel;
	struct json_str coin;
	struct json_str method;
	struct json_str msg;
	enum hl_refusal refusal;
	int64_t venue_ns;
	bool is_fast;

	px_t mark;
	px_t oracle;
	px_t mid;
	bool has_mid;
	int64_t funding_e12;
	qty_t open_interest;

	uint32_t bids_n;
	uint32_t asks_n;
	uint32_t trades_n;
	uint32_t coins_n;
	union {
		struct {
			struct hl_level bids[HL_LEVELS_MAX];
			struct hl_level asks[HL_LEVELS_MAX];
		};
		struct hl_trade trades[HL_TRADES_MAX];
		struct hl_coin coins[HL_COINS_MAX];
	};
};

/*
 * hl_decode - one frame or REST body.
 * Refused as libvenue/polymarket.h numbers it. A frame that does not start
 * with a brace is HL_UNKNOWN: older servers greeted with a sentence.
 */
enum hl_kind hl_decode(struct hl_event *ev, const char *text, size_t n);

/* hl_refusal_of - the same for a text that came otherwise. */
enum hl_refusal hl_refusal_of(const char *text, size_t n);

enum hl_sub {
	HL_SUB_BBO = 1,
	HL_SUB_BOOK,
	HL_SUB_BOOK_FAST,
	HL_SUB_TRADES,
	HL_SUB_CTX,
	HL_SUB_N
};

/*
 * hl_encode_subscribe - JSON text; one subscription a message.
 * Check the coin against HL_META first: a wrong one drops the socket.
 * Returns : length without NUL, 0 when it does not fit or the coin is empty,
 *           longer than HL_COIN_MAX or not printable ASCII without quote and
 *           backslash.
 */
size_t hl_encode_subscribe(
    enum hl_sub sub, const char *coin, char *buf, size_t cap);

#endif
