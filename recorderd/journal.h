/*
 * journal.h - the bytes of the recorder's journal.
 *
 * What      : a segment file is a row of blocks; a block is a 128-byte
 *             header and its payload, padded to 64 bytes. All numbers are
 *             little-endian. A block is valid when both of its checksums
 *             are; a crash can leave only the last one torn.
 * Kinds     : OPEN   first block of a segment: who wrote it, where each tap
 *                    stands;
 *             SLOTS  consecutive slots of one tap: a bit a record (1: 128
 *                    bytes follow, 0: 64, the rest is zero), then records;
 *             GAP    slots of one tap that are not in the journal, exactly;
 *             INSTR  names of instruments, before the slots that use them;
 *             CLOSE  the segment ended as it should.
 * Sequence  : slots carry the sequence of their ring. What is below the
 *             tap's next one is dropped as a duplicate (a crash before the
 *             ring's cursor was committed delivers again); what is above
 *             makes a GAP block: lost records are counted exactly, whoever
 *             lost them.
 * Pure      : yes; journal_io.c moves the bytes.
 */
#ifndef RECORDERD_JOURNAL_H
#define RECORDERD_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libshm/slots.h"

#define JOURNAL_MAGIC	    UINT32_C(0x314a4d52) /* "RMJ1" */
#define JOURNAL_VERSION	    1
#define JOURNAL_ALIGN	    64
#define JOURNAL_TAPS_MAX    32
#define JOURNAL_TAP_NAME    24
#define JOURNAL_BLOCK_MAX   4096 /* records of one block */
#define JOURNAL_PAYLOAD_MAX (JOURNAL_BLOCK_MAX / 8 + JOURNAL_BLOCK_MAX * 128)
#define JOURNAL_TAP_NONE    UINT16_MAX

enum journal_kind {
	JOURNAL_OPEN = 1,
	JOURNAL_SLOTS = 2,
	JOURNAL_GAP = 3,
	JOURNAL_INSTR = 4,
	JOURNAL_CLOSE = 5,
	JOURNAL_KIND_N
};

struct journal_head {
	uint32_t magic;
	uint16_t version;
	uint16_t kind;
	uint64_t run_id;    /* of the shared memory the rings live in    */
	uint64_t block_seq; /* rises by one from 0 in each segment       */
	uint16_t tap;	    /* index into the OPEN block's taps          */
	uint16_t pad;
	uint32_t count;	    /* records, or GAP: 1                        */
	uint64_t first_seq; /* SLOTS, GAP: of the ring                   */
	uint64_t first_ns;  /* recv_ns of the first and last slot        */
	uint64_t last_ns;
	uint64_t mono_ns; /* both clocks when the block was sealed       */
	int64_t wall_ns;
	uint32_t payload_len; /* without padding                         */
	uint32_t pad2;
	uint64_t payload_hash;
	uint64_t pad3[4];
	uint64_t head_hash; /* of all bytes before it                    */
};

_Static_assert(sizeof(struct journal_head) == 128, "journal header");

enum journal_cause {
	JOURNAL_LOST_RING = 1, /* the ring was overrun or not attached   */
	JOURNAL_LOST_FILE = 2, /* could not be written: disk full, error */
	JOURNAL_CAUSE_N
};

struct journal_gap {
	uint64_t first_seq;
	uint64_t lost_n;
	uint64_t from_ns; /* recv_ns of the last slot before, 0 unknown  */
	uint64_t to_ns;	  /* and of the first one after, 0 unknown       */
	uint32_t cause;	  /* enum journal_cause                          */
	int32_t err;	  /* errno of JOURNAL_LOST_FILE                  */
	uint64_t pad[3];
};

struct journal_tap {
	char name[JOURNAL_TAP_NAME]; /* of the ring, NUL padded          */
	uint64_t next_seq;	     /* 0: nothing seen yet              */
};

struct journal_open {
	char host[64];
	char instance[32];
	char build[48];
	uint64_t config_hash;
	uint64_t session; /* of the recorder, unique: wall clock at start */
	uint32_t segment;
	uint32_t tap_n;
	struct journal_tap tap[JOURNAL_TAPS_MAX];
};

/* One instrument. A later entry with the same index replaces it. */
struct journal_instr {
	uint16_t instr;
	uint16_t epoch;
	uint8_t venue; /* enum venue      */
	uint8_t cls;   /* enum instr_class */
	uint8_t pad[2];
	char symbol[120]; /* NUL padded */
};

