#: make start         the whole pipeline against the local venues, with a view
#:                    (DURATION=20, PACE=10, CAPTURE=file, INSTANCE=name)
start: all
	@BIN=$(OUT)/bin sh etc/start.sh
.PHONY: start
