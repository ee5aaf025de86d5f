/*
 * Orders, fills and positions as Hyperliquid writes them.
 */
#include <string.h>

#include "libcore/hash.h"
#include "libsign/hex.h"
#include "libsign/hl_num.h"
#include "simvenue/hl_desk.h"
#include "simvenue/put.h"
#include "simvenue/venue.h"

#define NS_PER_MS_U UINT64_C(1000000)

static void
put_usd(struct text *t, const char *name, usd_t usd)
{
	put_dec(t, name, usd.e6 * 100, 1);
}

static void
put_cloid(struct text *t, bool has, const uint8_t cloid[16])
{
	char buf[HL_CLOID_TEXT_MAX];

	if (!has)
		return;
	hl_cloid_text(cloid, buf);
	put_str(t, "cloid", buf);
}

void
hl_say_user(const struct hlx *x, uint32_t account, struct text *t)
{
	struct address who;

	memcpy(who.b, x->account[account].address, sizeof(who.b));
	put_lower(t, &who);
}

static const char *
side_text(unsigned side)
{
	return side == SIDE_BID ? "B" : "A";
}

static void
put_order(struct text *t, const struct hlx *x, const struct hlx_order *o)
{
	text_lit(t, "{\"coin\":\"");
	text_lit(t, x->coin[o->coin].terms.name);
	text_lit(t, "\"");
	put_str(t, "side", side_text(o->side));
	put_dec(t, "limitPx", o->px.e8, 1);
	put_dec(t, "sz", o->left.e8, 1);
	put_int(t, "oid", o->oid);
	put_int(t, "timestamp", o->created_ns / NS_PER_MS_U);
	put_dec(t, "origSz", o->qty.e8, 1);
}

void
hl_say_order_update(const struct hlx *x, uint32_t order, struct text *t)
{
	const struct hlx_order *o = &x->order[order];

	text_lit(t, "{\"order\":");
	put_order(t, x, o);
	put_cloid(t, o->has_cloid, o->cloid);
	text_lit(t, "}");
	put_str(t, "status", hlx_status_text(o));
	put_int(t, "statusTimestamp", o->status_ns / NS_PER_MS_U);
	text_lit(t, "}");
}

void
hl_say_open_order(
    const struct hlx *x, uint32_t order, bool frontend, struct text *t)
{
	static const char *const tifs[HLX_TIF_N] = {
	    [HLX_ALO] = "Alo",
	    [HLX_IOC] = "Ioc",
	    [HLX_GTC] = "Gtc",
	};
	const struct hlx_order *o = &x->order[order];

	put_order(t, x, o);
	put_cloid(t, o->has_cloid, o->cloid);
	if (frontend) {
		put_str(t, "orderType", "Limit");
		put_str(t, "tif", tifs[o->tif]);
		put_key(t, "reduceOnly");
		text_lit(t, o->reduce_only ? "true" : "false");
		text_lit(t, ",\"isTrigger\":false,\"triggerPx\":\"0.0\","
			    "\"triggerCondition\":\"N/A\","
			    "\"isPositionTpsl\":false,\"children\":[]");
	}
	text_lit(t, "}");
}

/* For people only; clients must not branch on it. */
static const char *
direction(const struct hlx_fill *f)
{
	int64_t after =
	    f->start.e8 + (f->side == SIDE_BID ? f->qty.e8 : -f->qty.e8);

	if (f->start.e8 >= 0 && f->side == SIDE_BID)
		return "Open Long";
	if (f->start.e8 <= 0 && f->side == SIDE_ASK)
		return "Open Short";
	if (f->start.e8 > 0)
		return after < 0 ? "Long > Short" : "Close Long";
	return after > 0 ? "Short > Long" : "Close Short";
}

void
hl_say_fill(const struct hlx *x, const struct hlx_fill *f, struct text *t)
{
	uint8_t hash[32];
	char hex[2 * sizeof(hash) + 1];

	for (size_t i = 0; i < sizeof(hash); i += 8) {
		uint64_t v = hash_u64(f->tid, i);

		memcpy(hash + i, &v, sizeof(v));
	}
	*hex_put(hex, hash, sizeof(hash)) = '\0';
	text_lit(t, "{\"coin\":\"");
	text_lit(t, x->coin[f->coin].terms.name);
	text_lit(t, "\"");
	put_dec(t, "px", f->px.e8, 1);
	put_dec(t, "sz", f->qty.e8, 1);
	put_str(t, "side", side_text(f->side));
	put_int(t, "time", f->ns / NS_PER_MS_U);
	put_dec(t, "startPosition", f->start.e8, 1);
	put_str(t, "dir", direction(f));
	put_usd(t, "closedPnl", f->closed);
	text_lit(t, ",\"hash\":\"0x");
	text_lit(t, hex);
	text_lit(t, "\"");
	put_int(t, "oid", f->oid);
	put_key(t, "crossed");
	text_lit(t, f->crossed ? "true" : "false");
	put_usd(t, "fee", f->fee);
	put_int(t, "tid", f->tid);
	put_cloid(t, f->has_cloid, f->cloid);
	if (f->oid == 0) {
		put_key(t, "liquidation");
		text_lit(t, "{\"liquidatedUser\":\"");
		hl_say_user(x, f->liquidated, t);
		text_lit(t, "\"");
		put_dec(t, "markPx", f->px.e8, 1);
		text_lit(t, ",\"method\":\"market\"}");
	}
	text_lit(t, ",\"feeToken\":\"USDC\",\"twapId\":null}");
}

