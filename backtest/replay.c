#include "backtest/replay.h"

#include <stdlib.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "quoted/trace.h"

const char *
replay_what_name(enum replay_what w)
{
	static const char *const names[REPLAY_WHAT_N] = {
	    [REPLAY_EQUAL] = "equal",
	    [REPLAY_DIFFERS] = "a message differs",
	    [REPLAY_MISSING] = "a recorded message was not put out",
	    [REPLAY_SURPLUS] = "a message was put out that is not recorded",
	    [REPLAY_STATE] = "the state differs",
	    [REPLAY_NO_INPUT] = "an input is not in the recording",
	    [REPLAY_GAP] = "the recording has a hole",
	};

	CHECK(w < REPLAY_WHAT_N);
	return names[w];
}

bool
replay_whole(const struct replay *r)
{
	return r->quoted.live && r->riskd.live && !r->quoted.off &&
	       !r->riskd.off;
}

struct replay *
replay_new(struct catalog *c)
{
	struct replay *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return NULL;
	r->cat = c;
	r->quoted.id = ST_QUOTED;
	r->riskd.id = ST_RISKD;
	r->quote = calloc(1, sizeof(*r->quote));
	r->risk = calloc(1, sizeof(*r->risk));
	r->quoted.wait = calloc(REPLAY_WAIT, sizeof(struct order));
	r->riskd.wait = calloc(REPLAY_WAIT, sizeof(struct order));
	if (r->quote != NULL && r->risk != NULL && r->quoted.wait != NULL &&
	    r->riskd.wait != NULL)
		return r;
	replay_free(r);
	return NULL;
}

void
replay_free(struct replay *r)
{
	free(r->quote);
	free(r->risk);
	free(r->quoted.wait);
	free(r->riskd.wait);
	free(r);
}

static bool
differ(struct replay *r, const struct replay_stage *s, const struct tap_step *t,
    enum replay_what what)
{
	r->diff.what = what;
	r->diff.stage = s->id;
	r->diff.step = s->steps;
	r->diff.input = *t;
	r->diff.now_ns = t->trace.u.trace.now_ns;
	r->diff.wall_ns = t->trace.hdr.venue_ns;
	return false;
}

/* ---- messages ---- */

static bool
recorded(struct replay *r, struct replay_stage *s, const struct order *o)
{
	static const struct tap_step none;

	if (s->off || !s->live)
		return true;
	if (s->wait_n == REPLAY_WAIT)
		return differ(r, s, &none, REPLAY_MISSING);
	s->wait[(s->wait_at + s->wait_n++) % REPLAY_WAIT] = *o;
	return true;
}

/* A report for two readers was recorded once. */
static bool
is_twin(const struct core_out *out, uint32_t i)
{
	const struct order *o = &out->msg[i].order;
	const struct order *p;

	if (i == 0)
		return false;
	p = &out->msg[i - 1].order;
	return o->id == p->id && o->hdr.kind == p->hdr.kind &&
	       o->fill_id == p->fill_id &&
	       out->msg[i].ring != out->msg[i - 1].ring;
}

/* The next recorded message must be this one. */
static bool
is_next(struct replay *r, struct replay_stage *s, const struct order *o,
    const struct tap_step *t)
{
	struct order got = *o;
	struct order want;

	got.hdr.pub_delta =
	    slot_delta(got.hdr.recv_ns, t->trace.u.trace.now_ns);
	r->diff.got = got;
	if (s->wait_n == 0)
		return differ(r, s, t, REPLAY_SURPLUS);
	want = s->wait[s->wait_at++ % REPLAY_WAIT];
	s->wait_n--;
	got.hdr.seq = want.hdr.seq;
	s->messages++;
	r->diff.got = got;
	r->diff.want = want;
	return memcmp(&got, &want, sizeof(got)) == 0 ||
	       differ(r, s, t, REPLAY_DIFFERS);
}

/* What a call put out against what was recorded before its trace: messages,
 * then what quoted tells the recorder alone. */
