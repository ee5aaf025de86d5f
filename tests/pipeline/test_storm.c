/* links: libvenue recorderd libsys libshm libcore */
/*
 * A storm: the pipeline trades on the exchanges of this machine, signed
 * orders over real sockets, while stages are killed and the venue fails.
 *
 * Every second or so kill -9 of a stage, every few seconds a fault of the
 * venue, sometimes a freeze. At the end: no order was sent twice, none rests,
 * nothing was placed while frozen, and the venue's ledger is what our
 * recorded fills say, to the last unit. The seed is printed; RM_SEED takes it
 * again, RM_STORM_S makes it longer, RM_STORM_KEEP names a directory that
 * takes what is left of it: logs, requests, recordings.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "libcore/hash.h"
#include "libvenue/pm_id.h"
#include "tests/pipeline/ledger.h"
#include "tests/pipeline/proc.h"
#include "tests/pipeline/rig.h"
#include "tests/pipeline/simkit.h"

#ifdef RM_DCHECK
#define STORM_S 25
#else
#define STORM_S 60
#endif
#define CALM_S	  5
#define DEPOSIT	  (INT64_C(10000) * E6)
#define LATE_NS	  INT64_C(100000000) /* between a byte and its arrival */
#define PLACED_N  10		     /* orders that show that it trades again */
#define IDS_MAX	  (1u << 20)
#define LOOK_NS	  (2 * NS_PER_S)
#define KILLS_MAX 4096u
#define LINE_SZ	  ((size_t)1 << 20)

static struct rig rig;
static struct ledger ledger;
static uint64_t seed;
static unsigned kills, faults, freezes, latches;
static unsigned reduced;
static const char *fault = "none"; /* the last */
static bool was_liquidated;

/* When each was killed, wall time; how soon orders came again is told. */
static struct {
	int64_t ns;
	enum stage_id st;
} killed[KILLS_MAX];

static uint64_t
rnd(uint64_t below)
{
	seed = hash_u64(seed, 1);
	return seed % below;
}

static int64_t
wall_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* As much as the account bears, as often as quotes move, through all deaths. */
static const char often[] =
    "polymarket:\n"
    "  series: [btc-updown-1m, btc-updown-5m, btc-updown-15m]\n"
    "capital:\n"
    "  usd: 5000\n"
    "mm:\n"
    "  global_daily_loss_limit: 4000\n"
    "risk:\n"
    "  max_order_usd: 100\n"
    "  max_orders_per_s_market: 100\n"
    "  max_orders_per_s: 1000\n"
    "perp:\n"
    "  order_usd: 100\n"
    "  inventory_limit_usd: 1000\n"
    "updown:\n"
    "  strike_guard_sigma: 0\n"
    "micro_price:\n"
    "  divergence_threshold: 0.2\n"
    "  pause_s: 500ms\n"
    "losing_fills:\n"
    "  widen_n: 100\n"
    "  pause_n: 100\n"
    "supervisor:\n"
    "  crash_loop_n: 100\n"
    "  crash_loop_window: 1s\n"
    "  backoff_min: 1ms\n"
    "  backoff_max: 1ms\n";

static int
setup(void **state)
{
	const char *s = getenv("RM_SEED");
	char number[24];
	char requests[256];
	const char *const options[] = {"--live", "--rate", "20", "--seed",
	    number, "--series", "btc-updown-1m:60", "--series",
	    "btc-updown-5m:300", "--series", "btc-updown-15m:900", "--requests",
	    requests, NULL};

	(void)state;
	seed = s != NULL ? strtoull(s, NULL, 10) : (uint64_t)wall_ns();
	print_message("storm: RM_SEED=%llu\n", (unsigned long long)seed);
	snprintf(number, sizeof(number), "%llu",
	    (unsigned long long)(seed % 1000000));
	rig_init(&rig, "storm");
	snprintf(requests, sizeof(requests), "%s", rig_path(&rig, "requests"));
	rig.preset = "etc/sim.yaml";
	rig_quick(&rig);
	rig_config(&rig, "storm.yaml", often);
	if (!rig_venue(&rig, options))
		fail_msg("%s", rig.out);
	simkit_open(&rig);
	RIG_EXPECT(&rig, rig_sup(&rig, "start", "all", NULL), 0);
	assert_true(rig_attach(&rig));
	return 0;
}

