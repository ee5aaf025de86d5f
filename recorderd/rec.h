/*
 * rec.h - the recorder's core: journal blocks in, rows of tables out.
 *
 * What      : every slot becomes a row of one table (tables.def), kept in
 *             columns until a row group is full. Rows are grouped into parts:
 *             table, venue and hour, one file each.
 * Hour      : that of the row's receive time, but never before the hour
 *             preceding, nor after, that of the block's clock; so at most two
 *             hours of a table are open, and a part, once closed, stays so.
 * Gaps      : GAP blocks, TICK_GAP slots and jumps in the sequence of a tap
 *             (damaged blocks) become rows of `gaps`, and totals.
 * Trust     : slots come from a file: what is out of range is counted in
 *             bad_n and makes no row.
 * Limits    : REC_PARTS parts, PQ_TEXTS_MAX texts a segment (later symbols
 *             read "?", counted).
 * Pure      : yes. One call, one event, bounded time.
 */
#ifndef RECORDERD_REC_H
#define RECORDERD_REC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcore/reasons.h"
#include "libshm/ctl.h"
#include "libshm/instr.h"
#include "libshm/slots.h"
#include "libshm/topo.h"
#include "recorderd/journal.h"
#include "recorderd/parquet.h"

/* Tables and parts count from 0: they index arrays. */
enum rec_table {
	REC_PRICE,
	REC_BOOK,
	REC_ORDER,
	REC_FILL,
	REC_LATENCY,
	REC_EVENT,
	REC_TRACE,
	REC_GAP,
	REC_SIGNAL,
	REC_MARKOUT,
	REC_FREEZE,
	REC_INSTR,
	REC_CONFIG,
	REC_TABLE_N
};

/* What a trace names instead of a ring, in this order behind the rings. */
#define REC_TRACES 5 /* timer, config, stop, hash, own */

#define REC_PARTS    (REC_TABLE_N * VENUE_N * 2)
#define REC_INSTRS   65536
#define REC_NAME_SZ  80
#define REC_VALUE_SZ 72	  /* of a configuration value in one row */
#define REC_GAPS_SZ  2048 /* text of the first gaps, for the footer */

struct rec_schema {
	const char *kind; /* "price_ticks" */
	const struct pq_column *col;
	unsigned col_n;
};

extern const struct rec_schema rec_schemas[REC_TABLE_N];

/* rec_venue_name - of a partition: "binance", "none" for 0. */
const char *rec_venue_name(unsigned venue);

/* rec_table_find - a table by the name of its directory; -1 none. */
int rec_table_find(const char *kind);

/* rec_tif_name, rec_ref_name - "gtc", "spot": as in the tables. */
const char *rec_tif_name(unsigned tif);
const char *rec_ref_name(unsigned source);

/* rec_slot_ok - is every field that the tables use within its range? */
bool rec_slot_ok(const union tap *s);

/* rec_slot_table - where slots of a kind go; REC_TABLE_N: nowhere. */
enum rec_table rec_slot_table(uint8_t kind);

/* rec_part_table, rec_part_venue - what a part holds. */
static inline unsigned
rec_part_table(unsigned part)
{
	return part / (VENUE_N * 2);
}

static inline unsigned
rec_part_venue(unsigned part)
{
	return part / 2 % VENUE_N;
}

struct rec_part {
	int64_t hour;  /* hours since 1970, when rows or a file are there */
	uint32_t rows; /* buffered                                        */
	bool is_open;  /* some row went into it since it was closed       */
	int64_t *mem;  /* columns, rows_max values each                   */
};

/* Tables that are written whatever is chosen. */
#define REC_ALWAYS \
	(1u << REC_EVENT | 1u << REC_GAP | 1u << REC_INSTR | 1u << REC_CONFIG)
#define REC_ALL ((1u << REC_TABLE_N) - 1)

