/* links: recorderd libshm libcore */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "libcore/hash.h"
#include "recorderd/journal_io.h"

#define CAP (JOURNAL_BUF_MIN * 2)
#define RUN 77u

/* What the disk does to us. */
struct disk {
	uint64_t room; /* bytes that still fit                        */
	int write_err; /* every write fails with this, after room     */
	int open_err;
	int sync_err;
	uint64_t free_bytes;
	unsigned opens;
	uint64_t pushed;      /* of write-back                               */
	unsigned short_every; /* every so many writes takes only a part  */
	unsigned writes;
};

static int
disk_open(void *ctx, int dirfd, const char *name)
{
	struct disk *d = ctx;

	d->opens++;
	if (d->open_err != 0)
		return d->open_err;
	return journal_posix.open(NULL, dirfd, name);
}

static ssize_t
disk_pwrite(void *ctx, int fd, const void *buf, size_t n, uint64_t at)
{
	struct disk *d = ctx;

	d->writes++;
	if (d->room == 0)
		return d->write_err;
	if (d->short_every != 0 && d->writes % d->short_every == 0) {
		if (d->writes % (2 * d->short_every) == 0)
			return -EINTR;
		n = n / 3 + 1;
	}
	if (n > d->room)
		n = (size_t)d->room;
	ssize_t w = journal_posix.pwrite(NULL, fd, buf, n, at);

	if (w > 0)
		d->room -= (uint64_t)w;
	return w;
}

static int
disk_sync(void *ctx, int fd)
{
	struct disk *d = ctx;

	return d->sync_err != 0 ? d->sync_err : journal_posix.sync(NULL, fd);
}

static void
disk_push_out(void *ctx, int fd, uint64_t at, uint64_t n)
{
	struct disk *d = ctx;

	assert_int_equal(at, d->pushed);
	d->pushed += n;
	journal_posix.push_out(NULL, fd, at, n);
}

static int
disk_truncate(void *ctx, int fd, uint64_t len)
{
	(void)ctx;
	return journal_posix.truncate(NULL, fd, len);
}

static int
disk_free(void *ctx, int dirfd, uint64_t *out)
{
	struct disk *d = ctx;

	(void)dirfd;
	*out = d->free_bytes;
	return 0;
}

static const struct journal_ops disk_ops = {.open = disk_open,
    .pwrite = disk_pwrite,
    .sync = disk_sync,
    .push_out = disk_push_out,
    .truncate = disk_truncate,
    .free_bytes = disk_free};

struct fixture {
	char dir[64];
	int dirfd;
	struct disk disk;
	struct journal_io io;
	struct journal_clock now;
	uint8_t *buf;
	uint8_t *rbuf;
	uint64_t seq; /* next to be offered                          */
	uint64_t session;
};

