#include "libcore/lstm.h"

#include <math.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/fixed.h"
#include "libcore/hash.h"

#define VERSION	  1
#define OUT_MAX	  8.0
#define NUM_MAX	  (INT64_C(1000000) * E8)
#define WHOLE_MAX INT64_C(86400)

static double
sigmoid(double x)
{
	return 1.0 / (1.0 + exp(-x));
}

void
lstm_step(const struct lstm *m, struct lstm_state *s, const double in[LSTM_IN],
    double *out, struct lstm_trace *trace)
{
	struct lstm_trace t = {.out = m->w[LSTM_W - 1]};

	for (unsigned i = 0; i < LSTM_IN; i++)
		t.in[i] = isfinite(in[i])
			      ? (in[i] - m->in_mean[i]) / m->in_scale[i]
			      : 0.0;
	memcpy(t.h0, s->h, sizeof(t.h0));
	memcpy(t.c0, s->c, sizeof(t.c0));
	for (unsigned g = 0; g < LSTM_GATES; g++)
		for (unsigned k = 0; k < LSTM_HIDDEN; k++) {
			const double *w =
			    &m->w[(g * LSTM_HIDDEN + k) * LSTM_ROW];
			double x = w[LSTM_ROW - 1];

			for (unsigned i = 0; i < LSTM_IN; i++)
				x += w[i] * t.in[i];
			for (unsigned i = 0; i < LSTM_HIDDEN; i++)
				x += w[LSTM_IN + i] * t.h0[i];
			t.gate[g][k] =
			    g == LSTM_GATES - 1 ? tanh(x) : sigmoid(x);
		}
	for (unsigned k = 0; k < LSTM_HIDDEN; k++) {
		t.c[k] = t.gate[1][k] * t.c0[k] + t.gate[0][k] * t.gate[3][k];
		t.h[k] = t.gate[2][k] * tanh(t.c[k]);
		t.out += m->w[LSTM_OUT + k] * t.h[k];
	}
	memcpy(s->h, t.h, sizeof(s->h));
	memcpy(s->c, t.c, sizeof(s->c));
	s->n++;
	*out =
	    m->out_mean + m->out_scale * fmax(-OUT_MAX, fmin(OUT_MAX, t.out));
	if (trace != 0)
		*trace = t;
}

/* The text that is left, by lines. */
struct reader {
	const char *s;
	const char *end;
	uint32_t line;
};

/* Next word of the line, up to a blank; empty at its end. */
static struct reader
word(struct reader *r)
{
	struct reader w = {r->s, r->s, r->line};

	while (r->s < r->end && *r->s != ' ' && *r->s != '\n')
		r->s++;
	w.end = r->s;
	if (r->s < r->end && *r->s == ' ')
		r->s++;
	return w;
}

static bool
is(struct reader w, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(w.end - w.s) == n && memcmp(w.s, text, n) == 0;
}

static bool
end_line(struct reader *r)
{
	if (r->s >= r->end || *r->s != '\n')
		return false;
	r->s++;
	r->line++;
	return true;
}

static bool
number(struct reader *r, double *out)
{
	struct reader w = word(r);
	int64_t e8;

	if (!fixed_parse(w.s, (size_t)(w.end - w.s), 8, true, NUM_MAX, &e8))
		return false;
	*out = (double)e8 / 1e8;
	return true;
}

static bool
whole(struct reader *r, const char *name, uint32_t *out)
{
	struct reader w;
	int64_t v;

	if (!is(word(r), name))
		return false;
	w = word(r);
	if (!fixed_parse(w.s, (size_t)(w.end - w.s), 0, false, WHOLE_MAX, &v) ||
	    v == 0)
		return false;
	*out = (uint32_t)v;
	return end_line(r);
}

/* name MEAN SCALE, n times. */
static bool
scales(
    struct reader *r, const char *name, double *mean, double *scale, unsigned n)
{
	if (!is(word(r), name))
		return false;
	for (unsigned i = 0; i < n; i++)
		if (!number(r, &mean[i]) || !number(r, &scale[i]) ||
		    !(scale[i] > 0.0))
			return false;
	return end_line(r);
}

