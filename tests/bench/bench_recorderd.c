/* links: recorderd libsys libshm libcore */
/*
 * bench_recorderd - does the recorder, as a process, keep up with a million
 * ticks a second on one tap ring? A producer offers 1,000 every millisecond;
 * what finds the ring full counts as lost, and there must be none.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libshm/cfgpage.h"
#include "libshm/ctl.h"
#include "libshm/instr.h"
#include "libshm/metrics.h"
#include "libshm/ring.h"
#include "libshm/slots.h"
#include "tests/bench/bench.h"

#define BATCH	  1000u
#define PERIOD_NS UINT64_C(1000000)

static char dir[] = "/tmp/rm-bench-XXXXXX";

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static pid_t
start(void)
{
	char path[512];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);
	pid_t pid = n > 0 ? fork() : -1;

	if (pid != 0)
		return pid;
	path[n] = '\0';
	for (int i = 0; i < 2; i++)
		*strrchr(path, '/') = '\0';
	strcat(path, "/bin/recorderd");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int log = open("/dev/null", O_WRONLY);

	dup2(log, STDERR_FILENO);
	execl(path, path, "--instance", "b", "--stage", "recorderd",
	    (char *)NULL);
	_exit(127);
}

/* Ticks for so many seconds. Returns how many were refused. */
static uint64_t
offer(struct ring *r, unsigned seconds, uint64_t *sent)
{
	uint64_t lost = 0;
	uint64_t next = bench_now_ns();
	uint64_t end = next + seconds * UINT64_C(1000000000);
	union tap s = {
	    .tick = {.hdr = {.kind = TICK_TRADE, .instr = INSTR_BN_BASE}}};

	for (; next < end; next += PERIOD_NS) {
		uint64_t now = bench_now_ns();

		if (now < next) {
			struct timespec nap = {.tv_nsec = (long)(next - now)};

			nanosleep(&nap, NULL);
		}
		for (unsigned i = 0; i < BATCH; i++) {
			s.hdr.recv_ns = next + i;
			s.tick.u.trade.px = PX((int64_t)(i % 64) + 1);
			s.tick.u.trade.qty = QTY((int64_t)i + 1);
			s.tick.u.trade.side = SIDE_BID;
			if (ring_push(r, &s))
				(*sent)++;
			else
				lost++;
		}
	}
	return lost;
}

int
main(void)
{
	static struct cfg cfg;
	unsigned seconds = bench_quick() ? 1 : 10;
	struct instance in;
	struct cfgpage page;
	struct metrics *m;
	struct ring r;
	struct err e = {0};
	uint64_t sent = 0;
	int status;

	if (mkdtemp(dir) == NULL)
		return 1;
	setenv("RINGMAKER_SHM", dir, 1);
	cfg_defaults(&cfg);
	snprintf(cfg.recorder_dir.s, sizeof(cfg.recorder_dir.s), "%s/out", dir);
	cfg.recorder_min_free_bytes = 0;
	if (instance_create(&in, "b", 1, &e) < 0 ||
	    cfgpage_create(&page, in.dirfd, 1, &cfg, &e) < 0 ||
	    ring_attach(
		&r, in.dirfd, &topo_rings[RG_TAP_BN], RING_PRODUCER, &e) < 0 ||
	    metrics_attach(&m, in.dirfd, ST_RECORDERD, false, &e) < 0) {
		printf("# recorderd: %s\n", e.text);
		return 1;
	}
	r.bell.fifo_fd = -1;
	pid_t pid = start();
	uint64_t from = bench_now_ns();
	uint64_t lost = offer(&r, seconds, &sent);
	double s = (double)(bench_now_ns() - from) / 1e9;

	while (ring_used(&r) > 0 && waitpid(pid, &status, WNOHANG) == 0)
		usleep(1000);
	usleep(50000);
	bench_line("recorderd_rate", (double)sent / s / 1e6, "Mrec/s", NULL, 0);
	bench_line("recorderd_lost", (double)lost, "rec", NULL, 0);
	bench_line("recorderd_journal",
	    (double)metrics_value(m, M_RECORDERD_BYTES) / (double)sent, "B/rec",
	    NULL, 0);
	from = bench_now_ns();
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	bench_line("recorderd_close", (double)(bench_now_ns() - from) / 1e9,
	    "s", NULL, 0);
	bool all = metrics_value(m, M_RECORDERD_ROWS) == (int64_t)sent;

	if (status != 0 || !all)
		printf("# recorderd: exit status %d, %lld of %llu rows\n",
		    status, (long long)metrics_value(m, M_RECORDERD_ROWS),
		    (unsigned long long)sent);
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return status == 0 && all ? 0 : 1;
}
