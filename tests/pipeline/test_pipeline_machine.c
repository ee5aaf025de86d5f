/* links: libsys libshm libcore */
/*
 * A machine that is not as it should be: memory of another build, no place
 * for shared memory, a full disk, a taken port. Each is said in a sentence,
 * with an exit code, and leaves nothing behind.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

#include "libcore/fixed.h"
#include "libshm/shm.h"
#include "tests/pipeline/proc.h"
#include "tests/pipeline/rig.h"

/* More slots than the recorder's buffer of 8 MiB holds. */
#define HELD_N 160000u

static struct rig rig;
static bool may_mount;
static const char *mounted;

static int
setup(void **state)
{
	(void)state;
	rig_init(&rig, "machine");
	rig_quick(&rig);
	mounted = NULL;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rig_detach(&rig);
	if (rig_sup(&rig, "status", NULL) != 69)
		rig_sup(&rig, "stop", "all", NULL);
	if (mounted != NULL)
		umount2(rig_path(&rig, mounted), MNT_DETACH);
	rig_free(&rig);
	return 0;
}

/* A file system of its own on a directory of the rig. */
static void
mount_on(const char *dir, const char *options, unsigned long flags)
{
	if (!may_mount) {
		print_message("skipped: mounts are not permitted here\n");
		skip();
	}
	assert_int_equal(
	    mount("rmtest", rig_path(&rig, dir), "tmpfs", flags, options), 0);
	mounted = dir;
}

static void
venue(const char *pace)
{
	const char *const options[] = {
	    "--capture", "simvenue/captures", "--pace", pace, NULL};

	if (!rig_venue(&rig, options))
		fail_msg("%s", rig.out);
}

static void
said(const char *what)
{
	if (strstr(rig.out, what) == NULL)
		fail_msg("\"%s\" is not in: %s", what, rig.out);
}

/* ---- memory of another build ---- */

/* Exchange a word in the header of the intent ring. */
static uint64_t
patch(size_t at, size_t n, uint64_t word)
{
	char file[64];
	uint64_t was = 0;
	int fd;

	snprintf(
	    file, sizeof(file), "shm/ringmaker.%s/ring.intent", RIG_INSTANCE);
	fd = open(rig_path(&rig, file), O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &was, n, (off_t)at), n);
	assert_int_equal(pwrite(fd, &word, n, (off_t)at), n);
	close(fd);
	return was;
}

static void
refused_for(size_t at, size_t n, const char *sentence)
{
	uint64_t was = patch(at, n, 77);

	RIG_EXPECT(&rig, rig_sup(&rig, "start", "quoted", NULL), 100);
	said("not ready: quoted");
	said("exit code 100");
	said(sentence);
	RIG_UNTIL(&rig, rig_shut(&rig, FREEZE_CRASH_LOOP));
	RIG_EXPECT(&rig, rig_sup(&rig, "status", NULL), 1);
	said("PARKED");
	said("crash_loop");
	patch(at, n, was);
}

static void
another_build_is_refused(void **state)
{
	(void)state;
	venue("20");
	RIG_EXPECT(&rig, rig_sup(&rig, "start", "all", NULL), 0);
	assert_true(rig_attach(&rig));
	RIG_TRADES(&rig);
	RIG_EXPECT(&rig, rig_sup(&rig, "stop", "quoted", NULL), 0);
	refused_for(offsetof(struct shm_hdr, abi), 4,
	    "ABI 77, this program speaks 1: restart all stages with one build");
	refused_for(offsetof(struct shm_hdr, layout), 8,
	    "layout 000000000000004d, this program");
	RIG_EXPECT(&rig, rig_sup(&rig, "start", "quoted", NULL), 0);
	assert_true(rig_shut(&rig, FREEZE_CRASH_LOOP));
	RIG_EXPECT(
	    &rig, rig_sup(&rig, "thaw", "--reason", "one build", NULL), 0);
	RIG_TRADES(&rig);
	RIG_EXPECT(&rig, rig_sup(&rig, "stop", "all", NULL), 0);
}

/* ---- no place for shared memory ---- */

