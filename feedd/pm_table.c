#include <string.h>

#include "feedd/pm_feed.h"
#include "feedd/text.h"
#include "libcore/check.h"

#define LOT_QTY	  QTY(E8 / 100)
#define MIN_USD	  USD(1 * E6)
#define TWAP_FROM INT64_C(1786060800000000000) /* 2026-08-07T00:00Z */
#define TWAP_60_S INT64_C(1786665600000000000) /* 2026-08-14T00:00Z */
#define WINDOW_5M INT64_C(300000000000)

uint8_t
pm_conn_of(const struct pm_feed *p, uint32_t i)
{
	uint32_t most = (uint32_t)p->feed.cfg.polymarket_max_tokens / 2;
	uint32_t group = i / most;

	if (group + 1 >= FEED_LANES)
		return FEED_LANES;
	return (uint8_t)(group == 0 ? 0 : group + 1);
}

int64_t
pm_venue_now(const struct pm_feed *p)
{
	if (p->feed.venue_ns != 0)
		return p->feed.venue_ns;
	return p->feed.cfg.system_mode == MODE_SIM ? 0 : p->feed.wall_ns;
}

static void
map_put(struct pm_feed *p, uint32_t i, uint32_t role_idx)
{
	const struct pm_token *t = &p->market[i].tok[role_idx].id;
	uint32_t at = (uint32_t)pm_token_hash(t) % PM_MAP_N;

	while (p->map[at] != 0)
		at = (at + 1) % PM_MAP_N;
	p->map[at] = (uint16_t)(i * 2 + role_idx + 1);
}

static void
map_rebuild(struct pm_feed *p)
{
	memset(p->map, 0, sizeof(p->map));
	for (uint32_t i = 0; i < p->market_n; i++) {
		if (!p->market[i].used)
			continue;
		map_put(p, i, 0);
		map_put(p, i, 1);
	}
}

struct pm_market *
pm_find(struct pm_feed *p, const struct pm_token *t, enum token_role *role)
{
	uint32_t at = (uint32_t)pm_token_hash(t) % PM_MAP_N;

	for (; p->map[at] != 0; at = (at + 1) % PM_MAP_N) {
		uint32_t v = p->map[at] - 1u;
		struct pm_market *m = &p->market[v / 2];

		if (!pm_token_eq(&m->tok[v % 2].id, t))
			continue;
		*role = v % 2 == 0 ? ROLE_YES : ROLE_NO;
		return m;
	}
	return NULL;
}

struct pm_market *
pm_find_cond(struct pm_feed *p, const struct pm_cond *c)
{
	for (uint32_t i = 0; i < p->market_n; i++)
		if (p->market[i].used &&
		    memcmp(&p->market[i].cond, c, sizeof(*c)) == 0)
			return &p->market[i];
	return NULL;
}

void
pm_slug(const struct gamma_market *g, char *buf, size_t cap)
{
	char whole[256];
	size_t n = json_unescape(g->slug, whole, sizeof(whole));

	text_copy(buf, cap, n == SIZE_MAX ? "" : whole);
}

/* A number the way the venue writes it, for the book hash. */
static void
meta_text(struct pm_meta_text *t, bool *has, int64_t e8)
{
	char buf[FIXED_TEXT_MAX];
	size_t n = fixed_format(e8, 8, buf);

	if (e8 <= 0 || n > sizeof(t->s))
		return;
	memcpy(t->s, buf, n);
	t->n = (uint8_t)n;
	*has = true;
}

static void
init_tok(
    struct pm_tok *t, const struct pm_token *id, const struct gamma_market *g)
{
	memset(t, 0, offsetof(struct pm_tok, level));
	t->id = *id;
	pm_meta_init(&t->meta);
	meta_text(&t->meta.min_size, &t->meta.has_min_size, g->min_size.e8);
	meta_text(&t->meta.tick, &t->meta.has_tick, g->tick.tok_e8);
	t->meta.neg_risk = g->neg_risk ? PM_NEG_RISK_TRUE : PM_NEG_RISK_FALSE;
	book_init(&t->book, t->level, BOOK_DEPTH);
}

