#define _GNU_SOURCE
#include <errno.h>
#include <jansson.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "libshm/instr.h"
#include "libshm/topo.h"
#include "libsys/clock.h"
#include "libsys/keyfile.h"
#include "supervisor/envkey_io.h"
#include "supervisor/latch_io.h"
#include "supervisor/opts.h"
#include "supervisor/spawn_io.h"

#define FILES_NEEDED 256

enum verdict {
	V_OK = 1,
	V_NOTE = 2,
	V_BAD = 3,
	V_N
};

struct report {
	json_t *json; /* array, NULL: text */
	bool bad;
	bool useless; /* a file without which a stage gives up at once */
};

static void __attribute__((format(printf, 4, 5)))
say(struct report *r, enum verdict v, const char *what, const char *fmt, ...)
{
	static const char *const name[V_N] = {"?", "ok", "note", "BAD"};
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->bad |= v == V_BAD;
	if (r->json != NULL)
		json_array_append_new(r->json,
		    json_pack("{s:s,s:s,s:s}", "check", what, "verdict",
			v == V_BAD ? "bad" : name[v], "text", text));
	else
		printf("%-5s %-10s %s\n", name[v], what, text);
}

static uint64_t
shm_needed(void)
{
	uint64_t sum = sizeof(struct instr_table);

	for (int i = 0; i < RG_N; i++)
		sum += (uint64_t)topo_rings[i].slot_sz * topo_rings[i].depth +
		       4096;
	return sum + (8u << 20); /* pages, metrics, stores */
}

static void
check_shm(struct report *r)
{
	const char *dir = getenv("RINGMAKER_SHM");
	struct statvfs sv;
	uint64_t need = shm_needed();
	uint64_t room;

	if (dir == NULL || dir[0] == '\0')
		dir = "/dev/shm";
	if (access(dir, W_OK | X_OK) < 0 || statvfs(dir, &sv) < 0) {
		say(r, V_BAD, "shm", "%s: %s", dir, strerror(errno));
		return;
	}
	room = (uint64_t)sv.f_bavail * sv.f_frsize;
	say(r, room >= need ? V_OK : V_BAD, "shm",
	    "%s: %llu MiB free, an instance needs %llu MiB%s", dir,
	    (unsigned long long)(room >> 20), (unsigned long long)(need >> 20),
	    room >= need ? ""
			 : "; remove old instances, or mount -o "
			   "remount,size=1G /dev/shm");
}

static void
check_cores(struct report *r, const struct cfg *c)
{
	cpu_set_t set;
	unsigned hot = 0;
	int cores =
	    sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	for (int i = 0; i < ST_N; i++)
		hot += (topo_stages[i].flags & STAGE_HOT) != 0 &&
		       (opts_wanted(c) >> i & 1) != 0;
	if (c->system_wait == CFG_WAIT_SPIN && (unsigned)cores < hot + 1)
		say(r, V_BAD, "cores",
		    "system.wait is spin, but %u spinning stages share %d "
		    "cores: a pass would take milliseconds; use auto",
		    hot, cores);
	else
		say(r, V_OK, "cores", "%d cores, %u hot stages: auto %s", cores,
		    hot, (unsigned)cores >= hot + 1 ? "spins" : "blocks");
}

static void
check_clock(struct report *r)
{
	char name[CLOCK_SOURCE_SZ];

	clock_source(name);
	say(r, clock_source_fast(name) ? V_OK : V_NOTE, "clock", "%s%s", name,
	    clock_source_fast(name)
		? ""
		: ": a time stamp may cost a system call; see "
		  "/sys/devices/system/clocksource");
}

static void
check_limits(struct report *r)
{
	struct rlimit files;
	struct rlimit locked;

	getrlimit(RLIMIT_NOFILE, &files);
	getrlimit(RLIMIT_MEMLOCK, &locked);
	say(r, files.rlim_cur >= FILES_NEEDED ? V_OK : V_BAD, "files",
	    "%llu open files allowed, %d needed",
	    (unsigned long long)files.rlim_cur, FILES_NEEDED);
	if (locked.rlim_cur == RLIM_INFINITY)
		say(r, V_OK, "memlock", "unlimited");
	else
		say(r, V_OK, "memlock", "%llu KiB",
		    (unsigned long long)locked.rlim_cur >> 10);
}

