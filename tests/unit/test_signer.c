/* links: execd libvenue libsign libsys libshm libcore */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "execd/signer_io.h"

#define FILE_A                          \
	"ringmaker-signer.hyperliquid." \
	"0x0900000000000000000000000000000000000000"
#define FILE_B                         \
	"ringmaker-signer.polymarket." \
	"0x0900000000000000000000000000000000000000"

static const struct address who = {{9}};
static char dir[] = "/tmp/rm-signer-XXXXXX";
static int root;
static struct stage a; /* two instances of one machine */
static struct stage b;

static void
T_82_one_engine_a_key_and_venue(void **state)
{
	struct stat st;
	int fd;
	int fd2;
	int fd3;

	(void)state;
	assert_int_equal(signer_lock(&a, VENUE_HYPERLIQUID, &who, &fd), 0);
	assert_true(fd >= 0);
	assert_int_equal(fstatat(root, FILE_A, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(
	    signer_lock(&b, VENUE_HYPERLIQUID, &who, &fd2), EXIT_TEMPORARY);
	assert_int_equal(fd2, -1);
	assert_int_equal(signer_lock(&b, VENUE_POLYMARKET, &who, &fd3), 0);
	close(fd3);
	close(fd);
	assert_int_equal(signer_lock(&b, VENUE_HYPERLIQUID, &who, &fd), 0);
	close(fd);
}

static void
the_dead_hold_nothing(void **state)
{
	int status;
	int fd;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		if (signer_lock(&a, VENUE_HYPERLIQUID, &who, &fd) != 0)
			_exit(1);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(signer_lock(&b, VENUE_HYPERLIQUID, &who, &fd), 0);
	close(fd);
}

static void
mode_sim_takes_none(void **state)
{
	int fd;
	int fd2;

	(void)state;
	a.cfg.system_mode = MODE_SIM;
	b.cfg.system_mode = MODE_SIM;
	assert_int_equal(signer_lock(&a, VENUE_HYPERLIQUID, &who, &fd), 0);
	assert_int_equal(signer_lock(&b, VENUE_HYPERLIQUID, &who, &fd2), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(fd2, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(T_82_one_engine_a_key_and_venue),
	    cmocka_unit_test(the_dead_hold_nothing),
	    cmocka_unit_test(mode_sim_takes_none),
	};
	int rc;

	if (mkdtemp(dir) == NULL)
		return 1;
	root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mkdirat(root, "one", 0700);
	mkdirat(root, "two", 0700);
	a.instance.dirfd = openat(root, "one", O_RDONLY | O_CLOEXEC);
	b.instance.dirfd = openat(root, "two", O_RDONLY | O_CLOEXEC);
	a.cfg.system_mode = MODE_LIVE;
	b.cfg.system_mode = MODE_LIVE;
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlinkat(root, FILE_A, 0);
	unlinkat(root, FILE_B, 0);
	unlinkat(root, "one", AT_REMOVEDIR);
	unlinkat(root, "two", AT_REMOVEDIR);
	rmdir(dir);
	return rc;
}
