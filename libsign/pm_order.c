#include "libsign/pm_order.h"

#include <string.h>

#include "libcore/check.h"
#include "libsign/eip712.h"

#define ORDER_TYPE                                                         \
	"Order(uint256 salt,address maker,address signer,uint256 tokenId," \
	"uint256 makerAmount,uint256 takerAmount,uint8 side,"              \
	"uint8 signatureType,uint256 timestamp,bytes32 metadata,"          \
	"bytes32 builder)"
#define ORDER_TYPE_LEN (sizeof(ORDER_TYPE) - 1)
#define WALLET_TYPE                                                \
	"TypedDataSign(Order contents,string name,string version," \
	"uint256 chainId,address verifyingContract,bytes32 salt)" ORDER_TYPE
#define DOMAIN_NAME "Polymarket CTF Exchange"

_Static_assert(ORDER_TYPE_LEN == 186, "the type's text is part of signatures");

/* Words of the order. */
enum {
	W_TYPE,
	W_SALT,
	W_MAKER,
	W_SIGNER,
	W_TOKEN,
	W_MAKER_AMOUNT,
	W_TAKER_AMOUNT,
	W_SIDE,
	W_SIG_TYPE,
	W_TIMESTAMP,
	W_METADATA,
	W_BUILDER
};

/* Words of the wrapper; its salt is zero. */
enum {
	WALLET_TYPE_HASH,
	WALLET_CONTENTS,
	WALLET_NAME,
	WALLET_VERSION,
	WALLET_CHAIN,
	WALLET_ADDRESS,
	WALLET_SALT
};

static const struct {
	enum pm_generation generation;
	bool neg_risk;
	uint32_t chain_id;
	const char *contract;
} exchanges[] = {
    {PM_EXCHANGE_V1, false, PM_CHAIN_POLYGON,
	"0x4bFb41d5B3570DeFd03C39a9A4D8dE6Bd8B8982E"},
    {PM_EXCHANGE_V1, true, PM_CHAIN_POLYGON,
	"0xC5d563A36AE78145C45a50134d48A1215220f80a"},
    {PM_EXCHANGE_V1, false, PM_CHAIN_AMOY,
	"0xdFE02Eb6733538f8Ea35D585af8DE5958AD99E40"},
    {PM_EXCHANGE_V2, false, PM_CHAIN_POLYGON,
	"0xE111180000d2663C0091e4f400237545B87B996B"},
    {PM_EXCHANGE_V2, true, PM_CHAIN_POLYGON,
	"0xe2222d279d744050d28e00520010520000310F59"},
    {PM_EXCHANGE_V2, false, PM_CHAIN_AMOY,
	"0xE111180000d2663C0091e4f400237545B87B996B"},
    {PM_EXCHANGE_V2, true, PM_CHAIN_AMOY,
	"0xe2222d279d744050d28e00520010520000310F59"},
    {PM_EXCHANGE_V3, false, PM_CHAIN_POLYGON,
	"0xe3333700cA9d93003F00f0F71f8515005F6c00Aa"},
    {PM_EXCHANGE_V3, false, PM_CHAIN_AMOY,
	"0x9fE6e61422AdB6F610d8597F9684b16912D50C3D"},
};

void
pm_exchange_at(struct pm_exchange *x, enum pm_generation generation,
    uint32_t chain_id, const struct address *contract)
{
	static const char *const version[PM_EXCHANGE_N] = {
	    [PM_EXCHANGE_V1] = "1",
	    [PM_EXCHANGE_V2] = "2",
	    [PM_EXCHANGE_V3] = "3",
	};
	struct eip712_domain d = {.name = DOMAIN_NAME,
	    .chain_id = chain_id,
	    .has_contract = true,
	    .contract = *contract};

	CHECK(generation >= PM_EXCHANGE_V1 && generation < PM_EXCHANGE_N);
	d.version = version[generation];
	x->generation = generation;
	x->chain_id = chain_id;
	x->contract = *contract;
	eip712_separator(&d, x->separator);
}