static int
teardown(void **state)
{
	const char *keep = getenv("RM_STORM_KEEP");
	char cmd[400];

	(void)state;
	snprintf(cmd, sizeof(cmd), "cp -r %s %s", rig.root, keep);
	if (keep != NULL && system(cmd) != 0)
		print_message("storm: %s did not work\n", cmd);
	rig_free(&rig);
	return 0;
}

/* ---- trouble ---- */

static void
kill_one(void)
{
	enum stage_id st = (enum stage_id)rnd(ST_N);
	uint64_t pid = rig_pid(&rig, st);

	if (pid == 0 || !rig_alive(pid))
		return;
	kill((pid_t)pid, SIGKILL);
	killed[kills % KILLS_MAX].ns = wall_ns();
	killed[kills++ % KILLS_MAX].st = st;
}

/*
 * How the venue may fail for a while; count: for the next so many only.
 * Those of the exchange are in force until the next one comes.
 */
static const char *const wrong[] = {
    /* order entry */
    "{\"name\":\"reply_lost\",\"count\":3}",
    "{\"name\":\"request_lost\",\"count\":3}",
    "{\"name\":\"slow_answer\",\"count\":3,\"value\":2000}",
    "{\"name\":\"fill_before_ack\",\"count\":5}",
    "{\"name\":\"partial_batch\",\"count\":3}",
    "{\"name\":\"half_batch\",\"count\":3}",
    "{\"name\":\"batch_one_error\",\"count\":3}",
    "{\"name\":\"empty_id\",\"count\":3}",
    "{\"name\":\"order_delayed\",\"count\":5,\"value\":1000}",
    "{\"name\":\"order_unknown\",\"count\":5}",
    "{\"name\":\"stale_orders\",\"value\":1500}",
    "{\"name\":\"no_balance\",\"count\":5}",
    "{\"name\":\"post_only_crosses\",\"count\":5}",
    "{\"name\":\"not_canceled\",\"count\":3}",
    "{\"name\":\"cancel_late\",\"count\":5}",
    "{\"name\":\"fill_in_cancel\",\"count\":5}",
    "{\"name\":\"fill_in_cancel\",\"count\":5,\"value\":1}",
    "{\"name\":\"action_late\",\"count\":2}",
    "{\"name\":\"nonce_collision\",\"count\":3}",
    "{\"name\":\"signer_unknown\",\"count\":2}",
    /* answers, limits */
    "{\"name\":\"http_425\",\"count\":5}",
    "{\"name\":\"http_429\",\"count\":3,\"value\":1}",
    "{\"name\":\"http_503\",\"count\":5}",
    "{\"name\":\"http_503\",\"count\":5,\"value\":1}",
    "{\"name\":\"http_500_html\",\"count\":3}",
    "{\"name\":\"http_500_html\",\"count\":3,\"value\":1}",
    "{\"name\":\"date_skew\",\"count\":5}",
    "{\"name\":\"throttled\",\"value\":5}",
    "{\"name\":\"budget_exhausted\"}",
    "{\"name\":\"schedule_gated\"}",
    "{\"name\":\"clock_skew\"}",
    /* modes of the exchange */
    "{\"name\":\"mode_post_only\"}",
    "{\"name\":\"mode_cancel_only\"}",
    "{\"name\":\"mode_disabled\"}",
    "{\"name\":\"engine_restart\",\"value\":1000}",
    "{\"name\":\"heartbeat_lapse\"}",
    /* users' channels, sockets */
    "{\"name\":\"disconnect_storm\",\"count\":3}",
    "{\"name\":\"disconnect_storm\",\"conn\":\"user\",\"count\":2}",
    "{\"name\":\"close_1012\",\"count\":2}",
    "{\"name\":\"close_1013\",\"conn\":\"user\",\"count\":2}",
    "{\"name\":\"refuse_upgrade\",\"count\":5}",
    "{\"name\":\"silent_socket\",\"conn\":\"user\",\"count\":1}",
    "{\"name\":\"half_open\",\"conn\":\"user\",\"count\":1}",
    "{\"name\":\"half_open\",\"conn\":\"ws\",\"count\":1}",
    "{\"name\":\"slow_reader\",\"conn\":\"ws\",\"count\":1}",
    "{\"name\":\"no_pong\",\"count\":2}",
    "{\"name\":\"fragmented_frames\",\"count\":3}",
    "{\"name\":\"delayed\",\"count\":20,\"value\":300}",
    "{\"name\":\"gap\",\"conn\":\"user\",\"count\":2}",
    "{\"name\":\"gap\",\"conn\":\"ws\",\"count\":5}",
    "{\"name\":\"duplicate\",\"count\":20}",
    "{\"name\":\"duplicate_trade\",\"count\":10}",
    "{\"name\":\"reorder\",\"conn\":\"user\",\"count\":5}",
    "{\"name\":\"reorder\",\"conn\":\"ws\",\"count\":5}",
    "{\"name\":\"truncated_batch\",\"count\":5}",
    "{\"name\":\"bad_json\",\"count\":3}",
    "{\"name\":\"invalid_utf8\",\"count\":3}",
    "{\"name\":\"wrong_type\",\"count\":3}",
    "{\"name\":\"overlong_frame\",\"conn\":\"user\",\"count\":1}",
    /* settlement, accounts */
    "{\"name\":\"settlement_retries\",\"value\":500000}",
    "{\"name\":\"settlement_fails\",\"value\":200000}",
    "{\"name\":\"settlement_slow\",\"value\":5000}",
    "{\"name\":\"not_broadcast\"}",
    "{\"name\":\"empty_account\",\"count\":3}",
    "{\"name\":\"liquidation\",\"count\":1}",
    "{\"name\":\"external_change\",\"count\":1}",
    "{\"name\":\"sweep\",\"count\":1}",
    "{\"name\":\"dispute\"}",
    "{\"name\":\"void\"}",
    "{\"name\":\"tick_change\",\"count\":1}",
};

