/* links: execd simvenue libvenue libsign libsys libshm libcore */
/*
 * The Polymarket port against the simulated venue, in virtual time: random
 * orders, somebody who crosses them, delays, lost requests and answers,
 * repeated and reordered frames, a channel that breaks, settlements that
 * fail, modes, limits and lapses. At the end the port's fills, tokens, cash
 * and open orders are the exchange's, to the last unit.
 */
#include "tests/prop/gwpm_world.h"

#define RUN_S	120u
#define QUIET_S 90u

/* ---- what happens ---- */

static void
place(uint32_t k)
{
	struct slot *s = &r.slot[k];
	uint32_t m = k % MARKETS;
	struct port_act a = {.what = PORT_PLACE,
	    .slot = k,
	    .id = (UINT64_C(7) << 40) | ++r.next_id,
	    .instr = (uint16_t)(16 + m),
	    .epoch = 1,
	    .side = (k / MARKETS) % 2 == 0 ? SIDE_BID : SIDE_ASK,
	    .tif = TIF_GTC,
	    .oflags = ORDER_POST_ONLY};
	int64_t off = (int64_t)(1 + random_below(6)) * (E8 / 100);
	struct gwpm_now n = now();

	a.px = PX(E8 / 2 + (a.side == SIDE_BID ? -off : off));
	a.qty = QTY((int64_t)(500 + random_below(2000)) * (E8 / 100));
	if (happens(100)) { /* takes */
		a.tif = happens(500) ? TIF_IOC : TIF_FOK;
		a.oflags = ORDER_IMPERATIVE;
		a.px = PX(E8 / 2 + (a.side == SIDE_BID ? off : -off));
	} else if (happens(200)) {
		a.oflags = 0;
	} else if (happens(200)) {
		a.tif = TIF_GTD;
		a.expires_wall_ns = (int64_t)(r.now_ns + 200 * SECOND);
	}
	*s = (struct slot){.id = a.id, .qty = a.qty, .at_ns = r.now_ns};
	gwpm_act(&r.g, &a, &n);
}

static void
cancel(uint32_t k)
{
	struct slot *s = &r.slot[k];
	struct port_act a = {.what = happens(900) ? PORT_CANCEL : PORT_REDUCE,
	    .slot = k,
	    .id = s->id,
	    .instr = (uint16_t)(16 + k % MARKETS),
	    .side = SIDE_BID};
	struct gwpm_now n = now();

	s->has_cancel = true;
	gwpm_act(&r.g, &a, &n);
}

static void
free_filled(void)
{
	for (uint32_t k = 0; k < SLOTS; k++) {
		struct slot *s = &r.slot[k];
		const struct gwpm_order *o =
		    s->id != 0 ? gwpm_order_by_id(r.book, s->id) : NULL;

		if (o != NULL && o->state == GWPM_DONE) {
			assert_true(s->is_answered);
			assert_true(s->filled.e8 >= o->qty.e8);
			s->id = 0;
		}
	}
}

static void
acts(void)
{
	struct gwpm_now n = now();

	free_filled();
	for (uint32_t k = 0; k < SLOTS; k++) {
		struct slot *s = &r.slot[k];

		if (s->id == 0 && happens(60))
			place(k);
		else if (s->id != 0 && !s->has_cancel && happens(40))
			cancel(k);
	}
	if (happens(2))
		gwpm_cancel_all(&r.g, &n);
	if (happens(2))
		gwpm_cancel_market(
		    &r.g, (uint16_t)(16 + random_below(MARKETS)), &n);
	gwpm_flush(&r.g, &n);
}

/* Somebody crosses, or rests where we might take. */
static void
other_acts(void)
{
	uint32_t m = (uint32_t)random_below(MARKETS);
	int64_t cents = 40 + (int64_t)random_below(21);
	int64_t shares = 5 + (int64_t)random_below(20);
	struct pmx_new n = {.account = r.other,
	    .market = (uint16_t)r.market[m],
	    .role = happens(500) ? ROLE_YES : ROLE_NO,
	    .side = happens(500) ? SIDE_BID : SIDE_ASK,
	    .type = happens(700) ? PMX_FAK : PMX_GTC};
	uint32_t at;

	pmx_step(r.x, r.now_ns);
	r.other_id++;
	memcpy(n.id.b + 8, &r.other_id, sizeof(r.other_id));
	n.give_e6 = n.side == SIDE_BID ? shares * cents * 10000 : shares * E6;
	n.get_e6 = n.side == SIDE_BID ? shares * E6 : shares * cents * 10000;
	(void)pmx_place(r.x, &n, r.now_ns, &at);
}

static void
channel(void)
{
	struct gwpm_now n = now();

	if (r.is_up && r.now_ns > r.up_ns + 3 * SECOND && fault(3)) {
		r.is_up = false;
		r.life++;
		r.up_ns = r.now_ns + (200 + random_below(4000)) * MS;
		gwpm_user_down(&r.g, &n);
	} else if (!r.is_up && r.now_ns >= r.up_ns) {
		r.is_up = true;
		gwpm_user_up(&r.g, &n);
	}
}

static void
weather(void)
{
	struct gwpm_now n = now();

	if (happens(500) && fault(1))
		kill_it();
	if (fault(1))
		r.restart_until_ns = r.now_ns + (500 + random_below(4000)) * MS;
	if (fault(2))
		r.x->mode =
		    happens(500) ? PMX_MODE_POST_ONLY : PMX_MODE_CANCEL_ONLY;
	else if (!r.has_faults || happens(50))
		r.x->mode = PMX_MODE_NORMAL;
	if (fault(1) && r.lease_gap_until_ns < r.now_ns)
		r.lease_gap_until_ns = r.now_ns + 20 * SECOND;
	if (r.now_ns > r.lease_gap_until_ns || !r.has_faults)
		gwpm_lease(&r.g, n.ns + SECOND);
}

