/* links: simvenue libvenue libsign libsys libshm libcore */
/*
 * The market channel of the simulated exchange, read with the decoder that
 * feeds use: the books that a client keeps from the texts alone equal the
 * exchange's after every batch, every hash verifies, every touch agrees.
 * Seeded; PROP_SEED=n repeats one run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libcore/book.h"
#include "libcore/hash.h"
#include "libvenue/pm_hash.h"
#include "simvenue/pm_tape.h"

#define RUNS  12u
#define STEPS 500u
#define START UINT64_C(1790000000000000000)

struct rig {
	struct pmx *x;
	struct pm_tape *tape;
	struct pmx_sink sink;
	struct book_full book[2]; /* each in its token's own frame */
	struct pm_meta meta[2];
	struct pm_event ev;
	uint64_t rng;
	uint64_t now_ns;
	uint64_t ids;
	uint32_t kinds[PM_KIND_N];
	uint32_t hashes;
};

static struct rig r;
static uint64_t seed_now;

static uint64_t
below(uint64_t n)
{
	r.rng = hash_u64(r.rng, 1);
	return r.rng % n;
}

static int
token_of(const struct pm_token *t)
{
	for (int i = 0; i < 2; i++)
		if (pm_token_eq(&r.x->market[0].terms.token[i], t))
			return i;
	fail_msg("unknown token");
	return 0;
}

static void
check_hash(int i, const char *want)
{
	struct pm_hash_book b = {.market = r.x->market[0].terms.cond,
	    .token = r.x->market[0].terms.token[i],
	    .role = ROLE_YES, /* the book is in the token's own frame */
	    .venue_ns = r.ev.venue_ns,
	    .book = &r.book[i].book};
	char have[PM_HASH_LEN];

	pm_hash_kept(&b, &r.meta[i], have);
	assert_memory_equal(have, want, PM_HASH_LEN);
	r.hashes++;
}

static void
check_touch(int i, enum side side, const struct pm_touch *t)
{
	struct book_level l;

	if (!book_best(&r.book[i].book, side, &l)) {
		assert_int_equal(t->state, PM_TOUCH_EMPTY);
		return;
	}
	assert_int_equal(t->state, PM_TOUCH_PRICE);
	assert_int_equal(t->px.tok_e8, l.px.e8);
}

static void
take_book(void)
{
	int i = token_of(&r.ev.token);
	struct book *b = &r.book[i].book;

	book_clear(b);
	for (uint32_t k = 0; k < r.ev.bids_n; k++)
		book_set(
		    b, SIDE_BID, PX(r.ev.bids[k].px.tok_e8), r.ev.bids[k].qty);
	for (uint32_t k = 0; k < r.ev.asks_n; k++)
		book_set(
		    b, SIDE_ASK, PX(r.ev.asks[k].px.tok_e8), r.ev.asks[k].qty);
	pm_meta_update(&r.meta[i], &r.ev);
	assert_true(r.ev.has_hash);
	check_hash(i, r.ev.hash);
}

static void
take_changes(void)
{
	for (uint32_t k = 0; k < r.ev.changes_n; k++) {
		const struct pm_change *c = &r.ev.changes[k];

		book_set(&r.book[token_of(&c->token)].book, c->side,
		    PX(c->px.tok_e8), c->qty);
	}
	for (uint32_t k = 0; k < r.ev.changes_n; k++) {
		const struct pm_change *c = &r.ev.changes[k];
		int i = token_of(&c->token);

		check_hash(i, c->hash);
		check_touch(i, SIDE_BID, &c->best_bid);
		check_touch(i, SIDE_ASK, &c->best_ask);
	}
}

static void
on_text(void *user, uint16_t market, const char *text, size_t n)
{
	struct pm_frame f;

	(void)user;
	(void)market;
	pm_frame_init(&f, text, n);
	while (pm_next(&f, &r.ev) != PM_END) {
		r.kinds[r.ev.kind]++;
		if (r.ev.kind == PM_ERR)
			fail_msg(
			    "refused at %u: %.*s", r.ev.err_off, (int)n, text);
		if (r.ev.kind == PM_BOOK)
			take_book();
		else if (r.ev.kind == PM_PRICE_CHANGE)
			take_changes();
		else if (r.ev.kind == PM_TRADE || r.ev.kind == PM_TICK_SIZE)
			pm_meta_update(&r.meta[token_of(&r.ev.token)], &r.ev);
	}
}

/* ---- the exchange ---- */

static void
on_order(
    void *user, const struct pmx *x, uint32_t order, enum pmx_order_event what)
{
	(void)user;
	(void)x;
	(void)order;
	(void)what;
}

static void
on_trade(void *user, const struct pmx *x, uint32_t trade)
{
	(void)user;
	(void)x;
	(void)trade;
}

static void
on_level(void *user, uint16_t market, enum side side, px_t px, qty_t qty)
{
	(void)user;
	tape_level(r.tape, market, side, px, qty);
}

static void
on_print(void *user, uint16_t market, enum token_role role, enum side side,
    tok_px_t px, qty_t qty)
{
	struct tape_print p = {role, side, px, qty};

	(void)user;
	tape_print(r.tape, market, &p);
}

static void
on_batch(void *user, uint16_t market, bool has_traded)
{
	(void)user;
	(void)has_traded;
	tape_batch(r.tape, market);
}

static void
on_market(void *user, uint16_t market)
{
	(void)user;
	(void)market;
}

