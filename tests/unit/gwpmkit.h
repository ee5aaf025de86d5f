/*
 * gwpmkit.h - the Polymarket port with a venue that says what a test wants.
 *
 * kit_begin takes it through its start to PORT_NORMAL with one market (instr
 * 16, tokens of the reference vectors). Requests wait in kit.http until they
 * are answered by hand; kit_find gives the newest of a path.
 */
#ifndef TESTS_UNIT_GWPMKIT_H
#define TESTS_UNIT_GWPMKIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "execd/gw_pm.h"
#include "execd/gw_pm_int.h"

#define KIT_KEY	  "3b10aacc-fde9-4836-afd3-daf1498a188b"
#define KIT_MAKER "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
#define KIT_YES                                                    \
	"71321045679252212594626385532706912750332728571942532289" \
	"631379312455583992563"
#define KIT_NO                                                     \
	"52114319501245915516055106046884209969926127482827954674" \
	"443846427813813222426"
#define KIT_WALL_S 1789999000
#define KIT_HTTP   256
#define KIT_EVENTS 512
#define KIT_S	   UINT64_C(1000000000)

struct kit_http {
	bool is_done;
	uint64_t tag;
	enum gwpm_role role;
	char method[8];
	char target[256];
	char *body;
};

struct kit {
	struct gwpm g;
	struct gwpm_book *book;
	struct gwpm_setup set;
	struct gwpm_sink sink;
	struct secp secp;
	struct pm_creds creds;
	struct gwpm_now now;
	struct kit_http http[KIT_HTTP];
	unsigned http_n;
	struct port_event ev[KIT_EVENTS];
	unsigned ev_n;
	enum port_mode mode;
	char why[256];
	unsigned log_n[GWPM_LOG_N];
	char logged[4096];
	char channel[1024];
	unsigned pings;
	uint64_t counter;
};

extern struct kit kit;

#define KIT_LIVE                                                            \
	"{\"success\":true,\"errorMsg\":\"\",\"orderID\":\"%s\",\"status\"" \
	":\"live\"}"
#define KIT_IS_LIVE "{\"id\":\"%s\",\"status\":\"ORDER_STATUS_LIVE\"}"

/* kit_find - the newest unanswered request whose target begins so; NULL.
 * kit_count - of all so far, answered or not. kit_ask - about one order. */
struct kit_http *kit_find(const char *method, const char *target);
unsigned kit_count(const char *method, const char *target);
struct kit_http *kit_ask(uint64_t id);

/* kit_reply_of - an answer that names an order: its hash goes where %s is. */
void kit_reply(struct kit_http *k, unsigned status, const char *body);
void kit_reply_of(
    struct kit_http *k, unsigned status, uint64_t id, const char *pattern);

/* kit_pass - time, a tenth of a second at once. kit_quiet - answers the
 * questions of a start or a gap: nothing rests, nothing traded. */
void kit_pass(uint64_t ns);
void kit_quiet(void);

/* kit_market - an instrument by its tokens. */
void kit_market(uint16_t instr, const char *yes, const char *no);

/* kit_open - everything but the start; the book stays when there is one. */
void kit_open(void);
int kit_begin(void **state);
int kit_end(void **state);

/* kit_place - side of YES, price in thousandths, whole shares; the id.
 * kit_rest - the same, given out and accepted. */
uint64_t kit_place(
    uint32_t slot, enum side side, int64_t milli, int64_t shares);
uint64_t kit_rest(uint32_t slot, enum side side, int64_t milli, int64_t shares);
void kit_act(enum port_do what, uint64_t id);
void kit_hash(uint64_t id, char text[PM_ID_TEXT_MAX]);
unsigned kit_events(enum port_ev what, uint64_t id);

/* kit_trade - a trade in which an order of ours rested, bought by a taker
 * whose header says something else. */
void kit_trade(
    uint64_t id, const char *trade, const char *status, const char *size);

#endif
