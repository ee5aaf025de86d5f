#define _GNU_SOURCE
#include "libsys/cfgfile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "libcore/check.h"
#include "libsys/cfgfile_int.h"

static void
note(struct cfg_note *list, size_t *n, const char *fmt, va_list ap)
{
	if (*n < CFGFILE_NOTE_MAX)
		vsnprintf(list[*n].text, sizeof(list[*n].text), fmt, ap);
	(*n)++;
}

void
cfgload_error(struct cfg_load *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(l->error, &l->error_n, fmt, ap);
	va_end(ap);
}

void
cfgload_warn(struct cfg_load *l, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	note(l->warning, &l->warning_n, fmt, ap);
	va_end(ap);
}

bool
cfgload_set(struct cfg_load *l, size_t key, const char *text,
    const struct cfg_origin *o, const char *where)
{
	const struct cfg_key *k = cfg_key_at(key);
	char why[CFG_WHY_SZ];

	if (!cfg_set(&l->cfg, key, text, why)) {
		cfgload_error(
		    l, "%s: %s.%s: %s", where, k->group, k->name, why);
		return false;
	}
	l->origin[key] = *o;
	return true;
}

#define NAME_MAX_ 63

static unsigned
min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

unsigned
cfgload_distance(const char *a, const char *b)
{
	unsigned row[3][NAME_MAX_ + 2]; /* two before, before, this */
	size_t an = strlen(a);
	size_t bn = strlen(b);

	if (an > NAME_MAX_ || bn > NAME_MAX_)
		return UINT32_MAX;
	for (size_t j = 0; j <= bn; j++)
		row[1][j] = (unsigned)j;
	for (size_t i = 1; i <= an; i++) {
		row[2][0] = (unsigned)i;
		for (size_t j = 1; j <= bn; j++) {
			unsigned same = a[i - 1] == b[j - 1] ? 0 : 1;

			row[2][j] = min3(row[2][j - 1] + 1, row[1][j] + 1,
			    row[1][j - 1] + same);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] &&
			    row[0][j - 2] + 1 < row[2][j])
				row[2][j] = row[0][j - 2] + 1;
		}
		memcpy(row[0], row[1], sizeof(row[0]));
		memcpy(row[1], row[2], sizeof(row[1]));
	}
	return row[1][bn];
}

/* A guess must be nearer than a third of the name, and within 4 edits. */
static bool
is_near(unsigned d, const char *name)
{
	size_t n = strlen(name);

	return d <= 4 && d * 3 <= n + 2;
}

int
cfgload_guess(const char *group, const char *name)
{
	bool known = cfg_group_doc(group) != NULL;
	unsigned best = UINT32_MAX;
	int found = -1;

	for (size_t i = 0; i < CFG_KEY_N; i++) {
		const struct cfg_key *k = cfg_key_at(i);
		unsigned d = cfgload_distance(name, k->name);

		bool other = strcmp(group, k->group) != 0;

		/* A group that there is was meant: another one only for what
		 * is all but the same. */
		if (!is_near(d, name) || (other && known && d > 1))
			continue;
		d += other ? 16 : 0;
		if (d >= best)
			continue;
		best = d;
		found = (int)i;
	}
	return found;
}

const char *
cfgload_guess_group(const char *group)
{
	const char *found = NULL;
	unsigned best = UINT32_MAX;

	for (size_t i = 0; i < CFG_KEY_N; i++) {
		const char *g = cfg_key_at(i)->group;
		unsigned d = cfgload_distance(group, g);

		if (!is_near(d, group) || d >= best)
			continue;
		best = d;
		found = g;
	}
	return found;
}

