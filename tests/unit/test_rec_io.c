/* links: recorderd libsys libshm libcore */
#define _GNU_SOURCE
#include "tests/unit/pqread.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "recorderd/rec_io.h"

#define HOUR	(INT64_C(3600) * NS_PER_S)
#define WALL	(INT64_C(490000) * HOUR + HOUR / 2)
#define BTC	4096
#define BUF_CAP (JOURNAL_BUF_MIN * 2)

struct fixture {
	char dir[64];
	struct rec_io io;
	struct rec_io_args args;
	struct journal_io journal;
	uint8_t *buf;
	struct journal_clock now;
	uint64_t seq[2];
	uint64_t session;
};

static void
reopen(struct fixture *f)
{
	struct err e;

	rec_io_close(&f->io);
	assert_int_equal(rec_io_open(&f->io, &f->args, &e), 0);
}

static void
new_session(struct fixture *f)
{
	struct journal_open open = {.host = "host",
	    .instance = "main",
	    .build = "abc",
	    .config_hash = 0x1234,
	    .session = ++f->session,
	    .tap_n = 2,
	    .tap = {{.name = "tap.feedd.bn"}, {.name = "tap.execd.pm"}}};
	struct journal_io_args a = {.dirfd = f->io.journal,
	    .prefix = "host-main",
	    .ops = &journal_posix,
	    .sync_ns = NS_PER_S};

	if (f->journal.fd > 0)
		close(f->journal.fd);
	journal_io_init(&f->journal, &a, f->buf, BUF_CAP, 5, &open);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err e;

	strcpy(f->dir, "/tmp/rm-rec-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->args = (struct rec_io_args){.dir = f->dir,
	    .prefix = "host-main",
	    .rows_max = 100,
	    .zstd_level = 1};
	assert_int_equal(rec_io_open(&f->io, &f->args, &e), 0);
	f->buf = malloc(BUF_CAP);
	f->now = (struct journal_clock){1000000, WALL};
	f->seq[0] = f->seq[1] = 1;
	new_session(f);
	*state = f;
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	if (f->journal.fd > 0)
		close(f->journal.fd);
	rec_io_close(&f->io);
	nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(f->buf);
	free(f);
	return 0;
}

static void
name_btc(struct fixture *f)
{
	struct journal_instr in = {
	    .instr = BTC, .venue = VENUE_BINANCE, .symbol = "BTCUSDT"};

	assert_true(journal_instr_add(&f->journal.j, &in, 1, &f->now));
}

static void
trades(struct fixture *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		union tap s = {
		    .tick = {.hdr = {.kind = TICK_TRADE, .instr = BTC}}};

		s.hdr.seq = f->seq[0]++;
		s.hdr.recv_ns = f->now.mono_ns;
		s.tick.u.trade.px = PX((int64_t)s.hdr.seq * 3);
		s.tick.u.trade.qty = QTY(7);
		s.tick.u.trade.side = SIDE_BID;
		s.tick.u.trade.trade_id = s.hdr.seq;
		journal_put(&f->journal, 0, &s, &f->now);
	}
}

static void
fills(struct fixture *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		union tap s = {.order = {.hdr = {.kind = MSG_FILL},
				   .venue = VENUE_POLYMARKET,
				   .side = SIDE_ASK}};

		s.hdr.seq = f->seq[1]++;
		s.hdr.recv_ns = f->now.mono_ns;
		s.order.fill_id = s.hdr.seq;
		journal_put(&f->journal, 1, &s, &f->now);
	}
}

/* Convert everything there is; the last result. */
static int
convert(struct fixture *f, uint32_t current)
{
	struct journal_id id;
	int rc = 0;

	while (rc == 0 && rec_io_pending(&f->io, f->session, current, &id)) {
		rc = rec_io_begin(&f->io, &id);
		if (rc != 0)
			break;
		do {
			rc = rec_io_work(&f->io, 2);
		} while (rc == 1);
	}
	return rc;
}

