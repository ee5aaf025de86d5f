#define _GNU_SOURCE
#include "libshm/ctl.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "libcore/check.h"
#include "libcore/hash.h"

#define CTL_NAME "ctl"

/* Freeze bit i and the reason that it stands for. */
static const enum reason bit_reason[FREEZE_BITS_N] = {
    REASON_STARTUP,
    REASON_LATENCY,
    REASON_DAILY_LOSS,
    REASON_DRAWDOWN,
    REASON_MANUAL,
    REASON_FEED_STALE,
    REASON_RECONCILE,
    REASON_CRASH_LOOP,
    REASON_SUPERVISOR_DEAD,
    REASON_REPORT_BACKLOG,
    REASON_CLOCK,
    REASON_RISKD_DEAD,
};

const char *
stage_state_name(enum stage_state s)
{
	static const char *const t[STAGE_STATE_N] = {
	    [STAGE_DEAD] = "dead",
	    [STAGE_BOOT] = "boot",
	    [STAGE_ATTACHED] = "attached",
	    [STAGE_READY] = "ready",
	    [STAGE_DRAINING] = "draining",
	    [STAGE_PARKED] = "parked",
	};

	return (unsigned)s < STAGE_STATE_N ? t[s] : "?";
}

enum reason
freeze_reason(uint64_t mask)
{
	for (int i = 0; i < FREEZE_BITS_N; i++)
		if ((mask >> i & 1) != 0)
			return bit_reason[i];
	return REASON_NONE;
}

const char *
freeze_format(uint64_t mask, char *buf, size_t n)
{
	size_t at = 0;

	CHECK(n > 0);
	buf[0] = '\0';
	for (int i = 0; i < FREEZE_BITS_N && at < n; i++) {
		int len;

		if ((mask >> i & 1) == 0)
			continue;
		len = snprintf(buf + at, n - at, "%s%s", at > 0 ? "," : "",
		    reason_name(bit_reason[i]));
		CHECK(len >= 0);
		at += (size_t)len;
	}
	return buf;
}

/* Everything that two builds must agree on. */
static uint64_t
ctl_layout(void)
{
	uint64_t h = hash_u64(HASH_SEED, sizeof(struct ctl));

	h = hash_u64(h, offsetof(struct ctl, freeze));
	h = hash_u64(h, offsetof(struct ctl, stage));
	h = hash_u64(h, FREEZE_BITS_N);
	for (int i = 0; i < ST_N; i++)
		h = hash_bytes(
		    h, topo_stages[i].name, strlen(topo_stages[i].name));
	return h;
}

static struct shm_spec
ctl_spec(uint64_t run_id, bool writable)
{
	return (struct shm_spec){.name = CTL_NAME,
	    .kind = SHM_CTL,
	    .layout = ctl_layout(),
	    .run_id = run_id,
	    .size = sizeof(struct ctl),
	    .writable = writable};
}

int
ctl_create(int dirfd, uint64_t run_id, struct err *e)
{
	struct shm_spec s = ctl_spec(run_id, true);
	struct shm_map m;
	struct ctl *c;
	int rc = shm_create(&m, dirfd, &s, e);

	if (rc < 0)
		return rc;
	c = m.base;
	gethostname(c->sup.host, sizeof(c->sup.host) - 1);
	/* Nothing may trade until riskd has found everything fresh. */
	atomic_store_explicit(
	    &c->freeze[FW_RISKD].mask, FREEZE_STARTUP, memory_order_relaxed);
	rc = shm_finish(&m, dirfd, &s, e);
	if (rc == 0)
		shm_unmap(&m);
	return rc;
}

int
ctl_attach(struct ctl **out, int dirfd, bool writable, struct err *e)
{
	struct shm_spec s = ctl_spec(0, writable);
	struct shm_map m;
	int rc = shm_attach(&m, dirfd, &s, e);

	if (rc < 0)
		return rc;
	shm_close_fd(&m);
	*out = m.base;
	return 0;
}

void
ctl_detach(struct ctl *c)
{
	if (c != 0)
		munmap(c, sizeof(*c));
}

bool
ctl_freeze_set(
    struct ctl *c, enum freeze_word w, uint64_t bits, bool on, uint64_t now_ns)
{
	struct ctl_freeze *f = &c->freeze[w];
	uint64_t was;
	uint64_t is;

