#define _GNU_SOURCE
#include "simvenue/ca_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ecp.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/x509_crt.h>

#include "libcore/check.h"
#include "libsys/clock.h"
#include "libsys/tls.h"

#define PEM_MAX	   4096
#define NAME_MAX_  64
#define DAY_NS	   UINT64_C(86400000000000)
#define DATE_SZ	   16 /* YYYYMMDDhhmmss */
#define TRUSTED_CA "CN=simvenue authority,O=ringmaker"
#define OTHER_CA   "CN=nobody's authority,O=nobody"

/* A certificate to be made. days: from now; below 0 it is over. */
struct wanted {
	const char *name; /* of the files */
	const char *subject;
	const char *host; /* NULL: an authority */
	int days;
};

struct maker {
	const char *dir;
	char *err;
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context drbg;
};

static const struct wanted identities[SIM_IDENTITY_N] = {
    [SIM_IS_ITSELF] = {"localhost", "CN=localhost,O=ringmaker", "localhost",
	CA_DAYS},
    [SIM_IS_EXPIRED] = {"expired", "CN=localhost,O=ringmaker", "localhost", -1},
    [SIM_IS_ANOTHER] = {"otherhost", "CN=otherhost.invalid,O=ringmaker",
	"otherhost.invalid", CA_DAYS},
    [SIM_IS_UNKNOWN] = {"stranger", "CN=localhost,O=nobody", "localhost",
	CA_DAYS},
};

static int
fail(struct maker *m, const char *what, const char *why)
{
	(void)snprintf(
	    m->err, CA_ERROR_MAX, "%.120s/%s: %s", m->dir, what, why);
	return -1;
}

static int
fail_tls(struct maker *m, const char *what, int rc)
{
	char why[96];
	mbedtls_strerror(rc, why, sizeof(why));
	return fail(m, what, why);
}

static void
path_of(const char *dir, const char *name, const char *end, char *out)
{
	(void)snprintf(out, CA_PATH_MAX, "%.400s/%s%s", dir, name, end);
}

/* Whole or not at all: written beside, then renamed. */
static int
write_file(struct maker *m, const char *name, const char *end, const char *text)
{
	char path[CA_PATH_MAX];
	char temp[CA_PATH_MAX];
	size_t n = strlen(text);
	path_of(m->dir, name, end, path);
	path_of(m->dir, name, ".new", temp);
	int fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(m, name, strerror(errno));
	bool ok = write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;
	ok = close(fd) == 0 && ok;
	if (!ok || rename(temp, path) < 0)
		return fail(m, name, strerror(errno));
	return 0;
}

static void
date_of(uint64_t wall_ns, char out[DATE_SZ])
{
	char text[CLOCK_DATE_SZ];
	size_t n = 0;
	(void)clock_format_utc(wall_ns, text);
	/* 2026-07-10T20:25:00.123456Z */
	for (const char *p = text; *p != '.' && n < DATE_SZ - 1; p++) {
		if (*p >= '0' && *p <= '9')
			out[n++] = *p;
	}
	out[n] = '\0';
}

/* ---- writing a certificate ---- */

/* SubjectAltName with one DNS name: SEQUENCE { [2] name }. */
static int
set_host(mbedtls_x509write_cert *w, const char *host)
{
	unsigned char san[NAME_MAX_ + 4];
	size_t n = strlen(host);
	CHECK(n < NAME_MAX_);
	san[0] = 0x30;
	san[1] = (unsigned char)(n + 2);
	san[2] = 0x82;
	san[3] = (unsigned char)n;
	memcpy(san + 4, host, n);
	return mbedtls_x509write_crt_set_extension(w,
	    MBEDTLS_OID_SUBJECT_ALT_NAME,
	    MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0, san, n + 4);
}

static int
set_dates(mbedtls_x509write_cert *w, int days)
{
	char from[DATE_SZ];
	char to[DATE_SZ];
	uint64_t now = clock_wall_ns();
	if (days < 0) {
		date_of(now - 30 * DAY_NS, from);
		date_of(now - (uint64_t)-days * DAY_NS, to);
	} else {
		date_of(now - DAY_NS, from);
		date_of(now + (uint64_t)days * DAY_NS, to);
	}
	return mbedtls_x509write_crt_set_validity(w, from, to);
}

static int
set_serial(struct maker *m, mbedtls_x509write_cert *w)
{
	unsigned char raw[16];
	mbedtls_mpi serial;
	mbedtls_mpi_init(&serial);
	int rc = mbedtls_ctr_drbg_random(&m->drbg, raw, sizeof(raw));
	raw[0] &= 0x7f;
	raw[0] |= 0x40;
	if (rc == 0)
		rc = mbedtls_mpi_read_binary(&serial, raw, sizeof(raw));
	if (rc == 0)
		rc = mbedtls_x509write_crt_set_serial(w, &serial);
	mbedtls_mpi_free(&serial);
	return rc;
}

