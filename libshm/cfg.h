/*
 * cfg.h - the configuration as plain data (cfg.def), shared by every process.
 *
 * What      : struct cfg, one field a key, named group_name: the key
 *             mm.gamma_risk_aversion is cfg->mm_gamma_risk_aversion.e8.
 * Units     : in the type, not in the key's name: dec_t .e8, usd_t .e6,
 *             dur_t .ns. latency.kill_switch_ms is a dur_t like any other,
 *             its value is cfg->latency_kill_switch_ms.ns.
 * Invariant : every field is within the range of its line in cfg.def, every
 *             text is NUL-terminated. No pointers: it may be copied with
 *             memcpy and lie in shared memory (cfgpage.h).
 * Pure      : yes. Reading files and the environment: libsys/cfgfile.h.
 */
#ifndef LIBSHM_CFG_H
#define LIBSHM_CFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libcore/fixed.h"
#include "libcore/rrs.h"
#include "libcore/types.h"

/* Exact decimal, 1e-8. */
typedef struct {
	int64_t e8;
} dec_t;

/* Length of time, nanoseconds. */
typedef struct {
	int64_t ns;
} dur_t;

#define CFG_STR_SZ  192 /* with the NUL */
#define CFG_LIST_N  32
#define CFG_ITEM_SZ 96 /* with the NUL */
#define CFG_TEXT_SZ (CFG_LIST_N * (CFG_ITEM_SZ + 2))
#define CFG_WHY_SZ  256
#define CFG_CONFIRM "I accept real orders"

struct cfg_str {
	char s[CFG_STR_SZ];
};

struct cfg_list {
	uint32_t n;
	uint32_t zero;
	char item[CFG_LIST_N][CFG_ITEM_SZ];
};

enum cfg_type {
	CFG_BOOL = 1,
	CFG_INT,
	CFG_DEC,
	CFG_USD,
	CFG_DURATION,
	CFG_BYTES,
	CFG_ENUM,
	CFG_STR,
	CFG_URL,
	CFG_LIST,
	CFG_TYPE_N
};

enum cfg_apply {
	CFG_LIVE = 1,
	CFG_RESTART,
	CFG_UNUSED,
	CFG_APPLY_N
};

/* Values of the ENUM keys; system.mode holds enum mode. */
enum cfg_wait {
	CFG_WAIT_AUTO = 1,
	CFG_WAIT_SPIN,
	CFG_WAIT_YIELD,
	CFG_WAIT_BLOCK,
	CFG_WAIT_N
};

enum cfg_log_level {
	CFG_LOG_ERROR = 1,
	CFG_LOG_WARN,
	CFG_LOG_INFO,
	CFG_LOG_DEBUG,
	CFG_LOG_N
};

enum cfg_sizing {
	CFG_SIZING_WORST_CASE = 1,
	CFG_SIZING_NOTIONAL,
	CFG_SIZING_N
};

/* vol.estimator: enum vol_kind, and this. */
#define CFG_VOL_WINDOW 6

enum cfg_spread {
	CFG_SPREAD_TARGET = 1,
	CFG_SPREAD_AS,
	CFG_SPREAD_N
};

enum cfg_tail {
	CFG_TAIL_NORMAL = 1,
	CFG_TAIL_STUDENT,
	CFG_TAIL_N
};

enum cfg_staleness {
	CFG_STALENESS_LINK = 1,
	CFG_STALENESS_BOOK,
	CFG_STALENESS_N
};

enum cfg_unwind {
	CFG_UNWIND_TOUCH = 1,
	CFG_UNWIND_TWAP,
	CFG_UNWIND_VWAP,
	CFG_UNWIND_N
};

enum cfg_queue {
	CFG_QUEUE_FRONT = 1,
	CFG_QUEUE_BACK,
	CFG_QUEUE_PROB_POWER,
	CFG_QUEUE_PROB_LOG,
	CFG_QUEUE_N
};

enum cfg_on_start {
	CFG_ON_START_ADOPT = 1,
	CFG_ON_START_CANCEL,
	CFG_ON_START_N
};

enum cfg_network {
	CFG_NETWORK_MAINNET = 1,
	CFG_NETWORK_TESTNET,
	CFG_NETWORK_N
};

enum cfg_transport {
	CFG_TRANSPORT_MBEDTLS = 1,
	CFG_TRANSPORT_CURL,
	CFG_TRANSPORT_N
};

enum cfg_price_stream {
	CFG_PRICE_STREAM_RTDS = 1,
	CFG_PRICE_STREAM_POLYBOLT,
	CFG_PRICE_STREAM_NONE,
	CFG_PRICE_STREAM_N
};

