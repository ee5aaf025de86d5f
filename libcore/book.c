#include "libcore/book.h"

#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"

/* Levels compared one by one from the touch before halving the rest. */
#define NEAR_N 8u

static uint32_t
side_idx(enum side side)
{
	CHECK(side == SIDE_BID || side == SIDE_ASK);
	return side == SIDE_ASK;
}

static const struct book_level *
levels(const struct book *b, uint32_t s)
{
	const char *at = (const char *)b + b->level_off;

	return (const struct book_level *)(const void *)at + s * b->cap;
}

static struct book_level *
levels_mut(struct book *b, uint32_t s)
{
	char *at = (char *)b + b->level_off;

	return (struct book_level *)(void *)at + s * b->cap;
}

/* Levels are stored with this key strictly rising on both sides. */
static int64_t
key(uint32_t s, int64_t px_e8)
{
	return s == 0 ? px_e8 : -px_e8;
}

void
book_init(struct book *b, struct book_level *lv, uint32_t cap)
{
	CHECK(cap >= 1);
	CHECK(lv != NULL);
	b->level_off = (int64_t)((uintptr_t)lv - (uintptr_t)b);
	b->cap = cap;
	b->pad = 0;
	book_clear(b);
}

void
book_full_init(struct book_full *f)
{
	book_init(&f->book, f->level, BOOK_DEPTH);
}

void
book_clear(struct book *b)
{
	b->n[0] = 0;
	b->n[1] = 0;
}

void
book_clear_side(struct book *b, enum side side)
{
	b->n[side_idx(side)] = 0;
}

void
book_copy(struct book *dst, const struct book *src)
{
	for (uint32_t s = 0; s < 2; s++) {
		CHECK(src->n[s] <= dst->cap);
		memcpy(levels_mut(dst, s), levels(src, s),
		    src->n[s] * sizeof(struct book_level));
		dst->n[s] = src->n[s];
	}
}

uint32_t
book_n(const struct book *b, enum side side)
{
	return b->n[side_idx(side)];
}

/* Index of the first stored level whose key is not below k; n when all are.
 * Most changes are near the touch, which is at the end. */
