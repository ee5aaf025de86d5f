/*
 * livesay.h - what people do on the live venues of livekit.h: sign in on the
 * user channel, order, cancel and change, on either exchange.
 */
#ifndef TESTS_LIVESAY_H
#define TESTS_LIVESAY_H

#include "tests/unit/livekit.h"

/* Seconds pass. */
static inline void
wait_s(unsigned s)
{
	for (unsigned i = 0; i < 10 * s; i++)
		live_step(l, l->w.now_ns + SECOND / 10);
}

static inline const struct world_window *
quiet(void)
{
	return world_window_find(&l->w, "quiet-market", 12);
}

static inline void
hello(void *sub, const struct person *p, const char *more)
{
	char text[1024];

	(void)snprintf(text, sizeof(text),
	    "{\"auth\":{\"apiKey\":\"%s\",\"secret\":\"%s\",\"passphrase\":"
	    "\"%s\"},\"type\":\"user\"%s}",
	    p->key, p->secret, p->passphrase, more);
	say(VENUE_POLYMARKET, sub, text);
}

/* A signed BUY of ten YES of the quiet market. */
static inline void
buy(const struct person *p, uint32_t px_e4, char id[PM_ID_TEXT_MAX])
{
	static uint64_t salt;
	struct pm_account who = {
	    .maker = p->who, .signer = p->who, .sig_type = PM_SIG_EOA};
	struct pm_asset asset;
	struct pm_order o = {.salt = pm_salt(++salt),
	    .asset = &asset,
	    .side = SIDE_BID,
	    .tif = PM_GTC,
	    .timestamp_ms = l->w.now_ns / 1000000u};
	struct pm_template tpl;
	struct pm_exchange x;
	struct pm_signed s;
	char text[PM_BODY_MAX];

	memcpy(who.owner, p->key, sizeof(p->key));
	assert_true(
	    pm_exchange_init(&x, PM_EXCHANGE_V2, false, PM_CHAIN_POLYGON));
	assert_true(pm_template_init(&tpl, &x, &who));
	pm_asset_init(&asset, quiet()->terms.token[0].w);
	assert_true(pm_limit_amounts(SIDE_BID, px_e4, 1000, &o.amounts));
	assert_true(pm_order_sign(&tpl, &secp, keys[p - people], &o, &s));
	pm_id_text(s.id, id);
	pm_order_body(&tpl, &o, &s, text);
	call2(p, "POST", "/order", text);
}

/* The cancel of an order of Polymarket. */
static inline void
cancel(const struct person *p, const char *id)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "{\"orderID\":\"%s\"}", id);
	call2(p, "DELETE", "/order", text);
}

static uint64_t hl_nonce = START / 1000000u;

/* An action of Hyperliquid, signed by one of the two. */
static inline void
hl_act(const struct person *p, const struct hl_action *a, uint64_t expires_ms)
{
	static char request[HL_BODY_MAX];
	struct hl_signer s = {&secp, keys[p - people], true};
	struct hl_meta m = {.nonce = ++hl_nonce, .expires_ms = expires_ms};
	struct hl_request q = {a, &m, 0, NULL};

	assert_true(hl_request(&s, &q, request) > 0);
	call(VENUE_HYPERLIQUID, "POST", "/exchange", request, "");
}

/* Orders of 0.01 at a price, with client ids from `cloid` up. */
static inline void
hl_order(const struct person *p, int64_t px, enum hl_tif tif, uint16_t n,
    uint8_t cloid)
{
	struct hl_order o[4];
	struct hl_action a = {.kind = HL_ORDER, .n = n, .orders = o};

	assert_true(n <= 4);
	for (uint32_t i = 0; i < n; i++)
		o[i] = (struct hl_order){.side = SIDE_BID,
		    .px = PX((px - (int64_t)i) * E8),
		    .qty = QTY(E8 / 100),
		    .tif = tif,
		    .has_cloid = true,
		    .cloid = {[15] = (uint8_t)(cloid + i)}};
	hl_act(p, &a, 0);
}

static inline void
hl_cancel_one(const struct person *p, uint8_t cloid)
{
	struct hl_cancel c = {.cloid = {[15] = cloid}};
	struct hl_action a = {
	    .kind = HL_CANCEL_CLOID, .n = 1, .cancels = &c, .fast = true};

	hl_act(p, &a, 0);
}

/* A question of Hyperliquid about one of the two; rest: more members, each
 * with a comma in front. */
static inline void
hl_ask(const struct person *p, const char *type, const char *rest)
{
	char who[ADDRESS_TEXT_MAX];
	char q[256];

	address_format_lower(&p->who, who);
	(void)snprintf(q, sizeof(q), "{\"type\":\"%s\",\"user\":\"%s\"%s}",
	    type, who, rest);
	call(VENUE_HYPERLIQUID, "POST", "/info", q, "");
}

static inline void
hl_follow(const struct person *p, void *sub, const char *type, const char *rest)
{
	char who[ADDRESS_TEXT_MAX];
	char q[256];

	address_format_lower(&p->who, who);
	(void)snprintf(q, sizeof(q),
	    "{\"method\":\"subscribe\",\"subscription\":{\"type\":\"%s\","
	    "\"user\":\"%s\"%s}}",
	    type, who, rest);
	say(VENUE_HYPERLIQUID, sub, q);
}

/* Does the answer say this? */
static inline void
says(const char *part)
{
	if (strstr(body, part) == NULL)
		fail_msg("no %s in: %u %.1500s", part, status, body);
}

#endif
