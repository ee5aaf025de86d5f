/* links: libvenue libsys libshm libcore */
/*
 * Freezing and dying, live: the real quoted, riskd and execd.polymarket on a
 * real simvenue --live.
 *
 * Freeze  : the book goes a cent up and down, 200 times a second, and the
 *           quotes with it as fast as the port's allowance lets them; at a
 *           random moment of an order's way the supervisor's freeze word is
 *           set, and the book goes on moving. The word set -> the last
 *           order left, by its own stamp (bar 0); -> the last one arrived
 *           and -> the cancel-all arrived (bar 1 ms), by the venue's. What
 *           left just before the word arrives just after it.
 * Death   : kill -9 of execd while it trades -> READY again (bar 20 ms p50,
 *           250 ms worst), beside starting a program and seeing it end.
 */
#define _GNU_SOURCE
#include <sys/wait.h>

#include "tests/bench/benchrig.h"

#define FLOW_TURNS 20 /* of the book, before a freeze */
#define FLOW_NS	   UINT64_C(5000000)
#define PHASE_NS   600000u /* an order is on its way for as long */
#define REFILL_MS  1400	   /* until as many orders may go again */
#define AFTER_MS   60

static uint64_t seed = 1;

static uint64_t
random_below(uint64_t n)
{
	seed = seed * UINT64_C(6364136223846793005) +
	       UINT64_C(1442695040888963407);
	return (seed >> 33) % n;
}

static uint64_t
wall_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * UINT64_C(1000000000) +
	       (uint64_t)ts.tv_nsec;
}

/* When the newest order left that the venue took, by its sender's clock. */
static uint64_t last_sent_ns;

static void
drain_all(void)
{
	const union tap *t;

	while ((t = ring_peek(&tap[0])) != NULL) {
		uint64_t ns = t->hdr.recv_ns + t->order.send_delta;

		if (t->hdr.kind == MSG_ACK && ns > last_sent_ns)
			last_sent_ns = ns;
		ring_release(&tap[0]);
	}
	drain(&tap[1]);
	drain(&tap[2]);
}

static void
busy_until(uint64_t ns)
{
	while (proc_now_ns() < ns)
		continue;
}

/* For as long, links alive, nothing piling up. */
static void
rest_ms(int ms)
{
	for (int i = 0; i < ms; i += 20) {
		if (i % 200 == 0)
			links();
		drain_all();
		usleep(20000);
	}
}

static void
flow(int turns)
{
	for (int i = 0; i < turns; i++) {
		uint64_t next_ns = proc_now_ns() + FLOW_NS;

		book_at(50 + i % 2, true);
		drain_all();
		while (proc_now_ns() + 200000 < next_ns)
			usleep(100);
	}
}

/* ---- freeze ---- */

struct frozen {
	uint64_t sent_ns;   /* last order left so long after, 0 before */
	uint64_t after_ns;  /* ... and arrived, 0 none */
	uint64_t cancel_ns; /* 0: nothing rested, so nothing was cancelled */
	unsigned placed;    /* in the flow before it */
};

/* What arrived, oldest first: {"ns":..,"venue":..,"call":..,"n":..,"ids":[] */
static void
read_arrivals(uint64_t from_ns, uint64_t frozen_ns, struct frozen *f)
{
	char path[64];
	const char *at;

	snprintf(path, sizeof(path), "/sim/arrivals?since_ns=%llu",
	    (unsigned long long)from_ns);
	at = venue_get(path);
	while ((at = strstr(at, "{\"ns\":")) != NULL) {
		uint64_t ns = strtoull(at + 6, NULL, 10);
		const char *next = strstr(at + 1, "{\"ns\":");
		size_t n = next != NULL ? (size_t)(next - at) : strlen(at);
		bool places = memmem(at, n, "\"place\"", 7) != NULL;
		bool all = memmem(at, n, "\"cancel\"", 8) != NULL &&
			   memmem(at, n, "\"ids\":[]", 8) != NULL;

		if (places && ns > frozen_ns)
			f->after_ns = ns - frozen_ns;
		else if (places && ns > from_ns)
			f->placed++;
		if (all && ns > frozen_ns && f->cancel_ns == 0)
			f->cancel_ns = ns - frozen_ns;
		at += n;
	}
}

