/* links: libsys libshm libcore */
/*
 * A reader too slow for a feed, and one that comes late, shown on the real
 * feedd: what did not fit is counted and told, then everything is sent again.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "libshm/cfgpage.h"
#include "libshm/slots.h"
#include "tests/pipeline/proc.h"
#include "tests/pipeline/rig.h"

#define DROPS 500u /* slots that must be missing at the least */
#define LIVE  200u /* slots after the snapshot that are looked at */

static struct rig rig;
static struct cfgpage page;
static struct ring md;

static void
set(struct cfg *cfg, const char *text)
{
	char key[160];
	char why[CFG_WHY_SZ];
	char *dot;
	char *eq;
	int i;

	snprintf(key, sizeof(key), "%s", text);
	dot = strchr(key, '.');
	eq = strchr(key, '=');
	assert_true(dot != NULL && eq != NULL);
	*dot = '\0';
	*eq = '\0';
	i = cfg_key_find(key, dot + 1);
	assert_true(i >= 0);
	if (!cfg_set(cfg, (size_t)i, eq + 1, why))
		fail_msg("%s: %s", text, why);
}

static int
setup(void **state)
{
	static const char *const venue[] = {
	    "--capture", "simvenue/captures", "--pace", "50", NULL};
	struct cfg cfg;
	struct err e = {0};

	(void)state;
	rig_init(&rig, "stagefeed");
	rig_quick(&rig);
	if (!rig_venue(&rig, venue)) {
		print_error("%s\n", rig.out);
		return -1;
	}
	cfg_defaults(&cfg);
	for (unsigned i = 0; i < rig.set_n; i++)
		set(&cfg, rig.set[i]);
	if (instance_create(&rig.in, RIG_INSTANCE, 42, &e) < 0 ||
	    cfgpage_create(&page, rig.in.dirfd, 42, &cfg, &e) < 0) {
		print_error("%s\n", e.text);
		return -1;
	}
	instance_close(&rig.in);
	return rig_attach(&rig) ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	if (md.shm != NULL)
		ring_detach(&md);
	md.shm = NULL;
	cfgpage_detach(&page);
	rig_free(&rig);
	return 0;
}

static pid_t
start(enum stage_id st)
{
	const char *argv[] = {topo_stages[st].program, "--instance",
	    RIG_INSTANCE, "--stage", topo_stages[st].name, NULL};

	return proc_start(argv, rig_path(&rig, topo_stages[st].name));
}

static void
stop(pid_t pid)
{
	kill(pid, SIGTERM);
	assert_int_equal(proc_exit_code(pid), 0);
}

static void
observe(enum ring_id id, enum ring_role role)
{
	struct err e;

	if (ring_attach(&md, rig.in.dirfd, &topo_rings[id], role, &e) < 0)
		fail_msg("%s", e.text);
	md.lazy = RING_LAZY_MANUAL;
}

static uint64_t
dropped(void)
{
	return atomic_load(&md.shm->prod.dropped);
}

/* The next slot, which must be the next of the ring. */
static struct tick
next(void)
{
	uint64_t want = md.next + 1;
	struct tick t;

	RIG_UNTIL(&rig, ring_peek(&md) != NULL);
	t = *(const struct tick *)ring_peek(&md);
	assert_int_equal(t.hdr.seq, want);
	ring_release(&md);
	return t;
}

static bool
is_replay(const struct tick *t)
{
	return (t->hdr.flags & SLOT_REPLAY) != 0;
}

/* What a snapshot is made of. */
struct seen {
	unsigned instrs;
	unsigned books;
	unsigned bbos;
	unsigned levels; /* of the book at hand */
	uint32_t due;	 /* ... by its SNAP_BEGIN */
	uint16_t instr;
	bool open;
};

static void
look(struct seen *s, const struct tick *t)
{
	switch ((int)t->hdr.kind) {
	case TICK_INSTR:
		assert_false(s->open);
		s->instr = t->hdr.instr;
		s->instrs++;
		return;
	case TICK_SNAP_BEGIN:
		assert_false(s->open);
		assert_int_equal(t->hdr.instr, s->instr);
		s->open = true;
		s->due = t->u.snap.bid_n + t->u.snap.ask_n;
		s->levels = 0;
		return;
	case TICK_LEVEL:
		assert_true(s->open);
		assert_int_equal(t->hdr.instr, s->instr);
		s->levels++;
		return;
	case TICK_SNAP_END:
		assert_true(s->open);
		assert_int_equal(s->levels, s->due);
		s->open = false;
		s->books++;
		return;
	case TICK_BBO:
		assert_false(s->open);
		assert_int_equal(t->hdr.instr, s->instr);
		s->bbos++;
		return;
	default: assert_false(s->open); return;
	}
}

/* The slots of one snapshot: all there are in a row. The slot after them. */
static struct tick
snapshot(struct seen *s, struct tick t)
{
	memset(s, 0, sizeof(*s));
	for (; is_replay(&t); t = next())
		look(s, &t);
	assert_false(s->open);
	return t;
}