static void
check_programs(struct report *r, const struct cfg *c)
{
	char dir[512];
	char path[640];
	unsigned missing = 0;

	if (spawn_bin_dir(dir, sizeof(dir)) < 0) {
		say(r, V_BAD, "programs", "cannot find out where they are");
		return;
	}
	for (int i = 0; i < ST_N; i++) {
		if ((opts_wanted(c) >> i & 1) == 0)
			continue;
		snprintf(
		    path, sizeof(path), "%s/%s", dir, topo_stages[i].program);
		if (access(path, X_OK) == 0)
			continue;
		say(r, V_BAD, "programs", "%s: %s", path, strerror(errno));
		missing++;
	}
	if (missing == 0)
		say(r, V_OK, "programs", "all in %s", dir);
}

static void
check_state(struct report *r, const struct sup_opts *o, const struct cfg *c)
{
	char dir[CFG_STR_SZ];
	struct latch l;
	struct err e;

	if (opts_state_dir(o, c, dir, sizeof(dir)) < 0) {
		say(r, V_BAD, "state", "set system.state_dir, or HOME");
		return;
	}
	if (state_dir_make(dir, &e) < 0) {
		say(r, V_BAD, "state", "%s", e.text);
		return;
	}
	say(r, V_OK, "state", "%s", dir);
	if (latch_load(dir, &l, &e) < 0)
		say(r, V_BAD, "latch", "%s", e.text);
	else if (l.mask != 0)
		say(r, V_NOTE, "latch",
		    "frozen from before (%s); supervisor thaw lifts it", l.why);
}

/* Does any address that is used ask for TLS? */
static bool
wants_tls(const struct cfg *c)
{
	for (size_t i = 0; i < CFG_KEY_N; i++) {
		const struct cfg_key *k = cfg_key_at(i);
		const char *url = (const char *)c + k->offset;

		if (k->type == CFG_URL && cfgfile_url_used(c, i) &&
		    (strncmp(url, "wss:", 4) == 0 ||
			strncmp(url, "https:", 6) == 0))
			return true;
	}
	return false;
}

static void
check_secret(struct report *r, const char *key, const char *path, bool used)
{
	char why[KEYFILE_WHY_SZ];

	if (path[0] == '\0')
		return;
	if (keyfile_secret(path, why)) {
		say(r, V_OK, "paths", "%s: %s", key, path);
	} else {
		r->useless |= used;
		say(r, used ? V_BAD : V_NOTE, "paths", "%s: %s%s", key, why,
		    used ? "" : " (not used by these settings)");
	}
}

static void
check_files(struct report *r, const struct cfg *c)
{
	const char *ca = c->tls_ca_file.s;
	bool tls = wants_tls(c);
	bool bolt = c->polymarket_enabled && c->polymarket_rtds_symbols.n > 0 &&
		    c->polymarket_price_stream == CFG_PRICE_STREAM_POLYBOLT;
	char why[KEYFILE_WHY_SZ];

	if (!keyfile_ca(ca[0] ? ca : KEYFILE_CA, why)) {
		r->useless |= tls;
		if (tls || ca[0] != '\0')
			say(r, tls ? V_BAD : V_NOTE, "paths", "tls.ca_file: %s",
			    why);
	} else if (tls) {
		say(r, V_OK, "paths", "tls.ca_file: %s",
		    ca[0] ? ca : KEYFILE_CA);
	}
	check_secret(r, "binance.sbe_key_file", c->binance_sbe_key_file.s,
	    c->binance_enabled && c->binance_sbe_url.s[0] != '\0');
	check_secret(r, "polymarket.polybolt_key_file",
	    c->polymarket_polybolt_key_file.s, bolt);
	if (bolt && c->polymarket_polybolt_key_file.s[0] == '\0') {
		r->useless = true;
		say(r, V_BAD, "paths",
		    "polymarket.polybolt_key_file: is empty, but "
		    "polymarket.price_stream is polybolt; name the file with "
		    "the credentials, or use price_stream: rtds");
	}
}

