/* links: libshm libcore */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libshm/cfgpage.h"

static char dir[] = "/tmp/test_cfgpage.XXXXXX";
static int dirfd_;
static struct cfg c;
static struct cfg got;
static struct cfgpage page;
static struct err e;

/* A fresh page with the defaults. */
static void
create(void)
{
	unlinkat(dirfd_, CFGPAGE_NAME, 0);
	cfg_defaults(&c);
	assert_int_equal(cfgpage_create(&page, dirfd_, 7, &c, &e), 0);
}

static void
published_is_read_back(void **state)
{
	struct cfgpage reader;
	uint64_t epoch = 0;

	(void)state;
	create();
	assert_int_equal(cfgpage_attach(&reader, dirfd_, false, &e), 0);
	assert_int_equal(cfgpage_epoch(&reader), 1);
	assert_int_equal(cfgpage_read(&reader, &got, &epoch), 0);
	assert_int_equal(epoch, 1);
	assert_memory_equal(&got, &c, sizeof(c));
	for (int64_t i = 1; i <= 5; i++) {
		c.mm_max_markets = i;
		assert_int_equal(cfgpage_publish(&page, &c), 1 + i);
		assert_int_equal(cfgpage_epoch(&reader), 1 + i);
		assert_int_equal(cfgpage_read(&reader, &got, &epoch), 0);
		assert_int_equal(epoch, 1 + i);
		assert_int_equal(got.mm_max_markets, i);
	}
	cfgpage_detach(&reader);
	cfgpage_detach(&page);
}

static void
adopting_writer_goes_on(void **state)
{
	uint64_t epoch;

	(void)state;
	create();
	cfgpage_publish(&page, &c);
	cfgpage_detach(&page);
	assert_int_equal(cfgpage_create(&page, dirfd_, 7, &c, &e), -EEXIST);
	assert_true(strlen(e.text) > 0);
	assert_int_equal(cfgpage_attach(&page, dirfd_, true, &e), 0);
	c.mm_max_markets = 9;
	assert_int_equal(cfgpage_publish(&page, &c), 3);
	assert_int_equal(cfgpage_read(&page, &got, &epoch), 0);
	assert_int_equal(got.mm_max_markets, 9);
	cfgpage_detach(&page);
}

