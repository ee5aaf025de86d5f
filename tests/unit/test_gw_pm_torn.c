/* links: execd libvenue libsign libsys libshm libcore */
/*
 * The Polymarket port: kill -9 in the middle of a trade. The book is copied
 * while the port is at work in it; the next life begins with the copy, hears
 * the trade again, and must stand where one stands that was never killed.
 */
#include "tests/unit/gwpmkit.h"

static struct gwpm_book *torn;
static unsigned told;
static unsigned kill_at;
static void (*plain)(void *user, const struct port_event *ev);

static void
copy_at(void *user, const struct port_event *ev)
{
	plain(user, ev);
	if (++told == kill_at)
		memcpy(torn, kit.book, sizeof(*torn));
}

/* What counts, of the one order and its tokens. */
struct stand {
	int64_t net_e8[2];
	int64_t final_e8[2];
	int64_t offered_e8[2];
	uint32_t pending_n[2];
	struct gwpm_cash cash;
	uint32_t open_n;
	uint32_t active_n;
	int64_t matched;
	int64_t filled;
	uint8_t state;
	unsigned fill_n;
};

static struct stand
stand_of(uint64_t id)
{
	const struct gwpm_order *o = gwpm_order_by_id(kit.book, id);
	const struct gwpm_market *m = gwpm_market_of(kit.book, 16);
	struct stand s;

	assert_non_null(o);
	memset(&s, 0, sizeof(s));
	for (int k = 0; k < 2; k++) {
		s.net_e8[k] = m->token[k].net_e8;
		s.final_e8[k] = m->token[k].final_e8;
		s.offered_e8[k] = m->token[k].offered_e8;
		s.pending_n[k] = m->token[k].pending_n;
	}
	s.cash.base_e6 = kit.book->cash.base_e6;
	s.cash.final_e6 = kit.book->cash.final_e6;
	s.cash.net_e6 = kit.book->cash.net_e6;
	s.cash.pending_n = kit.book->cash.pending_n;
	s.open_n = m->open_n;
	s.active_n = kit.book->active_n;
	s.matched = o->matched.e8;
	s.filled = o->filled.e8;
	s.state = o->state == GWPM_UNKNOWN ? GWPM_LIVE : o->state;
	for (uint32_t i = 0; i < GWPM_FILLS; i++)
		s.fill_n += kit.book->fill[i].key != 0;
	return s;
}

/* Statuses of one trade in order, the port killed at event n of the last. */
static struct stand
life(const char *const *status, unsigned n, const char *size)
{
	struct stand s;
	uint64_t id;

	assert_int_equal(kit_begin(NULL), 0);
	id = kit_rest(1, SIDE_BID, 400, 10);
	for (; status[1] != NULL; status++)
		kit_trade(id, "t1", *status, size);
	plain = kit.sink.event;
	kit.sink.event = copy_at;
	told = 0;
	kill_at = n;
	kit_trade(id, "t1", *status, size);
	if (n > 0) {
		assert_true(told >= n);
		memcpy(kit.book, torn, sizeof(*torn));
		kit_open();
		kit_trade(id, "t1", *status, size);
	}
	s = stand_of(id);
	assert_int_equal(kit_end(NULL), 0);
	return s;
}

static void
a_trade_is_whole_or_not_there(void **state)
{
	static const char *const cases[][3] = {
	    {"MATCHED", NULL},
	    {"CONFIRMED", NULL},
	    {"MATCHED", "CONFIRMED", NULL},
	    {"MATCHED", "FAILED", NULL},
	};
	static const char *const sizes[] = {"10", "4"};

	(void)state;
	torn = calloc(1, sizeof(*torn));
	assert_non_null(torn);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t k = 0; k < 2; k++) {
			struct stand never = life(cases[i], 0, sizes[k]);
			struct stand killed = life(cases[i], 1, sizes[k]);

			if (memcmp(&never, &killed, sizeof(never)) != 0)
				fail_msg("%s, %s: another stand", cases[i][0],
				    sizes[k]);
		}
	free(torn);
}

/* Written down, and its request never left: it is not there. */
static void
an_order_without_a_hash_was_never_sent(void **state)
{
	uint64_t id;

	(void)state;
	assert_int_equal(kit_begin(NULL), 0);
	id = kit_place(1, SIDE_BID, 400, 10);
	gwpm_order_by_id(kit.book, id)->state = 0; /* killed just then */
	kit.ev_n = 0;
	kit_open();
	assert_int_equal(kit_events(PORT_REJECTED, id), 1);
	assert_true(gwpm_flat(&kit.g));
	assert_int_equal(gwpm_market_of(kit.book, 16)->open_n, 0);
	assert_int_equal(kit_end(NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_trade_is_whole_or_not_there),
	    cmocka_unit_test(an_order_without_a_hash_was_never_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
