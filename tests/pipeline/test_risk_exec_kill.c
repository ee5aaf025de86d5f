/* links: riskd execd libsys libshm libcore */
/* The real riskd and execd.polymarket under load, killed at random moments:
 * no fill is lost or booked twice, nothing is left open, and both stores
 * agree to the last unit. The test is their feeds and their quoted.
 *   KILLS=n SEED=n for longer runs. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "execd/paperdesk.h"
#include "libcore/hash.h"
#include "libshm/cfgpage.h"
#include "libshm/ctl.h"
#include "libshm/instr.h"
#include "libshm/ring.h"
#include "libshm/slots.h"
#include "libsys/outbox.h"
#include "riskd/risk.h"
#include "tests/pipeline/proc.h"

#define PM	  INSTR_PM_BASE
#define FILLS	  65536u
#define LETTER_SZ (8u + sizeof(struct order))

enum {
	PROC_RISKD,
	PROC_EXECD,
	PROC_N
};

static char dir[160];
static char state_dir[160];
static struct instance in;
static struct ctl *ctl;
static struct instr_table *table;
static struct cfgpage page;
static struct cfg cfg;
static struct ring md_r, md_x, bn_r, intent, verdict, report;
static pid_t pids[PROC_N];
static uint64_t rng;
static uint64_t intent_id = UINT64_C(1) << 40;
static uint64_t fill_id[FILLS];
static uint32_t fill_n;
static uint32_t repeats;
static int64_t position;
static uint64_t verdicts_ok;

static uint32_t
rnd(uint32_t n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (uint32_t)(rng >> 33) % n;
}

static const struct {
	struct ring *r;
	enum ring_id id;
	enum ring_role role;
	enum stage_id reader;
} rings[] = {
    {&md_r, RG_MD_PM_R, RING_PRODUCER, ST_RISKD},
    {&md_x, RG_MD_PM_X, RING_PRODUCER, ST_EXECD_PM},
    {&bn_r, RG_MD_BN_R, RING_PRODUCER, ST_RISKD},
    {&intent, RG_INTENT, RING_PRODUCER, ST_RISKD},
    {&verdict, RG_VERDICT, RING_CONSUMER, ST_RISKD},
    {&report, RG_REPORT_PM_Q, RING_CONSUMER, ST_RISKD},
};

static int
setup(void **state)
{
	struct err e = {0};

	if (state != NULL)
		snprintf(
		    state_dir, sizeof(state_dir), "%s", proc_tmp("risk_state"));
	snprintf(dir, sizeof(dir), "%s", proc_tmp("risk_exec"));
	setenv("RINGMAKER_SHM", dir, 1);
	cfg_defaults(&cfg);
	cfg.system_mode = MODE_PAPER;
	snprintf(cfg.system_state_dir.s, sizeof(cfg.system_state_dir.s), "%s",
	    state_dir);
	cfg.hyperliquid_enabled = false;
	cfg.risk_max_orders_per_s = 10000;
	cfg.risk_max_orders_per_s_market = 1000;
	cfg.risk_max_intent_age_ms.ns = INT64_C(5000) * NS_PER_MS;
	cfg.exec_paper_latency.ns = NS_PER_MS;
	cfg.capital_usd = USD(10000 * E6);
	cfg.mm_global_daily_loss_limit = USD(100000 * E6);
	/* What kill -9 leaves was not left by a checkpoint. */
	cfg.risk_checkpoint_interval.ns = INT64_C(60) * NS_PER_S;
	cfg.sandbox_mode =
	    getenv("RM_SANITIZE") ? CFG_SANDBOX_OFF : CFG_SANDBOX_PROD;
	if (instance_create(&in, "t", 42, &e) < 0 ||
	    cfgpage_create(&page, in.dirfd, 42, &cfg, &e) < 0 ||
	    ctl_attach(&ctl, in.dirfd, true, &e) < 0 ||
	    instr_attach(&table, in.dirfd, true, &e) < 0)
		fail_msg("%s", e.text);
	for (size_t i = 0; i < sizeof(rings) / sizeof(rings[0]); i++) {
		enum stage_id to = rings[i].reader;

		if (ring_attach(rings[i].r, in.dirfd, &topo_rings[rings[i].id],
			rings[i].role, &e) < 0)
			fail_msg("%s", e.text);
		rings[i].r->bell.fifo_fd = -1;
		if (rings[i].role != RING_PRODUCER)
			continue;
		rings[i].r->bell.bell = &ctl->stage[to].bell;
		if (to == ST_EXECD_PM)
			rings[i].r->bell.fifo_fd =
			    bell_fifo_open(in.dirfd, topo_stages[to].name, &e);
	}
	return 0;
}

