#define _GNU_SOURCE
#include "execd/bookfile_io.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "libcore/hash.h"
#include "libsys/log.h"
#include "libsys/stage.h"

#define VERSION UINT64_C(1)

static int
failed(const char *name, const struct err *e)
{
	LOG(LOG_ATTACH_REFUSED, F_STR("file", name), F_STR("what", e->text));
	return e->code == -EBUSY || e->code == -ENOENT ? EXIT_TEMPORARY
						       : EXIT_PERMANENT;
}

static int
create(const struct instance *in, const struct shm_spec *spec, struct err *e)
{
	struct shm_map m = {0};
	int rc = shm_create(&m, in->dirfd, spec, e);

	if (rc == 0)
		rc = shm_finish(&m, in->dirfd, spec, e);
	if (rc == 0) {
		shm_close_fd(&m);
		shm_unmap(&m);
	}
	return rc;
}

int
bookfile_open(struct bookfile *f, const struct instance *in, const char *stage,
    size_t n, uint64_t layout, bool *fresh)
{
	char name[32];
	struct shm_spec spec = {.name = name,
	    .kind = SHM_BOOK,
	    .layout = hash_u64(hash_u64(layout, n), VERSION),
	    .size = sizeof(struct shm_hdr) + n,
	    .writable = true};
	struct err e;
	int rc;

	memset(f, 0, sizeof(*f));
	snprintf(name, sizeof(name), "book.%s", stage);
	rc = shm_attach(&f->map, in->dirfd, &spec, &e);
	*fresh = rc == -ENOENT;
	if (*fresh) {
		rc = create(in, &spec, &e);
		if (rc == 0)
			rc = shm_attach(&f->map, in->dirfd, &spec, &e);
	}
	if (rc < 0)
		return failed(name, &e);
	rc = shm_lock(&f->map, 0);
	if (rc < 0) {
		(void)err_set(&e, rc, "another process works in %s", name);
		shm_unmap(&f->map);
		f->map = (struct shm_map){0};
		return failed(name, &e);
	}
	f->mem = (char *)f->map.base + sizeof(struct shm_hdr);
	return 0;
}

void
bookfile_close(struct bookfile *f)
{
	if (f->mem == NULL)
		return;
	shm_unmap(&f->map);
	memset(f, 0, sizeof(*f));
}