struct signer {
	mbedtls_pk_context *key;
	const char *subject;
};

static int
certify(struct maker *m, const struct wanted *want, mbedtls_pk_context *key,
    const struct signer *by, char *pem)
{
	mbedtls_x509write_cert w;
	mbedtls_x509write_crt_init(&w);
	mbedtls_x509write_crt_set_version(&w, MBEDTLS_X509_CRT_VERSION_3);
	mbedtls_x509write_crt_set_md_alg(&w, MBEDTLS_MD_SHA256);
	mbedtls_x509write_crt_set_subject_key(&w, key);
	mbedtls_x509write_crt_set_issuer_key(&w, by->key);
	int rc = mbedtls_x509write_crt_set_subject_name(&w, want->subject);
	if (rc == 0)
		rc = mbedtls_x509write_crt_set_issuer_name(&w, by->subject);
	if (rc == 0)
		rc = set_serial(m, &w);
	if (rc == 0)
		rc = set_dates(&w, want->days);
	if (rc == 0)
		rc = mbedtls_x509write_crt_set_basic_constraints(
		    &w, want->host == NULL, want->host == NULL ? 0 : -1);
	if (rc == 0)
		rc = mbedtls_x509write_crt_set_key_usage(
		    &w, want->host == NULL ? MBEDTLS_X509_KU_KEY_CERT_SIGN |
						 MBEDTLS_X509_KU_CRL_SIGN
					   : MBEDTLS_X509_KU_DIGITAL_SIGNATURE);
	if (rc == 0)
		rc = mbedtls_x509write_crt_set_subject_key_identifier(&w);
	if (rc == 0)
		rc = mbedtls_x509write_crt_set_authority_key_identifier(&w);
	if (rc == 0 && want->host != NULL)
		rc = set_host(&w, want->host);
	if (rc == 0)
		rc = mbedtls_x509write_crt_pem(&w, (unsigned char *)pem,
		    PEM_MAX, mbedtls_ctr_drbg_random, &m->drbg);
	mbedtls_x509write_crt_free(&w);
	return rc;
}

static int
new_key(struct maker *m, mbedtls_pk_context *key)
{
	mbedtls_pk_init(key);
	int rc =
	    mbedtls_pk_setup(key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));
	if (rc == 0)
		rc = mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1,
		    mbedtls_pk_ec(*key), mbedtls_ctr_drbg_random, &m->drbg);
	return rc;
}

/* Key and certificate into files; key is open when it returns 0. by NULL:
 * signed by itself. */
static int
make(struct maker *m, const struct wanted *want, mbedtls_pk_context *key,
    const struct signer *by)
{
	char pem[PEM_MAX];
	struct signer self = {.key = key, .subject = want->subject};
	int rc = new_key(m, key);
	if (rc == 0)
		rc = mbedtls_pk_write_key_pem(
		    key, (unsigned char *)pem, PEM_MAX);
	if (rc != 0)
		return fail_tls(m, want->name, rc);
	if (write_file(m, want->name, ".key", pem) != 0)
		return -1;
	rc = certify(m, want, key, by != NULL ? by : &self, pem);
	memset(pem + strlen(pem), 0, sizeof(pem) - strlen(pem));
	if (rc != 0)
		return fail_tls(m, want->name, rc);
	return write_file(m, want->name, ".pem", pem);
}

/* ---- is what is there still good? ---- */

static bool
is_after(const mbedtls_x509_time *t, uint64_t wall_ns)
{
	char have[DATE_SZ + 48];
	char than[DATE_SZ];
	date_of(wall_ns, than);
	(void)snprintf(have, sizeof(have), "%04d%02d%02d%02d%02d%02d", t->year,
	    t->mon, t->day, t->hour, t->min, t->sec);
	return strcmp(have, than) > 0;
}

/* Signed by the authority that is there, and valid for a while. A faulty
 * one must be past its end, and is good for ever. */
