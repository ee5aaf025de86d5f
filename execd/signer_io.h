/*
 * signer_io.h - one engine a key and venue, on this machine.
 *
 * Two engines with one key use each other's nonces, and each takes the
 * other's orders for strangers. A lock beside the instances, so that it holds
 * between instances too; the kernel drops it at any death of its holder.
 * Mode sim takes none: its venue is its own.
 */
#ifndef EXECD_SIGNER_IO_H
#define EXECD_SIGNER_IO_H

#include "libsign/address.h"
#include "libsys/stage.h"

/*
 * signer_lock - *fd: to be closed at the end, -1 when none was needed.
 * Returns 0, or EXIT_TEMPORARY, logged: another engine has it.
 */
int signer_lock(
    const struct stage *s, enum venue v, const struct address *who, int *fd);

#endif
