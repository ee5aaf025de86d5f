/*
 * outbox.h - state first, then messages, and neither without the other.
 *
 * A stage whose decisions bind others (riskd, execd) must not say something
 * and then forget that it said it. So each step that says something commits,
 * in one store_commit: its changed records, the input cursors, and the
 * messages themselves; only then it publishes them. After kill -9 the
 * messages of the last commit are published again (readers drop repeats by
 * id), and input slots that the commit covers are skipped.
 *
 * The first OUTBOX_RECS records of the store belong to the outbox.
 */
#ifndef LIBSYS_OUTBOX_H
#define LIBSYS_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "libshm/event.h"
#include "libshm/store.h"
#include "libsys/stage.h"

#define OUTBOX_SZ	(16u + CORE_OUT_MAX * (8u + 128u))
#define OUTBOX_RECS(sz) ((OUTBOX_SZ + (sz)-1u) / (sz))

struct outbox {
	struct store store;
	uint64_t cursor[RG_N]; /* slots handled, by ring                  */
	uint32_t recs;
	bool dirty;   /* puts or cursors since the last commit            */
	bool pending; /* the last commit holds messages                   */
	void (*lost)(struct stage *s, enum ring_id ring, const struct order *o);
};

/*
 * outbox_open - open the store, or make it; take over the input rings, whose
 * cursors from now on move only after a commit. *fresh: nothing was in it.
 * rec_n without the outbox's own. Returns 0 or an exit code, logged.
 */
int outbox_open(struct outbox *b, struct stage *s, uint32_t rec_sz,
    uint32_t rec_n, uint64_t layout, bool *fresh);
void outbox_close(struct outbox *b);

/* outbox_replay - publish again what the last commit said. */
void outbox_replay(struct outbox *b, struct stage *s);

/* outbox_get, outbox_put - record i of the stage's own. */
void outbox_get(const struct outbox *b, uint32_t i, void *rec);
void outbox_put(struct outbox *b, uint32_t i, const void *rec);

/* outbox_seen - a slot event that the state already contains. Else notes
 * its cursor. */
bool outbox_seen(struct outbox *b, const struct event *ev);

/* outbox_send - commit with these messages, then publish them. */
void outbox_send(struct outbox *b, struct stage *s, const struct core_out *out);

/* outbox_commit - batch end: commit what is left; no messages. */
void outbox_commit(struct outbox *b);

#endif
