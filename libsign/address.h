/*
 * address.h - account and contract addresses.
 *
 * What : 20 bytes; as text 0x and 40 hex digits, whose letter case carries a
 *        checksum (EIP-55).
 * Pure : yes.
 */
#ifndef LIBSIGN_ADDRESS_H
#define LIBSIGN_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESS_SZ	 20
#define ADDRESS_TEXT_LEN 42
#define ADDRESS_TEXT_MAX (ADDRESS_TEXT_LEN + 1)

struct address {
	uint8_t b[ADDRESS_SZ];
};

/*
 * address_parse - "0x" and 40 digits. All lower or all upper case is taken
 * as it is; mixed case must be the checksum, which catches a typing error.
 * Returns false with *out untouched otherwise.
 */
bool address_parse(const char *s, size_t n, struct address *out);

/* address_format - with the checksum and NUL. One hash. */
void address_format(const struct address *a, char buf[ADDRESS_TEXT_MAX]);

/* address_format_lower - lower case, as Hyperliquid wants it, and NUL. */
void address_format_lower(const struct address *a, char buf[ADDRESS_TEXT_MAX]);

/* address_of_pubkey - of an uncompressed public key without its 0x04. */
struct address address_of_pubkey(const uint8_t pub[64]);

bool address_eq(const struct address *a, const struct address *b);

#endif
