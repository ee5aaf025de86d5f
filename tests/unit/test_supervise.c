/* links: supervisor libsys libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "libcore/fixed.h"
#include "supervisor/supervise.h"
#include "tests/unit/shmdir.h"

#define MS(x) ((uint64_t)(x)*UINT64_C(1000000))
#define T0    MS(1000000)

static const struct supervise_cfg cfg = {
    .stale_ns = MS(2000),
    .abort_grace_ns = MS(1000),
    .crash_loop_window_ns = MS(60000),
    .park_retry_ns = MS(300000),
    .backoff_min_ns = MS(100),
    .backoff_max_ns = MS(10000),
    .ready_timeout_ns = MS(10000),
    .stop_timeout_ns = MS(5000),
    .crash_loop_n = 5,
};

static const struct sup_exit crash = {.status = 11};
static const struct sup_exit killed = {.status = 9};

/* What one effect list says, as text: "start quarantine park freeze". */
static const char *
effects(const struct sup_out *o)
{
	static const char *const name[SUP_EFFECT_N] = {"?", "start", "term",
	    "abrt", "kill", "quarantine", "park", "freeze", "stalled", "sweep"};
	static char buf[256];
	size_t at = 0;

	buf[0] = '\0';
	for (uint32_t i = 0; i < o->n; i++)
		at += (size_t)snprintf(buf + at, sizeof(buf) - at, "%s%s",
		    i ? " " : "", name[o->item[i].effect]);
	return buf;
}

/* Feed one event of any kind to stage RISKD in state `st`. */
static void
feed(struct supervise *s, enum sup_event ev, struct sup_out *out)
{
	struct sup_look looks[ST_N];

	memset(looks, 0, sizeof(looks));
	memset(out, 0, sizeof(*out));
	switch (ev) {
	case SUP_EV_START:
	case SUP_EV_STOP:
	case SUP_EV_RESTART:
	case SUP_EV_ADOPT:
		supervise_ask(s, &cfg, ST_RISKD, ev, T0, out);
		return;
	case SUP_EV_READY:
		looks[ST_RISKD].ready = true;
		looks[ST_RISKD].heartbeat_ns = T0;
		supervise_look(s, &cfg, looks, T0, out);
		return;
	case SUP_EV_STALE:
		looks[ST_RISKD].heartbeat_ns = T0 - cfg.stale_ns - 1;
		supervise_look(s, &cfg, looks, T0, out);
		return;
	case SUP_EV_TIMEOUT:
		s->stage[ST_RISKD].deadline_ns = T0;
		supervise_look(s, &cfg, looks, T0, out);
		return;
	case SUP_EV_EXIT:
		supervise_exit(s, &cfg, ST_RISKD, &crash, T0, out);
		return;
	case SUP_EVENT_N: break;
	}
	fail();
}

struct row {
	enum sup_state from;
	enum sup_event ev;
	enum sup_state to;
	const char *effects;
};

