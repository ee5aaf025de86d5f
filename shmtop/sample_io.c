#define _GNU_SOURCE
#include "shmtop/sample_io.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcore/check.h"
#include "libsys/clock.h"
#include "libsys/proc.h"

#define STALE_NS     UINT64_C(2000000000)
#define SLOTS_A_LOOK 200000u /* so that a flood cannot stop the screen */

void
sample_open(struct sampler *s, const char *name, const char *dir)
{
	memset(s, 0, sizeof(*s));
	snprintf(s->name, sizeof(s->name), "%s", name);
	snprintf(s->dir, sizeof(s->dir), "%s", dir != NULL ? dir : "");
	s->tap_ring = -1;
	s->in.dirfd = -1;
}

static void
note(struct sampler *s, const struct err *e)
{
	for (uint32_t i = 0; i < s->note_n; i++)
		if (strcmp(s->note[i], e->text) == 0)
			return;
	if (s->note_n < SNAP_NOTES)
		snprintf(
		    s->note[s->note_n++], sizeof(s->note[0]), "%s", e->text);
}

void
sample_close(struct sampler *s)
{
	for (int i = 0; i < RG_N; i++)
		if (s->has_ring[i])
			ring_detach(&s->ring[i]);
	memset(s->has_ring, 0, sizeof(s->has_ring));
	if (s->has_tap)
		ring_detach(&s->tap);
	s->has_tap = false;
	for (int i = 0; i < ST_N; i++)
		if (s->metrics[i] != NULL)
			metrics_detach(s->metrics[i]);
	memset(s->metrics, 0, sizeof(s->metrics));
	why_detach(s->why);
	s->why = NULL;
	if (s->instr != NULL)
		instr_detach(s->instr);
	s->instr = NULL;
	if (s->has_page)
		cfgpage_detach(&s->page);
	s->has_page = false;
	if (s->ctl != NULL)
		ctl_detach(s->ctl);
	s->ctl = NULL;
	if (s->open)
		instance_close(&s->in);
	s->open = false;
}

static int
open_dir(struct sampler *s, struct err *e)
{
	if (s->dir[0] == '\0')
		return instance_open(&s->in, s->name, e);
	s->in.dirfd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->in.dirfd < 0)
		return err_set(e, -errno, "%s: %s", s->dir, strerror(errno));
	snprintf(s->in.path, sizeof(s->in.path), "%s", s->dir);
	snprintf(s->in.name, sizeof(s->in.name), "%s", s->name);
	return 0;
}

static void
open_rings(struct sampler *s)
{
	struct err e;

	for (int i = 0; i < RG_N; i++) {
		s->has_ring[i] = ring_attach(&s->ring[i], s->in.dirfd,
				     &topo_rings[i], RING_OBSERVER, &e) == 0;
		if (!s->has_ring[i]) {
			note(s, &e);
			continue;
		}
		if (track_wanted((enum ring_id)i))
			ring_tap_seek(&s->ring[i], topo_rings[i].depth);
	}
	if (s->tap_ring < 0)
		return;
	s->has_tap = ring_attach(&s->tap, s->in.dirfd, &topo_rings[s->tap_ring],
			 RING_OBSERVER, &e) == 0;
	if (s->has_tap)
		ring_tap_seek(&s->tap, SNAP_TAPS);
}

static bool
open_all(struct sampler *s)
{
	struct stat st;
	struct err e;

	s->note_n = 0;
	if (open_dir(s, &e) < 0) {
		note(s, &e);
		return false;
	}
	s->open = true;
	s->ino = fstat(s->in.dirfd, &st) == 0 ? st.st_ino : 0;
	track_init(&s->track);
	memset(&s->prev, 0, sizeof(s->prev));
	memset(s->high, 0, sizeof(s->high));
	s->tap_n = 0;
	s->tap_lost = 0;
	if (ctl_attach(&s->ctl, s->in.dirfd, false, &e) < 0) {
		s->ctl = NULL;
		note(s, &e);
	}
	s->has_page = cfgpage_attach(&s->page, s->in.dirfd, false, &e) == 0;
	if (!s->has_page)
		note(s, &e);
	if (instr_attach(&s->instr, s->in.dirfd, false, &e) < 0) {
		s->instr = NULL;
		note(s, &e);
	}
	for (int i = 0; i < ST_N; i++) {
		if (metrics_attach(&s->metrics[i], s->in.dirfd,
			(enum stage_id)i, false, &e) == 0)
			continue;
		s->metrics[i] = NULL;
		note(s, &e);
	}
	open_rings(s);
	return true;
}

