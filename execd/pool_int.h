/*
 * pool_int.h - what the files of the pool share; nobody else includes it.
 *
 *   pool_io.c       roles, waiting, keeping warm, life
 *   pool_lane_io.c  one connection: libcurl, its sockets, a transfer
 */
#ifndef EXECD_POOL_INT_H
#define EXECD_POOL_INT_H

#include <curl/curl.h>

#include "execd/pool_io.h"

#define POOL_METHOD_MAX 8u
#define POOL_TARGET_MAX 512u
#define POOL_LINES_MAX	2048u
#define POOL_LINES_N	32u
#define POOL_BODY_MAX	((size_t)48 << 10)
#define POOL_URL_MAX	(POOL_TARGET_MAX + 256u)
#define POOL_WATCHES	8u

/* A call, copied. */
struct item {
	struct item *next;
	struct pool_call call; /* its texts are the members below */
	uint64_t due_ns;
	size_t lines_n;
	char method[POOL_METHOD_MAX];
	char target[POOL_TARGET_MAX];
	char lines[POOL_LINES_MAX];
	char body[POOL_BODY_MAX];
};

struct lane;

/* A socket of libcurl's. A connection stays watched while it is idle, so
 * that its use costs no system call and its end is seen at once. */
struct watch {
	uv_poll_t poll;
	struct lane *lane;
	int fd;
	int events;
	bool is_used; /* until libuv has closed it */
	bool is_conn;
	bool is_closing;
};

/* One connection: a multi handle of its own, so that it is known which
 * connection a call or the GET that keeps it warm takes. */
struct lane {
	struct pool *pool;
	enum pool_role role;
	CURLM *multi;
	CURL *easy;
	uv_timer_t timer;
	struct watch watch[POOL_WATCHES];
	struct item *item; /* NULL: free, or warming */
	bool is_busy;
	bool is_done;
	CURLcode rc;
	unsigned open_n; /* sockets */
	bool is_warm;	 /* a whole answer came, not closed since */
	uint64_t used_ns;
	uint64_t again_ns; /* not warmed before */
	uint64_t wait_ns;
	/* the transfer at hand */
	bool was_sent;
	bool is_held;
	bool is_through;     /* the connection was there */
	unsigned opened_n;   /* sockets, for it */
	const char *refusal; /* why it was not let out */
	uint64_t sent_ns;
	struct curl_slist line[POOL_LINES_N];
	char url[POOL_URL_MAX];
	char *body;
	size_t body_n;
	size_t body_cap;
	char error[CURL_ERROR_SIZE];
};

struct role {
	struct item *items;
	struct item *free;
	struct item *first; /* waiting, in order */
	struct item *last;
	unsigned open_n;
	unsigned lane_at;
	unsigned lane_n;
};

struct pool {
	uv_loop_t *loop;
	CURLSH *share;
	char *url;
	char *ca_path;
	char *warm_target;
	uint64_t keep_warm_ns;
	bool (*may_send)(void *user);
	void (*on_sent)(void *user, uint64_t tag, uint64_t ns);
	void (*on_answer)(void *user, const struct pool_answer *a);
	void *user;
	uv_timer_t tend;
	uv_timer_t soon;
	unsigned handle_n; /* of libuv, not closed yet */
	bool is_closed;
	struct pool_stats stats;
	struct role role[POOL_ROLE_N];
	unsigned lane_n;
	struct lane *lane;
};

/* ---- pool_lane_io.c ---- */

/* pool_lane_open - false: no memory. pool_lane_close - also then. */
bool pool_lane_open(struct lane *l);
void pool_lane_close(struct lane *l);
/* pool_lane_start - it NULL: the GET that keeps the connection warm. */
void pool_lane_start(struct lane *l, struct item *it);
/* pool_lane_collect - answers the transfer of the lane if it is over. */
void pool_lane_collect(struct lane *l);

/* ---- pool_io.c ---- */

/* pool_handle_gone - libuv has closed one. */
void pool_handle_gone(struct pool *p);
/* pool_item_put - the call is answered. */
void pool_item_put(struct pool *p, struct item *it);
/* pool_pump - gives waiting calls to free lanes. */
void pool_pump(struct pool *p, enum pool_role role);
/* pool_soon - something is over that no event will tell of. */
void pool_soon(struct pool *p);

#endif
