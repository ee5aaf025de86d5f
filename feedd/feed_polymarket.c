/*
 * Polymarket: the market channel and the price stream.
 */
#include "feedd/pm_feed.h"
#include "feedd/pm_sub.h"
#include "libcore/check.h"
#include "libcore/hash.h"

size_t
pm_sz(void)
{
	return sizeof(struct pm_feed);
}

static void
start(struct feed *f, const struct feed_event *ev)
{
	struct pm_feed *p = pm_of(f);

	if (!f->cfg.polymarket_enabled) {
		f->has_universe = true;
		return;
	}
	book_init(&p->tmp, p->tmp_level, BOOK_DEPTH);
	f->link[PM_REF_CONN].pong_lax = true;
	f->link[feed_other(PM_REF_CONN)].pong_lax = true;
	pm_ref_start(p, ev);
	pm_look_start(p);
}

static void
open_conn(struct feed *f, uint8_t conn)
{
	feed_open_url(f, conn,
	    feed_shard(conn) == PM_REF_CONN ? pm_ref_url(pm_of(f))
					    : f->cfg.polymarket_ws_url.s);
}

static void
forget_shard(struct pm_feed *p, uint8_t shard)
{
	for (uint32_t i = 0; i < p->market_n; i++) {
		struct pm_market *m = &p->market[i];

		if (!m->used || m->pub.conn != shard)
			continue;
		pm_forget(m);
		pm_forget_time(m);
	}
}

static void
conn_up(struct feed *f, uint8_t conn)
{
	struct pm_feed *p = pm_of(f);

	if (feed_shard(conn) == PM_REF_CONN) {
		pm_ref_up(p);
		return;
	}
	if (!feed_is_carried(f, conn)) {
		forget_shard(p, feed_shard(conn));
		p->up_ns = f->now_ns;
		f->venue_ns = 0;
	}
	pm_subscribe_all(p, conn);
}

/* Readers take the end of shard 0 for the end of everything, and of the
 * others only what is said of an instrument. */
static void
shard_down(struct pm_feed *p, uint8_t shard)
{
	struct feed *f = &p->feed;

	for (uint32_t i = 0; i < p->market_n; i++) {
		struct pm_market *m = &p->market[i];
		struct pub_stamp stamp = {m->tok[0].order.at_ns, 0, false};

		if (!m->used || !m->pub.is_valid)
			continue;
		if (m->pub.conn == shard && shard != 0)
			feed_gap(f, &m->pub, REASON_SEQ_GAP, 0);
		else if (m->pub.conn != shard && shard == 0)
			pub_snapshot(f, &m->pub, &m->tok[0].book, &stamp);
	}
	forget_shard(p, shard);
}

/* Readers take the state of shard 0 for that of all books, and of the others
 * only what is said of an instrument: its books are withdrawn, and told again
 * when messages come again, for they follow without a break. */
static void
shard_stale(struct feed *f, uint8_t shard, bool is_stale)
{
	struct pm_feed *p = pm_of(f);

	for (uint32_t i = 0; i < p->market_n; i++) {
		struct pm_market *m = &p->market[i];
		struct pub_stamp stamp = {m->tok[0].order.at_ns, 0, false};

		if (!m->used || m->is_off || m->pub.conn != shard)
			continue;
		if (is_stale && m->pub.is_valid)
			feed_gap(f, &m->pub, REASON_FEED_STALE, 0);
		else if (!is_stale && !m->pub.is_valid && m->tok[0].has_book)
			pub_snapshot(f, &m->pub, &m->tok[0].book, &stamp);
	}
}

static void
conn_down(struct feed *f, uint8_t conn)
{
	struct pm_feed *p = pm_of(f);
	uint8_t shard = feed_shard(conn);

	if (shard == PM_REF_CONN) {
		pm_ref_down(p, conn);
		return;
	}
	if (!feed_is_carried(f, conn)) {
		shard_down(p, shard);
		return;
	}
	p->mix_ns[shard] = f->now_ns + PM_MIX_NS;
	for (uint32_t i = 0; i < p->market_n; i++) {
		struct pm_market *m = &p->market[i];

		if (m->used && !m->is_off && m->pub.conn == shard)
			pm_lane_lost(p, m, conn);
	}
	pm_check_complete(p, shard);
}

