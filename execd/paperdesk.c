#include "execd/paperdesk.h"

#include "libcore/check.h"
#include "libcore/hash.h"

_Static_assert(EXEC_PORT_AT + PAPER_REC_SZ <= EXEC_REC_SZ, "slot record");
_Static_assert(PAPER_SLOTS == EXEC_SLOTS, "one paper order a slot");

/* Messages that one arrival may cause, and acts that wait meanwhile. */
#define MSGS_ARRIVAL 22u
/* Acts that answer acts: an urgent cancel, the next order, its refusal. */
#define ROUNDS_MAX 8u

static enum queue_model
model_of(const struct cfg *cfg)
{
	static const enum queue_model model[CFG_QUEUE_N] = {
	    [CFG_QUEUE_FRONT] = QUEUE_FRONT,
	    [CFG_QUEUE_BACK] = QUEUE_BACK,
	    [CFG_QUEUE_PROB_POWER] = QUEUE_PROB_POWER,
	    [CFG_QUEUE_PROB_LOG] = QUEUE_PROB_LOG,
	};

	CHECK(cfg->exec_paper_queue >= CFG_QUEUE_FRONT);
	CHECK(cfg->exec_paper_queue < CFG_QUEUE_N);
	return model[cfg->exec_paper_queue];
}

static void
set_latency(struct paperdesk *d, const struct cfg *cfg)
{
	d->p.latency.floor_ns = (uint64_t)cfg->exec_paper_latency.ns;
	d->latency.kind = LATENCY_JITTER;
	d->latency.base_ns = (uint64_t)cfg->exec_paper_latency.ns;
	d->latency.jitter_ns = (uint64_t)cfg->exec_paper_jitter.ns;
	d->e.retry_ns = (uint64_t)cfg->exec_paper_latency.ns;
}

void
paperdesk_init(
    struct paperdesk *d, const struct cfg *cfg, enum venue v, uint64_t epoch)
{
	struct paper_latency latency = {(uint64_t)cfg->exec_paper_latency.ns};

	exec_init(&d->e, cfg, v, epoch);
	port_paper_init(&d->p, v, model_of(cfg), latency);
	latency_init(&d->latency, (uint64_t)v);
	set_latency(d, cfg);
	exec_port_mode(&d->e, PORT_NORMAL);
}

static void
give(struct paperdesk *d, const struct paper_out *po, uint64_t now_ns,
    struct core_out *out)
{
	for (uint32_t i = 0; i < po->touched_n; i++)
		exec_touch(&d->e, po->touched[i]);
	for (uint32_t i = 0; i < po->n; i++)
		exec_port_event(&d->e, &po->ev[i], now_ns, out);
}

/* Until the port has nothing more to say and order management no act. */
static void
settle(struct paperdesk *d, uint64_t now_ns, struct core_out *out)
{
	struct port_act act[EXEC_ACTS];

	for (uint32_t round = 0; d->e.act_n > 0; round++) {
		uint32_t n = d->e.act_n;

		CHECK(round < ROUNDS_MAX);
		for (uint32_t i = 0; i < n; i++)
			act[i] = d->e.act[i];
		d->e.act_n = 0;
		for (uint32_t i = 0; i < n; i++) {
			struct paper_out po;

			paper_out_reset(&po);
			if (d->latency.jitter_ns != 0)
				d->p.latency.floor_ns =
				    latency_draw(&d->latency, d->e.venue);
			port_paper_act(&d->p, &d->e.mkt, &act[i], now_ns, &po);
			give(d, &po, now_ns, out);
		}
	}
}

static void
wake(const struct paperdesk *d, uint64_t now_ns, struct core_out *out)
{
	uint64_t due = port_paper_due(&d->p);

	out->wake_ns = exec_wake(&d->e, now_ns);
	if (due != 0 && (out->wake_ns == 0 || due < out->wake_ns))
		out->wake_ns = due;
}

bool
paperdesk_due(const struct paperdesk *d, uint64_t now_ns)
{
	uint64_t due = port_paper_due(&d->p);

	return (due != 0 && due <= now_ns) || exec_due(&d->e, now_ns);
}

static void
arrivals(struct paperdesk *d, uint64_t now_ns, struct core_out *out)
{
	while (out->n + MSGS_ARRIVAL + EXEC_MSGS_STEP <= CORE_OUT_MAX) {
		struct paper_out po;

		paper_out_reset(&po);
		if (!port_paper_arrive(&d->p, &d->e.mkt, now_ns, &po))
			return;
		give(d, &po, now_ns, out);
		settle(d, now_ns, out);
	}
}

void
paperdesk_step(
    struct paperdesk *d, const struct event *ev, struct core_out *out)
{
	struct paper_out po;

	core_out_reset(out);
	arrivals(d, ev->now_ns, out);
	exec_step(&d->e, ev, out);
	settle(d, ev->now_ns, out);
	if (ev->kind == EV_SLOT && d->e.taken) {
		paper_out_reset(&po);
		port_paper_tick(
		    &d->p, &d->e.mkt, &ev->slot->tick, ev->now_ns, &po);
		give(d, &po, ev->now_ns, out);
		settle(d, ev->now_ns, out);
	}
	if (ev->kind == EV_CFG)
		set_latency(d, ev->cfg);
	wake(d, ev->now_ns, out);
}

void
paperdesk_freeze(
    struct paperdesk *d, uint64_t mask, uint64_t now_ns, struct core_out *out)
{
	exec_freeze(&d->e, mask, now_ns, out);
	settle(d, now_ns, out);
	wake(d, now_ns, out);
}

void
paperdesk_sweep(struct paperdesk *d, uint64_t now_ns, struct core_out *out)
{
	exec_sweep(&d->e, now_ns, out);
	settle(d, now_ns, out);
	wake(d, now_ns, out);
}

void
paperdesk_instr_set(struct paperdesk *d, uint16_t instr, const struct instr *in,
    uint64_t now_ns, struct core_out *out)
{
	exec_instr_set(&d->e, instr, in, now_ns, out);
	settle(d, now_ns, out);
}

uint64_t
paperdesk_hash(const struct paperdesk *d)
{
	return port_paper_hash(&d->p, exec_hash(&d->e));
}

static bool
is_slot(uint32_t i)
{
	return i > 0 && i <= EXEC_SLOTS;
}

void
paperdesk_save(const struct paperdesk *d, uint32_t i, void *buf)
{
	exec_save(&d->e, i, buf);
	if (is_slot(i))
		port_paper_save(&d->p, i - 1, (uint8_t *)buf + EXEC_PORT_AT);
}

bool
paperdesk_load(struct paperdesk *d, uint32_t i, const void *buf)
{
	return exec_load(&d->e, i, buf) &&
	       (!is_slot(i) || port_paper_load(&d->p, i - 1,
				   (const uint8_t *)buf + EXEC_PORT_AT));
}

void
paperdesk_loaded(struct paperdesk *d)
{
	exec_loaded(&d->e);
	port_paper_loaded(&d->p);
}

uint64_t
paperdesk_layout(void)
{
	return hash_u64(exec_layout(), sizeof(struct paper_slot));
}
