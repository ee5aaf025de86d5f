#include "libcore/latency.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/fixed.h"
#include "libcore/hash.h"

/* Longer than this is a mistake of whoever wrote it. */
#define LIMIT_NS (60 * NS_PER_S)

void
latency_init(struct latency *l, uint64_t seed)
{
	memset(l, 0, sizeof(*l));
	l->kind = LATENCY_CONSTANT;
	l->seed = seed;
}

/* "20ms", "1.5ms", "300us", "2s", "12345" (ns). */
static bool
duration(const char *s, size_t n, uint64_t *out)
{
	static const struct {
		const char *unit;
		int64_t ns;
	} units[] = {
	    {"ns", 1}, {"us", NS_PER_US}, {"ms", NS_PER_MS}, {"s", NS_PER_S}};
	size_t digits = 0;
	int64_t e9;
	int64_t ns = 1;

	while (digits < n &&
	       ((s[digits] >= '0' && s[digits] <= '9') || s[digits] == '.'))
		digits++;
	if (digits < n) {
		ns = 0;
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			if (strlen(units[i].unit) == n - digits &&
			    memcmp(units[i].unit, s + digits, n - digits) == 0)
				ns = units[i].ns;
	}
	if (ns == 0 || !fixed_parse(s, digits, 9, false, INT64_MAX / 2, &e9))
		return false;
	if (e9 / NS_PER_S > LIMIT_NS / ns)
		return false;
	*out = (uint64_t)i64_mul_div(e9, ns, NS_PER_S);
	return *out <= (uint64_t)LIMIT_NS;
}

bool
latency_parse(struct latency *l, const char *text)
{
	const char *tilde = strchr(text, '~');
	size_t n = tilde != NULL ? (size_t)(tilde - text) : strlen(text);

	if (strcmp(text, "recorded") == 0) {
		l->kind = LATENCY_RECORDED;
		return true;
	}
	l->kind = LATENCY_CONSTANT;
	if (!duration(text, n, &l->base_ns))
		return false;
	if (tilde == NULL)
		return true;
	l->kind = LATENCY_JITTER;
	return duration(tilde + 1, strlen(tilde + 1), &l->jitter_ns);
}

bool
latency_sample(struct latency *l, const char *text, size_t n)
{
	uint64_t ns;

	if (l->sample_n == LATENCY_SAMPLES || !duration(text, n, &ns))
		return false;
	l->kind = LATENCY_SAMPLE;
	l->sample_ns[l->sample_n++] = ns;
	return true;
}

void
latency_saw(struct latency *l, enum venue v, uint32_t rtt_us)
{
	CHECK(v >= 1);
	CHECK(v < VENUE_N);
	l->seen_us[v][l->seen_n[v]++ % LATENCY_SEEN] = rtt_us;
}

static uint64_t
recorded(const struct latency *l, enum venue v, uint64_t random)
{
	uint64_t n = l->seen_n[v];

	if (n == 0)
		return 0;
	if (n > LATENCY_SEEN)
		n = LATENCY_SEEN;
	return l->seen_us[v][random % n] * (uint64_t)NS_PER_US / 2;
}

uint64_t
latency_draw(struct latency *l, enum venue v)
{
	uint64_t random;
	double u;

	CHECK(v >= 1);
	CHECK(v < VENUE_N);
	if (l->kind == LATENCY_CONSTANT)
		return l->base_ns;
	random = hash_u64(l->seed, ++l->drawn);
	switch (l->kind) {
	case LATENCY_JITTER:
		u = (double)(random >> 11) * 0x1p-53;
		u = -log1p(-u) * (double)l->jitter_ns;
		return l->base_ns + (u < (double)LIMIT_NS ? (uint64_t)u
							  : (uint64_t)LIMIT_NS);
	case LATENCY_SAMPLE:
		CHECK(l->sample_n > 0);
		return l->sample_ns[random % l->sample_n];
	case LATENCY_RECORDED: return recorded(l, v, random);
	case LATENCY_CONSTANT:
	case LATENCY_KIND_N: break;
	}
	CHECK(l->kind == LATENCY_CONSTANT);
	return 0;
}
