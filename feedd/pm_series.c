#include "feedd/pm_series.h"

#include <string.h>

#include "feedd/text.h"
#include "libcore/check.h"

#define DAY_S  INT64_C(86400)
#define HOUR_S INT64_C(3600)

static const struct {
	const char *word; /* of hourly slugs */
	const char *asset;
} words[] = {
    {"bitcoin", "btc"},
    {"ethereum", "eth"},
    {"solana", "sol"},
    {"xrp", "xrp"},
    {"dogecoin", "doge"},
    {"bnb", "bnb"},
    {"hyperliquid", "hype"},
};

#define WORDS_N (sizeof(words) / sizeof(words[0]))

static const char *const months[12] = {"january", "february", "march", "april",
    "may", "june", "july", "august", "september", "october", "november",
    "december"};

struct date {
	int64_t year;
	int64_t month; /* 1 .. 12 */
	int64_t day;
};

/* Days since 1970 of a date, and back: the civil calendar with years that
 * begin in March. */
static int64_t
days_of(int64_t y, int64_t m, int64_t d)
{
	int64_t year = m <= 2 ? y - 1 : y;
	int64_t era = year / 400;
	int64_t yoe = year - era * 400;
	int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static struct date
date_of(int64_t days)
{
	int64_t z = days + 719468;
	int64_t era = z / 146097;
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	struct date d;

	d.day = doy - (153 * mp + 2) / 5 + 1;
	d.month = mp < 10 ? mp + 3 : mp - 9;
	d.year = yoe + era * 400 + (d.month <= 2 ? 1 : 0);
	return d;
}

/* Day of the n-th Sunday of a month. 1970-01-01 was a Thursday. */
static int64_t
sunday(int64_t year, int64_t month, int64_t n)
{
	int64_t first = days_of(year, month, 1);

	return first + (10 - first % 7) % 7 + (n - 1) * 7;
}

int64_t
pm_series_ny_offset(int64_t at_s)
{
	int64_t year;
	int64_t from_s;
	int64_t to_s;

	CHECK(at_s >= 0);
	year = date_of(at_s / DAY_S).year;
	from_s = sunday(year, 3, 2) * DAY_S + 7 * HOUR_S;
	to_s = sunday(year, 11, 1) * DAY_S + 6 * HOUR_S;
	return at_s >= from_s && at_s < to_s ? -4 * HOUR_S : -5 * HOUR_S;
}

/* Length from the end of the name: 5m, 15m, 1h, 4h. */
static int64_t
length_s(const char *tail)
{
	int64_t n = 0;

	for (; *tail >= '0' && *tail <= '9' && n < 10000; tail++)
		n = n * 10 + (*tail - '0');
	if (n == 0 || tail[0] == '\0' || tail[1] != '\0')
		return 0;
	return *tail == 'm' ? n * 60 : *tail == 'h' ? n * HOUR_S : 0;
}

bool
pm_series_parse(struct pm_series *s, const char *item)
{
	const char *dash = strrchr(item, '-');
	size_t head_n = dash == NULL ? 0 : (size_t)(dash - item);

	memset(s, 0, sizeof(*s));
	if (head_n == 0 || strlen(item) >= sizeof(s->head))
		return false;
	s->len_s = length_s(dash + 1);
	if (s->len_s == 0)
		return false;
	for (size_t i = 0; i < WORDS_N; i++) {
		size_t n = strlen(words[i].word);

		if (!text_starts(item, words[i].word) ||
		    strncmp(item + n, "-up-or-down-", 12) != 0)
			continue;
		s->is_hourly = true;
		memcpy(s->head, item, head_n);
		text_copy(s->asset, sizeof(s->asset), words[i].asset);
		return s->len_s == HOUR_S;
	}
	text_copy(s->head, sizeof(s->head), item);
	pm_series_asset(item, s->asset, sizeof(s->asset));
	return s->asset[0] != '\0';
}

int64_t
pm_series_start(const struct pm_series *s, int64_t at_s)
{
	CHECK(s->len_s > 0);
	CHECK(at_s >= 0);
	return at_s / s->len_s * s->len_s;
}

/* "march-12-5am-et", "march-12-2026-5am-et". */
static void
put_hour(int64_t start_s, bool with_year, char *buf, size_t cap)
{
	int64_t local_s = start_s + pm_series_ny_offset(start_s);
	struct date d = date_of(local_s / DAY_S);
	int64_t hour = local_s % DAY_S / HOUR_S;

	text_add(buf, cap, months[d.month - 1]);
	text_add(buf, cap, "-");
	text_add_u64(buf, cap, (uint64_t)d.day);
	text_add(buf, cap, "-");
	if (with_year) {
		text_add_u64(buf, cap, (uint64_t)d.year);
		text_add(buf, cap, "-");
	}
	text_add_u64(buf, cap, (uint64_t)(hour % 12 == 0 ? 12 : hour % 12));
	text_add(buf, cap, hour < 12 ? "am-et" : "pm-et");
}

bool
pm_series_slug(const struct pm_series *s, int64_t start_s, bool with_year,
    char *buf, size_t cap)
{
	CHECK(start_s >= DAY_S);
	text_join(buf, cap, s->head, "-");
	if (!s->is_hourly) {
		text_add_u64(buf, cap, (uint64_t)start_s);
		return true;
	}
	/* One hour ago the clock showed the same: the name is taken. */
	if (pm_series_ny_offset(start_s) <
	    pm_series_ny_offset(start_s - HOUR_S))
		return false;
	put_hour(start_s, with_year, buf, cap);
	return true;
}

bool
pm_series_of_slug(const struct pm_series *s, const char *slug, int64_t *start_s)
{
	size_t n = strlen(s->head);
	int64_t at = 0;

	*start_s = 0;
	if (!text_starts(slug, s->head) || slug[n] != '-')
		return false;
	slug += n + 1;
	if (s->is_hourly) {
		size_t len = strlen(slug);

		return len > 3 && strcmp(slug + len - 3, "-et") == 0;
	}
	if (*slug == '\0')
		return false;
	for (; *slug >= '0' && *slug <= '9' && at < INT64_C(100000000000);
	     slug++)
		at = at * 10 + (*slug - '0');
	*start_s = at;
	return *slug == '\0' && at > 0 && at % s->len_s == 0;
}

void
pm_series_asset(const char *slug, char *buf, size_t cap)
{
	size_t n = strcspn(slug, "-");

	buf[0] = '\0';
	for (size_t i = 0; i < WORDS_N; i++)
		if (strlen(words[i].word) == n &&
		    strncmp(slug, words[i].word, n) == 0) {
			text_copy(buf, cap, words[i].asset);
			return;
		}
	if (slug[n] != '-' || n == 0 || n >= cap)
		return;
	memcpy(buf, slug, n);
	buf[n] = '\0';
}
