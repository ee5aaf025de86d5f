#define _GNU_SOURCE
#include "feedd/rows_io.h"

#include "feedd/skew.h"
#include "libcore/check.h"

_Static_assert(FEED_CONN_N <= METRICS_LINKS, "a row for each connection");

void
rows_step(struct rows *r, const struct feed_stats *now, uint8_t conn)
{
	struct feed_stats *was = &r->was;
	struct row *w = &r->row[conn];

	CHECK(conn < FEED_CONN_N);
	w->hash_bad += now->hash_bad - was->hash_bad;
	w->gaps += now->gaps - was->gaps;
	was->hash_bad = now->hash_bad;
	was->gaps = now->gaps;
	w->late += now->late - was->late;
	was->late = now->late;
	w->duplicates +=
	    now->reason[REASON_SEQ_OLD] - was->reason[REASON_SEQ_OLD];
	w->seq_gaps +=
	    now->reason[REASON_SEQ_GAP] - was->reason[REASON_SEQ_GAP];
	was->reason[REASON_SEQ_OLD] = now->reason[REASON_SEQ_OLD];
	was->reason[REASON_SEQ_GAP] = now->reason[REASON_SEQ_GAP];
	if (now->malformed == was->malformed)
		return;
	w->malformed += now->malformed - was->malformed;
	for (uint32_t i = 1; i < REASON_N; i++)
		if (now->reason[i] != was->reason[i])
			w->bad_reason = (enum reason)i;
	*was = *now;
}

void
rows_end(struct rows *r, uint8_t conn, enum reason why, uint64_t now_ns)
{
	struct row *w = &r->row[conn];

	CHECK(conn < FEED_CONN_N);
	w->ends++;
	w->end_reason = why;
	w->end_ns = now_ns;
}

bool
rows_rates(struct rows *r, uint64_t now_ns, uint64_t *since_ns)
{
	*since_ns = now_ns - r->rates_ns;
	if (*since_ns < (uint64_t)NS_PER_S)
		return false;
	r->rates_ns = now_ns;
	return true;
}

void
rows_traffic(
    struct rows *r, uint8_t conn, const struct ws_stats *ws, uint64_t since_ns)
{
	struct row *w = &r->row[conn];

	CHECK(conn < FEED_CONN_N);
	CHECK(since_ns >= (uint64_t)NS_PER_S);
	/* A connection to another address starts its counters again. */
	if (ws->recv_msgs < w->msgs || ws->recv_bytes < w->bytes) {
		w->msgs = 0;
		w->bytes = 0;
	}
	w->msg_rate = (uint64_t)((double)(ws->recv_msgs - w->msgs) * 1e9 /
				 (double)since_ns);
	w->byte_rate = (uint64_t)((double)(ws->recv_bytes - w->bytes) * 1e9 /
				  (double)since_ns);
	w->msgs = ws->recv_msgs;
	w->bytes = ws->recv_bytes;
}

enum link_band
rows_band(const struct cfg *cfg, enum venue venue, uint32_t ema_us)
{
	int64_t ema_ns = (int64_t)ema_us * NS_PER_US;

	if (ema_us == 0)
		return (enum link_band)0;
	if (ema_ns >= cfg_kill_switch_ns(cfg, venue))
		return BAND_CRITICAL;
	if (ema_ns < cfg->latency_excellent_ms.ns)
		return BAND_EXCELLENT;
	return ema_ns < cfg->latency_good_ms.ns ? BAND_GOOD : BAND_DEGRADED;
}

static void
publish_link(struct metrics *m, const struct feed *f, const struct cfg *cfg,
    const struct link *l)
{
	uint32_t i = l->conn;

	metrics_link_set(m, i, LF_SHARD, feed_shard(l->conn));
	metrics_link_set(m, i, LF_LANE, l->conn / FEED_LANES);
	metrics_link_set(m, i, LF_DATA_NS, (int64_t)l->data_ns);
	metrics_link_set(m, i, LF_AGE_US, l->age_us);
	metrics_link_set(m, i, LF_RTT_US, l->rtt_us);
	metrics_link_set(m, i, LF_RTT_EMA_US, l->rtt_ema_us);
	metrics_link_set(
	    m, i, LF_BAND, rows_band(cfg, (enum venue)l->venue, l->rtt_ema_us));
	metrics_link_set(m, i, LF_RECONNECTS, l->reconnects);
	metrics_link_set(m, i, LF_SKEW_MS, skew_ms(feed_skew(f)));
}

static void
publish_row(struct metrics *m, uint32_t i, const struct row *w,
    const struct ws_stats *ws)
{
	metrics_link_set(m, i, LF_MSGS, (int64_t)ws->recv_msgs);
	metrics_link_set(m, i, LF_BYTES, (int64_t)ws->recv_bytes);
	metrics_link_set(m, i, LF_MSG_NS, (int64_t)ws->last_recv_ns);
	metrics_link_set(m, i, LF_RESUMED, (int64_t)ws->resumed);
	metrics_link_set(m, i, LF_MSG_RATE, (int64_t)w->msg_rate);
	metrics_link_set(m, i, LF_BYTE_RATE, (int64_t)w->byte_rate);
	metrics_link_set(m, i, LF_SINCE_NS, (int64_t)w->since_ns);
	metrics_link_set(m, i, LF_ENDS, (int64_t)w->ends);
	metrics_link_set(m, i, LF_END_REASON, w->end_reason);
	metrics_link_set(m, i, LF_END_NS, (int64_t)w->end_ns);
	metrics_link_set(m, i, LF_MALFORMED, (int64_t)w->malformed);
	metrics_link_set(m, i, LF_BAD_REASON, w->bad_reason);
	metrics_link_set(m, i, LF_HASH_BAD, (int64_t)w->hash_bad);
	metrics_link_set(m, i, LF_GAPS, (int64_t)w->gaps);
	metrics_link_set(m, i, LF_SEQ_GAPS, (int64_t)w->seq_gaps);
	metrics_link_set(m, i, LF_DUPLICATES, (int64_t)w->duplicates);
	metrics_link_set(m, i, LF_LATE, (int64_t)w->late);
}

void
rows_publish(struct rows *r, struct metrics *m, const struct feed *f,
    const struct cfg *cfg, const struct rows_conn *c, uint64_t now_ns)
{
	static const struct ws_stats none;
	const struct link *l = feed_link(f, c->conn);
	struct row *w = &r->row[c->conn];

	if (l == NULL || (c->ws == NULL && w->ends == 0))
		return;
	if (w->state != l->state)
		w->since_ns = now_ns;
	w->state = l->state;
	metrics_link_name(m, c->conn, c->host);
	publish_link(m, f, cfg, l);
	publish_row(m, c->conn, w, c->ws != NULL ? c->ws : &none);
	/* Last: it says that the row is used. */
	metrics_link_set(m, c->conn, LF_STATE, l->state);
}
