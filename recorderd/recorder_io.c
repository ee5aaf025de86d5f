#define _GNU_SOURCE
#include "recorderd/recorder.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libcore/check.h"
#include "libcore/hash.h"
#include "libshm/cfg.h"
#include "libsys/clock.h"
#include "libsys/log.h"
#include "libsys/stage.h"
#include "libsys/version.h"
#include "recorderd/mark.h"
#include "recorderd/rec_io.h"

#define BUF_SZ		 ((size_t)8 << 20) /* of records not yet written */
#define SLICE_NS	 UINT64_C(2000000) /* of conversion, each housekeeping */
#define STOP_SLICE_NS	 UINT64_C(50000000)
#define STOP_DRAIN_NS	 UINT64_C(2000000000)
#define RETRY_NS	 UINT64_C(1000000000)
#define CONVERT_RETRY_NS UINT64_C(60000000000)
/* Reading two clocks one after the other is not exact; the difference between
 * them is held until it is off by more than this. */
#define CLOCK_HOLD_NS INT64_C(20000)

/* The metrics that go on counting when the stage begins again. */
#define REC_METRIC_N (M_RECORDERD_DISK_ERRORS - M_RECORDERD_RECORDS + 1)

struct recorder {
	struct rec_io rec;
	struct journal_io journal;
	struct journal_open open;
	uint8_t *buf;
	char prefix[96];
	bool has_dir;
	int dir_err; /* why not, a negative errno                     */
	uint64_t dir_retry_ns;
	uint64_t convert_retry_ns;
	int shown_err; /* of the journal, as logged last           */
	uint64_t shown_lost;
	uint64_t tap_gaps; /* declared by producers that found a tap full */
	uint64_t tap_lost;
	bool closing;	    /* what is in memory now is lost                 */
	uint64_t lost_file; /* records the disk did not take          */
	int64_t base[REC_METRIC_N]; /* of the page when we began      */
	uint64_t stop_ns;
	bool rotated;
	bool all_done; /* no segment below this one waits           */
	uint32_t done_below;
	uint16_t tap_of[RG_N];
	uint16_t name_at[INSTR_N]; /* place in names + 1                   */
	struct journal_instr names[INSTR_N];
	struct journal_entry entries[INSTR_N]; /* in the same places       */
	uint32_t names_n;
	bool has_names; /* the table was looked through once            */
	uint8_t config[JOURNAL_CFG_MAX];
	uint32_t config_n;
	uint16_t own_tap; /* what we tell ourselves: freezes, markouts  */
	uint64_t own_seq; /* next                                       */
	bool freeze_told[FW_N];
	uint64_t freeze_epoch[FW_N];
	struct mark mark;
	int64_t clock_ns; /* UTC minus monotonic                        */
	uint64_t changes[VENUE_N];
};

static struct journal_clock
clock_of(const struct stage *s)
{
	struct recorder *r = s->ops->self;
	int64_t off = s->wall_ns - (int64_t)s->now_ns;

	if (off - r->clock_ns > CLOCK_HOLD_NS ||
	    r->clock_ns - off > CLOCK_HOLD_NS)
		r->clock_ns = off;
	return (struct journal_clock){
	    s->now_ns, (int64_t)s->now_ns + r->clock_ns};
}

/* ---- what the recorder tells itself ---- */

static void
own_put(struct stage *s, const struct tick *t)
{
	struct recorder *r = s->ops->self;
	struct journal_clock now = clock_of(s);
	union tap slot;

	memset(&slot, 0, sizeof(slot));
	slot.tick = *t;
	slot.hdr.seq = r->own_seq++;
	slot.hdr.pub_delta = slot_delta(slot.hdr.recv_ns, s->now_ns);
	journal_put(&r->journal, r->own_tap, &slot, &now);
}

