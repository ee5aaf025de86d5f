/*
 * pane.h - the parts of the screen. Each draws a snapshot into the rows
 * [row, row + max) of a canvas and returns how many it used. Pure.
 *
 * Narrow terminals get the first columns, wide ones (PANE_WIDE) all.
 */
#ifndef SHMTOP_PANE_H
#define SHMTOP_PANE_H

#include "shmtop/canvas.h"
#include "shmtop/snap.h"

#define PANE_WIDE  110
#define PANE_WHOLE 220 /* nothing is shortened */

enum pane {
	PANE_OVERVIEW = 1,
	PANE_STAGES,
	PANE_LINKS,
	PANE_RINGS,
	PANE_MARKETS,
	PANE_LATENCY,
	PANE_TAP,
	PANE_WHY,
	PANE_HELP,
	PANE_N
};
const char *pane_name(enum pane p);

enum pane_sort {
	SORT_ACTIVE = 1, /* ours first, then the freshest */
	SORT_NAME,
	SORT_SPREAD,
	SORT_POSITION,
	SORT_N
};
const char *pane_sort_name(enum pane_sort s);

struct pane_view {
	enum pane pane;
	enum pane_sort sort;
	bool paused;
	char filter[32]; /* part of a name; "" all */
	int tap_ring;	 /* -1 none */
	unsigned hz;
};

/* pane_draw - the whole screen. */
void pane_draw(
    struct canvas *c, const struct snap *s, const struct pane_view *v);

int pane_head(
    struct canvas *c, const struct snap *s, const struct pane_view *v);
int pane_stages(struct canvas *c, const struct snap *s, int row, int max);
int pane_links(struct canvas *c, const struct snap *s, int row, int max);
/* pane_gates - the gateways that send orders; nothing in mode paper. */
bool pane_has_gates(const struct snap *s);
int pane_gates(struct canvas *c, const struct snap *s, int row, int max);
int pane_conns(struct canvas *c, const struct snap *s, int row, int max);
int pane_reasons(struct canvas *c, const struct snap *s, int row, int max);
int pane_rings(struct canvas *c, const struct snap *s,
    const struct pane_view *v, int row, int max);
int pane_markets(struct canvas *c, const struct snap *s,
    const struct pane_view *v, int row, int max);
int pane_money(struct canvas *c, const struct snap *s, int row, int max);
int pane_latency(struct canvas *c, const struct snap *s, int row, int max);
int pane_tap(struct canvas *c, const struct snap *s, const struct pane_view *v,
    int row, int max);
/* pane_why - what keeps each side of each market from being quoted. */
int pane_why(struct canvas *c, const struct snap *s, const struct pane_view *v,
    int row, int max);
int pane_help(struct canvas *c, int row, int max);

#endif
