#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libshm/linkwhy.h"
#include "libshm/cfgpage.h"
#include "libshm/ctl.h"
#include "libshm/metrics.h"
#include "libshm/ring.h"
#include "libsys/clock.h"
#include "libsys/proc.h"
#include "libsys/stage_int.h"
#include "supervisor/control_io.h"
#include "supervisor/daemon.h"
#include "supervisor/latch_io.h"
#include "supervisor/opts.h"
#include "supervisor/supervise.h"
#include "supervisor/sweep_io.h"

/* Everything that status shows, read once. */
struct view {
	struct instance in;
	struct ctl *ctl;
	struct cfg cfg;
	bool has_cfg;
	bool sup_alive;
	bool running; /* it, or a stage */
	bool kept;    /* stopped in order, memory left */
	bool degraded;
	uint64_t now_ns;
	struct latch latch;
};

static bool
read_all(struct view *v, const char *instance, struct err *e)
{
	struct cfgpage page;
	uint64_t epoch;
	uint64_t limit = UINT64_C(2000000000);

	if (instance_open(&v->in, instance, e) < 0)
		return false;
	if (ctl_attach(&v->ctl, v->in.dirfd, false, e) < 0)
		return false;
	v->now_ns = clock_mono_ns();
	if (cfgpage_attach(&page, v->in.dirfd, false, e) == 0) {
		v->has_cfg = cfgpage_read(&page, &v->cfg, &epoch) == 0;
		cfgpage_detach(&page);
	}
	if (v->has_cfg) {
		struct err ignored;

		limit = (uint64_t)v->cfg.supervisor_dead_ms.ns;
		latch_load(v->cfg.system_state_dir.s, &v->latch, &ignored);
	}
	v->sup_alive = control_alive(&v->in) &&
		       !ctl_supervisor_dead(v->ctl, v->now_ns, limit);
	v->running = control_alive(&v->in) || daemon_anyone_alive(v->ctl);
	v->kept = !v->running && atomic_load(&v->ctl->sup.pid) == 0;
	return true;
}

static const char *
exit_text(uint64_t status, uint64_t at_ns, char *buf, size_t n)
{
	const char *name;

	buf[0] = '\0';
	if (at_ns == 0)
		snprintf(buf, n, "-");
	else if (status == SUP_STATUS_UNKNOWN)
		snprintf(buf, n, "unknown");
	else if ((status & 0x7f) == 0)
		snprintf(buf, n, "exit %d", (int)(status >> 8 & 0xff));
	else if ((name = sigabbrev_np((int)(status & 0x7f))) != NULL)
		snprintf(buf, n, "SIG%s", name);
	else
		snprintf(buf, n, "signal %d", (int)(status & 0x7f));
	return buf;
}

/* What a stage is, believing the process table more than the page. */
static const char *
stage_text(const struct view *v, int i, bool *alive, bool *bad)
{
	const struct ctl_stage *st = &v->ctl->stage[i];
	uint32_t state = atomic_load(&st->own.state);
	uint64_t beat = atomic_load(&st->own.heartbeat_ns);
	uint64_t stale = v->has_cfg
			     ? (uint64_t)v->cfg.supervisor_heartbeat_stale_ms.ns
			     : UINT64_C(2000000000);

	*alive = proc_alive((pid_t)atomic_load(&st->own.pid),
	    atomic_load(&st->own.start_ticks));
	*bad = false;
	if (state == STAGE_PARKED) {
		*bad = true;
		return "PARKED";
	}
	if (*alive && v->now_ns > beat && v->now_ns - beat > stale) {
		*bad = true;
		return "HUNG";
	}
	if (*alive) {
		*bad = state != STAGE_READY;
		return stage_state_name(state);
	}
	if (atomic_load(&st->sup.next_start_ns) != 0) {
		*bad = true;
		return "backoff";
	}
	if (state == STAGE_DEAD)
		return atomic_load(&st->own.pid) == 0 ? "-" : "stopped";
	*bad = true;
	return "DEAD";
}

