# Ringmaker. One Makefile, one module.mk per room, no recursion.
# Everything lands under $(BUILD)/<flavour>/{bin,lib,obj,test,fuzz}.

BUILD  ?= build
SAN    ?=
comma  := ,
FLAVOUR := $(if $(SAN),$(subst $(comma),-,$(SAN)),release)
OUT    := $(BUILD)/$(FLAVOUR)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
NO_DEPS := clean help

ifeq ($(filter $(NO_DEPS),$(MAKECMDGOALS)),)
include $(BUILD)/deps.mk
endif
$(BUILD)/deps.mk: etc/packages.sh etc/packages.txt
	@mkdir -p $(@D)
	@sh etc/packages.sh $@

CC      ?= gcc
CSTD    := -std=c17 -pedantic
WARN    := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wconversion -Wno-sign-conversion \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wvla \
	-Wformat=2 -Wswitch-enum -Wno-missing-field-initializers
FPDET   := -ffp-contract=off -fno-fast-math
OPT     := $(if $(SAN),-O1,-O2)
HARDEN  := $(if $(SAN),,-D_FORTIFY_SOURCE=2) -fstack-protector-strong -fPIE
SANFLAGS := $(if $(SAN),-fsanitize=$(subst asan,address,$(subst ubsan,undefined,$(subst tsan,thread,$(SAN)))) -fno-sanitize-recover=all -fno-omit-frame-pointer -DRM_DCHECK=1,)
COV     ?=
COVFLAGS := $(if $(COV),--coverage)
CFLAGS  := $(CSTD) $(OPT) $(COVFLAGS) -g $(WARN) $(FPDET) $(HARDEN) $(SANFLAGS) -I. -pthread
LDFLAGS := $(COVFLAGS) $(SANFLAGS) -pthread -pie -Wl,-z,relro,-z,now
# The leak checker at exit needs calls that a sealed stage may not make.
TESTENV := ASAN_OPTIONS=allow_user_segv_handler=0:detect_leaks=1 \
	$(if $(SAN),RM_SANITIZE=1 SANDBOX_MODE=off)

LIBS_ROOMS := libcore libshm libvenue libsign libsys
STAGES     := feedd quoted riskd execd recorderd
TOOLS      := supervisor shmtop simvenue backtest
ROOMS      := $(LIBS_ROOMS) $(STAGES) $(TOOLS)

# A room's module.mk sets  <room>_DEPS  rooms it links, in link order, and
# <room>_LIBS  system libraries it needs.
include $(wildcard $(addsuffix /module.mk,$(ROOMS)))

# $(1) room: every .c but main.c goes into lib/<room>.a; main.c into bin/<room>
define room_rules
$(1)_OBJS := $$(patsubst %.c,$$(OUT)/obj/%.o,$$(filter-out %/main.c,$$(wildcard $(1)/*.c)))
$$(OUT)/lib/$(1).a: $$($(1)_OBJS)
	@mkdir -p $$(@D)
	@rm -f $$@
	@ar rcs $$@ $$^
ALL_LIBS += $$(OUT)/lib/$(1).a
ifneq ($$(wildcard $(1)/main.c),)
$$(OUT)/bin/$(1): $$(OUT)/obj/$(1)/main.o $$(OUT)/lib/$(1).a $$(foreach d,$$($(1)_DEPS),$$(OUT)/lib/$$(d).a)
	@mkdir -p $$(@D)
	@echo "  LD    $$@" >&2
	@$$(CC) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$($(1)_LIBS) $$(foreach d,$$($(1)_DEPS),$$($$(d)_LIBS)) -lm
ALL_BINS += $$(OUT)/bin/$(1)
endif
endef
$(foreach r,$(ROOMS),$(eval $(call room_rules,$(r))))

$(OUT)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<" >&2
	@$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

#: make               all programs, into build/<flavour>/bin
all: $(ALL_BINS)

# Tests: the first comment line of a test names the rooms it links:
#   /* links: libcore libshm */
TEST_SRCS := $(wildcard $(addsuffix /test_*.c,tests/unit tests/prop tests/golden tests/pipeline tests/sim))
# What tests of a folder share; its sources are not called test_*.c.
define helper_rules
$$(OUT)/lib/tests-$(1).a: $$(patsubst %.c,$$(OUT)/obj/%.o,$$(filter-out tests/$(1)/test_%,$$(wildcard tests/$(1)/*.c)))
	@mkdir -p $$(@D)
	@rm -f $$@
	@ar rcs $$@ $$^
endef
$(foreach f,unit prop golden pipeline sim,$(eval $(call helper_rules,$(f))))

define test_rules
$(1)_ROOMS := $$(shell sed -n 's,^/\* links: \(.*\) \*/$$$$,\1,p' $(1) | head -1)
$$(OUT)/test/$$(basename $$(notdir $(1))): $$(OUT)/obj/$$(basename $(1)).o $$(OUT)/lib/tests-$$(notdir $$(patsubst %/,%,$$(dir $(1)))).a $$(foreach d,$$($(1)_ROOMS),$$(OUT)/lib/$$(d).a)
	@mkdir -p $$(@D)
	@$$(CC) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(sort $$(foreach d,$$($(1)_ROOMS),$$($$(d)_LIBS))) -lcmocka -lm -Wl,--as-needed $$(JANSSON_LIBS)
TEST_BINS += $$(OUT)/test/$$(basename $$(notdir $(1)))
endef
$(foreach t,$(TEST_SRCS),$(eval $(call test_rules,$(t))))

tests: $(TEST_BINS)

#: make t T=test_ring one test
t: $(OUT)/test/$(T)
	$(TESTENV) $(OUT)/test/$(T)

#: make test          every test; ends with N passed, N failed, N skipped
#:                    (SAN=asan,ubsan for the sanitizers)
test: all tests
	@OUT=$(OUT) $(TESTENV) sh tests/run.sh $(TEST_BINS)

#: make pipeline      the tests with real processes
#: make sim           the whole pipeline in virtual time
pipeline sim: all tests
	@OUT=$(OUT) $(TESTENV) sh tests/run.sh $(addprefix $(OUT)/test/, \
	    $(basename $(notdir $(wildcard tests/$@/test_*.c))))

include $(wildcard tests/*.mk etc/*.mk)

#: make cov           tests with coverage, a line a source
cov:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/cov COV=1 test
	@cd $(BUILD)/cov/release/obj && for r in $(ROOMS); do \
	    gcov -n $$r/*.gcda 2>/dev/null; done | \
	    awk -F"'" '/^File/ { f = $$2 } /^Lines/ && f !~ /^\// { \
	    print f, $$0; f = "/" }' | sort -u

#: make check         what must pass before a commit: lint and tests
check: lint test

#: make tidy          format every source
tidy:
	clang-format -i $$(git ls-files '*.c' '*.h')

clean:
	rm -rf $(BUILD)

help:
	@sed -n 's/^#: //p' Makefile tests/*.mk etc/*.mk

.PHONY: all tests t test pipeline sim cov check tidy clean help
-include $(shell find $(OUT)/obj -name '*.d' 2>/dev/null)