/* Every freeze word at the start, and again when it changes. */
static void
watch_freezes(struct stage *s)
{
	struct recorder *r = s->ops->self;

	for (unsigned w = 0; w < FW_N; w++) {
		const struct ctl_freeze *f = &s->ctl->freeze[w];
		uint64_t epoch = atomic_load(&f->epoch);
		struct tick t = {.hdr = {.kind = TAP_FREEZE}};

		if (r->freeze_told[w] && epoch == r->freeze_epoch[w])
			continue;
		r->freeze_told[w] = true;
		r->freeze_epoch[w] = epoch;
		t.hdr.recv_ns = s->now_ns;
		t.u.freeze = (struct tick_freeze){.mask = atomic_load(&f->mask),
		    .epoch = epoch,
		    .since_ns = atomic_load(&f->since_ns),
		    .word = w};
		own_put(s, &t);
	}
}

static void
watch_fills(struct stage *s, const union tap *slot)
{
	struct recorder *r = s->ops->self;
	struct tick out[MARK_OUT_MAX];
	uint32_t n = mark_step(&r->mark, slot, out);

	for (uint32_t i = 0; i < n; i++)
		own_put(s, &out[i]);
}

/* The configuration as the journal keeps it. */
static void
note_config(struct stage *s, uint64_t at_ns)
{
	struct recorder *r = s->ops->self;
	struct journal_cfg head = {s->cfg_epoch, at_ns};
	char text[CFG_TEXT_SZ];

	memcpy(r->config, &head, sizeof(head));
	r->config_n = sizeof(head);
	for (size_t i = 0; i < CFG_KEY_N; i++) {
		const struct cfg_key *k = cfg_key_at(i);
		size_t room = sizeof(r->config) - r->config_n;

		cfg_text(&s->cfg, i, text);
		int n = snprintf((char *)r->config + r->config_n, room,
		    "%s.%s%c%s", k->group, k->name, '\0', text);

		CHECK(n > 0);
		if ((size_t)n + 1 > room)
			return;
		r->config_n += (uint32_t)n + 1;
	}
}

static void
write_config(struct stage *s)
{
	struct recorder *r = s->ops->self;
	struct journal_clock now = clock_of(s);
	struct journal_head what;

	note_config(s, s->now_ns);
	what = (struct journal_head){
	    .kind = JOURNAL_CONFIG, .count = 1, .payload_len = r->config_n};
	/* A segment yet to be opened begins with it. */
	if (r->journal.fd < 0)
		return;
	if (!journal_block_add(&r->journal.j, &what, r->config, &now) &&
	    journal_flush(&r->journal, &now) == 0)
		journal_block_add(&r->journal.j, &what, r->config, &now);
}

/* ---- instruments ---- */

#define NEW_NAME  1u
#define NEW_ENTRY 2u

/* Remember an entry. What of it is new. */
static unsigned
note_instr(
    struct recorder *r, uint16_t idx, const struct instr *in, uint64_t at_ns)
{
	struct journal_instr one = {.instr = idx,
	    .epoch = in->epoch,
	    .venue = in->venue,
	    .cls = in->cls};
	unsigned news = 0;

	CHECK(idx < INSTR_N);
	snprintf(one.symbol, sizeof(one.symbol), "%.*s",
	    (int)sizeof(in->symbol), in->symbol);
	if (r->name_at[idx] == 0) {
		r->name_at[idx] = (uint16_t)++r->names_n;
		news = NEW_NAME | NEW_ENTRY;
	}
	uint32_t at = r->name_at[idx] - 1u;

	if (memcmp(&r->names[at], &one, sizeof(one)) != 0)
		news |= NEW_NAME;
	if (memcmp(&r->entries[at].in, in, sizeof(*in)) != 0)
		news |= NEW_ENTRY;
	r->names[at] = one;
	if ((news & NEW_ENTRY) != 0) {
		r->entries[at].at_ns = at_ns;
		r->entries[at].idx = idx;
		r->entries[at].in = *in;
	}
	return news;
}

static bool
add_entry(struct recorder *r, uint16_t idx, unsigned news,
    const struct journal_clock *now)
{
	uint32_t at = r->name_at[idx] - 1u;
	const struct journal_head what = {.kind = JOURNAL_ENTRY,
	    .count = 1,
	    .payload_len = sizeof(r->entries[at])};

	if ((news & NEW_NAME) != 0 &&
	    !journal_instr_add(&r->journal.j, &r->names[at], 1, now))
		return false;
	return journal_block_add(&r->journal.j, &what, &r->entries[at], now);
}

