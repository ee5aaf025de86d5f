#include "riskd/riskkept.h"

#include <string.h>

#include "libcore/check.h"
#include "riskd/risk_int.h"

bool
risk_kept_sane(const struct risk_kept *k)
{
	const struct position *p = &k->pos;
	int64_t q = p->qty.e8;

	return k->symbol[0] != '\0' && k->symbol[RISK_SYMBOL - 1] == '\0' &&
	       k->venue > 0 && k->venue < VENUE_N && k->cls < CLASS_N &&
	       k->mark.e8 >= 0 && k->mark.e8 <= PX_E8_MAX && q <= QTY_E8_MAX &&
	       q >= -QTY_E8_MAX && (q != 0 || p->cost_e16 == 0) &&
	       (q <= 0 || p->cost_e16 >= 0) && (q >= 0 || p->cost_e16 <= 0) &&
	       (q == 0 || p->cost_e16 / q <= PX_E8_MAX) &&
	       k->edge.qty.e8 <= QTY_E8_MAX && k->edge.qty.e8 >= -QTY_E8_MAX &&
	       (k->edge.qty.e8 != 0 || k->edge.cost_e16 == 0) &&
	       k->phase < PHASE_N;
}

static struct risk_kept
kept_of(const struct risk *r, uint16_t i)
{
	const struct risk_instr *in = &r->instr[i];
	struct risk_kept k;

	memset(&k, 0, sizeof(k));
	memcpy(k.symbol, in->symbol, sizeof(k.symbol));
	k.pos = in->pos;
	k.edge = r->watch[i].edge;
	k.opened_wall_ns = r->watch[i].opened_wall_ns;
	k.since_wall_ns = r->watch[i].since_wall_ns;
	k.phase = r->watch[i].phase;
	k.why = r->watch[i].why;
	k.mark = in->mark;
	k.end_wall_ns = in->end_wall_ns;
	k.venue = (uint8_t)instr_venue(i);
	k.cls = in->cls;
	return k;
}

/* Entries with a position, or those without one. */
static uint32_t
take(const struct risk *r, struct risk_image *img, bool open)
{
	uint32_t left_out = 0;

	for (uint32_t h = 0; h < r->held_n + r->kept_n; h++) {
		struct risk_kept k = h < r->held_n ? kept_of(r, r->held[h])
						   : r->kept[h - r->held_n];

		if ((k.pos.qty.e8 != 0) != open || !risk_has_book(&k.pos))
			continue;
		/* What has no name cannot be found again. */
		if (img->n == RISK_KEPT || k.symbol[0] == '\0')
			left_out++;
		else
			img->kept[img->n++] = k;
	}
	return left_out;
}

uint32_t
risk_image_take(const struct risk *r, struct risk_image *img)
{
	uint32_t left_out;

	CHECK(r->kept_n <= RISK_KEPT);
	CHECK(r->held_n <= INSTR_N);
	img->loss = r->loss;
	img->edge = r->edge;
	memcpy(img->latched, r->latched, sizeof(img->latched));
	img->ratio = r->ratio;
	img->own_n = r->own_n;
	img->reduce = r->reduce;
	img->n = 0;
	left_out = take(r, img, true);
	return left_out + take(r, img, false);
}

bool
risk_image_load(struct risk *r, const struct risk_image *img)
{
	CHECK(r->kept_n == 0);
	CHECK(r->held_n == 0);
	if (img->n > RISK_KEPT)
		return false;
	for (uint64_t k = 0; k < img->n; k++)
		if (!risk_kept_sane(&img->kept[k]))
			return false;
	if (img->ratio.level >= RATIO_LEVEL_N || img->ratio.part < 0)
		return false;
	r->loss = img->loss;
	r->edge = img->edge;
	memcpy(r->latched, img->latched, sizeof(r->latched));
	r->ratio = img->ratio;
	r->own_n = img->own_n;
	r->reduce = img->reduce != 0;
	for (uint64_t k = 0; k < img->n; k++) {
		struct risk_kept *to = &r->kept[r->kept_n];

		if (img->kept[k].pos.qty.e8 == 0 && img->kept[k].starts > 0)
			continue;
		*to = img->kept[k];
		to->starts = (uint8_t)(to->starts < UINT8_MAX ? to->starts + 1
							      : UINT8_MAX);
		r->kept_n++;
	}
	risk_kept_total(r);
	return true;
}

static bool
is_binary(const struct risk_kept *k)
{
	return k->cls == CLASS_BINARY || k->cls == CLASS_UPDOWN;
}

static int64_t
worst_of(const struct risk *r, const struct risk_kept *k)
{
	i128_t worst = 0;
	px_t end[3];

	risk_outcomes(r, is_binary(k), &k->pos, k->mark, end);
	for (int e = 0; e < 3; e++) {
		i128_t gain = position_at(&k->pos, end[e]);

		if (e == 0 || gain < worst)
			worst = gain;
	}
	return e16_to_usd(worst).e6;
}

void
risk_kept_total(struct risk *r)
{
	usd_t unrealised = USD(0);
	usd_t exposure = USD(0);
	usd_t worst = USD(0);

	CHECK(r->kept_n <= RISK_KEPT);
	for (uint32_t n = 0; n < r->kept_n; n++) {
		const struct risk_kept *k = &r->kept[n];

		unrealised.e6 += position_unrealised(&k->pos, k->mark).e6;
		exposure.e6 +=
		    position_value(is_binary(k), k->pos.qty.e8, k->mark).e6;
		worst.e6 += worst_of(r, k);
	}
	r->unrealised.e6 += unrealised.e6 - r->kept_unrealised.e6;
	r->exposure.e6 += exposure.e6 - r->kept_exposure.e6;
	r->worst.e6 += worst.e6 - r->kept_worst.e6;
	r->kept_unrealised = unrealised;
	r->kept_exposure = exposure;
	r->kept_worst = worst;
}

