/* links: recorderd libsys libvenue libshm libcore */
/*
 * The recorder as a process: rings in, kill -9 under load, Parquet out. Every
 * slot published is in the files exactly once, whatever happened between.
 */
#define _GNU_SOURCE
#include "tests/unit/pqread.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libcore/hash.h"
#include "libshm/cfgpage.h"
#include "libshm/ctl.h"
#include "libshm/instr.h"
#include "libshm/metrics.h"
#include "libshm/ring.h"
#include "libshm/slots.h"
#include "recorderd/reader.h"
#include "tests/pipeline/proc.h"

#define KILLS	12  /* RM_KILLS= more of them */
#define GAVE_UP 111 /* exit code: EXIT_TEMPORARY of libsys/stage.h */
#define MAX	2000000u

static char shm[256];
static char out[300];
static char log_path[300];
static struct instance in;
static struct ctl *ctl;
static struct instr_table *table;
static struct cfgpage page;
static struct ring bn;
static struct ring ex;
static uint64_t sent_bn;
static uint64_t sent_ex;
static uint64_t seed;
static uint8_t seen[2][MAX];

static uint64_t
rnd(void)
{
	seed = hash_u64(seed, 1);
	return seed;
}

static int
setup_dir(const char *recorder_dir)
{
	static struct cfg cfg;
	struct err e = {0};
	struct instr btc = {.symbol = "BTCUSDT",
	    .venue = VENUE_BINANCE,
	    .cls = CLASS_SPOT,
	    .state = INSTR_NORMAL,
	    .epoch = 1};

	cfg_defaults(&cfg);
	snprintf(
	    cfg.recorder_dir.s, sizeof(cfg.recorder_dir.s), "%s", recorder_dir);
	cfg.recorder_min_free_bytes = 0;
	cfg.recorder_row_group = 1024;
	if (instance_create(&in, "t", 42, &e) < 0 ||
	    cfgpage_create(&page, in.dirfd, 42, &cfg, &e) < 0 ||
	    ctl_attach(&ctl, in.dirfd, true, &e) < 0 ||
	    instr_attach(&table, in.dirfd, true, &e) < 0 ||
	    ring_attach(
		&bn, in.dirfd, &topo_rings[RG_TAP_BN], RING_PRODUCER, &e) < 0 ||
	    ring_attach(&ex, in.dirfd, &topo_rings[RG_TAP_EXEC_PM],
		RING_PRODUCER, &e) < 0) {
		print_error("%s\n", e.text);
		return -1;
	}
	bn.bell.fifo_fd = ex.bell.fifo_fd = -1;
	instr_write(table, INSTR_BN_BASE, &btc);
	sent_bn = sent_ex = 0;
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	snprintf(shm, sizeof(shm), "%s", proc_tmp("recorderd"));
	setenv("RINGMAKER_SHM", shm, 1);
	snprintf(out, sizeof(out), "%s/captures", shm);
	snprintf(log_path, sizeof(log_path), "%s/log", shm);
	return setup_dir(out);
}

static int
setup_no_disk(void **state)
{
	(void)state;
	snprintf(shm, sizeof(shm), "%s", proc_tmp("recorderd"));
	setenv("RINGMAKER_SHM", shm, 1);
	snprintf(log_path, sizeof(log_path), "%s/log", shm);
	return setup_dir("/proc/nowhere");
}

static int
teardown(void **state)
{
	(void)state;
	ring_detach(&bn);
	ring_detach(&ex);
	cfgpage_detach(&page);
	instr_detach(table);
	ctl_detach(ctl);
	instance_close(&in);
	proc_rmtree(shm);
	return 0;
}

static pid_t
start(void)
{
	static const char *const argv[] = {
	    "recorderd", "--instance", "t", "--stage", "recorderd", NULL};
	pid_t pid = proc_start(argv, log_path);

	assert_true(pid > 0);
	return pid;
}

/* A batch of trades and now and then a fill. A full ring ends it: nothing
 * may be lost here. */
