#: make SAN=tsan tsan-test   the shared-memory code under ThreadSanitizer
TSAN_TESTS := $(addprefix $(OUT)/test/,test_ring_threads test_cfgpage test_store)
tsan-test: $(TSAN_TESTS)
	@OUT=$(OUT) sh tests/run.sh $(TSAN_TESTS)
.PHONY: tsan-test
