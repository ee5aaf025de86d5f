/*
 * cfgkit.h - one configuration loaded from texts, for tests of cfgfile.h.
 */
#ifndef TESTS_UNIT_CFGKIT_H
#define TESTS_UNIT_CFGKIT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libsys/cfgfile.h"

static struct cfg_load l;
static char dir[] = "/tmp/test_cfgfile.XXXXXX";
static char path[128];	/* the file of a case */
static char path2[128]; /* a second layer */

static void
write_file(const char *to, const char *bytes, size_t n)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
}

/* Load one file with this text, this environment, these arguments. */
static int
load(const char *text, char *const *envp, const char *arg)
{
	const char *paths[] = {path};
	const struct cfgfile_args a = {
	    .paths = paths,
	    .path_n = text != NULL,
	    .envp = envp,
	    .args = &arg,
	    .arg_n = arg != NULL,
	};

	if (text != NULL)
		write_file(path, text, strlen(text));
	return cfgfile_load(&l, &a);
}

static int
make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/a.yaml", dir);
	snprintf(path2, sizeof(path2), "%s/b.yaml", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	(void)state;
	unlink(path);
	unlink(path2);
	return rmdir(dir);
}

#endif
