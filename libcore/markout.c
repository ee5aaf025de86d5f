#include "libcore/markout.h"

#include <string.h>

#include "libcore/check.h"

void
markout_init(struct markout *m)
{
	CHECK(m != 0);
	memset(m, 0, sizeof(*m));
}

px_t
markout_value(enum side side, px_t px, px_t mid)
{
	CHECK(side == SIDE_BID || side == SIDE_ASK);
	return side == SIDE_BID ? PX(mid.e8 - px.e8) : PX(px.e8 - mid.e8);
}

void
markout_add(struct markout *m, const struct markout_fill *f)
{
	CHECK(f->side == SIDE_BID || f->side == SIDE_ASK);
	for (uint32_t h = 0; h < MARKOUT_HORIZONS; h++)
		if (m->fill_n - m->done_n[h] == MARKOUT_PENDING) {
			m->done_n[h]++;
			m->missed_n++;
		}
	m->fill[m->fill_n % MARKOUT_PENDING] = *f;
	m->fill_n++;
}

static void
keep(struct markout *m, uint32_t h, uint64_t now_ns, px_t value)
{
	uint64_t at = m->value_n[h] % MARKOUT_KEEP;

	m->value_e8[h][at] = value.e8;
	m->value_ns[h][at] = now_ns;
	m->value_n[h]++;
}

uint32_t
markout_mid(struct markout *m, const struct markout_cfg *c, uint64_t now_ns,
    px_t mid, struct markout_result out[MARKOUT_DUE])
{
	uint32_t n = 0;

	for (uint32_t h = 0; h < MARKOUT_HORIZONS; h++)
		while (m->done_n[h] < m->fill_n) {
			const struct markout_fill *f =
			    &m->fill[m->done_n[h] % MARKOUT_PENDING];
			uint64_t due_ns = f->ns + c->horizon_ns[h];

			if (now_ns < due_ns)
				break;
			m->done_n[h]++;
			if (now_ns - due_ns > c->late_ns) {
				m->missed_n++;
				continue;
			}
			CHECK(n < MARKOUT_DUE);
			out[n] = (struct markout_result){
			    .fill = *f,
			    .horizon = h,
			    .mid = mid,
			    .value =
				markout_value((enum side)f->side, f->px, mid),
			};
			keep(m, h, now_ns, out[n].value);
			n++;
		}
	return n;
}

uint64_t
markout_due_ns(const struct markout *m, const struct markout_cfg *c)
{
	uint64_t due = 0;

	for (uint32_t h = 0; h < MARKOUT_HORIZONS; h++) {
		uint64_t at;

		if (m->done_n[h] == m->fill_n)
			continue;
		at = m->fill[m->done_n[h] % MARKOUT_PENDING].ns +
		     c->horizon_ns[h];
		if (due == 0 || at < due)
			due = at;
	}
	return due;
}

uint32_t
markout_mean(const struct markout *m, const struct markout_cfg *c,
    uint64_t now_ns, uint32_t horizon, px_t *mean)
{
	uint64_t have = m->value_n[horizon % MARKOUT_HORIZONS];
	int64_t sum = 0;
	uint32_t n = 0;

	CHECK(horizon < MARKOUT_HORIZONS);
	CHECK(c->last_n > 0);
	CHECK(c->last_n <= MARKOUT_KEEP);
	while (n < c->last_n && n < have) {
		uint64_t at = (have - 1 - n) % MARKOUT_KEEP;

		if (now_ns > m->value_ns[horizon][at] + c->memory_ns)
			break;
		sum += m->value_e8[horizon][at];
		n++;
	}
	if (n > 0)
		*mean = PX(sum / (int64_t)n);
	return n;
}

bool
markout_toxic(
    const struct markout *m, const struct markout_cfg *c, uint64_t now_ns)
{
	for (uint32_t h = 0; h < MARKOUT_HORIZONS; h++) {
		px_t mean = PX(0);

		if (markout_mean(m, c, now_ns, h, &mean) >= c->min_n &&
		    mean.e8 < c->toxic.e8)
			return true;
	}
	return false;
}