static bool
compare(struct replay *r, struct replay_stage *s, const struct core_out *out,
    const struct tap_step *t)
{
	uint32_t tap_n = s->id == ST_QUOTED ? r->quote_out.tap_n : 0;

	for (uint32_t i = 0; i < out->n; i++)
		if (!is_twin(out, i) && !is_next(r, s, &out->msg[i].order, t))
			return false;
	for (uint32_t i = 0; i < tap_n; i++) {
		union tap slot;

		memset(&slot, 0, sizeof(slot));
		slot.tick = r->quote_out.tap[i];
		if (!is_next(r, s, &slot.order, t))
			return false;
	}
	if (s->wait_n > 0) {
		r->diff.want = s->wait[s->wait_at % REPLAY_WAIT];
		return differ(r, s, t, REPLAY_MISSING);
	}
	return true;
}

/* ---- inputs ---- */

static bool
has_entry(const struct replay_stage *s, uint64_t hash)
{
	return hash_bytes(HASH_SEED, &s->entry, sizeof(s->entry)) == hash;
}

static void
take_piece(struct replay_stage *s, const struct tap_step *t)
{
	size_t at = t->trace.u.trace.ring_seq * sizeof(t->in);

	if (t->trace.u.trace.ring_seq > sizeof(s->entry) / sizeof(t->in))
		return;
	if (at < sizeof(s->entry))
		memcpy((char *)&s->entry + at, &t->in,
		    sizeof(s->entry) - at < sizeof(t->in)
			? sizeof(s->entry) - at
			: sizeof(t->in));
}

/* The event of a step; the slot goes to *slot. */
static bool
input(struct replay *r, struct replay_stage *s, const struct tap_step *t,
    struct event *ev, union tap *slot)
{
	const struct tick_trace *x = &t->trace.u.trace;
	uint64_t head[8];

	*ev = (struct event){.now_ns = x->now_ns,
	    .wall_ns = t->trace.hdr.venue_ns,
	    .ring = x->ring,
	    .slot = slot,
	    .redelivered = (t->trace.hdr.flags & SLOT_REPLAY) != 0};
	memset(slot, 0, sizeof(*slot));
	if (x->ring == TRACE_TIMER || x->ring == TRACE_STOP) {
		ev->kind = x->ring == TRACE_TIMER ? EV_TIMER : EV_STOP;
		return true;
	}
	if (x->ring == TRACE_CFG) {
		ev->kind = EV_CFG;
		ev->cfg = catalog_cfg(r->cat, x->ring_seq);
		s->cfg_epoch = x->ring_seq;
		return ev->cfg != NULL;
	}
	ev->kind = EV_SLOT;
	if (x->ring >= RG_N || topo_rings[x->ring].reader != s->id)
		return false;
	if (slot_is_tick(t->in.hdr.kind)) {
		slot->tick = t->in.tick;
		if (t->in.hdr.kind != TICK_INSTR || x->state_hash == 0)
			return true;
		ev->instr = &s->entry;
		return has_entry(s, x->state_hash);
	}
	memcpy(head, &t->in, sizeof(head));
	/* Nobody records the first slot of a life; it is all head. */
	if (t->in.hdr.kind == MSG_RESTART) {
		memcpy(slot, head, sizeof(head));
		return true;
	}
	return catalog_find(r->cat, head, &slot->order);
}

/* What found no room while the call's messages went out. */
static void
apply_lost(struct replay *r, struct replay_stage *s, uint64_t now_ns)
{
	for (uint32_t i = 0; i < s->lost_n; i++) {
		if (s->id == ST_QUOTED)
			quote_lost(r->quote, &s->lost[i], now_ns);
		else
			risk_lost(r->risk, &s->lost[i]);
	}
	r->risk->dirty_n = 0;
	s->lost_n = 0;
}

static bool
step(struct replay *r, struct replay_stage *s, const struct tap_step *t)
{
	const struct core_out *out = &r->out;
	struct event ev;
	union tap slot;
	bool seen = false;

	s->steps++;
	if (!input(r, s, t, &ev, &slot))
		return differ(r, s, t, REPLAY_NO_INPUT);
	if (ev.kind == EV_SLOT) {
		uint64_t seq = t->trace.u.trace.ring_seq;

		/* riskd's store says what it has handled (outbox.h). */
		slot.hdr.seq = seq;
		seen = s->id == ST_RISKD && seq <= s->cursor[ev.ring];
		s->cursor[ev.ring] = seen ? s->cursor[ev.ring] : seq;
	}
	core_out_reset(&r->out);
	if (s->id == ST_QUOTED) {
		quote_step(r->quote, &ev, &r->quote_out);
		out = &r->quote_out.core;
	} else if (!seen) {
		risk_step(r->risk, &ev, &r->out);
		r->risk->dirty_n = 0;
	}
	if (!compare(r, s, out, t))
		return false;
	apply_lost(r, s, ev.now_ns);
	if (r->first_ns == 0)
		r->first_ns = ev.wall_ns;
	r->last_ns = ev.wall_ns;
	return true;
}

