#include "shmtop/json_io.h"

#include <jansson.h>
#include <string.h>

#include "shmtop/decode.h"
#include "shmtop/text.h"

/* libcore has functions named json_object and json_array; see module.mk. */
#define NEW_OBJECT() json_pack("{}")
#define NEW_ARRAY()  json_pack("[]")

/* -1: never. What came after the look began is new, not 584 years old. */
static double
age_ms(uint64_t now_ns, uint64_t then_ns)
{
	if (then_ns == 0)
		return -1.0;
	return now_ns > then_ns ? (double)(now_ns - then_ns) / 1e6 : 0.0;
}

static json_t *
quantiles(const uint64_t q[3])
{
	return json_pack("{s:I,s:I,s:I}", "p50", (json_int_t)q[0], "p99",
	    (json_int_t)q[1], "max", (json_int_t)q[2]);
}

static json_t *
stages(const struct snap *s)
{
	json_t *list = NEW_ARRAY();

	for (int i = 0; i < ST_N; i++) {
		const struct snap_stage *g = &s->stage[i];

		json_array_append_new(list,
		    json_pack(
			"{s:s,s:s,s:b,s:b,s:I,s:f,s:f,s:I,s:I,s:I,s:f,s:f,"
			"s:f,s:I,s:I,s:I,s:I,s:o,s:o}",
			"stage", topo_stages[i].name, "state",
			stage_state_name((enum stage_state)g->state), "alive",
			g->alive, "stale", g->stale, "pid", (json_int_t)g->pid,
			"up_s", (double)g->up_ns / 1e9, "heartbeat_ms",
			(double)g->beat_ns / 1e6, "epoch", (json_int_t)g->epoch,
			"restarts", (json_int_t)g->restarts, "last_exit",
			(json_int_t)g->last_exit, "cpu_frac", g->cpu_frac,
			"busy_frac", g->busy_frac, "steps_per_s", g->step_rate,
			"rss_kib", (json_int_t)g->rss_kib, "preempted",
			(json_int_t)g->preempted, "in_dropped",
			(json_int_t)g->in_dropped, "down_us",
			(json_int_t)(g->down_ns / 1000), "hop_ns",
			quantiles(g->hop_ns), "step_ns",
			quantiles(g->step_ns)));
	}
	return list;
}

static json_t *
rings(const struct snap *s)
{
	json_t *list = NEW_ARRAY();

	for (int i = 0; i < RG_N; i++) {
		const struct snap_ring *r = &s->ring[i];

		if (!r->ok)
			continue;
		json_array_append_new(list,
		    json_pack("{s:s,s:I,s:I,s:I,s:f,s:f,s:f,s:I,s:I,s:I,s:b,"
			      "s:b,s:I,s:I}",
			"ring", topo_rings[i].name, "published",
			(json_int_t)r->st.published, "committed",
			(json_int_t)r->st.committed, "depth",
			(json_int_t)r->st.depth, "in_per_s", r->rate_in,
			"out_per_s", r->rate_out, "high_frac", r->high, "full",
			(json_int_t)r->st.full_n, "dropped",
			(json_int_t)r->st.dropped, "redelivered",
			(json_int_t)r->st.redelivered, "writer_held",
			r->st.prod_held, "reader_held", r->st.cons_held,
			"writer_lives", (json_int_t)r->st.prod_epoch,
			"reader_lives", (json_int_t)r->st.cons_epoch));
	}
	return list;
}

static json_t *
reasons(const struct snap_feed *f)
{
	json_t *o = NEW_OBJECT();

	for (int id = 1; id < REASON_N; id++)
		if (f->reason[id] != 0)
			json_object_set_new(o, reason_name((enum reason)id),
			    json_pack("I", (json_int_t)f->reason[id]));
	return o;
}

static json_t *
links(const struct snap *s)
{
	json_t *list = NEW_ARRAY();

	for (int v = VENUE_POLYMARKET; v < VENUE_N; v++) {
		const struct snap_feed *f = &s->feed[v];

		json_array_append_new(list,
		    json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:f,s:f,s:I,s:I,"
			      "s:I,s:I,s:I,s:I,s:o,s:o}",
			"venue", venue_name((enum venue)v), "state",
			f->link ? link_state_name((uint8_t)f->link) : "none",
			"rtt_us", (json_int_t)f->rtt_us, "rtt_ema_us",
			(json_int_t)f->ema_us, "kill_ms",
			(json_int_t)f->kill_ms, "age_us", (json_int_t)f->age_us,
			"quiet_ms", (json_int_t)f->quiet_ms, "frames_per_s",
			f->frame_rate, "ticks_per_s", f->tick_rate,
			"instruments", (json_int_t)f->instruments, "gaps",
			(json_int_t)f->gaps, "reconnects",
			(json_int_t)f->reconnects, "malformed",
			(json_int_t)f->malformed, "hash_ok",
			(json_int_t)f->hash_ok, "hash_bad",
			(json_int_t)f->hash_bad, "decode_ns",
			quantiles(f->decode_ns), "reasons", reasons(f)));
	}
	return list;
}

