/* links: feedd libvenue libshm libcore */
/*
 * A day of rolling windows in virtual time: the feed core against a venue
 * that is late, refuses, forgets to tell and hangs up. After every event:
 *   1 a window that opens is subscribed and trades
 *   2 every window gets its strike, and the true one
 *   3 every window gets its outcome, the true one, and only once
 *   4 what is subscribed on the wire is what is wanted
 *   5 an entry that goes to another window has a higher epoch
 *   6 no more requests a minute than the budget
 *   7 nothing is left behind
 */
#define _GNU_SOURCE
#include "tests/sim/roll_venue.h"

#include "feedd/link.h"

#define DAY_S	INT64_C(86400)
#define NORMAL	INT64_C(1788998400) /* 2026-09-10T00:00Z */
#define SPRING	INT64_C(1772928000) /* 2026-03-08 */
#define AUTUMN	INT64_C(1793491200) /* 2026-11-01 */
#define AHEAD_S 120		    /* updown.subscribe_ahead */

static struct roll *r;

/* Sanitizers are slow: a part of the day. */
static bool
is_short(void)
{
	return getenv("RM_SANITIZE") != NULL;
}

static int64_t
hours(int64_t all, int64_t some)
{
	return is_short() ? some : all;
}

static void
on_tick(void *user, struct tick *t)
{
	(void)user;
	assert_true(slot_is_tick(t->hdr.kind));
}

static struct roll_window *
window_of(const char *symbol, uint32_t *series)
{
	return roll_by_slug(r, symbol, series);
}

/* 2, 3, 5 */
static void
on_instr(void *user, uint16_t idx, const struct instr *in)
{
	struct roll_window *w;
	uint32_t k = 0;
	int64_t truth;

	(void)user;
	if (in->cls != CLASS_UPDOWN)
		return;
	w = window_of(in->symbol, &k);
	assert_non_null(w);
	if (strcmp(r->symbol[idx], in->symbol) != 0) {
		r->reused += r->symbol[idx][0] != '\0';
		assert_true(in->epoch > r->epoch[idx]);
		memcpy(r->symbol[idx], in->symbol, sizeof(in->symbol));
	}
	assert_true(in->epoch >= r->epoch[idx]);
	r->epoch[idx] = in->epoch;
	w->idx = idx;
	w->state = in->state;
	assert_int_equal(in->start_wall_ns, w->start_s * NS_PER_S);
	assert_int_equal(
	    in->end_wall_ns - in->start_wall_ns, r->series[k].len_s * NS_PER_S);
	truth = roll_strike(r, k, w) * (E8 / 100);
	if (in->strike_source == STRIKE_OFFICIAL)
		assert_int_equal(in->strike_px.e8, truth);
	if (in->outcome != 0) {
		assert_int_equal(in->state, INSTR_RESOLVED);
		assert_int_equal(in->outcome, roll_truth(r, k, w));
	}
	assert_true(w->outcome == 0 || w->outcome == in->outcome);
	w->outcome = in->outcome;
	if (in->strike_source != 0)
		w->strike = in->strike_source;
}

static void
make_windows(int64_t from_s, int64_t to_s)
{
	for (uint32_t k = 0; k < r->series_n; k++) {
		const struct pm_series *s = &r->series[k];

		for (int64_t at = from_s; at < to_s; at += s->len_s) {
			struct roll_window *w = &r->win[k][r->win_n[k]++];
			int64_t end_s = at + s->len_s;
			bool late = roll_hit(r, r->faults.late);

			assert_true(r->win_n[k] <= ROLL_WINDOWS);
			w->start_s = at;
			w->listed_s =
			    late ? at - 25 - roll_dice(r, 500) : at - DAY_S;
			w->tokens_s = w->listed_s +
				      (late ? (int64_t)roll_dice(r, 15) : 0);
			w->official_s = at + 3 + roll_dice(r, 200);
			w->told_s = end_s + 10 + roll_dice(r, 60);
			w->closed_s = end_s + 15 + roll_dice(r, 240);
			if (roll_hit(r, r->faults.silent))
				w->told_s = 0;
			if (roll_hit(r, r->faults.slow)) {
				w->told_s = 0;
				w->closed_s = end_s + 7200;
			}
		}
	}
}

