#include "libsign/pm_body.h"

#include <string.h>

#include "libcore/check.h"
#include "libsign/hex.h"

#define ID_LEN (2 + 2 * HASH_SZ)

/* Text that grows; what does not fit makes the whole empty. */
struct out {
	char *buf;
	size_t cap;
	size_t n;
	bool bad;
};

static void
add(struct out *o, const char *s, size_t n)
{
	if (o->bad || o->cap - o->n <= n) {
		o->bad = true;
		return;
	}
	memcpy(o->buf + o->n, s, n);
	o->n += n;
}

static void
add_text(struct out *o, const char *s)
{
	add(o, s, strlen(s));
}

/* An id from the venue or a file: it must not end the string it is in. */
static void
add_word(struct out *o, const char *s)
{
	for (const char *p = s; *p != '\0'; p++)
		if (!((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
			(*p >= 'A' && *p <= 'Z') || *p == '-' || *p == '_'))
			o->bad = true;
	add_text(o, s);
}

static void
add_id(struct out *o, const uint8_t id[HASH_SZ])
{
	char text[ID_LEN] = {'0', 'x'};

	hex_put(text + 2, id, HASH_SZ);
	add(o, text, sizeof(text));
}

static size_t
finish(struct out *o)
{
	CHECK(o->cap > 0);
	o->buf[o->bad ? 0 : o->n] = '\0';
	return o->bad ? 0 : o->n;
}

void
pm_batch_begin(struct pm_batch *b, char *buf, size_t cap)
{
	CHECK(cap >= 3);
	*b = (struct pm_batch){.buf = buf, .cap = cap, .n = 1};
	buf[0] = '[';
}

bool
pm_batch_add(struct pm_batch *b, const char *body, size_t n)
{
	/* A comma before, the bracket and NUL after. */
	if (b->orders == PM_BATCH_MAX || n == 0 || b->cap - b->n < n + 3)
		return false;
	if (b->orders > 0)
		b->buf[b->n++] = ',';
	memcpy(b->buf + b->n, body, n);
	b->n += n;
	b->orders++;
	return true;
}

size_t
pm_batch_end(struct pm_batch *b)
{
	CHECK(b->cap - b->n >= 2);
	if (b->orders == 0)
		return 0;
	b->buf[b->n++] = ']';
	b->buf[b->n] = '\0';
	return b->n;
}

size_t
pm_cancel_body(const uint8_t id[HASH_SZ], char *buf, size_t cap)
{
	struct out o = {.buf = buf, .cap = cap};

	add_text(&o, "{\"orderID\":\"");
	add_id(&o, id);
	add_text(&o, "\"}");
	return finish(&o);
}

size_t
pm_cancels_body(const uint8_t (*id)[HASH_SZ], size_t n, char *buf, size_t cap)
{
	struct out o = {.buf = buf, .cap = cap};

	CHECK(n > 0);
	CHECK(n <= PM_CANCEL_MAX);
	for (size_t i = 0; i < n; i++) {
		add_text(&o, i == 0 ? "[\"" : "\",\"");
		add_id(&o, id[i]);
	}
	add_text(&o, "\"]");
	return finish(&o);
}

size_t
pm_cancel_market_body(
    const char *market, const char *asset, char *buf, size_t cap)
{
	struct out o = {.buf = buf, .cap = cap};

	CHECK(market != NULL || asset != NULL);
	add_text(&o, "{");
	if (market != NULL) {
		add_text(&o, "\"market\":\"");
		add_word(&o, market);
		add_text(&o, asset != NULL ? "\"," : "\"");
	}
	if (asset != NULL) {
		add_text(&o, "\"asset_id\":\"");
		add_word(&o, asset);
		add_text(&o, "\"");
	}
	add_text(&o, "}");
	return finish(&o);
}

size_t
pm_heartbeat_body(const char *id, char *buf, size_t cap)
{
	struct out o = {.buf = buf, .cap = cap};

	add_text(&o, "{\"heartbeat_id\":\"");
	add_word(&o, id);
	add_text(&o, "\"}");
	return finish(&o);
}
