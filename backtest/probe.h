/*
 * probe.h - queue models against what recorded books did to a resting bid.
 *
 * A probe is one small bid on one token of a market, joined at the touch:
 * what was displayed ahead of it, the smallest size seen at its price
 * afterwards, the lowest ask seen, whether the recorder counted it as filled,
 * and which side won. There are no prints in it, so each model is asked twice:
 * was what left the level cancelled, or was it traded? The truth lies between.
 *
 *   cancelled   queue_level says that the level shrank; a fill needs the other
 *               side at or through our price (paper_touched)
 *   traded      the same size as a print at our price first (paper_trade)
 *
 * Pure : yes.
 */
#ifndef BACKTEST_PROBE_H
#define BACKTEST_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcore/fixed.h"
#include "libcore/queue.h"

#define PROBE_BUCKETS 5u

/* One token of one market. */
struct probe_side {
	bool quoted;
	bool filled; /* as recorded                                       */
	bool won;
	bool has_ask;
	px_t px;
	px_t min_ask; /* lowest seen                                      */
	qty_t ahead;
	qty_t min_size; /* smallest displayed at px                       */
};

struct probe {
	struct probe_side side[2]; /* UP, DOWN                            */
	qty_t shares;
};

/* One model under one hypothesis. */
struct probe_score {
	uint32_t n;
	uint32_t fills;	  /* predicted                                   */
	uint32_t seen;	  /* recorded                                    */
	uint32_t both;	  /* predicted and recorded                      */
	uint32_t only_us; /* predicted, not recorded                     */
	uint32_t only_them;
	uint32_t one_win;  /* markets with one predicted fill: it won     */
	uint32_t one_lose; /* ... it lost                                 */
	uint32_t two;	   /* both sides                                  */
	int64_t pnl_e8;	   /* a share each: 1 or 0 at the end, less price */
};

/* How much of the queue the model says is gone, against fills. */
struct probe_bucket {
	uint32_t n;
	uint32_t seen;
	double sum; /* of predicted shares                                */
};

struct probe_table {
	struct probe_score score[QUEUE_MODEL_N][2]; /* cancelled, traded   */
	struct probe_score recorded;
	struct probe_bucket bucket[QUEUE_MODEL_N][PROBE_BUCKETS];
	double brier[QUEUE_MODEL_N]; /* sum of squares                    */
	uint32_t bad;
};

/* probe_parse - one line of JSON; false: it is no probe. */
bool probe_parse(const char *text, size_t n, struct probe *out);

/* probe_fills - does the model fill this bid? *gone: the share of the queue
 * ahead that is no longer there, 0 to 1. */
bool probe_fills(const struct probe_side *s, qty_t shares, enum queue_model m,
    bool traded, double *gone);

/* probe_add - one market into the table. */
void probe_add(struct probe_table *t, const struct probe *p);

const char *probe_model_name(enum queue_model m);

#endif
