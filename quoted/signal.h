/*
 * signal.h - what reference and settlement prices say of up/down markets.
 *
 * What     : for each reference its volatility (vol.estimator) and its last
 *            minutes; for each settlement price the basis and lead of the
 *            reference over it and what was seen of it; from these the fair
 *            value of a market, and a strike where no settlement stream gives
 *            one.
 * Frame    : YES is Up.
 * Clocks   : ages and volatility by our monotonic time; look-backs and time
 *            left by the venue's. Never mixed.
 * Limits   : SIGNAL_PAIRS settlement prices; SIGNAL_KEPT seconds of each are
 *            kept: longer look-backs are seen in part, and say so.
 * Pure     : yes. O(look-back in seconds) a fair value.
 * Source   : docs/strategy-maths.md, "Fair value", "Basis and lead".
 */
#ifndef QUOTED_SIGNAL_H
#define QUOTED_SIGNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/basis.h"
#include "libcore/fair.h"
#include "libcore/volest.h"
#include "libshm/cfg.h"
#include "libshm/instr.h"

#define SIGNAL_REFS  (INSTR_N - INSTR_BN_BASE)
#define SIGNAL_PAIRS 32u
#define SIGNAL_KEPT  128u

/* Prices by whole seconds of a clock; index is second % SIGNAL_KEPT. */
struct signal_past {
	int64_t second[SIGNAL_KEPT];
	double px[SIGNAL_KEPT];
};

struct signal_ref {
	struct volest est;
	uint64_t at_ns; /* of mid, 0 none                                 */
	double mid;
	double told; /* mid at which markets were last looked at           */
	struct signal_past past; /* by UTC                                */
};

struct signal_pair {
	uint16_t settle; /* instrument, 0: free                           */
	uint16_t ref;
	uint32_t source; /* enum ref_source that counts                   */
	uint64_t at_ns;	 /* newest price that settles                      */
	struct basis basis;
	struct signal_past past; /* by the stream's own time              */
};

struct signal {
	struct volest_cfg vol;
	struct fair_cfg fair;
	struct basis_cfg basis;
	enum vol_kind kind;  /* 0: the plain window */
	unsigned window_min; /* fair.vol_window                           */
	double noise;	     /* least, of a logarithm                     */
	uint32_t pad;
	struct signal_ref ref[SIGNAL_REFS];
	struct signal_pair pair[SIGNAL_PAIRS];
};

/* signal_cfg - take over the settings; estimates go on. */
void signal_cfg(struct signal *s, const struct cfg *c);

/* signal_lstm - weights of the predictor; must live as long as s. NULL: none.
 * To be given before the first price. */
void signal_lstm(struct signal *s, const struct lstm *m);

/* signal_ref_of - of a reference instrument; NULL when it is none. */
struct signal_ref *signal_ref_of(struct signal *s, uint16_t instr);

/*
 * signal_on_ref - the mid of a reference. wall_ns is UTC.
 * Returns : true when it moved by the least noise (fair.noise_bps) since this
 *           was last true: markets on it want a look.
 */
bool signal_on_ref(struct signal *s, uint16_t instr, uint64_t now_ns,
    int64_t wall_ns, double mid);

/* signal_link - a market rests on this settlement price and reference; an
 * average is made of spot prices. */
void signal_link(struct signal *s, const struct instr *in);

/* A price of a stream that may settle. */
struct signal_settle {
	uint16_t instr;
	uint32_t source; /* enum ref_source                               */
	uint64_t now_ns;
	int64_t venue_ns; /* the stream's own time                        */
	double px;
};

/* signal_on_settle - counts where a market has linked it. */
void signal_on_settle(struct signal *s, const struct signal_settle *t);

/* signal_vol - variance a second of a reference; false while not known. */
bool signal_vol(const struct signal *s, uint16_t instr, double *var);

/* What a fair value is asked for. */
struct signal_in {
	const struct instr *in;
	uint64_t now_ns;
	int64_t venue_ns;  /* now, by the venue's clock                    */
	double est_strike; /* signal_strike, 0 none                       */
};

/* signal_fair - *out is complete in every case; *var the variance it used,
 * 0 when not known. */
void signal_fair(const struct signal *s, const struct signal_in *in,
    struct fair_out *out, double *var);

/*
 * signal_strike - the strike of a window that nobody tells: the reference in
 * the seconds before it opened (its look-back; one second without), less the
 * basis when known. 0 when less than half of it was seen or the market has a
 * strike.
 */
double signal_strike(const struct signal *s, const struct instr *in);

#endif
