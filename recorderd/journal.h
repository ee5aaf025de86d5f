/*
 * journal.h - the bytes of the recorder's journal.
 *
 * What      : a segment file is a row of blocks; a block is a 128-byte
 *             header and its payload, padded to 64 bytes. All numbers are
 *             little-endian. A block is valid when both of its checksums
 *             are; a crash can leave only the last one torn.
 * Kinds     : OPEN   first block of a segment: who wrote it, where each tap
 *                    stood in what had been written before;
 *             SLOTS  consecutive slots of one tap: ticks as 64 bytes, traces
 *                    and messages as 128; hdr.kind of the record tells;
 *             GAP    slots of one tap that are not in the journal, exactly;
 *             INSTR  names of instruments, before the slots that use them;
 *             ENTRY  whole entries of the instrument table, the same way;
 *             CONFIG every key of a configuration epoch, as text;
 *             CLOSE  the segment ended as it should.
 * Sequence  : slots carry the sequence of their ring, from 1. What is below
 *             the tap's next one is dropped as a duplicate (a crash before
 *             the ring's cursor was committed delivers again); what is above
 *             makes a GAP block first: lost records are counted exactly,
 *             whoever lost them.
 * Limits    : JOURNAL_TAPS_MAX taps, JOURNAL_BLOCK_MAX records a block; a
 *             full buffer refuses, and says so.
 * Pure      : yes; journal_io.c moves the bytes.
 */
#ifndef RECORDERD_JOURNAL_H
#define RECORDERD_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recorderd/jformat.h"

#define JOURNAL_BLOCK_SZ (sizeof(struct journal_head) + JOURNAL_BLOCK_MAX * 128)
#define JOURNAL_OPEN_SZ                                                     \
	((sizeof(struct journal_head) + sizeof(struct journal_open) + 63) & \
	    ~(size_t)63)

struct journal_clock {
	uint64_t mono_ns;
	int64_t wall_ns;
};

/* What happened to the records of one tap since journal_init. */
struct journal_count {
	uint64_t kept;
	uint64_t dup;	  /* delivered twice                             */
	uint64_t gaps;	  /* GAP blocks                                  */
	uint64_t lost;	  /* records they declare                        */
	uint64_t refused; /* given up by journal_refuse; in a gap, or in
			   * the next one                                */
};

/* The writer: fills one buffer with whole blocks. */
struct journal {
	uint8_t *buf;
	size_t cap;
	size_t len; /* sealed blocks                                     */
	uint64_t run_id;
	uint64_t block_seq;
	bool is_open; /* a SLOTS block is being filled at len            */
	uint16_t tap; /* of it                                           */
	uint32_t count;
	size_t fill; /* bytes of its records                             */
	uint64_t first_seq;
	uint64_t first_ns;
	uint64_t last_ns;
	struct journal_open open; /* tap[].next_seq: what was taken      */
	uint64_t next_seq[JOURNAL_TAPS_MAX];   /* of the buffer's end      */
	uint64_t seen_ns[JOURNAL_TAPS_MAX];    /* recv_ns of the last kept */
	int32_t refuse_err[JOURNAL_TAPS_MAX];  /* since the last gap      */
	uint64_t refuse_end[JOURNAL_TAPS_MAX]; /* after the last refused */
	struct journal_count n[JOURNAL_TAPS_MAX];
};

/* Smallest buffer of a writer, and of a reader. */
#define JOURNAL_BUF_MIN (JOURNAL_BLOCK_SZ + 16384)

/*
 * journal_init - open is copied: who writes, the taps' names, and where each
 * tap stands (from recovery; 0 unknown).
 * Needs cap >= JOURNAL_BUF_MIN, open->tap_n <= JOURNAL_TAPS_MAX (CHECK).
 */
void journal_init(struct journal *j, void *buf, size_t cap, uint64_t run_id,
    const struct journal_open *open);

/* journal_open_block - the OPEN block of a segment, as of what was taken so
 * far, into dst (JOURNAL_OPEN_SZ bytes). */
void journal_open_block(struct journal *j, uint8_t *dst, uint32_t segment,
    const struct journal_clock *now);

/* journal_instr_block - an INSTR block of n instruments (CHECK) into dst,
 * JOURNAL_INSTR_SZ bytes or more, to stand behind an OPEN block. Returns its
 * length. */
#define JOURNAL_INSTR_SZ               \
	(sizeof(struct journal_head) + \
	    JOURNAL_INSTR_MAX * sizeof(struct journal_instr))
