/*
 * ledger.h - what was recorded, read back: fills, last prices, and the
 * positions that riskd told, with an arithmetic of its own.
 *
 * Average cost, in 1e-16 dollars, nothing rounded but a partly closed cost
 * (toward zero). Every surprise in a file fails the test.
 */
#ifndef TESTS_LEDGER_H
#define TESTS_LEDGER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcore/fixed.h"
#include "tests/pipeline/tables.h"

#define LEDGER_FILLS   65536u
#define LEDGER_TOLD    262144u
#define LEDGER_SYMBOLS 64u

/* ---- fills, marks, positions told ---- */

struct ledger_fill {
	uint64_t seq;
	uint64_t id;
	unsigned symbol;
	int64_t qty; /* bought, e8; sold: negative */
	int64_t px;
	int64_t fee_e6;
};

struct ledger_told {
	uint64_t seq;
	unsigned symbol;
	int64_t qty;
};

struct ledger {
	char symbol[LEDGER_SYMBOLS][64];
	unsigned symbol_n;
	struct ledger_fill fill[LEDGER_FILLS];
	unsigned fill_n;
	uint64_t repeats; /* the same fill, reported again */
	struct ledger_told told[LEDGER_TOLD];
	unsigned told_n;
	/* per symbol */
	int64_t mark[LEDGER_SYMBOLS];
	uint64_t mark_seq[LEDGER_SYMBOLS];
	int64_t qty[LEDGER_SYMBOLS];
	i128_t cost[LEDGER_SYMBOLS];
	i128_t realised;
	i128_t cash; /* received minus paid */
	int64_t fees_e6;
};

static inline bool
ledger_is(struct pqr_str s, const char *text)
{
	return s.p != NULL && s.len == strlen(text) &&
	       memcmp(s.p, text, s.len) == 0;
}

static inline unsigned
ledger_symbol(struct ledger *l, struct pqr_str s)
{
	assert_true(s.p != NULL && s.len > 0 && s.len < 64);
	for (unsigned i = 0; i < l->symbol_n; i++)
		if (ledger_is(s, l->symbol[i]))
			return i;
	assert_true(l->symbol_n < LEDGER_SYMBOLS);
	memcpy(l->symbol[l->symbol_n], s.p, s.len);
	return l->symbol_n++;
}

static inline void
ledger_fill_row(void *user, const struct table_row *r)
{
	struct ledger *l = user;
	bool bid = ledger_is(r->s[3], "bid");
	struct ledger_fill f = {.seq = (uint64_t)r->v[0],
	    .id = (uint64_t)r->v[1],
	    .symbol = ledger_symbol(l, r->s[2]),
	    .qty = bid ? r->v[5] : -r->v[5],
	    .px = r->v[4],
	    .fee_e6 = r->v[6]};

	assert_true(bid || ledger_is(r->s[3], "ask"));
	assert_true(f.id != 0 && f.px > 0 && r->v[5] > 0);
	assert_true(strncmp((const char *)r->s[7].p, "execd.", 6) == 0);
	assert_true(l->fill_n < LEDGER_FILLS);
	l->fill[l->fill_n++] = f;
}

static inline void
ledger_price_row(void *user, const struct table_row *r)
{
	struct ledger *l = user;
	unsigned s;

	if (!ledger_is(r->s[1], "bbo") || r->v[3] == PQR_NULL ||
	    r->v[4] == PQR_NULL || r->v[5] == PQR_NULL || r->v[6] == PQR_NULL)
		return;
	s = ledger_symbol(l, r->s[2]);
	if (r->v[4] <= 0 || r->v[6] <= 0 || r->v[5] <= r->v[3] ||
	    (uint64_t)r->v[0] < l->mark_seq[s])
		return;
	l->mark_seq[s] = (uint64_t)r->v[0];
	l->mark[s] = (r->v[3] + r->v[5]) / 2;
}

static inline void
ledger_told_row(void *user, const struct table_row *r)
{
	struct ledger *l = user;

	if (!ledger_is(r->s[1], "state") || !ledger_is(r->s[4], "riskd") ||
	    r->s[2].p == NULL || r->s[2].len == 0)
		return;
	assert_true(l->told_n < LEDGER_TOLD);
	l->told[l->told_n++] = (struct ledger_told){
	    (uint64_t)r->v[0], ledger_symbol(l, r->s[2]), r->v[3]};
}

static inline int
ledger_by_seq(const void *a, const void *b)
{
	const struct ledger_fill *x = a;
	const struct ledger_fill *y = b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static inline int
ledger_told_by_seq(const void *a, const void *b)
{
	const struct ledger_told *x = a;
	const struct ledger_told *y = b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Drop repeats of a fill; those of one id must be equal. */
static inline void
ledger_distinct(struct ledger *l)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->fill_n; i++) {
		const struct ledger_fill *f = &l->fill[i];
		unsigned k = 0;

		while (k < n && l->fill[k].id != f->id)
			k++;
		if (k == n) {
			l->fill[n++] = *f;
			continue;
		}
		assert_int_equal(l->fill[k].symbol, f->symbol);
		assert_int_equal(l->fill[k].qty, f->qty);
		assert_int_equal(l->fill[k].px, f->px);
		l->repeats++;
	}
	l->fill_n = n;
}

