/*
 * prob.h - probabilities that the operator gives, one market a line.
 *
 *     # slug                     probability  confidence  expiry
 *     will-it-rain-tomorrow      0.62         0.8         1798761600
 *
 * expiry: seconds of UTC after which the line no longer counts. Blanks part
 * the fields; # begins a remark; empty lines are nothing.
 * Pure: yes.
 */
#ifndef QUOTED_PROB_H
#define QUOTED_PROB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROB_LINES   256u
#define PROB_SLUG_SZ 48u /* with the NUL, as in struct instr             */
#define PROB_FILE_SZ 65536u

struct prob {
	char slug[PROB_SLUG_SZ];
	double yes;	   /* 0..1                                        */
	double confidence; /* 0..1                                       */
	int64_t expiry_wall_ns;
};

struct prob_list {
	uint32_t n;
	uint32_t bad_line; /* of the last text that was refused, 0 none   */
	struct prob at[PROB_LINES];
};

/* prob_parse - a file of n bytes. One bad line refuses all of it: false, the
 * list untouched but for bad_line (1-based; also when it is too long). */
bool prob_parse(struct prob_list *l, const char *text, size_t n);

/* prob_find - the line of a market that still counts; NULL when none. */
const struct prob *prob_find(
    const struct prob_list *l, const char *slug, int64_t wall_ns);

#endif
