#include "feedd/hl_suspect.h"

#include <string.h>

#include "libcore/check.h"

#define MINUTE_NS UINT64_C(60000000000)
#define EACH_NS	  (MINUTE_NS / HL_PACE)
#define AHEAD_NS  (HL_BURST * EACH_NS)

static struct hl_lane *
lane_at(struct hl_suspect *s, uint32_t lane)
{
	CHECK(lane < HL_SUSPECT_LANES);
	return &s->lane[lane];
}

void
hl_suspect_init(struct hl_suspect *s, uint32_t coin_n)
{
	CHECK(coin_n <= HL_SUSPECT_COINS);
	memset(s, 0, sizeof(*s));
	s->coin_n = coin_n;
}

void
hl_suspect_leave_out(struct hl_suspect *s, uint32_t coin)
{
	CHECK(coin < s->coin_n);
	s->parked_ns[coin] = UINT64_MAX;
}

void
hl_suspect_up(struct hl_suspect *s, uint32_t lane)
{
	struct hl_lane *l = lane_at(s, lane);

	memset(l, 0, sizeof(*l));
	l->is_up = true;
}

/* Was anything subscribed that has never shown data? */
static bool
has_unproven(const struct hl_suspect *s, const struct hl_lane *l)
{
	for (uint32_t i = 0; i < s->coin_n; i++)
		if (l->has[i] && !s->is_proven[i])
			return true;
	return false;
}

uint32_t
hl_suspect_down(struct hl_suspect *s, uint32_t lane, uint64_t now_ns)
{
	struct hl_lane *l = lane_at(s, lane);
	bool was_careful = s->is_careful;
	bool was_early =
	    l->is_up && l->sent_n > 0 && now_ns - l->sent_ns < HL_SUSPECT_NS;

	l->is_up = false;
	s->early_n = was_early ? s->early_n + 1 : 0;
	if (s->early_n == HL_DOUBT_N) {
		memset(s->is_proven, 0, sizeof(s->is_proven));
		s->early_n = 0;
	}
	if (!was_early || !has_unproven(s, l))
		return HL_NO_COIN;
	s->is_careful = true;
	if (l->sent_n > 1 || s->is_proven[l->last] ||
	    (!was_careful && s->parked_ns[l->last] == 0))
		return HL_NO_COIN;
	s->parked_ns[l->last] = now_ns + HL_PARK_NS;
	return l->last;
}

void
hl_suspect_prove(struct hl_suspect *s, uint32_t coin)
{
	CHECK(coin < HL_SUSPECT_COINS);
	s->is_proven[coin] = true;
}

/* When there is room for the messages of a coin. */
static uint64_t
budget_ns(const struct hl_suspect *s)
{
	uint64_t full_ns = s->due_ns + HL_COIN_MESSAGES * EACH_NS;

	return full_ns > AHEAD_NS ? full_ns - AHEAD_NS : 0;
}

/* When a coin may be subscribed on an open lane. */
static uint64_t
ready_ns(const struct hl_suspect *s, const struct hl_lane *l, uint32_t coin)
{
	uint64_t at_ns = budget_ns(s);

	if (s->is_careful && l->sent_n > 0 && at_ns < l->sent_ns + HL_STEP_NS)
		at_ns = l->sent_ns + HL_STEP_NS;
	return at_ns > s->parked_ns[coin] ? at_ns : s->parked_ns[coin];
}

void
hl_suspect_spend(struct hl_suspect *s, uint32_t messages_n, uint64_t now_ns)
{
	if (s->due_ns < now_ns)
		s->due_ns = now_ns;
	s->due_ns += messages_n * EACH_NS;
}

uint32_t
hl_suspect_next(struct hl_suspect *s, uint32_t lane, uint64_t now_ns)
{
	struct hl_lane *l = lane_at(s, lane);

	if (!l->is_up)
		return HL_NO_COIN;
	if (l->sent_n > 0 && now_ns - l->sent_ns >= HL_SUSPECT_NS)
		s->is_careful = false;
	for (uint32_t i = 0; i < s->coin_n; i++) {
		if (l->has[i] || now_ns < ready_ns(s, l, i))
			continue;
		hl_suspect_spend(s, HL_COIN_MESSAGES, now_ns);
		l->sent_n = l->sent_ns == now_ns ? l->sent_n + 1 : 1;
		l->sent_ns = now_ns;
		l->last = i;
		l->has[i] = true;
		return i;
	}
	return HL_NO_COIN;
}

uint64_t
hl_suspect_due(const struct hl_suspect *s, uint32_t lane)
{
	const struct hl_lane *l = &s->lane[lane];
	uint64_t due_ns = 0;

	CHECK(lane < HL_SUSPECT_LANES);
	if (!l->is_up)
		return 0;
	if (s->is_careful && l->sent_n > 0)
		due_ns = l->sent_ns + HL_SUSPECT_NS;
	for (uint32_t i = 0; i < s->coin_n; i++) {
		uint64_t at_ns = ready_ns(s, l, i);

		if (l->has[i] || at_ns == UINT64_MAX)
			continue;
		if (due_ns == 0 || at_ns < due_ns)
			due_ns = at_ns > 0 ? at_ns : 1;
	}
	return due_ns;
}

bool
hl_suspect_has(const struct hl_suspect *s, uint32_t lane, uint32_t coin)
{
	CHECK(lane < HL_SUSPECT_LANES);
	CHECK(coin < HL_SUSPECT_COINS);
	return s->lane[lane].has[coin];
}

bool
hl_suspect_is_parked(const struct hl_suspect *s, uint32_t coin, uint64_t now_ns)
{
	CHECK(coin < HL_SUSPECT_COINS);
	return now_ns < s->parked_ns[coin];
}
