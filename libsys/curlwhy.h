/*
 * curlwhy.h - reasons.def for what libcurl reports; for libsys alone.
 */
#ifndef LIBSYS_CURLWHY_H
#define LIBSYS_CURLWHY_H

#include <curl/curl.h>

#include "libcore/reasons.h"

/* curl_why - the reason of a failed transfer; REASON_NONE for CURLE_OK. */
enum reason curl_why(CURL *easy, CURLcode rc);

#endif