/* Every state and every event. Rows that are not here change nothing. */
static const struct row table[] = {
    {SUP_DOWN, SUP_EV_START, SUP_STARTING, "start"},
    {SUP_DOWN, SUP_EV_RESTART, SUP_STARTING, "start"},
    {SUP_DOWN, SUP_EV_ADOPT, SUP_STARTING, ""},
    {SUP_STARTING, SUP_EV_STOP, SUP_STOPPING, "term"},
    {SUP_STARTING, SUP_EV_RESTART, SUP_STOPPING, "term"},
    {SUP_STARTING, SUP_EV_READY, SUP_UP, ""},
    {SUP_STARTING, SUP_EV_STALE, SUP_HUNG, "abrt"},
    {SUP_STARTING, SUP_EV_TIMEOUT, SUP_HUNG, "abrt"},
    {SUP_STARTING, SUP_EV_EXIT, SUP_STARTING, "start"},
    {SUP_UP, SUP_EV_STOP, SUP_STOPPING, "term"},
    {SUP_UP, SUP_EV_RESTART, SUP_STOPPING, "term"},
    {SUP_UP, SUP_EV_STALE, SUP_HUNG, "abrt"},
    {SUP_UP, SUP_EV_EXIT, SUP_STARTING, "start"},
    {SUP_HUNG, SUP_EV_STOP, SUP_STOPKILL, "kill"},
    {SUP_HUNG, SUP_EV_TIMEOUT, SUP_KILLED, "kill"},
    {SUP_HUNG, SUP_EV_EXIT, SUP_STARTING, "start"},
    {SUP_KILLED, SUP_EV_STOP, SUP_STOPKILL, "kill"},
    {SUP_KILLED, SUP_EV_TIMEOUT, SUP_KILLED, "kill"},
    {SUP_KILLED, SUP_EV_EXIT, SUP_STARTING, "start"},
    {SUP_BACKOFF, SUP_EV_START, SUP_STARTING, "start"},
    {SUP_BACKOFF, SUP_EV_STOP, SUP_DOWN, ""},
    {SUP_BACKOFF, SUP_EV_RESTART, SUP_STARTING, "start"},
    {SUP_BACKOFF, SUP_EV_TIMEOUT, SUP_STARTING, "start"},
    {SUP_PARKED, SUP_EV_START, SUP_STARTING, "start"},
    {SUP_PARKED, SUP_EV_STOP, SUP_DOWN, ""},
    {SUP_PARKED, SUP_EV_RESTART, SUP_STARTING, "start"},
    {SUP_PARKED, SUP_EV_TIMEOUT, SUP_STARTING, "start"},
    {SUP_STOPPING, SUP_EV_TIMEOUT, SUP_STOPKILL, "kill"},
    {SUP_STOPPING, SUP_EV_EXIT, SUP_DOWN, ""},
    {SUP_STOPKILL, SUP_EV_TIMEOUT, SUP_STOPKILL, "kill"},
    {SUP_STOPKILL, SUP_EV_EXIT, SUP_DOWN, ""},
    {SUP_SWEEPING, SUP_EV_TIMEOUT, SUP_SWEEPING, "kill"},
    {SUP_SWEEPING, SUP_EV_EXIT, SUP_PARKED, ""},
};

static void
check_cell(enum sup_state from, enum sup_event ev)
{
	struct row want = {from, ev, from, ""};
	struct supervise s;
	struct sup_out out;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].from == from && table[i].ev == ev)
			want = table[i];
	supervise_init(&s);
	s.stage[ST_RISKD].state = (uint8_t)from;
	s.stage[ST_RISKD].after = SUP_PARKED;
	feed(&s, ev, &out);
	if (s.stage[ST_RISKD].state != want.to ||
	    strcmp(effects(&out), want.effects) != 0)
		fail_msg("%s + event %d: got %s, \"%s\"; want %s, \"%s\"",
		    sup_state_name(from), ev,
		    sup_state_name(s.stage[ST_RISKD].state), effects(&out),
		    sup_state_name(want.to), want.effects);
}

static void
every_state_and_event(void **unused)
{
	(void)unused;
	for (int st = SUP_DOWN; st < SUP_STATE_N; st++)
		for (int ev = SUP_EV_START; ev < SUP_EVENT_N; ev++)
			check_cell((enum sup_state)st, (enum sup_event)ev);
}

static void
starts(struct supervise *s, enum stage_id id, uint64_t now)
{
	struct sup_out out = {0};

	supervise_ask(s, &cfg, id, SUP_EV_START, now, &out);
}

static void
ready(struct supervise *s, enum stage_id id, uint64_t now)
{
	struct sup_look looks[ST_N];
	struct sup_out out = {0};

	memset(looks, 0, sizeof(looks));
	looks[id].ready = true;
	looks[id].heartbeat_ns = now;
	supervise_look(s, &cfg, looks, now, &out);
}

static void
looks_at(struct supervise *s, uint64_t now, struct sup_out *out)
{
	struct sup_look looks[ST_N];

	memset(looks, 0, sizeof(looks));
	memset(out, 0, sizeof(*out));
	supervise_look(s, &cfg, looks, now, out);
}