static void
fail_one(void)
{
	fault = wrong[rnd(sizeof(wrong) / sizeof(wrong[0]))];
	was_liquidated = was_liquidated || strstr(fault, "liquid") != NULL;
	simkit_clear("");
	simkit_fault(fault);
	if (getenv("RM_STORM_KEEP") != NULL)
		print_message("fault: %lld %s\n",
		    (long long)(wall_ns() / NS_PER_MS), fault);
	faults++;
}

/* Placements that the venue took between two times. */
static unsigned
placed_between(int64_t from_ns, int64_t to_ns)
{
	json_t *list = simkit_json("/sim/arrivals");
	json_t *a;
	size_t i;
	unsigned n = 0;

	json_array_foreach(list, i, a)
	{
		int64_t at = simkit_i64(a, "ns");
		const char *call =
		    json_string_value(json_object_get(a, "call"));

		n += strcmp(call, "place") == 0 && at > from_ns && at < to_ns;
	}
	json_decref(list);
	return n;
}

/* It may say that a freeze of another cause is left. */
static void
thaw(const char *reason)
{
	int code = rig_sup(&rig, "thaw", "--reason", reason, NULL);

	if (code != 0 && strstr(rig.out, "thawed") == NULL)
		RIG_EXPECT(&rig, code, 0);
}

static void
freeze_a_while(void)
{
	int64_t from;
	int64_t to;

	RIG_EXPECT(&rig, rig_sup(&rig, "freeze", "storm", NULL), 0);
	from = wall_ns() + LATE_NS;
	usleep(400000);
	to = wall_ns();
	assert_int_equal(placed_between(from, to), 0);
	thaw("the storm goes on");
	freezes++;
}

