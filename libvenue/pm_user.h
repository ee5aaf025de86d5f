/*
 * pm_user.h - what Polymarket says of our own orders and trades.
 *
 * What   : frames of the user channel and pages of /data/orders, /data/trades
 *          to structs. The venue's header of a trade always speaks of the
 *          taker; what a trade means for us is decided by execd/gw_pm.h.
 * Shapes : an object, an array of objects, or a page {"data":[...],
 *          "next_cursor":"..."}. Text that is no JSON (PONG, notices) is
 *          passed over.
 * Spelling: prefixes of REST (TRADE_STATUS_, ORDER_STATUS_) are taken off;
 *          a status is told by how it begins. null, "" and missing fields
 *          are the same; unknown fields are passed over.
 * Broken : an object that is not what it must be is told to `bad` and left
 *          out; the others of a frame count. Broken JSON ends the frame.
 * Pure   : yes. O(n).
 */
#ifndef LIBVENUE_PM_USER_H
#define LIBVENUE_PM_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcore/fixed.h"
#include "libcore/reasons.h"
#include "libcore/types.h"
#include "libvenue/pm_id.h"

#define PM_USER_LEGS   64u /* of one trade; more is a bad message */
#define PM_CURSOR_MAX  64u
#define PM_CURSOR_END  "LTE="
#define PM_USER_ID_MAX 64u /* text of a trade's id */

struct pm_hash {
	uint8_t b[32];
};

/* Whose fills are looked for, besides those of known orders. */
struct pm_user_me {
	const char *api_key;
	const char *maker; /* address with the money, 0x and 40 digits */
};

enum pm_user_kind {
	PM_USER_PLACEMENT = 1,
	PM_USER_UPDATE,
	PM_USER_CANCELLATION,
	PM_USER_STATE, /* of an answer, not an event */
	PM_USER_KIND_N
};

enum pm_order_status {
	PM_ORDER_LIVE = 1,
	PM_ORDER_MATCHED,
	PM_ORDER_DELAYED,
	PM_ORDER_UNMATCHED,
	PM_ORDER_CANCELED, /* also INVALID and every sentence */
	PM_ORDER_STATUS_N
};

struct pm_user_order {
	enum pm_user_kind kind;
	enum pm_order_status status; /* 0: not said */
	struct pm_hash id;
	struct pm_token asset; /* zero: not said */
	enum side side;	       /* of the token; 0: not said */
	px_t px;	       /* of the token */
	qty_t qty;
	qty_t matched;
	uint64_t time_s; /* created; of an event when it was told */
};

enum pm_trade_status {
	PM_TRADE_MATCHED = 1,
	PM_TRADE_MINED,
	PM_TRADE_CONFIRMED,
	PM_TRADE_RETRYING,
	PM_TRADE_FAILED,
	PM_TRADE_STATUS_N
};

/* A resting order that took part. */
struct pm_user_leg {
	struct pm_hash order;
	bool is_mine;	/* by owner, or by address where no owner is said */
	uint8_t role;	/* enum token_role; set by nobody here */
	enum side side; /* 0: not said */
	struct pm_token asset;
	px_t px;
	qty_t qty;
};

struct pm_user_trade {
	uint64_t key; /* hash of the id's text */
	char id[PM_USER_ID_MAX];
	enum pm_trade_status status;
	struct pm_hash taker;
	bool is_taker_mine; /* by owner */
	uint8_t trader;	    /* 'M', 'T', 0: not said */
	struct pm_token asset;
	enum side side;
	px_t px;
	qty_t qty;
	uint64_t match_s; /* 0: not said */
	uint32_t leg_n;
	struct pm_user_leg leg[PM_USER_LEGS];
};

struct pm_user_sink {
	void *user;
	void (*order)(void *user, const struct pm_user_order *o);
	void (*trade)(void *user, const struct pm_user_trade *t);
	void (*bad)(void *user, enum reason r);
};

/*
 * pm_user_decode - a frame or an answer.
 * cursor  : NULL, or where the cursor of the next page goes ("" none).
 * Returns : objects that were told; -1 when the text as a whole is no JSON
 *           of the shapes above.
 */
int pm_user_decode(const char *text, size_t n, const struct pm_user_me *me,
    const struct pm_user_sink *sink, char cursor[PM_CURSOR_MAX]);

/* pm_user_time_s - seconds, from seconds, milliseconds or microseconds. */
uint64_t pm_user_time_s(uint64_t v);

#endif
