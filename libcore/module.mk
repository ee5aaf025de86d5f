# libcore: pure arithmetic and models; includes only itself.
libcore_DEPS :=
libcore_LIBS :=