static bool
same_hash(struct replay *r, struct replay_stage *s, const struct tap_step *t,
    uint64_t want)
{
	uint64_t got =
	    s->id == ST_QUOTED ? quote_hash(r->quote) : risk_hash(r->risk);

	s->hashes++;
	r->diff.want_hash = want;
	r->diff.got_hash = got;
	return got == want || differ(r, s, t, REPLAY_STATE);
}

/* ---- what riskd was given outside its steps ---- */

/* The next life begins with what the former one had committed. */
static bool
carry_over(struct replay *r, const struct cfg *cfg, uint64_t hash)
{
	struct risk *next = calloc(1, sizeof(*next));
	uint8_t rec[RISK_REC_SZ];
	bool ok = true;

	CHECK(next != NULL);
	risk_init(next, cfg, r->riskd.epoch);
	for (uint32_t i = 0; i < RISK_REC_N && ok; i++) {
		risk_save(r->risk, i, rec);
		ok = risk_load(next, i, rec);
	}
	if (ok)
		risk_loaded(next);
	if (ok && risk_hash(next) == hash) {
		free(r->risk);
		r->risk = next;
		return true;
	}
	free(next);
	return false;
}

static bool
begin_risk(struct replay *r, const struct tap_step *t)
{
	struct replay_stage *s = &r->riskd;
	const struct cfg *cfg = catalog_cfg(r->cat, s->cfg_epoch);
	struct risk_trace_begin b;

	memcpy(&b, &t->in, sizeof(b));
	if (cfg == NULL)
		return differ(r, s, t, REPLAY_NO_INPUT);
	s->live = true;
	if (b.begun == RISK_BEGUN_FRESH) {
		free(r->risk);
		r->risk = calloc(1, sizeof(*r->risk));
		CHECK(r->risk != NULL);
		risk_init(r->risk, cfg, s->epoch);
		return same_hash(r, s, t, b.hash);
	}
	/* A state that is in no trace: nothing to compare from here on. */
	s->off = b.begun != RISK_BEGUN_STORE || s->lives < 2 ||
		 !carry_over(r, cfg, b.hash);
	return true;
}

static bool
given_instr(struct replay *r, const struct tap_step *t)
{
	struct risk_trace_instr x;

	memcpy(&x, &t->in, sizeof(x));
	if (x.idx >= INSTR_N || !has_entry(&r->riskd, x.hash))
		return differ(r, &r->riskd, t, REPLAY_NO_INPUT);
	risk_instr_set(r->risk, (uint16_t)x.idx, &r->riskd.entry);
	r->risk->dirty_n = 0;
	return true;
}

/* An order with what a lost message was known by. */
static bool
given_lost(struct replay *r, struct replay_stage *s, const struct tap_step *t)
{
	struct risk_trace_lost x;
	struct order *o;

	_Static_assert(sizeof(struct quote_trace_lost) == sizeof(x), "same");
	if (s->lost_n == REPLAY_LOST)
		return differ(r, s, t, REPLAY_NO_INPUT);
	memcpy(&x, &t->in, sizeof(x));
	o = &s->lost[s->lost_n++];
	memset(o, 0, sizeof(*o));
	o->id = x.id;
	o->hdr.instr = x.instr;
	o->side = x.side;
	o->level = x.level;
	return x.instr < INSTR_N || differ(r, s, t, REPLAY_NO_INPUT);
}

