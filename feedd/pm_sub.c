/*
 * Polymarket's subscriptions: which market is carried by which shard, what is
 * asked for and did not come.
 */
#include "feedd/pm_feed.h"
#include "feedd/pm_sub.h"
#include "feedd/text.h"
#include "libcore/check.h"

/* A socket without data for this long may be asked about over REST. */
#define SILENT_NS UINT64_C(3000000000)
#define AGAIN_NS  UINT64_C(1000000000)

/* Markets that trade when they like are given this many times idle_s. */
#define IDLE_SLOW 10u

bool
pm_is_mixed(const struct pm_feed *p, uint8_t conn)
{
	const struct feed *f = &p->feed;

	return feed_is_carried(f, conn) ||
	       f->now_ns < p->mix_ns[feed_shard(conn)];
}

static uint32_t
market_n(const struct pm_feed *p, uint8_t shard, const struct pm_market *but)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < p->market_n; i++)
		n += pm_is_on(&p->market[i]) &&
		     p->market[i].pub.conn == shard && &p->market[i] != but;
	return n;
}

uint8_t
pm_room(const struct pm_feed *p, uint8_t but)
{
	uint32_t most = (uint32_t)p->feed.cfg.polymarket_max_tokens / 2;

	for (uint8_t s = 0; s < FEED_LANES; s++)
		if (s != PM_REF_CONN && s != but && market_n(p, s, NULL) < most)
			return s;
	return FEED_LANES;
}

static void
say(struct pm_feed *p, uint8_t conn, enum pm_sub op, size_t n)
{
	size_t len =
	    pm_encode_subscription(op, p->tokens, n, p->text, sizeof(p->text));

	CHECK(len > 0);
	feed_send(&p->feed, conn, p->text, len);
}

static void
send_market(
    struct pm_feed *p, const struct pm_market *m, uint8_t conn, enum pm_sub op)
{
	p->tokens[0] = m->tok[0].id;
	p->tokens[1] = m->tok[1].id;
	say(p, conn, op, 2);
}

static void
asked(struct pm_feed *p, struct pm_market *m, uint8_t conn)
{
	struct feed *f = &p->feed;
	uint32_t lane = pm_lane_of(conn);

	m->tok[0].is_awaited[lane] = true;
	m->tok[1].is_awaited[lane] = true;
	m->wait_ns[lane] = f->now_ns;
	m->resnap_ns = f->now_ns + PM_RESNAP_NS;
	m->resnap_due_ns = 0;
	feed_wake_at(f, f->now_ns + (uint64_t)f->cfg.feed_snapshot_timeout.ns);
}

static void
forget_lane(struct pm_market *m, uint8_t conn)
{
	uint32_t lane = pm_lane_of(conn);

	m->is_excused[lane] = false;
	for (int i = 0; i < 2; i++) {
		m->tok[i].is_awaited[lane] = false;
		m->tok[i].has_lane[lane] = false;
	}
}

void
pm_subscribe_all(struct pm_feed *p, uint8_t conn)
{
	size_t n = 0;

	for (uint32_t i = 0; i < p->market_n; i++) {
		struct pm_market *m = &p->market[i];

		if (!pm_is_on(m) || m->pub.conn != feed_shard(conn))
			continue;
		p->tokens[n++] = m->tok[0].id;
		p->tokens[n++] = m->tok[1].id;
		forget_lane(m, conn);
		asked(p, m, conn);
	}
	if (n == 0)
		return;
	say(p, conn, PM_SUB_FIRST, n);
	feed_log(&p->feed, FEED_LOG_SUBSCRIBED, 0, REASON_NONE, (int64_t)n);
}

void
pm_join(struct pm_feed *p, struct pm_market *m)
{
	struct feed *f = &p->feed;
	uint8_t conn = m->pub.conn;

	m->life = (uint64_t)m->in.epoch << 32;
	feed_want(f, conn, true);
	for (int i = 0; i < 2; i++, conn = feed_other(conn)) {
		forget_lane(m, conn);
		if (!feed_is_live(f, conn))
			continue; /* coming up subscribes everything */
		send_market(p, m, conn, PM_SUB_ADD);
		asked(p, m, conn);
	}
	pm_check_complete(p, m->pub.conn);
}

