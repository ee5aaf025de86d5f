/*
 * basis.h - how a reference price stands to the price a market settles on.
 *
 * What     : of two streams of ticks, the slow basis ln(reference) -
 *            ln(settlement), its noise, and the seconds by which the
 *            reference is ahead.
 * Lead     : of all lags 0, 1, ... BASIS_LAGS - 1 steps the one at which
 *            changes of the settlement differ least from those of the
 *            reference that long before. Looked at only when a settlement
 *            tick arrives, so that a feed of one tick a second is not seen
 *            as one that stands still in between.
 * Robust   : a tick moves the basis by no more than `outlier` times its
 *            usual distance; ten outliers in a row on one side are a new
 *            level. Gaps and stale references make no sample.
 * Clock    : one clock for both streams, the time of receipt: the lead is
 *            what we see, transport included.
 * Pure     : yes. basis_ref O(1), basis_settle O(BASIS_LAGS * BASIS_REFS) at
 *            worst. A model: doubles.
 * Source   : docs/strategy-maths.md, "Basis and lead".
 */
#ifndef LIBCORE_BASIS_H
#define LIBCORE_BASIS_H

#include <stdbool.h>
#include <stdint.h>

#define BASIS_LAGS 41u
#define BASIS_REFS 512u

struct basis_cfg {
	uint64_t halflife_ns;	   /* of the basis                       */
	uint64_t lead_halflife_ns; /* of the comparison of lags          */
	uint64_t lag_ns;	   /* one step of lag                    */
	uint64_t gap_ns;	   /* settlement ticks farther apart, or an
				      older reference, make no sample    */
	double outlier;		   /* in mean absolute distances         */
	uint64_t min_n;		   /* samples before there is an answer  */
	double fit_min;		   /* share of the settlement's movement
				      that the lag must explain          */
};

struct basis {
	uint64_t ref_ns[BASIS_REFS];
	double ref[BASIS_REFS];
	uint32_t ref_at; /* newest                                        */
	uint32_t ref_n;
	uint64_t settle_ns; /* last settlement tick, 0 none                */
	double settle;
	double before[BASIS_LAGS]; /* reference of each lag then           */
	bool before_ok;
	double error[BASIS_LAGS]; /* mean squares of the differences      */
	double moved;		  /* mean square of the settlement's      */
	uint64_t lead_n;
	double mean;   /* the basis                                         */
	double dist;   /* mean absolute distance from it                    */
	double square; /* mean square of the same, outliers cut           */
	uint64_t n;
	uint64_t level_n;  /* samples since the level was last set        */
	int32_t same_side; /* outliers in a row above (+) or below (-)    */
	uint32_t pad;
};

struct basis_out {
	double basis; /* ln(reference / settlement)                       */
	double noise; /* standard deviation of single ticks around it      */
	double lead_s;
	double fit;	 /* 1 - error / movement at that lead, 0..1        */
	bool lead_known; /* false: lead_s is 0                            */
};

void basis_init(struct basis *b);

/* basis_ref, basis_settle - a tick of either stream. Prices that are not
 * positive numbers are ignored, as are times before the stream's last. */
void basis_ref(struct basis *b, uint64_t now_ns, double px);
void basis_settle(
    struct basis *b, const struct basis_cfg *c, uint64_t now_ns, double px);

/* basis_get - false, *out untouched, with fewer than min_n samples. */
bool basis_get(
    const struct basis *b, const struct basis_cfg *c, struct basis_out *out);

#endif
