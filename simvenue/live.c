#include "simvenue/live.h"

#include <string.h>

#include "libcore/check.h"
#include "libsign/hex.h"

#define IDLE_NS	 (50 * (uint64_t)NS_PER_MS)
#define TURN_NS	 (1000 * (uint64_t)NS_PER_MS)
#define USD_MOST 1000000

/* ---- what the world says ---- */

static enum venue
venue_of(enum world_channel c)
{
	switch (c) {
	case WORLD_PM_MARKET:
	case WORLD_PM_NEW:
	case WORLD_PM_USER:
	case WORLD_PM_PRICE: return VENUE_POLYMARKET;
	case WORLD_BN: return VENUE_BINANCE;
	case WORLD_HL:
	case WORLD_HL_USER: return VENUE_HYPERLIQUID;
	case WORLD_CHANNEL_N: break;
	}
	CHECK(false);
	return 0;
}

static enum sim_kind
kind_of(enum world_channel c)
{
	switch (c) {
	case WORLD_PM_MARKET:
	case WORLD_PM_NEW: return SIM_PM_WS;
	case WORLD_PM_USER: return SIM_PM_USER;
	case WORLD_PM_PRICE: return SIM_PM_RTDS;
	case WORLD_BN: return SIM_BN_WS;
	case WORLD_HL: return SIM_HL_WS;
	case WORLD_HL_USER: return SIM_HL_USER;
	case WORLD_CHANNEL_N: break;
	}
	CHECK(false);
	return 0;
}

static void
on_emit(
    void *user, enum world_channel c, uint32_t key, const char *text, size_t n)
{
	struct live *l = user;
	struct sim_frame f = {.t_ns = (int64_t)l->w.now_ns,
	    .text = text,
	    .n = (uint32_t)n,
	    .kind = kind_of(c),
	    .to = key};

	l->deliver(l->user, venue_of(c), &f);
}

/* ---- life ---- */

void
live_init(struct live *l, const struct world_cfg *cfg,
    void (*deliver)(void *user, enum venue v, const struct sim_frame *f),
    void *user)
{
	CHECK(deliver != NULL);
	l->deliver = deliver;
	l->user = user;
	world_init(&l->w, cfg, on_emit, l);
	l->mine_ms = l->w.pmx.settle.mine_ms;
	l->turn_ns = l->w.now_ns;
	l->w.pm_desk.mishaps = &l->mishaps;
	l->w.hl_desk.mishaps = &l->mishaps;
}

/* ---- what happens once a second, when it does ---- */

static bool
trips(const struct live *l, enum venue v, enum fault f, int64_t *value)
{
	return mishap(&l->mishaps, v, f, value);
}

static void
turn(struct live *l)
{
	struct world *w = &l->w;
	int64_t v;

	if (w->now_ns < l->turn_ns)
		return;
	l->turn_ns = w->now_ns + TURN_NS;
	if (trips(l, VENUE_HYPERLIQUID, FAULT_LIQUIDATION, &v))
		world_liquidate(w);
	if (trips(l, VENUE_POLYMARKET, FAULT_EXTERNAL_CHANGE, &v))
		world_external(w, i64_clamp(v, 1, USD_MOST));
	if (trips(l, VENUE_POLYMARKET, FAULT_SWEEP, &v))
		world_sweep(w, i64_clamp(v, 1, USD_MOST));
	if (trips(l, VENUE_POLYMARKET, FAULT_TICK_CHANGE, &v))
		world_change_ticks(w, v != 0);
}

void
live_step(struct live *l, uint64_t now_ns)
{
	if (now_ns > l->w.now_ns)
		world_step(&l->w, now_ns);
	turn(l);
}

uint64_t
live_wait_ns(const struct live *l, uint64_t now_ns)
{
	uint64_t at = world_wake(&l->w);

	if (at == 0 || at > now_ns + IDLE_NS)
		return IDLE_NS;
	return at > now_ns ? at - now_ns : 0;
}

void
live_set_mood(struct live *l, const struct live_mood *m)
{
	struct pmx *x = &l->w.pmx;

	x->mode = m->mode != 0 ? m->mode : PMX_MODE_NORMAL;
	x->settle.retry_ppm = m->retry_ppm;
	x->settle.fail_ppm = m->fail_ppm;
	x->settle.mine_ms = m->mine_ms != 0 ? m->mine_ms : l->mine_ms;
	l->w.pm_desk.is_unsent = m->is_unsent;
	l->w.pm_desk.is_restarting = m->is_restarting;
	l->w.pm_desk.skew_s = m->pm_skew_s;
	l->w.pm_desk.stale_ns = m->pm_stale_ns;
	l->w.hl_desk.is_exhausted = m->is_exhausted;
	l->w.hl_desk.schedule_min = m->schedule_min;
	l->w.hl_desk.skew_s = m->hl_skew_s;
	l->w.hl_desk.stale_ns = m->hl_stale_ns;
	l->w.disputes = m->disputes;
	l->w.voids = m->voids;
	if (m->lapses)
		pmx_lapse(x);
}