/* Has the name moved on to another instance, or is it gone? */
static bool
moved(const struct sampler *s)
{
	struct stat st;

	return stat(s->in.path, &st) < 0 || st.st_ino != s->ino;
}

void
sample_tap(struct sampler *s, int ring)
{
	struct err e;

	CHECK(ring < RG_N);
	if (s->has_tap)
		ring_detach(&s->tap);
	s->has_tap = false;
	s->tap_ring = ring;
	s->tap_n = 0;
	s->tap_lost = 0;
	if (!s->open || ring < 0)
		return;
	s->has_tap = ring_attach(&s->tap, s->in.dirfd, &topo_rings[ring],
			 RING_OBSERVER, &e) == 0;
	if (s->has_tap)
		ring_tap_seek(&s->tap, SNAP_TAPS);
}

enum ring_tap
sample_tap_next(struct sampler *s, union tap *slot, uint64_t *lost)
{
	memset(slot, 0, sizeof(*slot));
	*lost = 0;
	return s->has_tap ? ring_tap_next(&s->tap, slot, lost) : RING_TAP_EMPTY;
}

static void
keep_tap(struct sampler *s, const union tap *slot)
{
	if (s->tap_n == SNAP_TAPS) {
		memmove(&s->kept[0], &s->kept[1],
		    sizeof(s->kept) - sizeof(s->kept[0]));
		s->tap_n--;
	}
	s->kept[s->tap_n].ring = (uint8_t)s->tap_ring;
	s->kept[s->tap_n++].slot = *slot;
}

static void
drain(struct sampler *s)
{
	union tap slot;
	uint64_t lost;
	enum ring_tap got;

	for (int i = 0; i < RG_N; i++) {
		if (!s->has_ring[i] || !track_wanted((enum ring_id)i))
			continue;
		for (uint32_t n = 0; n < SLOTS_A_LOOK; n++) {
			memset(&slot, 0, sizeof(slot));
			got = ring_tap_next(&s->ring[i], &slot, &lost);
			if (got == RING_TAP_EMPTY)
				break;
			s->track.lost_n += lost;
			if (got == RING_TAP_OK)
				track_slot(&s->track, (enum ring_id)i, &slot);
		}
	}
	for (uint32_t n = 0; n < SLOTS_A_LOOK; n++) {
		got = sample_tap_next(s, &slot, &lost);
		if (got == RING_TAP_EMPTY)
			break;
		s->tap_lost += lost;
		if (got == RING_TAP_OK)
			keep_tap(s, &slot);
	}
}

static uint64_t
age(uint64_t now, uint64_t then)
{
	return then != 0 && now > then ? now - then : 0;
}

static double
rate(const struct sampler *s, const struct snap *o, uint64_t now, uint64_t was)
{
	double dt = (double)(o->now_ns - s->prev.now_ns) / 1e9;

	return s->prev.now_ns == 0 || now < was || dt <= 0
		   ? 0
		   : (double)(now - was) / dt;
}

static void
quantiles(const struct metrics *m, enum metric_id id, uint64_t out[3])
{
	if (m == NULL)
		return;
	out[0] = metrics_quantile(m, id, 500);
	out[1] = metrics_quantile(m, id, 990);
	out[2] = atomic_load_explicit(&m->metric[id].max, memory_order_relaxed);
}

static uint64_t
count(const struct metrics *m, enum metric_id id)
{
	return m != NULL ? (uint64_t)metrics_value(m, id) : 0;
}

static int64_t
gauge(const struct metrics *m, enum metric_id id)
{
	return m != NULL ? metrics_value(m, id) : 0;
}

