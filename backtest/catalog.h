/*
 * catalog.h - what a replay looks up in the recording: configurations, and
 * the messages that stages sent each other.
 *
 * Settings are collected before a replay begins, because the recorder may
 * have written them behind the step that used them. Messages are found by
 * their first 64 bytes, which is what a trace has of them.
 */
#ifndef BACKTEST_CATALOG_H
#define BACKTEST_CATALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "libshm/cfg.h"
#include "libshm/slots.h"
#include "recorderd/reader.h"

#define CATALOG_MESSAGES 65536u /* newest ones kept                       */
#define CATALOG_INDEX	 (4 * CATALOG_MESSAGES)

struct catalog_cfg {
	uint64_t epoch;
	struct cfg cfg;
};

struct catalog {
	struct catalog_cfg *cfg;
	uint32_t cfg_n;
	uint32_t bad_cfg; /* values that this build does not take        */
	/* messages */
	uint64_t message_n;
	struct order *message; /* CATALOG_MESSAGES                       */
	uint64_t *key;	       /* likewise                               */
	uint32_t *index;       /* CATALOG_INDEX: place + 1, by key        */
};

/* catalog_new - NULL: no memory. */
struct catalog *catalog_new(void);
void catalog_free(struct catalog *c);

/* catalog_see - an event of the first pass. */
void catalog_see(struct catalog *c, const struct reader_event *ev);

/* catalog_cfg - of an epoch; of the first there is, when it is not known;
 * NULL: none was recorded. */
const struct cfg *catalog_cfg(const struct catalog *c, uint64_t epoch);

/* catalog_sent - a message that a stage put out. catalog_find - the one whose
 * first 64 bytes (but for its sequence) are these; false: none. */
void catalog_sent(struct catalog *c, const struct order *o);
bool catalog_find(
    const struct catalog *c, const uint64_t head[8], struct order *out);

#endif
