/* links: libshm libcore */
/*
 * bench_ring - the ring against the machine and against packaged queues.
 *
 * Two pinned processes. The distance between two virtual cores changes while
 * one measures, so each sample is taken between two calibrations with the
 * same pair: pp, the round trip of a bare two-line ping-pong, and stream, the
 * time a cache line takes in a bulk hand-over of 4 KiB blocks. Samples whose
 * calibrations disagree are dropped; figures are medians of at least five
 * clean samples of one regime (near: pp 80-170 ns, far: over 250).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "libshm/ring.h"
#include "libshm/slots.h"
#include "tests/bench/bench.h"
#include "tests/bench/bench_pair.h"
#include "tests/bench/bench_ring.h"

#define BLOCK	    4096u
#define BLOCKS	    16u
#define LINES	    (BLOCK / 64)
#define SAMPLES_MAX 64u
#define CLEAN_MIN   5u
#define AGREE	    1.25
#define PP_BUSY_NS  1000
#define PATIENCE_NS UINT64_C(40000000000)

enum regime {
	REGIME_SMT = 1,
	REGIME_NEAR = 2,
	REGIME_BETWEEN = 3,
	REGIME_FAR = 4,
	REGIME_N
};

/* Shared by both sides. */
struct lab {
	struct line ready[BLOCKS];
	struct line taken;
	_Alignas(4096) unsigned char blocks[BLOCKS * BLOCK];
	struct bell bell;
	_Alignas(4096) unsigned char queue[512 * 1024];
	const struct bench_queue *ref;
	int big;
	uint64_t n;
	_Atomic uint64_t sum;
};

static struct lab *lab;
static unsigned char *source;
static char dir_path[64];
static int dirfd;

static const struct ring_def defs[4] = {
    {"to.64", ST_FEEDD_PM, ST_QUOTED, RING_FULL_DROP, RING_TOP, 64,
	QUEUE_DEPTH},
    {"to.128", ST_QUOTED, ST_RISKD, RING_FULL_NEWEST, RING_TOP, 128,
	QUEUE_DEPTH},
    {"back.64", ST_FEEDD_PM, ST_QUOTED, RING_FULL_DROP, RING_TOP, 64,
	QUEUE_DEPTH},
    {"back.128", ST_QUOTED, ST_RISKD, RING_FULL_NEWEST, RING_TOP, 128,
	QUEUE_DEPTH},
};

/* This side's ends of the rings: there, and back. */
static struct ring to[2];
static struct ring back[2];

static void
attach(struct ring *r, const struct ring_def *def, enum ring_role role)
{
	struct err e;

	if (ring_attach(r, dirfd, def, role, &e) < 0)
		die(e.text);
}

static void
peer_begin(void)
{
	bell_register();
	for (int i = 0; i < 2; i++) {
		attach(&to[i], &defs[i], RING_CONSUMER);
		attach(&back[i], &defs[2 + i], RING_PRODUCER);
	}
}

static void
start(void)
{
	pthread_t t;

	pair_start(peer_begin);
	bell_register();
	for (int i = 0; i < 2; i++) {
		attach(&to[i], &defs[i], RING_PRODUCER);
		attach(&back[i], &defs[2 + i], RING_CONSUMER);
	}
	if (pthread_create(&t, 0, peer_thread, 0) != 0)
		die("thread");
}

/* ------------------------------------------------------- calibrations */

static void
pp_peer(void)
{
	meet(false);
	for (uint64_t i = 1; i <= lab->n; i++) {
		while (atomic_load_explicit(
			   &pair->ping.v, memory_order_acquire) != i)
			;
		atomic_store_explicit(&pair->pong.v, i, memory_order_release);
	}
}

static double
pp(unsigned peer)
{
	uint64_t t;

	lab->n = bench_quick() ? 1000 : 20000;
	peer_order(peer, pp_peer);
	meet(true);
	t = bench_now_ns();
	for (uint64_t i = 1; i <= lab->n; i++) {
		atomic_store_explicit(&pair->ping.v, i, memory_order_release);
		while (atomic_load_explicit(
			   &pair->pong.v, memory_order_acquire) != i)
			;
	}
	t = bench_now_ns() - t;
	peer_wait(peer);
	return (double)t / (double)lab->n;
}

