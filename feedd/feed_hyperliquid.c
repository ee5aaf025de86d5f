/*
 * Hyperliquid: perpetual futures. Every book frame is a whole book and
 * replaces the one before; what readers get is the difference. There are no
 * sequence numbers: the block time orders frames within and between streams,
 * and between two lanes. Of trades both lanes' ids are remembered. The asset
 * context has neither: it is taken from the main lane alone.
 */
#include <stddef.h>
#include <string.h>

#include "feedd/hl_feed.h"
#include "feedd/text.h"
#include "libcore/check.h"
#include "libcore/hash.h"

/* The venue takes 1000 subscriptions. */
_Static_assert(CFG_LIST_N *HL_COIN_MESSAGES *HL_LANES <= 1000, "all fit");
_Static_assert(CFG_LIST_N <= HL_SUSPECT_COINS, "each can be suspected");
_Static_assert(HL_LANES <= HL_SUSPECT_LANES, "each has its subscriptions");

size_t
hl_sz(void)
{
	return sizeof(struct hl_feed);
}

static void
start(struct feed *f, const struct feed_event *ev)
{
	struct hl_feed *h = hl_of(f);
	const struct cfg_list *l = &f->cfg.hyperliquid_coins;

	(void)ev;
	if (!f->cfg.hyperliquid_enabled || l->n == 0) {
		f->has_universe = true;
		return;
	}
	book_init(&h->tmp, h->tmp_level, HL_BOOK_CAP);
	for (uint32_t i = 0; i < l->n; i++) {
		struct hl_market *c = &h->coin[i];

		c->pub.idx = (uint16_t)(INSTR_HL_BASE + i);
		c->pub.epoch = 1;
		pub_forget(&c->pub);
		text_copy(c->name, sizeof(c->name), l->item[i]);
		book_init(&c->book, c->level, HL_BOOK_CAP);
	}
	h->coin_n = l->n;
	hl_suspect_init(&h->suspect, h->coin_n);
	feed_idle(f, 0, (uint64_t)f->cfg.hyperliquid_idle_s.ns);
	hl_ask_meta(f);
}

static void
open_conn(struct feed *f, uint8_t conn)
{
	feed_open_url(f, conn, f->cfg.hyperliquid_ws_url.s);
}

static void
forget_book(struct hl_market *c)
{
	pub_forget(&c->pub);
	c->has_book = false;
	c->newest.ns = 0;
	c->touch.ns = 0;
	c->book_crossed_n = 0;
	c->touch_crossed_n = 0;
	stuck_news(&c->book_stuck);
	stuck_news(&c->touch_stuck);
	book_clear(&c->book);
}

static void
forget(struct hl_market *c)
{
	forget_book(c);
	c->trades_ns = 0;
	quiet_stop(&c->book_quiet);
	quiet_stop(&c->touch_quiet);
}

/* What is known of the touch and the book is wrong or old: tell, and take
 * whatever comes next, as on a new connection. */
static void
start_over(struct feed *f, struct hl_market *c, enum reason r)
{
	feed_note(f, r);
	feed_log(f, FEED_LOG_GAP, c->pub.idx, r, 0);
	if (c->pub.is_valid)
		feed_gap(f, &c->pub, r, 0);
	forget_book(c);
}

static uint64_t
quiet_ns(const struct feed *f)
{
	return WATCH_QUIET_N * (uint64_t)f->cfg.hyperliquid_idle_s.ns;
}

static void
stream_seen(struct feed *f, struct quiet *q)
{
	if (quiet_due(q, quiet_ns(f)) == 0)
		feed_wake_at(f, f->now_ns + quiet_ns(f));
	quiet_seen(q, f->now_ns);
}

static bool
is_quiet(struct feed *f, struct quiet *q)
{
	uint64_t due_ns;

	if (quiet_take(q, f->now_ns, quiet_ns(f)))
		return true;
	due_ns = quiet_due(q, quiet_ns(f));
	if (due_ns != 0)
		feed_wake_at(f, due_ns);
	return false;
}