static void
backoff_doubles(void **unused)
{
	static const uint64_t wait_ms[] = {0, 100, 200, 400};
	struct supervise s;
	struct sup_out out;
	uint64_t now = T0;

	(void)unused;
	supervise_init(&s);
	starts(&s, ST_QUOTED, now);
	for (size_t i = 0; i < sizeof(wait_ms) / sizeof(wait_ms[0]); i++) {
		ready(&s, ST_QUOTED, now);
		now += MS(10);
		memset(&out, 0, sizeof(out));
		supervise_exit(&s, &cfg, ST_QUOTED, &killed, now, &out);
		if (wait_ms[i] == 0) {
			assert_string_equal(effects(&out), "start");
			continue;
		}
		assert_int_equal(s.stage[ST_QUOTED].state, SUP_BACKOFF);
		assert_int_equal(
		    s.stage[ST_QUOTED].deadline_ns, now + MS(wait_ms[i]));
		assert_int_equal(supervise_wake_ns(&s), now + MS(wait_ms[i]));
		looks_at(&s, now + MS(wait_ms[i]) - 1, &out);
		assert_int_equal(out.n, 0);
		now += MS(wait_ms[i]);
		looks_at(&s, now, &out);
		assert_string_equal(effects(&out), "start");
	}
	/* The fifth death within the minute. */
	memset(&out, 0, sizeof(out));
	supervise_exit(&s, &cfg, ST_QUOTED, &killed, now, &out);
	assert_string_equal(effects(&out), "park freeze");
	assert_int_equal(s.stage[ST_QUOTED].state, SUP_PARKED);
	assert_int_equal(s.stage[ST_QUOTED].park, SUP_PARK_LOOP);
	assert_int_equal(
	    s.stage[ST_QUOTED].deadline_ns, now + cfg.park_retry_ns);
}

static void
backoff_has_a_limit(void **unused)
{
	struct supervise_cfg c = cfg;
	struct supervise s;
	struct sup_out out;
	uint64_t now = T0;
	uint64_t longest = 0;

	(void)unused;
	c.crash_loop_n = 50;
	supervise_init(&s);
	starts(&s, ST_QUOTED, now);
	for (int i = 0; i < 20; i++) {
		struct sup_look looks[ST_N] = {0};

		memset(&out, 0, sizeof(out));
		supervise_exit(&s, &c, ST_QUOTED, &killed, ++now, &out);
		if (s.stage[ST_QUOTED].state != SUP_BACKOFF)
			continue;
		if (s.stage[ST_QUOTED].deadline_ns - now > longest)
			longest = s.stage[ST_QUOTED].deadline_ns - now;
		now = s.stage[ST_QUOTED].deadline_ns;
		supervise_look(&s, &c, looks, now, &out);
	}
	assert_int_equal(longest, c.backoff_max_ns);
}

static void
old_deaths_do_not_count(void **unused)
{
	struct supervise s;
	struct sup_out out;
	uint64_t now = T0;

	(void)unused;
	supervise_init(&s);
	starts(&s, ST_QUOTED, now);
	for (int i = 0; i < 12; i++) {
		ready(&s, ST_QUOTED, now);
		now += cfg.crash_loop_window_ns + 1;
		memset(&out, 0, sizeof(out));
		supervise_exit(&s, &cfg, ST_QUOTED, &crash, now, &out);
		assert_string_equal(effects(&out), "start");
	}
	assert_int_equal(s.stage[ST_QUOTED].death_n, 12);
	assert_int_equal(supervise_deaths(&s.stage[ST_QUOTED], &cfg, now), 1);
}

struct poison_row {
	const char *what;
	struct sup_exit first;
	struct sup_exit second;
	bool poisoned;
};

static const struct poison_row poison_rows[] = {
    {"same slot, SEGV twice", {11, 3, 77}, {11, 3, 77}, true},
    {"same slot, ABRT then SEGV", {6, 3, 77}, {11, 3, 77}, true},
    {"same slot, unknown statuses", {SUP_STATUS_UNKNOWN, 3, 77},
	{SUP_STATUS_UNKNOWN, 3, 77}, true},
    {"another sequence", {11, 3, 77}, {11, 3, 78}, false},
    {"another ring", {11, 3, 77}, {11, 4, 77}, false},
    {"killed from outside", {9, 3, 77}, {9, 3, 77}, false},
    {"terminated from outside", {15, 3, 77}, {15, 3, 77}, false},
    {"no slot at hand", {11, 0, 77}, {11, 0, 77}, false},
    {"exit code, not a crash", {1 << 8, 3, 77}, {1 << 8, 3, 77}, false},
};

