#define _GNU_SOURCE
#include "libshm/bell.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "libcore/check.h"

#define LIMIT_NS_FALLBACK UINT64_C(1000000)

/* Whether this process takes part in membarrier; set once at start. */
static bool registered;

static long
membarrier(int cmd)
{
	return syscall(SYS_membarrier, cmd, 0, 0);
}

bool
bell_register(void)
{
	registered = membarrier(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED) == 0;
	return registered;
}

uint64_t
bell_limit_ns(void)
{
	return registered ? BELL_SLEEP_NS_MAX : LIMIT_NS_FALLBACK;
}

void
bell_wake(struct bell_ref *r)
{
	struct bell *b = r->bell;
	uint32_t how;

	CHECK(b != 0);
	/* Several producers may ring at once: the exchange picks one. */
	how = atomic_exchange_explicit(
	    &b->sleeping, BELL_AWAKE, memory_order_acq_rel);
	if (how == BELL_AWAKE)
		return;
	atomic_fetch_add_explicit(&b->word, 1, memory_order_release);
	atomic_fetch_add_explicit(&b->wakes, 1, memory_order_relaxed);
	if (how == BELL_FUTEX) {
		syscall(SYS_futex, &b->word, FUTEX_WAKE, 1, 0, 0, 0);
	} else if (r->fifo_fd >= 0) {
		/* A full FIFO is readable already: nothing is lost. */
		ssize_t n = write(r->fifo_fd, "", 1);

		(void)n;
	}
}

void
bell_prepare(struct bell *b, uint32_t how)
{
	CHECK(how == BELL_FUTEX || how == BELL_FIFO);
	atomic_exchange_explicit(&b->sleeping, how, memory_order_seq_cst);
	/* The other half of the producers' missing fence: after this call
	 * each of them has either seen the flag or made its slot visible. */
	if (registered)
		membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED);
}

void
bell_cancel(struct bell *b)
{
	atomic_store_explicit(&b->sleeping, BELL_AWAKE, memory_order_relaxed);
}

void
bell_wait(struct bell *b, uint64_t limit_ns)
{
	/* The word first, then the flag: a waker clears the flag before it
	 * bumps the word, so with the flag still up the bump is to come and
	 * the kernel's comparison or its wake will catch it. */
	uint32_t word = atomic_load_explicit(&b->word, memory_order_acquire);
	struct timespec ts;

	if (limit_ns > bell_limit_ns())
		limit_ns = bell_limit_ns();
	if (atomic_load_explicit(&b->sleeping, memory_order_acquire) !=
	    BELL_AWAKE) {
		ts.tv_sec = 0;
		ts.tv_nsec = (long)limit_ns;
		syscall(SYS_futex, &b->word, FUTEX_WAIT, word, &ts, 0, 0);
	}
	bell_cancel(b);
}

int
bell_fifo_open(int dirfd, const char *stage, struct err *e)
{
	char name[64];
	struct stat st;
	int fd;

	snprintf(name, sizeof(name), "bell.%s", stage);
	fd = openat(dirfd, name, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(
		    e, -errno, "cannot open %s: %s", name, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode)) {
		close(fd);
		return err_set(e, -EINVAL, "%s is not a FIFO", name);
	}
	if (st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
		close(fd);
		return err_set(e, -EPERM,
		    "%s belongs to or is open to others (uid %ld, mode %04o)",
		    name, (long)st.st_uid, (unsigned)st.st_mode & 07777u);
	}
	return fd;
}

void
bell_fifo_drain(int fd)
{
	char buf[256];
	ssize_t n;

	do
		n = read(fd, buf, sizeof(buf));
	while (n == (ssize_t)sizeof(buf) || (n < 0 && errno == EINTR));
}
