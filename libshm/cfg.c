#include "libshm/cfg.h"

#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"

_Static_assert(sizeof(struct cfg) % 8 == 0, "published word by word");
_Static_assert(CFG_KEY_N < UINT16_MAX, "key indices fit uint16_t");

#define F_OFF(g, name) offsetof(struct cfg, g##_##name)
#define F_SZ(g, name)  sizeof(((const struct cfg *)0)->g##_##name)

static const struct cfg_key keys[CFG_KEY_N] = {
#define CFG(g, name, type, def, lo, hi, apply, doc)                    \
	{#g, #name, CFG_##type, (def), (lo), (hi), CFG_##apply, (doc), \
	    F_OFF(g, name), F_SZ(g, name)},
#include "libshm/cfg.def"
#undef CFG
};

static const struct {
	const char *group;
	const char *doc;
} groups[] = {
#define CFG(g, name, type, def, lo, hi, apply, doc)
#define CFG_GROUP(group, doc) {#group, (doc)},
#include "libshm/cfg.def"
#undef CFG
};

const struct cfg_key *
cfg_key_at(size_t i)
{
	CHECK(i < CFG_KEY_N);
	return &keys[i];
}

int
cfg_key_find(const char *group, const char *name)
{
	for (size_t i = 0; i < CFG_KEY_N; i++)
		if (strcmp(keys[i].group, group) == 0 &&
		    strcmp(keys[i].name, name) == 0)
			return (int)i;
	return -1;
}

const char *
cfg_group_doc(const char *group)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (strcmp(groups[i].group, group) == 0)
			return groups[i].doc;
	return NULL;
}

void
cfg_defaults(struct cfg *c)
{
	char why[CFG_WHY_SZ];

	memset(c, 0, sizeof(*c));
	for (size_t i = 0; i < CFG_KEY_N; i++)
		CHECK(cfg_set(c, i, keys[i].def, why));
}

const char *
cfg_type_name(enum cfg_type t)
{
	static const char *const names[CFG_TYPE_N] = {
	    [CFG_BOOL] = "bool",
	    [CFG_INT] = "integer",
	    [CFG_DEC] = "decimal",
	    [CFG_USD] = "dollars",
	    [CFG_DURATION] = "duration",
	    [CFG_BYTES] = "bytes",
	    [CFG_ENUM] = "name",
	    [CFG_STR] = "text",
	    [CFG_URL] = "url",
	    [CFG_LIST] = "list",
	};

	CHECK(t >= CFG_BOOL);
	CHECK(t < CFG_TYPE_N);
	return names[t];
}

const char *
cfg_apply_name(enum cfg_apply a)
{
	static const char *const names[CFG_APPLY_N] = {
	    [CFG_LIVE] = "live",
	    [CFG_RESTART] = "restart",
	    [CFG_UNUSED] = "not used yet",
	};

	CHECK(a >= CFG_LIVE);
	CHECK(a < CFG_APPLY_N);
	return names[a];
}

static bool
list_same(const struct cfg_list *a, const struct cfg_list *b)
{
	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (strcmp(a->item[i], b->item[i]) != 0)
			return false;
	return true;
}

/* What lies behind the end of a text does not count. */
static bool
field_same(const struct cfg_key *k, const void *a, const void *b)
{
	switch (k->type) {
	case CFG_BOOL:
	case CFG_INT:
	case CFG_DEC:
	case CFG_USD:
	case CFG_DURATION:
	case CFG_BYTES:
	case CFG_ENUM: return memcmp(a, b, k->sz) == 0;
	case CFG_STR:
	case CFG_URL: return strcmp(a, b) == 0;
	case CFG_LIST: return list_same(a, b);
	case CFG_TYPE_N: break;
	}
	CHECK(false);
	return false;
}

size_t
cfg_diff(const struct cfg *from, const struct cfg *to, uint16_t key[CFG_KEY_N],
    size_t *restart_n)
{
	size_t n = 0;

	*restart_n = 0;
	for (size_t i = 0; i < CFG_KEY_N; i++) {
		const struct cfg_key *k = &keys[i];

		if (field_same(k, (const char *)from + k->offset,
			(const char *)to + k->offset))
			continue;
		key[n++] = (uint16_t)i;
		*restart_n += k->apply == CFG_RESTART;
	}
	return n;
}

uint64_t
cfg_layout_hash(void)
{
	uint64_t h = hash_u64(HASH_SEED, sizeof(struct cfg));

	for (size_t i = 0; i < CFG_KEY_N; i++) {
		const struct cfg_key *k = &keys[i];

		h = hash_bytes(h, k->group, strlen(k->group));
		h = hash_bytes(h, k->name, strlen(k->name));
		h = hash_u64(h, (uint64_t)k->type);
		h = hash_u64(h, k->offset);
		h = hash_u64(h, k->sz);
		if (k->type == CFG_ENUM)
			h = hash_bytes(h, k->lo, strlen(k->lo));
	}
	return h;
}

int64_t
cfg_kill_switch_ns(const struct cfg *c, enum venue v)
{
	const int64_t own[VENUE_N] = {
	    [VENUE_POLYMARKET] = c->latency_kill_switch_polymarket_ms.ns,
	    [VENUE_BINANCE] = c->latency_kill_switch_binance_ms.ns,
	    [VENUE_HYPERLIQUID] = c->latency_kill_switch_hyperliquid_ms.ns,
	};

	CHECK((unsigned)v < VENUE_N);
	return own[v] > 0 ? own[v] : c->latency_kill_switch_ms.ns;
}

int64_t
cfg_resume_ns(const struct cfg *c, enum venue v)
{
	const int64_t own[VENUE_N] = {
	    [VENUE_POLYMARKET] = c->latency_resume_polymarket_ms.ns,
	    [VENUE_BINANCE] = c->latency_resume_binance_ms.ns,
	    [VENUE_HYPERLIQUID] = c->latency_resume_hyperliquid_ms.ns,
	};

	CHECK((unsigned)v < VENUE_N);
	return own[v] > 0 ? own[v] : c->latency_resume_ms.ns;
}

int64_t
cfg_feed_stale_ns(const struct cfg *c, enum venue v)
{
	switch (v) {
	case VENUE_POLYMARKET: return c->feed_stale_polymarket_s.ns;
	case VENUE_BINANCE: return c->feed_stale_binance_s.ns;
	case VENUE_HYPERLIQUID: return c->feed_stale_hyperliquid_s.ns;
	case VENUE_N: break;
	}
	CHECK(false);
	return 0;
}

bool
cfg_trades(const struct cfg *c, enum venue v)
{
	if (c->system_mode == MODE_CAPTURE)
		return false;
	return (v == VENUE_POLYMARKET && c->polymarket_enabled) ||
	       (v == VENUE_HYPERLIQUID && c->hyperliquid_enabled);
}

void
cfg_rrs(const struct cfg *c, double weight[RRS_N])
{
	rrs_defaults(weight);
#define RRS(name, label, bit, w, text) \
	weight[bit] = (double)c->rrs_##label.e8 / 1e8;
#include "libcore/rrs.def"
#undef RRS
}
