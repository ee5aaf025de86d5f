/*
 * rows_io.h - what the metrics page says of each connection (links.def).
 *
 * Counters of the core are totals of a venue; what changes in the step of a
 * connection's event is counted in that connection's row.
 */
#ifndef FEEDD_ROWS_IO_H
#define FEEDD_ROWS_IO_H

#include "feedd/feed.h"
#include "feedd/link.h"
#include "libshm/metrics.h"
#include "libsys/ws.h"

struct row {
	uint64_t malformed;
	uint64_t hash_bad;
	uint64_t gaps;
	uint64_t seq_gaps;
	uint64_t duplicates;
	uint64_t late;
	uint64_t ends;
	uint64_t end_ns;
	uint64_t since_ns;
	uint64_t msgs; /* at the last look at rates */
	uint64_t bytes;
	uint64_t msg_rate;
	uint64_t byte_rate;
	enum reason end_reason;
	enum reason bad_reason;
	uint8_t state;
};

struct rows {
	struct feed_stats was; /* totals before the step at hand */
	uint64_t rates_ns;     /* last look at rates */
	struct row row[FEED_CONN_N];
};

/* rows_step - after each step: what changed belongs to conn. */
void rows_step(struct rows *r, const struct feed_stats *now, uint8_t conn);

/* rows_end - a connection ended, or could not be made. */
void rows_end(struct rows *r, uint8_t conn, enum reason why, uint64_t now_ns);

/* rows_rates - call it often; true once a second: then rows_traffic of each
 * connection makes new rates of the traffic since. */
bool rows_rates(struct rows *r, uint64_t now_ns, uint64_t *since_ns);
void rows_traffic(
    struct rows *r, uint8_t conn, const struct ws_stats *ws, uint64_t since_ns);

/* rows_band - of a smoothed round trip; 0 when none was measured. */
enum link_band rows_band(
    const struct cfg *cfg, enum venue venue, uint32_t ema_us);

struct rows_conn {
	uint8_t conn;
	const char *host;	   /* of the address */
	const struct ws_stats *ws; /* NULL: none was ever made */
};

/* rows_publish - one row into the page. */
void rows_publish(struct rows *r, struct metrics *m, const struct feed *f,
    const struct cfg *cfg, const struct rows_conn *c, uint64_t now_ns);

#endif
