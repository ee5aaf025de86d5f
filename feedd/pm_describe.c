/*
 * An instrument from what the venue says about its market.
 */
#include <string.h>

#include "feedd/pm_feed.h"
#include "feedd/pm_life.h"
#include "feedd/pm_rules.h"
#include "feedd/text.h"
#include "libcore/check.h"
#include "libcore/hash.h"
#include "libcore/rrs.h"

#define LOT_QTY QTY(E8 / 100)
#define MIN_USD USD(1 * E6)
#define TAGS_SZ 512u

/* A slug too long for the table is told from others by its hash. */
static void
set_symbol(struct instr *in, const char *slug)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = strlen(slug);
	uint64_t h = hash_bytes(HASH_SEED, slug, n);
	size_t at = sizeof(in->symbol) - 10;

	memset(in->symbol, 0, sizeof(in->symbol));
	if (n < sizeof(in->symbol)) {
		memcpy(in->symbol, slug, n);
		return;
	}
	memcpy(in->symbol, slug, at);
	in->symbol[at++] = '~';
	for (; at < sizeof(in->symbol) - 1; at++, h >>= 4)
		in->symbol[at] = hex[h & 15];
}

/* What an up/down market settles on, as it says itself. False: it says
 * nothing that we know, and must not be traded. */
static bool
describe_settlement(struct pm_feed *p, struct instr *in,
    const struct gamma_market *g, const char *asset)
{
	struct pm_rules rules;
	char relay[24];
	bool is_known;

	in->tie_yes = 0;
	if (!g->is_updown)
		return true;
	is_known = pm_rules_read(g, asset, &rules);
	in->tie_yes = rules.tie_yes;
	in->settle_source = rules.source;
	in->settle_lookback_s = rules.lookback_s;
	in->settle_index = 0;
	text_join(relay, sizeof(relay), asset, "usdt");
	if (is_known)
		in->settle_index = rules.source == REF_RELAY
				       ? pm_ref_symbol(p, relay)
				       : pm_ref_index(p, asset, strlen(asset));
	return is_known;
}

/* The reference of an up/down market: Binance when that symbol is followed,
 * else the settlement price itself. */
static uint16_t
underlying_of(
    const struct pm_feed *p, const struct instr *in, const char *asset)
{
	const struct cfg_list *l = &p->feed.cfg.binance_symbols;
	size_t n = strlen(asset);

	if (n == 0)
		return 0;
	for (uint32_t i = 0; p->feed.cfg.binance_enabled && i < l->n; i++) {
		char base[CFG_ITEM_SZ];

		text_upper(base, sizeof(base), l->item[i]);
		if (strlen(base) == n + 4 && text_same_head(base, asset, n) &&
		    strcmp(base + n, "USDT") == 0)
			return (uint16_t)(INSTR_BN_BASE + i);
	}
	return in->settle_index;
}

/* An unknown fee counts as the highest, never as none (T-11). */
static void
describe_fee(struct instr *in, const struct gamma_market *g)
{
	int64_t rate_e8 = g->fee == GAMMA_FEE_FREE ? 0
			  : g->fee == GAMMA_FEE_SCHEDULE
			      ? g->fee_rate_e8
			      : GAMMA_FEE_RATE_HIGHEST_E8;
	int64_t rebate_e8 =
	    g->fee == GAMMA_FEE_SCHEDULE ? g->rebate_rate_e8 : 0;

	in->fee_ppm = (uint32_t)i64_clamp(rate_e8 / 100, 0, UINT32_MAX);
	in->rebate_ppm = (uint32_t)i64_clamp(rebate_e8 / 100, 0, UINT32_MAX);
	in->fee_exponent =
	    g->fee == GAMMA_FEE_SCHEDULE && g->fee_exponent <= UINT8_MAX
		? (uint8_t)g->fee_exponent
		: 1;
}

static uint32_t
cluster_of(const struct gamma_market *g, const char *asset)
{
	uint64_t h = HASH_SEED;

	if (g->is_updown && asset[0] != '\0')
		h = hash_bytes(h, asset, strlen(asset));
	else if (g->neg_risk_id.n > 0)
		h = hash_bytes(h, g->neg_risk_id.b, g->neg_risk_id.n);
	else if (g->event.id.n > 0)
		h = hash_bytes(h, g->event.id.s, g->event.id.n);
	else
		return 0;
	return (uint32_t)(h ^ h >> 32) | 1u;
}

static struct rrs_span
span(struct json_str s)
{
	return (struct rrs_span){s.n > 0 ? s.s : NULL, s.n};
}