struct total {
	unsigned files;
	unsigned temps;
	unsigned journals;
	uint64_t rows;
	uint64_t trades; /* rows of price_ticks */
	int64_t px_sum;
	uint64_t fills;
	uint64_t gap_rows;
	uint64_t lost;
};

static struct total total;

static void
add_file(const char *path)
{
	struct pqr *r = malloc(sizeof(*r));
	int fd = open(path, O_RDONLY);
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	uint8_t *p = malloc((size_t)st.st_size);

	assert_int_equal(read(fd, p, (size_t)st.st_size), st.st_size);
	close(fd);
	pqr_open(r, p, (size_t)st.st_size);
	total.files++;
	total.rows += (uint64_t)r->rows;
	for (unsigned g = 0; g < r->groups; g++) {
		size_t n = (size_t)r->group_rows[g];
		int64_t *v = calloc(n, sizeof(*v));

		for (unsigned c = 0; c < r->cols; c++) {
			uint8_t *hold = NULL;

			pqr_read(r, g, c, v, NULL, &hold);
			free(hold);
			for (size_t i = 0; i < n; i++) {
				if (strstr(path, "kind=price_ticks") != NULL &&
				    (int)c == pqr_find(r, "px"))
					total.px_sum += v[i];
				if ((int)c == pqr_find(r, "lost_n"))
					total.lost += (uint64_t)v[i];
			}
		}
		free(v);
	}
	if (strstr(path, "kind=price_ticks") != NULL)
		total.trades += (uint64_t)r->rows;
	if (strstr(path, "kind=fills") != NULL)
		total.fills += (uint64_t)r->rows;
	if (strstr(path, "kind=gaps") != NULL)
		total.gap_rows += (uint64_t)r->rows;
	free(p);
	free(r);
}

static int
visit(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (flag != FTW_F)
		return 0;
	const char *dot = strrchr(path, '.');

	if (dot == NULL)
		return 0;
	if (strcmp(dot, ".parquet") == 0)
		add_file(path);
	total.temps += strcmp(dot, ".tmp") == 0;
	total.journals += strcmp(dot, ".rmj") == 0;
	return 0;
}

static struct total
look(const struct fixture *f)
{
	memset(&total, 0, sizeof(total));
	assert_int_equal(nftw(f->dir, visit, 16, FTW_PHYS), 0);
	return total;
}

static int64_t
px_sum(uint64_t n)
{
	return (int64_t)(3 * n * (n + 1) / 2);
}

static void
one_segment(void **state)
{
	struct fixture *f = *state;
	char done[JOURNAL_NAME_SZ];
	char path[512];

	name_btc(f);
	trades(f, 1234);
	fills(f, 10);
	assert_int_equal(journal_rotate(&f->journal, &f->now, done), 0);
	assert_int_equal(convert(f, 1), 0);
	struct total t = look(f);

	assert_int_equal(t.files, 2);
	assert_int_equal(t.temps, 0);
	assert_int_equal(t.journals, 0);
	assert_int_equal(t.trades, 1234);
	assert_int_equal(t.px_sum, px_sum(1234));
	assert_int_equal(t.fills, 10);
	assert_int_equal(f->io.stat.rows, 1244);
	assert_int_equal(f->io.stat.files, 2);
	/* 490000 hours after 1970 */
	snprintf(path, sizeof(path),
	    "%s/kind=price_ticks/venue=binance/date=2025-11-24/hour=16/"
	    "host-main-0000000000000001-00000000-0.parquet",
	    f->dir);
	assert_int_equal(access(path, R_OK), 0);
}

