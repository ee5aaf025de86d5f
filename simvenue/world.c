#include "simvenue/world.h"

#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "simvenue/venue.h"
#include "simvenue/world_int.h"

#define HISTORY_NS   (120 * WORLD_SECOND)
#define PARTICIPANT  USD(100000000 * E6)
#define LOOKBACK_S   60u
#define NO_LIMIT_USD USD(0)

struct world_cfg
world_cfg_default(uint64_t seed, uint64_t start_ns)
{
	return (struct world_cfg){.seed = seed,
	    .start_ns = start_ns,
	    .rate = 1,
	    .px = 84000,
	    .vol = 0.45,
	    .series_n = 2,
	    .series = {{"btc-updown-5m", 300}, {"btc-updown-15m", 900}},
	    .ahead_s = 2400,
	    .resolve_s = 12,
	    .strike_s = 20,
	    .delay_ms = 250,
	    .grant = USD(1000 * E6)};
}

void
world_say(struct world *w, enum world_channel c, uint32_t key, struct text *t)
{
	size_t n = text_end(t);

	CHECK(n > 0);
	w->emit(w->user, c, key, t->buf, n);
}

/* ---- Polymarket's sink ---- */

static void
on_order(
    void *user, const struct pmx *x, uint32_t order, enum pmx_order_event what)
{
	struct world *w = user;
	uint32_t login = desk_login_of(&w->pm_desk, x->order[order].account);
	struct text t;

	if (login == DESK_LOGINS)
		return;
	w->pm_count.rested += what == PMX_PLACEMENT;
	text_init(&t, w->text, sizeof(w->text));
	say_order_event(&w->pm_desk, order, what, &t);
	world_say(w, WORLD_PM_USER, login, &t);
}

static bool
is_ours(const struct world *w, uint32_t order)
{
	return desk_login_of(&w->pm_desk, w->pmx.order[order].account) !=
	       DESK_LOGINS;
}

/* A trade is told again as it settles; it counts when it is new. */
static void
count_trade(struct world *w, const struct pmx_trade *k)
{
	bool takes = is_ours(w, k->taker);
	int64_t e8 = 0;

	if (k->status != PMX_TRADE_MATCHED || k->update_ns != k->match_ns)
		return;
	for (uint32_t i = 0; i < k->leg_n; i++)
		if (takes || is_ours(w, k->leg[i].order))
			e8 += k->leg[i].qty.e8;
	w->pm_count.trades += e8 > 0;
	w->pm_count.matched_e8 += e8;
}

static void
on_trade(void *user, const struct pmx *x, uint32_t trade)
{
	uint32_t logins[SAY_TRADE_LOGINS];
	struct world *w = user;
	uint32_t n;

	count_trade(w, &x->trade[trade]);
	n = say_trade_logins(&w->pm_desk, trade, logins);
	for (uint32_t i = 0; i < n; i++) {
		struct text t;

		text_init(&t, w->text, sizeof(w->text));
		say_trade(&w->pm_desk, trade, logins[i], true, &t);
		world_say(w, WORLD_PM_USER, logins[i], &t);
	}
}

static void
on_level(void *user, uint16_t market, enum side side, px_t px, qty_t qty)
{
	struct world *w = user;

	tape_level(&w->tape, market, side, px, qty);
}

static void
on_print(void *user, uint16_t market, enum token_role role, enum side side,
    tok_px_t px, qty_t qty)
{
	struct tape_print print = {role, side, px, qty};
	struct world *w = user;

	tape_print(&w->tape, market, &print);
}

static void
on_batch(void *user, uint16_t market, bool has_traded)
{
	struct world *w = user;

	(void)has_traded;
	tape_batch(&w->tape, market);
}

/* The world itself changes markets, and tells people where it does. */
static void
on_market(void *user, uint16_t market)
{
	(void)user;
	(void)market;
}

