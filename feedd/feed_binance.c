/*
 * Binance: the reference price, one shard of one combined connection. What
 * two lanes deliver is told apart by update and trade ids: the first arrival
 * counts, and what one lane lacks the other one fills in.
 */
#include <stddef.h>
#include <string.h>

#include "feedd/bn_feed.h"
#include "feedd/text.h"
#include "libcore/check.h"
#include "libcore/hash.h"
#include "libvenue/bn_sbe.h"

size_t
bn_sz(void)
{
	return sizeof(struct bn_feed);
}

static uint32_t
lane_of(uint8_t conn)
{
	return conn / FEED_LANES;
}

static bool
has_stream(const struct cfg *cfg, const char *name)
{
	const struct cfg_list *l = &cfg->binance_streams;

	for (uint32_t i = 0; i < l->n; i++)
		if (text_starts(l->item[i], name))
			return true;
	return false;
}

static void
start(struct feed *f, const struct feed_event *ev)
{
	struct bn_feed *b = bn_of(f);
	const struct cfg_list *l = &f->cfg.binance_symbols;

	(void)ev;
	f->has_universe = true;
	if (!f->cfg.binance_enabled || l->n == 0)
		return;
	b->has_trade = has_stream(&f->cfg, "trade");
	b->has_depth = has_stream(&f->cfg, "depth");
	b->has_touch = b->has_depth || has_stream(&f->cfg, "bookTicker");
	b->is_binary = f->cfg.binance_sbe_url.s[0] != '\0';
	for (uint32_t i = 0; i < l->n; i++) {
		struct bn_symbol *s = &b->symbol[i];

		s->pub.idx = (uint16_t)(INSTR_BN_BASE + i);
		s->pub.epoch = 1;
		pub_forget(&s->pub);
		text_upper(s->name, sizeof(s->name), l->item[i]);
		text_copy(s->in.symbol, sizeof(s->in.symbol), s->name);
		s->in.venue = VENUE_BINANCE;
		s->in.cls = CLASS_SPOT;
		s->in.state = INSTR_NORMAL;
		s->in.epoch = 1;
		if (b->has_depth)
			bn_depth_reset(&s->depth);
		feed_instr(f, s->pub.idx, &s->in);
	}
	b->symbol_n = l->n;
	f->instr_n = l->n;
	feed_idle(f, 0, (uint64_t)f->cfg.binance_idle_s.ns);
	feed_want(f, 0, true);
	bn_info_run(&b->info, f);
}

static void
open_conn(struct feed *f, uint8_t conn)
{
	const char *symbols[CFG_LIST_N];
	const char *kinds[CFG_LIST_N];
	char url[FEED_URL_MAX];
	char path[FEED_URL_MAX - CFG_STR_SZ];
	struct bn_streams want = {.symbols = symbols, .kinds = kinds};
	bool is_binary = bn_of(f)->is_binary;

	for (uint32_t i = 0; i < f->cfg.binance_symbols.n; i++)
		symbols[want.symbols_n++] = f->cfg.binance_symbols.item[i];
	for (uint32_t i = 0; i < f->cfg.binance_streams.n; i++)
		kinds[want.kinds_n++] = f->cfg.binance_streams.item[i];
	want.is_binary = is_binary;
	if (bn_stream_path(&want, path, sizeof(path)) == 0)
		path[0] = '\0';
	text_join(url, sizeof(url),
	    is_binary ? f->cfg.binance_sbe_url.s : f->cfg.binance_ws_url.s,
	    path);
	feed_open_url(f, conn, url);
}

/* Both sides of the touch, or nothing. */
static struct tick_bbo
bbo_of(const struct bn_event *ev)
{
	struct tick_bbo bbo = {{0}, {0}, {0}, {0}};

	if (ev->bid.qty.e8 > 0) {
		bbo.bid_px = ev->bid.px;
		bbo.bid_qty = ev->bid.qty;
	}
	if (ev->ask.qty.e8 > 0) {
		bbo.ask_px = ev->ask.px;
		bbo.ask_qty = ev->ask.qty;
	}
	return bbo;
}

static void
forget_touch(struct feed *f, struct bn_symbol *s)
{
	s->touch_id = 0;
	s->ticker_id = 0;
	s->has_ticker = false;
	s->touch_strikes = 0;
	s->crossed_n = 0;
	stuck_news(&s->touch_stuck);
	stuck_news(&s->depth_stuck);
	if (bn_of(f)->has_depth)
		bn_depth_reset(&s->depth);
}