/* The keys that orders are signed with. */
static void
check_keys(struct report *r, const struct cfg *c)
{
	static const enum venue venues[] = {
	    VENUE_POLYMARKET, VENUE_HYPERLIQUID};
	char why[ENVKEY_WHY_SZ];

	if (c->system_mode != MODE_SIM && c->system_mode != MODE_LIVE)
		return;
	if (!envkey_check(c, why)) {
		r->useless = true;
		say(r, V_BAD, "keys", "%s", why);
		return;
	}
	for (size_t i = 0; i < sizeof(venues) / sizeof(venues[0]); i++) {
		const char *file = venues[i] == VENUE_POLYMARKET
				       ? c->polymarket_key_file.s
				       : c->hyperliquid_key_file.s;

		if (!cfg_trades(c, venues[i]))
			continue;
		say(r, V_OK, "keys", "%s: %s", venue_name(venues[i]),
		    file[0] != '\0'	    ? file
		    : envkey_has(venues[i]) ? envkey_name(venues[i])
					    : "public development key");
	}
}

int
cmd_check(const struct sup_opts *o)
{
	static struct cfg_load l;
	struct report r = {.json = o->json ? json_pack("[]") : NULL};
	int rc = opts_config(o, &l);

	if (rc != 0)
		return rc;
	say(&r, V_OK, "config", "%zu files, every key within its range",
	    l.path_n);
	check_shm(&r);
	check_cores(&r, &l.cfg);
	check_clock(&r);
	check_limits(&r);
	check_files(&r, &l.cfg);
	check_keys(&r, &l.cfg);
	check_programs(&r, &l.cfg);
	check_state(&r, o, &l.cfg);
	if (r.json != NULL) {
		json_dumpf(r.json, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(r.json);
	}
	return r.useless ? SUP_PERMANENT : r.bad ? SUP_CONFIG : SUP_OK;
}

static void
print_key(const struct sup_opts *o, const struct cfg_load *l, size_t k)
{
	const struct cfg_key *key = cfg_key_at(k);
	char name[96];
	char value[CFG_TEXT_SZ];
	char origin[CFGFILE_ORIGIN_SZ];

	snprintf(name, sizeof(name), "%s.%s", key->group, key->name);
	cfg_text(&l->cfg, k, value);
	cfgfile_origin(l, k, origin);
	if (o->json) {
		json_t *j = json_pack("{s:s,s:s,s:s}", "key", name, "value",
		    value, "origin", origin);

		json_dumpf(j, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(j);
	} else {
		printf("%s = %s  (%s)\n", name, value, origin);
	}
}

static int
no_key(const char *word)
{
	const char *dot = strchr(word, '.');
	const char *near = dot == NULL ? cfgload_guess_group(word) : NULL;
	char group[64];
	char meant[96] = "";
	char list[192] = "; supervisor config lists them";

	snprintf(
	    group, sizeof(group), "%.*s", (int)(dot ? dot - word : 0), word);
	if (dot != NULL) {
		int k = cfgload_guess(group, dot + 1);

		if (k >= 0)
			snprintf(meant, sizeof(meant), "%s.%s",
			    cfg_key_at((size_t)k)->group,
			    cfg_key_at((size_t)k)->name);
		else if (cfg_group_doc(group) != NULL)
			snprintf(list, sizeof(list),
			    "; supervisor config %s lists those of %s", group,
			    group);
	} else if (near != NULL) {
		snprintf(meant, sizeof(meant), "%s", near);
	}
	fprintf(stderr, "supervisor: no key or group \"%s\"%s%s%s\n", word,
	    meant[0] ? "; did you mean " : list, meant, meant[0] ? "?" : "");
	return SUP_USAGE;
}

/* "mm.max_spread", or "mm" for all of a group. */
static int
some_keys(const struct sup_opts *o, const struct cfg_load *l, const char *word)
{
	size_t n = 0;

	for (size_t k = 0; k < CFG_KEY_N; k++) {
		const struct cfg_key *key = cfg_key_at(k);
		size_t g = strlen(key->group);

		if (strncmp(word, key->group, g) != 0)
			continue;
		if (word[g] != '\0' &&
		    (word[g] != '.' || strcmp(word + g + 1, key->name) != 0))
			continue;
		print_key(o, l, k);
		n++;
	}
	return n > 0 ? 0 : no_key(word);
}

int
cmd_config(const struct sup_opts *o)
{
	static struct cfg_load l;
	int rc = opts_config(o, &l);

	if (rc != 0)
		return rc;
	for (size_t i = 0; i < o->word_n; i++) {
		rc = some_keys(o, &l, o->word[i]);
		if (rc != 0)
			return rc;
	}
	if (o->word_n > 0)
		return 0;
	if (o->json)
		cfgfile_dump_json(&l, stdout);
	else
		cfgfile_dump_text(&l, false, stdout);
	return 0;
}
