/* links: libsign libvenue libsys libshm libcore */
/*
 * Tick to order through all processes: this program is the three feeds; the
 * real quoted, riskd and execd.polymarket do the rest. A quiet book is opened
 * and closed again and again; each opening makes two orders. What is measured
 * is the order's own stamp: market data received -> order decided (paper), or
 * -> the first byte of the signed request leaves to a real simvenue --live
 * (wire), signed then, or ahead while nothing happened (presigned).
 *
 * Reference, in the same run: three bare futex wakes in a row between four
 * processes on one core (blocking), and a bare signature where one is made.
 * Bars: 120 us p50 and 1 ms p99 blocking, 60 us p50 spinning.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libsign/secp.h"
#include "tests/bench/benchrig.h"

#define MISSED_MAX 5
#define HOPS	   3

struct run {
	const char *name;
	bool live;
	bool presign;
	bool spin;
	size_t n;
	double ref;
};

/* The stations of each order, since its market data was received. */
enum {
	AT_QUOTED,
	AT_RISKD,
	AT_SENT,
	AT_ACKED,
	FIRST_SENT, /* of the two orders of an opening */
	STATIONS
};

static void
say_stations(const char *name, uint64_t *ns[STATIONS], size_t n)
{
	double p50[FIRST_SENT];
	struct metrics *m;
	struct err e;

	if (metrics_attach(&m, in.dirfd, ST_EXECD_PM, false, &e) < 0)
		die("metrics", e.text);
	for (int k = 0; k < FIRST_SENT; k++)
		p50[k] = bench_quantile(ns[k], n, 500) / 1000;
	printf("# %s: out of quoted %.1f, riskd %.1f, sent %.1f, acknowledged "
	       "%.1f us p50; %zu orders, %lld signed ahead\n",
	    name, p50[AT_QUOTED], p50[AT_RISKD], p50[AT_SENT], p50[AT_ACKED], n,
	    (long long)metrics_value(m, M_EXECD_PRESIGN_HITS));
	metrics_detach(m);
}

static void
pass(const struct run *r)
{
	uint64_t *ns[STATIONS];
	uint64_t link_ns = 0;
	uint64_t turn_ns = 0;
	size_t missed = 0;
	size_t got = 0;
	size_t firsts = 0;
	char name[64];
	struct order o;

	for (int k = 0; k < STATIONS; k++)
		if ((ns[k] = calloc(2 * r->n, sizeof(*ns[k]))) == NULL)
			die("memory", "none");
	for (size_t i = 0; i < r->n; i++) {
		if (proc_now_ns() - link_ns > 500000000u) {
			links();
			link_ns = proc_now_ns();
		}
		/* Nothing may rest any more before the next opening. */
		book(false);
		for (int k = 0; k < 2; k++)
			report(MSG_DONE, &o);
		usleep(3000);
		while (r->live && proc_now_ns() < turn_ns + LIVE_TURN_NS)
			usleep(500);
		turn_ns = proc_now_ns();
		/* What is signed ahead is the neighbours of what rests. */
		book_at(50 + (int64_t)(i & r->presign), true);
		for (int k = 0; k < 2; k++) {
			if (!report(MSG_ACK, &o)) {
				if (++missed > MISSED_MAX)
					die(r->name, "no orders; see its log");
				continue;
			}
			ns[AT_QUOTED][got] = o.quote_delta;
			ns[AT_RISKD][got] = o.risk_delta;
			ns[AT_SENT][got] = o.send_delta;
			ns[AT_ACKED][got++] = o.ack_delta;
			if (k == 0)
				ns[FIRST_SENT][firsts++] = o.send_delta;
		}
	}
	if (firsts == 0)
		die(r->name, "no order came");
	bench_report(r->name, ns[AT_SENT], got, r->ref);
	snprintf(name, sizeof(name), "%s_first", r->name);
	bench_report(name, ns[FIRST_SENT], firsts, r->ref);
	say_stations(r->name, ns, got);
	for (int k = 0; k < STATIONS; k++)
		free(ns[k]);
}

