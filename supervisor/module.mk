# supervisor: starts, watches, restarts, freezes.
supervisor_DEPS := libsys libshm libcore
supervisor_LIBS := $(JANSSON_LIBS)