static void
publish(unsigned n)
{
	for (unsigned i = 0; i < n && sent_bn < MAX - 1; i++) {
		union tap s = {.tick = {.hdr = {.kind = TICK_TRADE,
					    .instr = INSTR_BN_BASE,
					    .recv_ns = proc_now_ns()}}};

		s.tick.u.trade.px = PX((int64_t)sent_bn + 1);
		s.tick.u.trade.qty = QTY(5);
		s.tick.u.trade.side = SIDE_BID;
		if (!ring_push(&bn, &s))
			return;
		sent_bn++;
		if (i % 16 != 0)
			continue;
		union tap f = {.order = {.hdr = {.kind = MSG_FILL,
					     .recv_ns = proc_now_ns()},
				   .venue = VENUE_POLYMARKET,
				   .side = SIDE_ASK,
				   .fill_id = sent_ex + 1}};

		sent_ex += ring_push(&ex, &f);
	}
}

static bool
drained(void *arg)
{
	(void)arg;
	return ring_used(&bn) == 0 && ring_used(&ex) == 0;
}

static void
stop_with(pid_t pid, int code)
{
	assert_true(proc_until(drained, NULL, PROC_WAIT_MS));
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(proc_exit_code(pid), code);
}

static void
stop(pid_t pid)
{
	stop_with(pid, 0);
}

static uint64_t rows[2];
static unsigned journals;
static unsigned gap_files;

static void
mark(const struct pqr *r, const char *column, int which)
{
	int cs = pqr_find(r, "seq");
	int cv = pqr_find(r, column);

	assert_true(cs >= 0 && cv >= 0);
	for (unsigned g = 0; g < r->groups; g++) {
		size_t n = (size_t)r->group_rows[g];
		int64_t *seq = calloc(n, sizeof(*seq));
		int64_t *val = calloc(n, sizeof(*val));

		pqr_read(r, g, (unsigned)cs, seq, NULL, NULL);
		pqr_read(r, g, (unsigned)cv, val, NULL, NULL);
		for (size_t i = 0; i < n; i++) {
			assert_true(seq[i] > 0 && seq[i] < MAX);
			assert_int_equal(val[i], seq[i]);
			assert_int_equal(seen[which][seq[i]], 0);
			seen[which][seq[i]] = 1;
			rows[which]++;
		}
		free(seq);
		free(val);
		if (which == 0) {
			const struct pqr_chunk *c =
			    &r->chunk[g][pqr_find(r, "symbol")];

			assert_int_equal(c->min.len, 7);
			assert_memory_equal(c->min.p, "BTCUSDT", 7);
			assert_memory_equal(c->max.p, "BTCUSDT", 7);
		}
	}
}

static int
visit(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	const char *dot = strrchr(path, '.');

	(void)ftw;
	if (flag != FTW_F || dot == NULL)
		return 0;
	journals += strcmp(dot, ".rmj") == 0;
	assert_string_not_equal(dot, ".tmp");
	if (strcmp(dot, ".parquet") != 0)
		return 0;
	gap_files += strstr(path, "kind=gaps") != NULL;
	uint8_t *p = malloc((size_t)st->st_size);
	struct pqr *r = malloc(sizeof(*r));
	int fd = open(path, O_RDONLY);

	assert_int_equal(read(fd, p, (size_t)st->st_size), st->st_size);
	close(fd);
	pqr_open(r, p, (size_t)st->st_size);
	if (strstr(path, "kind=price_ticks/venue=binance") != NULL)
		mark(r, "px", 0);
	if (strstr(path, "kind=fills/venue=polymarket") != NULL)
		mark(r, "fill_id", 1);
	free(r);
	free(p);
	return 0;
}

/* The same by our own reader: in sequence, nothing missing, each with the
 * entry of its instrument before it. */
