#: make tables        rewrite the documents generated from the .def tables
tables: $(OUT)/test/test_tables
	@$(OUT)/test/test_tables --write

tables-check: $(OUT)/test/test_tables
	@$(OUT)/test/test_tables >/dev/null

lint: tables-check
.PHONY: tables tables-check

#: make unread        settings that no code reads
unread:
	@sh etc/unread.sh
.PHONY: unread
