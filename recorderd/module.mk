# recorderd: journal, Parquet files, the stage that writes both, and what a
# person does with a capture.
recorderd_DEPS := libsys libvenue libshm libcore
recorderd_LIBS := $(ZSTD_LIBS) $(Z_LIBS)
