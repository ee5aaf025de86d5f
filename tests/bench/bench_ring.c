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
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libshm/ring.h"
#include "libshm/slots.h"
#include "tests/bench/bench.h"
#include "tests/bench/bench_ring.h"

#define BLOCK	    4096u
#define BLOCKS	    16u
#define LINES	    (BLOCK / 64)
#define SAMPLES_MAX 64u
#define CLEAN_MIN   5u
#define AGREE	    1.25

enum regime {
	REGIME_SMT = 1,
	REGIME_NEAR = 2,
	REGIME_BETWEEN = 3,
	REGIME_FAR = 4,
	REGIME_N
};

struct line {
	_Alignas(128) _Atomic uint64_t v;
};

/* Shared by both sides. */
struct lab {
	_Atomic uint32_t cmd[2]; /* peer: process, thread                 */
	_Atomic uint32_t done[2];
	void (*volatile fn)(void);
	struct line ping;
	struct line pong;
	struct line ready[BLOCKS];
	struct line taken;
	_Alignas(4096) unsigned char blocks[BLOCKS * BLOCK];
	struct bell bell;
	_Alignas(4096) unsigned char queue[512 * 1024];
	const struct bench_queue *ref;
	int big;
	uint64_t n;
	_Atomic uint64_t sum;
	_Atomic uint64_t stamp;
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

_Noreturn static void
die(const char *what)
{
	fprintf(stderr, "bench_ring: %s\n", what);
	exit(1);
}

static void
pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		fprintf(stderr, "# not pinned to cpu %d\n", cpu);
}

static void
attach(struct ring *r, const struct ring_def *def, enum ring_role role)
{
	struct err e;

	if (ring_attach(r, dirfd, def, role, &e) < 0)
		die(e.text);
}

/* ------------------------------------------------- peer and its orders */

static void
peer_loop(unsigned k)
{
	uint32_t seen = 0;

	for (;;) {
		while (atomic_load(&lab->cmd[k]) == seen)
			syscall(
			    SYS_futex, &lab->cmd[k], FUTEX_WAIT, seen, 0, 0, 0);
		seen++;
		lab->fn();
		atomic_store(&lab->done[k], seen);
	}
}

static void *
peer_thread(void *arg)
{
	(void)arg;
	pin(1);
	peer_loop(1);
	return 0;
}

static void
peer_start(void)
{
	pthread_t t;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pin(1);
		bell_register();
		for (int i = 0; i < 2; i++) {
			attach(&to[i], &defs[i], RING_CONSUMER);
			attach(&back[i], &defs[2 + i], RING_PRODUCER);
		}
		peer_loop(0);
	}
	pin(0);
	bell_register();
	for (int i = 0; i < 2; i++) {
		attach(&to[i], &defs[i], RING_PRODUCER);
		attach(&back[i], &defs[2 + i], RING_CONSUMER);
	}
	if (pthread_create(&t, 0, peer_thread, 0) != 0)
		die("thread");
}

/* Run theirs on the peer and ours here; the peer is up before we begin. */
static void
peer_order(unsigned k, void (*theirs)(void))
{
	lab->fn = theirs;
	atomic_fetch_add(&lab->cmd[k], 1);
	syscall(SYS_futex, &lab->cmd[k], FUTEX_WAKE, 1, 0, 0, 0);
}

static void
peer_wait(unsigned k)
{
	while (atomic_load(&lab->done[k]) != atomic_load(&lab->cmd[k]))
		cpu_pause();
}

/* Both sides meet, so that no time is spent on waking the peer. */
static void
meet(bool first)
{
	if (first) {
		atomic_store(&lab->ping.v, UINT64_MAX);
		while (atomic_load(&lab->pong.v) != UINT64_MAX)
			;
		atomic_store(&lab->ping.v, 0);
		while (atomic_load(&lab->pong.v) != 0)
			;
		return;
	}
	while (atomic_load(&lab->ping.v) != UINT64_MAX)
		;
	atomic_store(&lab->pong.v, UINT64_MAX);
	while (atomic_load(&lab->ping.v) != 0)
		;
	atomic_store(&lab->pong.v, 0);
}

/* ------------------------------------------------------- calibrations */