void
hl_say_funded(const struct hlx *x, const struct hlx_funding *f, struct text *t)
{
	put_str(t, "coin", x->coin[f->coin].terms.name);
	put_usd(t, "usdc", f->usd);
	put_dec(t, "szi", f->qty.e8, 1);
	put_dec(t, "fundingRate", f->rate_e12 / 10000, 1);
	text_lit(t, ",\"nSamples\":null");
}

void
hl_say_funding(const struct hlx *x, const struct hlx_funding *f, struct text *t)
{
	text_lit(t, "{\"time\":");
	put_i64(t, (int64_t)(f->ns / NS_PER_MS_U));
	hl_say_funded(x, f, t);
	text_lit(t, "}");
}

static void
put_position(
    struct text *t, const struct hlx *x, uint32_t account, uint32_t coin)
{
	const struct position *p = &x->account[account].pos[coin];
	const struct hlx_funded *f = &x->account[account].funded[coin];
	const struct hlx_coin *c = &x->coin[coin];
	usd_t value = usd_notional_ceil(
	    c->mark, QTY(p->qty.e8 < 0 ? -p->qty.e8 : p->qty.e8));

	text_lit(t, "{\"type\":\"oneWay\",\"position\":{\"coin\":\"");
	text_lit(t, c->terms.name);
	text_lit(t, "\"");
	put_dec(t, "szi", p->qty.e8, 1);
	text_lit(t, ",\"leverage\":{\"type\":\"cross\",\"value\":");
	put_i64(t, hlx_leverage(x, account, coin));
	text_lit(t, "}");
	put_dec(t, "entryPx", position_avg(p).e8, 1);
	put_usd(t, "positionValue", value);
	put_usd(t, "unrealizedPnl", position_unrealised(p, c->mark));
	text_lit(t, ",\"returnOnEquity\":\"0.0\",\"liquidationPx\":null");
	put_usd(
	    t, "marginUsed", USD(value.e6 / hlx_leverage(x, account, coin)));
	put_int(t, "maxLeverage", c->terms.leverage);
	/* What was paid is positive here. */
	text_lit(t, ",\"cumFunding\":{\"allTime\":\"");
	put_e8(t, -f->ever.e6 * 100, 1);
	text_lit(t, "\"");
	put_usd(t, "sinceOpen", USD(-f->since_open.e6));
	put_usd(t, "sinceChange", USD(-f->since_change.e6));
	text_lit(t, "}}}");
}

static void
put_summary(
    struct text *t, const char *name, const struct hlx *x, uint32_t account)
{
	usd_t ntl = USD(0);
	usd_t used = USD(0);

	for (uint32_t i = 0; i < HLX_COINS; i++) {
		int64_t q = x->account[account].pos[i].qty.e8;

		if (!x->coin[i].used || q == 0)
			continue;
		usd_t v =
		    usd_notional_ceil(x->coin[i].mark, QTY(q < 0 ? -q : q));

		ntl.e6 += v.e6;
		used.e6 += v.e6 / hlx_leverage(x, account, i);
	}
	text_lit(t, "\"");
	text_lit(t, name);
	text_lit(t, "\":{\"accountValue\":\"");
	put_e8(t, hlx_value(x, account).e6 * 100, 1);
	text_lit(t, "\"");
	put_usd(t, "totalNtlPos", ntl);
	put_usd(t, "totalRawUsd", USD(hlx_value(x, account).e6 - ntl.e6));
	put_usd(t, "totalMarginUsed", used);
	text_lit(t, "}");
}

void
hl_say_state(
    const struct hlx *x, uint32_t account, uint64_t now_ns, struct text *t)
{
	int64_t free_e6 = hlx_value(x, account).e6 - hlx_margin(x, account).e6;
	bool any = false;

	text_lit(t, "{");
	put_summary(t, "marginSummary", x, account);
	text_lit(t, ",");
	put_summary(t, "crossMarginSummary", x, account);
	put_usd(t, "crossMaintenanceMarginUsed",
	    USD(hlx_margin(x, account).e6 / 2));
	put_usd(t, "withdrawable", USD(i64_max(free_e6, 0)));
	put_key(t, "assetPositions");
	text_lit(t, "[");
	for (uint32_t i = 0; i < HLX_COINS; i++) {
		if (x->account[account].pos[i].qty.e8 == 0)
			continue;
		if (any)
			text_lit(t, ",");
		any = true;
		put_position(t, x, account, i);
	}
	text_lit(t, "]");
	put_int(t, "time", now_ns / NS_PER_MS_U);
	text_lit(t, "}");
}

