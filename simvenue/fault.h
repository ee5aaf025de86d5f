/*
 * fault.h - faults of a venue: which happen when, and what they do to a
 * message or an answer.
 *
 * Rules  : a rule lets a fault happen at a venue (or all), on a kind of
 *          connection (or all), to paths that begin so (or all), with a
 *          probability, after so many opportunities, at most so often, for
 *          so long. Several rules of one fault are tried in the order they
 *          came.
 * Refused: a request that fault_refuse answers is not carried out; what
 *          fault_answer does comes after that.
 * Chance : the n-th opportunity of a rule falls by a hash of its seed and n:
 *          the same seed and the same traffic give the same faults.
 * Effect : fault_message and fault_answer change texts; what only a server
 *          can do (delays, closing, muteness) is left to it as a word.
 * Pure   : yes. Memory is the caller's.
 */
#ifndef SIMVENUE_FAULT_H
#define SIMVENUE_FAULT_H

#include "libcore/json.h"
#include "simvenue/venue.h"

#define FAULT_RULES_MAX 64
#define FAULT_ERROR_MAX 160
#define FAULT_HELD_MAX	65536 /* longer messages keep their place */
#define FAULT_P_ONE	1000000
#define FAULT_PATH_MAX	48

enum fault {
	FAULT_NONE_ = 0,
#define FAULT(name, label, scope, value, traps, text) FAULT_##name,
#include "simvenue/fault.def"
#undef FAULT
	FAULT_N
};

enum fault_scope {
	FAULT_AT_MESSAGE = 1,
	FAULT_AT_CONNECTION,
	FAULT_AT_UPGRADE,
	FAULT_AT_ANSWER,
	FAULT_AT_TIMELINE,
	FAULT_AT_LISTENER,
	FAULT_AT_CLIENT,
	FAULT_AT_EXCHANGE,
	FAULT_AT_ORDER,
	FAULT_AT_TURN,
	FAULT_SCOPE_N
};

struct fault_info {
	const char *label;
	enum fault_scope scope;
	int64_t value;
	const char *traps; /* ids, blanks between them */
	const char *text;
};

/* fault_info - of a fault (CHECK). fault_find - 0 when not known. */
const struct fault_info *fault_info(enum fault f);
const char *fault_scope_name(enum fault_scope s);
enum fault fault_find(const char *label, size_t n);

struct fault_rule {
	enum fault fault;
	enum venue venue;   /* 0: all */
	enum sim_conn conn; /* 0: all */
	uint32_t p_e6;
	uint64_t after;	 /* opportunities let pass first */
	uint64_t count;	 /* 0: no limit */
	uint64_t for_ms; /* 0: no limit */
	uint64_t seed;	 /* 0: of the set */
	int64_t value;
	uint64_t at_ms; /* of a script: when it comes; not the set's matter */
	uint32_t path_n;
	char path[FAULT_PATH_MAX]; /* what paths of requests begin with */
	/* since it was added */
	uint64_t from_ms;
	uint64_t seen;
	uint64_t fired;
};

struct fault_set {
	uint64_t seed;
	uint32_t n;
	struct fault_rule rules[FAULT_RULES_MAX];
	uint64_t fired[FAULT_N]; /* since fault_init, also of rules gone */
};

/* Where an opportunity arises. */
struct fault_at {
	enum venue venue;
	enum sim_conn conn;
	uint64_t now_ms;       /* any clock that the rules were added by */
	struct http_text path; /* of a request; empty: not one */
};

void fault_init(struct fault_set *s, uint64_t seed);

/*
 * fault_parse - a rule from a JSON object: name, and when wanted venue,
 * conn, path, p (0 to 1), after, count, for_ms, seed, value, at_ms.
 * Returns : false with a sentence in err (FAULT_ERROR_MAX bytes).
 */
bool fault_parse(const char *text, size_t n, struct fault_rule *out, char *err);

/* fault_add - in force from now_ms; false when the set is full. */
bool fault_add(
    struct fault_set *s, const struct fault_rule *r, uint64_t now_ms);

/* fault_remove - all rules of a fault (0: all); how many there were. */
uint32_t fault_remove(struct fault_set *s, enum fault f);

/* fault_expire - rules whose time is over go. */
void fault_expire(struct fault_set *s, uint64_t now_ms);

/* fault_roll - does it happen here? *value is the rule's. Counted. */
bool fault_roll(struct fault_set *s, enum fault f, const struct fault_at *at,
    int64_t *value);

/* fault_in_force - is there a rule for it here, whatever its count?
 * fault_value - the same, with the value of the first such rule. */
bool fault_in_force(
    const struct fault_set *s, enum fault f, const struct fault_at *at);
bool fault_value(const struct fault_set *s, enum fault f,
    const struct fault_at *at, int64_t *value);

/* fault_since - ms that the first such rule has been there. */
uint64_t fault_since(
    const struct fault_set *s, enum fault f, const struct fault_at *at);

/* What a connection bears. held: message that waits for the next one. */
struct fault_conn {
	uint64_t struck; /* bit of each fault */
	int64_t value[FAULT_N];
	uint64_t gap_left;
	uint64_t rtds_gap_left;
	size_t held_n;
	char held[FAULT_HELD_MAX];
};

/* fault_bears - is the connection held by this fault? */
static inline bool
fault_bears(const struct fault_conn *c, enum fault f)
{
	return (c->struck >> f & 1) != 0;
}

/*
 * fault_strike - faults of connections, at each message either way: new ones
 * strike, others let go. Returns true when any is borne.
 */
bool fault_strike(
    struct fault_set *s, const struct fault_at *at, struct fault_conn *c);

/* fault_release - those without a rule let go. */
void fault_release(
    const struct fault_set *s, const struct fault_at *at, struct fault_conn *c);

/*
 * fault_message - what becomes of a text that the venue sends: none, one or
 * more messages in out, and out's words on delay, parts, closing.
 * tmp of tmp_sz bytes is scratch, at least twice as long as the text.
 */
struct fault_tmp {
	char *buf;
	size_t sz;
};
void fault_message(struct fault_set *s, const struct fault_at *at,
    struct fault_conn *c, struct json_str text, struct fault_tmp tmp,
    struct sim_out *out);

/* Words on an answer. */
struct fault_reply {
	bool is_lost;
	uint64_t delay_ms;
	int64_t date_skew_s;
	const char *type;  /* NULL: JSON */
	const char *extra; /* header lines or NULL */
	char extra_text[64];
};

/*
 * fault_refuse - before a request is carried out: is it to be refused, or
 * lost? True: it is not carried out, *a and *out say what the client gets.
 * out must be zero.
 */
bool fault_refuse(struct fault_set *s, const struct fault_at *at,
    struct sim_answer *a, struct fault_reply *out);

/* fault_answer - what becomes of an answer of the venue; tmp as above. */
void fault_answer(struct fault_set *s, const struct fault_at *at,
    const struct sim_request *r, struct sim_answer *a, struct fault_tmp tmp,
    struct fault_reply *out);

/* fault_put_rules - the rules, and how often each fault happened, as JSON.
 * fault_put_table - what there is, as JSON. */
void fault_put_rules(const struct fault_set *s, struct text *t);
void fault_put_table(struct text *t);

#endif
