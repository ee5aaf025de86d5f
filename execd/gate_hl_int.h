/*
 * gate_hl_int.h - what the files of the Hyperliquid gateway share; nobody
 * else includes it.
 *
 *   gate_hl_io.c       life: key, book, port; the table of gateway.h
 *   gate_hl_link_io.c  the socket, the requests, the gate before a placement
 *   gate_hl_log_io.c   what the port says in the log, metrics
 *
 * The port's sinks never call it back: what they would ask for is noted and
 * done in link_after, when the call of the port has returned.
 */
#ifndef EXECD_GATE_HL_INT_H
#define EXECD_GATE_HL_INT_H

#include "execd/bookfile_io.h"
#include "execd/gateway.h"
#include "execd/gw_hl.h"
#include "execd/pool_io.h"
#include "libsign/key.h"
#include "libsys/curltls.h"
#include "libsys/tls.h"
#include "libsys/ws.h"

struct gate_hl {
	struct stage *s;
	const struct gateway_sink *up;
	struct gwhl_sink down; /* of the port, towards us */
	struct secp secp;
	struct secret key;
	int lock_fd;
	struct bookfile file;
	struct gwhl *port;
	struct pool *pool;
	struct ws_client *ws;
	struct tls_ctx *tls; /* feed.transport: mbedtls ... */
	struct curltls_ctx *curl;
	uint64_t connect_ns; /* next attempt; 0: open, or under way */
	uint64_t began_ns;   /* of the attempt, then of the connection */
	unsigned attempt;
	bool is_up;	/* the port was told */
	bool must_drop; /* the socket, after the port's call */
	bool said;	/* something since the last settle */
	bool is_closing;
	uint32_t lost_n; /* requests that could not be made */
	uint64_t lost[GWHL_CALLS];
	struct gwhl_stat told; /* as last added to the metrics */
	struct pool_stats told_pool;
	uint64_t reconnects;
	uint64_t told_reconnects;
	uint64_t strays;
	uint64_t told_strays;
};

/* gate_hl_link_io.c. link_open - 0 or an exit code, logged. link_after -
 * after every call of the port. link_settle - at the end of every callback
 * of the loop. */
int link_open(struct gate_hl *g);
void link_close(struct gate_hl *g);
void link_after(struct gate_hl *g);
void link_settle(struct gate_hl *g);
void link_timer(struct gate_hl *g);
struct gwhl_now link_now(void);
enum reason link_ws(void *user, const char *text, size_t n, bool places);
void link_http(void *user, const struct gwhl_http *h);
void link_drop(void *user);

/* gate_hl_log_io.c */
void gate_hl_log(
    void *user, enum gwhl_log what, int64_t value, const char *text, size_t n);
void gate_hl_count(struct gate_hl *g);

#endif
