/*
 * ledger_sim_io.h - what the exchanges on this machine really hold.
 *
 * ledger_ask_sim - GET http://127.0.0.1:PORT/sim/ledger at the host of url,
 * which is a loopback address without TLS: a plain socket, nothing leaves the
 * machine. pm, hl: addresses of our accounts. Returns false with the sentence
 * in why: not there, not such an answer, or no such account.
 */
#ifndef SUPERVISOR_LEDGER_SIM_IO_H
#define SUPERVISOR_LEDGER_SIM_IO_H

#include <stdbool.h>

#include "supervisor/ledger.h"

#define LEDGER_WHY_SZ 256

struct ledger_ask {
	const char *url;
	const char *pm; /* NULL: not asked about */
	const char *hl;
	uint64_t at_ns; /* now */
};
bool ledger_ask_sim(
    struct ledger *l, const struct ledger_ask *a, char why[LEDGER_WHY_SZ]);

#endif
