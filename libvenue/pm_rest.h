/*
 * pm_rest.h - Polymarket's small REST answers.
 *
 * What   : the order book's one-value calls, price history, and what comes
 *          instead of them: {"error":"..."} or a proxy's page. The body is
 *          never assumed to be JSON, whatever the HTTP status says.
 *          Books: libvenue/polymarket.h. Markets: libvenue/clob_market.h.
 * Units  : prices in the frame of the token that was asked for.
 * Pure   : yes. Cold path.
 */
#ifndef LIBVENUE_PM_REST_H
#define LIBVENUE_PM_REST_H

#include "libcore/fixed.h"
#include "libcore/json.h"
#include "libcore/types.h"
#include "libvenue/frame.h"
#include "libvenue/pm_id.h"

/* What was asked. */
enum pm_rest_call {
	PM_REST_OK = 1,	   /* /ok */
	PM_REST_TIME,	   /* /time */
	PM_REST_VERSION,   /* /version */
	PM_REST_TICK_SIZE, /* /tick-size */
	PM_REST_NEG_RISK,  /* /neg-risk */
	PM_REST_FEE_RATE,  /* /fee-rate: a hint of old, not the fee */
	PM_REST_MIDPOINT,
	PM_REST_SPREAD,
	PM_REST_PRICE,
	PM_REST_LAST_TRADE, /* /last-trade-price */
	PM_REST_BY_TOKEN,   /* /markets-by-token */
	PM_REST_GEOBLOCK,   /* /api/geoblock */
	PM_REST_CALL_N
};

enum pm_rest_kind {
	PM_REST_ANSWER = 1, /* the field of the call is set */
	PM_REST_ERROR,	    /* {"error":"..."}: error, and code if sent */
	PM_REST_NOT_JSON,   /* a page or words: status alone counts */
	PM_REST_BAD,	    /* JSON of another shape: reason, err_off */
	PM_REST_KIND_N
};

/* Texts point into the body. */
struct pm_rest {
	enum pm_rest_kind kind;
	enum reason reason; /* BAD_JSON for PM_REST_NOT_JSON */
	uint32_t err_off;
	struct json_str error;
	struct json_str code;
	uint32_t retry_after_s; /* 0 when not sent */

	int64_t time_ns;  /* TIME; of 1 s resolution */
	uint32_t version; /* VERSION: generation of order entry */
	tok_px_t tick;	  /* TICK_SIZE */
	bool neg_risk;	  /* NEG_RISK */
	uint32_t base_fee_bps;
	tok_px_t px; /* MIDPOINT, PRICE, SPREAD, LAST_TRADE */
	/* LAST_TRADE: 0 when the token was never traded; px then means
	 * nothing. */
	enum side side;
	struct pm_cond cond;   /* BY_TOKEN */
	bool blocked;	       /* GEOBLOCK */
	struct json_str place; /* GEOBLOCK: country */
	struct json_str region;
};

/*
 * pm_rest_decode - one body.
 *   1. no JSON                                      PM_REST_NOT_JSON
 *   2. an object with a string "error"              PM_REST_ERROR
 *   3. MISSING_FIELD, BAD_TYPE, BAD_NUMBER, BAD_JSON (cut)   PM_REST_BAD
 */
enum pm_rest_kind pm_rest_decode(
    struct pm_rest *r, enum pm_rest_call call, const char *text, size_t n);

/* A point of /prices-history. */
struct pm_rest_point {
	int64_t venue_ns;
	tok_px_t px;
};

/* A history is longer than anything that we want to keep: it is walked. */
struct pm_rest_history {
	struct json j;
	struct json all; /* the object around the points */
	const char *start;
	uint8_t state;
};

/*
 * pm_rest_history_init, _next - walk {"history":[{"t":...,"p":...},...]}.
 * Returns : true with the next point; false at the end, with *reason
 *           REASON_NONE when the body was whole and right, else why not.
 */
void pm_rest_history_init(
    struct pm_rest_history *h, const char *text, size_t n);
bool pm_rest_history_next(
    struct pm_rest_history *h, struct pm_rest_point *out, enum reason *reason);

#endif
