/*
 * journal_io.h - journal segments as files.
 *
 * Files    : <dir>/<prefix>-<session>-<n>.rmj; session (16 hex digits) is the
 *            recorder's start, n counts its segments from 0. One is opened
 *            when there is something to put into it.
 * Trouble  : a write that fails (disk full, read-only, error) leaves what was
 *            not taken in the buffer and is tried again after JOURNAL_RETRY;
 *            meanwhile the buffer fills, then records are refused, counted,
 *            and declared as a gap when writing works again. After an error
 *            that is not about space the segment is cut after its last whole
 *            block and a new one begun. Nothing here blocks a producer.
 * Durable  : what flush took survives kill -9; what it synced (every
 *            sync_ns) survives the machine. Write-back is begun every
 *            JOURNAL_PUSH bytes, so that a sync finds little left to do and
 *            does not hold up the rings.
 * Recovery : journal_recover finds the end of the whole blocks of a file and
 *            cuts off the rest.
 */
#ifndef RECORDERD_JOURNAL_IO_H
#define RECORDERD_JOURNAL_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "libshm/err.h"
#include "recorderd/journal.h"

#define JOURNAL_RETRY	NS_PER_S
#define JOURNAL_PUSH	(UINT64_C(4) << 20)
#define JOURNAL_NAME_SZ 192

/* The calls that meet the disk; each returns a negative errno. Tests put
 * failing ones in their place. */
struct journal_ops {
	int (*open)(void *ctx, int dirfd, const char *name);
	ssize_t (*pwrite)(
	    void *ctx, int fd, const void *buf, size_t n, uint64_t at);
	int (*sync)(void *ctx, int fd);
	/* begin to write back a range, without waiting for it */
	void (*push_out)(void *ctx, int fd, uint64_t at, uint64_t n);
	int (*truncate)(void *ctx, int fd, uint64_t len);
	int (*free_bytes)(void *ctx, int dirfd, uint64_t *out);
};

extern const struct journal_ops journal_posix;

struct journal_io_args {
	int dirfd;	    /* of the journal directory, kept by the caller */
	int dir_err;	    /* dirfd -1: why there is none, a negative errno */
	const char *prefix; /* "<host>-<instance>"                          */
	const struct journal_ops *ops;
	void *ops_ctx;
	const struct journal_instr *names; /* every segment begins with them */
	const uint32_t *names_n;	   /* how many; NULL: none           */
	/* ... and with these: whole entries, and a CONFIG payload */
	const struct journal_entry *entries;
	const uint32_t *entries_n;
	const uint8_t *config;
	const uint32_t *config_n; /* bytes; 0: none                       */
	int64_t sync_ns;  /* between fdatasync calls; 0: at every flush   */
	int64_t min_free; /* bytes; less counts as a full disk            */
};

struct journal_io_stat {
	uint64_t bytes;	 /* written to segments                           */
	uint64_t errors; /* failed writes, opens, syncs                   */
	uint64_t syncs;
	uint64_t segments;
};

struct journal_io {
	struct journal j;
	struct journal_io_args args;
	int fd;		  /* of the segment being written, -1: none        */
	uint32_t segment; /* its number, or the next one's                 */
	uint64_t off;	  /* of the next whole block                       */
	size_t partial;	  /* bytes after off that are written              */
	uint64_t pushed;  /* bytes whose write-back was begun              */
	int err;	  /* negative errno while writing fails, else 0    */
	uint64_t retry_ns;
	uint64_t sync_due_ns;	/* 0: everything is synced                  */
	uint64_t space_due_ns;	/* next look at the free space              */
	int64_t opened_wall_ns; /* when the segment was begun */
	char name[JOURNAL_NAME_SZ]; /* of the segment, "" when none        */
	struct journal_io_stat stat;
};

/* journal_io_init - begins with segment 0 of open->session. The arguments as
 * for journal_init. */
void journal_io_init(struct journal_io *io, const struct journal_io_args *a,
    void *buf, size_t cap, uint64_t run_id, const struct journal_open *open);

