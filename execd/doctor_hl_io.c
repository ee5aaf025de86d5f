/* What Hyperliquid says of our key and account. */
#define _GNU_SOURCE
#include <string.h>

#include "execd/doctor_int.h"
#include "libcore/fixed.h"
#include "libsign/hl_action.h"
#include "libvenue/hl_info.h"

#define AGENT_WARN_MS (INT64_C(7) * 24 * 3600 * 1000)

static const char *
url(const struct doctor *d)
{
	return d->cfg->hyperliquid_rest_url.s;
}

static bool
info(struct doctor *d, const char *check, const char *type, const char *user)
{
	char body[HLI_ASK_MAX];
	size_t n = user != NULL ? hl_ask_user(type, user, body)
				: hl_ask_plain(type, body);

	if (n > 0 &&
	    doctor_ask(d, &(struct doctor_ask){
			      .url = url(d), .target = "/info", .body = body}))
		return true;
	doctor_unanswered(d, check, type);
	return false;
}

static void
bad_answer(struct doctor *d, const char *check, const char *type)
{
	doctor_say(d, DOCTOR_FAIL, check,
	    "%s: answered something unknown: %.80s; a newer version of this "
	    "program may be needed",
	    type, d->body);
}

/* An action that does nothing: signed, and its signer found again. */
static void
sign(struct doctor *d)
{
	const struct hl_action noop = {.kind = HL_NOOP};
	const struct hl_meta meta = {.nonce = 1};
	const bool mainnet = d->cfg->hyperliquid_network == 1;
	const struct hl_signer s = {&d->secp, key_bytes(&d->key), mainnet};
	uint8_t mp[HL_MSGPACK_MAX];
	char body[HL_BODY_MAX];
	char json[HL_BODY_MAX];
	uint8_t id[HASH_SZ];
	uint8_t digest[HASH_SZ];
	struct hl_wire w;
	struct address who;
	struct sig sig;
	bool ok;

	hl_wire_init(
	    &w, &(struct hl_wire_bufs){mp, sizeof(mp), json, sizeof(json)});
	ok = hl_action_encode(&noop, &w) &&
	     hl_request(&s,
		 &(struct hl_request){
		     .action = &noop, .meta = &meta, .sig = &sig},
		 body) > 0;
	if (ok) {
		hl_connection_id(mp, w.mp.n, &meta, id);
		hl_agent_digest(mainnet, id, digest);
		ok = secp_recover(&d->secp, &sig, digest, &who) &&
		     address_eq(&who, &d->address);
	}
	doctor_say(d, ok ? DOCTOR_OK : DOCTOR_FAIL, "sign",
	    ok ? "an action for %s, and its signer recovered: ours"
	       : "a signed action for %s does not recover to our address; do "
		 "not trade",
	    mainnet ? "mainnet" : "testnet");
}

static bool
clock_of(struct doctor *d)
{
	uint64_t ms;

	if (!info(d, "reachable", "exchangeStatus", NULL))
		return false;
	doctor_say(d, DOCTOR_OK, "reachable", "%s", url(d));
	if (!hl_info_time(d->body, d->n, &ms))
		bad_answer(d, "clock", "exchangeStatus");
	else
		doctor_clock(
		    d, (int64_t)ms * NS_PER_MS, ((int64_t)ms + 1) * NS_PER_MS);
	return true;
}

static void
coins(struct doctor *d)
{
	const struct cfg_list *l = &d->cfg->hyperliquid_coins;
	struct hli_coin c;

	if (!info(d, "coins", "meta", NULL))
		return;
	for (uint32_t i = 0; i < l->n; i++) {
		if (!hl_info_coin(d->body, d->n, l->item[i], &c)) {
			bad_answer(d, "coins", "meta");
			return;
		}
		if (!c.found)
			doctor_say(d, DOCTOR_FAIL, "coins",
			    "%s is not listed; correct hyperliquid.coins",
			    l->item[i]);
		else
			doctor_say(d, DOCTOR_OK, "coins", "%s is number %u",
			    l->item[i], c.index);
	}
}

