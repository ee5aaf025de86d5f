/* links: libvenue libcore */
/*
 * bench_reference - nanoseconds a message of Polymarket's reference data,
 * ours and simdjson's, in one run; see bench_decode.
 *
 * A trade print, a PolyBolt update, the terse market of /clob-markets and a
 * Gamma page of three markets. The last two are no hot path: they are here
 * so that nobody has to guess what a poll of a hundred markets costs.
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libvenue/clob_market.h"
#include "libvenue/gamma.h"
#include "libvenue/polybolt.h"
#include "libvenue/polymarket.h"
#include "tests/bench/bench_compare.h"
#include "tests/bench/bench_reference.h"

#define PAGE_MARKETS 3

static struct pm_event pm;
static struct polybolt_event bolt;

static uint64_t
token(const struct pm_token *t)
{
	return t->w[0] + t->w[3];
}

static uint64_t
cond(const struct pm_cond *c)
{
	return (uint64_t)(c->b[0] + c->b[31]);
}

static uint64_t
ours_pm_trade(const char *text, size_t n)
{
	struct pm_frame f;

	pm_frame_init(&f, text, n);
	if (pm_next(&f, &pm) != PM_TRADE)
		return 0;
	return cond(&pm.market) + token(&pm.token) + (uint64_t)pm.px.tok_e8 +
	       (uint64_t)pm.qty.e8 + (pm.side == SIDE_BID) +
	       (uint64_t)pm.venue_ns + pm.type_text.n;
}

static uint64_t
ours_polybolt(const char *text, size_t n)
{
	if (polybolt_decode(&bolt, text, n) != POLYBOLT_PRICE)
		return 0;
	return bolt.seq + (uint64_t)bolt.price.sent_ns +
	       strlen(bolt.price.symbol) +
	       (uint64_t)bolt.price.points[0].px.e8 +
	       (uint64_t)bolt.price.points[0].venue_ns;
}

static uint64_t
ours_terse(const char *text, size_t n)
{
	struct clob_answer a;
	struct clob_market m;

	clob_init(&a, text, n);
	if (clob_next(&a, &m) != CLOB_MARKET)
		return 0;
	return cond(&m.cond) + token(&m.yes.id) + token(&m.no.id) +
	       (uint64_t)m.tick.tok_e8 + (uint64_t)m.min_size.e8 + m.neg_risk +
	       m.maker_base_fee + m.taker_base_fee + (uint64_t)m.fee_rate_e8 +
	       m.fee_exponent + m.fee_taker_only + m.accepting_orders +
	       (uint64_t)m.accepting_ns + m.seconds_delay +
	       m.clear_book_on_start + m.rfq + m.taker_delayed +
	       m.order_age_min_s;
}

static uint64_t
ours_gamma(const char *text, size_t n)
{
	struct gamma_answer g;
	struct gamma_market m;
	uint64_t sum = 0;

	gamma_init(&g, text, n);
	while (gamma_next(&g, &m) == GAMMA_MARKET)
		sum += m.id.n + m.slug.n + m.question.n + m.description.n +
		       cond(&m.cond) + token(&m.yes) + token(&m.no) + m.active +
		       m.closed + m.neg_risk + m.accepting_orders +
		       m.enable_order_book + (uint64_t)m.tick.tok_e8 +
		       (uint64_t)m.min_size.e8 + (uint64_t)m.liquidity.e6 +
		       (uint64_t)m.volume_day.e6 + (uint64_t)m.listed_ns +
		       (uint64_t)m.start_ns + (uint64_t)m.end_ns +
		       (uint64_t)m.fee_rate_e8 + m.fee_exponent +
		       (uint64_t)m.rebate_rate_e8 + (uint64_t)m.yes_px.e8 +
		       (uint64_t)m.reward_min_size.e8 + m.event.id.n +
		       m.event.series_slug.n;
	return sum + g.next_cursor.n;
}

/* ---- messages ---- */

#define MARKET \
	"0x5d1c0a8e7f3b24961827364554637281908fa0b1c2d3e4f5061728394a5b6c7d"
#define TOKEN_A                                                                \
	"27448765958169370376840659891253135070283440064149054119528661558586" \
	"854112636"
#define TOKEN_B                                                                \
	"91142423701454842861191578505872031960783126619422886989052065939254" \
	"328921955"

static size_t
make_pm_trade(char *buf)
{
	return (size_t)snprintf(buf, FRAME_MAX,
	    "{\"market\":\"" MARKET "\",\"asset_id\":\"" TOKEN_A
	    "\",\"price\":\"0.51\",\"size\":\"14.02\",\"fee_rate_bps\":\"0\","
	    "\"side\":\"BUY\",\"timestamp\":\"1790232236546\","
	    "\"event_type\":\"last_trade_price\",\"transaction_hash\":"
	    "\"0x876310b8e67cacf110abdd4106438968c55f2cce795c13c3c7a0896fc4af"
	    "730d\"}");
}

