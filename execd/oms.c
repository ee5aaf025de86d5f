#include "execd/oms.h"

#include "libcore/check.h"

struct cell {
	uint8_t next;
	uint8_t verdict;
};

#define GO(s)                     \
	{                         \
		ORDER_##s, OMS_OK \
	}
#define TRUE_(s)                    \
	{                           \
		ORDER_##s, OMS_LATE \
	}
#define SAME(s)                       \
	{                             \
		ORDER_##s, OMS_REPEAT \
	}
#define WRONG(s)                   \
	{                          \
		ORDER_##s, OMS_BAD \
	}
#define ORDER_NIL 0

/*
 * action[state][event]. Reading a row answers: in this state, what if the
 * venue says that? A fill is always believed; a final state is left only for
 * a fill that proves it wrong; UNKNOWN is never sent again.
 */
static const struct cell action[ORDER_STATUS_N][OMS_EVENT_N] = {
    [0] = {[OMS_SEND] = GO(PENDING_NEW),
	[OMS_ACK] = WRONG(NIL),
	[OMS_DELAY] = WRONG(NIL),
	[OMS_REJECT] = WRONG(NIL),
	[OMS_FILL_PART] = WRONG(NIL),
	[OMS_FILL_ALL] = WRONG(NIL),
	[OMS_CANCEL] = WRONG(NIL),
	[OMS_CANCELLED] = SAME(NIL),
	[OMS_NOT_CANCELLED] = SAME(NIL),
	[OMS_TIMEOUT] = SAME(NIL)},
    [ORDER_PENDING_NEW] = {[OMS_SEND] = WRONG(PENDING_NEW),
	[OMS_ACK] = GO(LIVE),
	[OMS_DELAY] = GO(DELAYED),
	[OMS_REJECT] = GO(REJECTED),
	[OMS_FILL_PART] = TRUE_(PARTIAL),
	[OMS_FILL_ALL] = TRUE_(FILLED),
	[OMS_CANCEL] = GO(PENDING_CANCEL),
	[OMS_CANCELLED] = GO(CANCELLED),
	[OMS_NOT_CANCELLED] = SAME(PENDING_NEW),
	[OMS_TIMEOUT] = GO(UNKNOWN)},
    [ORDER_LIVE] = {[OMS_SEND] = WRONG(LIVE),
	[OMS_ACK] = SAME(LIVE),
	[OMS_DELAY] = SAME(LIVE),
	[OMS_REJECT] = WRONG(LIVE),
	[OMS_FILL_PART] = GO(PARTIAL),
	[OMS_FILL_ALL] = GO(FILLED),
	[OMS_CANCEL] = GO(PENDING_CANCEL),
	[OMS_CANCELLED] = GO(CANCELLED),
	[OMS_NOT_CANCELLED] = SAME(LIVE),
	[OMS_TIMEOUT] = GO(UNKNOWN)},
    [ORDER_PARTIAL] = {[OMS_SEND] = WRONG(PARTIAL),
	[OMS_ACK] = SAME(PARTIAL),
	[OMS_DELAY] = SAME(PARTIAL),
	[OMS_REJECT] = WRONG(PARTIAL),
	[OMS_FILL_PART] = GO(PARTIAL),
	[OMS_FILL_ALL] = GO(FILLED),
	[OMS_CANCEL] = GO(PENDING_CANCEL),
	[OMS_CANCELLED] = GO(CANCELLED),
	[OMS_NOT_CANCELLED] = SAME(PARTIAL),
	[OMS_TIMEOUT] = GO(UNKNOWN)},
    [ORDER_PENDING_CANCEL] = {[OMS_SEND] = WRONG(PENDING_CANCEL),
	[OMS_ACK] = SAME(PENDING_CANCEL),
	[OMS_DELAY] = SAME(PENDING_CANCEL),
	[OMS_REJECT] = GO(REJECTED),
	[OMS_FILL_PART] = GO(PENDING_CANCEL),
	[OMS_FILL_ALL] = GO(FILLED),
	[OMS_CANCEL] = SAME(PENDING_CANCEL),
	[OMS_CANCELLED] = GO(CANCELLED),
	[OMS_NOT_CANCELLED] = GO(LIVE),
	[OMS_TIMEOUT] = GO(UNKNOWN)},
    [ORDER_FILLED] = {[OMS_SEND] = WRONG(FILLED),
	[OMS_ACK] = SAME(FILLED),
	[OMS_DELAY] = SAME(FILLED),
	[OMS_REJECT] = WRONG(FILLED),
	[OMS_FILL_PART] = SAME(FILLED),
	[OMS_FILL_ALL] = SAME(FILLED),
	[OMS_CANCEL] = WRONG(FILLED),
	[OMS_CANCELLED] = SAME(FILLED),
	[OMS_NOT_CANCELLED] = SAME(FILLED),
	[OMS_TIMEOUT] = SAME(FILLED)},
    [ORDER_CANCELLED] = {[OMS_SEND] = WRONG(CANCELLED),
	[OMS_ACK] = SAME(CANCELLED),
	[OMS_DELAY] = SAME(CANCELLED),
	[OMS_REJECT] = SAME(CANCELLED),
	[OMS_FILL_PART] = TRUE_(CANCELLED),
	[OMS_FILL_ALL] = TRUE_(FILLED),
	[OMS_CANCEL] = WRONG(CANCELLED),
	[OMS_CANCELLED] = SAME(CANCELLED),
	[OMS_NOT_CANCELLED] = SAME(CANCELLED),
	[OMS_TIMEOUT] = SAME(CANCELLED)},
    [ORDER_REJECTED] = {[OMS_SEND] = WRONG(REJECTED),
	[OMS_ACK] = WRONG(REJECTED),
	[OMS_DELAY] = WRONG(REJECTED),
	[OMS_REJECT] = SAME(REJECTED),
	[OMS_FILL_PART] = TRUE_(PARTIAL),
	[OMS_FILL_ALL] = TRUE_(FILLED),
	[OMS_CANCEL] = WRONG(REJECTED),
	[OMS_CANCELLED] = SAME(REJECTED),
	[OMS_NOT_CANCELLED] = SAME(REJECTED),
	[OMS_TIMEOUT] = SAME(REJECTED)},
    [ORDER_UNKNOWN] = {[OMS_SEND] = WRONG(UNKNOWN),
	[OMS_ACK] = GO(LIVE),
	[OMS_DELAY] = GO(DELAYED),
	[OMS_REJECT] = GO(REJECTED),
	[OMS_FILL_PART] = GO(PARTIAL),
	[OMS_FILL_ALL] = GO(FILLED),
	[OMS_CANCEL] = GO(PENDING_CANCEL),
	[OMS_CANCELLED] = GO(CANCELLED),
	[OMS_NOT_CANCELLED] = SAME(UNKNOWN),
	[OMS_TIMEOUT] = SAME(UNKNOWN)},
    [ORDER_DELAYED] = {[OMS_SEND] = WRONG(DELAYED),
	[OMS_ACK] = GO(LIVE),
	[OMS_DELAY] = SAME(DELAYED),
	[OMS_REJECT] = GO(REJECTED),
	[OMS_FILL_PART] = GO(PARTIAL),
	[OMS_FILL_ALL] = GO(FILLED),
	[OMS_CANCEL] = GO(PENDING_CANCEL),
	[OMS_CANCELLED] = GO(CANCELLED),
	[OMS_NOT_CANCELLED] = SAME(DELAYED),
	[OMS_TIMEOUT] = GO(UNKNOWN)},
};