static uint32_t
find(const struct book_level *lv, uint32_t n, uint32_t s, int64_t k)
{
	uint32_t lo = 0;
	uint32_t hi = n;
	uint32_t near = n > NEAR_N ? n - NEAR_N : 0;

	while (hi > near) {
		if (key(s, lv[hi - 1].px.e8) < k)
			return hi;
		hi--;
	}
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (key(s, lv[mid].px.e8) < k)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
remove_at(struct book_level *lv, uint32_t *n, uint32_t i)
{
	memmove(&lv[i], &lv[i + 1], (*n - i - 1) * sizeof(lv[0]));
	(*n)--;
}

static enum book_change
insert_at(struct book *b, uint32_t s, uint32_t i, struct book_level add)
{
	struct book_level *lv = levels_mut(b, s);
	enum book_change change = BOOK_CHANGED;

	if (b->n[s] == b->cap) {
		if (i == 0)
			return BOOK_DROPPED;
		remove_at(lv, &b->n[s], 0);
		i--;
		change = BOOK_DROPPED;
	}
	memmove(&lv[i + 1], &lv[i], (b->n[s] - i) * sizeof(lv[0]));
	lv[i] = add;
	b->n[s]++;
	CHECK(b->n[s] <= b->cap);
	return change;
}

enum book_change
book_set(struct book *b, enum side side, px_t px, qty_t qty)
{
	uint32_t s = side_idx(side);
	struct book_level *lv = levels_mut(b, s);
	uint32_t i;

	CHECK(px.e8 >= 0 && px.e8 <= PX_E8_MAX);
	CHECK(qty.e8 >= 0 && qty.e8 <= QTY_E8_MAX);
	i = find(lv, b->n[s], s, key(s, px.e8));
	if (i == b->n[s] || lv[i].px.e8 != px.e8) {
		if (qty.e8 == 0)
			return BOOK_ABSENT;
		return insert_at(b, s, i, (struct book_level){px, qty});
	}
	if (qty.e8 == 0) {
		remove_at(lv, &b->n[s], i);
		return BOOK_CHANGED;
	}
	if (lv[i].qty.e8 == qty.e8)
		return BOOK_SAME;
	lv[i].qty = qty;
	return BOOK_CHANGED;
}

const struct book_level *
book_level(const struct book *b, enum side side, uint32_t i)
{
	uint32_t s = side_idx(side);

	return i < b->n[s] ? levels(b, s) + (b->n[s] - 1 - i) : NULL;
}

bool
book_best(const struct book *b, enum side side, struct book_level *out)
{
	const struct book_level *l = book_level(b, side, 0);

	if (l == NULL)
		return false;
	*out = *l;
	return true;
}

qty_t
book_qty_at(const struct book *b, enum side side, px_t px)
{
	uint32_t s = side_idx(side);
	const struct book_level *lv = levels(b, s);
	uint32_t i = find(lv, b->n[s], s, key(s, px.e8));

	return i < b->n[s] && lv[i].px.e8 == px.e8 ? lv[i].qty : QTY(0);
}

qty_t
book_depth_to(const struct book *b, enum side side, px_t px)
{
	uint32_t s = side_idx(side);
	const struct book_level *lv = levels(b, s);
	int64_t sum = 0;

	for (uint32_t i = b->n[s]; i-- > 0;) {
		if (key(s, lv[i].px.e8) < key(s, px.e8))
			break;
		if (__builtin_add_overflow(sum, lv[i].qty.e8, &sum))
			return QTY(INT64_MAX);
	}
	return QTY(sum);
}

/* Sum of quantities and of price times quantity over the top n levels. */
struct top_sum {
	i128_t qty;
	i128_t px_qty;
};

static struct top_sum
sum_top(const struct book *b, enum side side, uint32_t n)
{
	struct top_sum t = {0, 0};

	for (uint32_t i = 0; i < n; i++) {
		const struct book_level *l = book_level(b, side, i);

		if (l == NULL)
			break;
		CHECK(l->qty.e8 > 0);
		t.qty += l->qty.e8;
		t.px_qty += (i128_t)l->px.e8 * l->qty.e8;
	}
	return t;
}

bool
book_microprice_top(const struct book *b, uint32_t n, px_t *out)
{
	struct top_sum bid;
	struct top_sum ask;

	CHECK(n >= 1);
	bid = sum_top(b, SIDE_BID, n);
	ask = sum_top(b, SIDE_ASK, n);
	if (bid.qty == 0 || ask.qty == 0)
		return false;
	*out = PX((int64_t)((bid.qty * (ask.px_qty / ask.qty) +
				ask.qty * (bid.px_qty / bid.qty)) /
			    (bid.qty + ask.qty)));
	return true;
}

bool
book_microprice(const struct book *b, px_t *out)
{
	return book_microprice_top(b, 1, out);
}

bool
book_mid(const struct book *b, px_t *out)
{
	struct book_level bid;
	struct book_level ask;

	if (!book_best(b, SIDE_BID, &bid) || !book_best(b, SIDE_ASK, &ask))
		return false;
	*out = PX((bid.px.e8 + ask.px.e8) / 2);
	return true;
}

bool
book_spread(const struct book *b, px_t *out)
{
	struct book_level bid;
	struct book_level ask;

	if (!book_best(b, SIDE_BID, &bid) || !book_best(b, SIDE_ASK, &ask))
		return false;
	*out = PX(ask.px.e8 - bid.px.e8);
	return true;
}

bool
book_is_crossed(const struct book *b)
{
	px_t spread;

	return book_spread(b, &spread) && spread.e8 <= 0;
}

bool
book_is_ordered(const struct book *b)
{
	for (uint32_t s = 0; s < 2; s++) {
		const struct book_level *lv = levels(b, s);

		if (b->n[s] > b->cap)
			return false;
		for (uint32_t i = 0; i < b->n[s]; i++) {
			if (lv[i].qty.e8 <= 0)
				return false;
			if (i > 0 &&
			    key(s, lv[i - 1].px.e8) >= key(s, lv[i].px.e8))
				return false;
		}
	}
	return true;
}

uint64_t
book_hash(const struct book *b, uint64_t h)
{
	for (uint32_t s = 0; s < 2; s++) {
		h = hash_u64(h, b->n[s]);
		h = hash_bytes(
		    h, levels(b, s), b->n[s] * sizeof(struct book_level));
	}
	return h;
}