/* A fill of no order of ours is the venue's doing, or an order forgotten. */
static void
look_at_what_reduces(void)
{
	if (rig_metric(&rig, ST_RISKD, M_RISKD_REDUCE_ONLY) == 0)
		return;
	print_message("storm: only what reduces, after %s\n", fault);
	reduced++;
	assert_true(was_liquidated);
	thaw("looked at what reduces");
}

/* What only a person ends: none of ours but a venue's, and it is thawed. */
static void
look_at_latches(void)
{
	uint64_t latched = rig_gate(&rig) & FREEZE_LATCHED;
	char names[160];

	if (latched == 0)
		return;
	freeze_format(latched, names, sizeof(names));
	print_message("storm: latched: %s, after %s\n", names, fault);
	latches++;
	assert_int_equal(latched & ~(uint64_t)FREEZE_RECONCILE, 0);
	thaw("looked at");
}

static void
rage(int64_t seconds)
{
	int64_t now = wall_ns();
	int64_t end = now + seconds * NS_PER_S;
	int64_t kill_at = now;
	int64_t fail_at = now + NS_PER_S;
	int64_t freeze_at = now + 8 * NS_PER_S;
	int64_t look_at = now + LOOK_NS;

	while ((now = wall_ns()) < end) {
		if (now >= kill_at) {
			kill_one();
			kill_at = now + (int64_t)(600 + rnd(800)) * NS_PER_MS;
		}
		if (now >= fail_at) {
			fail_one();
			fail_at = now + (int64_t)(2000 + rnd(2000)) * NS_PER_MS;
		}
		if (now >= freeze_at) {
			freeze_a_while();
			freeze_at =
			    now + (int64_t)(8000 + rnd(6000)) * NS_PER_MS;
		}
		if (now >= look_at) {
			look_at_latches();
			look_at_what_reduces();
			look_at = now + LOOK_NS;
		}
		usleep(20000);
	}
	simkit_clear("");
	look_at_latches();
	look_at_what_reduces();
}

/* How long no order came after a stage was killed: the worst of each. */
static void
show_recovery(void)
{
	json_t *list = simkit_json("/sim/arrivals");
	unsigned n[ST_N] = {0};
	int64_t sum[ST_N] = {0};
	int64_t most[ST_N] = {0};
	json_t *a;

	for (unsigned k = 0; k < kills && k < KILLS_MAX; k++) {
		enum stage_id st = killed[k].st;
		size_t i;

		json_array_foreach(list, i, a)
		{
			int64_t ns = simkit_i64(a, "ns") - killed[k].ns;

			if (ns < LATE_NS ||
			    strcmp(
				json_string_value(json_object_get(a, "call")),
				"place") != 0)
				continue;
			n[st]++;
			sum[st] += ns;
			most[st] = ns > most[st] ? ns : most[st];
			break;
		}
	}
	json_decref(list);
	for (int st = 0; st < ST_N; st++)
		print_message("storm: %s killed %u times, orders came %lld ms "
			      "later, at most %lld\n",
		    topo_stages[st].name, n[st],
		    n[st] == 0 ? 0LL : (long long)(sum[st] / n[st] / NS_PER_MS),
		    (long long)(most[st] / NS_PER_MS));
}

/* ---- the end ---- */

static int64_t
orders_taken(void)
{
	json_t *s = simkit_json("/sim/stats");
	json_t *live = json_object_get(s, "live");
	int64_t n = simkit_i64(json_object_get(live, "polymarket"), "orders") +
		    simkit_i64(json_object_get(live, "hyperliquid"), "orders");

	json_decref(s);
	return n;
}

/* Nothing of ours rests, and no trade of ours is under way. */
static bool
is_quiet(void)
{
	json_t *l = simkit_json("/sim/ledger");
	bool quiet = open_orders(l, "polymarket") == 0 &&
		     open_orders(l, "hyperliquid") == 0 &&
		     is_settled(simkit_account(l, "polymarket"));

	json_decref(l);
	return quiet;
}