static void
hop(_Atomic uint32_t *from, _Atomic uint32_t *to, uint32_t turns)
{
	for (uint32_t i = 1; i <= turns; i++) {
		while (atomic_load(from) != i)
			syscall(SYS_futex, from, FUTEX_WAIT, i - 1, 0, 0, 0);
		atomic_store(to, i);
		syscall(SYS_futex, to, FUTEX_WAKE, 1, 0, 0, 0);
	}
}

/* Median time of HOPS futex wakes in a row, all processes on one core. */
static double
futex_chain(uint32_t turns)
{
	_Atomic uint32_t *w = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t *ns = calloc(turns, sizeof(*ns));
	pid_t pid[HOPS];
	cpu_set_t one;
	cpu_set_t all;
	double p50;

	sched_getaffinity(0, sizeof(all), &all);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	for (int i = 0; i < HOPS; i++) {
		pid[i] = fork();
		if (pid[i] == 0) {
			hop(&w[i * 32], &w[(i + 1) * 32], turns);
			_exit(0);
		}
	}
	for (uint32_t i = 1; i <= turns; i++) {
		uint64_t t = proc_now_ns();

		atomic_store(&w[0], i);
		syscall(SYS_futex, &w[0], FUTEX_WAKE, 1, 0, 0, 0);
		while (atomic_load(&w[HOPS * 32]) != i)
			syscall(SYS_futex, &w[HOPS * 32], FUTEX_WAIT, i - 1, 0,
			    0, 0);
		ns[i - 1] = proc_now_ns() - t;
		usleep(500);
	}
	for (int i = 0; i < HOPS; i++)
		waitpid(pid[i], NULL, 0);
	sched_setaffinity(0, sizeof(all), &all);
	p50 = bench_quantile(ns, turns, 500);
	free(ns);
	return p50;
}

/* A bare signature: an order is one at least. */
static double
bare_signature(uint32_t turns)
{
	static const uint8_t blind[SECP_KEY_SZ] = {1};
	static const uint8_t key[SECP_KEY_SZ] = {[SECP_KEY_SZ - 1] = 7};
	uint8_t digest[HASH_SZ] = {2};
	uint64_t *ns = calloc(turns, sizeof(*ns));
	struct secp secp;
	struct sig sig;
	double p50;

	if (ns == NULL)
		die("memory", "none");
	secp_init(&secp, blind);
	for (uint32_t i = 0; i < turns; i++) {
		uint64_t t = proc_now_ns();

		if (!secp_sign(&secp, key, digest, &sig))
			die("signature", "none");
		ns[i] = proc_now_ns() - t;
		digest[0] ^= sig.r[0];
	}
	p50 = bench_quantile(ns, turns, 500);
	free(ns);
	return p50;
}

static void
run(const struct run *r)
{
	static struct cfg cfg;
	char dir[128];

	snprintf(dir, sizeof(dir), "%s", proc_tmp("bench"));
	if (r->live)
		venue_start(dir);
	rig_cfg(&cfg, dir, r->live);
	cfg.system_wait = r->spin ? CFG_WAIT_SPIN : CFG_WAIT_BLOCK;
	cfg.exec_presign = r->presign;
	rig_open(&cfg, dir);
	market();
	until_trading();
	pass(r);
	rig_close();
	proc_rmtree(dir);
}

int
main(void)
{
	size_t n = bench_quick() ? 50 : 2000;
	size_t live_n = bench_quick() ? 8 : 400;
	double hops = futex_chain((uint32_t)n);
	double sign = bare_signature((uint32_t)n);
	const struct run runs[] = {
	    {"tick_to_order", false, false, false, n, hops},
	    {"tick_to_wire", true, false, false, live_n, hops + sign},
	    {"tick_to_wire_presigned", true, true, false, live_n, hops},
	    {"tick_to_order_spinning", false, false, true, n, 0},
	    {"tick_to_wire_spinning", true, false, true, live_n, sign},
	};
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		if (!runs[i].spin || cores > 4 + runs[i].live)
			run(&runs[i]);
		else
			printf("# %s: skipped, needs a core for each process; "
			       "here %ld\n",
			    runs[i].name, cores);
	}
	return 0;
}
