/* daysim_int.h - what the files of daysim share; nobody else includes it. */
#ifndef TESTS_DAYSIM_INT_H
#define TESTS_DAYSIM_INT_H

#include "backtest/engine.h"
#include "libshm/instr.h"
#include "simvenue/hl_flow.h"
#include "simvenue/hlx.h"
#include "simvenue/path.h"
#include "simvenue/pm_flow.h"
#include "simvenue/pmx.h"
#include "tests/tools/daysim.h"

#define SECOND	 UINT64_C(1000000000)
#define MS	 UINT64_C(1000000)
#define SPIKE_NS (900 * MS)
#define SERIES	 3u
#define BOOK_N	 20u
#define DIRTY_N	 64u
#define LATE_N	 65536u
#define WAY_N	 8192u
#define PM_FIRST (INSTR_PM_BASE + 32u)

enum phase {
	OPEN = 1,
	ENDED,
	RESOLVED
};

struct dirty {
	px_t px;
	enum side side;
};

struct window {
	enum phase phase; /* 0: free */
	uint64_t start_ns;
	uint64_t end_ns;
	struct instr in;
	bool changed;
	bool is_lost; /* more changed than is kept */
	uint32_t dirty_n;
	struct dirty dirty[DIRTY_N];
};

struct late_tick {
	uint64_t due_ns;
	enum venue venue;
	struct tick tick;
	struct instr in;
};

/* An act or an answer on its way. */
struct way {
	uint64_t due_ns;
	enum venue venue;
	struct port_act act;
	struct port_event ev;
};

struct ways {
	uint32_t head;
	uint32_t tail;
	uint64_t due_ns;
	struct way way[WAY_N];
};

/* What riskd let pass in a slot and nobody has ended. */
struct passed {
	uint64_t id;
	int64_t qty_e8;
	uint8_t strategy;
};

struct ledger {
	int64_t pos_e8;
	px_t mid;
	struct passed slot[2][ORDER_LEVELS];
};

struct day {
	struct daysim_args a;
	struct daysim_result r;
	uint64_t start_ns;
	uint64_t now_ns;
	uint64_t engine_ns;
	struct engine *engine;
	struct path path;
	struct pmx *pmx;
	struct hlx *hlx;
	struct pmx_sink pmx_sink;
	struct hlx_sink hlx_sink;
	struct pm_flow pm_flow;
	struct hl_flow hl_flow;
	uint32_t pm_me;
	uint32_t hl_me;
	int64_t pm_put_e6; /* what we began with */
	int64_t hl_put_e6;
	bool hl_changed;
	uint32_t links;
	uint64_t prints;
	uint64_t listed_ns[SERIES];
	uint16_t epoch[PMX_MARKETS];
	struct window window[PMX_MARKETS];
	uint64_t fill_ns; /* the last, or something is held */
	struct ledger ledger[INSTR_N];
	uint32_t late_head;
	uint32_t late_tail;
	uint64_t late_due_ns;
	struct late_tick late[LATE_N];
	struct ways there; /* acts    */
	struct ways back;  /* answers */
};

static inline uint16_t
day_pm_idx(uint16_t market)
{
	return (uint16_t)(PM_FIRST + market);
}

/* Thirty seconds in the middle of each hour. */
static inline bool
day_is_spike(const struct day *d)
{
	uint64_t s = (d->now_ns - d->start_ns) / SECOND % 3600;

	return d->a.spikes && s >= 1800 && s < 1830;
}

static inline bool
day_is_outage(const struct day *d)
{
	uint64_t s = (d->now_ns - d->start_ns) / SECOND % 3600;

	return d->a.outages && s >= 1000 && s < 1050;
}

/* daysim_port.c: orders. day_act - of the engine. day_arrive - acts that are
 * at the venue; day_answer - answers that are with us. */
void day_act(
    void *user, enum venue v, const struct port_act *a, uint64_t now_ns);
void day_arrive(struct day *d);
void day_answer(struct day *d);
void day_pm_order(
    void *user, const struct pmx *x, uint32_t order, enum pmx_order_event what);
void day_pm_trade(void *user, const struct pmx *x, uint32_t trade);
void day_hl_order(void *user, const struct hlx *x, uint32_t order);
void day_hl_fill(void *user, const struct hlx *x, const struct hlx_fill *f);

/* daysim_limits.c: what we have and may have. day_equity - of both accounts
 * over what was put in, positions at the mid; *pm_e6: of Polymarket. */
int64_t day_equity(const struct day *d, int64_t *pm_e6);
void day_mid(struct day *d, uint16_t instr, const struct tick_bbo *b);
bool day_holds(const struct day *d);
void day_settled(struct day *d, uint16_t instr);
void day_msg(
    void *user, enum ring_id ring, const struct order *o, uint64_t now_ns);
void day_risk(void *user, const struct risk *r, const struct core_out *out,
    uint64_t now_ns);

#endif
