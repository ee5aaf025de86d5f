#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcore/fixed.h"
#include "libshm/metrics.h"
#include "libsys/log.h"
#include "supervisor/control_io.h"
#include "supervisor/daemon.h"
#include "supervisor/envkey_io.h"
#include "supervisor/logs_io.h"
#include "supervisor/spawn_io.h"
#include "supervisor/sweep_io.h"

#define TAIL_LINES 5
#define ALL_STAGES ((UINT32_C(1) << ST_N) - 1)

extern char **environ;

static json_t *
answer(int code, const char *text)
{
	return json_pack("{s:i,s:s}", "code", code, "text", text);
}

/* Names of a mask of stages, "a, b". */
static void
mask_names(uint32_t mask, char *buf, size_t n)
{
	size_t at = 0;

	buf[0] = '\0';
	for (int i = 0; i < ST_N && at < n; i++)
		if ((mask >> i & 1) != 0)
			at += (size_t)snprintf(buf + at, n - at, "%s%s",
			    at ? ", " : "", topo_stages[i].name);
}

/* How an asked stage stands: 1 there, 0 not yet, -1 given up. */
static int
progress(const struct supd *d, const struct sup_conn *c, int i)
{
	const struct sup_stage *s = &d->core.stage[i];
	uint64_t epoch;

	switch (c->wait) {
	case SUP_WAIT_UP:
		if (s->state == SUP_PARKED)
			return -1;
		return s->state == SUP_UP && s->start_n >= c->start_n[i];
	case SUP_WAIT_DOWN: return s->state == SUP_DOWN;
	case SUP_WAIT_CONFIG:
		epoch = atomic_load(&d->ctl->stage[i].own.cfg_epoch);
		return s->state != SUP_UP || epoch >= c->epoch;
	case SUP_WAIT_THAW:
	case SUP_WAIT_END:
	case SUP_WAIT_NONE:
	case SUP_WAIT_N: return 1;
	}
	return 1;
}

/* A stage that did not come up, and what it said last. */
static void
explain(const struct supd *d, uint32_t late, FILE *to)
{
	char tail[2048];

	for (int i = 0; i < ST_N; i++) {
		const struct sup_stage *s = &d->core.stage[i];
		char *rest = tail;
		char *line;

		if ((late >> i & 1) == 0)
			continue;
		fprintf(to, "\n%s is %s", topo_stages[i].name,
		    sup_state_name(s->state));
		if (s->state == SUP_PARKED)
			fprintf(to, ": %s", sup_park_text(s->park));
		if (s->died_ns != 0 && (s->status & 0x7f) != 0)
			fprintf(
			    to, "; last killed by signal %u", s->status & 0x7f);
		else if (s->died_ns != 0)
			fprintf(
			    to, "; last exit code %u", s->status >> 8 & 0xff);
		if (d->opts->foreground)
			continue;
		spawn_log_tail(d->state_dir, topo_stages[i].name, TAIL_LINES,
		    tail, sizeof(tail));
		if (tail[0] != '\0')
			fputs("; its log ends:\n", to);
		while (rest != NULL && (line = strsep(&rest, "\n")) != NULL)
			if (line[0] != '\0')
				logs_line(line, false, false, to);
	}
}

static void
finish_wait(struct supd *d, struct sup_conn *c, uint32_t done, uint32_t lost)
{
	static const char *const verb[SUP_WAIT_N] = {"", "ready", "stopped",
	    "stopped", "thawed", "on the new configuration"};
	uint32_t late = c->mask & ~done & ~lost;
	char names[256];
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);
	uint32_t owed = c->wait == SUP_WAIT_DOWN ? sweep_owed(d) & done : 0;
	int code = lost	  ? SUP_PERMANENT
		   : late ? SUP_RETRY
		   : owed ? SUP_NOT_FLAT
			  : SUP_OK;

	if (f == NULL)
		return;
	if (c->note != NULL)
		fputs(c->note, f);
	if (done != 0) {
		mask_names(done & c->mask, names, sizeof(names));
		fprintf(f, "%s: %s", verb[c->wait], names);
	}
	if (late | lost) {
		mask_names(late | lost, names, sizeof(names));
		fprintf(
		    f, "%snot %s: %s", done ? "\n" : "", verb[c->wait], names);
		explain(d, late | lost, f);
	}
	if (owed) {
		mask_names(owed, names, sizeof(names));
		fprintf(f, "\nORDERS OF OURS MAY STILL REST: %s", names);
	}
	fclose(f);
	control_answer(d, c, answer(code, text));
	free(text);
}

