#include "feedd/bn_ids.h"

#include <string.h>

#include "libcore/check.h"

static bool
is_seen(const struct bn_ids *x, uint64_t id)
{
	uint64_t at = id % BN_IDS_N;

	return (x->seen[at / 64] >> (at % 64) & 1u) != 0;
}

static void
mark(struct bn_ids *x, uint64_t id, bool seen)
{
	uint64_t at = id % BN_IDS_N;
	uint64_t bit = UINT64_C(1) << (at % 64);

	if (seen)
		x->seen[at / 64] |= bit;
	else
		x->seen[at / 64] &= ~bit;
}

void
bn_ids_reset(struct bn_ids *x)
{
	memset(x, 0, sizeof(*x));
}

void
bn_ids_restart(struct bn_ids *x, uint32_t lane)
{
	CHECK(lane < 2);
	x->lane[lane] = 0;
	x->joined[lane] = 0;
}

/* What is not seen up to `to` is lost. */
static void
give_up(struct bn_ids *x, uint64_t to)
{
	if (to > x->last)
		to = x->last;
	while (x->whole < to) {
		x->whole++;
		x->lost_n += !is_seen(x, x->whole);
	}
}

static void
advance(struct bn_ids *x, uint64_t id)
{
	uint64_t from = x->last + 1;

	if (id > BN_IDS_N && x->whole < id - BN_IDS_N)
		give_up(x, id - BN_IDS_N); /* their marks are used again */
	if (id - x->last > BN_IDS_N) {
		uint64_t whole = id - BN_IDS_N;

		x->lost_n += whole - x->whole;
		x->whole = whole;
		from = whole + 1;
	}
	for (uint64_t i = from; i < id; i++)
		mark(x, i, false);
	mark(x, id, true);
	x->last = id;
}

bool
bn_ids_take(struct bn_ids *x, uint32_t lane, uint64_t id)
{
	bool is_new;

	CHECK(lane < 2);
	if (x->last == 0) {
		x->last = id;
		x->whole = id;
		mark(x, id, true);
		is_new = true;
	} else if (id > x->last) {
		advance(x, id);
		is_new = true;
	} else {
		is_new = id > x->whole && !is_seen(x, id);
		if (is_new)
			mark(x, id, true);
	}
	while (x->whole < x->last && is_seen(x, x->whole + 1))
		x->whole++;
	if (x->joined[lane] == 0)
		x->joined[lane] = id;
	if (id > x->lane[lane])
		x->lane[lane] = id;
	return is_new;
}

uint64_t
bn_ids_lost(struct bn_ids *x, uint32_t lane)
{
	uint64_t to = x->last;
	uint64_t lost_n;

	CHECK(lane <= 2);
	for (uint32_t i = 0; i < 2; i++)
		if (lane == 2 && x->lane[i] != 0 && x->lane[i] < to)
			to = x->lane[i];
	if (to > x->whole)
		give_up(x, to);
	lost_n = x->lost_n;
	x->lost_n = 0;
	return lost_n;
}

bool
bn_ids_has_caught_up(const struct bn_ids *x, uint32_t lane)
{
	CHECK(lane < 2);
	return x->joined[lane] == 0 || x->whole + 1 >= x->joined[lane];
}
