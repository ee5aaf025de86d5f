#include "supervisor/supervise.h"

#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"

#define SIGNAL_KILL 9u
#define SIGNAL_TERM 15u

enum action {
	A_NONE = 0,
	A_START, /* start now, a person forgives what was            */
	A_RETRY, /* start now, by the clock                          */
	A_TERM,	 /* ask it to stop                                   */
	A_CYCLE, /* ask it to stop, then start                       */
	A_ABRT,	 /* it hangs                                         */
	A_KILL,	 /* it still hangs                                   */
	A_STOPKILL,
	A_UP,
	A_DIE,	  /* it died on its own                               */
	A_GONE,	  /* it stopped as asked                              */
	A_DOWN,	  /* nobody wants it any more                         */
	A_AGAIN,  /* start once it has stopped                        */
	A_NOMORE, /* do not                                           */
	A_ADOPT,
	A_SWEEPKILL, /* its sweep takes too long                     */
	A_SWEPT,     /* its sweep has ended                          */
	A_DOWNNEXT,  /* swept, it is down                            */
};

/* Columns in the order of enum sup_event:
 * START STOP RESTART ADOPT READY STALE TIMEOUT EXIT */
static const uint8_t action[SUP_STATE_N][SUP_EVENT_N] = {
    [SUP_DOWN] = {0, A_START, A_NONE, A_START, A_ADOPT, A_NONE, A_NONE, A_NONE,
	A_NONE},
    [SUP_STARTING] = {0, A_NONE, A_TERM, A_CYCLE, A_NONE, A_UP, A_ABRT, A_ABRT,
	A_DIE},
    [SUP_UP] = {0, A_NONE, A_TERM, A_CYCLE, A_NONE, A_NONE, A_ABRT, A_NONE,
	A_DIE},
    [SUP_HUNG] = {0, A_NONE, A_STOPKILL, A_NONE, A_NONE, A_NONE, A_NONE, A_KILL,
	A_DIE},
    [SUP_KILLED] = {0, A_NONE, A_STOPKILL, A_NONE, A_NONE, A_NONE, A_NONE,
	A_KILL, A_DIE},
    [SUP_BACKOFF] = {0, A_START, A_DOWN, A_START, A_NONE, A_NONE, A_NONE,
	A_RETRY, A_NONE},
    [SUP_PARKED] = {0, A_START, A_DOWN, A_START, A_NONE, A_NONE, A_NONE,
	A_RETRY, A_NONE},
    [SUP_STOPPING] = {0, A_AGAIN, A_NOMORE, A_AGAIN, A_NONE, A_NONE, A_NONE,
	A_STOPKILL, A_GONE},
    [SUP_STOPKILL] = {0, A_AGAIN, A_NOMORE, A_AGAIN, A_NONE, A_NONE, A_NONE,
	A_STOPKILL, A_GONE},
    [SUP_SWEEPING] = {0, A_AGAIN, A_DOWNNEXT, A_AGAIN, A_NONE, A_NONE, A_NONE,
	A_SWEEPKILL, A_SWEPT},
};

/* One call's arguments, so that the actions below stay small. */
struct turn {
	struct sup_stage *st;
	const struct supervise_cfg *c;
	enum stage_id id;
	uint64_t now_ns;
	const struct sup_exit *x;
	struct sup_out *out;
};

const char *
sup_state_name(enum sup_state s)
{
	static const char *const t[SUP_STATE_N] = {"?", "down", "starting",
	    "up", "hung", "killed", "backoff", "parked", "stopping", "stopkill",
	    "sweeping"};

	return (unsigned)s < SUP_STATE_N ? t[s] : "?";
}

const char *
sup_park_text(enum sup_park p)
{
	static const char *const t[SUP_PARK_N] = {"not parked",
	    "too many deaths in a short time",
	    "died twice on the same message, which is quarantined",
	    "says that it cannot work (exit 100)"};

	return (unsigned)p < SUP_PARK_N ? t[p] : "?";
}

void
supervise_init(struct supervise *s)
{
	memset(s, 0, sizeof(*s));
	for (int i = 0; i < ST_N; i++)
		s->stage[i].state = SUP_DOWN;
}

