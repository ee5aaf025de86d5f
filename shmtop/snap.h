/*
 * snap.h - everything that shmtop shows, read at one moment.
 *
 * Data only. Filled by sample_io.c, drawn by pane_*.c, judged by check.c.
 * Rates are per second since the sample before.
 */
#ifndef SHMTOP_SNAP_H
#define SHMTOP_SNAP_H

#include <stdbool.h>
#include <stdint.h>

#include "libshm/ctl.h"
#include "libshm/instr.h"
#include "libshm/linkwhy.h"
#include "libshm/metrics.h"
#include "libshm/ring.h"
#include "libshm/why.h"
#include "shmtop/track.h"

#define SNAP_MARKETS 512
#define SNAP_TAPS    128
#define SNAP_NOTES   16
#define SNAP_LINKS   (3 * METRICS_LINKS)

struct snap_stage {
	uint32_t state; /* enum stage_state */
	uint32_t wait;	/* enum wait_policy */
	uint64_t pid;
	bool alive;
	bool stale; /* alive, heartbeat over the limit                    */
	uint64_t up_ns;
	uint64_t beat_ns; /* age of the heartbeat                         */
	uint64_t epoch;
	uint64_t cfg_epoch;
	uint64_t restarts;
	uint64_t last_exit;
	uint64_t last_exit_ns; /* age, 0 never                            */
	uint64_t down_ns;
	uint64_t next_ns; /* until its restart                            */
	uint64_t quarantine_ring;
	uint64_t quarantine_seq;
	uint64_t sweep; /* enum ctl_sweep                                 */
	uint64_t rss_kib;
	uint64_t switches;  /* voluntary                                  */
	uint64_t preempted; /* involuntary                                */
	double cpu_frac;    /* since its start                             */
	double busy_frac;   /* of the time since the last look, not waiting */
	double step_rate;
	double wake_rate;
	uint64_t in_dropped;
	uint64_t out_dropped;
	uint64_t hop_n;
	uint64_t hop_ns[3]; /* p50, p99, max                              */
	uint64_t step_ns[3];
};

struct snap_ring {
	bool ok; /* attached */
	struct ring_stat st;
	double rate_in;
	double rate_out;
	double high; /* fullest seen by this shmtop, 0..1                 */
	uint64_t idle_ns;
};

struct snap_feed {
	bool ok;
	uint32_t link; /* enum link_state */
	int64_t rtt_us;
	int64_t ema_us;
	int64_t age_us;
	int64_t quiet_ms;
	int64_t instruments;
	uint64_t malformed;
	uint64_t reconnects;
	uint64_t gaps;
	uint64_t gap_ns; /* age of the newest, 0 none                      */
	uint64_t hash_ok;
	uint64_t hash_bad;
	double frame_rate;
	double tick_rate;
	double byte_rate;
	int64_t kill_ms; /* latency kill switch of this venue             */
	uint64_t decode_ns[3];
	uint64_t reason[REASON_N]; /* dropped and failed, by reason       */
};

/* A connection of a feed; see libshm/links.def. */
struct snap_link {
	uint8_t venue;
	char name[LINK_NAME_SZ];
	int64_t field[LF_N];
};

struct snap_risk {
	int64_t pnl_e6;
	int64_t realised_e6;
	int64_t fees_e6;
	int64_t exposure_e6;
	int64_t loss_limit_e6;
	int64_t open_orders;
	uint64_t passed;
	uint64_t refused;
	uint64_t fills;
	uint64_t freezes;
	uint16_t top_reason[3]; /* most frequent refusals, 0 none         */
	uint64_t top_reason_n[3];
};

/* How a venue stands for orders: values of execd's metric `mode`. */
#define GATE_PAPER   0
#define GATE_NORMAL  2
#define GATE_BLOCKED 6

struct snap_exec {
	uint64_t orders;
	uint64_t cancels;
	uint64_t kept;
	uint64_t fills;
	uint64_t rejects;
	uint64_t blocked;
	int64_t resting;
	uint64_t tick_to_order_ns[3];
	/* of a gateway that sends orders; mode 0: paper, or none yet */
	int64_t mode;
	int64_t budget_left;
	int64_t clock_us;
	int64_t warm;
	uint64_t ack_ns[3];
	uint64_t posts;
	uint64_t cancel_requests;
	uint64_t unknown;
	uint64_t held;
	uint64_t cold;
	uint64_t resends;
	uint64_t resyncs;
	uint64_t strays;
	uint64_t reversals;
	uint64_t differences;
	uint64_t lapses;
};

struct snap_recorder {
	uint64_t records;
	uint64_t bytes;
	uint64_t rows;
	uint64_t files;
	uint64_t gaps;
	uint64_t gap_ns; /* age of the newest, 0 none                      */
	uint64_t lost;
	uint64_t disk_errors;
	double record_rate;
	double byte_rate;
};

/* Of one side: what quoted said at its last look. */
struct snap_why {
	bool ok;
	uint16_t stop; /* enum why_id that refused, WHY_N none            */
	uint16_t take_stop;
	uint64_t looks;
	uint64_t quoted;
	uint64_t signals;
	uint64_t taken;
	struct why_filter filter; /* that of stop                         */
};

struct snap_market {
	uint16_t idx;
	struct snap_why why[2]; /* bid, ask                               */
	struct instr in;
	struct track_market t;
};

struct snap_tap {
	uint8_t ring;
	union tap slot;
};

struct snap {
	char instance[INSTANCE_NAME_MAX];
	char path[128];
	bool found; /* there is such an instance                      */
	bool sup_alive;
	bool stopping;
	uint64_t now_ns;
	int64_t wall_ns;
	uint64_t up_ns;
	uint64_t sup_pid;
	uint64_t sup_beat_ns; /* age */
	uint64_t run_id;
	int mode;
	uint64_t cfg_epoch;
	char host[64];
	char clock[32];
	int cores;
	uint64_t lease_ns; /* left */
	uint64_t word[FW_N];
	uint64_t word_since_ns[FW_N]; /* age */
	uint64_t gate[VENUE_N];	      /* mask that forbids, per venue     */
	bool trades[VENUE_N];	      /* the configuration quotes there   */
	char gate_why[VENUE_N][LINKWHY_SZ]; /* the connection behind it   */
	struct snap_stage stage[ST_N];
	struct snap_ring ring[RG_N];
	struct snap_feed feed[VENUE_N];
	struct snap_exec exec[VENUE_N];
	struct snap_risk risk;
	struct snap_recorder rec;
	uint8_t trading;
	uint16_t trading_reason;
	uint64_t tap_lost;
	uint32_t market_n;
	uint32_t tap_n; /* newest last */
	uint32_t note_n;
	uint32_t link_n;
	char note[SNAP_NOTES][320]; /* what could not be read, and why    */
	struct snap_link link[SNAP_LINKS];
	struct snap_market market[SNAP_MARKETS];
	struct snap_tap tap[SNAP_TAPS];
};

#endif