void
pm_leave(struct pm_feed *p, struct pm_market *m)
{
	struct feed *f = &p->feed;
	uint8_t conn = m->pub.conn;

	for (int i = 0; i < 2; i++, conn = feed_other(conn)) {
		if (feed_is_live(f, conn))
			send_market(p, m, conn, PM_SUB_REMOVE);
		forget_lane(m, conn);
	}
	if (conn != 0 && market_n(p, conn, m) == 0)
		feed_want(f, conn, false);
}

static bool
can_carry(const struct pm_market *m, uint32_t lane)
{
	return m->is_excused[lane] ||
	       (m->pub.is_valid && m->tok[0].has_lane[lane]);
}

static void
check_conn(struct pm_feed *p, uint8_t conn)
{
	uint8_t shard = feed_shard(conn);
	bool all = true;
	bool any = shard != 0; /* the first one must carry something */

	for (uint32_t i = 0; i < p->market_n && all; i++) {
		const struct pm_market *m = &p->market[i];

		if (!pm_is_on(m) || m->pub.conn != shard)
			continue;
		any = true;
		all = can_carry(m, pm_lane_of(conn));
	}
	all = all && any;
	if (p->feed.link[conn].complete != all)
		feed_complete(&p->feed, conn, all);
}

void
pm_check_complete(struct pm_feed *p, uint8_t shard)
{
	if (feed_is_live(&p->feed, shard))
		check_conn(p, shard);
	if (feed_is_carried(&p->feed, shard))
		check_conn(p, feed_other(shard));
}

void
pm_resnap_on(struct pm_feed *p, struct pm_market *m, uint8_t conn)
{
	struct feed *f = &p->feed;

	if (m->is_off || !feed_is_live(f, conn))
		return; /* coming up subscribes everything */
	if (f->now_ns < m->resnap_ns) {
		m->resnap_due_ns = m->resnap_ns;
		feed_wake_at(f, m->resnap_due_ns);
		return;
	}
	send_market(p, m, conn, PM_SUB_REMOVE);
	send_market(p, m, conn, PM_SUB_ADD);
	asked(p, m, conn);
}

void
pm_resnap(struct pm_feed *p, struct pm_market *m)
{
	uint8_t conn = (uint8_t)(m->pub.conn + m->lead * FEED_LANES);

	if (!feed_is_live(&p->feed, conn))
		conn = feed_other(conn);
	pm_resnap_on(p, m, conn);
}

void
pm_lane_lost(struct pm_feed *p, struct pm_market *m, uint8_t conn)
{
	uint32_t other = pm_lane_of(feed_other(conn));
	bool was_valid = m->pub.is_valid;
	bool is_wanting;

	forget_lane(m, conn);
	if (!m->tok[0].has_lane[other]) {
		pm_forget(m);
		pm_forget_time(m);
		if (was_valid)
			feed_gap(&p->feed, &m->pub, REASON_SEQ_GAP, 0);
	} else if (!m->tok[1].has_lane[other]) {
		pm_forget_tok(&m->tok[1]);
	}
	is_wanting = !m->tok[0].has_book || m->tok[0].is_late ||
		     !m->tok[1].has_book || m->tok[1].is_late;
	if (is_wanting && !m->tok[0].is_awaited[other] &&
	    !m->tok[1].is_awaited[other])
		pm_resnap_on(p, m, feed_other(conn));
}

static bool
ask_book(struct pm_feed *p, const struct pm_tok *t, uint32_t tag)
{
	char path[PM_TOKEN_TEXT_MAX + 32];
	char id[PM_TOKEN_TEXT_MAX];

	pm_token_format(&t->id, id);
	text_join(path, sizeof(path), "/book?token_id=", id);
	if (!pm_ask(p, tag, p->feed.cfg.polymarket_rest_url.s, path))
		return false;
	p->books_n++;
	return true;
}

bool
pm_probe(struct pm_feed *p, const struct pm_market *m, uint32_t role_idx)
{
	return ask_book(p, &m->tok[role_idx], FEED_TAG_BOOK);
}

