/* links: feedd libvenue libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "feedd/clockoff.h"
#include "feedd/link.h"

#define MS  UINT64_C(1000000)
#define SEC (1000 * MS)

static struct cfg cfg;

static int
set_up(void **state)
{
	(void)state;
	cfg_defaults(&cfg);
	return 0;
}

static void
age_is_above_the_minimum(void **state)
{
	struct clockoff c;
	int64_t venue = INT64_C(1700000000) * NS_PER_S;
	int64_t wall = venue + 5 * NS_PER_S; /* clocks 5 s apart */

	(void)state;
	clockoff_reset(&c);
	assert_int_equal(clockoff_age(&c, SEC, wall, venue), 0);
	assert_int_equal(clockoff_age(&c, 2 * SEC, wall + 7000, venue), 7000);
	/* faster than any before: a negative age, and the new minimum */
	assert_int_equal(clockoff_age(&c, 3 * SEC, wall - 2000, venue), -2000);
	assert_int_equal(clockoff_age(&c, 4 * SEC, wall, venue), 2000);
}

/* The recorded clock was 1.27 s behind the venue's. */
static void
receive_before_send_works(void **state)
{
	struct clockoff c;
	int64_t venue = INT64_C(1723161255208) * NS_PER_MS;
	int64_t wall = venue - 1270 * NS_PER_MS;

	(void)state;
	clockoff_reset(&c);
	assert_int_equal(clockoff_age(&c, SEC, wall, venue), 0);
	assert_int_equal(
	    clockoff_age(&c, SEC, wall + 3 * NS_PER_MS, venue), 3 * NS_PER_MS);
}

static void
minimum_is_forgotten_after_two_windows(void **state)
{
	struct clockoff c;
	int64_t venue = INT64_C(1700000000) * NS_PER_S;
	uint64_t now = SEC;

	(void)state;
	clockoff_reset(&c);
	clockoff_age(&c, now, venue, venue);
	for (int i = 0; i < 70; i++) {
		now += SEC;
		venue += NS_PER_S;
		clockoff_age(&c, now, venue + NS_PER_S, venue);
	}
	/* the clocks have drifted by a second; that is the offset now */
	assert_int_equal(clockoff_age(&c, now, venue + NS_PER_S, venue), 0);
}

static void
jump_back_starts_again(void **state)
{
	struct clockoff c;
	int64_t venue = INT64_C(1700000000) * NS_PER_S;

	(void)state;
	clockoff_reset(&c);
	clockoff_age(&c, SEC, venue, venue);
	assert_int_equal(
	    clockoff_age(&c, 2 * SEC, venue, venue - 30 * NS_PER_S),
	    30 * NS_PER_S); /* within tolerance: just old */
	assert_int_equal(
	    clockoff_age(&c, 3 * SEC, venue, venue - 600 * NS_PER_S), 0);
	assert_int_equal(c.back_n, 1);
}

static struct link
up(uint64_t now)
{
	struct link l;

	link_init(&l, VENUE_POLYMARKET, 0);
	link_want(&l, true, now);
	assert_int_equal(link_due(&l, &cfg), now);
	assert_int_equal(link_timer(&l, &cfg, now), LINK_DO_OPEN);
	assert_int_equal(l.state, LINK_CONNECTING);
	assert_int_equal(link_timer(&l, &cfg, now), LINK_DO_NOTHING);
	link_up(&l, now);
	return l;
}

static void
pings_are_measured_and_smoothed(void **state)
{
	struct link l = up(SEC);

	(void)state;
	assert_int_equal(link_timer(&l, &cfg, 2 * SEC), LINK_DO_PING);
	assert_int_equal(link_timer(&l, &cfg, 2 * SEC), LINK_DO_NOTHING);
	link_pong(&l, &cfg, 2 * SEC + 50 * MS);
	assert_int_equal(l.rtt_us, 50000);
	assert_int_equal(l.rtt_ema_us, 50000);
	assert_int_equal(
	    link_timer(&l, &cfg, 2 * SEC + 999 * MS), LINK_DO_NOTHING);
	assert_int_equal(link_timer(&l, &cfg, 3 * SEC), LINK_DO_PING);
	link_pong(&l, &cfg, 3 * SEC + 100 * MS);
	assert_int_equal(l.rtt_us, 100000);
	assert_int_equal(l.rtt_ema_us, 55000); /* 0.9 old + 0.1 new */
	link_pong(&l, &cfg, 4 * SEC);	       /* nobody asked */
	assert_int_equal(l.rtt_us, 100000);
}

