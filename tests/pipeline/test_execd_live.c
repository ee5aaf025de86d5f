/* links: execd libvenue libsign libsys libshm libcore */
/* execd's shell around a gateway that does as it is told: what was committed
 * when, what a kill -9 leaves, modes, thaws, holdings, stops. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <fcntl.h>

#include <cmocka.h>

#include "libshm/cfgpage.h"
#include "libshm/ctl.h"
#include "libshm/instr.h"
#include "libshm/ring.h"
#include "libshm/slots.h"
#include "tests/pipeline/fakegate.h"
#include "tests/pipeline/proc.h"

#define PM	 INSTR_PM_BASE
#define ID(k)	 (UINT64_C(1) << 40 | (k))
#define QUIET_MS 300

static char dir[128];
static struct instance in;
static struct ctl *ctl;
static struct instr_table *table;
static struct cfgpage page;
static struct cfg cfg;
static struct ring orders;
static struct ring report;
static pid_t execd;

static bool
attach(struct ring *r, enum ring_id id, enum ring_role role)
{
	struct err e;

	if (ring_attach(r, in.dirfd, &topo_rings[id], role, &e) < 0)
		return false;
	if (role == RING_PRODUCER) {
		r->bell.bell = &ctl->stage[ST_EXECD_PM].bell;
		r->bell.fifo_fd =
		    bell_fifo_open(in.dirfd, "execd.polymarket", &e);
	}
	return true;
}

static int
setup(void **state)
{
	struct instr i = {.symbol = "m",
	    .venue = VENUE_POLYMARKET,
	    .cls = CLASS_BINARY,
	    .state = INSTR_NORMAL,
	    .epoch = 1,
	    .tick_px = PX(E8 / 100),
	    .lot_qty = QTY(E8 / 100),
	    .min_qty = QTY(5 * E8)};
	struct err e = {0};

	(void)state;
	execd = 0;
	fake = mmap(NULL, sizeof(*fake), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fake->start_mode = PORT_NORMAL;
	fake->is_flat = 1;
	snprintf(dir, sizeof(dir), "%s", proc_tmp("live"));
	setenv("RINGMAKER_SHM", dir, 1);
	cfg_defaults(&cfg);
	cfg.exec_order_timeout.ns = INT64_C(400000000);
	snprintf(
	    cfg.system_state_dir.s, sizeof(cfg.system_state_dir.s), "%s", dir);
	if (instance_create(&in, "g", 42, &e) < 0 ||
	    cfgpage_create(&page, in.dirfd, 42, &cfg, &e) < 0 ||
	    ctl_attach(&ctl, in.dirfd, true, &e) < 0 ||
	    instr_attach(&table, in.dirfd, true, &e) < 0 ||
	    !attach(&orders, RG_ORDER_PM, RING_PRODUCER) ||
	    !attach(&report, RG_REPORT_PM_R, RING_CONSUMER)) {
		print_error("%s\n", e.text);
		return -1;
	}
	instr_write(table, PM, &i);
	i.state = INSTR_RESOLVED;
	instr_write(table, PM + 1, &i);
	ctl_freeze_set(ctl, FW_RISKD, FREEZE_STARTUP, false, proc_now_ns());
	ctl_lease_extend(ctl, UINT64_MAX / 2);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (execd > 0) {
		kill(execd, SIGKILL);
		waitpid(execd, NULL, 0);
	}
	munmap(fake, sizeof(*fake));
	proc_rmtree(dir);
	return 0;
}

/* Forked, not executed: the gateway is in this program. */
static void
start_with(bool is_sweep)
{
	static const struct gateway_ops *const gateway[VENUE_N] = {
	    [VENUE_POLYMARKET] = &fake_ops,
	};
	char words[][20] = {"execd", "--instance", "g", "--stage",
	    "execd.polymarket", "--sweep"};
	char *argv[7] = {0};
	int n = is_sweep ? 6 : 5;
	char log[160];
	int fd;

	snprintf(log, sizeof(log), "%s/log", dir);
	execd = fork();
	assert_true(execd >= 0);
	if (execd > 0)
		return;
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, STDERR_FILENO);
	/* Roles belong to open file descriptions: ours are the parent's. */
	close(in.dirfd);
	for (int i = 0; i < n; i++)
		argv[i] = words[i];
	_exit(shell_main(gateway, n, argv));
}

static void
start(void)
{
	start_with(false);
}

static int
ended(void)
{
	int st = proc_wait(execd, PROC_WAIT_MS);

	execd = 0;
	assert_true(st != -1);
	return WIFEXITED(st) ? WEXITSTATUS(st) : 1000 + WTERMSIG(st);
}