bool
pm_exchange_init(struct pm_exchange *x, enum pm_generation generation,
    bool neg_risk, uint32_t chain_id)
{
	if (generation == PM_EXCHANGE_V3)
		neg_risk = false;
	for (size_t i = 0; i < sizeof(exchanges) / sizeof(exchanges[0]); i++) {
		struct address a;

		if (exchanges[i].generation != generation ||
		    exchanges[i].neg_risk != neg_risk ||
		    exchanges[i].chain_id != chain_id)
			continue;
		CHECK(
		    address_parse(exchanges[i].contract, ADDRESS_TEXT_LEN, &a));
		pm_exchange_at(x, generation, chain_id, &a);
		return true;
	}
	return false;
}

void
pm_asset_init(struct pm_asset *a, const uint64_t w[4])
{
	char *end = dec256_put(a->text, w);

	*end = '\0';
	a->n = (uint8_t)(end - a->text);
	word_u256(a->word, w);
}

static void
chunk_add(struct pm_chunk *c, const char *s, size_t n)
{
	CHECK(c->n + n <= sizeof(c->text));
	memcpy(c->text + c->n, s, n);
	c->n = (uint16_t)(c->n + n);
}

static void
chunk_text(struct pm_chunk *c, const char *s)
{
	chunk_add(c, s, strlen(s));
}

static void
chunk_hex(struct pm_chunk *c, const uint8_t *b, size_t n)
{
	CHECK(c->n + 2 * n <= sizeof(c->text));
	hex_put(c->text + c->n, b, n);
	c->n = (uint16_t)(c->n + 2 * n);
}

static bool
is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

static bool
owner_ok(const char *s)
{
	size_t n = 0;

	while (n <= PM_OWNER_MAX && is_word(s[n]))
		n++;
	return n > 0 && n <= PM_OWNER_MAX && s[n] == '\0';
}

/* What stands between the numbers of a body. */
static void
template_text(struct pm_template *t, const struct pm_account *a)
{
	static const uint8_t type_len[2] = {0, ORDER_TYPE_LEN};
	char type[2] = {(char)('0' + a->sig_type), '\0'};
	char text[ADDRESS_TEXT_MAX];

	address_format(&a->maker, text);
	chunk_text(&t->people, ",\"maker\":\"");
	chunk_text(&t->people, text);
	address_format(&a->signer, text);
	chunk_text(&t->people, "\",\"signer\":\"");
	chunk_text(&t->people, text);
	chunk_text(&t->people, "\",\"tokenId\":\"");
	chunk_text(&t->type, "\",\"signatureType\":");
	chunk_text(&t->type, type);
	chunk_text(&t->type, ",\"timestamp\":\"");
	chunk_text(&t->codes, "\",\"metadata\":\"0x");
	chunk_hex(&t->codes, a->metadata, HASH_SZ);
	chunk_text(&t->codes, "\",\"builder\":\"0x");
	chunk_hex(&t->codes, a->builder, HASH_SZ);
	chunk_text(&t->codes, "\",\"signature\":\"0x");
	chunk_hex(&t->wallet_tail, (const uint8_t *)ORDER_TYPE, ORDER_TYPE_LEN);
	chunk_hex(&t->wallet_tail, type_len, sizeof(type_len));
	chunk_text(&t->owner, "\"},\"owner\":\"");
	chunk_text(&t->owner, a->owner);
	chunk_text(&t->owner, "\",\"orderType\":\"");
}

