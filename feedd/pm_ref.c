/*
 * The price stream: settlement prices, and the strike of windows that open
 * while we watch. Two sockets bring the same points: this file speaks with
 * the older one, pm_bolt.c with the newer. The older: one subscription a
 * topic without a filter (a second one would replace the first); symbols are
 * picked here.
 */
#include <string.h>

#include "feedd/pm_feed.h"
#include "feedd/text.h"
#include "libcore/check.h"

#define TEXT_PING_NS UINT64_C(5000000000)
#define REF_IDLE_NS  UINT64_C(10000000000) /* it may stall silently */

static bool
is_chainlink(const char *symbol)
{
	return strchr(symbol, '/') != NULL;
}

static bool
is_bolt(const struct pm_feed *p)
{
	return p->feed.cfg.polymarket_price_stream == CFG_PRICE_STREAM_POLYBOLT;
}

const char *
pm_ref_url(const struct pm_feed *p)
{
	return is_bolt(p) ? p->feed.cfg.polymarket_polybolt_url.s
			  : p->feed.cfg.polymarket_rtds_url.s;
}

/* What the index is mainly: the newer socket has no spot of its own oracle. */
static enum ref_source
index_source(const struct pm_feed *p, const char *symbol)
{
	if (!is_chainlink(symbol))
		return REF_RELAY;
	return is_bolt(p) ? REF_TWAP : REF_SPOT;
}

void
pm_ref_start(struct pm_feed *p, const struct feed_event *ev)
{
	struct feed *f = &p->feed;
	const struct cfg_list *l = &f->cfg.polymarket_rtds_symbols;

	if (f->cfg.polymarket_price_stream == CFG_PRICE_STREAM_NONE)
		return;
	for (uint32_t i = 0; i < l->n; i++) {
		struct pm_index *x = &p->index[i];

		x->pub.idx = (uint16_t)(INSTR_PM_BASE + i);
		x->pub.conn = PM_REF_CONN;
		x->pub.epoch = 1;
		text_copy(x->in.symbol, sizeof(x->in.symbol), l->item[i]);
		x->in.venue = VENUE_POLYMARKET;
		x->in.cls = CLASS_INDEX;
		x->in.state = INSTR_NORMAL;
		x->in.epoch = 1;
		x->in.settle_source = index_source(p, l->item[i]);
		feed_instr(f, x->pub.idx, &x->in);
	}
	p->index_n = l->n;
	f->instr_n += l->n;
	feed_idle(f, PM_REF_CONN, REF_IDLE_NS);
	f->shard[PM_REF_CONN].optional = true;
	if (l->n > 0)
		feed_want(f, PM_REF_CONN, true);
	if (l->n > 0 && is_bolt(p))
		pm_bolt_start(p, ev);
}

static void
subscribe(struct pm_feed *p, enum rtds_source source)
{
	char text[256];
	size_t n = rtds_encode_subscribe(source, "", text, sizeof(text));

	CHECK(n > 0);
	feed_send(&p->feed, p->feed.conn, text, n);
}

void
pm_ref_up(struct pm_feed *p)
{
	struct feed *f = &p->feed;
	bool chainlink = false;
	bool relay = false;

	for (uint32_t i = 0; i < p->index_n; i++) {
		struct pm_index *x = &p->index[i];

		chainlink = chainlink || is_chainlink(x->in.symbol);
		relay = relay || !is_chainlink(x->in.symbol);
		if (!feed_is_carried(f, f->conn))
			memset(x->last_ns, 0, sizeof(x->last_ns));
	}
	if (is_bolt(p)) {
		pm_bolt_up(p);
		return;
	}
	if (chainlink) {
		subscribe(p, RTDS_CHAINLINK);
		subscribe(p, RTDS_TWAP60);
	}
	if (relay)
		subscribe(p, RTDS_SPOT);
	p->ref_ping_ns = f->now_ns + TEXT_PING_NS;
	feed_wake_at(f, p->ref_ping_ns);
	feed_complete(f, f->conn, true);
}

void
pm_ref_down(struct pm_feed *p, uint8_t conn)
{
	if (is_bolt(p))
		pm_bolt_down(p, conn);
}

/* The newer socket answers; the older one has nothing of the kind. */
void
pm_ref_ping(struct pm_feed *p, uint8_t conn)
{
	if (is_bolt(p))
		feed_send(
		    &p->feed, conn, POLYBOLT_PING, sizeof(POLYBOLT_PING) - 1);
	else
		feed_ping_frame(&p->feed, conn);
}

void
pm_ref_timer(struct pm_feed *p)
{
	struct feed *f = &p->feed;
	uint8_t conn = PM_REF_CONN;

	if (is_bolt(p)) {
		pm_bolt_timer(p);
		return;
	}
	if (!feed_is_live(f, feed_best(f, conn)))
		return;
	if (f->now_ns >= p->ref_ping_ns) {
		p->ref_ping_ns = f->now_ns + TEXT_PING_NS;
		for (int i = 0; i < 2; i++, conn = feed_other(conn))
			if (feed_is_live(f, conn))
				feed_send(
				    f, conn, RTDS_PING, sizeof(RTDS_PING) - 1);
	}
	feed_wake_at(f, p->ref_ping_ns);
}

