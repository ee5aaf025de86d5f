#include "execd/desk.h"

#include "execd/paperdesk.h"
#include "libcore/hash.h"

static struct exec *
paper_init(void *d, const struct cfg *cfg, enum venue v, uint64_t epoch)
{
	struct paperdesk *p = d;

	paperdesk_init(p, cfg, v, epoch);
	return &p->e;
}

static void
paper_step(void *d, const struct event *ev, struct core_out *out)
{
	paperdesk_step(d, ev, out);
}

static bool
paper_due(const void *d, uint64_t now_ns)
{
	return paperdesk_due(d, now_ns);
}

static void
paper_freeze(void *d, uint64_t mask, uint64_t now_ns, struct core_out *out)
{
	paperdesk_freeze(d, mask, now_ns, out);
}

static void
paper_sweep(void *d, uint64_t now_ns, struct core_out *out)
{
	paperdesk_sweep(d, now_ns, out);
}

static void
paper_instr_set(void *d, uint16_t instr, const struct instr *in,
    uint64_t now_ns, struct core_out *out)
{
	paperdesk_instr_set(d, instr, in, now_ns, out);
}

static void
paper_save(const void *d, uint32_t i, void *buf)
{
	paperdesk_save(d, i, buf);
}

static bool
paper_load(void *d, uint32_t i, const void *buf)
{
	return paperdesk_load(d, i, buf);
}

static void
paper_loaded(void *d, uint64_t now_ns)
{
	(void)now_ns;
	paperdesk_loaded(d);
}

const struct desk_ops desk_paper = {
    .size = sizeof(struct paperdesk),
    .init = paper_init,
    .step = paper_step,
    .due = paper_due,
    .freeze = paper_freeze,
    .sweep = paper_sweep,
    .instr_set = paper_instr_set,
    .save = paper_save,
    .load = paper_load,
    .loaded = paper_loaded,
    .layout = paperdesk_layout,
};

static struct exec *
live_init(void *d, const struct cfg *cfg, enum venue v, uint64_t epoch)
{
	exec_init(d, cfg, v, epoch);
	return d;
}

static void
live_step(void *d, const struct event *ev, struct core_out *out)
{
	core_out_reset(out);
	exec_step(d, ev, out);
}

static bool
live_due(const void *d, uint64_t now_ns)
{
	return exec_due(d, now_ns);
}

static void
live_freeze(void *d, uint64_t mask, uint64_t now_ns, struct core_out *out)
{
	exec_freeze(d, mask, now_ns, out);
}

static void
live_sweep(void *d, uint64_t now_ns, struct core_out *out)
{
	exec_sweep(d, now_ns, out);
}

static void
live_instr_set(void *d, uint16_t instr, const struct instr *in, uint64_t now_ns,
    struct core_out *out)
{
	exec_instr_set(d, instr, in, now_ns, out);
}

static void
live_save(const void *d, uint32_t i, void *buf)
{
	exec_save(d, i, buf);
}

static bool
live_load(void *d, uint32_t i, const void *buf)
{
	return exec_load(d, i, buf);
}

static void
live_loaded(void *d, uint64_t now_ns)
{
	exec_loaded(d);
	exec_resume(d, now_ns);
}

/* The records of a paper desk are not ours: their orders rest nowhere. */
static uint64_t
live_layout(void)
{
	return hash_u64(exec_layout(), 1);
}

const struct desk_ops desk_live = {
    .size = sizeof(struct exec),
    .init = live_init,
    .step = live_step,
    .due = live_due,
    .freeze = live_freeze,
    .sweep = live_sweep,
    .instr_set = live_instr_set,
    .save = live_save,
    .load = live_load,
    .loaded = live_loaded,
    .layout = live_layout,
};
