/*
 * venue.h - what the server needs of a simulated venue.
 *
 * What  : one table of pure functions a venue. The server owns sockets, time
 *         and memory; the venue turns recorded frames and client messages
 *         into messages to send and answers to give.
 * Pure  : yes, all of them.
 */
#ifndef SIMVENUE_VENUE_H
#define SIMVENUE_VENUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libsys/httpmsg.h"
#include "libvenue/text.h"
#include "simvenue/timeline.h"

#define SIM_OUT_MSGS_MAX 64
#define SIM_OUT_SZ	 ((size_t)16 << 20)

/* Kinds of connections that faults tell apart. */
enum sim_conn {
	SIM_CONN_MARKET = 1, /* Polymarket's market channel */
	SIM_CONN_RTDS = 2,   /* its price stream */
	SIM_CONN_BOLT = 3,   /* ... the newer one */
	SIM_CONN_STREAM = 4, /* Binance */
	SIM_CONN_WS = 5,     /* Hyperliquid */
	SIM_CONN_REST = 6,
	SIM_CONN_USER = 7, /* Polymarket's user channel */
	SIM_CONN_N
};

/* sim_conn_name - "market", ...; sim_conn_find - 0 when not known. */
const char *sim_conn_name(enum sim_conn c);
enum sim_conn sim_conn_find(const char *name, size_t n);

/* Text messages for one connection, one after the other in one buffer. */
struct sim_out {
	char *buf; /* of SIM_OUT_SZ bytes */
	size_t used;
	unsigned msg_n;
	struct {
		size_t at;
		size_t n;
	} msgs[SIM_OUT_MSGS_MAX];
	bool drop; /* end the connection without a word after 100 ms */
	/* of a faulty venue */
	bool drop_now;
	uint64_t delay_ms;   /* send then */
	size_t part_n;	     /* bytes a frame; 0: whole messages */
	uint16_t close_code; /* close then; 0 not */
	uint64_t close_ms;   /* ... so long after it */
};

/* sim_out_init - empty, over buf of SIM_OUT_SZ bytes. */
void sim_out_init(struct sim_out *o, char *buf);

/* sim_out_begin - write the next message through t, then sim_out_end; what
 * does not fit is left out as a whole. */
void sim_out_begin(struct sim_out *o, struct text *t);
void sim_out_end(struct sim_out *o, struct text *t);

/* sim_out_text - a whole message. */
void sim_out_text(struct sim_out *o, const char *s, size_t n);

/* put_i64, put_e8 - decimal text; put_e8 with at least min_decimals. */
void put_i64(struct text *t, int64_t v);
void put_e8(struct text *t, int64_t e8, unsigned min_decimals);

/* A market object of the capture, as the Gamma API would send it. */
struct sim_market {
	const char *text;
	uint32_t n;
};

struct sim_request {
	struct http_text method;
	struct http_text path;
	struct http_text query;
	const char *body;
	size_t body_n;
	const struct http_head *head;
	int64_t now_ns; /* recorded time, or that of the live world */
	const struct sim_market *markets;
	size_t market_n;
};

struct sim_answer {
	unsigned status;
	/* both initialised by the caller */
	struct text body;
	struct text headers; /* "Name: value\r\n" lines */
};

/* sim_answer_lit - status and a short body. */
void sim_answer_lit(struct sim_answer *a, unsigned status, const char *body);

struct live;

struct sim_venue_ops {
	enum venue venue;
	/* a table that this one calls for a part of the work: its state and
	 * subscriptions stand behind this one's. NULL: none */
	const struct sim_venue_ops *under;
	size_t state_sz;     /* zeroed by the caller */
	size_t sub_sz;	     /* likewise, one a connection */
	uint64_t ws_ping_ms; /* WebSocket pings of the server; 0: none */
	uint64_t quiet_ms;   /* a client silent for so long is dropped; 0 */
	/* once, before all else: the world behind it. NULL: none */
	void (*attach)(void *state, struct live *live);
	/* a segment begins: nothing is known any more */
	void (*reset)(void *state);
	/* a frame ahead of time, to have something to show at the start */
	void (*prime)(void *state, const struct sim_frame *f);
	/* its time has come */
	void (*apply)(void *state, const struct sim_frame *f);
	/* kind of a connection */
	enum sim_conn (*conn)(const void *sub);
	/* frames of a fault (FAULT_AT_TIMELINE) at this frame, where
	 * can_fault: up to SIM_OUT_MSGS_MAX texts. Returns true when they are
	 * news that the state takes, too. NULL: none. */
	bool (*can_fault)(void *state, const struct sim_frame *f);
	bool (*fault)(void *state, unsigned fault, int64_t value,
	    const struct sim_frame *f, struct sim_out *out);
	/* is there a WebSocket at this path? */
	bool (*open)(void *state, void *sub, struct http_text path,
	    struct http_text query);
	/* does the subscription want anything yet? */
	bool (*is_active)(const void *sub);
	/* a text of the client */
	void (*receive)(void *state, void *sub, const char *text, size_t n,
	    struct sim_out *out);
	/* what of a frame goes to this subscriber */
	void (*select)(void *state, void *sub, const struct sim_frame *f,
	    struct sim_out *out);
	void (*request)(
	    void *state, const struct sim_request *r, struct sim_answer *a);
};

extern const struct sim_venue_ops sim_polymarket;
extern const struct sim_venue_ops sim_binance;
extern const struct sim_venue_ops sim_hyperliquid;

#endif