static void
open_world(const char *const *items, uint32_t n, int64_t from_s)
{
	cfg_defaults(&r->cfg);
	r->cfg.polymarket_series.n = n;
	for (uint32_t k = 0; k < n; k++) {
		snprintf(r->cfg.polymarket_series.item[k],
		    sizeof(r->cfg.polymarket_series.item[k]), "%s", items[k]);
		assert_true(pm_series_parse(&r->series[k], items[k]));
	}
	r->series_n = n;
	r->cfg.polymarket_rtds_symbols.n = 6;
	for (uint32_t k = 0; k < 6; k++)
		snprintf(r->cfg.polymarket_rtds_symbols.item[k], CFG_ITEM_SZ,
		    "%s",
		    (const char *[]){"btc/usd", "eth/usd", "sol/usd", "btcusdt",
			"ethusdt", "solusdt"}[k]);
	r->now_ns = UINT64_C(1000000000);
	r->wall0_ns = (from_s - ROLL_OFF_S) * NS_PER_S - (int64_t)r->now_ns;
	r->sink = (struct feed_sink){r, on_tick, on_instr, roll_act};
	make_windows(from_s - 3 * 3600, from_s + DAY_S + 6 * 3600);
	r->f = calloc(1, feed_sz(VENUE_POLYMARKET));
	feed_init(r->f, VENUE_POLYMARKET, &r->cfg, 7, &r->sink);
}

static int
setup(void **state)
{
	(void)state;
	r = calloc(1, sizeof(*r));
	r->rng = 42;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < ROLL_PENDING; i++)
		if (r->pending[i].kind != 0)
			free(r->pending[i].body);
	free(r->f);
	free(r);
	return 0;
}

static void
step(struct feed_event *ev)
{
	r->rng = hash_u64(r->rng, 1);
	ev->random = r->rng;
	ev->now_ns = r->now_ns;
	ev->wall_ns = r->wall0_ns + (int64_t)r->now_ns;
	ev->cfg = &r->cfg;
	feed_step(r->f, ev);
}

static void
frame(uint8_t conn, const char *text)
{
	struct feed_event ev = {.kind = FEED_EV_FRAME, .conn = conn};

	ev.data = text;
	ev.n = strlen(text);
	step(&ev);
}

static void
hang_up(uint8_t conn)
{
	struct feed_event ev = {.kind = FEED_EV_DOWN, .conn = conn};

	ev.code = 1006;
	ev.data = "";
	roll_forget_conn(r, conn);
	r->drops++;
	step(&ev);
}

static void
deliver(struct roll_pending *p)
{
	struct roll_pending it = *p;
	struct feed_event ev = {.kind = it.kind, .conn = it.conn};

	p->kind = (enum feed_ev)0;
	ev.code = it.code;
	ev.tag = it.tag;
	ev.retry_after_s = it.retry_after_s;
	ev.data = it.body == NULL ? "" : it.body;
	ev.n = strlen(ev.data);
	if (it.kind == FEED_EV_UP)
		r->live[it.conn] = true;
	step(&ev);
	free(it.body);
}

static void
prices(uint8_t conn, int64_t s)
{
	static const char *const names[2][3] = {
	    {"btc/usd", "eth/usd", "sol/usd"},
	    {"btcusdt", "ethusdt", "solusdt"}};

	for (uint32_t i = 0; i < 9; i++) {
		bool hourly = i >= 6;
		int64_t px = roll_px(i % 3, hourly, s);
		char text[320];

		if (roll_venue_s(r) < 0 || !r->live[conn])
			return;
		snprintf(text, sizeof(text),
		    "{\"topic\":\"%s\",\"type\":\"update\",\"timestamp\":"
		    "%lld350,\"payload\":{\"symbol\":\"%s\",\"timestamp\":"
		    "%lld000,\"value\":%lld.%02lld}}",
		    i < 3   ? "crypto_prices_chainlink"
		    : i < 6 ? "crypto_prices_twap_sixty"
			    : "crypto_prices",
		    (long long)s, names[hourly][i % 3], (long long)s,
		    (long long)px / 100, (long long)px % 100);
		frame(conn, text);
	}
}

