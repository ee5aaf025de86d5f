#include "feedd/pm_life.h"

#include "libcore/check.h"

#define STAY 100 /* late news */
#define BAD  101

/* clang-format off */
static const uint8_t action[INSTR_STATE_N][PM_LIFE_EV_N] = {
#define ALL(dispute) { 0, INSTR_NORMAL, INSTR_WATCH, INSTR_CLOSE_WINDOW, \
	INSTR_HALTED, dispute, INSTR_CLOSED, INSTR_RESOLVED }
	[INSTR_HYDRATING] = ALL(INSTR_DISPUTED),
	[INSTR_NORMAL] = ALL(INSTR_DISPUTED),
	[INSTR_WATCH] = ALL(INSTR_DISPUTED),
	[INSTR_CLOSE_WINDOW] = ALL(INSTR_DISPUTED),
	[INSTR_HALTED] = ALL(INSTR_DISPUTED),
	[INSTR_DISPUTED] = ALL(INSTR_DISPUTED),
	[INSTR_CLOSED] = { 0, STAY, STAY, STAY, STAY, INSTR_DISPUTED,
	    INSTR_CLOSED, INSTR_RESOLVED },
	[INSTR_RESOLVED] = { 0, STAY, STAY, STAY, STAY, BAD, STAY,
	    INSTR_RESOLVED },
#undef ALL
};
/* clang-format on */

bool
pm_life_trades(enum instr_state s)
{
	return s == INSTR_NORMAL || s == INSTR_WATCH || s == INSTR_CLOSE_WINDOW;
}

enum pm_life_ev
pm_life_time(const struct pm_life_view *v)
{
	int64_t left_ns = v->end_ns - v->now_ns;

	if (v->end_ns == 0 || v->now_ns == 0)
		return PM_LIFE_OPEN;
	if (v->is_updown)
		return left_ns <= 0 ? PM_LIFE_CLOSE : PM_LIFE_OPEN;
	return left_ns < v->near_ns    ? PM_LIFE_NEAR
	       : left_ns < v->watch_ns ? PM_LIFE_WATCH
				       : PM_LIFE_OPEN;
}

enum pm_life_ev
pm_life_of(const struct pm_life_view *v)
{
	enum pm_life_ev by_time;

	if (v->closed) /* 1, 2 */
		return v->has_outcome ? PM_LIFE_RESOLVE : PM_LIFE_CLOSE;
	if (v->disputed) /* 3 */
		return PM_LIFE_DISPUTE;
	by_time = pm_life_time(v);
	if (by_time == PM_LIFE_CLOSE) /* 4 */
		return by_time;
	return v->takes_orders ? by_time : PM_LIFE_HALT; /* 5, 6, 7 */
}

bool
pm_life_step(enum instr_state *s, enum pm_life_ev ev)
{
	uint8_t to;

	CHECK(*s >= INSTR_HYDRATING && *s < INSTR_STATE_N);
	CHECK(ev >= PM_LIFE_OPEN && ev < PM_LIFE_EV_N);
	to = action[*s][ev];
	CHECK(to != 0);
	if (to == BAD)
		return false;
	if (to != STAY)
		*s = (enum instr_state)to;
	return true;
}

int64_t
pm_life_due(const struct pm_life_view *v)
{
	const int64_t at[3] = {
	    v->is_updown ? v->end_ns : v->end_ns - v->watch_ns + 1,
	    v->is_updown ? v->end_ns : v->end_ns - v->near_ns + 1, v->end_ns};
	int64_t due = 0;

	if (v->end_ns == 0 || v->now_ns == 0)
		return 0;
	for (int i = 0; i < 3; i++)
		if (at[i] > v->now_ns && (due == 0 || at[i] < due))
			due = at[i];
	return due;
}