static void
compare(void)
{
	const struct match *m = &r.x->market[0].match;

	for (int i = 0; i < 2; i++)
		for (enum side s = SIDE_BID; s < SIDE_N; s++) {
			enum token_role role = ROLE_YES + (enum token_role)i;
			enum side of = frame_side(s, role);

			assert_int_equal(
			    book_n(&r.book[i].book, s), match_level_n(m, of));
			for (uint32_t k = 0; k < match_level_n(m, of); k++) {
				const struct match_level *l =
				    match_level(m, of, k);
				const struct book_level *b =
				    book_level(&r.book[i].book, s, k);

				assert_int_equal(
				    b->px.e8, frame_tok_px(l->px, role).tok_e8);
				assert_int_equal(b->qty.e8, l->qty.e8);
			}
		}
}

static void
place(uint32_t account)
{
	struct pmx_new n = {.account = account,
	    .role = ROLE_YES + (enum token_role)below(2),
	    .side = SIDE_BID,
	    .type = PMX_GTC};
	int64_t tick4 = r.x->market[0].terms.tick.tok_e8 / 10000;
	int64_t p4 = tick4 * (1 + (int64_t)below(10000 / (uint64_t)tick4 - 1));
	int64_t s2 = (int64_t)(500 + below(3000));
	uint32_t order;

	r.ids++;
	memcpy(n.id.b, &r.ids, sizeof(r.ids));
	n.give_e6 = s2 * p4;
	n.get_e6 = s2 * 10000;
	(void)pmx_place(r.x, &n, r.now_ns, &order);
}

static void
step(uint32_t account)
{
	uint64_t what = below(100);
	tok_px_t old = r.x->market[0].terms.tick;
	uint32_t i = (uint32_t)below(200);

	r.now_ns += below(100) * 1000000u;
	pmx_step(r.x, r.now_ns);
	if (what < 70) {
		place(account);
	} else if (what < 98) {
		(void)pmx_cancel(r.x, account, i, r.now_ns);
	} else {
		pmx_set_tick(r.x, 0,
		    TOK_PX(old.tok_e8 == E8 / 100 ? E8 / 1000 : E8 / 100));
		tape_tick(r.tape, 0, old);
	}
}

static void
run(uint64_t seed)
{
	struct pmx_terms t = {.tick = TOK_PX(E8 / 100),
	    .min_qty = QTY(5 * E8),
	    .is_updown = true};
	uint32_t account;

	memset(&r, 0, sizeof(r));
	r.x = calloc(1, sizeof(*r.x));
	r.tape = calloc(1, sizeof(*r.tape));
	assert_true(r.x != NULL && r.tape != NULL);
	r.rng = seed;
	r.now_ns = START;
	r.sink = (struct pmx_sink){
	    NULL, on_order, on_trade, on_level, on_print, on_batch, on_market};
	for (int i = 0; i < 2; i++) {
		book_full_init(&r.book[i]);
		pm_meta_init(&r.meta[i]);
	}
	t.cond.n = 32;
	t.cond.b[0] = 1;
	t.token[0].w[0] = 12345;
	t.token[1].w[3] = UINT64_C(1) << 60;
	pmx_init(r.x, &r.sink, seed);
	tape_init(r.tape, r.x, on_text, NULL);
	account = pmx_account_open(r.x);
	assert_true(pmx_deposit(r.x, account, USD(100000 * E6)));
	/* the first entry given out is number 1 */
	r.x->market_at = PMX_MARKETS - 1;
	assert_int_equal(pmx_market_open(r.x, &t), 0);
	tape_open(r.tape, 0);
	for (enum token_role role = ROLE_YES; role < ROLE_N; role++) {
		struct text text;

		text_init(&text, r.tape->out, sizeof(r.tape->out));
		tape_put_book(r.tape, 0, role, true, &text);
		on_text(NULL, 0, text.buf, text.n);
	}
	for (uint32_t k = 0; k < STEPS; k++) {
		step(account);
		compare();
	}
	tape_resolved(r.tape, 0, ROLE_NO);
	free(r.x);
	free(r.tape);
}

static void
texts_tell_the_book(void **state)
{
	const char *one = getenv("PROP_SEED");
	uint32_t kinds[PM_KIND_N] = {0};
	uint32_t hashes = 0;

	(void)state;
	for (uint64_t s = 1; s <= RUNS; s++) {
		seed_now = one != NULL ? strtoull(one, NULL, 0) : s;
		run(seed_now);
		for (int k = 0; k < PM_KIND_N; k++)
			kinds[k] += r.kinds[k];
		hashes += r.hashes;
	}
	print_message("books %u, changes %u, trades %u, grids %u, ends %u, "
		      "hashes %u\n",
	    kinds[PM_BOOK], kinds[PM_PRICE_CHANGE], kinds[PM_TRADE],
	    kinds[PM_TICK_SIZE], kinds[PM_RESOLVED], hashes);
	assert_true(kinds[PM_BOOK] > 0 && kinds[PM_PRICE_CHANGE] > 0 &&
		    kinds[PM_TRADE] > 0 && kinds[PM_TICK_SIZE] > 0 &&
		    kinds[PM_RESOLVED] == RUNS && hashes > 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(texts_tell_the_book),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	if (failed != 0)
		(void)fprintf(stderr, "again with PROP_SEED=%llu\n",
		    (unsigned long long)seed_now);
	return failed;
}
