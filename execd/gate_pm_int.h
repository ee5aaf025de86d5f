/*
 * gate_pm_int.h - the gateway of Polymarket in parts; nobody else includes
 * it.
 *
 *   gate_pm_io.c        the table of gateway.h: life, acts, time
 *   gate_pm_net_io.c    the port's requests and channel on sockets
 *   gate_pm_login_io.c  the key, and API credentials from a file or the venue
 *   gate_pm_tell_io.c   what is logged, counted and told of holdings
 */
#ifndef EXECD_GATE_PM_INT_H
#define EXECD_GATE_PM_INT_H

#include "execd/bookfile_io.h"
#include "execd/gateway.h"
#include "execd/gw_pm.h"
#include "execd/keyload_io.h"
#include "execd/pool_io.h"
#include "libsys/curltls.h"
#include "libsys/ws.h"

/* Tags of requests that are not the port's. */
#define GATE_PM_LOGIN_TAG (UINT64_C(1) << 63)
#define GATE_PM_SET_N	  ((GWPM_INSTRS + 63u) / 64u)

enum gate_pm_login {
	GATE_PM_LOGIN_TIME = 1, /* the venue's clock, for the signature */
	GATE_PM_LOGIN_DERIVE,
	GATE_PM_LOGIN_CREATE,
	GATE_PM_LOGIN_DONE,
	GATE_PM_LOGIN_REFUSED,
	GATE_PM_LOGIN_N
};

struct gate_pm {
	struct stage *s;
	const struct gateway_sink *sink;
	struct gwpm g;
	struct gwpm_sink to;
	struct bookfile book;
	struct secp secp;
	struct secret key;
	struct keyload_creds creds;
	struct address signer;
	int lock_fd; /* nobody else signs with the key; -1 none */
	struct pool *pool;
	bool is_started; /* by the shell */
	bool said;	 /* something, since the last settle */
	/* login */
	enum gate_pm_login login;
	bool is_asking;
	unsigned login_tries;
	int64_t login_skew_ns;
	/* user channel */
	struct ws_client *ws;
	struct curltls_ctx *tls;
	unsigned ws_tries;
	uint64_t ws_up_ns;
	/* one timer: reconnects, logins, requests that could not be made */
	uv_timer_t timer;
	bool is_closed;
	uint64_t ws_ns;	   /* connect then, 0 not */
	uint64_t login_ns; /* ask then, 0 not */
	uint32_t failed_n;
	uint64_t failed[GWPM_CALLS]; /* tags */
	/* holdings */
	uint64_t hold_ns; /* all of them then */
	uint64_t dirty[GATE_PM_SET_N];
	uint64_t told[GATE_PM_SET_N]; /* something other than nothing */
	struct pool_stats pool_seen;
	uint64_t downs;
};

/* gate_pm_now - of this moment. gate_pm_settle - at the end of a callback of
 * the loop. */
struct gwpm_now gate_pm_now(const struct gate_pm *p);
void gate_pm_settle(struct gate_pm *p);
void gate_pm_mode(void *user, enum port_mode mode, const char *why);

/* ---- gate_pm_net_io.c ---- */

/* gate_pm_net_open - the pool; false: logged. gate_pm_channel_open - once
 * there are credentials. */
bool gate_pm_net_open(struct gate_pm *p);
void gate_pm_channel_open(struct gate_pm *p);
void gate_pm_net_close(struct gate_pm *p);
/* gate_pm_timer_at - the timer runs at that time or before. */
void gate_pm_timer_at(struct gate_pm *p, uint64_t ns);
void gate_pm_http(void *user, const struct gwpm_http *h);
void gate_pm_channel(void *user, const char *text, size_t n);

/* ---- gate_pm_login_io.c ---- */

/* gate_pm_keys - the key and the account; an exit code, logged. */
int gate_pm_keys(struct gate_pm *p, struct gwpm_setup *set);
/* gate_pm_login_begin - credentials, from a file at once or from the venue.
 * An exit code, logged. */
int gate_pm_login_begin(struct gate_pm *p);
void gate_pm_login_ask(struct gate_pm *p);
void gate_pm_login_answer(struct gate_pm *p, const struct pool_answer *a);
void gate_pm_login_close(struct gate_pm *p);

/* ---- gate_pm_tell_io.c ---- */

void gate_pm_log(
    void *user, enum gwpm_log what, int64_t value, const char *text, size_t n);
void gate_pm_clock(void *user, int64_t offset_ns);
void gate_pm_count(struct gate_pm *p);
/* gate_pm_held - an instrument's holding has changed. gate_pm_tell_held - of
 * those, and of all when their time has come. */
void gate_pm_held(struct gate_pm *p, uint16_t instr);
void gate_pm_tell_held(struct gate_pm *p, uint64_t now_ns);

#endif
