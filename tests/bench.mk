#: make bench       all benches, one line a figure (JSON=1, BENCH_QUICK=1)
# tests/bench/bench_X.c names the rooms it links in its first line, like a
# test. tests/bench/{ref_X*,bench_X_*}.{c,cc,cpp} are its references: where
# one cannot be compiled (no g++, no package), the bench goes without it and
# says so.
BENCH_REFS := $(wildcard tests/bench/ref_*.c tests/bench/*.cc \
	tests/bench/*.cpp)
BENCH_SRCS := $(wildcard tests/bench/bench_*.c)
CXX ?= g++
CXXFLAGS := -std=c++17 -O2 -g -I. -pthread -fPIE

$(OUT)/bench/%.ref.o: tests/bench/%
	@mkdir -p $(@D)
	@case $< in *.c) cc="$(CC) $(CSTD) -O2 -g -I. -pthread -fPIE";; \
	*) cc="$(CXX) $(CXXFLAGS)";; esac; \
	echo "  REF   $<" >&2; $$cc -MMD -MP -c -o $@ $< 2>$@.log || { \
	echo "# $<: skipped, does not compile here ($@.log)"; \
	$(CC) -x c -c -o $@ /dev/null; }

define bench_rules
$(1)_ROOMS := $$(or $$(shell sed -n 's,^/\* links: \(.*\) \*/$$$$,\1,p' $(2) \
	| head -1),libvenue libshm libcore)
$(1)_REFS := $$(patsubst tests/bench/%,$$(OUT)/bench/%.ref.o,$$(filter \
	tests/bench/ref_$(patsubst bench_%,%,$(1))% tests/bench/$(1)_%, \
	$$(BENCH_REFS)))
$$(OUT)/bench/$(1): $$(OUT)/obj/tests/bench/$(1).o $$($(1)_REFS) \
	$$(OUT)/obj/tests/pipeline/proc.o \
	$$(foreach d,$$($(1)_ROOMS),$$(OUT)/lib/$$(d).a)
	@mkdir -p $$(@D)
	@echo "  LD    $$@" >&2
	@$$(if $$($(1)_REFS),$$(CXX),$$(CC)) $$(LDFLAGS) -o $$@ \
	$$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) \
	-Wl,--end-group $$(sort $$(foreach d,$$($(1)_ROOMS),$$($$(d)_LIBS))) \
	$$(if $$(findstring simdjson,$$($(1)_REFS)),-lsimdjson) -lm || \
	{ echo "# $(1): skipped, does not link here"; \
	printf '#!/bin/sh\necho "# $(1): skipped, does not link here"\n' \
	>$$@; chmod +x $$@; }
BENCH_BINS += $$(OUT)/bench/$(1)
endef
$(foreach b,$(BENCH_SRCS),$(eval $(call \
	bench_rules,$(basename $(notdir $(b))),$(b))))

# A tiny size of these runs as a test.
$(OUT)/test/test_bench: | $(addprefix $(OUT)/bench/bench_,ring wake chain sign order \
    connect pipeline freeze) \
    $(addprefix $(OUT)/bin/,execd quoted riskd simvenue)

# With JSON=1 remarks go to stderr, so that each line of stdout is an object.
bench: all $(BENCH_BINS)
	@for l in $(OUT)/bench/*.ref.o.log; do [ ! -s $$l ] || \
	    echo "# a reference is missing here, see $$l" >&2; done
	@for b in $(BENCH_BINS); do \
	    $$b >$(OUT)/bench/out || { cat $(OUT)/bench/out; exit 1; }; \
	    if [ -n "$(JSON)" ]; then grep '^#' $(OUT)/bench/out >&2; \
	    grep -v '^#' $(OUT)/bench/out || :; else cat $(OUT)/bench/out; \
	    fi; done

.PHONY: bench
-include $(wildcard $(OUT)/bench/*.d)
