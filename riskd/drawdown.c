#include "riskd/drawdown.h"

#include "libcore/check.h"
#include "libcore/position.h"
#include "libshm/ctl.h"

#define DAY_S INT64_C(86400)

int64_t
loss_day(int64_t wall_ns, int64_t east_s)
{
	int64_t s = wall_ns / NS_PER_S + east_s;

	return s >= 0 ? s / DAY_S : -((-s + DAY_S - 1) / DAY_S);
}

usd_t
loss_realised(const struct loss *l)
{
	return USD(e16_to_usd(l->realised_e16).e6 - l->fees.e6);
}

usd_t
loss_pnl(const struct loss *l, usd_t unrealised)
{
	return USD(loss_realised(l).e6 + unrealised.e6);
}

bool
loss_roll(struct loss *l, int64_t day, usd_t *ended)
{
	bool first = l->day == 0;

	if (day <= l->day)
		return false;
	l->day = day;
	if (first)
		return false;
	*ended = loss_realised(l);
	l->carried.e6 += ended->e6;
	l->realised_e16 = 0;
	l->fees = USD(0);
	l->base = USD(0);
	l->corrections_n = 0;
	l->corrected = USD(0);
	return true;
}

void
loss_book(struct loss *l, i128_t realised_e16, usd_t fee)
{
	l->realised_e16 += realised_e16;
	l->fees.e6 += fee.e6;
}

bool
loss_check(struct loss *l, usd_t unrealised, usd_t limit, int64_t wall_ns)
{
	usd_t pnl = loss_pnl(l, unrealised);

	CHECK(limit.e6 > 0);
	l->hwm.e6 = i64_max(l->hwm.e6, l->carried.e6 + pnl.e6);
	if ((l->latched & FREEZE_DAILY_LOSS) != 0 ||
	    pnl.e6 - l->base.e6 >= -limit.e6)
		return false;
	l->latched |= FREEZE_DAILY_LOSS;
	l->latch_wall_ns = wall_ns;
	l->latch_pnl = pnl;
	return true;
}

bool
loss_bound(const struct loss *l, usd_t worst, usd_t limit)
{
	CHECK(limit.e6 > 0);
	return loss_realised(l).e6 + worst.e6 - l->base.e6 >= -limit.e6;
}

usd_t
loss_fall(const struct loss *l, usd_t unrealised)
{
	return USD(l->hwm.e6 - l->carried.e6 - loss_pnl(l, unrealised).e6);
}

bool
loss_drawdown(struct loss *l, usd_t unrealised, usd_t capital, int64_t frac_e8,
    int64_t wall_ns)
{
	int64_t top = capital.e6 + l->hwm.e6;

	CHECK(frac_e8 >= 0 && frac_e8 <= E8);
	if (frac_e8 == 0 || top <= 0 || (l->latched & FREEZE_DRAWDOWN) != 0 ||
	    loss_fall(l, unrealised).e6 <= i64_mul_div(top, frac_e8, E8))
		return false;
	l->latched |= FREEZE_DRAWDOWN;
	l->latch_wall_ns = wall_ns;
	l->latch_pnl = loss_pnl(l, unrealised);
	return true;
}

void
loss_thaw(struct loss *l, usd_t unrealised)
{
	if ((l->latched & FREEZE_DAILY_LOSS) != 0)
		l->base = loss_pnl(l, unrealised);
	if ((l->latched & FREEZE_DRAWDOWN) != 0)
		l->hwm = USD(l->carried.e6 + loss_pnl(l, unrealised).e6);
	l->latched = 0;
	l->latch_wall_ns = 0;
}
