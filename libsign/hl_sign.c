#include <string.h>

#include "libcore/check.h"
#include "libsign/eip712.h"
#include "libsign/hex.h"
#include "libsign/hl_action.h"

#define AGENT_TYPE "Agent(string source,bytes32 connectionId)"
#define APPROVE_TYPE                                                   \
	"HyperliquidTransaction:ApproveAgent(string hyperliquidChain," \
	"address agentAddress,string agentName,uint64 nonce)"

/* Hashes that never change: the exchange's domain {"Exchange", "1", 1337,
 * zero address}, the type of an agent, "a" of mainnet and "b" of testnet.
 * A test computes each of them again. */
static const uint8_t exchange_separator[HASH_SZ] = {0xd7, 0x92, 0x97, 0xfc,
    0xdf, 0x2f, 0xfc, 0xd4, 0xae, 0x22, 0x3d, 0x01, 0xed, 0xaa, 0x2b, 0xa2,
    0x14, 0xff, 0x8f, 0x40, 0x1d, 0x7c, 0x93, 0x00, 0xd9, 0x95, 0xd1, 0x7c,
    0x82, 0xaa, 0x40, 0x40};
static const uint8_t agent_type[HASH_SZ] = {0x26, 0xf0, 0x5c, 0x2f, 0x72, 0x39,
    0xb6, 0x98, 0x30, 0x75, 0xe5, 0x83, 0x21, 0x29, 0x2d, 0x77, 0xb3, 0xaa,
    0x17, 0x3d, 0x19, 0xb2, 0x72, 0x57, 0xac, 0x96, 0xab, 0x36, 0x25, 0x70,
    0xf5, 0x08};
static const uint8_t source_hash[2][HASH_SZ] = {
    {0xb5, 0x55, 0x3d, 0xe3, 0x15, 0xe0, 0xed, 0xf5, 0x04, 0xd9, 0x15, 0x0a,
	0xf8, 0x2d, 0xaf, 0xa5, 0xc4, 0x66, 0x7f, 0xa6, 0x18, 0xed, 0x0a, 0x6f,
	0x19, 0xc6, 0x9b, 0x41, 0x16, 0x6c, 0x55, 0x10},
    {0x3a, 0xc2, 0x25, 0x16, 0x8d, 0xf5, 0x42, 0x12, 0xa2, 0x5c, 0x1c, 0x01,
	0xfd, 0x35, 0xbe, 0xbf, 0xea, 0x40, 0x8f, 0xda, 0xc2, 0xe3, 0x1d, 0xdd,
	0x6f, 0x80, 0xa4, 0xbb, 0xf9, 0xa5, 0xf1, 0xcb}};

void
hl_connection_id(const uint8_t *mp, size_t n, const struct hl_meta *meta,
    uint8_t out[HASH_SZ])
{
	uint64_t nonce = __builtin_bswap64(meta->nonce);
	uint64_t expires = __builtin_bswap64(meta->expires_ms);
	uint8_t marker = meta->has_vault ? 1 : 0;
	struct keccak k;

	keccak_init(&k);
	keccak_update(&k, mp, n);
	keccak_update(&k, &nonce, sizeof(nonce));
	keccak_update(&k, &marker, 1);
	if (meta->has_vault)
		keccak_update(&k, meta->vault.b, ADDRESS_SZ);
	if (meta->expires_ms > 0) {
		marker = 0;
		keccak_update(&k, &marker, 1);
		keccak_update(&k, &expires, sizeof(expires));
	}
	keccak_final(&k, out);
}

void
hl_agent_digest(
    bool mainnet, const uint8_t connection_id[HASH_SZ], uint8_t out[HASH_SZ])
{
	uint8_t w[3][HASH_SZ];

	memcpy(w[0], agent_type, HASH_SZ);
	memcpy(w[1], source_hash[mainnet], HASH_SZ);
	memcpy(w[2], connection_id, HASH_SZ);
	keccak256(w, sizeof(w), out);
	eip712_digest(exchange_separator, out, out);
}

/* Text that has room by construction: the action leaves enough of it. */
static char *
put_text(char *p, const char *s)
{
	size_t n = strlen(s);

	memcpy(p, s, n);
	return p + n;
}

static char *
put_signature(char *p, const struct sig *sig)
{
	p = put_text(p, ",\"signature\":{\"r\":\"0x");
	p = hex_put(p, sig->r, sizeof(sig->r));
	p = put_text(p, "\",\"s\":\"0x");
	p = hex_put(p, sig->s, sizeof(sig->s));
	p = put_text(p, "\",\"v\":");
	p = dec_put(p, sig->v);
	return put_text(p, "}");
}