static int
teardown(void **state)
{
	for (size_t i = 0; i < sizeof(rings) / sizeof(rings[0]); i++)
		ring_detach(rings[i].r);
	cfgpage_detach(&page);
	instr_detach(table);
	ctl_detach(ctl);
	instance_close(&in);
	proc_rmtree(dir);
	if (state != NULL)
		proc_rmtree(state_dir);
	return 0;
}

static void
start(int which)
{
	const char *risk[] = {"riskd", "--instance", "t", NULL};
	const char *exec[] = {
	    "execd", "--stage", "execd.polymarket", "--instance", "t", NULL};
	char log[300];

	snprintf(log, sizeof(log), "%s/log.%d", dir, which);
	pids[which] = proc_start(which == PROC_RISKD ? risk : exec, log);
	assert_true(pids[which] > 0);
}

static void
push(struct ring *r, union tap *t)
{
	t->hdr.recv_ns = proc_now_ns();
	for (int i = 0; i < PROC_WAIT_MS && !ring_push(r, t); i++)
		usleep(1000);
}

static union tap
tick(enum slot_kind kind, uint16_t instr)
{
	union tap t;

	memset(&t, 0, sizeof(t));
	t.hdr.kind = (uint8_t)kind;
	t.hdr.instr = instr;
	return t;
}

static void
links(void)
{
	union tap t = tick(TICK_LINK, 0);

	t.tick.u.link.rtt_us = 1000;
	t.tick.u.link.state = LINK_READY;
	push(&md_r, &t);
	push(&bn_r, &t);
}

/* The touch at 49 and 51; a snapshot for execd. */
static void
book(void)
{
	union tap t = tick(TICK_INSTR, PM);

	push(&md_r, &t);
	push(&md_x, &t);
	t = tick(TICK_BBO, PM);
	t.tick.u.bbo.bid_px = PX(49 * E8 / 100);
	t.tick.u.bbo.ask_px = PX(51 * E8 / 100);
	t.tick.u.bbo.bid_qty = t.tick.u.bbo.ask_qty = QTY(10 * E8);
	push(&md_r, &t);
	t = tick(TICK_SNAP_BEGIN, PM);
	push(&md_x, &t);
	for (int side = SIDE_BID; side <= SIDE_ASK; side++) {
		t = tick(TICK_LEVEL, PM);
		t.tick.u.level.side = (uint8_t)side;
		t.tick.u.level.epoch = 1;
		t.tick.u.level.px = PX((side == SIDE_BID ? 49 : 51) * E8 / 100);
		t.tick.u.level.qty = QTY(10 * E8);
		push(&md_x, &t);
	}
	t = tick(TICK_SNAP_END, PM);
	push(&md_x, &t);
}

static void
want(enum side side, int cents, int units)
{
	union tap t = tick(MSG_INTENT, PM);

	t.order.id = ++intent_id;
	t.order.side = (uint8_t)side;
	t.order.px = PX((int64_t)cents * E8 / 100);
	t.order.qty = QTY((int64_t)units * E8);
	t.order.tif = TIF_GTC;
	t.order.oflags = ORDER_POST_ONLY;
	t.order.strategy = STRATEGY_MAKER;
	push(&intent, &t);
}

static void
trade(void)
{
	union tap t = tick(TICK_TRADE, PM);
	bool sells = rnd(2) == 0;

	t.tick.u.trade.epoch = 1;
	t.tick.u.trade.side = sells ? SIDE_ASK : SIDE_BID;
	t.tick.u.trade.px = PX((sells ? 49 : 51) * E8 / 100);
	t.tick.u.trade.qty = QTY((int64_t)(rnd(20) + 1) * E8);
	push(&md_x, &t);
}

static void
take_fill(const struct order *o)
{
	for (uint32_t i = 0; i < fill_n; i++) {
		if (fill_id[i] == o->fill_id) {
			repeats++;
			return;
		}
	}
	assert_true(fill_n < FILLS);
	fill_id[fill_n++] = o->fill_id;
	position += o->side == SIDE_BID ? o->exec_qty.e8 : -o->exec_qty.e8;
}

