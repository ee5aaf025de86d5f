#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libshm/cfgpage.h"
#include "libsys/clock.h"
#include "supervisor/control_io.h"
#include "supervisor/envkey_io.h"
#include "supervisor/opts.h"
#include "supervisor/spawn_io.h"
#include "supervisor/sweep_io.h"

#define FREEZE_ANSWER_S 2

/* Print an answer as the person asked for it; its code is ours. */
static int
show(const struct sup_opts *o, json_t *a)
{
	int code = (int)json_integer_value(json_object_get(a, "code"));
	const char *text = json_string_value(json_object_get(a, "text"));

	if (o->json) {
		json_dumpf(a, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (text != NULL) {
		size_t n = strlen(text);

		fprintf(code == 0 ? stdout : stderr, "%s%s", text,
		    n > 0 && text[n - 1] == '\n' ? "" : "\n");
	}
	json_decref(a);
	return code;
}

static json_t *
request(const struct sup_opts *o)
{
	json_t *stages = json_pack("[]");
	json_t *rq;

	for (size_t i = 0; i < o->word_n; i++)
		json_array_append_new(stages, json_pack("s", o->word[i]));
	rq = json_pack("{s:s,s:o,s:b,s:b}", "cmd", o->command, "stages", stages,
	    "keep", o->keep, "restart", o->restart);
	if (o->reason != NULL)
		json_object_set_new(rq, "text", json_pack("s", o->reason));
	return rq;
}

static bool
takes_stages(const char *command)
{
	return strcmp(command, "stop") == 0 ||
	       strcmp(command, "restart") == 0 || strcmp(command, "start") == 0;
}

static int
bad_words(const struct sup_opts *o)
{
	if (!takes_stages(o->command) && o->word_n > 0) {
		fprintf(stderr, "supervisor: %s takes no \"%s\"\n", o->command,
		    o->word[0]);
		return SUP_USAGE;
	}
	for (size_t i = 0; i < o->word_n; i++) {
		if (opts_stages(&o->word[i], 1, 1) != 0)
			continue;
		fprintf(stderr, "supervisor: no stage \"%s\"; there are: all",
		    o->word[i]);
		for (int k = 0; k < ST_N; k++)
			fprintf(stderr, " %s", topo_stages[k].name);
		fputc('\n', stderr);
		return SUP_USAGE;
	}
	return 0;
}

static int
ask(const struct sup_opts *o, const struct instance *in)
{
	struct err e;
	json_t *a = control_ask(in, request(o), 0, &e);

	if (a != NULL)
		return show(o, a);
	fprintf(stderr, "supervisor: %s\n", e.text);
	return e.code == -ECONNREFUSED ? SUP_NOT_RUNNING : SUP_TEMPORARY;
}

/* The supervising process of `start`: leaves the terminal and the caller. */
static int
detach(const struct sup_opts *o, struct cfg_load *l)
{
	char dir[CFG_STR_SZ];
	struct err e;
	int log;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	if (opts_state_dir(o, &l->cfg, dir, sizeof(dir)) < 0 ||
	    state_dir_make(dir, &e) < 0)
		return -1;
	log = spawn_log_open(dir, "supervisor", &e);
	if (null < 0 || log < 0)
		return -1;
	dup2(null, STDIN_FILENO);
	dup2(log, STDOUT_FILENO);
	dup2(log, STDERR_FILENO);
	return 0;
}

static json_t *
start_daemon(const struct sup_opts *o, struct cfg_load *l, uint32_t first)
{
	json_error_t je;
	json_t *a = NULL;
	FILE *f;
	pid_t pid;
	int sv[2];

	fflush(NULL);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) < 0)
		return NULL;
	pid = fork();
	if (pid == 0) {
		close(sv[0]);
		/* Without a log the caller still learns why: it is told over
		 * the socket. */
		detach(o, l);
		_exit(daemon_run(o, l, first, sv[1]));
	}
	close(sv[1]);
	f = pid > 0 ? fdopen(sv[0], "r") : NULL;
	if (f == NULL) {
		close(sv[0]);
		return NULL;
	}
	a = json_loadf(f, JSON_DISABLE_EOF_CHECK, &je);
	fclose(f);
	return a;
}

/* Relative paths would mean something else after a reload elsewhere. */
static void
absolute(struct sup_opts *o)
{
	static char full[CFGFILE_N_MAX][PATH_MAX];

	for (size_t i = 0; i < o->config_n; i++)
		if (realpath(o->config[i], full[i]) != NULL)
			o->config[i] = full[i];
}

