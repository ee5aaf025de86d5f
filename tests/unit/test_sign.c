/* links: libsign libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <mbedtls/bignum.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/sha256.h>

#include "libsign/eip712.h"
#include "libsign/hex.h"
#include "libsign/hmac.h"
#include "libsign/key.h"
#include "libsign/secp.h"
#include "tests/unit/contract.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

static struct secp secp;

static void
assert_hex(const uint8_t *b, size_t n, const char *want)
{
	char text[256];

	assert_true(2 * n < sizeof(text));
	*hex_put(text, b, n) = '\0';
	assert_string_equal(text, want);
}

static void
keccak_of_known_texts(void **state)
{
	uint8_t h[HASH_SZ];

	(void)state;
	keccak256("", 0, h);
	assert_hex(h, sizeof(h),
	    "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
	keccak256("abc", 3, h);
	assert_hex(h, sizeof(h),
	    "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
}

/* Any split of a text of up to three blocks gives one hash. */
static void
keccak_in_pieces(void **state)
{
	uint8_t text[3 * KECCAK_RATE + 1];
	uint8_t whole[HASH_SZ];
	uint8_t parts[HASH_SZ];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 7 + 1);
	for (size_t n = 0; n <= sizeof(text); n++) {
		keccak256(text, n, whole);
		for (size_t step = 1; step <= 140; step += 23) {
			struct keccak k;

			keccak_init(&k);
			for (size_t at = 0; at < n; at += step)
				keccak_update(&k, text + at,
				    n - at < step ? n - at : step);
			keccak_final(&k, parts);
			assert_memory_equal(whole, parts, HASH_SZ);
		}
	}
}

