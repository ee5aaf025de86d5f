#include "simvenue/pm_tape.h"

#include <string.h>

#include "libcore/check.h"
#include "libvenue/pm_hash.h"
#include "simvenue/put.h"
#include "simvenue/venue.h"

#define NS_PER_MS_U UINT64_C(1000000)

void
tape_init(struct pm_tape *p, const struct pmx *x,
    void (*emit)(void *user, uint16_t market, const char *text, size_t n),
    void *user)
{
	CHECK(emit != NULL);
	p->x = x;
	p->emit = emit;
	p->user = user;
}

void
tape_open(struct pm_tape *p, uint16_t market)
{
	CHECK(market < PMX_MARKETS);
	memset(&p->market[market], 0, sizeof(p->market[market]));
}

void
tape_level(
    struct pm_tape *p, uint16_t market, enum side side, px_t px, qty_t qty)
{
	struct tape_market *m = &p->market[market];

	for (uint32_t i = 0; i < m->change_n && i < TAPE_CHANGES; i++)
		if (m->change[i].side == side && m->change[i].px.e8 == px.e8) {
			m->change[i].qty = qty;
			return;
		}
	if (m->change_n < TAPE_CHANGES)
		m->change[m->change_n] = (struct tape_change){side, px, qty};
	if (m->change_n <= TAPE_CHANGES)
		m->change_n++;
}

void
tape_print(struct pm_tape *p, uint16_t market, const struct tape_print *print)
{
	struct tape_market *m = &p->market[market];

	if (m->print_n < TAPE_CHANGES)
		m->print[m->print_n++] = *print;
	m->last_e8[print->role - ROLE_YES] = print->px.tok_e8;
}

/* ---- texts ---- */

static void
put_time(struct text *t, const struct pm_tape *p)
{
	text_lit(t, ",\"timestamp\":\"");
	put_i64(t, (int64_t)(p->x->now_ns / NS_PER_MS_U));
	text_lit(t, "\"");
}

/* One side of a token's book, worst level first. */
static void
put_side(
    struct text *t, const struct match *m, enum token_role role, enum side side)
{
	enum side of = frame_side(side, role);
	uint32_t n = match_level_n(m, of);

	text_lit(t, "[");
	for (uint32_t i = n; i > 0; i--) {
		const struct match_level *l = match_level(m, of, i - 1);

		text_lit(t, i == n ? "{\"price\":\"" : ",{\"price\":\"");
		put_e8(t, frame_tok_px(l->px, role).tok_e8, 0);
		text_lit(t, "\",\"size\":\"");
		put_e8(t, l->qty.e8, 0);
		text_lit(t, "\"}");
	}
	text_lit(t, "]");
}

static void
put_tail(struct text *t, const struct pm_tape *p, uint16_t market,
    enum token_role role)
{
	const struct pmx_terms *m = &p->x->market[market].terms;
	int64_t last = p->market[market].last_e8[role - ROLE_YES];

	text_lit(t, ",\"min_order_size\":\"");
	put_e8(t, m->min_qty.e8, 0);
	text_lit(t, "\",\"tick_size\":\"");
	put_e8(t, m->tick.tok_e8, 0);
	text_lit(t, m->neg_risk ? "\",\"neg_risk\":true"
				: "\",\"neg_risk\":"
				  "false");
	text_lit(t, ",\"last_trade_price\":\"");
	if (last != 0)
		put_e8(t, last, 0);
	text_lit(t, "\"");
}

/* Returns where the hash stands in t, worked out; 0 when t is full. */
static size_t
put_book(struct pm_tape *p, uint16_t market, enum token_role role,
    bool is_event, struct text *t)
{
	const struct pmx_market *m = &p->x->market[market];
	size_t start = t->n;
	struct pm_meta none;
	struct pm_frame f;
	size_t at;

	text_lit(t, is_event ? "{\"event_type\":\"book\",\"market\":\""
			     : "{\"market\":\"");
	put_cond(t, &m->terms.cond);
	text_lit(t, "\",\"asset_id\":\"");
	put_token(t, &m->terms.token[role - ROLE_YES]);
	text_lit(t, "\"");
	put_time(t, p);
	text_lit(t, ",\"hash\":\"");
	at = t->n;
	text_lit(t, "0000000000000000000000000000000000000000");
	text_lit(t, "\",\"bids\":");
	put_side(t, &m->match, role, SIDE_BID);
	text_lit(t, ",\"asks\":");
	put_side(t, &m->match, role, SIDE_ASK);
	put_tail(t, p, market, role);
	text_lit(t, "}");
	if (t->full)
		return 0;
	pm_meta_init(&none);
	pm_frame_init(&f, t->buf + start, t->n - start);
	CHECK(pm_next(&f, &p->ev) == PM_BOOK);
	pm_hash_event(&p->ev, &none, t->buf + at);
	return at;
}

