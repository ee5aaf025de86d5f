#include "libsign/pm_v1.h"

#include <stdio.h>
#include <string.h>

#include "libcore/check.h"
#include "libsign/eip712.h"

#define ORDER_TYPE                                                        \
	"Order(uint256 salt,address maker,address signer,address taker,"  \
	"uint256 tokenId,uint256 makerAmount,uint256 takerAmount,"        \
	"uint256 expiration,uint256 nonce,uint256 feeRateBps,uint8 side," \
	"uint8 signatureType)"

void
pm_v1_id(const struct pm_exchange *x, const struct pm_v1_order *o,
    struct pm_signed *out)
{
	uint8_t w[13][HASH_SZ];

	CHECK(x->generation == PM_EXCHANGE_V1);
	word_text(w[0], ORDER_TYPE);
	word_u64(w[1], o->salt);
	word_address(w[2], &o->maker);
	word_address(w[3], &o->signer);
	word_address(w[4], &o->taker);
	memcpy(w[5], o->asset->word, HASH_SZ);
	word_u64(w[6], o->amounts.maker);
	word_u64(w[7], o->amounts.taker);
	word_u64(w[8], o->expiration_s);
	word_u64(w[9], o->nonce);
	word_u64(w[10], o->fee_bps);
	word_u64(w[11], o->side == SIDE_ASK);
	word_u64(w[12], o->sig_type);
	keccak256(w, sizeof(w), out->contents);
	eip712_digest(x->separator, out->contents, out->id);
}

bool
pm_v1_sign(const struct pm_exchange *x, const struct secp *c,
    const uint8_t key[SECP_KEY_SZ], const struct pm_v1_order *o,
    struct pm_signed *out)
{
	pm_v1_id(x, o, out);
	return secp_sign(c, key, out->id, &out->sig);
}

size_t
pm_v1_body(const struct pm_v1_order *o, const struct pm_signed *s,
    const struct pm_v1_post *post, char buf[PM_BODY_MAX])
{
	char maker[ADDRESS_TEXT_MAX];
	char signer[ADDRESS_TEXT_MAX];
	char taker[ADDRESS_TEXT_MAX];
	char sig[SIG_HEX_LEN + 1];
	int n;

	address_format(&o->maker, maker);
	address_format(&o->signer, signer);
	address_format(&o->taker, taker);
	*sig_put(sig, &s->sig) = '\0';
	n = snprintf(buf, PM_BODY_MAX,
	    "{\"deferExec\":false,\"postOnly\":%s,\"order\":{\"salt\":%llu,"
	    "\"maker\":\"%s\",\"signer\":\"%s\",\"taker\":\"%s\","
	    "\"tokenId\":\"%s\",\"makerAmount\":\"%llu\","
	    "\"takerAmount\":\"%llu\",\"side\":\"%s\",\"expiration\":\"%llu\","
	    "\"nonce\":\"%llu\",\"feeRateBps\":\"%llu\","
	    "\"signatureType\":%u,\"signature\":\"0x%s\"},"
	    "\"owner\":\"%s\",\"orderType\":\"%s\"}",
	    post->post_only ? "true" : "false", (unsigned long long)o->salt,
	    maker, signer, taker, o->asset->text,
	    (unsigned long long)o->amounts.maker,
	    (unsigned long long)o->amounts.taker,
	    o->side == SIDE_BID ? "BUY" : "SELL",
	    (unsigned long long)o->expiration_s, (unsigned long long)o->nonce,
	    (unsigned long long)o->fee_bps, o->sig_type, sig, post->owner,
	    pm_tif_name(post->tif));
	CHECK(n > 0);
	CHECK(n < PM_BODY_MAX);
	return (size_t)n;
}