static void
read_back(void)
{
	struct reader_args a = {.dir = out, .with_trace = true};
	struct reader *r;
	struct reader_event ev;
	struct err e;
	uint64_t n[2] = {0, 0};
	unsigned freezes = 0;
	unsigned keys = 0;
	bool named = false;
	int rc;

	if (reader_open(&r, &a, &e) != 0)
		fail_msg("%s", e.text);
	while ((rc = reader_next(r, &ev)) == 1) {
		if (ev.kind == READER_INSTR)
			named = ev.instr_idx == INSTR_BN_BASE;
		freezes += ev.kind == READER_FREEZE;
		keys += ev.kind == READER_CONFIG;
		if (ev.slot == NULL || ev.source == ST_RECORDERD)
			continue;
		assert_true(named);
		int which = ev.source == ST_EXECD_PM;

		assert_int_equal(ev.slot->hdr.seq, n[which] + 1);
		n[which]++;
	}
	assert_int_equal(rc, 0);
	assert_int_equal(reader_stat(r)->lost, 0);
	assert_int_equal(n[0], sent_bn);
	assert_int_equal(n[1], sent_ex);
	assert_true(freezes >= FW_N);
	assert_true(keys >= CFG_KEY_N);
	reader_close(r);
}

static void
killed_under_load(void **state)
{
	const char *env = getenv("RM_KILLS");
	unsigned kills = env != NULL ? (unsigned)strtoul(env, NULL, 10) : KILLS;
	unsigned most = 2 + 120 * KILLS / (kills > 0 ? kills : 1);

	(void)state;
	memset(seen, 0, sizeof(seen));
	for (unsigned k = 0; k < kills; k++) {
		pid_t pid = start();
		/* At any moment: starting, recovering, converting, writing. */
		uint64_t end = proc_now_ns() + rnd() % 140000000;

		while (proc_now_ns() < end) {
			struct timespec nap = {.tv_nsec = 300000};

			publish(1 + (unsigned)(rnd() % most));
			nanosleep(&nap, NULL);
		}
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(proc_exit_code(pid), 1000 + SIGKILL);
	}
	pid_t last = start();

	publish(1); /* drained: it lives, and takes signals */
	stop(last);
	assert_int_equal(nftw(out, visit, 16, FTW_PHYS), 0);
	printf("%llu trades, %llu fills\n", (unsigned long long)sent_bn,
	    (unsigned long long)sent_ex);
	assert_true(sent_bn > 5000);
	assert_int_equal(rows[0], sent_bn);
	assert_int_equal(rows[1], sent_ex);
	assert_int_equal(journals, 0);
	assert_int_equal(gap_files, 0);
	read_back();
	printf("%u kills: every slot once\n", kills);
}

/* A directory that cannot be made: it lives, takes the slots, and says so. */
static void
no_disk(void **state)
{
	struct metrics *m;
	struct err e;
	pid_t pid = start();

	(void)state;
	publish(5000);
	assert_true(proc_until(drained, NULL, PROC_WAIT_MS));
	assert_int_equal(
	    metrics_attach(&m, in.dirfd, ST_RECORDERD, false, &e), 0);
	for (int i = 0;
	     i < 200 && metrics_value(m, M_RECORDERD_DISK_ERRORS) == 0; i++) {
		struct timespec nap = {.tv_nsec = 10000000};

		nanosleep(&nap, NULL);
	}
	assert_true(metrics_value(m, M_RECORDERD_DISK_ERRORS) > 0);
	assert_int_equal(metrics_value(m, M_RECORDERD_FILES), 0);
	/* What a producer says it lost counts, too. */
	union tap gap = {.tick = {.hdr = {.kind = TICK_GAP}}};

	gap.tick.u.gap.scope = 3;
	gap.tick.u.gap.lost_n = 77;
	assert_true(ring_push(&bn, &gap));
	for (int i = 0; i < 200 && metrics_value(m, M_RECORDERD_LOST) != 77;
	     i++) {
		struct timespec nap = {.tv_nsec = 10000000};

		nanosleep(&nap, NULL);
	}
	assert_int_equal(metrics_value(m, M_RECORDERD_LOST), 77);
	assert_int_equal(metrics_value(m, M_RECORDERD_GAPS), 1);
	/* What waits in memory is lost when it stops, and the next one goes
	 * on counting from there. */
	uint64_t lost = 77 + sent_bn + 1 + sent_ex;
	int64_t errors;

	stop_with(pid, GAVE_UP);
	assert_int_equal(metrics_value(m, M_RECORDERD_LOST), lost);
	assert_int_equal(metrics_value(m, M_RECORDERD_GAPS), 3);
	assert_int_equal(metrics_value(m, M_RECORDERD_RECORDS), 0);
	errors = metrics_value(m, M_RECORDERD_DISK_ERRORS);
	lost -= sent_bn + sent_ex;
	pid = start();
	publish(40);
	lost += sent_bn + sent_ex;
	stop_with(pid, GAVE_UP);
	assert_int_equal(metrics_value(m, M_RECORDERD_LOST), lost);
	assert_true(metrics_value(m, M_RECORDERD_DISK_ERRORS) > errors);
	metrics_detach(m);
}

