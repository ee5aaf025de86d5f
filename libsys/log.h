/*
 * log.h - one JSON object a line on stderr.
 *
 *   {"t":"2026-07-10T20:25:00.123456Z","m":812345678,"lvl":"info",
 *    "stage":"feedd.binance","ev":"connected","url":"ws://...","rtt_us":91}
 *
 * t UTC, m monotonic ns; then flat fields with a unit suffix. No sentences:
 * alerts match on ev. Events, levels and budgets: events.def.
 *
 * Budget : every event has a rate a minute (token bucket). What is over it is
 *          counted and reported as "suppressed_n" on the event's next line, or
 *          by log_housekeep as an event "suppressed".
 * Never blocks: a line is one write(2) of at most PIPE_BUF bytes, made only
 *          when poll(2) says that the descriptor takes it; else the line is
 *          dropped and counted (log_dropped_n). The flags of a descriptor
 *          shared with other programs are left alone.
 * Not for the hot path. One thread. Signal handlers must not call it.
 */
#ifndef LIBSYS_LOG_H
#define LIBSYS_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libshm/cfg.h"

enum log_ev {
	LOG_EV_NONE = 0,
#define EVENT(name, level, rate_min, doc) LOG_##name,
#include "libsys/events.def"
#undef EVENT
	LOG_EV_N
};

enum field_kind {
	FIELD_U64 = 1,
	FIELD_I64,
	FIELD_BOOL,
	FIELD_STR, /* NULL prints null */
	FIELD_DEC, /* i64 scaled by 10^scale, printed exactly */
	FIELD_HEX, /* u64 as a string of 16 hex digits */
	FIELD_KIND_N
};

struct field {
	const char *name;
	enum field_kind kind;
	uint32_t scale; /* DEC: digits; STR: 1 when len counts */
	union {
		uint64_t u64;
		int64_t i64;
		const char *str;
	} v;
	size_t len;
};

#define F_U64(n, x)	((struct field){(n), FIELD_U64, 0, {.u64 = (x)}, 0})
#define F_I64(n, x)	((struct field){(n), FIELD_I64, 0, {.i64 = (x)}, 0})
#define F_BOOL(n, x)	((struct field){(n), FIELD_BOOL, 0, {.u64 = (x)}, 0})
#define F_STR(n, x)	((struct field){(n), FIELD_STR, 0, {.str = (x)}, 0})
#define F_HEX(n, x)	((struct field){(n), FIELD_HEX, 0, {.u64 = (x)}, 0})
#define F_STRN(n, x, l) ((struct field){(n), FIELD_STR, 1, {.str = (x)}, (l)})
#define F_DEC(n, x, s)	((struct field){(n), FIELD_DEC, (s), {.i64 = (x)}, 0})

/* LOG(LOG_CONNECTED, F_STR("url", url), F_U64("rtt_us", 91)); LOG0(LOG_FLAT).
 */
#define LOG(ev, ...)                                         \
	log_event((ev), (const struct field[]){__VA_ARGS__}, \
	    sizeof((const struct field[]){__VA_ARGS__}) /    \
		sizeof(struct field))
#define LOG0(ev) log_event((ev), NULL, 0)
/* LOG_KIND(LOG_MALFORMED, reason, ...): a budget for each kind. */
#define LOG_KIND(ev, kind, ...)                                           \
	log_event_kind((ev), (kind), (const struct field[]){__VA_ARGS__}, \
	    sizeof((const struct field[]){__VA_ARGS__}) /                 \
		sizeof(struct field))

#define LOG_LINE_SZ 2048 /* longest line; longer ones are cut, and say so */

/*
 * log_open - name this process and where its lines go (2 = stderr).
 * stage is kept (truncated at 31). Before log_open lines go to fd 2 with the
 * stage "-". May be called again.
 */
void log_open(const char *stage, int fd, enum cfg_log_level level);

/* log_level - change the level (a reload). */
void log_level(enum cfg_log_level level);

/* log_event - write one line, unless its level or budget says no. */
void log_event(enum log_ev ev, const struct field *f, size_t n);

/* log_event_kind - the same with a budget for each kind (a reason, a venue);
 * kind 0 is the event's own budget. */
void log_event_kind(
    enum log_ev ev, uint32_t kind, const struct field *f, size_t n);

/* log_housekeep - once a minute of mono_ns: report what was suppressed and
 * has not been reported since. Cheap; call it in every housekeeping. */
void log_housekeep(uint64_t mono_ns);

/* log_dropped_n - lines the file descriptor did not take;
 * log_suppressed_n - lines over their budget. Both since the start. */
uint64_t log_dropped_n(void);
uint64_t log_suppressed_n(void);

/*
 * log_escape - n bytes of text as the inside of a JSON string: escapes, and
 * \ufffd for every byte that is not UTF-8. Stops before a character that does
 * not fit. to is NUL-terminated. Needs sz > 0 (CHECK). Returns the length.
 */
size_t log_escape(char *to, size_t sz, const char *text, size_t n);

/*
 * log_format - the line of an event, without budget or writing: for tests
 * and tools. buf of LOG_LINE_SZ. Returns the length with the newline.
 */
struct log_stamp {
	uint64_t wall_ns;
	uint64_t mono_ns;
	const char *stage;
	uint64_t suppressed_n;
};
size_t log_format(char buf[LOG_LINE_SZ], const struct log_stamp *s,
    enum log_ev ev, const struct field *f, size_t n);

/* log_ev_name - "connected"; log_ev_level, log_ev_rate, log_ev_doc: its line.
 */
const char *log_ev_name(enum log_ev ev);
enum cfg_log_level log_ev_level(enum log_ev ev);
uint32_t log_ev_rate(enum log_ev ev);
const char *log_ev_doc(enum log_ev ev);

#endif
