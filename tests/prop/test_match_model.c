/* links: simvenue libvenue libsys libshm libcore */
/*
 * The matching engine against a naive model: a list of orders in the order
 * of their arrival, searched anew for each match. Seeded; PROP_SEED=n repeats
 * one run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libcore/hash.h"
#include "simvenue/match.h"

#define ORDERS	 40u
#define LEVELS	 12u
#define PX_N	 16
#define ACCOUNTS 3u
#define RUNS	 300u
#define STEPS	 400u

struct naive {
	uint64_t user;
	int px;
	int64_t left;
	uint32_t account;
	uint32_t handle;
	enum side side; /* 0: gone */
};

struct rig {
	struct match m;
	struct match_order order[ORDERS];
	struct match_level level[2][LEVELS];
	struct naive list[STEPS + 1]; /* by arrival */
	uint32_t n;
	uint32_t hit_n;
	struct match_hit hits[ORDERS];
	uint64_t rng;
};

static uint64_t seed_now; /* of the run at hand */

static uint64_t
next(struct rig *r, uint64_t below)
{
	r->rng = hash_u64(r->rng, 1);
	return r->rng % below;
}

static void
on_hit(void *user, const struct match_hit *h)
{
	struct rig *r = user;

	assert_true(r->hit_n < ORDERS);
	r->hits[r->hit_n++] = *h;
}

static bool
reaches(enum side taker, int limit, int px)
{
	return taker == SIDE_BID ? px <= limit : px >= limit;
}

/* The best order of the other side: by price, then arrival. */
static struct naive *
naive_best(struct rig *r, enum side taker, int limit)
{
	struct naive *best = NULL;

	for (uint32_t i = 0; i < r->n; i++) {
		struct naive *o = &r->list[i];

		if (o->side != side_opposite(taker) ||
		    !reaches(taker, limit, o->px))
			continue;
		if (best == NULL ||
		    (taker == SIDE_BID ? o->px < best->px : o->px > best->px))
			best = o;
	}
	return best;
}

static void
take(struct rig *r)
{
	struct match_take t = {.side = 1 + (enum side)next(r, 2),
	    .limit = PX((int64_t)next(r, PX_N)),
	    .qty = QTY((int64_t)next(r, 50) + 1),
	    .account = (uint32_t)next(r, ACCOUNTS),
	    .self = 1 + (enum match_self)next(r, 2),
	    .hit = on_hit,
	    .user = r};
	int64_t want = t.qty.e8;
	int64_t can = 0;
	qty_t left;

	for (uint32_t i = 0; i < r->n; i++)
		if (r->list[i].side == side_opposite(t.side) &&
		    reaches(t.side, (int)t.limit.e8, r->list[i].px))
			can += r->list[i].left;
	assert_int_equal(match_takeable(&r->m, t.side, t.limit).e8, can);
	assert_int_equal(match_crosses(&r->m, t.side, t.limit), can > 0);
	r->hit_n = 0;
	left = match_take(&r->m, &t);
	for (uint32_t k = 0; k < r->hit_n; k++) {
		const struct match_hit *h = &r->hits[k];
		struct naive *o = naive_best(r, t.side, (int)t.limit.e8);
		bool is_self;
		int64_t qty;

		assert_true(o != NULL && want > 0);
		is_self =
		    t.self == MATCH_SELF_CANCELS && o->account == t.account;
		qty = is_self ? 0 : want < o->left ? want : o->left;
		assert_int_equal(h->user, o->user);
		assert_int_equal(h->handle, o->handle);
		assert_int_equal(h->account, o->account);
		assert_int_equal(h->px.e8, o->px);
		assert_int_equal(h->qty.e8, qty);
		o->left = is_self ? 0 : o->left - qty;
		assert_int_equal(h->left.e8, o->left);
		if (o->left == 0)
			o->side = 0;
		want -= qty;
	}
	assert_int_equal(left.e8, want);
	assert_true(
	    want == 0 || naive_best(r, t.side, (int)t.limit.e8) == NULL);
}

static bool
naive_fits(const struct rig *r, enum side side, int px)
{
	bool seen[PX_N] = {false};
	uint32_t levels = 0;
	uint32_t orders = 0;

	for (uint32_t i = 0; i < r->n; i++) {
		const struct naive *o = &r->list[i];

		orders += o->side != 0;
		if (o->side == side && !seen[o->px]) {
			seen[o->px] = true;
			levels++;
		}
	}
	return orders < ORDERS && (seen[px] || levels < LEVELS);
}