static void
poison_row(const struct poison_row *r)
{
	struct supervise s;
	struct sup_out out = {0};

	supervise_init(&s);
	starts(&s, ST_EXECD_PM, T0);
	ready(&s, ST_EXECD_PM, T0);
	supervise_exit(&s, &cfg, ST_EXECD_PM, &r->first, T0 + 1, &out);
	assert_string_equal(effects(&out), "start");
	ready(&s, ST_EXECD_PM, T0 + 2);
	memset(&out, 0, sizeof(out));
	supervise_exit(&s, &cfg, ST_EXECD_PM, &r->second, T0 + 3, &out);
	if (!r->poisoned) {
		if (s.stage[ST_EXECD_PM].state != SUP_BACKOFF)
			fail_msg("%s: must restart after a pause", r->what);
		return;
	}
	if (strcmp(effects(&out), "quarantine park freeze") != 0)
		fail_msg("%s: got \"%s\"", r->what, effects(&out));
	assert_int_equal(s.stage[ST_EXECD_PM].park, SUP_PARK_POISON);
	assert_int_equal(out.item[0].ring, 3);
	assert_int_equal(out.item[0].seq, 77);
	assert_int_equal(out.item[0].stage, ST_EXECD_PM);
}

static void
poisoned_messages(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof(poison_rows) / sizeof(poison_rows[0]);
	     i++)
		poison_row(&poison_rows[i]);
}

static void
hang_on_one_slot_is_poison(void **unused)
{
	struct sup_exit x = {9, 2, 5};
	struct supervise s;
	struct sup_out out;

	(void)unused;
	supervise_init(&s);
	starts(&s, ST_RISKD, T0);
	for (int life = 0; life < 2; life++) {
		ready(&s, ST_RISKD, T0);
		s.stage[ST_RISKD].born_ns = T0 - cfg.stale_ns - 1;
		feed(&s, SUP_EV_STALE, &out);
		assert_string_equal(effects(&out), "abrt");
		looks_at(&s, T0 + cfg.abort_grace_ns, &out);
		assert_string_equal(effects(&out), "kill");
		memset(&out, 0, sizeof(out));
		supervise_exit(
		    &s, &cfg, ST_RISKD, &x, T0 + cfg.abort_grace_ns, &out);
		assert_string_equal(effects(&out),
		    life == 0 ? "start" : "quarantine park freeze");
	}
}

static void
parked_is_tried_again_slowly(void **unused)
{
	struct supervise s;
	struct sup_out out;
	uint64_t now = T0;

	(void)unused;
	supervise_init(&s);
	s.stage[ST_FEEDD_BN].state = SUP_PARKED;
	s.stage[ST_FEEDD_BN].deadline_ns = now;
	looks_at(&s, now, &out);
	assert_string_equal(effects(&out), "start");
	ready(&s, ST_FEEDD_BN, now + 1);
	/* One death soon after the retry parks it again ... */
	memset(&out, 0, sizeof(out));
	supervise_exit(&s, &cfg, ST_FEEDD_BN, &crash, now + 2, &out);
	assert_string_equal(effects(&out), "park freeze");
	/* ... but not once it has run for a whole window. */
	now = s.stage[ST_FEEDD_BN].deadline_ns;
	looks_at(&s, now, &out);
	ready(&s, ST_FEEDD_BN, now);
	now += cfg.crash_loop_window_ns + 1;
	memset(&out, 0, sizeof(out));
	supervise_exit(&s, &cfg, ST_FEEDD_BN, &crash, now, &out);
	assert_string_equal(effects(&out), "start");
}

static void
a_person_forgives(void **unused)
{
	struct supervise s;
	struct sup_out out = {0};

	(void)unused;
	supervise_init(&s);
	starts(&s, ST_QUOTED, T0);
	for (int i = 0; i < 5; i++) {
		supervise_exit(&s, &cfg, ST_QUOTED, &killed, T0 + 1, &out);
		s.stage[ST_QUOTED].state = SUP_UP;
	}
	s.stage[ST_QUOTED].state = SUP_PARKED;
	starts(&s, ST_QUOTED, T0 + 2);
	assert_int_equal(
	    supervise_deaths(&s.stage[ST_QUOTED], &cfg, T0 + 3), 0);
	memset(&out, 0, sizeof(out));
	supervise_exit(&s, &cfg, ST_QUOTED, &killed, T0 + 4, &out);
	assert_string_equal(effects(&out), "start");
}

