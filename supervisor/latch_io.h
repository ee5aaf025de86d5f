/*
 * latch_io.h - a freeze that neither kill -9 of everything nor a reboot thaws.
 *
 * What      : <state_dir>/latch.supervisor, the latched reasons of the
 *             supervisor's freeze word with who, when and why. riskd keeps
 *             its own beside it.
 * Durable   : written under another name, fsynced, renamed, directory
 *             fsynced: a reader sees the old one or the new one, whole.
 * Fail safe : a file that cannot be read or understood counts as a freeze by
 *             a person, and says so; only a missing one means not frozen.
 */
#ifndef SUPERVISOR_LATCH_IO_H
#define SUPERVISOR_LATCH_IO_H

#include <stdint.h>

#include "libshm/err.h"

#define LATCH_FILE   "latch.supervisor"
#define LATCH_WHY_SZ 200

struct latch {
	uint64_t mask; /* FREEZE_MANUAL, FREEZE_CRASH_LOOP */
	uint64_t since_wall_ns;
	uint64_t uid;
	char why[LATCH_WHY_SZ]; /* one line */
};

/* latch_load - 0 with *l filled (mask 0: no file). A broken file gives
 * -EBADMSG, the sentence, and mask FREEZE_MANUAL. */
int latch_load(const char *state_dir, struct latch *l, struct err *e);

/* latch_save - make it so, durably; mask 0 removes the file. The directory
 * must exist (state_dir_make). */
int latch_save(const char *state_dir, const struct latch *l, struct err *e);

/* latch_why - copy text as one printable line, cut to fit. */
void latch_why(struct latch *l, const char *text);

/* state_dir_make - create the directory, its parents and "logs" below it,
 * mode 0700. */
int state_dir_make(const char *state_dir, struct err *e);

#endif