/* Each at a level of its own. */
static void
order(uint32_t k, int cents, int shares)
{
	union tap t = {.order = {.id = ID(k),
			   .px = PX((int64_t)cents * E8 / 100),
			   .qty = QTY((int64_t)shares * E8),
			   .venue = VENUE_POLYMARKET,
			   .side = SIDE_BID,
			   .level = (uint8_t)(k - 1),
			   .tif = TIF_GTC,
			   .oflags = ORDER_POST_ONLY,
			   .epoch = 1}};

	t.hdr.kind = MSG_ORDER;
	t.hdr.instr = PM;
	t.hdr.recv_ns = proc_now_ns();
	assert_true(ring_push(&orders, &t));
}

static struct fake_say *
say(enum fake_command what)
{
	uint32_t n = atomic_load(&fake->said);

	fake->say[n].what = what;
	return &fake->say[n];
}

static void
said(void)
{
	atomic_fetch_add(&fake->said, 1);
}

/* An event for the order of the newest act. */
static void
event(enum port_ev what, int64_t shares, uint64_t fill_id)
{
	const struct port_act *a = &fake->act[atomic_load(&fake->act_n) - 1];

	say(FAKE_EVENT)->event = (struct port_event){.what = what,
	    .slot = a->slot,
	    .id = a->id,
	    .instr = PM,
	    .side = SIDE_BID,
	    .is_maker = true,
	    .reason = REASON_OK,
	    .px = a->px,
	    .qty = QTY(shares * E8),
	    .fill_id = fill_id};
	said();
}

static bool
is_carried_out(void *arg)
{
	(void)arg;
	return atomic_load(&fake->done) == atomic_load(&fake->said);
}

static void
mode(enum port_mode m)
{
	say(FAKE_MODE)->mode = m;
	said();
	assert_true(proc_until(is_carried_out, NULL, PROC_WAIT_MS));
}

static bool
is_act(void *arg)
{
	return atomic_load(&fake->act_n) >= *(uint32_t *)arg;
}

static const struct port_act *
wait_act(uint32_t n)
{
	assert_true(proc_until(is_act, &n, PROC_WAIT_MS));
	return &fake->act[n - 1];
}

static bool
is_reported(void *arg)
{
	struct order *o = arg;
	const struct order *got;

	while ((got = ring_peek(&report)) != NULL) {
		bool same = got->hdr.kind == o->hdr.kind;

		if (same)
			*o = *got;
		ring_release(&report);
		if (same)
			return true;
	}
	return false;
}

static struct order
wait_report(uint8_t kind)
{
	struct order o = {.hdr = {.kind = kind}};

	assert_true(proc_until(is_reported, &o, PROC_WAIT_MS));
	return o;
}

static bool
none_reported(uint8_t kind)
{
	struct order o = {.hdr = {.kind = kind}};

	return !proc_until(is_reported, &o, QUIET_MS);
}

static bool
has_bits(void *arg)
{
	uint64_t want = *(uint64_t *)arg;

	return (atomic_load(&ctl->freeze[FW_EXECD_PM].mask) & want) == want;
}

static bool
wait_bits(uint64_t bits)
{
	return proc_until(has_bits, &bits, PROC_WAIT_MS);
}

static bool
has_no_bits(void *arg)
{
	(void)arg;
	return atomic_load(&ctl->freeze[FW_EXECD_PM].mask) == 0;
}

static void
an_order_goes_to_the_gateway_and_its_events_come_back(void **state)
{
	(void)state;
	start();
	order(1, 49, 10);
	assert_int_equal(wait_act(1)->what, PORT_PLACE);
	assert_int_equal(fake->may[0], 2);
	event(PORT_ACKED, 10, 0);
	assert_int_equal(wait_report(MSG_ACK).id, ID(1));
	event(PORT_FILLED, 4, 77);
	assert_int_equal(wait_report(MSG_FILL).exec_qty.e8, 4 * E8);
	event(PORT_FILLED, 4, 77);
	assert_true(none_reported(MSG_FILL));
}

/* The act is the first thing that leaves, so a death in it comes after the
 * commit: the next life knows the order and asks, and never places it again. */
static void
an_order_is_known_before_it_leaves(void **state)
{
	(void)state;
	fake->die_in_act = 1;
	start();
	order(1, 49, 10);
	assert_int_equal(ended(), 1000 + SIGKILL);
	fake->die_in_act = 0;
	start();
	assert_int_equal(wait_act(2)->what, PORT_ASK);
	assert_int_equal(fake->act[1].id, fake->act[0].id);
	event(PORT_GONE, 0, 0);
	assert_int_equal(wait_report(MSG_REJECT).id, ID(1));
	assert_int_equal(atomic_load(&fake->act_n), 2);
}

