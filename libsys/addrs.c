#define _GNU_SOURCE
#include "libsys/addrs.h"

#include <netdb.h>
#include <stddef.h>

#include "libcore/check.h"

void
addrs_begin(struct addrs *a, struct addrinfo *all)
{
	CHECK(a->all == NULL);
	a->all = all;
	a->n = 0;
	for (const struct addrinfo *i = all; i != NULL; i = i->ai_next)
		a->n++;
	a->left_n = a->n;
}

const struct addrinfo *
addrs_next(struct addrs *a)
{
	const struct addrinfo *i = a->all;

	if (a->left_n == 0)
		return NULL;
	a->at = a->first % a->n;
	a->first = a->at + 1;
	a->left_n--;
	for (unsigned k = 0; k < a->at; k++)
		i = i->ai_next;
	CHECK(i != NULL);
	return i;
}

uint64_t
addrs_share(const struct addrs *a, uint64_t left_ms)
{
	return a->left_n == 0 ? 0 : left_ms / (a->left_n + 1);
}

void
addrs_well(struct addrs *a)
{
	a->first = a->at;
}

void
addrs_free(struct addrs *a)
{
	if (a->all != NULL)
		freeaddrinfo(a->all);
	a->all = NULL;
	a->n = 0;
	a->left_n = 0;
}
