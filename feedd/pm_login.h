/*
 * pm_login.h - credentials of Polymarket's newer price socket, from the text
 * of their file: a JSON object with apiKey, secret and passphrase. Pure.
 */
#ifndef FEEDD_PM_LOGIN_H
#define FEEDD_PM_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

#define PM_LOGIN_SZ	 160u  /* of each, with its NUL */
#define PM_LOGIN_TEXT_SZ 1024u /* largest file, with a NUL */

struct pm_login {
	char key[PM_LOGIN_SZ];
	char secret[PM_LOGIN_SZ];
	char passphrase[PM_LOGIN_SZ];
};

/* pm_login_parse - false, *l wiped: one is missing, empty, too long, or not
 * plain printable text. */
bool pm_login_parse(struct pm_login *l, const char *text, size_t n);

#endif
