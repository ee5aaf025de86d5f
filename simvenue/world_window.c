/*
 * Rolling windows: listed, traded, ended, resolved; Gamma's objects of them;
 * and the one quiet market.
 */
#include <math.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "simvenue/put.h"
#include "simvenue/venue.h"
#include "simvenue/world_int.h"

#define TRADE_AHEAD_NS (300 * WORLD_SECOND)
#define TWAP_FROM_NS   INT64_C(1786060800000000000) /* averages from then on */
#define FEE_PPM	       70000u
#define QUIET_SLUG     "quiet-market"
#define NO_LOCAL_END   UINT64_MAX

static uint32_t
entry(struct world *w)
{
	uint32_t oldest = 0;

	for (uint32_t i = 0; i < WORLD_WINDOWS; i++) {
		if (w->window[i].phase == 0)
			return i;
		if (w->window[i].phase == WORLD_RESOLVED &&
		    (w->window[oldest].phase != WORLD_RESOLVED ||
			w->window[i].end_ns < w->window[oldest].end_ns))
			oldest = i;
	}
	CHECK(w->window[oldest].phase == WORLD_RESOLVED);
	return oldest;
}

enum world_kind
world_kind_find(const char *name)
{
	static const char *const names[WORLD_KIND_N] = {
	    [WORLD_V2] = "v2",
	    [WORLD_V3] = "v3",
	    [WORLD_V1] = "v1",
	    [WORLD_NEG_RISK] = "neg-risk",
	};
	int k = 0;

	while (k < WORLD_KIND_N && strcmp(names[k], name) != 0)
		k++;
	return (enum world_kind)k;
}

/* A condition of 31 bytes and an outcome byte: bits 40 to 103 are zero. */
static void
name_position(struct pmx_terms *t, uint64_t h)
{
	t->cond.n = 31;
	memset(t->cond.b, 0, sizeof(t->cond.b));
	t->cond.b[0] = 1; /* the binary module */
	for (size_t i = 1; i < 31; i++)
		if (i < 19 || i >= 27)
			t->cond.b[i] = (uint8_t)hash_u64(h, i);
	for (size_t k = 0; k < 2; k++) {
		memset(t->token[k].w, 0, sizeof(t->token[k].w));
		for (size_t i = 0; i < 31; i++) {
			size_t bit = 8 * (31 - i);

			t->token[k].w[bit / 64] |= (uint64_t)t->cond.b[i]
						   << bit % 64;
		}
		t->token[k].w[0] |= k;
		CHECK(pm_token_is_position(&t->token[k]));
	}
}

/* Ids that follow from the slug alone. */
static void
name_terms(struct pmx_terms *t, const char *slug)
{
	uint64_t h = hash_bytes(HASH_SEED, slug, strlen(slug));

	if (t->is_position) {
		name_position(t, h);
		return;
	}
	t->cond.n = 32;
	for (size_t i = 0; i < 32; i += 8) {
		uint64_t v = hash_u64(h, i);

		memcpy(t->cond.b + i, &v, sizeof(v));
	}
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < 4; i++)
			t->token[k].w[i] = hash_u64(h, 100 + 10 * k + i);
}

static struct world_window *
list_market(
    struct world *w, const char *slug, enum world_kind kind, bool is_updown)
{
	struct world_window *v = &w->window[entry(w)];
	struct pmx_terms t = {.tick = TOK_PX(E8 / 100),
	    .min_qty = QTY(5 * E8),
	    .fee_ppm = is_updown ? FEE_PPM : 0,
	    .delay_ms = is_updown ? w->cfg.delay_ms : 0,
	    .is_updown = is_updown,
	    .neg_risk = kind == WORLD_NEG_RISK,
	    .is_position = kind == WORLD_V3,
	    .is_first = kind == WORLD_V1};
	uint32_t market;

	name_terms(&t, slug);
	market = pmx_market_open(&w->pmx, &t);
	CHECK(market != PMX_NONE);
	tape_open(&w->tape, (uint16_t)market);
	memset(v, 0, sizeof(*v));
	v->phase = WORLD_LISTED;
	CHECK(strlen(slug) < sizeof(v->slug));
	memcpy(v->slug, slug, strlen(slug) + 1);
	v->number = 1000000 + ++w->numbers;
	v->market = (uint16_t)market;
	v->terms = t;
	return v;
}

