#include "simvenue/timeline.h"

#include <stdlib.h>

#include "libcore/check.h"

static int
by_time(const void *a, const void *b)
{
	const struct sim_frame *x = a;
	const struct sim_frame *y = b;
	if (x->t_ns != y->t_ns)
		return x->t_ns < y->t_ns ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

bool
sim_timeline_build(struct sim_timeline *t)
{
	t->segment_n = 0;
	if (t->n == 0)
		return true;
	qsort(t->frames, t->n, sizeof(t->frames[0]), by_time);
	size_t first = 0;
	for (size_t i = 1; i <= t->n; i++) {
		if (i < t->n &&
		    t->frames[i].t_ns - t->frames[i - 1].t_ns <= SIM_GAP_NS)
			continue;
		if (t->segment_n == SIM_SEGMENTS_MAX)
			return false;
		t->segments[t->segment_n++] =
		    (struct sim_segment){.first = first, .end = i};
		first = i;
	}
	return true;
}

int64_t
sim_timeline_start_ns(const struct sim_timeline *t, size_t segment)
{
	CHECK(segment < t->segment_n);
	return t->frames[t->segments[segment].first].t_ns;
}

int64_t
sim_timeline_span_ns(const struct sim_timeline *t, size_t segment)
{
	CHECK(segment < t->segment_n);
	return t->frames[t->segments[segment].end - 1].t_ns -
	       sim_timeline_start_ns(t, segment);
}

int64_t
sim_clock_now(const struct sim_clock *c, uint64_t mono_ns)
{
	if (c->speed_e3 == 0)
		return INT64_MAX;
	CHECK(mono_ns >= c->start_mono_ns);
	uint64_t passed = mono_ns - c->start_mono_ns;
	return c->start_t_ns +
	       i64_mul_div((int64_t)passed, (int64_t)c->speed_e3, 1000);
}

uint64_t
sim_clock_wait_ns(const struct sim_clock *c, uint64_t mono_ns, int64_t t_ns)
{
	int64_t now = sim_clock_now(c, mono_ns);
	if (t_ns <= now)
		return 0;
	return (uint64_t)i64_mul_div(t_ns - now, 1000, (int64_t)c->speed_e3);
}
