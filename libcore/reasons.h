/*
 * reasons.h - names for every refusal, drop, pause and freeze (reasons.def).
 */
#ifndef LIBCORE_REASONS_H
#define LIBCORE_REASONS_H

enum reason {
	REASON_NONE = 0,
#define REASON(name, label, value, text) REASON_##name = (value),
#include "libcore/reasons.def"
#undef REASON
	REASON_N
};

/* reason_name - lower-case label ("daily_loss"); "none" for 0, "?" for a
 * value that is not in the table. */
const char *reason_name(enum reason r);

/* reason_text - sentence for people. */
const char *reason_text(enum reason r);

#endif
