/* links: recorderd libvenue libsys libshm libcore */
/*
 * What was recorded comes back, slot for slot and in the same order, whether
 * it lies in journal segments, in Parquet files, or in both; over hours,
 * sessions and runs; and what is missing is said.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "recorderd/reader.h"
#include "recorderd/tool.h"
#include "tests/unit/reckit.h"

#define WALL INT64_C(1760003590000000000) /* ten seconds before an hour */
#define CAP  ((size_t)2 << 20)
#define TAPS 4u
#define MAX  60000u
#define OWN  3u

static const char *const tap_name[TAPS] = {
    "tap.feedd.bn", "tap.quoted", "tap.execd.pm", JOURNAL_OWN_TAP};
static const uint8_t tap_stage[TAPS] = {
    ST_FEEDD_BN, ST_QUOTED, ST_EXECD_PM, ST_RECORDERD};

struct sent {
	uint8_t tap;
	uint64_t run;
	union tap slot;
};

static char dir[64];
static struct sent *sent;
static unsigned sent_n;
static uint64_t seq[TAPS];
static uint64_t mono;
static uint64_t lost_n;

static uint8_t
kind_of(unsigned tap)
{
	static const uint8_t feed[] = {TICK_BBO, TICK_TRADE, TICK_LEVEL,
	    TICK_SNAP_BEGIN, TICK_SNAP_END, TICK_REF, TICK_LINK, TICK_GAP,
	    TICK_RESTART, TICK_INSTR, TICK_CONN};
	static const uint8_t quoted[] = {MSG_INTENT, TICK_TRACE, TAP_SIGNAL,
	    TICK_TRACE, TICK_RESTART, TICK_GAP};
	static const uint8_t execd[] = {MSG_ACK, MSG_FILL, MSG_DONE, MSG_REJECT,
	    MSG_POSITION, MSG_BALANCE, TICK_TRACE, MSG_STATE, MSG_VERDICT,
	    MSG_ORDER, MSG_CANCEL};
	static const uint8_t own[] = {TAP_MARKOUT, TAP_FREEZE};

	switch (tap) {
	case 0: return feed[rk_rnd(sizeof(feed))];
	case 1: return quoted[rk_rnd(sizeof(quoted))];
	case 2: return execd[rk_rnd(sizeof(execd))];
	default: return own[rk_rnd(sizeof(own))];
	}
}

static struct journal_entry
entry(unsigned i, uint64_t at_ns)
{
	struct journal_entry e;

	memset(&e, 0, sizeof(e));
	e.at_ns = at_ns;
	e.idx = (uint16_t)(16 + i);
	snprintf(e.in.symbol, sizeof(e.in.symbol), "market-%u", i);
	e.in.venue = VENUE_POLYMARKET;
	e.in.cls = CLASS_BINARY;
	e.in.state = (uint8_t)(1 + rk_rnd(INSTR_STATE_N - 1));
	e.in.epoch = (uint16_t)i;
	e.in.tick_px = PX(1000000);
	e.in.min_usd = USD(1000000);
	e.in.strike_px = PX(rk_px());
	e.in.rules = hash_u64(rk_seed, 9);
	e.in.start_wall_ns = WALL;
	e.in.close_px = PX(rk_px());
	for (unsigned k = 0; k < 32; k++) {
		e.in.condition[k] = (uint8_t)rk_rnd(256);
		e.in.token_yes[k] = (uint8_t)rk_rnd(256);
		e.in.token_no[k] = (uint8_t)rk_rnd(256);
	}
	return e;
}

static struct journal_entry entries[8];
static const uint32_t entries_n = 8;