/* Live slots, of which none is missing and none is said again. */
static void
live(struct tick t)
{
	unsigned news = 0;

	for (unsigned i = 0; i < LIVE || news == 0; i++) {
		assert_false(is_replay(&t));
		assert_int_not_equal(t.hdr.kind, TICK_RESTART);
		news += t.hdr.kind == TICK_BBO || t.hdr.kind == TICK_LEVEL ||
			t.hdr.kind == TICK_TRADE;
		t = next();
		ring_commit(&md);
	}
}

/* The hole itself, then what mends it. */
static void
hole(enum stage_id st, uint64_t depth, struct seen *s)
{
	struct tick t = next();

	assert_int_equal(t.hdr.kind, TICK_GAP);
	assert_int_equal(t.hdr.seq, depth + 1);
	assert_int_equal(t.u.gap.scope, 3);
	assert_int_equal(t.u.gap.reason, REASON_BACKPRESSURE);
	assert_int_equal(t.u.gap.first_seq, depth + 1);
	assert_int_equal(t.u.gap.lost_n, dropped());
	assert_true(t.u.gap.lost_n >= DROPS);
	/* News may come before the answer, but only so much of it. */
	for (unsigned i = 0; !is_replay(&t); i++) {
		assert_true(i < depth / 2);
		t = next();
		ring_commit(&md);
	}
	live(snapshot(s, t));
	/* Its other readers are as slow. */
	assert_true(
	    rig_metric(&rig, st, M_ANY_OUT_DROPPED) >= (int64_t)dropped());
}

static void
too_slow_for(enum stage_id st, enum ring_id id, struct seen *s)
{
	uint64_t depth = topo_rings[id].depth;
	uint64_t last = 0;
	pid_t pid;

	observe(id, RING_CONSUMER);
	pid = start(st);
	RIG_UNTIL(&rig, dropped() >= DROPS);
	assert_int_equal(ring_used(&md), depth);
	assert_int_equal(next().hdr.kind, TICK_RESTART);
	for (uint64_t i = 1; i < depth; i++) {
		struct tick t = next();

		assert_int_not_equal(t.hdr.kind, TICK_RESTART);
		assert_false(t.hdr.kind == TICK_GAP && t.u.gap.scope == 3);
		assert_false(is_replay(&t));
		assert_true(t.hdr.recv_ns >= last);
		last = t.hdr.recv_ns;
	}
	assert_null(ring_peek(&md));
	ring_commit(&md);
	hole(st, depth, s);
	stop(pid);
}

static void
a_slow_reader_of_the_touch_is_told_and_caught_up(void **state)
{
	struct seen s;

	(void)state;
	too_slow_for(ST_FEEDD_BN, RG_MD_BN_Q, &s);
	assert_true(s.instrs >= 1);
	assert_true(s.bbos >= 1);
	assert_int_equal(s.books, 0);
}

static void
a_slow_reader_of_books_is_told_and_caught_up(void **state)
{
	struct seen s;

	(void)state;
	too_slow_for(ST_FEEDD_HL, RG_MD_HL_X, &s);
	assert_true(s.instrs >= 1);
	assert_true(s.books >= 1);
	assert_true(s.levels > 0);
	assert_true(s.bbos >= s.books);
}

/* Slots that were sent again on request and are new to an observer. */
static unsigned
replays(struct ring *r)
{
	unsigned n = 0;
	struct tick t;
	uint64_t lost;

	while (ring_tap_next(r, &t, &lost) == RING_TAP_OK)
		n += is_replay(&t);
	return n;
}

/* quoted starts while the feed has long been running. riskd, which has not
 * asked, is not told again. */
static void
a_late_reader_asks_and_is_caught_up(void **state)
{
	unsigned n = 0;
	struct ring other;
	struct err e;
	pid_t feed;
	pid_t reader;

	(void)state;
	observe(RG_MD_BN_Q, RING_OBSERVER);
	assert_int_equal(ring_attach(&other, rig.in.dirfd,
			     &topo_rings[RG_MD_BN_R], RING_OBSERVER, &e),
	    0);
	feed = start(ST_FEEDD_BN);
	RIG_UNTIL(&rig, rig_ready(&rig, ST_FEEDD_BN) && ring_used(&md) > 50);
	kill(rig.venue, SIGSTOP);
	assert_int_equal(dropped(), 0);
	assert_int_equal(replays(&md), 0);
	assert_int_equal(atomic_load(&md.shm->cons.resync), 0);
	reader = start(ST_QUOTED);
	RIG_UNTIL(&rig, (n += replays(&md)) >= 2); /* INSTR, BBO */
	assert_int_equal(atomic_load(&md.shm->cons.resync), 1);
	assert_int_equal(atomic_load(&md.shm->prod.resync_done), 1);
	assert_int_equal(replays(&other), 0);
	ring_detach(&other);
	kill(rig.venue, SIGCONT);
	stop(reader);
	stop(feed);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(a_slow_reader_of_the_touch_is_told_and_caught_up),
	    T(a_slow_reader_of_books_is_told_and_caught_up),
	    T(a_late_reader_asks_and_is_caught_up),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