size_t journal_instr_block(struct journal *j, uint8_t *dst,
    const struct journal_instr *in, unsigned n,
    const struct journal_clock *now);

/*
 * journal_add - one slot of a tap (CHECK: tap < tap_n).
 * Returns : true; or false when the buffer has no room: flush and add again,
 *           or journal_refuse. A duplicate is counted and returns true.
 */
bool journal_add(struct journal *j, uint16_t tap, const union tap *slot,
    const struct journal_clock *now);

/* journal_refuse - the slot with this sequence is given up; the next one
 * kept, or journal_pass, declares it lost with err as the reason. */
void journal_refuse(struct journal *j, uint16_t tap, uint64_t seq, int err);

/* journal_owed - records of tap that were given up and are in no gap yet. */
static inline uint64_t
journal_owed(const struct journal *j, uint16_t tap)
{
	return j->refuse_end[tap] > j->next_seq[tap]
		   ? j->refuse_end[tap] - j->next_seq[tap]
		   : 0;
}

/* journal_left - records of each tap that wait in the buffer. Returns their
 * sum. */
uint64_t journal_left(const struct journal *j, uint64_t left[JOURNAL_TAPS_MAX]);

/* journal_pass - all slots of tap below next_seq have been offered: declares
 * what is missing. False when the buffer has no room. */
bool journal_pass(struct journal *j, uint16_t tap, uint64_t next_seq,
    const struct journal_clock *now);

/*
 * journal_wrap - make a block of the len payload bytes that stand at block +
 * sizeof(struct journal_head), with JOURNAL_ALIGN bytes of room behind them,
 * to stand behind an OPEN block. Returns its length.
 */
size_t journal_wrap(struct journal *j, uint8_t *block,
    const struct journal_head *what, const struct journal_clock *now);

/* journal_block_add - a block of its own, of a kind other than SLOTS, GAP and
 * OPEN; what: kind, count and payload_len. False when the buffer has no
 * room. */
bool journal_block_add(struct journal *j, const struct journal_head *what,
    const void *payload, const struct journal_clock *now);

/* journal_slot_sz - bytes of a record of this kind (of a block's version). */
size_t journal_slot_sz(uint8_t kind, uint16_t version);

/*
 * journal_cfg_next - the next key of a CONFIG payload of n bytes; *pos starts
 * at sizeof(struct journal_cfg). False at the end, or where it is malformed.
 */
bool journal_cfg_next(const uint8_t *payload, size_t n, size_t *pos,
    const char **key, const char **value);

/* journal_instr_add - n instruments, 1..JOURNAL_INSTR_MAX (CHECK). False
 * when the buffer has no room. */
bool journal_instr_add(struct journal *j, const struct journal_instr *in,
    unsigned n, const struct journal_clock *now);

/* journal_seal - end the open block, so that buf[0..len) is whole blocks. */
void journal_seal(struct journal *j, const struct journal_clock *now);

/* journal_close - CLOSE block: the last one of a segment. False: no room. */
bool journal_close(struct journal *j, const struct journal_clock *now);

/* journal_whole - length of the whole sealed blocks within the first n
 * bytes of the buffer. */
size_t journal_whole(const struct journal *j, size_t n);

/* journal_taken - the first n bytes (whole sealed blocks, CHECK) are in the
 * file: forget them. */
void journal_taken(struct journal *j, size_t n);

enum journal_verdict {
	JOURNAL_OK = 1,	   /* a valid block                              */
	JOURNAL_SHORT = 2, /* the bytes end before the block does        */
	JOURNAL_BAD = 3,   /* not a block, or a checksum is wrong        */
	JOURNAL_VERDICT_N
};

/*
 * journal_check - is there a valid block at p, of which n bytes are there?
 * JOURNAL_OK sets *head and *total (its bytes with padding).
 */
enum journal_verdict journal_check(
    const uint8_t *p, size_t n, struct journal_head *head, size_t *total);

/*
 * journal_slot - the next record of a valid SLOTS block at p. *pos starts at
 * 0 and is moved on. slot is filled up with zeros.
 * Returns : false after the last record.
 */
bool journal_slot(const uint8_t *p, const struct journal_head *head,
    size_t *pos, union tap *slot);

/* journal_wall - a monotonic instant as UTC by the block's clock pair. */
static inline int64_t
journal_wall(const struct journal_head *h, uint64_t mono_ns)
{
	return (int64_t)((uint64_t)h->wall_ns - h->mono_ns + mono_ns);
}

const char *journal_cause_name(uint32_t cause);

#endif
