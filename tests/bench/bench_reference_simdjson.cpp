// The reference side of bench_reference: simdjson on demand.
#include "tests/bench/bench_reference.h"

#include <cstring>
#include <simdjson.h>
#include <string_view>

extern "C" {
struct pm_token {
	uint64_t w[4];
};
struct pm_cond {
	uint8_t b[32];
	uint8_t n;
};
bool pm_token_parse(const char *s, size_t n, struct pm_token *out);
bool pm_cond_parse(const char *s, size_t n, struct pm_cond *out);
bool gamma_parse_time(const char *s, size_t n, int64_t *ns);
}

using namespace simdjson;

static_assert(REFERENCE_PADDING >= SIMDJSON_PADDING, "padding");

static ondemand::parser parser;
static ondemand::parser inner;

// Decimal text at 10^places, cut.
static int64_t
scaled(std::string_view s, int places)
{
	int64_t v = 0;
	int after = -1;

	for (char c : s) {
		if (c == '.') {
			after = 0;
			continue;
		}
		if (c < '0' || c > '9')
			break;
		if (after >= places)
			continue;
		v = v * 10 + (c - '0');
		after += after >= 0;
	}
	for (int i = after < 0 ? 0 : after; i < places; i++)
		v *= 10;
	return v;
}

static uint64_t
e8(std::string_view s)
{
	return (uint64_t)scaled(s, 8);
}

static uint64_t
u64(std::string_view s)
{
	return (uint64_t)scaled(s, 0);
}

static uint64_t
token(std::string_view s)
{
	pm_token t{};

	pm_token_parse(s.data(), s.size(), &t);
	return t.w[0] + t.w[3];
}

static uint64_t
market(std::string_view s)
{
	pm_cond c{};

	pm_cond_parse(s.data(), s.size(), &c);
	return c.b[0] + c.b[31];
}

static uint64_t
time_ns(std::string_view s)
{
	int64_t ns = 0;

	gamma_parse_time(s.data(), s.size(), &ns);
	return (uint64_t)ns;
}

static padded_string_view
padded(const char *text, size_t n)
{
	return padded_string_view(text, n, n + SIMDJSON_PADDING);
}

static std::string_view
text_of(simdjson_result<ondemand::value> v)
{
	return std::string_view(v.get_string());
}

static bool
flag_of(simdjson_result<ondemand::value> v)
{
	return bool(v.get_bool());
}

uint64_t
reference_pm_trade(const char *text, size_t n)
{
	ondemand::document doc = parser.iterate(padded(text, n));
	ondemand::object top = doc.get_object();
	uint64_t sum = market(text_of(top.find_field("market")));

	sum += token(text_of(top.find_field("asset_id")));
	sum += e8(text_of(top.find_field("price")));
	sum += e8(text_of(top.find_field("size")));
	sum += text_of(top.find_field("side")) == "BUY";
	sum += u64(text_of(top.find_field("timestamp"))) * 1000000;
	return sum + text_of(top.find_field("event_type")).size();
}

// The exact value, checked against the plain one within 1 %.
uint64_t
reference_polybolt(const char *text, size_t n)
{
	ondemand::document doc = parser.iterate(padded(text, n));
	ondemand::object top = doc.get_object();

	if (uint64_t(top.find_field("v").get_uint64()) != 1 ||
	    text_of(top.find_field("channel")) != "price.crypto.twap")
		return 0;
	uint64_t sum = top.find_field("seq").get_uint64();

	sum += uint64_t(top.find_field("ts").get_uint64()) * 1000000;
	ondemand::object p = top.find_field("payload").get_object();

	sum += text_of(p.find_field("symbol")).size();
	uint64_t plain = e8(p.find_field("value").raw_json_token());
	std::string_view exact = text_of(p.find_field("full_accuracy_value"));
	uint64_t v = exact.find('.') == exact.npos
			 ? u64(exact.substr(0, exact.size() - 10))
			 : e8(exact);

	sum += (v > plain ? v - plain : plain - v) <= plain / 100 ? v : plain;
	sum += uint64_t(p.find_field("timestamp").get_uint64()) * 1000000;
	return sum;
}

