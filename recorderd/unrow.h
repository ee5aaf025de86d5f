/*
 * unrow.h - rows of the recorded tables, back into slots.
 *
 * What     : the inverse of rec_row_put: columns as pqdec.h reads them, in
 *            the order of tables.def, and the number of a row; out comes the
 *            slot, byte for byte. Texts come as codes: unrow_code says which,
 *            once for each entry of a dictionary.
 * Missing  : a column that a file does not have is given as UNROW_NONE of its
 *            kind: null where it is optional, else 0.
 * Trust    : rows come from a file: false for what no slot can be.
 * Pure     : yes. O(columns).
 */
#ifndef RECORDERD_UNROW_H
#define RECORDERD_UNROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "recorderd/rec.h"

/* What a text column holds. */
#define UNROW_BAD INT64_C(-1)

/* unrow_is_text - is this text column wanted as a text (symbols of
 * instruments, keys and values), and not as a code? */
bool unrow_is_text(enum rec_table table, unsigned col);

/* unrow_code - of a text in this column; UNROW_BAD when it means nothing. */
int64_t unrow_code(enum rec_table table, unsigned col, const char *s, size_t n);

/*
 * unrow_slot - row i of a table of slots. gaps: rows that the recorder
 * declared have seq 0; for them *gap is filled (lost_n above 0) and the slot
 * has kind 0.
 */
bool unrow_slot(enum rec_table table, const int64_t *const *v, uint32_t i,
    union tap *s, struct journal_gap *gap);

/* Columns that all tables have: their places. -1: not in this table. */
struct unrow_common {
	int ts;
	int seq;
	int source;
	int clock_ns;
	int publish_ns;
};
void unrow_common(enum rec_table table, struct unrow_common *c);

/* A row of instruments. text: the texts of the row by column: symbol,
 * condition, token_yes, token_no. */
enum unrow_instr_text {
	UNROW_SYMBOL,
	UNROW_CONDITION,
	UNROW_YES,
	UNROW_NO,
	UNROW_INSTR_TEXTS
};
int unrow_instr_column(enum unrow_instr_text t);
bool unrow_instr(const int64_t *const *v, uint32_t i,
    const struct pq_text text[UNROW_INSTR_TEXTS], uint16_t *idx,
    struct instr *in);

/* Columns of a row of config. */
void unrow_config_columns(int *epoch, int *key, int *part, int *value);

#endif
