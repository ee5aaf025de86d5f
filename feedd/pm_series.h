/*
 * pm_series.h - rolling up/down series: their windows and slugs.
 *
 * A series is an item of polymarket.series:
 *   btc-updown-5m, -15m, -4h      windows from the epoch; slug: item-<start>
 *   bitcoin-up-or-down-1h         hours of New York; slug
 *                                 bitcoin-up-or-down-march-12-5am-et, in the
 *                                 newer form with the year before the hour
 * New York: UTC-5; UTC-4 from the second Sunday of March, 2:00, to the first
 * Sunday of November, 2:00 (since 2007). In the autumn two hours share a
 * name: only the first, in daylight time, is known by it.
 * Pure : yes.
 */
#ifndef FEEDD_PM_SERIES_H
#define FEEDD_PM_SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PM_SLUG_SZ 64u

struct pm_series {
	int64_t len_s;
	bool is_hourly; /* by local hour */
	char head[48];	/* of the slug, without the last dash */
	char asset[16]; /* "btc" */
};

/* pm_series_parse - an item of the list; false: not a series. */
bool pm_series_parse(struct pm_series *s, const char *item);

/* pm_series_start - start of the window that holds an instant. */
int64_t pm_series_start(const struct pm_series *s, int64_t at_s);

/* pm_series_slug - of the window that starts then. with_year: the newer form
 * of hourly ones. False: the window has no slug of its own. */
bool pm_series_slug(const struct pm_series *s, int64_t start_s, bool with_year,
    char *buf, size_t cap);

/* pm_series_of_slug - is it a slug of the series? Its start by the slug, 0
 * for hourly ones, which need the year. */
bool pm_series_of_slug(
    const struct pm_series *s, const char *slug, int64_t *start_s);

/* pm_series_ny_offset - seconds to add to UTC for New York. */
int64_t pm_series_ny_offset(int64_t at_s);

/* pm_series_asset - of a market by its slug: "btc", or "" */
void pm_series_asset(const char *slug, char *buf, size_t cap);

#endif
