/*
 * risklife.h - for tests of the risk core: new settings, what it noted, and a
 * death with a new life from the records. Beside riskkit.h.
 */
#ifndef TESTS_UNIT_RISKLIFE_H
#define TESTS_UNIT_RISKLIFE_H

#include "tests/unit/riskkit.h"

/* The keys as they are in k->cfg. */
static inline void
kit_reload(struct kit *k)
{
	kit_step(k, EV_CFG, RG_INTENT, 0, 0);
}

/* Was a note of this kind made in the last step? */
static inline const struct risk_note *
kit_noted(const struct kit *k, enum risk_what what)
{
	for (uint32_t n = 0; n < k->r->note_n; n++)
		if (k->r->note[n].what == what)
			return &k->r->note[n];
	return 0;
}

/* kill -9 and a new life from the records. */
static inline void
kit_reborn(struct kit *k)
{
	struct risk *r = calloc(1, sizeof(*r));
	uint8_t rec[RISK_REC_SZ];

	assert_non_null(r);
	risk_init(r, &k->cfg, k->r->epoch + 1);
	for (uint32_t i = 0; i < RISK_REC_N; i++) {
		risk_save(k->r, i, rec);
		assert_true(risk_load(r, i, rec));
	}
	risk_loaded(r);
	free(k->r);
	k->r = r;
}

#endif