static char *
put_meta(char *p, const struct hl_meta *meta)
{
	char text[ADDRESS_TEXT_MAX];

	if (meta->has_vault) {
		address_format_lower(&meta->vault, text);
		p = put_text(p, ",\"vaultAddress\":\"");
		p = put_text(p, text);
		p = put_text(p, "\"");
	}
	if (meta->expires_ms > 0) {
		p = put_text(p, ",\"expiresAfter\":");
		p = dec_put(p, meta->expires_ms);
	}
	return p;
}

/* Room for all that follows an action: nonce, signature, vault, expiry. */
#define TAIL_MAX 384

size_t
hl_request(const struct hl_signer *s, const struct hl_request *r,
    char buf[HL_BODY_MAX])
{
	uint8_t mp[HL_MSGPACK_MAX];
	uint8_t hash[HASH_SZ];
	struct hl_wire w;
	struct sig sig;
	char *p = buf;

	if (r->post_id != 0) {
		p = put_text(p, "{\"method\":\"post\",\"id\":");
		p = dec_put(p, r->post_id);
		p = put_text(
		    p, ",\"request\":{\"type\":\"action\",\"payload\":");
	}
	p = put_text(p, "{\"action\":");
	hl_wire_init(&w, &(struct hl_wire_bufs){mp, sizeof(mp), p,
			     HL_BODY_MAX - TAIL_MAX - (size_t)(p - buf)});
	if (!hl_action_encode(r->action, &w))
		return 0;
	p += w.n;
	hl_connection_id(mp, w.mp.n, r->meta, hash);
	hl_agent_digest(s->mainnet, hash, hash);
	if (!secp_sign(s->secp, s->key, hash, &sig))
		return 0;
	p = put_text(p, ",\"nonce\":");
	p = dec_put(p, r->meta->nonce);
	p = put_signature(p, &sig);
	p = put_meta(p, r->meta);
	p = put_text(p, r->post_id != 0 ? "}}}" : "}");
	CHECK(p < buf + HL_BODY_MAX);
	*p = '\0';
	if (r->sig != NULL)
		*r->sig = sig;
	return (size_t)(p - buf);
}

void
hl_user_separator(uint64_t chain_id, uint8_t out[HASH_SZ])
{
	struct eip712_domain d = {.name = "HyperliquidSignTransaction",
	    .version = "1",
	    .chain_id = chain_id,
	    .has_contract = true};

	eip712_separator(&d, out);
}

static bool
agent_name_ok(const char *s)
{
	size_t n = 0;

	for (; s[n] != '\0'; n++)
		if (n == HL_AGENT_NAME_MAX || s[n] < ' ' || s[n] > '~' ||
		    s[n] == '"' || s[n] == '\\')
			return false;
	return true;
}

/* The least hex digits, as a wallet writes a chain's number. */
static char *
put_hex_number(char *p, uint64_t v)
{
	static const char digits[] = "0123456789abcdef";
	int shift = 60;

	while (shift > 0 && v >> shift == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*p++ = digits[v >> shift & 15];
	return p;
}

static void
approve_digest(
    const struct hl_agent *a, const char *network, uint8_t out[HASH_SZ])
{
	uint8_t separator[HASH_SZ];
	uint8_t w[5][HASH_SZ];

	word_text(w[0], APPROVE_TYPE);
	word_text(w[1], network);
	word_address(w[2], &a->address);
	word_text(w[3], a->name);
	word_u64(w[4], a->nonce);
	keccak256(w, sizeof(w), out);
	hl_user_separator(a->chain_id, separator);
	eip712_digest(separator, out, out);
}

size_t
hl_approve_agent(
    const struct hl_signer *s, const struct hl_agent *a, char buf[HL_BODY_MAX])
{
	const char *network = s->mainnet ? "Mainnet" : "Testnet";
	char text[ADDRESS_TEXT_MAX];
	uint8_t digest[HASH_SZ];
	struct sig sig;
	char *p = buf;

	if (!agent_name_ok(a->name))
		return 0;
	approve_digest(a, network, digest);
	if (!secp_sign(s->secp, s->key, digest, &sig))
		return 0;
	address_format_lower(&a->address, text);
	p = put_text(p, "{\"action\":{\"type\":\"approveAgent\",");
	p = put_text(p, "\"signatureChainId\":\"0x");
	p = put_hex_number(p, a->chain_id);
	p = put_text(p, "\",\"hyperliquidChain\":\"");
	p = put_text(p, network);
	p = put_text(p, "\",\"agentAddress\":\"");
	p = put_text(p, text);
	/* The unnamed agent's name is signed, and left out. */
	if (a->name[0] != '\0') {
		p = put_text(p, "\",\"agentName\":\"");
		p = put_text(p, a->name);
	}
	p = put_text(p, "\",\"nonce\":");
	p = dec_put(p, a->nonce);
	p = put_text(p, "},\"nonce\":");
	p = dec_put(p, a->nonce);
	p = put_signature(p, &sig);
	p = put_text(p, "}");
	*p = '\0';
	return (size_t)(p - buf);
}
