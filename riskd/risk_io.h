/*
 * risk_io.h - what riskd keeps on disk.
 *
 * One file, latch.riskd.<instance>, in system.state_dir (default
 * $XDG_STATE_HOME/ringmaker, else ~/.local/state/ringmaker): the day, its
 * P&L, the high-water mark, the latch, and every position (riskkept.h).
 * Shared memory is put aside by the next start and gone after a reboot; this
 * is not. riskd is sealed while it runs and may not open or rename files, so
 * this one is held open and has copies, each with a number and a checksum;
 * the newest good one counts.
 * Written  : in the page cache, which survives the death of every process,
 *            before a change of a position or of the day is said to anybody;
 *            with the present marks, and synced, at most every
 *            risk.checkpoint_interval, at each latch, and at the end.
 * Copies   : three. A write spares the newest and the newest that is synced:
 *            kill -9 in a write leaves the first, a power cut the second.
 */
#ifndef RISKD_RISK_IO_H
#define RISKD_RISK_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "libshm/cfg.h"
#include "libshm/err.h"
#include "riskd/riskkept.h"

#define RISK_IO_COPIES 3

/* A copy as it lies in the file, up to its last entry. */
struct risk_copy {
	uint64_t magic;
	uint64_t version;
	uint64_t entry_sz; /* another layout is refused                   */
	uint64_t sum;
	struct risk_image image;
};

struct risk_io {
	int fd;	    /* -1: not open                                           */
	int newest; /* place of a copy; -1: none                          */
	int synced;
	uint64_t version; /* of the newest copy                           */
	uint64_t written_ns;
	char path[512];
};

/* risk_io_dir - where; false when neither the key nor HOME says. */
bool risk_io_dir(const struct cfg *c, char *buf, size_t n);

/*
 * risk_io_open - open or make the file of this instance; *found with the
 * newest good copy in *c. Returns 0 or a negative errno with a sentence: a
 * file that is there and has no good copy, or one of another version, is
 * -EBADMSG (never taken for "no latch, no position").
 */
int risk_io_open(struct risk_io *io, const char *dir, const char *instance,
    struct risk_copy *c, bool *found, struct err *e);

/* risk_io_write - c->image into the file; its other fields are filled in.
 * sync: durable when it returns. 0 or -errno. */
int risk_io_write(struct risk_io *io, struct risk_copy *c, bool sync);

void risk_io_close(struct risk_io *io);

#endif