static void
ping(struct feed *f, uint8_t conn)
{
	if (feed_shard(conn) == PM_REF_CONN)
		pm_ref_ping(pm_of(f), conn);
	else
		feed_send(f, conn, PM_PING, sizeof(PM_PING) - 1);
}

/* Part of a frame was lost: fresh snapshots. Until they come the books stay
 * as they are; if they do not come, the books go. */
static void
refresh(struct pm_feed *p, uint8_t conn)
{
	struct feed *f = &p->feed;

	if (f->now_ns < p->refresh_ns[conn])
		return;
	p->refresh_ns[conn] =
	    f->now_ns + (uint64_t)f->cfg.feed_snapshot_timeout.ns;
	for (uint32_t i = 0; i < p->market_n; i++) {
		struct pm_market *m = &p->market[i];

		if (m->used && m->pub.conn == feed_shard(conn))
			pm_resnap_on(p, m, conn);
	}
}

static void
put_trade(struct pm_feed *p, const struct pm_market *m, enum token_role role,
    const struct pm_event *ev)
{
	struct feed *f = &p->feed;
	struct tick t = feed_tick(f, TICK_TRADE, m->pub.idx, ev->venue_ns);
	uint64_t id = hash_u64(HASH_SEED, (uint64_t)ev->venue_ns);

	id = hash_u64(id, ev->token.w[0]);
	id = hash_u64(id, (uint64_t)ev->px.tok_e8);
	id = hash_u64(id, (uint64_t)ev->qty.e8);
	t.u.trade.px = frame_px(ev->px, role);
	t.u.trade.qty = ev->qty;
	t.u.trade.side = (uint8_t)frame_side(ev->side, role);
	t.u.trade.trade_id = hash_u64(id, ev->side);
	t.u.trade.conn = m->pub.conn;
	t.u.trade.epoch = m->pub.epoch;
	if (role == ROLE_NO)
		t.hdr.flags |= SLOT_OTHER_TOK;
	feed_put(f, &t);
	feed_batch_end(f);
}

static void
take_trade(struct pm_feed *p, const struct pm_event *ev)
{
	enum token_role role;
	struct pm_market *m = pm_find(p, &ev->token, &role);

	if (m == NULL) {
		feed_count(&p->feed, REASON_UNKNOWN_ASSET);
		return;
	}
	if (ev->px.tok_e8 > E8) {
		feed_count(&p->feed, REASON_BAD_NUMBER);
		return;
	}
	if (pm_is_mixed(p, p->feed.conn) &&
	    !pm_seen_take(&p->seen[feed_shard(p->feed.conn)],
		pm_lane_of(p->feed.conn), pm_id_trade(ev))) {
		feed_note(&p->feed, REASON_SEQ_OLD);
		return;
	}
	put_trade(p, m, role, ev);
	pm_trade_px(p, m, &m->tok[role - 1], ev);
}

static bool
take_event(
    struct pm_feed *p, const struct pm_event *ev, const struct feed_event *in)
{
	struct feed *f = &p->feed;

	switch (ev->kind) {
	case PM_BOOK: pm_take_book(p, ev); return true;
	case PM_PRICE_CHANGE:
		feed_stamp(f, ev->venue_ns);
		pm_take_changes(p, ev);
		return true;
	case PM_TRADE:
		feed_stamp(f, ev->venue_ns);
		take_trade(p, ev);
		return true;
	case PM_TICK_SIZE: pm_take_tick_size(p, ev); return true;
	case PM_TOUCH: pm_take_touch(p, ev); return true;
	case PM_NEW_MARKET: pm_look_new_market(p, ev); return false;
	case PM_RESOLVED: pm_outcome_hint(p, ev); return true;
	case PM_PONG: feed_pong(f); return false;
	case PM_NO_NEW_ASSETS: return false;
	case PM_NOTICE:
	case PM_UNKNOWN:
		feed_drop(f, REASON_UNKNOWN_EVENT, 0, in->data, in->n);
		return false;
	case PM_ERR:
		feed_drop(f, ev->reason, ev->err_off, in->data, in->n);
		refresh(p, f->conn);
		return false;
	case PM_END:
	case PM_KIND_N: break;
	}
	CHECK(ev->kind == PM_ERR);
	return false;
}