static enum ref_source
source_of(enum rtds_source s)
{
	switch (s) {
	case RTDS_SPOT:
	case RTDS_PYTH: return REF_RELAY;
	case RTDS_CHAINLINK: return REF_SPOT;
	case RTDS_TWAP30:
	case RTDS_TWAP60: return REF_TWAP;
	case RTDS_SOURCE_N: break;
	}
	CHECK(s != RTDS_SOURCE_N);
	return REF_SPOT;
}

static void
put_ref(struct pm_feed *p, const struct pm_index *x, enum ref_source s)
{
	struct feed *f = &p->feed;
	struct tick t = feed_tick(f, TICK_REF, x->pub.idx, x->last_ns[s]);

	t.u.ref.px = x->last_px[s];
	t.u.ref.source = s;
	feed_put(f, &t);
	feed_batch_end(f);
}

/* The first of a stream on a new connection: does it begin again? */
static void
begin(struct pm_index *x, enum ref_source s, const struct rtds_event *ev)
{
	int64_t newest_ns = pm_strike_newest(&x->rec[s]);
	int64_t first_ns = 0;

	for (uint32_t i = 0; i < ev->points_n; i++)
		first_ns = i64_max(first_ns, ev->points[i].venue_ns);
	if (first_ns != 0 && first_ns < newest_ns - PM_BACK_NS)
		memset(&x->rec[s], 0, sizeof(x->rec[s]));
}

/* A point that is not newer: a snapshot's may fill a hole of the record. */
static bool
fill(struct pm_feed *p, struct pm_index *x, const struct rtds_event *ev,
    const struct rtds_point *pt)
{
	struct pm_strike_rec *rec = &x->rec[source_of(ev->source)];

	if (ev->kind == RTDS_UPDATE)
		feed_note(&p->feed, REASON_SEQ_OLD);
	return ev->kind == RTDS_SNAPSHOT && ev->source != RTDS_PYTH &&
	       pm_strike_fill(rec, pt->venue_ns, pt->px);
}

void
pm_ref_points(
    struct pm_feed *p, struct pm_index *x, const struct rtds_event *ev)
{
	enum ref_source s = source_of(ev->source);
	bool is_news = false;
	bool is_filled = false;

	if (x->last_ns[s] == 0)
		begin(x, s, ev);
	for (uint32_t i = 0; i < ev->points_n; i++) {
		const struct rtds_point *pt = &ev->points[i];

		if (pt->venue_ns <= x->last_ns[s]) {
			is_filled |= fill(p, x, ev, pt);
			continue;
		}
		if (ev->source != RTDS_PYTH && /* nothing settles on it */
		    !pm_strike_add(&x->rec[s], pt->venue_ns, pt->px))
			is_filled |=
			    pm_strike_fill(&x->rec[s], pt->venue_ns, pt->px);
		x->last_ns[s] = pt->venue_ns;
		x->last_px[s] = pt->px;
		is_news = true;
	}
	if (is_news)
		put_ref(p, x, s);
	if (is_news || is_filled)
		pm_settle_point(p, x, s);
}

static void
take_prices(struct pm_feed *p, const struct rtds_event *ev)
{
	feed_stamp(&p->feed, ev->sent_ns);
	for (uint32_t i = 0; i < p->index_n; i++)
		if (strcmp(p->index[i].in.symbol, ev->symbol) == 0) {
			pm_ref_points(p, &p->index[i], ev);
			return;
		}
	feed_note(&p->feed, REASON_UNKNOWN_ASSET); /* not one of ours */
}

void
pm_ref_frame(struct pm_feed *p, const struct feed_event *in)
{
	struct feed *f = &p->feed;
	struct rtds_event *ev = &p->rtds;

	if (is_bolt(p)) {
		pm_bolt_frame(p, in);
		return;
	}
	switch (rtds_decode(ev, in->data, in->n)) {
	case RTDS_ERR:
		feed_recv(f, false);
		feed_drop(f, ev->reason, ev->err_off, in->data, in->n);
		return;
	case RTDS_UPDATE:
	case RTDS_SNAPSHOT:
		feed_recv(f, true);
		take_prices(p, ev);
		return;
	case RTDS_EMPTY: feed_recv(f, false); return;
	case RTDS_UNKNOWN:
		feed_recv(f, false);
		feed_drop(f, REASON_UNKNOWN_EVENT, 0, in->data, in->n);
		return;
	case RTDS_KIND_N: break;
	}
	CHECK(ev->kind == RTDS_ERR);
}

void
pm_ref_resync(struct pm_feed *p)
{
	for (uint32_t i = 0; i < p->index_n; i++) {
		struct pm_index *x = &p->index[i];

		feed_instr(&p->feed, x->pub.idx, &x->in);
		for (uint32_t s = 1; s < REF_SOURCE_N; s++)
			if (x->last_ns[s] != 0)
				put_ref(p, x, (enum ref_source)s);
	}
}

uint16_t
pm_ref_index(const struct pm_feed *p, const char *asset, size_t n)
{
	for (uint32_t i = 0; i < p->index_n; i++) {
		const char *symbol = p->index[i].in.symbol;

		if (is_chainlink(symbol) && strcspn(symbol, "/") == n &&
		    strncmp(symbol, asset, n) == 0)
			return p->index[i].pub.idx;
	}
	return 0;
}

uint16_t
pm_ref_symbol(const struct pm_feed *p, const char *symbol)
{
	for (uint32_t i = 0; i < p->index_n; i++)
		if (strcmp(p->index[i].in.symbol, symbol) == 0)
			return p->index[i].pub.idx;
	return 0;
}
