/* links: recorderd libshm libcore */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "libcore/hash.h"
#include "recorderd/journal.h"

#define CAP (JOURNAL_BUF_MIN + 100000)

static const struct journal_clock clk = {
    .mono_ns = 5000, .wall_ns = 1760000000000005000};

struct fixture {
	struct journal j;
	uint8_t *buf;
};

static void
start(struct fixture *f, size_t cap)
{
	struct journal_open open = {.host = "h",
	    .instance = "main",
	    .session = 7,
	    .tap_n = 3,
	    .tap = {{.name = "tap.a"}, {.name = "tap.b"}, {.name = "tap.c"}}};

	journal_init(&f->j, f->buf, cap, 77, &open);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->buf = malloc(CAP);
	start(f, CAP);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	free(f->buf);
	free(f);
	return 0;
}

/* A slot whose every stored byte follows from tap and sequence. */
static union tap
slot_of(uint16_t tap, uint64_t seq)
{
	union tap s;
	uint64_t h = hash_u64(tap, seq);
	uint8_t *p = (uint8_t *)&s;

	memset(&s, 0, sizeof(s));
	s.hdr.seq = seq;
	s.hdr.kind = h % 3 == 0 ? MSG_FILL : TICK_TRADE;
	s.hdr.recv_ns = 1000 + seq;
	for (size_t i = sizeof(s.hdr);
	     i < (s.hdr.kind == MSG_FILL ? sizeof(s) : sizeof(s.tick)); i++)
		p[i] = (uint8_t)(h >> (i % 8 * 8)) ^ (uint8_t)i;
	return s;
}

static bool
add(struct fixture *f, uint16_t tap, uint64_t seq)
{
	union tap s = slot_of(tap, seq);

	/* What a ring leaves behind a tick must not matter. */
	if (slot_is_tick(s.hdr.kind))
		memset((uint8_t *)&s + sizeof(s.tick), 0xab,
		    sizeof(s) - sizeof(s.tick));
	return journal_add(&f->j, tap, &s, &clk);
}

struct seen {
	uint64_t next[JOURNAL_TAPS_MAX];
	uint64_t records;
	uint64_t gaps;
	uint64_t lost;
	uint32_t last_cause;
	int32_t last_err;
	uint64_t blocks;
	uint64_t instruments;
};

/* Walk the bytes, check every record, and that nothing is missing. */
static size_t
walk(const uint8_t *p, size_t n, struct seen *seen)
{
	size_t at = 0;
	struct journal_head h;
	size_t total;

	while (journal_check(p + at, n - at, &h, &total) == JOURNAL_OK) {
		size_t pos = 0;
		union tap s;
		uint64_t seq = h.first_seq;
		struct journal_gap g;

		assert_int_equal(h.run_id, 77);
		assert_int_equal(h.mono_ns, clk.mono_ns);
		assert_int_equal(at % JOURNAL_ALIGN, 0);
		if (h.kind == JOURNAL_SLOTS) {
			if (seen->next[h.tap] != 0)
				assert_int_equal(seq, seen->next[h.tap]);
			while (journal_slot(p + at, &h, &pos, &s)) {
				union tap want = slot_of(h.tap, seq++);

				assert_memory_equal(&s, &want, sizeof(s));
				seen->records++;
			}
			assert_int_equal(seq - h.first_seq, h.count);
			assert_int_equal(h.last_ns, 1000 + seq - 1);
			seen->next[h.tap] = seq;
		} else if (h.kind == JOURNAL_GAP) {
			memcpy(&g, p + at + sizeof(h), sizeof(g));
			assert_int_equal(g.first_seq, seen->next[h.tap]);
			seen->next[h.tap] = g.first_seq + g.lost_n;
			seen->gaps++;
			seen->lost += g.lost_n;
			seen->last_cause = g.cause;
			seen->last_err = g.err;
		} else if (h.kind == JOURNAL_INSTR) {
			seen->instruments += h.count;
		}
		seen->blocks++;
		at += total;
	}
	return at;
}

static void
round_trip(void **state)
{
	struct fixture *f = *state;
	struct seen seen = {0};

	for (uint64_t seq = 1; seq <= 2000; seq++) {
		assert_true(add(f, 0, seq));
		if (seq % 7 == 0)
			assert_true(add(f, 2, seq / 7));
	}
	journal_seal(&f->j, &clk);
	assert_int_equal(walk(f->buf, f->j.len, &seen), f->j.len);
	assert_int_equal(seen.records, 2000 + 285);
	assert_int_equal(seen.gaps, 0);
	assert_int_equal(f->j.n[0].kept, 2000);
	assert_int_equal(journal_whole(&f->j, f->j.len), f->j.len);
	assert_int_equal(journal_whole(&f->j, f->j.len - 1) % 64, 0);
	assert_true(journal_whole(&f->j, f->j.len - 1) < f->j.len);
}