/* A coin whose books or touch do not come any more, on connections that are
 * alive: it is void, and they are made again, once, one beside the other. */
static void
check_quiet(struct feed *f)
{
	struct hl_feed *h = hl_of(f);

	for (uint32_t i = 0; i < h->coin_n; i++) {
		struct hl_market *c = &h->coin[i];
		bool is_book = is_quiet(f, &c->book_quiet);
		bool is_touch = is_quiet(f, &c->touch_quiet);

		if (c->in.state != INSTR_NORMAL || (!is_book && !is_touch))
			continue;
		start_over(f, c, REASON_FEED_STALE);
		feed_relieve_all(f, 0, REASON_SILENT);
	}
}

static void
forget_lane(struct hl_market *c, uint32_t lane)
{
	c->is_excused[lane] = false;
	c->lane_book[lane] = false;
	c->has_trades[lane] = false;
}

static uint32_t
lane_of(uint8_t conn)
{
	return conn / FEED_LANES;
}

static int64_t
subscribe(struct feed *f, uint8_t conn, const struct hl_market *c)
{
	static const enum hl_sub subs[] = {
	    HL_SUB_BBO, HL_SUB_BOOK_FAST, HL_SUB_TRADES, HL_SUB_CTX};
	int64_t sent_n = 0;

	for (uint32_t k = 0; c->is_listed && k < HL_COIN_MESSAGES; k++) {
		char text[256];
		size_t n =
		    hl_encode_subscribe(subs[k], c->name, text, sizeof(text));

		if (n == 0)
			continue;
		feed_send(f, conn, text, n);
		sent_n++;
	}
	return sent_n;
}

/* What may be subscribed on a lane now. */
static void
subscribe_due(struct feed *f, uint8_t conn)
{
	struct hl_suspect *s = &hl_of(f)->suspect;
	uint32_t lane = lane_of(conn);
	int64_t sent_n = 0;
	uint32_t i;
	uint64_t due_ns;

	while ((i = hl_suspect_next(s, lane, f->now_ns)) != HL_NO_COIN)
		sent_n += subscribe(f, conn, &hl_of(f)->coin[i]);
	if (sent_n > 0)
		feed_log(f, FEED_LOG_SUBSCRIBED, 0, REASON_NONE, sent_n);
	due_ns = hl_suspect_due(s, lane);
	if (due_ns != 0)
		feed_wake_at(f, due_ns);
}

static void
conn_up(struct feed *f, uint8_t conn)
{
	struct hl_feed *h = hl_of(f);
	uint32_t lane = lane_of(conn);

	h->lane_ns[lane] = 0;
	for (uint32_t i = 0; i < h->coin_n; i++) {
		if (!feed_is_carried(f, conn))
			forget(&h->coin[i]);
		forget_lane(&h->coin[i], lane);
		h->coin[i].is_excused[lane] =
		    hl_suspect_is_parked(&h->suspect, i, f->now_ns);
	}
	hl_suspect_up(&h->suspect, lane);
	subscribe_due(f, conn);
	feed_wake_at(f, f->now_ns + (uint64_t)f->cfg.feed_snapshot_timeout.ns);
}

/* Did a subscription end this connection? The coin is told, and left out. */
static void
suspect(struct feed *f, uint8_t conn)
{
	struct hl_feed *h = hl_of(f);
	struct feed_act a = {.what = FEED_LOG, .log = FEED_LOG_DISCOVERY};
	char text[96];
	uint32_t i = hl_suspect_down(&h->suspect, lane_of(conn), f->now_ns);

	if (i == HL_NO_COIN || f->stopping)
		return;
	feed_count(f, REASON_VENUE);
	text_join(text, sizeof(text),
	    "the connection ends when this coin is subscribed, left out for a "
	    "minute: ",
	    h->coin[i].name);
	a.conn = conn;
	a.reason = REASON_VENUE;
	a.text = text;
	a.n = strlen(text);
	f->sink->act(f->sink->user, &a);
}