static void
exit_codes(void **unused)
{
	struct sup_exit permanent = {100 << 8, 0, 0};
	struct sup_exit temporary = {111 << 8, 0, 0};
	struct supervise s;
	struct sup_out out = {0};

	(void)unused;
	supervise_init(&s);
	starts(&s, ST_RECORDERD, T0);
	supervise_exit(&s, &cfg, ST_RECORDERD, &permanent, T0, &out);
	/* It never worked: nothing to freeze. */
	assert_string_equal(effects(&out), "park");
	assert_int_equal(s.stage[ST_RECORDERD].deadline_ns, 0);

	starts(&s, ST_RISKD, T0);
	ready(&s, ST_RISKD, T0);
	memset(&out, 0, sizeof(out));
	supervise_exit(&s, &cfg, ST_RISKD, &permanent, T0, &out);
	assert_string_equal(effects(&out), "park freeze");

	starts(&s, ST_QUOTED, T0);
	memset(&out, 0, sizeof(out));
	supervise_exit(&s, &cfg, ST_QUOTED, &temporary, T0, &out);
	assert_int_equal(s.stage[ST_QUOTED].state, SUP_BACKOFF);
	assert_int_equal(s.stage[ST_QUOTED].deadline_ns, T0 + MS(100));
}

static void
restart_cycles(void **unused)
{
	struct supervise s;
	struct sup_out out = {0};
	struct sup_exit done = {0, 0, 0};

	(void)unused;
	supervise_init(&s);
	starts(&s, ST_QUOTED, T0);
	ready(&s, ST_QUOTED, T0);
	supervise_ask(&s, &cfg, ST_QUOTED, SUP_EV_RESTART, T0, &out);
	assert_string_equal(effects(&out), "term");
	memset(&out, 0, sizeof(out));
	supervise_exit(&s, &cfg, ST_QUOTED, &done, T0 + 1, &out);
	assert_string_equal(effects(&out), "start");
	/* A stop after a restart wins. */
	memset(&out, 0, sizeof(out));
	supervise_ask(&s, &cfg, ST_QUOTED, SUP_EV_RESTART, T0, &out);
	supervise_ask(&s, &cfg, ST_QUOTED, SUP_EV_STOP, T0, &out);
	memset(&out, 0, sizeof(out));
	supervise_exit(&s, &cfg, ST_QUOTED, &done, T0 + 1, &out);
	assert_int_equal(out.n, 0);
	assert_int_equal(s.stage[ST_QUOTED].state, SUP_DOWN);
}

/* Stages that were told to stop, in order, "quoted riskd ...". */
static void
stops_in_reverse_order(void **unused)
{
	static const enum stage_id order[][3] = {
	    {ST_QUOTED, ST_N, ST_N},
	    {ST_RISKD, ST_N, ST_N},
	    {ST_EXECD_HL, ST_EXECD_PM, ST_N},
	    {ST_FEEDD_HL, ST_FEEDD_BN, ST_FEEDD_PM},
	    {ST_RECORDERD, ST_N, ST_N},
	};
	struct sup_exit done = {0, 0, 0};
	struct supervise s;
	struct sup_out out;

	(void)unused;
	supervise_init(&s);
	for (int i = 0; i < ST_N; i++)
		s.stage[i].state = SUP_UP;
	supervise_stop_all(&s);
	for (size_t g = 0; g < sizeof(order) / sizeof(order[0]); g++) {
		uint32_t n = 0;

		looks_at(&s, T0 + g, &out);
		while (n < 3 && order[g][n] != ST_N)
			n++;
		assert_int_equal(out.n, n);
		for (uint32_t k = 0; k < n; k++) {
			assert_int_equal(out.item[k].effect, SUP_DO_TERM);
			assert_int_equal(out.item[k].stage, order[g][k]);
		}
		/* Nothing more until they are gone. */
		looks_at(&s, T0 + g, &out);
		assert_int_equal(out.n, 0);
		assert_false(supervise_all_down(&s));
		for (uint32_t k = 0; k < n; k++)
			supervise_exit(
			    &s, &cfg, order[g][k], &done, T0 + g, &out);
		assert_int_equal(out.n, 0);
	}
	assert_true(supervise_all_down(&s));
}