static void
stream_peer(void)
{
	uint64_t sum = 0;

	meet(false);
	for (uint64_t b = 0; b < lab->n; b++) {
		const uint64_t *w =
		    (const uint64_t *)(void *)(lab->blocks +
					       b % BLOCKS * BLOCK);

		while (atomic_load_explicit(&lab->ready[b % BLOCKS].v,
			   memory_order_acquire) != b + 1)
			cpu_pause();
		for (unsigned k = 0; k < LINES; k++)
			sum += w[k * 8];
		atomic_store_explicit(
		    &lab->taken.v, b + 1, memory_order_release);
	}
	atomic_store(&lab->sum, sum);
}

static double
stream(unsigned peer)
{
	uint64_t t;

	lab->n = bench_quick() ? 200 : 8000;
	for (unsigned i = 0; i < BLOCKS; i++)
		atomic_store(&lab->ready[i].v, 0);
	atomic_store(&lab->taken.v, 0);
	peer_order(peer, stream_peer);
	meet(true);
	t = bench_now_ns();
	for (uint64_t b = 0; b < lab->n; b++) {
		while (b - atomic_load_explicit(
			       &lab->taken.v, memory_order_acquire) >=
		       BLOCKS)
			cpu_pause();
		memcpy(lab->blocks + b % BLOCKS * BLOCK, source, BLOCK);
		atomic_store_explicit(
		    &lab->ready[b % BLOCKS].v, b + 1, memory_order_release);
	}
	peer_wait(peer);
	t = bench_now_ns() - t;
	return (double)t / (double)(lab->n * LINES);
}

/* ----------------------------------------------------------- our ring */

static inline void
ring_produce(struct ring *r, uint64_t n, size_t sz)
{
	for (uint64_t i = 0; i < n; i++) {
		const unsigned char *m = source_at(source, i, sz);
		unsigned char *s = ring_claim(r);

		while (s == 0)
			s = ring_claim(r);
		memcpy(s + 8, m + 8, sz - 8);
		ring_publish(r);
	}
}

static inline uint64_t
ring_consume(struct ring *r, uint64_t n, size_t sz)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < n; i++) {
		const uint64_t *s = ring_peek(r);

		while (s == 0) {
			cpu_pause();
			s = ring_peek(r);
		}
		sum += s[0] + s[sz / 8 - 1];
		ring_release(r);
	}
	ring_commit(r);
	return sum;
}

static void
ring_peer(void)
{
	meet(false);
	atomic_store(&lab->sum, lab->big ? ring_consume(&to[1], lab->n, 128)
					 : ring_consume(&to[0], lab->n, 64));
}

static double
ring_rate(unsigned peer)
{
	uint64_t t;

	peer_order(peer, ring_peer);
	meet(true);
	t = bench_now_ns();
	if (lab->big)
		ring_produce(&to[1], lab->n, 128);
	else
		ring_produce(&to[0], lab->n, 64);
	peer_wait(peer);
	return (double)(bench_now_ns() - t) / (double)lab->n;
}

static double
ring_rate_bell(unsigned peer)
{
	double v;

	to[lab->big].bell.bell = &lab->bell;
	v = ring_rate(peer);
	to[lab->big].bell.bell = 0;
	return v;
}

static void
pass_on(struct ring *from, struct ring *on, uint64_t n, bool first)
{
	for (uint64_t i = 0; i < n; i++) {
		uint64_t *s;
		const uint64_t *got;

		if (first) {
			s = ring_claim(on);
			s[1] = i;
			ring_publish(on);
		}
		while ((got = ring_peek(from)) == 0)
			cpu_pause();
		if (!first) {
			s = ring_claim(on);
			s[1] = got[1];
			ring_publish(on);
		} else if (got[1] != i) {
			die("wrong message came back");
		}
		ring_release(from);
	}
	ring_commit(from);
}

static void
rtt_peer(void)
{
	meet(false);
	pass_on(&to[lab->big], &back[lab->big], lab->n, false);
}

