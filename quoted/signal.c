#include "quoted/signal.h"

#include <math.h>

#include "libshm/tick.h"

static double
dec(dec_t d)
{
	return (double)d.e8 / 1e8;
}

static double
seconds(dur_t d)
{
	return (double)d.ns / 1e9;
}

static void
cfg_vol(struct signal *s, const struct cfg *c)
{
	const struct lstm *keep = s->vol.lstm;

	s->vol = (struct volest_cfg){
	    .vol = {.sample_ns = (uint64_t)c->vol_sample.ns,
		.halflife_ns = (uint64_t)c->vol_ema_halflife.ns,
		.window_ns = (uint64_t)c->vol_baseline_window.ns,
		.min_n = (uint64_t)c->vol_min_samples},
	    .ewma_halflife_ns = (uint64_t)c->vol_ewma_halflife.ns,
	    .har_1m = dec(c->vol_har_1m),
	    .har_10m = dec(c->vol_har_10m),
	    .har_60m = dec(c->vol_har_60m),
	    .var_floor = vol_var_of_annual(dec(c->vol_floor)),
	    .var_cap = vol_var_of_annual(dec(c->vol_cap)),
	    .lstm = keep,
	};
	s->kind = c->vol_estimator == CFG_VOL_WINDOW
		      ? (enum vol_kind)0
		      : (enum vol_kind)c->vol_estimator;
	s->window_min = (unsigned)i64_clamp(
	    (c->fair_vol_window.ns + 60 * NS_PER_S - 1) / (60 * NS_PER_S), 1,
	    VOLEST_MINUTES);
}

void
signal_cfg(struct signal *s, const struct cfg *c)
{
	cfg_vol(s, c);
	s->fair = (struct fair_cfg){
	    .model = (enum fair_model)c->fair_model,
	    .student_df = c->fair_distribution == CFG_TAIL_STUDENT
			      ? (uint32_t)c->fair_student_df
			      : 0,
	    .sensitivity = dec(c->fair_sensitivity),
	    .spot_age_max_s = seconds(c->fair_spot_age_max),
	    .settle_age_max_s = seconds(c->fair_settle_age_max),
	    .fade_s = seconds(c->fair_fade),
	    .provisional = dec(c->fair_provisional_factor),
	    .samples_full = (double)c->fair_full_samples,
	};
	s->basis = (struct basis_cfg){
	    .halflife_ns = (uint64_t)c->basis_halflife.ns,
	    .lead_halflife_ns = (uint64_t)c->basis_lead_halflife.ns,
	    .lag_ns = (uint64_t)c->basis_lag_step.ns,
	    .gap_ns = (uint64_t)c->basis_gap.ns,
	    .outlier = dec(c->basis_outlier),
	    .min_n = (uint64_t)c->basis_min_samples,
	    .fit_min = dec(c->basis_fit_min),
	};
	s->noise = dec(c->fair_noise_bps) * 1e-4;
}

void
signal_lstm(struct signal *s, const struct lstm *m)
{
	s->vol.lstm = m;
}

static void
keep(struct signal_past *p, int64_t at_ns, double px)
{
	int64_t second = at_ns / NS_PER_S;

	if (at_ns <= 0)
		return;
	p->second[second % SIGNAL_KEPT] = second;
	p->px[second % SIGNAL_KEPT] = px;
}

/* Mean of the last price of each second in (from, to]; *seen how many. */
static double
mean(const struct signal_past *p, int64_t from_ns, int64_t to_ns, double *seen)
{
	int64_t last = to_ns / NS_PER_S;
	int64_t first =
	    i64_max(from_ns / NS_PER_S + 1, last - (int64_t)SIGNAL_KEPT + 1);
	double sum = 0.0;
	double n = 0.0;

	for (int64_t k = first; k <= last; k++) {
		if (k <= 0 || p->second[k % SIGNAL_KEPT] != k)
			continue;
		sum += p->px[k % SIGNAL_KEPT];
		n += 1.0;
	}
	*seen = n;
	return n > 0.0 ? sum / n : 0.0;
}

struct signal_ref *
signal_ref_of(struct signal *s, uint16_t instr)
{
	return instr >= INSTR_BN_BASE && instr < INSTR_N
		   ? &s->ref[instr - INSTR_BN_BASE]
		   : 0;
}

static const struct signal_ref *
ref_of(const struct signal *s, uint16_t instr)
{
	return instr >= INSTR_BN_BASE && instr < INSTR_N
		   ? &s->ref[instr - INSTR_BN_BASE]
		   : 0;
}

static const struct signal_pair *
pair_of(const struct signal *s, uint16_t settle)
{
	for (uint32_t i = 0; i < SIGNAL_PAIRS && s->pair[i].settle != 0; i++)
		if (s->pair[i].settle == settle)
			return &s->pair[i];
	return 0;
}

bool
signal_on_ref(struct signal *s, uint16_t instr, uint64_t now_ns,
    int64_t wall_ns, double mid)
{
	struct signal_ref *r = signal_ref_of(s, instr);

	if (r == 0 || !(mid > 0.0) || now_ns < r->at_ns)
		return false;
	volest_add(&r->est, &s->vol, now_ns, log(mid));
	r->at_ns = now_ns;
	r->mid = mid;
	keep(&r->past, wall_ns, mid);
	for (uint32_t i = 0; i < SIGNAL_PAIRS && s->pair[i].settle != 0; i++)
		if (s->pair[i].ref == instr)
			basis_ref(&s->pair[i].basis, now_ns, mid);
	if (fabs(mid - r->told) < s->noise * mid)
		return false;
	r->told = mid;
	return true;
}

