/*
 * gamma.h - Polymarket's market objects (discovery).
 *
 * What   : answers of the Gamma API (one market, an event with its markets,
 *          an array of either, or a page with "markets" or "events") and the
 *          body of a new_market event of the market channel.
 * Tokens : by outcome NAME, never by position: Yes and Up are YES, No and
 *          Down are NO. clobTokenIds, positionIds and outcomes may be arrays
 *          or JSON text inside a string.
 * Fields : anything may be missing, null or ""; what was not sent is zero
 *          (or its has_ flag false).
 * Events : a market found inside an event has the event's fields; one that
 *          was sent alone has those of the first of its "events".
 * Pure   : yes. Cold path: an object is walked twice.
 */
#ifndef LIBVENUE_GAMMA_H
#define LIBVENUE_GAMMA_H

#include "libcore/fixed.h"
#include "libcore/json.h"
#include "libcore/reasons.h"
#include "libvenue/frame.h"
#include "libvenue/pm_id.h"

#define GAMMA_TAGS_MAX 16 /* more are passed over */

/* Highest taker rate of any category: for a market whose fee is unknown. */
#define GAMMA_FEE_RATE_HIGHEST_E8 INT64_C(7000000)

enum gamma_kind {
	GAMMA_ERR = 1, /* not JSON: the rest of the answer is lost */
	GAMMA_END,
	GAMMA_MARKET,
	GAMMA_REFUSED, /* this market only: reason, err_off; go on */
	GAMMA_KIND_N
};

/* "version" of a market: what its asset ids are. Numbers as enum
 * token_kind of libshm/instr.h. */
enum gamma_generation {
	GAMMA_CLASSIC = 1,   /* absent or "v1": clobTokenIds */
	GAMMA_POSITIONS = 2, /* "v2": positionIds */
	GAMMA_GENERATION_N
};

/* How a market ended. Numbers as enum outcome of libshm/instr.h. */
enum gamma_outcome {
	GAMMA_WON_YES = 1,
	GAMMA_WON_NO = 2,
	GAMMA_WON_NONE = 3, /* void: both pay 0.5 */
	GAMMA_OUTCOME_N
};

/* What is known about the taker fee. */
enum gamma_fee {
	GAMMA_FEE_UNKNOWN = 1, /* no schedule: take the highest, never zero */
	GAMMA_FEE_FREE,	       /* feesEnabled is false */
	GAMMA_FEE_SCHEDULE,    /* rate, exponent */
	GAMMA_FEE_N
};

/* Texts point into the answer, escapes not undone (json_unescape). */
struct gamma_event {
	struct json_str id;
	struct json_str slug;
	struct json_str title;
	struct json_str series_slug;
	struct pm_cond neg_risk_id; /* n == 0 when none */
	bool neg_risk;
	bool neg_risk_augmented; /* outcomes may still be added */
	bool closed;
	int64_t start_ns; /* startTime: start of the window */
	int64_t end_ns;
	bool has_strike; /* eventMetadata.priceToBeat; cut at 1e-8 */
	bool has_final;	 /* eventMetadata.finalPrice */
	px_t strike_px;
	px_t final_px;
};

struct gamma_market {
	enum reason reason;
	uint32_t err_off;
	struct json_str id;
	struct json_str slug;
	struct json_str question;
	struct json_str description;
	struct json_str resolution_source;
	struct json_str group_title; /* groupItemTitle: which of the event */
	struct gamma_event event;
	struct pm_cond cond;
	struct pm_cond neg_risk_id; /* n == 0 when none */
	enum gamma_generation generation;

	bool is_updown;	 /* outcomes are Up and Down */
	bool has_tokens; /* false: hydrating, ask again later */
	struct pm_token yes;
	struct pm_token no;

	bool neg_risk;
	bool neg_risk_other; /* the "Other" outcome of an event */
	bool active;
	bool closed;
	bool archived;
	bool accepting_orders;
	bool enable_order_book;
	bool clear_book_on_start;
	uint32_t seconds_delay; /* of taker orders (sports) */
	tok_px_t tick;		/* grid of both tokens; 0 when not sent */
	qty_t min_size;		/* 0 when not sent */

	int64_t listed_ns;    /* startDate: listing, not the window */
	int64_t start_ns;     /* eventStartTime: start of the window */
	int64_t end_ns;	      /* endDate */
	int64_t accepting_ns; /* acceptingOrdersTimestamp */
	int64_t closed_ns;    /* closedTime */
	usd_t liquidity;
	usd_t volume;
	usd_t volume_day; /* volume24hr */

	enum gamma_fee fee;
	bool has_fee;	     /* feeSchedule with a rate was sent */
	bool fees_known;     /* feesEnabled was sent */
	bool fees_enabled;   /* false: feeSchedule does not apply */
	int64_t fee_rate_e8; /* 0.07 is 7000000 */
	uint32_t fee_exponent;
	bool fee_taker_only;
	int64_t rebate_rate_e8;

	qty_t reward_min_size; /* shares; 0 none */
	px_t reward_spread;    /* farthest from the mid: 4.5 cents is 0.045 */
	usd_t reward_daily;    /* sum of the running programmes */

	struct json_str uma_status;	   /* umaResolutionStatus */
	struct json_str resolution_status; /* of GAMMA_POSITIONS */
	uint32_t uma_proposed_n;	   /* times proposed, by the history */
	bool uma_disputed;		   /* now or at any time before */

	bool has_outcome_px; /* outcomePrices were sent */
	px_t yes_px;	     /* price of YES; 1, 0 or 0.5 once resolved */
	/* Once closed and settled, by outcomePrices; 0 until then, and for
	 * prices that are no outcome. */
	enum gamma_outcome outcome;

	/* Slugs of the market's tags, else the event's. */
	uint32_t tags_n;
	struct json_str tags[GAMMA_TAGS_MAX];
};

struct gamma_answer {
	struct json j;
	struct json inner; /* "markets" of the event at hand */
	const char *start;
	uint8_t state;
	/* After the first gamma_next: pass it as after_cursor for the next
	 * page; n == 0 on the last one and on what is no page. */
	struct json_str next_cursor;
	struct gamma_event event; /* around the markets that come next */
	struct json_str tags;	  /* of that event, raw */
	enum reason event_reason; /* why that event cannot be read */
};

/* gamma_init - start on an answer; it must stay readable while it and the
 * markets from it are used. */
void gamma_init(struct gamma_answer *g, const char *text, size_t n);

/*
 * gamma_next - decode the next market.
 * GAMMA_REFUSED reasons (those of a broken event refuse all its markets):
 *   MISSING_FIELD  no conditionId or no slug
 *   UNSUPPORTED    outcomes are not Yes/No or Up/Down, or not two; version
 *                  is neither v1 nor v2
 *   GENERATION     an asset id is not of the kind that version says
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
