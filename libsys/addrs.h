/*
 * addrs.h - the addresses of one name, tried in turn.
 *
 * Each gets its share of the time that is left, so that one that swallows
 * everything does not use it up; and the next attempt begins with the one
 * after that which failed, or with the one that was well.
 * Pure but for the list, which it owns.
 */
#ifndef LIBSYS_ADDRS_H
#define LIBSYS_ADDRS_H

#include <stdint.h>

struct addrinfo;

struct addrs {
	struct addrinfo *all; /* NULL: none */
	unsigned n;
	unsigned at;	 /* being tried */
	unsigned left_n; /* not tried in this attempt */
	unsigned first;	 /* the next attempt begins here, modulo n */
};

/* addrs_begin - takes over the list of getaddrinfo; free what was there
 * before (CHECK). */
void addrs_begin(struct addrs *a, struct addrinfo *all);

/* addrs_next - the next to try, NULL when all were. */
const struct addrinfo *addrs_next(struct addrs *a);

/* addrs_share - of left_ms for the one being tried; 0 all of it. */
uint64_t addrs_share(const struct addrs *a, uint64_t left_ms);

/* addrs_well - the one being tried works: next time it is the first. */
void addrs_well(struct addrs *a);

/* addrs_free - the list; what is remembered for the next attempt stays. */
void addrs_free(struct addrs *a);

#endif
