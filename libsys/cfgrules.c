/* What must hold between keys of a configuration. */
#define _GNU_SOURCE
#include <string.h>

#include "libcore/check.h"
#include "libsys/cfgfile_int.h"
#include "libsys/clock.h"

/* Pairs of one type: a below b, or at most b. */
static const struct {
	uint16_t a;
	uint16_t b;
	bool equal_ok;
} ordered[] = {
#define BELOW(a, b)                             \
	{                                       \
		CFG_KEY_##a, CFG_KEY_##b, false \
	}
#define AT_MOST(a, b)                          \
	{                                      \
		CFG_KEY_##a, CFG_KEY_##b, true \
	}
    BELOW(latency_excellent_ms, latency_good_ms),
    BELOW(latency_resume_ms, latency_kill_switch_ms),
    AT_MOST(latency_ping_interval, latency_pong_overdue),
    AT_MOST(feed_reconnect_min, feed_reconnect_max),
    BELOW(mm_target_spread, mm_max_spread),
    AT_MOST(mm_gamma_risk_aversion, mm_gamma_max),
    AT_MOST(perp_min_spread_bps, perp_spread_bps),
    AT_MOST(perp_spread_bps, perp_max_spread_bps),
    AT_MOST(perp_order_usd, perp_inventory_limit_usd),
    BELOW(vol_floor, vol_cap),
    AT_MOST(vol_sample, vol_ema_halflife),
    BELOW(vol_ema_halflife, vol_baseline_window),
    AT_MOST(state_close_window_threshold_hours, state_watch_threshold_hours),
    BELOW(updown_min_time_to_expiry, updown_max_time_to_expiry),
    BELOW(updown_stop_quote_s, updown_max_time_to_expiry),
    AT_MOST(risk_market_exposure_frac, risk_total_exposure_frac),
    AT_MOST(risk_max_orders_per_s_market, risk_max_orders_per_s),
    BELOW(supervisor_dead_ms, supervisor_orphan_timeout),
    AT_MOST(supervisor_backoff_min, supervisor_backoff_max),
    AT_MOST(exec_fill_poll_s, exec_reconcile_s),
    BELOW(exec_paper_latency, exec_order_timeout),
#undef BELOW
#undef AT_MOST
};

static int64_t
value_of(const struct cfg *c, size_t key)
{
	const struct cfg_key *k = cfg_key_at(key);
	int64_t v;

	CHECK(k->sz == sizeof(v));
	memcpy(&v, (const char *)c + k->offset, sizeof(v));
	return v;
}

static void
check_ordered(struct cfg_load *l)
{
	char at[CFGFILE_ORIGIN_SZ];
	char ta[CFG_TEXT_SZ];
	char tb[CFG_TEXT_SZ];

	for (size_t i = 0; i < sizeof(ordered) / sizeof(ordered[0]); i++) {
		size_t a = ordered[i].a;
		size_t b = ordered[i].b;
		size_t blame = l->origin[a].from > l->origin[b].from ? a : b;
		int64_t gap = value_of(&l->cfg, b) - value_of(&l->cfg, a);
		const struct cfg_key *ka = cfg_key_at(a);
		const struct cfg_key *kb = cfg_key_at(b);

		CHECK(ka->type == kb->type);
		if (gap > 0 || (gap == 0 && ordered[i].equal_ok))
			continue;
		if (l->origin[a].from == l->origin[b].from)
			blame = l->origin[a].line > l->origin[b].line ? a : b;
		cfg_text(&l->cfg, a, ta);
		cfg_text(&l->cfg, b, tb);
		cfgload_error(l, "%s: %s.%s (%s) must be %s %s.%s (%s)",
		    cfgfile_origin(l, blame, at), ka->group, ka->name, ta,
		    ordered[i].equal_ok ? "at most" : "below", kb->group,
		    kb->name, tb);
	}
}

/* The limits of a venue, its own or the common ones. */
static void
check_venues(struct cfg_load *l)
{
	static const uint16_t keys[VENUE_N][2] = {
	    [VENUE_POLYMARKET] = {CFG_KEY_latency_resume_polymarket_ms,
		CFG_KEY_latency_kill_switch_polymarket_ms},
	    [VENUE_BINANCE] = {CFG_KEY_latency_resume_binance_ms,
		CFG_KEY_latency_kill_switch_binance_ms},
	    [VENUE_HYPERLIQUID] = {CFG_KEY_latency_resume_hyperliquid_ms,
		CFG_KEY_latency_kill_switch_hyperliquid_ms},
	};
	char at[CFGFILE_ORIGIN_SZ];

	for (int v = VENUE_POLYMARKET; v < VENUE_N; v++) {
		int64_t resume = cfg_resume_ns(&l->cfg, (enum venue)v);
		int64_t kill = cfg_kill_switch_ns(&l->cfg, (enum venue)v);
		size_t own = l->origin[keys[v][0]].from != CFG_FROM_DEFAULT
				 ? keys[v][0]
				 : keys[v][1];

		if (resume < kill || (value_of(&l->cfg, keys[v][0]) == 0 &&
					 value_of(&l->cfg, keys[v][1]) == 0))
			continue;
		cfgload_error(l,
		    "%s: %s would resume trading at %lld ms, which is not "
		    "below its kill switch at %lld ms",
		    cfgfile_origin(l, own, at), venue_name((enum venue)v),
		    (long long)(resume / NS_PER_MS),
		    (long long)(kill / NS_PER_MS));
	}
}

