#include "libcore/queue.h"

#include <math.h>

#include "libcore/check.h"

static double
weight(enum queue_model m, qty_t q)
{
	double x = (double)q.e8 / (double)E8;
	double w = 1;

	if (m == QUEUE_PROB_LOG)
		return log1p(x);
	for (int k = 0; k < QUEUE_POWER; k++)
		w *= x;
	return w;
}

double
queue_behind(enum queue_model m, qty_t front, qty_t back)
{
	double f;
	double b;

	CHECK(m == QUEUE_PROB_POWER || m == QUEUE_PROB_LOG);
	CHECK(front.e8 >= 0);
	CHECK(back.e8 >= 0);
	f = weight(m, front);
	b = weight(m, back);
	return f + b > 0 ? b / (f + b) : 0.5;
}

void
queue_join(struct queue *q, enum queue_model m, qty_t displayed)
{
	CHECK(displayed.e8 >= 0);
	CHECK(m >= QUEUE_FRONT && m < QUEUE_MODEL_N);
	q->ahead = m == QUEUE_FRONT ? QTY(0) : displayed;
	q->echo = QTY(0);
	q->echo_ns = 0;
	q->shown = displayed;
	q->traded_e8 = 0;
	q->traded_ns = 0;
	q->model = (uint64_t)m;
}

static bool
is_prob(const struct queue *q)
{
	return q->model == QUEUE_PROB_POWER || q->model == QUEUE_PROB_LOG;
}

/* Prints and falls of the level explain each other, in either order. What
 * of a fall has no print yet is returned; a print is a negative fall. */
static int64_t
unexplained(struct queue *q, int64_t fell, uint64_t now_ns)
{
	int64_t known;

	if (now_ns - q->traded_ns > QUEUE_ECHO_NS)
		q->traded_e8 = 0;
	known = i64_clamp(q->traded_e8, 0, i64_max(0, fell));
	q->traded_e8 -= fell;
	q->traded_ns = now_ns;
	return fell - known;
}

qty_t
queue_trade(struct queue *q, qty_t qty, uint64_t now_ns)
{
	int64_t left = qty.e8;
	int64_t take;

	CHECK(qty.e8 >= 0);
	if (now_ns - q->echo_ns > QUEUE_ECHO_NS)
		q->echo = QTY(0);
	if (is_prob(q))
		unexplained(q, -qty.e8, now_ns);
	take = i64_min(left, q->echo.e8);
	q->echo.e8 -= take;
	left -= take;
	take = i64_min(left, q->ahead.e8);
	q->ahead.e8 -= take;
	CHECK(q->ahead.e8 >= 0);
	return QTY(left - take);
}

/* How much of `fell` was ahead of us, by the model. */
static int64_t
fell_ahead(const struct queue *q, int64_t fell)
{
	int64_t back = i64_max(0, q->shown.e8 - q->ahead.e8);
	double behind =
	    queue_behind((enum queue_model)q->model, q->ahead, QTY(back));
	int64_t off = (int64_t)((double)fell * (1 - behind));

	return i64_clamp(off, 0, i64_min(fell, q->ahead.e8));
}

void
queue_level(struct queue *q, qty_t displayed, uint64_t now_ns)
{
	int64_t to = i64_min(q->ahead.e8, displayed.e8);
	int64_t fell = q->shown.e8 - displayed.e8;

	CHECK(displayed.e8 >= 0);
	if (is_prob(q) && fell > 0)
		to = i64_min(to,
		    q->ahead.e8 - fell_ahead(q, unexplained(q, fell, now_ns)));
	q->shown = displayed;
	if (to >= q->ahead.e8)
		return;
	if (now_ns - q->echo_ns > QUEUE_ECHO_NS)
		q->echo = QTY(0);
	q->echo.e8 += q->ahead.e8 - to;
	q->echo_ns = now_ns;
	q->ahead = QTY(to);
}

void
queue_resnap(struct queue *q, qty_t displayed)
{
	CHECK(displayed.e8 >= 0);
	q->ahead.e8 = i64_min(q->ahead.e8, displayed.e8);
	q->echo = QTY(0);
	q->shown = displayed;
	q->traded_e8 = 0;
}