static void
on_tape(void *user, uint16_t market, const char *text, size_t n)
{
	struct world *w = user;

	w->emit(w->user, WORLD_PM_MARKET, market, text, n);
}

/* ---- Hyperliquid's sink ---- */

static bool
is_client(const struct world *w, uint32_t account)
{
	return w->hl_desk.is_client[account];
}

/* Cancelled without being asked to. */
static bool
is_forced(enum hlx_status s)
{
	return s == HLX_SELF_TRADE_CANCELED || s == HLX_REDUCE_ONLY_CANCELED ||
	       s == HLX_LIQUIDATED_CANCELED;
}

static void
say_forced(struct world *w, uint32_t order)
{
	const struct hlx_order *o = &w->hlx.order[order];
	struct text t;

	text_init(&t, w->text, sizeof(w->text));
	text_lit(&t, "{\"channel\":\"user\",\"data\":{\"nonUserCancel\":[{"
		     "\"coin\":\"");
	text_lit(&t, w->hlx.coin[o->coin].terms.name);
	text_lit(&t, "\",\"oid\":");
	put_i64(&t, (int64_t)o->oid);
	text_lit(&t, "}]}}");
	world_say(w, WORLD_HL_USER, o->account * 8 + WORLD_HL_EVENT, &t);
}

static void
on_hl_order(void *user, const struct hlx *x, uint32_t order)
{
	struct world *w = user;
	uint32_t account = x->order[order].account;
	struct text t;

	if (!is_client(w, account))
		return;
	w->hl_count.rested += x->order[order].status == HLX_OPEN &&
			      x->order[order].left.e8 == x->order[order].qty.e8;
	text_init(&t, w->text, sizeof(w->text));
	text_lit(&t, "{\"channel\":\"orderUpdates\",\"data\":[");
	hl_say_order_update(x, order, &t);
	text_lit(&t, "]}");
	world_say(w, WORLD_HL_USER, account * 8 + WORLD_HL_ORDERS, &t);
	if (is_forced(x->order[order].status))
		say_forced(w, order);
}

/* What the venue does with a position: said apart from its fill. */
static void
say_liquidation(struct world *w, const struct hlx_fill *f)
{
	struct text t;

	text_init(&t, w->text, sizeof(w->text));
	text_lit(&t, "{\"channel\":\"user\",\"data\":{\"liquidation\":{"
		     "\"lid\":");
	put_i64(&t, (int64_t)f->tid);
	text_lit(&t, ",\"liquidator\":\"0x"
		     "5e00000000000000000000000000000000000000\","
		     "\"liquidated_user\":\"");
	hl_say_user(&w->hlx, f->account, &t);
	text_lit(&t, "\",\"liquidated_ntl_pos\":\"");
	put_e8(&t, usd_notional(f->px, f->qty).e6 * 100, 1);
	text_lit(&t, "\",\"liquidated_account_value\":\"");
	put_e8(&t, hlx_value(&w->hlx, f->account).e6 * 100, 1);
	text_lit(&t, "\"}}}");
	world_say(w, WORLD_HL_USER, f->account * 8 + WORLD_HL_EVENT, &t);
}

static void
say_notice(struct world *w, const struct hlx_fill *f)
{
	struct text t;

	text_init(&t, w->text, sizeof(w->text));
	text_lit(&t, "{\"channel\":\"notification\",\"data\":{"
		     "\"notification\":\"");
	text_lit(&t, f->crossed ? "Order filled: " : "Resting order filled: ");
	text_lit(&t, f->side == SIDE_BID ? "Bought " : "Sold ");
	put_e8(&t, f->qty.e8, 0);
	text_lit(&t, " ");
	text_lit(&t, w->hlx.coin[f->coin].terms.name);
	text_lit(&t, " at $");
	put_e8(&t, f->px.e8, 0);
	text_lit(&t, "\"}}");
	world_say(w, WORLD_HL_USER, f->account * 8 + WORLD_HL_NOTICE, &t);
}

