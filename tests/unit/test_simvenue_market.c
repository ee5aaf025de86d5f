/* links: simvenue libvenue libsign libsys libshm libcore */
/*
 * Markets of every kind of signature on the live world, accounts of every
 * signature type, and many more logins than there used to be room for.
 */
#include "tests/unit/livesay.h"

#include "libsign/pm_v1.h"

static void
kinds(struct world_cfg *cfg)
{
	static const struct world_series quiet[3] = {
	    {"quiet-third", 0, WORLD_V3},
	    {"quiet-first", 0, WORLD_V1},
	    {"quiet-risk", 0, WORLD_NEG_RISK},
	};

	cfg->quiet_n = 3;
	memcpy(cfg->quiet, quiet, sizeof(quiet));
}

static int
setup_kinds(void **arg)
{
	kit_cfg = kinds;
	return setup(arg);
}

static const struct world_window *
market(const char *slug)
{
	const struct world_window *v =
	    world_window_find(&l->w, slug, strlen(slug));

	assert_non_null(v);
	return v;
}

static uint64_t salts;

/* An order of the newer exchanges for ten of the first token at 0.30. */
static void
order_on(const char *slug, enum pm_generation g, bool neg_risk, uint8_t type)
{
	const struct person *p = &people[0];
	struct pm_account who = {
	    .maker = p->who, .signer = p->who, .sig_type = type};
	struct pm_asset asset;
	struct pm_order o = {.salt = pm_salt(++salts),
	    .asset = &asset,
	    .side = SIDE_BID,
	    .tif = PM_GTC,
	    .timestamp_ms = l->w.now_ns / 1000000u};
	struct pm_template tpl;
	struct pm_exchange x;
	struct pm_signed s;
	char text[PM_BODY_MAX];

	memcpy(who.owner, p->key, sizeof(p->key));
	if (type != PM_SIG_EOA)
		who.maker.b[0] = (uint8_t)(0x40 + type);
	if (type == PM_SIG_DEPOSIT_WALLET)
		who.signer = who.maker;
	assert_true(pm_exchange_init(&x, g, neg_risk, PM_CHAIN_POLYGON));
	assert_true(pm_template_init(&tpl, &x, &who));
	pm_asset_init(&asset, market(slug)->terms.token[0].w);
	assert_true(pm_limit_amounts(SIDE_BID, 3000, 1000, &o.amounts));
	assert_true(pm_order_sign(&tpl, &secp, keys[0], &o, &s));
	pm_order_body(&tpl, &o, &s, text);
	call2(p, "POST", "/order", text);
}

static void
order_v1(const char *slug, uint8_t type, bool is_forged)
{
	const struct person *p = &people[0];
	struct pm_asset asset;
	struct pm_v1_order o = {.salt = pm_salt(++salts),
	    .maker = p->who,
	    .signer = p->who,
	    .asset = &asset,
	    .side = SIDE_BID,
	    .sig_type = type};
	struct pm_v1_post post = {.owner = p->key, .tif = PM_GTC};
	struct pm_exchange x;
	struct pm_signed s;
	char text[PM_BODY_MAX];

	if (type != PM_SIG_EOA)
		o.maker.b[0] = (uint8_t)(0x40 + type);
	assert_true(
	    pm_exchange_init(&x, PM_EXCHANGE_V1, false, PM_CHAIN_POLYGON));
	pm_asset_init(&asset, market(slug)->terms.token[0].w);
	assert_true(pm_limit_amounts(SIDE_BID, 3000, 1000, &o.amounts));
	assert_true(pm_v1_sign(&x, &secp, keys[is_forged], &o, &s));
	pm_v1_body(&o, &s, &post, text);
	call2(p, "POST", "/order", text);
}

static void
every_kind_takes_its_own_signatures(void **arg)
{
	static const struct {
		const char *slug;
		enum pm_generation g;
		bool neg_risk;
	} own[] = {{"quiet-market", PM_EXCHANGE_V2, false},
	    {"quiet-risk", PM_EXCHANGE_V2, true},
	    {"quiet-third", PM_EXCHANGE_V3, false}};

	(void)arg;
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < 3; k++)
			for (uint8_t t = 0; t < PM_SIG_N; t++) {
				order_on(
				    own[i].slug, own[k].g, own[k].neg_risk, t);
				says(i == k ? "\"status\":\"live\""
					    : "invalid signature");
			}
	for (uint8_t t = 0; t < PM_SIG_DEPOSIT_WALLET; t++) {
		order_v1("quiet-first", t, false);
		says("\"status\":\"live\"");
		order_v1("quiet-first", t, true);
		says("invalid signature");
		order_v1("quiet-market", t, false);
		says("order_version_mismatch");
	}
	order_on("quiet-first", PM_EXCHANGE_V2, false, PM_SIG_EOA);
	says("order_version_mismatch");
}

static void
gamma_tells_them_apart(void **arg)
{
	(void)arg;
	call(VENUE_POLYMARKET, "GET", "/markets/slug/quiet-third", NULL, "");
	says("\"version\":\"v2\"");
	says("\"positionIds\":[\"");
	assert_null(strstr(body, "clobTokenIds"));
	call(VENUE_POLYMARKET, "GET", "/markets/slug/quiet-risk", NULL, "");
	says("\"version\":\"v1\"");
	says("\"negRisk\":true");
	call(VENUE_POLYMARKET, "GET", "/markets/slug/quiet-market", NULL, "");
	says("\"negRisk\":false");
}

/* A thousand people, each found again; one more has no room. */
static void
a_thousand_logins(void **arg)
{
	struct live_account a = {.usd = USD(100 * E6)};
	uint32_t room = DESK_LOGINS - l->w.pm_desk.login_n;

	(void)arg;
	assert_true(room > 900);
	for (uint32_t i = 0; i < room; i++) {
		memcpy(a.who.b, &i, sizeof(i));
		a.who.b[19] = 0x77;
		assert_true(live_fund(l, &a));
	}
	for (uint32_t i = 0; i < room; i++) {
		const struct desk_login *who;
		uint32_t account;

		memcpy(a.who.b, &i, sizeof(i));
		account = desk_account(
		    &l->w.pm_desk, &a.who, PM_SIG_EOA, NULL, a.usd);
		who =
		    &l->w.pm_desk.login[desk_login_of(&l->w.pm_desk, account)];
		assert_true(address_eq(&who->address, &a.who));
		assert_int_equal(l->w.pmx.account[account].usd.own, a.usd.e6);
		account = hlx_account_find(&l->w.hlx, a.who.b);
		assert_true(account != HLX_NONE);
		assert_true(l->w.hl_desk.is_client[account]);
	}
	a.who.b[18] = 1;
	assert_false(live_fund(l, &a));
	order_on("quiet-market", PM_EXCHANGE_V2, false, PM_SIG_EOA);
	says("\"status\":\"live\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_kind_takes_its_own_signatures),
	    cmocka_unit_test(gamma_tells_them_apart),
	    cmocka_unit_test(a_thousand_logins),
	};
	return cmocka_run_group_tests(tests, setup_kinds, teardown);
}