static void
drop(struct risk *r, uint32_t n)
{
	CHECK(n < r->kept_n);
	r->kept_n--;
	r->kept[n] = r->kept[r->kept_n];
	memset(&r->kept[r->kept_n], 0, sizeof(r->kept[0]));
	risk_dirty(r, RISK_REC_KEPT + n);
	risk_dirty(r, 0);
	risk_kept_total(r);
}

/*
 * One position into another of the same instrument, to the last unit: at its
 * average price, and what that rounds off after it. Mostly `to` is flat.
 */
static i128_t
merge(struct position *to, const struct position *p)
{
	int64_t q = p->qty.e8;
	px_t avg = position_avg(p);
	i128_t rest = p->cost_e16 - e16_product(avg, p->qty);
	i128_t gain;

	to->realised_e16 += p->realised_e16;
	to->fees.e6 += p->fees.e6;
	if (q == 0)
		return 0;
	gain = position_fill(
	    to, q > 0 ? SIDE_BID : SIDE_ASK, avg, QTY(q > 0 ? q : -q));
	if (to->qty.e8 != 0 && (to->qty.e8 > 0) == (q > 0)) {
		to->cost_e16 += rest;
		return gain;
	}
	to->realised_e16 -= rest;
	return gain - rest;
}

/* What was known of the position goes on; what is known already stays. */
static void
take_watch(struct risk_watch *w, const struct risk_kept *k)
{
	if (w->opened_wall_ns == 0)
		w->opened_wall_ns = k->opened_wall_ns;
	if (w->phase >= k->phase)
		return;
	w->phase = k->phase;
	w->why = k->why;
	w->since_wall_ns = k->since_wall_ns;
}

void
risk_kept_place(struct risk *r, uint16_t i, const struct instr *in)
{
	struct risk_instr *m = &r->instr[i];
	uint8_t v = (uint8_t)instr_venue(i);

	for (uint32_t n = 0; n < r->kept_n; n++) {
		const struct risk_kept *k = &r->kept[n];
		int64_t sum = m->pos.qty.e8 + k->pos.qty.e8;

		if (k->venue != v || sum > QTY_E8_MAX || sum < -QTY_E8_MAX ||
		    memcmp(k->symbol, in->symbol, sizeof(k->symbol)) != 0)
			continue;
		loss_book(&r->loss, merge(&m->pos, &k->pos), USD(0));
		loss_book(&r->edge, merge(&r->watch[i].edge, &k->edge), USD(0));
		take_watch(&r->watch[i], k);
		if (m->mark.e8 == 0)
			m->mark = k->mark;
		risk_held(r, i);
		risk_dirty(r, RISK_REC_INSTR + i);
		risk_dirty(r, RISK_REC_WATCH + i);
		drop(r, n);
		r->list_idx = 1; /* quoted hears of it */
		return;
	}
}

/* Another slot that holds the market of this one, 0 none. */
static uint16_t
twin(const struct risk *r, uint16_t i)
{
	const struct risk_instr *m = &r->instr[i];

	for (uint16_t k = 1; k < INSTR_N; k++)
		if (k != i && r->instr[k].symbol_hash == m->symbol_hash &&
		    instr_venue(k) == instr_venue(i) &&
		    memcmp(r->instr[k].symbol, m->symbol, RISK_SYMBOL) == 0)
			return k;
	return 0;
}

/* No room: nobody would remember it. The worst is booked, and trading goes
 * down to what reduces until a person has looked. */
static void
give_up(struct risk *r, uint16_t i)
{
	struct risk_instr *m = &r->instr[i];
	int64_t q = m->pos.qty.e8;
	px_t end[3];

	risk_outcomes(r, risk_is_binary(m), &m->pos, m->mark, end);
	loss_book(&r->loss,
	    position_fill(&m->pos, q > 0 ? SIDE_ASK : SIDE_BID,
		q > 0 ? end[0] : end[2], QTY(q > 0 ? q : -q)),
	    USD(0));
	risk_edge_settle(r, i, q > 0 ? end[0] : end[2]);
	r->reduce = true;
}

void
risk_kept_move(struct risk *r, uint16_t i)
{
	struct risk_instr *m = &r->instr[i];
	uint16_t to = twin(r, i);

	if (to != 0 && m->pos.qty.e8 != 0) {
		struct risk_kept k = kept_of(r, i);

		loss_book(&r->loss, merge(&r->instr[to].pos, &m->pos), USD(0));
		loss_book(&r->edge, merge(&r->watch[to].edge, &k.edge), USD(0));
		take_watch(&r->watch[to], &k);
		risk_dirty(r, RISK_REC_WATCH + to);
		risk_held(r, to);
		risk_settle(r, to);
		risk_dirty(r, RISK_REC_INSTR + to);
		risk_refresh(r, to);
		r->list_idx = 1;
	} else if (m->pos.qty.e8 != 0 && r->kept_n < RISK_KEPT) {
		r->kept[r->kept_n++] = kept_of(r, i);
		risk_dirty(r, RISK_REC_KEPT + r->kept_n - 1);
		risk_kept_total(r);
		r->stat.awaiting++;
	} else if (m->pos.qty.e8 != 0) {
		give_up(r, i);
	}
	memset(&m->pos, 0, sizeof(m->pos));
	memset(&r->watch[i], 0, sizeof(r->watch[i]));
	risk_markout_drop(r, i);
	m->final_long = m->final_short = QTY(0);
	m->mark = PX(0);
	m->outcome = 0;
	risk_dirty(r, RISK_REC_INSTR + i);
	risk_dirty(r, RISK_REC_WATCH + i);
	risk_dirty(r, 0);
}
