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
CFLAGS  := $(CSTD) $(OPT) -g $(WARN) $(FPDET) $(HARDEN) $(SANFLAGS) -I. -pthread
LDFLAGS := $(SANFLAGS) -pthread -pie -Wl,-z,relro,-z,now
TESTENV := ASAN_OPTIONS=allow_user_segv_handler=0:detect_leaks=1

LIBS_ROOMS := libcore libshm libvenue libsys
STAGES     := feedd quoted riskd execd recorderd
TOOLS      := supervisor shmtop simvenue
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
	@echo "  LD    $$@"
	@$$(CC) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$($(1)_LIBS) $$(foreach d,$$($(1)_DEPS),$$($$(d)_LIBS)) -lm
ALL_BINS += $$(OUT)/bin/$(1)
endif
endef
$(foreach r,$(ROOMS),$(eval $(call room_rules,$(r))))

$(OUT)/obj/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

all: $(ALL_BINS)

# Tests: the first comment line of a test names the rooms it links:
#   /* links: libcore libshm */
TEST_SRCS := $(wildcard $(addsuffix /test_*.c,tests/unit tests/prop tests/golden tests/pipeline tests/sim))
# What tests share, linked into those of the same folder.
TEST_HELPERS = $(patsubst %.c,$(OUT)/obj/%.o,$(filter-out $(dir $(1))test_%,$(wildcard $(dir $(1))*.c)))
define test_rules
$(1)_ROOMS := $$(shell sed -n 's,^/\* links: \(.*\) \*/$$$$,\1,p' $(1) | head -1)
$$(OUT)/test/$$(basename $$(notdir $(1))): $$(OUT)/obj/$$(basename $(1)).o $(call TEST_HELPERS,$(1)) $$(foreach d,$$($(1)_ROOMS),$$(OUT)/lib/$$(d).a)
	@mkdir -p $$(@D)
	@$$(CC) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(sort $$(foreach d,$$($(1)_ROOMS),$$($$(d)_LIBS))) -lcmocka -lm
TEST_BINS += $$(OUT)/test/$$(basename $$(notdir $(1)))
endef
$(foreach t,$(TEST_SRCS),$(eval $(call test_rules,$(t))))

tests: $(TEST_BINS)

# One room's tests, or one test: make t T=test_ring
t: $(OUT)/test/$(T)
	$(TESTENV) $(OUT)/test/$(T)

test: all tests
	@OUT=$(OUT) $(TESTENV) sh tests/run.sh $(TEST_BINS)

include $(wildcard tests/*.mk etc/*.mk)

clean:
	rm -rf $(BUILD)

help:
	@sed -n 's/^#: //p' Makefile tests/*.mk etc/*.mk

.PHONY: all tests t test clean help
-include $(shell find $(OUT)/obj -name '*.d' 2>/dev/null)
