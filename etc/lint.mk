#: make lint          layers, purity, sizes, words, format, stale tables
lint: $(LINT_DEPS)
	@sh etc/lint.sh
.PHONY: lint
