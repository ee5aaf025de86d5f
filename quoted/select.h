/*
 * select.h - which binaries are worth quoting.
 *
 * What     : every qs.cycle_s all binaries get a veto or a score; the best
 *            qs.active_quote_count are the active set, and the best
 *            mm.max_markets of these get a place, which means capital. In
 *            between a place that becomes free goes to whoever asks first,
 *            is not vetoed any more, and was not outranked.
 * Vetoes   : the first that applies is the primary one:
 *              rrs, state, stale, crossed, gapped, liquidity, toxic, cluster
 *            crossed is a spread below one tick; an empty side is gapped.
 * Keeps    : a market in the set needs only 1 / (1 + qs.hysteresis) of the
 *            score of one outside to stay; one with a position keeps its
 *            place.
 * Clusters : markets of one event or neg-risk group, or on one underlying.
 *            Their positions, marked to mid, count against
 *            risk.cluster_exposure_frac; a market that holds some of it is not
 *            vetoed, it must be got out of.
 * Pure     : yes. A cycle is spread over steps of SELECT_STEP instruments.
 * Source   : docs/strategy-maths.md, "Quoteability".
 */
#ifndef QUOTED_SELECT_H
#define QUOTED_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/fixed.h"
#include "libcore/reasons.h"
#include "libcore/types.h"

#define SELECT_STEP	256u
#define SELECT_TOP	1000u /* most in the active set                  */
#define SELECT_CLUSTERS 1024u /* power of two                            */
#define SELECT_SAMPLES	5u

enum select_veto {
	SELECT_OK = 1,
	SELECT_RRS,
	SELECT_STATE,
	SELECT_STALE,
	SELECT_CROSSED,
	SELECT_GAPPED,
	SELECT_LIQUIDITY,
	SELECT_TOXIC,
	SELECT_CLUSTER,
	SELECT_VETO_N
};

/* Of one market. */
struct select_mkt {
	double score; /* of the last cycle, 0 vetoed                   */
	double rate;  /* trades a second, fading                       */
	uint64_t rate_ns;
	double markout; /* fading mean of fills, quote currency          */
	uint16_t rank;	/* in the active set, 1 the best; 0 not in it    */
	uint8_t veto;	/* enum select_veto of the last cycle, 0: never  */
	uint8_t pad[5];
};

struct select_cluster {
	uint32_t key;	/* 0 free                                           */
	uint16_t first; /* of its markets, by group_next; 0 none          */
	uint16_t pad;
	usd_t usd;
};

struct select {
	uint64_t next_ns; /* next cycle                                   */
	uint16_t at;	  /* instrument at which a cycle is, 0: none runs  */
	uint16_t pad;
	uint32_t n; /* in top, which is a heap, the worst first     */
	uint32_t looked;
	usd_t exposed;	/* all marked positions                            */
	uint32_t set_n; /* size of the active set                       */
	uint32_t vetoes[SELECT_VETO_N]; /* of the cycle at hand or last   */
	struct {
		double score;
		uint16_t instr;
		uint16_t pad[3];
	} top[SELECT_TOP];
	struct select_cluster cluster[SELECT_CLUSTERS];
};

struct quote;
struct quote_mkt;
struct quote_out;

/* select_step - begin a cycle when it is due, or go on with one. Notes: one
 * QUOTE_CYCLE and up to SELECT_SAMPLES QUOTE_SAMPLE at its end. */
void select_step(struct quote *q, uint64_t now_ns, struct quote_out *out);

/* select_place - does a market hold a place, or get one now? */
bool select_place(struct quote *q, struct quote_mkt *m);

/* select_release - a flat market gives its place up. */
void select_release(struct quote *q, struct quote_mkt *m);

/* select_state - the state of a market by its time to close, on the venue's
 * clock: NORMAL, WATCH or CLOSE_WINDOW for binaries; what the feed says where
 * it says more (HALTED, CLOSED, RESOLVED, DISPUTED, HYDRATING). left_ns is
 * ignored where the end is not known. */
enum instr_state select_state(
    const struct quote *q, const struct quote_mkt *m, int64_t left_ns);

/* select_trade, select_markout - what feeds the score: a print, what the mid
 * did after a fill of ours, as riskd tells. */
void select_trade(struct select_mkt *s, uint64_t now_ns);
void select_markout(struct select_mkt *s, px_t value);

/* select_cluster_key - 0: a cluster of its own. */
uint32_t select_cluster_key(const struct quote_mkt *m);

/* select_cluster_usd - marked positions of its cluster. */
usd_t select_cluster_usd(const struct quote *q, const struct quote_mkt *m);

/* select_join, select_leave - an instrument begins or stops to belong to its
 * cluster; select_cluster_first - its first member, 0 none. */
void select_join(struct quote *q, struct quote_mkt *m);
void select_leave(struct quote *q, struct quote_mkt *m);
uint16_t select_cluster_first(const struct quote *q, uint32_t key);

/* select_expose - the position or mark of a market changed. */
void select_expose(struct quote *q, struct quote_mkt *m);

/* select_veto_name - "ok", "rrs", ... */
const char *select_veto_name(enum select_veto v);

#endif
