/*
 * feed.h - the core of feedd: what a venue sends in, market data slots out.
 *
 * What     : one core for every venue. It decides what to connect to, what
 *            to subscribe, when to ping, give up and come back, which book
 *            is right and which is not. The shell (feed_io.c) moves bytes.
 * Shape    : feed_init, feed_step(event), feed_hash. Everything that a step
 *            causes goes through the sink while it runs, ticks first, so
 *            that checks of books (SHA-1) never delay a price.
 * Books    : one SLOT_BATCH_END closes what one message changed in one
 *            instrument. BBO only when the touch changed. After a break:
 *            TICK_GAP, nothing of that instrument until SNAP_BEGIN.
 * Input    : whatever cannot be used is counted by reason, told once a
 *            kind and minute, and dropped; it never becomes a tick.
 * Pure     : yes. One step is bounded by the message at hand.
 */
#ifndef FEEDD_FEED_H
#define FEEDD_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcore/reasons.h"
#include "libshm/cfg.h"
#include "libshm/instr.h"
#include "libshm/slots.h"
#include "libshm/topo.h"

/*
 * A venue is carried by up to FEED_LANES shards. Shard c has two lanes,
 * connections c and c + FEED_LANES, which carry the same: one is open as a
 * rule, the other for <venue>.ab and while a connection is replaced as
 * planned. Readers know shards only: a lane that dies is no gap to them
 * while the other one carries on.
 */
#define FEED_LANES   8u
#define FEED_CONN_N  16u
#define FEED_URL_MAX 4096u /* longest address the core asks for */

/* Tag of an answer that nobody asked for: a body of Polymarket's GET /book,
 * given to verify its hash. It never becomes a price. */
#define FEED_TAG_BOOK UINT32_C(0xffffffff)
/* Tag of the shell's look at the venue's clock: for skew.h alone. */
#define FEED_TAG_TIME UINT32_C(0xfffffffe)

enum feed_ev {
	FEED_EV_START = 1, /* data: credentials, or none (pm_login.h) */
	FEED_EV_UP,	   /* conn is open */
	FEED_EV_DOWN,	   /* conn ended or never opened; code, data: why */
	FEED_EV_FRAME,	   /* data of conn; now_ns: when it was read */
	FEED_EV_PONG,	   /* WebSocket pong on conn */
	FEED_EV_HTTP,	   /* answer to FEED_GET: tag, code (0: none), data */
	FEED_EV_TIMER,	   /* the time that feed_wake gave has come */
	FEED_EV_CFG,	   /* cfg: a new epoch, live keys changed */
	FEED_EV_RESYNC,	   /* a reader wants everything again: content */
	FEED_EV_STOP,	   /* close all, open nothing */
	FEED_EV_N
};

struct feed_event {
	enum feed_ev kind;
	uint8_t conn;	 /* below FEED_CONN_N (CHECK) */
	uint16_t code;	 /* WebSocket close code, HTTP status */
	uint32_t tag;	 /* of the request */
	uint64_t now_ns; /* monotonic */
	int64_t wall_ns; /* UTC */
	uint64_t random; /* any 64 bits, fresh for each event */
	const char *data;
	size_t n;
	bool is_binary; /* FEED_EV_FRAME: not a text message */
	const struct cfg *cfg;
	enum ring_content content; /* RING_TOP leaves out the levels */
	/* FEED_EV_DOWN, FEED_EV_HTTP: why it ended or failed; NONE: our wish,
	 * or a whole answer of status 200. */
	enum reason reason;
	uint32_t retry_after_s; /* HTTP: Retry-After, 0: none */
	int64_t date_ns;	/* HTTP: Date (UTC, whole seconds), 0: none */
	uint64_t sent_ns;	/* HTTP: when the request left (monotonic) */
};

/* What the shell must do. Texts are valid during the call only. */
enum feed_do {
	FEED_OPEN = 1, /* connect conn to url; UP or DOWN will follow */
	FEED_CLOSE,    /* end conn; DOWN will follow */
	FEED_SEND,     /* text on conn */
	FEED_PING,     /* WebSocket ping frame on conn, empty payload */
	FEED_GET,      /* GET url, or POST text (JSON) to it; tag */
	FEED_LOG,      /* tell people: log, reason, instr, text, value */
	FEED_DO_N
};