static json_t *
stage_json(struct view *v, int i)
{
	const struct ctl_stage *st = &v->ctl->stage[i];
	uint64_t beat = atomic_load(&st->own.heartbeat_ns);
	uint64_t start = atomic_load(&st->own.start_ns);
	uint64_t ran = v->now_ns > start ? v->now_ns - start : 0;
	pid_t pid = (pid_t)atomic_load(&st->own.pid);
	struct proc_stat ps = {0};
	char last[32];
	bool alive;
	bool bad;
	const char *text = stage_text(v, i, &alive, &bad);
	uint32_t wait = atomic_load(&st->own.wait);
	uint64_t sweep = atomic_load(&st->sup.sweep);

	v->degraded |= bad || sweep == CTL_SWEEP_FAILED;
	if (alive)
		proc_read(pid, &ps);
	return json_pack(
	    "{s:s,s:s,s:b,s:I,s:f,s:I,s:s,s:f,s:s,s:f,s:I,s:I,s:f,s:s,s:f}",
	    "stage", topo_stages[i].name, "state", text, "alive", alive, "pid",
	    (json_int_t)(alive ? pid : 0), "uptime_s",
	    alive ? (double)ran / 1e9 : 0.0, "restarts",
	    (json_int_t)atomic_load(&st->sup.restarts), "last_exit",
	    exit_text(atomic_load(&st->sup.last_exit),
		atomic_load(&st->sup.last_exit_ns), last, sizeof(last)),
	    "heartbeat_ms",
	    alive && v->now_ns > beat ? (double)(v->now_ns - beat) / 1e6 : 0.0,
	    "wait", alive && wait != 0 ? wait_policy_name(wait) : "-",
	    "cpu_frac", alive && ran ? (double)ps.cpu_ns / (double)ran : 0.0,
	    "quarantine_ring",
	    (json_int_t)atomic_load(&st->sup.quarantine_ring), "quarantine_seq",
	    (json_int_t)atomic_load(&st->sup.quarantine_seq), "down_ms",
	    (double)atomic_load(&st->sup.down_ns) / 1e6, "sweep",
	    sweep_name(sweep), "sweep_age_s",
	    sweep == CTL_SWEEP_NONE
		? 0.0
		: (double)(v->now_ns - atomic_load(&st->sup.sweep_ns)) / 1e9);
}

/* The feeds' pages, by venue; NULL where there is none. */
static void
pages_attach(const struct view *v, struct metrics *page[VENUE_N])
{
	struct err e;

	for (int i = 0; i < VENUE_N; i++)
		page[i] = NULL;
	for (int i = 0; i < ST_N; i++) {
		struct metrics **m = &page[topo_stages[i].venue];

		if (strcmp(topo_stages[i].program, "feedd") == 0 &&
		    metrics_attach(
			m, v->in.dirfd, (enum stage_id)i, false, &e) < 0)
			*m = NULL;
	}
}

static void
pages_detach(struct metrics *page[VENUE_N])
{
	for (int i = 0; i < VENUE_N; i++)
		metrics_detach(page[i]);
}

/* The venue that a freeze word is about, 0 all. */
static uint8_t
word_venue(int w)
{
	return w == FW_RISKD_PM || w == FW_EXECD_PM   ? VENUE_POLYMARKET
	       : w == FW_RISKD_HL || w == FW_EXECD_HL ? VENUE_HYPERLIQUID
						      : 0;
}

static json_t *
freeze_json(struct view *v)
{
	static const char *const who[FW_N] = {"supervisor", "riskd", "riskd.pm",
	    "riskd.hl", "execd.pm", "execd.hl"};
	json_t *list = json_pack("[]");
	struct metrics *page[VENUE_N];
	char names[160];
	char cause[LINKWHY_SZ];

	pages_attach(v, page);
	for (int w = 0; w < FW_N; w++) {
		const struct ctl_freeze *f = &v->ctl->freeze[w];
		uint64_t m = atomic_load(&f->mask);
		uint64_t since = atomic_load(&f->since_ns);

		if (m == 0)
			continue;
		v->degraded |= (m & FREEZE_LATCHED) != 0;
		link_why(cause, page, m, word_venue(w), v->now_ns);
		json_array_append_new(
		    list, json_pack("{s:s,s:s,s:b,s:f,s:s}", "by", who[w],
			      "reasons", freeze_format(m, names, sizeof(names)),
			      "latched", (m & FREEZE_LATCHED) != 0, "for_s",
			      since && v->now_ns > since
				  ? (double)(v->now_ns - since) / 1e9
				  : 0.0,
			      "cause", cause));
	}
	pages_detach(page);
	return list;
}

static bool
riskd_alive(const struct view *v)
{
	bool alive;
	bool bad;

	return strcmp(stage_text(v, ST_RISKD, &alive, &bad), "HUNG") != 0 &&
	       alive;
}

static json_t *
venues_json(struct view *v)
{
	static const enum venue traded[] = {
	    VENUE_POLYMARKET, VENUE_HYPERLIQUID};
	json_t *o = json_pack("{}");
	bool alive = riskd_alive(v);
	char names[160];

	for (size_t i = 0; i < sizeof(traded) / sizeof(traded[0]); i++) {
		uint64_t m = ctl_gate_told(v->ctl, traded[i], v->now_ns, alive);

		if (v->has_cfg && !cfg_trades(&v->cfg, traded[i]))
			continue;
		v->degraded |= m != 0;
		json_object_set_new(o, venue_name(traded[i]),
		    json_pack("s", freeze_format(m, names, sizeof(names))));
	}
	return o;
}