static void
read_process(struct sampler *s, struct snap *o, int i)
{
	struct snap_stage *g = &o->stage[i];
	const struct ctl_stage *st = &s->ctl->stage[i];
	struct proc_stat ps;

	g->alive = proc_more((pid_t)g->pid, &ps) && !ps.zombie &&
		   ps.start_ticks == atomic_load(&st->own.start_ticks);
	if (!g->alive)
		return;
	g->rss_kib = ps.rss_kib;
	g->switches = ps.switches;
	g->preempted = ps.preempted;
	if (g->up_ns != 0)
		g->cpu_frac = (double)ps.cpu_ns / (double)g->up_ns;
}

static void
read_stage(struct sampler *s, struct snap *o, int i)
{
	struct snap_stage *g = &o->stage[i];
	const struct ctl_stage *st = &s->ctl->stage[i];
	const struct metrics *m = s->metrics[i];
	uint64_t steps = atomic_load(&st->own.steps);
	uint64_t wakes = count(m, M_ANY_WAKES);
	uint64_t next = atomic_load(&st->sup.next_start_ns);
	uint64_t idle = atomic_load(&st->own.idle_ns);

	g->state = atomic_load(&st->own.state);
	g->wait = atomic_load(&st->own.wait);
	g->pid = atomic_load(&st->own.pid);
	g->up_ns = age(o->now_ns, atomic_load(&st->own.start_ns));
	g->beat_ns = age(o->now_ns, atomic_load(&st->own.heartbeat_ns));
	g->epoch = atomic_load(&st->own.epoch);
	g->cfg_epoch = atomic_load(&st->own.cfg_epoch);
	g->restarts = atomic_load(&st->sup.restarts);
	g->last_exit = atomic_load(&st->sup.last_exit);
	g->last_exit_ns = age(o->now_ns, atomic_load(&st->sup.last_exit_ns));
	g->down_ns = atomic_load(&st->sup.down_ns);
	g->next_ns = next > o->now_ns ? next - o->now_ns : 0;
	g->quarantine_ring = atomic_load(&st->sup.quarantine_ring);
	g->quarantine_seq = atomic_load(&st->sup.quarantine_seq);
	g->sweep = atomic_load(&st->sup.sweep);
	read_process(s, o, i);
	g->stale =
	    g->alive &&
	    g->beat_ns >
		(s->has_cfg ? (uint64_t)s->cfg.supervisor_heartbeat_stale_ms.ns
			    : STALE_NS);
	g->step_rate = rate(s, o, steps, s->prev.steps[i]);
	g->wake_rate = rate(s, o, wakes, s->prev.wakes[i]);
	if (g->alive && s->prev.idle_ns[i] != 0)
		g->busy_frac = 1.0 - rate(s, o, idle, s->prev.idle_ns[i]) / 1e9;
	if (g->busy_frac < 0)
		g->busy_frac = 0;
	s->prev.idle_ns[i] = idle;
	s->prev.steps[i] = steps;
	s->prev.wakes[i] = wakes;
	g->in_dropped = count(m, M_ANY_IN_DROPPED);
	g->out_dropped = count(m, M_ANY_OUT_DROPPED);
	g->hop_n = count(m, M_ANY_HOP_NS);
	quantiles(m, M_ANY_HOP_NS, g->hop_ns);
	quantiles(m, M_ANY_STEP_NS, g->step_ns);
}

static void
read_rings(struct sampler *s, struct snap *o)
{
	for (int i = 0; i < RG_N; i++) {
		struct snap_ring *r = &o->ring[i];
		double frac;

		r->ok = s->has_ring[i];
		if (!r->ok)
			continue;
		ring_stat(&s->ring[i], &r->st);
		r->rate_in = rate(s, o, r->st.published, s->prev.published[i]);
		r->rate_out = rate(s, o, r->st.committed, s->prev.committed[i]);
		r->idle_ns = age(o->now_ns, r->st.last_ns);
		frac = r->st.published > r->st.committed
			   ? (double)(r->st.published - r->st.committed) /
				 (double)r->st.depth
			   : 0;
		if (frac > s->high[i])
			s->high[i] = frac;
		r->high = s->high[i];
		s->prev.published[i] = r->st.published;
		s->prev.committed[i] = r->st.committed;
	}
}