/* A coin that the other lane has shown no book of has lost its only one. */
static void
conn_down(struct feed *f, uint8_t conn)
{
	bool carried = feed_is_carried(f, conn);
	uint32_t other = lane_of(feed_other(conn));

	suspect(f, conn);
	for (uint32_t i = 0; i < hl_of(f)->coin_n; i++) {
		struct hl_market *c = &hl_of(f)->coin[i];
		bool was_valid = c->pub.is_valid;

		forget_lane(c, lane_of(conn));
		if (carried && c->lane_book[other])
			continue;
		forget(c);
		if (carried && was_valid)
			feed_gap(f, &c->pub, REASON_SEQ_GAP, 0);
	}
}

static void
ping(struct feed *f, uint8_t conn)
{
	hl_suspect_spend(&hl_of(f)->suspect, 1, f->now_ns);
	feed_send(f, conn, HL_PING, strlen(HL_PING));
}

static struct hl_market *
find(struct feed *f, struct json_str name)
{
	struct hl_feed *h = hl_of(f);

	for (uint32_t i = 0; i < h->coin_n; i++)
		if (h->coin[i].is_listed && text_is(name, h->coin[i].name))
			return &h->coin[i];
	return NULL;
}

static void
check_complete(struct feed *f, uint8_t conn)
{
	struct hl_feed *h = hl_of(f);
	uint32_t lane = lane_of(conn);
	bool all = true;

	for (uint32_t i = 0; i < h->coin_n; i++) {
		const struct hl_market *c = &h->coin[i];

		all = all && (!c->is_listed || c->lane_book[lane] ||
				 c->is_excused[lane]);
	}
	if (f->link[conn].complete != all)
		feed_complete(f, conn, all);
}

/* Is a frame older than what its stream has shown, or another lane's of the
 * same block? A time far ahead makes all that follows look old: then all
 * begins again. */
static bool
is_past(struct feed *f, struct hl_market *c, int64_t venue_ns,
    const struct hl_newest *newest, struct stuck *stuck)
{
	bool is_same = venue_ns == newest->ns &&
		       lane_of(f->conn) != newest->lane &&
		       feed_is_carried(f, f->conn);

	if (!is_same && venue_ns >= newest->ns) {
		stuck_news(stuck);
		return false;
	}
	feed_note(f, REASON_SEQ_OLD);
	if (is_same || !stuck_old(stuck, f->now_ns))
		return true;
	start_over(f, c, REASON_SEQ_GAP);
	return false;
}

/* Nobody prices from what is crossed; twice in a row, nothing is known. */
static void
crossed(struct feed *f, struct hl_market *c, uint32_t *n)
{
	feed_note(f, REASON_CROSSED);
	(*n)++;
	if (*n >= 2 && c->pub.is_valid)
		start_over(f, c, REASON_CROSSED);
}

static void
seen_time(struct feed *f, int64_t venue_ns)
{
	int64_t *newest = &hl_of(f)->lane_ns[lane_of(f->conn)];

	feed_stamp(f, venue_ns);
	if (venue_ns > *newest)
		*newest = venue_ns;
}

static void
take_bbo(struct feed *f, struct hl_market *c, const struct hl_event *ev)
{
	struct tick_bbo bbo = {{0}, {0}, {0}, {0}};

	seen_time(f, ev->venue_ns);
	stream_seen(f, &c->touch_quiet);
	if (is_past(f, c, ev->venue_ns, &c->touch, &c->touch_stuck))
		return;
	if (ev->bids_n > 0 && ev->bids[0].qty.e8 > 0) {
		bbo.bid_px = ev->bids[0].px;
		bbo.bid_qty = ev->bids[0].qty;
	}
	if (ev->asks_n > 0 && ev->asks[0].qty.e8 > 0) {
		bbo.ask_px = ev->asks[0].px;
		bbo.ask_qty = ev->asks[0].qty;
	}
	if (watch_is_crossed(&bbo)) {
		crossed(f, c, &c->touch_crossed_n);
		return;
	}
	c->touch_crossed_n = 0;
	c->touch.ns = ev->venue_ns;
	c->touch.lane = (uint8_t)lane_of(f->conn);
	pub_bbo(f, &c->pub, &bbo, ev->venue_ns);
	feed_batch_end(f);
}

