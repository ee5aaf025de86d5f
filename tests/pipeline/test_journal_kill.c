/* links: recorderd libshm libcore */
/*
 * A process writes the journal and is killed at random moments. A shared page
 * plays the ring: it holds the cursor that the writer committed after its
 * flush, and from there the next life is served again. After every death:
 * what was acknowledged is there, and over all files nothing is twice, torn
 * or missing.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "libcore/hash.h"
#include "recorderd/journal_io.h"

#define KILLS 200
#define TAPS  3u
#define RUN   4711u
#define CAP   (JOURNAL_BUF_MIN * 2)

struct shared {
	_Atomic uint64_t cursor[TAPS]; /* all below are acknowledged      */
};

static uint64_t seed;
static char dir[64];
static int dirfd_;
static uint8_t *buf;
static struct shared *shared;

static uint64_t
rnd(void)
{
	seed = hash_u64(seed, 1);
	return seed;
}

static union tap
slot_of(uint16_t tap, uint64_t seq)
{
	union tap s;
	uint64_t h = hash_u64(tap * 1000 + 5, seq);

	memset(&s, 0, sizeof(s));
	s.hdr.seq = seq;
	s.hdr.recv_ns = seq;
	s.hdr.kind = h % 4 == 0 ? MSG_FILL : TICK_TRADE;
	s.tick.u.raw[0] = h;
	s.tick.u.raw[3] = ~h;
	if (s.hdr.kind == MSG_FILL)
		s.order.fill_id = h * 7;
	return s;
}

static struct journal_open
open_of(uint64_t session)
{
	struct journal_open open = {.session = session, .tap_n = TAPS};

	for (unsigned i = 0; i < TAPS; i++)
		snprintf(
		    open.tap[i].name, sizeof(open.tap[i].name), "tap.%u", i);
	return open;
}

/* One life: recover, take the taps from their cursors, write for ever. */
static void
life(uint64_t session, uint64_t how)
{
	struct journal_open open = open_of(session);
	struct journal_clock now = {1, 1};
	struct journal_found sum;
	struct journal_resume_args ra = {.dirfd = dirfd_,
	    .prefix = "k",
	    .run_id = RUN,
	    .buf = buf,
	    .cap = CAP};
	struct journal_io_args a = {.dirfd = dirfd_,
	    .prefix = "k",
	    .ops = &journal_posix,
	    .sync_ns = INT64_MAX};
	struct journal_io io;
	uint64_t next[TAPS];
	char done[JOURNAL_NAME_SZ];

	if (journal_resume(&ra, &open, &sum) != 0)
		_exit(3);
	journal_io_init(&io, &a, buf, CAP, RUN, &open);
	for (unsigned i = 0; i < TAPS; i++)
		next[i] = atomic_load(&shared->cursor[i]);
	for (uint64_t round = 0;; round++) {
		unsigned batch = 1 + (unsigned)(how % 60);

		for (uint16_t t = 0; t < TAPS; t++) {
			for (unsigned i = 0; i < batch; i++) {
				union tap s = slot_of(t, next[t]++);

				journal_put(&io, t, &s, &now);
			}
			batch = batch / 2 + 1;
		}
		if (round % (1 + how % 5) != 0)
			continue;
		if (journal_flush(&io, &now) != 0)
			_exit(4);
		for (unsigned t = 0; t < TAPS; t++)
			atomic_store(&shared->cursor[t], next[t]);
		if (round % 997 == 996 && journal_rotate(&io, &now, done) != 0)
			_exit(5);
	}
}

struct sum {
	uint64_t next[TAPS];
	uint64_t records;
	uint64_t torn;
	unsigned files;
};

