/*
 * hex.h - bytes as hexadecimal text and integers as decimal text.
 * Pure: yes.
 */
#ifndef LIBSIGN_HEX_H
#define LIBSIGN_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* hex_put - 2n lower-case digits at dst, no NUL. Returns the end. */
char *hex_put(char *dst, const uint8_t *src, size_t n);

/*
 * hex_parse - n characters, with or without 0x in front, to exactly want
 * bytes. Returns false, *out in an unspecified state, on any other length or
 * a character that is no digit. The time does not depend on the digits.
 */
bool hex_parse(const char *s, size_t n, uint8_t *out, size_t want);

/* dec_put - v in decimal at dst (up to 20 digits), no NUL. Returns the end. */
char *dec_put(char *dst, uint64_t v);

/*
 * dec256_put - a 256-bit number, w[0] its lowest 64 bits, in decimal at dst
 * (up to DEC256_MAX digits), no NUL. Returns the end.
 */
#define DEC256_MAX 78
char *dec256_put(char *dst, const uint64_t w[4]);

#endif