static void
write_instr(
    struct stage *s, uint16_t idx, const struct instr *in, uint64_t at_ns)
{
	struct recorder *r = s->ops->self;
	struct journal_clock now = clock_of(s);
	unsigned news = note_instr(r, idx, in, at_ns);

	/* A segment yet to be opened begins with all of them. */
	if (news == 0 || r->journal.fd < 0)
		return;
	/* No room: the next segment begins with it. */
	if (!add_entry(r, idx, news, &now) &&
	    journal_flush(&r->journal, &now) == 0)
		add_entry(r, idx, news, &now);
}

/* What the table says now; at the start, and when a change was not seen as a
 * slot. */
static void
read_instruments(struct stage *s)
{
	struct recorder *r = s->ops->self;
	/* What was there when we came was there before what waits for us. */
	uint64_t at = r->has_names ? s->now_ns : 0;
	bool changed = false;
	struct instr in;

	for (unsigned v = 0; v < VENUE_N; v++) {
		uint64_t n = atomic_load_explicit(
		    &s->instr->changes[v][0], memory_order_acquire);

		changed |= n != r->changes[v];
		r->changes[v] = n;
	}
	r->has_names = true;
	if (!changed)
		return;
	for (unsigned i = 1; i < INSTR_N; i++)
		if (instr_read(s->instr, (uint16_t)i, &in))
			write_instr(s, (uint16_t)i, &in, at);
}

/* ---- opening ---- */

static void
make_prefix(char out[96], const char *instance)
{
	char host[64] = "host";

	gethostname(host, sizeof(host) - 1);
	host[40] = '\0';
	for (char *p = host; *p != '\0'; p++)
		if (strchr(
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			"0123456789_.-",
			*p) == NULL)
			*p = '-';
	snprintf(out, 96, "%s-%s", host, instance);
}

static void
on_finished(void *ctx, const char *path, uint64_t rows, uint64_t bytes)
{
	(void)ctx;
	LOG(LOG_FILE_CLOSED, F_STR("file", path), F_U64("rows_n", rows),
	    F_U64("bytes", bytes));
}

static void
on_recovered(
    void *ctx, const char *name, const struct journal_found *f, int err)
{
	(void)ctx;
	if (err == 0 && f->closed && f->bad_bytes == 0)
		return;
	LOG(LOG_FILE_RECOVERED, F_STR("file", name),
	    F_U64("records_n", f->records), F_U64("lost_bytes", f->torn_bytes),
	    F_U64("damaged_bytes", f->bad_bytes), F_I64("code", err));
}

/* The tables that are to be written; 0: all of them. */
static uint32_t
chosen_tables(const struct cfg *cfg)
{
	uint32_t set = 0;

	for (uint32_t i = 0; i < cfg->recorder_kinds.n; i++) {
		int t = rec_table_find(cfg->recorder_kinds.item[i]);

		if (t >= 0)
			set |= 1u << t;
	}
	return set;
}

/* Directory, recovery of what is there, and the journal's arguments. */
static int
open_dir(struct stage *s)
{
	struct recorder *r = s->ops->self;
	struct journal_found sum;
	struct err e;
	const struct rec_io_args a = {.dir = s->cfg.recorder_dir.s,
	    .prefix = r->prefix,
	    .rows_max = (uint32_t)s->cfg.recorder_row_group,
	    .zstd_level = (int)s->cfg.recorder_zstd_level,
	    .table_set = chosen_tables(&s->cfg),
	    .finished = on_finished};
	int rc = rec_io_open(&r->rec, &a, &e);

	if (rc != 0) {
		r->dir_err = rc;
		LOG(LOG_DISK_ERROR, F_STR("file", a.dir),
		    F_STR("what", e.text));
		return rc;
	}
	const struct journal_resume_args ra = {.dirfd = r->rec.journal,
	    .prefix = r->prefix,
	    .run_id = s->instr->hdr.run_id,
	    .buf = r->buf,
	    .cap = JOURNAL_BUF_MIN,
	    .each = on_recovered};

	rc = journal_resume(&ra, &r->open, &sum);
	if (rc != 0)
		LOG(LOG_DISK_ERROR, F_STR("file", a.dir),
		    F_STR("what", strerror(-rc)));
	r->has_dir = true;
	return 0;
}

