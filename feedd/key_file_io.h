/*
 * key_file_io.h - the text of a file that holds a key.
 *
 * Such a file may be accessible to its owner alone, it is read once, and what
 * is in it is never logged. Who reads it wipes the text after use.
 */
#ifndef FEEDD_KEY_FILE_IO_H
#define FEEDD_KEY_FILE_IO_H

#include <stddef.h>

/*
 * key_file_read - up to cap - 1 bytes, NUL-terminated; *n without the NUL.
 * Returns : NULL, or what is wrong with the file, as part of a sentence;
 *           then nothing of it is in text.
 */
const char *key_file_read(const char *path, char *text, size_t cap, size_t *n);

#endif
