/*
 * polybolt.h - Polymarket's newer price socket.
 *
 * What   : its frames (authentication, errors, prices) and the texts that we
 *          send. A price is the same struct rtds_event as the older socket
 *          gives, so that a feed handles both in one place.
 * Sources: price.crypto and price.equity are RTDS_PYTH, their .twap channels
 *          RTDS_TWAP60.
 * Exact  : values by the rule of libvenue/rtds.h.
 * Gaps   : each channel counts its frames from 1 on a connection;
 *          polybolt_missed tells what was lost. After a loss subscribe again:
 *          the snapshot holds the last two minutes.
 * Pure   : yes. O(n) in the bytes of the frame.
 */
#ifndef LIBVENUE_POLYBOLT_H
#define LIBVENUE_POLYBOLT_H

#include "libvenue/rtds.h"

#define POLYBOLT_PING	  "{\"op\":\"ping\"}"
#define POLYBOLT_SUBS_MAX 64 /* a connection */

enum polybolt_kind {
	POLYBOLT_ERR = 1, /* refused: reason, err_off */
	POLYBOLT_PRICE,	  /* price, channel, seq */
	POLYBOLT_AUTHED,
	POLYBOLT_REFUSED, /* the server's error: code, code_text, channel */
	POLYBOLT_PONG,
	POLYBOLT_ACK,	  /* answer to a subscription */
	POLYBOLT_DROPPED, /* the server left frames out: channel if sent */
	POLYBOLT_UNKNOWN, /* op, channel or version not known: to be counted */
	POLYBOLT_KIND_N
};

enum polybolt_channel {
	POLYBOLT_CRYPTO = 1,
	POLYBOLT_CRYPTO_TWAP,
	POLYBOLT_EQUITY,
	POLYBOLT_EQUITY_TWAP,
	POLYBOLT_CHANNEL_N
};

/* Codes of the server's errors. */
enum polybolt_code {
	POLYBOLT_OTHER = 1,
	POLYBOLT_AUTH_REQUIRED,
	POLYBOLT_AUTH_INVALID,
	POLYBOLT_AUTH_UNAVAILABLE,
	POLYBOLT_BAD_FILTER,
	POLYBOLT_SUB_LIMIT,
	POLYBOLT_RATE_LIMIT,
	POLYBOLT_AUTH_ATTEMPTS,
	POLYBOLT_CODE_N
};

/* Texts point into the frame. */
struct polybolt_event {
	enum polybolt_kind kind;
	enum reason reason; /* of POLYBOLT_ERR and POLYBOLT_UNKNOWN */
	uint32_t err_off;
	enum polybolt_channel channel; /* 0 when not sent or not known */
	enum polybolt_code code;
	struct json_str code_text;
	struct json_str rid; /* what we called our request */
	bool has_seq;
	uint64_t seq;
	struct rtds_event price; /* only its head is set unless PRICE */
};

/* polybolt_decode - one frame, a single JSON object. */
enum polybolt_kind polybolt_decode(
    struct polybolt_event *ev, const char *text, size_t n);

/* Last frame seen of each channel; zeroed when a connection opens. */
struct polybolt_seqs {
	uint64_t last[POLYBOLT_CHANNEL_N];
};

/*
 * polybolt_missed - frames lost before this one; remembers it. 0 for the
 * first of a channel, for one that is no price and for an old number.
 */
uint64_t polybolt_missed(
    struct polybolt_seqs *s, const struct polybolt_event *ev);

struct polybolt_login {
	const char *key;
	const char *secret;
	const char *passphrase;
};

struct polybolt_sub {
	enum polybolt_channel channel;
	const char *symbol; /* "btcusd" */
};

/*
 * polybolt_encode_auth, polybolt_encode_subscribe - JSON texts. rid names the
 * request in the answer.
 * Needs   : 1 to POLYBOLT_SUBS_MAX subscriptions (CHECK).
 * Returns : length without NUL, 0 when it does not fit cap or a text holds a
 *           quote, a backslash or a control byte.
 */
size_t polybolt_encode_auth(
    const struct polybolt_login *l, const char *rid, char *buf, size_t cap);
size_t polybolt_encode_subscribe(const struct polybolt_sub *subs, size_t n,
    const char *rid, char *buf, size_t cap);

#endif
