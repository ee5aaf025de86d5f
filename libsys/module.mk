# libsys: how we meet the operating system.
libsys_DEPS := libshm libcore
libsys_LIBS := $(UV_LIBS) $(WSLAY_LIBS) $(TLS_LIBS) $(CURL_LIBS) $(YAML_LIBS) $(SECCOMP_LIBS)