static unsigned
entries(const char *dir)
{
	DIR *d = opendir(rig_path(&rig, dir));
	const struct dirent *e;
	unsigned n = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

static void
refuses_to_start(const char *sentence)
{
	int code = rig_sup(&rig, "start", "all", NULL);

	print_message("exit %d: %s", code, rig.out);
	if (code != 100 && code != 111 && code != 77)
		fail_msg("exit code %d", code);
	said(sentence);
	RIG_EXPECT(&rig, rig_sup(&rig, "status", NULL), 69);
}

static void
file(const char *name)
{
	int fd =
	    open(rig_path(&rig, name), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static void
shared_memory_has_no_place(void **state)
{
	(void)state;
	file("afile");
	setenv("RINGMAKER_SHM", rig_path(&rig, "afile"), 1);
	refuses_to_start("afile");
	setenv("RINGMAKER_SHM", rig_path(&rig, "nowhere"), 1);
	refuses_to_start("nowhere");
}

static void
shared_memory_is_read_only(void **state)
{
	(void)state;
	mount_on("shm", "size=1m", MS_RDONLY);
	refuses_to_start("Read-only");
}

static void
shared_memory_is_full(void **state)
{
	(void)state;
	mount_on("shm", "size=4m", 0);
	refuses_to_start("No space");
	assert_int_equal(entries("shm"), 0);
}

static void
state_directory_cannot_be(void **state)
{
	(void)state;
	file("afile");
	rig_set(&rig, "system.state_dir=%s/state", rig_path(&rig, "afile"));
	refuses_to_start("afile");
	assert_int_equal(entries("shm"), 0);
}

/* ---- a full disk, a taken port ---- */

static int64_t
recorded(enum metric_id id)
{
	return rig_metric(&rig, ST_RECORDERD, id);
}

/* Slots given to the recorder so far. */
static uint64_t
tapped(void)
{
	uint64_t sum = 0;

	for (int i = 0; i < RG_N; i++) {
		struct ring ring;
		struct err e;

		if (topo_rings[i].full != RING_FULL_TAP)
			continue;
		assert_int_equal(ring_attach(&ring, rig.in.dirfd,
				     &topo_rings[i], RING_OBSERVER, &e),
		    0);
		sum += atomic_load(&ring.shm->prod.hint);
		ring_detach(&ring);
	}
	return sum;
}

static void
full_disk_stops_the_recording_alone(void **state)
{
	uint64_t pid;

	(void)state;
	mount_on("cap", "size=1m", 0);
	rig_set(&rig, "recorder.min_free_bytes=0");
	venue("60");
	RIG_EXPECT(&rig, rig_sup(&rig, "start", "all", NULL), 0);
	assert_true(rig_attach(&rig));
	pid = rig_pid(&rig, ST_RECORDERD);
	RIG_UNTIL(&rig, recorded(M_RECORDERD_DISK_ERRORS) > 0);
	RIG_TRADES(&rig);
	/* More than its buffer holds: what does not fit is counted, and
	 * declared as soon as there is room. */
	RIG_UNTIL(&rig, tapped() > HELD_N);
	RIG_TRADES(&rig);
	assert_int_equal(mount("rmtest", rig_path(&rig, "cap"), "tmpfs",
			     MS_REMOUNT, "size=256m"),
	    0);
	RIG_UNTIL(&rig, recorded(M_RECORDERD_LOST) > 0);
	assert_true(recorded(M_RECORDERD_GAPS) > 0);
	RIG_TRADES(&rig);
	assert_int_equal(rig_pid(&rig, ST_RECORDERD), pid);
	for (int i = 0; i < ST_N; i++)
		assert_int_equal(
		    rig_metric(&rig, (enum stage_id)i, M_ANY_TAP_DROPPED), 0);
	print_message("%lld records lost in %lld gaps\n",
	    (long long)recorded(M_RECORDERD_LOST),
	    (long long)recorded(M_RECORDERD_GAPS));
	/* Nobody may take this recording for whole. */
	RIG_EXPECT(&rig, rig_sup(&rig, "--json", "stop", "all", NULL), 1);
	assert_true(rig_json(rig.out, "figures", "lost") > 0);
	assert_true(rig_json(rig.out, "figures", "gaps") > 0);
	assert_true(rig_json(rig.out, "figures", "rows") > 0);
}

static void
port_is_taken(void **state)
{
	char port[16];
	const char *argv[] = {"simvenue", "--capture", "simvenue/captures",
	    "--port-base", port, NULL};

	(void)state;
	venue("1");
	snprintf(port, sizeof(port), "%lld",
	    (long long)rig_json(rig.out, "\"venue\":\"polymarket\"", "port"));
	RIG_EXPECT(&rig,
	    proc_exit_code(proc_start(argv, rig_path(&rig, "second.log"))),
	    111);
	rig_read(&rig, "second.log");
	said(port);
	said("is in use");
	said("--port-base");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(another_build_is_refused),
	    T(shared_memory_has_no_place),
	    T(shared_memory_is_read_only),
	    T(shared_memory_is_full),
	    T(state_directory_cannot_be),
	    T(full_disk_stops_the_recording_alone),
	    T(port_is_taken),
	};

	may_mount = unshare(CLONE_NEWNS) == 0 &&
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