/* What still freezes trading, for people. */
static void
frozen_text(const struct supd *d, FILE *to)
{
	static const char *const who[FW_N] = {"supervisor", "riskd",
	    "riskd (polymarket)", "riskd (hyperliquid)", "execd.polymarket",
	    "execd.hyperliquid"};
	bool any = false;
	char names[160];

	for (int w = 0; w < FW_N; w++) {
		uint64_t m = atomic_load(&d->ctl->freeze[w].mask);

		if (m == 0)
			continue;
		fprintf(to, "%s%s: %s", any ? "; " : "still frozen by ", who[w],
		    freeze_format(m, names, sizeof(names)));
		if ((m & FREEZE_LATCHED) == 0)
			fputs(" (clears by itself)", to);
		any = true;
	}
	if (!any && atomic_load(&d->ctl->lease.until_ns) <= d->now_ns)
		fputs("no freeze reason is left, but riskd's lease is not "
		      "running: orders stay blocked until riskd extends it",
		    to);
	else if (!any)
		fputs("nothing freezes trading", to);
}

static bool
riskd_latched(const struct supd *d)
{
	uint64_t m = 0;

	for (int w = FW_RISKD; w < FW_N; w++)
		m |= atomic_load(&d->ctl->freeze[w].mask);
	return (m & FREEZE_LATCHED) != 0;
}

static void
finish_thaw(struct supd *d, struct sup_conn *c)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	if (f == NULL)
		return;
	fprintf(f, "thawed; ");
	frozen_text(d, f);
	fclose(f);
	control_answer(
	    d, c, answer(riskd_latched(d) ? SUP_DEGRADED : SUP_OK, text));
	free(text);
}

static void
look_at(struct supd *d, struct sup_conn *c)
{
	uint32_t done = 0;
	uint32_t lost = 0;
	bool over = d->now_ns >= c->until_ns;

	if (c->fd < 0 || c->wait == SUP_WAIT_NONE || c->wait == SUP_WAIT_END)
		return;
	if (c->wait == SUP_WAIT_THAW) {
		if (over || !riskd_latched(d))
			finish_thaw(d, c);
		return;
	}
	for (int i = 0; i < ST_N; i++) {
		int p = (c->mask >> i & 1) ? progress(d, c, i) : 0;

		done |= p > 0 ? UINT32_C(1) << i : 0;
		lost |= p < 0 ? UINT32_C(1) << i : 0;
	}
	if (over || (done | lost) == c->mask)
		finish_wait(d, c, done, lost);
}

void
command_waits(struct supd *d)
{
	for (int i = 0; i < SUP_CONNS; i++)
		look_at(d, &d->conn[i]);
	look_at(d, &d->starter);
}

static void
wait_for(struct supd *d, struct sup_conn *c, enum sup_wait what, uint32_t mask,
    uint64_t limit_ns)
{
	c->wait = what;
	c->mask = mask;
	c->until_ns = d->now_ns + limit_ns;
}

/* Stages named in a request; 0 when one is unknown. */
static uint32_t
asked(const json_t *rq, uint32_t all)
{
	const json_t *list = json_object_get(rq, "stages");
	const char *word[SUP_WORDS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(list) && i < SUP_WORDS_MAX; i++)
		if (json_is_string(json_array_get(list, i)))
			word[n++] = json_string_value(json_array_get(list, i));
	return opts_stages(word, n, all);
}

