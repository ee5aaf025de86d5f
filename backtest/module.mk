# backtest: the pure cores of the stages in virtual time, and what they earned.
backtest_DEPS := simvenue recorderd feedd quoted riskd execd libvenue libsys \
	libshm libcore
backtest_LIBS := $(Z_LIBS)
# The pages are files of their own; pages.c takes them in.
$(OUT)/obj/backtest/pages.o: backtest/page.html backtest/heat.html