static void
forget(struct feed *f, struct bn_symbol *s)
{
	pub_forget(&s->pub);
	bn_ids_reset(&s->trade);
	bn_ids_reset(&s->agg);
	stuck_news(&s->trade_stuck);
	forget_touch(f, s);
}

/* What is known of the touch and the book is wrong or old: tell, and take
 * whatever comes next, as on a new connection. */
static void
start_over(struct feed *f, uint32_t i, enum reason r)
{
	struct bn_symbol *s = &bn_of(f)->symbol[i];

	feed_note(f, r);
	feed_log(f, FEED_LOG_GAP, s->pub.idx, r, 0);
	if (s->pub.is_valid)
		feed_gap(f, &s->pub, r, 0);
	forget_touch(f, s);
	if (bn_of(f)->has_depth)
		bn_ask_snapshot(f, i);
	bn_check_lanes(f);
}

static uint64_t
quiet_ns(const struct feed *f)
{
	return WATCH_QUIET_N * (uint64_t)f->cfg.binance_idle_s.ns;
}

static void
touch_seen(struct feed *f, struct bn_symbol *s)
{
	if (s->touch_quiet.is_told)
		feed_wake_at(f, f->now_ns + quiet_ns(f));
	quiet_seen(&s->touch_quiet, f->now_ns);
}

/* A symbol whose touch does not come, on connections that are alive: it is
 * void, and they are made again, once, one beside the other. */
static void
check_quiet(struct feed *f)
{
	struct bn_feed *b = bn_of(f);

	for (uint32_t i = 0; b->has_touch && i < b->symbol_n; i++) {
		struct quiet *q = &b->symbol[i].touch_quiet;
		uint64_t due_ns;

		if (quiet_take(q, f->now_ns, quiet_ns(f))) {
			start_over(f, i, REASON_FEED_STALE);
			feed_relieve_all(f, 0, REASON_SILENT);
		}
		due_ns = quiet_due(q, quiet_ns(f));
		if (due_ns != 0)
			feed_wake_at(f, due_ns);
	}
}

/* The book is wrong or incomplete: tell, and get another one. The touch of
 * bookTicker, when there is one, goes on. */
static void
book_lost(struct feed *f, uint32_t i, enum reason r, uint64_t lost_n)
{
	struct bn_symbol *s = &bn_of(f)->symbol[i];

	feed_log(f, FEED_LOG_GAP, s->pub.idx, r, (int64_t)lost_n);
	feed_gap(f, &s->pub, r, lost_n);
	s->touch_strikes = 0;
	if (s->depth.sync == BN_SYNC_OK)
		bn_depth_reset(&s->depth);
	if (s->has_ticker) {
		pub_bbo(f, &s->pub, &s->ticker, 0);
		feed_batch_end(f);
	}
	bn_ask_snapshot(f, i);
}

/* Is everything there that the lane must show? On a lane alone that is the
 * books; beside another one also data of its own for each symbol that joins
 * what is known. Silent symbols are waited for no longer than
 * feed.snapshot_timeout. */
static bool
is_symbol_complete(struct feed *f, const struct bn_symbol *s, uint8_t conn)
{
	uint64_t limit = (uint64_t)f->cfg.feed_snapshot_timeout.ns;
	uint32_t lane = lane_of(conn);
	bool waits = f->now_ns < f->link[conn].up_ns + limit;

	if (bn_of(f)->has_depth && s->depth.sync != BN_SYNC_OK)
		return false;
	if (!feed_is_carried(f, conn))
		return true;
	if (!s->has_data[lane])
		return !waits;
	return (!bn_of(f)->has_depth || s->has_joined[lane]) &&
	       bn_ids_has_caught_up(&s->trade, lane) &&
	       bn_ids_has_caught_up(&s->agg, lane);
}

static void
check_complete(struct feed *f, uint8_t conn)
{
	struct bn_feed *b = bn_of(f);
	bool all = true;

	for (uint32_t i = 0; i < b->symbol_n; i++)
		all = all && is_symbol_complete(f, &b->symbol[i], conn);
	if (f->link[conn].complete != all)
		feed_complete(f, conn, all);
}

void
bn_check_lanes(struct feed *f)
{
	for (uint8_t c = 0; c < FEED_CONN_N; c += FEED_LANES)
		if (feed_is_live(f, c))
			check_complete(f, c);
}

int
bn_find(const struct bn_feed *b, struct json_str name, bool is_stream)
{
	for (uint32_t i = 0; i < b->symbol_n; i++)
		if (is_stream ? text_stream_is(name, b->symbol[i].name)
			      : text_is(name, b->symbol[i].name))
			return (int)i;
	return -1;
}

