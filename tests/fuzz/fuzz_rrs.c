/* links: libcore */
/*
 * Any bytes as a market's texts: cut in four, the features are found within
 * the bytes and the score stays within 0..1.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "libcore/check.h"
#include "libcore/rrs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	double weight[RRS_N];
	size_t part = n / 4;
	char *text[4];
	struct rrs_span span[4];
	struct rrs_text t = {.outcomes_n = (uint32_t)n % 6};
	uint64_t bits;
	double score;

	/* Copies of their own, so that a read past an end is seen. */
	for (size_t i = 0; i < 4; i++) {
		size_t len = i < 3 ? part : n - 3 * part;

		text[i] = malloc(len > 0 ? len : 1);
		memcpy(text[i], data + i * part, len);
		span[i] = (struct rrs_span){text[i], len};
	}
	t.question = t.outcome = span[0];
	t.rules = span[1];
	t.source = span[2];
	t.tags = t.uma = span[3];
	bits = rrs_features(&t);
	rrs_defaults(weight);
	score = rrs_score(bits, weight);
	CHECK((bits & RRS_SEEN) != 0);
	CHECK(score >= 0.0 && score <= 1.0);
	for (size_t i = 0; i < 4; i++)
		free(text[i]);
	return 0;
}
