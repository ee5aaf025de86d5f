#define _GNU_SOURCE
#include "feedd/sbe_key_io.h"

#include <stdio.h>
#include <string.h>

#include "feedd/key_file_io.h"

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

const char *
sbe_key_read(const char *path, char header[SBE_HEADER_SZ])
{
	char text[KEY_MAX + 1];
	const char *key;
	const char *why;
	size_t n;

	header[0] = '\0';
	why = key_file_read(path, text, sizeof(text), &n);
	if (why == NULL)
		why = key_of(text, n, &key);
	if (why == NULL)
		(void)snprintf(
		    header, SBE_HEADER_SZ, "X-MBX-APIKEY: %s\r\n", key);
	explicit_bzero(text, sizeof(text));
	return why;
}