enum cfg_sandbox {
	CFG_SANDBOX_OFF = 1,
	CFG_SANDBOX_DEV,
	CFG_SANDBOX_PROD,
	CFG_SANDBOX_N
};

#define CFG_C_BOOL     bool
#define CFG_C_INT      int64_t
#define CFG_C_DEC      dec_t
#define CFG_C_USD      usd_t
#define CFG_C_DURATION dur_t
#define CFG_C_BYTES    int64_t
#define CFG_C_ENUM     int32_t
#define CFG_C_STR      struct cfg_str
#define CFG_C_URL      struct cfg_str
#define CFG_C_LIST     struct cfg_list

struct cfg {
#define CFG(g, name, type, def, lo, hi, apply, doc) CFG_C_##type g##_##name;
#include "libshm/cfg.def"
#undef CFG
};

/* Index of a key: CFG_KEY_mm_max_spread. */
enum cfg_key_id {
#define CFG(g, name, type, def, lo, hi, apply, doc) CFG_KEY_##g##_##name,
#include "libshm/cfg.def"
#undef CFG
	CFG_KEY_N
};

/* One line of cfg.def. */
struct cfg_key {
	const char *group;
	const char *name;
	enum cfg_type type;
	const char *def;
	const char *lo;
	const char *hi;
	enum cfg_apply apply;
	const char *doc;
	size_t offset;
	size_t sz;
};

/* cfg_key_at - the line of key i. Needs i < CFG_KEY_N (CHECK). */
const struct cfg_key *cfg_key_at(size_t i);

/* cfg_key_find - index of group.name, or -1. O(CFG_KEY_N). */
int cfg_key_find(const char *group, const char *name);

/* cfg_group_doc - one line on a group, or NULL when there is no such group. */
const char *cfg_group_doc(const char *group);

/* cfg_defaults - every field to its default; padding is zero. */
void cfg_defaults(struct cfg *c);

/*
 * cfg_set - give key i the value that text says.
 * Returns : true; or false with *c untouched and the reason in why, e.g.
 *           `"abc" is not a whole number; allowed: 1 to 100, default 3`.
 *           LIST: text is split at commas, blanks around items dropped, with
 *           or without [ ] around all; items as cfgitem.h says.
 * Needs   : i < CFG_KEY_N (CHECK). text may hold any bytes.
 */
bool cfg_set(struct cfg *c, size_t i, const char *text, char why[CFG_WHY_SZ]);

/*
 * cfg_text - the value of key i as cfg_set would take it ("500ms", "0.2").
 * buf of at least CFG_TEXT_SZ bytes. Returns the length.
 */
size_t cfg_text(const struct cfg *c, size_t i, char buf[CFG_TEXT_SZ]);

/*
 * cfg_allowed - what key i accepts, for people: "10ms to 1m", "sim, paper,
 * live, capture or backtest". buf of at least CFG_WHY_SZ bytes.
 */
void cfg_allowed(size_t i, char buf[CFG_WHY_SZ]);

/* cfg_type_name, cfg_apply_name - "duration", "live". */
const char *cfg_type_name(enum cfg_type t);
const char *cfg_apply_name(enum cfg_apply a);

/*
 * cfg_diff - which keys differ. Their indices go to key (ascending).
 * Returns : how many; *restart_n says how many of them are RESTART keys.
 */
size_t cfg_diff(const struct cfg *from, const struct cfg *to,
    uint16_t key[CFG_KEY_N], size_t *restart_n);

/*
 * cfg_layout_hash - changes whenever a field, its place, its type or the
 * names of an ENUM change; equal hashes mean struct cfg reads the same.
 */
uint64_t cfg_layout_hash(void);

/*
 * cfg_valid - false when a field is out of its range or a text has no NUL:
 * the check of a reader on memory it did not write. *bad gets the key.
 */
bool cfg_valid(const struct cfg *c, size_t *bad);

/* Values that depend on the venue: its own key, or the common one. */
int64_t cfg_kill_switch_ns(const struct cfg *c, enum venue v);
int64_t cfg_resume_ns(const struct cfg *c, enum venue v);
int64_t cfg_feed_stale_ns(const struct cfg *c, enum venue v);

/* cfg_trades - does this configuration quote on a venue? */
bool cfg_trades(const struct cfg *c, enum venue v);

/* cfg_rrs - the weights rrs.*, for rrs_score; the rest is 0. */
void cfg_rrs(const struct cfg *c, double weight[RRS_N]);

/* cfg_timezone_s - risk.timezone as seconds east of UTC. Returns false when
 * the text is neither UTC nor UTC+h, UTC+hh:mm within 14 hours. */
bool cfg_timezone_s(const char *text, int64_t *east_s);

#endif
