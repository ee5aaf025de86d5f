/*
 * import.h - market data that others recorded, into slots of ours.
 *
 * Formats  : polymarket-jsonl  lines {source, recv_wall_ts, recv_mono_ns,
 *                              payload}: book and price_change frames, Binance
 *                              frames, settlement prices; a file of markets
 *                              beside it says which token is YES
 *            binance-csv       dumps: trades, aggTrades, futures bookTicker
 *                              and depth, with or without header, ms or us
 *            binance-raw       "<local ns> <frame>" a line
 *            tardis-csv        incremental_book_L2, trades, quotes and
 *                              book_ticker, book_snapshot_N, derivative_ticker
 *                              (mark and index); columns by name
 *            hftbacktest-npz   event arrays; rows valid for the local side
 * Times    : receive time is the file's local time where it has one, else the
 *            venue's; both as UTC, so that imports of several venues lie on
 *            one clock. ms, us and ns are told apart by magnitude.
 * Numbers  : decimals exactly; a binary floating-point number (npz) or one
 *            with an exponent is rounded to 1e-8.
 * Top      : where a file has books and no best bid and ask of its own, they
 *            are made from the book, after each whole message.
 * Frame    : of Polymarket's two tokens only YES makes the book (each change
 *            comes for both); trades of NO are turned. Without a file of
 *            markets the first token seen of a market is taken for YES.
 * Trust    : what cannot be understood is counted in bad_n, and skipped.
 * Limits   : IMPORT_INSTRS instruments; the top is made from the best
 *            BOOK_DEPTH levels a side (all of them are in the slots).
 * Pure     : yes, with the sink given by the caller.
 */
#ifndef RECORDERD_IMPORT_H
#define RECORDERD_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcore/book.h"
#include "libshm/instr.h"
#include "libshm/slots.h"
#include "libvenue/pm_id.h"

#define IMPORT_INSTRS 64u
#define IMPORT_FIELDS 128u

enum import_format {
	IMPORT_PM_JSONL = 1,
	IMPORT_BN_CSV = 2,
	IMPORT_BN_RAW = 3,
	IMPORT_TARDIS = 4,
	IMPORT_NPZ = 5,
	IMPORT_FORMAT_N
};

/* import_format_find - by its name; 0 none. */
enum import_format import_format_find(const char *name);

struct import_instr {
	uint16_t idx; /* of the table                                    */
	struct instr in;
	struct pm_token yes;
	struct pm_token no;
	struct pm_cond cond;
	bool has_top;	  /* best bid and ask come by themselves             */
	bool in_snap;	  /* a snapshot is open                              */
	uint64_t book_id; /* update id of the last whole book             */
	struct tick_bbo top;
	struct book_full book;
};

/* Where things go. */
struct import_sink {
	void (*slot)(void *ctx, const struct import_instr *in,
	    const union tap *s); /* hdr.seq is the sink's to give         */
	/* a new instrument; the sink gives its idx (0: none) */
	uint16_t (*instr)(void *ctx, const struct instr *in, int64_t recv_ns);
	void *ctx;
};

/* A level that waits for the end of its message. */
struct import_held {
	struct import_instr *in;
	union tap slot;
};

struct import {
	enum import_format format;
	char symbol[48]; /* of files that do not say it                  */
	uint8_t venue;	 /* of files that do not say it                  */
	struct import_sink sink;
	uint64_t lines;
	uint64_t slots;
	uint64_t bad_n;	    /* lines that could not be understood         */
	uint64_t skipped_n; /* understood, and nothing of ours            */
	uint64_t full_n;    /* instruments too many                       */
	uint32_t n;
	/* CSV: which field is what, +1; 0 it has none */
	uint8_t col[32];
	uint8_t kind;
	bool has_header;
	uint8_t snap_px[2][32]; /* book_snapshot: columns + 1             */
	uint8_t snap_qty[2][32];
	struct import_held held;
	struct import_instr instr[IMPORT_INSTRS];
};

void import_init(struct import *im, enum import_format format,
    const char *symbol, const struct import_sink *sink);

/* import_file - another file begins: headers are looked for again. */
void import_file(struct import *im);

/* import_line - one line without its newline. text may be written to. */
void import_line(struct import *im, char *text, size_t n);

/* import_market - one line of a file of markets. False: not understood. */
bool import_market(struct import *im, const char *text, size_t n);

/*
 * import_npy_head - the first n bytes of data.npy: how many of them come
 * before the rows; 0: more are needed (IMPORT_NPY_HEAD always do), SIZE_MAX:
 * it is none of hftbacktest's. import_npy_rows - whole rows of
 * IMPORT_NPY_ROW bytes.
 */
#define IMPORT_NPY_HEAD (65536 + 10)
#define IMPORT_NPY_ROW	64
size_t import_npy_head(struct import *im, const uint8_t *p, size_t n);
void import_npy_rows(struct import *im, const uint8_t *p, size_t rows);

/* import_end - what waits goes out. */
void import_end(struct import *im);

/* ---- for the files of the importer ---- */

/* Times of one message: as received, and by the venue. */
struct import_when {
	int64_t recv_ns;
	int64_t venue_ns;
};

/* import_instr_get - by symbol and venue, made when it is new. NULL: full. */
struct import_instr *import_instr_get(
    struct import *im, const char *symbol, size_t n, uint8_t venue);

void import_trade(struct import *im, struct import_instr *in,
    const struct import_when *w, const struct tick_trade *t);
void import_bbo(struct import *im, struct import_instr *in,
    const struct import_when *w, const struct tick_bbo *b);
void import_ref(struct import *im, struct import_instr *in,
    const struct import_when *w, const struct tick_ref *r);

/* import_level - a new total; waits until the next one or import_batch. */
void import_level(struct import *im, struct import_instr *in,
    const struct import_when *w, const struct tick_level *l);

/* import_snap - the book begins anew; import_snap_end - it is complete. */
void import_snap(struct import *im, struct import_instr *in,
    const struct import_when *w, uint64_t venue_seq);
void import_snap_end(struct import *im, struct import_instr *in,
    const struct import_when *w, uint64_t venue_seq);

/* import_batch - the end of a message. */
void import_batch(struct import *im);

/* import_decimal - text to 1e-8. import_time - ms, us or ns to ns. */
bool import_decimal(const char *s, size_t n, int64_t *out);
bool import_time(const char *s, size_t n, int64_t *ns);

void import_csv_line(struct import *im, char *text, size_t n);
void import_raw_line(struct import *im, const char *text, size_t n);
void import_pm_line(struct import *im, char *text, size_t n);

#endif
