// The reference side of bench_venue: simdjson on demand.
#include "tests/bench/bench_venue.h"

#include <simdjson.h>
#include <string_view>

using namespace simdjson;

static_assert(REFERENCE_PADDING >= SIMDJSON_PADDING, "padding");

static ondemand::parser parser;

static uint64_t
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
			return 0;
		v = v * 10 + (c - '0');
		places += places >= 0;
	}
	for (int i = places < 0 ? 0 : places; i < 8; i++)
		v *= 10;
	return (uint64_t)v;
}

uint64_t
reference_ticker(const char *text, size_t n)
{
	padded_string_view view(text, n, n + SIMDJSON_PADDING);
	ondemand::document doc = parser.iterate(view);
	ondemand::object top = doc.get_object();
	std::string_view stream = top.find_field("stream").get_string();
	ondemand::object d = top.find_field("data").get_object();
	uint64_t id = d.find_field("u").get_uint64();
	std::string_view symbol = d.find_field("s").get_string();
	uint64_t sum = stream.size() + id + symbol.size();

	for (const char *key : {"b", "B", "a", "A"})
		sum += e8(d.find_field(key).get_string());
	return sum;
}

uint64_t
reference_depth(const char *text, size_t n)
{
	padded_string_view view(text, n, n + SIMDJSON_PADDING);
	ondemand::document doc = parser.iterate(view);
	ondemand::object top = doc.get_object();
	std::string_view stream = top.find_field("stream").get_string();
	ondemand::object d = top.find_field("data").get_object();
	std::string_view e = d.find_field("e").get_string();
	uint64_t sent = d.find_field("E").get_uint64();
	std::string_view symbol = d.find_field("s").get_string();
	uint64_t first = d.find_field("U").get_uint64();
	uint64_t last = d.find_field("u").get_uint64();
	uint64_t sum = stream.size() + e.size() + sent * 1000 + symbol.size() +
		       first + last;

	for (const char *side : {"b", "a"}) {
		ondemand::array list = d.find_field(side).get_array();

		for (ondemand::array l : list)
			for (auto v : l)
				sum += e8(v.get_string());
	}
	return sum;
}

uint64_t
reference_raw_trade(const char *text, size_t n)
{
	padded_string_view view(text, n, n + SIMDJSON_PADDING);
	ondemand::document doc = parser.iterate(view);
	ondemand::object d = doc.get_object();
	std::string_view e = d.find_field("e").get_string();
	uint64_t sent = d.find_field("E").get_uint64();
	std::string_view symbol = d.find_field("s").get_string();
	uint64_t id = d.find_field("t").get_uint64();
	uint64_t px = e8(d.find_field("p").get_string());
	uint64_t qty = e8(d.find_field("q").get_string());
	uint64_t time = d.find_field("T").get_uint64();
	bool maker = d.find_field("m").get_bool();

	return (e == "trade") + symbol.size() + sent * 1000 + time * 1000 +
	       id + px + qty + maker;
}

static uint64_t
level(ondemand::object l)
{
	uint64_t sum = e8(l.find_field("px").get_string());

	sum += e8(l.find_field("sz").get_string());
	uint64_t orders = l.find_field("n").get_uint64();

	return sum + orders;
}

uint64_t
reference_hl_bbo(const char *text, size_t n)
{
	padded_string_view view(text, n, n + SIMDJSON_PADDING);
	ondemand::document doc = parser.iterate(view);
	ondemand::object top = doc.get_object();
	std::string_view channel = top.find_field("channel").get_string();
	ondemand::object d = top.find_field("data").get_object();
	std::string_view coin = d.find_field("coin").get_string();
	uint64_t time = d.find_field("time").get_uint64();
	uint64_t sum = channel.size() + coin.size() + time * 1000000;
	ondemand::array list = d.find_field("bbo").get_array();

	for (ondemand::object l : list)
		sum += level(l);
	return sum;
}

uint64_t
reference_hl_book(const char *text, size_t n)
{
	padded_string_view view(text, n, n + SIMDJSON_PADDING);
	ondemand::document doc = parser.iterate(view);
	ondemand::object top = doc.get_object();
	std::string_view channel = top.find_field("channel").get_string();
	ondemand::object d = top.find_field("data").get_object();
	std::string_view coin = d.find_field("coin").get_string();
	uint64_t time = d.find_field("time").get_uint64();
	uint64_t sum = channel.size() + coin.size() + time * 1000000;
	ondemand::array sides = d.find_field("levels").get_array();

	for (ondemand::array side : sides)
		for (ondemand::object l : side)
			sum += level(l);
	return sum;
}
