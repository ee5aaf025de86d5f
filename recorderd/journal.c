#include "recorderd/journal.h"

#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"

#define HEAD_SZ sizeof(struct journal_head)

/* What one journal_add may need: the padding of the block that it ends, a
 * gap, and a block of its own. */
#define ADD_ROOM (JOURNAL_ALIGN + HEAD_SZ + JOURNAL_ALIGN + HEAD_SZ + 128)

static size_t
padded(size_t n)
{
	return (n + JOURNAL_ALIGN - 1) & ~(size_t)(JOURNAL_ALIGN - 1);
}

void
journal_init(struct journal *j, void *buf, size_t cap, uint64_t run_id,
    const struct journal_open *open)
{
	CHECK(cap >= JOURNAL_BUF_MIN);
	CHECK(open->tap_n <= JOURNAL_TAPS_MAX);
	memset(j, 0, sizeof(*j));
	j->buf = buf;
	j->cap = cap;
	j->run_id = run_id;
	j->open = *open;
	for (unsigned i = 0; i < open->tap_n; i++)
		j->next_seq[i] = open->tap[i].next_seq;
}

/* Finish the header h of the block at p, whose payload is in place. */
static size_t
finish(uint8_t *p, struct journal_head *h, const struct journal *j,
    const struct journal_clock *now)
{
	size_t total = padded(HEAD_SZ + h->payload_len);

	h->magic = JOURNAL_MAGIC;
	h->version = JOURNAL_VERSION;
	h->run_id = j->run_id;
	h->block_seq = j->block_seq;
	h->mono_ns = now->mono_ns;
	h->wall_ns = now->wall_ns;
	h->payload_hash = hash_bytes(HASH_SEED, p + HEAD_SZ, h->payload_len);
	h->head_hash =
	    hash_bytes(HASH_SEED, h, offsetof(struct journal_head, head_hash));
	memcpy(p, h, HEAD_SZ);
	memset(
	    p + HEAD_SZ + h->payload_len, 0, total - HEAD_SZ - h->payload_len);
	return total;
}

void
journal_open_block(struct journal *j, uint8_t *dst, uint32_t segment,
    const struct journal_clock *now)
{
	struct journal_head h = {.kind = JOURNAL_OPEN,
	    .tap = JOURNAL_TAP_NONE,
	    .count = 1,
	    .payload_len = sizeof(struct journal_open)};

	j->open.segment = segment;
	memcpy(dst + HEAD_SZ, &j->open, sizeof(j->open));
	CHECK(finish(dst, &h, j, now) == JOURNAL_OPEN_SZ);
}

size_t
journal_instr_block(struct journal *j, uint8_t *dst,
    const struct journal_instr *in, unsigned n, const struct journal_clock *now)
{
	struct journal_head h = {.kind = JOURNAL_INSTR,
	    .tap = JOURNAL_TAP_NONE,
	    .count = n,
	    .payload_len = (uint32_t)(n * sizeof(*in))};

	CHECK(n >= 1);
	CHECK(n <= JOURNAL_INSTR_MAX);
	memcpy(dst + HEAD_SZ, in, h.payload_len);
	return finish(dst, &h, j, now);
}

void
journal_seal(struct journal *j, const struct journal_clock *now)
{
	struct journal_head h = {.kind = JOURNAL_SLOTS,
	    .tap = j->tap,
	    .count = j->count,
	    .first_seq = j->first_seq,
	    .first_ns = j->first_ns,
	    .last_ns = j->last_ns,
	    .payload_len = (uint32_t)j->fill};

	if (!j->is_open)
		return;
	j->len += finish(j->buf + j->len, &h, j, now);
	j->block_seq++;
	j->is_open = false;
	CHECK(j->len <= j->cap);
}

/* Room for n bytes of blocks after the open one is sealed. */
static bool
has_room(const struct journal *j, size_t n)
{
	size_t end = j->len + (j->is_open ? padded(HEAD_SZ + j->fill) : 0);

	return j->cap - end >= n;
}

