/* links: recorderd/import.c recorderd/import_csv.c recorderd/import_feed.c recorderd/import_npy.c libvenue libcore */
#include "tests/fuzz/decode_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	(void)fuzz_import((const char *)data, n);
	return 0;
}
