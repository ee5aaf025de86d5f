#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "recorderd/rec_io.h"
#include "recorderd/tool.h"
#include "recorderd/truth.h"

/* "2026-08-01" to midnight UTC. */
static bool
parse_day(const char *text, int64_t *ns)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%d", &tm);

	if (end == NULL || *end != '\0' || strlen(text) != 10)
		return false;
	*ns = (int64_t)timegm(&tm) * NS_PER_S;
	return *ns > 0;
}

static int
read_day(struct truth *t, const char *dir)
{
	const struct reader_args a = {
	    .dir = dir, .to_ns = t->end_ns, .with_trace = true};
	struct reader *r;
	struct reader_event ev;
	struct err e;
	int rc = reader_open(&r, &a, &e);

	if (rc != 0) {
		fprintf(stderr, "recorderd: %s\n", e.text);
		return rc;
	}
	while ((rc = reader_next(r, &ev)) == 1)
		truth_step(t, &ev);
	if (rc < 0)
		fprintf(stderr, "recorderd: %s\n", reader_why(r));
	reader_close(r);
	truth_end(t);
	return rc;
}

/* <dir>/reports/DAY.json, whole or not at all. */
static int
write_file(const struct tool_args *a, const char *text, size_t n)
{
	char path[REC_PATH_SZ];
	char temp[REC_PATH_SZ + 8];

	snprintf(path, sizeof(path), "%s/reports", a->dir);
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		return -errno;
	snprintf(path, sizeof(path), "%s/reports/%s.json", a->dir, a->word[0]);
	if (!a->force && access(path, F_OK) == 0)
		return -EEXIST;
	snprintf(temp, sizeof(temp), "%s.tmp", path);
	int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;
	int rc = write(fd, text, n) == (ssize_t)n ? 0 : -EIO;

	if (rc == 0 && fsync(fd) != 0)
		rc = -errno;
	close(fd);
	if (rc == 0 && rename(temp, path) != 0)
		rc = -errno;
	if (rc == 0)
		fprintf(stderr, "%s\n", path);
	else
		unlink(temp);
	return rc;
}

int
tool_report(const struct tool_args *a)
{
	struct truth *t = malloc(sizeof(*t));
	char *text = malloc(TRUTH_JSON_SZ);
	struct cfg *cfg = malloc(sizeof(*cfg));
	int64_t day = 0;
	int rc = 0;

	if (!parse_day(a->word[0], &day)) {
		fprintf(stderr, "recorderd: not a day like 2026-08-01: %s\n",
		    a->word[0]);
		rc = TOOL_USAGE;
	} else if (t == NULL || text == NULL || cfg == NULL) {
		rc = 111;
	} else {
		cfg_defaults(cfg);
		truth_init(t, day, cfg);
		int err = read_day(t, a->dir);
		size_t n = err == 0 ? truth_json(t, text, TRUTH_JSON_SZ) : 0;

		rc = err == -ENOENT ? TOOL_NO_INPUT
		     : err != 0	    ? TOOL_DAMAGED
				    : 0;
		if (rc == 0 && t->slots == 0) {
			fprintf(stderr, "recorderd: nothing recorded on %s\n",
			    a->word[0]);
			rc = TOOL_NO_INPUT;
		}
		if (rc == 0 && a->json) {
			fwrite(text, 1, n, stdout);
		} else if (rc == 0) {
			err = write_file(a, text, n);
			if (err != 0)
				fprintf(stderr, "recorderd: report: %s%s\n",
				    strerror(-err),
				    err == -EEXIST ? "; --force replaces it"
						   : "");
			rc = err != 0 ? TOOL_NO_WRITE : 0;
		}
		if (rc == 0 && (t->lost > 0 || t->over_n > 0))
			rc = TOOL_DAMAGED;
	}
	free(cfg);
	free(text);
	free(t);
	return rc;
}