/* A block that is whole at once. */
static void
put_block(struct journal *j, struct journal_head *h, const void *payload,
    const struct journal_clock *now)
{
	journal_seal(j, now);
	memcpy(j->buf + j->len + HEAD_SZ, payload, h->payload_len);
	j->len += finish(j->buf + j->len, h, j, now);
	j->block_seq++;
	CHECK(j->len <= j->cap);
}

static void
put_gap(struct journal *j, uint16_t tap, uint64_t next_seq, uint64_t to_ns,
    const struct journal_clock *now)
{
	struct journal_gap g = {.first_seq = j->next_seq[tap],
	    .lost_n = next_seq - j->next_seq[tap],
	    .from_ns = j->seen_ns[tap],
	    .to_ns = to_ns,
	    .cause =
		j->refuse_err[tap] != 0 ? JOURNAL_LOST_FILE : JOURNAL_LOST_RING,
	    .err = j->refuse_err[tap]};
	struct journal_head h = {.kind = JOURNAL_GAP,
	    .tap = tap,
	    .count = 1,
	    .first_seq = g.first_seq,
	    .payload_len = sizeof(g)};

	CHECK(next_seq > j->next_seq[tap]);
	put_block(j, &h, &g, now);
	j->next_seq[tap] = next_seq;
	j->refuse_err[tap] = 0;
	j->n[tap].gaps++;
	j->n[tap].lost += g.lost_n;
}

static void
begin_slots(struct journal *j, uint16_t tap, const union tap *slot)
{
	j->is_open = true;
	j->tap = tap;
	j->count = 0;
	j->fill = 0;
	j->first_seq = slot->hdr.seq;
	j->first_ns = slot->hdr.recv_ns;
}

bool
journal_add(struct journal *j, uint16_t tap, const union tap *slot,
    const struct journal_clock *now)
{
	size_t sz = journal_slot_sz(slot->hdr.kind, JOURNAL_VERSION);
	uint64_t seq = slot->hdr.seq;

	CHECK(tap < j->open.tap_n);
	uint64_t next = j->next_seq[tap];

	if (seq < next) {
		j->n[tap].dup++;
		return true;
	}
	if (!has_room(j, ADD_ROOM))
		return false;
	if (next != 0 && seq > next)
		put_gap(j, tap, seq, slot->hdr.recv_ns, now);
	if (j->is_open && (j->tap != tap || j->count == JOURNAL_BLOCK_MAX))
		journal_seal(j, now);
	if (!j->is_open)
		begin_slots(j, tap, slot);
	memcpy(j->buf + j->len + HEAD_SZ + j->fill, slot, sz);
	j->fill += sz;
	j->count++;
	j->last_ns = slot->hdr.recv_ns;
	j->seen_ns[tap] = slot->hdr.recv_ns;
	j->next_seq[tap] = seq + 1;
	j->n[tap].kept++;
	return true;
}

void
journal_refuse(struct journal *j, uint16_t tap, uint64_t seq, int err)
{
	CHECK(tap < j->open.tap_n);
	CHECK(err > 0);
	if (j->next_seq[tap] == 0)
		j->next_seq[tap] = seq;
	if (seq < j->next_seq[tap])
		return;
	j->refuse_err[tap] = err;
	if (seq >= j->refuse_end[tap])
		j->refuse_end[tap] = seq + 1;
	j->n[tap].refused++;
}

bool
journal_pass(struct journal *j, uint16_t tap, uint64_t next_seq,
    const struct journal_clock *now)
{
	CHECK(tap < j->open.tap_n);
	if (j->next_seq[tap] == 0 || next_seq <= j->next_seq[tap])
		return true;
	if (!has_room(j, HEAD_SZ + sizeof(struct journal_gap)))
		return false;
	put_gap(j, tap, next_seq, 0, now);
	return true;
}

size_t
journal_wrap(struct journal *j, uint8_t *block, const struct journal_head *what,
    const struct journal_clock *now)
{
	struct journal_head h = {.kind = what->kind,
	    .tap = JOURNAL_TAP_NONE,
	    .count = what->count,
	    .payload_len = what->payload_len};

	CHECK(h.payload_len <= JOURNAL_BLOCK_SZ - HEAD_SZ - JOURNAL_ALIGN);
	return finish(block, &h, j, now);
}

