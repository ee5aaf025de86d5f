# simvenue: the exchanges on this machine, over their own protocols.
simvenue_DEPS := libvenue libsign libsys libshm libcore
simvenue_LIBS := $(Z_LIBS)
