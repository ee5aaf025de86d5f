/* links: libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "libshm/ring.h"
#include "tests/unit/shmdir.h"

static struct shmdir dir;
static struct bell *bell;
static struct err err;

static int
setup(void **state)
{
	(void)state;
	shmdir_open(&dir);
	bell = mmap(
	    0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(bell != MAP_FAILED);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	munmap(bell, 4096);
	shmdir_close(&dir);
	return 0;
}

static void
test_awake_costs_nothing(void **state)
{
	struct bell_ref ref = {bell, -1};
	struct bell_ref none = {0, -1};

	(void)state;
	bell_check(&ref);
	bell_check(&none);
	assert_int_equal(bell->word, 0);
	bell_wake(&ref);
	assert_int_equal(bell->word, 0);
	bell_prepare(bell, BELL_FUTEX);
	assert_int_equal(bell->sleeping, BELL_FUTEX);
	bell_cancel(bell);
	bell_check(&ref);
	assert_int_equal(bell->word, 0);
	assert_int_equal(bell->wakes, 0);
}

static void
test_limit(void **state)
{
	(void)state;
	/* Without registration: 1 ms. */
	assert_int_equal(bell_limit_ns(), 1000000);
	bell_prepare(bell, BELL_FUTEX);
	bell_wait(bell, UINT64_MAX);
	assert_int_equal(bell->sleeping, BELL_AWAKE);
	if (!bell_register()) {
		printf("skipped: membarrier is not available here\n");
		skip();
	}
	assert_int_equal(bell_limit_ns(), BELL_SLEEP_NS_MAX);
	bell_prepare(bell, BELL_FUTEX);
	bell_wait(bell, UINT64_MAX);
	assert_int_equal(bell->sleeping, BELL_AWAKE);
	/* Rung between the last look and the sleep. */
	bell_prepare(bell, BELL_FUTEX);
	bell_wake(&(struct bell_ref){bell, -1});
	bell_wait(bell, UINT64_MAX);
	assert_int_equal(bell->wakes, 1);
}

/* A message for every sleep, at gaps that race with falling asleep. The
 * sleeper counts the times that only the limit woke it with work waiting. */
static void
test_no_wake_is_lost(void **state)
{
	static const struct ring_def def = {
	    "b.race", ST_QUOTED, ST_RISKD, RING_FULL_NEWEST, RING_MSG, 128, 64};
	const unsigned n = 20000;
	struct ring r;
	unsigned late = 0;
	pid_t pid;
	int status;

	(void)state;
	assert_int_equal(ring_create(dir.fd, &def, 1, &err), 0);
	assert_int_equal(ring_attach(&r, dir.fd, &def, RING_CONSUMER, &err), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		uint64_t slot[16] = {0};
		struct ring p;

		bell_register();
		if (ring_attach(&p, dir.fd, &def, RING_PRODUCER, &err) < 0)
			_exit(1);
		p.bell.bell = bell;
		for (unsigned i = 0; i < n; i++) {
			while (!ring_push(&p, slot))
				sched_yield();
			for (unsigned k = 0; k < i * 7919 % 400; k++)
				cpu_pause();
		}
		_exit(0);
	}
	for (unsigned i = 0; i < n;) {
		uint32_t word = bell->word;

		if (ring_peek(&r) != 0) {
			ring_release(&r);
			i++;
			continue;
		}
		bell_prepare(bell, BELL_FUTEX);
		if (ring_peek(&r) != 0) {
			bell_cancel(bell);
			continue;
		}
		bell_wait(bell, BELL_SLEEP_NS_MAX);
		if (ring_peek(&r) != 0 && bell->word == word)
			late++;
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* Coming just as the limit runs out is possible, but rare. */
	assert_true(late < 3);
	ring_detach(&r);
}

static void
test_fifo(void **state)
{
	char path[128];
	struct pollfd p = {.events = POLLIN};
	struct bell_ref ref = {bell, -1};
	char big[4096] = {0};
	int fd;

	(void)state;
	assert_int_equal(bell_fifo_open(dir.fd, "feedd.x", &err), -ENOENT);
	snprintf(path, sizeof(path), "%s/bell.feedd.x", dir.path);
	assert_int_equal(mkfifo(path, 0600), 0);
	fd = bell_fifo_open(dir.fd, "feedd.x", &err);
	assert_true(fd >= 0);
	ref.fifo_fd = bell_fifo_open(dir.fd, "feedd.x", &err);
	assert_true(ref.fifo_fd >= 0);
	p.fd = fd;
	assert_int_equal(poll(&p, 1, 0), 0);
	bell_prepare(bell, BELL_FIFO);
	bell_check(&ref);
	bell_check(&ref);
	assert_int_equal(bell->sleeping, BELL_AWAKE);
	assert_int_equal(bell->wakes, 1);
	assert_int_equal(poll(&p, 1, 0), 1);
	bell_fifo_drain(fd);
	assert_int_equal(poll(&p, 1, 0), 0);
	/* A full FIFO neither blocks the producer nor loses the wake. */
	while (write(fd, big, sizeof(big)) > 0)
		;
	bell_prepare(bell, BELL_FIFO);
	bell_check(&ref);
	assert_int_equal(poll(&p, 1, 0), 1);
	bell_fifo_drain(fd);
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(chmod(path, 0666), 0);
	assert_int_equal(bell_fifo_open(dir.fd, "feedd.x", &err), -EPERM);
	assert_int_equal(unlink(path), 0);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(bell_fifo_open(dir.fd, "feedd.x", &err), -EINVAL);
	close(fd);
	close(ref.fifo_fd);
}

static void
test_contracts(void **state)
{
	(void)state;
	assert_check_fails(bell_prepare(bell, BELL_AWAKE));
	assert_check_fails(bell_wake(&(struct bell_ref){0, -1}));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(test_awake_costs_nothing),
	    T(test_limit),
	    T(test_no_wake_is_lost),
	    T(test_fifo),
	    T(test_contracts),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
