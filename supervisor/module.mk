# supervisor: starts, watches, restarts, freezes.
# libcore has functions named json_object, json_array, json_string, json_null;
# they would be taken for those of jansson: use json_pack instead.
supervisor_DEPS := libsys libshm libcore
supervisor_LIBS := $(JANSSON_LIBS)
