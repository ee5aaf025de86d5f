/*
 * linkwhy.h - which connection is behind a freeze, for people.
 *
 * What      : a freeze mask says latency or feed_stale; the rows of the feeds
 *             (links.def) say which connection is slow, silent or down. The
 *             worst one is named: `polymarket: connection host:443 (market)
 *             round trip 1m14s`.
 * Pure      : of the pages it is given.
 */
#ifndef LIBSHM_LINKWHY_H
#define LIBSHM_LINKWHY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcore/types.h"
#include "libshm/metrics.h"

#define LINKWHY_SZ 192

/* link_role - what a connection carries: "market", "prices" (Polymarket's
 * settlement prices) or "stream". */
const char *link_role(uint8_t venue, int64_t shard);

/* link_blame - how much a row explains the mask; 0 not at all. */
uint64_t link_blame(uint64_t mask, const int64_t field[LF_N], uint64_t now_ns);

/* link_why - the row to blame most, of the venue and of the reference feed;
 * venue 0: of all. page: the feeds' pages by venue, NULL where there is none.
 * False, text "", when none is. */
bool link_why(char text[LINKWHY_SZ], struct metrics *const page[VENUE_N],
    uint64_t mask, uint8_t venue, uint64_t now_ns);

/* link_span - "850 ms", "12.3 s", "1m14s", "2h03m". */
const char *link_span(uint64_t ns, char *buf, size_t n);

#endif
