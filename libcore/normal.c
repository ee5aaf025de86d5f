#include "libcore/normal.h"

#include <math.h>

#include "libcore/check.h"

#define PI	3.14159265358979323846
#define SQRT2	1.41421356237309504880
#define SQRT2PI 2.50662827463100050242

double
normal_cdf(double x)
{
	CHECK(!isnan(x));
	return 0.5 * erfc(-x / SQRT2);
}

double
normal_pdf(double x)
{
	CHECK(!isnan(x));
	return exp(-0.5 * x * x) / SQRT2PI;
}

/* P(|T| <= t) of the unscaled variable, by the angle atan(t / sqrt(df)). */
static double
student_within(double angle, uint32_t df)
{
	double s = sin(angle);
	double c = cos(angle);
	double term = df % 2 == 1 ? c : 1.0;
	double sum = df == 1 ? 0.0 : term;

	for (uint32_t k = df % 2 == 1 ? 3 : 2; k + 1 < df; k += 2) {
		term *= c * c * (double)(k - 1) / (double)k;
		sum += term;
	}
	return df % 2 == 1 ? 2.0 / PI * (angle + s * sum) : s * sum;
}

double
student_cdf(double x, uint32_t df)
{
	CHECK(df >= STUDENT_DF_MIN);
	CHECK(df <= STUDENT_DF_MAX);
	CHECK(!isnan(x));
	/* Variance 1: t = x * sqrt(df / (df - 2)). */
	double angle = atan(x / sqrt((double)df - 2.0));
	double p = 0.5 + 0.5 * student_within(angle, df);

	return fmax(0.0, fmin(1.0, p));
}

/* gamma((n + 1) / 2) / gamma(n / 2), up from n = 1 or 2. */
static double
gamma_ratio(uint32_t n)
{
	double r = n % 2 == 1 ? 1.0 / sqrt(PI) : sqrt(PI) / 2.0;

	for (uint32_t k = n % 2 == 1 ? 1 : 2; k < n; k += 2)
		r *= (double)(k + 1) / (double)k;
	return r;
}

double
student_pdf(double x, uint32_t df)
{
	double n = (double)df;

	CHECK(df >= STUDENT_DF_MIN);
	CHECK(df <= STUDENT_DF_MAX);
	CHECK(!isnan(x));
	return gamma_ratio(df) / sqrt(PI * (n - 2.0)) *
	       pow(1.0 + x * x / (n - 2.0), -0.5 * (n + 1.0));
}
