/*
 * text.h - figures as people read them, in few columns.
 *
 * Each writes into buf (TEXT_SZ bytes) and returns it. Pure.
 */
#ifndef SHMTOP_TEXT_H
#define SHMTOP_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "libcore/fixed.h"
#include "libcore/types.h"

#define TEXT_SZ 32

/* text_dur - "850ns" "12us" "4.1ms" "1.2s" "3m05s" "2h04m" "5d03h". */
const char *text_dur(uint64_t ns, char *buf);

/* text_count - "0" "950" "1.2k" "34M"; rates below 10 keep a decimal. */
const char *text_count(double v, char *buf);

/* text_bytes - "950B" "1.2KiB". */
const char *text_bytes(uint64_t v, char *buf);

/* text_usd - dollars and cents with a sign, "+0.12", toward zero. */
const char *text_usd(int64_t e6, char *buf);

/* text_px, text_qty - shortest exact text; "-" for nothing. text_qty cuts to
 * `digits` decimals. */
const char *text_px(px_t px, char *buf);
const char *text_qty(qty_t qty, unsigned digits, char *buf);

/* text_has - is part in text? Letters of either case are the same. */
bool text_has(const char *text, const char *part);

/* text_state, text_venue - names of what may be any byte. */
const char *text_state(uint8_t instr_state);
const char *text_ref(uint32_t ref_source);	 /* "spot", "-" none     */
const char *text_strike(uint32_t strike_source); /* "official", "-"     */
const char *text_outcome(uint8_t outcome);	 /* "yes", "open"        */
const char *text_venue(uint8_t venue);

/* text_gate - how a venue stands for orders, as execd's metric `mode` says. */
const char *text_gate(int64_t mode);

#endif