static void
an_event_that_a_death_swallowed_is_told_again_and_counts_once(void **state)
{
	(void)state;
	start();
	order(1, 49, 10);
	(void)wait_act(1);
	event(PORT_ACKED, 10, 0);
	(void)wait_report(MSG_ACK);
	fake->die_telling = 2;
	fake->retell = 2;
	event(PORT_FILLED, 4, 77);
	assert_int_equal(ended(), 1000 + SIGKILL);
	fake->die_telling = 0;
	start();
	assert_int_equal(wait_report(MSG_FILL).exec_qty.e8, 4 * E8);
	assert_true(none_reported(MSG_FILL));
	kill(execd, SIGKILL);
	assert_int_equal(ended(), 1000 + SIGKILL);
	start();
	assert_true(none_reported(MSG_FILL));
}

static void
a_venue_that_blocks_us_freezes_until_a_person_thaws(void **state)
{
	(void)state;
	fake->echo = 1;
	start();
	order(1, 49, 10);
	assert_int_equal(wait_act(1)->what, PORT_PLACE);
	(void)wait_report(MSG_ACK);
	mode(PORT_BLOCKED);
	assert_true(wait_bits(FREEZE_RECONCILE));
	assert_int_equal(wait_report(MSG_DONE).id, ID(1));
	assert_true(atomic_load(&fake->cancel_all_n) > 0);
	mode(PORT_NORMAL);
	assert_false(proc_until(has_no_bits, NULL, QUIET_MS));
	atomic_fetch_add(&ctl->sup.thaw_epoch, 1);
	assert_true(proc_until(has_no_bits, NULL, PROC_WAIT_MS));
	/* Thawed while it is still blocked: it begins again. */
	mode(PORT_BLOCKED);
	assert_true(wait_bits(FREEZE_RECONCILE));
	atomic_fetch_add(&ctl->sup.thaw_epoch, 1);
	assert_int_equal(ended(), EXIT_TEMPORARY);
}

static void
a_short_resync_keeps_what_rests_and_a_long_one_does_not(void **state)
{
	(void)state;
	fake->echo = 1;
	start();
	order(1, 49, 10);
	(void)wait_report(MSG_ACK);
	mode(PORT_RESYNC);
	order(2, 48, 10);
	assert_int_equal(wait_report(MSG_DONE).reason, REASON_VENUE_MODE);
	mode(PORT_NORMAL);
	assert_true(none_reported(MSG_DONE));
	assert_int_equal(atomic_load(&fake->cancel_all_n), 0);
	mode(PORT_RESYNC);
	assert_true(wait_bits(FREEZE_FEED_STALE));
	assert_true(proc_until(is_reported,
	    &(struct order){.hdr = {.kind = MSG_DONE}}, PROC_WAIT_MS));
	assert_true(atomic_load(&fake->cancel_all_n) > 0);
}

static void
a_freeze_cancels_all_before_it_cancels_each(void **state)
{
	(void)state;
	start();
	order(1, 49, 10);
	(void)wait_act(1);
	event(PORT_ACKED, 10, 0);
	(void)wait_report(MSG_ACK);
	ctl_freeze_set(ctl, FW_RISKD, FREEZE_MANUAL, true, proc_now_ns());
	assert_int_equal(wait_act(2)->what, PORT_CANCEL);
	assert_true(fake->act[1].urgent);
	assert_int_equal(fake->first, 1 + 1);
	assert_int_equal(fake->may[1], 1);
	order(2, 49, 10);
	assert_int_equal(wait_report(MSG_REJECT).id, ID(2));
}

static void
holdings_are_told_behind_the_fills_that_they_contain(void **state)
{
	struct gateway_holding h = {.instr = PM,
	    .is_known = true,
	    .ours = QTY(4 * E8),
	    .venue = QTY(3 * E8),
	    .final_long = QTY(2 * E8),
	    .final_short = QTY(1 * E8)};
	struct order o;

	(void)state;
	start();
	order(1, 49, 10);
	(void)wait_act(1);
	/* Both before the shell looks: one batch. */
	kill(execd, SIGSTOP);
	event(PORT_ACKED, 10, 0);
	event(PORT_FILLED, 4, 77);
	say(FAKE_HOLDING)->holding = h;
	said();
	h.instr = PM + 1; /* resolved: not told */
	say(FAKE_HOLDING)->holding = h;
	said();
	say(FAKE_HOLDING)->holding =
	    (struct gateway_holding){.usd = USD(5 * E6)};
	said();
	kill(execd, SIGCONT);
	(void)wait_report(MSG_FILL);
	o = wait_report(MSG_POSITION);
	assert_int_equal(o.hdr.instr, PM);
	assert_int_equal(o.qty.e8, 4 * E8);
	assert_int_equal(o.exec_qty.e8, 3 * E8);
	assert_int_equal(o.cum_qty.e8, 2 * E8);
	assert_int_equal(o.px.e8, 1 * E8);
	assert_int_equal(o.status, 1);
	assert_int_equal(wait_report(MSG_BALANCE).usd.e6, 5 * E6);
}