void
bn_publish_book(struct feed *f, struct bn_symbol *s, int64_t venue_ns)
{
	struct pub_stamp stamp = {venue_ns, s->depth.last_id, false};
	struct tick_bbo bbo = s->pub.bbo;
	bool is_older = s->depth.last_id < s->touch_id && s->pub.is_valid;

	pub_snapshot(f, &s->pub, &s->depth.book, &stamp);
	f->stats.snapshots++;
	if (is_older) { /* bookTicker was faster */
		pub_bbo(f, &s->pub, &bbo, 0);
		feed_batch_end(f);
	} else {
		s->touch_id = s->depth.last_id;
	}
}

/* Trades are missing. Touch and book are not: they are told again, since a
 * gap takes them from the readers. */
static void
trades_lost(struct feed *f, struct bn_symbol *s, uint64_t lost_n)
{
	struct tick_bbo bbo = s->pub.bbo;
	int64_t bbo_ns = s->pub.bbo_ns;
	bool was_valid = s->pub.is_valid;

	feed_note(f, REASON_SEQ_GAP);
	feed_log(f, FEED_LOG_GAP, s->pub.idx, REASON_SEQ_GAP, (int64_t)lost_n);
	feed_gap(f, &s->pub, REASON_SEQ_GAP, lost_n);
	if (bn_of(f)->has_depth && s->depth.sync == BN_SYNC_OK)
		bn_publish_book(f, s, bbo_ns);
	if (was_valid)
		pub_bbo(f, &s->pub, &bbo, bbo_ns);
	feed_batch_end(f);
}

/* Is this trade new? What no lane can bring any more is told before it goes
 * out. */
static bool
follow_trades(struct feed *f, struct bn_symbol *s, struct bn_ids *ids,
    const struct bn_event *ev)
{
	uint32_t lane = lane_of(f->conn);
	bool is_new = bn_ids_take(ids, lane, ev->trade_id);
	uint64_t lost_n =
	    bn_ids_lost(ids, feed_is_carried(f, f->conn) ? BN_LANES : lane);

	if (lost_n > 0)
		trades_lost(f, s, lost_n);
	if (is_new)
		stuck_news(&s->trade_stuck);
	else
		feed_note(f, REASON_SEQ_OLD);
	return is_new;
}

/* Ids begin again when those known are ahead of all that comes. */
static bool
is_trade_new(struct feed *f, struct bn_symbol *s, struct bn_ids *ids,
    const struct bn_event *ev)
{
	if (follow_trades(f, s, ids, ev))
		return true;
	if (ev->trade_id == ids->last || !stuck_old(&s->trade_stuck, f->now_ns))
		return false;
	bn_ids_reset(ids);
	trades_lost(f, s, 0);
	return follow_trades(f, s, ids, ev);
}

/* A lane that may have had what the other one lacks is gone. */
static void
lane_lost(struct feed *f, struct bn_symbol *s, uint8_t conn)
{
	uint32_t other = lane_of(feed_other(conn));
	uint64_t lost_n =
	    bn_ids_lost(&s->trade, other) + bn_ids_lost(&s->agg, other);

	s->has_joined[lane_of(conn)] = false;
	if (lost_n > 0)
		trades_lost(f, s, lost_n);
}

static void
conn_up(struct feed *f, uint8_t conn)
{
	struct bn_feed *b = bn_of(f);
	uint32_t lane = lane_of(conn);

	for (uint32_t i = 0; i < b->symbol_n; i++) {
		struct bn_symbol *s = &b->symbol[i];

		if (!feed_is_carried(f, conn)) {
			forget(f, s);
			quiet_seen(&s->touch_quiet, f->now_ns);
		}
		s->has_data[lane] = false;
		s->has_joined[lane] = false;
		bn_ids_restart(&s->trade, lane);
		bn_ids_restart(&s->agg, lane);
	}
	check_complete(f, conn);
	feed_wake_at(f, f->now_ns + (uint64_t)f->cfg.feed_snapshot_timeout.ns);
	feed_wake_at(f, f->now_ns + quiet_ns(f));
}

static void
conn_down(struct feed *f, uint8_t conn)
{
	struct bn_feed *b = bn_of(f);

	for (uint32_t i = 0; i < b->symbol_n; i++) {
		struct bn_symbol *s = &b->symbol[i];

		if (!feed_is_carried(f, conn)) {
			forget(f, s);
			quiet_stop(&s->touch_quiet);
		} else {
			lane_lost(f, s, conn);
		}
	}
	if (feed_is_carried(f, conn))
		check_complete(f, feed_other(conn));
}

