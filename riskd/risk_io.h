/*
 * risk_io.h - what riskd keeps on disk.
 *
 * One file, latch.riskd.<instance>, in system.state_dir (default
 * $XDG_STATE_HOME/ringmaker, else ~/.local/state/ringmaker): the day, its
 * P&L, the high-water mark and the latch. Shared memory is gone after a
 * reboot; this is not. riskd is sealed while it runs and may not open or
 * rename files, so this one is held open and has two copies, written in turn,
 * each with a number and a checksum, and fsynced: a torn write leaves the
 * other copy. Written when it changed, at most every
 * risk.checkpoint_interval, and at once at each latch and thaw.
 */
#ifndef RISKD_RISK_IO_H
#define RISKD_RISK_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "libshm/cfg.h"
#include "libshm/err.h"
#include "riskd/drawdown.h"

struct risk_io {
	int fd; /* -1: not open                                           */
	uint64_t version; /* of the newest copy                           */
	uint64_t written_ns;
	char path[512];
};

/* risk_io_dir - where; false when neither the key nor HOME says. */
bool risk_io_dir(const struct cfg *c, char *buf, size_t n);

/*
 * risk_io_open - open or make the file of this instance; *found with the
 * newest good copy in *l. Returns 0 or a negative errno with a sentence: a
 * file that is there and has no good copy is -EBADMSG (never taken for "no
 * latch").
 */
int risk_io_open(struct risk_io *io, const char *dir, const char *instance,
    struct loss *l, bool *found, struct err *e);

/* risk_io_write - make *l durable: written and fsynced. 0 or -errno. */
int risk_io_write(struct risk_io *io, const struct loss *l);

void risk_io_close(struct risk_io *io);

#endif