static bool
is_local(const char *url)
{
	static const char *const hosts[] = {"localhost", "127.", "[::1]"};
	const char *host = strstr(url, "://");

	CHECK(host != NULL);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		size_t n = strlen(hosts[i]);

		if (strncmp(host + 3, hosts[i], n) != 0)
			continue;
		if (hosts[i][n - 1] == '.')
			return strspn(host + 3, "0123456789.") ==
			       strcspn(host + 3, ":/?");
		return strchr(":/?", host[3 + n]) != NULL;
	}
	return false;
}

static bool
venue_enabled(const struct cfg *c, const char *group)
{
	if (strcmp(group, "polymarket") == 0)
		return c->polymarket_enabled;
	if (strcmp(group, "binance") == 0)
		return c->binance_enabled;
	return c->hyperliquid_enabled;
}

static bool
is_encrypted(const char *url)
{
	return strncmp(url, "wss:", 4) == 0 || strncmp(url, "https:", 6) == 0;
}

static bool
sends_orders(const struct cfg *c)
{
	return c->system_mode == MODE_SIM || c->system_mode == MODE_LIVE;
}

/* Of the two price sockets one is used at most; the user channel where orders
 * leave; nothing of a venue that is off. */
bool
cfgfile_url_used(const struct cfg *c, size_t i)
{
	const struct cfg_key *k = cfg_key_at(i);
	const char *url = (const char *)c + k->offset;
	int32_t stream = c->polymarket_price_stream;

	CHECK(k->type == CFG_URL);
	if (url[0] == '\0' || !venue_enabled(c, k->group))
		return false;
	if (i == CFG_KEY_polymarket_polybolt_url)
		return stream == CFG_PRICE_STREAM_POLYBOLT;
	if (i == CFG_KEY_polymarket_rtds_url)
		return stream == CFG_PRICE_STREAM_RTDS;
	if (i == CFG_KEY_polymarket_user_url)
		return sends_orders(c);
	return true;
}

/* sim never leaves the machine; live against this machine, or in the clear,
 * is a mistake. Every such address is named. */
static void
check_url(struct cfg_load *l, size_t i)
{
	const struct cfg_key *k = cfg_key_at(i);
	const char *url = (const char *)&l->cfg + k->offset;
	bool local = is_local(url);
	char at[CFGFILE_ORIGIN_SZ];

	cfgfile_origin(l, i, at);
	if (l->cfg.system_mode == MODE_SIM && !local)
		cfgload_error(l,
		    "%s: %s.%s: mode sim stays on this machine, but the "
		    "address is %s",
		    at, k->group, k->name, url);
	if (l->cfg.system_mode != MODE_LIVE)
		return;
	if (local)
		cfgload_error(l,
		    "%s: %s.%s: mode live wants the real venue, but the "
		    "address is on this machine: %s",
		    at, k->group, k->name, url);
	else if (!is_encrypted(url))
		cfgload_error(l,
		    "%s: %s.%s: mode live wants an encrypted address (wss, "
		    "https), not %s",
		    at, k->group, k->name, url);
}

static void
check_urls(struct cfg_load *l)
{
	for (size_t i = 0; i < CFG_KEY_N; i++)
		if (cfg_key_at(i)->type == CFG_URL &&
		    cfgfile_url_used(&l->cfg, i))
			check_url(l, i);
}

static void
check_capital(struct cfg_load *l)
{
	const struct cfg *c = &l->cfg;
	int64_t sum = c->capital_maker_frac.e8 + c->capital_arb_frac.e8 +
		      c->capital_reserve_frac.e8;
	char text[FIXED_TEXT_MAX];
	char at[CFGFILE_ORIGIN_SZ];

	if (sum <= E8)
		return;
	fixed_format(sum, 8, text);
	cfgload_error(l,
	    "%s: capital.maker_frac, arb_frac and reserve_frac sum to %s, "
	    "more than 1",
	    cfgfile_origin(l, CFG_KEY_capital_maker_frac, at), text);
}

/* A permission that ends by itself: one that was forgotten in a file must not
 * let one variable of the environment turn paper into money. */
static void
check_until(struct cfg_load *l)
{
	const char *text = l->cfg.live_until.s;
	char at[CFGFILE_ORIGIN_SZ];
	int64_t until_ns;

	cfgfile_origin(l, CFG_KEY_live_until, at);
	if (!clock_parse_utc(text, &until_ns))
		cfgload_error(l,
		    "%s: live.until: mode live needs the UTC time at which it "
		    "ends, such as 2026-12-31T18:00Z, not \"%s\"",
		    at, text);
	else if (until_ns <= (int64_t)clock_wall_ns())
		cfgload_error(l,
		    "%s: live.until: %s is over; say until when live trading "
		    "is meant",
		    at, text);
}