static inline int64_t
ledger_abs(int64_t v)
{
	return v < 0 ? -v : v;
}

static inline void
ledger_book(struct ledger *l, const struct ledger_fill *f)
{
	int64_t *held = &l->qty[f->symbol];
	i128_t *cost = &l->cost[f->symbol];
	int64_t open = f->qty;

	l->cash -= (i128_t)f->qty * f->px;
	l->fees_e6 += f->fee_e6;
	if (*held != 0 && (*held > 0) != (f->qty > 0)) {
		int64_t most = ledger_abs(*held) < ledger_abs(f->qty)
				   ? ledger_abs(*held)
				   : ledger_abs(f->qty);
		i128_t part = *cost * most / ledger_abs(*held);
		int64_t sold = f->qty < 0 ? most : -most;

		l->realised += (i128_t)sold * f->px - part;
		*cost -= part;
		open += sold;
	}
	*cost += (i128_t)open * f->px;
	*held += f->qty;
}

/* Everything below dir. */
static inline void
ledger_load(struct ledger *l, const char *dir)
{
	static const char *const fills[] = {"seq", "fill_id", "symbol", "side",
	    "exec_px", "exec_qty", "fee_usd", "source"};
	static const char *const prices[] = {
	    "seq", "event", "symbol", "bid_px", "bid_qty", "ask_px", "ask_qty"};
	static const char *const orders[] = {
	    "seq", "event", "symbol", "qty", "source"};
	struct table_read fill = {fills, 8, ledger_fill_row, l};
	struct table_read price = {prices, 7, ledger_price_row, l};
	struct table_read told = {orders, 5, ledger_told_row, l};

	memset(l, 0, sizeof(*l));
	table_each(dir, "kind=fills/", &fill);
	table_each(dir, "kind=price_ticks/", &price);
	table_each(dir, "kind=orders/", &told);
	qsort(l->fill, l->fill_n, sizeof(l->fill[0]), ledger_by_seq);
	qsort(l->told, l->told_n, sizeof(l->told[0]), ledger_told_by_seq);
	ledger_distinct(l);
	for (unsigned i = 0; i < l->fill_n; i++)
		ledger_book(l, &l->fill[i]);
}

/* Micro-dollars, rounded down. */
static inline int64_t
ledger_e6(i128_t e16)
{
	i128_t unit = 10000000000;
	i128_t q = e16 / unit;

	return (int64_t)(q * unit > e16 ? q - 1 : q);
}

static inline int64_t
ledger_realised_e6(const struct ledger *l)
{
	return ledger_e6(l->realised) - l->fees_e6;
}

static inline int64_t
ledger_pnl_e6(const struct ledger *l)
{
	int64_t sum = ledger_realised_e6(l);

	for (unsigned s = 0; s < l->symbol_n; s++)
		sum += ledger_e6((i128_t)l->qty[s] * l->mark[s] - l->cost[s]);
	return sum;
}

/* The same without any average cost: cash and what is held. */
static inline int64_t
ledger_cash_e6(const struct ledger *l)
{
	i128_t sum = l->cash;

	for (unsigned s = 0; s < l->symbol_n; s++)
		sum += (i128_t)l->qty[s] * l->mark[s];
	return ledger_e6(sum) - l->fees_e6;
}

/*
 * Positions that riskd told, in its own order, against the fills in theirs:
 * each is the one before or that with the next fill. Fails the test where
 * one is not; returns how many it compared.
 */
static inline unsigned
ledger_check_told(const struct ledger *l)
{
	int64_t at[LEDGER_SYMBOLS] = {0};
	unsigned next[LEDGER_SYMBOLS] = {0};

	for (unsigned i = 0; i < l->told_n; i++) {
		const struct ledger_told *t = &l->told[i];
		unsigned k = next[t->symbol];

		if (t->qty == at[t->symbol])
			continue;
		while (k < l->fill_n && l->fill[k].symbol != t->symbol)
			k++;
		if (k == l->fill_n || at[t->symbol] + l->fill[k].qty != t->qty)
			fail_msg("%s: position %lld told after %lld: no fill "
				 "explains it",
			    l->symbol[t->symbol], (long long)t->qty,
			    (long long)at[t->symbol]);
		at[t->symbol] = t->qty;
		next[t->symbol] = k + 1;
	}
	for (unsigned s = 0; s < l->symbol_n; s++)
		assert_int_equal(at[s], l->qty[s]);
	return l->told_n;
}

#endif
