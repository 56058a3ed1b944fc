/* The processes that the master has started, by their slots. */
#ifndef CHILDREN_H
#define CHILDREN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "shm.h"
#include "sockets.h"

enum child_state { CHILD_NONE, CHILD_STARTING, CHILD_READY, CHILD_RETIRING };

struct child {
	pid_t pid;
	enum child_state state;
	int socket;		/* index into `sockets`; -1 for the listener */
	unsigned generation;	/* of the settings it was started with */
	int64_t born_ms;
};

/* The listener's is children[SHM_LISTENER]; its predecessor is apart. */
extern struct child children[SHM_PROCESSES];
extern pid_t children_old_listener;

/* Starts the worker of a socket in a free slot; `room` prefers that slot. */
bool children_start_worker(int socket, unsigned generation, int ready,
    int room);
bool children_start_listener(unsigned generation, int ready, bool successor);

/* The newest worker of the socket that is not retiring, or -1. */
int children_newest(int socket);

/* Tells a worker that another one serves its socket now, or that all ends. */
void children_retire(unsigned slot);
void children_stop_all(int signal);

/*
 * A process has ended, whatever the reason: what it held is given back.
 * Returns its slot, or -1 when it is none of ours.
 */
int children_ended(pid_t pid, int status);

unsigned children_count(void);

/* Divides the permits among the newest worker of each wanted socket. */
void children_share(void);

#endif
