# riskd: nothing reaches execd except through here.
riskd_DEPS := libsys libshm libcore
riskd_LIBS :=