/* riskd takes nothing: events wait, and come in their order. */
static void
events_wait_while_reports_have_no_room(void **state)
{
	uint64_t last = 0;
	uint32_t fills = 0;

	(void)state;
	start();
	order(1, 49, 9000);
	(void)wait_act(1);
	event(PORT_ACKED, 9000, 0);
	for (uint32_t k = 0; k < 6000; k++)
		event(PORT_FILLED, 1, 1000 + k);
	assert_true(wait_bits(FREEZE_REPORT_BACKLOG));
	while (fills < 6000) {
		struct order o = wait_report(MSG_FILL);

		assert_true((uint64_t)o.cum_qty.e8 > last);
		last = (uint64_t)o.cum_qty.e8;
		fills++;
	}
	assert_int_equal(last, 6000 * (uint64_t)E8);
}

static void
a_stop_ends_when_the_venue_says_that_nothing_rests(void **state)
{
	(void)state;
	fake->echo = 1;
	fake->is_flat = 0;
	start();
	order(1, 49, 10);
	(void)wait_report(MSG_ACK);
	kill(execd, SIGTERM);
	assert_int_equal(wait_report(MSG_DONE).id, ID(1));
	assert_int_equal(proc_wait(execd, QUIET_MS), -1);
	assert_true(atomic_load(&fake->verify_n) > 0);
	atomic_store(&fake->is_flat, 1);
	assert_int_equal(ended(), 0);
}

static void
a_stop_without_proof_says_so(void **state)
{
	(void)state;
	fake->echo = 1;
	fake->is_flat = 0;
	start();
	order(1, 49, 10);
	(void)wait_report(MSG_ACK);
	kill(execd, SIGTERM);
	assert_int_equal(ended(), EXIT_TEMPORARY);
}

static void
T_43_a_sweep_cancels_verifies_and_ends(void **state)
{
	(void)state;
	start_with(true);
	assert_int_equal(ended(), 0);
	assert_true(atomic_load(&fake->cancel_all_n) > 0);
	assert_true(atomic_load(&fake->verify_n) > 0);
}

static void
the_dead_man_switch_hears_of_the_lease(void **state)
{
	(void)state;
	start();
	order(1, 49, 10);
	(void)wait_act(1);
	assert_int_equal(atomic_load(&fake->lease_ns), UINT64_MAX / 2);
}

static void
T_83_live_ends_by_itself(void **state)
{
	int64_t until_ns;
	char text[32];
	time_t at = time(NULL) + 2;
	struct tm tm;

	(void)state;
	fake->echo = 1;
	cfg.system_mode = MODE_LIVE;
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &tm));
	assert_true(clock_parse_utc(text, &until_ns));
	assert_int_equal(until_ns / NS_PER_S, at);
	snprintf(cfg.live_until.s, sizeof(cfg.live_until.s), "%s", text);
	cfgpage_publish(&page, &cfg);
	start();
	order(1, 49, 10);
	assert_int_equal(wait_act(1)->what, PORT_PLACE);
	assert_true(wait_bits(FREEZE_MANUAL));
	assert_int_equal(wait_report(MSG_DONE).id, ID(1));
	assert_true(atomic_load(&fake->cancel_all_n) > 0);
}

static bool
has_timers(void *arg)
{
	return atomic_load(&fake->timer_n) > *(uint32_t *)arg;
}

/* Whoever asks when the timer is wanted must not put it off. */
static void
the_gateways_timer_comes_however_busy_it_is(void **state)
{
	uint32_t n = 5;

	(void)state;
	start();
	for (uint32_t k = 0; k < 200; k++) {
		mode(k % 2 == 0 ? PORT_RESYNC : PORT_NORMAL);
		usleep(10000);
	}
	assert_true(proc_until(has_timers, &n, 100));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(an_order_goes_to_the_gateway_and_its_events_come_back),
	    T(an_order_is_known_before_it_leaves),
	    T(an_event_that_a_death_swallowed_is_told_again_and_counts_once),
	    T(a_venue_that_blocks_us_freezes_until_a_person_thaws),
	    T(a_short_resync_keeps_what_rests_and_a_long_one_does_not),
	    T(a_freeze_cancels_all_before_it_cancels_each),
	    T(holdings_are_told_behind_the_fills_that_they_contain),
	    T(events_wait_while_reports_have_no_room),
	    T(a_stop_ends_when_the_venue_says_that_nothing_rests),
	    T(a_stop_without_proof_says_so),
	    T(T_43_a_sweep_cancels_verifies_and_ends),
	    T(the_dead_man_switch_hears_of_the_lease),
	    T(T_83_live_ends_by_itself),
	    T(the_gateways_timer_comes_however_busy_it_is),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