static void
start(struct fixture *f, int64_t sync_ns, int64_t min_free)
{
	struct journal_open open = {.host = "h",
	    .session = ++f->session,
	    .tap_n = 1,
	    .tap = {{.name = "tap.a"}}};
	struct journal_io_args a = {.dirfd = f->dirfd,
	    .prefix = "h-main",
	    .ops = &disk_ops,
	    .ops_ctx = &f->disk,
	    .sync_ns = sync_ns,
	    .min_free = min_free};

	journal_io_init(&f->io, &a, f->buf, CAP, RUN, &open);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/rm-journal-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->dirfd = open(f->dir, O_RDONLY | O_DIRECTORY);
	f->buf = malloc(CAP);
	f->rbuf = malloc(JOURNAL_BUF_MIN);
	f->disk.room = UINT64_MAX;
	f->disk.free_bytes = UINT64_MAX;
	f->now = (struct journal_clock){1000000, 1760000000000000000};
	f->seq = 1;
	start(f, NS_PER_S, 0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	char cmd[128];

	if (f->io.fd >= 0)
		close(f->io.fd);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", f->dir);
	assert_int_equal(system(cmd), 0);
	close(f->dirfd);
	free(f->buf);
	free(f->rbuf);
	free(f);
	return 0;
}

static void
offer(struct fixture *f, unsigned n)
{
	for (unsigned i = 0; i < n; i++, f->seq++) {
		union tap s = {.order = {.hdr = {.kind = MSG_FILL,
					     .seq = f->seq,
					     .recv_ns = f->seq},
				   .id = f->seq * 3}};

		journal_put(&f->io, 0, &s, &f->now);
	}
}

struct sum {
	uint64_t next;
	uint64_t records;
	uint64_t lost;
	uint64_t torn;
	uint64_t bad;
	unsigned files;
	int last_err;
};

/* Read all segments in order: contiguous, each record as offered. */
static struct sum
read_all(struct fixture *f)
{
	struct journal_id id[64];
	struct sum sum = {0};
	int n = journal_list(f->dirfd, "h-main", id, 64);

	assert_true(n >= 0);
	for (int i = 0; i < n; i++) {
		char name[JOURNAL_NAME_SZ];
		struct journal_reader r;
		struct journal_head h;
		const uint8_t *p;

		journal_name(name, "h-main", id[i].session, id[i].segment);
		int fd = openat(f->dirfd, name, O_RDONLY);

		assert_true(fd >= 0);
		journal_reader_init(&r, fd, f->rbuf, JOURNAL_BUF_MIN);
		while ((p = journal_next(&r, &h)) != NULL) {
			struct journal_gap g;
			union tap s;
			size_t pos = 0;

			if (h.kind == JOURNAL_GAP) {
				memcpy(&g, p + sizeof(h), sizeof(g));
				assert_int_equal(g.first_seq, sum.next);
				sum.next += g.lost_n;
				sum.lost += g.lost_n;
				sum.last_err = g.err;
			}
			if (h.kind != JOURNAL_SLOTS)
				continue;
			if (sum.next == 0)
				sum.next = h.first_seq;
			assert_int_equal(h.first_seq, sum.next);
			while (journal_slot(p, &h, &pos, &s)) {
				assert_int_equal(s.hdr.seq, sum.next);
				assert_int_equal(s.order.id, sum.next * 3);
				sum.next++;
				sum.records++;
			}
		}
		assert_int_equal(r.err, 0);
		sum.torn += r.found.torn_bytes;
		sum.bad += r.found.bad_bytes;
		sum.files++;
		close(fd);
	}
	return sum;
}

static void
exactly(struct fixture *f, uint64_t records, uint64_t lost)
{
	struct sum s = read_all(f);

	assert_int_equal(s.records, records);
	assert_int_equal(s.lost, lost);
	assert_int_equal(s.next, f->seq);
	assert_int_equal(s.bad, 0);
}

static void
rotate_and_read(void **state)
{
	struct fixture *f = *state;
	char done[JOURNAL_NAME_SZ];

	assert_int_equal(journal_rotate(&f->io, &f->now, done), 0);
	assert_string_equal(done, "");
	offer(f, 10000);
	assert_int_equal(journal_rotate(&f->io, &f->now, done), 0);
	assert_string_equal(done, "h-main-0000000000000001-00000000.rmj");
	offer(f, 5);
	assert_int_equal(journal_flush(&f->io, &f->now), 0);
	assert_int_equal(f->io.segment, 1);
	exactly(f, 10005, 0);
	assert_int_equal(read_all(f).files, 2);
	assert_int_equal(f->io.stat.segments, 2);
}

static void
short_writes(void **state)
{
	struct fixture *f = *state;

	f->disk.short_every = 2;
	for (int i = 0; i < 50; i++) {
		offer(f, 100);
		assert_int_equal(journal_flush(&f->io, &f->now), 0);
	}
	exactly(f, 5000, 0);
	assert_int_equal(f->io.stat.errors, 0);
}

/* The disk fills up at every possible place of a block, then has room again:
 * the records offered meanwhile are lost, exactly as many as declared. */
static void
disk_full_and_back(void **state)
{
	struct fixture *f = *state;
	uint64_t all = 0;
	uint64_t refused;

	f->disk.write_err = -ENOSPC;
	for (unsigned cut = 0; cut < 700; cut += 37) {
		f->disk.room = 3000 + cut;
		offer(f, 12000);
		assert_int_equal(journal_flush(&f->io, &f->now), -ENOSPC);
		/* Before its time nothing is tried. */
		unsigned writes = f->disk.writes;

		assert_int_equal(journal_flush(&f->io, &f->now), -ENOSPC);
		assert_int_equal(f->disk.writes, writes);
		f->disk.room = UINT64_MAX;
		f->now.mono_ns += (uint64_t)JOURNAL_RETRY;
		assert_int_equal(journal_flush(&f->io, &f->now), 0);
		offer(f, 10);
		assert_int_equal(journal_flush(&f->io, &f->now), 0);
		all = f->seq - 1;
		refused = f->io.j.n[0].refused;
		assert_true(refused > 0);
		exactly(f, all - refused, refused);
	}
	assert_int_equal(read_all(f).last_err, ENOSPC);
	assert_int_equal(read_all(f).files, 1);
	assert_int_equal(f->io.j.n[0].lost, f->io.j.n[0].refused);
}

static void
stop_while_full(void **state)
{
	struct fixture *f = *state;

	f->disk.write_err = -ENOSPC;
	f->disk.room = 100000;
	offer(f, 20000);
	/* The last ones were refused; nothing comes after them. */
	assert_true(f->io.j.n[0].refused > 0);
	f->disk.room = UINT64_MAX;
	f->now.mono_ns += (uint64_t)JOURNAL_RETRY;
	assert_int_equal(journal_flush(&f->io, &f->now), 0);
	assert_true(journal_pass(&f->io.j, 0, f->seq, &f->now));
	assert_int_equal(journal_flush(&f->io, &f->now), 0);
	exactly(f, f->seq - 1 - f->io.j.n[0].refused, f->io.j.n[0].refused);
}

/* An error that is not about space: cut the file, go on in the next one. */
static void
io_error_changes_file(void **state)
{
	struct fixture *f = *state;

	f->disk.write_err = -EIO;
	for (unsigned round = 0; round < 5; round++) {
		f->disk.room = 70001 + round * 100;
		offer(f, 1000);
		assert_int_equal(journal_flush(&f->io, &f->now), -EIO);
		f->disk.room = UINT64_MAX;
		f->now.mono_ns += (uint64_t)JOURNAL_RETRY;
		offer(f, 10);
		assert_int_equal(journal_flush(&f->io, &f->now), 0);
		exactly(f, f->seq - 1, 0);
		assert_int_equal(read_all(f).torn, 0);
	}
	assert_int_equal(read_all(f).files, 6);
}

static void
cannot_open(void **state)
{
	struct fixture *f = *state;

	f->disk.open_err = -EROFS;
	offer(f, 10000);
	assert_int_equal(journal_flush(&f->io, &f->now), -EROFS);
	uint64_t refused = f->io.j.n[0].refused;

	assert_true(refused > 0);
	f->disk.open_err = 0;
	f->now.mono_ns += (uint64_t)JOURNAL_RETRY;
	offer(f, 1);
	assert_int_equal(journal_flush(&f->io, &f->now), 0);
	offer(f, 1);
	assert_int_equal(journal_flush(&f->io, &f->now), 0);
	exactly(f, f->seq - 1 - f->io.j.n[0].refused, f->io.j.n[0].lost);
	assert_int_equal(f->io.j.n[0].lost, f->io.j.n[0].refused);
	assert_int_equal(read_all(f).last_err, EROFS);
}

/* The very first bytes of a segment do not fit: no empty file is left. */
static void
no_room_for_a_header(void **state)
{
	struct fixture *f = *state;

	f->disk.write_err = -ENOSPC;
	f->disk.room = 17;
	offer(f, 1);
	assert_int_equal(journal_flush(&f->io, &f->now), -ENOSPC);
	assert_int_equal(read_all(f).files, 0);
	f->disk.room = UINT64_MAX;
	f->now.mono_ns += (uint64_t)JOURNAL_RETRY;
	assert_int_equal(journal_flush(&f->io, &f->now), 0);
	exactly(f, 1, 0);
}

static void
low_space_counts_as_full(void **state)
{
	struct fixture *f = *state;

	start(f, NS_PER_S, 1000);
	f->disk.free_bytes = 999;
	offer(f, 1);
	assert_int_equal(journal_flush(&f->io, &f->now), -ENOSPC);
	f->disk.free_bytes = 1000;
	f->now.mono_ns += (uint64_t)JOURNAL_RETRY;
	assert_int_equal(journal_flush(&f->io, &f->now), 0);
	exactly(f, 1, 0);
}

/* Write-back is begun in steps, and leaves less than one to the sync. */
static void
write_back(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 100; i++) {
		offer(f, 1000);
		assert_int_equal(journal_flush(&f->io, &f->now), 0);
		assert_true(f->io.off - f->disk.pushed < JOURNAL_PUSH);
	}
	assert_true(f->disk.pushed > JOURNAL_PUSH);
	exactly(f, 100000, 0);
}