static void
say_new(struct world *w, const struct world_window *v)
{
	static const char *const keys[2] = {
	    "\",\"assets_ids\":[\"", "\"],\"clob_token_ids\":[\""};
	struct text t;

	text_init(&t, w->text, sizeof(w->text));
	text_lit(&t, "{\"event_type\":\"new_market\",\"id\":\"");
	put_i64(&t, v->number);
	text_lit(&t, "\",\"question\":\"Bitcoin Up or Down\",\"market\":\"");
	put_cond(&t, &v->terms.cond);
	text_lit(&t, "\",\"condition_id\":\"");
	put_cond(&t, &v->terms.cond);
	text_lit(&t, "\",\"slug\":\"");
	text_lit(&t, v->slug);
	for (int i = 0; i < 2; i++) {
		text_lit(&t, keys[i]);
		put_token(&t, &v->terms.token[0]);
		text_lit(&t, "\",\"");
		put_token(&t, &v->terms.token[1]);
	}
	text_lit(&t, "\"],\"outcomes\":[\"Up\",\"Down\"],\"active\":true,"
		     "\"order_price_min_tick_size\":\"0.01\","
		     "\"fees_enabled\":true,\"fee_schedule\":{\"rate\":0.07,"
		     "\"exponent\":1,\"takerOnly\":true,\"rebateRate\":0.2},"
		     "\"timestamp\":\"");
	put_i64(&t, (int64_t)(w->now_ns / WORLD_MS));
	text_lit(&t, "\"}");
	world_say(w, WORLD_PM_NEW, v->market, &t);
}

static void
list_window(struct world *w, const struct world_series *s, uint64_t start_ns)
{
	char slug[WORLD_SLUG];
	struct world_window *v;
	struct text t;

	text_init(&t, slug, sizeof(slug));
	text_lit(&t, s->name);
	text_lit(&t, "-");
	put_i64(&t, (int64_t)(start_ns / WORLD_SECOND));
	CHECK(text_end(&t) > 0);
	v = list_market(w, slug, s->kind, true);
	v->start_ns = start_ns;
	v->end_ns = start_ns + s->window_s * WORLD_SECOND;
	say_new(w, v);
}

static void
list_due(struct world *w)
{
	for (uint32_t i = 0; i < w->cfg.series_n; i++) {
		const struct world_series *s = &w->cfg.series[i];
		uint64_t len = s->window_s * WORLD_SECOND;
		uint64_t next = w->listed_ns[i] == 0 ? w->now_ns / len * len
						     : w->listed_ns[i] + len;

		while (next <= w->now_ns + w->cfg.ahead_s * WORLD_SECOND) {
			list_window(w, s, next);
			w->listed_ns[i] = next;
			next += len;
		}
	}
}

/* ---- a window's life ---- */

static void
put_on_trade(struct world *w, struct world_window *v)
{
	pm_flow_open(&w->pm_flow, v->market, v->start_ns, v->end_ns);
	v->phase = WORLD_TRADING;
}

static void
close_window(struct world *w, struct world_window *v)
{
	uint64_t from = v->end_ns - 60 * WORLD_SECOND;

	v->close_px = path_mean(&w->path, from, v->end_ns);
	v->yes = pm_flow_yes(&w->pm_flow, v->market);
	if (v->strike == 0)
		v->strike = pm_flow_strike(&w->pm_flow, v->market);
	pm_flow_close(&w->pm_flow, v->market);
	pmx_halt(&w->pmx, v->market, true);
	v->phase = WORLD_ENDED;
}

static void
resolve(struct world *w, struct world_window *v)
{
	v->is_void = w->voids;
	v->is_disputed = false;
	if (!v->is_void) /* nobody has won a void market */
		tape_resolved(&w->tape, v->market, v->yes ? ROLE_YES : ROLE_NO);
	pmx_resolve(&w->pmx, v->market,
	    v->is_void ? PX(E8 / 2)
	    : v->yes   ? PX(E8)
		       : PX(0));
	v->phase = WORLD_RESOLVED;
}

static void
fit_grid(struct world *w, const struct world_window *v)
{
	tok_px_t old = w->pmx.market[v->market].terms.tick;
	tok_px_t tick = pm_flow_tick(&w->pm_flow, v->market);

	if (v->is_pinned || tick.tok_e8 == old.tok_e8)
		return;
	pmx_set_tick(&w->pmx, v->market, tick);
	tape_tick(&w->tape, v->market, old);
}

/* When a window needs the world next; it is then called once more. */
static uint64_t
due_ns(const struct world *w, const struct world_window *v)
{
	switch (v->phase) {
	case WORLD_LISTED: return v->start_ns - TRADE_AHEAD_NS;
	case WORLD_TRADING: {
		uint64_t strike_ns =
		    v->start_ns + w->cfg.strike_s * WORLD_SECOND;

		return v->strike == 0 && strike_ns < v->end_ns ? strike_ns
							       : v->end_ns;
	}
	case WORLD_ENDED: {
		uint64_t ns = v->end_ns + w->cfg.resolve_s * WORLD_SECOND;

		return w->disputes && ns <= w->now_ns ? w->now_ns + WORLD_SECOND
						      : ns;
	}
	case WORLD_RESOLVED: return NO_LOCAL_END;
	case WORLD_PHASE_N: break;
	}
	return NO_LOCAL_END;
}