/* T-47: a missing pong adds samples, its age each time. */
static void
missing_pong_counts(void **state)
{
	struct link l = up(SEC);

	(void)state;
	link_timer(&l, &cfg, 2 * SEC);
	link_pong(&l, &cfg, 2 * SEC + 50 * MS);
	assert_int_equal(link_timer(&l, &cfg, 3 * SEC), LINK_DO_PING);
	assert_int_equal(link_due(&l, &cfg), 5 * SEC);
	assert_int_equal(link_timer(&l, &cfg, 4 * SEC), LINK_DO_NOTHING);
	assert_false(l.overdue);
	link_timer(&l, &cfg, 5 * SEC);
	assert_true(l.overdue);
	assert_int_equal(l.rtt_us, 2000000);
	assert_int_equal(l.rtt_ema_us, 245000);
	assert_int_equal(link_due(&l, &cfg), 6 * SEC);
	link_timer(&l, &cfg, 6 * SEC);
	assert_int_equal(l.rtt_us, 3000000);
	link_pong(&l, &cfg, 6 * SEC + 500 * MS);
	assert_false(l.overdue);
	assert_int_equal(l.rtt_us, 3500000);
}

/* Data comes and comes, a pong never: the link is given up. */
static void
T_46_a_missing_pong_ends_the_link(void **state)
{
	struct link l = up(SEC);
	struct cfg c = cfg;
	enum link_do what = LINK_DO_NOTHING;
	uint64_t now = 2 * SEC;

	(void)state;
	assert_int_equal(link_timer(&l, &cfg, now), LINK_DO_PING);
	for (; what == LINK_DO_NOTHING && now < 100 * SEC; now += SEC / 2) {
		link_recv(&l, now + 1, true);
		assert_true(link_due(&l, &cfg) <= 12 * SEC);
		what = link_timer(&l, &cfg, now + 1);
	}
	assert_int_equal(what, LINK_DO_GIVE_UP);
	assert_int_equal(now, 12 * SEC + SEC / 2);
	assert_int_equal(link_timer(&l, &cfg, now), LINK_DO_NOTHING);
	/* One that may never answer, and one that answers, stay. */
	l = up(SEC);
	l.pong_lax = true;
	link_timer(&l, &cfg, 2 * SEC);
	link_recv(&l, 40 * SEC, true);
	assert_int_equal(link_timer(&l, &cfg, 41 * SEC), LINK_DO_NOTHING);
	l = up(SEC);
	link_timer(&l, &cfg, 2 * SEC);
	link_recv(&l, 11 * SEC, true);
	link_pong(&l, &cfg, 11 * SEC);
	assert_int_equal(link_timer(&l, &cfg, 12 * SEC), LINK_DO_PING);
	/* Not before it is overdue for as long again. */
	c.latency_pong_overdue.ns = 20 * NS_PER_S;
	l = up(SEC);
	link_timer(&l, &c, 2 * SEC);
	link_recv(&l, 41 * SEC, true);
	assert_int_equal(link_timer(&l, &c, 42 * SEC - 1), LINK_DO_NOTHING);
	assert_int_equal(link_timer(&l, &c, 42 * SEC), LINK_DO_GIVE_UP);
}

/* What one connection was like says nothing of the next. */
static void
round_trips_start_afresh_with_each_connection(void **state)
{
	struct link l = up(SEC);
	struct tick_link t;

	(void)state;
	link_timer(&l, &cfg, 2 * SEC);
	link_pong(&l, &cfg, 6 * SEC);
	assert_int_equal(l.rtt_ema_us, 4000000);
	link_down(&l, &cfg, 7 * SEC, 0);
	assert_int_equal(link_timer(&l, &cfg, l.retry_ns), LINK_DO_OPEN);
	link_up(&l, 8 * SEC);
	link_report(&l, 8 * SEC, &t);
	assert_int_equal(t.rtt_us, 0); /* nothing measured */
	assert_int_equal(t.rtt_ema_us, 0);
	assert_int_equal(link_timer(&l, &cfg, 8 * SEC), LINK_DO_PING);
	link_pong(&l, &cfg, 8 * SEC + MS);
	assert_int_equal(l.rtt_ema_us, 1000);
}

/* No bytes at all: stale, closed, made again. */
static void
T_51_half_open_is_stale_then_given_up(void **state)
{
	struct link l = up(SEC);

	(void)state;
	l.complete = true;
	link_recv(&l, SEC, true);
	link_eval(&l, &cfg, 2 * SEC);
	assert_int_equal(l.state, LINK_READY);
	link_timer(&l, &cfg, 2 * SEC); /* a ping that is never answered */
	link_eval(&l, &cfg, 11 * SEC);
	assert_int_equal(l.state, LINK_READY);
	link_eval(&l, &cfg, 11 * SEC + 1);
	assert_int_equal(l.state, LINK_STALE);
	assert_int_equal(link_timer(&l, &cfg, 20 * SEC), LINK_DO_NOTHING);
	assert_int_equal(link_timer(&l, &cfg, 21 * SEC), LINK_DO_CLOSE);
	assert_int_equal(link_timer(&l, &cfg, 22 * SEC), LINK_DO_NOTHING);
}