static void
emit(const struct turn *t, enum sup_effect effect)
{
	CHECK(t->out->n < SUP_OUT_MAX);
	t->out->item[t->out->n].effect = (uint8_t)effect;
	t->out->item[t->out->n].stage = (uint8_t)t->id;
	t->out->item[t->out->n].ring = t->st->crash_ring;
	t->out->item[t->out->n].seq = t->st->crash_seq;
	t->out->n++;
}

static void
go(const struct turn *t, enum sup_state state, uint64_t after_ns)
{
	t->st->state = (uint8_t)state;
	t->st->deadline_ns = after_ns == 0 ? 0 : t->now_ns + after_ns;
}

static void
start(const struct turn *t)
{
	t->st->started_ns = t->now_ns;
	t->st->born_ns = t->now_ns;
	t->st->ready_ns = 0;
	t->st->hang = 0;
	t->st->again = 0;
	t->st->start_n++;
	go(t, SUP_STARTING, t->c->ready_timeout_ns);
	emit(t, SUP_DO_START);
}

uint32_t
supervise_deaths(
    const struct sup_stage *st, const struct supervise_cfg *c, uint64_t now_ns)
{
	uint32_t kept =
	    st->death_n < SUP_DEATHS_MAX ? st->death_n : SUP_DEATHS_MAX;
	uint32_t n = 0;

	for (uint32_t i = 0; i < kept; i++) {
		uint64_t at =
		    st->death_ns[(st->death_n - 1 - i) % SUP_DEATHS_MAX];

		if (at <= st->forgive_ns ||
		    now_ns - at > c->crash_loop_window_ns)
			break;
		n++;
	}
	return n;
}

static uint32_t
signal_of(uint32_t status)
{
	return status & 0x7fu;
}

static bool
exited_with(uint32_t status, uint32_t code)
{
	return status != SUP_STATUS_UNKNOWN && signal_of(status) == 0 &&
	       (status >> 8 & 0xffu) == code;
}

/* A SIGKILL or SIGTERM from outside says nothing about the message. */
static bool
blames_input(const struct turn *t)
{
	uint32_t sig = signal_of(t->x->status);

	if (t->x->in_ring == 0 || t->x->in_seq == 0)
		return false;
	return t->st->hang || t->x->status == SUP_STATUS_UNKNOWN ||
	       (sig != 0 && sig != SIGNAL_KILL && sig != SIGNAL_TERM);
}

static bool
poisoned(const struct turn *t)
{
	struct sup_stage *st = t->st;
	bool twice;

	if (!blames_input(t))
		return false;
	twice =
	    st->crash_ring == t->x->in_ring && st->crash_seq == t->x->in_seq;
	st->crash_ring = t->x->in_ring;
	st->crash_seq = t->x->in_seq;
	return twice;
}

static bool
is_swept(const struct turn *t)
{
	return (t->c->sweep_mask >> t->id & 1) != 0;
}

/* Dead for now: parked or down, with a sweep before that when it owes one. */
static void
rest(const struct turn *t, enum sup_state state)
{
	uint64_t retry =
	    state == SUP_PARKED && t->st->park != SUP_PARK_PERMANENT
		? t->c->park_retry_ns
		: 0;

	if (!t->st->owes || t->st->state == SUP_SWEEPING) {
		go(t, state, retry);
		return;
	}
	t->st->after = (uint8_t)state;
	go(t, SUP_SWEEPING, t->c->sweep_ns);
	emit(t, SUP_DO_SWEEP);
}

static void
park(const struct turn *t, enum sup_park why)
{
	t->st->park = (uint8_t)why;
	if (why == SUP_PARK_POISON)
		emit(t, SUP_DO_QUARANTINE);
	emit(t, SUP_DO_PARK);
	/* What never worked in this run had nothing to do with trading. */
	if (why != SUP_PARK_PERMANENT || t->st->was_ready)
		emit(t, SUP_DO_FREEZE);
	rest(t, SUP_PARKED);
}

