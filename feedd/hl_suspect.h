/*
 * hl_suspect.h - which subscription makes Hyperliquid drop a connection.
 *
 * The venue answers a coin it does not like by ending the whole connection a
 * tenth of a second later, without a word. So:
 *   1. all coins are subscribed at once, as long as nothing has happened
 *   2. an end within HL_SUSPECT_NS of the last subscription: from then on one
 *      coin at a time, HL_STEP_NS apart (careful)
 *   3. an end within that time when one coin alone was sent last, while
 *      careful or when it was parked before: this coin is parked for
 *      HL_PARK_NS. So two ends in a row are needed, and one bad moment of the
 *      network costs nothing
 *   4. a coin that has shown data is proven, and not suspected; when only such
 *      were subscribed, the end was the network's. HL_DOUBT_N early ends in a
 *      row void all proofs: the venue may have dropped a coin meanwhile
 *   5. a connection that has outlived its last subscription by HL_SUSPECT_NS
 *      ends the care
 * Messages are counted too: the venue takes 2000 a minute from all our
 * connections together. These send a burst of HL_BURST and HL_PACE a minute,
 * 1500 in the worst one; the gateway's connection has the rest. It also takes
 * 1000 subscriptions; CFG_LIST_N coins on two lanes are 256.
 * Pure: yes.
 */
#ifndef FEEDD_HL_SUSPECT_H
#define FEEDD_HL_SUSPECT_H

#include <stdbool.h>
#include <stdint.h>

#define HL_SUSPECT_NS	 UINT64_C(2000000000)
#define HL_STEP_NS	 UINT64_C(500000000)
#define HL_PARK_NS	 UINT64_C(60000000000)
#define HL_DOUBT_N	 5u
#define HL_BURST	 500u
#define HL_PACE		 1000u
#define HL_SUSPECT_COINS 32u
#define HL_SUSPECT_LANES 2u
#define HL_NO_COIN	 UINT32_MAX
#define HL_COIN_MESSAGES 4u /* subscriptions of one coin */

struct hl_lane {
	bool is_up;
	uint32_t sent_n;	    /* coins in the last go */
	uint32_t last;		    /* the last of them */
	uint64_t sent_ns;	    /* when; 0 none yet */
	bool has[HL_SUSPECT_COINS]; /* subscribed on this connection */
};

struct hl_suspect {
	bool is_careful;
	uint32_t coin_n;
	uint32_t early_n; /* early ends in a row */
	bool is_proven[HL_SUSPECT_COINS];
	uint64_t due_ns; /* the budget of messages is whole again */
	uint64_t parked_ns[HL_SUSPECT_COINS]; /* until; 0 not parked, UINT64_MAX
						 for good */
	struct hl_lane lane[HL_SUSPECT_LANES];
};

/* hl_suspect_init - coins below HL_SUSPECT_COINS (CHECK). */
void hl_suspect_init(struct hl_suspect *s, uint32_t coin_n);

/* hl_suspect_leave_out - a coin that is never subscribed. */
void hl_suspect_leave_out(struct hl_suspect *s, uint32_t coin);

/* hl_suspect_up - a lane's connection is open: nothing is subscribed. */
void hl_suspect_up(struct hl_suspect *s, uint32_t lane);

/* hl_suspect_down - it ended. Returns the coin that is parked for it now,
 * HL_NO_COIN when none is. */
uint32_t hl_suspect_down(struct hl_suspect *s, uint32_t lane, uint64_t now_ns);

/* hl_suspect_next - the coin to subscribe now, with HL_COIN_MESSAGES messages;
 * HL_NO_COIN when none is due. Call until then. */
uint32_t hl_suspect_next(struct hl_suspect *s, uint32_t lane, uint64_t now_ns);

/* hl_suspect_due - when to call hl_suspect_next again; 0 never. */
uint64_t hl_suspect_due(const struct hl_suspect *s, uint32_t lane);

/* hl_suspect_prove - data of a coin came. */
void hl_suspect_prove(struct hl_suspect *s, uint32_t coin);

/* hl_suspect_has - is it subscribed on this lane? */
bool hl_suspect_has(const struct hl_suspect *s, uint32_t lane, uint32_t coin);

/* hl_suspect_is_parked - not to be waited for. */
bool hl_suspect_is_parked(
    const struct hl_suspect *s, uint32_t coin, uint64_t now_ns);

/* hl_suspect_spend - messages sent otherwise, pings say. */
void hl_suspect_spend(
    struct hl_suspect *s, uint32_t messages_n, uint64_t now_ns);

#endif