static void
check_mode(struct cfg_load *l)
{
	const struct cfg *c = &l->cfg;
	char at[CFGFILE_ORIGIN_SZ];

	if (c->system_mode == MODE_LIVE &&
	    strcmp(c->live_confirm.s, CFG_CONFIRM) != 0)
		cfgload_error(l,
		    "%s: system.mode: live needs live.confirm: \"%s\"",
		    cfgfile_origin(l, CFG_KEY_system_mode, at), CFG_CONFIRM);
	if (c->system_mode == MODE_LIVE)
		check_until(l);
	if (!c->polymarket_enabled && !c->binance_enabled &&
	    !c->hyperliquid_enabled)
		cfgload_error(l,
		    "%s: polymarket.enabled, binance.enabled and "
		    "hyperliquid.enabled are all false: there is no market "
		    "data",
		    cfgfile_origin(l, CFG_KEY_hyperliquid_enabled, at));
}

/* n hex digits after an optional 0x, and nothing else. */
static bool
is_hex(const char *s, size_t n, bool needs_0x)
{
	bool has_0x = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');

	s += has_0x ? 2 : 0;
	return has_0x >= needs_0x && strspn(s, "0123456789abcdefABCDEF") == n &&
	       s[n] == '\0';
}

static void
check_address(struct cfg_load *l, size_t i)
{
	const struct cfg_key *k = cfg_key_at(i);
	const char *s = (const char *)&l->cfg + k->offset;
	char at[CFGFILE_ORIGIN_SZ];

	if (s[0] == '\0' || is_hex(s, 40, true))
		return;
	cfgload_error(l,
	    "%s: %s.%s: \"%s\" is no address: 0x and 40 hex digits",
	    cfgfile_origin(l, i, at), k->group, k->name, s);
}

/* A key that was written where its file should be named is not repeated. */
static void
check_key_file(struct cfg_load *l, size_t i)
{
	const struct cfg_key *k = cfg_key_at(i);
	const char *s = (const char *)&l->cfg + k->offset;
	char at[CFGFILE_ORIGIN_SZ];

	if (is_hex(s, 64, false))
		cfgload_error(l,
		    "%s: %s.%s: holds a key, but wants the name of a file "
		    "with it",
		    cfgfile_origin(l, i, at), k->group, k->name);
}

static void
check_account(struct cfg_load *l)
{
	const struct cfg *c = &l->cfg;
	char kind[CFG_TEXT_SZ];
	char at[CFGFILE_ORIGIN_SZ];

	check_key_file(l, CFG_KEY_polymarket_key_file);
	check_key_file(l, CFG_KEY_polymarket_creds_file);
	check_key_file(l, CFG_KEY_hyperliquid_key_file);
	check_address(l, CFG_KEY_polymarket_funder);
	check_address(l, CFG_KEY_hyperliquid_account);
	cfg_text(c, CFG_KEY_polymarket_signature_type, kind);
	if (strcmp(kind, "eoa") == 0 || c->polymarket_funder.s[0] != '\0')
		return;
	cfgload_error(l,
	    "%s: polymarket.signature_type: %s needs polymarket.funder, the "
	    "address that holds the money",
	    cfgfile_origin(l, CFG_KEY_polymarket_signature_type, at), kind);
}

/* execd must have the time to see that it is flat before it is killed. */
static void
check_stop(struct cfg_load *l)
{
	const struct cfg *c = &l->cfg;
	char at[CFGFILE_ORIGIN_SZ];
	char ta[CFG_TEXT_SZ];
	char tb[CFG_TEXT_SZ];

	if (!sends_orders(c) ||
	    c->exec_cancel_timeout.ns < c->supervisor_stop_timeout.ns)
		return;
	cfg_text(c, CFG_KEY_exec_cancel_timeout, ta);
	cfg_text(c, CFG_KEY_supervisor_stop_timeout, tb);
	cfgload_error(l,
	    "%s: exec.cancel_timeout (%s) must be below "
	    "supervisor.stop_timeout (%s), or execd is killed while its "
	    "cancels are on their way",
	    cfgfile_origin(l, CFG_KEY_exec_cancel_timeout, at), ta, tb);
}

void
cfgload_rules(struct cfg_load *l)
{
	char at[CFGFILE_ORIGIN_SZ];
	int64_t east_s;

	check_ordered(l);
	check_venues(l);
	check_capital(l);
	check_urls(l);
	check_mode(l);
	check_account(l);
	check_stop(l);
	if (!cfg_timezone_s(l->cfg.risk_timezone.s, &east_s))
		cfgload_error(l,
		    "%s: risk.timezone: \"%s\" is not UTC or a fixed offset "
		    "such as UTC+2 or UTC-03:30",
		    cfgfile_origin(l, CFG_KEY_risk_timezone, at),
		    l->cfg.risk_timezone.s);
}