static void
on_hl_fill(void *user, const struct hlx *x, const struct hlx_fill *f)
{
	struct world *w = user;
	struct text t;

	if (!is_client(w, f->account))
		return;
	w->hl_count.trades++;
	w->hl_count.matched_e8 += f->qty.e8;
	text_init(&t, w->text, sizeof(w->text));
	text_lit(&t, "{\"channel\":\"userFills\",\"data\":{\"user\":\"");
	hl_say_user(&w->hlx, f->account, &t);
	text_lit(&t, "\",\"fills\":[");
	hl_say_fill(x, f, &t);
	text_lit(&t, "]}}");
	world_say(w, WORLD_HL_USER, f->account * 8 + WORLD_HL_FILLS, &t);
	if (f->oid == 0)
		say_liquidation(w, f);
	say_notice(w, f);
}

static void
on_hl_funding(void *user, const struct hlx *x, const struct hlx_funding *f)
{
	struct world *w = user;
	struct text t;

	if (!is_client(w, f->account))
		return;
	text_init(&t, w->text, sizeof(w->text));
	text_lit(&t, "{\"channel\":\"userFundings\",\"data\":{\"user\":\"");
	hl_say_user(&w->hlx, f->account, &t);
	text_lit(&t, "\",\"fundings\":[");
	hl_say_funding(x, f, &t);
	text_lit(&t, "]}}");
	world_say(w, WORLD_HL_USER, f->account * 8 + WORLD_HL_FUNDINGS, &t);
	text_init(&t, w->text, sizeof(w->text));
	text_lit(&t, "{\"channel\":\"user\",\"data\":{\"funding\":");
	hl_say_funding(x, f, &t);
	text_lit(&t, "}}");
	world_say(w, WORLD_HL_USER, f->account * 8 + WORLD_HL_EVENT, &t);
}

static void
on_hl_print(void *user, const struct hlx *x, uint16_t coin, enum side side,
    px_t px, qty_t qty, uint64_t tid)
{
	CHECK(x->coin[coin].used && coin == 0); /* the world's only one */
	world_hl_print(user, side, px, qty, tid);
}

static void
on_hl_book(void *user, const struct hlx *x, uint16_t coin)
{
	struct world *w = user;

	(void)x;
	(void)coin;
	w->hl_changed = true;
}

/* ---- life ---- */

static void
init_polymarket(struct world *w)
{
	struct pm_flow_cfg flow = pm_flow_cfg_default(w->cfg.seed + 1);
	uint32_t accounts[FLOW_MAKERS + 2];

	flow.rate = w->cfg.rate;
	flow.lookback_s = LOOKBACK_S;
	w->pmx_sink = (struct pmx_sink){
	    w, on_order, on_trade, on_level, on_print, on_batch, on_market};
	pmx_init(&w->pmx, &w->pmx_sink, w->cfg.seed);
	desk_init(&w->pm_desk, &w->pmx, w->cfg.seed, w->cfg.grant);
	tape_init(&w->tape, &w->pmx, on_tape, w);
	w->tape.heard = w->cfg.heard;
	for (uint32_t i = 0; i < FLOW_MAKERS + 2; i++)
		accounts[i] = desk_participant(&w->pm_desk, PARTICIPANT);
	pm_flow_init(&w->pm_flow, &flow, &w->pmx, &w->path, accounts);
	pm_flow_step(&w->pm_flow, w->now_ns);
}

