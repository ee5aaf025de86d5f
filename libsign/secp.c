#include "libsign/secp.h"

#include <string.h>

#include <secp256k1.h>
#include <secp256k1_preallocated.h>
#include <secp256k1_recovery.h>

#include "libcore/check.h"
#include "libsign/hex.h"

#define FLAGS  (SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY)
#define V_BASE 27

void
secp_init(struct secp *c, const uint8_t seed[32])
{
	secp256k1_context *ctx;

	CHECK(secp256k1_context_preallocated_size(FLAGS) <= sizeof(c->mem));
	ctx = secp256k1_context_preallocated_create(c->mem, FLAGS);
	CHECK(ctx != NULL);
	CHECK(secp256k1_context_randomize(ctx, seed) == 1);
	c->ctx = ctx;
}

void
secp_close(struct secp *c)
{
	if (c->ctx != NULL)
		secp256k1_context_preallocated_destroy(c->ctx);
	memset(c, 0, sizeof(*c));
	/* The compiler must not drop the wipe of what nobody reads again. */
	__asm__ volatile("" : : "r"(c) : "memory");
}

bool
secp_key_ok(const struct secp *c, const uint8_t key[SECP_KEY_SZ])
{
	CHECK(c->ctx != NULL);
	return secp256k1_ec_seckey_verify(c->ctx, key) == 1;
}

static void
pubkey_bytes(
    const struct secp *c, const secp256k1_pubkey *p, uint8_t pub[SECP_PUB_SZ])
{
	uint8_t text[SECP_PUB_SZ + 1];
	size_t n = sizeof(text);

	CHECK(secp256k1_ec_pubkey_serialize(
		  c->ctx, text, &n, p, SECP256K1_EC_UNCOMPRESSED) == 1);
	memcpy(pub, text + 1, SECP_PUB_SZ);
}

bool
secp_pubkey(const struct secp *c, const uint8_t key[SECP_KEY_SZ],
    uint8_t pub[SECP_PUB_SZ])
{
	secp256k1_pubkey p;

	CHECK(c->ctx != NULL);
	if (secp256k1_ec_pubkey_create(c->ctx, &p, key) != 1)
		return false;
	pubkey_bytes(c, &p, pub);
	return true;
}

bool
secp_address(
    const struct secp *c, const uint8_t key[SECP_KEY_SZ], struct address *out)
{
	uint8_t pub[SECP_PUB_SZ];

	if (!secp_pubkey(c, key, pub))
		return false;
	*out = address_of_pubkey(pub);
	return true;
}

bool
secp_sign(const struct secp *c, const uint8_t key[SECP_KEY_SZ],
    const uint8_t digest[HASH_SZ], struct sig *out)
{
	secp256k1_ecdsa_recoverable_signature raw;
	uint8_t rs[64];
	int bit = 0;

	CHECK(c->ctx != NULL);
	memset(out, 0, sizeof(*out));
	if (secp256k1_ecdsa_sign_recoverable(
		c->ctx, &raw, digest, key, NULL, NULL) != 1)
		return false;
	secp256k1_ecdsa_recoverable_signature_serialize_compact(
	    c->ctx, rs, &bit, &raw);
	/* 2 and 3 stand for r beyond the order: one signature in 2^127. */
	CHECK(bit == 0 || bit == 1);
	memcpy(out->r, rs, sizeof(out->r));
	memcpy(out->s, rs + 32, sizeof(out->s));
	out->v = (uint8_t)(V_BASE + bit);
	return true;
}

/* Is s in the lower half? normalize says whether it would change it. */
static bool
is_low_s(const struct secp *c, const secp256k1_ecdsa_recoverable_signature *raw)
{
	secp256k1_ecdsa_signature plain;

	secp256k1_ecdsa_recoverable_signature_convert(c->ctx, &plain, raw);
	return secp256k1_ecdsa_signature_normalize(c->ctx, NULL, &plain) == 0;
}

bool
secp_recover(const struct secp *c, const struct sig *sig,
    const uint8_t digest[HASH_SZ], struct address *out)
{
	secp256k1_ecdsa_recoverable_signature raw;
	secp256k1_pubkey p;
	uint8_t rs[64];
	uint8_t pub[SECP_PUB_SZ];

	CHECK(c->ctx != NULL);
	if (sig->v != V_BASE && sig->v != V_BASE + 1)
		return false;
	memcpy(rs, sig->r, 32);
	memcpy(rs + 32, sig->s, 32);
	if (secp256k1_ecdsa_recoverable_signature_parse_compact(
		c->ctx, &raw, rs, sig->v - V_BASE) != 1)
		return false;
	if (!is_low_s(c, &raw))
		return false;
	if (secp256k1_ecdsa_recover(c->ctx, &p, &raw, digest) != 1)
		return false;
	pubkey_bytes(c, &p, pub);
	*out = address_of_pubkey(pub);
	return true;
}

void
sig_bytes(const struct sig *sig, uint8_t out[SIG_SZ])
{
	memcpy(out, sig->r, 32);
	memcpy(out + 32, sig->s, 32);
	out[64] = sig->v;
}

struct sig
sig_of_bytes(const uint8_t in[SIG_SZ])
{
	struct sig sig;

	memcpy(sig.r, in, 32);
	memcpy(sig.s, in + 32, 32);
	sig.v = in[64];
	return sig;
}

char *
sig_put(char *dst, const struct sig *sig)
{
	uint8_t b[SIG_SZ];

	sig_bytes(sig, b);
	return hex_put(dst, b, sizeof(b));
}