enum oms_verdict
oms_next(uint8_t state, enum oms_event ev, uint8_t *next)
{
	const struct cell *c;

	CHECK(state < ORDER_STATUS_N);
	CHECK(ev >= OMS_SEND && ev < OMS_EVENT_N);
	c = &action[state][ev];
	CHECK(c->verdict != 0);
	*next = c->next;
	return (enum oms_verdict)c->verdict;
}

enum oms_verdict
oms_apply(uint8_t *state, enum oms_event ev)
{
	return oms_next(*state, ev, state);
}

bool
oms_rests(uint8_t state)
{
	CHECK(state < ORDER_STATUS_N);
	return state == ORDER_LIVE || state == ORDER_PARTIAL ||
	       state == ORDER_PENDING_CANCEL;
}

bool
oms_waits(uint8_t state)
{
	CHECK(state < ORDER_STATUS_N);
	return state == ORDER_PENDING_NEW || state == ORDER_PENDING_CANCEL ||
	       state == ORDER_UNKNOWN || state == ORDER_DELAYED;
}

bool
oms_final(uint8_t state)
{
	CHECK(state < ORDER_STATUS_N);
	return state == ORDER_FILLED || state == ORDER_CANCELLED ||
	       state == ORDER_REJECTED;
}

const char *
oms_event_name(enum oms_event ev)
{
	static const char *const name[OMS_EVENT_N] = {
	    [OMS_SEND] = "send",
	    [OMS_ACK] = "ack",
	    [OMS_DELAY] = "delay",
	    [OMS_REJECT] = "reject",
	    [OMS_FILL_PART] = "fill_part",
	    [OMS_FILL_ALL] = "fill_all",
	    [OMS_CANCEL] = "cancel",
	    [OMS_CANCELLED] = "cancelled",
	    [OMS_NOT_CANCELLED] = "not_cancelled",
	    [OMS_TIMEOUT] = "timeout",
	};

	CHECK(ev >= OMS_SEND && ev < OMS_EVENT_N);
	return name[ev];
}
