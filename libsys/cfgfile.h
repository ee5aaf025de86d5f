/*
 * cfgfile.h - configuration from YAML files and the environment.
 *
 * Layers    : default < file 1 < file 2 ... < environment < command line.
 *             A preset is simply an earlier file.
 * Files     : YAML, `group:` then `name: value`, values scalars or lists of
 *             scalars. Refused: unknown and repeated keys, anchors, aliases,
 *             tags, several documents, anything nested deeper, bytes that are
 *             not UTF-8, files over CFGFILE_SZ_MAX, what is not a regular
 *             file. Nothing is guessed: every value is text until its line in
 *             cfg.def types it, so `no` is a country and 0.1 is exact.
 * Environment: GROUP_NAME for every key; PAPER_MODE (SPEC of system.mode).
 * Errors    : all of them are collected, as `file:line:column: key: what,
 *             allowed range`. One error and the whole load is refused.
 */
#ifndef LIBSYS_CFGFILE_H
#define LIBSYS_CFGFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "libshm/cfg.h"

#define CFGFILE_SZ_MAX	 (1 << 20)
#define CFGFILE_N_MAX	 8  /* files of one load */
#define CFGFILE_NOTE_MAX 64 /* errors, and warnings, that are kept */
#define CFGFILE_PATH_SZ	 256

enum cfg_from {
	CFG_FROM_DEFAULT = 1,
	CFG_FROM_FILE,
	CFG_FROM_ENV,
	CFG_FROM_ARG,
	CFG_FROM_N
};

/* Where the value of a key came from. */
struct cfg_origin {
	enum cfg_from from;
	uint32_t file_idx; /* of cfg_load.path, when from a file */
	uint32_t line;	   /* 1.. */
	uint32_t column;   /* 1.. */
	bool paper_mode;   /* PAPER_MODE decided, not SYSTEM_MODE */
};

struct cfg_note {
	char text[512];
};

/* One load. About 130 KiB: static or on the heap, not on the stack. */
struct cfg_load {
	struct cfg cfg;
	struct cfg_origin origin[CFG_KEY_N];
	char path[CFGFILE_N_MAX][CFGFILE_PATH_SZ];
	size_t path_n;
	struct cfg_note error[CFGFILE_NOTE_MAX];
	size_t error_n; /* may exceed CFGFILE_NOTE_MAX: the rest is counted */
	struct cfg_note warning[CFGFILE_NOTE_MAX];
	size_t warning_n;
};

/*
 * cfgfile_load - everything at once.
 * paths : path_n files in rising precedence; none is allowed.
 * envp  : environment, or NULL for none.
 * args  : arg_n texts `group.name=value` of the command line.
 * Returns : 0; or -EINVAL with l->error_n > 0. l->cfg is complete and valid
 *           only when 0 is returned.
 */
struct cfgfile_args {
	const char *const *paths;
	size_t path_n;
	char *const *envp;
	const char *const *args;
	size_t arg_n;
};
int cfgfile_load(struct cfg_load *l, const struct cfgfile_args *a);

/* cfgfile_errors - print every error, then every warning, one a line. */
void cfgfile_errors(const struct cfg_load *l, FILE *to);

/*
 * cfgfile_dump_text - a table: key, value, origin. With doc, the comment of
 * each key and its allowed range above it.
 */
void cfgfile_dump_text(const struct cfg_load *l, bool doc, FILE *to);

/*
 * cfgfile_dump_json - one object: {"keys":[{"key","value","default","origin",
 * "type","apply","env","doc"}...]}. Values are text, as in the file.
 */
void cfgfile_dump_json(const struct cfg_load *l, FILE *to);

/* cfgfile_origin - "default", "etc/paper.yaml:12:7", "env MM_MAX_SPREAD",
 * "command line". Returns buf. */
#define CFGFILE_ORIGIN_SZ (CFGFILE_PATH_SZ + 64)
const char *cfgfile_origin(
    const struct cfg_load *l, size_t key, char buf[CFGFILE_ORIGIN_SZ]);

/* cfgfile_env_name - "MM_MAX_SPREAD". Returns buf. */
#define CFGFILE_ENV_SZ 96
const char *cfgfile_env_name(size_t key, char buf[CFGFILE_ENV_SZ]);

/*
 * cfgfile_diff - what a reload would change, for people: one line a key,
 * `mm.max_spread: 0.08 -> 0.1 (live)`.
 * Returns : how many keys differ; *restart_n of them need a restart.
 */
size_t cfgfile_diff(
    const struct cfg *from, const struct cfg *to, size_t *restart_n, FILE *out);

/*
 * cfgfile_state_dir - system.state_dir, or its default from the environment.
 * Returns : 0, or -ENOENT when neither HOME nor XDG_STATE_HOME is set,
 *           -ENAMETOOLONG when it does not fit.
 */
int cfgfile_state_dir(const struct cfg *c, char *buf, size_t sz);

/* cfgfile_url_used - does anything connect to the address of key i, an URL? */
bool cfgfile_url_used(const struct cfg *c, size_t i);

/* cfgload_guess - the key that group.name was probably meant to be, -1 when
 * none is near; cfgload_guess_group likewise, NULL when none. */
int cfgload_guess(const char *group, const char *name);
const char *cfgload_guess_group(const char *group);

#endif
