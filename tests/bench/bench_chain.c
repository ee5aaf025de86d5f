/* links: libshm libcore */
/*
 * bench_chain - feed, quote, risk and exec as four sleeping processes on one
 * core: time from the first publish to the last reader, in turn with the
 * same four woken by bare futexes.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "libshm/ring.h"
#include "tests/bench/bench.h"
#include "tests/bench/bench_pair.h"

#define HOPS 3u

struct lab {
	struct bell bell[HOPS];
	struct line word[HOPS];
	struct line stamp;
};

static struct lab *lab;
static char dir_path[64];
static int dirfd;
static uint32_t turns;

static const struct ring_def defs[HOPS] = {
    {"c.intent", ST_QUOTED, ST_RISKD, RING_FULL_NEWEST, RING_MSG, 128, 1024},
    {"c.order", ST_RISKD, ST_EXECD_PM, RING_FULL_NEWEST, RING_MSG, 128, 1024},
    {"c.report", ST_EXECD_PM, ST_RISKD, RING_FULL_NEVER, RING_MSG, 128, 1024},
};

static void
attach(struct ring *r, unsigned hop, enum ring_role role)
{
	struct err e;

	if (ring_attach(r, dirfd, &defs[hop], role, &e) < 0)
		die(e.text);
	r->bell.bell = &lab->bell[hop];
}

static const void *
sleep_for(struct ring *r, struct bell *b)
{
	const void *s;

	while ((s = ring_peek(r)) == 0) {
		bell_prepare(b, BELL_FUTEX);
		if (ring_peek(r) == 0)
			bell_wait(b, BELL_SLEEP_NS_MAX);
		else
			bell_cancel(b);
	}
	return s;
}

static void
wake(_Atomic uint64_t *w)
{
	atomic_fetch_add(w, 1);
	syscall(SYS_futex, w, FUTEX_WAKE, 1, 0, 0, 0);
}

_Noreturn static void
stage(unsigned hop)
{
	struct ring in;
	struct ring out;
	bool last = hop == HOPS - 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	bell_register();
	attach(&in, hop, RING_CONSUMER);
	if (!last)
		attach(&out, hop + 1, RING_PRODUCER);
	for (uint32_t i = 0; i < turns; i++) {
		const void *s = sleep_for(&in, &lab->bell[hop]);

		if (!last)
			ring_push(&out, s);
		else
			atomic_store(&lab->stamp.v, bench_now_ns());
		ring_release(&in);
		while ((uint32_t)atomic_load(&lab->word[hop].v) == i)
			syscall(SYS_futex, &lab->word[hop].v, FUTEX_WAIT, i, 0,
			    0, 0);
		if (!last)
			wake(&lab->word[hop + 1].v);
		else
			atomic_store(&lab->stamp.v, bench_now_ns());
	}
	_exit(0);
}

static void
gap(void)
{
	struct timespec ts = {0, 500000};

	nanosleep(&ts, 0);
}

/* The others need this core, too: look only after they had time. */
static uint64_t
arrival(uint64_t t)
{
	gap();
	while (atomic_load(&lab->stamp.v) == 0)
		gap();
	return atomic_load(&lab->stamp.v) - t;
}

static void
cleanup(void)
{
	char cmd[96];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir_path);
	if (dir_path[0] != '\0' && system(cmd) != 0)
		fprintf(stderr, "# %s is left behind\n", dir_path);
}

static void
run(void)
{
	uint64_t *a = calloc(2 * (size_t)turns, sizeof(*a));
	uint64_t *b = a + turns;
	uint64_t slot[16] = {0};
	struct ring first;

	if (a == 0)
		die("memory");
	attach(&first, 0, RING_PRODUCER);
	gap();
	for (uint32_t i = 0; i < turns; i++) {
		atomic_store(&lab->stamp.v, 0);
		a[i] = bench_now_ns();
		ring_push(&first, slot);
		a[i] = arrival(a[i]);
		atomic_store(&lab->stamp.v, 0);
		b[i] = bench_now_ns();
		wake(&lab->word[0].v);
		b[i] = arrival(b[i]);
	}
	bench_line("ring_chain_of_4_p50", bench_quantile(a, turns, 500) / 1000,
	    "us", "futex", bench_quantile(b, turns, 500) / 1000);
	bench_line("ring_chain_of_4_p99", bench_quantile(a, turns, 990) / 1000,
	    "us", "futex", bench_quantile(b, turns, 990) / 1000);
	free(a);
}

int
main(void)
{
	struct err e;

	turns = bench_quick() ? 30 : 1500;
	snprintf(dir_path, sizeof(dir_path), "/dev/shm/rmbench.XXXXXX");
	if (mkdtemp(dir_path) == 0)
		die("cannot make a directory in /dev/shm");
	dirfd = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	lab = bench_mem(sizeof(*lab));
	pin(0);
	for (unsigned i = 0; i < HOPS; i++)
		if (ring_create(dirfd, &defs[i], 1, &e) < 0)
			die(e.text);
	for (unsigned i = 0; i < HOPS; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid == 0)
			stage(i);
	}
	atexit(cleanup);
	bell_register();
	run();
	return 0;
}