static void
sync_policy(void **state)
{
	struct fixture *f = *state;

	offer(f, 1);
	assert_int_equal(journal_flush(&f->io, &f->now), 0);
	assert_int_equal(f->io.stat.syncs, 0);
	f->now.mono_ns += (uint64_t)NS_PER_S;
	assert_int_equal(journal_flush(&f->io, &f->now), 0);
	assert_int_equal(f->io.stat.syncs, 1);
	f->now.mono_ns += (uint64_t)NS_PER_S;
	assert_int_equal(journal_flush(&f->io, &f->now), 0);
	assert_int_equal(f->io.stat.syncs, 1); /* nothing new */
	f->disk.sync_err = -EIO;
	offer(f, 1);
	assert_int_equal(journal_flush(&f->io, &f->now), 0);
	f->now.mono_ns += (uint64_t)NS_PER_S;
	assert_int_equal(journal_flush(&f->io, &f->now), -EIO);
	f->disk.sync_err = 0;
	f->now.mono_ns += (uint64_t)JOURNAL_RETRY;
	offer(f, 1);
	assert_int_equal(journal_flush(&f->io, &f->now), 0);
	assert_int_equal(read_all(f).files, 2);
	exactly(f, 3, 0);
}

/* The kernel itself refuses: a file size limit. */
static void
file_size_limit(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit lim = {40000, 40000};

		signal(SIGXFSZ, SIG_IGN);
		if (setrlimit(RLIMIT_FSIZE, &lim) != 0)
			_exit(2);
		for (int i = 0; i < 30; i++) {
			offer(f, 50);
			journal_flush(&f->io, &f->now);
			f->now.mono_ns += (uint64_t)JOURNAL_RETRY;
		}
		journal_flush(&f->io, &f->now);
		_exit(f->io.j.n[0].refused == 0 && f->io.j.len == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	f->seq = 1501;
	exactly(f, 1500, 0);
	assert_true(read_all(f).files > 4);
}

/* A real full disk: a small tmpfs, where mounting is allowed. */
static void
small_tmpfs(void **state)
{
	struct fixture *f = *state;

	if (mount("none", f->dir, "tmpfs", 0, "size=1m") != 0) {
		printf("skipped: cannot mount a tmpfs: %s\n", strerror(errno));
		skip();
	}
	close(f->dirfd);
	f->dirfd = open(f->dir, O_RDONLY | O_DIRECTORY);
	int ballast = openat(f->dirfd, "ballast", O_CREAT | O_WRONLY, 0600);

	assert_int_equal(ftruncate(ballast, 0), 0);
	assert_int_equal(posix_fallocate(ballast, 0, 700000), 0);
	start(f, 0, 0);
	offer(f, 30000);
	int rc = journal_flush(&f->io, &f->now);
	uint64_t refused = f->io.j.n[0].refused;

	unlinkat(f->dirfd, "ballast", 0);
	close(ballast);
	f->now.mono_ns += (uint64_t)JOURNAL_RETRY;
	int rc2 = journal_flush(&f->io, &f->now);
	struct sum s = read_all(f);

	close(f->io.fd);
	f->io.fd = -1;
	close(f->dirfd);
	umount2(f->dir, MNT_DETACH);
	f->dirfd = open(f->dir, O_RDONLY | O_DIRECTORY);
	assert_int_equal(rc, -ENOSPC);
	assert_true(refused > 0);
	assert_true(s.records > 1000);
	assert_int_equal(s.bad, 0);
	/* What fits went in, from the first record on. */
	assert_true(rc2 == 0 || rc2 == -ENOSPC);
	assert_int_equal(s.next, s.records + s.lost + 1);
}

/* Cut a file at any length, or spoil a block in its middle. */
static void
torn_and_spoiled(void **state)
{
	struct fixture *f = *state;
	struct journal_found found;
	char name[JOURNAL_NAME_SZ];
	struct stat st;

	for (int i = 0; i < 10; i++) {
		offer(f, 3);
		assert_int_equal(journal_flush(&f->io, &f->now), 0);
	}
	strcpy(name, f->io.name);
	int fd = openat(f->dirfd, name, O_RDWR);

	assert_int_equal(fstat(fd, &st), 0);
	uint8_t *copy = malloc((size_t)st.st_size);
	off_t block = 128 + 3 * 128;

	assert_int_equal(pread(fd, copy, (size_t)st.st_size, 0), st.st_size);
	for (off_t len = st.st_size; len >= 0; len -= 41) {
		assert_int_equal(
		    pwrite(fd, copy, (size_t)st.st_size, 0), st.st_size);
		assert_int_equal(ftruncate(fd, len), 0);
		assert_int_equal(journal_recover(f->dirfd, name, f->rbuf,
				     JOURNAL_BUF_MIN, &found),
		    0);
		uint64_t whole =
		    len < (off_t)JOURNAL_OPEN_SZ
			? 0
			: (uint64_t)(len - (off_t)JOURNAL_OPEN_SZ) /
			      (uint64_t)block;

		assert_int_equal(found.records, whole * 3);
		assert_int_equal(found.bytes + found.torn_bytes, len);
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_size, found.bytes);
		st.st_size = (off_t)JOURNAL_OPEN_SZ + 10 * block;
	}
	copy[JOURNAL_OPEN_SZ + (size_t)block * 4 + 200] ^= 1;
	assert_int_equal(pwrite(fd, copy, (size_t)st.st_size, 0), st.st_size);
	assert_int_equal(
	    journal_recover(f->dirfd, name, f->rbuf, JOURNAL_BUF_MIN, &found),
	    0);
	assert_int_equal(found.records, 27);
	assert_int_equal(found.bad_bytes, block);
	assert_int_equal(found.torn_bytes, 0);
	assert_int_equal(found.open.tap[0].next_seq, 31);
	free(copy);
	close(fd);
}

