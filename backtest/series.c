#include "backtest/series.h"

#include <string.h>

#include "libcore/check.h"

void
series_init(struct series *s, uint64_t step_ns)
{
	CHECK(step_ns > 0);
	s->step_ns = step_ns;
	s->n = 0;
}

/* One row an interval of the doubled length, the last of it. */
static void
thin(struct series *s)
{
	uint32_t n = 0;

	s->step_ns *= 2;
	for (uint32_t i = 0; i < s->n; i++) {
		if (n > 0 && s->row[n - 1].t_ns / s->step_ns ==
				 s->row[i].t_ns / s->step_ns)
			n--;
		s->row[n++] = s->row[i];
	}
	s->n = n;
}

void
series_add(struct series *s, uint64_t t_ns, const double v[SERIES_COLS])
{
	struct series_row *last = s->n > 0 ? &s->row[s->n - 1] : NULL;

	CHECK(s->step_ns > 0);
	CHECK(last == NULL || t_ns >= last->t_ns);
	if (last == NULL || last->t_ns / s->step_ns != t_ns / s->step_ns) {
		while (s->n == SERIES_ROWS)
			thin(s);
		last = &s->row[s->n++];
	}
	last->t_ns = t_ns;
	memcpy(last->v, v, sizeof(last->v));
}
