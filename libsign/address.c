#include "libsign/address.h"

#include <string.h>

#include "libsign/hex.h"
#include "libsign/keccak.h"

void
address_format_lower(const struct address *a, char buf[ADDRESS_TEXT_MAX])
{
	buf[0] = '0';
	buf[1] = 'x';
	*hex_put(buf + 2, a->b, sizeof(a->b)) = '\0';
}

void
address_format(const struct address *a, char buf[ADDRESS_TEXT_MAX])
{
	uint8_t h[HASH_SZ];

	address_format_lower(a, buf);
	keccak256(buf + 2, ADDRESS_TEXT_LEN - 2, h);
	for (unsigned i = 0; i < ADDRESS_TEXT_LEN - 2; i++) {
		unsigned nib = i % 2 == 0 ? h[i / 2] >> 4 : h[i / 2] & 15;

		if (nib >= 8 && buf[2 + i] >= 'a')
			buf[2 + i] = (char)(buf[2 + i] - 'a' + 'A');
	}
}

bool
address_parse(const char *s, size_t n, struct address *out)
{
	struct address a;
	char text[ADDRESS_TEXT_MAX];
	bool lower = false;
	bool upper = false;

	if (n != ADDRESS_TEXT_LEN || s[0] != '0' || s[1] != 'x' ||
	    !hex_parse(s, n, a.b, sizeof(a.b)))
		return false;
	for (size_t i = 2; i < n; i++) {
		lower |= s[i] >= 'a';
		upper |= s[i] >= 'A' && s[i] <= 'F';
	}
	if (lower && upper) {
		address_format(&a, text);
		if (memcmp(text, s, n) != 0)
			return false;
	}
	*out = a;
	return true;
}

struct address
address_of_pubkey(const uint8_t pub[64])
{
	uint8_t h[HASH_SZ];
	struct address a;

	keccak256(pub, 64, h);
	memcpy(a.b, h + HASH_SZ - ADDRESS_SZ, ADDRESS_SZ);
	return a;
}

bool
address_eq(const struct address *a, const struct address *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}