static enum instr_state
state_of(const struct pm_feed *p, const struct gamma_market *g)
{
	const struct cfg *cfg = &p->feed.cfg;
	int64_t now_ns = pm_venue_now(p);
	int64_t left_ns = g->end_ns - now_ns;

	if (g->closed)
		return g->has_outcome_px ? INSTR_RESOLVED : INSTR_CLOSED;
	if (text_is(g->uma_status, "disputed"))
		return INSTR_DISPUTED;
	if (!g->accepting_orders)
		return INSTR_HALTED;
	if (g->is_updown || now_ns == 0 || g->end_ns == 0)
		return INSTR_NORMAL;
	if (left_ns < cfg->state_close_window_threshold_hours.ns)
		return INSTR_CLOSE_WINDOW;
	if (left_ns < cfg->state_watch_threshold_hours.ns)
		return INSTR_WATCH;
	return INSTR_NORMAL;
}

/* Settlement of up/down markets: the stream itself, or since August 2026 its
 * average over the last seconds of the window. */
static void
describe_settlement(struct instr *in, const struct gamma_market *g)
{
	if (!g->is_updown)
		return;
	in->settle_source = REF_SPOT;
	in->settle_lookback_s = 0;
	if (g->start_ns < TWAP_FROM)
		return;
	in->settle_source = REF_TWAP;
	in->settle_lookback_s = 60;
	if (g->end_ns - g->start_ns == WINDOW_5M && g->start_ns < TWAP_60_S)
		in->settle_lookback_s = 30;
}

/* The reference of an up/down market: Binance when that symbol is followed,
 * else the settlement price itself. */
static uint16_t
underlying_of(const struct pm_feed *p, const char *slug)
{
	const struct cfg_list *l = &p->feed.cfg.binance_symbols;
	const char *dash = strchr(slug, '-');
	size_t n = dash == NULL ? 0 : (size_t)(dash - slug);

	if (n == 0)
		return 0;
	for (uint32_t i = 0; p->feed.cfg.binance_enabled && i < l->n; i++) {
		char base[CFG_ITEM_SZ];

		text_upper(base, sizeof(base), l->item[i]);
		if (strlen(base) == n + 4 && text_same_head(base, slug, n) &&
		    strcmp(base + n, "USDT") == 0)
			return (uint16_t)(INSTR_BN_BASE + i);
	}
	return pm_ref_index(p, slug, n);
}

bool
pm_describe(
    struct pm_feed *p, struct pm_market *m, const struct gamma_market *g)
{
	struct instr in = m->in;
	bool changed;

	pm_slug(g, in.symbol, sizeof(in.symbol));
	in.venue = VENUE_POLYMARKET;
	in.cls = g->is_updown ? CLASS_UPDOWN : CLASS_BINARY;
	if (in.state != INSTR_RESOLVED)
		in.state = (uint8_t)state_of(p, g);
	in.neg_risk = g->neg_risk;
	in.lot_qty = LOT_QTY;
	in.min_qty = g->min_size;
	in.min_usd = MIN_USD;
	if (in.tick_px.e8 == 0)
		in.tick_px = PX(g->tick.tok_e8 > 0 ? g->tick.tok_e8 : E8 / 100);
	in.fee_ppm = 0;
	in.rebate_ppm = 0;
	if (g->fees_enabled && g->has_fee) {
		in.fee_ppm =
		    (uint32_t)i64_clamp(g->fee_rate_e8 / 100, 0, UINT32_MAX);
		in.rebate_ppm =
		    (uint32_t)i64_clamp(g->rebate_rate_e8 / 100, 0, UINT32_MAX);
	}
	in.start_wall_ns = g->start_ns;
	in.end_wall_ns = g->end_ns;
	if (g->is_updown)
		in.underlying = underlying_of(p, in.symbol);
	describe_settlement(&in, g);
	memcpy(in.condition, g->cond.b, sizeof(in.condition));
	memcpy(in.token_yes, &g->yes, sizeof(in.token_yes));
	memcpy(in.token_no, &g->no, sizeof(in.token_no));
	changed = memcmp(&in, &m->in, sizeof(in)) != 0;
	m->in = in;
	return changed;
}

static struct pm_market *
free_entry(struct pm_feed *p)
{
	uint32_t i = 0;

	while (i < p->market_n && p->market[i].used)
		i++;
	if (i >= PM_MARKETS_N || pm_conn_of(p, i) == FEED_LANES)
		return NULL;
	if (i == p->market_n)
		p->market_n++;
	return &p->market[i];
}

