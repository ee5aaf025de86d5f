/*
 * reckit.h - slots of every kind with random content within its range, as a
 * stage would put them into a tap; and a capture directory to write them to.
 */
#ifndef TESTS_UNIT_RECKIT_H
#define TESTS_UNIT_RECKIT_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libcore/hash.h"
#include "recorderd/rec_io.h"

static uint64_t rk_seed = 1;

static inline uint64_t
rk_rnd(uint64_t n)
{
	rk_seed = hash_u64(rk_seed, 1);
	return rk_seed % n;
}

static inline int64_t
rk_px(void)
{
	int64_t v = (int64_t)rk_rnd(UINT64_C(100000000000000));

	return rk_rnd(8) == 0 ? 0 : rk_rnd(5) == 0 ? -v : v;
}

/* A reason that has a name. */
static inline uint16_t
rk_reason(void)
{
	for (;;) {
		unsigned n = (unsigned)rk_rnd(REASON_N);

		if (n == 0 || reason_name((enum reason)n)[0] != '?')
			return (uint16_t)n;
	}
}

static inline void
rk_order(struct order *o)
{
	o->id = hash_u64(rk_seed, 7);
	o->px = PX(rk_px());
	o->qty = QTY(rk_px());
	o->exec_px = PX(rk_px());
	o->exec_qty = QTY(rk_px());
	o->cum_qty = QTY(rk_px());
	o->usd = USD(rk_px());
	o->fill_id = hash_u64(rk_seed, 8);
	o->venue = (uint8_t)rk_rnd(VENUE_N);
	o->side = (uint8_t)rk_rnd(SIDE_N);
	o->level = (uint8_t)rk_rnd(256);
	o->strategy = (uint8_t)rk_rnd(STRATEGY_N);
	o->tif = (uint8_t)rk_rnd(TIF_N);
	o->oflags = (uint8_t)rk_rnd(256);
	o->status = (uint8_t)rk_rnd(
	    o->hdr.kind == MSG_STATE ? TRADING_STATE_N : ORDER_STATUS_N);
	o->reason = rk_reason();
	o->epoch = (uint16_t)rk_rnd(65536);
	o->quote_delta = (uint32_t)rk_rnd(UINT32_MAX);
	o->risk_delta = (uint32_t)rk_rnd(UINT32_MAX);
	o->send_delta = (uint32_t)rk_rnd(UINT32_MAX);
	o->ack_delta = (uint32_t)rk_rnd(UINT32_MAX);
	o->life_ms = (uint32_t)rk_rnd(UINT32_MAX);
}

static inline void
rk_other(union tap *s)
{
	__typeof__(s->tick.u) *t = &s->tick.u;

	switch (s->hdr.kind) {
	case TICK_SNAP_BEGIN:
	case TICK_SNAP_END:
		t->snap = (struct tick_snap){hash_u64(rk_seed, 2),
		    (uint32_t)rk_rnd(UINT32_MAX), (uint32_t)rk_rnd(9000),
		    (uint16_t)rk_rnd(65536), (uint8_t)rk_rnd(16), {0}, 0};
		return;
	case TICK_REF:
		t->ref = (struct tick_ref){PX(rk_px()), rk_px(), PX(rk_px()),
		    (uint32_t)rk_rnd(REF_SOURCE_N), 0};
		return;
	case TICK_LINK:
		t->link = (struct tick_link){(uint32_t)rk_rnd(UINT32_MAX),
		    (uint32_t)rk_rnd(UINT32_MAX), (int32_t)rk_px(),
		    (uint32_t)rk_rnd(UINT32_MAX), (uint32_t)rk_rnd(UINT32_MAX),
		    (uint8_t)rk_rnd(VENUE_N), (uint8_t)rk_rnd(16),
		    (uint8_t)rk_rnd(LINK_STATE_N), (uint8_t)rk_rnd(2),
		    (uint32_t)rk_rnd(99), (int32_t)rk_px()};
		return;
	case TICK_GAP:
		t->gap = (struct tick_gap){1 + rk_rnd(1000), rk_rnd(50),
		    s->hdr.recv_ns - rk_rnd(1000), rk_reason(),
		    (uint8_t)rk_rnd(16), (uint8_t)rk_rnd(4), 0};
		return;
	case TICK_RESTART: t->restart.epoch = 1 + rk_rnd(1000); return;
	case TICK_INSTR:
		t->instr = (struct tick_instr){(uint16_t)rk_rnd(65536),
		    (uint8_t)rk_rnd(INSTR_STATE_N), (uint8_t)rk_rnd(CLASS_N), 0,
		    {0}};
		return;
	case TICK_CONN:
		t->conn = (struct tick_conn){(uint8_t)rk_rnd(VENUE_N),
		    (uint8_t)rk_rnd(16), (uint8_t)rk_rnd(LINK_STATE_N), 0,
		    rk_reason(), (uint16_t)rk_rnd(65536), {0}};
		return;
	case TICK_TRACE:
		t->trace = (struct tick_trace){1 + rk_rnd(100000),
		    s->hdr.recv_ns, rk_rnd(9) == 0 ? rk_seed : 0,
		    rk_rnd(3) > 0 ? (uint16_t)rk_rnd(RG_N)
				  : (uint16_t)(0xfff0 + rk_rnd(16)),
		    0, (uint32_t)rk_rnd(9)};
		for (unsigned i = 0; i < 8; i++)
			s->step.in.raw[i] = hash_u64(rk_seed, i);
		return;
	case TAP_SIGNAL:
		t->signal = (struct tick_signal){PX(rk_px()), PX(rk_px()),
		    PX(rk_px()), (uint32_t)rk_rnd(UINT32_MAX), rk_reason(),
		    (uint8_t)rk_rnd(STRATEGY_N),
		    (uint8_t)rk_rnd(TRADING_STATE_N)};
		return;
	case TAP_MARKOUT:
		t->markout = (struct tick_markout){rk_seed, PX(rk_px()),
		    PX(rk_px()), (uint32_t)rk_rnd(1000),
		    (uint8_t)rk_rnd(SIDE_N), (uint8_t)rk_rnd(STRATEGY_N),
		    (uint8_t)rk_rnd(2), (uint8_t)rk_rnd(VENUE_N)};
		return;
	case TAP_FREEZE:
		t->freeze = (struct tick_freeze){rk_rnd(1u << FREEZE_BITS_N),
		    rk_rnd(99), rk_rnd(1000000), (uint32_t)rk_rnd(FW_N), 0};
		return;
	default: rk_order(&s->order); return;
	}
}

