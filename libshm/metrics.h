/*
 * metrics.h - counters, gauges and histograms of one stage, in its own page.
 *
 * Written by the stage alone with plain stores, readable by anybody, alive
 * or dead; every value carries its label, so readers need nothing from the
 * stage. Hot code counts in locals and publishes in housekeeping, except for
 * single adds, which cost about a nanosecond.
 */
#ifndef LIBSHM_METRICS_H
#define LIBSHM_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "libcore/reasons.h"
#include "libshm/err.h"
#include "libshm/instance.h"
#include "libshm/topo.h"

enum metric_kind {
	METRIC_COUNTER = 1,
	METRIC_GAUGE = 2, /* signed                                       */
	METRIC_HIST = 3,
	METRIC_KIND_N
};

enum metric_id {
#define METRIC(program, name, label, kind, unit, doc) M_##program##_##name,
#include "libshm/metrics.def"
#undef METRIC
	M_N
};

/* 8 linear steps an octave from 1 to 2^40: error at most 12.5 %. */
#define HIST_STEPS   8u
#define HIST_BUCKETS 320u

struct metric {
	char label[24];
	char unit[7];
	uint8_t kind; /* enum metric_kind; 0: not used by this stage      */
	_Atomic uint64_t value; /* counter; gauge as int64; hist: count   */
	_Atomic uint64_t sum;	/* hist; counter: value when last looked at */
	_Atomic uint64_t max;	/* hist; counter: instant of its last rise */
	uint32_t hist;		/* index into hists + 1, 0 none           */
	uint32_t pad;
};
_Static_assert(sizeof(struct metric) == 64, "a metric is one line");

#define METRICS_HISTS 8u

/* Rows of a feed, one a connection (links.def). */
#define METRICS_LINKS  16u
#define LINK_NAME_SZ   64u
#define LINK_LABEL_MAX 16u

enum link_field {
#define LINK_FIELD(name, label, unit, doc) LF_##name,
#include "libshm/links.def"
#undef LINK_FIELD
	LF_N
};

/* Of a smoothed round trip, by the keys of group latency. */
enum link_band {
	BAND_EXCELLENT = 1, /* below excellent_ms                         */
	BAND_GOOD = 2,	    /* below good_ms                              */
	BAND_DEGRADED = 3,
	BAND_CRITICAL = 4, /* the kill switch of the venue and above      */
	BAND_N
};
const char *link_band_name(uint8_t band); /* "-" for 0, "?" for others */

struct metrics_link {
	_Atomic uint64_t name[LINK_NAME_SZ / 8]; /* host and port         */
	_Atomic uint64_t field[LF_N];
};

struct metrics {
	struct shm_hdr hdr;
	uint32_t stage; /* enum stage_id                                  */
	uint32_t metric_n;
	uint8_t pad[120];
	struct metric metric[M_N];
	_Atomic uint64_t reason[REASON_N]; /* refusals and drops by reason */
	_Atomic uint64_t hist[METRICS_HISTS][HIST_BUCKETS];
	char link_label[LF_N][LINK_LABEL_MAX]; /* "" unless a feed        */
	struct metrics_link link[METRICS_LINKS];
};

int metrics_create(int dirfd, enum stage_id st, uint64_t run_id, struct err *e);
int metrics_attach(struct metrics **out, int dirfd, enum stage_id st,
    bool writable, struct err *e);
void metrics_detach(struct metrics *m);

/* The stage's own page is the only one it writes: no read-modify-write. */
static inline void
metrics_add(struct metrics *m, enum metric_id id, uint64_t n)
{
	_Atomic uint64_t *v = &m->metric[id].value;

	atomic_store_explicit(v,
	    atomic_load_explicit(v, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

static inline void
metrics_set(struct metrics *m, enum metric_id id, int64_t value)
{
	atomic_store_explicit(
	    &m->metric[id].value, (uint64_t)value, memory_order_relaxed);
}

/* metrics_link_name - name row i (cut to LINK_NAME_SZ - 1 bytes).
 * metrics_link_set - one field of it. i < METRICS_LINKS (CHECK). */
void metrics_link_name(struct metrics *m, uint32_t i, const char *name);
void metrics_link_set(
    struct metrics *m, uint32_t i, enum link_field f, int64_t value);

/* metrics_link - a field, for readers; metrics_link_host - the name, with
 * what is not printable replaced. */
int64_t metrics_link(const struct metrics *m, uint32_t i, enum link_field f);
void metrics_link_host(
    const struct metrics *m, uint32_t i, char out[LINK_NAME_SZ]);

/* metrics_reason - count n refusals for a reason (range-checked). */
void metrics_reason(struct metrics *m, enum reason r, uint64_t n);

/* metrics_observe - one sample into a histogram. */
void metrics_observe(struct metrics *m, enum metric_id id, uint64_t value);

/* hist_bucket - bucket of a value; hist_upper - largest value of a bucket. */
uint32_t hist_bucket(uint64_t value);
uint64_t hist_upper(uint32_t bucket);

/* metrics_quantile - q in 0..1000 (per mille) of a histogram; 0 when empty. */
uint64_t metrics_quantile(
    const struct metrics *m, enum metric_id id, uint32_t q);

/* metrics_look - note for every counter when it was last seen to rise. Called
 * by the stage in housekeeping. O(M_N), plain loads and stores. */
void metrics_look(struct metrics *m, uint64_t now_ns);

/* metrics_rise_ns - when a counter rose last, monotonic; 0 never. */
uint64_t metrics_rise_ns(const struct metrics *m, enum metric_id id);

/* metrics_value - counter or gauge, for readers. */
int64_t metrics_value(const struct metrics *m, enum metric_id id);

#endif
