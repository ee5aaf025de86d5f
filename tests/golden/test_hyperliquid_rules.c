/* links: libvenue libcore */
/*
 * The venue's rules of prices, sizes and numbers against the vectors that
 * come with the venue's description.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libcore/fixed.h"
#include "tests/golden/data.h"

#define VECTORS	    "../venues/vectors/hyperliquid.json"
#define PX_SIG	    5u
#define PERP_PLACES 6u
#define SPOT_PLACES 8u

static int64_t
pow10_e8(uint64_t places)
{
	int64_t v = E8;

	for (uint64_t i = 0; i < places && i < 8; i++)
		v /= 10;
	return v;
}

static bool
text_is_true(struct json_str raw)
{
	return raw.n == 4 && memcmp(raw.s, "true", 4) == 0;
}

static uint64_t
number(struct json_str item, const char *key)
{
	struct json_str raw = data_member(item.s, item.n, key);

	assert_true(raw.n > 0);
	return strtoull(raw.s, NULL, 10);
}

/* A decimal at 1e-8; false when it has more places, which no rule allows. */
static bool
decimal(struct json_str item, const char *key, int64_t *e8)
{
	char text[64];
	size_t n =
	    data_string(data_member(item.s, item.n, key), text, sizeof(text));

	assert_true(n > 0);
	return fixed_parse(text, n, 8, false, PX_E8_MAX, e8);
}

static bool
price_is_valid(struct json_str c)
{
	struct json_str kind = data_member(c.s, c.n, "kind");
	uint64_t places = json_is(kind, "\"spot\"") ? SPOT_PLACES : PERP_PLACES;
	uint64_t size_places = number(c, "sz_decimals");
	int64_t px = 0;

	if (!decimal(c, "px", &px))
		return false;
	px_t tick =
	    PX(pow10_e8(places > size_places ? places - size_places : 0));

	return px % px_sig_tick(PX(px), tick, PX_SIG).e8 == 0;
}

static bool
size_is_valid(struct json_str c)
{
	int64_t sz = 0;

	return decimal(c, "sz", &sz) &&
	       sz % pow10_e8(number(c, "sz_decimals")) == 0;
}

static void
check(const char *list, bool (*valid)(struct json_str), unsigned at_least)
{
	struct json j;
	struct json_str c;
	size_t n;
	unsigned cases = 0;
	char *text = data_read(VECTORS, &n);

	if (text == NULL)
		skip();
	struct json_str all = data_member(text, n, list);

	json_sub(&j, all.s, all.n);
	json_array(&j);
	for (; json_item(&j) && json_raw(&j, &c); cases++)
		if (valid(c) != text_is_true(data_member(c.s, c.n, "valid")))
			fail_msg("%.*s", (int)c.n, c.s);
	assert_true(json_end(&j));
	assert_true(cases >= at_least);
	free(text);
}

static void
prices(void **state)
{
	(void)state;
	check("price_check", price_is_valid, 15);
}

static void
sizes(void **state)
{
	(void)state;
	check("size_check", size_is_valid, 6);
}

/* The wire wants the shortest decimal. */
static void
wire_form(void **state)
{
	struct json j;
	struct json_str c;
	size_t n;
	char *text = data_read(VECTORS, &n);
	char got[FIXED_TEXT_MAX];
	char want[64];
	char mantissa[64];

	(void)state;
	if (text == NULL)
		skip();
	struct json_str all = data_member(text, n, "decimal_wire");

	json_sub(&j, all.s, all.n);
	json_array(&j);
	while (json_item(&j) && json_raw(&j, &c)) {
		data_string(data_member(c.s, c.n, "mantissa"), mantissa,
		    sizeof(mantissa));
		data_string(data_member(c.s, c.n, "wire"), want, sizeof(want));
		fixed_format(strtoll(mantissa, NULL, 10),
		    (unsigned)number(c, "scale"), got);
		assert_string_equal(got, want);
	}
	assert_true(json_end(&j));
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prices),
	    cmocka_unit_test(sizes),
	    cmocka_unit_test(wire_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
