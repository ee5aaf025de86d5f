// The reference side of bench_decode: simdjson on demand.
#include "tests/bench/bench_decode.h"

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
}

using namespace simdjson;

static_assert(REFERENCE_PADDING >= SIMDJSON_PADDING, "padding");

static ondemand::parser parser;

static int64_t
e8(std::string_view s)
{
	int64_t v = 0;
	int places = -1;

	for (char c : s) {
		if (c == '.') {
			places = 0;
			continue;
		}
		if (c < '0' || c > '9')
			return -1;
		v = v * 10 + (c - '0');
		places += places >= 0;
	}
	for (int i = places < 0 ? 0 : places; i < 8; i++)
		v *= 10;
	return v;
}

static uint64_t
u64(std::string_view s)
{
	uint64_t v = 0;

	for (char c : s)
		v = v * 10 + (uint64_t)(c - '0');
	return v;
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

uint64_t
reference_trade(const char *text, size_t n)
{
	padded_string_view view(text, n, n + SIMDJSON_PADDING);
	ondemand::document doc = parser.iterate(view);
	ondemand::object top = doc.get_object();
	std::string_view stream = top.find_field("stream").get_string();
	ondemand::object d = top.find_field("data").get_object();
	std::string_view e = d.find_field("e").get_string();
	uint64_t sent = d.find_field("E").get_uint64();
	std::string_view symbol = d.find_field("s").get_string();
	uint64_t id = d.find_field("t").get_uint64();
	int64_t px = e8(d.find_field("p").get_string());
	int64_t qty = e8(d.find_field("q").get_string());
	uint64_t time = d.find_field("T").get_uint64();
	bool maker = d.find_field("m").get_bool();

	return stream.size() + e.size() + symbol.size() + sent * 1000000 +
	       time * 1000000 + id + (uint64_t)px + (uint64_t)qty + maker;
}

uint64_t
reference_price_change(const char *text, size_t n)
{
	padded_string_view view(text, n, n + SIMDJSON_PADDING);
	ondemand::document doc = parser.iterate(view);
	ondemand::object top = doc.get_object();
	uint64_t sum = market(top.find_field("market").get_string());
	ondemand::array list = top.find_field("price_changes").get_array();

	for (ondemand::object c : list) {
		sum += token(c.find_field("asset_id").get_string());
		sum += (uint64_t)e8(c.find_field("price").get_string());
		sum += (uint64_t)e8(c.find_field("size").get_string());
		std::string_view side = c.find_field("side").get_string();
		std::string_view hash = c.find_field("hash").get_string();
		sum += (side == "BUY") + (uint64_t)hash[0];
		sum += (uint64_t)e8(c.find_field("best_bid").get_string());
		sum += (uint64_t)e8(c.find_field("best_ask").get_string());
	}
	sum += u64(top.find_field("timestamp").get_string()) * 1000000;
	std::string_view type = top.find_field("event_type").get_string();

	return sum + type.size();
}

uint64_t
reference_book(const char *text, size_t n)
{
	padded_string_view view(text, n, n + SIMDJSON_PADDING);
	ondemand::document doc = parser.iterate(view);
	ondemand::object top = doc.get_object();
	uint64_t sum = market(top.find_field("market").get_string());

	sum += token(top.find_field("asset_id").get_string());
	sum += u64(top.find_field("timestamp").get_string()) * 1000000;
	std::string_view hash = top.find_field("hash").get_string();

	sum += (uint64_t)hash[0];
	for (const char *side : {"bids", "asks"}) {
		ondemand::array list = top.find_field(side).get_array();

		for (ondemand::object l : list) {
			sum += (uint64_t)e8(l.find_field("price").get_string());
			sum += (uint64_t)e8(l.find_field("size").get_string());
		}
	}
	std::string_view tick = top.find_field("tick_size").get_string();
	std::string_view type = top.find_field("event_type").get_string();

	return sum + tick.size() + type.size();
}