/* A session of the recorder: n slots over some segments. */
static void
session(uint64_t id, uint64_t run, unsigned n, unsigned segments)
{
	static uint8_t config[4096];
	static uint32_t config_n;
	struct journal_open who = {.session = id, .tap_n = TAPS};
	struct journal_io_args a = {.prefix = "h-main",
	    .ops = &journal_posix,
	    .entries = entries,
	    .entries_n = &entries_n,
	    .config = config,
	    .config_n = &config_n,
	    .sync_ns = INT64_MAX};
	struct journal_cfg cfg = {7, mono};
	struct journal_clock now = {mono, WALL + (int64_t)mono};
	struct journal_io io;
	uint8_t *buf = malloc(CAP);
	char path[128];
	char done[JOURNAL_NAME_SZ];
	char text[300];

	snprintf(path, sizeof(path), "%s/journal", dir);
	mkdir(path, 0755);
	a.dirfd = open(path, O_RDONLY | O_DIRECTORY);
	memset(text, 'x', sizeof(text));
	text[299] = '\0';
	memcpy(config, &cfg, sizeof(cfg));
	config_n =
	    sizeof(cfg) +
	    (uint32_t)snprintf((char *)config + sizeof(cfg), 2048,
		"mm.max_spread%c0.08%clong.one%c%s", '\0', '\0', '\0', text) +
	    1;
	for (unsigned i = 0; i < TAPS; i++) {
		snprintf(who.tap[i].name, JOURNAL_TAP_NAME, "%s", tap_name[i]);
		who.tap[i].next_seq = seq[i] > 0 ? seq[i] + 1 : 0;
	}
	/* A recorder that does not know what it had: told again by the ring. */
	bool forgot = id == 0x2000;

	if (forgot)
		who.tap[0].next_seq = 0;
	journal_io_init(&io, &a, buf, CAP, run, &who);
	for (unsigned i = sent_n; forgot && i-- > 0;)
		if (sent[i].tap == tap_stage[0]) {
			journal_put(&io, 0, &sent[i].slot, &now);
			break;
		}
	for (unsigned i = 0; i < n; i++) {
		unsigned t = (unsigned)rk_rnd(10);

		t = t < 5 ? 0 : t < 8 ? 1 : t < 9 ? 2 : i % 7 == 0 ? OWN : 0;
		mono += 1 + rk_rnd(2000000);
		now = (struct journal_clock){
		    mono, WALL + (int64_t)mono + (int64_t)(i / 1000)};
		/* Some slots of a tap are lost on the way. */
		if (t != OWN && rk_rnd(500) == 0 && seq[t] > 0) {
			seq[t] += 3;
			lost_n += 3;
		}
		union tap s = rk_slot(kind_of(t), ++seq[t], mono);

		journal_put(&io, (uint16_t)t, &s, &now);
		assert_true(sent_n < MAX);
		sent[sent_n++] = (struct sent){tap_stage[t], run, s};
		if (rk_rnd(64) == 0)
			assert_int_equal(journal_flush(&io, &now), 0);
		if (i % (n / segments) == n / segments - 1)
			assert_int_equal(journal_rotate(&io, &now, done), 0);
	}
	if (io.fd >= 0)
		assert_int_equal(journal_rotate(&io, &now, done), 0);
	close(a.dirfd);
	free(buf);
}

/* Every slot of every source, in order; losses declared; one digest of all. */
static uint64_t
read_back(void)
{
	struct reader_args a = {.dir = dir, .with_trace = true};
	struct reader *r;
	struct reader_event ev;
	struct err e;
	unsigned at[ST_N] = {0};
	unsigned n = 0;
	unsigned instr_n = 0;
	unsigned config_n = 0;
	uint64_t lost = 0;
	uint64_t last = 0;
	uint64_t run = 0;
	uint64_t h = 1;
	int rc;

	if (reader_open(&r, &a, &e) != 0)
		fail_msg("%s", e.text);
	while ((rc = reader_next(r, &ev)) == 1) {
		if (ev.kind == READER_RUN) {
			run = ev.run_id;
			last = 0;
			continue;
		}
		assert_true(ev.at_ns >= last);
		last = ev.at_ns;
		if (ev.kind == READER_GAP)
			lost += ev.gap.lost_n;
		if (ev.kind == READER_INSTR) {
			instr_n++;
			assert_memory_equal(ev.instr,
			    &entries[ev.instr_idx - 16].in, sizeof(*ev.instr));
		}
		if (ev.kind == READER_CONFIG) {
			config_n++;
			assert_int_equal(ev.cfg_epoch, 7);
			assert_int_equal(strlen(ev.cfg_value),
			    strcmp(ev.cfg_key, "long.one") == 0 ? 299 : 4);
		}
		if (ev.slot == NULL)
			continue;
		unsigned *i = &at[ev.source];

		while (*i < sent_n && sent[*i].tap != ev.source)
			++*i;
		assert_true(*i < sent_n);
		assert_int_equal(sent[*i].run, run);
		assert_int_equal(ev.slot->hdr.kind, sent[*i].slot.hdr.kind);
		assert_memory_equal(ev.slot, &sent[*i].slot, sizeof(union tap));
		assert_int_equal(
		    ev.kind == READER_FREEZE, ev.slot->hdr.kind == TAP_FREEZE);
		h = hash_bytes(
		    hash_u64(h, ev.source), ev.slot, sizeof(union tap));
		++*i;
		n++;
	}
	if (rc != 0)
		fail_msg("%s", reader_why(r));
	assert_int_equal(n, sent_n);
	assert_int_equal(lost, lost_n);
	assert_int_equal(reader_stat(r)->bad, 0);
	assert_int_equal(reader_stat(r)->lost, lost_n);
	assert_true(instr_n >= 8);
	assert_true(config_n >= 2);
	reader_close(r);
	return h;
}