/* A segment that spans hours, and a footer that says where it comes from. */
static void
hours_and_footer(void **state)
{
	struct fixture *f = *state;
	char done[JOURNAL_NAME_SZ];
	char path[512];
	struct pqr *r = malloc(sizeof(*r));
	uint8_t *p = malloc(1 << 20);
	bool seen = false;

	name_btc(f);
	for (int h = 0; h < 5; h++) {
		trades(f, 50);
		journal_seal(&f->journal.j, &f->now);
		f->now.mono_ns += (uint64_t)HOUR;
		f->now.wall_ns += HOUR;
	}
	assert_int_equal(journal_rotate(&f->journal, &f->now, done), 0);
	assert_int_equal(convert(f, 1), 0);
	assert_int_equal(look(f).files, 5);
	assert_int_equal(look(f).px_sum, px_sum(250));
	snprintf(path, sizeof(path),
	    "%s/kind=price_ticks/venue=binance/date=2025-11-24/hour=20/"
	    "host-main-0000000000000001-00000000-0.parquet",
	    f->dir);
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, p, 1 << 20);

	close(fd);
	assert_true(n > 0);
	pqr_open(r, p, (size_t)n);
	for (unsigned i = 0; i < r->kvs; i++) {
		if (r->key[i].len != 11 ||
		    memcmp(r->key[i].p, "config_hash", 11) != 0)
			continue;
		assert_memory_equal(r->value[i].p, "0000000000001234", 16);
		seen = true;
	}
	assert_true(seen);
	assert_memory_equal(r->created_by.p, "ringmaker version", 17);
	free(r);
	free(p);
}

/* A crash leaves the segment without its end: the next start converts it. */
static void
after_a_crash(void **state)
{
	struct fixture *f = *state;
	struct journal_found sum;
	struct journal_open open = {.tap_n = 0};

	name_btc(f);
	trades(f, 300);
	assert_int_equal(journal_flush(&f->journal, &f->now), 0);
	/* half a block more */
	trades(f, 100);
	journal_seal(&f->journal.j, &f->now);
	assert_int_equal(
	    pwrite(f->journal.fd, f->buf, 1000, (off_t)f->journal.off), 1000);
	reopen(f);
	f->session++;
	struct journal_resume_args ra = {.dirfd = f->io.journal,
	    .prefix = "host-main",
	    .run_id = 5,
	    .buf = f->buf,
	    .cap = BUF_CAP};

	assert_int_equal(journal_resume(&ra, &open, &sum), 0);
	assert_int_equal(sum.torn_bytes, 1000);
	assert_int_equal(convert(f, 0), 0);
	assert_int_equal(look(f).trades, 300);
	assert_int_equal(look(f).px_sum, px_sum(300));
	assert_int_equal(look(f).journals, 0);
}

/* Killed at any write, sync, rename or unlink of the conversion: doing it
 * again gives every row once. */
static void
killed_while_converting(void **state)
{
	struct fixture *f = *state;
	char done[JOURNAL_NAME_SZ];

	for (unsigned round = 0; round < 40; round++) {
		int status;
		uint64_t before = f->seq[0] - 1;

		name_btc(f);
		trades(f, 2500);
		fills(f, 60);
		assert_int_equal(journal_rotate(&f->journal, &f->now, done), 0);
		pid_t pid = fork();

		if (pid == 0) {
			convert(f, f->journal.segment);
			_exit(0);
		}
		usleep(round * 150);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(look(f).trades >= before);
		assert_int_equal(convert(f, f->journal.segment), 0);
		struct total t = look(f);

		assert_int_equal(t.trades, f->seq[0] - 1);
		assert_int_equal(t.px_sum, px_sum(f->seq[0] - 1));
		assert_int_equal(t.fills, f->seq[1] - 1);
		assert_int_equal(t.journals, 0);
	}
}

/* An earlier, cut-off try with smaller row groups had made more files. */
static void
fewer_files_the_second_time(void **state)
{
	struct fixture *f = *state;
	char done[JOURNAL_NAME_SZ];
	char path[2][256];

	name_btc(f);
	trades(f, 10);
	assert_int_equal(journal_rotate(&f->journal, &f->now, done), 0);
	struct journal_id id = {f->session, 0};

	assert_int_equal(rec_io_begin(&f->io, &id), 0);
	for (int i = 0; i < 2; i++)
		snprintf(path[i], sizeof(path[i]),
		    "%s/kind=price_ticks/venue=binance/date=2025-11-24/"
		    "hour=16/host-main-0000000000000001-00000000-%d.parquet",
		    f->dir, i + 1);
	char mk[1024];

	snprintf(mk, sizeof(mk), "mkdir -p $(dirname %s) && touch %s %s",
	    path[0], path[0], path[1]);
	assert_int_equal(system(mk), 0);
	assert_int_equal(rec_io_work(&f->io, 100), 0);
	assert_int_not_equal(access(path[0], F_OK), 0);
	assert_int_not_equal(access(path[1], F_OK), 0);
	assert_int_equal(look(f).files, 1);
}

