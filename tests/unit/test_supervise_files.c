/* links: supervisor libsys libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "libshm/ctl.h"
#include "supervisor/durable_io.h"
#include "supervisor/latch_io.h"
#include "supervisor/lives_io.h"

/* What the supervisor keeps on disk. */

static char root[64];

static int
set_up(void **unused)
{
	(void)unused;
	snprintf(root, sizeof(root), "/tmp/rmfiles.XXXXXX");
	return mkdtemp(root) != NULL ? 0 : -1;
}

static int
tear_down(void **unused)
{
	(void)unused;
	/* Fails when a file, or one half written, was left. */
	return rmdir(root);
}

static void
latch_files(void **unused)
{
	struct latch l = {.mask = FREEZE_MANUAL, .since_wall_ns = 5, .uid = 7};
	struct latch r;
	struct err e;
	char path[128];
	int fd;

	(void)unused;
	latch_why(&l, "two\nlines");
	assert_int_equal(latch_save(root, &l, &e), 0);
	assert_int_equal(latch_load(root, &r, &e), 0);
	assert_int_equal(r.mask, FREEZE_MANUAL);
	assert_int_equal(r.since_wall_ns, 5);
	assert_int_equal(r.uid, 7);
	assert_string_equal(r.why, "two lines");
	snprintf(path, sizeof(path), "%s/latch.supervisor", root);
	fd = open(path, O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, "rubbish\n", 8), 8);
	close(fd);
	assert_int_equal(latch_load(root, &r, &e), -EBADMSG);
	assert_int_equal(r.mask, FREEZE_MANUAL);
	l.mask = 0;
	assert_int_equal(latch_save(root, &l, &e), 0);
	assert_int_equal(latch_load(root, &r, &e), 0);
	assert_int_equal(r.mask, 0);
}

static void
lives_file(void **unused)
{
	struct err e;
	uint64_t n = 7;

	(void)unused;
	assert_int_equal(lives_load(root, &n, &e), 0);
	assert_int_equal(n, 0);
	assert_int_equal(lives_reserve(root, 100, &n, &e), 0);
	assert_int_equal(n, 100 + LIVES_BLOCK);
	n = 0;
	assert_int_equal(lives_load(root, &n, &e), 0);
	assert_int_equal(n, 100 + LIVES_BLOCK);
	assert_int_equal(lives_reserve(root, LIVES_MAX, &n, &e), -ERANGE);
	assert_int_equal(n, 100 + LIVES_BLOCK);
	assert_int_equal(
	    durable_write(root, LIVES_FILE, "ringmaker epoch 1\nlast 9"), 0);
	assert_int_equal(lives_load(root, &n, &e), 0);
	assert_int_equal(durable_write(root, LIVES_FILE, "last 9\n"), 0);
	assert_int_equal(lives_load(root, &n, &e), -EBADMSG);
	assert_int_equal(durable_write(root, LIVES_FILE, ""), 0);
	assert_int_equal(lives_load(root, &n, &e), -EBADMSG);
	assert_int_equal(durable_remove(root, LIVES_FILE), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(latch_files),
	    cmocka_unit_test(lives_file),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
