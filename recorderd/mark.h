/*
 * mark.h - what the mid did after each fill that was recorded.
 *
 * What     : looks at the slots that pass: a fill of ours begins to wait, a
 *            best bid and ask of its instrument brings the results that are
 *            due, as TAP_MARKOUT slots for the recorder's own tap. Times,
 *            lateness and arithmetic are libcore/markout.h's; the horizons
 *            those of the configuration (markout.first, second, third).
 * Once     : a fill that is reported again (same fill_id) counts once; one
 *            that is taken back (ORDER_REVERSED) not at all.
 * Limits   : MARK_INSTRS instruments with fills, MARKOUT_PENDING fills of each
 *            wait at once; what pushes others out is counted. What waits is
 *            not kept over a restart of the recorder.
 * Pure     : yes. O(results due) a slot.
 */
#ifndef RECORDERD_MARK_H
#define RECORDERD_MARK_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/markout.h"
#include "libshm/cfg.h"
#include "libshm/instr.h"
#include "libshm/slots.h"

#define MARK_INSTRS  256u
#define MARK_FILLS   1024u
#define MARK_OUT_MAX MARKOUT_DUE

struct mark_fill {
	uint64_t fill_id;
	uint16_t instr;
	uint8_t strategy;
	uint8_t maker;
	uint8_t venue;
};

struct mark {
	struct markout_cfg cfg;
	uint64_t now_ns; /* of the newest slot, does not fall             */
	uint64_t fill_n; /* ever                                          */
	uint32_t used_n; /* of `of`                                       */
	uint64_t full_n; /* fills of an instrument too many               */
	uint16_t of[INSTR_N]; /* place in `m` + 1                         */
	struct mark_fill fill[MARK_FILLS];
	struct markout m[MARK_INSTRS];
};

/* mark_init - nothing waits. mark_configure - other horizons from now on. */
void mark_init(struct mark *m, const struct cfg *cfg);
void mark_configure(struct mark *m, const struct cfg *cfg);

/*
 * mark_step - one slot of any tap.
 * Returns how many results came due, without sequence numbers.
 */
uint32_t mark_step(
    struct mark *m, const union tap *s, struct tick out[MARK_OUT_MAX]);

#endif
