/* links: riskd libsys libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "libshm/ctl.h"
#include "riskd/risk_io.h"
#include "tests/unit/shmdir.h"

static struct shmdir dir;

static int
setup(void **state)
{
	(void)state;
	shmdir_open(&dir);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	shmdir_close(&dir);
	return 0;
}

static struct loss
losses(int64_t realised)
{
	struct loss l;

	memset(&l, 0, sizeof(l));
	l.realised_e16 = realised;
	l.hwm = USD(77);
	l.day = 20000;
	return l;
}

/* T-23: what was latched is latched in the next life, and after a reboot. */
static void
T_23_latch_survives(void **state)
{
	struct risk_io io;
	struct loss l = losses(-500);
	struct loss got;
	struct err e;
	bool found;

	(void)state;
	assert_int_equal(
	    risk_io_open(&io, dir.path, "main", &got, &found, &e), 0);
	assert_false(found);
	l.latched = FREEZE_DAILY_LOSS;
	l.latch_wall_ns = 5;
	assert_int_equal(risk_io_write(&io, &l), 0);
	/* No close: the process is killed here. */
	close(io.fd);
	assert_int_equal(
	    risk_io_open(&io, dir.path, "main", &got, &found, &e), 0);
	assert_true(found);
	assert_memory_equal(&got, &l, sizeof(l));
	/* Another instance has its own. */
	risk_io_close(&io);
	assert_int_equal(
	    risk_io_open(&io, dir.path, "other", &got, &found, &e), 0);
	assert_false(found);
	risk_io_close(&io);
}

static void
test_newest_copy_counts(void **state)
{
	struct risk_io io;
	struct loss got;
	struct err e;
	bool found;

	(void)state;
	assert_int_equal(
	    risk_io_open(&io, dir.path, "main", &got, &found, &e), 0);
	for (int i = 1; i <= 7; i++) {
		struct loss l = losses(i);

		assert_int_equal(risk_io_write(&io, &l), 0);
		close(io.fd);
		assert_int_equal(
		    risk_io_open(&io, dir.path, "main", &got, &found, &e), 0);
		assert_true(got.realised_e16 == i);
	}
	risk_io_close(&io);
}

/* A write that was torn leaves the copy before it. */
static void
test_torn_write(void **state)
{
	struct risk_io io;
	struct loss a = losses(1);
	struct loss b = losses(2);
	struct loss got;
	struct err e;
	bool found;

	(void)state;
	assert_int_equal(
	    risk_io_open(&io, dir.path, "main", &got, &found, &e), 0);
	assert_int_equal(risk_io_write(&io, &a), 0);
	assert_int_equal(risk_io_write(&io, &b), 0);
	/* Version 2 lies in copy 0: spoil a byte of it. */
	assert_int_equal(pwrite(io.fd, "x", 1, 40), 1);
	risk_io_close(&io);
	assert_int_equal(
	    risk_io_open(&io, dir.path, "main", &got, &found, &e), 0);
	assert_true(found);
	assert_true(got.realised_e16 == 1);
	/* Both spoiled: never taken for "no latch". */
	assert_int_equal(pwrite(io.fd, "x", 1, 512 + 40), 1);
	risk_io_close(&io);
	assert_int_equal(
	    risk_io_open(&io, dir.path, "main", &got, &found, &e), -EBADMSG);
	assert_int_equal(e.code, -EBADMSG);
	assert_non_null(strstr(e.text, "latch.riskd.main"));
}

static void
test_makes_its_directory(void **state)
{
	char deep[128];
	struct risk_io io;
	struct loss got;
	struct stat st;
	struct err e;
	bool found;

	(void)state;
	snprintf(deep, sizeof(deep), "%s/a/b/c", dir.path);
	assert_int_equal(risk_io_open(&io, deep, "main", &got, &found, &e), 0);
	assert_int_equal(stat(deep, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(fstat(io.fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	risk_io_close(&io);
	snprintf(deep, sizeof(deep), "/proc/none/such");
	assert_true(risk_io_open(&io, deep, "main", &got, &found, &e) < 0);
	assert_true(strlen(e.text) > 0);
}

static void
test_where(void **state)
{
	struct cfg *c = calloc(1, sizeof(*c));
	char buf[256];

	(void)state;
	cfg_defaults(c);
	setenv("XDG_STATE_HOME", "/x/state", 1);
	assert_true(risk_io_dir(c, buf, sizeof(buf)));
	assert_string_equal(buf, "/x/state/ringmaker");
	unsetenv("XDG_STATE_HOME");
	setenv("HOME", "/home/u", 1);
	assert_true(risk_io_dir(c, buf, sizeof(buf)));
	assert_string_equal(buf, "/home/u/.local/state/ringmaker");
	unsetenv("HOME");
	assert_false(risk_io_dir(c, buf, sizeof(buf)));
	memcpy(c->system_state_dir.s, "/var/lib/rm", 12);
	assert_true(risk_io_dir(c, buf, sizeof(buf)));
	assert_string_equal(buf, "/var/lib/rm");
	free(c);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(T_23_latch_survives),
	    T(test_newest_copy_counts),
	    T(test_torn_write),
	    T(test_makes_its_directory),
	    T(test_where),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
