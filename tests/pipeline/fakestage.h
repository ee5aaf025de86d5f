/*
 * fakestage.h - a stage that does as the file $RM_FAKE/<stage> says.
 *
 * "hang" beats no more, "die" aborts, "poison" aborts with a slot at hand,
 * "never" is never ready, "stubborn" ignores SIGTERM, "permanent" exits 100 at
 * once, "restless" stops with 111 as one that is not flat. A sweep does what
 * <stage>.sweep says: "rests" exits 111, "hang" stays. Each life appends a
 * line to <stage>.env, a sweep to <stage>.swept: the keys it was given.
 */
#ifndef TESTS_PIPELINE_FAKESTAGE_H
#define TESTS_PIPELINE_FAKESTAGE_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "libshm/cfgpage.h"
#include "libshm/ctl.h"
#include "libsys/clock.h"
#include "libsys/proc.h"

static struct instance inst;
static struct ctl *ctl;

static volatile sig_atomic_t asked_to_stop;

static void
on_term(int sig)
{
	(void)sig;
	asked_to_stop = 1;
}

static bool
told(const char *stage, const char *what)
{
	char path[256];
	char text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/%s", getenv("RM_FAKE"), stage);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	close(fd);
	return strcmp(text, what) == 0;
}

/* One line with both keys as this process sees them. */
static void
fake_keys(const char *stage, const char *kind)
{
	const char *pm = getenv("POLYMARKET_PRIVATE_KEY");
	const char *hl = getenv("HYPERLIQUID_PRIVATE_KEY");
	char path[256];
	FILE *f;

	snprintf(
	    path, sizeof(path), "%s/%s.%s", getenv("RM_FAKE"), stage, kind);
	f = fopen(path, "a");
	if (f == NULL)
		_exit(111);
	fprintf(f, "pm=%s hl=%s\n", pm ? pm : "-", hl ? hl : "-");
	fclose(f);
}

static void
nap(void)
{
	const struct timespec ts = {0, 2000000};

	nanosleep(&ts, NULL);
}

static void
fake_introduce(struct ctl_stage *me)
{
	struct proc_stat st;

	if (!proc_read(getpid(), &st))
		_exit(111);
	atomic_store(&me->own.pid, (uint64_t)getpid());
	atomic_store(&me->own.start_ticks, st.start_ticks);
	atomic_store(&me->own.start_ns, clock_mono_ns());
	atomic_store(&me->own.heartbeat_ns, clock_mono_ns());
	atomic_fetch_add(&me->own.epoch, 1);
	atomic_store(&me->own.in_ring, 0);
	atomic_store(&me->own.in_seq, 0);
}

/* As riskd: trading is allowed. */
static void
fake_allow(void)
{
	if (atomic_load(&ctl->freeze[FW_RISKD].mask) != 0)
		ctl_freeze_set(
		    ctl, FW_RISKD, FREEZE_STARTUP, false, clock_mono_ns());
	ctl_lease_extend(ctl, clock_mono_ns() + UINT64_C(1000000000));
}

static int
fake_stage(const char *instance, const char *name)
{
	int id = topo_stage_find(name);
	struct cfgpage page;
	struct ctl_stage *me;
	struct err e;

	if (id < 0 || told(name, "permanent"))
		return 100;
	if (instance_open(&inst, instance, &e) < 0 ||
	    ctl_attach(&ctl, inst.dirfd, true, &e) < 0 ||
	    cfgpage_attach(&page, inst.dirfd, false, &e) < 0)
		return 111;
	me = &ctl->stage[id];
	fake_keys(name, "env");
	fake_introduce(me);
	signal(SIGTERM, on_term);
	fprintf(stderr,
	    "{\"t\":\"2026-01-01T00:00:00.000000Z\",\"m\":1,"
	    "\"lvl\":\"info\",\"stage\":\"%s\","
	    "\"ev\":\"stage_start\"}\n",
	    name);
	while (!asked_to_stop || told(name, "stubborn")) {
		nap();
		if (told(name, "hang"))
			continue;
		if (told(name, "die"))
			abort();
		atomic_store(&me->own.heartbeat_ns, clock_mono_ns());
		atomic_store(&me->own.cfg_epoch, cfgpage_epoch(&page));
		if (id == ST_RISKD)
			fake_allow();
		if (told(name, "poison") &&
		    (atomic_load(&me->sup.quarantine_ring) != 3 ||
			atomic_load(&me->sup.quarantine_seq) != 42)) {
			atomic_store(&me->own.in_seq, 42);
			atomic_store(&me->own.in_ring, 3);
			abort();
		}
		if (told(name, "never") ||
		    atomic_load(&me->own.state) == STAGE_READY)
			continue;
		atomic_store(&me->own.ready_ns, clock_mono_ns());
		atomic_store(&me->own.state, STAGE_READY);
	}
	return told(name, "restless") ? 111 : 0;
}

static int
fake_sweep(const char *name)
{
	char sweep[64];

	snprintf(sweep, sizeof(sweep), "%s.sweep", name);
	fake_keys(name, "swept");
	fprintf(stderr,
	    "{\"t\":\"2026-01-01T00:00:00.000000Z\",\"m\":1,"
	    "\"lvl\":\"info\",\"stage\":\"%s\",\"ev\":\"flat\"}\n",
	    name);
	while (told(sweep, "hang"))
		nap();
	return told(sweep, "rests") ? 111 : 0;
}

/* execd --doctor VENUE [--json]: says what it was given. */
static int
fake_doctor(const char *venue, bool json)
{
	static struct cfg c;
	char name[64];
	size_t bad;
	bool ok =
	    read(0, &c, sizeof(c)) == (ssize_t)sizeof(c) && cfg_valid(&c, &bad);

	snprintf(name, sizeof(name), "execd.%s", venue);
	fake_keys(name, "doctor");
	printf("%s %s %s\n", venue, json ? "json" : "text",
	    ok ? mode_name((enum mode)c.system_mode) : "?");
	return told(name, "sick") ? 78 : 0;
}

#endif