static void
hear(void)
{
	const struct order *o;

	while ((o = ring_peek(&report)) != NULL) {
		if (o->hdr.kind == MSG_FILL)
			take_fill(o);
		ring_release(&report);
	}
	while ((o = ring_peek(&verdict)) != NULL) {
		verdicts_ok +=
		    o->hdr.kind == MSG_VERDICT && o->reason == REASON_OK;
		ring_release(&verdict);
	}
	ring_commit(&report);
	ring_commit(&verdict);
}

static void
load_for(int ms)
{
	uint64_t end = proc_now_ns() + (uint64_t)ms * UINT64_C(1000000);

	while (proc_now_ns() < end) {
		uint32_t what = rnd(10);

		if (what < 3)
			want(SIDE_BID, 49 - (int)rnd(2), 20 + (int)rnd(20));
		else if (what < 6)
			want(SIDE_ASK, 51 + (int)rnd(2), 20 + (int)rnd(20));
		else if (what < 9)
			trade();
		else
			links();
		hear();
		usleep(300);
	}
}

static void
market_as_of(uint16_t at)
{
	struct instr i = {.symbol = "m",
	    .venue = VENUE_POLYMARKET,
	    .cls = CLASS_BINARY,
	    .state = INSTR_NORMAL,
	    .epoch = 1,
	    .tick_px = PX(E8 / 100),
	    .lot_qty = QTY(E8 / 100),
	    .min_qty = QTY(5 * E8)};

	instr_write(table, at, &i);
}

static void
market(void)
{
	market_as_of(PM);
}

static void
kill_and_restart(int which)
{
	int status;

	kill(pids[which], SIGKILL);
	assert_int_equal(waitpid(pids[which], &status, 0), pids[which]);
	load_for((int)rnd(4));
	start(which);
	book();
}

static int
stop(int which)
{
	kill(pids[which], SIGTERM);
	return proc_exit_code(pids[which]);
}

static void
load_records(const char *name, uint32_t sz, uint64_t layout, uint32_t n,
    bool (*take)(uint32_t i, const void *rec))
{
	struct store s;
	struct err e;
	uint8_t rec[STORE_REC_SZ_MAX];

	if (store_open(&s, in.dirfd, name, hash_u64(layout, LETTER_SZ), &e) < 0)
		fail_msg("%s", e.text);
	for (uint32_t i = 0; i < n; i++) {
		store_get(&s, OUTBOX_RECS(sz) + i, rec);
		assert_true(take(i, rec));
	}
	store_close(&s);
}

static struct risk *risk;
static struct paperdesk *desk;
static struct exec *exec; /* of the desk */

static bool
take_risk(uint32_t i, const void *rec)
{
	return risk_load(risk, i, rec);
}

static bool
take_exec(uint32_t i, const void *rec)
{
	return paperdesk_load(desk, i, rec);
}

static void
check_stores(void)
{
	risk = calloc(1, sizeof(*risk));
	desk = calloc(1, sizeof(*desk));
	exec = &desk->e;
	risk_init(risk, &cfg, 1);
	paperdesk_init(desk, &cfg, VENUE_POLYMARKET, 1);
	load_records(
	    "riskd", RISK_REC_SZ, risk_layout(), RISK_REC_N, take_risk);
	load_records("execd.polymarket", EXEC_REC_SZ, paperdesk_layout(),
	    EXEC_REC_N, take_exec);
	risk_loaded(risk);
	paperdesk_loaded(desk);
	print_message("%u fills (%u told twice), %llu passed, position %lld\n",
	    fill_n, repeats, (unsigned long long)verdicts_ok,
	    (long long)position);
	assert_true(exec_flat(exec));
	assert_int_equal(risk->open_n, 0);
	assert_int_equal(risk->stat.adopted, 0);
	assert_int_equal(risk->stat.fills, fill_n);
	assert_int_equal(risk->instr[PM].pos.qty.e8, position);
	for (uint32_t k = 0; k < exec->slot_n; k++) {
		const struct exec_slot *x = &exec->slot[k];
		uint16_t y = risk->slot_of[x->instr][x->side][x->level];

		assert_true(y > 0 || x->cum.e8 == 0);
		if (y > 0)
			assert_int_equal(risk->slot[y - 1].cum.e8, x->cum.e8);
	}
	free(risk);
	free(desk);
}

static void
quiet_for(int ms)
{
	for (int i = 0; i < ms; i++) {
		hear();
		usleep(1000);
	}
}

