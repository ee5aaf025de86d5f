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

#define COPY 200704 /* bytes from one copy to the next */

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

static struct risk_copy a;
static struct risk_copy got;
static struct risk_io io;
static bool found;
static struct err e;

static void
image(int64_t realised, uint32_t n)
{
	memset(&a, 0, sizeof(a));
	a.image.loss.realised_e16 = realised;
	a.image.loss.hwm = USD(77);
	a.image.loss.day = 20000;
	a.image.n = n;
	for (uint32_t k = 0; k < n; k++) {
		snprintf(a.image.kept[k].symbol, RISK_SYMBOL, "m-%u", k);
		a.image.kept[k].pos.qty = QTY(k + 1);
	}
}

static int
open_it(const char *instance)
{
	memset(&got, 0xa5, sizeof(got));
	return risk_io_open(&io, dir.path, instance, &got, &found, &e);
}

/* No close: the process is killed here. */
static int
open_again(void)
{
	close(io.fd);
	return open_it("main");
}

static void
assert_image(int64_t realised, uint32_t n)
{
	assert_true(found);
	image(realised, n);
	assert_memory_equal(&got.image, &a.image,
	    offsetof(struct risk_image, kept) + n * sizeof(a.image.kept[0]));
}

/* T-23: what was latched is latched in the next life, and after a reboot. */
static void
T_23_latch_and_positions_survive(void **state)
{
	(void)state;
	assert_int_equal(open_it("main"), 0);
	assert_false(found);
	image(-500, 2);
	a.image.loss.latched = FREEZE_DAILY_LOSS;
	a.image.loss.latch_wall_ns = 5;
	assert_int_equal(risk_io_write(&io, &a, true), 0);
	assert_int_equal(open_again(), 0);
	assert_true(found);
	assert_memory_equal(
	    &got.image.loss, &a.image.loss, sizeof(a.image.loss));
	assert_int_equal(got.image.n, 2);
	assert_string_equal(got.image.kept[1].symbol, "m-1");
	assert_int_equal(got.image.kept[1].pos.qty.e8, 2);
	/* Another instance has its own. */
	risk_io_close(&io);
	assert_int_equal(open_it("other"), 0);
	assert_false(found);
	risk_io_close(&io);
}

static void
test_newest_copy_counts(void **state)
{
	(void)state;
	assert_int_equal(open_it("main"), 0);
	/* Full tables too, growing and shrinking. */
	for (uint32_t i = 1; i <= 12; i++) {
		uint32_t n = i % 4 == 0 ? RISK_KEPT : i % 3;

		image(i, n);
		assert_int_equal(risk_io_write(&io, &a, i % 5 == 0), 0);
		assert_int_equal(open_again(), 0);
		assert_image(i, n);
	}
	risk_io_close(&io);
}

static void
spoil(int place, off_t at)
{
	assert_int_equal(pwrite(io.fd, "x", 1, place * COPY + at), 1);
}

/* A write that was torn leaves the copy before it, be it in the head or in
 * the last entry. */
static void
test_torn_write(void **state)
{
	(void)state;
	for (int torn = 0; torn < 2; torn++) {
		off_t at = torn == 0 ? 40
				     : (off_t)offsetof(struct risk_copy,
					   image.kept[2].mark);

		assert_int_equal(open_it(torn == 0 ? "head" : "entry"), 0);
		image(1, 3);
		assert_int_equal(risk_io_write(&io, &a, false), 0);
		image(2, 3);
		assert_int_equal(risk_io_write(&io, &a, false), 0);
		spoil(io.newest, at);
		close(io.fd);
		assert_int_equal(open_it(torn == 0 ? "head" : "entry"), 0);
		assert_image(1, 3);
		assert_int_equal(io.version, 1);
		risk_io_close(&io);
	}
}

/* None is good: never taken for "no latch". */
static void
test_all_spoiled(void **state)
{
	(void)state;
	assert_int_equal(open_it("main"), 0);
	for (int k = 0; k < RISK_IO_COPIES; k++) {
		image(k, 1);
		assert_int_equal(risk_io_write(&io, &a, false), 0);
	}
	for (int k = 0; k < RISK_IO_COPIES; k++)
		spoil(k, 40);
	assert_int_equal(open_again(), -EBADMSG);
	assert_int_equal(e.code, -EBADMSG);
	assert_non_null(strstr(e.text, "latch.riskd.main"));
	assert_non_null(strstr(e.text, "no readable copy"));
}

/* Whatever is written, the synced copy and the newest are left alone. */
static void
test_spares_the_synced_copy(void **state)
{
	int synced;

	(void)state;
	assert_int_equal(open_it("main"), 0);
	image(1, 1);
	assert_int_equal(risk_io_write(&io, &a, true), 0);
	synced = io.newest;
	for (int i = 2; i < 9; i++) {
		int before = io.newest;

		image(i, 1);
		assert_int_equal(risk_io_write(&io, &a, false), 0);
		assert_int_not_equal(io.newest, synced);
		assert_int_not_equal(io.newest, before);
		assert_int_equal(io.synced, synced);
	}
	/* A power cut takes what was not synced. */
	for (int k = 0; k < RISK_IO_COPIES; k++)
		if (k != synced)
			spoil(k, 40);
	assert_int_equal(open_again(), 0);
	assert_image(1, 1);
	assert_int_equal(io.synced, synced);
	risk_io_close(&io);
}

/* The format before positions were in it, and one that is yet to come. */
static void
test_other_version(void **state)
{
	static const char *const magic[] = {"RMLK01", "RMLK77"};

	(void)state;
	for (int k = 0; k < 2; k++) {
		uint8_t old[1024];

		assert_int_equal(open_it(magic[k]), 0);
		memset(old, 0, sizeof(old));
		memcpy(old + 512 * k, magic[k], 6);
		assert_int_equal(pwrite(io.fd, old, sizeof(old), 0), 1024);
		risk_io_close(&io);
		assert_int_equal(open_it(magic[k]), -EBADMSG);
		assert_non_null(strstr(e.text, "another version"));
		assert_non_null(strstr(e.text, magic[k]));
	}
}

static void
test_makes_its_directory(void **state)
{
	char deep[128];
	struct stat st;

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
	    T(T_23_latch_and_positions_survive),
	    T(test_newest_copy_counts),
	    T(test_torn_write),
	    T(test_all_spoiled),
	    T(test_spares_the_synced_copy),
	    T(test_other_version),
	    T(test_makes_its_directory),
	    T(test_where),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
