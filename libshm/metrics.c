#define _GNU_SOURCE
#include "libshm/metrics.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>

#include "libcore/check.h"
#include "libcore/hash.h"

static const struct {
	const char *program;
	const char *label;
	const char *unit;
	enum metric_kind kind;
} defs[M_N] = {
#define METRIC(program, name, label, kind, unit, doc) \
	{#program, #label, unit, METRIC_##kind},
#include "libshm/metrics.def"
#undef METRIC
};

static const char *const link_labels[LF_N] = {
#define LINK_FIELD(name, label, unit, doc) #label,
#include "libshm/links.def"
#undef LINK_FIELD
};

static uint64_t
metrics_layout(void)
{
	uint64_t h = hash_u64(HASH_SEED, sizeof(struct metrics));

	for (int i = 0; i < M_N; i++) {
		h = hash_bytes(h, defs[i].label, strlen(defs[i].label));
		h = hash_u64(h, defs[i].kind);
	}
	for (int i = 0; i < LF_N; i++)
		h = hash_bytes(h, link_labels[i], strlen(link_labels[i]));
	return hash_u64(h, REASON_N);
}

static struct shm_spec
metrics_spec(char *name, size_t n, enum stage_id st, bool writable)
{
	CHECK((unsigned)st < ST_N);
	snprintf(name, n, "metrics.%s", topo_stages[st].name);
	return (struct shm_spec){.name = name,
	    .kind = SHM_METRICS,
	    .layout = metrics_layout(),
	    .size = sizeof(struct metrics),
	    .writable = writable};
}

/* Labels of the metrics that this program keeps; the others stay kind 0. */
static void
fill_labels(struct metrics *m, const char *program)
{
	uint32_t hists = 0;

	for (int i = 0; i < M_N; i++) {
		struct metric *x = &m->metric[i];

		if (strcmp(defs[i].program, "ANY") != 0 &&
		    strcasecmp(defs[i].program, program) != 0)
			continue;
		snprintf(x->label, sizeof(x->label), "%s", defs[i].label);
		snprintf(x->unit, sizeof(x->unit), "%s", defs[i].unit);
		x->kind = (uint8_t)defs[i].kind;
		if (defs[i].kind != METRIC_HIST)
			continue;
		CHECK(hists < METRICS_HISTS);
		x->hist = ++hists;
	}
}

int
metrics_create(int dirfd, enum stage_id st, uint64_t run_id, struct err *e)
{
	char name[40];
	struct shm_spec s = metrics_spec(name, sizeof(name), st, true);
	struct shm_map map;
	struct metrics *m;
	int rc;

	s.run_id = run_id;
	rc = shm_create(&map, dirfd, &s, e);
	if (rc < 0)
		return rc;
	m = map.base;
	m->stage = st;
	m->metric_n = M_N;
	fill_labels(m, topo_stages[st].program);
	for (int i = 0; i < LF_N && topo_stages[st].venue != 0 &&
			strcmp(topo_stages[st].program, "feedd") == 0;
	     i++)
		snprintf(
		    m->link_label[i], LINK_LABEL_MAX, "%s", link_labels[i]);
	rc = shm_finish(&map, dirfd, &s, e);
	if (rc == 0)
		shm_unmap(&map);
	return rc;
}

int
metrics_attach(struct metrics **out, int dirfd, enum stage_id st, bool writable,
    struct err *e)
{
	char name[40];
	struct shm_spec s = metrics_spec(name, sizeof(name), st, writable);
	struct shm_map map;
	int rc = shm_attach(&map, dirfd, &s, e);

	if (rc < 0)
		return rc;
	shm_close_fd(&map);
	*out = map.base;
	return 0;
}

void
metrics_detach(struct metrics *m)
{
	if (m != 0)
		munmap(m, sizeof(*m));
}

static inline uint64_t
get(const _Atomic uint64_t *v)
{
	return atomic_load_explicit(v, memory_order_relaxed);
}

static inline void
put(_Atomic uint64_t *v, uint64_t x)
{
	atomic_store_explicit(v, x, memory_order_relaxed);
}

void
metrics_reason(struct metrics *m, enum reason r, uint64_t n)
{
	_Atomic uint64_t *v;

	CHECK((unsigned)r < REASON_N);
	v = &m->reason[r];
	put(v, get(v) + n);
}

uint32_t
hist_bucket(uint64_t value)
{
	uint32_t e;
	uint32_t b;

	if (value < HIST_STEPS)
		return (uint32_t)value;
	e = 63u - (uint32_t)__builtin_clzll(value);
	b = (e - 2) * HIST_STEPS + (uint32_t)(value >> (e - 3) & 7);
	return b < HIST_BUCKETS ? b : HIST_BUCKETS - 1;
}

uint64_t
hist_upper(uint32_t bucket)
{
	uint32_t e;

	CHECK(bucket < HIST_BUCKETS);
	if (bucket < HIST_STEPS)
		return bucket;
	e = bucket / HIST_STEPS + 2;
	return ((uint64_t)(HIST_STEPS + bucket % HIST_STEPS + 1) << (e - 3)) -
	       1;
}

void
metrics_observe(struct metrics *m, enum metric_id id, uint64_t value)
{
	struct metric *x = &m->metric[id];
	_Atomic uint64_t *b;

	CHECK((unsigned)id < M_N);
	CHECK(x->hist > 0 && x->hist <= METRICS_HISTS);
	b = &m->hist[x->hist - 1][hist_bucket(value)];
	put(b, get(b) + 1);
	put(&x->sum, get(&x->sum) + value);
	if (value > get(&x->max))
		put(&x->max, value);
	put(&x->value, get(&x->value) + 1);
}

uint64_t
metrics_quantile(const struct metrics *m, enum metric_id id, uint32_t q)
{
	const struct metric *x = &m->metric[id];
	uint64_t copy[HIST_BUCKETS];
	uint64_t total = 0;
	uint64_t rank;
	uint64_t below = 0;

	CHECK((unsigned)id < M_N);
	CHECK(q <= 1000);
	/* The page may be damaged or not ours to judge: look, don't CHECK. */
	if (x->hist == 0 || x->hist > METRICS_HISTS)
		return 0;
	for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
		copy[i] = get(&m->hist[x->hist - 1][i]);
		total += copy[i];
	}
	if (total == 0)
		return 0;
	rank = (total * q + 999) / 1000;
	rank = rank == 0 ? 1 : rank;
	for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
		below += copy[i];
		if (below >= rank) {
			uint64_t max = get(&x->max);

			return hist_upper(i) < max ? hist_upper(i) : max;
		}
	}
	return get(&x->max);
}