static size_t
make_polybolt(char *buf)
{
	return (size_t)snprintf(buf, FRAME_MAX,
	    "{\"v\":1,\"channel\":\"price.crypto.twap\",\"seq\":2,"
	    "\"ts\":1790000001101,\"payload\":{\"symbol\":\"btcusd\","
	    "\"value\":61165.01,\"full_accuracy_value\":"
	    "\"61165010000000000000000\",\"timestamp\":1790000001000,"
	    "\"source\":\"chainlink\"}}");
}

static size_t
make_terse(char *buf)
{
	return (size_t)snprintf(buf, FRAME_MAX,
	    "{\"c\":\"" MARKET "\",\"t\":[{\"t\":\"" TOKEN_A
	    "\",\"o\":\"Up\"},{\"t\":\"" TOKEN_B "\",\"o\":\"Down\"}],"
	    "\"mts\":0.01,\"mos\":5,\"nr\":false,\"mbf\":1000,\"tbf\":1000,"
	    "\"fd\":{\"r\":0.07,\"e\":1,\"to\":true},\"ao\":true,"
	    "\"aot\":\"2026-03-11T09:27:55Z\",\"sd\":3,\"gst\":null,"
	    "\"cbos\":false,\"rfqe\":false,\"itode\":true,\"oas\":4}");
}

#define DESCRIPTION                                                           \
	"This market will resolve to \\\"Up\\\" if the Bitcoin price at the " \
	"end of the time range is greater than or equal to the price at the " \
	"beginning of that range. Otherwise, it will resolve to \\\"Down\\\"."

static size_t
make_gamma(char *buf)
{
	size_t n = (size_t)snprintf(buf, FRAME_MAX, "{\"markets\":[");

	for (int i = 0; i < PAGE_MARKETS; i++)
		n += (size_t)snprintf(buf + n, FRAME_MAX - n,
		    "%s{\"id\":\"155755%d\",\"question\":\"Bitcoin Up or Down"
		    "\",\"conditionId\":\"" MARKET "\",\"slug\":"
		    "\"btc-updown-5m-1773307200\",\"resolutionSource\":"
		    "\"https://data.chain.link/streams/btc-usd\","
		    "\"endDate\":\"2026-03-12T09:25:00Z\",\"startDate\":"
		    "\"2026-03-11T09:29:01.328428Z\",\"image\":"
		    "\"https://example.org/BTC.png\",\"icon\":"
		    "\"https://example.org/BTC.png\",\"description\":"
		    "\"" DESCRIPTION "\",\"outcomes\":"
		    "\"[\\\"Up\\\", \\\"Down\\\"]\",\"outcomePrices\":"
		    "\"[\\\"0.505\\\", \\\"0.495\\\"]\",\"active\":true,"
		    "\"closed\":false,\"enableOrderBook\":true,"
		    "\"orderPriceMinTickSize\":0.01,\"orderMinSize\":5,"
		    "\"liquidityNum\":20328.3747,\"volume24hr\":9.999997,"
		    "\"clobTokenIds\":\"[\\\"" TOKEN_A "\\\", \\\"" TOKEN_B
		    "\\\"]\",\"acceptingOrders\":true,\"negRisk\":false,"
		    "\"events\":[{\"id\":\"260654\",\"title\":\"Bitcoin\","
		    "\"seriesSlug\":\"btc-up-or-down-5m\"}],"
		    "\"rewardsMinSize\":50,\"eventStartTime\":"
		    "\"2026-03-12T09:20:00Z\",\"feeSchedule\":{\"rate\":0.07,"
		    "\"exponent\":1,\"takerOnly\":true,\"rebateRate\":0.2}}",
		    i == 0 ? "" : ",", i);
	return n + (size_t)snprintf(
		       buf + n, FRAME_MAX - n, "],\"next_cursor\":\"MTAw\"}");
}

int
main(void)
{
	bool ok = bench_compare("decode_pm_trade", ours_pm_trade,
	    reference_pm_trade, make_pm_trade);

	ok &= bench_compare("decode_polybolt_update", ours_polybolt,
	    reference_polybolt, make_polybolt);
	ok &= bench_compare(
	    "decode_clob_market", ours_terse, reference_terse, make_terse);
	ok &= bench_compare(
	    "decode_gamma_page_3", ours_gamma, reference_gamma, make_gamma);
	return ok ? 0 : 1;
}