bool
journal_block_add(struct journal *j, const struct journal_head *what,
    const void *payload, const struct journal_clock *now)
{
	struct journal_head h = {.kind = what->kind,
	    .tap = JOURNAL_TAP_NONE,
	    .count = what->count,
	    .payload_len = what->payload_len};

	CHECK(h.payload_len <= JOURNAL_BLOCK_SZ - HEAD_SZ - JOURNAL_ALIGN);
	if (!has_room(j, padded(HEAD_SZ + h.payload_len)))
		return false;
	put_block(j, &h, payload, now);
	return true;
}

bool
journal_instr_add(struct journal *j, const struct journal_instr *in, unsigned n,
    const struct journal_clock *now)
{
	struct journal_head h = {.kind = JOURNAL_INSTR,
	    .tap = JOURNAL_TAP_NONE,
	    .count = n,
	    .payload_len = (uint32_t)(n * sizeof(*in))};

	CHECK(n >= 1);
	CHECK(n <= JOURNAL_INSTR_MAX);
	if (!has_room(j, HEAD_SZ + h.payload_len))
		return false;
	put_block(j, &h, in, now);
	return true;
}

bool
journal_close(struct journal *j, const struct journal_clock *now)
{
	struct journal_head h = {
	    .kind = JOURNAL_CLOSE, .tap = JOURNAL_TAP_NONE, .count = 1};

	if (!has_room(j, HEAD_SZ))
		return false;
	put_block(j, &h, "", now);
	return true;
}

/* Header of the sealed block at offset at of our own buffer. */
static struct journal_head
own_head(const struct journal *j, size_t at)
{
	struct journal_head h;

	CHECK(at + HEAD_SZ <= j->len);
	memcpy(&h, j->buf + at, HEAD_SZ);
	CHECK(h.magic == JOURNAL_MAGIC);
	return h;
}

size_t
journal_whole(const struct journal *j, size_t n)
{
	size_t at = 0;

	while (at < j->len) {
		struct journal_head h = own_head(j, at);
		size_t total = padded(HEAD_SZ + h.payload_len);

		if (at + total > n)
			break;
		at += total;
	}
	return at;
}

uint64_t
journal_left(const struct journal *j, uint64_t left[JOURNAL_TAPS_MAX])
{
	uint64_t sum = 0;
	struct journal_head h;

	memset(left, 0, JOURNAL_TAPS_MAX * sizeof(left[0]));
	for (size_t at = 0; at < j->len;
	     at += padded(HEAD_SZ + h.payload_len)) {
		h = own_head(j, at);
		if (h.kind != JOURNAL_SLOTS)
			continue;
		left[h.tap] += h.count;
		sum += h.count;
	}
	if (j->is_open) {
		left[j->tap] += j->count;
		sum += j->count;
	}
	return sum;
}

void
journal_taken(struct journal *j, size_t n)
{
	size_t rest = j->len + (j->is_open ? HEAD_SZ + j->fill : 0);

	CHECK(n <= j->len);
	for (size_t at = 0; at < n;) {
		struct journal_head h = own_head(j, at);
		struct journal_gap g;

		if (h.kind == JOURNAL_SLOTS)
			j->open.tap[h.tap].next_seq = h.first_seq + h.count;
		if (h.kind == JOURNAL_GAP) {
			memcpy(&g, j->buf + at + HEAD_SZ, sizeof(g));
			j->open.tap[h.tap].next_seq = g.first_seq + g.lost_n;
		}
		at += padded(HEAD_SZ + h.payload_len);
		CHECK(at <= n);
	}
	memmove(j->buf, j->buf + n, rest - n);
	j->len -= n;
}

/* A payload length that its kind allows: what a checksum cannot tell from a
 * file made on purpose. */