static uint64_t
backoff_ns(const struct supervise_cfg *c, uint32_t deaths)
{
	uint64_t wait = c->backoff_min_ns;

	if (deaths < 2)
		return 0;
	for (uint32_t i = 2; i < deaths && wait < c->backoff_max_ns; i++)
		wait *= 2;
	return wait < c->backoff_max_ns ? wait : c->backoff_max_ns;
}

static void
die(const struct turn *t)
{
	struct sup_stage *st = t->st;
	bool settled = st->ready_ns != 0 &&
		       t->now_ns - st->ready_ns > t->c->crash_loop_window_ns;
	bool relapse = st->probation && !settled;
	bool poison;
	uint32_t deaths;
	uint64_t wait;

	CHECK(t->x != NULL);
	poison = poisoned(t);
	st->status = t->x->status;
	st->died_ns = t->now_ns;
	st->death_ns[st->death_n++ % SUP_DEATHS_MAX] = t->now_ns;
	st->probation = 0;
	st->owes |= is_swept(t) && st->ready_ns != 0;
	deaths = supervise_deaths(st, t->c, t->now_ns);
	if (exited_with(st->status, SUP_EXIT_PERMANENT)) {
		park(t, SUP_PARK_PERMANENT);
		return;
	}
	if (poison) {
		park(t, SUP_PARK_POISON);
		return;
	}
	if (relapse || deaths >= t->c->crash_loop_n) {
		park(t, SUP_PARK_LOOP);
		return;
	}
	wait = backoff_ns(t->c, deaths);
	if (wait == 0 && exited_with(st->status, SUP_EXIT_TEMPORARY))
		wait = t->c->backoff_min_ns;
	if (wait == 0)
		start(t);
	else
		go(t, SUP_BACKOFF, wait);
}

static void
person_starts(const struct turn *t)
{
	t->st->forgive_ns = t->now_ns;
	t->st->probation = 0;
	t->st->park = SUP_PARK_NONE;
	start(t);
}

static void
gone(const struct turn *t)
{
	struct sup_stage *st = t->st;

	CHECK(t->x != NULL);
	st->status = t->x->status;
	st->died_ns = t->now_ns;
	/* 111: it says itself that it could not find out. */
	st->owes |=
	    is_swept(t) &&
	    (st->ready_ns != 0 || exited_with(st->status, SUP_EXIT_TEMPORARY));
	if (exited_with(st->status, 0))
		st->owes = 0;
	if (st->again)
		start(t);
	else
		rest(t, SUP_DOWN);
}

static void
swept(const struct turn *t)
{
	struct sup_stage *st = t->st;

	CHECK(t->x != NULL);
	CHECK(st->after == SUP_DOWN || st->after == SUP_PARKED);
	st->owes = !exited_with(t->x->status, 0);
	if (st->again)
		person_starts(t);
	else
		rest(t, st->after);
}

static void
clock_starts(const struct turn *t)
{
	t->st->probation = t->st->state == SUP_PARKED;
	start(t);
}

static void
adopt(const struct turn *t)
{
	t->st->started_ns = t->now_ns;
	t->st->born_ns = 0; /* it has lived for longer than we know */
	t->st->ready_ns = 0;
	t->st->hang = 0;
	go(t, SUP_STARTING, t->c->ready_timeout_ns);
}

static void
stopkill(const struct turn *t)
{
	/* Asked to stop while it hung, it is killed at once. */
	t->st->stop_kills++;
	go(t, SUP_STOPKILL, t->c->abort_grace_ns);
	emit(t, SUP_DO_KILL);
}