static double
ring_rtt(unsigned peer)
{
	uint64_t t;

	peer_order(peer, rtt_peer);
	meet(true);
	t = bench_now_ns();
	pass_on(&back[lab->big], &to[lab->big], lab->n, true);
	t = bench_now_ns() - t;
	peer_wait(peer);
	return (double)t / (double)lab->n;
}

/* ---------------------------------------------------------- references */

static void
ref_peer(void)
{
	meet(false);
	atomic_store(
	    &lab->sum, lab->ref->consume(lab->queue, lab->big, lab->n));
}

static double
ref_rate(unsigned peer)
{
	uint64_t t;

	lab->ref->init(lab->queue, lab->big);
	peer_order(peer, ref_peer);
	meet(true);
	t = bench_now_ns();
	lab->ref->produce(lab->queue, lab->big, lab->n, source);
	peer_wait(peer);
	t = bench_now_ns() - t;
	lab->ref->fini(lab->queue, lab->big);
	return (double)t / (double)lab->n;
}

/* ------------------------------------------------------------- samples */

struct sample {
	double ns;
	double pp;
	double stream;
	enum regime regime;
};

struct series {
	const char *name;
	double (*run)(unsigned peer);
	const struct bench_queue *ref;
	uint64_t n; /* messages a sample                                 */
	struct sample sample[SAMPLES_MAX];
	unsigned clean[REGIME_N];
	unsigned sample_n;
};

static enum regime
regime_of(double v)
{
	return v < 80	  ? REGIME_SMT
	       : v <= 170 ? REGIME_NEAR
	       : v <= 250 ? REGIME_BETWEEN
			  : REGIME_FAR;
}

static bool
agree(double a, double b)
{
	return a < b * AGREE && b < a * AGREE;
}

static void
take(struct series *s)
{
	unsigned peer = s->ref != 0 && s->ref->threads;
	double pp1 = pp(peer);
	double st1 = stream(peer);
	double pp2;
	double st2;
	struct sample x;

	/* Somebody else has one of the cores. */
	if (pp1 > PP_BUSY_NS && !bench_quick())
		return;
	lab->ref = s->ref;
	lab->n = s->n;
	x.ns = s->run(peer);
	st2 = stream(peer);
	pp2 = pp(peer);
	x.pp = (pp1 + pp2) / 2;
	x.stream = (st1 + st2) / 2;
	/* A quick run has too few samples to tell regimes apart. */
	x.regime = bench_quick() ? REGIME_BETWEEN : regime_of(x.pp);
	if (!bench_quick() && (!agree(pp1, pp2) || !agree(st1, st2)))
		return;
	if (s->sample_n == SAMPLES_MAX)
		return;
	s->sample[s->sample_n++] = x;
	s->clean[x.regime]++;
}

enum figure {
	FIG_NS = 1,
	FIG_PP = 2,
	FIG_STREAM = 3
};

static double
median_of(const struct series *s, enum regime g, enum figure f)
{
	double v[SAMPLES_MAX];
	size_t n = 0;

	for (unsigned i = 0; i < s->sample_n; i++) {
		const struct sample *x = &s->sample[i];

		if (x->regime == g)
			v[n++] = f == FIG_NS   ? x->ns
				 : f == FIG_PP ? x->pp
					       : x->stream;
	}
	return n > 0 ? bench_median(v, n) : 0;
}

/* The regime that all series have enough clean samples of. */
static enum regime
common(const struct series *s, unsigned n)
{
	unsigned want = bench_quick() ? 1 : CLEAN_MIN;

	for (int g = REGIME_FAR; g > 0; g--) {
		unsigned ok = 0;

		for (unsigned i = 0; i < n; i++)
			ok += s[i].clean[g] >= want;
		if (ok == n)
			return (enum regime)g;
	}
	return (enum regime)0;
}

static enum regime
collect(struct series *s, unsigned n)
{
	unsigned rounds = bench_quick() ? 3 : SAMPLES_MAX;
	uint64_t until = bench_now_ns() + PATIENCE_NS;
	enum regime g = (enum regime)0;

	for (unsigned k = 0; k < rounds && g == 0; k++) {
		if (bench_now_ns() > until)
			break;
		for (unsigned i = 0; i < n; i++)
			take(&s[i]);
		g = common(s, n);
	}
	return g;
}

