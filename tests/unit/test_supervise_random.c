/* links: supervisor libsys libshm libcore */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "supervisor/supervise.h"

/*
 * Random people, random deaths, random hangs, against a world that knows only
 * which processes there are. SEED= repeats a run.
 *
 * Always: a stage is started only when it has no process, signalled only
 * when it has one; the state says whether there is one; parking and poison
 * come with a freeze; only gateways are swept, in the place of a dead one;
 * after stop_all nothing starts and everything ends.
 */

#define MS(x) ((uint64_t)(x)*UINT64_C(1000000))
#define RUNS  60
#define STEPS 4000

static const struct supervise_cfg cfg = {
    .stale_ns = MS(2000),
    .abort_grace_ns = MS(1000),
    .crash_loop_window_ns = MS(60000),
    .park_retry_ns = MS(300000),
    .backoff_min_ns = MS(100),
    .backoff_max_ns = MS(10000),
    .ready_timeout_ns = MS(10000),
    .stop_timeout_ns = MS(5000),
    .crash_loop_n = 5,
    .sweep_ns = MS(20000),
    .sweep_mask = 1u << ST_EXECD_PM | 1u << ST_EXECD_HL,
};

struct process {
	bool alive;
	bool ready;
	bool hangs; /* beats no more */
	bool deaf;  /* ignores SIGTERM and SIGABRT */
	int doomed; /* signal on its way, 0 none */
	uint64_t beat_ns;
};

struct world {
	struct supervise s;
	struct process p[ST_N];
	uint64_t now_ns;
	uint64_t x;
	bool stopping;
	uint32_t started;
	uint32_t swept;
};

static uint64_t
roll(struct world *w, uint64_t n)
{
	w->x ^= w->x << 13;
	w->x ^= w->x >> 7;
	w->x ^= w->x << 17;
	return w->x % n;
}

static void
deliver(struct world *w, int id, int sig)
{
	assert_true(w->p[id].alive);
	if (sig == 9 || !w->p[id].deaf)
		w->p[id].doomed = sig;
}

static void
carry_out(struct world *w, const struct sup_out *out)
{
	bool froze = false;
	bool parked = false;

	for (uint32_t i = 0; i < out->n; i++) {
		int id = out->item[i].stage;

		switch ((enum sup_effect)out->item[i].effect) {
		case SUP_DO_START:
			assert_false(w->p[id].alive);
			assert_false(w->stopping);
			w->p[id] = (struct process){.alive = true,
			    .beat_ns = w->now_ns,
			    .deaf = roll(w, 8) == 0};
			w->started++;
			break;
		case SUP_DO_SWEEP:
			/* In the place of the stage, also during a stop. */
			assert_false(w->p[id].alive);
			assert_true((cfg.sweep_mask >> id & 1) != 0);
			w->p[id] = (struct process){
			    .alive = true, .beat_ns = w->now_ns};
			w->swept++;
			break;
		case SUP_DO_TERM: deliver(w, id, 15); break;
		case SUP_DO_ABRT: deliver(w, id, 6); break;
		case SUP_DO_KILL: deliver(w, id, 9); break;
		case SUP_DO_QUARANTINE:
			assert_true(out->item[i].ring != 0);
			break;
		case SUP_DO_PARK: parked = true; break;
		case SUP_DO_FREEZE: froze = true; break;
		case SUP_DO_STALLED: break;
		case SUP_EFFECT_N: fail();
		}
	}
	assert_true(parked || !froze);
}

static void
end(struct world *w, int id, uint32_t status)
{
	struct sup_exit x = {.status = status};
	struct sup_out out = {0};

	if (roll(w, 3) == 0) {
		x.in_ring = 1 + roll(w, 2);
		x.in_seq = 1 + roll(w, 3);
	}
	w->p[id].alive = false;
	supervise_exit(&w->s, &cfg, (enum stage_id)id, &x, w->now_ns, &out);
	carry_out(w, &out);
}

static void
people(struct world *w)
{
	static const enum sup_event ask[] = {
	    SUP_EV_START, SUP_EV_STOP, SUP_EV_RESTART};
	struct sup_out out = {0};

	supervise_ask(&w->s, &cfg, (enum stage_id)roll(w, ST_N),
	    ask[roll(w, 3)], w->now_ns, &out);
	carry_out(w, &out);
}

static void
nature(struct world *w)
{
	static const uint32_t how[] = {
	    6, 9, 11, 0, 100 << 8, 111 << 8, SUP_STATUS_UNKNOWN};

	for (int i = 0; i < ST_N; i++) {
		struct process *p = &w->p[i];

		if (!p->alive)
			continue;
		if (p->doomed != 0 && roll(w, 2) == 0) {
			end(w, i, p->doomed == 15 ? 0 : (uint32_t)p->doomed);
			continue;
		}
		if (roll(w, 40) == 0)
			p->ready = true;
		if (roll(w, 400) == 0)
			p->hangs = true;
		if (roll(w, 150) == 0)
			end(w, i, how[roll(w, sizeof(how) / sizeof(how[0]))]);
		else if (!p->hangs)
			p->beat_ns = w->now_ns;
	}
}

static void
look(struct world *w)
{
	struct sup_look looks[ST_N];
	struct sup_out out = {0};

	memset(looks, 0, sizeof(looks));
	for (int i = 0; i < ST_N; i++) {
		if (!w->p[i].alive)
			continue;
		looks[i].heartbeat_ns = w->p[i].beat_ns;
		looks[i].ready = w->p[i].ready;
	}
	supervise_look(&w->s, &cfg, looks, w->now_ns, &out);
	carry_out(w, &out);
	for (int i = 0; i < ST_N; i++)
		assert_true(
		    supervise_alive(w->s.stage[i].state) == w->p[i].alive);
}

static void
one_run(uint64_t seed)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	w.x = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	w.now_ns = MS(1000000);
	supervise_init(&w.s);
	for (int i = 0; i < STEPS; i++) {
		w.now_ns += MS(1 + roll(&w, 100));
		if (roll(&w, 30) == 0)
			people(&w);
		nature(&w);
		look(&w);
	}
	assert_true(w.started > ST_N);
	supervise_stop_all(&w.s);
	w.stopping = true;
	for (int i = 0; i < 4000 && !supervise_all_down(&w.s); i++) {
		w.now_ns += MS(50);
		for (int k = 0; k < ST_N; k++)
			if (w.p[k].alive && w.p[k].doomed != 0)
				end(&w, k, (uint32_t)w.p[k].doomed);
		look(&w);
	}
	assert_true(supervise_all_down(&w.s));
	for (int i = 0; i < ST_N; i++)
		assert_false(w.p[i].alive);
}

static void
random_lives(void **unused)
{
	const char *env = getenv("SEED");
	uint64_t seed = env ? strtoull(env, NULL, 10) : 20260710;

	(void)unused;
	printf("# seed %llu, %d runs of %d steps\n", (unsigned long long)seed,
	    RUNS, STEPS);
	for (int i = 0; i < RUNS; i++)
		one_run(seed + (uint64_t)i);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
