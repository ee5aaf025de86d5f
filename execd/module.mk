# execd: makes the venue match what should rest.
execd_DEPS := libsys libshm libcore
execd_LIBS :=