bool
pm_template_init(struct pm_template *t, const struct pm_exchange *x,
    const struct pm_account *a)
{
	if (x->generation != PM_EXCHANGE_V2 && x->generation != PM_EXCHANGE_V3)
		return false;
	if (a->sig_type >= PM_SIG_N || !owner_ok(a->owner))
		return false;
	if (a->sig_type == PM_SIG_DEPOSIT_WALLET &&
	    !address_eq(&a->maker, &a->signer))
		return false;
	memset(t, 0, sizeof(*t));
	t->exchange = *x;
	t->sig_type = a->sig_type;
	word_text(t->words[W_TYPE], ORDER_TYPE);
	word_address(t->words[W_MAKER], &a->maker);
	word_address(t->words[W_SIGNER], &a->signer);
	word_u64(t->words[W_SIG_TYPE], a->sig_type);
	memcpy(t->words[W_METADATA], a->metadata, HASH_SZ);
	memcpy(t->words[W_BUILDER], a->builder, HASH_SZ);
	word_text(t->wallet[WALLET_TYPE_HASH], WALLET_TYPE);
	word_text(t->wallet[WALLET_NAME], "DepositWallet");
	word_text(t->wallet[WALLET_VERSION], "1");
	word_u64(t->wallet[WALLET_CHAIN], x->chain_id);
	word_address(t->wallet[WALLET_ADDRESS], &a->maker);
	template_text(t, a);
	return true;
}

uint64_t
pm_salt(uint64_t n)
{
	uint64_t v = n & PM_SALT_MAX;

	/* Only 0 would stay 0; it takes the place of the largest number. */
	if (v == 0)
		v = PM_SALT_MAX;
	/* Odd factors and shifts to the right undo themselves in 53 bits. */
	v = (v * UINT64_C(0x9e3779b97f4a7c15)) & PM_SALT_MAX;
	v ^= v >> 27;
	v = (v * UINT64_C(0xbf58476d1ce4e5b9)) & PM_SALT_MAX;
	v ^= v >> 26;
	return v;
}

bool
pm_order_ok(const struct pm_order *o)
{
	bool rests = o->tif == PM_GTC || o->tif == PM_GTD;

	return o->salt > 0 && o->salt <= PM_SALT_MAX && o->asset != NULL &&
	       o->asset->n > 0 &&
	       (o->side == SIDE_BID || o->side == SIDE_ASK) &&
	       o->tif >= PM_GTC && o->tif < PM_TIF_N &&
	       (rests || !o->post_only) &&
	       (o->expiration_s > 0) == (o->tif == PM_GTD);
}

void
pm_order_id(const struct pm_template *t, const struct pm_order *o,
    struct pm_signed *out)
{
	uint8_t w[12][HASH_SZ];

	CHECK(pm_order_ok(o));
	memcpy(w, t->words, sizeof(w));
	word_u64(w[W_SALT], o->salt);
	memcpy(w[W_TOKEN], o->asset->word, HASH_SZ);
	word_u64(w[W_MAKER_AMOUNT], o->amounts.maker);
	word_u64(w[W_TAKER_AMOUNT], o->amounts.taker);
	word_u64(w[W_SIDE], o->side == SIDE_ASK);
	word_u64(w[W_TIMESTAMP], o->timestamp_ms);
	keccak256(w, sizeof(w), out->contents);
	eip712_digest(t->exchange.separator, out->contents, out->id);
}

/* What the key signs: the id, or for a deposit wallet its wrapper. */
static void
signing_digest(const struct pm_template *t, const struct pm_signed *s,
    uint8_t out[HASH_SZ])
{
	uint8_t w[7][HASH_SZ];

	if (t->sig_type != PM_SIG_DEPOSIT_WALLET) {
		memcpy(out, s->id, HASH_SZ);
		return;
	}
	memcpy(w, t->wallet, sizeof(w));
	memcpy(w[WALLET_CONTENTS], s->contents, HASH_SZ);
	keccak256(w, sizeof(w), out);
	eip712_digest(t->exchange.separator, out, out);
}

bool
pm_order_sign(const struct pm_template *t, const struct secp *c,
    const uint8_t key[SECP_KEY_SZ], const struct pm_order *o,
    struct pm_signed *out)
{
	uint8_t digest[HASH_SZ];

	pm_order_id(t, o, out);
	signing_digest(t, out, digest);
	return secp_sign(c, key, digest, &out->sig);
}

