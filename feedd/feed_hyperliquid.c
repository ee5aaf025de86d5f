/*
 * Hyperliquid: perpetual futures. Every book frame is a whole book and
 * replaces the one before; what readers get is the difference. There are no
 * sequence numbers: the block time orders frames within and between streams,
 * and between two lanes. Of trades both lanes' ids are remembered. The asset
 * context has neither: it is taken from the main lane alone.
 */
#include <stddef.h>
#include <string.h>

#include "feedd/feed_int.h"
#include "feedd/hl_suspect.h"
#include "feedd/text.h"
#include "libcore/check.h"
#include "libcore/hash.h"
#include "libvenue/hyperliquid.h"

#define COINS_N	      CFG_LIST_N
#define BOOK_CAP      HL_LEVELS_MAX
#define SEEN_N	      512u /* trades remembered against repeats */
#define META_TAG      1u
#define META_RETRY_NS UINT64_C(2000000000)
#define LANES	      2u
#define BACK_NS	      INT64_C(60000000000)
#define PX_DECIMALS   6u
#define PX_SIG	      5u
#define MIN_USD	      USD(10 * E6)

/* The venue takes 1000 subscriptions. */
_Static_assert(COINS_N *HL_COIN_MESSAGES *LANES <= 1000, "all fit");
_Static_assert(COINS_N <= HL_SUSPECT_COINS, "each can be suspected");
_Static_assert(LANES <= HL_SUSPECT_LANES, "each has its subscriptions");

struct hl_seen {
	int64_t venue_ns;
	uint64_t trade_id;
};

struct coin {
	struct pub pub;
	char name[HL_COIN_MAX + 1];
	struct instr in;
	bool is_listed; /* in the venue's list */
	bool has_book;
	bool is_excused[LANES]; /* no book came: the lane does without */
	bool lane_book[LANES];	/* one came on this lane */
	bool has_trades[LANES]; /* first frame after subscribing has passed */
	bool has_ctx;
	uint8_t book_lane; /* that book_ns is of; touch_lane alike */
	uint8_t touch_lane;
	int64_t book_ns;
	int64_t touch_ns;
	int64_t trades_ns; /* trades from here on are news */
	struct tick_ref ref;
	uint32_t seen_at;
	struct hl_seen seen[SEEN_N];
	struct book book;
	struct book_level level[2 * BOOK_CAP];
};

struct hl_feed {
	struct feed feed;
	uint32_t coin_n;
	bool is_asking;
	int64_t lane_ns[LANES]; /* newest time on a lane's connection */
	struct hl_suspect suspect;
	struct hl_event ev;
	struct book tmp;
	struct book_level tmp_level[2 * BOOK_CAP];
	struct coin coin[COINS_N];
};

size_t
hl_sz(void)
{
	return sizeof(struct hl_feed);
}

static struct hl_feed *
hl(struct feed *f)
{
	return (struct hl_feed *)f;
}

static void
ask_meta(struct feed *f)
{
	char url[FEED_URL_MAX];

	if (hl(f)->is_asking)
		return;
	hl(f)->is_asking = true;
	text_join(url, sizeof(url), f->cfg.hyperliquid_rest_url.s, "/info");
	feed_get(f, META_TAG, url, "{\"type\":\"meta\"}");
}

static void
start(struct feed *f, const struct feed_event *ev)
{
	struct hl_feed *h = hl(f);
	const struct cfg_list *l = &f->cfg.hyperliquid_coins;

	(void)ev;
	if (!f->cfg.hyperliquid_enabled || l->n == 0) {
		f->has_universe = true;
		return;
	}
	book_init(&h->tmp, h->tmp_level, BOOK_CAP);
	for (uint32_t i = 0; i < l->n; i++) {
		struct coin *c = &h->coin[i];

		c->pub.idx = (uint16_t)(INSTR_HL_BASE + i);
		c->pub.epoch = 1;
		pub_forget(&c->pub);
		text_copy(c->name, sizeof(c->name), l->item[i]);
		book_init(&c->book, c->level, BOOK_CAP);
	}
	h->coin_n = l->n;
	hl_suspect_init(&h->suspect, h->coin_n);
	feed_idle(f, 0, (uint64_t)f->cfg.hyperliquid_idle_s.ns);
	ask_meta(f);
}

