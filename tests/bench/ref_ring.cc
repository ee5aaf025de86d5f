// Reference queues of bench_ring: boost's and moodycamel's.
#include "tests/bench/bench_ring.h"

#include <boost/lockfree/spsc_queue.hpp>
#include <cstring>
#include <new>
#include <readerwriterqueue.h>

template <size_t SZ> struct message {
	uint64_t w[SZ / 8];
};

static inline void
relax()
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#endif
}

template <class Q, class M>
static void
produce(Q *q, uint64_t n, unsigned char *source)
{
	for (uint64_t i = 0; i < n; i++) {
		const M *m = (const M *)(const void *)source_at(
		    source, i, sizeof(M));
		while (!q->push(*m))
			;
	}
}

template <class Q, class M>
static uint64_t
consume(Q *q, uint64_t n)
{
	uint64_t sum = 0;
	alignas(64) M m;

	for (uint64_t i = 0; i < n; i++) {
		while (!q->pop(m))
			relax();
		sum += m.w[0] + m.w[sizeof(M) / 8 - 1];
	}
	return sum;
}

using small = message<64>;
using large = message<128>;

template <class M>
using boost_queue = boost::lockfree::spsc_queue<M,
    boost::lockfree::capacity<QUEUE_DEPTH>>;

template <class M> struct moody {
	moodycamel::ReaderWriterQueue<M> q{QUEUE_DEPTH};
	bool
	push(const M &m)
	{
		return q.try_enqueue(m);
	}
	bool
	pop(M &m)
	{
		return q.try_dequeue(m);
	}
};

template <template <class> class Q>
static void
init(void *q, int big)
{
	if (big)
		new (q) Q<large>();
	else
		new (q) Q<small>();
}

template <template <class> class Q>
static void
fini(void *q, int big)
{
	if (big)
		((Q<large> *)q)->~Q<large>();
	else
		((Q<small> *)q)->~Q<small>();
}

template <template <class> class Q>
static void
produce_any(void *q, int big, uint64_t n, unsigned char *source)
{
	if (big)
		produce<Q<large>, large>((Q<large> *)q, n, source);
	else
		produce<Q<small>, small>((Q<small> *)q, n, source);
}

template <template <class> class Q>
static uint64_t
consume_any(void *q, int big, uint64_t n)
{
	return big ? consume<Q<large>, large>((Q<large> *)q, n)
		   : consume<Q<small>, small>((Q<small> *)q, n);
}

extern "C" {
const struct bench_queue ref_boost = {"boost_spsc", 0,
    sizeof(boost_queue<large>), init<boost_queue>, fini<boost_queue>, produce_any<boost_queue>,
    consume_any<boost_queue>};
const struct bench_queue ref_moodycamel = {"moodycamel", 1,
    sizeof(moody<large>), init<moody>, fini<moody>, produce_any<moody>,
    consume_any<moody>};
}
