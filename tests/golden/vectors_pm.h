/*
 * vectors_pm.h - parts of an order from reference vectors (vectors.h). Needs
 * cmocka.h before it.
 */
#ifndef TESTS_GOLDEN_VECTORS_PM_H
#define TESTS_GOLDEN_VECTORS_PM_H

#include "libsign/pm_order.h"
#include "libvenue/pm_id.h"
#include "tests/golden/vectors.h"

static inline void
need(const json_t *v)
{
	if (v == NULL)
		skip();
}

static inline void
get_key(const json_t *v, uint8_t key[SECP_KEY_SZ])
{
	const char *s = vec_text(v, "private_key");

	assert_true(hex_parse(s, strlen(s), key, SECP_KEY_SZ));
}

static inline struct address
get_address(const json_t *v, const char *name)
{
	const char *s = vec_text(v, name);
	struct address a;

	assert_true(address_parse(s, strlen(s), &a));
	return a;
}

static inline void
get_asset(const char *text, struct pm_asset *a)
{
	struct pm_token t;

	assert_true(pm_token_parse(text, strlen(text), &t));
	pm_asset_init(a, t.w);
	assert_string_equal(a->text, text);
}

static inline enum pm_tif
tif_of(const char *s)
{
	for (enum pm_tif t = PM_GTC; t < PM_TIF_N; t++)
		if (strcmp(s, pm_tif_name(t)) == 0)
			return t;
	fail_msg("time in force %s", s);
	return PM_TIF_N;
}

static inline enum side
side_of(const json_t *v)
{
	return strcmp(vec_text(v, "side"), "BUY") == 0 ? SIDE_BID : SIDE_ASK;
}

#endif
