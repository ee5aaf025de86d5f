/*
 * reader_int.h - what the files of the reader share among themselves.
 *
 * An index of the capture (reader_index_io.c) lists segments in order and
 * their files; a stream reads one file for one source (reader_pq_io.c for
 * Parquet, reader_jn_io.c for the journal); reader_io.c merges.
 */
#ifndef RECORDERD_READER_INT_H
#define RECORDERD_READER_INT_H

#include "libshm/cfg.h"
#include "recorderd/journal_io.h"
#include "recorderd/pqdec.h"
#include "recorderd/reader.h"
#include "recorderd/rec.h"
#include "recorderd/unrow.h"

struct ZSTD_DCtx_s;

#define READER_SRC_ALL	((1u << ST_N) - 1)
#define READER_JOURNAL	REC_TABLE_N /* "table" of a journal segment */
#define READER_PAGE_MAX (64u << 20)

struct reader_file {
	char *path;
	uint64_t session;
	uint32_t segment;
	uint32_t name_hash; /* of the prefix                             */
	uint8_t table;
	uint8_t venue;
	uint32_t src_set; /* sources that may be in it                   */
	bool some; /* tables were left out on purpose                    */
	uint64_t run_id;
	uint64_t run_first; /* first session of the run                   */
	uint64_t rows;
	uint64_t bytes;
	uint64_t lost_n; /* of a journal                                  */
	uint64_t torn_bytes;
	uint64_t bad_bytes;
	int64_t ts_min;
	int64_t ts_max;
};

struct reader_index {
	struct reader_file *file; /* by run, session, segment, table       */
	uint32_t n;
	uint32_t cap;
	uint32_t unread_n; /* files that could not be read               */
	char why[256];	   /* of the first of them                         */
};

/* reader_index_make - look through a capture. 0 or a negative errno. */
int reader_index_make(struct reader_index *x, const char *dir, struct err *e);
void reader_index_free(struct reader_index *x);

/* reader_name_parse - "<prefix>-<session>-<segment>[-<n>]<suffix>". */
bool reader_name_parse(const char *name, const char *suffix, bool has_n,
    uint64_t *session, uint32_t *segment, uint32_t *hash);

/* One record of a stream. */
struct reader_rec {
	enum reader_kind kind;
	union tap slot;
	struct journal_gap gap;
	int64_t clock_ns;
	uint64_t at_ns; /* instruments, config; slots: recv + publish      */
	uint64_t key;	/* order within the source                        */
	struct instr instr;
	uint16_t instr_idx;
	uint64_t cfg_epoch;
	char cfg_key[128];
	char cfg_value[CFG_TEXT_SZ];
};

/* A Parquet file, for one source. */
struct reader_pq {
	const struct reader_file *file;
	struct ZSTD_DCtx_s *zstd;
	enum rec_table table;
	uint8_t source;
	bool all; /* every row, whatever its source                      */
	int fd;
	uint64_t size;
	uint8_t *foot;
	struct pqfile f;
	struct pqfile_group g;
	size_t pos;
	uint32_t group;
	uint64_t left; /* rows of the group not yet decoded               */
	uint32_t batch_n;
	uint32_t at;
	uint64_t bad_n;
	struct unrow_common place;
	int map[PQ_COLS_MAX]; /* schema column -> column of the file, -1  */
	struct pqdec dec[PQ_COLS_MAX];
	uint8_t *page[PQ_COLS_MAX];
	size_t page_cap[PQ_COLS_MAX];
	uint8_t *dict_page[PQ_COLS_MAX];
	size_t dict_cap[PQ_COLS_MAX];
	int64_t *dict[PQ_COLS_MAX];
	struct pqfile_text *text[PQ_COLS_MAX]; /* wanted texts            */
	uint32_t text_n[PQ_COLS_MAX];
	uint8_t *comp;
	size_t comp_cap;
	int64_t *mem; /* PQDEC_BATCH values a column                     */
	const int64_t *v[PQ_COLS_MAX];
};

/* reader_pq_open - 0 or a negative errno. reader_pq_next - the next record:
 * 1, 0 at the end, or a negative errno. */
int reader_pq_open(struct reader_pq *s, const struct reader_file *file,
    uint8_t source, struct ZSTD_DCtx_s *zstd);
int reader_pq_next(struct reader_pq *s, struct reader_rec *r);
void reader_pq_close(struct reader_pq *s);

/* reader_pq_check - decode every column of every row group of a file, and
 * compare with its metadata. 0, or -EBADMSG with a sentence. */
int reader_pq_check(const struct reader_file *file, struct err *e);

/* A journal segment, for one source. */
struct reader_jn {
	int fd;
	uint8_t source;
	struct {
		uint64_t off;
		uint32_t len;
	} * block; /* those of this source                               */
	uint32_t block_n;
	uint32_t next;
	uint8_t *buf;
	struct journal_head head;
	size_t pos; /* in the payload                                    */
	uint32_t entry;
	bool is_open;
	uint64_t key;
};

int reader_jn_open(
    struct reader_jn *s, const struct reader_file *file, uint8_t source);
int reader_jn_next(struct reader_jn *s, struct reader_rec *r);
void reader_jn_close(struct reader_jn *s);

/* reader_tap_source - whose tap has this name; ST_N unknown. */
uint8_t reader_tap_source(const char name[JOURNAL_TAP_NAME]);

#endif
