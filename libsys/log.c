#define _GNU_SOURCE
#include "libsys/log.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libcore/check.h"
#include "libcore/fixed.h"
#include "libcore/hash.h"
#include "libsys/clock.h"

_Static_assert(LOG_LINE_SZ <= PIPE_BUF, "one line, one atomic write");

#define STR_MAX	  512 /* bytes of one text that are written */
#define TAIL_SZ	  16  /* room kept for ,"cut":true}\n */
#define BUCKET_N  512
#define PROBE_N	  8
#define MINUTE_NS (60 * (uint64_t)NS_PER_S)

static const struct {
	const char *name;
	enum cfg_log_level level;
	uint32_t rate;
	const char *doc;
} events[LOG_EV_N] = {
#define EVENT(name, level, rate_min, doc) \
	[LOG_##name] = {#name, CFG_LOG_##level, (rate_min), (doc)},
#include "libsys/events.def"
#undef EVENT
};

/* Budget of one event, or of one kind of it. credit counts nanoseconds: a
 * line costs a minute's share, and a full minute is the most there can be. */
struct bucket {
	enum log_ev ev; /* LOG_EV_NONE: free */
	uint32_t kind;
	uint64_t credit_ns;
	uint64_t last_ns;
	uint64_t suppressed_n;
};

static struct {
	int fd;
	enum cfg_log_level level;
	char stage[32];
	uint64_t dropped_n;
	uint64_t suppressed_n;
	uint64_t look_ns; /* of the last log_housekeep that looked */
	struct bucket bucket[LOG_EV_N + BUCKET_N];
} self = {.fd = STDERR_FILENO, .level = CFG_LOG_INFO, .stage = "-"};

static const char *const level_names[CFG_LOG_N] = {
    [CFG_LOG_ERROR] = "error",
    [CFG_LOG_WARN] = "warn",
    [CFG_LOG_INFO] = "info",
    [CFG_LOG_DEBUG] = "debug",
};

static void
check_ev(enum log_ev ev)
{
	CHECK(ev > LOG_EV_NONE);
	CHECK(ev < LOG_EV_N);
}

const char *
log_ev_name(enum log_ev ev)
{
	static char names[LOG_EV_N][32];

	check_ev(ev);
	if (names[ev][0] == '\0') {
		const char *from = events[ev].name;

		for (size_t i = 0; from[i] != '\0'; i++) {
			CHECK(i + 1 < sizeof(names[ev]));
			names[ev][i] = (char)(from[i] >= 'A' && from[i] <= 'Z'
						  ? from[i] - 'A' + 'a'
						  : from[i]);
		}
	}
	return names[ev];
}

enum cfg_log_level
log_ev_level(enum log_ev ev)
{
	check_ev(ev);
	return events[ev].level;
}

uint32_t
log_ev_rate(enum log_ev ev)
{
	check_ev(ev);
	return events[ev].rate;
}

const char *
log_ev_doc(enum log_ev ev)
{
	check_ev(ev);
	return events[ev].doc;
}

void
log_open(const char *stage, int fd, enum cfg_log_level level)
{
	snprintf(self.stage, sizeof(self.stage), "%s", stage);
	self.fd = fd;
	log_level(level);
}

void
log_level(enum cfg_log_level level)
{
	CHECK(level >= CFG_LOG_ERROR);
	CHECK(level < CFG_LOG_N);
	self.level = level;
}

uint64_t
log_dropped_n(void)
{
	return self.dropped_n;
}

uint64_t
log_suppressed_n(void)
{
	return self.suppressed_n;
}

/* Bytes of the UTF-8 character at s, 0 when it is not one. */
static size_t
utf8_len(const unsigned char *s, size_t n)
{
	size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;

	if ((s[0] >= 0x80 && s[0] < 0xc2) || s[0] > 0xf4 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates, past the last code point. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

/* One character of text as JSON: at most 6 bytes to out. */
static size_t
escape_one(const unsigned char *s, size_t len, char out[8])
{
	static const char plain[] = "\"\"\\\\\nn\rr\tt";

	if (len == 0)
		return (size_t)snprintf(out, 8, "\\ufffd");
	if (len > 1) {
		memcpy(out, s, len);
		return len;
	}
	for (size_t i = 0; i + 1 < sizeof(plain); i += 2) {
		if ((char)s[0] != plain[i])
			continue;
		out[0] = '\\';
		out[1] = plain[i + 1];
		return 2;
	}
	if (s[0] < ' ' || s[0] == 0x7f)
		return (size_t)snprintf(out, 8, "\\u%04x", s[0]);
	out[0] = (char)s[0];
	return 1;
}

size_t
log_escape(char *to, size_t sz, const char *text, size_t n)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t used = 0;

	CHECK(sz > 0);
	for (size_t i = 0; i < n;) {
		size_t len = utf8_len(s + i, n - i);
		char one[8];
		size_t out = escape_one(s + i, len, one);

		if (used + out >= sz)
			break;
		memcpy(to + used, one, out);
		used += out;
		i += len > 0 ? len : 1;
	}
	to[used] = '\0';
	return used;
}

/* The value of a field as JSON. Returns its length; *cut says that a text
 * was too long. */
static size_t
format_value(char *buf, size_t sz, const struct field *f, bool *cut)
{
	char dec[FIXED_TEXT_MAX];
	size_t n;

	switch (f->kind) {
	case FIELD_U64: return (size_t)snprintf(buf, sz, "%" PRIu64, f->v.u64);
	case FIELD_I64: return (size_t)snprintf(buf, sz, "%" PRId64, f->v.i64);
	case FIELD_BOOL:
		return (size_t)snprintf(
		    buf, sz, "%s", f->v.u64 != 0 ? "true" : "false");
	case FIELD_HEX:
		return (size_t)snprintf(
		    buf, sz, "\"%016" PRIx64 "\"", f->v.u64);
	case FIELD_DEC:
		fixed_format(f->v.i64, f->scale, dec);
		return (size_t)snprintf(buf, sz, "%s", dec);
	case FIELD_STR:
		if (f->v.str == NULL)
			return (size_t)snprintf(buf, sz, "null");
		n = f->scale == 1 ? f->len : strlen(f->v.str);
		*cut |= n > STR_MAX;
		n = n > STR_MAX ? STR_MAX : n;
		buf[0] = '"';
		n = 1 + log_escape(buf + 1, sz - 2, f->v.str, n);
		buf[n] = '"';
		buf[n + 1] = '\0';
		return n + 1;
	case FIELD_KIND_N: break;
	}
	CHECK(false);
	return 0;
}

size_t
log_format(char buf[LOG_LINE_SZ], const struct log_stamp *s, enum log_ev ev,
    const struct field *f, size_t n)
{
	char date[CLOCK_DATE_SZ];
	char value[STR_MAX * 6 + 3];
	bool cut = false;
	size_t len;

	check_ev(ev);
	clock_format_utc(s->wall_ns, date);
	len = (size_t)snprintf(buf, LOG_LINE_SZ,
	    "{\"t\":\"%s\",\"m\":%" PRIu64
	    ",\"lvl\":\"%s\",\"stage\":\"%s\",\"ev\":\"%s\"",
	    date, s->mono_ns, level_names[events[ev].level], s->stage,
	    log_ev_name(ev));
	if (s->suppressed_n > 0)
		len += (size_t)snprintf(buf + len, LOG_LINE_SZ - len,
		    ",\"suppressed_n\":%" PRIu64, s->suppressed_n);
	for (size_t i = 0; i < n; i++) {
		size_t v = format_value(value, sizeof(value), &f[i], &cut);
		size_t add = strlen(f[i].name) + 4 + v;

		if (len + add + TAIL_SZ > LOG_LINE_SZ) {
			cut = true;
			continue;
		}
		len += (size_t)snprintf(buf + len, LOG_LINE_SZ - len,
		    ",\"%s\":%s", f[i].name, value);
	}
	len += (size_t)snprintf(
	    buf + len, LOG_LINE_SZ - len, "%s}\n", cut ? ",\"cut\":true" : "");
	CHECK(len < LOG_LINE_SZ);
	return len;
}

static void
write_line(const char *line, size_t n)
{
	struct pollfd p = {.fd = self.fd, .events = POLLOUT};
	ssize_t rc;

	if (poll(&p, 1, 0) != 1 || (p.revents & POLLOUT) == 0) {
		self.dropped_n++;
		return;
	}
	do {
		rc = write(self.fd, line, n);
	} while (rc < 0 && errno == EINTR);
	if (rc != (ssize_t)n)
		self.dropped_n++;
}

/* The bucket of (ev, kind). When the table of kinds is crowded, kinds share
 * the budget of their event. */
static struct bucket *
bucket_of(enum log_ev ev, uint32_t kind)
{
	uint64_t h = hash_u64(hash_u64(HASH_SEED, (uint64_t)ev), kind);

	for (uint64_t i = 0; kind != 0 && i < PROBE_N; i++) {
		struct bucket *b = &self.bucket[LOG_EV_N + (h + i) % BUCKET_N];

		if (b->ev == LOG_EV_NONE) {
			b->ev = ev;
			b->kind = kind;
			return b;
		}
		if (b->ev == ev && b->kind == kind)
			return b;
	}
	self.bucket[ev].ev = ev;
	return &self.bucket[ev];
}

static bool
spend(struct bucket *b, uint64_t now_ns)
{
	uint64_t cost = MINUTE_NS / events[b->ev].rate;
	uint64_t gone = now_ns - b->last_ns;

	if (b->last_ns == 0 || gone > MINUTE_NS - b->credit_ns)
		b->credit_ns = MINUTE_NS;
	else
		b->credit_ns += gone;
	b->last_ns = now_ns;
	if (b->credit_ns < cost) {
		b->suppressed_n++;
		self.suppressed_n++;
		return false;
	}
	b->credit_ns -= cost;
	return true;
}

void
log_event_kind(enum log_ev ev, uint32_t kind, const struct field *f, size_t n)
{
	char line[LOG_LINE_SZ];
	struct log_stamp s = {.stage = self.stage};
	struct bucket *b;

	check_ev(ev);
	if (events[ev].level > self.level)
		return;
	s.mono_ns = clock_mono_ns();
	b = bucket_of(ev, kind);
	if (!spend(b, s.mono_ns))
		return;
	s.wall_ns = clock_wall_ns();
	s.suppressed_n = b->suppressed_n;
	b->suppressed_n = 0;
	write_line(line, log_format(line, &s, ev, f, n));
}

void
log_event(enum log_ev ev, const struct field *f, size_t n)
{
	log_event_kind(ev, 0, f, n);
}

void
log_housekeep(uint64_t mono_ns)
{
	if (mono_ns - self.look_ns < MINUTE_NS)
		return;
	self.look_ns = mono_ns;
	for (size_t i = 0; i < LOG_EV_N + BUCKET_N; i++) {
		struct bucket *b = &self.bucket[i];
		uint64_t n = b->suppressed_n;

		if (n == 0 || b->ev == LOG_SUPPRESSED)
			continue;
		b->suppressed_n = 0;
		LOG(LOG_SUPPRESSED, F_STR("of", log_ev_name(b->ev)),
		    F_U64("kind", b->kind), F_U64("n", n));
	}
}
