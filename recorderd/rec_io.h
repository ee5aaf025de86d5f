/*
 * rec_io.h - journal segments into Parquet files.
 *
 * Path     : <dir>/kind=K/venue=V/date=YYYY-MM-DD/hour=HH/
 *            <prefix>-<session>-<segment>-<n>.parquet
 *            written as .<name>.tmp, synced, renamed, directory synced.
 * Once     : every file's name follows from its segment, and the segment is
 *            deleted after the last of its files is in place. A crash or an
 *            error at any moment leaves the segment, and doing it again
 *            writes the same names: nothing is lost, nothing is twice.
 * Damage   : a segment with unreadable blocks is converted as far as it can
 *            be read, what is missing is declared in `gaps`, and the segment
 *            is kept as <name>.damaged.
 * Pace     : rec_io_work does a bounded piece, so that the caller can poll
 *            its rings in between.
 */
#ifndef RECORDERD_REC_IO_H
#define RECORDERD_REC_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libshm/err.h"
#include "recorderd/journal_io.h"
#include "recorderd/parquet.h"
#include "recorderd/rec.h"

#define REC_PATH_SZ 512

struct rec_io_args {
	const char *dir;    /* made when it is missing                    */
	const char *prefix; /* "<host>-<instance>"                        */
	uint32_t rows_max;  /* of a row group                             */
	int zstd_level;
	uint32_t table_set; /* bits of tables to write beside REC_ALWAYS; 0:
			     * all                                       */
	/* finished - a file is in place; may be NULL. path is below dir. */
	void (*finished)(
	    void *ctx, const char *path, uint64_t rows, uint64_t bytes);
	void *ctx;
};

struct rec_io_stat {
	uint64_t segments;
	uint64_t files;
	uint64_t rows;
	uint64_t bytes; /* of Parquet files                               */
	uint64_t gaps;	/* rows of the gaps table                         */
	uint64_t lost;	/* records they declare lost                      */
	uint64_t bad;	/* slots out of range                             */
	uint64_t errors;
};

struct rec_file {
	int fd; /* -1: none                                               */
	unsigned n;
	size_t dirty; /* bytes since write-back was begun                 */
	char path[REC_PATH_SZ]; /* below dir, of the finished file         */
	char temp[REC_PATH_SZ];
	struct pq pq;
	uint8_t *meta;
};

struct rec_io {
	struct rec_io_args args;
	int dirfd;   /* of args.dir                                     */
	int journal; /* of <dir>/journal                                */
	int lock;    /* one recorder a prefix and directory             */
	struct rec *rec;
	uint8_t *mem; /* row buffers and row group metadata              */
	size_t mem_sz;
	uint8_t *scratch_mem;
	struct pq_scratch *scratch;
	struct ZSTD_CCtx_s *zstd;
	uint8_t *rbuf;
	uint8_t *foot;
	struct rec_file file[REC_PARTS];
	bool busy; /* a segment is being converted                        */
	struct journal_id id;
	char name[JOURNAL_NAME_SZ];
	struct journal_reader reader;
	struct rec_io_stat stat;
};

/*
 * rec_io_open - make <dir> and <dir>/journal, lock the journal for this
 * prefix, allocate everything.
 * -EBUSY another recorder of this prefix writes there.
 */
int rec_io_open(struct rec_io *io, const struct rec_io_args *a, struct err *e);

/* rec_io_close - give up a conversion under way, free everything. */
void rec_io_close(struct rec_io *io);

/* rec_io_begin - start to convert a segment. 0 or a negative errno. */
int rec_io_begin(struct rec_io *io, const struct journal_id *id);

/*
 * rec_io_work - convert up to n blocks of the segment.
 * Returns : 1 there is more to do, 0 it is done and gone, or a negative
 *           errno: the segment stays, for another rec_io_begin.
 */
int rec_io_work(struct rec_io *io, unsigned n);

/* rec_io_pending - oldest segment that is complete: of another session, or
 * numbered below current of session. False: none, or the directory cannot be
 * read. */
bool rec_io_pending(const struct rec_io *io, uint64_t session, uint32_t current,
    struct journal_id *id);

#endif