static void
ask_exists(struct pm_feed *p, const struct pm_market *m)
{
	uint32_t role_idx = m->tok[0].has_book ? 1 : 0;
	uint32_t at = (uint32_t)(m - p->market) * 2 + role_idx;

	if (p->exists_open)
		return; /* one question at a time; it is asked again */
	p->exists_open = ask_book(p, &m->tok[role_idx], PM_TAG_EXISTS + at);
}

void
pm_exists_answer(struct pm_feed *p, const struct feed_event *ev)
{
	struct pm_market *m = &p->market[(ev->tag - PM_TAG_EXISTS) / 2];

	CHECK(ev->tag >= PM_TAG_EXISTS && m < p->market + PM_MARKETS_N);
	p->exists_open = false;
	if (ev->code != 404 || !pm_is_on(m) || m->pub.is_valid ||
	    m->in.state != INSTR_NORMAL)
		return;
	m->state_kept = m->in.state;
	m->in.state = INSTR_HYDRATING;
	feed_instr(&p->feed, m->pub.idx, &m->in);
}

void
pm_hydrated(struct pm_feed *p, struct pm_market *m)
{
	m->asked_n = 0;
	m->moved_n = 0;
	if (m->in.state == INSTR_HYDRATING && m->state_kept != 0) {
		m->in.state = m->state_kept;
		feed_instr(&p->feed, m->pub.idx, &m->in);
	}
	m->state_kept = 0;
}

/* Asked here in vain: another connection may deliver it. */
static bool
move(struct pm_feed *p, struct pm_market *m)
{
	uint8_t to = pm_room(p, m->pub.conn);
	uint8_t from = m->pub.conn;

	if (to == FEED_LANES || m->moved_n >= PM_MOVES_MAX)
		return false;
	pm_leave(p, m);
	pm_forget_time(m);
	m->pub.conn = to;
	m->asked_n = 0;
	m->moved_n++;
	pm_join(p, m);
	pm_check_complete(p, from);
	return true;
}

/* A snapshot that was asked for and did not come: ask again, then elsewhere,
 * and hold the link up no longer for this market's sake. A book that was only
 * to be refreshed may have missed changes meanwhile: it goes, unless the
 * other lane brings them. */
static void
snapshot_overdue(struct pm_feed *p, struct pm_market *m, uint8_t conn)
{
	uint32_t lane = pm_lane_of(conn);
	bool has_book = false;

	feed_note(&p->feed, REASON_NO_SNAPSHOT);
	for (int i = 0; i < 2; i++)
		has_book = has_book ||
			   (m->tok[i].is_awaited[lane] && m->tok[i].has_book);
	m->is_excused[lane] = true;
	pm_check_complete(p, m->pub.conn);
	if (has_book && !can_carry(m, 1 - lane)) {
		pm_dirty(p, m, REASON_NO_SNAPSHOT);
		return;
	}
	if (!m->pub.is_valid) {
		ask_exists(p, m);
		if (m->asked_n++ > 0 && m->in.state != INSTR_HYDRATING &&
		    move(p, m))
			return;
	}
	pm_resnap_on(p, m, conn);
}

static bool
is_awaited(const struct pm_market *m, uint32_t lane)
{
	return m->tok[0].is_awaited[lane] || m->tok[1].is_awaited[lane];
}

