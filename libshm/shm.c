#define _GNU_SOURCE
#include "libshm/shm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "libcore/check.h"

#define SHM_MAGIC UINT64_C(0x31524b414d474e52) /* "RNGMAKR1" */

static const char *
kind_name(uint32_t kind)
{
	static const char *const t[SHM_KIND_N] = {
	    [SHM_RING] = "ring",
	    [SHM_CTL] = "control page",
	    [SHM_CONFIG] = "config page",
	    [SHM_INSTR] = "instrument table",
	    [SHM_METRICS] = "metrics page",
	    [SHM_STORE] = "store",
	    [SHM_WHY] = "page of reasons",
	    [SHM_BOOK] = "book",
	};

	return kind < SHM_KIND_N && t[kind] != 0 ? t[kind] : "unknown";
}

/* The sentence for an errno of the operating system. */
static int
os_err(struct err *e, int code, const char *verb, const struct shm_spec *s)
{
	const char *advice = "";

	if (code == ENOSPC)
		advice = ": shared memory is full; remove old instances or "
			 "enlarge it (mount -o remount,size=1G /dev/shm)";
	else if (code == EROFS)
		advice = ": the directory is mounted read-only; remount it or "
			 "set RINGMAKER_SHM to a writable tmpfs";
	else if (code == EACCES || code == EPERM)
		advice = ": run as the user who owns the instance";
	else if (code == EEXIST)
		advice = ": remove it, or use another instance name";
	else if (code == ENOENT)
		advice = ": start the instance first";
	return err_set(e, -code, "cannot %s %s: %s%s", verb, s->name,
	    strerror(code), advice);
}

int
shm_boot_id(uint8_t out[16])
{
	char text[64];
	ssize_t n;
	unsigned k = 0;
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text));
	close(fd);
	memset(out, 0, 16);
	for (ssize_t i = 0; i < n && k < 32; i++) {
		unsigned c = (unsigned char)text[i];
		unsigned v = c >= '0' && c <= '9'   ? c - '0'
			     : c >= 'a' && c <= 'f' ? c - 'a' + 10
						    : 16;

		if (v > 15)
			continue;
		out[k / 2] = (uint8_t)(out[k / 2] << 4 | v);
		k++;
	}
	return k == 32 ? 0 : -EINVAL;
}

static void
tmp_name(char *buf, size_t n, const char *name)
{
	snprintf(buf, n, ".%s.%ld", name, (long)getpid());
}

static int
alloc_file(int fd, size_t size)
{
	if (fchmod(fd, 0600) < 0)
		return errno;
	return posix_fallocate(fd, 0, (off_t)size);
}

