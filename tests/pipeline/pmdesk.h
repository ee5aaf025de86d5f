/*
 * pmdesk.h - a process that is a gateway of Polymarket and nothing more.
 *
 * What   : forked from the test, with the real gateway_pm on a loop of its
 *          own. The test gives commands through shared memory, the desk
 *          keeps every event there, so that a kill -9 takes none away.
 * Order  : commands are carried out in order, one turn of the loop each;
 *          one that a kill interrupted is not repeated, as in a shell that
 *          commits before it acts.
 */
#ifndef TESTS_PMDESK_H
#define TESTS_PMDESK_H

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <fcntl.h>

#include "execd/gateway.h"
#include "libcore/check.h"
#include "libsys/clock.h"
#include "libsys/log.h"
#include "tests/pipeline/proc.h"

#define PMDESK_ACTS   4096u
#define PMDESK_EVENTS 65536u
#define PMDESK_INSTR  INSTR_PM_BASE

enum pmdesk_what {
	PMDESK_ACT = 1,
	PMDESK_CANCEL_ALL,
	PMDESK_VERIFY,
	PMDESK_STOP
};

struct pmdesk_say {
	enum pmdesk_what what;
	struct port_act act;
};

struct pmdesk {
	_Atomic uint32_t said;
	_Atomic uint32_t done;
	struct pmdesk_say say[PMDESK_ACTS];
	_Atomic uint32_t event_n;
	struct port_event event[PMDESK_EVENTS];
	_Atomic int mode;
	_Atomic uint32_t modes[PORT_MODE_N]; /* times it became that */
	char why[256];
	_Atomic uint32_t may_place;
	_Atomic uint32_t asked; /* the gate */
	_Atomic uint32_t is_flat;
	_Atomic uint32_t settles;
	_Atomic uint32_t inside; /* settle called from a call: never */
	_Atomic int64_t ours_e8;
	_Atomic int64_t venue_e8;
	_Atomic uint32_t is_known;
	_Atomic int64_t final_long_e8;
	_Atomic int64_t usd_e6;
	_Atomic uint32_t usd_n; /* times the account was told */
	/* how it is made */
	char name[32]; /* of the instance */
	char key[80];  /* private key, "" : the development key */
	struct cfg cfg;
	struct instr instr;
	uint32_t life;
	pid_t pid;
};

struct pmdesk_self {
	struct pmdesk *d;
	struct stage s;
	void *g;
	uv_timer_t timer;
	uint64_t wake_ns;
	uint64_t count_ns;
	bool in_call;
	bool is_stopping;
};

