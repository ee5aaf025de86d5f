/* links: libshm libcore */
/*
 * bench_wake - what a ring costs beside carrying messages: waking a sleeper
 * (in turn with a bare futex), system calls while both sides are awake
 * (none), attaching and recovering, one push.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "libshm/ring.h"
#include "tests/bench/bench.h"
#include "tests/bench/bench_pair.h"

#define STEADY_N 300000u

struct lab {
	struct bell bell;
	struct line word;
	struct line stamp;
	uint64_t n;
};

static struct lab *lab;
static struct ring to;
static char dir_path[64];
static int dirfd;

static const struct ring_def def = {
    "wake", ST_QUOTED, ST_RISKD, RING_FULL_NEWEST, RING_MSG, 128, 1024};

static void
attach(struct ring *r, const struct ring_def *d, enum ring_role role)
{
	struct err e;

	if (ring_attach(r, dirfd, d, role, &e) < 0)
		die(e.text);
}

static void
peer_begin(void)
{
	bell_register();
	attach(&to, &def, RING_CONSUMER);
}

/* Sleeps in turn as a ring's consumer does and on a bare futex. */
static void
wake_peer(void)
{
	_Atomic uint32_t *w = (_Atomic uint32_t *)&lab->word.v;

	meet(false);
	for (uint32_t i = 0; i < lab->n; i++) {
		while (ring_peek(&to) == 0) {
			bell_prepare(&lab->bell, BELL_FUTEX);
			if (ring_peek(&to) == 0)
				bell_wait(&lab->bell, BELL_SLEEP_NS_MAX);
			else
				bell_cancel(&lab->bell);
		}
		atomic_store(&lab->stamp.v, bench_now_ns());
		ring_release(&to);
		while (atomic_load(w) == i)
			syscall(SYS_futex, w, FUTEX_WAIT, i, 0, 0, 0);
		atomic_store(&lab->stamp.v, bench_now_ns());
	}
	ring_commit(&to);
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

	while ((s = atomic_load(&lab->stamp.v)) == 0)
		cpu_pause();
	return s - t;
}

static void
bench_wake(void)
{
	size_t n = bench_quick() ? 50 : 1500;
	uint64_t *a = calloc(2 * n, sizeof(*a));
	uint64_t *b = a + n;
	_Atomic uint32_t *w = (_Atomic uint32_t *)&lab->word.v;
	uint64_t slot[16] = {0};

	if (a == 0)
		die("memory");
	to.bell.bell = &lab->bell;
	lab->n = n;
	atomic_store(w, 0);
	peer_order(0, wake_peer);
	meet(true);
	for (size_t i = 0; i < n; i++) {
		gap();
		atomic_store(&lab->stamp.v, 0);
		a[i] = bench_now_ns();
		ring_push(&to, slot);
		a[i] = stamp_after(a[i]);
		gap();
		atomic_store(&lab->stamp.v, 0);
		b[i] = bench_now_ns();
		atomic_fetch_add(w, 1);
		syscall(SYS_futex, w, FUTEX_WAKE, 1, 0, 0, 0);
		b[i] = stamp_after(b[i]);
	}
	peer_wait(0);
	to.bell.bell = 0;
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
	struct ring_def d = {"attach", ST_QUOTED, ST_RISKD, RING_FULL_NEWEST,
	    RING_MSG, 128, depth};
	uint64_t ns[21];
	unsigned n = bench_quick() ? 3 : 21;
	uint64_t slot[16] = {0};
	struct err e;
	struct ring r;
	char name[64];

	unlinkat(dirfd, "ring.attach", 0);
	if (ring_create(dirfd, &d, 1, &e) < 0)
		die(e.text);
	attach(&r, &d, RING_PRODUCER);
	while (ring_push(&r, slot))
		;
	ring_detach(&r);
	for (unsigned i = 0; i < n; i++) {
		ns[i] = bench_now_ns();
		attach(&r, &d, RING_PRODUCER);
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
	struct ring_def d = {
	    "push", ST_QUOTED, ST_RISKD, RING_FULL_NEWEST, RING_MSG, 128, 1024};
	struct err e;
	uint64_t t;

	if (ring_create(dirfd, &d, 1, &e) < 0)
		die(e.text);
	attach(&p, &d, RING_PRODUCER);
	attach(&c, &d, RING_CONSUMER);
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
	meet(false);
	for (uint64_t i = 0; i < STEADY_N; i++) {
		while (ring_peek(&to) == 0)
			cpu_pause();
		ring_release(&to);
	}
	ring_commit(&to);
	atomic_store(&lab->stamp.v, 1);
	while (atomic_load(&lab->stamp.v) != 2)
		cpu_pause();
}

/* Runs under strace: both sides awake between two calls that are easy to
 * find in its output. */
static int
steady(void)
{
	uint64_t slot[16] = {0};

	to.bell.bell = &lab->bell;
	peer_order(0, steady_peer);
	meet(true);
	access("/steady/begin", F_OK);
	for (uint64_t i = 0; i < STEADY_N; i++)
		while (!ring_push(&to, slot))
			;
	while (atomic_load(&lab->stamp.v) != 1)
		cpu_pause();
	access("/steady/end", F_OK);
	atomic_store(&lab->stamp.v, 2);
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

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		printf("# bench_wake: skipped, needs two cores\n");
		return 0;
	}
	snprintf(dir_path, sizeof(dir_path), "/dev/shm/rmbench.XXXXXX");
	if (mkdtemp(dir_path) == 0)
		die("cannot make a directory in /dev/shm");
	atexit(cleanup);
	dirfd = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	lab = bench_mem(sizeof(*lab));
	if (ring_create(dirfd, &def, 1, &e) < 0)
		die(e.text);
	pair_start(peer_begin);
	bell_register();
	attach(&to, &def, RING_PRODUCER);
	if (argc > 1 && strcmp(argv[1], "--steady") == 0)
		return steady();
	bench_push();
	bench_wake();
	bench_syscalls(argv[0]);
	bench_attach(1024, 1);
	bench_attach(65536, 10);
	return 0;
}
