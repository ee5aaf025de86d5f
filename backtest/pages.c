#include "backtest/pages.h"

/* The files themselves, with a NUL behind each; paths count from the root of
 * the sources, where the compiler runs. */
__asm__(".pushsection .rodata\n"
	".global page_report\n"
	"page_report:\n"
	".incbin \"backtest/page.html\"\n"
	".byte 0\n"
	".global page_heat\n"
	"page_heat:\n"
	".incbin \"backtest/heat.html\"\n"
	".byte 0\n"
	".popsection\n");