_Static_assert(sizeof(struct journal_gap) == 64, "journal gap");
_Static_assert(sizeof(struct journal_instr) == 128, "journal instrument");

struct journal_clock {
	uint64_t mono_ns;
	int64_t wall_ns;
};

/* What happened to the records of one tap since journal_init. */
struct journal_count {
	uint64_t kept;
	uint64_t dup;	  /* delivered twice                            */
	uint64_t lost;	  /* declared in GAP blocks                     */
	uint64_t gaps;	  /* GAP blocks                                 */
	uint64_t refused; /* buffer full: will be part of a gap         */
};

/*
 * The writer: fills one buffer with whole blocks.
 */
struct journal {
	uint8_t *buf;
	size_t cap;
	size_t len; /* sealed blocks                               */
	uint64_t run_id;
	uint64_t block_seq;
	int32_t file_err; /* errno while the file refuses, else 0        */
	bool is_open;	  /* a SLOTS block is being filled at len        */
	uint16_t tap;	  /* of the open block                           */
	uint32_t count;
	size_t fill; /* bytes of records in the open block          */
	uint64_t first_seq;
	uint64_t first_ns;
	uint64_t last_ns;
	struct journal_open open; /* tap[].next_seq is kept current      */
	uint64_t seen_ns[JOURNAL_TAPS_MAX]; /* recv_ns of the last kept  */
	struct journal_count n[JOURNAL_TAPS_MAX];
};

/* Smallest buffer: a whole block of each kind. */
#define JOURNAL_BUF_MIN ((size_t)(JOURNAL_PAYLOAD_MAX + 16384))

/* journal_init - open is copied (names, cursors from recovery, session).
 * Needs cap >= JOURNAL_BUF_MIN (CHECK). */
void journal_init(struct journal *j, void *buf, size_t cap, uint64_t run_id,
    const struct journal_open *open);

/* journal_begin - first block of a new segment; the buffer must be empty
 * (CHECK). segment and the cursors are written as they are now. */
void journal_begin(
    struct journal *j, uint32_t segment, const struct journal_clock *now);

/*
 * journal_add - one slot of a tap.
 * Returns : true, or false when the buffer has no room: flush, and add
 *           again; or give it up, and the next slot kept declares the gap.
 *           A duplicate is counted and returns true.
 */
bool journal_add(struct journal *j, uint16_t tap, const union tap *slot,
    const struct journal_clock *now);

/* journal_pass - slots of tap below next_seq were passed over: declares what
 * is missing. False when the buffer has no room. */
bool journal_pass(struct journal *j, uint16_t tap, uint64_t next_seq,
    const struct journal_clock *now);

/* journal_instr_add - n instruments (1..64). False when no room. */
bool journal_instr_add(struct journal *j, const struct journal_instr *in,
    unsigned n, const struct journal_clock *now);

/* journal_seal - end the open block, so that buf[0..len) is whole blocks. */
void journal_seal(struct journal *j, const struct journal_clock *now);

/* journal_close - CLOSE block: the last one of a segment. */
bool journal_close(struct journal *j, const struct journal_clock *now);

/* journal_taken - the first n bytes of buf (whole blocks) were written. */
void journal_taken(struct journal *j, size_t n);

/* journal_whole - length of the whole blocks within the first n bytes. */
size_t journal_whole(const struct journal *j, size_t n);

enum journal_verdict {
	JOURNAL_OK = 1,	   /* a valid block                              */
	JOURNAL_SHORT = 2, /* the bytes end before the block does        */
	JOURNAL_BAD = 3,   /* not a block, or a checksum is wrong        */
	JOURNAL_VERDICT_N
};

/*
 * journal_check - is there a valid block at p (n bytes there)?
 * JOURNAL_OK sets *head and *total (bytes with padding). Reads at most n.
 */
enum journal_verdict journal_check(
    const uint8_t *p, size_t n, struct journal_head *head, size_t *total);

/* journal_slot - record i of a valid SLOTS block at p, found from *pos, which
 * starts at 0 for i = 0 and is moved on. False when the payload ends early. */
bool journal_slot(const uint8_t *p, const struct journal_head *head, uint32_t i,
    size_t *pos, union tap *slot);

/* journal_wall - a monotonic instant as UTC by the block's clock pair. */
static inline int64_t
journal_wall(const struct journal_head *h, uint64_t mono_ns)
{
	return (int64_t)((uint64_t)h->wall_ns - h->mono_ns + mono_ns);
}

#endif