/* What rests at the venues is what execd knows of: an order more is one that
 * nobody would ever withdraw. quoted stands still meanwhile, so that nothing is
 * on its way; riskd may still act, so one look may be unlucky. */
static void
no_orphan_rests(void)
{
	size_t theirs = 0;
	int64_t ours = 0;

	for (unsigned k = 0; k < 20; k++) {
		pid_t quoted = (pid_t)rig_pid(&rig, ST_QUOTED);
		json_t *l;

		kill(quoted, SIGSTOP);
		usleep(300000);
		l = simkit_json("/sim/ledger");
		ours = rig_resting(&rig);
		kill(quoted, SIGCONT);
		theirs = open_orders(l, "polymarket") +
			 open_orders(l, "hyperliquid");
		json_decref(l);
		if (ours == (int64_t)theirs && ours > 0)
			return;
		usleep(200000);
	}
	fail_msg("orders of ours that rest: %lld, at the venues: %zu",
	    (long long)ours, theirs);
}

/* ---- what was sent ---- */

static struct sent {
	uint64_t id;
	unsigned line;
} * sent;
static size_t sent_n;
static unsigned line_at;

static void
sent_once(const char *what, size_t n)
{
	assert_true(sent_n < IDS_MAX);
	sent[sent_n++] = (struct sent){hash_bytes(0, what, n), line_at};
}

static int
by_id(const void *a, const void *b)
{
	const struct sent *x = a;
	const struct sent *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->line < y->line ? -1 : x->line > y->line;
}

/* Every signature of a new order; every cloid of one at Hyperliquid. */
static void
look_request(const char *line)
{
	const char *p = line;

	if (strstr(line, "\"POST\"") != NULL &&
	    strstr(line, "\"/order") != NULL) {
		while ((p = strstr(p, "\\\"signature\\\":\\\"0x")) != NULL) {
			p += 18;
			sent_once(p, strspn(p, "0123456789abcdef"));
		}
	} else if (strstr(line, "\\\"type\\\":\\\"order\\\"") != NULL) {
		while ((p = strstr(p, "\\\"c\\\":\\\"0x")) != NULL) {
			p += 8;
			sent_once(p, strcspn(p, "\\"));
		}
	}
}

static char line_text[LINE_SZ];

static void
show_line(unsigned n)
{
	FILE *f = fopen(rig_path(&rig, "requests"), "r");

	for (unsigned i = 0; i <= n; i++)
		assert_non_null(fgets(line_text, sizeof(line_text), f));
	print_message("storm: %s", line_text);
	fclose(f);
}

static void
no_order_was_sent_twice(void)
{
	FILE *f = fopen(rig_path(&rig, "requests"), "r");

	assert_non_null(f);
	sent = calloc(IDS_MAX, sizeof(*sent));
	sent_n = 0;
	for (line_at = 0; fgets(line_text, sizeof(line_text), f) != NULL;
	     line_at++)
		look_request(line_text);
	fclose(f);
	print_message("storm: %zu orders sent\n", sent_n);
	assert_true(sent_n > PLACED_N);
	qsort(sent, sent_n, sizeof(*sent), by_id);
	for (size_t i = 1; i < sent_n; i++) {
		if (sent[i].id != sent[i - 1].id)
			continue;
		show_line(sent[i - 1].line);
		show_line(sent[i].line);
		fail_msg("sent twice");
	}
	free(sent);
}

/* ---- the books ---- */

