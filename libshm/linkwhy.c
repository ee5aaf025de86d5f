#include "libshm/linkwhy.h"

#include <stdio.h>

#include "libcore/check.h"
#include "libshm/ctl.h"
#include "libshm/slots.h"

#define PRICES_SHARD 1 /* of Polymarket */
#define SILENT_BASE  (UINT64_C(1) << 62)

const char *
link_role(uint8_t venue, int64_t shard)
{
	if (venue != VENUE_POLYMARKET)
		return "stream";
	return shard == PRICES_SHARD ? "prices" : "market";
}

const char *
link_span(uint64_t ns, char *buf, size_t n)
{
	uint64_t ms = ns / 1000000;
	uint64_t s = ms / 1000;

	if (ms < 1000)
		snprintf(buf, n, "%u ms", (unsigned)ms);
	else if (s < 60)
		snprintf(buf, n, "%u.%u s", (unsigned)s,
		    (unsigned)(ms % 1000 / 100));
	else if (s < 3600)
		snprintf(
		    buf, n, "%um%02us", (unsigned)(s / 60), (unsigned)(s % 60));
	else
		snprintf(buf, n, "%uh%02um", (unsigned)(s / 3600 % 100000),
		    (unsigned)(s / 60 % 60));
	return buf;
}

static uint64_t
since(int64_t then_ns, uint64_t now_ns)
{
	return then_ns > 0 && now_ns > (uint64_t)then_ns
		   ? now_ns - (uint64_t)then_ns
		   : 0;
}

static bool
silent(int64_t state)
{
	return state == LINK_DOWN || state == LINK_CONNECTING ||
	       state == LINK_STALE;
}

static uint64_t
trip_us(const int64_t *f)
{
	int64_t us =
	    f[LF_RTT_US] > f[LF_RTT_EMA_US] ? f[LF_RTT_US] : f[LF_RTT_EMA_US];

	return us > 0 ? (uint64_t)us : 0;
}

uint64_t
link_blame(uint64_t mask, const int64_t field[LF_N], uint64_t now_ns)
{
	uint64_t age = field[LF_AGE_US] > 0 ? (uint64_t)field[LF_AGE_US] : 0;
	uint64_t trip = trip_us(field);

	if (field[LF_STATE] == 0)
		return 0;
	if ((mask & FREEZE_FEED_STALE) && silent(field[LF_STATE]))
		return SILENT_BASE + since(field[LF_SINCE_NS], now_ns);
	if (mask & FREEZE_LATENCY)
		return trip > age ? trip : age;
	return 0;
}

static void
sentence(char text[LINKWHY_SZ], uint64_t mask, uint8_t venue, const char *name,
    const int64_t *f, uint64_t now_ns)
{
	const char *role = link_role(venue, f[LF_SHARD]);
	const char *who = venue_name((enum venue)venue);
	uint64_t trip = trip_us(f);
	char span[32];

	if ((mask & FREEZE_FEED_STALE) && silent(f[LF_STATE])) {
		int64_t why = f[LF_END_REASON];

		link_span(since(f[LF_SINCE_NS], now_ns), span, sizeof(span));
		snprintf(text, LINKWHY_SZ,
		    "%s: connection %.64s (%s) %s for %s%s%.60s", who, name,
		    role, link_state_name((uint8_t)f[LF_STATE]), span,
		    why > 0 ? ": " : "",
		    why > 0 ? reason_text((enum reason)why) : "");
		return;
	}
	if (f[LF_AGE_US] > 0 && (uint64_t)f[LF_AGE_US] > trip) {
		link_span((uint64_t)f[LF_AGE_US] * 1000, span, sizeof(span));
		snprintf(text, LINKWHY_SZ,
		    "%s: connection %.64s (%s) data %s old on arrival", who,
		    name, role, span);
		return;
	}
	link_span(trip * 1000, span, sizeof(span));
	snprintf(text, LINKWHY_SZ, "%s: connection %.64s (%s) round trip %s",
	    who, name, role, span);
}

bool
link_why(char text[LINKWHY_SZ], struct metrics *const page[VENUE_N],
    uint64_t mask, uint8_t venue, uint64_t now_ns)
{
	uint64_t most = 0;

	CHECK(venue < VENUE_N);
	text[0] = '\0';
	for (uint8_t v = VENUE_POLYMARKET; v < VENUE_N; v++) {
		if (page[v] == NULL ||
		    (venue != 0 && v != venue && v != VENUE_BINANCE))
			continue;
		for (uint32_t i = 0; i < METRICS_LINKS; i++) {
			int64_t f[LF_N];
			char name[LINK_NAME_SZ];
			uint64_t blame;

			for (int k = 0; k < LF_N; k++)
				f[k] = metrics_link(
				    page[v], i, (enum link_field)k);
			blame = link_blame(mask, f, now_ns);
			if (blame <= most)
				continue;
			most = blame;
			metrics_link_host(page[v], i, name);
			sentence(text, mask, v, name, f, now_ns);
		}
	}
	return most > 0;
}
