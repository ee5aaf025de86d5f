/*
 * shell.h - what riskd's main.c shares with shell_io.c and notes_io.c: how the
 * core's changes become log lines, metrics, freeze words and bytes on disk.
 */
#ifndef RISKD_SHELL_H
#define RISKD_SHELL_H

#include <stdbool.h>
#include <stdint.h>

#include "libsys/outbox.h"
#include "libsys/stage.h"
#include "riskd/risk.h"
#include "riskd/risk_io.h"

/* What was last logged or shown. */
struct shell_seen {
	uint64_t freeze_all;
	uint64_t freeze[VENUE_N];
	uint64_t frozen_ns[VENUE_N]; /* of FW_RISKD at VENUE_BINANCE      */
	uint8_t kill[VENUE_N];
	bool skewed[VENUE_N];
	bool stepped;
	int64_t day;
	uint64_t latched;
	usd_t realised;	   /* of the day, before the last step          */
	uint32_t left_out; /* of the file, for it is full                */
	bool lease;
	struct risk_stat stat;
};

struct shell {
	struct risk *core;
	struct outbox box;
	struct core_out out;
	struct risk_io io;
	struct risk_copy copy; /* what the file says                      */
	usd_t unrealised;      /* at the marks in it                      */
	bool unsynced;
	uint64_t thaw_epoch;
	bool cancel_full[VENUE_N];
	struct shell_seen seen;
};

/* shell_observe - after each step: what is worth a line in the log. */
void shell_observe(struct stage *s, struct shell *sh);

/* shell_notes - what the core wants said (notes_io.c). A latch is on disk
 * before anything else happens. */
void shell_notes(struct stage *s, struct shell *sh);

/* shell_watch_metrics - of breakers, exits and reconciliation. */
void shell_watch_metrics(struct stage *s, struct shell *sh);

/* shell_freeze_word - the word of the venue; Binance: the common one. */
uint64_t shell_freeze_word(const struct stage *s, enum venue v);

/* shell_freeze_words - make riskd's words, and the lease, what the core says.
 */
void shell_freeze_words(struct stage *s, struct shell *sh);

/* shell_keep - the day and the positions into the file; sync: and to disk. */
void shell_keep(struct stage *s, struct shell *sh, bool sync);

/* shell_checkpoint - to disk, with the present marks, when it is due. */
void shell_checkpoint(struct stage *s, struct shell *sh);

/* shell_metrics - gauges and counters, in housekeeping. */
void shell_metrics(struct stage *s, struct shell *sh);

#endif