static uint64_t
rules_of(const struct gamma_market *g)
{
	char tags[TAGS_SZ];
	size_t n = 0;
	struct rrs_text t = {.question = span(g->question),
	    .rules = span(g->description),
	    .source = span(g->resolution_source),
	    .uma = span(g->uma_status),
	    .outcome = span(g->group_title),
	    .outcomes_n = 2,
	    .neg_risk = g->neg_risk,
	    .is_other = g->neg_risk_other};

	for (uint32_t i = 0; i < g->tags_n; i++) {
		if (g->tags[i].n + 1 > sizeof(tags) - n)
			break;
		memcpy(tags + n, g->tags[i].s, g->tags[i].n);
		n += g->tags[i].n;
		tags[n++] = ' ';
	}
	t.tags = (struct rrs_span){n > 0 ? tags : NULL, n};
	if (g->uma_disputed && t.uma.s == NULL)
		t.uma = (struct rrs_span){"disputed", 8};
	return rrs_features(&t);
}

static struct pm_life_view
view_of(const struct pm_feed *p, const struct instr *in)
{
	const struct cfg *c = &p->feed.cfg;

	return (struct pm_life_view){.is_updown = in->cls == CLASS_UPDOWN,
	    .end_ns = in->end_wall_ns,
	    .now_ns = pm_venue_now(p),
	    .watch_ns = c->state_watch_threshold_hours.ns,
	    .near_ns = c->state_close_window_threshold_hours.ns};
}

/* One whose books do not exist yet stays HYDRATING while it would trade. */
static void
set_state(struct pm_market *m, struct instr *in, enum instr_state s)
{
	if (m->state_kept != 0 && pm_life_trades(s)) {
		m->state_kept = (uint8_t)s;
		return;
	}
	m->state_kept = 0;
	in->state = (uint8_t)s;
}

/* What the venue says, through the table of pm_life.c. */
static void
describe_life(struct pm_feed *p, struct pm_market *m, struct instr *in,
    const struct gamma_market *g, bool is_known)
{
	struct pm_life_view v = view_of(p, in);
	enum instr_state s =
	    (enum instr_state)(m->state_kept != 0 ? m->state_kept : in->state);
	enum pm_life_ev ev;

	v.closed = g->closed;
	v.has_outcome = g->outcome != 0;
	v.disputed = text_is(g->uma_status, "disputed");
	v.takes_orders =
	    is_known && g->accepting_orders && g->enable_order_book;
	ev = pm_life_of(&v);
	if (!pm_life_step(&s, ev))
		feed_note(&p->feed, REASON_STATE);
	if (s == INSTR_RESOLVED && in->outcome == 0 && g->closed)
		in->outcome = (uint8_t)g->outcome;
	set_state(m, in, s);
	m->life_ns = pm_life_trades(s) ? pm_life_due(&v) : 0;
}

bool
pm_describe_life(struct pm_feed *p, struct pm_market *m)
{
	struct pm_life_view v = view_of(p, &m->in);
	uint8_t was = m->in.state;
	enum instr_state s =
	    (enum instr_state)(m->state_kept != 0 ? m->state_kept : was);
	bool stepped = !pm_life_trades(s) || pm_life_step(&s, pm_life_time(&v));

	CHECK(stepped);
	set_state(m, &m->in, s);
	m->life_ns = pm_life_trades(s) ? pm_life_due(&v) : 0;
	return m->in.state != was;
}

bool
pm_describe(
    struct pm_feed *p, struct pm_market *m, const struct gamma_market *g)
{
	struct instr in = m->in;
	char slug[PM_TEXT_SZ];
	char asset[16];
	bool is_known;
	bool changed;

	pm_slug(g, slug, sizeof(slug));
	pm_series_asset(slug, asset, sizeof(asset));
	set_symbol(&in, slug);
	in.venue = VENUE_POLYMARKET;
	in.cls = g->is_updown ? CLASS_UPDOWN : CLASS_BINARY;
	in.token_kind = (uint8_t)g->generation;
	in.neg_risk = g->neg_risk;
	in.is_other = g->neg_risk_other;
	in.taker_delayed = g->is_updown || g->seconds_delay > 0;
	in.lot_qty = LOT_QTY;
	in.min_qty = g->min_size;
	in.min_usd = MIN_USD;
	if (in.tick_px.e8 == 0)
		in.tick_px = PX(g->tick.tok_e8 > 0 ? g->tick.tok_e8 : E8 / 100);
	describe_fee(&in, g);
	in.start_wall_ns = g->start_ns;
	in.end_wall_ns = g->end_ns;
	is_known = describe_settlement(p, &in, g, asset);
	if (!is_known && m->in.symbol[0] == '\0') /* told once */
		feed_drop(&p->feed, REASON_RULES, 0, slug, strlen(slug));
	if (g->is_updown)
		in.underlying = underlying_of(p, &in, asset);
	in.cluster = cluster_of(g, asset);
	in.liquidity = g->liquidity;
	in.volume_day = g->volume_day;
	in.reward_spread = g->reward_spread;
	in.reward_min_qty = g->reward_min_size;
	in.rules = rules_of(g);
	memcpy(in.condition, g->cond.b, sizeof(in.condition));
	memcpy(in.token_yes, &g->yes, sizeof(in.token_yes));
	memcpy(in.token_no, &g->no, sizeof(in.token_no));
	describe_life(p, m, &in, g, is_known);
	changed = memcmp(&in, &m->in, sizeof(in)) != 0;
	m->in = in;
	return changed;
}
