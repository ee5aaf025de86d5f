# shmtop: what the shared memory of an instance shows, read-only.
# libcore has functions named json_object, json_array, json_string, json_null;
# they would be taken for those of jansson: use json_pack instead.
shmtop_DEPS := libsys libshm libcore
shmtop_LIBS := $(JANSSON_LIBS) $(NCURSES_LIBS)
