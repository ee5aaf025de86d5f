#define _GNU_SOURCE
#include "libsys/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "libcore/check.h"
#include "libsys/log.h"

/* A refused call ends in a signal whose handler makes it fail; elsewhere the
 * kernel makes it fail and nobody counts. */
#if defined(__x86_64__)
#define RESULT_OF(uc) ((uc)->uc_mcontext.gregs[REG_RAX])
#elif defined(__aarch64__)
#define RESULT_OF(uc) ((uc)->uc_mcontext.regs[0])
#endif

/* What the C library and the stage loop need after start-up. */
static const int calls_all[] = {
    SCMP_SYS(read),
    SCMP_SYS(readv),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(close),
    SCMP_SYS(lseek),
    SCMP_SYS(fstat),
    SCMP_SYS(newfstatat),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(futex),
    SCMP_SYS(membarrier),
    SCMP_SYS(sched_yield),
    SCMP_SYS(nanosleep),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getppid),
    SCMP_SYS(getrusage),
    SCMP_SYS(getrandom),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigpending),
    SCMP_SYS(rt_sigtimedwait),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(rseq),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
};

/* riskd also keeps its checkpoint, in a file that is already open. */
static const int calls_riskd[] = {
    SCMP_SYS(pread64),
    SCMP_SYS(pwrite64),
    SCMP_SYS(ftruncate),
    SCMP_SYS(fsync),
    SCMP_SYS(fdatasync),
};

/* Commands of fcntl that neither open nor pass anything on. */
static const int fcntl_commands[] = {F_GETFL, F_OFD_GETLK, F_OFD_SETLK};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct {
	volatile sig_atomic_t denied_n;
	volatile sig_atomic_t last; /* call number + 1 */
} self;

#ifdef RESULT_OF
static void
on_denied(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	self.denied_n++;
	self.last = si->si_syscall + 1;
	RESULT_OF(uc) = -EPERM;
}
#endif

uint64_t
sandbox_denied_n(void)
{
	return (uint64_t)self.denied_n;
}

const char *
sandbox_denied_name(void)
{
	static char name[32];
	char *found;

	if (self.last == 0)
		return NULL;
	found =
	    seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, self.last - 1);
	strncpy(name, found != NULL ? found : "unknown", sizeof(name) - 1);
	free(found);
	return name;
}

void
sandbox_housekeep(void)
{
	static uint64_t told_n;
	uint64_t n = sandbox_denied_n();

	if (n == told_n)
		return;
	told_n = n;
	LOG(LOG_SANDBOX_DENIED, F_STR("syscall", sandbox_denied_name()),
	    F_U64("n", n));
}

static int
allow_list(scmp_filter_ctx ctx, const int *call, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call[i], 0);

		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Calls that are allowed with some arguments only: memory that cannot be
 * executed, signals to ourselves, harmless fcntl. */
static int
allow_some(scmp_filter_ctx ctx)
{
	const struct scmp_arg_cmp no_exec =
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	const struct scmp_arg_cmp own =
	    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid());
	int rc = seccomp_rule_add_array(
	    ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &no_exec);

	if (rc == 0)
		rc = seccomp_rule_add_array(
		    ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, &no_exec);
	if (rc == 0)
		rc = seccomp_rule_add_array(
		    ctx, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &own);
	for (size_t i = 0; rc == 0 && i < COUNT(fcntl_commands); i++) {
		const struct scmp_arg_cmp cmd =
		    SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)fcntl_commands[i]);

		rc = seccomp_rule_add_array(
		    ctx, SCMP_ACT_ALLOW, SCMP_SYS(fcntl), 1, &cmd);
	}
	return rc;
}

static uint32_t
refusal(enum cfg_sandbox mode)
{
	if (mode == CFG_SANDBOX_PROD)
		return SCMP_ACT_KILL_PROCESS;
#ifdef RESULT_OF
	return SCMP_ACT_TRAP;
#else
	return SCMP_ACT_ERRNO(EPERM);
#endif
}

static int
install_handler(void)
{
#ifdef RESULT_OF
	struct sigaction sa = {.sa_sigaction = on_denied};
	sigset_t set;

	sa.sa_flags = SA_SIGINFO | SA_RESTART;
	if (sigaction(SIGSYS, &sa, NULL) < 0)
		return -errno;
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	if (sigprocmask(SIG_UNBLOCK, &set, NULL) < 0)
		return -errno;
#endif
	return 0;
}

static int
seal_calls(enum sandbox_kind kind, enum cfg_sandbox mode)
{
	scmp_filter_ctx ctx = seccomp_init(refusal(mode));
	int rc;

	if (ctx == NULL)
		return -ENOMEM;
	rc = seccomp_attr_set(
	    ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (rc == 0)
		rc = allow_list(ctx, calls_all, COUNT(calls_all));
	if (rc == 0 && kind == SANDBOX_RISKD)
		rc = allow_list(ctx, calls_riskd, COUNT(calls_riskd));
	if (rc == 0)
		rc = allow_some(ctx);
	if (rc == 0 && mode == CFG_SANDBOX_DEV)
		rc = install_handler();
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	return rc;
}

/* The kernel's struct of ABI 6; Debian's headers know only the first word.
 * An older kernel takes it while the words it does not know are zero. */
struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

/* Rights that each ABI can take away: all of them are. */
static struct ruleset
everything(int abi)
{
	struct ruleset r = {.fs = (UINT64_C(1) << 13) - 1};

	if (abi >= 2)
		r.fs |= UINT64_C(1) << 13; /* rename between directories */
	if (abi >= 3)
		r.fs |= UINT64_C(1) << 14; /* truncate */
	if (abi >= 5)
		r.fs |= UINT64_C(1) << 15; /* ioctl on devices */
	if (abi >= 4)
		r.net = 3; /* bind and connect TCP */
	if (abi >= 6)
		r.scoped = 3; /* abstract sockets, signals to others */
	return r;
}

/* Returns the ABI that was applied, 0 when there is none to apply. */
static int
seal_files(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset r;
	long fd;
	long rc;

	if (abi <= 0)
		return 0;
	r = everything((int)abi);
	fd = syscall(SYS_landlock_create_ruleset, &r, sizeof(r), 0);
	if (fd < 0) /* ABI 1 to 3 on kernels with the short struct */
		fd = syscall(SYS_landlock_create_ruleset, &r, sizeof(r.fs), 0);
	if (fd < 0)
		return 0;
	rc = syscall(SYS_landlock_restrict_self, fd, 0);
	close((int)fd);
	return rc == 0 ? (int)abi : 0;
}

int
sandbox_seal(enum sandbox_kind kind, enum cfg_sandbox mode,
    struct sandbox_report *r, struct err *e)
{
	int rc;

	CHECK(kind >= SANDBOX_QUOTED);
	CHECK(kind < SANDBOX_KIND_N);
	CHECK(mode >= CFG_SANDBOX_OFF);
	CHECK(mode < CFG_SANDBOX_N);
	memset(r, 0, sizeof(*r));
	if (mode == CFG_SANDBOX_OFF)
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(e, -errno,
		    "cannot give up privileges: no_new_privs: %s",
		    strerror(errno));
	r->landlock_abi = seal_files();
	rc = seal_calls(kind, mode);
	if (rc < 0)
		return err_set(e, rc,
		    "cannot install the system call filter: %s; the kernel "
		    "needs CONFIG_SECCOMP_FILTER, or set sandbox.mode: off",
		    strerror(-rc));
	r->seccomp = true;
	return 0;
}