static void
init_hyperliquid(struct world *w)
{
	struct hl_flow_cfg flow = hl_flow_cfg_default(w->cfg.seed + 2);
	struct hlx_terms btc = {"BTC", 0, 5, 40, 450, 150};
	uint32_t accounts[HL_FLOW_MAKERS + 2];
	uint8_t blind[32];
	uint32_t coin;

	w->hlx_sink = (struct hlx_sink){
	    w, on_hl_order, on_hl_fill, on_hl_print, on_hl_book, on_hl_funding};
	flow.rate = w->cfg.rate;
	hlx_init(&w->hlx, &w->hlx_sink);
	for (size_t i = 0; i < sizeof(blind); i++) {
		w->rng = hash_u64(w->rng, i);
		blind[i] = (uint8_t)w->rng;
	}
	hl_desk_init(&w->hl_desk, &w->hlx, blind);
	w->hl_desk.schedule_min = NO_LIMIT_USD;
	for (uint8_t i = 0; i < HL_FLOW_MAKERS + 2; i++) {
		uint8_t address[20] = {[0] = 0x5e, [19] = i};

		accounts[i] = hlx_account_open(&w->hlx, address);
		hlx_deposit(&w->hlx, accounts[i], PARTICIPANT);
	}
	coin =
	    hlx_coin_add(&w->hlx, &btc, PX((int64_t)(w->cfg.px * (double)E8)));
	CHECK(coin == 0);
	hl_flow_init(&w->hl_flow, &flow, &w->hlx, &w->path, accounts);
	hl_flow_start(&w->hl_flow, coin, w->now_ns);
}

void
world_init(struct world *w, const struct world_cfg *cfg,
    void (*emit)(void *user, enum world_channel c, uint32_t key,
	const char *text, size_t n),
    void *user)
{
	struct path_cfg path = {.seed = cfg->seed,
	    .start_ns = cfg->start_ns - HISTORY_NS,
	    .start_px = cfg->px,
	    .vol = cfg->vol,
	    .vol_of_vol = 0.5,
	    .jumps_per_hour = 2,
	    .jump_bps = 8};

	CHECK(emit != NULL);
	CHECK(cfg->series_n <= WORLD_SERIES);
	w->cfg = *cfg;
	w->emit = emit;
	w->user = user;
	w->now_ns = cfg->start_ns;
	w->rng = hash_u64(HASH_SEED, cfg->seed);
	path_init(&w->path, &path);
	path_to(&w->path, w->now_ns);
	init_polymarket(w);
	init_hyperliquid(w);
	world_windows_init(w);
	world_ticks_init(w);
	w->pm_desk.has_limits = cfg->has_limits;
	w->hl_desk.has_limits = cfg->has_limits;
	w->pm_desk.hit = world_hit_pm;
	w->pm_desk.hit_user = w;
	w->hl_desk.hit = world_hit_hl;
	w->hl_desk.hit_user = w;
}

void
world_fund(struct world *w, const struct address *who, usd_t usd)
{
	(void)desk_account(&w->pm_desk, who, PM_SIG_EOA, NULL, usd);
	(void)hl_desk_account(&w->hl_desk, who, usd);
}

static uint64_t
sooner(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

uint64_t
world_wake(const struct world *w)
{
	uint64_t ns = pmx_wake(&w->pmx);

	ns = sooner(ns, hlx_wake(&w->hlx));
	ns = sooner(ns, desk_wake(&w->pm_desk));
	ns = sooner(ns, hl_desk_wake(&w->hl_desk));
	ns = sooner(ns, pm_flow_wake(&w->pm_flow));
	ns = sooner(ns, hl_flow_wake(&w->hl_flow));
	ns = sooner(ns, world_windows_wake(w));
	return sooner(ns, world_ticks_wake(w));
}

void
world_step(struct world *w, uint64_t now_ns)
{
	CHECK(now_ns >= w->now_ns);
	w->now_ns = now_ns;
	path_to(&w->path, now_ns);
	pmx_step(&w->pmx, now_ns);
	hlx_step(&w->hlx, now_ns);
	desk_step(&w->pm_desk, now_ns);
	hl_desk_step(&w->hl_desk, now_ns);
	pm_flow_step(&w->pm_flow, now_ns);
	world_windows_step(w);
	hl_flow_step(&w->hl_flow, now_ns);
	world_ticks_step(w);
}
