# quoted: what should rest where.
quoted_DEPS := libsys libshm libcore
quoted_LIBS :=