static void
act(const struct turn *t, enum sup_event ev)
{
	struct sup_stage *st = t->st;

	CHECK(st->state > 0 && st->state < SUP_STATE_N);
	CHECK(ev > 0 && ev < SUP_EVENT_N);
	switch ((enum action)action[st->state][ev]) {
	case A_NONE: return;
	case A_START: person_starts(t); return;
	case A_RETRY: clock_starts(t); return;
	case A_CYCLE:
	case A_TERM:
		st->again = action[st->state][ev] == A_CYCLE;
		go(t, SUP_STOPPING, t->c->stop_timeout_ns);
		emit(t, SUP_DO_TERM);
		return;
	case A_ABRT:
		st->hang = 1;
		go(t, SUP_HUNG, t->c->abort_grace_ns);
		emit(t, SUP_DO_ABRT);
		return;
	case A_KILL:
		go(t, SUP_KILLED, t->c->abort_grace_ns);
		emit(t, SUP_DO_KILL);
		return;
	case A_STOPKILL: stopkill(t); return;
	case A_UP:
		st->was_ready = 1;
		st->owes = 0;
		st->ready_ns = t->now_ns;
		st->park = SUP_PARK_NONE;
		go(t, SUP_UP, 0);
		return;
	case A_DIE: die(t); return;
	case A_GONE: gone(t); return;
	case A_DOWN: rest(t, SUP_DOWN); return;
	case A_AGAIN: st->again = 1; return;
	case A_NOMORE: st->again = 0; return;
	case A_ADOPT: adopt(t); return;
	case A_SWEEPKILL:
		st->deadline_ns = t->now_ns + t->c->abort_grace_ns;
		emit(t, SUP_DO_KILL);
		return;
	case A_SWEPT: swept(t); return;
	case A_DOWNNEXT:
		st->again = 0;
		st->after = SUP_DOWN;
		return;
	}
	CHECK(!"action not in the table");
}

bool
supervise_alive(enum sup_state st)
{
	return st == SUP_STARTING || st == SUP_UP || st == SUP_HUNG ||
	       st == SUP_KILLED || st == SUP_STOPPING || st == SUP_STOPKILL ||
	       st == SUP_SWEEPING;
}

void
supervise_ask(struct supervise *s, const struct supervise_cfg *c,
    enum stage_id id, enum sup_event what, uint64_t now_ns, struct sup_out *out)
{
	struct turn t = {0};

	CHECK((unsigned)id < ST_N);
	CHECK(what >= SUP_EV_START && what <= SUP_EV_ADOPT);
	if (s->stop_all && what != SUP_EV_STOP)
		return;
	t.st = &s->stage[id];
	t.c = c;
	t.id = id;
	t.now_ns = now_ns;
	t.out = out;
	act(&t, what);
}

void
supervise_found_dead(struct supervise *s, enum stage_id id)
{
	CHECK((unsigned)id < ST_N);
	CHECK(s->stage[id].state == SUP_DOWN);
	s->stage[id].state = SUP_BACKOFF;
	s->stage[id].deadline_ns = 0;
	s->stage[id].owes = 1;
}

void
supervise_stop_all(struct supervise *s)
{
	s->stop_all = 1;
	for (int i = 0; i < ST_N; i++)
		s->stage[i].again = 0;
}

void
supervise_exit(struct supervise *s, const struct supervise_cfg *c,
    enum stage_id id, const struct sup_exit *x, uint64_t now_ns,
    struct sup_out *out)
{
	struct turn t = {&s->stage[id], c, id, now_ns, x, out};

	CHECK((unsigned)id < ST_N);
	CHECK(c->crash_loop_n >= 2 && c->crash_loop_n <= SUP_DEATHS_MAX);
	/* While everything stops, a death is as good as a stop. */
	if (s->stop_all && t.st->state != SUP_SWEEPING &&
	    supervise_alive(t.st->state)) {
		gone(&t);
		return;
	}
	act(&t, SUP_EV_EXIT);
}

/* The last program of the topology that still has a process is next. */
static void
stop_next(struct supervise *s, const struct turn *base)
{
	const char *program = NULL;

	for (int i = ST_N - 1; i >= 0; i--) {
		struct turn t = *base;
		enum sup_state st = s->stage[i].state;

		if (st == SUP_DOWN)
			continue;
		t.id = (enum stage_id)i;
		t.st = &s->stage[i];
		if (!supervise_alive(st)) {
			act(&t, SUP_EV_STOP);
			continue;
		}
		if (program == NULL)
			program = topo_stages[i].program;
		if (strcmp(program, topo_stages[i].program) == 0 &&
		    st != SUP_STOPPING && st != SUP_STOPKILL)
			act(&t, SUP_EV_STOP);
	}
}