/* The file as bytes, to spoil it. */
static unsigned char *
map_raw(size_t *sz)
{
	struct stat st;
	int fd = openat(dirfd_, CFGPAGE_NAME, O_RDWR);
	void *p;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	*sz = (size_t)st.st_size;
	p = mmap(NULL, *sz, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(p != MAP_FAILED);
	close(fd);
	return p;
}

static void
nonsense_is_not_taken(void **state)
{
	size_t sz;
	unsigned char *raw;
	uint64_t epoch = 77;

	(void)state;
	create();
	raw = map_raw(&sz);
	memset(raw + sz - sizeof(struct cfg), 0xff, sizeof(struct cfg));
	memset(&got, 0x11, sizeof(got));
	memcpy(&c, &got, sizeof(c));
	assert_int_equal(cfgpage_read(&page, &got, &epoch), -EBADMSG);
	assert_int_equal(epoch, 77);
	assert_memory_equal(&got, &c, sizeof(c));
	munmap(raw, sz);
	cfgpage_detach(&page);
}

static void
refusals(void **state)
{
	struct cfgpage reader;
	struct shm_hdr *h;
	size_t sz;
	unsigned char *raw;

	(void)state;
	unlinkat(dirfd_, CFGPAGE_NAME, 0);
	assert_int_equal(cfgpage_attach(&reader, dirfd_, false, &e), -ENOENT);
	assert_true(strlen(e.text) > 0);

	create();
	raw = map_raw(&sz);
	h = (struct shm_hdr *)(void *)raw;
	h->layout ^= 1;
	assert_int_equal(cfgpage_attach(&reader, dirfd_, false, &e), -EPROTO);
	h->layout ^= 1;
	h->magic ^= 1;
	assert_int_equal(cfgpage_attach(&reader, dirfd_, false, &e), -EINVAL);
	h->magic ^= 1;
	h->kind = SHM_CTL;
	assert_int_equal(cfgpage_attach(&reader, dirfd_, false, &e), -EPROTO);
	h->kind = SHM_CONFIG;
	assert_int_equal(fchmodat(dirfd_, CFGPAGE_NAME, 0644, 0), 0);
	assert_int_equal(cfgpage_attach(&reader, dirfd_, false, &e), -EPERM);
	assert_int_equal(fchmodat(dirfd_, CFGPAGE_NAME, 0600, 0), 0);
	assert_int_equal(cfgpage_attach(&reader, dirfd_, false, &e), 0);
	cfgpage_detach(&reader);
	munmap(raw, sz);
	cfgpage_detach(&page);
	unlinkat(dirfd_, CFGPAGE_NAME, 0);
	assert_int_equal(symlinkat("elsewhere", dirfd_, CFGPAGE_NAME), 0);
	assert_true(cfgpage_attach(&reader, dirfd_, false, &e) < 0);
	unlinkat(dirfd_, CFGPAGE_NAME, 0);
}

/* A writer as fast as it can, in another process, killed at some moment: a
 * reader sees whole configurations only, and the last one stays readable. */
static void
killed_writer_leaves_a_whole_one(void **state)
{
	struct cfgpage reader;
	uint64_t last = 0;
	uint64_t epoch;
	int whole = 0;

	(void)state;
	create();
	assert_int_equal(cfgpage_attach(&reader, dirfd_, false, &e), 0);
	for (int round = 0; round < 20; round++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		for (int64_t i = 1; pid == 0; i = 1 + i % 1000) {
			c.mm_max_markets = i;
			c.latency_raw_trips = 1 + i % 100;
			c.live_confirm.s[0] = (char)('A' + i % 26);
			cfgpage_publish(&page, &c);
		}
		for (int i = 0; i < 200; i++) {
			if (cfgpage_read(&reader, &got, &epoch) == -EAGAIN)
				continue;
			assert_true(epoch >= last);
			last = epoch;
			if (epoch == 1)
				continue;
			whole++;
			assert_int_equal(got.latency_raw_trips,
			    1 + got.mm_max_markets % 100);
			assert_int_equal(got.live_confirm.s[0],
			    'A' + got.mm_max_markets % 26);
		}
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		assert_int_equal(cfgpage_read(&reader, &got, &epoch), 0);
		last = epoch;
	}
	assert_true(whole > 0);
	cfgpage_detach(&reader);
	cfgpage_detach(&page);
}

static void
broken_contracts_abort(void **state)
{
	struct cfgpage reader;

	(void)state;
	create();
	assert_int_equal(cfgpage_attach(&reader, dirfd_, false, &e), 0);
	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (pid == 0) {
			signal(SIGABRT, SIG_DFL);
			close(STDERR_FILENO);
			if (i == 0)
				cfgpage_publish(&reader, &c);
			c.mm_max_markets = 0;
			if (i == 1)
				cfgpage_publish(&page, &c);
			cfgpage_detach(&page);
			cfgpage_epoch(&page);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
	cfgpage_detach(&reader);
	cfgpage_detach(&page);
}

static int
make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	dirfd_ = open(dir, O_RDONLY | O_DIRECTORY);
	return dirfd_ < 0;
}

static int
remove_dir(void **state)
{
	(void)state;
	unlinkat(dirfd_, CFGPAGE_NAME, 0);
	close(dirfd_);
	return rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(published_is_read_back),
	    cmocka_unit_test(adopting_writer_goes_on),
	    cmocka_unit_test(nonsense_is_not_taken),
	    cmocka_unit_test(refusals),
	    cmocka_unit_test(killed_writer_leaves_a_whole_one),
	    cmocka_unit_test(broken_contracts_abort),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
