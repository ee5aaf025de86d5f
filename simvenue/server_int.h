/*
 * server_int.h - what the parts of the server share; not for others.
 *
 *   server_io.c   listeners, connections, housekeeping, life
 *   play_io.c     the timelines
 *   say_io.c      messages to a client and answers, faults carried out
 *   live_io.c     the live world, its clock and its frames
 *   request_io.c  requests: venue, /sim/ and the request log
 */
#ifndef SIMVENUE_SERVER_INT_H
#define SIMVENUE_SERVER_INT_H

#include <stddef.h>

#include "libsys/httpd.h"
#include "simvenue/fault.h"
#include "simvenue/live.h"
#include "simvenue/server_io.h"

enum run {
	RUN_WAITING = 1,  /* for a subscriber */
	RUN_SETTLING = 2, /* for the last of the first subscriptions */
	RUN_PLAYING = 3,
	RUN_DRAINING = 4, /* the last frames are on their way to clients */
	RUN_ENDED = 5,	  /* waits for the other venues (sync) */
	RUN_OVER = 6,	  /* once: nothing follows */
	RUN_N
};

/* A message that goes out later. */
struct later {
	struct later *next;
	uint64_t due_ms;
	enum ws_kind kind;
	size_t n;
	char bytes[];
};

#define CLIENT_PATH_MAX 64

struct client { /* its subscription stands behind it */
	_Alignas(max_align_t) struct player *player;
	struct client *next;
	struct client *prev;
	struct httpd_conn *conn;
	bool is_closing;
	uint64_t drop_at_ms;  /* 0: not */
	uint64_t close_at_ms; /* 0: not */
	uint16_t close_code;
	uint64_t last_recv_ms;
	char path[CLIENT_PATH_MAX]; /* as it was asked for, cut */
	uint64_t ping_at_ms;
	uint64_t pong_until_ms; /* 0: none awaited */
	struct later *later;	/* in order */
	void *sub;
	struct fault_conn faults;
};

/* A request that is carried out later; its head points into bytes. */
struct late_request {
	struct late_request *next;
	struct httpd_conn *conn;
	uint64_t due_ms;
	struct http_head head;
	size_t head_n;
	size_t n;
	char bytes[]; /* the head, then the body */
};

/* An answer that goes out later. */
struct late_answer {
	struct late_answer *next;
	struct httpd_conn *conn;
	uint64_t due_ms;
	unsigned status;
	struct fault_reply reply;
	size_t headers_n;
	size_t n;
	char text[]; /* headers, then the body */
};

struct player {
	struct sim_server *server;
	const struct sim_venue_ops *ops;
	const struct sim_timeline *timeline;
	struct httpd *http;  /* TLS when there is no other port for it */
	struct httpd *https; /* NULL: none */
	uint16_t port;
	uint16_t tls_port;
	void *state;
	enum run run;
	size_t segment;
	size_t at; /* next frame */
	int64_t last_t_ns;
	uint64_t since_ms; /* of the present wait */
	bool is_stalled;
	enum sim_identity identity;
	struct sim_clock clock;
	uv_timer_t timer;
	struct client *clients;
	struct late_answer *late;   /* in no order */
	struct late_request *queue; /* in order */
	uint64_t turn_us;	    /* when the next one has its turn */
	struct sim_stats stats;
};

/* A frame of the live world on its way to subscribers. */
struct live_frame {
	struct live_frame *next;
	enum venue venue;
	struct sim_frame f;
	char text[];
};

struct sim_server {
	struct sim_server_cfg cfg;
	struct player players[VENUE_N]; /* by enum venue; [0] unused */
	uv_timer_t housekeeping;
	struct live *live; /* NULL: recordings are played */
	uv_timer_t live_timer;
	bool is_flushing;
	bool in_force[VENUE_N]
		     [FAULT_N];	  /* of the exchanges, when last looked */
	struct live_frame *first; /* in order */
	struct live_frame **last;
	unsigned handle_n;
	unsigned script_at; /* next rule of the script */
	uint64_t start_ms;
	struct fault_set faults;
	char *out_buf;	 /* what the venue says */
	char *made_buf;	 /* frames of a fault */
	char *fault_buf; /* what becomes of it */
	char *tmp_buf;
};

static inline uint64_t
now_ms(const struct player *p)
{
	return uv_now(p->server->cfg.loop);
}

static inline bool
is_listening(const struct client *c)
{
	return !c->is_closing && c->player->ops->is_active(c->sub);
}

/* ---- play_io.c ---- */

/* segment_open - at its start, its first books known. */
void segment_open(struct player *p, size_t segment);

/* subscriptions_changed - one came, or went. */
void subscriptions_changed(struct player *p);

/* play_tick - the player's timer. play_room - a client has room again. */
void play_tick(uv_timer_t *timer);
void play_room(struct player *p);

/* play_deliver - a frame to those who want it; out_buf: scratch. */
void play_deliver(struct player *p, const struct sim_frame *f, char *out_buf);

/* recorded_now - recorded time. */
int64_t recorded_now(const struct player *p);

/* ---- live_io.c ---- */

/* live_create - the world, its accounts, its clock started; 0 or -ENOMEM,
 * -E2BIG when there are too many accounts. live_free - at the end. */
int live_create(struct sim_server *s);
void live_free(struct sim_server *s);

/* live_turn - the world up to now; live_flush - what it said meanwhile goes
 * out. No client may be in hand. Both do nothing with recordings. */
void live_turn(struct sim_server *s);
void live_flush(struct sim_server *s);

/* ---- say_io.c ---- */

/* client_say - texts of the venue; false when the client is gone now. */
bool client_say(struct client *c, const struct sim_out *out);

/* client_heard - a message came: may a fault strike? False: swallow it. */
bool client_heard(struct client *c);

/* client_pong - answer to a WebSocket ping, as faults let it. */
void client_pong(struct client *c, const void *data, size_t n);

/* client_later - what is due by now: messages, an end, faults that let go.
 * False: gone. client_forget - free what was to come. */
bool client_later(struct client *c);
void client_forget(struct client *c);

/* player_answer - carry a request out and answer it, as faults let it.
 * player_queue - it waits its turn: true; false: carry it out now.
 * player_late - answers and requests that are due. player_gone - forget those
 * of conn. */
bool player_queue(
    struct player *p, struct httpd_conn *conn, const struct httpd_request *r);
void player_answer(struct player *p, struct httpd_conn *conn,
    const struct sim_request *r, struct sim_answer *a);
void player_late(struct player *p);
void player_gone(struct player *p, const struct httpd_conn *conn);

/* ---- request_io.c ---- */

/* take_request - noted, and carried out now or when its turn comes. */
void take_request(
    struct player *p, struct httpd_conn *conn, const struct httpd_request *r);
void carry_out(
    struct player *p, struct httpd_conn *conn, const struct httpd_request *r);

/* request_note - a line of the request log, when there is one. */
void request_note(struct player *p, const struct http_head *h, const char *body,
    size_t body_n);

/* request_note_text - the same of a client's WebSocket message, pings apart:
 * method WS, the path of its connection, the text as the body. */
void request_note_text(const struct client *c, const char *text, size_t n);

#endif