static void
do_start(struct supd *d, struct sup_conn *c, const json_t *rq, bool restart)
{
	uint32_t mask = asked(rq, opts_wanted(&d->cfg));

	for (int i = 0; i < ST_N; i++) {
		const struct sup_stage *s = &d->core.stage[i];

		c->start_n[i] = s->start_n + (restart ? 1 : 0);
	}
	daemon_ask(d, mask, restart ? SUP_EV_RESTART : SUP_EV_START);
	wait_for(d, c, SUP_WAIT_UP, mask,
	    d->limits.ready_timeout_ns +
		(restart ? d->limits.stop_timeout_ns : 0));
}

static void
do_stop(struct supd *d, struct sup_conn *c, const json_t *rq)
{
	uint32_t mask = asked(rq, ALL_STAGES);

	if (mask == ALL_STAGES) {
		d->keep = json_is_true(json_object_get(rq, "keep"));
		wait_for(d, c, SUP_WAIT_END, mask, 0);
		daemon_stop_all(d);
		return;
	}
	daemon_ask(d, mask, SUP_EV_STOP);
	wait_for(d, c, SUP_WAIT_DOWN, mask,
	    d->limits.stop_timeout_ns + d->limits.sweep_ns +
		3 * d->limits.abort_grace_ns);
}

static void
do_freeze(struct supd *d, struct sup_conn *c, const char *why, uint64_t uid)
{
	struct err e;

	if (daemon_freeze(d, FREEZE_MANUAL, why, uid, &e) < 0) {
		control_answer(d, c, answer(SUP_TEMPORARY, e.text));
		return;
	}
	control_answer(d, c,
	    answer(SUP_OK, "trading is frozen on every venue until "
			   "supervisor thaw"));
}

static void
do_thaw(struct supd *d, struct sup_conn *c, const char *why, uint64_t uid)
{
	struct err e;

	if (why[0] == '\0') {
		control_answer(
		    d, c, answer(SUP_USAGE, "say why: --reason \"text\""));
		return;
	}
	if (daemon_thaw(d, why, uid, &e) < 0) {
		control_answer(d, c, answer(SUP_TEMPORARY, e.text));
		return;
	}
	wait_for(d, c, SUP_WAIT_THAW, 0, SUP_THAW_WAIT_NS);
}

static void
refuse_reload(struct supd *d, struct sup_conn *c, char *text)
{
	LOG(LOG_CONFIG_REFUSED, F_STR("what", text));
	control_answer(d, c, answer(SUP_CONFIG, text));
}

static void
publish(
    struct supd *d, struct sup_conn *c, const struct cfg *next, size_t changed)
{
	uint64_t epoch;

	d->cfg = *next;
	epoch = cfgpage_publish(&d->page, &d->cfg);
	daemon_limits(d);
	log_level((enum cfg_log_level)d->cfg.log_level);
	LOG(LOG_CONFIG_RELOADED, F_U64("epoch", epoch),
	    F_U64("changed_n", changed));
	c->epoch = epoch;
}

static void
do_reload(struct supd *d, struct sup_conn *c, const json_t *rq)
{
	bool restart = json_is_true(json_object_get(rq, "restart"));
	struct cfg *next = &d->load->cfg;
	char *text = NULL;
	size_t changed = 0;
	size_t restarts = 0;
	size_t n;
	char why[ENVKEY_WHY_SZ];
	bool bad;
	FILE *f = open_memstream(&text, &n);
	const struct cfgfile_args a = {.paths = d->opts->config,
	    .path_n = d->opts->config_n,
	    .envp = environ,
	    .args = d->opts->set,
	    .arg_n = d->opts->set_n};

	if (f == NULL)
		return;
	bad = cfgfile_load(d->load, &a) < 0;
	if (bad || !envkey_check(next, why)) {
		fprintf(f, "refused, the running configuration stays:\n");
		if (bad)
			cfgfile_errors(d->load, f);
		else
			fprintf(f, "%s\n", why);
		fclose(f);
		refuse_reload(d, c, text);
		free(text);
		return;
	}
	/* As it was published: see create() in daemon_io.c. */
	snprintf(next->system_state_dir.s, sizeof(next->system_state_dir.s),
	    "%s", d->state_dir);
	changed = cfgfile_diff(&d->cfg, next, &restarts, f);
	if (restarts > 0 && !restart)
		fprintf(f,
		    "refused: %zu of these need the stages restarted; "
		    "supervisor reload --restart does that\n",
		    restarts);
	if (changed == 0)
		fprintf(f, "nothing changed\n");
	fclose(f);
	if (restarts > 0 && !restart) {
		refuse_reload(d, c, text);
		free(text);
		return;
	}
	publish(d, c, next, changed);
	c->note = text;
	for (int i = 0; i < ST_N; i++)
		c->start_n[i] = d->core.stage[i].start_n + 1;
	wait_for(
	    d, c, SUP_WAIT_CONFIG, opts_wanted(&d->cfg), SUP_RELOAD_WAIT_NS);
	if (restarts == 0)
		return;
	daemon_ask(d, opts_wanted(&d->cfg), SUP_EV_RESTART);
	wait_for(d, c, SUP_WAIT_UP, opts_wanted(&d->cfg),
	    d->limits.ready_timeout_ns + d->limits.stop_timeout_ns);
}