static void
stop_all_counts_what_had_to_be_killed(void **unused)
{
	struct supervise s;
	struct sup_out out;

	(void)unused;
	supervise_init(&s);
	s.stage[ST_QUOTED].state = SUP_UP;
	s.stage[ST_RISKD].state = SUP_BACKOFF;
	s.stage[ST_FEEDD_BN].state = SUP_PARKED;
	supervise_stop_all(&s);
	looks_at(&s, T0, &out);
	assert_string_equal(effects(&out), "term");
	assert_int_equal(s.stage[ST_RISKD].state, SUP_DOWN);
	assert_int_equal(s.stage[ST_FEEDD_BN].state, SUP_DOWN);
	looks_at(&s, T0 + cfg.stop_timeout_ns, &out);
	assert_string_equal(effects(&out), "kill");
	memset(&out, 0, sizeof(out));
	supervise_exit(&s, &cfg, ST_QUOTED, &killed, T0, &out);
	assert_int_equal(out.n, 0);
	assert_int_equal(s.stage[ST_QUOTED].stop_kills, 1);
	assert_true(supervise_all_down(&s));
	/* And nothing starts any more. */
	starts(&s, ST_QUOTED, T0);
	assert_true(supervise_all_down(&s));
}

static void
beating_but_not_ready_goes_on(void **unused)
{
	struct sup_look looks[ST_N];
	struct supervise s;
	struct sup_out out = {0};
	uint64_t now = T0;

	(void)unused;
	supervise_init(&s);
	starts(&s, ST_FEEDD_BN, now);
	memset(looks, 0, sizeof(looks));
	for (int i = 0; i < 10; i++) {
		now += cfg.ready_timeout_ns;
		looks[ST_FEEDD_BN].heartbeat_ns = now;
		supervise_look(&s, &cfg, looks, now, &out);
		assert_int_equal(out.n, 0);
		assert_int_equal(s.stage[ST_FEEDD_BN].state, SUP_STARTING);
	}
	looks[ST_FEEDD_BN].ready = true;
	supervise_look(&s, &cfg, looks, now, &out);
	assert_int_equal(s.stage[ST_FEEDD_BN].state, SUP_UP);
}

/* Two stages are up and beat at these times; what one look says. */
static const char *
look_at_two(struct supervise *s, uint64_t a, uint64_t b, uint64_t now)
{
	static struct sup_out out;
	struct sup_look looks[ST_N];

	memset(looks, 0, sizeof(looks));
	memset(&out, 0, sizeof(out));
	looks[ST_RISKD].heartbeat_ns = a;
	looks[ST_QUOTED].heartbeat_ns = b;
	supervise_look(s, &cfg, looks, now, &out);
	return effects(&out);
}

static void
two_up(struct supervise *s)
{
	supervise_init(s);
	starts(s, ST_RISKD, T0);
	starts(s, ST_QUOTED, T0);
	ready(s, ST_RISKD, T0);
	ready(s, ST_QUOTED, T0);
}

static void
a_beat_of_the_life_before_is_none(void **unused)
{
	struct sup_look looks[ST_N];
	struct supervise s;
	struct sup_out out = {0};

	(void)unused;
	supervise_init(&s);
	starts(&s, ST_RISKD, T0);
	memset(looks, 0, sizeof(looks));
	/* The page still holds what a stage that hung left there. */
	looks[ST_RISKD].heartbeat_ns = T0 - MS(3539);
	supervise_look(&s, &cfg, looks, T0 + MS(13), &out);
	assert_string_equal(effects(&out), "");
	assert_int_equal(s.stage[ST_RISKD].state, SUP_STARTING);
	/* Nor does it prove that the new life lives. */
	supervise_look(&s, &cfg, looks, T0 + cfg.ready_timeout_ns, &out);
	assert_string_equal(effects(&out), "abrt");
	/* Of an adopted life nobody knows when it began. */
	supervise_init(&s);
	memset(&out, 0, sizeof(out));
	supervise_ask(&s, &cfg, ST_RISKD, SUP_EV_ADOPT, T0, &out);
	supervise_look(&s, &cfg, looks, T0 + 1, &out);
	assert_string_equal(effects(&out), "abrt");
}