uint64_t
reference_terse(const char *text, size_t n)
{
	ondemand::document doc = parser.iterate(padded(text, n));
	ondemand::object top = doc.get_object();
	uint64_t sum = market(text_of(top.find_field("c")));
	ondemand::array tokens = top.find_field("t").get_array();

	for (ondemand::object t : tokens) {
		sum += token(text_of(t.find_field("t")));
		std::string_view name = text_of(t.find_field("o"));

		if (name != "Up" && name != "Down")
			return 0;
	}
	sum += e8(top.find_field("mts").raw_json_token());
	sum += e8(top.find_field("mos").raw_json_token());
	sum += flag_of(top.find_field("nr"));
	sum += uint64_t(top.find_field("mbf").get_uint64());
	sum += uint64_t(top.find_field("tbf").get_uint64());
	ondemand::object fd = top.find_field("fd").get_object();

	sum += e8(fd.find_field("r").raw_json_token());
	sum += uint64_t(fd.find_field("e").get_uint64());
	sum += flag_of(fd.find_field("to"));
	sum += flag_of(top.find_field("ao"));
	sum += time_ns(text_of(top.find_field("aot")));
	sum += uint64_t(top.find_field("sd").get_uint64());
	sum += flag_of(top.find_field("cbos"));
	sum += flag_of(top.find_field("rfqe"));
	sum += flag_of(top.find_field("itode"));
	return sum + uint64_t(top.find_field("oas").get_uint64());
}

// Two strings of a JSON array inside a string.
static void
pair(std::string_view raw, std::string_view out[2])
{
	static char copy[2][512 + SIMDJSON_PADDING];
	static int which;
	char *to = copy[which ^= 1];
	int i = 0;

	memcpy(to, raw.data(), raw.size());
	ondemand::document doc = inner.iterate(padded(to, raw.size()));

	for (auto item : doc.get_array())
		if (i < 2)
			out[i++] = std::string_view(item.get_string());
}

static size_t
raw_size(simdjson_result<ondemand::value> v)
{
	std::string_view raw = v.raw_json_token();

	while (raw.back() != '"')
		raw.remove_suffix(1);
	return raw.size() - 2;
}

static uint64_t
gamma_market(ondemand::object m)
{
	std::string_view names[2], prices[2], ids[2];
	uint64_t sum = text_of(m.find_field("id")).size();

	sum += text_of(m.find_field("question")).size();
	sum += market(text_of(m.find_field("conditionId")));
	sum += text_of(m.find_field("slug")).size();
	sum += time_ns(text_of(m.find_field("endDate")));
	sum += time_ns(text_of(m.find_field("startDate")));
	sum += raw_size(m.find_field("description"));
	pair(text_of(m.find_field("outcomes")), names);
	bool up = names[0] == "Up";

	pair(text_of(m.find_field("outcomePrices")), prices);
	sum += e8(prices[up ? 0 : 1]);
	sum += flag_of(m.find_field("active"));
	sum += flag_of(m.find_field("closed"));
	sum += flag_of(m.find_field("enableOrderBook"));
	sum += e8(m.find_field("orderPriceMinTickSize").raw_json_token());
	sum += e8(m.find_field("orderMinSize").raw_json_token());
	sum += (uint64_t)scaled(
	    m.find_field("liquidityNum").raw_json_token(), 6);
	sum += (uint64_t)scaled(m.find_field("volume24hr").raw_json_token(), 6);
	pair(text_of(m.find_field("clobTokenIds")), ids);
	sum += token(ids[0]) + token(ids[1]);
	sum += flag_of(m.find_field("acceptingOrders"));
	sum += flag_of(m.find_field("negRisk"));
	for (ondemand::object e : m.find_field("events").get_array()) {
		sum += text_of(e.find_field("id")).size();
		sum += text_of(e.find_field("seriesSlug")).size();
	}
	sum += e8(m.find_field("rewardsMinSize").raw_json_token());
	sum += time_ns(text_of(m.find_field("eventStartTime")));
	ondemand::object fee = m.find_field("feeSchedule").get_object();

	sum += e8(fee.find_field("rate").raw_json_token());
	sum += uint64_t(fee.find_field("exponent").get_uint64());
	return sum + e8(fee.find_field("rebateRate").raw_json_token());
}

uint64_t
reference_gamma(const char *text, size_t n)
{
	ondemand::document doc = parser.iterate(padded(text, n));
	ondemand::object top = doc.get_object();
	uint64_t sum = 0;

	for (ondemand::object m : top.find_field("markets").get_array())
		sum += gamma_market(m);
	return sum + text_of(top.find_field("next_cursor")).size();
}
