/*
 * ca_io.h - certificates for the simulated venues, made on this machine.
 *
 * What  : an authority of our own, and certificates signed by it for the DNS
 *         name localhost: a good one, and faulty ones for tests (expired,
 *         another host's, of another authority). EC P-256 throughout.
 * Files : <dir>/ca.pem, ca.key, localhost.pem, localhost.key and the faulty
 *         expired.*, otherhost.*, stranger.*; keys 0600, the directory 0700.
 *         They are used again at the next start and made anew when they end
 *         within CA_RENEW_DAYS, or cannot be read.
 * Trust : a client trusts ca.pem (tls.ca_file); nothing else has to.
 */
#ifndef SIMVENUE_CA_IO_H
#define SIMVENUE_CA_IO_H

#include <stddef.h>

#include "simvenue/server_io.h"

#define CA_DAYS	      3650
#define CA_RENEW_DAYS 30
#define CA_PATH_MAX   512
#define CA_ERROR_MAX  256

struct ca {
	char dir[CA_PATH_MAX];
	char file[CA_PATH_MAX]; /* of the authority: what clients trust */
	struct tls_ctx *tls[SIM_IDENTITY_N];
};

/* ca_open - make or read the files below dir and the contexts of servers.
 * Returns : 0, or -1 with a sentence in err (CA_ERROR_MAX bytes). */
int ca_open(struct ca *ca, const char *dir, char *err);

void ca_close(struct ca *ca);

#endif
