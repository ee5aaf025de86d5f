# execd: makes the venue match what should rest.
execd_DEPS := libvenue libsign libsys libshm libcore
execd_LIBS :=