static void
put_trade(struct feed *f, const struct bn_symbol *s, const struct bn_event *ev)
{
	struct tick t = feed_tick(f, TICK_TRADE, s->pub.idx, ev->venue_ns);

	t.u.trade.px = ev->px;
	t.u.trade.qty = ev->qty;
	t.u.trade.trade_id = ev->trade_id;
	t.u.trade.side = (uint8_t)ev->side;
	t.u.trade.conn = s->pub.conn;
	t.u.trade.epoch = s->pub.epoch;
	feed_put(f, &t);
	feed_batch_end(f);
}

static void
take_trade(struct feed *f, struct bn_symbol *s, const struct bn_event *ev)
{
	feed_stamp(f, ev->event_ns);
	if (ev->kind == BN_AGG_TRADE) {
		if (bn_of(f)->has_trade || !is_trade_new(f, s, &s->agg, ev))
			return;
	} else if (!is_trade_new(f, s, &s->trade, ev)) {
		return;
	}
	put_trade(f, s, ev);
}

/* A ticker of update next_id, newer than the book, came: the one before it is
 * then the last that the book covers, and both must show the same top. False
 * when the book must go; never while two lanes mix, where the ticker before
 * may be still on its way. Of a binary stream the one before may have been
 * left out by the venue: nothing to compare. */
static bool
touch_agrees(struct feed *f, struct bn_symbol *s, uint64_t next_id)
{
	struct book_level bid = {{0}, {0}};
	struct book_level ask = {{0}, {0}};

	if (bn_of(f)->is_binary || s->depth.sync != BN_SYNC_OK ||
	    !s->has_ticker || s->ticker_id > s->depth.last_id ||
	    next_id <= s->depth.last_id || s->checked_id == s->depth.last_id)
		return true;
	s->checked_id = s->depth.last_id;
	book_best(&s->depth.book, SIDE_BID, &bid);
	book_best(&s->depth.book, SIDE_ASK, &ask);
	if (bid.px.e8 == s->ticker.bid_px.e8 &&
	    bid.qty.e8 == s->ticker.bid_qty.e8 &&
	    ask.px.e8 == s->ticker.ask_px.e8 &&
	    ask.qty.e8 == s->ticker.ask_qty.e8) {
		f->stats.touch_ok++;
		s->touch_strikes = 0;
		return true;
	}
	f->stats.touch_bad++;
	feed_note(f, REASON_TOUCH_MISMATCH);
	s->touch_strikes++;
	return feed_is_carried(f, f->conn) ||
	       s->touch_strikes < (uint32_t)f->cfg.feed_hash_strikes;
}

/* Nobody prices from a crossed touch; twice in a row, nothing is known. */
static void
ticker_crossed(struct feed *f, uint32_t i)
{
	struct bn_symbol *s = &bn_of(f)->symbol[i];

	feed_note(f, REASON_CROSSED);
	s->crossed_n++;
	if (s->crossed_n < 2 || !s->pub.is_valid)
		return;
	start_over(f, i, REASON_CROSSED);
}

/* Is an update one of the past? */
static bool
is_ticker_old(struct feed *f, uint32_t i, uint64_t id)
{
	struct bn_symbol *s = &bn_of(f)->symbol[i];

	if (s->ticker_id == 0 || id > s->ticker_id)
		return false;
	feed_note(f, REASON_SEQ_OLD);
	if (id == s->ticker_id || !stuck_old(&s->touch_stuck, f->now_ns))
		return true;
	start_over(f, i, REASON_SEQ_GAP);
	return false;
}

static void
take_ticker(struct feed *f, uint32_t i, const struct bn_event *ev)
{
	struct bn_symbol *s = &bn_of(f)->symbol[i];

	if (ev->event_ns != 0)
		feed_stamp(f, ev->event_ns);
	touch_seen(f, s);
	if (is_ticker_old(f, i, ev->last_id))
		return;
	stuck_news(&s->touch_stuck);
	if (bn_of(f)->has_depth && !touch_agrees(f, s, ev->last_id)) {
		book_lost(f, i, REASON_TOUCH_MISMATCH, 0);
		bn_check_lanes(f);
	}
	s->ticker_id = ev->last_id;
	s->ticker = bbo_of(ev);
	s->has_ticker = !watch_is_crossed(&s->ticker);
	if (!s->has_ticker) {
		ticker_crossed(f, i);
		return;
	}
	s->crossed_n = 0;
	if (ev->last_id < s->touch_id)
		return;
	s->touch_id = ev->last_id;
	pub_bbo(f, &s->pub, &s->ticker, ev->venue_ns);
	feed_batch_end(f);
}

