/* links: execd libvenue libsign libsys libshm libcore */
/*
 * The gateway to Hyperliquid against simvenue --live, over real sockets: one
 * venue for all tests, a life of the gateway for each, the book goes on. What
 * was told is compared with the venue's ledger.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "tests/pipeline/gatekit.h"
#include "tests/pipeline/proc.h"
#include "tests/pipeline/simkit.h"

#define INSTR ((uint16_t)INSTR_HL_BASE)
#define FAR   PX(60000 * E8) /* some 84,000 is the price */
#define HIGH  PX(95000 * E8)
#define SZ    QTY(100000) /* 0.001 */

static struct gatekit k;
static uint64_t id = UINT64_C(9) << 40; /* of the newest order */

/* ---- acts ---- */

static void
act(enum port_do what, uint64_t of, px_t px, qty_t qty)
{
	struct port_act a = {.what = what,
	    .slot = 3,
	    .id = of,
	    .instr = INSTR,
	    .epoch = 1,
	    .side = SIDE_BID,
	    .tif = TIF_GTC,
	    .oflags = ORDER_POST_ONLY,
	    .px = px,
	    .qty = qty};

	gatekit_act(&k, &a);
}

static uint64_t
place(px_t px, qty_t qty)
{
	act(PORT_PLACE, ++id, px, qty);
	return id;
}

static uint64_t
take(enum side side, qty_t qty)
{
	struct port_act a = {.what = PORT_PLACE,
	    .slot = 4,
	    .id = ++id,
	    .instr = INSTR,
	    .epoch = 1,
	    .side = (uint8_t)side,
	    .tif = TIF_IOC,
	    .px = side == SIDE_BID ? HIGH : FAR,
	    .qty = qty};

	gatekit_act(&k, &a);
	return id;
}

static bool
said(uint64_t of, enum port_ev what)
{
	return gatekit_said(&k, of, what) > 0;
}

static enum reason
why(uint64_t of, enum port_ev what)
{
	const struct port_event *ev = gatekit_last(&k, of, what);

	assert_non_null(ev);
	return ev->reason;
}

/* ---- the venue's side ---- */

static uint32_t
venue_orders(px_t *px, qty_t *left)
{
	json_t *ledger = simkit_json("/sim/ledger");
	json_t *list =
	    json_object_get(simkit_account(ledger, "hyperliquid"), "orders");
	uint32_t n = (uint32_t)json_array_size(list);

	if (n > 0 && px != NULL) {
		*px = PX(simkit_i64(json_array_get(list, n - 1), "px_e8"));
		*left = QTY(simkit_i64(json_array_get(list, n - 1), "left_e8"));
	}
	json_decref(ledger);
	return n;
}

static uint32_t
open_n(void)
{
	return venue_orders(NULL, NULL);
}

static void
venue_account(qty_t *qty, usd_t *fees)
{
	json_t *ledger = simkit_json("/sim/ledger");
	json_t *a = simkit_account(ledger, "hyperliquid");
	json_t *list = json_object_get(a, "positions");

	*qty = QTY(json_array_size(list) == 0
		       ? 0
		       : simkit_i64(json_array_get(list, 0), "qty_e8"));
	*fees = USD(simkit_i64(a, "fees_e6"));
	json_decref(ledger);
}

static int64_t
place_calls(void)
{
	json_t *stats = simkit_json("/sim/stats");
	json_t *live = json_object_get(stats, "live");
	int64_t n =
	    simkit_i64(json_object_get(live, "hyperliquid"), "place_calls");

	json_decref(stats);
	return n;
}

/* To the last unit. Fees: what was paid counts down in an event. */
static void
ledgers_agree(void)
{
	qty_t qty;
	qty_t venue;
	usd_t fees;
	usd_t paid;

	gatekit_net(&k, INSTR, &qty, &fees);
	venue_account(&venue, &paid);
	assert_int_equal(qty.e8, venue.e8);
	assert_int_equal(fees.e6, paid.e6);
}

