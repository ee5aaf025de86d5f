#: make train-vol   the trainer of the volatility predictor, bin/rm-train-vol
#: make calibrate   our fair value and the market's price against recorded
#:                  outcomes (JSON=1)
#: make protections the maker with each protection switched off, over simulated
#:                  days (DAYS=5 HOURS=24 ROWS=0-23 JSON=1 SET=key=value;
#:                  a day takes a minute or so, there are two dozen rows)
define tool_rule
$$(OUT)/bin/$(1): $$(OUT)/obj/tests/tools/$(2).o $$(OUT)/lib/libcore.a
	@mkdir -p $$(@D)
	@echo "  LD    $$@" >&2
	@$$(CC) $$(LDFLAGS) -o $$@ $$^ -lm
endef
$(eval $(call tool_rule,rm-train-vol,train_vol))
$(eval $(call tool_rule,rm-calibrate,calibrate))

PROT_OBJS  = $(patsubst %.c,$(OUT)/obj/%.o,tests/tools/protections.c \
	     $(wildcard tests/tools/daysim*.c))
PROT_ROOMS = backtest simvenue quoted riskd execd libvenue libsign libsys \
	     libshm libcore
$(OUT)/bin/rm-protections: $(PROT_OBJS) \
    $(foreach r,$(PROT_ROOMS),$(OUT)/lib/$(r).a)
	@mkdir -p $(@D)
	@echo "  LD    $@" >&2
	@$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group \
	    $(filter %.a,$^) -Wl,--end-group \
	    $(sort $(foreach r,$(PROT_ROOMS),$($(r)_LIBS))) -lm

train-vol: $(OUT)/bin/rm-train-vol

calibrate: $(OUT)/bin/rm-calibrate
	@$(OUT)/bin/rm-calibrate $(if $(JSON),--json)

protections: $(OUT)/bin/rm-protections
	@$(OUT)/bin/rm-protections --days $(or $(DAYS),5) \
	    --hours $(or $(HOURS),24) $(if $(ROWS),--rows $(ROWS)) \
	    $(if $(JSON),--json) $(SET)

.PHONY: train-vol calibrate protections

# They run as a test.
$(OUT)/test/test_tools: | $(OUT)/bin/rm-train-vol $(OUT)/bin/rm-calibrate \
    $(OUT)/bin/rm-protections
