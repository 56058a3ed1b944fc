/* New settings for this program, and a new program for these processes. */
#ifndef RENEW_H
#define RENEW_H

#include <stdbool.h>
#include <sys/types.h>

/* The file of the settings (or NULL) and the program's own arguments. */
void renew_open(const char *settings, char **arguments);

/* Begins with a check; one that is asked for meanwhile follows. */
void renew_begin(bool upgrade);

/*
 * A process has ended: whether it was the check.  If it found no fault, the
 * reload is done, or the new program executed.
 */
bool renew_ended(pid_t, int status);

/* The program ends: nothing is renewed any more, when the check has gone. */
void renew_stop(void);
bool renew_checks(void);

#endif
