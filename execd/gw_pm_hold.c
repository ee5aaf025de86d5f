/*
 * Positions against the venue's balances.
 */
#include <string.h>

#include "execd/gw_pm_int.h"
#include "libcore/check.h"
#include "libcore/json.h"
#include "libsign/hex.h"
#include "libvenue/text.h"

#define STEP_NS	   UINT64_C(100000000)	 /* between two questions */
#define AGAIN_NS   UINT64_C(2000000000)	 /* to be asked about again */
#define LOST_NS	   UINT64_C(6000000000)	 /* no answer comes any more */
#define ROUND_NS   UINT64_C(10000000000) /* when none is set */
#define IDLE_N	   3u /* rounds between two looks at what does not matter */
#define STALE_N	   4u /* rounds that the venue's word lasts */
#define DRIFT_E6   INT64_C(10000) /* a hundredth: rounding of settlement */
#define TARGET_MAX 256u

/* A token or the collateral, in its own units. */
struct hold {
	int64_t *base;
	int64_t final;
	int64_t net;
	int64_t unit; /* of 1e-6 */
	struct gwpm_twice *read;
	bool *has_base;
	bool *is_off;
	uint32_t pending_n;
};

static struct hold
hold_of(struct gwpm *g, uint32_t what)
{
	struct gwpm_cash *c = &g->book->cash;
	struct gwpm_token *t;

	if (what == GWPM_CASH)
		return (struct hold){&c->base_e6, c->final_e6, c->net_e6, 1,
		    &c->read, &c->has_base, &c->is_off, c->pending_n};
	t = &g->book->market[what / 2].token[what % 2];
	return (struct hold){&t->base_e8, t->final_e8, t->net_e8, 100, &t->read,
	    &t->has_base, &t->is_off, t->pending_n};
}

static uint64_t
seq_of(const struct gwpm *g, uint32_t what)
{
	return what == GWPM_CASH ? g->book->fill_seq : g->look[what].seq;
}

static uint64_t
round_ns(const struct gwpm *g)
{
	return g->set.reconcile_ns > 0 ? g->set.reconcile_ns : ROUND_NS;
}

void
gwpm_hold_moved(struct gwpm *g, uint16_t market, uint8_t role)
{
	uint32_t what = 2u * market + role - ROLE_YES;

	g->look[what].seq++;
	for (uint32_t i = 2u * market; i < 2u * market + 2; i++) {
		struct gwpm_look *k = &g->look[i];
		uint64_t due = k->asked_ns + AGAIN_NS;

		if (k->due_ns > due)
			k->due_ns = due;
	}
	g->balance_ns = 0;
}

void
gwpm_hold_begin(struct gwpm *g, const struct gwpm_market *m)
{
	uint32_t what = 2 * (uint32_t)(m - g->book->market);

	for (uint32_t i = what; i < what + 2; i++) {
		g->news_n -= g->look[i].is_news;
		g->look[i] = (struct gwpm_look){.seq = g->look[i].seq + 1};
	}
	g->balance_ns = 0;
}

void
gwpm_hold_again(struct gwpm *g)
{
	for (uint32_t i = 0; i < GWPM_LOOKS; i++)
		g->look[i].due_ns = 0;
	g->balance_ns = 0;
}

/* ---- asking ---- */

static bool
ask(struct gwpm *g, uint32_t what, const struct gwpm_now *now)
{
	char token[PM_TOKEN_TEXT_MAX];
	char query[TARGET_MAX];
	char number[24];
	struct gwpm_out out = {GWPM_BALANCE, GWPM_ROLE_QUERIES, "GET",
	    "/balance-allowance", query, 0, false};
	struct gwpm_call *c = gwpm_call_new(g, GWPM_BALANCE);
	struct text t;

	if (c == NULL || !bucket_take(&g->queries, now->ns, 1, false))
		return false;
	text_init(&t, query, sizeof(query));
	if (what == GWPM_CASH) {
		text_lit(&t, "asset_type=COLLATERAL");
	} else {
		const struct gwpm_market *m = &g->book->market[what / 2];

		text_lit(&t, m->generation == PM_EXCHANGE_V3
				 ? "asset_type=CONDITIONAL-V2&token_id="
				 : "asset_type=CONDITIONAL&token_id=");
		pm_token_format(&m->token[what % 2].id, token);
		text_lit(&t, token);
	}
	*dec_put(number, g->set.account.sig_type) = '\0';
	text_lit(&t, "&signature_type=");
	text_lit(&t, number);
	CHECK(text_end(&t) > 0);
	c->fill_seq = seq_of(g, what);
	c->item[0] = what;
	gwpm_call_send(g, c, &out, now);
	return true;
}

