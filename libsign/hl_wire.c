#include "libsign/hl_wire.h"

#include <string.h>

#include "libcore/check.h"
#include "libsign/hex.h"

void
hl_wire_init(struct hl_wire *w, const struct hl_wire_bufs *bufs)
{
	memset(w, 0, sizeof(*w));
	msgpack_init(&w->mp, bufs->mp, bufs->mp_cap);
	w->json = bufs->json;
	w->cap = bufs->json_cap;
}

static void
put(struct hl_wire *w, const char *s, size_t n)
{
	if (w->full || w->cap - w->n < n) {
		w->full = true;
		return;
	}
	memcpy(w->json + w->n, s, n);
	w->n += n;
}

/* What stands before a value: a comma, unless it is the first or follows
 * its key. Counts the value. */
static void
begin(struct hl_wire *w)
{
	unsigned top = w->depth - 1U;

	if (w->depth == 0)
		return;
	CHECK(w->open[top].map == w->after_key);
	CHECK(w->open[top].left > 0);
	if (!w->after_key && !w->open[top].first)
		put(w, ",", 1);
	w->open[top].first = false;
	w->after_key = false;
	w->open[top].left--;
}

/* What is full is closed, and what it was the last member of. */
static void
close_full(struct hl_wire *w)
{
	while (w->depth > 0 && w->open[w->depth - 1].left == 0) {
		w->depth--;
		put(w, w->open[w->depth].map ? "}" : "]", 1);
	}
}

static void
enter(struct hl_wire *w, bool map, uint16_t members)
{
	begin(w);
	CHECK(w->depth < HL_WIRE_DEPTH);
	w->open[w->depth].left = members;
	w->open[w->depth].map = map;
	w->open[w->depth].first = true;
	w->depth++;
	put(w, map ? "{" : "[", 1);
	close_full(w);
}

void
hl_wire_map(struct hl_wire *w, uint16_t keys)
{
	msgpack_map(&w->mp, keys);
	enter(w, true, keys);
}

void
hl_wire_array(struct hl_wire *w, uint16_t items)
{
	msgpack_array(&w->mp, items);
	enter(w, false, items);
}

static void
put_quoted(struct hl_wire *w, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		CHECK(
		    s[i] >= ' ' && s[i] <= '~' && s[i] != '"' && s[i] != '\\');
	put(w, "\"", 1);
	put(w, s, n);
	put(w, "\"", 1);
}

void
hl_wire_key(struct hl_wire *w, const char *key)
{
	size_t n = strlen(key);

	CHECK(w->depth > 0);
	CHECK(w->open[w->depth - 1].map);
	CHECK(!w->after_key);
	msgpack_str(&w->mp, key, n);
	if (!w->open[w->depth - 1].first)
		put(w, ",", 1);
	put_quoted(w, key, n);
	put(w, ":", 1);
	w->after_key = true;
}

void
hl_wire_str(struct hl_wire *w, const char *s, size_t n)
{
	begin(w);
	msgpack_str(&w->mp, s, n);
	put_quoted(w, s, n);
	close_full(w);
}

void
hl_wire_text(struct hl_wire *w, const char *s)
{
	hl_wire_str(w, s, strlen(s));
}

void
hl_wire_bool(struct hl_wire *w, bool v)
{
	begin(w);
	msgpack_bool(&w->mp, v);
	put(w, v ? "true" : "false", v ? 4 : 5);
	close_full(w);
}

void
hl_wire_uint(struct hl_wire *w, uint64_t v)
{
	char text[20];

	begin(w);
	msgpack_uint(&w->mp, v);
	put(w, text, (size_t)(dec_put(text, v) - text));
	close_full(w);
}

void
hl_wire_int(struct hl_wire *w, int64_t v)
{
	char text[21] = "-";

	if (v >= 0) {
		hl_wire_uint(w, (uint64_t)v);
		return;
	}
	begin(w);
	msgpack_int(&w->mp, v);
	put(w, text, (size_t)(dec_put(text + 1, 0 - (uint64_t)v) - text));
	close_full(w);
}

bool
hl_wire_end(const struct hl_wire *w)
{
	CHECK(w->depth == 0);
	return !w->full && !w->mp.full;
}