static char *
put(char *p, const char *s, size_t n)
{
	memcpy(p, s, n);
	return p + n;
}

#define PUT_LIT(p, s) put((p), (s), sizeof(s) - 1)

static char *
put_chunk(char *p, const struct pm_chunk *c)
{
	return put(p, c->text, c->n);
}

size_t
pm_order_body(const struct pm_template *t, const struct pm_order *o,
    const struct pm_signed *s, char buf[PM_BODY_MAX])
{
	char *p = PUT_LIT(buf, "{\"deferExec\":false,\"postOnly\":");

	CHECK(pm_order_ok(o));
	p = o->post_only ? PUT_LIT(p, "true") : PUT_LIT(p, "false");
	p = PUT_LIT(p, ",\"order\":{\"salt\":");
	p = dec_put(p, o->salt);
	p = put_chunk(p, &t->people);
	p = put(p, o->asset->text, o->asset->n);
	p = PUT_LIT(p, "\",\"makerAmount\":\"");
	p = dec_put(p, o->amounts.maker);
	p = PUT_LIT(p, "\",\"takerAmount\":\"");
	p = dec_put(p, o->amounts.taker);
	p = PUT_LIT(p, "\",\"side\":\"");
	p = o->side == SIDE_BID ? PUT_LIT(p, "BUY") : PUT_LIT(p, "SELL");
	p = put_chunk(p, &t->type);
	p = dec_put(p, o->timestamp_ms);
	p = PUT_LIT(p, "\",\"expiration\":\"");
	p = dec_put(p, o->expiration_s);
	p = put_chunk(p, &t->codes);
	p = sig_put(p, &s->sig);
	if (t->sig_type == PM_SIG_DEPOSIT_WALLET) {
		p = hex_put(p, t->exchange.separator, HASH_SZ);
		p = hex_put(p, s->contents, HASH_SZ);
		p = put_chunk(p, &t->wallet_tail);
	}
	p = put_chunk(p, &t->owner);
	p = put(p, pm_tif_name(o->tif), 3);
	p = PUT_LIT(p, "\"}");
	CHECK(p < buf + PM_BODY_MAX);
	*p = '\0';
	return (size_t)(p - buf);
}

/* Does the part after the inner signature say what it must? */
static bool
wallet_tail_ok(
    const struct pm_template *t, const struct pm_signed *s, const uint8_t *tail)
{
	return memcmp(tail, t->exchange.separator, HASH_SZ) == 0 &&
	       memcmp(tail + HASH_SZ, s->contents, HASH_SZ) == 0 &&
	       memcmp(tail + (size_t)2 * HASH_SZ, ORDER_TYPE, ORDER_TYPE_LEN) ==
		   0 &&
	       tail[2 * HASH_SZ + ORDER_TYPE_LEN] == 0 &&
	       tail[2 * HASH_SZ + ORDER_TYPE_LEN + 1] == ORDER_TYPE_LEN;
}

bool
pm_order_signer(const struct pm_template *t, const struct secp *c,
    const struct pm_order *o, const struct pm_signature *sig,
    struct pm_signed *s, struct address *who)
{
	bool wallet = t->sig_type == PM_SIG_DEPOSIT_WALLET;
	uint8_t digest[HASH_SZ];

	pm_order_id(t, o, s);
	if (sig->n != (wallet ? PM_SIG_SZ_MAX : SIG_SZ))
		return false;
	if (wallet && !wallet_tail_ok(t, s, sig->bytes + SIG_SZ))
		return false;
	s->sig = sig_of_bytes(sig->bytes);
	signing_digest(t, s, digest);
	return secp_recover(c, &s->sig, digest, who);
}

void
pm_id_text(const uint8_t id[HASH_SZ], char buf[PM_ID_TEXT_MAX])
{
	buf[0] = '0';
	buf[1] = 'x';
	*hex_put(buf + 2, id, HASH_SZ) = '\0';
}
