#include "backtest/grid.h"

#include <stdio.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/fixed.h"
#include "libcore/hash.h"

#define STEPS 1000

static bool
refuse(char *why, size_t why_n, const char *text, const char *what)
{
	snprintf(why, why_n, "%s: %s", text, what);
	return false;
}

/* A number with a unit behind it. */
static bool
number(const char *s, size_t n, int64_t *e8, char unit[8])
{
	size_t k = 0;

	while (k < n &&
	       (s[k] == '-' || s[k] == '.' || (s[k] >= '0' && s[k] <= '9')))
		k++;
	if (n - k >= 8 ||
	    !fixed_parse(s, k, 8, true, INT64_C(1000000000000000000), e8))
		return false;
	memcpy(unit, s + k, n - k);
	unit[n - k] = '\0';
	return true;
}

static void
put_number(int64_t e8, const char *unit, char out[GRID_TEXT])
{
	char text[FIXED_TEXT_MAX];
	size_t n = fixed_format(e8, 8, text);

	memcpy(out, text, n);
	memcpy(out + n, unit, strlen(unit) + 1);
}

/* "lo..hi" or "lo..hi/n". */
static bool
range(struct grid_param *p, const char *v, const char *dots)
{
	const char *slash = strchr(dots, '/');
	const char *hi = dots + 2;
	size_t hi_n = slash != NULL ? (size_t)(slash - hi) : strlen(hi);
	char unit[8];
	int64_t n = 0;

	if (!number(v, (size_t)(dots - v), &p->lo_e8, unit) ||
	    !number(hi, hi_n, &p->hi_e8, p->unit) || p->hi_e8 <= p->lo_e8)
		return false;
	if (unit[0] != '\0' && strcmp(unit, p->unit) != 0)
		return false;
	if (slash == NULL)
		return true;
	if (!fixed_parse(
		slash + 1, strlen(slash + 1), 0, false, GRID_VALUES, &n) ||
	    n < 2)
		return false;
	p->n = (uint32_t)n;
	for (uint32_t i = 0; i < p->n; i++)
		put_number(p->lo_e8 + i64_mul_div(p->hi_e8 - p->lo_e8, i,
					  (int64_t)p->n - 1),
		    p->unit, p->value[i]);
	return true;
}

bool
grid_add(struct grid *g, const char *text, char *why, size_t why_n)
{
	const char *eq = strchr(text, '=');
	struct grid_param *p = &g->param[g->param_n];
	const char *dots;
	const char *v;

	if (g->param_n == GRID_PARAMS)
		return refuse(why, why_n, text, "too many parameters");
	memset(p, 0, sizeof(*p));
	if (eq == NULL || eq == text || (size_t)(eq - text) >= GRID_KEY)
		return refuse(why, why_n, text, "not KEY=VALUES");
	memcpy(p->key, text, (size_t)(eq - text));
	v = eq + 1;
	dots = strstr(v, "..");
	if (dots != NULL) {
		if (!range(p, v, dots))
			return refuse(
			    why, why_n, text, "a range is LO..HI or LO..HI/N");
		g->param_n++;
		return true;
	}
	while (*v != '\0') {
		size_t n = strcspn(v, ",");

		if (n == 0 || n >= GRID_TEXT || p->n == GRID_VALUES)
			return refuse(why, why_n, text,
			    "empty, long or too "
			    "many values");
		memcpy(p->value[p->n++], v, n);
		v += n + (v[n] == ',');
	}
	if (p->n == 0)
		return refuse(why, why_n, text, "no values");
	g->param_n++;
	return true;
}

bool
grid_done(
    struct grid *g, uint32_t random_n, uint64_t seed, char *why, size_t why_n)
{
	uint64_t n = 1;

	g->random = random_n > 0;
	g->seed = seed;
	g->trial_n = random_n;
	if (g->param_n == 0)
		return refuse(why, why_n, "sweep", "no --param given");
	for (uint32_t i = 0; i < g->param_n && !g->random; i++) {
		if (g->param[i].n == 0)
			return refuse(why, why_n, g->param[i].key,
			    "a grid needs values or LO..HI/N");
		n *= g->param[i].n;
		if (n > GRID_TRIALS)
			return refuse(why, why_n, g->param[i].key,
			    "more than a million combinations");
	}
	if (!g->random)
		g->trial_n = (uint32_t)n;
	return true;
}

void
grid_value(
    const struct grid *g, uint32_t trial, uint32_t p, char out[GRID_TEXT])
{
	const struct grid_param *x = &g->param[p];
	uint64_t draw;

	CHECK(p < g->param_n);
	CHECK(trial < g->trial_n);
	if (g->random) {
		draw = hash_u64(hash_u64(g->seed, trial), p);
		if (x->n > 0)
			memcpy(out, x->value[draw % x->n], GRID_TEXT);
		else
			put_number(x->lo_e8 + i64_mul_div(x->hi_e8 - x->lo_e8,
						  (int64_t)(draw % (STEPS + 1)),
						  STEPS),
			    x->unit, out);
		return;
	}
	for (uint32_t i = g->param_n - 1; i > p; i--)
		trial /= g->param[i].n;
	memcpy(out, x->value[trial % x->n], GRID_TEXT);
}

void
grid_set(const struct grid *g, uint32_t trial, uint32_t p, char out[GRID_SET])
{
	char value[GRID_TEXT];

	grid_value(g, trial, p, value);
	snprintf(out, GRID_SET, "%s=%s", g->param[p].key, value);
}

void
grid_window(int64_t from_ns, int64_t to_ns, uint32_t folds, uint32_t f,
    bool test, int64_t *a_ns, int64_t *b_ns)
{
	int64_t width = to_ns - from_ns;
	int64_t pieces = (int64_t)folds + 1;

	CHECK(f < folds);
	CHECK(width > 0);
	f += test;
	*a_ns = from_ns + i64_mul_div(width, f, pieces);
	*b_ns = from_ns + i64_mul_div(width, (int64_t)f + 1, pieces);
}
