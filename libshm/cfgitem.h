/*
 * cfgitem.h - how an item of a LIST key must look.
 *
 * What      : a list whose items name things of a venue is checked item by
 *             item: a name that no venue can have is a mistake that would
 *             otherwise show as a market that never comes.
 * Forms     : polymarket.series        ASSET-updown-1m, 5m, 15m, 1h, 4h;
 *                                      bitcoin-up-or-down-1h and its likes
 *             polymarket.slugs         letters, digits, - _ .
 *             polymarket.rtds_symbols  btc/usd, btcusdt
 *             binance.symbols          letters and digits
 *             binance.streams          the kinds that are understood
 *             hyperliquid.coins        letters, digits, @ / : - _ .
 * Pure      : yes.
 */
#ifndef LIBSHM_CFGITEM_H
#define LIBSHM_CFGITEM_H

#include <stdbool.h>
#include <stddef.h>

/* cfg_item_ok - may n bytes be an item of key i? True for keys without a
 * form of their own. */
bool cfg_item_ok(size_t i, const char *item, size_t n);

/* cfg_item_form - the form for people, NULL when the key has none. */
const char *cfg_item_form(size_t i);

#endif
