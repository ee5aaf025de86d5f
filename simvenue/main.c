#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "libcore/check.h"
#include "simvenue/args_io.h"
#include "simvenue/ca_io.h"
#include "simvenue/capture_io.h"
#include "simvenue/server_io.h"

struct sim {
	uv_loop_t loop;
	uv_signal_t signals[2];
	struct sim_server *server;
	struct ca ca;
	FILE *requests;
	bool is_stopping;
};

static int
load(const struct args *a, struct captures *c)
{
	char err[CAPTURES_ERROR_MAX];
	captures_init(c);
	if (a->live)
		return 0;
	int rc = 0;
	for (unsigned i = 0; i < a->spec_n && rc == 0; i++)
		rc = captures_add(c, a->specs[i], err);
	if (rc == 0)
		rc = captures_done(c, err);
	if (rc != 0) {
		(void)fprintf(stderr, "simvenue: %s\n", err);
		return EXIT_PERMANENT;
	}
	if (c->bad_line_n > 0)
		(void)fprintf(stderr,
		    "simvenue: %llu lines left out, the first is %s\n",
		    (unsigned long long)c->bad_line_n, c->first_bad);
	return 0;
}

/* ---- what is said ---- */

static double
span_s(const struct sim_timeline *t)
{
	int64_t ns = 0;
	for (size_t i = 0; i < t->segment_n; i++)
		ns += sim_timeline_span_ns(t, i);
	return (double)ns / (double)NS_PER_S;
}

static void
say_ready(const struct args *a, const struct captures *c, const struct ca *ca,
    const struct sim_server *s)
{
	(void)printf("{\"ev\":\"ready\",\"host\":\"%s\",\"live\":%s,"
		     "\"pace\":\"%s\","
		     "\"files\":%u,\"lines\":%llu,\"bad_lines\":%llu,"
		     "\"markets\":%zu,\"seed\":%llu,\"ca_file\":\"%s\","
		     "\"venues\":[",
	    a->host, a->live ? "true" : "false", a->pace, c->file_n,
	    (unsigned long long)c->line_n, (unsigned long long)c->bad_line_n,
	    c->market_n, (unsigned long long)a->seed, ca->file);
	for (int v = 1; v < VENUE_N; v++) {
		const struct sim_timeline *t = &c->timelines[v];
		(void)printf("%s{\"venue\":\"%s\",\"port\":%u,"
			     "\"tls_port\":%u,\"frames\":%zu,"
			     "\"segments\":%zu,\"span_s\":%.3f}",
		    v > 1 ? "," : "", venue_name((enum venue)v),
		    (unsigned)sim_server_port(s, (enum venue)v),
		    (unsigned)sim_server_tls_port(s, (enum venue)v), t->n,
		    t->segment_n, span_s(t));
	}
	(void)printf("]}\n");
	(void)fflush(stdout);
	for (int v = 1; v < VENUE_N && !a->json && a->live; v++)
		(void)fprintf(stderr, "simvenue: %-11s %s:%u  live\n",
		    venue_name((enum venue)v), a->host,
		    (unsigned)sim_server_port(s, (enum venue)v));
	for (int v = 1; v < VENUE_N && !a->json && !a->live; v++)
		(void)fprintf(stderr,
		    "simvenue: %-11s %s:%u  %zu frames, %.0f s, pace %s\n",
		    venue_name((enum venue)v), a->host,
		    (unsigned)sim_server_port(s, (enum venue)v),
		    c->timelines[v].n, span_s(&c->timelines[v]), a->pace);
	if (a->tls && !a->json)
		(void)fprintf(
		    stderr, "simvenue: TLS; tls.ca_file: %s\n", ca->file);
}

static void
put_stats(FILE *f, const struct sim_server *s)
{
	char buf[4096];
	struct text t;
	text_init(&t, buf, sizeof(buf));
	sim_server_put_stats(s, &t);
	CHECK(text_end(&t) > 1);
	(void)fprintf(f, "{\"ev\":\"end\",%s\n", buf + 1);
}

static int
say_end(const struct args *a, const struct sim_server *s)
{
	if (a->json)
		put_stats(stdout, s);
	for (int v = 1; v < VENUE_N && !a->json; v++) {
		const struct sim_stats *st = sim_server_stats(s, (enum venue)v);
		(void)fprintf(stderr, "simvenue: %-11s %llu frames sent\n",
		    venue_name((enum venue)v),
		    (unsigned long long)st->sent_msgs);
	}
	if (a->stats_path == NULL)
		return 0;
	FILE *f = fopen(a->stats_path, "w");
	if (f == NULL) {
		(void)fprintf(stderr, "simvenue: --stats %s: %s\n",
		    a->stats_path, strerror(errno));
		return EXIT_TEMPORARY;
	}
	put_stats(f, s);
	if (fclose(f) == 0)
		return 0;
	(void)fprintf(stderr, "simvenue: --stats %s: %s\n", a->stats_path,
	    strerror(errno));
	return EXIT_TEMPORARY;
}

/* ---- the run ---- */

