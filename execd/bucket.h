/*
 * bucket.h - how often a venue may be asked: token buckets and back-off.
 *
 * What      : a bucket holds one allowance under up to BUCKET_LIMITS limits
 *             at once (3,500 in 10 s and 36,000 in 10 min). What is taken is
 *             taken under all of them, or under none.
 * Limit     : `burst` tokens at most, one more every `token_ns`. In any
 *             stretch of W ns no more than burst + W / token_ns are given, so
 *             that a venue which counts N in a fixed window of W is kept to
 *             by burst = N/2 and token_ns = 2W/N.
 * Reserve   : the last `reserve` tokens are for what is urgent: cancels.
 * Recovers  : nothing but time refills; after burst * token_ns without a
 *             taker a bucket is full again, whatever went before.
 * Time      : now_ns of one clock that does not fall; an older one counts as
 *             the newest seen, so that it never gives tokens twice.
 * Pure      : yes. O(limits).
 */
#ifndef EXECD_BUCKET_H
#define EXECD_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

#define BUCKET_LIMITS 4u

struct bucket_limit {
	uint32_t burst;	   /* >= 1 */
	uint32_t reserve;  /* < burst, for what is urgent */
	uint64_t token_ns; /* >= 1, burst * token_ns below 2^62 */
};

struct bucket {
	uint32_t n;
	uint32_t pad;
	uint64_t now_ns;		 /* the newest seen */
	uint64_t full_ns[BUCKET_LIMITS]; /* when the limit is full again */
	struct bucket_limit l[BUCKET_LIMITS];
};

/* bucket_init - full. Needs 1 to BUCKET_LIMITS limits that keep to the rules
 * above (CHECK). */
void bucket_init(struct bucket *b, const struct bucket_limit *l, uint32_t n);

/* bucket_take - k tokens under every limit. False: nothing was taken. */
bool bucket_take(struct bucket *b, uint64_t now_ns, uint32_t k, bool urgent);

/* bucket_when - the first ns at which that would succeed if nothing else were
 * taken; UINT64_MAX: never, k is more than a limit can hold. */
uint64_t bucket_when(
    const struct bucket *b, uint64_t now_ns, uint32_t k, bool urgent);

/* bucket_left - tokens that the tightest limit has, reserve included. */
uint32_t bucket_left(const struct bucket *b, uint64_t now_ns);

/* bucket_empty - the venue says that there are none: every limit starts from
 * nothing. */
void bucket_empty(struct bucket *b, uint64_t now_ns);

/*
 * backoff - ever longer waits after refusals: base, twice, ... up to cap, of
 * which the upper half is random, so that clients do not come back together.
 */
struct backoff {
	uint64_t base_ns;
	uint64_t cap_ns;
	uint64_t seed;
	uint32_t n; /* refusals in a row */
	uint32_t pad;
};

/* backoff_init - needs 0 < base <= cap < 2^62 (CHECK). */
void backoff_init(
    struct backoff *b, uint64_t base_ns, uint64_t cap_ns, uint64_t seed);

/* backoff_next - how long to wait after one more refusal, ns > 0. */
uint64_t backoff_next(struct backoff *b);

/* backoff_ok - it worked: start over. */
void backoff_ok(struct backoff *b);

#endif