static void
carry_out(struct supd *d, struct sup_conn *c, const json_t *rq, uint64_t uid)
{
	const char *cmd = json_string_value(json_object_get(rq, "cmd"));
	const char *text = json_string_value(json_object_get(rq, "text"));

	if (cmd == NULL)
		cmd = "";
	if (text == NULL)
		text = "";
	LOG(LOG_COMMAND, F_STR("command", cmd), F_U64("uid", uid));
	if (strcmp(cmd, "freeze") == 0)
		do_freeze(d, c, text[0] ? text : "no reason given", uid);
	else if (d->stop_ns != 0 && strcmp(cmd, "stop") != 0)
		control_answer(
		    d, c, answer(SUP_RETRY, "the instance is stopping"));
	else if (strcmp(cmd, "start") == 0)
		do_start(d, c, rq, false);
	else if (strcmp(cmd, "restart") == 0)
		do_start(d, c, rq, true);
	else if (strcmp(cmd, "stop") == 0)
		do_stop(d, c, rq);
	else if (strcmp(cmd, "thaw") == 0)
		do_thaw(d, c, text, uid);
	else if (strcmp(cmd, "reload") == 0)
		do_reload(d, c, rq);
	else
		control_answer(d, c, answer(SUP_USAGE, "no such command"));
}

void
command_line(struct supd *d, struct sup_conn *c, const char *line, uint64_t uid)
{
	json_error_t je;
	json_t *rq = json_loads(line, 0, &je);

	if (!json_is_object(rq)) {
		json_decref(rq);
		control_answer(d, c, answer(SUP_USAGE, "not a JSON object"));
		return;
	}
	carry_out(d, c, rq, uid);
	json_decref(rq);
}

static int64_t
metric_sum(const struct supd *d, const char *program, enum metric_id id)
{
	int64_t sum = 0;
	struct err e;

	for (int i = 0; i < ST_N; i++) {
		struct metrics *m;

		if (strcmp(topo_stages[i].program, program) != 0 ||
		    metrics_attach(
			&m, d->inst.dirfd, (enum stage_id)i, false, &e) < 0)
			continue;
		sum += metrics_value(m, id);
		metrics_detach(m);
	}
	return sum;
}

static json_t *
figures(const struct supd *d)
{
#define FIGURE(name, program, id) name, (json_int_t)metric_sum(d, program, id)
	return json_pack(
	    "{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}",
	    FIGURE("feed_gaps", "feedd", M_FEEDD_GAPS),
	    FIGURE("frames", "feedd", M_FEEDD_FRAMES),
	    FIGURE("ticks", "feedd", M_FEEDD_TICKS),
	    FIGURE("records", "recorderd", M_RECORDERD_RECORDS),
	    FIGURE("files", "recorderd", M_RECORDERD_FILES),
	    FIGURE("rows", "recorderd", M_RECORDERD_ROWS),
	    FIGURE("bytes", "recorderd", M_RECORDERD_BYTES),
	    FIGURE("gaps", "recorderd", M_RECORDERD_GAPS),
	    FIGURE("lost", "recorderd", M_RECORDERD_LOST),
	    FIGURE("disk_errors", "recorderd", M_RECORDERD_DISK_ERRORS),
	    FIGURE("fills", "riskd", M_RISKD_FILLS),
	    FIGURE("pnl_day_e6", "riskd", M_RISKD_PNL_DAY),
	    FIGURE("pnl_realised_e6", "riskd", M_RISKD_PNL_REALISED),
	    FIGURE("fees_e6", "riskd", M_RISKD_FEES),
	    FIGURE("resting", "execd", M_EXECD_RESTING));
#undef FIGURE
}