static void
deliver(struct item *i)
{
	struct gwpm_now n = now();
	struct gwpm_answer a = {.tag = i->tag,
	    .status = i->status,
	    .was_sent = true,
	    .body = i->body,
	    .n = i->body == NULL ? 0 : strlen(i->body),
	    .retry_after_s = i->retry_s,
	    .left = INT64_MIN};
	struct item mine = *i;

	*i = (struct item){0};
	switch (mine.what) {
	case REQUEST: arrive(&mine); break;
	case ANSWER: gwpm_answer(&r.g, &a, &n); break;
	case FRAME:
		if (mine.life == r.life)
			gwpm_user_text(&r.g, mine.body, strlen(mine.body), &n);
		break;
	}
	item_free(&mine);
}

static void
run_to(uint64_t until_ns)
{
	for (;;) {
		struct item *first = NULL;

		for (uint32_t i = 0; i < ITEMS; i++)
			if (r.item[i].what != 0 &&
			    r.item[i].at_ns <= until_ns &&
			    (first == NULL || r.item[i].at_ns < first->at_ns))
				first = &r.item[i];
		if (first == NULL)
			break;
		if (first->at_ns > r.now_ns)
			r.now_ns = first->at_ns;
		pmx_step(r.x, r.now_ns);
		deliver(first);
	}
	r.now_ns = until_ns;
	pmx_step(r.x, r.now_ns);
}

static void
run(uint64_t seconds, bool with_acts, bool with_other)
{
	uint64_t end = r.now_ns + seconds * SECOND;

	while (r.now_ns < end) {
		struct gwpm_now n;

		run_to(r.now_ns + 25 * MS);
		channel();
		weather();
		if (with_other && happens(300))
			other_acts();
		n = now();
		gwpm_timer(&r.g, &n);
		if (with_acts)
			acts();
	}
}

static void
same_orders(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < PMX_ORDERS; i++) {
		const struct pmx_order *o = &r.x->order[i];
		const struct gwpm_order *p;

		if (!pmx_is_open(o) || o->account != r.me_account)
			continue;
		p = gwpm_order_by_hash(r.book, (const struct pm_hash *)&o->id);
		assert_non_null(p);
		if (p->state != GWPM_LIVE)
			print_message("state %u\n", p->state);
		assert_int_equal(p->state, GWPM_LIVE);
		assert_int_equal(gwpm_left(p).e8, pmx_left(o).e8);
		assert_int_equal(r.slot[p->slot].id, p->id);
		n++;
	}
	assert_int_equal(n, r.book->active_n);
}

static void
same_money(void)
{
	const struct pmx_account *a = &r.x->account[r.me_account];

	assert_int_equal(r.book->cash.pending_n, 0);
	assert_true(r.book->cash.has_base);
	assert_int_equal(r.book->cash.base_e6, 20000 * E6);
	for (uint32_t i = 0; i < MARKETS; i++) {
		const struct pmx_hold *h = a->token[r.market[i]];
		struct gwpm_balance b;

		assert_true(gwpm_balances(&r.g, (uint16_t)(16 + i), &b));
		assert_int_equal(b.yes_e8, h[0].own);
		assert_int_equal(b.no_e8, h[1].own);
		assert_int_equal(b.yes_final_e8, h[0].own);
		assert_int_equal(b.no_final_e8, h[1].own);
		assert_int_equal(b.usd_e6, a->usd.own);
		assert_int_equal(r.yes_e8[i], h[0].own - h[1].own);
		assert_false(b.is_off);
	}
	assert_true(pmx_is_conserved(r.x));
}

static void
one_seed(uint64_t seed, bool has_faults)
{
	begin(seed);
	run(30, false, false); /* balances are read twice */
	assert_int_equal(gwpm_mode(&r.g), PORT_NORMAL);
	r.has_faults = has_faults;
	run(RUN_S, true, true);
	r.has_faults = false;
	run(QUIET_S, false, false);
	free_filled();
	print_message("seed %llu: posts %llu sells %llu acked %llu rejected "
		      "%llu gone %llu fills %llu kills %llu open %u\n",
	    (unsigned long long)seed,
	    (unsigned long long)(r.posts + r.g.stat.posts),
	    (unsigned long long)r.sells, (unsigned long long)r.acked,
	    (unsigned long long)r.rejected, (unsigned long long)r.gone,
	    (unsigned long long)r.fills, (unsigned long long)r.kills,
	    r.book->active_n);
	same_orders();
	same_money();
	assert_true(r.fills > 20);
	assert_true(r.sells > 0);
	for (uint32_t k = 0; k < SLOTS; k++)
		if (r.slot[k].id != 0)
			cancel(k);
	run(20, false, false);
	assert_true(gwpm_flat(&r.g));
	same_orders();
	same_money();
	end();
}

static void
without_faults_all_is_the_same(void **state)
{
	(void)state;
	one_seed(1, false);
}

static void
T_15_T_31_with_faults_all_is_the_same(void **state)
{
	const char *one = getenv("SEED");

	(void)state;
	if (one != NULL) {
		one_seed(strtoull(one, NULL, 10), true);
		return;
	}
	for (uint64_t seed = 1; seed <= 6; seed++)
		one_seed(seed, true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_faults_all_is_the_same),
	    cmocka_unit_test(T_15_T_31_with_faults_all_is_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
