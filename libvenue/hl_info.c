#include "libvenue/hl_info.h"

static void
dollars(struct json *j, usd_t *out)
{
	struct json_str s;
	uint32_t n = 0;

	if (!json_string(j, &s))
		return;
	while (n < s.n && s.s[n] != '.')
		n++;
	if (s.n > n + 7)
		s.n = n + 7; /* a millionth */
	if (!fixed_parse(s.s, s.n, 6, true, INT64_MAX / 4, &out->e6))
		json_fail(j, REASON_BAD_NUMBER);
}

bool
hl_info_time(const char *text, size_t n, uint64_t *ms)
{
	struct json_str key;
	struct json j;
	bool has = false;

	json_init(&j, text, n);
	json_object(&j);
	while (json_key(&j, &key))
		if (json_is(key, "time"))
			has = json_u64(&j, ms);
		else
			json_skip(&j);
	return json_end(&j) && has;
}

struct meta_entry {
	struct json_str name;
	uint64_t decimals;
	bool delisted;
};

static void
meta_entry(struct json *j, struct meta_entry *e)
{
	struct json_str key;

	*e = (struct meta_entry){.decimals = UINT32_MAX};
	json_object(j);
	while (json_key(j, &key))
		if (json_is(key, "name"))
			json_string(j, &e->name);
		else if (json_is(key, "szDecimals"))
			json_u64(j, &e->decimals);
		else if (json_is(key, "isDelisted") &&
			 json_peek(j) == JSON_BOOL)
			json_bool(j, &e->delisted);
		else
			json_skip(j);
}

bool
hl_info_coin(const char *text, size_t n, const char *coin, struct hli_coin *out)
{
	struct meta_entry e;
	struct json_str key;
	struct json j;
	uint32_t at = 0;
	bool has = false;

	memset(out, 0, sizeof(*out));
	json_init(&j, text, n);
	json_object(&j);
	while (json_key(&j, &key)) {
		if (!json_is(key, "universe")) {
			json_skip(&j);
			continue;
		}
		has = json_array(&j);
		for (; json_item(&j); at++) {
			meta_entry(&j, &e);
			if (e.name.n != strlen(coin) || e.delisted ||
			    e.decimals > 8 ||
			    memcmp(e.name.s, coin, e.name.n) != 0)
				continue;
			*out =
			    (struct hli_coin){true, at, (uint32_t)e.decimals};
		}
	}
	return json_end(&j) && has;
}

static void
copy_address(struct json *j, char out[HLI_ADDRESS_MAX])
{
	struct json_str s;

	if (!json_string(j, &s))
		return;
	if (s.n != HLI_ADDRESS_MAX - 1) {
		json_fail(j, REASON_BAD_TYPE);
		return;
	}
	memcpy(out, s.s, s.n);
	out[s.n] = '\0';
}

bool
hl_info_role(const char *text, size_t n, enum hli_role *role,
    char master[HLI_ADDRESS_MAX])
{
	struct json_str name = {.s = ""};
	struct json_str key;
	struct json j;

	master[0] = '\0';
	json_init(&j, text, n);
	json_object(&j);
	while (json_key(&j, &key)) {
		if (json_is(key, "role")) {
			json_string(&j, &name);
		} else if (json_is(key, "data") &&
			   json_peek(&j) == JSON_OBJECT) {
			json_object(&j);
			while (json_key(&j, &key))
				if (json_is(key, "user"))
					copy_address(&j, master);
				else
					json_skip(&j);
		} else {
			json_skip(&j);
		}
	}
	if (!json_end(&j) || name.n == 0)
		return false;
	*role = json_is(name, "missing") ? HLI_MISSING
		: json_is(name, "user")	 ? HLI_USER
		: json_is(name, "agent") ? HLI_AGENT
					 : HLI_OTHER;
	if (*role != HLI_AGENT)
		master[0] = '\0';
	return *role != HLI_AGENT || master[0] != '\0';
}

static bool
same_address(struct json_str s, const char *lower)
{
	if (s.n != strlen(lower))
		return false;
	for (uint32_t i = 0; i < s.n; i++) {
		char c = s.s[i];

		if (c >= 'A' && c <= 'F')
			c = (char)(c - 'A' + 'a');
		if (c != lower[i])
			return false;
	}
	return true;
}

bool
hl_info_agent(const char *text, size_t n, const char *agent, uint64_t *until_ms)
{
	struct json_str key;
	struct json j;

	*until_ms = 0;
	json_init(&j, text, n);
	json_array(&j);
	while (json_item(&j)) {
		struct json_str address = {.s = ""};
		uint64_t until = 0;

		json_object(&j);
		while (json_key(&j, &key))
			if (json_is(key, "address"))
				json_string(&j, &address);
			else if (json_is(key, "validUntil") &&
				 json_peek(&j) == JSON_NUMBER)
				json_u64(&j, &until);
			else
				json_skip(&j);
		if (same_address(address, agent))
			*until_ms = until;
	}
	return json_end(&j);
}

