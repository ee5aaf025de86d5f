#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "libcore/check.h"
#include "recorderd/truth.h"

#define MINUTES_PER_YEAR 525600.0
#define DAYS_PER_YEAR	 365.0

/* Upper end of a bucket in microseconds. */
static double
ack_us(unsigned i)
{
	if (i < 4)
		return (i + 1) / 4.0;
	unsigned log = (i + 4) / 4;

	return ldexp(1.0 + ((i + 4) % 4 + 1) / 4.0, (int)log) / 4.0;
}

/* The time that q of the answers took at most; 0 none. */
static double
ack_quantile(const struct truth *t, double q)
{
	double want = q * (double)t->ack_n;
	uint64_t sum = 0;

	for (unsigned i = 0; i < TRUTH_ACK_N; i++) {
		sum += t->ack[i];
		if (sum > 0 && (double)sum >= want)
			return ack_us(i);
	}
	return 0;
}

/* ---- sums ---- */

/* The equity of each minute, gaps filled with what was before. */
static unsigned
equities(const struct truth *t, double e[TRUTH_MINUTES])
{
	unsigned n = 0;

	for (unsigned i = 0; i < TRUTH_MINUTES; i++) {
		if (t->has_equity[i])
			e[n++] = (double)t->equity[i].e6;
		else if (n > 0 && (int64_t)i <= t->minute)
			e[n] = e[n - 1], n++;
	}
	return n;
}

static void
risk_figures(const struct truth *t, struct truth_sum *s)
{
	double e[TRUTH_MINUTES];
	unsigned n = equities(t, e);
	double was = (double)t->equity_first.e6;
	double high = was;
	double fall = 0;
	double sum = 0;
	double sum2 = 0;

	for (unsigned i = 0; i < n; i++) {
		double d = e[i] - was;

		sum += d;
		sum2 += d * d;
		was = e[i];
		high = e[i] > high ? e[i] : high;
		fall = high - e[i] > fall ? high - e[i] : fall;
	}
	s->drawdown = USD((int64_t)fall);
	s->sharpe = NAN;
	s->calmar = NAN;
	if (n > 1) {
		double mean = sum / n;
		double var = (sum2 - sum * mean) / (n - 1);

		if (var > 0)
			s->sharpe = mean / sqrt(var) * sqrt(MINUTES_PER_YEAR);
	}
	if (fall > 0)
		s->calmar = (double)s->pnl.e6 * DAYS_PER_YEAR / fall;
}

void
truth_sum(const struct truth *t, struct truth_sum *s)
{
	uint64_t orders = 0;
	uint64_t filled = 0;
	int64_t maker = 0;

	memset(s, 0, sizeof(*s));
	for (unsigned i = 0; i < STRATEGY_N; i++) {
		const struct truth_part *p = &t->part[i];

		s->realised.e6 += p->realised.e6;
		s->unrealised.e6 += p->unrealised.e6;
		s->fees.e6 += p->fees.e6;
		s->rebates.e6 += p->rebates.e6;
		s->volume.e6 += p->volume.e6;
		s->fills += p->fills;
		maker += p->maker_volume.e6;
		orders += p->orders;
		filled += p->filled;
	}
	s->pnl =
	    USD(s->realised.e6 + s->unrealised.e6 - s->fees.e6 + s->rebates.e6);
	s->maker_frac =
	    s->volume.e6 > 0 ? (double)maker / (double)s->volume.e6 : NAN;
	s->fill_frac = orders > 0 ? (double)filled / (double)orders : NAN;
	risk_figures(t, s);
}

/* ---- text ---- */

struct out {
	char *buf;
	size_t cap;
	size_t len;
};

static void __attribute__((format(printf, 2, 3)))
put(struct out *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(o->buf + o->len, o->cap - o->len, fmt, ap);

	va_end(ap);
	CHECK(n >= 0);
	o->len = (size_t)n < o->cap - o->len ? o->len + (size_t)n : o->cap - 1;
}

