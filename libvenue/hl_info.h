/*
 * hl_info.h - answers of Hyperliquid's /info about an account, and the texts
 * of the questions.
 *
 * What   : only what order entry needs at its start and to reconcile; market
 *          data is in hyperliquid.h, orders and fills in hl_user.h.
 * Pure   : yes. O(n). Each reader returns false when the text is not such an
 *          answer; *out is then in an unspecified state.
 */
#ifndef LIBVENUE_HL_INFO_H
#define LIBVENUE_HL_INFO_H

#include "libcore/fixed.h"
#include "libcore/json.h"
#include "libvenue/hl_user.h"
#include "libvenue/text.h"

/* Longest text of an address with NUL: 0x and 40 digits. */
#define HLI_ADDRESS_MAX 43

enum hli_role {
	HLI_MISSING = 1, /* nobody */
	HLI_USER,
	HLI_AGENT, /* master says whose */
	HLI_OTHER, /* vault, sub-account */
	HLI_ROLE_N
};

/* hl_info_time - exchangeStatus: the venue's clock. */
bool hl_info_time(const char *text, size_t n, uint64_t *ms);

/* hl_info_coin - meta: index and szDecimals of a coin; *found false when it
 * is not listed, or delisted. */
struct hli_coin {
	bool found;
	uint32_t index;
	uint32_t sz_decimals;
};
bool hl_info_coin(
    const char *text, size_t n, const char *coin, struct hli_coin *out);

/* hl_info_role - userRole; master as text, "" unless HLI_AGENT. */
bool hl_info_role(const char *text, size_t n, enum hli_role *role,
    char master[HLI_ADDRESS_MAX]);

/* hl_info_agent - extraAgents: until when an address (lower case) may sign,
 * 0: not in the list (the unnamed agent is not). */
bool hl_info_agent(
    const char *text, size_t n, const char *agent, uint64_t *until_ms);

/* hl_info_limit - userRateLimit. */
struct hli_limit {
	uint64_t used;
	uint64_t cap;
	uint64_t surplus;
};
bool hl_info_limit(const char *text, size_t n, struct hli_limit *out);

/* hl_info_state - clearinghouseState: value of the account, and one
 * position at a time through each(). Flat coins are absent. */
struct hli_state {
	usd_t value;
	uint32_t position_n;
	uint64_t time_ms;
};
typedef void hli_position(void *user, struct json_str coin, qty_t szi);
bool hl_info_state(const char *text, size_t n, struct hli_state *out,
    hli_position *each, void *user);

/* hl_info_spot - spotClearinghouseState: dollars that are there. */
bool hl_info_spot(const char *text, size_t n, usd_t *usdc);

/* ---- questions: the body, NUL-terminated; 0: it does not fit ---- */

#define HLI_ASK_MAX 256
/* hl_ask_plain - {"type":T}. hl_ask_user - {"type":T,"user":U}. */
size_t hl_ask_plain(const char *type, char buf[HLI_ASK_MAX]);
size_t hl_ask_user(const char *type, const char *user, char buf[HLI_ASK_MAX]);
/* hl_ask_order - orderStatus by cloid text. hl_ask_fills - userFillsByTime
 * from a time on. */
size_t hl_ask_order(const char *user, const char *cloid, char buf[HLI_ASK_MAX]);
size_t hl_ask_fills(const char *user, uint64_t from_ms, char buf[HLI_ASK_MAX]);

/* hl_subscribe_user - subscription to a stream of a user. */
size_t hl_subscribe_user(
    const char *stream, const char *user, char buf[HLI_ASK_MAX]);

#endif
