#include "feedd/bn_depth.h"

#include <string.h>

#include "libcore/check.h"

void
bn_depth_reset(struct bn_depth *d)
{
	d->sync = BN_SYNC_WAIT;
	d->queue_n = 0;
	d->pool_n = 0;
	d->last_id = 0;
	d->has_diff = false;
	book_init(&d->book, d->level, BN_BOOK_CAP);
}

static bool
set(struct bn_depth *d, enum side side, const struct bn_level *l)
{
	enum book_change c = book_set(&d->book, side, l->px, l->qty);

	d->dropped_n += c == BOOK_DROPPED;
	return c == BOOK_CHANGED || c == BOOK_DROPPED;
}

static void
set_all(
    struct bn_depth *d, enum side side, const struct bn_level *l, uint32_t n)
{
	for (uint32_t i = n; i-- > 0;)
		set(d, side, &l[i]);
}

static void
enqueue(struct bn_depth *d, const struct bn_event *ev)
{
	struct bn_diff *q;
	uint32_t n = ev->bids_n + ev->asks_n;

	CHECK(n <= BN_POOL_N);
	if (d->queue_n == BN_QUEUE_N || d->pool_n + n > BN_POOL_N) {
		d->queue_n = 0;
		d->pool_n = 0;
	}
	q = &d->queue[d->queue_n++];
	q->first_id = ev->first_id;
	q->last_id = ev->last_id;
	q->prev_id = ev->prev_id;
	q->has_prev = ev->has_prev;
	q->at = d->pool_n;
	q->bids_n = ev->bids_n;
	q->asks_n = ev->asks_n;
	memcpy(&d->pool[d->pool_n], ev->bids, ev->bids_n * sizeof(ev->bids[0]));
	d->pool_n += ev->bids_n;
	memcpy(&d->pool[d->pool_n], ev->asks, ev->asks_n * sizeof(ev->asks[0]));
	d->pool_n += ev->asks_n;
}

/* Does a difference follow what the book holds? */
static bool
joins(const struct bn_depth *d, const struct bn_diff *q)
{
	if (q->has_prev && d->has_diff)
		return q->prev_id == d->last_id;
	return q->first_id <= d->last_id + 1;
}

static void
start_over(struct bn_depth *d)
{
	d->sync = BN_SYNC_WAIT;
	d->queue_n = 0;
	d->pool_n = 0;
	d->has_diff = false;
}

static struct bn_diff
diff_of(const struct bn_event *ev)
{
	return (struct bn_diff){ev->first_id, ev->last_id, ev->prev_id, 0,
	    ev->bids_n, ev->asks_n, ev->has_prev};
}

bool
bn_depth_is_ahead(const struct bn_depth *d, const struct bn_event *ev)
{
	const struct bn_diff q = diff_of(ev);

	return d->sync == BN_SYNC_OK && ev->last_id > d->last_id &&
	       !joins(d, &q);
}

enum bn_applied
bn_depth_diff(struct bn_depth *d, const struct bn_event *ev,
    bn_level_fn changed, void *user)
{
	const struct bn_diff q = diff_of(ev);

	CHECK(ev->kind == BN_DEPTH);
	if (d->sync == BN_SYNC_WAIT) {
		enqueue(d, ev);
		return BN_QUEUED;
	}
	if (ev->last_id <= d->last_id)
		return BN_OLD;
	if (!joins(d, &q)) {
		start_over(d);
		enqueue(d, ev);
		return BN_GAP;
	}
	for (uint32_t i = 0; i < ev->bids_n; i++)
		if (set(d, SIDE_BID, &ev->bids[i]))
			changed(user, SIDE_BID,
			    (struct book_level){
				ev->bids[i].px, ev->bids[i].qty});
	for (uint32_t i = 0; i < ev->asks_n; i++)
		if (set(d, SIDE_ASK, &ev->asks[i]))
			changed(user, SIDE_ASK,
			    (struct book_level){
				ev->asks[i].px, ev->asks[i].qty});
	d->last_id = ev->last_id;
	d->has_diff = true;
	return BN_APPLIED;
}

bool
bn_depth_snapshot(struct bn_depth *d, const struct bn_event *ev)
{
	CHECK(ev->kind == BN_SNAPSHOT);
	if (d->queue_n > 0 && ev->last_id + 1 < d->queue[0].first_id)
		return false;
	book_clear(&d->book);
	set_all(d, SIDE_BID, ev->bids, ev->bids_n);
	set_all(d, SIDE_ASK, ev->asks, ev->asks_n);
	d->last_id = ev->last_id;
	d->has_diff = false;
	for (uint32_t i = 0; i < d->queue_n; i++) {
		const struct bn_diff *q = &d->queue[i];

		if (q->last_id <= d->last_id)
			continue;
		if (!joins(d, q)) {
			start_over(d);
			return false;
		}
		set_all(d, SIDE_BID, &d->pool[q->at], q->bids_n);
		set_all(d, SIDE_ASK, &d->pool[q->at + q->bids_n], q->asks_n);
		d->last_id = q->last_id;
		d->has_diff = true;
	}
	d->queue_n = 0;
	d->pool_n = 0;
	d->sync = BN_SYNC_OK;
	return true;
}

void
bn_depth_partial(struct bn_depth *d, const struct bn_event *ev)
{
	CHECK(ev->kind == BN_PARTIAL);
	book_clear(&d->book);
	set_all(d, SIDE_BID, ev->bids, ev->bids_n);
	set_all(d, SIDE_ASK, ev->asks, ev->asks_n);
	d->last_id = ev->last_id;
	d->sync = BN_SYNC_OK;
}