/* Dollars, exactly. */
static void
put_usd(struct out *o, const char *key, usd_t v)
{
	char text[FIXED_TEXT_MAX];

	fixed_format(v.e6, 6, text);
	put(o, "\"%s\":%s,", key, text);
}

static void
put_px(struct out *o, const char *key, bool known, double e8)
{
	if (known)
		put(o, "\"%s\":%.8f,", key, e8 / 1e8);
	else
		put(o, "\"%s\":null,", key);
}

static void
put_ratio(struct out *o, const char *key, double v)
{
	if (isfinite(v))
		put(o, "\"%s\":%.6f,", key, v);
	else
		put(o, "\"%s\":null,", key);
}

/* A comma that nothing follows. */
static void
close_with(struct out *o, char c)
{
	if (o->len > 0 && o->buf[o->len - 1] == ',')
		o->len--;
	put(o, "%c", c);
}

static void
put_maker(struct out *o, const struct truth *t, const struct truth_part *p)
{
	put_px(o, "spread_capture_px", p->spread_qty > 0,
	    p->spread_qty > 0 ? (double)p->spread_e16 / (double)p->spread_qty
			      : 0);
	put(o, "\"markouts\":[");
	for (unsigned h = 0; h < MARKOUT_HORIZONS; h++) {
		uint64_t n = p->markout_n[h];

		put(o, "{\"horizon_s\":%llu,\"fills\":%llu,",
		    (unsigned long long)(t->marks.cfg.horizon_ns[h] /
					 (uint64_t)NS_PER_S),
		    (unsigned long long)n);
		put_px(o, "mean_px", n > 0,
		    n > 0 ? (double)p->markout_sum_e8[h] / (double)n : 0);
		/* What a round trip at the mid of then would have kept. */
		put_px(o, "realised_spread_px", n > 0,
		    n > 0 ? 2 * (double)p->markout_sum_e8[h] / (double)n : 0);
		close_with(o, '}');
		put(o, ",");
	}
	close_with(o, ']');
	put(o, ",");
}

static void
put_part(struct out *o, const struct truth *t, const struct truth_part *p)
{
	put_usd(o, "realised_usd", p->realised);
	put_usd(o, "unrealised_usd", p->unrealised);
	put_usd(o, "fees_usd", p->fees);
	put_usd(o, "rebates_usd", p->rebates);
	put_usd(o, "pnl_usd",
	    USD(p->realised.e6 + p->unrealised.e6 - p->fees.e6 +
		p->rebates.e6));
	put_usd(o, "volume_usd", p->volume);
	put_usd(o, "maker_volume_usd", p->maker_volume);
	put(o,
	    "\"fills\":%llu,\"maker_fills\":%llu,\"orders_rested\":%llu,"
	    "\"orders_filled\":%llu,",
	    (unsigned long long)p->fills, (unsigned long long)p->maker_fills,
	    (unsigned long long)p->orders, (unsigned long long)p->filled);
	put_maker(o, t, p);
}

static void
put_components(struct out *o, const struct truth *t)
{
	put(o, "\"components\":{");
	for (unsigned i = 0; i < STRATEGY_N; i++) {
		const struct truth_part *p = &t->part[i];

		if (p->fills == 0 && p->orders == 0 && p->realised.e6 == 0 &&
		    p->unrealised.e6 == 0)
			continue;
		put(o, "\"%s\":{", i > 0 ? strategy_name((uint8_t)i) : "none");
		put_part(o, t, p);
		close_with(o, '}');
		put(o, ",");
	}
	close_with(o, '}');
	put(o, ",");
}

/* Counts by reason, those above nothing. */
static void
put_reasons(struct out *o, const char *key, const uint64_t n[REASON_N])
{
	put(o, "\"%s\":{", key);
	for (unsigned i = 0; i < REASON_N; i++)
		if (n[i] > 0)
			put(o, "\"%s\":%llu,", reason_name((enum reason)i),
			    (unsigned long long)n[i]);
	close_with(o, '}');
	put(o, ",");
}