/* ---- lives ---- */

static bool
begin(void)
{
	struct instr in = {.symbol = "BTC",
	    .venue = VENUE_HYPERLIQUID,
	    .cls = CLASS_PERP,
	    .lot_qty = QTY(1000)};

	k.may_place = true;
	k.has_lease = false;
	if (gatekit_open(&k, &gateway_hl, ST_EXECD_HL, false) != 0)
		return false;
	k.ops->market(k.gate, INSTR, &in);
	gatekit_start(&k);
	return true;
}

static int
setup(void **state)
{
	(void)state;
	assert_true(begin());
	GATEKIT_UNTIL(&k, k.mode == PORT_NORMAL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	simkit_clear("");
	k.ops->cancel_all(k.gate);
	GATEKIT_UNTIL(&k, open_n() == 0);
	gatekit_close(&k);
	assert_int_equal(k.odd_n, 0);
	return 0;
}

/* ---- an order's life ---- */

static void
an_order_rests_changes_and_goes(void **state)
{
	uint64_t of;
	px_t px;
	qty_t left;

	(void)state;
	of = place(FAR, SZ);
	GATEKIT_UNTIL(&k, said(of, PORT_ACKED));
	assert_int_equal(venue_orders(&px, &left), 1);
	assert_int_equal(px.e8, FAR.e8);
	assert_int_equal(left.e8, SZ.e8);
	act(PORT_REDUCE, of, PX(60100 * E8), QTY(60000));
	GATEKIT_UNTIL(&k, said(of, PORT_REDUCED));
	assert_int_equal(venue_orders(&px, &left), 1);
	assert_int_equal(px.e8, 60100 * E8);
	assert_int_equal(left.e8, 60000);
	k.ops->verify(k.gate);
	GATEKIT_FOR(&k, 300);
	assert_false(k.ops->flat(k.gate));
	act(PORT_CANCEL, of, PX(60100 * E8), QTY(60000));
	GATEKIT_UNTIL(&k, said(of, PORT_CANCELLED));
	assert_int_equal(open_n(), 0);
	k.ops->verify(k.gate);
	GATEKIT_UNTIL(&k, k.ops->flat(k.gate));
	assert_int_equal(gatekit_said(&k, of, PORT_ACKED), 1);
	assert_int_equal(gatekit_said(&k, of, PORT_CANCELLED), 1);
	assert_true(k.settled_n > 0);
	GATEKIT_UNTIL(
	    &k, metrics_value(k.stage.metrics, M_EXECD_CANCEL_REQUESTS) == 1);
	assert_int_equal(metrics_value(k.stage.metrics, M_EXECD_POSTS), 1);
}

static void
a_post_only_order_that_would_cross_is_refused(void **state)
{
	uint64_t of = place(HIGH, SZ);

	(void)state;
	GATEKIT_UNTIL(&k, said(of, PORT_REJECTED));
	assert_int_equal(why(of, PORT_REJECTED), REASON_POST_ONLY);
	assert_int_equal(open_n(), 0);
}

static void
a_fill_is_booked_once_and_the_ledgers_agree(void **state)
{
	uint64_t of = take(SIDE_BID, QTY(200000));
	uint32_t looks;
	const struct gateway_holding *h;
	qty_t qty;
	usd_t paid;

	(void)state;
	simkit_fault("{\"name\":\"duplicate_trade\",\"p\":1}");
	GATEKIT_UNTIL(&k, said(of, PORT_FILLED));
	GATEKIT_FOR(&k, 500);
	of = take(SIDE_ASK, QTY(150000));
	GATEKIT_UNTIL(&k, said(of, PORT_FILLED));
	GATEKIT_FOR(&k, 500);
	ledgers_agree();
	assert_false(gatekit_last(&k, of, PORT_FILLED)->is_maker);
	/* The next reconcile says the same. */
	looks = k.hold_n;
	GATEKIT_UNTIL(&k, k.hold_n >= looks + 2);
	h = &k.hold[(k.hold_n - 2) % GATEKIT_HOLDINGS];
	venue_account(&qty, &paid);
	assert_int_equal(h->instr, INSTR);
	assert_true(h->is_known);
	assert_int_equal(h->venue.e8, qty.e8);
	assert_int_equal(h->ours.e8, qty.e8);
	assert_int_equal(h->final_long.e8, qty.e8);
	h++;
	assert_int_equal(h->instr, 0);
	assert_in_range(h->usd.e6, 9000 * E6, 11000 * E6);
}

/* ---- the gate ---- */

static void
a_closed_gate_lets_no_placement_out(void **state)
{
	uint64_t resting = place(FAR, SZ);
	int64_t calls;
	uint64_t of;

	(void)state;
	GATEKIT_UNTIL(&k, said(resting, PORT_ACKED));
	calls = place_calls();
	k.may_place = false;
	k.asked_n = 0;
	of = place(FAR, SZ);
	/* Before any loop turns. */
	assert_int_equal(why(of, PORT_REJECTED), REASON_FROZEN);
	assert_int_equal(k.asked_n, 1);
	act(PORT_REDUCE, resting, FAR, QTY(60000));
	assert_int_equal(why(resting, PORT_NOT_CANCELLED), REASON_FROZEN);
	act(PORT_CANCEL, resting, FAR, SZ);
	GATEKIT_UNTIL(&k, said(resting, PORT_CANCELLED));
	assert_int_equal(place_calls(), calls);
	assert_int_equal(gatekit_said(&k, of, PORT_UNKNOWN), 0);
	assert_int_equal(open_n(), 0);
}

/* ---- trouble ---- */

static void
T_31_a_lost_answer_is_asked_about(void **state)
{
	int64_t calls = place_calls();
	uint64_t of;

	(void)state;
	/* Neither the answer nor a word on the stream. */
	simkit_fault("{\"name\":\"reply_lost\",\"path\":\"/exchange\","
		     "\"count\":1}");
	simkit_fault("{\"name\":\"gap\",\"venue\":\"hyperliquid\","
		     "\"for_ms\":1000}");
	of = place(FAR, SZ);
	/* The next reconcile sees it. */
	GATEKIT_UNTIL(&k, said(of, PORT_ACKED));
	assert_int_equal(open_n(), 1);
	GATEKIT_FOR(&k, 5500); /* and the call's time runs out */
	assert_int_equal(place_calls(), calls + 1); /* never sent again */
	assert_int_equal(gatekit_said(&k, of, PORT_ACKED), 1);
	assert_int_equal(gatekit_said(&k, of, PORT_REJECTED), 0);
}

static void
T_31_a_lost_request_is_gone_when_that_is_proven(void **state)
{
	int64_t calls = place_calls();
	uint64_t of;

	(void)state;
	simkit_fault("{\"name\":\"request_lost\",\"venue\":\"hyperliquid\","
		     "\"for_ms\":300}");
	of = place(FAR, SZ);
	GATEKIT_UNTIL(&k, said(of, PORT_UNKNOWN));
	GATEKIT_UNTIL(&k, said(of, PORT_GONE));
	assert_int_equal(open_n(), 0);
	assert_int_equal(place_calls(), calls + 1); /* it did arrive there */
	GATEKIT_UNTIL(&k, k.mode == PORT_NORMAL);
	GATEKIT_UNTIL(&k, metrics_value(k.stage.metrics, M_EXECD_UNKNOWN) > 0);
}

static void
a_socket_that_drops_is_made_again(void **state)
{
	uint64_t of;

	(void)state;
	simkit_fault("{\"name\":\"disconnect_storm\",\"venue\":\"hyperliquid\","
		     "\"count\":1}");
	of = place(FAR, SZ);
	GATEKIT_UNTIL(&k, k.mode == PORT_RESYNC);
	GATEKIT_UNTIL(&k, said(of, PORT_ACKED));
	assert_int_equal(open_n(), 1);
	GATEKIT_UNTIL(&k, k.mode == PORT_NORMAL);
	GATEKIT_UNTIL(
	    &k, metrics_value(k.stage.metrics, M_EXECD_RECONNECTS) > 0);
	act(PORT_CANCEL, of, FAR, SZ);
	GATEKIT_UNTIL(&k, said(of, PORT_CANCELLED));
}

static void
T_60_fills_of_a_silence_are_fetched(void **state)
{
	uint64_t of;

	(void)state;
	/* Its frames die, and then the socket. */
	simkit_fault("{\"name\":\"gap\",\"venue\":\"hyperliquid\",\"value\":20,"
		     "\"count\":20,\"for_ms\":1500}");
	of = take(SIDE_BID, SZ);
	GATEKIT_FOR(&k, 700);
	simkit_fault("{\"name\":\"disconnect_storm\",\"venue\":\"hyperliquid\","
		     "\"count\":1}");
	GATEKIT_UNTIL(&k, said(of, PORT_FILLED));
	GATEKIT_UNTIL(&k, k.mode == PORT_NORMAL);
	GATEKIT_FOR(&k, 300);
	ledgers_agree();
}

static void
T_62_a_nonce_that_was_seen_is_no_order(void **state)
{
	uint64_t of;

	(void)state;
	simkit_fault("{\"name\":\"nonce_collision\",\"count\":1}");
	of = place(FAR, SZ);
	GATEKIT_UNTIL(&k, said(of, PORT_UNKNOWN));
	GATEKIT_UNTIL(&k, said(of, PORT_GONE));
	assert_int_equal(open_n(), 0);
	of = place(FAR, SZ);
	GATEKIT_UNTIL(&k, said(of, PORT_ACKED));
	assert_int_equal(open_n(), 1);
}

static void
T_45_without_a_budget_only_cancels_leave(void **state)
{
	uint64_t resting = place(FAR, SZ);
	uint64_t of;

	(void)state;
	GATEKIT_UNTIL(&k, said(resting, PORT_ACKED));
	simkit_fault("{\"name\":\"budget_exhausted\"}");
	of = place(FAR, SZ);
	GATEKIT_UNTIL(&k, said(of, PORT_REJECTED));
	GATEKIT_UNTIL(&k, k.mode == PORT_CANCEL_ONLY);
	of = place(FAR, SZ);
	assert_int_equal(why(of, PORT_REJECTED), REASON_RATE_LIMIT);
	act(PORT_CANCEL, resting, FAR, SZ);
	GATEKIT_UNTIL(&k, said(resting, PORT_CANCELLED));
	assert_int_equal(open_n(), 0);
}

static void
T_64_the_dead_man_switch_is_fed_by_the_lease_alone(void **state)
{
	uint64_t of;

	(void)state;
	k.has_lease = true;
	GATEKIT_FOR(&k, 1000);
	of = place(FAR, SZ);
	GATEKIT_UNTIL(&k, said(of, PORT_ACKED));
	GATEKIT_FOR(&k, 1000);
	k.has_lease = false; /* riskd is dead */
	assert_int_equal(open_n(), 1);
	GATEKIT_UNTIL(&k, said(of, PORT_CANCELLED));
	assert_int_equal(open_n(), 0);
}

/* ---- kill -9 ---- */

/* A life that places, takes, places once more, and is killed at once. */
static void
short_life(uint64_t first)
{
	id = first;
	if (!begin())
		_exit(1);
	while (k.mode != PORT_NORMAL)
		gatekit_turn(&k);
	(void)place(FAR, SZ);
	while (!said(id, PORT_ACKED))
		gatekit_turn(&k);
	(void)take(SIDE_BID, SZ);
	(void)place(PX(61000 * E8), SZ);
	raise(SIGKILL);
}

static void
a_killed_gateway_goes_on_where_it_was(void **state)
{
	int status;
	pid_t pid;
	uint64_t a = id + 1;

	(void)state;
	pid = fork();
	if (pid == 0)
		short_life(id);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	id += 3;
	assert_true(begin());
	GATEKIT_UNTIL(&k, k.mode == PORT_NORMAL);
	/* What rested is told again, with its slot; what was sent without an
	 * answer is found. */
	GATEKIT_UNTIL(&k, said(a, PORT_ACKED));
	assert_int_equal(gatekit_last(&k, a, PORT_ACKED)->slot, 3);
	GATEKIT_UNTIL(&k, said(a + 1, PORT_FILLED));
	GATEKIT_UNTIL(&k, said(a + 2, PORT_ACKED) || said(a + 2, PORT_GONE));
	GATEKIT_FOR(&k, 300);
	assert_int_equal(open_n(), 1 + (uint32_t)said(a + 2, PORT_ACKED));
	ledgers_agree();
	/* Nonces go on: the first order of this life is taken. */
	(void)place(FAR, SZ);
	GATEKIT_UNTIL(&k, said(id, PORT_ACKED));
	(void)teardown(state);
}

/* ---- starts that are refused ---- */

static void
blocked(const char *fault, const char *text)
{
	simkit_fault(fault);
	assert_true(begin());
	GATEKIT_UNTIL(&k, k.mode == PORT_BLOCKED);
	if (strstr(k.why, text) == NULL)
		fail_msg("%s", k.why);
	(void)place(FAR, SZ);
	assert_int_equal(why(id, PORT_REJECTED), REASON_VENUE);
	simkit_clear("");
	gatekit_close(&k);
	assert_int_equal(open_n(), 0);
}

static void
T_68_an_empty_account_is_not_traded(void **state)
{
	(void)state;
	blocked("{\"name\":\"empty_account\"}", "the account is empty");
}

static void
T_65_who_signed_is_told_when_nobody_knows_him(void **state)
{
	(void)state;
	assert_true(begin());
	GATEKIT_UNTIL(&k, k.mode == PORT_NORMAL);
	simkit_fault("{\"name\":\"signer_unknown\",\"count\":1}");
	(void)place(FAR, SZ);
	GATEKIT_UNTIL(&k, k.mode == PORT_BLOCKED);
	assert_non_null(strstr(k.why, "signer 0x"));
	assert_non_null(strstr(k.why, "not ours"));
	GATEKIT_UNTIL(&k, said(id, PORT_REJECTED));
	simkit_clear("");
	gatekit_close(&k);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	static const char *const options[] = {"--seed", "11", NULL};
	const struct CMUnitTest tests[] = {
	    T(an_order_rests_changes_and_goes),
	    T(a_post_only_order_that_would_cross_is_refused),
	    T(a_fill_is_booked_once_and_the_ledgers_agree),
	    T(a_closed_gate_lets_no_placement_out),
	    T(T_31_a_lost_answer_is_asked_about),
	    T(T_31_a_lost_request_is_gone_when_that_is_proven),
	    T(a_socket_that_drops_is_made_again),
	    T(T_60_fills_of_a_silence_are_fetched),
	    T(T_62_a_nonce_that_was_seen_is_no_order),
	    cmocka_unit_test(a_killed_gateway_goes_on_where_it_was),
	    cmocka_unit_test(T_68_an_empty_account_is_not_traded),
	    cmocka_unit_test(T_65_who_signed_is_told_when_nobody_knows_him),
	    T(T_45_without_a_budget_only_cancels_leave),
	    T(T_64_the_dead_man_switch_is_fed_by_the_lease_alone),
	};
	int rc;

	if (!gatekit_init(&k, "gate-hl", options) ||
	    !gatekit_set(&k, "exec.reconcile_s=1s")) {
		printf("# %s\n", k.rig.out);
		return 1;
	}
	simkit_open(&k.rig);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	gatekit_free(&k);
	return rc;
}
