/*
 * killswitch.h - is this link fast enough to trade on?
 *
 * One struct a connection. A sample is what the feed measured in one probe
 * (TICK_LINK) or the acknowledgement of an order. Trips, each with its name:
 *   1 OVERDUE  a pong is missing
 *   2 DATA_AGE the newest data is older than data_age (a round trip can be
 *              20 ms while the book is 10 s old)
 *   3 EMA      smoothed round trip above the limit
 *   4 RAW      raw_trips round trips in a row above the limit
 *   5 ACK      an order's acknowledgement took longer than the limit;
 *              SELF_THROTTLE when our own rate may be the reason
 * The first that applies is the cause. The smoothed value alone would need
 * nine pings of 800 ms after quiet times at 50 ms; hence 4.
 * Resumes when the smoothed value and the last resume_n raw ones are below
 * resume, no pong is missing and the data is fresh. Before the first good
 * measurement it is not tripped but STARTUP, which forbids trading too. A
 * restart, of the feed or of riskd, lifts nothing: a switch that was tripped
 * stays so until the rule above holds again.
 *
 * ema = (1 - w) * ema + w * rtt; the first sample starts it. In ns.
 * Pure: yes. O(1).
 */
#ifndef RISKD_KILLSWITCH_H
#define RISKD_KILLSWITCH_H

#include <stdbool.h>
#include <stdint.h>

#include "libshm/cfg.h"

enum kill_state {
	KILL_STARTUP = 1,
	KILL_GOOD = 2,
	KILL_TRIPPED = 3,
	KILL_STATE_N
};

enum kill_cause {
	KILL_BY_NONE = 1,
	KILL_BY_EMA = 2,
	KILL_BY_RAW = 3,
	KILL_BY_OVERDUE = 4,
	KILL_BY_DATA_AGE = 5,
	KILL_BY_ACK = 6,
	KILL_BY_FORMER = 7, /* was tripped when the former life ended     */
	KILL_BY_SELF = 8,   /* ACK, while we ourselves sent very much     */
	KILL_CAUSE_N
};

const char *kill_cause_name(enum kill_cause c);

struct kill_cfg {
	int64_t limit_ns;
	int64_t resume_ns;
	int64_t age_ns;
	int64_t weight_e8; /* of the newest sample                        */
	uint32_t raw_trips;
	uint32_t resume_n;
};

/* kill_cfg_from - the numbers of one venue. */
void kill_cfg_from(struct kill_cfg *k, const struct cfg *c, enum venue v);

struct kill_sample {
	int64_t rtt_ns; /* 0: not measured                                */
	int64_t age_ns; /* of the newest data; negative counts as 0       */
	bool overdue;
};

struct kill {
	int64_t ema_ns;
	int64_t value_ns; /* what tripped it ...                          */
	int64_t limit_ns; /* ... and the limit it passed                  */
	uint32_t samples_n;
	uint32_t bad_n;	 /* raw above the limit, in a row                 */
	uint32_t good_n; /* raw below resume, in a row                    */
	uint32_t trips_n;
	uint8_t state; /* enum kill_state                                 */
	uint8_t cause; /* enum kill_cause of the last trip                */
	uint8_t pad[6];
};

/* kill_init - STARTUP, nothing measured. */
void kill_init(struct kill *k);

/* kill_restart - the feed starts anew: STARTUP, nothing measured; one that is
 * tripped stays tripped and counts good round trips from none. */
void kill_restart(struct kill *k);

/* kill_reconnect - the connection is another: what is smoothed begins with
 * its first round trip, and good ones are counted from none. Nothing is
 * lifted. */
void kill_reconnect(struct kill *k);

/* kill_start_tripped - as kill_init, but tripped by a former life. */
void kill_start_tripped(struct kill *k);

/* kill_probe - one probe. Returns true when the state changed. */
bool kill_probe(
    struct kill *k, const struct kill_cfg *cfg, const struct kill_sample *s);

/* kill_ack - an order was acknowledged after ack_ns; busy: we were sending so
 * much then that the venue may have held us back. True: state changed. */
bool kill_ack(
    struct kill *k, const struct kill_cfg *cfg, int64_t ack_ns, bool busy);

#endif