void
tape_put_book(struct pm_tape *p, uint16_t market, enum token_role role,
    bool is_event, struct text *t)
{
	CHECK(market < PMX_MARKETS);
	CHECK(p->x->market[market].phase != 0);
	(void)put_book(p, market, role, is_event, t);
}

static void
send(struct pm_tape *p, uint16_t market, struct text *t)
{
	size_t n = text_end(t);

	CHECK(n > 0); /* a book of PMX_LEVELS a side fits TAPE_TEXT */
	p->emit(p->user, market, t->buf, n);
}

static void
send_books(struct pm_tape *p, uint16_t market)
{
	for (enum token_role r = ROLE_YES; r < ROLE_N; r++) {
		struct text t;

		text_init(&t, p->out, sizeof(p->out));
		(void)put_book(p, market, r, true, &t);
		send(p, market, &t);
	}
}

static void
send_print(struct pm_tape *p, uint16_t market, const struct tape_print *k)
{
	const struct pmx_terms *m = &p->x->market[market].terms;
	struct text t;

	text_init(&t, p->out, sizeof(p->out));
	text_lit(&t, "{\"event_type\":\"last_trade_price\",\"market\":\"");
	put_cond(&t, &m->cond);
	text_lit(&t, "\",\"asset_id\":\"");
	put_token(&t, &m->token[k->role - ROLE_YES]);
	text_lit(&t, "\",\"price\":\"");
	put_e8(&t, k->px.tok_e8, 0);
	text_lit(&t, "\",\"size\":\"");
	put_e8(&t, k->qty.e8, 0);
	text_lit(&t, k->side == SIDE_BID ? "\",\"side\":\"BUY\""
					 : "\",\"side\":\"SELL\"");
	text_lit(&t, ",\"fee_rate_bps\":\"\"");
	put_time(&t, p);
	text_lit(&t, ",\"transaction_hash\":\"\"}");
	send(p, market, &t);
}

/* The touch as the venue writes it: 0 and 1 where a side is empty. */
static void
put_touch(struct text *t, const struct match *m, enum token_role role)
{
	for (enum side s = SIDE_BID; s < SIDE_N; s++) {
		const struct match_level *l =
		    match_level(m, frame_side(s, role), 0);

		text_lit(t,
		    s == SIDE_BID ? ",\"best_bid\":\"" : "\",\"best_ask\":\"");
		if (l != NULL)
			put_e8(t, frame_tok_px(l->px, role).tok_e8, 0);
		else
			text_lit(t, s == SIDE_BID ? "0" : "1");
	}
	text_lit(t, "\"");
}

static void
put_change(struct text *t, const struct pm_tape *p, uint16_t market,
    const struct tape_change *c, enum token_role role, const char *hash)
{
	const struct pmx_market *m = &p->x->market[market];

	text_lit(t, "{\"asset_id\":\"");
	put_token(t, &m->terms.token[role - ROLE_YES]);
	text_lit(t, "\",\"price\":\"");
	put_e8(t, frame_tok_px(c->px, role).tok_e8, 0);
	text_lit(t, "\",\"size\":\"");
	put_e8(t, c->qty.e8, 0);
	text_lit(t, frame_side(c->side, role) == SIDE_BID
			? "\",\"side\":\"BUY\",\"hash\":\""
			: "\",\"side\":\"SELL\",\"hash\":\"");
	text_put(t, hash, PM_HASH_LEN);
	text_lit(t, "\"");
	put_touch(t, &m->match, role);
	text_lit(t, "}");
}

