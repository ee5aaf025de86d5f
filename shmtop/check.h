/*
 * check.h - what is wrong with an instance, as sentences, for --check.
 *
 * Finds  : no instance; files of another layout; a dead or stopped
 *          supervisor; stages that are dead, hung, parked or backing off; a
 *          ring role that nobody holds while its stage is ready; rings that
 *          are full or have dropped; connections that are down and whose
 *          shard no other lane carries; gaps of the last CHECK_GAP_NS in
 *          feeds and recording; frozen venues, with the connection behind.
 * Pure   : yes.
 */
#ifndef SHMTOP_CHECK_H
#define SHMTOP_CHECK_H

#include "shmtop/snap.h"

#define CHECK_MAX     64
#define CHECK_TEXT_SZ 480
#define CHECK_GAP_NS  UINT64_C(300000000000) /* five minutes            */

struct check_list {
	uint32_t n;
	char text[CHECK_MAX][CHECK_TEXT_SZ];
};

/* check_snap - the findings, worst first; out->n is 0 when all is well. */
void check_snap(const struct snap *s, struct check_list *out);

#endif