static void
duplicates_and_jumps(void **state)
{
	struct fixture *f = *state;
	struct seen seen = {0};

	assert_true(add(f, 0, 10)); /* where a tap begins is no gap */
	assert_true(add(f, 0, 11));
	assert_true(add(f, 0, 10));
	assert_true(add(f, 0, 11));
	assert_true(add(f, 0, 15)); /* 12, 13, 14 are missing */
	assert_true(add(f, 0, 13));
	assert_true(add(f, 1, 1));
	assert_true(add(f, 0, 16));
	journal_seal(&f->j, &clk);
	walk(f->buf, f->j.len, &seen);
	assert_int_equal(seen.records, 5);
	assert_int_equal(seen.gaps, 1);
	assert_int_equal(seen.lost, 3);
	assert_int_equal(seen.last_cause, JOURNAL_LOST_RING);
	assert_int_equal(f->j.n[0].dup, 3);
	assert_int_equal(f->j.n[0].lost, 3);
	assert_int_equal(f->j.n[1].lost, 0);
}

static void
refused_becomes_a_gap(void **state)
{
	struct fixture *f = *state;
	struct seen seen = {0};
	uint64_t seq = 1;
	uint64_t refused = 0;
	uint64_t left[JOURNAL_TAPS_MAX];

	start(f, JOURNAL_BUF_MIN);
	while (add(f, 0, seq))
		seq++;
	for (; refused < 100; refused++)
		journal_refuse(&f->j, 0, seq + refused, 28);
	journal_refuse(&f->j, 1, 5, 28); /* before anything was kept */
	assert_int_equal(journal_owed(&f->j, 0), 100);
	assert_int_equal(journal_owed(&f->j, 1), 1);
	assert_int_equal(journal_left(&f->j, left), seq - 1); /* one open */
	assert_int_equal(left[0], seq - 1);
	journal_seal(&f->j, &clk);
	walk(f->buf, f->j.len, &seen);
	journal_taken(&f->j, f->j.len);
	assert_int_equal(f->j.len, 0);
	assert_int_equal(f->j.open.tap[0].next_seq, seq);
	assert_int_equal(journal_left(&f->j, left), 0);
	assert_true(add(f, 0, seq + refused));
	assert_int_equal(journal_owed(&f->j, 0), 0); /* a gap says it now */
	assert_true(journal_pass(&f->j, 1, 9, &clk));
	assert_true(journal_pass(&f->j, 1, 9, &clk));
	assert_true(journal_pass(&f->j, 2, 9, &clk)); /* never seen */
	seen.next[1] = 5;
	walk(f->buf, f->j.len, &seen);
	assert_int_equal(seen.gaps, 2);
	assert_int_equal(seen.lost, 100 + 4);
	assert_int_equal(seen.last_cause, JOURNAL_LOST_FILE);
	assert_int_equal(seen.last_err, 28);
	assert_int_equal(f->j.n[0].refused, 100);
	/* The error belongs to its gap, not to the next one. */
	assert_true(add(f, 0, seq + refused + 5));
	journal_seal(&f->j, &clk);
	memset(&seen, 0, sizeof(seen));
	seen.next[0] = seq;
	seen.next[1] = 5;
	walk(f->buf, f->j.len, &seen);
	assert_int_equal(seen.gaps, 3);
	assert_int_equal(seen.last_cause, JOURNAL_LOST_RING);
}

/* Filling, taking any whole part and going on gives the same stream as one
 * large buffer. */
static void
taken_in_pieces(void **state)
{
	struct fixture *f = *state;
	uint8_t *file = malloc((size_t)8 << 20);
	size_t len = 0;
	struct seen seen = {0};
	uint64_t r = 3;

	start(f, JOURNAL_BUF_MIN);
	for (uint64_t seq = 1; seq <= 30000; seq++) {
		while (!add(f, 1, seq)) {
			r = hash_u64(r, seq);
			journal_seal(&f->j, &clk);
			size_t n = journal_whole(
			    &f->j, f->j.len / 2 + r % (f->j.len / 2));

			assert_true(n > 0);
			memcpy(file + len, f->buf, n);
			len += n;
			journal_taken(&f->j, n);
		}
		if (seq % 3000 == 0)
			journal_seal(&f->j, &clk);
	}
	journal_seal(&f->j, &clk);
	memcpy(file + len, f->buf, f->j.len);
	len += f->j.len;
	assert_int_equal(walk(file, len, &seen), len);
	assert_int_equal(seen.records, 30000);
	assert_int_equal(seen.gaps, 0);
	free(file);
}

