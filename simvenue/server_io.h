/*
 * server_io.h - the simulated venues on loopback listeners.
 *
 * What  : one listener a venue (HTTP and WebSocket), and one player a venue
 *         that sends its timeline to those who subscribed.
 * Start : a timeline starts SIM_SETTLE_MS after the last subscription of its
 *         first subscribers (with sync: all timelines together, on one clock
 *         where the captures are of the same time).
 * Pace  : frames are due by the recorded clock. No client's output ever
 *         exceeds client_max: the player waits for room, and drops a
 *         client that makes none for stall_ms. Without pacing it also
 *         waits while nobody listens.
 * Faults: by rules (simvenue/fault.h), from a script and from /sim/ on every
 *         port (simvenue/control.h).
 * End   : connections are closed with 1012; the next segment (or the first
 *         again) is played for those who return, unless once is set.
 */
#ifndef SIMVENUE_SERVER_IO_H
#define SIMVENUE_SERVER_IO_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <uv.h>

#include "simvenue/capture_io.h"
#include "simvenue/world.h"

#define SIM_SETTLE_MS  250
#define SIM_STALL_MS   5000
#define SIM_CLIENT_MAX ((size_t)16 << 20)

struct sim_server;
struct live_account;
struct tls_ctx;
struct fault_rule;
struct text;

/* Whom a listener says it is. */
enum sim_identity {
	SIM_IS_ITSELF = 1,
	SIM_IS_EXPIRED,
	SIM_IS_ANOTHER, /* host */
	SIM_IS_UNKNOWN, /* authority */
	SIM_IDENTITY_N
};

/* A world of its own, with these accounts. */
struct live_cfg {
	struct world_cfg world; /* start_ns is set when it starts */
	const struct live_account *accounts;
	uint32_t account_n;
};

struct sim_server_cfg {
	uv_loop_t *loop;
	const char *host;
	uint16_t port_base; /* polymarket; +1 binance, +2 hyperliquid; 0: any */
	uint64_t speed_e3;  /* 1000: recorded pace; 0: no pacing */
	size_t client_max;  /* bytes waiting for a client; 0: SIM_CLIENT_MAX */
	uint64_t stall_ms;  /* 0: SIM_STALL_MS */
	bool once;
	bool sync;
	const struct captures *captures;
	/* TLS contexts by enum sim_identity, or all NULL: plain. The caller's,
	 * to be destroyed after the loop has freed the server. */
	struct tls_ctx *tls[SIM_IDENTITY_N];
	bool is_tls_apart;	/* TLS on its own ports, plain on port_base */
	uint16_t tls_port_base; /* of these; 0: any */
	uint64_t seed;		/* of faults */
	/* the world to serve instead of recordings; NULL: recordings */
	const struct live_cfg *live;
	/* faults by at_ms since the start, in this order */
	const struct fault_rule *script;
	unsigned script_n;
	FILE *requests;		     /* one JSON line a request; NULL: none */
	void (*on_done)(void *user); /* with once: all that played is over */
	void *user;
};

struct sim_stats {
	uint64_t frames; /* recorded frames whose time came */
	uint64_t sent_msgs;
	uint64_t sent_bytes;
	uint64_t recv_msgs;
	uint64_t requests;
	uint64_t connections;
	uint64_t dropped; /* connections ended because they were too slow */
	uint64_t ends;	  /* segments played to their end */
};

/*
 * sim_server_create - listening when it returns. NULL with *err a negative
 * errno and *port the port it is about.
 */
struct sim_server *sim_server_create(
    const struct sim_server_cfg *cfg, int *err, uint16_t *port);

void sim_server_destroy(struct sim_server *s);

/* sim_server_port, sim_server_tls_port - 0: none of that kind. */
uint16_t sim_server_port(const struct sim_server *s, enum venue v);
uint16_t sim_server_tls_port(const struct sim_server *s, enum venue v);
const struct sim_stats *sim_server_stats(
    const struct sim_server *s, enum venue v);

/* sim_server_put_stats - of all venues, as JSON: {"venues":[...]}. */
void sim_server_put_stats(const struct sim_server *s, struct text *t);

#endif
