#include "libsign/hmac.h"

#include <string.h>

#include <mbedtls/platform_util.h>

#include "libcore/check.h"

#define BLOCK 64

/* mbedTLS's software SHA-256 cannot fail; a hardware one that does is not
 * to sign anything. */
static void
sha_start(mbedtls_sha256_context *c)
{
	mbedtls_sha256_init(c);
	CHECK(mbedtls_sha256_starts_ret(c, 0) == 0);
}

static void
sha_add(mbedtls_sha256_context *c, const void *p, size_t n)
{
	CHECK(mbedtls_sha256_update_ret(c, p, n) == 0);
}

static void
sha_end(mbedtls_sha256_context *c, uint8_t out[HMAC_SZ])
{
	CHECK(mbedtls_sha256_finish_ret(c, out) == 0);
	mbedtls_sha256_free(c);
}

void
hmac_init(struct hmac *h, const void *key, size_t n)
{
	uint8_t pad[BLOCK] = {0};

	if (n > sizeof(pad)) {
		mbedtls_sha256_context c;

		sha_start(&c);
		sha_add(&c, key, n);
		sha_end(&c, pad);
	} else if (n > 0) {
		memcpy(pad, key, n);
	}
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36;
	sha_start(&h->inner);
	sha_add(&h->inner, pad, sizeof(pad));
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36 ^ 0x5c;
	sha_start(&h->outer);
	sha_add(&h->outer, pad, sizeof(pad));
	mbedtls_platform_zeroize(pad, sizeof(pad));
}

void
hmac_sign(const struct hmac *h, const struct hmac_part *part, size_t n,
    uint8_t out[HMAC_SZ])
{
	mbedtls_sha256_context c = h->inner;

	for (size_t i = 0; i < n; i++)
		sha_add(&c, part[i].p, part[i].n);
	sha_end(&c, out);
	c = h->outer;
	sha_add(&c, out, HMAC_SZ);
	sha_end(&c, out);
}

char *
base64url_put(char *dst, const uint8_t *src, size_t n)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
				  "qrstuvwxyz0123456789-_";

	for (; n >= 3; n -= 3, src += 3, dst += 4) {
		dst[0] = set[src[0] >> 2];
		dst[1] = set[(src[0] & 3) << 4 | src[1] >> 4];
		dst[2] = set[(src[1] & 15) << 2 | src[2] >> 6];
		dst[3] = set[src[2] & 63];
	}
	if (n == 0)
		return dst;
	dst[0] = set[src[0] >> 2];
	dst[1] = set[(src[0] & 3) << 4 | (n == 2 ? src[1] >> 4 : 0)];
	dst[2] = n == 2 ? set[(src[1] & 15) << 2] : '=';
	dst[3] = '=';
	return dst + 4;
}

/* The value of a character of either alphabet; above 63 for any other. */
static unsigned
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0') + 52;
	if (c == '+' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	return 64;
}

long
base64_parse(const char *s, size_t n, uint8_t *out, size_t cap)
{
	size_t pads = 0;
	size_t len = 0;
	unsigned bits = 0;
	unsigned have = 0;

	while (pads < 2 && n > 0 && s[n - 1] == '=') {
		pads++;
		n--;
	}
	if (n % 4 == 1 || (pads > 0 && (n + pads) % 4 != 0))
		return -1;
	for (size_t i = 0; i < n; i++) {
		unsigned v = base64_value(s[i]);

		if (v > 63)
			return -1;
		bits = bits << 6 | v;
		have += 6;
		if (have < 8)
			continue;
		if (len == cap)
			return -1;
		have -= 8;
		out[len++] = (uint8_t)(bits >> have);
		bits &= (1U << have) - 1;
	}
	return bits == 0 ? (long)len : -1;
}