/* Markets that are over are paid out at some time; an entry that no
 * instrument has is of interest while something of it is under way. */
static bool
is_wanted(const struct gwpm_market *m)
{
	return m->used && !m->is_over &&
	       (m->instr != 0 || m->open_n > 0 ||
		   m->token[0].pending_n + m->token[1].pending_n > 0);
}

static bool
matters(const struct gwpm_market *m)
{
	for (int k = 0; k < 2; k++) {
		const struct gwpm_token *t = &m->token[k];

		if (t->base_e8 != 0 || t->net_e8 != 0 || t->final_e8 != 0 ||
		    t->pending_n > 0 || t->is_off)
			return true;
	}
	return m->open_n > 0;
}

/* The longest due; GWPM_NONE: none yet. */
static uint32_t
next_due(const struct gwpm *g, uint64_t now_ns)
{
	uint32_t best = GWPM_NONE;
	uint64_t best_ns = now_ns;

	for (uint32_t i = 0; i < GWPM_LOOKS; i++) {
		uint64_t due = g->look[i].due_ns;

		if (due > best_ns || (best != GWPM_NONE && due == best_ns) ||
		    (i != GWPM_CASH && !is_wanted(&g->book->market[i / 2])))
			continue;
		best = i;
		best_ns = due;
	}
	return best;
}

void
gwpm_balance_due(struct gwpm *g, const struct gwpm_now *now)
{
	uint32_t what;

	g->balance_now_ns = now->ns;
	if (now->ns < g->balance_ns)
		return;
	g->balance_ns = now->ns + STEP_NS;
	what = next_due(g, now->ns);
	if (what == GWPM_NONE || !ask(g, what, now))
		return;
	g->look[what].asked_ns = now->ns;
	g->look[what].due_ns = now->ns + LOST_NS;
}

/* ---- answers ---- */

static bool
read_balance(const struct gwpm_answer *a, uint64_t *units)
{
	struct json_str key;
	bool has = false;
	struct json j;

	json_init(&j, a->body, a->n);
	if (json_object(&j))
		while (json_key(&j, &key)) {
			if (json_is(key, "balance"))
				has = json_u64(&j, units);
			else
				json_skip(&j);
		}
	return json_end(&j) && has && *units <= (uint64_t)QTY_E8_MAX / 100;
}

/* Small drift is taken over; more is told, once. diff in 1e-6. */
static int64_t
judge_diff(struct gwpm *g, bool *is_off, int64_t diff)
{
	bool is_small = diff <= DRIFT_E6 && diff >= -DRIFT_E6;
	bool was_off = *is_off;

	*is_off = !is_small;
	if (diff == 0 || was_off)
		return 0;
	g->stat.differences++;
	g->sink->log(g->sink->user, GWPM_LOG_DIFFERENCE, diff, "", 0);
	return is_small ? diff : 0;
}

/* What would have to have been there at the beginning: true when an earlier
 * read agrees. */
static bool
is_second(struct gwpm_twice *r, int64_t base, uint64_t seq, uint64_t ns)
{
	bool is_same = r->seq == seq + 1 && r->value == base;

	if (!is_same)
		r->ns = ns;
	r->seq = seq + 1;
	r->value = base;
	return is_same && ns >= r->ns + AGAIN_NS;
}