/* What YES of a market paid, e8; -1: still open. */
static int64_t
outcome_of(const char *slug)
{
	char path[160];
	json_t *list;
	json_t *market;
	json_t *prices;
	const char *text;
	int64_t px = -1;

	snprintf(path, sizeof(path), "/markets?slug=%s&closed=true", slug);
	list = simkit_json(path);
	market = json_array_get(list, 0);
	if (!json_is_true(json_object_get(market, "closed"))) {
		json_decref(list);
		return -1;
	}
	text = json_string_value(json_object_get(market, "outcomePrices"));
	prices = json_loads(text != NULL ? text : "[]", 0, NULL);
	text = json_string_value(json_array_get(prices, 0));
	if (text != NULL)
		px = (int64_t)(strtod(text, NULL) * 2) * (E8 / 2);
	json_decref(prices);
	json_decref(list);
	return px;
}

/* YES less NO that the venue has of a market that is open. */
static int64_t
held(json_t *account, const struct instr *in, int64_t *no_e8)
{
	char yes[PM_TOKEN_TEXT_MAX] = "";
	char no[PM_TOKEN_TEXT_MAX] = "";
	struct pm_token t;
	int64_t net = 0;
	json_t *h;
	size_t i;

	memcpy(t.w, in->token_yes, sizeof(t.w));
	pm_token_format(&t, yes);
	memcpy(t.w, in->token_no, sizeof(t.w));
	pm_token_format(&t, no);
	*no_e8 = 0;
	json_array_foreach(json_object_get(account, "tokens"), i, h)
	{
		const char *id = json_string_value(json_object_get(h, "token"));

		if (strcmp(id, yes) == 0)
			net += simkit_i64(h, "own_e8");
		if (strcmp(id, no) == 0) {
			net -= simkit_i64(h, "own_e8");
			*no_e8 += simkit_i64(h, "own_e8");
		}
	}
	return net;
}

static bool
find_instr(const char *symbol, struct instr *in)
{
	for (uint16_t i = 1; i < INSTR_N; i++)
		if (instr_read(rig.table, i, in) &&
		    strcmp(in->symbol, symbol) == 0 &&
		    in->venue != VENUE_BINANCE)
			return true;
	return false;
}

static void
show_fills(void)
{
	char d[3][FIXED_TEXT_MAX];

	for (unsigned i = 0; i < ledger.fill_n; i++) {
		const struct ledger_fill *f = &ledger.fill[i];

		fixed_format(f->qty, 8, d[0]);
		fixed_format(f->px, 8, d[1]);
		fixed_format(f->fee_e6, 6, d[2]);
		print_message("storm: %s %s at %s, fee %s; pays %lld\n",
		    ledger.symbol[f->symbol], d[0], d[1], d[2],
		    (long long)outcome_of(ledger.symbol[f->symbol]));
	}
}

/* Cash in the frame of YES: a NO that is held is a dollar and a short YES. */
static bool
polymarket_agrees(json_t *account)
{
	int64_t cash = DEPOSIT;
	int64_t no_sum = 0;
	int64_t off = 0; /* fills off the grid of whole micro-dollars */
	int64_t usd = simkit_i64(json_object_get(account, "usd"), "own_e6");
	i128_t e16 = 0;

	for (unsigned i = 0; i < ledger.fill_n; i++) {
		const struct ledger_fill *f = &ledger.fill[i];
		i128_t worth = (i128_t)f->qty * f->px;

		if (strchr(ledger.symbol[f->symbol], '-') == NULL)
			continue; /* a coin */
		e16 -= worth;
		cash -= f->fee_e6;
		off += worth % 10000000000 != 0;
	}
	for (unsigned s = 0; s < ledger.symbol_n; s++) {
		const char *symbol = ledger.symbol[s];
		struct instr in;
		int64_t px;
		int64_t no;

		if (strchr(symbol, '-') == NULL)
			continue;
		px = outcome_of(symbol);
		if (px >= 0) {
			e16 += (i128_t)ledger.qty[s] * px;
			continue;
		}
		if (!find_instr(symbol, &in)) {
			assert_int_equal(ledger.qty[s], 0);
			continue;
		}
		if (held(account, &in, &no) != ledger.qty[s]) {
			print_message("storm: %s: ours %lld, the venue's "
				      "%lld\n",
			    symbol, (long long)ledger.qty[s],
			    (long long)held(account, &in, &no));
			return false;
		}
		no_sum += no;
	}
	cash += ledger_e6(e16);
	usd += no_sum / 100;
	print_message("storm: cash %lld, the venue's %lld, off the grid %lld\n",
	    (long long)cash, (long long)usd, (long long)off);
	return ledger_abs(cash - usd) <= off;
}

