/*
 * gwpm_world.h - the Polymarket port and the simulated venue in virtual time:
 * what is under way between them, what goes wrong on the way, and what order
 * management would know. Everything follows from r.seed.
 */
#ifndef TESTS_PROP_GWPM_WORLD_H
#define TESTS_PROP_GWPM_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "execd/gw_pm.h"
#include "execd/gw_pm_int.h"
#include "libcore/hash.h"
#include "simvenue/pm_desk.h"

#define START_NS (UINT64_C(1790000000) * UINT64_C(1000000000))
#define MS	 UINT64_C(1000000)
#define SECOND	 UINT64_C(1000000000)
#define BODY	 ((size_t)1 << 20)
#define ITEMS	 4096u
#define SLOTS	 12u
#define MARKETS	 3u

enum what {
	REQUEST = 1,
	ANSWER,
	FRAME
};

struct item {
	enum what what; /* 0 free */
	uint64_t at_ns;
	uint64_t tag;
	unsigned status;
	uint32_t life; /* of the channel */
	bool is_lost;  /* the reply will be */
	int64_t retry_s;
	char *method;
	char *target;
	char *headers;
	char *body;
};

/* What order management would know of a slot. */
struct slot {
	uint64_t id; /* 0 free */
	bool is_answered;
	bool is_unknown;
	bool has_cancel;
	qty_t qty;
	qty_t filled;
	uint64_t at_ns;
};

struct rig {
	uint64_t seed;
	uint64_t rng;
	uint64_t now_ns;
	bool has_faults;
	/* venue */
	struct pmx *x;
	struct pmx_sink sink;
	struct pm_desk desk;
	uint32_t market[MARKETS];
	uint32_t other;
	uint32_t me_account;
	uint64_t other_id;
	uint64_t restart_until_ns;
	/* us */
	struct secp secp;
	struct address me;
	struct pm_creds creds;
	char api_key[64];
	char secret[64];
	char passphrase[128];
	struct gwpm g;
	struct gwpm_setup set;
	struct gwpm_book *book;
	struct gwpm_sink out;
	struct slot slot[SLOTS];
	uint64_t next_id;
	bool is_up;
	uint32_t life;
	uint64_t up_ns;
	uint64_t lease_gap_until_ns;
	/* tallies of events */
	int64_t yes_e8[MARKETS];
	uint64_t acked;
	uint64_t rejected;
	uint64_t gone;
	uint64_t cancelled;
	uint64_t fills;
	uint64_t sells;
	uint64_t kills;
	uint64_t posts; /* of earlier lives */
	struct item item[ITEMS];
	char *reply;
};

extern struct rig r;

uint64_t random_below(uint64_t n);
bool happens(uint64_t per_mille);
bool fault(uint64_t per_mille); /* when faults are on */
struct gwpm_now now(void);
void item_free(struct item *i);
/* arrive - a request reaches the venue. */
void arrive(struct item *i);
/* kill_it - what was sent arrives, nobody hears the answers. */
void kill_it(void);
void begin(uint64_t seed);
void end(void);

#endif