static void
pp_peer(void)
{
	meet(false);
	for (uint64_t i = 1; i <= lab->n; i++) {
		while (atomic_load_explicit(
			   &lab->ping.v, memory_order_acquire) != i)
			;
		atomic_store_explicit(&lab->pong.v, i, memory_order_release);
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
		atomic_store_explicit(&lab->ping.v, i, memory_order_release);
		while (atomic_load_explicit(
			   &lab->pong.v, memory_order_acquire) != i)
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
	return (double)(bench_now_ns() - t) / (double)lab->n;
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

	lab->ref = s->ref;
	lab->n = s->n;
	x.ns = s->run(peer);
	st2 = stream(peer);
	pp2 = pp(peer);
	x.pp = (pp1 + pp2) / 2;
	x.stream = (st1 + st2) / 2;
	x.regime = regime_of(x.pp);
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
	enum regime g = (enum regime)0;

	for (unsigned k = 0; k < rounds && g == 0; k++) {
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

/* ---------------------------------------------------------------- wake */

/* Sleeps in turn as a ring's consumer does and on a bare futex. */
static void
wake_peer(void)
{
	_Atomic uint32_t *w = (_Atomic uint32_t *)&lab->taken.v;

	meet(false);
	for (uint32_t i = 0; i < lab->n; i++) {
		while (ring_peek(&to[1]) == 0) {
			bell_prepare(&lab->bell, BELL_FUTEX);
			if (ring_peek(&to[1]) == 0)
				bell_wait(&lab->bell, BELL_SLEEP_NS_MAX);
			else
				bell_cancel(&lab->bell);
		}
		atomic_store(&lab->stamp, bench_now_ns());
		ring_release(&to[1]);
		while (atomic_load(w) == i)
			syscall(SYS_futex, w, FUTEX_WAIT, i, 0, 0, 0);
		atomic_store(&lab->stamp, bench_now_ns());
	}
	ring_commit(&to[1]);
}

static void
gap(void)
{
	struct timespec ts = {0, 200000};

	nanosleep(&ts, 0);
}

static uint64_t
stamp_after(uint64_t t)
{
	uint64_t s;

	while ((s = atomic_load(&lab->stamp)) == 0)
		cpu_pause();
	return s - t;
}

static void
bench_wake(void)
{
	size_t n = bench_quick() ? 50 : 1500;
	uint64_t *a = calloc(2 * n, sizeof(*a));
	uint64_t *b = a + n;
	_Atomic uint32_t *w = (_Atomic uint32_t *)&lab->taken.v;
	uint64_t slot[16] = {0};

	if (a == 0)
		die("memory");
	to[1].bell.bell = &lab->bell;
	lab->n = n;
	atomic_store(w, 0);
	peer_order(0, wake_peer);
	meet(true);
	for (size_t i = 0; i < n; i++) {
		gap();
		atomic_store(&lab->stamp, 0);
		a[i] = bench_now_ns();
		ring_push(&to[1], slot);
		a[i] = stamp_after(a[i]);
		gap();
		atomic_store(&lab->stamp, 0);
		b[i] = bench_now_ns();
		atomic_fetch_add(w, 1);
		syscall(SYS_futex, w, FUTEX_WAKE, 1, 0, 0, 0);
		b[i] = stamp_after(b[i]);
	}
	peer_wait(0);
	to[1].bell.bell = 0;
	bench_line("ring_wake_p50", bench_quantile(a, n, 500) / 1000, "us",
	    "futex", bench_quantile(b, n, 500) / 1000);
	bench_line("ring_wake_p99", bench_quantile(a, n, 990) / 1000, "us",
	    "futex", bench_quantile(b, n, 990) / 1000);
	free(a);
}

/* ------------------------------------------------- attach and recovery */

static void
bench_attach(uint32_t depth, double bar_ms)
{
	struct ring_def def = {"attach", ST_QUOTED, ST_RISKD, RING_FULL_NEWEST,
	    RING_MSG, 128, depth};
	uint64_t ns[21];
	unsigned n = bench_quick() ? 3 : 21;
	uint64_t slot[16] = {0};
	struct err e;
	struct ring r;
	char name[64];

	unlinkat(dirfd, "ring.attach", 0);
	if (ring_create(dirfd, &def, 1, &e) < 0)
		die(e.text);
	attach(&r, &def, RING_PRODUCER);
	while (ring_push(&r, slot))
		;
	ring_detach(&r);
	for (unsigned i = 0; i < n; i++) {
		ns[i] = bench_now_ns();
		attach(&r, &def, RING_PRODUCER);
		ns[i] = bench_now_ns() - ns[i];
		ring_detach(&r);
	}
	snprintf(name, sizeof(name), "ring_attach_recover_%u", depth);
	bench_line(name, bench_quantile(ns, n, 500) / 1e6, "ms", "bar", bar_ms);
}

static void
bench_push(void)
{
	uint64_t n = bench_quick() ? 20000 : 2000000;
	uint64_t slot[16] = {0};
	struct ring p;
	struct ring c;
	struct ring_def def = {"push", ST_QUOTED, ST_RISKD, RING_FULL_NEWEST,
	    RING_MSG, 128, QUEUE_DEPTH};
	struct err e;
	uint64_t t;

	if (ring_create(dirfd, &def, 1, &e) < 0)
		die(e.text);
	attach(&p, &def, RING_PRODUCER);
	attach(&c, &def, RING_CONSUMER);
	t = bench_now_ns();
	for (uint64_t i = 0; i < n; i++) {
		slot[3] = i;
		if (!ring_push(&p, slot) || ring_peek(&c) == 0)
			die("push");
		ring_release(&c);
	}
	t = bench_now_ns() - t;
	bench_line("ring_push_and_pop_128_one_core", (double)t / (double)n,
	    "ns", "bar", 60);
	ring_detach(&p);
	ring_detach(&c);
}

/* --------------------------------------------------------- system calls */

/* Take everything, then stay away from the kernel until told. */
static void
steady_peer(void)
{
	ring_peer();
	atomic_store(&lab->stamp, 1);
	while (atomic_load(&lab->stamp) != 2)
		cpu_pause();
}

/* Runs under strace: both sides awake between two calls that are easy to
 * find in its output. */
static int
steady(void)
{
	lab->big = 1;
	lab->n = STEADY_N;
	to[1].bell.bell = &lab->bell;
	peer_order(0, steady_peer);
	meet(true);
	access("/steady/begin", F_OK);
	ring_produce(&to[1], lab->n, 128);
	while (atomic_load(&lab->stamp) != 1)
		cpu_pause();
	access("/steady/end", F_OK);
	atomic_store(&lab->stamp, 2);
	peer_wait(0);
	return 0;
}

/* Lines between the two marks; -1 when they are missing. */
static long
count_calls(const char *path)
{
	char line[512];
	long n = -1;
	bool over = false;
	FILE *f = fopen(path, "r");

	if (f == 0)
		return -1;
	while (!over && fgets(line, sizeof(line), f) != 0) {
		over = strstr(line, "/steady/end") != 0;
		if (strstr(line, "/steady/begin") != 0)
			n = 0;
		else if (n >= 0 && !over && strstr(line, "resumed") == 0)
			n++;
	}
	fclose(f);
	return over ? n : -1;
}

static void
bench_syscalls(const char *self)
{
	char cmd[512];
	long n;

	if (system("command -v strace >/dev/null 2>&1") != 0) {
		printf("# ring_syscalls: skipped, strace is not installed\n");
		return;
	}
	snprintf(cmd, sizeof(cmd),
	    "strace -f -o %s/strace '%s' --steady >/dev/null 2>&1", dir_path,
	    self);
	if (system(cmd) != 0) {
		printf("# ring_syscalls: skipped, strace may not trace\n");
		return;
	}
	snprintf(cmd, sizeof(cmd), "%s/strace", dir_path);
	n = count_calls(cmd);
	if (n < 0)
		die("strace's output lacks the marks");
	bench_line("ring_syscalls_300000_messages", (double)n, "calls", 0, 0);
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
main(int argc, char **argv)
{
	struct err e;
	bool is_steady = argc > 1 && strcmp(argv[1], "--steady") == 0;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		printf("# bench_ring: skipped, needs two cores\n");
		return 0;
	}
	snprintf(dir_path, sizeof(dir_path), "/dev/shm/rmbench.XXXXXX");
	if (mkdtemp(dir_path) == 0)
		die("cannot make a directory in /dev/shm");
	atexit(cleanup);
	dirfd = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	lab = mmap(0, sizeof(*lab), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	source = aligned_alloc(128, SOURCE_N * 128);
	if (lab == MAP_FAILED || source == 0)
		die("memory");
	source_fill(source, 128);
	for (int i = 0; i < 4; i++)
		if (ring_create(dirfd, &defs[i], 1, &e) < 0)
			die(e.text);
	peer_start();
	if (is_steady)
		return steady();
	bench_push();
	bench_size(0);
	bench_size(1);
	bench_wake();
	bench_syscalls(argv[0]);
	bench_attach(1024, 1);
	bench_attach(65536, 10);
	return 0;
}
