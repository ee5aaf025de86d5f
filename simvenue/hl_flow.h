/*
 * hl_flow.h - the simulator's own participants on Hyperliquid.
 *
 * What      : makers with ladders around the shared path (path.h), a little
 *             late; takers who know nothing, and takers who know the path a
 *             moment early. Mark, oracle and funding follow the path.
 * Pure      : yes; seeded.
 */
#ifndef SIMVENUE_HL_FLOW_H
#define SIMVENUE_HL_FLOW_H

#include "simvenue/hlx.h"
#include "simvenue/path.h"

#define HL_FLOW_MAKERS 3u
#define HL_FLOW_LEVELS 8u

struct hl_flow_cfg {
	uint64_t seed;
	double rate;	   /* factor on every rate */
	double size_sigma; /* of the logarithm of sizes */
	double noise_per_s;
	double informed_s;   /* how far ahead the informed see */
	double informed_bps; /* they take when it pays this much */
	double basis_bps;    /* perpetual over spot */
};

/* hl_flow_cfg_default - as recorded, see docs/benchmarks.md. */
struct hl_flow_cfg hl_flow_cfg_default(uint64_t seed);

struct hl_flow {
	struct hl_flow_cfg cfg;
	struct hlx *x;
	struct path *path;
	uint32_t coin; /* entry in x */
	uint64_t rng;
	uint64_t now_ns;
	uint32_t maker[HL_FLOW_MAKERS]; /* accounts */
	uint32_t noise;
	uint32_t informed;
	uint64_t quote_ns[HL_FLOW_MAKERS];
	uint64_t noise_ns;
	uint64_t look_ns;
	uint64_t mark_ns;
	uint64_t fund_ns;
	uint64_t oid[HL_FLOW_MAKERS][2][HL_FLOW_LEVELS]; /* 0 none */
};

/* hl_flow_init - accounts: HL_FLOW_MAKERS makers, then the two takers. */
void hl_flow_init(struct hl_flow *f, const struct hl_flow_cfg *cfg,
    struct hlx *x, struct path *path, const uint32_t *accounts);

/* hl_flow_start - of this coin, from now on. */
void hl_flow_start(struct hl_flow *f, uint32_t coin, uint64_t now_ns);

/* hl_flow_step, hl_flow_wake - as pm_flow.h. */
void hl_flow_step(struct hl_flow *f, uint64_t now_ns);
uint64_t hl_flow_wake(const struct hl_flow *f);

#endif