struct level_user {
	struct feed *f;
	struct bn_symbol *s;
	struct pub_stamp stamp;
};

static void
level_changed(void *user, enum side side, struct book_level level)
{
	struct level_user *u = user;

	pub_level(u->f, &u->s->pub, side, level, &u->stamp);
}

static void
touch_from_book(struct feed *f, struct bn_symbol *s, int64_t venue_ns)
{
	if (s->depth.last_id <= s->touch_id)
		return;
	s->touch_id = s->depth.last_id;
	pub_touch(f, &s->pub, &s->depth.book, venue_ns);
}

static void
depth_applied(struct feed *f, uint32_t i, const struct bn_event *ev)
{
	struct bn_symbol *s = &bn_of(f)->symbol[i];

	stuck_news(&s->depth_stuck);
	touch_seen(f, s);
	if (book_is_crossed(&s->depth.book)) {
		feed_batch_end(f);
		feed_note(f, REASON_CROSSED);
		book_lost(f, i, REASON_CROSSED, 0);
		bn_check_lanes(f);
		return;
	}
	touch_from_book(f, s, ev->venue_ns);
	feed_batch_end(f);
}

static void
take_depth(struct feed *f, uint32_t i, const struct bn_event *ev)
{
	struct bn_symbol *s = &bn_of(f)->symbol[i];
	struct level_user u = {f, s, {ev->venue_ns, ev->last_id, false}};
	uint64_t before_id = s->depth.last_id;
	bool *joined = &s->has_joined[lane_of(f->conn)];

	feed_stamp(f, ev->event_ns);
	if (bn_depth_is_ahead(&s->depth, ev) && feed_is_carried(f, f->conn)) {
		*joined = false; /* the other lane has what is between */
		feed_note(f, REASON_SEQ_OLD);
		return;
	}
	switch (bn_depth_diff(&s->depth, ev, level_changed, &u)) {
	case BN_QUEUED: bn_ask_snapshot(f, i); return;
	case BN_OLD:
		*joined = true;
		feed_note(f, REASON_SEQ_OLD);
		if (ev->last_id < s->depth.last_id &&
		    stuck_old(&s->depth_stuck, f->now_ns))
			start_over(f, i, REASON_SEQ_GAP);
		return;
	case BN_GAP:
		feed_note(f, REASON_SEQ_GAP);
		book_lost(f, i, REASON_SEQ_GAP, ev->first_id - before_id - 1);
		bn_check_lanes(f);
		return;
	case BN_APPLIED:
		*joined = true;
		depth_applied(f, i, ev);
		return;
	case BN_APPLIED_N: break;
	}
	CHECK(ev->kind != BN_DEPTH);
}

static void
take_partial(struct feed *f, uint32_t i, const struct bn_event *ev)
{
	struct bn_symbol *s = &bn_of(f)->symbol[i];

	touch_seen(f, s);
	s->has_joined[lane_of(f->conn)] = true; /* whole by itself */
	if (s->depth.sync == BN_SYNC_OK && ev->last_id <= s->depth.last_id) {
		feed_note(f, REASON_SEQ_OLD);
		if (ev->last_id == s->depth.last_id ||
		    !stuck_old(&s->depth_stuck, f->now_ns))
			return;
		start_over(f, i, REASON_SEQ_GAP);
	}
	stuck_news(&s->depth_stuck);
	bn_depth_partial(&s->depth, ev);
	bn_publish_book(f, s, ev->venue_ns);
	bn_check_lanes(f);
}

static void
take_event(
    struct feed *f, const struct bn_event *ev, const char *text, size_t n)
{
	struct bn_feed *b = bn_of(f);
	bool is_stream = ev->kind == BN_PARTIAL && ev->symbol.n == 0;
	int i = bn_find(b, is_stream ? ev->stream : ev->symbol, is_stream);

