/*
 * clob_market.h - markets as Polymarket's order book describes them.
 *
 * What   : GET /markets/{condition}, /clob-markets/{condition} (the terse
 *          one) and pages of /markets, /sampling-markets and the simplified
 *          ones. Which form an object has is told by its keys.
 * Tokens : by outcome NAME, never by position, as in libvenue/gamma.h.
 * Fields : anything may be missing, null or ""; what was not sent is zero
 *          (or its has_ flag false).
 * Pure   : yes. Cold path.
 */
#ifndef LIBVENUE_CLOB_MARKET_H
#define LIBVENUE_CLOB_MARKET_H

#include "libcore/fixed.h"
#include "libcore/json.h"
#include "libvenue/frame.h"
#include "libvenue/pm_id.h"

enum clob_kind {
	CLOB_ERR = 1, /* not JSON, or the rest of the page is lost */
	CLOB_END,
	CLOB_MARKET,
	CLOB_REFUSED, /* this market only: reason, err_off; go on */
	CLOB_NOTICE,  /* {"error":"..."}: error */
	CLOB_KIND_N
};

struct clob_token {
	struct pm_token id;
	tok_px_t px;
	bool winner;
};

/* Texts point into the answer, escapes not undone. */
struct clob_market {
	enum reason reason;
	uint32_t err_off;
	struct json_str error;
	struct pm_cond cond;
	struct pm_cond question_id;
	struct pm_cond neg_risk_id; /* n == 0 when none */
	struct json_str slug;
	struct json_str question;
	struct json_str description;

	bool is_terse;	 /* /clob-markets: the fields marked t */
	bool is_updown;	 /* t: outcomes are Up and Down */
	bool has_tokens; /* t: false while the market is being set up */
	struct clob_token yes;
	struct clob_token no;

	bool neg_risk; /* t */
	bool active;
	bool closed;
	bool archived;
	bool accepting_orders; /* t; a closed market may still say so */
	bool enable_order_book;
	bool is_50_50;
	bool clear_book_on_start; /* t */
	bool rfq;		  /* t */
	bool taker_delayed;	  /* t: itode */
	uint32_t seconds_delay;	  /* t: sports */
	uint32_t order_age_min_s; /* t: oas */
	uint32_t maker_base_fee;  /* t: bps of old, not the fee */
	uint32_t taker_base_fee;
	int64_t accepting_ns;
	int64_t end_ns;
	int64_t game_start_ns;
	tok_px_t tick;	/* t; 0 when not sent */
	qty_t min_size; /* t; 0 when not sent */

	bool has_fee; /* t: fd */
	int64_t fee_rate_e8;
	uint32_t fee_exponent;
	bool fee_taker_only;

	qty_t reward_min_size; /* shares */
	px_t reward_spread;    /* farthest from the mid: 4.5 cents is 0.045 */
	usd_t reward_daily;    /* sum over the assets it is paid in */
};

struct clob_answer {
	struct json j;
	const char *start;
	uint8_t state;
	/* After the first clob_next; on a page: the next one's, base64. */
	struct json_str next_cursor;
	bool is_last; /* no page, or the end marker LTE= */
};

/* clob_init - start on an answer; it must stay readable while it and the
 * markets from it are used. */
void clob_init(struct clob_answer *a, const char *text, size_t n);

/*
 * clob_next - decode the next market.
 * CLOB_REFUSED reasons:
 *   MISSING_FIELD  no condition id
 *   UNSUPPORTED    outcomes are not Yes/No or Up/Down, or not two
 *   BAD_TYPE, BAD_NUMBER
 */
enum clob_kind clob_next(struct clob_answer *a, struct clob_market *m);

#endif
