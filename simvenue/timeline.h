/*
 * timeline.h - recorded frames of one venue in the order they were received.
 *
 * What  : frames of all captures of a venue, merged by receive time. A gap
 *         longer than SIM_GAP_NS ends a segment: the simulator closes its
 *         connections there and plays the next segment for those who return.
 * Times : ns since 1970 on the recorder's clock.
 * Pure  : yes. The caller owns frames and texts.
 */
#ifndef SIMVENUE_TIMELINE_H
#define SIMVENUE_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcore/fixed.h"
#include "libcore/types.h"

#define SIM_GAP_NS	 (600 * NS_PER_S)
#define SIM_SEGMENTS_MAX 64
#define SIM_KEY_MAX	 24

enum sim_kind {
	SIM_PM_WS = 1,	  /* market channel */
	SIM_PM_BOOK = 2,  /* body of GET /book */
	SIM_PM_RTDS = 3,  /* price stream */
	SIM_BN_WS = 4,	  /* combined stream */
	SIM_BN_DEPTH = 5, /* body of GET depth; key is the symbol */
	SIM_HL_WS = 6,
	SIM_PM_USER = 7, /* live: for the desk's login `to` */
	SIM_HL_USER = 8, /* live: `to` as of WORLD_HL_USER */
	SIM_KIND_N
};

struct sim_frame {
	int64_t t_ns;
	uint64_t order; /* of arrival, for equal times */
	const char *text;
	uint32_t n;
	enum sim_kind kind;
	uint32_t to; /* of live frames: key of their channel (world.h) */
	char key[SIM_KEY_MAX];
};

struct sim_segment {
	size_t first; /* frame */
	size_t end;   /* one after the last */
};

struct sim_timeline {
	struct sim_frame *frames;
	size_t n;
	size_t segment_n;
	struct sim_segment segments[SIM_SEGMENTS_MAX];
};

/*
 * sim_timeline_build - sort t->frames (n of them) by time and cut segments.
 * Frames of equal time keep their order. O(n log n).
 * Returns : false when there are more than SIM_SEGMENTS_MAX segments.
 */
bool sim_timeline_build(struct sim_timeline *t);

/* sim_timeline_start_ns, sim_timeline_span_ns - of a segment. */
int64_t sim_timeline_start_ns(const struct sim_timeline *t, size_t segment);
int64_t sim_timeline_span_ns(const struct sim_timeline *t, size_t segment);

/*
 * sim_clock - recorded time as a function of monotonic time.
 * speed_e3: 1000 is the recorded pace, 0 means no pacing at all.
 */
struct sim_clock {
	int64_t start_t_ns;	/* recorded time at the start */
	uint64_t start_mono_ns; /* when it was started */
	uint64_t speed_e3;
};

/* sim_clock_now - recorded time at mono_ns; INT64_MAX without pacing. */
int64_t sim_clock_now(const struct sim_clock *c, uint64_t mono_ns);

/* sim_clock_wait_ns - monotonic time from mono_ns until recorded time t_ns;
 * 0 when it has come. */
uint64_t sim_clock_wait_ns(
    const struct sim_clock *c, uint64_t mono_ns, int64_t t_ns);

#endif
