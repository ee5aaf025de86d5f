/* links: libcore */
#define _GNU_SOURCE
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "libcore/normal.h"
#include "tests/unit/contract.h"

/* Worked out with 30 digits. */
static const struct {
	double x;
	double p;
} normal[] = {
    {-8, 6.2209605742717841e-16},
    {-3, 0.0013498980316300945},
    {-1.5, 0.066807201268858066},
    {-0.3, 0.38208857781104737},
    {0, 0.5},
    {0.5, 0.6914624612740131},
    {1, 0.84134474606854295},
    {2.3263478740408408, 0.99},
    {5, 0.99999971334842812},
};

static const struct {
	uint32_t df;
	double x;
	double p;
} student[] = {
    {3, -4, 0.0030826865694185792},
    {3, -1, 0.090845056908104664},
    {3, 0.25, 0.65287557418532007},
    {4, -4, 0.0024063391650221125},
    {4, 2, 0.97628967220784019},
    {5, -1, 0.12658499755016131},
    {8, -4, 0.00085643707466073285},
    {8, 2, 0.97513221844029899},
    {30, 0.25, 0.60121176327142251},
    {99, -1, 0.15741756543670364},
    {100, -4, 5.2388304248754741e-5},
    {100, 2, 0.97698706948220697},
};

static void
normal_has_its_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(normal) / sizeof(normal[0]); i++)
		assert_true(
		    fabs(normal_cdf(normal[i].x) - normal[i].p) < 1e-14);
	assert_true(normal_cdf(-INFINITY) <= 0.0);
	assert_true(normal_cdf(INFINITY) >= 1.0);
	assert_true(fabs(normal_pdf(0.0) - 0.3989422804014327) < 1e-15);
}

static void
student_has_its_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(student) / sizeof(student[0]); i++)
		assert_true(fabs(student_cdf(student[i].x, student[i].df) -
				 student[i].p) < 1e-13);
}

static void
both_rise_are_symmetric_and_have_their_density(void **state)
{
	(void)state;
	for (uint32_t df = STUDENT_DF_MIN; df <= STUDENT_DF_MAX; df++) {
		double before = 0.0;

		for (double x = -30.0; x <= 30.0; x += 0.125) {
			double p = student_cdf(x, df);
			double h = 1e-5;
			double d =
			    (student_cdf(x + h, df) - student_cdf(x - h, df)) /
			    (2.0 * h);

			assert_true(p >= before - 1e-15);
			assert_true(
			    fabs(p + student_cdf(-x, df) - 1.0) < 1e-13);
			assert_true(fabs(d - student_pdf(x, df)) < 1e-7);
			before = p;
		}
		assert_true(student_cdf(INFINITY, df) >= 1.0 - 1e-15);
	}
}

static void
nan_normal(void)
{
	(void)!isnan(normal_cdf((double)NAN));
}

static void
two_degrees(void)
{
	(void)!isnan(student_cdf(0.0, 2));
}

static void
broken_contracts_abort(void **state)
{
	(void)state;
	assert_true(contract_fails(nan_normal));
	assert_true(contract_fails(two_degrees));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(normal_has_its_values),
	    cmocka_unit_test(student_has_its_values),
	    cmocka_unit_test(both_rise_are_symmetric_and_have_their_density),
	    cmocka_unit_test(broken_contracts_abort),
	};
	return cmocka_run_group_tests(tests, 0, 0);
}
