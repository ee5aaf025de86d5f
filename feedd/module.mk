# feedd: connections to the venues, books, market data slots.
feedd_DEPS := libsys libvenue libshm libcore
feedd_LIBS :=