static void
open_journal(struct stage *s)
{
	struct recorder *r = s->ops->self;
	const struct journal_io_args a = {
	    .dirfd = r->has_dir ? r->rec.journal : -1,
	    .dir_err = r->dir_err,
	    .prefix = r->prefix,
	    .ops = &journal_posix,
	    .names = r->names,
	    .names_n = &r->names_n,
	    .entries = r->entries,
	    .entries_n = &r->names_n,
	    .config = r->config,
	    .config_n = &r->config_n,
	    .sync_ns = s->cfg.recorder_fsync_interval.ns,
	    .min_free = s->cfg.recorder_min_free_bytes};

	journal_io_init(
	    &r->journal, &a, r->buf, BUF_SZ, s->instr->hdr.run_id, &r->open);
}

static int
stage_open(struct stage *s)
{
	struct recorder *r = s->ops->self;

	r->buf = malloc(BUF_SZ);
	if (r->buf == NULL)
		return EXIT_TEMPORARY;
	signal(SIGXFSZ, SIG_IGN);
	make_prefix(r->prefix, s->instance.name);
	r->open.session = (uint64_t)s->wall_ns;
	r->open.config_hash = hash_bytes(HASH_SEED, &s->cfg, sizeof(s->cfg));
	snprintf(r->open.host, sizeof(r->open.host), "%.*s",
	    (int)(strlen(r->prefix) - strlen(s->instance.name) - 1), r->prefix);
	snprintf(
	    r->open.instance, sizeof(r->open.instance), "%s", s->instance.name);
	snprintf(r->open.build, sizeof(r->open.build), "%s", RINGMAKER_VERSION);
	for (uint32_t k = 0; k < s->in_n; k++) {
		enum ring_id id = (enum ring_id)s->in[k];

		snprintf(r->open.tap[k].name, JOURNAL_TAP_NAME, "%s",
		    topo_rings[id].name);
		r->tap_of[id] = (uint16_t)k;
		/* The cursor moves only behind what is in the file. */
		s->ring[id].lazy = UINT32_MAX;
	}
	r->own_tap = (uint16_t)s->in_n;
	r->open.tap_n = s->in_n + 1;
	CHECK(r->open.tap_n <= JOURNAL_TAPS_MAX);
	snprintf(r->open.tap[r->own_tap].name, JOURNAL_TAP_NAME, "%s",
	    JOURNAL_OWN_TAP);
	mark_init(&r->mark, &s->cfg);
	note_config(s, 0);
	for (unsigned i = 0; i < REC_METRIC_N; i++)
		r->base[i] = metrics_value(
		    s->metrics, (enum metric_id)(M_RECORDERD_RECORDS + i));
	if (open_dir(s) == -EBUSY)
		return EXIT_TEMPORARY;
	open_journal(s);
	r->own_seq = r->open.tap[r->own_tap].next_seq;
	if (r->own_seq == 0)
		r->own_seq = 1;
	read_instruments(s);
	return 0;
}

/* The directory may come back: a disk that is mounted late. */
static void
retry_dir(struct stage *s)
{
	struct recorder *r = s->ops->self;

	if (r->has_dir || s->now_ns < r->dir_retry_ns)
		return;
	r->dir_retry_ns = s->now_ns + RETRY_NS;
	struct journal_open keep = r->open;
	uint8_t *scan = malloc(JOURNAL_BUF_MIN);
	uint8_t *buf = r->buf;

	if (scan == NULL)
		return;
	/* The buffer is full of what waits; recovery must not touch it. */
	r->buf = scan;
	if (open_dir(s) == 0)
		r->journal.args.dirfd = r->rec.journal;
	else
		r->journal.args.dir_err = r->dir_err;
	r->buf = buf;
	r->open = keep;
	free(scan);
}

/* ---- the loop's callbacks ---- */