void
signal_link(struct signal *s, const struct instr *in)
{
	struct signal_pair *p = 0;

	if (in->settle_index == 0 || in->underlying == 0)
		return;
	for (uint32_t i = 0; i < SIGNAL_PAIRS && p == 0; i++)
		if (s->pair[i].settle == in->settle_index ||
		    s->pair[i].settle == 0)
			p = &s->pair[i];
	if (p == 0)
		return;
	if (p->settle != 0 && p->ref != in->underlying)
		basis_init(&p->basis);
	p->settle = in->settle_index;
	p->ref = in->underlying;
	p->source = in->settle_source == REF_TWAP ? (uint32_t)REF_SPOT
						  : in->settle_source;
}

void
signal_on_settle(struct signal *s, const struct signal_settle *t)
{
	for (uint32_t i = 0; i < SIGNAL_PAIRS && s->pair[i].settle != 0; i++) {
		struct signal_pair *p = &s->pair[i];

		if (p->settle != t->instr || p->source != t->source ||
		    !(t->px > 0.0))
			continue;
		p->at_ns = t->now_ns;
		keep(&p->past, t->venue_ns, t->px);
		basis_settle(&p->basis, &s->basis, t->now_ns, t->px);
	}
}

bool
signal_vol(const struct signal *s, uint16_t instr, double *var)
{
	const struct signal_ref *r = ref_of(s, instr);

	if (r == 0)
		return false;
	if (s->kind == 0)
		return volest_recent(&r->est, &s->vol, s->window_min, var);
	return volest_get(&r->est, &s->vol, s->kind, var);
}

/* Mean of the reference over its lead, from the ticks the basis keeps. */
static double
lead_px(const struct basis *b, uint64_t now_ns, double lead_s)
{
	uint64_t from = now_ns - (uint64_t)(lead_s * 1e9);
	double sum = 0.0;
	uint32_t n = 0;

	while (n < b->ref_n && n < 64u) {
		uint32_t k = (b->ref_at + BASIS_REFS - n) % BASIS_REFS;

		if (b->ref_ns[k] < from)
			break;
		sum += b->ref[k];
		n++;
	}
	return n > 0 ? exp(sum / n) : 0.0;
}

static void
settled(const struct signal *s, const struct signal_in *in, struct fair_in *f)
{
	const struct signal_pair *p = pair_of(s, in->in->settle_index);
	struct basis_out b;

	if (p == 0 || in->in->settle_index == 0)
		return;
	f->settle_age_s = (double)(in->now_ns - p->at_ns) / 1e9;
	if (p->ref == in->in->underlying &&
	    basis_get(&p->basis, &s->basis, &b)) {
		f->basis = b.basis;
		f->noise = fmax(f->noise, b.noise);
		f->lead_s = b.lead_s;
		if (b.lead_s > 0.0)
			f->lead_px = lead_px(&p->basis, in->now_ns, b.lead_s);
	}
	f->seen_px = mean(&p->past,
	    in->in->end_wall_ns - in->in->settle_lookback_s * NS_PER_S,
	    in->venue_ns, &f->seen_s);
}

void
signal_fair(const struct signal *s, const struct signal_in *in,
    struct fair_out *out, double *var)
{
	const struct instr *m = in->in;
	const struct signal_ref *r = ref_of(s, m->underlying);
	struct fair_cfg c = s->fair;
	struct fair_in f = {
	    .strike = (double)m->strike_px.e8 / 1e8,
	    .noise = s->noise,
	    .var_s = -1.0,
	    .left_s = (double)(m->end_wall_ns - in->venue_ns) / 1e9,
	    .lookback_s = (double)m->settle_lookback_s,
	    .tie_yes = m->tie_yes != 0,
	    .provisional = m->strike_source != STRIKE_OFFICIAL,
	};
	double v;

	if (m->settle_lookback_s == 0)
		c.model = FAIR_GBM;
	if (m->strike_px.e8 == 0)
		f.strike = in->est_strike;
	*var = 0.0;
	if (r != 0 && r->at_ns != 0) {
		f.spot = r->mid;
		f.spot_age_s = (double)(in->now_ns - r->at_ns) / 1e9;
		f.samples = (double)volest_n(&r->est);
		if (signal_vol(s, m->underlying, &v)) {
			f.var_s = v;
			*var = v;
		}
	}
	settled(s, in, &f);
	fair_value(&f, &c, out);
}

double
signal_strike(const struct signal *s, const struct instr *in)
{
	const struct signal_ref *r = ref_of(s, in->underlying);
	const struct signal_pair *p = pair_of(s, in->settle_index);
	int64_t span_s = i64_max(1, in->settle_lookback_s);
	struct basis_out b;
	double seen;
	double px;

	if (r == 0 || in->start_wall_ns <= 0 || in->strike_px.e8 != 0)
		return 0.0;
	px = mean(&r->past, in->start_wall_ns - span_s * NS_PER_S,
	    in->start_wall_ns, &seen);
	if (2.0 * seen < (double)i64_min(span_s, SIGNAL_KEPT))
		return 0.0;
	if (p != 0 && p->ref == in->underlying &&
	    basis_get(&p->basis, &s->basis, &b))
		px *= exp(-b.basis);
	return px;
}