static void
read_file(const char *name, struct sum *sum)
{
	struct journal_reader r;
	struct journal_head h;
	const uint8_t *p;
	int fd = openat(dirfd_, name, O_RDONLY);

	assert_true(fd >= 0);
	journal_reader_init(&r, fd, buf, CAP);
	while ((p = journal_next(&r, &h)) != NULL) {
		union tap s;
		size_t pos = 0;

		assert_int_not_equal(h.kind, JOURNAL_GAP);
		if (h.kind != JOURNAL_SLOTS)
			continue;
		assert_true(h.tap < TAPS);
		assert_int_equal(h.first_seq, sum->next[h.tap]);
		while (journal_slot(p, &h, &pos, &s)) {
			union tap want = slot_of(h.tap, sum->next[h.tap]++);

			assert_memory_equal(&s, &want, sizeof(s));
			sum->records++;
		}
	}
	assert_int_equal(r.found.bad_bytes, 0);
	sum->torn += r.found.torn_bytes;
	sum->files++;
	close(fd);
}

/* All files there are, in order, on top of what was dropped before. */
static void
check_new(struct sum *sum, uint64_t session)
{
	static struct journal_id id[JOURNAL_LIST_MAX];
	int n = journal_list(dirfd_, "k", id, JOURNAL_LIST_MAX);

	assert_true(n >= 0);
	for (int i = 0; i < n; i++) {
		char name[JOURNAL_NAME_SZ];

		journal_name(name, "k", id[i].session, id[i].segment);
		read_file(name, sum);
		assert_true(id[i].session <= session);
	}
}

static void
drop_old(void)
{
	static struct journal_id id[JOURNAL_LIST_MAX];
	int n = journal_list(dirfd_, "k", id, JOURNAL_LIST_MAX);

	for (int i = 0; i < n; i++) {
		char name[JOURNAL_NAME_SZ];

		journal_name(name, "k", id[i].session, id[i].segment);
		assert_int_equal(unlinkat(dirfd_, name, 0), 0);
	}
}

static void
killed_any_time(void **state)
{
	struct sum sum = {.next = {1, 1, 1}};
	uint64_t torn = 0;
	unsigned empty = 0;

	(void)state;
	for (unsigned i = 0; i < TAPS; i++)
		atomic_store(&shared->cursor[i], 1);
	for (unsigned k = 0; k < KILLS; k++) {
		uint64_t how = rnd();
		struct timespec wait = {
		    .tv_nsec = (long)(rnd() % (k % 4 == 0 ? 500000 : 8000000))};
		struct sum before = sum;
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			life(k + 1, how);
		nanosleep(&wait, NULL);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		/* The reader sees the torn tail; recovery cuts it. */
		check_new(&sum, k + 1);
		torn += sum.torn - before.torn;
		for (unsigned t = 0; t < TAPS; t++)
			assert_true(
			    sum.next[t] >= atomic_load(&shared->cursor[t]));
		empty += sum.records == before.records;
		/* Every tenth time the files are dropped, to keep the test
		 * short; the ring is then committed up to their end. */
		if (k % 10 == 9) {
			drop_old();
			for (unsigned t = 0; t < TAPS; t++)
				atomic_store(&shared->cursor[t], sum.next[t]);
		} else {
			sum.records = before.records;
			memcpy(sum.next, before.next, sizeof(sum.next));
		}
	}
	printf("%llu records checked, %llu torn bytes, %u lives too short\n",
	    (unsigned long long)sum.records, (unsigned long long)torn, empty);
	assert_true(sum.records > 10000);
	assert_true(empty < KILLS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(killed_any_time),
	};
	const char *env = getenv("SEED");
	char cmd[128];

	seed = env != NULL ? strtoull(env, NULL, 0) : (uint64_t)time(NULL);
	printf("seed %llu (SEED= repeats it)\n", (unsigned long long)seed);
	fflush(stdout);
	snprintf(dir, sizeof(dir), "/tmp/rm-kill-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return 1;
	dirfd_ = open(dir, O_RDONLY | O_DIRECTORY);
	buf = malloc(CAP);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return system(cmd) == 0 ? rc : 1;
}