static void
fill(struct book *b, enum side side, const struct hl_level *l, uint32_t n)
{
	for (uint32_t i = n; i-- > 0;)
		if (l[i].qty.e8 > 0)
			book_set(b, side, l[i].px, l[i].qty);
}

static void
publish_first(struct feed *f, struct hl_market *c, int64_t venue_ns)
{
	struct pub_stamp stamp = {venue_ns, 0, false};
	struct tick_bbo bbo = c->pub.bbo;
	int64_t bbo_ns = c->pub.bbo_ns;
	bool is_older = c->pub.is_valid && venue_ns < c->touch.ns;

	pub_snapshot(f, &c->pub, &c->book, &stamp);
	f->stats.snapshots++;
	if (is_older) { /* the bbo stream was faster */
		pub_bbo(f, &c->pub, &bbo, bbo_ns);
		feed_batch_end(f);
	}
	c->has_book = true;
}

static void
replace_book(struct feed *f, struct hl_market *c, int64_t venue_ns)
{
	struct hl_feed *h = hl_of(f);
	struct pub_stamp stamp = {venue_ns, 0, false};

	c->newest.ns = venue_ns;
	c->newest.lane = (uint8_t)lane_of(f->conn);
	if (c->has_book)
		pub_diff(f, &c->pub, &c->book, &h->tmp, &stamp);
	book_copy(&c->book, &h->tmp);
	if (!c->has_book)
		publish_first(f, c, venue_ns);
	if (venue_ns >= c->touch.ns) {
		c->touch.ns = venue_ns;
		c->touch.lane = c->newest.lane;
		stuck_news(&c->touch_stuck);
		pub_touch(f, &c->pub, &c->book, venue_ns);
	}
	feed_batch_end(f);
	if (venue_ns < c->touch.ns && stuck_old(&c->touch_stuck, f->now_ns))
		start_over(f, c, REASON_SEQ_GAP);
}

static void
take_book(struct feed *f, struct hl_market *c, const struct hl_event *ev)
{
	struct hl_feed *h = hl_of(f);
	bool *lane_book = &c->lane_book[lane_of(f->conn)];

	seen_time(f, ev->venue_ns);
	book_clear(&h->tmp);
	fill(&h->tmp, SIDE_BID, ev->bids, ev->bids_n);
	fill(&h->tmp, SIDE_ASK, ev->asks, ev->asks_n);
	if (book_is_crossed(&h->tmp)) {
		crossed(f, c, &c->book_crossed_n);
		return;
	}
	c->book_crossed_n = 0;
	stream_seen(f, &c->book_quiet);
	stream_seen(f, &c->touch_quiet);
	if (!is_past(f, c, ev->venue_ns, &c->newest, &c->book_stuck))
		replace_book(f, c, ev->venue_ns);
	if (*lane_book)
		return;
	*lane_book = true;
	check_complete(f, f->conn);
}

static bool
is_repeat(struct hl_market *c, const struct hl_trade *t)
{
	for (uint32_t i = 0; i < HL_SEEN_N; i++)
		if (c->seen[i].trade_id == t->trade_id &&
		    c->seen[i].venue_ns == t->venue_ns)
			return true;
	c->seen[c->seen_at] = (struct hl_seen){t->venue_ns, t->trade_id};
	c->seen_at = (c->seen_at + 1) % HL_SEEN_N;
	return false;
}

/* The first frame after subscribing holds trades of the past: only what is
 * not older than anything the connection has shown is news. When another lane
 * is there, what came since its beginning is news too, unless it brought it
 * already: it may be behind. */