/* A grace for everybody, said with how long nobody had a turn. */
static void
stalled(struct supervise *s, const struct turn *t, uint64_t away_ns)
{
	struct sup_out *out = t->out;

	s->grace_ns = t->now_ns + t->c->stale_ns;
	CHECK(out->n < SUP_OUT_MAX);
	out->item[out->n].effect = SUP_DO_STALLED;
	out->item[out->n].stage = 0;
	out->item[out->n].ring = 0;
	out->item[out->n].seq = away_ns;
	out->n++;
}

void
supervise_late(struct supervise *s, const struct supervise_cfg *c,
    uint64_t late_ns, uint64_t now_ns, struct sup_out *out)
{
	struct turn t = {NULL, c, 0, now_ns, NULL, out};

	if (late_ns > c->stale_ns / 2)
		stalled(s, &t, late_ns);
}

/* Age of the last beat of this life; 0 when there was none. */
static uint64_t
beat_age(const struct sup_stage *st, const struct sup_look *l, uint64_t now_ns)
{
	uint64_t beat = l->heartbeat_ns;

	return beat == 0 || beat < st->born_ns || now_ns <= beat
		   ? 0
		   : now_ns - beat;
}

/* Everybody stale at once is the machine, the first time. */
static void
look_at_all(
    struct supervise *s, const struct turn *t, const struct sup_look *looks)
{
	uint64_t youngest = UINT64_MAX;
	uint32_t beating = 0;

	for (int i = 0; i < ST_N; i++) {
		const struct sup_stage *st = &s->stage[i];
		uint64_t age = beat_age(st, &looks[i], t->now_ns);

		if (looks[i].heartbeat_ns == 0 ||
		    (st->state != SUP_STARTING && st->state != SUP_UP))
			continue;
		beating++;
		if (age < youngest)
			youngest = age;
	}
	if (beating == 0 || youngest <= t->c->stale_ns) {
		s->all_stale = 0;
		return;
	}
	if (beating == 1 || s->all_stale)
		return;
	s->all_stale = 1;
	if (t->now_ns >= s->grace_ns)
		stalled(s, t, youngest);
}

static void
look_at(const struct turn *t, const struct sup_look *l, uint64_t grace_ns)
{
	struct sup_stage *st = t->st;
	bool graced = t->now_ns < grace_ns;

	if (l->ready)
		act(t, SUP_EV_READY);
	if (!graced && beat_age(st, l, t->now_ns) > t->c->stale_ns)
		act(t, SUP_EV_STALE);
	if (st->deadline_ns == 0 || t->now_ns < st->deadline_ns)
		return;
	if (st->state != SUP_STARTING)
		act(t, SUP_EV_TIMEOUT);
	else if (l->heartbeat_ns != 0 && l->heartbeat_ns >= st->born_ns)
		st->deadline_ns = t->now_ns + t->c->ready_timeout_ns;
	else if (graced)
		st->deadline_ns = grace_ns;
	else
		act(t, SUP_EV_TIMEOUT);
}

void
supervise_look(struct supervise *s, const struct supervise_cfg *c,
    const struct sup_look *looks, uint64_t now_ns, struct sup_out *out)
{
	struct turn t = {NULL, c, 0, now_ns, NULL, out};

	if (s->stop_all)
		stop_next(s, &t);
	look_at_all(s, &t, looks);
	for (int i = 0; i < ST_N; i++) {
		t.id = (enum stage_id)i;
		t.st = &s->stage[i];
		look_at(&t, &looks[i], s->grace_ns);
	}
}

uint64_t
supervise_wake_ns(const struct supervise *s)
{
	uint64_t next = 0;

	for (int i = 0; i < ST_N; i++) {
		uint64_t d = s->stage[i].deadline_ns;

		if (d != 0 && (next == 0 || d < next))
			next = d;
	}
	return next;
}

bool
supervise_all_down(const struct supervise *s)
{
	for (int i = 0; i < ST_N; i++)
		if (s->stage[i].state != SUP_DOWN)
			return false;
	return true;
}

uint64_t
supervise_hash(const struct supervise *s)
{
	return hash_bytes(HASH_SEED, s, sizeof(*s));
}
