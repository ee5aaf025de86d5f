/*
 * logs_io.h - a log line for people.
 *
 * logs_line - time, level, stage, event and then field=value of one JSON line;
 *             any other text, and with json every line, as it is. tty: with
 *             the colour of its level.
 */
#ifndef SUPERVISOR_LOGS_IO_H
#define SUPERVISOR_LOGS_IO_H

#include <stdbool.h>
#include <stdio.h>

void logs_line(const char *line, bool json, bool tty, FILE *to);

#endif
