#: make train-vol   the trainer of the volatility predictor, bin/rm-train-vol
$(OUT)/bin/rm-train-vol: $(OUT)/obj/tests/tools/train_vol.o \
	$(OUT)/lib/libcore.a
	@mkdir -p $(@D)
	@echo "  LD    $@" >&2
	@$(CC) $(LDFLAGS) -o $@ $^ -lm

train-vol: $(OUT)/bin/rm-train-vol
.PHONY: train-vol
