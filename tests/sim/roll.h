/*
 * roll.h - a venue with rolling up/down windows, made up: metadata service,
 * market channel and price stream in virtual time, with faults.
 *
 * What is true is computed, not kept: prices are a hash of asset and second,
 * tokens and conditions spell series and start. Times are seconds of the
 * venue's clock, which is ROLL_OFF_S ahead of ours.
 */
#ifndef TESTS_SIM_ROLL_H
#define TESTS_SIM_ROLL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "feedd/feed.h"
#include "feedd/pm_series.h"
#include "libcore/hash.h"

#define ROLL_OFF_S   3
#define ROLL_TWAP_S  1786060800 /* windows settle on an average */
#define ROLL_SERIES  9u
#define ROLL_WINDOWS 512u
#define ROLL_CONNS   FEED_CONN_N
#define ROLL_BODY    8192u
#define ROLL_PENDING 256u

struct roll_window {
	int64_t start_s;
	int64_t listed_s;   /* 404 before */
	int64_t tokens_s;   /* no token ids before */
	int64_t official_s; /* priceToBeat from then on */
	int64_t closed_s;   /* closed, with outcome, from then on */
	int64_t told_s;	    /* market_resolved; 0 never */
	uint32_t subs;	    /* bit a connection */
	uint16_t idx;
	uint32_t strike; /* enum strike_source last seen */
	uint8_t outcome; /* last seen */
	uint8_t state;
};

struct roll_faults {
	uint32_t late;	 /* one of so many windows is listed late, 0 none */
	uint32_t http;	 /* one of so many answers is an error */
	uint32_t drop;	 /* connections end every so many seconds */
	uint32_t silent; /* one of so many outcomes is not told */
	uint32_t slow;	 /* one of so many outcomes takes two hours */
	bool year_form;	 /* hourly slugs have the year */
};

struct roll_pending {
	uint64_t at_ns;
	enum feed_ev kind; /* 0: free */
	uint8_t conn;
	uint16_t code;
	uint32_t tag;
	uint32_t retry_after_s;
	char *body;
};

struct roll {
	struct feed *f;
	struct cfg cfg;
	struct feed_sink sink;
	struct roll_faults faults;
	uint64_t now_ns;
	int64_t wall0_ns; /* wall at now 0 */
	uint64_t rng;
	uint32_t series_n;
	struct pm_series series[ROLL_SERIES];
	struct roll_window win[ROLL_SERIES][ROLL_WINDOWS];
	uint32_t win_n[ROLL_SERIES];
	bool live[ROLL_CONNS];
	bool is_price[ROLL_CONNS];
	struct roll_pending pending[ROLL_PENDING];
	uint16_t epoch[INSTR_N];
	char symbol[INSTR_N][48];
	/* what was seen */
	uint32_t gets_n;
	uint32_t minute_n;
	uint32_t minute_max;
	uint32_t reused;
	uint32_t drops;
	uint32_t errors;
};

static inline int64_t
roll_venue_s(const struct roll *r)
{
	return (r->wall0_ns + (int64_t)r->now_ns) / NS_PER_S + ROLL_OFF_S;
}

static inline uint32_t
roll_dice(struct roll *r, uint32_t n)
{
	r->rng = hash_u64(r->rng, 1);
	return (uint32_t)(r->rng >> 33) % n;
}

/* One of n, 0: never. */
static inline bool
roll_hit(struct roll *r, uint32_t n)
{
	return n != 0 && roll_dice(r, n) == 0;
}

/* Price of an asset at a second, in cents. */
static inline int64_t
roll_px(uint32_t series, bool hourly, int64_t s)
{
	static const int64_t base[3] = {6000000, 250000, 15000};
	uint64_t h = hash_u64(
	    hash_u64(HASH_SEED, series % 3 + hourly * 8u), (uint64_t)s);

	return base[series % 3] + (int64_t)(h >> 20) % 400;
}

static inline int64_t
roll_strike(const struct roll *r, uint32_t k, const struct roll_window *w)
{
	return roll_px(k, r->series[k].is_hourly, w->start_s);
}

static inline int64_t
roll_close(const struct roll *r, uint32_t k, const struct roll_window *w)
{
	return roll_px(
	    k, r->series[k].is_hourly, w->start_s + r->series[k].len_s);
}

static inline enum outcome
roll_truth(const struct roll *r, uint32_t k, const struct roll_window *w)
{
	return roll_close(r, k, w) >= roll_strike(r, k, w) ? OUTCOME_YES
							   : OUTCOME_NO;
}

/* The second hour of its name has a name of its own, that nobody knows. */
static inline void
roll_slug(
    const struct roll *r, uint32_t k, int64_t start_s, char *buf, size_t cap)
{
	if (!pm_series_slug(
		&r->series[k], start_s, r->faults.year_form, buf, cap))
		snprintf(buf, cap, "%s-the-second-1am-et", r->series[k].head);
}

static inline void
roll_time(int64_t s, char out[24])
{
	time_t t = (time_t)s;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(out, 24, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static inline void
roll_token(uint32_t k, const struct roll_window *w, int no, char out[40])
{
	snprintf(
	    out, 40, "7000000000%u%011lld%d", k, (long long)w->start_s, no + 1);
}

static inline struct roll_window *
roll_by_token(struct roll *r, const char *text)
{
	uint32_t k = (uint32_t)(text[10] - '0');
	char start[12];
	int64_t s;

	memcpy(start, text + 11, 11);
	start[11] = '\0';
	s = strtoll(start, NULL, 10);
	for (uint32_t i = 0; k < r->series_n && i < r->win_n[k]; i++)
		if (r->win[k][i].start_s == s)
			return &r->win[k][i];
	return NULL;
}

static inline void
roll_cond(uint32_t k, const struct roll_window *w, char out[72])
{
	snprintf(out, 72, "0x%032x%016x%016llx", 7u, k + 1,
	    (unsigned long long)w->start_s);
}

#endif
