/*
 * reader.h - a capture, read back as it was recorded.
 *
 * What     : one stream of events out of a capture directory: unconverted
 *            journal segments and Parquet files (kind=K/venue=V/date=D/hour=H)
 *            of any number of runs, sessions, hours and files. A slot comes
 *            out byte for byte as the stage put it into its tap.
 * Order    : within a source by the sequence of its tap, always; between
 *            sources by the time of publishing (at_ns); runs one after the
 *            other. Where times are equal: recorderd's own events first, then
 *            sources as in topo.def.
 * Gaps     : what is missing from a tap is an event of its own in its place
 *            (declared by the recorder, or damaged in the file); slots that
 *            declare gaps (TICK_GAP) are slots.
 * Traces   : a stage leaves one TICK_TRACE slot a step, after the messages
 *            that the step published (libshm/tick.h): ring and sequence of
 *            the input, now_ns and wall_ns that were passed, and the input
 *            itself: ticks whole, of messages their first 64 bytes (header,
 *            id, px, qty, exec_px), which name one message of the tap of the
 *            stage that sent it.
 * Memory   : bounded by the number of files (about 200 bytes each) and one row
 *            group of every table and source that is open at a time.
 * Trust    : files may be damaged or made on purpose: whatever they hold,
 *            the answer is events, a declared gap, or a negative errno.
 */
#ifndef RECORDERD_READER_H
#define RECORDERD_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libshm/err.h"
#include "libshm/instr.h"
#include "libshm/slots.h"
#include "libshm/topo.h"
#include "recorderd/journal.h"

enum reader_kind {
	READER_SLOT = 1,   /* slot: as in the tap of `source`             */
	READER_GAP = 2,	   /* gap: slots of `source` that are missing     */
	READER_INSTR = 3,  /* instr, instr_idx: an entry as it is from now */
	READER_CONFIG = 4, /* cfg_key, cfg_value, cfg_epoch: one key      */
	READER_FREEZE = 5, /* freeze: a freeze word changed               */
	READER_RUN = 6,	   /* a new run begins: rings, instruments, ids   */
	READER_KIND_N
};

/* A freeze word (enum freeze_word) as it is from now on. */
struct reader_freeze {
	uint64_t mask;
	uint64_t epoch;
	uint32_t word;
	uint32_t pad;
};

/* Pointers are good until the next call. */
struct reader_event {
	enum reader_kind kind;
	uint8_t source;	  /* enum stage_id: whose tap                    */
	uint64_t at_ns;	  /* CLOCK_MONOTONIC of the run: published        */
	int64_t wall_ns;  /* the same instant as UTC                      */
	int64_t clock_ns; /* UTC minus monotonic, as the recorder had it  */
	uint64_t run_id;
	const union tap *slot;
	struct journal_gap gap;
	const struct instr *instr;
	uint16_t instr_idx;
	uint64_t cfg_epoch;
	const char *cfg_key; /* "mm.max_spread"                           */
	const char *cfg_value;
	struct reader_freeze freeze;
};

struct reader_args {
	const char *dir;     /* of the capture                            */
	int64_t from_ns;     /* UTC, 0: from the beginning                */
	int64_t to_ns;	     /* UTC, exclusive, 0: to the end             */
	uint32_t source_set; /* bits of enum stage_id; 0: all             */
	uint32_t kind_set;   /* bits of READER_TABLE_*; 0: all            */
	bool with_trace;     /* also TICK_TRACE (replay)                  */
};

/* What a reader may leave out unread, bits by table. */
#define READER_TABLE_PRICE 0x01u
#define READER_TABLE_BOOK  0x02u
#define READER_TABLE_ORDER 0x04u /* messages, fills among them            */
#define READER_TABLE_OTHER 0x08u /* links, events, gaps, signals ...      */

struct reader_stat {
	uint64_t events;
	uint64_t slots;
	uint64_t gaps;	 /* READER_GAP                                     */
	uint64_t lost;	 /* slots that they declare                        */
	uint64_t jumped; /* of these, declared by nobody: damage          */
	uint64_t files;	 /* of the capture, as far as selected            */
	uint64_t bad;	 /* rows or slots out of range, left out           */
	uint64_t rows_total; /* of the selected files (for progress)      */
};

struct reader;

/*
 * reader_open - look through the directory; no data is read yet.
 * Returns : 0, or a negative errno with a sentence in *e: -ENOENT nothing
 *           recorded there.
 */
int reader_open(
    struct reader **out, const struct reader_args *a, struct err *e);

/* reader_next - the next event.
 * Returns : 1; 0 at the end; or a negative errno (reader_why says it). */
int reader_next(struct reader *r, struct reader_event *ev);

/* reader_rewind - from the beginning again. */
int reader_rewind(struct reader *r);

const struct reader_stat *reader_stat(const struct reader *r);
const char *reader_why(const struct reader *r);
void reader_close(struct reader *r);

#endif
