/*
 * rtds.h - Polymarket's real-time price stream (settlement and spot).
 *
 * Prices : struct rtds_event is what both price sockets give, this one and
 *          libvenue/polybolt.h: coin, source, points with their times.
 * What   : crypto_prices (relay of Binance spot), crypto_prices_chainlink
 *          and the averages crypto_prices_twap_thirty and _sixty; snapshot
 *          frames (about two minutes of prices) and updates.
 * Units  : px_t; a value with more than 8 decimals is cut, not rounded.
 *          Times ns since 1970: of the price, and of the server's sending.
 * Exact  : full_accuracy_value is used where sent; an integer there is
 *          scaled by 1e18, with a point it is plain. When it differs from
 *          `value` by more than 1 %, `value` wins.
 * Pure   : yes.
 */
#ifndef LIBVENUE_RTDS_H
#define LIBVENUE_RTDS_H

#include "libcore/fixed.h"
#include "libcore/json.h"

#define RTDS_POINTS_MAX 512
#define RTDS_SYMBOL_MAX 23
#define RTDS_PING	"PING" /* every 5 s; not answered */

enum rtds_kind {
	RTDS_ERR = 1,
	RTDS_UPDATE,   /* one point, the newest price */
	RTDS_SNAPSHOT, /* points, oldest first; may be empty */
	RTDS_EMPTY,    /* empty frame or PONG: keep-alive */
	RTDS_UNKNOWN,  /* topic or type not known: UNKNOWN_EVENT */
	RTDS_KIND_N
};

enum rtds_source {
	RTDS_SPOT = 1, /* Binance relay */
	RTDS_CHAINLINK,
	RTDS_TWAP30,
	RTDS_TWAP60,
	RTDS_PYTH, /* spot index of polybolt.h; no topic here */
	RTDS_SOURCE_N
};

struct rtds_point {
	int64_t venue_ns;
	px_t px;
};

struct rtds_event {
	enum rtds_kind kind;
	enum reason reason;
	uint32_t err_off;
	enum rtds_source source;
	char symbol[RTDS_SYMBOL_MAX + 1]; /* as sent; "" when it was not */
	char coin[RTDS_SYMBOL_MAX + 1];	  /* without /usd, usdt or usd */
	int64_t sent_ns;		  /* 0 when not sent */
	uint32_t points_n;
	struct rtds_point points[RTDS_POINTS_MAX];
};

/*
 * rtds_decode - one frame, a single JSON object.
 * A recorded snapshot of the chainlink topic calls itself crypto_prices and
 * is told by its symbol: one with a slash ("btc/usd") is RTDS_CHAINLINK.
 */
enum rtds_kind rtds_decode(struct rtds_event *ev, const char *text, size_t n);

/*
 * rtds_encode_subscribe - JSON text for one topic. symbol "" asks for all.
 * The venue keeps one filter a topic and connection: a second subscription
 * to the same topic replaces the first.
 * Needs   : source is not RTDS_PYTH (CHECK).
 * Returns : length without NUL, 0 when it does not fit cap or the symbol is
 *           longer than RTDS_SYMBOL_MAX or holds a quote or backslash.
 */
size_t rtds_encode_subscribe(
    enum rtds_source source, const char *symbol, char *buf, size_t cap);

#endif