static void
addresses_with_checksum(void **state)
{
	static const char *const good[] = {
	    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
	    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
	    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
	    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb"};
	static const char *const bad[] = {"", "0x",
	    "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
	    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe",
	    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAedd",
	    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg",
	    /* one letter of the wrong case */
	    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD",
	    "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
	    "0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"};
	char text[ADDRESS_TEXT_MAX];
	struct address a;
	struct address b;

	(void)state;
	for (size_t i = 0; i < LEN(good); i++) {
		assert_true(address_parse(good[i], strlen(good[i]), &a));
		address_format(&a, text);
		assert_string_equal(text, good[i]);
		address_format_lower(&a, text);
		assert_true(address_parse(text, strlen(text), &b));
		assert_true(address_eq(&a, &b));
	}
	for (size_t i = 0; i < LEN(bad); i++)
		assert_false(address_parse(bad[i], strlen(bad[i]), &a));
}

static void
hex_and_decimals(void **state)
{
	static const uint64_t max[4] = {
	    UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
	static const uint64_t big[4] = {0, 1, 0, 0};
	uint8_t b[2];
	char text[DEC256_MAX + 1];

	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		char s[4] = {'0', '0', '0', (char)c};
		bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
			     (c >= 'A' && c <= 'F');

		assert_int_equal(hex_parse(s, 4, b, 2), digit);
	}
	assert_true(hex_parse("0xBeef", 6, b, 2));
	assert_int_equal(b[0], 0xbe);
	assert_int_equal(b[1], 0xef);
	assert_false(hex_parse("0xbee", 5, b, 2));
	assert_false(hex_parse("", 0, b, 2));
	*dec256_put(text, max) = '\0';
	assert_string_equal(text,
	    "11579208923731619542357098500868790785326998466564056403945758400"
	    "7913129639935");
	*dec256_put(text, big) = '\0';
	assert_string_equal(text, "18446744073709551616");
	*dec256_put(text, (uint64_t[4]){0, 0, 0, 0}) = '\0';
	assert_string_equal(text, "0");
	*dec256_put(text, (uint64_t[4]){10000000000000000000U, 0, 0, 0}) = '\0';
	assert_string_equal(text, "10000000000000000000");
	*dec_put(text, UINT64_MAX) = '\0';
	assert_string_equal(text, "18446744073709551615");
	*dec_put(text, 0) = '\0';
	assert_string_equal(text, "0");
}

static void
person(uint8_t word[HASH_SZ], const char *name, const char *wallet)
{
	uint8_t w[3][HASH_SZ];
	struct address a;

	assert_true(address_parse(wallet, strlen(wallet), &a));
	word_text(w[0], "Person(string name,address wallet)");
	word_text(w[1], name);
	word_address(w[2], &a);
	keccak256(w, sizeof(w), word);
}

/* The example of EIP-712 itself, signed with keccak256("cow"). */
static void
mail_from_cow_to_bob(void **state)
{
	struct eip712_domain d = {.name = "Ether Mail",
	    .version = "1",
	    .chain_id = 1,
	    .has_contract = true};
	uint8_t w[4][HASH_SZ];
	uint8_t h[HASH_SZ];
	uint8_t separator[HASH_SZ];
	uint8_t key[SECP_KEY_SZ];
	char text[ADDRESS_TEXT_MAX];
	struct address who;
	struct sig sig;

	(void)state;
	memset(d.contract.b, 0xcc, sizeof(d.contract.b));
	eip712_separator(&d, separator);
	assert_hex(separator, sizeof(separator),
	    "f2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f");
	word_text(w[0], "Mail(Person from,Person to,string contents)"
			"Person(string name,address wallet)");
	person(w[1], "Cow", "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826");
	person(w[2], "Bob", "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB");
	word_text(w[3], "Hello, Bob!");
	keccak256(w, sizeof(w), h);
	assert_hex(h, sizeof(h),
	    "c52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e");
	eip712_digest(separator, h, h);
	assert_hex(h, sizeof(h),
	    "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2");
	keccak256("cow", 3, key);
	assert_true(secp_sign(&secp, key, h, &sig));
	assert_hex(sig.r, sizeof(sig.r),
	    "4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d");
	assert_hex(sig.s, sizeof(sig.s),
	    "07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b91562");
	assert_int_equal(sig.v, 28);
	assert_true(secp_recover(&secp, &sig, h, &who));
	address_format(&who, text);
	assert_string_equal(text, "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826");
}

static void
domains_without_a_contract(void **state)
{
	struct eip712_domain d = {
	    .name = "ClobAuthDomain", .version = "1", .chain_id = 137};
	uint8_t h[HASH_SZ];

	(void)state;
	eip712_separator(&d, h);
	assert_hex(h, sizeof(h),
	    "cfc66be2a3b30464cb3b588324101f660c9a205fa76e8e5f83ee16a528e1c4cb");
}

/* Key 1 over SHA-256 of a known text, as published with RFC 6979 ports. */
static void
rfc6979_on_the_curve(void **state)
{
	uint8_t key[SECP_KEY_SZ] = {[31] = 1};
	uint8_t digest[HASH_SZ];
	struct sig sig;

	(void)state;
	assert_int_equal(mbedtls_sha256_ret((const uint8_t *)"Satoshi Nakamoto",
			     16, digest, 0),
	    0);
	assert_true(secp_sign(&secp, key, digest, &sig));
	assert_hex(sig.r, sizeof(sig.r),
	    "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8");
	assert_hex(sig.s, sizeof(sig.s),
	    "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5");
}

/* s or, when it is in the upper half, the order less s. */
static void
lower_half(const mbedtls_ecp_group *g, mbedtls_mpi *s)
{
	mbedtls_mpi half;

	mbedtls_mpi_init(&half);
	assert_int_equal(mbedtls_mpi_copy(&half, &g->N), 0);
	assert_int_equal(mbedtls_mpi_shift_r(&half, 1), 0);
	if (mbedtls_mpi_cmp_mpi(s, &half) > 0)
		assert_int_equal(mbedtls_mpi_sub_mpi(s, &g->N, s), 0);
	mbedtls_mpi_free(&half);
}

/* What that library blinds with; it does not show in the result. */
static int
blinding(void *ctx, unsigned char *out, size_t n)
{
	(void)ctx;
	return key_random(out, n);
}

/* Another library's deterministic signatures are the same. */
static void
same_as_another_library(void **state)
{
	mbedtls_ecp_group g;
	mbedtls_mpi r, s, d;

	(void)state;
	mbedtls_ecp_group_init(&g);
	mbedtls_mpi_init(&r);
	mbedtls_mpi_init(&s);
	mbedtls_mpi_init(&d);
	assert_int_equal(
	    mbedtls_ecp_group_load(&g, MBEDTLS_ECP_DP_SECP256K1), 0);
	for (unsigned i = 0; i < 24; i++) {
		uint8_t key[SECP_KEY_SZ];
		uint8_t digest[HASH_SZ];
		uint8_t want[32];
		struct address owner;
		struct address who;
		struct sig sig;

		keccak256(&i, sizeof(i), key);
		keccak256(key, sizeof(key), digest);
		assert_int_equal(mbedtls_mpi_read_binary(&d, key, 32), 0);
		assert_int_equal(
		    mbedtls_ecdsa_sign_det_ext(&g, &r, &s, &d, digest,
			sizeof(digest), MBEDTLS_MD_SHA256, blinding, NULL),
		    0);
		lower_half(&g, &s);
		assert_true(secp_sign(&secp, key, digest, &sig));
		assert_int_equal(mbedtls_mpi_write_binary(&r, want, 32), 0);
		assert_memory_equal(want, sig.r, 32);
		assert_int_equal(mbedtls_mpi_write_binary(&s, want, 32), 0);
		assert_memory_equal(want, sig.s, 32);
		assert_true(secp_address(&secp, key, &owner));
		assert_true(secp_recover(&secp, &sig, digest, &who));
		assert_true(address_eq(&owner, &who));
	}
	mbedtls_mpi_free(&d);
	mbedtls_mpi_free(&s);
	mbedtls_mpi_free(&r);
	mbedtls_ecp_group_free(&g);
}

static const char order_text[] =
    "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

static void
bad_keys_and_signatures(void **state)
{
	uint8_t key[SECP_KEY_SZ] = {0};
	uint8_t pub[SECP_PUB_SZ];
	uint8_t digest[HASH_SZ] = {1};
	struct address who = {{3}};
	struct address same = who;
	struct sig sig;
	struct sig odd;

	(void)state;
	assert_false(secp_key_ok(&secp, key));
	assert_false(secp_sign(&secp, key, digest, &sig));
	assert_int_equal(sig.v, 0);
	assert_false(secp_pubkey(&secp, key, pub));
	assert_true(hex_parse(order_text, 64, key, sizeof(key)));
	assert_false(secp_key_ok(&secp, key));
	key[31]--;
	assert_true(secp_key_ok(&secp, key));
	assert_true(secp_sign(&secp, key, digest, &sig));
	for (unsigned v = 0; v < 256; v++) {
		odd = sig;
		odd.v = (uint8_t)v;
		if (v != 27 && v != 28)
			assert_false(secp_recover(&secp, &odd, digest, &who));
	}
	odd = sig;
	memset(odd.r, 0, sizeof(odd.r));
	assert_false(secp_recover(&secp, &odd, digest, &who));
	odd = sig;
	memset(odd.s, 0xff, sizeof(odd.s));
	assert_false(secp_recover(&secp, &odd, digest, &who));
	/* Points beyond the order, which v of 29 and 30 stand for, exist. */
	memset(&odd, 0, sizeof(odd));
	odd.s[31] = 1;
	for (odd.r[31] = 1; odd.r[31] < 40; odd.r[31]++)
		for (odd.v = 29; odd.v <= 30; odd.v++)
			assert_false(secp_recover(&secp, &odd, digest, &who));
	assert_true(address_eq(&who, &same));
}

/* The same signature with s in the upper half: valid on the curve, refused
 * by contracts and by us. */
static void
high_s_is_refused(void **state)
{
	uint8_t key[SECP_KEY_SZ] = {[31] = 5};
	uint8_t digest[HASH_SZ] = {2};
	uint8_t n[32];
	struct address who;
	struct sig sig;
	unsigned borrow = 0;

	(void)state;
	assert_true(hex_parse(order_text, 64, n, sizeof(n)));
	assert_true(secp_sign(&secp, key, digest, &sig));
	assert_true(secp_recover(&secp, &sig, digest, &who));
	for (int i = 31; i >= 0; i--) {
		unsigned v = 256U + n[i] - sig.s[i] - borrow;

		sig.s[i] = (uint8_t)v;
		borrow = v < 256;
	}
	sig.v = (uint8_t)(27 + 28 - sig.v);
	assert_false(secp_recover(&secp, &sig, digest, &who));
}

/* Blinding never shows. */
static void
seed_does_not_matter(void **state)
{
	static struct secp other;
	uint8_t seed[32];
	uint8_t key[SECP_KEY_SZ] = {[31] = 9};
	uint8_t digest[HASH_SZ] = {3};
	struct sig a;
	struct sig b;

	(void)state;
	assert_int_equal(key_random(seed, sizeof(seed)), 0);
	secp_init(&other, seed);
	assert_true(secp_sign(&secp, key, digest, &a));
	assert_true(secp_sign(&other, key, digest, &b));
	assert_memory_equal(&a, &b, sizeof(a));
	secp_close(&other);
	for (size_t i = 0; i < sizeof(other.mem); i++)
		assert_int_equal(other.mem[i], 0);
}

static void
hmac_of_rfc4231(void **state)
{
	uint8_t key[131];
	uint8_t mac[HMAC_SZ];
	struct hmac h;
	struct hmac_part part[2] = {{"Hi ", 3}, {"There", 5}};

	(void)state;
	memset(key, 0x0b, 20);
	hmac_init(&h, key, 20);
	hmac_sign(&h, part, 2, mac);
	assert_hex(mac, sizeof(mac),
	    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	/* The kept state is not used up. */
	hmac_sign(&h, part, 2, mac);
	assert_hex(mac, sizeof(mac),
	    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	hmac_init(&h, "Jefe", 4);
	part[0] = (struct hmac_part){"what do ya want for nothing?", 28};
	hmac_sign(&h, part, 1, mac);
	assert_hex(mac, sizeof(mac),
	    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	hmac_init(&h, key, sizeof(key));
	part[0] = (struct hmac_part){
	    "Test Using Larger Than Block-Size Key - Hash Key First", 54};
	hmac_sign(&h, part, 1, mac);
	assert_hex(mac, sizeof(mac),
	    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void
base64_both_ways(void **state)
{
	static const struct {
		const char *text;
		const char *bytes;
	} good[] = {{"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"},
	    {"Zm9vYg==", "foob"}, {"_-8=", "\xff\xef"}};
	static const char *const bad[] = {"Z", "Zg=", "Zg===", "Zm9=v", "Zm 9",
	    "Zh==", "Zm9v=", "=", "====", "Zm9\xff"};
	uint8_t out[8];
	char text[16];

	(void)state;
	for (size_t i = 0; i < LEN(good); i++) {
		size_t n = strlen(good[i].bytes);

		*base64url_put(text, (const uint8_t *)good[i].bytes, n) = '\0';
		assert_string_equal(text, good[i].text);
		assert_int_equal(strlen(text), BASE64_LEN(n));
		assert_int_equal(
		    base64_parse(text, strlen(text), out, sizeof(out)), n);
		assert_memory_equal(out, good[i].bytes, n);
	}
	assert_int_equal(base64_parse("/+8=", 4, out, sizeof(out)), 2);
	assert_int_equal(base64_parse("_-8", 3, out, sizeof(out)), 2);
	assert_int_equal(base64_parse("Zm9v", 4, out, 2), -1);
	for (size_t i = 0; i < LEN(bad); i++)
		assert_int_equal(
		    base64_parse(bad[i], strlen(bad[i]), out, sizeof(out)), -1);
}

static void
break_keccak(void)
{
	struct keccak k;
	uint8_t h[HASH_SZ];

	keccak_init(&k);
	k.at = KECCAK_RATE;
	keccak_final(&k, h);
}

static void
break_secp(void)
{
	struct secp none = {.ctx = NULL};
	uint8_t key[SECP_KEY_SZ] = {1};
	struct sig sig;

	(void)secp_sign(&none, key, key, &sig);
}

static void
contracts(void **state)
{
	(void)state;
	assert_true(contract_fails(break_keccak));
	assert_true(contract_fails(break_secp));
}

int
main(void)
{
	static const uint8_t seed[32] = {1};
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keccak_of_known_texts),
	    cmocka_unit_test(keccak_in_pieces),
	    cmocka_unit_test(addresses_with_checksum),
	    cmocka_unit_test(hex_and_decimals),
	    cmocka_unit_test(mail_from_cow_to_bob),
	    cmocka_unit_test(domains_without_a_contract),
	    cmocka_unit_test(rfc6979_on_the_curve),
	    cmocka_unit_test(same_as_another_library),
	    cmocka_unit_test(bad_keys_and_signatures),
	    cmocka_unit_test(high_s_is_refused),
	    cmocka_unit_test(seed_does_not_matter),
	    cmocka_unit_test(hmac_of_rfc4231),
	    cmocka_unit_test(base64_both_ways),
	    cmocka_unit_test(contracts),
	};

	secp_init(&secp, seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