/* Orders want keys: said before anything is there to be taken down again. */
static int
keys_there(const struct cfg *c)
{
	char why[ENVKEY_WHY_SZ];

	if (envkey_check(c, why))
		return 0;
	fprintf(stderr, "supervisor: %s\n", why);
	return SUP_CONFIG;
}

int
cmd_start(const struct sup_opts *caller)
{
	static struct cfg_load l;
	struct sup_opts o = *caller;
	struct instance in;
	struct err e;
	uint32_t first;
	json_t *a;
	int rc = bad_words(&o);

	if (rc != 0)
		return rc;
	if (instance_open(&in, o.instance, &e) == 0) {
		bool alive = control_alive(&in);

		rc = alive ? ask(&o, &in) : 0;
		instance_close(&in);
		if (alive)
			return rc;
	}
	absolute(&o);
	rc = opts_config(&o, &l);
	if (rc == 0)
		rc = keys_there(&l.cfg);
	if (rc != 0)
		return rc;
	first = opts_stages(o.word, o.word_n, opts_wanted(&l.cfg));
	if (o.foreground)
		return daemon_run(&o, &l, first, -1);
	a = start_daemon(&o, &l, first);
	if (a != NULL)
		return show(&o, a);
	fprintf(stderr, "supervisor: the supervising process went away; see "
			"supervisor logs supervisor\n");
	return SUP_TEMPORARY;
}

static int
say(const struct sup_opts *o, int code, const char *text)
{
	return show(o, json_pack("{s:i,s:s}", "code", code, "text", text));
}

/* Orders outlive everything of ours: the venue is asked, too. Names of what
 * did not end flat in buf, "" none. */
static void
sweep_dead(const struct instance *in, char *buf, size_t n)
{
	static struct cfg c;
	struct cfgpage page;
	uint64_t epoch;
	uint32_t left = 0;
	struct err e;

	buf[0] = '\0';
	if (cfgpage_attach(&page, in->dirfd, false, &e) < 0)
		return;
	if (cfgpage_read(&page, &c, &epoch) == 0)
		left = sweep_left(in->name, &c);
	cfgpage_detach(&page);
	for (int i = 0; i < ST_N; i++) {
		size_t at = strlen(buf);

		if ((left >> i & 1) != 0)
			snprintf(buf + at, n - at, "%s%s", at ? ", " : "",
			    topo_stages[i].name);
	}
}

/* Nothing of the instance runs: away with what it left. A supervisor that is
 * just beginning has no stages either, but holds the lock. */
static int
remove_left(const struct sup_opts *o, struct instance *in, bool kept)
{
	char dir[CFG_STR_SZ];
	char text[512];
	char rests[128] = "";
	struct err e;
	int lock;
	int rc = opts_found_state_dir(o, dir, sizeof(dir));

	if (rc != 0)
		return rc;
	if (o->keep)
		return say(
		    o, SUP_OK, "nothing of it runs; its shared memory is left");
	lock = state_dir_make(dir, &e) < 0 ? e.code
					   : daemon_lock(dir, o->instance, &e);
	if (lock < 0)
		return say(o, SUP_TEMPORARY, e.text);
	if (!kept)
		sweep_dead(in, rests, sizeof(rests));
	snprintf(text, sizeof(text), "%s: removed %s%s%s",
	    kept ? "it was stopped before and its shared memory kept"
		 : "supervisor and stages were dead already",
	    in->path,
	    rests[0] ? "; ORDERS OF OURS MAY STILL REST AT THE VENUE: " : "",
	    rests);
	rc = instance_remove(in, &e);
	close(lock);
	if (rc < 0)
		return say(o, SUP_SOFTWARE, e.text);
	return say(o, rests[0] ? SUP_NOT_FLAT : SUP_OK, text);
}

static bool
names_some(const struct sup_opts *o)
{
	const uint32_t all = (UINT32_C(1) << ST_N) - 1;

	return opts_stages(o->word, o->word_n, all) != all;
}

/*
 * stop or restart, and no supervisor answers. With stages alive a new
 * supervisor takes them over, so that they stop in order. Returns the exit
 * code, or -1: ask it.
 */
