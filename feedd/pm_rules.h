/*
 * pm_rules.h - on what an up/down market settles, from its own words.
 *
 * Known patterns:
 *   1 Chainlink: resolutionSource is data.chain.link/streams/<asset>-usd, and
 *     the rules text names Chainlink. Its spot, or where the text speaks of a
 *     time-weighted average (TWAP) that, over as many seconds as it says.
 *   2 Binance: resolutionSource is binance.com, and the text names Binance
 *     and its candle (hourly windows).
 * Tie: "greater than or equal to" is Up; "greater than" alone is Down.
 * The day from which the venue averages is a cross-check, and the look-back
 * where the text has none. Anything else is not known: not to be traded.
 * Pure : yes.
 */
#ifndef FEEDD_PM_RULES_H
#define FEEDD_PM_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "libshm/tick.h"
#include "libvenue/gamma.h"

struct pm_rules {
	enum ref_source source;
	uint32_t lookback_s; /* of an average, else 0 */
	bool tie_yes;
};

/* pm_rules_read - of a market of this asset ("btc") whose times are known;
 * false: of no kind that we know, *out zeroed. */
bool pm_rules_read(
    const struct gamma_market *g, const char *asset, struct pm_rules *out);

#endif