static void
resume(void **state)
{
	struct fixture *f = *state;
	struct journal_open open = {
	    .tap_n = 2, .tap = {{.name = "tap.other"}, {.name = "tap.a"}}};
	struct journal_found sum;
	struct journal_resume_args a = {.dirfd = f->dirfd,
	    .prefix = "h-main",
	    .run_id = RUN,
	    .buf = f->rbuf,
	    .cap = JOURNAL_BUF_MIN};

	offer(f, 100);
	assert_int_equal(journal_flush(&f->io, &f->now), 0);
	start(f, NS_PER_S, 0);
	f->seq = 90;
	offer(f, 5);
	assert_int_equal(journal_flush(&f->io, &f->now), 0);
	assert_int_equal(journal_resume(&a, &open, &sum), 0);
	assert_int_equal(open.tap[1].next_seq, 101); /* found by name */
	assert_int_equal(open.tap[0].next_seq, 0);
	assert_int_equal(sum.records, 105);
	a.run_id = RUN + 1; /* another run counts from 1 again */
	open.tap[1].next_seq = 0;
	assert_int_equal(journal_resume(&a, &open, &sum), 0);
	assert_int_equal(open.tap[1].next_seq, 0);
}

static void
names(void **state)
{
	struct fixture *f = *state;
	struct journal_id id[2];
	uint64_t session;
	uint32_t segment;

	assert_true(journal_name_parse("h-main-00000000000000ff-00000012.rmj",
	    "h-main", &session, &segment));
	assert_int_equal(session, 255);
	assert_int_equal(segment, 12);
	assert_false(journal_name_parse(
	    "h-main-ff-12.rmj", "h-main", &session, &segment));
	assert_false(journal_name_parse("h-main2-00000000000000ff-00000012.rmj",
	    "h-main", &session, &segment));
	assert_false(
	    journal_name_parse("h-main-", "h-main", &session, &segment));
	for (int i = 5; i > 0; i--) {
		start(f, NS_PER_S, 0);
		f->seq = 1;
		offer(f, 1);
		journal_flush(&f->io, &f->now);
		close(f->io.fd);
		f->io.fd = -1;
	}
	assert_int_equal(journal_list(f->dirfd, "h-main", id, 2), 2);
	assert_int_equal(id[0].session, 2);
	assert_int_equal(id[1].session, 3);
	assert_int_equal(journal_list(-1, "h-main", id, 2), -EBADF);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(rotate_and_read),
	    T(short_writes),
	    T(disk_full_and_back),
	    T(stop_while_full),
	    T(io_error_changes_file),
	    T(cannot_open),
	    T(no_room_for_a_header),
	    T(low_space_counts_as_full),
	    T(write_back),
	    T(sync_policy),
	    T(file_size_limit),
	    T(small_tmpfs),
	    T(torn_and_spoiled),
	    T(resume),
	    T(names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