	CHECK(w < FW_N);
	CHECK(bits >> FREEZE_BITS_N == 0);
	was = atomic_load_explicit(&f->mask, memory_order_relaxed);
	is = on ? was | bits : was & ~bits;
	if (is == was)
		return false;
	atomic_store_explicit(&f->since_ns, now_ns, memory_order_relaxed);
	atomic_store_explicit(&f->epoch,
	    atomic_load_explicit(&f->epoch, memory_order_relaxed) + 1,
	    memory_order_relaxed);
	/* seq_cst: a freeze is out before anything this process does next. */
	atomic_store_explicit(&f->mask, is, memory_order_seq_cst);
	return true;
}

static inline uint64_t
word(const struct ctl *c, enum freeze_word w)
{
	return atomic_load_explicit(&c->freeze[w].mask, memory_order_acquire);
}

uint64_t
ctl_freeze_mask(const struct ctl *c, enum venue v)
{
	uint64_t m = word(c, FW_SUPERVISOR) | word(c, FW_RISKD);

	CHECK((unsigned)v < VENUE_N);
	if (v == VENUE_POLYMARKET || v == 0)
		m |= word(c, FW_RISKD_PM) | word(c, FW_EXECD_PM);
	if (v == VENUE_HYPERLIQUID || v == 0)
		m |= word(c, FW_RISKD_HL) | word(c, FW_EXECD_HL);
	return m;
}

void
ctl_lease_extend(struct ctl *c, uint64_t until_ns)
{
	atomic_store_explicit(
	    &c->lease.until_ns, until_ns, memory_order_release);
}

void
ctl_lease_drop(struct ctl *c)
{
	atomic_store_explicit(&c->lease.until_ns, 0, memory_order_seq_cst);
	atomic_store_explicit(&c->lease.epoch,
	    atomic_load_explicit(&c->lease.epoch, memory_order_relaxed) + 1,
	    memory_order_relaxed);
}

uint64_t
ctl_gate(const struct ctl *c, enum venue v, uint64_t now_ns)
{
	uint64_t until =
	    atomic_load_explicit(&c->lease.until_ns, memory_order_acquire);
	uint64_t m = ctl_freeze_mask(c, v);

	return now_ns < until ? m : m | FREEZE_RISKD_DEAD;
}

uint64_t
ctl_gate_told(
    const struct ctl *c, enum venue v, uint64_t now_ns, bool riskd_alive)
{
	uint64_t held = atomic_load(&c->freeze[FW_RISKD].mask);

	if (v == VENUE_POLYMARKET)
		held |= atomic_load(&c->freeze[FW_RISKD_PM].mask);
	if (v == VENUE_HYPERLIQUID)
		held |= atomic_load(&c->freeze[FW_RISKD_HL].mask);
	return riskd_alive && held != 0 ? ctl_freeze_mask(c, v)
					: ctl_gate(c, v, now_ns);
}

bool
ctl_supervisor_dead(const struct ctl *c, uint64_t now_ns, uint64_t limit_ns)
{
	uint64_t beat =
	    atomic_load_explicit(&c->sup.heartbeat_ns, memory_order_relaxed);

	return now_ns > beat && now_ns - beat > limit_ns;
}

static inline uint64_t
changes(const struct ctl *c, enum freeze_word w)
{
	return atomic_load_explicit(&c->freeze[w].epoch, memory_order_acquire);
}

uint64_t
ctl_freeze_epoch(const struct ctl *c, enum venue v)
{
	uint64_t sum = changes(c, FW_SUPERVISOR) + changes(c, FW_RISKD);

	CHECK((unsigned)v < VENUE_N);
	if (v == VENUE_POLYMARKET || v == 0)
		sum += changes(c, FW_RISKD_PM) + changes(c, FW_EXECD_PM);
	if (v == VENUE_HYPERLIQUID || v == 0)
		sum += changes(c, FW_RISKD_HL) + changes(c, FW_EXECD_HL);
	return sum;
}

void
ctl_wake_all(struct ctl *c, int dirfd)
{
	struct err e;

	for (int i = 0; i < ST_N; i++) {
		struct bell_ref r = {.bell = &c->stage[i].bell, .fifo_fd = -1};

		if (!(topo_stages[i].flags & STAGE_HOT))
			continue;
		if (topo_stages[i].flags & STAGE_SOCK)
			r.fifo_fd =
			    bell_fifo_open(dirfd, topo_stages[i].name, &e);
		/* A caller need not be registered for the sleeper's
		 * membarrier: the exchange in bell_wake orders by itself. */
		bell_wake(&r);
		if (r.fifo_fd >= 0)
			close(r.fifo_fd);
	}
}
