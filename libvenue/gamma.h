/*
 * gamma.h - Polymarket's market objects (discovery).
 *
 * What   : answers of the Gamma API (one market, an event with its markets,
 *          an array of either, or a page with "markets" or "events") and the
 *          body of a new_market event of the market channel.
 * Tokens : by outcome NAME, never by position: Yes and Up are YES, No and
 *          Down are NO. clobTokenIds and outcomes may be arrays or JSON
 *          text inside a string.
 * Fields : anything may be missing or null; what was not sent is zero (or
 *          its has_ flag false).
 * Pure   : yes. Cold path: an object is walked twice.
 */
#ifndef LIBVENUE_GAMMA_H
#define LIBVENUE_GAMMA_H

#include "libcore/fixed.h"
#include "libcore/json.h"
#include "libvenue/frame.h"
#include "libvenue/pm_id.h"

enum gamma_kind {
	GAMMA_ERR = 1, /* not JSON: the rest of the answer is lost */
	GAMMA_END,
	GAMMA_MARKET,
	GAMMA_REFUSED, /* this market only: reason, err_off; go on */
	GAMMA_KIND_N
};

/* Texts point into the answer, escapes not undone (json_unescape). */
struct gamma_market {
	enum reason reason;
	uint32_t err_off;
	struct json_str id;
	struct json_str slug;
	struct json_str question;
	struct json_str description;
	struct json_str resolution_source;
	struct json_str event_id; /* of the first event */
	struct json_str series_slug;
	struct json_str uma_status;
	struct pm_cond cond;
	struct pm_cond neg_risk_id; /* n == 0 when none */

	bool is_updown;	 /* outcomes are Up and Down */
	bool has_tokens; /* false: hydrating, ask again later */
	struct pm_token yes;
	struct pm_token no;

	bool neg_risk;
	bool active;
	bool closed;
	bool accepting_orders;
	bool enable_order_book;
	tok_px_t tick;	/* grid of both tokens; 0 when not sent */
	qty_t min_size; /* 0 when not sent */

	int64_t listed_ns; /* startDate: listing, not the window */
	int64_t start_ns;  /* eventStartTime: start of the window */
	int64_t end_ns;
	usd_t liquidity;
	usd_t volume;

	bool has_fee;	     /* feeSchedule was sent */
	bool fees_enabled;   /* false: feeSchedule does not apply */
	int64_t fee_rate_e8; /* 0.07 is 7000000 */
	uint32_t fee_exponent;
	bool fee_taker_only;
	int64_t rebate_rate_e8;

	bool has_outcome_px; /* outcomePrices were sent */
	px_t yes_px;	     /* price of YES; 1, 0 or 0.5 once resolved */
};

struct gamma_answer {
	struct json j;
	struct json inner; /* "markets" of the event at hand */
	const char *start;
	uint8_t state;
};

/* gamma_init - start on an answer; it must stay readable while it and the
 * markets from it are used. */
void gamma_init(struct gamma_answer *g, const char *text, size_t n);

/*
 * gamma_next - decode the next market.
 * GAMMA_REFUSED reasons:
 *   MISSING_FIELD  no conditionId or no slug
 *   UNSUPPORTED    outcomes are not Yes/No or Up/Down, or not two
 *   BAD_TYPE, BAD_NUMBER, BAD_JSON (of a text inside a string)
 */
enum gamma_kind gamma_next(struct gamma_answer *g, struct gamma_market *m);

/* gamma_decode - a text that is one market object: GAMMA_MARKET,
 * GAMMA_REFUSED or GAMMA_ERR. */
enum gamma_kind gamma_decode(
    struct gamma_market *m, const char *text, size_t n);

/*
 * gamma_parse_time - "2026-03-12T09:25:00Z", with or without fraction (cut
 * at ns), with Z, +00, +00:00 or +hh:mm, T or a blank between date and time,
 * or a date alone. Years 1970 to 2261.
 * Returns : false with *ns untouched on anything else.
 */
bool gamma_parse_time(const char *s, size_t n, int64_t *ns);

#endif
