/*
 * sbe_key_io.h - the key that Binance's binary streams ask for.
 *
 * It opens market data only, but it is a key: see libsys/keyfile.h.
 */
#ifndef FEEDD_SBE_KEY_IO_H
#define FEEDD_SBE_KEY_IO_H

#include <stdbool.h>

#include "libsys/keyfile.h"

/* "X-MBX-APIKEY: " and the key, "\r\n". */
#define SBE_HEADER_SZ 320u

/*
 * sbe_key_read - the request header from the key in a file; blanks and line
 * ends around the key are ignored.
 * Returns : false with the sentence in why.
 */
bool sbe_key_read(
    const char *path, char header[SBE_HEADER_SZ], char why[KEYFILE_WHY_SZ]);

#endif
