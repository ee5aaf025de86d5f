/* links: quoted libshm libcore */
/*
 * bench_quoted - what one tick of one market costs the core of quoted: all
 * guards, prices, sizes and takers' filters, with the page of reasons.
 *
 *   tick_N          a BBO that moves by a tick, of N markets in random order
 *   tick_N_p99
 *   updown_N        the same of up/down markets: a fair value each
 *   filter          what keeping a filter for people adds
 * The last markets share mm.max_markets places; all pass the guards before.
 * Seeded; medians; the checksum is of the core's state.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libcore/rrs.h"
#include "quoted/quote.h"
#include "tests/bench/bench.h"

#define TICKS 200000u
#define WALL  (INT64_C(1800000000) * NS_PER_S)

static struct quote *q;
static struct quote_out out;
static struct why_page *why;
static uint64_t now = UINT64_C(1000000000000);
static uint64_t seed = 0x9e3779b97f4a7c15u;
static double took[TICKS];
static uint64_t sum;

static uint64_t
draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

static void
slot(uint16_t ring, union tap *t, const struct instr *in)
{
	struct event ev = {.kind = EV_SLOT,
	    .ring = ring,
	    .slot = t,
	    .instr = in,
	    .now_ns = now,
	    .wall_ns = WALL};

	t->hdr.recv_ns = now;
	quote_step(q, &ev, &out);
}

static void
bbo(uint16_t idx, uint16_t ring, int64_t mid)
{
	union tap t = {.hdr = {.kind = TICK_BBO,
			   .instr = idx,
			   .venue_ns = WALL - 600 * NS_PER_S}};

	t.tick.u.bbo.bid_px = PX(mid - E8 / 100);
	t.tick.u.bbo.ask_px = PX(mid + E8 / 100);
	t.tick.u.bbo.bid_qty = QTY((int64_t)(100 + draw(100)) * E8);
	t.tick.u.bbo.ask_qty = QTY((int64_t)(100 + draw(100)) * E8);
	slot(ring, &t, 0);
}

static void
links(void)
{
	static const uint16_t rings[] = {RG_MD_PM_Q, RG_MD_BN_Q};

	for (size_t i = 0; i < 2; i++) {
		union tap t = {.hdr = {.kind = TICK_LINK}};

		t.tick.u.link.state = LINK_READY;
		slot(rings[i], &t, 0);
	}
}

static void
begin(uint32_t markets, bool updown, bool keep)
{
	static struct cfg cfg;
	struct instr in = {.venue = VENUE_POLYMARKET,
	    .cls = updown ? CLASS_UPDOWN : CLASS_BINARY,
	    .state = INSTR_NORMAL,
	    .rules = RRS_SEEN,
	    .epoch = 1,
	    .tick_px = PX(E8 / 100),
	    .lot_qty = QTY(E8 / 100),
	    .min_qty = QTY(5 * E8),
	    .strike_px = PX(60000 * E8),
	    .strike_source = STRIKE_OFFICIAL,
	    .underlying = updown ? INSTR_BN_BASE : 0,
	    .end_wall_ns = updown ? WALL : 0};
	struct instr ref = {.venue = VENUE_BINANCE,
	    .cls = CLASS_SPOT,
	    .state = INSTR_NORMAL,
	    .epoch = 1,
	    .tick_px = PX(E8 / 100),
	    .lot_qty = QTY(1)};
	union tap t = {
	    .order = {.hdr = {.kind = MSG_STATE}, .status = TRADING_RUN}};

	memset(q, 0, sizeof(*q));
	cfg_defaults(&cfg);
	cfg.warmup_max_s.ns = 0;
	cfg.mm_max_markets = 1000;
	quote_init(q, &cfg, 1);
	quote_why_set(q, keep ? why : 0);
	slot(RG_VERDICT, &t, 0);
	links();
	memset(&t, 0, sizeof(t));
	t.hdr.kind = TICK_INSTR;
	t.hdr.instr = INSTR_BN_BASE;
	slot(RG_MD_BN_Q, &t, &ref);
	for (int i = 0; i < 60; i++) {
		now += (uint64_t)NS_PER_S;
		bbo(INSTR_BN_BASE, RG_MD_BN_Q,
		    (60000 + (int64_t)draw(20)) * E8);
	}
	for (uint32_t i = 0; i < markets; i++) {
		t.hdr.instr = (uint16_t)(INSTR_PM_BASE + i);
		slot(RG_MD_PM_Q, &t, &in);
		bbo(t.hdr.instr, RG_MD_PM_Q, E8 / 2);
	}
}

/* Ticks of random markets, 20 us apart; median of one. */
static double
ticks(uint32_t markets, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint16_t idx = (uint16_t)(INSTR_PM_BASE + draw(markets));
		int64_t mid = E8 / 2 + (int64_t)draw(3) * E8 / 100;
		uint64_t from;

		now += 20000;
		if (i % 20000 == 0)
			links();
		from = bench_now_ns();
		bbo(idx, RG_MD_PM_Q, mid);
		took[i] = (double)(bench_now_ns() - from);
		sum += out.core.n;
	}
	return bench_median(took, n);
}

static int
rising(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void
of(uint32_t markets, bool updown, uint32_t n)
{
	char name[48];
	double p50;

	begin(markets, updown, true);
	ticks(markets, n / 4);
	p50 = ticks(markets, n);
	snprintf(
	    name, sizeof(name), "%s_%u", updown ? "updown" : "tick", markets);
	bench_line(name, p50, "ns", 0, 0);
	qsort(took, n, sizeof(took[0]), rising);
	snprintf(name, sizeof(name), "%s_%u_p99", updown ? "updown" : "tick",
	    markets);
	bench_line(name, took[n - n / 100 - 1], "ns", 0, 0);
}

int
main(void)
{
	uint32_t n = bench_quick() ? 2000u : TICKS;
	double with;
	double without;

	q = malloc(sizeof(*q));
	why = calloc(1, sizeof(*why));
	if (q == 0 || why == 0)
		return 1;
	of(100, false, n);
	of(1000, false, n);
	of(4000, false, n);
	of(1000, true, n);
	begin(100, false, true);
	ticks(100, n / 4);
	with = ticks(100, n);
	begin(100, false, false);
	ticks(100, n / 4);
	without = ticks(100, n);
	/* 20 guards of both sides, four filters of each */
	bench_line("filter", (with - without) / 28.0, "ns", 0, 0);
	sum += quote_hash(q);
	printf("# checksum %llx\n", (unsigned long long)sum);
	free(q);
	free(why);
	return 0;
}