/* A grid that changed or a window that is new concerns that book alone. */
static void
T_07_one_book_that_is_fetched_again_does_not_stop_the_venue(void **state)
{
	struct link l = up(SEC);

	(void)state;
	link_recv(&l, SEC, true);
	link_eval(&l, &cfg, SEC);
	assert_int_equal(l.state, LINK_UP);
	l.complete = true;
	link_eval(&l, &cfg, SEC);
	assert_int_equal(l.state, LINK_READY);
	l.complete = false;
	link_eval(&l, &cfg, SEC);
	assert_int_equal(l.state, LINK_READY);
	link_down(&l, &cfg, SEC, 0);
	link_up(&l, SEC);
	link_recv(&l, SEC, true);
	link_eval(&l, &cfg, SEC);
	assert_int_equal(l.state, LINK_UP);
}

/* A quiet book is no silence while pongs come; no data for long is. */
static void
T_51_pongs_alone_do_not_keep_a_link(void **state)
{
	struct link l = up(SEC);
	uint64_t now = SEC;
	enum link_do what = LINK_DO_NOTHING;

	(void)state;
	l.complete = true;
	l.idle_ns = 30 * SEC;
	link_recv(&l, SEC, true);
	while (what != LINK_DO_CLOSE && now < 500 * SEC) {
		now += SEC;
		what = link_timer(&l, &cfg, now);
		link_pong(&l, &cfg, now + MS);
		link_eval(&l, &cfg, now + 2 * MS);
		if (what == LINK_DO_PING)
			assert_int_equal(l.state, LINK_READY);
	}
	assert_int_equal(now, 31 * SEC);
	assert_int_equal(l.state, LINK_STALE);
}

/* Each connection must show data of its own. */
static void
ready_takes_data(void **state)
{
	struct link l = up(SEC);

	(void)state;
	for (uint64_t now = SEC; now < 5000 * SEC; now += 1000 * SEC) {
		if (now > SEC)
			link_up(&l, now);
		l.complete = true;
		link_eval(&l, &cfg, now);
		assert_int_equal(l.state, LINK_UP);
		link_timer(&l, &cfg, now + SEC);
		link_pong(&l, &cfg, now + SEC);
		link_recv(&l, now + SEC, false);
		link_eval(&l, &cfg, now + SEC);
		assert_int_equal(l.state, LINK_UP);
		link_recv(&l, now + 2 * SEC, true);
		link_eval(&l, &cfg, now + 2 * SEC);
		assert_int_equal(l.state, LINK_READY);
		link_down(&l, &cfg, now + 3 * SEC, 0);
		assert_int_equal(
		    link_timer(&l, &cfg, l.retry_ns), LINK_DO_OPEN);
	}
	link_up(&l, 9000 * SEC);
	link_recv(&l, 9001 * SEC, true); /* data, but the books are missing */
	link_eval(&l, &cfg, 9001 * SEC);
	assert_int_equal(l.state, LINK_UP);
}

static void
reconnects_back_off(void **state)
{
	struct link l = up(SEC);
	uint64_t step = 100 * MS;
	uint64_t now = 2 * SEC;

	(void)state;
	for (int i = 0; i < 12; i++) {
		uint64_t pause;

		link_down(&l, &cfg, now, UINT64_C(0x9e3779b97f4a7c15) * i);
		pause = l.retry_ns - now;
		assert_true(pause >= step / 2 && pause <= step);
		assert_int_equal(
		    link_timer(&l, &cfg, l.retry_ns - 1), LINK_DO_NOTHING);
		now = l.retry_ns;
		assert_int_equal(link_timer(&l, &cfg, now), LINK_DO_OPEN);
		step = step * 2 > 10 * SEC ? 10 * SEC : step * 2;
	}
	link_up(&l, now);
	assert_int_equal(l.reconnects, 1);
	now += 10 * SEC - 1; /* feed.healthy_after */
	link_down(&l, &cfg, now, 0);
	assert_int_equal(l.retry_ns - now, 5 * SEC);
	now = l.retry_ns;
	assert_int_equal(link_timer(&l, &cfg, now), LINK_DO_OPEN);
	link_up(&l, now);
	now += 10 * SEC;
	link_down(&l, &cfg, now, 0);
	assert_int_equal(l.retry_ns - now, 50 * MS);
	link_want(&l, false, now);
	assert_int_equal(link_timer(&l, &cfg, now + SEC), LINK_DO_NOTHING);
	assert_int_equal(link_due(&l, &cfg), 0);
}

