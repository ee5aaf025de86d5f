# libshm: what the processes share.
libshm_DEPS := libcore
libshm_LIBS :=