static uint64_t
sooner(uint64_t a, uint64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

uint64_t
pm_timer(struct pm_feed *p, struct pm_market *m)
{
	struct feed *f = &p->feed;
	uint64_t limit = (uint64_t)f->cfg.feed_snapshot_timeout.ns;
	uint64_t due = 0;

	if (!pm_is_on(m))
		return 0;
	if (m->batch_due_ns != 0 && f->now_ns >= m->batch_due_ns)
		pm_close_batch(p, m);
	if (m->resnap_due_ns != 0 && f->now_ns >= m->resnap_due_ns) {
		m->resnap_due_ns = 0;
		pm_resnap(p, m);
	}
	for (uint32_t lane = 0; lane < PM_LANES; lane++) {
		uint8_t conn = (uint8_t)(m->pub.conn + lane * FEED_LANES);

		if (!is_awaited(m, lane) || !feed_is_live(f, conn))
			continue;
		if (f->now_ns >= m->wait_ns[lane] + limit)
			snapshot_overdue(p, m, conn);
		if (is_awaited(m, lane))
			due = sooner(due, m->wait_ns[lane] + limit);
	}
	return sooner(due, sooner(m->batch_due_ns, m->resnap_due_ns));
}

/* How fast data must come for what a shard carries: 0 nothing is open. */
static uint64_t
idle_of(const struct pm_feed *p, uint8_t shard, bool *is_fast)
{
	uint64_t idle = (uint64_t)p->feed.cfg.polymarket_idle_s.ns;
	int64_t now_ns = pm_venue_now(p);
	bool any = false;

	*is_fast = false;
	for (uint32_t i = 0; i < p->market_n; i++) {
		const struct pm_market *m = &p->market[i];

		if (!pm_is_on(m) || m->pub.conn != shard ||
		    m->in.state == INSTR_HYDRATING ||
		    m->in.state == INSTR_CLOSED ||
		    m->in.state == INSTR_RESOLVED ||
		    m->in.state == INSTR_HALTED)
			continue;
		any = true;
		*is_fast = *is_fast || (m->in.cls == CLASS_UPDOWN &&
					   m->in.start_wall_ns <= now_ns &&
					   now_ns < m->in.end_wall_ns);
	}
	return any ? (*is_fast ? idle : IDLE_SLOW * idle) : 0;
}

/* A rate that begins now is not expected of the past. */
void
pm_set_idle(struct pm_feed *p)
{
	struct feed *f = &p->feed;

	for (uint8_t s = 0; s < f->shard_n; s++) {
		bool is_fast;
		uint64_t idle = idle_of(p, s, &is_fast);

		if (s == PM_REF_CONN)
			continue;
		if (!is_fast)
			p->open_ns[s] = 0;
		else if (p->open_ns[s] == 0)
			p->open_ns[s] = f->now_ns;
		for (uint8_t c = s; c < FEED_CONN_N; c += FEED_LANES) {
			struct link *l = &f->link[c];

			l->idle_ns = idle;
			if (idle != 0 && p->open_ns[s] > l->data_ns)
				l->idle_ns += p->open_ns[s] - l->data_ns;
		}
	}
}

/* Did the venue say more over REST than over a socket that is silent? Twice
 * in a row, and the socket is made again. */
void
pm_rest_ahead(struct pm_feed *p, const struct pm_market *m, uint32_t role_idx,
    bool is_ahead)
{
	struct feed *f = &p->feed;
	uint8_t shard = m->pub.conn;
	uint8_t best = feed_best(f, shard);

	if (!is_ahead || !feed_is_live(f, best) ||
	    f->now_ns < f->link[best].data_ns + SILENT_NS) {
		p->ahead_n[shard] = 0;
		return;
	}
	if (++p->ahead_n[shard] < 2) {
		p->again_tok = (uint32_t)(m - p->market) * 2 + role_idx;
		p->again_ns = f->now_ns + AGAIN_NS;
		feed_wake_at(f, p->again_ns);
		return;
	}
	p->ahead_n[shard] = 0;
	feed_note(f, REASON_FEED_STALE);
	feed_reconnect(f, best, REASON_SILENT);
	feed_reconnect(f, feed_other(best), REASON_SILENT);
}

/* The book that was ahead of a silent socket, once more. */
void
pm_probe_again(struct pm_feed *p)
{
	const struct pm_market *m = &p->market[p->again_tok / 2];

	if (p->again_ns == 0)
		return;
	if (p->feed.now_ns < p->again_ns) {
		feed_wake_at(&p->feed, p->again_ns);
		return;
	}
	p->again_ns = 0;
	if (!pm_is_on(m) || pm_probe(p, m, p->again_tok % 2))
		return;
	p->again_ns = p->feed.now_ns + AGAIN_NS;
	feed_wake_at(&p->feed, p->again_ns);
}
