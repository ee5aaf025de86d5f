#define _GNU_SOURCE
#include "execd/signer_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "libsys/log.h"

static int
refuse(const char *file, const char *what)
{
	LOG(LOG_ATTACH_REFUSED, F_STR("file", file), F_STR("what", what));
	return EXIT_TEMPORARY;
}

int
signer_lock(
    const struct stage *s, enum venue v, const struct address *who, int *fd)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
	char text[ADDRESS_TEXT_MAX];
	char file[96];

	*fd = -1;
	if (s->cfg.system_mode == MODE_SIM)
		return 0;
	address_format_lower(who, text);
	snprintf(file, sizeof(file), "../ringmaker-signer.%s.%s", venue_name(v),
	    text);
	*fd = openat(s->instance.dirfd, file,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*fd < 0)
		return refuse(file, strerror(errno));
	if (fcntl(*fd, F_OFD_SETLK, &l) == 0)
		return 0;
	close(*fd);
	*fd = -1;
	return refuse(file, "another engine signs with this key: stop it, or "
			    "give this one a key of its own");
}
