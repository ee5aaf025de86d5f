/* links: recorderd libsys libshm libcore */
/*
 * kill -9 of every stage under load, again and again: the supervisor brings
 * it back, it takes up its rings, and the book is what the fills say, each
 * once. While riskd or the data is away, nothing is placed.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "libcore/hash.h"
#include "tests/pipeline/ledger.h"
#include "tests/pipeline/proc.h"
#include "tests/pipeline/rig.h"

#define KILLS	   60u
#define PAUSE_US   250000u
#define SETTLE_MS  100
#define WINDOWS	   4u
#define MARGIN_NS  INT64_C(50000000)
#define TRADE_N	   5 /* orders that show that it trades again */
#define NO_TRADING (FREEZE_FEED_STALE | FREEZE_LATENCY)

static struct rig rig;
static struct ledger ledger;
static struct ring rings[RG_N];
static uint64_t seed;

static struct {
	uint64_t ns[KILLS + 64];
	unsigned n;
} took[ST_N];

/* Times when nothing may have been sent, UTC. */
static struct {
	int64_t from_ns;
	int64_t to_ns;
	unsigned seen;
} window[WINDOWS];
static unsigned window_n;
static unsigned open_n; /* deaths while it traded */

static uint64_t
rnd(uint64_t below)
{
	seed = hash_u64(seed, 1);
	return seed % below;
}

