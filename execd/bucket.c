#include "execd/bucket.h"

#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"

#define NS_MAX (UINT64_C(1) << 62)

void
bucket_init(struct bucket *b, const struct bucket_limit *l, uint32_t n)
{
	CHECK(n >= 1);
	CHECK(n <= BUCKET_LIMITS);
	memset(b, 0, sizeof(*b));
	b->n = n;
	for (uint32_t i = 0; i < n; i++) {
		CHECK(l[i].reserve < l[i].burst);
		CHECK(l[i].token_ns >= 1);
		CHECK(l[i].token_ns < NS_MAX / l[i].burst);
		b->l[i] = l[i];
	}
}

static uint64_t
later(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* What is missing to full, as time: taking k moves the moment of being full
 * by k tokens; it may be no further away than the burst (less the reserve)
 * takes to refill. */
static uint64_t
limit_when(
    const struct bucket *b, uint32_t i, uint64_t now, uint32_t k, bool urgent)
{
	const struct bucket_limit *l = &b->l[i];
	uint64_t room = l->burst - (urgent ? 0 : l->reserve);
	uint64_t full = later(b->full_ns[i], now);
	uint64_t need;

	if (k > room)
		return UINT64_MAX;
	need = full + k * l->token_ns;
	return need <= room * l->token_ns
		   ? now
		   : later(now, need - room * l->token_ns);
}

uint64_t
bucket_when(const struct bucket *b, uint64_t now_ns, uint32_t k, bool urgent)
{
	uint64_t now = later(now_ns, b->now_ns);
	uint64_t when = now;

	CHECK(b->n >= 1);
	CHECK(now < NS_MAX);
	for (uint32_t i = 0; i < b->n; i++)
		when = later(when, limit_when(b, i, now, k, urgent));
	return when;
}

bool
bucket_take(struct bucket *b, uint64_t now_ns, uint32_t k, bool urgent)
{
	uint64_t now = later(now_ns, b->now_ns);

	if (bucket_when(b, now, k, urgent) != now)
		return false;
	b->now_ns = now;
	for (uint32_t i = 0; i < b->n; i++) {
		b->full_ns[i] =
		    later(b->full_ns[i], now) + k * b->l[i].token_ns;
		CHECK(b->full_ns[i] - now <= b->l[i].burst * b->l[i].token_ns);
	}
	return true;
}

uint32_t
bucket_left(const struct bucket *b, uint64_t now_ns)
{
	uint64_t now = later(now_ns, b->now_ns);
	uint64_t left = UINT32_MAX;

	for (uint32_t i = 0; i < b->n; i++) {
		uint64_t owed = later(b->full_ns[i], now) - now;
		uint64_t used =
		    (owed + b->l[i].token_ns - 1) / b->l[i].token_ns;

		CHECK(used <= b->l[i].burst);
		if (b->l[i].burst - used < left)
			left = b->l[i].burst - used;
	}
	return (uint32_t)left;
}

void
bucket_empty(struct bucket *b, uint64_t now_ns)
{
	b->now_ns = later(now_ns, b->now_ns);
	for (uint32_t i = 0; i < b->n; i++)
		b->full_ns[i] = b->now_ns + b->l[i].burst * b->l[i].token_ns;
}

void
backoff_init(
    struct backoff *b, uint64_t base_ns, uint64_t cap_ns, uint64_t seed)
{
	CHECK(base_ns > 0);
	CHECK(base_ns <= cap_ns);
	CHECK(cap_ns < NS_MAX);
	*b = (struct backoff){base_ns, cap_ns, seed, 0, 0};
}

uint64_t
backoff_next(struct backoff *b)
{
	uint64_t wait = b->base_ns;

	CHECK(b->base_ns > 0);
	for (uint32_t i = 0; i < b->n && wait < b->cap_ns; i++)
		wait *= 2;
	if (wait > b->cap_ns)
		wait = b->cap_ns;
	if (b->n < 62)
		b->n++;
	b->seed = hash_u64(b->seed, b->n);
	return wait - b->seed % (wait / 2 + 1);
}

void
backoff_ok(struct backoff *b)
{
	b->n = 0;
}