static void
T_43_killed_at_any_moment(void **state)
{
	const char *kills = getenv("KILLS");
	const char *seed = getenv("SEED");
	unsigned n = kills != NULL ? (unsigned)strtoul(kills, 0, 10) : 40;

	(void)state;
	rng = (seed != NULL ? strtoull(seed, 0, 10) : 1) * HASH_SEED;
	market();
	start(PROC_EXECD);
	start(PROC_RISKD);
	links();
	book();
	load_for(300);
	for (unsigned k = 0; k < n; k++) {
		kill_and_restart((int)rnd(PROC_N));
		load_for(20 + (int)rnd(60));
	}
	links();
	load_for(200);
	/* Nothing new; what is said is handled; execd cancels what rests, and
	 * riskd hears that all is gone. */
	quiet_for(200);
	assert_int_equal(stop(PROC_EXECD), 0);
	quiet_for(200);
	assert_int_equal(stop(PROC_RISKD), 0);
	hear();
	assert_true(fill_n > n);
	check_stores();
}

static bool
is_latched(void *arg)
{
	bool *want_it = arg;
	uint64_t mask = atomic_load(&ctl->freeze[FW_RISKD].mask);

	links();
	hear();
	return ((mask & FREEZE_DAILY_LOSS) != 0) == *want_it;
}

static bool
has_filled(void *arg)
{
	(void)arg;
	links();
	want(SIDE_BID, 49, 20);
	trade();
	hear();
	usleep(2000);
	return position >= 20 * E8;
}

static void
wait_latch(bool on)
{
	assert_true(proc_until(is_latched, &on, PROC_WAIT_MS));
}

static void
end_hard(int which)
{
	int status;

	kill(pids[which], SIGKILL);
	assert_int_equal(waitpid(pids[which], &status, 0), pids[which]);
}

/* The limit is lowered under a position, the price falls: latched. Neither
 * kill -9 nor a reboot (a new instance) lifts it; a person does, for good. */
static void
T_23_latch_survives_kill_and_reboot(void **state)
{
	union tap t;

	(void)state;
	fill_n = repeats = 0;
	position = 0;
	rng = HASH_SEED;
	market();
	start(PROC_EXECD);
	start(PROC_RISKD);
	links();
	book();
	assert_true(proc_until(has_filled, NULL, PROC_WAIT_MS));
	cfg.mm_global_daily_loss_limit = USD(E6 / 10);
	cfgpage_publish(&page, &cfg);
	t = tick(TICK_BBO, PM);
	t.tick.u.bbo.bid_px = PX(19 * E8 / 100);
	t.tick.u.bbo.ask_px = PX(21 * E8 / 100);
	t.tick.u.bbo.bid_qty = t.tick.u.bbo.ask_qty = QTY(10 * E8);
	push(&md_r, &t);
	wait_latch(true);
	end_hard(PROC_RISKD);
	start(PROC_RISKD);
	usleep(50000);
	wait_latch(true);
	end_hard(PROC_RISKD);
	end_hard(PROC_EXECD);
	teardown(NULL);
	setup(NULL);
	start(PROC_RISKD);
	wait_latch(true);
	atomic_store(&ctl->sup.thaw_epoch, 1);
	wait_latch(false);
	end_hard(PROC_RISKD);
	teardown(NULL);
	setup(NULL);
	start(PROC_RISKD);
	usleep(100000);
	wait_latch(false);
	assert_int_equal(stop(PROC_RISKD), 0);
}

/* What riskd's store holds; riskd has ended. */
static struct risk *
stored(void)
{
	risk = calloc(1, sizeof(*risk));
	risk_init(risk, &cfg, 1);
	load_records(
	    "riskd", RISK_REC_SZ, risk_layout(), RISK_REC_N, take_risk);
	risk_loaded(risk);
	return risk;
}

static bool
is_ready(void *arg)
{
	(void)arg;
	return atomic_load(&ctl->stage[ST_RISKD].own.state) == STAGE_READY;
}

static void
start_ready(void)
{
	/* Not the word of a former life. */
	atomic_store(&ctl->stage[ST_RISKD].own.state, STAGE_DEAD);
	start(PROC_RISKD);
	assert_true(proc_until(is_ready, NULL, PROC_WAIT_MS));
}

static void
trade_a_while(void)
{
	fill_n = repeats = 0;
	position = 0;
	start(PROC_EXECD);
	start(PROC_RISKD);
	links();
	book();
	assert_true(proc_until(has_filled, NULL, PROC_WAIT_MS));
	/* Half of it is sold again: something realised, something held. */
	want(SIDE_BID, 48, 0);
	want(SIDE_ASK, 51, 10);
	for (int i = 0; i < 50; i++) {
		trade();
		hear();
		usleep(1000);
	}
	quiet_for(200);
	assert_true(position != 0);
}

