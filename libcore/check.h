/*
 * check.h - assertions that stay on in production.
 *
 * CHECK(e)  : we are wrong when e is false. Prints one JSON line on stderr
 *             and aborts; the supervisor restarts the stage. A dozen cost
 *             about a third of a nanosecond. One condition per CHECK.
 * DCHECK(e) : the same for walks over whole structures; compiled in only
 *             in sanitizer builds (RM_DCHECK=1), but always type-checked.
 *
 * Never CHECK anything that came from a socket, a file or a person.
 */
#ifndef LIBCORE_CHECK_H
#define LIBCORE_CHECK_H

#ifndef RM_DCHECK
#define RM_DCHECK 0
#endif

_Noreturn void check_fail(
    const char *expr, const char *file, int line, const char *func);

#define CHECK(e)                    \
	(__builtin_expect(!!(e), 1) \
		? (void)0           \
		: check_fail(#e, __FILE__, __LINE__, __func__))

#define DCHECK(e)                 \
	do {                      \
		if (RM_DCHECK)    \
			CHECK(e); \
	} while (0)

#endif