/* What is worth a line; named as the events of libsys/events.def. */
enum feed_log {
	FEED_LOG_CONNECTED = 1,	 /* conn */
	FEED_LOG_CONNECT_FAILED, /* as DISCONNECTED, and it never was up */
	FEED_LOG_DISCONNECTED,	 /* conn, code, text; value: retry ms */
	FEED_LOG_REPLACED,	 /* conn, text: why we planned its end */
	FEED_LOG_SUBSCRIBED,	 /* conn; value: how many */
	FEED_LOG_MALFORMED,	 /* reason, text; value: offset */
	FEED_LOG_UNKNOWN,	 /* text: the message */
	FEED_LOG_GAP,		 /* instr; value: lost */
	FEED_LOG_STALE,		 /* conn; value: quiet ms */
	FEED_LOG_FRESH,		 /* conn */
	FEED_LOG_BOOK_DIRTY,	 /* instr, reason; value: how often since */
	FEED_LOG_HASH,		 /* instr; value: strikes, text: token, code:
				    since the last line, tag: 1 when the
				    snapshot's own hash was reproduced */
	FEED_LOG_ADDED,		 /* instr, text: symbol */
	FEED_LOG_RETIRED,	 /* instr, text: symbol */
	FEED_LOG_TICK_SIZE,	 /* instr; value: tick 1e-8 */
	FEED_LOG_TABLE_FULL,	 /* value: limit */
	FEED_LOG_DISCOVERY,	 /* code, text: what failed, url: of what,
				    value: how often since the last line */
	FEED_LOG_NO_SUCH,	 /* text: name, url: key of the configuration
				    that has it: the venue does not know it */
	FEED_LOG_LOGIN,		 /* conn, text: credentials were refused */
	FEED_LOG_REFUSED,	 /* conn, text: another refusal */
	FEED_LOG_OUTCOME,	 /* instr; value: enum outcome, not its own */
	FEED_LOG_N
};

struct feed_act {
	enum feed_do what;
	enum feed_log log;
	uint8_t conn;
	uint8_t pad;
	uint16_t code;
	uint16_t instr;
	enum reason reason;
	uint32_t tag;
	int64_t value;
	const char *url;
	const char *text; /* NULL: none */
	size_t n;
};

/* Where effects go, in the order they are caused. None may call back. */
struct feed_sink {
	void *user;
	void (*tick)(void *user, struct tick *t);
	void (*instr)(void *user, uint16_t idx, const struct instr *in);
	void (*act)(void *user, const struct feed_act *a);
};

/* Counters, for metrics and tests. */
struct feed_stats {
	uint64_t frames;
	uint64_t bytes;
	uint64_t ticks;
	uint64_t malformed; /* messages or parts of them not used */
	uint64_t hash_ok;
	uint64_t hash_bad;
	uint64_t rest_ok;   /* books over REST that equal ours */
	uint64_t mirror_ok; /* pairs compared at the end of a batch */
	uint64_t mirror_bad;
	uint64_t touch_ok;
	uint64_t touch_bad;
	uint64_t gaps;
	uint64_t snapshots; /* books taken whole */
	uint64_t late;	    /* changes that one of two lanes had lost */
	uint64_t reason[REASON_N];
};

struct feed;

/* feed_sz - bytes of state for a venue. Only the part that is used is ever
 * touched, so that untouched pages of an anonymous mapping cost nothing. */
size_t feed_sz(enum venue venue);

/*
 * feed_init - in zeroed memory of feed_sz bytes, aligned as malloc does.
 * epoch: life of the stage. sink and what it points to stay valid.
 */
void feed_init(struct feed *f, enum venue venue, const struct cfg *cfg,
    uint64_t epoch, const struct feed_sink *sink);

/*
 * feed_recall - before the first step: an entry of the table as the life
 * before left it. Its epochs go on, and a market found again has it again:
 * orders, fills and positions of that life mean the same market.
 */
void feed_recall(struct feed *f, uint16_t idx, const struct instr *in);

/* feed_step - one event, completely. */
void feed_step(struct feed *f, const struct feed_event *ev);

/* feed_wake - when FEED_EV_TIMER is wanted next (monotonic), 0 never. */
uint64_t feed_wake(const struct feed *f);

/* feed_hash - of books, instruments and links: equal states, equal hashes. */
uint64_t feed_hash(const struct feed *f);

/* feed_is_ready - the list of instruments is known (it may be empty), and
 * every shard that is wanted is READY, or has been up without any data for
 * feed.snapshot_timeout: a silent venue holds up no start, nor does a shard
 * that the venue as a whole does without (Polymarket's price stream). */
bool feed_is_ready(const struct feed *f);

/* feed_state - of the venue as a whole: of the first needed shard that is not
 * READY, else of shard 0; DOWN when there is none. A shard is as well as the
 * better of its lanes. */
enum link_state feed_state(const struct feed *f);

const struct feed_stats *feed_stats(const struct feed *f);

/* feed_instr_n - instruments carried. */
uint32_t feed_instr_n(const struct feed *f);

/* feed_link - health of a connection, DOWN when it is not in use; NULL for
 * conn >= FEED_CONN_N. */
struct link;
const struct link *feed_link(const struct feed *f, uint8_t conn);

/* feed_skew - what is known of the venue's clock. */
struct skew;
const struct skew *feed_skew(const struct feed *f);

/* feed_shard - the shard that a connection is a lane of, and the number that
 * readers know it by; feed_other - the connection of its other lane. */
static inline uint8_t
feed_shard(uint8_t conn)
{
	return (uint8_t)(conn % FEED_LANES);
}

static inline uint8_t
feed_other(uint8_t conn)
{
	return (uint8_t)((conn + FEED_LANES) % FEED_CONN_N);
}

#endif