/* Rows of connections that were ever made. */
static void
read_conns(const struct metrics *m, struct snap *o, uint8_t venue)
{
	for (uint32_t i = 0; i < METRICS_LINKS; i++) {
		struct snap_link *l = &o->link[o->link_n];

		if (metrics_link(m, i, LF_STATE) == 0 ||
		    o->link_n == SNAP_LINKS)
			continue;
		l->venue = venue;
		metrics_link_host(m, i, l->name);
		for (int f = 0; f < LF_N; f++)
			l->field[f] = metrics_link(m, i, (enum link_field)f);
		o->link_n++;
	}
	for (int id = 1; id < REASON_N; id++)
		o->feed[venue].reason[id] =
		    atomic_load_explicit(&m->reason[id], memory_order_relaxed);
}

static void
read_feed(struct sampler *s, struct snap *o, int i)
{
	uint8_t v = topo_stages[i].venue;
	struct snap_feed *f = &o->feed[v];
	const struct metrics *m = s->metrics[i];
	uint64_t frames = count(m, M_FEEDD_FRAMES);
	uint64_t ticks = count(m, M_FEEDD_TICKS);
	uint64_t bytes = count(m, M_FEEDD_BYTES);

	f->ok = m != NULL;
	f->link = (uint32_t)gauge(m, M_FEEDD_LINK_STATE);
	f->rtt_us = gauge(m, M_FEEDD_RTT_US);
	f->ema_us = gauge(m, M_FEEDD_RTT_EMA_US);
	f->age_us = gauge(m, M_FEEDD_AGE_US);
	f->quiet_ms = gauge(m, M_FEEDD_QUIET_MS);
	f->instruments = gauge(m, M_FEEDD_INSTRUMENTS);
	f->malformed = count(m, M_FEEDD_MALFORMED);
	f->reconnects = count(m, M_FEEDD_RECONNECTS);
	f->gaps = count(m, M_FEEDD_GAPS);
	f->gap_ns = m ? age(o->now_ns, metrics_rise_ns(m, M_FEEDD_GAPS)) : 0;
	f->hash_ok = count(m, M_FEEDD_HASH_OK);
	f->hash_bad = count(m, M_FEEDD_HASH_BAD);
	f->frame_rate = rate(s, o, frames, s->prev.frames[v]);
	f->tick_rate = rate(s, o, ticks, s->prev.ticks[v]);
	f->byte_rate = rate(s, o, bytes, s->prev.bytes[v]);
	f->kill_ms =
	    s->has_cfg ? cfg_kill_switch_ns(&s->cfg, (enum venue)v) / NS_PER_MS
		       : 0;
	quantiles(m, M_FEEDD_DECODE_NS, f->decode_ns);
	if (m != NULL)
		read_conns(m, o, v);
	s->prev.frames[v] = frames;
	s->prev.ticks[v] = ticks;
	s->prev.bytes[v] = bytes;
}

static void
read_exec(struct sampler *s, struct snap *o, int i)
{
	struct snap_exec *x = &o->exec[topo_stages[i].venue];
	const struct metrics *m = s->metrics[i];

	x->orders = count(m, M_EXECD_ORDERS);
	x->cancels = count(m, M_EXECD_CANCELS);
	x->kept = count(m, M_EXECD_KEPT);
	x->fills = count(m, M_EXECD_FILLS);
	x->rejects = count(m, M_EXECD_REJECTS);
	x->blocked = count(m, M_EXECD_BLOCKED);
	x->resting = gauge(m, M_EXECD_RESTING);
	quantiles(m, M_EXECD_TICK_TO_ORDER_NS, x->tick_to_order_ns);
	x->mode = gauge(m, M_EXECD_MODE);
	x->budget_left = gauge(m, M_EXECD_BUDGET_LEFT);
	x->clock_us = gauge(m, M_EXECD_CLOCK_US);
	x->warm = gauge(m, M_EXECD_WARM);
	quantiles(m, M_EXECD_ACK_NS, x->ack_ns);
	x->posts = count(m, M_EXECD_POSTS);
	x->cancel_requests = count(m, M_EXECD_CANCEL_REQUESTS);
	x->unknown = count(m, M_EXECD_UNKNOWN);
	x->held = count(m, M_EXECD_HELD);
	x->cold = count(m, M_EXECD_COLD);
	x->resends = count(m, M_EXECD_RESENDS);
	x->resyncs = count(m, M_EXECD_RESYNCS);
	x->strays = count(m, M_EXECD_STRAYS);
	x->reversals = count(m, M_EXECD_REVERSALS);
	x->differences = count(m, M_EXECD_DIFFERENCES);
	x->lapses = count(m, M_EXECD_LAPSES);
}

