/* links: libvenue libcore */
#include "tests/fuzz/decode_bn_rest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	(void)fuzz_bn_rest((const char *)data, n);
	return 0;
}
