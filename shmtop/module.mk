# shmtop: what the shared memory of an instance shows, read-only.
shmtop_DEPS := libsys libshm libcore
shmtop_LIBS := $(JANSSON_LIBS) $(NCURSES_LIBS)