struct pm_market *
pm_add(struct pm_feed *p, const struct gamma_market *g)
{
	struct feed *f = &p->feed;
	struct pm_market *m = free_entry(p);
	uint16_t epoch;
	uint32_t i;

	CHECK(g->has_tokens);
	if (m == NULL) {
		feed_log(f, FEED_LOG_TABLE_FULL, 0, REASON_FULL, PM_MARKETS_N);
		return NULL;
	}
	i = (uint32_t)(m - p->market);
	epoch = (uint16_t)(m->in.epoch + 1);
	memset(m, 0, offsetof(struct pm_market, tok));
	m->used = true;
	m->cond = g->cond;
	m->in.epoch = epoch;
	m->pub.idx = (uint16_t)(INSTR_PM_BASE + PM_INDEX_N + i);
	m->pub.epoch = epoch;
	m->pub.conn = pm_conn_of(p, i);
	pub_forget(&m->pub);
	init_tok(&m->tok[0], &g->yes, g);
	init_tok(&m->tok[1], &g->no, g);
	map_put(p, i, 0);
	map_put(p, i, 1);
	pm_describe(p, m, g);
	f->instr_n++;
	feed_instr(f, m->pub.idx, &m->in);
	feed_log(f, FEED_LOG_ADDED, m->pub.idx, REASON_NONE, m->in.tick_px.e8);
	if (m->pub.conn >= f->link_n)
		f->link_n = m->pub.conn + 1u;
	link_want(&f->link[m->pub.conn], true, f->now_ns);
	if (link_is_live(&f->link[m->pub.conn])) {
		pm_subscribe(p, m, PM_SUB_ADD);
		feed_complete(f, m->pub.conn, false);
	}
	return m;
}

void
pm_retire(struct pm_feed *p, struct pm_market *m, enum instr_state s)
{
	struct feed *f = &p->feed;

	CHECK(m->used);
	if (link_is_live(&f->link[m->pub.conn]))
		pm_subscribe(p, m, PM_SUB_REMOVE);
	m->in.state = (uint8_t)s;
	feed_instr(f, m->pub.idx, &m->in);
	feed_log(f, FEED_LOG_RETIRED, m->pub.idx, REASON_NONE, 0);
	pub_forget(&m->pub);
	m->used = false;
	f->instr_n--;
	map_rebuild(p);
	pm_check_complete(p, m->pub.conn);
}

static void
asked(const struct feed *f, struct pm_market *m)
{
	m->tok[0].is_awaited = true;
	m->tok[1].is_awaited = true;
	m->wait_ns = f->now_ns;
	m->resnap_ns = f->now_ns + PM_RESNAP_NS;
	m->resnap_due_ns = 0;
}

void
pm_subscribe_all(struct pm_feed *p, uint8_t conn)
{
	struct feed *f = &p->feed;
	size_t n = 0;
	size_t len;

	for (uint32_t i = 0; i < p->market_n; i++) {
		struct pm_market *m = &p->market[i];

		if (!m->used || m->pub.conn != conn)
			continue;
		p->tokens[n++] = m->tok[0].id;
		p->tokens[n++] = m->tok[1].id;
		asked(f, m);
	}
	if (n == 0)
		return;
	len = pm_encode_subscription(
	    PM_SUB_FIRST, p->tokens, n, p->text, sizeof(p->text));
	CHECK(len > 0);
	feed_send(f, conn, p->text, len);
	feed_log(f, FEED_LOG_SUBSCRIBED, 0, REASON_NONE, (int64_t)n);
	feed_wake_at(f, f->now_ns + (uint64_t)f->cfg.feed_snapshot_timeout.ns);
}

void
pm_subscribe(struct pm_feed *p, struct pm_market *m, enum pm_sub op)
{
	struct feed *f = &p->feed;
	const struct pm_token tokens[2] = {m->tok[0].id, m->tok[1].id};
	size_t len =
	    pm_encode_subscription(op, tokens, 2, p->text, sizeof(p->text));

	CHECK(len > 0);
	feed_send(f, m->pub.conn, p->text, len);
	if (op == PM_SUB_REMOVE)
		return;
	asked(f, m);
	feed_wake_at(f, f->now_ns + (uint64_t)f->cfg.feed_snapshot_timeout.ns);
}
