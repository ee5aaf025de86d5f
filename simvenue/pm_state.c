#include "simvenue/polymarket.h"

#include <string.h>

#include "libcore/check.h"

int
sim_pm_find(const struct sim_pm *s, const struct pm_token *token)
{
	for (uint32_t i = 0; i < s->asset_n; i++) {
		if (pm_token_eq(&s->assets[i].token, token))
			return (int)i;
	}
	return -1;
}

static struct sim_pm_asset *
asset_get(struct sim_pm *s, const struct pm_token *token)
{
	int i = sim_pm_find(s, token);
	if (i >= 0)
		return &s->assets[i];
	if (s->asset_n == SIM_PM_ASSETS_MAX)
		return NULL;
	struct sim_pm_asset *a = &s->assets[s->asset_n++];
	a->token = *token;
	pm_meta_init(&a->meta);
	return a;
}

/* Is level a nearer to the bottom of the list than price px? */
static bool
comes_before(const struct sim_pm_level *a, int64_t px_e8, bool is_bid)
{
	return is_bid ? a->px_e8 < px_e8 : a->px_e8 > px_e8;
}

static void
side_set(struct sim_pm_side *side, bool is_bid, struct sim_pm_level l)
{
	uint32_t i = 0;
	while (i < side->n && comes_before(&side->levels[i], l.px_e8, is_bid))
		i++;
	bool is_there = i < side->n && side->levels[i].px_e8 == l.px_e8;
	if (l.qty_e8 == 0) {
		if (!is_there)
			return;
		memmove(&side->levels[i], &side->levels[i + 1],
		    (side->n - i - 1) * sizeof(l));
		side->n--;
		return;
	}
	if (!is_there) {
		if (side->n == PM_LEVELS_MAX)
			return;
		memmove(&side->levels[i + 1], &side->levels[i],
		    (side->n - i) * sizeof(l));
		side->n++;
	}
	side->levels[i] = l;
}

static void
side_fill(struct sim_pm_side *side, bool is_bid, const struct pm_level *from,
    uint32_t n)
{
	side->n = 0;
	for (uint32_t i = 0; i < n; i++)
		side_set(side, is_bid,
		    (struct sim_pm_level){from[i].px.tok_e8, from[i].qty.e8});
}

static void
apply_book(struct sim_pm *s, const struct pm_event *ev)
{
	struct sim_pm_asset *a = asset_get(s, &ev->token);
	if (a == NULL || (a->has_book && ev->venue_ns < a->venue_ns))
		return;
	a->market = ev->market;
	a->venue_ns = ev->venue_ns;
	a->has_book = true;
	pm_meta_update(&a->meta, ev);
	side_fill(&a->bids, true, ev->bids, ev->bids_n);
	side_fill(&a->asks, false, ev->asks, ev->asks_n);
}

static void
apply_changes(struct sim_pm *s, const struct pm_event *ev)
{
	for (uint32_t i = 0; i < ev->changes_n; i++) {
		const struct pm_change *c = &ev->changes[i];
		struct sim_pm_asset *a = asset_get(s, &c->token);
		if (a == NULL || !a->has_book || ev->venue_ns < a->venue_ns)
			continue;
		struct sim_pm_level l = {c->px.tok_e8, c->qty.e8};
		a->venue_ns = ev->venue_ns;
		if (c->side == SIDE_BID)
			side_set(&a->bids, true, l);
		else
			side_set(&a->asks, false, l);
	}
}

void
sim_pm_apply_frame(struct sim_pm *s, const char *text, size_t n)
{
	struct pm_frame f;
	enum pm_kind kind;
	pm_frame_init(&f, text, n);
	while ((kind = pm_next(&f, &s->ev)) != PM_END && kind != PM_ERR) {
		struct sim_pm_asset *a = NULL;
		if (kind == PM_BOOK) {
			apply_book(s, &s->ev);
		} else if (kind == PM_PRICE_CHANGE) {
			apply_changes(s, &s->ev);
		} else if (kind == PM_TRADE || kind == PM_TICK_SIZE) {
			a = asset_get(s, &s->ev.token);
			if (a != NULL)
				pm_meta_update(&a->meta, &s->ev);
		}
	}
}

static void
put_side(struct text *t, const struct sim_pm_side *side)
{
	text_lit(t, "[");
	for (uint32_t i = 0; i < side->n; i++) {
		text_lit(t, i > 0 ? ",{\"price\":\"" : "{\"price\":\"");
		put_e8(t, side->levels[i].px_e8, 0);
		text_lit(t, "\",\"size\":\"");
		put_e8(t, side->levels[i].qty_e8, 0);
		text_lit(t, "\"}");
	}
	text_lit(t, "]");
}

static void
put_meta(struct text *t, const char *key, const struct pm_meta_text *m)
{
	text_lit(t, key);
	text_put(t, m->s, m->n);
	text_lit(t, "\"");
}

static void
put_tail(struct text *t, const struct pm_meta *m)
{
	if (m->has_min_size)
		put_meta(t, ",\"min_order_size\":\"", &m->min_size);
	if (m->has_tick)
		put_meta(t, ",\"tick_size\":\"", &m->tick);
	if (m->neg_risk == PM_NEG_RISK_FALSE)
		text_lit(t, ",\"neg_risk\":false");
	else if (m->neg_risk == PM_NEG_RISK_TRUE)
		text_lit(t, ",\"neg_risk\":true");
	if (m->has_last_px)
		put_meta(t, ",\"last_trade_price\":\"", &m->last_px);
}

void
sim_pm_put_book(struct sim_pm *s, uint32_t asset, bool is_event, struct text *t)
{
	static const char no_hash[PM_HASH_LEN + 1] =
	    "0000000000000000000000000000000000000000";
	char id[PM_TOKEN_TEXT_MAX];
	char cond[PM_COND_TEXT_MAX];
	CHECK(asset < s->asset_n);
	const struct sim_pm_asset *a = &s->assets[asset];
	CHECK(a->has_book);
	size_t start = t->n;
	text_lit(t, is_event ? "{\"event_type\":\"book\",\"market\":\""
			     : "{\"market\":\"");
	text_put(t, cond, pm_cond_format(&a->market, cond));
	text_lit(t, "\",\"asset_id\":\"");
	text_put(t, id, pm_token_format(&a->token, id));
	text_lit(t, "\",\"timestamp\":\"");
	put_i64(t, a->venue_ns / NS_PER_MS);
	text_lit(t, "\",\"hash\":\"");
	size_t hash_at = t->n;
	text_put(t, no_hash, PM_HASH_LEN);
	text_lit(t, "\",\"bids\":");
	put_side(t, &a->bids);
	text_lit(t, ",\"asks\":");
	put_side(t, &a->asks);
	put_tail(t, &a->meta);
	text_lit(t, "}");
	if (t->full)
		return;
	struct pm_frame f;
	struct pm_meta none;
	pm_meta_init(&none);
	pm_frame_init(&f, t->buf + start, t->n - start);
	CHECK(pm_next(&f, &s->ev) == PM_BOOK);
	pm_hash_event(&s->ev, &none, t->buf + hash_at);
}