/* Instants become ages in ms, -1 never; the others keep their unit. */
static void
link_field(json_t *o, const struct snap *s, const struct snap_link *l, int f)
{
	static const struct {
		const char *label;
		const char *unit;
	} def[LF_N] = {
#define LINK_FIELD(name, label, unit, doc) {#label, unit},
#include "libshm/links.def"
#undef LINK_FIELD
	};
	const char *unit = def[f].unit;
	int64_t v = l->field[f];
	char key[48];

	if (strcmp(unit, "ns") == 0) {
		snprintf(key, sizeof(key), "%s_age_ms", def[f].label);
		json_object_set_new(
		    o, key, json_pack("f", age_ms(s->now_ns, (uint64_t)v)));
		return;
	}
	snprintf(key, sizeof(key), "%s%s%s", def[f].label,
	    strcmp(unit, "us") == 0 || strcmp(unit, "ms") == 0 ? "_" : "",
	    strcmp(unit, "us") == 0 || strcmp(unit, "ms") == 0 ? unit : "");
	json_object_set_new(o, key, json_pack("I", (json_int_t)v));
}

static json_t *
conns(const struct snap *s)
{
	json_t *list = NEW_ARRAY();

	for (uint32_t i = 0; i < s->link_n; i++) {
		const struct snap_link *l = &s->link[i];
		json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "venue",
		    venue_name((enum venue)l->venue), "name", l->name, "role",
		    link_role(l->venue, l->field[LF_SHARD]), "state_name",
		    link_state_name((uint8_t)l->field[LF_STATE]), "band_name",
		    link_band_name((uint8_t)l->field[LF_BAND]),
		    "end_reason_name",
		    reason_name((enum reason)l->field[LF_END_REASON]),
		    "bad_reason_name",
		    reason_name((enum reason)l->field[LF_BAD_REASON]));

		for (int f = 0; f < LF_N; f++)
			link_field(o, s, l, f);
		json_array_append_new(list, o);
	}
	return list;
}

/* null: there is none. */
static json_t *
price(px_t px)
{
	return px.e8 != 0 ? json_pack("I", (json_int_t)px.e8) : json_pack("n");
}

/* Prices and quantities as integers 1e-8: nothing is rounded. */
static json_t *
markets(const struct snap *s)
{
	json_t *list = NEW_ARRAY();

	for (uint32_t i = 0; i < s->market_n; i++) {
		const struct snap_market *m = &s->market[i];
		const struct track_market *t = &m->t;

		json_array_append_new(list,
		    json_pack("{s:i,s:s,s:s,s:s,s:o,s:o,s:f,s:I,s:I,s:I,s:I,"
			      "s:I,s:i,s:o,s:f,s:s,s:o,s:s,s:s}",
			"instr", m->idx, "symbol", m->in.symbol, "venue",
			text_venue(m->in.venue), "state",
			text_state(m->in.state), "bid_e8", price(t->bbo.bid_px),
			"ask_e8", price(t->bbo.ask_px), "age_ms",
			age_ms(s->now_ns, t->bbo_ns), "our_bid_e8",
			(json_int_t)t->our[SIDE_BID].px.e8, "our_ask_e8",
			(json_int_t)t->our[SIDE_ASK].px.e8, "want_bid_e8",
			(json_int_t)t->our[SIDE_BID].want_px.e8, "want_ask_e8",
			(json_int_t)t->our[SIDE_ASK].want_px.e8, "position_e8",
			(json_int_t)t->pos.e8, "fills", (int)t->fill_n,
			"ref_e8", price(t->ref_px), "ref_age_ms",
			age_ms(s->now_ns, t->ref_ns), "ref_source",
			t->ref_source ? text_ref(t->ref_source) : "none",
			"strike_e8", price(m->in.strike_px), "strike_source",
			m->in.strike_source ? text_strike(m->in.strike_source)
					    : "none",
			"outcome", text_outcome(m->in.outcome)));
	}
	return list;
}

static json_t *
freeze(const struct snap *s)
{
	json_t *o = NEW_OBJECT();
	char names[160];

	json_object_set_new(o, "polymarket",
	    json_pack("s", freeze_format(s->gate[VENUE_POLYMARKET], names,
			       sizeof(names))));
	json_object_set_new(o, "hyperliquid",
	    json_pack("s", freeze_format(s->gate[VENUE_HYPERLIQUID], names,
			       sizeof(names))));
	return o;
}

