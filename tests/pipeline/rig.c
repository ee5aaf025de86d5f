#define _GNU_SOURCE
#include "tests/pipeline/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "libsys/proc.h"
#include "tests/pipeline/proc.h"

#define WORDS_MAX (2 * RIG_SETS + 32)

static const char *const dirs[] = {"shm", "state", "cap"};

const char *
rig_path(const struct rig *r, const char *file)
{
	static char path[32][300];
	static unsigned at;
	char *p = path[at++ % 32];

	snprintf(p, sizeof(path[0]), "%s/%s", r->root, file);
	return p;
}

/* ---- what outlives the test ---- */

/* What holds a key shows its program to nobody, but still its name. */
static bool
is_closed_execd(uint64_t pid)
{
	struct proc_stat st;
	char path[64];
	char name[16] = "";
	FILE *f;

	if (!proc_read((pid_t)pid, &st) || st.zombie)
		return false;
	snprintf(
	    path, sizeof(path), "/proc/%llu/comm", (unsigned long long)pid);
	f = fopen(path, "r");
	if (f == NULL)
		return false;
	if (fgets(name, sizeof(name), f) == NULL)
		name[0] = '\0';
	fclose(f);
	return strcmp(name, "execd\n") == 0;
}

bool
rig_alive(uint64_t pid)
{
	char path[64];
	char exe[PATH_MAX];
	char bin[PATH_MAX];
	ssize_t n;

	if (pid == 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%llu/exe", (unsigned long long)pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	if (n < 0)
		return errno == EACCES && is_closed_execd(pid);
	exe[n] = '\0';
	snprintf(bin, sizeof(bin), "%s", proc_bin(""));
	return strncmp(exe, bin, strlen(bin)) == 0;
}

static void
kill_one(uint64_t pid)
{
	if (rig_alive(pid))
		kill((pid_t)pid, SIGKILL);
	for (int i = 0; i < 2000 && rig_alive(pid); i++)
		usleep(1000);
}

static void
clean_up(const char *root)
{
	struct instance in;
	struct ctl *ctl;
	struct err e;

	if (instance_open(&in, RIG_INSTANCE, &e) == 0) {
		if (ctl_attach(&ctl, in.dirfd, false, &e) == 0) {
			const struct rig r = {.ctl = ctl};

			rig_kill_all(&r);
			ctl_detach(ctl);
		}
		instance_close(&in);
	}
	proc_rmtree(root);
}

/* Waits for the other end of the pipe to close, whoever closed it. */
static void
guard(struct rig *r)
{
	int p[2];
	char c;

	if (pipe2(p, O_CLOEXEC) < 0)
		abort();
	r->guardian = fork();
	if (r->guardian < 0)
		abort();
	if (r->guardian > 0) {
		close(p[0]);
		r->guard_fd = p[1];
		return;
	}
	close(p[1]);
	setsid();
	while (read(p[0], &c, 1) < 0 && errno == EINTR)
		continue;
	clean_up(r->root);
	_exit(0);
}

/* ---- set-up ---- */

void
rig_set(struct rig *r, const char *fmt, ...)
{
	va_list ap;

	if (r->set_n == RIG_SETS)
		abort();
	va_start(ap, fmt);
	vsnprintf(r->set[r->set_n++], sizeof(r->set[0]), fmt, ap);
	va_end(ap);
}

void
rig_config(struct rig *r, const char *file, const char *text)
{
	FILE *f;

	snprintf(
	    r->more_config, sizeof(r->more_config), "%s/%s", r->root, file);
	f = fopen(r->more_config, "w");
	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
}

/* Midnight ends the trading day: keep it far away. */
static int
hours_to_noon(void)
{
	return 12 - (int)(time(NULL) / 3600 % 24);
}

void
rig_init(struct rig *r, const char *name)
{
	memset(r, 0, sizeof(*r));
	snprintf(r->root, sizeof(r->root), "%s", proc_tmp(name));
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		mkdir(rig_path(r, dirs[i]), 0700);
	r->preset = "etc/replay.yaml";
	setenv("RINGMAKER_SHM", rig_path(r, "shm"), 1);
	/* The first public development key, whoever runs the test. */
	unsetenv("POLYMARKET_PRIVATE_KEY");
	unsetenv("HYPERLIQUID_PRIVATE_KEY");
	unsetenv("RINGMAKER_BIN");
	guard(r);
	rig_set(r, "system.state_dir=%s", rig_path(r, "state"));
	rig_set(r, "recorder.dir=%s", rig_path(r, "cap"));
	rig_set(r, "risk.timezone=UTC%+d", hours_to_noon());
#ifdef RM_DCHECK
	/* What the sanitizers do is not what the sandbox expects. */
	rig_set(r, "sandbox.mode=off");
#endif
}

void
rig_quick(struct rig *r)
{
	rig_set(r, "warmup.max_s=0s");
	rig_set(r, "vol.sample=100ms");
	rig_set(r, "vol.min_samples=3");
	rig_set(r, "latency.ping_interval=100ms");
	rig_set(r, "latency.resume_n=1");
	rig_set(r, "latency.ema_weight=0.5");
	rig_set(r, "feed.reconnect_min=20ms");
	rig_set(r, "feed.reconnect_max=200ms");
}

void
rig_free(struct rig *r)
{
	int status;

	rig_detach(r);
	if (r->venue > 0) {
		kill(r->venue, SIGKILL);
		waitpid(r->venue, &status, 0);
	}
	if (r->guardian > 0) {
		close(r->guard_fd);
		waitpid(r->guardian, &status, 0);
	}
	memset(r, 0, sizeof(*r));
}

/* ---- commands ---- */

const char *
rig_read(struct rig *r, const char *file)
{
	int fd = open(rig_path(r, file), O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got;

	while (fd >= 0 && n + 1 < sizeof(r->out) &&
	       (got = read(fd, r->out + n, sizeof(r->out) - 1 - n)) > 0)
		n += (size_t)got;
	r->out[n] = '\0';
	if (fd >= 0)
		close(fd);
	return r->out;
}

int64_t
rig_json(const char *text, const char *after, const char *key)
{
	char name[64];
	const char *p = strstr(text, after);

	snprintf(name, sizeof(name), "\"%s\":", key);
	if (p != NULL)
		p = strstr(p, name);
	return p == NULL ? INT64_MIN : strtoll(p + strlen(name), NULL, 10);
}

static void
venue_addresses(struct rig *r)
{
	unsigned pm =
	    (unsigned)rig_json(r->out, "\"venue\":\"polymarket\"", "port");
	unsigned bn =
	    (unsigned)rig_json(r->out, "\"venue\":\"binance\"", "port");
	unsigned hl =
	    (unsigned)rig_json(r->out, "\"venue\":\"hyperliquid\"", "port");

	rig_set(r, "polymarket.ws_url=ws://127.0.0.1:%u/ws/market", pm);
	rig_set(r, "polymarket.rtds_url=ws://127.0.0.1:%u/rtds", pm);
	rig_set(r, "polymarket.polybolt_url=ws://127.0.0.1:%u/ws", pm);
	rig_set(r, "polymarket.rest_url=http://127.0.0.1:%u", pm);
	rig_set(r, "polymarket.gamma_url=http://127.0.0.1:%u", pm);
	rig_set(r, "polymarket.user_url=ws://127.0.0.1:%u/ws/user", pm);
	rig_set(r, "binance.ws_url=ws://127.0.0.1:%u", bn);
	rig_set(r, "binance.rest_url=http://127.0.0.1:%u", bn);
	rig_set(r, "hyperliquid.ws_url=ws://127.0.0.1:%u/ws", hl);
	rig_set(r, "hyperliquid.rest_url=http://127.0.0.1:%u", hl);
}

bool
rig_venue(struct rig *r, const char *const *options)
{
	const char *argv[WORDS_MAX] = {
	    "simvenue", "--json", "--port-base", "0"};
	unsigned n = 4;

	for (; *options != NULL && n + 1 < WORDS_MAX; options++)
		argv[n++] = *options;
	unlink(rig_path(r, "venue.log"));
	r->venue = proc_start(argv, rig_path(r, "venue.log"));
	for (int i = 0; i < RIG_WAIT_MS; i++) {
		if (strstr(rig_read(r, "venue.log"), "]}\n") != NULL) {
			venue_addresses(r);
			return true;
		}
		if (proc_wait(r->venue, 0) != -1)
			break;
		usleep(1000);
	}
	r->venue = 0;
	rig_read(r, "venue.log");
	return false;
}

int
rig_venue_end(struct rig *r, int ms)
{
	int status = proc_wait(r->venue, ms);

	if (status == -1) {
		rig_read(r, "venue.log");
		return -1;
	}
	r->venue = 0;
	rig_read(r, "venue.log");
	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : 1000 + WTERMSIG(status);
}

int
rig_sup(struct rig *r, ...)
{
	const char *argv[WORDS_MAX] = {"supervisor", "--instance", RIG_INSTANCE,
	    "--config", "etc/ringmaker.yaml", "--config", r->preset};
	unsigned n = 7;
	const char *word;
	bool sets = true;
	va_list ap;
	int code;

	if (r->more_config[0] != '\0') {
		argv[n++] = "--config";
		argv[n++] = r->more_config;
	}
	va_start(ap, r);
	while ((word = va_arg(ap, const char *)) != NULL && n + 1 < WORDS_MAX) {
		argv[n++] = word;
		/* What runs keeps the settings that it was started with. */
		sets = sets && strcmp(word, "reload") != 0 &&
		       strcmp(word, "restart") != 0;
	}
	va_end(ap);
	for (unsigned i = 0; sets && i < r->set_n && n + 2 < WORDS_MAX; i++) {
		argv[n++] = "--set";
		argv[n++] = r->set[i];
	}
	unlink(rig_path(r, "sup.log"));
	code = proc_start(argv, rig_path(r, "sup.log"));
	code = proc_exit_code(code);
	rig_read(r, "sup.log");
	return code;
}

/* ---- looking ---- */

bool
rig_attach(struct rig *r)
{
	struct err e;

	if (instance_open(&r->in, RIG_INSTANCE, &e) < 0)
		return false;
	r->attached = true;
	if (ctl_attach(&r->ctl, r->in.dirfd, false, &e) < 0 ||
	    instr_attach(&r->table, r->in.dirfd, false, &e) < 0)
		return false;
	for (int i = 0; i < ST_N; i++)
		if (metrics_attach(&r->metrics[i], r->in.dirfd,
			(enum stage_id)i, false, &e) < 0)
			return false;
	return true;
}

void
rig_detach(struct rig *r)
{
	if (!r->attached)
		return;
	for (int i = 0; i < ST_N; i++) {
		if (r->metrics[i] != NULL)
			metrics_detach(r->metrics[i]);
		r->metrics[i] = NULL;
	}
	if (r->table != NULL)
		instr_detach(r->table);
	if (r->ctl != NULL)
		ctl_detach(r->ctl);
	r->table = NULL;
	r->ctl = NULL;
	instance_close(&r->in);
	r->attached = false;
}

int64_t
rig_metric(const struct rig *r, enum stage_id st, enum metric_id id)
{
	return metrics_value(r->metrics[st], id);
}

uint64_t
rig_pid(const struct rig *r, enum stage_id st)
{
	return atomic_load(&r->ctl->stage[st].own.pid);
}

bool
rig_ready(const struct rig *r, enum stage_id st)
{
	return atomic_load(&r->ctl->stage[st].own.state) == STAGE_READY;
}

int64_t
rig_orders(const struct rig *r)
{
	return rig_metric(r, ST_EXECD_PM, M_EXECD_ORDERS) +
	       rig_metric(r, ST_EXECD_HL, M_EXECD_ORDERS);
}

int64_t
rig_resting(const struct rig *r)
{
	return rig_metric(r, ST_EXECD_PM, M_EXECD_RESTING) +
	       rig_metric(r, ST_EXECD_HL, M_EXECD_RESTING);
}

uint64_t
rig_gate(const struct rig *r)
{
	uint64_t now = proc_now_ns();

	return ctl_gate(r->ctl, VENUE_POLYMARKET, now) |
	       ctl_gate(r->ctl, VENUE_HYPERLIQUID, now);
}

bool
rig_shut(const struct rig *r, uint64_t bits)
{
	uint64_t now = proc_now_ns();

	return (ctl_gate(r->ctl, VENUE_POLYMARKET, now) & bits) != 0 &&
	       (ctl_gate(r->ctl, VENUE_HYPERLIQUID, now) & bits) != 0;
}

void
rig_kill_all(const struct rig *r)
{
	kill_one(atomic_load(&r->ctl->sup.pid));
	for (int i = 0; i < ST_N; i++)
		kill_one(rig_pid(r, (enum stage_id)i));
}

/* ---- after a failure ---- */

void
rig_logs(const struct rig *r)
{
	char cmd[500];

	fprintf(stderr, "%s\n", r->out);
	for (int i = 0; i < ST_N && r->attached; i++) {
		const struct ctl_stage *s = &r->ctl->stage[i];

		fprintf(stderr,
		    "%-18s pid %llu%s %s, ready at %llu, beat at %llu, "
		    "%llu restarts\n",
		    topo_stages[i].name,
		    (unsigned long long)atomic_load(&s->own.pid),
		    rig_alive(atomic_load(&s->own.pid)) ? "" : " (gone)",
		    stage_state_name(
			(enum stage_state)atomic_load(&s->own.state)),
		    (unsigned long long)atomic_load(&s->own.ready_ns),
		    (unsigned long long)atomic_load(&s->own.heartbeat_ns),
		    (unsigned long long)atomic_load(&s->sup.restarts));
	}
	snprintf(cmd, sizeof(cmd),
	    "for f in %s/venue.log %s/state/" RIG_INSTANCE "/logs/*; do "
	    "echo \"-- $f\"; tail -n 40 \"$f\" | cut -c1-300; done >&2",
	    r->root, r->root);
	if (r->root[0] != '\0' && system(cmd) != 0)
		fprintf(stderr, "no logs\n");
}