static int64_t
wall_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static int
setup(void **state)
{
	const char *const options[] = {
	    "--capture", "simvenue/captures", "--pace", "20", NULL};
	struct err e;

	(void)state;
	rig_init(&rig, "kill");
	rig_quick(&rig);
	rig_set(&rig, "supervisor.crash_loop_n=100");
	rig_set(&rig, "supervisor.crash_loop_window=1s");
	rig_set(&rig, "supervisor.backoff_min=1ms");
	rig_set(&rig, "supervisor.backoff_max=1ms");
	rig_set(&rig, "feed.stale_polymarket_s=2s");
	rig_set(&rig, "feed.stale_binance_s=2s");
	rig_set(&rig, "feed.stale_hyperliquid_s=2s");
	if (!rig_venue(&rig, options))
		fail_msg("%s", rig.out);
	RIG_EXPECT(&rig, rig_sup(&rig, "start", "all", NULL), 0);
	assert_true(rig_attach(&rig));
	for (int i = 0; i < RG_N; i++)
		assert_int_equal(ring_attach(&rings[i], rig.in.dirfd,
				     &topo_rings[i], RING_OBSERVER, &e),
		    0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (int i = 0; i < RG_N; i++)
		if (rings[i].shm != NULL)
			ring_detach(&rings[i]);
	rig_free(&rig);
	return 0;
}

/* ---- one death ---- */

static bool
reborn(enum stage_id st, uint64_t old, uint64_t killed_ns)
{
	const struct ctl_stage *s = &rig.ctl->stage[st];

	return rig_pid(&rig, st) != old && rig_ready(&rig, st) &&
	       atomic_load(&s->own.ready_ns) > killed_ns;
}

static bool
rings_taken(enum stage_id st)
{
	uint64_t pid = rig_pid(&rig, st);

	for (int i = 0; i < RG_N; i++) {
		const struct ring_shm *shm = rings[i].shm;

		if (topo_rings[i].writer == st &&
		    atomic_load(&shm->prod.pid) != pid)
			return false;
		if (topo_rings[i].reader == st &&
		    atomic_load(&shm->cons.pid) != pid)
			return false;
	}
	return true;
}

struct book {
	int64_t fills;
	int64_t realised;
};

/* Both of the same moment. */
static struct book
book_now(void)
{
	struct book a;

	do {
		a.fills = rig_metric(&rig, ST_RISKD, M_RISKD_FILLS);
		a.realised = rig_metric(&rig, ST_RISKD, M_RISKD_PNL_REALISED);
	} while (a.fills != rig_metric(&rig, ST_RISKD, M_RISKD_FILLS));
	return a;
}

static void
kill_stages(enum stage_id a, enum stage_id b)
{
	enum stage_id st[2] = {a, b};
	uint64_t old[2];
	uint64_t at[2];
	struct book was = book_now();
	struct book is;

	open_n += rig_gate(&rig) == 0;
	for (int i = 0; i < 2; i++)
		old[i] = rig_pid(&rig, st[i]);
	for (int i = 0; i < 2; i++) {
		at[i] = i == 1 && a == b ? at[0] : proc_now_ns();
		if (i == 0 || a != b)
			assert_int_equal(kill((pid_t)old[i], SIGKILL), 0);
	}
	for (int i = 0; i < 2; i++) {
		RIG_UNTIL(&rig, reborn(st[i], old[i], at[i]));
		RIG_UNTIL(&rig, rings_taken(st[i]));
	}
	is = book_now();
	if (is.fills == was.fills && is.realised != was.realised)
		fail_msg("realised %lld -> %lld without a fill",
		    (long long)was.realised, (long long)is.realised);
	assert_true(is.fills >= was.fills);
	for (int i = 0; i < (a == b ? 1 : 2); i++)
		took[st[i]].ns[took[st[i]].n++] =
		    atomic_load(&rig.ctl->stage[st[i]].own.ready_ns) - at[i];
}

static int
by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void
print_times(void)
{
	for (int i = 0; i < ST_N; i++) {
		qsort(took[i].ns, took[i].n, sizeof(uint64_t), by_size);
		print_message("%-18s %2u deaths, READY again after p50 %.1f "
			      "ms, worst %.1f ms\n",
		    topo_stages[i].name, took[i].n,
		    (double)took[i].ns[took[i].n / 2] / 1e6,
		    (double)took[i].ns[took[i].n - 1] / 1e6);
	}
}

/* ---- nothing is placed ---- */

/* From the moment that the gate is shut and nothing rests: no order. */
static int64_t
shut(uint64_t bits)
{
	RIG_UNTIL(&rig, rig_shut(&rig, bits));
	RIG_UNTIL(&rig, rig_resting(&rig) == 0);
	window[window_n].from_ns = wall_ns();
	return rig_orders(&rig);
}

static void
opened(void)
{
	window[window_n].to_ns = wall_ns();
	window_n++;
}

/* A stopped riskd extends no lease; the supervisor finds it hung. */
static void
riskd_hangs(void)
{
	uint64_t old = rig_pid(&rig, ST_RISKD);
	uint64_t at = proc_now_ns();
	int64_t orders;

	RIG_TRADES(&rig);
	assert_int_equal(kill((pid_t)old, SIGSTOP), 0);
	orders = shut(FREEZE_RISKD_DEAD);
	while (rig_pid(&rig, ST_RISKD) == old && rig_shut(&rig, ~UINT64_C(0))) {
		assert_int_equal(rig_orders(&rig), orders);
		assert_int_equal(rig_resting(&rig), 0);
		usleep(2000);
		assert_true(proc_now_ns() - at < UINT64_C(60000000000));
	}
	opened();
	RIG_UNTIL(&rig, reborn(ST_RISKD, old, at));
	RIG_TRADES(&rig);
}

/* The venues fall silent. */
static void
feeds_go_stale(void)
{
	int64_t orders;

	RIG_TRADES(&rig);
	assert_int_equal(kill(rig.venue, SIGSTOP), 0);
	orders = shut(NO_TRADING);
	for (int i = 0; i < SETTLE_MS; i++) {
		assert_true(rig_shut(&rig, NO_TRADING));
		assert_int_equal(rig_orders(&rig), orders);
		assert_int_equal(rig_resting(&rig), 0);
		usleep(1000);
	}
	opened();
	assert_int_equal(kill(rig.venue, SIGCONT), 0);
	RIG_TRADES(&rig);
}

/* ---- what the files say ---- */

static void
ack_row(void *user, const struct table_row *r)
{
	uint64_t *acks = user;
	int64_t sent_ns = r->v[2] + r->v[3];

	if (!ledger_is(r->s[0], "ack") || r->v[3] == 0)
		return;
	(*acks)++;
	for (unsigned i = 0; i < window_n; i++)
		if (sent_ns > window[i].from_ns + MARGIN_NS &&
		    sent_ns < window[i].to_ns - MARGIN_NS)
			window[i].seen++;
}

static void
check_files(void)
{
	static const char *const cols[] = {"event", "source", "ts", "send_ns"};
	uint64_t acks = 0;
	struct table_read read = {cols, 4, ack_row, &acks};
	const char *cap = rig_path(&rig, "cap");

	table_each(cap, "kind=orders/", &read);
	assert_true(acks > 0);
	for (unsigned i = 0; i < window_n; i++)
		assert_int_equal(window[i].seen, 0);
	ledger_load(&ledger, cap);
	print_message("%u fills, reported again %llu times; %llu acks\n",
	    ledger.fill_n, (unsigned long long)ledger.repeats,
	    (unsigned long long)acks);
	assert_true(ledger.fill_n > 0);
	assert_int_equal(
	    rig_metric(&rig, ST_RISKD, M_RISKD_FILLS), ledger.fill_n);
	assert_int_equal(rig_metric(&rig, ST_RISKD, M_RISKD_PNL_REALISED),
	    ledger_realised_e6(&ledger));
	ledger_check_told(&ledger);
}

static void
killed_at_any_moment_nothing_is_lost_or_twice(void **state)
{
	(void)state;
	RIG_TRADES(&rig);
	for (int i = 0; i < ST_N; i++)
		kill_stages((enum stage_id)i, (enum stage_id)i);
	RIG_TRADES(&rig);
	for (unsigned k = ST_N; k < KILLS; k++) {
		enum stage_id a = (enum stage_id)rnd(ST_N);
		enum stage_id b = rnd(4) == 0 ? (enum stage_id)rnd(ST_N) : a;

		/* Half of the time all is well again, half of it not yet. */
		if (rnd(2) == 0)
			RIG_UNTIL(&rig, rig_gate(&rig) == 0);
		usleep((useconds_t)rnd(PAUSE_US));
		kill_stages(a, b);
	}
	print_message("%u of %u deaths while it traded\n", open_n, KILLS);
	assert_true(open_n > 0);
	print_times();
	riskd_hangs();
	feeds_go_stale();
	assert_int_equal(atomic_load(&rig.ctl->freeze[FW_SUPERVISOR].mask), 0);
	RIG_EXPECT(
	    &rig, rig_sup(&rig, "--json", "--keep", "stop", "all", NULL), 0);
	assert_non_null(strstr(rig.out, "\"flat\":true"));
	assert_int_equal(rig_json(rig.out, "\"code\"", "killed"), 0);
	for (int i = 0; i < RG_N; i++)
		if (topo_rings[i].full != RING_FULL_DROP)
			assert_int_equal(
			    atomic_load(&rings[i].shm->prod.dropped), 0);
	assert_int_equal(rig_metric(&rig, ST_RECORDERD, M_RECORDERD_LOST), 0);
	check_files();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		killed_at_any_moment_nothing_is_lost_or_twice, setup, teardown),
	};
	const char *env = getenv("SEED");

	seed = env != NULL ? strtoull(env, NULL, 0) : (uint64_t)time(NULL);
	printf("seed %llu (SEED= repeats it)\n", (unsigned long long)seed);
	fflush(stdout);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