static int
map_file(struct shm_map *m, int fd, size_t size, bool writable)
{
	int prot = writable ? PROT_READ | PROT_WRITE : PROT_READ;
	void *p = mmap(0, size, prot, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return errno;
	m->base = p;
	m->size = size;
	m->fd = fd;
	return 0;
}

static int
fill_header(struct shm_hdr *h, const struct shm_spec *s)
{
	struct timespec ts;

	h->abi = SHM_ABI;
	h->kind = s->kind;
	h->layout = s->layout;
	h->size = s->size;
	h->run_id = s->run_id;
	clock_gettime(CLOCK_REALTIME, &ts);
	h->created_wall_ns =
	    (uint64_t)ts.tv_sec * UINT64_C(1000000000) + (uint64_t)ts.tv_nsec;
	snprintf(h->name, sizeof(h->name), "%s", s->name);
	return shm_boot_id(h->boot_id);
}

int
shm_create(
    struct shm_map *m, int dirfd, const struct shm_spec *s, struct err *e)
{
	char tmp[80];
	int rc;
	int fd;

	CHECK(s->size >= sizeof(struct shm_hdr));
	CHECK(s->kind > 0 && s->kind < SHM_KIND_N);
	CHECK(strlen(s->name) < sizeof(((struct shm_hdr *)0)->name));
	tmp_name(tmp, sizeof(tmp), s->name);
	/* A leftover of a dead process that had our pid. */
	unlinkat(dirfd, tmp, 0);
	fd = openat(dirfd, tmp,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return os_err(e, errno, "create", s);
	rc = alloc_file(fd, s->size);
	if (rc == 0)
		rc = map_file(m, fd, s->size, true);
	if (rc != 0) {
		unlinkat(dirfd, tmp, 0);
		close(fd);
		return os_err(e, rc, "allocate", s);
	}
	rc = fill_header(m->base, s);
	if (rc < 0) {
		unlinkat(dirfd, tmp, 0);
		shm_unmap(m);
		return os_err(e, -rc, "read the boot id for", s);
	}
	return 0;
}

int
shm_finish(
    struct shm_map *m, int dirfd, const struct shm_spec *s, struct err *e)
{
	char tmp[80];
	struct shm_hdr *h = m->base;

	CHECK(h->magic == 0);
	tmp_name(tmp, sizeof(tmp), s->name);
	atomic_store_explicit(
	    (_Atomic uint64_t *)&h->magic, SHM_MAGIC, memory_order_release);
	if (renameat2(dirfd, tmp, dirfd, s->name, RENAME_NOREPLACE) < 0) {
		int code = errno;

		unlinkat(dirfd, tmp, 0);
		shm_unmap(m);
		return os_err(e, code, "put into place", s);
	}
	return 0;
}

static int
check_file(int fd, const struct shm_spec *s, size_t *size, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return os_err(e, errno, "look at", s);
	if (!S_ISREG(st.st_mode))
		return err_set(e, -EINVAL, "%s is not a regular file", s->name);
	if (st.st_uid != geteuid())
		return err_set(e, -EPERM,
		    "%s belongs to uid %ld, this process runs as %ld", s->name,
		    (long)st.st_uid, (long)geteuid());
	if ((st.st_mode & 077) != 0)
		return err_set(e, -EPERM,
		    "%s is open to others (mode %04o, expected 0600)", s->name,
		    (unsigned)st.st_mode & 07777u);
	if (st.st_size < (off_t)sizeof(struct shm_hdr))
		return err_set(e, -EMSGSIZE,
		    "%s has %lld bytes, too short for its header", s->name,
		    (long long)st.st_size);
	*size = (size_t)st.st_size;
	return 0;
}

static int
check_header(const struct shm_hdr *h, const struct shm_spec *s, size_t size,
    struct err *e)
{
	uint8_t boot[16];

	if (atomic_load_explicit((const _Atomic uint64_t *)&h->magic,
		memory_order_acquire) != SHM_MAGIC)
		return err_set(e, -EINVAL,
		    "%s is not one of ours (wrong magic number)", s->name);
	if (h->abi != SHM_ABI)
		return err_set(e, -EPROTO,
		    "%s has ABI %u, this program speaks %u: restart all "
		    "stages with one build",
		    s->name, h->abi, SHM_ABI);
	if (h->kind != s->kind)
		return err_set(e, -EPROTO, "%s is a %s, expected a %s", s->name,
		    kind_name(h->kind), kind_name(s->kind));
	if (h->layout != s->layout)
		return err_set(e, -EPROTO,
		    "%s has layout %016" PRIx64 ", this program %016" PRIx64
		    ": restart all stages with one build",
		    s->name, h->layout, s->layout);
	if (shm_boot_id(boot) < 0 || memcmp(boot, h->boot_id, 16) != 0)
		return err_set(e, -ESTALE,
		    "%s was made before the last boot: start the instance "
		    "again",
		    s->name);
	if (h->size != size || (s->size != 0 && s->size != size))
		return err_set(e, -EMSGSIZE,
		    "%s has %zu bytes, its header says %" PRIu64
		    ", expected %zu",
		    s->name, size, h->size, s->size != 0 ? s->size : size);
	return 0;
}

int
shm_attach(
    struct shm_map *m, int dirfd, const struct shm_spec *s, struct err *e)
{
	size_t size = 0;
	int flags = (s->writable ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC |
		    O_NONBLOCK;
	int fd = openat(dirfd, s->name, flags);
	int rc;

	if (fd < 0)
		return os_err(e, errno, "open", s);
	rc = check_file(fd, s, &size, e);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	rc = map_file(m, fd, size, s->writable);
	if (rc != 0) {
		close(fd);
		return os_err(e, rc, "map", s);
	}
	rc = check_header(m->base, s, size, e);
	if (rc < 0)
		shm_unmap(m);
	return rc;
}

void
shm_close_fd(struct shm_map *m)
{
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
}

void
shm_unmap(struct shm_map *m)
{
	if (m->base != 0)
		munmap(m->base, m->size);
	m->base = 0;
	m->size = 0;
	shm_close_fd(m);
}

int
shm_lock(const struct shm_map *m, unsigned byte)
{
	struct flock l = {.l_type = F_WRLCK,
	    .l_whence = SEEK_SET,
	    .l_start = byte,
	    .l_len = 1};

	CHECK(m->fd >= 0);
	if (fcntl(m->fd, F_OFD_SETLK, &l) == 0)
		return 0;
	return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

bool
shm_lock_held(int fd, unsigned byte)
{
	struct flock l = {.l_type = F_WRLCK,
	    .l_whence = SEEK_SET,
	    .l_start = byte,
	    .l_len = 1};

	return fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}