	feed_recv(f, i >= 0);
	if (i < 0) {
		feed_drop(f, REASON_UNKNOWN_ASSET, 0, text, n);
		return;
	}
	b->symbol[i].has_data[lane_of(f->conn)] = true;
	b->symbol[i].was_seen = true;
	if (ev->kind == BN_TRADE || ev->kind == BN_AGG_TRADE)
		take_trade(f, &b->symbol[i], ev);
	else if (ev->kind == BN_BOOK_TICKER)
		take_ticker(f, (uint32_t)i, ev);
	else if (!b->has_depth)
		feed_count(f, REASON_UNSUPPORTED);
	else if (ev->kind == BN_DEPTH)
		take_depth(f, (uint32_t)i, ev);
	else
		take_partial(f, (uint32_t)i, ev);
	if (!f->link[f->conn].complete)
		check_complete(f, f->conn);
}

static void
take_any(struct feed *f, const struct bn_event *ev, const char *text, size_t n)
{
	switch (ev->kind) {
	case BN_ERR:
		feed_recv(f, false);
		feed_drop(f, ev->reason, ev->err_off, text, n);
		return;
	case BN_TRADE:
	case BN_AGG_TRADE:
	case BN_BOOK_TICKER:
	case BN_DEPTH:
	case BN_PARTIAL: take_event(f, ev, text, n); return;
	case BN_SHUTDOWN:
		feed_recv(f, false);
		feed_relieve(f, f->conn, REASON_PEER_CLOSED);
		return;
	case BN_ANSWER: feed_recv(f, false); return;
	case BN_SNAPSHOT:
	case BN_REFUSAL:
		feed_recv(f, false);
		feed_drop(f, REASON_UNSUPPORTED, 0, text, n);
		return;
	case BN_UNKNOWN:
		feed_recv(f, false);
		feed_drop(f, ev->reason, 0, text, n);
		return;
	case BN_KIND_N: break;
	}
	CHECK(ev->kind == BN_ERR);
}

/* A binary frame may hold several trades. What is wrong with one is told
 * without a sample of it. */
static void
take_frame(struct feed *f, const struct feed_event *in)
{
	static const char none[] = "(binary)";
	struct bn_event *ev = &bn_of(f)->ev;
	struct bn_sbe sbe;

	if (!in->is_binary) {
		(void)bn_decode(ev, in->data, in->n);
		take_any(f, ev, in->data, in->n);
		return;
	}
	bn_sbe_init(&sbe, in->data, in->n);
	while (bn_sbe_next(&sbe, ev))
		take_any(f, ev, none, sizeof(none) - 1);
}

static void
on_timer(struct feed *f)
{
	struct bn_feed *b = bn_of(f);
	bool is_live = b->symbol_n > 0 && feed_is_live(f, feed_best(f, 0));

	for (uint32_t i = 0; is_live && b->has_depth && i < b->symbol_n; i++) {
		struct bn_symbol *s = &b->symbol[i];

		if (s->depth.sync == BN_SYNC_WAIT && s->depth.queue_n > 0)
			bn_ask_snapshot(f, i);
	}
	feed_idle(f, 0, (uint64_t)f->cfg.binance_idle_s.ns);
	bn_check_lanes(f);
	check_quiet(f);
	bn_check_names(f);
	if (b->symbol_n > 0)
		bn_info_run(&b->info, f);
}

static void
resync(struct feed *f, enum ring_content content)
{
	struct bn_feed *b = bn_of(f);

	for (uint32_t i = 0; i < b->symbol_n; i++) {
		struct bn_symbol *s = &b->symbol[i];
		struct pub_stamp stamp = {
		    s->pub.bbo_ns, s->depth.last_id, content == RING_TOP};

		feed_instr(f, s->pub.idx, &s->in);
		if (s->depth.sync == BN_SYNC_OK)
			pub_snapshot(f, &s->pub, &s->depth.book, &stamp);
		else
			pub_again(f, &s->pub);
	}
}

static uint64_t
hash(const struct feed *f, uint64_t h)
{
	const struct bn_feed *b = (const struct bn_feed *)f;

	for (uint32_t i = 0; i < b->symbol_n; i++) {
		const struct bn_symbol *s = &b->symbol[i];

		h = hash_bytes(h, &s->pub.bbo, sizeof(s->pub.bbo));
		h = hash_u64(h, s->trade.last);
		h = hash_u64(h, s->touch_id);
		if (b->has_depth)
			h = book_hash(&s->depth.book, h);
	}
	return h;
}

const struct feed_ops bn_ops = {
    .start = start,
    .open = open_conn,
    .up = conn_up,
    .down = conn_down,
    .frame = take_frame,
    .http = bn_take_http,
    .timer = on_timer,
    .ping = feed_ping_frame,
    .resync = resync,
    .hash = hash,
};