/*
 * journal_flush - write what the buffer holds; sync when it is due.
 * Returns : 0, or the negative errno that keeps it from writing.
 */
int journal_flush(struct journal_io *io, const struct journal_clock *now);

/* journal_put - journal_add, with a flush when the buffer is full, and a
 * refusal when that does not help. */
void journal_put(struct journal_io *io, uint16_t tap, const union tap *slot,
    const struct journal_clock *now);

/*
 * journal_rotate - end the segment: CLOSE block, flush, sync, close. The next
 * flush begins another.
 * Returns : 0 (done holds the name of the finished file, "" when there was
 *           none) or a negative errno; then the segment goes on.
 */
int journal_rotate(struct journal_io *io, const struct journal_clock *now,
    char done[JOURNAL_NAME_SZ]);

/* What recovery or reading found in one file. */
struct journal_found {
	struct journal_open open; /* with the cursors at the file's end    */
	bool has_open;
	bool closed; /* it ends with a CLOSE block                */
	uint64_t run_id;
	uint64_t blocks;
	uint64_t records;
	uint64_t gaps;
	uint64_t lost;	     /* records declared lost                     */
	uint64_t bytes;	     /* of valid blocks                           */
	uint64_t bad_bytes;  /* skipped between valid blocks              */
	uint64_t torn_bytes; /* after the last valid block                */
};

/*
 * struct journal_reader - the valid blocks of a file, in order. Damage is
 * skipped in steps of 64 bytes up to the next valid block.
 */
struct journal_reader {
	int fd;
	uint8_t *buf; /* JOURNAL_BUF_MIN bytes or more, the caller's       */
	size_t cap;
	size_t len;
	size_t pos; /* of the next block in buf                          */
	bool at_end;
	int err; /* negative errno of a failed read                   */
	uint64_t skipped; /* since the last valid block                    */
	struct journal_found found;
};

void journal_reader_init(
    struct journal_reader *r, int fd, void *buf, size_t cap);

/* journal_next - the next valid block, in place until the next call; NULL at
 * the end (found.torn_bytes is then known) or after a failed read (err). */
const uint8_t *journal_next(
    struct journal_reader *r, struct journal_head *head);

/*
 * journal_recover - read the file to its end, cut off a torn tail.
 * Returns : 0 or a negative errno. buf as for journal_reader_init.
 */
int journal_recover(int dirfd, const char *name, void *buf, size_t cap,
    struct journal_found *found);

/* journal_name - "<prefix>-<session>-<n>.rmj". journal_name_parse - whether a
 * file name has this form with this prefix, and its numbers. */
void journal_name(char out[JOURNAL_NAME_SZ], const char *prefix,
    uint64_t session, uint32_t segment);
bool journal_name_parse(
    const char *name, const char *prefix, uint64_t *session, uint32_t *segment);

/* One segment file of a directory. */
struct journal_id {
	uint64_t session;
	uint32_t segment;
};

/* journal_list - up to max segments of prefix, the oldest ones first.
 * Returns how many, or a negative errno. */
int journal_list(
    int dirfd, const char *prefix, struct journal_id *out, unsigned max);

/*
 * journal_resume - recover every segment of prefix and set
 * open->tap[].next_seq to where each tap (by name) stands in those of run_id,
 * so that what a ring delivers again is not written again.
 * sum gets the totals over all segments; each(), if not NULL, the findings of
 * every one.
 * Returns : 0, or the first negative errno (the others are recovered still).
 */
struct journal_resume_args {
	int dirfd;
	const char *prefix;
	uint64_t run_id;
	void *buf; /* as for journal_reader_init */
	size_t cap;
	void (*each)(void *ctx, const char *name,
	    const struct journal_found *found, int err);
	void *ctx;
};
int journal_resume(const struct journal_resume_args *a,
    struct journal_open *open, struct journal_found *sum);

#define JOURNAL_LIST_MAX 4096 /* segments that one start looks at */

#endif