static struct frozen
freeze_once(void)
{
	struct frozen f = {0};
	uint64_t from_ns = wall_ns();
	uint64_t frozen_ns;
	uint64_t word_ns;

	links();
	flow(FLOW_TURNS);
	book_at(50, true);
	busy_until(proc_now_ns() + random_below(PHASE_NS));
	frozen_ns = wall_ns();
	word_ns = proc_now_ns();
	ctl_freeze_set(ctl, FW_SUPERVISOR, FREEZE_MANUAL, true, proc_now_ns());
	ctl_wake_all(ctl, in.dirfd);
	flow(4);
	rest_ms(AFTER_MS);
	read_arrivals(from_ns, frozen_ns, &f);
	f.sent_ns = last_sent_ns > word_ns ? last_sent_ns - word_ns : 0;
	ctl_freeze_set(ctl, FW_SUPERVISOR, FREEZE_MANUAL, false, proc_now_ns());
	ctl_wake_all(ctl, in.dirfd);
	book(false);
	rest_ms(REFILL_MS);
	return f;
}

static void
freezes(size_t n)
{
	uint64_t *sent = calloc(n, sizeof(*sent));
	uint64_t *last = calloc(n, sizeof(*last));
	uint64_t *cancel = calloc(n, sizeof(*cancel));
	unsigned placed = 0;
	size_t cancels = 0;
	size_t late = 0;

	if (sent == NULL || last == NULL || cancel == NULL)
		die("memory", "none");
	for (size_t i = 0; i < n; i++) {
		struct frozen f = freeze_once();

		sent[i] = f.sent_ns;
		last[i] = f.after_ns;
		late += f.after_ns > 0;
		placed += f.placed;
		if (f.cancel_ns > 0)
			cancel[cancels++] = f.cancel_ns;
	}
	if (placed == 0)
		die("freeze", "no orders flowed");
	/* Of a few freezes none may meet an order that rests. */
	if (cancels == 0 && !bench_quick())
		die("freeze", "nothing was cancelled");
	bench_report("freeze_to_last_sent", sent, n, 0);
	bench_report("freeze_to_last_arrival", last, n, 0);
	if (cancels > 0)
		bench_report("freeze_to_cancel_all", cancel, cancels, 0);
	printf("# %u placements before %zu freezes; at most %.0f us after the "
	       "word one left, and one arrived (%zu times), at most %.0f us; "
	       "cancel-all %zu times, at most %.0f us\n",
	    placed, n, bench_quantile(sent, n, 1000) / 1000, late,
	    bench_quantile(last, n, 1000) / 1000, cancels,
	    bench_quantile(cancel, cancels, 1000) / 1000);
	free(sent);
	free(last);
	free(cancel);
}

/* ---- death ---- */

static uint64_t
start_floor(size_t n)
{
	const char *argv[] = {"execd", "--version", NULL};
	uint64_t ns[64];

	for (size_t i = 0; i < n; i++) {
		uint64_t from = proc_now_ns();
		pid_t pid = proc_start(argv, "/dev/null");

		if (waitpid(pid, NULL, 0) != pid)
			die("floor", "no end of a program");
		ns[i] = proc_now_ns() - from;
	}
	return (uint64_t)bench_quantile(ns, n, 500);
}

static uint64_t
kill_once(const char *dir)
{
	const struct ctl_stage *st = &ctl->stage[ST_EXECD_PM];
	uint64_t from = proc_now_ns();
	uint64_t ready;

	kill(stages[EXECD], SIGKILL);
	waitpid(stages[EXECD], NULL, 0);
	stage_start(EXECD, dir);
	while ((ready = atomic_load(&st->own.ready_ns)) < from ||
	       atomic_load(&st->own.state) != STAGE_READY) {
		if (proc_now_ns() - from > UINT64_C(10000000000))
			die("execd", "not READY again in 10 s; see its log");
		usleep(200);
	}
	return ready - from;
}

static void
deaths(const char *dir, size_t n)
{
	double floor_ns = (double)start_floor(bench_quick() ? 5 : 50);
	uint64_t *ns = calloc(n, sizeof(*ns));

	if (ns == NULL)
		die("memory", "none");
	for (size_t i = 0; i < n; i++) {
		links();
		book(true);
		rest_ms(100 + (int)random_below(40));
		ns[i] = kill_once(dir);
		links();
		book(false);
		rest_ms(200);
	}
	bench_report("execd_kill_to_ready", ns, n, floor_ns);
	printf("# worst of %zu deaths: %.1f ms\n", n,
	    bench_quantile(ns, n, 1000) / 1e6);
	free(ns);
}

int
main(void)
{
	static struct cfg cfg;
	char dir[128];

	snprintf(dir, sizeof(dir), "%s", proc_tmp("bench"));
	venue_start(dir);
	rig_cfg(&cfg, dir, true);
	rig_open(&cfg, dir);
	market();
	until_trading();
	freezes(bench_quick() ? 3 : 40);
	deaths(dir, bench_quick() ? 3 : 50);
	rig_close();
	proc_rmtree(dir);
	return 0;
}
