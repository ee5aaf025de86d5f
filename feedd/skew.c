#include "feedd/skew.h"

#include <string.h>

#include "libcore/check.h"
#include "libcore/fixed.h"

/* A Date is cut to seconds; servers that keep the text for a while are given
 * some slack at both ends. */
#define DATE_SLACK_NS (50 * NS_PER_MS)
#define DATE_RES_NS   (NS_PER_S + 2 * DATE_SLACK_NS)
#define BODY_NEAR_NS  (2 * NS_PER_S)
#define DIGITS_MAX    16u
#define VENUE_NS_MAX  (INT64_MAX / 2)

static void
intersect(struct skew *k, uint64_t now_ns)
{
	k->lo_ns = INT64_MIN;
	k->hi_ns = INT64_MAX;
	for (uint32_t i = 0; i < k->n; i++) {
		uint32_t at = (k->next - 1 - i) % SKEW_SAMPLES;

		if (now_ns - k->sample[at].at_ns > SKEW_WINDOW_NS) {
			k->n = i;
			break;
		}
		k->lo_ns = i64_max(k->lo_ns, k->sample[at].lo_ns);
		k->hi_ns = i64_min(k->hi_ns, k->sample[at].hi_ns);
	}
}

void
skew_take(struct skew *k, const struct skew_sample *s)
{
	int64_t off_ns = s->wall_ns - (int64_t)s->recv_ns;
	uint32_t at = k->next % SKEW_SAMPLES;

	CHECK(s->venue_ns > 0);
	CHECK(s->venue_ns < VENUE_NS_MAX);
	CHECK(s->res_ns > 0);
	CHECK(s->sent_ns <= s->recv_ns);
	if (k->n > 0 && (off_ns - k->off_ns > SKEW_STEP_NS ||
			    k->off_ns - off_ns > SKEW_STEP_NS))
		k->n = 0;
	k->off_ns = off_ns;
	k->sample[at].at_ns = s->recv_ns;
	k->sample[at].lo_ns = s->venue_ns - s->wall_ns;
	k->sample[at].hi_ns = s->venue_ns + s->res_ns - s->wall_ns +
			      (int64_t)(s->recv_ns - s->sent_ns);
	k->next = at + 1;
	if (k->n < SKEW_SAMPLES)
		k->n++;
	intersect(k, s->recv_ns);
	if (k->lo_ns > k->hi_ns) {
		/* They cannot all be right: trust the newest. */
		k->n = 1;
		intersect(k, s->recv_ns);
	}
	CHECK(k->n > 0);
	CHECK(k->lo_ns <= k->hi_ns);
}

bool
skew_body_time(const char *data, size_t n, int64_t *venue_ns, int64_t *res_ns)
{
	size_t from = 0;
	size_t to;
	int64_t v = 0;

	while (from < n && (data[from] < '0' || data[from] > '9'))
		from++;
	for (to = from; to < n && data[to] >= '0' && data[to] <= '9'; to++) {
		if (to - from >= DIGITS_MAX)
			return false;
		v = v * 10 + (data[to] - '0');
	}
	if (to - from != 10 && to - from != 13 && to - from != 16)
		return false;
	*res_ns = to - from == 10   ? NS_PER_S
		  : to - from == 13 ? NS_PER_MS
				    : NS_PER_US;
	if (v <= 0 || v > VENUE_NS_MAX / *res_ns - 1)
		return false;
	*venue_ns = v * *res_ns;
	return true;
}

void
skew_http(struct skew *k, const struct feed_event *ev)
{
	struct skew_sample s = {.venue_ns = ev->date_ns - DATE_SLACK_NS,
	    .res_ns = DATE_RES_NS,
	    .sent_ns = ev->sent_ns,
	    .recv_ns = ev->now_ns,
	    .wall_ns = ev->wall_ns};
	int64_t body_ns;
	int64_t res_ns;

	if (ev->date_ns <= DATE_SLACK_NS || ev->date_ns >= VENUE_NS_MAX ||
	    ev->sent_ns == 0 || ev->sent_ns > ev->now_ns)
		return;
	skew_take(k, &s);
	if (ev->tag != FEED_TAG_TIME || ev->code != 200 ||
	    !skew_body_time(ev->data, ev->n, &body_ns, &res_ns))
		return;
	if (body_ns - ev->date_ns > BODY_NEAR_NS ||
	    ev->date_ns - body_ns > BODY_NEAR_NS)
		return;
	s.venue_ns = body_ns;
	s.res_ns = res_ns;
	skew_take(k, &s);
}

int64_t
skew_proven_ns(const struct skew *k)
{
	if (k->n < SKEW_AGREE)
		return 0;
	if (k->lo_ns > 0)
		return k->lo_ns;
	return k->hi_ns < 0 ? k->hi_ns : 0;
}

int32_t
skew_ms(const struct skew *k)
{
	return (int32_t)i64_clamp(
	    skew_proven_ns(k) / NS_PER_MS, INT32_MIN, INT32_MAX);
}