static json_t *
gates(const struct snap *s)
{
	json_t *o = NEW_OBJECT();

	for (int v = VENUE_POLYMARKET; v < VENUE_N; v++) {
		const struct snap_exec *x = &s->exec[v];

		if (!s->trades[v])
			continue;
		json_object_set_new(o, venue_name((enum venue)v),
		    json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,"
			      "s:I,s:I,s:I,s:I,s:I,s:I,s:I}",
			"mode", text_gate(x->mode), "resting",
			(json_int_t)x->resting, "fills", (json_int_t)x->fills,
			"posts", (json_int_t)x->posts, "cancel_requests",
			(json_int_t)x->cancel_requests, "unknown",
			(json_int_t)x->unknown, "ack_p50_ns",
			(json_int_t)x->ack_ns[0], "ack_p99_ns",
			(json_int_t)x->ack_ns[1], "cold", (json_int_t)x->cold,
			"held", (json_int_t)x->held, "resends",
			(json_int_t)x->resends, "resyncs",
			(json_int_t)x->resyncs, "strays", (json_int_t)x->strays,
			"reversals", (json_int_t)x->reversals, "differences",
			(json_int_t)x->differences, "lapses",
			(json_int_t)x->lapses, "budget_left",
			(json_int_t)x->budget_left, "clock_us",
			(json_int_t)x->clock_us));
	}
	return o;
}

static json_t *
risk(const struct snap *s)
{
	const struct snap_risk *r = &s->risk;

	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "pnl_day_e6",
	    (json_int_t)r->pnl_e6, "pnl_realised_e6",
	    (json_int_t)r->realised_e6, "fees_e6", (json_int_t)r->fees_e6,
	    "exposure_e6", (json_int_t)r->exposure_e6, "open_orders",
	    (json_int_t)r->open_orders, "passed", (json_int_t)r->passed,
	    "refused", (json_int_t)r->refused, "fills", (json_int_t)r->fills);
}

static json_t *
recorder(const struct snap *s)
{
	const struct snap_recorder *r = &s->rec;

	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "records",
	    (json_int_t)r->records, "bytes", (json_int_t)r->bytes, "rows",
	    (json_int_t)r->rows, "files", (json_int_t)r->files, "gaps",
	    (json_int_t)r->gaps, "lost", (json_int_t)r->lost, "disk_errors",
	    (json_int_t)r->disk_errors);
}

void
json_snap(const struct snap *s, const struct check_list *l, FILE *to)
{
	json_t *found = NEW_ARRAY();
	json_t *o;

	for (uint32_t i = 0; i < l->n; i++)
		json_array_append_new(found, json_pack("s", l->text[i]));
	o = json_pack("{s:s,s:s,s:b,s:b,s:s,s:I,s:f,s:f,s:o,s:o,s:o,s:o,s:o,"
		      "s:o,s:o,s:o,s:o,s:o}",
	    "instance", s->instance, "path", s->path, "found", s->found,
	    "supervisor_alive", s->sup_alive, "mode",
	    s->mode ? mode_name((enum mode)s->mode) : "?", "config_epoch",
	    (json_int_t)s->cfg_epoch, "up_s", (double)s->up_ns / 1e9,
	    "lease_ms", (double)s->lease_ns / 1e6, "frozen", freeze(s),
	    "stages", stages(s), "links", links(s), "connections", conns(s),
	    "rings", rings(s), "markets", markets(s), "risk", risk(s), "orders",
	    gates(s), "recorder", recorder(s), "findings", found);
	if (o == NULL)
		return;
	json_dumpf(o, to, JSON_COMPACT);
	fputc('\n', to);
	fflush(to);
	json_decref(o);
}

void
json_slot(
    const union tap *slot, enum ring_id ring, const char *symbol, FILE *to)
{
	char line[256];
	json_t *o;

	decode_slot(slot, symbol, line, sizeof(line));
	o = json_pack("{s:s,s:I,s:s,s:i,s:s,s:I,s:I,s:s}", "ring",
	    topo_rings[ring].name, "seq", (json_int_t)slot->hdr.seq, "kind",
	    slot_kind_name(slot->hdr.kind), "instr", slot->hdr.instr, "symbol",
	    symbol != NULL ? symbol : "", "recv_ns",
	    (json_int_t)slot->hdr.recv_ns, "pub_delta_ns",
	    (json_int_t)slot->hdr.pub_delta, "text", line);
	if (o == NULL)
		return;
	json_dumpf(o, to, JSON_COMPACT);
	fputc('\n', to);
	json_decref(o);
}
