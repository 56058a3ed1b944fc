/* The process that starts all others, replaces them, and serves nothing. */
#ifndef MASTER_H
#define MASTER_H

/*
 * Settings have been read from `settings` (NULL: no file) and checked.
 * `arguments` are the program's own: an upgrade in place executes it with them
 * again.  Returns when all others are gone, with the exit status.
 */
int master_run(const char *settings, char **arguments);

#endif
