/*
 * gatekit.h - a gateway of execd alone on a loop of the test's, against the
 * real simvenue --live: what the shell of execd does, without it.
 *
 * What    : a rig with a venue and an empty instance; no supervisor, no
 *           stages. The test gives acts and looks at what was told.
 * Lives   : gatekit_open ... gatekit_close may be repeated, and be done in a
 *           child that dies; the instance with the book stays.
 * Sink    : keeps everything, of all lives; may_place answers what the test
 *           has set.
 */
#ifndef TESTS_PIPELINE_GATEKIT_H
#define TESTS_PIPELINE_GATEKIT_H

#include "execd/gateway.h"
#include "tests/pipeline/rig.h"

#define GATEKIT_EVENTS	 4096u
#define GATEKIT_HOLDINGS 1024u

struct gatekit {
	struct rig rig;
	struct stage stage;
	struct gateway_sink sink;
	const struct gateway_ops *ops;
	void *gate;
	bool may_place;
	bool has_lease; /* given anew in each turn, a second long */
	/* what was told */
	uint32_t asked_n; /* may_place */
	uint32_t settled_n;
	uint32_t odd_n; /* settle inside a call from the shell: never */
	bool is_in_call;
	enum port_mode mode;
	char why[200];
	uint32_t ev_n;
	uint32_t life_ev; /* ev_n when this life began */
	struct port_event ev[GATEKIT_EVENTS];
	uint32_t hold_n;
	struct gateway_holding hold[GATEKIT_HOLDINGS];
};

/* gatekit_init - rig, venue with these options beside --live, instance.
 * False: k->rig.out says why. */
bool gatekit_init(
    struct gatekit *k, const char *name, const char *const *options);
void gatekit_free(struct gatekit *k);

/* gatekit_set - a setting as `group.name=value`, before gatekit_open. */
bool gatekit_set(struct gatekit *k, const char *text);

/* gatekit_open - loop and gateway; the gateway's answer. Then the markets,
 * then gatekit_start. */
int gatekit_open(struct gatekit *k, const struct gateway_ops *ops,
    enum stage_id stage, bool fresh);
void gatekit_start(struct gatekit *k);
void gatekit_close(struct gatekit *k);

/* gatekit_act - and flush. */
void gatekit_act(struct gatekit *k, const struct port_act *a);

/* gatekit_turn - what is ready, the timer when it is due; a millisecond of
 * sleep when there is nothing. */
void gatekit_turn(struct gatekit *k);

/* gatekit_said - how often that was told of an id in this life; id 0: of
 * any. */
uint32_t gatekit_said(const struct gatekit *k, uint64_t id, enum port_ev what);
/* gatekit_last - the newest of them, NULL: none. */
const struct port_event *gatekit_last(
    const struct gatekit *k, uint64_t id, enum port_ev what);

/* gatekit_net - signed quantity and money of the fills told in all lives,
 * each id once; a reversal takes its fill back. */
void gatekit_net(
    const struct gatekit *k, uint16_t instr, qty_t *qty, usd_t *fees);

/* GATEKIT_UNTIL - turns until it is so; the test fails when it never is. */
#define GATEKIT_UNTIL(k, cond)                                            \
	do {                                                              \
		uint64_t end_ = proc_now_ns() + RIG_WAIT_MS * 1000000ull; \
		while (!(cond) && proc_now_ns() < end_)                   \
			gatekit_turn(k);                                  \
		if (!(cond)) {                                            \
			rig_logs(&(k)->rig);                              \
			fail_msg("waited for nothing: %s", #cond);        \
		}                                                         \
	} while (0)

/* GATEKIT_FOR - turns for so many milliseconds. */
#define GATEKIT_FOR(k, ms)                                       \
	do {                                                     \
		uint64_t end_ = proc_now_ns() + (ms)*1000000ull; \
		while (proc_now_ns() < end_)                     \
			gatekit_turn(k);                         \
	} while (0)

#endif