static void
comes_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < entries_n; i++)
		entries[i] = entry(i, 5 + i);
	mono = 1000000;
	session(UINT64_C(0x1000), 41, 12000, 3);
	session(UINT64_C(0x2000), 41, 8000, 2);
	/* Another run: rings, sequences and clock begin again. */
	memset(seq, 0, sizeof(seq));
	mono = 500000;
	for (unsigned i = 0; i < entries_n; i++)
		entries[i].at_ns = 5 + i;
	session(UINT64_C(0x3000), 42, 9000, 2);
	uint64_t journal = read_back();

	assert_int_equal(rk_convert(dir, "h-main", 1024, 4), 0);
	assert_int_equal(read_back(), journal);
	assert_int_equal(rk_convert(dir, "h-main", 700, 0), 0);
	assert_int_equal(read_back(), journal);
}

/* A part of the time, of the sources, of the tables. */
static void
parts(void **state)
{
	struct reader_args a = {.dir = dir,
	    .from_ns = WALL + INT64_C(4000000000),
	    .to_ns = WALL + INT64_C(6000000000),
	    .source_set = 1u << ST_FEEDD_BN,
	    .kind_set = READER_TABLE_PRICE};
	struct reader *r;
	struct reader_event ev;
	struct err e;
	unsigned n = 0;
	unsigned want = 0;

	(void)state;
	for (unsigned i = 0; i < sent_n; i++) {
		const union tap *s = &sent[i].slot;
		int64_t wall =
		    WALL + (int64_t)(s->hdr.recv_ns + s->hdr.pub_delta);

		want += sent[i].tap == ST_FEEDD_BN && wall >= a.from_ns &&
			wall < a.to_ns - 100 &&
			(s->hdr.kind == TICK_BBO || s->hdr.kind == TICK_TRADE ||
			    s->hdr.kind == TICK_REF);
	}
	assert_int_equal(reader_open(&r, &a, &e), 0);
	for (int again = 0; again < 2; again++) {
		n = 0;
		while (reader_next(r, &ev) == 1) {
			if (ev.slot == NULL)
				continue;
			assert_int_equal(ev.source, ST_FEEDD_BN);
			assert_int_equal(
			    rec_slot_table(ev.slot->hdr.kind), REC_PRICE);
			assert_true(ev.wall_ns >= a.from_ns);
			assert_true(ev.wall_ns < a.to_ns);
			n++;
		}
		assert_in_range(n, want, want + 3);
		assert_true(want > 150);
		assert_int_equal(reader_rewind(r), 0);
	}
	reader_close(r);
}

static void
nothing_there(void **state)
{
	struct reader_args a = {.dir = "/tmp/rm-no-such-capture"};
	struct reader *r;
	struct err e;

	(void)state;
	assert_int_equal(reader_open(&r, &a, &e), -ENOENT);
	assert_null(r);
	a.dir = "/tmp/rm-reader-empty";
	mkdir(a.dir, 0755);
	assert_int_equal(reader_open(&r, &a, &e), -ENOENT);
	assert_non_null(strstr(e.text, "nothing recorded"));
	rmdir(a.dir);
}