static void
tell_resolved(uint32_t k, const struct roll_window *w)
{
	bool up = roll_truth(r, k, w) == OUTCOME_YES;
	char cond[72];
	char yes[40];
	char no[40];
	char text[512];

	roll_cond(k, w, cond);
	roll_token(k, w, 0, yes);
	roll_token(k, w, 1, no);
	snprintf(text, sizeof(text),
	    "{\"event_type\":\"market_resolved\",\"id\":\"1\",\"market\":"
	    "\"%s\",\"assets_ids\":[\"%s\",\"%s\"],\"winning_asset_id\":"
	    "\"%s\",\"winning_outcome\":\"%s\",\"timestamp\":\"%lld000\"}",
	    cond, yes, no, up ? yes : no, up ? "Up" : "Down",
	    (long long)roll_venue_s(r));
	for (uint8_t c = 0; c < ROLL_CONNS; c++)
		if (r->live[c] && (w->subs & 1u << c) != 0)
			frame(c, text);
}

static bool
market_channel_lives(void)
{
	bool live = false;

	for (uint8_t c = 0; c < ROLL_CONNS; c++)
		live = live || (r->live[c] && !r->is_price[c]);
	return live;
}

/* 1, 4: a window from 2 minutes before it opens until its outcome. */
static void
check_window(uint32_t k, const struct roll_window *w, int64_t s)
{
	int64_t end_s = w->start_s + r->series[k].len_s;
	int64_t from_s = w->start_s - AHEAD_S;

	if (s == w->start_s && (w->state != INSTR_NORMAL || w->subs == 0)) {
		printf("series %u start %lld state %u subs %x listed %lld\n", k,
		    (long long)w->start_s, w->state, w->subs,
		    (long long)(w->listed_s - w->start_s));
		fail_msg("a window was missed");
	}
	if (w->tokens_s > from_s - 60)
		from_s = w->start_s;
	if (s > from_s + 2 && s < end_s && w->subs == 0)
		printf("series %u start %lld at %lld of %lld: not subscribed\n",
		    k, (long long)w->start_s, (long long)(s - w->start_s),
		    (long long)s);
	if (s > from_s + 2 && s < end_s)
		assert_true(w->subs != 0);
	if (s < w->start_s - AHEAD_S - 2 || s > end_s + AHEAD_S + 5) {
		if (w->subs != 0)
			printf("series %u start %lld at %lld: subscribed\n", k,
			    (long long)w->start_s, (long long)(s - w->start_s));
		assert_int_equal(w->subs, 0);
	}
	if (s == end_s + 2)
		assert_true(
		    w->state == INSTR_CLOSED || w->state == INSTR_RESOLVED);
}

static void
each_second(int64_t s, int64_t first_s)
{
	bool live = market_channel_lives();

	for (uint32_t k = 0; k < r->series_n; k++)
		for (uint32_t i = 0; i < r->win_n[k]; i++) {
			struct roll_window *w = &r->win[k][i];

			if (w->start_s > s + 900 || w->start_s < s - 9000)
				continue;
			if (live && w->start_s > first_s + 60)
				check_window(k, w, s);
			if (w->told_s == s)
				tell_resolved(k, w);
			if (w->subs != 0 && s % 5 == 0)
				for (uint8_t c = 0; c < ROLL_CONNS; c++)
					if ((w->subs & 1u << c) != 0) {
						roll_book(r, k, w, 0, c, 10);
						roll_book(r, k, w, 1, c, 10);
					}
		}
	for (uint8_t c = 0; c < ROLL_CONNS; c++) {
		if (r->live[c] && r->is_price[c])
			prices(c, s);
		/* Not while a window opens: that it is missed then is right. */
		if (r->live[c] && s % 300 > 20 && s % 300 < 270 &&
		    roll_hit(r, r->faults.drop))
			hang_up(c);
	}
	if (s % 60 == 0) {
		if (r->minute_n > r->minute_max)
			r->minute_max = r->minute_n;
		r->minute_n = 0;
	}
}

/* The next thing that happens, up to a time. */
static bool
next_event(uint64_t to_ns)
{
	struct feed_event timer = {.kind = FEED_EV_TIMER};
	struct roll_pending *first = NULL;
	uint64_t at_ns = feed_wake(r->f);

	for (uint32_t i = 0; i < ROLL_PENDING; i++) {
		struct roll_pending *p = &r->pending[i];

		if (p->kind != 0 && (first == NULL || p->at_ns < first->at_ns))
			first = p;
	}
	if (first != NULL && (at_ns == 0 || first->at_ns <= at_ns))
		at_ns = first->at_ns;
	else
		first = NULL;
	if (at_ns == 0 || at_ns > to_ns)
		return false;
	if (at_ns > r->now_ns)
		r->now_ns = at_ns;
	if (first != NULL)
		deliver(first);
	else
		step(&timer);
	return true;
}