/* Records that the recorder could not keep. */
static json_t *
lost_json(struct view *v)
{
	struct metrics *m;
	struct err e;
	int64_t lost = 0;
	int64_t errors = 0;

	if (metrics_attach(&m, v->in.dirfd, ST_RECORDERD, false, &e) == 0) {
		lost = metrics_value(m, M_RECORDERD_LOST);
		errors = metrics_value(m, M_RECORDERD_DISK_ERRORS);
		metrics_detach(m);
	}
	v->degraded |= lost > 0 || errors > 0;
	return json_pack("{s:I,s:I}", "lost", (json_int_t)lost, "disk_errors",
	    (json_int_t)errors);
}

static json_t *
rings_json(const struct view *v)
{
	json_t *list = json_pack("[]");

	for (int i = 0; i < RG_N; i++) {
		struct ring_stat rs;
		struct ring r;
		struct err e;

		if (ring_attach(
			&r, v->in.dirfd, &topo_rings[i], RING_OBSERVER, &e) < 0)
			continue;
		ring_stat(&r, &rs);
		ring_detach(&r);
		if (rs.published == rs.committed && rs.dropped == 0 &&
		    rs.full_n == 0)
			continue;
		json_array_append_new(list,
		    json_pack("{s:s,s:I,s:I,s:I,s:I}", "ring",
			topo_rings[i].name, "used",
			(json_int_t)(rs.published - rs.committed), "depth",
			(json_int_t)rs.depth, "full", (json_int_t)rs.full_n,
			"dropped", (json_int_t)rs.dropped));
	}
	return list;
}

static int
code_of(const struct view *v)
{
	return !v->running   ? SUP_NOT_RUNNING
	       : v->degraded ? SUP_DEGRADED
			     : SUP_OK;
}

static json_t *
collect(struct view *v)
{
	uint64_t until = atomic_load(&v->ctl->lease.until_ns);
	uint64_t start = atomic_load(&v->ctl->sup.start_ns);
	json_t *stages = json_pack("[]");
	json_t *o;

	for (int i = 0; i < ST_N; i++)
		json_array_append_new(stages, stage_json(v, i));
	o = json_pack(
	    "{s:s,s:b,s:b,s:b,s:s,s:I,s:f,s:f,s:o,s:o,s:o,s:o,s:o,s:s}",
	    "instance", v->in.name, "running", v->running, "kept", v->kept,
	    "supervisor_alive", v->sup_alive, "mode",
	    v->has_cfg ? mode_name((enum mode)v->cfg.system_mode) : "?",
	    "supervisor_pid",
	    (json_int_t)(v->sup_alive ? atomic_load(&v->ctl->sup.pid) : 0),
	    "supervisor_uptime_s", (double)(v->now_ns - start) / 1e9,
	    "lease_ms",
	    until > v->now_ns ? (double)(until - v->now_ns) / 1e6 : 0.0,
	    "stages", stages, "freeze_words", freeze_json(v), "frozen",
	    venues_json(v), "rings", rings_json(v), "recorder", lost_json(v),
	    "latch_why", v->latch.why);
	v->degraded |= !v->sup_alive;
	json_object_set_new(o, "code", json_integer(code_of(v)));
	return o;
}