static void
top_reasons(const struct metrics *m, struct snap_risk *r)
{
	for (int id = 1; id < REASON_N; id++) {
		uint64_t n =
		    atomic_load_explicit(&m->reason[id], memory_order_relaxed);
		int at = 3;

		while (at > 0 && n > r->top_reason_n[at - 1])
			at--;
		if (n == 0 || at == 3)
			continue;
		for (int k = 2; k > at; k--) {
			r->top_reason[k] = r->top_reason[k - 1];
			r->top_reason_n[k] = r->top_reason_n[k - 1];
		}
		r->top_reason[at] = (uint16_t)id;
		r->top_reason_n[at] = n;
	}
}

static void
read_money(struct sampler *s, struct snap *o)
{
	const struct metrics *m = s->metrics[ST_RISKD];
	const struct metrics *c = s->metrics[ST_RECORDERD];

	o->risk.pnl_e6 = gauge(m, M_RISKD_PNL_DAY);
	o->risk.realised_e6 = gauge(m, M_RISKD_PNL_REALISED);
	o->risk.fees_e6 = gauge(m, M_RISKD_FEES);
	o->risk.exposure_e6 = gauge(m, M_RISKD_EXPOSURE);
	o->risk.open_orders = gauge(m, M_RISKD_OPEN_ORDERS);
	o->risk.passed = count(m, M_RISKD_PASSED);
	o->risk.refused = count(m, M_RISKD_REFUSED);
	o->risk.fills = count(m, M_RISKD_FILLS);
	o->risk.freezes = count(m, M_RISKD_FREEZES);
	if (s->has_cfg)
		o->risk.loss_limit_e6 = s->cfg.mm_global_daily_loss_limit.e6;
	if (m != NULL)
		top_reasons(m, &o->risk);
	o->rec.records = count(c, M_RECORDERD_RECORDS);
	o->rec.bytes = count(c, M_RECORDERD_BYTES);
	o->rec.rows = count(c, M_RECORDERD_ROWS);
	o->rec.files = count(c, M_RECORDERD_FILES);
	o->rec.gaps = count(c, M_RECORDERD_GAPS);
	o->rec.gap_ns =
	    c ? age(o->now_ns, metrics_rise_ns(c, M_RECORDERD_GAPS)) : 0;
	o->rec.lost = count(c, M_RECORDERD_LOST);
	o->rec.disk_errors = count(c, M_RECORDERD_DISK_ERRORS);
	o->rec.record_rate = rate(s, o, o->rec.records, s->prev.records);
	o->rec.byte_rate = rate(s, o, o->rec.bytes, s->prev.rec_bytes);
	s->prev.records = o->rec.records;
	s->prev.rec_bytes = o->rec.bytes;
}

static void
read_gates(const struct sampler *s, struct snap *o)
{
	const struct snap_stage *riskd = &o->stage[ST_RISKD];
	struct metrics *page[VENUE_N] = {NULL};

	for (int i = 0; i < ST_N; i++)
		if (strcmp(topo_stages[i].program, "feedd") == 0)
			page[topo_stages[i].venue] = s->metrics[i];

	for (int v = VENUE_POLYMARKET; v < VENUE_N; v++) {
		o->trades[v] = s->has_cfg && cfg_trades(&s->cfg, (enum venue)v);
		o->gate[v] =
		    v == VENUE_BINANCE
			? 0
			: ctl_gate_told(s->ctl, (enum venue)v, o->now_ns,
			      riskd->alive && !riskd->stale);
		link_why(
		    o->gate_why[v], page, o->gate[v], (uint8_t)v, o->now_ns);
	}
}