static bool
plausible(const struct journal_head *h)
{
	switch ((enum journal_kind)h->kind) {
	case JOURNAL_OPEN: return h->payload_len == sizeof(struct journal_open);
	case JOURNAL_SLOTS:
		return h->tap < JOURNAL_TAPS_MAX && h->count >= 1 &&
		       h->count <= JOURNAL_BLOCK_MAX &&
		       h->payload_len <= h->count * sizeof(union tap) &&
		       h->payload_len >= h->count * sizeof(struct tick);
	case JOURNAL_GAP:
		return h->tap < JOURNAL_TAPS_MAX &&
		       h->payload_len == sizeof(struct journal_gap);
	case JOURNAL_INSTR:
		return h->count >= 1 && h->count <= JOURNAL_INSTR_MAX &&
		       h->payload_len ==
			   h->count * sizeof(struct journal_instr);
	case JOURNAL_CLOSE: return h->payload_len == 0;
	case JOURNAL_ENTRY:
		return h->count >= 1 && h->count <= JOURNAL_INSTR_MAX &&
		       h->payload_len ==
			   h->count * sizeof(struct journal_entry);
	case JOURNAL_CONFIG:
		return h->payload_len >= sizeof(struct journal_cfg) &&
		       h->payload_len <= JOURNAL_CFG_MAX;
	case JOURNAL_KIND_N: break;
	}
	return false;
}

enum journal_verdict
journal_check(
    const uint8_t *p, size_t n, struct journal_head *head, size_t *total)
{
	if (n < HEAD_SZ)
		return JOURNAL_SHORT;
	memcpy(head, p, HEAD_SZ);
	if (head->magic != JOURNAL_MAGIC || head->version < 1 ||
	    head->version > JOURNAL_VERSION)
		return JOURNAL_BAD;
	if (head->head_hash != hash_bytes(HASH_SEED, head,
				   offsetof(struct journal_head, head_hash)))
		return JOURNAL_BAD;
	if (!plausible(head))
		return JOURNAL_BAD;
	*total = padded(HEAD_SZ + head->payload_len);
	if (*total > n)
		return JOURNAL_SHORT;
	if (head->payload_hash !=
	    hash_bytes(HASH_SEED, p + HEAD_SZ, head->payload_len))
		return JOURNAL_BAD;
	return JOURNAL_OK;
}

bool
journal_slot(const uint8_t *p, const struct journal_head *head, size_t *pos,
    union tap *slot)
{
	const uint8_t *at = p + HEAD_SZ + *pos;
	size_t left = head->payload_len - *pos;
	size_t sz = sizeof(slot->tick);

	CHECK(*pos <= head->payload_len);
	if (left < sz)
		return false;
	memset(slot, 0, sizeof(*slot));
	memcpy(slot, at, sz);
	if (journal_slot_sz(slot->hdr.kind, head->version) > sz) {
		sz = sizeof(*slot);
		if (left < sz)
			return false;
		memcpy(slot, at, sz);
	}
	*pos += sz;
	return true;
}

size_t
journal_slot_sz(uint8_t kind, uint16_t version)
{
	if (kind == TICK_TRACE && version > 1)
		return sizeof(struct tap_step);
	return slot_is_tick(kind) ? sizeof(struct tick) : sizeof(union tap);
}

bool
journal_cfg_next(const uint8_t *payload, size_t n, size_t *pos,
    const char **key, const char **value)
{
	const char *p = (const char *)payload;
	const char *end = *pos < n ? memchr(p + *pos, '\0', n - *pos) : NULL;

	if (end == NULL)
		return false;
	size_t at = (size_t)(end - p) + 1;
	const char *end2 = at < n ? memchr(p + at, '\0', n - at) : NULL;

	if (end2 == NULL)
		return false;
	*key = p + *pos;
	*value = p + at;
	*pos = (size_t)(end2 - p) + 1;
	return true;
}

const char *
journal_cause_name(uint32_t cause)
{
	static const char *const t[JOURNAL_CAUSE_N] = {
	    [JOURNAL_LOST_RING] = "ring",
	    [JOURNAL_LOST_FILE] = "file",
	    [JOURNAL_LOST_BLOCK] = "damaged",
	    [JOURNAL_LOST_TAP] = "tap_full",
	};

	return cause < JOURNAL_CAUSE_N && t[cause] != NULL ? t[cause] : "?";
}
