/*
 * gw_hl_int.h - between the files of the Hyperliquid port (gw_hl.h). g->now
 * is set by every entry point.
 */
#ifndef EXECD_GW_HL_INT_H
#define EXECD_GW_HL_INT_H

#include "execd/gw_hl.h"
#include "libvenue/hl_user.h"

/* gw_hl_text.c: what a text of the venue asks for. */
enum gwhl_class {
	GWHL_PLAIN = 1,	  /* this order is refused */
	GWHL_BUG,	  /* its form: ours */
	GWHL_CROSSED,	  /* post-only; carries the touch */
	GWHL_GONE,	  /* cancel or change lost the race */
	GWHL_BLOCK,	  /* a person must act */
	GWHL_DELIVERED,	  /* duplicate nonce */
	GWHL_BUDGET,	  /* of the address */
	GWHL_SLOW,	  /* of the connection */
	GWHL_UPGRADE,	  /* only post-only for now */
	GWHL_UNSCHEDULED, /* the dead-man switch is not ours to use */
	GWHL_NEW_TEXT,	  /* not in the list */
	GWHL_CLASS_N
};

struct gwhl_verdict {
	enum gwhl_class cls;
	enum reason reason;
};

struct gwhl_verdict gwhl_judge(struct json_str text);
/* The two prices after "bbo was "; false when there are none. */
bool gwhl_touch_of(struct json_str text, px_t *bid, px_t *ask);

/* gw_hl_order.c */
struct gwhl_order *gwhl_find(struct gwhl *g, uint64_t id);
struct gwhl_order *gwhl_find_oid(struct gwhl *g, uint64_t oid);
struct gwhl_order *gwhl_new(struct gwhl *g, uint64_t id);
void gwhl_rebuild(struct gwhl *g);
/* gwhl_change - o is about to be changed, and by what follows alone.
 * gwhl_keep - the change is whole. (gw_hl_state.h, Torn) */
void gwhl_change(struct gwhl *g, const struct gwhl_order *o);
void gwhl_keep(struct gwhl *g);
qty_t gwhl_left(const struct gwhl_order *o);
void gwhl_tell(struct gwhl *g, const struct gwhl_order *o, enum port_ev what,
    enum reason why);
void gwhl_todo(struct gwhl *g, struct gwhl_order *o);
void gwhl_ask_soon(struct gwhl *g, struct gwhl_order *o, uint64_t in_ns);
void gwhl_unknown(struct gwhl *g, struct gwhl_order *o);
void gwhl_exists(struct gwhl *g, struct gwhl_order *o);
void gwhl_newer(
    struct gwhl *g, struct gwhl_order *o, uint64_t oid, px_t px, qty_t qty);
void gwhl_refuse(struct gwhl *g, struct gwhl_order *o, enum reason why);
void gwhl_end(
    struct gwhl *g, struct gwhl_order *o, qty_t left, enum reason why);
void gwhl_finish(struct gwhl *g, struct gwhl_order *o, bool now);
void gwhl_held(struct gwhl *g, struct gwhl_order *o, bool now);
void gwhl_withdraw(struct gwhl *g, struct gwhl_order *o);
void gwhl_done(struct gwhl *g, struct gwhl_order *o);
/* gwhl_update - asked_ns: when it was asked for (wall), 0: told unasked. */
void gwhl_update(struct gwhl *g, const struct hlu_order *u, int64_t asked_ns);
/* gwhl_settle_ask - the question about it was answered, or cannot be. */
void gwhl_settle_ask(struct gwhl *g, struct gwhl_order *o);
void gwhl_absent(struct gwhl *g, struct gwhl_order *o, int64_t asked_wall_ns);
void gwhl_keep_within(struct gwhl *g, struct gwhl_order *o);
struct gwhl_coin *gwhl_coin_named(struct gwhl *g, struct json_str name);
struct gwhl_coin *gwhl_coin_of(struct gwhl *g, uint16_t instr);

/* gw_hl_fill.c */
void gwhl_fill(struct gwhl *g, const struct hlu_fill *f);
/* gwhl_roll - brings an answer about a position forward. */
void gwhl_roll(struct gwhl *g, struct gwhl_coin *c);
void gwhl_keys_rebuild(struct gwhl_book *b);

/* gw_hl_send.c */
uint64_t gwhl_wall_ms(const struct gwhl *g);
struct gwhl_call *gwhl_call_new(struct gwhl *g, enum gwhl_kind kind);
void gwhl_call_free(struct gwhl *g, struct gwhl_call *c);
void gwhl_add(struct gwhl *g, struct gwhl_call *c, struct gwhl_order *o);
bool gwhl_may(struct gwhl *g, uint32_t weight, bool urgent);
/* gwhl_send - REASON_OK, or why a placement was not handed over. */
enum reason gwhl_send(
    struct gwhl *g, struct gwhl_call *c, const struct hl_action *a);
bool gwhl_question(struct gwhl *g, enum gwhl_kind kind, const char *body,
    struct gwhl_order *o);
void gwhl_give(struct gwhl *g, bool dual);

/* gw_hl_answer.c */
void gwhl_on_action(
    struct gwhl *g, struct gwhl_call *c, const char *text, size_t n);
void gwhl_no_answer(struct gwhl *g, struct gwhl_call *c);
void gwhl_block(struct gwhl *g, const char *why);

/* gw_hl_sync.c */
void gwhl_sync_from(struct gwhl *g, enum gwhl_step step, bool blocking);
void gwhl_sync_step(struct gwhl *g);
void gwhl_sync_failed(struct gwhl *g, enum gwhl_kind kind);
void gwhl_on_info(
    struct gwhl *g, struct gwhl_call *c, const char *text, size_t n);
void gwhl_mode(struct gwhl *g);
void gwhl_log(
    struct gwhl *g, enum gwhl_log what, int64_t value, struct json_str text);

#endif