static void
open_conn(struct feed *f, uint8_t conn)
{
	feed_open_url(f, conn, f->cfg.hyperliquid_ws_url.s);
}

static int64_t
pow10_e8(uint32_t decimals)
{
	int64_t v = E8;

	for (uint32_t i = 0; i < decimals && i < 8; i++)
		v /= 10;
	return v;
}

static void
list_coin(
    struct feed *f, struct coin *c, const struct hl_coin *meta, uint32_t idx)
{
	struct instr *in = &c->in;
	uint32_t decimals = meta->size_decimals;

	c->is_listed = true;
	text_copy(in->symbol, sizeof(in->symbol), c->name);
	in->venue = VENUE_HYPERLIQUID;
	in->cls = CLASS_PERP;
	in->state = meta->is_delisted ? INSTR_CLOSED : INSTR_NORMAL;
	in->epoch = c->pub.epoch;
	in->asset_idx = idx;
	in->lot_qty = QTY(pow10_e8(decimals));
	in->min_qty = in->lot_qty;
	in->min_usd = MIN_USD;
	in->px_sig = PX_SIG;
	in->tick_px =
	    PX(pow10_e8(decimals < PX_DECIMALS ? PX_DECIMALS - decimals : 0));
	feed_instr(f, c->pub.idx, in);
	f->instr_n++;
}

static void
take_meta(struct feed *f, const struct hl_event *ev)
{
	struct hl_feed *h = hl(f);

	for (uint32_t i = 0; i < h->coin_n; i++) {
		struct coin *c = &h->coin[i];

		for (uint32_t k = 0; k < ev->coins_n && !c->is_listed; k++)
			if (text_is(ev->coins[k].name, c->name))
				list_coin(f, c, &ev->coins[k], k);
		if (c->is_listed)
			continue;
		hl_suspect_leave_out(&h->suspect, i);
		feed_drop(f, REASON_UNKNOWN_ASSET, 0, c->name, strlen(c->name));
	}
	f->has_universe = true;
	if (f->instr_n > 0)
		feed_want(f, 0, true);
}

static void
take_http(struct feed *f, const struct feed_event *in)
{
	struct hl_feed *h = hl(f);
	struct feed_act a = {.what = FEED_LOG, .log = FEED_LOG_DISCOVERY};

	h->is_asking = false;
	if (f->has_universe || in->tag != META_TAG)
		return;
	if (in->code == 200 && hl_decode(&h->ev, in->data, in->n) == HL_META) {
		take_meta(f, &h->ev);
		return;
	}
	if (in->code == 200)
		feed_drop(f,
		    h->ev.kind == HL_ERR ? h->ev.reason : REASON_UNKNOWN_EVENT,
		    h->ev.err_off, in->data, in->n);
	a.code = in->code;
	a.text = "no list of coins";
	a.n = strlen(a.text);
	f->sink->act(f->sink->user, &a);
	feed_wake_at(f, f->now_ns + META_RETRY_NS);
}

static void
forget(struct coin *c)
{
	pub_forget(&c->pub);
	c->has_book = false;
	c->book_ns = 0;
	c->touch_ns = 0;
	c->trades_ns = 0;
	book_clear(&c->book);
}

static void
forget_lane(struct coin *c, uint32_t lane)
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
subscribe(struct feed *f, uint8_t conn, const struct coin *c)
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
	struct hl_suspect *s = &hl(f)->suspect;
	uint32_t lane = lane_of(conn);
	int64_t sent_n = 0;
	uint32_t i;
	uint64_t due_ns;

	while ((i = hl_suspect_next(s, lane, f->now_ns)) != HL_NO_COIN)
		sent_n += subscribe(f, conn, &hl(f)->coin[i]);
	if (sent_n > 0)
		feed_log(f, FEED_LOG_SUBSCRIBED, 0, REASON_NONE, sent_n);
	due_ns = hl_suspect_due(s, lane);
	if (due_ns != 0)
		feed_wake_at(f, due_ns);
}

