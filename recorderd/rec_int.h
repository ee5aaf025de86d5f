/*
 * rec_int.h - what the files of the recorder's core share among themselves.
 */
#ifndef RECORDERD_REC_INT_H
#define RECORDERD_REC_INT_H

#include "recorderd/rec.h"

/* What a row knows beside its slot. Texts are indices, PQ_NULL for none. */
struct rec_row {
	int64_t ts;
	int64_t venue_ts;
	int64_t seq;
	int64_t source;
	int64_t kind;
	int64_t symbol;
	int64_t side;
	int64_t strategy;
	int64_t tif;
	int64_t status;
	int64_t reason;
	int64_t ref_source;
	int64_t ring;
	int64_t scope;
	int64_t epoch;
	int64_t from_ts;
	int64_t to_ts;
	int64_t clock_ns; /* ts less the monotonic instant              */
	int64_t instr;
	const struct instr *in; /* instruments only                     */
	struct journal_gap gap;
	bool is_trade;
	bool is_ref;
	bool is_level;
	bool is_conn;
	bool is_instr;
	bool has_bid;
	bool has_ask;
};

/* rec_texts_init - the texts every segment needs, with fixed places. */
void rec_texts_init(struct rec *r);

/* rec_text - index of a text (cut at REC_NAME_SZ - 1), made when it is new;
 * 0 when there is no room for it. */
uint32_t rec_text(struct rec *r, const char *s, size_t n);

/* rec_row_slot - what a slot's row knows. */
void rec_row_slot(const struct rec *r, const struct journal_head *head,
    const union tap *s, struct rec_row *w);

/* rec_row_entry, rec_row_config - rows of instruments and config. False: a
 * field is out of range. They make texts, so r is not const. */
bool rec_row_entry(struct rec *r, const struct journal_head *head,
    const struct journal_entry *e, struct rec_row *w);
bool rec_row_config(struct rec *r, const struct journal_head *head,
    const struct rec_config *c, struct rec_row *w);

/* rec_row_freeze - the text of a freeze mask. */
void rec_row_freeze(struct rec *r, const union tap *s, struct rec_row *w);

/* rec_row_put - one value into each column of the part, at row `at`. */
void rec_row_put(enum rec_table table, int64_t *mem, uint32_t rows_max,
    uint32_t at, const union tap *s, const struct rec_row *w);

#endif
