#include "libsign/pm_auth.h"

#include <string.h>

#include <mbedtls/platform_util.h>

#include "libcore/check.h"
#include "libsign/eip712.h"
#include "libsign/hex.h"

#define DOMAIN_NAME "ClobAuthDomain"
#define CLAIM_TYPE                                                        \
	"ClobAuth(address address,string timestamp,uint256 nonce,string " \
	"message)"
#define MESSAGE "This message attests that I control the given wallet"

/* Copy of a header's value; false for what no header may carry. */
static bool
value_copy(char *dst, const char *src)
{
	size_t n = 0;

	for (; src[n] != '\0'; n++)
		if (n == PM_CRED_MAX || src[n] <= ' ' || src[n] > '~')
			return false;
	memcpy(dst, src, n + 1);
	return n > 0;
}

bool
pm_creds_init(struct pm_creds *c, const struct pm_creds_text *text)
{
	uint8_t secret[PM_CRED_MAX];
	long n = base64_parse(
	    text->secret, strlen(text->secret), secret, sizeof(secret));
	bool ok = n > 0 && value_copy(c->api_key, text->api_key) &&
		  value_copy(c->passphrase, text->passphrase);

	if (ok) {
		hmac_init(&c->mac, secret, (size_t)n);
		address_format(text->signer, c->address);
	} else {
		mbedtls_platform_zeroize(c, sizeof(*c));
	}
	mbedtls_platform_zeroize(secret, sizeof(secret));
	return ok;
}

static void
l2_mac(const struct pm_creds *c, const char *timestamp,
    const struct pm_call *call, char out[PM_L2_SIG_LEN + 1])
{
	const struct hmac_part part[] = {
	    {timestamp, strlen(timestamp)},
	    {call->method, strlen(call->method)},
	    {call->path, strlen(call->path)},
	    {call->body, call->n},
	};
	uint8_t mac[HMAC_SZ];

	CHECK(c->api_key[0] != '\0');
	hmac_sign(&c->mac, part, call->n > 0 ? 4 : 3, mac);
	*base64url_put(out, mac, sizeof(mac)) = '\0';
}

void
pm_l2_sign(const struct pm_creds *c, uint64_t now_s, const struct pm_call *call,
    struct pm_l2 *out)
{
	*dec_put(out->timestamp, now_s) = '\0';
	l2_mac(c, out->timestamp, call, out->signature);
}

bool
pm_l2_ok(const struct pm_creds *c, const char *timestamp,
    const struct pm_call *call, const char *signature)
{
	char want[PM_L2_SIG_LEN + 1];
	unsigned differ = 0;

	if (strlen(signature) != PM_L2_SIG_LEN)
		return false;
	l2_mac(c, timestamp, call, want);
	for (unsigned i = 0; i < PM_L2_SIG_LEN; i++)
		differ |= (unsigned char)want[i] ^ (unsigned char)signature[i];
	return differ == 0;
}

static char *
put_text(char *p, const char *s)
{
	size_t n = strlen(s);

	memcpy(p, s, n);
	return p + n;
}

struct header {
	const char *name;
	const char *value;
};

static size_t
put_headers(const struct header *h, size_t n, char buf[PM_HEADERS_MAX])
{
	char *p = buf;

	for (size_t i = 0; i < n; i++) {
		CHECK((size_t)(p - buf) + strlen(h[i].name) +
			  strlen(h[i].value) + 5 <=
		      PM_HEADERS_MAX);
		p = put_text(p, h[i].name);
		p = put_text(p, ": ");
		p = put_text(p, h[i].value);
		p = put_text(p, "\r\n");
	}
	*p = '\0';
	return (size_t)(p - buf);
}

size_t
pm_l2_headers(
    const struct pm_creds *c, const struct pm_l2 *l2, char buf[PM_HEADERS_MAX])
{
	const struct header h[] = {
	    {"POLY_ADDRESS", c->address},
	    {"POLY_SIGNATURE", l2->signature},
	    {"POLY_TIMESTAMP", l2->timestamp},
	    {"POLY_API_KEY", c->api_key},
	    {"POLY_PASSPHRASE", c->passphrase},
	};

	return put_headers(h, sizeof(h) / sizeof(h[0]), buf);
}

void
pm_l1_digest(const struct pm_l1_claim *claim, uint8_t out[HASH_SZ])
{
	struct eip712_domain d = {
	    .name = DOMAIN_NAME, .version = "1", .chain_id = claim->chain_id};
	uint8_t separator[HASH_SZ];
	uint8_t hash[HASH_SZ];
	uint8_t w[5][HASH_SZ];

	eip712_separator(&d, separator);
	word_text(w[0], CLAIM_TYPE);
	word_address(w[1], &claim->address);
	word_text(w[2], claim->timestamp);
	word_u64(w[3], claim->nonce);
	word_text(w[4], MESSAGE);
	keccak256(w, sizeof(w), hash);
	eip712_digest(separator, hash, out);
}

bool
pm_l1_sign(const struct secp *c, const uint8_t key[SECP_KEY_SZ],
    const struct pm_l1_args *args, struct pm_l1 *out)
{
	struct pm_l1_claim claim = {.timestamp = out->timestamp,
	    .nonce = args->nonce,
	    .chain_id = args->chain_id};
	uint8_t digest[HASH_SZ];
	struct sig sig;

	if (!secp_address(c, key, &claim.address))
		return false;
	*dec_put(out->timestamp, args->now_s) = '\0';
	*dec_put(out->nonce, args->nonce) = '\0';
	address_format(&claim.address, out->address);
	pm_l1_digest(&claim, digest);
	if (!secp_sign(c, key, digest, &sig))
		return false;
	*sig_put(put_text(out->signature, "0x"), &sig) = '\0';
	return true;
}

bool
pm_l1_ok(const struct secp *c, const struct pm_l1_claim *claim,
    const char *signature)
{
	uint8_t bytes[SIG_SZ];
	uint8_t digest[HASH_SZ];
	struct address who;
	struct sig sig;

	if (!hex_parse(signature, strlen(signature), bytes, sizeof(bytes)))
		return false;
	sig = sig_of_bytes(bytes);
	pm_l1_digest(claim, digest);
	return secp_recover(c, &sig, digest, &who) &&
	       address_eq(&who, &claim->address);
}

size_t
pm_l1_headers(const struct pm_l1 *l1, char buf[PM_HEADERS_MAX])
{
	const struct header h[] = {
	    {"POLY_ADDRESS", l1->address},
	    {"POLY_SIGNATURE", l1->signature},
	    {"POLY_TIMESTAMP", l1->timestamp},
	    {"POLY_NONCE", l1->nonce},
	};

	return put_headers(h, sizeof(h) / sizeof(h[0]), buf);
}