static int64_t
news_from(struct feed *f, struct hl_market *c, const struct hl_event *ev)
{
	bool *has = &c->has_trades[lane_of(f->conn)];
	int64_t from_ns = 0;

	if (*has)
		return 0;
	*has = true;
	if (c->trades_ns == 0) {
		int64_t shown_ns = hl_of(f)->lane_ns[lane_of(f->conn)];

		from_ns = shown_ns == 0 ? INT64_MAX : shown_ns;
		c->trades_ns = shown_ns;
		for (uint32_t i = 0; shown_ns == 0 && i < ev->trades_n; i++)
			c->trades_ns =
			    i64_max(c->trades_ns, ev->trades[i].venue_ns);
		return from_ns;
	}
	return c->trades_ns;
}

static void
take_trades(struct feed *f, struct hl_market *c, const struct hl_event *ev)
{
	int64_t from_ns = news_from(f, c, ev);

	for (uint32_t i = 0; i < ev->trades_n; i++) {
		const struct hl_trade *trade = &ev->trades[i];
		struct tick t =
		    feed_tick(f, TICK_TRADE, c->pub.idx, trade->venue_ns);

		if (is_repeat(c, trade) || trade->venue_ns < from_ns) {
			feed_note(f, REASON_SEQ_OLD);
			continue;
		}
		seen_time(f, trade->venue_ns);
		t.u.trade.px = trade->px;
		t.u.trade.qty = trade->qty;
		t.u.trade.trade_id = trade->trade_id;
		t.u.trade.side = (uint8_t)trade->side;
		t.u.trade.conn = c->pub.conn;
		t.u.trade.epoch = c->pub.epoch;
		feed_put(f, &t);
	}
	feed_batch_end(f);
}

static void
put_ref(struct feed *f, const struct hl_market *c)
{
	struct tick t = feed_tick(f, TICK_REF, c->pub.idx, 0);

	t.u.ref = c->ref;
	feed_put(f, &t);
	feed_batch_end(f);
}

static void
take_ctx(struct feed *f, struct hl_market *c, const struct hl_event *ev)
{
	if (f->conn != f->shard[0].main)
		return;
	memset(&c->ref, 0, sizeof(c->ref));
	c->ref.px = ev->mark;
	c->ref.oracle_px = ev->oracle;
	c->ref.funding_e12 = ev->funding_e12;
	c->ref.source = REF_MARK;
	c->has_ctx = true;
	put_ref(f, c);
}

static void
take_event(
    struct feed *f, const struct hl_event *ev, const char *text, size_t n)
{
	bool is_empty = ev->kind == HL_TRADES && ev->trades_n == 0;
	struct hl_market *c = is_empty ? NULL : find(f, ev->coin);

	feed_recv(f, c != NULL);
	if (is_empty)
		return;
	if (c == NULL) {
		feed_drop(f, REASON_UNKNOWN_ASSET, 0, text, n);
		return;
	}
	hl_suspect_prove(&hl_of(f)->suspect, (uint32_t)(c - hl_of(f)->coin));
	if (ev->kind == HL_BBO)
		take_bbo(f, c, ev);
	else if (ev->kind == HL_BOOK)
		take_book(f, c, ev);
	else if (ev->kind == HL_TRADES)
		take_trades(f, c, ev);
	else
		take_ctx(f, c, ev);
}

/* Twice the same is harmless; too many messages want a pause. */
static void
take_refusal(struct feed *f, const struct feed_event *in)
{
	struct hl_feed *h = hl_of(f);

	feed_recv(f, false);
	if (h->ev.refusal == HL_REFUSED_ALREADY) {
		feed_note(f, REASON_DUPLICATE);
		return;
	}
	if (h->ev.refusal == HL_REFUSED_MESSAGES)
		/* a burst as debt: about half a minute */
		hl_suspect_spend(&h->suspect, 2 * HL_BURST, f->now_ns);
	feed_drop(f, REASON_VENUE, 0, in->data, in->n);
}