static void
rest(struct rig *r)
{
	struct match_new n = {.side = 1 + (enum side)next(r, 2),
	    .px = PX((int64_t)next(r, PX_N)),
	    .qty = QTY((int64_t)next(r, 30) + 1),
	    .account = (uint32_t)next(r, ACCOUNTS),
	    .user = r->n + 1000};
	uint32_t h;

	if (match_crosses(&r->m, n.side, n.px))
		return;
	h = match_rest(&r->m, &n);
	assert_int_equal(h != MATCH_NONE, naive_fits(r, n.side, (int)n.px.e8));
	if (h == MATCH_NONE)
		return;
	assert_true(r->n <= STEPS);
	r->list[r->n++] = (struct naive){
	    n.user, (int)n.px.e8, n.qty.e8, n.account, h, n.side};
}

static struct naive *
pick(struct rig *r)
{
	uint32_t from = r->n == 0 ? 0 : (uint32_t)next(r, r->n);

	for (uint32_t k = 0; k < r->n; k++)
		if (r->list[(from + k) % r->n].side != 0)
			return &r->list[(from + k) % r->n];
	return NULL;
}

static void
cancel_or_reduce(struct rig *r)
{
	struct naive *o = pick(r);
	int64_t ahead = 0;

	if (o == NULL)
		return;
	for (const struct naive *b = r->list; b < o; b++)
		if (b->side == o->side && b->px == o->px)
			ahead += b->left;
	assert_int_equal(match_ahead(&r->m, o->handle).e8, ahead);
	assert_int_equal(match_at(&r->m, o->handle)->left.e8, o->left);
	if (o->left > 1 && next(r, 2) == 0) {
		o->left = 1 + (int64_t)next(r, (uint64_t)o->left - 1);
		match_reduce(&r->m, o->handle, QTY(o->left));
		return;
	}
	assert_int_equal(match_cancel(&r->m, o->handle).e8, o->left);
	assert_null(match_at(&r->m, o->handle));
	o->side = 0;
}

static void
compare(const struct rig *r)
{
	int64_t qty[2][PX_N] = {{0}};
	uint32_t levels[2] = {0, 0};

	assert_true(match_is_sound(&r->m));
	for (uint32_t i = 0; i < r->n; i++)
		if (r->list[i].side != 0)
			qty[r->list[i].side - 1][r->list[i].px] +=
			    r->list[i].left;
	for (int s = 0; s < 2; s++)
		for (int k = 0; k < PX_N; k++) {
			int p = s == 0 ? PX_N - 1 - k : k;
			const struct match_level *l;

			assert_int_equal(
			    match_qty_at(&r->m, SIDE_BID + (enum side)s, PX(p))
				.e8,
			    qty[s][p]);
			if (qty[s][p] == 0)
				continue;
			l = match_level(
			    &r->m, SIDE_BID + (enum side)s, levels[s]++);
			assert_non_null(l);
			assert_int_equal(l->px.e8, p);
			assert_int_equal(l->qty.e8, qty[s][p]);
		}
	for (int s = 0; s < 2; s++)
		assert_int_equal(
		    match_level_n(&r->m, SIDE_BID + (enum side)s), levels[s]);
}

static void
run(uint64_t seed)
{
	static struct rig r;
	struct match_mem mem = {
	    r.order, ORDERS, r.level[0], r.level[1], LEVELS};

	memset(&r, 0, sizeof(r));
	r.rng = seed;
	match_init(&r.m, &mem);
	for (uint32_t i = 0; i < STEPS; i++) {
		uint64_t what = next(&r, 10);

		if (what < 6)
			rest(&r);
		else if (what < 8)
			take(&r);
		else
			cancel_or_reduce(&r);
		compare(&r);
	}
}

static void
match_equals_model(void **state)
{
	const char *one = getenv("PROP_SEED");

	(void)state;
	if (one != NULL) {
		run(strtoull(one, NULL, 0));
		return;
	}
	for (uint64_t s = 1; s <= RUNS; s++) {
		seed_now = s;
		run(s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(match_equals_model),
	};

	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	if (failed != 0)
		(void)fprintf(stderr, "again with PROP_SEED=%llu\n",
		    (unsigned long long)seed_now);
	return failed;
}