static bool
own_risk(struct replay *r, const struct tap_step *t)
{
	struct replay_stage *s = &r->riskd;
	uint64_t now_ns = t->trace.u.trace.now_ns;
	struct risk_world w;

	core_out_reset(&r->out);
	switch ((enum risk_trace)(t->trace.u.trace.ring - TRACE_OWN)) {
	case RISK_TRACE_BEGIN: return begin_risk(r, t);
	case RISK_TRACE_INSTR: return given_instr(r, t);
	case RISK_TRACE_LOST: return given_lost(r, s, t);
	case RISK_TRACE_TRIPPED:
		if (t->in.raw[0] >= 1 && t->in.raw[0] < VENUE_N)
			risk_tripped(r->risk, (enum venue)t->in.raw[0]);
		break;
	case RISK_TRACE_WORLD:
		memcpy(&w, &t->in, sizeof(w));
		risk_world_set(r->risk, &w, now_ns, &r->out);
		break;
	case RISK_TRACE_THAW: risk_thaw(r->risk, now_ns, &r->out); break;
	case RISK_TRACE_RELIST: risk_relist(r->risk); break;
	case RISK_TRACE_N: break;
	}
	r->risk->dirty_n = 0;
	if (!compare(r, s, &r->out, t))
		return false;
	apply_lost(r, s, now_ns);
	return true;
}

/* ---- the recording ---- */

static bool
begin_life(struct replay *r, struct replay_stage *s, const struct tick *t)
{
	static struct tap_step at;
	const struct cfg *cfg = catalog_cfg(r->cat, s->cfg_epoch);

	at.trace = *t;
	s->lives++;
	s->epoch = t->u.restart.epoch;
	s->lost_n = 0;
	/* Put out, but killed before the trace of it was written. */
	s->wait_n = 0;
	if (s->id != ST_QUOTED)
		return true;
	if (cfg == NULL)
		return differ(r, s, &at, REPLAY_NO_INPUT);
	s->live = true;
	/* Fresh memory: most of it is never touched. */
	free(r->quote);
	r->quote = calloc(1, sizeof(*r->quote));
	CHECK(r->quote != NULL);
	quote_init(r->quote, cfg, s->epoch);
	return true;
}

static bool
trace(struct replay *r, struct replay_stage *s, const struct tap_step *t)
{
	uint16_t ring = t->trace.u.trace.ring;

	if (s->id == ST_RISKD && ring == TRACE_OWN + RISK_TRACE_BEGIN)
		return own_risk(r, t);
	if (s->off || !s->live)
		return true;
	if (ring == TRACE_HASH)
		return same_hash(r, s, t, t->trace.u.trace.state_hash);
	if (ring == TRACE_ENTRY) {
		take_piece(s, t);
		return true;
	}
	if (ring < TRACE_OWN || ring > TRACE_HASH)
		return step(r, s, t);
	if (s->id == ST_RISKD)
		return own_risk(r, t);
	if (ring == TRACE_OWN + QUOTE_TRACE_LOST)
		return given_lost(r, s, t);
	return differ(r, s, t, REPLAY_NO_INPUT);
}

static struct replay_stage *
stage_of(struct replay *r, uint8_t source)
{
	return source == ST_QUOTED  ? &r->quoted
	       : source == ST_RISKD ? &r->riskd
				    : NULL;
}

bool
replay_see(struct replay *r, const struct reader_event *ev)
{
	struct replay_stage *s = stage_of(r, ev->source);
	static const struct tap_step none;
	uint8_t kind;

	r->events++;
	if (ev->kind == READER_GAP && s != NULL && s->live && !s->off) {
		r->diff.lost_n = ev->gap.lost_n;
		return differ(r, s, &none, REPLAY_GAP);
	}
	if (ev->kind != READER_SLOT)
		return true;
	kind = ev->slot->hdr.kind;
	if (slot_is_order(kind))
		catalog_sent(r->cat, &ev->slot->order);
	if (s == NULL)
		return true;
	if (slot_is_order(kind) || kind == TAP_SIGNAL)
		return recorded(r, s, &ev->slot->order);
	if (kind == TICK_RESTART)
		return begin_life(r, s, &ev->slot->tick);
	return kind != TICK_TRACE || trace(r, s, &ev->slot->step);
}

bool
replay_end(struct replay *r)
{
	struct replay_stage *all[] = {&r->quoted, &r->riskd};
	static const struct tap_step none;

	for (unsigned i = 0; i < 2; i++) {
		/* A stage that was killed put out what it never traced. */
		if (all[i]->off || all[i]->wait_n == 0 || all[i]->hashes == 0)
			continue;
		r->diff.want = all[i]->wait[all[i]->wait_at % REPLAY_WAIT];
		return differ(r, all[i], &none, REPLAY_MISSING);
	}
	return true;
}
