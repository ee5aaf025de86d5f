#include "libcore/queue.h"

#include "libcore/check.h"

void
queue_join(struct queue *q, enum queue_model m, qty_t displayed)
{
	CHECK(displayed.e8 >= 0);
	CHECK(m == QUEUE_FRONT || m == QUEUE_BACK);
	q->ahead = m == QUEUE_BACK ? displayed : QTY(0);
	q->echo = QTY(0);
	q->echo_ns = 0;
}

qty_t
queue_trade(struct queue *q, qty_t qty, uint64_t now_ns)
{
	int64_t left = qty.e8;
	int64_t take;

	CHECK(qty.e8 >= 0);
	if (now_ns - q->echo_ns > QUEUE_ECHO_NS)
		q->echo = QTY(0);
	take = i64_min(left, q->echo.e8);
	q->echo.e8 -= take;
	left -= take;
	take = i64_min(left, q->ahead.e8);
	q->ahead.e8 -= take;
	CHECK(q->ahead.e8 >= 0);
	return QTY(left - take);
}

void
queue_level(struct queue *q, qty_t displayed, uint64_t now_ns)
{
	CHECK(displayed.e8 >= 0);
	if (displayed.e8 >= q->ahead.e8)
		return;
	if (now_ns - q->echo_ns > QUEUE_ECHO_NS)
		q->echo = QTY(0);
	q->echo.e8 += q->ahead.e8 - displayed.e8;
	q->echo_ns = now_ns;
	q->ahead = displayed;
}

void
queue_resnap(struct queue *q, qty_t displayed)
{
	CHECK(displayed.e8 >= 0);
	q->ahead.e8 = i64_min(q->ahead.e8, displayed.e8);
	q->echo = QTY(0);
}