static void
run(int64_t from_s, int64_t to_s, int64_t first_s)
{
	for (int64_t s = from_s; s < to_s; s++) {
		uint64_t at_ns =
		    (uint64_t)((s - ROLL_OFF_S) * NS_PER_S - r->wall0_ns) +
		    300000000;
		uint32_t guard = 0;

		while (next_event(at_ns))
			assert_true(++guard < 100000);
		r->now_ns = at_ns;
		each_second(s, first_s);
	}
}

/* 2, 3, 6, 7 */
static void
check_day(int64_t from_s, int64_t to_s)
{
	uint32_t n = 0;

	for (uint32_t k = 0; k < r->series_n; k++)
		for (uint32_t i = 0; i < r->win_n[k]; i++) {
			const struct roll_window *w = &r->win[k][i];

			if (w->start_s < from_s + 300 ||
			    w->start_s + r->series[k].len_s > to_s - 9000)
				continue;
			n++;
			if (w->strike != STRIKE_OFFICIAL || w->outcome == 0)
				printf("series %u start %lld: strike %u "
				       "outcome %u\n",
				    k, (long long)w->start_s, w->strike,
				    w->outcome);
			assert_int_equal(w->strike, STRIKE_OFFICIAL);
			assert_int_equal(w->outcome, roll_truth(r, k, w));
		}
	printf("# %u windows, %u requests, at most %u a minute, %u errors, "
	       "%u connections lost, %u entries used again\n",
	    n, r->gets_n, r->minute_max, r->errors, r->drops, r->reused);
	assert_true(r->minute_max <= (uint32_t)r->cfg.discovery_max_per_minute);
	assert_true(n > 15);
}

static void
play(const char *const *items, uint32_t n, int64_t from_s, int64_t hours_n)
{
	struct feed_event ev = {.kind = FEED_EV_START};
	int64_t to_s = from_s + (hours_n + 3) * 3600;

	open_world(items, n, from_s);
	step(&ev);
	run(from_s, from_s + 120, to_s);
	assert_true(feed_is_ready(r->f));
	run(from_s + 120, to_s, from_s + 120);
	check_day(from_s, to_s);
}

static const char *const all[] = {"btc-updown-5m", "eth-updown-5m",
    "sol-updown-5m", "btc-updown-15m", "eth-updown-15m", "sol-updown-15m",
    "bitcoin-up-or-down-1h", "ethereum-up-or-down-1h", "solana-up-or-down-1h"};

/* T-04, T-05 */
static void
T_04_a_day_with_every_fault(void **state)
{
	(void)state;
	r->faults = (struct roll_faults){
	    .late = 6, .http = 25, .drop = 1500, .silent = 4, .slow = 40};
	play(all, 9, NORMAL, hours(24, 3));
	assert_true(is_short() || r->drops > 50);
	assert_true(r->errors > 100);
	assert_true(is_short() || r->reused > 500);
	/* 7: twelve 5-minute windows an hour with two hours to wait at most
	 * one in forty, else what is open, near and just over. */
	assert_true(feed_instr_n(r->f) < 6 + 110);
}

static void
a_calm_day_leaves_nothing_behind(void **state)
{
	uint32_t level;

	(void)state;
	open_world(all, 9, NORMAL);
	step(&(struct feed_event){.kind = FEED_EV_START});
	run(NORMAL, NORMAL + 7200, NORMAL + 120);
	level = feed_instr_n(r->f);
	for (int h = 2; h < hours(12, 4); h++) {
		run(NORMAL + h * 3600, NORMAL + (h + 1) * 3600, NORMAL + 120);
		/* Outcomes of the last minutes may be out. */
		assert_true(feed_instr_n(r->f) <= level + 9);
	}
	assert_int_equal(r->errors, 0);
}

/* Hours of New York on the days when the clocks change; the slug with the
 * year; an hour that shares its name. */
static void
days_when_clocks_change(void **state)
{
	static const int64_t days[] = {SPRING, AUTUMN};

	for (size_t d = 0; d < 2; d++)
		for (int form = 0; form < (is_short() ? 1 : 2); form++) {
			teardown(state);
			setup(state);
			r->faults = (struct roll_faults){
			    .http = 40, .silent = 3, .year_form = form == 1};
			play(all + 6, 3, days[d], hours(24, 9));
		}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(T_04_a_day_with_every_fault),
	    T(a_calm_day_leaves_nothing_behind),
	    T(days_when_clocks_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
