/* links: libsign libcore */
/*
 * Requests of Hyperliquid as the venue receives them: the signer of every
 * reference vector is found from the text alone. Where the vectors are:
 * RM_VECTORS, else ../shared/venues/vectors beside the repository.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libsign/hex.h"
#include "libsign/hl_verify.h"
#include "tests/golden/data.h"

#define LEN(a)	 (sizeof(a) / sizeof((a)[0]))
#define TEXT_MAX 8192
#define KEY_63	 "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"

static struct secp secp;

static size_t
member(struct json_str v, const char *key, char *buf)
{
	return data_string(data_member(v.s, v.n, key), buf, TEXT_MAX);
}

static uint64_t
member_number(struct json_str v, const char *key)
{
	uint64_t n = 0;

	(void)json_text_u64(data_member(v.s, v.n, key), &n);
	return n;
}

static struct hl_received
received(struct json_str v, char action[TEXT_MAX])
{
	struct hl_received r = {.action = action};
	struct json_str sig = data_member(v.s, v.n, "signature");
	char text[TEXT_MAX];
	size_t n;

	r.n = member(v, "action_json", action);
	assert_true(r.n > 0);
	member(v, "network", text);
	r.mainnet = strcmp(text, "mainnet") == 0;
	r.meta.nonce = member_number(v, "nonce");
	r.meta.expires_ms = member_number(v, "expires_after");
	n = member(v, "vault_address", text);
	r.meta.has_vault = n > 0;
	if (n > 0)
		assert_true(address_parse(text, n, &r.meta.vault));
	n = member(sig, "r", text);
	assert_true(hex_parse(text, n, r.sig.r, sizeof(r.sig.r)));
	n = member(sig, "s", text);
	assert_true(hex_parse(text, n, r.sig.s, sizeof(r.sig.s)));
	r.sig.v = (uint8_t)member_number(sig, "v");
	return r;
}

static void
one(struct json_str v)
{
	static char action[TEXT_MAX];
	static char want[TEXT_MAX];
	static uint8_t mp[HL_MSGPACK_MAX];
	static char json[HL_BODY_MAX];
	struct hl_received r = received(v, action);
	struct address who;
	struct hl_wire w;
	char text[TEXT_MAX];

	hl_wire_init(
	    &w, &(struct hl_wire_bufs){mp, sizeof(mp), json, sizeof(json)});
	assert_true(hl_wire_json(&w, action, r.n));
	assert_int_equal(w.n, r.n);
	assert_memory_equal(json, action, r.n);
	assert_int_equal(member(v, "msgpack", want), 2 * w.mp.n);
	*hex_put(text, mp, w.mp.n) = '\0';
	assert_string_equal(text, want);
	assert_true(hl_signer_of(&secp, &r, &who));
	member(v, "address", want);
	address_format_lower(&who, text);
	assert_string_equal(text, want);
	/* Another nonce is another signer. */
	r.meta.nonce++;
	if (hl_signer_of(&secp, &r, &who)) {
		address_format_lower(&who, text);
		assert_string_not_equal(text, want);
	}
}

static void
T_65_signer_of_every_action(void **state)
{
	const char *root = getenv("RM_VECTORS");
	char path[900];
	struct json_str list;
	struct json_str v;
	struct json j;
	unsigned seen = 0;
	char *text;
	size_t n;

	(void)state;
	snprintf(path, sizeof(path), "%s/hyperliquid.json",
	    root != NULL ? root : "../shared/venues/vectors");
	text = data_read_path(path, &n);
	if (text == NULL) {
		printf("# skipped: no %s (set RM_VECTORS)\n", path);
		skip();
	}
	list = data_member(text, n, "l1");
	json_sub(&j, list.s, list.n);
	assert_true(json_array(&j));
	while (json_item(&j) && json_raw(&j, &v)) {
		one(v);
		seen++;
	}
	assert_int_equal(seen, 30);
	free(text);
}

static const struct {
	const char *text;
	bool ok;
} texts[] = {
    {"{\"type\":\"noop\"}", true},
    {" { \"type\" : \"noop\" } ", true},
    {"{\"a\":[],\"b\":{}}", true},
    {"{\"a\":-1}", true},
    {"{\"a\":-9223372036854775808}", true},
    {"{\"a\":18446744073709551615}", true},
    {"[[[[[[[[1]]]]]]]]", true},
    {"[[[[[[[[[1]]]]]]]]]", false}, /* too deep */
    {"[[[[[[[[[]]]]]]]]]", false},
    {"{\"a\":18446744073709551616}", false},
    {"{\"a\":-9223372036854775809}", false},
    {"{\"a\":null}", false},
    {"{\"a\":1.5}", false},
    {"{\"a\":1e5}", false},
    {"{\"a\":\"b\\\"c\"}", false},
    {"{\"a\":\"\xc3\xa9\"}", false},
    {"{\"a\\n\":1}", false},
    {"{\"a\":1", false},
    {"{\"a\"}", false},
    {"{\"a\":1}x", false},
    {"{\"a\":tru}", false},
    {"", false},
    {"]", false},
    {"{\"a\":\"\x7f\"}", false},
    {"{\"" KEY_63 "\":1}", true},
    {"{\"" KEY_63 "k\":1}", false},
};

static bool
taken(const char *text, size_t n)
{
	uint8_t mp[512];
	char json[512];
	char *copy = data_exact(text, n);
	struct hl_wire w;
	bool ok;

	hl_wire_init(
	    &w, &(struct hl_wire_bufs){mp, sizeof(mp), json, sizeof(json)});
	ok = hl_wire_json(&w, copy, n);
	free(copy);
	return ok;
}

/* Whole, and cut at every byte: a piece is never an action. */
static void
texts_that_are_no_actions(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(texts); i++) {
		const char *text = texts[i].text;
		size_t n = strlen(text);

		if (taken(text, n) != texts[i].ok)
			fail_msg("%s", text);
		for (size_t cut = 0; texts[i].ok && cut < data_trim(text, n);
		     cut++)
			if (taken(text, cut))
				fail_msg("%.*s", (int)cut, text);
	}
}

/* Buffers of every size that is too small. */
static void
buffers_that_are_too_small(void **state)
{
	static const char text[] =
	    "{\"type\":\"scheduleCancel\",\"time\":1790232296546}";
	uint8_t mp[64];
	char json[64];
	struct hl_wire w;
	size_t n;

	(void)state;
	hl_wire_init(
	    &w, &(struct hl_wire_bufs){mp, sizeof(mp), json, sizeof(json)});
	assert_true(hl_wire_json(&w, text, sizeof(text) - 1));
	n = w.mp.n;
	for (size_t cap = 0; cap < sizeof(text) - 1; cap++) {
		hl_wire_init(
		    &w, &(struct hl_wire_bufs){mp, sizeof(mp), json, cap});
		assert_false(hl_wire_json(&w, text, sizeof(text) - 1));
	}
	for (size_t cap = 0; cap < n; cap++) {
		hl_wire_init(
		    &w, &(struct hl_wire_bufs){mp, cap, json, sizeof(json)});
		assert_false(hl_wire_json(&w, text, sizeof(text) - 1));
	}
}

int
main(void)
{
	static const uint8_t seed[32] = {6};
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(T_65_signer_of_every_action),
	    cmocka_unit_test(texts_that_are_no_actions),
	    cmocka_unit_test(buffers_that_are_too_small),
	};
	int failed;

	secp_init(&secp, seed);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	secp_close(&secp);
	return failed;
}