static void
step_window(struct world *w, struct world_window *v)
{
	if (v->end_ns == 0)
		return; /* the quiet market */
	while (w->now_ns >= due_ns(w, v)) {
		if (v->phase == WORLD_LISTED)
			put_on_trade(w, v);
		else if (v->phase == WORLD_ENDED)
			resolve(w, v);
		else if (w->now_ns >= v->end_ns)
			close_window(w, v);
		else
			v->strike = pm_flow_strike(&w->pm_flow, v->market);
		if (v->phase == WORLD_TRADING && v->strike == 0 &&
		    w->now_ns < v->end_ns)
			break; /* the strike is not known yet */
	}
	if (v->phase == WORLD_TRADING)
		fit_grid(w, v);
	if (v->phase == WORLD_ENDED && w->disputes)
		v->is_disputed = true;
}

void
world_windows_step(struct world *w)
{
	list_due(w);
	for (uint32_t i = 0; i < WORLD_WINDOWS; i++)
		if (w->window[i].phase != 0)
			step_window(w, &w->window[i]);
}

uint64_t
world_windows_wake(const struct world *w)
{
	uint64_t ns = 0;

	for (uint32_t i = 0; i < WORLD_WINDOWS; i++) {
		const struct world_window *v = &w->window[i];
		uint64_t at;

		if (v->phase == 0 || v->end_ns == 0)
			continue;
		at = due_ns(w, v);
		if (at != NO_LOCAL_END && (ns == 0 || at < ns))
			ns = at;
	}
	for (uint32_t i = 0; i < w->cfg.series_n; i++) {
		uint64_t at = w->listed_ns[i] +
			      w->cfg.series[i].window_s * WORLD_SECOND -
			      w->cfg.ahead_s * WORLD_SECOND;

		if (ns == 0 || at < ns)
			ns = at;
	}
	return ns;
}

/* A market in which nothing happens: three bids, three offers of NO. */
static void
make_quiet(struct world *w, const char *slug, enum world_kind kind)
{
	struct world_window *v = list_market(w, slug, kind, false);
	uint32_t account = desk_participant(&w->pm_desk, USD(10000 * E6));

	v->phase = WORLD_TRADING;
	for (int64_t i = 0; i < 6; i++) {
		struct pmx_new n = {.account = account,
		    .market = v->market,
		    .role = i < 3 ? ROLE_YES : ROLE_NO,
		    .side = SIDE_BID,
		    .type = PMX_GTC,
		    .give_e6 = (48 - i % 3) * 100 * 10000,
		    .get_e6 = 100 * E6};
		uint32_t order;

		n.id.b[0] = 0x01;
		n.id.b[30] = (uint8_t)v->market;
		n.id.b[31] = (uint8_t)i;
		CHECK(pmx_place(&w->pmx, &n, w->now_ns, &order) == PMX_OK);
	}
}

void
world_windows_init(struct world *w)
{
	make_quiet(w, QUIET_SLUG, WORLD_V2);
	for (uint32_t i = 0; i < w->cfg.quiet_n; i++)
		make_quiet(w, w->cfg.quiet[i].name, w->cfg.quiet[i].kind);
	list_due(w);
	for (uint32_t i = 0; i < WORLD_WINDOWS; i++)
		if (w->window[i].phase != 0)
			step_window(w, &w->window[i]);
}

const struct world_window *
world_window_find(const struct world *w, const char *slug, size_t n)
{
	for (uint32_t i = 0; i < WORLD_WINDOWS; i++) {
		const struct world_window *v = &w->window[i];

		if (v->phase != 0 && strlen(v->slug) == n &&
		    memcmp(v->slug, slug, n) == 0)
			return v;
	}
	return NULL;
}

/* ---- Gamma's objects ---- */

static void
put_px(struct text *t, double px)
{
	put_e8(t, llround(px * 1e8), 0);
}

static void
put_ids(struct text *t, const struct world_window *v)
{
	text_lit(t, "\"conditionId\":\"");
	put_cond(t, &v->terms.cond);
	if (v->terms.is_position) { /* a list, not a text of one */
		text_lit(t, "\",\"positionIds\":[\"");
		put_token(t, &v->terms.token[0]);
		text_lit(t, "\",\"");
		put_token(t, &v->terms.token[1]);
		text_lit(t, "\"]");
		return;
	}
	text_lit(t, "\",\"clobTokenIds\":\"[\\\"");
	put_token(t, &v->terms.token[0]);
	text_lit(t, "\\\", \\\"");
	put_token(t, &v->terms.token[1]);
	text_lit(t, "\\\"]\"");
}