struct rec {
	uint32_t rows_max;
	uint32_t table_set; /* bits of those that are written; rec_init: all */
	int64_t hour; /* of the newest block                              */
	struct journal_open open;
	uint64_t next_seq[JOURNAL_TAPS_MAX];
	uint32_t tap_source[JOURNAL_TAPS_MAX];
	uint8_t tap_venue[JOURNAL_TAPS_MAX];
	uint64_t rows_n;
	uint64_t bad_n; /* slots out of range, no row                    */
	uint64_t dup_n; /* slots seen before, no row                     */
	uint64_t gap_n;
	uint64_t lost_n; /* records that gaps declare (of rings only)     */
	uint64_t text_full_n;
	size_t gaps_len;
	char gaps[REC_GAPS_SZ];
	struct rec_part part[REC_PARTS];
	/* texts; index 0 is "?" */
	uint32_t text_n;
	struct pq_text text[PQ_TEXTS_MAX];
	char name[PQ_TEXTS_MAX][REC_NAME_SZ];
	uint32_t table[PQ_TEXTS_MAX * 2]; /* by hash: index + 1           */
	uint32_t symbol[REC_INSTRS];	  /* 0: not known                 */
	uint8_t venue[REC_INSTRS];
	uint32_t kind_text[SLOT_KIND_N];
	uint32_t side_text[SIDE_N];
	uint32_t status_text[ORDER_STATUS_N];
	uint32_t trading_text[TRADING_STATE_N];
	uint32_t link_text[LINK_STATE_N];
	uint32_t instr_text[INSTR_STATE_N];
	uint32_t strategy_text[STRATEGY_N];
	uint32_t tif_text[TIF_N];
	uint32_t ref_text[REF_SOURCE_N];
	uint32_t reason_text[REASON_N];
	uint32_t cause_text[JOURNAL_CAUSE_N];
	uint32_t ring_text[RG_N + REC_TRACES]; /* rings, then REC_TRACE_*  */
	uint32_t word_text[FW_N];
	uint32_t own_text; /* "recorderd" */
	uint32_t scope_text[4];
};

/* One key of a configuration; a value longer than REC_VALUE_SZ - 1 comes in
 * parts from 0. */
struct rec_config {
	uint64_t epoch;
	uint64_t at_ns;
	const char *key;
	const char *value;
	uint32_t part;
};

enum rec_event_kind {
	REC_EV_BLOCK = 1,  /* head: a new block; before what it holds      */
	REC_EV_OPEN = 2,   /* u.open                                       */
	REC_EV_SLOT = 3,   /* head, u.slot                                 */
	REC_EV_GAP = 4,	   /* head, u.gap                                  */
	REC_EV_INSTR = 5,  /* u.instr                                      */
	REC_EV_END = 6,	   /* close everything                             */
	REC_EV_ENTRY = 7,  /* u.entry                                      */
	REC_EV_CONFIG = 8, /* u.config                                    */
	REC_EV_N
};

struct rec_event {
	uint8_t kind; /* enum rec_event_kind                              */
	const struct journal_head *head;
	union {
		const struct journal_open *open;
		const union tap *slot;
		const struct journal_gap *gap;
		const struct journal_instr *instr;
		const struct journal_entry *entry;
		const struct rec_config *config;
	} u;
};

enum rec_action {
	REC_GROUP = 1, /* write the rows of the part as a row group, then
			* rec_written                                     */
	REC_CLOSE = 2, /* the same if there are rows, then end its file and
			* rec_closed                                      */
	REC_ACTION_N
};

struct rec_out {
	unsigned n;
	struct {
		uint8_t action; /* enum rec_action                        */
		uint16_t part;
	} act[REC_PARTS];
};

/* rec_mem_sz - bytes of row buffers for rows_max rows a group. Much of it is
 * touched only when the table is used, so reserve it lazily. */
size_t rec_mem_sz(uint32_t rows_max);

/* rec_init - start of a segment. mem of rec_mem_sz(rows_max) bytes, aligned
 * to 8; rows_max within 4..PQ_ROWS_MAX (CHECK). */
void rec_init(struct rec *r, uint32_t rows_max, void *mem);

/* rec_step - one event. The caller carries out all of out before the next
 * call (CHECK: no part is full). */
void rec_step(struct rec *r, const struct rec_event *ev, struct rec_out *out);

/* rec_written - the rows of part are in its file. rec_closed - it is ended. */
void rec_written(struct rec *r, unsigned part);
void rec_closed(struct rec *r, unsigned part);

/* rec_columns - the part's columns as the encoder takes them; val has room
 * for PQ_COLS_MAX. Returns how many. */
unsigned rec_columns(const struct rec *r, unsigned part, struct pq_values *val);

/* rec_hash - of totals, cursors and buffered rows. */
uint64_t rec_hash(const struct rec *r);

#endif