static int
unsupervised(const struct sup_opts *o, struct instance *in)
{
	static struct cfg_load l;
	bool restart = strcmp(o->command, "restart") == 0;
	struct sup_opts begin = *o;
	struct ctl *ctl;
	struct err e;
	bool alive;
	bool kept;

	if ((!restart && strcmp(o->command, "stop") != 0) ||
	    ctl_attach(&ctl, in->dirfd, false, &e) < 0)
		return -1;
	alive = daemon_anyone_alive(ctl);
	kept = atomic_load(&ctl->sup.pid) == 0;
	ctl_detach(ctl);
	if (alive) {
		if (opts_config(o, &l) == 0)
			json_decref(start_daemon(o, &l, 0));
		return -1;
	}
	begin.command = "start";
	if (restart)
		return cmd_start(&begin);
	if (names_some(o))
		return say(o, SUP_NOT_RUNNING,
		    "no supervisor and no stage of it runs; supervisor stop "
		    "removes what is left");
	return remove_left(o, in, kept);
}

int
cmd_ask(const struct sup_opts *o)
{
	struct instance in;
	struct err e;
	int rc = bad_words(o);

	if (rc != 0)
		return rc;
	if (strcmp(o->command, "thaw") == 0 &&
	    (o->reason == NULL || o->reason[0] == '\0')) {
		fprintf(stderr, "supervisor: thaw needs --reason \"text\": it "
				"goes into the log\n");
		return SUP_USAGE;
	}
	if (o->set_n > 0 && (strcmp(o->command, "reload") == 0 ||
				strcmp(o->command, "restart") == 0)) {
		fprintf(stderr,
		    "supervisor: %s takes no --set: a setting of what runs "
		    "belongs into the configuration file; then supervisor "
		    "reload\n",
		    o->command);
		return SUP_USAGE;
	}
	if (instance_open(&in, o->instance, &e) < 0) {
		fprintf(stderr, "supervisor: %s\n",
		    e.code == -ENOENT ? "not running" : e.text);
		return e.code == -ENOENT ? SUP_NOT_RUNNING : SUP_NO_PERM;
	}
	rc = control_alive(&in) ? -1 : unsupervised(o, &in);
	if (rc < 0)
		rc = ask(o, &in);
	instance_close(&in);
	return rc;
}

/* Nobody supervises: make it last ourselves. */
static int
freeze_alone(const struct sup_opts *o, bool running, const char *why)
{
	static struct cfg_load l;
	char dir[CFG_STR_SZ];
	struct latch latch;
	struct err e;
	int rc;

	rc = opts_config(o, &l);
	if (rc != 0)
		return rc;
	if (opts_state_dir(o, &l.cfg, dir, sizeof(dir)) < 0 ||
	    state_dir_make(dir, &e) < 0) {
		fprintf(stderr, "supervisor: %s\n", e.text);
		return SUP_TEMPORARY;
	}
	latch_load(dir, &latch, &e);
	latch.mask |= FREEZE_MANUAL;
	latch.since_wall_ns = clock_wall_ns();
	latch.uid = geteuid();
	latch_why(&latch, why);
	if (latch_save(dir, &latch, &e) < 0) {
		fprintf(stderr, "supervisor: %s\n", e.text);
		return SUP_TEMPORARY;
	}
	puts(running ? "frozen; no supervisor answers, so the freeze word was "
		       "written directly"
		     : "not running; the next start will be frozen");
	return 0;
}

int
cmd_freeze(const struct sup_opts *caller)
{
	struct sup_opts o = *caller;
	char why[LATCH_WHY_SZ] = "";
	struct ctl *ctl = NULL;
	struct instance in;
	struct err e;
	json_t *a;
	size_t at = 0;
	int rc;

	for (size_t i = 0; i < o.word_n && at < sizeof(why); i++)
		at += (size_t)snprintf(why + at, sizeof(why) - at, "%s%s",
		    i ? " " : "", o.word[i]);
	if (o.reason == NULL && why[0] != '\0')
		o.reason = why;
	o.word_n = 0;
	if (instance_open(&in, o.instance, &e) < 0)
		return freeze_alone(&o, false, o.reason ? o.reason : "");
	if (ctl_attach(&ctl, in.dirfd, true, &e) < 0) {
		fprintf(stderr, "supervisor: %s\n", e.text);
		instance_close(&in);
		return SUP_NO_PERM;
	}
	/* The word first, for orders stop at once even when the supervisor
	 * is dead or hangs; then it may write it down and say so. */
	ctl_freeze_set(
	    ctl, FW_SUPERVISOR, FREEZE_MANUAL, true, clock_mono_ns());
	ctl_wake_all(ctl, in.dirfd);
	a = control_ask(&in, request(&o), FREEZE_ANSWER_S, &e);
	rc = a != NULL ? show(&o, a)
		       : freeze_alone(&o, true, o.reason ? o.reason : "");
	ctl_detach(ctl);
	instance_close(&in);
	return rc;
}