static void
stage_step(struct stage *s, const struct event *ev)
{
	struct recorder *r = s->ops->self;
	struct journal_clock now = clock_of(s);

	switch (ev->kind) {
	case EV_SLOT:
		if (ev->instr != NULL)
			write_instr(s, ev->slot->hdr.instr, ev->instr,
			    ev->slot->hdr.recv_ns + ev->slot->hdr.pub_delta);
		if (ev->slot->hdr.kind == TICK_GAP &&
		    ev->slot->tick.u.gap.scope == 3) {
			r->tap_gaps++;
			r->tap_lost += ev->slot->tick.u.gap.lost_n;
		}
		journal_put(&r->journal, r->tap_of[ev->ring], ev->slot, &now);
		watch_fills(s, ev->slot);
		return;
	case EV_CFG:
		r->journal.args.sync_ns = s->cfg.recorder_fsync_interval.ns;
		r->journal.args.min_free = s->cfg.recorder_min_free_bytes;
		mark_configure(&r->mark, &s->cfg);
		write_config(s);
		return;
	case EV_TIMER:
	case EV_STOP: return;
	case EVENT_KIND_N: break;
	}
	CHECK(false);
}

/* Trouble is said once, when it begins and when it changes. */
static void
say_trouble(struct recorder *r)
{
	int err = r->journal.err;
	uint64_t lost = 0;

	if (!r->has_dir) /* said where it was tried */
		return;
	if (err != r->shown_err && err == -ENOSPC)
		LOG(LOG_DISK_LOW, F_STR("dir", r->rec.args.dir));
	else if (err != r->shown_err && err != 0)
		LOG(LOG_DISK_ERROR, F_STR("file", r->journal.name),
		    F_STR("what", strerror(-err)));
	r->shown_err = err;
	for (unsigned i = 0; i < r->open.tap_n; i++)
		lost += r->journal.j.n[i].lost;
	if (lost > r->shown_lost)
		LOG(LOG_RECORDER_GAP, F_STR("source", "journal"),
		    F_U64("n", lost - r->shown_lost));
	r->shown_lost = lost;
}

static void
stage_batch(struct stage *s)
{
	struct recorder *r = s->ops->self;
	struct journal_clock now = clock_of(s);

	journal_flush(&r->journal, &now);
}

static void
tell(const struct stage *s, enum metric_id id, uint64_t since_open)
{
	const struct recorder *r = s->ops->self;

	metrics_set(s->metrics, id,
	    r->base[id - M_RECORDERD_RECORDS] + (int64_t)since_open);
}

/* Lost: what gaps declare, what the next gap will, and at the end what is
 * still in memory. What the recorder told itself does not count. */
static void
publish(struct stage *s)
{
	struct recorder *r = s->ops->self;
	uint64_t left[JOURNAL_TAPS_MAX];
	uint64_t left_n = journal_left(&r->journal.j, left);
	uint64_t kept = 0;
	uint64_t gaps = r->tap_gaps;
	uint64_t lost = r->tap_lost;

	left_n -= left[r->own_tap];
	r->lost_file = r->closing ? left_n : 0;
	for (uint16_t i = 0; i < r->own_tap; i++) {
		const struct journal_count *n = &r->journal.j.n[i];
		uint64_t owed = journal_owed(&r->journal.j, i);

		kept += n->kept;
		gaps += n->gaps;
		lost += n->lost + owed;
		gaps += owed > 0 || (r->closing && left[i] > 0);
		r->lost_file += n->refused;
	}
	lost += r->closing ? left_n : 0;
	tell(s, M_RECORDERD_RECORDS, kept - left_n);
	tell(s, M_RECORDERD_BYTES, r->journal.stat.bytes);
	tell(s, M_RECORDERD_ROWS, r->rec.stat.rows);
	tell(s, M_RECORDERD_FILES, r->rec.stat.files);
	tell(s, M_RECORDERD_GAPS, gaps);
	tell(s, M_RECORDERD_LOST, lost);
	tell(s, M_RECORDERD_DISK_ERRORS,
	    r->journal.stat.errors + r->rec.stat.errors);
}