static void
assert_same_book(
    const struct risk *a, uint16_t at, const struct risk *b, uint16_t bt)
{
	const struct risk_instr *x = &a->instr[at];
	const struct risk_instr *y = &b->instr[bt];

	assert_memory_equal(&x->pos, &y->pos, sizeof(x->pos));
	assert_int_equal(x->mark.e8, y->mark.e8);
	assert_int_equal(risk_pnl(a).e6, risk_pnl(b).e6);
	assert_true(a->loss.realised_e16 == b->loss.realised_e16);
	assert_int_equal(a->loss.fees.e6, b->loss.fees.e6);
	assert_int_equal(a->worst.e6, b->worst.e6);
}

/* Stopped in good order, then with kill -9 of everything; each time the
 * instance is new, and the market has another index in it. */
static void
T_23_positions_survive_the_run(void **state)
{
	int64_t carried = 0;

	(void)state;
	rng = HASH_SEED;
	for (int hard = 0; hard < 2; hard++) {
		struct risk *before;
		struct risk *waits;
		struct risk *after;

		market();
		trade_a_while();
		if (hard == 0) {
			assert_int_equal(stop(PROC_EXECD), 0);
			quiet_for(200);
			assert_int_equal(stop(PROC_RISKD), 0);
		} else {
			end_hard(PROC_RISKD);
			end_hard(PROC_EXECD);
		}
		hear();
		before = stored();
		carried += position;
		assert_int_equal(before->instr[PM].pos.qty.e8, carried);
		/* It counts before its market is known, and after. */
		teardown(NULL);
		setup(NULL);
		start_ready();
		end_hard(PROC_RISKD);
		waits = stored();
		assert_int_equal(waits->kept_n, 1);
		assert_int_equal(risk_pnl(waits).e6, risk_pnl(before).e6);
		assert_int_equal(waits->worst.e6, before->worst.e6);
		market_as_of(PM + 3);
		start_ready();
		assert_int_equal(stop(PROC_RISKD), 0);
		after = stored();
		assert_int_equal(after->kept_n, 0);
		assert_same_book(before, PM, after, PM + 3);
		free(before);
		free(waits);
		free(after);
		teardown(NULL);
		setup(NULL);
	}
}

/* The file of a build that did not know positions. */
static void
test_other_version_is_refused(void **state)
{
	char path[300];
	char log[300];
	char text[4096];
	size_t n;
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/latch.riskd.t", state_dir);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite("RMLK01\0\0", 1, 8, f), 8);
	fclose(f);
	start(PROC_RISKD);
	assert_int_equal(proc_exit_code(pids[PROC_RISKD]), 100);
	snprintf(log, sizeof(log), "%s/log.%d", dir, PROC_RISKD);
	f = fopen(log, "r");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	assert_non_null(strstr(text, path));
	assert_non_null(strstr(text, "another version"));
}

static bool
has_latency(void *arg)
{
	bool *want_it = arg;
	union tap t = tick(TICK_LINK, 0);

	t.tick.u.link.rtt_us = *want_it ? 2000000 : 1000 + rnd(1000);
	t.tick.u.link.state = LINK_READY;
	push(&bn_r, &t);
	usleep(1000);
	return ((atomic_load(&ctl->freeze[FW_RISKD].mask) & FREEZE_LATENCY) !=
		   0) == *want_it;
}

/* T-47: a new riskd does not lift what its former life had tripped. */
static void
T_47_tripped_switch_survives_kill(void **state)
{
	bool on = true;

	(void)state;
	rng = HASH_SEED;
	start_ready();
	assert_true(proc_until(has_latency, &on, PROC_WAIT_MS));
	end_hard(PROC_RISKD);
	start_ready();
	assert_int_equal(
	    atomic_load(&ctl->freeze[FW_RISKD].mask) & FREEZE_LATENCY,
	    FREEZE_LATENCY);
	on = false;
	assert_true(proc_until(has_latency, &on, PROC_WAIT_MS));
	assert_int_equal(stop(PROC_RISKD), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		T_43_killed_at_any_moment, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		T_23_latch_survives_kill_and_reboot, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		T_23_positions_survive_the_run, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_other_version_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		T_47_tripped_switch_survives_kill, setup, teardown),
	};

	return cmocka_run_group_tests(tests, 0, 0);
}
