/*
 * polymarket.h - the market channel of Polymarket's order book.
 *
 * What   : frames of the market WebSocket and bodies of GET /book, decoded
 *          into events; texts to subscribe and keep alive.
 * Units  : prices in the frame of the token they name (libvenue/frame.h),
 *          sizes qty_t, times ns since 1970 on the venue's clock.
 * Numbers: decimals without sign or exponent; prices of at most 4 decimals,
 *          sizes of at most 6 and QTY_E8_MAX. Anything else is BAD_NUMBER.
 * Frames : one object, an array of objects, or bare words: PONG, NO NEW
 *          ASSETS, a notice. Keys in any order, unknown keys skipped.
 * Absent : an empty string is the same as a missing key.
 * Pure   : yes. O(n) in the bytes of the frame.
 *
 *     struct pm_frame f;
 *     pm_frame_init(&f, text, n);
 *     while ((kind = pm_next(&f, &ev)) != PM_END && kind != PM_ERR)
 *             ...
 */
#ifndef LIBVENUE_POLYMARKET_H
#define LIBVENUE_POLYMARKET_H

#include "libcore/fixed.h"
#include "libcore/json.h"
#include "libcore/reasons.h"
#include "libcore/types.h"
#include "libvenue/frame.h"
#include "libvenue/pm_id.h"

#define PM_LEVELS_MAX  1024 /* a side */
#define PM_CHANGES_MAX 256
#define PM_TOKENS_MAX  2 /* tokens of one market */
#define PM_HASH_LEN    40
#define PM_PX_STEP     (E8 / 10000)
#define PM_QTY_STEP    (E8 / 1000000)

#define PM_PING "PING" /* every 10 s, answered by PONG */

enum pm_kind {
	PM_ERR = 1, /* refused: reason, err_off; the frame is over */
	PM_END,	    /* no more events in the frame */
	PM_BOOK,    /* snapshot: replaces the whole book of the token */
	PM_PRICE_CHANGE,
	PM_TRADE,      /* last_trade_price */
	PM_TICK_SIZE,  /* tick_size_change */
	PM_TOUCH,      /* best_bid_ask */
	PM_NEW_MARKET, /* details: gamma_decode(body) of libvenue/gamma.h */
	PM_RESOLVED,   /* market_resolved */
	PM_PONG,
	PM_NO_NEW_ASSETS,
	PM_NOTICE,  /* other words that are no JSON, in body: UNKNOWN_EVENT */
	PM_UNKNOWN, /* well-formed, event type not known: UNKNOWN_EVENT */
	PM_KIND_N
};

struct pm_level {
	tok_px_t px;
	qty_t qty;
};

enum pm_touch_state {
	PM_TOUCH_NOT_SENT = 1,
	PM_TOUCH_EMPTY, /* "" or the bounds 0 (bid) and 1 (ask) */
	PM_TOUCH_PRICE,
	PM_TOUCH_STATE_N
};

struct pm_touch {
	tok_px_t px; /* only when state is PM_TOUCH_PRICE */
	enum pm_touch_state state;
};

/* One entry of price_changes: the new total at a price; zero removes it. */
struct pm_change {
	struct pm_token token;
	tok_px_t px;
	qty_t qty;
	enum side side;
	bool has_hash;
	char hash[PM_HASH_LEN]; /* of the token's book after the change */
	struct pm_touch best_bid;
	struct pm_touch best_ask;
};

/*
 * Fields by kind, beside venue_ns and market, which every event but the words
 * and PM_UNKNOWN has (PM_NEW_MARKET may lack venue_ns, 0):
 *   PM_BOOK          token, bids, asks in the order sent (best last as a
 *                    rule, do not rely on it); hash, *_text when sent
 *   PM_PRICE_CHANGE  changes; those of the form before September 2025
 *                    (one token, named by the event) are the same here
 *   PM_TRADE         token, px, qty, side (of the taker)
 *   PM_TICK_SIZE     token, old_tick, new_tick
 *   PM_TOUCH         token, best_bid, best_ask
 *   PM_NEW_MARKET    body
 *   PM_RESOLVED      tokens, token (the winner; has_token), winner (by its
 *                    name; 0 when it is no name of ours), outcome_text
 *   PM_NOTICE        body
 * The texts point into the frame.
 */
struct pm_event {
	enum pm_kind kind;
	enum reason reason; /* of PM_ERR, PM_NOTICE and PM_UNKNOWN */
	uint32_t err_off;   /* byte of the frame where it was refused */
	int64_t venue_ns;
	struct pm_cond market;
	struct pm_token token;
	bool has_token;
	bool has_hash;
	char hash[PM_HASH_LEN];

	tok_px_t px;
	qty_t qty;
	enum side side;
	tok_px_t old_tick;
	tok_px_t new_tick;
	struct pm_touch best_bid;
	struct pm_touch best_ask;

	struct json_str market_text; /* as sent, for the book hash */
	struct json_str token_text;
	struct json_str time_text;
	struct json_str bids_text; /* the arrays, brackets included */
	struct json_str asks_text;
	struct json_str min_size_text; /* s == NULL: not sent */
	struct json_str tick_text;
	struct json_str last_px_text;
	enum pm_neg_risk {
		PM_NEG_RISK_NOT_SENT = 1,
		PM_NEG_RISK_FALSE,
		PM_NEG_RISK_TRUE,
		PM_NEG_RISK_N
	} neg_risk;
	enum token_role winner;
	struct json_str outcome_text;
	struct json_str type_text; /* event_type, for the log */
	struct json_str body;	   /* the whole object */

	uint32_t tokens_n;
	struct pm_token tokens[PM_TOKENS_MAX];

	uint32_t bids_n;
	uint32_t asks_n;
	uint32_t changes_n;
	union {
		struct {
			struct pm_level bids[PM_LEVELS_MAX];
			struct pm_level asks[PM_LEVELS_MAX];
		};
		struct pm_change changes[PM_CHANGES_MAX];
	};
};

struct pm_frame {
	struct json j;
	uint8_t state;
};

/* pm_frame_init - start on a frame; it must stay readable until PM_END. */
void pm_frame_init(struct pm_frame *f, const char *text, size_t n);

/*
 * pm_next - decode the next event.
 *   1. BAD_JSON, BAD_UTF8, TOO_DEEP   the text is not JSON
 *   2. BAD_TYPE, BAD_NUMBER           a known field is not what it must be
 *   3. OVERLONG                       more levels or changes than fit
 *   4. MISSING_FIELD                  an event lacks a required field
 * A single object is checked to its last byte before it is returned. In an
 * array the events before a refused one were complete and true; the rest of
 * the frame is lost, so the caller takes fresh snapshots.
 * A body with bids or asks and no event_type (GET /book) is PM_BOOK; any
 * other object without event_type is PM_UNKNOWN.
 * After PM_ERR and PM_END every call returns PM_END.
 */
enum pm_kind pm_next(struct pm_frame *f, struct pm_event *ev);

/* How a subscription text changes what the connection delivers. */
enum pm_sub {
	PM_SUB_FIRST = 1, /* first message of a connection */
	PM_SUB_ADD,
	PM_SUB_REMOVE,
	PM_SUB_N
};

/*
 * pm_encode_subscription - JSON text for n tokens, best_bid_ask, new_market
 * and market_resolved included (custom_feature_enabled) unless PM_SUB_REMOVE.
 * Returns : length without NUL, 0 when it does not fit cap.
 */
size_t pm_encode_subscription(enum pm_sub op, const struct pm_token *tokens,
    size_t n, char *buf, size_t cap);

#endif
