/*
 * opfile_io.h - the two files that quoted reads: the predictor's weights,
 * once, and the operator's probabilities, again whenever they change. Both
 * are opened before the rights are dropped; the second is read through its
 * descriptor and must be written in place, not replaced.
 */
#ifndef QUOTED_OPFILE_IO_H
#define QUOTED_OPFILE_IO_H

#include <stdbool.h>

#include "quoted/quote.h"

struct opfile;

/* opfile_lstm - weights into the core; an empty path is none. False, said in
 * the log, when the file cannot be used. */
bool opfile_lstm(const char *path, struct quote *q);

/* opfile_open - *out stays NULL for an empty path. False, said in the log,
 * when it cannot be opened. */
bool opfile_open(const char *path, struct opfile **out);

/* opfile_turn - look once a second; a changed file replaces the list, one with
 * a bad line leaves it and says which. NULL does nothing. */
void opfile_turn(struct opfile *f, struct prob_list *l, uint64_t now_ns);

void opfile_close(struct opfile *f);

#endif
