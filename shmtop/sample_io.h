/*
 * sample_io.h - read an instance, alive or dead, without touching it.
 *
 * What  : maps everything read-only, takes no role and no lock; follows the
 *         name to a new instance when the old one is gone.
 * Costs : a sample reads header lines and metric pages, and the slots that
 *         have come since the last one on the rings that track.h wants.
 */
#ifndef SHMTOP_SAMPLE_IO_H
#define SHMTOP_SAMPLE_IO_H

#include "libshm/cfgpage.h"
#include "libshm/metrics.h"
#include "shmtop/snap.h"

struct sample_prev {
	uint64_t now_ns;
	uint64_t published[RG_N];
	uint64_t committed[RG_N];
	uint64_t idle_ns[ST_N];
	uint64_t steps[ST_N];
	uint64_t wakes[ST_N];
	uint64_t frames[VENUE_N];
	uint64_t ticks[VENUE_N];
	uint64_t bytes[VENUE_N];
	uint64_t records;
	uint64_t rec_bytes;
};

struct sampler {
	char name[INSTANCE_NAME_MAX];
	char dir[128]; /* --path, else "" */
	struct instance in;
	bool open;
	uint64_t ino;
	struct ctl *ctl;
	struct cfgpage page;
	bool has_page;
	struct cfg cfg;
	bool has_cfg;
	struct instr_table *instr;
	const struct why_page *why; /* NULL until quoted made it */
	struct metrics *metrics[ST_N];
	struct ring ring[RG_N];
	bool has_ring[RG_N];
	double high[RG_N];
	struct sample_prev prev;
	struct track track;
	int tap_ring; /* -1 none */
	struct ring tap;
	bool has_tap;
	uint32_t tap_n; /* kept, newest last */
	uint64_t tap_lost;
	struct snap_tap kept[SNAP_TAPS];
	uint32_t note_n;
	char note[SNAP_NOTES][320];
};

/* sample_open - by instance name, or a directory (a dead one). Nothing has
 * to exist yet. */
void sample_open(struct sampler *s, const char *name, const char *dir);

/* sample_take - look now. out->found is false when there is no instance. */
void sample_take(struct sampler *s, struct snap *out);

/* sample_tap - watch one ring's slots from its oldest on; -1 none. */
void sample_tap(struct sampler *s, int ring);

/* sample_tap_next - drain further slots of the watched ring into one copy;
 * for `shmtop tap`. */
enum ring_tap sample_tap_next(
    struct sampler *s, union tap *slot, uint64_t *lost);

void sample_close(struct sampler *s);

#endif
