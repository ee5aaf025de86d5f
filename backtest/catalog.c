#include "backtest/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/hash.h"

#define CFG_MAX 64u

struct catalog *
catalog_new(void)
{
	struct catalog *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->message = calloc(CATALOG_MESSAGES, sizeof(c->message[0]));
	c->key = calloc(CATALOG_MESSAGES, sizeof(c->key[0]));
	c->index = calloc(CATALOG_INDEX, sizeof(c->index[0]));
	c->cfg = calloc(CFG_MAX, sizeof(c->cfg[0]));
	if (c->message == NULL || c->key == NULL || c->index == NULL ||
	    c->cfg == NULL) {
		catalog_free(c);
		return NULL;
	}
	return c;
}

void
catalog_free(struct catalog *c)
{
	free(c->message);
	free(c->key);
	free(c->index);
	free(c->cfg);
	free(c);
}

/* ---- settings ---- */

static void
see_cfg(struct catalog *c, const struct reader_event *ev)
{
	const char *dot = strchr(ev->cfg_key, '.');
	char group[64];
	char why[CFG_WHY_SZ];
	uint32_t i = 0;
	int key;

	while (i < c->cfg_n && c->cfg[i].epoch != ev->cfg_epoch)
		i++;
	if (i == CFG_MAX || dot == NULL ||
	    (size_t)(dot - ev->cfg_key) >= sizeof(group)) {
		c->bad_cfg++;
		return;
	}
	if (i == c->cfg_n) {
		c->cfg_n++;
		c->cfg[i].epoch = ev->cfg_epoch;
		cfg_defaults(&c->cfg[i].cfg);
	}
	memcpy(group, ev->cfg_key, (size_t)(dot - ev->cfg_key));
	group[dot - ev->cfg_key] = '\0';
	key = cfg_key_find(group, dot + 1);
	if (key < 0 ||
	    !cfg_set(&c->cfg[i].cfg, (size_t)key, ev->cfg_value, why))
		c->bad_cfg++;
}

const struct cfg *
catalog_cfg(const struct catalog *c, uint64_t epoch)
{
	for (uint32_t i = 0; i < c->cfg_n; i++)
		if (c->cfg[i].epoch == epoch)
			return &c->cfg[i].cfg;
	return c->cfg_n > 0 ? &c->cfg[0].cfg : NULL;
}

void
catalog_see(struct catalog *c, const struct reader_event *ev)
{
	if (ev->kind == READER_CONFIG)
		see_cfg(c, ev);
}

/* ---- messages ---- */

/* All of the head but the sequence, which is the ring's. */
static uint64_t
key_of(const uint64_t head[8])
{
	uint64_t h = HASH_SEED;

	for (unsigned i = 1; i < 8; i++)
		h = hash_u64(h, head[i]);
	return h;
}

/* The order and the place of a key in the index; linear probing, and what was
 * overwritten in the ring of messages is passed over and reused. */
void
catalog_sent(struct catalog *c, const struct order *o)
{
	uint32_t place = (uint32_t)(c->message_n % CATALOG_MESSAGES);
	uint64_t head[8];
	uint32_t i;

	memcpy(head, o, sizeof(head));
	c->message_n++;
	c->message[place] = *o;
	c->key[place] = key_of(head);
	/* Begin anew before the index fills with keys of the past. */
	if (c->message_n % CATALOG_MESSAGES == 0) {
		memset(c->index, 0, CATALOG_INDEX * sizeof(c->index[0]));
		for (uint32_t k = 0; k < CATALOG_MESSAGES; k++) {
			i = (uint32_t)(c->key[k] % CATALOG_INDEX);
			while (c->index[i] != 0)
				i = (i + 1) % CATALOG_INDEX;
			c->index[i] = k + 1;
		}
		return;
	}
	i = (uint32_t)(c->key[place] % CATALOG_INDEX);
	while (c->index[i] != 0)
		i = (i + 1) % CATALOG_INDEX;
	c->index[i] = place + 1;
}

bool
catalog_find(const struct catalog *c, const uint64_t head[8], struct order *out)
{
	uint64_t key = key_of(head);
	uint32_t i = (uint32_t)(key % CATALOG_INDEX);

	for (uint32_t n = 0; c->index[i] != 0 && n < CATALOG_INDEX; n++) {
		uint32_t place = c->index[i] - 1;

		if (c->key[place] == key &&
		    memcmp((const char *)&c->message[place] + 8, head + 1,
			56) == 0) {
			*out = c->message[place];
			out->hdr.seq = head[0];
			return true;
		}
		i = (i + 1) % CATALOG_INDEX;
	}
	return false;
}
