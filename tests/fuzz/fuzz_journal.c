/* links: recorderd/pqfile.c recorderd/pqdec.c recorderd/journal.c libcore */
#include "tests/fuzz/decode_rec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	(void)fuzz_journal((const char *)data, n);
	return 0;
}
