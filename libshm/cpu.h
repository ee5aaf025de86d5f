/*
 * cpu.h - the three instructions that C has no word for.
 */
#ifndef LIBSHM_CPU_H
#define LIBSHM_CPU_H

#include <stdatomic.h>

/* cpu_prefetchw - ask for a line in the state that a store needs. */
static inline void
cpu_prefetchw(const void *p)
{
#if defined(__x86_64__)
	/* Without -mprfchw the builtin would ask for a shared copy. */
	__asm__ volatile("prefetchw %0" : : "m"(*(const char *)p));
#else
	__builtin_prefetch(p, 1, 3);
#endif
}

/* cpu_pause - one turn of a polite spin. */
static inline void
cpu_pause(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

/* cpu_fence_release - earlier stores before later ones. ThreadSanitizer knows
 * no fences and refuses to compile them. */
static inline void
cpu_fence_release(void)
{
#if defined(__SANITIZE_THREAD__)
	atomic_signal_fence(memory_order_release);
#else
	atomic_thread_fence(memory_order_release);
#endif
}

#endif
