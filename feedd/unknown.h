/*
 * unknown.h - a name of our configuration that the venue does not know.
 *
 * What     : a market, coin or symbol that is followed and never shows up may
 *            be misspelt, delisted or not listed yet: only the venue can tell.
 *            It is told after a while and again each ten minutes until it
 *            shows up. Time in which the venue could not answer is for the
 *            caller to leave out.
 * Pure     : yes, O(1).
 */
#ifndef FEEDD_UNKNOWN_H
#define FEEDD_UNKNOWN_H

#include <stdbool.h>
#include <stdint.h>

#define UNKNOWN_AFTER_NS UINT64_C(60000000000)
#define UNKNOWN_EVERY_NS UINT64_C(600000000000)

struct unknown {
	uint64_t since_ns; /* looked for; 0 not */
	uint64_t told_ns;  /* 0 never */
};

/* unknown_known - it has shown up. unknown_pause - nothing can be said now:
 * the time begins anew. */
void unknown_known(struct unknown *u);
void unknown_pause(struct unknown *u);

/* unknown_take - it has not shown up, though it could: is it time to tell? */
bool unknown_take(struct unknown *u, uint64_t now_ns, uint64_t after_ns);

/* unknown_due - when unknown_take is next true; 0 nothing is looked for. */
uint64_t unknown_due(const struct unknown *u, uint64_t after_ns);

#endif
