/* links: libvenue libcore */
#include "tests/fuzz/decode_hl_user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	(void)fuzz_hl_user((const char *)data, n);
	return 0;
}