static void
put_feeds(struct out *o, const struct truth *t)
{
	double span = (double)(t->last_ns - i64_max(t->first_ns, t->day_ns));

	put(o, "\"feeds\":{");
	for (unsigned v = 1; v < VENUE_N; v++) {
		const struct truth_feed *f = &t->feed[v];

		if (!f->seen)
			continue;
		put(o, "\"%s\":{", venue_name((enum venue)v));
		put_ratio(o, "uptime_frac",
		    span > 0 ? fmin((double)f->up_ns / span, 1.0) : NAN);
		put(o, "\"downs\":%llu,\"gaps\":%llu},",
		    (unsigned long long)f->downs, (unsigned long long)f->gaps);
	}
	close_with(o, '}');
	put(o, ",");
}

static void
put_health(struct out *o, const struct truth *t)
{
	put(o, "\"health\":{");
	put_feeds(o, t);
	put(o, "\"cancel_alls\":%llu,\"frozen_s\":%.3f,\"freezes\":{",
	    (unsigned long long)t->cancel_alls, (double)t->frozen_ns / 1e9);
	for (unsigned b = 0; b < FREEZE_BITS_N; b++) {
		char name[64];

		if (t->freezes[b] > 0)
			put(o, "\"%s\":%llu,",
			    freeze_format(UINT64_C(1) << b, name, sizeof(name)),
			    (unsigned long long)t->freezes[b]);
	}
	close_with(o, '}');
	put(o, ",\"restarts\":{");
	for (unsigned i = 0; i < ST_N; i++)
		if (t->restarts[i] > 0)
			put(o, "\"%s\":%llu,", topo_stages[i].name,
			    (unsigned long long)t->restarts[i]);
	close_with(o, '}');
	put(o,
	    ",\"gaps\":%llu,\"lost\":%llu,\"runs\":%llu,"
	    "\"ack_us_p50\":%.2f,\"ack_us_p99\":%.2f,",
	    (unsigned long long)t->gaps, (unsigned long long)t->lost,
	    (unsigned long long)t->runs, ack_quantile(t, 0.5),
	    ack_quantile(t, 0.99));
	put_reasons(o, "rejects", t->rejects);
	put_reasons(o, "vetoes", t->verdicts);
	close_with(o, '}');
	put(o, ",");
}

size_t
truth_json(const struct truth *t, char *buf, size_t cap)
{
	struct out o = {buf, cap, 0};
	struct truth_sum s;

	CHECK(cap > 0);
	truth_sum(t, &s);
	put(&o, "{\"format\":1,\"day_start_s\":%lld,",
	    (long long)(t->day_ns / NS_PER_S));
	put(&o, "\"recorded_s\":%.3f,\"slots\":%llu,\"whole\":%s,",
	    (double)(t->last_ns - t->first_ns) / 1e9,
	    (unsigned long long)t->slots,
	    t->lost == 0 && t->over_n == 0 ? "true" : "false");
	put(&o, "\"portfolio\":{");
	put_usd(&o, "pnl_usd", s.pnl);
	put_usd(&o, "realised_usd", s.realised);
	put_usd(&o, "unrealised_usd", s.unrealised);
	put_usd(&o, "fees_usd", s.fees);
	put_usd(&o, "rebates_usd", s.rebates);
	put_usd(&o, "volume_usd", s.volume);
	put_usd(&o, "drawdown_usd", s.drawdown);
	put_ratio(&o, "sharpe", s.sharpe);
	put_ratio(&o, "calmar", s.calmar);
	put_ratio(&o, "maker_frac", s.maker_frac);
	put_ratio(&o, "fill_frac", s.fill_frac);
	put(&o,
	    "\"fills\":%llu,\"reversed\":%llu,\"intents\":%llu,"
	    "\"orders\":%llu,\"cancels\":%llu,\"markouts_missed\":%llu},",
	    (unsigned long long)s.fills, (unsigned long long)t->reversed,
	    (unsigned long long)t->intents, (unsigned long long)t->placed,
	    (unsigned long long)t->cancels,
	    (unsigned long long)t->markout_missed);
	put_components(&o, t);
	put_health(&o, t);
	close_with(&o, '}');
	put(&o, "\n");
	return o.len + 1 < cap ? o.len : 0;
}