/* Kind, instrument and times are set; fill in the rest. */
static inline void
rk_fill(union tap *s)
{
	__typeof__(s->tick.u) *t = &s->tick.u;

	if (s->hdr.kind == TICK_BBO) {
		bool bid = rk_rnd(9) != 0;
		bool ask = rk_rnd(9) != 0;

		t->bbo = (struct tick_bbo){PX(bid ? rk_px() : 0),
		    QTY(bid ? rk_px() : 0), PX(ask ? rk_px() : 0),
		    QTY(ask ? rk_px() : 0)};
	} else if (s->hdr.kind == TICK_TRADE) {
		t->trade = (struct tick_trade){PX(rk_px()), QTY(rk_px()),
		    hash_u64(rk_seed, 3), (uint8_t)rk_rnd(SIDE_N),
		    (uint8_t)rk_rnd(16), (uint16_t)rk_rnd(65536), 0};
	} else if (s->hdr.kind == TICK_LEVEL) {
		t->level = (struct tick_level){PX(rk_px()), QTY(rk_px()),
		    hash_u64(rk_seed, 4), (uint8_t)rk_rnd(SIDE_N),
		    (uint8_t)rk_rnd(16), (uint16_t)rk_rnd(65536), 0};
	} else {
		rk_other(s);
	}
}

/* A slot that was published at pub_ns. */
static inline union tap
rk_slot(uint8_t kind, uint64_t seq, uint64_t pub_ns)
{
	union tap s;
	uint32_t delta = (uint32_t)rk_rnd(50000);

	memset(&s, 0, sizeof(s));
	s.hdr.kind = kind;
	s.hdr.seq = seq;
	s.hdr.flags = (uint8_t)rk_rnd(16);
	s.hdr.instr = (uint16_t)(rk_rnd(4) == 0 ? 0 : 16 + rk_rnd(8));
	s.hdr.recv_ns = pub_ns - delta;
	s.hdr.pub_delta = delta;
	s.hdr.venue_ns = rk_rnd(3) == 0 ? 0 : (int64_t)(pub_ns + 1000);
	rk_fill(&s);
	return s;
}

static inline int
rk_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void
rk_rmtree(const char *dir)
{
	nftw(dir, rk_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* Convert every complete segment of a prefix (all but `keep` of them). */
static inline int
rk_convert(
    const char *dir, const char *prefix, uint32_t rows_max, unsigned keep)
{
	struct rec_io_args a = {.dir = dir,
	    .prefix = prefix,
	    .rows_max = rows_max,
	    .zstd_level = 1};
	struct journal_id id[64];
	struct rec_io *io = malloc(sizeof(*io));
	struct err e;
	int rc = rec_io_open(io, &a, &e);
	int n = rc == 0 ? journal_list(io->journal, prefix, id, 64) : 0;

	for (int i = 0; rc == 0 && i + (int)keep < n; i++) {
		rc = rec_io_begin(io, &id[i]);
		if (rc != 0)
			break;
		while ((rc = rec_io_work(io, 100)) == 1)
			;
	}
	rec_io_close(io);
	free(io);
	return rc;
}

#endif
