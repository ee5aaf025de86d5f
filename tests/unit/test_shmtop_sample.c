/* links: shmtop libsys libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libsys/clock.h"
#include "libsys/proc.h"
#include "shmtop/check.h"
#include "shmtop/cli_io.h"
#include "shmtop/sample_io.h"

/* A real instance in a directory of our own, with this process as one of
 * its stages; shmtop looks at it. */

static char dir[64];
static struct instance inst;
static struct ctl *ctl;
static struct ring producer;

/* Far too large for the stack. */
static struct sampler sampler;
static struct snap snap;
static struct check_list found;

static void
make_instance(void)
{
	struct cfgpage page;
	struct cfg cfg;
	struct err e;

	if (instance_create(&inst, "main", 1, &e) < 0)
		fail_msg("%s", e.text);
	cfg_defaults(&cfg);
	assert_int_equal(cfgpage_create(&page, inst.dirfd, 1, &cfg, &e), 0);
	cfgpage_detach(&page);
	assert_int_equal(ctl_attach(&ctl, inst.dirfd, true, &e), 0);
}

static void
drop_instance(void)
{
	struct err e;

	ctl_detach(ctl);
	if (instance_remove(&inst, &e) < 0)
		fail_msg("%s", e.text);
}

static int
set_up(void **unused)
{
	(void)unused;
	snprintf(dir, sizeof(dir), "/tmp/rmtop.XXXXXX");
	assert_non_null(mkdtemp(dir));
	setenv("RINGMAKER_SHM", dir, 1);
	return 0;
}

static int
tear_down(void **unused)
{
	(void)unused;
	return rmdir(dir);
}

static void
live(enum stage_id id)
{
	struct ctl_stage *st = &ctl->stage[id];
	struct proc_stat ps;

	assert_true(proc_read(getpid(), &ps));
	atomic_store(&st->own.pid, (uint64_t)getpid());
	atomic_store(&st->own.start_ticks, ps.start_ticks);
	atomic_store(&st->own.start_ns, clock_mono_ns());
	atomic_store(&st->own.heartbeat_ns, clock_mono_ns());
	atomic_store(&st->own.epoch, 1);
	atomic_store(&st->own.state, STAGE_READY);
}

static void
beat(void)
{
	atomic_store(&ctl->sup.pid, 1);
	atomic_store(&ctl->sup.start_ns, clock_mono_ns());
	atomic_store(&ctl->sup.heartbeat_ns, clock_mono_ns());
}

static void
look(void)
{
	sample_take(&sampler, &snap);
	check_snap(&snap, &found);
}

static bool
finds(const char *text)
{
	for (uint32_t i = 0; i < found.n; i++)
		if (strstr(found.text[i], text) != NULL)
			return true;
	return false;
}

static void
push_bbo(int64_t bid)
{
	struct tick t;

	memset(&t, 0, sizeof(t));
	t.hdr.kind = TICK_BBO;
	t.hdr.instr = INSTR_BN_BASE;
	t.hdr.recv_ns = clock_mono_ns();
	t.u.bbo.bid_px = PX(bid);
	t.u.bbo.ask_px = PX(bid + 1);
	assert_true(ring_push(&producer, &t));
}

static void
nothing_there(void **unused)
{
	(void)unused;
	sample_open(&sampler, "main", NULL);
	look();
	assert_false(snap.found);
	assert_true(finds("not running"));
	sample_close(&sampler);
}

static void
sees_what_is_there(void **unused)
{
	struct instr_table *table;
	struct instr in = {.symbol = "BTCUSDT",
	    .venue = VENUE_BINANCE,
	    .cls = CLASS_SPOT,
	    .state = INSTR_NORMAL};
	struct err e;

	(void)unused;
	make_instance();
	beat();
	live(ST_FEEDD_BN);
	assert_int_equal(instr_attach(&table, inst.dirfd, true, &e), 0);
	instr_write(table, INSTR_BN_BASE, &in);
	instr_detach(table);
	assert_int_equal(ring_attach(&producer, inst.dirfd,
			     &topo_rings[RG_MD_BN_Q], RING_PRODUCER, &e),
	    0);
	push_bbo(100);
	push_bbo(200);
	sample_open(&sampler, "main", NULL);
	look();
	assert_true(snap.found);
	assert_true(snap.sup_alive);
	assert_true(snap.stage[ST_FEEDD_BN].alive);
	assert_false(snap.stage[ST_QUOTED].alive);
	assert_int_equal(snap.ring[RG_MD_BN_Q].st.published, 2);
	assert_true(snap.ring[RG_MD_BN_Q].st.prod_held);
	assert_false(snap.ring[RG_MD_BN_Q].st.cons_held);
	assert_int_equal(snap.market_n, 1);
	assert_string_equal(snap.market[0].in.symbol, "BTCUSDT");
	assert_int_equal(snap.market[0].t.bbo.bid_px.e8, 200);
	/* Other rings of the feed have nobody: that is found. */
	assert_true(finds("md.bn.r: nobody holds the writer's role"));
	assert_false(finds("md.bn.q"));
	/* Only what is new is read the next time. */
	push_bbo(300);
	look();
	assert_int_equal(snap.market[0].t.bbo.bid_px.e8, 300);
	/* The tap begins with what is there already. */
	sample_tap(&sampler, RG_MD_BN_Q);
	look();
	assert_int_equal(snap.tap_n, 3);
	assert_int_equal(snap.tap[2].slot.hdr.seq, 3);
	/* Looking took nothing: the reader still finds all three. */
	assert_int_equal(snap.ring[RG_MD_BN_Q].st.committed, 0);
	ring_detach(&producer);
	sample_close(&sampler);
	drop_instance();
}