static void
hash_of(struct pm_tape *p, uint16_t market, enum token_role role, char *hash)
{
	struct text t;
	size_t at;

	text_init(&t, p->book, sizeof(p->book));
	at = put_book(p, market, role, false, &t);
	CHECK(at > 0);
	memcpy(hash, t.buf + at, PM_HASH_LEN);
}

static void
send_changes(struct pm_tape *p, uint16_t market)
{
	const struct tape_market *m = &p->market[market];
	char hash[2][PM_HASH_LEN];
	struct text t;

	for (enum token_role r = ROLE_YES; r < ROLE_N; r++)
		hash_of(p, market, r, hash[r - ROLE_YES]);
	text_init(&t, p->out, sizeof(p->out));
	text_lit(&t, "{\"event_type\":\"price_change\",\"market\":\"");
	put_cond(&t, &p->x->market[market].terms.cond);
	text_lit(&t, "\"");
	put_time(&t, p);
	text_lit(&t, ",\"price_changes\":[");
	for (uint32_t i = 0; i < m->change_n; i++)
		for (enum token_role r = ROLE_YES; r < ROLE_N; r++) {
			if (i > 0 || r > ROLE_YES)
				text_lit(&t, ",");
			put_change(&t, p, market, &m->change[i], r,
			    hash[r - ROLE_YES]);
		}
	text_lit(&t, "]}");
	send(p, market, &t);
}

void
tape_batch(struct pm_tape *p, uint16_t market)
{
	struct tape_market *m = &p->market[market];

	if (p->heard != NULL && !p->heard(p->user, market)) {
		m->print_n = 0;
		m->change_n = 0;
		return;
	}
	for (uint32_t i = 0; i < m->print_n; i++)
		send_print(p, market, &m->print[i]);
	if (m->print_n > 0 || m->change_n > TAPE_CHANGES)
		send_books(p, market);
	else if (m->change_n > 0)
		send_changes(p, market);
	m->print_n = 0;
	m->change_n = 0;
}

void
tape_tick(struct pm_tape *p, uint16_t market, tok_px_t old)
{
	const struct pmx_terms *m = &p->x->market[market].terms;

	for (enum token_role r = ROLE_YES; r < ROLE_N; r++) {
		struct text t;

		text_init(&t, p->out, sizeof(p->out));
		text_lit(
		    &t, "{\"event_type\":\"tick_size_change\",\"market\":\"");
		put_cond(&t, &m->cond);
		text_lit(&t, "\",\"asset_id\":\"");
		put_token(&t, &m->token[r - ROLE_YES]);
		text_lit(&t, "\",\"old_tick_size\":\"");
		put_e8(&t, old.tok_e8, 0);
		text_lit(&t, "\",\"new_tick_size\":\"");
		put_e8(&t, m->tick.tok_e8, 0);
		text_lit(&t, "\"");
		put_time(&t, p);
		text_lit(&t, "}");
		send(p, market, &t);
	}
	send_books(p, market);
}

void
tape_resolved(struct pm_tape *p, uint16_t market, enum token_role winner)
{
	const struct pmx_terms *m = &p->x->market[market].terms;
	bool yes = winner == ROLE_YES;
	struct text t;

	text_init(&t, p->out, sizeof(p->out));
	text_lit(&t, "{\"event_type\":\"market_resolved\",\"market\":\"");
	put_cond(&t, &m->cond);
	text_lit(&t, "\",\"assets_ids\":[\"");
	put_token(&t, &m->token[ROLE_YES - ROLE_YES]);
	text_lit(&t, "\",\"");
	put_token(&t, &m->token[ROLE_NO - ROLE_YES]);
	text_lit(&t, "\"],\"winning_asset_id\":\"");
	put_token(&t, &m->token[winner - ROLE_YES]);
	text_lit(&t, "\",\"winning_outcome\":\"");
	if (m->is_updown)
		text_lit(&t, yes ? "Up" : "Down");
	else
		text_lit(&t, yes ? "Yes" : "No");
	text_lit(&t, "\"");
	put_time(&t, p);
	text_lit(&t, "}");
	send(p, market, &t);
}
