/* The list of sockets in nginx's reklam-workers.conf: one worker for each. */
#ifndef WORKERS_FILE_H
#define WORKERS_FILE_H

#include <stdbool.h>
#include <stddef.h>

#define WORKERS_MAX 64		/* memory has as many slots */
#define WORKERS_PATH_MAX 108	/* of a unix socket */

struct workers_file {
	size_t count;				/* different sockets */
	char path[WORKERS_MAX][WORKERS_PATH_MAX];
	bool once[WORKERS_MAX];			/* named only once */
	bool no_max_fails[WORKERS_MAX];		/* a line lacks max_fails=0 */
};

/*
 * Reads `server unix:PATH …;` lines, comments and blank lines; a line with
 * `down` names no worker, a socket named twice is one.  Anything else is
 * refused with "FILE:LINE: sentence" in `why`.
 */
bool workers_file_read(const char *path, struct workers_file *,
    char *why, size_t size);

#endif
