/*
 * pm_v1.h - orders of Polymarket's first exchange, dead since April 2026.
 *
 * Why  : old captures and tests; nothing here is ever sent to the venue.
 * What : another struct: taker, expiration, nonce and fee rate are signed,
 *        there is no timestamp.
 * Pure : yes.
 */
#ifndef LIBSIGN_PM_V1_H
#define LIBSIGN_PM_V1_H

#include "libsign/pm_order.h"

struct pm_v1_order {
	uint64_t salt;
	struct address maker;
	struct address signer;
	struct address taker; /* zero: anybody */
	const struct pm_asset *asset;
	struct pm_amounts amounts;
	uint64_t expiration_s;
	uint64_t nonce;
	uint64_t fee_bps;
	enum side side;
	uint8_t sig_type; /* PM_SIG_EOA, PROXY or SAFE */
};

/* pm_v1_id - struct hash and id. x must be of V1 (CHECK). */
void pm_v1_id(const struct pm_exchange *x, const struct pm_v1_order *o,
    struct pm_signed *out);

/* pm_v1_sign - with the signature; false for a bad key. */
bool pm_v1_sign(const struct pm_exchange *x, const struct secp *c,
    const uint8_t key[SECP_KEY_SZ], const struct pm_v1_order *o,
    struct pm_signed *out);

/* pm_v1_body - what POST /order looked like. Returns its length. */
struct pm_v1_post {
	const char *owner;
	enum pm_tif tif;
	bool post_only;
};
size_t pm_v1_body(const struct pm_v1_order *o, const struct pm_signed *s,
    const struct pm_v1_post *post, char buf[PM_BODY_MAX]);

#endif
