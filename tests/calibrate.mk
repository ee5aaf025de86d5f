#: make train-vol   the trainer of the volatility predictor, bin/rm-train-vol
#: make calibrate   our fair value and the market's price against recorded
#:                  outcomes (JSON=1)
define tool_rule
$$(OUT)/bin/$(1): $$(OUT)/obj/tests/tools/$(2).o $$(OUT)/lib/libcore.a
	@mkdir -p $$(@D)
	@echo "  LD    $$@" >&2
	@$$(CC) $$(LDFLAGS) -o $$@ $$^ -lm
endef
$(eval $(call tool_rule,rm-train-vol,train_vol))
$(eval $(call tool_rule,rm-calibrate,calibrate))

train-vol: $(OUT)/bin/rm-train-vol

calibrate: $(OUT)/bin/rm-calibrate
	@$(OUT)/bin/rm-calibrate $(if $(JSON),--json)

.PHONY: train-vol calibrate

# Both run as a test.
$(OUT)/test/test_tools: | $(OUT)/bin/rm-train-vol $(OUT)/bin/rm-calibrate