static void
rotate(struct stage *s)
{
	struct recorder *r = s->ops->self;
	struct journal_clock now = clock_of(s);
	char done[JOURNAL_NAME_SZ];

	/* On the hour, not an hour after the start. */
	if (r->journal.fd >= 0 &&
	    s->wall_ns / s->cfg.recorder_rotate.ns !=
		r->journal.opened_wall_ns / s->cfg.recorder_rotate.ns)
		journal_rotate(&r->journal, &now, done);
}

/* Convert for a slice of time. True when nothing is left to convert. */
static bool
convert(struct stage *s, uint64_t slice_ns)
{
	struct recorder *r = s->ops->self;
	uint64_t end = clock_mono_ns() + slice_ns;
	struct journal_id id;
	int rc = 0;

	if (!r->has_dir)
		return true;
	if (!r->rec.busy) {
		if (s->now_ns < r->convert_retry_ns ||
		    !rec_io_pending(
			&r->rec, r->open.session, r->journal.segment, &id))
			return true;
		rc = rec_io_begin(&r->rec, &id);
	}
	while (rc >= 0 && r->rec.busy && clock_mono_ns() < end)
		rc = rec_io_work(&r->rec, 4);
	if (rc >= 0)
		return false;
	LOG(LOG_DISK_ERROR, F_STR("file", r->rec.name),
	    F_STR("what", strerror(-rc)));
	r->convert_retry_ns = s->now_ns + CONVERT_RETRY_NS;
	return true;
}

static void
stage_housekeep(struct stage *s)
{
	struct recorder *r = s->ops->self;

	retry_dir(s);
	read_instruments(s);
	if (s->stop_ns == 0)
		watch_freezes(s);
	stage_batch(s);
	if (s->stop_ns == 0) {
		rotate(s);
		convert(s, SLICE_NS);
	}
	say_trouble(r);
	publish(s);
}

/* What the rings still hold, then the last segment, then its files. */
static bool
stage_stop(struct stage *s)
{
	struct recorder *r = s->ops->self;
	struct journal_clock now = clock_of(s);
	char done[JOURNAL_NAME_SZ];

	if (!r->rotated && s->now_ns - s->stop_ns < STOP_DRAIN_NS)
		for (uint32_t k = 0; k < s->in_n; k++)
			if (ring_peek(&s->ring[s->in[k]]) != NULL)
				return false;
	if (!r->rotated)
		journal_rotate(&r->journal, &now, done);
	r->rotated = true;
	return convert(s, STOP_SLICE_NS);
}

static int
stage_close(struct stage *s)
{
	struct recorder *r = s->ops->self;
	struct journal_clock now = clock_of(s);

	/* The last try, without waiting for its time. */
	r->journal.retry_ns = 0;
	journal_flush(&r->journal, &now);
	say_trouble(r);
	r->closing = true;
	publish(s);
	if (r->lost_file > 0)
		LOG(LOG_RECORDER_GAP, F_STR("source", "disk"),
		    F_U64("n", r->lost_file),
		    F_STR("reason", strerror(-r->journal.err)));
	LOG(LOG_CAPTURE_SUMMARY,
	    F_I64("records_n", metrics_value(s->metrics, M_RECORDERD_RECORDS)),
	    F_U64("files_n", r->rec.stat.files),
	    F_U64("rows_n", r->rec.stat.rows),
	    F_U64("bytes", r->rec.stat.bytes),
	    F_I64("gaps_n", metrics_value(s->metrics, M_RECORDERD_GAPS)),
	    F_I64("lost_n", metrics_value(s->metrics, M_RECORDERD_LOST)));
	if (r->journal.fd >= 0)
		close(r->journal.fd);
	rec_io_close(&r->rec);
	free(r->buf);
	return r->lost_file > 0 ? EXIT_TEMPORARY : 0;
}

int
recorder_stage(int argc, char **argv)
{
	static struct recorder recorder;
	const struct stage_ops ops = {.program = "recorderd",
	    .about = "Records everything that flows: journal, then Parquet.",
	    .self = &recorder,
	    .open = stage_open,
	    .step = stage_step,
	    .batch = stage_batch,
	    .housekeep = stage_housekeep,
	    .stop = stage_stop,
	    .stop_limit_ns = UINT64_C(600) * (uint64_t)NS_PER_S,
	    .close = stage_close};

	return stage_main(&ops, argc, argv);
}
