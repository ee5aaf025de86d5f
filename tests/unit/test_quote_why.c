/* links: quoted libshm libcore */
/* What is kept of each filter, and that it adds up. */
#include "tests/unit/quotekit.h"

static const struct why_side *
of(uint16_t i, enum side side)
{
	return &why->market[i].side[side - 1];
}

static uint64_t
refusals(const struct why_side *s, enum why_part a, enum why_part b)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < WHY_N; i++) {
		uint8_t part = why_def((enum why_id)i)->part;

		if (part == a || part == b)
			n += s->filter[i].refusals;
	}
	return n;
}

static void
adds_up(uint16_t i)
{
	for (int side = SIDE_BID; side < SIDE_N; side++) {
		const struct why_side *s = of(i, (enum side)side);

		assert_int_equal(s->looks,
		    s->quoted + refusals(s, WHY_PART_GUARD, WHY_PART_QUOTE));
		assert_int_equal(s->signals,
		    s->taken + refusals(s, WHY_PART_TAKE, WHY_PART_TAKE));
	}
}

static void
a_refusal_has_value_limit_and_since(void **state)
{
	const struct why_filter *f;
	uint64_t since;

	(void)state;
	tell(PM, a_binary());
	bbo(PM, 0.49, 0.51, 100, 100);
	f = &of(PM, SIDE_BID)->filter[WHY_SPREAD];
	assert_int_equal(f->verdict, WHY_PASS);
	assert_int_equal(of(PM, SIDE_BID)->stop, WHY_N);
	now += S;
	links_are(LINK_READY);
	bbo(PM, 0.40, 0.55, 100, 100);
	since = now;
	assert_int_equal(f->verdict, WHY_FAIL);
	assert_int_equal(f->value, 15 * E8 / 100);
	assert_int_equal(f->limit, 8 * E8 / 100);
	assert_int_equal(f->since_ns, since);
	assert_int_equal(of(PM, SIDE_ASK)->stop, WHY_SPREAD);
	now += S;
	links_are(LINK_READY);
	bbo(PM, 0.40, 0.54, 100, 100);
	assert_int_equal(f->since_ns, since);
	assert_int_equal(f->value, 14 * E8 / 100);
	adds_up(PM);
}

static void
sides_differ_where_they_do(void **state)
{
	(void)state;
	tell(PM, a_binary());
	bbo(PM, 0.49, 0.51, 100, 100);
	state_is(PM, TRADING_RUN, REASON_OK, 50); /* the limit */
	assert_int_equal(of(PM, SIDE_BID)->stop, WHY_SIZE);
	assert_int_equal(of(PM, SIDE_ASK)->stop, WHY_N);
	adds_up(PM);
}

static void
another_market_in_the_entry_starts_afresh(void **state)
{
	struct instr in = a_binary();

	(void)state;
	tell(PM, in);
	bbo(PM, 0.49, 0.51, 100, 100);
	assert_true(of(PM, SIDE_BID)->looks > 0);
	in.epoch = 2;
	tell(PM, in);
	assert_int_equal(of(PM, SIDE_BID)->quoted, 0);
	assert_int_equal(of(PM, SIDE_BID)->filter[WHY_BOOK].verdict, WHY_FAIL);
	adds_up(PM);
}

static uint64_t seed = 0x5eed1234;

static uint32_t
below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed % n);
}

static void
event(void)
{
	uint16_t i = (uint16_t)(PM + below(12));
	double mid = 0.05 + 0.9 * (double)below(100) / 100.0;

	switch (below(10)) {
	case 0: links_are(below(8) == 0 ? LINK_STALE : LINK_READY); break;
	case 1:
		state_is(i, (uint8_t)(1 + below(3)), REASON_STATE,
		    (double)below(60) - 30.0);
		break;
	case 2: state_is(0, (uint8_t)(1 + below(3) / 2), 0, 0); break;
	case 3: state_is(0, TRADING_RUN, 0, 0); break;
	case 4:
		for (uint32_t k = 0; k < out.core.n; k++) {
			struct order o = out.core.msg[k].order;

			report(MSG_VERDICT, &o, 0, REASON_RATE_LIMIT);
			break;
		}
		break;
	case 5:
		level(i, SIDE_BID, mid - 0.01, below(50));
		level(i, SIDE_ASK, mid + 0.01, below(50));
		break;
	default:
		bbo(i, mid - 0.01 * below(6), mid + 0.01 * below(6), below(100),
		    below(100));
		break;
	}
	now += below(300) * (uint64_t)NS_PER_MS;
}

/* Whatever happens, every look ends at exactly one place. */
static void
every_look_is_accounted_for(void **state)
{
	struct instr in = a_binary();
	uint64_t looks = 0;
	uint64_t quoted = 0;

	(void)state;
	print_message("seed %llx\n", (unsigned long long)seed);
	q->cfg.parity_enabled = true;
	q->cfg.satellite_enabled = true;
	assert_true(prob_parse(&q->prob, "mag 0.5 0.9 1900000000", 22));
	for (uint16_t i = 0; i < 12; i++) {
		in.cls = i % 2 == 0 ? CLASS_BINARY : CLASS_UPDOWN;
		in.underlying = i % 2 == 0 ? 0 : SPOT;
		in.end_wall_ns =
		    i % 2 == 0 ? 0 : WALL + (int64_t)now + 900 * NS_PER_S;
		tell(PM + i, in);
	}
	for (int k = 0; k < 100000; k++)
		event();
	for (uint16_t i = 0; i < 12; i++) {
		adds_up(PM + i);
		looks += of(PM + i, SIDE_BID)->looks;
		quoted += of(PM + i, SIDE_BID)->quoted;
	}
	assert_true(quoted > 100);
	assert_true(looks > 2 * quoted);
}

static void
a_reader_gets_a_whole_copy_or_none(void **state)
{
	struct why_market m;

	(void)state;
	assert_false(why_read(why, PM, &m));
	assert_false(why_read(why, INSTR_N, &m));
	tell(PM, a_binary());
	bbo(PM, 0.49, 0.51, 100, 100);
	assert_true(why_read(why, PM, &m));
	assert_int_equal(m.at_ns, now);
	atomic_store(&why->market[PM].lock, 7); /* being written, for ever */
	assert_false(why_read(why, PM, &m));
	bbo(PM, 0.48, 0.51, 100, 100); /* and the next look mends it */
	assert_true(why_read(why, PM, &m));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    KIT(a_refusal_has_value_limit_and_since),
	    KIT(sides_differ_where_they_do),
	    KIT(another_market_in_the_entry_starts_afresh),
	    KIT(every_look_is_accounted_for),
	    KIT(a_reader_gets_a_whole_copy_or_none),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
