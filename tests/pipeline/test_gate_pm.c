/* links: execd libvenue libsign libsys libshm libcore */
/*
 * The gateway of Polymarket against simvenue --live: real processes, real
 * sockets, signed orders. What the venue's own ledger says is the truth.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "libsign/hex.h"
#include "libvenue/pm_id.h"
#include "tests/pipeline/pmdesk.h"
#include "tests/pipeline/rig.h"

#define TEXT ((size_t)1 << 20)
#define E8   INT64_C(100000000)
/* The second public development key; worth nothing. */
#define OTHER_KEY \
	"59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
#define MY_ADDRESS    "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
#define OTHER_ADDRESS "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"

static struct rig rig;
static unsigned port;
static char text[TEXT]; /* of the last answer */
static struct pmdesk *me;
static struct pmdesk *other;
static uint64_t last_id;

/* ---- the venue ---- */

static const char *
call(const char *method, const char *path, const char *body)
{
	char out[1024];
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t n = 0;
	ssize_t got;
	int out_n = snprintf(out, sizeof(out),
	    "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	    "Content-Length: %zu\r\n\r\n%s",
	    method, path, strlen(body), body);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(write(fd, out, (size_t)out_n), out_n);
	while (n < TEXT - 1 && (got = read(fd, text + n, TEXT - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	close(fd);
	return text;
}

static void
fault(const char *rule)
{
	if (strstr(call("POST", "/sim/faults", rule), " 200 ") == NULL)
		fail_msg("%s: %s", rule, text);
}

static int64_t
stat_of(const char *key)
{
	return rig_json(call("GET", "/sim/stats", ""), "\"polymarket\":", key);
}

/* The part of the ledger that is an account's; "" when it is not there. */
static const char *
account(const char *address)
{
	char *at = strstr(call("GET", "/sim/ledger", ""), address);
	char *end;

	if (strstr(text, "\"polymarket\":{\"is_conserved\":true") == NULL)
		fail_msg("money is not conserved: %s", text);
	if (at == NULL)
		return "";
	end = strstr(at + 10, "{\"account\":");
	if (end != NULL)
		*end = '\0';
	end = strstr(at, "\"hyperliquid\"");
	if (end != NULL)
		*end = '\0';
	return at;
}

static unsigned
open_orders(const char *address)
{
	const char *at = strstr(account(address), "\"orders\":[");
	unsigned n = 0;

	while (at != NULL && (at = strstr(at + 1, "{\"id\":\"0x")) != NULL)
		n++;
	return n;
}

/* YES less NO, unsettled included. */
static int64_t
venue_net_e8(const char *address)
{
	char yes[PM_TOKEN_TEXT_MAX];
	char no[PM_TOKEN_TEXT_MAX];
	struct pm_token t;
	const char *a;
	int64_t v[2] = {0, 0};
	const char *names[2] = {yes, no};

	memcpy(t.w, me->instr.token_yes, sizeof(t.w));
	pm_token_format(&t, yes);
	memcpy(t.w, me->instr.token_no, sizeof(t.w));
	pm_token_format(&t, no);
	a = account(address);
	for (int i = 0; i < 2; i++) {
		const char *at = strstr(a, "\"tokens\":[");

		at = at != NULL ? strstr(at, names[i]) : NULL;
		if (at == NULL || at > strstr(a, "\"orders\":["))
			continue;
		v[i] = rig_json(at, "", "own_e8") + rig_json(at, "", "in_e8") -
		       rig_json(at, "", "out_e8");
	}
	return v[0] - v[1];
}

static int64_t
venue_usd_e6(const char *address)
{
	const char *at = strstr(account(address), "\"usd\":");

	return rig_json(at, "", "own_e6") + rig_json(at, "", "in_e6") -
	       rig_json(at, "", "out_e6");
}

static void
learn_market(struct instr *in)
{
	struct pm_token t;
	struct pm_cond c;
	char *at = strstr(
	    call("GET", "/markets/slug/quiet-market", ""), "clobTokenIds");

	*in = (struct instr){.symbol = "quiet-market",
	    .venue = VENUE_POLYMARKET,
	    .epoch = 1,
	    .tick_px = PX(E8 / 100),
	    .min_qty = QTY(5 * E8),
	    .token_kind = TOKEN_CONDITIONAL};
	assert_non_null(at);
	at += strcspn(at, "0123456789");
	assert_true(pm_token_parse(at, strspn(at, "0123456789"), &t));
	memcpy(in->token_yes, t.w, sizeof(in->token_yes));
	at += strspn(at, "0123456789");
	at += strcspn(at, "0123456789");
	assert_true(pm_token_parse(at, strspn(at, "0123456789"), &t));
	memcpy(in->token_no, t.w, sizeof(in->token_no));
	at = strstr(text, "\"conditionId\":\"");
	assert_non_null(at);
	assert_true(pm_cond_parse(at + 15, 66, &c) && c.n == 32);
	memcpy(in->condition, c.b, sizeof(in->condition));
}

/* ---- desks ---- */

static struct pmdesk *
desk_new(const char *name, const char *key)
{
	struct pmdesk *d = pmdesk_new(name);
	struct instance in;
	struct err e;

	if (instance_create(&in, name, 42, &e) < 0)
		fail_msg("%s", e.text);
	instance_close(&in);
	(void)snprintf(d->key, sizeof(d->key), "%s", key);
	(void)snprintf(d->cfg.polymarket_rest_url.s, CFG_STR_SZ,
	    "http://127.0.0.1:%u", port);
	(void)snprintf(d->cfg.polymarket_user_url.s, CFG_STR_SZ,
	    "ws://127.0.0.1:%u/ws/user", port);
	d->cfg.exec_reconcile_s.ns = INT64_C(1000000000);
	learn_market(&d->instr);
	return d;
}

static void
desk_start(struct pmdesk *d)
{
	pmdesk_start(d, rig_path(&rig, "desk.log"));
}

static bool
is_normal(const struct pmdesk *d)
{
	return d->mode == PORT_NORMAL;
}

/* What a failed wait leaves for whoever looks. */
static void
logs(void)
{
	for (const struct pmdesk *d = me; d != NULL; d = d == me ? other : NULL)
		for (uint32_t i = 0; i < d->event_n; i++)
			print_message("%s: event %d of %llx, reason %d\n",
			    d->name, d->event[i].what,
			    (unsigned long long)d->event[i].id,
			    d->event[i].reason);
	print_message(
	    "mode %d, %s\n%s\n", me->mode, me->why, rig_read(&rig, "desk.log"));
}

#define UNTIL(cond)                                                 \
	do {                                                        \
		uint64_t end_ = proc_now_ns() + 20000 * 1000000ull; \
		while (!(cond) && proc_now_ns() < end_)             \
			usleep(1000);                               \
		if (!(cond)) {                                      \
			logs();                                     \
			fail_msg("waited for nothing: %s", #cond);  \
		}                                                   \
	} while (0)

static void
desk_run(struct pmdesk *d)
{
	desk_start(d);
	UNTIL(is_normal(d));
}

/* Of YES, in cents and whole shares. */
static uint64_t
place(struct pmdesk *d, enum side side, int64_t cents, int64_t shares,
    enum tif tif)
{
	struct port_act a = {.what = PORT_PLACE,
	    .slot = (uint32_t)(last_id % 1000),
	    .id = (uint64_t)d->life << 40 | ++last_id,
	    .instr = PMDESK_INSTR,
	    .epoch = 1,
	    .side = (uint8_t)side,
	    .tif = (uint8_t)tif,
	    .oflags = tif == TIF_GTC ? ORDER_POST_ONLY : 0,
	    .px = PX(cents * E8 / 100),
	    .qty = QTY(shares * E8)};

	pmdesk_put(d, PMDESK_ACT, &a);
	return a.id;
}

static void
act(struct pmdesk *d, enum port_do what, uint64_t id)
{
	struct port_act a = {
	    .what = what, .id = id, .instr = PMDESK_INSTR, .side = SIDE_BID};

	pmdesk_put(d, PMDESK_ACT, &a);
}

static unsigned
heard(const struct pmdesk *d, enum port_ev what, uint64_t id)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < d->event_n; i++)
		n += d->event[i].what == what &&
		     (id == 0 || d->event[i].id == id);
	return n;
}

static const struct port_event *
first(const struct pmdesk *d, enum port_ev what, uint64_t id)
{
	for (uint32_t i = 0; i < d->event_n; i++)
		if (d->event[i].what == what && d->event[i].id == id)
			return &d->event[i];
	return NULL;
}

/* By distinct fills, less what was taken back. */
static int64_t
net_of_fills(const struct pmdesk *d)
{
	int64_t net = 0;

	for (uint32_t i = 0; i < d->event_n; i++) {
		const struct port_event *e = &d->event[i];
		bool again = false;

		if (e->what != PORT_FILLED && e->what != PORT_REVERSED)
			continue;
		for (uint32_t k = 0; k < i && !again; k++)
			again = d->event[k].what == e->what &&
				d->event[k].fill_id == e->fill_id;
		if (again)
			continue;
		net += ((e->side == SIDE_BID) == (e->what == PORT_FILLED))
			   ? e->qty.e8
			   : -e->qty.e8;
	}
	return net;
}

static int64_t
metric(const struct pmdesk *d, enum metric_id id)
{
	struct instance in;
	struct metrics *m;
	struct err e;
	int64_t v;

	assert_int_equal(instance_open(&in, d->name, &e), 0);
	assert_int_equal(
	    metrics_attach(&m, in.dirfd, ST_EXECD_PM, false, &e), 0);
	v = metrics_value(m, id);
	metrics_detach(m);
	instance_close(&in);
	return v;
}

/* Ours, by fills, is the venue's to the last unit, and both are told. */
static void
ledgers_agree(const struct pmdesk *d, const char *address)
{
	UNTIL(venue_net_e8(address) == net_of_fills(d) &&
	      d->ours_e8 == net_of_fills(d));
	UNTIL(d->usd_n > 0 && d->usd_e6 == venue_usd_e6(address));
}

/* ---- cases ---- */

static void
places_cancels_and_takes(void **state)
{
	uint64_t id;
	uint64_t take;

	(void)state;
	desk_run(me);
	id = place(me, SIDE_BID, 30, 10, TIF_GTC);
	UNTIL(heard(me, PORT_ACKED, id) == 1);
	assert_int_equal(open_orders(MY_ADDRESS), 1);
	assert_int_equal(rig_json(account(MY_ADDRESS), "\"orders\":", "px_e8"),
	    30 * E8 / 100);
	act(me, PORT_CANCEL, id);
	UNTIL(heard(me, PORT_CANCELLED, id) == 1);
	assert_int_equal(open_orders(MY_ADDRESS), 0);
	take = place(me, SIDE_BID, 52, 10, TIF_IOC);
	UNTIL(heard(me, PORT_CONFIRMED, take) == 1);
	assert_int_equal(heard(me, PORT_FILLED, take), 1);
	assert_int_equal(first(me, PORT_FILLED, take)->px.e8, 52 * E8 / 100);
	assert_int_equal(first(me, PORT_FILLED, take)->qty.e8, 10 * E8);
	assert_false(first(me, PORT_FILLED, take)->is_maker);
	ledgers_agree(me, MY_ADDRESS);
	assert_int_equal(me->usd_e6, INT64_C(9994800000));
	UNTIL(me->is_known && me->venue_e8 == 10 * E8);
	UNTIL(me->final_long_e8 == 10 * E8);
	assert_int_equal(stat_of("orders"), 2);
	UNTIL(metric(me, M_EXECD_POSTS) == 2);
	assert_int_equal(metric(me, M_EXECD_COLD), 0);
	assert_int_equal(me->inside, 0);
	assert_true(me->settles > 0);
	assert_int_equal(pmdesk_stop(me), 0);
}

/* The gate shuts: nothing that places arrives; cancels do. */
static void
the_gate_holds_orders_only(void **state)
{
	uint64_t id;
	uint64_t held;

	(void)state;
	desk_run(me);
	id = place(me, SIDE_BID, 30, 10, TIF_GTC);
	UNTIL(heard(me, PORT_ACKED, id) == 1);
	me->may_place = 0;
	held = place(me, SIDE_BID, 31, 10, TIF_GTC);
	UNTIL(heard(me, PORT_REJECTED, held) == 1);
	assert_int_equal(first(me, PORT_REJECTED, held)->reason, REASON_FROZEN);
	act(me, PORT_CANCEL, id);
	UNTIL(heard(me, PORT_CANCELLED, id) == 1);
	assert_int_equal(stat_of("place_calls"), 1);
	assert_true(stat_of("cancel_calls") >= 1);
	UNTIL(metric(me, M_EXECD_HELD) == 1);
	assert_int_equal(pmdesk_stop(me), 0);
}

/* Carried out, and the answer never comes: asked about, never sent again. */
static void
T_31_a_lost_reply_is_asked_about(void **state)
{
	uint64_t id;
	uint64_t late;

	(void)state;
	me->cfg.exec_order_timeout.ns = INT64_C(700000000);
	desk_run(me);
	fault("{\"name\":\"reply_lost\",\"path\":\"/order\",\"count\":1}");
	id = place(me, SIDE_BID, 30, 10, TIF_GTC);
	/* By asking, or by the channel, whichever is first. */
	UNTIL(heard(me, PORT_ACKED, id) == 1);
	UNTIL(metric(me, M_EXECD_RESENDS) == 1);
	fault("{\"name\":\"slow_answer\",\"path\":\"/order\",\"value\":2500,"
	      "\"count\":1}");
	late = place(me, SIDE_BID, 31, 10, TIF_GTC);
	UNTIL(heard(me, PORT_ACKED, late) == 1);
	assert_int_equal(open_orders(MY_ADDRESS), 2);
	assert_int_equal(stat_of("orders"), 2);
	assert_int_equal(stat_of("place_calls"), 2);
	assert_int_equal(pmdesk_stop(me), 0);
}

static void
T_39_modes_pass(void **state)
{
	uint64_t id;

	(void)state;
	desk_run(me);
	fault("{\"name\":\"http_425\",\"path\":\"/order\",\"count\":1}");
	id = place(me, SIDE_BID, 30, 10, TIF_GTC);
	UNTIL(me->modes[PORT_RESTARTING] == 1);
	UNTIL(heard(me, PORT_REJECTED, id) == 1);
	assert_int_equal(open_orders(MY_ADDRESS), 0);
	UNTIL(is_normal(me));
	id = place(me, SIDE_BID, 30, 10, TIF_GTC);
	UNTIL(heard(me, PORT_ACKED, id) == 1);
	fault("{\"name\":\"mode_cancel_only\",\"for_ms\":1500}");
	id = place(me, SIDE_BID, 31, 10, TIF_GTC);
	UNTIL(me->modes[PORT_CANCEL_ONLY] == 1);
	UNTIL(heard(me, PORT_REJECTED, id) == 1);
	UNTIL(is_normal(me));
	assert_int_equal(open_orders(MY_ADDRESS), 1);
	assert_int_equal(pmdesk_stop(me), 0);
}

/* Two of ours trade with each other; one hears nothing meanwhile. */
static void
T_60_a_fill_while_the_channel_is_down(void **state)
{
	uint64_t id;
	uint64_t hit;

	(void)state;
	desk_run(me);
	desk_run(other);
	id = place(me, SIDE_BID, 50, 20, TIF_GTC);
	UNTIL(heard(me, PORT_ACKED, id) == 1);
	fault("{\"name\":\"refuse_upgrade\",\"value\":503,\"for_ms\":1200}");
	fault("{\"name\":\"disconnect_storm\",\"venue\":\"polymarket\","
	      "\"for_ms\":1000}");
	hit = place(other, SIDE_ASK, 50, 10, TIF_IOC);
	UNTIL(heard(other, PORT_FILLED, hit) == 1);
	UNTIL(heard(me, PORT_FILLED, id) >= 1);
	UNTIL(me->modes[PORT_RESYNC] >= 1 && is_normal(me));
	assert_int_equal(first(me, PORT_FILLED, id)->qty.e8, 10 * E8);
	assert_true(first(me, PORT_FILLED, id)->is_maker);
	assert_int_equal(first(me, PORT_FILLED, id)->px.e8, 50 * E8 / 100);
	assert_int_equal(first(other, PORT_FILLED, hit)->side, SIDE_ASK);
	ledgers_agree(me, MY_ADDRESS);
	ledgers_agree(other, OTHER_ADDRESS);
	assert_int_equal(heard(me, PORT_FILLED, id), 1);
	assert_int_equal(pmdesk_stop(me), 0);
	assert_int_equal(pmdesk_stop(other), 0);
}

/* Orders are placed, taken and withdrawn while kill -9 comes anywhere. */
static void
a_kill_anywhere_loses_and_repeats_nothing(void **state)
{
	uint64_t seed = proc_now_ns();
	unsigned placed = 0;

	(void)state;
	print_message("seed %llu\n", (unsigned long long)seed);
	srandom((unsigned)seed);
	for (unsigned round = 0; round < 5; round++) {
		uint64_t end;

		desk_run(me);
		end = proc_now_ns() + (uint64_t)(random() % 400) * 1000000;
		while (proc_now_ns() < end) {
			uint64_t id =
			    place(me, placed % 2 == 0 ? SIDE_BID : SIDE_ASK,
				placed % 5 == 0	  ? (placed % 2 == 0 ? 54 : 46)
				: placed % 2 == 0 ? 40
						  : 60,
				5, placed % 5 == 0 ? TIF_IOC : TIF_GTC);

			placed++;
			usleep((useconds_t)(random() % 30000));
			if (placed % 3 == 0)
				act(me, PORT_CANCEL, id);
		}
		pmdesk_kill(me);
	}
	desk_run(me);
	UNTIL(venue_net_e8(MY_ADDRESS) == net_of_fills(me));
	ledgers_agree(me, MY_ADDRESS);
	assert_true(stat_of("orders") <= placed);
	assert_true(stat_of("orders") > 10);
	/* What rests is all ours still, and goes. */
	pmdesk_put(me, PMDESK_CANCEL_ALL, NULL);
	UNTIL(open_orders(MY_ADDRESS) == 0);
	UNTIL((pmdesk_put(me, PMDESK_VERIFY, NULL), usleep(300000),
	    me->is_flat != 0));
	assert_int_equal(metric(me, M_EXECD_RESENDS), 0);
	assert_int_equal(pmdesk_stop(me), 0);
}

static void
wrong_credentials_block(void **state)
{
	const char *path = rig_path(&rig, "creds");
	FILE *f = fopen(path, "w");

	(void)state;
	assert_non_null(f);
	(void)fprintf(f, "{\"apiKey\":\"00000000-0000-0000-0000-000000000000\","
			 "\"secret\":\"AAAA\",\"passphrase\":\"x\"}");
	(void)fclose(f);
	chmod(path, 0600);
	(void)snprintf(me->cfg.polymarket_creds_file.s, CFG_STR_SZ, "%s", path);
	desk_start(me);
	UNTIL(me->mode == PORT_BLOCKED);
	assert_string_not_equal(me->why, "");
	assert_int_equal(stat_of("place_calls"), 0);
	assert_int_equal(pmdesk_stop(me), 0);
}

/* Of another instance, too; as long as it runs, and no longer. */
static void
T_82_a_second_engine_with_the_key_is_refused(void **state)
{
	(void)state;
	me->cfg.system_mode = other->cfg.system_mode = MODE_LIVE;
	memcpy(me->key, other->key, sizeof(me->key));
	desk_run(me);
	desk_start(other);
	assert_int_equal(proc_exit_code(other->pid), EXIT_TEMPORARY);
	other->pid = 0;
	assert_non_null(strstr(
	    rig_read(&rig, "desk.log"), "another engine signs with this key"));
	assert_true(is_normal(me));
	assert_int_equal(pmdesk_stop(me), 0);
	desk_run(other);
	assert_int_equal(pmdesk_stop(other), 0);
}

/* Credentials are fetched until the venue can give them. */
static void
login_is_tried_again(void **state)
{
	(void)state;
	fault("{\"name\":\"http_503\",\"path\":\"/auth\",\"count\":2,"
	      "\"value\":1}");
	desk_run(me);
	assert_true(
	    strstr(rig_read(&rig, "desk.log"), "\"login_retry\"") != NULL);
	assert_int_equal(pmdesk_stop(me), 0);
}

/* The same over TLS, with the venue's own authority; and with another, which
 * is no venue that an order is told to. */
static void
over_tls_with_its_authority(void **state)
{
	unsigned tls =
	    (unsigned)rig_json(rig.out, "\"venue\":\"polymarket\"", "tls_port");
	uint64_t id;

	(void)state;
	assert_true(tls > 0);
	(void)snprintf(me->cfg.polymarket_rest_url.s, CFG_STR_SZ,
	    "https://localhost:%u", tls);
	(void)snprintf(me->cfg.polymarket_user_url.s, CFG_STR_SZ,
	    "wss://localhost:%u/ws/user", tls);
	desk_start(me);
	usleep(500000);
	assert_false(is_normal(me));
	pmdesk_kill(me);
	(void)snprintf(me->cfg.tls_ca_file.s, CFG_STR_SZ, "%s",
	    rig_path(&rig, "tls/ca.pem"));
	desk_run(me);
	id = place(me, SIDE_BID, 52, 10, TIF_IOC);
	UNTIL(heard(me, PORT_FILLED, id) == 1);
	ledgers_agree(me, MY_ADDRESS);
	assert_int_equal(metric(me, M_EXECD_COLD), 0);
	assert_int_equal(pmdesk_stop(me), 0);
}

static int
setup(void **state)
{
	char tls[200];
	const char *const live[] = {"--live", "--seed", "3", "--tls-port-base",
	    "0", "--tls-dir", tls, NULL};

	(void)state;
	rig_init(&rig, "gatepm");
	(void)snprintf(tls, sizeof(tls), "%s", rig_path(&rig, "tls"));
	if (!rig_venue(&rig, live)) {
		print_message("simvenue: %s\n", rig.out);
		return -1;
	}
	port = (unsigned)rig_json(rig.out, "\"venue\":\"polymarket\",", "port");
	last_id = 0;
	me = desk_new("me", "");
	other = desk_new("other", OTHER_KEY);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	pmdesk_kill(me);
	pmdesk_kill(other);
	munmap(me, sizeof(*me));
	munmap(other, sizeof(*other));
	rig_free(&rig);
	return 0;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(places_cancels_and_takes),
	    CASE(the_gate_holds_orders_only),
	    CASE(T_31_a_lost_reply_is_asked_about),
	    CASE(T_39_modes_pass),
	    CASE(T_60_a_fill_while_the_channel_is_down),
	    CASE(a_kill_anywhere_loses_and_repeats_nothing),
	    CASE(wrong_credentials_block),
	    CASE(T_82_a_second_engine_with_the_key_is_refused),
	    CASE(login_is_tried_again),
	    CASE(over_tls_with_its_authority),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