int64_t
metrics_value(const struct metrics *m, enum metric_id id)
{
	CHECK((unsigned)id < M_N);
	return (int64_t)get(&m->metric[id].value);
}

const char *
link_band_name(uint8_t band)
{
	static const char *const t[BAND_N] = {
	    "-", "excellent", "good", "degraded", "critical"};

	return band < BAND_N ? t[band] : "?";
}

void
metrics_link_name(struct metrics *m, uint32_t i, const char *name)
{
	char text[LINK_NAME_SZ] = "";
	uint64_t word;

	CHECK(i < METRICS_LINKS);
	snprintf(text, sizeof(text), "%s", name);
	for (uint32_t k = 0; k < LINK_NAME_SZ / 8; k++) {
		memcpy(&word, text + k * 8, 8);
		put(&m->link[i].name[k], word);
	}
}

void
metrics_link_set(
    struct metrics *m, uint32_t i, enum link_field f, int64_t value)
{
	CHECK(i < METRICS_LINKS);
	CHECK((unsigned)f < LF_N);
	put(&m->link[i].field[f], (uint64_t)value);
}

int64_t
metrics_link(const struct metrics *m, uint32_t i, enum link_field f)
{
	CHECK(i < METRICS_LINKS);
	CHECK((unsigned)f < LF_N);
	return (int64_t)get(&m->link[i].field[f]);
}

void
metrics_link_host(const struct metrics *m, uint32_t i, char out[LINK_NAME_SZ])
{
	CHECK(i < METRICS_LINKS);
	for (uint32_t k = 0; k < LINK_NAME_SZ / 8; k++) {
		uint64_t word = get(&m->link[i].name[k]);

		memcpy(out + k * 8, &word, 8);
	}
	out[LINK_NAME_SZ - 1] = '\0';
	for (char *p = out; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

void
metrics_look(struct metrics *m, uint64_t now_ns)
{
	for (int i = 0; i < M_N; i++) {
		struct metric *k = &m->metric[i];
		uint64_t v = get(&k->value);

		if (k->kind != METRIC_COUNTER || v == get(&k->sum))
			continue;
		put(&k->sum, v);
		put(&k->max, now_ns);
	}
}

uint64_t
metrics_rise_ns(const struct metrics *m, enum metric_id id)
{
	CHECK((unsigned)id < M_N);
	return m->metric[id].kind == METRIC_COUNTER ? get(&m->metric[id].max)
						    : 0;
}