bool
hl_info_limit(const char *text, size_t n, struct hli_limit *out)
{
	struct json_str key;
	struct json j;
	bool has_used = false;
	bool has_cap = false;

	memset(out, 0, sizeof(*out));
	json_init(&j, text, n);
	json_object(&j);
	while (json_key(&j, &key))
		if (json_is(key, "nRequestsUsed"))
			has_used = json_u64(&j, &out->used);
		else if (json_is(key, "nRequestsCap"))
			has_cap = json_u64(&j, &out->cap);
		else if (json_is(key, "nRequestsSurplus"))
			json_u64(&j, &out->surplus);
		else
			json_skip(&j);
	return json_end(&j) && has_used && has_cap;
}

/* [{"type":"oneWay","position":{"coin":...,"szi":...}}] */
static void
read_positions(
    struct json *j, struct hli_state *out, hli_position *each, void *user)
{
	struct json_str coin;
	struct json_str key;
	qty_t szi;

	json_array(j);
	while (json_item(j)) {
		coin.n = 0;
		szi = QTY(0);
		json_object(j);
		while (json_key(j, &key)) {
			if (!json_is(key, "position")) {
				json_skip(j);
				continue;
			}
			json_object(j);
			while (json_key(j, &key))
				if (json_is(key, "coin"))
					json_string(j, &coin);
				else if (json_is(key, "szi"))
					json_fixed(
					    j, 8, true, QTY_E8_MAX, &szi.e8);
				else
					json_skip(j);
		}
		if (j->reason != REASON_NONE || coin.n == 0)
			continue;
		out->position_n++;
		each(user, coin, szi);
	}
}

bool
hl_info_state(const char *text, size_t n, struct hli_state *out,
    hli_position *each, void *user)
{
	struct json_str positions = {.s = ""};
	struct json_str key;
	struct json j;
	bool has_value = false;

	memset(out, 0, sizeof(*out));
	json_init(&j, text, n);
	json_object(&j);
	while (json_key(&j, &key)) {
		if (json_is(key, "marginSummary")) {
			json_object(&j);
			while (json_key(&j, &key))
				if (json_is(key, "accountValue")) {
					dollars(&j, &out->value);
					has_value = true;
				} else {
					json_skip(&j);
				}
		} else if (json_is(key, "assetPositions") &&
			   json_peek(&j) == JSON_ARRAY) {
			json_raw(&j, &positions);
		} else if (json_is(key, "time")) {
			json_u64(&j, &out->time_ms);
		} else {
			json_skip(&j);
		}
	}
	if (!json_end(&j) || !has_value || positions.n == 0)
		return false;
	json_sub(&j, positions.s, positions.n);
	read_positions(&j, out, each, user);
	return json_end(&j);
}

bool
hl_info_spot(const char *text, size_t n, usd_t *usdc)
{
	struct json_str key;
	struct json j;
	bool has = false;

	*usdc = USD(0);
	json_init(&j, text, n);
	json_object(&j);
	while (json_key(&j, &key)) {
		if (!json_is(key, "balances")) {
			json_skip(&j);
			continue;
		}
		has = json_array(&j);
		while (json_item(&j)) {
			struct json_str coin = {.s = ""};
			usd_t total = USD(0);

			json_object(&j);
			while (json_key(&j, &key))
				if (json_is(key, "coin"))
					json_string(&j, &coin);
				else if (json_is(key, "total"))
					dollars(&j, &total);
				else
					json_skip(&j);
			if (json_is(coin, "USDC"))
				*usdc = total;
		}
	}
	return json_end(&j) && has;
}

/* ---- questions ---- */

/* Up to four parts of {"type":"..." ...}; NULL ends. */
static size_t
ask(char buf[HLI_ASK_MAX], const char *const *part)
{
	struct text t;

	text_init(&t, buf, HLI_ASK_MAX);
	for (; *part != NULL; part++)
		text_lit(&t, *part);
	return text_end(&t);
}

size_t
hl_ask_plain(const char *type, char buf[HLI_ASK_MAX])
{
	return ask(
	    buf, (const char *const[]){"{\"type\":\"", type, "\"}", NULL});
}

size_t
hl_ask_user(const char *type, const char *user, char buf[HLI_ASK_MAX])
{
	return ask(buf, (const char *const[]){"{\"type\":\"", type,
			    "\",\"user\":\"", user, "\"}", NULL});
}

size_t
hl_ask_order(const char *user, const char *cloid, char buf[HLI_ASK_MAX])
{
	return ask(
	    buf, (const char *const[]){"{\"type\":\"orderStatus\",\"user\":\"",
		     user, "\",\"oid\":\"", cloid, "\"}", NULL});
}

size_t
hl_ask_fills(const char *user, uint64_t from_ms, char buf[HLI_ASK_MAX])
{
	char number[FIXED_TEXT_MAX];

	(void)fixed_format((int64_t)(from_ms & INT64_MAX), 0, number);
	return ask(buf,
	    (const char *const[]){"{\"type\":\"userFillsByTime\",\"user\":\"",
		user, "\",\"startTime\":", number, "}", NULL});
}

size_t
hl_subscribe_user(const char *stream, const char *user, char buf[HLI_ASK_MAX])
{
	return ask(buf,
	    (const char *const[]){"{\"method\":\"subscribe\",\"subscription\":"
				  "{\"type\":\"",
		stream, "\",\"user\":\"", user, "\"}}", NULL});
}