void
live_arrived(struct live *l, enum venue v, enum live_call call, uint32_t n)
{
	struct live_count *c = &l->count[v];

	CHECK(call >= LIVE_PLACE && call < LIVE_CALL_N);
	c->calls[call]++;
	c->last_ns[call] = l->w.now_ns;
	l->arrival[l->arrival_n++ % LIVE_ARRIVALS] =
	    (struct live_arrival){l->w.now_ns, v, call, n, l->id_n, 0};
}

void
live_arrived_id(struct live *l, const char *id, size_t n)
{
	char *to = l->id[l->id_n++ % LIVE_ARRIVAL_IDS];

	CHECK(l->arrival_n > 0);
	l->arrival[(l->arrival_n - 1) % LIVE_ARRIVALS].id_n++;
	n = n < LIVE_ARRIVAL_ID ? n : LIVE_ARRIVAL_ID - 1;
	memcpy(to, id, n);
	to[n] = '\0';
}

/* ---- accounts ---- */

bool
live_fund(struct live *l, const struct live_account *a)
{
	struct world *w = &l->w;
	uint32_t pm = desk_account(&w->pm_desk, &a->who, a->sig_type,
	    a->has_funder ? &a->funder : NULL, a->usd);
	uint32_t hl = hl_desk_account(&w->hl_desk, &a->who, a->usd);
	bool ok = pm != PMX_NONE && hl != HLX_NONE;

	for (uint32_t i = 0; ok && i < a->agent_n; i++)
		ok = hl_desk_agent(&w->hl_desk, &a->agents[i], hl);
	return ok;
}

uint32_t
live_dev_accounts(struct live_account out[LIVE_DEV_ACCOUNTS])
{
	/* m/44'/60'/0'/0/0.. of "test test ... junk" */
	static const char *const who[LIVE_DEV_ACCOUNTS] = {
	    "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
	    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
	    "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
	    "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
	    "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
	    "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
	    "0x976EA74026E726554dB657fA54763abd0C3a0aa9",
	    "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955",
	    "0x23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f",
	    "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720",
	};

	for (uint32_t i = 0; i < LIVE_DEV_ACCOUNTS; i++) {
		out[i] = (struct live_account){.usd = LIVE_DEV_USD};
		CHECK(address_parse(who[i], strlen(who[i]), &out[i].who));
	}
	return LIVE_DEV_ACCOUNTS;
}

static bool
read_address(struct json *j, struct address *out)
{
	struct json_str s;

	return json_string(j, &s) && address_parse(s.s, s.n, out);
}

static const char *
read_key(const struct secp *c, struct json *j, struct address *out)
{
	uint8_t key[SECP_KEY_SZ];
	struct json_str s;

	if (!json_string(j, &s) || s.n != 2 + 2 * sizeof(key) ||
	    memcmp(s.s, "0x", 2) != 0 ||
	    !hex_parse(s.s + 2, s.n - 2, key, sizeof(key)) ||
	    !secp_address(c, key, out))
		return "key is not a private key (0x and 64 digits)";
	return NULL;
}

static const char *
read_agents(struct json *j, struct live_account *out)
{
	if (!json_array(j))
		return "agents is not a list";
	while (json_item(j)) {
		if (out->agent_n == LIVE_AGENTS_MAX)
			return "more agents than 4";
		if (!read_address(j, &out->agents[out->agent_n++]))
			return "agents: not an address";
	}
	return NULL;
}

static const char *
read_usd(struct json *j, usd_t *out)
{
	struct json_str s;
	int64_t e6;

	if (!json_raw(j, &s) ||
	    !fixed_parse(s.s, s.n, 6, false, INT64_C(1000000000) * E6, &e6))
		return "usd is not a number from 0 to 1000000000";
	*out = USD(e6);
	return NULL;
}

static const char *
read_type(struct json *j, uint8_t *out)
{
	uint64_t v;

	if (!json_u64(j, &v) || v >= PM_SIG_N)
		return "signature_type is not 0, 1, 2 or 3";
	*out = (uint8_t)v;
	return NULL;
}

const char *
live_account_parse(
    const struct secp *c, const char *text, size_t n, struct live_account *out)
{
	const char *wrong = NULL;
	struct json_str key;
	struct json j;
	bool has_who = false;

	*out = (struct live_account){.usd = LIVE_DEV_USD};
	json_init(&j, text, n);
	if (!json_object(&j))
		return "not a JSON object";
	while (wrong == NULL && json_key(&j, &key)) {
		if (json_is(key, "address")) {
			has_who = read_address(&j, &out->who);
			wrong = has_who ? NULL : "address is not an address";
		} else if (json_is(key, "key")) {
			wrong = read_key(c, &j, &out->who);
			has_who = wrong == NULL;
		} else if (json_is(key, "usd")) {
			wrong = read_usd(&j, &out->usd);
		} else if (json_is(key, "signature_type")) {
			wrong = read_type(&j, &out->sig_type);
		} else if (json_is(key, "funder")) {
			out->has_funder = read_address(&j, &out->funder);
			wrong =
			    out->has_funder ? NULL : "funder is not an address";
		} else if (json_is(key, "agents")) {
			wrong = read_agents(&j, out);
		} else {
			wrong = "keys are address, key, usd, signature_type, "
				"funder, agents";
		}
	}
	if (wrong == NULL && !json_end(&j))
		return "not a JSON object";
	return wrong != NULL || has_who ? wrong : "neither address nor key";
}