static void
everybody_stale_at_once_is_the_machine(void **unused)
{
	uint64_t now = T0 + cfg.stale_ns + 1;
	struct supervise s;

	(void)unused;
	two_up(&s);
	assert_string_equal(look_at_two(&s, T0, T0, now), "stalled");
	assert_string_equal(look_at_two(&s, T0, T0, now + 1), "");
	assert_int_equal(s.stage[ST_RISKD].state, SUP_UP);
	/* The grace is for one period: then they hang indeed. */
	now += cfg.stale_ns;
	assert_string_equal(look_at_two(&s, T0, T0, now), "abrt abrt");
	/* They came back: the next time counts anew. */
	two_up(&s);
	now = T0 + cfg.stale_ns + 1;
	assert_string_equal(look_at_two(&s, T0, T0, now), "stalled");
	assert_string_equal(look_at_two(&s, now, now, now + 1), "");
	assert_string_equal(
	    look_at_two(&s, now, now, now + 2 * cfg.stale_ns), "stalled");
}

static void
one_stale_stage_hangs(void **unused)
{
	uint64_t now = T0 + cfg.stale_ns + 1;
	struct supervise s;

	(void)unused;
	two_up(&s);
	assert_string_equal(look_at_two(&s, T0, now, now), "abrt");
	/* Alone it has nobody to be compared with. */
	two_up(&s);
	assert_string_equal(look_at_two(&s, T0, 0, now), "abrt");
}

static void
a_late_supervisor_judges_nobody(void **unused)
{
	uint64_t now = T0 + cfg.stale_ns + 1;
	struct supervise s;
	struct sup_out out = {0};

	(void)unused;
	two_up(&s);
	supervise_late(&s, &cfg, cfg.stale_ns / 2, now, &out);
	assert_int_equal(out.n, 0);
	supervise_late(&s, &cfg, cfg.stale_ns / 2 + 1, now, &out);
	assert_string_equal(effects(&out), "stalled");
	assert_true(out.item[0].seq == cfg.stale_ns / 2 + 1);
	assert_string_equal(look_at_two(&s, T0, now, now), "");
	/* A start is not held to its deadline either. */
	starts(&s, ST_FEEDD_BN, now - cfg.ready_timeout_ns);
	assert_string_equal(look_at_two(&s, now, now, now), "");
	now += cfg.stale_ns;
	assert_string_equal(look_at_two(&s, T0, now, now), "abrt abrt");
}

static void
contracts(void **unused)
{
	struct supervise_cfg bad = cfg;
	struct supervise s;
	struct sup_out out = {0};

	(void)unused;
	bad.crash_loop_n = SUP_DEATHS_MAX + 1;
	supervise_init(&s);
	assert_check_fails(
	    supervise_ask(&s, &cfg, ST_N, SUP_EV_START, T0, &out));
	assert_check_fails(
	    supervise_ask(&s, &cfg, ST_RISKD, SUP_EV_EXIT, T0, &out));
	assert_check_fails(
	    supervise_exit(&s, &bad, ST_RISKD, &crash, T0, &out));
	s.stage[ST_RISKD].state = SUP_STATE_N;
	assert_check_fails(
	    supervise_ask(&s, &cfg, ST_RISKD, SUP_EV_START, T0, &out));
}

static void
hash_follows_state(void **unused)
{
	struct supervise a;
	struct supervise b;

	(void)unused;
	supervise_init(&a);
	supervise_init(&b);
	assert_int_equal(supervise_hash(&a), supervise_hash(&b));
	starts(&b, ST_QUOTED, T0);
	assert_int_not_equal(supervise_hash(&a), supervise_hash(&b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_state_and_event),
	    cmocka_unit_test(backoff_doubles),
	    cmocka_unit_test(backoff_has_a_limit),
	    cmocka_unit_test(old_deaths_do_not_count),
	    cmocka_unit_test(poisoned_messages),
	    cmocka_unit_test(hang_on_one_slot_is_poison),
	    cmocka_unit_test(parked_is_tried_again_slowly),
	    cmocka_unit_test(a_person_forgives),
	    cmocka_unit_test(exit_codes),
	    cmocka_unit_test(restart_cycles),
	    cmocka_unit_test(stops_in_reverse_order),
	    cmocka_unit_test(stop_all_counts_what_had_to_be_killed),
	    cmocka_unit_test(beating_but_not_ready_goes_on),
	    cmocka_unit_test(a_beat_of_the_life_before_is_none),
	    cmocka_unit_test(everybody_stale_at_once_is_the_machine),
	    cmocka_unit_test(one_stale_stage_hangs),
	    cmocka_unit_test(a_late_supervisor_judges_nobody),
	    cmocka_unit_test(contracts),
	    cmocka_unit_test(hash_follows_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
