#include "riskd/wallclock.h"

#include "libcore/check.h"
#include "libcore/fixed.h"

static bool
is_over(const struct wallclock *w, uint64_t now_ns, int64_t max_ns,
    int64_t settle_ns)
{
	if (now_ns >= wallclock_due_ns(w, settle_ns))
		return true;
	return w->step_ns <= max_ns && w->step_ns >= -max_ns;
}

bool
wallclock_event(struct wallclock *w, uint64_t now_ns, int64_t wall_ns,
    int64_t max_ns, int64_t settle_ns)
{
	int64_t off_ns = wall_ns - (int64_t)now_ns;
	int64_t moved_ns = w->known ? off_ns - w->off_ns : 0;
	bool was = w->stepped;

	CHECK(max_ns > 0);
	CHECK(settle_ns > 0);
	if (wall_ns > 0) {
		w->off_ns = off_ns;
		if (!w->known)
			w->trusted_ns = off_ns;
		w->known = true;
		if (w->stepped)
			w->step_ns += moved_ns;
		if (moved_ns > max_ns || moved_ns < -max_ns) {
			if (!w->stepped)
				w->step_ns = moved_ns;
			w->stepped = true;
			w->step_at_ns = now_ns;
		}
	}
	if (w->stepped && is_over(w, now_ns, max_ns, settle_ns))
		w->stepped = false;
	if (!w->stepped)
		w->trusted_ns = w->off_ns;
	return w->stepped != was;
}

int64_t
wallclock_day_ns(const struct wallclock *w, uint64_t now_ns)
{
	return w->known ? (int64_t)now_ns + w->trusted_ns : 0;
}

uint64_t
wallclock_due_ns(const struct wallclock *w, int64_t settle_ns)
{
	CHECK(settle_ns > 0);
	return w->stepped ? w->step_at_ns + (uint64_t)settle_ns : 0;
}