static const char *
str(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

static double
num(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static const char *
ago(double s, char *buf, size_t n)
{
	if (s < 60)
		snprintf(buf, n, "%.1fs", s);
	else if (s < 3600)
		snprintf(buf, n, "%dm%02ds", (int)s / 60, (int)s % 60);
	else
		snprintf(buf, n, "%dh%02dm", (int)(s / 3600), (int)s / 60 % 60);
	return buf;
}

static void
print_stages(const json_t *list)
{
	char up[24];
	size_t i;
	json_t *s;

	printf("%-18s %-9s %7s %8s %4s %-9s %7s %-6s %5s\n", "STAGE", "STATE",
	    "PID", "UP", "RST", "LAST", "BEAT", "WAIT", "CPU");
	json_array_foreach(list, i, s)
	{
		bool alive = json_is_true(json_object_get(s, "alive"));

		printf("%-18s %-9s ", str(s, "stage"), str(s, "state"));
		if (!alive) {
			printf("%7s %8s %4d %-9s\n", "-", "-",
			    (int)num(s, "restarts"), str(s, "last_exit"));
			continue;
		}
		printf("%7d %8s %4d %-9s %5.0fms %-6s %4.1f%%\n",
		    (int)num(s, "pid"), ago(num(s, "uptime_s"), up, sizeof(up)),
		    (int)num(s, "restarts"), str(s, "last_exit"),
		    num(s, "heartbeat_ms"), str(s, "wait"),
		    num(s, "cpu_frac") * 100);
	}
}

/* What became of the orders of a gateway that died. */
static void
print_sweeps(const json_t *list)
{
	char t[24];
	size_t i;
	json_t *s;

	json_array_foreach(list, i, s)
	{
		const char *sweep = str(s, "sweep");
		bool failed = strcmp(sweep, sweep_name(CTL_SWEEP_FAILED)) == 0;

		if (sweep[0] == '-')
			continue;
		printf("%-18s swept %s ago: %s%s%s\n", str(s, "stage"),
		    ago(num(s, "sweep_age_s"), t, sizeof(t)), sweep,
		    failed ? "; ORDERS OF OURS MAY STILL REST AT THE VENUE: "
			     "supervisor logs "
			   : "",
		    failed ? str(s, "stage") : "");
	}
}

static void
print_freeze(const json_t *o)
{
	const json_t *words = json_object_get(o, "freeze_words");
	const char *venue;
	char t[24];
	size_t i;
	json_t *w;

	printf("lease      %.0f ms left\n", num(o, "lease_ms"));
	json_object_foreach(json_object_get(o, "frozen"), venue, w)
	    printf("%-10s %s %s\n", venue,
		json_string_value(w)[0] ? "FROZEN" : "may trade",
		json_string_value(w));
	json_array_foreach(words, i, w)
	    printf("           %s: %s for %s%s%s%s\n", str(w, "by"),
		str(w, "reasons"), ago(num(w, "for_s"), t, sizeof(t)),
		json_is_true(json_object_get(w, "latched"))
		    ? ", until supervisor thaw --reason"
		    : "",
		str(w, "cause")[0] ? "; " : "", str(w, "cause"));
	if (str(o, "latch_why")[0] != '\0')
		printf("           why: %s\n", str(o, "latch_why"));
}

static const char *
boss_text(const json_t *o)
{
	if (json_is_true(json_object_get(o, "kept")))
		return "stopped; supervisor stop removes what it left";
	if (json_is_true(json_object_get(o, "running")))
		return "DEAD; supervisor start takes over what still runs";
	return "DEAD, and nothing of it runs; supervisor start begins "
	       "afresh, supervisor stop removes what is left";
}

static void
print_text(const json_t *o)
{
	const json_t *rings = json_object_get(o, "rings");
	const json_t *rec = json_object_get(o, "recorder");
	char t[24];
	size_t i;
	json_t *r;

	printf("instance %s, mode %s, supervisor ", str(o, "instance"),
	    str(o, "mode"));
	if (json_is_true(json_object_get(o, "supervisor_alive")))
		printf("%d up %s\n", (int)num(o, "supervisor_pid"),
		    ago(num(o, "supervisor_uptime_s"), t, sizeof(t)));
	else
		puts(boss_text(o));
	print_stages(json_object_get(o, "stages"));
	print_sweeps(json_object_get(o, "stages"));
	print_freeze(o);
	if (json_array_size(rings) > 0)
		printf("%-12s %8s %8s %8s %8s\n", "RING", "USED", "DEPTH",
		    "FULL", "DROPPED");
	if (num(rec, "lost") > 0 || num(rec, "disk_errors") > 0)
		printf("recorder   LOST %.0f records, %.0f disk errors: see "
		       "supervisor logs recorderd\n",
		    num(rec, "lost"), num(rec, "disk_errors"));
	json_array_foreach(rings, i, r) printf(
	    "%-12s %8.0f %8.0f %8.0f %8.0f\n", str(r, "ring"), num(r, "used"),
	    num(r, "depth"), num(r, "full"), num(r, "dropped"));
}

int
cmd_status(const struct sup_opts *o)
{
	struct view v;
	struct err e;
	json_t *j;

	memset(&v, 0, sizeof(v));
	if (!read_all(&v, o->instance, &e)) {
		if (o->json)
			printf("{\"instance\":\"%s\",\"running\":false,"
			       "\"code\":%d}\n",
			    o->instance, SUP_NOT_RUNNING);
		else
			printf("instance %s: %s\n", o->instance,
			    e.code == -ENOENT ? "not running" : e.text);
		return SUP_NOT_RUNNING;
	}
	j = collect(&v);
	if (o->json) {
		json_dumpf(j, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		print_text(j);
	}
	json_decref(j);
	ctl_detach(v.ctl);
	instance_close(&v.in);
	return code_of(&v);
}
