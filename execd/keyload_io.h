/*
 * keyload_io.h - the secrets of execd: where they come from.
 *
 * Order    : the file that the configuration names; else the environment
 *            variable of the venue (POLYMARKET_PRIVATE_KEY,
 *            HYPERLIQUID_PRIVATE_KEY), which is wiped; else, in mode sim only,
 *            the first of the public development keys; else refused.
 * Held     : in locked pages (libsign/key.h); nothing here is logged. The
 *            process is closed to debuggers and core files before the first
 *            key is read; the variables of both venues are wiped after it.
 * Failure  : a sentence that says what to do, without anything secret.
 */
#ifndef EXECD_KEYLOAD_IO_H
#define EXECD_KEYLOAD_IO_H

#include "libcore/types.h"
#include "libshm/cfg.h"
#include "libsign/key.h"
#include "libsign/pm_auth.h"

/* keyload_key - the private key of a venue, checked. 0 or -errno, *why set. */
int keyload_key(struct secret *out, const struct cfg *cfg, enum venue v,
    const struct secp *c, struct secret_why *why);

/* The API credentials of Polymarket in a secret's memory. */
struct keyload_creds {
	struct secret mem;
	struct pm_creds *creds; /* in mem; its address: the caller's to set */
	const char *secret;	/* text of the API secret, in mem */
};

/* keyload_creds_file - from polymarket.creds_file. keyload_creds_text - from
 * the venue's answer to create or derive; text is not wiped. */
int keyload_creds_file(
    struct keyload_creds *out, const char *path, struct secret_why *why);
int keyload_creds_text(struct keyload_creds *out, const char *text, size_t n,
    struct secret_why *why);
void keyload_creds_close(struct keyload_creds *c);

#endif