/* Disk full while converting: the segment stays, nothing half-made is left,
 * and it works later. */
static void
no_room_for_parquet(void **state)
{
	struct fixture *f = *state;
	char done[JOURNAL_NAME_SZ];
	int status;

	name_btc(f);
	trades(f, 5000);
	assert_int_equal(journal_rotate(&f->journal, &f->now, done), 0);
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit lim = {5000, 5000};

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &lim);
		_exit(convert(f, 1) == -EFBIG && f->io.stat.errors == 1 &&
			      !f->io.busy
			  ? 0
			  : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(look(f).files, 0);
	assert_int_equal(look(f).temps, 0);
	assert_int_equal(look(f).journals, 1);
	assert_int_equal(convert(f, 1), 0);
	assert_int_equal(look(f).trades, 5000);
}

static void
damaged_segment_is_kept(void **state)
{
	struct fixture *f = *state;
	char done[JOURNAL_NAME_SZ];
	char path[512];
	off_t at[4];

	name_btc(f);
	for (int i = 0; i < 4; i++) {
		trades(f, 100);
		journal_flush(&f->journal, &f->now);
		at[i] = (off_t)f->journal.off;
	}
	assert_int_equal(journal_rotate(&f->journal, &f->now, done), 0);
	int fd = openat(f->io.journal, done, O_RDWR);

	assert_int_equal(pwrite(fd, "x", 1, at[1] + 300), 1);
	close(fd);
	assert_int_equal(convert(f, 1), 0);
	struct total t = look(f);

	assert_int_equal(t.trades, 300);
	assert_int_equal(t.gap_rows, 1);
	assert_int_equal(t.lost, 100);
	assert_int_equal(t.journals, 0);
	snprintf(path, sizeof(path), "%s/journal/%s.damaged", f->dir, done);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(f->io.stat.lost, 100);
}

static void
only_one_recorder(void **state)
{
	struct fixture *f = *state;
	struct rec_io other;
	struct err e;

	assert_int_equal(rec_io_open(&other, &f->args, &e), -EBUSY);
	assert_non_null(strstr(e.text, "another recorder"));
	struct rec_io_args a = f->args;

	a.prefix = "host-second";
	assert_int_equal(rec_io_open(&other, &a, &e), 0);
	rec_io_close(&other);
	a.dir = "/proc/nowhere";
	assert_true(rec_io_open(&other, &a, &e) < 0);
	assert_non_null(strstr(e.text, "/proc/nowhere"));
}

/* An empty or foreign file in the journal directory harms nothing. */
static void
odd_files(void **state)
{
	struct fixture *f = *state;
	int fd =
	    openat(f->io.journal, "host-main-0000000000000000-00000000.rmj",
		O_CREAT | O_WRONLY, 0600);

	close(fd);
	fd = openat(f->io.journal, "host-main-0000000000000000-00000001.rmj",
	    O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, "garbage, not a journal", 22), 22);
	close(fd);
	close(openat(f->io.journal, "README", O_CREAT | O_WRONLY, 0600));
	assert_int_equal(convert(f, 0), 0);
	assert_int_equal(look(f).files, 0);
	assert_int_equal(look(f).journals, 0);
	assert_int_equal(
	    faccessat(f->io.journal,
		"host-main-0000000000000000-00000001.rmj.damaged", F_OK, 0),
	    0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(one_segment),
	    T(hours_and_footer),
	    T(after_a_crash),
	    T(killed_while_converting),
	    T(fewer_files_the_second_time),
	    T(no_room_for_parquet),
	    T(damaged_segment_is_kept),
	    T(only_one_recorder),
	    T(odd_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
