#include "backtest/probe.h"

#include <string.h>

#include "execd/paper.h"
#include "libcore/check.h"
#include "libcore/json.h"

#define JOIN_NS UINT64_C(1000000000)
#define SEEN_NS UINT64_C(60000000000)

const char *
probe_model_name(enum queue_model m)
{
	static const char *const names[QUEUE_MODEL_N] = {
	    [QUEUE_FRONT] = "front",
	    [QUEUE_BACK] = "back",
	    [QUEUE_PROB_POWER] = "prob_power",
	    [QUEUE_PROB_LOG] = "prob_log",
	};

	CHECK(m >= QUEUE_FRONT);
	CHECK(m < QUEUE_MODEL_N);
	return names[m];
}

/* ---- reading ---- */

/* A decimal, or null. */
static bool
maybe_e8(struct json *j, int64_t *out)
{
	if (json_null(j))
		return false;
	return json_e8_floor(j, QTY_E8_MAX, out);
}

static void
read_side(struct json *j, struct probe_side *s)
{
	struct json_str key;
	bool size = false;

	if (!json_object(j))
		return;
	while (json_key(j, &key)) {
		if (json_is(key, "quote"))
			s->quoted = maybe_e8(j, &s->px.e8);
		else if (json_is(key, "queue_ahead"))
			maybe_e8(j, &s->ahead.e8);
		else if (json_is(key, "min_size_at_q"))
			size = maybe_e8(j, &s->min_size.e8);
		else if (json_is(key, "min_ask_seen"))
			s->has_ask = maybe_e8(j, &s->min_ask.e8);
		else if (json_is(key, "filled"))
			json_bool(j, &s->filled);
		else
			json_skip(j);
	}
	if (!size || s->min_size.e8 > s->ahead.e8)
		s->min_size = s->ahead;
}

bool
probe_parse(const char *text, size_t n, struct probe *out)
{
	struct json_str key;
	struct json_str winner = {0};
	struct json j;
	bool sides = false;

	memset(out, 0, sizeof(*out));
	json_init(&j, text, n);
	if (!json_object(&j))
		return false;
	while (json_key(&j, &key)) {
		if (json_is(key, "shares")) {
			maybe_e8(&j, &out->shares.e8);
		} else if (json_is(key, "winner")) {
			if (!json_null(&j))
				json_string(&j, &winner);
		} else if (json_is(key, "sides")) {
			sides = json_object(&j);
			while (sides && json_key(&j, &key))
				read_side(
				    &j, &out->side[json_is(key, "UP") ? 0 : 1]);
		} else {
			json_skip(&j);
		}
	}
	out->side[0].won = json_is(winner, "UP");
	out->side[1].won = json_is(winner, "DOWN");
	return json_end(&j) && sides && out->shares.e8 > 0 &&
	       out->side[0].won != out->side[1].won;
}

/* ---- judging ---- */

bool
probe_fills(const struct probe_side *s, qty_t shares, enum queue_model m,
    bool traded, double *gone)
{
	struct tick_bbo touch = {.bid_px = PX(s->px.e8 / 2),
	    .bid_qty = shares,
	    .ask_px = s->min_ask,
	    .ask_qty = shares};
	qty_t left = QTY(s->ahead.e8 - s->min_size.e8);
	struct queue q;
	bool fills = false;

	queue_join(&q, m, s->ahead);
	if (traded && left.e8 > 0) {
		struct tick_trade t = {
		    .px = s->px, .qty = left, .side = SIDE_ASK};

		fills =
		    paper_trade(&q, SIDE_BID, s->px, shares, &t, JOIN_NS).e8 >
		    0;
	}
	queue_level(&q, s->min_size, SEEN_NS);
	*gone =
	    s->ahead.e8 > 0 ? 1 - (double)q.ahead.e8 / (double)s->ahead.e8 : 1;
	/* A bid below the ask, so that the touch is a sound one. */
	if (s->has_ask && s->min_ask.e8 > 0)
		fills = fills || paper_touched(SIDE_BID, s->px, &touch);
	return fills;
}

static void
score(struct probe_score *sc, const struct probe *p, const bool fills[2])
{
	int only = fills[0] != fills[1] ? fills[0] ? 0 : 1 : -1;

	for (unsigned i = 0; i < 2; i++) {
		const struct probe_side *s = &p->side[i];

		if (!s->quoted)
			continue;
		sc->n++;
		sc->fills += fills[i];
		sc->seen += s->filled;
		sc->both += fills[i] && s->filled;
		sc->only_us += fills[i] && !s->filled;
		sc->only_them += !fills[i] && s->filled;
		if (fills[i])
			sc->pnl_e8 += (s->won ? E8 : 0) - s->px.e8;
	}
	sc->two += fills[0] && fills[1];
	if (only >= 0) {
		sc->one_win += p->side[only].won;
		sc->one_lose += !p->side[only].won;
	}
}

static void
reliability(struct probe_table *t, const struct probe *p, enum queue_model m)
{
	for (unsigned i = 0; i < 2; i++) {
		const struct probe_side *s = &p->side[i];
		struct probe_bucket *b;
		double gone;
		double miss;
		unsigned k;

		if (!s->quoted)
			continue;
		probe_fills(s, p->shares, m, false, &gone);
		k = (unsigned)(gone * PROBE_BUCKETS);
		b = &t->bucket[m][k < PROBE_BUCKETS ? k : PROBE_BUCKETS - 1];
		b->n++;
		b->seen += s->filled;
		b->sum += gone;
		miss = gone - (s->filled ? 1 : 0);
		t->brier[m] += miss * miss;
	}
}

void
probe_add(struct probe_table *t, const struct probe *p)
{
	bool fills[2];

	for (int m = QUEUE_FRONT; m < QUEUE_MODEL_N; m++) {
		for (int traded = 0; traded < 2; traded++) {
			for (unsigned i = 0; i < 2; i++) {
				double gone;

				fills[i] = p->side[i].quoted &&
					   probe_fills(&p->side[i], p->shares,
					       (enum queue_model)m, traded != 0,
					       &gone);
			}
			score(&t->score[m][traded], p, fills);
		}
		reliability(t, p, (enum queue_model)m);
	}
	fills[0] = p->side[0].quoted && p->side[0].filled;
	fills[1] = p->side[1].quoted && p->side[1].filled;
	score(&t->recorded, p, fills);
}
