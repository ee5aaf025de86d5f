#define _GNU_SOURCE
#include "feedd/sbe_key_io.h"

#include <stdio.h>
#include <string.h>

#define KEY_MAX 255

static const char *
key_of(char *text, size_t n, const char **key)
{
	char *end = text + n;

	while (end > text && (unsigned char)end[-1] <= ' ')
		end--;
	while (text < end && (unsigned char)*text <= ' ')
		text++;
	*end = '\0';
	*key = text;
	if (text == end)
		return "is empty";
	for (const char *p = text; p < end; p++)
		if (*p <= ' ' || *p > '~')
			return "holds more than one word";
	return NULL;
}

bool
sbe_key_read(
    const char *path, char header[SBE_HEADER_SZ], char why[KEYFILE_WHY_SZ])
{
	char text[KEY_MAX + 1];
	const char *fault;
	const char *key;
	size_t n;

	header[0] = '\0';
	if (keyfile_read(path, text, sizeof(text), &n, why) < 0)
		return false;
	fault = key_of(text, n, &key);
	if (fault == NULL)
		(void)snprintf(
		    header, SBE_HEADER_SZ, "X-MBX-APIKEY: %s\r\n", key);
	else
		(void)snprintf(why, KEYFILE_WHY_SZ,
		    "%.200s: %s; put the key into it, and nothing else", path,
		    fault);
	explicit_bzero(text, sizeof(text));
	return fault == NULL;
}
