/*
 * hmac.h - HMAC-SHA-256 and base64 in the form that venues' headers want.
 *
 * What   : the two hashes of a key's pads are kept, so that a message costs
 *          its own blocks and two more. SHA-256 is mbedTLS's.
 * Secret : struct hmac stands for the key; keep it in locked memory (key.h).
 * Pure   : yes.
 */
#ifndef LIBSIGN_HMAC_H
#define LIBSIGN_HMAC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <mbedtls/sha256.h>

#define HMAC_SZ 32

struct hmac {
	mbedtls_sha256_context inner; /* after the key's inner pad */
	mbedtls_sha256_context outer;
};

/* A message in pieces, that need not be copied together. */
struct hmac_part {
	const void *p;
	size_t n;
};

/* hmac_init - any key length. */
void hmac_init(struct hmac *h, const void *key, size_t n);

/* hmac_sign - of the parts one after the other. */
void hmac_sign(const struct hmac *h, const struct hmac_part *part, size_t n,
    uint8_t out[HMAC_SZ]);

/* base64url_put - alphabet of - and _, with padding; no NUL. Returns the
 * end: 4 characters for every 3 bytes begun. */
#define BASE64_LEN(n) (((n) + 2) / 3 * 4)
char *base64url_put(char *dst, const uint8_t *src, size_t n);

/*
 * base64_parse - either alphabet, with or without padding.
 * Returns the number of bytes, or -1 for other characters, an impossible
 * length, padding that does not fit, stray bits at the end, or more than cap.
 */
long base64_parse(const char *s, size_t n, uint8_t *out, size_t cap);

#endif