static long long
fig(const json_t *f, const char *name)
{
	return (long long)json_integer_value(json_object_get(f, name));
}

static void
usd(const json_t *f, const char *name, char *buf)
{
	fixed_format(fig(f, name), 6, buf);
}

/* "LOST ...\n" when the recorder's disk failed, else "". */
static const char *
lost_text(const json_t *f, char *buf, size_t n)
{
	buf[0] = '\0';
	if (fig(f, "lost") > 0 || fig(f, "disk_errors") > 0)
		snprintf(buf, n,
		    "LOST %lld records, %lld disk errors: see supervisor "
		    "logs recorderd\n",
		    fig(f, "lost"), fig(f, "disk_errors"));
	return buf;
}

/* Does nothing of ours rest? Of orders that outlive their gateway only what
 * the venue has said counts; else the gateway's own count. "" or the rest. */
static const char *
rest_text(const struct supd *d, json_t *f, char *buf, size_t n)
{
	uint32_t owed = sweep_owed(d);
	char names[128];

	buf[0] = '\0';
	if (d->limits.sweep_mask != 0 && owed == 0)
		json_object_set_new(f, "resting", json_integer(0));
	mask_names(owed, names, sizeof(names));
	if (owed != 0)
		snprintf(buf, n,
		    "; ORDERS OF OURS MAY STILL REST AT THE VENUE: %s", names);
	else if (fig(f, "resting") != 0)
		snprintf(buf, n, "; ORDERS OF OURS STILL REST");
	return buf;
}

json_t *
command_summary(struct supd *d, int *code)
{
	json_t *f = figures(d);
	char rests[192];
	char pnl[FIXED_TEXT_MAX];
	char realised[FIXED_TEXT_MAX];
	char fees[FIXED_TEXT_MAX];
	char lost[128];
	char text[1024];
	uint32_t stopped = 0;
	uint32_t kills = 0;
	bool flat = rest_text(d, f, rests, sizeof(rests))[0] == '\0';

	for (int i = 0; i < ST_N; i++) {
		stopped += d->core.stage[i].died_ns >= d->stop_ns;
		kills += d->core.stage[i].stop_kills;
	}
	usd(f, "pnl_day_e6", pnl);
	usd(f, "pnl_realised_e6", realised);
	usd(f, "fees_e6", fees);
	snprintf(text, sizeof(text),
	    "stopped %u stage%s in %" PRIu64 " ms%s%s\n"
	    "captured: %lld rows in %lld files, %lld records, %lld bytes of "
	    "journal, %lld gaps, in %s\n"
	    "%sreceived: %lld frames, %lld ticks, %lld gaps in the feeds\n"
	    "traded: %lld fills; P&L of the day, earlier runs included: %s "
	    "USD (realised %s, fees %s)",
	    stopped, stopped == 1 ? "" : "s",
	    (d->now_ns - d->stop_ns) / 1000000,
	    kills ? "; some had to be killed: see supervisor logs" : "", rests,
	    fig(f, "rows"), fig(f, "files"), fig(f, "records"), fig(f, "bytes"),
	    fig(f, "gaps"), d->cfg.recorder_dir.s,
	    lost_text(f, lost, sizeof(lost)), fig(f, "frames"), fig(f, "ticks"),
	    fig(f, "feed_gaps"), fig(f, "fills"), pnl, realised, fees);
	*code = !flat				? SUP_NOT_FLAT
		: kills == 0 && lost[0] == '\0' ? SUP_OK
						: SUP_DEGRADED;
	return json_pack("{s:i,s:s,s:i,s:i,s:b,s:o}", "code", *code, "text",
	    text, "stages", (int)stopped, "killed", (int)kills, "flat", flat,
	    "figures", f);
}
