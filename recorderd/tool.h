/*
 * tool.h - what a person does with a capture: look at it, check it, convert
 * it, bring data of others into it, report on it.
 *
 * Each is a verb of the program, with options of its own, and returns the exit
 * code: 0, 64 usage, 66 nothing there, 74 what is there is not whole or is
 * damaged, 73 cannot be written, 111 no memory.
 */
#ifndef RECORDERD_TOOL_H
#define RECORDERD_TOOL_H

#include <stdbool.h>
#include <stdint.h>

#define TOOL_USAGE    64
#define TOOL_NO_INPUT 66
#define TOOL_NO_WRITE 73
#define TOOL_DAMAGED  74

/* What verbs are told. */
struct tool_args {
	const char *verb;
	const char *dir;    /* of the capture: --out, or the first word    */
	const char *symbol; /* import                                     */
	const char *format; /* import                                     */
	bool json;
	bool force; /* report: the file is replaced                       */
	uint32_t rows_max;
	int zstd_level;
	const char *const *word; /* what is not an option                 */
	unsigned word_n;
};

/* tool_main - argv[1] is the verb. -1: it is none of ours. */
int tool_main(int argc, char **argv);

int tool_inspect(const struct tool_args *a);
int tool_verify(const struct tool_args *a);
int tool_convert(const struct tool_args *a);
int tool_import(const struct tool_args *a);
int tool_report(const struct tool_args *a);

/* tool_convert_prefix - every segment of one recorder. segments counts. 0 or
 * a negative errno, said on standard error. */
int tool_convert_prefix(
    const struct tool_args *a, const char *prefix, unsigned *segments);

/* tool_human - "1.2 MB". */
const char *tool_human(char buf[32], uint64_t bytes);

#endif
