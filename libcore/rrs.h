/*
 * rrs.h - how risky the resolution of a market is, from its texts.
 *
 * What     : the texts of a market become a set of features (rrs.def), one
 *            bit each; the features become a score in 0..1 by their weights.
 *            Features are found once a market; weights may change later.
 * Matching : whole words, case ignored; what is not an ASCII letter or digit
 *            parts words. A text may still have its JSON escapes (\n \" \u).
 * Limits   : of each text the first RRS_TEXT_MAX bytes are looked at.
 * Pure     : yes. No allocation, O(bytes). A model: doubles.
 * Source   : docs/strategy-maths.md, "Resolution risk".
 */
#ifndef LIBCORE_RRS_H
#define LIBCORE_RRS_H

#include <stddef.h>
#include <stdint.h>

#define RRS_TEXT_MAX 16384u

enum rrs_feature {
#define RRS(name, label, bit, weight, text) RRS_##name = (bit),
#include "libcore/rrs.def"
#undef RRS
	RRS_N = 64
};

#define RRS_BIT(name) (UINT64_C(1) << RRS_##name)
/* The features were looked for. */
#define RRS_SEEN UINT64_C(1)

struct rrs_span {
	const char *s; /* NULL: not sent */
	size_t n;
};

struct rrs_text {
	struct rrs_span question;
	struct rrs_span rules;	 /* the description                         */
	struct rrs_span source;	 /* resolutionSource                        */
	struct rrs_span tags;	 /* category and tags, any separator        */
	struct rrs_span uma;	 /* all known statuses of the resolution    */
	struct rrs_span outcome; /* name within the event, or none         */
	uint32_t outcomes_n;	 /* outcomes of the event, 2 for a plain one */
	uint8_t neg_risk;
	uint8_t is_other; /* placeholder outcome of a neg-risk event  */
};

/* rrs_features - bits of enum rrs_feature, with RRS_SEEN. */
uint64_t rrs_features(const struct rrs_text *t);

/* rrs_defaults - the weights of rrs.def; entries without a line are 0. */
void rrs_defaults(double weight[RRS_N]);

/*
 * rrs_score - min(1, sum of the weights of the bits set).
 * Without RRS_SEEN the score is 1: a market whose rules nobody has read is
 * as risky as can be. Weights below 0 or not a number count as 0.
 */
double rrs_score(uint64_t bits, const double weight[RRS_N]);

/* rrs_label, rrs_doc - of a bit number; NULL where rrs.def has no line. */
const char *rrs_label(unsigned bit);
const char *rrs_doc(unsigned bit);

#endif
