# recorderd: journal, Parquet files, and the stage that writes both.
recorderd_DEPS := libsys libshm libcore
recorderd_LIBS := $(ZSTD_LIBS)
