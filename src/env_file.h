/* A file of NAME=value lines, written as systemd's EnvironmentFile. */
#ifndef ENV_FILE_H
#define ENV_FILE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Walks `text`, which it changes (text[length] too): a value loses its quotes
 * and backslashes in place.  Per line:
 *	NAME=value			blanks around both do not count
 *	NAME="a \"b\" $c" NAME='…'	quoted as in a shell, nothing is expanded
 *	# comment, ; comment, nothing
 * `take` gets a name and a value and refuses them by returning false; it
 * writes its reason to `why`.  Otherwise `why` gets the reader's own sentence.
 * `line` is the number of the line at which it ended.
 */
typedef bool env_take(void *context, const char *name, const char *value,
    char *why, size_t size);
bool env_file_parse(char *text, size_t length, env_take *take, void *context,
    char *why, size_t size, unsigned *line);

#endif
