/*
 * resthold.h - when a venue takes requests over HTTP again.
 *
 * A venue's limits are of our address: what is refused for one request is
 * said of all. Who goes on asking is banned, for up to days.
 * Holds : 1. Retry-After of any answer: for so long
 *         2. 418 or 429 without one: RESTHOLD_NS
 *         3. RESTHOLD_WEIGHT of Binance's weight of the running minute are
 *            used (X-MBX-USED-WEIGHT-1M): until it turns, by UTC
 *         A shorter hold never cuts a longer one.
 * Pure: yes, O(1).
 */
#ifndef FEEDD_RESTHOLD_H
#define FEEDD_RESTHOLD_H

#include <stdint.h>

#define RESTHOLD_NS	UINT64_C(60000000000)
#define RESTHOLD_WEIGHT 4800u /* 80 % of the 6000 a minute */

struct resthold {
	uint64_t until_ns; /* monotonic, 0 none */
};

struct resthold_answer {
	uint64_t now_ns;
	int64_t wall_ns;
	unsigned status;	/* 0: none came */
	uint32_t retry_after_s; /* 0: none */
	uint32_t used_weight;	/* 0: none */
};

/* resthold_take - what an answer says. */
void resthold_take(struct resthold *h, const struct resthold_answer *a);

/* resthold_left_s - seconds until requests may leave, rounded up; 0: now. */
uint32_t resthold_left_s(const struct resthold *h, uint64_t now_ns);

#endif