static void
hyperliquid_agrees(json_t *account)
{
	json_t *p = json_array_get(json_object_get(account, "positions"), 0);
	int64_t theirs = p == NULL ? 0 : simkit_i64(p, "qty_e8");
	int64_t fees = 0;
	int64_t ours = 0;

	for (unsigned i = 0; i < ledger.fill_n; i++) {
		if (strcmp(ledger.symbol[ledger.fill[i].symbol], "BTC") != 0)
			continue;
		ours += ledger.fill[i].qty;
		fees += ledger.fill[i].fee_e6;
	}
	print_message("storm: BTC %lld, the venue's %lld\n", (long long)ours,
	    (long long)theirs);
	assert_int_equal(ours, theirs);
	assert_int_equal(fees, simkit_i64(account, "fees_e6"));
}

/* riskd never found its books to differ from the venue's, or from execd's. */
static void
nothing_had_to_be_reconciled(void)
{
	FILE *f =
	    fopen(rig_path(&rig, "state/" RIG_INSTANCE "/logs/riskd.log"), "r");
	unsigned n = 0;

	assert_non_null(f);
	while (fgets(line_text, sizeof(line_text), f) != NULL) {
		if (strstr(line_text, "\"reconcile_mismatch\"") == NULL)
			continue;
		print_message("storm: %s", line_text);
		n++;
	}
	fclose(f);
	assert_int_equal(n, 0);
}

static void
the_venue_and_we_agree_after_a_storm(void **state)
{
	const char *s = getenv("RM_STORM_S");
	int64_t before;
	json_t *l;

	(void)state;
	RIG_UNTIL(&rig, orders_taken() > 0);
	rage(s != NULL ? atoll(s) : STORM_S);
	for (int st = 0; st < ST_N; st++)
		RIG_UNTIL(&rig, rig_ready(&rig, (enum stage_id)st));
	before = orders_taken();
	RIG_UNTIL(&rig, orders_taken() > before + PLACED_N);
	sleep(CALM_S);
	no_orphan_rests();
	RIG_EXPECT(&rig, rig_sup(&rig, "freeze", "the end", NULL), 0);
	RIG_UNTIL(&rig, rig_resting(&rig) == 0 && is_quiet());
	/* What has settled is told and recorded. */
	sleep(2);
	RIG_EXPECT(&rig, rig_sup(&rig, "stop", "all", NULL), 0);
	print_message("storm: %u kills, %u faults, %u freezes, %u latched, "
		      "%u times only what reduces\n",
	    kills, faults, freezes, latches, reduced);
	show_recovery();
	l = simkit_json("/sim/ledger");
	assert_int_equal(open_orders(l, "polymarket"), 0);
	assert_int_equal(open_orders(l, "hyperliquid"), 0);
	no_order_was_sent_twice();
	ledger_load(&ledger, rig_path(&rig, "cap"));
	print_message("storm: %u fills, %llu told twice\n", ledger.fill_n,
	    (unsigned long long)ledger.repeats);
	hyperliquid_agrees(simkit_account(l, "hyperliquid"));
	/* A window may be resolved between two answers: look again. */
	for (unsigned k = 0;
	     !polymarket_agrees(simkit_account(l, "polymarket")); k++) {
		if (k == 2)
			show_fills();
		assert_true(k < 2);
		json_decref(l);
		sleep(1);
		l = simkit_json("/sim/ledger");
	}
	json_decref(l);
	nothing_had_to_be_reconciled();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		the_venue_and_we_agree_after_a_storm, setup, teardown),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
