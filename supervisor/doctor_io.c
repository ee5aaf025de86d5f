/* supervisor doctor: execd of each venue says whether its orders would be
 * taken. It is given the configuration, and only it the key. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "supervisor/envkey_io.h"
#include "supervisor/opts.h"
#include "supervisor/spawn_io.h"
#include "supervisor/sweep_io.h"

/* The configuration as a file that only its descriptor names. */
static int
cfg_file(const struct cfg *c)
{
	int fd = memfd_create("config", MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	if (write(fd, c, sizeof(*c)) == (ssize_t)sizeof(*c) &&
	    lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	close(fd);
	return -1;
}

static int
examine(const struct sup_opts *o, const struct cfg *c, enum stage_id id)
{
	struct spawn_doctor_args a = {.id = id, .json = o->json};
	struct pollfd p = {.events = POLLIN};
	char bin[512];
	uint32_t status = 0;
	struct err e;
	pid_t pid;
	int rc;

	if (spawn_bin_dir(bin, sizeof(bin)) < 0)
		return SUP_SOFTWARE;
	a.bin_dir = bin;
	a.in_fd = cfg_file(c);
	if (a.in_fd < 0)
		return SUP_TEMPORARY;
	fflush(stdout);
	rc = spawn_doctor(&a, &pid, &p.fd, &e);
	close(a.in_fd);
	if (rc < 0) {
		fprintf(stderr, "supervisor: %s\n", e.text);
		return SUP_TEMPORARY;
	}
	while (poll(&p, 1, -1) < 0 && errno == EINTR)
		continue;
	spawn_status(p.fd, &status);
	close(p.fd);
	return (status & 0x7f) != 0 ? SUP_SOFTWARE : (int)(status >> 8 & 0xff);
}

int
cmd_doctor(const struct sup_opts *o)
{
	static struct cfg_load l;
	uint32_t mask;
	int worst = 0;
	int rc = opts_config(o, &l);

	if (rc != 0)
		return rc;
	mask = sweep_mask(&l.cfg);
	if (o->word_n > 0)
		mask &= opts_stages(o->word, o->word_n, mask);
	if (mask == 0) {
		fprintf(stderr,
		    "supervisor: nothing to examine: these settings (mode %s) "
		    "send no orders there; doctor is for modes sim and live\n",
		    mode_name((enum mode)l.cfg.system_mode));
		return SUP_CONFIG;
	}
	for (int i = 0; i < ST_N; i++) {
		if ((mask >> i & 1) == 0)
			continue;
		rc = examine(o, &l.cfg, (enum stage_id)i);
		if (worst == 0)
			worst = rc;
	}
	return worst;
}