static bool
shape(struct reader *r)
{
	struct reader w = word(r);
	double in;
	double hidden;

	return is(w, "shape") && number(r, &in) && number(r, &hidden) &&
	       fabs(in - LSTM_IN) < 0.5 && fabs(hidden - LSTM_HIDDEN) < 0.5 &&
	       end_line(r);
}

static void
hex(uint64_t v, char text[17])
{
	for (unsigned i = 0; i < 16; i++)
		text[i] = "0123456789abcdef"[v >> (60 - 4 * i) & 15];
	text[16] = '\0';
}

static const char *
parse(struct reader *r, const char *text, struct lstm *m)
{
	char sum[17];

	if (!is(word(r), "ringmaker-lstm"))
		return "not a weights file";
	if (!is(word(r), "1") || !end_line(r))
		return "unknown version";
	if (!shape(r))
		return "another shape than this build has";
	if (!whole(r, "step_s", &m->step_s))
		return "step_s is not 1 to 86400";
	if (!whole(r, "horizon_s", &m->horizon_s))
		return "horizon_s is not 1 to 86400";
	if (!scales(r, "in", m->in_mean, m->in_scale, LSTM_IN))
		return "in needs a mean and a scale for each input";
	if (!scales(r, "out", &m->out_mean, &m->out_scale, 1))
		return "out needs a mean and a scale";
	for (unsigned i = 0; i < LSTM_W; i++)
		if (!is(word(r), "w") || !number(r, &m->w[i]) || !end_line(r))
			return "a weight is missing or malformed";
	hex(hash_bytes(HASH_SEED, text, (size_t)(r->s - text)), sum);
	if (!is(word(r), "checksum") || !is(word(r), sum) || !end_line(r))
		return "checksum differs";
	return r->s == r->end ? 0 : "something follows the checksum";
}

const char *
lstm_parse(struct lstm *m, const char *text, size_t n, uint32_t *line)
{
	struct reader r = {text, text + n, 1};
	struct lstm got;
	const char *why;

	memset(&got, 0, sizeof(got));
	why = parse(&r, text, &got);
	*line = r.line;
	if (why == 0)
		*m = got;
	return why;
}

struct writer {
	char *buf;
	size_t n;
};

static void
put(struct writer *w, const char *text)
{
	size_t n = strlen(text);

	CHECK(w->n + n < LSTM_FILE_SZ);
	memcpy(w->buf + w->n, text, n);
	w->n += n;
}

static void
put_number(struct writer *w, double v, const char *after)
{
	char text[FIXED_TEXT_MAX];

	CHECK(fabs(v) < 1e6);
	fixed_format(llround(v * 1e8), 8, text);
	put(w, text);
	put(w, after);
}

static void
put_whole(struct writer *w, const char *name, int64_t v, const char *after)
{
	char text[FIXED_TEXT_MAX];

	put(w, name);
	fixed_format(v, 0, text);
	put(w, text);
	put(w, after);
}

size_t
lstm_format(const struct lstm *m, char *buf)
{
	struct writer w = {buf, 0};
	char sum[17];

	put_whole(&w, "ringmaker-lstm ", VERSION, "\n");
	put_whole(&w, "shape ", LSTM_IN, " ");
	put_whole(&w, "", LSTM_HIDDEN, "\n");
	put_whole(&w, "step_s ", m->step_s, "\n");
	put_whole(&w, "horizon_s ", m->horizon_s, "\nin ");
	for (unsigned i = 0; i < LSTM_IN; i++) {
		put_number(&w, m->in_mean[i], " ");
		put_number(
		    &w, m->in_scale[i], i + 1 < LSTM_IN ? " " : "\nout ");
	}
	put_number(&w, m->out_mean, " ");
	put_number(&w, m->out_scale, "\n");
	for (unsigned i = 0; i < LSTM_W; i++) {
		put(&w, "w ");
		put_number(&w, m->w[i], "\n");
	}
	hex(hash_bytes(HASH_SEED, buf, w.n), sum);
	put(&w, "checksum ");
	put(&w, sum);
	put(&w, "\n");
	return w.n;
}
