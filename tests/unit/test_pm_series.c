/* links: feedd libvenue libshm libcore */
/*
 * Series of up/down windows: their slugs in UTC and in New York time.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "feedd/pm_series.h"

static struct pm_series
series(const char *item)
{
	struct pm_series s;

	assert_true(pm_series_parse(&s, item));
	return s;
}

static void
items(void **state)
{
	static const struct {
		const char *item;
		int64_t len_s;
		bool is_hourly;
		const char *asset;
	} good[] = {
	    {"btc-updown-5m", 300, false, "btc"},
	    {"eth-updown-15m", 900, false, "eth"},
	    {"sol-updown-4h", 14400, false, "sol"},
	    {"hype-updown-1h", 3600, false, "hype"},
	    {"bitcoin-up-or-down-1h", 3600, true, "btc"},
	    {"ethereum-up-or-down-1h", 3600, true, "eth"},
	    {"dogecoin-up-or-down-1h", 3600, true, "doge"},
	};
	static const char *const bad[] = {"", "btc", "btc-updown",
	    "btc-updown-", "btc-updown-m", "btc-updown-0m", "btc-updown-5s",
	    "btc-updown-5mm", "bitcoin-up-or-down-15m", "-5m",
	    "a-name-that-is-far-too-long-for-any-series-of-windows-5m"};
	struct pm_series s;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		s = series(good[i].item);
		assert_int_equal(s.len_s, good[i].len_s);
		assert_int_equal(s.is_hourly, good[i].is_hourly);
		assert_string_equal(s.asset, good[i].asset);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(pm_series_parse(&s, bad[i]));
}

static void
slugs(void **state)
{
	static const struct {
		const char *item;
		int64_t start_s;
		bool with_year;
		const char *slug; /* NULL: none of its own */
	} cases[] = {
	    {"btc-updown-5m", 1773307200, false, "btc-updown-5m-1773307200"},
	    {"btc-updown-4h", 1773302400, false, "btc-updown-4h-1773302400"},
	    /* 2026-03-12 09:00 UTC, daylight time */
	    {"bitcoin-up-or-down-1h", 1773306000, false,
		"bitcoin-up-or-down-march-12-5am-et"},
	    {"bitcoin-up-or-down-1h", 1773306000, true,
		"bitcoin-up-or-down-march-12-2026-5am-et"},
	    {"ethereum-up-or-down-1h", 1773288000, false,
		"ethereum-up-or-down-march-12-12am-et"},
	    {"bitcoin-up-or-down-1h", 1773331200, false,
		"bitcoin-up-or-down-march-12-12pm-et"},
	    /* 2025-12-31 20:00 UTC and 2026-01-01 04:00 UTC: still 2025 there
	     */
	    {"bitcoin-up-or-down-1h", 1767211200, true,
		"bitcoin-up-or-down-december-31-2025-3pm-et"},
	    {"bitcoin-up-or-down-1h", 1767240000, true,
		"bitcoin-up-or-down-december-31-2025-11pm-et"},
	    /* spring 2026: 06:00 UTC is 1am, 07:00 UTC is 3am */
	    {"bitcoin-up-or-down-1h", 1772949600, false,
		"bitcoin-up-or-down-march-8-1am-et"},
	    {"bitcoin-up-or-down-1h", 1772953200, false,
		"bitcoin-up-or-down-march-8-3am-et"},
	    /* autumn 2026: 05:00 UTC is 1am, 06:00 UTC is 1am again */
	    {"bitcoin-up-or-down-1h", 1793509200, false,
		"bitcoin-up-or-down-november-1-1am-et"},
	    {"bitcoin-up-or-down-1h", 1793512800, false, NULL},
	    {"bitcoin-up-or-down-1h", 1793516400, false,
		"bitcoin-up-or-down-november-1-2am-et"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct pm_series s = series(cases[i].item);
		char buf[PM_SLUG_SZ];
		int64_t start_s;
		bool has = pm_series_slug(
		    &s, cases[i].start_s, cases[i].with_year, buf, sizeof(buf));

		assert_int_equal(has, cases[i].slug != NULL);
		if (!has)
			continue;
		assert_string_equal(buf, cases[i].slug);
		assert_true(pm_series_of_slug(&s, buf, &start_s));
		assert_int_equal(start_s, s.is_hourly ? 0 : cases[i].start_s);
	}
}

static void
not_its_slugs(void **state)
{
	static const char *const bad[] = {"btc-updown-5m", "btc-updown-5m-",
	    "btc-updown-5m-1773307201", "btc-updown-5m-x", "btc-updown-5m-0",
	    "btc-updown-5m-1773307200x", "btc-updown-50m-1773307200",
	    "eth-updown-5m-1773307200",
	    "btc-updown-5m-99999999999999999999999999"};
	struct pm_series s = series("btc-updown-5m");
	struct pm_series h = series("bitcoin-up-or-down-1h");
	int64_t start_s;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(pm_series_of_slug(&s, bad[i], &start_s));
	assert_false(
	    pm_series_of_slug(&h, "bitcoin-up-or-down-on-march-12", &start_s));
}

/* Every hour from 2007 to 2037 against the system's own rules. */
static void
new_york_of_the_system(void **state)
{
	int64_t from_s = INT64_C(1167609600);
	int64_t to_s = INT64_C(2145916800);
	char buf[64];
	struct tm tm;
	time_t t = (time_t)INT64_C(1783000000);

	(void)state;
	setenv("TZ", "America/New_York", 1);
	tzset();
	localtime_r(&t, &tm);
	if (tm.tm_gmtoff != -4 * 3600) {
		printf("# skipped: no rules of New York on this system\n");
		skip();
	}
	for (int64_t s = from_s; s < to_s; s += 1800) {
		t = (time_t)s;
		localtime_r(&t, &tm);
		if (pm_series_ny_offset(s) != tm.tm_gmtoff)
			printf("at %lld\n", (long long)s);
		assert_int_equal(pm_series_ny_offset(s), tm.tm_gmtoff);
	}
	for (int64_t s = from_s; s < to_s; s += 7 * 3600) {
		struct pm_series h = series("bitcoin-up-or-down-1h");
		char want[64];

		t = (time_t)(s = pm_series_start(&h, s));
		localtime_r(&t, &tm);
		strftime(want, sizeof(want), "%B-%d-%Y", &tm);
		if (!pm_series_slug(&h, s, true, buf, sizeof(buf)))
			continue;
		want[0] = (char)(want[0] | 0x20);
		snprintf(want + strcspn(want, "-"), sizeof(want) - 20,
		    "-%d-%d-%d%s-et", tm.tm_mday, tm.tm_year + 1900,
		    tm.tm_hour % 12 == 0 ? 12 : tm.tm_hour % 12,
		    tm.tm_hour < 12 ? "am" : "pm");
		assert_string_equal(buf + strlen("bitcoin-up-or-down-"), want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(items),
	    cmocka_unit_test(slugs),
	    cmocka_unit_test(not_its_slugs),
	    cmocka_unit_test(new_york_of_the_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