static void
stop(struct sim *sim)
{
	sim->is_stopping = true;
	uv_stop(&sim->loop);
}

static void
on_signal(uv_signal_t *handle, int signum)
{
	(void)signum;
	stop(handle->data);
}

static void
on_done(void *user)
{
	stop(user);
}

static int
cannot_listen(const struct args *a, int err, uint16_t port)
{
	if (err == -EADDRINUSE) {
		(void)fprintf(stderr,
		    "simvenue: %s:%u is in use (another simvenue?); stop that "
		    "one or choose other ports with --port-base\n",
		    a->host, (unsigned)port);
		return EXIT_TEMPORARY;
	}
	(void)fprintf(stderr, "simvenue: cannot listen on %s:%u: %s\n", a->host,
	    (unsigned)port, strerror(-err));
	return err == -EACCES || err == -EINVAL || err == -EADDRNOTAVAIL
		   ? EXIT_PERMANENT
		   : EXIT_TEMPORARY;
}

/* The world that the arguments ask for. */
static struct live_cfg
live_of(const struct args *a)
{
	struct live_cfg live = {.world = world_cfg_default(a->seed, 0),
	    .accounts = a->accounts,
	    .account_n = a->account_n};
	live.world.rate = a->rate;
	live.world.vol = a->vol;
	live.world.grant = a->grant;
	live.world.has_limits = a->limits;
	live.world.quiet_n = a->quiet_n;
	memcpy(live.world.quiet, a->quiet, sizeof(a->quiet));
	if (a->series_n > 0) {
		live.world.series_n = a->series_n;
		memcpy(live.world.series, a->series, sizeof(a->series));
	}
	return live;
}

static void
run(struct sim *sim)
{
	static const int signums[2] = {SIGINT, SIGTERM};
	for (int i = 0; i < 2; i++) {
		CHECK(uv_signal_init(&sim->loop, &sim->signals[i]) == 0);
		sim->signals[i].data = sim;
		CHECK(uv_signal_start(
			  &sim->signals[i], on_signal, signums[i]) == 0);
	}
	while (!sim->is_stopping)
		(void)uv_run(&sim->loop, UV_RUN_DEFAULT);
	for (int i = 0; i < 2; i++)
		uv_close((uv_handle_t *)&sim->signals[i], NULL);
}

static int
serve(struct sim *sim, const struct args *a, const struct captures *c)
{
	int err;
	uint16_t port;
	const struct live_cfg live = live_of(a);
	struct sim_server_cfg cfg = {
	    .loop = &sim->loop,
	    .host = a->host,
	    .port_base = a->port_base,
	    .is_tls_apart = a->tls_apart,
	    .tls_port_base = a->tls_port_base,
	    .speed_e3 = a->speed_e3,
	    .once = a->once,
	    .sync = a->sync,
	    .seed = a->seed,
	    .script = a->script,
	    .script_n = a->script_n,
	    .requests = sim->requests,
	    .captures = c,
	    .live = a->live ? &live : NULL,
	    .on_done = on_done,
	    .user = sim,
	};
	memcpy(cfg.tls, sim->ca.tls, sizeof(cfg.tls));
	sim->server = sim_server_create(&cfg, &err, &port);
	if (sim->server == NULL) {
		(void)uv_run(&sim->loop, UV_RUN_DEFAULT);
		return cannot_listen(a, err, port);
	}
	say_ready(a, c, &sim->ca, sim->server);
	run(sim);
	int rc = say_end(a, sim->server);
	sim_server_destroy(sim->server);
	(void)uv_run(&sim->loop, UV_RUN_DEFAULT);
	return rc;
}

/* What is open besides the ports. */
static int
prepare(struct sim *sim, const struct args *a)
{
	char err[CA_ERROR_MAX];
	if (a->requests_path != NULL) {
		sim->requests = fopen(a->requests_path, "a");
		if (sim->requests == NULL) {
			(void)fprintf(stderr, "simvenue: --requests %s: %s\n",
			    a->requests_path, strerror(errno));
			return EXIT_TEMPORARY;
		}
	}
	if (!a->tls || ca_open(&sim->ca, a->tls_dir, err) == 0)
		return 0;
	(void)fprintf(stderr, "simvenue: --tls: %s\n", err);
	return EXIT_PERMANENT;
}

int
main(int argc, char **argv)
{
	static struct args args;
	static struct captures captures;
	static struct sim sim;
	int rc = args_read(&args, argc, argv);
	if (rc >= 0)
		return rc;
	(void)signal(SIGPIPE, SIG_IGN);
	rc = load(&args, &captures);
	if (rc == 0)
		rc = prepare(&sim, &args);
	if (rc == 0) {
		CHECK(uv_loop_init(&sim.loop) == 0);
		rc = serve(&sim, &args, &captures);
		CHECK(uv_loop_close(&sim.loop) == 0);
	}
	ca_close(&sim.ca);
	if (sim.requests != NULL)
		(void)fclose(sim.requests);
	captures_free(&captures);
	return rc;
}
