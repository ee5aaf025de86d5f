/*
 * normal.h - the distributions behind fair values.
 *
 * Pure: yes. Doubles: models only. Results are within 1e-14 of the tables of
 * the tests, which also pin erfc and atan of the C library.
 */
#ifndef LIBCORE_NORMAL_H
#define LIBCORE_NORMAL_H

#include <stdint.h>

/* Degrees of freedom of a Student t: below it has no variance, above it
 * differs from the normal by less than 0.002. */
#define STUDENT_DF_MIN 3u
#define STUDENT_DF_MAX 100u

/* normal_cdf - P(Z <= x). 0 and 1 at the infinities. Needs no NaN (CHECK). */
double normal_cdf(double x);

/* normal_pdf - density of Z at x. */
double normal_pdf(double x);

/*
 * student_cdf - P(X <= x) of a Student t of df degrees scaled to variance 1.
 * Abramowitz and Stegun 26.7.3 and 26.7.4: a finite sum, O(df).
 * Needs STUDENT_DF_MIN <= df <= STUDENT_DF_MAX and no NaN (CHECK).
 */
double student_cdf(double x, uint32_t df);

/* student_pdf - density of the same at x. O(df). */
double student_pdf(double x, uint32_t df);

#endif
