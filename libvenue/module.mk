# libvenue: pure wire codecs, bytes to events and back.
libvenue_DEPS := libcore
libvenue_LIBS := $(TLS_LIBS)
