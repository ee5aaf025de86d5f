/*
 * world_int.h - what the parts of the world share; not for others.
 */
#ifndef SIMVENUE_WORLD_INT_H
#define SIMVENUE_WORLD_INT_H

#include "libsign/hl_num.h"
#include "simvenue/world.h"

#define WORLD_SECOND UINT64_C(1000000000)
#define WORLD_MS     UINT64_C(1000000)

/* world_say - an emitted text. */
void world_say(
    struct world *w, enum world_channel c, uint32_t key, struct text *t);

/* world_window.c */
void world_windows_init(struct world *w);
void world_windows_step(struct world *w);
uint64_t world_windows_wake(const struct world *w);

/* world_bn.c */
void world_bn_init(struct world *w);
void world_bn_step(struct world *w);
uint64_t world_bn_wake(const struct world *w);

/* world_tick.c: what comes by time, and Hyperliquid's blocks */
void world_ticks_init(struct world *w);
void world_ticks_step(struct world *w);
uint64_t world_ticks_wake(const struct world *w);
void world_hl_print(
    struct world *w, enum side side, px_t px, qty_t qty, uint64_t tid);

#endif
