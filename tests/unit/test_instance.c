/* links: libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "libshm/ctl.h"
#include "libshm/instance.h"
#include "libshm/instr.h"
#include "libshm/metrics.h"
#include "libshm/ring.h"
#include "tests/unit/shmdir.h"

static struct shmdir dir;
static struct instance in;
static struct err err;

static int
setup(void **state)
{
	(void)state;
	shmdir_open(&dir);
	setenv("RINGMAKER_SHM", dir.path, 1);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	shmdir_close(&dir);
	return 0;
}

/* Entries of the parent whose name begins so. */
static unsigned
count(const char *prefix)
{
	DIR *d = opendir(dir.path);
	struct dirent *de;
	unsigned n = 0;

	assert_non_null(d);
	while ((de = readdir(d)) != 0)
		n += strncmp(de->d_name, prefix, strlen(prefix)) == 0;
	closedir(d);
	return n;
}

static void
test_names(void **state)
{
	(void)state;
	assert_true(instance_name_ok("main"));
	assert_true(instance_name_ok("A-b_9"));
	assert_true(instance_name_ok("1234567890123456789012345678901"));
	assert_false(instance_name_ok("12345678901234567890123456789012"));
	assert_false(instance_name_ok(""));
	assert_false(instance_name_ok("a.b"));
	assert_false(instance_name_ok("../x"));
	assert_false(instance_name_ok("a b"));
	assert_int_equal(instance_create(&in, "a/b", 1, &err), -EINVAL);
	assert_int_equal(instance_open(&in, "", &err), -EINVAL);
}

static void
test_create_has_everything(void **state)
{
	struct instance again;
	struct ctl *ctl;
	struct instr_table *table;
	struct stat st;

	(void)state;
	assert_int_equal(instance_open(&again, "one", &err), -ENOENT);
	assert_non_null(strstr(err.text, "not running"));
	assert_int_equal(instance_create(&in, "one", 77, &err), 0);
	assert_int_equal(instance_open(&again, "one", &err), 0);
	assert_string_equal(again.path, in.path);
	assert_int_equal(fstat(again.dirfd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	for (int i = 0; i < RG_N; i++) {
		struct ring r;

		assert_int_equal(ring_attach(&r, again.dirfd, &topo_rings[i],
				     RING_OBSERVER, &err),
		    0);
		assert_int_equal(r.shm->hdr.run_id, 77);
		ring_detach(&r);
	}
	for (int i = 0; i < ST_N; i++) {
		struct metrics *m;
		int fd;

		assert_int_equal(metrics_attach(&m, again.dirfd,
				     (enum stage_id)i, false, &err),
		    0);
		metrics_detach(m);
		fd = bell_fifo_open(again.dirfd, topo_stages[i].name, &err);
		assert_int_equal(
		    fd >= 0, (topo_stages[i].flags & STAGE_SOCK) != 0);
		if (fd >= 0)
			close(fd);
	}
	assert_int_equal(ctl_attach(&ctl, again.dirfd, false, &err), 0);
	ctl_detach(ctl);
	assert_int_equal(instr_attach(&table, again.dirfd, false, &err), 0);
	instr_detach(table);
	instance_close(&again);
	assert_int_equal(instance_remove(&in, &err), 0);
	assert_int_equal(count("ringmaker."), 0);
}

static void
test_living_owner_is_named(void **state)
{
	struct instance other;
	struct ring r;
	char pid[32];

	(void)state;
	assert_int_equal(instance_create(&in, "two", 1, &err), 0);
	assert_int_equal(ring_attach(&r, in.dirfd, &topo_rings[RG_INTENT],
			     RING_CONSUMER, &err),
	    0);
	assert_int_equal(instance_create(&other, "two", 2, &err), -EBUSY);
	assert_non_null(strstr(err.text, "riskd"));
	assert_non_null(strstr(err.text, "intent"));
	snprintf(pid, sizeof(pid), "pid %ld", (long)getpid());
	assert_non_null(strstr(err.text, pid));
	assert_int_equal(count("ringmaker.two"), 1);
	/* Another name is nobody's business. */
	assert_int_equal(instance_create(&other, "two-b", 2, &err), 0);
	instance_close(&other);
	ring_detach(&r);
	instance_close(&in);
}

static void
test_dead_ones_are_kept_aside(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(instance_create(&in, "three", 1, &err), 0);
		instance_close(&in);
	}
	assert_int_equal(count("ringmaker.three.dead."), 2);
	assert_int_equal(count("ringmaker.three"), 3);
	/* The leftovers of a creator that was killed go, too. */
	assert_int_equal(mkdirat(dir.fd, "ringmaker.three.new.1", 0700), 0);
	assert_int_equal(instance_create(&in, "three", 1, &err), 0);
	instance_close(&in);
	assert_int_equal(count("ringmaker.three.new."), 0);
}

static void
test_foreign_directory(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(dir.fd, "ringmaker.four", 0755), 0);
	assert_int_equal(instance_create(&in, "four", 1, &err), -EPERM);
	assert_int_equal(instance_open(&in, "four", &err), -EPERM);
	assert_non_null(strstr(err.text, "0755"));
	setenv("RINGMAKER_SHM", "/nowhere/at/all", 1);
	assert_int_equal(instance_create(&in, "four", 1, &err), -ENOENT);
	assert_non_null(strstr(err.text, "parent directory is missing"));
}

/* A tmpfs of our own, small or read-only; needs to be root. */
static void
on_tmpfs(const char *options, unsigned long flags, int code, const char *say)
{
	char path[128];
	int rc;

	snprintf(path, sizeof(path), "%s/mnt", dir.path);
	mkdir(path, 0700);
	if (mount("tmpfs", path, "tmpfs", flags, options) < 0) {
		printf("skipped: cannot mount a tmpfs here: %s\n",
		    strerror(errno));
		skip();
	}
	setenv("RINGMAKER_SHM", path, 1);
	rc = instance_create(&in, "five", 1, &err);
	if (rc == 0)
		instance_close(&in);
	assert_int_equal(umount2(path, MNT_DETACH), 0);
	assert_int_equal(rc, code);
	if (strstr(err.text, say) == 0)
		fail_msg("\"%s\" lacks \"%s\"", err.text, say);
}

static void
test_full(void **state)
{
	(void)state;
	on_tmpfs("size=1M", 0, -ENOSPC, "is full");
}

static void
test_read_only(void **state)
{
	(void)state;
	on_tmpfs("size=1M", MS_RDONLY, -EROFS, "read-only");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(test_names),
	    T(test_create_has_everything),
	    T(test_living_owner_is_named),
	    T(test_dead_ones_are_kept_aside),
	    T(test_foreign_directory),
	    T(test_full),
	    T(test_read_only),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