/* Pings are polite, and enough to be kept. */
static void
pings_are_within_the_venues_manners(void **state)
{
	static const struct {
		enum venue venue;
		uint64_t asked;
		uint64_t got;
	} cases[] = {
	    {VENUE_POLYMARKET, 100 * MS, SEC},
	    {VENUE_POLYMARKET, 3 * SEC, 3 * SEC},
	    {VENUE_POLYMARKET, 60 * SEC, 10 * SEC},
	    {VENUE_BINANCE, 100 * MS, SEC},
	    {VENUE_HYPERLIQUID, 100 * MS, 250 * MS},
	    {VENUE_HYPERLIQUID, 60 * SEC, 15 * SEC},
	};
	struct cfg c = cfg;

	(void)state;
	c.feed_stale_polymarket_s.ns = 600 * NS_PER_S;
	c.feed_stale_binance_s.ns = 600 * NS_PER_S;
	c.feed_stale_hyperliquid_s.ns = 600 * NS_PER_S;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct link l;
		uint64_t now = 100 * SEC;

		c.latency_ping_interval.ns = (int64_t)cases[i].asked;
		link_init(&l, cases[i].venue, 0);
		link_up(&l, now);
		assert_int_equal(link_timer(&l, &c, now), LINK_DO_PING);
		link_pong(&l, &c, now + MS);
		assert_int_equal(link_due(&l, &c), now + cases[i].got);
		assert_int_equal(link_timer(&l, &c, now + cases[i].got - 1),
		    LINK_DO_NOTHING);
		assert_int_equal(
		    link_timer(&l, &c, now + cases[i].got), LINK_DO_PING);
	}
}

static void
unanswered_probe_may_be_lax(void **state)
{
	struct link l = up(SEC);

	(void)state;
	l.pong_lax = true;
	link_timer(&l, &cfg, 2 * SEC);
	link_recv(&l, 9 * SEC, true);
	link_timer(&l, &cfg, 9 * SEC);
	assert_false(l.overdue);
	link_pong(&l, &cfg, 9 * SEC); /* it does answer: from now on it must */
	assert_int_equal(link_timer(&l, &cfg, 10 * SEC), LINK_DO_PING);
	link_timer(&l, &cfg, 12 * SEC);
	assert_true(l.overdue);
}

static void
report_says_it_all(void **state)
{
	struct link l = up(SEC);
	struct tick_link t;

	(void)state;
	link_recv(&l, 2 * SEC, true);
	link_recv(&l, 3 * SEC, false);
	link_stamp(&l, 2 * SEC, 1000, 400);
	link_stamp(&l, 2 * SEC, 9000000, 400);
	link_stamp(&l, 2 * SEC, 1000, 0); /* no stamp */
	link_report(&l, 5 * SEC, &t);
	assert_int_equal(t.quiet_ms, 3000);
	assert_int_equal(t.msgs, 1);
	assert_int_equal(t.age_us, 8999);
	assert_int_equal(t.venue, VENUE_POLYMARKET);
	assert_int_equal(t.state, LINK_UP);
}

static void
broken_contracts_abort(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			struct link l;
			struct clockoff c = {0};

			close(STDERR_FILENO);
			if (i == 0)
				link_init(&l, VENUE_N, 0);
			else
				clockoff_age(&c, 1, 1, 0);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(age_is_above_the_minimum),
	    cmocka_unit_test(receive_before_send_works),
	    cmocka_unit_test(minimum_is_forgotten_after_two_windows),
	    cmocka_unit_test(jump_back_starts_again),
	    cmocka_unit_test(pings_are_measured_and_smoothed),
	    cmocka_unit_test(missing_pong_counts),
	    cmocka_unit_test(T_46_a_missing_pong_ends_the_link),
	    cmocka_unit_test(round_trips_start_afresh_with_each_connection),
	    cmocka_unit_test(T_51_half_open_is_stale_then_given_up),
	    cmocka_unit_test(
		T_07_one_book_that_is_fetched_again_does_not_stop_the_venue),
	    cmocka_unit_test(T_51_pongs_alone_do_not_keep_a_link),
	    cmocka_unit_test(ready_takes_data),
	    cmocka_unit_test(reconnects_back_off),
	    cmocka_unit_test(pings_are_within_the_venues_manners),
	    cmocka_unit_test(unanswered_probe_may_be_lax),
	    cmocka_unit_test(report_says_it_all),
	    cmocka_unit_test(broken_contracts_abort),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