px_t
hl_mid(const struct hlx *x, uint32_t coin)
{
	const struct hlx_coin *c = &x->coin[coin];
	const struct match_level *bid = match_level(&c->match, SIDE_BID, 0);
	const struct match_level *ask = match_level(&c->match, SIDE_ASK, 0);

	return bid == NULL || ask == NULL ? c->mark
					  : PX((bid->px.e8 + ask->px.e8) / 2);
}

void
hl_say_ctx(const struct hlx *x, uint32_t coin, struct text *t)
{
	const struct hlx_coin *c = &x->coin[coin];
	px_t mid = hl_mid(x, coin);

	text_lit(t, "{\"funding\":\"");
	put_e8(t, c->funding_e12 / 10000, 1);
	text_lit(t, "\"");
	put_dec(t, "openInterest", hlx_open_interest(x, coin).e8, 1);
	put_dec(t, "prevDayPx", c->first.e8, 1);
	put_dec(t, "dayNtlVlm", c->traded_usd.e6 * 100, 1);
	put_dec(t, "premium",
	    i64_mul_div(mid.e8 - c->oracle.e8, E8, c->oracle.e8), 1);
	put_dec(t, "oraclePx", c->oracle.e8 / E8 * E8, 1);
	put_dec(t, "markPx", c->mark.e8 / E8 * E8, 1);
	put_dec(t, "midPx", mid.e8, 1);
	text_lit(t, ",\"impactPxs\":null");
	put_dec(t, "dayBaseVlm", c->traded.e8, 1);
	text_lit(t, "}");
}

void
hl_say_history(const struct hlx *x, uint32_t order, struct text *t)
{
	const struct hlx_order *o = &x->order[order];

	text_lit(t, "{\"order\":");
	hl_say_open_order(x, order, true, t);
	put_str(t, "status", hlx_status_text(o));
	put_int(t, "statusTimestamp", o->status_ns / NS_PER_MS_U);
	text_lit(t, "}");
}

void
hl_say_asset(
    const struct hlx *x, uint32_t account, uint32_t coin, struct text *t)
{
	const struct hlx_coin *c = &x->coin[coin];
	int64_t lev = hlx_leverage(x, account, coin);
	int64_t free_e6 =
	    i64_max(hlx_value(x, account).e6 - hlx_margin(x, account).e6, 0);
	struct hl_grid grid = {.sz_decimals = (uint8_t)c->terms.sz_decimals};
	qty_t most = hl_qty_floor(
	    &grid, QTY(i64_mul_div(free_e6 * 100, lev * E8, c->mark.e8)));

	text_lit(t, "\"leverage\":{\"type\":\"cross\",\"value\":");
	put_i64(t, lev);
	text_lit(t, "},\"maxTradeSzs\":[\"");
	put_e8(t, most.e8, 1);
	text_lit(t, "\",\"");
	put_e8(t, most.e8, 1);
	text_lit(t, "\"],\"availableToTrade\":[\"");
	put_e8(t, free_e6 * 100, 1);
	text_lit(t, "\",\"");
	put_e8(t, free_e6 * 100, 1);
	text_lit(t, "\"]");
	put_dec(t, "markPx", c->mark.e8 / E8 * E8, 1);
}

static void
put_levels(
    struct text *t, const struct match *m, enum side side, uint32_t depth)
{
	text_lit(t, "[");
	for (uint32_t i = 0; i < depth; i++) {
		const struct match_level *l = match_level(m, side, i);

		if (l == NULL)
			break;
		text_lit(t, i == 0 ? "{\"px\":\"" : ",{\"px\":\"");
		put_e8(t, l->px.e8, 1);
		text_lit(t, "\"");
		put_dec(t, "sz", l->qty.e8, 1);
		put_int(t, "n", l->order_n);
		text_lit(t, "}");
	}
	text_lit(t, "]");
}

void
hl_say_book(const struct hlx *x, uint32_t coin, uint32_t depth, uint64_t now_ns,
    struct text *t)
{
	const struct hlx_coin *c = &x->coin[coin];

	text_lit(t, "{\"coin\":\"");
	text_lit(t, c->terms.name);
	text_lit(t, "\"");
	put_int(t, "time", now_ns / NS_PER_MS_U);
	put_key(t, "levels");
	text_lit(t, "[");
	put_levels(t, &c->match, SIDE_BID, depth);
	text_lit(t, ",");
	put_levels(t, &c->match, SIDE_ASK, depth);
	text_lit(t, "]}");
}