static int
setup_small_disk(void **state)
{
	(void)state;
	snprintf(shm, sizeof(shm), "%s", proc_tmp("recorderd"));
	setenv("RINGMAKER_SHM", shm, 1);
	snprintf(out, sizeof(out), "%s/captures", shm);
	snprintf(log_path, sizeof(log_path), "%s/log", shm);
	mkdir(out, 0755);
	return setup_dir(out);
}

static bool
is_lossy(void *arg)
{
	return metrics_value(arg, M_RECORDERD_LOST) > 0;
}

/* The disk is full for a while: the producer never waits, and what it could
 * not keep is declared, to the slot. */
static void
disk_full(void **state)
{
	struct reader_args a = {.dir = out, .with_trace = true};
	struct metrics *m;
	struct reader *r;
	struct reader_event ev;
	struct err e;
	char path[400];
	uint64_t n = 0;
	uint64_t lost = 0;

	(void)state;
	if (mount("none", out, "tmpfs", 0, "size=48m") != 0) {
		printf("skipped: cannot mount a tmpfs\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/ballast", out);
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	assert_int_equal(posix_fallocate(fd, 0, 46 << 20), 0);
	close(fd);
	pid_t pid = start();

	assert_int_equal(
	    metrics_attach(&m, in.dirfd, ST_RECORDERD, false, &e), 0);
	/* The rest of the disk, the buffer, and then some. */
	while (!is_lossy(m) && sent_bn < 600000) {
		struct timespec nap = {.tv_nsec = 1000000};

		publish(2000);
		nanosleep(&nap, NULL);
	}
	assert_true(proc_until(is_lossy, m, PROC_WAIT_MS));
	publish(3000);
	assert_true(proc_until(drained, NULL, PROC_WAIT_MS));
	assert_int_equal(unlink(path), 0);
	for (int i = 0; i < 150; i++) {
		struct timespec nap = {.tv_nsec = 10000000};

		publish(20);
		nanosleep(&nap, NULL);
	}
	/* Records were given up, so the code is that of a loss. */
	stop_with(pid, GAVE_UP);
	assert_int_equal(reader_open(&r, &a, &e), 0);
	while (reader_next(r, &ev) == 1) {
		if (ev.source == ST_RECORDERD)
			continue;
		n += ev.slot != NULL;
		if (ev.kind != READER_GAP)
			continue;
		assert_int_equal(ev.gap.cause, JOURNAL_LOST_FILE);
		assert_int_equal(ev.gap.err, ENOSPC);
		lost += ev.gap.lost_n;
	}
	assert_int_equal(reader_stat(r)->jumped, 0);
	assert_true(lost > 0);
	assert_int_equal(n + lost, sent_bn + sent_ex);
	assert_int_equal(lost, metrics_value(m, M_RECORDERD_LOST));
	printf("%llu recorded, %llu lost and declared\n", (unsigned long long)n,
	    (unsigned long long)lost);
	reader_close(r);
	metrics_detach(m);
	umount2(out, MNT_DETACH);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		disk_full, setup_small_disk, teardown),
	    cmocka_unit_test_setup_teardown(killed_under_load, setup, teardown),
	    cmocka_unit_test_setup_teardown(no_disk, setup_no_disk, teardown),
	};
	const char *env = getenv("SEED");

	seed = env != NULL ? strtoull(env, NULL, 0) : (uint64_t)time(NULL);
	printf("seed %llu (SEED= repeats it)\n", (unsigned long long)seed);
	fflush(stdout);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