static void
trouble_and_death(void **unused)
{
	(void)unused;
	make_instance();
	beat();
	live(ST_RISKD);
	sample_open(&sampler, "main", NULL);
	look();
	assert_false(finds("riskd: heartbeat"));
	atomic_store(&ctl->stage[ST_RISKD].own.heartbeat_ns,
	    clock_mono_ns() - UINT64_C(60000000000));
	look();
	assert_true(finds("riskd: heartbeat"));
	/* Another process has that number now. */
	atomic_store(&ctl->stage[ST_RISKD].own.start_ticks, 1);
	look();
	assert_true(finds("riskd is dead"));
	atomic_store(&ctl->sup.heartbeat_ns, 1);
	look();
	assert_false(snap.sup_alive);
	assert_true(finds("supervisor"));
	sample_close(&sampler);
	drop_instance();
}

static void
follows_the_name(void **unused)
{
	uint64_t first;

	(void)unused;
	make_instance();
	sample_open(&sampler, "main", NULL);
	look();
	first = sampler.ino;
	assert_true(snap.found);
	drop_instance();
	look();
	assert_false(snap.found);
	make_instance();
	look();
	assert_true(snap.found);
	assert_true(sampler.ino != 0 && first != 0);
	sample_close(&sampler);
	drop_instance();
}

static void
another_layout_is_a_finding(void **unused)
{
	char path[160];
	uint64_t wrong = 42;
	FILE *f;

	(void)unused;
	make_instance();
	snprintf(path, sizeof(path), "%s/ring.intent", inst.path);
	f = fopen(path, "r+b");
	assert_non_null(f);
	assert_int_equal(
	    fseek(f, offsetof(struct shm_hdr, layout), SEEK_SET), 0);
	assert_int_equal(fwrite(&wrong, sizeof(wrong), 1, f), 1);
	fclose(f);
	sample_open(&sampler, "main", NULL);
	look();
	assert_true(snap.found);
	assert_false(snap.ring[RG_INTENT].ok);
	assert_true(snap.ring[RG_VERDICT].ok);
	assert_true(finds("intent"));
	sample_close(&sampler);
	drop_instance();
}

/* Exit code of a run whose output is not of interest. */
static int
quietly(int argc, char **argv)
{
	int keep = dup(1);
	int null = open("/dev/null", O_WRONLY);
	int code;

	fflush(stdout);
	dup2(null, 1);
	code = shmtop_run(argc, argv);
	fflush(stdout);
	dup2(keep, 1);
	close(keep);
	close(null);
	return code;
}

static void
exit_codes(void **unused)
{
	char prog[] = "shmtop";
	char check[] = "--check";
	char once[] = "--once";
	char bad[] = "--nonsense";
	char tap[] = "tap";
	char ring[] = "no.such.ring";
	char *none[] = {prog, once, NULL};
	char *usage[] = {prog, bad, NULL};
	char *checks[] = {prog, check, NULL};
	char *taps[] = {prog, tap, ring, NULL};

	(void)unused;
	assert_int_equal(quietly(2, none), 69);
	assert_int_equal(quietly(2, usage), 64);
	assert_int_equal(quietly(3, taps), 64);
	make_instance();
	/* Nobody supervises it. */
	assert_int_equal(quietly(2, checks), 1);
	beat();
	/* Nothing may trade. */
	assert_int_equal(quietly(2, checks), 1);
	ctl_freeze_set(ctl, FW_RISKD, FREEZE_STARTUP, false, clock_mono_ns());
	ctl_lease_extend(ctl, UINT64_MAX);
	assert_int_equal(quietly(2, checks), 0);
	assert_int_equal(quietly(2, none), 0);
	drop_instance();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_there),
	    cmocka_unit_test(sees_what_is_there),
	    cmocka_unit_test(trouble_and_death),
	    cmocka_unit_test(follows_the_name),
	    cmocka_unit_test(another_layout_is_a_finding),
	    cmocka_unit_test(exit_codes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