static bool
is_good(const char *dir, const struct wanted *want, mbedtls_x509_crt *by)
{
	char path[CA_PATH_MAX];
	uint32_t flags = 0;
	mbedtls_x509_crt crt;
	mbedtls_pk_context key;
	mbedtls_x509_crt_init(&crt);
	mbedtls_pk_init(&key);
	path_of(dir, want->name, ".pem", path);
	bool ok = mbedtls_x509_crt_parse_file(&crt, path) == 0;
	path_of(dir, want->name, ".key", path);
	ok = ok && mbedtls_pk_parse_keyfile(&key, path, NULL) == 0 &&
	     mbedtls_pk_check_pair(&crt.pk, &key) == 0;
	if (ok && want->days > 0)
		ok = is_after(
		    &crt.valid_to, clock_wall_ns() + CA_RENEW_DAYS * DAY_NS);
	if (ok && by != NULL) {
		(void)mbedtls_x509_crt_verify(
		    &crt, by, NULL, NULL, &flags, NULL, NULL);
		ok = (flags & ~(uint32_t)MBEDTLS_X509_BADCERT_EXPIRED) == 0;
	}
	mbedtls_pk_free(&key);
	mbedtls_x509_crt_free(&crt);
	return ok;
}

static bool
all_good(struct maker *m, const struct wanted *authority)
{
	char path[CA_PATH_MAX];
	mbedtls_x509_crt ca;
	mbedtls_x509_crt_init(&ca);
	path_of(m->dir, authority->name, ".pem", path);
	bool ok = is_good(m->dir, authority, NULL) &&
		  mbedtls_x509_crt_parse_file(&ca, path) == 0;
	for (int i = 1; i < SIM_IDENTITY_N && ok; i++)
		ok = is_good(
		    m->dir, &identities[i], i == SIM_IS_UNKNOWN ? NULL : &ca);
	mbedtls_x509_crt_free(&ca);
	return ok;
}

static int
make_all(struct maker *m, const struct wanted *authority)
{
	const struct wanted stranger = {"nobody", OTHER_CA, NULL, CA_DAYS};
	mbedtls_pk_context ca_key;
	mbedtls_pk_context other_key;
	mbedtls_pk_init(&other_key);
	int rc = make(m, authority, &ca_key, NULL);
	if (rc == 0)
		rc = make(m, &stranger, &other_key, NULL);
	for (int i = 1; i < SIM_IDENTITY_N && rc == 0; i++) {
		bool is_unknown = i == SIM_IS_UNKNOWN;
		const struct signer by = {
		    .key = is_unknown ? &other_key : &ca_key,
		    .subject = is_unknown ? OTHER_CA : TRUSTED_CA};
		mbedtls_pk_context key;
		rc = make(m, &identities[i], &key, &by);
		mbedtls_pk_free(&key);
	}
	mbedtls_pk_free(&other_key);
	mbedtls_pk_free(&ca_key);
	return rc;
}

/* ---- the owner's side ---- */

/* The directory and those above it. */
static int
make_dirs(struct maker *m)
{
	char path[CA_PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s", m->dir);
	if (n < 0 || n >= 400)
		return fail(m, "", "the path is too long");
	for (char *p = path + 1;; p++) {
		char c = *p;
		if (c != '/' && c != '\0')
			continue;
		*p = '\0';
		if (mkdir(path, 0700) < 0 && errno != EEXIST)
			return fail(m, "", strerror(errno));
		*p = c;
		if (c == '\0')
			return 0;
	}
}

int
ca_open(struct ca *ca, const char *dir, char *err)
{
	const struct wanted authority = {"ca", TRUSTED_CA, NULL, CA_DAYS};
	struct maker m = {.dir = dir, .err = err};
	char cert[CA_PATH_MAX];
	char key[CA_PATH_MAX];
	memset(ca, 0, sizeof(*ca));
	mbedtls_entropy_init(&m.entropy);
	mbedtls_ctr_drbg_init(&m.drbg);
	int rc = make_dirs(&m);
	if (rc == 0 && mbedtls_ctr_drbg_seed(&m.drbg, mbedtls_entropy_func,
			   &m.entropy, NULL, 0) != 0)
		rc = fail(&m, "", "no random numbers");
	if (rc == 0 && !all_good(&m, &authority))
		rc = make_all(&m, &authority);
	for (int i = 1; i < SIM_IDENTITY_N && rc == 0; i++) {
		path_of(dir, identities[i].name, ".pem", cert);
		path_of(dir, identities[i].name, ".key", key);
		ca->tls[i] = tls_server_create(cert, key, err, CA_ERROR_MAX);
		rc = ca->tls[i] != NULL ? 0 : -1;
	}
	mbedtls_ctr_drbg_free(&m.drbg);
	mbedtls_entropy_free(&m.entropy);
	(void)snprintf(ca->dir, sizeof(ca->dir), "%.400s", dir);
	path_of(dir, "ca", ".pem", ca->file);
	if (rc != 0)
		ca_close(ca);
	return rc;
}

void
ca_close(struct ca *ca)
{
	for (int i = 1; i < SIM_IDENTITY_N; i++) {
		tls_destroy(ca->tls[i]);
		ca->tls[i] = NULL;
	}
}