/* Until when an agent may sign. */
static void
expiry(struct doctor *d, const char *master)
{
	char agent[ADDRESS_TEXT_MAX];
	uint64_t until;
	int64_t left;

	address_format_lower(&d->address, agent);
	if (!info(d, "agent", "extraAgents", master))
		return;
	if (!hl_info_agent(d->body, d->n, agent, &until)) {
		bad_answer(d, "agent", "extraAgents");
		return;
	}
	left = (int64_t)until - d->got_ns / NS_PER_MS;
	if (until == 0)
		doctor_say(d, DOCTOR_OK, "agent",
		    "unnamed, or without an end that is told");
	else if (left <= 0)
		doctor_say(d, DOCTOR_FAIL, "agent",
		    "has expired; approve a new key, never this one again");
	else
		doctor_say(d, left < AGENT_WARN_MS ? DOCTOR_WARN : DOCTOR_OK,
		    "agent", "may sign for %lld more days%s",
		    (long long)(left / (24 * 3600 * 1000)),
		    left < AGENT_WARN_MS ? "; approve a new key in time" : "");
}

/* Whose money the key moves; the account as text, false: nobody's. */
static bool
account(struct doctor *d, char user[HLI_ADDRESS_MAX])
{
	const char *want = d->cfg->hyperliquid_account.s;
	char self[ADDRESS_TEXT_MAX];
	char master[HLI_ADDRESS_MAX];
	enum hli_role role;

	address_format_lower(&d->address, self);
	if (!info(d, "account", "userRole", self))
		return false;
	if (!hl_info_role(d->body, d->n, &role, master)) {
		bad_answer(d, "account", "userRole");
		return false;
	}
	if (role != HLI_AGENT && role != HLI_USER) {
		doctor_say(d, DOCTOR_FAIL, "account",
		    "the venue does not know %s; approve it as an agent of "
		    "your account, or deposit",
		    self);
		return false;
	}
	memcpy(user, role == HLI_AGENT ? master : self, HLI_ADDRESS_MAX);
	if (want[0] != '\0' && strcasecmp(want, user) != 0) {
		doctor_say(d, DOCTOR_FAIL, "account",
		    "the key trades %s, but hyperliquid.account is %s", user,
		    want);
		return false;
	}
	doctor_say(d, role == HLI_AGENT ? DOCTOR_OK : DOCTOR_WARN, "account",
	    role == HLI_AGENT ? "agent of %s"
			      : "%s itself; an agent's key cannot withdraw: "
				"approve one and use it instead",
	    user);
	if (role == HLI_AGENT)
		expiry(d, user);
	return true;
}

static void
each_position(void *user, struct json_str coin, qty_t szi)
{
	(void)user;
	(void)coin;
	(void)szi;
}

static void
money(struct doctor *d, const char *user)
{
	struct hli_state st;
	usd_t spot = {0};
	char text[FIXED_TEXT_MAX];

	if (!info(d, "funded", "clearinghouseState", user))
		return;
	if (!hl_info_state(d->body, d->n, &st, each_position, NULL)) {
		bad_answer(d, "funded", "clearinghouseState");
		return;
	}
	if (!info(d, "funded", "spotClearinghouseState", user))
		return;
	if (!hl_info_spot(d->body, d->n, &spot)) {
		bad_answer(d, "funded", "spotClearinghouseState");
		return;
	}
	/* In the unified mode the dollars are spot while nothing is held. */
	if (st.value.e6 > spot.e6)
		spot = st.value;
	fixed_format(spot.e6, 6, text);
	doctor_say(d, spot.e6 > 0 ? DOCTOR_OK : DOCTOR_FAIL, "funded",
	    spot.e6 > 0 ? "%s USD, %u positions"
			: "%s USD, %u positions; deposit, or look for the "
			  "right account",
	    text, st.position_n);
}

static void
budget(struct doctor *d, const char *user)
{
	struct hli_limit l;
	int64_t left;

	if (!info(d, "budget", "userRateLimit", user))
		return;
	if (!hl_info_limit(d->body, d->n, &l)) {
		bad_answer(d, "budget", "userRateLimit");
		return;
	}
	left = (int64_t)(l.cap + l.surplus) - (int64_t)l.used;
	doctor_say(d,
	    left > d->cfg->hyperliquid_budget_reserve ? DOCTOR_OK : DOCTOR_WARN,
	    "budget", "%lld actions left, %lld are kept for cancels%s",
	    (long long)left, (long long)d->cfg->hyperliquid_budget_reserve,
	    left > d->cfg->hyperliquid_budget_reserve
		? ""
		: "; it grows with traded volume, or can be bought");
}

void
doctor_hl(struct doctor *d)
{
	char user[HLI_ADDRESS_MAX];

	sign(d);
	doctor_reach(d, "hyperliquid.ws_url", d->cfg->hyperliquid_ws_url.s);
	if (!clock_of(d))
		return;
	coins(d);
	if (!account(d, user))
		return;
	money(d, user);
	budget(d, user);
}
