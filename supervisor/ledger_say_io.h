/*
 * ledger_say_io.h - what was compared, for people and as JSON.
 *
 * why: of the exchange here, "" when it was asked or there is none. Every
 * figure carries its age at the look that judged it; "late" is one that fills
 * came after, or of somebody who is silent.
 */
#ifndef SUPERVISOR_LEDGER_SAY_IO_H
#define SUPERVISOR_LEDGER_SAY_IO_H

#include "supervisor/ledger.h"

void ledger_say_text(
    const struct ledger_verdict *d, const struct ledger *l, const char *why);
void ledger_say_json(
    const struct ledger_verdict *d, const struct ledger *l, const char *why);

#endif
