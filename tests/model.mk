#: make model       check the ring protocol with spin, weakened variants too
model:
	@sh tests/model/run.sh $(OUT)/model

.PHONY: model
