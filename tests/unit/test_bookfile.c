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

#include "execd/bookfile_io.h"
#include "libsys/stage.h"

#define SZ 70000u

static char dir[] = "/tmp/rm-bookfile-XXXXXX";
static struct instance in;

static int
open_book(struct bookfile *f, size_t n, uint64_t layout, bool *fresh)
{
	return bookfile_open(f, &in, "execd.test", n, layout, fresh);
}

static void
what_was_written_is_there(void **state)
{
	struct bookfile f;
	struct stat st;
	bool fresh;

	(void)state;
	assert_int_equal(open_book(&f, SZ, 7, &fresh), 0);
	assert_true(fresh);
	assert_int_equal((uintptr_t)f.mem % 64, 0);
	for (size_t i = 0; i < SZ; i++)
		assert_int_equal(((const uint8_t *)f.mem)[i], 0);
	assert_int_equal(fstatat(in.dirfd, "book.execd.test", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	((uint8_t *)f.mem)[SZ - 1] = 9;
	bookfile_close(&f);
	bookfile_close(&f);
	assert_int_equal(open_book(&f, SZ, 7, &fresh), 0);
	assert_false(fresh);
	assert_int_equal(((const uint8_t *)f.mem)[SZ - 1], 9);
	bookfile_close(&f);
}

static void
and_after_kill_9(void **state)
{
	struct bookfile f;
	bool fresh;
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		if (open_book(&f, SZ, 7, &fresh) == 0)
			((uint8_t *)f.mem)[1] = 77;
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(open_book(&f, SZ, 7, &fresh), 0);
	assert_false(fresh);
	assert_int_equal(((const uint8_t *)f.mem)[1], 77);
	bookfile_close(&f);
}

static void
what_does_not_match_is_refused_and_kept(void **state)
{
	struct bookfile f;
	struct bookfile g;
	bool fresh;

	(void)state;
	assert_int_equal(open_book(&f, SZ, 8, &fresh), EXIT_PERMANENT);
	assert_null(f.mem);
	assert_int_equal(open_book(&f, SZ + 64, 7, &fresh), EXIT_PERMANENT);
	assert_int_equal(fchmodat(in.dirfd, "book.execd.test", 0640, 0), 0);
	assert_int_equal(open_book(&f, SZ, 7, &fresh), EXIT_PERMANENT);
	assert_int_equal(fchmodat(in.dirfd, "book.execd.test", 0600, 0), 0);
	assert_int_equal(open_book(&f, SZ, 7, &fresh), 0);
	assert_false(fresh);
	assert_int_equal(((const uint8_t *)f.mem)[1], 77);
	/* One owner. */
	assert_int_equal(open_book(&g, SZ, 7, &fresh), EXIT_TEMPORARY);
	assert_null(g.mem);
	bookfile_close(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_written_is_there),
	    cmocka_unit_test(and_after_kill_9),
	    cmocka_unit_test(what_does_not_match_is_refused_and_kept),
	};
	int rc;

	if (mkdtemp(dir) == NULL)
		return 1;
	in.dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlinkat(in.dirfd, "book.execd.test", 0);
	close(in.dirfd);
	rmdir(dir);
	return rc;
}