/* True when the answer settles something. */
static bool
take(struct gwpm *g, uint32_t what, int64_t now_has, uint64_t asked_ns)
{
	struct hold h = hold_of(g, what);
	int64_t base = now_has - h.final;

	if (base == *h.base || (h.pending_n > 0 && now_has == *h.base + h.net &&
				   (*h.has_base || what != GWPM_CASH))) {
		*h.has_base = true;
		*h.is_off = false;
		h.read->seq = 0;
		return true;
	}
	if (h.pending_n > 0 ||
	    !is_second(h.read, base, seq_of(g, what), asked_ns))
		return false;
	if (!*h.has_base) {
		*h.has_base = true;
		*h.base = base;
		return true;
	}
	/* Fills may be on their way. */
	if (!g->is_up || g->sync.is_blocking)
		return false;
	*h.base += judge_diff(g, h.is_off, (base - *h.base) / h.unit) * h.unit;
	return true;
}

static bool
is_fresh(const struct gwpm *g, uint32_t what)
{
	const struct gwpm_look *k = &g->look[what];

	return k->seen_ns != 0 &&
	       g->balance_now_ns < k->seen_ns + STALE_N * round_ns(g);
}

void
gwpm_balance_answer(struct gwpm *g, struct gwpm_call *c,
    const struct gwpm_answer *a, const struct gwpm_now *now)
{
	uint32_t what = c->item[0];
	struct gwpm_look *k = &g->look[what];
	struct hold h = hold_of(g, what);
	bool was_off = *h.is_off;
	bool was_fresh = is_fresh(g, what);
	bool is_busy;
	uint64_t units;

	k->due_ns = now->ns + AGAIN_NS;
	if (a->status != 200 || !read_balance(a, &units) ||
	    c->fill_seq != seq_of(g, what) ||
	    !take(g, what, (int64_t)units * h.unit, c->sent_ns))
		return;
	is_busy = what == GWPM_CASH || matters(&g->book->market[what / 2]);
	k->seen_ns = c->sent_ns;
	if (!*h.is_off)
		k->due_ns = c->sent_ns + (is_busy ? round_ns(g) * 3 / 4
						  : round_ns(g) * IDLE_N);
	if (!k->is_news && (!was_fresh || was_off != *h.is_off)) {
		k->is_news = true;
		g->news_n++;
	}
}

/* ---- telling ---- */

uint16_t
gwpm_balance_news(struct gwpm *g)
{
	for (uint32_t i = 0; g->news_n > 0 && i < GWPM_LOOKS; i++) {
		if (!g->look[i].is_news)
			continue;
		g->look[i].is_news = false;
		g->news_n--;
		if (i != GWPM_CASH && g->book->market[i / 2].instr != 0)
			return g->book->market[i / 2].instr;
	}
	return 0;
}

/* What the venue says is there now. */
static int64_t
venue_e8(const struct gwpm_token *t)
{
	return (t->is_off ? t->read.value : t->base_e8) + t->net_e8;
}

bool
gwpm_balances(const struct gwpm *g, uint16_t instr, struct gwpm_balance *out)
{
	const struct gwpm_market *m = gwpm_market_of(g->book, instr);
	const struct gwpm_cash *cash = &g->book->cash;
	const struct gwpm_token *t;
	uint32_t what;

	if (m == NULL)
		return false;
	t = m->token;
	what = 2 * (uint32_t)(m - g->book->market);
	*out = (struct gwpm_balance){.yes_e8 = t[0].base_e8 + t[0].net_e8,
	    .no_e8 = t[1].base_e8 + t[1].net_e8,
	    .yes_final_e8 = t[0].base_e8 + t[0].final_e8 - t[0].out_e8,
	    .no_final_e8 = t[1].base_e8 + t[1].final_e8 - t[1].out_e8,
	    .yes_net_e8 = t[0].net_e8,
	    .no_net_e8 = t[1].net_e8,
	    .yes_venue_e8 = venue_e8(&t[0]),
	    .no_venue_e8 = venue_e8(&t[1]),
	    .usd_e6 = cash->base_e6 + cash->net_e6,
	    .is_known = is_fresh(g, what) && is_fresh(g, what + 1),
	    .is_usd_known = cash->has_base,
	    .is_off = t[0].is_off || t[1].is_off || cash->is_off};
	return true;
}