static void
take_frame(struct feed *f, const struct feed_event *in)
{
	struct hl_event *ev = &hl_of(f)->ev;

	switch (hl_decode(ev, in->data, in->n)) {
	case HL_ERR:
		feed_recv(f, false);
		feed_drop(f, ev->reason, ev->err_off, in->data, in->n);
		return;
	case HL_BBO:
	case HL_BOOK:
	case HL_TRADES:
	case HL_CTX: take_event(f, ev, in->data, in->n); return;
	case HL_PONG: feed_pong(f); return;
	case HL_SUBSCRIBED: feed_recv(f, false); return;
	case HL_REFUSAL: take_refusal(f, in); return;
	case HL_META:
	case HL_UNKNOWN:
		feed_recv(f, false);
		feed_drop(f,
		    ev->kind == HL_META ? REASON_UNKNOWN_EVENT : ev->reason, 0,
		    in->data, in->n);
		return;
	case HL_KIND_N: break;
	}
	CHECK(ev->kind == HL_ERR);
}

/* Books that do not come: when it is all of them, the connection is made
 * again; else the lane holds without them. */
static void
books_overdue(struct feed *f, uint8_t conn)
{
	struct hl_feed *h = hl_of(f);
	uint32_t lane = lane_of(conn);
	uint32_t have_n = 0;
	uint32_t asked_n = 0;

	feed_note(f, REASON_NO_SNAPSHOT);
	for (uint32_t i = 0; i < h->coin_n; i++) {
		have_n += h->coin[i].lane_book[lane];
		asked_n += hl_suspect_has(&h->suspect, lane, i);
	}
	if (have_n == 0 && asked_n > 0) {
		feed_reconnect(f, conn, REASON_SILENT);
		return;
	}
	for (uint32_t i = 0; i < h->coin_n; i++)
		h->coin[i].is_excused[lane] =
		    !h->coin[i].lane_book[lane] &&
		    (hl_suspect_has(&h->suspect, lane, i) ||
			hl_suspect_is_parked(&h->suspect, i, f->now_ns));
	check_complete(f, conn);
}

static void
on_timer(struct feed *f)
{
	uint64_t limit = (uint64_t)f->cfg.feed_snapshot_timeout.ns;

	feed_idle(f, 0, (uint64_t)f->cfg.hyperliquid_idle_s.ns);
	hl_meta_again(f);
	if (!f->has_universe)
		return;
	hl_meta_unknown(f);
	check_quiet(f);
	for (uint8_t c = 0; c < FEED_CONN_N; c += FEED_LANES) {
		const struct link *l = &f->link[c];

		if (feed_is_live(f, c))
			subscribe_due(f, c);
		if (!link_is_live(l) || l->complete)
			continue;
		if (f->now_ns < l->up_ns + limit)
			feed_wake_at(f, l->up_ns + limit);
		else
			books_overdue(f, c);
	}
}

static void
resync(struct feed *f, enum ring_content content)
{
	struct hl_feed *h = hl_of(f);

	for (uint32_t i = 0; i < h->coin_n; i++) {
		struct hl_market *c = &h->coin[i];
		struct pub_stamp stamp = {c->newest.ns, 0, content == RING_TOP};

		if (!c->is_listed)
			continue;
		feed_instr(f, c->pub.idx, &c->in);
		if (c->has_book)
			pub_snapshot(f, &c->pub, &c->book, &stamp);
		else
			pub_again(f, &c->pub);
		if (c->has_ctx)
			put_ref(f, c);
	}
}

static uint64_t
hash(const struct feed *f, uint64_t h)
{
	const struct hl_feed *s = (const struct hl_feed *)f;

	for (uint32_t i = 0; i < s->coin_n; i++) {
		const struct hl_market *c = &s->coin[i];

		h = hash_bytes(h, &c->pub.bbo, sizeof(c->pub.bbo));
		h = hash_bytes(h, &c->ref, sizeof(c->ref));
		h = hash_u64(h, (uint64_t)c->touch.ns);
		h = book_hash(&c->book, h);
	}
	return h;
}

const struct feed_ops hl_ops = {
    .start = start,
    .open = open_conn,
    .up = conn_up,
    .down = conn_down,
    .frame = take_frame,
    .http = hl_take_http,
    .timer = on_timer,
    .ping = ping,
    .resync = resync,
    .hash = hash,
};