static void
read_ctl(struct sampler *s, struct snap *o)
{
	const struct ctl *c = s->ctl;
	uint64_t until = atomic_load(&c->lease.until_ns);

	o->run_id = c->hdr.run_id;
	o->up_ns = age(o->now_ns, atomic_load(&c->sup.start_ns));
	o->sup_pid = atomic_load(&c->sup.pid);
	o->sup_beat_ns = age(o->now_ns, atomic_load(&c->sup.heartbeat_ns));
	o->stopping = atomic_load(&c->sup.stopping) != 0;
	o->sup_alive =
	    o->sup_pid != 0 &&
	    !ctl_supervisor_dead(c, o->now_ns,
		s->has_cfg ? (uint64_t)s->cfg.supervisor_dead_ms.ns : STALE_NS);
	snprintf(o->host, sizeof(o->host), "%.63s", c->sup.host);
	o->lease_ns = until > o->now_ns ? until - o->now_ns : 0;
	for (int w = 0; w < FW_N; w++) {
		o->word[w] = atomic_load(&c->freeze[w].mask);
		o->word_since_ns[w] =
		    age(o->now_ns, atomic_load(&c->freeze[w].since_ns));
	}
	for (int i = 0; i < ST_N; i++) {
		read_stage(s, o, i);
		if (strcmp(topo_stages[i].program, "feedd") == 0)
			read_feed(s, o, i);
		if (strcmp(topo_stages[i].program, "execd") == 0)
			read_exec(s, o, i);
	}
	read_gates(s, o);
}

/* Which filter refused last on each side; quoted makes the page when it
 * starts. */
static void
read_why(struct sampler *s, struct snap_market *m)
{
	static struct why_market w;

	if (s->why == NULL || !why_read(s->why, m->idx, &w))
		return;
	for (int i = 0; i < 2; i++) {
		struct snap_why *to = &m->why[i];
		const struct why_side *of = &w.side[i];

		to->ok = true;
		to->looks = of->looks;
		to->quoted = of->quoted;
		to->signals = of->signals;
		to->taken = of->taken;
		to->stop = of->stop < WHY_N ? of->stop : WHY_N;
		to->take_stop = of->take_stop < WHY_N ? of->take_stop : WHY_N;
		if (to->stop < WHY_N)
			to->filter = of->filter[to->stop];
	}
}

static void
read_markets(struct sampler *s, struct snap *o)
{
	struct err e;

	if (s->open && s->why == NULL)
		(void)why_attach(&s->why, s->in.dirfd, &e);
	o->market_n = 0;
	o->trading = s->track.trading;
	o->trading_reason = s->track.trading_reason;
	if (s->instr == NULL)
		return;
	for (uint32_t i = 1; i < INSTR_N && o->market_n < SNAP_MARKETS; i++) {
		struct snap_market *m = &o->market[o->market_n];

		if (!instr_read(s->instr, (uint16_t)i, &m->in))
			continue;
		m->idx = (uint16_t)i;
		m->t = s->track.market[i];
		m->in.symbol[sizeof(m->in.symbol) - 1] = '\0';
		read_why(s, m);
		o->market_n++;
	}
}

static int
core_n(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set)
							    : 0;
}

void
sample_take(struct sampler *s, struct snap *o)
{
	uint64_t epoch;

	memset(o, 0, sizeof(*o));
	if (s->open && moved(s))
		sample_close(s);
	if (!s->open)
		open_all(s);
	snprintf(o->instance, sizeof(o->instance), "%s", s->name);
	snprintf(o->path, sizeof(o->path), "%s", s->in.path);
	o->now_ns = clock_mono_ns();
	o->wall_ns = (int64_t)clock_wall_ns();
	o->found = s->open;
	o->cores = core_n();
	clock_source(o->clock);
	if (s->has_page && cfgpage_read(&s->page, &s->cfg, &epoch) == 0) {
		s->has_cfg = true;
		o->mode = s->cfg.system_mode;
		o->cfg_epoch = epoch;
	}
	if (s->ctl != NULL)
		read_ctl(s, o);
	read_rings(s, o);
	read_money(s, o);
	drain(s);
	read_markets(s, o);
	o->tap_n = s->tap_n;
	o->tap_lost = s->tap_lost;
	memcpy(o->tap, s->kept, sizeof(s->kept));
	o->note_n = s->note_n;
	memcpy(o->note, s->note, sizeof(s->note));
	s->prev.now_ns = o->now_ns;
}
