# libsign: keys, hashes and signatures; the bodies that are signed.
# Linked by execd, simvenue and tests only (make lint checks).
libsign_DEPS := libcore
libsign_LIBS := $(TLS_LIBS) $(SECP_LIBS)