static void
other_blocks(void **state)
{
	struct fixture *f = *state;
	uint8_t head[JOURNAL_OPEN_SZ];
	struct journal_instr in[2] = {{.instr = 17, .symbol = "BTCUSDT"}};
	struct journal_head h;
	struct journal_open open;
	size_t total;
	struct seen seen = {0};

	assert_true(add(f, 0, 1));
	assert_true(journal_instr_add(&f->j, in, 2, &clk));
	assert_true(journal_close(&f->j, &clk));
	walk(f->buf, f->j.len, &seen);
	assert_int_equal(seen.blocks, 3);
	assert_int_equal(seen.instruments, 2);
	/* The cursors of OPEN are those of what was taken, not of what the
	 * buffer holds: a crash would lose that. */
	journal_open_block(&f->j, head, 4, &clk);
	assert_int_equal(
	    journal_check(head, sizeof(head), &h, &total), JOURNAL_OK);
	memcpy(&open, head + sizeof(h), sizeof(open));
	assert_int_equal(open.tap[0].next_seq, 0);
	assert_int_equal(open.segment, 4);
	journal_taken(&f->j, f->j.len);
	journal_open_block(&f->j, head, 5, &clk);
	memcpy(&open, head + sizeof(h), sizeof(open));
	assert_int_equal(open.tap[0].next_seq, 2);
	assert_string_equal(open.tap[1].name, "tap.b");
}

/* Any single flipped bit is noticed, any cut is a short block. */
static void
damage_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct journal_head h;
	size_t total;

	for (uint64_t seq = 1; seq <= 5; seq++)
		assert_true(add(f, 0, seq));
	journal_seal(&f->j, &clk);
	size_t used = sizeof(h) + ((struct journal_head *)f->buf)->payload_len;

	for (size_t bit = 0; bit < used * 8; bit++) {
		f->buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(
		    journal_check(f->buf, f->j.len, &h, &total), JOURNAL_OK);
		f->buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t n = 0; n < f->j.len; n++)
		assert_int_equal(
		    journal_check(f->buf, n, &h, &total), JOURNAL_SHORT);
	assert_int_equal(
	    journal_check(f->buf, f->j.len, &h, &total), JOURNAL_OK);
}

/* A block with good checksums and absurd numbers is refused, too. */
static void
forged(void **state)
{
	struct fixture *f = *state;
	struct journal_head *h = (struct journal_head *)f->buf;
	struct journal_head out;
	size_t total;

	assert_true(add(f, 0, 1));
	journal_seal(&f->j, &clk);
	const struct journal_head good = *h;

	for (int i = 0; i < 6; i++) {
		*h = good;
		h->payload_len = i == 0 ? UINT32_MAX : h->payload_len;
		h->count = i == 1 ? JOURNAL_BLOCK_MAX + 1 : h->count;
		h->count = i == 2 ? 0 : h->count;
		h->tap = i == 3 ? JOURNAL_TAPS_MAX : h->tap;
		h->kind = i == 4 ? JOURNAL_KIND_N : h->kind;
		h->version = i == 5 ? JOURNAL_VERSION + 1 : h->version;
		h->head_hash = hash_bytes(
		    HASH_SEED, h, offsetof(struct journal_head, head_hash));
		assert_int_equal(
		    journal_check(f->buf, f->j.len, &out, &total), JOURNAL_BAD);
	}
}

static void
wall_clock(void **state)
{
	struct journal_head h = {.mono_ns = 100, .wall_ns = 1000};

	(void)state;
	assert_int_equal(journal_wall(&h, 40), 940);
	assert_int_equal(journal_wall(&h, 160), 1060);
	assert_string_equal(journal_cause_name(JOURNAL_LOST_FILE), "file");
	assert_string_equal(journal_cause_name(0), "?");
	assert_string_equal(journal_cause_name(99), "?");
}

static void
dies(void (*fn)(struct fixture *), struct fixture *f)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		fn(f);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void
bad_tap(struct fixture *f)
{
	add(f, 3, 1);
}

static void
bad_refuse(struct fixture *f)
{
	journal_refuse(&f->j, 0, 1, -5);
}

static void
bad_cap(struct fixture *f)
{
	start(f, 1000);
}

static void
bad_instr(struct fixture *f)
{
	struct journal_instr in = {0};

	journal_instr_add(&f->j, &in, 0, &clk);
}

static void
bad_taken(struct fixture *f)
{
	journal_taken(&f->j, 1);
}

static void
contracts(void **state)
{
	dies(bad_tap, *state);
	dies(bad_refuse, *state);
	dies(bad_cap, *state);
	dies(bad_instr, *state);
	dies(bad_taken, *state);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    T(round_trip),
	    T(duplicates_and_jumps),
	    T(refused_becomes_a_gap),
	    T(taken_in_pieces),
	    T(other_blocks),
	    T(damage_is_noticed),
	    T(forged),
	    T(wall_clock),
	    T(contracts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