/* One bit of any Parquet file: an error, or a gap, or the same; no crash, and
 * no slot that was not recorded. */
static char victim[512];
static unsigned victim_at;

static int
pick(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	if (flag == FTW_F && strstr(path, ".parquet") != NULL &&
	    victim_at-- == 0) {
		snprintf(victim, sizeof(victim), "%s", path);
		return 1;
	}
	return 0;
}

/* The verbs say the same: sound with its declared losses, then damaged. */
static void
verbs(void **state)
{
	struct tool_args a = {
	    .dir = dir, .json = true, .rows_max = 1024, .zstd_level = 1};
	struct stat st;
	uint8_t b;

	(void)state;
	fflush(stdout);
	assert_int_equal(tool_convert(&a), 0);
	assert_int_equal(tool_verify(&a), 0);
	/* Slots were lost on the way. */
	assert_int_equal(tool_inspect(&a), TOOL_DAMAGED);
	victim_at = 3;
	nftw(dir, pick, 16, FTW_PHYS);
	int fd = open(victim, O_RDWR);

	assert_int_equal(fstat(fd, &st), 0);
	/* In the middle of the first page of the file. */
	assert_int_equal(pread(fd, &b, 1, 60), 1);
	b ^= 4;
	assert_int_equal(pwrite(fd, &b, 1, 60), 1);
	assert_int_equal(tool_verify(&a), TOOL_DAMAGED);
	b ^= 4;
	assert_int_equal(pwrite(fd, &b, 1, 60), 1);
	close(fd);
	assert_int_equal(tool_verify(&a), 0);
	a.dir = "/tmp/rm-no-such-capture";
	assert_int_equal(tool_verify(&a), TOOL_NO_INPUT);
	assert_int_equal(tool_inspect(&a), TOOL_NO_INPUT);
}

/* Returns whether the damage was noticed. */
static bool
damaged(off_t at, uint8_t bit)
{
	struct reader_args a = {.dir = dir, .with_trace = true};
	int fd = open(victim, O_RDWR);
	struct reader *r;
	struct reader_event ev;
	struct err e;
	bool seen = true;
	uint8_t b;
	int rc;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &b, 1, at), 1);
	b ^= bit;
	assert_int_equal(pwrite(fd, &b, 1, at), 1);
	if (reader_open(&r, &a, &e) == 0) {
		while ((rc = reader_next(r, &ev)) == 1)
			;
		seen = rc < 0 || reader_stat(r)->bad > 0 ||
		       reader_stat(r)->lost > lost_n;
		reader_close(r);
	}
	b ^= bit;
	assert_int_equal(pwrite(fd, &b, 1, at), 1);
	close(fd);
	return seen;
}

static void
flipped(void **state)
{
	unsigned seen = 0;

	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		struct stat st;

		victim_at = (unsigned)rk_rnd(20);
		nftw(dir, pick, 16, FTW_PHYS);
		assert_int_equal(stat(victim, &st), 0);
		seen += damaged((off_t)rk_rnd((uint64_t)st.st_size),
		    (uint8_t)(1u << rk_rnd(8)));
	}
	/* What is left are names, statistics, and the like. */
	printf("%u of 40 flipped bits noticed\n", seen);
	assert_true(seen >= 20);
	read_back();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(comes_back),
	    cmocka_unit_test(parts), cmocka_unit_test(nothing_there),
	    cmocka_unit_test(verbs), cmocka_unit_test(flipped)};
	const char *env = getenv("SEED");

	rk_seed = env != NULL ? strtoull(env, NULL, 10) : 20261121;
	printf("seed %llu (SEED= repeats it)\n", (unsigned long long)rk_seed);
	snprintf(dir, sizeof(dir), "/tmp/rm-reader-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return 1;
	sent = calloc(MAX, sizeof(*sent));
	int rc = cmocka_run_group_tests(tests, NULL, NULL);

	rk_rmtree(dir);
	free(sent);
	return rc;
}