static inline struct pmdesk *
pmdesk_new(const char *name)
{
	struct pmdesk *d = mmap(NULL, sizeof(*d), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (d == MAP_FAILED)
		abort();
	(void)snprintf(d->name, sizeof(d->name), "%s", name);
	cfg_defaults(&d->cfg);
	d->cfg.system_mode = MODE_SIM;
	d->may_place = 1;
	return d;
}

/* ---- the process ---- */

static inline bool
pmdesk_may(void *user)
{
	struct pmdesk_self *m = user;

	m->d->asked++;
	return m->d->may_place != 0;
}

static inline void
pmdesk_event(void *user, const struct port_event *ev)
{
	struct pmdesk_self *m = user;
	uint32_t n = m->d->event_n;

	CHECK(n < PMDESK_EVENTS);
	m->d->event[n] = *ev;
	m->d->event_n = n + 1;
}

static inline void
pmdesk_mode(void *user, enum port_mode mode, const char *why)
{
	struct pmdesk_self *m = user;

	if (m->d->mode != (int)mode)
		m->d->modes[mode]++;
	m->d->mode = (int)mode;
	if (why[0] != '\0')
		(void)snprintf(m->d->why, sizeof(m->d->why), "%s", why);
}

static inline void
pmdesk_holding(void *user, const struct gateway_holding *h)
{
	struct pmdesk_self *m = user;

	if (h->instr == 0) {
		m->d->usd_e6 = h->usd.e6;
		m->d->usd_n++;
		return;
	}
	m->d->ours_e8 = h->ours.e8;
	m->d->venue_e8 = h->venue.e8;
	m->d->is_known = h->is_known;
	m->d->final_long_e8 = h->final_long.e8;
}

static inline void
pmdesk_settle(void *user)
{
	struct pmdesk_self *m = user;

	m->d->settles++;
	m->d->inside += m->in_call;
}

static inline void
pmdesk_do(struct pmdesk_self *m, const struct pmdesk_say *say)
{
	switch (say->what) {
	case PMDESK_ACT: gateway_pm.act(m->g, &say->act); return;
	case PMDESK_CANCEL_ALL: gateway_pm.cancel_all(m->g); return;
	case PMDESK_VERIFY: gateway_pm.verify(m->g); return;
	case PMDESK_STOP: m->is_stopping = true; return;
	}
}

static inline void
pmdesk_turn(uv_timer_t *t)
{
	struct pmdesk_self *m = t->data;
	struct pmdesk *d = m->d;
	uint64_t now_ns = clock_mono_ns();

	m->in_call = true;
	gateway_pm.lease(m->g, now_ns + UINT64_C(1000000000));
	if (now_ns >= m->wake_ns) {
		gateway_pm.timer(m->g);
		m->wake_ns = gateway_pm.wake(m->g, now_ns);
	}
	while (d->done != d->said) {
		const struct pmdesk_say *say = &d->say[d->done % PMDESK_ACTS];

		d->done++;
		pmdesk_do(m, say);
	}
	gateway_pm.flush(m->g);
	d->is_flat = gateway_pm.flat(m->g);
	if (now_ns >= m->count_ns) {
		m->count_ns = now_ns + UINT64_C(20000000);
		gateway_pm.count(m->g);
	}
	m->in_call = false;
	if (m->is_stopping)
		uv_stop(&m->s.loop);
}

static inline void
pmdesk_run(struct pmdesk *d, const char *log)
{
	static struct pmdesk_self m;
	struct gateway_sink sink = {&m, pmdesk_may, pmdesk_event, pmdesk_mode,
	    pmdesk_holding, pmdesk_settle};
	struct err e;
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int rc;

	if (fd >= 0)
		dup2(fd, STDERR_FILENO);
	log_open("desk", STDERR_FILENO, CFG_LOG_DEBUG);
	if (d->key[0] != '\0')
		setenv("POLYMARKET_PRIVATE_KEY", d->key, 1);
	m.d = d;
	m.s.id = ST_EXECD_PM;
	m.s.epoch = d->life;
	m.s.cfg = d->cfg;
	m.s.wall_off_ns = (int64_t)clock_wall_ns() - (int64_t)clock_mono_ns();
	if (uv_loop_init(&m.s.loop) != 0 ||
	    instance_open(&m.s.instance, d->name, &e) < 0 ||
	    metrics_attach(
		&m.s.metrics, m.s.instance.dirfd, ST_EXECD_PM, true, &e) < 0)
		_exit(98);
	rc = gateway_pm.open(&m.g, &m.s, &sink, d->life == 1);
	if (rc != 0)
		_exit(rc);
	m.in_call = true;
	gateway_pm.market(m.g, PMDESK_INSTR, &d->instr);
	gateway_pm.start(m.g);
	m.in_call = false;
	uv_timer_init(&m.s.loop, &m.timer);
	m.timer.data = &m;
	uv_timer_start(&m.timer, pmdesk_turn, 0, 1);
	uv_run(&m.s.loop, UV_RUN_DEFAULT);
	gateway_pm.close(m.g);
	uv_close((uv_handle_t *)&m.timer, NULL);
	uv_run(&m.s.loop, UV_RUN_DEFAULT);
	/* Everything was closed: no handle is left behind. */
	_exit(uv_loop_close(&m.s.loop) == 0 ? 0 : 97);
}

/* ---- for the test ---- */

static inline void
pmdesk_start(struct pmdesk *d, const char *log)
{
	pid_t pid;

	d->life++;
	d->mode = 0;
	d->is_flat = 0;
	d->done = d->said;
	/* The memory is the child's too: only one of them writes it. */
	pid = fork();
	if (pid < 0)
		abort();
	if (pid == 0)
		pmdesk_run(d, log);
	d->pid = pid;
}

static inline void
pmdesk_kill(struct pmdesk *d)
{
	int status;

	if (d->pid <= 0)
		return;
	kill(d->pid, SIGKILL);
	waitpid(d->pid, &status, 0);
	d->pid = 0;
}

static inline void
pmdesk_put(struct pmdesk *d, enum pmdesk_what what, const struct port_act *a)
{
	struct pmdesk_say *s = &d->say[d->said % PMDESK_ACTS];

	s->what = what;
	if (a != NULL)
		s->act = *a;
	d->said++;
}

/* The exit code of a stop; every handle must have been closed. */
static inline int
pmdesk_stop(struct pmdesk *d)
{
	int code;

	pmdesk_put(d, PMDESK_STOP, NULL);
	code = proc_exit_code(d->pid);
	d->pid = 0;
	return code;
}

#endif
