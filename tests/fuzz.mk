#: make fuzz FUZZ=polymarket SECONDS=60   one fuzz target; without FUZZ, all
# Targets are tests/fuzz/fuzz_<name>.c, their corpus tests/fuzz/corpus/<name>.
# New inputs of a run go to $(BUILD)/fuzz/<name>, never into the repository.
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ       ?= $(FUZZ_NAMES)
SECONDS    ?= 60
FUZZ_OUT   := $(BUILD)/fuzz
FUZZ_FLAGS := $(CSTD) -O1 -g -I. -DRM_DCHECK=1 $(FPDET) \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
# Every source of the rooms that the target names, and files that it names.
FUZZ_LINKS  = $(shell sed -n 's,^/\* links: \(.*\) \*/$$,\1,p' $(1) | head -1)
FUZZ_SRCS   = $(filter %.c,$(FUZZ_LINKS)) $(filter-out %/main.c,$(wildcard \
	$(addsuffix /*.c,$(filter-out %.c,$(FUZZ_LINKS)))))

define fuzz_rules
$(FUZZ_OUT)/bin/$(1): tests/fuzz/fuzz_$(1).c $$(call FUZZ_SRCS,tests/fuzz/fuzz_$(1).c) $$(wildcard libcore/*.h libvenue/*.h tests/fuzz/*.h)
	@mkdir -p $$(@D) $(FUZZ_OUT)/$(1)
	@command -v clang >/dev/null || { \
	echo "make fuzz needs clang: apt-get install clang" >&2; exit 1; }
	@echo "  FUZZ  $$@"
	@clang $(FUZZ_FLAGS) -o $$@ $$(filter %.c,$$^) $(TLS_LIBS) -lm
fuzz-$(1): $(FUZZ_OUT)/bin/$(1)
	$(FUZZ_OUT)/bin/$(1) -max_total_time=$(SECONDS) -timeout=5 \
	    -max_len=8192 -print_final_stats=1 -dict=tests/fuzz/json.dict \
	    -artifact_prefix=$(FUZZ_OUT)/$(1)- \
	    $(FUZZ_OUT)/$(1) $$(wildcard tests/fuzz/corpus/$(1)) \
	    tests/golden/frames/$(1)
.PHONY: fuzz-$(1)
endef
$(foreach f,$(FUZZ_NAMES),$(eval $(call fuzz_rules,$(f))))

fuzz: $(addprefix fuzz-,$(FUZZ))
.PHONY: fuzz
