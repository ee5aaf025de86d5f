/*
 * jformat.h - what stands in a journal: headers and payloads as bytes.
 *
 * Data only; little-endian, padding zeroed. What it means: journal.h.
 */
#ifndef RECORDERD_JFORMAT_H
#define RECORDERD_JFORMAT_H

#include <stdint.h>

#include "libshm/instr.h"
#include "libshm/slots.h"

#define JOURNAL_MAGIC	  UINT32_C(0x314a4d52) /* "RMJ1" */
#define JOURNAL_VERSION	  2 /* 1: traces without their input, 64 bytes */
#define JOURNAL_ALIGN	  64
#define JOURNAL_TAPS_MAX  32
#define JOURNAL_TAP_NAME  24
#define JOURNAL_BLOCK_MAX 4096		  /* records of one block */
#define JOURNAL_INSTR_MAX 64		  /* instruments of one block */
#define JOURNAL_CFG_MAX	  (128u << 10)	  /* bytes of one CONFIG payload */
#define JOURNAL_OWN_TAP	  "tap.recorderd" /* what the recorder itself tells */
#define JOURNAL_TAP_NONE  UINT16_MAX
/* run_id of data that others recorded (import.h): not one sequence, but pieces
 * that overlap in time; its monotonic clock is UTC, a session is a day. */
#define JOURNAL_RUN_IMPORT UINT64_C(0x74726f706d690001)

enum journal_kind {
	JOURNAL_OPEN = 1,
	JOURNAL_SLOTS = 2,
	JOURNAL_GAP = 3,
	JOURNAL_INSTR = 4,
	JOURNAL_CLOSE = 5,
	JOURNAL_ENTRY = 6,
	JOURNAL_CONFIG = 7,
	JOURNAL_KIND_N
};

struct journal_head {
	uint32_t magic;
	uint16_t version;
	uint16_t kind;
	uint64_t run_id;    /* of the shared memory the rings live in    */
	uint64_t block_seq; /* rises by one in a session; OPEN: the next */
	uint16_t tap;	    /* index into the OPEN block's taps          */
	uint16_t pad;
	uint32_t count;	    /* records or instruments, else 1            */
	uint64_t first_seq; /* SLOTS, GAP: of the ring                   */
	uint64_t first_ns;  /* SLOTS: recv_ns of the first and last slot */
	uint64_t last_ns;
	uint64_t mono_ns; /* both clocks when the block was sealed       */
	int64_t wall_ns;
	uint32_t payload_len; /* without padding                         */
	uint32_t pad2;
	uint64_t payload_hash;
	uint64_t pad3[4];
	uint64_t head_hash; /* of all bytes before it                    */
};

enum journal_cause {
	JOURNAL_LOST_RING = 1,	/* passed by before the recorder saw them */
	JOURNAL_LOST_FILE = 2,	/* could not be written: disk full, error */
	JOURNAL_LOST_BLOCK = 3, /* reader: a block of the file is damaged */
	JOURNAL_LOST_TAP = 4,	/* the producer found its tap full        */
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
	uint8_t venue; /* enum venue       */
	uint8_t cls;   /* enum instr_class */
	uint8_t pad[2];
	char symbol[56]; /* NUL padded */
};

/* An entry of the instrument table as it is from at_ns on. */
struct journal_entry {
	uint64_t at_ns; /* monotonic; of the slot that told the change;
			 * 0: since before the recorder came           */
	uint16_t idx;
	uint8_t pad[6];
	struct instr in;
};

/* Payload of CONFIG: this, then "key\0value\0" for every key. */
struct journal_cfg {
	uint64_t epoch;
	uint64_t at_ns; /* when the recorder read it                      */
};

_Static_assert(sizeof(struct journal_head) == 128, "journal header");
_Static_assert(sizeof(struct journal_gap) == 64, "journal gap");
_Static_assert(sizeof(struct journal_instr) == 64, "journal instrument");

#endif
