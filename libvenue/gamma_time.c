/* ISO 8601 instants, as Gamma spells them. */
#include "libcore/check.h"
#include "libvenue/gamma.h"

#define YEAR_MIN	1970
#define YEAR_MAX	2261
#define SECONDS_PER_DAY 86400

struct cursor {
	const char *s;
	size_t n;
	size_t i;
};

/* Exactly `digits` digits with a value within lo..hi. */
static bool
number(struct cursor *c, unsigned digits, int64_t lo, int64_t hi, int64_t *out)
{
	int64_t v = 0;

	for (unsigned k = 0; k < digits; k++, c->i++) {
		if (c->i >= c->n || c->s[c->i] < '0' || c->s[c->i] > '9')
			return false;
		v = v * 10 + (c->s[c->i] - '0');
	}
	*out = v;
	return v >= lo && v <= hi;
}

static bool
mark(struct cursor *c, char a, char b)
{
	if (c->i >= c->n || (c->s[c->i] != a && c->s[c->i] != b))
		return false;
	c->i++;
	return true;
}

static bool
is_leap(int64_t y)
{
	return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

/* Days since 1970; false when the month has no such day. */
static bool
days_of(int64_t y, int64_t m, int64_t d, int64_t *out)
{
	static const int before[12] = {
	    0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	static const int length[12] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	CHECK(m >= 1);
	CHECK(m <= 12);
	int64_t last = length[m - 1] + (m == 2 && is_leap(y));
	int64_t past = y - 1;
	int64_t leaps = past / 4 - past / 100 + past / 400 - 477;

	*out = (y - YEAR_MIN) * 365 + leaps + before[m - 1] +
	       (m > 2 && is_leap(y)) + d - 1;
	return d <= last;
}

/* Up to nine digits count, more are passed over. */
static bool
fraction(struct cursor *c, int64_t *ns)
{
	int64_t unit = NS_PER_S / 10;
	size_t start = c->i;

	*ns = 0;
	while (c->i < c->n && c->s[c->i] >= '0' && c->s[c->i] <= '9') {
		*ns += (c->s[c->i] - '0') * unit;
		unit /= 10;
		c->i++;
	}
	return c->i > start;
}

/* Z, +hh, +hh:mm, or nothing; seconds east of UTC. */
static bool
zone(struct cursor *c, int64_t *east_s)
{
	int64_t h;
	int64_t m = 0;

	*east_s = 0;
	if (c->i == c->n || mark(c, 'Z', 'z'))
		return true;
	int sign = c->s[c->i] == '-' ? -1 : 1;

	if (!mark(c, '+', '-') || !number(c, 2, 0, 23, &h))
		return false;
	if (mark(c, ':', ':') && !number(c, 2, 0, 59, &m))
		return false;
	*east_s = sign * (h * 3600 + m * 60);
	return true;
}

bool
gamma_parse_time(const char *s, size_t n, int64_t *ns)
{
	struct cursor c = {s, n, 0};
	int64_t y, mo, d, days;
	int64_t h = 0;
	int64_t mi = 0;
	int64_t sec = 0;
	int64_t frac = 0;
	int64_t east_s = 0;

	if (!number(&c, 4, YEAR_MIN, YEAR_MAX, &y) || !mark(&c, '-', '-') ||
	    !number(&c, 2, 1, 12, &mo) || !mark(&c, '-', '-') ||
	    !number(&c, 2, 1, 31, &d) || !days_of(y, mo, d, &days))
		return false;
	if (mark(&c, 'T', ' ')) {
		if (!number(&c, 2, 0, 23, &h) || !mark(&c, ':', ':') ||
		    !number(&c, 2, 0, 59, &mi) || !mark(&c, ':', ':') ||
		    !number(&c, 2, 0, 60, &sec))
			return false;
		if (mark(&c, '.', '.') && !fraction(&c, &frac))
			return false;
		if (!zone(&c, &east_s))
			return false;
	}
	if (c.i != c.n)
		return false;
	*ns = (days * SECONDS_PER_DAY + h * 3600 + mi * 60 + sec - east_s) *
		  NS_PER_S +
	      frac;
	return true;
}
