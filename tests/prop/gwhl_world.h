/*
 * gwhl_world.h - a world for Hyperliquid's port: the exchange, the port, what
 * is on its way between them, and what was told. Include after cmocka.h.
 */
#ifndef TESTS_PROP_GWHL_WORLD_H
#define TESTS_PROP_GWHL_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "execd/gw_hl.h"
#include "simvenue/hl_desk.h"

#define INSTR	 ((uint16_t)INSTR_HL_BASE)
#define MS	 UINT64_C(1000000)
#define START_NS (UINT64_C(1790000000000) * MS)
#define SLOTS	 8u
#define WIRES	 4096u
#define ORDERS	 65536u
#define TOLD	 65536u
#define ANSWER	 ((size_t)1 << 20)

/* Something on its way, either direction. */
enum way {
	WAY_WS_OUT = 1, /* a frame of ours */
	WAY_HTTP_OUT,
	WAY_WS_IN,
	WAY_HTTP_IN,
};

struct wire {
	enum way way;
	uint64_t at_ns;
	uint64_t conn; /* of the socket */
	uint64_t tag;
	unsigned status;
	bool is_info;
	char *body;
	size_t n;
};

struct mine {
	uint64_t id;
	uint32_t slot;
	bool answered;
	bool ended;
	bool busy; /* an act is unanswered */
	bool rests;
	uint32_t changes; /* asked for */
	px_t px;
	qty_t left;
};

static struct {
	struct hlx *x;
	struct hlx_sink xs;
	struct hl_desk *desk;
	struct secp secp;
	struct gwhl *g;
	struct gwhl_book *book;
	struct gwhl_sink sink;
	struct gwhl_setup set;
	struct address me;
	uint32_t account;
	uint32_t other;
	uint64_t now;
	uint64_t rng;
	uint64_t conn;
	bool up;
	bool connecting;
	bool calm; /* no more faults */
	bool drop; /* the port wants a new socket */
	uint64_t connect_ns;
	uint64_t streams; /* bits of what this connection subscribed */
	struct wire wire[WIRES];
	uint32_t wire_n;
	struct mine mine[ORDERS];
	uint32_t mine_n;
	uint64_t id_n;
	uint64_t fill_id[TOLD];
	uint32_t told_n;
	uint32_t life_n; /* of them by earlier lives of the port */
	qty_t position;
	usd_t fees;
	enum port_mode mode;
	uint32_t of_slot[SLOTS]; /* + 1, of mine */
	char *answer;
	uint64_t places, rejects, unknowns, gone, reduced, foreign, held, looks;
} s;

static inline uint32_t
rnd(uint32_t n)
{
	s.rng ^= s.rng << 13;
	s.rng ^= s.rng >> 7;
	s.rng ^= s.rng << 17;
	return (uint32_t)(s.rng >> 33) % n;
}

static inline bool
fault(uint32_t one_in)
{
	return !s.calm && rnd(one_in) == 0;
}

static inline struct gwhl_now
now(void)
{
	return (struct gwhl_now){s.now, (int64_t)s.now};
}

static inline void
wire(enum way way, const char *body, size_t n, struct wire w)
{
	uint64_t late = fault(60) ? rnd(6000) : rnd(s.calm ? 20 : 80);

	assert_true(s.wire_n < WIRES);
	w.way = way;
	w.conn = s.conn;
	w.at_ns = s.now + (1 + late) * MS;
	w.body = malloc(n + 1);
	assert_non_null(w.body);
	memcpy(w.body, body, n);
	w.body[n] = '\0';
	w.n = n;
	s.wire[s.wire_n++] = w;
}

#endif