static const char *
regime_name(enum regime g)
{
	static const char *const t[REGIME_N] = {
	    "none", "smt", "near", "between", "far"};

	return t[g];
}

static unsigned
add_ref(struct series *s, unsigned n, const struct bench_queue *ref,
    const char *name, uint64_t msgs)
{
	if (ref == 0) {
		printf("# %s: skipped, its Debian package or g++ is missing\n",
		    name);
		return n;
	}
	s[n] = (struct series){
	    .name = ref->name, .run = ref_rate, .ref = ref, .n = msgs};
	return n + 1;
}

static void
bench_size(int big)
{
	static struct series s[6];
	const char *sz = big ? "128" : "64";
	uint64_t n = bench_quick() ? 20000 : 1000000;
	unsigned k = 3;
	enum regime g;
	char name[64];
	double ours;
	double lines = big ? 2 : 1;

	lab->big = big;
	memset(s, 0, sizeof(s));
	s[0] = (struct series){.name = "ring", .run = ring_rate, .n = n};
	s[1] = (struct series){.name = "bell", .run = ring_rate_bell, .n = n};
	s[2] = (struct series){.name = "rtt", .run = ring_rtt, .n = n / 20};
	k = add_ref(s, k, &ref_boost, "boost_spsc", n);
	k = add_ref(s, k, &ref_ck, "ck_ring", n);
	k = add_ref(s, k, &ref_moodycamel, "moodycamel", n);
	g = collect(s, k);
	if (g == 0) {
		printf("# ring %s: no regime with %u clean samples of all; "
		       "the machine is too busy\n",
		    sz, CLEAN_MIN);
		return;
	}
	printf("# ring %s B, %s: pp %.0f ns, stream %.2f ns a line, "
	       "%u samples; moodycamel between threads\n",
	    sz, regime_name(g), median_of(&s[0], g, FIG_PP),
	    median_of(&s[0], g, FIG_STREAM), s[0].clean[g]);
	ours = median_of(&s[0], g, FIG_NS);
	snprintf(name, sizeof(name), "ring_%s_message", sz);
	bench_line(name, ours, "ns", "stream",
	    lines * median_of(&s[0], g, FIG_STREAM));
	for (unsigned i = 3; i < k; i++) {
		snprintf(name, sizeof(name), "ring_%s_rate", sz);
		bench_line(name, 1000 / ours, "M/s", s[i].name,
		    1000 / median_of(&s[i], g, FIG_NS));
	}
	snprintf(name, sizeof(name), "ring_%s_rate_bell", sz);
	bench_line(name, 1000 / median_of(&s[1], g, FIG_NS), "M/s", "no_bell",
	    1000 / ours);
	snprintf(name, sizeof(name), "ring_%s_round_trip", sz);
	bench_line(name, median_of(&s[2], g, FIG_NS), "ns", "pp",
	    median_of(&s[2], g, FIG_PP));
}

static void
cleanup(void)
{
	char cmd[96];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir_path);
	if (dir_path[0] != '\0' && system(cmd) != 0)
		fprintf(stderr, "# %s is left behind\n", dir_path);
}

int
main(void)
{
	struct err e;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		printf("# bench_ring: skipped, needs two cores\n");
		return 0;
	}
	snprintf(dir_path, sizeof(dir_path), "/dev/shm/rmbench.XXXXXX");
	if (mkdtemp(dir_path) == 0)
		die("cannot make a directory in /dev/shm");
	atexit(cleanup);
	dirfd = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	lab = bench_mem(sizeof(*lab));
	source = aligned_alloc(128, SOURCE_N * 128);
	if (source == 0)
		die("memory");
	source_fill(source, 128);
	for (int i = 0; i < 4; i++)
		if (ring_create(dirfd, &defs[i], 1, &e) < 0)
			die(e.text);
	start();
	bench_size(0);
	bench_size(1);
	return 0;
}
