/* links: libvenue libcore */
#include "tests/fuzz/decode_sbe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	(void)fuzz_sbe((const char *)data, n);
	return 0;
}
