/*
 * pages.h - the pages of reports, as they stand in page.html and heat.html;
 * PAGE_DATA in them is where the JSON goes. They need nothing from outside.
 */
#ifndef BACKTEST_PAGES_H
#define BACKTEST_PAGES_H

#define PAGE_DATA "/*DATA*/null"

extern const char page_report[];
extern const char page_heat[];

#endif
