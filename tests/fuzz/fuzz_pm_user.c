/* links: libvenue libcore */
#include "tests/fuzz/decode_pm_user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	(void)fuzz_pm_user((const char *)data, n);
	return 0;
}