static void
take_frame(struct feed *f, const struct feed_event *in)
{
	struct pm_feed *p = pm_of(f);
	bool is_data = false;

	if (feed_shard(f->conn) == PM_REF_CONN) {
		pm_ref_frame(p, in);
		return;
	}
	pm_frame_init(&p->frame, in->data, in->n);
	while (pm_next(&p->frame, &p->ev) != PM_END)
		is_data = take_event(p, &p->ev, in) || is_data;
	feed_recv(f, is_data);
}

/* Bodies of GET /book come without a subscription: FEED_TAG_BOOK. */
static void
take_http(struct feed *f, const struct feed_event *in)
{
	struct pm_feed *p = pm_of(f);

	if (in->tag < PM_TAG_EXISTS) {
		pm_look_answer(p, in);
		return;
	}
	pm_asked_book(p, in);
	if (in->tag != FEED_TAG_BOOK)
		pm_exists_answer(p, in);
	if (in->tag != FEED_TAG_BOOK || in->code != 200)
		return;
	pm_frame_init(&p->frame, in->data, in->n);
	while (pm_next(&p->frame, &p->ev) != PM_END) {
		if (p->ev.kind == PM_BOOK)
			pm_take_rest_book(p, &p->ev);
		else
			feed_drop(f,
			    p->ev.kind == PM_ERR ? p->ev.reason
						 : REASON_UNKNOWN_EVENT,
			    p->ev.err_off, in->data, in->n);
	}
}

static void
on_timer(struct feed *f)
{
	struct pm_feed *p = pm_of(f);

	if (!f->cfg.polymarket_enabled)
		return;
	pm_look_timer(p);
	for (uint32_t i = 0; i < p->market_n; i++) {
		uint64_t due = pm_timer(p, &p->market[i]);

		if (due != 0)
			feed_wake_at(f, due);
	}
	pm_probe_again(p);
	pm_set_idle(p);
	pm_ref_timer(p);
	pm_unknown_run(p);
}

static void
resync(struct feed *f, enum ring_content content)
{
	struct pm_feed *p = pm_of(f);

	pm_ref_resync(p);
	for (uint32_t i = 0; i < p->market_n; i++) {
		struct pm_market *m = &p->market[i];
		struct pub_stamp stamp = {
		    m->tok[0].order.at_ns, 0, content == RING_TOP};

		if (!m->used)
			continue;
		feed_instr(f, m->pub.idx, &m->in);
		if (m->pub.is_valid)
			pub_snapshot(f, &m->pub, &m->tok[0].book, &stamp);
		else
			pub_again(f, &m->pub);
	}
}

static void
stop(struct feed *f)
{
	pm_bolt_stop(pm_of(f));
}

static uint64_t
hash(const struct feed *f, uint64_t h)
{
	const struct pm_feed *p = (const struct pm_feed *)f;

	for (uint32_t i = 0; i < p->index_n; i++)
		h = hash_bytes(
		    h, p->index[i].last_px, sizeof(p->index[i].last_px));
	for (uint32_t i = 0; i < p->market_n; i++) {
		const struct pm_market *m = &p->market[i];

		if (!m->used)
			continue;
		h = hash_bytes(h, &m->in, sizeof(m->in));
		h = hash_bytes(h, &m->pub.bbo, sizeof(m->pub.bbo));
		h = hash_u64(h, m->pub.is_valid);
		h = book_hash(&m->tok[0].book, h);
		h = book_hash(&m->tok[1].book, h);
	}
	return h;
}

const struct feed_ops pm_ops = {
    .start = start,
    .open = open_conn,
    .up = conn_up,
    .down = conn_down,
    .frame = take_frame,
    .http = take_http,
    .timer = on_timer,
    .ping = ping,
    .resync = resync,
    .stop = stop,
    .stale = shard_stale,
    .hash = hash,
    .recall = pm_recall,
};