static char
env_char(char c)
{
	return (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
}

const char *
cfgfile_env_name(size_t key, char buf[CFGFILE_ENV_SZ])
{
	const struct cfg_key *k = cfg_key_at(key);

	snprintf(buf, CFGFILE_ENV_SZ, "%s_%s", k->group, k->name);
	for (char *p = buf; *p != '\0'; p++)
		*p = env_char(*p);
	return buf;
}

/* The value of name in envp, NULL when it is not there. */
static const char *
env_find(char *const *envp, const char *name)
{
	size_t n = strlen(name);

	for (; *envp != NULL; envp++)
		if (strncmp(*envp, name, n) == 0 && (*envp)[n] == '=')
			return *envp + n + 1;
	return NULL;
}

/* A variable with the name of a group and nearly one of our names was
 * probably meant to be it: say so, because the environment cannot be refused
 * for holding strangers. */
static void
env_warn(struct cfg_load *l, const char *entry)
{
	size_t n = strcspn(entry, "=");
	char name[CFGFILE_ENV_SZ];
	char ours[CFGFILE_ENV_SZ];
	char guess[CFGFILE_ENV_SZ] = "";

	if (n >= sizeof(name) || n < 6)
		return;
	memcpy(name, entry, n);
	name[n] = '\0';
	for (size_t i = 0; i < CFG_KEY_N; i++) {
		const char *group = cfg_key_at(i)->group;
		unsigned d;

		if (strncasecmp(name, group, strlen(group)) != 0)
			continue;
		d = cfgload_distance(name, cfgfile_env_name(i, ours));
		if (d == 0)
			return;
		if (d <= 2)
			memcpy(guess, ours, sizeof(guess));
	}
	if (guess[0] != '\0')
		cfgload_warn(
		    l, "env %s: not a setting; did you mean %s?", name, guess);
}

static void
load_env(struct cfg_load *l, char *const *envp)
{
	const struct cfg_origin o = {.from = CFG_FROM_ENV};
	char name[CFGFILE_ENV_SZ];
	char where[CFGFILE_ENV_SZ + 8];

	for (size_t i = 0; i < CFG_KEY_N; i++) {
		const char *v = env_find(envp, cfgfile_env_name(i, name));

		if (v == NULL)
			continue;
		snprintf(where, sizeof(where), "env %s", name);
		cfgload_set(l, i, v, &o, where);
	}
	for (; *envp != NULL; envp++)
		env_warn(l, *envp);
}

/* true forces paper over everything; false makes live out of paper. */
static void
load_paper_mode(struct cfg_load *l, char *const *envp)
{
	const char *v = env_find(envp, "PAPER_MODE");
	const struct cfg_origin o = {
	    .from = CFG_FROM_ENV,
	    .paper_mode = true,
	};
	enum mode to;

	if (v == NULL)
		return;
	if (strcasecmp(v, "true") == 0)
		to = MODE_PAPER;
	else if (strcasecmp(v, "false") == 0)
		to = l->cfg.system_mode == MODE_PAPER
			 ? MODE_LIVE
			 : (enum mode)l->cfg.system_mode;
	else {
		cfgload_error(l,
		    "env PAPER_MODE: \"%.40s\" is neither true nor false", v);
		return;
	}
	if ((int32_t)to == l->cfg.system_mode)
		return;
	cfgload_set(
	    l, CFG_KEY_system_mode, mode_name(to), &o, "env PAPER_MODE");
}

static void
load_arg(struct cfg_load *l, const char *arg)
{
	const struct cfg_origin o = {.from = CFG_FROM_ARG};
	const char *dot = strchr(arg, '.');
	const char *eq = strchr(arg, '=');
	char group[CFGFILE_ENV_SZ];
	char name[CFGFILE_ENV_SZ];
	int key;

	if (dot == NULL || eq == NULL || dot > eq ||
	    (size_t)(eq - arg) >= sizeof(name)) {
		cfgload_error(
		    l, "command line: \"%.60s\" is not group.name=value", arg);
		return;
	}
	snprintf(group, sizeof(group), "%.*s", (int)(dot - arg), arg);
	snprintf(name, sizeof(name), "%.*s", (int)(eq - dot - 1), dot + 1);
	key = cfg_key_find(group, name);
	if (key < 0) {
		int guess = cfgload_guess(group, name);

		cfgload_error(l, "command line: %s.%s: unknown key%s%s%s%s",
		    group, name, guess < 0 ? "" : "; did you mean ",
		    guess < 0 ? "" : cfg_key_at((size_t)guess)->group,
		    guess < 0 ? "" : ".",
		    guess < 0 ? "" : cfg_key_at((size_t)guess)->name);
		return;
	}
	cfgload_set(l, (size_t)key, eq + 1, &o, "command line");
}

static void
load_file(struct cfg_load *l, const char *path)
{
	if (l->path_n == CFGFILE_N_MAX) {
		cfgload_error(l, "%s: more than %d configuration files", path,
		    CFGFILE_N_MAX);
		return;
	}
	if (strlen(path) >= CFGFILE_PATH_SZ) {
		cfgload_error(l, "%.60s...: path too long", path);
		return;
	}
	memcpy(l->path[l->path_n], path, strlen(path) + 1);
	l->path_n++;
	cfgload_yaml(l, path);
}

static void
warn_unused(struct cfg_load *l)
{
	char where[CFGFILE_ORIGIN_SZ];

	for (size_t i = 0; i < CFG_KEY_N; i++) {
		const struct cfg_key *k = cfg_key_at(i);

		if (k->apply != CFG_UNUSED ||
		    l->origin[i].from == CFG_FROM_DEFAULT)
			continue;
		cfgload_warn(l,
		    "%s: %s.%s: nothing in this build acts on it yet",
		    cfgfile_origin(l, i, where), k->group, k->name);
	}
}

int
cfgfile_load(struct cfg_load *l, const struct cfgfile_args *a)
{
	memset(l, 0, sizeof(*l));
	cfg_defaults(&l->cfg);
	for (size_t i = 0; i < CFG_KEY_N; i++)
		l->origin[i].from = CFG_FROM_DEFAULT;
	for (size_t i = 0; i < a->path_n; i++)
		load_file(l, a->paths[i]);
	if (a->envp != NULL)
		load_env(l, a->envp);
	for (size_t i = 0; i < a->arg_n; i++)
		load_arg(l, a->args[i]);
	if (a->envp != NULL)
		load_paper_mode(l, a->envp);
	warn_unused(l);
	if (l->error_n == 0)
		cfgload_rules(l);
	return l->error_n == 0 ? 0 : -EINVAL;
}

static void
print_notes(const struct cfg_note *list, size_t n, const char *kind, FILE *to)
{
	for (size_t i = 0; i < n && i < CFGFILE_NOTE_MAX; i++)
		fprintf(to, "%s: %s\n", kind, list[i].text);
	if (n > CFGFILE_NOTE_MAX)
		fprintf(to, "%s: and %zu more\n", kind, n - CFGFILE_NOTE_MAX);
}

void
cfgfile_errors(const struct cfg_load *l, FILE *to)
{
	print_notes(l->error, l->error_n, "error", to);
	print_notes(l->warning, l->warning_n, "warning", to);
}

int
cfgfile_state_dir(const struct cfg *c, char *buf, size_t sz)
{
	const char *base = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");
	int n;

	if (c->system_state_dir.s[0] != '\0')
		n = snprintf(buf, sz, "%s", c->system_state_dir.s);
	else if (base != NULL && base[0] == '/')
		n = snprintf(buf, sz, "%s/ringmaker", base);
	else if (home != NULL && home[0] == '/')
		n = snprintf(buf, sz, "%s/.local/state/ringmaker", home);
	else
		return -ENOENT;
	return n >= 0 && (size_t)n < sz ? 0 : -ENAMETOOLONG;
}