static void
put_state(struct text *t, const struct world *w, const struct world_window *v)
{
	bool over = v->phase == WORLD_RESOLVED;
	bool open = v->phase == WORLD_LISTED || v->phase == WORLD_TRADING;
	tok_px_t tick =
	    over ? v->terms.tick : w->pmx.market[v->market].terms.tick;

	text_lit(t, over ? ",\"active\":true,\"closed\":true"
			 : ",\"active\":true,\"closed\":false");
	text_lit(t,
	    open ? ",\"acceptingOrders\":true" : ",\"acceptingOrders\":false");
	text_lit(t, ",\"enableOrderBook\":true,\"outcomePrices\":\"");
	if (over && !v->is_void)
		text_lit(t, v->yes ? "[\\\"1\\\", \\\"0\\\"]"
				   : "[\\\"0\\\", \\\"1\\\"]");
	else
		text_lit(t, "[\\\"0.5\\\", \\\"0.5\\\"]");
	text_lit(t, "\",\"orderPriceMinTickSize\":");
	put_e8(t, tick.tok_e8, 0);
	text_lit(t, ",\"orderMinSize\":");
	put_e8(t, v->terms.min_qty.e8, 0);
	if (over)
		text_lit(t, ",\"umaResolutionStatus\":\"resolved\"");
	else if (v->is_disputed)
		text_lit(t, ",\"umaResolutionStatus\":\"disputed\","
			    "\"umaResolutionStatuses\":\"[\\\"proposed\\\", "
			    "\\\"disputed\\\"]\"");
}

void
world_put_market(
    const struct world *w, const struct world_window *v, struct text *t)
{
	bool updown = v->terms.is_updown;

	text_lit(t, "{\"id\":\"");
	put_i64(t, v->number);
	text_lit(t, v->terms.is_position ? "\",\"version\":\"v2\",\"slug\":\""
					 : "\",\"version\":\"v1\",\"slug\":\"");
	text_lit(t, v->slug);
	text_lit(t, updown ? "\",\"question\":\"Bitcoin Up or Down\","
			     "\"resolutionSource\":\"https://data.chain.link/"
			     "streams/btc-usd\","
			     "\"description\":\"This market will resolve to "
			     "\\\"Up\\\" if the "
			   : "\",\"question\":\"A quiet market?\",");
	if (updown)
		text_lit(t, v->start_ns < TWAP_FROM_NS
				? "price"
				: "60-second time-weighted average price");
	text_lit(t, updown ? " at the end is greater than or equal to that at "
			     "the beginning. The source is Chainlink's data "
			     "stream BTC/USD.\","
			   : "");
	put_ids(t, v);
	text_lit(t, updown ? ",\"outcomes\":\"[\\\"Up\\\", \\\"Down\\\"]\""
			   : ",\"outcomes\":\"[\\\"Yes\\\", \\\"No\\\"]\"");
	if (v->end_ns != 0) {
		text_lit(t, ",\"eventStartTime\":\"");
		put_iso(t, v->start_ns);
		text_lit(t, "\",\"endDate\":\"");
		put_iso(t, v->end_ns);
		text_lit(t, "\"");
	}
	put_state(t, w, v);
	text_lit(
	    t, v->terms.neg_risk ? ",\"negRisk\":true" : ",\"negRisk\":false");
	text_lit(t, ",\"liquidityNum\":20000,\"volume24hr\":"
		    "50000,\"feesEnabled\":");
	text_lit(t, updown ? "true,\"feeType\":\"crypto_fees\",\"feeSchedule\":"
			     "{\"rate\":0.07,\"exponent\":1,\"takerOnly\":true,"
			     "\"rebateRate\":0.2}"
			   : "false");
	text_lit(t, ",\"events\":[{\"id\":\"");
	put_i64(t, v->number + INT64_C(1000000));
	text_lit(t, "\",\"slug\":\"");
	text_lit(t, v->slug);
	text_lit(t, "\"}]}");
}

void
world_put_event(
    const struct world *w, const struct world_window *v, struct text *t)
{
	text_lit(t, "{\"id\":\"");
	put_i64(t, v->number + INT64_C(1000000));
	text_lit(t, "\",\"slug\":\"");
	text_lit(t, v->slug);
	text_lit(t, "\"");
	if (v->strike != 0) {
		text_lit(t, ",\"eventMetadata\":{\"priceToBeat\":");
		put_px(t, v->strike);
		if (v->phase == WORLD_RESOLVED) {
			text_lit(t, ",\"finalPrice\":");
			put_px(t, v->close_px);
		}
		text_lit(t, "}");
	}
	text_lit(t, ",\"markets\":[");
	world_put_market(w, v, t);
	text_lit(t, "]}");
}