static void
conn_up(struct feed *f, uint8_t conn)
{
	struct hl_feed *h = hl(f);
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
	struct hl_feed *h = hl(f);
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
	for (uint32_t i = 0; i < hl(f)->coin_n; i++) {
		struct coin *c = &hl(f)->coin[i];
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
	hl_suspect_spend(&hl(f)->suspect, 1, f->now_ns);
	feed_send(f, conn, HL_PING, strlen(HL_PING));
}

static struct coin *
find(struct feed *f, struct json_str name)
{
	struct hl_feed *h = hl(f);

	for (uint32_t i = 0; i < h->coin_n; i++)
		if (h->coin[i].is_listed && text_is(name, h->coin[i].name))
			return &h->coin[i];
	return NULL;
}

static void
check_complete(struct feed *f, uint8_t conn)
{
	struct hl_feed *h = hl(f);
	uint32_t lane = lane_of(conn);
	bool all = true;

	for (uint32_t i = 0; i < h->coin_n; i++) {
		const struct coin *c = &h->coin[i];

		all = all && (!c->is_listed || c->lane_book[lane] ||
				 c->is_excused[lane]);
	}
	if (f->link[conn].complete != all)
		feed_complete(f, conn, all);
}

/* Is a frame older than what its stream has shown, or another lane's of the
 * same block? A jump far back is a stream that began again, and is taken. */
static bool
is_old(struct feed *f, int64_t venue_ns, int64_t last_ns, uint8_t last_lane)
{
	if (venue_ns == last_ns && lane_of(f->conn) != last_lane &&
	    feed_is_carried(f, f->conn)) {
		feed_note(f, REASON_SEQ_OLD);
		return true;
	}
	if (venue_ns >= last_ns || venue_ns < last_ns - BACK_NS)
		return false;
	feed_note(f, REASON_SEQ_OLD);
	return true;
}

static void
seen_time(struct feed *f, int64_t venue_ns)
{
	int64_t *newest = &hl(f)->lane_ns[lane_of(f->conn)];

	feed_stamp(f, venue_ns);
	if (venue_ns > *newest || venue_ns < *newest - BACK_NS)
		*newest = venue_ns;
}

static void
take_bbo(struct feed *f, struct coin *c, const struct hl_event *ev)
{
	struct tick_bbo bbo = {{0}, {0}, {0}, {0}};

	seen_time(f, ev->venue_ns);
	if (is_old(f, ev->venue_ns, c->touch_ns, c->touch_lane))
		return;
	if (ev->bids_n > 0 && ev->bids[0].qty.e8 > 0) {
		bbo.bid_px = ev->bids[0].px;
		bbo.bid_qty = ev->bids[0].qty;
	}
	if (ev->asks_n > 0 && ev->asks[0].qty.e8 > 0) {
		bbo.ask_px = ev->asks[0].px;
		bbo.ask_qty = ev->asks[0].qty;
	}
	c->touch_ns = ev->venue_ns;
	c->touch_lane = (uint8_t)lane_of(f->conn);
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
publish_first(struct feed *f, struct coin *c, int64_t venue_ns)
{
	struct pub_stamp stamp = {venue_ns, 0, false};
	struct tick_bbo bbo = c->pub.bbo;
	int64_t bbo_ns = c->pub.bbo_ns;
	bool is_older = c->pub.is_valid && venue_ns < c->touch_ns;

	pub_snapshot(f, &c->pub, &c->book, &stamp);
	f->stats.snapshots++;
	if (is_older) { /* the bbo stream was faster */
		pub_bbo(f, &c->pub, &bbo, bbo_ns);
		feed_batch_end(f);
	}
	c->has_book = true;
}

static void
replace_book(struct feed *f, struct coin *c, int64_t venue_ns)
{
	struct hl_feed *h = hl(f);
	struct pub_stamp stamp = {venue_ns, 0, false};

	c->book_ns = venue_ns;
	c->book_lane = (uint8_t)lane_of(f->conn);
	if (c->has_book)
		pub_diff(f, &c->pub, &c->book, &h->tmp, &stamp);
	book_copy(&c->book, &h->tmp);
	if (!c->has_book)
		publish_first(f, c, venue_ns);
	if (venue_ns >= c->touch_ns || venue_ns < c->touch_ns - BACK_NS) {
		c->touch_ns = venue_ns;
		c->touch_lane = c->book_lane;
		pub_touch(f, &c->pub, &c->book, venue_ns);
	}
	feed_batch_end(f);
}

static void
take_book(struct feed *f, struct coin *c, const struct hl_event *ev)
{
	struct hl_feed *h = hl(f);
	bool *lane_book = &c->lane_book[lane_of(f->conn)];

	seen_time(f, ev->venue_ns);
	book_clear(&h->tmp);
	fill(&h->tmp, SIDE_BID, ev->bids, ev->bids_n);
	fill(&h->tmp, SIDE_ASK, ev->asks, ev->asks_n);
	if (book_is_crossed(&h->tmp)) {
		feed_note(f, REASON_CROSSED);
		return;
	}
	if (!is_old(f, ev->venue_ns, c->book_ns, c->book_lane))
		replace_book(f, c, ev->venue_ns);
	if (*lane_book)
		return;
	*lane_book = true;
	check_complete(f, f->conn);
}

static bool
is_repeat(struct coin *c, const struct hl_trade *t)
{
	for (uint32_t i = 0; i < SEEN_N; i++)
		if (c->seen[i].trade_id == t->trade_id &&
		    c->seen[i].venue_ns == t->venue_ns)
			return true;
	c->seen[c->seen_at] = (struct hl_seen){t->venue_ns, t->trade_id};
	c->seen_at = (c->seen_at + 1) % SEEN_N;
	return false;
}

/* The first frame after subscribing holds trades of the past: only what is
 * not older than anything the connection has shown is news. When another lane
 * is there, what came since its beginning is news too, unless it brought it
 * already: it may be behind. */
static int64_t
news_from(struct feed *f, struct coin *c, const struct hl_event *ev)
{
	bool *has = &c->has_trades[lane_of(f->conn)];
	int64_t from_ns = 0;

	if (*has)
		return 0;
	*has = true;
	if (c->trades_ns == 0) {
		int64_t shown_ns = hl(f)->lane_ns[lane_of(f->conn)];

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
take_trades(struct feed *f, struct coin *c, const struct hl_event *ev)
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
put_ref(struct feed *f, const struct coin *c)
{
	struct tick t = feed_tick(f, TICK_REF, c->pub.idx, 0);

	t.u.ref = c->ref;
	feed_put(f, &t);
	feed_batch_end(f);
}

static void
take_ctx(struct feed *f, struct coin *c, const struct hl_event *ev)
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
	struct coin *c = is_empty ? NULL : find(f, ev->coin);

	feed_recv(f, c != NULL);
	if (is_empty)
		return;
	if (c == NULL) {
		feed_drop(f, REASON_UNKNOWN_ASSET, 0, text, n);
		return;
	}
	hl_suspect_prove(&hl(f)->suspect, (uint32_t)(c - hl(f)->coin));
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
	struct hl_feed *h = hl(f);

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
	struct hl_event *ev = &hl(f)->ev;

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
	struct hl_feed *h = hl(f);
	uint32_t lane = lane_of(conn);
	uint32_t have_n = 0;
	uint32_t asked_n = 0;

	feed_note(f, REASON_NO_SNAPSHOT);
	for (uint32_t i = 0; i < h->coin_n; i++) {
		have_n += h->coin[i].lane_book[lane];
		asked_n += hl_suspect_has(&h->suspect, lane, i);
	}
	if (have_n == 0 && asked_n > 0) {
		feed_reconnect(f, conn);
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
	if (!f->has_universe) {
		ask_meta(f);
		return;
	}
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
	struct hl_feed *h = hl(f);

	for (uint32_t i = 0; i < h->coin_n; i++) {
		struct coin *c = &h->coin[i];
		struct pub_stamp stamp = {c->book_ns, 0, content == RING_TOP};

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
		const struct coin *c = &s->coin[i];

		h = hash_bytes(h, &c->pub.bbo, sizeof(c->pub.bbo));
		h = hash_bytes(h, &c->ref, sizeof(c->ref));
		h = hash_u64(h, (uint64_t)c->touch_ns);
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
    .http = take_http,
    .timer = on_timer,
    .ping = ping,
    .resync = resync,
    .hash = hash,
};
