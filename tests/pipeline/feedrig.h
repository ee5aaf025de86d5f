/*
 * feedrig.h - one real feedd against a simvenue that misbehaves.
 *
 * What  : simvenue, shared memory with a configuration, one feedd, an
 *         observer of its books, and simvenue's /sim/ paths.
 * Truth : every touch that the recording ever shows (feedrig_truth); what is
 *         published must be one of them, or the other side of one.
 * The rig does what rig.h says; a test fails with all logs.
 */
#ifndef TESTS_FEEDRIG_H
#define TESTS_FEEDRIG_H

#include "libshm/cfgpage.h"
#include "libshm/slots.h"
#include "tests/pipeline/rig.h"

#define FEED_WAIT_MS 15000

struct feedrig {
	struct rig rig;
	enum stage_id st;
	enum ring_id ring;
	const char *venue; /* whose port is asked */
	const char *const *options;
	const char *const *sets; /* "group.key=value", NULL at the end */
	bool tls;
	struct cfgpage page;
	struct ring md;
	pid_t feed;
	unsigned port;
	char answer[32768]; /* body of the last one */
	/* what was seen in the ring */
	uint64_t ticks;
	uint64_t bbos;
	uint64_t links;
	uint64_t gaps;
	uint64_t refs;
	uint64_t crossed; /* BBO with bid >= ask */
	bool is_crossed;  /* ... the last of all */
	uint64_t strange; /* another BBO that is not the truth */
	struct tick_bbo last_strange;
	uint8_t link_state; /* of the last TICK_LINK of connection 0 */
};

/* feedrig_open - all of it runs; fields up to tls and the name are given.
 * feedrig_close - nothing of it is left. */
void feedrig_open(struct feedrig *f, const char *name);
void feedrig_close(struct feedrig *f);

/* feedrig_http - a request to the simulated venue; its status. */
unsigned feedrig_http(
    struct feedrig *f, const char *method, const char *path, const char *body);

/* feedrig_fault - a rule in force. feedrig_clear - none any more. */
void feedrig_fault(struct feedrig *f, const char *json);
void feedrig_clear(struct feedrig *f);

/* feedrig_fired - how often a fault has happened. */
int64_t feedrig_fired(struct feedrig *f, const char *label);

int64_t feedrig_metric(const struct feedrig *f, enum metric_id id);
int64_t feedrig_reason(const struct feedrig *f, enum reason r);
bool feedrig_ready(const struct feedrig *f);

/* feedrig_look - read the ring up to its end, count what is seen. */
void feedrig_look(struct feedrig *f);

/* feedrig_runs - look for so long. */
void feedrig_runs(struct feedrig *f, int ms);

/* feedrig_logs - print what is known; for a test that has failed. */
void feedrig_logs(struct feedrig *f);

/* feedrig_truth - learn the touches of a capture; NULL: all are true. */
void feedrig_truth(const char *spec);

/* Wait for a condition while looking at the ring. */
#define FEED_UNTIL(f, cond)                                                \
	do {                                                               \
		uint64_t end_ = proc_now_ns() + FEED_WAIT_MS * 1000000ull; \
		feedrig_look(f);                                           \
		while (!(cond) && proc_now_ns() < end_) {                  \
			usleep(1000);                                      \
			feedrig_look(f);                                   \
		}                                                          \
		if (!(cond)) {                                             \
			feedrig_logs(f);                                   \
			fail_msg("waited for nothing: %s", #cond);         \
		}                                                          \
	} while (0)

/* FEED_LIVES - READY, and books come. */
#define FEED_LIVES(f)                                                \
	do {                                                         \
		uint64_t had_;                                       \
		FEED_UNTIL(f, feedrig_ready(f));                     \
		had_ = (f)->bbos;                                    \
		FEED_UNTIL(f, (f)->bbos > had_ && feedrig_ready(f)); \
	} while (0)

#endif
