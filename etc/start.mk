#: make start         the whole pipeline trades on exchanges on this machine
#:                    (DURATION=60, SEED=1, RATE=5, INSTANCE=name; CAPTURE=all or
#:                    file, PACE=20: recordings, on paper)
start: all
	@BIN=$(OUT)/bin sh etc/start.sh
.PHONY: start
