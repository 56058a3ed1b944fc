/* One worker: an event loop with its socket, its connections, its segment. */
#ifndef WORKER_H
#define WORKER_H

#include <stdbool.h>

struct worker_start {
	unsigned slot, number;	/* in shared memory; among the sockets */
	int listener;
	int ready;		/* a pipe: the slot's number, once it serves */
	unsigned least;		/* connections kept open */
};

/*
 * Serves until it is told to stop.  SIGTERM: takes no more connections, leaves
 * when what runs has been answered, after DRAIN_SECONDS at the latest.  SIGUSR1:
 * a successor serves the socket; the same, but idle connections are left to
 * nginx, which closes them after its keepalive_timeout.
 */
_Noreturn void worker_run(const struct worker_start *);

#endif
